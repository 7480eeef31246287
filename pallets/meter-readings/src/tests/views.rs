//! The view functions.

use crate::{mock::*, *};
use frame_support::assert_ok;
use gridproof_primitives::{
	energy::{Overview, Registers},
	num::units::MILLIS_PER_DAY,
};

fn wh(import_wh: u64, export_wh: u64) -> Registers {
	Registers { import_wh, export_wh }
}

#[test]
fn totals_are_those_of_the_spans_that_now_is_in() {
	build_and_execute(|| {
		// GIVEN quarters from yesterday's noon to today's: 2026-01-14 is a Wednesday
		let meter = certify(1);
		for _ in 0..96 {
			accept(&sign(&header(meter, 1, 2)));
		}
		// THEN each span has its share: half of them ended after midnight
		let totals = MeterReadings::totals(meter).unwrap();
		assert_eq!(totals.last_hour, wh(4, 8));
		assert_eq!((totals.today, totals.yesterday), (wh(48, 96), wh(48, 96)));
		assert_eq!(
			(totals.week, totals.month, totals.year),
			(wh(96, 192), wh(96, 192), wh(96, 192))
		);
		assert_eq!(totals.all, wh(96, 192));
		// A day later
		Now::set(NOON + MILLIS_PER_DAY);
		let totals = MeterReadings::totals(meter).unwrap();
		assert_eq!((totals.last_hour, totals.today), (wh(0, 0), wh(0, 0)));
		assert_eq!((totals.yesterday, totals.week), (wh(48, 96), wh(96, 192)));
		assert_eq!(MeterReadings::totals(7), None);
	});
}

#[test]
fn the_last_hour_ends_now() {
	build_and_execute(|| {
		let meter = certify(1);
		let mut first = header(meter, 0, 1);
		first.end_ms = NOON - 3_600_000;
		accept(&sign(&first));
		let mut second = header(meter, 0, 2);
		second.end_ms = second.start_ms + 1_000;
		accept(&sign(&second));
		// The one that ended an hour ago is not within it.
		assert_eq!(MeterReadings::totals(meter).unwrap().last_hour, wh(0, 2));
		Now::set(NOON + 999);
		assert_eq!(MeterReadings::totals(meter).unwrap().last_hour, wh(0, 2));
		Now::set(NOON + 1_000);
		assert_eq!(MeterReadings::totals(meter).unwrap().last_hour, wh(0, 0));
	});
}

#[test]
fn the_last_hour_is_as_long_as_its_batches_are_kept() {
	build_and_execute(|| {
		let meter = certify(1);
		let mut first = header(meter, 0, 1);
		first.start_ms = NOON - 1_000_000;
		for _ in 0..=MAX_RECENT {
			first.end_ms = first.start_ms + 1_000;
			accept(&sign(&first));
			first = header_after(meter, Some(&first), 0, 1);
		}
		let kept = u64::from(MAX_RECENT);
		assert_eq!(MeterReadings::totals(meter).unwrap().last_hour, wh(0, kept));
		assert_eq!(MeterReadings::totals(meter).unwrap().all, wh(0, kept + 1));
	});
}

#[test]
fn meters_are_found_by_index_name_and_in_order() {
	build_and_execute(|| {
		for number in 1..=4 {
			certify(number);
		}
		assert_ok!(dispatch(Call::decommission_meter { meter: 1 }, owner()));
		let (index, info) = MeterReadings::meter_by_name(name(3)).unwrap();
		assert_eq!((index, Some(info)), (2, MeterReadings::meter(2)));
		assert_eq!(MeterReadings::meter_by_name(name(2)), None);
		let indices = |from, limit| -> Vec<_> {
			MeterReadings::meters(from, limit).into_iter().map(|info| info.index).collect()
		};
		assert_eq!(indices(0, 2), [0, 2]);
		assert_eq!(indices(1, 9), [2, 3]);
		assert!(indices(4, 9).is_empty() && indices(0, 0).is_empty());
		let next = |from, limit| MeterReadings::meter_page(from, limit).next;
		assert_eq!((next(0, 2), next(0, 3), next(3, 1), next(9, 9)), (Some(3), None, None, None));
	});
}

#[test]
fn a_page_of_meters_passes_over_a_bounded_number_of_those_that_are_gone() {
	build_and_execute(|| {
		certify(1);
		certify(2);
		assert_ok!(dispatch(Call::decommission_meter { meter: 0 }, owner()));
		// As after five thousand meters that came and went behind it.
		let info = MeterReadings::meter(1).unwrap();
		NextMeter::<Test>::put(6_000);
		let page = MeterReadings::meter_page(0, 9);
		assert_eq!((page.meters, page.next), (vec![info], Some(4_000)));
		let page = MeterReadings::meter_page(2, 9);
		assert_eq!((page.meters, page.next), (vec![], Some(4_002)), "empty, and not the last");
		assert_eq!(MeterReadings::meter_page(4_002, 9).next, None);
		NextMeter::<Test>::put(2);
	});
}

#[test]
fn a_batch_is_shown_as_it_was_accepted() {
	build_and_execute(|| {
		let meter = certify(1);
		System::set_block_number(7);
		Now::set(NOON + 5);
		let header = accept_many(meter, 1, 30).remove(0);
		let record = MeterReadings::batch(meter, 0).unwrap();
		assert_eq!((&record.header, record.block, record.accepted_ms), (&header, 7, NOON + 5));
		assert_eq!((record.minted_wh, record.anchor), (30, None));
		assert_eq!(MeterReadings::batch(meter, 1), None);
		assert_eq!(MeterReadings::batch(meter, u64::from(MAX_RECENT)), None);
	});
}

#[test]
fn the_overview_counts_what_there_is() {
	build_and_execute(|| {
		assert_eq!(
			MeterReadings::overview(),
			Overview { organisations: 1, electricians: 1, ..Default::default() }
		);
		let meter = certify(1);
		certify(2);
		accept(&sign(&header(meter, 7, 30)));
		let reason = gridproof_primitives::energy::Suspension::LostKey;
		assert_ok!(dispatch(Call::suspend_meter { meter: 1, reason }, owner()));
		let expected = Overview {
			organisations: 1,
			electricians: 1,
			meters: 2,
			suspended: 1,
			batches: 1,
			readings: 3,
			imported_wh: 7,
			exported_wh: 30,
			minted_wh: 23,
			issuance: 23,
		};
		assert_eq!(MeterReadings::overview(), expected);
	});
}
