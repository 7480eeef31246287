//! What a channel that ended before it was settled leaves, and how settlement continues.

use super::{books::*, evidence::*};
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::{
		PartyRole,
		channels::{
			BatchRefusal, ChannelEvidence, ChannelId, ChannelOffence, ChannelReceipt, GivenUp,
			Placed, PlacedLine, SettlementBatch,
		},
	},
	crypto::merkle,
	num::units::AIT,
};

/// A channel ends before anything of it is settled.
fn ends(channel: ChannelId) {
	assert_ok!(close_as(9, channel));
	pass(NOTICE_MS);
}

/// A receipt, and the range of a batch that gives it up.
fn range(batch: &SettlementBatch, index: usize, receipt: ChannelReceipt) -> ChannelEvidence {
	let lists = batch.lists();
	let place = lists.channels.len() + lists.miners.len() + index;
	let path = merkle::inclusion_proof(&lists.leaves(), place).unwrap().try_into().unwrap();
	ChannelEvidence::Line {
		receipt: vouched(receipt),
		header: batch.header,
		signature: batch.signature,
		line: PlacedLine::GivenUp(Placed {
			item: lists.given_up[index],
			index: place as u64,
			path,
		}),
	}
}

fn offences() -> usize {
	Parties::<Test>::get(key(COORDINATOR)).unwrap().offences.len()
}

#[test]
fn receipts_of_an_ended_channel_are_given_up_and_settlement_continues() {
	for is_returned in [false, true] {
		build_and_execute(|| {
			let (ended, other) = (open_channel(IN_AIT), open_channel(IN_AIT));
			let mut books = Books::of(COORDINATOR);
			for (channel, price) in [(ended, 1_000), (other, 2_000), (ended, 4_000)] {
				books.work(channel, Some(MINER), price, 100);
			}
			books.work(ended, None, 0, 0);
			books.work(ended, Some(CPU_MINER), 500, 100);
			let waiting = books.waiting.clone();
			ends(ended);
			if is_returned {
				assert_ok!(give_back(&[ended]));
			}
			// Its line is refused, and without it the miner's does not join on.
			let refusal =
				if is_returned { BatchRefusal::UnknownChannel } else { BatchRefusal::ChannelEnded };
			refuse(&books.batch(IN_AIT, &[]), refusal);
			books.waiting = waiting;
			books.ended.insert(ended);
			let batch = books.batch(IN_AIT, &[MINER, CPU_MINER]);
			assert_eq!((batch.channels.len(), batch.given_up.len()), (1, 4));
			let (before, left) = ([MINER, CPU_MINER].map(|who| ait(&account(who))), totals());
			settle(&batch);
			let after = [MINER, CPU_MINER].map(|who| ait(&account(who)));
			assert_eq!(after, [before[0] + 1_500, before[1]], "three quarters of 2,000");
			let lost: u128 = events()
				.into_iter()
				.filter_map(|event| match event {
					Event::CountsGivenUp { channel, price, .. } if channel == ended => Some(price),
					_ => None,
				})
				.sum();
			assert_eq!(lost, 5_500);
			let sums = ComputeReceipts::miner_sums(key(COORDINATOR), IN_AIT, Some(key(MINER)));
			assert_eq!((sums.count, sums.price, sums.weight), (3, 7_000, 300));
			// Who got nothing has neither a success nor units of it.
			let worked = |who: u8| Parties::<Test>::get(key(who)).unwrap();
			assert_eq!((worked(MINER).settled, worked(MINER).compute_units), (1, 100));
			assert_eq!((worked(CPU_MINER).settled, worked(CPU_MINER).compute_units), (0, 0));
			assert_eq!(worked(COORDINATOR).settled, 1);
			assert_eq!(left.left_ait - totals().left_ait, 2_000, "nothing of the ended one moved");
			pass(SPACING_MS);
			books.work(other, Some(MINER), 10, 1);
			books.work(other, Some(CPU_MINER), 10, 1);
			settle(&books.batch(IN_AIT, &[MINER]));
		});
	}
}

