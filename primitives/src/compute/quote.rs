//! What a coordinator offers.

use super::{MAX_MODEL_FACTOR, PriceAsset};
use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureFault},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// A coordinator's offer to one client: what it does, for how much, until when.
///
/// It is good for one job, and the hash of its payload is that job's id.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
	/// The coordinator's key.
	pub coordinator: PublicKey,
	/// The account that may open the job, and whose money it is.
	pub client: [u8; 32],
	/// Hash of what is to be done: model, input, limits. Opaque to the chain.
	pub spec_hash: H256,
	/// Factor of the model, in thousandths; see [`super::model_factor`].
	pub model_factor: u32,
	/// What it is paid in.
	pub asset: PriceAsset,
	/// The most that the job costs, in the asset's unit. All of it is held until the job ends.
	pub price: u128,
	/// The most compute units that the job delivers.
	pub max_units: u64,
	/// The job can be opened before this time, in UTC milliseconds.
	pub expiry_ms: u64,
	/// The receipt must be claimed before this time, in UTC milliseconds. Then the client has its
	/// money back.
	pub deadline_ms: u64,
	/// The one miner that may do it, or whichever the coordinator chooses.
	pub miner: Option<PublicKey>,
	/// Tells apart quotes that are otherwise equal.
	pub nonce: u64,
}

/// Why no job can be opened with a quote, whatever the chain's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum QuoteFault {
	/// It allows no compute units.
	ZeroUnits,
	/// The model's factor is zero or above [`MAX_MODEL_FACTOR`].
	ModelFactor,
	/// The job could be opened when its receipt can no longer be claimed.
	Times,
}

impl fmt::Display for QuoteFault {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::ZeroUnits => "the quote allows no compute units",
			Self::ModelFactor => "the model's factor must be above 0 and at most 130",
			Self::Times => "the quote expires after the job's deadline",
		})
	}
}

impl core::error::Error for QuoteFault {}

impl Quote {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/quote/v1";

	/// What the coordinator signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// The id of the job that this quote opens: blake2-256 of the signed payload.
	pub fn job_id(&self, genesis: &H256) -> H256 {
		H256(blake2_256(&self.signing_payload(genesis)))
	}

	/// Checks what needs no state.
	///
	/// # Errors
	/// See [`QuoteFault`].
	pub const fn check(&self) -> Result<(), QuoteFault> {
		if self.max_units == 0 {
			Err(QuoteFault::ZeroUnits)
		} else if self.model_factor == 0 || self.model_factor > MAX_MODEL_FACTOR {
			Err(QuoteFault::ModelFactor)
		} else if self.expiry_ms > self.deadline_ms {
			Err(QuoteFault::Times)
		} else {
			Ok(())
		}
	}

	/// Verifies the coordinator's signature.
	///
	/// # Errors
	/// As [`ed25519::verify`].
	pub fn verify(&self, genesis: &H256, signature: &Signature) -> Result<(), SignatureFault> {
		ed25519::verify(&self.coordinator, &self.signing_payload(genesis), signature)
	}
}

/// A quote and the coordinator's signature, as it travels between services.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedQuote {
	/// The offer.
	pub quote: Quote,
	/// The coordinator's signature of [`Quote::signing_payload`].
	pub signature: Signature,
}

impl SignedQuote {
	/// Verifies the signature.
	///
	/// # Errors
	/// As [`ed25519::verify`].
	pub fn verify(&self, genesis: &H256) -> Result<(), SignatureFault> {
		self.quote.verify(genesis, &self.signature)
	}
}
