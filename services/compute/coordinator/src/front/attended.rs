//! A job and the client that waits for it.

use super::desk::{Accepted, Desk, JobHead, Order, OrderError};
use crate::live::Frame;
use gridproof_primitives::H256;
use std::sync::Arc;
use tokio::{
	runtime::Handle,
	sync::{oneshot, watch},
};

/// An accepted job whose client is there. Dropped before the client has its answer, it takes the job
/// back, if no miner has begun it and the client cannot come back for it.
pub(super) struct Attended {
	desk: Arc<dyn Desk>,
	/// What answers name of the job.
	pub(super) job: JobHead,
	/// Its text as it comes.
	pub(super) live: watch::Receiver<Frame>,
	/// `true` if the same request had come before.
	pub(super) is_repeated: bool,
	/// The job to take back, if its client leaves now.
	abandons: Option<H256>,
}

impl Attended {
	/// Orders a job. A client that leaves meanwhile has left it.
	///
	/// # Errors
	/// [`OrderError`].
	pub(super) async fn order(desk: Arc<dyn Desk>, order: Order) -> Result<Self, OrderError> {
		let has_key = order.once.is_some();
		let (answer, answered) = oneshot::channel();
		let task = tokio::spawn(async move {
			let accepted = desk.order(order).await;
			let attended = accepted.map(|accepted| Self::new(desk, accepted, has_key));
			// What nobody waits for is dropped here.
			let _ = answer.send(attended);
		});
		match answered.await {
			Ok(attended) => attended,
			Err(_) => {
				let reason = task.await.err().map(|error| error.to_string());
				tracing::error!(reason, "an order broke off");
				Err(OrderError::BrokeOff)
			},
		}
	}

	fn new(desk: Arc<dyn Desk>, accepted: Accepted, has_key: bool) -> Self {
		let Accepted { job, live, is_repeated } = accepted;
		let abandons = (!has_key).then_some(job.id);
		Self { desk, job, live, is_repeated, abandons }
	}

	/// The desk that took the order.
	pub(super) fn desk(&self) -> &dyn Desk {
		&*self.desk
	}

	/// Notes that the client has its answer.
	pub(super) fn answered(&mut self) {
		self.abandons = None;
	}
}

impl Drop for Attended {
	fn drop(&mut self) {
		let Some(job) = self.abandons.take() else { return };
		// A program that ends takes nothing back: its next run does what is left.
		let Ok(runtime) = Handle::try_current() else { return };
		let desk = self.desk.clone();
		runtime.spawn(async move {
			if let Err(error) = desk.withdraw(job).await {
				tracing::warn!(%error, "a job whose client left is done all the same");
			}
		});
	}
}
