//! Receipts that are demanded on chain.

use super::{books::*, evidence::*};
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::{
		PriceAsset,
		channels::{
			ChannelId, ChannelOffence, ChannelReceipt, ChannelTerms, Demanded, SettlementHeader,
		},
	},
	num::units::AIT,
};

/// A channel with one receipt of a miner that nobody has settled, and whose time has passed.
fn left_out(price: u128) -> (ChannelId, Books, ChannelReceipt) {
	let channel = open_channel(IN_AIT);
	let mut books = Books::of(COORDINATOR);
	let receipt = completed(&mut books, channel, MINER, price);
	pass(60_001);
	(channel, books, receipt)
}

/// A receipt that was settled in time, and the batch that settled it.
fn counted() -> (SettlementHeader, Vec<ChannelReceipt>) {
	let channel = open_channel(IN_AIT);
	let mut books = Books::of(COORDINATOR);
	for price in [3 * AIT, 2 * AIT, AIT] {
		books.work(channel, Some(MINER), price, 7);
	}
	let (batch, receipts) = settled(&mut books);
	pass(60_001);
	(batch.header, receipts)
}

#[test]
fn a_receipt_that_is_left_out_is_demanded_and_its_miner_paid_out_of_the_bond() {
	build_and_execute(|| {
		let (channel, _, receipt) = left_out(4 * AIT);
		let (before, worth_before) = (ait(&account(MINER)), worth(COORDINATOR));
		System::reset_events();
		assert_ok!(demand_as(8, receipt));
		let id = ComputeReceipts::demand_id(&receipt);
		let due_ms = Now::get() + ANSWER_MS;
		let demanded = Event::ReceiptDemanded {
			coordinator: key(COORDINATOR),
			id,
			channel,
			number: 1,
			who: account(8),
			demanded: Demanded::Unsettled,
			due_ms,
		};
		assert_eq!(events(), [demanded]);
		let view = ComputeReceipts::demands(key(COORDINATOR), 9);
		assert_eq!(
			(view.len(), view[0].id, view[0].due_ms, view[0].deposit),
			(1, id, due_ms, ANSWER)
		);
		let asked = ait(&account(8));
		pass(ANSWER_MS - 1);
		assert_noop!(lapse(&receipt), Error::<Test>::NothingDue);
		pass(1);
		System::reset_events();
		assert_ok!(lapse(&receipt));
		let back = Event::GivenBack {
			coordinator: key(COORDINATOR),
			to: account(MINER),
			asset: PriceAsset::Ait,
			owed: 3 * AIT,
			amount: 3 * AIT,
		};
		let unanswered = Event::DemandUnanswered {
			coordinator: key(COORDINATOR),
			id,
			counts: true,
			offences: 1,
			banned_until_ms: 0,
			slash: SLASH,
		};
		assert_eq!(events(), [back, unanswered]);
		assert_eq!(ait(&account(MINER)), before + 3 * AIT);
		assert_eq!(worth(COORDINATOR), worth_before - SLASH - 3 * AIT);
		// The deposit for the row stays with what is remembered of the offence.
		assert_eq!(ait(&account(8)), asked + ANSWER);
		assert_eq!(Facts::<Test>::get(channel, 1).unwrap().deposit, REPORT_DEPOSIT);
		assert_noop!(lapse(&receipt), Error::<Test>::UnknownDemand);
		assert_noop!(demand_as(8, receipt), Error::<Test>::AlreadyReported);
		assert_eq!(on_hold(HoldReason::Bond, &account(COORDINATOR)), 997 * AIT);
	});
}

#[test]
fn who_settles_late_and_shows_it_has_answered_and_earns_nothing() {
	build_and_execute(|| {
		let (_, mut books, receipt) = left_out(4 * AIT);
		let before = ait(&account(8));
		assert_ok!(demand_as(8, receipt));
		assert_noop!(demand_as(7, receipt), Error::<Test>::AlreadyDemanded);
		let (batch, receipts) = settled(&mut books);
		let coordinator = ait(&account(COORDINATOR));
		assert_ok!(answer(place_of(&receipts, &receipt), &[batch.header]));
		assert_eq!(ait(&account(8)), before);
		assert_eq!(ait(&account(COORDINATOR)), coordinator);
		let paid = account(8);
		let (id, coordinator) = (ComputeReceipts::demand_id(&receipt), key(COORDINATOR));
		let answered = Event::DemandAnswered { coordinator, id, sequence: 0, paid };
		assert_eq!(events().last(), Some(&answered));
		pass(ANSWER_MS);
		assert_noop!(lapse(&receipt), Error::<Test>::UnknownDemand);
		assert_eq!(Parties::<Test>::get(key(COORDINATOR)).unwrap().offences.len(), 0);
	});
}

