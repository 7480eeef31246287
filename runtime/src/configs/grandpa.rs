//! `pallet_grandpa`: finality, and reports of authorities that vote twice.

use crate::{
	Offences, Runtime, RuntimeCall, RuntimeEvent, UncheckedExtrinsic,
	constants::time::{DAYS, SESSION},
};
use frame_support::{
	traits::{ConstU32, ConstU64},
	weights::Weight,
};
use pallet_authorities::KeyOwners;

/// Time in which an equivocation can be reported: 28 days, in sessions.
pub(super) const REPORTABLE_SESSIONS: u64 = (28 * DAYS / SESSION) as u64;

frame_support::parameter_types! {
	/// Time that a report stays in the pool, in blocks.
	pub const ReportLongevity: u64 = REPORTABLE_SESSIONS * SESSION as u64;
}

/// Weights of `pallet_grandpa`, which exports none for a database of one's choice. Derived by hand
/// from those of the SDK's benchmarks, twice the computing, with what our database takes.
pub struct Weights;

impl pallet_grandpa::WeightInfo for Weights {
	fn report_equivocation(validators: u32, nominators: u32) -> Weight {
		let each = Weight::from_parts(50_000_000, 0).saturating_mul(nominators.into());
		Weight::from_parts(500_000_000, 0)
			.saturating_add(Weight::from_parts(400_000, 0).saturating_mul(validators.into()))
			.saturating_add(each)
			.saturating_add(database().reads_writes(24, 16))
	}

	fn note_stalled() -> Weight {
		Weight::from_parts(10_000_000, 0).saturating_add(database().writes(1))
	}
}

fn database() -> frame_support::weights::RuntimeDbWeight {
	<Runtime as frame_system::Config>::DbWeight::get()
}

impl pallet_grandpa::Config for Runtime {
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, KeyOwners<Self>, ReportLongevity>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type MaxAuthorities = ConstU32<256>;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<REPORTABLE_SESSIONS>;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = Weights;
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
