//! The connection.

use crate::{
	ChainError, Query,
	blocks::{Blocks, ask},
	bounded::{Attempts, Bounded},
	event::RawEvent,
	renewal::{Renewal, until_made},
	rpc::{AtBlock, chain_of, failed},
};
use codec::Decode;
use futures::future::BoxFuture;
use gridproof_keys::AccountKey;
use gridproof_primitives::H256;
use gridproof_support::{Backoff, Lock};
use std::{
	collections::HashMap,
	sync::{Arc, OnceLock},
	time::Duration,
};
use subxt::{
	OnlineClient,
	rpcs::client::{ReconnectingRpcClient, RpcClient},
};

/// How long a node may take to answer one request, the time in which the connection is made again
/// included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a node may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses between attempts to connect again.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(5));

/// One connection to a node, for a program that ends soon.
///
/// It bridges a short cut: a question that is on its way then is asked again. A node that stays away
/// longer than 30 seconds, or comes back as another one, ends it: every further question fails. A
/// program that is to outlive its node holds a [`Link`](crate::Link), which connects again; nobody
/// else has to.
#[derive(Clone)]
pub struct Chain {
	pub(crate) blocks: Blocks,
	url: String,
	/// Shared by all clones, and by what is connected in their place.
	pub(crate) line: Arc<Line>,
	/// Account that signs what is free of fees.
	pub(crate) sender: Option<AccountKey>,
}

/// What everybody who talks to one node has in common.
#[derive(Default)]
pub(crate) struct Line {
	renewal: Renewal<Blocks, ChainError>,
	turns: std::sync::Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<()>>>>,
}

impl Line {
	/// Whose turn it is to number and send a transaction of an account: one at a time, so that no
	/// two get one number.
	pub(crate) fn turn(&self, account: [u8; 32]) -> Arc<tokio::sync::Mutex<()>> {
		self.turns.locked().entry(account).or_default().clone()
	}
}

