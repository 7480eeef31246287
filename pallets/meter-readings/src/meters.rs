//! Certification of meters, suspension, exchange and decommissioning.

use crate::{identity::marks_of, pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get},
	storage::{TransactionOutcome, with_transaction},
	traits::{
		Time,
		fungibles::{Inspect as _, Mutate as _},
		tokens::{Fortitude, Precision, Preservation},
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use gridproof_primitives::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature},
	energy::{
		Certificate, ExchangeConsent, MAX_CONSENT_MS, MeterIndex, MeterName, MeterState, Registers,
		SealId, SerialNumber, Suspension, check_possession,
	},
};
use sp_runtime::traits::{Verify, Zero};

/// What wallets put around bytes before they sign them, so that these cannot be a transaction.
const WRAP: (&[u8], &[u8]) = (b"<Bytes>", b"</Bytes>");

/// What a meter is after an exchange.
pub(crate) struct Exchange<Signature> {
	/// What the registers show, in Wh.
	pub registers: Registers,
	/// Maker and serial number.
	pub serial: SerialNumber,
	/// Id of the new seal.
	pub seal: SealId,
	/// New key of the device; `None` if it stays.
	pub device: Option<NewDevice<Signature>>,
}

impl<T: Config> Pallet<T> {
	/// Returns the hash of the genesis block: the chain that everything signed is for.
	pub(crate) fn genesis() -> H256 {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
	}

	/// Returns the rows of a meter in service.
	fn meter_in_service(meter: MeterIndex) -> Result<(MeterOf<T>, CertifiedOf<T>), DispatchError> {
		let row = Meters::<T>::get(meter).ok_or(Error::<T>::NoMeter)?;
		let certified = Certificates::<T>::get(meter).ok_or(Error::<T>::NoMeter)?;
		Ok((row, certified))
	}

	/// Checks that this is the meter's owner or an electrician of its organisation; `None` is
	/// governance.
	fn ensure_owner_or_electrician(
		who: Option<&T::AccountId>,
		meter: &MeterOf<T>,
		certified: &CertifiedOf<T>,
	) -> DispatchResult {
		let may = who.is_none_or(|who| {
			certified.certificate.owner == *who
				|| Members::<T>::contains_key(meter.organisation, who)
		});
		ensure!(may, Error::<T>::NotAuthorized);
		Ok(())
	}

	/// Checks that this electrician does not vouch for a meter of his own.
	fn ensure_not_owner(electrician: &T::AccountId, owner: &T::AccountId) -> DispatchResult {
		ensure!(electrician != owner, Error::<T>::OwnerCertifies);
		Ok(())
	}

	/// Checks that this key can sign for a meter of this owner, and that who has it agrees.
	fn check_device(
		device: &PublicKey,
		name: &MeterName,
		owner: &T::AccountId,
		possession: &Signature,
	) -> DispatchResult {
		ed25519::check_key(device).map_err(|_| Error::<T>::WeakKey)?;
		ensure!(!DeviceKeys::<T>::contains_key(device), Error::<T>::KeyInUse);
		ensure!(!Self::is_retired(device), Error::<T>::KeyRetired);
		// With an account of the same key the energy account would not be one of two.
		ensure!(T::EnergyAccounts::device_account(device) != *owner, Error::<T>::OwnerIsDevice);
		check_possession(&Self::genesis(), name, owner, device, possession)
			.map_err(|_| Error::<T>::BadPossession)?;
		Ok(())
	}

	/// Checks that the owner signed these bytes, and that his consent is valid now.
	fn check_consent(
		payload: &[u8],
		owner: &T::AccountId,
		valid_until_ms: u64,
		signature: &T::OwnerSignature,
	) -> DispatchResult {
		let now = T::Time::now();
		let lasts = now..=now.saturating_add(MAX_CONSENT_MS);
		ensure!(lasts.contains(&valid_until_ms), Error::<T>::ConsentExpired);
		let wrapped: Vec<u8> = [WRAP.0, payload, WRAP.1].concat();
		let signed =
			signature.verify(payload, owner) || signature.verify(wrapped.as_slice(), owner);
		ensure!(signed, Error::<T>::BadConsent);
		Ok(())
	}

