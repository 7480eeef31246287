//! Each lie of a coordinator is shown by what it signed, and no honest coordinator can be accused.

use crate::world::{AICP, AIT, Books, FACTOR, GENESIS, coordinator, miner, public, sign, terms};
use gridproof_primitives::{
	H256,
	compute::channels::{
		Attested, Batch, ChainFacts, Channel, ChannelEvidence, ChannelEvidenceError,
		ChannelOffence, ChannelProven, ChannelReceipt, ChannelSums, InBatch, PlacedLine,
		ReceiptProof, SettlementBatch, Wronged, channel_sums_agree, miner_sums_agree,
	},
	crypto::merkle,
};
use proptest::prelude::*;

const FACTS: ChainFacts = ChainFacts { channel_kind: Some(AIT), model_factor: Some(FACTOR) };

/// Signed at completion.
fn signed(receipt: ChannelReceipt) -> Attested {
	let signature = sign(&coordinator(), &receipt.coordinator_payload(&GENESIS));
	Attested { receipt, signature, batch: None }
}

/// In a batch.
fn included(batch: &Batch, signed: &SettlementBatch, index: usize) -> Attested {
	let placed = ReceiptProof::of(batch, index).unwrap().receipt;
	let (index, path) = (placed.index, placed.path);
	let batch = InBatch { header: signed.header, index, path };
	Attested { receipt: placed.item, signature: signed.signature, batch: Some(batch) }
}

fn check(evidence: &ChannelEvidence) -> Result<ChannelProven, ChannelEvidenceError> {
	evidence.check(&GENESIS, &public(&coordinator()), &FACTS)
}

/// Two channels with two receipts each of one miner, and a batch of them.
fn work() -> (Books, Vec<ChannelReceipt>, Batch, SettlementBatch) {
	let (mut books, mut receipts) = (Books::default(), vec![]);
	for (channel, price) in [(0, 60), (0, 50), (1, 40), (1, 30)] {
		let state = Channel::open(&terms(AIT, channel)).unwrap();
		books.request(channel, &state, 100, 1_000).unwrap();
		receipts.push(books.complete(0, AIT, Some(public(&miner(0))), price, 4, 1_000));
	}
	let (batch, signed) = books.batch(AIT, usize::MAX, 2_000).unwrap();
	(books, receipts, batch, signed)
}

fn two_receipts(first: Attested, second: Attested) -> ChannelEvidence {
	ChannelEvidence::TwoReceipts { first, second }
}

fn overlap(first: ChannelReceipt, second: ChannelReceipt) -> ChannelEvidence {
	ChannelEvidence::Overlap { first: signed(first), second: signed(second) }
}

#[test]
fn one_voucher_used_twice_is_an_offence() {
	let (_, receipts, batch, settled) = work();
	let mut other = receipts[0];
	(other.receipt.price, other.receipt.miner) = (70, Some(public(&miner(1))));
	let proven = ChannelProven {
		offence: ChannelOffence::TwoReceipts,
		wronged: Wronged::Client(0),
		amount: 70,
	};
	assert_eq!(check(&two_receipts(signed(receipts[0]), signed(other))), Ok(proven));
	// Work of one miner settled as another's: the one at completion, the other in the batch.
	let index = batch.receipts().iter().position(|one| *one == receipts[0]).unwrap();
	let in_batch = included(&batch, &settled, index);
	assert_eq!(check(&two_receipts(in_batch.clone(), signed(other))), Ok(proven));
	// One receipt with two running sums.
	let mut sums = receipts[0];
	sums.sums.channel.price += 1;
	assert!(check(&two_receipts(signed(receipts[0]), signed(sums))).is_ok());
	let error = |first, second| check(&two_receipts(first, second)).unwrap_err();
	use ChannelEvidenceError::*;
	assert_eq!(error(in_batch.clone(), signed(receipts[0])), NoContradiction);
	assert_eq!(error(signed(receipts[0]), signed(receipts[1])), OtherSubject);
	let mut forged = signed(other);
	forged.signature = sign(&miner(1), &other.coordinator_payload(&GENESIS));
	assert_eq!(error(in_batch.clone(), forged), BadSignature);
	let mut elsewhere = in_batch.clone();
	elsewhere.batch.as_mut().unwrap().index += 1;
	assert_eq!(error(elsewhere, signed(other)), NotInBatch);
	let mut forged = in_batch;
	forged.batch.as_mut().unwrap().header.coordinator = public(&miner(1));
	assert_eq!(error(forged, signed(other)), BadSignature);
}

