//! Answers of the view functions about channels.

use crate::pallet::*;
use alloc::vec::Vec;
use gridproof_primitives::compute::channels::{ChannelId, ChannelView};

/// Highest number of channels in one answer.
const MAX_LISTED: u32 = 1_000;

impl<T: Config> Pallet<T> {
	/// [`Pallet::channel`].
	pub(crate) fn view_channel(id: ChannelId) -> Option<ChannelView> {
		let row = Self::channel_now(id)?;
		Some(ChannelView {
			id,
			client: row.client.into(),
			left: row.channel.left(),
			channel: row.channel,
			row_deposit: row.deposit,
			opened_ms: row.opened_ms,
		})
	}

	/// [`Pallet::channels_of`].
	pub(crate) fn list_channels(
		account: &T::AccountId,
		after: Option<ChannelId>,
		limit: u32,
	) -> Vec<ChannelView> {
		let rows = match after {
			// It continues at the channel's place, whether or not it is still there.
			Some(id) => {
				let place = ChannelsOf::<T>::hashed_key_for(account, id);
				ChannelsOf::<T>::iter_key_prefix_from(account, place)
			},
			None => ChannelsOf::<T>::iter_key_prefix(account),
		};
		rows.take(usize::try_from(limit.min(MAX_LISTED)).unwrap_or(usize::MAX))
			.filter_map(Self::view_channel)
			.collect()
	}
}
