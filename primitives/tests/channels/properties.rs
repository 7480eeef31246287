//! What holds for every batch, and for every order of what happens to channels.

use crate::world::{AIT, Books, Chain, DAY_MS, KINDS, miner, public, terms};
use gridproof_primitives::{
	H256,
	compute::{
		AitPerAicp, Class, ComputeParameters, PriceAsset,
		channels::{
			Batch, BatchRefusal, Channel, ChannelId, ChannelReceipt, ChannelTerms, ReceiptProof,
			SettlementBatch, SettlementHeader, Tariff, VoucherId, give_back, line_claim, received,
		},
		settlement::Split,
	},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const CHANNELS: u64 = 6;

#[derive(Clone, Copy, Debug)]
enum Step {
	/// A client asks, for at most this price.
	Request(ChannelId, u128),
	/// One of the open requests ends: with which miner, at which price, with how many tokens.
	Complete(prop::sample::Index, Option<u8>, u128, u32),
	/// A batch of at most so many receipts of a kind is made.
	Make(usize, usize),
	/// One of the batches that were made is submitted, whichever, once more or too early.
	Submit(prop::sample::Index),
	/// The next batch in turn is submitted.
	SubmitNext,
	Close(ChannelId, bool),
	TopUp(ChannelId, u128),
	Renew(ChannelId, u64),
	/// Settlement was stopped for so long.
	Stopped(u64),
	Wait(u64),
	/// Somebody touches a channel that has ended, which pays its rest back.
	PayBack(ChannelId),
}

fn step() -> impl Strategy<Value = Step> {
	let channel = || 0..CHANNELS;
	let price = || prop_oneof![0u128..5, 0u128..60_000];
	prop_oneof![
		8 => (channel(), price()).prop_map(|(id, price)| Step::Request(id, price)),
		8 => (any::<prop::sample::Index>(), prop::option::weighted(0.8, 0u8..3), price(), 0u32..9)
			.prop_map(|(at, miner, price, tokens)| Step::Complete(at, miner, price, tokens)),
		3 => (0..KINDS.len(), 1usize..9).prop_map(|(kind, most)| Step::Make(kind, most)),
		2 => any::<prop::sample::Index>().prop_map(Step::Submit),
		4 => Just(Step::SubmitNext),
		1 => (channel(), any::<bool>()).prop_map(|(id, client)| Step::Close(id, client)),
		1 => (channel(), 0u128..50_000).prop_map(|(id, amount)| Step::TopUp(id, amount)),
		1 => (channel(), 0..5 * DAY_MS).prop_map(|(id, ends)| Step::Renew(id, ends)),
		1 => (0..DAY_MS).prop_map(Step::Stopped),
		2 => prop_oneof![0u64..2_000, 0..DAY_MS, 0..2 * DAY_MS].prop_map(Step::Wait),
		1 => channel().prop_map(Step::PayBack),
	]
}

/// Runs the steps and counts each receipt that is settled.
struct Run {
	books: Books,
	chain: Chain,
	made: Vec<(Vec<ChannelReceipt>, SettlementBatch)>,
	settled: BTreeMap<VoucherId, ChannelReceipt>,
	paid_back: BTreeMap<ChannelId, u128>,
	/// The state of channels whose row is gone.
	gone: BTreeMap<ChannelId, Channel>,
	now: u64,
}

impl Run {
	fn new() -> Self {
		let mut chain = Chain::default();
		for id in 0..CHANNELS {
			let kind = KINDS[usize::try_from(id).unwrap() % KINDS.len()];
			let plan_ends_ms = (id >= 3).then_some(DAY_MS);
			let signer = terms(kind, id).signer.filter(|_| id != 2);
			let daily_limit = 120_000;
			let deposit = 200_000;
			let terms =
				ChannelTerms { signer, daily_limit, deposit, plan_ends_ms, ..terms(kind, id) };
			chain.channels.insert(id, Channel::open(&terms).unwrap());
		}
		Self {
			books: Books::default(),
			chain,
			made: vec![],
			settled: BTreeMap::new(),
			paid_back: BTreeMap::new(),
			gone: BTreeMap::new(),
			now: 1_000,
		}
	}

	fn submit(&mut self, index: usize) {
		let Some((receipts, batch)) = self.made.get(index) else { return };
		let next = self.chain.headers.next_sequence;
		let before = self.chain.clone();
		match self.chain.settle(batch, self.now) {
			Ok(()) => {
				assert_eq!(batch.header.sequence, next);
				for receipt in receipts {
					let id = receipt.receipt.voucher().unwrap();
					let twice = self.settled.insert(id, *receipt);
					assert_eq!(twice, None, "{id:?} is settled a second time");
				}
			},
			Err(refusal) => {
				assert_eq!(before.headers, self.chain.headers);
				assert_eq!(before.channels, self.chain.channels);
				if batch.header.sequence < next {
					assert_eq!(refusal, BatchRefusal::SequencePast);
				} else if batch.header.sequence > next {
					assert_eq!(refusal, BatchRefusal::SequenceAhead);
				} else {
					assert!(
						[
							BatchRefusal::TooSoon,
							BatchRefusal::ChannelEnded,
							BatchRefusal::UnknownChannel,
							BatchRefusal::AboveDailyLimit,
						]
						.contains(&refusal),
						"{refusal}"
					);
				}
			},
		}
	}

	fn change(&mut self, id: ChannelId, change: impl FnOnce(&Channel, u64) -> Option<Channel>) {
		let now = self.now;
		if let Some(channel) = self.chain.channels.get_mut(&id)
			&& let Some(changed) = change(channel, now)
		{
			*channel = changed;
		}
	}

	fn step(&mut self, step: Step) {
		match step {
			Step::Request(id, highest) => {
				if let Some(state) = self.chain.channels.get(&id).copied() {
					let _ = self.books.request(id, &state, highest, self.now);
				}
			},
			Step::Complete(at, by, price, tokens) => {
				if !self.books.open.is_empty() {
					let at = at.index(self.books.open.len());
					let channel = self.books.open[at].voucher.channel;
					let kind = KINDS[usize::try_from(channel).unwrap() % KINDS.len()];
					let by = by.map(|number| public(&miner(number)));
					self.books.complete(at, kind, by, price, tokens, self.now);
				}
			},
			Step::Make(kind, most) => {
				if let Some((batch, signed)) = self.books.batch(KINDS[kind], most, self.now) {
					self.made.push((batch.receipts().to_vec(), signed));
				}
			},
			Step::Submit(at) => {
				if !self.made.is_empty() {
					self.submit(at.index(self.made.len()));
				}
			},
			Step::SubmitNext => {
				self.submit(usize::try_from(self.chain.headers.next_sequence).unwrap());
			},
			Step::Close(id, is_client) => {
				self.change(id, |channel, now| channel.close(is_client, now, DAY_MS).ok());
			},
			Step::TopUp(id, amount) => self.change(id, |channel, _| channel.top_up(amount).ok()),
			Step::Renew(id, ends) => {
				self.change(id, |channel, now| channel.renew(7, now + ends).ok());
			},
			Step::Stopped(time) => {
				self.now += time;
				let stands = |channel: &mut Channel| *channel = channel.stand_still(time);
				self.chain.channels.values_mut().for_each(stands);
			},
			Step::Wait(time) => self.now += time,
			Step::PayBack(id) => {
				let rest = self.chain.channels.get(&id).map(|channel| channel.rest(self.now));
				if let Some(Ok(rest)) = rest {
					self.paid_back.insert(id, rest);
					self.gone.insert(id, self.chain.channels.remove(&id).unwrap());
				}
			},
		}
	}

	fn check(&self) {
		let mut channels = self.gone.clone();
		channels.extend(&self.chain.channels);
		for (id, channel) in &channels {
			let of = || self.settled.iter().filter(|(voucher, _)| voucher.channel == *id);
			let price: u128 = of().map(|(_, receipt)| receipt.receipt.price).sum();
			assert_eq!(channel.settled.price, price);
			assert_eq!(channel.settled.count, of().count() as u64);
			assert!(price <= channel.deposited);
			// A client never owes more than it signed.
			assert!(price <= channel.voucher_amount);
			assert!(channel.settled.count <= channel.voucher_number);
			if let Some(rest) = self.paid_back.get(id) {
				assert_eq!(rest + price, channel.deposited);
			}
		}
		for kind in KINDS {
			let of = || self.settled.values().filter(|receipt| receipt.sums.kind == kind);
			let price: u128 = of().map(|receipt| receipt.receipt.price).sum();
			assert_eq!(self.chain.paid.get(&kind).copied().unwrap_or(0), price);
			for ((of_kind, miner), sums) in &self.chain.miners {
				if *of_kind == kind {
					let own = || of().filter(|receipt| receipt.receipt.miner == *miner);
					assert_eq!(sums.count, own().count() as u64);
					let price: u128 = own().map(|receipt| receipt.receipt.price).sum();
					let weight: u128 =
						own().map(|receipt| u128::from(receipt.receipt.weight)).sum();
					assert_eq!((sums.price, sums.weight), (price, weight));
				}
			}
		}
	}
}

/// A batch of random receipts of one kind, with its header.
fn batch() -> impl Strategy<Value = (Batch, SettlementHeader)> {
	let receipts = (0u64..4, 0u128..10_000, prop::option::weighted(0.9, 0u8..3), 0u32..5_000);
	let work = prop::collection::vec(receipts, 1..40);
	(work, 0usize..20).prop_map(|(work, settled_before)| {
		let mut books = Books::default();
		let number = work.len();
		for (at, (channel, price, by, tokens)) in work.into_iter().enumerate() {
			let state = Channel::open(&terms(AIT, channel)).unwrap();
			books.request(channel, &state, price, 1_000).unwrap();
			let by = by.map(|number| public(&miner(number)));
			books.complete(0, AIT, by, price, tokens, 1_000);
			if at == settled_before && at + 1 < number {
				// Ranges that do not begin at zero.
				books.batch(AIT, usize::MAX, 1_000);
			}
		}
		let (batch, signed) = books.batch(AIT, usize::MAX, 2_000).unwrap();
		(batch, signed.header)
	})
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn nothing_settles_twice_whatever_the_order_of_what_happens(
		steps in prop::collection::vec(step(), 1..250),
	) {
		let mut run = Run::new();
		for step in steps {
			run.step(step);
		}
		run.check();
		// What was not in turn goes through in the end, unless its channel is gone.
		for index in 0..run.made.len() {
			run.now += DAY_MS;
			run.submit(index);
		}
		run.check();
	}

	#[test]
	fn channels_miners_and_receipts_of_a_batch_have_one_sum((batch, header) in batch()) {
		let price: u128 = batch.receipts().iter().map(|one| one.receipt.price).sum();
		let weight: u128 = batch.receipts().iter().map(|one| u128::from(one.receipt.weight)).sum();
		let number = batch.receipts().len() as u64;
		prop_assert_eq!(batch.lists().of_channels(), Some((number, price)));
		let sums = batch.lists().of_miners().unwrap();
		prop_assert_eq!((sums.receipts, sums.price, sums.weight), (number, price, weight));
		prop_assert_eq!(header.sums, sums);
		prop_assert_eq!(batch.lists().check(&header), Ok(()));
		// Anyone who has the published receipts makes the same batch of them, in whatever order.
		let mut receipts = batch.receipts().to_vec();
		receipts.reverse();
		let again = Batch::audit(&header, batch.lists(), receipts);
		prop_assert_eq!(again.as_ref(), Ok(&batch));
	}

	#[test]
	fn a_batch_with_any_sum_altered_is_refused(
		(batch, header) in batch(),
		line in any::<prop::sample::Index>(),
		field in 0usize..7,
	) {
		let mut lists = batch.lists().clone();
		let mut header = header;
		let channel = line.index(lists.channels.len());
		let of_miner = line.index(lists.miners.len());
		match field {
			0 => lists.channels[channel].to.price += 1,
			1 => lists.channels[channel].to.count += 1,
			2 => lists.miners[of_miner].to.price += 1,
			3 => lists.miners[of_miner].to.count += 1,
			4 => lists.miners[of_miner].to.weight += 1,
			5 => lists.channels[channel].voucher.amount += 1,
			_ => header.sums.price += 1,
		}
		let refusal = lists.check(&header).unwrap_err();
		let expected: &[BatchRefusal] = match field {
			0 => &[BatchRefusal::ListsDisagree, BatchRefusal::AboveVoucher],
			1 => &[BatchRefusal::ListsDisagree, BatchRefusal::MoreReceiptsThanVouchers],
			2 => &[BatchRefusal::ListsDisagree, BatchRefusal::PaidWithoutMiner],
			3 => &[BatchRefusal::ListsDisagree],
			4 => &[BatchRefusal::HeaderDisagrees, BatchRefusal::PaidWithoutMiner],
			5 => &[BatchRefusal::OtherLines],
			_ => &[BatchRefusal::HeaderDisagrees],
		};
		prop_assert!(expected.contains(&refusal), "{}", refusal);
	}

	#[test]
	fn every_receipt_of_a_batch_is_proven_in_its_one_place((batch, header) in batch()) {
		for (index, receipt) in batch.receipts().iter().enumerate() {
			let (miner, count) = receipt.place();
			prop_assert_eq!(batch.lists().index_of(miner, count), Some(index as u64));
			let proof = ReceiptProof::of(&batch, index).unwrap();
			prop_assert_eq!(proof.verify(&header), Ok(()));
		}
		let number = batch.receipts().len();
		prop_assert_eq!(ReceiptProof::of(&batch, number), None);
		for line in &batch.lists().miners {
			prop_assert_eq!(batch.lists().index_of(line.miner, line.from.count), None);
			prop_assert_eq!(batch.lists().index_of(line.miner, line.to.count + 1), None);
		}
	}

	#[test]
	fn a_receipt_that_is_not_there_has_no_proof(
		(batch, header) in batch(),
		at in any::<prop::sample::Index>(),
		other in any::<prop::sample::Index>(),
		field in 0usize..10,
	) {
		let (at, other) = (at.index(batch.receipts().len()), other.index(batch.receipts().len()));
		let proof = ReceiptProof::of(&batch, at).unwrap();
		let mut altered = proof.clone();
		let ChannelReceipt { receipt, sums } = &mut altered.receipt.item;
		match field {
			0 => receipt.price += 1,
			1 => receipt.weight += 1,
			2 => receipt.miner = Some([9; 32]),
			3 => receipt.output_root = H256::repeat_byte(1),
			4 => receipt.settle_by_ms += 1,
			5 => receipt.telemetry.output_tokens += 1,
			6 => sums.channel.count += 1,
			7 => sums.miner.count += 1,
			8 => sums.kind = KINDS[1],
			_ => receipt.model = H256::repeat_byte(1),
		}
		// At no place, and with nobody's path.
		for place in 0..batch.receipts().len() {
			let theirs = ReceiptProof::of(&batch, place).unwrap();
			altered.receipt.index = place as u64;
			altered.receipt.path = theirs.receipt.path;
			prop_assert!(altered.receipt.verify(&header).is_err());
			prop_assert!(altered.verify(&header).is_err());
		}
		// A receipt that is there is not at another's place.
		prop_assume!(other != at);
		let mut moved = proof.clone();
		moved.receipt.index = other as u64;
		prop_assert!(moved.verify(&header).is_err());
		// Nor under another header.
		let changed = SettlementHeader { receipts: H256::repeat_byte(1), ..header };
		prop_assert!(proof.verify(&changed).is_err());
		let changed = SettlementHeader { lines: H256::repeat_byte(1), ..header };
		prop_assert!(proof.verify(&changed).is_err());
	}

	#[test]
	fn a_receipt_that_is_missing_makes_a_gap(
		(batch, header) in batch(),
		at in any::<prop::sample::Index>(),
	) {
		let mut receipts = batch.receipts().to_vec();
		receipts.remove(at.index(batch.receipts().len()));
		prop_assert!(Batch::audit(&header, batch.lists(), receipts).is_err());
	}

	#[test]
	fn a_tariff_costs_its_price_however_it_is_used(
		price in 1u128..1 << 90,
		tokens_per_day in 1u64..1 << 40,
		days in 1u32..=366,
		parts in prop::collection::vec(0u64..1 << 41, 1..50),
	) {
		let tariff = Tariff { asset: PriceAsset::Ait, price, tokens_per_day, days };
		prop_assert_eq!(tariff.check(), Ok(()));
		let (mut used, mut paid) = (0u64, 0u128);
		for tokens in parts {
			paid += tariff.price_between(used, tokens);
			used += tokens;
			prop_assert_eq!(paid, tariff.price_of(used));
			prop_assert!(paid <= price);
			if used >= tariff.tokens() {
				prop_assert_eq!(paid, price);
			}
		}
		prop_assert_eq!(tariff.price_of(0), 0);
		prop_assert_eq!(tariff.price_of(tariff.tokens()), price);
	}

	#[test]
	fn a_line_never_gives_back_what_the_treasury_kept(
		(batch, _) in batch(),
		mint_per_unit in 0u128..1 << 66,
		mint_per_received in 0u32..6_000_000,
		treasury in 0u32..=1_000_000,
		of_price in 0u32..=1_000_000,
		score in 0u32..=10_000,
		ait in 1u64..1_000,
	) {
		let parameters = ComputeParameters {
			mint_per_unit,
			mint_per_received,
			mint_split: Split { treasury, coordinator: 0 },
			price_split: Split { treasury: of_price, coordinator: 0 },
			..Default::default()
		};
		prop_assume!(parameters.check().is_ok());
		let rate = AitPerAicp { ait, aicp: 10 };
		for line in &batch.lists().miners {
			for kind in KINDS {
				let received = received(&parameters, kind, line, Some(&rate));
				let claim = line_claim(&parameters, line, true, Class::Gpu, score, received);
				let back = claim - parameters.mint_split.divide(claim).treasury;
				prop_assert!(back < received || (back == 0 && received == 0));
				prop_assert!(kind.mints() || claim == 0);
				let unsigned = line_claim(&parameters, line, false, Class::Gpu, score, received);
				prop_assert_eq!(unsigned, 0);
			}
		}
	}

	#[test]
	fn what_is_given_back_is_what_was_owed(owed: u128, sources: [u64; 4]) {
		let sources = sources.map(u128::from);
		let restitution = give_back(owed, sources);
		let taken: u128 = restitution.taken.iter().sum();
		prop_assert_eq!(taken + restitution.missing, owed);
		let mut before_gave_all = true;
		for (taken, source) in restitution.taken.iter().zip(sources) {
			prop_assert!(*taken <= source);
			prop_assert!(*taken == 0 || before_gave_all);
			before_gave_all &= *taken == source;
		}
		prop_assert!(restitution.missing == 0 || before_gave_all);
	}
}

#[test]
fn a_proof_of_one_batch_is_none_of_the_next() {
	let mut books = Books::default();
	let state = Channel::open(&terms(AIT, 0)).unwrap();
	let mut headers = vec![];
	let mut proofs = vec![];
	for round in 0..3 {
		for _ in 0..3 {
			books.request(0, &state, 10, 1_000).unwrap();
			books.complete(0, AIT, Some(public(&miner(0))), 10, round, 1_000);
		}
		let (batch, signed) = books.batch(AIT, usize::MAX, 1_000).unwrap();
		headers.push(signed.header);
		proofs.push(ReceiptProof::of(&batch, 1).unwrap());
	}
	for (at, header) in headers.iter().enumerate() {
		for (of, proof) in proofs.iter().enumerate() {
			assert_eq!(proof.verify(header).is_ok(), at == of);
		}
	}
	// The last header proves all before it.
	let newest_first: Vec<_> = headers.iter().rev().copied().collect();
	assert!(books.headers.ends_with(&newest_first));
	assert!(!books.headers.ends_with(&headers));
	let hashes: BTreeSet<H256> = headers.iter().map(SettlementHeader::hash).collect();
	assert_eq!(hashes.len(), 3);
}
