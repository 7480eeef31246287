//! Bitcoin anchors of Merkle roots: make the transaction, broadcast it, watch it, verify it.
//!
//! An anchor is a transaction with an output `OP_RETURN <root>`. It counts when its block has six
//! confirmations and every step of root → transaction → block has been checked here, whatever the
//! node says.
//!
//! | module | what it does |
//! |---|---|
//! | [`commitment`] | the output's script, and whether a transaction has it |
//! | [`network`] | which Bitcoin network, and how much work its blocks must show |
//! | [`psbt`] | unsigned transactions for an external wallet |
//! | [`wallet`] | the same through a bitcoind's wallet; broadcasting |
//! | [`rpc`] | JSON-RPC of bitcoind and of servers like it |
//! | [`branch`] | Merkle branches of transactions in blocks |
//! | [`evidence`] | all that proves an anchor, checked without a node |
//! | [`watch`] | what a node knows of a transaction, and the evidence it can give |
//! | [`record`] | the state of an anchor, kept in a file |
//! | [`ots`] | OpenTimestamps files |
//! | [`gateway`] | roots of batches from a gateway's API, and states reported back |
//! | [`sats`] | energy and sats of a day and a device |

#![deny(missing_docs)]

pub mod branch;
pub mod commitment;
pub mod evidence;
mod fault;
pub mod gateway;
mod http;
pub mod network;
pub mod ots;
pub mod psbt;
pub mod record;
pub mod rpc;
pub mod sats;
pub mod wallet;
pub mod watch;

pub use bitcoin;
pub use fault::Fault;
pub use gridproof_primitives::H256;
