//! What a meter drew and no batch stated, when it goes, comes back, or another one takes its place.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::energy::{
	BatchRefusal, Certificate, Direction, ExchangeConsent, MeterIndex, PointId, Registers,
	Suspension, possession_payload,
};
use sp_core::Pair as _;
use sp_runtime::DispatchError;

/// What 10 kW and a tenth more give in a quarter of an hour, in Wh.
const MOST: u64 = 2_750;

pub(super) fn decommission(meter: MeterIndex) {
	assert_ok!(dispatch(Call::decommission_meter { meter }, owner()));
}

/// The certification of the tests' first meter, with the key of device `key`, from now on, showing
/// `import_wh`.
pub(super) fn again(key: u8, import_wh: u64) -> Certification<AccountId> {
	let since_ms = Now::get();
	Certification {
		device: device(key).public().0,
		registers: Registers { import_wh, export_wh: 510 },
		since_ms,
		valid_until_ms: since_ms + QUARTER,
		..certification(1)
	}
}

/// Certifies it, and returns what it owes.
fn owed_by(certification: Certification<AccountId>) -> u64 {
	let meter = NextMeter::<Test>::get();
	assert_ok!(certify_as(electrician(), certification));
	owed(meter)
}

fn owed(meter: MeterIndex) -> u64 {
	MeterReadings::meter(meter).unwrap().state.owed_wh
}

/// A two-way meter that has delivered 10 Wh in the first quarter of an hour of a day, shows 1,000 Wh taken,
/// and is gone at the end of the day.
fn gone() {
	certify(1);
	accept_many(0, 1, 10);
	decommission(0);
}

fn exchange(
	meter: MeterIndex,
	import_wh: u64,
	number: u8,
	seal: u8,
	key: Option<u8>,
) -> Result<(), DispatchError> {
	exchange_to(meter, Registers { import_wh, export_wh: 510 }, number, seal, key)
}

/// Exchanges a meter for number `number`, which shows these registers, under seal `seal`, with the key of
/// another device or its own.
pub(super) fn exchange_to(
	meter: MeterIndex,
	registers: Registers,
	number: u8,
	seal: u8,
	key: Option<u8>,
) -> Result<(), DispatchError> {
	let (serial, seal) = (serial(number), seal_of(seal));
	let device = key.map(|key| {
		let (pair, valid_until_ms) = (device(key), Now::get() + QUARTER);
		let Certificate { name, owner, .. } = Certificates::<Test>::get(meter).unwrap().certificate;
		let possession = pair.sign(&possession_payload(&genesis(), &name, &owner)).0;
		let device = pair.public().0;
		let consent = ExchangeConsent {
			organisation: 0,
			name,
			device,
			owner,
			registers,
			serial: serial.clone(),
			seal: seal.clone(),
			valid_until_ms,
		};
		let consent = owner_pair().sign(&consent.signing_payload(&genesis())).into();
		Box::new(NewDevice { device, valid_until_ms, consent, possession })
	});
	dispatch(Call::exchange_meter { meter, registers, serial, seal, device }, electrician())
}

#[test]
fn what_a_device_drew_before_it_is_certified_again_is_a_debt() {
	build_and_execute(|| {
		gone();
		assert_eq!(owed_by(again(2, 1_400)), 400);
		// It delivers that before it mints again.
		Now::set(NOON + QUARTER);
		accept(&sign(&header(1, 0, 450)));
		assert_eq!((issuance(), owed(1)), (60, 0));
		// What it has delivered is not owed once more.
		decommission(1);
		assert_eq!(owed_by(again(3, 1_400)), 0);
	});
}

#[test]
fn serial_number_and_seal_are_a_devices_and_a_name_is_not() {
	let owed_with = |change: fn(&mut Certification<AccountId>)| {
		let mut owed = 0;
		build_and_execute(|| {
			gone();
			let mut next = again(2, 1_400);
			(next.name, next.serial, next.seal) = (name(2), serial(2), seal_of(2));
			change(&mut next);
			owed = owed_by(next);
		});
		owed
	};
	assert_eq!(owed_with(|next| next.serial = serial(1)), 400);
	assert_eq!(owed_with(|next| next.serial = b"acme-1".to_vec().try_into().unwrap()), 400);
	assert_eq!(owed_with(|next| next.seal = seal_of(1)), 400);
	assert_eq!(owed_with(|next| next.name = name(1)), 0);
	assert_eq!(owed_with(|_| ()), 0);
}

