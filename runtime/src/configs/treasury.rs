//! `pallet_treasury`: holds fees, shares of what is minted, and all AICP that is minted; spends AIT,
//! AICP and KWH by governance.

use crate::{
	AccountId, Assets, Balance, Balances, BlockNumber, Runtime, RuntimeEvent, System,
	configs::GovernanceOrigin, constants::time::DAYS,
};
use frame_support::{
	PalletId,
	traits::{
		ConstU32, ConstU128, GetStorageVersion, MapSuccess, OnRuntimeUpgrade,
		fungible::{NativeFromLeft, NativeOrWithId, UnionOf},
		tokens::{UnityAssetBalanceConversion, pay::PayAssetFromAccount},
	},
	weights::Weight,
};
use pallet_treasury::{PaymentState, SpendStatus};
use sp_runtime::{
	Permill,
	traits::{IdentityLookup, Replace},
};

frame_support::parameter_types! {
	/// Id from which the treasury's account is derived.
	pub const TreasuryPalletId: PalletId = PalletId(*b"gp/trsry");
	/// Account of the treasury, for which no key can sign.
	pub TreasuryAccount: AccountId = crate::Treasury::account_id();
	/// Nothing that the treasury holds is ever burned.
	pub const Burn: Permill = Permill::zero();
	/// Time between two checks for due spends, in blocks.
	pub const SpendPeriod: BlockNumber = DAYS;
	/// Time in which an approved spend can be claimed, in blocks.
	pub const PayoutPeriod: BlockNumber = 30 * DAYS;
}

/// AIT, and AICP and KWH by their numbers.
type Tokens = UnionOf<Balances, Assets, NativeFromLeft, NativeOrWithId<u32>, AccountId>;

/// Kinds of assets for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct BenchmarkAssets;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_treasury::ArgumentsFactory<NativeOrWithId<u32>, AccountId> for BenchmarkAssets {
	fn create_asset_kind(seed: u32) -> NativeOrWithId<u32> {
		NativeOrWithId::WithId(seed.saturating_add(1_000))
	}

	fn create_beneficiary(seed: [u8; 32]) -> AccountId {
		AccountId::from(seed)
	}
}

impl pallet_treasury::Config for Runtime {
	type AssetKind = NativeOrWithId<u32>;
	// Amounts are not converted: who may spend at all, may spend any amount of any token.
	type BalanceConverter = UnityAssetBalanceConversion;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = BenchmarkAssets;
	type Beneficiary = AccountId;
	type BeneficiaryLookup = IdentityLookup<AccountId>;
	type BlockNumberProvider = System;
	type Burn = Burn;
	type BurnDestination = ();
	type Currency = Balances;
	type MaxApprovals = ConstU32<100>;
	type PalletId = TreasuryPalletId;
	type Paymaster = PayAssetFromAccount<Tokens, TreasuryAccount>;
	type PayoutPeriod = PayoutPeriod;
	type RejectOrigin = GovernanceOrigin;
	type RuntimeEvent = RuntimeEvent;
	type SpendFunds = ();
	// Governance may spend any amount in one call.
	type SpendOrigin = MapSuccess<GovernanceOrigin, Replace<ConstU128<{ Balance::MAX }>>>;
	type SpendPeriod = SpendPeriod;
	type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
}

/// Spend of AIT that governance approved before the treasury could spend other tokens.
#[derive(codec::Encode, codec::Decode)]
struct OldSpend {
	amount: Balance,
	beneficiary: AccountId,
	valid_from: BlockNumber,
	expire_at: BlockNumber,
	status: PaymentState<()>,
}

/// Gives approved spends their token, AIT. It goes before version 3 of the coverage policy, with
/// which the treasury began to spend other tokens, and runs only before that.
pub struct SpendsOfTokens;

impl OnRuntimeUpgrade for SpendsOfTokens {
	fn on_runtime_upgrade() -> Weight {
		let weight = <Runtime as frame_system::Config>::DbWeight::get();
		if crate::CoveragePolicy::on_chain_storage_version() >= 3 {
			return weight.reads(1);
		}
		let mut spends = 0u64;
		pallet_treasury::Spends::<Runtime>::translate(|_, old: OldSpend| {
			spends = spends.saturating_add(1);
			Some(SpendStatus {
				asset_kind: NativeOrWithId::Native,
				amount: old.amount,
				beneficiary: old.beneficiary,
				valid_from: old.valid_from,
				expire_at: old.expire_at,
				status: old.status,
			})
		});
		weight.reads_writes(spends.saturating_add(1), spends)
	}
}
