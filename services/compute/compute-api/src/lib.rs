//! What miner, coordinator and client say to each other, and how a program says it.
//!
//! A program that pays for compute, offers it or only looks at it embeds this crate; the coordinator
//! itself answers with the same types.
//!
//! - [`protocol`]: every request and answer, the stages of a job, and the codes of errors;
//! - [`CoordinatorClient`]: quotes, jobs and receipts, for those who pay;
//! - [`ChannelClient`]: requests that a channel pays for, its receipts and batches;
//! - [`PlanClient`]: plans, what is left of them, and the API key of a channel;
//! - [`OpeningClient`], [`opening`]: what a receipt was made of, for those who may see it, and its check;
//! - [`MinerClient`]: sessions, work and results, for miners;
//! - [`ReceiptDocument`]: a receipt of a channel with all that proves it, and its check;
//! - [`ApiKeys`]: the file of API keys that every front has;
//! - [`JobBook`]: what a client remembers of its jobs.
//!
//! # What it does not do
//!
//! It does not touch the chain: a client opens a job with
//! `gridproof_chain::pallets::compute_receipts`, between [`CoordinatorClient::quote`] and
//! [`CoordinatorClient::submit`]. It contains no server and no database.
//!
//! # What a client may rely on
//!
//! A quote that [`CoordinatorClient::quote`] returns is for the specification, account, asset and
//! chain that were asked for, and its signature is good. The access key of a job is on disk before
//! [`JobBook::add`] returns. Answers are bounded in length, and redirects are not followed.

#![deny(missing_docs, unreachable_pub)]

mod api_keys;
mod client;
pub mod demands;
mod job_book;
pub mod opening;
pub mod protocol;
mod receipt_document;

pub use api_keys::{ApiKeys, Customer, KeyFileError, new_key, random_key};
pub use client::{
	ChannelClient, ClientError, CoordinatorClient, MinerClient, OpeningClient, PlanClient,
};
pub use job_book::{JobBook, JobEntry};
pub use receipt_document::{ChainView, NotProven, Proven, ReceiptDocument};
