//! Channels and batches.

use crate::{
	build::channels::{self as build, Adds},
	chain::{DAY, HOUR, MINUTE},
	rng::Rng,
	world::{
		Sent, World,
		channels::{ORDINARY, signer, terms},
		compute::honest_coordinator,
	},
};
use gridproof_primitives::{
	compute::PriceAsset,
	compute::channels::{
		BatchKind, ChannelEvidence, ChannelReceipt, ChannelTerms, Mode, VoucherId,
	},
	compute::checks::{BatchId, Part},
	crypto::ed25519::PublicKey,
};
use gridproof_runtime::constants::currency::AIT;
use sp_core::{Pair as _, ed25519};

/// A channel of the coalition, or any other one.
fn channel(world: &World, rng: &mut Rng) -> u64 {
	let ours = world.channels.ours.clone();
	match rng.any(&ours) {
		Some(channel) if rng.percent(85) => channel,
		_ => 1 + rng.below(6),
	}
}

fn asset(rng: &mut Rng) -> PriceAsset {
	rng.pick(&[PriceAsset::Ait, PriceAsset::Ait, PriceAsset::Aicp, PriceAsset::ServiceCredit])
}

/// At a coordinator of its own, or at the honest one; with a key of the client's, or one that is kept.
pub(super) fn open_channel(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let client = world.wallet(rng);
	let ours = world.our_keys(true);
	let coordinator = match rng.any(&ours) {
		Some(pair) if rng.percent(80) => pair,
		_ => honest_coordinator(),
	};
	let deposit = rng.pick(&[0, 1, 1_000_000, AIT / 20, AIT, 300 * AIT]);
	let mode = rng.pick(&[Mode::Ordinary, Mode::Ordinary, Mode::Private]);
	let made = ChannelTerms {
		kind: BatchKind { asset: asset(rng), mode },
		signer: if rng.percent(80) { terms(&coordinator, true, 1).signer } else { None },
		daily_limit: rng.pick(&[deposit, deposit, 1, u128::MAX]),
		plan_ends_ms: rng.percent(30).then(|| world.now + rng.pick(&[0, HOUR, DAY])),
		..terms(&coordinator, true, deposit)
	};
	// It sends the call itself, so that the channel is known.
	world.open_channel(&client, made);
	None
}

pub(super) fn top_up(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let amount = rng.pick(&[0, 1, 1_000_000, AIT, u128::MAX]);
	let call = build::top_up(channel(world, rng), amount);
	Some(Sent::Signed(world.wallet(rng), call))
}

pub(super) fn renew_plan(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let ends = world.now + rng.pick(&[0, HOUR, DAY, 2 * DAY]);
	let call = build::renew(channel(world, rng), rng.pick(&[0, 1, AIT]), ends);
	Some(Sent::Signed(world.wallet(rng), call))
}

pub(super) fn close_channel(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let call = build::close(channel(world, rng));
	Some(Sent::Signed(world.wallet(rng), call))
}

