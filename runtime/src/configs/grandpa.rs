//! `pallet_grandpa`: finality, and reports of authorities that vote twice.

use crate::{
	Historical, Offences, Runtime, RuntimeCall, RuntimeEvent, UncheckedExtrinsic,
	constants::time::{DAYS, SESSION},
};
use frame_support::traits::{ConstU32, ConstU64};

/// Time in which an equivocation can be reported: 28 days, in sessions.
pub(super) const REPORTABLE_SESSIONS: u64 = (28 * DAYS / SESSION) as u64;

frame_support::parameter_types! {
	/// Time that a report stays in the pool, in blocks.
	pub const ReportLongevity: u64 = REPORTABLE_SESSIONS * SESSION as u64;
}

impl pallet_grandpa::Config for Runtime {
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type MaxAuthorities = ConstU32<256>;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<REPORTABLE_SESSIONS>;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
}

impl<C> frame_system::offchain::CreateTransactionBase<C> for Runtime
where
	RuntimeCall: From<C>,
{
	type Extrinsic = UncheckedExtrinsic;
	type RuntimeCall = RuntimeCall;
}

impl<C> frame_system::offchain::CreateBare<C> for Runtime
where
	RuntimeCall: From<C>,
{
	fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
		UncheckedExtrinsic::new_bare(call)
	}
}
