//! Numbers of miners and models.

use crate::{mock::*, *};
use frame_support::assert_ok;
use gridproof_primitives::compute::checks::{
	BatchId, DisputeCause, Figures, Number, SeededFigures,
};

/// Reports with a mean gap, in millionths, over ten tokens.
fn report_gap(batch: &BatchId, number: u8, mean: u64) {
	let figures = SeededFigures { tokens: 10, clipped: mean * 10, matches: 0, end: 0 };
	assert_ok!(report(batch, number, Figures::Seeded(figures)));
}

fn number() -> u64 {
	ComputeChecks::number(MINER, SEEDED).0
}

#[test]
fn a_number_grows_by_what_is_above_the_line_and_falls_by_what_is_below() {
	build_and_execute(|| {
		let batch = touched_of(0, SEEDED);
		report_gap(&batch, 1, 45_000);
		assert_eq!(number(), 25_000);
		report_gap(&batch, 2, 10_000);
		assert_eq!(number(), 15_000);
		report_gap(&batch, 3, 1);
		assert_eq!(number(), 0);
		assert!(!Numbers::<Test>::contains_key(MINER, SEEDED), "nothing is left to remember");
	});
}

#[test]
fn a_number_above_its_limit_opens_a_dispute_and_begins_anew() {
	build_and_execute(|| {
		let batch = touched_of(0, SEEDED);
		report_gap(&batch, 1, 45_000);
		report_gap(&batch, 2, 45_000);
		assert_eq!((number(), Disputes::<Test>::count()), (50_000, 0), "at the limit");
		report_gap(&batch, 3, 20_001);
		assert_eq!((number(), Disputes::<Test>::count()), (0, 1));
		let dispute = ComputeChecks::disputes().remove(0);
		assert!(matches!(dispute.cause, DisputeCause::Number(id) if id.verifier == key(3)));
		assert_eq!(dispute.jurors.0, 5, "all verifiers are of the jury");
		let reporters: Vec<_> = dispute.reports.iter().map(|id| id.verifier).collect();
		assert_eq!(reporters, [key(1), key(2), key(3)]);
		assert_eq!(Holds::get().len(), 1, "the miner's part of the batch is held");
	});
}

#[test]
fn honest_answers_buy_no_cheat() {
	build_and_execute(|| {
		// The number does not fall below zero, however long the miner was honest.
		let batch = touched_of(0, SEEDED);
		for verifier in 1..=3 {
			report_gap(&batch, verifier, 1);
		}
		assert_eq!(ComputeChecks::number(MINER, SEEDED), Number(0));
		report_gap(&batch, 4, 70_001);
		assert_eq!(Disputes::<Test>::count(), 1);
	});
}

#[test]
fn a_cheat_that_takes_another_model_for_every_check_is_found_as_soon() {
	build_and_execute(|| {
		let other = gridproof_primitives::H256::repeat_byte(8);
		assert_ok!(govern(Call::set_line { model: other, line: Some(LINE) }));
		// Half of the limit, and a little, of each of two models.
		let batches = [SEEDED, other].map(|model| touched_of(u64::from(model.0[0]), model));
		report_gap(&batches[0], 1, 45_001);
		assert_eq!(ComputeChecks::wide_number(MINER).0, 500_020);
		report_gap(&batches[1], 2, 45_001);
		let dispute = ComputeChecks::disputes().remove(0);
		assert!(matches!(dispute.cause, DisputeCause::Number(id) if id.verifier == key(2)));
		assert_eq!(dispute.reports.len(), 1, "those of its model");
		assert_eq!(ComputeChecks::wide_number(MINER).0, 0, "it begins at 0 again");
		assert_eq!(ComputeChecks::number(MINER, other).0, 0);
		assert_eq!(number(), 25_001);
	});
}

#[test]
fn half_an_answer_is_found_in_one_check() {
	build_and_execute(|| {
		let batch = touched_of(0, SEEDED);
		let figures = SeededFigures { tokens: 10, clipped: 0, matches: 10, end: 4_000_000 };
		assert_ok!(report(&batch, 1, Figures::Seeded(figures)));
		assert_eq!(Disputes::<Test>::count(), 1);
	});
}

#[test]
fn a_number_does_not_begin_anew_while_its_dispute_is_open() {
	build_and_execute(|| {
		let batch = touched_of(0, SEEDED);
		report_gap(&batch, 1, 80_000);
		assert_eq!((number(), Disputes::<Test>::count()), (0, 1));
		report_gap(&batch, 2, 80_000);
		assert_eq!((number(), Disputes::<Test>::count()), (50_000, 1));
		decide(the_dispute(), &[1, 2, 3, 4, 5], false);
		report_gap(&batch, 3, 20_001);
		assert_eq!((number(), Disputes::<Test>::count()), (0, 1));
	});
}
