//! Each lie around channels once more, with what everybody has before and after it, to the unit. The
//! table of them is docs/security/channels.md.

use super::{books::*, evidence::*, lies::work};
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::{
		PartyRole,
		channels::{
			BatchKind, BatchRefusal, ChannelEvidence, ChannelTerms, PaidBy, ReceiptV2,
			SettlementHeader, Voucher, VoucherId, receipt_leaf,
		},
	},
	crypto::merkle,
	num::units::{AIT, MILLI_AIT},
};
use std::collections::BTreeMap;

/// One AIT.
const ONE: i128 = 1_000_000_000_000_000_000;
/// Fee of a batch with one channel and one miner.
const FEES: i128 = 2 * 100_000_000_000_000;
/// Slash of a first offence, and the deposit for the row that remembers it.
const TENTH: i128 = 100 * ONE;
const ROW: i128 = 2_000;

/// Another coordinator.
const OTHER: u8 = 4;
const REPORTER: u8 = 8;
const CLIENT: u8 = 9;
const TREASURY: u8 = 200;
const ESCROW: u8 = 201;

/// Runs a test without a check window, and with one: what everybody has is the same, whether it is on
/// his account or waits.
fn build_and_execute(test: impl Fn()) {
	for window_ms in [0, 6 * HOUR_MS] {
		crate::mock::build_and_execute(|| {
			ChannelRules::<Test>::mutate(|rules| rules.check_window_ms = window_ms);
			test();
		});
	}
}

/// What everybody has: free AIT, pay that waits, and of a bond what is not to be slashed.
struct Accounts(BTreeMap<u8, i128>);

impl Accounts {
	fn now() -> Self {
		let all = [COORDINATOR, MINER, CPU_MINER, OTHER, REPORTER, CLIENT, TREASURY, ESCROW];
		Self(all.map(|who| (who, i128::try_from(worth(who)).unwrap())).into())
	}

	/// Asserts who has how much more or less than then, and that nobody else has.
	#[track_caller]
	fn moved(&self, by: &[(u8, i128)]) {
		let mut expected = self.0.clone();
		for (who, amount) in by {
			*expected.get_mut(who).unwrap() += amount;
		}
		assert_eq!(Self::now().0, expected);
	}

	/// An offence around one voucher was proven: the client or the miner got so much out of the bond, and
	/// the slash comes on top of it, which is the treasury's when its grace is over.
	#[track_caller]
	fn given_back(&self, to: u8, amount: i128) {
		self.given_back_for(1, to, amount);
	}

	/// The same around so many vouchers, each of which has a row.
	#[track_caller]
	fn given_back_for(&self, vouchers: i128, to: u8, amount: i128) {
		self.moved(&[
			(to, amount),
			(COORDINATOR, -amount - TENTH),
			(REPORTER, -vouchers * ROW),
			(ESCROW, vouchers * ROW),
		]);
		let before = Self::now();
		pass(HOUR_MS);
		assert_ok!(dispatch(Call::apply_slashes { key: key(COORDINATOR) }, account(7)));
		before.moved(&[(TREASURY, TENTH)]);
	}
}

#[test]
fn constants_of_these_tests_are_those_of_the_chain() {
	let fees = i128::try_from(2 * FEE).unwrap();
	let slash = i128::try_from(SLASH).unwrap();
	assert_eq!((fees, slash, i128::try_from(REPORT_DEPOSIT).unwrap()), (FEES, TENTH, ROW));
	assert_eq!((i128::try_from(AIT).unwrap(), EscrowAccount::get()), (ONE, account(ESCROW)));
}

#[test]
fn a_weight_that_is_inflated_takes_from_nobody_and_costs_a_tenth_of_the_bond() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 5 * AIT, 7);
		let inflated = books.waiting.get_mut(&IN_AIT).unwrap().last_mut().unwrap();
		(inflated.receipt.weight, inflated.sums.miner.weight) = (14, 14);
		let inflated = *inflated;
		Factors::set(vec![(inflated.receipt.model, 0, 1_000)]);
		let before = Accounts::now();
		settle(&books.batch(IN_AIT, &[MINER]));
		before.moved(&[
			(ESCROW, -5 * ONE),
			(MINER, 15 * ONE / 4),
			(COORDINATOR, ONE / 4 - FEES),
			(TREASURY, ONE + FEES),
		]);
		// Seven units too many are claimed, a tenth of them by a new miner: never more than the treasury
		// received of the price, which is 1 AIT.
		let claim = Running::<Test>::get().claims;
		assert_eq!(claim, 14 * MILLI_AIT / 10);
		let before = Accounts::now();
		assert_ok!(report(ChannelEvidence::OtherWeight(vouched(inflated))));
		before.given_back(CLIENT, 0);
	});
}

