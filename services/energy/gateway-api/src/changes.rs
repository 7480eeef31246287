//! What a request may change, and what is answered to it.

use gridproof_primitives::{
	H256, codec::hexadecimal, crypto::merkle::anchored::AnchorPath, energy::AnchorStatus,
};
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
	/// Way from the batch's root to the root in the transaction, if that is one over many batches.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub path: Option<AnchorWay>,
}

/// The way from a batch's root to a root over many batches, which the transaction commits to: a path of
/// the tree of RFC 6962 whose leaves are the batches' roots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnchorWay {
	/// The root in the transaction: 64 hexadecimal digits.
	pub root: String,
	/// Position of the batch among them, from 0.
	pub index: u64,
	/// Number of the batches.
	pub tree_size: u64,
	/// Siblings from the batch upwards, 64 hexadecimal digits each; their sides follow from index and
	/// size.
	pub proof: Vec<String>,
}

impl AnchorUpdate {
	/// An update that states nothing but the status.
	pub fn new(status: AnchorStatus) -> Self {
		Self { status: status.as_str().to_string(), ..Self::default() }
	}
}

impl AnchorWay {
	/// A path as it is sent.
	pub fn of(path: &AnchorPath) -> Self {
		Self {
			root: hexadecimal::encode(&path.root.0),
			index: path.index,
			tree_size: path.tree_size,
			proof: path.proof.iter().map(|step| hexadecimal::encode(&step.hash.0)).collect(),
		}
	}

	/// The path that is meant; `None` if it is none.
	pub fn path(&self) -> Option<AnchorPath> {
		let hashes: Option<Vec<H256>> =
			self.proof.iter().map(|hash| hexadecimal::decode_hash(hash)).collect();
		let root = hexadecimal::decode_hash(&self.root)?;
		AnchorPath::of_hashes(root, self.index, self.tree_size, &hashes?)
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
