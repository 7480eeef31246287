//! The coordinator as its front sees it.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	front::{Accepted, Desk, Done, JobHead, Offer, Once, Order, OrderError, Outcome, Used},
	quotes::{Admission, Buyer},
	rows::{self, Job, ReceiptRow, Remembered},
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
		let Order { spec, customer, limit, stream, once, .. } = order;
		let coordinator = &self.coordinator;
		let once = once.map(|Once { key, body }| rows::Once { key, body });
		// Before it is priced: the model of a job that is done may be gone.
		if let Some(once) = &once {
			match coordinator.remembered(customer.clone(), once.clone()).await? {
				Remembered::New => (),
				Remembered::Same(job) => return Ok(self.again(&job)),
				Remembered::Other => return Err(OrderError::KeyReused),
			}
		}
		let quoted = coordinator.price(&spec, self.purse, self.asset)?;
		// Read along from before the job exists, so that no piece of its text is missed.
		let live = coordinator.live.follow(quoted.row.job, spec.max_tokens);
		let buyer = Buyer { customer, limit, once };
		match coordinator.accept_for(&quoted, buyer, stream).await? {
			Admission::New(job) => Ok(Accepted { job: head(&job), live, is_repeated: false }),
			Admission::Repeated(job) => Ok(self.again(&job)),
			Admission::KeyReused => Err(OrderError::KeyReused),
			Admission::LimitReached => Err(OrderError::LimitReached),
		}
	}

	/// Returns the job of the same request before.
	fn again(&self, job: &Job) -> Accepted {
		self.coordinator.metrics.repeated.inc();
		let most = job.spec().map_or(0, |spec| spec.max_tokens);
		let live = self.coordinator.live.follow(job.job, most);
		Accepted { job: head(job), live, is_repeated: true }
	}
}

impl Desk for FrontDesk {
	fn models(&self) -> Vec<String> {
		self.coordinator.models()
	}

	fn offer(&self, model: &str) -> Option<Offer> {
		self.coordinator.offer(model)
	}

	fn most_tokens(&self, model: &str) -> u32 {
		self.coordinator.most_tokens(model)
	}

	fn order(&self, order: Order) -> BoxFuture<'_, Result<Accepted, OrderError>> {
		self.accept(order).boxed()
	}

	fn withdraw(&self, job: H256) -> BoxFuture<'_, Result<(), RequestError>> {
		self.coordinator.withdraw(job).boxed()
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
			issued: None,
			left: None,
		})),
		(stage, ..) => Outcome::Ended { how: stage.as_str(), reason: job.reason },
	}
}
