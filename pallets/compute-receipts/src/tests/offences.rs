//! Offences: reports, score, bans, slashes.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, pallet_prelude::Pays};
use gridproof_primitives::{
	H256,
	compute::{
		Class, Evidence, OffenceKind, PartyRole, Quote, Receipt, ReceiptRefusal, SignedBy, Signer,
	},
	num::units::AIT,
};
use sp_runtime::DispatchError;

fn by(number: u8, signer: Signer, receipt: Receipt) -> SignedBy {
	let signature = sign(number, &receipt.signing_payload(&genesis(), signer));
	SignedBy { receipt, signature }
}

/// Two receipts of a miner for one job.
fn two_receipts(job: H256, miner: u8) -> Evidence {
	let other = Receipt { nonce: 1, ..receipt(job, miner) };
	Evidence::TwoReceipts {
		first: by(miner, Signer::Miner, receipt(job, miner)),
		second: by(miner, Signer::Miner, other),
	}
}

fn report(evidence: Evidence) -> Result<(), DispatchError> {
	dispatch(Call::report_offence { evidence: Box::new(evidence) }, account(8))
}

fn slashing(on: bool) {
	Parameters::<Test>::mutate(|parameters| parameters.slashing = on);
}

fn slash(number: u8) -> Result<(), DispatchError> {
	dispatch(Call::apply_slashes { key: key(number) }, account(8))
}

#[test]
fn two_receipts_of_one_miner_cost_it_half_of_its_score() {
	build_and_execute(|| {
		let job = deliver(0, MINER);
		let before = ComputeReceipts::miner(key(MINER)).unwrap();
		assert_eq!(before.score.score, before.effective_score);
		System::reset_events();
		assert_ok!(report(two_receipts(job, MINER)));
		assert_eq!(
			events(),
			vec![Event::OffenceProven {
				offender: key(MINER),
				kind: OffenceKind::TwoReceipts,
				job_id: job,
				offences: 1,
				banned_until_ms: 0,
				slash: 10 * AIT,
			}]
		);
		let after = ComputeReceipts::miner(key(MINER)).unwrap();
		assert_eq!(after.effective_score, before.effective_score / 2);
		// Also of the step that runs.
		let claim = ComputeReceipts::receipt(deliver(1, MINER)).unwrap().claim;
		assert_eq!(claim, gridproof_primitives::num::units::AIT / 20);
		// It is forgotten after thirty days.
		pass(30 * DAY_MS);
		let later = ComputeReceipts::miner(key(MINER)).unwrap();
		assert_eq!(later.effective_score, later.score.score);
	});
}

#[test]
fn an_offence_is_punished_once() {
	build_and_execute(|| {
		let job = deliver(0, MINER);
		assert_ok!(report(two_receipts(job, MINER)));
		let again = || Error::<Test>::AlreadyReported;
		assert_noop!(report(two_receipts(job, MINER)), again());
		// Nor with other receipts about the same job.
		let other = Evidence::TwoReceipts {
			first: by(MINER, Signer::Miner, Receipt { nonce: 8, ..receipt(job, MINER) }),
			second: by(MINER, Signer::Miner, Receipt { nonce: 9, ..receipt(job, MINER) }),
		};
		assert_noop!(report(other), again());
		assert_eq!(Parties::<Test>::get(key(MINER)).unwrap().offences.len(), 1);
	});
}

#[test]
fn a_report_that_holds_is_free() {
	build_and_execute(|| {
		let evidence = Box::new(two_receipts(deliver(0, MINER), MINER));
		let origin = RuntimeOrigin::signed(account(8));
		let post = ComputeReceipts::report_offence(origin, evidence).unwrap();
		assert_eq!(post.pays_fee, Pays::No);
	});
}

