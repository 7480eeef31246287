//! Weights of `pallet_attestations`.
//!
//! PROVISIONAL, derived by hand: database accesses are counted from the code. An Ed25519
//! verification, which the host does natively, took 39 µs (best of 3,000, 240-byte message, two
//! cores of a shared machine) and counts three times that; everything else that a call computes
//! counts 40 µs. The benchmarks in `benchmarking.rs` measure the same calls at their worst; their
//! output replaces this file and has the same functions.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{Weight, constants::RocksDbWeight},
};

/// What the calls of this pallet weigh, without what the handler of statements adds.
pub trait WeightInfo {
	/// `submit` with `s` signatures, a full history and a revision or a pruned day.
	fn submit(s: u32) -> Weight;
	/// The checks of `submit` with `s` signatures.
	fn authorize_submit(s: u32) -> Weight;
	/// `rotate_key` with full key histories.
	fn rotate_key() -> Weight;
	/// `pause`.
	fn pause() -> Weight;
	/// `resume`.
	fn resume() -> Weight;
	/// `set_kind_open`.
	fn set_kind_open() -> Weight;
}

/// Picoseconds for one Ed25519 verification.
const VERIFY: u64 = 120_000_000;
/// Picoseconds for everything else that a call computes.
const COMPUTE: u64 = 40_000_000;
/// Proof size of what a submission touches: the list of days is the largest row.
const SUBMIT_PROOF: u64 = 16_000;

/// Weights for a runtime `T` and its database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Reads: as `authorize_submit`, days, one more attestation, archive. Writes: the new
	/// attestation, the one pruned, days, archive.
	fn submit(s: u32) -> Weight {
		Weight::from_parts(COMPUTE.saturating_mul(2), SUBMIT_PROOF)
			.saturating_add(Weight::from_parts(VERIFY, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads_writes(11, 4))
	}

	/// Reads: paused, open kinds, calendar, time, archive, attestation, keys, genesis hash.
	fn authorize_submit(s: u32) -> Weight {
		Weight::from_parts(COMPUTE, SUBMIT_PROOF)
			.saturating_add(Weight::from_parts(VERIFY, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(8))
	}

	/// Reads: keys, three histories, time. Writes: keys, one history.
	fn rotate_key() -> Weight {
		Weight::from_parts(COMPUTE, 12_000).saturating_add(T::DbWeight::get().reads_writes(6, 2))
	}

	fn pause() -> Weight {
		Weight::from_parts(COMPUTE, 1_500).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	fn resume() -> Weight {
		Weight::from_parts(COMPUTE, 1_500).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	fn set_kind_open() -> Weight {
		Weight::from_parts(COMPUTE, 3_500).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
}

/// Weights for tests.
impl WeightInfo for () {
	fn submit(s: u32) -> Weight {
		Weight::from_parts(COMPUTE.saturating_mul(2), SUBMIT_PROOF)
			.saturating_add(Weight::from_parts(VERIFY, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads_writes(11, 4))
	}

	fn authorize_submit(s: u32) -> Weight {
		Weight::from_parts(COMPUTE, SUBMIT_PROOF)
			.saturating_add(Weight::from_parts(VERIFY, 0).saturating_mul(s.into()))
			.saturating_add(RocksDbWeight::get().reads(8))
	}

	fn rotate_key() -> Weight {
		Weight::from_parts(COMPUTE, 12_000).saturating_add(RocksDbWeight::get().reads_writes(6, 2))
	}

	fn pause() -> Weight {
		Weight::from_parts(COMPUTE, 1_500).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}

	fn resume() -> Weight {
		Weight::from_parts(COMPUTE, 1_500).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}

	fn set_kind_open() -> Weight {
		Weight::from_parts(COMPUTE, 3_500).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}
}