	/// Checks that certified service begins a short time ago at most, not later than now, and not
	/// before the end of what the same meter stated before. Returns what that meter left.
	fn check_since(
		certification: &CertificationOf<T>,
		organisation: OrganisationIndex,
	) -> Result<Left, DispatchError> {
		let (now, since_ms) = (T::Time::now(), certification.since_ms);
		ensure!(since_ms <= now, Error::<T>::SinceTooLate);
		let earliest = now.saturating_sub(LimitsInUse::<T>::get().max_backdate_ms);
		let CertificationOf::<T> { name, serial, seal, registers, .. } = certification;
		let (seal, import_wh) = (Some(seal), registers.import_wh);
		let left = Self::remembered(name, serial, seal, organisation, import_wh, 0);
		ensure!(since_ms >= earliest.max(left.until_ms), Error::<T>::SinceTooEarly);
		Ok(left)
	}

	/// [`Pallet::certify_meter`] without the origin.
	pub(crate) fn do_certify(
		electrician: T::AccountId,
		organisation: OrganisationIndex,
		certification: CertificationOf<T>,
		consent: &T::OwnerSignature,
		possession: &Signature,
	) -> DispatchResult {
		let mut certifier = Self::ensure_electrician(&electrician, organisation)?;
		let mints = certifier.standing == OrganisationStanding::Admitted;
		let CertificationOf::<T> { ref name, ref owner, ref device, .. } = certification;
		Self::ensure_not_owner(&electrician, owner)?;
		Self::check_name(name)?;
		let power = certification.rated_power_w;
		ensure!(power > 0, Error::<T>::ZeroPower);
		ensure!(power <= LimitsInUse::<T>::get().max_rated_power_w, Error::<T>::TooMuchPower);
		Self::check_serial(&certification.serial, organisation, mints)?;
		Self::check_seal(&certification.seal, organisation, mints)?;
		Self::check_point(certification.direction, certification.point.as_ref())?;
		if let Some(point) = certification.point.as_ref().filter(|_| mints) {
			Self::check_place(point, owner, certification.direction)?;
		}
		let left = Self::check_since(&certification, organisation)?;
		Self::check_device(device, name, owner, possession)?;
		let payload = certification.consent(organisation).signing_payload(&Self::genesis());
		Self::check_consent(&payload, owner, certification.valid_until_ms, consent)?;
		let deposit = T::MeterDeposit::get();
		Self::hold(HoldReason::Meter, &electrician, deposit)?;
		let meter = NextMeter::<T>::get();
		NextMeter::<T>::put(meter.checked_add(1).ok_or(Error::<T>::Exhausted)?);
		certifier.meters = certifier.meters.saturating_add(1);
		Organisations::<T>::insert(organisation, certifier);
		SumsOfAll::<T>::mutate(|sums| sums.meters = sums.meters.saturating_add(1));
		let (registers, since_ms) = (certification.registers, certification.since_ms);
		let consent_until_ms = certification.valid_until_ms;
		let point = certification.point.clone();
		let certificate = certification.certificate(organisation, electrician);
		let mut state = MeterState {
			owed_wh: left.owed_wh,
			..MeterState::new(power, certificate.direction, registers, since_ms)
		};
		if let Some(point) = point {
			MeterPoints::<T>::insert(meter, point);
		}
		if mints {
			Self::join_point(meter, &certificate.owner, &mut state, left.device)?;
		}
		Self::take_unstated(meter, &mut state, left.unseen_wh);
		Self::number_device(&certificate.name);
		Self::put_in_service(meter, certificate, state, mints, consent_until_ms, deposit);
		Ok(())
	}

