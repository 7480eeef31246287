//! Channels: an honest client that orders at the honest coordinator, which settles what it owes and
//! is owed, unless it does not reach the chain. What a coordinator of the coalition settles is work
//! that nobody outside has seen.

use super::{Sent, Source, Token, World};
use crate::{
	build::channels::{self as build, Adds},
	chain::{Key, ed25519_named},
	world::compute::{honest_coordinator, honest_miner, key_of},
};
use gridproof_primitives::{
	compute::PriceAsset,
	compute::channels::{
		BatchKind, ChannelId, ChannelReceipt, ChannelSums, ChannelTerms, Mode, SettlementBatch,
	},
	compute::checks::{BatchId, Part},
	compute::settlement::Shares,
	crypto::ed25519::PublicKey,
	num::units::AIT,
};
use gridproof_runtime::Runtime;
use pallet_compute_receipts::{Channels, ChannelsOf, Event, Parties};
use sp_core::ed25519;
use std::collections::BTreeMap;

/// Asset and mode of what the honest order.
pub(crate) const ORDINARY: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
/// Price of an order of the honest client.
const ORDER: u128 = AIT / 2;

/// Work of the honest coordinator that no batch has settled yet.
#[derive(Clone)]
struct Owed {
	channel: ChannelId,
	miner: ed25519::Pair,
	price: u128,
}

#[derive(Default)]
pub(crate) struct Truth {
	/// Channels that the coalition opened.
	pub(crate) ours: Vec<ChannelId>,
	/// Batches that were settled, which anybody can submit again.
	pub(crate) old: Vec<SettlementBatch>,
	/// Receipts that the coalition asked for.
	pub(crate) demanded: Vec<ChannelReceipt>,
	/// Channel of the honest client.
	honest: Option<ChannelId>,
	owed: Vec<Owed>,
	/// Value of what outsiders delivered to the coalition.
	delivered: u128,
	/// Lines of the batch in progress: miners with their shares and claims, and channels.
	miners: Vec<(PublicKey, Shares, u128)>,
	channels: Vec<ChannelId>,
	/// Whose a channel was, also after it has ended.
	owners: BTreeMap<ChannelId, bool>,
}

impl Truth {
	/// Value of the work that outsiders delivered to the coalition.
	pub(crate) fn taken(&self, token: Token) -> u128 {
		if token == Token::Ait { self.delivered } else { 0 }
	}
}

/// The key with which the coalition signs vouchers, and that of the honest client.
pub(crate) fn signer(ours: bool) -> ed25519::Pair {
	ed25519_named(if ours { "signer/ours" } else { "signer/honest" })
}

/// Terms of a channel at a coordinator.
pub(crate) fn terms(coordinator: &ed25519::Pair, ours: bool, deposit: u128) -> ChannelTerms {
	ChannelTerms {
		coordinator: key_of(coordinator),
		kind: ORDINARY,
		signer: Some(key_of(&signer(ours))),
		deposit,
		daily_limit: deposit,
		plan_ends_ms: None,
	}
}

impl World {
	pub(crate) fn set_up_channels(&mut self) {
		let client = Key::named("honest/client");
		let terms = terms(&honest_coordinator(), false, 500 * AIT);
		let outcome = self.send_honest(Sent::Signed(client, build::open(terms)));
		assert!(outcome.is_done(), "the honest client opens no channel: {outcome:?}");
		self.channels.honest = Some(newest());
	}

	/// Opens a channel of the coalition.
	pub(crate) fn open_channel(&mut self, client: &Key, terms: ChannelTerms) -> Option<ChannelId> {
		let sent = Sent::Signed(client.clone(), build::open(terms));
		self.send(sent).is_done().then(|| {
			self.channels.ours.push(newest());
			newest()
		})
	}

	/// The honest client opens another channel, at any coordinator.
	pub(crate) fn outsider_opens(&mut self, terms: ChannelTerms) -> Option<ChannelId> {
		let client = Key::named("honest/client");
		let outcome = self.send_honest(Sent::Signed(client, build::open(terms)));
		outcome.is_done().then(newest)
	}

	/// The honest client signs a voucher for a coordinator of the coalition, or lets it keep a key for as
	/// much a day: what it risks so is due, whether or not the work is done.
	pub(crate) fn outsider_risks(&mut self, amount: u128) {
		self.add_paid(PriceAsset::Ait, amount);
	}

