//! Steps, pools, payouts.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::emission::{MINING_RESERVE, pool, step_budget},
	compute::settlement::{Shares, Split},
	compute::{PartyRole, PriceAsset, Quote, Receipt},
	num::units::{AIT, AIT_CAP, MILLI_AIT},
};

/// A thousandth of what a newcomer's receipt of the tests asks for: 0.1 AIT.
const PART: u128 = AIT / 10_000;

#[test]
fn a_step_mints_what_its_receipts_ask_for_and_everybody_gets_their_part() {
	build_and_execute(|| {
		// GIVEN a receipt of a GPU miner and one of a CPU miner, both newcomers
		deliver(0, MINER);
		deliver(1, CPU_MINER);
		let before = [1, 2, 3, 200].map(|number| ait(&account(number)));
		let issuance = Balances::total_issuance();
		assert_eq!((claimable(MINER), claimable(COORDINATOR)), (0, 0));
		assert_noop!(pay(&[MINER]), Error::<Test>::NothingDue);
		// WHEN the step has ended
		next_step();
		// THEN 0.1 AIT and three tenths of it are shared 75 : 5 : 20
		assert_eq!(claimable(MINER), 750 * PART);
		assert_eq!(claimable(CPU_MINER), 225 * PART);
		assert_eq!(claimable(COORDINATOR), 65 * PART);
		assert_ok!(pay(&[MINER, CPU_MINER, COORDINATOR]));
		let after = [1, 2, 3, 200].map(|number| ait(&account(number)));
		let gained: Vec<_> = before.iter().zip(after).map(|(old, new)| new - old).collect();
		assert_eq!(gained, [65 * PART, 750 * PART, 225 * PART, 260 * PART]);
		assert_eq!(Balances::total_issuance(), issuance + 1_300 * PART);
		let sums = Sums::<Test>::get();
		assert_eq!((sums.minted, sums.promised, sums.treasury), (1_300 * PART, 0, 0));
		assert_eq!(Steps::<Test>::iter().count(), 0);
		assert_noop!(pay(&[MINER]), Error::<Test>::NothingDue);
	});
}

#[test]
fn the_budget_binds_and_is_shared_by_claims() {
	build_and_execute(|| {
		// The treasury receives 1,000 AIT of each price: the newcomers claim 100 AIT and 30 AIT.
		assert_ok!(set_parameters(|parameters| parameters.mint_per_unit = 50 * AIT));
		deliver_for(PriceAsset::Ait, 5_000 * AIT, 0, MINER);
		deliver_for(PriceAsset::Ait, 5_000 * AIT, 1, CPU_MINER);
		next_step();
		let view = ComputeReceipts::step(0);
		assert_eq!((view.budget, view.pool), (50 * AIT, 50 * AIT));
		assert_eq!(view.claims, 130 * AIT);
		assert_ok!(pay(&[MINER, CPU_MINER, COORDINATOR]));
		let minted = |number| Parties::<Test>::get(key(number)).unwrap().minted;
		let miners = 50 * AIT * 3 / 4;
		assert_eq!(minted(MINER), miners * 10 / 13);
		assert_eq!(minted(CPU_MINER), miners * 3 / 13);
		assert_eq!(minted(COORDINATOR), 50 * AIT / 20);
		// What rounding left went back to the reserve.
		let sums = Sums::<Test>::get();
		assert_eq!(sums.promised, 0);
		assert!(50 * AIT - sums.minted <= 2);
	});
}

#[test]
fn what_is_not_claimed_stays_for_ever_in_one_row_a_party() {
	build_and_execute(|| {
		for step in 0..5 {
			deliver(step, MINER);
			next_step();
		}
		// The miner's earlier steps were converted as it continued; nothing was lost.
		assert_eq!(Steps::<Test>::iter().count(), 0);
		let first = claimable(MINER);
		pass(1_000 * DAY_MS);
		assert_eq!(claimable(MINER), first);
		assert_ok!(pay(&[MINER]));
		assert_eq!(Parties::<Test>::get(key(MINER)).unwrap().minted, first);
		assert_ok!(pay(&[COORDINATOR]));
		assert_eq!(Sums::<Test>::get().promised, 0);
	});
}

#[test]
fn anyone_may_have_parties_paid_but_the_money_is_theirs() {
	build_and_execute(|| {
		deliver(0, MINER);
		next_step();
		let stranger = ait(&account(8));
		assert_ok!(pay(&[MINER]));
		assert_eq!(ait(&account(8)), stranger);
	});
}

