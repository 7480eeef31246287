//! Keys of verifiers.

use crate::H256;
use alloc::vec::Vec;
use codec::Encode;
use sp_core::sr25519;

/// Public sr25519 key of a verifier: it draws and signs with it.
pub type VerifierKey = [u8; 32];
/// An sr25519 signature.
pub type VerifierSignature = [u8; 64];

/// Highest number of verifiers that governance admits.
pub const MAX_VERIFIERS: u32 = 21;
/// Number of verifiers that must have reported within a day, or the mint's window stands still.
pub const QUORUM: u32 = 5;
/// Time for which a key is known before it draws, in milliseconds: an hour. Who could choose a key after
/// it knows a block's hash would choose what falls to it.
pub const KEY_NOTICE_MS: u64 = 3_600_000;

/// Returns the bytes that a key signs to prove that its owner consents to an account using it.
pub fn key_payload(genesis: &H256, account: &[u8; 32]) -> Vec<u8> {
	("gridproof/verifier-key/v1", genesis, account).encode()
}

/// Returns `true` if a signature is that of a verifier's key.
pub fn verify_signature(key: &VerifierKey, payload: &[u8], signature: &VerifierSignature) -> bool {
	let (key, signature) =
		(sr25519::Public::from_raw(*key), sr25519::Signature::from_raw(*signature));
	sp_io::crypto::sr25519_verify(&signature, payload, &key)
}
