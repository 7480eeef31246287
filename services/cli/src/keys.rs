//! `gridproof keys`.

use crate::output::Output;
use std::process::ExitCode;

/// What `gridproof keys` can do.
#[derive(clap::Subcommand)]
pub enum Command {}

/// Runs one `gridproof keys` command.
pub async fn run(command: Command, _out: &Output) -> anyhow::Result<ExitCode> {
	match command {}
}