#[test]
fn a_receipt_that_is_left_out_is_paid_to_its_miner_out_of_the_bond_and_the_client_pays_nothing() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipt = completed(&mut books, channel, MINER, 4 * AIT);
		pass(60_001);
		let before = Accounts::now();
		assert_ok!(demand_as(MINER, receipt));
		let asked = i128::try_from(ANSWER).unwrap() + ROW;
		before.moved(&[(MINER, -asked), (ESCROW, asked)]);
		pass(ANSWER_MS);
		assert_ok!(lapse(&receipt));
		before.moved(&[(MINER, 3 * ONE - ROW), (COORDINATOR, -3 * ONE - TENTH), (ESCROW, ROW)]);
		assert_eq!(ComputeReceipts::channel(channel).unwrap().left, DEPOSIT);
	});
}

#[test]
fn a_count_that_is_settled_and_not_shown_is_paid_back_to_the_client() {
	build_and_execute(|| {
		let (_, _, _, receipts) = work();
		pass(60_001);
		let before = Accounts::now();
		assert_ok!(demand_as(REPORTER, receipts[0]));
		pass(ANSWER_MS);
		assert_ok!(lapse(&receipts[0]));
		before.given_back(CLIENT, 5 * ONE);
	});
}

#[test]
fn for_one_voucher_used_twice_the_client_has_the_higher_price_back() {
	build_and_execute(|| {
		let (_, _, batch, receipts) = work();
		let mut other = receipts[0];
		other.receipt.price = 6 * AIT;
		let first = in_batch(&batch, &receipts, 0);
		let before = Accounts::now();
		assert_ok!(report(ChannelEvidence::TwoReceipts { first, second: vouched(other) }));
		before.given_back(CLIENT, 6 * ONE);
	});
}

#[test]
fn for_running_sums_that_overlap_the_client_has_the_lower_price_back() {
	build_and_execute(|| {
		let (_, _, _, receipts) = work();
		let mut other = receipts[1];
		other.sums.channel = receipts[0].sums.channel;
		let (first, second) = (vouched(receipts[0]), vouched(other));
		let before = Accounts::now();
		assert_ok!(report(ChannelEvidence::Overlap { first, second }));
		before.given_back_for(2, CLIENT, 3 * ONE);
	});
}

#[test]
fn for_a_line_that_contradicts_a_receipt_the_client_has_its_price_back() {
	build_and_execute(|| {
		let (_, _, batch, receipts) = work();
		let mut at_completion = receipts[1];
		at_completion.receipt.price = 2 * AIT;
		at_completion.sums.channel.price = 6 * AIT;
		at_completion.sums.miner.price = 7 * AIT;
		let before = Accounts::now();
		assert_ok!(report(ChannelEvidence::Line {
			receipt: vouched(at_completion),
			header: batch.header,
			signature: batch.signature,
			line: channel_line(&batch, 0),
		}));
		before.given_back(CLIENT, 2 * ONE);
	});
}

#[test]
fn for_a_line_with_an_older_voucher_than_its_receipt_the_client_has_its_price_back() {
	build_and_execute(|| {
		let (channel, _, batch, receipts) = work();
		let mut newer = receipts[1];
		newer.receipt.paid_by = PaidBy::Voucher(VoucherId { channel, number: 3 });
		let before = Accounts::now();
		assert_ok!(report(ChannelEvidence::Line {
			receipt: vouched(newer),
			header: batch.header,
			signature: batch.signature,
			line: channel_line(&batch, 0),
		}));
		before.given_back(CLIENT, 3 * ONE);
	});
}

#[test]
fn a_batch_with_an_older_voucher_moves_nothing_and_the_newest_one_settles() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), AIT, 1);
		let mut first = books.batch(IN_AIT, &[]);
		let voucher = &mut first.channels[0].line.voucher;
		(voucher.number, voucher.amount) = (5, 9 * AIT);
		books.sign_again(&mut first);
		settle(&first);
		pass(SPACING_MS);
		books.work(channel, Some(MINER), 2 * AIT, 1);
		let mut batch = books.batch(IN_AIT, &[]);
		let before = Accounts::now();
		// More than the newest voucher allows, by one that the client signed before it.
		let voucher = &mut batch.channels[0].line.voucher;
		(voucher.number, voucher.amount) = (4, 50 * AIT);
		books.sign_again(&mut batch);
		refuse(&batch, BatchRefusal::OlderVoucher);
		before.moved(&[]);
		let voucher = &mut batch.channels[0].line.voucher;
		(voucher.number, voucher.amount) = (6, 3 * AIT);
		books.sign_again(&mut batch);
		settle(&batch);
		before.moved(&[
			(ESCROW, -2 * ONE),
			(MINER, 3 * ONE / 2),
			(COORDINATOR, ONE / 10 - FEES),
			(TREASURY, 2 * ONE / 5 + FEES),
		]);
	});
}

