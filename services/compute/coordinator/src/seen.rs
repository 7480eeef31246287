//! How long the chain has not been seen, and what is not done meanwhile.
//!
//! A client can cancel at any time; the chain then waits for its notice and returns the money, unless a
//! receipt comes before. A coordinator that has not seen the chain for nearly that long may no longer be
//! paid for what it hands out: it takes no new work, gives none to miners and shows no output that is
//! not settled, until it sees the chain again.

use crate::{coordinator::Coordinator, error::RequestError};
use gridproof_chain::ChainError;
use gridproof_compute_api::protocol::ErrorCode;
use gridproof_primitives::compute::channels::MIN_CLOSE_NOTICE_MS;
use std::time::Duration;

/// How long a look may take: what waits for it is a request.
const LOOK: Duration = Duration::from_secs(4);
/// What is kept of a notice for the claim itself, in milliseconds: as long as one is followed that is
/// free of charge.
const CLAIM_MS: u64 = 15_000;

impl Coordinator {
	/// Looks at the chain before the first request, and compares its notice with the settings. A node
	/// that is away holds nothing up.
	///
	/// # Errors
	/// What to write instead, if the notice of this chain is longer than the time for settling.
	pub(crate) async fn begin_sight(&self) -> Result<(), String> {
		self.look().await;
		self.settings.check_notice(self.sight.notice_ms())
	}

	/// Looks at the chain, if nobody has for some seconds.
	async fn look(&self) {
		if !self.sight.is_due(self.time.steady()) {
			return;
		}
		let _looking = self.sight.looking.lock().await;
		if !self.sight.is_due(self.time.steady()) {
			return;
		}
		let asked = async {
			Ok::<_, ChainError>((self.ledger.time().await?, self.ledger.cancel_notice_ms().await?))
		};
		let shown = match tokio::time::timeout(LOOK, asked).await {
			Ok(Ok(shown)) => Some(shown),
			Ok(Err(error)) => {
				tracing::warn!(%error, "the chain was not seen");
				None
			},
			Err(_) => {
				tracing::warn!("the chain was not seen: the node does not answer");
				None
			},
		};
		self.sight.note(shown, self.time.steady());
	}

	/// Checks that what is done now for a job can still be claimed, whatever its client has done since the
	/// chain was seen last.
	///
	/// # Errors
	/// [`ErrorCode::ChainUnavailable`].
	pub(crate) async fn check_sight(&self) -> Result<(), RequestError> {
		self.look().await;
		self.seen_within(self.sight.notice_ms().saturating_sub(CLAIM_MS))
	}

	/// The same of a request that a channel pays for: a channel has a day's notice at the least.
	///
	/// # Errors
	/// [`ErrorCode::ChainUnavailable`].
	pub(crate) async fn check_sight_of_channels(&self) -> Result<(), RequestError> {
		self.look().await;
		let settle_ms = self.settings.channels.settle_seconds.saturating_mul(1_000);
		self.seen_within(MIN_CLOSE_NOTICE_MS.saturating_sub(settle_ms))
	}

	fn seen_within(&self, most_ms: u64) -> Result<(), RequestError> {
		let unseen_ms = self.sight.unseen_ms(self.time.steady());
		if unseen_ms < most_ms {
			return Ok(());
		}
		let time = match unseen_ms {
			u64::MAX => "since this coordinator was started".to_string(),
			unseen_ms => format!("for {} seconds", unseen_ms / 1_000),
		};
		let message = format!(
			"no new final block was seen {time}, and what is handed out now might not be paid; \
			 nothing is lost: try again once the coordinator's node is back"
		);
		RequestError::err(ErrorCode::ChainUnavailable, message)
	}
}
