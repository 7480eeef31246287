//! Runtime API: what is attested, by which roles, and proofs of it.

use crate::types::{Archive, Attestation, KeySet, Signatures};
use alloc::vec::Vec;
use codec::Codec;
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	reserve::archive::ArchiveProof,
	reserve::attestation::{AttestationFields, Kind, Role},
	reserve::stop::RoleStops,
	time::calendar::Calendar,
	time::day::Day,
};
use sp_runtime::DispatchError;

sp_api::decl_runtime_apis! {
	/// Queries of the attestations pallet.
	pub trait AttestationsApi<BlockNumber> where BlockNumber: Codec {
		/// Returns the attestation in force for a kind and day.
		fn attestation(kind: Kind, day: Day) -> Option<Attestation<BlockNumber>>;

		/// Returns the days of a kind that are in the state, earliest first.
		fn days(kind: Kind) -> Vec<Day>;

		/// Returns head and length of a kind's archive.
		fn archive(kind: Kind) -> Archive;

		/// Returns `true` if this attestation was once in force: the proof must lead from it to the
		/// head of its kind's archive.
		fn verify_archived(attestation: Attestation<BlockNumber>, proof: ArchiveProof) -> bool;

		/// Returns the keys that the roles sign with now.
		fn keys() -> KeySet<BlockNumber>;

		/// Returns the key that a role had at a time in UTC milliseconds; `None` if it had none, or
		/// if that is no longer remembered.
		fn key_at(role: Role, time: u64) -> Option<PublicKey>;

		/// Returns the stops of minting of all roles, and the chain's time in UTC milliseconds.
		fn stops() -> (RoleStops, u64);

		/// Returns the calendar that turns time into days, and today by it.
		fn calendar() -> (Calendar, Day);

		/// Returns the hash of the statement's fields if it would be accepted now, else the error
		/// that a submission would return.
		fn preview(
			fields: AttestationFields,
			digest: H256,
			signatures: Signatures,
		) -> Result<H256, DispatchError>;
	}
}
