//! Every refusal of a batch, reached once, with nothing changed.

use super::books::*;
use crate::{mock::*, *};
use frame_support::{
	assert_ok,
	traits::{fungible::Mutate, tokens::Preservation},
};
use gridproof_primitives::{
	compute::channels::{BatchRefusal as Refusal, ChannelTerms, GivenUp, SettlementBatch},
	compute::{ComputeParameters, PartyRole},
};
use std::collections::BTreeSet;

/// Two channels with a receipt each, by one miner each.
fn two() -> (Books, SettlementBatch) {
	let mut books = Books::of(COORDINATOR);
	for (miner, price) in [(MINER, 1_000), (CPU_MINER, 2_000)] {
		let channel = open_channel(IN_AIT);
		books.work(channel, Some(miner), price, 100);
	}
	let batch = books.batch(IN_AIT, &[MINER, CPU_MINER]);
	(books, batch)
}

/// Returns the place of a miner's line.
fn line_of(batch: &SettlementBatch, miner: u8) -> usize {
	batch.miners.iter().position(|signed| signed.line.miner == Some(key(miner))).unwrap()
}

type Change = fn(&mut SettlementBatch);

/// What is wrong with a batch itself, and signed all the same.
const IN_ITSELF: &[(Refusal, Change)] = &[
	(Refusal::SequenceAhead, |batch| batch.header.sequence = 32),
	(Refusal::OtherPrevious, |batch| batch.header.previous.0[0] = 1),
	(Refusal::TimeAhead, |batch| batch.header.time_ms = START + 60_001),
	(Refusal::UnknownCoordinator, |batch| batch.header.coordinator = key(50)),
	(Refusal::NoReceipts, |batch| batch.channels.clear()),
	(Refusal::TooManyReceipts, |batch| {
		let most = 1 << 20;
		batch.channels[0].line.to.count = most;
		batch.channels[0].line.voucher.number = most;
		batch.miners[0].line.to.count = most;
	}),
	(Refusal::EmptyRange, |batch| batch.channels[0].line.to.count = 0),
	(Refusal::FallingSums, |batch| batch.channels[0].line.from.price = 1),
	(Refusal::AboveVoucher, |batch| batch.channels[0].line.voucher.amount = 999),
	(Refusal::MoreReceiptsThanVouchers, |batch| batch.channels[0].line.voucher.number = 0),
	(Refusal::PaidWithoutMiner, |batch| batch.miners[0].line.miner = None),
	(Refusal::ChannelsUnsorted, |batch| batch.channels.as_mut().swap(0, 1)),
	(Refusal::MinersUnsorted, |batch| batch.miners.as_mut().swap(0, 1)),
	(Refusal::SumsOverflow, |batch| {
		batch.channels.iter_mut().for_each(|signed| {
			signed.line.to.price = u128::MAX;
			signed.line.voucher.amount = u128::MAX;
		});
	}),
	(Refusal::ListsDisagree, |batch| batch.miners[0].line.to.price += 1),
	(Refusal::UnknownChannel, |batch| batch.channels[1].line.voucher.channel = 9),
	(Refusal::OtherKind, |batch| batch.header.kind = PRIVATE),
	(Refusal::ChannelNotJoined, |batch| {
		let line = &mut batch.channels[0].line;
		(line.from.count, line.to.count, line.voucher.number) = (1, 2, 2);
	}),
	(Refusal::AboveDeposit, |batch| {
		for signed in batch.channels.iter_mut() {
			signed.line.to.price += DEPOSIT;
			signed.line.voucher.amount += DEPOSIT;
		}
		batch.miners.iter_mut().for_each(|signed| signed.line.to.price += DEPOSIT);
	}),
	(Refusal::MinerNotJoined, |batch| {
		let line = &mut batch.miners[0].line;
		(line.from.count, line.to.count) = (1, 2);
	}),
	(Refusal::GivenUpElsewhere, |batch| {
		let mut line = batch.miners[0].line;
		line.to.count += 1;
		batch.given_up.try_push(GivenUp { channel: 1, line }).unwrap();
	}),
	(Refusal::ChannelNotEnded, |batch| {
		// Everything of the first channel is given up, which is open.
		let price = batch.channels[0].line.to.price;
		let line = batch.miners.iter().find(|signed| signed.line.to.price == price).unwrap().line;
		batch.given_up.try_push(GivenUp { channel: 1, line }).unwrap();
		batch.channels.remove(0);
	}),
	(Refusal::UnknownMiner, |batch| {
		let place = batch.miners.len() - 1;
		batch.miners[place].line.miner = Some([255; 32]);
	}),
];

