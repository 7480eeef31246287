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
	breaks(text, || ChannelRules::<Test>::mutate(|rules| rules.check_window_ms = 1));
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
