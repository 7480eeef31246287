//! What is to be anchored, and who pays.

use crate::{fees::FeePolicy, network::Network, rpc::Rpc};
use std::path::PathBuf;

/// What is to be anchored, and what is paid for it.
#[derive(Clone, Debug)]
pub struct DailySettings {
	/// Folder of the sets and their records; made if it is not there.
	pub folder: PathBuf,
	/// The Bitcoin network.
	pub network: Network,
	/// The fee rates.
	pub fees: FeePolicy,
	/// The most that one transaction pays, in sats.
	pub max_fee: u64,
	/// Where the change goes; else the wallet is asked for an address.
	pub change: Option<String>,
	/// Blocks that a transaction waits before it is replaced by one that pays more.
	pub raise_after: u32,
}

/// A Bitcoin node, and the wallet that pays and signs.
#[derive(Clone, Debug)]
pub struct Payer {
	/// RPC of the node.
	pub node: Rpc,
	/// RPC of the wallet; often the same.
	pub wallet: Rpc,
}
