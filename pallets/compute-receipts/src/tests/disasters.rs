//! What went wrong in systems like this one must fail here.

use crate::{mock::*, *};
use frame_support::{assert_ok, traits::fungible::Inspect};
use gridproof_primitives::{
	compute::emission::MINING_RESERVE,
	compute::{PriceAsset, Quote, ReceiptRefusal},
	num::units::{AIT, AIT_CAP},
};

/// AIT of everybody the tests know, free and held.
fn wealth() -> u128 {
	(1..=12)
		.chain([99, 200, 201])
		.map(|number| <Balances as Inspect<_>>::total_balance(&account(number)))
		.sum()
}

#[test]
fn one_jobs_escrow_is_never_paid_three_times() {
	build_and_execute(|| {
		let before = ait(&account(MINER));
		let job = open(0);
		let receipt = signed(job, MINER);
		// In one call, in later calls, by others, without a sender, after the deadline.
		assert_eq!(
			claim(&[receipt.clone(), receipt.clone(), receipt.clone()]),
			[ReceiptRefusal::Repeated; 2]
		);
		for who in [client(), account(MINER), account(8)] {
			let receipts = vec![receipt.clone()].try_into().unwrap();
			assert_ok!(dispatch(Call::claim_receipts { receipts }, who));
		}
		let receipts = vec![receipt.clone()].try_into().unwrap();
		assert!(apply_unsigned(Call::claim_receipts { receipts }).is_err());
		pass(700_000);
		assert_eq!(claim(&[receipt]), [ReceiptRefusal::AlreadySettled]);
		assert_eq!(ait(&account(MINER)), before + PAY);
	});
}

#[test]
fn one_job_with_three_receipts_pays_one_of_them_and_no_unassigned_miner() {
	build_and_execute(|| {
		let quote = Quote { miner: Some(key(MINER)), ..quote(0) };
		let job = open_with(&quote).unwrap();
		let mut second = receipt(job, MINER);
		second.nonce = 1;
		let receipts =
			[signed(job, CPU_MINER), signed(job, MINER), signed_by(second, MINER, COORDINATOR)];
		assert_eq!(claim(&receipts), [ReceiptRefusal::NotAssigned, ReceiptRefusal::Repeated]);
		assert_eq!(claim(&receipts)[0], ReceiptRefusal::AlreadySettled);
		assert_eq!(ComputeReceipts::miner(key(CPU_MINER)).unwrap().party.settled, 0);
	});
}

#[test]
fn an_unassigned_miner_cannot_be_paid_with_a_signature_of_its_own_making() {
	build_and_execute(|| {
		let job = open(0);
		// It knows the job and signs, but the coordinator did not choose it.
		let alone = signed_by(receipt(job, CPU_MINER), CPU_MINER, CPU_MINER);
		assert_eq!(claim(&[alone]), [ReceiptRefusal::BadCoordinatorSignature]);
		// Nor can it take the coordinator's signature of another miner's receipt.
		let theirs = signed(job, MINER);
		let mut stolen = signed_by(receipt(job, CPU_MINER), CPU_MINER, COORDINATOR);
		stolen.coordinator_signature = theirs.coordinator_signature;
		assert_eq!(claim(&[stolen]), [ReceiptRefusal::BadCoordinatorSignature]);
	});
}

#[test]
fn no_proof_counts_without_signatures_and_none_is_replayed() {
	build_and_execute(|| {
		let job = open(0);
		let good = signed(job, MINER);
		let mut bare = good.clone();
		(bare.miner_signature, bare.coordinator_signature) = ([0; 64], [0; 64]);
		assert_eq!(claim(&[bare]), [ReceiptRefusal::BadMinerSignature]);
		assert_eq!(claim(core::slice::from_ref(&good)), []);
		let units = Sums::<Test>::get().compute_units;
		for _ in 0..5 {
			assert_eq!(claim(core::slice::from_ref(&good)), [ReceiptRefusal::AlreadySettled]);
		}
		assert_eq!(Sums::<Test>::get().compute_units, units);
		// A signature for one job is none for another.
		let other = open(1);
		let mut moved = good;
		moved.receipt.job_id = other;
		assert_eq!(claim(&[moved]), [ReceiptRefusal::BadMinerSignature]);
	});
}

