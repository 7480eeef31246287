//! Each invariant of channels, broken once.

use super::books::*;
use crate::{mock::*, *};
use gridproof_primitives::compute::{
	PriceAsset,
	channels::{BatchKind, Channel, ChannelTerms, HeaderChain, MinerSums},
};
use sp_runtime::TryRuntimeError;

/// Breaks something on a chain with two channels, one of them kept, and a batch. It is what
/// `try_state` finds.
fn breaks(text: &'static str, breach: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		use gridproof_primitives::compute::{Class, PartyRole};
		register(COORDINATOR, PartyRole::Coordinator).unwrap();
		register(MINER, PartyRole::Miner(Class::Gpu)).unwrap();
		admit(COORDINATOR).unwrap();
		let channel = open_channel(IN_AIT);
		let kept = ChannelTerms { signer: None, daily_limit: 5, ..terms(IN_AICP) };
		let rate = gridproof_primitives::compute::AitPerAicp { ait: 1, aicp: 1 };
		let call = Call::set_reference_rate { new: Some(rate) };
		dispatch_as(call, RuntimeOrigin::root()).unwrap();
		open_as(9, kept).unwrap();
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 1_000, 1);
		books.work(channel, None, 0, 0);
		settle(&books.batch(IN_AIT, &[]));
		assert_eq!(ComputeReceipts::do_try_state(), Ok(()));
		breach();
		assert_eq!(ComputeReceipts::do_try_state(), Err(TryRuntimeError::Other(text)));
	});
}

/// Changes the first channel.
fn change(change: impl FnOnce(&mut Channel)) {
	Channels::<Test>::mutate(1, |row| change(&mut row.as_mut().unwrap().channel));
}

#[test]
fn parameters_that_do_not_go_together_are_found() {
	let text = "12: parameters of channels break a relation";
	breaks(text, || ChannelRules::<Test>::mutate(|rules| rules.fee_per_line = 0));
	breaks(text, || ChannelRules::<Test>::mutate(|rules| rules.check_window_ms = 2 * DAY_MS));
}

#[test]
fn a_channel_that_is_not_what_is_counted_is_found() {
	breaks("13: a channel has a number to come", || {
		ChannelTotals::<Test>::mutate(|totals| totals.opened = 1);
	});
	breaks("13: settled above the deposit", || change(|channel| channel.deposited = 999));
	breaks("13: settled above the vouchers", || change(|channel| channel.voucher_number = 1));
	breaks("13: a channel is in no list", || ChannelsOf::<Test>::remove(client(), 1));
	breaks("13: a list has a channel that is gone", || {
		ChannelsOf::<Test>::insert(client(), 7, ());
	});
	breaks("13: channels miscounted", || {
		ChannelTotals::<Test>::mutate(|totals| totals.left_ait -= 1);
	});
	breaks("13: channels miscounted", || {
		ChannelTotals::<Test>::mutate(|totals| totals.open += 1);
	});
	breaks("13: a channel in credit", || {
		change(|channel| channel.kind.asset = PriceAsset::ServiceCredit);
	});
}

#[test]
fn money_of_a_channel_that_is_not_in_the_escrow_is_found() {
	breaks("3: AIT is missing from the escrow", || {
		change(|channel| channel.deposited += 1);
	});
	breaks("3: AICP is missing from the escrow", || {
		Channels::<Test>::mutate(2, |row| row.as_mut().unwrap().channel.deposited += 1);
	});
}

#[test]
fn a_kept_limit_that_is_not_counted_is_found() {
	breaks("14: a limit without a key", || {
		Channels::<Test>::mutate(1, |row| row.as_mut().unwrap().kept_limit = 1);
	});
	breaks("14: kept limits are not the sum of the channels'", || {
		KeptLimits::<Test>::mutate(key(COORDINATOR), |limits| *limits += 1);
	});
}

#[test]
fn batches_that_are_not_what_is_counted_are_found() {
	let sums = |count| MinerSums { count, price: 0, weight: 0 };
	breaks("15: a coordinator without a batch", || {
		Headers::<Test>::insert(key(4), HeaderChain::default());
	});
	breaks("15: batches miscounted", || {
		ChannelTotals::<Test>::mutate(|totals| totals.batches += 1);
	});
	breaks("15: sums without a batch", || {
		MinerTotals::<Test>::insert((key(4), IN_AIT, Some(key(MINER))), sums(0));
	});
	breaks("15: nobody's work is paid", || {
		let paid = MinerSums { price: 1, ..sums(1) };
		MinerTotals::<Test>::insert((key(COORDINATOR), IN_AIT, None::<[u8; 32]>), paid);
	});
	breaks("15: a batch in credit", || {
		let credit = BatchKind { asset: PriceAsset::ServiceCredit, ..IN_AIT };
		MinerTotals::<Test>::insert((key(COORDINATOR), credit, None::<[u8; 32]>), sums(0));
	});
	breaks("15: receipts miscounted", || {
		ChannelTotals::<Test>::mutate(|totals| totals.receipts += 1);
	});
}

