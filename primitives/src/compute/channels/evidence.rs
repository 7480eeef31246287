//! Offences of a coordinator around channels, each shown by what it signed.

use super::{
	BatchKind, ChannelId, ChannelLine, ChannelReceipt, GivenUp, MerklePath, MinerLine, Placed,
	SettlementHeader, VoucherId, is_within_channel_line, is_within_miner_line,
};
use crate::{
	H256,
	crypto::ed25519::{PublicKey, Signature},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Where a receipt is in a batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InBatch {
	/// Header of the batch.
	pub header: SettlementHeader,
	/// Index of the receipt's leaf.
	pub index: u64,
	/// Hashes from the leaf to the root.
	pub path: MerklePath,
}

/// A receipt that the coordinator vouched for, at completion or in a batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attested {
	/// Receipt with its running sums.
	pub receipt: ChannelReceipt,
	/// The coordinator's signature: of the receipt, or of the header if it is in a batch.
	pub signature: Signature,
	/// Batch whose tree has the receipt; `None` if the signature is of the receipt itself.
	pub batch: Option<InBatch>,
}

impl Attested {
	/// Checks that the coordinator vouched for the receipt.
	///
	/// # Errors
	/// [`ChannelEvidenceError::BadSignature`] or [`ChannelEvidenceError::NotInBatch`].
	pub fn verify(
		&self,
		genesis: &H256,
		coordinator: &PublicKey,
	) -> Result<(), ChannelEvidenceError> {
		let Some(InBatch { header, index, path }) = &self.batch else {
			return self
				.receipt
				.verify_coordinator(genesis, coordinator, &self.signature)
				.map_err(|_| ChannelEvidenceError::BadSignature);
		};
		verify_header(genesis, coordinator, header, &self.signature)?;
		let placed = Placed { item: self.receipt, index: *index, path: path.clone() };
		placed.verify(header).map_err(|_| ChannelEvidenceError::NotInBatch)
	}
}

/// A line with its place in the tree of lines.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlacedLine {
	/// Line of a channel.
	#[codec(index = 0)]
	Channel(Placed<ChannelLine>),
	/// Line of a miner.
	#[codec(index = 1)]
	Miner(Placed<MinerLine>),
	/// Range of a miner that is given up.
	#[codec(index = 2)]
	GivenUp(Placed<GivenUp>),
}

/// Kind of an offence around channels.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ChannelOffence {
	/// Two different receipts, or one with two running sums, for one voucher.
	#[codec(index = 0)]
	TwoReceipts,
	/// Two receipts whose running sums cannot both be: of one channel, or of one miner.
	#[codec(index = 1)]
	Overlap,
	/// A line whose range has a receipt's count and not its sums, or an older voucher.
	#[codec(index = 2)]
	Line,
	/// A receipt that states another asset or mode than its channel has.
	#[codec(index = 3)]
	OtherKind,
	/// A receipt whose weight is not that of its tokens by the registry's factor.
	#[codec(index = 4)]
	OtherWeight,
	/// Two headers with one sequence number.
	#[codec(index = 5)]
	TwoHeaders,
	/// Two receipts of one batch that are not in the order of its tree.
	#[codec(index = 6)]
	Misplaced,
	/// A receipt that no batch may have: paid without an answer, or with sums that do not contain
	/// it.
	#[codec(index = 7)]
	Unsound,
	/// A receipt that was demanded on chain and not shown in time. No evidence proves it: the chain
	/// saw it.
	#[codec(index = 8)]
	Unanswered,
	/// A receipt with a price that a batch gave up, as its channel had ended: the coordinator did not
	/// settle it in time.
	#[codec(index = 9)]
	GivenUp,
}

/// Proof of an offence around channels.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChannelEvidence {
	/// Two receipts of one voucher.
	#[codec(index = 0)]
	TwoReceipts {
		/// Receipt that the coordinator vouched for.
		first: Attested,
		/// Another one of the same voucher.
		second: Attested,
	},
	/// Two receipts whose running sums cannot both be.
	#[codec(index = 1)]
	Overlap {
		/// Receipt that the coordinator vouched for.
		first: Attested,
		/// Another one of the same channel, or of the same miner in the same kind.
		second: Attested,
	},
	/// A receipt and a line that contradict each other; or a receipt and the range in which it is
	/// given up.
	#[codec(index = 2)]
	Line {
		/// Receipt that the coordinator vouched for.
		receipt: Attested,
		/// Header with the line.
		header: SettlementHeader,
		/// The coordinator's signature of the header.
		signature: Signature,
		/// Line of the receipt's channel or miner.
		line: PlacedLine,
	},
	/// A receipt of another asset or mode than its channel.
	#[codec(index = 3)]
	OtherKind(Attested),
	/// A receipt with another weight than its tokens have.
	#[codec(index = 4)]
	OtherWeight(Attested),
	/// Two headers with one sequence number.
	#[codec(index = 5)]
	TwoHeaders {
		/// Header, and the coordinator's signature of it.
		first: (SettlementHeader, Signature),
		/// Another one with its sequence number, and the coordinator's signature of it.
		second: (SettlementHeader, Signature),
	},
	/// Two receipts of one batch in the wrong order.
	#[codec(index = 6)]
	Misplaced {
		/// Header of the batch.
		header: SettlementHeader,
		/// The coordinator's signature of the header.
		signature: Signature,
		/// Receipt at the lower index.
		first: Placed<ChannelReceipt>,
		/// Receipt at the higher index, which does not come after the first one.
		second: Placed<ChannelReceipt>,
	},
	/// A receipt that no batch may have.
	#[codec(index = 7)]
	Unsound(Attested),
}

