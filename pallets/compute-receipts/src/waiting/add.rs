//! What a batch leaves waiting when it is settled.

use crate::{
	claims::Batch,
	pallet::*,
	waiting::types::{Clocks, Hold, WaitingBatch, WaitingLine, WaitingList, WaitingSums, batch_id},
};
use alloc::vec::Vec;
use frame_support::{pallet_prelude::DispatchError, traits::Time};
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset,
		channels::{Lists, MinerLine, MinerSums, SettlementBatch, SettlementHeader},
		checks::PaidByChannel,
		drawn_worth,
	},
	crypto::ed25519::PublicKey,
};
use sp_runtime::SaturatedConversion;

/// Lines of a batch whose pay and mint are to wait.
pub(crate) struct Waits<AccountId> {
	window_ms: u64,
	lines: Vec<WaitingLine<AccountId>>,
	/// What the lines can claim together, in 10⁻¹⁸ AIT.
	bound: u128,
	/// What they claim now, in 10⁻¹⁸ AIT.
	claims: u128,
}

/// A line that is settled, with what is known of its miner.
pub(crate) struct Settled<'a, AccountId> {
	pub(crate) line: &'a MinerLine,
	pub(crate) paid: &'a MinerLine,
	pub(crate) key: PublicKey,
	pub(crate) account: AccountId,
	/// The miner's share, in the smallest unit of the asset.
	pub(crate) pay: u128,
	/// Most that it can claim, and what it claims, in 10⁻¹⁸ AIT.
	pub(crate) bound: u128,
	pub(crate) claim: u128,
	pub(crate) is_signed: bool,
	pub(crate) step: u64,
}

impl<AccountId> Waits<AccountId> {
	/// Returns an empty list for a batch whose window is so long, in milliseconds.
	pub(crate) const fn new(window_ms: u64) -> Self {
		Self { window_ms, lines: Vec::new(), bound: 0, claims: 0 }
	}

	/// Adds a line.
	pub(crate) fn add(&mut self, settled: Settled<'_, AccountId>) {
		let Settled { line, paid, key, account, pay, bound, claim, is_signed, step } = settled;
		self.bound = self.bound.saturating_add(bound);
		self.claims = self.claims.saturating_add(claim);
		self.lines.push(WaitingLine {
			line: *line,
			paid: MinerSums {
				count: paid.receipts().unwrap_or(0),
				price: paid.price().unwrap_or(0),
				weight: paid.weight().unwrap_or(0),
			},
			before: 0,
			key,
			account,
			pay,
			bound,
			lost: 0,
			is_signed,
			step,
			claimed: claim,
			claim,
			coordinator_claim: claim,
			hold: Hold::default(),
		});
	}
}

impl<T: Config> Pallet<T> {
	/// Returns how far the clocks of both windows have come.
	pub(crate) fn clocks() -> Clocks {
		let now = T::Time::now();
		Clocks {
			pay: now.saturating_sub(Stops::<T>::get().at(now)),
			mint: now.saturating_sub(MintStops::<T>::get().at(now)),
		}
	}

	/// Changes what is counted as waiting in an asset.
	pub(crate) fn count_waiting(asset: PriceAsset, change: impl FnOnce(u128) -> u128) {
		WaitingTotals::<T>::mutate(|sums: &mut WaitingSums| {
			if let Some(amount) = sums.of_mut(asset) {
				*amount = change(*amount);
			}
		});
	}

	/// Writes what a settled batch leaves waiting. `number` is that of the batch among all,
	/// `coordinator` its key and account, and `pay` its share of the price.
	pub(crate) fn write_waits(
		shared: &Batch<T>,
		batch: &SettlementBatch,
		lists: &Lists,
		waits: Waits<T::AccountId>,
		coordinator: (PublicKey, T::AccountId, u128),
		(number, header_hash): (u64, H256),
	) -> Result<(), DispatchError> {
		let SettlementHeader { kind, sums, receipts, .. } = batch.header;
		let Waits { window_ms, lines, bound, claims } = waits;
		// Receipts without a miner cost nothing, and nobody waits for them.
		if lines.is_empty() {
			return Ok(());
		}
		let (id, clocks, (key, account, pay)) =
			(batch_id(&batch.header), Self::clocks(), coordinator);
		let channels = lists.channels.iter().map(|line| PaidByChannel {
			channel: line.channel(),
			price: line.price().unwrap_or(0),
			returned: 0,
		});
		let list = WaitingList {
			channels: channels.collect::<Vec<_>>().try_into().map_err(|_| Error::<T>::Overflow)?,
			given_up: batch.given_up.clone(),
		};
		let row = WaitingBatch {
			header_hash,
			receipts,
			kind,
			sums,
			split: shared.parameters.price_split,
			worth: drawn_worth(kind.asset, sums.price, DrawnRate::<T>::get().as_ref()),
			bound,
			key,
			account,
			pay,
			claims,
			lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
			back: 0,
			returned: 0,
			number,
			block: frame_system::Pallet::<T>::block_number().saturated_into(),
			settled_ms: shared.now,
			window_ms,
			pay_from_ms: clocks.pay,
			mint_from_ms: clocks.mint,
			hold: Hold::default(),
		};
		let pay_due_ms = row.pay_due_ms(shared.now, &clocks);
		let mut waiting = pay;
		let mut rows = lines.into_iter().peekable();
		let mut before = 0u128;
		for line in &lists.miners {
			if let Some(mut row) = rows.next_if(|row| row.line.miner == line.miner)
				&& let Some(miner) = line.miner
			{
				row.before = before;
				waiting = waiting.saturating_add(row.pay);
				WaitingLines::<T>::insert(miner, id, row);
			}
			before = before.saturating_add(line.price().unwrap_or(0));
		}
		WaitingBatches::<T>::insert(id.coordinator, id.sequence, row);
		WaitingLists::<T>::insert(id, list);
		Self::leave_channels(kind.asset, waiting);
		Self::count_waiting(kind.asset, |sum| sum.saturating_add(waiting));
		Self::deposit_event(Event::BatchWaits {
			coordinator: id.coordinator,
			sequence: id.sequence,
			amount: waiting,
			pay_due_ms,
		});
		Ok(())
	}
}
