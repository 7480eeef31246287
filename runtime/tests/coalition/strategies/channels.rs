//! Channels: invented work, one deposit twice, a client that closes, keys that others keep.

use super::{Scratch, compute::set_breaker};
use crate::{
	build::{
		channels::{self as build, Adds},
		stopped,
	},
	chain::{DAY, HOUR, MINUTE, SECOND},
	rng::Rng,
	world::{
		Role, Sent, World,
		channels::{ORDINARY, signer, terms},
		compute::{honest_coordinator, key_of},
		wallet,
	},
};
use gridproof_primitives::{
	compute::channels::{
		BatchKind, ChannelEvidence, ChannelId, ChannelLine, ChannelSums, ChannelTerms,
		SettlementBatch, SignedChannelLine, VoucherId,
	},
	compute::{Breaker, PriceAsset},
	num::units::AICP,
};
use gridproof_runtime::constants::currency::AIT;

/// A time in which an emission step ends, in milliseconds.
const STEP: u64 = 151 * SECOND;
const IN_AICP: BatchKind = BatchKind { asset: PriceAsset::Aicp, ..ORDINARY };
/// Deposit of an outsider at a coordinator of the coalition, and how much of it the outsider risks.
const OUTSIDERS: u128 = 50 * AIT;
const RISK: u128 = AIT / 1_000;

fn open_own(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
	kind: BatchKind,
	plan_ends_ms: Option<u64>,
) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let client = world.wallet(rng);
	let deposit = if kind.asset == PriceAsset::Ait { 2_000 * AIT } else { 2_000 * AICP };
	let terms = ChannelTerms { kind, plan_ends_ms, ..terms(&coordinator, true, deposit) };
	scratch.channel = Some(world.open_channel(&client, terms)?);
	Some(())
}

pub(super) fn open_own_channel(w: &mut World, s: &mut Scratch, rng: &mut Rng) -> Option<()> {
	open_own(w, s, rng, ORDINARY, None)
}

pub(super) fn open_channel_in_aicp(w: &mut World, s: &mut Scratch, rng: &mut Rng) -> Option<()> {
	open_own(w, s, rng, IN_AICP, None)
}

/// A plan that the coalition sells to itself, for a day.
pub(super) fn open_own_plan(world: &mut World, s: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let ends = world.now + DAY;
	open_own(world, s, rng, ORDINARY, Some(ends))
}

/// Invented work of as much weight as can be stated, in eight steps, at prices between nothing and
/// thirty tokens.
pub(super) fn settle_invented(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let (channel, kind) = (scratch.channel?, kind_of(scratch.channel?)?);
	let coordinator = *world.our_keys(true).first()?;
	let miner = *world.our_keys(false).first()?;
	let unit = if kind.asset == PriceAsset::Ait { AIT } else { AICP };
	for price in [0, 1, unit / 1_000, unit, 30 * unit, 30 * unit, 30 * unit, 100 * unit] {
		let adds = Adds {
			channels: vec![(channel, signer(true), 1, price)],
			miners: vec![(miner, 1, price, 1_000_000_000_000)],
			..Adds::default()
		};
		let batch = build::batch(&coordinator, kind, &adds, world.now)?;
		world.send_batch(wallet(Role::Coordinator), batch);
		world.pass(STEP);
	}
	Some(())
}

fn kind_of(channel: u64) -> Option<BatchKind> {
	Some(
		pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(channel)?.channel.kind,
	)
}

/// The same lines once more, as they were and as the next batch.
pub(super) fn settle_lines_again(world: &mut World, s: &mut Scratch, _: &mut Rng) -> Option<()> {
	let coordinator = key_of(world.our_keys(true).first()?);
	let channel = s.channel?;
	let is_ours = |batch: &&SettlementBatch| {
		let has = batch.channels.iter().any(|signed| signed.line.channel() == channel);
		batch.header.coordinator == coordinator && has
	};
	let old = world.channels.old.iter().rev().find(is_ours)?.clone();
	world.send_batch(wallet(Role::Coordinator), old.clone());
	let price = old.header.sums.price;
	settle_lines(world, old.header.kind, old.channels.into_inner(), price)
}

