//! AIT, the native token.

pub mod call;
pub mod event;
mod refusal;

pub use refusal::Refusal;

/// The pallet's name.
pub(crate) const PALLET: &str = "Balances";

/// The entry with what is on hold of each account.
pub(crate) const HOLDS: &str = "Holds";
