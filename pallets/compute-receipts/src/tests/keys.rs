//! Exchange of a party's key.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	compute::{
		Class, Evidence, KEY_EXCHANGE_MS, PartyRole, Receipt, ReceiptRefusal, Registration,
		SignedBy, Signer,
	},
	num::units::AIT,
};
use sp_runtime::DispatchError;

/// The key that replaces another one in these tests.
const NEW: u8 = 60;

fn exchange_by(who: u8, old: u8, new: u8, role: PartyRole) -> Result<(), DispatchError> {
	let statement = Registration { role, account: account(who).into() };
	let proof = sign(new, &statement.signing_payload(&genesis()));
	let call = Call::exchange_key { key: key(old), new: key(new), proof };
	dispatch(call, account(who))
}

fn exchange_miner(new: u8) -> Result<(), DispatchError> {
	exchange_by(MINER, MINER, new, PartyRole::Miner(Class::Gpu))
}

fn complete(old: u8) -> Result<(), DispatchError> {
	dispatch(Call::complete_exchange { key: key(old) }, account(8))
}

/// Exchanges the key of the first miner.
fn exchanged() {
	assert_ok!(exchange_miner(NEW));
	pass(KEY_EXCHANGE_MS);
	assert_ok!(complete(MINER));
}

#[test]
fn a_key_is_exchanged_after_a_day_and_everything_goes_with_it() {
	build_and_execute(|| {
		deliver(0, MINER);
		let before = Parties::<Test>::get(key(MINER)).unwrap();
		let activity = Activities::<Test>::get(key(MINER));
		assert_ok!(exchange_miner(NEW));
		let until_ms = START + KEY_EXCHANGE_MS;
		let (old, new) = (key(MINER), key(NEW));
		assert_eq!(events().last(), Some(&Event::KeyExchanging { key: old, new, until_ms }));
		Now::set(until_ms - 1);
		assert_noop!(complete(MINER), Error::<Test>::NotYet);
		pass(1);
		assert_ok!(complete(MINER));
		assert_eq!(events().last(), Some(&Event::KeyExchanged { key: old, new }));
		assert_eq!(Parties::<Test>::get(new), Some(before));
		assert_eq!(Activities::<Test>::get(new), activity);
		assert!(!Parties::<Test>::contains_key(old) && !Activities::<Test>::contains_key(old));
		// What was earned is the new key's, and it works on.
		assert_ok!(pay(&[NEW]));
		deliver(1, NEW);
		assert_noop!(complete(MINER), Error::<Test>::NothingDue);
	});
}

#[test]
fn a_coordinators_admission_goes_with_its_key() {
	build_and_execute(|| {
		let job = open(0);
		let coordinator = PartyRole::Coordinator;
		assert_ok!(exchange_by(COORDINATOR, COORDINATOR, NEW, coordinator));
		pass(KEY_EXCHANGE_MS);
		assert_ok!(complete(COORDINATOR));
		assert_eq!(Admitted::<Test>::iter_keys().collect::<Vec<_>>(), [key(NEW)]);
		// A quote of the old key opens nothing any more; a job of the new one is settled.
		assert_eq!(open_with(&quote(1)), Err(Error::<Test>::CoordinatorUnfit.into()));
		let theirs = gridproof_primitives::compute::Quote { coordinator: key(NEW), ..quote(1) };
		let later = open_with(&theirs).unwrap();
		assert_eq!(claim(&[signed_by(receipt(later, MINER), MINER, NEW)]), []);
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::Expired]);
	});
}

#[test]
fn an_old_key_settles_what_was_open_and_nothing_later() {
	build_and_execute(|| {
		// GIVEN jobs on both sides of the exchange
		assert_ok!(exchange_miner(NEW));
		pass(KEY_EXCHANGE_MS);
		let before = open(0);
		pass(1);
		assert_ok!(complete(MINER));
		let later = open(1);
		// THEN the old key settles the first, for the party as it is now, and not the second
		let paid = ait(&account(MINER));
		assert_eq!(claim(&[signed(before, MINER)]), []);
		assert_eq!(ait(&account(MINER)), paid + PAY);
		assert_eq!(ComputeReceipts::miner(key(NEW)).unwrap().party.settled, 1);
		assert_eq!(Recorded::get(), [(key(NEW), key(COORDINATOR), 1_000)]);
		assert_eq!(claim(&[signed(later, MINER)]), [ReceiptRefusal::UnknownMiner]);
		assert_eq!(claim(&[signed(later, NEW)]), []);
	});
}

#[test]
fn a_missed_job_that_the_old_key_accepted_counts_for_the_new_one() {
	build_and_execute(|| {
		assert_ok!(exchange_miner(NEW));
		pass(KEY_EXCHANGE_MS);
		let job = open(0);
		let assignment = Box::new(assignment(job, MINER, 1, true));
		assert_ok!(dispatch(Call::assign_job { assignment }, account(8)));
		pass(1);
		assert_ok!(complete(MINER));
		pass(600_000);
		let call = Call::expire_jobs { jobs: vec![job].try_into().unwrap() };
		assert_ok!(dispatch(call, account(8)));
		assert_eq!(ComputeReceipts::miner(key(NEW)).unwrap().failures, 1);
	});
}

