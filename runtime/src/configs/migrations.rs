//! Migrations of storage, and `pallet_migrations` for those too large for one block.

use crate::{Runtime, RuntimeEvent, constants::RuntimeBlockWeights};
use frame_support::{migrations::FreezeChainOnFailedMigration, traits::ConstU32, weights::Weight};
use sp_runtime::Perbill;

/// Migrations of one block each, in order. One that has run already is skipped by its version.
pub(super) type Migrations = (
	// One a line.
	pallet_meter_readings::migrations::MigrateV1ToV2<Runtime>,
);

frame_support::parameter_types! {
	/// Highest weight of a block that migrations may use.
	pub MaxServiceWeight: Weight =
		Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
}

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
