//! Weights of `pallet_meter_readings`.
//!
//! PROVISIONAL, derived by hand: database accesses are counted from the code, every row at its
//! largest. An Ed25519 verification, which the host does natively, took 39 µs (best of 3,000,
//! 240-byte message, two cores of a shared machine) and counts one and a half times that; a
//! signature of another scheme counts three times that, a hash of a header or a proof's node 2 µs,
//! the arithmetic of a batch 10 µs, a mint 15 µs, everything else that a call computes 40 µs. The
//! benchmarks in `benchmarking.rs` measure the same calls at their worst; their output replaces
//! this file and has the same functions.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{RuntimeDbWeight, Weight, constants::RocksDbWeight},
};

/// What the calls of this pallet weigh.
pub trait WeightInfo {
	/// `submit_batches` with `n` batches of different meters and organisations, each minting to an
	/// account that has KWH, the signatures still to be verified.
	fn submit_batches(n: u32) -> Weight;
	/// As `submit_batches`, the signatures verified before.
	fn submit_verified_batches(n: u32) -> Weight;
	/// The checks of `n` batches before they are submitted.
	fn authorize_submit_batches(n: u32) -> Weight;
	/// What it takes more to mint to `n` accounts that have no KWH.
	fn open_energy_accounts(n: u32) -> Weight;
	/// `register_organisation`.
	fn register_organisation() -> Weight;
	/// `dissolve_organisation`.
	fn dissolve_organisation() -> Weight;
	/// `add_member`.
	fn add_member() -> Weight;
	/// `remove_member`.
	fn remove_member() -> Weight;
	/// `set_organisation_standing`.
	fn set_organisation_standing() -> Weight;
	/// `certify_meter` with a wrapped consent.
	fn certify_meter() -> Weight;
	/// `suspend_meter`.
	fn suspend_meter() -> Weight;
	/// `reinstate_meter`.
	fn reinstate_meter() -> Weight;
	/// `exchange_meter` with another device.
	fn exchange_meter() -> Weight;
	/// `decommission_meter` with `n` slots of headers and anchors in use.
	fn decommission_meter(n: u32) -> Weight;
	/// `verify_reading` with the longest reading and proof, and `n` headers.
	fn verify_reading(n: u32) -> Weight;
	/// `record_anchor` that goes on.
	fn record_anchor() -> Weight;
	/// `set_recorder` with a full list.
	fn set_recorder() -> Weight;
	/// `set_limits`.
	fn set_limits() -> Weight;
	/// `pause`.
	fn pause() -> Weight;
	/// `resume`.
	fn resume() -> Weight;
}

/// Picoseconds for one Ed25519 verification.
const VERIFY: u64 = 60_000_000;
/// Picoseconds for one signature of any scheme, as it is and wrapped.
const CONSENT: u64 = 240_000_000;
/// Picoseconds for one hash of a header or a node.
const HASH: u64 = 2_000_000;
/// Picoseconds for the rules and the arithmetic of a batch.
const BATCH: u64 = 10_000_000;
/// Picoseconds for a mint.
const MINT: u64 = 15_000_000;
/// Picoseconds for everything else that a call computes.
const COMPUTE: u64 = 40_000_000;
/// Picoseconds for a batch whose signature is still to be verified.
const SUBMITTED: u64 = VERIFY + BATCH + MINT + HASH * 2;
/// Picoseconds for a batch whose signature is verified.
const VERIFIED: u64 = BATCH + MINT + HASH * 3;
/// Picoseconds for the check of a batch.
const CHECKED: u64 = VERIFY + BATCH + HASH * 3;
/// Picoseconds for a call with an owner's consent.
const CONSENTED: u64 = COMPUTE + CONSENT;
/// Picoseconds for the longest proof of the longest reading.
const PROVEN: u64 = COMPUTE + HASH * 42;

/// The figures, for a database.
struct Figures(RuntimeDbWeight);

impl Figures {
	/// A call that reads and writes so many rows and computes for so long.
	fn call(&self, picoseconds: u64, proof: u64, reads: u64, writes: u64) -> Weight {
		Weight::from_parts(picoseconds, proof).saturating_add(self.0.reads_writes(reads, writes))
	}