/// A batch of the coalition's coordinator with these lines of channels, in which its miner is paid that
/// price.
fn settle_lines(
	world: &mut World,
	kind: BatchKind,
	lines: Vec<SignedChannelLine>,
	price: u128,
) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let miner = *world.our_keys(false).first()?;
	let receipts: u64 = lines.iter().filter_map(|signed| signed.line.receipts()).sum();
	let adds = Adds { miners: vec![(miner, receipts, price, 1)], ..Adds::default() };
	let by = (key_of(&coordinator), &coordinator);
	let batch = build::batch_of(by, kind, lines, &adds, world.now)?;
	world.send_batch(wallet(Role::Coordinator), batch);
	world.pass(STEP);
	Some(())
}

/// A channel of the coalition at its own coordinator, with as high a limit a day as can be.
fn open_unlimited(
	world: &mut World,
	rng: &mut Rng,
	kind: BatchKind,
	deposit: u128,
) -> Option<ChannelId> {
	let coordinator = *world.our_keys(true).first()?;
	let terms = ChannelTerms { kind, daily_limit: u128::MAX, ..terms(&coordinator, true, deposit) };
	let client = world.wallet(rng);
	world.open_channel(&client, terms)
}

/// What others have deposited pays for what is above the own deposit.
pub(super) fn exceed_deposit(world: &mut World, _: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let channel = open_unlimited(world, rng, ORDINARY, AIT)?;
	let line = build::channel_line(&(channel, signer(true), 1, 100 * AIT))?;
	settle_lines(world, ORDINARY, vec![line], 100 * AIT)
}

pub(super) fn settle_one_line_twice(
	world: &mut World,
	_: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	// Of so much that what the treasury keeps of outsiders' prices does not hide the gain.
	let channel = open_unlimited(world, rng, ORDINARY, 300 * AIT)?;
	let line = build::channel_line(&(channel, signer(true), 1, 300 * AIT))?;
	settle_lines(world, ORDINARY, vec![line, line], 600 * AIT)
}

/// The channel pays next to nothing, and the miner is paid all the same.
pub(super) fn pay_more_to_miners(world: &mut World, _: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let channel = open_unlimited(world, rng, ORDINARY, AIT)?;
	let line = build::channel_line(&(channel, signer(true), 1, 1))?;
	settle_lines(world, ORDINARY, vec![line], 100 * AIT)
}

/// A deposit of as many of the smallest units of AIT pays in AICP that an outsider deposited.
pub(super) fn settle_in_another_asset(
	world: &mut World,
	_: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	let amount = 1_000 * AICP;
	let terms = terms(&honest_coordinator(), false, amount);
	world.outsider_opens(ChannelTerms { kind: IN_AICP, ..terms })?;
	let channel = open_unlimited(world, rng, ORDINARY, amount)?;
	let line = build::channel_line(&(channel, signer(true), 1, amount))?;
	settle_lines(world, IN_AICP, vec![line], amount)
}

/// An outsider opens a channel at the coalition's coordinator.
fn open_for_outsider(
	world: &mut World,
	change: impl FnOnce(ChannelTerms) -> ChannelTerms,
) -> Option<ChannelId> {
	let coordinator = *world.our_keys(true).first()?;
	let terms = terms(&coordinator, false, OUTSIDERS);
	world.outsider_opens(change(terms))
}

/// All of an outsider's deposit, by a voucher that the coalition signs in its place.
pub(super) fn forge_voucher(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let channel = open_for_outsider(world, |terms| terms)?;
	let line = build::channel_line(&(channel, signer(true), 1, OUTSIDERS))?;
	settle_lines(world, ORDINARY, vec![line], OUTSIDERS)
}

