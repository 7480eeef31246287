//! Jobs, receipts, miners and coordinators.

pub mod call;
pub mod event;
mod headers;
pub mod query;
mod refusal;
mod waits;

pub use headers::KnownHeader;
pub use refusal::Refusal;
pub use waits::{due, release, waiting};

/// The pallet's name.
pub(crate) const PALLET: &str = "ComputeReceipts";
