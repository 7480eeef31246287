//! `gridproof keys`.

use crate::{
	args::{
		PassphraseArgs,
		keys::{ask, chosen_passphrase},
	},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_attest::{RoleKey, RolePublic, show_role_key, trusted_file};
use gridproof_keys::KeyError;
use gridproof_primitives::reserve::attestation::Role;
use serde::Serialize;
use std::{
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

/// Arguments of `keys new`.
#[derive(Args)]
pub struct NewArgs {
	/// The role that will sign with it.
	#[arg(long, value_name = "data|risk|ops")]
	role: Role,
	/// The file to make.
	#[arg(value_name = "FILE", required_unless_present = "out")]
	file: Option<PathBuf>,
	/// The file to make.
	#[arg(long, value_name = "FILE", conflicts_with = "file", hide = true)]
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
	/// The key files.
	#[arg(value_name = "FILE", required_unless_present = "key")]
	files: Vec<PathBuf>,
	/// The key file.
	#[arg(long, value_name = "FILE", conflicts_with = "files", hide = true)]
	key: Option<PathBuf>,
}

/// What `keys new` made.
#[derive(Serialize)]
struct Made {
	#[serde(flatten)]
	key: RolePublic,
	file: String,
}

/// Runs one `gridproof keys` command.
pub fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::New(args) => new(args, out),
		Command::Show(args) => show_all(&args, out),
	}?;
	Ok(ExitCode::SUCCESS)
}

fn new(args: NewArgs, out: &Output) -> anyhow::Result<()> {
	let path = args.file.or(args.out).ok_or_else(|| usage("which file is to be made?"))?;
	if path.exists() {
		return Err(KeyError::Exists(path.display().to_string()).into());
	}
	let passphrase = match args.source.of_file()? {
		None if args.passphrase => Some(chosen_passphrase()?),
		given => given,
	};
	let key = RoleKey::generate(args.role)?;
	key.save(&path, passphrase.as_deref().map(Vec::as_slice))?;
	let made = Made { key: show_role_key(&path)?, file: path.display().to_string() };
	out.result(&made, |made| {
		let kind = if made.key.encrypted { "encrypted, " } else { "" };
		format!("{} {}\n{}: {kind}mode 0600", args.role, made.key.public, made.file)
	})
}

fn show_all(args: &ShowArgs, out: &Output) -> anyhow::Result<()> {
	let files = args.files.iter().chain(&args.key);
	let parts = files.map(|path| show_role_key(path)).collect::<Result<Vec<_>, _>>()?;
	if let [part] = &parts[..] {
		return out.result(part, text_of);
	}
	let trusted = trusted_file(&parts)?;
	let json: serde_json::Value = serde_json::from_str(&trusted.to_canonical())?;
	out.result(&json, |_| parts.iter().map(text_of).collect::<Vec<_>>().join("\n"))
}

fn text_of(part: &RolePublic) -> String {
	let role = part.role.map_or("any role", Role::as_str);
	let kind = if part.encrypted { " (encrypted)" } else { "" };
	format!("{role} {}{kind}", part.public)
}

/// Loads a role's key; the passphrase is asked for only if the key is encrypted.
pub fn load(path: &Path, role: Role, source: &PassphraseArgs) -> anyhow::Result<RoleKey> {
	load_with(path, source, |passphrase| RoleKey::load_for(path, role, passphrase))
}

/// Loads a key of the role that its file names.
pub fn load_any(path: &Path, source: &PassphraseArgs) -> anyhow::Result<RoleKey> {
	load_with(path, source, |passphrase| RoleKey::load(path, passphrase))
}

type Ask<'a> = &'a dyn Fn() -> Result<Zeroizing<Vec<u8>>, KeyError>;

fn load_with(
	path: &Path,
	source: &PassphraseArgs,
	load: impl FnOnce(Ask) -> Result<RoleKey, KeyError>,
) -> anyhow::Result<RoleKey> {
	load(&|| ask(path, source)).with_context(|| format!("cannot use the key {}", path.display()))
}