#[test]
fn a_payout_names_parties_that_have_something_to_get_once_each() {
	build_and_execute(|| {
		deliver(0, MINER);
		next_step();
		assert_noop!(pay(&[]), Error::<Test>::InvalidList);
		assert_noop!(pay(&[MINER, MINER]), Error::<Test>::InvalidList);
		assert_noop!(pay(&[MINER, 77]), Error::<Test>::UnknownParty);
		assert_noop!(pay(&[MINER, CPU_MINER]), Error::<Test>::NothingDue);
		assert_ok!(pay(&[MINER]));
	});
}

#[test]
fn while_minting_is_stopped_earnings_wait_and_nothing_is_earned() {
	build_and_execute(|| {
		deliver(0, MINER);
		next_step();
		let issuance = Balances::total_issuance();
		BreakerLevel::<Test>::put(Breaker::MintStopped);
		assert_noop!(pay(&[MINER]), Error::<Test>::MintStopped);
		deliver(1, MINER);
		next_step();
		assert_noop!(pay(&[MINER]), Error::<Test>::MintStopped);
		assert_eq!(Balances::total_issuance(), issuance);
		BreakerLevel::<Test>::put(Breaker::Closed);
		// The receipt that was claimed meanwhile was paid by its client and earned nothing.
		assert_eq!(claimable(MINER), 750 * PART);
		assert_eq!(Sums::<Test>::get().settled, 2);
		assert_ok!(pay(&[MINER]));
	});
}

#[test]
fn the_reserve_is_never_passed_however_much_is_asked_for() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|parameters| parameters.mint_per_unit = 50 * AIT));
		// GIVEN all but 7 AIT minted
		Sums::<Test>::mutate(|sums| sums.minted = MINING_RESERVE - 7 * AIT);
		deliver_for(PriceAsset::Ait, 5_000 * AIT, 0, MINER);
		next_step();
		assert_ok!(pay(&[MINER, COORDINATOR]));
		assert_eq!(Sums::<Test>::get().minted, MINING_RESERVE);
		deliver(1, MINER);
		next_step();
		assert_noop!(pay(&[MINER]), Error::<Test>::NothingDue);
		assert_eq!(ComputeReceipts::overview().reserve, 0);
	});
}

#[test]
fn the_cap_binds_by_the_tokens_own_issuance() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|parameters| parameters.mint_per_unit = 50 * AIT));
		// GIVEN 20,999,995 AIT in existence from the start
		let more = AIT_CAP - 5 * AIT - Balances::total_issuance();
		let _ =
			<Balances as frame_support::traits::fungible::Mutate<_>>::mint_into(&account(8), more);
		Sums::<Test>::mutate(|sums| sums.genesis += more);
		deliver_for(PriceAsset::Ait, 5_000 * AIT, 0, MINER);
		next_step();
		assert_ok!(pay(&[MINER, COORDINATOR]));
		assert_eq!(Balances::total_issuance(), AIT_CAP);
	});
}

#[test]
fn the_schedule_halves_at_its_boundaries() {
	build_and_execute(|| {
		for (step, budget) in
			[(209_999, 50 * AIT), (210_000, 25 * AIT), (419_999, 25 * AIT), (420_000, 25 * AIT / 2)]
		{
			let view = ComputeReceipts::step(step);
			assert_eq!((view.budget, view.start_ms), (budget, START + step * 150_000));
			assert_eq!(view.end_ms, START + (step + 1) * 150_000);
		}
		assert_ok!(set_parameters(|parameters| parameters.mint_per_unit = 50 * AIT));
		for (step, budget) in [(209_999u64, 50 * AIT), (210_000, 25 * AIT)] {
			Now::set(START + step * 150_000);
			deliver_for(PriceAsset::Ait, 5_000 * AIT, step, MINER);
			assert_eq!(ComputeReceipts::step(step).pool, budget);
		}
	});
}

#[test]
fn the_score_is_fixed_with_the_first_receipt_of_a_step() {
	build_and_execute(|| {
		let claim = |job| ComputeReceipts::receipt(job).unwrap().claim;
		let first = claim(deliver(0, MINER));
		let second = claim(deliver(1, MINER));
		assert_eq!(first, second);
		let later = ComputeReceipts::miner(key(MINER)).unwrap().effective_score;
		next_step();
		// Now memory, throughput and success are known.
		let third = claim(deliver(2, MINER));
		assert_eq!(third, AIT / 10_000 * u128::from(later));
		assert!(third > first);
	});
}