pub(super) fn return_rests(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let mut channels = Vec::new();
	for _ in 0..=rng.below(3) {
		channels.push(channel(world, rng));
	}
	let call = build::give_back(channels);
	Some(if rng.percent(60) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

/// Invented work, as it can be signed; or a batch that was settled before.
pub(super) fn settle_batch(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let sender = world.wallet(rng);
	if rng.percent(20) {
		let old = rng.any(&world.channels.old)?;
		world.send_batch(sender, old);
		return None;
	}
	let coordinator = rng.any(&world.our_keys(true))?;
	let miner = rng.any(&world.our_keys(false))?;
	let channel = channel(world, rng);
	let row = pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(channel)?;
	let kind = if rng.percent(90) { row.channel.kind } else { ORDINARY };
	let left = row.channel.left();
	let price = rng.pick(&[0, 1, left / 4, left / 2, left, left.saturating_add(1)]);
	let of_channel = if row.channel.signer.is_some() { signer(true) } else { coordinator };
	let paid = if rng.percent(90) { price } else { price.saturating_add(1) };
	let adds = Adds {
		channels: vec![(channel, of_channel, 1, price)],
		miners: vec![(miner, 1, paid, rng.pick(&[0, 1_000, 1_000_000_000, u128::MAX]))],
		..Adds::default()
	};
	let time = world.now + rng.pick(&[0, 0, 0, MINUTE, 2 * MINUTE]);
	let batch = build::batch(&coordinator, kind, &adds, time)?;
	world.send_batch(sender, batch);
	None
}

/// A receipt of a channel, of its coordinator or another one, and the key that signs it.
fn lie(world: &World, rng: &mut Rng) -> Option<(ChannelReceipt, ed25519::Pair)> {
	let id = channel(world, rng);
	let row = pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(id)?;
	// The honest coordinator's key is not the coalition's: it signs with its own.
	let coordinator = world
		.our_coordinator(&row.channel.coordinator)
		.unwrap_or_else(|| rng.pick(&world.compute.keys));
	let miner = rng.pick(&world.compute.keys);
	let settled = row.channel.settled;
	let number = rng.pick(&[1, 2, settled.count.max(1), settled.count + 1]);
	let price = rng.pick(&[1, AIT, settled.price, row.channel.deposited, u128::MAX / 4]);
	let voucher = VoucherId { channel: id, number };
	let due = rng.pick(&[0, world.now - MINUTE, world.now + HOUR]);
	Some((build::receipt(row.channel.kind, voucher, &miner, price, due), coordinator))
}

/// The key of the coordinator that a channel is for.
fn accused(receipt: &ChannelReceipt) -> Option<PublicKey> {
	let id = receipt.receipt.voucher()?.channel;
	let row = pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(id)?;
	Some(row.channel.coordinator)
}

pub(super) fn demand_receipt(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (receipt, coordinator) = lie(world, rng)?;
	world.channels.demanded.push(receipt);
	Some(Sent::Signed(world.wallet(rng), build::demand(receipt, &coordinator)))
}

/// With a batch that was settled: no receipt is in its tree.
pub(super) fn answer_demand(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let receipt = rng.any(&world.channels.demanded)?;
	let header = rng.any(&world.channels.old)?.header;
	let call = build::answer(accused(&receipt)?, receipt, header);
	Some(Sent::Signed(world.wallet(rng), call))
}

/// Two receipts that cannot both be, or that can.
pub(super) fn report_channel_offence(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (first, coordinator) = lie(world, rng)?;
	let (second, _) = lie(world, rng)?;
	let [one, other] = [first, second].map(|receipt| build::attested(receipt, &coordinator));
	let evidence = match rng.below(4) {
		0 => ChannelEvidence::TwoReceipts { first: one, second: other },
		1 => ChannelEvidence::Overlap { first: one, second: other },
		2 => ChannelEvidence::OtherWeight(one),
		_ => ChannelEvidence::OtherKind(other),
	};
	let call = build::accuse(accused(&first)?, evidence);
	// Offences ban: seldom.
	rng.percent(15).then(|| Sent::Signed(world.wallet(rng), call))
}

pub(super) fn lapse_demand(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let receipt = rng.any(&world.channels.demanded)?;
	let call = build::lapse(accused(&receipt)?, &receipt);
	Some(Sent::Signed(world.wallet(rng), call))
}

/// A batch of the coalition or of the honest coordinator, or one that there is not.
fn settled(world: &World, rng: &mut Rng) -> BatchId {
	let ours = world.our_keys(true);
	let coordinator = match rng.any(&ours) {
		Some(pair) if rng.percent(80) => pair,
		_ => honest_coordinator(),
	};
	BatchId { coordinator: coordinator.public().0, sequence: rng.below(6) }
}

/// A key of a miner of the coalition, or another one.
fn miner_key(world: &World, rng: &mut Rng) -> PublicKey {
	let ours = world.our_keys(false);
	rng.any(&ours).map_or([7; 32], |pair| pair.public().0)
}

pub(super) fn release_waiting(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let batch = settled(world, rng);
	let part = if rng.percent(40) {
		Part::Coordinator(batch)
	} else {
		Part::Miner(batch, miner_key(world, rng))
	};
	let parts = vec![part].try_into().ok()?;
	let call: gridproof_runtime::RuntimeCall =
		pallet_compute_receipts::Call::<gridproof_runtime::Runtime>::release_waiting { parts }
			.into();
	Some(if rng.percent(60) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

pub(super) fn return_to_clients(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let batch = settled(world, rng);
	let channels = vec![channel(world, rng)].try_into().ok()?;
	let call: gridproof_runtime::RuntimeCall =
		pallet_compute_receipts::Call::<gridproof_runtime::Runtime>::return_to_clients {
			batch,
			channels,
		}
		.into();
	Some(if rng.percent(60) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

pub(super) fn sign_line(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (batch, miner) = (settled(world, rng), miner_key(world, rng));
	let signature = [7; 64];
	let call: gridproof_runtime::RuntimeCall =
		pallet_compute_receipts::Call::<gridproof_runtime::Runtime>::sign_line {
			batch,
			miner,
			signature,
		}
		.into();
	Some(if rng.percent(60) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}
