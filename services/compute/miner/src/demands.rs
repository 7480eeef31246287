//! Receipts that a miner holds and whose coordinator does not settle them in time: they are demanded on
//! chain, if the miner has an account to demand them from.
//!
//! What a miner is not settled up to is in no sound batch, so an honest coordinator has nothing to show:
//! either it settles the receipt, or the miner gets its share of the price back, as far as the slash goes.
//! The highest prices come first.

use crate::{
	error::MinerError,
	miner::{Miner, RETRY},
	outbox::Outbox,
};
use codec::{Decode, DecodeAll, Encode};
use gridproof_chain::{
	Call, ChainError, Patience,
	pallets::compute_receipts::{call, query},
};
use gridproof_compute_api::{
	demands::{DemandState, Step, is_overdue, next_step},
	protocol::IssuedReceipt,
};
use gridproof_keys::AccountKey;
use gridproof_primitives::{
	H256,
	compute::channels::{BatchKind, ChannelId, DemandView},
	crypto::ed25519::PublicKey,
};
use gridproof_store::{
	StoreError,
	rusqlite::{Connection, params},
};
use gridproof_support::number::clamped;
use std::{cmp::Reverse, collections::BTreeSet, time::Duration};

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

	/// Open demands to a coordinator.
	async fn demands(&self, coordinator: &PublicKey) -> Result<Vec<DemandView>, ChainError>;

	/// The deposit of a demand that pays the answer, in units of 10⁻¹⁸ AIT.
	async fn deposit(&self) -> Result<u128, ChainError>;

	/// Demands a receipt.
	async fn demand(&self, issued: &IssuedReceipt) -> Result<(), ChainError>;

	/// Closes a demand that got no answer.
	async fn lapse(&self, coordinator: &PublicKey, id: H256) -> Result<(), ChainError>;
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
		let pause = match once(&miner.outbox, &node, miner.now()).await {
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

impl Outbox {
	/// Returns the coordinators and kinds of all receipts that were counted.
	async fn shelves(&self) -> Result<Vec<Shelf>, StoreError> {
		self.database()
			.read(|db: &Connection| {
				let mut statement =
					db.prepare_cached("SELECT DISTINCT coordinator, kind FROM counted")?;
				let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
				rows.map(|row| {
					let (coordinator, kind): (PublicKey, Vec<u8>) = row?;
					Ok(Shelf { coordinator, kind: decoded(&kind)? })
				})
				.collect()
			})
			.await
	}

	/// Returns receipts that the chain has not settled, by rising count.
	async fn unsettled(
		&self,
		shelf: Shelf,
		settled: u64,
	) -> Result<Vec<IssuedReceipt>, StoreError> {
		let count: i64 = clamped(settled);
		self.database()
			.read(move |db: &Connection| {
				let sql = "SELECT issued FROM counted WHERE coordinator = ?1 AND kind = ?2
					AND count > ?3 ORDER BY count LIMIT ?4";
				let mut statement = db.prepare_cached(sql)?;
				let values = params![shelf.coordinator, shelf.kind.encode(), count, SOME];
				let rows = statement.query_map(values, |row| row.get::<_, Vec<u8>>(0))?;
				rows.map(|row| decoded(&row?)).collect()
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
			ChannelReceipt, ChannelSums, Demanded, MinerSums, Mode, PaidBy, ReceiptV2, RunningSums,
			Sampler, VoucherId,
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
	}

	impl Court for Mutex<Memory> {
		async fn settled(&self, _: &PublicKey, _: BatchKind) -> Result<u64, ChainError> {
			Ok(self.locked().settled)
		}

		async fn has_channel(&self, _: ChannelId) -> Result<bool, ChainError> {
			Ok(!self.locked().is_gone)
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
}