/// What the chain knows and evidence is checked against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChainFacts {
	/// Asset and mode of the channel of [`ChannelEvidence::channel`], if it is known.
	pub channel_kind: Option<BatchKind>,
	/// Factor of the model of [`ChannelEvidence::model`] in thousandths, if the registry has it.
	pub model_factor: Option<u32>,
}

/// Whose money an offence took.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wronged {
	/// Nobody's: the mint, or the order of things.
	#[codec(index = 0)]
	Nobody,
	/// That of the client of this channel.
	#[codec(index = 1)]
	Client(ChannelId),
	/// That of the miner with this key.
	#[codec(index = 2)]
	Miner(PublicKey),
}

/// Offence that evidence proves. The offender is the coordinator.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelProven {
	/// Kind of the offence.
	pub offence: ChannelOffence,
	/// Whose money it took.
	pub wronged: Wronged,
	/// Most that it can have taken, in the smallest unit of the kind's asset.
	pub amount: u128,
}

/// Reason why evidence does not prove an offence.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelEvidenceError {
	/// The statements are about different vouchers, channels, miners or sequence numbers.
	#[codec(index = 0)]
	OtherSubject,
	/// Both statements can be true.
	#[codec(index = 1)]
	NoContradiction,
	/// A signature is not that of the accused key for this chain.
	#[codec(index = 2)]
	BadSignature,
	/// A receipt or a line is not in the batch.
	#[codec(index = 3)]
	NotInBatch,
	/// The chain does not know the channel or the model.
	#[codec(index = 4)]
	Unknown,
}

impl fmt::Display for ChannelEvidenceError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::OtherSubject => "the statements are about different things",
			Self::NoContradiction => "both statements can be true",
			Self::BadSignature => "a signature is not that of the accused key",
			Self::NotInBatch => "a receipt or a line is not in the batch",
			Self::Unknown => "the chain does not know the channel or the model",
		})
	}
}

impl core::error::Error for ChannelEvidenceError {}

impl ChannelEvidence {
	const fn receipt(&self) -> Option<&ChannelReceipt> {
		match self {
			Self::TwoReceipts { first, .. } | Self::Overlap { first, .. } => Some(&first.receipt),
			Self::Line { receipt, .. }
			| Self::OtherKind(receipt)
			| Self::OtherWeight(receipt)
			| Self::Unsound(receipt) => Some(&receipt.receipt),
			Self::Misplaced { first, .. } => Some(&first.item),
			Self::TwoHeaders { .. } => None,
		}
	}

	/// Returns the channel that it is about, as its first receipt says.
	pub fn channel(&self) -> Option<ChannelId> {
		Some(self.receipt()?.receipt.voucher()?.channel)
	}

	/// Returns the hash of the model that it is about, as its first receipt says.
	pub fn model(&self) -> Option<H256> {
		Some(self.receipt()?.receipt.model)
	}

