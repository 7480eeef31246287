//! Receipts that clients want checked, of a model of which one answer proves nothing.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::checks::{
		BatchId, CheckId, CheckReport, Figures, MAX_CHECKS_PER_DRAW, SeededFigures,
		figures_commitment,
	},
	num::units::AIT,
};

/// The client wants the third receipt of a batch checked; returns whose turn it is.
fn asked() -> (BatchId, u8) {
	let batch = touched_of(0, SEEDED);
	let call = Call::dispute_receipt { batch, receipt: Box::new(placed(&batch, 2)) };
	assert_ok!(dispatch(call, client()));
	let shown = ComputeChecks::asked(batch);
	assert_eq!(shown.len(), 1);
	assert_eq!((shown[0].index, shown[0].id.check), (2, MAX_CHECKS_PER_DRAW));
	let turn = (1..=5).find(|number| key(*number) == shown[0].id.verifier).unwrap();
	(batch, turn)
}

/// A report of what was asked, by a verifier, with a mean gap in millionths.
fn answer(batch: &BatchId, number: u8, index: usize, mean: u64) -> Call<Test> {
	let figures = SeededFigures { tokens: 10, clipped: mean * 10, matches: 0, end: 0 };
	let id = CheckId { batch: *batch, verifier: key(number), check: MAX_CHECKS_PER_DRAW };
	let report = CheckReport {
		verifier: key(number),
		check: id.check,
		vrf: draw(batch, number),
		batch: *batch,
		receipt: placed(batch, index),
		figures: Figures::Seeded(figures),
		commitment: figures_commitment(&id, &own_figures(&[1])),
	};
	report_call(report, number)
}

#[test]
fn a_receipt_above_the_line_is_added_to_the_number_and_the_deposit_returns() {
	build_and_execute(|| {
		let (batch, turn) = asked();
		assert_eq!(ait(&client()), NATIVE - 5 * AIT);
		assert_eq!(Disputes::<Test>::count(), 0, "no jury meets for one answer");
		let other = turn % 5 + 1;
		let stranger = answer(&batch, other, 2, 45_000);
		assert_noop!(dispatch(stranger, account(60)), Error::<Test>::NotDrawn);
		let elsewhere = answer(&batch, turn, 1, 45_000);
		assert_noop!(dispatch(elsewhere, account(60)), Error::<Test>::NotDrawn);
		assert_ok!(apply(answer(&batch, turn, 2, 45_000)));
		assert_eq!(ComputeChecks::number(MINER, SEEDED).0, 25_000);
		assert_eq!(ait(&client()), NATIVE);
		assert!(ComputeChecks::asked(batch).is_empty());
		let call = Call::dispute_receipt { batch, receipt: Box::new(placed(&batch, 2)) };
		assert_noop!(dispatch(call, client()), Error::<Test>::AlreadyDone);
	});
}

#[test]
fn a_receipt_on_the_line_costs_the_client_its_deposit() {
	build_and_execute(|| {
		let (batch, turn) = asked();
		let before = ait(&TreasuryAccount::get());
		assert_ok!(apply(answer(&batch, turn, 2, 20_000)));
		assert_eq!(ait(&TreasuryAccount::get()), before + 5 * AIT);
		assert_eq!(ait(&client()), NATIVE - 5 * AIT);
	});
}

#[test]
fn what_nobody_has_reported_returns_with_the_batch() {
	build_and_execute(|| {
		let (batch, _) = asked();
		All::mutate(|all| all.remove(&batch));
		assert_ok!(apply(Call::settle_checks { batch }));
		assert_eq!(ait(&client()), NATIVE);
		assert!(!Batches::<Test>::contains_key(batch));
	});
}

#[test]
fn nobody_wants_anothers_receipt_checked() {
	build_and_execute(|| {
		let batch = touched_of(0, SEEDED);
		let call = Call::dispute_receipt { batch, receipt: Box::new(placed(&batch, 2)) };
		assert_noop!(dispatch(call, account(60)), Error::<Test>::NotClient);
	});
}
