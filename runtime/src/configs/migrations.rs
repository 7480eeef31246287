//! Migrations of storage, and `pallet_migrations` for those too large for one block.

use crate::{BlockNumber, Runtime, RuntimeEvent, SafeMode, constants::RuntimeBlockWeights};
use frame_support::{
	migrations::{FailedMigrationHandler, FailedMigrationHandling},
	traits::{ConstU32, SafeMode as Stop},
	weights::Weight,
};
use sp_runtime::Perbill;

/// Migrations that run in the first block of an upgraded runtime, each only if its pallet's storage
/// has an older version.
pub(super) type Migrations = (
	// One line a migration.
	pallet_attestations::migrations::V2<Runtime>,
	pallet_compute_receipts::migrations::v2::MigrateToV2<Runtime>,
	pallet_compute_receipts::migrations::v3::MigrateToV3<
		Runtime,
		super::compute_receipts::AicpWithHolds,
	>,
	pallet_compute_receipts::migrations::v4::MigrateToV4<Runtime>,
	pallet_coverage_policy::migrations::V2<Runtime>,
	super::treasury::SpendsOfTokens,
	pallet_coverage_policy::migrations::V3<Runtime>,
	pallet_meter_readings::migrations::MigrateV1ToV2<Runtime>,
	pallet_meter_readings::migrations::MigrateV2ToV3<Runtime>,
	super::sudo::KeyOfDemonstrationsOnly,
);

frame_support::parameter_types! {
	/// Highest weight of a block that migrations may use.
	pub MaxServiceWeight: Weight =
		Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
}

/// After a failed migration, safe mode without an end and transactions again: so nobody acts on a
/// state that is half migrated but those who can repair it.
///
/// The SDK's own handler that enters safe mode keeps the migration stuck, and with it every
/// transaction out, governance's too.
pub struct SafeModeOnFailedMigration;

impl FailedMigrationHandler for SafeModeOnFailedMigration {
	fn failed(_: Option<u32>) -> FailedMigrationHandling {
		let stopped = if <SafeMode as Stop>::is_entered() {
			<SafeMode as Stop>::extend(BlockNumber::MAX)
		} else {
			<SafeMode as Stop>::enter(BlockNumber::MAX)
		};
		match stopped {
			Ok(()) => FailedMigrationHandling::ForceUnstuck,
			Err(_) => FailedMigrationHandling::KeepStuck,
		}
	}
}

impl pallet_migrations::Config for Runtime {
	type CursorMaxLen = ConstU32<65_536>;
	type FailedMigrationHandler = SafeModeOnFailedMigration;
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