	/// Returns the offence of `coordinator` that this evidence proves. The cheap checks come first,
	/// then signatures and proofs.
	///
	/// # Errors
	/// The first reason of [`ChannelEvidenceError`] that applies.
	pub fn check(
		&self,
		genesis: &H256,
		coordinator: &PublicKey,
		facts: &ChainFacts,
	) -> Result<ChannelProven, ChannelEvidenceError> {
		use ChannelEvidenceError as Error;
		let by = |attested: &Attested| attested.verify(genesis, coordinator);
		match self {
			Self::TwoReceipts { first, second } => {
				let proven = two_receipts(&first.receipt, &second.receipt)?;
				by(first)?;
				by(second).map(|()| proven)
			},
			Self::Overlap { first, second } => {
				let proven = overlap(&first.receipt, &second.receipt)?;
				by(first)?;
				by(second).map(|()| proven)
			},
			Self::Line { receipt, header, signature, line } => {
				let proven = contradiction(&receipt.receipt, header, line)?;
				verify_header(genesis, coordinator, header, signature)?;
				match line {
					PlacedLine::Channel(line) => line.verify(header),
					PlacedLine::Miner(line) => line.verify(header),
					PlacedLine::GivenUp(line) => line.verify(header),
				}
				.map_err(|_| Error::NotInBatch)?;
				by(receipt).map(|()| proven)
			},
			Self::OtherKind(attested) => {
				let kind = facts.channel_kind.ok_or(Error::Unknown)?;
				let id = attested.receipt.receipt.voucher().ok_or(Error::OtherSubject)?;
				require(attested.receipt.sums.kind != kind, Error::NoContradiction)?;
				by(attested)?;
				let price = attested.receipt.receipt.price;
				Ok(taken(ChannelOffence::OtherKind, Wronged::Client(id.channel), price))
			},
			Self::OtherWeight(attested) => {
				let factor = facts.model_factor.ok_or(Error::Unknown)?;
				let right = attested.receipt.receipt.check_weight(factor).is_ok();
				require(!right, Error::NoContradiction)?;
				by(attested)?;
				Ok(taken(ChannelOffence::OtherWeight, Wronged::Nobody, 0))
			},
			Self::TwoHeaders { first, second } => {
				require(first.0.sequence == second.0.sequence, Error::OtherSubject)?;
				require(first.0 != second.0, Error::NoContradiction)?;
				verify_header(genesis, coordinator, &first.0, &first.1)?;
				verify_header(genesis, coordinator, &second.0, &second.1)?;
				Ok(taken(ChannelOffence::TwoHeaders, Wronged::Nobody, 0))
			},
			Self::Misplaced { header, signature, first, second } => {
				let wrong = first.index < second.index && first.item.place() >= second.item.place();
				require(wrong, Error::NoContradiction)?;
				verify_header(genesis, coordinator, header, signature)?;
				first.verify(header).map_err(|_| Error::NotInBatch)?;
				second.verify(header).map_err(|_| Error::NotInBatch)?;
				Ok(taken(ChannelOffence::Misplaced, Wronged::Nobody, 0))
			},
			Self::Unsound(attested) => {
				let id = attested.receipt.receipt.voucher().ok_or(Error::OtherSubject)?;
				require(attested.receipt.check().is_err(), Error::NoContradiction)?;
				by(attested)?;
				let price = attested.receipt.receipt.price;
				Ok(taken(ChannelOffence::Unsound, Wronged::Client(id.channel), price))
			},
		}
	}
}

fn require(holds: bool, error: ChannelEvidenceError) -> Result<(), ChannelEvidenceError> {
	if holds { Ok(()) } else { Err(error) }
}

fn taken(offence: ChannelOffence, wronged: Wronged, amount: u128) -> ChannelProven {
	ChannelProven { offence, wronged, amount }
}

fn verify_header(
	genesis: &H256,
	coordinator: &PublicKey,
	header: &SettlementHeader,
	signature: &Signature,
) -> Result<(), ChannelEvidenceError> {
	let signed = header.coordinator == *coordinator && header.verify(genesis, signature).is_ok();
	require(signed, ChannelEvidenceError::BadSignature)
}

/// Two receipts of one voucher: its client owes one of the two, so at most the higher price was
/// taken.
fn two_receipts(
	first: &ChannelReceipt,
	second: &ChannelReceipt,
) -> Result<ChannelProven, ChannelEvidenceError> {
	let same = |id: VoucherId| (second.receipt.voucher() == Some(id)).then_some(id);
	let id = first.receipt.voucher().and_then(same);
	let id = id.ok_or(ChannelEvidenceError::OtherSubject)?;
	require(first != second, ChannelEvidenceError::NoContradiction)?;
	let amount = first.receipt.price.max(second.receipt.price);
	Ok(taken(ChannelOffence::TwoReceipts, Wronged::Client(id.channel), amount))
}

/// Two receipts whose sums cannot both be: one of them was not counted, so at most the lower price
/// was taken.
fn overlap(
	first: &ChannelReceipt,
	second: &ChannelReceipt,
) -> Result<ChannelProven, ChannelEvidenceError> {
	use ChannelEvidenceError as Error;
	let (one, other) = (first.receipt.voucher(), second.receipt.voucher());
	let (Some(one), Some(other)) = (one, other) else { return Err(Error::OtherSubject) };
	let one_channel = one.channel == other.channel;
	let same_miner = first.receipt.miner == second.receipt.miner;
	let one_miner = same_miner && first.sums.kind == second.sums.kind;
	require(one_channel || one_miner, Error::OtherSubject)?;
	require(first != second, Error::NoContradiction)?;
	let amount = first.receipt.price.min(second.receipt.price);
	if one_channel && !channel_sums_agree(first, second) {
		return Ok(taken(ChannelOffence::Overlap, Wronged::Client(one.channel), amount));
	}
	require(one_miner && !miner_sums_agree(first, second), Error::NoContradiction)?;
	let wronged = first.receipt.miner.map_or(Wronged::Nobody, Wronged::Miner);
	Ok(taken(ChannelOffence::Overlap, wronged, amount))
}

