//! One AIT, one vote, once.

use super::*;
use frame_support::traits::{
	Currency, Get,
	fungible::InspectHold,
	tokens::{Fortitude, Precision, Restriction, fungible::MutateHold},
};
use gridproof_primitives::compute::{PartyRole, PriceAsset, Quote, Registration};
use gridproof_runtime::{
	ComputeReceipts, ModelRegistry,
	configs::{EscrowAccount, MaxTurnout, TreasuryAccount, VotingBalances},
};
use pallet_conviction_voting::Error;
use sp_core::{H256, Pair, ed25519};

fn anything() -> RuntimeCall {
	frame_system::Call::remark { remark: vec![1] }.into()
}

fn tally(index: u32) -> (u128, u128, u128) {
	let Info::Ongoing(status) = info(index) else { panic!("it is over") };
	(status.tally.ayes, status.tally.nays, status.tally.support)
}

fn filtered() -> DispatchResult {
	Err(frame_system::Error::<Runtime>::CallFiltered.into())
}

fn transfer(to: Sr25519Keyring, value: u128) -> RuntimeCall {
	let dest = MultiAddress::Id(to.to_account_id());
	pallet_balances::Call::transfer_allow_death { dest, value }.into()
}

fn delegate(to: Sr25519Keyring, conviction: Conviction, balance: u128) -> RuntimeCall {
	let to = MultiAddress::Id(to.to_account_id());
	pallet_conviction_voting::Call::delegate { class: STANDARD, to, conviction, balance }.into()
}

fn votes_of(who: Sr25519Keyring) -> u128 {
	VotingBalances::votes_of(&who.to_account_id())
}

const CONVICTIONS: [Conviction; 6] = [
	Conviction::None,
	Conviction::Locked2x,
	Conviction::Locked3x,
	Conviction::Locked4x,
	Conviction::Locked5x,
	Conviction::Locked6x,
];

#[test]
fn no_vote_weighs_more_or_less_than_one_for_an_ait() {
	development(|| {
		let index = propose(STANDARD, anything());
		let mut others = vec![
			AccountVote::Split { aye: AIT, nay: AIT },
			AccountVote::SplitAbstain { aye: AIT, nay: AIT, abstain: AIT },
		];
		others.extend(CONVICTIONS.map(|conviction| AccountVote::Standard {
			vote: Vote { aye: true, conviction },
			balance: AIT,
		}));
		for vote in others {
			let call = pallet_conviction_voting::Call::vote { poll_index: index, vote };
			assert_eq!(send(Alice, call.clone()), filtered());
			let batch = pallet_utility::Call::batch_all { calls: vec![call.into()] };
			assert_eq!(send(Alice, batch), filtered());
			// The hook refuses as well what gets past the filter.
			let answer = ConvictionVoting::vote(signed(Alice), index, vote);
			assert_eq!(answer, Err(Error::<Runtime>::NoPermission.into()));
		}
		for conviction in CONVICTIONS {
			assert_eq!(send(Alice, delegate(Bob, conviction, AIT)), filtered());
		}
		assert_eq!(tally(index), (0, 0, 0));
		assert_ok!(vote(Alice, index, true, 3));
		assert_ok!(vote(Bob, index, false, 2));
		assert_eq!(tally(index), (3 * AIT, 2 * AIT, 3 * AIT));
	});
}

#[test]
fn the_treasury_neither_votes_nor_counts() {
	development(|| {
		let index = propose(STANDARD, anything());
		let treasury = TreasuryAccount::get();
		assert!(Balances::free_balance(&treasury) > 0);
		assert_eq!(VotingBalances::votes_of(&treasury), 0);
		let answer =
			ConvictionVoting::vote(RuntimeOrigin::signed(treasury.clone()), index, plain(true, 0));
		assert_eq!(answer, Err(Error::<Runtime>::NoPermission.into()));
		let before = MaxTurnout::get();
		let pay = pallet_balances::Call::transfer_allow_death {
			dest: MultiAddress::Id(treasury),
			value: 1_000 * AIT,
		};
		assert_ok!(send(Alice, pay));
		assert_eq!(MaxTurnout::get(), before - 1_000 * AIT);
	});
}