/// The same on a chain with a demand, an offence about a voucher and one about a header, an ended
/// channel and a header that is remembered.
fn breaks_offences(text: &'static str, breach: impl FnOnce()) {
	use super::evidence::*;
	use gridproof_primitives::compute::{
		Class, PartyRole,
		channels::{ChannelEvidence, SettlementHeader},
	};
	new_test_ext().execute_with(|| {
		register(COORDINATOR, PartyRole::Coordinator).unwrap();
		register(MINER, PartyRole::Miner(Class::Gpu)).unwrap();
		admit(COORDINATOR).unwrap();
		let [open, ended] = [open_channel(IN_AIT), open_channel(IN_AIT)];
		let mut books = Books::of(COORDINATOR);
		for _ in 0..32 {
			books.work(open, Some(MINER), 1_000, 1);
			books.work(ended, Some(MINER), 1_000, 1);
			settled(&mut books);
			pass(SPACING_MS);
		}
		close_as(9, ended).unwrap();
		pass(NOTICE_MS);
		give_back(&[ended]).unwrap();
		let receipt = completed(&mut books, open, MINER, 1_000);
		let mut other = receipt;
		other.receipt.price = 900;
		report(two(receipt, other)).unwrap();
		pass(60_001);
		demand_as(8, receipt).unwrap();
		let (batch, _) = settled(&mut books);
		let second = SettlementHeader { cid: None, receipts: Default::default(), ..batch.header };
		let signature = sign(COORDINATOR, &second.signing_payload(&genesis()));
		let first = (batch.header, batch.signature);
		report(ChannelEvidence::TwoHeaders { first, second: (second, signature) }).unwrap();
		assert_eq!(ComputeReceipts::do_try_state(), Ok(()));
		breach();
		assert_eq!(ComputeReceipts::do_try_state(), Err(TryRuntimeError::Other(text)));
	});
}

#[test]
fn demands_that_are_not_what_is_counted_are_found() {
	let coordinator = || account(COORDINATOR);
	breaks_offences("16: demands miscounted", || {
		DemandsTo::<Test>::mutate(coordinator(), |counts| counts.open += 1);
	});
	breaks_offences("16: demands that are not counted", || {
		DemandsTo::<Test>::remove(coordinator());
	});
	breaks_offences("16: demands of an account miscounted", || {
		DemandsOf::<Test>::mutate(coordinator(), account(8), |own| *own += 1);
	});
	breaks_offences("16: a demand of something else", || {
		let (key, id, row) = Demands::<Test>::iter().next().unwrap();
		Demands::<Test>::remove(key, id);
		Demands::<Test>::insert(key, gridproof_primitives::H256::zero(), row);
	});
	breaks_offences("3: AIT is missing from the escrow", || {
		let (key, id, mut row) = Demands::<Test>::iter().next().unwrap();
		row.deposit += 1;
		Demands::<Test>::insert(key, id, row);
	});
}

#[test]
fn facts_about_nothing_and_too_much_given_back_are_found() {
	breaks_offences("17: a fact about nothing", || {
		let (_, number, fact) = Facts::<Test>::iter().next().unwrap();
		Facts::<Test>::insert(77, number, crate::Fact { deposit: 0, ..fact });
	});
	breaks_offences("17: a kind proven twice, or none", || {
		let (channel, number, mut fact) = Facts::<Test>::iter().next().unwrap();
		fact.kinds = Default::default();
		Facts::<Test>::insert(channel, number, fact);
	});
	breaks_offences("17: given back more than was settled", || {
		GivenBackOf::<Test>::insert(1, 33_001);
	});
	breaks_offences("17: given back for nothing", || GivenBackOf::<Test>::insert(77, 1));
}

#[test]
fn a_queue_with_holes_and_headers_that_are_missing_are_found() {
	breaks_offences("18: outside of the queue", || {
		ForgetQueue::<Test>::mutate(|queue| queue.first += 1);
	});
	breaks_offences("18: a hole in the queue", || {
		ForgetQueue::<Test>::mutate(|queue| queue.next += 1);
	});
	breaks_offences("18: something is forgotten twice, or is gone", || {
		EndedChannels::<Test>::remove(2);
	});
	breaks_offences("18: something is never forgotten", || {
		let ended = EndedChannels::<Test>::get(2).unwrap();
		EndedChannels::<Test>::insert(78, ended);
	});
	breaks_offences("18: a queue that ends before it begins", || {
		ForgetQueue::<Test>::mutate(|queue| queue.first = 9);
	});
	breaks_offences("19: a header that was never taken", || {
		let mark = Marks::<Test>::get(key(COORDINATOR), 0).unwrap();
		Marks::<Test>::insert(key(COORDINATOR), 1, mark);
	});
	breaks_offences("19: a header is missing", || {
		let mark = Marks::<Test>::get(key(COORDINATOR), 0).unwrap();
		Marks::<Test>::insert(key(COORDINATOR), 2, mark);
	});
	breaks_offences("19: another header is the first", || {
		FirstMark::<Test>::insert(key(COORDINATOR), 1);
	});
}
