//! Each lie around channels that the chain can see: it counts, and who was wronged is whole again.
//!
//! A receipt that is left out, and work of one miner settled as another's, are in `demands`; batches that
//! mix assets, use an older voucher or come after the end are refused, in `refusals`; a client that
//! closes and one deposit for two are in `money` and `refusals`. What everybody has before and after each of
//! them is in `accounts`.

use super::{books::*, evidence::*};
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset,
		channels::{
			BatchKind, ChannelEvidence, ChannelId, ChannelOffence, ChannelReceipt, PaidBy,
			ReceiptV2, SettlementBatch, SettlementHeader, Voucher, VoucherId, receipt_leaf,
		},
	},
	crypto::merkle,
	num::units::AIT,
};

/// A channel out of which two receipts of 5 and 3 AIT of one miner were settled.
pub(super) fn work() -> (ChannelId, Books, SettlementBatch, Vec<ChannelReceipt>) {
	let channel = open_channel(IN_AIT);
	let mut books = Books::of(COORDINATOR);
	for price in [5 * AIT, 3 * AIT] {
		books.work(channel, Some(MINER), price, 7);
	}
	let (batch, receipts) = settled(&mut books);
	(channel, books, batch, receipts)
}

fn offences() -> usize {
	Parties::<Test>::get(key(COORDINATOR)).unwrap().offences.len()
}

/// Reports, and checks what the client got back, and that the offence counted.
fn gives_client(offence: ChannelOffence, evidence: ChannelEvidence, amount: u128) {
	let (before, counted) = (ait(&client()), offences());
	let (own, treasury) = (worth(COORDINATOR), ait(&account(200)));
	let left = Parties::<Test>::get(key(COORDINATOR)).unwrap();
	let slash = (left.bond - left.pending_slash()) / 10;
	assert_ok!(report(evidence.clone()));
	assert_eq!(ait(&client()), before + amount);
	assert_eq!(worth(COORDINATOR), own - amount - slash);
	assert_eq!(ait(&account(200)), treasury, "the slash has its grace");
	assert_eq!(offences(), counted + 1);
	let proven = events().into_iter().rev().find_map(|event| match event {
		Event::ChannelOffenceProven { offence, .. } => Some(offence),
		_ => None,
	});
	assert_eq!(proven, Some(offence));
	assert_noop!(report(evidence), Error::<Test>::AlreadyReported);
}

#[test]
fn one_voucher_used_twice_gives_the_client_the_higher_price() {
	build_and_execute(|| {
		let (_, _, batch, receipts) = work();
		let mut other = receipts[0];
		other.receipt.price = 6 * AIT;
		let first = in_batch(&batch, &receipts, 0);
		let evidence = ChannelEvidence::TwoReceipts { first, second: vouched(other) };
		gives_client(ChannelOffence::TwoReceipts, evidence, 6 * AIT);
	});
}

#[test]
fn running_sums_that_overlap_give_the_client_the_lower_price() {
	build_and_execute(|| {
		let (_, _, _, receipts) = work();
		let mut other = receipts[1];
		other.sums.channel = receipts[0].sums.channel;
		let evidence =
			ChannelEvidence::Overlap { first: vouched(receipts[0]), second: vouched(other) };
		gives_client(ChannelOffence::Overlap, evidence, 3 * AIT);
		// The other way round it is the same.
		let evidence =
			ChannelEvidence::Overlap { first: vouched(other), second: vouched(receipts[0]) };
		assert_noop!(report(evidence), Error::<Test>::AlreadyReported);
	});
}

#[test]
fn a_line_that_contradicts_a_receipt_gives_the_client_its_price() {
	build_and_execute(|| {
		let (_, _, batch, receipts) = work();
		let mut at_completion = receipts[1];
		at_completion.receipt.price = 2 * AIT;
		at_completion.sums.channel.price = 6 * AIT;
		at_completion.sums.miner.price = 7 * AIT;
		let evidence = ChannelEvidence::Line {
			receipt: vouched(at_completion),
			header: batch.header,
			signature: batch.signature,
			line: channel_line(&batch, 0),
		};
		gives_client(ChannelOffence::Line, evidence, 2 * AIT);
	});
}

