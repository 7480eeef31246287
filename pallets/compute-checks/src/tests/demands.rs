//! Demands of openings.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::{
		channels::{ChannelReceipt, Placed},
		checks::{
			BatchId, CheckId, CheckReport, Figures, OPENED_CHECKS, OpeningDemand, OpeningOutcome,
			Witness, WitnessStatement, figures_commitment,
		},
	},
	num::units::{AIT, MILLI_AIT},
};
use sp_runtime::DispatchError;

const FEE: u128 = 100 * MILLI_AIT;

pub(super) fn demand_of(batch: &BatchId, number: u8, named: bool) -> OpeningDemand {
	OpeningDemand {
		verifier: key(number),
		check: 0,
		vrf: draw(batch, number),
		batch: *batch,
		miner: MINER,
		receipt: named.then(|| drawn(batch, number, 0)),
	}
}

pub(super) fn demand_call(demand: OpeningDemand, number: u8) -> Call<Test> {
	let signature = sign(number, &demand.signing_payload(&genesis()));
	Call::demand_opening { demand: Box::new(demand), signature }
}

/// A verifier demands the opening of its first check.
fn demanded(named: bool) -> (BatchId, CheckId) {
	let batch = touched_of(0, EXACT);
	let demand = demand_of(&batch, 1, named);
	let id = demand.id();
	apply(demand_call(demand, 1)).unwrap();
	(batch, id)
}

pub(super) fn say(of: CheckId, number: u8, says: Witness) -> Result<(), DispatchError> {
	let row = Demands::<Test>::get(of);
	let index = row.and_then(|row| row.receipt).map(|receipt| receipt.index);
	say_of(of, number, index, says)
}

fn say_of(of: CheckId, number: u8, index: Option<u64>, says: Witness) -> Result<(), DispatchError> {
	let statement = WitnessStatement { witness: key(number), of, index, says };
	let signature = sign(number, &statement.signing_payload(&genesis()));
	apply(Call::witness { statement: Box::new(statement), signature })
}

pub(super) fn outcome() -> Option<OpeningOutcome> {
	events().into_iter().find_map(|event| match event {
		Event::DemandEnded { outcome, .. } => Some(outcome),
		_ => None,
	})
}

#[test]
fn demander_and_coordinator_put_in_the_same_fee() {
	build_and_execute(|| {
		let (_, id) = demanded(true);
		assert_eq!(ait(&account(1)), NATIVE - 1_000 * AIT - FEE);
		assert_eq!(ait(&coordinator()), NATIVE - FEE);
		assert_eq!(ait(&EscrowAccount::get()), 2 * FEE);
		let shown = ComputeChecks::demands().remove(0);
		assert_eq!((shown.id, shown.witnesses), (id, (4, 0, 0)));
		assert_eq!(Holds::get().len(), 1);
	});
}

#[test]
fn two_thirds_that_have_it_let_the_check_go_on() {
	build_and_execute(|| {
		let (batch, id) = demanded(true);
		let equal = Figures::Exact { equal: true };
		assert_noop!(report(&batch, 1, equal), Error::<Test>::OpeningDemanded);
		for number in 2..=5 {
			assert_eq!(outcome(), None, "the demander is one of all");
			assert_ok!(say(id, number, Witness::Has));
		}
		assert_eq!(outcome(), Some(OpeningOutcome::Opened));
		assert_eq!((Lost::get(), Punishments::get()), (vec![], vec![]));
		assert_eq!(ait(&account(2)), NATIVE - 1_000 * AIT + 2 * FEE / 4);
		assert_eq!(Holds::get().len(), 1, "until it is reported");
		assert_ok!(report(&batch, 1, equal));
		assert_eq!((Holds::get().len(), Demands::<Test>::count()), (0, 0));
		assert_noop!(say(id, 2, Witness::Has), Error::<Test>::UnknownDemand);
	});
}

