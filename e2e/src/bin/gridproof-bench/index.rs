//! An index that catches up with a chain full of transfers, and one with a long history that is asked.

use crate::{history, options::Options};
use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig,
	binary::command_binary,
	machine::memory,
	ports::free_ports,
	process::Process,
	transfers::{AIT, account, connect, nonce, sign_transfers},
};
use serde_json::Value;
use std::time::{Duration, Instant};
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(600);
/// Pause between two questions for its last block.
const LOOK: Duration = Duration::from_millis(50);

/// `scripts/bench index`.
pub(crate) async fn run(mut options: Options) -> Result<()> {
	let blocks = options.number("--blocks", 300)?;
	let transfers = options.number("--transfers", 6_000)?;
	let at_once = options.number("--at-once", 8)?;
	let runs = options.count("--runs", 3)?;
	let made = options.number("--made", 100_000)?;
	let meters = options.number("--meters", 10_000)?;
	let questions = options.number("--questions", 50)?;
	options.end()?;
	if runs > 0 {
		follow(blocks, transfers, at_once, runs).await?;
	}
	if made > 0 {
		history::run(made, meters, questions).await?;
	}
	Ok(())
}

/// A real node's chain.
async fn follow(blocks: u64, transfers: u64, at_once: u64, runs: usize) -> Result<()> {
	let mut config = NodeConfig::development();
	config.show_log = false;
	let node = Node::start(config).await?;
	fill(&node, blocks, transfers).await?;
	let rpc = node.rpc()?;
	let (height, _) = rpc.finalized().await?;
	println!("a chain of {} blocks with {transfers} transfers, on this machine", height + 1);
	for _ in 0..runs {
		catch_up(&node, height, at_once).await?;
	}
	Ok(())
}

/// Transfers, spread over the chain's blocks.
async fn fill(node: &Node, blocks: u64, transfers: u64) -> Result<()> {
	const ROUNDS: u64 = 20;
	let api = connect(node).await?;
	let (sender, receiver) = (dev::ferdie(), account("//indexed")?.public_key());
	let rpc = node.rpc()?;
	for round in 1..=ROUNDS {
		let first = nonce(&api, &sender.public_key()).await?;
		let count = transfers / ROUNDS;
		for signed in sign_transfers(&api, &sender, &receiver, AIT, first, count).await? {
			rpc.submit(&signed).await?;
		}
		node.wait_for_finalized(blocks * round / ROUNDS, LIMIT).await?;
	}
	Ok(())
}

/// One index in an empty folder, from its start to the chain's last block.
async fn catch_up(node: &Node, height: u64, at_once: u64) -> Result<()> {
	let folder = tempfile::tempdir()?;
	let [port] = free_ports()?;
	let listen = format!("127.0.0.1:{port}");
	let data = folder.path().join("data");
	let arguments = [
		"index",
		"--url",
		&node.rpc_url(),
		"--data",
		&data.display().to_string(),
		"--listen",
		&listen,
		"--at-once",
		&at_once.to_string(),
	];
	let arguments = arguments.map(str::to_owned).to_vec();
	let log = folder.path().join("index.log");
	let start = Instant::now();
	let process = Process::start("index", &command_binary()?, arguments, log)?;
	let http = reqwest::Client::new();
	let url = format!("http://{listen}/api/v1/status");
	let mut begun = None;
	let status = loop {
		ensure!(start.elapsed() < LIMIT, "it does not catch up: {}", process.log());
		tokio::time::sleep(LOOK).await;
		let Ok(answer) = http.get(&url).send().await else { continue };
		let status: Value = answer.json().await?;
		begun.get_or_insert_with(Instant::now);
		if status["last"].as_u64().is_some_and(|last| last >= height) {
			break status;
		}
	};
	let seconds = begun.context("it has begun")?.elapsed().as_secs_f64().max(0.001);
	let pid = process.pid().context("it runs")?;
	let bytes = status["bytes"].as_u64().context("a status has bytes")?;
	println!(
		"{} blocks at {at_once} at once in {seconds:.1} s: {:.0} blocks/s; {} MiB of memory at most, a database \
		 of {} KiB, {} bytes a block; {:.1} s from the start",
		height + 1,
		(height + 1) as f64 / seconds,
		memory(pid)?.peak_mib,
		bytes / 1_024,
		bytes / (height + 1),
		start.elapsed().as_secs_f64(),
	);
	Ok(())
}
