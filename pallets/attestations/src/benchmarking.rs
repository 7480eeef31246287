//! Worst cases: most signatures, a full history, full key histories, the handler's costliest.

use super::*;
use crate::Pallet as Attestations;
use alloc::{boxed::Box, vec::Vec};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::*;
use gridproof_primitives::{
	H256,
	crypto::ed25519::{PublicKey, Signature},
	reserve::attestation::{
		AttestationHandler, Kind, ROLE_COUNT, Role, RoleSignature, THRESHOLD, message_v2,
	},
	reserve::stop::{lift_payload, lifters, stop_payload},
	time::calendar::{Calendar, DayClock},
	time::day::Day,
};
use sp_core::crypto::KeyTypeId;
use sp_io::crypto::{ed25519_generate, ed25519_sign};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"grid");
const DIGEST: H256 = H256([0xd1; 32]);

/// Pins keys that this machine's keystore can sign with.
fn pin_keys<T: Config>() -> Vec<(Role, PublicKey)> {
	let mut keys = KeySet::default();
	let mut pinned = Vec::new();
	for role in Role::ALL {
		let key = ed25519_generate(KEY_TYPE, None).0;
		*keys.of_mut(role) = Some(PinnedKey { key, since: Timepoint::default() });
		pinned.push((role, key));
	}
	Keys::<T>::put(keys);
	pinned
}

fn sign<T: Config>(
	fields: &AttestationFields,
	keys: &[(Role, PublicKey)],
	count: u32,
) -> Result<Signatures, BenchmarkError> {
	let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
	let mut signatures = Signatures::new();
	for (role, key) in keys.iter().take(count as usize) {
		let message = message_v2(fields.day, &DIGEST, &fields.hash(), &genesis, *role);
		let signature =
			ed25519_sign(KEY_TYPE, &(*key).into(), &message).ok_or("the keystore has the key")?.0;
		signatures
			.try_push(RoleSignature { role: *role, signature })
			.map_err(|_| "no more signatures than roles")?;
	}
	Ok(signatures)
}

/// The last day that has ended, by a calendar with many days behind: the clock of a benchmark
/// stands at its start.
fn yesterday<T: Config>() -> Result<Day, BenchmarkError> {
	let first_day = Day::from_days(20_000).ok_or("there are as many days")?;
	let starts_at = Attestations::<T>::now();
	CalendarInUse::<T>::put(Calendar { first_day, starts_at, ..Calendar::UTC });
	Ok(first_day.previous().ok_or("it is not the first day")?)
}

/// Fills the history with the days before `day`.
fn fill_history<T: Config>(day: Day, keys: &[(Role, PublicKey)]) -> Result<(), BenchmarkError> {
	let mut days = Vec::new();
	for back in (1..=T::MaxHistory::get()).rev() {
		let past = day.days().checked_sub(back).and_then(Day::from_days);
		let past = past.ok_or("the clock stands too near to its start")?;
		let attestation = Attestation {
			fields: AttestationFields::example(past),
			digest: DIGEST,
			signers: keys.to_vec().try_into().map_err(|_| "no more signers than roles")?,
			accepted: Timepoint { block: 1u32.into(), time: Attestations::<T>::now() },
		};
		Standing::<T>::insert(Kind::Reserve, past, attestation);
		days.push(past);
	}
	let days: BoundedVec<_, _> = days.try_into().map_err(|_| "as many days as fit")?;
	Days::<T>::insert(Kind::Reserve, days);
	Ok(())
}

/// A statement for yesterday with `count` signatures, and a history that it has to prune.
fn prepare<T: Config>(count: u32) -> Result<(Box<AttestationFields>, Signatures), BenchmarkError> {
	let keys = pin_keys::<T>();
	OpenKinds::<T>::insert(Kind::Reserve, ());
	let day = yesterday::<T>()?;
	fill_history::<T>(day, &keys)?;
	let fields = T::Handler::prepare_worst_case(day);
	let signatures = sign::<T>(&fields, &keys, count)?;
	Ok((Box::new(fields), signatures))
}

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
	T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

fn sign_with(key: PublicKey, message: &[u8]) -> Result<Signature, BenchmarkError> {
	Ok(ed25519_sign(KEY_TYPE, &key.into(), message).ok_or("the keystore has the key")?.0)
}

/// The signature of a role's first stop.
fn stop<T: Config>(role: Role) -> Result<Signature, BenchmarkError> {
	let keys = pin_keys::<T>();
	yesterday::<T>()?;
	let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
	let (_, key) = keys.iter().find(|(other, _)| *other == role).ok_or("it has a key")?;
	sign_with(*key, &stop_payload(&genesis, role, 0))
}

/// Raises a role's first stop.
fn raise<T: Config>(role: Role) -> Result<(), BenchmarkError> {
	let signature = stop::<T>(role)?;
	let (stops, stop) = Attestations::<T>::check_stop(role, 0, &signature)?;
	Attestations::<T>::do_stop(stops, role, stop);
	Ok(())
}

