//! Lines of a batch: what it settles of one channel, and of one miner.

use super::{BatchRefusal, ChannelId, ChannelSums, MinerSums, Voucher};
use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a batch settles of one channel: the difference of two running sums.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelLine {
	/// Newest voucher of the channel, without its signature.
	pub voucher: Voucher,
	/// Sums before the line's first receipt: those that the channel was settled up to.
	pub from: ChannelSums,
	/// Sums after its last receipt.
	pub to: ChannelSums,
}

impl ChannelLine {
	/// Returns the channel's number.
	pub const fn channel(&self) -> ChannelId {
		self.voucher.channel
	}

	/// Returns the number of receipts; `None` if the count falls.
	pub const fn receipts(&self) -> Option<u64> {
		self.to.count.checked_sub(self.from.count)
	}

	/// Returns the sum of the prices, in the smallest unit of the asset; `None` if the sum falls.
	pub const fn price(&self) -> Option<u128> {
		self.to.price.checked_sub(self.from.price)
	}

	/// Returns the line's data in the tree of lines: SCALE (0u8, line).
	pub fn leaf_data(&self) -> Vec<u8> {
		(0u8, self).encode()
	}

	/// Checks what depends on nothing else: the range has a receipt, sums do not fall, and nothing
	/// is settled above the voucher or beyond its number.
	///
	/// # Errors
	/// The refusal of the first rule that the line breaks.
	pub fn check(&self) -> Result<(), BatchRefusal> {
		if self.receipts().is_none_or(|receipts| receipts == 0) {
			Err(BatchRefusal::EmptyRange)
		} else if self.price().is_none() || !self.from.agrees(&ChannelSums::default()) {
			Err(BatchRefusal::FallingSums)
		} else if self.to.price > self.voucher.amount {
			Err(BatchRefusal::AboveVoucher)
		} else if self.to.count > self.voucher.number {
			Err(BatchRefusal::MoreReceiptsThanVouchers)
		} else {
			Ok(())
		}
	}
}

/// What a batch settles of one miner: the difference of two running sums.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MinerLine {
	/// Key of the miner; `None` for the receipts that close vouchers without an answer.
	pub miner: Option<PublicKey>,
	/// Sums before the line's first receipt: those that the miner was settled up to.
	pub from: MinerSums,
	/// Sums after its last receipt.
	pub to: MinerSums,
}

impl MinerLine {
	/// Tag of the payload that a miner signs for its mint.
	pub const TAG: &'static str = "gridproof/line/v1";

	/// Returns the number of receipts; `None` if the count falls.
	pub const fn receipts(&self) -> Option<u64> {
		self.to.count.checked_sub(self.from.count)
	}

	/// Returns the sum of the prices, in the smallest unit of the asset; `None` if the sum falls.
	pub const fn price(&self) -> Option<u128> {
		self.to.price.checked_sub(self.from.price)
	}

	/// Returns the sum of the weights, in compute units; `None` if the sum falls.
	pub const fn weight(&self) -> Option<u128> {
		self.to.weight.checked_sub(self.from.weight)
	}

	/// Returns the line without a range of it.
	pub(super) fn without(&self, range: &Self) -> Option<Self> {
		let to = MinerSums {
			count: self.to.count.checked_sub(range.receipts()?)?,
			price: self.to.price.checked_sub(range.price()?)?,
			weight: self.to.weight.checked_sub(range.weight()?)?,
		};
		Some(Self { to, ..*self })
	}

	/// Returns the line's data in the tree of lines: SCALE (1u8, line).
	pub fn leaf_data(&self) -> Vec<u8> {
		(1u8, self).encode()
	}

	/// Checks what depends on nothing else: the range has a receipt, sums do not fall, and receipts
	/// without an answer cost nothing.
	///
	/// # Errors
	/// The refusal of the first rule that the line breaks.
	pub fn check(&self) -> Result<(), BatchRefusal> {
		if self.receipts().is_none_or(|receipts| receipts == 0) {
			return Err(BatchRefusal::EmptyRange);
		}
		let (Some(price), Some(weight)) = (self.price(), self.weight()) else {
			return Err(BatchRefusal::FallingSums);
		};
		if !self.from.agrees(&MinerSums::default()) {
			Err(BatchRefusal::FallingSums)
		} else if self.miner.is_none() && (price > 0 || weight > 0) {
			Err(BatchRefusal::PaidWithoutMiner)
		} else {
			Ok(())
		}
	}

	/// Checks that the line begins where the miner was settled up to, at this coordinator and in
	/// this kind.
	///
	/// # Errors
	/// [`BatchRefusal::MinerNotJoined`], or that of [`Self::check`].
	pub fn check_joins(&self, settled: &MinerSums) -> Result<(), BatchRefusal> {
		self.check()?;
		if self.from == *settled { Ok(()) } else { Err(BatchRefusal::MinerNotJoined) }
	}

	/// Returns the bytes that the miner signs for its mint, before or after its pay: SCALE
	/// (`"gridproof/line/v1"`, genesis hash, hash of the header, line).
	pub fn signing_payload(&self, genesis: &H256, header_hash: &H256) -> Vec<u8> {
		(Self::TAG, genesis, header_hash, self).encode()
	}

	/// Verifies the miner's signature.
	///
	/// # Errors
	/// If the signature is not that of the line's miner, or it names none; see [`ed25519::verify`].
	pub fn verify(
		&self,
		genesis: &H256,
		header_hash: &H256,
		signature: &Signature,
	) -> Result<(), SignatureError> {
		let miner = self.miner.ok_or(SignatureError::Invalid)?;
		ed25519::verify(&miner, &self.signing_payload(genesis, header_hash), signature)
	}
}
