//! Receipts of version 2: of jobs and channels, and with running sums for channels.

use super::{ChannelSums, MinerSums, PaidBy, RunningSums, Voucher, VoucherId};
use crate::{
	H256,
	compute::{Signer, Telemetry, compute_units},
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// How the tokens of an answer were chosen.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sampler {
	/// The likeliest token each time; also for answers without tokens, such as embeddings.
	#[codec(index = 0)]
	Greedy,
	/// Gumbel noise from the seed of the voucher or the job.
	#[codec(index = 1)]
	Gumbel,
	/// The engine's own randomness, which nobody can repeat.
	#[codec(index = 2)]
	Engine,
}

/// Statement about what a miner delivered, as miner and coordinator sign it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptV2 {
	/// Job or voucher that pays.
	pub paid_by: PaidBy,
	/// Key of the miner that did the work; `None` if there is no answer, which only a channel's
	/// receipt can say and only the coordinator signs.
	pub miner: Option<PublicKey>,
	/// Hash by which the registry knows the model; any other is private work.
	pub model: H256,
	/// Salted hash of the request, that of the voucher; for a job the hash of its specification.
	pub spec_hash: H256,
	/// Root over the salted prompt, output and sampling parameters; see [`super::Content`].
	pub output_root: H256,
	/// Compute units: exactly [`compute_units`] of the tokens and the model's factor.
	pub weight: u64,
	/// Price, in the smallest unit of the asset.
	pub price: u128,
	/// How the tokens were chosen.
	pub sampler: Sampler,
	/// Measurements of the work.
	pub telemetry: Telemetry,
	/// Time by which the coordinator settles it, in UTC milliseconds. Afterwards anyone who holds it
	/// may demand it on chain.
	pub settle_by_ms: u64,
}

/// Reason why a receipt of version 2 is refused, whatever the chain's state.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReceiptV2Refusal {
	/// The receipt names no miner, and is not the one that closes a voucher without an answer.
	#[codec(index = 0)]
	PaidWithoutAnswer,
	/// The work took no time.
	#[codec(index = 1)]
	NoTime,
	/// The weight is not that of the tokens.
	#[codec(index = 2)]
	OtherWeight,
	/// The receipt is paid by a job, so it has no running sums.
	#[codec(index = 3)]
	NotOfAChannel,
	/// The voucher has another channel or number.
	#[codec(index = 4)]
	OtherVoucher,
	/// The voucher is for another request.
	#[codec(index = 5)]
	OtherRequest,
	/// The running sums are below what the receipt itself adds to them.
	#[codec(index = 6)]
	SumsBelowReceipt,
}

impl fmt::Display for ReceiptV2Refusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::PaidWithoutAnswer => {
				"a receipt without a miner must cost nothing and state no work, and be of a channel"
			},
			Self::NoTime => "the work must have taken at least a millisecond",
			Self::OtherWeight => "the weight is not that of the tokens and the model's factor",
			Self::NotOfAChannel => "only receipts of channels have running sums",
			Self::OtherVoucher => "the voucher has another channel or number",
			Self::OtherRequest => "the voucher is for another request",
			Self::SumsBelowReceipt => "the running sums do not contain the receipt itself",
		})
	}
}

impl core::error::Error for ReceiptV2Refusal {}

impl ReceiptV2 {
	/// Tag of the signed payloads.
	pub const TAG: &'static str = "gridproof/receipt/v2";

	/// Returns the receipt that closes a voucher without an answer: price and weight are zero, and
	/// so is everything about the work.
	pub fn without_answer(voucher: &Voucher, settle_by_ms: u64) -> Self {
		Self {
			paid_by: PaidBy::Voucher(voucher.id()),
			miner: None,
			model: H256::zero(),
			spec_hash: voucher.spec_hash,
			output_root: H256::zero(),
			weight: 0,
			price: 0,
			sampler: Sampler::Greedy,
			telemetry: Telemetry::default(),
			settle_by_ms,
		}
	}

	/// Returns channel and number of the voucher that pays; `None` for a job.
	pub const fn voucher(&self) -> Option<VoucherId> {
		match self.paid_by {
			PaidBy::Voucher(id) => Some(id),
			PaidBy::Job(_) => None,
		}
	}

	/// Returns the bytes that `signer` signs; for a receipt of a channel the coordinator signs
	/// [`ChannelReceipt::coordinator_payload`] instead.
	pub fn signing_payload(&self, genesis: &H256, signer: Signer) -> Vec<u8> {
		(Self::TAG, genesis, signer, self).encode()
	}

	/// Returns the receipt's id: blake2-256 of the bytes that the miner signs, also where none
	/// does. It does not depend on signatures or running sums.
	pub fn id(&self, genesis: &H256) -> H256 {
		H256(blake2_256(&self.signing_payload(genesis, Signer::Miner)))
	}

