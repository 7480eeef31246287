//! Reports.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::channels::{MinerLine, receipt_leaf},
	compute::checks::{BatchId, Figures, SeededFigures, checks_of, draw_input},
	crypto::merkle,
	num::units::AIT,
};

const EQUAL: Figures = Figures::Exact { equal: true };

/// Dispatches a report as an account does, past the pool.
fn send(
	report: gridproof_primitives::compute::checks::CheckReport,
	number: u8,
) -> Result<(), sp_runtime::DispatchError> {
	dispatch(report_call(report, number), account(60))
}

#[test]
fn a_report_of_what_fell_to_a_verifier_is_kept() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		assert_ok!(report(&batch, 1, EQUAL));
		let shown = ComputeChecks::reports(batch, 10);
		assert_eq!(shown.len(), 1);
		assert_eq!((shown[0].figures, shown[0].miner, shown[0].model), (EQUAL, MINER, EXACT));
		assert_eq!(ComputeChecks::batch(batch).unwrap().reports, 1);
		assert_eq!(Verifiers::<Test>::get(account(1)).unwrap().reports, 1);
		assert_eq!(Disputes::<Test>::count(), 0);
	});
}

#[test]
fn nobody_reports_a_draw_twice_or_one_that_did_not_fall_to_it() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		assert_ok!(report(&batch, 1, EQUAL));
		let again = report_with(&batch, 1, 0, EQUAL);
		assert_noop!(send(again, 1), Error::<Test>::AlreadyReported);
		// Ten AIT for five verifiers and one AIT a check: exactly two fall to each.
		let row = Batches::<Test>::get(batch).unwrap();
		let input = draw_input(&genesis(), &row.header_hash, &row.checks.block);
		let output = draw(&batch, 1).verify(&key(1), &input).unwrap();
		assert_eq!(checks_of(10 * AIT, AIT, 5, &output), 2);
		assert_ok!(send(report_with(&batch, 1, 1, EQUAL), 1));
		assert_noop!(send(report_with(&batch, 1, 2, EQUAL), 1), Error::<Test>::NotDrawn);
	});
}

#[test]
fn a_report_is_of_the_receipt_that_the_point_lies_in_and_no_other() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let good = report_with(&batch, 1, 0, EQUAL);
		let index = usize::try_from(good.receipt.index).unwrap();
		let mut other = good.clone();
		other.receipt = placed(&batch, (index + 1) % 5);
		assert_noop!(send(other, 1), Error::<Test>::OtherPoint);
		let mut elsewhere = good.clone();
		elsewhere.receipt.index = u64::try_from((index + 1) % 5).unwrap();
		assert_noop!(send(elsewhere, 1), Error::<Test>::NotInBatch);
		let mut invented = good.clone();
		invented.receipt.item.receipt.price += 1;
		assert_noop!(send(invented, 1), Error::<Test>::NotInBatch);
		assert_ok!(send(good, 1));
	});
}

#[test]
fn what_is_given_up_is_nobodys_to_check_however_dear_it_is_stated() {
	build_and_execute(|| {
		// A million AIT that nobody pays, before ten that somebody does.
		let batch = settle(0, receipts(EXACT, &[1_000_000 * AIT, 4 * AIT, 6 * AIT]));
		let first = placed(&batch, 0).item;
		let range = MinerLine {
			miner: Some(MINER),
			from: first.miner_before().unwrap(),
			to: first.sums.miner,
		};
		All::mutate(|all| all.get_mut(&batch).unwrap().given_up = vec![range]);
		(0..3).for_each(|_| next_block());
		assert_ok!(apply(Call::touch { batch }));
		let checks = ComputeChecks::batch(batch).unwrap();
		assert_eq!((checks.total, checks.value), (10 * AIT, 10 * AIT));
		for number in 1..=5 {
			let report = report_with(&batch, number, 0, EQUAL);
			assert_ne!(report.receipt.index, 0);
			let mut elsewhere = report.clone();
			elsewhere.receipt = placed(&batch, 0);
			assert_noop!(send(elsewhere, number), Error::<Test>::NotInBatch);
			assert_ok!(send(report, number));
		}
	});
}

