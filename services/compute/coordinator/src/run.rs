//! The loops of a coordinator: each continues from what the database says.

use crate::{coordinator::Coordinator, escrow, settle, work};

impl Coordinator {
	/// Works until the future is dropped: gives out jobs, watches leases and deadlines, opens the
	/// front's jobs, settles receipts, and lets jobs go that will have none.
	pub async fn run(&self) {
		tokio::join!(
			work::dispatch(self),
			escrow::open_jobs(self),
			settle::settle(self),
			escrow::release(self)
		);
	}
}