#[test]
fn a_register_below_the_one_that_was_seen_counts_as_all_that_can_have_been_drawn() {
	build_and_execute(|| {
		gone();
		// 95 quarters of an hour without a batch.
		assert_eq!(owed_by(again(2, 999)), 95 * MOST);
	});
	build_and_execute(|| {
		// Through a meter of export alone nothing is drawn.
		let direction = Direction::Export;
		let export = Certification { direction, ..certification(1) };
		assert_ok!(certify_as(electrician(), export));
		decommission(0);
		assert_eq!(owed_by(Certification { direction, ..again(2, 999) }), 0);
	});
	build_and_execute(|| {
		// Unless its register says so.
		let direction = Direction::Export;
		assert_ok!(certify_as(electrician(), Certification { direction, ..certification(1) }));
		decommission(0);
		assert_eq!(owed_by(again(2, 1_007)), 7);
	});
}

#[test]
fn who_certifies_less_than_the_device_shows_gains_nothing() {
	build_and_execute(|| {
		gone();
		// GIVEN a device that shows 1,400, certified with the 1,000 that were seen
		assert_eq!(owed_by(again(2, 1_000)), 0);
		// THEN it cannot state anything
		Now::set(NOON + QUARTER);
		let mut next = header(1, 0, 100);
		next.opening.import_wh = 1_400;
		next.closing.import_wh = 1_400;
		assert_eq!(refusal(&sign(&next)), BatchRefusal::RegisterJumped);
		// AND when its registers may continue elsewhere, because nobody vouched, the rest counts
		let reason = Suspension::BrokenSeal;
		assert_ok!(dispatch(Call::suspend_meter { meter: 1, reason }, owner()));
		let seal = seal_of(30);
		assert_ok!(dispatch(Call::reinstate_meter { meter: 1, seal }, electrician()));
		Now::set(NOON + 2 * QUARTER);
		(next.start_ms, next.end_ms) = (NOON + QUARTER, NOON + 2 * QUARTER);
		accept(&sign(&next));
		assert_eq!((issuance(), owed(1)), (10, 300));
	});
	build_and_execute(|| {
		gone();
		// The same when an exchange makes it good.
		assert_eq!(owed_by(again(2, 1_000)), 0);
		assert_ok!(exchange(1, 1_400, 1, 30, None));
		assert_eq!(owed(1), 400);
	});
}

#[test]
fn another_organisation_finds_what_was_drawn_under_the_first() {
	build_and_execute(|| {
		let name = b"Ohm Ltd".to_vec().try_into().unwrap();
		assert_ok!(dispatch(Call::register_organisation { name }, account(3)));
		let who = account(4);
		assert_ok!(dispatch(Call::add_member { organisation: 1, who }, account(3)));
		let standing = OrganisationStanding::Admitted;
		let admit = Call::set_organisation_standing { organisation: 1, standing };
		assert_ok!(as_governance(admit));
		// GIVEN a meter that is suspended, and gone
		certify(1);
		accept_many(0, 1, 10);
		let reason = Suspension::BrokenSeal;
		assert_ok!(dispatch(Call::suspend_meter { meter: 0, reason }, owner()));
		decommission(0);
		// WHEN another organisation certifies it
		let next = again(2, 1_250);
		let consent = owner_pair().sign(&consent_payload(&next, 1, &genesis()));
		let certify = Call::certify_meter {
			organisation: 1,
			possession: possession_of(&next),
			certification: Box::new(next),
			consent: Box::new(consent.into()),
		};
		assert_ok!(dispatch(certify, account(4)));
		// THEN it owes what was drawn meanwhile
		assert_eq!(owed(1), 250);
	});
}

