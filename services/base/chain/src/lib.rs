//! Connects to a Gridproof node: reads, submits, watches, sends again.
//!
//! - [`Chain`]: a connection that comes back by itself; runtime calls and issuance;
//! - [`submit`]: transactions followed to finality, sent again when a node loses them;
//! - [`tokens`]: what accounts hold, and transfers;
//! - [`Failure`]: what can go wrong, in words that say what to do.
//!
//! The crate knows no pallet: callers name calls and hand over SCALE-encoded arguments, which are
//! checked against the node's metadata before anything is sent.

#![deny(missing_docs)]

mod blocks;
mod client;
mod failure;
pub mod submit;
pub mod tokens;

pub use client::{Chain, Config};
pub use failure::Failure;
pub use gridproof_primitives::H256;
pub use submit::{Included, Patience, Submitter};
