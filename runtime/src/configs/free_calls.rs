//! `pallet_free_calls`: the one who pays comes first, and finds at least half of each block.

use crate::{
	Balance, Runtime,
	constants::{RuntimeBlockLength, RuntimeBlockWeights, currency::MILLI_AIT},
};
use frame_support::{dispatch::DispatchClass, parameter_types, weights::Weight};

parameter_types! {
	/// Half of the weight that a block has for ordinary transactions.
	pub MaxFreeWeight: Weight = {
		let ordinary = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_total;
		ordinary.unwrap_or_default().saturating_div(2)
	};
	/// Half of the bytes that a block has for ordinary transactions.
	pub MaxFreeLength: u32 = RuntimeBlockLength::get()
		.max
		.get(DispatchClass::Normal)
		.saturating_div(2);
	/// 10⁻⁹ AIT. A block has room for some 50,000 of the shortest transactions, so that their tips
	/// are told apart up to 180,000 AIT.
	pub const PriorityUnit: Balance = MILLI_AIT / 1_000_000;
}

impl pallet_free_calls::Config for Runtime {
	type MaxLength = MaxFreeLength;
	type MaxWeight = MaxFreeWeight;
	type PriorityUnit = PriorityUnit;
}
