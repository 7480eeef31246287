//! What is given back, to whom, and that nobody gains by it.

use super::{books::*, evidence::*};
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::{
		AitPerAicp, ComputeParameters, KEY_EXCHANGE_MS, PartyRole, Registration,
		channels::{ChannelEvidence, ChannelId, ChannelReceipt, ChannelTerms, PaidBy, VoucherId},
	},
	num::units::{AICP, AIT},
};
use proptest::prelude::*;

/// A channel out of which so much was settled for one receipt.
fn paid(who: u8, made: ChannelTerms, price: u128) -> (ChannelId, ChannelReceipt) {
	let channel = open_as(who, made).unwrap();
	let mut books = Books::of(COORDINATOR);
	let sums = ComputeReceipts::miner_sums(key(COORDINATOR), made.kind, Some(key(MINER)));
	books.continue_from(made.kind, MINER, sums);
	let receipt = completed(&mut books, channel, MINER, price);
	pass(SPACING_MS);
	settle(&books.batch(made.kind, &[]));
	(channel, receipt)
}

/// Two receipts of another voucher of the channel, the dearer one of that price.
fn lie(receipt: ChannelReceipt, channel: ChannelId, number: u64, price: u128) -> ChannelEvidence {
	let with = |price| {
		let mut other = receipt;
		other.receipt.paid_by = PaidBy::Voucher(VoucherId { channel, number });
		other.receipt.price = price;
		other
	};
	two(with(price), with(0))
}

fn large(deposit: u128) -> ChannelTerms {
	ChannelTerms { deposit, daily_limit: deposit, ..terms(IN_AIT) }
}

#[test]
fn a_client_gets_back_no_more_than_was_settled_out_of_its_channel() {
	build_and_execute(|| {
		let (channel, receipt) = paid(9, large(100 * AIT), 10 * AIT);
		let before = ait(&client());
		for (number, back) in [(1, 7), (2, 10), (3, 10)] {
			assert_ok!(report(lie(receipt, channel, number, 7 * AIT)));
			assert_eq!(ait(&client()), before + back * AIT);
		}
		assert_eq!(GivenBackOf::<Test>::get(channel), 10 * AIT);
	});
}

#[test]
fn a_report_that_shows_more_gives_back_the_difference_and_counts_once() {
	build_and_execute(|| {
		let (channel, receipt) = paid(9, large(100 * AIT), 10 * AIT);
		let before = ait(&client());
		// A friend of the coordinator is faster, with two receipts that show nothing.
		let mut cheap = receipt;
		cheap.receipt.price = 0;
		let mut other = cheap;
		other.receipt.weight += 1;
		assert_ok!(report_as(7, two(cheap, other)));
		assert_eq!(ait(&client()), before);
		assert_ok!(report(lie(receipt, channel, 1, 7 * AIT)));
		assert_eq!(ait(&client()), before + 7 * AIT);
		let party = Parties::<Test>::get(key(COORDINATOR)).unwrap();
		assert_eq!((party.offences.len(), party.pending_slash()), (1, SLASH));
		let again = report(lie(receipt, channel, 1, 7 * AIT));
		assert_noop!(again, Error::<Test>::AlreadyReported);
	});
}

#[test]
fn aicp_count_at_half_of_the_rate_and_without_one_later() {
	build_and_execute(|| {
		let in_aicp = ChannelTerms { deposit: 10 * AICP, ..terms(IN_AICP) };
		let (channel, receipt) = paid(9, in_aicp, 4 * AICP);
		let evidence = || lie(receipt, channel, 1, 4 * AICP);
		let before = ait(&client());
		assert_ok!(report(evidence()));
		assert_eq!(ait(&client()), before);
		let rate = AitPerAicp { ait: 3, aicp: 2 };
		let call = Call::set_reference_rate { new: Some(rate) };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		assert_ok!(report_as(7, evidence()));
		assert_eq!(ait(&client()), before + 3 * AIT);
		assert_noop!(report(evidence()), Error::<Test>::AlreadyReported);
	});
}

