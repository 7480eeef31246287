//! The other statements that keys sign: registration, heartbeat, assignment, release.

use super::{PartyRole, Signer};
use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureFault},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// That a key agrees to be registered, in a role, by an account. Without it anyone could register
/// somebody else's key.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registration {
	/// What the key is registered as.
	pub role: PartyRole,
	/// The account that puts up the bond and is paid.
	pub account: [u8; 32],
}

impl Registration {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/registration/v1";

	/// What the key signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self.role, self.account).encode()
	}

	/// Verifies the key's signature; a weak key has none.
	///
	/// # Errors
	/// As [`ed25519::verify`].
	pub fn verify(
		&self,
		genesis: &H256,
		key: &PublicKey,
		signature: &Signature,
	) -> Result<(), SignatureFault> {
		ed25519::verify(key, &self.signing_payload(genesis), signature)
	}
}

/// That a miner was online at a time.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heartbeat {
	/// The miner's key.
	pub miner: PublicKey,
	/// When, in UTC milliseconds.
	pub time_ms: u64,
}

impl Heartbeat {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/heartbeat/v1";

	/// What the miner signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}
}

/// A heartbeat and the miner's signature.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedHeartbeat {
	/// What is stated.
	pub heartbeat: Heartbeat,
	/// The miner's signature of [`Heartbeat::signing_payload`].
	pub signature: Signature,
}

impl SignedHeartbeat {
	/// Verifies the signature.
	///
	/// # Errors
	/// As [`ed25519::verify`].
	pub fn verify(&self, genesis: &H256) -> Result<(), SignatureFault> {
		let payload = self.heartbeat.signing_payload(genesis);
		ed25519::verify(&self.heartbeat.miner, &payload, &self.signature)
	}
}

/// That a miner, and no other, is to do a job.
///
/// On chain it proves that the work has started: the client can no longer cancel, and only this
/// miner can be paid.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assignment {
	/// The job.
	pub job_id: H256,
	/// The miner's key.
	pub miner: PublicKey,
	/// Counts from 1. A later attempt replaces an earlier one.
	pub attempt: u32,
}

impl Assignment {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/assignment/v1";

	/// What `signer` signs.
	pub fn signing_payload(&self, genesis: &H256, signer: Signer) -> Vec<u8> {
		(Self::TAG, genesis, signer, self).encode()
	}

	/// Verifies one signature of this assignment.
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

/// An assignment with its signatures.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedAssignment {
	/// Who is to do what.
	pub assignment: Assignment,
	/// The signature of the job's coordinator.
	pub coordinator_signature: Signature,
	/// The miner's signature, if it accepted. Only then does a job that is not delivered in time
	/// count against it.
	pub miner_signature: Option<Signature>,
}

/// What a coordinator signs to let a job go: the client has its money back at once.
pub fn release_payload(genesis: &H256, job_id: &H256) -> Vec<u8> {
	("gridproof/release/v1", genesis, job_id).encode()
}