fn totals() -> ChannelCounters {
	ChannelTotals::<Test>::get()
}

#[test]
fn only_what_has_ended_of_its_own_is_given_up() {
	build_and_execute(|| {
		register(4, PartyRole::Coordinator).unwrap();
		admit(4).unwrap();
		let (own, lives) = (open_channel(IN_AIT), open_channel(IN_AIT));
		let private = open_channel(PRIVATE);
		let mut theirs = terms(IN_AIT);
		theirs.coordinator = key(4);
		let theirs = open_as(9, theirs).unwrap();
		let mut books = Books::of(COORDINATOR);
		books.work(own, Some(MINER), 1_000, 100);
		books.ended.insert(own);
		let mut batch = books.batch(IN_AIT, &[]);
		let mut naming = |channel| {
			batch.given_up[0].channel = channel;
			batch.header.time_ms = Now::get();
			books.sign_again(&mut batch);
			batch.clone()
		};
		refuse(&naming(own), BatchRefusal::ChannelNotEnded);
		for channel in [own, private, theirs] {
			assert_ok!(close_as(9, channel));
		}
		pass(NOTICE_MS - 1);
		refuse(&naming(own), BatchRefusal::ChannelNotEnded);
		pass(1);
		for returned in [false, true] {
			if returned {
				assert_ok!(give_back(&[own, private, theirs]));
			}
			refuse(&naming(theirs), BatchRefusal::OtherCoordinator);
			refuse(&naming(private), BatchRefusal::OtherKind);
			refuse(&naming(lives), BatchRefusal::ChannelNotEnded);
			refuse(&naming(theirs + 1), BatchRefusal::UnknownChannel);
			refuse(&naming(0), BatchRefusal::UnknownChannel);
		}
		// Channels come before miners.
		let mut elsewhere = naming(lives);
		let line = &mut elsewhere.miners[0].line;
		(line.from.count, line.to.count) = (1, 2);
		elsewhere.given_up[0].line = *line;
		books.sign_again(&mut elsewhere);
		refuse(&elsewhere, BatchRefusal::ChannelNotEnded);
		elsewhere.given_up[0].channel = own;
		books.sign_again(&mut elsewhere);
		refuse(&elsewhere, BatchRefusal::MinerNotJoined);
		// One that the chain has forgotten ended long ago.
		let own_again = naming(own);
		pass(31 * DAY_MS);
		for _ in 0..3 {
			ComputeReceipts::forget_old();
		}
		assert_eq!(EndedChannels::<Test>::iter().count(), 0);
		settle(&own_again);
	});
}

#[test]
fn miners_of_what_was_given_up_get_back_as_much_as_the_slash_and_it_counts_once() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipts =
			[MINER, CPU_MINER, MINER].map(|miner| completed(&mut books, channel, miner, 80 * AIT));
		ends(channel);
		assert_ok!(give_back(&[channel]));
		books.ended.insert(channel);
		let (batch, _) = settled(&mut books);
		let of = |miner: u8| {
			let is = |one: &GivenUp| one.line.miner == Some(key(miner));
			batch.given_up.iter().position(is).unwrap()
		};
		let before = [MINER, CPU_MINER].map(|who| ait(&account(who)));
		assert_ok!(report(range(&batch, of(MINER), receipts[0])));
		let shown = events();
		let proven = shown.iter().any(|event| {
			matches!(event, Event::ChannelOffenceProven { offence, slash, .. }
				if *offence == ChannelOffence::GivenUp && *slash == SLASH)
		});
		assert!(proven, "{shown:?}");
		// Three quarters of the price; then what is left of as much as the slash.
		assert_ok!(report(range(&batch, of(CPU_MINER), receipts[1])));
		let again = report(range(&batch, of(MINER), receipts[2]));
		assert_noop!(again, Error::<Test>::AlreadyReported);
		let again = report(range(&batch, of(MINER), receipts[0]));
		assert_noop!(again, Error::<Test>::AlreadyReported);
		let after = [MINER, CPU_MINER].map(|who| ait(&account(who)));
		assert_eq!(after, [before[0] + 60 * AIT, before[1] + 40 * AIT]);
		assert_eq!(offences(), 1);
	});
}

