//! Registration, bonds, leaving.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::{Class, PartyRole, Registration},
	num::units::AIT,
};
use sp_runtime::{DispatchError, TokenError};

fn register_with(number: u8, proof: [u8; 64]) -> Result<(), DispatchError> {
	dispatch(Call::register_coordinator { key: key(number), proof }, account(number))
}

#[test]
fn a_party_puts_up_its_bond() {
	build_bare_and_execute(|| {
		let before = ait(&account(1));
		assert_ok!(register(1, PartyRole::Coordinator));
		assert_ok!(register(2, PartyRole::Miner(Class::Cpu)));
		assert_eq!(on_hold(HoldReason::Bond, &account(1)), 1_000 * AIT);
		assert_eq!(ait(&account(1)), before - 1_000 * AIT);
		assert_eq!(on_hold(HoldReason::Bond, &account(2)), 100 * AIT);
		assert_eq!(
			events()[0],
			Event::Registered {
				key: key(1),
				role: PartyRole::Coordinator,
				account: account(1),
				bond: 1_000 * AIT,
			}
		);
	});
}

#[test]
fn nobody_registers_a_key_that_did_not_agree() {
	build_bare_and_execute(|| {
		let registration =
			|account: u8| Registration { role: PartyRole::Coordinator, account: [account; 32] };
		// Signed by another key, for another account, in another role, for another chain.
		let proofs = [
			sign(2, &registration(1).signing_payload(&genesis())),
			sign(1, &registration(2).signing_payload(&genesis())),
			sign(
				1,
				&Registration { role: PartyRole::Miner(Class::Gpu), account: [1; 32] }
					.signing_payload(&genesis()),
			),
			sign(1, &registration(1).signing_payload(&gridproof_primitives::H256::zero())),
			[0; 64],
		];
		for proof in proofs {
			assert_noop!(register_with(1, proof), Error::<Test>::BadProof);
		}
		assert_ok!(register_with(1, sign(1, &registration(1).signing_payload(&genesis()))));
	});
}

#[test]
fn a_weak_key_is_refused_whatever_it_seems_to_have_signed() {
	build_bare_and_execute(|| {
		// The neutral element "signs" everything with R = the neutral element and S = 0.
		let mut weak = [0; 32];
		weak[0] = 1;
		let mut proof = [0; 64];
		proof[0] = 1;
		let call = Call::register_miner { key: weak, class: Class::Gpu, proof };
		assert_noop!(dispatch(call, account(1)), Error::<Test>::BadProof);
	});
}

#[test]
fn a_key_has_one_role_at_a_time() {
	build_bare_and_execute(|| {
		assert_ok!(register(1, PartyRole::Coordinator));
		assert_noop!(register(1, PartyRole::Coordinator), Error::<Test>::KeyInUse);
		assert_noop!(register(1, PartyRole::Miner(Class::Gpu)), Error::<Test>::KeyInUse);
	});
}

#[test]
fn only_admitted_coordinators_take_seats_and_leave_them() {
	build_bare_and_execute(|| {
		// Anyone who bonds may register, and keeps nobody out.
		for number in 1..=5 {
			assert_ok!(register(number, PartyRole::Coordinator));
		}
		for number in 1..=3 {
			assert_ok!(admit(number));
		}
		assert_noop!(admit(4), Error::<Test>::MaxPartiesExceeded);
		assert_ok!(dispatch(Call::leave { key: key(1) }, account(1)));
		pass(7 * DAY_MS);
		assert_ok!(dispatch(Call::withdraw { key: key(1) }, account(1)));
		assert_ok!(admit(4));
		// Who comes back has to be admitted again.
		assert_ok!(register(1, PartyRole::Coordinator));
		assert!(!ComputeReceipts::coordinator(key(1)).unwrap().admitted);
		assert_noop!(admit(1), Error::<Test>::MaxPartiesExceeded);
	});
}

#[test]
fn who_cannot_bond_is_not_registered() {
	build_bare_and_execute(|| {
		let registration = Registration { role: PartyRole::Coordinator, account: [77; 32] };
		let proof = sign(1, &registration.signing_payload(&genesis()));
		let call = Call::register_coordinator { key: key(1), proof };
		assert_noop!(dispatch(call, account(77)), TokenError::FundsUnavailable);
	});
}

#[test]
fn only_the_owner_raises_a_bond_and_leaves() {
	build_and_execute(|| {
		let raise = |amount| Call::raise_bond { key: key(MINER), amount };
		assert_noop!(dispatch(raise(5), account(8)), Error::<Test>::NotOwner);
		assert_ok!(dispatch(raise(5), account(MINER)));
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 100 * AIT + 5);
		assert_noop!(dispatch(raise(u128::MAX), account(MINER)), Error::<Test>::Overflow);
		let leave = |number| Call::leave { key: key(number) };
		assert_noop!(dispatch(leave(MINER), account(8)), Error::<Test>::NotOwner);
		assert_noop!(dispatch(leave(77), account(8)), Error::<Test>::UnknownParty);
		assert_ok!(dispatch(leave(MINER), account(MINER)));
		assert_noop!(dispatch(leave(MINER), account(MINER)), Error::<Test>::Leaving);
	});
}

