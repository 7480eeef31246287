//! A node, or four of them: starts, memory, blocks, finality, transfers.

use crate::{USAGE, options::Options, spread::Spread};
use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use gridproof_e2e::{
	Network, Node, NodeConfig,
	machine::memory,
	rpc::Rpc,
	transfers::{AIT, account, connect, nonce, sign_transfers, transfer},
};
use std::{
	collections::HashMap,
	time::{Duration, Instant},
};
use subxt_signer::sr25519::{Keypair, dev};

const LIMIT: Duration = Duration::from_secs(120);
const CONNECTIONS: usize = 8;
const UNDER_WAY: usize = 256;

/// How much is measured.
struct Plan {
	idle_minutes: u64,
	starts: usize,
	transfers: u64,
	samples: usize,
}

impl Plan {
	fn new(mut options: Options) -> Result<Self> {
		let plan = Self {
			idle_minutes: options.number("--idle-minutes", 10)?,
			starts: options.count("--starts", 5)?,
			transfers: options.number("--transfers", 8_000)?,
			samples: options.count("--samples", 20)?,
		};
		options.end()?;
		ensure!(plan.starts > 0 && plan.samples > 0, "{USAGE}");
		Ok(plan)
	}
}

/// `scripts/bench node`.
pub(crate) async fn one(options: Options) -> Result<()> {
	let plan = Plan::new(options)?;
	measure_starts(plan.starts).await?;
	let node = Node::start(quiet(NodeConfig::development())).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	if plan.idle_minutes > 0 {
		watch_idle(&node, plan.idle_minutes).await?;
	}
	measure_latency(&node, plan.samples).await?;
	measure_throughput(&node, plan.transfers).await
}

/// `scripts/bench network`.
pub(crate) async fn network(mut options: Options) -> Result<()> {
	let one_way = Duration::from_millis(options.number("--one-way", 0)?);
	let gossip = options.number("--gossip", 100)?;
	let plan = Plan::new(options)?;
	let more = ["--gossip-duration".to_owned(), gossip.to_string()];
	let mut network = Network::apart(4, one_way, &more, LIMIT).await?;
	network.nodes.iter_mut().for_each(Node::hide_log);
	let node = network.nodes.first().context("no node")?;
	node.wait_for_finalized(1, LIMIT).await?;
	println!(
		"network: four validators on this machine, {} ms apart one way, --gossip-duration {gossip}; \
		 figures of the first",
		one_way.as_millis()
	);
	if plan.idle_minutes > 0 {
		watch_idle(node, plan.idle_minutes).await?;
	}
	measure_latency(node, plan.samples).await?;
	measure_throughput(node, plan.transfers).await
}

fn quiet(mut config: NodeConfig) -> NodeConfig {
	config.show_log = false;
	config
}

/// From the start of a process with an empty folder to its first block.
async fn measure_starts(count: usize) -> Result<()> {
	let (mut blocks, mut finals) = (Vec::new(), Vec::new());
	for _ in 0..count {
		let start = Instant::now();
		let node = Node::start(quiet(NodeConfig::development())).await?;
		let rpc = node.rpc()?;
		let mut heads = rpc.new_heads().await?;
		while heads.next().await?.number < 1 {}
		blocks.push(start.elapsed());
		let mut heads = rpc.finalized_heads().await?;
		while heads.next().await?.number < 1 {}
		finals.push(start.elapsed());
	}
	println!("start to first block: {}", Spread::of(blocks)?);
	println!("start to first finalized block: {}", Spread::of(finals)?);
	Ok(())
}

