//! `pallet_safe_mode`: in an emergency, governance stops everything except what keeps the chain
//! alive.

use crate::{
	AccountId, Balance, Balances, BlockNumber, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeHoldReason,
	configs::GovernanceOrigin,
	constants::time::{DAYS, HOURS},
};
use frame_support::traits::{ConstU32, Contains};
use frame_system::EnsureRootWithSuccess;

/// Calls that continue in safe mode: time, finality, keys, statements of the reserve, and the way
/// out.
pub struct WhitelistedCalls;

impl Contains<RuntimeCall> for WhitelistedCalls {
	fn contains(call: &RuntimeCall) -> bool {
		matches!(
			call,
			RuntimeCall::Timestamp(_)
				| RuntimeCall::Grandpa(_)
				| RuntimeCall::Attestations(_)
				| RuntimeCall::Session(_)
				| RuntimeCall::Sudo(_)
				| RuntimeCall::SafeMode(_)
				| RuntimeCall::TxPause(_)
		)
	}
}

frame_support::parameter_types! {
	/// Nobody can enter or extend safe mode for a deposit.
	pub const NoDeposit: Option<Balance> = None;
	/// So there is no deposit to release.
	pub const NoRelease: Option<BlockNumber> = None;
	/// Blocks for which governance enters safe mode with one call.
	pub const ForceEnterDuration: BlockNumber = DAYS;
	/// Blocks by which governance extends it with one call.
	pub const ForceExtendDuration: BlockNumber = HOURS;
}

impl pallet_safe_mode::Config for Runtime {
	type Currency = Balances;
	type EnterDepositAmount = NoDeposit;
	type EnterDuration = ConstU32<0>;
	type ExtendDepositAmount = NoDeposit;
	type ExtendDuration = ConstU32<0>;
	type ForceDepositOrigin = GovernanceOrigin;
	type ForceEnterOrigin = EnsureRootWithSuccess<AccountId, ForceEnterDuration>;
	type ForceExitOrigin = GovernanceOrigin;
	type ForceExtendOrigin = EnsureRootWithSuccess<AccountId, ForceExtendDuration>;
	type Notify = ();
	type ReleaseDelay = NoRelease;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
	type WhitelistedCalls = WhitelistedCalls;
}
