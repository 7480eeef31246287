//! What was delivered.

use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureFault},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// What was measured while the work was done. Both signers state it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Telemetry {
	/// Tokens read.
	pub input_tokens: u32,
	/// Tokens made.
	pub output_tokens: u32,
	/// How long the work took, in milliseconds; at least one.
	pub duration_ms: u64,
	/// Memory in use at its highest, in megabytes of 10⁶ bytes.
	pub memory_mb: u32,
}

impl Telemetry {
	/// Tokens read and made.
	pub fn tokens(&self) -> u64 {
		u64::from(self.input_tokens).saturating_add(self.output_tokens.into())
	}

	/// Memory times time, in units of 10⁻⁶ GB·s (megabytes times milliseconds).
	pub fn gb_micro_seconds(&self) -> u128 {
		u128::from(self.memory_mb).saturating_mul(self.duration_ms.into())
	}
}

/// What a miner delivered for a job, as the miner and the coordinator sign it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
	/// The job.
	pub job_id: H256,
	/// The key of the miner that did the work.
	pub miner: PublicKey,
	/// Hash of what was delivered. Opaque to the chain.
	pub output_hash: H256,
	/// Compute units: [`super::compute_units`] of the telemetry's tokens and the quote's factor,
	/// or less.
	pub compute_units: u64,
	/// What is paid for it, in the unit of the quote's asset; the client gets the rest back.
	pub price: u128,
	/// Free for the signers to use. Two receipts that differ in it alone are two receipts.
	pub nonce: u64,
	/// What was measured.
	pub telemetry: Telemetry,
}

/// Who signs a receipt or an assignment.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Signer {
	/// The miner: it did the work.
	#[codec(index = 0)]
	Miner,
	/// The coordinator: this miner was to do it, and the output is right.
	#[codec(index = 1)]
	Coordinator,
}

/// Tag of the payload that is signed for a receipt.
const RECEIPT_TAG: &str = "gridproof/receipt/v1";

/// What `signer` signs of a receipt.
pub fn receipt_payload(genesis: &H256, signer: Signer, receipt: &Receipt) -> Vec<u8> {
	(RECEIPT_TAG, genesis, signer, receipt).encode()
}

impl Receipt {
	/// What `signer` signs.
	pub fn signing_payload(&self, genesis: &H256, signer: Signer) -> Vec<u8> {
		receipt_payload(genesis, signer, self)
	}

	/// The receipt's id: blake2-256 of the payload that the miner signs. Signatures are no part of
	/// it, since one statement can have several.
	pub fn id(&self, genesis: &H256) -> H256 {
		H256(blake2_256(&self.signing_payload(genesis, Signer::Miner)))
	}

	/// Verifies one signature of this receipt.
	///
	/// # Errors
	/// As [`ed25519::verify`].
	pub fn verify(
		&self,
		genesis: &H256,
		signer: Signer,
		key: &PublicKey,
		signature: &Signature,
	) -> Result<(), SignatureFault> {
		ed25519::verify(key, &self.signing_payload(genesis, signer), signature)
	}
}

/// A receipt with both signatures, as it is claimed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedReceipt {
	/// What was delivered.
	pub receipt: Receipt,
	/// The miner's signature.
	pub miner_signature: Signature,
	/// The signature of the job's coordinator.
	pub coordinator_signature: Signature,
}
