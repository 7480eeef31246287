//! The state of coverage, as the chain has it and as people read it.

use crate::amounts::millionths;
use gridproof_chain::pallets::coverage_policy::Refusal;
use gridproof_primitives::{
	num::decimal::{Ratio, SignedRatio},
	reserve::{
		formula::State,
		state::{Breaker, Status},
	},
	time::day::Day,
};
use gridproof_support::text::Amount;
use serde::Serialize;

/// Returns the reason for which the chain would refuse every mint now; `None` if something can be
/// minted.
pub fn mint_refusal(status: &Status) -> Option<Refusal> {
	let day_of_use = status.statement.as_ref().map(|statement| statement.taken_on);
	if status.breaker != Breaker::Closed {
		Some(Refusal::MintStopped)
	} else if status.stopped_by_role {
		Some(Refusal::StoppedByRole)
	} else if status.stale {
		Some(Refusal::Stale)
	} else if day_of_use > Some(status.today) {
		Some(Refusal::AllowanceNotOpen)
	} else if day_of_use != Some(status.today) {
		Some(Refusal::AllowanceLapsed)
	} else if status.statement.as_ref().is_some_and(|statement| statement.price.is_negative()) {
		Some(Refusal::NegativePrice)
	} else if status.statement.as_ref().is_some_and(|s| s.price == SignedRatio::default()) {
		Some(Refusal::ZeroPrice)
	} else if !status.state.allows_mint() {
		Some(Refusal::NotCovered)
	} else if status.allowance == 0 {
		Some(Refusal::AboveAllowance)
	} else {
		None
	}
}

/// The state of coverage for people and programs. Amounts are decimals: AICP, or EUR where the name
/// says so; beside each stands `…_units`, the same in units of 10⁻⁶.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownCoverage {
	/// Today, by the chain's calendar.
	pub today: Day,
	/// Last day stated.
	pub last_day: Option<Day>,
	/// Hash of the statement of that day.
	pub statement: Option<String>,
	/// Whether that statement is too old, or there is none.
	pub stale: bool,
	/// `defense`, `freeze`, `in_band` or `above_band`.
	pub state: State,
	/// What governance has stopped.
	pub breaker: Breaker,
	/// Whether a role of the attestations has stopped minting.
	pub stopped_by_role: bool,
	/// CR, cut after six places.
	#[serde(rename = "CR")]
	pub cr: Option<String>,
	/// CR as a fraction in lowest terms, if it fits 128 bits.
	#[serde(rename = "CR_exact")]
	pub cr_exact: Option<String>,
	/// V_reserve, in EUR.
	pub stock_value_eur: String,
	/// In units of 10⁻⁶ EUR.
	pub stock_value_eur_units: Amount,
	/// P_E, the moving average of the price, in EUR/MWh.
	pub eur_per_mwh: Option<String>,
	/// Price of the last day stated, in EUR/MWh.
	pub day_eur_per_mwh: Option<String>,
	/// Total issuance, in AICP.
	pub issuance: String,
	/// In units of 10⁻⁶ AICP.
	pub issuance_units: Amount,
	/// S, in AICP.
	#[serde(rename = "S")]
	pub supply: String,
	/// In units of 10⁻⁶ AICP.
	#[serde(rename = "S_units")]
	pub supply_units: Amount,
	/// S_target, in AICP.
	#[serde(rename = "S_target_for_CR_min")]
	pub supply_target: String,
	/// In units of 10⁻⁶ AICP.
	#[serde(rename = "S_target_for_CR_min_units")]
	pub supply_target_units: Amount,
	/// Amount that can be minted now, in AICP.
	pub allowance: String,
	/// In units of 10⁻⁶ AICP.
	pub allowance_units: Amount,
	/// The chain's name of the reason, if that is nothing.
	pub mint_refusal: Option<&'static str>,
	/// Amount minted today, in AICP.
	pub minted_today: String,
	/// In units of 10⁻⁶ AICP.
	pub minted_today_units: Amount,
	/// Number of tickets in the queue.
	pub queue: u64,
	/// Credit that waits in the queue, in EUR.
	pub waiting_eur: String,
	/// In units of 10⁻⁶ EUR.
	pub waiting_eur_units: Amount,
	/// Credit that can still be handed out today, in EUR.
	pub capacity_eur: String,
	/// In units of 10⁻⁶ EUR.
	pub capacity_eur_units: Amount,
	/// Highest credit that is handed out today, in EUR.
	pub daily_capacity_eur: String,
	/// In units of 10⁻⁶ EUR.
	pub daily_capacity_eur_units: Amount,
	/// Further credit that the treasury's AICP backs, in EUR.
	pub budget_eur: String,
	/// In units of 10⁻⁶ EUR.
	pub budget_eur_units: Amount,
	/// Amount minted since genesis, in AICP.
	pub minted_total: String,
	/// In units of 10⁻⁶ AICP.
	pub minted_total_units: Amount,
	/// Amount burned since genesis, in AICP.
	pub burned_total: String,
	/// In units of 10⁻⁶ AICP.
	pub burned_total_units: Amount,
}

