//! Load over many channels and miners while coordinator, miners and node are killed at random. In the end
//! the sums are taken from three sides, which have to agree to the last unit: what the chain has settled
//! and moved, the receipts that the coordinator publishes, and the vouchers that the clients' fronts have
//! signed.
//!
//! Node, coordinator, miners and fronts are the real programs. The engine is not: `e2e/src/engine.rs`
//! answers at once, without a model, so that the load is as high as the programs can take.
//!
//! A short form has some hundreds of receipts; `scripts/soak channels` runs 100,000 of 50 channels and 10 miners
//! (`GRIDPROOF_SOAK_RECEIPTS`, `GRIDPROOF_SOAK_CHANNELS`, `GRIDPROOF_SOAK_MINERS`). `GRIDPROOF_SOAK_SEED` repeats
//! the kills of a run, as far as machines repeat anything.

use anyhow::{Context, Result, bail, ensure};
use futures::future::join_all;
use gridproof_compute_api::{ChannelClient, protocol::IssuedReceipt};
use gridproof_e2e::{
	channels::{Asker, Client, Published, ROWS, Settled, Sums, number_from, prove, question},
	compute::{CLIENT, COORDINATOR, Compute, Setup, account, miner_account},
	engine::{Engine, MODEL},
	reserve::gridproof,
	wait,
};
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset,
		channels::{BatchKind, BatchRefusal, ChannelReceipt, Mode, VoucherId},
	},
	num::units::AIT,
};
use serde_json::Value;
use std::{
	collections::BTreeMap,
	ops::Range,
	sync::{
		Mutex,
		atomic::{AtomicBool, AtomicU64, Ordering},
	},
	time::{Duration, Instant, SystemTime},
};

/// What each channel is opened with, in AIT.
const DEPOSIT: u128 = 5;
/// Jobs that a miner takes at a time.
const SLOTS: u32 = 8;
/// Receipts that are proven one by one in the end, as `gridproof receipt verify` does.
const PROVEN: usize = 20;
/// After all is up again: the longest pauses of coordinator and front, twice, and some batches.
const SETTLE_LIMIT: Duration = Duration::from_secs(300);
const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };

/// How much load, and how much goes wrong.
struct Plan {
	/// Answers with a receipt that clients have to get.
	receipts: u64,
	channels: usize,
	miners: usize,
	/// Kills at least; more follow until there are enough receipts.
	kills: u64,
	/// Requests of a channel at a time.
	askers: usize,
	/// What an asker waits before it asks again.
	pause: Duration,
	/// Milliseconds between two kills.
	between: Range<u64>,
	/// When the load has to be over.
	limit: Duration,
	seed: u64,
}

/// Numbers that follow from a seed: splitmix64.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut mixed = self.0;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}

	fn within(&mut self, range: &Range<u64>) -> u64 {
		range.start + self.next() % (range.end - range.start).max(1)
	}

	fn millis(&mut self, range: &Range<u64>) -> Duration {
		Duration::from_millis(self.within(range))
	}
}

