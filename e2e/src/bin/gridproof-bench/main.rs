//! Measures a node and services and prints figures for `docs/performance.md`. Called by
//! `scripts/bench`.
//!
//! It asserts nothing: figures depend on the machine, so they are no test.

mod batches;
mod gateway;
mod meters;
mod node;
mod options;
mod receipts;
mod spread;

use anyhow::{Context, Result, bail};
use gridproof_e2e::machine::Machine;
use options::Options;
use std::env;

const USAGE: &str = "usage: scripts/bench node|network [--idle-minutes N] [--starts N] \
	[--transfers N] [--samples N]\n       scripts/bench batches [--meters N] [--batches N] \
	[--readings N] [--bundle N]\n       scripts/bench gateway [--meters N] [--connections N] [--readings N] \
	[--runs N] [--window N]\n       scripts/bench receipts [--receipts N] [--bundle N] [--jobs N] \
	[--rate N]";

#[tokio::main]
async fn main() -> Result<()> {
	let arguments: Vec<String> = env::args().skip(1).collect();
	let (what, rest) = arguments.split_first().context(USAGE)?;
	let options = Options::parse(rest)?;
	println!("machine: {}", Machine::here()?);
	match what.as_str() {
		"node" => node::one(options).await,
		"network" => node::three(options).await,
		"batches" => batches::run(options).await,
		"gateway" => gateway::run(options).await,
		"receipts" => receipts::run(options).await,
		_ => bail!("{USAGE}"),
	}
}
