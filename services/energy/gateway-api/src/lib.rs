//! What a gateway's REST API asks and answers, and a client of it.
//!
//! Server, commands, anchors and tests share these types, so that a field that is renamed is renamed
//! for all of them. A program that embeds the [`Client`] compiles no database, no HTTP server and no
//! MQTT.
//!
//! | module | holds |
//! |---|---|
//! | `views` | batches, meters and dead letters, as the API shows them |
//! | `status` | the state of a gateway: what is stored, and how its work proceeds |
//! | `changes` | what a request may change, and what is answered to it |
//! | `queries` | pages and filters of lists |
//! | `client` | the client |
//!
//! ```no_run
//! # async fn example() -> Result<(), gridproof_gateway_api::ClientError> {
//! use gridproof_gateway_api::{BatchState, Client, DEFAULT_API, ListBatches};
//!
//! let client = Client::new(DEFAULT_API, None)?;
//! let parked = ListBatches { status: Some(BatchState::Parked), ..ListBatches::default() };
//! for batch in client.batches(&parked).await? {
//!     println!("{} {}", batch.id, batch.reason.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]

mod changes;
mod client;
mod queries;
mod status;
mod views;

pub use changes::{AnchorUpdate, AnchorWay, Decision, SimulatedAnchor};
pub use client::{Client, ClientError, DEFAULT_API};
pub use gridproof_primitives::energy::AnchorStatus;
pub use queries::{ListBatches, ListDeadLetters, ListMeters, ListReadings, PageQuery};
pub use status::{Counts, Health, IntakeStatus, RefusedCount, RunState, Status};
pub use views::{BatchOnChain, BatchState, BatchView, DeadLetter, MeterStanding, MeterView};
