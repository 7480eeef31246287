//! `redeem`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	num::decimal::Ratio, num::units::AICP, reserve::attestation::ServiceCredit,
};
use sp_runtime::{DispatchError, TokenError};

#[test]
fn aicp_burns_for_credit_at_the_target_price() {
	build_and_execute(|| {
		// WHEN Alice redeems 10 AICP
		assert_ok!(redeem(ALICE, 10 * AICP));
		// THEN they are gone and she has 15 EUR of credit
		assert_eq!(issuance(), SUPPLY - 10 * AICP);
		assert_eq!(aicp(ALICE), OF_ALICE - 10 * AICP);
		assert_eq!(CoveragePolicy::available(&ALICE), 15_000_000);
		assert_eq!(on_hold(HoldReason::CreditAccount, ALICE), ACCOUNT_DEPOSIT);
		assert_eq!(on_hold(HoldReason::Ticket, ALICE), 0);
		assert_eq!(
			events(),
			vec![
				Event::Redeemed { who: ALICE, amount: 10 * AICP, credit: 15_000_000, ticket: None },
				Event::CreditGiven { who: ALICE, credit: 15_000_000, waiting: 0 },
			]
		);
	});
}

#[test]
fn credit_rounds_down() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|new| new.policy.target_price = Ratio::new(4, 3).unwrap()));
		// ⌊1,000,001 · 4/3⌋
		assert_ok!(redeem(ALICE, AICP + 1));
		assert_eq!(CoveragePolicy::available(&ALICE), 1_333_334);
	});
}

#[test]
fn an_account_redeems_up_to_its_daily_limit() {
	build_and_execute(|| {
		// The limit is 10,000 AICP.
		assert_noop!(redeem(ALICE, 10_000 * AICP + 1), Error::<Test>::AboveDailyLimit);
		assert_ok!(redeem(ALICE, 9_999 * AICP));
		assert_noop!(redeem(ALICE, AICP + 1), Error::<Test>::AboveDailyLimit);
		assert_ok!(redeem(ALICE, AICP));
		assert_noop!(redeem(ALICE, AICP), Error::<Test>::AboveDailyLimit);
		// Others have their own, and so has the next day.
		give(BOB, 10_000 * AICP);
		assert_ok!(redeem(BOB, 10_000 * AICP));
		set_day(2);
		assert_ok!(redeem(ALICE, 10_000 * AICP));
	});
}

#[test]
fn spending_all_credit_does_not_renew_the_limit() {
	build_and_execute(|| {
		assert_ok!(redeem(ALICE, 10_000 * AICP));
		assert_ok!(spend(ALICE, 15_000_000_000));
		assert_noop!(redeem(ALICE, AICP), Error::<Test>::AboveDailyLimit);
	});
}

#[test]
fn less_than_the_minimum_is_refused() {
	build_and_execute(|| {
		assert_noop!(redeem(ALICE, AICP - 1), Error::<Test>::BelowMinimum);
		assert_noop!(redeem(ALICE, 0), Error::<Test>::BelowMinimum);
	});
}

#[test]
fn the_caller_can_demand_a_least_credit() {
	build_and_execute(|| {
		let call = |min_credit| Call::redeem { amount: 10 * AICP, min_credit };
		assert_noop!(dispatch(call(15_000_001), ALICE), Error::<Test>::CreditTooLow);
		assert_ok!(dispatch(call(15_000_000), ALICE));
	});
}

#[test]
fn nobody_redeems_what_he_has_not() {
	build_and_execute(|| {
		give(BOB, 5 * AICP);
		assert_noop!(redeem(BOB, 6 * AICP), TokenError::FundsUnavailable);
		assert_noop!(redeem(3, AICP), TokenError::FundsUnavailable);
		assert_ok!(redeem(BOB, 5 * AICP));
		assert_eq!(aicp(BOB), 0);
	});
}

#[test]
fn a_rest_too_small_to_keep_is_not_burned_unpaid() {
	build_and_execute(|| {
		give(BOB, 2 * AICP);
		pallet_assets::Asset::<Test>::mutate(1, |asset| {
			*asset = asset.take().map(|asset| {
				let mut bytes = codec::Encode::encode(&asset);
				bytes[64..80].copy_from_slice(&1_000u128.to_le_bytes());
				codec::Decode::decode(&mut &bytes[..]).unwrap()
			});
		});
		assert_noop!(redeem(BOB, 2 * AICP - 999), Error::<Test>::WouldLeaveDust);
		assert_ok!(redeem(BOB, 2 * AICP - 1_000));
		assert_eq!(aicp(BOB), 1_000);
	});
}

#[test]
fn an_account_without_native_tokens_for_the_deposit_cannot_redeem() {
	build_and_execute(|| {
		// Account 77 has AICP only: the token is sufficient for an account to exist.
		give(77, 5 * AICP);
		assert_noop!(redeem(77, 5 * AICP), TokenError::FundsUnavailable);
		assert_eq!(Accounts::<Test>::get(77), None);
	});
}

