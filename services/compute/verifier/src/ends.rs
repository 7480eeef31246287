//! What nobody in particular has to do, and what would else be left undone: checks counted, days paid, clients
//! given back what was taken.

use crate::{
	chain::Closing,
	verifier::{NotDone, Verifier},
};

/// Batches that are looked at in one turn.
const AT_A_TURN: u32 = 64;
const DAY_MS: u64 = 86_400_000;

impl Verifier {
	/// Does it, as far as it is due. Several verifiers do it beside each other: who comes second is refused.
	///
	/// # Errors
	/// [`NotDone`].
	pub(crate) async fn end_what_is_over(&self) -> Result<(), NotDone> {
		self.chain.give_back().await?;
		let waiting = self.chain.waiting().await?;
		for batch in self.state.watched(AT_A_TURN).await? {
			if waiting.iter().any(|one| one.id() == batch) {
				continue;
			}
			if self.chain.drawn(batch).await?.is_some() {
				self.close(Closing::Checks(batch)).await?;
			}
			if self.chain.drawn(batch).await?.is_none() {
				self.state.unwatch(batch).await?;
			}
		}
		self.pay_yesterday().await
	}

	/// Has the checks of yesterday paid, once: later it is too late.
	async fn pay_yesterday(&self) -> Result<(), NotDone> {
		let Some(yesterday) = self.now().checked_div(DAY_MS).and_then(|day| day.checked_sub(1))
		else {
			return Ok(());
		};
		if self.is_paid(yesterday) {
			return Ok(());
		}
		self.close(Closing::Day(yesterday)).await?;
		self.set_paid(yesterday);
		Ok(())
	}
}
