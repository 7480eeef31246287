//! What a receipt says, what is signed of it, and what can be shown of an answer.

use crate::world::{AIT, Books, FACTOR, GENESIS, coordinator, miner, public, settled, sign, terms};
use codec::Encode;
use gridproof_primitives::{
	H256,
	compute::{
		Signer,
		channels::{
			Channel, ChannelReceipt, ChannelSums, Content, ContentError, MinerSums, PaidBy, Part,
			ReceiptV2, ReceiptV2Refusal, SamplingParameters, Voucher, job_seed, salt, spec_hash,
		},
	},
	crypto::ed25519::SignatureError,
};

fn request() -> (Voucher, ReceiptV2) {
	let mut books = Books::default();
	let state = Channel::open(&terms(AIT, 0)).unwrap();
	let open = books.request(0, &state, 100, 1_000).unwrap();
	let receipt = books.complete(0, AIT, Some(public(&miner(0))), 60, 4, 1_000);
	(open.voucher, receipt.receipt)
}

#[test]
fn a_receipt_says_what_was_done_and_no_more() {
	use ReceiptV2Refusal::*;
	let (voucher, receipt) = request();
	assert_eq!(receipt.check(), Ok(()));
	assert_eq!(receipt.check_weight(FACTOR), Ok(()));
	for weight in [receipt.weight - 1, receipt.weight + 1] {
		assert_eq!(ReceiptV2 { weight, ..receipt }.check_weight(FACTOR), Err(OtherWeight));
	}
	let mut instant = receipt;
	instant.telemetry.duration_ms = 0;
	assert_eq!(instant.check(), Err(NoTime));
	assert_eq!(receipt.check_voucher(&voucher), Ok(()));
	let other = Voucher { number: 2, ..voucher };
	assert_eq!(receipt.check_voucher(&other), Err(OtherVoucher));
	let other = Voucher { channel: 1, ..voucher };
	assert_eq!(receipt.check_voucher(&other), Err(OtherVoucher));
	let other = Voucher { spec_hash: H256::zero(), ..voucher };
	assert_eq!(receipt.check_voucher(&other), Err(OtherRequest));
	let of_job = ReceiptV2 { paid_by: PaidBy::Job(H256::zero()), ..receipt };
	assert_eq!(of_job.check(), Ok(()));
	assert_eq!(of_job.check_voucher(&voucher), Err(NotOfAChannel));
	// Without an answer nothing was done and nothing is paid, and only a channel has such receipts.
	let closed = ReceiptV2::without_answer(&voucher, 5);
	assert_eq!(closed.check(), Ok(()));
	assert_eq!(closed.check_voucher(&voucher), Ok(()));
	assert_eq!((closed.price, closed.weight, closed.miner), (0, 0, None));
	for changed in [
		ReceiptV2 { price: 1, ..closed },
		ReceiptV2 { weight: 1, ..closed },
		ReceiptV2 { model: H256::repeat_byte(1), ..closed },
		ReceiptV2 { telemetry: receipt.telemetry, ..closed },
		ReceiptV2 { paid_by: PaidBy::Job(H256::zero()), ..closed },
	] {
		assert_eq!(changed.check(), Err(PaidWithoutAnswer));
	}
}

#[test]
fn running_sums_contain_their_receipt() {
	let mut books = Books::default();
	let state = Channel::open(&terms(AIT, 0)).unwrap();
	books.request(0, &state, 100, 1_000).unwrap();
	let good = books.complete(0, AIT, Some(public(&miner(0))), 60, 4, 1_000);
	type Change<'a> = &'a dyn Fn(&mut ChannelReceipt);
	let changes: [Change<'_>; 6] = [
		&|r| r.sums.channel.count = 0,
		&|r| r.sums.channel.price = 59,
		// The first receipt has its own price as its sum.
		&|r| r.sums.channel.price = 61,
		&|r| r.sums.miner.weight -= 1,
		&|r| r.sums.miner.weight += 1,
		&|r| r.sums.miner.price -= 1,
	];
	for change in changes {
		let mut receipt = good;
		change(&mut receipt);
		assert_eq!(receipt.check(), Err(ReceiptV2Refusal::SumsBelowReceipt));
	}
	let of_job = ReceiptV2 { paid_by: PaidBy::Job(H256::zero()), ..good.receipt };
	let of_job = ChannelReceipt { receipt: of_job, ..good };
	assert_eq!(of_job.check(), Err(ReceiptV2Refusal::NotOfAChannel));
	assert_eq!(ChannelSums { count: u64::MAX, price: 0 }.after(0), None);
	assert_eq!(ChannelSums { count: 0, price: u128::MAX }.after(1), None);
	assert_eq!(MinerSums { weight: u128::MAX, ..MinerSums::default() }.after(0, 1), None);
}

