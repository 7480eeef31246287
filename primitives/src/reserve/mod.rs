//! The energy reserve: the daily attestation, and what it lets AICP do.
//!
//! | module | holds |
//! |---|---|
//! | [`attestation`] | roles, fields, digest, signed message, the handler trait |
//! | [`archive`] | the hash chain that keeps pruned statements provable |
//! | [`formula`] | coverage ratio, supply target, mint suggestion, price bounds, redemption |
//! | [`parameters`] | what governance decides about the coverage policy |
//! | [`state`] | what the coverage policy stores and shows |

pub mod archive;
pub mod attestation;
pub mod formula;
pub mod parameters;
pub mod state;
