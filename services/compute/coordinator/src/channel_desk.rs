//! The coordinator as its front sees it where a channel pays.

use crate::{
	book::Fate,
	channels::{Left, Payment},
	coordinator::Coordinator,
	error::RequestError,
	front::{
		Accepted, Desk, Done, JobHead, LeftAfter, Offer, Order, OrderError, Outcome, Paid, Used,
	},
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_compute_api::protocol::ErrorCode;
use gridproof_primitives::H256;
use std::sync::Arc;

/// A coordinator whose clients pay with vouchers.
pub(crate) struct ChannelDesk(Arc<Coordinator>);

impl ChannelDesk {
	pub(crate) const fn new(coordinator: Arc<Coordinator>) -> Self {
		Self(coordinator)
	}

	async fn accept(&self, order: Order) -> Result<Accepted, OrderError> {
		let Order { spec, stream, paid, body, .. } = order;
		let missing = || RequestError::new(ErrorCode::BadVoucher, "the request has no voucher");
		let Paid { voucher, secret } = paid.ok_or_else(missing)?;
		let (model, most) = (spec.model.clone(), spec.max_tokens);
		// Read along from before it is admitted, so that no piece of its text is missed.
		let live = self.0.live.follow(voucher.voucher.seed(&self.0.genesis), most);
		let payment = Payment { voucher, secret, body };
		let admitted = self.0.admit(spec, payment, stream).await?;
		let job = JobHead { id: admitted.id, model, created_ms: admitted.created_ms };
		Ok(Accepted { job, live, is_repeated: admitted.is_repeated })
	}
}

/// Returns what has become of a request that a channel pays for.
pub(crate) fn outcome_of(coordinator: &Coordinator, id: H256) -> Outcome {
	match coordinator.book.fate(&id) {
		Some(Fate::Open) => Outcome::Open,
		Some(Fate::Done(finished)) => {
			let receipt = finished.issued.receipt;
			let voucher = receipt.receipt.voucher();
			let left = voucher.and_then(|voucher| coordinator.left_of(voucher.channel));
			Outcome::Done(Box::new(Done {
				job: JobHead { id, model: finished.model.clone(), created_ms: finished.created_ms },
				asset: receipt.sums.kind.asset.as_str().to_string(),
				receipt: finished.id,
				units: receipt.receipt.weight,
				price: receipt.receipt.price,
				output: finished.output.clone(),
				issued: Some(finished.issued),
				left: left.map(shown),
			}))
		},
		Some(Fate::Ended(reason)) => Outcome::Ended { how: "failed", reason: Some(reason) },
		None => Outcome::Ended { how: "is gone", reason: None },
	}
}

fn shown(left: Left) -> LeftAfter {
	let Left { per_day, today, all, day_ends_ms, warning } = left;
	let warning = warning.map(|warning| warning.to_string());
	LeftAfter { per_day, today, all, day_ends_ms, warning }
}

impl Desk for ChannelDesk {
	fn models(&self) -> Vec<String> {
		self.0.models()
	}

	fn offer(&self, model: &str) -> Option<Offer> {
		self.0.offer(model)
	}

	fn most_tokens(&self, model: &str) -> u32 {
		self.0.most_tokens(model)
	}

	fn order(&self, order: Order) -> BoxFuture<'_, Result<Accepted, OrderError>> {
		self.accept(order).boxed()
	}

	fn withdraw(&self, job: H256) -> BoxFuture<'_, Result<(), RequestError>> {
		self.0.abandon(job).boxed()
	}

	fn outcome(&self, job: H256) -> BoxFuture<'_, Result<Outcome, RequestError>> {
		async move { Ok(outcome_of(&self.0, job)) }.boxed()
	}

	fn used(&self, _: String, _: u64) -> BoxFuture<'_, Result<Used, RequestError>> {
		// What a channel has spent is what the chain and its receipts say.
		async { Ok(Used::default()) }.boxed()
	}
}
