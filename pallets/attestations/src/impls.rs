//! Rules behind the calls.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::boxed::Box;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchError, DispatchResult, Get, InvalidTransaction, PalletInfoAccess,
		TransactionSource, TransactionValidityError, TransactionValidityWithRefund,
		ValidTransaction, Weight,
	},
	traits::Time,
};
use frame_system::pallet_prelude::BlockNumberFor;
use gridproof_primitives::{
	H256,
	codec::SECOND_LIST,
	crypto::ed25519::{self, PublicKey},
	reserve::archive::{self, ArchiveProof},
	reserve::attestation::{
		AttestationFields, AttestationHandler, Kind, ROLE_COUNT, Role, THRESHOLD, verify_statement,
	},
	time::calendar::DayClock,
	time::day::Day,
};
use sp_runtime::traits::Zero;

/// Statement that passed every check.
pub(crate) struct Checked<BlockNumber> {
	/// Hash of its fields (blake2-256 of their SCALE encoding).
	pub statement: H256,
	/// Roles that signed it, each with its key.
	pub signers: Signers,
	/// Attestation that it revises; `None` for the first statement of a day.
	pub replaces: Option<Attestation<BlockNumber>>,
}

impl<T: Config> Pallet<T> {
	/// Makes every check of a submission, cheapest first; see [`Pallet::submit`].
	pub(crate) fn check(
		fields: &AttestationFields,
		digest: &H256,
		signatures: &Signatures,
	) -> Result<Checked<BlockNumberFor<T>>, DispatchError> {
		ensure!(!Paused::<T>::get(), Error::<T>::Paused);
		let count = u32::try_from(signatures.len()).unwrap_or(u32::MAX);
		ensure!(count >= THRESHOLD, Error::<T>::TooFewSignatures);
		ensure!(signatures.is_sorted_by(|a, b| a.role < b.role), Error::<T>::UnsortedSigners);
		ensure!(OpenKinds::<T>::contains_key(fields.kind), Error::<T>::KindClosed);
		fields.check().map_err(|_| Error::<T>::Inconsistent)?;
		Self::check_day(fields.kind, fields.day)?;
		let replaces = Self::check_revision(fields)?;
		T::Handler::check(fields)?;
		let signers = Self::check_signatures(fields, digest, signatures)?;
		Ok(Checked { statement: fields.hash(), signers, replaces })
	}

	/// Checks that this day can be stated or revised now.
	fn check_day(kind: Kind, day: Day) -> DispatchResult {
		// A day's data is complete only when the day is over.
		ensure!(day < <Self as DayClock>::latest_today(), Error::<T>::FutureDay);
		let age = <Self as DayClock>::today().days_since(day);
		ensure!(age <= T::MaxAge::get().saturating_add(1), Error::<T>::AncientDay);
		let pruned = Archives::<T>::get(kind).pruned_through;
		ensure!(pruned.is_none_or(|pruned| day > pruned), Error::<T>::AncientDay);
		Ok(())
	}

	/// Checks that nothing is in force for the day, or exactly what the revision names; returns
	/// that.
	fn check_revision(
		fields: &AttestationFields,
	) -> Result<Option<Attestation<BlockNumberFor<T>>>, DispatchError> {
		let standing = Standing::<T>::get(fields.kind, fields.day);
		match (&standing, fields.replaces) {
			(None, None) => return Ok(None),
			(Some(_), None) => return Err(Error::<T>::AlreadyAttested.into()),
			(None, Some(_)) => return Err(Error::<T>::WrongReplacement.into()),
			(Some(standing), Some(named)) => {
				let next = standing.fields.revision.saturating_add(1);
				let right = standing.fields.hash() == named && fields.revision == next;
				ensure!(right, Error::<T>::WrongReplacement);
			},
		}
		ensure!(fields.revision <= T::MaxRevisions::get(), Error::<T>::TooManyRevisions);
		Ok(standing)
	}

