//! Invariants of channels; see [`Pallet::do_try_state`] for their numbers.

use crate::{channels::types::ChannelCounters, pallet::*};
use alloc::collections::BTreeMap;
use frame_support::ensure;
use gridproof_primitives::{compute::PriceAsset, crypto::ed25519::PublicKey};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Returns what the escrow owes to the owners of channels, in AIT and AICP.
	pub(crate) fn owed_to_channels() -> [u128; 2] {
		let [mut ait, mut aicp] = [0u128; 2];
		for row in Channels::<T>::iter_values() {
			ait = ait.saturating_add(row.deposit);
			match row.channel.kind.asset {
				PriceAsset::Ait => ait = ait.saturating_add(row.channel.left()),
				PriceAsset::Aicp => aicp = aicp.saturating_add(row.channel.left()),
				PriceAsset::ServiceCredit => {},
			}
		}
		[ait, aicp]
	}

	/// Checks the invariants of channels.
	pub(crate) fn try_channels() -> Result<(), TryRuntimeError> {
		let sound = Self::ensure_channel_parameters(&ChannelRules::<T>::get()).is_ok();
		ensure!(sound, "12: parameters of channels break a relation");
		let totals = ChannelTotals::<T>::get();
		let mut found = ChannelCounters::default();
		let mut kept = BTreeMap::<PublicKey, u128>::new();
		for (id, row) in Channels::<T>::iter() {
			let channel = &row.channel;
			ensure!(id > 0 && id <= totals.opened, "13: a channel has a number to come");
			ensure!(channel.settled.price <= channel.deposited, "13: settled above the deposit");
			let within = channel.settled.count <= channel.voucher_number
				&& channel.settled.price <= channel.deposited.max(channel.voucher_amount);
			ensure!(within, "13: settled above the vouchers");
			ensure!(ChannelsOf::<T>::contains_key(&row.client, id), "13: a channel is in no list");
			found.open = found.open.saturating_add(1);
			let left = found.left_mut(channel.kind.asset).ok_or("13: a channel in credit")?;
			*left = left.saturating_add(channel.left());
			ensure!(channel.signer.is_none() || row.kept_limit == 0, "14: a limit without a key");
			if row.kept_limit > 0 {
				let limits = kept.entry(channel.coordinator).or_default();
				*limits = limits.saturating_add(row.kept_limit);
			}
		}
		let listed = ChannelsOf::<T>::iter_keys().count();
		ensure!(u64::try_from(listed) == Ok(found.open), "13: a list has a channel that is gone");
		let counted = (totals.open, totals.left_ait, totals.left_aicp);
		let rows = (found.open, found.left_ait, found.left_aicp);
		ensure!(counted == rows, "13: channels miscounted");
		let limits: BTreeMap<_, _> = KeptLimits::<T>::iter().collect();
		ensure!(limits == kept, "14: kept limits are not the sum of the channels'");
		Self::try_batches()
	}

	fn try_batches() -> Result<(), TryRuntimeError> {
		let totals = ChannelTotals::<T>::get();
		let mut batches = 0u64;
		for (_, headers) in Headers::<T>::iter() {
			ensure!(headers.next_sequence > 0, "15: a coordinator without a batch");
			batches = batches.saturating_add(headers.next_sequence);
		}
		// Numbers of headers that were refused are passed over.
		ensure!(batches >= totals.batches, "15: batches miscounted");
		let mut receipts = 0u64;
		for ((coordinator, kind, miner), sums) in MinerTotals::<T>::iter() {
			ensure!(Headers::<T>::contains_key(coordinator), "15: sums without a batch");
			let paid = sums.price > 0 || sums.weight > 0;
			ensure!(miner.is_some() || !paid, "15: nobody's work is paid");
			ensure!(kind.asset != PriceAsset::ServiceCredit, "15: a batch in credit");
			receipts = receipts.saturating_add(sums.count);
		}
		ensure!(receipts == totals.receipts, "15: receipts miscounted");
		Ok(())
	}
}
