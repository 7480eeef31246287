//! What lines of miners earn of the emission.

use super::books::*;
use crate::{mock::*, *};
use frame_support::assert_ok;
use gridproof_primitives::{
	compute::AitPerAicp,
	compute::channels::BatchKind,
	num::units::{AIT, MILLI_AIT},
};

/// Score of a miner of which nothing is known: half of the points for success.
const NEW: u128 = 1_000;

/// Settles one receipt of a miner, signed by it or not. Returns what its line claims.
fn claim_of(kind: BatchKind, price: u128, tokens: u64, miner: u8, signing: &[u8]) -> u128 {
	pass(SPACING_MS);
	let channel = open_channel(kind);
	let mut books = Books::of(COORDINATOR);
	let from = ComputeReceipts::miner_sums(key(COORDINATOR), kind, Some(key(miner)));
	books.continue_from(kind, miner, from);
	books.work(channel, Some(miner), price, tokens);
	System::reset_events();
	settle(&books.batch(kind, signing));
	let claim = events().into_iter().find_map(|event| match event {
		Event::MinerSettled { claim, .. } => Some(claim),
		_ => None,
	});
	claim.expect("a line was settled")
}

#[test]
fn a_line_that_its_miner_signed_claims_what_its_weight_and_price_allow() {
	build_and_execute(|| {
		// A hundred units ask for 0.1 AIT, of 50 AIT the treasury received 10.
		let claim = claim_of(IN_AIT, 50 * AIT, 100, MINER, &[MINER]);
		assert_eq!(claim, 100 * MILLI_AIT * NEW / 10_000);
		for who in [MINER, COORDINATOR] {
			assert_eq!(Parties::<Test>::get(key(who)).unwrap().pending.claim, claim);
		}
		let running = Running::<Test>::get();
		assert_eq!((running.claims, running.parties), (claim, 2));
		next_step();
		assert_ok!(pay(&[MINER, COORDINATOR]));
		assert_eq!(Parties::<Test>::get(key(MINER)).unwrap().minted, claim * 75 / 100);
		assert_eq!(Parties::<Test>::get(key(COORDINATOR)).unwrap().minted, claim * 5 / 100);
	});
}

#[test]
fn the_price_bounds_what_any_weight_claims() {
	build_and_execute(|| {
		let claim = claim_of(IN_AIT, 5 * MILLI_AIT, 1_000_000, MINER, &[MINER]);
		assert_eq!(claim, MILLI_AIT * NEW / 10_000);
	});
}

#[test]
fn work_of_the_class_cpu_claims_less() {
	build_and_execute(|| {
		let claim = claim_of(IN_AIT, 50 * AIT, 100, CPU_MINER, &[CPU_MINER]);
		assert_eq!(claim, 100 * MILLI_AIT * NEW / 10_000 * 3 / 10);
	});
}

#[test]
fn a_line_that_its_miner_did_not_sign_pays_and_claims_nothing() {
	build_and_execute(|| {
		let before = ait(&account(MINER));
		assert_eq!(claim_of(IN_AIT, 50 * AIT, 100, MINER, &[]), 0);
		assert_eq!(ait(&account(MINER)) - before, 37 * AIT + AIT / 2);
		assert_eq!(Running::<Test>::get().parties, 0);
	});
}

#[test]
fn private_work_claims_nothing_and_is_recorded_nowhere() {
	build_and_execute(|| {
		assert_eq!(claim_of(PRIVATE, 50 * AIT, 100, MINER, &[MINER]), 0);
		assert_eq!(Recorded::get(), []);
	});
}

#[test]
fn work_in_aicp_claims_by_half_of_the_reference_rate_and_nothing_without_one() {
	build_and_execute(|| {
		assert_eq!(claim_of(IN_AICP, 1_000_000, 1_000_000, MINER, &[MINER]), 0);
		let new = Some(AitPerAicp { ait: 2, aicp: 1 });
		assert_ok!(dispatch_as(Call::set_reference_rate { new }, RuntimeOrigin::root()));
		// The treasury received 0.2 AICP, which count as 0.2 AIT.
		let claim = claim_of(IN_AICP, 1_000_000, 1_000_000, MINER, &[MINER]);
		assert_eq!(claim, 200 * MILLI_AIT * NEW / 10_000);
	});
}

#[test]
fn while_the_mint_is_stopped_lines_pay_and_claim_nothing() {
	build_and_execute(|| {
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::MintStopped }, account(99)));
		let before = ait(&account(MINER));
		assert_eq!(claim_of(IN_AIT, 4 * AIT, 100, MINER, &[MINER]), 0);
		assert_eq!(ait(&account(MINER)) - before, 3 * AIT);
	});
}

#[test]
fn a_miner_that_is_banned_or_underbonded_is_paid_and_claims_nothing() {
	build_and_execute(|| {
		let before = ait(&account(MINER));
		let ban = |until_ms| Call::ban { key: key(MINER), until_ms };
		assert_ok!(dispatch_as(ban(START + DAY_MS), RuntimeOrigin::root()));
		assert_eq!(claim_of(IN_AIT, 4 * AIT, 100, MINER, &[MINER]), 0);
		assert_ok!(dispatch_as(ban(0), RuntimeOrigin::root()));
		let bond = Parameters::<Test>::get().miner_bond;
		assert_ok!(set_parameters(|parameters| parameters.miner_bond = 2 * bond + 1));
		assert_eq!(claim_of(IN_AIT, 4 * AIT, 100, MINER, &[MINER]), 0);
		assert_eq!(ait(&account(MINER)) - before, 6 * AIT);
		assert_ok!(set_parameters(|parameters| parameters.miner_bond = 2 * bond));
		assert!(claim_of(IN_AIT, 4 * AIT, 100, MINER, &[MINER]) > 0);
	});
}

#[test]
fn who_is_client_miner_and_coordinator_in_one_loses_by_every_batch() {
	build_and_execute(|| {
		// The best score and class, no lines of others, every price that a channel can have.
		for price in [1, 99, 5 * MILLI_AIT, AIT, 50 * AIT] {
			let claim = claim_of(IN_AIT, price, 1_000_000, MINER, &[MINER]);
			let given = price.div_ceil(5) + 2 * FEE;
			let back = claim * 10 * 80 / 100;
			assert!(back < given, "{price}: {back} of {given}");
		}
	});
}
