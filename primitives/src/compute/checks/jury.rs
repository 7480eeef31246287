//! Juries: all verifiers but the parties decide a dispute, by commitments that are revealed together.

use super::{VerifierKey, VerifierSignature, verify_signature};
use crate::H256;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// What a juror found.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
	/// `true` if the accused is guilty.
	pub guilty: bool,
	/// Of a dispute about a number: the verifier whose figures the juror did not find again, if any.
	pub invented: Option<VerifierKey>,
}

/// A juror's vote, as it is committed to and revealed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ballot {
	/// Key of the juror.
	pub juror: VerifierKey,
	/// Id of the dispute.
	pub dispute: H256,
	/// What it found.
	pub verdict: Verdict,
	/// 32 random bytes that hide the vote until it is revealed.
	pub salt: [u8; 32],
}

impl Ballot {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/jury-reveal/v1";

	/// Returns the commitment to the vote: blake2-256 of SCALE (`"gridproof/jury-vote/v1"`, genesis
	/// hash, ballot). Juror and dispute are part of it, so that it cannot be copied.
	pub fn commitment(&self, genesis: &H256) -> H256 {
		H256(("gridproof/jury-vote/v1", genesis, self).using_encoded(blake2_256))
	}

	/// Returns the bytes that the juror signs to reveal it.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the juror's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.juror, &self.signing_payload(genesis), signature)
	}
}

/// A juror's commitment to its vote.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JuryCommitment {
	/// Key of the juror.
	pub juror: VerifierKey,
	/// Id of the dispute.
	pub dispute: H256,
	/// [`Ballot::commitment`].
	pub commitment: H256,
}

impl JuryCommitment {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/jury-commit/v1";

	/// Returns the bytes that the juror signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the juror's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.juror, &self.signing_payload(genesis), signature)
	}
}

/// Returns `true` if `votes` are at least two thirds of `all`, which must not be none.
pub const fn is_two_thirds(votes: u32, all: u32) -> bool {
	// At most 21 of them.
	all > 0 && votes.saturating_mul(3) >= all.saturating_mul(2)
}

/// Votes that were revealed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Votes {
	/// For guilty.
	pub guilty: u32,
	/// For not guilty.
	pub not_guilty: u32,
}

impl Votes {
	/// Counts a vote.
	#[must_use]
	pub const fn with(self, verdict: &Verdict) -> Self {
		if verdict.guilty {
			Self { guilty: self.guilty.saturating_add(1), ..self }
		} else {
			Self { not_guilty: self.not_guilty.saturating_add(1), ..self }
		}
	}

	/// Returns what two thirds of a jury of so many found; `None` if they found nothing together.
	pub const fn decide(&self, jurors: u32) -> Option<bool> {
		if is_two_thirds(self.guilty, jurors) {
			Some(true)
		} else if is_two_thirds(self.not_guilty, jurors) {
			Some(false)
		} else {
			None
		}
	}
}
