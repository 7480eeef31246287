//! Statements about delivered jobs.

use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// Most tokens that a request is answered with in a millisecond, by any machine: a model of a few thousand
/// parameters makes about as many.
pub const MAX_MADE_PER_MS: u64 = 1_000;
/// Most tokens of a prompt that are read in a millisecond, by any machine.
pub const MAX_READ_PER_MS: u64 = 100_000;
/// Most memory that an engine uses, in megabytes of 10⁶ bytes: 16 TB.
pub const MAX_MEMORY_MB: u32 = 16_000_000;

/// Measurements of the work. Both signers state them.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Telemetry {
	/// Number of tokens read.
	pub input_tokens: u32,
	/// Number of tokens produced.
	pub output_tokens: u32,
	/// Duration of the work, in milliseconds; at least 1.
	pub duration_ms: u64,
	/// Highest memory in use, in megabytes of 10⁶ bytes.
	pub memory_mb: u32,
}

impl Telemetry {
	/// Returns the number of tokens read and produced.
	pub fn tokens(&self) -> u64 {
		u64::from(self.input_tokens).saturating_add(self.output_tokens.into())
	}

	/// Returns `true` if no machine can have done better: at most [`MAX_MADE_PER_MS`] tokens produced and
	/// [`MAX_READ_PER_MS`] read in a millisecond, and at most [`MAX_MEMORY_MB`] in use. Better figures raise
	/// a miner's score; who signs worse ones than he could is the only loser.
	pub fn is_possible(&self) -> bool {
		let within =
			|tokens: u32, most: u64| u64::from(tokens) <= self.duration_ms.saturating_mul(most);
		within(self.output_tokens, MAX_MADE_PER_MS)
			&& within(self.input_tokens, MAX_READ_PER_MS)
			&& self.memory_mb <= MAX_MEMORY_MB
	}

	/// Returns memory times time, in units of 10⁻⁶ GB·s (megabytes times milliseconds).
	pub fn gb_micro_seconds(&self) -> u128 {
		u128::from(self.memory_mb).saturating_mul(self.duration_ms.into())
	}
}

/// Statement about what a miner delivered for a job, as miner and coordinator sign it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
	/// Id of the job.
	pub job_id: H256,
	/// Key of the miner that did the work.
	pub miner: PublicKey,
	/// Hash of the output. Opaque to the chain.
	pub output_hash: H256,
	/// Compute units delivered: at most [`super::compute_units`] of the telemetry's tokens and the
	/// quote's factor.
	pub compute_units: u64,
	/// Price, in the smallest unit of the quote's asset, at most the quote's; the client gets the
	/// rest back.
	pub price: u128,
	/// Number that the signers may choose. Receipts that differ only in it are different receipts.
	pub nonce: u64,
	/// Measurements of the work.
	pub telemetry: Telemetry,
}

/// Signer of a receipt or an assignment.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Signer {
	/// The miner: it did the work.
	#[codec(index = 0)]
	Miner,
	/// The coordinator: this miner was assigned, and the output is correct.
	#[codec(index = 1)]
	Coordinator,
}

/// Tag of the payload that is signed for a receipt.
const RECEIPT_TAG: &str = "gridproof/receipt/v1";

/// Returns the bytes of a receipt that `signer` signs.
pub fn receipt_payload(genesis: &H256, signer: Signer, receipt: &Receipt) -> Vec<u8> {
	(RECEIPT_TAG, genesis, signer, receipt).encode()
}

impl Receipt {
	/// Returns the bytes that `signer` signs.
	pub fn signing_payload(&self, genesis: &H256, signer: Signer) -> Vec<u8> {
		receipt_payload(genesis, signer, self)
	}

	/// Returns the receipt's id: blake2-256 of the bytes that the miner signs. It does not depend
	/// on signatures, because one statement can have several.
	pub fn id(&self, genesis: &H256) -> H256 {
		H256(blake2_256(&self.signing_payload(genesis, Signer::Miner)))
	}

	/// Verifies one signature of this receipt.
	///
	/// # Errors
	/// If the signature is not that of `key` in the role of `signer` for this chain; see
	/// [`ed25519::verify`].
	pub fn verify(
		&self,
		genesis: &H256,
		signer: Signer,
		key: &PublicKey,
		signature: &Signature,
	) -> Result<(), SignatureError> {
		ed25519::verify(key, &self.signing_payload(genesis, signer), signature)
	}
}

/// A receipt with both signatures, as it is claimed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedReceipt {
	/// Statement that is signed.
	pub receipt: Receipt,
	/// Signature of the miner that the receipt names.
	pub miner_signature: Signature,
	/// Signature of the job's coordinator.
	pub coordinator_signature: Signature,
}
