//! `pallet_collective` as the emergency committee: half of its members together can stop things, and
//! loosen nothing.

use crate::{
	AccountId, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
	configs::GovernanceOrigin,
	constants::{RuntimeBlockWeights, time::DAYS},
};
use frame_support::{
	pallet_prelude::Weight,
	traits::{ConstU32, EitherOfDiverse},
};
use frame_system::EnsureRoot;
use pallet_brakes::EnsureEmergency;
use pallet_collective::{DefaultVote, EnsureProportionAtLeast, MemberCount};
use sp_runtime::Perbill;

/// The committee among the collectives.
pub type Committee = pallet_collective::Instance1;

/// Origin of those who may ask [`pallet_governance`] to stop something: half of the committee, by a
/// motion; or the account that governance named for it, which can be an account of their keys.
pub type EmergencyCommitteeOrigin =
	EitherOfDiverse<EnsureEmergency<Runtime>, EnsureProportionAtLeast<AccountId, Committee, 1, 2>>;

frame_support::parameter_types! {
	/// Highest weight of what a motion makes.
	pub MaxMotionWeight: Weight = Perbill::from_percent(20) * RuntimeBlockWeights::get().max_block;
}

/// Counts members that did not vote as against it: a member that governance names as prime would else speak
/// for all who are away, and stop things alone.
pub struct AbsentAreAgainst;

impl DefaultVote for AbsentAreAgainst {
	fn default_vote(_: Option<bool>, _: MemberCount, _: MemberCount, _: MemberCount) -> bool {
		false
	}
}

impl pallet_collective::Config<Committee> for Runtime {
	type Consideration = ();
	type DefaultVote = AbsentAreAgainst;
	type DisapproveOrigin = GovernanceOrigin;
	type KillOrigin = EnsureRoot<AccountId>;
	type MaxMembers = ConstU32<25>;
	type MaxProposalWeight = MaxMotionWeight;
	type MaxProposals = ConstU32<20>;
	type MotionDuration = ConstU32<{ 3 * DAYS }>;
	type Proposal = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = RuntimeOrigin;
	type SetMembersOrigin = GovernanceOrigin;
	type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
}