#[test]
fn a_slash_comes_on_top_of_what_is_given_back_and_pending_ones_keep_theirs() {
	build_and_execute(|| {
		let (channel, receipt) = paid(9, large(2_000 * AIT), 1_500 * AIT);
		let before = ait(&client());
		let party = || Parties::<Test>::get(key(COORDINATOR)).unwrap();
		assert_ok!(report(lie(receipt, channel, 2, 100 * AIT)));
		assert_eq!((party().bond, party().pending_slash()), (900 * AIT, 100 * AIT));
		// 800 are left: 80 for the slash, and 720 of the 1,400 that are owed.
		assert_ok!(report(lie(receipt, channel, 3, 1_400 * AIT)));
		assert_eq!((party().bond, party().pending_slash()), (180 * AIT, 180 * AIT));
		assert_eq!(ait(&client()), before + 820 * AIT);
		let treasury = ait(&account(200));
		pass(HOUR_MS);
		assert_ok!(dispatch(Call::apply_slashes { key: key(COORDINATOR) }, account(8)));
		assert_eq!((party().bond, ait(&account(200))), (0, treasury + 180 * AIT));
	});
}

#[test]
fn what_governance_would_slash_whole_leaves_half_for_the_wronged() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|parameters| parameters.slash = 1_000));
		let (channel, receipt) = paid(9, large(2_000 * AIT), 1_500 * AIT);
		let before = ait(&client());
		assert_ok!(report(lie(receipt, channel, 2, 1_500 * AIT)));
		assert_eq!(ait(&client()), before + 500 * AIT);
		let party = Parties::<Test>::get(key(COORDINATOR)).unwrap();
		assert_eq!((party.bond, party.pending_slash()), (500 * AIT, 500 * AIT));
	});
}

#[test]
fn what_clients_of_kept_keys_rely_on_is_not_for_others() {
	build_and_execute(|| {
		let kept = ChannelTerms { signer: None, ..large(700 * AIT) };
		let (of_kept, kept_receipt) = paid(10, kept, 500 * AIT);
		let (channel, receipt) = paid(9, large(2_000 * AIT), 1_500 * AIT);
		let before = [ait(&client()), ait(&account(10))];
		// 1,000 less 100 to slash and 700 of the other's limit.
		assert_ok!(report(lie(receipt, channel, 2, 1_500 * AIT)));
		assert_eq!(ait(&client()), before[0] + 200 * AIT);
		// 700 are left: 70 to slash, and all of its own.
		assert_ok!(report(lie(kept_receipt, of_kept, 2, 500 * AIT)));
		assert_eq!(ait(&account(10)), before[1] + 500 * AIT);
		// Of 130 only as much as the slash, and no more than is owed.
		assert_ok!(report(lie(receipt, channel, 3, 5 * AIT)));
		assert_eq!(ait(&client()), before[0] + 205 * AIT);
	});
}

#[test]
fn an_ended_channels_client_is_made_whole_until_offences_are_forgotten() {
	build_and_execute(|| {
		let (channel, receipt) = paid(9, large(100 * AIT), 10 * AIT);
		let deposits = ait(&account(8));
		assert_ok!(close_as(9, channel));
		pass(NOTICE_MS);
		assert_ok!(give_back(&[channel]));
		let before = ait(&client());
		for number in 1..=3 {
			assert_ok!(report(lie(receipt, channel, number, 2 * AIT)));
		}
		assert_eq!(ait(&client()), before + 6 * AIT);
		assert_eq!(ait(&account(8)), deposits - 3 * REPORT_DEPOSIT);
		// After thirty days what is known goes, a few rows with each call.
		pass(30 * DAY_MS);
		for _ in 0..2 {
			ComputeReceipts::forget_old();
		}
		assert_eq!(ait(&account(8)), deposits);
		let again = report(lie(receipt, channel, 4, AIT));
		assert_noop!(again, Error::<Test>::UnknownChannel);
		assert_eq!(EndedChannels::<Test>::iter().count() + Facts::<Test>::iter().count(), 0);
		assert_eq!(Forget::<Test>::iter().count() + GivenBackOf::<Test>::iter().count(), 0);
		// A channel of which nothing was settled is remembered, too: it may be given up.
		let channel = open_channel(IN_AIT);
		assert_ok!(close_as(9, channel));
		pass(NOTICE_MS);
		assert_ok!(give_back(&[channel]));
		assert_eq!(EndedChannels::<Test>::iter().count(), 1);
	});
}