	/// Stores the rows of a new meter.
	fn put_in_service(
		meter: MeterIndex,
		certificate: Certificate<T::AccountId>,
		state: MeterState,
		mints: bool,
		consent_until_ms: u64,
		deposit: BalanceOf<T>,
	) {
		let Certificate { name, device, owner, organisation, electrician, .. } =
			certificate.clone();
		let energy_account = T::EnergyAccounts::energy_account(&owner, &device);
		let row = Meter {
			state,
			device,
			energy_account: energy_account.clone(),
			organisation,
			suspended: None,
			mints,
			minted_today: Default::default(),
			free_batches: Default::default(),
			totals: Default::default(),
		};
		Self::take_marks(meter, marks_of(&certificate, row.scope()));
		Meters::<T>::insert(meter, row);
		let certified = Certified {
			certificate,
			certified_ms: T::Time::now(),
			consent_until_ms,
			depositor: electrician.clone(),
			deposit,
		};
		Certificates::<T>::insert(meter, certified);
		MeterNames::<T>::insert(&name, meter);
		DeviceKeys::<T>::insert(device, meter);
		Self::deposit_event(Event::MeterCertified {
			meter,
			name,
			owner,
			device,
			energy_account,
			organisation,
			electrician,
		});
	}

	/// [`Pallet::admit_meter`] without the origin.
	pub(crate) fn do_admit_meter(electrician: T::AccountId, meter: MeterIndex) -> DispatchResult {
		let (mut row, certified) = Self::meter_in_service(meter)?;
		let organisation = row.organisation;
		let standing = Self::ensure_electrician(&electrician, organisation)?.standing;
		ensure!(standing == OrganisationStanding::Admitted, Error::<T>::NotAdmitted);
		ensure!(!row.mints, Error::<T>::Unchanged);
		let certificate = &certified.certificate;
		Self::ensure_not_owner(&electrician, &certificate.owner)?;
		// Its own numbers are its own; those of meters that mint may be another's.
		let (own, all) = (row.scope(), marks_of(certificate, None));
		let taken = |mark: &H256| Numbers::<T>::get(mark).is_some_and(|holder| holder != meter);
		ensure!(!all.iter().any(taken), Error::<T>::NumberTaken);
		Self::free_marks(meter, marks_of(certificate, own));
		Self::take_marks(meter, all);
		row.mints = true;
		let left = Self::remembered(
			&certificate.name,
			&certificate.serial,
			Some(&certificate.seal),
			organisation,
			row.state.registers.import_wh,
			certified.certified_ms,
		);
		row.state.vouch_from(T::Time::now().max(left.until_ms));
		// Another organisation may have certified the same device meanwhile, and minted what this one
		// counted as delivered.
		let owed_wh = left.owed_wh.saturating_add(left.unseen_wh);
		row.state.owed_wh = row.state.owed_wh.max(owed_wh);
		Self::join_point(meter, &certificate.owner, &mut row.state, left.device)?;
		Self::vouch_at_point(meter, row.suspended.is_none(), row.state.floor_ms);
		Meters::<T>::insert(meter, row);
		Self::deposit_event(Event::MeterAdmitted { meter, electrician });
		Ok(())
	}

	/// [`Pallet::correct_meter`] without the origin; `None` is governance.
	pub(crate) fn do_correct(
		by: Option<T::AccountId>,
		meter: MeterIndex,
		wh: u64,
	) -> DispatchResult {
		let (mut row, _) = Self::meter_in_service(meter)?;
		let organisation =
			Organisations::<T>::get(row.organisation).ok_or(Error::<T>::NoOrganisation)?;
		ensure!(by.as_ref().is_none_or(|by| *by == organisation.admin), Error::<T>::NotAdmin);
		// What is generated behind a point is delivered, and minted, through another meter.
		let delivers = row.state.direction.delivers();
		let delivered = if delivers { row.totals.all.export_wh } else { 0 };
		let corrected = Corrected::<T>::get(meter).saturating_add(wh);
		ensure!(wh > 0 && corrected <= delivered, Error::<T>::AboveDelivered);
		let there = T::Fungibles::balance(T::Kwh::get(), &row.energy_account).min(wh.into());
		let burned = T::Fungibles::burn_from(
			T::Kwh::get(),
			&row.energy_account,
			there,
			Preservation::Expendable,
			Precision::Exact,
			Fortitude::Force,
		)?;
		BurnedByCorrections::<T>::mutate(|all| *all = all.saturating_add(burned));
		Corrected::<T>::insert(meter, corrected);
		let burned_wh = u64::try_from(burned).unwrap_or(wh);
		let owed_wh = wh.saturating_sub(burned_wh);
		Self::owe_more(meter, &mut row.state, owed_wh);
		Meters::<T>::insert(meter, row);
		Self::deposit_event(Event::MeterCorrected { meter, burned_wh, owed_wh, by });
		Ok(())
	}