/// Four witnesses have the opening that verifier 1 demands; under which number they may report it.
fn opened() -> (BatchId, CheckId, u32) {
	let (batch, id) = demanded(true);
	(2..=5).for_each(|number| say(id, number, Witness::Has).unwrap());
	(batch, id, Demands::<Test>::get(id).unwrap().opened.unwrap())
}

/// A report of the check that fell to verifier 1, by another one.
fn instead(batch: &BatchId, number: u8, check: u32, equal: bool) -> Call<Test> {
	let own = CheckId { batch: *batch, verifier: key(number), check };
	let report = CheckReport {
		verifier: key(number),
		check,
		vrf: draw(batch, number),
		batch: *batch,
		receipt: drawn(batch, 1, 0),
		figures: Figures::Exact { equal },
		commitment: figures_commitment(&own, &own_figures(&[1])),
	};
	report_call(report, number)
}

#[test]
fn a_witness_that_has_the_opening_reports_what_the_drawn_verifier_was_never_shown() {
	build_and_execute(|| {
		let (batch, id, check) = opened();
		assert_eq!(check, OPENED_CHECKS);
		let stranger = instead(&batch, 1, check, false);
		assert_noop!(dispatch(stranger, account(60)), Error::<Test>::NotDrawn);
		let mut other = placed(&batch, 0);
		if other.index == drawn(&batch, 1, 0).index {
			other = placed(&batch, 1);
		}
		let Call::report_check { report: mut elsewhere, .. } = instead(&batch, 2, check, true)
		else {
			panic!("it is a report")
		};
		elsewhere.receipt = other;
		let elsewhere = report_call(*elsewhere, 2);
		assert_noop!(dispatch(elsewhere, account(60)), Error::<Test>::OtherPoint);
		assert_ok!(apply(instead(&batch, 2, check, false)));
		assert_eq!(Disputes::<Test>::count(), 1, "the cheat is accused");
		assert_eq!(Demands::<Test>::count(), 0);
		// It is done, once.
		let again = instead(&batch, 3, check, false);
		assert_noop!(dispatch(again, account(60)), Error::<Test>::NotDrawn);
		let equal = Figures::Exact { equal: true };
		assert_noop!(report(&batch, 1, equal), Error::<Test>::AlreadyDone);
		assert_noop!(say(id, 5, Witness::GotNothing), Error::<Test>::UnknownDemand);
	});
}

#[test]
fn an_opening_that_nobody_reports_is_worth_nothing_to_the_coordinator() {
	build_and_execute(|| {
		let (batch, id, check) = opened();
		// The window of pay ends meanwhile: what is held can be reported all the same.
		All::mutate(|all| all.get_mut(&batch).unwrap().batch.pay_due_ms = Now::get());
		let close = Call::close_demand { check: id };
		assert_noop!(dispatch(close.clone(), account(60)), Error::<Test>::NotYet);
		assert!(authorize(instead(&batch, 3, check, true)).is_ok());
		pass(2 * 3_600_000);
		let late = instead(&batch, 3, check, true);
		assert_noop!(dispatch(late, account(60)), Error::<Test>::TooLate);
		assert_ok!(apply(close));
		assert_eq!((Lost::get(), Punishments::get()), (vec![(batch, 2 * AIT)], vec![]));
		assert_eq!((Holds::get().len(), Opened::<Test>::iter().count()), (0, 0));
	});
}

#[test]
fn a_coordinator_without_anything_for_its_fee_evades_no_check() {
	build_and_execute(|| {
		let rest = ait(&coordinator()) - 1_000;
		Balances::transfer_allow_death(RuntimeOrigin::signed(coordinator()), account(60), rest)
			.unwrap();
		let (batch, id) = demanded(true);
		(2..=5).for_each(|number| say(id, number, Witness::Has).unwrap());
		assert_eq!((Lost::get(), Punishments::get()), (vec![(batch, 2 * AIT)], vec![]));
		assert_eq!(Demands::<Test>::count(), 0);
	});
}