/// Returns `true` if two different receipts can both be of one channel.
pub fn channel_sums_agree(first: &ChannelReceipt, second: &ChannelReceipt) -> bool {
	let (one, other) = (first.sums.channel, second.sums.channel);
	let (Some(one_before), Some(other_before)) = (first.channel_before(), second.channel_before())
	else {
		return false;
	};
	let ends = [one_before, one];
	one.count != other.count
		&& ends.iter().all(|end| end.agrees(&other_before) && end.agrees(&other))
}

/// Returns `true` if two different receipts of one kind can both be of one miner.
pub fn miner_sums_agree(first: &ChannelReceipt, second: &ChannelReceipt) -> bool {
	let (one, other) = (first.sums.miner, second.sums.miner);
	let (Some(one_before), Some(other_before)) = (first.miner_before(), second.miner_before())
	else {
		return false;
	};
	let ends = [one_before, one];
	one.count != other.count
		&& ends.iter().all(|end| end.agrees(&other_before) && end.agrees(&other))
}

/// A receipt whose count is in a line's range, and that the line cannot have settled. A receipt of a
/// later count contradicts it too if its sums are below the line's; an earlier one if they are above.
fn contradiction(
	receipt: &ChannelReceipt,
	header: &SettlementHeader,
	line: &PlacedLine,
) -> Result<ChannelProven, ChannelEvidenceError> {
	use ChannelEvidenceError as Error;
	let id = receipt.receipt.voucher().ok_or(Error::OtherSubject)?;
	let price = receipt.receipt.price;
	match line {
		PlacedLine::Channel(Placed { item: line, .. }) => {
			require(line.channel() == id.channel, Error::OtherSubject)?;
			let after = receipt.sums.channel;
			let is_in = line.from.count < after.count && after.count <= line.to.count;
			let ends = receipt.channel_before().map(|before| [before, after]);
			let agrees = ends.is_some_and(|ends| {
				ends.iter().all(|end| end.agrees(&line.from) && end.agrees(&line.to))
			});
			let settled = is_within_channel_line(receipt, line) && id.number <= line.voucher.number;
			let sound = if is_in { settled && receipt.sums.kind == header.kind } else { agrees };
			require(!sound, Error::NoContradiction)?;
			Ok(taken(ChannelOffence::Line, Wronged::Client(id.channel), price))
		},
		PlacedLine::Miner(Placed { item: line, .. }) => {
			let (_, is_sound) = of_miner(receipt, header, line)?;
			require(!is_sound, Error::NoContradiction)?;
			let wronged = line.miner.map_or(Wronged::Nobody, Wronged::Miner);
			Ok(taken(ChannelOffence::Line, wronged, price))
		},
		PlacedLine::GivenUp(Placed { item: GivenUp { channel, line }, .. }) => {
			let (is_in, is_sound) = of_miner(receipt, header, line)?;
			let wronged = line.miner.map_or(Wronged::Nobody, Wronged::Miner);
			if !is_sound || is_in && id.channel != *channel {
				return Ok(taken(ChannelOffence::Line, wronged, price));
			}
			// Nothing is false, but somebody worked for nothing.
			let is_lost = is_in && wronged != Wronged::Nobody && price > 0;
			require(is_lost, Error::NoContradiction)?;
			Ok(taken(ChannelOffence::GivenUp, wronged, price))
		},
	}
}

/// Compares a receipt with a range of its miner: whether its count is in it, and whether both can be.
fn of_miner(
	receipt: &ChannelReceipt,
	header: &SettlementHeader,
	line: &MinerLine,
) -> Result<(bool, bool), ChannelEvidenceError> {
	let same = line.miner == receipt.receipt.miner && receipt.sums.kind == header.kind;
	require(same, ChannelEvidenceError::OtherSubject)?;
	let after = receipt.sums.miner;
	let is_in = line.from.count < after.count && after.count <= line.to.count;
	let ends = receipt.miner_before().map(|before| [before, after]);
	let agrees = ends
		.is_some_and(|ends| ends.iter().all(|end| end.agrees(&line.from) && end.agrees(&line.to)));
	Ok((is_in, if is_in { is_within_miner_line(receipt, line) } else { agrees }))
}
