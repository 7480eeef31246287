//! Measures a node and services and prints figures for `docs/performance.md`. Called by
//! `scripts/bench`.
//!
//! It asserts nothing: figures depend on the machine, so they are no test.

mod batches;
mod checks;
mod delivery;
mod engine;
mod front;
mod gateway;
mod history;
mod index;
mod meters;
mod node;
mod options;
mod receipts;
mod settlement;
mod spread;

use anyhow::{Context, Result, bail};
use gridproof_e2e::machine::Machine;
use gridproof_logs::Format;
use options::{Options, take_log_format};
use std::{env, process::ExitCode};

const USAGE: &str = "usage: scripts/bench node|network [--idle-minutes N] [--starts N] \
	[--transfers N] [--samples N]\n       network also: [--one-way MS] [--gossip MS]\n       scripts/bench batches [--meters N] [--batches N] \
	[--readings N] [--bundle N]\n       scripts/bench gateway [--meters N] [--connections N] [--readings N] \
	[--runs N] [--window N]\n       scripts/bench receipts [--receipts N] [--bundle N] [--jobs N] \
	[--rate N]\n       scripts/bench settlement [--coordinators N] [--channels N] [--receipts N] [--miners N] \
	[--batches N] [--alone N] [--whole N] [--fronts N]\n       scripts/bench front [--requests N] [--tokens N]\n       scripts/bench checks [--honest N] [--cheats N] [--tokens N]\n       scripts/bench index [--blocks N] [--transfers N] [--at-once N] [--runs N] \
	[--made N] [--meters N] [--questions N]\n       all: [--log-format text|json] form of the log lines on standard error";

#[tokio::main]
async fn main() -> ExitCode {
	// HTTP clients of the benches need one, also where nothing is encrypted.
	let _ = rustls::crypto::ring::default_provider().install_default();
	let mut arguments: Vec<String> = env::args().skip(1).collect();
	let from_environment = env::var(gridproof_logs::FORMAT_VARIABLE).ok();
	let (format, done) = match take_log_format(&mut arguments, from_environment) {
		Ok(format) => {
			gridproof_logs::init(format, "warn");
			(format, measure(&arguments).await)
		},
		Err(error) => (Format::Text, Err(error)),
	};
	match (done, format) {
		(Ok(()), _) => return ExitCode::SUCCESS,
		(Err(error), Format::Text) => eprintln!("Error: {error:?}"),
		(Err(error), Format::Json) => {
			let message = format!("{error:#}");
			let level = tracing::Level::ERROR;
			eprintln!("{}", gridproof_logs::json_line(level, "bench", "failed", &message));
		},
	}
	ExitCode::FAILURE
}

async fn measure(arguments: &[String]) -> Result<()> {
	let (what, rest) = arguments.split_first().context(USAGE)?;
	let options = Options::parse(rest)?;
	if what == engine::NAME {
		return engine::serve(options).await;
	}
	println!("machine: {}", Machine::here()?);
	match what.as_str() {
		"node" => node::one(options).await,
		"network" => node::network(options).await,
		"batches" => batches::run(options).await,
		"gateway" => gateway::run(options).await,
		"receipts" => receipts::run(options).await,
		"settlement" => settlement::run(options).await,
		"front" => front::run(options).await,
		"checks" => checks::run(options).await,
		"index" => index::run(options).await,
		_ => bail!("{USAGE}"),
	}
}
