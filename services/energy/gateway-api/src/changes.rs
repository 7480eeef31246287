//! What a request may change, and what is answered to it.

use gridproof_primitives::energy::AnchorStatus;
use serde::{Deserialize, Serialize};

/// The Bitcoin anchor of a batch, as its operator states it.
///
/// `status` is a text here, so that a server can say which words there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnchorUpdate {
	/// `pending`, `broadcast`, `confirmed` or `simulated`.
	#[cfg_attr(feature = "openapi", schema(pattern = "^(pending|broadcast|confirmed|simulated)$"))]
	pub status: String,
	/// The transaction's id, 64 hexadecimal digits; needed for `broadcast` and `confirmed`.
	#[serde(default)]
	pub txid: Option<String>,
	/// Hash of its block, 64 hexadecimal digits; needed for `confirmed`.
	#[serde(default)]
	pub block_hash: Option<String>,
	/// Height of its block; needed for `confirmed`.
	#[serde(default)]
	pub block_height: Option<u64>,
	/// Time of its block, RFC 3339.
	#[serde(default)]
	pub block_time: Option<String>,
	/// Blocks on it, its own included; at least 6 for `confirmed`.
	#[serde(default)]
	pub confirmations: Option<u32>,
}

impl AnchorUpdate {
	/// An update that states nothing but the status.
	pub fn new(status: AnchorStatus) -> Self {
		Self { status: status.as_str().to_string(), ..Self::default() }
	}
}

/// A trial of the older gateway's clients. What is left out is made up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimulatedAnchor {
	/// Shown as the transaction's id.
	#[serde(default)]
	pub txid: Option<String>,
	/// Shown as the hash of its block.
	#[serde(default)]
	pub block_hash: Option<String>,
	/// Shown as the height of its block.
	#[serde(default)]
	pub block_height: Option<u64>,
}

/// The answer to a decision about a parked batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
	/// The batch that was decided about.
	pub id: String,
	/// How many batches this concerned: itself and, when it is rebuilt, those after it.
	pub batches: u64,
	/// How many readings were given up with it.
	#[serde(default)]
	pub readings: u64,
}