#[test]
fn redemption_stays_open_in_every_state() {
	build_and_execute(|| {
		for (offset, price) in [(0, 80), (1, 90), (2, 95), (3, 110)] {
			state_day(offset, eur(price));
			assert_ok!(redeem(ALICE, AICP));
		}
		set_day(9);
		assert_ok!(redeem(ALICE, AICP));
		assert_eq!(CoveragePolicy::available(&ALICE), 5 * 1_500_000);
	});
}

#[test]
fn redemption_can_be_stopped() {
	build_and_execute(|| {
		BreakerLevel::<Test>::put(Breaker::MintStopped);
		assert_ok!(redeem(ALICE, AICP));
		BreakerLevel::<Test>::put(Breaker::AllStopped);
		assert_noop!(redeem(ALICE, AICP), Error::<Test>::RedeemStopped);
	});
}

#[test]
fn only_a_signed_holder_redeems() {
	build_and_execute(|| {
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			let call = Call::redeem { amount: AICP, min_credit: 0 };
			assert_noop!(dispatch_as(call, origin), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn what_exceeds_the_days_capacity_waits_in_the_queue() {
	build_and_execute(|| {
		// GIVEN a capacity of 20 EUR a day
		limit_capacity(20_000_000);
		events();
		give(BOB, 100 * AICP);
		assert_ok!(redeem(ALICE, 10 * AICP));
		// WHEN Bob's 15 EUR would exceed it
		assert_ok!(redeem(BOB, 10 * AICP));
		// THEN his AICP is burned and his credit waits, with a deposit
		assert_eq!(aicp(BOB), 90 * AICP);
		assert_eq!(CoveragePolicy::available(&BOB), 0);
		assert_eq!(on_hold(HoldReason::Ticket, BOB), TICKET_DEPOSIT);
		let account = CoveragePolicy::account(BOB).unwrap();
		assert_eq!((account.pending, account.tickets), (15_000_000, 1));
		let ticket =
			Ticket { who: BOB, credit: 15_000_000, redeemed_on: day(1), deposit: TICKET_DEPOSIT };
		assert_eq!(CoveragePolicy::queue(0, 10), vec![(0, ticket)]);
		assert_eq!(
			events().last(),
			Some(&Event::Redeemed {
				who: BOB,
				amount: 10 * AICP,
				credit: 15_000_000,
				ticket: Some(0)
			})
		);
		// AND the next redemption queues behind it, although its credit would still fit
		assert_ok!(redeem(ALICE, AICP));
		assert_eq!(CoveragePolicy::status().queue, 2);
	});
}

#[test]
fn what_an_account_redeems_in_a_day_waits_in_one_ticket() {
	build_and_execute(|| {
		use_up_capacity(1_500_000);
		assert_ok!(redeem(ALICE, AICP));
		give(BOB, 10 * AICP);
		assert_ok!(redeem(BOB, AICP));
		events();
		// WHEN Alice redeems more on the same day
		assert_ok!(redeem(ALICE, 2 * AICP));
		// THEN it joins her ticket, with one deposit
		let expected =
			Event::Redeemed { who: ALICE, amount: 2 * AICP, credit: 3_000_000, ticket: Some(0) };
		assert_eq!(events(), vec![expected]);
		assert_eq!(on_hold(HoldReason::Ticket, ALICE), TICKET_DEPOSIT);
		assert_eq!(CoveragePolicy::account(ALICE).unwrap().tickets, 1);
		let credits = || -> Vec<_> {
			CoveragePolicy::queue(0, 9).into_iter().map(|(_, t)| (t.who, t.credit)).collect()
		};
		assert_eq!(credits(), vec![(ALICE, 4_500_000), (BOB, 1_500_000)]);
		// AND on the next day it does not pass who has redeemed since
		set_day(2);
		assert_ok!(redeem(ALICE, AICP));
		assert_eq!(credits(), vec![(ALICE, 4_500_000), (BOB, 1_500_000), (ALICE, 1_500_000)]);
		assert_eq!(on_hold(HoldReason::Ticket, ALICE), 2 * TICKET_DEPOSIT);
		assert_eq!(CoveragePolicy::status().waiting, 7_500_000);
	});
}

#[test]
fn nobody_fills_the_queue_and_its_deposits_come_back() {
	build_and_execute(|| {
		use_up_capacity(1_500_000);
		// GIVEN an account that redeems the least amount again and again
		for _ in 0..200 {
			assert_ok!(redeem(ALICE, AICP));
		}
		// THEN it takes one place
		assert_eq!(CoveragePolicy::status().queue, 1);
		// AND however many accounts wait, others come in
		for who in 100..300 {
			pallet_balances::Pallet::<Test>::force_set_balance(RuntimeOrigin::root(), who, NATIVE)
				.unwrap();
			give(who, AICP);
			assert_ok!(redeem(who, AICP));
		}
		give(BOB, AICP);
		assert_ok!(redeem(BOB, AICP));
		assert_eq!(CoveragePolicy::status().queue, 202);
		assert_eq!(on_hold(HoldReason::Ticket, BOB), TICKET_DEPOSIT);
		// WHEN it is cleared
		limit_capacity(1_000_000_000);
		while CoveragePolicy::status().queue > 0 {
			assert_ok!(dispatch(Call::serve { tickets: 9 }, BOB));
		}
		// THEN all deposits for tickets are back
		assert_eq!(on_hold(HoldReason::Ticket, ALICE), 0);
		assert_eq!(CoveragePolicy::available(&ALICE), 200 * 1_500_000);
		assert_eq!(NewestTicket::<Test>::iter().count(), 0);
		assert_ok!(spend(ALICE, 200 * 1_500_000));
		set_day(2);
		assert_ok!(dispatch(Call::close_account { who: ALICE }, BOB));
		assert_eq!(on_hold(HoldReason::CreditAccount, ALICE), 0);
		assert_eq!(pallet_balances::Pallet::<Test>::free_balance(ALICE), NATIVE);
	});
}

#[test]
fn a_day_pays_out_as_much_as_it_may_mint() {
	build_and_execute(|| {
		// 5 % of 10 M AICP at 1.50 EUR, far above the fixed 100,000 EUR.
		let capacity = 750_000_000_000;
		assert_eq!(CoveragePolicy::status().daily_capacity, capacity);
		assert_ok!(set_parameters(|new| new.redemption.daily_limit = 600_000 * AICP));
		// WHEN a run begins: 500,000 AICP are paid out at once
		assert_ok!(redeem(ALICE, 500_000 * AICP));
		assert_eq!(CoveragePolicy::status().capacity, 0);
		// THEN what burns lowers the capacity neither today, nor tomorrow, while its credit waits
		assert_ok!(redeem(ALICE, 100_000 * AICP));
		assert_eq!(CoveragePolicy::status().daily_capacity, capacity);
		set_day(2);
		// 9.4 M AICP and 100,000 AICP's worth of credit
		assert_eq!(CoveragePolicy::status().daily_capacity, 712_500_000_000);
		assert_ok!(dispatch(Call::serve { tickets: 9 }, BOB));
		assert_eq!(CoveragePolicy::status().capacity, 562_500_000_000);
		assert_ok!(redeem(ALICE, 600_000 * AICP));
		assert_eq!(CoveragePolicy::status().daily_capacity, 712_500_000_000);
	});
}

#[test]
fn a_quote_says_what_a_redemption_gives_and_when() {
	build_and_execute(|| {
		let quote = |amount| {
			let RedemptionQuote { credit, days } = CoveragePolicy::redeem_quote(amount).unwrap();
			(credit, days)
		};
		limit_capacity(20_000_000);
		assert_eq!(quote(10 * AICP), (15_000_000, Some(0)));
		// The last 4 of 24 EUR tomorrow.
		assert_eq!(quote(16 * AICP), (24_000_000, Some(1)));
		assert_ok!(redeem(ALICE, 10 * AICP));
		assert_ok!(redeem(ALICE, 10 * AICP));
		assert_eq!(CoveragePolicy::status().capacity, 5_000_000);
		// With 15 EUR before them: 5 today, 20 tomorrow, the last 5 the day after.
		assert_eq!(quote(10 * AICP), (15_000_000, Some(2)));
		// What the treasury cannot back waits until it can.
		transfer(TREASURY, BOB, aicp(TREASURY) - 10 * AICP);
		assert_eq!(CoveragePolicy::status().budget, 15_000_000);
		assert_eq!(quote(10 * AICP), (15_000_000, None));
	});
}

#[test]
fn what_the_treasury_does_not_back_waits() {
	build_and_execute(|| {
		// GIVEN a treasury with 10 AICP
		transfer(TREASURY, BOB, OF_TREASURY - 10 * AICP);
		// WHEN more is redeemed, the first 8 AICP of it backed
		assert_ok!(redeem(ALICE, 8 * AICP));
		assert_eq!((aicp(TREASURY), aicp(BACKING)), (2 * AICP, 8 * AICP));
		assert_ok!(redeem(ALICE, 5 * AICP));
		// THEN the rest waits, and what the treasury has is given
		assert_eq!(CoveragePolicy::available(&ALICE), 12_000_000);
		assert_ok!(dispatch(Call::serve { tickets: 9 }, BOB));
		assert_eq!(CoveragePolicy::available(&ALICE), 15_000_000);
		assert_eq!((aicp(TREASURY), aicp(BACKING)), (0, 10 * AICP));
		assert_noop!(dispatch(Call::serve { tickets: 9 }, BOB), Error::<Test>::NothingToServe);
		// AND what comes to the treasury is given next
		transfer(BOB, TREASURY, 3 * AICP);
		assert_ok!(dispatch(Call::serve { tickets: 9 }, BOB));
		assert_eq!(CoveragePolicy::available(&ALICE), 19_500_000);
		assert_eq!(CoveragePolicy::status().queue, 0);
	});
}
