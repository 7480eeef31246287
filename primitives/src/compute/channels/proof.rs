//! Proof of one receipt against the header of its batch, for anyone who holds the header.

use super::{
	Batch, ChannelLine, ChannelReceipt, GivenUp, Lists, MinerLine, SettlementHeader, receipt_leaf,
};
use crate::{
	H256,
	crypto::merkle::{self, ProofError},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// Hashes from a leaf to its root: at most one for each bit of an index.
pub type MerklePath = BoundedVec<H256, ConstU32<64>>;

/// Something with its place in a tree.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed<T> {
	/// Leaf of the tree.
	pub item: T,
	/// Index of the leaf.
	pub index: u64,
	/// Hashes from the leaf to the root.
	pub path: MerklePath,
}

impl<T> Placed<T> {
	/// Finds the proof of the leaf at `index`; `None` if there is no such leaf.
	fn at(item: T, leaves: &[H256], index: usize) -> Option<Self> {
		let path = merkle::inclusion_proof(leaves, index)?;
		Some(Self { item, index: u64::try_from(index).ok()?, path: path.try_into().ok()? })
	}
}

impl Placed<ChannelReceipt> {
	/// Checks that the receipt is in the batch of a header.
	///
	/// # Errors
	/// See [`merkle::verify_inclusion`].
	pub fn verify(&self, header: &SettlementHeader) -> Result<(), ProofError> {
		let (leaf, size) = (receipt_leaf(&self.item), header.sums.receipts);
		merkle::verify_inclusion(&leaf, self.index, size, &self.path, &header.receipts)
	}
}

impl Placed<ChannelLine> {
	/// Checks that the line is in the list of channels of a header.
	///
	/// # Errors
	/// See [`merkle::verify_inclusion`].
	pub fn verify(&self, header: &SettlementHeader) -> Result<(), ProofError> {
		if self.index >= u64::from(header.channels) {
			return Err(ProofError::IndexOutOfRange);
		}
		verify_line(&self.item.leaf_data(), self.index, &self.path, header)
	}
}

impl Placed<MinerLine> {
	/// Checks that the line is in the list of miners of a header.
	///
	/// # Errors
	/// See [`merkle::verify_inclusion`].
	pub fn verify(&self, header: &SettlementHeader) -> Result<(), ProofError> {
		if self.index < u64::from(header.channels) {
			return Err(ProofError::IndexOutOfRange);
		}
		verify_line(&self.item.leaf_data(), self.index, &self.path, header)
	}
}

impl Placed<GivenUp> {
	/// Returns the range of a batch in which the receipt at `index` is given up, with its place;
	/// `None` if there is no such receipt, or it is settled.
	pub fn of(batch: &Batch, index: usize) -> Option<Self> {
		let (receipt, lists) = (batch.receipts().get(index)?, batch.lists());
		let has = |one: &GivenUp| {
			one.line.miner == receipt.receipt.miner && is_within_miner_line(receipt, &one.line)
		};
		Self::in_lists(lists, lists.given_up.iter().position(has)?)
	}

	/// Returns the range at a place in a batch's list of what it gives up, with its place in the tree of
	/// lines; `None` if there is none.
	pub fn in_lists(lists: &Lists, at: usize) -> Option<Self> {
		let before = lists.channels.len().checked_add(lists.miners.len())?;
		Self::at(*lists.given_up.get(at)?, &lists.leaves(), before.checked_add(at)?)
	}

	/// Checks that the range is in the list of what a header's batch gives up.
	///
	/// # Errors
	/// See [`merkle::verify_inclusion`].
	pub fn verify(&self, header: &SettlementHeader) -> Result<(), ProofError> {
		if self.index < u64::from(header.channels) {
			return Err(ProofError::IndexOutOfRange);
		}
		verify_line(&self.item.leaf_data(), self.index, &self.path, header)
	}
}

fn verify_line(
	data: &[u8],
	index: u64,
	path: &MerklePath,
	header: &SettlementHeader,
) -> Result<(), ProofError> {
	let size = u64::from(header.channels).saturating_add(header.miners.into());
	merkle::verify_inclusion(&merkle::leaf_hash(data), index, size, path, &header.lines)
}

/// Reason why a receipt is not proven against a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReceiptProofError {
	/// The receipt is not in the batch at that index.
	Receipt(ProofError),
	/// The channel's line is not in the batch.
	ChannelLine(ProofError),
	/// The miner's line is not in the batch.
	MinerLine(ProofError),
	/// A line is of another channel or miner.
	OtherLine,
	/// The receipt is of another asset or mode than the batch.
	OtherKind,
	/// The running sums do not lie within the channel's line.
	OutsideChannelLine,
	/// The running sums do not lie within the miner's line.
	OutsideMinerLine,
	/// The voucher of the channel's line is older than that of the receipt.
	OlderVoucher,
}