/// Raises a role's first stop, and returns the signatures of the others that lift it.
fn lift<T: Config>(role: Role) -> Result<Signatures, BenchmarkError> {
	raise::<T>(role)?;
	let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
	let mut signatures = Signatures::new();
	for signer in lifters(role) {
		let pinned = Keys::<T>::get().of(signer).ok_or("it has a key")?;
		let signature = sign_with(pinned.key, &lift_payload(&genesis, role, 0, signer))?;
		signatures
			.try_push(RoleSignature { role: signer, signature })
			.map_err(|_| "no more signatures than roles")?;
	}
	Ok(signatures)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn submit(s: Linear<THRESHOLD, ROLE_COUNT>) -> Result<(), BenchmarkError> {
		let (fields, signatures) = prepare::<T>(s)?;
		let day = fields.day;
		let origin = T::RuntimeOrigin::from(frame_system::RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, fields, DIGEST, signatures);

		assert!(Standing::<T>::contains_key(Kind::Reserve, day));
		assert_eq!(Archives::<T>::get(Kind::Reserve).length, 1);
		Ok(())
	}

	#[benchmark]
	fn authorize_submit(s: Linear<THRESHOLD, ROLE_COUNT>) -> Result<(), BenchmarkError> {
		let (fields, signatures) = prepare::<T>(s)?;
		let call = Call::<T>::submit { fields, digest: DIGEST, signatures };

		#[block]
		{
			call.authorize(TransactionSource::External).ok_or("submit is authorized")??;
		}
		Ok(())
	}

	#[benchmark]
	fn rotate_key() -> Result<(), BenchmarkError> {
		pin_keys::<T>();
		let moment = Timepoint::<BlockNumberFor<T>>::default();
		for role in Role::ALL {
			let retired: Vec<_> = (0..T::MaxKeyHistory::get())
				.map(|n| sp_io::hashing::blake2_256(&(role, n).encode()))
				.map(|key| RetiredKey { key, since: moment, until: moment })
				.collect();
			let retired: BoundedVec<_, _> = retired.try_into().map_err(|_| "as many as fit")?;
			RetiredKeys::<T>::insert(role, retired);
		}
		let key = ed25519_generate(KEY_TYPE, None).0;
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Role::Ops, Some(key));

		assert_eq!(Keys::<T>::get().ops.map(|pinned| pinned.key), Some(key));
		Ok(())
	}

	#[benchmark]
	fn pause() -> Result<(), BenchmarkError> {
		let origin =
			T::PauseOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);

		assert!(Paused::<T>::get());
		Ok(())
	}

	#[benchmark]
	fn resume() -> Result<(), BenchmarkError> {
		Paused::<T>::put(true);
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);

		assert!(!Paused::<T>::get());
		Ok(())
	}

	#[benchmark]
	fn set_kind_open() -> Result<(), BenchmarkError> {
		OpenKinds::<T>::remove(Kind::Rehearsal);
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Kind::Rehearsal, true);

		assert!(OpenKinds::<T>::contains_key(Kind::Rehearsal));
		Ok(())
	}

	#[benchmark]
	fn stop_mint() -> Result<(), BenchmarkError> {
		let signature = stop::<T>(Role::Ops)?;
		let origin = T::RuntimeOrigin::from(frame_system::RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Role::Ops, 0, signature);

		assert!(Stops::<T>::get().ops.stop.is_some());
		Ok(())
	}

	#[benchmark]
	fn authorize_stop_mint() -> Result<(), BenchmarkError> {
		let signature = stop::<T>(Role::Ops)?;
		let call = Call::<T>::stop_mint { role: Role::Ops, number: 0, signature };

		#[block]
		{
			call.authorize(TransactionSource::External).ok_or("stop_mint is authorized")??;
		}
		Ok(())
	}

	#[benchmark]
	fn lift_stop() -> Result<(), BenchmarkError> {
		let signatures = lift::<T>(Role::Ops)?;
		let origin = T::RuntimeOrigin::from(frame_system::RawOrigin::Authorized);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Role::Ops, 0, signatures);

		assert!(Stops::<T>::get().ops.stop.is_some_and(|stop| stop.lifted));
		Ok(())
	}

	#[benchmark]
	fn authorize_lift_stop() -> Result<(), BenchmarkError> {
		let signatures = lift::<T>(Role::Ops)?;
		let call = Call::<T>::lift_stop { role: Role::Ops, number: 0, signatures };

		#[block]
		{
			call.authorize(TransactionSource::External).ok_or("lift_stop is authorized")??;
		}
		Ok(())
	}

	#[benchmark]
	fn prolong_stop() -> Result<(), BenchmarkError> {
		raise::<T>(Role::Ops)?;
		let origin =
			T::PauseOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Role::Ops, 0);

		assert!(Stops::<T>::get().ops.stop.is_some_and(|stop| stop.prolonged));
		Ok(())
	}

	#[benchmark]
	fn end_stop() -> Result<(), BenchmarkError> {
		raise::<T>(Role::Ops)?;
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Role::Ops, 0);

		assert_eq!(Stops::<T>::get().ops.stop, None);
		Ok(())
	}

	impl_benchmark_test_suite!(Attestations, crate::mock::new_benchmark_ext(), crate::mock::Test);
}
