//! A coordinator and a chain, as small as the rules allow: what their programs will be, without
//! network, disk and accounts.

use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset, Telemetry,
		channels::{
			Batch, BatchKind, BatchRefusal, Channel, ChannelId, ChannelReceipt, ChannelTerms,
			HeaderChain, MinerSums, Mode, PaidBy, ReceiptV2, RunningSums, Sampler, SettlementBatch,
			SignedChannelLine, SignedMinerLine, SignedVoucher, Unsettled, Voucher, VoucherRefusal,
			spec_hash,
		},
		compute_units,
	},
	crypto::ed25519::{PublicKey, Signature},
};
use sp_core::{Pair, ed25519::Pair as Key};
use std::collections::{BTreeMap, BTreeSet};

pub const GENESIS: H256 = H256::repeat_byte(7);
pub const DAY_MS: u64 = 86_400_000;
/// Factor of the one model, in thousandths.
pub const FACTOR: u32 = 2_500;
/// Time between two batches of the coordinator that the chain asks for.
pub const SPACING_MS: u64 = 1_000;

pub const AIT: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
pub const AICP: BatchKind = BatchKind { asset: PriceAsset::Aicp, mode: Mode::Ordinary };
pub const PRIVATE: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Private };
pub const KINDS: [BatchKind; 3] = [AIT, AICP, PRIVATE];

pub fn key(seed: u8) -> Key {
	Key::from_seed(&[seed; 32])
}

pub fn public(key: &Key) -> PublicKey {
	key.public().0
}

pub fn sign(key: &Key, payload: &[u8]) -> Signature {
	key.sign(payload).0
}

pub fn coordinator() -> Key {
	key(1)
}

pub fn client(channel: ChannelId) -> Key {
	key(100 + u8::try_from(channel).unwrap())
}

pub fn miner(number: u8) -> Key {
	key(10 + number)
}

pub fn terms(kind: BatchKind, channel: ChannelId) -> ChannelTerms {
	ChannelTerms {
		coordinator: public(&coordinator()),
		kind,
		signer: Some(public(&client(channel))),
		deposit: 1_000_000,
		daily_limit: 1_000_000,
		plan_ends_ms: None,
	}
}

/// A request that a voucher was accepted for.
#[derive(Clone, Copy, Debug)]
pub struct Open {
	pub voucher: Voucher,
	pub highest: u128,
}

/// The coordinator's books.
#[derive(Clone, Default)]
pub struct Books {
	pub unsettled: BTreeMap<ChannelId, Unsettled>,
	pub newest: BTreeMap<ChannelId, SignedVoucher>,
	pub miners: BTreeMap<(BatchKind, Option<PublicKey>), MinerSums>,
	pub open: Vec<Open>,
	/// Completed and in no batch yet, in the order of completion.
	pub waiting: BTreeMap<BatchKind, Vec<ChannelReceipt>>,
	pub headers: HeaderChain,
}

impl Books {
	/// The client signs the next voucher, with the amount that it owes at most, and the coordinator
	/// accepts it.
	pub fn request(
		&mut self,
		channel: ChannelId,
		state: &Channel,
		highest: u128,
		now: u64,
	) -> Result<Open, VoucherRefusal> {
		let unsettled = self.unsettled.entry(channel).or_default();
		let number = unsettled.newest + 1;
		let amount = unsettled.sums.price + unsettled.open + highest;
		let secret = [u8::try_from(number % 251).unwrap(); 32];
		let spec_hash = spec_hash(&secret, &number.to_le_bytes());
		let voucher = Voucher { channel, number, amount, spec_hash };
		*unsettled = state.admit(unsettled, &voucher, highest, now, DAY_MS)?;
		let signer = if state.signer.is_some() { client(channel) } else { coordinator() };
		let signature = sign(&signer, &voucher.signing_payload(&GENESIS));
		assert_eq!(state.verify_voucher(&GENESIS, &voucher, &signature), Ok(()));
		self.newest.insert(channel, SignedVoucher { voucher, signature });
		let open = Open { voucher, highest };
		self.open.push(open);
		Ok(open)
	}

	/// One of the open requests gets its answer, or none.
	pub fn complete(
		&mut self,
		open: usize,
		kind: BatchKind,
		miner: Option<PublicKey>,
		price: u128,
		tokens: u32,
		now: u64,
	) -> ChannelReceipt {
		let Open { voucher, highest } = self.open.remove(open);
		let settle_by_ms = now + 60_000;
		let receipt = match miner {
			None => ReceiptV2::without_answer(&voucher, settle_by_ms),
			Some(_) => {
				let telemetry = Telemetry {
					input_tokens: 3,
					output_tokens: tokens,
					duration_ms: 20,
					memory_mb: 500,
				};
				ReceiptV2 {
					paid_by: PaidBy::Voucher(voucher.id()),
					miner,
					model: H256::repeat_byte(5),
					spec_hash: voucher.spec_hash,
					output_root: H256::repeat_byte(6),
					weight: compute_units(telemetry.tokens(), FACTOR),
					price: price.min(highest),
					sampler: Sampler::Gumbel,
					telemetry,
					settle_by_ms,
				}
			},
		};
		let unsettled = self.unsettled.get_mut(&voucher.channel).unwrap();
		*unsettled = unsettled.complete(highest, receipt.price).unwrap();
		let miner_sums = self.miners.entry((kind, miner)).or_default();
		*miner_sums = miner_sums.after(receipt.price, receipt.weight).unwrap();
		let sums = RunningSums { kind, channel: unsettled.sums, miner: *miner_sums };
		let receipt = ChannelReceipt { receipt, sums };
		assert!(receipt.check().is_ok());
		self.waiting.entry(kind).or_default().push(receipt);
		receipt
	}

