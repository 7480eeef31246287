//! The loops of a coordinator: each continues from what the database says.

use crate::{coordinator::Coordinator, escrow, payout, settle, work};

impl Coordinator {
	/// Works until the future is dropped: gives out jobs, watches leases and deadlines, opens the
	/// front's jobs, settles receipts, lets jobs go that will have none, and has what was earned paid
	/// out.
	pub async fn run(&self) {
		tokio::join!(
			work::dispatch(self),
			escrow::open_jobs(self),
			settle::settle(self),
			escrow::release(self),
			payout::collect(self)
		);
	}
}
