//! `gridproof`: everything that happens off chain, as one command.
//!
//! This crate parses arguments, prints results and sets exit codes. The work is done by the
//! crates it calls.

#![deny(missing_docs)]
#![allow(unreachable_pub, reason = "in a program, pub means: for another module")]

mod anchor;
mod args;
mod attest;
mod audit;
mod channel;
mod channel_demands;
mod completions;
mod coordinator;
mod daemon;
mod dashboard;
mod emission;
mod exit;
mod front;
mod gateway;
mod gov;
mod govern;
mod grid;
mod index;
mod issuer;
mod job;
mod keys;
mod meter;
mod miner;
mod miner_plan;
mod model;
mod output;
mod party;
mod party_waits;
mod plan;
mod policy;
mod proof;
mod receipt;
mod reference;
mod score;
mod signing;
mod validator;
mod verifier;
mod wallet;

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use gridproof_logs::Format;
use gridproof_support::Failure;
use output::Output;
use std::{ffi::OsString, process::ExitCode};

/// Wallets, meters and their gateway, compute jobs, the daily attestation, coverage, anchors and
/// proofs: everything of a Gridproof chain that happens off chain.
#[derive(Parser)]
#[command(name = "gridproof", version, propagate_version = true, after_help = exit::HELP)]
struct Cli {
	/// Print one JSON document on standard output instead of text for people. Amounts are then
	/// whole numbers of the smallest unit; where a decimal in tokens is given as well, the whole
	/// number is the one whose name ends in _units.
	#[arg(long, global = true)]
	json: bool,
	/// Form of the log lines on standard error: text or json.
	#[arg(long, global = true, value_name = "FORMAT", default_value_t = Format::Text,
		env = gridproof_logs::FORMAT_VARIABLE)]
	log_format: Format,
	#[command(flatten)]
	sender: args::SenderArgs,
	#[command(subcommand)]
	command: Command,
}

