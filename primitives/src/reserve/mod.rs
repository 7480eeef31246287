//! The energy reserve: the daily attestation, and what it allows AICP to do.
//!
//! | module | holds |
//! |---|---|
//! | [`attestation`] | roles, fields, digest, signed message, the handler trait |
//! | [`archive`] | the hash chain that keeps pruned statements provable |
//! | [`bounds`] | what is believed: the moving average of prices, energy, zones |
//! | [`formula`] | coverage ratio, supply target, mint suggestion, redemption |
//! | [`parameters`] | parameters of the coverage policy that governance sets |
//! | [`state`] | types that the coverage policy stores and its queries return |
//! | [`stop`] | a role's stop of minting: what is signed, its length, who ends it |

pub mod archive;
pub mod attestation;
pub mod bounds;
pub mod formula;
pub mod parameters;
pub mod state;
pub mod stop;
