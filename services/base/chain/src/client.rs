//! The connection.

use crate::{Failure, blocks::Blocks};
use codec::{Decode, DecodeAll};
use gridproof_primitives::H256;
use std::time::Duration;
use subxt::{
	OnlineClient, SubstrateConfig,
	client::{ClientAtBlock, OnlineClientAtBlockImpl},
	dynamic::{self, At, Value},
	error::DispatchError,
	rpcs::client::{ReconnectingRpcClient, RpcClient},
};

/// How subxt sees the chain: nothing of ours needs configuration.
pub type Config = SubstrateConfig;
pub(crate) type AtBlock = ClientAtBlock<Config, OnlineClientAtBlockImpl<Config>>;

/// How long a node may take to answer one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a node may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to a node. It reconnects by itself when the node goes away for a while.
#[derive(Clone)]
pub struct Chain {
	pub(crate) blocks: Blocks,
	url: String,
}

impl Chain {
	/// Connects to the node at `url` (`ws://…` or `wss://…`).
	///
	/// # Errors
	/// [`Failure::BadUrl`], [`Failure::Unreachable`] at once if nobody answers, [`Failure::Rpc`].
	pub async fn connect(url: &str) -> Result<Self, Failure> {
		if !url.starts_with("ws://") && !url.starts_with("wss://") {
			return Err(Failure::BadUrl(url.to_string()));
		}
		let unreachable = |reason: String| Failure::Unreachable { url: url.to_string(), reason };
		// The client would try for ever; the first connection has to tell at once.
		knock(url).await.map_err(unreachable)?;
		let connecting = ReconnectingRpcClient::builder()
			.connection_timeout(CONNECT_TIMEOUT)
			.request_timeout(REQUEST_TIMEOUT)
			.build(url);
		let rpc = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
			.await
			.map_err(|_| unreachable("no answer in ten seconds".to_string()))?
			.map_err(|reason| unreachable(chain_of(&reason)))?;
		let rpc = RpcClient::new(rpc);
		let ready = OnlineClient::from_rpc_client(rpc.clone());
		let api = tokio::time::timeout(REQUEST_TIMEOUT, ready)
			.await
			.map_err(|_| unreachable("no answer in thirty seconds".to_string()))?
			.map_err(rpc_failure)?;
		Ok(Self { blocks: Blocks::new(api, rpc), url: url.to_string() })
	}

	/// The address connected to.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// The hash of the chain's first block.
	pub fn genesis(&self) -> H256 {
		self.blocks.genesis()
	}

	/// The last finalized block.
	pub(crate) async fn at(&self) -> Result<AtBlock, Failure> {
		self.blocks.latest().await
	}

	/// Calls a function of the runtime, such as `AttestationsApi_calendar`, at the last finalized
	/// block. `arguments` and the answer are SCALE.
	///
	/// # Errors
	/// [`Failure::Unsupported`] if there is no such function or its answer has another form.
	pub async fn call<R: Decode>(&self, function: &str, arguments: &[u8]) -> Result<R, Failure> {
		let bytes = self.call_raw(function, arguments).await?;
		R::decode_all(&mut &bytes[..]).map_err(|_| Failure::Unsupported(function.to_string()))
	}

	async fn call_raw(&self, function: &str, arguments: &[u8]) -> Result<Vec<u8>, Failure> {
		let block = self.at().await?;
		let known = function.split_once('_').is_some_and(|(api, method)| {
			let api = block.metadata_ref().runtime_api_trait_by_name(api);
			api.is_some_and(|api| api.method_by_name(method).is_some())
		});
		if !known {
			return Err(Failure::Unsupported(function.to_string()));
		}
		let answer = block.runtime_apis().call_raw(function, Some(arguments)).await;
		answer.map_err(rpc_failure)
	}

	/// As [`Chain::call`], for functions that answer `Result<R, DispatchError>`.
	///
	/// # Errors
	/// [`Failure::Refused`] with the error's name, such as `Attestations.BadSignature`.
	pub async fn ask<R: Decode>(&self, function: &str, arguments: &[u8]) -> Result<R, Failure> {
		let bytes = self.call_raw(function, arguments).await?;
		match bytes.split_first() {
			Some((0, rest)) => {
				R::decode_all(&mut &*rest).map_err(|_| Failure::Unsupported(function.to_string()))
			},
			Some((1, rest)) => {
				let block = self.at().await?;
				let error = DispatchError::decode_from(rest.to_vec(), block.metadata());
				Err(Failure::Refused(match error {
					Ok(error) => error_name(&error),
					Err(_) => format!("{function}: error 0x{}", hex::encode(rest)),
				}))
			},
			_ => Err(Failure::Unsupported(function.to_string())),
		}
	}

