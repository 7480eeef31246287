//! What a cheat would try that no other file has: orders of a block, copies, a third of all verifiers.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use gridproof_primitives::{
	compute::checks::{Figures, Verdict, Votes, figures_commitment},
	num::units::AIT,
};

const EQUAL: Figures = Figures::Exact { equal: true };

#[test]
fn no_order_of_a_blocks_touches_changes_a_draw() {
	let draws = |order: [usize; 2]| {
		new_test_ext().execute_with(|| {
			let batches = [0, 1].map(|number| settle(number, receipts(EXACT, &[2 * AIT; 5])));
			(0..3).for_each(|_| next_block());
			for place in order {
				assert_ok!(apply(Call::touch { batch: batches[place] }));
			}
			batches.map(|batch| ComputeChecks::batch(batch).unwrap().block)
		})
	};
	assert_eq!(draws([0, 1]), draws([1, 0]));
}

#[test]
fn a_copied_commitment_cannot_be_shown() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let honest = report_with(&batch, 1, 0, EQUAL);
		// Verifier 2 has done nothing, and copies what verifier 1 committed to.
		let mut copy = report_with(&batch, 2, 0, EQUAL);
		copy.commitment = honest.commitment;
		let own = copy.id();
		assert_ok!(apply(report_call(honest, 1)));
		assert_ok!(apply(report_call(copy.clone(), 2)));
		for values in [&[1, 2, 3][..], &[0], &[]] {
			assert_ne!(figures_commitment(&own, &own_figures(values)), copy.commitment);
		}
	});
}

#[test]
fn a_third_of_all_verifiers_neither_convicts_nor_acquits() {
	let guilty = |guilty| Verdict { guilty, invented: None };
	for number in 3..=21u32 {
		let colluding = number / 3;
		let all_but_one = number - 1;
		let votes = |those: u32, verdict| {
			(0..those).fold(Default::default(), |votes: Votes, _| votes.with(&verdict))
		};
		// Alone they decide nothing, of whatever jury.
		for jury in [number, all_but_one] {
			for verdict in [true, false] {
				let decided = votes(colluding, guilty(verdict)).decide(jury);
				assert!(decided.is_none() || jury == colluding, "{colluding} of {jury}");
			}
		}
		// Against the honest they can at most prevent a decision, and the receipt is forfeited.
		let honest = all_but_one - colluding;
		let against =
			(0..colluding).fold(votes(honest, guilty(true)), |votes, _| votes.with(&guilty(false)));
		assert_ne!(against.decide(all_but_one), Some(false));
	}
}

#[test]
fn a_third_of_all_verifiers_stops_no_verdict_of_the_others() {
	for number in 3..=21u32 {
		let colluding = number / 3;
		let honest = number - colluding;
		let jurors = number - 1;
		let (accuses, accused) =
			(Votes { guilty: 1, not_guilty: 0 }, Votes { guilty: 1, not_guilty: 1 });
		// An honest verifier accuses: all others that are honest find guilty.
		let votes = Votes { guilty: honest - 1, not_guilty: colluding };
		assert_eq!(votes.verdict(&accuses, jurors), Some(true), "{colluding} of {number}");
		// One of the others accuses: all that are honest find not guilty.
		let votes = Votes { guilty: colluding - 1, not_guilty: honest };
		assert_eq!(votes.verdict(&accuses, jurors), Some(false), "{colluding} of {number}");
		// It has looked at the report of an honest one.
		let votes = Votes { guilty: colluding - 1, not_guilty: honest - 1 };
		assert_eq!(votes.verdict(&accused, jurors - 1), Some(false), "{colluding} of {number}");
	}
}

#[test]
fn witnesses_that_collude_cannot_convict_a_coordinator() {
	use gridproof_primitives::compute::checks::{OpeningOutcome, witnesses_say};
	for number in 3..=21u32 {
		let (colluding, witnesses) = (number / 3, number - 1);
		for is_over in [false, true] {
			let says = witnesses_say(0, colluding, witnesses, is_over);
			let alone = witnesses == colluding;
			assert!(alone || says != Some(OpeningOutcome::Withheld), "{colluding} of {witnesses}");
		}
	}
}

#[test]
fn nobody_fills_the_table_of_demands_alone() {
	build_and_execute(|| {
		let row = |number: u8| Verifiers::<Test>::get(account(number)).unwrap().demands;
		assert_eq!(row(1), 0);
		// A row for each of the tests' table of two is one a verifier.
		let batch = touched_of(0, EXACT);
		let demand = |check| {
			let drawn = drawn(&batch, 1, check);
			let demand = gridproof_primitives::compute::checks::OpeningDemand {
				verifier: key(1),
				check,
				vrf: draw(&batch, 1),
				batch,
				miner: MINER,
				receipt: Some(drawn),
			};
			let signature = sign(1, &demand.signing_payload(&genesis()));
			Call::demand_opening { demand: Box::new(demand), signature }
		};
		assert_ok!(apply(demand(0)));
		assert_eq!(row(1), 1);
		assert_noop!(dispatch(demand(1), account(60)), Error::<Test>::Full);
		pass(3_600_000);
		let check = Demands::<Test>::iter_keys().next().unwrap();
		assert_ok!(apply(Call::close_demand { check }));
		assert_eq!(row(1), 0);
		assert_ok!(apply(demand(1)));
	});
}

#[test]
fn a_mark_of_a_call_that_was_filtered_does_not_outlive_its_block() {
	build_and_execute(|| {
		Verified::<Test>::put(gridproof_primitives::H256::zero());
		ComputeChecks::on_finalize(1);
		assert!(!Verified::<Test>::exists());
	});
}
