//! Verifiers: admission, bonds, keys, offences, and how many report.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get},
	traits::{
		Time,
		fungible::hold::Mutate as _,
		tokens::{Fortitude, Precision, Restriction},
	},
};
use gridproof_primitives::compute::{
	checks::{
		BatchId, CheckRefusal, MAX_HOLD_MS, MAX_VERIFIERS, QUORUM, VerifierKey, VerifierSignature,
		Waiting, key_payload, verify_signature,
	},
	emission::share_of,
};

impl<T: Config> Pallet<T> {
	/// Returns the chain's time in UTC milliseconds.
	pub(crate) fn now() -> u64 {
		T::Time::now()
	}

	/// Returns the time without that for which settlement was stopped: deadlines are by it.
	pub(crate) fn working_ms() -> u64 {
		Self::now().saturating_sub(T::Settlement::stopped_ms())
	}

	/// Returns a deadline in UTC milliseconds, if settlement is not stopped meanwhile.
	pub(crate) fn in_utc(deadline: u64) -> u64 {
		deadline.saturating_add(T::Settlement::stopped_ms())
	}

	/// Returns account and row of the verifier that uses a key, or did before.
	pub(crate) fn verifier_of(key: &VerifierKey) -> Result<(T::AccountId, Verifier), CheckRefusal> {
		let account = Keys::<T>::get(key).ok_or(CheckRefusal::UnknownVerifier)?;
		let row = Verifiers::<T>::get(&account).ok_or(CheckRefusal::UnknownVerifier)?;
		Ok((account, row))
	}

	/// Returns the accounts of the verifiers that take part now.
	pub(crate) fn fit_verifiers() -> Vec<T::AccountId> {
		let (bond, now) = (Parameters::<T>::get().verifier_bond, Self::now());
		let rows = Verifiers::<T>::iter().filter(|(_, row)| row.is_fit(bond, now));
		rows.map(|(account, _)| account).collect()
	}

	/// Returns the number of verifiers that draw of a batch that is touched now: its coordinator does not.
	pub(crate) fn drawing_verifiers(id: &BatchId) -> u32 {
		let (bond, now) = (Parameters::<T>::get().verifier_bond, Self::now());
		let coordinator = T::Settlement::account_of(&id.coordinator);
		let rows = Verifiers::<T>::iter().filter(|(account, row)| {
			let draws = row.is_fit(bond, now) && row.key_at(now).is_some();
			draws && Some(account) != coordinator.as_ref()
		});
		let count = rows.count();
		u32::try_from(count).unwrap_or(u32::MAX)
	}

	/// [`Pallet::admit_verifier`] without the origin.
	pub(crate) fn do_admit(account: T::AccountId) -> DispatchResult {
		ensure!(!Admitted::<T>::contains_key(&account), Error::<T>::AlreadyAdmitted);
		ensure!(Admitted::<T>::count() < MAX_VERIFIERS, Error::<T>::MaxVerifiersExceeded);
		Admitted::<T>::insert(&account, ());
		Self::deposit_event(Event::VerifierAdmitted { account });
		Ok(())
	}

	/// [`Pallet::dismiss_verifier`] without the origin.
	pub(crate) fn do_dismiss(account: T::AccountId) -> DispatchResult {
		ensure!(Admitted::<T>::contains_key(&account), Error::<T>::NotAdmitted);
		Self::dismiss(&account);
		Ok(())
	}

	/// [`Pallet::suspend_verifier`] without the origin.
	pub(crate) fn do_suspend(account: T::AccountId) -> DispatchResult {
		let mut row = Verifiers::<T>::get(&account).ok_or(Error::<T>::UnknownVerifier)?;
		let now = Self::now();
		let rested = row.suspended_ms == 0 || now >= row.suspended_ms.saturating_add(SUSPENSION_MS);
		ensure!(rested, Error::<T>::SuspendedLately);
		// With a third of all against them, two thirds of the others would still be needed to decide.
		let is_out = |row: &Verifier| row.suspended_ms > now;
		let out = Verifiers::<T>::iter_values().filter(is_out).count();
		let out = u32::try_from(out).unwrap_or(u32::MAX).saturating_add(1);
		let most = Admitted::<T>::count().checked_div(3).unwrap_or(0);
		ensure!(out <= most, Error::<T>::TooManySuspended);
		row.suspended_from_ms = now;
		row.suspended_ms = now.saturating_add(SUSPENSION_MS);
		let until_ms = row.suspended_ms;
		Verifiers::<T>::insert(&account, row);
		Self::deposit_event(Event::VerifierSuspended { account, until_ms });
		Ok(())
	}