	/// As [`Self::call`], `n` times.
	fn each(&self, n: u32, picoseconds: u64, proof: u64, reads: u64, writes: u64) -> Weight {
		self.call(picoseconds, proof, reads, writes).saturating_mul(n.into())
	}

	/// Once: paused, mark, limits, usage, sums, genesis hash, time, block, asset, written: mark, usage,
	/// sums, asset. For each batch, read: meter, organisation, asset account; written: meter, asset
	/// account, header.
	fn submit_batches(&self, n: u32) -> Weight {
		self.call(COMPUTE, 6_000, 9, 4).saturating_add(self.each(n, SUBMITTED, 2_500, 3, 3))
	}

	/// As `submit_batches`, with the hash of all batches instead of the signatures.
	fn submit_verified_batches(&self, n: u32) -> Weight {
		self.call(COMPUTE, 6_000, 9, 4).saturating_add(self.each(n, VERIFIED, 2_500, 3, 3))
	}

	/// Once: paused, limits, usage, genesis hash, time, block, asset; written: mark. For each batch:
	/// meter, organisation, asset account.
	fn authorize_submit_batches(&self, n: u32) -> Weight {
		self.call(COMPUTE, 6_000, 7, 1).saturating_add(self.each(n, CHECKED, 2_500, 3, 0))
	}

	/// The native account, which counts what keeps it alive.
	fn open_energy_accounts(&self, n: u32) -> Weight {
		self.each(n, HASH, 2_700, 1, 1)
	}

	/// Next number, native account and holds; written the same and the organisation.
	fn register_organisation(&self) -> Weight {
		self.call(COMPUTE, 4_000, 3, 4)
	}

	fn dissolve_organisation(&self) -> Weight {
		self.call(COMPUTE, 4_000, 3, 3)
	}

	fn add_member(&self) -> Weight {
		self.call(COMPUTE, 6_000, 4, 4)
	}

	fn remove_member(&self) -> Weight {
		self.call(COMPUTE, 6_000, 4, 4)
	}

	fn set_organisation_standing(&self) -> Weight {
		self.call(COMPUTE, 2_700, 1, 1)
	}

	/// Organisation, member, name, key, time, genesis hash, native account and holds, next meter, sums;
	/// written: native account, holds, next meter, meter, certificate, name, key, organisation, sums.
	fn certify_meter(&self) -> Weight {
		self.call(CONSENTED, 12_000, 10, 9)
	}

	fn suspend_meter(&self) -> Weight {
		self.call(COMPUTE, 6_500, 3, 1)
	}

	fn reinstate_meter(&self) -> Weight {
		self.call(COMPUTE, 6_500, 4, 2)
	}

	fn exchange_meter(&self) -> Weight {
		self.call(CONSENTED, 9_000, 7, 4)
	}

	/// Meter, certificate, member, native account and holds, organisation, sums; written: native
	/// account, holds, meter, certificate, name, key, organisation, sums, and the rings.
	fn decommission_meter(&self, n: u32) -> Weight {
		self.call(COMPUTE, 6_000, 7, 8).saturating_add(self.each(n, HASH, 600, 0, 2))
	}

	/// Meter and two headers.
	fn verify_reading(&self, n: u32) -> Weight {
		self.call(PROVEN, 6_000, 3, 0).saturating_add(self.each(n, HASH, 1, 0, 0))
	}

	fn record_anchor(&self) -> Weight {
		self.call(COMPUTE, 4_000, 3, 1)
	}

	fn set_recorder(&self) -> Weight {
		self.call(COMPUTE, 3_000, 1, 1)
	}

	fn set_limits(&self) -> Weight {
		self.call(COMPUTE, 1_600, 1, 1)
	}

	fn pause(&self) -> Weight {
		self.call(COMPUTE, 1_500, 1, 1)
	}

	fn resume(&self) -> Weight {
		self.call(COMPUTE, 1_500, 1, 1)
	}
}

