//! Compute receipts: claimed in bundles as fast as a node takes them, and one by one as real
//! inferences make them.

use crate::{USAGE, meters::now_ms, options::Options, spread::Spread};
use anyhow::{Context, Result, ensure};
use codec::Encode;
use futures::{StreamExt, TryStreamExt, stream};
use gridproof_chain::{
	Chain, Patience, Submitter,
	pallets::{
		compute_receipts::{call, event::ReceiptSettled},
		model_registry, sudo, utility,
	},
};
use gridproof_e2e::{Node, NodeConfig, compute::Compute, machine::memory};
use gridproof_keys::account::{AccountKey, Keypair, development_signer};
use gridproof_primitives::{
	H256,
	compute::{
		Class, MAX_RECEIPTS_PER_CALL, PartyRole, PriceAsset, Quote, Receipt, Registration,
		SignedReceipt, Signer, Telemetry,
	},
};
use sp_core::{Pair, ed25519};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(120);
/// Jobs opened by one transaction.
const OPENINGS: usize = 50;
/// Receipts in a transaction. A call reserves weight for parties that all differ, so that smaller
/// ones fill a block better.
const BUNDLE: usize = 64;
/// In units of 10⁻¹⁸ AIT.
const PRICE: u128 = 1_000_000_000_000;

/// `scripts/bench receipts`.
pub(crate) async fn run(mut options: Options) -> Result<()> {
	let receipts = options.count("--receipts", 10_000)?;
	let bundle = options.count("--bundle", BUNDLE)?;
	let jobs = options.count("--jobs", 200)?;
	let rate = options.number("--rate", 10)?;
	options.end()?;
	let most = usize::try_from(MAX_RECEIPTS_PER_CALL)?;
	ensure!(rate > 0 && (1..=most).contains(&bundle), "{USAGE}");
	if receipts > 0 {
		claims(receipts, bundle).await?;
	}
	if jobs > 0 {
		inferences(jobs, rate).await?;
	}
	Ok(())
}

/// Those who sign.
struct Parties {
	coordinator: ed25519::Pair,
	miner: ed25519::Pair,
	client: Keypair,
}

/// As many receipts as a node takes.
async fn claims(count: usize, bundle: usize) -> Result<()> {
	let mut config = NodeConfig::development();
	config.show_log = false;
	let node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let chain = Chain::connect(&node.rpc_url()).await?;
	let parties = Parties {
		coordinator: ed25519::Pair::from_seed(&[31; 32]),
		miner: ed25519::Pair::from_seed(&[32; 32]),
		client: development_signer("//Charlie")?,
	};
	let (coordinator, miner) = (PartyRole::Coordinator, PartyRole::Miner(Class::Cpu));
	register(&chain, &parties.coordinator, development_signer("//Bob")?, coordinator).await?;
	let admission = sudo::call::sudo(call::admit_coordinator(&parties.coordinator.public().0));
	let root = AccountKey::from(development_signer("//Alice")?);
	chain.submit(&root, &admission, &Patience::default()).await?;
	register(&chain, &parties.miner, development_signer("//Dave")?, miner).await?;
	let receipts = open(&chain, &parties, count).await?;
	claim(&node, &chain, &receipts, bundle).await
}

/// Registers a key with an account that bonds and is paid.
pub(crate) async fn register(
	chain: &Chain,
	key: &ed25519::Pair,
	signer: Keypair,
	role: PartyRole,
) -> Result<()> {
	let registration = Registration { role, account: signer.public_key().0 };
	let proof = key.sign(&registration.signing_payload(&chain.genesis())).0;
	let call = match role {
		PartyRole::Coordinator => call::register_coordinator(&key.public().0, &proof),
		PartyRole::Miner(class) => call::register_miner(&key.public().0, class, &proof),
	};
	chain.submit(&AccountKey::from(signer), &call, &Patience::default()).await?;
	Ok(())
}

/// Opens that many jobs and signs a receipt for each.
async fn open(chain: &Chain, parties: &Parties, count: usize) -> Result<Vec<SignedReceipt>> {
	let (genesis, now) = (chain.genesis(), now_ms()?);
	// The model that the development chain counts, so that the receipts mint.
	let model = chain.read(&model_registry::query::default_model()).await?;
	let (mut calls, mut receipts) = (Vec::with_capacity(count), Vec::with_capacity(count));
	for nonce in 0..u64::try_from(count)? {
		let quote = Quote {
			coordinator: parties.coordinator.public().0,
			client: parties.client.public_key().0,
			spec_hash: H256([1; 32]),
			model_factor: 5_000,
			asset: PriceAsset::Ait,
			price: PRICE,
			max_units: 1_000,
			expiry_ms: now.saturating_add(900_000),
			deadline_ms: now.saturating_add(900_000),
			miner: None,
			nonce,
			model,
		};
		let signature = parties.coordinator.sign(&quote.signing_payload(&genesis)).0;
		calls.push(call::open_job(&quote, &signature));
		receipts.push(signed(parties, &genesis, quote.job_id(&genesis), nonce));
	}
	let batches: Vec<_> =
		calls.chunks(OPENINGS).map(|calls| utility::call::batch_all(calls.to_vec())).collect();
	let start = Instant::now();
	let submitter = Submitter::new(chain.clone(), parties.client.clone(), Patience::default());
	for outcome in submitter.submit(&batches).await? {
		outcome?;
	}
	let seconds = start.elapsed().as_secs_f64();
	println!("{count} jobs opened, {OPENINGS} in a transaction: final in {seconds:.1} s");
	Ok(receipts)
}

