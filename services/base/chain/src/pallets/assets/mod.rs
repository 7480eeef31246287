//! AICP and KWH.

pub mod call;
pub mod event;
mod refusal;

pub use refusal::Refusal;

/// The pallet's name.
pub(crate) const PALLET: &str = "Assets";
