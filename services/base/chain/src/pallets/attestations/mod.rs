//! Daily statements about the reserve.

pub mod call;
pub mod event;
pub mod query;
mod refusal;

pub use refusal::Refusal;

use codec::{Decode, Encode};
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	reserve::attestation::{AttestationFields, Role},
	time::day::Day,
};

/// The pallet's name.
pub(crate) const PALLET: &str = "Attestations";

/// When something happened on the chain.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timepoint {
	/// Block number.
	pub block: u32,
	/// The block's timestamp, UTC milliseconds.
	pub time: u64,
}

/// An accepted statement.
#[derive(Encode, Decode)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
	/// What was stated and signed.
	pub fields: AttestationFields,
	/// SHA-256 of the canonical JSON file that was signed along.
	pub digest: H256,
	/// The roles that signed, in the order data, risk, ops, each with its key at that time.
	pub signers: Vec<(Role, PublicKey)>,
	/// When it was accepted.
	pub accepted: Timepoint,
}

/// A key that a role signs with now.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinnedKey {
	/// The Ed25519 public key.
	pub key: PublicKey,
	/// Since when it counts.
	pub since: Timepoint,
}

/// The keys of all roles; a role without a key cannot sign.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySet {
	/// Key of [`Role::Data`].
	pub data: Option<PinnedKey>,
	/// Key of [`Role::Risk`].
	pub risk: Option<PinnedKey>,
	/// Key of [`Role::Ops`].
	pub ops: Option<PinnedKey>,
}

impl KeySet {
	/// The key of a role.
	pub const fn of(&self, role: Role) -> Option<&PinnedKey> {
		match role {
			Role::Data => self.data.as_ref(),
			Role::Risk => self.risk.as_ref(),
			Role::Ops => self.ops.as_ref(),
		}
	}
}

/// What has left the state, in one hash.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive {
	/// Hash over all entries; zero while there are none.
	pub head: H256,
	/// Number of entries.
	pub length: u64,
	/// The last day pruned for its age: no statement for it or an earlier day is accepted.
	pub pruned_through: Option<Day>,
}