#[test]
fn running_sums_that_overlap_are_an_offence() {
	let (_, receipts, ..) = work();
	let client = |amount| ChannelProven {
		offence: ChannelOffence::Overlap,
		wronged: Wronged::Client(0),
		amount,
	};
	// The second receipt of the channel takes the first one's place, or part of it.
	let mut same_count = receipts[1];
	same_count.sums.channel = receipts[0].sums.channel;
	assert_eq!(check(&overlap(receipts[0], same_count)), Ok(client(50)));
	let mut part = receipts[1];
	part.sums.channel.price -= 1;
	assert_eq!(check(&overlap(receipts[0], part)), Ok(client(50)));
	assert_eq!(check(&overlap(part, receipts[0])), Ok(client(50)));
	// A gap between two receipts that follow each other.
	let mut gap = receipts[1];
	gap.sums.channel.price += 1;
	assert_eq!(check(&overlap(receipts[0], gap)), Ok(client(50)));
	// The same of a miner, over two channels.
	let miner_proven = ChannelProven {
		offence: ChannelOffence::Overlap,
		wronged: Wronged::Miner(public(&miner(0))),
		amount: 40,
	};
	for change in [
		|receipt: &mut ChannelReceipt| receipt.sums.miner.count = 2,
		|receipt: &mut ChannelReceipt| receipt.sums.miner.price -= 1,
		|receipt: &mut ChannelReceipt| receipt.sums.miner.weight -= 1,
	] {
		let mut other = receipts[2];
		change(&mut other);
		assert_eq!(check(&overlap(receipts[1], other)), Ok(miner_proven));
	}
	use ChannelEvidenceError::*;
	assert_eq!(check(&overlap(receipts[0], receipts[1])), Err(NoContradiction));
	assert_eq!(check(&overlap(receipts[0], receipts[0])), Err(NoContradiction));
	let mut other = receipts[2];
	other.receipt.miner = Some(public(&miner(1)));
	assert_eq!(check(&overlap(receipts[0], other)), Err(OtherSubject));
	// Another kind is counted apart.
	let mut other = receipts[2];
	(other.sums.kind, other.sums.miner) = (AICP, receipts[0].sums.miner);
	assert_eq!(check(&overlap(receipts[0], other)), Err(OtherSubject));
}

/// A batch whose coordinator left a receipt out and counted the next one in its place.
#[test]
fn a_receipt_left_out_is_an_offence() {
	let (books, receipts, ..) = work();
	let mut next = receipts[1];
	next.sums.channel = ChannelSums { count: 1, price: 50 };
	next.sums.miner = receipts[0].sums.miner;
	next.sums.miner.price = 50;
	let vouchers = [(0, books.newest[&0].voucher)].into();
	let batch = Batch::of(AIT, vec![next], &vouchers).unwrap();
	let settled = books.signed(&batch, 3_000);
	let in_batch = included(&batch, &settled, 0);
	let evidence =
		ChannelEvidence::Overlap { first: signed(receipts[0]), second: in_batch.clone() };
	assert_eq!(check(&evidence).unwrap().offence, ChannelOffence::Overlap);
	let line = ReceiptProof::of(&batch, 0).unwrap();
	for line in [PlacedLine::Channel(line.channel), PlacedLine::Miner(line.miner)] {
		let evidence = ChannelEvidence::Line {
			receipt: signed(receipts[0]),
			header: settled.header,
			signature: settled.signature,
			line,
		};
		assert_eq!(check(&evidence).unwrap().offence, ChannelOffence::Line);
		assert_eq!(check(&evidence).unwrap().amount, 60);
	}
}

