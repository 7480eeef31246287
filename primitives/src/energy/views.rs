//! What the chain answers about meters: the types of its runtime API.

use super::{Anchor, BatchHeader, Certificate, MeterIndex, MeterState, Registers, Suspension};
use crate::{H256, crypto::merkle::ProofFault};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A meter, as the chain knows it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeterInfo<AccountId> {
	/// Its number.
	pub index: MeterIndex,
	/// What has been certified.
	pub certificate: Certificate<AccountId>,
	/// Next sequence number, last batch, registers.
	pub state: MeterState,
	/// Why its batches are refused, if they are.
	pub suspended: Option<Suspension>,
	/// The 1-of-2 multisig account of owner and device that its energy is credited to.
	pub energy_account: AccountId,
	/// When it was certified, UTC milliseconds.
	pub certified_ms: u64,
}

/// Energy of a meter over some spans of time, in Wh. A batch counts to the UTC day, week (from
/// Monday), month and year of its last millisecond.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
	/// Batches that ended within the hour before now.
	pub last_hour: Registers,
	/// Today.
	pub today: Registers,
	/// Yesterday.
	pub yesterday: Registers,
	/// This week.
	pub week: Registers,
	/// This month.
	pub month: Registers,
	/// This year.
	pub year: Registers,
	/// Since certification, over all exchanges.
	pub all: Registers,
}

/// A batch, as the chain keeps it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchRecord {
	/// What the device signed.
	pub header: BatchHeader,
	/// The block that took it.
	pub block: u32,
	/// That block's time, UTC milliseconds.
	pub accepted_ms: u64,
	/// KWH minted, in Wh.
	pub minted_wh: u64,
	/// Where its root stands in Bitcoin, if that is recorded.
	pub anchor: Option<Anchor>,
}

/// A reading that is in an accepted batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VerifiedReading {
	/// The batch.
	pub header: BatchHeader,
	/// Hash of the reading as a leaf.
	pub leaf_hash: H256,
}

/// How much there is.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Overview {
	/// Organisations.
	pub organisations: u32,
	/// Electricians, over all organisations.
	pub electricians: u32,
	/// Certified meters.
	pub meters: u32,
	/// Those of them that are suspended.
	pub suspended: u32,
	/// Accepted batches.
	pub batches: u64,
	/// Readings in them.
	pub readings: u64,
	/// Taken from the grid, in Wh.
	pub imported_wh: u128,
	/// Given to the grid, in Wh: all that was ever minted.
	pub exported_wh: u128,
	/// KWH in existence, in its smallest unit, the Wh.
	pub issuance: u128,
}

/// What the chain is asked about a reading: the arguments of `MeterReadingsApi_verify_reading`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct ReadingQuery {
	/// Whose batch.
	pub meter: MeterIndex,
	/// The batch's number.
	pub sequence: u64,
	/// The log in canonical form.
	pub leaf: Vec<u8>,
	/// Which leaf, from 0.
	pub index: u32,
	/// Siblings from the leaf upwards.
	pub proof: Vec<H256>,
}

impl ReadingQuery {
	/// The name of the function.
	pub const VERIFY: &'static str = "MeterReadingsApi_verify_reading";
	/// The name of the function that answers the batch, asked with [`ReadingQuery::batch`].
	pub const BATCH: &'static str = "MeterReadingsApi_batch";

	/// The arguments, in SCALE.
	pub fn arguments(&self) -> Vec<u8> {
		self.encode()
	}

	/// The arguments of the question for a batch alone, in SCALE.
	pub fn batch(meter: MeterIndex, sequence: u64) -> Vec<u8> {
		(meter, sequence).encode()
	}
}

/// Why the chain does not confirm a reading.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingRefusal {
	/// No such meter.
	#[codec(index = 0)]
	UnknownMeter,
	/// The chain has no batch of that meter with that sequence number.
	#[codec(index = 1)]
	UnknownBatch,
	/// The proof does not hold.
	#[codec(index = 2)]
	Proof(ProofFault),
}

impl ReadingRefusal {
	/// The refusal's name in JSON answers.
	pub const fn as_str(&self) -> &'static str {
		match self {
			Self::UnknownMeter => "unknown_meter",
			Self::UnknownBatch => "unknown_batch",
			Self::Proof(fault) => fault.as_str(),
		}
	}
}

impl fmt::Display for ReadingRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::UnknownMeter => f.write_str("the chain knows no such meter"),
			Self::UnknownBatch => f.write_str("the chain has no such batch of that meter"),
			Self::Proof(fault) => write!(f, "{fault}"),
		}
	}
}

impl core::error::Error for ReadingRefusal {}

impl From<ProofFault> for ReadingRefusal {
	fn from(fault: ProofFault) -> Self {
		Self::Proof(fault)
	}
}
