//! Receipts that a miner holds and whose coordinator does not settle them in time: they are demanded on
//! chain, if the miner has an account to demand them from.
//!
//! What a miner is not settled up to is in no sound batch, so an honest coordinator has nothing to show:
//! either it settles the receipt, or the miner gets its share of the price back, as far as the slash goes.
//! The highest prices come first.
//!
//! A receipt whose channel ended before it was settled can be given up by a batch: then the miner shows that
//! batch to the chain, and has back what it lost.

use crate::{
	error::MinerError,
	miner::{Miner, RETRY},
	outbox::Outbox,
};
use codec::{Decode, DecodeAll, Encode};
use futures::future::BoxFuture;
use gridproof_chain::{
	Call, Chain, ChainError, Patience,
	pallets::compute_receipts::{call, query},
};
use gridproof_compute_api::{
	ChannelClient, ClientError,
	demands::{DemandState, Step, given_up, is_overdue, next_step},
	protocol::{BatchAnswer, IssuedReceipt},
};
use gridproof_keys::AccountKey;
use gridproof_primitives::{
	H256,
	compute::channels::{BatchKind, ChannelEvidence, ChannelId, DemandView, PlacedLine},
	crypto::ed25519::PublicKey,
};
use gridproof_store::{
	StoreError,
	rusqlite::{Connection, params},
};
use gridproof_support::{
	number::clamped,
	text::{Amount, Hex32},
};
use serde::Serialize;
use std::{
	cmp::Reverse,
	collections::{BTreeMap, BTreeSet},
	path::Path,
	time::Duration,
};

/// How long a transaction is followed, and how often it is sent.
const PATIENCE: Patience =
	Patience { per_attempt: Duration::from_secs(30), attempts: 3, pause: Duration::from_secs(1) };
/// Name of the loop.
const NAME: &str = "demands";
/// Longest time from one of its turns to the next.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How often it is looked for receipts whose time is over.
const LOOK: Duration = Duration::from_secs(60);
/// Receipts of a coordinator that are looked at together, the oldest that are not settled.
const SOME: u32 = 1_024;
/// Most open demands to a coordinator: their deposits are held until it answers.
const MOST_OPEN: usize = 8;
/// Most demands that are read: as many as the chain lists.
const MOST_LISTED: u32 = 1_000;

/// What is needed of the chain. All answers are of final blocks.
trait Court {
	/// Number of receipts up to which this miner is settled at a coordinator in a kind.
	async fn settled(&self, coordinator: &PublicKey, kind: BatchKind) -> Result<u64, ChainError>;

	/// Returns `true` if the chain has a channel.
	async fn has_channel(&self, channel: ChannelId) -> Result<bool, ChainError>;

	/// Returns `true` if a channel has ended at `now`, in UTC milliseconds.
	async fn has_ended(&self, channel: ChannelId, now: u64) -> Result<bool, ChainError>;

	/// Asks the coordinator whether a batch gave a receipt up.
	async fn given_up(&self, issued: &IssuedReceipt) -> Result<Option<Loss>, ClientError>;

	/// Shows the chain that a batch gave a receipt up.
	async fn report(&self, loss: &Loss) -> Result<(), ChainError>;

	/// Open demands to a coordinator.
	async fn demands(&self, coordinator: &PublicKey) -> Result<Vec<DemandView>, ChainError>;

	/// The deposit of a demand that pays the answer, in units of 10⁻¹⁸ AIT.
	async fn deposit(&self) -> Result<u128, ChainError>;

	/// Demands a receipt.
	async fn demand(&self, issued: &IssuedReceipt) -> Result<(), ChainError>;

	/// Closes a demand that got no answer.
	async fn lapse(&self, coordinator: &PublicKey, id: H256) -> Result<(), ChainError>;
}

/// Receipts that a batch gave up.
struct Loss {
	coordinator: PublicKey,
	/// What proves it.
	evidence: ChannelEvidence,
	/// The last count of the range that was given up.
	to: u64,
}

impl Loss {
	/// Reads what a coordinator published of the batch of a receipt; `None` if the batch does not give it up.
	fn of(issued: &IssuedReceipt, batch: &BatchAnswer, genesis: &H256) -> Option<Self> {
		let (coordinator, evidence) = given_up(issued, batch, genesis)?;
		let ChannelEvidence::Line { line: PlacedLine::GivenUp(range), .. } = &evidence else {
			return None;
		};
		let to = range.item.line.to.count;
		Some(Self { coordinator, evidence, to })
	}
}