#[test]
fn evidence_must_hold_and_be_about_a_job_and_a_party() {
	build_and_execute(|| {
		let job = deliver(0, MINER);
		let same = Evidence::TwoReceipts {
			first: by(MINER, Signer::Miner, receipt(job, MINER)),
			second: by(MINER, Signer::Miner, receipt(job, MINER)),
		};
		assert_noop!(report(same), Error::<Test>::InvalidEvidence);
		assert_noop!(report(two_receipts(H256::zero(), MINER)), Error::<Test>::UnknownJob);
		assert_noop!(report(two_receipts(job, 77)), Error::<Test>::UnknownParty);
		// A coordinator's key that signs as a miner is not a miner.
		assert_noop!(report(two_receipts(job, COORDINATOR)), Error::<Test>::UnknownParty);
	});
}

#[test]
fn a_receipt_above_its_quote_accuses_whoever_signed_it() {
	build_and_execute(|| {
		let quote = quote(0);
		let job = open_with(&quote).unwrap();
		for (number, signer) in [(MINER, Signer::Miner), (COORDINATOR, Signer::Coordinator)] {
			let above = Receipt { compute_units: 1_001, ..receipt(job, MINER) };
			let evidence = Evidence::AboveQuote {
				quote: quote.clone(),
				signer,
				signed: by(number, signer, above),
			};
			assert_ok!(report(evidence));
			assert_eq!(Parties::<Test>::get(key(number)).unwrap().offences.len(), 1);
		}
		let within = Evidence::AboveQuote {
			quote: Quote { ..quote },
			signer: Signer::Miner,
			signed: by(MINER, Signer::Miner, receipt(job, MINER)),
		};
		assert_noop!(report(within), Error::<Test>::InvalidEvidence);
	});
}

#[test]
fn two_outcomes_accuse_the_coordinator() {
	build_and_execute(|| {
		let job = deliver(0, MINER);
		let other = Receipt { output_hash: H256::zero(), ..receipt(job, CPU_MINER) };
		assert_ok!(report(Evidence::TwoOutcomes {
			coordinator: key(COORDINATOR),
			first: by(COORDINATOR, Signer::Coordinator, receipt(job, MINER)),
			second: by(COORDINATOR, Signer::Coordinator, other),
		}));
		let view = ComputeReceipts::coordinator(key(COORDINATOR)).unwrap();
		assert_eq!(view.party.offences, 1);
	});
}

#[test]
fn the_third_offence_bans_for_a_while() {
	build_and_execute(|| {
		let jobs: Vec<_> = (0..3).map(|nonce| deliver(nonce, MINER)).collect();
		let open = open(9);
		for job in &jobs[..2] {
			assert_ok!(report(two_receipts(*job, MINER)));
		}
		assert!(!Parties::<Test>::get(key(MINER)).unwrap().is_banned(Now::get()));
		assert_ok!(report(two_receipts(jobs[2], MINER)));
		let until = Now::get() + 7 * DAY_MS;
		let view = ComputeReceipts::miner(key(MINER)).unwrap();
		assert_eq!(view.party.banned_until_ms, Some(until));
		assert_eq!(claim(&[signed(open, MINER)]), [ReceiptRefusal::MinerBanned]);
		// A banned party cannot withdraw its bond either.
		assert_ok!(dispatch(Call::leave { key: key(MINER) }, account(MINER)));
		pass(7 * DAY_MS - 1);
		let withdraw = || Call::withdraw { key: key(MINER) };
		assert_noop!(dispatch(withdraw(), account(MINER)), Error::<Test>::NotYet);
		pass(1);
		assert_eq!(ComputeReceipts::miner(key(MINER)).unwrap().party.banned_until_ms, None);
		assert_ok!(dispatch(withdraw(), account(MINER)));
	});
}

#[test]
fn nothing_is_slashed_while_slashing_is_off() {
	build_and_execute(|| {
		assert!(ComputeParameters::default().slashing);
		slashing(false);
		let job = deliver(0, MINER);
		assert_ok!(report(two_receipts(job, MINER)));
		assert_noop!(slash(MINER), Error::<Test>::SlashingOff);
		// Switched on later, it does not reach back.
		slashing(true);
		pass(DAY_MS);
		assert_noop!(slash(MINER), Error::<Test>::NothingDue);
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 100 * AIT);
	});
}

