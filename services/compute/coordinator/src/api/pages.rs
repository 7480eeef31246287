//! Health and figures.

use crate::{coordinator::Coordinator, rows};
use axum::http::StatusCode;
use futures::{FutureExt, future::BoxFuture};
use gridproof_compute_api::protocol::{ClassName, JobStage, Settlement};
use gridproof_http::{ApiError, Service};
use gridproof_support::Clock;
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

/// How long the database may take to answer when it is asked whether it is well.
const ALIVE: Duration = Duration::from_secs(5);

/// What was found out about the room on the disk is said for so long.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// A coordinator, as the service's pages show it.
pub(crate) struct Pages(pub(crate) Arc<Coordinator>);

impl Service for Pages {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		async {
			if let Some(what) = self.0.loops.standstill() {
				return Err(unwell(&what));
			}
			// A coordinator whose database does not answer cannot work, nor can one that keeps nothing.
			let asked = async {
				self.0.read(|db| Ok(rows::queued(db)?)).await.map_err(ApiError::from)?;
				self.0.db.probe(PROBE_EVERY).await.map_err(ApiError::from)
			};
			let answer = tokio::time::timeout(ALIVE, asked).await;
			answer.unwrap_or_else(|_| Err(unwell("the database does not answer")))?;
			// Work that nobody can be paid for is not well either.
			match self.0.refused_batch().await? {
				Some(refused) => Err(unwell(&refused.message)),
				None => Ok(()),
			}
		}
		.boxed()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		async {
			let coordinator = &self.0;
			let (jobs, receipts, size) = coordinator
				.read(|db| Ok((rows::counts(db)?, rows::settlements(db)?, rows::size(db)?)))
				.await?;
			let metrics = &coordinator.metrics;
			for stage in JobStage::ALL {
				let count = jobs.iter().find(|(known, _)| *known == stage).map_or(0, |(_, n)| *n);
				metrics.set_jobs(stage, count);
			}
			// All of them: a settlement that no receipt has any more is at zero.
			for settlement in Settlement::ALL {
				let found = receipts.iter().find(|(known, _)| *known == settlement);
				metrics.set_receipts(settlement, found.map_or(0, |(_, count)| *count));
			}
			let miners = coordinator.sessions.all(coordinator.time.steady());
			for class in [ClassName::Gpu, ClassName::Cpu] {
				let count = miners.iter().filter(|miner| miner.class == class).count();
				metrics.set_miners(class, count);
			}
			let is_stuck = coordinator.refused_batch().await?.is_some();
			metrics.stuck.set(is_stuck.into());
			metrics.set_database("file", size.bytes);
			metrics.set_database("free", size.free);
			metrics.set_database("log", log_bytes(coordinator.db.path()));
			for (name, seconds) in coordinator.loops.idle() {
				metrics.set_loop(&name, seconds);
			}
			Ok(metrics.render())
		}
		.boxed()
	}

	fn loops(&self) -> BTreeMap<String, u64> {
		self.0.loops.idle()
	}

	fn clock(&self) -> Clock {
		self.0.time.clock().clone()
	}
}

fn unwell(what: &str) -> ApiError {
	ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unwell", what)
}

/// Returns the bytes of the log beside a database; 0 if there is none.
fn log_bytes(database: &Path) -> u64 {
	let mut name = database.as_os_str().to_os_string();
	name.push("-wal");
	std::fs::metadata(Path::new(&name)).map_or(0, |log| log.len())
}