#[test]
fn who_asks_for_what_was_settled_in_time_pays_the_answer() {
	build_and_execute(|| {
		let (header, receipts) = counted();
		let before = ait(&account(8));
		assert_ok!(demand_as(8, receipts[1]));
		let coordinator = ait(&account(COORDINATOR));
		let of_two = [placed(&receipts, 0), placed(&receipts, 2)];
		for other in of_two {
			assert_noop!(answer(other, &[header]), Error::<Test>::UnknownDemand);
		}
		let mut moved = placed(&receipts, 1);
		moved.index = 0;
		assert_noop!(answer(moved, &[header]), Error::<Test>::NotInBatch);
		let right = placed(&receipts, 1);
		assert_noop!(answer(right.clone(), &[]), Error::<Test>::UnknownHeader);
		let forged = SettlementHeader { time_ms: header.time_ms + 1, ..header };
		assert_noop!(answer(right.clone(), &[forged]), Error::<Test>::UnknownHeader);
		assert_ok!(answer(right, &[header]));
		assert_eq!(ait(&account(8)), before - ANSWER);
		assert_eq!(ait(&account(COORDINATOR)), coordinator + ANSWER);
	});
}

#[test]
fn an_answer_comes_in_time_or_not_at_all() {
	build_and_execute(|| {
		let (header, receipts) = counted();
		assert_ok!(demand_as(8, receipts[0]));
		pass(ANSWER_MS);
		let late = answer(placed(&receipts, 0), &[header]);
		assert_noop!(late, Error::<Test>::DemandTooLate);
		assert_ok!(lapse(&receipts[0]));
	});
}

#[test]
fn only_sound_receipts_past_their_time_are_demanded() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipt = completed(&mut books, channel, MINER, AIT);
		pass(60_000);
		assert_noop!(demand_as(8, receipt), Error::<Test>::ReceiptNotDue);
		pass(1);
		let mut other = receipt;
		other.receipt.price += 1;
		assert_noop!(demand_as(8, other), Error::<Test>::ReceiptUnsound);
		let mut other = receipt;
		other.sums.kind = PRIVATE;
		assert_noop!(demand_as(8, other), Error::<Test>::ReceiptUnsound);
		let signature = sign(MINER, &receipt.coordinator_payload(&genesis()));
		let call = Call::demand_receipt { receipt: Box::new(receipt), signature };
		assert_noop!(dispatch(call, account(8)), Error::<Test>::BadSignature);
		let poor = sp_runtime::TokenError::FundsUnavailable;
		assert_noop!(demand_as(150, receipt), poor);
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		assert_noop!(demand_as(8, receipt), Error::<Test>::Stopped);
	});
}

#[test]
fn what_was_settled_is_demanded_for_a_week_and_what_was_not_for_as_long_as_it_can_be() {
	build_and_execute(|| {
		let (_, receipts) = counted();
		let (channel, _, receipt) = left_out(AIT);
		pass(DEMAND_WINDOW_MS);
		assert_noop!(demand_as(8, receipts[0]), Error::<Test>::DemandTooLate);
		// The coordinator must have all of its time before the channel ends.
		assert_ok!(close_as(9, channel));
		pass(NOTICE_MS - ANSWER_MS - SPACING_MS);
		assert_ok!(demand_as(8, receipt));
		pass(ANSWER_MS);
		assert_ok!(lapse(&receipt));
		let (channel, _, receipt) = left_out(AIT);
		assert_ok!(close_as(9, channel));
		pass(NOTICE_MS - ANSWER_MS - SPACING_MS + 1);
		assert_noop!(demand_as(8, receipt), Error::<Test>::DemandTooLate);
		pass(NOTICE_MS);
		assert_ok!(give_back(&[channel]));
		assert_noop!(demand_as(8, receipt), Error::<Test>::DemandTooLate);
	});
}