/// All of it, by a voucher of much less.
pub(super) fn exceed_voucher(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let channel = open_for_outsider(world, |terms| terms)?;
	let (voucher, signature) = build::voucher(channel, &signer(false), 1, RISK);
	world.outsider_risks(RISK);
	let (from, to) = (ChannelSums::default(), ChannelSums { count: 1, price: OUTSIDERS });
	let line = ChannelLine { voucher, from, to };
	settle_lines(world, ORDINARY, vec![SignedChannelLine { line, signature }], OUTSIDERS)
}

/// All of it, with a key that the coordinator keeps for much less a day.
pub(super) fn exceed_day(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let kept = |terms: ChannelTerms| ChannelTerms { signer: None, daily_limit: RISK, ..terms };
	let channel = open_for_outsider(world, kept)?;
	world.outsider_risks(RISK);
	let coordinator = *world.our_keys(true).first()?;
	let line = build::channel_line(&(channel, coordinator, 1, OUTSIDERS))?;
	settle_lines(world, ORDINARY, vec![line], OUTSIDERS)
}

/// Before an honest coordinator settles its work, the deposit goes to a miner of the coalition, by a
/// batch in that coordinator's name.
pub(super) fn settle_in_anothers_name(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	order_at_honest(world, scratch, rng)?;
	let (channel, miner) = (scratch.channel?, *world.our_keys(false).first()?);
	let row = pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(channel)?;
	let left = row.channel.left();
	let line = build::channel_line(&(channel, signer(true), 1, left))?;
	let by = (key_of(&honest_coordinator()), &miner);
	let adds = Adds { miners: vec![(miner, 1, left, 1_000_000)], ..Adds::default() };
	let batch = build::batch_of(by, ORDINARY, vec![line], &adds, world.now)?;
	world.send_batch(wallet(Role::Miner), batch);
	Some(())
}

/// Another period, and after its end anybody closes.
pub(super) fn renew_and_end(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let channel = scratch.channel?;
	let row = pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(channel)?;
	let client = world.wallet_of(&row.client)?;
	let ends = row.channel.plan_ends_ms? + DAY;
	world.send(Sent::Signed(client, build::renew(channel, AIT, ends)));
	world.pass(2 * DAY);
	let anybody = world.wallet(rng);
	world.send(Sent::Signed(anybody, build::close(channel)));
	Some(())
}

/// Work of the honest, in a channel of the coalition, at a coordinator that is away for four hours less
/// than the notice of a closing.
pub(super) fn order_at_honest(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let client = wallet(Role::Client);
	let terms = terms(&honest_coordinator(), true, 50 * AIT);
	let channel = world.open_channel(&client, terms)?;
	scratch.channel = Some(channel);
	world.leave_chain(notice().saturating_sub(4 * HOUR));
	world.order_in_channel(channel, 20 * AIT)
}

/// Notice of a closing, in milliseconds.
fn notice() -> u64 {
	pallet_compute_receipts::ChannelRules::<gridproof_runtime::Runtime>::get().close_notice_ms
}

/// The client closes, and the emergency account stops settlement for longer than the notice.
pub(super) fn stop_past_notice(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	order_at_honest(world, scratch, rng)?;
	let channel = scratch.channel?;
	world.send(Sent::Signed(wallet(Role::Client), build::close(channel)));
	world.send(Sent::Signed(wallet(Role::Guard), stopped(set_breaker(Breaker::AllStopped))));
	world.pass(notice() + HOUR);
	world.send(Sent::Free(build::give_back(vec![channel])));
	world.governance(set_breaker(Breaker::Closed));
	world.send(Sent::Free(build::give_back(vec![channel])));
	world.pass(SECOND);
	Some(())
}

/// The client closes at once, and takes what it can before the coordinator is back.
pub(super) fn close_and_take(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let channel = scratch.channel?;
	world.send(Sent::Signed(wallet(Role::Client), build::close(channel)));
	for wait in [SECOND, HOUR, 18 * HOUR, 6 * HOUR] {
		world.send(Sent::Free(build::give_back(vec![channel])));
		world.pass(wait);
	}
	world.send(Sent::Free(build::give_back(vec![channel])));
	Some(())
}

