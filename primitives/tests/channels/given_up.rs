//! What a channel that ended before it was settled leaves, and how settlement continues.

use crate::world::{
	AIT, Books, Chain, DAY_MS, FACTOR, GENESIS, KINDS, SPACING_MS, coordinator, miner, public,
	sign, terms,
};
use gridproof_primitives::{
	compute::channels::{
		Attested, Batch, BatchRefusal, ChainFacts, Channel, ChannelEvidence, ChannelEvidenceError,
		ChannelId, ChannelOffence, ChannelProven, ChannelReceipt, GivenUp, MinerLine, MinerSums,
		Placed, PlacedLine, ReceiptProof, SettlementBatch, VoucherId, Wronged,
	},
	crypto::merkle,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const CHANNELS: ChannelId = 4;

/// Two channels of one miner, a receipt of each in turn; the first channel has ended since.
fn ended() -> (Books, Chain, Vec<ChannelReceipt>, BTreeSet<ChannelId>) {
	let (mut books, mut chain, mut receipts) = (Books::default(), Chain::default(), vec![]);
	for channel in 0..2 {
		chain.channels.insert(channel, Channel::open(&terms(AIT, channel)).unwrap());
	}
	for (channel, price) in [(0, 60), (1, 50), (0, 40), (0, 20), (1, 10)] {
		books.request(channel, &chain.channels[&channel], 100, 1_000).unwrap();
		let by = Some(public(&miner(0)));
		receipts.push(books.complete(0, AIT, by, price, 4, 1_000));
	}
	let closed = chain.channels[&0].close(true, 1_000, DAY_MS).unwrap();
	chain.channels.insert(0, closed);
	(books, chain, receipts, BTreeSet::from([0]))
}

const NOW: u64 = 1_000 + DAY_MS;

/// The lists as they are, with the header made and signed for them again.
fn signed_again(batch: &SettlementBatch) -> SettlementBatch {
	let mut batch = batch.clone();
	let lists = batch.lists();
	batch.header.lines = merkle::root(&lists.leaves());
	batch.header.channels = u32::try_from(lists.channels.len()).unwrap();
	let of_miners = lists.miners.len() + lists.given_up.len();
	batch.header.miners = u32::try_from(of_miners).unwrap();
	batch.header.sums = lists.of_miners().unwrap_or_default();
	batch.signature = sign(&coordinator(), &batch.header.signing_payload(&GENESIS));
	batch
}

#[test]
fn receipts_of_an_ended_channel_are_given_up_and_those_of_others_are_paid() {
	let (mut books, mut chain, receipts, ended) = ended();
	let (batch, signed) = books.batch_giving_up(AIT, usize::MAX, NOW, &ended).unwrap();
	let by = Some(public(&miner(0)));
	let point = |at: usize| receipts[at].sums.miner;
	let range = |from, to| GivenUp { channel: 0, line: MinerLine { miner: by, from, to } };
	let ranges = vec![range(MinerSums::default(), point(0)), range(point(1), point(3))];
	assert_eq!(batch.lists().given_up, ranges);
	assert_eq!(batch.lists().of_given_up(), Some((3, 120)));
	assert_eq!(batch.lists().of_channels(), Some((2, 60)));
	let paid = batch.lists().paid().unwrap()[0];
	assert_eq!((paid.receipts(), paid.price()), (Some(2), Some(60)));
	assert_eq!(paid.weight(), Some(2 * u128::from(receipts[1].receipt.weight)));
	assert_eq!((signed.header.channels, signed.header.miners), (1, 3));
	let before = chain.clone();
	assert_eq!(chain.settle(&signed, NOW), Ok(()));
	assert_eq!(chain.paid[&AIT], 60);
	assert_eq!(chain.miners[&(AIT, by)], point(4), "the next line joins on");
	assert_eq!(chain.channels[&0], before.channels[&0], "nothing of it moves");
	// The row may be gone.
	let mut gone = before.clone();
	gone.channels.remove(&0);
	assert_eq!(gone.settle(&signed, NOW), Ok(()));
	// And the next batch continues behind it.
	books.request(1, &chain.channels[&1], 100, NOW).unwrap();
	books.complete(0, AIT, by, 7, 4, NOW);
	let (_, next) = books.batch(AIT, usize::MAX, NOW).unwrap();
	assert_eq!(chain.settle(&next, NOW + SPACING_MS), Ok(()));
	assert_eq!(chain.paid[&AIT], 67);
}

#[test]
fn a_channel_that_lives_cannot_be_given_up() {
	let (mut books, mut chain, _, ended) = ended();
	let (_, signed) = books.batch_giving_up(AIT, usize::MAX, 1_000, &ended).unwrap();
	for now in [1_000, NOW - 1] {
		assert_eq!(chain.settle(&signed, now), Err(BatchRefusal::ChannelNotEnded));
	}
	let channel = chain.channels[&0];
	let other = public(&miner(3));
	assert_eq!(channel.give_up(&other, AIT, NOW), Err(BatchRefusal::OtherCoordinator));
	let me = public(&coordinator());
	assert_eq!(channel.give_up(&me, KINDS[1], NOW), Err(BatchRefusal::OtherKind));
	assert_eq!(channel.give_up(&me, AIT, NOW), Ok(()));
	assert_eq!(chain.settle(&signed, NOW), Ok(()));
}

#[test]
fn what_is_given_up_lies_within_its_miners_line_once_and_adds_up() {
	type Change<'a> = &'a dyn Fn(&mut SettlementBatch);
	let (mut books, chain, receipts, ended) = ended();
	let (_, good) = books.batch_giving_up(AIT, usize::MAX, NOW, &ended).unwrap();
	let elsewhere = BatchRefusal::GivenUpElsewhere;
	let cases: &[(&str, BatchRefusal, Change<'_>)] = &[
		("nothing", BatchRefusal::ListsDisagree, &|b| b.given_up.clear()),
		("less", BatchRefusal::ListsDisagree, &|b| {
			b.given_up.pop();
		}),
		("more", BatchRefusal::ListsDisagree, &|b| b.given_up[1].line.to = receipts[4].sums.miner),
		("an empty range", BatchRefusal::EmptyRange, &|b| {
			b.given_up[0].line.to = b.given_up[0].line.from;
		}),
		("a falling sum", BatchRefusal::FallingSums, &|b| b.given_up[1].line.to.weight = 0),
		("twice", elsewhere, &|b| {
			let one = b.given_up[1];
			b.given_up.try_push(one).unwrap();
		}),
		("in another order", elsewhere, &|b| b.given_up[..].swap(0, 1)),
		("of another miner", elsewhere, &|b| b.given_up[0].line.miner = Some([7; 32])),
		("beyond the line", elsewhere, &|b| b.given_up[1].line.to.count += 9),
		("another price at one count", elsewhere, &|b| {
			b.given_up[1].line.to = MinerSums { count: 5, ..b.given_up[1].line.to };
		}),
		("of nobody", BatchRefusal::PaidWithoutMiner, &|b| b.given_up[0].line.miner = None),
	];
	for (name, refusal, change) in cases {
		let mut batch = good.clone();
		change(&mut batch);
		let settled = chain.clone().settle(&signed_again(&batch), NOW);
		assert_eq!(settled, Err(*refusal), "{name}");
	}
	// The header commits to what is given up, and counts it.
	let mut batch = good.clone();
	batch.given_up[0].channel = 1;
	assert_eq!(chain.clone().settle(&batch, NOW), Err(BatchRefusal::OtherLines));
	let mut batch = good.clone();
	batch.header.miners = 1;
	batch.signature = sign(&coordinator(), &batch.header.signing_payload(&GENESIS));
	assert_eq!(chain.clone().settle(&batch, NOW), Err(BatchRefusal::HeaderDisagrees));
	// A batch may give up everything.
	let (mut books, mut chain, _, _) = self::ended();
	chain.channels.clear();
	let (_, all) = books.batch_giving_up(AIT, usize::MAX, NOW, &BTreeSet::from([0, 1])).unwrap();
	assert!(all.channels.is_empty());
	assert_eq!(chain.settle(&all, NOW), Ok(()));
	assert_eq!(chain.paid[&AIT], 0);
}

#[test]
fn a_receipt_that_is_given_up_has_no_proof_that_it_is_settled() {
	let (mut books, _, receipts, ended) = ended();
	let (batch, signed) = books.batch_giving_up(AIT, usize::MAX, NOW, &ended).unwrap();
	for (index, receipt) in batch.receipts().iter().enumerate() {
		let channel = receipt.receipt.voucher().unwrap().channel;
		let (proof, range) =
			(ReceiptProof::of(&batch, index), Placed::<GivenUp>::of(&batch, index));
		assert_eq!(proof.is_some(), channel == 1);
		assert_eq!(range.is_some(), channel == 0);
		if let Some(proof) = proof {
			assert_eq!(proof.verify(&signed.header), Ok(()));
		}
		if let Some(range) = range {
			assert_eq!(range.verify(&signed.header), Ok(()));
			let mut other = range.clone();
			other.item.channel = 1;
			assert!(other.verify(&signed.header).is_err());
		}
	}
	// Who has the published receipts makes the same batch of them.
	let again = Batch::audit(&signed.header, batch.lists(), receipts.clone());
	assert_eq!(again.as_ref(), Ok(&batch));
	let mut fewer = receipts;
	fewer.remove(2);
	assert!(Batch::audit(&signed.header, batch.lists(), fewer).is_err());
}

#[test]
fn who_worked_for_nothing_can_show_it_and_so_can_who_was_robbed() {
	const FACTS: ChainFacts = ChainFacts { channel_kind: Some(AIT), model_factor: Some(FACTOR) };
	let (mut books, _, receipts, ended) = ended();
	let (batch, signed) = books.batch_giving_up(AIT, usize::MAX, NOW, &ended).unwrap();
	let range = Placed::<GivenUp>::of(&batch, 0).unwrap();
	let show = |receipt: ChannelReceipt, batch: &SettlementBatch, line: &Placed<GivenUp>| {
		let signature = sign(&coordinator(), &receipt.coordinator_payload(&GENESIS));
		let evidence = ChannelEvidence::Line {
			receipt: Attested { receipt, signature, batch: None },
			header: batch.header,
			signature: batch.signature,
			line: PlacedLine::GivenUp(line.clone()),
		};
		evidence.check(&GENESIS, &public(&coordinator()), &FACTS)
	};
	let wronged = Wronged::Miner(public(&miner(0)));
	let lost = ChannelProven { offence: ChannelOffence::GivenUp, wronged, amount: 60 };
	assert_eq!(show(receipts[0], &signed, &range), Ok(lost));
	// Others are not accused: what is settled, and what lies in another range.
	let none = Err(ChannelEvidenceError::NoContradiction);
	for receipt in [receipts[1], receipts[2], receipts[4]] {
		assert_eq!(show(receipt, &signed, &range), none);
	}
	let mut elsewhere = receipts[0];
	elsewhere.receipt.miner = Some(public(&miner(1)));
	assert_eq!(show(elsewhere, &signed, &range), Err(ChannelEvidenceError::OtherSubject));
	// A range that names the ended channel, over the receipt of one that lives.
	let mut false_one = signed.clone();
	let line = MinerLine {
		miner: Some(public(&miner(0))),
		from: receipts[0].sums.miner,
		to: receipts[1].sums.miner,
	};
	false_one.given_up[0] = GivenUp { channel: 0, line };
	let false_one = signed_again(&false_one);
	let leaves = false_one.lists().leaves();
	let index = false_one.channels.len() + false_one.miners.len();
	let path = merkle::inclusion_proof(&leaves, index).unwrap().try_into().unwrap();
	let range = Placed { item: false_one.given_up[0], index: index as u64, path };
	let robbed = ChannelProven { offence: ChannelOffence::Line, wronged, amount: 50 };
	assert_eq!(show(receipts[1], &false_one, &range), Ok(robbed));
	// One without a price costs nobody anything.
	let mut books = Books::default();
	let state = Channel::open(&terms(AIT, 0)).unwrap();
	books.request(0, &state, 0, 1_000).unwrap();
	let free = books.complete(0, AIT, Some(public(&miner(0))), 0, 4, 1_000);
	let (batch, signed) = books.batch_giving_up(AIT, 1, NOW, &BTreeSet::from([0])).unwrap();
	assert_eq!(show(free, &signed, &Placed::<GivenUp>::of(&batch, 0).unwrap()), none);
}

#[derive(Clone, Copy, Debug)]
enum Step {
	Ask(ChannelId, Option<u8>, u128),
	Close(ChannelId),
	PayBack(ChannelId),
	/// Batches of at most so many receipts are made and sent, until nothing waits.
	Settle(usize),
	/// A batch is made, and its channels may have ended before it is sent: then it is rebuilt, under
	/// another number.
	Late(usize, u64),
	Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
	let channel = || 0..CHANNELS;
	prop_oneof![
		12 => (channel(), prop::option::weighted(0.8, 0u8..3), 0u128..500)
			.prop_map(|(id, by, price)| Step::Ask(id, by, price)),
		1 => channel().prop_map(Step::Close),
		1 => channel().prop_map(Step::PayBack),
		1 => (1usize..20).prop_map(Step::Settle),
		1 => (1usize..20, 0..2 * DAY_MS).prop_map(|(most, wait)| Step::Late(most, wait)),
		2 => prop_oneof![0u64..2_000, 0..DAY_MS].prop_map(Step::Wait),
	]
}

struct Run {
	books: Books,
	chain: Chain,
	settled: BTreeMap<VoucherId, u128>,
	given_up: BTreeMap<VoucherId, u128>,
	asked: BTreeMap<VoucherId, u128>,
	/// In which order they were completed.
	order: BTreeMap<VoucherId, usize>,
	now: u64,
}

impl Run {
	fn new() -> Self {
		let mut chain = Chain::default();
		for id in 0..CHANNELS {
			chain.channels.insert(id, Channel::open(&terms(AIT, id)).unwrap());
		}
		let (settled, given_up, asked, order) = Default::default();
		Self { books: Books::default(), chain, settled, given_up, asked, order, now: 1_000 }
	}

	fn has_ended(&self, id: ChannelId) -> bool {
		self.chain.channels.get(&id).is_none_or(|channel| channel.has_ended(self.now))
	}

	/// Makes a batch as a coordinator does that looks at its channels; `None` if nothing waits.
	fn make(&mut self, most: usize) -> Option<(Vec<ChannelReceipt>, SettlementBatch)> {
		let ended = (0..CHANNELS).filter(|id| self.has_ended(*id)).collect();
		let (batch, signed) = self.books.batch_giving_up(AIT, most, self.now, &ended)?;
		Some((batch.receipts().to_vec(), signed))
	}

	fn send(&mut self, receipts: &[ChannelReceipt], batch: &SettlementBatch) -> bool {
		if let Err(refusal) = self.chain.settle(batch, self.now) {
			let ended = [BatchRefusal::ChannelEnded, BatchRefusal::UnknownChannel];
			assert!(ended.contains(&refusal), "{refusal}");
			return false;
		}
		let lists = batch.lists();
		for receipt in receipts {
			let (id, price) = (receipt.receipt.voucher().unwrap(), receipt.receipt.price);
			let is_given_up = lists.given_up.iter().any(|one| one.channel == id.channel);
			let into = if is_given_up { &mut self.given_up } else { &mut self.settled };
			assert_eq!(into.insert(id, price), None, "{id:?} is used twice");
		}
		self.now += SPACING_MS;
		true
	}

	/// Takes back the receipts of a batch that was refused permanently; its number is passed over.
	fn rebuild(&mut self, mut receipts: Vec<ChannelReceipt>) {
		receipts.sort_by_key(|one| self.order[&one.receipt.voucher().unwrap()]);
		let waiting = self.books.waiting.entry(AIT).or_default();
		receipts.append(waiting);
		*waiting = receipts;
		self.books.headers.last_hash = self.chain.headers.last_hash;
	}

	fn settle(&mut self, most: usize) {
		while let Some((receipts, batch)) = self.make(most) {
			assert!(self.send(&receipts, &batch), "nothing of it has ended meanwhile");
		}
	}

	fn step(&mut self, step: Step) {
		match step {
			Step::Ask(id, by, price) => {
				let Some(state) = self.chain.channels.get(&id).copied() else { return };
				if self.books.request(id, &state, price, self.now).is_ok() {
					let by = by.map(|number| public(&miner(number)));
					let receipt = self.books.complete(0, AIT, by, price, 3, self.now);
					let voucher = receipt.receipt.voucher().unwrap();
					self.order.insert(voucher, self.asked.len());
					self.asked.insert(voucher, receipt.receipt.price);
				}
			},
			Step::Close(id) => {
				let now = self.now;
				if let Some(channel) = self.chain.channels.get_mut(&id)
					&& let Ok(closed) = channel.close(true, now, DAY_MS)
				{
					*channel = closed;
				}
			},
			Step::PayBack(id) => {
				if self.has_ended(id) {
					self.chain.channels.remove(&id);
				}
			},
			Step::Settle(most) => self.settle(most),
			Step::Late(most, wait) => {
				// All of it, so that what is taken back is in its order.
				let Some((receipts, batch)) = self.make(usize::MAX) else { return };
				self.now += wait;
				if !self.send(&receipts, &batch) {
					self.rebuild(receipts);
					self.settle(most);
				}
			},
			Step::Wait(time) => self.now += time,
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn settlement_continues_whichever_channels_end_and_every_receipt_is_used_once(
		steps in prop::collection::vec(step(), 1..120),
	) {
		let mut run = Run::new();
		for step in steps {
			run.step(step);
		}
		run.now += 3 * DAY_MS;
		run.settle(7);
		let mut used = run.settled.clone();
		used.extend(&run.given_up);
		prop_assert_eq!(&used, &run.asked, "each is settled or given up");
		prop_assert_eq!(used.len(), run.settled.len() + run.given_up.len(), "never both");
		let paid: u128 = run.settled.values().sum();
		prop_assert_eq!(run.chain.paid.get(&AIT).copied().unwrap_or(0), paid);
		for (id, channel) in &run.chain.channels {
			let own: u128 =
				run.settled.iter().filter(|(of, _)| of.channel == *id).map(|(_, price)| price).sum();
			prop_assert_eq!(channel.settled.price, own);
		}
		// Every line joined on, over all that was given up.
		let counts: u64 = run.chain.miners.values().map(|sums| sums.count).sum();
		prop_assert_eq!(counts, used.len() as u64);
	}
}
