//! What a cheat would try that no other file has: orders of a block, copies, a third of all verifiers.

use super::demands::{demand_call, demand_of, outcome, say};
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use gridproof_primitives::{
	H256,
	compute::checks::{
		Figures, OpeningOutcome, Verdict, Votes, Witness, figures_commitment, key_payload,
	},
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
	use gridproof_primitives::compute::checks::witnesses_say;
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
		Verified::<Test>::put(H256::zero());
		ComputeChecks::on_finalize(1);
		assert!(!Verified::<Test>::exists());
	});
}

/// Jurors commit, reveal, and the dispute is closed at once.
fn judge(dispute: H256, guilty: &[u8], not_guilty: &[u8]) {
	let votes = [(guilty, true), (not_guilty, false)];
	let verdict = |guilty| Verdict { guilty, invented: None };
	for (jurors, guilty) in votes {
		commit(dispute, jurors, verdict(guilty));
	}
	for (jurors, guilty) in votes {
		for number in jurors {
			assert_ok!(apply(reveal_call(dispute, *number, verdict(guilty))));
		}
	}
	assert_ok!(apply(Call::close_dispute { dispute }));
}

#[test]
fn two_of_six_that_collude_save_no_cheat_and_ruin_nobody_honest() {
	build_and_execute(|| {
		assert_ok!(govern(Call::admit_verifier { account: account(6) }));
		let proof = sign(6, &key_payload(&genesis(), &account(6).into()));
		assert_ok!(dispatch(Call::register_verifier { key: key(6), proof }, account(6)));
		pass(3_600_000);
		let unequal = Figures::Exact { equal: false };
		// 5 and 6 belong together, and to the cheat that verifier 1 has found.
		let cheated = touched_of(0, EXACT);
		assert_ok!(report(&cheated, 1, unequal));
		judge(the_dispute(), &[2, 3, 4], &[5, 6]);
		assert_eq!((Punishments::get(), Lost::get()), (vec![MINER], vec![(cheated, 2 * AIT)]));
		// One of them accuses honest work.
		let honest = touched_of(1, EXACT);
		assert_ok!(report(&honest, 5, unequal));
		judge(the_dispute(), &[6], &[1, 2, 3, 4]);
		assert_eq!((Punishments::get(), Lost::get().len()), (vec![MINER], 1), "nobody more");
		assert_eq!(
			(1..=6).map(bond).collect::<Vec<_>>(),
			[1_000, 1_000, 1_000, 1_000, 900, 1_000].map(|bond| bond * AIT)
		);
		// They say of an opening that is shown that they got nothing.
		let shown = touched_of(2, EXACT);
		let demand = demand_of(&shown, 5, true);
		let id = demand.id();
		assert_ok!(apply(demand_call(demand, 5)));
		assert_ok!(say(id, 6, Witness::GotNothing));
		for number in 1..=4 {
			assert_eq!(outcome(), None, "before verifier {number} has spoken");
			assert_ok!(say(id, number, Witness::Has));
		}
		assert_eq!(outcome(), Some(OpeningOutcome::Opened));
		assert_eq!((Punishments::get(), Lost::get().len()), (vec![MINER], 1));
	});
}