	/// Orders work in a channel of the coalition at the honest coordinator, which works for no more
	/// than the channel has, and has an outsider do it.
	pub(crate) fn order_in_channel(&mut self, channel: ChannelId, price: u128) -> Option<()> {
		let row = Channels::<Runtime>::get(channel)?.channel;
		let of_channel = |owed: &&Owed| owed.channel == channel;
		let owed: u128 = self.channels.owed.iter().filter(of_channel).map(|owed| owed.price).sum();
		let covered = owed + price <= row.left() && owed + price <= row.daily_limit;
		if row.coordinator != key_of(&honest_coordinator()) || row.ends_ms.is_some() || !covered {
			return None;
		}
		self.channels.owed.push(Owed { channel, miner: honest_miner(), price });
		self.channels.delivered += price;
		Some(())
	}

	/// The honest client orders now and then; the coordinator settles what it is owed.
	pub(crate) fn honest_channels(&mut self, ticks: u64) {
		if ticks.is_multiple_of(4)
			&& let Some(channel) = self.channels.honest
		{
			let ours = self.our_keys(false);
			let miner = match ours.first() {
				Some(miner) if ticks.is_multiple_of(8) => *miner,
				_ => honest_miner(),
			};
			let left = Channels::<Runtime>::get(channel).map_or(0, |row| row.channel.left());
			if left >= 40 * ORDER {
				self.channels.owed.push(Owed { channel, miner, price: ORDER });
			}
		}
		if !self.is_away() {
			// Outsiders' and the coalition's apart: it is known who paid what. The second one waits for
			// the next block, because of the spacing; outsiders take their time.
			for ours in [true, false] {
				self.honest_batch(ours);
			}
		}
	}

	fn honest_batch(&mut self, ours: bool) {
		let is_ours = |owed: &Owed| (Some(owed.channel) != self.channels.honest) == ours;
		let (now, rest): (Vec<Owed>, Vec<Owed>) =
			self.channels.owed.iter().cloned().partition(is_ours);
		let mut adds = Adds::default();
		for Owed { channel, miner, price } in &now {
			match adds.channels.iter_mut().find(|line| line.0 == *channel) {
				Some(line) => (line.2, line.3) = (line.2 + 1, line.3 + price),
				None => adds.channels.push((*channel, signer(ours), 1, *price)),
			}
			match adds.miners.iter_mut().find(|line| key_of(&line.0) == key_of(miner)) {
				Some(line) => {
					(line.1, line.2, line.3) = (line.1 + 1, line.2 + price, line.3 + 1_000)
				},
				None => adds.miners.push((*miner, 1, *price, 1_000)),
			}
		}
		if now.is_empty() {
			return;
		}
		let Some(batch) = build::batch(&honest_coordinator(), ORDINARY, &adds, self.now) else {
			return;
		};
		let before = settled(&batch);
		let coordinator = Key::named("honest/coordinator");
		let _ = self.send_honest(Sent::Signed(coordinator, build::settle(batch.clone())));
		if settled(&batch) > before {
			self.channels.owed = rest;
			self.keep_batch(batch);
		}
	}

	/// Remembers a batch that was settled, and its receipts.
	fn keep_batch(&mut self, batch: SettlementBatch) {
		let header = batch.header;
		let id = BatchId { coordinator: header.coordinator, sequence: header.sequence };
		let list = build::receipts_of(&batch.lists(), header.kind);
		if !list.is_empty() {
			self.checks.lists.insert(id, list);
		}
		self.channels.old.push(batch);
	}

	/// Sends a batch of the coalition.
	pub(crate) fn send_batch(&mut self, sender: Key, batch: SettlementBatch) -> bool {
		let before = settled(&batch);
		self.send(Sent::Signed(sender, build::settle(batch.clone())));
		let done = settled(&batch) > before;
		if done {
			self.keep_batch(batch);
		} else if let Some((_, succeeded)) = self.counts.get_mut("ComputeReceipts.settle_batch") {
			// The call of a batch that is refused is done all the same.
			*succeeded = succeeded.saturating_sub(1);
		}
		done
	}

