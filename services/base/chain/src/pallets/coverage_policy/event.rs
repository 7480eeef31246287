//! Events.

use crate::pallets::AccountId;
use gridproof_primitives::{
	H256,
	reserve::{formula::State, parameters::PolicyParameters, state::Breaker},
	time::day::Day,
};

events! {
	"CoveragePolicy" {
		/// A statement about the latest day was taken.
		StatementTaken {
			/// Hash of its fields.
			statement: H256,
			/// The day it is about.
			day: Day,
			/// V_reserve, in micro-EUR.
			v_reserve: u128,
			/// S_target, in micro-tokens.
			supply_target: u128,
			/// What can be minted now, in micro-tokens.
			allowance: u128,
		}
		/// A statement about a day before the latest one was noted. It changes nothing.
		StatementNoted {
			/// Hash of its fields.
			statement: H256,
			/// The day it is about.
			day: Day,
		}
		/// The state changed.
		StateChanged {
			/// The state before.
			from: State,
			/// The state now.
			to: State,
			/// CR in parts of 10¹⁸, floored; `None` if nothing is issued or known.
			ratio: Option<u128>,
		}
		/// AICP was minted to the treasury.
		Minted {
			/// In micro-tokens.
			amount: u128,
			/// The day whose statement allowed it.
			day: Day,
			/// What can still be minted today, in micro-tokens.
			allowance: u128,
		}
		/// AICP was burned for service credit.
		Redeemed {
			/// The account that redeemed.
			who: AccountId,
			/// In micro-tokens.
			amount: u128,
			/// What it is worth, in micro-EUR.
			credit: u128,
			/// The ticket, if the credit has to wait.
			ticket: Option<u64>,
		}
		/// Service credit was handed out.
		CreditGiven {
			/// The account that can spend it.
			who: AccountId,
			/// In micro-EUR.
			credit: u128,
			/// What is still to come of the same redemption, in micro-EUR.
			waiting: u128,
		}
		/// Service credit was spent, and who served it was paid.
		CreditSpent {
			/// The account whose it was.
			who: AccountId,
			/// In micro-EUR.
			credit: u128,
			/// The account that was paid.
			to: AccountId,
			/// AICP paid, in micro-tokens.
			paid: u128,
		}
		/// A credit account was closed and its deposit returned.
		AccountClosed {
			/// The account whose it was.
			who: AccountId,
		}
		/// The parameters changed.
		ParametersSet {
			/// The ones before.
			old: PolicyParameters,
			/// The ones now.
			new: PolicyParameters,
		}
		/// There is another issuer.
		IssuerSet {
			/// The one before.
			old: Option<AccountId>,
			/// The one now.
			new: Option<AccountId>,
		}
		/// More or less is stopped.
		BreakerSet {
			/// What was stopped before.
			old: Breaker,
			/// What is stopped now.
			new: Breaker,
		}
	}
}
