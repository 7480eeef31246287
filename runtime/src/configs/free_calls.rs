//! `pallet_free_calls`: the one who pays comes first, and finds at least half of each block.

use crate::{
	Runtime,
	constants::{RuntimeBlockLength, RuntimeBlockWeights},
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
}

impl pallet_free_calls::Config for Runtime {
	type MaxLength = MaxFreeLength;
	type MaxWeight = MaxFreeWeight;
}
