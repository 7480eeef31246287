//! What is left of a channel goes back to its client.

use crate::{channels::types::ChannelRow, pallet::*, weights::WeightInfo};
use alloc::collections::BTreeSet;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Weight},
	storage::with_storage_layer,
	traits::Time,
};
use gridproof_primitives::compute::{PriceAsset, channels::ChannelId};

impl<T: Config> Pallet<T> {
	/// Returns a channel that has ended, and what is left of it in the smallest unit of its asset.
	fn ended(id: ChannelId, now: u64) -> Result<(ChannelRow<T::AccountId>, u128), Error<T>> {
		let row = Self::channel_now(id).ok_or(Error::<T>::UnknownChannel)?;
		let rest = row.channel.rest(now).map_err(Self::channel_error)?;
		Ok((row, rest))
	}

	/// Checks that every one of these channels has ended.
	pub(crate) fn check_return(channels: &[ChannelId]) -> DispatchResult {
		let unique: BTreeSet<_> = channels.iter().collect();
		let listed = !channels.is_empty() && unique.len() == channels.len();
		ensure!(listed, Error::<T>::InvalidList);
		let now = T::Time::now();
		for id in channels {
			Self::ended(*id, now)?;
		}
		Ok(())
	}

	/// [`Pallet::return_rests`] without the origin.
	pub(crate) fn do_return(channels: &[ChannelId]) -> DispatchResult {
		let now = T::Time::now();
		let mut touched = false;
		for id in channels {
			// One that cannot be returned keeps none of the others.
			if let Ok((row, rest)) = Self::ended(*id, now) {
				touched |= with_storage_layer(|| Self::return_rest(*id, row, rest)).is_ok();
			}
		}
		ensure!(touched, Error::<T>::NothingDue);
		Ok(())
	}

	/// Returns what is left of a channel and the deposit for its row, and removes it.
	fn return_rest(id: ChannelId, row: ChannelRow<T::AccountId>, rest: u128) -> DispatchResult {
		let client = row.client;
		Channels::<T>::remove(id);
		ChannelsOf::<T>::remove(&client, id);
		if row.kept_limit > 0 {
			KeptLimits::<T>::mutate_exists(row.channel.coordinator, |limits| {
				let left = limits.unwrap_or(0).saturating_sub(row.kept_limit);
				*limits = Some(left).filter(|left| *left > 0);
			});
		}
		ChannelTotals::<T>::mutate(|totals| totals.open = totals.open.saturating_sub(1));
		// The deposit first: with it the account can receive any rest.
		Self::return_deposit(&client, row.deposit)?;
		if rest > 0 {
			let asset: PriceAsset = row.channel.kind.asset;
			Self::pay_from_channels(&client, asset, rest)?;
		}
		Self::deposit_event(Event::ChannelEnded { channel: id, client, rest });
		Ok(())
	}

	/// Returns the weight of [`Pallet::return_rests`].
	pub(crate) fn weight_of_return(channels: usize) -> Weight {
		T::WeightInfo::return_rests(u32::try_from(channels).unwrap_or(u32::MAX))
	}

	/// Returns the weight of its check.
	pub(crate) fn weight_of_return_check(channels: usize) -> Weight {
		T::WeightInfo::check_rests(u32::try_from(channels).unwrap_or(u32::MAX))
	}
}
