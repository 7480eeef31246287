//! Measures what the calls of a pallet weigh in WebAssembly, and writes the pallet's `weights.rs`.
//!
//! The SDK's own command for this adds the crates of a relay chain to the node; this program has only
//! the part that is needed: a database that counts, the runtime's own benchmarks, and the SDK's
//! analysis of what was measured. Used by `scripts/weights`.

mod measure;
mod write;

use anyhow::{Context, Result};
use clap::Parser;
use std::path::PathBuf;

/// What to measure.
#[derive(Debug, Parser)]
struct Arguments {
	/// A runtime with its benchmarks, in WebAssembly.
	#[arg(long)]
	runtime: PathBuf,
	/// The preset of the runtime whose state is started from.
	#[arg(long)]
	preset: String,
	/// The pallet, e.g. `pallet_attestations`.
	#[arg(long)]
	pallet: String,
	/// Number of values of each component, at least 2.
	#[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..))]
	steps: u32,
	/// Number of times that each is measured.
	#[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
	repeat: u32,
	/// Where the Rust source goes.
	#[arg(long)]
	output: PathBuf,
}

fn main() -> Result<()> {
	let arguments = Arguments::parse();
	let runtime = std::fs::read(&arguments.runtime)
		.with_context(|| format!("the runtime {} cannot be read", arguments.runtime.display()))?;
	let host = measure::Host::new(&runtime, &arguments.preset)?;
	let calls = host.measure(&arguments.pallet, arguments.steps, arguments.repeat)?;
	let heading = format!(
		"Measured in WebAssembly with {} values of each component, {} times each, on {}.",
		arguments.steps,
		arguments.repeat,
		processor()
	);
	std::fs::write(&arguments.output, write::source(&arguments.pallet, &heading, &calls))
		.with_context(|| format!("{} cannot be written", arguments.output.display()))
}

/// This machine's processor.
fn processor() -> String {
	let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
	let name = known.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
	name.map_or_else(|| "an unknown processor".into(), |(_, name)| name.trim().into())
}