impl Chain {
	/// Connects to the node at `url` (`ws://…` or `wss://…`).
	///
	/// # Errors
	/// [`ChainError::BadUrl`]; [`ChainError::Unreachable`] at once if nobody answers;
	/// [`ChainError::Rpc`].
	pub fn connect(url: &str) -> BoxFuture<'_, Result<Self, ChainError>> {
		Box::pin(async move {
			if !url.starts_with("ws://") && !url.starts_with("wss://") {
				return Err(ChainError::BadUrl(url.to_string()));
			}
			let unreachable =
				|reason: String| ChainError::Unreachable { url: url.to_string(), reason };
			// The client would try for ever; the first connection has to say so at once.
			knock(url).await.map_err(unreachable)?;
			let connecting = ReconnectingRpcClient::builder()
				.connection_timeout(CONNECT_TIMEOUT)
				.request_timeout(REQUEST_TIMEOUT)
				.retry_policy(Attempts::new(PAUSES))
				.build(url);
			let rpc = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
				.await
				.map_err(|_| unreachable("no answer in ten seconds".to_string()))?
				.map_err(|reason| unreachable(chain_of(&reason)))?;
			let rpc = RpcClient::new(Bounded::new(rpc, REQUEST_TIMEOUT));
			let ready = OnlineClient::from_rpc_client(rpc.clone());
			let api = tokio::time::timeout(REQUEST_TIMEOUT, ready)
				.await
				.map_err(|_| unreachable("no answer in thirty seconds".to_string()))?
				.map_err(failed)?;
			let (blocks, sender) = (Blocks::new(api, rpc), SENDER.get().cloned());
			Ok(Self { blocks, url: url.to_string(), line: Arc::default(), sender })
		})
	}

	/// The connection, with an account that signs what is free of fees: so that every tool can read
	/// the blocks that hold it. An account that does not exist signs nothing; see
	/// [`Chain::submit_authorized`].
	#[must_use]
	pub fn with_sender(mut self, account: Option<AccountKey>) -> Self {
		self.sender = account;
		self
	}

	/// Another connection to the same node and chain, as soon as there is one: a connection that was
	/// cut can take long to notice that the node is back. However many ask, one connection is made.
	pub(crate) fn fresh(&self, patience: Duration) -> BoxFuture<'_, Result<Self, ChainError>> {
		Box::pin(async move {
			let connect = || async {
				let chain = Self::connect(&self.url).await?;
				if chain.genesis() != self.genesis() {
					let reason = "it serves another chain than before".to_string();
					return Err(ChainError::Unreachable { url: self.url.clone(), reason });
				}
				Ok(chain.blocks)
			};
			let is_broken = |newest: &Blocks| newest.are(&self.blocks);
			let renewal = &self.line.renewal;
			let made = renewal.instead_of(is_broken, || until_made(patience, PAUSES, connect));
			Ok(Self { blocks: made.await?, ..self.clone() })
		})
	}

	/// Is this the same connection?
	pub(crate) fn is(&self, other: &Self) -> bool {
		self.blocks.are(&other.blocks)
	}

	/// The address connected to.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// The hash of the chain's first block.
	pub fn genesis(&self) -> H256 {
		self.blocks.genesis()
	}

	/// The last final block.
	pub(crate) fn at(&self) -> BoxFuture<'_, Result<AtBlock, ChainError>> {
		Box::pin(async move { self.blocks.latest().await })
	}

	/// The runtime's answer to a question, at the last final block.
	///
	/// # Errors
	/// [`ChainError::Refused`] if the runtime says no; [`ChainError::Unsupported`] if it does not
	/// understand the question, or answers in another form; [`ChainError::Rpc`].
	pub async fn read<R: Decode>(&self, query: &Query<R>) -> Result<R, ChainError> {
		let (bytes, block) = self.answer(query).await?;
		query.answer(&bytes, block.metadata_ref())
	}

	/// As [`Chain::read`], in SCALE as the runtime gave it.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the runtime does not understand the question;
	/// [`ChainError::Rpc`].
	pub async fn read_bytes<R>(&self, query: &Query<R>) -> Result<Vec<u8>, ChainError> {
		Ok(self.answer(query).await?.0)
	}

	/// All events of the final block of this height, in order.
	///
	/// # Errors
	/// [`ChainError::Rpc`], also if there is no such block yet; [`ChainError::Unsupported`].
	pub async fn events(&self, height: u64) -> Result<Vec<RawEvent>, ChainError> {
		self.blocks.events(height).await
	}

	async fn answer<R>(&self, query: &Query<R>) -> Result<(Vec<u8>, AtBlock), ChainError> {
		let block = self.at().await?;
		if !query.is_known(block.metadata_ref()) {
			return Err(query.unsupported());
		}
		let answer = ask(&block, query.function(), query.arguments()).await?;
		Ok((answer, block))
	}
}

/// The account that signs what this program sends free of fees.
static SENDER: OnceLock<AccountKey> = OnceLock::new();

/// Lets an account sign what this program sends free of fees, over every connection that it makes
/// from now on: one account of each program, so that no two take each other's numbers. Said once, at
/// the program's start.
pub fn sign_free_calls_with(account: AccountKey) {
	if SENDER.set(account).is_err() {
		tracing::error!(event = "second_sender", "the account that signs is set already");
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

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn an_address_of_another_kind_is_refused() {
		let failure = Chain::connect("http://127.0.0.1:9944").await.err();
		assert_eq!(failure, Some(ChainError::BadUrl("http://127.0.0.1:9944".to_string())));
	}

	#[tokio::test]
	async fn a_silent_port_is_reported_at_once() {
		let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		let url = format!("ws://{}", listener.local_addr().unwrap());
		drop(listener);
		let failure = Chain::connect(&url).await.err().unwrap();
		assert!(matches!(failure, ChainError::Unreachable { .. }), "{failure}");
		assert!(failure.is_temporary() && failure.is_outage());
	}
}
