//! What a mint may never exceed, and who may quote.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use gridproof_primitives::{
	compute::{
		AitPerAicp, ComputeParameterError, JobState, PartyRole, PriceAsset, Quote, Receipt,
		Telemetry, settlement::Split,
	},
	num::units::{AICP, AIT},
};
use sp_runtime::{AccountId32, BuildStorage, DispatchError};

/// AIT, free and held, of one person who is client, coordinator and miner.
fn trio() -> u128 {
	// What lies in escrow, the deposits for rows, is the client's.
	let accounts = [client(), account(COORDINATOR), account(MINER), EscrowAccount::get()];
	accounts.iter().map(<Balances as Inspect<AccountId32>>::total_balance).sum()
}

/// Settles a receipt of a thousand million units that nobody computed.
fn invent(price: u128, nonce: u64) {
	let terms = Quote { price, max_units: 1_000_000_000, ..quote(nonce) };
	let job = open_with(&terms).unwrap();
	let receipt = Receipt {
		price,
		compute_units: 1_000_000_000,
		telemetry: Telemetry {
			input_tokens: u32::MAX,
			output_tokens: u32::MAX,
			duration_ms: 1,
			memory_mb: u32::MAX,
		},
		..receipt(job, MINER)
	};
	assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
}

#[test]
fn one_person_in_every_role_loses_by_every_receipt() {
	build_and_execute(|| {
		let mut before = trio();
		for (step, price) in [0, 1, 250 * AIT, 2_500 * AIT, 40_000 * AIT].into_iter().enumerate() {
			invent(price, step as u64);
			next_step();
			let _ = pay(&[MINER]);
			let _ = pay(&[COORDINATOR]);
			let after = trio();
			if price == 0 {
				assert_eq!(after, before, "nothing was paid and nothing minted");
			} else {
				assert!(after < before, "price {price}: {before} became {after}");
			}
			before = after;
		}
	});
}

#[test]
fn invented_units_take_nothing_from_an_honest_miner() {
	let honest = |fake: bool| {
		let mut part = 0;
		build_and_execute(|| {
			deliver(0, CPU_MINER);
			if fake {
				invent(100_000, 1);
			}
			next_step();
			part = claimable(CPU_MINER);
		});
		part
	};
	assert_eq!(honest(false), 225 * AIT / 10_000);
	assert_eq!(honest(true), honest(false));
}

#[test]
fn a_price_of_zero_and_service_credit_mint_nothing() {
	build_and_execute(|| {
		let claimed = |job| ComputeReceipts::receipt(job).unwrap().claim;
		assert_eq!(claimed(deliver_for(PriceAsset::Ait, 0, 0, MINER)), 0);
		assert_eq!(claimed(deliver_for(PriceAsset::ServiceCredit, 1_000_000, 1, MINER)), 0);
		assert_eq!(Running::<Test>::get(), RunningStep::default());
	});
}

#[test]
fn what_does_not_reach_the_treasury_mints_nothing() {
	build_and_execute(|| {
		let rate = AitPerAicp { ait: 1, aicp: 1 };
		assert_ok!(dispatch_as(
			Call::set_reference_rate { new: Some(rate) },
			RuntimeOrigin::root()
		));
		// GIVEN a treasury that has no account in AIT
		let all = ait(&account(200));
		let _ = <Balances as frame_support::traits::fungible::Mutate<_>>::burn_from(
			&account(200),
			all,
			frame_support::traits::tokens::Preservation::Expendable,
			frame_support::traits::tokens::Precision::Exact,
			frame_support::traits::tokens::Fortitude::Force,
		);
		Sums::<Test>::mutate(|sums| sums.genesis -= all);
		// WHEN its share is below the existential deposit, one unit too little
		let price = (EXISTENTIAL_DEPOSIT - 1) * 5;
		let job = deliver_for(PriceAsset::Ait, price, 0, MINER);
		// THEN the receipt has no claim
		assert_eq!(ComputeReceipts::receipt(job).unwrap().claim, 0);
		let job = deliver_for(PriceAsset::Ait, price + 5, 1, MINER);
		assert_eq!(ComputeReceipts::receipt(job).unwrap().claim, EXISTENTIAL_DEPOSIT / 10);
	});
}

#[test]
fn aicp_counts_for_half_of_the_stated_rate_and_for_nothing_without_one() {
	build_and_execute(|| {
		let claimed = |nonce| {
			let job = deliver_for(PriceAsset::Aicp, 5 * AICP, nonce, MINER);
			ComputeReceipts::receipt(job).unwrap().claim
		};
		let state = |rate| {
			let call = Call::set_reference_rate { new: rate };
			dispatch_as(call, RuntimeOrigin::root())
		};
		// Without a rate.
		assert_eq!(claimed(0), 0);
		// 1 AIT for 100 AICP: the treasury's AICP counts for 0.005 AIT, times a newcomer's score.
		assert_ok!(state(Some(AitPerAicp { ait: 1, aicp: 100 })));
		assert_eq!(claimed(1), AIT / 2_000);
		// The units bound a high rate.
		assert_ok!(state(Some(AitPerAicp { ait: 1_000, aicp: 1 })));
		assert_eq!(claimed(2), AIT / 10);
		// A rate ends after thirty days.
		pass(30 * DAY_MS - 1);
		assert!(ComputeReceipts::reference_rate().is_some());
		assert!(claimed(3) > 0);
		pass(1);
		assert!(ComputeReceipts::reference_rate().is_none());
		assert_eq!(claimed(4), 0);
		// Stated again, and withdrawn.
		assert_ok!(state(Some(AitPerAicp { ait: 1_000, aicp: 1 })));
		assert!(claimed(5) > 0);
		assert_ok!(state(None));
		assert_eq!(claimed(6), 0);
		assert_noop!(state(None), Error::<Test>::Unchanged);
		for rate in [AitPerAicp { ait: 0, aicp: 1 }, AitPerAicp { ait: 1, aicp: 0 }] {
			assert_noop!(state(Some(rate)), Error::<Test>::InvalidRate);
		}
	});
}

