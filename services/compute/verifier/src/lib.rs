//! The verifier: it does settled work again that the chain's draw leads to, and says what it measured.
//!
//! | module | holds |
//! |---|---|
//! | [`work`] | an opened receipt, done again by an engine: figures |
//! | [`draws`] | which receipts of a batch fall to a key |
//! | [`chain`] | what is needed of the chain |
//! | [`coordinators`] | what is needed of coordinators, and how they are asked over HTTP |
//! | `node` | the chain behind a node |
//! | `statements` | what a verifier says: each thing once, whatever stops it in between |
//! | `state` | that, on disk |
//! | `verifier` | what all work shares |
//! | `patience` | for how long coordinators have been asked for something that they do not give |
//! | `checks`, `duties` | the checks that fall to it; being witness, juror, second look |
//! | `ends` | what anybody may do and nobody has to: checks counted, clients given back what was taken |
//! | [`calibrate`] | the line of a model, from honest runs |
//! | [`trial`] | cheats against the real engine, for trials |
//! | `run`, `pages`, `metrics` | the loops of all this; health and figures |
//!
//! # What is guaranteed
//!
//! What it says is on disk before anybody hears of it, and is never said in another way: a report that was
//! signed before a crash is the one that is sent after it. It says nothing about an opening that does not
//! hold, and of what is not shown never that somebody is not guilty. It never runs a model for a receipt that did
//! not fall to it, by its draw or by a duty that the chain names.
//!
//! # A verifier in a program
//!
//! [`Verifier::open`] with a key, an [`Engine`](gridproof_engine::Engine), a
//! [`CheckedChain`](chain::CheckedChain) and [`Coordinators`](coordinators::Coordinators), then
//! [`Verifier::run`].

#![deny(missing_docs, unreachable_pub)]

pub mod calibrate;
pub mod chain;
mod checks;
pub mod coordinators;
pub mod draws;
mod duties;
mod ends;
mod error;
mod metrics;
mod node;
mod pages;
mod patience;
mod run;
mod state;
mod statements;
pub mod trial;
mod verifier;
pub mod watch;
pub mod work;

pub use error::VerifierError;
pub use node::{NodeChain, register};
pub use pages::{metrics, openapi, pages};
pub use state::Counts;
pub use statements::Statement;
pub use verifier::{Settings, Verifier};