impl From<&Status> for ShownCoverage {
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
			stopped_by_role: status.stopped_by_role,
			cr: cr.map(|ratio| ratio.to_decimal_floor(6)),
			cr_exact: status.ratio.map(|ratio| ratio.to_string()),
			stock_value_eur: millionths(status.v_reserve),
			stock_value_eur_units: Amount(status.v_reserve),
			eur_per_mwh: statement.map(|statement| statement.eur_per_mwh.to_figure()),
			day_eur_per_mwh: statement.map(|statement| statement.price.to_figure()),
			issuance: millionths(status.issuance),
			issuance_units: Amount(status.issuance),
			supply: millionths(status.supply),
			supply_units: Amount(status.supply),
			supply_target: millionths(status.supply_target),
			supply_target_units: Amount(status.supply_target),
			allowance: millionths(status.allowance),
			allowance_units: Amount(status.allowance),
			mint_refusal: mint_refusal(status).map(Refusal::name),
			minted_today: millionths(status.minted),
			minted_today_units: Amount(status.minted),
			queue: status.queue,
			waiting_eur: millionths(status.waiting),
			waiting_eur_units: Amount(status.waiting),
			capacity_eur: millionths(status.capacity),
			capacity_eur_units: Amount(status.capacity),
			daily_capacity_eur: millionths(status.daily_capacity),
			daily_capacity_eur_units: Amount(status.daily_capacity),
			budget_eur: millionths(status.budget),
			budget_eur_units: Amount(status.budget),
			minted_total: millionths(status.totals.minted),
			minted_total_units: Amount(status.totals.minted),
			burned_total: millionths(status.totals.burned),
			burned_total_units: Amount(status.totals.burned),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::{
		H256,
		reserve::state::{Statement, Totals},
	};

	#[test]
	fn every_reason_for_an_allowance_of_nothing_is_named() {
		let day = Day::parse("2025-03-25").unwrap();
		let counting = Statement {
			hash: H256::zero(),
			day: day.previous().unwrap(),
			taken_on: day,
			wh_committed: 1,
			price: Ratio::ONE.into(),
			eur_per_mwh: Ratio::ONE,
			compute_assets: 0,
			wh_per_zone: 1,
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
			daily_capacity: 0,
			waiting: 0,
			budget: 0,
			totals,
			stopped_by_role: false,
		};
		assert_eq!(mint_refusal(&open), None);
		let shown = ShownCoverage::from(&open);
		assert_eq!((shown.cr.as_deref(), shown.cr_exact.as_deref()), (Some("1.100000"), None));
		each_amount_has_its_units(&serde_json::to_value(&shown).unwrap());
		let refusal = |change: fn(&mut Status)| {
			let mut status = open;
			change(&mut status);
			mint_refusal(&status).unwrap()
		};
		assert_eq!(refusal(|s| s.allowance = 0), Refusal::AboveAllowance);
		assert_eq!(refusal(|s| s.state = State::Frozen), Refusal::NotCovered);
		assert_eq!(refusal(|s| s.today = s.today.next().unwrap()), Refusal::AllowanceLapsed);
		assert_eq!(refusal(|s| s.today = s.today.previous().unwrap()), Refusal::AllowanceNotOpen);
		assert_eq!(refusal(|s| s.stale = true), Refusal::Stale);
		let priced = |price: SignedRatio| {
			let statement = open.statement.map(|statement| Statement { price, ..statement });
			mint_refusal(&Status { statement, ..open }).unwrap()
		};
		assert_eq!(priced(SignedRatio::default()), Refusal::ZeroPrice);
		assert_eq!(priced(SignedRatio::new(true, Ratio::ONE)), Refusal::NegativePrice);
		assert_eq!(refusal(|s| s.stopped_by_role = true), Refusal::StoppedByRole);
		assert_eq!(refusal(|s| s.breaker = Breaker::MintStopped), Refusal::MintStopped);
	}

	/// Amounts as decimals have six places, and nothing else that is shown ends in them.
	fn each_amount_has_its_units(shown: &serde_json::Value) {
		let mut amounts = 0;
		for (name, value) in shown.as_object().unwrap() {
			let ratios = ["CR", "eur_per_mwh", "day_eur_per_mwh"];
			let Some(text) = value.as_str().filter(|_| !ratios.contains(&name.as_str())) else {
				continue;
			};
			let Some((whole, places)) = text.split_once('.') else { continue };
			let units: u128 = format!("{whole}{places}").parse().unwrap();
			assert_eq!(shown[format!("{name}_units")], units.to_string(), "{name}");
			amounts += 1;
		}
		assert_eq!(amounts, 12);
	}
}
