//! Answers of the chain about meters: the types of its runtime API.

use super::{
	Anchor, BatchHeader, Certificate, MeterIndex, MeterState, PointId, PointState, Registers,
	Suspension,
};
use crate::{H256, crypto::merkle::ProofError};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A page of the list of meters.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeterPage<AccountId> {
	/// Meters in service, by rising index.
	pub meters: Vec<MeterInfo<AccountId>>,
	/// Index with which the next page begins; `None` after the last meter. A page that is not the last can
	/// be empty: the chain passes over a bounded number of indices of meters that are gone.
	pub next: Option<MeterIndex>,
}

/// A meter, as the chain stores it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeterInfo<AccountId> {
	/// Index of the meter.
	pub index: MeterIndex,
	/// Certificate, with the electrician who gave or last renewed it.
	pub certificate: Certificate<AccountId>,
	/// Next sequence number, last hash and registers.
	pub state: MeterState,
	/// Reason for its suspension; `None` if its batches are accepted.
	pub suspended: Option<Suspension>,
	/// `true` if its exports mint now: it was admitted, and its organisation is.
	pub mints: bool,
	/// Account that receives its KWH: 1-of-2 multisig of owner and device.
	pub energy_account: AccountId,
	/// Time of its certification, in UTC milliseconds.
	pub certified_ms: u64,
	/// Metering point with whose other meters it is netted; `None` if it is one of its own.
	pub point: Option<PointInfo>,
}

/// A metering point, as the chain stores it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PointInfo {
	/// Id that its meters' certificates name, plain ASCII.
	pub id: PointId,
	/// Netting of its meters; without meters while the meter that names it does not mint.
	pub state: PointState,
}

/// Energy of a meter over spans of time, in Wh: UTC days, weeks (from Monday), months and years. A batch
/// counts evenly over its own time, so that one that crosses midnight counts for both days.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
	/// Batches that ended within the hour before now.
	pub last_hour: Registers,
	/// The present UTC day.
	pub today: Registers,
	/// The UTC day before.
	pub yesterday: Registers,
	/// The present week, from Monday.
	pub week: Registers,
	/// The present month.
	pub month: Registers,
	/// The present year.
	pub year: Registers,
	/// Since certification, over all exchanges.
	pub all: Registers,
}

/// A batch, as the chain keeps it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchRecord {
	/// Header that the device signed.
	pub header: BatchHeader,
	/// Number of the block that accepted it.
	pub block: u32,
	/// Time of that block, in UTC milliseconds.
	pub accepted_ms: u64,
	/// KWH minted for it, in Wh.
	pub minted_wh: u64,
	/// Anchor in Bitcoin, if one is recorded.
	pub anchor: Option<Anchor>,
}

/// A reading that is in an accepted batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VerifiedReading {
	/// Header of the batch.
	pub header: BatchHeader,
	/// RFC 6962 leaf hash of the reading.
	pub leaf_hash: H256,
}

/// Totals of the network.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Overview {
	/// Number of organisations.
	pub organisations: u32,
	/// Number of electricians, over all organisations.
	pub electricians: u32,
	/// Number of meters in service.
	pub meters: u32,
	/// Number of meters in service that are suspended.
	pub suspended: u32,
	/// Number of accepted batches since genesis.
	pub batches: u64,
	/// Number of readings in them.
	pub readings: u64,
	/// Energy taken from the grid, in Wh.
	pub imported_wh: u128,
	/// Energy delivered to the grid, in Wh, minted or not.
	pub exported_wh: u128,
	/// Part of it that was minted, in Wh.
	pub minted_wh: u128,
	/// Issuance of KWH, in its smallest unit, the Wh.
	pub issuance: u128,
}

/// Reason why the chain does not confirm a reading.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingRefusal {
	/// The chain has no meter with this index in service.
	#[codec(index = 0)]
	UnknownMeter,
	/// The chain does not have this batch of the meter.
	#[codec(index = 1)]
	UnknownBatch,
	/// The proof does not hold.
	#[codec(index = 2)]
	Proof(ProofError),
}

impl ReadingRefusal {
	/// Returns the refusal's name in JSON answers.
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
			Self::UnknownMeter => f.write_str("the chain does not know this meter"),
			Self::UnknownBatch => f.write_str("the chain does not have this batch of the meter"),
			Self::Proof(fault) => write!(f, "{fault}"),
		}
	}
}

impl core::error::Error for ReadingRefusal {}

impl From<ProofError> for ReadingRefusal {
	fn from(fault: ProofError) -> Self {
		Self::Proof(fault)
	}
}
