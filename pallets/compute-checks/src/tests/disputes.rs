//! Disputes and juries.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::channels::Mode,
	compute::checks::{
		Abstention, BatchId, DisputeCause, DisputePhase, Figures, JuryCommitment, NoVote,
		OtherLine, OtherPlace, SeededFigures, Verdict, other_places,
	},
	num::units::AIT,
};

const GUILTY: Verdict = Verdict { guilty: true, invented: None };
const NOT_GUILTY: Verdict = Verdict { guilty: false, invented: None };

/// A verifier says that a receipt of its draw is not the model's.
fn accused() -> (BatchId, H256) {
	let batch = touched_of(0, EXACT);
	report(&batch, 1, Figures::Exact { equal: false }).unwrap();
	(batch, the_dispute())
}

#[test]
fn a_report_not_equal_opens_a_dispute_that_holds_the_miners_part() {
	build_and_execute(|| {
		let (batch, dispute) = accused();
		let view = ComputeChecks::disputes().remove(0);
		assert_eq!((view.id, view.batch, view.phase), (dispute, batch, DisputePhase::Commit));
		assert!(matches!(view.cause, DisputeCause::NotEqual(id) if id.verifier == key(1)));
		assert_eq!(view.jurors, (4, 0), "all verifiers but the accuser");
		assert_eq!(Holds::get().len(), 1);
	});
}

#[test]
fn a_guilty_miner_is_slashed_and_what_waits_of_it_goes_back() {
	build_and_execute(|| {
		let (batch, dispute) = accused();
		decide(dispute, &[2, 3, 4, 5], true);
		assert_eq!(Punishments::get(), [MINER]);
		assert_eq!(Taken::get(), [MINER]);
		assert_eq!(Lost::get(), [(batch, 2 * AIT)], "the receipt goes to its own client");
		assert!(Holds::get().is_empty());
		assert_eq!([bond(1), bond(2)], [1_000 * AIT; 2], "no verifier pays");
		assert_eq!(ComputeChecks::overview().disputes, (1, 1));
	});
}

#[test]
fn who_accuses_falsely_pays() {
	build_and_execute(|| {
		let (_, dispute) = accused();
		let before = ait(&TreasuryAccount::get());
		decide(dispute, &[2, 3, 4, 5], false);
		assert_eq!(bond(1), 900 * AIT);
		assert_eq!(ait(&TreasuryAccount::get()), before + 100 * AIT);
		assert_eq!((Punishments::get(), Lost::get()), (vec![], vec![]));
		assert!(Holds::get().is_empty());
	});
}

#[test]
fn without_two_thirds_the_receipt_is_forfeited_and_nobody_slashed() {
	build_and_execute(|| {
		let (batch, dispute) = accused();
		// Two of four for each.
		commit(dispute, &[2, 3], GUILTY);
		commit(dispute, &[4, 5], NOT_GUILTY);
		pass(2 * 3_600_000);
		for (number, verdict) in [(2, GUILTY), (3, GUILTY), (4, NOT_GUILTY), (5, NOT_GUILTY)] {
			assert_ok!(apply(reveal_call(dispute, number, verdict)));
		}
		// Everybody has spoken: it need not wait.
		assert_ok!(apply(Call::close_dispute { dispute }));
		assert_eq!(Lost::get(), [(batch, 2 * AIT)]);
		assert_eq!((Punishments::get(), Taken::get()), (vec![], vec![]));
		assert!((1..=5).all(|number| bond(number) == 1_000 * AIT));
	});
}

#[test]
fn the_silent_lose_a_fee_and_count_for_nobody() {
	build_and_execute(|| {
		let (batch, dispute) = accused();
		// Three of four are two thirds; 4 never reveals, 5 never commits.
		commit(dispute, &[2, 3, 4], GUILTY);
		pass(2 * 3_600_000);
		assert_ok!(apply(reveal_call(dispute, 2, GUILTY)));
		assert_ok!(apply(reveal_call(dispute, 3, GUILTY)));
		assert_noop!(dispatch(Call::close_dispute { dispute }, account(60)), Error::<Test>::NotYet);
		pass(3_600_000);
		assert_ok!(apply(Call::close_dispute { dispute }));
		assert_eq!([bond(2), bond(3)], [1_000 * AIT; 2]);
		assert_eq!([bond(4), bond(5)], [999 * AIT; 2]);
		assert_eq!(Lost::get(), [(batch, 2 * AIT)], "two of four do not decide");
		assert!(Punishments::get().is_empty());
	});
}

