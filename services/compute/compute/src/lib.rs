//! Coordinator, miner and the OpenAI-compatible front.
//!
//! - [`protocol`]: what miner, coordinator and client say to each other;
//! - [`check`]: how a coordinator checks results with an engine of its own;
//! - [`client`]: asks a coordinator, and opens jobs on chain;
//! - [`coordinator`]: quotes, jobs, results, receipts, settlement, and all of it as REST;
//! - [`front`]: OpenAI's interface to it;
//! - [`job_book`]: what a client remembers of its jobs;
//! - [`miner`]: takes jobs, runs them, delivers results, is paid;
//! - [`openai_engine`]: an engine behind a URL.

#![deny(missing_docs)]

pub mod check;
pub mod client;
pub mod coordinator;
pub mod front;
pub mod job_book;
pub mod miner;
pub mod openai_engine;
pub mod protocol;
