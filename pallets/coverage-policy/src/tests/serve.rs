//! `serve`, and the queue's service in each block.

use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use gridproof_primitives::{num::units::AICP, reserve::attestation::ServiceCredit};

/// A capacity of 20 EUR a day, used up, and tickets of 15 EUR for these accounts.
fn queue_up(who: &[u64]) {
	use_up_capacity(20_000_000);
	for who in who {
		give(*who, 10 * AICP);
		assert_ok!(redeem(*who, 10 * AICP));
	}
	events();
}

fn serve(tickets: u32) -> Result<(), sp_runtime::DispatchError> {
	dispatch(Call::serve { tickets }, 9)
}

#[test]
fn tickets_are_served_in_order_and_in_parts() {
	build_and_execute(|| {
		queue_up(&[2, 3, 4]);
		// Nothing is left today.
		assert_noop!(serve(3), Error::<Test>::NothingToServe);
		// WHEN the next day comes with 20 EUR
		set_day(2);
		assert_ok!(serve(3));
		// THEN the first has all of his 15 EUR, the second 5, the third waits
		let available = || [2, 3, 4].map(|who| CoveragePolicy::available(&who));
		assert_eq!(available(), [15_000_000, 5_000_000, 0]);
		assert_eq!(
			events(),
			vec![
				Event::CreditGiven { who: 2, credit: 15_000_000, waiting: 0 },
				Event::CreditGiven { who: 3, credit: 5_000_000, waiting: 10_000_000 },
			]
		);
		assert_eq!(on_hold(HoldReason::Ticket, 2), 0);
		assert_eq!(on_hold(HoldReason::Ticket, 3), TICKET_DEPOSIT);
		assert_noop!(serve(3), Error::<Test>::NothingToServe);
		// AND the day after, the rest
		set_day(3);
		assert_ok!(serve(3));
		assert_eq!(available(), [15_000_000, 15_000_000, 10_000_000]);
		set_day(4);
		assert_ok!(serve(3));
		assert_eq!(available(), [15_000_000; 3]);
		assert_eq!(CoveragePolicy::status().queue, 0);
		assert_noop!(serve(3), Error::<Test>::NothingToServe);
	});
}

#[test]
fn a_ticket_larger_than_a_days_capacity_is_served_over_days() {
	build_and_execute(|| {
		queue_up(&[2]);
		assert_ok!(set_parameters(|new| new.redemption.daily_capacity = 7_000_000));
		for (offset, expected) in [(2, 7_000_000), (3, 14_000_000), (4, 15_000_000)] {
			set_day(offset);
			assert_ok!(serve(1));
			assert_eq!(CoveragePolicy::available(&2), expected);
		}
	});
}

#[test]
fn one_call_serves_a_bounded_number() {
	build_and_execute(|| {
		queue_up(&[2, 3, 4, 5, 6]);
		assert_ok!(set_parameters(|new| new.redemption.daily_capacity = 1_000_000_000));
		assert_noop!(serve(0), Error::<Test>::NothingToServe);
		assert_ok!(serve(1));
		assert_eq!(CoveragePolicy::status().queue, 4);
		// Three at most, however many are asked for.
		assert_ok!(serve(u32::MAX));
		assert_eq!(CoveragePolicy::status().queue, 1);
	});
}

#[test]
fn the_weight_is_that_of_the_tickets_served() {
	use frame_support::dispatch::GetDispatchInfo;
	build_and_execute(|| {
		queue_up(&[2, 3]);
		set_day(2);
		let call = Call::<Test>::serve { tickets: 1_000 };
		assert_eq!(call.get_dispatch_info().call_weight, <() as WeightInfo>::serve(3));
		let post = CoveragePolicy::serve(RuntimeOrigin::signed(9), 1_000).unwrap();
		assert_eq!(post.actual_weight, Some(<() as WeightInfo>::serve(2)));
	});
}

#[test]
fn each_block_serves_some() {
	build_and_execute(|| {
		queue_up(&[2, 3, 4, 5]);
		assert_ok!(set_parameters(|new| new.redemption.daily_capacity = 1_000_000_000));
		// A block without room serves nobody, one with room for a ticket one …
		let one = <() as WeightInfo>::serve(1);
		let room = |tickets| <() as WeightInfo>::poll() + one.saturating_mul(tickets);
		for (limit, queue) in [(Weight::zero(), 4), (room(0), 4), (room(1), 3)] {
			let mut meter = WeightMeter::with_limit(limit);
			CoveragePolicy::on_poll(1, &mut meter);
			assert_eq!(CoveragePolicy::status().queue, queue);
			assert_eq!(meter.consumed(), limit);
		}
		// … and the next one the rest, which is no more than three.
		CoveragePolicy::on_poll(1, &mut WeightMeter::new());
		assert_eq!(CoveragePolicy::status().queue, 0);
	});
}

#[test]
fn nobody_is_served_while_stopped() {
	build_and_execute(|| {
		queue_up(&[2]);
		set_day(2);
		BreakerLevel::<Test>::put(Breaker::AllStopped);
		assert_noop!(serve(1), Error::<Test>::RedeemStopped);
		CoveragePolicy::on_poll(1, &mut WeightMeter::new());
		assert_eq!(CoveragePolicy::status().queue, 1);
		BreakerLevel::<Test>::put(Breaker::MintStopped);
		assert_ok!(serve(1));
	});
}

#[test]
fn a_capacity_lowered_below_what_was_handed_out_hands_out_nothing() {
	build_and_execute(|| {
		queue_up(&[2]);
		assert_ok!(set_parameters(|new| new.redemption.daily_capacity = 1));
		assert_noop!(serve(1), Error::<Test>::NothingToServe);
		assert_eq!(CoveragePolicy::status().capacity, 0);
		// A higher one counts what was handed out before.
		assert_ok!(set_parameters(|new| new.redemption.daily_capacity = 21_000_000));
		assert_ok!(serve(1));
		assert_eq!(CoveragePolicy::available(&2), 1_000_000);
	});
}

#[test]
fn a_change_of_price_leaves_the_queue_alone() {
	build_and_execute(|| {
		queue_up(&[2]);
		assert_ok!(set_parameters(|new| {
			new.policy.target_price = gridproof_primitives::num::decimal::Ratio::percent(1);
			new.redemption.daily_capacity = 1_000_000_000;
		}));
		assert_ok!(serve(1));
		assert_eq!(CoveragePolicy::available(&2), 15_000_000);
	});
}