/// Another coordinator settles the channel that an honest one works for.
pub(super) fn settle_elsewhere(
	world: &mut World,
	scratch: &mut Scratch,
	_: &mut Rng,
) -> Option<()> {
	settle_of(world, scratch.channel?)
}

/// A coordinator takes what an outsider deposited for another one.
pub(super) fn settle_of_outsider(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	for channel in 1..=3 {
		if !world.channels.ours.contains(&channel) {
			settle_of(world, channel);
		}
	}
	Some(())
}

/// A batch of a coordinator of the coalition takes all that is left of a channel.
fn settle_of(world: &mut World, channel: u64) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let miner = *world.our_keys(false).first()?;
	let row = pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(channel)?;
	let all = row.channel.left();
	// The coalition has no key but its own: it signs an outsider's vouchers with that.
	let adds = Adds {
		channels: vec![(channel, signer(true), 1, all)],
		miners: vec![(miner, 1, all, 1_000_000)],
		..Adds::default()
	};
	let batch = build::batch(&coordinator, ORDINARY, &adds, world.now)?;
	world.send_batch(wallet(Role::Coordinator), batch);
	Some(())
}

/// Keys that the coordinator keeps, for more a day than its bond.
pub(super) fn open_kept(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	for deposit in [600 * AIT, 399 * AIT, 2 * AIT] {
		let kept = ChannelTerms { signer: None, ..terms(&coordinator, true, deposit) };
		let client = world.wallet(rng);
		scratch.channel = world.open_channel(&client, kept).or(scratch.channel);
	}
	Some(())
}

/// A kept key is used without a request.
pub(super) fn empty_kept(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let coordinator = *world.our_keys(true).first()?;
	let miner = *world.our_keys(false).first()?;
	let channel = scratch.channel?;
	for _ in 0..3 {
		let adds = Adds {
			channels: vec![(channel, coordinator, 1, 300 * AIT)],
			miners: vec![(miner, 1, 300 * AIT, 1_000_000)],
			..Adds::default()
		};
		let batch = build::batch(&coordinator, ORDINARY, &adds, world.now)?;
		world.send_batch(wallet(Role::Coordinator), batch);
		world.pass(STEP);
	}
	Some(())
}

/// Two receipts of one voucher that the coalition's coordinator signs for the coalition's client, at as
/// much as was settled.
pub(super) fn accuse_itself(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let channel = scratch.channel?;
	let row = pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(channel)?;
	let coordinator = *world.our_keys(true).first()?;
	let miner = *world.our_keys(false).first()?;
	for number in 1..=4 {
		let voucher = VoucherId { channel, number };
		let [one, other] = [row.channel.settled.price, 1].map(|price| {
			let receipt = build::receipt(row.channel.kind, voucher, &miner, price, world.now);
			build::attested(receipt, &coordinator)
		});
		let evidence = ChannelEvidence::TwoReceipts { first: one, second: other };
		let sender = world.wallet(rng);
		let call = build::accuse(key_of(&coordinator), evidence);
		world.send(Sent::Signed(sender, call));
	}
	Some(())
}

/// Receipts of its own coordinator that nobody answers for: the miner's share out of the bond.
pub(super) fn demand_of_itself(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	let channel = scratch.channel?;
	let coordinator = *world.our_keys(true).first()?;
	let miner = *world.our_keys(false).first()?;
	let mut demanded = Vec::new();
	for number in 1..=4 {
		let voucher = VoucherId { channel, number: 1_000 + number };
		let receipt = build::receipt(ORDINARY, voucher, &miner, 900 * AIT, world.now - SECOND);
		let sender = world.wallet(rng);
		world.send(Sent::Signed(sender, build::demand(receipt, &coordinator)));
		demanded.push(receipt);
	}
	world.pass(7 * HOUR);
	for receipt in demanded {
		let call = build::lapse(key_of(&coordinator), &receipt);
		let sender = world.wallet(rng);
		world.send(Sent::Signed(sender, call));
	}
	Some(())
}

