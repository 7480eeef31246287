//! `pallet_coverage_policy`: mints AICP as far as the attested reserve covers it.

use crate::{
	AccountId, Assets, Attestations, Balance, Balances, Runtime, RuntimeHoldReason,
	configs::{EmergencyOrigin, GovernanceOrigin, TreasuryAccount},
	constants::{AICP, currency::deposit},
};
use frame_support::{PalletId, traits::ConstU32};
use sp_runtime::traits::AccountIdConversion;

frame_support::parameter_types! {
	/// Deposit for the row of a credit account, in 10⁻¹⁸ AIT.
	pub const CreditAccountDeposit: Balance = deposit(1, 100);
	/// Deposit while redemptions of a day wait in the queue, in 10⁻¹⁸ AIT.
	pub const TicketDeposit: Balance = deposit(2, 160);
	/// Account that holds what backs service credit, for which no key can sign.
	pub BackingAccount: AccountId = PalletId(*b"gp/credt").into_account_truncating();
}

impl pallet_coverage_policy::Config for Runtime {
	type AccountDeposit = CreditAccountDeposit;
	type Aicp = ConstU32<AICP>;
	type Backing = BackingAccount;
	type Clock = Attestations;
	type Currency = Balances;
	type Fungibles = Assets;
	type GovernanceOrigin = GovernanceOrigin;
	type MaxHistory = ConstU32<400>;
	type MaxServed = ConstU32<50>;
	type PauseOrigin = EmergencyOrigin;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Stops = Attestations;
	type TicketDeposit = TicketDeposit;
	type Treasury = TreasuryAccount;
	type WeightInfo = pallet_coverage_policy::weights::SubstrateWeight<Runtime>;
}
