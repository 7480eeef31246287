//! Coverage of AICP: minting, redemption, service credit.

/// The pallet's name.
pub(crate) const PALLET: &str = "CoveragePolicy";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{Call, pallets::AccountId};
	use codec::Compact;
	use gridproof_primitives::{
		H256,
		reserve::{parameters::PolicyParameters, state::Breaker},
	};

	/// Mints `amount` micro-tokens of the day's allowance to `who`. For the issuer. `statement` is
	/// the hash of the fields of the statement whose allowance is used.
	pub fn mint(amount: u128, who: AccountId, statement: H256) -> Call {
		Call::new(PALLET, "mint", &(Compact(amount), who, statement))
	}

	/// Burns `amount` micro-tokens for service credit of `min_credit` micro-EUR at least.
	pub fn redeem(amount: u128, min_credit: u128) -> Call {
		Call::new(PALLET, "redeem", &(Compact(amount), Compact(min_credit)))
	}

	/// Serves at most `tickets` of the queue.
	pub fn serve(tickets: u32) -> Call {
		Call::new(PALLET, "serve", &tickets)
	}

	/// Removes an empty credit account and returns its deposit to its owner.
	pub fn close_account(who: AccountId) -> Call {
		Call::new(PALLET, "close_account", &who)
	}

	/// Sets all parameters. For governance.
	pub fn set_parameters(new: &PolicyParameters) -> Call {
		Call::new(PALLET, "set_parameters", new)
	}

	/// Names who may mint, or nobody. For governance.
	pub fn set_issuer(new: Option<AccountId>) -> Call {
		Call::new(PALLET, "set_issuer", &new)
	}

	/// Stops more or less. For governance; to stop more, also in an emergency.
	pub fn set_breaker(new: Breaker) -> Call {
		Call::new(PALLET, "set_breaker", &new)
	}
}

/// Questions.
pub mod query {
	use crate::{Query, pallets::AccountId};
	use gridproof_primitives::reserve::{
		parameters::PolicyParameters,
		state::{CreditAccount, DayRecord, Quote, Status, Ticket, WhatIf},
	};

	/// How things stand.
	pub fn status() -> Query<Status> {
		Query::new("CoverageApi_status", &())
	}

	/// What can be minted now, in micro-tokens.
	pub fn allowance() -> Query<u128> {
		Query::new("CoverageApi_allowance", &())
	}

	/// What governance decided.
	pub fn parameters() -> Query<PolicyParameters> {
		Query::new("CoverageApi_parameters", &())
	}

	/// The latest stated days, latest first, at most `limit`.
	pub fn history(limit: u32) -> Query<Vec<DayRecord>> {
		Query::new("CoverageApi_history", &limit)
	}

	/// What would be, with other inputs.
	pub fn quote(what_if: &WhatIf) -> Query<Quote> {
		Query::new("CoverageApi_quote", what_if).or_refused()
	}

	/// What redeeming `amount` micro-tokens is worth now, in micro-EUR.
	pub fn redeem_quote(amount: u128) -> Query<u128> {
		Query::new("CoverageApi_redeem_quote", &amount).or_refused()
	}

	/// What an account has redeemed and not used up.
	pub fn account(who: AccountId) -> Query<Option<CreditAccount<u128>>> {
		Query::new("CoverageApi_account", &who)
	}

	/// The tickets that wait, with their numbers, from the `skip`-th on, at most `limit`.
	pub fn queue(skip: u32, limit: u32) -> Query<Vec<(u64, Ticket<AccountId, u128>)>> {
		Query::new("CoverageApi_queue", &(skip, limit))
	}
}

/// Events.
pub mod event {
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
			/// AICP was minted.
			Minted {
				/// The account that has it.
				who: AccountId,
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
			/// Service credit was spent.
			CreditSpent {
				/// The account whose it was.
				who: AccountId,
				/// In micro-EUR.
				credit: u128,
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
}

refusals! {
	/// Why the coverage policy says no.
	"CoveragePolicy" {
		0 NegativePrice: "the stated price is below zero: state another day";
		1 ZeroPrice: "the stated price is zero: state another day";
		2 PriceTooLow: "the stated price is below the lowest one that is believed: check its source";
		3 PriceTooHigh: "the stated price is above the highest one that is believed: check its source";
		4 PriceMovedTooFar: "the stated price is too far from the last one: check its source";
		5 WrongZones: "the statement is about another number of zones than the chain's parameters";
		6 AlphaTooHigh: "the statement's α is above what its complete zones allow";
		7 AboveInventory: "the stated compute assets are above the inventory";
		8 MintStopped: "wait until governance allows minting again";
		9 RedeemStopped: "wait until governance allows redemption again";
		10 NotIssuer: "mint with the key of the issuer that governance named";
		11 Stale: "state a recent day first: gridproof attest submit";
		12 OtherStatement: "the statement was revised or replaced; look at the new one first";
		13 AllowanceLapsed: "it could be used only on the day the statement was taken; wait for the next statement";
		14 NotCovered: "the coverage ratio is below CR_min; wait for a day with more reserve";
		15 AboveAllowance: "no more is left of it today; see gridproof policy status";
		16 ZeroAmount: "name an amount above zero";
		17 BelowMinimum: "redeem more at once";
		18 AboveDailyLimit: "redeem less, or the rest tomorrow";
		19 CreditTooLow: "the credit would be less than --min-credit";
		20 WouldLeaveDust: "redeem all, or leave the token's minimum";
		21 QueueFull: "redeem less, or later";
		22 NothingToServe: "there is no ticket, or no credit left to hand out today";
		23 InsufficientCredit: "the account has less credit";
		24 NoAccount: "the account has no credit";
		25 AccountInUse: "the account has credit or tickets, or has redeemed today";
		26 InvalidParameters: "the parameters contradict each other";
		27 Unchanged: "it already has this value";
		28 NotGovernance: "only governance allows again what was stopped";
		29 Overflow: "a figure is too large";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain? A mint names its statement, which counts for a day: what ends with the day does not
	/// come back. A statement's figures stay what they are.
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::MintStopped
			| Self::RedeemStopped
			| Self::AboveDailyLimit
			| Self::QueueFull
			| Self::NothingToServe
			| Self::AccountInUse => true,
			Self::NegativePrice
			| Self::ZeroPrice
			| Self::PriceTooLow
			| Self::PriceTooHigh
			| Self::PriceMovedTooFar
			| Self::WrongZones
			| Self::AlphaTooHigh
			| Self::AboveInventory
			| Self::NotIssuer
			| Self::Stale
			| Self::OtherStatement
			| Self::AllowanceLapsed
			| Self::NotCovered
			| Self::AboveAllowance
			| Self::ZeroAmount
			| Self::BelowMinimum
			| Self::CreditTooLow
			| Self::WouldLeaveDust
			| Self::InsufficientCredit
			| Self::NoAccount
			| Self::InvalidParameters
			| Self::Unchanged
			| Self::NotGovernance
			| Self::Overflow => false,
		}
	}
}
