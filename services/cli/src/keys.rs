//! `gridproof keys`.

use crate::output::Output;
use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use gridproof_attest::keys::{KeyFault, PublicPart, RoleKey, show, trusted_file};
use gridproof_primitives::attestation::Role;
use serde::Serialize;
use std::{
	io::IsTerminal,
	path::{Path, PathBuf},
	process::ExitCode,
};
use zeroize::Zeroizing;

/// What `gridproof keys` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Make a new Ed25519 key for a role: a file with mode 0600 that is never overwritten.
	New(NewArgs),
	/// Show the public part of key files; of all roles together, the file that verifiers trust.
	Show(ShowArgs),
}

/// Where a passphrase comes from.
#[derive(Args, Clone, Default)]
pub struct PassphraseArgs {
	/// File whose first line is the passphrase of the key; else it is asked for.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_PASSPHRASE_FILE")]
	pub passphrase_file: Option<PathBuf>,
}

/// Arguments of `keys new`.
#[derive(Args)]
pub struct NewArgs {
	/// Who will sign with it.
	#[arg(long, value_name = "data|risk|ops")]
	role: Role,
	/// The file to make.
	#[arg(value_name = "FILE", required_unless_present = "out")]
	file: Option<PathBuf>,
	/// The file to make.
	#[arg(long, value_name = "FILE", conflicts_with = "file")]
	out: Option<PathBuf>,
	/// Encrypt the key; the passphrase is asked for, or read from --passphrase-file.
	#[arg(long)]
	passphrase: bool,
	#[command(flatten)]
	source: PassphraseArgs,
}

/// Arguments of `keys show`.
#[derive(Args)]
pub struct ShowArgs {
	/// Key files.
	#[arg(value_name = "FILE", required_unless_present = "key")]
	files: Vec<PathBuf>,
	/// A key file.
	#[arg(long, value_name = "FILE", conflicts_with = "files")]
	key: Option<PathBuf>,
}

/// What `keys new` made.
#[derive(Serialize)]
struct Made {
	#[serde(flatten)]
	key: PublicPart,
	file: String,
}

/// Runs one `gridproof keys` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::New(args) => new(args, out),
		Command::Show(args) => show_all(&args, out),
	}
}

fn new(args: NewArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let Some(path) = args.file.or(args.out) else { bail!("which file is to be made?") };
	if path.exists() {
		return Err(KeyFault::Exists(path.display().to_string()).into());
	}
	let passphrase = match &args.source.passphrase_file {
		Some(file) => Some(first_line(file)?),
		None if args.passphrase => Some(chosen_passphrase()?),
		None => None,
	};
	let key = RoleKey::generate(args.role)?;
	key.save(&path, passphrase.as_deref().map(Vec::as_slice))?;
	let made = Made { key: show(&path)?, file: path.display().to_string() };
	out.result(&made, |made| {
		let kind = if made.key.encrypted { "encrypted, " } else { "" };
		format!("{} {}\n{}: {kind}mode 0600", args.role, made.key.public, made.file)
	})?;
	Ok(ExitCode::SUCCESS)
}

fn show_all(args: &ShowArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let files: Vec<&PathBuf> = args.files.iter().chain(&args.key).collect();
	let parts = files.iter().map(|path| show(path)).collect::<Result<Vec<_>, _>>()?;
	if let [part] = &parts[..] {
		out.result(part, text_of)?;
		return Ok(ExitCode::SUCCESS);
	}
	let trusted = trusted_file(&parts)?;
	let json: serde_json::Value = serde_json::from_str(&trusted.to_canonical())?;
	out.result(&json, |_| parts.iter().map(text_of).collect::<Vec<_>>().join("\n"))?;
	Ok(ExitCode::SUCCESS)
}

fn text_of(part: &PublicPart) -> String {
	let role = part.role.map_or("any role", Role::as_str);
	let kind = if part.encrypted { " (encrypted)" } else { "" };
	format!("{role} {}{kind}", part.public)
}

/// Loads a role's key; the passphrase is asked for only if the key is encrypted.
pub fn load(path: &Path, role: Role, source: &PassphraseArgs) -> anyhow::Result<RoleKey> {
	load_with(path, source, |passphrase| RoleKey::load_for(path, role, passphrase))
}

/// Loads a key of whatever role its file says.
pub fn load_any(path: &Path, source: &PassphraseArgs) -> anyhow::Result<RoleKey> {
	load_with(path, source, |passphrase| RoleKey::load(path, passphrase))
}

type Ask<'a> = &'a dyn Fn() -> Result<Zeroizing<Vec<u8>>, KeyFault>;

fn load_with(
	path: &Path,
	source: &PassphraseArgs,
	load: impl FnOnce(Ask) -> Result<RoleKey, KeyFault>,
) -> anyhow::Result<RoleKey> {
	load(&|| ask(path, source)).with_context(|| format!("cannot use the key {}", path.display()))
}

/// The passphrase of the file at `path`: from the file that is named for it, or asked for.
pub fn ask(path: &Path, source: &PassphraseArgs) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
	let needed = || KeyFault::PassphraseNeeded(path.display().to_string());
	match &source.passphrase_file {
		Some(file) => first_line(file).map_err(|error| KeyFault::BadFile {
			path: file.display().to_string(),
			reason: format!("{error:#}"),
		}),
		None if std::io::stdin().is_terminal() => {
			let question = format!("Passphrase of {}: ", path.display());
			let answer = rpassword::prompt_password(question).map_err(|_| needed())?;
			Ok(Zeroizing::new(answer.into_bytes()))
		},
		None => Err(needed()),
	}
}

/// The first line of a passphrase file.
pub fn first_line(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
	let text = std::fs::read_to_string(path)
		.map(Zeroizing::new)
		.with_context(|| format!("cannot read the passphrase file {}", path.display()))?;
	let line = text.lines().next().unwrap_or_default();
	ensure!(!line.is_empty(), "the first line of {} is empty", path.display());
	Ok(Zeroizing::new(line.as_bytes().to_vec()))
}

/// A new passphrase, asked for twice.
pub fn chosen_passphrase() -> anyhow::Result<Zeroizing<Vec<u8>>> {
	let ask = |question| rpassword::prompt_password(question).map(Zeroizing::new);
	let first = ask("New passphrase: ").context("no passphrase without a terminal")?;
	let again = ask("The same again: ")?;
	ensure!(!first.is_empty(), "an empty passphrase protects nothing");
	ensure!(*first == *again, "the two differ");
	Ok(Zeroizing::new(first.as_bytes().to_vec()))
}