#[test]
fn the_time_to_answer_stands_still_while_settlement_is_stopped() {
	build_and_execute(|| {
		let (_, mut books, receipt) = left_out(AIT);
		assert_ok!(demand_as(8, receipt));
		pass(ANSWER_MS - 1);
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		pass(10 * DAY_MS);
		assert_noop!(lapse(&receipt), Error::<Test>::NothingDue);
		let call = Call::set_breaker { new: Breaker::Closed };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		let (batch, receipts) = settled(&mut books);
		assert_ok!(answer(place_of(&receipts, &receipt), &[batch.header]));
	});
}

#[test]
fn thirty_two_headers_prove_any_batch_of_three_weeks() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let (mut headers, mut all) = (vec![], vec![]);
		for _ in 0..70 {
			books.work(channel, Some(MINER), 1_000, 7);
			let (batch, receipts) = settled(&mut books);
			headers.insert(0, batch.header);
			all.push(receipts);
			pass(SPACING_MS);
		}
		pass(60_001);
		let newest_first = |from: usize, to: usize| headers[69 - to..=69 - from].to_vec();
		let show = |sequence: usize, to: usize| {
			let receipts = &all[sequence];
			answer(placed(receipts, 0), &newest_first(sequence, to))
		};
		for sequence in [0, 31, 32, 69, 64, 40] {
			assert_ok!(demand_as(8, all[sequence][0]));
		}
		// From the mark of its group, or the last header in the group that is not full.
		assert_noop!(show(0, 30), Error::<Test>::UnknownHeader);
		assert_ok!(show(0, 31));
		assert_ok!(show(31, 31));
		assert_ok!(show(32, 63));
		assert_noop!(show(40, 62), Error::<Test>::UnknownHeader);
		assert_ok!(show(40, 63));
		assert_noop!(show(64, 68), Error::<Test>::UnknownHeader);
		assert_ok!(show(64, 69));
		assert_ok!(show(69, 69));
		assert_eq!(Marks::<Test>::iter().count(), 2);
		// Three weeks later the next full group forgets what is too old.
		pass(MARK_MEMORY_MS);
		for _ in 70..96 {
			books.work(channel, Some(MINER), 1_000, 7);
			settled(&mut books);
			pass(SPACING_MS);
		}
		let groups: Vec<_> = Marks::<Test>::iter().map(|(_, group, _)| group).collect();
		assert_eq!(groups, [2]);
	});
}

#[test]
fn strangers_fill_no_place_of_the_client_or_the_miner() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipts: Vec<_> =
			(0..100).map(|_| completed(&mut books, channel, MINER, 1_000)).collect();
		pass(60_001);
		let mut left = receipts.iter();
		let mut next = || *left.next().unwrap();
		for who in [4, 5] {
			for _ in 0..MAX_DEMANDS {
				assert_ok!(demand_as(who, next()));
			}
		}
		let full = Error::<Test>::MaxDemandsExceeded;
		let refused = next();
		assert_noop!(demand_as(4, refused), full);
		assert_noop!(demand_as(6, refused), Error::<Test>::MaxDemandsExceeded);
		assert_ok!(demand_as(9, refused));
		assert_ok!(demand_as(MINER, next()));
		for _ in 1..MAX_DEMANDS {
			assert_ok!(demand_as(9, next()));
		}
		assert_noop!(demand_as(9, next()), Error::<Test>::MaxDemandsExceeded);
		// What is closed frees its place.
		pass(ANSWER_MS);
		assert_ok!(lapse(&receipts[0]));
		assert_ok!(demand_as(6, next()));
	});
}

#[test]
fn demands_that_were_open_together_are_one_absence() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipts: Vec<_> =
			(0..5).map(|_| completed(&mut books, channel, MINER, 4 * AIT)).collect();
		pass(60_001);
		for receipt in &receipts[..4] {
			assert_ok!(demand_as(8, *receipt));
		}
		pass(ANSWER_MS);
		let before = ait(&account(MINER));
		for receipt in &receipts[..3] {
			assert_ok!(lapse(receipt));
		}
		assert_eq!(ait(&account(MINER)), before + 9 * AIT, "all of them give back");
		let party = || Parties::<Test>::get(key(COORDINATOR)).unwrap();
		assert_eq!((party().offences.len(), party().pending_slash()), (1, SLASH));
		// Asked again, it was there again.
		assert_ok!(demand_as(8, receipts[4]));
		pass(ANSWER_MS);
		assert_ok!(lapse(&receipts[3]));
		assert_eq!(party().offences.len(), 1);
		assert_ok!(lapse(&receipts[4]));
		assert_eq!(party().offences.len(), 2);
	});
}

