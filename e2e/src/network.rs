//! Several validators that know each other.

use crate::node::{Node, NodeConfig};
use anyhow::{Result, ensure};
use std::time::Duration;

/// Authorities of the local test network, in the order of its genesis.
pub const LOCAL_AUTHORITIES: [&str; 3] = ["alice", "bob", "charlie"];

/// A network of validators on loopback.
pub struct Network {
	/// The validators, in the order of [`LOCAL_AUTHORITIES`].
	pub nodes: Vec<Node>,
}

impl Network {
	/// Starts the first `count` authorities of the local test network, the first being everyone's
	/// bootnode, and waits until each is connected to all others.
	///
	/// # Errors
	/// When one doesn't start, or they don't find each other within `limit`.
	pub async fn local(count: usize, limit: Duration) -> Result<Self> {
		ensure!(count <= LOCAL_AUTHORITIES.len(), "the local test network has three authorities");
		let mut nodes: Vec<Node> = Vec::new();
		for (number, name) in (1u8..).zip(LOCAL_AUTHORITIES.iter().take(count)) {
			let mut config = NodeConfig::new(name, "local", number);
			config.arguments = vec![format!("--{name}")];
			if let Some(first) = nodes.first() {
				config.bootnodes = vec![first.address().await?];
			}
			nodes.push(Node::start(config).await?);
		}
		let others = u64::try_from(count.saturating_sub(1))?;
		for node in &nodes {
			node.wait_for_peers(others, limit).await?;
		}
		Ok(Self { nodes })
	}
}
