//! Re-opened reports.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::checks::{
		BatchId, CheckId, DisputeCause, Figures, Reopening, SeededFigures, ShownFigures, Vrf,
		figures_commitment, reopen_input,
	},
	num::units::AIT,
};
use sp_runtime::DispatchError;

/// Lets every report be re-opened by the one that draws first: one in one.
fn always() {
	Parameters::<Test>::mutate(|parameters| parameters.reopen_one_in = 1);
}

fn reported() -> (BatchId, CheckId) {
	always();
	let batch = touched_of(0, EXACT);
	report(&batch, 1, Figures::Exact { equal: true }).unwrap();
	(batch, CheckId { batch, verifier: key(1), check: 0 })
}

fn reopen_call(of: CheckId, number: u8, figures: &[u32]) -> Call<Test> {
	let block = Reports::<Test>::get(of.batch, (of.verifier, of.check)).unwrap().block;
	let vrf = Vrf::sign(&pair(number), &reopen_input(&genesis(), &of.hash(), &block));
	let own = CheckId { verifier: key(number), ..of };
	let commitment = figures_commitment(&own, &own_figures(figures));
	let reopening = Reopening { by: key(number), of, vrf, commitment };
	let signature = sign(number, &reopening.signing_payload(&genesis()));
	Call::reopen { reopening: Box::new(reopening), signature }
}

/// Returns the verifier to which the re-opening of a report fell: one of four is expected to.
fn reopened(of: CheckId, figures: &[u32]) -> Option<u8> {
	(2..=5).find(|number| apply(reopen_call(of, *number, figures)).is_ok())
}

fn show(of: CheckId, number: u8, figures: &[u32]) -> Result<(), DispatchError> {
	let shown = ShownFigures { by: key(number), of, figures: own_figures(figures) };
	let signature = sign(number, &shown.signing_payload(&genesis()));
	apply(Call::show_figures { shown: Box::new(shown), signature })
}

/// A report that is re-opened by somebody; another batch is tried where nobody drew it.
fn one_reopened(figures: &[u32]) -> (CheckId, u8) {
	reopened_as(EXACT, Figures::Exact { equal: true }, &[1, 2, 3], figures)
}

/// The reporter's own figures come before those of who re-opens.
fn reopened_as(model: H256, said: Figures, own: &[u32], figures: &[u32]) -> (CheckId, u8) {
	always();
	for sequence in 0..20 {
		let batch = touched_of(sequence, model);
		let mut report = report_with(&batch, 1, 0, said);
		report.commitment = figures_commitment(&report.id(), &own_figures(own));
		assert_ok!(apply(report_call(report, 1)));
		let of = CheckId { batch, verifier: key(1), check: 0 };
		if let Some(by) = reopened(of, figures) {
			return (of, by);
		}
	}
	panic!("a re-opening falls to somebody in twenty tries");
}

#[test]
fn figures_that_agree_end_a_reopening() {
	build_and_execute(|| {
		let (of, by) = one_reopened(&[1, 2, 3]);
		assert_eq!(ComputeChecks::reopenings(), [of]);
		assert_noop!(show(of, 1, &[1, 2, 4]), Error::<Test>::OtherCommitment);
		assert_ok!(show(of, 1, &[1, 2, 3]));
		assert_noop!(show(of, 1, &[1, 2, 3]), Error::<Test>::AlreadyDone);
		assert_ok!(show(of, by, &[1, 2, 3]));
		assert_eq!((Reopenings::<Test>::iter().count(), Disputes::<Test>::count()), (0, 0));
		assert!((1..=5).all(|number| bond(number) == 1_000 * AIT));
	});
}

#[test]
fn figures_that_do_not_agree_are_for_the_jury() {
	build_and_execute(|| {
		let (of, by) = one_reopened(&[1, 2, 9]);
		assert_ok!(show(of, by, &[1, 2, 9]));
		assert_ok!(show(of, 1, &[1, 2, 3]));
		let view = ComputeChecks::disputes().remove(0);
		assert_eq!(view.cause, DisputeCause::Reopened(of));
		assert_eq!(view.accused, <[u8; 32]>::from(account(1)));
		assert_eq!(view.jurors.0, 3, "all verifiers but both parties");
		assert!(Holds::get().is_empty(), "no miner is accused");
		let jury: Vec<_> = (2..=5).filter(|number| *number != by).collect();
		decide(view.id, &jury, true);
		assert_eq!([bond(1), bond(by)], [900 * AIT, 1_000 * AIT]);
		assert!(Punishments::get().is_empty(), "the miner has nothing to do with it");
	});
}

