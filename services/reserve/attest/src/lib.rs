//! Daily attestations, off chain: plan, sign, verify, submit, and the daily run.
//!
//! - [`summary`]: the grid summary a plan starts from;
//! - [`statement`]: figures and file of version 2, each recomputed from the other;
//! - [`verify`]: signatures of version 1 and 2, and every way they can fail;
//! - [`sign`]: one role's signature under a file;
//! - [`keys`]: role keys in files, public keys of all roles;
//! - [`submit`]: from file to chain, and what the chain holds;
//! - [`account`]: addresses, and keys of accounts;
//! - [`policy`]: coverage, minting and redemption as the chain has them;
//! - [`daemon`]: the daily run, with missed days, retries and a lock;
//! - [`files`]: files that are whole or not there.
//!
//! The rules of the file are written down in `docs/protocols/attestation.md`.

#![deny(missing_docs)]

pub mod daemon;
pub mod keys;
pub mod policy;
pub mod sign;
pub mod statement;
pub mod submit;
pub mod summary;
pub mod verify;

pub use gridproof_chain::{Chain, Failure, H256};
pub use gridproof_keys::{account, files};
