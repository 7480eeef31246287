//! What was taken from miners and coordinators of a batch goes back to its clients.

use crate::{
	pallet::*,
	waiting::{
		release::Payments,
		types::{WaitingBatch, WaitingList},
	},
	weights::WeightInfo,
};
use alloc::collections::BTreeSet;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get, Weight},
	storage::{TransactionOutcome, with_transaction},
};
use gridproof_primitives::compute::{
	channels::ChannelId,
	checks::{BatchId, PaidByChannel},
	emission::share_of,
};

/// Returns what a channel's client is owed of what goes back, in the smallest unit of the asset.
/// `whole` is what all channels of the batch paid.
fn owed<AccountId>(batch: &WaitingBatch<AccountId>, one: &PaidByChannel, whole: u128) -> u128 {
	share_of(batch.back, one.price, whole).saturating_sub(one.returned)
}

/// Returns what all channels of a batch paid.
fn paid_by_all(list: &WaitingList) -> u128 {
	list.channels.iter().fold(0, |sum, one| sum.saturating_add(one.price))
}

impl<T: Config> Pallet<T> {
	/// Returns `true` if something of what goes back has not been paid to its client.
	pub(crate) fn owes_clients(id: &BatchId, batch: &WaitingBatch<T::AccountId>) -> bool {
		let list = WaitingLists::<T>::get(id);
		let whole = paid_by_all(&list);
		list.channels.iter().any(|one| owed(batch, one, whole) > 0)
	}

	/// Divides an amount that goes back to a channel's client: at most what was settled out of the
	/// channel and has not come back is the client's. Returns who gets how much, and counts it. Nobody
	/// is known of a channel that was forgotten.
	pub(crate) fn give_to_client(channel: ChannelId, amount: u128) -> (Option<T::AccountId>, u128) {
		let Some(known) = Self::known_channel(channel) else { return (None, 0) };
		let back = GivenBackOf::<T>::get(channel);
		let given = amount.min(known.record.settled.price.saturating_sub(back));
		if given > 0 {
			GivenBackOf::<T>::insert(channel, back.saturating_add(given));
		}
		(Some(known.record.client), given)
	}

	/// [`Pallet::return_to_clients`] without the origin.
	pub(crate) fn do_return_to_clients(id: &BatchId, channels: &[ChannelId]) -> DispatchResult {
		let unique: BTreeSet<_> = channels.iter().collect();
		let listed = !channels.is_empty() && unique.len() == channels.len();
		ensure!(listed, Error::<T>::InvalidList);
		let batch = WaitingBatches::<T>::get(id.coordinator, id.sequence);
		let mut batch = batch.ok_or(Error::<T>::NotWaiting)?;
		let mut list = WaitingLists::<T>::get(id);
		let (whole, asset, treasury) = (paid_by_all(&list), batch.kind.asset, T::Treasury::get());
		let mut payments = Payments::<T>::none();
		for channel in channels {
			let place = list.channels.binary_search_by_key(channel, |one| one.channel);
			let one = place.ok().and_then(|place| list.channels.get_mut(place));
			let one = one.ok_or(Error::<T>::UnknownChannel)?;
			let amount = owed(&batch, one, whole);
			ensure!(amount > 0, Error::<T>::NothingDue);
			one.returned = one.returned.saturating_add(amount);
			batch.returned = batch.returned.saturating_add(amount);
			let (client, given) = Self::give_to_client(*channel, amount);
			payments.add(asset, &treasury, amount.saturating_sub(given));
			let client = client.unwrap_or_else(|| treasury.clone());
			payments.add(asset, &client, given);
			Self::deposit_event(Event::ReturnedToClient {
				coordinator: id.coordinator,
				sequence: id.sequence,
				channel: *channel,
				client,
				amount: given,
			});
		}
		WaitingLists::<T>::insert(id, list);
		Self::store_batch(id, batch, &mut payments);
		payments.execute()
	}

	/// Returns the error with which the call would fail now, and changes nothing.
	pub(crate) fn check_returns(id: &BatchId, channels: &[ChannelId]) -> DispatchResult {
		with_transaction(|| TransactionOutcome::Rollback(Self::do_return_to_clients(id, channels)))
	}

	/// Returns the weight of [`Pallet::return_to_clients`], and of its check.
	pub(crate) fn weight_of_returns(channels: usize) -> Weight {
		T::WeightInfo::return_to_clients(u32::try_from(channels).unwrap_or(u32::MAX))
	}
}
