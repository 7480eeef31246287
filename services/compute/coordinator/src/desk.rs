//! The coordinator as its front sees it.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	front::{Accepted, Desk, Done, JobHead, Order, OrderError, Outcome, Used},
	rows::{self, Job, ReceiptRow},
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_compute_api::protocol::JobStage;
use gridproof_primitives::{H256, compute::PriceAsset};
use std::sync::Arc;

/// A coordinator whose front pays from an account of its own.
pub(crate) struct FrontDesk {
	coordinator: Arc<Coordinator>,
	/// What the front pays in.
	asset: PriceAsset,
	/// The account that it pays from.
	purse: [u8; 32],
}

impl FrontDesk {
	pub(crate) const fn new(
		coordinator: Arc<Coordinator>,
		asset: PriceAsset,
		purse: [u8; 32],
	) -> Self {
		Self { coordinator, asset, purse }
	}

	async fn accept(&self, order: Order) -> Result<Accepted, OrderError> {
		let Order { spec, customer, limit, stream } = order;
		let coordinator = &self.coordinator;
		let quoted = coordinator.price(&spec, self.purse, self.asset)?;
		// Read along from before the job exists, so that no piece of its text is missed.
		let live = coordinator.live.follow(quoted.row.job, spec.max_tokens);
		let job = coordinator.accept_for(&quoted, &customer, limit, stream).await?;
		let job = job.ok_or(OrderError::LimitReached)?;
		Ok(Accepted { job: head(&job), live })
	}
}

impl Desk for FrontDesk {
	fn models(&self) -> Vec<String> {
		self.coordinator.models()
	}

	fn most_tokens(&self, model: &str) -> u32 {
		self.coordinator.settings.most_tokens(model)
	}

	fn order(&self, order: Order) -> BoxFuture<'_, Result<Accepted, OrderError>> {
		self.accept(order).boxed()
	}

	fn outcome(&self, job: H256) -> BoxFuture<'_, Result<Outcome, RequestError>> {
		let found =
			self.coordinator.read(move |db| Ok((rows::job(db, job)?, rows::receipt(db, job)?)));
		async move {
			Ok(match found.await? {
				(Some(job), receipt) => outcome(job, receipt),
				(None, _) => Outcome::Ended { how: "is gone", reason: None },
			})
		}
		.boxed()
	}

	fn used(&self, customer: String, since_ms: u64) -> BoxFuture<'_, Result<Used, RequestError>> {
		let used = self.coordinator.read(move |db| Ok(rows::usage(db, &customer, since_ms)?));
		async move {
			let rows::Usage { jobs, units, prices, open_jobs, held } = used.await?;
			Ok(Used { jobs, units, prices, open_jobs, held })
		}
		.boxed()
	}
}

fn head(job: &Job) -> JobHead {
	JobHead { id: job.job, model: job.model.clone(), created_ms: job.created_ms }
}

fn outcome(job: Job, receipt: Option<ReceiptRow>) -> Outcome {
	if !job.state.is_final() {
		return Outcome::Open;
	}
	let output = job.output.as_deref().and_then(|output| serde_json::from_str(output).ok());
	match (job.state, receipt, output) {
		(JobStage::Completed, Some(receipt), Some(output)) => Outcome::Done(Box::new(Done {
			job: head(&job),
			asset: job.asset,
			receipt: receipt.id,
			units: receipt.units,
			price: receipt.price,
			output,
		})),
		(stage, ..) => Outcome::Ended { how: stage.as_str(), reason: job.reason },
	}
}