#[test]
fn an_order_of_receipts_changes_nothing() {
	let run = |order: [usize; 4]| {
		let mut ext = new_test_ext();
		ext.execute_with(|| {
			use gridproof_primitives::compute::Class;
			register(COORDINATOR, PartyRole::Coordinator).unwrap();
			register(MINER, PartyRole::Miner(Class::Gpu)).unwrap();
			register(CPU_MINER, PartyRole::Miner(Class::Cpu)).unwrap();
			admit(COORDINATOR).unwrap();
			let dear = |nonce| Quote { price: DEAR, ..quote(nonce) };
			let jobs: Vec<_> = (0..4).map(|nonce| open_with(&dear(nonce)).unwrap()).collect();
			for place in order {
				let miner = if place % 2 == 0 { MINER } else { CPU_MINER };
				let receipt =
					Receipt { price: DEAR - place as u128, ..receipt(jobs[place], miner) };
				assert_eq!(claim(&[signed_by(receipt, miner, COORDINATOR)]), []);
			}
			next_step();
			assert_ok!(pay(&[MINER, CPU_MINER, COORDINATOR]));
			[1, 2, 3, 9, 200].map(|number| ait(&account(number)))
		})
	};
	let straight = run([0, 1, 2, 3]);
	for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
		assert_eq!(run(order), straight);
	}
}

#[test]
fn a_zero_score_or_class_earns_nothing_but_is_paid_by_the_client() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|parameters| parameters.cpu_weight = 0));
		let before = ait(&account(CPU_MINER));
		deliver(0, CPU_MINER);
		assert_eq!(ait(&account(CPU_MINER)), before + DEAR * 3 / 4);
		next_step();
		assert_noop!(pay(&[CPU_MINER]), Error::<Test>::NothingDue);
	});
}

#[test]
fn a_new_split_counts_from_the_running_step_on() {
	build_and_execute(|| {
		deliver(0, MINER);
		next_step();
		let split = Split { treasury: 1_000_000, coordinator: 0 };
		assert_ok!(set_parameters(|parameters| parameters.mint_split = split));
		// The ended step was closed with the old parameters.
		assert_eq!(claimable(MINER), 750 * PART);
		deliver(1, MINER);
		next_step();
		assert_eq!(claimable(MINER), 750 * PART);
		assert_ok!(pay(&[MINER]));
	});
}

#[test]
fn what_a_receipt_will_earn_is_known_before() {
	build_and_execute(|| {
		let job = open_with(&Quote { price: DEAR, ..quote(0) }).unwrap();
		let receipt = Receipt { price: DEAR, ..receipt(job, MINER) };
		let signed = signed_by(receipt, MINER, COORDINATOR);
		let preview = ComputeReceipts::preview_receipts(vec![signed.clone()]);
		let preview = preview.into_iter().next().unwrap().unwrap();
		let claimed = 1_000 * MILLI_AIT / 10;
		assert_eq!(preview.earnings.claim, claimed);
		assert_eq!(preview.earnings.minted, Split::DEFAULT.divide(claimed));
		let shares = Shares { treasury: AIT, coordinator: AIT / 4, miner: 15 * AIT / 4 };
		assert_eq!(preview.shares, shares);
		let earnings = |asset| ComputeReceipts::earnings(key(MINER), 1_000, asset, DEAR);
		assert_eq!(earnings(PriceAsset::Ait), Some(preview.earnings));
		assert_eq!(earnings(PriceAsset::ServiceCredit).unwrap().claim, 0);
		assert_eq!(claim(&[signed]), []);
		next_step();
		assert_eq!(claimable(MINER), preview.earnings.minted.miner);
	});
}

#[test]
fn steps_without_work_mint_nothing_and_leave_no_row() {
	build_and_execute(|| {
		for _ in 0..10 {
			next_step();
		}
		deliver(0, MINER);
		assert_eq!(Steps::<Test>::iter().count(), 0);
		assert_eq!(Running::<Test>::get().step, 10);
		assert_eq!(pool(10, Running::<Test>::get().claims, u128::MAX), 1_000 * PART);
		assert!(step_budget(10) > 1_000 * PART);
	});
}

#[test]
fn emission_begins_when_the_chain_knows_the_time() {
	build_bare_and_execute(|| {
		EmissionSchedule::<Test>::put(Schedule::default());
		Now::set(0);
		ComputeReceipts::begin_emission();
		assert_eq!(EmissionSchedule::<Test>::get().start_ms, 0);
		assert_eq!(ComputeReceipts::step_at(u64::MAX), 0);
		Now::set(5);
		ComputeReceipts::begin_emission();
		Now::set(6);
		ComputeReceipts::begin_emission();
		assert_eq!(EmissionSchedule::<Test>::get().start_ms, 5);
	});
}
