//! What the API works with.

use crate::{board::Board, metrics::Metrics, store::Store};
use axum::http::StatusCode;
use futures::future::BoxFuture;
use gridproof_chain::H256;
use gridproof_http::{ApiError, Loops, Service};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Longest time that the database may take to say that it is there.
const ALIVE: Duration = Duration::from_secs(5);
/// After so long without a block, the index stands still: a node that restarts takes less.
const PATIENCE: Duration = Duration::from_secs(60);

/// What everybody may read.
pub(crate) struct Api {
	pub(crate) store: Store,
	pub(crate) board: Arc<Board>,
	pub(crate) metrics: Arc<Metrics>,
	pub(crate) loops: Arc<Loops>,
	pub(crate) genesis: H256,
}

fn unwell(what: &str) -> ApiError {
	ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unwell", what)
}

impl Service for Api {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		Box::pin(async {
			let still = self.board.standstill(PATIENCE).or_else(|| self.loops.standstill());
			if let Some(what) = still {
				return Err(unwell(&what));
			}
			match tokio::time::timeout(ALIVE, self.store.alive()).await {
				Ok(alive) => Ok(alive?),
				Err(_) => Err(unwell("the database does not answer")),
			}
		})
	}

	fn loops(&self) -> BTreeMap<String, u64> {
		self.loops.idle()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		Box::pin(async {
			let height = self.store.head().await?.map(|head| head.height);
			Ok(self.metrics.render(height, self.board.finalized(), self.store.bytes()))
		})
	}
}
