//! Receipts of `vectors/channels.json` as documents: what is proven, and each way in which they are not.

use codec::{Decode, Encode};
use gridproof_compute_api::{
	ChainView, NotProven, ReceiptDocument,
	demands::given_up,
	protocol::{BatchAnswer, BatchStage, IssuedReceipt, ReceiptAnswer},
};
use gridproof_primitives::{
	H256,
	compute::channels::{
		ChainFacts, Channel, ChannelLine, ChannelOffence, ChannelReceipt, ChannelSums, ChannelView,
		DailyUse, GivenUp, Lists, MerklePath, MinerLine, MinerSums, Placed, ReceiptProof,
		ReceiptProofError, SettlementHeader, Voucher,
	},
	crypto::merkle::ProofError,
};
use gridproof_support::{
	Classified, FailureKind,
	text::{Hex32, Hex64, HexBytes},
};
use serde_json::Value;

/// Bytes before the receipt in what the coordinator signs: the tag with its length, the genesis hash and
/// the signer.
const PAYLOAD_HEAD: usize = 1 + 20 + 32 + 1;

fn vectors() -> Value {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/channels.json");
	serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
	hex::decode(value.as_str().unwrap()).unwrap()
}

fn fixed<const N: usize>(value: &Value) -> [u8; N] {
	bytes(value).try_into().unwrap()
}

fn number(value: &Value) -> u128 {
	match value.as_str() {
		Some(text) => text.parse().unwrap(),
		None => value.as_u64().unwrap().into(),
	}
}

fn count(value: &Value) -> u64 {
	number(value).try_into().unwrap()
}

fn channel_sums(value: &Value) -> ChannelSums {
	ChannelSums { count: count(&value["count"]), price: number(&value["price"]) }
}

fn miner_sums(value: &Value) -> MinerSums {
	let ChannelSums { count, price } = channel_sums(value);
	MinerSums { count, price, weight: number(&value["weight"]) }
}

fn path(value: &Value) -> MerklePath {
	let hashes: Vec<H256> = value.as_array().unwrap().iter().map(|one| H256(fixed(one))).collect();
	hashes.try_into().unwrap()
}

struct Batch {
	header: SettlementHeader,
	proofs: Vec<ReceiptProof>,
	issued: Vec<IssuedReceipt>,
}

fn lists(batch: &Value) -> Lists {
	let channel = |one: &Value| {
		let (line, voucher) = (&one["line"], &one["line"]["voucher"]);
		let voucher = Voucher {
			channel: count(&voucher["channel"]),
			number: count(&voucher["number"]),
			amount: number(&voucher["amount"]),
			spec_hash: H256(fixed(&voucher["spec_hash"])),
		};
		let (from, to) = (channel_sums(&line["from"]), channel_sums(&line["to"]));
		ChannelLine { voucher, from, to }
	};
	let miner = |one: &Value| {
		let line = &one["line"];
		let miner = (!line["miner"].is_null()).then(|| fixed(&line["miner"]));
		MinerLine { miner, from: miner_sums(&line["from"]), to: miner_sums(&line["to"]) }
	};
	let range = |one: &Value| GivenUp { channel: count(&one["channel"]), line: miner(one) };
	let all = |name: &str| batch[name].as_array().unwrap().iter();
	Lists {
		channels: all("channels").map(channel).collect(),
		miners: all("miners").map(miner).collect(),
		given_up: all("given_up").map(range).collect(),
	}
}

fn issued(batch: &Value) -> Vec<IssuedReceipt> {
	let receipts = batch["receipts"].as_array().unwrap();
	receipts
		.iter()
		.map(|one| IssuedReceipt {
			receipt: ChannelReceipt::decode(
				&mut &bytes(&one["coordinator_payload"])[PAYLOAD_HEAD..],
			)
			.unwrap(),
			coordinator_signature: fixed(&one["coordinator_signature"]),
			miner_signature: (!one["miner_signature"].is_null())
				.then(|| fixed(&one["miner_signature"])),
		})
		.collect()
}

