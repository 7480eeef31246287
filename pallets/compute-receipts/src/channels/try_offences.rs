//! Invariants of demands and offences; see [`Pallet::do_try_state`] for their numbers.

use crate::{
	channels::records::{
		DemandCounts, Forgotten, HEADERS_PER_MARK, MAX_DEMANDS, MAX_DEMANDS_OF_STRANGERS, Queue,
	},
	pallet::*,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Returns what the escrow owes to who asked for receipts or proved offences, in 10⁻¹⁸ AIT.
	pub(crate) fn owed_to_demands() -> u128 {
		let mut ait = 0u128;
		for row in Demands::<T>::iter_values() {
			ait = ait.saturating_add(row.deposit).saturating_add(row.row_deposit);
		}
		for fact in Facts::<T>::iter_values().chain(HeaderFacts::<T>::iter_values()) {
			ait = ait.saturating_add(fact.deposit);
		}
		ait
	}

	/// Checks the invariants of demands and offences.
	pub(crate) fn try_offences() -> Result<(), TryRuntimeError> {
		Self::try_demands()?;
		Self::try_facts()?;
		Self::try_queue()?;
		Self::try_marks()
	}

	fn try_demands() -> Result<(), TryRuntimeError> {
		let mut to = BTreeMap::<T::AccountId, (u32, u32)>::new();
		let mut of = BTreeMap::<(T::AccountId, T::AccountId), u32>::new();
		for (_, id, row) in Demands::<T>::iter() {
			ensure!(id == Self::demand_id(&row.receipt), "16: a demand of something else");
			let (open, strangers) = to.entry(row.coordinator.clone()).or_default();
			*open = open.saturating_add(1);
			*strangers = strangers.saturating_add(row.is_stranger.into());
			let own = of.entry((row.coordinator, row.who)).or_default();
			*own = own.saturating_add(1);
		}
		for (account, counts) in DemandsTo::<T>::iter() {
			let DemandCounts { open, strangers, .. } = counts;
			let found = to.remove(&account).unwrap_or_default();
			ensure!(found == (open, strangers), "16: demands miscounted");
			ensure!(strangers <= MAX_DEMANDS_OF_STRANGERS, "16: more strangers than places");
		}
		ensure!(to.is_empty(), "16: demands that are not counted");
		let counted: BTreeMap<_, _> =
			DemandsOf::<T>::iter().map(|(to, who, own)| ((to, who), own)).collect();
		ensure!(counted == of, "16: demands of an account miscounted");
		ensure!(of.values().all(|own| *own <= MAX_DEMANDS), "16: more demands than places");
		Ok(())
	}

	fn try_facts() -> Result<(), TryRuntimeError> {
		for (channel, _, fact) in Facts::<T>::iter() {
			ensure!(Self::known_channel(channel).is_some(), "17: a fact about nothing");
			let unique: BTreeSet<_> = fact.kinds.iter().collect();
			let once = unique.len() == fact.kinds.len() && !fact.kinds.is_empty();
			ensure!(once, "17: a kind proven twice, or none");
		}
		for (_, _, fact) in HeaderFacts::<T>::iter() {
			let unique: BTreeSet<_> = fact.kinds.iter().collect();
			let once = unique.len() == fact.kinds.len() && !fact.kinds.is_empty();
			ensure!(once, "17: a kind proven twice, or none");
		}
		for (channel, back) in GivenBackOf::<T>::iter() {
			let known = Self::known_channel(channel).ok_or("17: given back for nothing")?;
			ensure!(back <= known.record.settled.price, "17: given back more than was settled");
		}
		Ok(())
	}

	fn try_queue() -> Result<(), TryRuntimeError> {
		let Queue { first, next } = ForgetQueue::<T>::get();
		ensure!(first <= next, "18: a queue that ends before it begins");
		let mut left: BTreeSet<_> = EndedChannels::<T>::iter_keys().collect();
		let mut headers: BTreeSet<_> = HeaderFacts::<T>::iter_keys().collect();
		let mut found = 0u64;
		for (place, (_, what)) in Forget::<T>::iter() {
			ensure!(place >= first && place < next, "18: outside of the queue");
			found = found.saturating_add(1);
			let known = match what {
				Forgotten::Channel(id) => left.remove(&id),
				Forgotten::Header(key, sequence) => headers.remove(&(key, sequence)),
			};
			ensure!(known, "18: something is forgotten twice, or is gone");
		}
		ensure!(found == next.saturating_sub(first), "18: a hole in the queue");
		ensure!(left.is_empty() && headers.is_empty(), "18: something is never forgotten");
		Ok(())
	}

	fn try_marks() -> Result<(), TryRuntimeError> {
		let mut found = BTreeMap::new();
		for (key, group, _) in Marks::<T>::iter() {
			let (least, most, number) = found.entry(key).or_insert((group, group, 0u64));
			(*least, *most) = ((*least).min(group), (*most).max(group));
			*number = number.saturating_add(1);
		}
		for (key, (least, most, number)) in found {
			let span = most.saturating_sub(least).saturating_add(1);
			ensure!(span == number, "19: a header is missing");
			ensure!(FirstMark::<T>::get(key) == least, "19: another header is the first");
			let groups = Headers::<T>::get(key).next_sequence.checked_div(HEADERS_PER_MARK.into());
			ensure!(groups == most.checked_add(1), "19: a header that was never taken");
		}
		Ok(())
	}
}
