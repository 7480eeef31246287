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
