//! What an account lacks for what it wants to do.

use gridproof_primitives::num::units::AIT_DECIMALS;
use std::fmt;

/// What an account lacks for a call. All amounts are in units of 10⁻¹⁸ AIT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
	/// The account's address.
	pub account: String,
	/// What the call takes beside the fee, each with its purpose.
	pub taken: Vec<(u128, &'static str)>,
	/// The fee, at most.
	pub fee: u128,
	/// What has to stay on the account, so that it stays in existence.
	pub stays: u128,
	/// What is on the account and not held or frozen.
	pub there: u128,
	/// Is the chain one on which nothing is at stake?
	pub is_game: bool,
}

impl Shortage {
	/// What all of it comes to.
	pub fn needed(&self) -> u128 {
		let taken = self.taken.iter().map(|(amount, _)| *amount).fold(0, u128::saturating_add);
		taken.saturating_add(self.fee).saturating_add(self.stays)
	}

	/// What is missing; zero if there is enough.
	pub fn missing(&self) -> u128 {
		self.needed().saturating_sub(self.there)
	}
}

impl fmt::Display for Shortage {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let Self { account, taken, fee, stays, there, is_game } = self;
		write!(f, "this needs {}: ", ait(self.needed()))?;
		for (amount, purpose) in taken {
			write!(f, "{} for {purpose}, ", ait(*amount))?;
		}
		write!(f, "{} for the fee, ", ait(*fee))?;
		if *stays > 0 {
			write!(f, "{} that stay on the account; ", ait(*stays))?;
		}
		let missing = ait(self.missing());
		write!(f, "{account} can use {}: send it {missing} more, nothing was sent", ait(*there))?;
		if *is_game {
			let amount = missing.trim_end_matches(" AIT");
			write!(
				f,
				" (on this development chain: gridproof wallet transfer --suri //Alice --to {account} \
				 --amount {amount})"
			)?;
		}
		Ok(())
	}
}

/// An amount for people, without zeros at its end.
fn ait(amount: u128) -> String {
	let (one, places) = (10u128.pow(AIT_DECIMALS.into()), usize::from(AIT_DECIMALS));
	let decimal = format!("{}.{:0places$}", amount / one, amount % one);
	format!("{} AIT", decimal.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
	use super::*;

	const AIT: u128 = 1_000_000_000_000_000_000;

	fn shortage(there: u128) -> Shortage {
		Shortage {
			account: "pHa".to_string(),
			taken: vec![(100 * AIT, "the miner's bond")],
			fee: AIT / 400,
			stays: AIT / 100,
			there,
			is_game: false,
		}
	}

	#[test]
	fn what_is_missing_is_exact_and_named_in_tokens() {
		assert_eq!(shortage(0).needed(), 100 * AIT + AIT / 400 + AIT / 100);
		assert_eq!(
			shortage(3 * AIT).to_string(),
			"this needs 100.0125 AIT: 100 AIT for the miner's bond, 0.0025 AIT for the fee, 0.01 AIT \
			 that stay on the account; pHa can use 3 AIT: send it 97.0125 AIT more, nothing was sent"
		);
		assert_eq!(shortage(100 * AIT + AIT / 400 + AIT / 100).missing(), 0);
		assert_eq!(shortage(100 * AIT + AIT / 400 + AIT / 100 - 1).missing(), 1);
	}

	#[test]
	fn on_a_development_chain_it_says_where_tokens_come_from() {
		let empty = Shortage { is_game: true, ..shortage(0) };
		let command = "gridproof wallet transfer --suri //Alice --to pHa --amount 100.0125)";
		assert!(empty.to_string().ends_with(command), "{empty}");
	}
}