	fn dismiss(account: &T::AccountId) {
		Admitted::<T>::remove(account);
		let now = Self::now();
		let free_ms = now.saturating_add(Parameters::<T>::get().unbonding_ms);
		Verifiers::<T>::mutate(account, |row| {
			if let Some(row) = row
				&& row.free_ms.is_none()
			{
				row.free_ms = Some(free_ms);
				row.left_ms = Some(now);
			}
		});
		Self::deposit_event(Event::VerifierDismissed { account: account.clone() });
	}

	/// Verifies that a key consents to an account, and that nobody uses it or did.
	fn check_key(
		account: &T::AccountId,
		key: &VerifierKey,
		proof: &VerifierSignature,
	) -> DispatchResult {
		ensure!(!Keys::<T>::contains_key(key), Error::<T>::KeyTaken);
		let payload = key_payload(&Self::genesis_hash(), &account.clone().into());
		ensure!(verify_signature(key, &payload, proof), Error::<T>::BadSignature);
		Ok(())
	}

	/// [`Pallet::register_verifier`] without the origin.
	pub(crate) fn do_register(
		account: T::AccountId,
		key: VerifierKey,
		proof: &VerifierSignature,
	) -> DispatchResult {
		ensure!(Admitted::<T>::contains_key(&account), Error::<T>::NotAdmitted);
		ensure!(!Verifiers::<T>::contains_key(&account), Error::<T>::AlreadyRegistered);
		ensure!(Verifiers::<T>::count() < MAX_ROWS, Error::<T>::MaxVerifiersExceeded);
		Self::check_key(&account, &key, proof)?;
		let bond = Parameters::<T>::get().verifier_bond;
		T::Currency::hold(&HoldReason::Bond.into(), &account, bond)?;
		let known = KnownKey { key, since_ms: Self::now() };
		Verifiers::<T>::insert(&account, Verifier::new(known, bond));
		Keys::<T>::insert(key, &account);
		Self::deposit_event(Event::VerifierRegistered { account, key, bond });
		Ok(())
	}

	/// [`Pallet::exchange_key`] without the origin.
	pub(crate) fn do_exchange(
		account: T::AccountId,
		key: VerifierKey,
		proof: &VerifierSignature,
	) -> DispatchResult {
		let mut row = Verifiers::<T>::get(&account).ok_or(Error::<T>::UnknownVerifier)?;
		let now = Self::now();
		let since = row.key.since_ms;
		let first = row.former.is_none();
		let rested = now >= since.saturating_add(KEY_EXCHANGE_GAP_MS);
		ensure!(first || rested, Error::<T>::ExchangedLately);
		Self::check_key(&account, &key, proof)?;
		if let Some(former) = row.former {
			Keys::<T>::remove(former.key);
		}
		row.former = Some(row.key);
		row.key = KnownKey { key, since_ms: now };
		Verifiers::<T>::insert(&account, row);
		Keys::<T>::insert(key, &account);
		Self::deposit_event(Event::KeyExchanged { account, key });
		Ok(())
	}

	/// [`Pallet::raise_bond`] without the origin.
	pub(crate) fn do_raise_bond(account: T::AccountId, amount: u128) -> DispatchResult {
		let mut row = Verifiers::<T>::get(&account).ok_or(Error::<T>::UnknownVerifier)?;
		let bond = row.bond.checked_add(amount).ok_or(Error::<T>::Overflow)?;
		T::Currency::hold(&HoldReason::Bond.into(), &account, amount)?;
		row.bond = bond;
		Verifiers::<T>::insert(&account, row);
		Self::deposit_event(Event::BondRaised { account, bond });
		Ok(())
	}

	/// [`Pallet::leave`] without the origin.
	pub(crate) fn do_leave(account: T::AccountId) -> DispatchResult {
		let row = Verifiers::<T>::get(&account).ok_or(Error::<T>::UnknownVerifier)?;
		ensure!(row.free_ms.is_none(), Error::<T>::Leaving);
		Self::dismiss(&account);
		Ok(())
	}

