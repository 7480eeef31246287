#![cfg_attr(not(feature = "std"), no_std)]
//! Formats, units and money formulas shared by the runtime, its pallets and the services.
//!
//! Everything here is a pure function or a plain type: no storage, no clock, no network, no
//! floating point. A formula that touches money, a byte format that is hashed or signed and a
//! constant that two crates need is written here once and called everywhere else.
//!
//! | module | holds |
//! |---|---|
//! | [`num`] | exact fractions, wide integers, units and decimals of tokens, euros, energy |
//! | [`codec`](mod@codec) | strict JSON that keeps number literals, hexadecimal digits, content identifiers |
//! | [`time`] | civil days, and which day a time falls on |
//! | [`crypto`] | strict Ed25519, the tree of RFC 6962, proofs and proof documents |
//! | [`reserve`] | attestations, coverage ratio, supply target, allowance, redemption |
//! | [`energy`] | readings, certificates, batches and their rules, messages, anchors |
//! | [`compute`] | quotes, receipts, offences, scores, emission, settlement |
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

pub mod codec;
pub mod compute;
pub mod crypto;
pub mod energy;
pub mod num;
pub mod reserve;
pub mod time;

pub use sp_core::H256;
