//! Metering points: meters that are netted with one another.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::energy::{
	Accepted, Direction, MAX_POINT_METERS, MeterIndex, PointId, Registers, Suspension,
};
use sp_core::Pair as _;

fn id(text: &str) -> PointId {
	text.as_bytes().to_vec().try_into().unwrap()
}

/// The certification of device `number` at a metering point.
fn at_point(number: u8, direction: Direction, point: &str) -> Certification<AccountId> {
	let point = Some(id(point));
	Certification { direction, point, registers: Registers::default(), ..certification(number) }
}

/// Certifies meters 0, 1, … of these directions at one point.
fn point(directions: &[Direction]) {
	for (number, direction) in (1u8..).zip(directions) {
		assert_ok!(certify_as(electrician(), at_point(number, *direction, "DE-1")));
	}
}

fn take(meter: MeterIndex, wh: u64) {
	accept(&sign(&header(meter, wh, 0)));
}

fn deliver(meter: MeterIndex, wh: u64) {
	accept(&sign(&header(meter, 0, wh)));
}

fn shown(meter: MeterIndex) -> gridproof_primitives::energy::PointState {
	MeterReadings::meter(meter).unwrap().point.unwrap().state
}

#[test]
fn a_battery_behind_two_meters_mints_nothing() {
	build_and_execute(|| {
		point(&[Direction::Import, Direction::Export]);
		for _ in 0..8 {
			take(0, 1_000);
			deliver(1, 0);
			take(0, 0);
			deliver(1, 900);
		}
		assert_eq!(issuance(), 0);
		assert_eq!(MeterReadings::meter(1).unwrap().state.owed_wh, 800);
		// What the site adds to it mints once that is delivered.
		take(0, 0);
		deliver(1, 850);
		assert_eq!((issuance(), kwh(&energy_account(1))), (50, 50));
	});
}

#[test]
fn meters_in_series_mint_what_leaves_the_site() {
	build_and_execute(|| {
		point(&[Direction::Generation, Direction::Export]);
		deliver(0, 1_000);
		deliver(1, 200);
		deliver(0, 1_000);
		assert_eq!((kwh(&energy_account(0)), kwh(&energy_account(1))), (0, 200));
		// What is generated is not counted as delivered.
		let overview = MeterReadings::overview();
		assert_eq!((overview.exported_wh, overview.minted_wh), (200, 200));
	});
}

#[test]
fn an_export_waits_for_the_import_meter_and_its_batch_mints() {
	build_and_execute(|| {
		point(&[Direction::Import, Direction::Export]);
		deliver(1, 100);
		assert_eq!((issuance(), shown(1).waiting_wh(), shown(1).waits_for()), (0, 100, vec![0]));
		assert_eq!(SumsOfAll::<Test>::get().unminted_wh, 100);
		let batch = sign(&header(0, 30, 0));
		let says = Accepted { exported_wh: 0, imported_wh: 30, minted_wh: 70 };
		assert_eq!(MeterReadings::preview_batches(vec![batch.clone()]), [Ok(says)]);
		accept(&batch);
		assert_eq!((issuance(), kwh(&energy_account(1))), (70, 70));
		let sums = SumsOfAll::<Test>::get();
		assert_eq!((sums.minted_wh, sums.unminted_wh), (70, 30));
		assert_eq!(MeterReadings::batch(0, 0).unwrap().minted_wh, 70);
		let row = Meters::<Test>::get(1).unwrap();
		assert_eq!(row.minted_today.wh, 70);
	});
}

#[test]
fn batches_of_one_call_are_netted_in_whatever_order_they_come() {
	let minted = |order: [MeterIndex; 2]| {
		let mut minted = 0;
		build_and_execute(|| {
			point(&[Direction::Import, Direction::Export]);
			let batch = |meter| match meter {
				0 => sign(&header(0, 30, 0)),
				_ => sign(&header(1, 0, 100)),
			};
			let list = order.map(batch);
			assert!(MeterReadings::check_all(&batches(&list)).is_ok());
			assert_ok!(submit(&list));
			minted = issuance();
		});
		minted
	};
	assert_eq!((minted([0, 1]), minted([1, 0])), (70, 70));
}

