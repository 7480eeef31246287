//! A connection for as long as a program runs.

use crate::{Call, Chain, ChainError, Included, Patience, Query, Submitter, renewal::Renewal};
use codec::Decode;
use gridproof_keys::AccountKey;
use gridproof_primitives::H256;
use tokio::sync::Mutex;

/// A node that is connected to when it is needed, and again when a connection has failed: the one
/// place in which a program that runs for long reconnects.
///
/// It stays with one chain: a node that comes back with another one is
/// [`ChainError::Unreachable`], and nothing is signed or sent for it.
pub struct Link {
	url: String,
	state: Mutex<State>,
	renewal: Renewal<Chain, ChainError>,
	sender: Option<AccountKey>,
}

#[derive(Default)]
struct State {
	/// The chain that it stays with, once known.
	genesis: Option<H256>,
	chain: Option<Chain>,
	/// The last connection that failed.
	given_up: Option<Chain>,
}

impl Link {
	/// The node at `url`; nothing is connected yet.
	pub fn new(url: impl Into<String>) -> Self {
		Self::over(url.into(), State::default())
	}

	fn over(url: String, state: State) -> Self {
		Self { url, state: Mutex::new(state), renewal: Renewal::default(), sender: None }
	}

	/// The link, with an account that signs what is free of fees; see [`Chain::with_sender`].
	#[must_use]
	pub fn with_sender(mut self, account: Option<AccountKey>) -> Self {
		self.sender = account;
		self
	}

	/// The node at `url`, which must serve the chain of this first block; nothing is connected yet.
	pub fn to_chain(url: impl Into<String>, genesis: H256) -> Self {
		Self::over(url.into(), State { genesis: Some(genesis), ..State::default() })
	}

	/// The node at `url`, connected at once.
	///
	/// # Errors
	/// As [`Chain::connect`].
	pub async fn connect(url: &str) -> Result<Self, ChainError> {
		let link = Self::new(url);
		link.chain().await?;
		Ok(link)
	}

	/// The node's address.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// The hash of the chain's first block; connects if no connection has been made yet.
	///
	/// # Errors
	/// As [`Chain::connect`].
	pub async fn genesis(&self) -> Result<H256, ChainError> {
		if let Some(genesis) = self.state.lock().await.genesis {
			return Ok(genesis);
		}
		Ok(self.chain().await?.genesis())
	}

	/// The connection, made now if there is none. What is done with it outside of this type has to
	/// be [checked](Link::checked).
	///
	/// # Errors
	/// As [`Chain::connect`]; [`ChainError::Unreachable`] if the node serves another chain.
	pub async fn chain(&self) -> Result<Chain, ChainError> {
		if let Some(chain) = self.held().await {
			return Ok(chain);
		}
		// Nothing is locked while a node is waited for, but the making itself: one connection is
		// made, however many want it, and one failure answers all of them.
		let given_up = self.given_up().await;
		let is_broken = |newest: &Chain| given_up.as_ref().is_some_and(|old| old.is(newest));
		let chain = self.renewal.instead_of(is_broken, || self.connect_to_same()).await?;
		let mut state = self.state.lock().await;
		let known = *state.genesis.get_or_insert(chain.genesis());
		if chain.genesis() != known {
			return Err(self.another_chain());
		}
		state.given_up = None;
		Ok(state.chain.get_or_insert(chain).clone())
	}

	async fn held(&self) -> Option<Chain> {
		self.state.lock().await.chain.clone()
	}

	async fn given_up(&self) -> Option<Chain> {
		self.state.lock().await.given_up.clone()
	}

	async fn connect_to_same(&self) -> Result<Chain, ChainError> {
		let chain = Chain::connect(&self.url).await?;
		let chain = match &self.sender {
			Some(sender) => chain.with_sender(Some(sender.clone())),
			None => chain,
		};
		let known = self.state.lock().await.genesis;
		if known.is_some_and(|known| chain.genesis() != known) {
			return Err(self.another_chain());
		}
		Ok(chain)
	}

	fn another_chain(&self) -> ChainError {
		let reason = "it serves another chain than before".to_string();
		ChainError::Unreachable { url: self.url.clone(), reason }
	}

