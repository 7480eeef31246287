//! Signatures and proofs: strict Ed25519, the Merkle tree of RFC 6962.

pub mod ed25519;
pub mod merkle;
