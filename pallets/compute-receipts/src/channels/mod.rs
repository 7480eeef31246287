//! Channels, settlement batches and plans.
//!
//! The rules are in [`gridproof_primitives::compute::channels`]; here is what they need of the chain:
//! rows, money, time.

mod batch;
mod demands;
mod memory;
pub(crate) mod models;
mod offences;
mod open;
mod parameters;
mod payout;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::as_conversions)]
pub(crate) mod records;
mod rest;
pub(crate) mod restitution;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_offences;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub(crate) mod types;
mod views;
