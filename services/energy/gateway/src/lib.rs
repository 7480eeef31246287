//! Receives readings of energy meters over MQTT and HTTP, keeps them, batches them, has the batches
//! signed and submits them to the chain.
//!
//! ```text
//! intake/{mqtt,broker,http} -> ingest -> storage      acknowledged: on disk from here on
//! storage -> batching -> storage                      1: closes batches
//! storage -> signing -> devices -> storage            2: has them signed
//! storage -> submission -> ledger -> chain            3: submits them to a finalized block
//! storage -> pinning -> IPFS                          4: has their files pinned
//! storage -> archiving -> archive files               5: moves what is settled out of the database
//! ```
//!
//! The five loops meet in the database only: every one can be stopped anywhere and repeated.
//!
//! | module | does |
//! |---|---|
//! | `config` | all settings |
//! | `intake` | the ways that readings come in, behind the trait [`Intake`] |
//! | `message`, `ingest`, `registry`, `refusal` | checks a message against itself, its sender and its certificate |
//! | `storage` | keeps readings, batches and dead letters, behind two traits; SQLite |
//! | `credentials`, `tls` | users, and certificates |
//! | `batching`, `signing`, `deferral`, `submission` | from readings to a finalized block |
//! | `succession`, `recovery` | another device at a meter, and an older copy of the database |
//! | `archiving` | what is settled, into files |
//! | `ledger` | the chain, behind the trait [`Ledger`] |
//! | `http` | the API; its types and a client are in `gridproof-gateway-api` |
//! | `board`, `health`, `metrics`, `pinning` | status, Prometheus and IPFS |
//!
//! Nothing that was acknowledged is lost: a message is answered after the commit that holds it, and
//! every later step can be repeated.

#![deny(missing_docs)]

mod archiving;
mod batching;
mod board;
mod config;
mod credentials;
mod cutting;
mod deferral;
mod due;
mod failure;
mod health;
mod http;
mod ids;
mod ingest;
mod intake;
mod ledger;
mod message;
mod metrics;
mod notices;
mod pinning;
mod recovery;
mod refusal;
mod registry;
mod run;
mod short;
mod signing;
mod stop;
mod storage;
mod submission;
mod succession;
mod tls;

pub use config::{
	Archiving, Batching, Broker, MAX_MESSAGE_BYTES, Pinning, Settings, SettingsError, Tls,
};
pub use credentials::{CREDENTIALS_FILE, CredentialError, Credentials, MIN_PASSWORD, Role, User};
pub use health::{Address, Health};
pub use ingest::{Ingest, Taken};
pub use intake::{BoxError, BrokerError, Gate, Intake};
pub use ledger::{AccountId, ChainError, Inclusion, Ledger, Node, Preview, Reply};
pub use message::{Message, Sender, Source};
pub use metrics::Metrics;
pub use notices::Outbox;
pub use pinning::PinError;
pub use refusal::{IngestError, IngestRefusal};
pub use run::{Gateway, PartEnded, Parts, StartError};
pub use signing::Signer;
pub use storage::{
	Answer, Batch, BatchAnchor, BatchFilter, BatchRow, Device as MeterDevice, Flow, MIGRATIONS,
	MeterRow, NewBatch, NewCopy, NewDeadLetter, NewReading, OnChain, Page, Pending, PinProgress,
	ReadStorage, Reading, ReadingFilter, ReadingRow, Selection, Settled, Sqlite, Storage, Stored,
};
pub use tls::{TlsError, self_signed};

/// The description of all requests of the API, for the reference.
pub fn openapi() -> serde_json::Value {
	intake::openapi()
}

/// What all figures are, in the order of their names, for the reference.
pub fn metrics() -> Vec<gridproof_http::Metric> {
	Metrics::new().map(|metrics| metrics.describe()).unwrap_or_default()
}
