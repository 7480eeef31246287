//! What waits, how long, and who gets it then.

use super::*;
use frame_support::{assert_noop, assert_ok};

#[test]
fn only_the_treasury_is_paid_at_once_and_the_others_after_the_window() {
	with_window(|| {
		let who = [MINER, COORDINATOR, 200, 201];
		let has = || who.map(|who| ait(&account(who)));
		let channel = open_channel(IN_AIT);
		let before = has();
		settle_for(IN_AIT, &[(channel, (MINER, 50 * AIT, 100))], &[MINER]);
		let [miner, coordinator, treasury, escrow] = has();
		assert_eq!((miner, coordinator), (before[0], before[1] - 2 * FEE));
		assert_eq!((treasury, escrow), (before[2] + 10 * AIT + 2 * FEE, before[3] - 10 * AIT));
		assert_eq!(WaitingTotals::<Test>::get(), WaitingSums { ait: 40 * AIT, aicp: 0 });
		assert_eq!(ComputeReceipts::channel(channel).unwrap().left, 50 * AIT);
		let waits = Event::BatchWaits {
			coordinator: key(COORDINATOR),
			sequence: 0,
			amount: 40 * AIT,
			pay_due_ms: Now::get() + WINDOW_MS,
		};
		assert!(events().contains(&waits));
		for part in [line(0, MINER), own(0)] {
			assert_noop!(release(&[part]), Error::<Test>::NothingDue);
		}
		pass(WINDOW_MS - 1);
		for part in [line(0, MINER), own(0)] {
			assert_noop!(release(&[part]), Error::<Test>::NothingDue);
		}
		pass(1);
		assert_ok!(release(&[own(0), line(0, MINER)]));
		assert_eq!(ait(&account(MINER)), before[0] + 75 * AIT / 2);
		assert_eq!(ait(&account(COORDINATOR)), before[1] - 2 * FEE + 5 * AIT / 2);
		assert_eq!(ait(&account(201)), before[3] - 50 * AIT);
		nothing_waits();
		assert_noop!(release(&[own(0)]), Error::<Test>::NotWaiting);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NotWaiting);
	});
}

#[test]
fn a_batch_that_nobody_touched_does_not_mature() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		Drawn::set(false);
		pass(WINDOW_MS);
		for part in [line(0, MINER), own(0)] {
			assert_noop!(release(&[part]), Error::<Test>::NothingDue);
		}
		Drawn::set(true);
		assert_ok!(release(&[own(0), line(0, MINER)]));
	});
}

#[test]
fn claims_count_in_the_step_of_the_settlement_and_mint_after_the_window() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		let claim = claim_for(100);
		let running = Running::<Test>::get();
		assert_eq!((running.claims, running.parties), (claim, 2));
		next_step();
		// Another's claim in a later step: the first one is closed, and waits for both.
		deliver(1, CPU_MINER);
		assert_eq!(Steps::<Test>::get(0).map(|step| step.parties), Some(2));
		assert_noop!(pay(&[MINER]), Error::<Test>::NothingDue);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER)]));
		assert_eq!(Steps::<Test>::get(0), None);
		// The coordinator's part of the job's step is accrued when it next earns or claims.
		assert_eq!((accrued(MINER), accrued(COORDINATOR)), (claim * 75 / 100, claim * 5 / 100));
		let released = Event::WaitingReleased {
			part: line(0, MINER),
			pay: 75 * AIT / 2,
			is_taken: false,
			mint: claim * 75 / 100,
			coordinator_mint: claim * 5 / 100,
		};
		assert!(events().contains(&released));
		let before = ait(&account(MINER));
		assert_ok!(pay(&[MINER]));
		assert_eq!(ait(&account(MINER)), before + claim * 75 / 100);
		assert_ok!(release(&[own(0)]));
		nothing_waits();
	});
}

#[test]
fn a_claim_waits_for_the_end_of_its_step_if_the_window_is_shorter() {
	build_and_execute(|| {
		set_window(1_000);
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		pass(1_000);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		assert_eq!(WaitingTotals::<Test>::get(), WaitingSums::default());
		next_step();
		assert_ok!(release(&[line(0, MINER)]));
		assert_eq!(accrued(MINER), claim_for(100) * 75 / 100);
		nothing_waits();
	});
}

#[test]
fn pay_in_aicp_waits_in_aicp() {
	with_window(|| {
		let channel = open_channel(IN_AICP);
		settle_for(IN_AICP, &[(channel, (MINER, 1_000_000, 1))], &[MINER]);
		assert_eq!(WaitingTotals::<Test>::get(), WaitingSums { ait: 0, aicp: 800_000 });
		assert_eq!(aicp(&account(200)), 200_000);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_eq!([MINER, COORDINATOR].map(|who| aicp(&account(who))), [750_000, 50_000]);
		nothing_waits();
	});
}

