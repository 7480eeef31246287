//! What distinguishes one meter from all others: its name, its serial number, its seal, its key; and what is
//! left of them when a meter has gone.

use crate::{pallet::*, types::*};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::{Time, fungible::hold::Mutate as _},
};
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	energy::{Certificate, LastSeen, MeterIndex, MeterName, SealId, SerialNumber, is_plain_number},
};
use sp_io::hashing::blake2_256;
use sp_runtime::traits::{Saturating, Zero};

/// Those among whom a serial number or a seal is unique: all meters that mint (`None`), or the meters of
/// one organisation that do not.
pub(crate) type Scope = Option<OrganisationIndex>;

/// What is unique. The numbers are part of what is hashed.
enum Mark<'a> {
	Name(&'a MeterName),
	Serial(Scope, &'a SerialNumber),
	/// In place of a serial number, for a meter that was certified before there were any.
	NoSerial(&'a MeterName),
	Seal(Scope, &'a SealId),
	Key(&'a PublicKey),
}

impl Mark<'_> {
	fn hash(&self) -> H256 {
		H256(match self {
			Self::Name(name) => (0u8, (*name).clone().folded()).using_encoded(blake2_256),
			Self::Serial(scope, number) => {
				(1u8, scope, number.to_ascii_lowercase()).using_encoded(blake2_256)
			},
			Self::Seal(scope, seal) => {
				(2u8, scope, seal.to_ascii_lowercase()).using_encoded(blake2_256)
			},
			Self::Key(key) => (3u8, key).using_encoded(blake2_256),
			Self::NoSerial(name) => (4u8, (*name).clone().folded()).using_encoded(blake2_256),
		})
	}
}

/// Returns the marks that a meter in service holds.
pub(crate) fn marks_of<AccountId>(certificate: &Certificate<AccountId>, scope: Scope) -> [H256; 3] {
	let serial = if certificate.serial.is_empty() {
		Mark::NoSerial(&certificate.name)
	} else {
		Mark::Serial(scope, &certificate.serial)
	};
	[
		Mark::Name(&certificate.name).hash(),
		serial.hash(),
		Mark::Seal(scope, &certificate.seal).hash(),
	]
}

impl<T: Config> Pallet<T> {
	/// Checks that a serial number or a seal is one that a person can tell from any other.
	pub(crate) fn check_number(number: &[u8]) -> DispatchResult {
		ensure!(is_plain_number(number), Error::<T>::BadNumber);
		Ok(())
	}

	/// Checks that no meter in service has this name, in lower case.
	pub(crate) fn check_name(name: &MeterName) -> DispatchResult {
		name.check_plain().map_err(|_| Error::<T>::BadName)?;
		let taken = MeterNames::<T>::contains_key(name)
			|| Numbers::<T>::contains_key(Mark::Name(name).hash());
		ensure!(!taken, Error::<T>::NameTaken);
		Ok(())
	}

	/// Checks that no meter among those of the organisation, and none that mints if this one does, has
	/// this serial number.
	pub(crate) fn check_serial(
		serial: &SerialNumber,
		organisation: OrganisationIndex,
		mints: bool,
	) -> DispatchResult {
		Self::check_number(serial)?;
		let taken = |scope| Numbers::<T>::contains_key(Mark::Serial(scope, serial).hash());
		let is_taken = taken(Some(organisation)) || (mints && taken(None));
		ensure!(!is_taken, Error::<T>::NumberTaken);
		Ok(())
	}

	/// As [`Self::check_serial`], for a seal.
	pub(crate) fn check_seal(
		seal: &SealId,
		organisation: OrganisationIndex,
		mints: bool,
	) -> DispatchResult {
		Self::check_number(seal)?;
		let taken = |scope| Numbers::<T>::contains_key(Mark::Seal(scope, seal).hash());
		let is_taken = taken(Some(organisation)) || (mints && taken(None));
		ensure!(!is_taken, Error::<T>::NumberTaken);
		Ok(())
	}

	/// As [`Self::check_seal`], for a seal that replaces another one: it must never have been on any
	/// meter.
	pub(crate) fn check_new_seal(
		seal: &SealId,
		organisation: OrganisationIndex,
		mints: bool,
	) -> DispatchResult {
		Self::check_seal(seal, organisation, mints)?;
		let used = [None, Some(organisation)]
			.into_iter()
			.any(|scope| Tombstones::<T>::contains_key(Mark::Seal(scope, seal).hash()));
		ensure!(!used, Error::<T>::NumberTaken);
		Ok(())
	}

	/// Returns `true` if this key has signed for a meter that has another one now, or is gone.
	pub(crate) fn is_retired(key: &PublicKey) -> bool {
		Tombstones::<T>::contains_key(Mark::Key(key).hash())
	}

	/// Returns what is left of what was ever stated under this name, serial number or seal; of debts, only
	/// what was left at `after_ms` or later.
	///
	/// A serial number or a seal is the device's: what its register shows more by now, it drew unseen. A
	/// name is not, but for a device from before there were serial numbers.
	pub(crate) fn remembered(
		name: &MeterName,
		serial: &SerialNumber,
		seal: Option<&SealId>,
		organisation: OrganisationIndex,
		import_wh: u64,
		after_ms: u64,
	) -> Left {
		let (own, now) = (Some(organisation), T::Time::now());
		let tolerance_ppt = LimitsInUse::<T>::get().batch.tolerance_ppt;
		let mut left = Left::default();
		let marks = [
			Some(Mark::Name(name)),
			seal.map(|_| Mark::NoSerial(name)),
			Some(Mark::Serial(None, serial)),
			Some(Mark::Serial(own, serial)),
			seal.map(|seal| Mark::Seal(None, seal)),
			seal.map(|seal| Mark::Seal(own, seal)),
		];
		for mark in marks.into_iter().flatten() {
			let Some(tombstone) = Tombstones::<T>::get(mark.hash()) else { continue };
			left.until_ms = left.until_ms.max(tombstone.until_ms);
			if tombstone.gone_ms < after_ms {
				continue;
			}
			left.owed_wh = left.owed_wh.max(tombstone.owed_wh);
			let last = tombstone.last.filter(|_| !matches!(mark, Mark::Name(_)));
			if let Some(last) = last {
				left.add_device(last.meter, last.drawn_wh(import_wh, now, tolerance_ppt));
			}
		}
		left
	}

	/// Forgets the registers of a device without a serial number that had this name: another one, with
	/// its serial number, has taken them over.
	pub(crate) fn number_device(name: &MeterName) {
		let mark = Mark::NoSerial(name).hash();
		if let Some(tombstone) = Tombstones::<T>::get(mark) {
			Tombstones::<T>::insert(mark, Tombstone { last: None, ..tombstone });
		}
	}

	/// Gives a meter the marks that are not taken yet.
	pub(crate) fn take_marks(meter: MeterIndex, marks: [H256; 3]) {
		for mark in marks {
			if !Numbers::<T>::contains_key(mark) {
				Numbers::<T>::insert(mark, meter);
			}
		}
	}

	/// Takes from a meter those of these marks that are its own.
	pub(crate) fn free_marks(meter: MeterIndex, marks: [H256; 3]) {
		for mark in marks {
			if Numbers::<T>::get(mark) == Some(meter) {
				Numbers::<T>::remove(mark);
			}
		}
	}

	/// Leaves a tombstone: what has this mark again begins no earlier. What an earlier one says of debts
	/// and registers was counted when the meter that goes now got its mark.
	fn bury(mark: H256, until_ms: u64, owed_wh: u64, last: Option<LastSeen>) {
		Tombstones::<T>::mutate(mark, |known| {
			let until_ms = known.map_or(0, |known| known.until_ms).max(until_ms);
			*known = Some(Tombstone { until_ms, owed_wh, gone_ms: T::Time::now(), last });
		});
	}

	/// Leaves the tombstones of a meter that goes out of service.
	pub(crate) fn bury_meter(
		certificate: &Certificate<T::AccountId>,
		scope: Scope,
		until_ms: u64,
		owed_wh: u64,
		last: LastSeen,
	) {
		for mark in marks_of(certificate, scope) {
			Self::bury(mark, until_ms, owed_wh, Some(last));
		}
		Self::bury_key(&certificate.device, until_ms);
	}

	/// Leaves the tombstone of a key: it never signs for a meter again.
	pub(crate) fn bury_key(key: &PublicKey, until_ms: u64) {
		Self::bury(Mark::Key(key).hash(), until_ms, 0, None);
	}

	/// Leaves the tombstone of a seal that was replaced.
	pub(crate) fn bury_seal(seal: &SealId, scope: Scope, until_ms: u64) {
		Self::bury(Mark::Seal(scope, seal).hash(), until_ms, 0, None);
	}

	/// Leaves the tombstone of a meter that was replaced by another one, which owes in its place.
	pub(crate) fn bury_serial(serial: &SerialNumber, scope: Scope, until_ms: u64, last: LastSeen) {
		Self::bury(Mark::Serial(scope, serial).hash(), until_ms, 0, Some(last));
	}

	/// Holds the deposit for tombstones. They stay, and so does it.
	pub(crate) fn hold_for_tombstones(who: &T::AccountId, deposit: BalanceOf<T>) -> DispatchResult {
		if deposit.is_zero() {
			return Ok(());
		}
		T::Currency::hold(&HoldReason::Tombstone.into(), who, deposit)?;
		TombstoneDeposits::<T>::mutate(who, |held| held.saturating_accrue(deposit));
		Ok(())
	}

	/// Returns the deposit for the tombstones of one meter.
	pub(crate) fn tombstone_deposit() -> BalanceOf<T> {
		T::TombstoneDeposit::get()
	}
}
