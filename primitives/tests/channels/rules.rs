//! Which headers, lines and receipts make a batch that settles.

use crate::world::{
	AICP, AIT, Chain, GENESIS, SPACING_MS, client, coordinator, miner, public, settled, sign,
};
use codec::{Decode, Encode, MaxEncodedLen};
use gridproof_primitives::{
	H256,
	compute::channels::{
		Batch, BatchError, BatchRefusal, ChannelReceipt, ChannelSums, DemandRefusal, Demanded,
		GivenUp, HEADERS_PER_MARK, HeaderChain, MAX_LINES, MAX_PASSED_OVER, MinerSums, PaidBy,
		ReceiptProof, ReceiptV2Refusal, SettlementBatch, SettlementHeader, SignedMinerLine,
		batch_fee, check_answer, demand,
	},
};
use std::collections::BTreeMap;

/// Another batch over the same lines, changed and signed again.
fn changed(signed: &SettlementBatch, change: impl FnOnce(&mut SettlementBatch)) -> SettlementBatch {
	let mut batch = signed.clone();
	change(&mut batch);
	let lists = batch.lists();
	batch.header.lines = gridproof_primitives::crypto::merkle::root(&lists.leaves());
	batch.header.channels = u32::try_from(lists.channels.len()).unwrap();
	let of_miners = lists.miners.len() + lists.given_up.len();
	batch.header.miners = u32::try_from(of_miners).unwrap();
	if let Some(sums) = lists.of_miners() {
		batch.header.sums = sums;
	}
	sign_again(&mut batch);
	batch
}

fn sign_again(batch: &mut SettlementBatch) {
	for signed in &mut batch.channels {
		let voucher = signed.line.voucher;
		signed.signature = sign(&client(voucher.channel), &voucher.signing_payload(&GENESIS));
	}
	batch.signature = sign(&coordinator(), &batch.header.signing_payload(&GENESIS));
}

fn refusal(chain: &Chain, batch: &SettlementBatch) -> BatchRefusal {
	chain.clone().settle(batch, 2_000).unwrap_err()
}

#[test]
fn a_batch_moves_each_channel_and_each_miner_once() {
	let (_, mut chain, _, signed) = settled();
	assert_eq!(chain.settle(&signed, 2_000), Ok(()));
	for channel in chain.channels.values() {
		assert_eq!(channel.settled, ChannelSums { count: 2, price: 120 });
		assert_eq!((channel.voucher_number, channel.voucher_amount), (2, 160));
		assert_eq!(channel.left(), 999_880);
	}
	for number in 0..2 {
		let sums = chain.miners[&(AIT, Some(public(&miner(number))))];
		// Seven tokens of factor 2.5, twice.
		assert_eq!(sums, MinerSums { count: 2, price: 120, weight: 34 });
	}
	assert_eq!(chain.paid[&AIT], 240);
}

#[test]
fn a_header_is_the_next_of_its_coordinator() {
	let (_, chain, _, signed) = settled();
	let first = chain.headers;
	let header = |change: &dyn Fn(&mut SettlementHeader)| {
		let mut header = signed.header;
		change(&mut header);
		header
	};
	let after = first.next(&signed.header, 2_500, SPACING_MS).unwrap();
	let kept = HeaderChain {
		next_sequence: 1,
		last_hash: signed.header.hash(),
		last_time_ms: 2_000,
		taken_ms: 2_500,
	};
	assert_eq!(after, kept);
	let next = header(&|header| {
		header.sequence = 1;
		header.previous = signed.header.hash();
	});
	assert!(after.next(&next, 3_500, SPACING_MS).is_ok());
	let refused = |header: &SettlementHeader, now| after.next(header, now, SPACING_MS).unwrap_err();
	assert_eq!(refused(&next, 3_499), BatchRefusal::TooSoon);
	assert_eq!(refused(&signed.header, 9_000), BatchRefusal::SequencePast);
	let ahead = SettlementHeader { sequence: 2, previous: next.hash(), ..next };
	assert_eq!(refused(&ahead, 9_000), BatchRefusal::SequenceAhead);
	let other = SettlementHeader { previous: H256::zero(), ..next };
	assert_eq!(refused(&other, 9_000), BatchRefusal::OtherPrevious);
	let back = SettlementHeader { time_ms: 1_999, ..next };
	assert_eq!(refused(&back, 9_000), BatchRefusal::TimeBack);
	let early = SettlementHeader { time_ms: 69_001, ..next };
	assert_eq!(refused(&early, 9_000), BatchRefusal::TimeAhead);
	let last = HeaderChain { next_sequence: u64::MAX, ..HeaderChain::default() };
	let header = SettlementHeader { sequence: u64::MAX, previous: H256::zero(), ..next };
	assert_eq!(last.next(&header, 9_000, SPACING_MS), Err(BatchRefusal::SequencePast));
}

