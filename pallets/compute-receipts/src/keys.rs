//! Exchange of a party's key: bond, score and history continue under the new one, and what the old one
//! signed is still answered for.

use crate::{pallet::*, types::*};
use frame_support::{ensure, pallet_prelude::DispatchResult, traits::Time};
use gridproof_primitives::{
	compute::{KEY_EXCHANGE_MS, Registration},
	crypto::ed25519::{PublicKey, Signature},
};

impl<T: Config> Pallet<T> {
	/// Returns the key under which the party is registered now that signed with `key`, about a job
	/// that was opened at `opened_ms`. What an old key signs about later jobs is nobody's.
	pub(crate) fn current_key(key: &PublicKey, opened_ms: u64) -> PublicKey {
		if Parties::<T>::contains_key(key) {
			return *key;
		}
		let next = Successors::<T>::get(key).filter(|next| opened_ms < next.time_ms);
		next.map_or(*key, |next| next.key)
	}

	/// Returns an error if a key is that of a party, or was until it was exchanged.
	pub(crate) fn ensure_unused(key: &PublicKey) -> Result<(), Error<T>> {
		let used = Parties::<T>::contains_key(key) || Successors::<T>::contains_key(key);
		ensure!(!used, Error::<T>::KeyInUse);
		Ok(())
	}

	/// [`Pallet::exchange_key`] without the origin.
	pub(crate) fn do_exchange_key(
		account: T::AccountId,
		key: PublicKey,
		new: PublicKey,
		proof: &Signature,
	) -> DispatchResult {
		let party = Self::owned_party(&account, &key)?;
		Self::ensure_unused(&new)?;
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		// One old key at a time is answered for: until nothing that it signed can be reported.
		let last = Former::<T>::get(key).and_then(Successors::<T>::get);
		let over = |last: Exchange| now >= last.time_ms.saturating_add(parameters.unbonding_ms);
		ensure!(last.is_none_or(over), Error::<T>::NotYet);
		let statement = Registration { role: party.role, account: account.into() };
		let proven = statement.verify(&Self::genesis_hash(), &new, proof);
		proven.map_err(|_| Error::<T>::BadProof)?;
		ensure!(now >= Histories::<T>::get(new).banned_until_ms, Error::<T>::Banned);
		let until_ms = now.saturating_add(KEY_EXCHANGE_MS);
		Exchanges::<T>::insert(key, Exchange { key: new, time_ms: until_ms });
		Self::deposit_event(Event::KeyExchanging { key, new, until_ms });
		Ok(())
	}

	/// [`Pallet::keep_key`] without the origin.
	pub(crate) fn do_keep_key(account: T::AccountId, key: PublicKey) -> DispatchResult {
		Self::owned_party(&account, &key)?;
		ensure!(Exchanges::<T>::take(key).is_some(), Error::<T>::NothingDue);
		Self::deposit_event(Event::KeyKept { key });
		Ok(())
	}

	/// [`Pallet::complete_exchange`] without the origin.
	pub(crate) fn do_complete_exchange(key: PublicKey) -> DispatchResult {
		let Exchange { key: new, time_ms } =
			Exchanges::<T>::take(key).ok_or(Error::<T>::NothingDue)?;
		let now = T::Time::now();
		ensure!(now >= time_ms, Error::<T>::NotYet);
		Self::ensure_unused(&new)?;
		let party = Parties::<T>::take(key).ok_or(Error::<T>::UnknownParty)?;
		Parties::<T>::insert(new, party);
		if Activities::<T>::contains_key(key) {
			Activities::<T>::insert(new, Activities::<T>::take(key));
		}
		if Admitted::<T>::take(key).is_some() {
			Admitted::<T>::insert(new, ());
		}
		let history = Histories::<T>::get(key);
		if history != History::default() {
			let own = Histories::<T>::get(new);
			Histories::<T>::insert(new, own.merged(history));
		}
		Self::forget_former(&key);
		if TakenOf::<T>::contains_key(key) {
			TakenOf::<T>::insert(new, TakenOf::<T>::get(key));
		}
		if BondHolds::<T>::contains_key(key) {
			BondHolds::<T>::insert(new, BondHolds::<T>::take(key));
		}
		Successors::<T>::insert(key, Exchange { key: new, time_ms: now });
		Former::<T>::insert(new, key);
		Self::deposit_event(Event::KeyExchanged { key, new });
		Ok(())
	}

	/// Removes what is remembered of the key that a party had before.
	fn forget_former(key: &PublicKey) {
		if let Some(former) = Former::<T>::take(key) {
			Successors::<T>::remove(former);
			TakenOf::<T>::remove(former);
		}
	}

	/// Removes everything about a party's exchanges: it has left.
	pub(crate) fn forget_exchanges(key: &PublicKey) {
		Exchanges::<T>::remove(key);
		Self::forget_former(key);
	}
}
