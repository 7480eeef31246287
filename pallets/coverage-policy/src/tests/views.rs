//! The view functions.

use crate::{mock::*, *};
use frame_support::assert_ok;
use gridproof_primitives::{
	num::decimal::Ratio,
	num::units::AICP,
	reserve::formula::{Binding, State},
};

#[test]
fn the_status_says_how_things_stand() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		assert_ok!(mint(100_000 * AICP, hash));
		let status = CoveragePolicy::status();
		assert_eq!(
			status,
			Status {
				today: day(1),
				state: State::InBand,
				breaker: Breaker::Closed,
				stale: false,
				statement: Latest::<Test>::get(),
				issuance: 10_100_000 * AICP,
				supply: 10_100_000 * AICP,
				supply_target: 10_363_636_363_636,
				v_reserve: 17_100_000_000_000,
				// 17.1 / 15.15
				ratio: Ratio::new(114, 101),
				ratio_fixed: Some(1_128_712_871_287_128_712),
				allowance: 263_636_363_636,
				minted: 100_000 * AICP,
				queue: 0,
				// 5 % of 10.1 M AICP at 1.50 EUR
				capacity: 757_500_000_000,
				daily_capacity: 757_500_000_000,
				waiting: 0,
				budget: 1_650_000_000_000,
				totals: Totals { genesis: SUPPLY, minted: 100_000 * AICP, ..Default::default() },
				stopped_by_role: false,
			}
		);
	});
}

#[test]
fn a_quote_says_what_would_be() {
	build_and_execute(|| {
		state_day(0, eur(95));
		// As things are.
		let quote = CoveragePolicy::quote(WhatIf::default()).unwrap();
		assert_eq!((quote.state, quote.mint), (State::InBand, 363_636_363_636));
		assert_eq!((quote.ratio, quote.binding), (Ratio::new(57, 50), Some(Binding::Target)));
		// With another price, another supply, other energy.
		let what_if = WhatIf { eur_per_mwh: Some(Ratio::from_integer(200)), ..Default::default() };
		let quote = CoveragePolicy::quote(what_if).unwrap();
		assert_eq!((quote.state, quote.mint), (State::AboveBand, 500_000 * AICP));
		assert_eq!(quote.binding, Some(Binding::Cap));
		let what_if = WhatIf { issuance: Some(0), ..Default::default() };
		let quote = CoveragePolicy::quote(what_if).unwrap();
		assert_eq!((quote.state, quote.ratio, quote.mint), (State::AboveBand, None, 0));
		let what_if = WhatIf { wh_committed: Some(0), ..Default::default() };
		let quote = CoveragePolicy::quote(what_if).unwrap();
		assert_eq!((quote.state, quote.ratio_fixed), (State::Defense, Some(0)));
		let what_if = WhatIf { compute_assets: Some(3_000_000_000_000), ..Default::default() };
		assert_eq!(CoveragePolicy::quote(what_if).unwrap().v_reserve, 20_100_000_000_000);
	});
}

#[test]
fn a_quote_without_a_statement_starts_from_nothing() {
	build_and_execute(|| {
		let quote = CoveragePolicy::quote(WhatIf::default()).unwrap();
		assert_eq!((quote.state, quote.v_reserve, quote.mint), (State::Defense, 0, 0));
	});
}

#[test]
fn the_history_is_bounded_and_latest_first() {
	build_and_execute(|| {
		for offset in 0..9 {
			state_day(offset, eur(95));
		}
		let days: Vec<_> = CoveragePolicy::history(99).iter().map(|record| record.day).collect();
		assert_eq!(days, [8, 7, 6, 5, 4, 3].map(day));
		assert_eq!(CoveragePolicy::history(2).len(), 2);
		assert!(CoveragePolicy::history(0).is_empty());
		let record = CoveragePolicy::history(1)[0];
		assert_eq!(
			record,
			DayRecord {
				statement: Latest::<Test>::get().unwrap().hash,
				day: day(8),
				taken_on: day(9),
				v_reserve: 17_100_000_000_000,
				issuance: SUPPLY,
				ratio: Ratio::new(57, 50),
				state: State::InBand,
				allowance: 363_636_363_636,
				minted: 0,
			}
		);
	});
}

#[test]
fn the_queue_can_be_read_in_pages() {
	build_and_execute(|| {
		use_up_capacity(1);
		for who in 1..5 {
			if who != ALICE {
				give(who, 4 * AICP);
			}
			assert_ok!(redeem(who, u128::from(who) * AICP));
		}
		let credits = |skip, limit| -> Vec<_> {
			CoveragePolicy::queue(skip, limit).iter().map(|(_, ticket)| ticket.credit).collect()
		};
		assert_eq!(credits(0, 2), [1_500_000, 3_000_000]);
		assert_eq!(credits(2, 99), [4_500_000, 6_000_000]);
		assert!(credits(4, 99).is_empty());
		assert!(credits(u32::MAX, u32::MAX).is_empty());
	});
}

#[test]
fn small_questions_have_answers() {
	build_and_execute(|| {
		let quote = RedemptionQuote { credit: 1_500_000, days: Some(0) };
		assert_eq!(CoveragePolicy::redeem_quote(AICP), Ok(quote));
		let overflow: sp_runtime::DispatchError = Error::<Test>::Overflow.into();
		assert_eq!(CoveragePolicy::redeem_quote(u128::MAX), Err(overflow));
		assert_eq!(CoveragePolicy::effective_alpha(29), Ratio::new(174, 1_000));
		assert_eq!(CoveragePolicy::effective_alpha(31), None);
		assert_eq!(CoveragePolicy::account(ALICE), None);
	});
}
