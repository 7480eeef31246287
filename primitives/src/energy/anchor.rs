//! Anchors: roots of batches in Bitcoin transactions.

use crate::H256;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Number of blocks, the transaction's own included, from which an anchor counts as confirmed.
pub const MIN_CONFIRMATIONS: u32 = 6;

/// State of an anchor, in one word. None is ever shown as another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnchorStatus {
	/// No network knows a transaction for it.
	#[default]
	Pending,
	/// Its transaction was broadcast and has fewer than [`MIN_CONFIRMATIONS`] confirmations.
	Broadcast,
	/// Its transaction has at least [`MIN_CONFIRMATIONS`] confirmations.
	Confirmed,
	/// A simulation: there is no transaction.
	Simulated,
}

impl AnchorStatus {
	/// Returns `pending`, `broadcast`, `confirmed` or `simulated`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Pending => "pending",
			Self::Broadcast => "broadcast",
			Self::Confirmed => "confirmed",
			Self::Simulated => "simulated",
		}
	}

	/// Returns the status that [`AnchorStatus::as_str`] writes as `text`.
	pub fn parse(text: &str) -> Option<Self> {
		let all = [Self::Pending, Self::Broadcast, Self::Confirmed, Self::Simulated];
		all.into_iter().find(|status| status.as_str() == text)
	}
}

impl fmt::Display for AnchorStatus {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// State of an anchor, with the Bitcoin transaction behind it.
///
/// Hashes are in the order in which Bitcoin computes them, not reversed as they are printed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum AnchorState {
	/// The anchor is requested, but not made yet.
	#[default]
	#[codec(index = 0)]
	Pending,
	/// A transaction was broadcast.
	#[codec(index = 1)]
	Broadcast {
		/// Hash of the transaction.
		txid: H256,
	},
	/// The transaction is in a block and has at least [`MIN_CONFIRMATIONS`] confirmations.
	#[codec(index = 2)]
	Confirmed {
		/// Hash of the transaction.
		txid: H256,
		/// Hash of the block that contains it.
		block_hash: H256,
		/// Height of that block.
		height: u32,
		/// Number of blocks from that block on, itself included, when last observed.
		confirmations: u32,
	},
	/// The anchor was simulated for a demonstration and is in no chain.
	#[codec(index = 3)]
	Simulated {
		/// Made-up hash in place of a transaction's.
		txid: H256,
	},
}

impl AnchorState {
	/// Returns the state in one word.
	pub const fn status(&self) -> AnchorStatus {
		match self {
			Self::Pending => AnchorStatus::Pending,
			Self::Broadcast { .. } => AnchorStatus::Broadcast,
			Self::Confirmed { .. } => AnchorStatus::Confirmed,
			Self::Simulated { .. } => AnchorStatus::Simulated,
		}
	}

	/// Returns the word of [`AnchorState::status`] as text.
	pub const fn as_str(&self) -> &'static str {
		self.status().as_str()
	}

	/// Returns `true` if a confirmed anchor has enough confirmations, and no hash in it is zero.
	pub fn is_plausible(&self) -> bool {
		match self {
			Self::Confirmed { txid, block_hash, confirmations, .. } => {
				*confirmations >= MIN_CONFIRMATIONS && !txid.is_zero() && !block_hash.is_zero()
			},
			Self::Broadcast { txid } | Self::Simulated { txid } => !txid.is_zero(),
			Self::Pending => true,
		}
	}
}

impl fmt::Display for AnchorState {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// Anchor of one batch: its root in a Bitcoin transaction.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Anchor {
	/// Sequence number of the batch, from 0.
	pub sequence: u64,
	/// Merkle root of the batch.
	pub root: H256,
	/// State of the anchor.
	pub state: AnchorState,
}

/// Returns the output script that carries a root: `OP_RETURN`, push 32 bytes, the root.
pub fn op_return_script(root: &H256) -> [u8; 34] {
	let mut script = [0x6a; 34];
	for (byte, value) in script.iter_mut().skip(1).zip([0x20].iter().chain(&root.0)) {
		*byte = *value;
	}
	script
}

/// Returns the root in an output script; `None` if it is any other script.
pub fn root_of_script(script: &[u8]) -> Option<H256> {
	let root = script.strip_prefix(&[0x6a, 0x20])?;
	<[u8; 32]>::try_from(root).ok().map(H256)
}
