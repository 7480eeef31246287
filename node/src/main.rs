//! The Gridproof node: block production, finality, networking and RPC in one program.

#![deny(missing_docs)]
// The SDK's own errors are large, and all of ours end the program.
#![allow(clippy::result_large_err)]

mod chain_spec;
mod cli;
mod command;
mod key;
mod logs;
mod origin;
mod preflight;
mod spec_check;

use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
	let cli = <cli::Cli as sc_cli::SubstrateCli>::from_args();
	match command::run(&cli) {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			// The log is written by a thread of its own, up to 50 ms later: what went wrong
			// shall be the last line.
			std::thread::sleep(Duration::from_millis(100));
			logs::print_error(cli.log_format, &error.render(&origin::location(&cli)));
			ExitCode::FAILURE
		},
	}
}
