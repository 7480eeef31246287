//! `gridproof completions` and `gridproof man`.

use crate::output::{Output, print};
use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use std::{path::PathBuf, process::ExitCode};

/// Arguments of `completions`.
#[derive(Args)]
pub struct CompletionsArgs {
	/// The shell: bash, elvish, fish, powershell or zsh.
	#[arg(value_name = "SHELL")]
	shell: Shell,
}

/// Arguments of `man`.
#[derive(Args)]
pub struct ManArgs {
	/// The folder, which is made if it is not there.
	#[arg(value_name = "DIR")]
	folder: PathBuf,
}

/// Prints completions.
pub fn completions(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<ExitCode> {
	let name = command.get_name().to_string();
	let mut script = Vec::new();
	clap_complete::generate(args.shell, &mut command, name, &mut script);
	print(&String::from_utf8_lossy(&script))?;
	Ok(ExitCode::SUCCESS)
}

/// Writes a manual page for each command.
pub fn man(args: &ManArgs, command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	let cannot = || format!("cannot write the manual pages to {}", args.folder.display());
	std::fs::create_dir_all(&args.folder).with_context(cannot)?;
	clap_mangen::generate_to(command, &args.folder).with_context(cannot)?;
	let folder = args.folder.display().to_string();
	out.result(&serde_json::json!({ "folder": folder }), |_| {
		format!("written: {folder}; read one with: man {folder}/gridproof.1")
	})?;
	Ok(ExitCode::SUCCESS)
}