#[test]
fn work_of_one_miner_settled_as_anothers_is_paid_to_the_first_out_of_the_bond() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipt = completed(&mut books, channel, MINER, 4 * AIT);
		let before = Accounts::now();
		let mut other = Books::of(COORDINATOR);
		other.work(channel, Some(CPU_MINER), 4 * AIT, 7);
		settled(&mut other);
		pass(60_001);
		assert_ok!(demand_as(MINER, receipt));
		pass(ANSWER_MS);
		assert_ok!(lapse(&receipt));
		// The client paid once, and the coordinator for the same work out of its bond, and the slash.
		before.moved(&[
			(ESCROW, -4 * ONE + ROW),
			(CPU_MINER, 3 * ONE),
			(MINER, 3 * ONE - ROW),
			(COORDINATOR, ONE / 5 - FEES - 3 * ONE - TENTH),
			(TREASURY, 4 * ONE / 5 + FEES),
		]);
	});
}

#[test]
fn for_a_receipt_in_another_asset_the_client_has_its_price_back() {
	build_and_execute(|| {
		let (_, _, _, receipts) = work();
		let mut other = receipts[0];
		other.sums.kind = BatchKind { asset: IN_AICP.asset, ..IN_AIT };
		let before = Accounts::now();
		assert_ok!(report(ChannelEvidence::OtherKind(vouched(other))));
		before.given_back(CLIENT, 5 * ONE);
	});
}

#[test]
fn a_batch_that_mixes_assets_moves_nothing() {
	build_and_execute(|| {
		let (one, other) = (open_channel(IN_AIT), open_channel(IN_AICP));
		let mut books = Books::of(COORDINATOR);
		books.work(one, Some(MINER), AIT, 1);
		let good = books.batch(IN_AIT, &[]);
		let mut mixed = good.clone();
		mixed.channels[0].line.voucher.channel = other;
		books.sign_again(&mut mixed);
		let (before, in_aicp) =
			(Accounts::now(), [CLIENT, MINER, ESCROW].map(|who| aicp(&account(who))));
		refuse(&mixed, BatchRefusal::OtherKind);
		before.moved(&[]);
		settle(&good);
		before.moved(&[
			(ESCROW, -ONE),
			(MINER, 3 * ONE / 4),
			(COORDINATOR, ONE / 20 - FEES),
			(TREASURY, ONE / 5 + FEES),
		]);
		assert_eq!([CLIENT, MINER, ESCROW].map(|who| aicp(&account(who))), in_aicp);
	});
}

#[test]
fn a_batch_after_the_end_moves_nothing_and_the_client_has_its_whole_rest() {
	build_and_execute(|| {
		let before = Accounts::now();
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 40 * AIT, 1);
		let batch = books.batch(IN_AIT, &[]);
		assert_ok!(close_as(CLIENT, channel));
		pass(NOTICE_MS);
		refuse(&batch, BatchRefusal::ChannelEnded);
		assert_ok!(give_back(&[channel]));
		before.moved(&[]);
		refuse(&batch, BatchRefusal::UnknownChannel);
		before.moved(&[]);
	});
}

#[test]
fn a_kept_key_takes_its_daily_limit_until_the_notice_is_over_and_not_a_unit_more() {
	build_and_execute(|| {
		let before = Accounts::now();
		let kept = ChannelTerms { signer: None, daily_limit: AIT, ..terms(IN_AIT) };
		let channel = open_as(CLIENT, kept).unwrap();
		let mut books = Books::of(COORDINATOR);
		// Nobody asked for this work.
		books.work(channel, Some(MINER), AIT, 1);
		settle(&books.batch(IN_AIT, &[]));
		assert_ok!(close_as(CLIENT, channel));
		let one_more = |books: &Books| {
			let mut books = books.clone();
			books.work(channel, Some(MINER), 1, 1);
			pass(SPACING_MS);
			refuse(&books.batch(IN_AIT, &[]), BatchRefusal::AboveDailyLimit);
		};
		one_more(&books);
		// The notice reaches into the next day.
		Now::set((START / DAY_MS + 1) * DAY_MS);
		books.work(channel, Some(MINER), AIT, 1);
		settle(&books.batch(IN_AIT, &[]));
		one_more(&books);
		// Its bond is at least what it can take in a day.
		let bond = Parties::<Test>::get(key(COORDINATOR)).unwrap().bond;
		assert!(KeptLimits::<Test>::get(key(COORDINATOR)) <= bond);
		Now::set(START + NOTICE_MS);
		assert_ok!(give_back(&[channel]));
		before.moved(&[
			(CLIENT, -2 * ONE),
			(MINER, 3 * ONE / 2),
			(COORDINATOR, ONE / 10 - 2 * FEES),
			(TREASURY, 2 * ONE / 5 + 2 * FEES),
		]);
	});
}