#[test]
fn votes_are_committed_to_before_they_are_seen() {
	build_and_execute(|| {
		let (_, dispute) = accused();
		assert_noop!(dispatch(reveal_call(dispute, 2, GUILTY), account(60)), Error::<Test>::NotYet);
		commit(dispute, &[2, 3], GUILTY);
		let commitment = ballot(dispute, 2, NOT_GUILTY).commitment(&genesis());
		let commitment = JuryCommitment { juror: key(2), dispute, commitment };
		let signature = sign(2, &commitment.signing_payload(&genesis()));
		let again = Call::commit_vote { commitment: Box::new(commitment), signature };
		assert_noop!(dispatch(again.clone(), account(60)), Error::<Test>::AlreadyDone);
		pass(2 * 3_600_000);
		assert_noop!(
			dispatch(reveal_call(dispute, 2, NOT_GUILTY), account(60)),
			Error::<Test>::OtherCommitment
		);
		assert_noop!(
			dispatch(reveal_call(dispute, 4, GUILTY), account(60)),
			Error::<Test>::OtherCommitment
		);
		assert_ok!(apply(reveal_call(dispute, 2, GUILTY)));
		assert_noop!(
			dispatch(reveal_call(dispute, 2, GUILTY), account(60)),
			Error::<Test>::AlreadyDone
		);
		assert_noop!(dispatch(again, account(60)), Error::<Test>::TooLate);
		pass(3_600_000);
		assert_noop!(
			dispatch(reveal_call(dispute, 3, GUILTY), account(60)),
			Error::<Test>::TooLate
		);
	});
}

#[test]
fn nobody_judges_its_own_cause() {
	build_and_execute(|| {
		let (_, dispute) = accused();
		let commitment = JuryCommitment { juror: key(1), dispute, commitment: H256::zero() };
		let signature = sign(1, &commitment.signing_payload(&genesis()));
		let call = Call::commit_vote { commitment: Box::new(commitment), signature };
		assert_noop!(dispatch(call, account(60)), Error::<Test>::OwnCause);
		let commitment = JuryCommitment { juror: key(2), dispute, commitment: H256::zero() };
		let call = Call::commit_vote { commitment: Box::new(commitment), signature };
		assert_noop!(dispatch(call, account(60)), Error::<Test>::BadSignature);
	});
}

#[test]
fn one_accuser_has_one_dispute_with_one_accused() {
	build_and_execute(|| {
		let (batch, _) = accused();
		let more = report_with(&batch, 1, 1, Figures::Exact { equal: false });
		assert_ok!(apply(report_call(more, 1)));
		assert_eq!((Disputes::<Test>::count(), Reports::<Test>::iter().count()), (1, 2));
		// Another accuser has its own; then the table of the tests is full.
		assert_ok!(report(&batch, 2, Figures::Exact { equal: false }));
		assert_eq!(Disputes::<Test>::count(), 2);
		assert_noop!(report(&batch, 3, Figures::Exact { equal: false }), Error::<Test>::Full);
		// What accuses nobody is taken all the same.
		assert_ok!(report(&batch, 3, Figures::Exact { equal: true }));
	});
}

#[test]
fn deadlines_stand_still_while_settlement_is_stopped() {
	build_and_execute(|| {
		let (_, dispute) = accused();
		let until = ComputeChecks::disputes().remove(0).until_ms;
		assert_eq!(until, (Now::get() + 2 * 3_600_000, Now::get() + 3 * 3_600_000));
		pass(86_400_000);
		StoppedMs::set(86_400_000);
		let view = ComputeChecks::disputes().remove(0);
		assert_eq!(view.phase, DisputePhase::Commit);
		assert_eq!(view.until_ms.0, until.0 + 86_400_000);
		commit(dispute, &[2], GUILTY);
	});
}

