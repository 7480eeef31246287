//! Health and figures.

use crate::{coordinator::Coordinator, rows};
use futures::{FutureExt, future::BoxFuture};
use gridproof_compute_api::protocol::{ClassName, JobStage, Settlement};
use gridproof_http::{ApiError, Service};
use gridproof_support::Clock;
use std::sync::Arc;

/// A coordinator, as the service's pages show it.
pub(crate) struct Pages(pub(crate) Arc<Coordinator>);

impl Service for Pages {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		async {
			// A coordinator whose database does not answer cannot work.
			self.0.read(|db| Ok(rows::queued(db)?)).await?;
			Ok(())
		}
		.boxed()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		async {
			let coordinator = &self.0;
			let (jobs, receipts) =
				coordinator.read(|db| Ok((rows::counts(db)?, rows::settlements(db)?))).await?;
			let metrics = &coordinator.metrics;
			for stage in JobStage::ALL {
				let count = jobs.iter().find(|(known, _)| *known == stage).map_or(0, |(_, n)| *n);
				metrics.set_jobs(stage, count);
			}
			// All of them: a settlement that no receipt has any more is at zero.
			for settlement in Settlement::ALL {
				let found = receipts.iter().find(|(known, ..)| *known == settlement);
				metrics.set_receipts(settlement, found.map_or(0, |(_, count, _)| *count));
			}
			let miners = coordinator.sessions.all(coordinator.now());
			for class in [ClassName::Gpu, ClassName::Cpu] {
				let count = miners.iter().filter(|miner| miner.class == class).count();
				metrics.set_miners(class, count);
			}
			Ok(metrics.render())
		}
		.boxed()
	}

	fn clock(&self) -> Clock {
		self.0.clock.clone()
	}
}
