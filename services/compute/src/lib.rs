//! Coordinator, miner and the OpenAI-compatible front.
//!
//! - [`protocol`]: what miner, coordinator and client say to each other.

#![deny(missing_docs)]

pub mod protocol;
