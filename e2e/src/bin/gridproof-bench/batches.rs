//! Signed batches of readings, from submission to finality.

use crate::{USAGE, options::Options, spread::Spread};
use anyhow::{Context, Result, ensure};
use codec::Encode;
use futures::{StreamExt, TryStreamExt, stream};
use gridproof_chain::{Chain, H256, Patience, Submitter};
use gridproof_e2e::{Node, NodeConfig, machine::memory};
use gridproof_keys::account::development_signer;
use gridproof_meter::chain as meters;
use gridproof_primitives::meter::{
	BatchHeader, Direction, MAX_BATCHES_PER_CALL, MeterName, Registers, SealId, SignedBatch, Trust,
};
use sp_core::{Pair, ed25519};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const LIMIT: Duration = Duration::from_secs(120);
/// A quarter of an hour, in milliseconds.
const QUARTER_MS: u64 = 900_000;
const RATED_POWER_W: u32 = 10_000;

/// How much is measured.
struct Plan {
	meters: usize,
	batches: u64,
	readings: u32,
}

/// `scripts/bench batches`.
pub async fn run(mut options: Options) -> Result<()> {
	let plan = Plan {
		meters: options.count("--meters", 5_000)?,
		batches: options.number("--batches", 4)?,
		readings: u32::try_from(options.number("--readings", 96)?)?,
	};
	options.end()?;
	ensure!(plan.meters > 0 && plan.batches > 0 && plan.readings > 0, "{USAGE}");

	let mut config = NodeConfig::development();
	config.show_log = false;
	let node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let chain = Chain::connect(&node.rpc_url()).await?;
	let days = plan.batches.saturating_add(1);
	let span = QUARTER_MS.saturating_mul(plan.readings.into());
	let since = now_ms()?.saturating_sub(days.saturating_mul(span));
	let keys = certify(&chain, plan.meters, since).await?;
	measure(&node, &chain, &plan, &keys, since, span).await
}

fn now_ms() -> Result<u64> {
	Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// Certifies that many meters by transactions; gives their keys, by meter number from 0 on.
async fn certify(chain: &Chain, count: usize, since_ms: u64) -> Result<Vec<ed25519::Pair>> {
	let (owner, electrician) = (development_signer("//Bob")?, development_signer("//Alice")?);
	let owner = gridproof_keys::account::AccountKey::from(owner);
	let valid_until_ms = now_ms()?.saturating_add(3_600_000);
	let (mut keys, mut calls) = (Vec::new(), Vec::new());
	for number in 0..u32::try_from(count)? {
		let key = ed25519::Pair::from_seed(&seed(number));
		let certification = meters::Certification {
			name: MeterName::new("BENCH", &format!("dev-{number}"), "MTR")?,
			device: key.public().0,
			owner: owner.account(),
			rated_power_w: RATED_POWER_W,
			direction: Direction::Export,
			trust: Trust::Device,
			seal: SealId::truncate_from(b"bench".to_vec()),
			registers: Registers::default(),
			since_ms,
			valid_until_ms,
		};
		let consent = certification.consent(0).signing_payload(&chain.genesis());
		calls.push(meters::certify(0, &certification, &owner.sign(&consent)));
		keys.push(key);
	}
	let start = Instant::now();
	let submitter = Submitter::new(chain.clone(), electrician, Patience::default());
	for part in calls.chunks(1_000) {
		for outcome in submitter.submit(part).await? {
			outcome?;
		}
	}
	let seconds = start.elapsed().as_secs_f64();
	println!("{count} meters certified, one transaction each: final in {seconds:.1} s");
	Ok(keys)
}

fn seed(number: u32) -> [u8; 32] {
	let mut seed = [7; 32];
	seed[..4].copy_from_slice(&number.to_le_bytes());
	seed
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
	let bundle = usize::try_from(MAX_BATCHES_PER_CALL)?;
	let mut previous = vec![H256::zero(); keys.len()];
	let (mut latencies, mut blocks, mut bytes) = (Vec::new(), BTreeMap::new(), 0usize);
	let mut total = Duration::ZERO;
	for sequence in 0..plan.batches {
		let mut signed = Vec::with_capacity(keys.len());
		for (number, key) in keys.iter().enumerate() {
			let header = header(plan, number, sequence, previous[number], since, span)?;
			previous[number] = header.hash();
			let signature = key.sign(&header.signing_payload(&genesis)).0;
			signed.push(SignedBatch { header, signature });
		}
		let calls: Vec<Vec<u8>> = signed.chunks(bundle).map(Encode::encode).collect();
		bytes += calls.iter().map(Vec::len).sum::<usize>();
		let start = Instant::now();
		let done: Vec<_> = stream::iter(calls.iter())
			.map(async |call| {
				let sent = Instant::now();
				let included = chain
					.submit_authorized(
						"MeterReadings",
						"submit_batches",
						call,
						&Patience::default(),
					)
					.await?;
				anyhow::Ok((sent.elapsed(), included))
			})
			.buffer_unordered(calls.len().max(1))
			.try_collect()
			.await?;
		total += start.elapsed();
		for (latency, included) in done {
			let events = included.events.iter();
			*blocks.entry(included.block).or_insert(0usize) +=
				events.filter(|event| event.0 == "MeterReadings.BatchAccepted").count();
			latencies.push(latency);
		}
	}
	let accepted: usize = blocks.values().sum();
	let fullest = blocks.values().max().context("no block")?;
	let seconds = total.as_secs_f64();
	#[allow(clippy::cast_precision_loss)]
	let (rate, per_batch) = (accepted as f64 / seconds, bytes as f64 / accepted as f64);
	let readings = f64::from(plan.readings);
	println!(
		"{accepted} batches of {} readings, {bundle} in a transaction: final in {seconds:.1} s, \
		 {rate:.0} batches and {:.0} readings a second; in {} blocks, at most {fullest} in one",
		plan.readings,
		rate * readings,
		blocks.len(),
	);
	println!("on chain: {per_batch:.0} bytes a batch, {:.2} bytes a reading", per_batch / readings);
	println!("batch, submission to finality: {}", Spread::of(latencies)?);
	let memory = memory(node.pid().context("the node is not running")?)?;
	println!("node: {} MiB resident (peak {} MiB)", memory.resident_mib, memory.peak_mib);
	Ok(())
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