#[test]
fn an_absence_gives_miners_no_more_than_it_costs() {
	build_and_execute(|| {
		let channel = open_as(9, ChannelTerms { deposit: 900 * AIT, ..terms(IN_AIT) }).unwrap();
		let mut books = Books::of(COORDINATOR);
		let receipts: Vec<_> =
			(0..3).map(|_| completed(&mut books, channel, MINER, 80 * AIT)).collect();
		pass(60_001);
		for receipt in &receipts {
			assert_ok!(demand_as(8, *receipt));
		}
		pass(ANSWER_MS);
		let before = ait(&account(MINER));
		for (receipt, given) in receipts.iter().zip([60, 100, 100]) {
			assert_ok!(lapse(receipt));
			assert_eq!(ait(&account(MINER)), before + given * AIT);
		}
		let party = Parties::<Test>::get(key(COORDINATOR)).unwrap();
		assert_eq!((party.bond, party.pending_slash()), (900 * AIT, SLASH));
	});
}

#[test]
fn who_is_banned_cannot_settle_and_is_not_punished_for_that() {
	build_and_execute(|| {
		let (_, _, receipt) = left_out(4 * AIT);
		assert_ok!(demand_as(8, receipt));
		let until_ms = Now::get() + 2 * ANSWER_MS;
		let call = Call::ban { key: key(COORDINATOR), until_ms };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		pass(ANSWER_MS);
		assert_ok!(lapse(&receipt));
		let party = Parties::<Test>::get(key(COORDINATOR)).unwrap();
		assert_eq!((party.offences.len(), party.pending_slash()), (0, 0));
	});
}

#[test]
fn work_of_one_miner_settled_as_anothers_gives_the_first_its_share() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipt = completed(&mut books, channel, MINER, 4 * AIT);
		// The coordinator settles the count with the other miner's line instead.
		let mut other = Books::of(COORDINATOR);
		other.work(channel, Some(CPU_MINER), 4 * AIT, 7);
		settled(&mut other);
		pass(60_001);
		assert_ok!(demand_as(MINER, receipt));
		pass(ANSWER_MS);
		let before = ait(&account(MINER));
		assert_ok!(lapse(&receipt));
		// Its share, its deposit, and the deposit for the row stays.
		assert_eq!(ait(&account(MINER)), before + 3 * AIT + ANSWER);
	});
}

#[test]
fn a_count_that_is_settled_and_not_shown_gives_the_client_its_price() {
	build_and_execute(|| {
		let (_, receipts) = counted();
		assert_ok!(demand_as(8, receipts[0]));
		pass(ANSWER_MS);
		let before = ait(&client());
		assert_ok!(lapse(&receipts[0]));
		assert_eq!(ait(&client()), before + 3 * AIT);
		assert_eq!(GivenBackOf::<Test>::get(1), 3 * AIT);
		let fact = Facts::<Test>::get(1, 1).unwrap();
		assert_eq!(
			(fact.kinds.to_vec(), fact.to_client),
			(vec![ChannelOffence::Unanswered], 3 * AIT)
		);
	});
}

#[test]
fn nobody_takes_a_bond_home_while_a_demand_is_open() {
	build_and_execute(|| {
		let (_, _, receipt) = left_out(AIT);
		let leave = Call::leave { key: key(COORDINATOR) };
		assert_ok!(dispatch(leave, account(COORDINATOR)));
		pass(7 * DAY_MS);
		assert_ok!(demand_as(8, receipt));
		let withdraw = || Call::withdraw { key: key(COORDINATOR) };
		assert_noop!(dispatch(withdraw(), account(COORDINATOR)), Error::<Test>::NotYet);
		pass(ANSWER_MS);
		assert_ok!(lapse(&receipt));
		pass(HOUR_MS);
		assert_ok!(dispatch(withdraw(), account(COORDINATOR)));
	});
}