#[test]
fn an_exchange_counts_what_was_drawn_by_then_and_a_late_batch_not_once_more() {
	build_and_execute(|| {
		certify(1);
		let last = accept_many(0, 1, 10).remove(0);
		// GIVEN a batch that states 300 of the 400 that were drawn, and waits
		let late = sign(&header_after(0, Some(&last), 300, 0));
		// WHEN the same meter is sealed again, with its key or with another one
		assert_ok!(exchange(0, 1_400, 1, 30, None));
		assert_eq!(owed(0), 400);
		// THEN the batch is taken, and its 300 were among them
		accept(&late);
		assert_eq!((owed(0), MeterReadings::overview().imported_wh), (400, 300));
		// AND the next exchange begins where the first one was
		assert_ok!(exchange(0, 1_450, 1, 31, Some(9)));
		assert_eq!(owed(0), 450);
		Now::set(NOON + QUARTER);
		let mut next = header(0, 20, 0);
		(next.start_ms, next.end_ms) = (NOON, NOON + QUARTER);
		accept(&signed_by(&device(9), &next));
		assert_eq!(owed(0), 470);
	});
}

#[test]
fn another_meter_takes_over_what_can_have_been_drawn_unless_it_was_read() {
	build_and_execute(|| {
		certify(1);
		accept_many(0, 1, 10);
		assert_ok!(exchange(0, 0, 9, 30, None));
		assert_eq!(owed(0), 95 * MOST);
	});
	build_and_execute(|| {
		certify(1);
		accept_many(0, 1, 10);
		// The old one is read: an exchange for itself. Then the new one takes its place.
		assert_ok!(exchange(0, 1_400, 1, 30, None));
		assert_ok!(exchange(0, 0, 9, 31, None));
		assert_eq!(owed(0), 400);
	});
	build_and_execute(|| {
		// What the other one drew elsewhere comes along.
		certify(1);
		certify(2);
		accept_many(1, 1, 10);
		decommission(1);
		assert_ok!(exchange(0, 1_000, 1, 30, None));
		assert_ok!(exchange(0, 1_070, 2, 31, None));
		assert_eq!(owed(0), 70);
	});
}

#[test]
fn a_device_that_two_organisations_certified_owes_at_its_admission_what_it_owed() {
	build_and_execute(|| {
		let name = b"Ohm Ltd".to_vec().try_into().unwrap();
		assert_ok!(dispatch(Call::register_organisation { name }, account(3)));
		let who = account(4);
		assert_ok!(dispatch(Call::add_member { organisation: 1, who }, account(3)));
		// GIVEN a device that has drawn 500 Wh
		certify(1);
		accept(&sign(&header(0, 500, 0)));
		// AND that another organisation, which is not admitted, certifies too
		let mut next = again(2, 1_500);
		(next.name, next.seal) = (crate::mock::name(2), seal_of(2));
		let consent = owner_pair().sign(&consent_payload(&next, 1, &genesis()));
		let certify = Call::certify_meter {
			organisation: 1,
			possession: possession_of(&next),
			certification: Box::new(next),
			consent: Box::new(consent.into()),
		};
		assert_ok!(dispatch(certify, account(4)));
		assert_eq!(owed(1), 0);
		// WHEN the first certificate ends, the device draws 30 more, and the other one is admitted
		decommission(0);
		Now::set(NOON + QUARTER);
		accept(&sign(&header(1, 30, 0)));
		let standing = OrganisationStanding::Admitted;
		let admit = Call::set_organisation_standing { organisation: 1, standing };
		assert_ok!(as_governance(admit));
		assert_ok!(dispatch(Call::admit_meter { meter: 1 }, account(4)));
		// THEN it owes all of it
		assert_eq!(owed(1), 530);
	});
}

