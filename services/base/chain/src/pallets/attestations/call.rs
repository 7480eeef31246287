//! Calls.

use super::PALLET;
use crate::{Call, refusal::Codes};
use gridproof_primitives::{
	H256,
	crypto::ed25519::{PublicKey, Signature},
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

/// Stops minting as a role, with its next number and its signature. Needs no signer.
pub fn stop_mint(role: Role, number: u32, signature: &Signature) -> Call {
	Call::new(PALLET, "stop_mint", &(role, number, signature)).refused_with(Codes::Statement)
}

/// Lifts a role's stop with the signatures of the two others, in the order data, risk, ops. Needs
/// no signer.
pub fn lift_stop(role: Role, number: u32, signatures: &[RoleSignature]) -> Call {
	Call::new(PALLET, "lift_stop", &(role, number, signatures)).refused_with(Codes::Statement)
}

/// Prolongs a role's stop to 14 days. For governance, also in an emergency.
pub fn prolong_stop(role: Role, number: u32) -> Call {
	Call::new(PALLET, "prolong_stop", &(role, number))
}

/// Ends a role's stop. For governance.
pub fn end_stop(role: Role, number: u32) -> Call {
	Call::new(PALLET, "end_stop", &(role, number))
}
