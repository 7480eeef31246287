//! `gridproof attest`.

use crate::output::Output;
use std::process::ExitCode;

/// What `gridproof attest` can do.
#[derive(clap::Subcommand)]
pub enum Command {}

/// Runs one `gridproof attest` command.
pub async fn run(command: Command, _out: &Output) -> anyhow::Result<ExitCode> {
	match command {}
}
