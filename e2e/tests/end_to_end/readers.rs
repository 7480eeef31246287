//! Tools of others read every block of a chain whose services work, each in full, and send a transfer:
//! those of exchanges, explorers and programmers, from their registries.
//!
//! `GRIDPROOF_BLOCKS=1000` reads as many; CI has no time for it.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	binary::repository,
	clients::{npm, python_script, python_with, run},
	metering::{LIMIT, Metering, Signer, log, minutes_ago},
	ports::free_ports,
};
use std::{fs::File, path::Path, process::Command, time::Duration};

/// Blocks that are read in CI.
const BLOCKS: u64 = 40;
const RATED_W: u32 = 1_000;
const NEVER: u32 = 3_600;
const MINUTE: u64 = 60_000;

#[tokio::test]
async fn the_usual_tools_read_every_block_and_send_a_transfer() -> Result<()> {
	let last = std::env::var("GRIDPROOF_BLOCKS").ok().map_or(Ok(BLOCKS), |text| text.parse())?;
	let (javascript, [port]) = (npm("readers")?, free_ports()?);
	let pythons = [
		("substrate-interface", python_with("substrate-interface")?),
		("async-substrate-interface", python_with("async-substrate-interface")?),
	];
	let (metering, meters) =
		Metering::start(&[("SITE-1/gw-1/m-1", Signer::Gateway)], RATED_W, NEVER).await?;
	// What services send free of fees is in these blocks too: batches of readings.
	let start = minutes_ago(600);
	for minute in 0..3 {
		let begin = start + minute * MINUTE;
		let reading = log(&meters[0].name, begin, begin + MINUTE, "0.001");
		let (status, answer) = metering.post_log(&meters[0], &reading).await?;
		assert_eq!(status, 200, "{answer}");
		metering.flush().await?;
		metering.accepted(LIMIT).await?;
	}
	let url = metering.node.rpc_url();
	metering.node.wait_for_finalized(last, LIMIT + Duration::from_secs(2 * last)).await?;

	let last = last.to_string();
	for (client, python) in &pythons {
		let script = python_script("read_blocks.py");
		let said = run(Command::new(python).arg(script).args([client, url.as_str(), &last]))
			.with_context(|| format!("{client} cannot read this chain"))?;
		println!("{}", said.trim());
	}
	for script in ["apps.mjs", "papi.mjs", "dedot.mjs", "sidecar.mjs", "chopsticks.mjs"] {
		let said = run(Command::new("node").current_dir(&javascript).arg(script).args([
			&url,
			&last,
			&port.to_string(),
		]))
		.with_context(|| format!("{script} cannot read this chain"))?;
		// Log lines of chopsticks begin with a time or a blank.
		let own = |line: &&str| line.contains(": ") && !line.starts_with([' ', '[']);
		println!("{}", said.lines().rfind(own).unwrap_or_default());
	}
	decoded(&javascript, &url)?;
	metering.node.assert_no_errors();
	Ok(())
}

/// As a wallet reads each transaction: every one gives the bytes and the hash that the node has.
fn decoded(javascript: &Path, url: &str) -> Result<()> {
	// From its standard input Node.js takes packages of the folder that it runs in.
	let program = File::open(repository().join("vectors/field/chain/decode_blocks.mjs"))?;
	let read = Command::new("node")
		.current_dir(javascript)
		.args(["--input-type=module", "-", "100000"])
		.env("WS", url)
		.stdin(program)
		.output()?;
	let said = String::from_utf8_lossy(&read.stdout);
	let totals = said.lines().last().unwrap_or_default();
	ensure!(
		read.status.success() && totals == "{ general: 0, otherBytes: 0, otherHash: 0 }",
		"a wallet reads other bytes or hashes: {said}{}",
		String::from_utf8_lossy(&read.stderr)
	);
	ensure!(said.contains("meterReadings.submitBatches"), "no batch is among them: {said}");
	Ok(())
}
