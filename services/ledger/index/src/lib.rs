//! History of a chain, for pages that a node cannot give cheaply: what an account did, what there was of a
//! token, what a meter measured, searched by anything.
//!
//! | module | holds |
//! |---|---|
//! | `block` | a block, as the index takes it |
//! | `facts` | what of an event has a table of its own |
//! | `source` | where blocks come from: a node |
//! | `store` | the tables, in one SQLite file |
//! | `follow` | one final block after the other, from where the last run stopped |
//! | `http` | what is asked for |
//! | `run` | all of it together |
//!
//! # What is trusted
//!
//! An index says what its node said: it proves nothing. Every entry has the height of its block, so that a
//! reader with a node or a light client of their own checks it there. Only blocks that are final are taken, and
//! a block's rows are written together with all others of the block: the index stands after a whole block,
//! however it ended.

#![deny(missing_docs, unreachable_pub)]

mod block;
mod board;
mod error;
mod facts;
#[cfg(test)]
mod fake;
mod follow;
mod http;
mod metrics;
mod run;
mod source;
mod store;
mod views;

pub use block::{Block, Event, Fact, Meter, ReserveMove, Span};
pub use error::IndexError;
pub use run::{Index, Settings};
pub use source::Source;
pub use views::{
	BlockDetail, BlockView, ChannelView, EarningPoint, EarningView, EnergyPoint, EventView, Found,
	HistoryEntry, JobView, MeterView, MoveView, Page, ReadingsView, ReceiptBatchView,
	ReserveDayView, SlashView, StateView, Status, StepView, SupplyPoint, TransactionView,
	TransferView,
};

/// The description of all requests.
pub fn openapi() -> serde_json::Value {
	gridproof_http::describe(http::routes())
}

/// What all figures are, in the order of their names, for the reference.
pub fn metrics() -> Vec<gridproof_http::Metric> {
	metrics::Metrics::new().map(|metrics| metrics.describe()).unwrap_or_default()
}