#[test]
fn nothing_mints_while_an_import_meter_is_suspended_or_gone() {
	build_and_execute(|| {
		point(&[Direction::Import, Direction::Export]);
		take(0, 0);
		let reason = Suspension::BrokenSeal;
		assert_ok!(dispatch(Call::suspend_meter { meter: 0, reason }, owner()));
		deliver(1, 100);
		assert_eq!((issuance(), shown(1).waits_for()), (0, vec![0]));
		// What was delivered meanwhile never mints; what is delivered afterwards does.
		let seal = seal_of(30);
		assert_ok!(dispatch(Call::reinstate_meter { meter: 0, seal }, electrician()));
		assert_eq!(shown(1).waiting_wh(), 0);
		Now::set(NOON + QUARTER);
		for (meter, export_wh) in [(0, 0), (1, 10)] {
			let mut next = header(meter, 0, export_wh);
			(next.start_ms, next.end_ms) = (NOON, NOON + QUARTER);
			accept(&sign(&next));
		}
		assert_eq!(issuance(), 10);
		// Its meter goes, and so does the point's mint until another one is there.
		assert_ok!(dispatch(Call::decommission_meter { meter: 0 }, owner()));
		Now::set(NOON + 2 * QUARTER);
		deliver(1, 100);
		assert_eq!((issuance(), shown(1).waits_for()), (10, vec![0]));
		let since_ms = Now::get();
		let valid_until_ms = since_ms + QUARTER;
		let another = at_point(3, Direction::Import, "de-1");
		let another = Certification { since_ms, valid_until_ms, ..another };
		assert_ok!(certify_as(electrician(), another));
		// What the first one may have drawn in the quarter of an hour that it did not state: 10 kW × 1.1.
		assert_eq!(shown(1).owed_wh(), 2_750);
		for end_ms in [NOON + 3 * QUARTER, NOON + 4 * QUARTER] {
			Now::set(end_ms);
			take(2, 0);
			deliver(1, 1_400);
		}
		assert_eq!(issuance(), 10 + 2 * 1_400 - 2_750);
	});
}

#[test]
fn a_point_is_of_one_owner_has_an_id_and_so_many_meters() {
	build_and_execute(|| {
		let refused = |certification| certify_as(electrician(), certification);
		let alone = Certification { point: None, ..at_point(1, Direction::Generation, "X") };
		assert_noop!(refused(alone), Error::<Test>::NoPoint);
		for bad in ["", "DE 1", "DE\u{e9}"] {
			let named = at_point(1, Direction::Export, bad);
			assert_noop!(refused(named), Error::<Test>::BadNumber);
		}
		point(&[Direction::Export; MAX_POINT_METERS as usize]);
		let ninth = at_point(9, Direction::Export, "de-1");
		assert_noop!(refused(ninth), Error::<Test>::MaxPointMetersExceeded);
		Points::<Test>::translate_values(|point: PointOf<Test>| {
			Some(Point { owner: account(7), ..point })
		});
		let ninth = at_point(9, Direction::Export, "DE-1");
		assert_noop!(refused(ninth), Error::<Test>::PointOfAnother);
		Points::<Test>::translate_values(|point: PointOf<Test>| {
			Some(Point { owner: owner(), ..point })
		});
		for meter in 0..MAX_POINT_METERS {
			assert_ok!(dispatch(Call::decommission_meter { meter }, owner()));
		}
		assert_eq!((Points::<Test>::iter().count(), MeterPoints::<Test>::iter().count()), (0, 0));
	});
}