	/// Verifies every signature with the key pinned to its role.
	fn check_signatures(
		fields: &AttestationFields,
		digest: &H256,
		signatures: &Signatures,
	) -> Result<Signers, DispatchError> {
		let keys = Keys::<T>::get();
		let mut signers = Signers::new();
		for signature in signatures {
			let pinned = keys.of(signature.role).as_ref().ok_or(Error::<T>::NoKey)?;
			signers
				.try_push((signature.role, pinned.key))
				.map_err(|_| Error::<T>::UnsortedSigners)?;
		}
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
		for (signature, (_, key)) in signatures.iter().zip(&signers) {
			verify_statement(fields, digest, &genesis, key, signature)
				.map_err(|_| Error::<T>::BadSignature)?;
		}
		Ok(signers)
	}

	/// Stores a checked statement and passes it to the handler.
	pub(crate) fn accept(
		fields: AttestationFields,
		digest: H256,
		checked: Checked<BlockNumberFor<T>>,
	) -> DispatchResult {
		let (kind, day, revision) = (fields.kind, fields.day, fields.revision);
		let Checked { statement, signers, replaces } = checked;
		match &replaces {
			Some(replaced) => Self::archive_entry(replaced, None),
			None => Self::add_day(kind, day)?,
		}
		let attestation = Attestation {
			fields: fields.clone(),
			digest,
			signers: signers.clone(),
			accepted: Self::timepoint(),
		};
		Standing::<T>::insert(kind, day, attestation);
		Self::deposit_event(Event::Accepted { kind, day, revision, statement, digest, signers });
		T::Handler::on_accepted(&fields, statement)
	}

	/// Lists a new day, and makes room for it by pruning the oldest.
	fn add_day(kind: Kind, day: Day) -> DispatchResult {
		let mut days = Days::<T>::get(kind);
		if days.is_full()
			&& let Some(oldest) = days.first().copied()
		{
			// The new day would itself be the oldest: there is no room for it.
			ensure!(day > oldest, Error::<T>::AncientDay);
			days.remove(0);
			if let Some(pruned) = Standing::<T>::take(kind, oldest) {
				Self::archive_entry(&pruned, Some(oldest));
			}
		}
		let place = days.partition_point(|listed| *listed < day);
		days.try_insert(place, day).map_err(|_| Error::<T>::AncientDay)?;
		Days::<T>::insert(kind, days);
		Ok(())
	}

	/// Adds an attestation to the archive; `pruned` is its day if it leaves for its age.
	fn archive_entry(attestation: &Attestation<BlockNumberFor<T>>, pruned: Option<Day>) {
		let AttestationFields { kind, day, .. } = attestation.fields;
		let entry = attestation.entry();
		let mut archive = Archives::<T>::get(kind);
		let index = archive.length;
		archive.head = archive::next_head(&kind, index, archive.head, entry);
		archive.length = index.saturating_add(1);
		archive.pruned_through = pruned.or(archive.pruned_through);
		Archives::<T>::insert(kind, archive);
		let (statement, head) = (attestation.fields.hash(), archive.head);
		Self::deposit_event(Event::Archived { kind, day, statement, index, entry, head });
	}

	/// [`Pallet::verify_archived`].
	pub(crate) fn is_archived(
		attestation: &Attestation<BlockNumberFor<T>>,
		proof: &ArchiveProof,
	) -> bool {
		let kind = attestation.fields.kind;
		let archive = Archives::<T>::get(kind);
		// The length is compared first, so that a wrong proof costs no hashing.
		proof.length() == Some(archive.length)
			&& proof.head(&kind, attestation.entry()) == archive.head
	}

	/// [`Pallet::rotate_key`] without the origin.
	pub(crate) fn do_rotate_key(role: Role, new: Option<PublicKey>) -> DispatchResult {
		let mut keys = Keys::<T>::get();
		if let Some(key) = &new {
			ed25519::check_new_key(key).map_err(|_| Error::<T>::WeakKey)?;
			ensure!(!keys.contains(key), Error::<T>::KeyInUse);
			ensure!(!PastKeys::<T>::contains_key(key), Error::<T>::KeyInUse);
		}
		let now = Self::timepoint();
		let place = keys.of_mut(role);
		ensure!(place.is_some() || new.is_some(), Error::<T>::NothingToRemove);
		let old = place.take();
		*place = new.map(|key| PinnedKey { key, since: now });
		Keys::<T>::put(keys);
		if let Some(old) = &old {
			PastKeys::<T>::insert(old.key, ());
			RetiredKeys::<T>::mutate(role, |retired| {
				if retired.is_full() {
					retired.remove(0);
				}
				let entry = RetiredKey { key: old.key, since: old.since, until: now };
				// There is room: one was removed above.
				let _ = retired.try_push(entry);
			});
		}
		Self::deposit_event(Event::KeyRotated { role, old: old.map(|old| old.key), new });
		Ok(())
	}

