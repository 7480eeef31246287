//! What a device remembers between two signatures.

use gridproof_primitives::{
	H256,
	energy::{BatchHeader, MeterIndex, Registers, emlog::RunningRegisters, message::SignedCopy},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// The chain and the meter that a device signs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
	/// The chain's genesis hash.
	pub genesis: H256,
	/// The meter's number on that chain.
	pub meter: MeterIndex,
}

/// Where a device's first header follows on: what the chain holds of its meter.
///
/// All zero for a new meter. Other values are for a device that replaces another one, or that
/// continues after its state was lost; then no two programs may have run with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
	/// Sequence number of its next header.
	pub sequence: u64,
	/// Hash of the header before; zero before the first.
	pub previous: H256,
	/// Registers after the header before, in Wh.
	pub registers: Registers,
	/// Earliest begin of its next reading, UTC milliseconds.
	pub end_ms: u64,
}

/// The state on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Base {
	/// `None` until the device has been bound.
	pub(crate) binding: Option<Binding>,
	/// Sequence number of the next header.
	pub(crate) sequence: u64,
	/// Hash of the last header; zero before the first.
	pub(crate) previous: H256,
	/// The registers after the last header's readings.
	pub(crate) registers: RunningRegisters,
	/// End of the last header's readings, UTC milliseconds.
	pub(crate) end_ms: u64,
	/// Number of signed readings, which is the serial number of the oldest one that is not.
	pub(crate) readings: u64,
	/// The last signatures, oldest first.
	pub(crate) signed: VecDeque<Signed>,
	/// Serial numbers of unsigned readings that the gateway has refused: they are in no batch.
	#[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
	pub(crate) void: BTreeSet<u64>,
}

/// A header that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
	pub(crate) sequence: u64,
	pub(crate) header_hash: H256,
	/// 128 hexadecimal digits.
	pub(crate) signature: String,
	/// The header itself; `None` if an earlier version of this program has signed it.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub(crate) header: Option<BatchHeader>,
	/// Exact registers at its end; `None` as with the header.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub(crate) closing: Option<RunningRegisters>,
}

impl Signed {
	/// Returns it as a gateway that has lost its own needs it.
	fn copy(&self) -> Option<SignedCopy> {
		let mut signature = [0; 64];
		hex::decode_to_slice(&self.signature, &mut signature).ok()?;
		Some(SignedCopy { header: self.header.clone()?, signature, closing: self.closing? })
	}
}

impl Base {
	pub(crate) const fn new(start: &Start) -> Self {
		Self {
			binding: None,
			sequence: start.sequence,
			previous: start.previous,
			registers: RunningRegisters::starting_at(start.registers),
			end_ms: start.end_ms,
			readings: 0,
			signed: VecDeque::new(),
			void: BTreeSet::new(),
		}
	}

	/// Returns what was signed under this number, or else under the one before.
	pub(crate) fn last(&self, sequence: u64) -> Option<SignedCopy> {
		let at = |number| self.signed.iter().find(|signed| signed.sequence == number);
		at(sequence).or_else(|| at(sequence.checked_sub(1)?))?.copy()
	}
}