#[test]
fn a_slash_takes_a_tenth_of_the_bond_after_the_grace() {
	build_and_execute(|| {
		slashing(true);
		let jobs: Vec<_> = (0..2).map(|nonce| deliver(nonce, MINER)).collect();
		let treasury = ait(&account(200));
		assert_ok!(report(two_receipts(jobs[0], MINER)));
		let view = ComputeReceipts::miner(key(MINER)).unwrap();
		assert_eq!(view.party.pending_slash, 10 * AIT);
		pass(HOUR_MS - 1);
		assert_noop!(slash(MINER), Error::<Test>::NothingDue);
		pass(1);
		assert_ok!(slash(MINER));
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 90 * AIT);
		assert_eq!(ait(&account(200)), treasury + 10 * AIT);
		assert_noop!(slash(MINER), Error::<Test>::NothingDue);
		assert_ok!(report(two_receipts(jobs[1], MINER)));
		pass(HOUR_MS);
		assert_ok!(slash(MINER));
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 81 * AIT);
	});
}

#[test]
fn governance_calls_a_slash_off_within_the_grace() {
	build_and_execute(|| {
		slashing(true);
		let job = deliver(0, MINER);
		assert_ok!(report(two_receipts(job, MINER)));
		let call_off = || Call::call_off_slashes { key: key(MINER) };
		assert_noop!(dispatch(call_off(), account(8)), DispatchError::BadOrigin);
		assert_ok!(dispatch_as(call_off(), RuntimeOrigin::root()));
		assert_noop!(dispatch_as(call_off(), RuntimeOrigin::root()), Error::<Test>::NothingDue);
		pass(HOUR_MS);
		assert_noop!(slash(MINER), Error::<Test>::NothingDue);
	});
}

#[test]
fn nobody_leaves_before_a_slash_is_decided() {
	build_and_execute(|| {
		slashing(true);
		let job = open(0);
		assert_ok!(dispatch(Call::leave { key: key(MINER) }, account(MINER)));
		pass(60_000);
		assert_ok!(report(two_receipts(job, MINER)));
		Parties::<Test>::mutate(key(MINER), |party| {
			party.as_mut().unwrap().leaving_ms = Some(Now::get());
		});
		let withdraw = || Call::withdraw { key: key(MINER) };
		assert_noop!(dispatch(withdraw(), account(MINER)), Error::<Test>::NotYet);
		pass(HOUR_MS);
		let before = ait(&account(MINER));
		assert_ok!(dispatch(withdraw(), account(MINER)));
		assert_eq!(ait(&account(MINER)), before + 90 * AIT);
	});
}

#[test]
fn many_slashes_take_no_more_than_the_bond_and_none_is_lost() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|parameters| parameters.slash = 1_000));
		for nonce in 0..10 {
			assert_ok!(report(two_receipts(open(nonce), MINER)));
		}
		let party = Parties::<Test>::get(key(MINER)).unwrap();
		// The first takes all that there is.
		assert_eq!((party.offences.len(), party.slashes.len()), (8, 1));
		assert_eq!(party.pending_slash(), 100 * AIT);
		pass(HOUR_MS);
		assert_ok!(slash(MINER));
		assert_eq!(on_hold(HoldReason::Bond, &account(MINER)), 0);
		let party = Parties::<Test>::get(key(MINER)).unwrap();
		assert_eq!((party.bond, party.pending_slash()), (0, 0));
	});
}