#[test]
fn a_client_disputes_its_own_receipt_with_a_deposit() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let call = Call::dispute_receipt { batch, receipt: Box::new(placed(&batch, 2)) };
		assert_noop!(dispatch(call.clone(), account(60)), Error::<Test>::NotClient);
		assert_ok!(dispatch(call.clone(), client()));
		assert_eq!(ait(&client()), NATIVE - 5 * AIT);
		assert_eq!(ait(&EscrowAccount::get()), 5 * AIT);
		assert_noop!(dispatch(call, client()), Error::<Test>::AlreadyDisputed);
		let dispute = the_dispute();
		assert_eq!(ComputeChecks::disputes()[0].jurors.0, 5);
		decide(dispute, &[1, 2, 3, 4, 5], true);
		assert_eq!(ait(&client()), NATIVE, "the deposit returns");
		assert_eq!(Punishments::get(), [MINER]);
	});
}

#[test]
fn a_client_that_is_wrong_loses_its_deposit_to_the_treasury() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let receipt = Box::new(placed(&batch, 2));
		assert_ok!(dispatch(Call::dispute_receipt { batch, receipt }, client()));
		let before = ait(&TreasuryAccount::get());
		decide(the_dispute(), &[1, 2, 3, 4, 5], false);
		assert_eq!(ait(&client()), NATIVE - 5 * AIT);
		assert_eq!(ait(&TreasuryAccount::get()), before + 5 * AIT);
	});
}

#[test]
fn a_jury_that_does_not_decide_costs_the_client_nothing() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let receipt = Box::new(placed(&batch, 2));
		assert_ok!(dispatch(Call::dispute_receipt { batch, receipt }, client()));
		pass(3 * 3_600_000);
		assert_ok!(apply(Call::close_dispute { dispute: the_dispute() }));
		assert_eq!(ait(&client()), NATIVE);
		assert_eq!(Lost::get(), [(batch, 2 * AIT)]);
		assert!((1..=5).all(|number| bond(number) == 999 * AIT), "all were silent");
	});
}

#[test]
fn once_all_have_committed_they_reveal_and_close_at_once() {
	build_and_execute(|| {
		let (_, dispute) = accused();
		commit(dispute, &[2, 3, 4], GUILTY);
		assert_noop!(dispatch(reveal_call(dispute, 2, GUILTY), account(60)), Error::<Test>::NotYet);
		commit(dispute, &[5], GUILTY);
		assert_eq!(ComputeChecks::disputes().remove(0).phase, DisputePhase::Reveal);
		for number in 2..=5 {
			assert_ok!(apply(reveal_call(dispute, number, GUILTY)));
		}
		assert_ok!(apply(Call::close_dispute { dispute }));
		assert_eq!(Punishments::get(), [MINER]);
	});
}

#[test]
fn no_vote_of_one_dispute_counts_in_a_later_one_about_the_same_receipt() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let receipt = Box::new(placed(&batch, 2));
		let call = Call::dispute_receipt { batch, receipt };
		assert_ok!(dispatch(call.clone(), client()));
		let first = the_dispute();
		decide(first, &[1, 2, 3, 4, 5], false);
		next_block();
		assert_ok!(dispatch(call, client()));
		assert_ne!(the_dispute(), first);
	});
}

/// Jurors say that they have no vote.
fn abstain(dispute: H256, jurors: &[u8], why: NoVote) {
	for number in jurors {
		assert_ok!(apply(abstain_call(dispute, *number, why)));
	}
}

fn abstain_call(dispute: H256, number: u8, why: NoVote) -> Call<Test> {
	let abstention = Abstention { juror: key(number), dispute, why };
	let signature = sign(number, &abstention.signing_payload(&genesis()));
	Call::abstain { abstention: Box::new(abstention), signature }
}

fn withheld() -> bool {
	events().iter().any(|event| matches!(event, Event::OpeningsWithheld { .. }))
}