/// Weights for a runtime `T` and its database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn submit_batches(n: u32) -> Weight {
		Figures(T::DbWeight::get()).submit_batches(n)
	}

	fn submit_verified_batches(n: u32) -> Weight {
		Figures(T::DbWeight::get()).submit_verified_batches(n)
	}

	fn authorize_submit_batches(n: u32) -> Weight {
		Figures(T::DbWeight::get()).authorize_submit_batches(n)
	}

	fn open_energy_accounts(n: u32) -> Weight {
		Figures(T::DbWeight::get()).open_energy_accounts(n)
	}

	fn register_organisation() -> Weight {
		Figures(T::DbWeight::get()).register_organisation()
	}

	fn dissolve_organisation() -> Weight {
		Figures(T::DbWeight::get()).dissolve_organisation()
	}

	fn add_member() -> Weight {
		Figures(T::DbWeight::get()).add_member()
	}

	fn remove_member() -> Weight {
		Figures(T::DbWeight::get()).remove_member()
	}

	fn set_organisation_standing() -> Weight {
		Figures(T::DbWeight::get()).set_organisation_standing()
	}

	fn certify_meter() -> Weight {
		Figures(T::DbWeight::get()).certify_meter()
	}

	fn suspend_meter() -> Weight {
		Figures(T::DbWeight::get()).suspend_meter()
	}

	fn reinstate_meter() -> Weight {
		Figures(T::DbWeight::get()).reinstate_meter()
	}

	fn exchange_meter() -> Weight {
		Figures(T::DbWeight::get()).exchange_meter()
	}

	fn decommission_meter(n: u32) -> Weight {
		Figures(T::DbWeight::get()).decommission_meter(n)
	}

	fn verify_reading(n: u32) -> Weight {
		Figures(T::DbWeight::get()).verify_reading(n)
	}

	fn record_anchor() -> Weight {
		Figures(T::DbWeight::get()).record_anchor()
	}

	fn set_recorder() -> Weight {
		Figures(T::DbWeight::get()).set_recorder()
	}

	fn set_limits() -> Weight {
		Figures(T::DbWeight::get()).set_limits()
	}

	fn pause() -> Weight {
		Figures(T::DbWeight::get()).pause()
	}

	fn resume() -> Weight {
		Figures(T::DbWeight::get()).resume()
	}
}

/// Weights for tests.
impl WeightInfo for () {
	fn submit_batches(n: u32) -> Weight {
		Figures(RocksDbWeight::get()).submit_batches(n)
	}

	fn submit_verified_batches(n: u32) -> Weight {
		Figures(RocksDbWeight::get()).submit_verified_batches(n)
	}

	fn authorize_submit_batches(n: u32) -> Weight {
		Figures(RocksDbWeight::get()).authorize_submit_batches(n)
	}

	fn open_energy_accounts(n: u32) -> Weight {
		Figures(RocksDbWeight::get()).open_energy_accounts(n)
	}

	fn register_organisation() -> Weight {
		Figures(RocksDbWeight::get()).register_organisation()
	}

	fn dissolve_organisation() -> Weight {
		Figures(RocksDbWeight::get()).dissolve_organisation()
	}

	fn add_member() -> Weight {
		Figures(RocksDbWeight::get()).add_member()
	}

	fn remove_member() -> Weight {
		Figures(RocksDbWeight::get()).remove_member()
	}

	fn set_organisation_standing() -> Weight {
		Figures(RocksDbWeight::get()).set_organisation_standing()
	}

	fn certify_meter() -> Weight {
		Figures(RocksDbWeight::get()).certify_meter()
	}

	fn suspend_meter() -> Weight {
		Figures(RocksDbWeight::get()).suspend_meter()
	}

	fn reinstate_meter() -> Weight {
		Figures(RocksDbWeight::get()).reinstate_meter()
	}

	fn exchange_meter() -> Weight {
		Figures(RocksDbWeight::get()).exchange_meter()
	}

	fn decommission_meter(n: u32) -> Weight {
		Figures(RocksDbWeight::get()).decommission_meter(n)
	}

	fn verify_reading(n: u32) -> Weight {
		Figures(RocksDbWeight::get()).verify_reading(n)
	}

	fn record_anchor() -> Weight {
		Figures(RocksDbWeight::get()).record_anchor()
	}

	fn set_recorder() -> Weight {
		Figures(RocksDbWeight::get()).set_recorder()
	}

	fn set_limits() -> Weight {
		Figures(RocksDbWeight::get()).set_limits()
	}

	fn pause() -> Weight {
		Figures(RocksDbWeight::get()).pause()
	}

	fn resume() -> Weight {
		Figures(RocksDbWeight::get()).resume()
	}
}
