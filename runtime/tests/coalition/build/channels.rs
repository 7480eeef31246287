//! Calls of channels: the only place that knows their fields, and what coordinator, client and miners
//! sign of a batch. Where a batch begins is read from the chain, as a cheat would.

use crate::{chain, world::compute::key_of};
use gridproof_primitives::{
	H256,
	compute::Telemetry,
	compute::channels::{
		Attested, BatchKind, ChannelEvidence, ChannelId, ChannelLine, ChannelReceipt, ChannelSums,
		ChannelTerms, GivenUp, Lists, MinerLine, MinerSums, PaidBy, Placed, PlacedLine, ReceiptV2,
		RunningSums, Sampler, SettlementBatch, SettlementHeader, SignedChannelLine,
		SignedMinerLine, Voucher, VoucherId, receipt_leaf,
	},
	crypto::{
		ed25519::{PublicKey, Signature},
		merkle,
	},
};
use gridproof_runtime::{ModelRegistry, Runtime, RuntimeCall};
use pallet_compute_receipts::{Call, Channels, Headers, MinerTotals};
use sp_core::{Pair, ed25519};

/// What a batch settles: so many receipts of a channel or a miner, and what they add to its sums.
#[derive(Default, Clone)]
pub(crate) struct Adds {
	/// Channel, its signer's key, receipts, prices.
	pub(crate) channels: Vec<(ChannelId, ed25519::Pair, u64, u128)>,
	/// Miner, receipts, prices, weights.
	pub(crate) miners: Vec<(ed25519::Pair, u64, u128, u128)>,
	/// Channel that all of these receipts are said to be of, and given up.
	pub(crate) given_up: Option<ChannelId>,
}

impl Adds {
	fn given_up(&self, miners: &[(MinerLine, &ed25519::Pair)]) -> Vec<GivenUp> {
		let Some(channel) = self.given_up else { return Vec::new() };
		miners.iter().map(|(line, _)| GivenUp { channel, line: *line }).collect()
	}
}

pub(crate) fn open(terms: ChannelTerms) -> RuntimeCall {
	Call::open_channel { terms: Box::new(terms) }.into()
}

pub(crate) fn top_up(channel: ChannelId, amount: u128) -> RuntimeCall {
	Call::top_up { channel, amount }.into()
}

pub(crate) fn renew(channel: ChannelId, amount: u128, plan_ends_ms: u64) -> RuntimeCall {
	Call::renew_plan { channel, amount, plan_ends_ms }.into()
}

pub(crate) fn close(channel: ChannelId) -> RuntimeCall {
	Call::close_channel { channel }.into()
}

pub(crate) fn give_back(channels: Vec<ChannelId>) -> RuntimeCall {
	Call::return_rests { channels: channels.try_into().expect("as many as fit") }.into()
}

pub(crate) fn settle(batch: SettlementBatch) -> RuntimeCall {
	Call::settle_batch { batch: Box::new(batch) }.into()
}

/// The next line of a channel, with a voucher of just as much.
pub(crate) fn channel_line(
	(channel, signer, receipts, price): &(ChannelId, ed25519::Pair, u64, u128),
) -> Option<SignedChannelLine> {
	let row = Channels::<Runtime>::get(channel)?.channel;
	let from = row.settled;
	let to = ChannelSums {
		count: from.count.saturating_add(*receipts),
		price: from.price.saturating_add(*price),
	};
	let number = row.voucher_number.saturating_add(1).max(to.count);
	let (voucher, signature) = voucher(*channel, signer, number, to.price);
	Some(SignedChannelLine { line: ChannelLine { voucher, from, to }, signature })
}

/// A voucher of that number and amount, with its signature.
pub(crate) fn voucher(
	channel: ChannelId,
	signer: &ed25519::Pair,
	number: u64,
	amount: u128,
) -> (Voucher, Signature) {
	let voucher = Voucher { channel, number, amount, spec_hash: H256::repeat_byte(1) };
	(voucher, signer.sign(&voucher.signing_payload(&chain::genesis_hash())).0)
}

fn miner_line(
	coordinator: PublicKey,
	kind: BatchKind,
	(miner, receipts, price, weight): &(ed25519::Pair, u64, u128, u128),
) -> MinerLine {
	let miner = Some(key_of(miner));
	let from = MinerTotals::<Runtime>::get((coordinator, kind, miner));
	let to = MinerSums {
		count: from.count.saturating_add(*receipts),
		price: from.price.saturating_add(*price),
		weight: from.weight.saturating_add(*weight),
	};
	MinerLine { miner, from, to }
}