fn signed(parties: &Parties, genesis: &H256, job_id: H256, nonce: u64) -> SignedReceipt {
	let telemetry =
		Telemetry { input_tokens: 20, output_tokens: 60, duration_ms: 100, memory_mb: 40 };
	let receipt = Receipt {
		job_id,
		miner: parties.miner.public().0,
		output_hash: H256([2; 32]),
		compute_units: 400,
		price: PRICE / 2,
		nonce,
		telemetry,
	};
	let sign = |key: &ed25519::Pair, who| key.sign(&receipt.signing_payload(genesis, who)).0;
	SignedReceipt {
		miner_signature: sign(&parties.miner, Signer::Miner),
		coordinator_signature: sign(&parties.coordinator, Signer::Coordinator),
		receipt,
	}
}

/// Claims them in bundles, all at once.
async fn claim(
	node: &Node,
	chain: &Chain,
	receipts: &[SignedReceipt],
	bundle: usize,
) -> Result<()> {
	let bytes: usize = receipts.chunks(bundle).map(|part| part.encoded_size()).sum();
	let calls: Vec<_> = receipts.chunks(bundle).map(call::claim_receipts).collect();
	let start = Instant::now();
	let done: Vec<_> = stream::iter(calls.iter())
		.map(async |call| {
			let (sent, patience) = (Instant::now(), Patience::default());
			let included = chain.submit_authorized(call, &patience).await?;
			anyhow::Ok((sent.elapsed(), included))
		})
		.buffer_unordered(calls.len().max(1))
		.try_collect()
		.await?;
	let seconds = start.elapsed().as_secs_f64();
	let (mut latencies, mut blocks) = (Vec::new(), BTreeMap::new());
	for (latency, included) in done {
		let header = node.rpc()?.header(Some(&format!("{:?}", included.block))).await?;
		*blocks.entry(header.number).or_insert(0usize) += included.all::<ReceiptSettled>()?.len();
		latencies.push(latency);
	}
	let settled: usize = blocks.values().sum();
	let fullest = blocks.values().max().context("no block")?;
	let first = blocks.first_key_value().context("no block")?.0;
	let span = blocks.last_key_value().context("no block")?.0.saturating_sub(*first) + 1;
	#[allow(clippy::cast_precision_loss)]
	let (in_blocks, to_finality, each) = (
		settled as f64 / span as f64,
		settled as f64 / seconds,
		bytes as f64 / settled.max(1) as f64,
	);
	println!(
		"{settled} receipts claimed, {bundle} in a transaction: in {span} blocks of a second each, \
		 {in_blocks:.0} receipts a block, at most {fullest} ({:?})",
		blocks.values().collect::<Vec<_>>(),
	);
	println!("all final after {seconds:.1} s: {to_finality:.0} receipts a second");
	println!("on chain: {each:.0} bytes a receipt");
	println!("bundle, submission to finality: {}", Spread::of(latencies)?);
	let memory = memory(node.pid().context("the node is not running")?)?;
	println!("node: {} MiB resident (peak {} MiB)", memory.resident_mib, memory.peak_mib);
	Ok(())
}

/// Real inferences by two miners, at a steady rate.
async fn inferences(count: usize, rate: u64) -> Result<()> {
	let mut compute = Compute::start_with(false).await?;
	let pause = Duration::from_secs(1).checked_div(u32::try_from(rate)?).unwrap_or_default();
	let start = Instant::now();
	let asked = &compute;
	let answers: Vec<_> = stream::iter(0..count)
		.then(async |number| {
			tokio::time::sleep(pause).await;
			number
		})
		.map(async |number| {
			let sent = Instant::now();
			let answer = asked.complete(&format!("Number {number} was"), 32).await?;
			anyhow::Ok((answer.job, sent.elapsed()))
		})
		.buffer_unordered(count)
		.try_collect()
		.await?;
	let seconds = start.elapsed().as_secs_f64();
	let (jobs, waited): (Vec<String>, Vec<Duration>) = answers.into_iter().unzip();
	compute.wait_until_settled(LIMIT).await?;
	let (mut finals, mut work) = (Vec::new(), Vec::new());
	for job in &jobs {
		let receipt = compute.get(&format!("/attest/receipt?job={job}")).await?;
		let time = |name: &str| receipt[name].as_u64().with_context(|| format!("no {name}"));
		let passed = time("settled_ms")?.saturating_sub(time("signed_ms")?);
		finals.push(Duration::from_millis(passed));
		let spent = receipt["telemetry"]["duration_ms"].as_u64().context("no duration")?;
		work.push(Duration::from_millis(spent));
	}
	println!("{count} inferences by two miners, {rate} a second asked for: {seconds:.1} s");
	println!("inference alone: {}", Spread::of(work)?);
	println!("request to answer, escrow included: {}", Spread::of(waited)?);
	println!("result accepted to money final: {}", Spread::of(finals)?);
	Ok(())
}
