//! When the chain was seen last.

use gridproof_primitives::compute::MIN_NOTICE_MS;
use gridproof_support::Lock;
use std::sync::Mutex;

/// How old the last sight of the chain is before it is looked at again, in milliseconds.
const FRESH_MS: u64 = 5_000;

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
	pub(crate) looking: tokio::sync::Mutex<()>,
}

impl Default for Sight {
	fn default() -> Self {
		let seen = Seen { notice_ms: MIN_NOTICE_MS, ..Seen::default() };
		Self { seen: Mutex::new(seen), looking: tokio::sync::Mutex::default() }
	}
}

impl Sight {
	/// Notes what a look showed: time of the last final block and notice; nothing if it failed.
	pub(crate) fn note(&self, shown: Option<(u64, u64)>, steady_ms: u64) {
		let mut seen = self.seen.locked();
		seen.looked_ms = Some(steady_ms);
		let Some((chain_ms, notice_ms)) = shown else { return };
		seen.notice_ms = notice_ms;
		if chain_ms > seen.chain_ms {
			(seen.chain_ms, seen.at_ms) = (chain_ms, Some(steady_ms));
		}
	}

	/// Returns `true` if the last look is old.
	pub(crate) fn is_due(&self, steady_ms: u64) -> bool {
		let looked = self.seen.locked().looked_ms;
		looked.is_none_or(|looked| steady_ms.saturating_sub(looked) >= FRESH_MS)
	}

	/// Returns for how long no newer block was seen, in milliseconds.
	pub(crate) fn unseen_ms(&self, steady_ms: u64) -> u64 {
		let at = self.seen.locked().at_ms;
		at.map_or(u64::MAX, |at| steady_ms.saturating_sub(at))
	}

	pub(crate) fn notice_ms(&self) -> u64 {
		self.seen.locked().notice_ms
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
