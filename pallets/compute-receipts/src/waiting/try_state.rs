//! Invariants of what waits; see [`Pallet::do_try_state`] for their numbers.

use crate::{pallet::*, waiting::types::WaitingSums};
use alloc::collections::BTreeMap;
use frame_support::ensure;
use gridproof_primitives::{
	compute::checks::{BatchId, PaidByChannel},
	crypto::ed25519::PublicKey,
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Returns what the escrow owes to who waits, in AIT and AICP.
	pub(crate) fn owed_to_waiting() -> [u128; 2] {
		let mut found = WaitingSums::default();
		let mut add = |asset, amount: u128| {
			if let Some(sum) = found.of_mut(asset) {
				*sum = sum.saturating_add(amount);
			}
		};
		for row in WaitingBatches::<T>::iter_values() {
			add(row.kind.asset, row.pay);
			add(row.kind.asset, row.back.saturating_sub(row.returned));
		}
		for (_, id, row) in WaitingLines::<T>::iter() {
			if let Some(batch) = WaitingBatches::<T>::get(id.coordinator, id.sequence) {
				add(batch.kind.asset, row.pay);
			}
		}
		[found.ait, found.aicp]
	}

	/// Checks the invariants of what waits.
	pub(crate) fn try_waiting() -> Result<(), TryRuntimeError> {
		let totals = WaitingTotals::<T>::get();
		let counted = [totals.ait, totals.aicp];
		ensure!(counted == Self::owed_to_waiting(), "20: what waits is miscounted");
		let mut lines = BTreeMap::<BatchId, (u32, u128)>::new();
		let mut holds = BTreeMap::<PublicKey, u32>::new();
		let mut held = |key: &PublicKey, open: u32| {
			if open > 0 {
				let sum = holds.entry(Self::current_key(key, 0)).or_default();
				*sum = sum.saturating_add(open);
			}
		};
		for (miner, id, row) in WaitingLines::<T>::iter() {
			ensure!(row.line.miner == Some(miner), "21: another miner's line");
			let (number, claims) = lines.entry(id).or_default();
			*number = number.saturating_add(1);
			*claims = claims.saturating_add(row.coordinator_claim);
			let most = row.claim.max(row.coordinator_claim);
			let sound = most <= row.claimed
				&& row.claimed.saturating_add(row.lost) <= row.bound
				&& (row.is_signed || row.claimed == 0);
			ensure!(sound, "21: a line claims more than it can");
			held(&row.key, row.hold.open);
		}
		let settled = ChannelTotals::<T>::get().batches;
		for (coordinator, sequence, row) in WaitingBatches::<T>::iter() {
			let id = BatchId { coordinator, sequence };
			let found = lines.remove(&id).unwrap_or_default();
			ensure!(found == (row.lines, row.claims), "21: lines of a batch miscounted");
			ensure!(row.number < settled, "21: a batch that was never settled");
			ensure!(WaitingLists::<T>::contains_key(id), "21: a batch without its list");
			let list = WaitingLists::<T>::get(id);
			let sum = |of: fn(&PaidByChannel) -> u128| {
				list.channels.iter().fold(0u128, |sum, one| sum.saturating_add(of(one)))
			};
			let paid = sum(|one| one.price);
			let returned = sum(|one| one.returned);
			ensure!(returned == row.returned, "21: what went back is miscounted");
			let within = row.returned <= row.back && row.back <= paid && paid <= row.sums.price;
			ensure!(within, "21: more goes back than was paid");
			held(&row.key, row.hold.open);
		}
		ensure!(lines.is_empty(), "21: a line without its batch");
		let lists = WaitingLists::<T>::iter_keys();
		for id in lists {
			let known = WaitingBatches::<T>::contains_key(id.coordinator, id.sequence);
			ensure!(known, "21: a list without its batch");
		}
		let bonds: BTreeMap<_, _> =
			BondHolds::<T>::iter().map(|(key, bond)| (key, bond.open)).collect();
		ensure!(bonds == holds, "22: holds of bonds miscounted");
		for taken in TakenOf::<T>::iter_values() {
			let past = taken.pay_before <= settled && taken.mint_before <= settled;
			ensure!(past, "22: something to come is taken");
		}
		let within = FundDays::<T>::get().into_iter().all(|day| day.paid <= day.received);
		ensure!(within, "22: more was paid for checks than the treasury received");
		Ok(())
	}
}
