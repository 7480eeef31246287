//! A root in a Bitcoin transaction.

use crate::H256;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Blocks, the transaction's own included, from which on an anchor counts as confirmed.
pub const MIN_CONFIRMATIONS: u32 = 6;

/// How far an anchor is. None is ever shown as another.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum AnchorState {
	/// No transaction yet.
	#[default]
	#[codec(index = 0)]
	Pending,
	/// A transaction is on its way, with fewer than [`MIN_CONFIRMATIONS`].
	#[codec(index = 1)]
	Broadcast,
	/// At least [`MIN_CONFIRMATIONS`].
	#[codec(index = 2)]
	Confirmed,
	/// Nothing of it is real.
	#[codec(index = 3)]
	Simulated,
}

impl AnchorState {
	/// `pending`, `broadcast`, `confirmed` or `simulated`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Pending => "pending",
			Self::Broadcast => "broadcast",
			Self::Confirmed => "confirmed",
			Self::Simulated => "simulated",
		}
	}

	/// The state of a transaction that has been sent and has this many confirmations.
	pub const fn at(confirmations: u32) -> Self {
		if confirmations >= MIN_CONFIRMATIONS { Self::Confirmed } else { Self::Broadcast }
	}
}

impl fmt::Display for AnchorState {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
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
