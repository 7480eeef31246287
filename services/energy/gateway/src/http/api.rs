//! What the API works with.

use super::census::Census;
use crate::{
	batching::Batcher,
	board::Board,
	message::Source,
	metrics::Metrics,
	registry::Registry,
	storage::{ReadStorage, Storage},
};
use axum::http::StatusCode;
use futures::future::BoxFuture;
use gridproof_gateway_api::Counts;
use gridproof_http::{AdminGate, AdminKey, ApiError, Protected, Protects, Service};
use gridproof_store::StoreError;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Longest time that the database may take to say that it is there.
const ALIVE: Duration = Duration::from_secs(5);

fn unwell(what: &str) -> ApiError {
	ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unwell", what)
}

/// What anybody may read.
pub(crate) struct Api {
	pub(crate) storage: Arc<dyn ReadStorage>,
	pub(crate) registry: Arc<Registry>,
	pub(crate) board: Arc<Board>,
	pub(crate) metrics: Arc<Metrics>,
	/// The last counts.
	pub(crate) census: Census,
	pub(crate) admin: AdminKey,
	pub(crate) changes: Protected<Changes>,
}

impl Api {
	/// How many of everything there are, as of a moment ago.
	pub(crate) async fn counts(&self) -> Result<Counts, StoreError> {
		self.census.take(|| self.storage.counts()).await
	}
}

/// What only the operator may change.
pub(crate) struct Changes {
	pub(crate) storage: Arc<dyn Storage>,
	pub(crate) batcher: Arc<Batcher>,
	/// Notified when something can be signed or submitted again.
	pub(crate) wake: Vec<Arc<Notify>>,
}

impl AdminGate for Api {
	fn admin(&self) -> &AdminKey {
		&self.admin
	}
}

impl Protects<Changes> for Api {
	fn protected(&self) -> &Protected<Changes> {
		&self.changes
	}
}

impl Service for Api {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		Box::pin(async {
			if let Some(what) = self.board.standstill() {
				return Err(unwell(&what));
			}
			match tokio::time::timeout(ALIVE, self.storage.alive()).await {
				Ok(alive) => Ok(alive?),
				Err(_) => Err(unwell("the database does not answer")),
			}
		})
	}

	fn loops(&self) -> BTreeMap<String, u64> {
		self.board.idle()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		Box::pin(async {
			let counts = self.counts().await?;
			let connections = self.board.connections(Source::MQTT);
			let intakes = self.board.state().intakes;
			Ok(self.metrics.render(&counts, connections, &intakes, self.storage.waiting()))
		})
	}
}
