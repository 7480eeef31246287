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
	/// When the node last named another final block, by the steady clock.
	finalized_ms: AtomicU64,
	/// When the follower last came further, or was as far as the chain, by the steady clock.
	moved_ms: AtomicU64,
	trouble: Mutex<Option<Trouble>>,
}

impl Board {
	/// A follower that begins now.
	pub(crate) fn new(clock: Clock) -> Self {
		let now = clock.steady_ms();
		let (finalized_ms, moved_ms) = (AtomicU64::new(now), AtomicU64::new(now));
		let (finalized, trouble) = (AtomicU64::default(), Mutex::default());
		Self { clock, finalized, finalized_ms, moved_ms, trouble }
	}

	/// The last final block, as the node said last.
	pub(crate) fn finalized(&self) -> u64 {
		self.finalized.load(Ordering::Relaxed)
	}

	/// The node says what is final.
	pub(crate) fn sees(&self, finalized: u64) {
		if self.finalized.swap(finalized, Ordering::Relaxed) != finalized {
			self.finalized_ms.store(self.clock.steady_ms(), Ordering::Relaxed);
		}
	}

	/// The follower has come further, or is as far as the chain: nothing keeps it from going on.
	pub(crate) fn moves(&self) {
		self.moved_ms.store(self.clock.steady_ms(), Ordering::Relaxed);
		*self.trouble.locked() = None;
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
		let since = |moment: &AtomicU64| now.saturating_sub(moment.load(Ordering::Relaxed));
		let idle = since(&self.moved_ms);
		if idle >= patience {
			let seconds = idle / 1_000;
			return Some(format!("nothing was indexed for {seconds} s: the node does not answer"));
		}
		let idle = since(&self.finalized_ms);
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
		board.moves();
		assert_eq!(board.standstill(PATIENCE), None);
		board.fails("the state is gone".to_string());
		hands.advance(Duration::from_secs(30));
		// That the chain continues does not help.
		board.sees(8);
		board.fails("the state is gone at all".to_string());
		assert_eq!(board.standstill(PATIENCE), None, "a short cut does not count");
		hands.advance(Duration::from_secs(31));
		board.sees(9);
		let said = board.standstill(PATIENCE).unwrap();
		assert_eq!(said, "nothing was indexed for 61 s: the state is gone at all");
		board.moves();
		assert_eq!((board.standstill(PATIENCE), board.trouble()), (None, None));
	}

	#[test]
	fn a_chain_without_new_final_blocks_is_a_standstill_of_its_own() {
		let (clock, hands) = Clock::manual(0);
		let board = Board::new(clock);
		board.sees(7);
		hands.advance(Duration::from_secs(61));
		board.sees(7);
		board.moves();
		let said = board.standstill(PATIENCE).unwrap();
		assert!(said.starts_with("no block became final for 61 s, the last one is 7"), "{said}");
		board.sees(8);
		assert_eq!(board.standstill(PATIENCE), None);
		// A question that hangs is noticed as well.
		hands.advance(Duration::from_secs(61));
		let said = board.standstill(PATIENCE).unwrap();
		assert!(said.contains("the node does not answer"), "{said}");
	}
}
