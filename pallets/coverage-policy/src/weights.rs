//! Weights of `pallet_coverage_policy`.
//!
//! PROVISIONAL, derived by hand: database accesses are counted from the code, every row at its
//! largest. An exact evaluation of coverage with the longest fractions took 12 µs natively and
//! bringing its ratio to lowest terms 9 µs (best of 2,000, two cores of a shared machine); as the
//! runtime is slower in wasm, an evaluation counts 40 µs, and everything else 40 µs. The
//! benchmarks in `benchmarking.rs` measure the same calls at their worst; their output replaces
//! this file and has the same functions.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{Weight, constants::RocksDbWeight},
};

/// What the calls, hooks and handlers of this pallet weigh.
pub trait WeightInfo {
	/// `mint` that changes the state.
	fn mint() -> Weight;
	/// `redeem` that opens an account and takes a ticket.
	fn redeem() -> Weight;
	/// `serve` that finishes `n` tickets of different accounts.
	fn serve(n: u32) -> Weight;
	/// `close_account`.
	fn close_account() -> Weight;
	/// `set_parameters` that changes the state.
	fn set_parameters() -> Weight;
	/// `set_issuer`.
	fn set_issuer() -> Weight;
	/// `set_breaker`.
	fn set_breaker() -> Weight;
	/// A day's first poll, with a change of state and an empty queue.
	fn poll() -> Weight;
	/// `AttestationHandler::check`.
	fn check_statement() -> Weight;
	/// `AttestationHandler::on_accepted` of a new day, with a change of state and a full history.
	fn accept_statement() -> Weight;
}

/// Picoseconds for one exact evaluation of coverage, comparisons and reduction included.
const EVALUATE: u64 = 40_000_000;
/// Picoseconds for everything else that a call computes.
const COMPUTE: u64 = 40_000_000;

/// Weights for a runtime `T` and its database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Reads: issuer, breaker, parameters, latest, calendar, time, minting, asset, its account, the
	/// native account, sums, number and record of the last day, announced. Writes: asset, its
	/// account, the native account, minting, sums, record, announced, and one to spare.
	fn mint() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE.saturating_mul(3)), 18_000)
			.saturating_add(T::DbWeight::get().reads_writes(14, 8))
	}

	/// Reads: breaker, parameters, calendar, time, account, native account and holds, asset and its
	/// account, queue's ends, credit handed out, sums, latest, announced, two to spare. Writes:
	/// account, native account, holds twice, asset and its account, ends, ticket, sums, announced.
	fn redeem() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE), 24_000)
			.saturating_add(T::DbWeight::get().reads_writes(16, 10))
	}

	/// Reads: breaker, parameters, calendar, time, ends, credit handed out; a ticket, its account,
	/// the owner's native account and holds. Writes: ends, credit handed out; the same four.
	fn serve(n: u32) -> Weight {
		Weight::from_parts(COMPUTE, 6_000)
			.saturating_add(T::DbWeight::get().reads_writes(6, 2))
			.saturating_add(
				Weight::from_parts(COMPUTE, 11_000)
					.saturating_add(T::DbWeight::get().reads_writes(4, 4))
					.saturating_mul(n.into()),
			)
	}

	/// Reads: account, calendar, time, native account, holds. Writes: account, native account, holds.
	fn close_account() -> Weight {
		Weight::from_parts(COMPUTE, 9_000).saturating_add(T::DbWeight::get().reads_writes(5, 3))
	}

	/// Reads: parameters, latest, calendar, time, asset, announced. Writes: parameters, announced.
	fn set_parameters() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE), 8_000)
			.saturating_add(T::DbWeight::get().reads_writes(6, 2))
	}

	/// Reads and writes: issuer.
	fn set_issuer() -> Weight {
		Weight::from_parts(COMPUTE, 1_600).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	/// Reads and writes: breaker.
	fn set_breaker() -> Weight {
		Weight::from_parts(COMPUTE, 1_500).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	/// Reads: calendar, time, last day polled, parameters, latest, asset, announced, breaker, ends.
	/// Writes: last day polled, announced.
	fn poll() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE), 10_000)
			.saturating_add(T::DbWeight::get().reads_writes(9, 2))
	}

	/// Reads: latest, parameters.
	fn check_statement() -> Weight {
		Weight::from_parts(COMPUTE, 4_500).saturating_add(T::DbWeight::get().reads_writes(2, 0))
	}

	/// Reads: latest, parameters, calendar, time, asset, minting, breaker, number of the last day,
	/// announced, one to spare. Writes: minting, latest, record, the record that leaves, number,
	/// announced.
	fn accept_statement() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE.saturating_mul(4)), 12_000)
			.saturating_add(T::DbWeight::get().reads_writes(10, 6))
	}
}

/// Weights for tests.
impl WeightInfo for () {
	fn mint() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE.saturating_mul(3)), 18_000)
			.saturating_add(RocksDbWeight::get().reads_writes(14, 8))
	}

	fn redeem() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE), 24_000)
			.saturating_add(RocksDbWeight::get().reads_writes(16, 10))
	}

	fn serve(n: u32) -> Weight {
		Weight::from_parts(COMPUTE, 6_000)
			.saturating_add(RocksDbWeight::get().reads_writes(6, 2))
			.saturating_add(
				Weight::from_parts(COMPUTE, 11_000)
					.saturating_add(RocksDbWeight::get().reads_writes(4, 4))
					.saturating_mul(n.into()),
			)
	}

	fn close_account() -> Weight {
		Weight::from_parts(COMPUTE, 9_000).saturating_add(RocksDbWeight::get().reads_writes(5, 3))
	}

	fn set_parameters() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE), 8_000)
			.saturating_add(RocksDbWeight::get().reads_writes(6, 2))
	}

	fn set_issuer() -> Weight {
		Weight::from_parts(COMPUTE, 1_600).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}

	fn set_breaker() -> Weight {
		Weight::from_parts(COMPUTE, 1_500).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}

	fn poll() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE), 10_000)
			.saturating_add(RocksDbWeight::get().reads_writes(9, 2))
	}

	fn check_statement() -> Weight {
		Weight::from_parts(COMPUTE, 4_500).saturating_add(RocksDbWeight::get().reads_writes(2, 0))
	}

	fn accept_statement() -> Weight {
		Weight::from_parts(COMPUTE.saturating_add(EVALUATE.saturating_mul(4)), 12_000)
			.saturating_add(RocksDbWeight::get().reads_writes(10, 6))
	}
}
