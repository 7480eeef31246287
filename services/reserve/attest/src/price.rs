//! A day's price before it is stated: who averages it, and what is wrong with one that the chain
//! refuses.

use futures::future::BoxFuture;
use gridproof_chain::{Chain, ChainError, pallets::coverage_policy::query};
use gridproof_primitives::{
	num::decimal::{Ratio, SignedRatio},
	reserve::{
		bounds::{
			MAX_COMPOUNDED_DAYS, MAX_RATIO_TERM, PriceBounds, PriceRefusal, Reference,
			first_day_accepted, next_average,
		},
		state::Statement,
	},
	time::day::Day,
};
use std::cmp::Ordering;

/// Window of the moving average over a zone's prices where the chain averages none, in days. Means
/// of single days are not smooth enough for a band from one day to the next.
pub const DEFAULT_WINDOW: u32 = 14;

/// Returns the window of the moving average that is made of a zone's prices before one is stated, in
/// days: the operator's if there is one. Otherwise there is none where the chain averages what is
/// stated, and [`DEFAULT_WINDOW`] where it does not.
pub fn average_window(asked: Option<u32>, bounds: &PriceBounds) -> Option<u32> {
	asked.or((bounds.window == 1).then_some(DEFAULT_WINDOW))
}

/// Returns why a chain refuses a statement about `day` with this price, what it compares it with, and
/// from which day on it takes such a price; `None` if it takes it. `latest` is the statement that
/// counts now.
pub fn price_refusal(
	price: &SignedRatio,
	day: Day,
	bounds: &PriceBounds,
	latest: Option<&Statement>,
) -> Option<String> {
	let reference = latest.and_then(|latest| match day.cmp(&latest.day) {
		Ordering::Greater => Some(latest.as_reference()),
		// A correction is compared with what the first statement was compared with.
		Ordering::Equal => latest.reference,
		Ordering::Less => None,
	});
	let refusal = next_average(price, bounds, reference.as_ref(), day).err()?;
	let why = match (refusal, &reference) {
		(PriceRefusal::MovedTooFar, Some(last)) => moved_too_far(price, day, bounds, last),
		_ => format!("it takes {} to {}", bounds.min.to_figure(), bounds.max.to_figure()),
	};
	let first = match first_day_accepted(price, bounds, reference.as_ref(), day) {
		Some(first) => format!("the first day that it would accept with this price is {first}"),
		None => "it would accept no day with this price; check its source".to_string(),
	};
	let price = price.to_figure();
	Some(format!("the chain refuses the price of {price} EUR/MWh for {day}: {why}; {first}"))
}

/// As [`price_refusal`], by what a chain says now.
///
/// # Errors
/// The chain does not answer.
pub fn price_refusal_by<'a>(
	chain: &'a Chain,
	price: &'a SignedRatio,
	day: Day,
) -> BoxFuture<'a, Result<Option<String>, ChainError>> {
	Box::pin(async move {
		let bounds = chain.read(&query::parameters()).await?.prices;
		let latest = chain.read(&query::status()).await?.statement;
		Ok(price_refusal(price, day, &bounds, latest.as_ref()))
	})
}

fn moved_too_far(price: &SignedRatio, day: Day, bounds: &PriceBounds, last: &Reference) -> String {
	let days = day.days_since(last.day).clamp(1, MAX_COMPOUNDED_DAYS);
	let free = PriceBounds { max_daily_ratio: Ratio::from_integer(MAX_RATIO_TERM), ..*bounds };
	let would_be = next_average(price, &free, Some(last), last.day);
	let would_be = would_be.map_or_else(|_| price.to_figure(), |average| average.to_figure());
	let is_up = price.not_negative().is_some_and(|price| price > last.average);
	let (extreme, word) =
		(farthest(last, bounds, days, is_up), if is_up { "most" } else { "least" });
	let average = match bounds.window {
		1 => "the last price".to_string(),
		window => format!("the average over {window} days"),
	};
	format!(
		"{average} was {} EUR/MWh on {}, with this one it would be {would_be}, and {extreme} is the \
		 {word} that it may be after {days} day{} (a ratio of {} a day, up or down)",
		last.average.to_figure(),
		last.day,
		if days == 1 { "" } else { "s" },
		bounds.max_daily_ratio.to_figure(),
	)
}

