//! `pallet_treasury`: holds fees and shares of what is minted; spends by governance.

use crate::{
	AccountId, Balance, Balances, BlockNumber, Runtime, RuntimeEvent, System,
	configs::GovernanceOrigin, constants::time::DAYS,
};
use frame_support::{
	PalletId,
	traits::{
		ConstU32,
		tokens::{PayFromAccount, UnityAssetBalanceConversion},
	},
};
use frame_system::EnsureRootWithSuccess;
use sp_runtime::{Permill, traits::IdentityLookup};

frame_support::parameter_types! {
	/// Id from which the treasury's account is derived.
	pub const TreasuryPalletId: PalletId = PalletId(*b"gp/trsry");
	/// Account of the treasury, for which no key can sign.
	pub TreasuryAccount: AccountId = crate::Treasury::account_id();
	/// Nothing that the treasury holds is ever burned.
	pub const Burn: Permill = Permill::zero();
	/// Governance may spend any amount in one call.
	pub const MaxSpend: Balance = Balance::MAX;
	/// Time between two checks for due spends, in blocks.
	pub const SpendPeriod: BlockNumber = DAYS;
	/// Time in which an approved spend can be claimed, in blocks.
	pub const PayoutPeriod: BlockNumber = 30 * DAYS;
}

impl pallet_treasury::Config for Runtime {
	type AssetKind = ();
	type BalanceConverter = UnityAssetBalanceConversion;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
	type Beneficiary = AccountId;
	type BeneficiaryLookup = IdentityLookup<AccountId>;
	type BlockNumberProvider = System;
	type Burn = Burn;
	type BurnDestination = ();
	type Currency = Balances;
	type MaxApprovals = ConstU32<100>;
	type PalletId = TreasuryPalletId;
	type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
	type PayoutPeriod = PayoutPeriod;
	type RejectOrigin = GovernanceOrigin;
	type RuntimeEvent = RuntimeEvent;
	type SpendFunds = ();
	type SpendOrigin = EnsureRootWithSuccess<AccountId, MaxSpend>;
	type SpendPeriod = SpendPeriod;
	type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
}
