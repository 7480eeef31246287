//! `pallet_coverage_policy`: mints AICP as far as the attested reserve covers it.

use crate::{
	Assets, Attestations, Balance, Balances, Runtime, RuntimeHoldReason,
	configs::{EmergencyOrigin, GovernanceOrigin},
	constants::{AICP, currency::deposit},
};
use frame_support::traits::ConstU32;

frame_support::parameter_types! {
	/// Deposit for the row of a credit account, in 10⁻¹⁸ AIT.
	pub const CreditAccountDeposit: Balance = deposit(1, 100);
	/// Deposit while a redemption waits in the queue, in 10⁻¹⁸ AIT.
	pub const TicketDeposit: Balance = deposit(1, 100);
}

impl pallet_coverage_policy::Config for Runtime {
	type AccountDeposit = CreditAccountDeposit;
	type Aicp = ConstU32<AICP>;
	type Clock = Attestations;
	type Currency = Balances;
	type Fungibles = Assets;
	type GovernanceOrigin = GovernanceOrigin;
	type MaxHistory = ConstU32<400>;
	type MaxQueue = ConstU32<10_000>;
	type MaxServed = ConstU32<50>;
	type PauseOrigin = EmergencyOrigin;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Stops = Attestations;
	type TicketDeposit = TicketDeposit;
	type WeightInfo = pallet_coverage_policy::weights::SubstrateWeight<Runtime>;
}
