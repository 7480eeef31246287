//! What an offence took is given back first from what waits of the coordinator.

use crate::{channels::restitution::Owed, pallet::*, waiting::release::Payments};
use alloc::vec::Vec;
use frame_support::{
	pallet_prelude::{Get, Weight},
	storage::with_storage_layer,
};
use gridproof_primitives::{compute::checks::BatchId, crypto::ed25519::PublicKey};

/// Number of batches of which one restitution takes at most.
const BATCHES_TAKEN: usize = 8;
/// Number of batches among which it looks for those: their order is the coordinator's to choose.
const BATCHES_READ: usize = 32;
/// Number of batches that it reads and does not take of.
const BATCHES_PASSED: u64 = 24;

impl<T: Config> Pallet<T> {
	/// Returns the weight of the batches that a restitution reads beyond those that it takes of.
	pub(crate) fn weight_of_looking() -> Weight {
		T::DbWeight::get().reads(BATCHES_PASSED)
	}

	/// Gives back what is owed out of the coordinator's pay that waits in the same asset, at most `most`
	/// of it in the asset's smallest unit. Returns how much that was.
	pub(crate) fn restore_from_waiting(
		present: &PublicKey,
		owed: &Owed<T::AccountId>,
		most: u128,
	) -> u128 {
		let mut missing = owed.amount.min(most);
		if missing == 0 {
			return 0;
		}
		let former = Former::<T>::get(present);
		let keys = [Some(*present), former].into_iter().flatten();
		let taken = Self::taken_of(present);
		let mut rows: Vec<_> = keys
			.flat_map(|key| {
				WaitingBatches::<T>::iter_prefix(key).map(move |(number, row)| (key, number, row))
			})
			.take(BATCHES_READ)
			.filter(|(.., row)| row.kind.asset == owed.asset && row.pay > 0)
			// What was taken is its clients' already.
			.filter(|(.., row)| row.number >= taken.pay_before)
			.collect();
		// Those with most, so that dust in front hides nothing.
		rows.sort_by_key(|(.., row)| core::cmp::Reverse(row.pay));
		rows.truncate(BATCHES_TAKEN);
		let found = rows.iter().fold(0u128, |sum, (.., row)| sum.saturating_add(row.pay));
		let given = missing.min(found);
		if given == 0 {
			return 0;
		}
		let moved = with_storage_layer(|| {
			Self::pay_from_waiting(&owed.to, owed.asset, given)?;
			missing = given;
			let mut payments = Payments::<T>::none();
			for (coordinator, sequence, mut row) in rows {
				let part = row.pay.min(missing);
				row.pay = row.pay.saturating_sub(part);
				missing = missing.saturating_sub(part);
				Self::store_batch(&BatchId { coordinator, sequence }, row, &mut payments);
			}
			payments.execute()
		});
		if moved.is_err() {
			return 0;
		}
		Self::deposit_event(Event::GivenBackOfWaiting {
			coordinator: *present,
			to: owed.to.clone(),
			asset: owed.asset,
			amount: given,
		});
		given
	}
}