/// The next batch of a coordinator that settles this, with the signatures of everybody in it; none if
/// a channel is not there.
pub(crate) fn batch(
	coordinator: &ed25519::Pair,
	kind: BatchKind,
	adds: &Adds,
	now: u64,
) -> Option<SettlementBatch> {
	let channels = adds.channels.iter().map(channel_line).collect::<Option<_>>()?;
	batch_of((key_of(coordinator), coordinator), kind, channels, adds, now)
}

/// The next batch of a coordinator's key with these lines of channels instead of the added ones, no matter
/// who signs its header.
pub(crate) fn batch_of(
	(coordinator, signs): (PublicKey, &ed25519::Pair),
	kind: BatchKind,
	mut channels: Vec<SignedChannelLine>,
	adds: &Adds,
	now: u64,
) -> Option<SettlementBatch> {
	channels.sort_by_key(|signed| signed.line.channel());
	let mut miners: Vec<(MinerLine, &ed25519::Pair)> =
		adds.miners.iter().map(|miner| (miner_line(coordinator, kind, miner), &miner.0)).collect();
	miners.sort_by_key(|(line, _)| line.miner);
	let lists = Lists {
		channels: channels.iter().map(|signed| signed.line).collect(),
		miners: miners.iter().map(|(line, _)| *line).collect(),
		given_up: adds.given_up(&miners),
	};
	let last = Headers::<Runtime>::get(coordinator);
	let leaves: Vec<_> = receipts_of(&lists, kind).iter().map(receipt_leaf).collect();
	let header = SettlementHeader {
		coordinator,
		sequence: last.next_sequence,
		previous: last.last_hash,
		time_ms: now,
		kind,
		sums: lists.of_miners().unwrap_or_default(),
		channels: u32::try_from(channels.len()).ok()?,
		miners: u32::try_from(lists.miners.len().saturating_add(lists.given_up.len())).ok()?,
		lines: merkle::root(&lists.leaves()),
		receipts: if leaves.is_empty() { H256::repeat_byte(2) } else { merkle::root(&leaves) },
		cid: None,
	};
	let genesis = chain::genesis_hash();
	let signed = |(line, pair): (MinerLine, &ed25519::Pair)| SignedMinerLine {
		line,
		signature: Some(pair.sign(&line.signing_payload(&genesis, &header.hash())).0),
	};
	Some(SettlementBatch {
		header,
		signature: signs.sign(&header.signing_payload(&genesis)).0,
		channels: channels.try_into().ok()?,
		miners: miners.into_iter().map(signed).collect::<Vec<_>>().try_into().ok()?,
		given_up: lists.given_up.try_into().ok()?,
	})
}

/// Highest number of receipts of a batch whose list is made.
const MOST_RECEIPTS: u64 = 256;

/// The receipts behind the lines of a batch, in its order: of each line all but the last cost nothing. None if
/// they are too many, or some have no miner.
pub(crate) fn receipts_of(lists: &Lists, kind: BatchKind) -> Vec<ChannelReceipt> {
	let number = |line: &MinerLine| line.receipts().unwrap_or(0);
	let all = lists.miners.iter().try_fold(0u64, |sum, line| sum.checked_add(number(line)));
	let fit = all.is_some_and(|all| all <= MOST_RECEIPTS);
	let Some(model) = ModelRegistry::default_model().filter(|_| fit) else { return Vec::new() };
	let mut vouchers = lists.channels.iter().flat_map(|line| {
		let last = (line.from.count.saturating_add(MOST_RECEIPTS)).min(line.to.count);
		(line.from.count..last)
			.map(move |count| VoucherId { channel: line.channel(), number: count + 1 })
	});
	let mut found = Vec::new();
	for line in &lists.miners {
		let Some(miner) = line.miner else { return Vec::new() };
		let mut sums = line.from;
		for left in (0..number(line)).rev() {
			let is_last = left == 0;
			let price = if is_last { line.price().unwrap_or(0) } else { 0 };
			let weight = if is_last { line.weight().unwrap_or(0) } else { 0 };
			let Ok(weight) = u64::try_from(weight) else { return Vec::new() };
			let Some(after) = sums.after(price, weight) else { return Vec::new() };
			sums = after;
			let spare = VoucherId { channel: u64::MAX, number: sums.count };
			let voucher = vouchers.next().unwrap_or(spare);
			found.push(made_up((voucher, model), (miner, sums), price, (weight, kind)));
		}
	}
	found
}

