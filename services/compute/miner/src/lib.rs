//! The miner: it takes jobs from coordinators, runs them, signs receipts, and is paid by the chain.
//!
//! | module | holds |
//! |---|---|
//! | `miner` | what all work shares: key, engine, results, what is running |
//! | [`assignment`] | what is checked before the work of a job, and signed after it |
//! | [`voucher`] | the same of a request that a channel pays for, and of lines of batches |
//! | `account` | receipts of channels: running sums, and which lines are accounted for |
//! | `outbox` | results that were signed, until they are delivered |
//! | `lines` | lines of batches, signed as they are asked for |
//! | `link` | one coordinator: sessions, slots, deliveries, heartbeats |
//! | `chain` | registration, heartbeats on chain, payouts |
//! | `demands` | receipts that are not settled in time, or were given up, on chain |
//! | `run` | the loops of all this |
//! | `pages`, `metrics` | health and figures |
//! | [`plan`] | what fits on which graphics processors |
//!
//! # What is guaranteed
//!
//! A result is on disk before its coordinator sees it, and stays there until well after its
//! deadline. A job that comes again gets the receipt that was signed for it before: two receipts of
//! one miner for one job are an offence. Coordinator and node may be away for as long as they like:
//! both are tried again with growing pauses. What a coordinator says of a session (a ban, a wrong
//! clock) never ends a result.
//!
//! # A miner in a program
//!
//! [`Miner::open`] with an [`Engine`](gridproof_engine::Engine), then [`Miner::run`].

#![deny(missing_docs, unreachable_pub)]

mod account;
pub mod assignment;
mod chain;
mod demands;
mod error;
mod lines;
mod link;
mod metrics;
mod miner;
mod outbox;
mod pages;
pub mod plan;
mod run;
mod settings;
pub mod voucher;

pub use chain::register;
pub use demands::{Waiting, waiting};
pub use error::MinerError;
pub use miner::Miner;
pub use outbox::{Counts, Outbox, Stored};
pub use pages::{metrics, openapi, pages};
pub use settings::Settings;
