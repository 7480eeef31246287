//! `pallet_safe_mode`: in an emergency everything stops except what keeps the chain alive and what
//! leads out again.

use crate::{
	AccountId, Balance, Balances, BlockNumber, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeHoldReason,
	configs::GovernanceOrigin,
	constants::time::{DAYS, HOURS},
};
use frame_support::traits::{ConstU32, Contains, EitherOf, MapSuccess};
use frame_system::EnsureRootWithSuccess;
use pallet_brakes::EnsureEmergency;
use sp_runtime::traits::Replace;

/// Calls that continue in safe mode: time, finality, keys, statements of the reserve, the ways out
/// for a root of one key or of several, an upgrade, and whatever stops.
///
/// What a multisig or a proxy wraps is filtered once more when it is dispatched: they let nothing
/// else through.
pub struct WhitelistedCalls;

impl Contains<RuntimeCall> for WhitelistedCalls {
	fn contains(call: &RuntimeCall) -> bool {
		matches!(
			call,
			RuntimeCall::Timestamp(_)
				| RuntimeCall::Grandpa(_)
				| RuntimeCall::Authorities(_)
				| RuntimeCall::Attestations(_)
				| RuntimeCall::Session(_)
				| RuntimeCall::Sudo(_)
				| RuntimeCall::SafeMode(_)
				| RuntimeCall::TxPause(_)
				| RuntimeCall::Multisig(_)
				| RuntimeCall::Proxy(_)
				| RuntimeCall::System(frame_system::Call::apply_authorized_upgrade { .. })
				| RuntimeCall::MeterReadings(pallet_meter_readings::Call::pause { .. })
				| RuntimeCall::CoveragePolicy(pallet_coverage_policy::Call::set_breaker { .. })
				| RuntimeCall::ComputeReceipts(pallet_compute_receipts::Call::set_breaker { .. })
				| RuntimeCall::ModelRegistry(pallet_model_registry::Call::stop { .. })
				| RuntimeCall::ComputeChecks(pallet_compute_checks::Call::suspend_verifier { .. })
		)
	}
}

frame_support::parameter_types! {
	/// Nobody can enter or extend safe mode for a deposit.
	pub const NoDeposit: Option<Balance> = None;
	/// So there is no deposit to release.
	pub const NoRelease: Option<BlockNumber> = None;
	/// Blocks for which governance or the emergency account enters safe mode with one call.
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
	type ForceEnterOrigin = EitherOf<
		EnsureRootWithSuccess<AccountId, ForceEnterDuration>,
		MapSuccess<EnsureEmergency<Runtime>, Replace<ConstU32<DAYS>>>,
	>;
	type ForceExitOrigin = GovernanceOrigin;
	type ForceExtendOrigin = EnsureRootWithSuccess<AccountId, ForceExtendDuration>;
	type Notify = ();
	type ReleaseDelay = NoRelease;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
	type WhitelistedCalls = WhitelistedCalls;
}