fn name(id: CheckId, receipt: Placed<ChannelReceipt>) -> Call<Test> {
	Call::name_receipt { check: id, receipt: Box::new(receipt) }
}

#[test]
fn a_demand_without_a_name_becomes_one_of_the_receipt_that_anybody_names() {
	build_and_execute(|| {
		let (batch, id) = demanded(false);
		let right = drawn(&batch, 1, 0);
		let place = ComputeChecks::place_of_demand(id).unwrap();
		let before = right.item.miner_before().unwrap().price;
		assert!((before..right.item.sums.miner.price).contains(&place));
		// The list is published: one verifier's lie is not worth everything that waits.
		for number in 2..=5 {
			assert_noop!(say(id, number, Witness::Has), Error::<Test>::NotNamed);
			assert_ok!(say(id, number, Witness::GotNothing));
		}
		assert_eq!(outcome(), None, "anybody can still name it");
		let other = placed(&batch, (usize::try_from(right.index).unwrap() + 1) % 5);
		assert_noop!(dispatch(name(id, other), account(60)), Error::<Test>::OtherPoint);
		pass(3_600_000 - 1);
		assert_ok!(apply(name(id, right.clone())));
		assert_noop!(dispatch(name(id, right), account(60)), Error::<Test>::AlreadyDone);
		assert_eq!(ComputeChecks::place_of_demand(id), None);
		// What was said of the list is not said of the opening, even if another brings it.
		let of_list = say_of(id, 2, None, Witness::GotNothing);
		assert_noop!(of_list, Error::<Test>::OtherPoint);
		pass(3_600_000 - 1);
		for number in 2..=5 {
			assert_ok!(say(id, number, Witness::Has));
		}
		assert_eq!(outcome(), Some(OpeningOutcome::Opened));
		assert_eq!((Taken::get(), Punishments::get()), (vec![], vec![]));
		assert_ok!(report(&batch, 1, Figures::Exact { equal: true }));
	});
}

#[test]
fn an_unpublished_list_and_an_unclear_vote_cost_what_the_check_stands_for() {
	build_and_execute(|| {
		let (batch, id) = demanded(false);
		assert_ok!(say(id, 2, Witness::GotNothing));
		pass(3_600_000);
		assert_noop!(dispatch(name(id, drawn(&batch, 1, 0)), account(60)), Error::<Test>::TooLate);
		assert_ok!(apply(Call::close_demand { check: id }));
		assert_eq!(outcome(), Some(OpeningOutcome::Unclear));
		// V of ten AIT for a price of ten.
		assert_eq!(LostOfLine::get(), [(batch, AIT)]);
		assert_eq!((Taken::get(), Punishments::get()), (vec![], vec![]));
	});
}

#[test]
fn a_verifier_alone_convicts_nobody() {
	build_and_execute(|| {
		(2..=5).for_each(|number| dispatch(Call::leave {}, account(number)).unwrap());
		let batch = touched_of(0, EXACT);
		let demand = demand_of(&batch, 1, true);
		let id = demand.id();
		assert_ok!(apply(demand_call(demand, 1)));
		let close = Call::close_demand { check: id };
		assert_noop!(dispatch(close.clone(), account(60)), Error::<Test>::NotYet);
		pass(3_600_000);
		assert_ok!(apply(close));
		assert!(Punishments::get().is_empty());
		let accuses = report_with(&batch, 1, 1, Figures::Exact { equal: false });
		assert_ok!(apply(report_call(accuses, 1)));
		let dispute = the_dispute();
		pass(3 * 3_600_000);
		assert_ok!(apply(Call::close_dispute { dispute }));
		assert!(Punishments::get().is_empty());
		assert_eq!(bond(1), 1_000 * AIT);
	});
}