/// The end of the band after so many days, in EUR/MWh, cut to micro-EUR each day.
fn farthest(last: &Reference, bounds: &PriceBounds, days: u32, is_up: bool) -> String {
	let ratio = if is_up {
		Some(bounds.max_daily_ratio)
	} else {
		Ratio::ONE.checked_div(&bounds.max_daily_ratio)
	};
	let micros = last.average.mul_floor(1_000_000);
	let step = |micros: u128| ratio.as_ref()?.mul_floor(micros);
	let micros = (0..days).try_fold(micros.unwrap_or(u128::MAX), |micros, _| step(micros));
	micros.map_or_else(|| "no bound".to_string(), |micros| Ratio::millionths(micros).to_figure())
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::H256;

	const DAILY: PriceBounds =
		PriceBounds { window: 1, max_daily_ratio: Ratio::percent(150), ..PriceBounds::DAY_AHEAD };

	fn day(text: &str) -> Day {
		Day::parse(text).unwrap()
	}

	fn latest(text: &str, average: u128, reference: Option<Reference>) -> Statement {
		Statement {
			hash: H256([0; 32]),
			day: day(text),
			taken_on: day(text),
			wh_committed: 1,
			price: Ratio::from_integer(average).into(),
			eur_per_mwh: average.into(),
			compute_assets: 0,
			wh_per_zone: 1,
			reference,
		}
	}

	fn refusal(price: &str, about: &str, bounds: &PriceBounds, latest: &Statement) -> String {
		let price = SignedRatio::parse(price).unwrap();
		price_refusal(&price, day(about), bounds, Some(latest)).unwrap()
	}

	#[test]
	fn a_refused_price_is_said_with_the_last_one_the_bound_and_the_first_day_that_takes_it() {
		let last = latest("2025-03-24", 63, None);
		assert_eq!(
			refusal("6.1", "2025-03-25", &DAILY, &last),
			"the chain refuses the price of 6.1 EUR/MWh for 2025-03-25: the last price was 63.0 EUR/MWh \
			 on 2025-03-24, with this one it would be 6.1, and 42.0 is the least that it may be after 1 \
			 day (a ratio of 1.5 a day, up or down); the first day that it would accept with this price \
			 is 2025-03-30"
		);
		let last = latest("2025-03-24", 90, None);
		assert_eq!(
			refusal("780", "2025-03-26", &PriceBounds::DAY_AHEAD, &last),
			"the chain refuses the price of 780.0 EUR/MWh for 2025-03-26: the average over 28 days was \
			 90.0 EUR/MWh on 2025-03-24, with this one it would be 114.642857, and 108.9 is the most that \
			 it may be after 2 days (a ratio of 1.1 a day, up or down); the first day that it would \
			 accept with this price is 2025-03-27"
		);
		assert_eq!(
			refusal("1000.5", "2025-03-26", &PriceBounds::DAY_AHEAD, &last),
			"the chain refuses the price of 1000.5 EUR/MWh for 2025-03-26: it takes -500.0 to 1000.0; it \
			 would accept no day with this price; check its source"
		);
	}

	#[test]
	fn a_correction_is_compared_with_what_was_there_before_the_first_statement() {
		let before = Reference { day: day("2025-03-23"), average: 90.into(), wh_per_zone: 1 };
		let last = latest("2025-03-24", 134, Some(before));
		let said = refusal("136", "2025-03-24", &DAILY, &last);
		assert!(said.contains("the last price was 90.0 EUR/MWh on 2025-03-23"), "{said}");
		assert!(said.contains("135.0 is the most"), "{said}");
		let price = |text: &str| SignedRatio::parse(text).unwrap();
		assert_eq!(price_refusal(&price("135"), last.day, &DAILY, Some(&last)), None);
		assert_eq!(price_refusal(&price("999"), last.day, &DAILY, None), None, "the first of all");
	}

	#[test]
	fn prices_are_averaged_here_only_where_the_chain_does_not() {
		assert_eq!(average_window(None, &DAILY), Some(14));
		assert_eq!(average_window(Some(1), &DAILY), Some(1));
		assert_eq!(average_window(None, &PriceBounds::DAY_AHEAD), None);
		assert_eq!(average_window(Some(7), &PriceBounds::DAY_AHEAD), Some(7));
	}
}
