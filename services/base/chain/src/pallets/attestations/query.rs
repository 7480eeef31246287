//! Questions.

use super::{Archive, Attestation, KeySet};
use crate::Query;
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	reserve::{
		archive::ArchiveProof,
		attestation::{AttestationFields, Kind, Role, RoleSignature},
		stop::RoleStops,
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

/// The stops of minting of all roles, and the chain's time in UTC milliseconds.
pub fn stops() -> Query<(RoleStops, u64)> {
	Query::new("AttestationsApi_stops", &())
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
