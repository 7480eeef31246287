//! Checks of settled work: verifiers, draws, reports, demands, disputes.

pub mod call;
pub mod event;
pub mod query;
mod refusal;

pub use refusal::Refusal;

/// The pallet's name.
pub(crate) const PALLET: &str = "ComputeChecks";