	/// Makes a batch of the first waiting receipts of a kind; `None` if there are none.
	pub fn batch(
		&mut self,
		kind: BatchKind,
		most: usize,
		now: u64,
	) -> Option<(Batch, SettlementBatch)> {
		self.batch_giving_up(kind, most, now, &BTreeSet::new())
	}

	/// Makes a batch that gives up the receipts of channels that have ended.
	pub fn batch_giving_up(
		&mut self,
		kind: BatchKind,
		most: usize,
		now: u64,
		ended: &BTreeSet<ChannelId>,
	) -> Option<(Batch, SettlementBatch)> {
		let waiting = self.waiting.entry(kind).or_default();
		let receipts: Vec<_> = waiting.drain(..most.min(waiting.len())).collect();
		if receipts.is_empty() {
			return None;
		}
		let vouchers = self.newest.iter().map(|(id, signed)| (*id, signed.voucher)).collect();
		let batch = Batch::giving_up(kind, receipts, &vouchers, ended).unwrap();
		let signed = self.signed(&batch, now);
		let (spacing, header) = (0, &signed.header);
		self.headers = self.headers.next(header, now, spacing).unwrap();
		Some((batch, signed))
	}

	/// Signs the next header of the coordinator over a batch.
	pub fn signed(&self, batch: &Batch, now: u64) -> SettlementBatch {
		let HeaderChain { next_sequence, last_hash, .. } = self.headers;
		let header = batch.header(public(&coordinator()), next_sequence, last_hash, now);
		let channels = batch.lists().channels.iter().map(|line| SignedChannelLine {
			line: *line,
			signature: self.newest[&line.channel()].signature,
		});
		let miners = batch
			.lists()
			.miners
			.iter()
			.map(|line| SignedMinerLine { line: *line, signature: None });
		SettlementBatch {
			header,
			signature: sign(&coordinator(), &header.signing_payload(&GENESIS)),
			channels: channels.collect::<Vec<_>>().try_into().unwrap(),
			miners: miners.collect::<Vec<_>>().try_into().unwrap(),
			given_up: batch.lists().given_up.clone().try_into().unwrap(),
		}
	}
}

/// What the chain holds of one coordinator.
#[derive(Clone, Default)]
pub struct Chain {
	pub headers: HeaderChain,
	pub channels: BTreeMap<ChannelId, Channel>,
	pub miners: BTreeMap<(BatchKind, Option<PublicKey>), MinerSums>,
	/// Paid to miners and their shares, for each kind.
	pub paid: BTreeMap<BatchKind, u128>,
}

impl Chain {
	/// Settles a batch whole, or refuses it and changes nothing.
	pub fn settle(&mut self, batch: &SettlementBatch, now: u64) -> Result<(), BatchRefusal> {
		let mut after = self.clone();
		after.headers = self.headers.next(&batch.header, now, SPACING_MS)?;
		let lists = batch.check(&GENESIS)?;
		let kind = batch.header.kind;
		for SignedChannelLine { line, signature } in &batch.channels {
			let channel =
				after.channels.get_mut(&line.channel()).ok_or(BatchRefusal::UnknownChannel)?;
			*channel = channel.settle(&batch.header.coordinator, kind, line, now, DAY_MS)?;
			channel
				.verify_voucher(&GENESIS, &line.voucher, signature)
				.map_err(|_| BatchRefusal::BadVoucherSignature)?;
		}
		for one in &lists.given_up {
			if let Some(channel) = after.channels.get(&one.channel) {
				channel.give_up(&batch.header.coordinator, kind, now)?;
			}
		}
		for (line, paid) in lists.miners.iter().zip(lists.paid().unwrap()) {
			let settled = after.miners.entry((kind, line.miner)).or_default();
			line.check_joins(settled)?;
			*settled = line.to;
			*after.paid.entry(kind).or_default() += paid.price().unwrap();
		}
		*self = after;
		Ok(())
	}
}

/// Two channels of AIT with two receipts each, by two miners.
pub fn settled() -> (Books, Chain, Batch, SettlementBatch) {
	let (mut books, mut chain) = (Books::default(), Chain::default());
	for channel in 0..2 {
		let state = Channel::open(&terms(AIT, channel)).unwrap();
		chain.channels.insert(channel, state);
		for number in 0..2 {
			books.request(channel, &state, 100, 1_000).unwrap();
			books.complete(0, AIT, Some(public(&miner(number))), 60, 4, 1_000);
		}
	}
	let (batch, signed) = books.batch(AIT, usize::MAX, 2_000).unwrap();
	(books, chain, batch, signed)
}