/// The chain behind the miner's node.
struct Node<'a> {
	miner: &'a Miner,
	account: &'a AccountKey,
}

impl Node<'_> {
	async fn send(&self, call: Call) -> Result<(), ChainError> {
		self.miner.node.submit_one(self.account, &call, &PATIENCE).await.map(drop)
	}
}

impl Court for Node<'_> {
	async fn settled(&self, coordinator: &PublicKey, kind: BatchKind) -> Result<u64, ChainError> {
		let me = Some(*self.miner.key.public());
		Ok(self.miner.node.read(&query::miner_sums(coordinator, kind, me)).await?.count)
	}

	async fn has_channel(&self, channel: ChannelId) -> Result<bool, ChainError> {
		Ok(self.miner.node.read(&query::channel(channel)).await?.is_some())
	}

	async fn has_ended(&self, channel: ChannelId, now: u64) -> Result<bool, ChainError> {
		let view = self.miner.node.read(&query::channel(channel)).await?;
		Ok(view.is_none_or(|view| view.channel.ends_ms.is_some_and(|ends| ends <= now)))
	}

	async fn given_up(&self, issued: &IssuedReceipt) -> Result<Option<Loss>, ClientError> {
		let id = issued.receipt.receipt.id(&self.miner.genesis);
		let mut away = None;
		for url in &self.miner.settings.coordinators {
			let client = ChannelClient::new(url)?;
			let shown = async {
				let Some(sequence) = client.receipt(id.into()).await?.batch else {
					return Ok(None);
				};
				client.batch(sequence).await.map(Some)
			};
			match shown.await {
				Ok(Some(batch)) => {
					if let Some(loss) = Loss::of(issued, &batch, &self.miner.genesis) {
						return Ok(Some(loss));
					}
				},
				Ok(None) => (),
				Err(error) if error.is_temporary() => away = Some(error),
				// Another coordinator's, or deleted there.
				Err(_) => (),
			}
		}
		away.map_or(Ok(None), Err)
	}

	async fn report(&self, loss: &Loss) -> Result<(), ChainError> {
		self.send(call::report_channel_offence(&loss.coordinator, &loss.evidence)).await
	}

	async fn demands(&self, coordinator: &PublicKey) -> Result<Vec<DemandView>, ChainError> {
		self.miner.node.read(&query::demands(coordinator, MOST_LISTED)).await
	}

	async fn deposit(&self) -> Result<u128, ChainError> {
		Ok(self.miner.node.read(&query::channel_parameters()).await?.demand_deposit)
	}

	async fn demand(&self, issued: &IssuedReceipt) -> Result<(), ChainError> {
		self.send(call::demand_receipt(&issued.receipt, &issued.coordinator_signature)).await
	}

	async fn lapse(&self, coordinator: &PublicKey, id: H256) -> Result<(), ChainError> {
		self.send(call::lapse_demand(coordinator, id)).await
	}
}

/// Demands what is late until the future is dropped. Without an account there is nothing to do.
pub(crate) async fn watch(miner: &Miner) {
	let Some(account) = miner.account() else { return std::future::pending().await };
	let node = Node { miner, account };
	let mut pauses = RETRY.pauses();
	miner.loops.begins(NAME, LONGEST);
	loop {
		miner.loops.turn(NAME);
		let now = miner.now();
		let done = async {
			once(&miner.outbox, &node, now).await?;
			report_losses(&miner.outbox, &node, now).await
		};
		let pause = match done.await {
			Ok(()) => {
				pauses.reset();
				LOOK
			},
			Err(error) => {
				let pause = pauses.next_pause();
				tracing::warn!(%error, ?pause, "demands of receipts wait");
				pause
			},
		};
		tokio::time::sleep(pause).await;
	}
}

/// Receipts of one coordinator in one kind.
#[derive(Clone, Copy)]
struct Shelf {
	coordinator: PublicKey,
	kind: BatchKind,
}

