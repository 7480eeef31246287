//! The coverage policy as the chain has it: how things stand, minting, redemption, credit.

use crate::account::{AccountKey, address};
use codec::{Compact, Encode};
use gridproof_chain::{Chain, Failure, Included, Patience, Submitter};
pub use gridproof_primitives::policy::{Breaker, Status};
use gridproof_primitives::{
	H256,
	coverage::State,
	day::Day,
	decimal::Ratio,
	policy::CreditAccount,
	units::{AICP, AICP_ASSET_ID},
};
use serde::Serialize;

/// Name of the pallet in the runtime.
const PALLET: &str = "CoveragePolicy";
/// Name of the runtime API.
const API: &str = "CoverageApi";

/// Why nothing can be minted now, as the chain names it; `None` if something can.
pub fn mint_refusal(status: &Status) -> Option<&'static str> {
	let stated_on = status.statement.as_ref().map(|statement| statement.taken_on);
	if status.breaker != Breaker::Closed {
		Some("CoveragePolicy.MintStopped")
	} else if status.stale {
		Some("CoveragePolicy.Stale")
	} else if stated_on != Some(status.today) {
		Some("CoveragePolicy.AllowanceLapsed")
	} else if !status.state.allows_mint() {
		Some("CoveragePolicy.NotCovered")
	} else if status.allowance == 0 {
		Some("CoveragePolicy.AboveAllowance")
	} else {
		None
	}
}

/// How things stand, for people and programs. Amounts are decimals: AICP, or EUR where the name
/// says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownStatus {
	/// Today, by the chain's calendar.
	pub today: Day,
	/// The last day stated.
	pub last_day: Option<Day>,
	/// Hash of its statement.
	pub statement: Option<String>,
	/// Is it too old, or is there none?
	pub stale: bool,
	/// `defense`, `freeze`, `in_band` or `above_band`.
	pub state: State,
	/// What is stopped.
	pub breaker: Breaker,
	/// CR, cut after six places.
	#[serde(rename = "CR")]
	pub cr: Option<String>,
	/// CR as a fraction in lowest terms, if it fits 128 bits.
	#[serde(rename = "CR_exact")]
	pub cr_exact: Option<String>,
	/// V_reserve.
	pub stock_value_eur: String,
	/// P_E.
	pub eur_per_mwh: Option<String>,
	/// Total issuance.
	pub issuance: String,
	/// S.
	#[serde(rename = "S")]
	pub supply: String,
	/// S_target.
	#[serde(rename = "S_target_for_CR_min")]
	pub supply_target: String,
	/// What can be minted now.
	pub allowance: String,
	/// Why that is nothing, as the chain would name it.
	pub mint_refusal: Option<&'static str>,
	/// Minted today.
	pub minted_today: String,
	/// Tickets in the queue.
	pub queue: u64,
	/// Credit that can still be handed out today.
	pub capacity_eur: String,
	/// Minted since genesis.
	pub minted_total: String,
	/// Burned since genesis.
	pub burned_total: String,
}

impl From<&Status> for ShownStatus {
	fn from(status: &Status) -> Self {
		let statement = status.statement.as_ref();
		let fixed = |parts| Ratio::new(parts, 1_000_000_000_000_000_000);
		let cr = status.ratio.or_else(|| status.ratio_fixed.and_then(fixed));
		Self {
			today: status.today,
			last_day: statement.map(|statement| statement.day),
			statement: statement.map(|statement| format!("{:#x}", statement.hash)),
			stale: status.stale,
			state: status.state,
			breaker: status.breaker,
			cr: cr.map(|ratio| ratio.to_decimal_floor(6)),
			cr_exact: status.ratio.map(|ratio| ratio.to_string()),
			stock_value_eur: millionths(status.v_reserve),
			eur_per_mwh: statement.map(|statement| statement.eur_per_mwh.to_figure()),
			issuance: millionths(status.issuance),
			supply: millionths(status.supply),
			supply_target: millionths(status.supply_target),
			allowance: millionths(status.allowance),
			mint_refusal: mint_refusal(status),
			minted_today: millionths(status.minted),
			queue: status.queue,
			capacity_eur: millionths(status.capacity),
			minted_total: millionths(status.totals.minted),
			burned_total: millionths(status.totals.burned),
		}
	}
}

/// An amount with its six decimals.
pub fn millionths(value: u128) -> String {
	Ratio::millionths(value).to_decimal_floor(6)
}

/// An account's AICP and credit. Amounts are decimals: AICP, or EUR where the name says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownAccount {
	/// Its address.
	pub account: String,
	/// What it holds.
	pub aicp: String,
	/// Credit that it can spend.
	pub available_eur: String,
	/// Credit that is held for something not done yet.
	pub held_eur: String,
	/// Credit that waits in the queue.
	pub waiting_eur: String,
	/// Its tickets in the queue.
	pub tickets: u32,
	/// Redeemed today.
	pub redeemed_today: String,
}

