//! Demands of openings.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::checks::{
		BatchId, CheckId, Figures, OpeningDemand, OpeningOutcome, Witness, WitnessStatement,
	},
	num::units::{AIT, MILLI_AIT},
};
use sp_runtime::DispatchError;

const FEE: u128 = 100 * MILLI_AIT;

fn demand_of(batch: &BatchId, number: u8, named: bool) -> OpeningDemand {
	OpeningDemand {
		verifier: key(number),
		check: 0,
		vrf: draw(batch, number),
		batch: *batch,
		miner: MINER,
		receipt: named.then(|| drawn(batch, number, 0)),
	}
}

fn demand_call(demand: OpeningDemand, number: u8) -> Call<Test> {
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

fn say(of: CheckId, number: u8, says: Witness) -> Result<(), DispatchError> {
	let statement = WitnessStatement { witness: key(number), of, says };
	let signature = sign(number, &statement.signing_payload(&genesis()));
	apply(Call::witness { statement: Box::new(statement), signature })
}

fn outcome() -> Option<OpeningOutcome> {
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
		for number in 2..=4 {
			assert_eq!(outcome(), None);
			assert_ok!(say(id, number, Witness::Has));
		}
		assert_eq!(outcome(), Some(OpeningOutcome::Opened));
		assert_eq!((Lost::get(), Punishments::get(), Holds::get()), (vec![], vec![], vec![]));
		let part = 2 * FEE / 3;
		assert_eq!(ait(&account(2)), NATIVE - 1_000 * AIT + part);
		assert_eq!(ait(&account(5)), NATIVE - 1_000 * AIT, "who did not speak has nothing");
		assert_ok!(report(&batch, 1, equal));
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
		let statement = WitnessStatement { witness: key(3), of: id, says: Witness::Has };
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
