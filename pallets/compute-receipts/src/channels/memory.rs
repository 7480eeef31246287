//! What is remembered of channels and headers after their time, and for how long.
//!
//! Of each coordinator the last header of every thirty-two numbers is kept for three weeks: thirty-two
//! headers in a row at most then prove any of that time, and a coordinator that settles every ten seconds has 5,700 such rows.
//! A channel is kept for the memory of offences after its end, also one that nothing was settled of:
//! its receipts may be given up, and miners be owed for that. Rows leave in the order in which they
//! came, a few with each call that adds one.

use crate::{
	channels::records::{
		EndedChannel, Fact, Forgotten, HEADERS_PER_MARK, MARK_MEMORY_MS, Mark, Queue,
	},
	pallet::*,
};
use frame_support::{
	defensive,
	pallet_prelude::{DispatchResult, Get},
	traits::{Time, fungible::Mutate as _, tokens::Preservation},
};
use gridproof_primitives::{
	H256,
	compute::channels::{ChannelId, HeaderChain, SettlementHeader},
	crypto::ed25519::PublicKey,
};

/// Number of old rows that one call removes at most.
const FORGOTTEN_PER_CALL: u32 = 2;
/// Number of facts about a channel that one call removes at most.
const FACTS_PER_CALL: u32 = 2;

/// What offences need to know of a channel.
pub(crate) struct Known<AccountId> {
	pub(crate) record: EndedChannel<AccountId>,
	/// Time until which something of it can be settled, in UTC milliseconds: `u64::MAX` while nobody
	/// has closed it, 0 once its rest was returned.
	pub(crate) until_ms: u64,
	/// What its daily limit counts for against the coordinator's bond, in 10⁻¹⁸ AIT.
	pub(crate) kept_limit: u128,
}

/// Returns the number of the group in which a header is.
fn group_of(sequence: u64) -> u64 {
	sequence.checked_div(HEADERS_PER_MARK.into()).unwrap_or(0)
}

impl<T: Config> Pallet<T> {
	/// Returns a channel in the state, or what is remembered of it.
	pub(crate) fn known_channel(id: ChannelId) -> Option<Known<T::AccountId>> {
		if let Some(row) = Self::channel_now(id) {
			let channel = row.channel;
			let record = EndedChannel {
				client: row.client,
				coordinator: channel.coordinator,
				kind: channel.kind,
				settled: channel.settled,
				opened_ms: row.opened_ms,
			};
			let until_ms = channel.ends_ms.unwrap_or(u64::MAX);
			return Some(Known { record, until_ms, kept_limit: row.kept_limit });
		}
		let record = EndedChannels::<T>::get(id)?;
		Some(Known { record, until_ms: 0, kept_limit: 0 })
	}

	/// Remembers a channel whose row goes.
	pub(crate) fn remember_channel(id: ChannelId, record: EndedChannel<T::AccountId>) {
		Self::forget_old();
		EndedChannels::<T>::insert(id, record);
		Self::forget_later(Forgotten::Channel(id));
	}

	/// Puts something at the end of what is forgotten, after the memory of offences.
	pub(crate) fn forget_later(what: Forgotten) {
		let due = T::Time::now().saturating_add(Parameters::<T>::get().offence_memory_ms);
		ForgetQueue::<T>::mutate(|queue| {
			Forget::<T>::insert(queue.next, (due, what));
			queue.next = queue.next.saturating_add(1);
		});
	}

	/// Removes some of the rows whose time has come.
	pub(crate) fn forget_old() {
		let now = T::Time::now();
		for _ in 0..FORGOTTEN_PER_CALL {
			let Queue { first, next } = ForgetQueue::<T>::get();
			let Some((due, what)) = Forget::<T>::get(first).filter(|_| first < next) else {
				return;
			};
			if now < due || !Self::forget(what) {
				return;
			}
			Forget::<T>::remove(first);
			ForgetQueue::<T>::put(Queue { first: first.saturating_add(1), next });
		}
	}

