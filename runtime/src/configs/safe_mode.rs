//! `pallet_safe_mode`: in an emergency everything stops except what keeps the chain alive and what
//! leads out again.

use crate::{
	AccountId, Balance, Balances, BlockNumber, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeHoldReason,
	configs::{
		GovernanceOrigin, GovernedCalls,
		governance::{Days, STOP_DAYS},
	},
	constants::time::DAYS,
};
use frame_support::traits::{ConstU32, Contains, EitherOf, MapSuccess};
use frame_system::EnsureRoot;
use pallet_governance::EnsureCommittee;
use sp_runtime::traits::Replace;

/// Calls that continue in safe mode: time, finality, keys, statements of the reserve, whatever people
/// govern by and governance decides, multisigs, proxies and batches, an upgrade, and whatever stops.
///
/// What a multisig, a proxy or a batch wraps is filtered once more when it is dispatched: they let
/// nothing else through. A referendum of several calls is a batch.
pub struct WhitelistedCalls;

impl Contains<RuntimeCall> for WhitelistedCalls {
	fn contains(call: &RuntimeCall) -> bool {
		GovernedCalls::contains(call)
			|| matches!(
				call,
				RuntimeCall::Timestamp(_)
					| RuntimeCall::Grandpa(_)
					| RuntimeCall::Session(_)
					| RuntimeCall::Sudo(_)
					| RuntimeCall::Multisig(_)
					| RuntimeCall::Proxy(_)
					| RuntimeCall::Utility(
						pallet_utility::Call::batch { .. }
							| pallet_utility::Call::batch_all { .. }
							| pallet_utility::Call::force_batch { .. }
					) | RuntimeCall::System(frame_system::Call::apply_authorized_upgrade { .. })
			)
	}
}

frame_support::parameter_types! {
	/// Nobody can enter or extend safe mode for a deposit.
	pub const NoDeposit: Option<Balance> = None;
	/// So there is no deposit to release.
	pub const NoRelease: Option<BlockNumber> = None;
}

impl pallet_safe_mode::Config for Runtime {
	type Currency = Balances;
	type EnterDepositAmount = NoDeposit;
	type EnterDuration = ConstU32<0>;
	type ExtendDepositAmount = NoDeposit;
	type ExtendDuration = ConstU32<0>;
	type ForceDepositOrigin = EnsureRoot<AccountId>;
	// Governance for a day, the committee for as long as its stops stand.
	type ForceEnterOrigin = EitherOf<
		MapSuccess<GovernanceOrigin, Replace<ConstU32<DAYS>>>,
		MapSuccess<EnsureCommittee, Replace<Days<STOP_DAYS>>>,
	>;
	type ForceExitOrigin = GovernanceOrigin;
	type ForceExtendOrigin = MapSuccess<GovernanceOrigin, Replace<ConstU32<DAYS>>>;
	type Notify = ();
	type ReleaseDelay = NoRelease;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
	type WhitelistedCalls = WhitelistedCalls;
}
