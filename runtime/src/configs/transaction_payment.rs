//! `pallet_transaction_payment`: fee = base + k × length, both set by governance within bounds.

use crate::{
	Balance, Balances, Runtime, RuntimeEvent,
	configs::{MAX_BASE_FEE, MAX_FEE_PER_BYTE, TreasuryAccount, dynamic_params::fees},
};
use frame_support::{
	traits::{ConstU8, Get, tokens::imbalance::ResolveTo},
	weights::{Weight, WeightToFee},
};
use pallet_transaction_payment::{ConstFeeMultiplier, FungibleAdapter, Multiplier};
use sp_runtime::traits::One;

/// The whole fee: `base + k × length`, in units of 10⁻¹⁸ AIT. The payment pallet passes the length
/// in bytes as the weight's reference time.
pub struct BaseAndLengthFee;

impl WeightToFee for BaseAndLengthFee {
	type Balance = Balance;

	fn weight_to_fee(length: &Weight) -> Balance {
		fees::PerByte::get()
			.min(MAX_FEE_PER_BYTE)
			.saturating_mul(Balance::from(length.ref_time()))
			.saturating_add(fees::Base::get().min(MAX_BASE_FEE))
	}
}

/// Computation costs nothing beyond the base fee: the weight limit of a block bounds it.
pub struct NoWeightFee;

impl WeightToFee for NoWeightFee {
	type Balance = Balance;

	fn weight_to_fee(_: &Weight) -> Balance {
		0
	}
}

frame_support::parameter_types! {
	/// The fee does not depend on demand.
	pub FeeMultiplier: Multiplier = Multiplier::one();
}

impl pallet_transaction_payment::Config for Runtime {
	type FeeMultiplierUpdate = ConstFeeMultiplier<FeeMultiplier>;
	type LengthToFee = BaseAndLengthFee;
	type OnChargeTransaction = FungibleAdapter<Balances, ResolveTo<TreasuryAccount, Balances>>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
	type WeightToFee = NoWeightFee;
}
