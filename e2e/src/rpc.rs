//! The few JSON-RPC calls the tests read a chain with.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use subxt::rpcs::{
	Error, RpcClient,
	client::{RpcParams, RpcSubscription, rpc_params},
};

/// Start of the digest item in which Aura writes a block's slot: kind 6 (pre-runtime), the
/// engine's name `aura`, and the compact length 8.
const AURA_SLOT_PREFIX: &str = "0x066175726120";

/// A connection to one node, made again when it is gone: a node closes those that ask nothing for a minute.
#[derive(Clone)]
pub struct Rpc {
	url: String,
	client: Arc<Mutex<RpcClient>>,
}

/// What the tests need of a block's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
	/// Height; genesis is 0.
	pub number: u64,
	/// Hash of the block before it, `0x…`.
	pub parent: String,
	/// Aura slot, absent in genesis.
	pub slot: Option<u64>,
}

async fn open(url: &str) -> Result<RpcClient> {
	RpcClient::from_insecure_url(url).await.with_context(|| format!("cannot connect to {url}"))
}

impl Rpc {
	/// Connects to a node's WebSocket address.
	///
	/// # Errors
	/// When nobody listens there.
	pub async fn connect(url: &str) -> Result<Self> {
		let client = open(url).await?;
		Ok(Self { url: url.to_owned(), client: Arc::new(Mutex::new(client)) })
	}

	/// The connection itself, for subxt.
	pub fn client(&self) -> RpcClient {
		self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
	}

	/// Calls any method.
	///
	/// # Errors
	/// The node's error object, with its code and text, or a lost connection.
	pub async fn call(&self, method: &str, params: RpcParams) -> Result<Value> {
		let what = || format!("RPC call {method}");
		match self.client().request(method, params.clone()).await {
			Ok(answer) => Ok(answer),
			Err(error @ Error::User(_)) => Err(error).with_context(what),
			Err(error) => {
				let Ok(client) = open(&self.url).await else {
					return Err(error).with_context(what);
				};
				*self.client.lock().unwrap_or_else(PoisonError::into_inner) = client.clone();
				client.request(method, params).await.with_context(what)
			},
		}
	}

	/// Submits a signed extrinsic, `0x…`; gives its hash.
	///
	/// # Errors
	/// When the node refuses it.
	pub async fn submit(&self, extrinsic: &str) -> Result<String> {
		text(&self.call("author_submitExtrinsic", rpc_params![extrinsic]).await?)
	}

	/// A header by hash; the best block's without one.
	///
	/// # Errors
	/// When the node doesn't know the block.
	pub async fn header(&self, hash: Option<&str>) -> Result<Header> {
		parse_header(&self.call("chain_getHeader", rpc_params![hash]).await?)
	}

	/// The best block's height.
	///
	/// # Errors
	/// A lost connection.
	pub async fn best(&self) -> Result<u64> {
		Ok(self.header(None).await?.number)
	}

	/// Height and hash of the last finalized block.
	///
	/// # Errors
	/// A lost connection.
	pub async fn finalized(&self) -> Result<(u64, String)> {
		let hash = text(&self.call("chain_getFinalizedHead", rpc_params![]).await?)?;
		Ok((self.header(Some(&hash)).await?.number, hash))
	}

	/// The hash of the block at a height of the best chain, if there is one yet.
	///
	/// # Errors
	/// A lost connection.
	pub async fn hash_at(&self, number: u64) -> Result<Option<String>> {
		Ok(self.call("chain_getBlockHash", rpc_params![number]).await?.as_str().map(str::to_owned))
	}

	/// A block's extrinsics, each as `0x…`.
	///
	/// # Errors
	/// When the node doesn't know the block.
	pub async fn extrinsics(&self, hash: &str) -> Result<Vec<String>> {
		let block = self.call("chain_getBlock", rpc_params![hash]).await?;
		block["block"]["extrinsics"]
			.as_array()
			.with_context(|| format!("no block {hash}"))?
			.iter()
			.map(text)
			.collect()
	}

	/// How many peers the node is connected to.
	///
	/// # Errors
	/// A lost connection.
	pub async fn peers(&self) -> Result<u64> {
		let health = self.call("system_health", rpc_params![]).await?;
		health["peers"].as_u64().context("system_health without peers")
	}

	/// The node's peer id.
	///
	/// # Errors
	/// A lost connection.
	pub async fn peer_id(&self) -> Result<String> {
		text(&self.call("system_localPeerId", rpc_params![]).await?)
	}

	/// How many transactions wait in the node's pool, ready ones only.
	///
	/// # Errors
	/// A lost connection.
	pub async fn pending(&self) -> Result<usize> {
		let pending = self.call("author_pendingExtrinsics", rpc_params![]).await?;
		Ok(pending.as_array().context("author_pendingExtrinsics is not a list")?.len())
	}

	/// New best headers, as they come.
	///
	/// # Errors
	/// When the node refuses the subscription.
	pub async fn new_heads(&self) -> Result<Heads> {
		self.heads("chain_subscribeNewHeads", "chain_unsubscribeNewHeads").await
	}

	/// Finalized headers, as they come.
	///
	/// # Errors
	/// When the node refuses the subscription.
	pub async fn finalized_heads(&self) -> Result<Heads> {
		self.heads("chain_subscribeFinalizedHeads", "chain_unsubscribeFinalizedHeads").await
	}

	async fn heads(&self, subscribe: &str, unsubscribe: &str) -> Result<Heads> {
		let inner = self.client().subscribe(subscribe, rpc_params![], unsubscribe).await?;
		Ok(Heads { inner })
	}
}

/// Stream of headers.
pub struct Heads {
	inner: RpcSubscription<Value>,
}

impl Heads {
	/// The next header.
	///
	/// # Errors
	/// When the node ends the subscription.
	pub async fn next(&mut self) -> Result<Header> {
		let value = self.inner.next().await.context("the node ended the subscription")??;
		parse_header(&value)
	}
}

fn text(value: &Value) -> Result<String> {
	value.as_str().map(str::to_owned).ok_or_else(|| anyhow!("not a text: {value}"))
}

fn parse_header(value: &Value) -> Result<Header> {
	if value.is_null() {
		bail!("the node doesn't know this block");
	}
	let number = text(&value["number"])?;
	let number = u64::from_str_radix(number.trim_start_matches("0x"), 16)
		.with_context(|| format!("block number {number}"))?;
	let logs = value["digest"]["logs"].as_array().context("header without digest")?;
	let slot = logs.iter().filter_map(Value::as_str).find_map(aura_slot);
	Ok(Header { number, parent: text(&value["parentHash"])?, slot })
}

/// The slot of a digest item, if it is Aura's: eight bytes, little-endian.
fn aura_slot(item: &str) -> Option<u64> {
	let digits = item.strip_prefix(AURA_SLOT_PREFIX)?;
	let little_endian = u64::from_str_radix(digits, 16).ok()?;
	(digits.len() == 16).then_some(little_endian.swap_bytes())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_aura_slot_is_read_from_its_digest_item() {
		assert_eq!(aura_slot("0x0661757261200102000000000000"), Some(0x0201));
	}

	#[test]
	fn another_digest_item_is_no_slot() {
		assert_eq!(aura_slot("0x0561757261200102000000000000"), None);
		assert_eq!(aura_slot("0x06617572612001"), None);
	}

	#[test]
	fn an_unknown_block_is_an_error() {
		let error = parse_header(&Value::Null).expect_err("null is no header");
		assert_eq!(error.to_string(), "the node doesn't know this block");
	}
}
