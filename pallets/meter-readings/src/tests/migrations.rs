//! What becomes of rows of earlier versions.

use crate::{
	migrations::{v1, v2},
	mock::*,
	*,
};
use codec::Encode;
use frame_support::{
	assert_ok,
	storage::unhashed,
	traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion},
};
use gridproof_primitives::{
	H256,
	energy::{Direction, MAX_BACKDATE_MS, PointMeter, Suspension, Trust},
};
use sp_core::Pair as _;

fn old_meter(number: u8, last_end_ms: u64, suspended: Option<Suspension>) -> v1::Meter<AccountId> {
	let device = device(number).public().0;
	v1::Meter {
		state: v1::MeterState {
			rated_power_w: 10_000,
			direction: Direction::Both,
			next_sequence: 0,
			last_hash: H256::zero(),
			last_end_ms,
			registers: certification(number).registers,
		},
		device,
		energy_account: OneOfTwo::energy_account(&owner(), &device),
		organisation: 0,
		suspended,
		totals: Default::default(),
	}
}

fn old_certified(number: u8) -> v1::Certified<AccountId, u128> {
	v1::Certified {
		certificate: v1::Certificate {
			name: name(number),
			device: device(number).public().0,
			owner: owner(),
			organisation: 0,
			electrician: electrician(),
			rated_power_w: 10_000,
			direction: Direction::Both,
			trust: Trust::Device,
			// All of them have the same seal.
			seal: b"S-1".to_vec().try_into().unwrap(),
		},
		certified_ms: 1,
		consent_until_ms: 2,
		depositor: electrician(),
		deposit: 0,
	}
}

/// Writes the state of version 1: an organisation with two members and three meters, one of them
/// suspended, one certified as of ten years ago.
fn write_version_1() {
	let put = |key: Vec<u8>, row: Vec<u8>| unhashed::put_raw(&key, &row);
	let organisation = v1::Organisation {
		name: b"Volt & Co".to_vec().try_into().unwrap(),
		admin: admin(),
		standing: OrganisationStanding::Admitted,
		members: 2,
		meters: 3,
		deposit: 0u128,
	};
	put(Organisations::<Test>::hashed_key_for(0), organisation.encode());
	let _ = OrganisationNames::<Test>::clear(u32::MAX, None);
	for member in [electrician(), account(4)] {
		put(Members::<Test>::hashed_key_for(0, member), 0u128.encode());
	}
	let ends = [NOON - QUARTER, NOON - QUARTER, NOON - 3_650 * 96 * QUARTER];
	for (number, last_end_ms) in (1u8..).zip(ends) {
		let index = u32::from(number) - 1;
		let suspended = (number == 2).then_some(Suspension::LostKey);
		let meter = old_meter(number, last_end_ms, suspended);
		put(Meters::<Test>::hashed_key_for(index), meter.encode());
		put(Certificates::<Test>::hashed_key_for(index), old_certified(number).encode());
		MeterNames::<Test>::insert(name(number), index);
		DeviceKeys::<Test>::insert(device(number).public().0, index);
	}
	NextMeter::<Test>::put(3);
	let limits = v1::Limits { block_wh: 10, day_wh: 20, max_skew_ms: 30, tolerance_ppt: 1_040 };
	put(LimitsInUse::<Test>::hashed_key().to_vec(), limits.encode());
	let usage = v1::Usage { block: 7u64, block_wh: 15, day: Default::default(), day_wh: 20 };
	put(UsageNow::<Test>::hashed_key().to_vec(), usage.encode());
	let sums = v1::Sums {
		minted_wh: 35,
		imported_wh: 5,
		batches: 2,
		readings: 3,
		organisations: 1,
		electricians: 2,
		meters: 3,
		suspended: 1,
	};
	put(SumsOfAll::<Test>::hashed_key().to_vec(), sums.encode());
	StorageVersion::new(1).put::<MeterReadings>();
}

#[test]
fn rows_of_version_1_become_rows_of_version_2() {
	new_test_ext().execute_with(|| {
		write_version_1();
		crate::migrations::MigrateV1ToV2::<Test>::on_runtime_upgrade();
		assert_eq!(MeterReadings::on_chain_storage_version(), StorageVersion::new(2));
		MeterReadings::do_try_state().expect("an invariant is broken");
		// Every figure is what it was.
		let limits = LimitsInUse::<Test>::get();
		assert_eq!((limits.block_wh, limits.day_wh, limits.organisation_day_wh), (10, 20, 20));
		assert_eq!((limits.batch.max_skew_ms, limits.batch.tolerance_ppt), (30, 1_040));
		let sums = SumsOfAll::<Test>::get();
		assert_eq!((sums.minted_wh, sums.unminted_wh, sums.imported_wh), (35, 0, 5));
		let row = Organisations::<Test>::get(0).unwrap();
		assert_eq!((row.depositor, row.admitted_ms, row.members), (admin(), 0, 2));
		let member = Members::<Test>::get(0, account(4)).unwrap();
		assert_eq!(member, Deposit { who: admin(), amount: 0 });
		let info = MeterReadings::meter(0).unwrap();
		assert_eq!((info.certificate.seal.to_vec(), info.mints), (b"S-1".to_vec(), true));
		assert_eq!((info.state.last_end_ms, info.state.floor_ms), (NOON - QUARTER, NOON - QUARTER));
		assert_eq!(MeterReadings::meter(1).unwrap().suspended, Some(Suspension::LostKey));
		// Ten years before its certificate mint no more.
		let floor_ms = MeterReadings::meter(2).unwrap().state.floor_ms;
		assert_eq!(floor_ms, NOON - MAX_BACKDATE_MS);
	});
}

