//! What waits, as it is shown.

use super::*;
use frame_support::assert_ok;
use gridproof_primitives::{
	compute::{
		AitPerAicp, PriceAsset,
		channels::Mode,
		checks::{OtherLine, WaitingView},
	},
	num::units::AICP,
};

#[test]
fn a_batch_and_its_lines_are_shown_to_who_checks() {
	with_window(|| {
		let channels = two_clients();
		let row = ComputeReceipts::waiting_batch(batch(0)).unwrap();
		let of_cpu = claim_for(100) * 3 / 10;
		assert_eq!((row.kind, row.sums.price, row.worth), (IN_AIT, 40 * AIT, 40 * AIT));
		assert_eq!((row.claim, row.lines, row.block), (claim_for(300) + of_cpu, 2, 1));
		assert_eq!(row.registered, key(COORDINATOR));
		assert_eq!(row.pay_due_ms, Now::get() + WINDOW_MS);
		assert_eq!(row.mint_due_ms, row.pay_due_ms);
		// In the order of their keys, each point of the price is in one line.
		let lines = [MINER, CPU_MINER]
			.map(|miner| ComputeReceipts::waiting_line(batch(0), key(miner)).unwrap());
		let first = usize::from(key(CPU_MINER) < key(MINER));
		let [one, other] = [lines[first], lines[1 - first]];
		let end = one.line.price().unwrap();
		assert_eq!((one.before, other.before), (0, end));
		assert_eq!((one.place(0), one.place(end - 1)), (Some(0), Some(end - 1)));
		assert_eq!((one.place(end), other.place(end - 1)), (None, None));
		let last = 40 * AIT - 1;
		assert_eq!((other.place(end), other.place(last)), (Some(0), Some(last - end)));
		assert_eq!(other.place(last + 1), None);
		let paid = ComputeReceipts::waiting_channels(batch(0));
		let prices: Vec<_> = paid.iter().map(|one| (one.channel, one.price)).collect();
		assert_eq!(prices, [(channels[0], 30 * AIT), (channels[1], 10 * AIT)]);
		assert_eq!(ComputeReceipts::waiting_batch(batch(1)), None);
	});
}

#[test]
fn work_in_aicp_is_drawn_by_the_whole_of_the_rate_that_was_stated_last() {
	with_window(|| {
		let made = ChannelTerms { deposit: 2 * AICP, ..terms(IN_AICP) };
		let mut settled = 0;
		let mut worth = || {
			let channel = open_as(9, made).unwrap();
			settle_for(IN_AICP, &[(channel, (MINER, AICP, 100))], &[]);
			settled += 1;
			ComputeReceipts::waiting_batch(batch(settled - 1)).unwrap().worth
		};
		assert_eq!(worth(), AIT, "one to one, where none was ever stated");
		let state = |new, origin| dispatch_as(Call::set_reference_rate { new }, origin);
		let rate = |ait| Some(AitPerAicp { ait, aicp: 1 });
		assert_ok!(state(rate(4), RuntimeOrigin::root()));
		assert_eq!(worth(), 4 * AIT, "and not half of it");
		// What an emergency lowers or ends mints less, and is checked as before.
		assert_ok!(state(None, RuntimeOrigin::root()));
		assert_eq!(worth(), 4 * AIT);
	});
}

#[test]
fn a_jury_looks_at_lines_of_ordinary_batches_by_what_they_are_worth() {
	with_window(|| {
		let aicp = open_as(9, ChannelTerms { deposit: 20 * AICP, ..terms(IN_AICP) }).unwrap();
		settle_for(IN_AICP, &[(aicp, (MINER, 2 * AICP, 100))], &[]);
		let hidden = BatchKind { mode: Mode::Private, ..IN_AIT };
		let private = ChannelTerms { kind: hidden, ..large(900 * AIT) };
		let private = open_as(9, private).unwrap();
		settle_for(hidden, &[(private, (MINER, 500 * AIT, 100))], &[]);
		settle_one(9, &[(MINER, 3 * AIT, 100)], &[]);
		let mut lines = <ComputeReceipts as Waiting<_>>::lines_of(&key(MINER), 32);
		lines.sort();
		let line = |sequence, price, worth| OtherLine { batch: batch(sequence), price, worth };
		assert_eq!(lines, [line(0, 2 * AICP, 2 * AIT), line(2, 3 * AIT, 3 * AIT)]);
	});
}

#[test]
fn a_miner_and_a_coordinator_see_what_waits_until_when_and_why() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[MINER]);
		settle_one(9, &[(MINER, 4 * AIT, 100)], &[]);
		let of = |who| ComputeReceipts::waiting_of(key(who), None, 10);
		let settled_ms = Now::get() - SPACING_MS;
		let mut expected = WaitingView {
			part: line(0, MINER),
			asset: PriceAsset::Ait,
			pay: 75 * AIT / 2,
			claim: claim_for(100),
			is_signed: true,
			settled_ms,
			pay_due_ms: settled_ms + WINDOW_MS,
			mint_due_ms: settled_ms + WINDOW_MS,
			held_until_ms: None,
			is_taken: false,
		};
		let shown = |part| {
			let mut all = of(MINER);
			all.append(&mut of(COORDINATOR));
			all.into_iter().find(|one| one.part == part).unwrap()
		};
		assert_eq!(of(MINER).len(), 2);
		assert_eq!(shown(line(0, MINER)), expected);
		assert!(!shown(line(1, MINER)).is_signed);
		let own_part = WaitingView { part: own(0), pay: 5 * AIT / 2, ..expected };
		assert_eq!(shown(own(0)), own_part);
		let until = Now::get() + DAY_MS;
		assert_ok!(<ComputeReceipts as Waiting<_>>::hold(&line(0, MINER), until));
		stop(Breaker::AllStopped);
		wait(7);
		expected.held_until_ms = Some(until + 7);
		(expected.pay_due_ms, expected.mint_due_ms) =
			(expected.pay_due_ms + 7, expected.mint_due_ms + 7);
		assert_eq!(shown(line(0, MINER)), expected);
		assert_ok!(<ComputeReceipts as Waiting<_>>::forfeit_all(&key(MINER)));
		assert!(shown(line(1, MINER)).is_taken && !shown(own(1)).is_taken);
		// One after the other, each once.
		let first = ComputeReceipts::waiting_of(key(MINER), None, 1);
		let second = ComputeReceipts::waiting_of(key(MINER), Some(*first[0].part.batch()), 10);
		assert_eq!([first, second].concat(), of(MINER));
		let first = ComputeReceipts::waiting_of(key(COORDINATOR), None, 1);
		let after = Some(*first[0].part.batch());
		let second = ComputeReceipts::waiting_of(key(COORDINATOR), after, 10);
		assert_eq!([first, second].concat(), of(COORDINATOR));
		stop(Breaker::Closed);
	});
}
