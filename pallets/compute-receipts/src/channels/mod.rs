//! Channels, settlement batches and plans.
//!
//! The rules are in [`gridproof_primitives::compute::channels`]; here is what they need of the chain:
//! rows, money, time.

mod batch;
mod open;
mod parameters;
mod payout;
mod rest;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub(crate) mod types;
mod views;