#[test]
fn both_windows_stand_still_while_settlement_is_stopped() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		wait(WINDOW_MS - 1);
		stop(Breaker::AllStopped);
		wait(3 * DAY_MS);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		stop(Breaker::Closed);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		wait(1);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_eq!(accrued(MINER), claim_for(100) * 75 / 100);
		nothing_waits();
	});
}

#[test]
fn while_verifiers_are_missing_the_mint_waits_on_and_pay_does_not() {
	with_window(|| {
		let before = ait(&account(MINER));
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		wait(WINDOW_MS - 5);
		mint_still(true);
		mint_still(true);
		wait(5);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_eq!(ait(&account(MINER)), before + 75 * AIT / 2);
		assert_eq!(accrued(MINER), 0);
		wait(30 * DAY_MS);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		mint_still(false);
		wait(4);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		wait(1);
		assert_ok!(release(&[line(0, MINER)]));
		assert_eq!(accrued(MINER), claim_for(100) * 75 / 100);
		nothing_waits();
		let still = |still| Event::<Test>::MintWindowStill { still };
		let reported =
			events().into_iter().filter(|event| matches!(event, Event::MintWindowStill { .. }));
		assert_eq!(reported.collect::<Vec<_>>(), [still(true), still(false)]);
	});
}

#[test]
fn a_batch_keeps_the_window_that_it_was_settled_with() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		set_window(0);
		let before = ait(&account(MINER));
		// From now on nothing waits.
		settle_one(9, &[(MINER, 4 * AIT, 100)], &[]);
		assert_eq!(ait(&account(MINER)), before + 3 * AIT);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_eq!(ait(&account(MINER)), before + 3 * AIT + 75 * AIT / 2);
		nothing_waits();
	});
}

#[test]
fn a_batch_that_nobody_is_paid_for_leaves_nothing_waiting() {
	with_window(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, None, 0, 0);
		settle(&books.batch(IN_AIT, &[]));
		nothing_waits();
		// A line of price zero waits for its signature only, which would claim nothing.
		pass(SPACING_MS);
		books.work(channel, Some(MINER), 0, 10);
		settle(&books.batch(IN_AIT, &[]));
		assert_ok!(release(&[line(1, MINER)]));
		nothing_waits();
	});
}

#[test]
fn a_release_names_each_part_once_and_moves_something_of_each() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		pass(WINDOW_MS);
		assert_noop!(release(&[]), Error::<Test>::InvalidList);
		assert_noop!(release(&[own(0), own(0)]), Error::<Test>::InvalidList);
		assert_noop!(release(&[own(0), own(1)]), Error::<Test>::NotWaiting);
		assert_noop!(release(&[own(0), line(0, CPU_MINER)]), Error::<Test>::NotWaiting);
		assert_ok!(release(&[own(0)]));
		assert_noop!(release(&[own(0), line(0, MINER)]), Error::<Test>::NothingDue);
		// The last part of a batch takes its row with it.
		assert_noop!(release(&[line(0, MINER), own(0)]), Error::<Test>::NotWaiting);
		assert_ok!(release(&[line(0, MINER)]));
	});
}

#[test]
fn what_a_batch_gave_up_is_a_place_without_a_receipt() {
	with_window(|| {
		let (ended, other) = (open_channel(IN_AIT), open_channel(IN_AIT));
		let mut books = Books::of(COORDINATOR);
		books.work(ended, Some(MINER), 1_000, 1);
		books.work(other, Some(MINER), 2_000, 1);
		books.work(other, Some(CPU_MINER), 4_000, 1);
		dispatch(Call::close_channel { channel: ended }, client()).unwrap();
		pass(NOTICE_MS);
		books.ended.insert(ended);
		settle(&books.batch(IN_AIT, &[]));
		let ranges = <ComputeReceipts as Waiting<_>>::given_up(&batch(0));
		let shown = ranges.iter().map(|one| (one.miner, one.from.price, one.to.price));
		assert_eq!(shown.collect::<Vec<_>>(), [(Some(key(MINER)), 0, 1_000)]);
		assert_eq!(WaitingTotals::<Test>::get().ait, 6_000 * 4 / 5);
		let row = ComputeReceipts::waiting_batch(batch(0)).unwrap();
		assert_eq!((row.sums.price, row.lines), (7_000, 2));
	});
}