#[test]
fn who_is_admitted_owes_nothing_for_what_ended_before_it_was_certified() {
	build_and_execute(|| {
		let name = b"Ohm Ltd".to_vec().try_into().unwrap();
		assert_ok!(dispatch(Call::register_organisation { name }, account(3)));
		let who = account(4);
		assert_ok!(dispatch(Call::add_member { organisation: 1, who }, account(3)));
		gone();
		Now::set(NOON + QUARTER);
		let next = again(2, 1_000);
		let consent = owner_pair().sign(&consent_payload(&next, 1, &genesis()));
		let certify = Call::certify_meter {
			organisation: 1,
			possession: possession_of(&next),
			certification: Box::new(next),
			consent: Box::new(consent.into()),
		};
		assert_ok!(dispatch(certify, account(4)));
		Now::set(NOON + 2 * QUARTER);
		accept(&sign(&header(1, 300, 0)));
		Now::set(NOON + 3 * QUARTER);
		accept(&sign(&header(1, 0, 400)));
		let standing = OrganisationStanding::Admitted;
		let admit = Call::set_organisation_standing { organisation: 1, standing };
		assert_ok!(as_governance(admit));
		assert_ok!(dispatch(Call::admit_meter { meter: 1 }, account(4)));
		assert_eq!(owed(1), 0);
	});
}

#[test]
fn a_name_without_a_serial_number_is_a_devices_once() {
	build_and_execute(|| {
		certify(1);
		Certificates::<Test>::mutate(0, |row| {
			row.as_mut().unwrap().certificate.serial = Default::default();
		});
		let _ = Numbers::<Test>::clear(u32::MAX, None);
		decommission(0);
		// The old device has a serial number now, and a new seal.
		assert_eq!(owed_by(Certification { seal: seal_of(2), ..again(2, 1_400) }), 400);
		decommission(1);
		// Another one in its place has nothing to do with its registers.
		let other = Certification { serial: serial(3), seal: seal_of(3), ..again(3, 5_000) };
		// What the first one owed goes with the name.
		assert_eq!(owed_by(other), 400);
	});
}

mod at_a_point {
	use super::*;

	fn id() -> PointId {
		b"DE-1".to_vec().try_into().unwrap()
	}

	/// A meter of number `number` at the point from now on, with the key of device `key`.
	fn at(number: u8, key: u8, direction: Direction, import_wh: u64) -> Certification<AccountId> {
		Certification {
			name: name(number),
			serial: serial(number),
			seal: seal_of(number + 20),
			direction,
			point: Some(id()),
			registers: Registers { import_wh, export_wh: 0 },
			..again(key, import_wh)
		}
	}

	/// An import and an export meter, certified at noon; the first one goes an hour later without having
	/// stated anything.
	fn import_gone() {
		for (number, direction) in [(1, Direction::Import), (2, Direction::Export)] {
			assert_ok!(certify_as(electrician(), at(number, number, direction, 0)));
		}
		Now::set(NOON + 4 * QUARTER);
		decommission(0);
	}

	#[test]
	fn another_import_meter_takes_over_what_can_have_been_drawn() {
		build_and_execute(|| {
			import_gone();
			Now::set(NOON + 8 * QUARTER);
			assert_ok!(certify_as(electrician(), at(3, 3, Direction::Import, 0)));
			assert_eq!(owed(1), 8 * MOST);
		});
		build_and_execute(|| {
			import_gone();
			Now::set(NOON + 8 * QUARTER);
			// A two-way meter too.
			assert_ok!(certify_as(electrician(), at(3, 3, Direction::Both, 0)));
			assert_eq!(owed(1), 8 * MOST);
		});
	}

	#[test]
	fn the_same_import_meter_owes_what_its_register_says() {
		build_and_execute(|| {
			import_gone();
			Now::set(NOON + 8 * QUARTER);
			let same = Certification { seal: seal_of(30), ..at(1, 3, Direction::Import, 123) };
			assert_ok!(certify_as(electrician(), same));
			assert_eq!(owed(1), 123);
		});
	}

	#[test]
	fn a_device_that_was_there_before_the_last_one_says_nothing_of_that_one() {
		build_and_execute(|| {
			assert_ok!(certify_as(electrician(), at(1, 1, Direction::Both, 0)));
			// The second device takes its place, and draws for an hour after it is gone.
			let registers = Registers::default();
			assert_ok!(exchange_to(0, registers, 2, 30, None));
			decommission(0);
			Now::set(NOON + 4 * QUARTER);
			assert_ok!(certify_as(electrician(), at(1, 2, Direction::Both, 0)));
			assert_eq!(owed(1), 4 * MOST);
		});
	}