#[test]
fn a_report_that_its_own_figures_contradict_needs_no_jury() {
	for (clipped, left) in [(6, 1_000 * AIT), (7, 900 * AIT)] {
		build_and_execute(|| {
			let said = SeededFigures { tokens: 10, clipped, matches: 7, end: 0 };
			let figures = [1, 2, 3, 0, 0, 0, 0, 0, 0, 0];
			let (of, by) = reopened_as(SEEDED, Figures::Seeded(said), &figures, &figures);
			assert_ok!(show(of, 1, &figures));
			assert_ok!(show(of, by, &figures));
			assert_eq!([bond(1), bond(by)], [left, 1_000 * AIT]);
			assert_eq!(Disputes::<Test>::count(), 0);
		});
	}
}

#[test]
fn who_says_equal_of_what_its_own_figures_find_otherwise_needs_no_jury() {
	build_and_execute(|| {
		let (of, by) = reopened_as(EXACT, Figures::Exact { equal: true }, &[0, 2], &[0, 2]);
		assert_ok!(show(of, by, &[0, 2]));
		assert_ok!(show(of, 1, &[0, 2]));
		assert_eq!([bond(1), bond(by)], [900 * AIT, 1_000 * AIT]);
	});
}

#[test]
fn who_looks_at_the_same_bits_and_says_another_thing_does_not_agree() {
	build_and_execute(|| {
		let (of, by) = reopened_as(EXACT, Figures::Exact { equal: true }, &[1, 2], &[0, 2]);
		assert_ok!(show(of, by, &[0, 2]));
		assert_ok!(show(of, 1, &[1, 2]));
		assert_eq!(ComputeChecks::disputes().remove(0).cause, DisputeCause::Reopened(of));
	});
}

#[test]
fn who_does_not_show_its_figures_is_punished() {
	build_and_execute(|| {
		let (of, by) = one_reopened(&[1, 2, 3]);
		assert_ok!(show(of, by, &[1, 2, 3]));
		let close = Call::close_reopening { check: of };
		assert_noop!(dispatch(close.clone(), account(60)), Error::<Test>::NotYet);
		pass(3_600_000);
		assert_noop!(show(of, 1, &[1, 2, 3]), Error::<Test>::TooLate);
		assert_ok!(apply(close));
		assert_eq!([bond(1), bond(by)], [900 * AIT, 1_000 * AIT]);
	});
}

#[test]
fn nobody_reopens_its_own_report_or_what_it_did_not_draw() {
	build_and_execute(|| {
		let (_, of) = reported();
		let own = reopen_call(of, 1, &[1]);
		assert_noop!(dispatch(own, account(60)), Error::<Test>::OwnCause);
		// One in twenty of four others: that nobody draws it is likely, and one of 1 never is.
		Parameters::<Test>::mutate(|parameters| parameters.reopen_one_in = u32::MAX);
		let call = reopen_call(of, 2, &[1]);
		assert_noop!(dispatch(call, account(60)), Error::<Test>::NotDrawn);
		let unknown = CheckId { check: 1, ..of };
		let vrf = Vrf::sign(&pair(2), &reopen_input(&genesis(), &of.hash(), &of.hash()));
		let reopening = Reopening { by: key(2), of: unknown, vrf, commitment: of.hash() };
		let signature = sign(2, &reopening.signing_payload(&genesis()));
		let call = Call::reopen { reopening: Box::new(reopening), signature };
		assert_noop!(dispatch(call, account(60)), Error::<Test>::UnknownReport);
		Parameters::<Test>::mutate(|parameters| parameters.reopen_one_in = 20);
	});
}

