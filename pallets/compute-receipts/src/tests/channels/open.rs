//! Opening, topping up, renewing, closing.

use super::books::*;
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::channels::{
		BatchKind, Channel, ChannelParameterError, ChannelParameters, ChannelTerms,
	},
	compute::{AitPerAicp, KEY_EXCHANGE_MS, PartyRole, PriceAsset, Registration},
	num::units::AIT,
};
use sp_runtime::{DispatchError, TokenError};

fn kept(deposit: u128, daily_limit: u128) -> ChannelTerms {
	ChannelTerms { signer: None, deposit, daily_limit, ..terms(IN_AIT) }
}

#[test]
fn a_channel_takes_its_deposits_and_gets_the_next_number() {
	build_and_execute(|| {
		let before = [ait(&client()), aicp(&client())];
		assert_eq!(open_channel(IN_AIT), 1);
		let plan = ChannelTerms { plan_ends_ms: Some(START + DAY_MS), ..terms(IN_AICP) };
		assert_eq!(open_as(9, plan), Ok(2));
		let paid = [DEPOSIT + 2 * CHANNEL_DEPOSIT, 10_000_000];
		assert_eq!([before[0] - ait(&client()), before[1] - aicp(&client())], paid);
		assert_eq!(in_escrow(), paid);
		assert_eq!(
			events().last(),
			Some(&Event::ChannelOpened {
				channel: 2,
				client: client(),
				coordinator: key(COORDINATOR),
				kind: IN_AICP,
				signer: Some(key(SIGNER)),
				deposit: 10_000_000,
				daily_limit: DEPOSIT,
				plan_ends_ms: Some(START + DAY_MS),
			})
		);
		let view = ComputeReceipts::channel(1).unwrap();
		assert_eq!(view.channel, Channel::open(&terms(IN_AIT)).unwrap());
		assert_eq!((view.client, view.left), (client().into(), DEPOSIT));
		assert_eq!((view.row_deposit, view.opened_ms), (CHANNEL_DEPOSIT, START));
		assert!(!view.is_kept());
		let mut own: Vec<_> = ComputeReceipts::channels_of(client(), None, 10);
		own.sort_by_key(|view| view.id);
		assert_eq!(own, [view, ComputeReceipts::channel(2).unwrap()]);
		let [first, rest] =
			[1, 10].map(|limit| ComputeReceipts::channels_of(client(), None, limit));
		let after = ComputeReceipts::channels_of(client(), Some(first[0].id), 10);
		assert_eq!([first, after].concat(), rest, "pages join on");
		assert_eq!(ComputeReceipts::channels_of(account(8), None, 10), []);
		assert_eq!(ComputeReceipts::channel(3), None);
	});
}

#[test]
fn a_channel_that_may_not_be_opened_takes_nothing() {
	build_and_execute(|| {
		let good = terms(IN_AIT);
		let refused = |terms: ChannelTerms, error: Error<Test>| {
			let call = Call::open_channel { terms: Box::new(terms) };
			assert_noop!(dispatch(call, client()), error);
		};
		let credit = BatchKind { asset: PriceAsset::ServiceCredit, ..IN_AIT };
		refused(ChannelTerms { kind: credit, ..good }, Error::NoCreditChannel);
		refused(ChannelTerms { deposit: 0, ..good }, Error::ChannelAmount);
		refused(ChannelTerms { daily_limit: 0, ..good }, Error::ChannelAmount);
		refused(ChannelTerms { signer: Some([0; 32]), ..good }, Error::WeakSigner);
		refused(ChannelTerms { coordinator: key(50), ..good }, Error::CoordinatorUnfit);
		refused(ChannelTerms { coordinator: key(MINER), ..good }, Error::CoordinatorUnfit);
		register(4, PartyRole::Coordinator).unwrap();
		refused(ChannelTerms { coordinator: key(4), ..good }, Error::NotAdmitted);
		let call = Call::open_channel { terms: Box::new(ChannelTerms { deposit: NATIVE, ..good }) };
		assert_noop!(dispatch(call, client()), TokenError::FundsUnavailable);
		assert_ok!(dispatch(Call::leave { key: key(COORDINATOR) }, account(COORDINATOR)));
		refused(good, Error::CoordinatorUnfit);
		assert_ok!(dispatch(Call::stay { key: key(COORDINATOR) }, account(COORDINATOR)));
		let until_ms = START + 1;
		let ban = Call::ban { key: key(COORDINATOR), until_ms };
		assert_ok!(dispatch_as(ban, RuntimeOrigin::root()));
		refused(good, Error::CoordinatorUnfit);
		pass(1);
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		refused(good, Error::Stopped);
	});
}