#[test]
fn a_line_that_contradicts_a_receipt_is_an_offence() {
	let (_, receipts, batch, settled) = work();
	let index = batch.receipts().iter().position(|one| *one == receipts[0]).unwrap();
	let proof = ReceiptProof::of(&batch, index).unwrap();
	let evidence = |receipt: ChannelReceipt, line: &PlacedLine| ChannelEvidence::Line {
		receipt: signed(receipt),
		header: settled.header,
		signature: settled.signature,
		line: line.clone(),
	};
	let channel = PlacedLine::Channel(proof.channel.clone());
	let of_miner = PlacedLine::Miner(proof.miner.clone());
	use ChannelEvidenceError::*;
	for receipt in &receipts {
		// Every honest receipt agrees with every honest line.
		let of_channel = check(&evidence(*receipt, &channel)).unwrap_err();
		let is_of = receipt.receipt.voucher().unwrap().channel == 0;
		assert_eq!(of_channel, if is_of { NoContradiction } else { OtherSubject });
		assert_eq!(check(&evidence(*receipt, &of_miner)), Err(NoContradiction));
	}
	let mut later = receipts[1];
	later.sums.channel = ChannelSums { count: 3, price: 160 };
	assert_eq!(check(&evidence(later, &channel)), Err(NoContradiction));
	// A later one whose sums are not above the line.
	later.sums.channel.price = 159;
	assert!(check(&evidence(later, &channel)).is_ok());
	// The line's voucher is older than the receipt.
	let mut newer = receipts[1];
	if let gridproof_primitives::compute::channels::PaidBy::Voucher(id) = &mut newer.receipt.paid_by
	{
		id.number = 3;
	}
	assert!(check(&evidence(newer, &channel)).is_ok());
	// Another asset within the range of the line.
	let mut other = receipts[1];
	other.sums.kind = AICP;
	assert!(check(&evidence(other, &channel)).is_ok());
	assert_eq!(check(&evidence(other, &of_miner)), Err(OtherSubject));
	// A line that is not in the batch proves nothing.
	let mut forged = proof.channel.clone();
	forged.item.to.price += 1;
	let forged = PlacedLine::Channel(forged);
	assert_eq!(check(&evidence(receipts[1], &forged)), Err(NotInBatch));
}

#[test]
fn assets_mixed_are_an_offence() {
	let (_, receipts, ..) = work();
	let mut other = receipts[0];
	other.sums.kind = AICP;
	let proven = check(&ChannelEvidence::OtherKind(signed(other))).unwrap();
	assert_eq!((proven.wronged, proven.amount), (Wronged::Client(0), 60));
	let evidence = ChannelEvidence::OtherKind(signed(receipts[0]));
	assert_eq!(check(&evidence), Err(ChannelEvidenceError::NoContradiction));
	assert_eq!(evidence.channel(), Some(0));
	let key = public(&coordinator());
	let unknown = evidence.check(&GENESIS, &key, &ChainFacts::default());
	assert_eq!(unknown, Err(ChannelEvidenceError::Unknown));
}

#[test]
fn a_weight_that_is_not_that_of_the_tokens_is_an_offence() {
	let (_, receipts, ..) = work();
	let mut other = receipts[0];
	other.receipt.weight += 1;
	other.sums.miner.weight += 1;
	let evidence = ChannelEvidence::OtherWeight(signed(other));
	assert_eq!(check(&evidence).unwrap().offence, ChannelOffence::OtherWeight);
	assert_eq!(evidence.model(), Some(H256::repeat_byte(5)));
	let evidence = ChannelEvidence::OtherWeight(signed(receipts[0]));
	assert_eq!(check(&evidence), Err(ChannelEvidenceError::NoContradiction));
}

#[test]
fn two_headers_of_one_number_are_an_offence() {
	let (_, _, _, settled) = work();
	let mut other = settled.header;
	other.time_ms += 1;
	let by = |header: gridproof_primitives::compute::channels::SettlementHeader| {
		(header, sign(&coordinator(), &header.signing_payload(&GENESIS)))
	};
	let evidence = |first, second| ChannelEvidence::TwoHeaders { first, second };
	let first = by(settled.header);
	let proven = check(&evidence(first, by(other))).unwrap();
	assert_eq!(proven.offence, ChannelOffence::TwoHeaders);
	use ChannelEvidenceError::*;
	assert_eq!(check(&evidence(first, first)), Err(NoContradiction));
	other.sequence += 1;
	assert_eq!(check(&evidence(first, by(other))), Err(OtherSubject));
	other.sequence -= 1;
	assert_eq!(check(&evidence(first, (other, first.1))), Err(BadSignature));
}