fn seed() -> Result<u64> {
	let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
	number_from("GRIDPROOF_SOAK_SEED", now.as_secs())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_three_channels_and_two_miners_add_up_from_three_sides() -> Result<()> {
	run(&Plan {
		receipts: 400,
		channels: 3,
		miners: 2,
		kills: 5,
		askers: 3,
		pause: Duration::from_millis(150),
		between: 1_000..4_000,
		limit: Duration::from_secs(180),
		seed: seed()?,
	})
	.await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "half an hour: scripts/soak channels"]
async fn whatever_is_killed_a_hundred_thousand_receipts_add_up_from_three_sides() -> Result<()> {
	let size = |name: &str, default| -> Result<usize> {
		Ok(usize::try_from(number_from(&format!("GRIDPROOF_SOAK_{name}"), default)?)?)
	};
	run(&Plan {
		receipts: number_from("GRIDPROOF_SOAK_RECEIPTS", 100_000)?,
		channels: size("CHANNELS", 50)?,
		miners: size("MINERS", 10)?,
		kills: number_from("GRIDPROOF_SOAK_KILLS", 30)?,
		askers: 4,
		pause: Duration::ZERO,
		between: 3_000..20_000,
		limit: Duration::from_secs(3 * 3_600),
		seed: seed()?,
	})
	.await
}

/// What clients saw.
#[derive(Default)]
struct Seen {
	/// Receipts that came with an answer.
	answered: Mutex<BTreeMap<H256, ChannelReceipt>>,
	count: AtomicU64,
	failed: AtomicU64,
	over: AtomicBool,
}

impl Seen {
	fn answered(&self) -> u64 {
		self.count.load(Ordering::SeqCst)
	}

	fn note(&self, genesis: &H256, issued: &IssuedReceipt) -> Result<()> {
		let (receipt, id) = (issued.receipt, issued.receipt.receipt.id(genesis));
		let known = self
			.answered
			.lock()
			.map_err(|_| anyhow::anyhow!("an asker panicked"))?
			.insert(id, receipt);
		ensure!(known.is_none(), "two answers with one receipt");
		self.count.fetch_add(1, Ordering::SeqCst);
		Ok(())
	}
}

async fn run(plan: &Plan) -> Result<()> {
	println!("GRIDPROOF_SOAK_SEED={}", plan.seed);
	let engine = Engine::start().await?;
	let setup = Setup {
		miners: plan.miners,
		slots: SLOTS,
		engine: Some(engine.url.clone()),
		..Setup::default()
	};
	let mut compute = Compute::start_as(setup).await?;
	let (before, first) = Wealth::at_rest(&compute).await?;
	let mut clients = Vec::new();
	for number in 0..plan.channels {
		clients.push(Client::start(&compute, &format!("front-{number}"), CLIENT, DEPOSIT).await?);
	}
	println!("{} channels are open", clients.len());

	let (seen, genesis, start) = (Seen::default(), compute.chain.genesis(), Instant::now());
	let askers = clients.iter().flat_map(|client| vec![client.asker(); plan.askers]);
	let asking = join_all(
		askers.enumerate().map(|(number, asker)| ask(plan, &seen, asker, number, genesis)),
	);
	let killing = async {
		let killed = kill(plan, &seen, &mut compute).await;
		seen.over.store(true, Ordering::SeqCst);
		killed
	};
	let (asked, killed) = tokio::join!(asking, killing);
	asked.into_iter().collect::<Result<()>>()?;
	let kills = killed?;
	let seconds = start.elapsed().as_secs();
	println!(
		"{} answered and {} cut off in {seconds} s, {kills} kills",
		seen.answered(),
		seen.failed.load(Ordering::SeqCst)
	);
	compute.reconnect().await?;
	compute.wait_for_miners(plan.miners).await?;
	for client in &clients {
		let what = format!("channel {} is settled", client.channel);
		wait::until(&what, SETTLE_LIMIT, async || {
			Ok(client.if_settled(&compute).await.unwrap_or(None))
		})
		.await?;
	}
	nothing_waits_at_miners(&compute, plan.miners).await?;
	let (sums, receipts) = three_sides(&compute, &clients, &seen).await?;
	money(&compute, &clients, &sums, &before, first).await?;
	proven(&compute, &receipts, plan.seed).await
}

/// Asks one front again and again until it is over. What is cut off is asked for no more: its front
/// closes the voucher.
async fn ask(plan: &Plan, seen: &Seen, asker: Asker, number: usize, genesis: H256) -> Result<()> {
	let first = u64::try_from(number)?;
	for turn in 0u64.. {
		if seen.over.load(Ordering::SeqCst) {
			break;
		}
		let body = question(MODEL, first.wrapping_add(turn), 1 + turn % 3);
		match asker.ask(&body).await {
			Ok(Some(issued)) => seen.note(&genesis, &issued)?,
			Ok(None) => (),
			Err(_) => {
				seen.failed.fetch_add(1, Ordering::SeqCst);
				tokio::time::sleep(Duration::from_millis(300)).await;
			},
		}
		tokio::time::sleep(plan.pause).await;
	}
	Ok(())
}

/// Kills coordinator, miners, node, or coordinator and node together, and starts them again after a
/// while; each kind once before chance decides. Returns how many kills there were.
async fn kill(plan: &Plan, seen: &Seen, compute: &mut Compute) -> Result<u64> {
	const AWAY: Range<u64> = 0..4_000;
	let (mut random, start) = (Random(plan.seed), Instant::now());
	let mut kills = 0;
	while kills < plan.kills || seen.answered() < plan.receipts {
		ensure!(
			start.elapsed() < plan.limit,
			"only {} of {} receipts after {kills} kills",
			seen.answered(),
			plan.receipts
		);
		tokio::time::sleep(random.millis(&plan.between)).await;
		let away = random.millis(&AWAY);
		let whom = if kills < 4 { kills } else { random.within(&(0..4)) };
		match whom {
			0 => {
				compute.coordinator.kill();
				tokio::time::sleep(away).await;
				compute.coordinator.launch()?;
				compute.wait_for_coordinator().await?;
			},
			1 => {
				let number = usize::try_from(random.within(&(0..u64::try_from(plan.miners)?)))?;
				let miner = compute.miners.get_mut(number).context("a miner")?;
				miner.kill();
				tokio::time::sleep(away).await;
				miner.launch()?;
			},
			2 => {
				compute.node.kill();
				tokio::time::sleep(away).await;
				compute.node.restart().await?;
			},
			_ => {
				compute.node.kill();
				compute.coordinator.kill();
				tokio::time::sleep(away).await;
				compute.node.restart().await?;
				compute.coordinator.launch()?;
				compute.wait_for_coordinator().await?;
			},
		}
		kills += 1;
		if kills % 10 == 0 {
			println!("{kills} kills, {} answered", seen.answered());
		}
	}
	Ok(kills)
}

/// A miner that has signed a receipt has delivered it, or has learned that it is not wanted.
async fn nothing_waits_at_miners(compute: &Compute, miners: usize) -> Result<()> {
	let url = compute.node.rpc_url();
	for number in 0..miners {
		let path = |what: &str| {
			let name = format!("miner-{number}{what}");
			compute.folder.path().join(name).display().to_string()
		};
		let (key, data) = (path(".key"), path(""));
		let status = ["miner", "status", "--key", &key, "--data", &data, "--url", &url];
		wait::until(&format!("miner {number} has delivered"), SETTLE_LIMIT, async || {
			let shown = gridproof(&status).await?.done()?;
			let results = &shown["results"];
			ensure!(results["pending"].is_u64(), "no results in {shown}");
			if results["pending"] == 0 {
				println!("miner {number}: {results}");
				return Ok(Some(()));
			}
			Ok(None)
		})
		.await?;
	}
	Ok(())
}

/// Σ settled by the chain = Σ receipts published = Σ vouchers used, of each channel and each miner; no
/// voucher has two receipts, and no answer's receipt is missing.
async fn three_sides(
	compute: &Compute,
	clients: &[Client],
	seen: &Seen,
) -> Result<(Sums, Vec<H256>)> {
	let genesis = compute.chain.genesis();
	let published = Published::of(compute).await?;
	let by_coordinator = published.by_voucher()?;

	let mut by_fronts: BTreeMap<VoucherId, ChannelReceipt> = BTreeMap::new();
	for client in clients {
		let channel = client.on_chain(&compute.chain).await?.channel;
		let signer = channel.signer.context("a kept key")?;
		let vouchers = client.vouchers()?;
		let mut newest = None;
		for (number, (signed, issued)) in (1u64..).zip(&vouchers) {
			let voucher = signed.voucher;
			ensure!(voucher.number == number, "voucher {number} of {} is missing", client.channel);
			let verified = voucher.verify(&genesis, &signer, &signed.signature);
			ensure!(verified.is_ok(), "a voucher that its channel's key did not sign");
			let issued = issued.with_context(|| format!("{:?} has no receipt", voucher.id()))?;
			let receipt = issued.receipt.receipt;
			ensure!(receipt.spec_hash == voucher.spec_hash, "a receipt for another request");
			by_fronts.insert(voucher.id(), issued.receipt);
			newest = Some(voucher);
		}
		let newest = newest.context("a channel without a voucher")?;
		let settled = channel.settled;
		ensure!(settled.price <= newest.amount, "more was taken than the newest voucher allows");
		ensure!(settled.count == newest.number, "vouchers and receipts of {}", client.channel);
		let status = client.status().await?;
		ensure!(status["distrust"] == Value::Null, "{status}");
		ensure!(status["spent"] == settled.price.to_string(), "{status}: not {}", settled.price);
	}
	ensure!(by_fronts == by_coordinator, "fronts and coordinator have other receipts");

	let channels = clients.iter().map(|client| client.channel);
	let on_chain = Sums::on_chain(compute, channels, KIND).await?;
	assert_eq!(
		Sums::of(&published.receipts)?,
		on_chain,
		"the coordinator's receipts and the chain"
	);
	assert_eq!(Sums::of(by_fronts.values())?, on_chain, "the fronts' vouchers and the chain");

	let ids: BTreeMap<H256, ChannelReceipt> =
		published.receipts.iter().map(|one| (one.receipt.id(&genesis), *one)).collect();
	ensure!(ids.len() == published.receipts.len(), "an id came twice");
	let answered = seen.answered.lock().map_err(|_| anyhow::anyhow!("an asker panicked"))?;
	for (id, receipt) in answered.iter() {
		ensure!(ids.get(id) == Some(receipt), "the receipt {id:#x} of an answer was not settled");
	}
	let (count, price) = on_chain.total();
	println!(
		"{count} receipts of {} channels in {} batches, {} of answers: {price} from all three sides",
		clients.len(),
		published.headers.len(),
		answered.len()
	);
	Ok((on_chain, ids.into_keys().collect()))
}

/// What everybody has who is concerned.
#[derive(PartialEq, Eq)]
struct Wealth {
	client: u128,
	coordinator: u128,
	escrow: u128,
	miners: Vec<u128>,
}

impl Wealth {
	/// Waits until nobody pays or is paid any more, and returns what everybody has and a final block that knows
	/// it: miners have what they have earned paid out on their own, whenever a step is over.
	async fn at_rest(compute: &Compute) -> Result<(Self, u64)> {
		wait::until("nobody pays any more", SETTLE_LIMIT, async || {
			let rpc = compute.node.rpc()?;
			let (from, _) = rpc.finalized().await?;
			let wealth = Self::of(compute).await?;
			compute.node.wait_for_finalized(from + 3, SETTLE_LIMIT).await?;
			let (to, _) = rpc.finalized().await?;
			Ok((Self::of(compute).await? == wealth).then_some((wealth, to)))
		})
		.await
	}

	async fn of(compute: &Compute) -> Result<Self> {
		let mut miners = Vec::new();
		for number in 0..compute.miner_keys.len() {
			miners.push(compute.wealth(&account(&miner_account(number))?).await?);
		}
		Ok(Self {
			client: compute.wealth(&account(CLIENT)?).await?,
			coordinator: compute.wealth(&account(COORDINATOR)?).await?,
			escrow: compute.wealth(&Compute::escrow()).await?,
			miners,
		})
	}
}

/// Everybody has what the sums say: nobody is unpaid, and nothing is paid twice.
async fn money(
	compute: &Compute,
	clients: &[Client],
	sums: &Sums,
	before: &Wealth,
	first: u64,
) -> Result<()> {
	let (after, last) = Wealth::at_rest(compute).await?;
	let settled = Settled::within(compute, first + 1..=last).await?;
	let (count, price) = sums.total();
	assert_eq!((settled.receipts, settled.price), (count, price), "the chain's events");
	assert_eq!(settled.shares.iter().sum::<u128>(), price, "nothing is lost between the lists");
	let minted = |key| settled.minted.get(key).copied().unwrap_or(0);
	// A batch that was sent again when its block was not final yet is past already.
	for refused in &settled.refused {
		let is_harmless = refused.is_temporary() || *refused == BatchRefusal::SequencePast;
		ensure!(is_harmless, "a batch was refused: {refused}");
	}
	let opened = u128::try_from(clients.len())? * (DEPOSIT * AIT + ROWS);
	let fees = settled.fees_of(&account(CLIENT)?);
	assert_eq!(before.client - after.client, opened + fees, "clients paid their deposits");
	assert_eq!(after.escrow - before.escrow, opened - price, "what is left lies in escrow");
	let (own, fees) = (settled.shares[1], settled.fees_of(&account(COORDINATOR)?));
	let line_fees = settled.line_fees;
	assert_eq!(
		after.coordinator + line_fees + fees,
		before.coordinator + own + minted(&compute.coordinator_key),
		"the coordinator has its shares and its emission, and paid for its lines"
	);
	for (number, key) in compute.miner_keys.iter().enumerate() {
		let (share, who) = (settled.by_miner.get(key), account(&miner_account(number))?);
		let share = share.copied().unwrap_or(0);
		let worked = sums.miners.get(&Some(*key)).map_or(0, |sums| sums.price);
		ensure!((worked > 0) == (share > 0), "miner {number} worked for {worked}, has {share}");
		let fees = settled.fees_of(&who);
		let earned = share + minted(key);
		assert_eq!(after.miners[number] + fees, before.miners[number] + earned, "miner {number}");
	}
	println!(
		"{} batches, {} refused as past or too soon; {line_fees} for lines, shares {:?}",
		settled.batches,
		settled.refused.len(),
		settled.shares
	);
	Ok(())
}

/// Some receipts, drawn by the seed, are proven one by one.
async fn proven(compute: &Compute, receipts: &[H256], seed: u64) -> Result<()> {
	let (client, mut random) = (ChannelClient::new(&compute.url)?, Random(seed));
	let all = 0..u64::try_from(receipts.len())?;
	for _ in 0..PROVEN {
		let Some(id) = receipts.get(usize::try_from(random.within(&all))?) else {
			bail!("no receipt to prove");
		};
		prove(compute, &client, *id).await?;
	}
	println!("{PROVEN} drawn receipts are proven");
	Ok(())
}
