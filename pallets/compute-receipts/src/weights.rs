//! Weights of `pallet_compute_receipts`.
//!
//! PROVISIONAL, derived by hand: database accesses are counted from the code, every row at its
//! largest. An Ed25519 verification, which the host does natively, took 39 µs (best of 3,000, two
//! cores of a shared machine) and counts 45 µs here, with the encoding of what is signed; a score
//! with its exponential and logarithm counts 40 µs; everything else that a call computes counts
//! 40 µs, 15 µs for each receipt, and 8 µs for its checks alone. The benchmarks in `benchmarking.rs` measure the same calls
//! at their worst; their output replaces this file and has the same functions.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{RuntimeDbWeight, Weight, constants::RocksDbWeight},
};

/// What the calls and hooks of this pallet weigh.
pub trait WeightInfo {
	/// `register_coordinator` and `register_miner`.
	fn register() -> Weight;
	/// `raise_bond`.
	fn raise_bond() -> Weight;
	/// `leave`.
	fn leave() -> Weight;
	/// `withdraw` with slashes, a step to close and to convert, and a payout.
	fn withdraw() -> Weight;
	/// `open_job` paid in AICP.
	fn open_job() -> Weight;
	/// Both signatures of `n` receipts.
	fn verify_receipts(n: u32) -> Weight;
	/// All other checks of `n` receipts, each of parties of its own.
	fn check_receipts(n: u32) -> Weight;
	/// Settling `n` receipts of one client, miner and coordinator, without signatures.
	fn claim_together(n: u32) -> Weight;
	/// Settling `n` receipts, each of a client and a miner of its own, without signatures.
	fn claim_apart(n: u32) -> Weight;
	/// `cancel_job` after its deadline.
	fn cancel_job() -> Weight;
	/// `assign_job` with both signatures, or its check.
	fn assign_job() -> Weight;
	/// `release_job`, or its check.
	fn release_job() -> Weight;
	/// `expire_jobs` of `n` jobs of different clients, or its check.
	fn expire_jobs(n: u32) -> Weight;
	/// `heartbeats` of `n` miners, or their check.
	fn heartbeats(n: u32) -> Weight;
	/// `claim_emission` of `n` parties that each convert a step of their own, or its check.
	fn claim_emission(n: u32) -> Weight;
	/// `report_offence` with two signatures.
	fn report_offence() -> Weight;
	/// `apply_slashes`.
	fn apply_slashes() -> Weight;
	/// `call_off_slashes`.
	fn call_off_slashes() -> Weight;
	/// `set_parameters` with a step to close.
	fn set_parameters() -> Weight;
	/// `set_breaker`.
	fn set_breaker() -> Weight;
	/// An idle block that closes `n` jobs of different clients.
	fn scan(n: u32) -> Weight;
}

/// Picoseconds for one Ed25519 verification.
const VERIFY: u64 = 45_000_000;
/// Picoseconds for one score.
const SCORE: u64 = 40_000_000;
/// Picoseconds for everything else that a call computes.
const COMPUTE: u64 = 40_000_000;
/// Picoseconds for everything else that a receipt costs.
const RECEIPT: u64 = 15_000_000;
/// Picoseconds for the checks of a receipt beside its signatures.
const CHECK: u64 = 8_000_000;

/// `base` and `each` times `n`: picoseconds, bytes of proof, reads, writes.
fn weight(
	db: RuntimeDbWeight,
	base: (u64, u64, u64, u64),
	each: (u64, u64, u64, u64),
	n: u32,
) -> Weight {
	let of = |(time, proof, reads, writes): (u64, u64, u64, u64)| {
		Weight::from_parts(time, proof).saturating_add(db.reads_writes(reads, writes))
	};
	of(base).saturating_add(of(each).saturating_mul(n.into()))
}

/// The weights, given what a database access weighs.
pub trait Accesses {
	/// What a read and a write weigh.
	fn db() -> RuntimeDbWeight;
}

impl<A: Accesses> WeightInfo for A {
	/// Reads: party, sums, genesis hash, parameters, account, holds, time. Writes: party, sums,
	/// account, holds.
	fn register() -> Weight {
		weight(A::db(), (COMPUTE + VERIFY, 12_000, 7, 4), (0, 0, 0, 0), 0)
	}

	/// Reads and writes: party, account, holds.
	fn raise_bond() -> Weight {
		weight(A::db(), (COMPUTE, 8_000, 3, 3), (0, 0, 0, 0), 0)
	}

	/// Reads: party, parameters, time. Writes: party.
	fn leave() -> Weight {
		weight(A::db(), (COMPUTE, 5_000, 3, 1), (0, 0, 0, 0), 0)
	}

	/// Reads: party, parameters, time, running step, schedule, sums, a closed step, breaker, two
	/// accounts, holds, treasury. Writes: party, activity, running step, two closed steps, sums,
	/// two accounts, holds, treasury.
	fn withdraw() -> Weight {
		weight(A::db(), (COMPUTE * 2, 24_000, 12, 10), (0, 0, 0, 0), 0)
	}

