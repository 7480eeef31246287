//! JSON-RPC of bitcoind and of servers like it.

use crate::{AnchorError, http, network::Network};
use bitcoin::{BlockHash, block::Header};
use futures::future::BoxFuture;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::{fmt, str::FromStr};

/// JSON-RPC's code for a method that is not there.
pub const METHOD_NOT_FOUND: i64 = -32_601;

/// Name and password of an RPC server.
#[derive(Clone)]
pub struct Credentials {
	user: String,
	password: String,
}

impl FromStr for Credentials {
	type Err = AnchorError;

	/// The first line, `user:password`, as in bitcoind's file `.cookie`: byte for byte, since blanks
	/// may be a part of a password.
	fn from_str(text: &str) -> Result<Self, AnchorError> {
		let line = text.lines().next().unwrap_or_default();
		match line.split_once(':') {
			Some((user, password)) => {
				Ok(Self { user: user.to_owned(), password: password.to_owned() })
			},
			None => Err(AnchorError::BadCredentials),
		}
	}
}

impl fmt::Debug for Credentials {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str("Credentials")
	}
}

/// An RPC server.
#[derive(Clone, Debug)]
pub struct Rpc {
	client: Client,
	url: String,
	credentials: Option<Credentials>,
}

/// What a node says about a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlace {
	/// Its height.
	pub height: u32,
	/// Blocks on it in the best chain, its own included; none when it is not in that chain.
	pub confirmations: Option<u32>,
}

impl Rpc {
	/// A server at `url`, such as `http://127.0.0.1:8332`, or `…/wallet/NAME` for one of several
	/// wallets.
	///
	/// # Errors
	/// [`AnchorError::Bad`] when the URL is none, or has credentials in it;
	/// [`AnchorError::InTheClear`] when credentials would leave this machine without TLS.
	pub fn new(url: &str, credentials: Option<Credentials>) -> Result<Self, AnchorError> {
		let rpc = Self::in_the_clear(url, credentials)?;
		if rpc.credentials.is_some() && !http::is_private(&rpc.url) {
			return Err(AnchorError::InTheClear(rpc.url));
		}
		Ok(rpc)
	}

	/// As [`Rpc::new`], with credentials that everybody on the way to the server may read: for a
	/// network that the operator trusts.
	///
	/// # Errors
	/// [`AnchorError::Bad`] when the URL is none, or has credentials in it.
	pub fn in_the_clear(url: &str, credentials: Option<Credentials>) -> Result<Self, AnchorError> {
		Ok(Self { client: http::client()?, url: http::address(url)?, credentials })
	}

	/// Calls a method.
	///
	/// # Errors
	/// [`AnchorError::Rpc`] with the server's own words; [`AnchorError::Unauthorized`],
	/// [`AnchorError::Unreachable`], [`AnchorError::BadAnswer`].
	pub fn call<'a>(
		&'a self,
		method: &'a str,
		parameters: Value,
	) -> BoxFuture<'a, Result<Value, AnchorError>> {
		Box::pin(async move {
			let request = json!({ "jsonrpc": "1.0", "id": "gridproof", "method": method, "params": parameters });
			let mut post = self.client.post(&self.url).json(&request);
			if let Some(Credentials { user, password }) = &self.credentials {
				post = post.basic_auth(user, Some(password));
			}
			let response = post.send().await.map_err(|error| http::failure(&self.url, &error))?;
			let status = response.status();
			if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
				return Err(AnchorError::Unauthorized(self.url.clone()));
			}
			let bytes = http::body(&self.url, response).await?;
			let answer: Value = serde_json::from_slice(&bytes).map_err(|_| {
				AnchorError::answer(method, format!("HTTP status {status}, no JSON"))
			})?;
			match answer.get("error") {
				None | Some(Value::Null) => {
					Ok(answer.get("result").cloned().unwrap_or(Value::Null))
				},
				Some(error) => Err(AnchorError::Rpc {
					method: method.to_owned(),
					code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
					message: error
						.get("message")
						.and_then(Value::as_str)
						.unwrap_or("no reason given")
						.to_owned(),
				}),
			}
		})
	}

	/// Calls a method whose answer is a text.
	///
	/// # Errors
	/// As [`Rpc::call`].
	pub async fn text(&self, method: &str, parameters: Value) -> Result<String, AnchorError> {
		let answer = self.call(method, parameters).await?;
		let text = answer.as_str().map(str::to_owned);
		text.ok_or_else(|| AnchorError::answer(method, format!("not a text: {answer}")))
	}

	/// Asserts that the server is of this network, by its first block.
	///
	/// # Errors
	/// [`AnchorError::WrongNetwork`].
	pub async fn require(&self, network: Network) -> Result<(), AnchorError> {
		let genesis = self.text("getblockhash", json!([0])).await?;
		if genesis == network.genesis().to_string() {
			return Ok(());
		}
		let (url, network) = (self.url.clone(), network.as_str());
		Err(AnchorError::WrongNetwork { url, network, genesis })
	}

	/// The header of a block.
	///
	/// # Errors
	/// When the server does not know it, or gives another.
	pub async fn header(&self, hash: &BlockHash) -> Result<Header, AnchorError> {
		const METHOD: &str = "getblockheader";
		let digits = self.text(METHOD, json!([hash.to_string(), false])).await?;
		let bytes = hex::decode(digits).map_err(|error| AnchorError::answer(METHOD, error))?;
		let header: Header = bitcoin::consensus::deserialize(&bytes)
			.map_err(|error| AnchorError::answer(METHOD, error))?;
		if header.block_hash() != *hash {
			return Err(AnchorError::answer(
				METHOD,
				format!("the header of {}", header.block_hash()),
			));
		}
		Ok(header)
	}

	/// Where a block stands.
	///
	/// # Errors
	/// When the server does not know it.
	pub async fn place(&self, hash: &BlockHash) -> Result<BlockPlace, AnchorError> {
		const METHOD: &str = "getblockheader";
		let answer = self.call(METHOD, json!([hash.to_string(), true])).await?;
		let height = answer.get("height").and_then(Value::as_u64);
		let height = height.and_then(|height| u32::try_from(height).ok());
		let height = height.ok_or_else(|| AnchorError::answer(METHOD, "no height"))?;
		let in_chain = self.hash_at(height).await?.is_some_and(|at| at == *hash);
		let said = answer.get("confirmations").and_then(Value::as_i64).unwrap_or_default();
		let confirmations = u32::try_from(said).ok().filter(|count| *count > 0 && in_chain);
		Ok(BlockPlace { height, confirmations })
	}

	/// The height of the best chain.
	///
	/// # Errors
	/// As [`Rpc::call`].
	pub async fn height(&self) -> Result<u32, AnchorError> {
		const METHOD: &str = "getblockcount";
		let answer = self.call(METHOD, json!([])).await?;
		let height = answer.as_u64().and_then(|height| u32::try_from(height).ok());
		height.ok_or_else(|| AnchorError::answer(METHOD, format!("no height: {answer}")))
	}

	/// The block at a height of the best chain, if there is one yet.
	///
	/// # Errors
	/// As [`Rpc::call`].
	pub async fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, AnchorError> {
		const METHOD: &str = "getblockhash";
		match self.text(METHOD, json!([height])).await {
			Ok(text) => text.parse().map(Some).map_err(|error| AnchorError::answer(METHOD, error)),
			Err(AnchorError::Rpc { code, .. }) if code != METHOD_NOT_FOUND => Ok(None),
			Err(error) => Err(error),
		}
	}

	/// The server's address.
	pub fn url(&self) -> &str {
		&self.url
	}
}
