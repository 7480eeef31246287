//! Miners and coordinators: registration, bonds, heartbeats, scores.

use crate::{pallet::*, types::*};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get},
	storage::with_storage_layer,
	traits::{Time, fungible::hold::Mutate as _, tokens::Precision},
};
use frame_system::pallet_prelude::BlockNumberFor;
use gridproof_primitives::{
	H256,
	compute::score,
	compute::{
		ComputeParameters, Heartbeat, MAX_CLOCK_SKEW_MS, PartyRole, Registration, SignedHeartbeat,
	},
	crypto::ed25519::{PublicKey, Signature},
};
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	/// Returns the genesis hash, which is part of everything that is signed.
	pub(crate) fn genesis_hash() -> H256 {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
	}

	/// Changes the number of registered parties of a role.
	fn count_party(
		role: PartyRole,
		change: impl FnOnce(u32) -> Option<u32>,
	) -> Result<(), Error<T>> {
		Sums::<T>::try_mutate(|sums| {
			// Registered coordinators take no seats; those that are admitted do.
			let (count, most) = match role {
				PartyRole::Coordinator => (&mut sums.coordinators, u32::MAX),
				PartyRole::Miner(_) => (&mut sums.miners, T::MaxMiners::get()),
			};
			let changed = change(*count).filter(|changed| *changed <= most);
			*count = changed.ok_or(Error::<T>::MaxPartiesExceeded)?;
			Ok(())
		})
	}

	/// [`Pallet::register_coordinator`] and [`Pallet::register_miner`] without the origin.
	pub(crate) fn do_register(
		account: T::AccountId,
		key: PublicKey,
		role: PartyRole,
		proof: &Signature,
	) -> DispatchResult {
		Self::ensure_unused(&key)?;
		Self::count_party(role, |count| count.checked_add(1))?;
		let statement = Registration { role, account: account.clone().into() };
		let proven = statement.verify(&Self::genesis_hash(), &key, proof);
		proven.map_err(|_| Error::<T>::BadProof)?;
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		let history = Self::remembered(&key, &account, parameters.offence_memory_ms, now);
		ensure!(now >= history.banned_until_ms, Error::<T>::Banned);
		let bond = match role {
			PartyRole::Coordinator => parameters.coordinator_bond,
			PartyRole::Miner(_) => parameters.miner_bond,
		};
		T::Currency::hold(&HoldReason::Bond.into(), &account, bond)?;
		let mut party = Party::new(role, account.clone(), bond, now);
		party.offences = history.offences;
		Parties::<T>::insert(key, party);
		Self::deposit_event(Event::Registered { key, role, account, bond });
		Ok(())
	}

	/// Returns what is remembered of a key and an account. Rows in which nothing counts any more are
	/// removed.
	fn remembered(key: &PublicKey, account: &T::AccountId, memory_ms: u64, now: u64) -> History {
		let account: [u8; 32] = account.clone().into();
		let recall = |who: &[u8; 32]| {
			let history = Histories::<T>::get(who);
			if history != History::default() && history.is_over(now, memory_ms) {
				Histories::<T>::remove(who);
				return History::default();
			}
			history
		};
		recall(key).merged(recall(&account))
	}

	/// Changes what is remembered of a party's key and of its account.
	pub(crate) fn remember(key: &PublicKey, account: &T::AccountId, change: impl Fn(&mut History)) {
		let account: [u8; 32] = account.clone().into();
		Histories::<T>::mutate(key, &change);
		if account != *key {
			Histories::<T>::mutate(account, &change);
		}
	}

	/// [`Pallet::ban`] without the origin.
	pub(crate) fn do_ban(key: PublicKey, until_ms: u64) -> DispatchResult {
		let mut party = Parties::<T>::get(key).ok_or(Error::<T>::UnknownParty)?;
		party.banned_until_ms = until_ms;
		Self::remember(&key, &party.account, |history| history.banned_until_ms = until_ms);
		Parties::<T>::insert(key, party);
		Self::deposit_event(Event::BanSet { key, until_ms });
		Ok(())
	}

	/// [`Pallet::forfeit`] without the origin.
	pub(crate) fn do_forfeit(key: PublicKey) -> DispatchResult {
		Self::roll(T::Time::now());
		let mut party = Parties::<T>::get(key).ok_or(Error::<T>::UnknownParty)?;
		Self::convert(&mut party);
		let amount = core::mem::take(&mut party.accrued);
		let pending = party.pending.claim > 0;
		let waits = Self::has_waiting(&key);
		ensure!(amount > 0 || pending || waits, Error::<T>::NothingDue);
		if pending {
			party.forfeits = Some(party.pending.step);
		}
		if waits {
			let before = ChannelTotals::<T>::get().batches;
			TakenOf::<T>::mutate(key, |taken| taken.mint_before = before);
		}
		Sums::<T>::mutate(|sums| sums.promised = sums.promised.saturating_sub(amount));
		Parties::<T>::insert(key, party);
		Self::deposit_event(Event::Forfeited { key, amount, pending });
		Ok(())
	}

	/// [`Pallet::stay`] without the origin.
	pub(crate) fn do_stay(account: T::AccountId, key: PublicKey) -> DispatchResult {
		let mut party = Self::owned_party(&account, &key)?;
		ensure!(party.leaving_ms.is_some(), Error::<T>::Unchanged);
		(party.leaving_ms, party.left_ms) = (None, 0);
		Parties::<T>::insert(key, party);
		Self::deposit_event(Event::Stayed { key });
		Ok(())
	}

	/// Returns the party with a key if `account` is its owner.
	pub(crate) fn owned_party(
		account: &T::AccountId,
		key: &PublicKey,
	) -> Result<Party<T::AccountId>, Error<T>> {
		let party = Parties::<T>::get(key).ok_or(Error::<T>::UnknownParty)?;
		ensure!(party.account == *account, Error::<T>::NotOwner);
		Ok(party)
	}

	/// [`Pallet::raise_bond`] without the origin.
	pub(crate) fn do_raise_bond(
		account: T::AccountId,
		key: PublicKey,
		amount: u128,
	) -> DispatchResult {
		let mut party = Self::owned_party(&account, &key)?;
		party.bond = party.bond.checked_add(amount).ok_or(Error::<T>::Overflow)?;
		T::Currency::hold(&HoldReason::Bond.into(), &account, amount)?;
		Self::deposit_event(Event::BondRaised { key, bond: party.bond });
		Parties::<T>::insert(key, party);
		Ok(())
	}

	/// [`Pallet::leave`] without the origin.
	pub(crate) fn do_leave(account: T::AccountId, key: PublicKey) -> DispatchResult {
		let mut party = Self::owned_party(&account, &key)?;
		ensure!(party.leaving_ms.is_none(), Error::<T>::Leaving);
		let now = T::Time::now();
		let until_ms = now.saturating_add(Parameters::<T>::get().unbonding_ms);
		(party.leaving_ms, party.left_ms) = (Some(until_ms), now);
		Parties::<T>::insert(key, party);
		Self::deposit_event(Event::Leaving { key, until_ms });
		Ok(())
	}

	/// [`Pallet::withdraw`] without the origin.
	pub(crate) fn do_withdraw(account: T::AccountId, key: PublicKey) -> DispatchResult {
		let mut party = Self::owned_party(&account, &key)?;
		let now = T::Time::now();
		let free = party.leaving_ms.is_some_and(|until| now >= until);
		let free = free && !Self::has_demands(&account) && !Self::is_bond_held(&key);
		ensure!(free && !party.is_banned(now), Error::<T>::NotYet);
		if Parameters::<T>::get().slashing {
			Self::slash_due(&key, &mut party, now)?;
			// A slash in its grace period can still be cancelled.
			ensure!(party.slashes.is_empty(), Error::<T>::NotYet);
		}
		Self::roll(now);
		Self::convert(&mut party);
		ensure!(party.pending.claim == 0, Error::<T>::NotYet);
		let paid = Self::pay_if_minting(&key, &mut party);
		let (reason, bond) = (HoldReason::Bond.into(), party.bond);
		// A stopped mint, or its cap, holds no bond: what was earned stays claimable, in this row. Nor
		// does a window that stands still.
		ensure!(paid.is_ok() || bond > 0, Error::<T>::MintStopped);
		let waits = Self::has_waiting(&key);
		ensure!(!waits || bond > 0, Error::<T>::NotYet);
		T::Currency::release(&reason, &party.account, bond, Precision::Exact)?;
		if paid.is_err() || waits {
			party.bond = 0;
			// There is nothing left of which a slash could be taken.
			party.slashes.clear();
			Parties::<T>::insert(key, party);
			Self::deposit_event(Event::Left { key, bond });
			return Ok(());
		}
		Self::count_party(party.role, |count| count.checked_sub(1))?;
		Parties::<T>::remove(key);
		Activities::<T>::remove(key);
		Admitted::<T>::remove(key);
		Self::forget_exchanges(&key);
		TakenOf::<T>::remove(key);
		// Nothing is open: what is left says when it was last absent.
		DemandsTo::<T>::remove(&account);
		Self::deposit_event(Event::Left { key, bond });
		Ok(())
	}

	/// Pays what a party has earned, if it has earned something and minting is possible.
	fn pay_if_minting(key: &PublicKey, party: &mut Party<T::AccountId>) -> DispatchResult {
		if party.accrued == 0 {
			return Ok(());
		}
		Self::ensure_minting()?;
		with_storage_layer(|| Self::pay_party(key, party))
	}

	/// [`Pallet::admit_coordinator`] without the origin.
	pub(crate) fn do_admit(key: PublicKey) -> DispatchResult {
		let coordinator = Parties::<T>::get(key).filter(|party| party.class().is_none());
		ensure!(coordinator.is_some(), Error::<T>::UnknownParty);
		ensure!(!Admitted::<T>::contains_key(key), Error::<T>::Unchanged);
		let free = Admitted::<T>::count() < T::MaxCoordinators::get();
		ensure!(free, Error::<T>::MaxPartiesExceeded);
		Admitted::<T>::insert(key, ());
		Self::deposit_event(Event::CoordinatorAdmitted { key });
		Ok(())
	}

	/// [`Pallet::exclude_coordinator`] without the origin.
	pub(crate) fn do_exclude(key: PublicKey) -> DispatchResult {
		ensure!(Admitted::<T>::take(key).is_some(), Error::<T>::NotAdmitted);
		Self::deposit_event(Event::CoordinatorExcluded { key });
		Ok(())
	}

	/// Checks a heartbeat, all but its signature. Returns the miner's activity.
	fn check_heartbeat(
		heartbeat: &Heartbeat,
		parameters: &ComputeParameters,
		now: u64,
	) -> Result<Activity, Error<T>> {
		let near = heartbeat.time_ms.abs_diff(now) <= MAX_CLOCK_SKEW_MS;
		ensure!(near, Error::<T>::UntimelyHeartbeat);
		let party = Parties::<T>::get(heartbeat.miner).ok_or(Error::<T>::UnknownParty)?;
		ensure!(party.class().is_some(), Error::<T>::UnknownParty);
		let activity = Activities::<T>::get(heartbeat.miner);
		let soonest = activity.heartbeat_ms.saturating_add(parameters.heartbeat_min_ms);
		let timely = activity.heartbeat_ms == 0 || heartbeat.time_ms >= soonest;
		ensure!(timely, Error::<T>::UntimelyHeartbeat);
		Ok(activity)
	}

	/// Checks that all of these heartbeats are good, and each of another miner.
	pub(crate) fn check_heartbeats(heartbeats: &[SignedHeartbeat]) -> DispatchResult {
		ensure!(!heartbeats.is_empty(), Error::<T>::InvalidList);
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		let mut miners = alloc::collections::BTreeSet::new();
		for SignedHeartbeat { heartbeat, .. } in heartbeats {
			ensure!(miners.insert(heartbeat.miner), Error::<T>::InvalidList);
			Self::check_heartbeat(heartbeat, &parameters, now)?;
		}
		let genesis = Self::genesis_hash();
		for signed in heartbeats {
			signed.verify(&genesis).map_err(|_| Error::<T>::BadSignature)?;
		}
		Ok(())
	}

	/// [`Pallet::heartbeats`] without the origin.
	pub(crate) fn do_heartbeats(heartbeats: &[SignedHeartbeat]) -> DispatchResult {
		Self::check_heartbeats(heartbeats)?;
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		for SignedHeartbeat { heartbeat, .. } in heartbeats {
			let Heartbeat { miner, time_ms } = *heartbeat;
			let mut activity = Self::check_heartbeat(heartbeat, &parameters, now)?;
			activity.advance(now);
			let passed = time_ms.saturating_sub(activity.heartbeat_ms);
			if activity.heartbeat_ms > 0 && passed <= parameters.heartbeat_max_ms {
				activity.add_online(passed);
			}
			activity.heartbeat_ms = time_ms;
			Activities::<T>::insert(miner, activity);
			Self::deposit_event(Event::HeartbeatTaken { miner, time_ms });
		}
		Ok(())
	}

	/// Returns a miner's score after its offences, 0 … 10,000.
	pub(crate) fn effective_score(
		party: &Party<T::AccountId>,
		activity: &Activity,
		parameters: &ComputeParameters,
		now: u64,
	) -> u32 {
		let offences = party.offences_at(now, parameters.offence_memory_ms);
		let score = activity.score_inputs().score().score;
		score::after_offences(score, parameters.score_cut, offences)
	}

	/// Returns an error if the breaker has stopped minting.
	pub(crate) fn ensure_minting() -> Result<(), DispatchError> {
		ensure!(BreakerLevel::<T>::get() == Breaker::Closed, Error::<T>::MintStopped);
		Ok(())
	}
}
