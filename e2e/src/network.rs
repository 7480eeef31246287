//! Several validators that know each other.

use crate::{
	distance::Distance,
	node::{Node, NodeConfig},
};
use anyhow::{Result, ensure};
use std::{net::SocketAddr, time::Duration};

/// Authorities of the local test network, in the order of its genesis.
pub const LOCAL_AUTHORITIES: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// A network of validators on loopback.
pub struct Network {
	/// The validators, in the order of [`LOCAL_AUTHORITIES`].
	pub nodes: Vec<Node>,
	/// What lies between them, as long as they are there.
	distances: Vec<Distance>,
}

impl Network {
	/// Starts the first `count` authorities of the local test network, the first being everyone's
	/// bootnode, and waits until each is connected to all others.
	///
	/// # Errors
	/// When one doesn't start, or they don't find each other within `limit`.
	pub async fn local(count: usize, limit: Duration) -> Result<Self> {
		Self::start(count, None, &[], limit).await
	}

	/// As [`Network::local`], with `one_way` between any two of them and more arguments for each: each
	/// knows the earlier ones only by addresses behind that distance.
	///
	/// # Errors
	/// As [`Network::local`].
	pub async fn apart(
		count: usize,
		one_way: Duration,
		more: &[String],
		limit: Duration,
	) -> Result<Self> {
		Self::start(count, Some(one_way), more, limit).await
	}

	async fn start(
		count: usize,
		one_way: Option<Duration>,
		more: &[String],
		limit: Duration,
	) -> Result<Self> {
		ensure!(count <= LOCAL_AUTHORITIES.len(), "the local test network has four authorities");
		let mut network = Self { nodes: Vec::new(), distances: Vec::new() };
		for (number, name) in (1u8..).zip(LOCAL_AUTHORITIES.iter().take(count)) {
			let mut config = NodeConfig::new(name, "local", number);
			config.arguments = vec![format!("--{name}")];
			config.arguments.extend_from_slice(more);
			config.bootnodes = match one_way {
				None => network.first().await?,
				Some(one_way) => network.behind(one_way).await?,
			};
			network.nodes.push(Node::start(config).await?);
		}
		let others = u64::try_from(count.saturating_sub(1))?;
		for node in &network.nodes {
			node.wait_for_peers(others, limit).await?;
		}
		Ok(network)
	}

	/// The address of the first node, if it runs.
	async fn first(&self) -> Result<Vec<String>> {
		match self.nodes.first() {
			Some(first) => Ok(vec![first.address().await?]),
			None => Ok(Vec::new()),
		}
	}

	/// Addresses of all nodes, each behind a distance.
	async fn behind(&mut self, one_way: Duration) -> Result<Vec<String>> {
		let mut addresses = Vec::new();
		for node in &self.nodes {
			let there = SocketAddr::from(([127, 0, 0, 1], node.network_port()));
			let distance = Distance::to(there, one_way).await?;
			let (port, peer) = (distance.address().port(), node.rpc()?.peer_id().await?);
			addresses.push(format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}"));
			self.distances.push(distance);
		}
		Ok(addresses)
	}
}
