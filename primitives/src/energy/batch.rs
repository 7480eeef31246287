//! What a device signs.

use super::MeterIndex;
use crate::{
	H256,
	codec::cid::Cid,
	crypto::ed25519::{self, PublicKey, Signature, SignatureFault},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_io::hashing::blake2_256;

/// Domain tag of a batch's signature.
const BATCH_DOMAIN: &str = "gridproof/batch/v1";

/// What a meter's two registers show, in cumulative Wh.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Registers {
	/// Taken from the grid.
	pub import_wh: u64,
	/// Given to the grid.
	pub export_wh: u64,
}

impl Registers {
	/// What went through since `earlier`; `None` if a register has fallen.
	pub fn since(&self, earlier: &Self) -> Option<Self> {
		Some(Self {
			import_wh: self.import_wh.checked_sub(earlier.import_wh)?,
			export_wh: self.export_wh.checked_sub(earlier.export_wh)?,
		})
	}

	/// Both added to `other`; `None` if a register cannot hold it.
	pub fn checked_add(&self, other: &Self) -> Option<Self> {
		Some(Self {
			import_wh: self.import_wh.checked_add(other.import_wh)?,
			export_wh: self.export_wh.checked_add(other.export_wh)?,
		})
	}
}

/// A batch of readings of one meter, without the readings.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchHeader {
	/// Which meter.
	pub meter: MeterIndex,
	/// 0 for the meter's first batch, then one more each time.
	pub sequence: u64,
	/// [`BatchHeader::hash`] of the batch before; zero for the first.
	pub previous: H256,
	/// Begin of the first reading, UTC milliseconds.
	pub start_ms: u64,
	/// End of the last reading, UTC milliseconds.
	pub end_ms: u64,
	/// What the registers showed before the first reading: what they showed at the end of the
	/// batch before.
	pub opening: Registers,
	/// What they showed after the last reading.
	pub closing: Registers,
	/// How many readings.
	pub readings: u32,
	/// Root of their [tree](crate::crypto::merkle).
	pub root: H256,
	/// Where the readings can be had.
	pub cid: Option<Cid>,
}

impl BatchHeader {
	/// blake2-256 of the SCALE encoding.
	pub fn hash(&self) -> H256 {
		H256(self.using_encoded(blake2_256))
	}

	/// What the device signs: SCALE of (`"gridproof/batch/v1"`, genesis hash, header).
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(BATCH_DOMAIN, genesis, self).encode()
	}
}

/// A header with its device's signature. Anyone may bring it to the chain.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedBatch {
	/// What is signed.
	pub header: BatchHeader,
	/// Ed25519 over [`BatchHeader::signing_payload`].
	pub signature: Signature,
}

impl SignedBatch {
	/// Is the signature the device's, for this chain?
	///
	/// # Errors
	/// All of [`SignatureFault`].
	pub fn verify(&self, device: &PublicKey, genesis: &H256) -> Result<(), SignatureFault> {
		ed25519::verify(device, &self.header.signing_payload(genesis), &self.signature)
	}
}