	/// Total issuance of an asset in its smallest unit, at the last finalized block; zero if it
	/// has never been created.
	///
	/// # Errors
	/// [`Failure::Unsupported`] if the chain has no assets pallet.
	pub async fn issuance(&self, asset: u32) -> Result<u128, Failure> {
		let unsupported = || Failure::Unsupported("the storage Assets.Asset".to_string());
		let block = self.at().await?;
		if block.metadata_ref().pallet_by_name("Assets").is_none() {
			return Err(unsupported());
		}
		let address = dynamic::storage::<(Value,), Value>("Assets", "Asset");
		let key = (Value::u128(asset.into()),);
		match block.storage().try_fetch(address, key).await.map_err(rpc_failure)? {
			None => Ok(0),
			Some(row) => row
				.decode()
				.map_err(rpc_failure)?
				.at("supply")
				.and_then(Value::as_u128)
				.ok_or_else(unsupported),
		}
	}
}

impl Chain {
	/// What an account holds of an asset, in its smallest unit, at the last finalized block.
	///
	/// # Errors
	/// [`Failure::Unsupported`] if the chain has no assets pallet.
	pub async fn balance(&self, asset: u32, account: &[u8; 32]) -> Result<u128, Failure> {
		let unsupported = || Failure::Unsupported("the storage Assets.Account".to_string());
		let block = self.at().await?;
		if block.metadata_ref().pallet_by_name("Assets").is_none() {
			return Err(unsupported());
		}
		let address = dynamic::storage::<(Value, Value), Value>("Assets", "Account");
		let key = (Value::u128(asset.into()), Value::from_bytes(account));
		match block.storage().try_fetch(address, key).await.map_err(rpc_failure)? {
			None => Ok(0),
			Some(row) => row
				.decode()
				.map_err(rpc_failure)?
				.at("balance")
				.and_then(Value::as_u128)
				.ok_or_else(unsupported),
		}
	}
}

impl Chain {
	/// What an account holds of the native token, in its smallest unit, at the last finalized
	/// block: what it can use, and what is held for something.
	///
	/// # Errors
	/// [`Failure::Unsupported`] if the chain keeps accounts in another form.
	pub async fn native_balance(&self, account: &[u8; 32]) -> Result<(u128, u128), Failure> {
		let unsupported = || Failure::Unsupported("the storage System.Account".to_string());
		let block = self.at().await?;
		let address = dynamic::storage::<(Value,), Value>("System", "Account");
		let key = (Value::from_bytes(account),);
		let Some(row) = block.storage().try_fetch(address, key).await.map_err(rpc_failure)? else {
			return Ok((0, 0));
		};
		let row = row.decode().map_err(rpc_failure)?;
		let part = |name: &str| row.at("data")?.at(name)?.as_u128();
		let free = part("free").ok_or_else(unsupported)?;
		Ok((free, part("reserved").ok_or_else(unsupported)?))
	}
}

/// Does anybody listen at the address?
async fn knock(url: &str) -> Result<(), String> {
	let (scheme, rest) = url.split_once("://").unwrap_or(("ws", url));
	let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
	let authority = authority.rsplit('@').next().unwrap_or_default();
	let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
	let address = match (has_port, scheme) {
		(true, _) => authority.to_string(),
		(false, "wss") => format!("{authority}:443"),
		(false, _) => format!("{authority}:80"),
	};
	match tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::TcpStream::connect(&address)).await {
		Ok(Ok(_)) => Ok(()),
		Ok(Err(error)) => Err(error.to_string()),
		Err(_) => Err("no answer in ten seconds".to_string()),
	}
}

/// An error with all its causes, in one line.
pub(crate) fn chain_of(error: &(dyn std::error::Error + 'static)) -> String {
	let mut text = error.to_string();
	let mut cause = error.source();
	while let Some(error) = cause {
		let next = error.to_string();
		if !text.contains(&next) {
			text = format!("{text}: {next}");
		}
		cause = error.source();
	}
	text
}

pub(crate) fn rpc_failure(error: impl std::error::Error + 'static) -> Failure {
	Failure::Rpc(chain_of(&error))
}

/// `Pallet.Error` for errors of pallets, the sentence of the SDK for others.
pub(crate) fn error_name(error: &DispatchError) -> String {
	if let DispatchError::Module(module) = error
		&& let Ok(details) = module.details()
	{
		return format!("{}.{}", details.pallet.name(), details.variant.name);
	}
	error.to_string()
}
