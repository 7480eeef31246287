//! The running node without its runtime: database and client, import, block production, finality,
//! network, pool and RPC, and the commands that work on a stored chain.
//!
//! The node executes only WebAssembly that it finds in the chain's state, so nothing here depends
//! on this repository's runtime: a change of the runtime compiles none of it again.

#![deny(missing_docs)]
// The SDK's own errors are large, and all of ours end the program.
#![allow(clippy::result_large_err)]

pub mod chain;
pub mod client;
pub mod connections;
pub mod error;
pub mod journal;
pub mod methods;
pub mod pool;
pub mod questions;
mod reports;
mod rpc;
pub mod server;
pub mod service;
pub mod stored;
pub mod two_blocks;

pub use error::Error;