#[test]
fn a_report_of_the_last_block_is_reopened_all_the_same() {
	build_and_execute(|| {
		always();
		let mut found = None;
		for sequence in 0..20 {
			let batch = touched_of(sequence, EXACT);
			pass(WINDOW - 1);
			assert_ok!(report(&batch, 1, Figures::Exact { equal: true }));
			// The window is over, and everything is paid.
			pass(1);
			All::mutate(|all| all.remove(&batch));
			let settle = Call::settle_checks { batch };
			assert_noop!(dispatch(settle, account(60)), Error::<Test>::NotYet);
			let of = CheckId { batch, verifier: key(1), check: 0 };
			if let Some(by) = reopened(of, &[1, 2, 3]) {
				found = Some((of, by));
				break;
			}
			let late = reopen_call(of, 2, &[1]);
			pass(2 * 3_600_000);
			assert_noop!(dispatch(late, account(60)), Error::<Test>::TooLate);
		}
		let (of, by) = found.expect("a re-opening falls to somebody in twenty tries");
		assert_ok!(show(of, by, &[1, 2, 3]));
		pass(3_600_000);
		assert_ok!(apply(Call::close_reopening { check: of }));
		assert_eq!([bond(1), bond(by)], [900 * AIT, 1_000 * AIT]);
	});
}

#[test]
fn a_report_is_reopened_once() {
	build_and_execute(|| {
		let (of, by) = one_reopened(&[1, 2, 3]);
		let again = reopen_call(of, by, &[1, 2, 3]);
		assert_noop!(dispatch(again, account(60)), Error::<Test>::AlreadyDone);
	});
}

#[test]
fn a_pair_that_disagrees_a_second_time_has_one_dispute_and_pays_once() {
	build_and_execute(|| {
		always();
		let mut seen = std::collections::BTreeMap::new();
		let twice = (0..40).find_map(|sequence| {
			let batch = touched_of(sequence, EXACT);
			report(&batch, 1, Figures::Exact { equal: true }).unwrap();
			let of = CheckId { batch, verifier: key(1), check: 0 };
			let by = reopened(of, &[1, 2, 9])?;
			seen.insert(by, of).map(|first| ([first, of], by))
		});
		let (both, by) = twice.expect("one of four re-opens two of forty reports");
		for of in both {
			assert_ok!(show(of, by, &[1, 2, 9]));
			assert_ok!(show(of, 1, &[1, 2, 3]));
		}
		let compared = events().into_iter().filter_map(|event| match event {
			Event::FiguresCompared { agree, .. } => Some(agree),
			_ => None,
		});
		assert_eq!(compared.collect::<Vec<_>>(), [false, false]);
		assert_eq!(Disputes::<Test>::count(), 1);
		let pending = || Verifiers::<Test>::get(account(by)).unwrap().pending;
		assert_eq!(pending(), 1, "its dispute, and nothing of the second look");
		let jury: Vec<_> = (2..=5).filter(|number| *number != by).collect();
		decide(the_dispute(), &jury, true);
		assert_eq!(pending(), 0);
		assert_eq!([bond(1), bond(by)], [900 * AIT, 1_000 * AIT]);
	});
}

#[test]
fn who_copies_a_commitment_cannot_show_what_is_behind_it_and_is_punished() {
	build_and_execute(|| {
		always();
		let equal = Figures::Exact { equal: true };
		let copied = (0..20).find_map(|sequence| {
			let batch = touched_of(sequence, EXACT);
			let honest = report_with(&batch, 2, 0, equal);
			// Verifier 1 has done nothing, and commits to what verifier 2 has.
			let mut copy = report_with(&batch, 1, 0, equal);
			copy.commitment = honest.commitment;
			apply(report_call(honest, 2)).unwrap();
			apply(report_call(copy, 1)).unwrap();
			let of = CheckId { batch, verifier: key(1), check: 0 };
			Some((of, reopened(of, &[1, 2, 3])?))
		});
		let (of, by) = copied.expect("a re-opening falls to somebody in twenty tries");
		assert_ok!(show(of, by, &[1, 2, 3]));
		for figures in [&[1, 2, 3][..], &[1], &[]] {
			assert_noop!(show(of, 1, figures), Error::<Test>::OtherCommitment);
		}
		pass(3_600_000);
		assert_ok!(apply(Call::close_reopening { check: of }));
		assert_eq!([bond(1), bond(by)], [900 * AIT, 1_000 * AIT]);
	});
}