/// Does at every coordinator what is due at `now`, in UTC milliseconds.
async fn once(outbox: &Outbox, court: &impl Court, now: u64) -> Result<(), MinerError> {
	for shelf in outbox.shelves().await? {
		let settled = court.settled(&shelf.coordinator, shelf.kind).await?;
		let unsettled = outbox.unsettled(shelf, settled).await?;
		let known = outbox.demanded(shelf).await?;
		let is_late = unsettled.iter().any(|issued| is_overdue(&issued.receipt, now));
		if !is_late && known.open.is_empty() {
			continue;
		}
		let listed = court.demands(&shelf.coordinator).await?;
		let mut open = known.open.len();
		for issued in &known.open {
			let state = if listed.iter().any(|demand| demand.receipt == issued.receipt) {
				let Step::Lapse(id) = next_step(&issued.receipt, false, &listed, true, now) else {
					continue;
				};
				court.lapse(&shelf.coordinator, id).await?;
				tracing::error!(id = ?id, "a coordinator did not answer a demand");
				DemandState::Unanswered
			} else {
				DemandState::Over
			};
			open = open.saturating_sub(1);
			outbox.set_demand(shelf, issued, state).await?;
		}
		let mut late: Vec<&IssuedReceipt> = unsettled
			.iter()
			.filter(|issued| !known.counts.contains(&issued.receipt.sums.miner.count))
			.filter(|issued| is_overdue(&issued.receipt, now))
			.collect();
		late.sort_by_key(|issued| Reverse(issued.receipt.receipt.price));
		for issued in late.into_iter().take(MOST_OPEN.saturating_sub(open)) {
			if let Some(state) = demand(court, issued, &listed, now).await? {
				outbox.set_demand(shelf, issued, state).await?;
			}
		}
	}
	Ok(())
}

/// Looks through receipts that the chain has passed, and reports those that were given up at `now`, in UTC
/// milliseconds. A coordinator that is away is asked later, and holds up no other.
async fn report_losses(outbox: &Outbox, court: &impl Court, now: u64) -> Result<(), MinerError> {
	for shelf in outbox.shelves().await? {
		let settled = court.settled(&shelf.coordinator, shelf.kind).await?;
		let passed = outbox.passed(shelf, settled).await?;
		let (mut reported, mut ended) = (0, BTreeMap::new());
		for issued in &passed {
			let count = issued.receipt.sums.miner.count;
			let channel = issued.receipt.receipt.voucher().map(|voucher| voucher.channel);
			let Some(channel) = channel.filter(|_| count > reported) else {
				outbox.set_looked(shelf, count).await?;
				continue;
			};
			let has_ended = match ended.get(&channel) {
				Some(has_ended) => *has_ended,
				None => {
					let has_ended = court.has_ended(channel, now).await?;
					ended.insert(channel, has_ended);
					has_ended
				},
			};
			if has_ended {
				match court.given_up(issued).await {
					Ok(None) => (),
					Ok(Some(loss)) => {
						report(court, &loss, channel).await?;
						reported = loss.to;
					},
					Err(error) => {
						tracing::warn!(channel, %error, "whether a receipt was given up is asked later");
						break;
					},
				}
			}
			outbox.set_looked(shelf, count).await?;
		}
	}
	Ok(())
}

/// Reports a loss. Somebody else may have been faster, or its time be over.
async fn report(court: &impl Court, loss: &Loss, channel: ChannelId) -> Result<(), MinerError> {
	match court.report(loss).await {
		Ok(()) => {
			tracing::warn!(channel, "receipts were given up: their batch is shown to the chain");
			Ok(())
		},
		Err(error) if error.refusal().is_some() && !error.is_temporary() => {
			tracing::warn!(channel, %error, "the chain does not take the report of receipts that were given up");
			Ok(())
		},
		Err(error) => Err(error.into()),
	}
}

/// What a miner would lose that withdraws now: the chain passes no line of a miner that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
	/// Key of the coordinator that has not settled it.
	pub coordinator: Hex32,
	/// Asset and mode.
	#[serde(flatten)]
	pub kind: BatchKind,
	/// Number of receipts, 1,024 at most.
	pub receipts: u64,
	/// Sum of their prices, in the asset's smallest unit.
	pub price: Amount,
}

