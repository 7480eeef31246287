//! Signed batches of readings, from submission to finality.

use crate::{
	USAGE,
	meters::{certify, now_ms, seed},
	options::Options,
	spread::Spread,
};
use anyhow::{Context, Result, ensure};
use codec::Encode;
use futures::{StreamExt, TryStreamExt, stream};
use gridproof_chain::{
	Chain, H256, Patience,
	pallets::meter_readings::{call::submit_batches, event::BatchAccepted},
};
use gridproof_e2e::{Node, NodeConfig, machine::memory};
use gridproof_primitives::energy::{
	BatchHeader, MAX_BATCHES_PER_CALL, MeterName, Registers, SignedBatch,
};
use sp_core::{Pair, ed25519};
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, Instant},
};
use tokio::task::JoinHandle;

const LIMIT: Duration = Duration::from_secs(120);
/// Service begins a day before its certification at most.
const DAY_MS: u64 = 86_400_000;

/// How much is measured.
struct Plan {
	meters: usize,
	batches: u64,
	readings: u32,
	bundle: usize,
}

/// Batches in a transaction, unless said otherwise. A block is filled by what transactions may take
/// at most, so that smaller ones fill it better.
const BUNDLE: usize = 100;

/// `scripts/bench batches`.
pub(crate) async fn run(mut options: Options) -> Result<()> {
	let plan = Plan {
		meters: options.count("--meters", 5_000)?,
		batches: options.number("--batches", 4)?,
		readings: u32::try_from(options.number("--readings", 96)?)?,
		bundle: options.count("--bundle", BUNDLE)?,
	};
	options.end()?;
	let most = usize::try_from(MAX_BATCHES_PER_CALL)?;
	ensure!((1..=most).contains(&plan.bundle), "{USAGE}");
	ensure!(plan.meters > 0 && plan.batches > 0 && plan.readings > 0, "{USAGE}");

	let mut config = NodeConfig::development();
	config.show_log = false;
	let node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let chain = Chain::connect(&node.rpc_url()).await?;
	let days = plan.batches.saturating_add(1);
	// As long as fits into a day, in whole minutes.
	let span = (DAY_MS / days / 60_000).max(1) * 60_000;
	let since = now_ms()?.saturating_sub(days.saturating_mul(span));
	let names: Result<Vec<_>, _> = (0..plan.meters)
		.map(|number| MeterName::new("BENCH", &format!("dev-{number}"), "MTR"))
		.collect();
	let keys = certify(&chain, &names?, since).await?;
	measure(&node, &chain, &plan, &keys, since, span).await
}

/// Submits every meter's batches, one after the other, all meters side by side.
async fn measure(
	node: &Node,
	chain: &Chain,
	plan: &Plan,
	keys: &[ed25519::Pair],
	since: u64,
	span: u64,
) -> Result<()> {
	let genesis = chain.genesis();
	let bundle = plan.bundle;
	let mut previous = vec![H256::zero(); keys.len()];
	let (mut latencies, mut blocks, mut bytes) = (Vec::new(), BTreeMap::new(), 0usize);
	let (mut total, mut until_included) = (Duration::ZERO, Duration::ZERO);
	let arrivals = Arrivals::watch(node).await?;
	for sequence in 0..plan.batches {
		let mut signed = Vec::with_capacity(keys.len());
		for (number, key) in keys.iter().enumerate() {
			let header = header(plan, number, sequence, previous[number], since, span)?;
			previous[number] = header.hash();
			let signature = key.sign(&header.signing_payload(&genesis)).0;
			signed.push(SignedBatch { header, signature });
		}
		bytes += signed.chunks(bundle).map(|part| part.encoded_size()).sum::<usize>();
		let calls: Vec<_> = signed.chunks(bundle).map(submit_batches).collect();
		let start = Instant::now();
		let done: Vec<_> = stream::iter(calls.iter())
			.map(async |call| {
				let sent = Instant::now();
				let included = chain.submit_authorized(call, &Patience::default()).await?;
				anyhow::Ok((sent.elapsed(), included))
			})
			.buffer_unordered(calls.len().max(1))
			.try_collect()
			.await?;
		total += start.elapsed();
		let mut last = start;
		for (latency, included) in done {
			last = last.max(arrivals.of(node, included.block).await?);
			*blocks.entry(included.block).or_insert(0usize) +=
				included.all::<BatchAccepted>()?.len();
			latencies.push(latency);
		}
		until_included += last.duration_since(start);
	}
	let accepted: usize = blocks.values().sum();
	let fullest = blocks.values().max().context("no block")?;
	let readings = f64::from(plan.readings);
	#[allow(clippy::cast_precision_loss)]
	let (accepted, bytes) = (accepted as f64, bytes as f64);
	let per_batch = bytes / accepted;
	println!(
		"{accepted} batches of {} readings, {bundle} in a transaction, in {} blocks, at most \
		 {fullest} in one",
		plan.readings,
		blocks.len(),
	);
	for (what, time) in [("included", until_included), ("final", total)] {
		let seconds = time.as_secs_f64();
		println!(
			"{what} in {seconds:.1} s: {:.0} batches and {:.0} readings a second",
			accepted / seconds,
			accepted * readings / seconds,
		);
	}
	println!("on chain: {per_batch:.0} bytes a batch, {:.2} bytes a reading", per_batch / readings);
	println!("batch, submission to finality: {}", Spread::of(latencies)?);
	let memory = memory(node.pid().context("the node is not running")?)?;
	println!("node: {} MiB resident (peak {} MiB)", memory.resident_mib, memory.peak_mib);
	Ok(())
}

/// When each block was first seen as the best one.
struct Arrivals {
	seen: Arc<Mutex<BTreeMap<u64, Instant>>>,
	task: JoinHandle<()>,
}

impl Arrivals {
	async fn watch(node: &Node) -> Result<Self> {
		let seen = Arc::<Mutex<BTreeMap<u64, Instant>>>::default();
		let (mut heads, known) = (node.rpc()?.new_heads().await?, seen.clone());
		let task = tokio::spawn(async move {
			while let Ok(head) = heads.next().await {
				let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
				known.entry(head.number).or_insert_with(Instant::now);
			}
		});
		Ok(Self { seen, task })
	}

	/// When a final block had arrived.
	async fn of(&self, node: &Node, block: H256) -> Result<Instant> {
		let number = node.rpc()?.header(Some(&format!("{block:?}"))).await?.number;
		let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
		seen.get(&number).copied().with_context(|| format!("block {number} was not announced"))
	}
}

impl Drop for Arrivals {
	fn drop(&mut self) {
		self.task.abort();
	}
}

fn header(
	plan: &Plan,
	meter: usize,
	sequence: u64,
	previous: H256,
	since: u64,
	span: u64,
) -> Result<BatchHeader> {
	let start_ms = since.saturating_add(sequence.saturating_mul(span));
	// A kilowatt.
	let energy = span / 3_600;
	let register = |batches: u64| Registers { import_wh: 0, export_wh: energy * batches };
	Ok(BatchHeader {
		meter: u32::try_from(meter)?,
		sequence,
		previous,
		start_ms,
		end_ms: start_ms.saturating_add(span),
		opening: register(sequence),
		closing: register(sequence + 1),
		readings: plan.readings,
		root: H256(seed(u32::try_from(meter)?)),
		cid: None,
	})
}
