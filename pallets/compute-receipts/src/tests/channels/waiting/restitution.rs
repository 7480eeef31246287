//! What an offence took is given back from what waits first.

use super::super::evidence::*;
use super::*;
use frame_support::assert_ok;
use gridproof_primitives::{
	compute::channels::{ChannelEvidence, ChannelReceipt, PaidBy, VoucherId},
	num::units::AICP,
};

/// A channel of the client out of which so much was settled for one receipt.
fn paid(made: ChannelTerms, price: u128) -> (ChannelId, ChannelReceipt) {
	let channel = open_as(9, made).unwrap();
	let mut books = Books::of(COORDINATOR);
	let sums = ComputeReceipts::miner_sums(key(COORDINATOR), made.kind, Some(key(MINER)));
	books.continue_from(made.kind, MINER, sums);
	let receipt = completed(&mut books, channel, MINER, price);
	pass(SPACING_MS);
	settle(&books.batch(made.kind, &[]));
	(channel, receipt)
}

/// Two receipts of another voucher of the channel, the dearer one of that price.
fn lie(receipt: ChannelReceipt, channel: ChannelId, price: u128) -> ChannelEvidence {
	let with = |price| {
		let mut other = receipt;
		other.receipt.paid_by = PaidBy::Voucher(VoucherId { channel, number: 2 });
		other.receipt.price = price;
		other
	};
	two(with(price), with(0))
}

fn bond() -> u128 {
	Parties::<Test>::get(key(COORDINATOR)).unwrap().bond
}

#[test]
fn what_waits_of_the_coordinator_comes_before_its_bond() {
	with_window(|| {
		let (channel, receipt) = paid(large(200 * AIT), 100 * AIT);
		let (before, has_bond) = (ait(&client()), bond());
		assert_ok!(report(lie(receipt, channel, 20 * AIT)));
		// A twentieth of 100 AIT waits, the bond gives the rest.
		assert_eq!((ait(&client()), bond()), (before + 20 * AIT, has_bond - 15 * AIT));
		let event = Event::GivenBackOfWaiting {
			coordinator: key(COORDINATOR),
			to: client(),
			asset: gridproof_primitives::compute::PriceAsset::Ait,
			amount: 5 * AIT,
		};
		assert!(events().contains(&event));
		assert_eq!(WaitingTotals::<Test>::get().ait, 75 * AIT);
		pass(WINDOW_MS);
		let has = ait(&account(MINER));
		assert_ok!(release(&[line(0, MINER)]));
		assert_eq!(ait(&account(MINER)), has + 75 * AIT);
		nothing_waits();
	});
}

#[test]
fn what_waits_is_enough_for_a_small_lie_and_the_bond_is_only_slashed() {
	with_window(|| {
		let (channel, receipt) = paid(large(200 * AIT), 100 * AIT);
		let (before, has_bond) = (ait(&client()), bond());
		assert_ok!(report(lie(receipt, channel, 2 * AIT)));
		assert_eq!((ait(&client()), bond()), (before + 2 * AIT, has_bond));
		let party = Parties::<Test>::get(key(COORDINATOR)).unwrap();
		assert_eq!(party.pending_slash(), SLASH);
		pass(WINDOW_MS);
		let has = ait(&account(COORDINATOR));
		assert_ok!(release(&[own(0)]));
		assert_eq!(ait(&account(COORDINATOR)), has + 3 * AIT);
	});
}

#[test]
fn aicp_that_wait_are_given_back_without_a_rate() {
	with_window(|| {
		let made = ChannelTerms { deposit: 20 * AICP, ..terms(IN_AICP) };
		let (channel, receipt) = paid(made, 10 * AICP);
		let (before, has_bond) = (aicp(&client()), bond());
		assert_ok!(report(lie(receipt, channel, 4 * AICP)));
		assert_eq!((aicp(&client()), bond()), (before + AICP / 2, has_bond));
		assert_eq!(GivenBackOf::<Test>::get(channel), AICP / 2);
		// With a rate the bond gives what is missing: 3.5 AICP at half of 2 AIT.
		let new = Some(gridproof_primitives::compute::AitPerAicp { ait: 2, aicp: 1 });
		assert_ok!(dispatch_as(Call::set_reference_rate { new }, RuntimeOrigin::root()));
		assert_ok!(report_as(7, lie(receipt, channel, 4 * AICP)));
		assert_eq!(bond(), has_bond - 7 * AIT / 2);
		assert_eq!(GivenBackOf::<Test>::get(channel), 4 * AICP);
	});
}

#[test]
fn a_miner_gets_no_more_than_the_slash_from_bond_and_waiting_pay_together() {
	with_window(|| {
		// 30 AIT of the coordinator's pay wait.
		paid(large(2_000 * AIT), 600 * AIT);
		let channel = open_as(9, large(2_000 * AIT)).unwrap();
		let mut books = Books::of(COORDINATOR);
		let from = ComputeReceipts::miner_sums(key(COORDINATOR), IN_AIT, Some(key(MINER)));
		books.continue_from(IN_AIT, MINER, from);
		let receipt = completed(&mut books, channel, MINER, 1_000 * AIT);
		pass(60_001);
		assert_ok!(demand_as(MINER, receipt));
		pass(ANSWER_MS);
		let (before, has_bond) = (ait(&account(MINER)), bond());
		assert_ok!(lapse(&receipt));
		// Its share is 750 AIT, the slash 100: 30 that wait and 70 of the bond. The demand's deposit for
		// an answer returns.
		assert_eq!(ait(&account(MINER)), before + SLASH + ANSWER);
		assert_eq!(bond(), has_bond - 70 * AIT);
	});
}

#[test]
fn dust_in_front_hides_nothing_that_waits() {
	with_window(|| {
		// Ten batches of another asset, whose pay is a twentieth of a few micro-tokens.
		for _ in 0..10 {
			let dust = open_as(9, ChannelTerms { deposit: AICP, ..terms(IN_AICP) }).unwrap();
			settle_for(IN_AICP, &[(dust, (MINER, 40, 1))], &[]);
		}
		let (channel, receipt) = paid(large(200 * AIT), 100 * AIT);
		let has_bond = bond();
		assert_ok!(report(lie(receipt, channel, 2 * AIT)));
		assert_eq!(bond(), has_bond, "five AIT wait, and two are owed");
	});
}

#[test]
fn pay_that_is_taken_from_all_of_its_batches_lines_removes_what_is_empty() {
	with_window(|| {
		let (channel, receipt) = paid(large(200 * AIT), 100 * AIT);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER)]));
		assert_ok!(report(lie(receipt, channel, 20 * AIT)));
		nothing_waits();
	});
}