	/// Suspends or reinstates a meter, and counts the suspended ones.
	fn set_suspended(row: &mut MeterOf<T>, suspended: Option<Suspension>) {
		let (before, after) = (row.suspended.is_some(), suspended.is_some());
		row.suspended = suspended;
		if before != after {
			SumsOfAll::<T>::mutate(|sums| {
				let less = sums.suspended.saturating_sub(before.into());
				sums.suspended = less.saturating_add(after.into());
			});
		}
	}

	/// [`Pallet::suspend_meter`] without the origin; `None` is governance, whatever the reason.
	pub(crate) fn do_suspend(
		by: Option<T::AccountId>,
		meter: MeterIndex,
		reason: Suspension,
	) -> DispatchResult {
		let (mut row, certified) = Self::meter_in_service(meter)?;
		Self::ensure_owner_or_electrician(by.as_ref(), &row, &certified)?;
		ensure!(by.is_none() || reason != Suspension::Governance, Error::<T>::NotAuthorized);
		ensure!(row.suspended != Some(reason), Error::<T>::Unchanged);
		ensure!(row.suspended != Some(Suspension::LostKey), Error::<T>::KeyLost);
		// Any other reason could be lifted by an electrician.
		ensure!(row.suspended != Some(Suspension::Governance), Error::<T>::NotAuthorized);
		Self::set_suspended(&mut row, Some(reason));
		Self::vouch_at_point(meter, false, 0);
		Meters::<T>::insert(meter, row);
		Self::deposit_event(Event::MeterSuspended { meter, reason, by });
		Ok(())
	}

	/// Puts a new seal on a meter: the old one is never seen again.
	fn change_seal(
		meter: MeterIndex,
		row: &MeterOf<T>,
		certificate: &mut Certificate<T::AccountId>,
		seal: SealId,
	) -> DispatchResult {
		Self::check_new_seal(&seal, row.organisation, row.mints)?;
		Self::free_marks(meter, marks_of(certificate, row.scope()));
		Self::bury_seal(&certificate.seal, row.scope(), row.state.last_end_ms);
		certificate.seal = seal;
		Self::take_marks(meter, marks_of(certificate, row.scope()));
		Ok(())
	}

	/// [`Pallet::reinstate_meter`] without the origin; `None` is governance.
	pub(crate) fn do_reinstate(
		by: Option<T::AccountId>,
		meter: MeterIndex,
		seal: SealId,
	) -> DispatchResult {
		let (mut row, mut certified) = Self::meter_in_service(meter)?;
		if let Some(electrician) = &by {
			Self::ensure_electrician(electrician, row.organisation)?;
			Self::ensure_not_owner(electrician, &certified.certificate.owner)?;
		}
		ensure!(row.suspended.is_some(), Error::<T>::NotSuspended);
		ensure!(row.suspended != Some(Suspension::LostKey), Error::<T>::KeyLost);
		let by_governance = row.suspended == Some(Suspension::Governance);
		ensure!(by_governance == by.is_none(), Error::<T>::NotAuthorized);
		if let Some(electrician) = &by {
			Self::hold_for_tombstones(electrician, Self::tombstone_deposit())?;
			Self::change_seal(meter, &row, &mut certified.certificate, seal)?;
			certified.certificate.electrician = electrician.clone();
		} else {
			// Governance has no seals: the one that is there stays.
			ensure!(seal == certified.certificate.seal, Error::<T>::BadNumber);
		}
		let seal = certified.certificate.seal.clone();
		Self::set_suspended(&mut row, None);
		row.state.vouch_from(T::Time::now());
		Self::vouch_at_point(meter, true, row.state.floor_ms);
		Meters::<T>::insert(meter, row);
		Certificates::<T>::insert(meter, certified);
		Self::deposit_event(Event::MeterReinstated { meter, seal, electrician: by });
		Ok(())
	}

