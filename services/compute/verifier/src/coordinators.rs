//! What a verifier needs of coordinators, and how they are asked over HTTP.

use crate::draws::Published;
use codec::DecodeAll;
use futures::{FutureExt, future::BoxFuture};
use gridproof_compute_api::{
	ChannelClient, ClientError, MinerClient, OpeningClient,
	protocol::{Opening, OpeningAsk},
};
use gridproof_primitives::{
	H256,
	compute::channels::{Lists, SettlementHeader},
	crypto::ed25519::PublicKey,
};
use gridproof_support::{Lock, text::hexadecimal};
use std::{collections::BTreeMap, sync::Mutex};

/// Why a coordinator gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGiven {
	/// No address is known at which this coordinator answers.
	#[error("no coordinator with the key {0} is known: name its address with --coordinator")]
	Unknown(String),
	/// It does not answer, or refuses.
	#[error(transparent)]
	Client(#[from] ClientError),
	/// What it publishes is not what the chain has settled.
	#[error("{0}")]
	NotIt(String),
}

/// What a verifier needs of coordinators.
pub trait Coordinators: Send + Sync + 'static {
	/// The batch of a header, made again from what its coordinator publishes.
	fn batch(
		&self,
		coordinator: PublicKey,
		sequence: u64,
		hash: H256,
	) -> BoxFuture<'_, Result<Published, NotGiven>>;

	/// Header and lines of a batch, where its receipts are not published.
	fn lists(
		&self,
		coordinator: PublicKey,
		sequence: u64,
		hash: H256,
	) -> BoxFuture<'_, Result<(SettlementHeader, Lists), NotGiven>>;

	/// What a receipt was made of. Nothing of it is checked yet.
	fn opening(
		&self,
		coordinator: PublicKey,
		receipt: H256,
		ask: OpeningAsk,
	) -> BoxFuture<'_, Result<Opening, NotGiven>>;
}

/// Coordinators by their addresses. Which of them has which key they say themselves.
pub struct HttpCoordinators {
	urls: Vec<String>,
	genesis: H256,
	known: Mutex<BTreeMap<PublicKey, String>>,
}

impl HttpCoordinators {
	/// Returns the coordinators at these addresses, of a chain.
	///
	/// # Errors
	/// [`ClientError::BadUrl`].
	pub fn new(urls: Vec<String>, genesis: H256) -> Result<Self, ClientError> {
		for url in &urls {
			MinerClient::new(url)?;
		}
		Ok(Self { urls, genesis, known: Mutex::default() })
	}

	/// Finds the address of a coordinator, and asks the others if it is not known yet.
	async fn url(&self, coordinator: PublicKey) -> Result<String, NotGiven> {
		if let Some(url) = self.known.locked().get(&coordinator) {
			return Ok(url.clone());
		}
		let mut unreachable = None;
		for url in &self.urls {
			match MinerClient::new(url)?.about().await {
				Ok(about) if H256(about.genesis.0) == self.genesis => {
					self.known.locked().insert(about.coordinator.0, url.clone());
				},
				Ok(_) => tracing::warn!(url, "the coordinator there is of another chain"),
				Err(error) => unreachable = Some(error),
			}
		}
		let found = self.known.locked().get(&coordinator).cloned();
		match (found, unreachable) {
			(Some(url), _) => Ok(url),
			(None, Some(error)) => Err(error.into()),
			(None, None) => Err(NotGiven::Unknown(hexadecimal(coordinator))),
		}
	}
}

impl Coordinators for HttpCoordinators {
	fn batch(
		&self,
		coordinator: PublicKey,
		sequence: u64,
		hash: H256,
	) -> BoxFuture<'_, Result<Published, NotGiven>> {
		async move {
			let (header, lists) = self.lists(coordinator, sequence, hash).await?;
			let client = OpeningClient::new(&self.url(coordinator).await?)?;
			let receipts = client.receipts(sequence).await?;
			let made = tokio::task::spawn_blocking(move || {
				Published::check(hash, header, &lists, receipts)
			});
			let made = made.await.map_err(|error| NotGiven::NotIt(error.to_string()))?;
			made.map_err(|error| NotGiven::NotIt(error.to_string()))
		}
		.boxed()
	}

	fn lists(
		&self,
		coordinator: PublicKey,
		sequence: u64,
		hash: H256,
	) -> BoxFuture<'_, Result<(SettlementHeader, Lists), NotGiven>> {
		async move {
			let not_it = |what: &str| NotGiven::NotIt(what.to_string());
			let client = ChannelClient::new(&self.url(coordinator).await?)?;
			let answer = client.batch(sequence).await?;
			let header = SettlementHeader::decode_all(&mut &answer.header.0[..]);
			let header = header.map_err(|_| not_it("a batch without a header"))?;
			if header.hash() != hash {
				return Err(not_it("the published header is not the one that was settled"));
			}
			let lists = Lists::decode_all(&mut &answer.lists.0[..]);
			Ok((header, lists.map_err(|_| not_it("a batch without lines"))?))
		}
		.boxed()
	}

	fn opening(
		&self,
		coordinator: PublicKey,
		receipt: H256,
		ask: OpeningAsk,
	) -> BoxFuture<'_, Result<Opening, NotGiven>> {
		async move {
			let client = OpeningClient::new(&self.url(coordinator).await?)?;
			Ok(client.opening(receipt.into(), &ask).await?)
		}
		.boxed()
	}
}
