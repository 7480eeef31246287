//! Connects to a Gridproof node: reads, submits, watches, sends again.
//!
//! - [`pallets`]: typed calls, questions, events and reasons for saying no of each pallet. **The only
//!   place in the services that names a pallet, a call, a function of the runtime, an event or an
//!   error**;
//! - [`Chain`]: one connection, for a program that ends soon;
//! - [`Link`]: a connection for as long as a program runs, which connects again when it has to;
//! - [`submit`]: transactions followed to finality, sent again when a node loses them;
//! - [`Past`]: a final block, its events and the state after it; [`Sheet`]: all that it holds, in a form
//!   that needs no type of ours;
//! - [`tokens`]: what accounts hold, and transfers; [`Shortage`]: what one lacks for a call;
//! - [`governance`]: calls of those who govern, alone or as one of several signers;
//! - [`referenda`]: what holders of AIT propose, and what that would change;
//! - [`validator`]: session keys of an authority;
//! - [`evidence`]: proofs of offences;
//! - [`ChainError`] and [`Refusal`]: what can go wrong, in types that say whether another try is of
//!   use and in words that say what to do.

#![deny(missing_docs)]

mod blocks;
mod bounded;
mod call;
mod client;
mod error;
pub mod event;
pub mod evidence;
pub mod governance;
mod link;
pub mod pallets;
mod past;
mod plain;
mod query;
pub mod referenda;
pub mod refusal;
mod renewal;
mod rpc;
mod sheet;
mod shortage;
mod storage;
pub mod submit;
pub mod takes;
pub mod tokens;
pub mod validator;

pub use call::Call;
pub use client::{Chain, sign_free_calls_with};
pub use error::ChainError;
pub use event::Event;
pub use gridproof_primitives::H256;
pub use link::Link;
pub use past::{HoldReason, Holds, Past};
pub use query::Query;
pub use refusal::Refusal;
pub use rpc::Config;
pub use sheet::{EventEntry, Sent, Sheet};
pub use shortage::Shortage;
pub use submit::{Included, Patience, ReplaceError, Replaced, Submitter};