	/// [`Pallet::exchange_meter`] without the origin.
	pub(crate) fn do_exchange(
		electrician: T::AccountId,
		meter: MeterIndex,
		exchange: Exchange<T::OwnerSignature>,
	) -> DispatchResult {
		let (mut row, mut certified) = Self::meter_in_service(meter)?;
		Self::ensure_electrician(&electrician, row.organisation)?;
		Self::ensure_not_owner(&electrician, &certified.certificate.owner)?;
		let suspended = row.suspended;
		ensure!(suspended != Some(Suspension::Governance), Error::<T>::NotAuthorized);
		if exchange.device.is_none() {
			ensure!(suspended != Some(Suspension::LostKey), Error::<T>::KeyLost);
		}
		Self::hold_for_tombstones(&electrician, Self::tombstone_deposit())?;
		let (now, old) = (T::Time::now(), row.state.registers);
		let new = exchange.registers;
		let is_same = certified.certificate.serial == exchange.serial;
		let elsewhere_wh = Self::change_serial(
			meter,
			&mut row,
			&mut certified.certificate,
			&exchange.serial,
			new.import_wh,
		)?;
		let seal = exchange.seal.clone();
		Self::change_seal(meter, &row, &mut certified.certificate, seal.clone())?;
		// Whatever becomes of the old registers' batches: what was drawn by now counts now.
		let tolerance_ppt = LimitsInUse::<T>::get().batch.tolerance_ppt;
		let unseen_wh = row.state.exchange(new, is_same, now, tolerance_ppt);
		Self::take_unstated(meter, &mut row.state, unseen_wh.saturating_add(elsewhere_wh));
		if let Some(device) = exchange.device {
			Self::change_device(meter, &mut row, &mut certified, new, device)?;
		}
		Self::set_suspended(&mut row, None);
		Self::vouch_at_point(meter, true, row.state.floor_ms);
		certified.certificate.electrician = electrician.clone();
		let (device, energy_account) = (row.device, row.energy_account.clone());
		Meters::<T>::insert(meter, row);
		Certificates::<T>::insert(meter, certified);
		Self::deposit_event(Event::MeterExchanged {
			meter,
			old,
			new,
			device,
			energy_account,
			serial: exchange.serial,
			seal,
			electrician,
		});
		Ok(())
	}

	/// Records the serial number of the meter that is there now. Returns what that one drew elsewhere and
	/// did not state, in Wh.
	fn change_serial(
		meter: MeterIndex,
		row: &mut MeterOf<T>,
		certificate: &mut Certificate<T::AccountId>,
		serial: &SerialNumber,
		import_wh: u64,
	) -> Result<u64, DispatchError> {
		if certificate.serial == *serial {
			return Ok(0);
		}
		Self::check_serial(serial, row.organisation, row.mints)?;
		// What the other meter stated elsewhere is not stated again here.
		let left =
			Self::remembered(&certificate.name, serial, None, row.organisation, import_wh, 0);
		row.state.vouch_from(left.until_ms);
		row.state.owed_wh = Self::owe_at_least(meter, row.state.owed_wh, left.owed_wh);
		Self::free_marks(meter, marks_of(certificate, row.scope()));
		if !certificate.serial.is_empty() {
			let (until_ms, last) = (row.state.last_end_ms, row.state.seen(None));
			Self::bury_serial(&certificate.serial, row.scope(), until_ms, last);
		}
		certificate.serial = serial.clone();
		Self::take_marks(meter, marks_of(certificate, row.scope()));
		Ok(left.unseen_wh)
	}

	/// Replaces the device key of a meter, with the owner's consent. The old key signs nothing more.
	fn change_device(
		meter: MeterIndex,
		row: &mut MeterOf<T>,
		certified: &mut CertifiedOf<T>,
		registers: Registers,
		new: NewDevice<T::OwnerSignature>,
	) -> DispatchResult {
		let Certificate { name, owner, organisation, serial, seal, .. } =
			certified.certificate.clone();
		Self::check_device(&new.device, &name, &owner, &new.possession)?;
		let (device, valid_until_ms) = (new.device, new.valid_until_ms);
		let consent = ExchangeConsent {
			organisation,
			name,
			device,
			owner: owner.clone(),
			registers,
			serial,
			seal,
			valid_until_ms,
		};
		let payload = consent.signing_payload(&Self::genesis());
		Self::check_consent(&payload, &owner, valid_until_ms, &new.consent)?;
		Self::bury_key(&row.device, row.state.last_end_ms);
		DeviceKeys::<T>::remove(row.device);
		DeviceKeys::<T>::insert(device, meter);
		certified.certificate.device = device;
		certified.consent_until_ms = valid_until_ms;
		row.device = device;
		// Nothing that the old key signed is on its way any more.
		row.state.before = None;
		row.energy_account = T::EnergyAccounts::energy_account(&owner, &device);
		Ok(())
	}

