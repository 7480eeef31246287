//! Daily statements about the reserve.

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

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{Call, refusal::Codes};
	use gridproof_primitives::{
		H256,
		crypto::ed25519::PublicKey,
		reserve::attestation::{AttestationFields, Kind, Role, RoleSignature},
	};

	/// States the figures of a day. Needs no signer. `signatures` are in the order data, risk, ops.
	pub fn submit(fields: &AttestationFields, digest: H256, signatures: &[RoleSignature]) -> Call {
		Call::new(PALLET, "submit", &(fields, digest, signatures)).refused_with(Codes::Statement)
	}

	/// Gives a role another key, or none. For governance.
	pub fn rotate_key(role: Role, key: Option<PublicKey>) -> Call {
		Call::new(PALLET, "rotate_key", &(role, key))
	}

	/// Stops submissions. For governance, also in an emergency.
	pub fn pause() -> Call {
		Call::new(PALLET, "pause", &())
	}

	/// Accepts submissions again. For governance.
	pub fn resume() -> Call {
		Call::new(PALLET, "resume", &())
	}

	/// Opens or closes a kind of statement. For governance.
	pub fn set_kind_open(kind: Kind, open: bool) -> Call {
		Call::new(PALLET, "set_kind_open", &(kind, open))
	}
}

/// Questions.
pub mod query {
	use super::{Archive, Attestation, KeySet};
	use crate::Query;
	use gridproof_primitives::{
		H256,
		crypto::ed25519::PublicKey,
		reserve::{
			archive::ArchiveProof,
			attestation::{AttestationFields, Kind, Role, RoleSignature},
		},
		time::{calendar::Calendar, day::Day},
	};

	/// The attestation that stands for a kind and day.
	pub fn attestation(kind: Kind, day: Day) -> Query<Option<Attestation>> {
		Query::new("AttestationsApi_attestation", &(kind, day))
	}

	/// The days of a kind that are in the state, earliest first.
	pub fn days(kind: Kind) -> Query<Vec<Day>> {
		Query::new("AttestationsApi_days", &kind)
	}

	/// Head and length of a kind's archive.
	pub fn archive(kind: Kind) -> Query<Archive> {
		Query::new("AttestationsApi_archive", &kind)
	}

	/// Did this attestation stand once, by a proof against the head of its kind's archive?
	pub fn verify_archived(attestation: &Attestation, proof: &ArchiveProof) -> Query<bool> {
		Query::new("AttestationsApi_verify_archived", &(attestation, proof))
	}

	/// The keys that the roles sign with now.
	pub fn keys() -> Query<KeySet> {
		Query::new("AttestationsApi_keys", &())
	}

	/// The key that a role had at a time in UTC milliseconds, as far as it is remembered.
	pub fn key_at(role: Role, time: u64) -> Query<Option<PublicKey>> {
		Query::new("AttestationsApi_key_at", &(role, time))
	}

	/// How time becomes days, and today.
	pub fn calendar() -> Query<(Calendar, Day)> {
		Query::new("AttestationsApi_calendar", &())
	}

	/// The statement's hash if a submission would be accepted now, or why not.
	pub fn preview(
		fields: &AttestationFields,
		digest: H256,
		signatures: &[RoleSignature],
	) -> Query<H256> {
		Query::new("AttestationsApi_preview", &(fields, digest, signatures)).or_refused()
	}
}

/// Events.
pub mod event {
	use gridproof_primitives::{
		H256,
		crypto::ed25519::PublicKey,
		reserve::attestation::{Kind, Role},
		time::day::Day,
	};

	events! {
		"Attestations" {
			/// A statement was accepted.
			Accepted {
				/// Its kind.
				kind: Kind,
				/// The day it is about.
				day: Day,
				/// 0, or the number of the correction.
				revision: u32,
				/// Hash of its fields.
				statement: H256,
				/// SHA-256 of the canonical file.
				digest: H256,
				/// The roles that signed it, with their keys.
				signers: Vec<(Role, PublicKey)>,
			}
			/// An attestation left the state: replaced by a revision, or pruned for its age.
			Archived {
				/// Its kind.
				kind: Kind,
				/// The day it is about.
				day: Day,
				/// Hash of its fields.
				statement: H256,
				/// Its place in the archive, from 0.
				index: u64,
				/// Its entry in the archive.
				entry: H256,
				/// The archive's head after it.
				head: H256,
			}
			/// A role has another key.
			KeyRotated {
				/// The role.
				role: Role,
				/// The key it had.
				old: Option<PublicKey>,
				/// The key it has now; `None` if it cannot sign any more.
				new: Option<PublicKey>,
			}
			/// A kind was opened or closed.
			KindChanged {
				/// The kind.
				kind: Kind,
				/// Whether its statements are accepted now.
				open: bool,
			}
			/// Submissions were stopped.
			Paused {}
			/// Submissions are accepted again.
			Resumed {}
		}
	}
}

refusals! {
	/// Why the attestations pallet says no.
	"Attestations" {
		0 Paused: "submissions are stopped: wait until governance resumes them";
		1 TooFewSignatures: "fewer than two roles signed: have another role sign";
		2 UnsortedSigners: "the signatures are not in the order data, risk, ops, or one is there twice";
		3 KindClosed: "no statements of this kind are accepted: wait until governance opens it";
		4 Inconsistent: "the figures contradict each other: plan the day again";
		5 FutureDay: "the day has not ended yet: wait until it has";
		6 AncientDay: "the day is too long ago to be stated or revised";
		7 AlreadyAttested: "the day has an attestation: to correct it, name it in a revision";
		8 WrongReplacement: "the revision does not name the attestation that stands: look at that one first";
		9 TooManyRevisions: "the day was revised as often as it may be";
		10 NoKey: "a role that signed has no key on the chain: governance has to pin it first";
		11 BadSignature: "a signature is not its role's of these figures for this chain: check keys and genesis hash";
		12 WeakKey: "the key is weak: make another one";
		13 KeyInUse: "the key is, or was, pinned already: make another one";
		14 NothingToRemove: "the role has no key to remove";
		15 Unchanged: "it already has this value";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::Paused | Self::KindClosed | Self::FutureDay | Self::NoKey => true,
			Self::TooFewSignatures
			| Self::UnsortedSigners
			| Self::Inconsistent
			| Self::AncientDay
			| Self::AlreadyAttested
			| Self::WrongReplacement
			| Self::TooManyRevisions
			| Self::BadSignature
			| Self::WeakKey
			| Self::KeyInUse
			| Self::NothingToRemove
			| Self::Unchanged => false,
		}
	}
}