#[test]
fn a_party_answers_for_what_its_old_key_signed() {
	build_and_execute(|| {
		let report = |job, nonce| {
			let by = |nonce| {
				let receipt = Receipt { nonce, ..receipt(job, MINER) };
				let payload = receipt.signing_payload(&genesis(), Signer::Miner);
				SignedBy { receipt, signature: sign(MINER, &payload) }
			};
			let evidence = Box::new(Evidence::TwoReceipts { first: by(0), second: by(nonce) });
			dispatch(Call::report_offence { evidence }, account(8))
		};
		let jobs = [open(0), open(1)];
		assert_ok!(report(jobs[0], 1));
		exchanged();
		let offences = || ComputeReceipts::miner(key(NEW)).unwrap().party.offences;
		assert_eq!(offences(), 1);
		assert_ok!(report(jobs[1], 1));
		assert_eq!(offences(), 2);
		assert_eq!(Parties::<Test>::get(key(NEW)).unwrap().pending_slash(), 20 * AIT);
		// Both outlive the party's leaving, for the new key and the old.
		assert_eq!(Histories::<Test>::get(key(NEW)).offences.len(), 2);
		assert_eq!(Histories::<Test>::get(key(MINER)).offences.len(), 1);
	});
}

#[test]
fn who_may_exchange_a_key_and_for_which() {
	build_and_execute(|| {
		let gpu = PartyRole::Miner(Class::Gpu);
		assert_noop!(exchange_by(8, MINER, NEW, gpu), Error::<Test>::NotOwner);
		assert_noop!(exchange_by(MINER, 77, NEW, gpu), Error::<Test>::UnknownParty);
		assert_noop!(exchange_miner(CPU_MINER), Error::<Test>::KeyInUse);
		// Whose key it is has to be shown, for this role.
		let cpu = PartyRole::Miner(Class::Cpu);
		assert_noop!(exchange_by(MINER, MINER, NEW, cpu), Error::<Test>::BadProof);
		Histories::<Test>::mutate(key(NEW), |history| history.banned_until_ms = Now::get() + 1);
		assert_noop!(exchange_miner(NEW), Error::<Test>::Banned);
		pass(1);
		assert_ok!(exchange_miner(NEW));
		// The account can keep the old one.
		let keep = |who| dispatch(Call::keep_key { key: key(MINER) }, account(who));
		assert_noop!(keep(8), Error::<Test>::NotOwner);
		assert_ok!(keep(MINER));
		assert_noop!(keep(MINER), Error::<Test>::NothingDue);
		pass(KEY_EXCHANGE_MS);
		assert_noop!(complete(MINER), Error::<Test>::NothingDue);
		// A key that somebody has registered meanwhile is not given twice.
		assert_ok!(exchange_miner(11));
		assert_ok!(register(11, gpu));
		pass(KEY_EXCHANGE_MS);
		assert_noop!(complete(MINER), Error::<Test>::KeyInUse);
	});
}

#[test]
fn an_old_key_comes_back_only_when_nothing_it_signed_can_be_reported() {
	build_and_execute(|| {
		exchanged();
		// Neither registered nor exchanged for, by anybody.
		let gpu = PartyRole::Miner(Class::Gpu);
		assert_noop!(register(MINER, gpu), Error::<Test>::KeyInUse);
		let cpu = PartyRole::Miner(Class::Cpu);
		let theirs = exchange_by(CPU_MINER, CPU_MINER, MINER, cpu);
		assert_eq!(theirs, Err(Error::<Test>::KeyInUse.into()));
		// The party exchanges its key again after that time.
		let again = || exchange_by(MINER, NEW, 61, gpu);
		pass(7 * DAY_MS - 1);
		assert_noop!(again(), Error::<Test>::NotYet);
		pass(1);
		assert_ok!(again());
		pass(KEY_EXCHANGE_MS);
		assert_ok!(complete(NEW));
		assert_eq!(Successors::<Test>::iter_keys().collect::<Vec<_>>(), [key(NEW)]);
		// Who leaves takes all of it along.
		assert_ok!(exchange_by(CPU_MINER, CPU_MINER, 62, cpu));
		for (number, owner) in [(61, MINER), (CPU_MINER, CPU_MINER)] {
			assert_ok!(dispatch(Call::leave { key: key(number) }, account(owner)));
			pass(7 * DAY_MS);
			assert_ok!(dispatch(Call::withdraw { key: key(number) }, account(owner)));
		}
		let rows = (
			Successors::<Test>::iter().count(),
			Former::<Test>::iter().count(),
			Exchanges::<Test>::iter().count(),
		);
		assert_eq!(rows, (0, 0, 0));
	});
}