#[test]
fn openings_kept_from_the_jury_are_the_coordinators_offence_and_not_the_accusers() {
	build_and_execute(|| {
		let (batch, dispute) = accused();
		abstain(dispute, &[2, 3, 4, 5], NoVote::NotShown(batch));
		// Everybody has spoken.
		assert_ok!(apply(Call::close_dispute { dispute }));
		assert!(withheld());
		assert_eq!(Punishments::get(), [COORDINATOR]);
		assert_eq!(Lost::get(), [(batch, 2 * AIT)]);
		assert!((1..=5).all(|number| bond(number) == 1_000 * AIT), "nobody is silent, nobody lied");
	});
}

#[test]
fn openings_that_only_some_jurors_see_acquit_nobody() {
	build_and_execute(|| {
		let (batch, dispute) = accused();
		commit(dispute, &[2, 3], GUILTY);
		abstain(dispute, &[4, 5], NoVote::NotShown(batch));
		for number in [2, 3] {
			assert_ok!(apply(reveal_call(dispute, number, GUILTY)));
		}
		assert_ok!(apply(Call::close_dispute { dispute }));
		// Three of five for guilty, three for withheld: two thirds of neither.
		assert_eq!((Lost::get(), Punishments::get()), (vec![(batch, 2 * AIT)], vec![]));
		assert_eq!(bond(1), 1_000 * AIT);
	});
}

#[test]
fn a_juror_abstains_once_in_time_and_about_what_it_judges() {
	build_and_execute(|| {
		let (batch, dispute) = accused();
		let elsewhere = NoVote::NotShown(BatchId { sequence: 9, ..batch });
		let stranger = NoVote::NotShown(batch);
		let send = |number, why| dispatch(abstain_call(dispute, number, why), account(60));
		assert_noop!(send(2, elsewhere), Error::<Test>::NotDrawn);
		assert_noop!(send(2, NoVote::NothingElse), Error::<Test>::NotDrawn);
		assert_noop!(send(1, stranger), Error::<Test>::OwnCause);
		assert_ok!(send(2, stranger));
		assert_noop!(send(2, stranger), Error::<Test>::AlreadyDone);
		commit(dispute, &[3], GUILTY);
		assert_noop!(send(3, stranger), Error::<Test>::AlreadyDone);
		assert_noop!(dispatch(reveal_call(dispute, 2, GUILTY), account(60)), Error::<Test>::NotYet);
		pass(2 * 3_600_000);
		assert_noop!(
			dispatch(reveal_call(dispute, 2, GUILTY), account(60)),
			Error::<Test>::OtherCommitment
		);
		assert_noop!(send(4, stranger), Error::<Test>::TooLate);
	});
}

#[test]
fn a_number_that_no_jury_judges_stays_at_its_limit_and_what_it_found_is_forfeited() {
	build_and_execute(|| {
		let dispute = number_disputed();
		abstain(dispute, &[1, 2, 3, 4, 5], NoVote::NothingElse);
		assert_ok!(apply(Call::close_dispute { dispute }));
		assert!(!withheld() && Punishments::get().is_empty());
		assert_eq!(ComputeChecks::number(MINER, SEEDED).0, LINE.limit);
		let row = Reports::<Test>::iter_values().map(|report| report.receipt.voucher);
		let receipts: std::collections::BTreeSet<_> = row.collect();
		assert_eq!(Lost::get().len(), receipts.len(), "each receipt of the reports, once");
	});
}

#[test]
fn no_party_judges_its_own_cause_under_another_hat() {
	build_and_execute(|| {
		// Verifier 3 is the miner as well, and verifier 4 has the channel's coordinator.
		Parties::set([(COORDINATOR, account(4)), (MINER, account(3))].into());
		let batch = touched_of(0, EXACT);
		assert_eq!(ComputeChecks::batch(batch).unwrap().verifiers, 4);
		let equal = Figures::Exact { equal: true };
		assert_noop!(report(&batch, 4, equal), Error::<Test>::OwnCause);
		assert_noop!(report(&batch, 3, equal), Error::<Test>::OwnCause);
		assert_ok!(report(&batch, 1, Figures::Exact { equal: false }));
		let row = Disputes::<Test>::get(the_dispute()).unwrap();
		let mut jurors: Vec<_> = row.jurors.iter().map(|juror| juror.account.clone()).collect();
		jurors.sort();
		assert_eq!(jurors, [account(2), account(5)]);
	});
}