/// Returns what waits to be settled of the miner with this key and data folder, which may be running.
///
/// # Errors
/// [`MinerError`]; among it a folder that never had a miner.
pub fn waiting<'a>(
	folder: &'a Path,
	miner: &'a PublicKey,
	chain: &'a Chain,
) -> BoxFuture<'a, Result<Vec<Waiting>, MinerError>> {
	Box::pin(async move {
		let nowhere = || MinerError::NoFolder(folder.display().to_string());
		let shelves = shelves(&Outbox::read_only(folder)?.ok_or_else(nowhere)?)?;
		let mut waiting = Vec::new();
		for shelf in shelves {
			let sums = query::miner_sums(&shelf.coordinator, shelf.kind, Some(*miner));
			let settled = chain.read(&sums).await?.count;
			let db = Outbox::read_only(folder)?.ok_or_else(nowhere)?;
			let left = unsettled(&db, shelf, settled)?;
			waiting.extend(Waiting::of(shelf, &left));
		}
		Ok(waiting)
	})
}

impl Waiting {
	fn of(shelf: Shelf, left: &[IssuedReceipt]) -> Option<Self> {
		let prices = left.iter().map(|issued| issued.receipt.receipt.price);
		let price = prices.fold(0u128, u128::saturating_add);
		(!left.is_empty()).then(|| Self {
			coordinator: Hex32(shelf.coordinator),
			kind: shelf.kind,
			receipts: clamped(left.len()),
			price: Amount(price),
		})
	}
}

/// Demands a receipt if it has to be. Returns what became of it.
async fn demand(
	court: &impl Court,
	issued: &IssuedReceipt,
	listed: &[DemandView],
	now: u64,
) -> Result<Option<DemandState>, MinerError> {
	if listed.iter().any(|demand| demand.receipt == issued.receipt) {
		return Ok(Some(DemandState::Open));
	}
	let voucher = issued.receipt.receipt.voucher();
	let Some(voucher) = voucher else { return Ok(Some(DemandState::Refused)) };
	let is_due = next_step(&issued.receipt, false, listed, false, now) == Step::Demand;
	if !is_due || !court.has_channel(voucher.channel).await? {
		return Ok(None);
	}
	let (channel, number, deposit) = (voucher.channel, voucher.number, court.deposit().await?);
	tracing::warn!(
		channel,
		number,
		deposit,
		"a receipt is not settled in its time: it is demanded on chain; the deposit, in units of 10⁻¹⁸ AIT, \
		 returns"
	);
	match court.demand(issued).await {
		Ok(()) => Ok(Some(DemandState::Open)),
		Err(error) if error.refusal().is_some() && !error.is_temporary() => {
			tracing::warn!(channel, number, %error, "the chain does not take the demand");
			Ok(Some(DemandState::Refused))
		},
		Err(error) => Err(error.into()),
	}
}

/// What was demanded of a shelf.
#[derive(Default)]
struct Known {
	/// Counts of all that was ever demanded.
	counts: BTreeSet<u64>,
	/// Receipts whose demand is open.
	open: Vec<IssuedReceipt>,
}

fn decoded<T: Decode>(bytes: &[u8]) -> Result<T, StoreError> {
	T::decode_all(&mut &bytes[..]).map_err(|error| StoreError::Sql(error.to_string()))
}

/// Returns the coordinators and kinds of all receipts that were counted.
fn shelves(db: &Connection) -> Result<Vec<Shelf>, StoreError> {
	let mut statement = db.prepare_cached("SELECT DISTINCT coordinator, kind FROM counted")?;
	let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
	rows.map(|row| {
		let (coordinator, kind): (PublicKey, Vec<u8>) = row?;
		Ok(Shelf { coordinator, kind: decoded(&kind)? })
	})
	.collect()
}

/// Returns receipts above a count, by rising count.
fn unsettled(
	db: &Connection,
	shelf: Shelf,
	settled: u64,
) -> Result<Vec<IssuedReceipt>, StoreError> {
	let count: i64 = clamped(settled);
	let sql = "SELECT issued FROM counted WHERE coordinator = ?1 AND kind = ?2
		AND count > ?3 ORDER BY count LIMIT ?4";
	let mut statement = db.prepare_cached(sql)?;
	let values = params![shelf.coordinator, shelf.kind.encode(), count, SOME];
	let rows = statement.query_map(values, |row| row.get::<_, Vec<u8>>(0))?;
	rows.map(|row| decoded(&row?)).collect()
}

impl Outbox {
	/// Returns the coordinators and kinds of all receipts that were counted.
	async fn shelves(&self) -> Result<Vec<Shelf>, StoreError> {
		self.database().read(shelves).await
	}

	/// Returns receipts that the chain has not settled, by rising count.
	async fn unsettled(
		&self,
		shelf: Shelf,
		settled: u64,
	) -> Result<Vec<IssuedReceipt>, StoreError> {
		self.database().read(move |db: &Connection| unsettled(db, shelf, settled)).await
	}