#[test]
fn what_a_point_owes_goes_with_its_meters() {
	build_and_execute(|| {
		point(&[Direction::Import, Direction::Export]);
		take(0, 1_000);
		deliver(1, 400);
		let end_ms = MeterReadings::meter(1).unwrap().state.last_end_ms;
		for meter in [0, 1] {
			assert_ok!(dispatch(Call::decommission_meter { meter }, owner()));
		}
		// Once more, as one that nothing is behind, at another point.
		let device = device(3).public().0;
		let again = at_point(2, Direction::Export, "DE-2");
		let again = Certification { device, since_ms: end_ms, ..again };
		assert_ok!(certify_as(electrician(), again));
		assert_eq!(MeterReadings::meter(2).unwrap().state.owed_wh, 600);
		deliver(2, 700);
		assert_eq!(issuance(), 100);
	});
}

#[test]
fn a_meter_that_does_not_mint_takes_no_point_from_another() {
	build_and_execute(|| {
		// GIVEN an organisation that is not admitted, with a meter of another owner's point
		point(&[Direction::Export]);
		let register =
			Call::register_organisation { name: b"Ohm Ltd".to_vec().try_into().unwrap() };
		assert_ok!(dispatch(register, account(3)));
		let member = Call::add_member { organisation: 1, who: account(4) };
		assert_ok!(dispatch(member, account(3)));
		let import = at_point(2, Direction::Import, "DE-1");
		let consent = owner_pair().sign(&consent_payload(&import, 1, &genesis()));
		let possession = possession_of(&import);
		let certify = Call::certify_meter {
			organisation: 1,
			certification: Box::new(import),
			consent: Box::new(consent.into()),
			possession,
		};
		assert_ok!(dispatch(certify, account(4)));
		assert_eq!(MeterReadings::meter(1).unwrap().point.unwrap().state, Default::default());
		deliver(0, 10);
		assert_eq!(issuance(), 10);
		// WHEN it is admitted, THEN it is netted with the others
		let (organisation, standing) = (1, OrganisationStanding::Admitted);
		assert_ok!(as_governance(Call::set_organisation_standing { organisation, standing }));
		assert_ok!(dispatch(Call::admit_meter { meter: 1 }, account(4)));
		deliver(0, 10);
		assert_eq!((issuance(), shown(0).meters.len()), (10, 2));
	});
}

#[test]
fn what_a_limit_holds_back_mints_with_a_later_batch() {
	build_and_execute(|| {
		point(&[Direction::Import, Direction::Export]);
		let limits = Limits { block_wh: 60, ..Limits::default() };
		assert_ok!(MeterReadings::set_limits(RuntimeOrigin::root(), limits));
		deliver(1, 100);
		take(0, 0);
		assert_eq!((issuance(), MeterReadings::meter(1).unwrap().state.owed_wh), (60, 0));
		System::set_block_number(2);
		take(0, 10);
		assert_eq!(issuance(), 90);
	});
}

#[test]
fn the_invariant_of_points_can_be_broken() {
	new_test_ext().execute_with(|| {
		point(&[Direction::Import, Direction::Export]);
		MeterReadings::do_try_state().unwrap();
		let at = Points::<Test>::iter_keys().next().unwrap();
		let whole = Points::<Test>::get(at).unwrap();
		let broken = |change: fn(&mut PointOf<Test>)| {
			let mut point = whole.clone();
			change(&mut point);
			Points::<Test>::insert(at, point);
			MeterReadings::do_try_state().is_err()
		};
		assert!(broken(|point| point.owner = account(7)));
		assert!(broken(|point| point.state.meters[0].vouched = false));
		assert!(broken(|point| point.state.meters[0].stated_ms += 1));
		assert!(broken(|point| point.state.generation = Some(Default::default())));
		assert!(broken(|point| point.state.meters[1].meter = 0));
		assert!(broken(|point| {
			point.state.meters.pop();
		}));
		Points::<Test>::insert(at, whole);
		MeterReadings::do_try_state().unwrap();
		MeterPoints::<Test>::remove(0);
		assert!(MeterReadings::do_try_state().is_err());
	});
}
