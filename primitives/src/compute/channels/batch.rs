//! Making a batch from its receipts, and checking one against them.

use super::{
	BatchKind, BatchRefusal, BatchSums, ChannelId, ChannelLine, ChannelReceipt, GivenUp, Lists,
	MAX_RECEIPTS_PER_BATCH, MinerLine, ReceiptV2Refusal, SettlementHeader, Voucher, VoucherId,
};
use crate::{H256, crypto::ed25519::PublicKey, crypto::merkle};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use codec::Encode;
use core::fmt;

/// Reason why receipts do not make a batch, or are not those of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchError {
	/// There are none, or more than [`MAX_RECEIPTS_PER_BATCH`].
	Number,
	/// A receipt is refused whatever else there is.
	Receipt(VoucherId, ReceiptV2Refusal),
	/// A receipt is not of a channel.
	NotOfAChannel,
	/// A receipt is of another asset or mode.
	OtherKind(VoucherId),
	/// Two receipts are of one voucher.
	VoucherTwice(VoucherId),
	/// The channel's receipts do not join on to each other.
	ChannelGap(ChannelId),
	/// The miner's receipts do not join on to each other.
	MinerGap(Option<PublicKey>),
	/// There is no voucher of the channel, or only one older than a receipt's.
	NoVoucher(ChannelId),
	/// The lines break a rule of batches.
	Lines(BatchRefusal),
	/// The header commits to other receipts.
	OtherReceipts,
}

impl fmt::Display for BatchError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Number => write!(f, "a batch has 1 to {MAX_RECEIPTS_PER_BATCH} receipts"),
			Self::Receipt(id, refusal) => {
				write!(f, "receipt of voucher {} of channel {}: {refusal}", id.number, id.channel)
			},
			Self::NotOfAChannel => f.write_str("a batch settles receipts of channels only"),
			Self::OtherKind(id) => write!(
				f,
				"the receipt of voucher {} of channel {} is of another asset or mode: make two batches",
				id.number, id.channel
			),
			Self::VoucherTwice(id) => {
				write!(f, "voucher {} of channel {} has two receipts", id.number, id.channel)
			},
			Self::ChannelGap(channel) => {
				write!(f, "a receipt of channel {channel} is missing between two others")
			},
			Self::MinerGap(_) => f.write_str("a miner's receipt is missing between two others"),
			Self::NoVoucher(channel) => {
				write!(f, "the newest voucher of channel {channel} is missing")
			},
			Self::Lines(refusal) => write!(f, "{refusal}"),
			Self::OtherReceipts => f.write_str("the header commits to other receipts"),
		}
	}
}

impl core::error::Error for BatchError {}

/// Receipts in the order of their tree, with the lines that settle them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
	kind: BatchKind,
	receipts: Vec<ChannelReceipt>,
	leaves: Vec<H256>,
	lists: Lists,
	sums: BatchSums,
}

/// Returns the hash of a receipt's leaf: its data is the SCALE encoding of receipt and sums.
pub fn receipt_leaf(receipt: &ChannelReceipt) -> H256 {
	merkle::leaf_hash(&receipt.encode())
}

impl Batch {
	/// Makes a batch from receipts in any order and the newest voucher of each channel.
	///
	/// # Errors
	/// The first reason of [`BatchError`] that applies.
	pub fn of(
		kind: BatchKind,
		receipts: Vec<ChannelReceipt>,
		vouchers: &BTreeMap<ChannelId, Voucher>,
	) -> Result<Self, BatchError> {
		Self::giving_up(kind, receipts, vouchers, &BTreeSet::new())
	}

	/// Makes a batch as [`Self::of`] does, which gives up the receipts of channels that have ended.
	///
	/// # Errors
	/// The first reason of [`BatchError`] that applies.
	pub fn giving_up(
		kind: BatchKind,
		receipts: Vec<ChannelReceipt>,
		vouchers: &BTreeMap<ChannelId, Voucher>,
		ended: &BTreeSet<ChannelId>,
	) -> Result<Self, BatchError> {
		let number = u64::try_from(receipts.len()).unwrap_or(u64::MAX);
		if number == 0 || number > MAX_RECEIPTS_PER_BATCH {
			return Err(BatchError::Number);
		}
		let mut receipts = receipts;
		receipts.sort_by_key(ChannelReceipt::place);
		check_each(kind, &receipts)?;
		let channels = channel_lines(&receipts, vouchers, ended)?;
		let miners = miner_lines(&receipts)?;
		let given_up = given_up(&receipts, ended)?;
		channels.iter().try_for_each(ChannelLine::check).map_err(BatchError::Lines)?;
		miners.iter().try_for_each(MinerLine::check).map_err(BatchError::Lines)?;
		let lists = Lists { channels, miners, given_up };
		let sums = lists.of_miners().ok_or(BatchError::Lines(BatchRefusal::SumsOverflow))?;
		let leaves = receipts.iter().map(receipt_leaf).collect();
		Ok(Self { kind, receipts, leaves, lists, sums })
	}

	/// Makes the batch of a header and its lists again from the receipts that its coordinator
	/// published, and compares: everything that the chain does not see.
	///
	/// # Errors
	/// The first reason of [`BatchError`] that applies; [`BatchError::OtherReceipts`] if the
	/// receipts are sound and those of another batch.
	pub fn audit(
		header: &SettlementHeader,
		lists: &Lists,
		receipts: Vec<ChannelReceipt>,
	) -> Result<Self, BatchError> {
		lists.check(header).map_err(BatchError::Lines)?;
		let vouchers = lists.channels.iter().map(|line| (line.channel(), line.voucher)).collect();
		let ended = lists.given_up.iter().map(|one| one.channel).collect();
		let batch = Self::giving_up(header.kind, receipts, &vouchers, &ended)?;
		let is_same = batch.root() == header.receipts && batch.lists == *lists;
		if is_same { Ok(batch) } else { Err(BatchError::OtherReceipts) }
	}

