//! Weights of `pallet_compute_checks`: NOT MEASURED. Conservative estimates from what the calls read, write and
//! compute, until `scripts/weights compute-checks` replaces this file.
//!
//! A VRF counts for 2 ms in WebAssembly (two multiplications by two scalars each, a hash to a point and its
//! output; natively it is about 0.25 ms), an sr25519 signature by the host function for 60 µs. Rows of all 64
//! verifiers are read where they are gone through, and each of 64 jurors or witnesses is written where each is
//! paid or fined.

#![allow(unused_parens, unused_imports, clippy::unnecessary_cast)]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{Weight, constants::RocksDbWeight},
};

/// What the benchmarked calls of this pallet weigh.
pub trait WeightInfo {
	/// `set_parameters`.
	fn set_parameters() -> Weight;
	/// `set_line`.
	fn set_line() -> Weight;
	/// `admit_verifier`.
	fn admit_verifier() -> Weight;
	/// `dismiss_verifier`.
	fn dismiss_verifier() -> Weight;
	/// `suspend_verifier`.
	fn suspend_verifier() -> Weight;
	/// `register_verifier`.
	fn register_verifier() -> Weight;
	/// `exchange_key`.
	fn exchange_key() -> Weight;
	/// `raise_bond`.
	fn raise_bond() -> Weight;
	/// `leave`.
	fn leave() -> Weight;
	/// `withdraw_bond`.
	fn withdraw_bond() -> Weight;
	/// `touch`.
	fn touch() -> Weight;
	/// `report_check`.
	fn report_check() -> Weight;
	/// `reopen`.
	fn reopen() -> Weight;
	/// `show_figures`.
	fn show_figures() -> Weight;
	/// `close_reopening`.
	fn close_reopening() -> Weight;
	/// `demand_opening`.
	fn demand_opening() -> Weight;
	/// `witness`.
	fn witness() -> Weight;
	/// `close_demand`.
	fn close_demand() -> Weight;
	/// `dispute_receipt`.
	fn dispute_receipt() -> Weight;
	/// `commit_vote`.
	fn commit_vote() -> Weight;
	/// `reveal_vote`.
	fn reveal_vote() -> Weight;
	/// `close_undecided`.
	fn close_undecided() -> Weight;
	/// `close_guilty`.
	fn close_guilty() -> Weight;
	/// `settle_checks`.
	fn settle_checks() -> Weight;
	/// `pay_checks`.
	fn pay_checks() -> Weight;
	/// `name_receipt`.
	fn name_receipt() -> Weight;
	/// `abstain`.
	fn abstain() -> Weight;
	/// `on_initialize`.
	fn on_initialize() -> Weight;
}