#[test]
fn a_tree_out_of_order_is_an_offence() {
	let (_, _, batch, settled) = work();
	// The two first receipts change places.
	let mut receipts = batch.receipts().to_vec();
	receipts.swap(0, 1);
	let leaves: Vec<H256> =
		receipts.iter().map(gridproof_primitives::compute::channels::receipt_leaf).collect();
	let mut header = settled.header;
	header.receipts = merkle::root(&leaves);
	let signature = sign(&coordinator(), &header.signing_payload(&GENESIS));
	let placed = |index: usize| gridproof_primitives::compute::channels::Placed {
		item: receipts[index],
		index: index as u64,
		path: merkle::inclusion_proof(&leaves, index).unwrap().try_into().unwrap(),
	};
	let evidence = |first, second| ChannelEvidence::Misplaced { header, signature, first, second };
	let proven = check(&evidence(placed(0), placed(1))).unwrap();
	assert_eq!(proven.offence, ChannelOffence::Misplaced);
	use ChannelEvidenceError::*;
	assert_eq!(check(&evidence(placed(1), placed(2))), Err(NoContradiction));
	assert_eq!(check(&evidence(placed(1), placed(0))), Err(NoContradiction));
	let mut forged = placed(0);
	forged.path = placed(1).path;
	assert_eq!(check(&evidence(forged, placed(1))), Err(NotInBatch));
}

#[test]
fn a_receipt_that_no_batch_may_have_is_an_offence() {
	let (_, receipts, ..) = work();
	let mut unsound = receipts[0];
	unsound.sums.channel.price = 59;
	let proven = check(&ChannelEvidence::Unsound(signed(unsound))).unwrap();
	assert_eq!((proven.offence, proven.amount), (ChannelOffence::Unsound, 60));
	let mut unsound = receipts[0];
	unsound.receipt.miner = None;
	assert!(check(&ChannelEvidence::Unsound(signed(unsound))).is_ok());
	let sound = ChannelEvidence::Unsound(signed(receipts[0]));
	assert_eq!(check(&sound), Err(ChannelEvidenceError::NoContradiction));
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn nothing_that_an_honest_coordinator_signs_contradicts_anything_else(
		work in prop::collection::vec(
			(0u64..3, 0u128..100, prop::option::weighted(0.8, 0u8..2), any::<prop::sample::Index>()),
			2..16,
		),
		cut in any::<prop::sample::Index>(),
	) {
		let (mut books, mut receipts, mut batches) = (Books::default(), vec![], vec![]);
		for (channel, price, ..) in &work {
			let state = Channel::open(&terms(AIT, *channel)).unwrap();
			books.request(*channel, &state, *price, 1_000).unwrap();
		}
		let cut = cut.index(work.len());
		for (at, (_, price, by, which)) in work.iter().enumerate() {
			let open = which.index(books.open.len());
			let by = by.map(|number| public(&miner(number)));
			receipts.push(books.complete(open, AIT, by, *price, 4, 1_000));
			if at == cut {
				batches.extend(books.batch(AIT, usize::MAX, 1_000));
			}
		}
		batches.extend(books.batch(AIT, usize::MAX, 2_000));
		let cleared = |evidence: ChannelEvidence| {
			let error = check(&evidence).unwrap_err();
			matches!(
				error,
				ChannelEvidenceError::NoContradiction | ChannelEvidenceError::OtherSubject
			)
		};
		for (at, one) in receipts.iter().enumerate() {
			for other in &receipts[..at] {
				let same_channel = one.receipt.voucher().unwrap().channel
					== other.receipt.voucher().unwrap().channel;
				prop_assert!(!same_channel || channel_sums_agree(one, other));
				let same_miner = one.receipt.miner == other.receipt.miner;
				prop_assert!(!same_miner || miner_sums_agree(one, other));
				prop_assert!(cleared(overlap(*one, *other)));
				prop_assert!(cleared(two_receipts(signed(*one), signed(*other))));
			}
			for (batch, settled) in &batches {
				for index in 0..batch.receipts().len() {
					let proof = ReceiptProof::of(batch, index).unwrap();
					for line in [PlacedLine::Channel(proof.channel), PlacedLine::Miner(proof.miner)] {
						let (header, signature) = (settled.header, settled.signature);
						let receipt = signed(*one);
						let line = ChannelEvidence::Line { receipt, header, signature, line };
			prop_assert!(cleared(line));
					}
				}
			}
			prop_assert!(cleared(ChannelEvidence::OtherKind(signed(*one))));
			prop_assert!(cleared(ChannelEvidence::Unsound(signed(*one))));
		}
	}
}