#[test]
fn debts_and_points_of_version_2_become_those_of_version_3() {
	new_test_ext().execute_with(|| {
		// GIVEN two meters at a point, of which the import meter is gone, and what it left
		let id = || b"DE-1".to_vec().try_into().unwrap();
		for (number, direction) in [(1, Direction::Import), (2, Direction::Export)] {
			let certification =
				Certification { direction, point: Some(id()), ..certification(number) };
			assert_ok!(certify_as(electrician(), certification));
		}
		accept(&sign(&header(0, 300, 0)));
		assert_ok!(dispatch(Call::decommission_meter { meter: 0 }, owner()));
		let put = |key: Vec<u8>, row: Vec<u8>| unhashed::put_raw(&key, &row);
		let (mark, point) = Points::<Test>::iter().next().unwrap();
		let v2_meter = |row: &PointMeter| v2::PointMeter {
			meter: row.meter,
			direction: row.direction,
			stated_ms: row.stated_ms,
			floor_ms: row.floor_ms,
			vouched: row.vouched,
			ended: row.ended,
			waiting: row.waiting,
		};
		let rows: Vec<_> = point.state.meters.iter().map(v2_meter).collect();
		let state = v2::PointState {
			meters: rows.try_into().ok().unwrap(),
			delivered_wh: point.state.delivered_wh,
			taken_wh: point.state.taken_wh,
			highest_wh: point.state.highest_wh,
			generation: point.state.generation,
		};
		let old = v2::Point { id: point.id.clone(), owner: point.owner.clone(), state };
		put(Points::<Test>::hashed_key_for(mark), old.encode());
		let tombstones: Vec<_> = Tombstones::<Test>::iter().collect();
		for (mark, Tombstone { until_ms, owed_wh, .. }) in &tombstones {
			let old = v2::Tombstone { until_ms: *until_ms, owed_wh: *owed_wh };
			put(Tombstones::<Test>::hashed_key_for(mark), old.encode());
		}
		StorageVersion::new(2).put::<MeterReadings>();
		// WHEN the runtime is upgraded
		crate::migrations::MigrateV2ToV3::<Test>::on_runtime_upgrade();
		// THEN every figure is what it was
		assert_eq!(MeterReadings::on_chain_storage_version(), StorageVersion::new(3));
		MeterReadings::do_try_state().expect("an invariant is broken");
		assert_eq!(Points::<Test>::get(mark), Some(point));
		assert_eq!(Tombstones::<Test>::iter().count(), tombstones.len());
		for (mark, tombstone) in tombstones {
			let new = Tombstones::<Test>::get(mark).unwrap();
			assert_eq!(new, Tombstone { gone_ms: 0, last: None, ..tombstone });
		}
		// AND the same device owes what was known then
		let (device, since_ms) = (device(3).public().0, NOON);
		let direction = Direction::Import;
		let again = Certification { device, since_ms, direction, ..certification(1) };
		assert_ok!(certify_as(electrician(), again));
		assert_eq!(MeterReadings::meter(2).unwrap().state.owed_wh, 300);
	});
}

#[test]
fn meters_of_version_1_go_on_are_exchanged_and_go_out_of_service() {
	new_test_ext().execute_with(|| {
		write_version_1();
		crate::migrations::MigrateV1ToV2::<Test>::on_runtime_upgrade();
		LimitsInUse::<Test>::kill();
		accept(&sign(&header(0, 3, 4)));
		assert_eq!(MeterReadings::overview().minted_wh, 36);
		// The old seal is on another meter as well; the new one is not.
		let exchange = Call::exchange_meter {
			meter: 0,
			registers: Default::default(),
			serial: serial(1),
			seal: seal_of(1),
			device: None,
		};
		assert_ok!(dispatch(exchange, electrician()));
		for meter in [1, 0, 2] {
			assert_ok!(dispatch(Call::decommission_meter { meter }, owner()));
		}
		assert_eq!(Numbers::<Test>::iter().count(), 0);
		assert_eq!(Meters::<Test>::iter().count(), 0);
	});
}