	/// Returns receipts that the chain has passed and that were not looked at since, by rising count.
	async fn passed(&self, shelf: Shelf, settled: u64) -> Result<Vec<IssuedReceipt>, StoreError> {
		let count: i64 = clamped(settled);
		self.database()
			.read(move |db: &Connection| {
				let sql = "SELECT issued FROM counted WHERE coordinator = ?1 AND kind = ?2
					AND count <= ?3 AND count > coalesce((SELECT count FROM looked
					WHERE coordinator = ?1 AND kind = ?2), 0) ORDER BY count LIMIT ?4";
				let mut statement = db.prepare_cached(sql)?;
				let values = params![shelf.coordinator, shelf.kind.encode(), count, SOME];
				let rows = statement.query_map(values, |row| row.get::<_, Vec<u8>>(0))?;
				rows.map(|row| decoded(&row?)).collect()
			})
			.await
	}

	/// Notes up to which count of a shelf was looked.
	async fn set_looked(&self, shelf: Shelf, count: u64) -> Result<(), StoreError> {
		let count: i64 = clamped(count);
		self.database()
			.write(move |db: &Connection| {
				let sql = "INSERT OR REPLACE INTO looked (coordinator, kind, count)
					VALUES (?1, ?2, ?3)";
				db.execute(sql, params![shelf.coordinator, shelf.kind.encode(), count])?;
				Ok(())
			})
			.await
	}

	/// Returns what was demanded of a shelf.
	async fn demanded(&self, shelf: Shelf) -> Result<Known, StoreError> {
		self.database()
			.read(move |db: &Connection| {
				let sql = "SELECT count, state, issued FROM demands
					JOIN counted USING (coordinator, kind, count)
					WHERE coordinator = ?1 AND kind = ?2";
				let mut statement = db.prepare_cached(sql)?;
				let values = params![shelf.coordinator, shelf.kind.encode()];
				let rows = statement
					.query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
				let mut known = Known::default();
				for row in rows {
					let (count, state, issued): (i64, String, Vec<u8>) = row?;
					known.counts.insert(u64::try_from(count).unwrap_or(0));
					if state == DemandState::Open.as_str() {
						known.open.push(decoded(&issued)?);
					}
				}
				Ok(known)
			})
			.await
	}

