//! Settlement batches: receipts that exist, settled by lines, as fast as a node takes them; then the ways on
//! which receipts come to be, see [`crate::delivery`].

use crate::{
	USAGE, delivery, meters::now_ms, options::Options, receipts::register, spread::Spread,
};
use anyhow::{Context, Result, ensure};
use codec::Encode;
use futures::{StreamExt, TryStreamExt, stream};
use gridproof_chain::{
	Chain, Patience, Submitter,
	pallets::{
		balances,
		compute_receipts::{call, event::ChannelOpened, query},
		sudo, utility,
	},
};
use gridproof_e2e::{Node, NodeConfig, machine::memory};
use gridproof_keys::account::{AccountKey, Keypair, development_signer};
use gridproof_primitives::{
	H256,
	compute::{
		Class, PartyRole, PriceAsset, Signer, Telemetry,
		channels::{
			Batch, BatchKind, ChannelId, ChannelReceipt, ChannelSums, ChannelTerms, MinerSums,
			Mode, PaidBy, ReceiptProof, ReceiptV2, RunningSums, Sampler, SettlementBatch,
			SignedChannelLine, SignedMinerLine, Voucher,
		},
		compute_units,
	},
	num::units::AIT,
};
use sp_core::{Pair, ed25519};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(120);
/// Channels opened by one transaction.
const OPENINGS: usize = 50;
/// Price of a receipt, in units of 10⁻¹⁸ AIT.
const PRICE: u128 = 1_000_000_000_000;
/// Factor of the model, in thousandths.
const FACTOR: u32 = 1_000;
/// Receipts that are proven against the chain at the end.
const PROVEN: usize = 1_000;
/// Asset and mode of everything here.
pub(crate) const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };

/// How much is measured.
struct Plan {
	coordinators: usize,
	/// Of each coordinator.
	channels: usize,
	/// Of each channel.
	receipts: u64,
	miners: usize,
	/// Of each coordinator, one after the other.
	batches: usize,
}

/// `scripts/bench settlement`.
pub(crate) async fn run(mut options: Options) -> Result<()> {
	let plan = Plan {
		coordinators: options.count("--coordinators", 8)?,
		channels: options.count("--channels", 100)?,
		receipts: options.number("--receipts", 500)?,
		miners: options.count("--miners", 10)?,
		batches: options.count("--batches", 2)?,
	};
	let alone = options.number("--alone", 20_000)?;
	let whole = options.number("--whole", 10_000)?;
	let fronts = options.count("--fronts", 10)?;
	options.end()?;
	let some = plan.channels.min(plan.miners).min(plan.batches).min(fronts);
	ensure!(some > 0 && plan.receipts > 0, "{USAGE}");
	if plan.coordinators > 0 {
		batches(&plan).await?;
	}
	if alone > 0 {
		delivery::alone(alone, plan.channels).await?;
	}
	if whole > 0 {
		delivery::whole(whole, fronts).await?;
	}
	Ok(())
}

/// Batches of receipts that exist.
async fn batches(plan: &Plan) -> Result<()> {
	let mut config = NodeConfig::development();
	config.show_log = false;
	let node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let chain = Chain::connect(&node.rpc_url()).await?;
	let parties = Parties::register(&chain, plan).await?;
	let desks = open(&chain, plan, &parties).await?;
	settle(&node, &chain, plan, &parties, desks).await
}

fn key(of: &[u8], number: usize) -> Result<ed25519::Pair> {
	let mut seed = [0; 32];
	seed[..of.len()].copy_from_slice(of);
	seed[28..].copy_from_slice(&u32::try_from(number)?.to_be_bytes());
	Ok(ed25519::Pair::from_seed(&seed))
}

/// Those who sign.
struct Parties {
	coordinators: Vec<(ed25519::Pair, Keypair)>,
	miners: Vec<ed25519::Pair>,
	/// Signs every channel's vouchers.
	client: ed25519::Pair,
	purse: Keypair,
}