	/// [`Pallet::withdraw_bond`] without the origin.
	pub(crate) fn do_withdraw(account: T::AccountId) -> DispatchResult {
		let row = Verifiers::<T>::get(&account).ok_or(Error::<T>::UnknownVerifier)?;
		let now = Self::now();
		let free_ms = row.free_ms.filter(|free| *free <= now).ok_or(Error::<T>::BondNotFree)?;
		// It answers for what it has reported, but no stop keeps a bond for longer than a hold may last.
		let is_kept = row.pending > 0 && now < free_ms.saturating_add(MAX_HOLD_MS);
		ensure!(!is_kept, Error::<T>::BondNotFree);
		let exact = Precision::Exact;
		T::Currency::release(&HoldReason::Bond.into(), &account, row.bond, exact)?;
		for key in [Some(row.key), row.former].into_iter().flatten() {
			Keys::<T>::remove(key.key);
		}
		Verifiers::<T>::remove(&account);
		Self::note_quorum();
		Self::deposit_event(Event::VerifierLeft { account, bond: row.bond });
		Ok(())
	}

	/// Counts a report of a verifier, or one that it looks at again, about which something can be open.
	pub(crate) fn count_pending(account: &T::AccountId, begins: bool) {
		Verifiers::<T>::mutate(account, |row| {
			if let Some(row) = row {
				row.pending = if begins {
					row.pending.saturating_add(1)
				} else {
					row.pending.saturating_sub(1)
				};
			}
		});
	}

	/// Takes an amount out of a verifier's bond, at most what is there, for the treasury.
	pub(crate) fn take_of_bond(
		account: &T::AccountId,
		amount: u128,
	) -> Result<u128, DispatchError> {
		let Some(mut row) = Verifiers::<T>::get(account) else { return Ok(0) };
		let amount = amount.min(row.bond);
		if amount == 0 {
			return Ok(0);
		}
		let (reason, treasury) = (HoldReason::Bond.into(), T::Treasury::get());
		// No lock or vote of the owner keeps a slash away.
		let (exact, free, force) = (Precision::Exact, Restriction::Free, Fortitude::Force);
		T::Currency::transfer_on_hold(&reason, account, &treasury, amount, exact, free, force)?;
		row.bond = row.bond.saturating_sub(amount);
		Verifiers::<T>::insert(account, row);
		Ok(amount)
	}

	/// Punishes an offence of a verifier: part of its bond is the treasury's, and the third dismisses it.
	pub(crate) fn punish_verifier(account: &T::AccountId) -> DispatchResult {
		let Some(row) = Verifiers::<T>::get(account) else { return Ok(()) };
		let part = Parameters::<T>::get().verifier_slash;
		let slash = Self::take_of_bond(account, share_of(row.bond, part.into(), 1_000))?;
		let offences = row.offences.saturating_add(1);
		Verifiers::<T>::mutate(account, |row| {
			if let Some(row) = row {
				row.offences = offences;
			}
		});
		if offences >= DISMISSED_AFTER && Admitted::<T>::contains_key(account) {
			Self::dismiss(account);
		}
		Self::deposit_event(Event::VerifierPunished { account: account.clone(), slash, offences });
		Ok(())
	}

	/// Notes that a verifier has reported.
	pub(crate) fn note_report(account: &T::AccountId) {
		let now = Self::now();
		Verifiers::<T>::mutate(account, |row| {
			if let Some(row) = row {
				row.reports = row.reports.saturating_add(1);
				row.last_report_ms = now;
			}
		});
		Self::note_quorum();
	}

	/// Finds out until when enough verifiers have reported within a day, and says whether the mint's
	/// window stands still.
	pub(crate) fn note_quorum() {
		let mut times: Vec<_> =
			Verifiers::<T>::iter_values().map(|row| row.last_report_ms).collect();
		times.sort_unstable_by(|one, other| other.cmp(one));
		let index = usize::try_from(QUORUM).unwrap_or(usize::MAX).saturating_sub(1);
		let last = times.get(index).copied().filter(|time| *time > 0);
		QuorumUntil::<T>::put(last.map_or(0, |time| time.saturating_add(DAY_MS)));
		Self::tell_quorum();
	}

	/// Reports to the mint whether its window stands still, where that has changed.
	pub(crate) fn tell_quorum() {
		let now = Self::now();
		let still = now >= QuorumUntil::<T>::get();
		match (StillSince::<T>::get(), still) {
			(None, true) => {
				StillSince::<T>::put(now);
				T::Waiting::set_mint_still(true);
				Self::deposit_event(Event::MintStill { still });
			},
			(Some(since), false) => {
				StillSince::<T>::kill();
				Sums::<T>::mutate(|sums| {
					sums.still_ms = sums.still_ms.saturating_add(now.saturating_sub(since));
				});
				T::Waiting::set_mint_still(false);
				Self::deposit_event(Event::MintStill { still });
			},
			_ => {},
		}
	}
}
