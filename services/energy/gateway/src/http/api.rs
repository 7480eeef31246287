//! What the API works with.

use crate::{
	batching::Batcher,
	board::Board,
	message::Source,
	metrics::Metrics,
	registry::Registry,
	storage::{ReadStorage, Storage},
};
use futures::future::BoxFuture;
use gridproof_http::{AdminGate, AdminKey, ApiError, Protected, Protects, Service};
use std::sync::Arc;
use tokio::sync::Notify;

/// What anybody may read.
pub(crate) struct Api {
	pub(crate) storage: Arc<dyn ReadStorage>,
	pub(crate) registry: Arc<Registry>,
	pub(crate) board: Arc<Board>,
	pub(crate) metrics: Arc<Metrics>,
	pub(crate) admin: AdminKey,
	pub(crate) changes: Protected<Changes>,
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
			// There is no batch 0: the database answers, and has nothing to do.
			self.storage.batch(0).await?;
			Ok(())
		})
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		Box::pin(async {
			let counts = self.storage.counts().await?;
			let connections = self.board.connections(Source::MQTT);
			Ok(self.metrics.render(&counts, connections, self.storage.waiting()))
		})
	}
}
