//! Returning what is left.

use super::books::*;
use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	traits::{fungible::Mutate, tokens::Preservation},
};
use gridproof_primitives::{
	codec::SECOND_LIST,
	compute::channels::{BatchRefusal, ChannelId},
};

fn closed() -> ChannelId {
	let channel = open_channel(IN_AIT);
	assert_ok!(close_as(9, channel));
	channel
}

#[test]
fn anybody_returns_the_rest_of_an_ended_channel_to_its_client() {
	build_and_execute(|| {
		let before = [ait(&client()), aicp(&client())];
		let channels = [open_channel(IN_AIT), open_channel(IN_AICP), open_channel(IN_AIT)];
		for channel in [1, 2] {
			assert_ok!(close_as(9, channel));
			assert_noop!(close_as(9, channel), Error::<Test>::ChannelClosing);
		}
		pass(NOTICE_MS - 1);
		assert_noop!(give_back(&channels), Error::<Test>::NothingDue);
		pass(1);
		// The one that is open, one that is not there, and one named twice change nothing.
		assert_ok!(give_back(&[1, 2, 3, 4, 1]));
		let ended = |channel, rest| Event::ChannelEnded { channel, client: client(), rest };
		assert!(events().ends_with(&[ended(1, DEPOSIT), ended(2, 10_000_000)]));
		let away = [before[0] - ait(&client()), before[1] - aicp(&client())];
		assert_eq!(away, [DEPOSIT + CHANNEL_DEPOSIT, 0]);
		assert_noop!(give_back(&[1]), Error::<Test>::NothingDue);
		assert_noop!(close_as(9, 1), Error::<Test>::UnknownChannel);
		assert_eq!(open_channel(IN_AIT), 4, "no number comes back");
	});
}

#[test]
fn a_transaction_without_a_signer_returns_rests_if_all_are_due() {
	build_and_execute(|| {
		let (one, other) = (closed(), closed());
		let call = |channels: &[ChannelId]| Call::return_rests {
			channels: channels.to_vec().try_into().unwrap(),
		};
		let code = |error: Error<Test>| match error.into() {
			sp_runtime::DispatchError::Module(module) => SECOND_LIST + module.error[0],
			_ => unreachable!(),
		};
		assert_eq!(authorize(call(&[one])), Err(code(Error::NothingDue)));
		pass(NOTICE_MS);
		assert_eq!(authorize(call(&[])), Err(code(Error::InvalidList)));
		assert_eq!(authorize(call(&[one, one])), Err(code(Error::InvalidList)));
		assert_eq!(authorize(call(&[one, 9])), Err(code(Error::UnknownChannel)));
		let valid = authorize(call(&[one, other])).unwrap();
		assert_eq!((valid.priority, valid.provides.len()), (999, 2));
		let first = authorize(call(&[one])).unwrap();
		assert_eq!(valid.provides[0], first.provides[0], "one at a time");
		assert_ok!(apply_unsigned(call(&[one, other])));
		assert!(apply_unsigned(call(&[one])).is_err());
	});
}

#[test]
fn a_client_whose_account_is_gone_gets_its_rest_all_the_same() {
	build_and_execute(|| {
		let channel = closed();
		pass(NOTICE_MS);
		let all = ait(&client());
		let spend = Preservation::Expendable;
		assert_ok!(<Balances as Mutate<_>>::transfer(&client(), &account(8), all, spend));
		assert_eq!(ait(&client()), 0);
		assert_ok!(give_back(&[channel]));
		assert_eq!(ait(&client()), DEPOSIT + CHANNEL_DEPOSIT);
	});
}

#[test]
fn what_was_due_before_a_stop_is_returned_during_it() {
	build_and_execute(|| {
		let channel = closed();
		pass(NOTICE_MS);
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		assert_ok!(give_back(&[channel]));
	});
}

#[test]
fn a_notice_that_begins_during_a_stop_has_its_whole_length_after_it() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		pass(DAY_MS);
		assert_ok!(close_as(9, channel));
		pass(3 * DAY_MS);
		let call = Call::set_breaker { new: Breaker::Closed };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		let ends = ComputeReceipts::channel(channel).unwrap().channel.ends_ms;
		assert_eq!(ends, Some(Now::get() + NOTICE_MS));
	});
}

#[test]
fn after_the_rest_was_returned_nothing_settles() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 1_000, 1);
		let batch = books.batch(IN_AIT, &[]);
		assert_ok!(close_as(9, channel));
		pass(NOTICE_MS);
		assert_ok!(give_back(&[channel]));
		// Its signer is not known any more.
		refuse(&batch, BatchRefusal::UnknownChannel);
	});
}