#[derive(Subcommand)]
enum Command {
	/// Wallets: accounts from a BIP-39 phrase, balances, transfers.
	#[command(subcommand)]
	Wallet(wallet::Command),
	/// Meters: onboard, suspend, exchange, show, simulate.
	#[command(subcommand)]
	Meter(meter::Command),
	/// The gateway that receives readings: run it, ask it, decide who may send.
	#[command(subcommand)]
	Gateway(gateway::Command),
	/// Merkle roots and proofs of readings: make and check them, offline or against the chain.
	#[command(subcommand)]
	Proof(proof::Command),
	/// Bitcoin anchors of Merkle roots.
	#[command(subcommand)]
	Anchor(anchor::Command),
	/// Compute jobs: submit, list, show, cancel.
	#[command(subcommand)]
	Job(job::Command),
	/// Channels: a deposit for a stream of requests. Open, show, top up, close.
	#[command(subcommand)]
	Channel(channel::Command),
	/// Plans: a price for a period, tokens for each day. List, buy, show, renew.
	#[command(subcommand)]
	Plan(plan::Command),
	/// OpenAI's interface on your own machine, paid for from a channel with your own key.
	#[command(subcommand)]
	Front(front::Command),
	/// The page on which people watch the chain: serve its built files.
	Dashboard(dashboard::DashboardArgs),
	/// Receipts of a channel: what they say, and whether the chain has settled them.
	#[command(subcommand)]
	Receipt(receipt::Command),
	/// The coordinator of compute jobs: run it, register it, ask it.
	#[command(subcommand)]
	Coordinator(coordinator::Command),
	/// A miner of compute jobs: run it, register it, ask it, try its engine.
	#[command(subcommand)]
	Miner(miner::Command),
	/// A verifier, which does settled work again: its line of a model, its key.
	#[command(subcommand)]
	Verifier(verifier::Command),
	/// The models that count on chain: list them, see what is announced, decide about them.
	#[command(subcommand)]
	Model(model::Command),
	/// The score of a miner with these figures, by the chain's own function.
	Score(score::ScoreArgs),
	/// The most that an emission step may mint, by the chain's own schedule.
	Emission(emission::EmissionArgs),
	/// Load and price of Europe's bidding zones.
	#[command(subcommand)]
	Grid(grid::Command),
	/// The daily attestation: plan, sign, verify, submit, and all of it every day.
	#[command(subcommand)]
	Attest(attest::Command),
	/// Coverage on chain: state, minting, redemption.
	#[command(subcommand)]
	Policy(policy::Command),
	/// Re-derive all money of the chain from its blocks, and say where the chain differs.
	Audit(Box<audit::AuditArgs>),
	/// History for pages that a node cannot give cheaply: follow the chain, keep it, answer.
	Index(index::IndexArgs),
	/// Keys of attestation roles: create and show.
	#[command(subcommand)]
	Keys(keys::Command),
	/// Decisions of those who govern the chain, with one key or as one of several signers.
	#[command(subcommand)]
	Govern(Box<govern::Command>),
	/// Referenda: propose, vote, delegate, list, show what one would change.
	#[command(subcommand)]
	Gov(Box<gov::Command>),
	/// An authority's session keys: make, announce, show.
	#[command(subcommand)]
	Validator(validator::Command),
	/// Print the completions of this command for a shell.
	Completions(completions::CompletionsArgs),
	/// Write the manual pages of this command into a folder.
	Man(completions::ManArgs),
	/// Write the reference pages of the documentation into a folder.
	#[command(hide = true)]
	Reference(reference::ReferenceArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
	let arguments: Vec<OsString> = std::env::args_os().collect();
	let cli = match Cli::try_parse_from(&arguments) {
		Ok(cli) => cli,
		Err(error) => return not_parsed(&error, &arguments),
	};
	gridproof_logs::init(cli.log_format, DEFAULT_FILTER);
	let out = Output::new(cli.json);
	match cli.sender.load() {
		Ok(Some(account)) => gridproof_chain::sign_free_calls_with(account),
		Ok(None) => (),
		Err(error) => return out.error(&error),
	}
	match run(cli.command, &out).await {
		Ok(code) => code,
		Err(error) => out.error(&error),
	}
}

/// Warnings, but not that a library does nothing when an MQTT client disconnects.
const DEFAULT_FILTER: &str = "warn,ntex_mqtt::control=error";

/// Prints help, the version, or what is wrong with the arguments; returns the exit code.
fn not_parsed(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
	let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
	if is_help || !arguments.iter().any(|argument| argument == "--json") {
		// An error means that nobody reads it.
		let _ = error.print();
		return if is_help { ExitCode::SUCCESS } else { exit::code(Failure::USAGE.kind) };
	}
	let text = error.render().to_string();
	let text = text.trim().strip_prefix("error: ").unwrap_or(text.trim()).to_string();
	Output::new(true).failure(&text, Failure::USAGE)
}

async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Wallet(command) => wallet::run(command, out).await,
		Command::Meter(command) => meter::run(command, out).await,
		Command::Gateway(command) => gateway::run(command, out).await,
		Command::Proof(command) => proof::run(command, out).await,
		Command::Anchor(command) => anchor::run(command, out).await,
		Command::Job(command) => job::run(command, out).await,
		Command::Channel(command) => channel::run(command, out).await,
		Command::Plan(command) => plan::run(command, out).await,
		Command::Front(command) => front::run(command, out).await,
		Command::Dashboard(args) => dashboard::run(args, out).await,
		Command::Receipt(command) => receipt::run(command, out).await,
		Command::Coordinator(command) => coordinator::run(command, out).await,
		Command::Miner(command) => miner::run(command, out).await,
		Command::Verifier(command) => verifier::run(command, out).await,
		Command::Model(command) => model::run(command, out).await,
		Command::Score(args) => score::run(&args, out),
		Command::Emission(args) => emission::run(&args, out),
		Command::Grid(command) => grid::run(command, out).await,
		Command::Attest(command) => attest::run(command, out).await,
		Command::Policy(command) => policy::run(command, out).await,
		Command::Audit(args) => audit::run(&args, out).await,
		Command::Index(args) => index::run(args, out).await,
		Command::Keys(command) => keys::run(command, out),
		Command::Govern(command) => govern::run(*command, out).await,
		Command::Gov(command) => gov::run(*command, out).await,
		Command::Validator(command) => validator::run(command, out).await,
		Command::Completions(args) => completions::completions(&args, Cli::command()),
		Command::Man(args) => completions::man(&args, Cli::command(), out),
		Command::Reference(args) => reference::write(&args, Cli::command(), out),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::collections::BTreeSet;