#[test]
fn a_number_that_was_refused_is_passed_over_and_never_comes_back() {
	let (_, chain, _, signed) = settled();
	let first = chain.headers.next(&signed.header, 2_500, SPACING_MS).unwrap();
	let after = |sequence| SettlementHeader {
		sequence,
		previous: signed.header.hash(),
		time_ms: 3_000,
		..signed.header
	};
	let most = 1 + u64::from(MAX_PASSED_OVER);
	for sequence in [1, 2, most] {
		let next = first.next(&after(sequence), 9_000, SPACING_MS).unwrap();
		assert_eq!(next.next_sequence, sequence + 1);
		assert_eq!(next.last_hash, after(sequence).hash());
		for late in 1..=sequence {
			let refused = next.next(&after(late), 19_000, SPACING_MS);
			assert_eq!(refused, Err(BatchRefusal::SequencePast));
		}
	}
	// Of each group of numbers that the chain keeps a header of, one is used.
	let refused = first.next(&after(most + 1), 9_000, SPACING_MS);
	assert_eq!(refused, Err(BatchRefusal::SequenceAhead));
	assert_eq!(MAX_PASSED_OVER + 1, HEADERS_PER_MARK);
	// So is the very first.
	let begins = SettlementHeader { sequence: 3, ..signed.header };
	assert_eq!(chain.headers.next(&begins, 2_500, SPACING_MS).unwrap().next_sequence, 4);
}

