//! What the chain says of the channels in use, read again and again.

use crate::{coordinator::Coordinator, error::RequestError};
use std::time::Duration;

/// Name of the loop.
pub(crate) const NAME: &str = "channels";
/// Time between two readings of all channels in use.
const EVERY: Duration = Duration::from_secs(12);

/// Follows the channels in use until the future is dropped.
pub(crate) async fn follow(coordinator: &Coordinator) {
	loop {
		if coordinator.ledger.channels().is_some()
			&& let Err(error) = coordinator.follow_channels().await
		{
			tracing::warn!(%error, "channels are as they were read last");
		}
		coordinator.loops.turn(NAME);
		tokio::time::sleep(EVERY).await;
	}
}

impl Coordinator {
	/// Reads all channels in use from the chain.
	///
	/// # Errors
	/// [`ErrorCode::ChainUnavailable`](gridproof_compute_api::protocol::ErrorCode::ChainUnavailable).
	pub(crate) async fn follow_channels(&self) -> Result<(), RequestError> {
		for id in self.book.in_use(self.time.steady()) {
			// What its client has used keeps its place while it is read.
			let before = self.book.peek(id);
			let read = self.read_channel(id).await?;
			if read.is_none() && before.is_some_and(|held| held.unsettled.open > 0) {
				tracing::error!(channel = id, "a channel in use is gone from the chain");
			}
			self.loops.turn(NAME);
		}
		Ok(())
	}
}
