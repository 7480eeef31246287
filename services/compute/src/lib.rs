//! Coordinator, miner and the OpenAI-compatible front.
//!
//! - [`protocol`]: what miner, coordinator and client say to each other;
//! - [`coordinator`]: quotes, jobs, results, receipts, settlement, and all of it as REST;
//! - [`front`]: OpenAI's interface to it.

#![deny(missing_docs)]

pub mod coordinator;
pub mod front;
pub mod protocol;