#[test]
fn a_client_that_closes_while_its_coordinator_is_away_pays_for_the_work_and_has_the_rest() {
	build_and_execute(|| {
		let before = Accounts::now();
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 40 * AIT, 1);
		assert_ok!(close_as(CLIENT, channel));
		pass(NOTICE_MS - 1);
		assert_noop!(give_back(&[channel]), Error::<Test>::NothingDue);
		settle(&books.batch(IN_AIT, &[]));
		pass(1);
		assert_ok!(give_back(&[channel]));
		before.moved(&[
			(CLIENT, -40 * ONE),
			(MINER, 30 * ONE),
			(COORDINATOR, 2 * ONE - FEES),
			(TREASURY, 8 * ONE + FEES),
		]);
	});
}

#[test]
fn one_deposit_for_two_coordinators_pays_the_one_it_was_made_for() {
	build_and_execute(|| {
		assert_ok!(register(OTHER, PartyRole::Coordinator));
		assert_ok!(admit(OTHER));
		let channel = open_channel(IN_AIT);
		let before = Accounts::now();
		let mut theirs = Books::of(OTHER);
		theirs.work(channel, Some(MINER), AIT, 1);
		refuse(&theirs.batch(IN_AIT, &[]), BatchRefusal::OtherCoordinator);
		before.moved(&[]);
		let mut own = Books::of(COORDINATOR);
		own.work(channel, Some(MINER), AIT, 1);
		settle(&own.batch(IN_AIT, &[]));
		before.moved(&[
			(ESCROW, -ONE),
			(MINER, 3 * ONE / 4),
			(COORDINATOR, ONE / 20 - FEES),
			(TREASURY, ONE / 5 + FEES),
		]);
	});
}

#[test]
fn a_miner_that_signs_a_receipt_and_then_no_line_is_paid_and_nothing_mints() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 4 * AIT, 100);
		let before = Accounts::now();
		settle(&books.batch(IN_AIT, &[]));
		next_step();
		assert_eq!([MINER, COORDINATOR].map(claimable), [0, 0]);
		assert_eq!(Running::<Test>::get().claims, 0);
		before.moved(&[
			(ESCROW, -4 * ONE),
			(MINER, 3 * ONE),
			(COORDINATOR, ONE / 5 - FEES),
			(TREASURY, 4 * ONE / 5 + FEES),
		]);
		// With its signature the same work mints.
		books.work(channel, Some(MINER), 4 * AIT, 100);
		settle(&books.batch(IN_AIT, &[MINER]));
		let running = Running::<Test>::get();
		assert_eq!((running.claims > 0, running.parties), (true, 2));
	});
}

#[test]
fn for_a_receipt_that_no_batch_may_have_the_client_has_its_price_back() {
	build_and_execute(|| {
		let (channel, _, _, receipts) = work();
		let voucher = Voucher { channel, number: 2, amount: 0, spec_hash: H256::zero() };
		let mut paid = receipts[1];
		paid.receipt = ReceiptV2 { price: AIT, ..ReceiptV2::without_answer(&voucher, 0) };
		let before = Accounts::now();
		assert_ok!(report(ChannelEvidence::Unsound(vouched(paid))));
		before.given_back(CLIENT, ONE);
	});
}

#[test]
fn two_headers_of_one_number_take_from_nobody_and_cost_a_tenth_of_the_bond() {
	build_and_execute(|| {
		let (_, _, batch, _) = work();
		let other = SettlementHeader { receipts: H256::zero(), ..batch.header };
		let second = (other, sign(COORDINATOR, &other.signing_payload(&genesis())));
		let before = Accounts::now();
		let first = (batch.header, batch.signature);
		assert_ok!(report(ChannelEvidence::TwoHeaders { first, second }));
		before.given_back(CLIENT, 0);
	});
}

#[test]
fn receipts_out_of_order_take_from_nobody_and_cost_a_tenth_of_the_bond() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipts = [3, 2].map(|price| completed(&mut books, channel, MINER, price * AIT));
		let mut batch = books.batch(IN_AIT, &[]);
		let wrong = [receipts[1], receipts[0]];
		batch.header.receipts = merkle::root(&wrong.map(|receipt| receipt_leaf(&receipt)));
		books.sign(&mut batch, &[]);
		settle(&batch);
		let before = Accounts::now();
		assert_ok!(report(ChannelEvidence::Misplaced {
			header: batch.header,
			signature: batch.signature,
			first: placed(&wrong, 0),
			second: placed(&wrong, 1),
		}));
		before.given_back(CLIENT, 0);
	});
}