impl Parties {
	/// Gives everybody an account with money, registers and admits.
	async fn register(chain: &Chain, plan: &Plan) -> Result<Self> {
		let (mut coordinators, mut miners, mut funding) = (Vec::new(), Vec::new(), Vec::new());
		let mut accounts = Vec::new();
		for number in 0..plan.coordinators {
			let account = development_signer(&format!("//Bench//coordinator//{number}"))?;
			funding.push(balances::call::transfer_keep_alive(account.public_key().0, 3_000 * AIT));
			coordinators.push((key(b"coordinator", number)?, account));
		}
		for number in 0..plan.miners {
			let account = development_signer(&format!("//Bench//miner//{number}"))?;
			funding.push(balances::call::transfer_keep_alive(account.public_key().0, 500 * AIT));
			miners.push(key(b"miner", number)?);
			accounts.push(account);
		}
		let purse = development_signer("//Charlie")?;
		send(chain, &purse, vec![utility::call::batch_all(funding)]).await?;
		let root = development_signer("//Alice")?;
		let mut admissions = Vec::new();
		for (key, account) in &coordinators {
			register(chain, key, account.clone(), PartyRole::Coordinator).await?;
			admissions.push(sudo::call::sudo(call::admit_coordinator(&key.public().0)));
		}
		for (key, account) in miners.iter().zip(&accounts) {
			register(chain, key, account.clone(), PartyRole::Miner(Class::Cpu)).await?;
		}
		send(chain, &root, admissions).await?;
		Ok(Self { coordinators, miners, client: key(b"client", 0)?, purse })
	}
}

async fn send(chain: &Chain, signer: &Keypair, calls: Vec<gridproof_chain::Call>) -> Result<()> {
	let submitter = Submitter::new(chain.clone(), signer.clone(), Patience::default());
	for outcome in submitter.submit(&calls).await? {
		outcome?;
	}
	Ok(())
}

/// What a coordinator keeps between its batches.
struct Desk {
	channels: Vec<(ChannelId, ChannelSums)>,
	miners: Vec<MinerSums>,
	sequence: u64,
	previous: H256,
}

/// Opens channels of the same terms; their numbers, rising.
pub(crate) async fn open_channels(
	chain: &Chain,
	purse: &Keypair,
	terms: &ChannelTerms,
	count: usize,
) -> Result<Vec<ChannelId>> {
	let calls: Vec<_> = (0..count).map(|_| call::open_channel(terms)).collect();
	let calls: Vec<_> =
		calls.chunks(OPENINGS).map(|part| utility::call::batch_all(part.to_vec())).collect();
	let submitter = Submitter::new(chain.clone(), purse.clone(), Patience::default());
	let mut channels = Vec::new();
	for outcome in submitter.submit(&calls).await? {
		let opened = outcome?.all::<ChannelOpened>()?;
		channels.extend(opened.iter().map(|one| one.channel));
	}
	channels.sort_unstable();
	ensure!(channels.len() == count, "not every channel was opened");
	Ok(channels)
}

/// Opens every coordinator's channels.
async fn open(chain: &Chain, plan: &Plan, parties: &Parties) -> Result<Vec<Desk>> {
	let each = u128::from(plan.receipts) * u128::try_from(plan.batches)? * PRICE;
	let mut desks = Vec::new();
	let start = Instant::now();
	for (key, _) in &parties.coordinators {
		let terms = ChannelTerms {
			coordinator: key.public().0,
			kind: KIND,
			signer: Some(parties.client.public().0),
			deposit: each.max(AIT),
			daily_limit: each.max(AIT),
			plan_ends_ms: None,
		};
		let channels = open_channels(chain, &parties.purse, &terms, plan.channels).await?;
		let channels = channels.into_iter().map(|id| (id, ChannelSums::default())).collect();
		let miners = vec![MinerSums::default(); parties.miners.len()];
		desks.push(Desk { channels, miners, sequence: 0, previous: H256::zero() });
	}
	println!(
		"{} channels opened in {:.1} s",
		plan.channels * plan.coordinators,
		start.elapsed().as_secs_f64()
	);
	Ok(desks)
}

