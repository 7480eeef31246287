//! Calls of channels: the only place that knows their fields, and what coordinator, client and miners
//! sign of a batch. Where a batch begins is read from the chain, as a cheat would.

use crate::{chain, world::compute::key_of};
use gridproof_primitives::{
	H256,
	compute::channels::{
		BatchKind, ChannelId, ChannelLine, ChannelSums, ChannelTerms, Lists, MinerLine, MinerSums,
		SettlementBatch, SettlementHeader, SignedChannelLine, SignedMinerLine, Voucher,
	},
	crypto::merkle,
};
use gridproof_runtime::{Runtime, RuntimeCall};
use pallet_compute_receipts::{Call, Channels, Headers, MinerTotals};
use sp_core::{Pair, ed25519};

/// What a batch settles: so many receipts of a channel or a miner, and what they add to its sums.
#[derive(Default, Clone)]
pub(crate) struct Adds {
	/// Channel, its signer's key, receipts, prices.
	pub(crate) channels: Vec<(ChannelId, ed25519::Pair, u64, u128)>,
	/// Miner, receipts, prices, weights.
	pub(crate) miners: Vec<(ed25519::Pair, u64, u128, u128)>,
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

fn channel_line(
	(channel, signer, receipts, price): &(ChannelId, ed25519::Pair, u64, u128),
) -> Option<SignedChannelLine> {
	let row = Channels::<Runtime>::get(channel)?.channel;
	let from = row.settled;
	let to = ChannelSums {
		count: from.count.saturating_add(*receipts),
		price: from.price.saturating_add(*price),
	};
	let number = row.voucher_number.saturating_add(1).max(to.count);
	let voucher =
		Voucher { channel: *channel, number, amount: to.price, spec_hash: H256::repeat_byte(1) };
	let signature = signer.sign(&voucher.signing_payload(&chain::genesis_hash())).0;
	Some(SignedChannelLine { line: ChannelLine { voucher, from, to }, signature })
}

fn miner_line(
	coordinator: &ed25519::Pair,
	kind: BatchKind,
	(miner, receipts, price, weight): &(ed25519::Pair, u64, u128, u128),
) -> MinerLine {
	let miner = Some(key_of(miner));
	let from = MinerTotals::<Runtime>::get((key_of(coordinator), kind, miner));
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
	let mut channels: Vec<SignedChannelLine> =
		adds.channels.iter().map(channel_line).collect::<Option<_>>()?;
	channels.sort_by_key(|signed| signed.line.channel());
	let mut miners: Vec<(MinerLine, &ed25519::Pair)> =
		adds.miners.iter().map(|adds| (miner_line(coordinator, kind, adds), &adds.0)).collect();
	miners.sort_by_key(|(line, _)| line.miner);
	let lists = Lists {
		channels: channels.iter().map(|signed| signed.line).collect(),
		miners: miners.iter().map(|(line, _)| *line).collect(),
	};
	let last = Headers::<Runtime>::get(key_of(coordinator));
	let header = SettlementHeader {
		coordinator: key_of(coordinator),
		sequence: last.next_sequence,
		previous: last.last_hash,
		time_ms: now,
		kind,
		sums: lists.of_miners().unwrap_or_default(),
		channels: u32::try_from(channels.len()).ok()?,
		miners: u32::try_from(miners.len()).ok()?,
		lines: merkle::root(&lists.leaves()),
		receipts: H256::repeat_byte(2),
		cid: None,
	};
	let genesis = chain::genesis_hash();
	let signed = |(line, pair): (MinerLine, &ed25519::Pair)| SignedMinerLine {
		line,
		signature: Some(pair.sign(&line.signing_payload(&genesis, &header.hash())).0),
	};
	Some(SettlementBatch {
		header,
		signature: coordinator.sign(&header.signing_payload(&genesis)).0,
		channels: channels.try_into().ok()?,
		miners: miners.into_iter().map(signed).collect::<Vec<_>>().try_into().ok()?,
	})
}