#[test]
fn the_slashes_of_many_offences_add_up_to_the_bond_and_no_more() {
	build_and_execute(|| {
		// GIVEN slashes of three tenths each
		assert_ok!(set_parameters(|parameters| parameters.slash = 300));
		let pending = || Parties::<Test>::get(key(MINER)).unwrap().pending_slash();
		for (nonce, sum) in [30, 60, 90, 100, 100].into_iter().enumerate() {
			assert_ok!(report(two_receipts(open(nonce as u64), MINER)));
			assert_eq!(pending(), sum * AIT);
			pass(1);
		}
		// WHEN the first two are due
		pass(HOUR_MS - 4);
		assert_ok!(slash(MINER));
		// THEN what is pending is still what there is
		let party = Parties::<Test>::get(key(MINER)).unwrap();
		assert_eq!((party.bond, party.pending_slash()), (40 * AIT, 40 * AIT));
	});
}

#[test]
fn reports_about_one_miner_keep_none_about_another_out() {
	build_and_execute(|| {
		// GIVEN a job about which many parties have been reported, in each way that they can be
		let terms = quote(0);
		let job = open_with(&terms).unwrap();
		for number in 20..60 {
			let registered = Party::new(PartyRole::Miner(Class::Gpu), account(8), 0, 0);
			Parties::<Test>::insert(key(number), registered);
			Sums::<Test>::mutate(|sums| sums.miners += 1);
			assert_ok!(report(two_receipts(job, number)));
			let above = Receipt { compute_units: 1_001, ..receipt(job, number) };
			let signed = by(number, Signer::Miner, above);
			let quote = terms.clone();
			assert_ok!(report(Evidence::AboveQuote { quote, signer: Signer::Miner, signed }));
		}
		// THEN its coordinator and another miner are reported all the same
		assert_ok!(report(two_receipts(job, MINER)));
		let other = Receipt { output_hash: H256::zero(), ..receipt(job, CPU_MINER) };
		assert_ok!(report(Evidence::TwoOutcomes {
			coordinator: key(COORDINATOR),
			first: by(COORDINATOR, Signer::Coordinator, receipt(job, MINER)),
			second: by(COORDINATOR, Signer::Coordinator, other),
		}));
		// AND the row goes, with every report about it, in as many touches as it takes
		pass(600_000);
		let call = || Call::expire_jobs { jobs: vec![job].try_into().unwrap() };
		assert_ok!(dispatch(call(), account(8)));
		pass(DAY_MS);
		let mut touches = 0;
		while Jobs::<Test>::contains_key(job) {
			assert_ok!(dispatch(call(), account(8)));
			touches += 1;
			assert!(touches <= 50);
		}
		assert_eq!(Reports::<Test>::iter_prefix(job).count(), 0);
	});
}

#[test]
fn a_row_of_reports_has_a_deposit_until_it_is_gone() {
	build_and_execute(|| {
		let job = open(0);
		let before = ait(&account(8));
		// The first report of a party pays, and only that.
		assert_ok!(report(two_receipts(job, MINER)));
		assert_eq!(ait(&account(8)), before - REPORT_DEPOSIT);
		let above = Receipt { compute_units: 1_001, ..receipt(job, MINER) };
		let signed = by(MINER, Signer::Miner, above);
		let (quote, signer) = (quote(0), Signer::Miner);
		let second = Box::new(Evidence::AboveQuote { quote, signer, signed });
		let other = ait(&account(7));
		assert_ok!(dispatch(Call::report_offence { evidence: second }, account(7)));
		assert_eq!(ait(&account(7)), other);
		assert_eq!(in_escrow(), [100_000 + JOB_DEPOSIT + REPORT_DEPOSIT, 0]);
		// Who has too little cannot make a row.
		let poor = two_receipts(job, CPU_MINER);
		let call = Call::report_offence { evidence: Box::new(poor) };
		let none = sp_runtime::TokenError::FundsUnavailable;
		assert_noop!(dispatch(call, account(150)), none);
		// It returns with the job's row, to who paid it.
		let expire = || Call::expire_jobs { jobs: vec![job].try_into().unwrap() };
		pass(600_000);
		assert_ok!(dispatch(expire(), account(8)));
		assert_eq!(ait(&account(8)), before - REPORT_DEPOSIT);
		pass(DAY_MS);
		assert_ok!(dispatch(expire(), account(8)));
		assert_eq!((ait(&account(8)), in_escrow()), (before, [0, 0]));
	});
}