#[test]
fn a_line_with_an_older_voucher_than_its_receipt_gives_the_client_its_price() {
	build_and_execute(|| {
		let (channel, _, batch, receipts) = work();
		let mut newer = receipts[1];
		newer.receipt.paid_by = PaidBy::Voucher(VoucherId { channel, number: 3 });
		let evidence = ChannelEvidence::Line {
			receipt: vouched(newer),
			header: batch.header,
			signature: batch.signature,
			line: channel_line(&batch, 0),
		};
		gives_client(ChannelOffence::Line, evidence, 3 * AIT);
	});
}

#[test]
fn a_miners_work_that_is_counted_as_other_work_gives_the_miner_its_share() {
	build_and_execute(|| {
		let (_, _, batch, receipts) = work();
		// The same counts of the miner, in another channel.
		let other = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let twice = completed(&mut books, other, MINER, 4 * AIT);
		let before = ait(&account(MINER));
		let evidence =
			ChannelEvidence::Overlap { first: vouched(receipts[0]), second: vouched(twice) };
		assert_ok!(report(evidence));
		assert_eq!(ait(&account(MINER)), before + 3 * AIT);
		// A line that contradicts its counts says so, too: nothing more is owed for the same voucher.
		let mut late = twice;
		late.sums.miner.count = 2;
		let evidence = ChannelEvidence::Line {
			receipt: vouched(late),
			header: batch.header,
			signature: batch.signature,
			line: miner_line(&batch, 0),
		};
		assert_ok!(report(evidence));
		assert_eq!((ait(&account(MINER)), offences()), (before + 3 * AIT, 2));
	});
}

#[test]
fn a_receipt_of_another_asset_gives_the_client_its_price() {
	build_and_execute(|| {
		let (_, _, _, receipts) = work();
		assert_noop!(
			report(ChannelEvidence::OtherKind(vouched(receipts[0]))),
			Error::<Test>::InvalidEvidence
		);
		let mut other = receipts[0];
		other.sums.kind = BatchKind { asset: PriceAsset::Aicp, ..IN_AIT };
		let evidence = ChannelEvidence::OtherKind(vouched(other));
		gives_client(ChannelOffence::OtherKind, evidence, 5 * AIT);
	});
}

#[test]
fn an_inflated_weight_is_proven_by_every_factor_that_may_have_counted() {
	build_and_execute(|| {
		let (_, _, _, receipts) = work();
		let model = receipts[0].receipt.model;
		let mut inflated = receipts[0];
		inflated.receipt.weight = 14;
		let evidence = || ChannelEvidence::OtherWeight(vouched(inflated));
		let sound = || ChannelEvidence::OtherWeight(vouched(receipts[0]));
		// Nobody knows the model.
		Factors::set(Vec::new());
		assert_noop!(report(evidence()), Error::<Test>::InvalidEvidence);
		// The factor changes after the channel was opened: either may have counted.
		Factors::set(vec![(model, 0, 1_000), (model, START, 2_000)]);
		assert_noop!(report(evidence()), Error::<Test>::InvalidEvidence);
		assert_noop!(report(sound()), Error::<Test>::InvalidEvidence);
		// One that begins later did not.
		Factors::set(vec![(model, 0, 1_000), (model, START + DAY_MS, 2_000)]);
		assert_noop!(report(sound()), Error::<Test>::InvalidEvidence);
		gives_client(ChannelOffence::OtherWeight, evidence(), 0);
	});
}