#[test]
fn a_bond_is_free_after_the_delay_to_the_last_unit() {
	build_and_execute(|| {
		let before = ait(&account(MINER));
		let withdraw = || Call::withdraw { key: key(MINER) };
		assert_noop!(dispatch(withdraw(), account(MINER)), Error::<Test>::NotYet);
		assert_ok!(dispatch(Call::leave { key: key(MINER) }, account(MINER)));
		pass(7 * DAY_MS - 1);
		assert_noop!(dispatch(withdraw(), account(MINER)), Error::<Test>::NotYet);
		pass(1);
		// Only its owner takes it.
		assert_noop!(dispatch(withdraw(), account(8)), Error::<Test>::NotOwner);
		assert_ok!(dispatch(withdraw(), account(MINER)));
		assert_eq!(ait(&account(MINER)), before + 100 * AIT);
		assert!(!Parties::<Test>::contains_key(key(MINER)));
		assert_noop!(dispatch(withdraw(), account(MINER)), Error::<Test>::UnknownParty);
	});
}

#[test]
fn who_leaves_is_paid_what_it_earned_first() {
	build_and_execute(|| {
		deliver(0, MINER);
		assert_ok!(dispatch(Call::leave { key: key(MINER) }, account(MINER)));
		pass(7 * DAY_MS);
		let before = ait(&account(MINER));
		let withdraw = || Call::withdraw { key: key(MINER) };
		assert_ok!(dispatch(withdraw(), account(MINER)));
		assert_eq!(ait(&account(MINER)), before + 100 * AIT + 75 * AIT / 1_000);
	});
}

#[test]
fn a_stopped_mint_holds_no_bond_and_what_was_earned_stays_claimable() {
	build_and_execute(|| {
		deliver(0, MINER);
		assert_ok!(dispatch(Call::leave { key: key(MINER) }, account(MINER)));
		pass(7 * DAY_MS);
		let before = ait(&account(MINER));
		let withdraw = || dispatch(Call::withdraw { key: key(MINER) }, account(MINER));
		BreakerLevel::<Test>::put(Breaker::MintStopped);
		assert_ok!(withdraw());
		assert_eq!(ait(&account(MINER)), before + 100 * AIT);
		assert_noop!(withdraw(), Error::<Test>::MintStopped);
		assert_eq!(claimable(MINER), 75 * AIT / 1_000);
		BreakerLevel::<Test>::put(Breaker::Closed);
		assert_ok!(withdraw());
		assert_eq!(ait(&account(MINER)), before + 100 * AIT + 75 * AIT / 1_000);
		assert!(!Parties::<Test>::contains_key(key(MINER)));
	});
}

#[test]
fn a_leaving_miner_settles_what_was_open_and_nothing_later() {
	build_and_execute(|| {
		let before = open(0);
		pass(1);
		assert_ok!(dispatch(Call::leave { key: key(MINER) }, account(MINER)));
		let after = open(1);
		let refused = gridproof_primitives::compute::ReceiptRefusal::MinerLeaving;
		assert_eq!(claim(&[signed(after, MINER)]), [refused]);
		// Its bond answers for the last job as long as for any other.
		pass(60_000);
		assert_eq!(claim(&[signed(before, MINER)]), []);
		let free = Now::get() + 7 * DAY_MS;
		let leaving = || ComputeReceipts::miner(key(MINER)).unwrap().party.leaving_ms;
		assert_eq!(leaving(), Some(free));
		Now::set(free - 1);
		let withdraw = || dispatch(Call::withdraw { key: key(MINER) }, account(MINER));
		assert_noop!(withdraw(), Error::<Test>::NotYet);
		// It can take its leave back, and work on.
		let stay = || Call::stay { key: key(MINER) };
		assert_noop!(dispatch(stay(), account(8)), Error::<Test>::NotOwner);
		assert_ok!(dispatch(stay(), account(MINER)));
		assert_noop!(dispatch(stay(), account(MINER)), Error::<Test>::Unchanged);
		assert_eq!(leaving(), None);
		pass(1);
		assert_noop!(withdraw(), Error::<Test>::NotYet);
		deliver(2, MINER);
	});
}

#[test]
fn who_is_leaving_settles_open_work_but_gets_no_more() {
	build_and_execute(|| {
		let job = open(0);
		assert_ok!(dispatch(Call::leave { key: key(COORDINATOR) }, account(COORDINATOR)));
		assert_eq!(open_with(&quote(1)), Err(Error::<Test>::CoordinatorUnfit.into()));
		assert_eq!(claim(&[signed(job, MINER)]), []);
	});
}

#[test]
fn a_job_needs_half_of_the_bond_that_was_required_when_it_was_opened() {
	build_and_execute(|| {
		let job = open(0);
		let raise = |factor: u128, extra: u128| {
			set_parameters(|parameters| parameters.miner_bond = factor * 100 * AIT + extra)
		};
		assert_ok!(raise(2, 1));
		// The job was opened while the bond sufficed; those after it need more.
		assert_eq!(claim(&[signed(job, MINER)]), []);
		let later = open(1);
		let refused = gridproof_primitives::compute::ReceiptRefusal::MinerUnderbonded;
		assert_eq!(claim(&[signed(later, MINER)]), [refused]);
		assert_ok!(raise(2, 0));
		assert_eq!(claim(&[signed(later, MINER)]), [refused]);
		assert_eq!(claim(&[signed(open(2), MINER)]), []);
	});
}