#[test]
fn a_coordinators_key_that_signed_as_a_miner_is_not_accused_of_it() {
	build_and_execute(|| {
		let job = open(0);
		let above = Receipt { compute_units: 1_001, ..receipt(job, COORDINATOR) };
		let evidence = |signer| Evidence::AboveQuote {
			quote: quote(0),
			signer,
			signed: by(COORDINATOR, signer, above.clone()),
		};
		let unknown = Error::<Test>::UnknownParty;
		assert_noop!(report(evidence(Signer::Miner)), unknown);
		assert_ok!(report(evidence(Signer::Coordinator)));
	});
}

#[test]
fn a_receipt_and_a_release_of_one_job_accuse_the_coordinator() {
	build_and_execute(|| {
		let (job, other) = (open(0), open(1));
		let evidence = |released| Evidence::ReceiptAndRelease {
			coordinator: key(COORDINATOR),
			signed: by(COORDINATOR, Signer::Coordinator, receipt(job, MINER)),
			release: release_signature(released),
		};
		assert_noop!(report(evidence(other)), Error::<Test>::InvalidEvidence);
		// A miner's signature of the receipt does not accuse its coordinator.
		let miners = Evidence::ReceiptAndRelease {
			coordinator: key(COORDINATOR),
			signed: by(MINER, Signer::Miner, receipt(job, MINER)),
			release: release_signature(job),
		};
		assert_noop!(report(miners), Error::<Test>::InvalidEvidence);
		assert_ok!(report(evidence(job)));
		assert_noop!(report(evidence(job)), Error::<Test>::AlreadyReported);
		let view = ComputeReceipts::coordinator(key(COORDINATOR)).unwrap();
		assert_eq!((view.party.offences, view.party.pending_slash), (1, 100 * AIT));
	});
}

#[test]
fn two_assignments_of_one_attempt_accuse_the_coordinator() {
	build_and_execute(|| {
		let (job, other) = (open(0), open(1));
		let signed = |job, miner, attempt| {
			let signed = assignment(job, miner, attempt, false);
			(signed.assignment, signed.coordinator_signature)
		};
		let evidence = |second| Evidence::TwoAssignments {
			coordinator: key(COORDINATOR),
			first: signed(job, MINER, 1),
			second,
		};
		for second in [
			signed(job, MINER, 1),
			signed(job, CPU_MINER, 2),
			signed(other, CPU_MINER, 1),
			(signed(job, CPU_MINER, 1).0, [0; 64]),
		] {
			assert_noop!(report(evidence(second)), Error::<Test>::InvalidEvidence);
		}
		assert_ok!(report(evidence(signed(job, CPU_MINER, 1))));
		let view = ComputeReceipts::coordinator(key(COORDINATOR)).unwrap();
		assert_eq!(view.party.offences, 1);
	});
}

/// Lets a miner leave, and take its bond home.
fn depart(number: u8) {
	assert_ok!(dispatch(Call::leave { key: key(number) }, account(number)));
	pass(7 * DAY_MS);
	assert_ok!(dispatch(Call::withdraw { key: key(number) }, account(number)));
}

