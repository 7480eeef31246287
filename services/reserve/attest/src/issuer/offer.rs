//! What can be minted now.

use crate::coverage::mint_refusal;
use gridproof_chain::pallets::coverage_policy::Refusal;
use gridproof_primitives::{H256, reserve::state::Status, time::day::Day};

/// What the chain allows to be minted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
	/// The chain's day.
	pub day: Day,
	/// Hash of the statement that allows it.
	pub statement: H256,
	/// Amount, in micro-tokens, above zero.
	pub amount: u128,
}

impl Offer {
	/// Returns the offer without the amount that is left to others; `None` if nothing remains.
	pub(super) fn less(self, left: u128) -> Option<Self> {
		let amount = self.amount.checked_sub(left).filter(|amount| *amount > 0)?;
		Some(Self { amount, ..self })
	}

	/// Returns what can be minted now, or the reason for which nothing can.
	pub fn of(status: &Status) -> Result<Self, Refusal> {
		match (mint_refusal(status), &status.statement) {
			(Some(refusal), _) => Err(refusal),
			(None, None) => Err(Refusal::Stale),
			(None, Some(statement)) => {
				let (day, amount) = (status.today, status.allowance);
				Ok(Self { day, statement: statement.hash, amount })
			},
		}
	}
}