#[test]
fn kept_channels_are_together_at_most_the_coordinators_bond() {
	build_and_execute(|| {
		let bond = 1_000 * AIT;
		assert_eq!(open_as(9, kept(600 * AIT, 600 * AIT)), Ok(1));
		assert!(ComputeReceipts::channel(1).unwrap().is_kept());
		let open = |terms| open_as(10, terms);
		assert_noop!(open(kept(bond, 400 * AIT + 1)), Error::<Test>::KeptAboveBond);
		// Nobody takes up the rest of the bond with less than as much.
		let cheap = kept(400 * AIT - 1, 400 * AIT);
		assert_noop!(open(cheap), Error::<Test>::LimitAboveDeposit);
		assert_eq!(open(kept(400 * AIT, 400 * AIT)), Ok(2));
		assert_noop!(open(kept(1, 1)), Error::<Test>::KeptAboveBond);
		assert_eq!(KeptLimits::<Test>::get(key(COORDINATOR)), bond);
		// One with a key of the client's counts for nothing.
		assert_ok!(open(terms(IN_AIT)));
		assert_eq!(KeptLimits::<Test>::get(key(COORDINATOR)), bond);
		// The coordinator need not keep a key: it ends the channel, and its place is free again.
		assert_noop!(close_as(8, 2), Error::<Test>::NotClient);
		assert_noop!(close_as(COORDINATOR, 3), Error::<Test>::NotClient);
		assert_ok!(close_as(COORDINATOR, 2));
		pass(NOTICE_MS);
		assert_ok!(give_back(&[2]));
		assert_eq!(KeptLimits::<Test>::get(key(COORDINATOR)), 600 * AIT);
		assert_ok!(open(kept(400 * AIT, 400 * AIT)));
	});
}

#[test]
fn a_kept_limit_in_aicp_counts_at_the_full_reference_rate() {
	build_and_execute(|| {
		let terms = ChannelTerms { signer: None, daily_limit: 1_000_000, ..terms(IN_AICP) };
		assert_noop!(open_as(9, terms), Error::<Test>::NoRate);
		let new = Some(AitPerAicp { ait: 300, aicp: 1 });
		assert_ok!(dispatch_as(Call::set_reference_rate { new }, RuntimeOrigin::root()));
		for channel in 1..=3 {
			assert_eq!(open_as(9, terms), Ok(channel));
			let kept = KeptLimits::<Test>::get(key(COORDINATOR));
			assert_eq!(kept, u128::from(channel) * (300 * AIT + 2), "rounded up");
		}
		assert_noop!(open_as(9, terms), Error::<Test>::KeptAboveBond);
	});
}

#[test]
fn a_coordinator_keeps_no_more_after_it_has_exchanged_its_key() {
	build_and_execute(|| {
		assert_eq!(open_as(9, kept(600 * AIT, 600 * AIT)), Ok(1));
		let role = PartyRole::Coordinator;
		let statement = Registration { role, account: account(COORDINATOR).into() };
		let proof = sign(60, &statement.signing_payload(&genesis()));
		let call = Call::exchange_key { key: key(COORDINATOR), new: key(60), proof };
		assert_ok!(dispatch(call, account(COORDINATOR)));
		pass(KEY_EXCHANGE_MS);
		assert_ok!(dispatch(Call::complete_exchange { key: key(COORDINATOR) }, account(8)));
		let new = |limit| ChannelTerms { coordinator: key(60), ..kept(limit, limit) };
		assert_noop!(open_as(9, kept(1, 1)), Error::<Test>::CoordinatorUnfit);
		assert_noop!(open_as(9, new(400 * AIT + 1)), Error::<Test>::KeptAboveBond);
		assert_eq!(open_as(9, new(400 * AIT)), Ok(2));
		// Under its new key it may still refuse to keep the old one.
		assert_ok!(close_as(COORDINATOR, 1));
	});
}

#[test]
fn a_client_adds_to_its_channel_and_nobody_else() {
	build_and_execute(|| {
		let channel = open_channel(IN_AICP);
		let add = |who, amount| dispatch(Call::top_up { channel, amount }, account(who));
		assert_noop!(add(8, 5), Error::<Test>::NotClient);
		assert_noop!(add(9, 0), Error::<Test>::ChannelAmount);
		let unknown = Call::top_up { channel: 2, amount: 5 };
		assert_noop!(dispatch(unknown, client()), Error::<Test>::UnknownChannel);
		assert_ok!(add(9, 5));
		let added = Event::ChannelToppedUp { channel, amount: 5, deposited: 10_000_005 };
		assert_eq!(events().last(), Some(&added));
		assert_eq!(in_escrow(), [CHANNEL_DEPOSIT, 10_000_005]);
		assert!(add(9, AICP_OF_CLIENT).is_err());
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		assert_noop!(add(9, 5), Error::<Test>::Stopped);
		let call = Call::set_breaker { new: Breaker::Closed };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		assert_ok!(close_as(9, channel));
		assert_noop!(add(9, 5), Error::<Test>::ChannelClosing);
	});
}

