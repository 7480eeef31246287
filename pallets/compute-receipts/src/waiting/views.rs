//! Answers of the view functions about what waits.

use crate::{
	pallet::*,
	waiting::types::{Clocks, Hold, Taken, WaitingBatch, holds},
};
use alloc::vec::Vec;
use frame_support::traits::Time;
use gridproof_primitives::{
	compute::checks::{BatchId, Checkable, Part, WaitingView},
	crypto::ed25519::PublicKey,
};

/// Highest number of parts in one answer.
const MAX_LISTED: u32 = 1_000;

impl<T: Config> Pallet<T> {
	/// Returns a batch as who checks sees it.
	pub(crate) fn view_checkable(row: &WaitingBatch<T::AccountId>) -> Checkable {
		let (now, clocks) = (T::Time::now(), Self::clocks());
		Checkable {
			header_hash: row.header_hash,
			receipts: row.receipts,
			kind: row.kind,
			sums: row.sums,
			worth: row.worth,
			claim: row.bound,
			lines: row.lines,
			registered: row.key,
			block: row.block,
			settled_ms: row.settled_ms,
			pay_due_ms: row.pay_due_ms(now, &clocks),
			mint_due_ms: row.mint_due_ms(now, &clocks),
		}
	}

	/// [`Pallet::waiting_of`].
	pub(crate) fn list_waiting(
		key: PublicKey,
		after: Option<BatchId>,
		limit: u32,
	) -> Vec<WaitingView> {
		let most = usize::try_from(limit.min(MAX_LISTED)).unwrap_or(usize::MAX);
		let coordinates = Parties::<T>::get(Self::current_key(&key, 0))
			.is_some_and(|party| party.class().is_none());
		if coordinates {
			let rows = match after {
				Some(id) => {
					let place = WaitingBatches::<T>::hashed_key_for(key, id.sequence);
					WaitingBatches::<T>::iter_prefix_from(key, place)
				},
				None => WaitingBatches::<T>::iter_prefix(key),
			};
			let rows = rows.take(most).map(|(sequence, row)| {
				let part = Part::Coordinator(BatchId { coordinator: key, sequence });
				let taken = Self::taken_of(&row.key);
				let (pay, claim) = (row.pay, row.claims);
				Self::view_part(part, &row, &row.hold, taken, (pay, claim, true))
			});
			return rows.collect();
		}
		let rows = match after {
			Some(id) => {
				let place = WaitingLines::<T>::hashed_key_for(key, id);
				WaitingLines::<T>::iter_prefix_from(key, place)
			},
			None => WaitingLines::<T>::iter_prefix(key),
		};
		let rows = rows.take(most).filter_map(|(id, row)| {
			let batch = WaitingBatches::<T>::get(id.coordinator, id.sequence)?;
			let part = Part::Miner(id, key);
			let taken = Self::taken_of(&row.key);
			let figures = (row.pay, row.claim, row.is_signed);
			Some(Self::view_part(part, &batch, &row.hold, taken, figures))
		});
		rows.collect()
	}

	fn view_part(
		part: Part,
		batch: &WaitingBatch<T::AccountId>,
		hold: &Hold,
		taken: Taken,
		(pay, claim, is_signed): (u128, u128, bool),
	) -> WaitingView {
		let (now, clocks): (u64, Clocks) = (T::Time::now(), Self::clocks());
		let held_until_ms = holds(hold, &clocks)
			.then(|| hold.until_ms.saturating_add(now.saturating_sub(clocks.pay)));
		WaitingView {
			part,
			asset: batch.kind.asset,
			pay,
			claim,
			is_signed,
			settled_ms: batch.settled_ms,
			pay_due_ms: batch.pay_due_ms(now, &clocks),
			mint_due_ms: batch.mint_due_ms(now, &clocks),
			held_until_ms,
			is_taken: batch.number < taken.pay_before,
		}
	}
}
