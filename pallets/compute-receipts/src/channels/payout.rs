//! The money of channels: it lies in the pallet's account, and the rows say whose it is.

use crate::{
	escrow::{pay_in, pay_out},
	pallet::*,
};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult},
};
use gridproof_primitives::compute::PriceAsset;

/// Shares of a batch by who receives them, so that each is paid once.
pub(crate) struct Payouts<T: Config> {
	asset: PriceAsset,
	amounts: BTreeMap<T::AccountId, u128>,
}

impl<T: Config> Payouts<T> {
	/// Returns an empty list of payments in an asset.
	pub(crate) const fn of(asset: PriceAsset) -> Self {
		Self { asset, amounts: BTreeMap::new() }
	}

	/// Adds a payment, in the smallest unit of the asset.
	pub(crate) fn add(&mut self, who: T::AccountId, amount: u128) {
		if amount > 0 {
			let sum = self.amounts.entry(who).or_default();
			*sum = sum.saturating_add(amount);
		}
	}

	/// Pays everybody. The first payment that cannot be made is an error: what is to be paid is not
	/// settled unless all of it is.
	pub(crate) fn execute(self) -> DispatchResult {
		self.amounts
			.into_iter()
			.try_for_each(|(who, amount)| Pallet::<T>::pay_from_channels(&who, self.asset, amount))
	}
}

impl<T: Config> Pallet<T> {
	/// Moves an amount from its owner into the escrow and counts it as left in channels.
	pub(crate) fn pay_into_channel(
		from: &T::AccountId,
		asset: PriceAsset,
		amount: u128,
	) -> DispatchResult {
		ChannelTotals::<T>::try_mutate(|totals| {
			let left = totals.left_mut(asset).ok_or(Error::<T>::NoCreditChannel)?;
			*left = left.checked_add(amount).ok_or(Error::<T>::Overflow)?;
			Ok::<_, DispatchError>(())
		})?;
		match asset {
			PriceAsset::Ait => pay_in::<T::Currency, T>(from, amount),
			PriceAsset::Aicp => pay_in::<T::Aicp, T>(from, amount),
			PriceAsset::ServiceCredit => Err(Error::<T>::NoCreditChannel.into()),
		}
	}

	/// Counts an amount as no longer left in channels.
	pub(crate) fn leave_channels(asset: PriceAsset, amount: u128) {
		ChannelTotals::<T>::mutate(|totals| {
			if let Some(left) = totals.left_mut(asset) {
				*left = left.saturating_sub(amount);
			}
		});
	}

	/// Moves an amount out of the escrow, and counts it as no longer left in channels.
	pub(crate) fn pay_from_channels(
		to: &T::AccountId,
		asset: PriceAsset,
		amount: u128,
	) -> DispatchResult {
		ensure!(asset != PriceAsset::ServiceCredit, Error::<T>::NoCreditChannel);
		Self::leave_channels(asset, amount);
		match asset {
			PriceAsset::Aicp => pay_out::<T::Aicp, T>(to, amount),
			PriceAsset::Ait | PriceAsset::ServiceCredit => pay_out::<T::Currency, T>(to, amount),
		}
	}
}
