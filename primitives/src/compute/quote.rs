//! Offers of coordinators.

use super::{MAX_MODEL_FACTOR, PriceAsset};
use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// A coordinator's offer to one client: what, at which price, until when.
///
/// It is valid for one job, and the hash of its signed payload is that job's id.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
	/// Key of the coordinator.
	pub coordinator: PublicKey,
	/// Account that may open the job, and that pays for it.
	pub client: [u8; 32],
	/// Hash of the specification: model, input, limits. Opaque to the chain.
	pub spec_hash: H256,
	/// Factor of the model, in thousandths, 1 to [`MAX_MODEL_FACTOR`]. Of a model of the registry it
	/// must be the registry's when the job is opened, or the receipt mints nothing; of others see
	/// [`super::model_factor`].
	pub model_factor: u32,
	/// Asset in which the job is paid.
	pub asset: PriceAsset,
	/// Highest price of the job, in the asset's smallest unit. All of it is held until the job
	/// ends.
	pub price: u128,
	/// Highest number of compute units that the job delivers, at least 1.
	pub max_units: u64,
	/// Time before which the job can be opened, in UTC milliseconds; at most `deadline_ms`.
	pub expiry_ms: u64,
	/// Time before which the receipt must be claimed, in UTC milliseconds. After it the client gets
	/// its money back.
	pub deadline_ms: u64,
	/// Key of the only miner that may do the job; `None` if the coordinator chooses.
	pub miner: Option<PublicKey>,
	/// Number that distinguishes quotes that are otherwise equal.
	pub nonce: u64,
	/// Hash by which the registry knows the model; `None` of any other model, work on which is
	/// private: it is paid and mints nothing.
	pub model: Option<H256>,
}

/// Reason why no job can be opened with a quote, whatever the chain's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum QuoteError {
	/// The quote allows no compute units.
	ZeroUnits,
	/// The model's factor is zero or above [`MAX_MODEL_FACTOR`].
	ModelFactor,
	/// The quote expires after the deadline: the job could be opened when its receipt cannot be
	/// claimed any more.
	Times,
}

impl fmt::Display for QuoteError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::ZeroUnits => "the quote allows no compute units",
			Self::ModelFactor => "the model's factor must be above 0 and at most 130",
			Self::Times => "the quote expires after the job's deadline",
		})
	}
}

impl core::error::Error for QuoteError {}

impl Quote {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/quote/v2";
	/// Tag of the signed payload of a quote that names no model, as every quote was before version 2.
	pub const TAG_V1: &'static str = "gridproof/quote/v1";

	/// Returns the bytes that the coordinator signs: tag, genesis hash and quote. Of a quote that
	/// names no model they are those of version 1, which had no such member: what was signed then
	/// stays what it was.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		match self.model {
			Some(_) => (Self::TAG, genesis, self).encode(),
			None => {
				let mut payload = (Self::TAG_V1, genesis, self).encode();
				// The last member's only byte.
				payload.pop();
				payload
			},
		}
	}

	/// Reads a quote as programs keep and send it; also one of before version 2, whose bytes end
	/// before [`Self::model`].
	///
	/// # Errors
	/// If the bytes are not SCALE of a quote.
	pub fn read(bytes: &[u8]) -> Result<Self, codec::Error> {
		Self::decode_all(&mut &*bytes).or_else(|error| {
			let named = [bytes, &[0][..]].concat();
			Self::decode_all(&mut &named[..]).map_err(|_| error)
		})
	}

	/// Returns the id of the job that this quote opens: blake2-256 of the signed payload.
	pub fn job_id(&self, genesis: &H256) -> H256 {
		H256(blake2_256(&self.signing_payload(genesis)))
	}

	/// Checks what does not depend on the chain's state.
	///
	/// # Errors
	/// The first reason of [`QuoteError`] that applies.
	pub const fn check(&self) -> Result<(), QuoteError> {
		if self.max_units == 0 {
			Err(QuoteError::ZeroUnits)
		} else if self.model_factor == 0 || self.model_factor > MAX_MODEL_FACTOR {
			Err(QuoteError::ModelFactor)
		} else if self.expiry_ms > self.deadline_ms {
			Err(QuoteError::Times)
		} else {
			Ok(())
		}
	}

	/// Verifies the coordinator's signature.
	///
	/// # Errors
	/// If the signature is not the coordinator's of this quote for this chain; see
	/// [`ed25519::verify`].
	pub fn verify(&self, genesis: &H256, signature: &Signature) -> Result<(), SignatureError> {
		ed25519::verify(&self.coordinator, &self.signing_payload(genesis), signature)
	}
}

/// A quote with the coordinator's signature, as it travels between services.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedQuote {
	/// Offer that is signed.
	pub quote: Quote,
	/// The coordinator's signature of [`Quote::signing_payload`].
	pub signature: Signature,
}

impl SignedQuote {
	/// Verifies the signature.
	///
	/// # Errors
	/// If the signature is not the coordinator's of this quote for this chain; see
	/// [`ed25519::verify`].
	pub fn verify(&self, genesis: &H256) -> Result<(), SignatureError> {
		self.quote.verify(genesis, &self.signature)
	}
}
