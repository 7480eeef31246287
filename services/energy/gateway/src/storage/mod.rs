//! What the gateway keeps, behind two narrow traits: [`ReadStorage`] for what only looks, and
//! [`Storage`] for what changes something. [`Sqlite`] is the embedded store.

mod anchors;
mod archive;
mod archive_file;
#[cfg(test)]
mod archive_tests;
mod batches;
mod contract;
mod filter;
mod query;
mod queue;
mod readings;
mod rows;
mod schema;
mod sqlite;
#[cfg(test)]
mod tests;

pub use contract::{Answer, ReadStorage, Storage};
pub use filter::{BatchFilter, Page, ReadingFilter, Selection};
pub use rows::{
	Batch, BatchAnchor, BatchRow, Device, Flow, MeterRow, NewBatch, NewCopy, NewDeadLetter,
	NewReading, OnChain, Pending, PinProgress, Reading, ReadingRow, Settled, Stored,
};
pub use schema::MIGRATIONS;
pub use sqlite::Sqlite;
