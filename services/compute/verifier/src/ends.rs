//! What nobody in particular has to do, and what would else be left undone: checks counted, clients given back
//! what was taken.

use crate::{
	chain::Closing,
	verifier::{NotDone, Verifier},
};
use gridproof_primitives::compute::checks::MAX_HOLD_MS;

/// Batches that are looked at in one turn.
const AT_A_TURN: u32 = 64;

impl Verifier {
	/// Does it, as far as it is due. Several verifiers do it beside each other: who comes second is refused.
	///
	/// # Errors
	/// [`NotDone`].
	pub(crate) async fn end_what_is_over(&self) -> Result<(), NotDone> {
		self.chain.give_back().await?;
		let waiting = self.chain.waiting().await?;
		for (batch, _) in self.state.watched(AT_A_TURN).await? {
			if let Some(one) = waiting.iter().find(|one| one.id() == batch) {
				// Where the mint's window stands still, checks are counted once pay can be held no longer.
				let is_paid = one.due_ms.saturating_add(MAX_HOLD_MS) <= self.now();
				if is_paid && !self.chain.reports(batch).await?.is_empty() {
					self.close(Closing::Checks(batch)).await?;
				}
				continue;
			}
			if self.chain.drawn(batch).await?.is_some() {
				self.close(Closing::Checks(batch)).await?;
			}
			if self.chain.drawn(batch).await?.is_none() {
				self.state.unwatch(batch).await?;
			}
		}
		Ok(())
	}
}