#[test]
fn the_lines_of_a_batch_are_refused_by_their_rules() {
	use BatchRefusal::*;
	let (_, chain, _, signed) = settled();
	type Change<'a> = &'a dyn Fn(&mut SettlementBatch);
	let cases: &[(BatchRefusal, Change<'_>)] = &[
		(NoReceipts, &|b| b.channels.clear()),
		(NoReceipts, &|b| b.miners.clear()),
		(EmptyRange, &|b| b.channels[0].line.from.count = 2),
		(EmptyRange, &|b| b.miners[1].line.to.count = 0),
		(FallingSums, &|b| {
			b.channels[0].line.from = ChannelSums { count: 1, price: 121 };
		}),
		(FallingSums, &|b| b.channels[0].line.from.price = 1),
		(FallingSums, &|b| b.miners[0].line.from.weight = 1),
		(PaidWithoutMiner, &|b| b.miners[0].line.miner = None),
		(AboveVoucher, &|b| b.channels[0].line.voucher.amount = 119),
		(MoreReceiptsThanVouchers, &|b| b.channels[0].line.voucher.number = 1),
		(ChannelsUnsorted, &|b| b.channels[..].swap(0, 1)),
		(ChannelsUnsorted, &|b| {
			let line = b.channels[0];
			b.channels.try_push(line).unwrap();
		}),
		(MinersUnsorted, &|b| b.miners[..].swap(0, 1)),
		(ListsDisagree, &|b| b.miners[0].line.to.price = 119),
		(ListsDisagree, &|b| b.miners[0].line.to.count = 1),
		(SumsOverflow, &|b| {
			for line in &mut b.miners {
				line.line.to.price = u128::MAX;
			}
		}),
		(UnknownChannel, &|b| b.channels[1].line.voucher.channel = 9),
		(ChannelNotJoined, &|b| {
			b.channels[0].line.from = ChannelSums { count: 1, price: 60 };
			b.miners[0].line.from = MinerSums { count: 1, price: 60, weight: 17 };
		}),
		(MinerNotJoined, &|b| {
			let line = &mut b.miners[0].line;
			for sums in [&mut line.from, &mut line.to] {
				*sums = sums.after(0, 0).unwrap();
			}
		}),
	];
	for (expected, change) in cases {
		assert_eq!(refusal(&chain, &changed(&signed, change)), *expected);
	}
}

#[test]
fn a_header_commits_to_its_lines() {
	use BatchRefusal::*;
	let (_, chain, _, signed) = settled();
	let mut batch = signed.clone();
	batch.channels[0].line.voucher.amount += 1;
	sign_again(&mut batch);
	assert_eq!(refusal(&chain, &batch), OtherLines);
	for change in [
		|header: &mut SettlementHeader| header.sums.price += 1,
		|header: &mut SettlementHeader| header.sums.weight += 1,
		|header: &mut SettlementHeader| header.sums.receipts += 1,
		|header: &mut SettlementHeader| header.channels += 1,
		|header: &mut SettlementHeader| header.miners += 1,
	] {
		let mut batch = signed.clone();
		change(&mut batch.header);
		sign_again(&mut batch);
		assert_eq!(refusal(&chain, &batch), HeaderDisagrees);
	}
	let mut batch = signed.clone();
	batch.header.receipts = H256::zero();
	assert_eq!(refusal(&chain, &batch), BadHeaderSignature);
	let mut batch = signed.clone();
	batch.signature = sign(&miner(0), &batch.header.signing_payload(&GENESIS));
	assert_eq!(refusal(&chain, &batch), BadHeaderSignature);
	let mut batch = signed;
	batch.channels[1].signature = batch.channels[0].signature;
	assert_eq!(refusal(&chain, &batch), BadVoucherSignature);
}

#[test]
fn receipts_that_do_not_fit_make_no_batch() {
	let (books, _, batch, signed) = settled();
	let vouchers: BTreeMap<_, _> =
		books.newest.iter().map(|(id, one)| (*id, one.voucher)).collect();
	let receipts = batch.receipts().to_vec();
	assert!(Batch::of(AIT, receipts.clone(), &vouchers).is_ok());
	let refused = |receipts: Vec<ChannelReceipt>| Batch::of(AIT, receipts, &vouchers).unwrap_err();
	assert_eq!(refused(vec![]), BatchError::Number);
	let id = receipts[0].receipt.voucher().unwrap();
	assert_eq!(Batch::of(AICP, receipts.clone(), &vouchers), Err(BatchError::OtherKind(id)));
	let twice = [&receipts[..], &receipts[..1]].concat();
	assert_eq!(refused(twice), BatchError::VoucherTwice(id));
	let mut of_job = receipts.clone();
	of_job[0].receipt.paid_by = PaidBy::Job(H256::zero());
	assert_eq!(refused(of_job), BatchError::NotOfAChannel);
	let mut unsound = receipts.clone();
	unsound[0].receipt.telemetry.duration_ms = 0;
	assert_eq!(refused(unsound), BatchError::Receipt(id, ReceiptV2Refusal::NoTime));
	let mut no_voucher = vouchers.clone();
	no_voucher.remove(&1);
	let refusal = Batch::of(AIT, receipts.clone(), &no_voucher).unwrap_err();
	assert_eq!(refusal, BatchError::NoVoucher(1));
	let mut older = vouchers.clone();
	older.get_mut(&1).unwrap().number = 1;
	let refusal = Batch::of(AIT, receipts.clone(), &older).unwrap_err();
	assert_eq!(refusal, BatchError::NoVoucher(1));
	let mut lower = vouchers.clone();
	lower.get_mut(&1).unwrap().amount = 119;
	let refusal = Batch::of(AIT, receipts.clone(), &lower).unwrap_err();
	assert_eq!(refusal, BatchError::Lines(BatchRefusal::AboveVoucher));
	let mut gap = receipts.clone();
	gap[1].sums.miner.count += 1;
	assert_eq!(refused(gap), BatchError::MinerGap(receipts[0].receipt.miner));
	let mut gap = receipts.clone();
	let second = gap.iter_mut().find(|one| one.sums.channel.count == 2).unwrap();
	second.sums.channel.count = 3;
	assert_eq!(refused(gap), BatchError::ChannelGap(0));
	// Sound receipts of other work are not those of the header.
	let mut other = receipts;
	other[0].receipt.output_root = H256::zero();
	let refusal = Batch::audit(&signed.header, batch.lists(), other).unwrap_err();
	assert_eq!(refusal, BatchError::OtherReceipts);
}

#[test]
fn a_demand_is_due_after_its_time_and_answered_by_the_very_receipt() {
	let (_, mut chain, batch, signed) = settled();
	let receipt = batch.receipts()[1];
	let due = receipt.receipt.settle_by_ms;
	let id = receipt.receipt.voucher().unwrap();
	let settled = |chain: &Chain| chain.channels[&id.channel].settled;
	assert_eq!(demand(&receipt, &settled(&chain), due), Err(DemandRefusal::NotDue));
	assert_eq!(demand(&receipt, &settled(&chain), due + 1), Ok(Demanded::Unsettled));
	chain.settle(&signed, 2_000).unwrap();
	assert_eq!(demand(&receipt, &settled(&chain), due + 1), Ok(Demanded::Counted));
	let answer = ReceiptProof::of(&batch, 1).unwrap().receipt;
	assert_eq!(check_answer(&receipt, &answer, &signed.header), Ok(()));
	let other = batch.receipts()[0];
	let refused = check_answer(&other, &answer, &signed.header);
	assert_eq!(refused, Err(DemandRefusal::OtherReceipt));
	let elsewhere = SettlementHeader { receipts: H256::zero(), ..signed.header };
	let refused = check_answer(&receipt, &answer, &elsewhere);
	assert!(matches!(refused, Err(DemandRefusal::NotIncluded(_))));
}

#[test]
fn each_line_costs_a_fee() {
	let (_, _, _, signed) = settled();
	assert_eq!(batch_fee(&signed.header, 10), Some(40));
	assert_eq!(batch_fee(&signed.header, u128::MAX), None);
}

#[test]
fn refusals_of_batches_are_numbered_without_a_gap_and_say_what_helps() {
	let all: Vec<BatchRefusal> = (0..=u8::MAX).map_while(BatchRefusal::from_code).collect();
	assert_eq!(all.len(), 41);
	assert!((41..=u8::MAX).all(|code| BatchRefusal::from_code(code).is_none()));
	let named = |refusal: &BatchRefusal| BatchRefusal::from_name(refusal.as_str());
	assert!(all.iter().all(|refusal| named(refusal) == Some(*refusal)));
	for (code, refusal) in all.iter().enumerate() {
		assert_eq!(usize::from(refusal.code()), code);
		assert!(!refusal.as_str().is_empty() && !refusal.to_string().is_empty());
	}
	let names: std::collections::BTreeSet<_> = all.iter().map(|one| one.as_str()).collect();
	assert_eq!(names.len(), all.len());
	let temporary: Vec<_> = all.into_iter().filter(|one| one.is_temporary()).collect();
	assert_eq!(
		temporary,
		[
			BatchRefusal::Stopped,
			BatchRefusal::SequenceAhead,
			BatchRefusal::TimeAhead,
			BatchRefusal::TooSoon,
			BatchRefusal::UnknownChannel,
			BatchRefusal::AboveDeposit,
			BatchRefusal::AboveDailyLimit,
			BatchRefusal::CoordinatorBanned,
			BatchRefusal::CoordinatorUnderbonded,
			BatchRefusal::FeeUnpaid,
		]
	);
}

#[test]
fn a_batch_is_bounded_and_comes_back_from_its_bytes() {
	let (_, _, _, signed) = settled();
	let bytes = signed.encode();
	assert_eq!(SettlementBatch::decode(&mut &bytes[..]), Ok(signed.clone()));
	// A header of 195 bytes and 36 of a CID, 176 bytes a channel, 178 a miner, 121 a range.
	assert_eq!(signed.header.encode().len(), 195);
	assert_eq!(SettlementHeader::max_encoded_len(), 195 + 36);
	assert_eq!(signed.channels[0].encode().len(), 176);
	assert_eq!(SignedMinerLine::max_encoded_len(), 178);
	let lines = usize::try_from(MAX_LINES).unwrap();
	assert_eq!(GivenUp::max_encoded_len(), 121);
	let most = 195 + 36 + 64 + 3 * 2 + lines * (176 + 178 + 121);
	assert_eq!(SettlementBatch::max_encoded_len(), most);
	// 500 receipts a channel and as many channels as fit: below two bytes a receipt.
	assert!(most < 2 * 500 * lines);
}