impl fmt::Display for ReceiptProofError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Receipt(error) => write!(f, "the receipt is not in the batch: {error}"),
			Self::ChannelLine(error) => {
				write!(f, "the channel's line is not in the batch: {error}")
			},
			Self::MinerLine(error) => write!(f, "the miner's line is not in the batch: {error}"),
			Self::OtherLine => f.write_str("a line is of another channel or miner"),
			Self::OtherKind => f.write_str("the receipt is of another asset or mode"),
			Self::OutsideChannelLine => {
				f.write_str("the running sums do not lie within the channel's line")
			},
			Self::OutsideMinerLine => {
				f.write_str("the running sums do not lie within the miner's line")
			},
			Self::OlderVoucher => {
				f.write_str("the line's voucher is older than that of the receipt")
			},
		}
	}
}

impl core::error::Error for ReceiptProofError {}

/// Returns `true` if a receipt's running sums lie within the line of its channel: it adds to the
/// sums what lies between them.
pub fn is_within_channel_line(receipt: &ChannelReceipt, line: &ChannelLine) -> bool {
	let after = receipt.sums.channel;
	receipt.channel_before().is_some_and(|before| {
		let counted = line.from.count <= before.count && after.count <= line.to.count;
		let points = [before, after];
		counted && points.iter().all(|at| at.agrees(&line.from) && at.agrees(&line.to))
	})
}

/// Returns `true` if a receipt's running sums lie within the line of its miner.
pub fn is_within_miner_line(receipt: &ChannelReceipt, line: &MinerLine) -> bool {
	let after = receipt.sums.miner;
	receipt.miner_before().is_some_and(|before| {
		let counted = line.from.count <= before.count && after.count <= line.to.count;
		let points = [before, after];
		counted && points.iter().all(|at| at.agrees(&line.from) && at.agrees(&line.to))
	})
}

/// A receipt and the two lines that settle it, each with its place in the batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptProof {
	/// Receipt with its running sums.
	pub receipt: Placed<ChannelReceipt>,
	/// Line of its channel.
	pub channel: Placed<ChannelLine>,
	/// Line of its miner.
	pub miner: Placed<MinerLine>,
}

impl ReceiptProof {
	/// Returns the proof of the receipt at `index` of a batch; `None` if there is no such receipt, or
	/// the batch gives it up.
	pub fn of(batch: &Batch, index: usize) -> Option<Self> {
		let receipt = *batch.receipts().get(index)?;
		let lists: &Lists = batch.lists();
		let channel_id = receipt.receipt.voucher()?.channel;
		let channel = lists.channels.iter().position(|line| line.channel() == channel_id)?;
		let miner = lists.miners.iter().position(|line| line.miner == receipt.receipt.miner)?;
		let leaves = lists.leaves();
		let miner_index = lists.channels.len().checked_add(miner)?;
		Some(Self {
			receipt: Placed::at(receipt, batch.leaves(), index)?,
			channel: Placed::at(*lists.channels.get(channel)?, &leaves, channel)?,
			miner: Placed::at(*lists.miners.get(miner)?, &leaves, miner_index)?,
		})
	}

	/// Checks that the header's batch settles the receipt: inclusion, and that its running sums lie
	/// within both lines. Whose header it is, its signature or the chain says.
	///
	/// # Errors
	/// The first reason of [`ReceiptProofError`] that applies.
	pub fn verify(&self, header: &SettlementHeader) -> Result<(), ReceiptProofError> {
		self.receipt.verify(header).map_err(ReceiptProofError::Receipt)?;
		self.channel.verify(header).map_err(ReceiptProofError::ChannelLine)?;
		self.miner.verify(header).map_err(ReceiptProofError::MinerLine)?;
		let (receipt, channel, miner) = (&self.receipt.item, &self.channel.item, &self.miner.item);
		let voucher = receipt.receipt.voucher();
		let is_of = voucher.is_some_and(|id| id.channel == channel.channel());
		if !is_of || receipt.receipt.miner != miner.miner {
			Err(ReceiptProofError::OtherLine)
		} else if receipt.sums.kind != header.kind {
			Err(ReceiptProofError::OtherKind)
		} else if !is_within_channel_line(receipt, channel) {
			Err(ReceiptProofError::OutsideChannelLine)
		} else if !is_within_miner_line(receipt, miner) {
			Err(ReceiptProofError::OutsideMinerLine)
		} else if voucher.is_some_and(|id| id.number > channel.voucher.number) {
			Err(ReceiptProofError::OlderVoucher)
		} else {
			Ok(())
		}
	}
}
