//! A coordinator's books and what it makes of them, as small as tests need.

use crate::{mock::*, *};
use frame_support::dispatch::{Pays, PostDispatchInfo};
use gridproof_primitives::{
	H256,
	compute::channels::{
		Batch, BatchKind, BatchRefusal, ChannelId, ChannelReceipt, ChannelSums, ChannelTerms,
		MinerSums, Mode, PaidBy, ReceiptV2, RunningSums, Sampler, SettlementBatch,
		SignedChannelLine, SignedMinerLine, Voucher,
	},
	compute::{PriceAsset, Telemetry},
	crypto::{ed25519::PublicKey, merkle},
	num::units::AIT,
};
use sp_runtime::{DispatchError, traits::Dispatchable};
use std::collections::{BTreeMap, BTreeSet};

/// Number of the key that signs vouchers.
pub(super) const SIGNER: u8 = 40;

pub(super) const IN_AIT: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
pub(super) const IN_AICP: BatchKind = BatchKind { asset: PriceAsset::Aicp, mode: Mode::Ordinary };
pub(super) const PRIVATE: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Private };

/// Deposit of an ordinary channel.
pub(super) const DEPOSIT: u128 = 100 * AIT;
/// Shortest time between two batches.
pub(super) const SPACING_MS: u64 = 10_000;
/// Fee for a line.
pub(super) const FEE: u128 = AIT / 10_000;
/// Notice of a closing.
pub(super) const NOTICE_MS: u64 = DAY_MS;

/// Terms of an ordinary channel.
pub(super) fn terms(kind: BatchKind) -> ChannelTerms {
	ChannelTerms {
		coordinator: key(COORDINATOR),
		kind,
		signer: Some(key(SIGNER)),
		deposit: if kind.asset == PriceAsset::Ait { DEPOSIT } else { 10_000_000 },
		daily_limit: DEPOSIT,
		plan_ends_ms: None,
	}
}

pub(super) fn open_as(who: u8, terms: ChannelTerms) -> Result<ChannelId, DispatchError> {
	dispatch(Call::open_channel { terms: Box::new(terms) }, account(who))?;
	Ok(ChannelTotals::<Test>::get().opened)
}

/// Opens an ordinary channel of the client.
pub(super) fn open_channel(kind: BatchKind) -> ChannelId {
	open_as(9, terms(kind)).unwrap()
}

pub(super) fn close_as(who: u8, channel: ChannelId) -> Result<(), DispatchError> {
	dispatch(Call::close_channel { channel }, account(who))
}

pub(super) fn give_back(channels: &[ChannelId]) -> Result<(), DispatchError> {
	let channels = channels.to_vec().try_into().unwrap();
	dispatch(Call::return_rests { channels }, account(8))
}

/// Books of one coordinator.
#[derive(Clone)]
pub(super) struct Books {
	pub(super) coordinator: u8,
	/// Channels whose receipts it gives up.
	pub(super) ended: BTreeSet<ChannelId>,
	newest: BTreeMap<ChannelId, Voucher>,
	sums: BTreeMap<ChannelId, ChannelSums>,
	miners: BTreeMap<(BatchKind, Option<PublicKey>), MinerSums>,
	pub(super) waiting: BTreeMap<BatchKind, Vec<ChannelReceipt>>,
}

impl Books {
	pub(super) fn of(coordinator: u8) -> Self {
		Self {
			coordinator,
			ended: BTreeSet::new(),
			newest: BTreeMap::new(),
			sums: BTreeMap::new(),
			miners: BTreeMap::new(),
			waiting: BTreeMap::new(),
		}
	}

	/// A request of a channel gets its answer from a miner at a price; without a miner it gets none.
	pub(super) fn work(&mut self, channel: ChannelId, miner: Option<u8>, price: u128, tokens: u64) {
		let kind = Channels::<Test>::get(channel).unwrap().channel.kind;
		let sums = self.sums.entry(channel).or_default();
		let number = sums.count + 1;
		let spec_hash = H256::from_low_u64_be(number);
		let voucher = Voucher { channel, number, amount: sums.price + price, spec_hash };
		*sums = sums.after(price).unwrap();
		let miner = miner.map(key);
		let receipt = match miner {
			None => ReceiptV2::without_answer(&voucher, Now::get() + 60_000),
			Some(_) => ReceiptV2 {
				paid_by: PaidBy::Voucher(voucher.id()),
				miner,
				model: H256::repeat_byte(5),
				spec_hash,
				output_root: H256::repeat_byte(6),
				weight: tokens,
				price,
				sampler: Sampler::Gumbel,
				telemetry: Telemetry {
					input_tokens: 0,
					output_tokens: u32::try_from(tokens).unwrap(),
					duration_ms: 20,
					memory_mb: 500,
				},
				settle_by_ms: Now::get() + 60_000,
			},
		};
		let of_miner = self.miners.entry((kind, miner)).or_default();
		*of_miner = of_miner.after(price, receipt.weight).unwrap();
		let sums = RunningSums { kind, channel: *sums, miner: *of_miner };
		let receipt = ChannelReceipt { receipt, sums };
		receipt.check().unwrap();
		self.newest.insert(channel, voucher);
		self.waiting.entry(kind).or_default().push(receipt);
	}