#[test]
fn a_plan_is_renewed_by_its_client_and_closed_by_anyone_once_it_is_over() {
	build_and_execute(|| {
		let ends = START + 30 * DAY_MS;
		let plan = ChannelTerms { plan_ends_ms: Some(ends), ..terms(IN_AIT) };
		let channel = open_as(9, plan).unwrap();
		let renew = |who, channel, amount, plan_ends_ms| {
			dispatch(Call::renew_plan { channel, amount, plan_ends_ms }, account(who))
		};
		assert_noop!(renew(8, channel, 0, ends + 1), Error::<Test>::NotClient);
		assert_noop!(renew(9, channel, 0, ends), Error::<Test>::NoPeriod);
		assert_noop!(renew(9, 2, 0, ends + 1), Error::<Test>::UnknownChannel);
		assert_noop!(close_as(8, channel), Error::<Test>::NotClient);
		Now::set(ends);
		assert_ok!(renew(9, channel, AIT, ends + DAY_MS));
		let renewed = Event::PlanRenewed { channel, amount: AIT, plan_ends_ms: ends + DAY_MS };
		assert_eq!(events().last(), Some(&renewed));
		assert_eq!(ComputeReceipts::channel(channel).unwrap().left, DEPOSIT + AIT);
		assert_noop!(close_as(8, channel), Error::<Test>::NotClient);
		pass(DAY_MS);
		assert_ok!(close_as(8, channel));
		let until_ms = ends + DAY_MS + NOTICE_MS;
		assert_eq!(events().last(), Some(&Event::ChannelEnding { channel, until_ms }));
		assert_noop!(renew(9, channel, 0, ends + 9 * DAY_MS), Error::<Test>::ChannelClosing);
		let ordinary = open_channel(IN_AIT);
		assert_noop!(renew(9, ordinary, 0, ends + 9 * DAY_MS), Error::<Test>::NoPeriod);
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		assert_noop!(renew(9, ordinary, 0, 0), Error::<Test>::Stopped);
	});
}

#[test]
fn only_governance_sets_the_parameters_of_channels_and_no_window_outlasts_bonds() {
	build_and_execute(|| {
		let old = ComputeReceipts::channel_parameters();
		let new = ChannelParameters { fee_per_line: 1, ..old };
		let call = |new| Call::set_channel_parameters { new: Box::new(new) };
		let root = RuntimeOrigin::root;
		assert_noop!(dispatch(call(new), account(99)), DispatchError::BadOrigin);
		assert_noop!(dispatch_as(call(old), root()), Error::<Test>::Unchanged);
		let wrong = ChannelParameters { fee_per_line: 0, ..old };
		assert_noop!(dispatch_as(call(wrong), root()), Error::<Test>::InvalidParameters);
		let fault = ComputeReceipts::check_channel_parameters(wrong);
		assert_eq!(fault, Err(ChannelParameterError::Fee));
		// Seven days of a bond are five of a dispute, an hour until a slash, and what is left.
		let longest = 2 * DAY_MS - HOUR_MS;
		let with = |check_window_ms| ChannelParameters { check_window_ms, ..new };
		let too_long = call(with(longest + 1));
		assert_noop!(dispatch_as(too_long, root()), Error::<Test>::CheckWindow);
		assert_ok!(dispatch_as(call(with(longest)), root()));
		let shorter = set_parameters(|parameters| parameters.unbonding_ms -= 1);
		assert_noop!(shorter, Error::<Test>::CheckWindow);
		let forgetful = set_parameters(|parameters| parameters.offence_memory_ms = DAY_MS);
		assert_noop!(forgetful, Error::<Test>::CheckWindow);
		assert_ok!(dispatch_as(call(old), root()));
		System::reset_events();
		assert_ok!(dispatch_as(call(new), root()));
		let set = Event::ChannelParametersSet { old: Box::new(old), new: Box::new(new) };
		assert_eq!(events(), vec![set]);
		assert_eq!(ComputeReceipts::channel_parameters(), new);
	});
}

#[test]
#[should_panic = "a bond or the memory of offences ends before what waits"]
fn a_genesis_in_which_pay_waits_longer_than_bonds_is_not_built() {
	use sp_runtime::BuildStorage;
	let channels = ChannelParameters { check_window_ms: 2 * DAY_MS, ..Default::default() };
	let _ = GenesisConfig::<Test> { channels, ..Default::default() }.build_storage();
}