	/// Reads: breaker, parameters, time, genesis hash, job, two parties, asset, its account and
	/// holds twice, account, holds, sums. Writes: job, asset's account and holds twice, account,
	/// holds, sums.
	fn open_job() -> Weight {
		weight(A::db(), (COMPUTE * 2 + VERIFY, 30_000, 14, 8), (0, 0, 0, 0), 0)
	}

	fn verify_receipts(n: u32) -> Weight {
		weight(A::db(), (0, 0, 0, 0), (VERIFY * 2, 0, 0, 0), n)
	}

	/// Reads: time, genesis hash, breaker, parameters; a job, a miner, a coordinator.
	fn check_receipts(n: u32) -> Weight {
		weight(A::db(), (COMPUTE, 4_000, 4, 0), (CHECK, 10_000, 3, 0), n)
	}

	/// Reads: time, genesis hash, breaker, parameters, running step, schedule, sums, two parties,
	/// two closed steps, activity, accounts and holds of client, miner and treasury; a job. Writes:
	/// the same but the first four.
	fn claim_together(n: u32) -> Weight {
		weight(A::db(), (COMPUTE * 2 + SCORE, 40_000, 18, 14), (RECEIPT, 3_500, 1, 1), n)
	}

	/// As above, and for each receipt a miner, its activity, a closed step, client's account and
	/// holds, miner's account, and the asset's rows of both.
	fn claim_apart(n: u32) -> Weight {
		weight(
			A::db(),
			(COMPUTE * 2 + SCORE, 40_000, 18, 14),
			(RECEIPT + COMPUTE + SCORE, 24_000, 10, 10),
			n,
		)
	}

	/// Reads: job, time, parameters, sums, account, holds, party, activity. Writes: job, sums,
	/// account, holds, asset's account and holds twice, activity.
	fn cancel_job() -> Weight {
		weight(A::db(), (COMPUTE, 22_000, 11, 8), (0, 0, 0, 0), 0)
	}

	/// Reads: job, time, miner, genesis hash. Writes: job.
	fn assign_job() -> Weight {
		weight(A::db(), (COMPUTE + VERIFY * 2, 9_000, 4, 1), (0, 0, 0, 0), 0)
	}

	/// As `cancel_job`, with genesis hash.
	fn release_job() -> Weight {
		weight(A::db(), (COMPUTE + VERIFY, 22_000, 12, 8), (0, 0, 0, 0), 0)
	}

	/// Reads: parameters, time, sums; a job, account, holds, asset's account and holds twice,
	/// party, activity. Writes: sums; the same but the party, and reports.
	fn expire_jobs(n: u32) -> Weight {
		weight(A::db(), (COMPUTE, 4_000, 3, 1), (COMPUTE, 18_000, 8, 8), n)
	}

	/// Reads: parameters, time, genesis hash; a party and its activity. Writes: activity.
	fn heartbeats(n: u32) -> Weight {
		weight(A::db(), (COMPUTE, 4_000, 3, 0), (RECEIPT + VERIFY, 7_000, 2, 1), n)
	}

	/// Reads: breaker, time, running step, schedule, sums, parameters, treasury; a party, a closed
	/// step, an account. Writes: running step, closed step, sums, treasury; the same three.
	fn claim_emission(n: u32) -> Weight {
		weight(A::db(), (COMPUTE * 2, 10_000, 7, 4), (COMPUTE, 9_000, 3, 3), n)
	}

	/// Reads: job, genesis hash, party, reports, parameters, time. Writes: party, reports.
	fn report_offence() -> Weight {
		weight(A::db(), (COMPUTE + VERIFY * 2, 12_000, 6, 2), (0, 0, 0, 0), 0)
	}

	/// Reads: parameters, party, time, account, holds, treasury. Writes: party, account, holds,
	/// treasury.
	fn apply_slashes() -> Weight {
		weight(A::db(), (COMPUTE, 14_000, 6, 4), (0, 0, 0, 0), 0)
	}

	/// Reads and writes: party.
	fn call_off_slashes() -> Weight {
		weight(A::db(), (COMPUTE, 4_000, 1, 1), (0, 0, 0, 0), 0)
	}

	/// Reads: parameters, time, schedule, running step, sums, issuance. Writes: parameters, running
	/// step, closed step, sums.
	fn set_parameters() -> Weight {
		weight(A::db(), (COMPUTE * 2, 8_000, 6, 4), (0, 0, 0, 0), 0)
	}

	/// Reads and writes: breaker.
	fn set_breaker() -> Weight {
		weight(A::db(), (COMPUTE, 1_500, 1, 1), (0, 0, 0, 0), 0)
	}

	/// Reads: cursor, parameters, time; as `expire_jobs`, twice the job. Writes: cursor.
	fn scan(n: u32) -> Weight {
		weight(A::db(), (COMPUTE, 4_000, 3, 1), (COMPUTE, 20_000, 9, 8), n)
	}
}

/// Weights for a runtime `T` and its database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> Accesses for SubstrateWeight<T> {
	fn db() -> RuntimeDbWeight {
		T::DbWeight::get()
	}
}

/// Weights for tests.
impl Accesses for () {
	fn db() -> RuntimeDbWeight {
		RocksDbWeight::get()
	}
}