	/// Notes what became of the demand of a receipt.
	async fn set_demand(
		&self,
		shelf: Shelf,
		issued: &IssuedReceipt,
		state: DemandState,
	) -> Result<(), StoreError> {
		let count: i64 = clamped(issued.receipt.sums.miner.count);
		self.database()
			.write(move |db: &Connection| {
				let sql = "INSERT OR REPLACE INTO demands (coordinator, kind, count, state)
					VALUES (?1, ?2, ?3, ?4)";
				let values = params![shelf.coordinator, shelf.kind.encode(), count, state.as_str()];
				db.execute(sql, values)?;
				Ok(())
			})
			.await
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_chain::pallets::compute_receipts::Refusal;
	use gridproof_compute_api::demands::MARGIN_MS;
	use gridproof_primitives::compute::{
		PriceAsset, Telemetry,
		channels::{
			Attested, ChannelReceipt, ChannelSums, Demanded, MinerSums, Mode, PaidBy, ReceiptV2,
			RunningSums, Sampler, VoucherId,
		},
	};
	use gridproof_support::Lock;
	use std::sync::Mutex;

	const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
	const COORDINATOR: PublicKey = [9; 32];
	const SETTLE_BY: u64 = 1_000_000;
	const LATE: u64 = SETTLE_BY + MARGIN_MS + 1;

	/// The chain in memory.
	#[derive(Default)]
	struct Memory {
		settled: u64,
		open: Vec<DemandView>,
		/// Counts of what was demanded, in order.
		demanded: Vec<u64>,
		lapsed: Vec<H256>,
		refusal: Option<ChainError>,
		is_gone: bool,
		/// Ranges of counts that were given up.
		given_up: Vec<(u64, u64)>,
		/// The coordinator does not answer.
		is_away: bool,
		/// What it was asked about.
		asked: Vec<u64>,
		/// Last counts of the ranges that were reported.
		reported: Vec<u64>,
	}

	impl Court for Mutex<Memory> {
		async fn settled(&self, _: &PublicKey, _: BatchKind) -> Result<u64, ChainError> {
			Ok(self.locked().settled)
		}

		async fn has_channel(&self, _: ChannelId) -> Result<bool, ChainError> {
			Ok(!self.locked().is_gone)
		}

		async fn has_ended(&self, _: ChannelId, _: u64) -> Result<bool, ChainError> {
			Ok(self.locked().is_gone)
		}

		async fn given_up(&self, issued: &IssuedReceipt) -> Result<Option<Loss>, ClientError> {
			let mut memory = self.locked();
			if memory.is_away {
				let (url, reason) = ("here".to_string(), "it is away".to_string());
				return Err(ClientError::Unreachable { url, reason });
			}
			let count = issued.receipt.sums.miner.count;
			memory.asked.push(count);
			let range = memory.given_up.iter().find(|(from, to)| (*from..=*to).contains(&count));
			let attested = Attested {
				receipt: issued.receipt,
				signature: issued.coordinator_signature,
				batch: None,
			};
			let evidence = ChannelEvidence::Unsound(attested);
			Ok(range.map(|(_, to)| Loss { coordinator: COORDINATOR, evidence, to: *to }))
		}

		async fn report(&self, loss: &Loss) -> Result<(), ChainError> {
			let mut memory = self.locked();
			if let Some(error) = memory.refusal.take() {
				return Err(error);
			}
			memory.reported.push(loss.to);
			Ok(())
		}

		async fn demands(&self, _: &PublicKey) -> Result<Vec<DemandView>, ChainError> {
			Ok(self.locked().open.clone())
		}

		async fn deposit(&self) -> Result<u128, ChainError> {
			Ok(5)
		}

		async fn demand(&self, issued: &IssuedReceipt) -> Result<(), ChainError> {
			let mut memory = self.locked();
			if let Some(error) = memory.refusal.take() {
				return Err(error);
			}
			let (receipt, count) = (issued.receipt, issued.receipt.sums.miner.count);
			memory.demanded.push(count);
			let id = H256([u8::try_from(count).unwrap(); 32]);
			let (demanded, due_ms) = (Demanded::Unsettled, LATE + 1_000);
			let view = DemandView { id, receipt, who: [1; 32], demanded, deposit: 5, due_ms };
			memory.open.push(view);
			Ok(())
		}

		async fn lapse(&self, _: &PublicKey, id: H256) -> Result<(), ChainError> {
			let mut memory = self.locked();
			memory.open.retain(|demand| demand.id != id);
			memory.lapsed.push(id);
			Ok(())
		}
	}

	/// A miner with receipts of these prices, and the chain.
	async fn world(prices: &[u128]) -> (tempfile::TempDir, Outbox, Mutex<Memory>) {
		let folder = tempfile::tempdir().unwrap();
		let outbox = Outbox::open(folder.path(), 0).await.unwrap();
		let (mut channel, mut miner) = (ChannelSums::default(), MinerSums::default());
		for (number, price) in (1..).zip(prices) {
			channel = channel.after(*price).unwrap();
			miner = miner.after(*price, 10).unwrap();
			let receipt = ReceiptV2 {
				paid_by: PaidBy::Voucher(VoucherId { channel: 1, number }),
				miner: Some([5; 32]),
				model: H256([1; 32]),
				spec_hash: H256([2; 32]),
				output_root: H256([3; 32]),
				weight: 10,
				price: *price,
				sampler: Sampler::Greedy,
				telemetry: Telemetry { duration_ms: 1, ..Telemetry::default() },
				settle_by_ms: SETTLE_BY,
			};
			let sums = RunningSums { kind: KIND, channel, miner };
			let issued = IssuedReceipt {
				receipt: ChannelReceipt { receipt, sums },
				coordinator_signature: [0; 64],
				miner_signature: Some([0; 64]),
			};
			assert!(outbox.counted(COORDINATOR, issued).await.unwrap());
		}
		(folder, outbox, Mutex::default())
	}

	#[tokio::test]
	async fn what_is_late_and_not_settled_is_demanded_once_the_highest_price_first() {
		let (_folder, outbox, chain) = world(&[5, 30, 20]).await;
		chain.locked().settled = 1;
		once(&outbox, &chain, LATE - 1).await.unwrap();
		assert!(chain.locked().demanded.is_empty(), "it has time");
		for _ in 0..2 {
			once(&outbox, &chain, LATE).await.unwrap();
			assert_eq!(chain.locked().demanded, [2, 3]);
		}
		// One is answered, the other is not.
		chain.locked().open.remove(0);
		once(&outbox, &chain, LATE + 1_000 + MARGIN_MS).await.unwrap();
		assert_eq!(chain.locked().lapsed, [H256([3; 32])]);
		once(&outbox, &chain, LATE + 1_000 + MARGIN_MS).await.unwrap();
		let seen = chain.locked();
		assert_eq!((seen.demanded.len(), seen.lapsed.len()), (2, 1));
	}

	#[tokio::test]
	async fn no_more_than_eight_demands_are_open_and_the_next_ones_follow() {
		let (_folder, outbox, chain) = world(&[7; 11]).await;
		once(&outbox, &chain, LATE).await.unwrap();
		assert_eq!(chain.locked().demanded.len(), 8);
		chain.locked().open.clear();
		once(&outbox, &chain, LATE).await.unwrap();
		assert_eq!(chain.locked().demanded.len(), 11);
	}

	#[tokio::test]
	async fn a_demand_that_is_refused_for_now_is_made_again_and_one_for_good_is_not() {
		for (refusal, made) in [(Refusal::MaxDemandsExceeded, 1), (Refusal::DemandTooLate, 0)] {
			let (_folder, outbox, chain) = world(&[7]).await;
			let error = ChainError::Refused(refusal.into());
			let is_temporary = error.is_temporary();
			chain.locked().refusal = Some(error);
			assert_eq!(once(&outbox, &chain, LATE).await.is_err(), is_temporary);
			once(&outbox, &chain, LATE).await.unwrap();
			assert_eq!(chain.locked().demanded.len(), made, "{refusal:?}");
		}
	}

	#[tokio::test]
	async fn nothing_is_demanded_of_a_channel_that_is_gone() {
		let (_folder, outbox, chain) = world(&[7]).await;
		chain.locked().is_gone = true;
		once(&outbox, &chain, LATE).await.unwrap();
		assert!(chain.locked().demanded.is_empty());
	}

	#[tokio::test]
	async fn each_range_that_was_given_up_is_reported_once_and_nobody_is_asked_twice() {
		let (_folder, outbox, chain) = world(&[5; 7]).await;
		{
			let mut chain = chain.locked();
			(chain.settled, chain.given_up) = (6, vec![(2, 4), (6, 6)]);
		}
		report_losses(&outbox, &chain, LATE).await.unwrap();
		assert!(chain.locked().asked.is_empty(), "the channel has not ended");
		let (_folder, outbox, _) = world(&[5; 7]).await;
		chain.locked().is_gone = true;
		for _ in 0..2 {
			report_losses(&outbox, &chain, LATE).await.unwrap();
			assert_eq!(chain.locked().reported, [4, 6]);
			assert_eq!(chain.locked().asked, [1, 2, 5, 6], "not of what is not settled yet");
		}
	}

	#[tokio::test]
	async fn a_loss_is_reported_when_the_coordinator_and_the_chain_are_back() {
		let (_folder, outbox, chain) = world(&[5, 5]).await;
		{
			let mut chain = chain.locked();
			(chain.settled, chain.given_up) = (2, vec![(1, 2)]);
			(chain.is_gone, chain.is_away) = (true, true);
		}
		report_losses(&outbox, &chain, LATE).await.unwrap();
		chain.locked().is_away = false;
		let message = "the connection broke".to_string();
		chain.locked().refusal = Some(ChainError::Rpc { code: None, message });
		assert!(report_losses(&outbox, &chain, LATE).await.is_err());
		report_losses(&outbox, &chain, LATE).await.unwrap();
		assert_eq!(chain.locked().reported, [2]);
	}

	#[tokio::test]
	async fn what_waits_is_summed_for_each_coordinator_and_kind() {
		let (folder, outbox, _) = world(&[5, 30, 20]).await;
		let db = Outbox::read_only(folder.path()).unwrap().unwrap();
		let shelf = outbox.shelves().await.unwrap()[0];
		let left = |settled| Waiting::of(shelf, &unsettled(&db, shelf, settled).unwrap());
		let two = left(1).unwrap();
		assert_eq!((two.receipts, two.price), (2, Amount(50)));
		assert_eq!((two.coordinator, two.kind), (Hex32(COORDINATOR), KIND));
		assert_eq!(left(3), None);
	}
}