	/// Checks what depends on nothing else.
	///
	/// # Errors
	/// [`ReceiptV2Refusal::PaidWithoutAnswer`] or [`ReceiptV2Refusal::NoTime`].
	pub fn check(&self) -> Result<(), ReceiptV2Refusal> {
		if self.miner.is_some() {
			let took_time = self.telemetry.duration_ms > 0;
			return if took_time { Ok(()) } else { Err(ReceiptV2Refusal::NoTime) };
		}
		let id = self.voucher().ok_or(ReceiptV2Refusal::PaidWithoutAnswer)?;
		let VoucherId { channel, number } = id;
		let voucher = Voucher { channel, number, amount: 0, spec_hash: self.spec_hash };
		if *self == Self::without_answer(&voucher, self.settle_by_ms) {
			Ok(())
		} else {
			Err(ReceiptV2Refusal::PaidWithoutAnswer)
		}
	}

	/// Checks the weight against the model's factor in thousandths: ⌊tokens · factor / 1000⌋, no more
	/// and no less.
	///
	/// # Errors
	/// [`ReceiptV2Refusal::OtherWeight`].
	pub fn check_weight(&self, model_factor: u32) -> Result<(), ReceiptV2Refusal> {
		if self.weight == compute_units(self.telemetry.tokens(), model_factor) {
			Ok(())
		} else {
			Err(ReceiptV2Refusal::OtherWeight)
		}
	}

	/// Checks that the receipt answers the request that a voucher pays.
	///
	/// # Errors
	/// [`ReceiptV2Refusal::NotOfAChannel`], [`ReceiptV2Refusal::OtherVoucher`] or
	/// [`ReceiptV2Refusal::OtherRequest`].
	pub fn check_voucher(&self, voucher: &Voucher) -> Result<(), ReceiptV2Refusal> {
		let id = self.voucher().ok_or(ReceiptV2Refusal::NotOfAChannel)?;
		if id != voucher.id() {
			Err(ReceiptV2Refusal::OtherVoucher)
		} else if self.spec_hash != voucher.spec_hash {
			Err(ReceiptV2Refusal::OtherRequest)
		} else {
			Ok(())
		}
	}

	/// Verifies the miner's signature.
	///
	/// # Errors
	/// If the signature is not that of the miner that the receipt names, or it names none; see
	/// [`ed25519::verify`].
	pub fn verify_miner(
		&self,
		genesis: &H256,
		signature: &Signature,
	) -> Result<(), SignatureError> {
		let miner = self.miner.ok_or(SignatureError::Invalid)?;
		ed25519::verify(&miner, &self.signing_payload(genesis, Signer::Miner), signature)
	}
}

/// A receipt of a channel with the running sums after it: what the coordinator signs at completion,
/// and a leaf of the batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelReceipt {
	/// Statement about the work.
	pub receipt: ReceiptV2,
	/// Sums of the channel and of the miner after it.
	pub sums: RunningSums,
}

impl ChannelReceipt {
	/// Returns the bytes that the coordinator signs.
	pub fn coordinator_payload(&self, genesis: &H256) -> Vec<u8> {
		(ReceiptV2::TAG, genesis, Signer::Coordinator, self).encode()
	}

	/// Verifies the coordinator's signature.
	///
	/// # Errors
	/// If the signature is not the coordinator's of this receipt and these sums for this chain; see
	/// [`ed25519::verify`].
	pub fn verify_coordinator(
		&self,
		genesis: &H256,
		coordinator: &PublicKey,
		signature: &Signature,
	) -> Result<(), SignatureError> {
		ed25519::verify(coordinator, &self.coordinator_payload(genesis), signature)
	}

	/// Returns the channel's sums before the receipt; `None` if it contradicts itself.
	pub fn channel_before(&self) -> Option<ChannelSums> {
		self.sums.channel.before(self.receipt.price)
	}

	/// Returns the miner's sums before the receipt; `None` if it contradicts itself.
	pub fn miner_before(&self) -> Option<MinerSums> {
		self.sums.miner.before(self.receipt.price, self.receipt.weight)
	}

	/// Returns `true` if a place in the miner's running sum of prices lies in the receipt's price.
	pub fn pays_at(&self, place: u128) -> bool {
		let before = self.miner_before().map(|sums| sums.price);
		before.is_some_and(|before| before <= place) && place < self.sums.miner.price
	}

	/// Returns its place in the order of a batch: miner, then count of the miner.
	pub const fn place(&self) -> (Option<PublicKey>, u64) {
		(self.receipt.miner, self.sums.miner.count)
	}

	/// Checks what depends on nothing else, and returns the voucher that pays.
	///
	/// # Errors
	/// Those of [`ReceiptV2::check`], [`ReceiptV2Refusal::NotOfAChannel`] or
	/// [`ReceiptV2Refusal::SumsBelowReceipt`].
	pub fn check(&self) -> Result<VoucherId, ReceiptV2Refusal> {
		let id = self.receipt.voucher().ok_or(ReceiptV2Refusal::NotOfAChannel)?;
		self.receipt.check()?;
		if self.channel_before().is_some() && self.miner_before().is_some() {
			Ok(id)
		} else {
			Err(ReceiptV2Refusal::SumsBelowReceipt)
		}
	}
}
