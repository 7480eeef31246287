//! Harness of the end-to-end tests: it starts real `gridproof-node` processes in temporary
//! folders, on free loopback ports, and always ends them.
//!
//! | module | what it gives |
//! |---|---|
//! | [`binary`] | where the binaries are |
//! | [`node`] | one node process: start, wait, `kill -9`, restart, log |
//! | [`rpc`] | the few JSON-RPC calls the tests read a chain with |
//! | [`governance`] | calls as root, a new runtime, which block has an event |
//! | [`holders`] | a chain that its holders govern, by `gridproof gov` |
//! | [`network`] | several validators that know each other |
//! | [`distance`] | time that messages between two programs need |
//! | [`transfers`] | signed transfers through subxt, balances, which blocks hold them |
//! | [`reserve`] | a chain with short days, the `gridproof` command, what a state is made of |
//! | [`metering`] | a chain with a gateway and certified meters |
//! | [`process`] | any other process that a test needs: start, wait, `kill -9`, restart |
//! | [`compute`] | a chain with a coordinator, its front and miners |
//! | [`channels`] | clients with a channel and a front of their own, and all sums of their money |
//! | [`checks`] | verifiers, and what became of checks |
//! | [`engine`] | an engine without a model, which answers at once |
//! | [`clients`] | packages of clients from other languages |
//! | [`bitcoin`] | a Bitcoin regtest node, and a wallet beside it |
//! | [`failure`] | runs a node that is expected to refuse to start |
//! | [`machine`] | what the machine is, and what a process takes of it |
//! | [`tutorial`] | runs the code blocks of documentation as a reader would |
//! | [`wait`] | waits for a condition, with a deadline and a reason |
//!
//! A process is ended in three ways, whichever comes first: [`node::Node`]'s `Drop`, the death
//! signal that the kernel sends it when the test's thread ends, and nextest's kill of the test's
//! process group.

#![deny(missing_docs)]

pub mod binary;
pub mod bitcoin;
pub mod channels;
pub mod checks;
pub mod clients;
pub mod compute;
pub mod distance;
pub mod engine;
pub mod failure;
pub mod governance;
pub mod holders;
pub mod machine;
pub mod metering;
pub mod network;
pub mod node;
pub mod ports;
pub mod process;
pub mod reserve;
pub mod rpc;
pub mod transfers;
pub mod tutorial;
pub mod wait;

pub use network::Network;
pub use node::{Node, NodeConfig, Transport};
