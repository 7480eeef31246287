//! What the treasury received of prices, and pays for checks.

use super::*;
use frame_support::assert_ok;
use gridproof_primitives::compute::checks::{Fund, FundError};

fn today() -> u64 {
	Now::get() / DAY_MS
}

fn received(day: u64) -> u128 {
	<ComputeReceipts as Fund<_>>::received(day)
}

fn pay_for(day: u64, who: u8, amount: u128) -> Result<(), FundError> {
	<ComputeReceipts as Fund<_>>::pay(day, &account(who), amount)
}

#[test]
fn the_treasurys_share_of_a_day_counts_in_ait_and_at_half_of_the_rate_in_aicp() {
	for window_ms in [0, WINDOW_MS] {
		build_and_execute(|| {
			ChannelRules::<Test>::mutate(|rules| rules.check_window_ms = window_ms);
			assert_eq!(received(today()), 0);
			settle_one(9, &[(MINER, 50 * AIT, 1)], &[]);
			assert_eq!(received(today()), 10 * AIT);
			let channel = open_channel(IN_AICP);
			// Without a rate AICP count for nothing.
			settle_for(IN_AICP, &[(channel, (MINER, 1_000_000, 1))], &[]);
			assert_eq!(received(today()), 10 * AIT);
			let new = Some(gridproof_primitives::compute::AitPerAicp { ait: 2, aicp: 1 });
			assert_ok!(dispatch_as(Call::set_reference_rate { new }, RuntimeOrigin::root()));
			let channel = open_channel(IN_AICP);
			settle_for(IN_AICP, &[(channel, (MINER, 1_000_000, 1))], &[]);
			assert_eq!(received(today()), 10 * AIT + AIT / 5);
			// Today and the day before are known.
			pass(DAY_MS);
			assert_eq!((received(today() - 1), received(today())), (10 * AIT + AIT / 5, 0));
			settle_one(9, &[(MINER, AIT, 1)], &[]);
			assert_eq!((received(today() - 1), received(today())), (10 * AIT + AIT / 5, AIT / 5));
			pass(DAY_MS);
			assert_eq!(received(today() - 2), 0);
		});
	}
}

#[test]
fn checks_of_a_day_cost_at_most_what_the_treasury_received_on_it() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 1)], &[]);
		let (day, before) = (today(), [7, 200].map(|who| ait(&account(who))));
		assert_eq!(pay_for(day, 7, 4 * AIT), Ok(()));
		assert_eq!(pay_for(day, 7, 6 * AIT + 1), Err(FundError::OverBudget));
		pass(DAY_MS);
		assert_eq!(pay_for(day, 7, 6 * AIT), Ok(()));
		assert_eq!(pay_for(day, 7, 1), Err(FundError::OverBudget));
		assert_eq!(pay_for(day + 1, 7, 1), Err(FundError::OverBudget));
		let after = [7, 200].map(|who| ait(&account(who)));
		assert_eq!(after, [before[0] + 10 * AIT, before[1] - 10 * AIT]);
		let event = Event::CheckPaid { to: account(7), day, amount: 6 * AIT };
		assert!(events().contains(&event));
	});
}

#[test]
fn a_payment_that_cannot_be_made_changes_nothing() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 1)], &[]);
		let day = today();
		// Below the existential deposit of an account that is not there.
		assert_eq!(pay_for(day, 120, EXISTENTIAL_DEPOSIT - 1), Err(FundError::Unpayable));
		let all = ait(&account(200)) - EXISTENTIAL_DEPOSIT;
		let call = pallet_balances::Call::transfer_keep_alive { dest: account(8), value: all };
		use sp_runtime::traits::Dispatchable;
		assert_ok!(RuntimeCall::Balances(call).dispatch(RuntimeOrigin::signed(account(200))));
		assert_eq!(pay_for(day, 7, AIT), Err(FundError::Poor));
		assert_eq!(FundDays::<Test>::get().map(|day| day.paid), [0, 0]);
	});
}
