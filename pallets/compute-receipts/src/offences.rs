//! Offences: reports, bans, slashes.

use crate::{pallet::*, types::*};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get},
	storage::with_storage_layer,
	traits::{
		Time,
		fungible::hold::Mutate as _,
		tokens::{Fortitude, Precision, Restriction},
	},
};
use gridproof_primitives::{
	H256,
	compute::emission::share_of,
	compute::score,
	compute::{ComputeParameters, Evidence, OffenceKind, Proven, Signer},
	crypto::ed25519::PublicKey,
};

impl<T: Config> Pallet<T> {
	/// [`Pallet::report_offence`] without the origin.
	pub(crate) fn do_report(reporter: T::AccountId, evidence: &Evidence) -> DispatchResult {
		ensure!(Jobs::<T>::contains_key(evidence.job_id()), Error::<T>::UnknownJob);
		let proven = evidence.check(&Self::genesis_hash());
		let Proven { kind, offender, job_id } = proven.map_err(|_| Error::<T>::InvalidEvidence)?;
		// A party answers for what its old key signed, too.
		let key = Self::current_key(&offender, 0);
		let mut party = Parties::<T>::get(key).ok_or(Error::<T>::UnknownParty)?;
		// A key commits an offence in the role in which it is registered, and in no other.
		let coordinates = party.class().is_none();
		let signed_as_coordinator = evidence.signer() == Signer::Coordinator;
		ensure!(coordinates == signed_as_coordinator, Error::<T>::UnknownParty);
		Self::note_report(reporter, job_id, offender, kind)?;
		let (slash, offences) = Self::punish(&key, &mut party);
		let banned = party.is_banned(T::Time::now());
		let banned_until_ms = if banned { party.banned_until_ms } else { 0 };
		Parties::<T>::insert(key, party);
		Self::deposit_event(Event::OffenceProven {
			offender,
			kind,
			job_id,
			offences,
			banned_until_ms,
			slash,
		});
		Ok(())
	}

	/// Records what was reported about a job. The first report of a party makes a row, and pays the
	/// deposit for it.
	fn note_report(
		reporter: T::AccountId,
		job_id: H256,
		offender: PublicKey,
		kind: OffenceKind,
	) -> DispatchResult {
		let mut reported = match Reports::<T>::get(job_id, offender) {
			Some(reported) => reported,
			None => {
				let deposit = T::ReportDeposit::get();
				Self::take_deposit(&reporter, deposit)?;
				Reported { kinds: ReportsOf::default(), reporter, deposit }
			},
		};
		ensure!(!reported.kinds.contains(&kind), Error::<T>::AlreadyReported);
		let pushed = reported.kinds.try_push(kind);
		pushed.map_err(|_| Error::<T>::MaxReportsExceeded)?;
		Reports::<T>::insert(job_id, offender, reported);
		Ok(())
	}

	/// Records an offence about a job in the party's row. Returns what will be slashed, and how many
	/// offences count now.
	fn punish(key: &PublicKey, party: &mut Party<T::AccountId>) -> (u128, u32) {
		// No more is ever to be slashed than there is.
		let left = party.bond.saturating_sub(party.pending_slash());
		let slash = share_of(party.bond, Parameters::<T>::get().slash.into(), 1_000).min(left);
		Self::record_offence(key, party, slash)
	}

	/// Records an offence in the party's row, and its slash, in 10⁻¹⁸ AIT, which is at most what no
	/// pending one takes. Returns what will be slashed, and how many offences count now.
	pub(crate) fn record_offence(
		key: &PublicKey,
		party: &mut Party<T::AccountId>,
		slash: u128,
	) -> (u128, u32) {
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		let ComputeParameters { offence_memory_ms, score_cut, ban_after, ban_ms, .. } = parameters;
		push_offence(&mut party.offences, now);
		let offences = party.offences_at(now, offence_memory_ms);
		if offences >= ban_after {
			party.banned_until_ms = party.banned_until_ms.max(now.saturating_add(ban_ms));
		}
		let banned_until_ms = party.banned_until_ms;
		Self::remember(key, &party.account, |history| {
			history.push(now);
			history.banned_until_ms = history.banned_until_ms.max(banned_until_ms);
		});
		party.pending.score = score::after_offences(party.pending.score, score_cut, 1);
		if !parameters.slashing || slash == 0 {
			return (0, offences);
		}
		let due = now.saturating_add(parameters.slash_grace_ms);
		if party.slashes.is_full()
			&& let Some((_, oldest)) = party.slashes.first().copied()
		{
			// The row is full: the oldest slash is carried out together with the next one.
			party.slashes.remove(0);
			if let Some((_, next)) = party.slashes.iter_mut().next() {
				*next = next.saturating_add(oldest);
			}
		}
		let _ = party.slashes.try_push((due, slash));
		(slash, offences)
	}

	/// Carries out the slashes that are due at `until`. Returns the amount, in 10⁻¹⁸ AIT.
	pub(crate) fn slash_due(
		key: &PublicKey,
		party: &mut Party<T::AccountId>,
		until: u64,
	) -> Result<u128, DispatchError> {
		let mut amount = 0u128;
		party.slashes.retain(|(due, slash)| {
			let is_due = *due <= until;
			if is_due {
				amount = amount.saturating_add(*slash);
			}
			!is_due
		});
		let amount = amount.min(party.bond);
		if amount == 0 {
			return Ok(0);
		}
		let (reason, treasury) = (HoldReason::Bond.into(), T::Treasury::get());
		// No lock or vote of the owner keeps a slash away.
		let (exact, free, force) = (Precision::Exact, Restriction::Free, Fortitude::Force);
		with_storage_layer(|| {
			T::Currency::transfer_on_hold(
				&reason,
				&party.account,
				&treasury,
				amount,
				exact,
				free,
				force,
			)
		})?;
		party.bond = party.bond.saturating_sub(amount);
		Self::deposit_event(Event::Slashed { key: *key, amount });
		Ok(amount)
	}

	/// [`Pallet::apply_slashes`] without the origin.
	pub(crate) fn do_apply_slashes(key: PublicKey) -> DispatchResult {
		ensure!(Parameters::<T>::get().slashing, Error::<T>::SlashingOff);
		let mut party = Parties::<T>::get(key).ok_or(Error::<T>::UnknownParty)?;
		let slashed = Self::slash_due(&key, &mut party, T::Time::now())?;
		ensure!(slashed > 0, Error::<T>::NothingDue);
		Parties::<T>::insert(key, party);
		Ok(())
	}

	/// [`Pallet::call_off_slashes`] without the origin.
	pub(crate) fn do_call_off_slashes(key: PublicKey) -> DispatchResult {
		let mut party = Parties::<T>::get(key).ok_or(Error::<T>::UnknownParty)?;
		let amount = party.pending_slash();
		ensure!(amount > 0, Error::<T>::NothingDue);
		party.slashes.clear();
		Parties::<T>::insert(key, party);
		Self::deposit_event(Event::SlashesCalledOff { key, amount });
		Ok(())
	}
}