/// A batch with its receipts, and what making it took.
struct Made {
	batch: Batch,
	settlement: SettlementBatch,
	took: Duration,
}

/// Makes a coordinator's next batch: each receipt is made, signed by miner and coordinator, and put
/// into the tree.
fn make(
	genesis: &H256,
	plan: &Plan,
	parties: &Parties,
	coordinator: &ed25519::Pair,
	desk: &mut Desk,
) -> Result<Made> {
	let start = Instant::now();
	let now = now_ms()?;
	let telemetry =
		Telemetry { input_tokens: 20, output_tokens: 60, duration_ms: 100, memory_mb: 40 };
	let weight = compute_units(telemetry.tokens(), FACTOR);
	let (mut receipts, mut vouchers) = (Vec::new(), BTreeMap::new());
	for (place, (channel, sums)) in desk.channels.iter_mut().enumerate() {
		for number in 0..usize::try_from(plan.receipts)? {
			let miner = (place + number) % parties.miners.len();
			*sums = sums.after(PRICE).context("the channel's sums do not fit")?;
			let voucher = Voucher {
				channel: *channel,
				number: sums.count,
				amount: sums.price,
				spec_hash: H256::from_low_u64_be(sums.count),
			};
			let after = &mut desk.miners[miner];
			*after = after.after(PRICE, weight).context("the miner's sums do not fit")?;
			let receipt = ReceiptV2 {
				paid_by: PaidBy::Voucher(voucher.id()),
				miner: Some(parties.miners[miner].public().0),
				model: H256([7; 32]),
				spec_hash: voucher.spec_hash,
				output_root: H256::from_low_u64_be(after.count),
				weight,
				price: PRICE,
				sampler: Sampler::Greedy,
				telemetry,
				settle_by_ms: now.saturating_add(3_600_000),
			};
			let sums = RunningSums { kind: KIND, channel: *sums, miner: *after };
			let receipt = ChannelReceipt { receipt, sums };
			let by_miner = receipt.receipt.signing_payload(genesis, Signer::Miner);
			std::hint::black_box(parties.miners[miner].sign(&by_miner));
			std::hint::black_box(coordinator.sign(&receipt.coordinator_payload(genesis)));
			receipts.push(receipt);
			vouchers.insert(*channel, voucher);
		}
	}
	let batch = Batch::of(KIND, receipts, &vouchers)?;
	let header = batch.header(coordinator.public().0, desk.sequence, desk.previous, now);
	let hash = header.hash();
	let channels: Vec<_> = (batch.lists().channels.iter())
		.map(|line| SignedChannelLine {
			line: *line,
			signature: parties.client.sign(&line.voucher.signing_payload(genesis)).0,
		})
		.collect();
	let by_key: BTreeMap<[u8; 32], &ed25519::Pair> =
		parties.miners.iter().map(|key| (key.public().0, key)).collect();
	let miners: Vec<_> = (batch.lists().miners.iter())
		.map(|line| SignedMinerLine {
			line: *line,
			signature: (line.miner.and_then(|miner| by_key.get(&miner)))
				.map(|key| key.sign(&line.signing_payload(genesis, &hash)).0),
		})
		.collect();
	let settlement = SettlementBatch {
		signature: coordinator.sign(&header.signing_payload(genesis)).0,
		header,
		channels: channels.try_into().ok().context("too many channels for a batch")?,
		miners: miners.try_into().ok().context("too many miners for a batch")?,
		given_up: Default::default(),
	};
	desk.sequence += 1;
	desk.previous = hash;
	Ok(Made { batch, settlement, took: start.elapsed() })
}

