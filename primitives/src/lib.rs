#![cfg_attr(not(feature = "std"), no_std)]
//! Formats, units and money formulas shared by the runtime, its pallets and the services.
//!
//! Everything here is a pure function or a plain type: no storage, no clock, no network, no
//! floating point. A formula that touches money, a byte format that is hashed or signed and a
//! constant that two crates need is written here once and called everywhere else.
//!
//! | module | holds |
//! |---|---|
//! | [`units`] | decimals of the tokens, asset ids, euros and energy |
//! | [`decimal`] | exact fractions: [`decimal::Ratio`], [`decimal::SignedRatio`], parsing and printing |
//! | [`day`] | a civil day, [`day::Day`] |
//! | [`json`] | strict JSON that keeps number literals, canonical form |
//! | [`ed25519`] | strict signature check: canonical S, no weak keys |
//! | [`attestation`] | roles, fields, digest, signed message, the handler trait |
//! | [`archive`] | the hash chain that keeps pruned statements provable |
//! | [`calendar`] | which day a time falls on |
//! | [`emlog`] | logs of meters: reading, checking, exact energy |
//! | [`merkle`] | the tree of RFC 6962, proofs, proof documents |
//! | [`cid`] | content identifiers |
//! | [`meter`] | certificates, batches and their rules, messages, anchors |
//! | [`hexadecimal`] | bytes as hexadecimal digits |
//! | [`coverage`] | coverage ratio, supply target, mint suggestion, price bounds, redemption |
//! | [`compute`] | quotes, receipts, heartbeats, offences: what is signed about delivered compute |
//! | [`emission`] | steps, budgets and shares of newly minted AIT |
//! | [`score`] | the score of a miner, in fixed point |
//! | [`settlement`] | who gets which part of what is paid or minted |
//! | [`parameters`] | what governance decides about the coverage policy |
//! | [`policy`] | what the coverage policy stores and shows |
//!
//! Without the `std` feature the crate needs only `alloc`.

#![deny(missing_docs)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::panic,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects,
		clippy::cast_lossless,
		clippy::cast_possible_truncation,
		clippy::cast_possible_wrap,
		clippy::cast_precision_loss,
		clippy::cast_sign_loss,
		clippy::float_arithmetic
	)
)]

extern crate alloc;

pub mod archive;
pub mod attestation;
pub mod calendar;
pub mod cid;
pub mod compute;
pub mod coverage;
pub mod day;
pub mod decimal;
pub mod ed25519;
pub mod emission;
pub mod emlog;
pub mod hexadecimal;
pub mod json;
pub mod merkle;
pub mod meter;
pub mod parameters;
pub mod policy;
pub mod score;
pub mod settlement;
pub mod units;
mod wide;

pub use sp_core::H256;
