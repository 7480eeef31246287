//! What the pallet stores and shows.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, pallet_prelude::ConstU32};
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	reserve::archive,
	reserve::attestation::{AttestationFields, ROLE_COUNT, Role, RoleSignature},
	time::day::Day,
};
use scale_info::TypeInfo;

/// The signatures under a statement: sorted by role, one per role.
pub type Signatures = BoundedVec<RoleSignature, ConstU32<ROLE_COUNT>>;

/// The roles that signed a statement, each with the key it had at that time.
pub type Signers = BoundedVec<(Role, PublicKey), ConstU32<ROLE_COUNT>>;

/// When something happened on this chain.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timepoint<BlockNumber> {
	/// Block number.
	pub block: BlockNumber,
	/// The block's timestamp, UTC milliseconds.
	pub time: u64,
}

/// A key that a role signs with now.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PinnedKey<BlockNumber> {
	/// The Ed25519 public key.
	pub key: PublicKey,
	/// Since when it counts.
	pub since: Timepoint<BlockNumber>,
}

/// A key that a role signed with once.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetiredKey<BlockNumber> {
	/// The Ed25519 public key.
	pub key: PublicKey,
	/// Since when it counted.
	pub since: Timepoint<BlockNumber>,
	/// From when on it did not count any more.
	pub until: Timepoint<BlockNumber>,
}

/// The keys of all roles; a role without a key cannot sign.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeySet<BlockNumber> {
	/// Key of [`Role::Data`].
	pub data: Option<PinnedKey<BlockNumber>>,
	/// Key of [`Role::Risk`].
	pub risk: Option<PinnedKey<BlockNumber>>,
	/// Key of [`Role::Ops`].
	pub ops: Option<PinnedKey<BlockNumber>>,
}

impl<BlockNumber> KeySet<BlockNumber> {
	/// The place of a role's key.
	pub const fn of(&self, role: Role) -> &Option<PinnedKey<BlockNumber>> {
		match role {
			Role::Data => &self.data,
			Role::Risk => &self.risk,
			Role::Ops => &self.ops,
		}
	}

	/// The place of a role's key, to change it.
	pub const fn of_mut(&mut self, role: Role) -> &mut Option<PinnedKey<BlockNumber>> {
		match role {
			Role::Data => &mut self.data,
			Role::Risk => &mut self.risk,
			Role::Ops => &mut self.ops,
		}
	}

	/// Is this key pinned for some role?
	pub fn contains(&self, key: &PublicKey) -> bool {
		[&self.data, &self.risk, &self.ops].into_iter().flatten().any(|pinned| pinned.key == *key)
	}
}

/// An accepted statement, as stored.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attestation<BlockNumber> {
	/// What was stated and signed.
	pub fields: AttestationFields,
	/// SHA-256 of the canonical JSON file that was signed along.
	pub digest: H256,
	/// Who signed, and with which key.
	pub signers: Signers,
	/// When it was accepted.
	pub accepted: Timepoint<BlockNumber>,
}

impl<BlockNumber: Encode> Attestation<BlockNumber> {
	/// The entry that stands for this record once it is in the archive.
	pub fn entry(&self) -> H256 {
		archive::entry(self)
	}
}

/// Everything that has left the state, in one hash.
///
/// An entry is added when a statement is replaced by a revision or pruned for its age; see
/// [`gridproof_primitives::reserve::archive`] for the rule of the chain.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Archive {
	/// Hash over all entries; zero while there are none.
	pub head: H256,
	/// Number of entries.
	pub length: u64,
	/// The last day pruned for its age: no statement for it or an earlier day is accepted.
	pub pruned_through: Option<Day>,
}
