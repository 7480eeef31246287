//! `pallet_preimage`: large calls, stored once and referred to by their hash.

use crate::{
	AccountId, Balance, Balances, Runtime, RuntimeEvent, RuntimeHoldReason,
	configs::GovernanceOrigin, constants::currency::deposit,
};
use frame_support::traits::{LinearStoragePrice, fungible::HoldConsideration};

frame_support::parameter_types! {
	/// Deposit for the two rows of a preimage.
	pub const PreimageBaseDeposit: Balance = deposit(2, 64);
	/// Deposit for each byte.
	pub const PreimageByteDeposit: Balance = deposit(0, 1);
	/// Reason for which the deposit is held.
	pub const PreimageHoldReason: RuntimeHoldReason =
		RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
}

impl pallet_preimage::Config for Runtime {
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		PreimageHoldReason,
		LinearStoragePrice<PreimageBaseDeposit, PreimageByteDeposit, Balance>,
	>;
	type Currency = Balances;
	type ManagerOrigin = GovernanceOrigin;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
}