/// The client closes its own channel, and the coordinator waits until it has ended.
pub(super) fn let_it_end(world: &mut World, scratch: &mut Scratch, _: &mut Rng) -> Option<()> {
	let channel = scratch.channel?;
	let row = pallet_compute_receipts::Channels::<gridproof_runtime::Runtime>::get(channel)?;
	let client = world.wallet_of(&row.client)?;
	world.send(Sent::Signed(client, build::close(channel)));
	world.pass(25 * HOUR);
	Some(())
}

/// Invented receipts of its own channel, which has ended, are given up: the miner's share out of the
/// bond.
pub(super) fn give_up_own(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	let channel = scratch.channel?;
	let coordinator = *world.our_keys(true).first()?;
	let miner = *world.our_keys(false).first()?;
	for number in 1..=4 {
		let adds = Adds {
			miners: vec![(miner, 1, 900 * AIT, 1)],
			given_up: Some(channel),
			..Adds::default()
		};
		let batch = build::batch(&coordinator, ORDINARY, &adds, world.now)?;
		world.send_batch(wallet(Role::Coordinator), batch.clone());
		let voucher = VoucherId { channel, number: 2_000 + number };
		let receipt = build::receipt(ORDINARY, voucher, &miner, 900 * AIT, world.now - SECOND);
		let evidence = build::given_up(&batch, receipt, &coordinator)?;
		world.pass(MINUTE);
		let sender = world.wallet(rng);
		world.send(Sent::Signed(sender, build::accuse(key_of(&coordinator), evidence)));
	}
	Some(())
}

/// Once more when the coordinator is back and has settled: as much has left the channel now as could
/// come back.
pub(super) fn accuse_settled(
	world: &mut World,
	scratch: &mut Scratch,
	rng: &mut Rng,
) -> Option<()> {
	world.pass(notice());
	accuse(world, VoucherId { channel: scratch.channel?, number: 2 }, rng)
}

pub(super) fn accuse_honest(world: &mut World, scratch: &mut Scratch, rng: &mut Rng) -> Option<()> {
	accuse(world, VoucherId { channel: scratch.channel?, number: 1 }, rng)
}

/// A receipt that the honest coordinator never signed, for a miner of the coalition, which nobody
/// answers for: its share out of that coordinator's bond.
pub(super) fn demand_of_honest(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	let (client, miner) = (wallet(Role::Client), *world.our_keys(false).first()?);
	let channel = world.open_channel(&client, terms(&honest_coordinator(), true, AIT))?;
	let voucher = VoucherId { channel, number: 1 };
	let receipt = build::receipt(ORDINARY, voucher, &miner, 100 * AIT, world.now - SECOND);
	world.send(Sent::Signed(client.clone(), build::demand(receipt, &miner)));
	world.pass(7 * HOUR);
	let call = build::lapse(key_of(&honest_coordinator()), &receipt);
	world.send(Sent::Signed(client, call));
	Some(())
}

/// Receipts that the honest coordinator never signed, and its bond as what they took.
fn accuse(world: &mut World, voucher: VoucherId, rng: &mut Rng) -> Option<()> {
	let forger = rng.pick(&world.compute.keys);
	let receipts = [20 * AIT, AIT]
		.map(|price| build::receipt(ORDINARY, voucher, &forger, price, world.now - SECOND));
	let [first, second] = receipts.map(|receipt| build::attested(receipt, &forger));
	let evidence = ChannelEvidence::TwoReceipts { first, second };
	let sender = world.wallet(rng);
	let honest = key_of(&honest_coordinator());
	world.send(Sent::Signed(sender.clone(), build::accuse(honest, evidence)));
	for receipt in receipts {
		world.send(Sent::Signed(sender.clone(), build::demand(receipt, &forger)));
	}
	Some(())
}
