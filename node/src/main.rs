//! The Gridproof node: block production, finality, networking and RPC in one program.

#![deny(missing_docs)]

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod chain_spec;
mod cli;
mod client;
mod command;
mod error;
mod key;
mod pool;
mod preflight;
mod rpc;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
	let cli = <cli::Cli as sc_cli::SubstrateCli>::from_args();
	match command::run(&cli) {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {}", error.render(&command::location(&cli)));
			ExitCode::FAILURE
		},
	}
}