/// What is wrong with the signatures or the header's figures, after signing.
const AFTER_SIGNING: &[(Refusal, Change)] = &[
	(Refusal::BadHeaderSignature, |batch| batch.signature[0] ^= 1),
	(Refusal::BadVoucherSignature, |batch| batch.channels[1].signature[0] ^= 1),
	(Refusal::BadMinerSignature, |batch| {
		batch.miners[1].signature = batch.miners[0].signature;
	}),
];

#[test]
fn a_batch_that_is_wrong_in_itself_settles_nothing() {
	build_and_execute(|| {
		let (books, good) = two();
		for (reason, change) in IN_ITSELF {
			let mut batch = good.clone();
			change(&mut batch);
			books.sign_again(&mut batch);
			refuse(&batch, *reason);
		}
		for (reason, change) in AFTER_SIGNING {
			let mut batch = good.clone();
			change(&mut batch);
			refuse(&batch, *reason);
		}
		// The header states other figures, or commits to other lines, than there are.
		let mut batch = good.clone();
		batch.header.sums.weight += 1;
		books.sign(&mut batch, &[]);
		refuse(&batch, Refusal::HeaderDisagrees);
		let mut batch = good.clone();
		batch.header.lines.0[0] ^= 1;
		books.sign(&mut batch, &[]);
		refuse(&batch, Refusal::OtherLines);
		settle(&good);
		assert_eq!(line_of(&good, MINER) + line_of(&good, CPU_MINER), 1);
	});
}

#[test]
fn a_batch_at_the_wrong_time_settles_nothing() {
	build_and_execute(|| {
		let (mut books, first) = two();
		settle(&first);
		refuse(&first, Refusal::SequencePast);
		books.work(1, Some(MINER), 10, 1);
		let second = books.batch(IN_AIT, &[]);
		refuse(&second, Refusal::TooSoon);
		pass(SPACING_MS - 1);
		refuse(&second, Refusal::TooSoon);
		let mut back = second.clone();
		back.header.time_ms = START - 1;
		books.sign(&mut back, &[]);
		refuse(&back, Refusal::TimeBack);
		pass(1);
		settle(&second);
	});
}

#[test]
fn while_settlement_is_stopped_nothing_settles() {
	build_and_execute(|| {
		let (_, batch) = two();
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		refuse(&batch, Refusal::Stopped);
		let call = Call::set_breaker { new: Breaker::Closed };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		Halted::set(true);
		refuse(&batch, Refusal::Stopped);
		Halted::set(false);
		settle(&batch);
	});
}

#[test]
fn a_coordinator_that_is_banned_underbonded_or_poor_settles_nothing() {
	build_and_execute(|| {
		let (_, batch) = two();
		let ban = |until_ms| Call::ban { key: key(COORDINATOR), until_ms };
		assert_ok!(dispatch_as(ban(START + 1), RuntimeOrigin::root()));
		refuse(&batch, Refusal::CoordinatorBanned);
		assert_ok!(dispatch_as(ban(0), RuntimeOrigin::root()));
		let bond = ComputeParameters::default().coordinator_bond;
		assert_ok!(set_parameters(|parameters| parameters.coordinator_bond = 2 * bond + 1));
		refuse(&batch, Refusal::CoordinatorUnderbonded);
		assert_ok!(set_parameters(|parameters| parameters.coordinator_bond = 2 * bond));
		// Four lines: one unit is missing.
		let own = account(COORDINATOR);
		let away = ait(&own) - (4 * FEE - 1) - EXISTENTIAL_DEPOSIT;
		let keep = Preservation::Preserve;
		assert_ok!(<Balances as Mutate<_>>::transfer(&own, &account(8), away, keep));
		refuse(&batch, Refusal::FeeUnpaid);
		assert_ok!(<Balances as Mutate<_>>::transfer(&account(8), &own, 1, keep));
		settle(&batch);
		assert_eq!(ait(&own), EXISTENTIAL_DEPOSIT + 150, "all but its share is spent");
	});
}

