//! Which node and which servers, and how long to wait for them.

use super::keys::secret_line;
use clap::Args;
use gridproof_chain::{Chain, Patience};
use gridproof_gateway_api::{Client, DEFAULT_API};
use std::{path::PathBuf, time::Duration};
use zeroize::Zeroizing;

/// Where a node's RPC is by default.
pub const DEFAULT_NODE: &str = "ws://127.0.0.1:9944";
/// Where a coordinator is by default.
pub const DEFAULT_COORDINATOR: &str = "http://127.0.0.1:8090";

/// Which node is asked.
#[derive(Args, Clone)]
pub struct UrlArgs {
	/// RPC address of the node.
	#[arg(long, value_name = "WS", default_value = DEFAULT_NODE, env = "GRIDPROOF_URL")]
	pub url: String,
}

impl UrlArgs {
	/// Connects to the node.
	pub async fn connect(&self) -> anyhow::Result<Chain> {
		Ok(Chain::connect(&self.url).await?)
	}
}

/// Which node gets a transaction, and how long to wait for it.
#[derive(Args, Clone)]
pub struct NodeArgs {
	#[command(flatten)]
	at: UrlArgs,
	/// Seconds to wait for finality before the transaction is sent again.
	#[arg(long, value_name = "SECONDS", default_value_t = 60,
		value_parser = clap::value_parser!(u64).range(1..=3600))]
	timeout: u64,
	/// How often the transaction is sent before the command gives up.
	#[arg(long, value_name = "N", default_value_t = 5,
		value_parser = clap::value_parser!(u32).range(1..=100))]
	attempts: u32,
}

impl NodeArgs {
	/// Returns the node's address.
	pub fn url(&self) -> &str {
		&self.at.url
	}

	/// Connects to the node.
	pub async fn connect(&self) -> anyhow::Result<Chain> {
		self.at.connect().await
	}

	/// Returns how long to wait, and how often to try.
	pub fn patience(&self) -> Patience {
		let per_attempt = Duration::from_secs(self.timeout);
		Patience { per_attempt, attempts: self.attempts, ..Patience::default() }
	}
}

/// Which gateway is asked.
#[derive(Args, Clone)]
pub struct GatewayArgs {
	/// Address of the gateway's API.
	#[arg(long, value_name = "HTTP", default_value = DEFAULT_API, env = "GRIDPROOF_GATEWAY")]
	pub api: String,
}

impl GatewayArgs {
	/// Returns a client that reads; where reading needs the admin key, `GRIDPROOF_ADMIN_KEY_FILE` names
	/// its file.
	pub fn client(&self) -> anyhow::Result<Client> {
		let file = std::env::var_os("GRIDPROOF_ADMIN_KEY_FILE").map(PathBuf::from);
		Ok(Client::new(&self.api, file.as_deref().map(secret_line).transpose()?)?)
	}

	/// Returns a client that may change something.
	pub fn admin(&self, key: &AdminKeyArgs) -> anyhow::Result<Client> {
		Ok(Client::new(&self.api, key.load()?)?)
	}
}

/// What lets a caller change something at a gateway.
#[derive(Args, Clone)]
pub struct AdminKeyArgs {
	/// File, mode 0600, whose first line is the gateway's admin key.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_ADMIN_KEY_FILE")]
	admin_key_file: Option<PathBuf>,
}

impl AdminKeyArgs {
	/// Returns the key, if a file is named.
	pub fn load(&self) -> anyhow::Result<Option<Zeroizing<String>>> {
		self.admin_key_file.as_deref().map(secret_line).transpose()
	}
}

/// Which coordinator is asked.
#[derive(Args, Clone)]
pub struct CoordinatorArgs {
	/// Address of the coordinator.
	#[arg(long, value_name = "HTTP", default_value = DEFAULT_COORDINATOR,
		env = "GRIDPROOF_COORDINATOR")]
	pub coordinator: String,
}

/// Number of the channel.
#[derive(Args, Clone)]
pub struct ChannelArgs {
	/// Number of the channel.
	#[arg(value_name = "CHANNEL")]
	pub channel: u64,
}
