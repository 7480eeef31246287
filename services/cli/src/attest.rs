//! `gridproof attest`.

use crate::{
	args::{
		NodeArgs, PassphraseArgs, UrlArgs,
		amount::{aicp, energy},
	},
	daemon::{self, DaemonArgs},
	exit::{self, usage},
	keys,
	output::Output,
	signing,
};
use anyhow::Context;
use chrono::{DateTime, SecondsFormat};
use clap::{Args, Subcommand};
use gridproof_attest::{
	Expected, LiftSignature, Lifted, PlanInputs, RoleKeys, ShownAttestation, ShownStop, Statement,
	Stopped, Submitted, VerifyReport, lift_stop, price_refusal_by, read_statement, read_summary,
	sign_lifting, stop_minting, submit, verify, warnings, write_plan,
};
use gridproof_chain::{
	Chain,
	pallets::{attestations::query, coverage_policy},
};
use gridproof_primitives::{
	H256,
	codec::json::Value,
	crypto::ed25519::Signature,
	energy::emlog::parse_utc,
	num::{
		decimal::{Ratio, SignedRatio},
		units::AICP_ASSET_ID,
	},
	reserve::{
		attestation::{Kind, Role, chain_hint, file_digest, genesis_of_hint},
		formula::{Binding, State},
	},
	time::day::Day,
};
use gridproof_support::files;
use serde::Serialize;
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
	process::ExitCode,
};

/// What `gridproof attest` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Plan a day's attestation from its grid summary: an unsigned file.
	Plan(Box<PlanArgs>),
	/// Sign a planned file for one role.
	Sign(signing::SignArgs),
	/// Check a file's signatures, of version 1 or 2.
	Verify(VerifyArgs),
	/// Submit a signed file to the chain and wait until it is final.
	Submit(SubmitArgs),
	/// Show what the chain holds for a day.
	Show(ShowArgs),
	/// Stop minting, as one role, for two days in any case; free, without an account.
	Stop(StopArgs),
	/// Lift another role's stop: the first of the two other roles signs, the second submits both.
	Lift(LiftArgs),
	/// Show the stops of minting of all roles.
	Stops(UrlArgs),
	/// Print the keys that a chain trusts, now or at a time: the file that verifiers need.
	Keys(KeysArgs),
	/// Load, plan, sign and submit every day, and catch up on missed ones.
	Daemon(Box<DaemonArgs>),
}

/// Arguments of `attest plan`. Numbers are decimals or n/d, and exact.
#[derive(Args)]
pub struct PlanArgs {
	/// The day's grid summary.
	#[arg(long, value_name = "FILE")]
	summary: PathBuf,
	/// Price of energy, EUR/MWh.
	#[arg(long, value_name = "X", allow_hyphen_values = true)]
	eur_per_mwh: SignedRatio,
	/// Value of the compute assets, EUR.
	#[arg(long, value_name = "X")]
	compute_assets_eur: Ratio,
	/// Total issuance, AICP; with --supply-from, the chain's own counts instead.
	#[arg(long, value_name = "X", required_unless_present = "supply_from")]
	s_base: Option<Ratio>,
	/// Share of the issuance that counts as supply.
	#[arg(long, value_name = "X")]
	u_hat: Ratio,
	/// Target price, EUR per AICP.
	#[arg(long, value_name = "X")]
	target_eur: Ratio,
	/// Coverage ratio below which nothing is minted.
	#[arg(long, value_name = "X")]
	cr_min: Ratio,
	/// Share of the supply that may be minted in a day.
	#[arg(long, value_name = "X")]
	cap: Ratio,
	/// Moving average at which the chain values the reserve, EUR/MWh; by default the price, or with
	/// --supply-from what the chain computes.
	#[arg(long, value_name = "X", conflicts_with = "supply_from")]
	average: Option<Ratio>,
	/// Supply up to which the cap does not apply, AICP; with --supply-from, what is left of the
	/// chain's own.
	#[arg(long, value_name = "X", value_parser = aicp, conflicts_with = "supply_from")]
	bootstrap: Option<u128>,
	/// RPC address of a node that is asked for the supply, the average and the bootstrap, and for
	/// the chain that the file is for; without it, no node is asked.
	#[arg(long, value_name = "URL")]
	supply_from: Option<String>,
	/// The chain that the file is for: substrate:0x and its genesis hash.
	#[arg(long, value_name = "HINT", value_parser = genesis)]
	chain: Option<H256>,
	/// Kind of statement: reserve, or a rehearsal on which nothing is minted.
	#[arg(long, default_value = "reserve", value_parser = kind)]
	kind: Kind,
	/// The file of the attestation that this one corrects.
	#[arg(long, value_name = "FILE")]
	revises: Option<PathBuf>,
	/// The file to write.
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
}