#[test]
fn offences_outlive_a_withdrawal_for_key_and_account() {
	build_and_execute(|| {
		for nonce in 0..2 {
			assert_ok!(report(two_receipts(open(nonce), MINER)));
		}
		depart(MINER);
		// The same key again: both offences are there, and the next one bans.
		assert_ok!(register(MINER, PartyRole::Miner(Class::Gpu)));
		let offences = |who: [u8; 32]| ComputeReceipts::miner(who).unwrap().party.offences;
		assert_eq!(offences(key(MINER)), 2);
		// Another key of the same account.
		let role = PartyRole::Miner(Class::Gpu);
		let statement =
			gridproof_primitives::compute::Registration { role, account: account(MINER).into() };
		let proof = sign(50, &statement.signing_payload(&genesis()));
		let call = Call::register_miner { key: key(50), class: Class::Gpu, proof };
		assert_ok!(dispatch(call, account(MINER)));
		assert_eq!(offences(key(50)), 2);
		// They are forgotten after thirty days, and their rows go.
		depart(MINER);
		pass(30 * DAY_MS);
		assert_ok!(register(MINER, role));
		assert_eq!(offences(key(MINER)), 0);
		assert_eq!(Histories::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_banned_account_registers_no_other_key() {
	build_and_execute(|| {
		for nonce in 0..3 {
			assert_ok!(report(two_receipts(open(nonce), MINER)));
		}
		let statement = gridproof_primitives::compute::Registration {
			role: PartyRole::Miner(Class::Gpu),
			account: account(MINER).into(),
		};
		let proof = sign(50, &statement.signing_payload(&genesis()));
		let call = || Call::register_miner { key: key(50), class: Class::Gpu, proof };
		assert_noop!(dispatch(call(), account(MINER)), Error::<Test>::Banned);
		pass(7 * DAY_MS);
		assert_ok!(dispatch(call(), account(MINER)));
	});
}

#[test]
fn governance_bans_a_party_and_ends_its_ban() {
	build_and_execute(|| {
		let job = open(0);
		let ban = |until_ms| Call::ban { key: key(MINER), until_ms };
		let until_ms = Now::get() + 1;
		assert_noop!(dispatch(ban(until_ms), account(99)), DispatchError::BadOrigin);
		assert_ok!(dispatch_as(ban(until_ms), RuntimeOrigin::root()));
		assert_eq!(events().last(), Some(&Event::BanSet { key: key(MINER), until_ms }));
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::MinerBanned]);
		assert_ok!(dispatch_as(ban(0), RuntimeOrigin::root()));
		assert_eq!(claim(&[signed(job, MINER)]), []);
		let unknown = Call::ban { key: key(77), until_ms };
		assert_noop!(dispatch_as(unknown, RuntimeOrigin::root()), Error::<Test>::UnknownParty);
	});
}

#[test]
fn what_is_forfeited_returns_to_the_reserve() {
	build_and_execute(|| {
		let forfeit =
			|number| dispatch_as(Call::forfeit { key: key(number) }, RuntimeOrigin::root());
		let call = Call::forfeit { key: key(MINER) };
		assert_noop!(dispatch(call, account(99)), DispatchError::BadOrigin);
		assert_noop!(forfeit(MINER), Error::<Test>::NothingDue);
		// GIVEN what was earned in a step that has ended, and in the one that runs
		deliver(0, MINER);
		next_step();
		deliver(1, MINER);
		deliver(2, CPU_MINER);
		let reserve = ComputeReceipts::overview().reserve;
		// WHEN it is forfeited
		assert_ok!(forfeit(MINER));
		// THEN the first goes back at once
		let amount = 75 * AIT / 1_000;
		let key_of = key(MINER);
		assert_eq!(events().last(), Some(&Event::Forfeited { key: key_of, amount, pending: true }));
		assert_eq!(ComputeReceipts::overview().reserve, reserve + amount);
		// AND the second when the step has ended, while others get their parts
		next_step();
		assert_eq!(claimable(MINER), 0);
		assert_ok!(pay(&[CPU_MINER, COORDINATOR]));
		assert_noop!(pay(&[MINER]), Error::<Test>::NothingDue);
		deliver(3, MINER);
		assert_eq!(Sums::<Test>::get().promised, 0);
		next_step();
		assert!(claimable(MINER) > 0);
	});
}