#[test]
fn two_headers_of_one_number_are_an_offence_for_as_long_as_it_is_remembered() {
	build_and_execute(|| {
		let (_, _, batch, _) = work();
		let other = SettlementHeader { receipts: H256::zero(), ..batch.header };
		let pair = |header: SettlementHeader| {
			(header, sign(COORDINATOR, &header.signing_payload(&genesis())))
		};
		let evidence = |other| ChannelEvidence::TwoHeaders {
			first: (batch.header, batch.signature),
			second: pair(other),
		};
		let later = SettlementHeader { time_ms: Now::get() + 1, ..other };
		assert_noop!(report(evidence(later)), Error::<Test>::EvidenceTooOld);
		gives_client(ChannelOffence::TwoHeaders, evidence(other), 0);
		// Another header of that number is the same fact.
		let third = SettlementHeader { lines: H256::zero(), ..batch.header };
		assert_noop!(report(evidence(third)), Error::<Test>::AlreadyReported);
		let deposit = ait(&account(8));
		pass(30 * DAY_MS);
		assert_noop!(report(evidence(third)), Error::<Test>::EvidenceTooOld);
		ComputeReceipts::forget_old();
		assert_eq!(HeaderFacts::<Test>::iter().count(), 0);
		assert_eq!(ait(&account(8)), deposit + REPORT_DEPOSIT);
	});
}

#[test]
fn a_batch_whose_receipts_are_not_in_order_is_an_offence() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		let receipts: Vec<_> =
			[3, 2].map(|price| completed(&mut books, channel, MINER, price * AIT)).into();
		let mut batch = books.batch(IN_AIT, &[]);
		let wrong = vec![receipts[1], receipts[0]];
		let leaves: Vec<_> = wrong.iter().map(receipt_leaf).collect();
		batch.header.receipts = merkle::root(&leaves);
		books.sign(&mut batch, &[]);
		settle(&batch);
		let evidence = ChannelEvidence::Misplaced {
			header: batch.header,
			signature: batch.signature,
			first: placed(&wrong, 0),
			second: placed(&wrong, 1),
		};
		gives_client(ChannelOffence::Misplaced, evidence, 0);
	});
}

#[test]
fn a_receipt_that_no_batch_may_have_gives_the_client_its_price() {
	build_and_execute(|| {
		let (channel, _, _, receipts) = work();
		let voucher = Voucher { channel, number: 2, amount: 0, spec_hash: H256::zero() };
		let mut paid = receipts[1];
		paid.receipt = ReceiptV2 { price: AIT, ..ReceiptV2::without_answer(&voucher, 0) };
		gives_client(ChannelOffence::Unsound, ChannelEvidence::Unsound(vouched(paid)), AIT);
	});
}

#[test]
fn nobody_is_accused_by_what_he_did_not_sign() {
	build_and_execute(|| {
		let (channel, _, _, receipts) = work();
		let mut other = receipts[0];
		other.receipt.price = 6 * AIT;
		let mut forged = vouched(other);
		forged.signature = sign(MINER, &other.coordinator_payload(&genesis()));
		let evidence = ChannelEvidence::TwoReceipts { first: vouched(receipts[0]), second: forged };
		assert_noop!(report(evidence), Error::<Test>::InvalidEvidence);
		// Another coordinator's channel, a miner's key, a key that nobody has.
		let of = |who: u8| accuse(8, key(who), two(receipts[0], other));
		assert_noop!(of(MINER), Error::<Test>::UnknownParty);
		assert_noop!(of(77), Error::<Test>::UnknownParty);
		assert_ok!(register(4, gridproof_primitives::compute::PartyRole::Coordinator));
		assert_noop!(of(4), Error::<Test>::UnknownChannel);
		let mut nowhere = [receipts[0], other];
		for receipt in &mut nowhere {
			receipt.receipt.paid_by =
				PaidBy::Voucher(VoucherId { channel: channel + 1, number: 1 });
		}
		let unknown = Error::<Test>::UnknownChannel;
		assert_noop!(report(two(nowhere[0], nowhere[1])), unknown);
	});
}