#[test]
fn a_party_witnesses_nothing_of_its_own() {
	build_and_execute(|| {
		Parties::set([(COORDINATOR, account(4)), (MINER, account(3))].into());
		let (batch, id) = demanded(false);
		let witnesses = || {
			let row = Demands::<Test>::get(id).unwrap();
			let mut all: Vec<_> = row.witnesses.iter().map(|(one, _)| one.clone()).collect();
			all.sort();
			all
		};
		assert_eq!(witnesses(), [account(2), account(3), account(5)]);
		assert_ok!(apply(name(id, drawn(&batch, 1, 0))));
		assert_eq!(witnesses(), [account(2), account(5)]);
	});
}

#[test]
fn two_thirds_that_got_nothing_convict_the_coordinator() {
	build_and_execute(|| {
		let (batch, id) = demanded(true);
		for number in 2..=4 {
			assert_ok!(say(id, number, Witness::GotNothing));
		}
		assert_eq!(outcome(), Some(OpeningOutcome::Withheld));
		assert_eq!(Lost::get(), [(batch, 2 * AIT)]);
		assert_eq!((Punishments::get(), Taken::get()), (vec![COORDINATOR], vec![]));
	});
}

#[test]
fn a_coordinator_that_has_not_even_published_receipts_loses_all_that_waits() {
	build_and_execute(|| {
		let (_, id) = demanded(false);
		for number in 2..=4 {
			assert_ok!(say(id, number, Witness::GotNothing));
		}
		let close = Call::close_demand { check: id };
		assert_noop!(dispatch(close.clone(), account(60)), Error::<Test>::NotYet);
		pass(3_600_000);
		assert_ok!(apply(close));
		assert_eq!(outcome(), Some(OpeningOutcome::Withheld));
		assert_eq!(Taken::get(), [COORDINATOR]);
		assert_eq!((Punishments::get(), Lost::get()), (vec![COORDINATOR], vec![]));
	});
}

#[test]
fn where_witnesses_do_not_agree_the_receipt_is_forfeited_and_nobody_punished() {
	build_and_execute(|| {
		let (batch, id) = demanded(true);
		assert_ok!(say(id, 2, Witness::Has));
		assert_ok!(say(id, 3, Witness::GotNothing));
		let close = Call::close_demand { check: id };
		assert_noop!(dispatch(close.clone(), account(60)), Error::<Test>::NotYet);
		pass(3_600_000);
		assert_noop!(say(id, 4, Witness::Has), Error::<Test>::TooLate);
		assert_ok!(apply(close.clone()));
		assert_eq!(outcome(), Some(OpeningOutcome::Unclear));
		assert_eq!((Lost::get(), Punishments::get()), (vec![(batch, 2 * AIT)], vec![]));
		assert_eq!(ait(&account(2)), NATIVE - 1_000 * AIT + FEE);
		assert_noop!(dispatch(close, account(60)), Error::<Test>::UnknownDemand);
	});
}

#[test]
fn where_nobody_speaks_the_pot_is_the_treasurys() {
	build_and_execute(|| {
		let (_, id) = demanded(true);
		let before = ait(&TreasuryAccount::get());
		pass(3_600_000);
		assert_ok!(apply(Call::close_demand { check: id }));
		assert_eq!(ait(&TreasuryAccount::get()), before + 2 * FEE);
	});
}

#[test]
fn a_witness_speaks_once_and_never_about_its_own_demand() {
	build_and_execute(|| {
		let (_, id) = demanded(true);
		assert_noop!(say(id, 1, Witness::GotNothing), Error::<Test>::OwnCause);
		assert_noop!(say(id, 9, Witness::GotNothing), Error::<Test>::UnknownVerifier);
		assert_ok!(say(id, 2, Witness::GotNothing));
		assert_noop!(say(id, 2, Witness::Has), Error::<Test>::AlreadyDone);
		let row = Demands::<Test>::get(id).unwrap();
		let index = row.receipt.map(|receipt| receipt.index);
		let statement = WitnessStatement { witness: key(3), of: id, index, says: Witness::Has };
		let signature = sign(2, &statement.signing_payload(&genesis()));
		let call = Call::witness { statement: Box::new(statement), signature };
		assert_noop!(dispatch(call, account(60)), Error::<Test>::BadSignature);
	});
}