	/// Returns the receipts in the order of their tree: by miner, then count.
	pub fn receipts(&self) -> &[ChannelReceipt] {
		&self.receipts
	}

	/// Returns the hashes of the receipts, in the same order.
	pub fn leaves(&self) -> &[H256] {
		&self.leaves
	}

	/// Returns the lists of lines.
	pub const fn lists(&self) -> &Lists {
		&self.lists
	}

	/// Returns the sums over all receipts.
	pub const fn sums(&self) -> BatchSums {
		self.sums
	}

	/// Returns the root of the tree of receipts.
	pub fn root(&self) -> H256 {
		merkle::root(&self.leaves)
	}

	/// Returns the header of this batch, the next one after `previous`, still to be signed, without
	/// a content identifier.
	pub fn header(
		&self,
		coordinator: PublicKey,
		sequence: u64,
		previous: H256,
		time_ms: u64,
	) -> SettlementHeader {
		// Lists of a batch have at most as many lines as it has receipts.
		let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
		let of_miners = self.lists.miners.len().saturating_add(self.lists.given_up.len());
		SettlementHeader {
			coordinator,
			sequence,
			previous,
			time_ms,
			kind: self.kind,
			sums: self.sums,
			channels: length(self.lists.channels.len()),
			miners: length(of_miners),
			lines: merkle::root(&self.lists.leaves()),
			receipts: self.root(),
			cid: None,
		}
	}
}

/// Checks what can be checked of each receipt alone, and that no voucher is used twice.
fn check_each(kind: BatchKind, receipts: &[ChannelReceipt]) -> Result<(), BatchError> {
	let mut used = BTreeSet::new();
	receipts.iter().try_for_each(|receipt| {
		let id = receipt.receipt.voucher().ok_or(BatchError::NotOfAChannel)?;
		receipt.check().map_err(|refusal| BatchError::Receipt(id, refusal))?;
		if receipt.sums.kind != kind {
			Err(BatchError::OtherKind(id))
		} else if used.insert(id) {
			Ok(())
		} else {
			Err(BatchError::VoucherTwice(id))
		}
	})
}

fn channel_lines(
	receipts: &[ChannelReceipt],
	vouchers: &BTreeMap<ChannelId, Voucher>,
	ended: &BTreeSet<ChannelId>,
) -> Result<Vec<ChannelLine>, BatchError> {
	let mut sorted: Vec<(VoucherId, &ChannelReceipt)> =
		receipts.iter().filter_map(|one| Some((one.receipt.voucher()?, one))).collect();
	sorted.retain(|(id, _)| !ended.contains(&id.channel));
	sorted.sort_by_key(|(id, receipt)| (id.channel, receipt.sums.channel.count));
	let mut lines: Vec<ChannelLine> = Vec::new();
	for (id, receipt) in sorted {
		let gap = BatchError::ChannelGap(id.channel);
		let (from, to) = (receipt.channel_before().ok_or(gap)?, receipt.sums.channel);
		let missing = BatchError::NoVoucher(id.channel);
		let voucher = *vouchers.get(&id.channel).ok_or(missing)?;
		if voucher.channel != id.channel || voucher.number < id.number {
			return Err(missing);
		}
		match lines.last_mut().filter(|line| line.channel() == id.channel) {
			Some(line) if line.to != from => return Err(gap),
			Some(line) => line.to = to,
			None => lines.push(ChannelLine { voucher, from, to }),
		}
	}
	Ok(lines)
}

/// The receipts are in the order of their tree.
fn miner_lines(receipts: &[ChannelReceipt]) -> Result<Vec<MinerLine>, BatchError> {
	let mut lines: Vec<MinerLine> = Vec::new();
	for receipt in receipts {
		let miner = receipt.receipt.miner;
		let gap = BatchError::MinerGap(miner);
		let (from, to) = (receipt.miner_before().ok_or(gap)?, receipt.sums.miner);
		match lines.last_mut().filter(|line| line.miner == miner) {
			Some(line) if line.to != from => return Err(gap),
			Some(line) => line.to = to,
			None => lines.push(MinerLine { miner, from, to }),
		}
	}
	Ok(lines)
}

/// The receipts are in the order of their tree.
fn given_up(
	receipts: &[ChannelReceipt],
	ended: &BTreeSet<ChannelId>,
) -> Result<Vec<GivenUp>, BatchError> {
	let mut ranges: Vec<GivenUp> = Vec::new();
	for receipt in receipts {
		let channel = receipt.receipt.voucher().map(|id| id.channel);
		let Some(channel) = channel.filter(|id| ended.contains(id)) else { continue };
		let miner = receipt.receipt.miner;
		let from = receipt.miner_before().ok_or(BatchError::MinerGap(miner))?;
		let to = receipt.sums.miner;
		let same = |one: &GivenUp| {
			one.channel == channel && one.line.miner == miner && one.line.to == from
		};
		match ranges.last_mut().filter(|one| same(one)) {
			Some(one) => one.line.to = to,
			None => ranges.push(GivenUp { channel, line: MinerLine { miner, from, to } }),
		}
	}
	Ok(ranges)
}
