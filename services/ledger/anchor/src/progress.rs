//! How far the anchor of a whole set of batches has come, beside what every anchor has.

use crate::AnchorStatus;
use serde::{Deserialize, Serialize};

/// What was reported to the gateway, and is on its disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
	/// How far the anchor was then.
	pub state: AnchorStatus,
	/// Id of its transaction.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub txid: Option<String>,
}

/// What a record of a set of batches has more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
	/// Number of the batches.
	#[serde(default)]
	pub batches: usize,
	/// When the set was made, milliseconds since 1970.
	#[serde(default)]
	pub made_ms: u64,
	/// The unsigned transaction in base64, with what it spends: a replacement spends the same.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub spends: Option<String>,
	/// Its fee in sats.
	#[serde(default)]
	pub fee: u64,
	/// Height of the chain when it was made: it waits from there on.
	#[serde(default)]
	pub since: u32,
	/// Signed transactions that it replaces, in hexadecimal digits, the oldest first. One of them may
	/// still come into a block.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub replaced: Vec<String>,
	/// What the gateway has on disk for every batch.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub reported: Option<Reported>,
}