#[test]
fn a_voucher_that_is_older_or_another_one_settles_nothing() {
	build_and_execute(|| {
		let (mut books, mut first) = two();
		let voucher = &mut first.channels[0].line.voucher;
		(voucher.number, voucher.amount) = (5, 9_000);
		books.sign_again(&mut first);
		settle(&first);
		pass(SPACING_MS);
		books.work(1, Some(MINER), 10, 1);
		let mut batch = books.batch(IN_AIT, &[]);
		let with = |batch: &mut SettlementBatch, number, amount| {
			let voucher = &mut batch.channels[0].line.voucher;
			(voucher.number, voucher.amount) = (number, amount);
			books.sign_again(batch);
			batch.clone()
		};
		refuse(&with(&mut batch, 4, 9_999), Refusal::OlderVoucher);
		refuse(&with(&mut batch, 5, 9_001), Refusal::OtherVoucher);
		settle(&with(&mut batch, 6, 1_010));
	});
}

#[test]
fn one_deposit_is_not_for_two_coordinators() {
	build_and_execute(|| {
		register(4, PartyRole::Coordinator).unwrap();
		admit(4).unwrap();
		let channel = open_channel(IN_AIT);
		let mut theirs = Books::of(4);
		theirs.work(channel, Some(MINER), 1_000, 100);
		refuse(&theirs.batch(IN_AIT, &[]), Refusal::OtherCoordinator);
		let mut own = Books::of(COORDINATOR);
		own.work(channel, Some(MINER), 1_000, 100);
		settle(&own.batch(IN_AIT, &[]));
	});
}

#[test]
fn a_channel_settles_until_its_notice_is_over_and_on_each_day_up_to_its_limit() {
	build_and_execute(|| {
		let daily = ChannelTerms { daily_limit: 1_500, ..terms(IN_AIT) };
		let channel = open_as(9, daily).unwrap();
		let mut books = Books::of(COORDINATOR);
		for price in [1_000, 1_000, 10] {
			books.work(channel, Some(MINER), price, 100);
			let batch = books.batch(IN_AIT, &[]);
			if price == 1_000 && Headers::<Test>::contains_key(key(COORDINATOR)) {
				refuse(&batch, Refusal::AboveDailyLimit);
				assert_ok!(close_as(9, channel));
				Now::set((START / DAY_MS + 1) * DAY_MS);
			}
			let ends = ComputeReceipts::channel(channel).unwrap().channel.ends_ms;
			if price == 10 {
				Now::set(ends.unwrap());
				refuse(&batch, Refusal::ChannelEnded);
				pass_back(1);
			}
			settle(&batch);
			pass(SPACING_MS);
		}
	});
}

/// Moves the clock back.
fn pass_back(milliseconds: u64) {
	Now::set(Now::get() - milliseconds);
}

#[test]
fn every_refusal_but_that_of_too_many_lines_is_reached_by_a_test() {
	let elsewhere = [
		Refusal::HeaderDisagrees,
		Refusal::OtherLines,
		Refusal::SequencePast,
		Refusal::TooSoon,
		Refusal::TimeBack,
		Refusal::Stopped,
		Refusal::CoordinatorBanned,
		Refusal::CoordinatorUnderbonded,
		Refusal::FeeUnpaid,
		Refusal::OlderVoucher,
		Refusal::OtherVoucher,
		Refusal::OtherCoordinator,
		Refusal::AboveDailyLimit,
		Refusal::ChannelEnded,
	];
	let listed = IN_ITSELF.iter().chain(AFTER_SIGNING).map(|(reason, _)| *reason);
	let reached: BTreeSet<u8> = listed.chain(elsewhere).map(|reason| reason.code()).collect();
	let all = (0..=u8::MAX).filter_map(Refusal::from_code);
	let missing: Vec<_> = all.filter(|reason| !reached.contains(&reason.code())).collect();
	// A list of a call is too short for it.
	assert_eq!(missing, [Refusal::TooManyLines]);
}