fn batch(batch: &Value) -> Batch {
	let (Lists { channels, miners, .. }, issued) = (lists(batch), issued(batch));
	let proofs = batch["proofs"].as_array().unwrap().iter().map(|proof| {
		let (index, of_channel, of_miner) =
			(count(&proof["index"]), count(&proof["channel_index"]), count(&proof["miner_index"]));
		let at = |index: u64| usize::try_from(index).unwrap();
		let channel = channels[at(of_channel)];
		let miner = miners[at(of_miner) - channels.len()];
		let receipt = issued[at(index)].receipt;
		ReceiptProof {
			receipt: Placed { item: receipt, index, path: path(&proof["path"]) },
			channel: Placed {
				item: channel,
				index: of_channel,
				path: path(&proof["channel_path"]),
			},
			miner: Placed { item: miner, index: of_miner, path: path(&proof["miner_path"]) },
		}
	});
	let proofs = proofs.collect();
	let header = SettlementHeader::decode(&mut &bytes(&batch["header_bytes"])[..]).unwrap();
	Batch { header, proofs, issued }
}

struct Case {
	genesis: H256,
	batches: Vec<Batch>,
}

impl Case {
	fn new() -> Self {
		let vectors = vectors();
		let batches = vectors["batches"].as_array().unwrap().iter().map(batch).collect();
		Self { genesis: H256(fixed(&vectors["genesis"])), batches }
	}

	/// Headers from a batch to the last one, the newest first.
	fn headers(&self, from: usize) -> Vec<SettlementHeader> {
		self.batches[from..].iter().rev().map(|batch| batch.header).collect()
	}

	/// The document of a receipt of a batch, with all headers up to the last one.
	fn document(&self, at: usize, index: usize) -> ReceiptDocument {
		let Batch { header, proofs, issued } = &self.batches[at];
		let answer = ReceiptAnswer {
			receipt_id: issued[index].receipt.receipt.id(&self.genesis).into(),
			issued: HexBytes(issued[index].encode()),
			batch: Some(header.sequence),
			stage: Some(BatchStage::Final),
			header: Some(HexBytes(header.encode())),
			proof: Some(HexBytes(proofs[index].encode())),
			given_up: None,
			checks: Vec::new(),
		};
		let mut document = ReceiptDocument::new(self.genesis, answer).unwrap();
		document.set_headers(&self.headers(at));
		document
	}

	/// What a node says that has taken the batches up to this one.
	fn chain(&self, at: usize, known: usize, index: usize) -> ChainView {
		let Batch { header, issued, .. } = &self.batches[at];
		let receipt = &issued[index].receipt;
		let channel = Channel {
			coordinator: header.coordinator,
			kind: receipt.sums.kind,
			signer: None,
			deposited: 1_000_000,
			settled: receipt.sums.channel,
			voucher_number: 1,
			voucher_amount: 1,
			daily_limit: 1_000_000,
			today: DailyUse::default(),
			plan_ends_ms: None,
			ends_ms: None,
		};
		let id = receipt.receipt.voucher().unwrap().channel;
		let view =
			ChannelView { id, client: [1; 32], channel, left: 1, row_deposit: 1, opened_ms: 0 };
		let last = &self.batches[known].header;
		ChainView {
			genesis: self.genesis,
			channel: Some(view),
			known: Some((last.sequence, last.hash())),
		}
	}
}

/// The last receipt of the first batch, which has a miner.
const INDEX: usize = 3;

#[test]
fn every_receipt_of_the_vectors_is_proven_against_the_chain() {
	let case = Case::new();
	for (at, batch) in case.batches.iter().enumerate() {
		for index in 0..batch.issued.len() {
			let document = case.document(at, index);
			let text = serde_json::to_vec(&document).unwrap();
			let document = ReceiptDocument::parse(&text).unwrap();
			let proven = document.check(Some(&case.chain(at, 2, index))).unwrap();
			assert_eq!(proven.receipt, batch.issued[index].receipt);
			assert_eq!(proven.batch, Some((batch.header, index.try_into().unwrap())));
			assert!(proven.is_on_chain && proven.is_channel_known);
			// A node that has not taken the later batches yet is enough.
			assert_eq!(document.check(Some(&case.chain(at, at, index))), Ok(proven));
			let alone = document.check(None).unwrap();
			assert!(!alone.is_on_chain && !alone.is_channel_known);
		}
	}
}