	/// Passes an outcome on; if it failed on the way, the connection that it came over is not used
	/// again.
	///
	/// # Errors
	/// That of the outcome.
	pub async fn checked<T>(
		&self,
		chain: &Chain,
		outcome: Result<T, ChainError>,
	) -> Result<T, ChainError> {
		if outcome.as_ref().is_err_and(ChainError::is_outage) {
			let mut state = self.state.lock().await;
			// Somebody else may have made another one meanwhile.
			if let Some(failed) = state.chain.take_if(|held| held.is(chain)) {
				state.given_up = Some(failed);
			}
		}
		outcome
	}

	/// The runtime's answer to a question, at the last final block. Asked once more, over another
	/// connection, if the first one failed.
	///
	/// # Errors
	/// As [`Link::chain`] and [`Chain::read`].
	pub async fn read<R: Decode>(&self, query: &Query<R>) -> Result<R, ChainError> {
		let chain = self.chain().await?;
		match self.checked(&chain, chain.read(query).await).await {
			Err(error) if error.is_outage() => {
				tracing::debug!(%error, "asking over another connection");
				let chain = self.chain().await?;
				self.checked(&chain, chain.read(query).await).await
			},
			answer => answer,
		}
	}

	/// Submits a call that needs no signer; see [`Chain::submit_authorized`].
	///
	/// # Errors
	/// As [`Link::chain`] and [`Chain::submit_authorized`].
	pub async fn submit_authorized(
		&self,
		call: &Call,
		patience: &Patience,
	) -> Result<Included, ChainError> {
		let chain = self.chain().await?;
		self.checked(&chain, chain.submit_authorized(call, patience).await).await
	}

	/// Submits calls from an account, in order; see [`Submitter::submit`].
	///
	/// # Errors
	/// As [`Link::chain`] and [`Submitter::submit`].
	pub async fn submit(
		&self,
		account: &AccountKey,
		calls: &[Call],
		patience: &Patience,
	) -> Result<Vec<Result<Included, ChainError>>, ChainError> {
		let chain = self.chain().await?;
		let outcomes =
			Submitter::new(chain.clone(), account.clone(), *patience).submit(calls).await;
		let failed = outcomes.as_ref().ok().and_then(|outcomes| {
			outcomes.iter().find_map(|outcome| outcome.as_ref().err().filter(|e| e.is_outage()))
		});
		if let Some(error) = failed.cloned() {
			let _ = self.checked(&chain, Err::<(), _>(error)).await;
		}
		self.checked(&chain, outcomes).await
	}

	/// Submits one call from an account, with a tip in 10⁻¹⁸ AIT; see [`Submitter::with_tip`].
	///
	/// # Errors
	/// As [`Link::chain`] and [`Chain::submit`].
	pub async fn submit_paid(
		&self,
		account: &AccountKey,
		call: &Call,
		tip: u128,
		patience: &Patience,
	) -> Result<Included, ChainError> {
		let chain = self.chain().await?;
		let submitter = Submitter::new(chain.clone(), account.clone(), *patience).with_tip(tip);
		self.checked(&chain, submitter.submit_one(call).await).await
	}

	/// Submits one call from an account; see [`Chain::submit`].
	///
	/// # Errors
	/// As [`Link::chain`] and [`Chain::submit`].
	pub async fn submit_one(
		&self,
		account: &AccountKey,
		call: &Call,
		patience: &Patience,
	) -> Result<Included, ChainError> {
		let chain = self.chain().await?;
		self.checked(&chain, chain.submit(account, call, patience).await).await
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::pallets::compute_receipts::query;

	#[tokio::test]
	async fn a_node_that_is_away_is_an_outage_and_nothing_is_kept_of_it() {
		let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		let url = format!("ws://{}", listener.local_addr().unwrap());
		drop(listener);
		let link = Link::new(&url);
		for _ in 0..2 {
			let error = link.read(&query::overview()).await.unwrap_err();
			assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
			assert!(link.genesis().await.is_err());
		}
		assert_eq!(Link::to_chain(url, H256([7; 32])).genesis().await, Ok(H256([7; 32])));
	}
}