#[test]
fn what_voted_cannot_be_moved_and_vote_again() {
	development(|| {
		let index = propose(STANDARD, anything());
		let all = free(Alice);
		assert_ok!(send(
			Alice,
			pallet_conviction_voting::Call::vote { poll_index: index, vote: plain(true, all) }
		));
		let before = free(Charlie);
		assert!(send(Alice, transfer(Charlie, AIT)).is_err());
		let dest = MultiAddress::Id(Charlie.to_account_id());
		let everything = pallet_balances::Call::transfer_all { dest, keep_alive: false };
		let _ = send(Alice, everything);
		assert_eq!(free(Charlie), before);
		// Nobody votes with more than there is.
		let more =
			pallet_conviction_voting::Call::vote { poll_index: index, vote: plain(true, all + 1) };
		assert_eq!(send(Alice, more), Err(Error::<Runtime>::InsufficientFunds.into()));
		// Who takes the vote back before the end may move it, and it votes once.
		let remove = pallet_conviction_voting::Call::remove_vote { class: Some(0), index };
		assert_ok!(send(Alice, remove));
		let target = MultiAddress::Id(Alice.to_account_id());
		assert_ok!(send(Bob, pallet_conviction_voting::Call::unlock { class: 0, target }));
		assert_eq!(tally(index).0, 0);
		assert_ok!(send(Alice, transfer(Charlie, AIT)));
	});
}

#[test]
fn what_voted_is_locked_for_three_days_after_it_won() {
	development(|| {
		let index = propose(STANDARD, anything());
		let all = free(Alice);
		let everything = plain(true, all);
		assert_ok!(send(
			Alice,
			pallet_conviction_voting::Call::vote { poll_index: index, vote: everything }
		));
		assert_ok!(vote(Bob, index, true, 600_000));
		run_to(7 * DAY + 5);
		assert!(is_approved(index));
		let unlock = || {
			let remove = pallet_conviction_voting::Call::remove_vote { class: Some(0), index };
			let _ = send(Alice, remove);
			let target = MultiAddress::Id(Alice.to_account_id());
			assert_ok!(send(Bob, pallet_conviction_voting::Call::unlock { class: 0, target }));
			send(Alice, transfer(Charlie, AIT))
		};
		assert!(unlock().is_err());
		run_to(10 * DAY);
		assert!(unlock().is_err());
		run_to(10 * DAY + 10);
		assert_ok!(unlock());
	});
}

#[test]
fn what_lies_in_deposits_neither_votes_nor_frees_what_did() {
	development(|| {
		// Deposits of the old kind, reserved, and of the new one, held.
		let index = submit(Alice, STANDARD, anything());
		assert_ok!(Referenda::place_decision_deposit(signed(Alice), index));
		assert_ok!(send(Alice, pallet_preimage::Call::note_preimage { bytes: vec![7; 1_000] }));
		let deposits = Balances::reserved_balance(Alice.to_account_id());
		assert!(deposits > 1_010 * AIT);
		let all = free(Alice);
		assert_eq!(votes_of(Alice), all);
		let vote = |balance| pallet_conviction_voting::Call::vote {
			poll_index: index,
			vote: plain(true, balance),
		};
		assert_eq!(send(Alice, vote(all + 1)), Err(Error::<Runtime>::InsufficientFunds.into()));
		assert_ok!(send(Alice, vote(all)));
		for value in [AIT, deposits] {
			assert!(send(Alice, transfer(Charlie, value)).is_err(), "{value}");
		}
		assert_eq!(tally(index).0, all);
	});
}