/// Memory, block intervals and finality of a node that has nothing to do.
async fn watch_idle(node: &Node, minutes: u64) -> Result<()> {
	let pid = node.pid().context("the node is not running")?;
	let rpc = node.rpc()?;
	let (mut heads, mut finalized) = (rpc.new_heads().await?, rpc.finalized_heads().await?);
	let end = Instant::now() + Duration::from_secs(60 * minutes);
	let (mut arrivals, mut intervals, mut delays) = (HashMap::new(), Vec::new(), Vec::new());
	let (mut last, mut missed, mut last_slot, mut last_final) = (None, 0, None, None);
	while Instant::now() < end {
		tokio::select! {
			head = heads.next() => {
				let (head, now) = (head?, Instant::now());
				arrivals.entry(head.number).or_insert(now);
				intervals.extend(last.replace(now).map(|before: Instant| now - before));
				if let (Some(slot), Some(before)) = (head.slot, last_slot) {
					missed += slot.saturating_sub(before).saturating_sub(1);
				}
				last_slot = head.slot;
			},
			head = finalized.next() => {
				let number = head?.number;
				let first = last_final.replace(number).map_or(number, |before| before + 1);
				for height in first..=number {
					delays.extend(arrivals.remove(&height).map(|seen| seen.elapsed()));
				}
			},
			() = tokio::time::sleep(end.saturating_duration_since(Instant::now())) => {},
		}
	}
	let memory = memory(pid)?;
	println!(
		"idle for {minutes} min: {} MiB resident (peak {} MiB)",
		memory.resident_mib, memory.peak_mib
	);
	println!("block interval: {}", Spread::of(intervals)?);
	println!("slots without a block: {missed}");
	println!("best block to its finality: {}", Spread::of(delays)?);
	Ok(())
}

/// From the submission of a single transfer to its finality, as a client sees it.
async fn measure_latency(node: &Node, samples: usize) -> Result<()> {
	let api = connect(node).await?;
	let (sender, receiver) = (dev::ferdie(), account("//latency")?.public_key());
	let mut times = Vec::new();
	for sample in 0..samples {
		// Submissions spread over the slot.
		tokio::time::sleep(Duration::from_millis(137 * u64::try_from(sample % 8)?)).await;
		let mut transactions = api.transactions().await?;
		let signed = transactions
			.create_signed(&transfer(&receiver, AIT), &sender, Default::default())
			.await?;
		let start = Instant::now();
		signed.submit_and_watch().await?.wait_for_finalized_success().await?;
		times.push(start.elapsed());
	}
	println!("transfer, submission to finality: {}", Spread::of(times)?);
	Ok(())
}

/// Many transfers of several accounts at once, until all are final.
async fn measure_throughput(node: &Node, transfers: u64) -> Result<()> {
	if transfers == 0 {
		return Ok(());
	}
	let api = connect(node).await?;
	let senders = senders();
	let each = transfers / u64::try_from(senders.len())?;
	let receiver = account("//throughput")?.public_key();
	let mut signed = Vec::new();
	for sender in &senders {
		let first = nonce(&api, &sender.public_key()).await?;
		signed.extend(sign_transfers(&api, sender, &receiver, AIT, first, each).await?);
	}
	let mut connections = Vec::new();
	for _ in 0..CONNECTIONS {
		connections.push(Rpc::connect(&node.rpc_url()).await?);
	}
	let rpc = node.rpc()?;
	let (height, _) = rpc.finalized().await?;
	let mut finalized = rpc.finalized_heads().await?;
	let count = signed.len();

	let start = Instant::now();
	let refused = submit_all(&connections, signed).await;
	let submitted = start.elapsed();
	ensure!(refused == 0, "{refused} of {count} transfers were refused");
	let (mut remaining, mut fullest, mut next) = (count, 0, height + 1);
	while remaining > 0 {
		ensure!(start.elapsed() < 5 * LIMIT, "{remaining} of {count} transfers are still missing");
		let last = finalized.next().await?.number;
		for number in next..=last {
			let hash = rpc.hash_at(number).await?.context("finalized block without hash")?;
			// Every block has one more extrinsic: its time.
			let in_block = rpc.extrinsics(&hash).await?.len().saturating_sub(1);
			fullest = fullest.max(in_block);
			remaining = remaining.saturating_sub(in_block);
		}
		next = last + 1;
	}
	let seconds = start.elapsed().as_secs_f64();
	println!(
		"{count} transfers of {} accounts: submitted in {:.1} s, final in {seconds:.1} s, \
		 {:.0} a second; fullest block {fullest}",
		senders.len(),
		submitted.as_secs_f64(),
		count as f64 / seconds,
	);
	Ok(())
}

fn senders() -> [Keypair; 5] {
	[dev::alice(), dev::bob(), dev::charlie(), dev::dave(), dev::eve()]
}

/// Submits all extrinsics, many at a time; gives how many were refused.
async fn submit_all(connections: &[Rpc], extrinsics: Vec<String>) -> usize {
	stream::iter(extrinsics.into_iter().zip(connections.iter().cycle()))
		.map(async |(extrinsic, rpc)| usize::from(rpc.submit(&extrinsic).await.is_err()))
		.buffer_unordered(UNDER_WAY)
		.fold(0, async |sum, refused| sum + refused)
		.await
}