	/// Notes what happens to channels.
	pub(crate) fn observe_channels(&mut self, event: &Event<Runtime>) {
		match event {
			Event::ChannelOpened { channel, client, coordinator, signer, .. } => {
				let ours = self.is_ours(client);
				self.channels.owners.insert(*channel, ours);
				// A bond that was slashed since, or gave something back, takes no further key.
				if signer.is_none() {
					self.check_kept(coordinator);
				}
			},
			Event::MinerSettled { miner, shares, claim, .. } => {
				self.channels.miners.push((*miner, *shares, *claim));
			},
			Event::ChannelSettled { channel, settled } => {
				let ChannelSums { count, .. } = settled;
				assert!(*count > 0, "a channel without a receipt is settled");
				self.channels.channels.push(*channel);
			},
			Event::BatchSettled { coordinator, kind, .. } => {
				let miners = std::mem::take(&mut self.channels.miners);
				let channels = std::mem::take(&mut self.channels.channels);
				let owners: Vec<_> =
					channels.iter().filter_map(|id| self.channels.owners.get(id)).collect();
				let all_ours = owners.iter().all(|ours| **ours);
				let honest = *coordinator == key_of(&honest_coordinator());
				for (miner, shares, claim) in miners {
					let took_part = self.is_our_party(&miner) || self.is_our_party(coordinator);
					self.note_line(
						(*kind, shares, claim),
						took_part,
						honest && !all_ours,
						all_ours,
					);
				}
			},
			_ => {},
		}
	}

	fn is_our_party(&self, key: &PublicKey) -> bool {
		Parties::<Runtime>::get(key).is_some_and(|party| self.is_ours(&party.account))
	}

	/// The honest coordinator settles true work: what outsiders paid for it is due. Nothing is that
	/// another coordinator takes of them.
	fn note_line(
		&mut self,
		(kind, shares, claim): (BatchKind, Shares, u128),
		took_part: bool,
		is_true: bool,
		own: bool,
	) {
		if !took_part {
			return;
		}
		if is_true {
			self.add_paid(kind.asset, shares.total());
		} else if own {
			self.note_given(kind.asset, shares.treasury);
		}
		let label = self.label;
		self.note_claim(label, claim);
	}

	/// The keys that a coordinator keeps are together worth no more a day than its bond.
	fn check_kept(&mut self, coordinator: &PublicKey) {
		let Some(party) = Parties::<Runtime>::get(coordinator) else { return };
		let kept: u128 = Channels::<Runtime>::iter_values()
			.filter(|row| row.channel.coordinator == *coordinator && row.channel.signer.is_none())
			.filter(|row| row.channel.kind.asset == PriceAsset::Ait)
			.map(|row| row.channel.daily_limit)
			.sum();
		self.blame(Source::KeptAboveBond, kept.saturating_sub(party.bond));
	}

	/// Pays what waited for the check window: in the end it is somebody's.
	pub(crate) fn release_all(&mut self) {
		use pallet_compute_receipts::{Call, WaitingBatches, WaitingLines};
		let batches: Vec<_> = WaitingBatches::<Runtime>::iter_keys()
			.map(|(coordinator, sequence)| BatchId { coordinator, sequence })
			.collect();
		for batch in &batches {
			let touch = pallet_compute_checks::Call::<Runtime>::touch { batch: *batch };
			let _ = self.send_honest(Sent::Free(touch.into()));
		}
		let lines = WaitingLines::<Runtime>::iter_keys();
		let lines = lines.map(|(miner, batch)| Part::Miner(batch, miner));
		let coordinators = batches.into_iter().map(Part::Coordinator);
		for part in lines.chain(coordinators).collect::<Vec<_>>() {
			let parts = vec![part].try_into().expect("one fits");
			let release = Call::<Runtime>::release_waiting { parts };
			let _ = self.send_honest(Sent::Free(release.into()));
		}
	}

	/// What would return to the coalition of its channels if nothing were settled any more.
	pub(crate) fn in_channels(&self, asset: PriceAsset) -> u128 {
		let mut sum = 0;
		for account in &self.spendable {
			for id in ChannelsOf::<Runtime>::iter_key_prefix(account) {
				let Some(row) = Channels::<Runtime>::get(id) else { continue };
				sum += if row.channel.kind.asset == asset { row.channel.left() } else { 0 };
				sum += if asset == PriceAsset::Ait { row.deposit } else { 0 };
			}
		}
		sum
	}
}

/// Number of the newest channel.
fn newest() -> ChannelId {
	pallet_compute_receipts::ChannelTotals::<Runtime>::get().opened
}

/// How many batches of this one's coordinator were settled.
fn settled(batch: &SettlementBatch) -> u64 {
	pallet_compute_receipts::Headers::<Runtime>::get(batch.header.coordinator).next_sequence
}
