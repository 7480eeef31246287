//! `gridproof`: everything that happens off chain, as one command.
//!
//! This crate parses arguments, prints results and sets exit codes. The work is done by the
//! service crates it calls.

#![deny(missing_docs)]

mod attest;
mod daemon;
mod grid;
mod keys;
mod output;
mod policy;

use clap::{Parser, Subcommand};
use output::Output;
use std::process::ExitCode;

/// Grid data, attestations, keys: the off-chain side of a Gridproof chain.
#[derive(Parser)]
#[command(name = "gridproof", version, propagate_version = true)]
struct Cli {
	/// Print one JSON document on standard output instead of text for people.
	#[arg(long, global = true)]
	json: bool,
	#[command(subcommand)]
	command: Command,
}

#[derive(Subcommand)]
enum Command {
	/// Load and price of Europe's bidding zones.
	#[command(subcommand)]
	Grid(grid::Command),
	/// Plan, sign, verify and submit the daily attestation.
	#[command(subcommand)]
	Attest(attest::Command),
	/// Role keys: create and show.
	#[command(subcommand)]
	Keys(keys::Command),
	/// Coverage on chain: how things stand, minting, redemption.
	#[command(subcommand)]
	Policy(policy::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
	let cli = Cli::parse();
	output::init_logging();
	let out = Output::new(cli.json);
	let done = match cli.command {
		Command::Grid(command) => grid::run(command, &out).await,
		Command::Attest(command) => attest::run(command, &out).await,
		Command::Keys(command) => keys::run(command, &out).await,
		Command::Policy(command) => policy::run(command, &out).await,
	};
	match done {
		Ok(code) => code,
		Err(error) => {
			out.error(&error);
			ExitCode::FAILURE
		},
	}
}
