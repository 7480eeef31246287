//! Salts and seeds: what keeps a short prompt from being guessed, and a sampler from being chosen.

use crate::H256;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// Secret of one request: 32 random bytes of the client's. The salts are made from it, so that one
/// part can be opened without the others.
pub type Secret = [u8; 32];

/// Part of a request or its answer that is hashed with a salt of its own.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
	/// The request as the client sent it; hashed into the voucher.
	#[codec(index = 0)]
	Request,
	/// Token ids of the prompt; first leaf of the output root.
	#[codec(index = 1)]
	Prompt,
	/// Token ids of the output; second leaf.
	#[codec(index = 2)]
	Output,
	/// Sampling parameters; third leaf.
	#[codec(index = 3)]
	Sampling,
}

impl Part {
	/// Returns the part's index among the leaves of an output root; `None` for the request.
	pub const fn leaf_index(self) -> Option<u64> {
		match self {
			Self::Request => None,
			Self::Prompt => Some(0),
			Self::Output => Some(1),
			Self::Sampling => Some(2),
		}
	}
}

/// Returns the salt of a part: blake2-256 of SCALE (`"gridproof/salt/v1"`, secret, part).
pub fn salt(secret: &Secret, part: Part) -> H256 {
	H256(("gridproof/salt/v1", secret, part).using_encoded(blake2_256))
}

/// Returns the salted hash of a request: blake2-256 of SCALE (`"gridproof/spec/v1"`, salt, request).
pub fn spec_hash(secret: &Secret, request: &[u8]) -> H256 {
	let salt = salt(secret, Part::Request);
	H256(("gridproof/spec/v1", salt, request).using_encoded(blake2_256))
}

/// Returns the seed of the sampler for a job: blake2-256 of SCALE (`"gridproof/seed/v1"`, job id,
/// nonce). The nonce is the client's, stated when the job is opened.
pub fn job_seed(job_id: &H256, nonce: &H256) -> H256 {
	H256(("gridproof/seed/v1", job_id, nonce).using_encoded(blake2_256))
}