fn made_up(
	(voucher, model): (VoucherId, H256),
	(miner, sums): (PublicKey, MinerSums),
	price: u128,
	(weight, kind): (u64, BatchKind),
) -> ChannelReceipt {
	let receipt = ReceiptV2 {
		paid_by: PaidBy::Voucher(voucher),
		miner: Some(miner),
		model,
		spec_hash: H256::repeat_byte(1),
		output_root: H256::repeat_byte(4),
		weight,
		price,
		sampler: Sampler::Engine,
		telemetry: Telemetry { input_tokens: 1, output_tokens: 1, duration_ms: 1, memory_mb: 1 },
		settle_by_ms: 0,
	};
	let channel = ChannelSums { count: voucher.number, price };
	ChannelReceipt { receipt, sums: RunningSums { kind, channel, miner: sums } }
}

/// A receipt of a channel as a coordinator would sign it: any count, any price, done by any miner.
pub(crate) fn receipt(
	kind: BatchKind,
	voucher: VoucherId,
	miner: &ed25519::Pair,
	price: u128,
	settle_by_ms: u64,
) -> ChannelReceipt {
	let receipt = ReceiptV2 {
		paid_by: PaidBy::Voucher(voucher),
		miner: Some(key_of(miner)),
		model: H256::repeat_byte(3),
		spec_hash: H256::repeat_byte(1),
		output_root: H256::repeat_byte(4),
		weight: 1,
		price,
		sampler: Sampler::Engine,
		telemetry: Telemetry { input_tokens: 1, output_tokens: 1, duration_ms: 1, memory_mb: 1 },
		settle_by_ms,
	};
	let channel = ChannelSums { count: voucher.number, price: price.saturating_mul(2) };
	let channel = if voucher.number < 2 { ChannelSums { price, ..channel } } else { channel };
	let miner = MinerSums {
		count: voucher.number,
		price: channel.price,
		weight: u128::from(voucher.number),
	};
	ChannelReceipt { receipt, sums: RunningSums { kind, channel, miner } }
}

pub(crate) fn attested(receipt: ChannelReceipt, signer: &ed25519::Pair) -> Attested {
	let payload = receipt.coordinator_payload(&chain::genesis_hash());
	Attested { receipt, signature: signer.sign(&payload).0, batch: None }
}

/// The receipt, with the miner's sums of the first range that a batch gives up, and that range.
pub(crate) fn given_up(
	batch: &SettlementBatch,
	receipt: ChannelReceipt,
	coordinator: &ed25519::Pair,
) -> Option<ChannelEvidence> {
	let (lists, item) = (batch.lists(), *batch.given_up.first()?);
	let index = lists.channels.len().checked_add(lists.miners.len())?;
	let path = merkle::inclusion_proof(&lists.leaves(), index)?.try_into().ok()?;
	let mut receipt = receipt;
	receipt.sums.miner = item.line.to;
	Some(ChannelEvidence::Line {
		receipt: attested(receipt, coordinator),
		header: batch.header,
		signature: batch.signature,
		line: PlacedLine::GivenUp(Placed { item, index: u64::try_from(index).ok()?, path }),
	})
}

pub(crate) fn demand(receipt: ChannelReceipt, signer: &ed25519::Pair) -> RuntimeCall {
	let signature = attested(receipt, signer).signature;
	Call::demand_receipt { receipt: Box::new(receipt), signature }.into()
}

pub(crate) fn answer(
	coordinator: PublicKey,
	item: ChannelReceipt,
	header: SettlementHeader,
) -> RuntimeCall {
	let answer = Box::new(Placed { item, index: 0, path: Default::default() });
	let headers = Box::new(vec![header].try_into().expect("one"));
	Call::answer_demand { coordinator, answer, headers }.into()
}

pub(crate) fn accuse(coordinator: PublicKey, evidence: ChannelEvidence) -> RuntimeCall {
	Call::report_channel_offence { coordinator, evidence: Box::new(evidence) }.into()
}

pub(crate) fn lapse(coordinator: PublicKey, receipt: &ChannelReceipt) -> RuntimeCall {
	let payload = receipt.coordinator_payload(&chain::genesis_hash());
	let id = H256(sp_crypto_hashing::blake2_256(&payload));
	Call::lapse_demand { coordinator, id }.into()
}