	/// Continues from the sums of a miner that the chain has.
	pub(super) fn continue_from(&mut self, kind: BatchKind, miner: u8, sums: MinerSums) {
		self.miners.insert((kind, Some(key(miner))), sums);
	}

	/// Makes a batch of everything that waits in a kind, signed by the miners in `signing`.
	pub(super) fn batch(&mut self, kind: BatchKind, signing: &[u8]) -> SettlementBatch {
		let receipts = self.waiting.remove(&kind).unwrap_or_default();
		let batch = Batch::giving_up(kind, receipts, &self.newest, &self.ended).unwrap();
		let last = ComputeReceipts::header_chain(key(self.coordinator));
		let (next, hash) = (last.next_sequence, last.last_hash);
		let given_up = batch.lists().given_up.clone().try_into().unwrap();
		let header = batch.header(key(self.coordinator), next, hash, Now::get());
		let channels = batch
			.lists()
			.channels
			.iter()
			.map(|line| SignedChannelLine { line: *line, signature: [0; 64] });
		let miners = batch
			.lists()
			.miners
			.iter()
			.map(|line| SignedMinerLine { line: *line, signature: None });
		let mut batch = SettlementBatch {
			header,
			signature: [0; 64],
			channels: channels.collect::<Vec<_>>().try_into().unwrap(),
			miners: miners.collect::<Vec<_>>().try_into().unwrap(),
			given_up,
		};
		self.sign(&mut batch, signing);
		batch
	}

	/// Signs header, vouchers, and the lines of the miners in `signing`.
	pub(super) fn sign(&self, batch: &mut SettlementBatch, signing: &[u8]) {
		let header = batch.header;
		batch.signature = sign(self.coordinator, &header.signing_payload(&genesis()));
		for signed in &mut batch.channels {
			let payload = signed.line.voucher.signing_payload(&genesis());
			let row = Channels::<Test>::get(signed.line.channel());
			let kept = row.is_some_and(|row| row.channel.signer.is_none());
			signed.signature = sign(if kept { self.coordinator } else { SIGNER }, &payload);
		}
		for signed in &mut batch.miners {
			let miner = signing.iter().find(|number| signed.line.miner == Some(key(**number)));
			let payload = signed.line.signing_payload(&genesis(), &header.hash());
			signed.signature = miner.map(|number| sign(*number, &payload));
		}
	}

	/// Lets the header commit to the lines as they are, and signs everything again.
	pub(super) fn sign_again(&self, batch: &mut SettlementBatch) {
		let lists = batch.lists();
		let of_miners = lists.miners.len() + lists.given_up.len();
		batch.header.channels = u32::try_from(lists.channels.len()).unwrap();
		batch.header.miners = u32::try_from(of_miners).unwrap();
		batch.header.lines = merkle::root(&lists.leaves());
		batch.header.sums = lists.of_miners().unwrap_or_default();
		self.sign(batch, &[MINER, CPU_MINER]);
	}
}

/// Submits a batch as an ordinary account. Returns why it is refused, and whether the call costs.
pub(super) fn submit(batch: &SettlementBatch) -> (Option<BatchRefusal>, Pays) {
	let before = System::events().len();
	let call = Call::settle_batch { batch: Box::new(batch.clone()) };
	let info: PostDispatchInfo = RuntimeCall::ComputeReceipts(call)
		.dispatch(RuntimeOrigin::signed(account(8)))
		.expect("the call itself does not fail");
	let refused = System::events().into_iter().skip(before).find_map(|record| match record.event {
		RuntimeEvent::ComputeReceipts(Event::BatchRefused { reason, .. }) => Some(reason),
		_ => None,
	});
	(refused, info.pays_fee)
}

/// Submits a batch that settles.
pub(super) fn settle(batch: &SettlementBatch) {
	assert_eq!(ComputeReceipts::preview_batch(batch.clone()), Ok(()));
	assert_eq!(submit(batch), (None, Pays::No));
}

/// Submits a batch that is refused for this reason, in advance and in a block, and changes nothing.
pub(super) fn refuse(batch: &SettlementBatch, reason: BatchRefusal) {
	assert_eq!(ComputeReceipts::preview_batch(batch.clone()), Err(reason));
	System::reset_events();
	let before = state();
	assert_eq!(submit(batch), (Some(reason), Pays::Yes), "{reason}");
	assert_eq!(System::events().len(), 1, "nothing else happens");
	System::reset_events();
	assert!(state() == before, "{reason} changes something");
}

/// Everything in the state, but events and the rows of the system.
fn state() -> Vec<(Vec<u8>, Vec<u8>)> {
	let system = sp_io::hashing::twox_128(b"System");
	let account = [&system[..], &sp_io::hashing::twox_128(b"Account")[..]].concat();
	let mut key = Vec::new();
	let mut all = Vec::new();
	while let Some(next) = sp_io::storage::next_key(&key) {
		if !next.starts_with(&system) || next.starts_with(&account) {
			all.push((next.clone(), sp_io::storage::get(&next).unwrap().to_vec()));
		}
		key = next;
	}
	all
}