#[test]
fn another_key_is_no_other_accused_and_no_new_number() {
	build_and_execute(|| {
		let batch = touched_of(0, SEEDED);
		let figures = SeededFigures { tokens: 10, clipped: 450_000, matches: 0, end: 0 };
		assert_ok!(report(&batch, 1, Figures::Seeded(figures)));
		let exchanged = [81; 32];
		Parties::mutate(|all| all.insert(exchanged, account(80)));
		assert_eq!(ComputeChecks::number(exchanged, SEEDED).0, 25_000);
		let pair = |key| ComputeChecks::pair_of(&Accuser::Number, &Accused::Miner(key));
		assert_eq!(pair(exchanged), pair(MINER));
	});
}

/// Four reports of verifier 1, above the line together, and the dispute that they open.
fn number_disputed() -> H256 {
	let batch = touched(0, receipts(SEEDED, &[4 * AIT; 5]));
	let figures = SeededFigures { tokens: 10, clipped: 330_000, matches: 0, end: 0 };
	for check in 0..4 {
		assert_eq!(Disputes::<Test>::count(), 0, "before report {check}");
		let report = report_with(&batch, 1, check, Figures::Seeded(figures));
		assert_ok!(apply(report_call(report, 1)));
	}
	the_dispute()
}

#[test]
fn what_a_jury_repeats_is_drawn_by_the_disputes_hash() {
	build_and_execute(|| {
		let dispute = number_disputed();
		let shown = ComputeChecks::disputes().remove(0);
		assert_eq!((shown.reports.len(), shown.others.len()), (4, 12));
		let miner = |place: &OtherPlace| place.miner == MINER && place.place < 20 * AIT;
		assert!(shown.others.iter().all(miner));
		let line = OtherLine { batch: shown.batch, price: 20 * AIT, worth: 20 * AIT };
		let expected = other_places(&dispute, &MINER, &[line]);
		assert_eq!(shown.others, expected);
		let row = Disputes::<Test>::get(dispute).unwrap();
		assert_eq!(row.repeated(&dispute).len(), 3);
	});
}

#[test]
fn nobody_is_named_whose_report_the_jury_does_not_repeat() {
	build_and_execute(|| {
		let dispute = number_disputed();
		let named = |number| Verdict { guilty: false, invented: Some(key(number)) };
		commit(dispute, &[2], named(3));
		commit(dispute, &[1, 3, 4, 5], named(1));
		let call = reveal_call(dispute, 2, named(3));
		assert_noop!(dispatch(call, account(60)), Error::<Test>::NotDrawn);
		for number in [1, 3, 4, 5] {
			assert_ok!(apply(reveal_call(dispute, number, named(1))));
		}
		pass(3 * 3_600_000);
		assert_ok!(apply(Call::close_dispute { dispute }));
		// Four of five are two thirds, however many of the reports are its own; one that lies is silent.
		assert_eq!([bond(1), bond(2), bond(3)], [900 * AIT, 999 * AIT, 1_000 * AIT]);
	});
}

#[test]
fn without_a_jury_no_client_has_its_price_back() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		for number in 1..=3 {
			assert_ok!(dispatch(Call::leave {}, account(number)));
		}
		let call = Call::dispute_receipt { batch, receipt: Box::new(placed(&batch, 2)) };
		assert_noop!(dispatch(call, client()), Error::<Test>::NoJury);
	});
}

#[test]
fn a_flood_of_clients_keeps_no_verifier_from_accusing() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let receipt = Box::new(placed(&batch, 2));
		assert_ok!(dispatch(Call::dispute_receipt { batch, receipt }, client()));
		// Clients have half of the tests' table of two.
		let other = touched_of(1, SEEDED);
		let receipt = Box::new(placed(&other, 2));
		let call = Call::dispute_receipt { batch: other, receipt };
		assert_noop!(dispatch(call.clone(), client()), Error::<Test>::Full);
		assert_ok!(report(&batch, 1, Figures::Exact { equal: false }));
		assert_eq!(Disputes::<Test>::count(), 2);
		pass(3 * 3_600_000);
		for dispute in Disputes::<Test>::iter_keys().collect::<Vec<_>>() {
			assert_ok!(apply(Call::close_dispute { dispute }));
		}
		assert_ok!(dispatch(call, client()));
	});
}

