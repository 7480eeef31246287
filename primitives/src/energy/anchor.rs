//! A root in a Bitcoin transaction.

use crate::H256;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Blocks, the transaction's own included, from which on an anchor counts as confirmed.
pub const MIN_CONFIRMATIONS: u32 = 6;

/// How far the anchor of a root is, in one word. None is ever shown as another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnchorStatus {
	/// No network knows a transaction of it.
	#[default]
	Pending,
	/// Its transaction was sent, and has fewer than [`MIN_CONFIRMATIONS`].
	Broadcast,
	/// Its transaction has [`MIN_CONFIRMATIONS`] or more.
	Confirmed,
	/// A rehearsal: there is no transaction.
	Simulated,
}

impl AnchorStatus {
	/// `pending`, `broadcast`, `confirmed` or `simulated`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Pending => "pending",
			Self::Broadcast => "broadcast",
			Self::Confirmed => "confirmed",
			Self::Simulated => "simulated",
		}
	}

	/// The status that [`AnchorStatus::as_str`] writes so.
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

/// The anchor of a root, with what its [`AnchorStatus`] rests on.
///
/// Hashes are in the order in which Bitcoin hashes them, not reversed as they are printed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum AnchorState {
	/// It is to be anchored.
	#[default]
	#[codec(index = 0)]
	Pending,
	/// A transaction was sent.
	#[codec(index = 1)]
	Broadcast {
		/// The transaction.
		txid: H256,
	},
	/// The transaction is in a block with at least [`MIN_CONFIRMATIONS`].
	#[codec(index = 2)]
	Confirmed {
		/// The transaction.
		txid: H256,
		/// The block.
		block_hash: H256,
		/// Its height.
		height: u32,
		/// How many blocks stand on it, itself included, as last seen.
		confirmations: u32,
	},
	/// It was made up for a demonstration and is in no chain.
	#[codec(index = 3)]
	Simulated {
		/// The made-up transaction.
		txid: H256,
	},
}

impl AnchorState {
	/// How far it is, in one word.
	pub const fn status(&self) -> AnchorStatus {
		match self {
			Self::Pending => AnchorStatus::Pending,
			Self::Broadcast { .. } => AnchorStatus::Broadcast,
			Self::Confirmed { .. } => AnchorStatus::Confirmed,
			Self::Simulated { .. } => AnchorStatus::Simulated,
		}
	}

	/// The word of [`AnchorState::status`].
	pub const fn as_str(&self) -> &'static str {
		self.status().as_str()
	}

	/// Does a confirmed one have enough confirmations, and a block that can have them?
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

/// Where the root of a batch stands in Bitcoin.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Anchor {
	/// Number of the batch.
	pub sequence: u64,
	/// Its root.
	pub root: H256,
	/// How far it is.
	pub state: AnchorState,
}

/// The output script that carries a root: `OP_RETURN`, push 32 bytes, the root.
pub fn op_return_script(root: &H256) -> [u8; 34] {
	let mut script = [0x6a; 34];
	for (byte, value) in script.iter_mut().skip(1).zip([0x20].iter().chain(&root.0)) {
		*byte = *value;
	}
	script
}

/// The root in an output script; `None` if it is any other script.
pub fn root_of_script(script: &[u8]) -> Option<H256> {
	let root = script.strip_prefix(&[0x6a, 0x20])?;
	<[u8; 32]>::try_from(root).ok().map(H256)
}
