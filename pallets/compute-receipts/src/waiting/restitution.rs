//! What an offence took is given back first from what waits of the coordinator.

use crate::{channels::restitution::Owed, pallet::*, waiting::release::Payments};
use alloc::vec::Vec;
use frame_support::storage::with_storage_layer;
use gridproof_primitives::{compute::checks::BatchId, crypto::ed25519::PublicKey};

/// Number of batches of which one restitution takes at most.
const BATCHES_TAKEN: usize = 8;

impl<T: Config> Pallet<T> {
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
		let rows: Vec<_> = keys
			.flat_map(|key| {
				WaitingBatches::<T>::iter_prefix(key).map(move |(number, row)| (key, number, row))
			})
			.take(BATCHES_TAKEN)
			.filter(|(.., row)| row.kind.asset == owed.asset && row.pay > 0)
			.collect();
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
