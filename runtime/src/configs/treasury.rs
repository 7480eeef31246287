//! `pallet_treasury`: holds fees, shares of what is minted, and all AICP that is minted; spends AIT,
//! AICP and KWH by governance: nothing that came in during the vote.

use crate::{
	AccountId, Assets, Balance, Balances, BlockNumber, Runtime, RuntimeEvent, System,
	configs::{GovernanceOrigin, governance::Days},
	constants::{AICP, KWH, time::DAYS},
};
use frame_support::{
	BoundedVec, PalletId, Twox64Concat, ensure,
	pallet_prelude::ValueQuery,
	traits::{
		ConstU32, ConstU128, GetStorageVersion, MapSuccess, OnRuntimeUpgrade,
		fungible::{NativeFromLeft, NativeOrWithId, UnionOf},
		fungibles::Inspect,
		tokens::{ConversionFromAssetBalance, pay::PayAssetFromAccount},
	},
	weights::Weight,
};
use pallet_treasury::{PaymentState, PositiveImbalanceOf, SpendFunds, SpendStatus};
use sp_runtime::{
	Permill, TokenError,
	traits::{IdentityLookup, Replace},
};

frame_support::parameter_types! {
	/// Id from which the treasury's account is derived.
	pub const TreasuryPalletId: PalletId = PalletId(*b"gp/trsry");
	/// Account of the treasury, for which no key can sign.
	pub TreasuryAccount: AccountId = crate::Treasury::account_id();
	/// Nothing that the treasury holds is ever burned.
	pub const Burn: Permill = Permill::zero();
	/// Time in which an approved spend can be claimed, in blocks.
	pub const PayoutPeriod: BlockNumber = 30 * DAYS;
}

/// AIT, and AICP and KWH by their numbers.
type Tokens = UnionOf<Balances, Assets, NativeFromLeft, NativeOrWithId<u32>, AccountId>;

/// Days at whose ends the treasury's balances are remembered: as many as a vote takes, and that in which
/// it began.
const REMEMBERED_DAYS: u32 = 8;

/// What the treasury held at the end of each of the last days, the oldest first, less what has been
/// approved to be spent since then; by token.
#[frame_support::storage_alias]
type Held = StorageMap<
	TreasuryHeld,
	Twox64Concat,
	NativeOrWithId<u32>,
	BoundedVec<Balance, ConstU32<REMEMBERED_DAYS>>,
	ValueQuery,
>;

/// What may be approved: what the treasury held before the vote began, less what has been approved since.
/// So nobody votes about what came in meanwhile. Until a first day has ended, there is no limit.
pub struct HeldBeforeTheVote;

impl HeldBeforeTheVote {
	/// Remembers what the treasury holds of a token at the end of a day.
	fn note(kind: NativeOrWithId<u32>) {
		let balance =
			<Tokens as Inspect<AccountId>>::balance(kind.clone(), &TreasuryAccount::get());
		Held::mutate(kind, |days| {
			if days.is_full() {
				days.remove(0);
			}
			// There is room now.
			let _ = days.try_push(balance);
		});
	}
}

/// Each day, before due spends.
impl SpendFunds<Runtime> for HeldBeforeTheVote {
	fn spend_funds(
		_: &mut Balance,
		_: &mut PositiveImbalanceOf<Runtime>,
		weight: &mut Weight,
		_: &mut bool,
	) {
		let tokens =
			[NativeOrWithId::Native, NativeOrWithId::WithId(AICP), NativeOrWithId::WithId(KWH)];
		tokens.into_iter().for_each(Self::note);
		let taken = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(6, 3);
		*weight = weight.saturating_add(taken);
	}
}

/// Amounts are not converted: who may spend at all, may spend any amount of any token that was there.
/// Approving is what asks for this.
impl ConversionFromAssetBalance<Balance, NativeOrWithId<u32>, Balance> for HeldBeforeTheVote {
	type Error = TokenError;

	fn from_asset_balance(
		amount: Balance,
		kind: NativeOrWithId<u32>,
	) -> Result<Balance, TokenError> {
		Held::try_mutate(kind, |days| {
			let oldest = days.first().copied().unwrap_or(Balance::MAX);
			ensure!(amount <= oldest, TokenError::FundsUnavailable);
			for held in days.iter_mut() {
				*held = held.saturating_sub(amount);
			}
			Ok(amount)
		})
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn ensure_successful(kind: NativeOrWithId<u32>) {
		Held::remove(kind);
	}
}

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
	type BalanceConverter = HeldBeforeTheVote;
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
	type SpendFunds = HeldBeforeTheVote;
	// Governance may spend any amount in one call.
	type SpendOrigin = MapSuccess<GovernanceOrigin, Replace<ConstU128<{ Balance::MAX }>>>;
	type SpendPeriod = Days<1>;
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