	/// [`Pallet::key_at`].
	pub(crate) fn find_key_at(role: Role, time: u64) -> Option<PublicKey> {
		if let Some(pinned) = Keys::<T>::get().of(role)
			&& pinned.since.time <= time
		{
			return Some(pinned.key);
		}
		let retired = RetiredKeys::<T>::get(role);
		// Latest first: within one block a key may have been valid for no time at all.
		let valid = |key: &&RetiredKey<_>| key.since.time <= time && time < key.until.time;
		retired.iter().rev().find(valid).map(|retired| retired.key)
	}

	fn timepoint() -> Timepoint<BlockNumberFor<T>> {
		let block = frame_system::Pallet::<T>::block_number();
		Timepoint { block, time: T::Time::now() }
	}

	/// Decides whether a general transaction without a signer may enter pool and block.
	pub(crate) fn authorize_submit(
		_source: TransactionSource,
		fields: &Box<AttestationFields>,
		digest: &H256,
		signatures: &Signatures,
	) -> TransactionValidityWithRefund {
		Self::check(fields, digest, signatures).map_err(Self::refusal)?;
		let validity = ValidTransaction::with_tag_prefix("GridproofAttestation")
			.priority(T::SubmissionPriority::get())
			.longevity(T::SubmissionLongevity::get())
			.and_provides((fields.kind, fields.day, fields.revision, fields.replaces))
			.propagate(true)
			.into();
		Ok((validity, Weight::zero()))
	}

	/// Returns the refusal whose code says which error it was.
	pub(crate) fn refusal(error: DispatchError) -> TransactionValidityError {
		let code = match error {
			DispatchError::Module(error) => {
				let [code, ..] = error.error;
				if usize::from(error.index) == <Self as PalletInfoAccess>::index() {
					code
				} else {
					SECOND_LIST.saturating_add(code)
				}
			},
			_ => u8::MAX,
		};
		InvalidTransaction::Custom(code).into()
	}

	/// Returns the weight of [`Self::check`].
	pub(crate) fn weight_of_check(signatures: &Signatures) -> Weight {
		let count = u32::try_from(signatures.len()).unwrap_or(ROLE_COUNT);
		T::WeightInfo::authorize_submit(count).saturating_add(T::Handler::check_weight())
	}

