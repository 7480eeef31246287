//! Types that the pallet stores and its queries return.

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

/// Signatures of a statement: sorted by role, at most one per role.
pub type Signatures = BoundedVec<RoleSignature, ConstU32<ROLE_COUNT>>;

/// Roles that signed a statement, each with its key at that time.
pub type Signers = BoundedVec<(Role, PublicKey), ConstU32<ROLE_COUNT>>;

/// Time of something that happened on this chain.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timepoint<BlockNumber> {
	/// Number of the block.
	pub block: BlockNumber,
	/// Timestamp of the block, in UTC milliseconds.
	pub time: u64,
}

/// Key that a role signs with now.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PinnedKey<BlockNumber> {
	/// Ed25519 public key, 32 bytes.
	pub key: PublicKey,
	/// Block and time from which the key is valid.
	pub since: Timepoint<BlockNumber>,
}

/// Key that a role signed with in the past.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetiredKey<BlockNumber> {
	/// Ed25519 public key, 32 bytes.
	pub key: PublicKey,
	/// Block and time from which the key was valid.
	pub since: Timepoint<BlockNumber>,
	/// Block and time at which it was replaced or removed; not valid from then on.
	pub until: Timepoint<BlockNumber>,
}

/// Keys of all roles; a role without a key cannot sign.
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
	/// Returns the key of a role, `None` if it has none.
	pub const fn of(&self, role: Role) -> &Option<PinnedKey<BlockNumber>> {
		match role {
			Role::Data => &self.data,
			Role::Risk => &self.risk,
			Role::Ops => &self.ops,
		}
	}

	/// Returns the key of a role for changing.
	pub const fn of_mut(&mut self, role: Role) -> &mut Option<PinnedKey<BlockNumber>> {
		match role {
			Role::Data => &mut self.data,
			Role::Risk => &mut self.risk,
			Role::Ops => &mut self.ops,
		}
	}

	/// Returns `true` if the key is pinned for one of the roles.
	pub fn contains(&self, key: &PublicKey) -> bool {
		[&self.data, &self.risk, &self.ops].into_iter().flatten().any(|pinned| pinned.key == *key)
	}
}

/// Accepted statement, as stored.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attestation<BlockNumber> {
	/// Figures that were signed.
	pub fields: AttestationFields,
	/// SHA-256 of the canonical JSON of the attestation file, without its signatures.
	pub digest: H256,
	/// Roles that signed, each with its key at that time.
	pub signers: Signers,
	/// Block and time of its acceptance.
	pub accepted: Timepoint<BlockNumber>,
}

impl<BlockNumber: Encode> Attestation<BlockNumber> {
	/// Returns the hash that represents this attestation in the archive.
	pub fn entry(&self) -> H256 {
		archive::entry(self)
	}
}

/// Hash chain over all attestations of a kind that have left the state.
///
/// An entry is added when a revision replaces an attestation or an attestation is pruned for its
/// age; [`gridproof_primitives::reserve::archive`] has the rule of the chain.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Archive {
	/// Hash over all entries; zero if there are none.
	pub head: H256,
	/// Number of entries.
	pub length: u64,
	/// Latest day that was pruned for its age: statements for it or an earlier day are refused.
	pub pruned_through: Option<Day>,
}