#[test]
fn each_signature_is_for_one_thing_one_signer_and_one_chain() {
	let (_, _, batch, signed) = settled();
	let receipt = batch.receipts()[0];
	// The tree is sorted by key.
	let is_first = |number: &u8| receipt.receipt.miner == Some(public(&miner(*number)));
	let first = miner((0..2).find(is_first).unwrap());
	let by_miner = sign(&first, &receipt.receipt.signing_payload(&GENESIS, Signer::Miner));
	assert_eq!(receipt.receipt.verify_miner(&GENESIS, &by_miner), Ok(()));
	let elsewhere = receipt.receipt.verify_miner(&H256::zero(), &by_miner);
	assert_eq!(elsewhere, Err(SignatureError::Invalid));
	let nobody = ReceiptV2 { miner: None, ..receipt.receipt };
	assert_eq!(nobody.verify_miner(&GENESIS, &by_miner), Err(SignatureError::Invalid));
	let key = public(&coordinator());
	let by_coordinator = sign(&coordinator(), &receipt.coordinator_payload(&GENESIS));
	assert_eq!(receipt.verify_coordinator(&GENESIS, &key, &by_coordinator), Ok(()));
	let mut other = receipt;
	other.sums.channel.price += 1;
	let refused = other.verify_coordinator(&GENESIS, &key, &by_coordinator);
	assert_eq!(refused, Err(SignatureError::Invalid));
	// The signature of a job's receipt is not one of a channel's.
	let of_job = receipt.receipt.signing_payload(&GENESIS, Signer::Coordinator);
	let refused = receipt.verify_coordinator(&GENESIS, &key, &sign(&coordinator(), &of_job));
	assert_eq!(refused, Err(SignatureError::Invalid));
	let (line, hash) = (signed.miners[0].line, signed.header.hash());
	let signature = sign(&first, &line.signing_payload(&GENESIS, &hash));
	assert_eq!(line.verify(&GENESIS, &hash, &signature), Ok(()));
	let refused = line.verify(&GENESIS, &H256::zero(), &signature);
	assert_eq!(refused, Err(SignatureError::Invalid));
	let tags = [
		("gridproof/voucher/v1", signed.channels[0].line.voucher.signing_payload(&GENESIS)),
		("gridproof/receipt/v2", receipt.coordinator_payload(&GENESIS)),
		("gridproof/settlement/v1", signed.header.signing_payload(&GENESIS)),
		("gridproof/line/v1", line.signing_payload(&GENESIS, &hash)),
	];
	for (tag, payload) in tags {
		assert!(payload.starts_with(&(tag, GENESIS).encode()), "{tag}");
	}
}

#[test]
fn a_receipts_id_is_of_its_content_on_one_chain() {
	let (_, receipt) = request();
	assert_ne!(receipt.id(&GENESIS), receipt.id(&H256::zero()));
	assert_ne!(receipt.id(&GENESIS), ReceiptV2 { price: 1, ..receipt }.id(&GENESIS));
}

#[test]
fn an_answer_is_opened_part_by_part() {
	let sampling = SamplingParameters {
		temperature_milli: 700,
		top_p_milli: 900,
		max_tokens: 64,
		further: H256::zero(),
	};
	let content = Content { prompt: vec![1, 2, 3], output: vec![9], sampling };
	let root = content.root(&[3; 32]).unwrap();
	assert_ne!(content.root(&[4; 32]).unwrap(), root);
	let openings: Vec<_> = [Part::Prompt, Part::Output, Part::Sampling]
		.map(|part| content.open(&[3; 32], part).unwrap())
		.into();
	let (_, receipt) = request();
	let mut telemetry = receipt.telemetry;
	(telemetry.input_tokens, telemetry.output_tokens) = (3, 1);
	for opening in &openings {
		assert_eq!(opening.verify(&root), Ok(()));
		assert!(opening.has_the_tokens_of(&telemetry));
		let mut other = opening.clone();
		other.salt = H256::zero();
		assert!(matches!(other.verify(&root), Err(ContentError::Proof(_))));
	}
	telemetry.output_tokens = 2;
	assert!(openings[0].has_the_tokens_of(&telemetry));
	assert!(!openings[1].has_the_tokens_of(&telemetry));
	// What is shown of one part says nothing of the salt of another.
	assert_ne!(openings[0].salt, openings[1].salt);
	assert_eq!(openings[0].salt, salt(&[3; 32], Part::Prompt));
	assert_eq!(content.open(&[3; 32], Part::Request), Err(ContentError::NotALeaf));
	let long = Content { prompt: vec![0; (1 << 20) + 1], ..content };
	assert_eq!(long.root(&[3; 32]), Err(ContentError::TooManyTokens));
}

#[test]
fn neither_miner_nor_coordinator_chooses_a_seed() {
	let (voucher, _) = request();
	let seed = voucher.seed(&GENESIS);
	assert_ne!(seed, Voucher { number: 2, ..voucher }.seed(&GENESIS));
	assert_ne!(seed, voucher.seed(&H256::zero()));
	let (job, nonce) = (H256::repeat_byte(1), H256::repeat_byte(2));
	assert_ne!(job_seed(&job, &nonce), job_seed(&nonce, &job));
	assert_ne!(spec_hash(&[1; 32], b"hello"), spec_hash(&[2; 32], b"hello"));
	assert_ne!(spec_hash(&[1; 32], b"hello"), spec_hash(&[1; 32], b"hallo"));
}