#[test]
fn the_document_of_the_vectors_is_made_again_byte_by_byte() {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/receipt_document.json");
	let file = std::fs::read(path).unwrap();
	assert_eq!(ReceiptDocument::parse(&file), Ok(Case::new().document(0, INDEX)));
}

#[test]
fn a_channel_that_is_over_does_not_make_its_receipts_worthless() {
	let case = Case::new();
	let chain = ChainView { channel: None, ..case.chain(0, 2, INDEX) };
	let proven = case.document(0, INDEX).check(Some(&chain)).unwrap();
	assert!(proven.is_on_chain && !proven.is_channel_known);
}

#[test]
fn a_receipt_without_a_batch_is_signed_and_not_settled() {
	let case = Case::new();
	let mut document = case.document(0, INDEX);
	(document.proof, document.headers) = (None, Vec::new());
	assert_eq!(document.check(None).unwrap().batch, None);
	assert_eq!(document.check(Some(&case.chain(0, 2, INDEX))), Err(NotProven::NotSettled));
}

#[test]
fn a_figure_that_was_not_signed_is_refused() {
	let case = Case::new();
	let good = case.document(0, INDEX);
	let altered = |change: fn(&mut IssuedReceipt)| {
		let mut issued = good.issued().unwrap();
		change(&mut issued);
		let receipt_id = issued.receipt.receipt.id(&case.genesis).into();
		ReceiptDocument { issued: HexBytes(issued.encode()), receipt_id, ..good.clone() }
			.check(None)
	};
	assert_eq!(
		altered(|issued| issued.receipt.receipt.telemetry.output_tokens += 1),
		Err(NotProven::CoordinatorSignature)
	);
	assert_eq!(
		altered(|issued| issued.receipt.sums.channel.count += 1),
		Err(NotProven::CoordinatorSignature)
	);
	assert_eq!(altered(|issued| issued.miner_signature = None), Err(NotProven::MinerSignature));
	assert_eq!(
		altered(|issued| issued.miner_signature = Some(issued.coordinator_signature)),
		Err(NotProven::MinerSignature)
	);
	let other = ReceiptDocument { receipt_id: Hex32([9; 32]), ..good.clone() };
	assert_eq!(other.check(None), Err(NotProven::OtherId));
	let other = ReceiptDocument { coordinator: Hex32([9; 32]), ..good };
	assert_eq!(other.check(None), Err(NotProven::CoordinatorSignature));
}

#[test]
fn a_proof_of_another_receipt_or_with_another_path_is_refused() {
	let case = Case::new();
	let good = case.document(0, INDEX);
	let with = |proof: &ReceiptProof| {
		ReceiptDocument { proof: Some(HexBytes(proof.encode())), ..good.clone() }.check(None)
	};
	let proofs = &case.batches[0].proofs;
	assert_eq!(with(&proofs[INDEX - 1]), Err(NotProven::OtherReceipt));
	let mut moved = proofs[INDEX].clone();
	moved.receipt.index -= 1;
	let error = NotProven::Proof(ReceiptProofError::Receipt(ProofError::RootMismatch));
	assert_eq!(with(&moved), Err(error));
	let mut other = proofs[INDEX].clone();
	other.channel = proofs
		.iter()
		.map(|proof| proof.channel.clone())
		.find(|line| line.index != other.channel.index)
		.unwrap();
	assert_eq!(with(&other), Err(NotProven::Proof(ReceiptProofError::OtherLine)));
}