#[test]
fn the_supply_never_passes_its_cap_even_if_everything_is_asked_for() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|parameters| parameters.mint_per_unit = 50 * AIT));
		Sums::<Test>::mutate(|sums| sums.minted = MINING_RESERVE - 120 * AIT);
		for step in 0..5 {
			deliver_for(PriceAsset::Ait, 5_000 * AIT, step, MINER);
			next_step();
			// Two forgo their money for a while; it stays promised.
			if step % 2 == 0 {
				let _ = pay(&[MINER]);
			}
		}
		let _ = pay(&[MINER]);
		assert_ok!(pay(&[COORDINATOR]));
		let sums = Sums::<Test>::get();
		assert!(sums.minted + sums.promised <= MINING_RESERVE);
		assert!(MINING_RESERVE - sums.minted <= 10, "{}", MINING_RESERVE - sums.minted);
		assert!(Balances::total_issuance() <= AIT_CAP);
	});
}

#[test]
fn a_message_moves_nobodys_money_but_the_one_who_signed() {
	build_and_execute(|| {
		// A quote of a stranger in the client's name does not open with another's account, and
		// a claim sent by anybody moves what the client held for that job and nothing else.
		let (job, bystander) = (open(0), ait(&account(8)));
		let other = open_with(&Quote { client: account(10).into(), ..quote(1) }).unwrap();
		assert_eq!(claim(&[signed(job, MINER)]), []);
		assert_eq!(in_escrow(), [100_000 + 2 * JOB_DEPOSIT, 0]);
		assert_eq!(ait(&account(8)), bystander);
		assert_eq!(state(other), gridproof_primitives::compute::JobState::Open);
	});
}

#[test]
fn a_poison_receipt_aborts_nothing() {
	build_and_execute(|| {
		let mut poison = signed(open(0), MINER);
		poison.receipt.price = u128::MAX;
		poison.receipt.compute_units = u64::MAX;
		poison.receipt.telemetry.duration_ms = u64::MAX;
		let good: Vec<_> = (1..5).map(|nonce| signed(open(nonce), MINER)).collect();
		let mut all = good[..2].to_vec();
		all.push(poison);
		all.extend_from_slice(&good[2..]);
		assert_eq!(claim(&all).len(), 1);
		assert_eq!(Sums::<Test>::get().settled, 4);
	});
}

#[test]
fn money_is_moved_and_minted_but_never_made_otherwise() {
	build_and_execute(|| {
		let before = wealth();
		for nonce in 0..6 {
			if nonce % 3 == 0 {
				deliver(nonce, MINER);
				continue;
			}
			let job = open(nonce);
			if nonce % 3 == 1 {
				let call = Call::release_job { job_id: job, signature: release_signature(job) };
				assert_ok!(dispatch(call, account(8)));
			}
		}
		assert_eq!(wealth(), before);
		next_step();
		assert_ok!(pay(&[MINER, COORDINATOR]));
		let minted = Sums::<Test>::get().minted;
		assert!(minted > 0);
		assert_eq!(wealth(), before + minted);
		pass(600_000);
		ComputeReceipts::scan_when_idle(frame_support::weights::Weight::MAX);
		ComputeReceipts::scan_when_idle(frame_support::weights::Weight::MAX);
		pass(DAY_MS);
		for _ in 0..4 {
			ComputeReceipts::scan_when_idle(frame_support::weights::Weight::MAX);
		}
		assert_eq!(in_escrow(), [0, 0]);
		assert_eq!(wealth(), before + minted);
	});
}

#[test]
fn a_bonded_account_cannot_spend_its_bond_and_a_client_not_its_escrow() {
	build_and_execute(|| {
		use frame_support::traits::{fungible::Mutate, tokens::Preservation};
		let job = open(0);
		let send_all = |who| {
			let total = <Balances as Inspect<_>>::total_balance(&who);
			<Balances as Mutate<_>>::transfer(&who, &account(8), total, Preservation::Expendable)
		};
		assert!(send_all(account(MINER)).is_err());
		// The client sends away all that it has left: its escrow is elsewhere, and pays.
		send_all(client()).unwrap();
		let miner = ait(&account(MINER));
		assert_eq!(claim(&[signed(job, MINER)]), []);
		assert_eq!(ait(&account(MINER)), miner + PAY);
	});
}

