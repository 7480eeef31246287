//! The state of a development chain of version 100, after four minutes with meters, jobs, credit
//! and days of the reserve, under the rules of today.
//!
//! `data/state-100.json` is the whole state but the code: storage keys and values as a raw chain
//! specification has them, at block 262. The figures below are those that the programs of that
//! version showed.

use frame_support::traits::{OnRuntimeUpgrade, fungibles::Inspect};
use gridproof_primitives::compute::{channels::ChannelParameters, checks::DEFAULT_WINDOW_MS};
use gridproof_runtime::{
	AllPalletsWithSystem, Assets, Attestations, Balances, ComputeChecks, ComputeReceipts,
	CoveragePolicy, MeterReadings, ModelRegistry, Runtime,
	constants::{AICP, KWH},
};
use sp_core::storage::Storage;
use std::collections::BTreeMap;

/// Runs a test on the old state.
fn old_chain(test: impl FnOnce()) {
	let hex = |text: &String| {
		sp_core::bytes::from_hex(text).expect("the file has hexadecimal digits only")
	};
	let state: BTreeMap<String, String> =
		serde_json::from_str(include_str!("../data/state-100.json")).expect("the file is JSON");
	let top = state.iter().map(|(key, value)| (hex(key), hex(value))).collect();
	let mut ext =
		sp_io::TestExternalities::new(Storage { top, children_default: Default::default() });
	ext.execute_with(test);
}

/// Supply of AIT, AICP and KWH, in their smallest units.
fn supplies() -> [u128; 3] {
	[Balances::total_issuance(), Assets::total_issuance(AICP), Assets::total_issuance(KWH)]
}

fn migrate() {
	<Runtime as frame_system::Config>::SingleBlockMigrations::on_runtime_upgrade();
	AllPalletsWithSystem::on_runtime_upgrade();
}

fn check_every_invariant() {
	Attestations::do_try_state().expect("attestations");
	CoveragePolicy::do_try_state().expect("coverage policy");
	MeterReadings::do_try_state().expect("meter readings");
	ComputeReceipts::do_try_state().expect("compute receipts");
	ModelRegistry::do_try_state().expect("model registry");
	ComputeChecks::do_try_state().expect("compute checks");
}

#[test]
fn no_token_gains_or_loses_a_unit_and_every_invariant_holds() {
	old_chain(|| {
		let before = supplies();
		assert!(before.iter().all(|supply| *supply > 0), "{before:?}");
		migrate();
		assert_eq!(supplies(), before);
		check_every_invariant();
	});
}

#[test]
fn what_the_old_programs_showed_is_still_there() {
	old_chain(|| {
		migrate();
		let energy = MeterReadings::overview();
		assert_eq!((energy.meters, energy.suspended), (50, 1));
		assert_eq!(energy.issuance, energy.minted_wh);
		let meter = MeterReadings::meter(3).expect("meter 3 is in service");
		assert_eq!(meter.state.registers.import_wh, 15_475);
		assert_eq!(meter.state.next_sequence, 3);
		let status = CoveragePolicy::status();
		assert_eq!(status.issuance, 85_550_106_140_635);
	});
}

#[test]
fn a_chain_from_before_the_registry_has_no_models_and_the_usual_delay() {
	use gridproof_primitives::compute::registry::DEFAULT_DELAY_MS;
	old_chain(|| {
		migrate();
		assert_eq!(ModelRegistry::models(None, 100), vec![]);
		assert_eq!(ModelRegistry::default_model(), None);
		assert_eq!(ModelRegistry::delay().value, DEFAULT_DELAY_MS);
	});
}

#[test]
fn a_chain_from_before_checks_has_no_verifiers_and_its_pay_does_not_wait() {
	old_chain(|| {
		migrate();
		assert!(ComputeChecks::verifiers().is_empty());
		let window = pallet_compute_receipts::ChannelRules::<Runtime>::get().check_window_ms;
		assert_eq!(window, 0, "until governance sets one");
		// It can, as it is: cheats lose by what holds there.
		let (compute, channels) = (
			pallet_compute_receipts::Parameters::<Runtime>::get(),
			ChannelParameters { check_window_ms: DEFAULT_WINDOW_MS, ..Default::default() },
		);
		let checks = ComputeChecks::parameters();
		assert!(!compute.slashing || checks.check(&compute, &channels).is_ok());
	});
}

#[test]
fn only_a_chain_of_short_days_keeps_its_root_key() {
	use gridproof_primitives::time::calendar::Calendar;
	use pallet_attestations::CalendarInUse;
	let exists = pallet_sudo::Key::<Runtime>::exists;
	old_chain(|| {
		assert!(exists());
		migrate();
		assert!(exists(), "it is a demonstration");
		// The same chain, had it real days.
		CalendarInUse::<Runtime>::put(Calendar::UTC);
		migrate();
		assert!(!exists());
		migrate();
		assert!(!exists());
	});
}

#[test]
fn a_migration_that_ran_does_nothing_when_it_runs_again() {
	old_chain(|| {
		migrate();
		let root = sp_io::storage::root(sp_core::storage::StateVersion::V1);
		migrate();
		assert_eq!(sp_io::storage::root(sp_core::storage::StateVersion::V1), root);
	});
}