#[test]
fn headers_that_do_not_lead_to_the_one_that_the_chain_knows_are_refused() {
	let case = Case::new();
	let (mut document, chain) = (case.document(0, INDEX), case.chain(0, 2, INDEX));
	let forked = ChainView { known: Some((2, H256([9; 32]))), ..chain };
	assert_eq!(document.check(Some(&forked)), Err(NotProven::NotOfTheChain));
	let late = ChainView { known: None, ..chain };
	assert_eq!(document.check(Some(&late)), Err(NotProven::NotTaken));
	let [newest, middle, own] = case.headers(0)[..] else { panic!("three batches") };
	document.set_headers(&[newest, own]);
	assert_eq!(document.check(Some(&chain)), Err(NotProven::NotOfTheChain));
	document.set_headers(&[middle, own]);
	assert_eq!(document.check(Some(&chain)), Err(NotProven::HeadersMissing));
}

#[test]
fn another_chain_channel_or_coordinator_is_refused() {
	let case = Case::new();
	let (document, chain) = (case.document(0, INDEX), case.chain(0, 2, INDEX));
	let other = ChainView { genesis: H256([1; 32]), ..chain };
	assert_eq!(document.check(Some(&other)), Err(NotProven::OtherChain));
	let mut other = chain;
	other.channel.as_mut().unwrap().channel.coordinator = [9; 32];
	assert_eq!(document.check(Some(&other)), Err(NotProven::OtherChannel));
	let mut foreign = case.headers(0);
	foreign.last_mut().unwrap().coordinator = [9; 32];
	let mut document = document;
	document.set_headers(&foreign);
	assert_eq!(document.check(None), Err(NotProven::OtherCoordinator));
}

#[test]
fn what_is_no_document_is_malformed_and_what_may_come_is_temporary() {
	assert!(matches!(ReceiptDocument::parse(b"{}"), Err(NotProven::Malformed(_))));
	let mut document = Case::new().document(0, INDEX);
	document.format = "something else".to_string();
	let text = serde_json::to_vec(&document).unwrap();
	assert!(matches!(ReceiptDocument::parse(&text), Err(NotProven::Malformed(_))));
	let issued = document.issued().unwrap();
	assert_eq!(IssuedReceipt::from_header(&document.issued.to_string()), Ok(issued));
	assert!(matches!(IssuedReceipt::from_header("0x00"), Err(NotProven::Malformed(_))));
	let kinds = |error: NotProven| error.failure().kind;
	assert_eq!(kinds(NotProven::NotSettled), FailureKind::Unreachable);
	assert_eq!(kinds(NotProven::OtherChain), FailureKind::Usage);
	assert_eq!(kinds(NotProven::NotOfTheChain), FailureKind::Refused);
}

#[test]
fn a_receipt_that_a_batch_gave_up_is_shown_to_the_chain_with_its_range() {
	let vectors = vectors();
	let (genesis, batch) = (H256(fixed(&vectors["genesis"])), &vectors["given_up"]["batch"]);
	let answer = BatchAnswer {
		sequence: 0,
		stage: BatchStage::Final,
		header: HexBytes(bytes(&batch["header_bytes"])),
		signature: Hex64(fixed(&batch["header_signature"])),
		lists: HexBytes(lists(batch).encode()),
		cid: None,
		block: None,
		reason: None,
	};
	let mut shown = 0;
	for one in issued(batch) {
		let evidence = given_up(&one, &answer, &genesis);
		let receipt = one.receipt.receipt;
		let is_lost = receipt.voucher().unwrap().channel == 0 && receipt.price > 0;
		assert_eq!(evidence.is_some(), is_lost);
		if let Some((coordinator, evidence)) = evidence {
			let proven = evidence.check(&genesis, &coordinator, &ChainFacts::default()).unwrap();
			assert_eq!((proven.offence, proven.amount), (ChannelOffence::GivenUp, receipt.price));
			shown += 1;
		}
	}
	assert_eq!(shown, 2);
	let header = Some(answer.header.clone());
	let one = issued(batch)[0];
	let lost = ReceiptAnswer {
		receipt_id: one.receipt.receipt.id(&genesis).into(),
		issued: HexBytes(one.encode()),
		batch: Some(0),
		stage: Some(BatchStage::Final),
		header,
		proof: None,
		given_up: Some(HexBytes(Vec::new())),
		checks: Vec::new(),
	};
	assert_eq!(ReceiptDocument::new(genesis, lost).err(), Some(NotProven::GivenUp));
}
