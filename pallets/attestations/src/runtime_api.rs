//! Runtime API: what is attested, by whom, and how to prove it.

use crate::types::{Archive, Attestation, KeySet, Signatures};
use alloc::vec::Vec;
use codec::Codec;
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	reserve::archive::ArchiveProof,
	reserve::attestation::{AttestationFields, Kind, Role},
	time::calendar::Calendar,
	time::day::Day,
};
use sp_runtime::DispatchError;

sp_api::decl_runtime_apis! {
	/// Queries of the attestations pallet.
	pub trait AttestationsApi<BlockNumber> where BlockNumber: Codec {
		/// The attestation that stands for a kind and day.
		fn attestation(kind: Kind, day: Day) -> Option<Attestation<BlockNumber>>;

		/// The days of a kind that are in the state, earliest first.
		fn days(kind: Kind) -> Vec<Day>;

		/// Head and length of a kind's archive.
		fn archive(kind: Kind) -> Archive;

		/// Did this attestation stand once, by a proof against the head of its kind's archive?
		fn verify_archived(attestation: Attestation<BlockNumber>, proof: ArchiveProof) -> bool;

		/// The keys that the roles sign with now.
		fn keys() -> KeySet<BlockNumber>;

		/// The key that a role had at a time in UTC milliseconds, as far as it is remembered.
		fn key_at(role: Role, time: u64) -> Option<PublicKey>;

		/// How time becomes days, and today.
		fn calendar() -> (Calendar, Day);

		/// Would a submission be accepted now? Its hash, or why not.
		fn preview(
			fields: AttestationFields,
			digest: H256,
			signatures: Signatures,
		) -> Result<H256, DispatchError>;
	}
}
