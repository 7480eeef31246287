//! Everything that waits of a party, and its release.

use super::{call, query};
use crate::{Chain, ChainError, Included, Patience};
use gridproof_primitives::{
	compute::checks::{MAX_RELEASES, Part, WaitingView},
	crypto::ed25519::PublicKey,
};

/// Number of parts that one question returns.
const PAGE: u32 = 200;
/// Most parts that are asked for.
const MOST: usize = 10_000;

/// Returns what waits of the miner or coordinator that lines or headers name by a key, the earliest
/// first: ten thousand parts or a few more at most.
///
/// # Errors
/// [`ChainError`].
pub async fn waiting(chain: &Chain, key: &PublicKey) -> Result<Vec<WaitingView>, ChainError> {
	let mut all: Vec<WaitingView> = Vec::new();
	let mut after = None;
	while all.len() < MOST {
		let page = chain.read(&query::waiting_of(key, after, PAGE)).await?;
		let Some(last) = page.last() else { break };
		after = Some(*last.part.batch());
		all.extend(page);
	}
	all.sort_by_key(|view| (view.pay_due_ms, view.part));
	Ok(all)
}

/// Returns the parts of what waits that are due at a time, UTC milliseconds, in their order: as many as one call
/// releases.
pub fn due(waiting: &[WaitingView], now_ms: u64) -> Vec<Part> {
	let most = usize::try_from(MAX_RELEASES).unwrap_or(usize::MAX);
	let due = waiting.iter().filter(|view| view.is_due(now_ms));
	due.take(most).map(|view| view.part).collect()
}

/// Releases parts, free of fees, as many at once as a call takes. Returns the transactions.
///
/// # Errors
/// [`ChainError`]: [`ChainError::Refused`] if one of the parts is not due any more. What was sent before
/// is released.
pub async fn release(
	chain: &Chain,
	parts: &[Part],
	patience: &Patience,
) -> Result<Vec<Included>, ChainError> {
	let most = usize::try_from(MAX_RELEASES).unwrap_or(usize::MAX);
	let mut sent = Vec::new();
	for some in parts.chunks(most) {
		sent.push(chain.submit_authorized(&call::release_waiting(some), patience).await?);
	}
	Ok(sent)
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::compute::{PriceAsset, checks::BatchId};

	/// What waits of a coordinator, with ends of windows.
	fn waits(due_ms: impl IntoIterator<Item = u64>) -> Vec<WaitingView> {
		let view = |(sequence, pay_due_ms)| WaitingView {
			part: Part::Coordinator(BatchId { coordinator: [1; 32], sequence }),
			asset: PriceAsset::Ait,
			pay: 1,
			claim: 0,
			is_signed: true,
			settled_ms: 0,
			pay_due_ms,
			mint_due_ms: pay_due_ms,
			held_until_ms: None,
			is_taken: false,
		};
		(0..).zip(due_ms).map(view).collect()
	}

	#[test]
	fn what_is_due_is_found_behind_any_number_of_parts_that_are_not() {
		let mut waiting = waits((0..500).map(|_| 9_000).chain([1_000, 2_000]));
		assert_eq!(due(&waiting, 999), []);
		let found = [waiting[500].part, waiting[501].part];
		assert_eq!(due(&waiting, 1_999), found[..1]);
		assert_eq!(due(&waiting, 2_000), found);
		waiting[500].held_until_ms = Some(3_000);
		assert_eq!(due(&waiting, 2_000), found[1..]);
	}

	#[test]
	fn no_more_parts_are_due_at_once_than_a_call_releases() {
		let waiting = waits(0..300);
		let found = due(&waiting, 1_000);
		assert_eq!(u32::try_from(found.len()), Ok(MAX_RELEASES));
		assert_eq!((found[0], found[127]), (waiting[0].part, waiting[127].part), "the first ones");
	}
}