	#[test]
	fn a_meter_that_is_read_when_it_goes_costs_what_it_drew() {
		build_and_execute(|| {
			for (number, direction) in [(1, Direction::Import), (2, Direction::Export)] {
				assert_ok!(certify_as(electrician(), at(number, number, direction, 0)));
			}
			Now::set(NOON + 4 * QUARTER);
			let registers = Registers { import_wh: 70, export_wh: 0 };
			let (serial, seal) = (serial(1), seal_of(30));
			let read = Call::exchange_meter { meter: 0, registers, serial, seal, device: None };
			assert_ok!(dispatch(read, electrician()));
			decommission(0);
			assert_ok!(certify_as(electrician(), at(3, 3, Direction::Import, 0)));
			assert_eq!(owed(1), 70);
		});
	}

	#[test]
	fn a_point_that_all_have_left_keeps_its_debts_whoever_comes_next() {
		build_and_execute(|| {
			assert_ok!(certify_as(electrician(), at(1, 1, Direction::Both, 0)));
			Now::set(NOON + QUARTER);
			accept(&sign(&header(0, 600, 0)));
			decommission(0);
			assert_eq!(Points::<Test>::iter_values().next().unwrap().state.owed_wh(), 600);
			MeterReadings::do_try_state().unwrap();
			// Two quarters later another owner's meter is certified there.
			Now::set(NOON + 3 * QUARTER);
			let pair = sp_core::sr25519::Pair::from_seed(&[78; 32]);
			let owner: AccountId = pair.public().into();
			let next = Certification { owner, ..at(3, 2, Direction::Both, 0) };
			let consent = pair.sign(&consent_payload(&next, 0, &genesis()));
			let certify = Call::certify_meter {
				organisation: 0,
				possession: possession_of(&next),
				certification: Box::new(next.clone()),
				consent: Box::new(consent.into()),
			};
			assert_ok!(dispatch(certify, electrician()));
			assert_eq!(owed(1), 600 + 2 * MOST);
			// And it is that owner's.
			let refused = certify_as(electrician(), at(4, 4, Direction::Export, 0));
			assert_noop!(refused, Error::<Test>::PointOfAnother);
		});
	}

	#[test]
	fn what_a_meter_owes_from_elsewhere_comes_on_top_of_what_can_have_been_drawn() {
		build_and_execute(|| {
			// A meter that owes 300 from a place of its own.
			let alone = Certification { point: None, ..at(2, 1, Direction::Both, 0) };
			assert_ok!(certify_as(electrician(), alone));
			Now::set(NOON + QUARTER);
			accept(&sign(&header(0, 300, 0)));
			decommission(0);
			// Another one at the point, that goes at once.
			assert_ok!(certify_as(electrician(), at(1, 2, Direction::Both, 0)));
			decommission(1);
			Now::set(NOON + 2 * QUARTER);
			let both = Certification { seal: seal_of(30), ..at(2, 3, Direction::Both, 300) };
			assert_ok!(certify_as(electrician(), both));
			assert_eq!(owed(2), 300 + MOST);
		});
	}

	#[test]
	fn a_point_of_export_alone_leaves_nothing() {
		build_and_execute(|| {
			assert_ok!(certify_as(electrician(), at(1, 1, Direction::Export, 0)));
			decommission(0);
			assert_eq!(Points::<Test>::iter().count(), 0);
		});
	}
}

#[test]
fn the_invariant_of_tombstones_can_be_broken() {
	new_test_ext().execute_with(|| {
		gone();
		MeterReadings::do_try_state().unwrap();
		let broken = |change: fn(&mut Tombstone)| {
			let (mark, whole) =
				Tombstones::<Test>::iter().find(|(_, tombstone)| tombstone.last.is_some()).unwrap();
			let mut tombstone = whole;
			change(&mut tombstone);
			Tombstones::<Test>::insert(mark, tombstone);
			let is_broken = MeterReadings::do_try_state().is_err();
			Tombstones::<Test>::insert(mark, whole);
			is_broken
		};
		assert!(broken(|tombstone| tombstone.gone_ms = NOON + 1));
		assert!(broken(|tombstone| tombstone.last.as_mut().unwrap().meter = Some(1)));
		assert!(!broken(|_| ()));
	});
}
