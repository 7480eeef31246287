//! `gridproof grid`.

use crate::output::Output;
use std::process::ExitCode;

/// What `gridproof grid` can do.
#[derive(clap::Subcommand)]
pub enum Command {}

/// Runs one `gridproof grid` command.
pub async fn run(command: Command, _out: &Output) -> anyhow::Result<ExitCode> {
	match command {}
}
