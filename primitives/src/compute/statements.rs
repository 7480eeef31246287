//! The other statements that keys sign: registration, heartbeat, assignment, release.

use super::{PartyRole, Signer};
use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A key's consent to its registration, in a role, by an account. Without it anyone could register
/// somebody else's key.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registration {
	/// Role of the key.
	pub role: PartyRole,
	/// Account that pays the bond and is paid.
	pub account: [u8; 32],
}

impl Registration {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/registration/v1";

	/// Returns the bytes that the key signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self.role, self.account).encode()
	}

	/// Verifies the key's signature; a weak key cannot have one.
	///
	/// # Errors
	/// If the key is weak, or the signature is not its own of this registration for this chain; see
	/// [`ed25519::verify`].
	pub fn verify(
		&self,
		genesis: &H256,
		key: &PublicKey,
		signature: &Signature,
	) -> Result<(), SignatureError> {
		ed25519::verify(key, &self.signing_payload(genesis), signature)
	}
}

/// A miner's statement that it was online at a time.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heartbeat {
	/// Key of the miner.
	pub miner: PublicKey,
	/// Time at which the miner signed, in UTC milliseconds.
	pub time_ms: u64,
}

impl Heartbeat {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/heartbeat/v1";

	/// Returns the bytes that the miner signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}
}

/// A heartbeat with the miner's signature.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedHeartbeat {
	/// Statement that is signed.
	pub heartbeat: Heartbeat,
	/// The miner's signature of [`Heartbeat::signing_payload`].
	pub signature: Signature,
}

impl SignedHeartbeat {
	/// Verifies the signature.
	///
	/// # Errors
	/// If the signature is not the miner's of this heartbeat for this chain; see
	/// [`ed25519::verify`].
	pub fn verify(&self, genesis: &H256) -> Result<(), SignatureError> {
		let payload = self.heartbeat.signing_payload(genesis);
		ed25519::verify(&self.heartbeat.miner, &payload, &self.signature)
	}
}

/// A statement that a certain miner is to do a job.
///
/// On chain it proves that the work has started: the client can no longer cancel, and only this
/// miner can be paid.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assignment {
	/// Id of the job.
	pub job_id: H256,
	/// Key of the miner.
	pub miner: PublicKey,
	/// Number of the attempt, from 1. A later attempt replaces an earlier one.
	pub attempt: u32,
}

impl Assignment {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/assignment/v1";

	/// Returns the bytes that `signer` signs.
	pub fn signing_payload(&self, genesis: &H256, signer: Signer) -> Vec<u8> {
		(Self::TAG, genesis, signer, self).encode()
	}

	/// Verifies one signature of this assignment.
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

/// Returns `true` if an accepted assignment may be replaced at `now` without its miner's consent:
/// half of the time from its acceptance to the deadline has passed. All in UTC milliseconds.
pub const fn may_replace(accepted_ms: u64, deadline_ms: u64, now: u64) -> bool {
	let left = deadline_ms.saturating_sub(accepted_ms);
	now.saturating_sub(accepted_ms) >= left.div_ceil(2)
}

/// An assignment with its signatures.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedAssignment {
	/// Statement that is signed.
	pub assignment: Assignment,
	/// Signature of the job's coordinator.
	pub coordinator_signature: Signature,
	/// Signature of the miner if it accepted. Only then does a job that is not delivered in time
	/// count against it.
	pub miner_signature: Option<Signature>,
	/// Signature in the role of miner by the miner that had accepted before: it agrees to be
	/// replaced. `None` where nobody had, or half of its time has passed.
	pub former_signature: Option<Signature>,
}

/// Returns the bytes that a coordinator signs to release a job, which returns the client's money
/// immediately.
pub fn release_payload(genesis: &H256, job_id: &H256) -> Vec<u8> {
	("gridproof/release/v1", genesis, job_id).encode()
}
