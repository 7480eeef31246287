//! Genesis and calendar.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use gridproof_primitives::{
	H256,
	reserve::attestation::{Kind, Role},
	time::calendar::{Calendar, DayClock},
};
use sp_runtime::BuildStorage;

fn build(config: GenesisConfig<Test>) -> sp_io::TestExternalities {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	config.assimilate_storage(&mut storage).unwrap();
	storage.into()
}

#[test]
fn a_chain_without_keys_accepts_nothing() {
	build(GenesisConfig { kinds: vec![Kind::Reserve], ..Default::default() }).execute_with(|| {
		set_time(day(1), 25);
		assert_noop!(submit(&fields(yesterday())), Error::<Test>::NoKey);
		assert_eq!(CalendarInUse::<Test>::get(), Calendar::UTC);
		assert_ok!(Attestations::do_try_state());
	});
}

#[test]
#[should_panic(expected = "the key of risk is weak")]
fn a_weak_key_does_not_get_into_genesis() {
	build(GenesisConfig { keys: [(Role::Risk, H256::zero())].into(), ..Default::default() });
}

#[test]
#[should_panic(expected = "the key of ops has another role already")]
fn a_key_does_not_get_two_roles_at_genesis() {
	let key = H256(public(&pair(Role::Data)));
	let keys = [(Role::Data, key), (Role::Ops, key)].into();
	build(GenesisConfig { keys, ..Default::default() });
}

#[test]
#[should_panic(expected = "a day of the calendar must last a second at least")]
fn a_calendar_without_days_does_not_get_into_genesis() {
	let calendar = Calendar { day_length: 999, ..Calendar::UTC };
	build(GenesisConfig { calendar, ..Default::default() });
}

#[test]
fn a_demonstration_begins_with_the_first_block() {
	// GIVEN days of a minute, from yesterday on
	let calendar = Calendar { first_day: yesterday(), starts_at: 0, day_length: 60_000 };
	let keys = Role::ALL.into_iter().map(|role| (role, H256(public(&pair(role))))).collect();
	let config = GenesisConfig { calendar, keys, kinds: Kind::ALL.to_vec(), ..Default::default() };
	build(config).execute_with(|| {
		// WHEN the second block sees the time of the first
		Now::set(1_800_000_000_000);
		Attestations::on_initialize(1);
		assert_eq!(CalendarInUse::<Test>::get().starts_at, 0);
		assert_eq!(<Attestations as DayClock>::today(), yesterday());
		assert_eq!(<Attestations as DayClock>::latest_today(), yesterday());
		Attestations::on_initialize(2);
		// THEN the first day lasts from then on for a minute
		assert_eq!(CalendarInUse::<Test>::get().starts_at, 1_800_000_000_000);
		assert_eq!(<Attestations as DayClock>::today(), yesterday());
		Now::mutate(|now| *now += 59_000);
		assert_noop!(submit(&fields(yesterday())), Error::<Test>::FutureDay);
		Now::mutate(|now| *now += 1_000);
		assert_eq!(<Attestations as DayClock>::today(), day(1));
		assert_ok!(submit(&fields(yesterday())));
		// AND no later block changes it
		Attestations::on_initialize(2);
		assert_eq!(CalendarInUse::<Test>::get().starts_at, 1_800_000_000_000);
	});
}

#[test]
fn a_real_calendar_is_left_alone() {
	build(GenesisConfig::default()).execute_with(|| {
		Now::set(1_800_000_000_000);
		Attestations::on_initialize(2);
		assert_eq!(CalendarInUse::<Test>::get(), Calendar::UTC);
	});
}

#[test]
fn the_genesis_reads_keys_as_the_keys_file_writes_them() {
	let json = r#"{
		"keys": {"data": "0x8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"},
		"kinds": ["reserve"],
		"calendar": {"firstDay": "2026-01-15", "startsAt": 0, "dayLength": 60000}
	}"#;
	let config: GenesisConfig<Test> = serde_json::from_str(json).unwrap();
	assert_eq!(config.keys[&Role::Data], H256(public(&pair(Role::Data))));
	assert_eq!(config.calendar.first_day, yesterday());
}