/// What became of a mint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Minted {
	/// Whose it is.
	pub who: String,
	/// How much.
	pub amount: String,
	/// The day whose statement allowed it.
	pub day: Day,
	/// Hash of that statement.
	pub statement: String,
	/// What can still be minted today.
	pub allowance: String,
	/// The block it is final in.
	pub block: String,
}

/// What became of a redemption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Redeemed {
	/// Who redeemed.
	pub who: String,
	/// How much.
	pub amount: String,
	/// What it is worth.
	pub credit_eur: String,
	/// Its place in the queue, if the credit has to wait.
	pub ticket: Option<u64>,
	/// The block it is final in.
	pub block: String,
}

/// What to mint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintOrder {
	/// How much, in micro-tokens; all that is allowed if `None`.
	pub amount: Option<u128>,
	/// For whom.
	pub to: [u8; 32],
	/// The statement whose allowance is used; the one that counts if `None`.
	pub statement: Option<H256>,
}

/// Why something was not minted or redeemed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFault {
	/// Nothing can be minted; nothing was sent.
	#[error("nothing can be minted now, the chain would say {0}: {advice}", advice = advice(.0))]
	NothingToMint(&'static str),
	/// The chain refused the call.
	#[error("refused by the chain: {0}: {advice}", advice = advice(.0))]
	Refused(String),
	/// The chain says no, or nothing.
	#[error(transparent)]
	Chain(Failure),
}

impl From<Failure> for PolicyFault {
	fn from(failure: Failure) -> Self {
		match failure {
			Failure::Refused(name) => Self::Refused(name),
			failure => Self::Chain(failure),
		}
	}
}

/// What to do about an error that the chain names.
fn advice(name: &str) -> &'static str {
	match name.split_once('.').map_or(name, |(_, error)| error) {
		"NotIssuer" => "mint with the key of the issuer that governance named",
		"MintStopped" => "wait until governance allows minting again",
		"RedeemStopped" => "wait until governance allows redemption again",
		"Stale" => "state a recent day first: gridproof attest submit",
		"OtherStatement" => "the statement was revised or replaced; look at the new one first",
		"AllowanceLapsed" => {
			"it could be used only on the day the statement was taken; \
		 wait for the next statement"
		},
		"NotCovered" => "the coverage ratio is below CR_min; wait for a day with more reserve",
		"AboveAllowance" => "no more is left of it today; see gridproof policy status",
		"ZeroAmount" => "name an amount above zero",
		"BelowMinimum" => "redeem more at once",
		"AboveDailyLimit" => "redeem less, or the rest tomorrow",
		"CreditTooLow" => "the credit would be less than --min-credit",
		"WouldLeaveDust" => "redeem all, or leave the token's minimum",
		"QueueFull" => "redeem less, or later",
		"BalanceLow" | "NoAccount" | "FundsUnavailable" => "the account holds less than that",
		_ => "nothing has changed",
	}
}

/// How things stand.
///
/// # Errors
/// [`Failure`].
pub async fn status(chain: &Chain) -> Result<Status, Failure> {
	chain.call(&format!("{API}_status"), &[]).await
}

/// An account's AICP and credit.
///
/// # Errors
/// [`Failure`].
pub async fn account(chain: &Chain, account: &[u8; 32]) -> Result<ShownAccount, Failure> {
	let aicp = chain.balance(AICP_ASSET_ID, account).await?;
	let credit: Option<CreditAccount<u128>> =
		chain.call(&format!("{API}_account"), account).await?;
	let today = status(chain).await?.today;
	let of = |part: fn(&CreditAccount<u128>) -> u128| millionths(credit.as_ref().map_or(0, part));
	let redeemed_today = credit.as_ref().filter(|credit| credit.redeemed_on == today);
	Ok(ShownAccount {
		account: address(account),
		aicp: millionths(aicp),
		available_eur: of(|credit| credit.available),
		held_eur: of(|credit| credit.held),
		waiting_eur: of(|credit| credit.pending),
		tickets: credit.as_ref().map_or(0, |credit| credit.tickets),
		redeemed_today: millionths(redeemed_today.map_or(0, |credit| credit.redeemed)),
	})
}

/// Mints of the day's allowance and waits until it is final.
///
/// # Errors
/// [`PolicyFault`]; nothing is minted then, unless it is [`Failure::Undecided`].
pub async fn mint(
	chain: &Chain,
	issuer: impl Into<AccountKey>,
	order: &MintOrder,
	patience: &Patience,
) -> Result<Minted, PolicyFault> {
	let status = status(chain).await?;
	let none = PolicyFault::NothingToMint("CoveragePolicy.Stale");
	let Some(counting) = &status.statement else { return Err(none) };
	let amount = match (order.amount, mint_refusal(&status)) {
		(Some(amount), _) => amount,
		(None, Some(refusal)) => return Err(PolicyFault::NothingToMint(refusal)),
		(None, None) => status.allowance,
	};
	let statement = order.statement.unwrap_or(counting.hash);
	let arguments = (Compact(amount), order.to, statement).encode();
	let included = send(chain, issuer.into(), "mint", arguments, patience).await?;
	Ok(Minted {
		who: address(&order.to),
		amount: millionths(number(&included, "Minted", "amount")?),
		day: u32::try_from(number(&included, "Minted", "day")?)
			.ok()
			.and_then(Day::from_days)
			.unwrap_or(counting.day),
		statement: format!("{statement:#x}"),
		allowance: millionths(number(&included, "Minted", "allowance")?),
		block: format!("{:#x}", included.block),
	})
}