#[test]
fn a_check_is_demanded_once_and_only_by_whom_it_fell_to() {
	build_and_execute(|| {
		let (batch, id) = demanded(true);
		pass(3_600_000);
		assert_ok!(apply(Call::close_demand { check: id }));
		let again = demand_call(demand_of(&batch, 1, true), 1);
		assert_noop!(dispatch(again, account(60)), Error::<Test>::AlreadyDone);
		let mut other = demand_of(&batch, 2, true);
		other.check = 2;
		assert_noop!(dispatch(demand_call(other, 2), account(60)), Error::<Test>::NotDrawn);
		let stranger = demand_of(&batch, 2, true);
		assert_noop!(dispatch(demand_call(stranger, 3), account(60)), Error::<Test>::BadSignature);
		assert_ok!(report(&batch, 3, Figures::Exact { equal: true }));
		assert_noop!(
			dispatch(demand_call(demand_of(&batch, 3, true), 3), account(60)),
			Error::<Test>::AlreadyReported
		);
	});
}

#[test]
fn no_more_openings_are_demanded_at_a_time_than_may_be() {
	build_and_execute(|| {
		let (batch, _) = demanded(true);
		assert_ok!(apply(demand_call(demand_of(&batch, 2, true), 2)));
		assert_noop!(
			dispatch(demand_call(demand_of(&batch, 3, true), 3), account(60)),
			Error::<Test>::Full
		);
	});
}

#[test]
fn a_coordinator_that_shows_nothing_at_a_first_request_pays_for_each_check_and_hides_none() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		for number in 1..=5 {
			let demand = demand_of(&batch, number, true);
			let id = demand.id();
			assert_ok!(apply(demand_call(demand, number)));
			// What is demanded it shows, to witnesses and to who demanded it.
			for witness in (1..=5).filter(|witness| *witness != number) {
				assert_ok!(say(id, witness, Witness::Has));
			}
			assert_ok!(report(&batch, number, Figures::Exact { equal: true }));
		}
		assert_eq!(ait(&coordinator()), NATIVE - 5 * FEE);
		// Each puts in one fee, and has a quarter of two of them four times.
		for number in 1..=5 {
			assert_eq!(ait(&account(number)), NATIVE - 1_000 * AIT + FEE);
		}
		assert_eq!(ComputeChecks::batch(batch).unwrap().reports, 5);
		assert_eq!((Demands::<Test>::count(), Holds::get().len()), (0, 0));
		assert_eq!((Lost::get(), Punishments::get()), (vec![], vec![]));
	});
}

#[test]
fn who_cries_no_opening_of_what_all_others_have_loses_its_fee_and_the_check() {
	build_and_execute(|| {
		let (batch, _, check) = opened();
		assert_ok!(apply(instead(&batch, 2, check, true)));
		assert_eq!(ait(&account(1)), NATIVE - 1_000 * AIT - FEE);
		assert_eq!(ait(&coordinator()), NATIVE - FEE, "as much as it costs the coordinator");
		for number in 2..=5 {
			assert_eq!(ait(&account(number)), NATIVE - 1_000 * AIT + FEE / 2);
		}
		assert_eq!((Lost::get(), Punishments::get()), (vec![], vec![]));
		let again = demand_call(demand_of(&batch, 1, true), 1);
		assert_noop!(dispatch(again, account(60)), Error::<Test>::AlreadyDone);
		// Who has done it is paid for it.
		All::mutate(|all| all.remove(&batch));
		pass(2 * 3_600_000);
		assert_ok!(apply(Call::settle_checks { batch }));
		let day = Now::get() / 86_400_000;
		assert_eq!(Days::<Test>::get(day).to_vec(), [(account(2), 1)]);
	});
}
