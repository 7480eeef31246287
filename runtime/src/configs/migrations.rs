//! `pallet_migrations`: migrations too large for one block.

use crate::{Runtime, RuntimeEvent, constants::RuntimeBlockWeights};
use frame_support::{migrations::FreezeChainOnFailedMigration, traits::ConstU32, weights::Weight};
use sp_runtime::Perbill;

frame_support::parameter_types! {
	/// Highest weight of a block that migrations may use.
	pub MaxServiceWeight: Weight =
		Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
}

/// Migrations that fit into one block, in the order in which they run.
pub(crate) type Migrations = (pallet_coverage_policy::migrations::V2<Runtime>,);

impl pallet_migrations::Config for Runtime {
	type CursorMaxLen = ConstU32<65_536>;
	// A chain whose state is half migrated must not continue: governance resolves it.
	type FailedMigrationHandler = FreezeChainOnFailedMigration;
	type IdentifierMaxLen = ConstU32<256>;
	type MaxServiceWeight = MaxServiceWeight;
	type MigrationStatusHandler = ();
	#[cfg(not(feature = "runtime-benchmarks"))]
	type Migrations = ();
	#[cfg(feature = "runtime-benchmarks")]
	type Migrations = pallet_migrations::mock_helpers::MockedMigrations;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_migrations::weights::SubstrateWeight<Runtime>;
}