/// Weights for a runtime `T` and its database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn set_parameters() -> Weight {
		Weight::from_parts(15_000_000, 3_000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn set_line() -> Weight {
		Weight::from_parts(15_000_000, 3_600)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn admit_verifier() -> Weight {
		Weight::from_parts(14_000_000, 3_600)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	fn dismiss_verifier() -> Weight {
		Weight::from_parts(22_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn suspend_verifier() -> Weight {
		Weight::from_parts(60_000_000, 61_000)
			.saturating_add(T::DbWeight::get().reads(67_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn register_verifier() -> Weight {
		Weight::from_parts(90_000_000, 6_200)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn exchange_key() -> Weight {
		Weight::from_parts(85_000_000, 4_400)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	fn raise_bond() -> Weight {
		Weight::from_parts(40_000_000, 6_200)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn leave() -> Weight {
		Weight::from_parts(22_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn withdraw_bond() -> Weight {
		Weight::from_parts(60_000_000, 61_000)
			.saturating_add(T::DbWeight::get().reads(68_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	fn touch() -> Weight {
		Weight::from_parts(60_000_000, 62_000)
			.saturating_add(T::DbWeight::get().reads(74_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn report_check() -> Weight {
		Weight::from_parts(2_200_000_000, 260_000)
			.saturating_add(T::DbWeight::get().reads(252_u64))
			.saturating_add(T::DbWeight::get().writes(84_u64))
	}
	fn reopen() -> Weight {
		Weight::from_parts(2_150_000_000, 20_000)
			.saturating_add(T::DbWeight::get().reads(22_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn show_figures() -> Weight {
		Weight::from_parts(260_000_000, 160_000)
			.saturating_add(T::DbWeight::get().reads(90_u64))
			.saturating_add(T::DbWeight::get().writes(12_u64))
	}
	fn close_reopening() -> Weight {
		Weight::from_parts(110_000_000, 24_000)
			.saturating_add(T::DbWeight::get().reads(14_u64))
			.saturating_add(T::DbWeight::get().writes(14_u64))
	}
	fn demand_opening() -> Weight {
		Weight::from_parts(2_300_000_000, 150_000)
			.saturating_add(T::DbWeight::get().reads(165_u64))
			.saturating_add(T::DbWeight::get().writes(14_u64))
	}
	fn witness() -> Weight {
		Weight::from_parts(420_000_000, 260_000)
			.saturating_add(T::DbWeight::get().reads(222_u64))
			.saturating_add(T::DbWeight::get().writes(214_u64))
	}
	fn close_demand() -> Weight {
		Weight::from_parts(330_000_000, 260_000)
			.saturating_add(T::DbWeight::get().reads(226_u64))
			.saturating_add(T::DbWeight::get().writes(216_u64))
	}
	fn dispute_receipt() -> Weight {
		Weight::from_parts(260_000_000, 140_000)
			.saturating_add(T::DbWeight::get().reads(100_u64))
			.saturating_add(T::DbWeight::get().writes(10_u64))
	}
	fn commit_vote() -> Weight {
		Weight::from_parts(80_000_000, 21_000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn reveal_vote() -> Weight {
		Weight::from_parts(85_000_000, 21_000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn close_undecided() -> Weight {
		Weight::from_parts(1_600_000_000, 270_000)
			.saturating_add(T::DbWeight::get().reads(230_u64))
			.saturating_add(T::DbWeight::get().writes(205_u64))
	}
	fn close_guilty() -> Weight {
		Weight::from_parts(700_000_000, 270_000)
			.saturating_add(T::DbWeight::get().reads(165_u64))
			.saturating_add(T::DbWeight::get().writes(104_u64))
	}
	fn settle_checks() -> Weight {
		Weight::from_parts(420_000_000, 190_000)
			.saturating_add(T::DbWeight::get().reads(145_u64))
			.saturating_add(T::DbWeight::get().writes(200_u64))
	}
	fn pay_checks() -> Weight {
		Weight::from_parts(1_400_000_000, 190_000)
			.saturating_add(T::DbWeight::get().reads(200_u64))
			.saturating_add(T::DbWeight::get().writes(135_u64))
	}
	fn name_receipt() -> Weight {
		Weight::from_parts(160_000_000, 60_000)
			.saturating_add(T::DbWeight::get().reads(16_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn abstain() -> Weight {
		Weight::from_parts(85_000_000, 21_000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn on_initialize() -> Weight {
		Weight::from_parts(40_000_000, 3_000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
}

/// Weights for tests.
impl WeightInfo for () {
	fn set_parameters() -> Weight {
		Weight::from_parts(15_000_000, 3_000)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_line() -> Weight {
		Weight::from_parts(15_000_000, 3_600)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn admit_verifier() -> Weight {
		Weight::from_parts(14_000_000, 3_600)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn dismiss_verifier() -> Weight {
		Weight::from_parts(22_000_000, 3_800)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn suspend_verifier() -> Weight {
		Weight::from_parts(60_000_000, 61_000)
			.saturating_add(RocksDbWeight::get().reads(67_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn register_verifier() -> Weight {
		Weight::from_parts(90_000_000, 6_200)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn exchange_key() -> Weight {
		Weight::from_parts(85_000_000, 4_400)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn raise_bond() -> Weight {
		Weight::from_parts(40_000_000, 6_200)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn leave() -> Weight {
		Weight::from_parts(22_000_000, 3_800)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn withdraw_bond() -> Weight {
		Weight::from_parts(60_000_000, 61_000)
			.saturating_add(RocksDbWeight::get().reads(68_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	fn touch() -> Weight {
		Weight::from_parts(60_000_000, 62_000)
			.saturating_add(RocksDbWeight::get().reads(74_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn report_check() -> Weight {
		Weight::from_parts(2_200_000_000, 260_000)
			.saturating_add(RocksDbWeight::get().reads(252_u64))
			.saturating_add(RocksDbWeight::get().writes(84_u64))
	}
	fn reopen() -> Weight {
		Weight::from_parts(2_150_000_000, 20_000)
			.saturating_add(RocksDbWeight::get().reads(22_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn show_figures() -> Weight {
		Weight::from_parts(260_000_000, 160_000)
			.saturating_add(RocksDbWeight::get().reads(90_u64))
			.saturating_add(RocksDbWeight::get().writes(12_u64))
	}
	fn close_reopening() -> Weight {
		Weight::from_parts(110_000_000, 24_000)
			.saturating_add(RocksDbWeight::get().reads(14_u64))
			.saturating_add(RocksDbWeight::get().writes(14_u64))
	}
	fn demand_opening() -> Weight {
		Weight::from_parts(2_300_000_000, 150_000)
			.saturating_add(RocksDbWeight::get().reads(165_u64))
			.saturating_add(RocksDbWeight::get().writes(14_u64))
	}
	fn witness() -> Weight {
		Weight::from_parts(420_000_000, 260_000)
			.saturating_add(RocksDbWeight::get().reads(222_u64))
			.saturating_add(RocksDbWeight::get().writes(214_u64))
	}
	fn close_demand() -> Weight {
		Weight::from_parts(330_000_000, 260_000)
			.saturating_add(RocksDbWeight::get().reads(226_u64))
			.saturating_add(RocksDbWeight::get().writes(216_u64))
	}
	fn dispute_receipt() -> Weight {
		Weight::from_parts(260_000_000, 140_000)
			.saturating_add(RocksDbWeight::get().reads(100_u64))
			.saturating_add(RocksDbWeight::get().writes(10_u64))
	}
	fn commit_vote() -> Weight {
		Weight::from_parts(80_000_000, 21_000)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn reveal_vote() -> Weight {
		Weight::from_parts(85_000_000, 21_000)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn close_undecided() -> Weight {
		Weight::from_parts(1_600_000_000, 270_000)
			.saturating_add(RocksDbWeight::get().reads(230_u64))
			.saturating_add(RocksDbWeight::get().writes(205_u64))
	}
	fn close_guilty() -> Weight {
		Weight::from_parts(700_000_000, 270_000)
			.saturating_add(RocksDbWeight::get().reads(165_u64))
			.saturating_add(RocksDbWeight::get().writes(104_u64))
	}
	fn settle_checks() -> Weight {
		Weight::from_parts(420_000_000, 190_000)
			.saturating_add(RocksDbWeight::get().reads(145_u64))
			.saturating_add(RocksDbWeight::get().writes(200_u64))
	}
	fn pay_checks() -> Weight {
		Weight::from_parts(1_400_000_000, 190_000)
			.saturating_add(RocksDbWeight::get().reads(200_u64))
			.saturating_add(RocksDbWeight::get().writes(135_u64))
	}
	fn name_receipt() -> Weight {
		Weight::from_parts(160_000_000, 60_000)
			.saturating_add(RocksDbWeight::get().reads(16_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn abstain() -> Weight {
		Weight::from_parts(85_000_000, 21_000)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn on_initialize() -> Weight {
		Weight::from_parts(40_000_000, 3_000)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
}
