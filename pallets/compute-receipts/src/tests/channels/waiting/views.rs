//! What waits, as it is shown.

use super::*;
use frame_support::assert_ok;
use gridproof_primitives::compute::{PriceAsset, checks::WaitingView};

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
