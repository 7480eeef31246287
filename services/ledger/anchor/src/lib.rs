//! Bitcoin anchors of Merkle roots: make the transaction, broadcast it, watch it, verify it.
//!
//! An anchor is a transaction with an output `OP_RETURN <root>`. It counts when its block has six
//! confirmations and every step of root → transaction → block has been checked here, whatever the
//! node says.
//!
//! | module | what it does |
//! |---|---|
//! | [`commitment`] | the output's script, and whether a transaction has it |
//! | [`psbt`] | unsigned transactions for an external wallet |
//! | [`wallet`] | the same through a bitcoind's wallet; broadcasting |
//! | [`evidence`] | all that proves an anchor, checked without a node |
//! | [`watch`] | what a node knows of a transaction, and the evidence it can give |
//! | [`ots`] | OpenTimestamps files |
//! | [`batch`] | roots of batches from a gateway's API |
//! | [`daily`] | one transaction for all batches that a gateway has settled, again and again |
//! | [`batch_set`] | which batches such a transaction is for |
//! | [`fees`] | what a transaction pays |
//! | [`sats`] | energy and sats of a day and a device |
//!
//! and the types [`Record`] (an anchor, kept in a file; [`lock()`] keeps others from it), [`Network`]
//! (which Bitcoin network, and how much work its blocks must show), [`Rpc`] (JSON-RPC of bitcoind and
//! of servers like it), [`Branch`] (the way of a transaction to its block's Merkle root) and
//! [`Sighting`].

#![deny(missing_docs)]

pub mod batch;
pub mod batch_set;
mod branch;
pub mod commitment;
pub mod daily;
mod error;
pub mod evidence;
pub mod fees;
mod http;
mod lock;
mod network;
pub mod ots;
mod progress;
pub mod psbt;
mod record;
mod rpc;
pub mod sats;
mod sighting;
pub mod wallet;
pub mod watch;

pub use bitcoin;
pub use branch::{Branch, Side};
pub use error::AnchorError;
pub use gridproof_primitives::{H256, energy::AnchorStatus};
pub use lock::{Held, lock};
pub use network::{LEAST_MAINNET_DIFFICULTY, Network};
pub use progress::{Progress, Reported};
pub use record::{BatchRef, BlockRef, Record};
pub use rpc::{BlockPlace, Credentials, METHOD_NOT_FOUND, Rpc};
pub use sighting::Sighting;
