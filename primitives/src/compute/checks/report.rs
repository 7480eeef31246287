//! Reports of checks.

use super::{BatchId, Figures, VerifierKey, VerifierSignature, Vrf, verify_signature};
use crate::{
	H256,
	compute::channels::{ChannelReceipt, Placed},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};
use sp_io::hashing::blake2_256;

/// Highest number of a verifier's own figures that its commitment covers: those of the first tokens.
pub const MAX_SHOWN_FIGURES: u32 = 2_048;

/// A verifier's own figures: for each of the first [`MAX_SHOWN_FIGURES`] tokens the clipped gap in
/// millionths; of class `exact` first 1 or 0 for what it says of the output, equal or not, then the bits of
/// the claimed tokens' logits as 32-bit floats; of an embedding the bits of its components.
pub type TokenFigures = BoundedVec<u32, ConstU32<MAX_SHOWN_FIGURES>>;

/// Which check it is.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CheckId {
	/// The batch, by coordinator and sequence number.
	pub batch: BatchId,
	/// Key of the verifier to which it fell.
	pub verifier: VerifierKey,
	/// Number of the check among those that fell to it, from 0.
	pub check: u32,
}

impl CheckId {
	/// Returns the id as a hash: blake2-256 of SCALE (`"gridproof/check/v1"`, id).
	pub fn hash(&self) -> H256 {
		H256(("gridproof/check/v1", self).using_encoded(blake2_256))
	}
}

/// Returns the commitment of a verifier to its own figures of a check: blake2-256 of SCALE
/// (`"gridproof/check-figures/v1"`, check's id, figures). Its key is part of the id, so that a commitment that
/// is copied is not the copier's.
pub fn figures_commitment(id: &CheckId, figures: &TokenFigures) -> H256 {
	H256(("gridproof/check-figures/v1", id, figures).using_encoded(blake2_256))
}

/// Report of a check: what was drawn, what it is, and what the verifier measured.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckReport {
	/// Key of the verifier.
	pub verifier: VerifierKey,
	/// Number of the check among those that fell to it, from 0.
	pub check: u32,
	/// Output and proof of its draw.
	pub vrf: Vrf,
	/// The batch, by coordinator and sequence number.
	pub batch: BatchId,
	/// The receipt whose price the point lies in, with its place in the batch.
	pub receipt: Placed<ChannelReceipt>,
	/// What was measured.
	pub figures: Figures,
	/// [`figures_commitment`] of the verifier's own figures.
	pub commitment: H256,
}

impl CheckReport {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/check-report/v1";

	/// Returns which check it is.
	pub fn id(&self) -> CheckId {
		CheckId { batch: self.batch, verifier: self.verifier, check: self.check }
	}

	/// Returns the bytes that the verifier signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the verifier's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.verifier, &self.signing_payload(genesis), signature)
	}
}