#[test]
fn who_may_pause_lowers_a_rate_and_neither_raises_nor_prolongs_it() {
	build_and_execute(|| {
		let state = |new, who| dispatch(Call::set_reference_rate { new }, account(who));
		let rate = |ait, aicp| Some(AitPerAicp { ait, aicp });
		assert_noop!(state(rate(1, 1), 8), DispatchError::BadOrigin);
		assert_noop!(state(rate(1, 1), 99), Error::<Test>::NotGovernance);
		let call = Call::set_reference_rate { new: rate(2, 3) };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		pass(DAY_MS);
		for same_or_higher in [rate(2, 3), rate(4, 6), rate(3, 4)] {
			assert_noop!(state(same_or_higher, 99), Error::<Test>::NotGovernance);
		}
		assert_ok!(state(rate(1, 2), 99));
		let stated = Rate::<Test>::get().unwrap();
		assert_eq!((Some(stated.rate), stated.stated_ms), (rate(1, 2), START));
		assert_ok!(state(None, 99));
		assert_noop!(state(rate(1, 9), 99), Error::<Test>::NotGovernance);
	});
}

#[test]
fn parameters_under_which_a_self_dealer_would_not_lose_are_refused() {
	build_and_execute(|| {
		// What the mint's treasury leaves is 0.8: γ must be below 1.25.
		let bound = |mint_per_received| {
			set_parameters(|parameters| parameters.mint_per_received = mint_per_received)
		};
		assert_noop!(bound(1_250_000), Error::<Test>::InvalidParameters);
		assert_ok!(bound(1_249_999));
		let split =
			|treasury| set_parameters(|p| p.mint_split = Split { treasury, coordinator: 0 });
		assert_noop!(split(199_999), Error::<Test>::InvalidParameters);
		assert_ok!(bound(999_999));
		assert_ok!(split(0));
		let fault = ComputeReceipts::check_parameters(ComputeParameters {
			mint_per_received: 1_000_000,
			..Parameters::<Test>::get()
		});
		assert_eq!(fault, Err(ComputeParameterError::MintBound));
	});
}

#[test]
fn no_job_is_opened_with_a_coordinator_that_is_not_admitted() {
	build_and_execute(|| {
		assert_ok!(register(5, PartyRole::Coordinator));
		let theirs = Quote { coordinator: key(5), ..quote(0) };
		assert_eq!(open_with(&theirs), Err(Error::<Test>::NotAdmitted.into()));
		assert_ok!(admit(5));
		assert_eq!(events().last(), Some(&Event::CoordinatorAdmitted { key: key(5) }));
		assert_ok!(open_with(&theirs));
	});
}

#[test]
fn only_governance_admits_and_only_registered_coordinators_once() {
	build_and_execute(|| {
		let by = |call: Call<Test>, who| dispatch(call, account(who));
		let admission = |number| Call::admit_coordinator { key: key(number) };
		assert_ok!(register(5, PartyRole::Coordinator));
		for who in [5, 8, 99] {
			assert_noop!(by(admission(5), who), DispatchError::BadOrigin);
		}
		assert_noop!(admit(77), Error::<Test>::UnknownParty);
		assert_noop!(admit(MINER), Error::<Test>::UnknownParty);
		assert_noop!(admit(COORDINATOR), Error::<Test>::Unchanged);
		let exclusion = |number| Call::exclude_coordinator { key: key(number) };
		assert_noop!(by(exclusion(COORDINATOR), 8), DispatchError::BadOrigin);
		assert_noop!(by(exclusion(5), 99), Error::<Test>::NotAdmitted);
		assert_ok!(by(exclusion(COORDINATOR), 99));
		assert_eq!(events().last(), Some(&Event::CoordinatorExcluded { key: key(COORDINATOR) }));
	});
}

#[test]
fn an_excluded_coordinator_settles_what_is_open_and_gets_no_more() {
	build_and_execute(|| {
		let job = open(0);
		let call = Call::exclude_coordinator { key: key(COORDINATOR) };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		assert_eq!(open_with(&quote(1)), Err(Error::<Test>::NotAdmitted.into()));
		assert_eq!(claim(&[signed(job, MINER)]), []);
		assert_eq!(state(job), JobState::Settled);
	});
}

#[test]
fn a_genesis_names_coordinators_that_register_later() {
	let admitted = vec![key(1).into()];
	let genesis = GenesisConfig::<Test> { admitted, ..Default::default() };
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| {
		assert!(Admitted::<Test>::contains_key(key(1)));
		assert_eq!(Admitted::<Test>::count(), 1);
	});
}

#[test]
#[should_panic = "more are admitted than there are seats"]
fn a_genesis_with_more_coordinators_than_seats_is_not_built() {
	let admitted = (1..=4).map(|number| key(number).into()).collect();
	let _ = GenesisConfig::<Test> { admitted, ..Default::default() }.build_storage();
}
