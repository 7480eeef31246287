//! `gridproof attest sign`.

use crate::{
	args::{PassphraseArgs, amount::energy},
	exit::usage,
	keys,
	output::Output,
};
use anyhow::Context;
use clap::Args;
use gridproof_attest::{RoleKeys, Signed, read_statement, read_summary, sign_file};
use gridproof_primitives::{
	num::decimal::Ratio,
	reserve::attestation::{Role, chain_hint},
};
use gridproof_support::files;
use std::{
	io::IsTerminal,
	path::{Path, PathBuf},
	process::ExitCode,
};

/// Arguments of `attest sign`.
#[derive(Args)]
pub struct SignArgs {
	/// The planned file; the signature is added to it.
	file: PathBuf,
	/// The role that signs.
	#[arg(long, value_name = "data|risk|ops")]
	role: Role,
	/// The role's key file.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Trusted keys of all roles: signatures in the file are then checked first.
	#[arg(long, value_name = "FILE")]
	keys: Option<PathBuf>,
	/// The day's grid summary by this machine's own data: the file must state its figures.
	#[arg(long, value_name = "FILE")]
	summary: Option<PathBuf>,
	/// Sign without asking; at a terminal, the figures are shown and confirmed otherwise.
	#[arg(long)]
	yes: bool,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// Shows what is about to be signed; compares it with one's own data; asks, at a terminal.
fn review(args: &SignArgs, out: &Output) -> anyhow::Result<()> {
	// What is wrong with the file is said when it is signed.
	let Ok(statement) = read_statement(&args.file) else { return Ok(()) };
	let (fields, coverage) = (&statement.fields, statement.coverage()?);
	if let Some(path) = &args.summary {
		let own = read_summary(path)?;
		let file = (fields.day, fields.wh_raw, fields.wh_committed, fields.alpha);
		let zones = (fields.zones_ok, fields.zones_total);
		if file != (own.day, own.wh_raw, own.wh_committed, own.alpha)
			|| zones != (own.zones_ok, own.zones_total)
		{
			let figures = own.figures();
			return Err(usage(format!("the file is not what {} says: {figures}", path.display())));
		}
	}
	let ratio = coverage.ratio.map_or("undefined".to_string(), |ratio| ratio.to_decimal_floor(6));
	out.review(&format!(
		"{} for {}, revision {}: measured {}, committed {} (alpha {}), {} of {} zones, {} EUR/MWh, \
		 compute {} EUR, CR {ratio}, mint {} AICP",
		fields.day,
		chain_hint(&statement.genesis),
		fields.revision,
		energy(fields.wh_raw),
		energy(fields.wh_committed),
		fields.alpha,
		fields.zones_ok,
		fields.zones_total,
		fields.eur_per_mwh.to_figure(),
		Ratio::millionths(fields.compute_assets).to_figure(),
		Ratio::millionths(coverage.mint).to_figure(),
	));
	if args.summary.is_none() {
		out.review(
			"nothing here says that these figures are true: compare them with your own, or name your \
			 --summary",
		);
	}
	if args.yes || !std::io::stdin().is_terminal() {
		return Ok(());
	}
	eprint!("Sign this as {}? [y/N] ", args.role);
	let mut answer = String::new();
	std::io::stdin().read_line(&mut answer)?;
	match answer.trim() {
		"y" | "Y" | "yes" => Ok(()),
		_ => Err(usage("not signed")),
	}
}

/// Signs a file for one role.
pub fn sign(args: &SignArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let trusted = args.keys.as_deref().map(read_keys).transpose()?;
	review(args, out).with_context(|| format!("{} is not signed", args.file.display()))?;
	let key = keys::load(&args.key, args.role, &args.passphrase)?;
	let signed = sign_file(&args.file, args.role, &key, trusted.as_ref())
		.with_context(|| format!("{} is not signed", args.file.display()))?;
	signed.warnings.iter().for_each(|warning| out.warning(warning));
	out.result(&signed, |signed: &Signed| {
		let Signed { role, day, chain, digest, signatures, .. } = signed;
		format!("{day} for {chain}\n{role} signed {digest}; signatures: {signatures}")
	})?;
	Ok(ExitCode::SUCCESS)
}

/// Reads the trusted keys of the roles.
fn read_keys(path: &Path) -> anyhow::Result<RoleKeys> {
	let bytes = files::read(path).with_context(|| format!("cannot read {}", path.display()))?;
	RoleKeys::parse(&bytes).with_context(|| path.display().to_string())
}