#[test]
fn an_account_votes_once_on_a_referendum_however_it_splits_it() {
	development(|| {
		let index = propose(STANDARD, anything());
		let half = votes_of(Alice) / 2;
		for _ in 0..3 {
			let call =
				pallet_conviction_voting::Call::vote { poll_index: index, vote: plain(true, half) };
			assert_ok!(send(Alice, call));
			assert_eq!(tally(index).0, half);
		}
		// The other half may go elsewhere and vote there, and no more than that.
		assert_ok!(send(Alice, transfer(Ferdie, half - AIT)));
		assert!(send(Alice, transfer(Ferdie, 2 * AIT)).is_err());
	});
}

#[test]
fn who_delegates_does_not_vote_as_well() {
	development(|| {
		let index = propose(STANDARD, anything());
		let all = votes_of(Alice);
		assert_ok!(send(Alice, delegate(Bob, Conviction::Locked1x, all)));
		assert_eq!(vote(Alice, index, true, 1), Err(Error::<Runtime>::AlreadyDelegating.into()));
		assert!(send(Alice, transfer(Charlie, AIT)).is_err());
		assert_ok!(vote(Bob, index, true, 10));
		assert_eq!(tally(index).0, all + 10 * AIT);
		// What was delegated to one is not delegated on to the next.
		let dave = votes_of(Dave);
		assert_ok!(send(Dave, delegate(Alice, Conviction::Locked1x, dave)));
		assert_eq!(tally(index).0, all + 10 * AIT);
		let back = pallet_conviction_voting::Call::undelegate { class: STANDARD };
		assert_ok!(send(Alice, back));
		assert_eq!(tally(index).0, 10 * AIT);
		// Dave's votes go with hers now.
		assert_ok!(vote(Alice, index, false, 5));
		assert_eq!(tally(index), (10 * AIT, 5 * AIT + dave, 10 * AIT));
		// It stays where it is as if it had voted.
		assert!(send(Alice, transfer(Charlie, AIT)).is_err());
	});
}

/// 2026-01-15, noon.
const NOON: u64 = 1_768_478_400_000;

fn pair(number: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[number; 32])
}

fn key(number: u8) -> [u8; 32] {
	pair(number).public().0
}

fn register(number: u8, role: PartyRole, who: Sr25519Keyring) {
	let statement = Registration { role, account: who.to_account_id().into() };
	let genesis = System::block_hash(0);
	let proof = pair(number).sign(&statement.signing_payload(&genesis)).0;
	assert_ok!(match role {
		PartyRole::Coordinator => {
			ComputeReceipts::register_coordinator(signed(who), key(number), proof)
		},
		PartyRole::Miner(class) => {
			ComputeReceipts::register_miner(signed(who), key(number), class, proof)
		},
	});
}

/// Alice opens a job with Bob's coordinator, for this price.
fn open(price: u128, nonce: u64) -> DispatchResult {
	let model = ModelRegistry::default_model().expect("there is one");
	let genesis: H256 = System::block_hash(0);
	let quote = Quote {
		coordinator: key(1),
		client: Alice.to_account_id().into(),
		spec_hash: gridproof_primitives::H256::zero(),
		model_factor: ModelRegistry::factor_at(model, NOON).expect("it counts"),
		asset: PriceAsset::Ait,
		price,
		max_units: 1_000,
		expiry_ms: NOON + 60_000,
		deadline_ms: NOON + 600_000,
		miner: None,
		nonce,
		model: Some(model),
	};
	let signature = pair(1).sign(&quote.signing_payload(&genesis)).0;
	ComputeReceipts::open_job(signed(Alice), Box::new(quote), signature)
}

fn with_a_coordinator(test: impl FnOnce()) {
	development(|| {
		pallet_timestamp::Now::<Runtime>::put(NOON);
		<ComputeReceipts as Hooks<u32>>::on_initialize(2);
		register(1, PartyRole::Coordinator, Bob);
		assert_ok!(ComputeReceipts::admit_coordinator(RuntimeOrigin::root(), key(1)));
		test();
	});
}