#[test]
fn no_lock_of_its_owner_reaches_an_escrow_or_a_bond() {
	build_and_execute(|| {
		use frame_support::traits::{LockableCurrency, WithdrawReasons};
		let job = open(0);
		// GIVEN a client and a miner that lock all they have, held amounts included, as a vote does
		for who in [client(), account(MINER)] {
			Balances::set_lock(*b"a vote..", &who, u128::MAX, WithdrawReasons::all());
		}
		// THEN all three are paid
		let before = [MINER, COORDINATOR, 200].map(|number| ait(&account(number)));
		assert_eq!(claim(&[signed(job, MINER)]), []);
		let after = [MINER, COORDINATOR, 200].map(|number| ait(&account(number)));
		let gained: Vec<_> = before.iter().zip(after).map(|(old, new)| new - old).collect();
		assert_eq!(gained, [PAY, 5_000, 20_000]);
		assert!(!events().iter().any(|event| matches!(event, Event::PaymentDiverted { .. })));
		// AND a slash takes its part of the bond
		Parties::<Test>::mutate(key(MINER), |party| {
			let _ = party.as_mut().unwrap().slashes.try_push((0, 10 * AIT));
		});
		assert_ok!(dispatch(Call::apply_slashes { key: key(MINER) }, account(8)));
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 90 * AIT);
	});
}

#[test]
fn whoever_sends_something_to_the_escrow_breaks_no_invariant_and_no_payment() {
	build_bare_and_execute(|| {
		use frame_support::traits::{fungible::Mutate, tokens::Preservation};
		let gift = 2 * EXISTENTIAL_DEPOSIT;
		<Balances as Mutate<_>>::transfer(
			&account(8),
			&EscrowAccount::get(),
			gift,
			Preservation::Expendable,
		)
		.unwrap();
		assert_eq!((in_escrow(), ComputeReceipts::owed()), ([gift, 0], [0, 0]));
		assert_ok!(ComputeReceipts::do_try_state());
		// What is missing is seen.
		<Balances as Mutate<_>>::transfer(
			&EscrowAccount::get(),
			&account(8),
			gift,
			Preservation::Expendable,
		)
		.unwrap();
	});
}

#[test]
fn an_invariant_sees_money_that_is_missing_from_the_escrow() {
	build_and_execute(|| {
		use frame_support::traits::{fungible::Mutate, tokens::Preservation};
		let move_unit = |from: &_, to: &_| {
			<Balances as Mutate<_>>::transfer(from, to, 1, Preservation::Expendable).unwrap();
		};
		open(0);
		move_unit(&EscrowAccount::get(), &account(8));
		let missing = "3: AIT is missing from the escrow";
		assert_eq!(ComputeReceipts::do_try_state(), Err(missing.into()));
		move_unit(&account(8), &EscrowAccount::get());
		// And more to be slashed than there is.
		let slash = |amount| {
			Parties::<Test>::mutate(key(MINER), |party| {
				let party = party.as_mut().unwrap();
				party.slashes = vec![(0, amount)].try_into().unwrap();
			});
		};
		slash(100 * AIT + 1);
		let more = "2: more to be slashed than there is";
		assert_eq!(ComputeReceipts::do_try_state(), Err(more.into()));
		slash(100 * AIT);
	});
}

#[test]
fn a_refund_to_an_account_that_is_gone_goes_to_the_treasury() {
	build_and_execute(|| {
		use frame_support::traits::{fungible::Mutate, tokens::Preservation};
		// GIVEN a client that opened a job for less than an account needs, and closed its account
		let job = open_with(&Quote { price: EXISTENTIAL_DEPOSIT - 1, ..quote(0) }).unwrap();
		let all = ait(&client());
		<Balances as Mutate<_>>::transfer(&client(), &account(8), all, Preservation::Expendable)
			.unwrap();
		let treasury = ait(&account(200));
		let call = || Call::expire_jobs { jobs: vec![job].try_into().unwrap() };
		pass(600_000);
		assert_ok!(dispatch(call(), account(8)));
		assert_eq!(ait(&account(200)), treasury + EXISTENTIAL_DEPOSIT - 1);
		// The deposit is enough to make the account again.
		pass(DAY_MS);
		assert_ok!(dispatch(call(), account(8)));
		assert_eq!((ait(&client()), in_escrow()), (JOB_DEPOSIT, [0, 0]));
	});
}