/// Arguments of `attest keys`.
#[derive(Args)]
pub struct KeysArgs {
	/// The keys of this time instead of now: RFC 3339, such as 2026-01-15T00:00:00Z. The chain
	/// remembers the last 32 keys of a role.
	#[arg(long, value_name = "TIME", value_parser = utc_time)]
	at: Option<u64>,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `attest verify`.
#[derive(Args)]
pub struct VerifyArgs {
	/// The file.
	file: PathBuf,
	/// Trusted keys: {"data":"HEX","risk":"HEX","ops":"HEX"}.
	#[arg(long, value_name = "FILE")]
	keys: PathBuf,
	/// The day it must be about.
	#[arg(long)]
	day: Day,
	/// The chain it must be for.
	#[arg(long, value_name = "HINT")]
	chain: String,
}

/// Arguments of `attest submit`.
#[derive(Args)]
pub struct SubmitArgs {
	/// The signed file.
	file: PathBuf,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `attest show`.
#[derive(Args)]
pub struct ShowArgs {
	/// The day.
	#[arg(long)]
	day: Day,
	/// Kind of statement: reserve or rehearsal.
	#[arg(long, default_value = "reserve", value_parser = kind)]
	kind: Kind,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `attest stop`.
#[derive(Args)]
pub struct StopArgs {
	/// The role that stops minting.
	#[arg(long, value_name = "data|risk|ops")]
	role: Role,
	/// The role's key file.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `attest lift`.
#[derive(Args)]
pub struct LiftArgs {
	/// The role whose stop is lifted.
	#[arg(long, value_name = "data|risk|ops")]
	of: Role,
	/// The role that signs.
	#[arg(long, value_name = "data|risk|ops")]
	role: Role,
	/// The key file of the role that signs.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// The signature that the other role made with this command; without it, one is made for that
	/// role and nothing is sent.
	#[arg(long, value_name = "HEX", value_parser = signature)]
	with: Option<Signature>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Runs one `gridproof attest` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Plan(args) => plan(*args, out).await,
		Command::Sign(args) => signing::sign(&args, out),
		Command::Verify(args) => verify_file(&args, out),
		Command::Submit(args) => submit_file(&args, out).await,
		Command::Show(args) => show(&args, out).await,
		Command::Stop(args) => stop(&args, out).await,
		Command::Lift(args) => lift(&args, out).await,
		Command::Stops(args) => stops(&args, out).await,
		Command::Keys(args) => trusted(&args, out).await,
		Command::Daemon(args) => daemon::run(*args, out).await,
	}
}

fn genesis(text: &str) -> Result<H256, String> {
	genesis_of_hint(text)
		.ok_or_else(|| "write substrate:0x and the 64 digits of the genesis hash".to_string())
}

fn signature(text: &str) -> Result<Signature, String> {
	let mut signature = [0; 64];
	let digits = text.strip_prefix("0x").unwrap_or(text);
	hex::decode_to_slice(digits, &mut signature)
		.map_err(|_| "write the 128 hexadecimal digits of the signature".to_string())?;
	Ok(signature)
}

fn kind(text: &str) -> Result<Kind, String> {
	let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
	kind.ok_or_else(|| "it is reserve or rehearsal".to_string())
}

/// What `attest plan --json` prints.
#[derive(Serialize)]
struct Planned {
	day: Day,
	out: String,
	chain: String,
	digest: String,
	fields: String,
	state: State,
	#[serde(rename = "CR")]
	cr: Option<String>,
	#[serde(rename = "CR_exact")]
	cr_exact: Option<String>,
	stock_value_eur: String,
	#[serde(rename = "S_target_for_CR_min")]
	supply_target: String,
	mint_suggested: String,
	binding: Option<Binding>,
	warnings: Vec<String>,
}

async fn plan(args: PlanArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let summary = read_summary(&args.summary)?;
	let OfChain { s_base, genesis, average, bootstrap } = of_chain(&args, summary.day, out).await?;
	let revises = args.revises.as_deref().map(read_statement).transpose()?;
	let inputs = PlanInputs {
		eur_per_mwh: args.eur_per_mwh,
		compute_assets_eur: args.compute_assets_eur,
		s_base,
		u_hat: args.u_hat,
		target_eur: args.target_eur,
		cr_min: args.cr_min,
		cap: args.cap,
		bootstrap,
		average,
		genesis,
		kind: args.kind,
		revises: revises.map(|statement| statement.fields),
	};
	let statement = Statement::plan(&summary, &inputs)?;
	let file = statement.to_file()?;
	write_plan(&args.out, &file)?;
	let planned = planned(&statement, &file, &args.out)?;
	planned.warnings.iter().for_each(|warning| out.warning(warning));
	out.result(&planned, |planned| {
		let cr = planned.cr.as_deref().unwrap_or("undefined, as there is no supply");
		format!(
			"{}: CR {cr}, {}, mint {} AICP\nwritten: {} (not signed)",
			planned.day,
			planned.state.as_str(),
			planned.mint_suggested,
			planned.out
		)
	})?;
	Ok(ExitCode::SUCCESS)
}

/// What a plan takes from its chain, or from arguments in its place.
struct OfChain {
	s_base: Ratio,
	genesis: H256,
	average: Option<Ratio>,
	bootstrap: u128,
}

async fn of_chain(args: &PlanArgs, day: Day, out: &Output) -> anyhow::Result<OfChain> {
	let Some(url) = &args.supply_from else {
		let s_base = args.s_base.ok_or_else(|| usage("--s-base or --supply-from is needed"))?;
		return Ok(OfChain {
			s_base,
			genesis: args.chain.unwrap_or_default(),
			average: args.average,
			bootstrap: args.bootstrap.unwrap_or(0),
		});
	};
	let chain = Chain::connect(url).await?;
	if let Some(wanted) = args.chain.filter(|wanted| *wanted != chain.genesis()) {
		return Err(usage(format!(
			"--chain is {}, but the node at {url} is of {}",
			chain_hint(&wanted),
			chain_hint(&chain.genesis())
		)));
	}
	let s_base = Ratio::millionths(chain.issuance(AICP_ASSET_ID).await?);
	if let Some(given) = args.s_base.filter(|given| *given != s_base) {
		let (given, there) = (given.to_figure(), s_base.to_figure());
		out.warning(&format!("the chain's issuance of {there} AICP counts, not --s-base {given}"));
	}
	let outlook = chain.read(&coverage_policy::query::outlook(day, args.eur_per_mwh)).await?;
	if outlook.average.is_none() {
		let refusal = price_refusal_by(&chain, &args.eur_per_mwh, day).await?;
		refusal.iter().for_each(|refusal| out.warning(refusal));
	}
	Ok(OfChain {
		s_base,
		genesis: chain.genesis(),
		average: outlook.average.filter(|average| !average.is_zero()),
		bootstrap: outlook.bootstrap,
	})
}

fn planned(statement: &Statement, file: &Value, out: &Path) -> anyhow::Result<Planned> {
	let coverage = statement.coverage()?;
	let text = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
	Ok(Planned {
		day: statement.fields.day,
		out: out.display().to_string(),
		chain: chain_hint(&statement.genesis),
		digest: file_digest(file).map(|digest| format!("{digest:#x}")).unwrap_or_default(),
		fields: format!("{:#x}", statement.fields.hash()),
		state: coverage.state,
		cr: coverage.ratio.map(|ratio| ratio.to_decimal_floor(6)),
		cr_exact: coverage.ratio.map(|ratio| ratio.to_fraction()),
		stock_value_eur: text("stock_value_eur"),
		supply_target: text("S_target_for_CR_min"),
		mint_suggested: text("mint_suggested"),
		binding: coverage.binding,
		warnings: warnings(&statement.genesis, statement.fields.check().err()),
	})
}

/// Prints the keys of the roles in the form of the file that verifiers trust.
async fn trusted(args: &KeysArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let chain = args.node.connect().await?;
	let mut keys = BTreeMap::new();
	let pinned = chain.read(&query::keys()).await?;
	for role in Role::ALL {
		let key = match args.at {
			Some(time) => chain.read(&query::key_at(role, time)).await?,
			None => pinned.of(role).map(|pinned| pinned.key),
		};
		if let Some(key) = key {
			keys.insert(role.as_str(), format!("0x{}", hex::encode(key)));
		}
	}
	if keys.is_empty() {
		return Err(usage("the chain has no key of any role for that time"));
	}
	let hint = chain_hint(&chain.genesis());
	out.note(&format!(
		"the keys that the node at {} says are pinned on {hint}; ask a node that you trust",
		chain.url()
	));
	out.result(&keys, |keys| {
		let line = |(role, key): (&&str, &String)| format!("  \"{role}\": \"{key}\"");
		format!("{{\n{}\n}}", keys.iter().map(line).collect::<Vec<_>>().join(",\n"))
	})?;
	Ok(ExitCode::SUCCESS)
}

fn utc_time(text: &str) -> Result<u64, String> {
	parse_utc(text).map_err(|error| error.to_string())
}

fn verify_file(args: &VerifyArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let read =
		|path: &Path| files::read(path).with_context(|| format!("cannot read {}", path.display()));
	let (bytes, keys) = (read(&args.file)?, read(&args.keys)?);
	let expected = Expected { day: args.day, chain: &args.chain };
	let report = match RoleKeys::parse(&keys) {
		Ok(keys) => verify(&bytes, &keys, &expected),
		Err(error) => VerifyReport::without_keys(&error),
	};
	out.result(&report, |report: &VerifyReport| {
		let mut text =
			format!("signatures_ok={}, required={}", report.signatures_ok, report.required);
		if let Some(error) = report.error {
			text.push_str(&format!("\nnot ok: {error}"));
		}
		for reason in &report.reasons {
			text.push_str(&format!("\n  {reason}"));
		}
		text
	})?;
	Ok(exit::verdict(report.ok))
}

async fn submit_file(args: &SubmitArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let bytes =
		files::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
	let spinner = out.spinner("connecting");
	let chain = args.node.connect().await?;
	spinner.set_message("waiting for finality");
	let submitted = submit(&chain, &bytes, &args.node.patience()).await;
	spinner.finish_and_clear();
	out.result(&submitted?, |submitted: &Submitted| {
		let Submitted { day, statement, block, .. } = submitted;
		match block {
			Some(block) => format!("{day}: accepted as {statement}\nfinal in block {block}"),
			None => format!("{day}: the chain holds {statement} already"),
		}
	})?;
	Ok(ExitCode::SUCCESS)
}

async fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let chain = args.node.connect().await?;
	let query = query::attestation(args.kind, args.day);
	let Some(attestation) = chain.read(&query).await? else {
		return Err(usage(format!("the chain holds no {} attestation of {}", args.kind, args.day)));
	};
	out.result(&ShownAttestation::from(&attestation), |shown: &ShownAttestation| {
		let signers: Vec<_> = shown.signers.iter().map(|signer| signer.role.as_str()).collect();
		format!(
			"{} {}, revision {}, signed by {}\nstatement {}\ndigest    {}\n\
			 measured  {}\ncommitted {} (alpha {})\nprice     {} EUR/MWh\n\
			 compute   {} EUR\nzones     {} of {}\naccepted in block {}",
			shown.day,
			shown.kind,
			shown.revision,
			signers.join(", "),
			shown.statement,
			shown.digest,
			energy(shown.wh_dc_raw),
			energy(shown.wh_dc_commit),
			shown.alpha,
			shown.eur_per_mwh,
			shown.compute_assets_eur,
			shown.zones_ok,
			shown.zones_total,
			shown.block
		)
	})?;
	Ok(ExitCode::SUCCESS)
}

/// A time of UTC milliseconds as people read it.
fn utc(millis: u64) -> String {
	let time = i64::try_from(millis).ok().and_then(DateTime::from_timestamp_millis);
	let shown = time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
	shown.unwrap_or_else(|| format!("{millis} ms"))
}

async fn stop(args: &StopArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let key = keys::load(&args.key, args.role, &args.passphrase)?;
	let chain = args.node.connect().await?;
	let stopped = stop_minting(&chain, args.role, &key, &args.node.patience()).await?;
	out.result(&stopped, |stopped: &Stopped| {
		let Stopped { role, number, until_ms, only_governance, block } = stopped;
		let end = if *only_governance {
			"only governance ends it"
		} else {
			"then the two other roles or governance end it"
		};
		format!(
			"{role} has stopped minting (stop {number}), until {} at least; {end}\n\
			 final in block {block}",
			utc(*until_ms)
		)
	})?;
	Ok(ExitCode::SUCCESS)
}

async fn lift(args: &LiftArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let key = keys::load(&args.key, args.role, &args.passphrase)?;
	let chain = args.node.connect().await?;
	let Some(other) = args.with else {
		let signed = sign_lifting(&chain, args.of, args.role, &key).await?;
		out.result(&signed, |signed: &LiftSignature| {
			let LiftSignature { of, number, signer, signature } = signed;
			format!(
				"{signer} signed the lifting of stop {number} of {of}; nothing was sent. \
				 The other role runs this command with --with\n{signature}"
			)
		})?;
		return Ok(ExitCode::SUCCESS);
	};
	let lifted = lift_stop(&chain, args.of, args.role, &key, other, &args.node.patience()).await?;
	out.result(&lifted, |lifted: &Lifted| {
		let Lifted { of, number, falls_at_ms, block } = lifted;
		format!(
			"stop {number} of {of} is lifted and falls at {}\nfinal in block {block}",
			utc(*falls_at_ms)
		)
	})?;
	Ok(ExitCode::SUCCESS)
}

async fn stops(args: &UrlArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let chain = args.connect().await?;
	let (stops, now) = chain.read(&query::stops()).await?;
	out.result(&ShownStop::all(&stops, now), |roles: &Vec<ShownStop>| {
		roles.iter().map(stop_text).collect::<Vec<_>>().join("\n")
	})?;
	Ok(ExitCode::SUCCESS)
}

fn stop_text(shown: &ShownStop) -> String {
	let (Some(number), Some(until)) = (shown.number, shown.until_ms) else {
		return format!("{:5} minting is not stopped; the next stop is {}", shown.role, shown.next);
	};
	let end = match (shown.lifted, shown.only_governance) {
		(true, _) => "lifted, falls then",
		(false, true) => "only governance ends it",
		(false, false) => "not lifted",
	};
	format!("{:5} stop {number} until {} at least ({end})", shown.role, utc(until))
}