	/// Checks who may take a meter out of service: governance (`None`), its owner, an electrician of
	/// its organisation, and who paid its deposit once nobody vouches for it.
	fn ensure_may_decommission(
		by: Option<&T::AccountId>,
		row: &MeterOf<T>,
		certified: &CertifiedOf<T>,
		vouched: bool,
	) -> DispatchResult {
		if !vouched && by.is_some_and(|who| *who == certified.depositor) {
			return Ok(());
		}
		Self::ensure_owner_or_electrician(by, row, certified)
	}

	/// [`Pallet::decommission_meter`] without the origin; `None` is governance. Returns the number of
	/// slots of the rings that it cleared.
	pub(crate) fn do_decommission(
		by: Option<T::AccountId>,
		meter: MeterIndex,
	) -> Result<u32, DispatchError> {
		let (mut row, certified) = Self::meter_in_service(meter)?;
		let standing = Organisations::<T>::get(row.organisation).map(|row| row.standing);
		let vouched = row.suspended.is_none() && standing == Some(OrganisationStanding::Admitted);
		Self::ensure_may_decommission(by.as_ref(), &row, &certified, vouched)?;
		let batches = row.state.next_sequence;
		let slots = u32::try_from(batches).unwrap_or(u32::MAX).min(T::MaxRecent::get());
		for slot in 0..slots {
			Recent::<T>::remove(meter, slot);
			Anchors::<T>::remove(meter, slot);
		}
		Self::release_but_tombstones(&certified.depositor, certified.deposit)?;
		let certificate = &certified.certificate;
		let stated = row.state.last_end_ms.max(row.state.floor_ms);
		// The time in which nobody vouched does not count for who certifies it again, either.
		let until = if vouched { stated } else { stated.max(T::Time::now()) };
		Self::free_marks(meter, marks_of(certificate, row.scope()));
		let seen = row.state.seen(Some(meter));
		let owed_wh = Self::leave_point(meter, &seen).unwrap_or(row.state.owed_wh);
		Self::bury_meter(certificate, row.scope(), until, owed_wh, seen);
		Meters::<T>::remove(meter);
		Certificates::<T>::remove(meter);
		Corrected::<T>::remove(meter);
		MeterNames::<T>::remove(&certificate.name);
		DeviceKeys::<T>::remove(row.device);
		Organisations::<T>::mutate(row.organisation, |organisation| {
			if let Some(organisation) = organisation {
				organisation.meters = organisation.meters.saturating_sub(1);
			}
		});
		Self::set_suspended(&mut row, None);
		SumsOfAll::<T>::mutate(|sums| sums.meters = sums.meters.saturating_sub(1));
		let last = row.state.last_hash;
		Self::deposit_event(Event::MeterDecommissioned { meter, batches, last, by });
		Ok(slots)
	}

	/// Returns a meter's deposit, except for the part that its tombstones keep. What cannot be held
	/// again is returned as well: a meter goes out of service whatever its depositor's account holds.
	fn release_but_tombstones(who: &T::AccountId, deposit: BalanceOf<T>) -> DispatchResult {
		let kept = Self::tombstone_deposit().min(deposit);
		Self::release(HoldReason::Meter, who, deposit)?;
		// A lock on the account may be in the way.
		let _ = with_transaction(|| match Self::hold_for_tombstones(who, kept) {
			Ok(()) => TransactionOutcome::Commit(Ok(())),
			Err(error) => TransactionOutcome::Rollback(Err(error)),
		});
		Ok(())
	}
}
