//! Certification of meters, suspension, exchange and decommissioning.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get},
	traits::Time,
};
use frame_system::pallet_prelude::BlockNumberFor;
use gridproof_primitives::{
	H256,
	crypto::ed25519::{self, PublicKey},
	energy::{
		Certificate, MAX_CONSENT_MS, MeterIndex, MeterState, OwnerConsent, Registers, SealId,
		Suspension,
	},
};
use sp_runtime::traits::{Verify, Zero};

/// What wallets put around bytes before they sign them, so that these cannot be a transaction.
const WRAP: (&[u8], &[u8]) = (b"<Bytes>", b"</Bytes>");

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

	/// Checks that this is the meter's owner or an electrician of its organisation.
	fn ensure_owner_or_electrician(
		who: &T::AccountId,
		meter: &MeterOf<T>,
		certified: &CertifiedOf<T>,
	) -> DispatchResult {
		let may = certified.certificate.owner == *who
			|| Members::<T>::contains_key(meter.organisation, who);
		ensure!(may, Error::<T>::NotAuthorized);
		Ok(())
	}

	/// Checks that this key can sign for a meter of this owner.
	fn check_device(device: &PublicKey, owner: &T::AccountId) -> DispatchResult {
		ed25519::check_key(device).map_err(|_| Error::<T>::WeakKey)?;
		ensure!(!DeviceKeys::<T>::contains_key(device), Error::<T>::KeyInUse);
		// With an account of the same key the energy account would not be one of two.
		ensure!(T::EnergyAccounts::device_account(device) != *owner, Error::<T>::OwnerIsDevice);
		Ok(())
	}

	/// Checks that the owner consents to this certificate, on this chain and at this time.
	fn check_consent(
		certificate: &Certificate<T::AccountId>,
		valid_until_ms: u64,
		signature: &T::OwnerSignature,
	) -> DispatchResult {
		let now = T::Time::now();
		let lasts = now..=now.saturating_add(MAX_CONSENT_MS);
		ensure!(lasts.contains(&valid_until_ms), Error::<T>::ConsentExpired);
		let certificate = certificate.clone();
		let consent = OwnerConsent {
			organisation: certificate.organisation,
			name: certificate.name,
			device: certificate.device,
			owner: certificate.owner,
			valid_until_ms,
		};
		let payload = consent.signing_payload(&Self::genesis());
		let wrapped: Vec<u8> = [WRAP.0, &payload, WRAP.1].concat();
		let signed = signature.verify(payload.as_slice(), &consent.owner)
			|| signature.verify(wrapped.as_slice(), &consent.owner);
		ensure!(signed, Error::<T>::BadConsent);
		Ok(())
	}

	/// [`Pallet::certify_meter`] without the origin.
	pub(crate) fn do_certify(
		electrician: T::AccountId,
		organisation: OrganisationIndex,
		certification: CertificationOf<T>,
		consent: &T::OwnerSignature,
	) -> DispatchResult {
		let mut certifier = Self::ensure_electrician(&electrician, organisation)?;
		let Certification { registers, since_ms, valid_until_ms, .. } = certification;
		let certificate = certification.certificate(organisation, electrician.clone());
		certificate.name.check().map_err(|_| Error::<T>::BadName)?;
		ensure!(certificate.rated_power_w > 0, Error::<T>::ZeroPower);
		ensure!(!MeterNames::<T>::contains_key(&certificate.name), Error::<T>::NameTaken);
		Self::check_device(&certificate.device, &certificate.owner)?;
		Self::check_consent(&certificate, valid_until_ms, consent)?;
		let deposit = T::MeterDeposit::get();
		Self::hold(HoldReason::Meter, &electrician, deposit)?;
		let meter = NextMeter::<T>::get();
		NextMeter::<T>::put(meter.checked_add(1).ok_or(Error::<T>::Exhausted)?);
		certifier.meters = certifier.meters.saturating_add(1);
		Organisations::<T>::insert(organisation, certifier);
		SumsOfAll::<T>::mutate(|sums| sums.meters = sums.meters.saturating_add(1));
		Self::put_in_service(meter, certificate, registers, since_ms, valid_until_ms, deposit);
		Ok(())
	}

	/// Stores the rows of a new meter.
	fn put_in_service(
		meter: MeterIndex,
		certificate: Certificate<T::AccountId>,
		registers: Registers,
		since_ms: u64,
		consent_until_ms: u64,
		deposit: BalanceOf<T>,
	) {
		let Certificate { name, device, owner, organisation, electrician, .. } =
			certificate.clone();
		let energy_account = T::EnergyAccounts::energy_account(&owner, &device);
		let (power, direction) = (certificate.rated_power_w, certificate.direction);
		let row = Meter {
			state: MeterState::new(power, direction, registers, since_ms),
			device,
			energy_account: energy_account.clone(),
			organisation,
			suspended: None,
			totals: Default::default(),
		};
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

	/// [`Pallet::suspend_meter`] without the origin.
	pub(crate) fn do_suspend(
		by: T::AccountId,
		meter: MeterIndex,
		reason: Suspension,
	) -> DispatchResult {
		let (mut row, certified) = Self::meter_in_service(meter)?;
		Self::ensure_owner_or_electrician(&by, &row, &certified)?;
		ensure!(row.suspended != Some(reason), Error::<T>::Unchanged);
		ensure!(row.suspended != Some(Suspension::LostKey), Error::<T>::KeyLost);
		Self::set_suspended(&mut row, Some(reason));
		Meters::<T>::insert(meter, row);
		Self::deposit_event(Event::MeterSuspended { meter, reason, by });
		Ok(())
	}

	/// [`Pallet::reinstate_meter`] without the origin.
	pub(crate) fn do_reinstate(
		electrician: T::AccountId,
		meter: MeterIndex,
		seal: SealId,
	) -> DispatchResult {
		let (mut row, mut certified) = Self::meter_in_service(meter)?;
		Self::ensure_electrician(&electrician, row.organisation)?;
		ensure!(row.suspended.is_some(), Error::<T>::NotSuspended);
		ensure!(row.suspended != Some(Suspension::LostKey), Error::<T>::KeyLost);
		Self::set_suspended(&mut row, None);
		certified.certificate.seal = seal.clone();
		certified.certificate.electrician = electrician.clone();
		Meters::<T>::insert(meter, row);
		Certificates::<T>::insert(meter, certified);
		Self::deposit_event(Event::MeterReinstated { meter, seal, electrician });
		Ok(())
	}

	/// [`Pallet::exchange_meter`] without the origin.
	pub(crate) fn do_exchange(
		electrician: T::AccountId,
		meter: MeterIndex,
		new: Registers,
		seal: SealId,
		device: Option<NewDevice<T::OwnerSignature>>,
	) -> DispatchResult {
		let (mut row, mut certified) = Self::meter_in_service(meter)?;
		Self::ensure_electrician(&electrician, row.organisation)?;
		if let Some(device) = device {
			Self::change_device(meter, &mut row, &mut certified, device)?;
		} else {
			ensure!(row.suspended != Some(Suspension::LostKey), Error::<T>::KeyLost);
		}
		let old = row.state.registers;
		row.state.registers = new;
		Self::set_suspended(&mut row, None);
		certified.certificate.seal = seal.clone();
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
			seal,
			electrician,
		});
		Ok(())
	}

	/// Replaces the device key of a meter, with the owner's consent.
	fn change_device(
		meter: MeterIndex,
		row: &mut MeterOf<T>,
		certified: &mut CertifiedOf<T>,
		new: NewDevice<T::OwnerSignature>,
	) -> DispatchResult {
		let owner = certified.certificate.owner.clone();
		Self::check_device(&new.device, &owner)?;
		let later = new.valid_until_ms > certified.consent_until_ms;
		ensure!(later, Error::<T>::ConsentExpired);
		certified.certificate.device = new.device;
		Self::check_consent(&certified.certificate, new.valid_until_ms, &new.consent)?;
		DeviceKeys::<T>::remove(row.device);
		DeviceKeys::<T>::insert(new.device, meter);
		row.device = new.device;
		row.energy_account = T::EnergyAccounts::energy_account(&owner, &new.device);
		certified.consent_until_ms = new.valid_until_ms;
		Ok(())
	}

	/// [`Pallet::decommission_meter`] without the origin. Returns the number of slots of the rings
	/// that it cleared.
	pub(crate) fn do_decommission(
		by: T::AccountId,
		meter: MeterIndex,
	) -> Result<u32, DispatchError> {
		let (mut row, certified) = Self::meter_in_service(meter)?;
		Self::ensure_owner_or_electrician(&by, &row, &certified)?;
		let batches = row.state.next_sequence;
		let slots = u32::try_from(batches).unwrap_or(u32::MAX).min(T::MaxRecent::get());
		for slot in 0..slots {
			Recent::<T>::remove(meter, slot);
			Anchors::<T>::remove(meter, slot);
		}
		Self::release(HoldReason::Meter, &certified.depositor, certified.deposit)?;
		Meters::<T>::remove(meter);
		Certificates::<T>::remove(meter);
		MeterNames::<T>::remove(&certified.certificate.name);
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
}
