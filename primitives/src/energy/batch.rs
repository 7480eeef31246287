//! Headers of batches, which devices sign.

use super::MeterIndex;
use crate::{
	H256,
	codec::cid::Cid,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_io::hashing::blake2_256;

/// Domain tag of a batch's signature.
const BATCH_DOMAIN: &str = "gridproof/batch/v1";

/// Values of a meter's two registers, in cumulative Wh.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Registers {
	/// Energy taken from the grid, in Wh.
	pub import_wh: u64,
	/// Energy delivered to the grid, in Wh.
	pub export_wh: u64,
}

impl Registers {
	/// Returns the energy since `earlier`; `None` if a register has fallen.
	pub fn since(&self, earlier: &Self) -> Option<Self> {
		Some(Self {
			import_wh: self.import_wh.checked_sub(earlier.import_wh)?,
			export_wh: self.export_wh.checked_sub(earlier.export_wh)?,
		})
	}

	/// Returns the sum with `other`; `None` if a register cannot hold it.
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
	/// Index of the meter.
	pub meter: MeterIndex,
	/// Sequence number: 0 for the meter's first batch, then one more each time.
	pub sequence: u64,
	/// [`BatchHeader::hash`] of the previous batch; zero for the first.
	pub previous: H256,
	/// Begin of the first reading, in UTC milliseconds.
	pub start_ms: u64,
	/// End of the last reading, in UTC milliseconds.
	pub end_ms: u64,
	/// Registers before the first reading, which are those at the end of the previous batch.
	pub opening: Registers,
	/// Registers after the last reading.
	pub closing: Registers,
	/// Number of readings, 1 to 10,000.
	pub readings: u32,
	/// Root of the readings' [tree](crate::crypto::merkle).
	pub root: H256,
	/// Content identifier of the file of readings, if it is published.
	pub cid: Option<Cid>,
}

impl BatchHeader {
	/// Returns the blake2-256 of the SCALE encoding.
	pub fn hash(&self) -> H256 {
		H256(self.using_encoded(blake2_256))
	}

	/// Returns the bytes that the device signs: SCALE of (`"gridproof/batch/v1"`, genesis hash,
	/// header).
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(BATCH_DOMAIN, genesis, self).encode()
	}
}

/// A header with its device's signature. Anyone may submit it to the chain.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedBatch {
	/// Header that is signed.
	pub header: BatchHeader,
	/// Ed25519 signature of [`BatchHeader::signing_payload`].
	pub signature: Signature,
}

impl SignedBatch {
	/// Verifies that the signature is the device's, for this chain.
	///
	/// # Errors
	/// The first reason of [`SignatureError`] that applies.
	pub fn verify(&self, device: &PublicKey, genesis: &H256) -> Result<(), SignatureError> {
		ed25519::verify(device, &self.header.signing_payload(genesis), &self.signature)
	}
}