#[allow(clippy::cast_precision_loss)]
async fn settle(
	node: &Node,
	chain: &Chain,
	plan: &Plan,
	parties: &Parties,
	mut desks: Vec<Desk>,
) -> Result<()> {
	let genesis = chain.genesis();
	let spacing =
		Duration::from_millis(chain.read(&query::channel_parameters()).await?.batch_spacing_ms);
	let (mut latencies, mut blocks, mut bytes) = (Vec::new(), BTreeMap::new(), 0usize);
	let (mut settled, mut making, mut total) = (0u64, Duration::ZERO, Duration::ZERO);
	let mut last = Vec::new();
	for round in 0..plan.batches {
		let mut made = Vec::new();
		for ((key, account), desk) in parties.coordinators.iter().zip(&mut desks) {
			made.push((make(&genesis, plan, parties, key, desk)?, account));
		}
		if round > 0 {
			tokio::time::sleep(spacing).await;
		}
		let start = Instant::now();
		let done: Vec<_> = stream::iter(made.iter())
			.map(async |(made, account)| {
				let (sent, patience) = (Instant::now(), Patience::default());
				let signer = AccountKey::from((*account).clone());
				let batch = call::settle_batch(&made.settlement);
				let included = chain.submit(&signer, &batch, &patience).await?;
				anyhow::Ok((sent.elapsed(), included.block, made.settlement.header.sums.receipts))
			})
			.buffer_unordered(made.len().max(1))
			.try_collect()
			.await?;
		total += start.elapsed();
		for (latency, block, receipts) in done {
			let header = node.rpc()?.header(Some(&format!("{block:?}"))).await?;
			*blocks.entry(header.number).or_insert(0u64) += receipts;
			settled += receipts;
			latencies.push(latency);
		}
		for (made, _) in &made {
			bytes += made.settlement.encoded_size();
			making += made.took;
		}
		last = made;
	}
	println!(
		"{settled} receipts of {} channels and {} miners, in {} batches: {} lines each",
		plan.channels * plan.coordinators,
		plan.miners,
		plan.batches * plan.coordinators,
		plan.channels + plan.miners,
	);
	println!(
		"made: signed by miner and coordinator, tree and lines: {:.0} receipts a second on one core",
		settled as f64 / making.as_secs_f64()
	);
	println!("receipts by block: {:?}", blocks.values().collect::<Vec<_>>());
	println!(
		"all final after {:.1} s of settling: {:.0} receipts a second",
		total.as_secs_f64(),
		settled as f64 / total.as_secs_f64()
	);
	println!("on chain: {:.2} bytes a receipt", bytes as f64 / settled.max(1) as f64);
	println!("batch, submission to finality: {}", Spread::of(latencies)?);
	prove(chain, &last).await?;
	let memory = memory(node.pid().context("the node is not running")?)?;
	println!("node: {} MiB resident (peak {} MiB)", memory.resident_mib, memory.peak_mib);
	Ok(())
}

/// Proves receipts, drawn evenly, against the last headers that the chain has.
async fn prove(chain: &Chain, last: &[(Made, &Keypair)]) -> Result<()> {
	let each = (PROVEN / last.len().max(1)).max(1);
	let mut proven = 0usize;
	for (made, _) in last {
		let header = &made.settlement.header;
		let on_chain = chain.read(&query::header_chain(&header.coordinator)).await?;
		ensure!(on_chain.ends_with(&[*header]), "the chain has another last header");
		let count = made.batch.receipts().len();
		for index in (0..count).step_by((count / each).max(1)).take(each) {
			let proof = ReceiptProof::of(&made.batch, index).context("no proof")?;
			proof.verify(header).map_err(|error| anyhow::anyhow!("{error}"))?;
			proven += 1;
		}
	}
	println!("{proven} receipts proven against the chain's headers");
	Ok(())
}
