//! `gridproof`: everything that happens off chain, as one command.
//!
//! This crate parses arguments, prints results and sets exit codes. The work is done by the
//! service crates it calls.

#![deny(missing_docs)]

mod anchor;
mod attest;
mod coordinator;
mod daemon;
mod emission;
mod gateway;
mod grid;
mod job;
mod keys;
mod meter;
mod miner;
mod output;
mod payer;
mod policy;
mod proof;
mod score;
mod shutdown;
mod wallet;

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
	/// Bitcoin anchors of Merkle roots.
	#[command(subcommand)]
	Anchor(anchor::Command),
	/// The gateway of meters: run it, look at it, who may speak to it.
	#[command(subcommand)]
	Gateway(gateway::Command),
	/// Coordinator of compute jobs: run, register, look at it.
	#[command(subcommand)]
	Coordinator(coordinator::Command),
	/// Compute jobs: submit, list, show, take back.
	#[command(subcommand)]
	Job(job::Command),
	/// The most that an emission step may mint, by the chain's own schedule.
	Emission(emission::EmissionArgs),
	/// Role keys: create and show.
	#[command(subcommand)]
	Keys(keys::Command),
	/// Miner of compute jobs: run, register, look at it, try its engine.
	#[command(subcommand)]
	Miner(miner::Command),
	/// Meters: onboard, suspend, exchange, look at them, simulate many.
	#[command(subcommand)]
	Meter(meter::Command),
	/// Coverage on chain: how things stand, minting, redemption.
	#[command(subcommand)]
	Policy(policy::Command),
	/// Merkle roots and proofs of readings: make and check them, offline or against the chain.
	#[command(subcommand)]
	Proof(proof::Command),
	/// The score of a miner with such figures, by the chain's own function.
	Score(score::ScoreArgs),
	/// Wallets: accounts from a BIP-39 phrase, balances, transfers.
	#[command(subcommand)]
	Wallet(wallet::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
	let cli = Cli::parse();
	output::init_logging();
	let out = Output::new(cli.json);
	let done = match cli.command {
		Command::Gateway(command) => gateway::run(command, &out).await,
		Command::Grid(command) => grid::run(command, &out).await,
		Command::Anchor(command) => anchor::run(command, &out).await,
		Command::Attest(command) => attest::run(command, &out).await,
		Command::Coordinator(command) => coordinator::run(command, &out).await,
		Command::Job(command) => job::run(command, &out).await,
		Command::Emission(args) => emission::run(&args, &out),
		Command::Keys(command) => keys::run(command, &out).await,
		Command::Miner(command) => miner::run(command, &out).await,
		Command::Meter(command) => meter::run(command, &out).await,
		Command::Policy(command) => policy::run(command, &out).await,
		Command::Proof(command) => proof::run(command, &out).await,
		Command::Score(args) => score::run(&args, &out),
		Command::Wallet(command) => wallet::run(command, &out).await,
	};
	match done {
		Ok(code) => code,
		Err(error) => {
			out.error(&error);
			ExitCode::FAILURE
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;
	use std::collections::BTreeSet;

	/// clap itself checks this in debug builds only.
	fn assert_distinct(command: &clap::Command) {
		let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
		for argument in command.get_arguments() {
			let id = argument.get_id();
			assert!(ids.insert(id.clone()), "{}: the id {id} twice", command.get_name());
			if let Some(name) = argument.get_long() {
				assert!(names.insert(name), "{}: --{name} twice", command.get_name());
			}
		}
		command.get_subcommands().for_each(assert_distinct);
	}

	#[test]
	fn no_command_has_an_option_twice() {
		assert_distinct(&Cli::command());
	}
}