	/// clap itself checks this in debug builds only.
	fn assert_distinct(command: &clap::Command) {
		let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
		for argument in command.get_arguments() {
			let id = argument.get_id();
			assert!(ids.insert(id.clone()), "{}: the id {id} twice", command.get_name());
			let aliases = argument.get_all_aliases().unwrap_or_default();
			for name in argument.get_long().into_iter().chain(aliases) {
				assert!(names.insert(name), "{}: --{name} twice", command.get_name());
			}
		}
		command.get_subcommands().for_each(assert_distinct);
	}

	/// Every command with its path, such as `wallet transfer`.
	fn each(command: &clap::Command, path: &str, see: &mut impl FnMut(&str, &clap::Command)) {
		for inner in command.get_subcommands() {
			let path = format!("{path} {}", inner.get_name());
			see(path.trim(), inner);
			each(inner, &path, see);
		}
	}

	#[test]
	fn no_command_has_an_option_twice() {
		assert_distinct(&Cli::command());
	}

	#[test]
	fn a_flag_has_the_same_environment_variable_default_and_value_everywhere() {
		// What one flag is called elsewhere; each of these means one thing.
		let shared = [
			"url",
			"api",
			"coordinator",
			"wallet",
			"account-key",
			"suri",
			"passphrase-file",
			"admin-key-file",
		];
		let mut seen: std::collections::BTreeMap<String, (String, Vec<String>)> =
			std::collections::BTreeMap::new();
		each(&Cli::command(), "", &mut |path, command| {
			for argument in command.get_arguments() {
				let Some(name) = argument.get_long().filter(|name| shared.contains(name)) else {
					continue;
				};
				// Here nobody is asked unless somebody is named, and the help says so.
				let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
				if help.contains("without it, no node is asked") {
					assert!(argument.get_default_values().is_empty(), "{path}");
					continue;
				}
				let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
				let defaults: Vec<_> = argument.get_default_values().to_vec();
				let (_, paths) = seen
					.entry(format!("--{name} {variable:?} {defaults:?}"))
					.or_insert_with(|| (name.to_string(), Vec::new()));
				paths.push(path.to_string());
			}
		});
		let mut names = BTreeSet::new();
		for (form, (name, paths)) in &seen {
			assert!(names.insert(name), "{form} differs from other commands in {paths:?}");
		}
	}

	#[test]
	fn a_command_that_asks_a_node_only_if_one_is_named_says_so() {
		let mut found = BTreeSet::new();
		each(&Cli::command(), "", &mut |path, command| {
			for argument in command.get_arguments() {
				let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
				if help.contains("without it, no node is asked") {
					found.insert(format!("{path} --{}", argument.get_long().unwrap_or_default()));
				}
			}
		});
		let wanted = [
			"attest plan --supply-from",
			"coordinator status --url",
			"miner plan --url",
			"proof verify --url",
		];
		assert_eq!(found.iter().collect::<Vec<_>>(), wanted);
	}

	#[test]
	fn every_command_and_option_has_a_help_text_and_a_version() {
		each(&Cli::command(), "", &mut |path, command| {
			assert!(command.get_about().is_some(), "{path}");
			for argument in command.get_arguments() {
				assert!(argument.get_help().is_some(), "{path} --{}", argument.get_id());
			}
		});
		let version = Cli::try_parse_from(["gridproof", "wallet", "transfer", "--version"]);
		assert_eq!(version.err().map(|error| error.kind()), Some(ErrorKind::DisplayVersion));
	}

	#[test]
	fn the_help_names_every_exit_code() {
		let help = Cli::command().render_help().to_string();
		for kind in gridproof_support::FailureKind::ALL {
			assert!(
				help.contains(&format!(
					"\n  {}  {}",
					kind.exit_code(),
					match kind {
						gridproof_support::FailureKind::Broken => "something broke",
						_ => kind.as_str(),
					}
				)),
				"{kind:?}"
			);
		}
	}
}
