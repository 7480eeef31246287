//! `pallet_parameters`: figures that governance can change without an upgrade.

use crate::{
	Balance, Runtime, RuntimeEvent,
	configs::GovernanceOrigin,
	constants::currency::{AIT, MICRO_AIT, MILLI_AIT},
};
use frame_support::{
	dynamic_params::{dynamic_pallet_params, dynamic_params},
	traits::AsEnsureOriginWithArg,
	weights::Weight,
};

/// Highest part of the fee that every transaction pays: 1 AIT. Fees are taken before a call,
/// governance's too: one that nobody could pay would end every transaction permanently. What was set
/// above it counts as this.
pub const MAX_BASE_FEE: Balance = AIT;

/// Highest price of a byte: 0.01 AIT, for the same reason.
pub const MAX_FEE_PER_BYTE: Balance = 10 * MILLI_AIT;

/// Figures by subject. Indices are part of the encoding and never change.
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
	use super::*;

	/// Fee of a transaction: `Base + PerByte × length`. Either may be 0.
	#[dynamic_pallet_params]
	#[codec(index = 0)]
	pub mod fees {
		/// Part of the fee that every transaction pays, in units of 10⁻¹⁸ AIT; at most
		/// [`MAX_BASE_FEE`] counts.
		#[codec(index = 0)]
		pub static Base: Balance = MILLI_AIT;

		/// Price of a byte, in units of 10⁻¹⁸ AIT; at most [`MAX_FEE_PER_BYTE`] counts.
		#[codec(index = 1)]
		pub static PerByte: Balance = 10 * MICRO_AIT;
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
	fn default() -> Self {
		RuntimeParameters::Fees(dynamic_params::fees::Parameters::Base(
			dynamic_params::fees::Base,
			Some(MILLI_AIT),
		))
	}
}

/// Weights of `pallet_parameters`, which exports none for a database of one's choice. Derived by
/// hand: the computing of the SDK's benchmark, four times, with what our database takes.
pub struct Weights;

impl pallet_parameters::WeightInfo for Weights {
	fn set_parameter() -> Weight {
		Weight::from_parts(50_000_000, 0)
			.saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1))
	}
}

impl pallet_parameters::Config for Runtime {
	type AdminOrigin = AsEnsureOriginWithArg<GovernanceOrigin>;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	type WeightInfo = Weights;
}