#[test]
fn a_leaf_that_no_line_pays_is_no_receipt() {
	build_and_execute(|| {
		let batch = settle(0, receipts(EXACT, &[2 * AIT; 5]));
		// The coordinator adds a leaf that names the miner at a price that nobody paid: its sums enclose
		// every place of the line.
		let mut waits = All::get().get(&batch).unwrap().clone();
		let mut huge = waits.receipts[0];
		huge.receipt.price = 1_000 * AIT;
		huge.sums.miner.price = 1_000 * AIT + 70;
		huge.sums.channel.price = 1_000 * AIT + 70;
		waits.receipts.push(huge);
		let leaves: Vec<_> = waits.receipts.iter().map(receipt_leaf).collect();
		waits.batch.receipts = merkle::root(&leaves);
		waits.batch.sums.receipts += 1;
		All::mutate(|all| all.insert(batch, waits));
		(0..3).for_each(|_| next_block());
		assert_ok!(apply(Call::touch { batch }));
		let mut report = report_with(&batch, 1, 0, EQUAL);
		let good = report.clone();
		report.receipt = placed(&batch, 5);
		assert_noop!(send(report, 1), Error::<Test>::NotInBatch);
		let call = Call::dispute_receipt { batch, receipt: Box::new(placed(&batch, 5)) };
		assert_noop!(dispatch(call, client()), Error::<Test>::NotInBatch);
		assert_ok!(send(good, 1));
	});
}

#[test]
fn a_copied_draw_and_a_strange_signature_are_refused() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let mut copied = report_with(&batch, 1, 0, EQUAL);
		copied.vrf = draw(&batch, 2);
		assert_noop!(send(copied, 1), Error::<Test>::BadVrf);
		let other = touched_of(1, EXACT);
		let mut elsewhere = report_with(&batch, 1, 0, EQUAL);
		elsewhere.vrf = draw(&other, 1);
		assert_noop!(send(elsewhere, 1), Error::<Test>::BadVrf);
		let good = report_with(&batch, 1, 0, EQUAL);
		assert_noop!(send(good, 2), Error::<Test>::BadSignature);
	});
}

#[test]
fn only_a_verifier_whose_key_was_known_for_an_hour_reports() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		assert_noop!(report(&batch, 9, EQUAL), Error::<Test>::UnknownVerifier);
		let proof = sign(
			11,
			&gridproof_primitives::compute::checks::key_payload(&genesis(), &account(1).into()),
		);
		assert_ok!(dispatch(Call::exchange_key { key: key(11), proof }, account(1)));
		assert_noop!(report(&batch, 11, EQUAL), Error::<Test>::OtherKey);
		// The key before still reports what it drew.
		assert_ok!(report(&batch, 1, EQUAL));
		let next = touched_of(1, EXACT);
		assert_noop!(report(&next, 11, EQUAL), Error::<Test>::OtherKey);
		assert_ok!(report(&next, 1, EQUAL));
		pass(3_600_000);
		let last = touched_of(2, EXACT);
		assert_noop!(report(&last, 1, EQUAL), Error::<Test>::OtherKey);
		assert_ok!(report(&last, 11, EQUAL));
	});
}

#[test]
fn who_has_lost_its_bond_reports_nothing() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		ComputeChecks::take_of_bond(&account(1), 501 * AIT).unwrap();
		assert_noop!(report(&batch, 1, EQUAL), Error::<Test>::NotFit);
	});
}

#[test]
fn a_report_comes_within_the_window() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		pass(WINDOW - 1);
		assert_ok!(report(&batch, 1, EQUAL));
		pass(1);
		assert_noop!(report(&batch, 2, EQUAL), Error::<Test>::TooLate);
		let late = report_with(&batch, 2, 0, EQUAL);
		All::mutate(|all| all.remove(&batch));
		assert_noop!(send(late, 2), Error::<Test>::UnknownBatch);
	});
}

#[test]
fn a_batch_that_was_not_touched_has_no_draws() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let mut report = report_with(&batch, 1, 0, EQUAL);
		report.batch = BatchId { sequence: 1, ..batch };
		assert_noop!(send(report, 1), Error::<Test>::NotTouched);
	});
}

#[test]
fn figures_have_to_be_those_of_the_models_class() {
	build_and_execute(|| {
		let batch = touched_of(0, SEEDED);
		assert_noop!(report(&batch, 1, EQUAL), Error::<Test>::OtherClass);
		let of = |tokens, clipped, matches| {
			Figures::Seeded(SeededFigures { tokens, clipped, matches, end: 0 })
		};
		assert_noop!(report(&batch, 1, of(9, 0, 9)), Error::<Test>::OtherTokens);
		assert_noop!(report(&batch, 1, of(10, 0, 9)), Error::<Test>::ImpossibleFigures);
		assert_ok!(report(&batch, 1, of(10, 1, 9)));
		let unlined = touched_of(1, UNLINED);
		assert_noop!(report(&unlined, 1, of(10, 1, 9)), Error::<Test>::NoLine);
	});
}
