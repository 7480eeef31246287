//! Rules behind the calls that stop minting.

use crate::{pallet::*, types::*};
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchResult, Get, TransactionSource, TransactionValidityWithRefund, ValidTransaction,
		Weight,
	},
	traits::Time,
};
use frame_system::pallet_prelude::BlockNumberFor;
use gridproof_primitives::{
	H256,
	crypto::ed25519::{PublicKey, Signature},
	reserve::attestation::Role,
	reserve::stop::{
		MintStop, MintStops, RoleStop, RoleStops, StopRefusal, lifters, verify_lift, verify_stop,
	},
};
use sp_runtime::{DispatchError, traits::Zero};

impl<T: Config> From<StopRefusal> for Error<T> {
	fn from(refusal: StopRefusal) -> Self {
		match refusal {
			StopRefusal::WrongNumber => Self::WrongStopNumber,
			StopRefusal::AlreadyStopped => Self::AlreadyStopped,
			StopRefusal::Spent => Self::StopSpent,
			StopRefusal::NotStopped => Self::NotStopped,
			StopRefusal::AlreadyLifted => Self::AlreadyLifted,
			StopRefusal::OnlyGovernance => Self::OnlyGovernanceEnds,
			StopRefusal::AlreadyProlonged => Self::AlreadyProlonged,
			StopRefusal::TooLate => Self::TooLateToProlong,
		}
	}
}

/// Stops of all roles with one changed, and the stop that it is about.
type Change = (RoleStops, MintStop);

impl<T: Config> Pallet<T> {
	fn day_length() -> u64 {
		CalendarInUse::<T>::get().day_length
	}

	fn genesis() -> H256 {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
	}

	fn pinned(role: Role) -> Result<PublicKey, Error<T>> {
		Keys::<T>::get().of(role).as_ref().map(|pinned| pinned.key).ok_or(Error::<T>::NoKey)
	}

	/// Returns the stops after `change` to those of a role.
	fn changed(
		role: Role,
		change: impl FnOnce(&RoleStop) -> Result<RoleStop, StopRefusal>,
	) -> Result<Change, Error<T>> {
		let mut stops = Stops::<T>::get();
		let place = stops.of_mut(role);
		*place = change(place)?;
		let stop = place.stop.ok_or(Error::<T>::NotStopped)?;
		Ok((stops, stop))
	}

	/// Makes every check of a stop, cheapest first; see [`Pallet::stop_mint`].
	pub(crate) fn check_stop(
		role: Role,
		number: u32,
		signature: &Signature,
	) -> Result<Change, DispatchError> {
		let (now, day_length) = (T::Time::now(), Self::day_length());
		let change = Self::changed(role, |stops| stops.raised(number, now, day_length))?;
		let key = Self::pinned(role)?;
		verify_stop(&Self::genesis(), role, number, &key, signature)
			.map_err(|_| Error::<T>::BadSignature)?;
		Ok(change)
	}

	/// Stores a checked stop.
	pub(crate) fn do_stop(stops: RoleStops, role: Role, stop: MintStop) {
		Stops::<T>::put(stops);
		let MintStop { number, until, only_governance, .. } = stop;
		Self::deposit_event(Event::MintStopped { role, number, until, only_governance });
	}

	/// Makes every check of a lifting, cheapest first; see [`Pallet::lift_stop`].
	pub(crate) fn check_lift(
		role: Role,
		number: u32,
		signatures: &Signatures,
	) -> Result<Change, DispatchError> {
		let now = T::Time::now();
		let change = Self::changed(role, |stops| stops.lifted(number, now))?;
		let signers = signatures.iter().map(|signature| signature.role);
		ensure!(signers.eq(lifters(role)), Error::<T>::WrongLifters);
		let genesis = Self::genesis();
		for signature in signatures {
			let key = Self::pinned(signature.role)?;
			verify_lift(&genesis, role, number, signature.role, &key, &signature.signature)
				.map_err(|_| Error::<T>::BadSignature)?;
		}
		Ok(change)
	}

	/// Stores a checked lifting.
	pub(crate) fn do_lift(stops: RoleStops, role: Role, stop: MintStop) {
		Stops::<T>::put(stops);
		let MintStop { number, until, .. } = stop;
		Self::deposit_event(Event::StopLifted { role, number, falls_at: until });
	}

	/// [`Pallet::prolong_stop`] without the origin.
	pub(crate) fn do_prolong(role: Role, number: u32) -> DispatchResult {
		let (now, day_length) = (T::Time::now(), Self::day_length());
		let (stops, stop) = Self::changed(role, |stops| stops.prolonged(number, now, day_length))?;
		Stops::<T>::put(stops);
		Self::deposit_event(Event::StopProlonged { role, number, until: stop.until });
		Ok(())
	}

	/// [`Pallet::end_stop`] without the origin.
	pub(crate) fn do_end_stop(role: Role, number: u32) -> DispatchResult {
		Stops::<T>::try_mutate(|stops| {
			let place = stops.of_mut(role);
			*place = place.ended(number, T::Time::now()).map_err(Error::<T>::from)?;
			Ok::<_, DispatchError>(())
		})?;
		Self::deposit_event(Event::StopEnded { role, number });
		Ok(())
	}

	/// [`Pallet::stops`].
	pub(crate) fn current_stops() -> (RoleStops, u64) {
		(Stops::<T>::get(), T::Time::now())
	}

	/// Decides whether a stop without a signer may enter pool and block.
	pub(crate) fn authorize_stop_mint(
		_source: TransactionSource,
		role: &Role,
		number: &u32,
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		Self::check_stop(*role, *number, signature).map_err(Self::refusal)?;
		Self::validity("GridproofMintStop", *role, *number)
	}

	/// Decides whether a lifting without a signer may enter pool and block.
	pub(crate) fn authorize_lift_stop(
		_source: TransactionSource,
		role: &Role,
		number: &u32,
		signatures: &Signatures,
	) -> TransactionValidityWithRefund {
		Self::check_lift(*role, *number, signatures).map_err(Self::refusal)?;
		Self::validity("GridproofStopLift", *role, *number)
	}

	fn validity(tag: &'static str, role: Role, number: u32) -> TransactionValidityWithRefund {
		let validity = ValidTransaction::with_tag_prefix(tag)
			.priority(T::SubmissionPriority::get())
			.longevity(T::SubmissionLongevity::get())
			.and_provides((role, number))
			.propagate(true)
			.into();
		Ok((validity, Weight::zero()))
	}
}

impl<T: Config> MintStops for Pallet<T> {
	fn is_stopped() -> bool {
		let (stops, now) = Self::current_stops();
		stops.is_stopped(now)
	}
}

#[cfg(any(feature = "std", feature = "try-runtime"))]
impl<T: Config> Pallet<T> {
	/// Invariant 7 of `do_try_state`.
	pub(crate) fn try_stops() -> Result<(), sp_runtime::TryRuntimeError> {
		let stops = Stops::<T>::get();
		for role in Role::ALL {
			let RoleStop { next, stop, ended } = *stops.of(role);
			let Some(stop) = stop else { continue };
			ensure!(stop.number.checked_add(1) == Some(next), "7: a stop's number is not the last");
			ensure!(stop.since <= stop.until, "7: a stop ends before it begins");
			ensure!(!(stop.lifted && stop.only_governance), "7: lifted without governance");
			ensure!(
				stop.only_governance == ended.is_some_and(|end| end.spent),
				"7: a second stop is not counted"
			);
		}
		Ok(())
	}
}
