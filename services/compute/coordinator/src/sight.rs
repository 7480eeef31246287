//! How long the chain has not been seen, and what is not done meanwhile.
//!
//! A client can cancel at any time; the chain then waits for its notice and returns the money, unless a
//! receipt comes before. A coordinator that has not seen the chain for nearly that long may no longer be
//! paid for what it hands out: it takes no new work, gives none to miners and shows no output that is
//! not settled, until it sees the chain again.

use crate::{coordinator::Coordinator, error::RequestError};
use gridproof_chain::ChainError;
use gridproof_compute_api::protocol::ErrorCode;
use gridproof_primitives::compute::{MIN_NOTICE_MS, channels::MIN_CLOSE_NOTICE_MS};
use gridproof_support::Lock;
use std::{sync::Mutex, time::Duration};

/// How old the last sight of the chain is before it is looked at again, in milliseconds.
const FRESH_MS: u64 = 5_000;
/// How long a look may take: what waits for it is a request.
const LOOK: Duration = Duration::from_secs(4);
/// What is kept of a notice for the claim itself, in milliseconds: as long as one is followed that is
/// free of charge.
const CLAIM_MS: u64 = 15_000;

/// What was seen of the chain last.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
	/// Time of the newest final block that was seen, UTC milliseconds.
	chain_ms: u64,
	/// Steady milliseconds at which that block was seen first; `None` if none ever was.
	at_ms: Option<u64>,
	/// Steady milliseconds of the last look; `None` if there was none.
	looked_ms: Option<u64>,
	/// Notice of a cancellation on this chain, in milliseconds.
	notice_ms: u64,
}

/// When the chain was seen last: a newer final block than before, not just a node that answers.
pub(crate) struct Sight {
	seen: Mutex<Seen>,
	/// Held while somebody looks: the others wait for what he sees.
	looking: tokio::sync::Mutex<()>,
}

impl Default for Sight {
	fn default() -> Self {
		let seen = Seen { notice_ms: MIN_NOTICE_MS, ..Seen::default() };
		Self { seen: Mutex::new(seen), looking: tokio::sync::Mutex::default() }
	}
}

impl Sight {
	/// Notes what a look showed: time of the last final block and notice; nothing if it failed.
	fn note(&self, shown: Option<(u64, u64)>, steady_ms: u64) {
		let mut seen = self.seen.locked();
		seen.looked_ms = Some(steady_ms);
		let Some((chain_ms, notice_ms)) = shown else { return };
		seen.notice_ms = notice_ms;
		if chain_ms > seen.chain_ms {
			(seen.chain_ms, seen.at_ms) = (chain_ms, Some(steady_ms));
		}
	}

	/// Returns `true` if the last look is old.
	fn is_due(&self, steady_ms: u64) -> bool {
		let looked = self.seen.locked().looked_ms;
		looked.is_none_or(|looked| steady_ms.saturating_sub(looked) >= FRESH_MS)
	}

	/// Returns for how long no newer block was seen, in milliseconds.
	fn unseen_ms(&self, steady_ms: u64) -> u64 {
		let at = self.seen.locked().at_ms;
		at.map_or(u64::MAX, |at| steady_ms.saturating_sub(at))
	}

	fn notice_ms(&self) -> u64 {
		self.seen.locked().notice_ms
	}
}

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
		let since = match unseen_ms {
			u64::MAX => "this coordinator was started".to_string(),
			unseen_ms => format!("{} seconds ago", unseen_ms / 1_000),
		};
		let message = format!(
			"no new final block was seen since {since}, and what is handed out now might not be paid; \
			 nothing is lost: try again once the coordinator's node is back"
		);
		RequestError::err(ErrorCode::ChainUnavailable, message)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn only_a_newer_block_is_a_sight_of_the_chain() {
		let sight = Sight::default();
		assert_eq!(sight.unseen_ms(7), u64::MAX, "never");
		sight.note(Some((1_000, 90_000)), 10);
		assert_eq!((sight.unseen_ms(15), sight.notice_ms()), (5, 90_000));
		// The node answers, and its chain stands still.
		sight.note(Some((1_000, 90_000)), 5_010);
		assert_eq!(sight.unseen_ms(5_010), 5_000);
		sight.note(None, 10_010);
		assert_eq!(sight.unseen_ms(10_010), 10_000);
		sight.note(Some((1_001, 60_000)), 15_010);
		assert_eq!((sight.unseen_ms(15_010), sight.notice_ms()), (0, 60_000));
	}

	#[test]
	fn a_look_that_failed_is_not_repeated_at_once() {
		let sight = Sight::default();
		assert!(sight.is_due(0));
		sight.note(None, 0);
		assert!(!sight.is_due(4_999));
		assert!(sight.is_due(5_000));
	}
}