#[test]
fn an_absence_that_a_demand_has_shown_costs_no_second_slash() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipts =
			[80 * AIT, 40 * AIT].map(|price| completed(&mut books, channel, MINER, price));
		pass(60_001);
		assert_ok!(demand_as(MINER, receipts[0]));
		assert_ok!(close_as(9, channel));
		pass(ANSWER_MS);
		let before = ait(&account(MINER));
		assert_ok!(lapse(&receipts[0]));
		assert_eq!(offences(), 1);
		pass(NOTICE_MS);
		books.ended.insert(channel);
		let (batch, _) = settled(&mut books);
		assert_ok!(report(range(&batch, 0, receipts[1])));
		let again = report(range(&batch, 0, receipts[0]));
		assert_noop!(again, Error::<Test>::AlreadyReported);
		let deposits = ANSWER;
		assert_eq!(ait(&account(MINER)), before + 60 * AIT + 30 * AIT + deposits);
		assert_eq!(offences(), 1);
	});
}

#[test]
fn a_coordinator_that_moves_its_bond_to_its_own_miner_loses_as_much() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipt = completed(&mut books, channel, MINER, 5_000 * AIT);
		ends(channel);
		books.ended.insert(channel);
		let (batch, _) = settled(&mut books);
		let before = worth(COORDINATOR) + worth(MINER);
		assert_ok!(report(range(&batch, 0, receipt)));
		assert_eq!(before - worth(COORDINATOR) - worth(MINER), SLASH);
	});
}

#[test]
fn who_is_robbed_by_a_range_of_another_channel_can_show_it() {
	build_and_execute(|| {
		let (ended, lives) = (open_channel(IN_AIT), open_channel(IN_AIT));
		let mut books = Books::of(COORDINATOR);
		let robbed = completed(&mut books, lives, MINER, 40 * AIT);
		books.ended.insert(lives);
		ends(ended);
		let mut batch = books.batch(IN_AIT, &[]);
		refuse(&batch, BatchRefusal::ChannelNotEnded);
		// It names a channel that has ended.
		batch.given_up[0].channel = ended;
		books.sign_again(&mut batch);
		settle(&batch);
		let before = ait(&account(MINER));
		assert_ok!(report(range(&batch, 0, robbed)));
		assert_eq!(ait(&account(MINER)), before + 30 * AIT);
		let lied = events().into_iter().any(|event| {
			matches!(event, Event::ChannelOffenceProven { offence: ChannelOffence::Line, .. })
		});
		assert!(lied);
	});
}

#[test]
fn numbers_that_were_passed_over_leave_every_header_provable() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let (mut headers, mut all) = (Vec::new(), Vec::new());
		// The last numbers of the first group are passed over, and all of another one but one.
		for sequence in [0, 3, 29, 33, 64, 65] {
			let receipt = completed(&mut books, channel, MINER, 1_000);
			let mut batch = books.batch(IN_AIT, &[]);
			batch.header.sequence = sequence;
			books.sign(&mut batch, &[]);
			settle(&batch);
			headers.insert(0, batch.header);
			all.push(receipt);
			pass(SPACING_MS);
			ComputeReceipts::do_try_state().unwrap();
		}
		let mut marked: Vec<_> = Marks::<Test>::iter().map(|(_, group, _)| group).collect();
		marked.sort_unstable();
		assert_eq!(marked, [0, 1]);
		pass(60_001);
		for receipt in &all {
			assert_ok!(demand_as(8, *receipt));
		}
		let show = |of: usize, newest: usize| {
			let path = &headers[5 - newest..=5 - of];
			answer(placed(&all[of..=of], 0), path)
		};
		assert_noop!(show(0, 1), Error::<Test>::UnknownHeader);
		for (of, newest) in [(0, 2), (1, 2), (2, 2), (3, 3), (4, 5), (5, 5)] {
			assert_ok!(show(of, newest));
		}
		assert_eq!(ChannelTotals::<Test>::get().batches, 6);
	});
}
