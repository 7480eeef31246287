//! `pallet_multisig`: accounts of several keys. A meter's energy belongs to a 1-of-2 account.

use crate::{
	Balance, Balances, Runtime, RuntimeCall, RuntimeEvent, System, constants::currency::deposit,
};
use frame_support::traits::ConstU32;

frame_support::parameter_types! {
	/// Deposit for one row of 88 bytes: the multisig account, the call's hash, when and by whom.
	pub const DepositBase: Balance = deposit(1, 88);
	/// Deposit for 32 bytes for each further key.
	pub const DepositFactor: Balance = deposit(0, 32);
}

impl pallet_multisig::Config for Runtime {
	type BlockNumberProvider = System;
	type Currency = Balances;
	type DepositBase = DepositBase;
	type DepositFactor = DepositFactor;
	type MaxSignatories = ConstU32<100>;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
}