#[test]
fn a_receipt_is_forfeited_once() {
	build_and_execute(|| {
		let batch = touched(0, receipts(EXACT, &[10 * AIT]));
		let receipt = Box::new(placed(&batch, 0));
		assert_ok!(dispatch(Call::dispute_receipt { batch, receipt: receipt.clone() }, client()));
		assert_ok!(report(&batch, 1, Figures::Exact { equal: false }));
		pass(3 * 3_600_000);
		for dispute in Disputes::<Test>::iter_keys().collect::<Vec<_>>() {
			assert_ok!(apply(Call::close_dispute { dispute }));
		}
		assert_eq!(Lost::get(), [(batch, 10 * AIT)]);
		let call = Call::dispute_receipt { batch, receipt };
		assert_noop!(dispatch(call, client()), Error::<Test>::AlreadyDone);
	});
}

#[test]
fn a_reporter_whose_figures_the_jury_does_not_find_again_pays() {
	build_and_execute(|| {
		let batch = touched_of(0, SEEDED);
		let figures = SeededFigures { tokens: 10, clipped: 4_000_000, matches: 0, end: 0 };
		assert_ok!(report(&batch, 1, Figures::Seeded(figures)));
		let dispute = the_dispute();
		let verdict = Verdict { guilty: false, invented: Some(key(1)) };
		commit(dispute, &[1], GUILTY);
		commit(dispute, &[2, 3, 4, 5], verdict);
		pass(2 * 3_600_000);
		assert_ok!(apply(reveal_call(dispute, 1, GUILTY)));
		for number in 2..=5 {
			assert_ok!(apply(reveal_call(dispute, number, verdict)));
		}
		assert_ok!(apply(Call::close_dispute { dispute }));
		assert_eq!([bond(1), bond(2)], [900 * AIT, 1_000 * AIT]);
		assert_eq!((Punishments::get(), Lost::get()), (vec![], vec![]));
	});
}

#[test]
fn a_third_offence_dismisses_a_verifier() {
	build_and_execute(|| {
		for (offence, left) in [900, 810, 729].into_iter().enumerate() {
			assert!(Admitted::<Test>::contains_key(account(1)), "before offence {offence}");
			ComputeChecks::punish_verifier(&account(1)).unwrap();
			assert_eq!(bond(1), left * AIT);
		}
		assert!(!Admitted::<Test>::contains_key(account(1)));
		assert!(Verifiers::<Test>::get(account(1)).unwrap().free_ms.is_some());
	});
}

#[test]
fn private_work_is_nobodys_to_judge() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		All::mutate(|all| all.get_mut(&batch).unwrap().batch.kind.mode = Mode::Private);
		let call = Call::dispute_receipt { batch, receipt: Box::new(placed(&batch, 2)) };
		assert_noop!(dispatch(call, client()), Error::<Test>::Private);
	});
}

#[test]
fn a_flood_of_false_disputes_costs_a_deposit_each_and_the_competitor_nothing() {
	build_and_execute(|| {
		let before = ait(&TreasuryAccount::get());
		for sequence in 0..4 {
			let batch = touched_of(sequence, EXACT);
			let receipt = Box::new(placed(&batch, 2));
			assert_ok!(dispatch(Call::dispute_receipt { batch, receipt }, client()));
			assert_eq!(Holds::get().len(), 1, "one part of one batch");
			decide(the_dispute(), &[1, 2, 3, 4, 5], false);
		}
		assert_eq!(ait(&client()), NATIVE - 20 * AIT);
		assert_eq!(ait(&TreasuryAccount::get()), before + 20 * AIT);
		assert_eq!((Lost::get(), Punishments::get(), Taken::get()), (vec![], vec![], vec![]));
		assert!(Holds::get().is_empty());
		assert!((1..=5).all(|number| bond(number) == 1_000 * AIT));
	});
}
