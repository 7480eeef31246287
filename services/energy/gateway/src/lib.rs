//! Takes readings of energy meters over MQTT and HTTP, keeps them, batches them, has the batches
//! signed and brings them on chain.
//!
//! | module | does |
//! |---|---|
//! | [`config`] | all settings |
//! | [`ingest`], [`registry`] | checks a message against itself, its sender and its certificate |
//! | [`storage`] | keeps logs, batches and dead letters, behind a trait; SQLite |
//! | [`mqtt`], [`broker`] | the embedded MQTT server, or an external broker |
//! | [`credentials`], [`tls`] | who may speak |
//! | [`batching`], [`signing`], [`deferral`], [`submission`] | from logs to a finalized block |
//! | [`ledger`] | the chain, behind a trait |
//! | [`http`], [`client`] | the API, and a client of it |
//! | [`pinning`], [`metrics`] | IPFS and Prometheus |
//!
//! Nothing that was acknowledged is lost: a message is answered after the commit that holds it, and
//! every later step can be repeated.

#![deny(missing_docs)]

pub mod batching;
pub mod broker;
pub mod client;
pub mod config;
pub mod credentials;
pub mod deferral;
pub mod http;
pub mod ids;
pub mod ingest;
pub mod ledger;
pub mod metrics;
pub mod mqtt;
pub mod pinning;
pub mod registry;
mod run;
mod short;
pub mod signing;
pub mod storage;
pub mod submission;
pub mod tls;

pub use run::{Addresses, Gateway, StartFault};
