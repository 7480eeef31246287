//! Models by hash: which count, and for how much.

pub mod call;
pub mod event;
mod pages;
pub mod query;
mod refusal;

pub use refusal::Refusal;

/// The pallet's name.
pub(crate) const PALLET: &str = "ModelRegistry";
