//! The issuer: mints each day's allowance as soon as the chain has one.
//!
//! Before each mint it asks the chain what can still be minted, and mints exactly that of exactly
//! that statement. So it keeps nothing of its own: it can be stopped, killed and started at any
//! time, and a mint that was on its way when it ended is either in the chain's answer already, or
//! refused to one of the two.

mod desk;
mod metrics;
mod offer;
mod run;
#[cfg(test)]
mod tests;

pub use desk::{ChainDesk, MintDesk};
pub use metrics::IssuerMetrics;
pub use offer::Offer;
pub use run::{Issuer, IssuerError, IssuerSettings};
