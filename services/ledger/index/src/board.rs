//! What the follower shows of itself.

use gridproof_support::{Clock, Lock};
use std::{
	sync::{
		Mutex,
		atomic::{AtomicU64, Ordering},
	},
	time::Duration,
};

/// What keeps the index from going on, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
	reason: String,
	/// By the steady clock.
	since_ms: u64,
}

/// Where the follower is.
pub(crate) struct Board {
	clock: Clock,
	finalized: AtomicU64,
	/// When the follower last came as far as the chain, or at least further, by the steady clock.
	moved_ms: AtomicU64,
	trouble: Mutex<Option<Trouble>>,
}

impl Board {
	/// A follower that begins now.
	pub(crate) fn new(clock: Clock) -> Self {
		let moved_ms = AtomicU64::new(clock.steady_ms());
		Self { clock, finalized: AtomicU64::default(), moved_ms, trouble: Mutex::default() }
	}

	/// The last final block, as the node said last.
	pub(crate) fn finalized(&self) -> u64 {
		self.finalized.load(Ordering::Relaxed)
	}

	/// The node says what is final.
	pub(crate) fn sees(&self, finalized: u64) {
		if self.finalized.swap(finalized, Ordering::Relaxed) != finalized {
			self.moves();
		}
		*self.trouble.locked() = None;
	}

	/// The follower, or the chain, has come further.
	pub(crate) fn moves(&self) {
		self.moved_ms.store(self.clock.steady_ms(), Ordering::Relaxed);
	}

	/// Something keeps the follower from going on.
	pub(crate) fn fails(&self, reason: String) {
		let mut trouble = self.trouble.locked();
		let since_ms = trouble.as_ref().map_or_else(|| self.clock.steady_ms(), |old| old.since_ms);
		*trouble = Some(Trouble { reason, since_ms });
	}

	/// What keeps the follower from going on.
	pub(crate) fn trouble(&self) -> Option<String> {
		self.trouble.locked().as_ref().map(|trouble| trouble.reason.clone())
	}

	/// Why the index stands still, if it has done so for longer than this.
	pub(crate) fn standstill(&self, patience: Duration) -> Option<String> {
		let (now, patience) = (self.clock.steady_ms(), gridproof_support::clock::millis(patience));
		let trouble = self.trouble.locked().clone();
		if let Some(Trouble { reason, since_ms }) = trouble
			&& now.saturating_sub(since_ms) >= patience
		{
			let seconds = now.saturating_sub(since_ms) / 1_000;
			return Some(format!("nothing was indexed for {seconds} s: {reason}"));
		}
		let idle = now.saturating_sub(self.moved_ms.load(Ordering::Relaxed));
		(idle >= patience).then(|| {
			let (seconds, last) = (idle / 1_000, self.finalized());
			format!(
				"no block became final for {seconds} s, the last one is {last}: the node or its network stands \
				 still"
			)
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const PATIENCE: Duration = Duration::from_secs(60);

	#[test]
	fn an_index_that_stands_still_says_why_and_for_how_long() {
		let (clock, hands) = Clock::manual(0);
		let board = Board::new(clock);
		board.sees(7);
		assert_eq!(board.standstill(PATIENCE), None);
		board.fails("no node answers".to_string());
		hands.advance(Duration::from_secs(30));
		board.fails("no node answers at all".to_string());
		assert_eq!(board.standstill(PATIENCE), None, "a short cut is no standstill");
		hands.advance(Duration::from_secs(31));
		let said = board.standstill(PATIENCE).unwrap();
		assert_eq!(said, "nothing was indexed for 61 s: no node answers at all");
		board.sees(8);
		assert_eq!((board.standstill(PATIENCE), board.trouble()), (None, None));
	}

	#[test]
	fn a_chain_without_new_final_blocks_is_a_standstill_of_its_own() {
		let (clock, hands) = Clock::manual(0);
		let board = Board::new(clock);
		board.sees(7);
		hands.advance(Duration::from_secs(61));
		board.sees(7);
		let said = board.standstill(PATIENCE).unwrap();
		assert!(said.starts_with("no block became final for 61 s, the last one is 7"), "{said}");
		board.moves();
		assert_eq!(board.standstill(PATIENCE), None, "it still catches up");
	}
}