	/// Removes rows. Returns `true` if none of it is left.
	fn forget(what: Forgotten) -> bool {
		match what {
			Forgotten::Channel(id) => {
				let most = usize::try_from(FACTS_PER_CALL).unwrap_or(usize::MAX);
				let facts: alloc::vec::Vec<_> = Facts::<T>::iter_prefix(id).take(most).collect();
				for (number, fact) in facts {
					Facts::<T>::remove(id, number);
					Self::return_fact_deposit(fact);
				}
				let is_empty = Facts::<T>::iter_key_prefix(id).next().is_none();
				if is_empty {
					EndedChannels::<T>::remove(id);
					GivenBackOf::<T>::remove(id);
				}
				is_empty
			},
			Forgotten::Header(key, sequence) => {
				if let Some(fact) = HeaderFacts::<T>::take(key, sequence) {
					Self::return_fact_deposit(fact);
				}
				true
			},
		}
	}

	/// Returns the deposit for a row to who paid it, or else to the treasury.
	fn return_fact_deposit(fact: Fact<T::AccountId>) {
		Self::return_or_divert(&fact.reporter, fact.deposit);
	}

	/// Moves AIT out of the escrow to an account, or to the treasury if that cannot receive it.
	pub(crate) fn return_or_divert(who: &T::AccountId, amount: u128) {
		let pay = |to: &T::AccountId| -> DispatchResult {
			frame_support::storage::with_storage_layer(|| {
				let from = T::Escrow::get();
				T::Currency::transfer(&from, to, amount, Preservation::Expendable).map(|_| ())
			})
		};
		if amount > 0 && pay(who).is_err() && pay(&T::Treasury::get()).is_err() {
			defensive!("a deposit can be returned to nobody");
		}
	}

	/// Remembers a header that the chain has just taken, if it is the last one of its group, and forgets
	/// some that are too old. `before` are the headers before it: if the last numbers of their group
	/// were passed over, their last one is remembered now.
	pub(crate) fn mark_header(before: &HeaderChain, header: &SettlementHeader, hash: H256) {
		let (key, now, group) = (header.coordinator, T::Time::now(), group_of(header.sequence));
		let is_last = group_of(header.sequence.saturating_add(1)) != group;
		let last = before.next_sequence.checked_sub(1).map(group_of);
		let passed = last.filter(|last| *last < group && !Marks::<T>::contains_key(key, *last));
		if let Some(group) = passed {
			let mark = Mark { hash: before.last_hash, taken_ms: before.taken_ms };
			Marks::<T>::insert(key, group, mark);
		}
		if is_last {
			Marks::<T>::insert(key, group, Mark { hash, taken_ms: now });
		}
		if !is_last && passed.is_none() {
			return;
		}
		let mut first = FirstMark::<T>::get(key);
		for _ in 0..FORGOTTEN_PER_CALL {
			let is_old = |mark: &Mark| mark.taken_ms.saturating_add(MARK_MEMORY_MS) <= now;
			if !Marks::<T>::get(key, first).is_some_and(|mark| is_old(&mark)) {
				break;
			}
			Marks::<T>::remove(key, first);
			first = first.saturating_add(1);
		}
		FirstMark::<T>::insert(key, first);
	}

	/// Returns `true` if these headers, the newest first, lead from one that the chain knows to the
	/// last one: that is then the coordinator's.
	pub(crate) fn knows_headers(key: &PublicKey, headers: &[SettlementHeader]) -> bool {
		let Some(newest) = headers.first() else { return false };
		let group = group_of(newest.sequence);
		let chain = match Marks::<T>::get(key, group) {
			Some(mark) => HeaderChain { last_hash: mark.hash, ..Default::default() },
			None => Headers::<T>::get(key),
		};
		chain.ends_with(headers)
	}
}
