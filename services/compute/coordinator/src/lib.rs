//! The coordinator: it quotes jobs, gives them to miners, checks what comes back, signs receipts
//! and settles them on chain.
//!
//! What must not be lost is in the database before anybody hears of it: a job before it counts as
//! accepted, a result with both signatures before its miner is answered. Leases, sessions and the
//! text that is being read along live in memory: after a restart miners say hello again, and every
//! lease starts again. The chain decides about money; whether a receipt is settled is always asked
//! there, so that sending it twice or being stopped in between does no harm.
//!
//! | module | holds |
//! |---|---|
//! | `coordinator` | what all work shares: database, chain, key, settings, memory |
//! | `quotes` | from a specification to an accepted job |
//! | `registry`, `models` | which models count, and for how much, by the chain's registry; following it |
//! | `work` | from an accepted job to a miner and back |
//! | `results` | what makes a result good |
//! | [`check`] | checking results with an engine of the coordinator's own |
//! | `escrow` | the money of jobs before and without a receipt |
//! | `settle` | from a receipt to final money |
//! | `retention` | what is kept, and for how long |
//! | [`repair`] | batches for their operator |
//! | `timekeeper` | the time that all of this goes by |
//! | `payout` | what the coordinator has earned of the emission |
//! | `run` | the loops of all this |
//! | [`ledger`], `chain`, `registration` | what is needed of the chain, and how a node is asked for it |
//! | `rows` | the database |
//! | `sessions`, `live` | miners that have a session; text that is being read along |
//! | `book`, `channels` | channels in memory; from a voucher to a settled batch |
//! | `demanded` | receipts that somebody demands on chain |
//! | `sold` | plans of channels, and API keys of those whose key the coordinator keeps |
//! | `api` | the REST for clients and miners |
//! | `front`, `desk`, `channel_desk`, `kept_desk` | OpenAI's interface, and the coordinator as it sees it |
//! | `server` | all of this behind one address |
//!
//! A job is in one of the stages of
//! [`JobStage`](gridproof_compute_api::protocol::JobStage), whose `may_become` is the whole rule.
//!
//! # A coordinator in a program
//!
//! [`Coordinator::open`], then [`Coordinator::run`] and [`Server::router`] side by side.

#![deny(missing_docs, unreachable_pub)]

mod access_key;
mod api;
mod book;
mod chain;
mod channel_desk;
mod channels;
pub mod check;
mod coordinator;
mod demanded;
mod desk;
mod error;
mod escrow;
mod front;
mod kept_desk;
pub mod ledger;
mod live;
mod metrics;
mod models;
mod payout;
mod quotes;
mod registration;
mod registry;
pub mod repair;
mod results;
mod retention;
mod rows;
mod run;
mod seen;
mod server;
mod sessions;
mod settings;
mod settle;
mod sight;
mod sold;
mod timekeeper;
mod trees;
mod work;

#[cfg(test)]
mod tests;

pub use access_key::AccessKey;
pub use chain::ChainLedger;
pub use coordinator::{Coordinator, StartError};
pub use error::RequestError;
pub use gridproof_compute_api::{ApiKeys, Customer, KeyFileError, new_key};
pub use quotes::Quoted;
pub use registration::register;
pub use rows::{Job, QuoteRow};
pub use server::{ServeError, Server, metrics, openapi};
pub use sessions::Session;
pub use settings::{ChannelSettings, ModelOffer, Retain, Settings};
