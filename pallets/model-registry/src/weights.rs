//! Weights of `pallet_model_registry`, estimated from what the calls read, write and compute, until `scripts/weights`
//! has measured them.

#![allow(unused_parens, unused_imports, clippy::unnecessary_cast)]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{Weight, constants::RocksDbWeight},
};

/// What the benchmarked calls of this pallet weigh.
pub trait WeightInfo {
	/// `propose_add`.
	fn propose_add() -> Weight;
	/// `propose_change`.
	fn propose_change() -> Weight;
	/// `propose_retire`.
	fn propose_retire() -> Weight;
	/// `propose_resume`.
	fn propose_resume() -> Weight;
	/// `propose_default`.
	fn propose_default() -> Weight;
	/// `propose_delay`.
	fn propose_delay() -> Weight;
	/// `call_off`.
	fn call_off() -> Weight;
	/// `stop`.
	fn stop() -> Weight;
	/// `forget`.
	fn forget() -> Weight;
}

/// Weights for a runtime `T` and its database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn propose_add() -> Weight {
		Weight::from_parts(30_000_000, 6_200)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	fn propose_change() -> Weight {
		Weight::from_parts(22_000_000, 3_900)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn propose_retire() -> Weight {
		Weight::from_parts(22_000_000, 3_900)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn propose_resume() -> Weight {
		Weight::from_parts(22_000_000, 3_900)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn propose_default() -> Weight {
		Weight::from_parts(22_000_000, 4_100)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn propose_delay() -> Weight {
		Weight::from_parts(14_000_000, 1_600)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn call_off() -> Weight {
		Weight::from_parts(32_000_000, 4_600)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	fn stop() -> Weight {
		Weight::from_parts(22_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	fn forget() -> Weight {
		Weight::from_parts(32_000_000, 4_600)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
}

/// Weights for tests.
impl WeightInfo for () {
	fn propose_add() -> Weight {
		Weight::from_parts(30_000_000, 6_200)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn propose_change() -> Weight {
		Weight::from_parts(22_000_000, 3_900)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn propose_retire() -> Weight {
		Weight::from_parts(22_000_000, 3_900)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn propose_resume() -> Weight {
		Weight::from_parts(22_000_000, 3_900)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn propose_default() -> Weight {
		Weight::from_parts(22_000_000, 4_100)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn propose_delay() -> Weight {
		Weight::from_parts(14_000_000, 1_600)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn call_off() -> Weight {
		Weight::from_parts(32_000_000, 4_600)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn stop() -> Weight {
		Weight::from_parts(22_000_000, 3_800)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn forget() -> Weight {
		Weight::from_parts(32_000_000, 4_600)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
}