	/// Returns the weight of a submission. With `feeless_check` it includes the check that the fee
	/// extension makes for signed transactions.
	pub(crate) fn weight_of_submit(signatures: &Signatures, feeless_check: bool) -> Weight {
		let count = u32::try_from(signatures.len()).unwrap_or(ROLE_COUNT);
		let weight = T::WeightInfo::submit(count)
			.saturating_add(T::Handler::check_weight())
			.saturating_add(T::Handler::accept_weight());
		if feeless_check {
			weight.saturating_add(Self::weight_of_check(signatures))
		} else {
			weight
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Returns the day at a time in UTC milliseconds; the first day as long as the calendar has not
	/// begun.
	fn day_at(time: u64) -> Day {
		let calendar = CalendarInUse::<T>::get();
		if calendar.has_begun() { calendar.day_at(time) } else { calendar.first_day }
	}
}

impl<T: Config> DayClock for Pallet<T> {
	fn now() -> u64 {
		T::Time::now()
	}

	fn today() -> Day {
		Self::day_at(T::Time::now())
	}

	fn latest_today() -> Day {
		let skew = CalendarInUse::<T>::get().skew();
		Self::day_at(T::Time::now().saturating_add(skew))
	}
}

#[cfg(any(feature = "std", feature = "try-runtime"))]
impl<T: Config> Pallet<T> {
	/// Checks the invariants that hold between any two blocks:
	///
	/// 1. The calendar is valid.
	/// 2. The days of a kind are listed once each, in order, after the last day pruned, and each
	///    has an attestation of that kind and day; no attestation is unlisted.
	/// 3. An attestation has at least two signers, in order and with different keys, and consistent
	///    fields; its revision is at most the bound.
	/// 4. An archive has a head exactly if it has entries.
	/// 5. No key is pinned twice, both pinned and retired, or weak; every retired key is known as
	///    one for ever, and no pinned one.
	/// 6. A role's retired keys follow each other in time.
	/// 7. A role's last stop has the number before its next one and ends after it begins; exactly
	///    one that only governance ends has used up the role's second stop, and none of those was
	///    lifted by the other roles.
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		ensure!(CalendarInUse::<T>::get().is_valid(), "1: invalid calendar");
		let mut listed = 0usize;
		for kind in Kind::ALL {
			let days = Days::<T>::get(kind);
			let archive = Archives::<T>::get(kind);
			ensure!(days.is_sorted_by(|a, b| a < b), "2: days out of order");
			ensure!(
				days.first().zip(archive.pruned_through).is_none_or(|(day, pruned)| *day > pruned),
				"2: a pruned day is listed"
			);
			for day in &days {
				let row = Standing::<T>::get(kind, day).ok_or("2: listed day without a row")?;
				ensure!(row.fields.kind == kind && row.fields.day == *day, "2: row misplaced");
				Self::try_attestation(&row)?;
			}
			listed = listed.saturating_add(days.len());
			ensure!((archive.length == 0) == archive.head.is_zero(), "4: head without entries");
		}
		ensure!(Standing::<T>::iter().count() == listed, "2: row without a listed day");
		Self::try_keys()?;
		Self::try_stops()
	}

	fn try_attestation(
		row: &Attestation<BlockNumberFor<T>>,
	) -> Result<(), sp_runtime::TryRuntimeError> {
		let signers = u32::try_from(row.signers.len()).unwrap_or(u32::MAX);
		ensure!(signers >= THRESHOLD, "3: too few signers");
		ensure!(row.signers.is_sorted_by(|a, b| a.0 < b.0), "3: signers out of order");
		let keys: alloc::collections::BTreeSet<_> = row.signers.iter().map(|s| s.1).collect();
		ensure!(keys.len() == row.signers.len(), "3: one key for two roles");
		ensure!(row.fields.check().is_ok(), "3: inconsistent fields");
		ensure!(row.fields.revision <= T::MaxRevisions::get(), "3: too many revisions");
		Ok(())
	}

	fn try_keys() -> Result<(), sp_runtime::TryRuntimeError> {
		let pinned = Keys::<T>::get();
		let mut seen = alloc::collections::BTreeSet::new();
		for role in Role::ALL {
			let retired = RetiredKeys::<T>::get(role);
			let current = pinned.of(role).iter().map(|pinned| pinned.key);
			for key in retired.iter().map(|retired| retired.key).chain(current) {
				ensure!(ed25519::check_key(&key).is_ok(), "5: weak key");
				ensure!(seen.insert(key), "5: key pinned twice");
			}
			let past = |key: &RetiredKey<_>| PastKeys::<T>::contains_key(key.key);
			ensure!(retired.iter().all(past), "5: a retired key is forgotten");
			let pinned = pinned.of(role).as_ref();
			let comes_back = pinned.is_some_and(|key| PastKeys::<T>::contains_key(key.key));
			ensure!(!comes_back, "5: a retired key came back");
			let in_order = |a: &RetiredKey<_>, b: &RetiredKey<_>| a.until.time <= b.since.time;
			ensure!(retired.is_sorted_by(in_order), "6: retired keys overlap");
			ensure!(
				retired.iter().all(|key| key.since.time <= key.until.time),
				"6: a key ended before it began"
			);
		}
		Ok(())
	}
}