/// Burns `amount` micro-tokens for service credit of `min_credit` micro-EUR at least, by default
/// what it is worth now, and waits until it is final.
///
/// # Errors
/// [`PolicyFault`]; nothing is burned then, unless it is [`Failure::Undecided`].
pub async fn redeem(
	chain: &Chain,
	holder: impl Into<AccountKey>,
	amount: u128,
	min_credit: Option<u128>,
	patience: &Patience,
) -> Result<Redeemed, PolicyFault> {
	let min_credit = match min_credit {
		Some(credit) => credit,
		None => chain.ask(&format!("{API}_redeem_quote"), &amount.encode()).await?,
	};
	let holder = holder.into();
	let who = address(&holder.account());
	let arguments = (Compact(amount), Compact(min_credit)).encode();
	let included = send(chain, holder, "redeem", arguments, patience).await?;
	let ticket = included.number("CoveragePolicy.Redeemed", "ticket");
	Ok(Redeemed {
		who,
		amount: millionths(number(&included, "Redeemed", "amount")?),
		credit_eur: millionths(number(&included, "Redeemed", "credit")?),
		ticket: ticket.and_then(|ticket| u64::try_from(ticket).ok()),
		block: format!("{:#x}", included.block),
	})
}

async fn send(
	chain: &Chain,
	signer: AccountKey,
	call: &str,
	arguments: Vec<u8>,
	patience: &Patience,
) -> Result<Included, PolicyFault> {
	let submitter = Submitter::new(chain.clone(), signer, *patience);
	let mut outcomes = submitter.submit(&[(PALLET, call, arguments)]).await?;
	let lost = || Failure::Unsupported(format!("an outcome of {PALLET}.{call}"));
	Ok(outcomes.pop().ok_or_else(lost)??)
}

fn number(included: &Included, event: &str, field: &str) -> Result<u128, Failure> {
	let event = format!("{PALLET}.{event}");
	let unsupported = || Failure::Unsupported(format!("the field {field} of {event}"));
	included.number(&event, field).ok_or_else(unsupported)
}

/// An amount of at most six decimals as millionths.
///
/// # Errors
/// What is wrong with it.
pub fn parse_millionths(text: &str) -> Result<u128, String> {
	let amount = Ratio::parse(text).map_err(|error| error.to_string())?;
	let units = amount.checked_mul(&AICP.into()).filter(|units| units.denominator() == 1);
	Ok(units.ok_or("more than six decimals, or too large")?.numerator())
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::policy::{Statement, Totals};

	#[test]
	fn amounts_are_exact_or_refused() {
		assert_eq!(parse_millionths("1"), Ok(1_000_000));
		assert_eq!(parse_millionths("0.000001"), Ok(1));
		assert_eq!(millionths(3_750_000_000_001), "3750000.000001");
		assert!(parse_millionths("0.0000001").is_err());
		assert!(parse_millionths("-1").is_err());
	}

	#[test]
	fn every_reason_for_an_allowance_of_nothing_is_named() {
		let day = Day::parse("2025-03-25").unwrap();
		let counting = Statement {
			hash: H256::zero(),
			day: day.previous().unwrap(),
			taken_on: day,
			wh_committed: 1,
			eur_per_mwh: Ratio::ONE,
			compute_assets: 0,
			reference: None,
		};
		let totals = Totals { genesis: 0, minted: 0, burned: 0, credited: 0, spent: 0 };
		let open = Status {
			today: day,
			state: State::InBand,
			breaker: Breaker::Closed,
			stale: false,
			statement: Some(counting),
			issuance: 1,
			supply: 1,
			supply_target: 1,
			v_reserve: 1,
			ratio: None,
			ratio_fixed: Some(1_100_000_999_999_999_999),
			allowance: 1,
			minted: 0,
			queue: 0,
			capacity: 0,
			totals,
		};
		assert_eq!(mint_refusal(&open), None);
		let shown = ShownStatus::from(&open);
		assert_eq!((shown.cr.as_deref(), shown.cr_exact), (Some("1.100000"), None));
		let refusal = |change: fn(&mut Status)| {
			let mut status = open;
			change(&mut status);
			mint_refusal(&status).unwrap()
		};
		assert_eq!(refusal(|s| s.allowance = 0), "CoveragePolicy.AboveAllowance");
		assert_eq!(refusal(|s| s.state = State::Frozen), "CoveragePolicy.NotCovered");
		assert_eq!(
			refusal(|s| s.today = s.today.next().unwrap()),
			"CoveragePolicy.AllowanceLapsed"
		);
		assert_eq!(refusal(|s| s.stale = true), "CoveragePolicy.Stale");
		assert_eq!(refusal(|s| s.breaker = Breaker::MintStopped), "CoveragePolicy.MintStopped");
	}
}