#[test]
fn a_coordinator_answers_for_what_its_old_key_signed() {
	build_and_execute(|| {
		let (channel, receipt) = paid(9, large(100 * AIT), 10 * AIT);
		let account_of = account(COORDINATOR);
		let role = PartyRole::Coordinator;
		let statement = Registration { role, account: account_of.clone().into() };
		let proof = sign(60, &statement.signing_payload(&genesis()));
		let call = Call::exchange_key { key: key(COORDINATOR), new: key(60), proof };
		assert_ok!(dispatch(call, account_of));
		pass(KEY_EXCHANGE_MS);
		let call = Call::complete_exchange { key: key(COORDINATOR) };
		assert_ok!(dispatch(call, account(8)));
		let before = ait(&client());
		assert_ok!(report(lie(receipt, channel, 2, 4 * AIT)));
		assert_eq!(ait(&client()), before + 4 * AIT);
		let party = Parties::<Test>::get(key(60)).unwrap();
		assert_eq!((party.bond, party.pending_slash()), (996 * AIT, SLASH));
		let unknown = accuse(8, key(60), lie(receipt, channel, 3, AIT));
		assert_noop!(unknown, Error::<Test>::UnknownChannel);
	});
}

#[test]
fn a_coordinator_that_wronged_itself_is_only_slashed() {
	build_and_execute(|| {
		let (channel, receipt) = paid(COORDINATOR, large(100 * AIT), 10 * AIT);
		let before = worth(COORDINATOR);
		assert_ok!(report(lie(receipt, channel, 2, 10 * AIT)));
		assert_eq!(worth(COORDINATOR), before - SLASH);
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(24))]

	/// Client 9, coordinator and miner are one. Whatever it settles with itself, and accuses itself of,
	/// it has at least the slashes less than before, and the treasury as much more as if nobody had
	/// been wronged.
	#[test]
	fn who_accuses_himself_loses_what_the_slashes_cost_and_gains_nothing(
		price in 1..1_900u128,
		slash in 1..=500u32,
		lies in prop::collection::vec((2..6u64, 1..2_000u128), 1..6),
	) {
		build_and_execute(|| {
			set_parameters(|parameters: &mut ComputeParameters| parameters.slash = slash).unwrap();
			let (channel, receipt) = paid(9, large(2_000 * AIT), price * AIT);
			let worth_of_all = || worth(9) + worth(COORDINATOR) + worth(MINER);
			let (before, treasury) = (worth_of_all(), ait(&account(200)));
			let mut slashes = 0;
			for (number, price) in lies {
				let party = Parties::<Test>::get(key(COORDINATOR)).unwrap();
				let left = party.bond - party.pending_slash();
				let own = worth_of_all();
				if report(lie(receipt, channel, number, price * AIT)).is_ok() {
					let known = Parties::<Test>::get(key(COORDINATOR)).unwrap();
					let more = known.pending_slash() - party.pending_slash();
					let is_new = known.offences.len() > party.offences.len();
					// Exactly the share of what was left, with restitution as without.
					let expected = if is_new { left * u128::from(slash) / 1_000 } else { 0 };
					assert_eq!(more, expected);
					assert_eq!(worth_of_all(), own - more);
					slashes += more;
				}
			}
			assert!(slashes > 0);
			assert_eq!(worth_of_all(), before - slashes);
			assert!(GivenBackOf::<Test>::get(channel) <= price * AIT);
			pass(HOUR_MS);
			let call = Call::apply_slashes { key: key(COORDINATOR) };
			dispatch(call, account(8)).unwrap();
			assert_eq!(ait(&account(200)), treasury + slashes);
		});
	}
}