#[test]
fn what_voted_cannot_be_paid_to_a_miner_of_ones_own() {
	with_a_coordinator(|| {
		let index = propose(STANDARD, anything());
		assert_ok!(open(100 * AIT, 0));
		let escrow = Balances::free_balance(EscrowAccount::get());
		let all = votes_of(Alice);
		let call =
			pallet_conviction_voting::Call::vote { poll_index: index, vote: plain(true, all) };
		assert_ok!(send(Alice, call));
		assert!(open(100 * AIT, 1).is_err());
		assert_eq!(Balances::free_balance(EscrowAccount::get()), escrow);
		// What lies in the escrow already votes for nobody, and is paid out as before.
		assert_eq!(votes_of(Alice), all);
		let pay = Balances::transfer_allow_death(
			RuntimeOrigin::signed(EscrowAccount::get()),
			MultiAddress::Id(Charlie.to_account_id()),
			100 * AIT,
		);
		assert_ok!(pay);
	});
}

#[test]
fn bonds_of_verifiers_vote_as_well() {
	development(|| {
		let verifier = Sr25519Keyring::AliceStash.to_account_id();
		let reason = pallet_compute_checks::HoldReason::Bond.into();
		let bond = Balances::balance_on_hold(&reason, &verifier);
		assert!(bond > 0);
		let free = Balances::free_balance(&verifier);
		assert_eq!(VotingBalances::votes_of(&verifier), free + bond);
	});
}

#[test]
fn bonds_vote_with_what_is_free_and_are_slashed_and_released_as_before() {
	with_a_coordinator(|| {
		let bob = Bob.to_account_id();
		let reason = pallet_compute_receipts::HoldReason::Bond.into();
		let bond = Balances::balance_on_hold(&reason, &bob);
		assert_eq!(bond, 1_000 * AIT);
		let index = propose(STANDARD, anything());
		let all = votes_of(Bob);
		assert_eq!(all, free(Bob) + bond);
		let call =
			pallet_conviction_voting::Call::vote { poll_index: index, vote: plain(true, all) };
		assert_ok!(send(Bob, call));
		assert!(send(Bob, transfer(Charlie, AIT)).is_err());
		// A polite transfer of what is held would fail; slashes force theirs.
		let treasury = TreasuryAccount::get();
		let take = |amount, force| {
			let (exact, to_free) = (Precision::Exact, Restriction::Free);
			let taken =
				Balances::transfer_on_hold(&reason, &bob, &treasury, amount, exact, to_free, force);
			taken.map(|_| ())
		};
		assert!(take(AIT, Fortitude::Polite).is_err());
		let due = pallet_timestamp::Now::<Runtime>::get();
		pallet_compute_receipts::Parties::<Runtime>::mutate(key(1), |party| {
			let party = party.as_mut().expect("it is registered");
			party.slashes.try_push((due, 100 * AIT)).expect("there is room");
		});
		pallet_compute_receipts::Parameters::<Runtime>::mutate(|now| now.slashing = true);
		let before = <Balances as Currency<AccountId>>::total_balance(&treasury);
		assert_ok!(ComputeReceipts::apply_slashes(signed(Charlie), key(1)));
		let after = <Balances as Currency<AccountId>>::total_balance(&treasury);
		assert_eq!(after - before, 100 * AIT);
		assert_eq!(Balances::balance_on_hold(&reason, &bob), bond - 100 * AIT);
		// What is bonded after the vote is bonded of what voted.
		assert_ok!(ComputeReceipts::raise_bond(signed(Bob), key(1), 50 * AIT));
		assert_eq!(votes_of(Bob), all - 100 * AIT);
		assert!(send(Bob, transfer(Charlie, AIT)).is_err());
	});
}
