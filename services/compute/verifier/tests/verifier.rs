//! A verifier between a chain and a coordinator in memory, with the real engine.

mod stand;

use gridproof_compute_api::opening::NotOpened;
use gridproof_engine::{LocalEngine, TrialCheat, TrialMiner};
use gridproof_primitives::{
	H256,
	compute::checks::{
		Abstention, AskedReceipt, Ballot, CheckId, CheckView, DemandOfOpening, DisputeCause,
		DisputePhase, DisputeView, Duty, Figures, LineClass, MAX_CHECKS_PER_DRAW, MAX_HOLD_MS,
		ModelLine, NoVote, OPENED_CHECKS, OtherPlace, Verdict, Votes, Witness, figures_commitment,
	},
};
use gridproof_verifier::{Counts, Statement, chain::Closing};
use stand::{Gives, PATIENCE_MS, World};
use std::{sync::Arc, time::Duration};

/// An honest batch, or one of a miner that cheats so.
fn world(cheat: Option<TrialCheat>, receipts: u32, checks: u32) -> Arc<World> {
	match cheat {
		None => World::new(&LocalEngine::embedded().unwrap(), receipts, checks),
		Some(cheat) => World::new(&TrialMiner::new(cheat).unwrap(), receipts, checks),
	}
}

fn figures(said: &[Statement]) -> Vec<Figures> {
	let of = |statement: &Statement| match statement {
		Statement::Report(report, _) => Some(report.figures),
		_ => None,
	};
	said.iter().filter_map(of).collect()
}

#[tokio::test]
async fn honest_work_is_reported_as_equal_and_each_cheat_as_not() {
	let folder = tempfile::tempdir().unwrap();
	let honest = world(None, 4, 5);
	let verifier = honest.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	assert_eq!(figures(&honest.said()), vec![Figures::Exact { equal: true }; 5]);
	for statement in honest.said() {
		let Statement::Report(report, signature) = statement else { panic!("{statement:?}") };
		assert!(report.is_signed(&stand::GENESIS, &signature));
		assert!(report.receipt.verify(&honest.published.header).is_ok());
	}
	for cheat in TrialCheat::ALL {
		let folder = tempfile::tempdir().unwrap();
		let cheated = world(Some(cheat), 4, 12);
		let verifier = cheated.verifier(0xE1, folder.path()).await;
		verifier.turn().await.unwrap();
		let found = figures(&cheated.said());
		assert_eq!(found.len(), 12, "{}", cheat.as_str());
		assert!(found.contains(&Figures::Exact { equal: false }), "{}", cheat.as_str());
	}
}

#[tokio::test]
async fn what_was_signed_before_a_crash_is_what_is_sent_after_it() {
	let folder = tempfile::tempdir().unwrap();
	let world = world(None, 3, 3);
	*world.is_away.lock().unwrap() = true;
	let verifier = world.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	let before = world.said();
	assert_eq!(before.len(), 1, "what fails about a batch holds it up");
	drop(verifier);
	*world.is_away.lock().unwrap() = false;
	let verifier = world.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	let after = world.said();
	assert_eq!(after.len(), 4);
	assert_eq!(
		after[1], before[0],
		"with the same proof and signature, which are drawn again each time"
	);
	verifier.turn().await.unwrap();
	drop(verifier);
	let verifier = world.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	assert_eq!(world.said().len(), 4, "nothing is said a second time");
	let counts = verifier.counts().await.unwrap();
	assert_eq!(counts, Counts { taken: 3, ..Counts::default() });
}

#[tokio::test]
async fn a_batch_is_touched_before_it_is_drawn_from() {
	let folder = tempfile::tempdir().unwrap();
	let world = world(None, 2, 1);
	*world.is_touched.lock().unwrap() = false;
	let verifier = world.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	assert!(world.said().is_empty() && *world.is_touched.lock().unwrap());
	verifier.turn().await.unwrap();
	assert_eq!(figures(&world.said()).len(), 1);
}

#[tokio::test]
async fn an_opening_that_is_not_given_or_does_not_hold_is_demanded_once() {
	for gives in [Gives::ToNobody, Gives::ToWitnesses, Gives::Altered] {
		let folder = tempfile::tempdir().unwrap();
		let world = world(None, 2, 1);
		world.give(gives);
		let verifier = world.verifier(0xE1, folder.path()).await;
		verifier.turn().await.unwrap();
		assert!(world.said().is_empty(), "it has some patience: {gives:?}");
		world.hands.advance(Duration::from_millis(PATIENCE_MS));
		verifier.turn().await.unwrap();
		verifier.turn().await.unwrap();
		let said = world.said();
		let [Statement::Demand(demand, signature)] = &said[..] else {
			panic!("{gives:?} {said:?}")
		};
		assert!(demand.is_signed(&stand::GENESIS, signature) && demand.receipt.is_some());
		// Given after all, it is checked.
		world.give(Gives::ToAll);
		verifier.turn().await.unwrap();
		assert_eq!(figures(&world.said()), [Figures::Exact { equal: true }]);
	}
}

#[tokio::test]
async fn an_opening_of_fewer_tokens_than_the_receipt_bills_is_none() {
	let folder = tempfile::tempdir().unwrap();
	let world = World::billing(&LocalEngine::embedded().unwrap(), 2, 1, 1);
	for receipt in world.published.batch.receipts() {
		let opening = &world.openings[&receipt.receipt.id(&stand::GENESIS)];
		let checked = opening.check(&stand::GENESIS, receipt, &world.channel);
		assert_eq!(checked, Err(NotOpened::OtherTokens));
	}
	let verifier = world.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	world.hands.advance(Duration::from_millis(PATIENCE_MS));
	verifier.turn().await.unwrap();
	verifier.turn().await.unwrap();
	let said = world.said();
	let [Statement::Demand(demand, _)] = &said[..] else { panic!("{said:?}") };
	assert_eq!(demand.batch, world.id());
	// A witness has not got it either.
	world.demands.lock().unwrap().push(self::demand(&world, demand.id(), Some(0)));
	let (_folder, witness) = witness_of(&world).await;
	world.hands.advance(Duration::from_millis(1_800_000));
	witness.turn().await.unwrap();
	let said = world.said();
	let [_, Statement::Witness(witness, _)] = &said[..] else { panic!("{said:?}") };
	assert_eq!(witness.says, Witness::GotNothing);
}

#[tokio::test]
async fn what_was_asked_for_of_a_batch_that_is_over_is_forgotten() {
	let folder = tempfile::tempdir().unwrap();
	let world = world(None, 2, 1);
	world.give(Gives::ToNobody);
	let verifier = world.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	world.hands.advance(Duration::from_millis(PATIENCE_MS));
	*world.is_over.lock().unwrap() = true;
	verifier.turn().await.unwrap();
	// If it waited once more, patience would begin with that.
	*world.is_over.lock().unwrap() = false;
	verifier.turn().await.unwrap();
	assert!(world.said().is_empty(), "{:?}", world.said());
	world.hands.advance(Duration::from_millis(PATIENCE_MS));
	verifier.turn().await.unwrap();
	assert!(matches!(world.said()[..], [Statement::Demand(..)]), "{:?}", world.said());
}

#[tokio::test]
async fn where_no_receipts_are_published_the_segment_is_demanded() {
	let folder = tempfile::tempdir().unwrap();
	let world = world(None, 2, 1);
	*world.publishes.lock().unwrap() = false;
	let verifier = world.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	world.hands.advance(Duration::from_millis(PATIENCE_MS));
	verifier.turn().await.unwrap();
	let said = world.said();
	let [Statement::Demand(demand, _)] = &said[..] else { panic!("{said:?}") };
	assert!(demand.receipt.is_none());
	assert_eq!(demand.batch, world.id());
	assert_eq!(Some(demand.miner), world.published.batch.receipts()[0].receipt.miner);
}

/// A verifier without checks of its own.
async fn witness_of(world: &Arc<World>) -> (tempfile::TempDir, Arc<gridproof_verifier::Verifier>) {
	let folder = tempfile::tempdir().unwrap();
	let verifier = world.verifier(0xE2, folder.path()).await;
	(folder, verifier)
}

/// A demand of the opening of a check; witnesses have an hour.
fn demand(world: &World, id: CheckId, index: Option<u64>) -> DemandOfOpening {
	DemandOfOpening {
		id,
		index,
		miner: world.published.batch.receipts()[0].receipt.miner.unwrap(),
		witnesses: (1, 0, 0),
		until_ms: world.clock.now_ms() + 3_600_000,
		opened: None,
	}
}

#[tokio::test]
async fn whoever_has_the_list_names_the_receipt_that_is_demanded_without_a_name() {
	let half = Duration::from_millis(1_800_000);
	for (place, index) in [(0, 0), (999, 0), (1_000, 1), (2_999, 2)] {
		let world = world(None, 3, 0);
		let id = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
		*world.place.lock().unwrap() = Some(place);
		world.demands.lock().unwrap().push(demand(&world, id, None));
		let (_folder, verifier) = witness_of(&world).await;
		world.hands.advance(half);
		verifier.turn().await.unwrap();
		assert_eq!(*world.named.lock().unwrap(), [(id, index)]);
		// Another has named it, and the next look shows that.
		*world.place.lock().unwrap() = None;
		verifier.turn().await.unwrap();
		assert_eq!(world.named.lock().unwrap().len(), 1);
		assert!(world.said().is_empty(), "the list is there: {:?}", world.said());
	}
	// Who demanded it, and has been given the list since, names it as well.
	let world = world(None, 3, 0);
	let (_folder, verifier) = witness_of(&world).await;
	let own = CheckId { batch: world.id(), verifier: verifier.public(), check: 0 };
	*world.place.lock().unwrap() = Some(1_500);
	world.demands.lock().unwrap().push(demand(&world, own, None));
	verifier.turn().await.unwrap();
	assert_eq!(*world.named.lock().unwrap(), [(own, 1)]);
}

#[tokio::test]
async fn where_no_list_is_to_be_had_a_witness_got_nothing_and_speaks_again_once_it_is_named() {
	let half = Duration::from_millis(1_800_000);
	let world = world(None, 2, 0);
	*world.publishes.lock().unwrap() = false;
	let id = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
	*world.place.lock().unwrap() = Some(0);
	world.demands.lock().unwrap().push(demand(&world, id, None));
	let (_folder, verifier) = witness_of(&world).await;
	verifier.turn().await.unwrap();
	assert!(world.said().is_empty(), "it may still be published");
	world.hands.advance(half);
	verifier.turn().await.unwrap();
	verifier.turn().await.unwrap();
	let says = || {
		let of = |one: &Statement| match one {
			Statement::Witness(witness, _) => (witness.of, witness.says),
			_ => panic!("{one:?}"),
		};
		world.said().iter().map(of).collect::<Vec<_>>()
	};
	assert_eq!(says(), [(id, Witness::GotNothing)]);
	assert!(world.named.lock().unwrap().is_empty() && world.asked.lock().unwrap().is_empty());
	// The chain forgets that: now it is about an opening.
	*world.publishes.lock().unwrap() = true;
	*world.demands.lock().unwrap() = vec![demand(&world, id, Some(0))];
	verifier.turn().await.unwrap();
	verifier.turn().await.unwrap();
	assert_eq!(says(), [(id, Witness::GotNothing), (id, Witness::Has)]);
}

#[tokio::test]
async fn a_witness_that_has_the_opening_reports_the_check_once_two_thirds_have_it() {
	for (gives, is_killed) in
		[(Gives::ToWitnesses, false), (Gives::ToWitnesses, true), (Gives::ToNobody, false)]
	{
		let world = world(None, 2, 0);
		world.give(gives);
		let id = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
		world.demands.lock().unwrap().push(demand(&world, id, Some(1)));
		let (folder, mut verifier) = witness_of(&world).await;
		world.hands.advance(Duration::from_millis(1_800_000));
		verifier.turn().await.unwrap();
		assert_eq!(world.said().len(), 1);
		verifier.turn().await.unwrap();
		assert_eq!(world.said().len(), 1, "two thirds do not have it yet");
		world.demands.lock().unwrap()[0].opened = Some(OPENED_CHECKS + 3);
		if is_killed {
			drop(verifier);
			verifier = world.verifier(0xE2, folder.path()).await;
		} else {
			// What it was shown it need not be shown again.
			world.give(Gives::ToNobody);
		}
		verifier.turn().await.unwrap();
		verifier.turn().await.unwrap();
		let said = world.said();
		if gives == Gives::ToNobody {
			assert_eq!(said.len(), 1, "who got nothing reports nothing");
			continue;
		}
		let [_, Statement::Report(report, signature)] = &said[..] else { panic!("{said:?}") };
		assert!(report.is_signed(&stand::GENESIS, signature));
		let own =
			CheckId { batch: id.batch, verifier: verifier.public(), check: OPENED_CHECKS + 3 };
		assert_eq!((report.id(), report.receipt.index), (own, 1));
		assert_eq!(report.figures, Figures::Exact { equal: true });
	}
}

#[tokio::test]
async fn what_was_touched_while_a_verifier_was_suspended_does_not_fall_to_it() {
	let first = tempfile::tempdir().unwrap();
	let world = world(None, 2, 2);
	*world.suspended_ms.lock().unwrap() = (0, 10);
	let verifier = world.verifier(0xE1, first.path()).await;
	let other = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
	world.reports.lock().unwrap().push(honest_report(&world, other));
	verifier.turn().await.unwrap();
	assert!(world.said().is_empty() && world.asked.lock().unwrap().is_empty());
	// The batch was touched before.
	*world.suspended_ms.lock().unwrap() = (5, 10);
	verifier.turn().await.unwrap();
	let said = world.said();
	assert_eq!(figures(&said).len(), 2);
	assert!(said.iter().any(|one| matches!(one, Statement::Reopen(..))));
}

/// A report of the first receipt, with a commitment that is nobody's.
fn honest_report(world: &World, id: CheckId) -> CheckView {
	let receipt = world.published.batch.receipts()[0].receipt;
	CheckView {
		id,
		voucher: receipt.voucher().unwrap(),
		index: 0,
		miner: receipt.miner.unwrap(),
		model: receipt.model,
		figures: Figures::Exact { equal: true },
		commitment: H256::zero(),
		block: stand::BLOCK,
		time_ms: 0,
	}
}

#[tokio::test]
async fn a_report_of_the_end_of_a_window_is_looked_at_again_after_it() {
	let world = world(None, 2, 0);
	let (folder, verifier) = witness_of(&world).await;
	verifier.turn().await.unwrap();
	// Nothing of the batch waits any more, and its checks are not counted.
	*world.is_over.lock().unwrap() = true;
	let of = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
	world.reports.lock().unwrap().push(honest_report(&world, of));
	drop(verifier);
	let verifier = world.verifier(0xE2, folder.path()).await;
	verifier.turn().await.unwrap();
	let said = world.said();
	let [Statement::Reopen(reopening, _)] = &said[..] else { panic!("{said:?}") };
	assert_eq!(reopening.of, of);
}

#[tokio::test]
async fn where_the_mint_stands_still_checks_are_counted_once_pay_can_be_held_no_longer() {
	let world = world(None, 2, 0);
	*world.due_ms.lock().unwrap() = world.clock.now_ms();
	let (_folder, verifier) = witness_of(&world).await;
	let counted = [Closing::Checks(world.id())];
	verifier.turn().await.unwrap();
	world.hands.advance(Duration::from_millis(MAX_HOLD_MS));
	verifier.turn().await.unwrap();
	assert!(world.closed().is_empty(), "there is nothing to count");
	let of = CheckId { batch: world.id(), verifier: verifier.public(), check: 0 };
	world.reports.lock().unwrap().push(honest_report(&world, of));
	verifier.turn().await.unwrap();
	assert_eq!(world.closed(), counted);
}

#[tokio::test]
async fn a_witness_says_what_it_got_and_waits_half_of_the_time_for_it() {
	let hour = 3_600_000;
	for (gives, wanted) in
		[(Gives::ToWitnesses, Witness::Has), (Gives::ToNobody, Witness::GotNothing)]
	{
		let world = world(None, 2, 0);
		world.give(gives);
		let id = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
		world.demands.lock().unwrap().push(demand(&world, id, Some(1)));
		let (_folder, verifier) = witness_of(&world).await;
		verifier.turn().await.unwrap();
		let at_once = usize::from(wanted == Witness::Has);
		assert_eq!(world.said().len(), at_once);
		world.hands.advance(Duration::from_millis(hour / 2));
		verifier.turn().await.unwrap();
		verifier.turn().await.unwrap();
		let said = world.said();
		let [Statement::Witness(witness, signature)] = &said[..] else { panic!("{said:?}") };
		assert!(witness.is_signed(&stand::GENESIS, signature));
		assert_eq!((witness.of, witness.says), (id, wanted));
		assert!(world.asked.lock().unwrap().iter().all(|duty| *duty == Duty::Witness(id)));
	}
}

#[tokio::test]
async fn a_report_of_another_is_looked_at_again_and_the_figures_are_shown() {
	look_again(2).await;
}

/// Of eight receipts the check of that number which fell to who looks again is of another one.
#[tokio::test]
async fn figures_of_a_second_look_are_not_those_of_the_own_check_with_that_number() {
	look_again(8).await;
}

async fn look_again(receipts: u32) {
	let first = tempfile::tempdir().unwrap();
	let world = world(None, receipts, 1);
	let reporter = world.verifier(0xE1, first.path()).await;
	reporter.turn().await.unwrap();
	let reported = world.reported(&world.said()[0]);
	let id = reported.id;
	world.reports.lock().unwrap().push(reported);
	let (_folder, second) = witness_of(&world).await;
	second.turn().await.unwrap();
	let said = world.said();
	let reopening = said.iter().find_map(|statement| match statement {
		Statement::Reopen(reopening, _) => Some(*reopening),
		_ => None,
	});
	let reopening = reopening.expect("every report is looked at twice here");
	assert_eq!(reopening.of, id);
	world.to_show.lock().unwrap().push(id);
	reporter.turn().await.unwrap();
	second.turn().await.unwrap();
	let shown: Vec<_> = world
		.said()
		.into_iter()
		.filter_map(|statement| match statement {
			Statement::Show(shown, _) => Some(shown),
			_ => None,
		})
		.collect();
	assert_eq!(shown.len(), 2);
	assert_eq!(shown[0].figures, shown[1].figures, "one engine, one pass");
	assert_eq!(figures_commitment(&id, &shown[0].figures), reported.commitment);
	let own = CheckId { verifier: reopening.by, ..id };
	assert_eq!(figures_commitment(&own, &shown[1].figures), reopening.commitment);
	assert_ne!(reopening.commitment, reported.commitment, "a copied one would be the other's");
}

fn dispute(world: &World, phase: DisputePhase) -> DisputeView {
	let id = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
	let now = world.clock.now_ms();
	DisputeView {
		id: H256([6; 32]),
		cause: DisputeCause::NotEqual(id),
		batch: world.id(),
		index: 0,
		accused: [2; 32],
		block: stand::BLOCK,
		phase,
		until_ms: (now + 7_200_000, now + 10_800_000),
		jurors: (3, if phase == DisputePhase::Commit { 0 } else { 3 }),
		without_vote: 0,
		votes: Votes::default(),
		reports: Vec::new(),
		others: Vec::new(),
	}
}

#[tokio::test]
async fn a_juror_commits_to_what_it_found_and_reveals_the_same_after_a_crash() {
	for (cheat, guilty) in [(None, false), (Some(TrialCheat::Invented), true)] {
		let world = world(cheat, 2, 0);
		world.disputes.lock().unwrap().push(dispute(&world, DisputePhase::Commit));
		let (folder, verifier) = witness_of(&world).await;
		verifier.turn().await.unwrap();
		verifier.turn().await.unwrap();
		let said = world.said();
		let [Statement::Commit(commitment, _)] = said[..] else { panic!("{said:?}") };
		drop(verifier);
		*world.disputes.lock().unwrap() = vec![dispute(&world, DisputePhase::Reveal)];
		let verifier = world.verifier(0xE2, folder.path()).await;
		verifier.turn().await.unwrap();
		verifier.turn().await.unwrap();
		let said = world.said();
		let [_, Statement::Reveal(ballot, signature)] = said[..] else { panic!("{said:?}") };
		assert!(ballot.is_signed(&stand::GENESIS, &signature));
		assert_eq!(ballot.commitment(&stand::GENESIS), commitment.commitment);
		assert_eq!(ballot.verdict.guilty, guilty);
	}
}

#[tokio::test]
async fn nobody_judges_its_own_cause_and_what_is_not_shown_acquits_nobody() {
	let world = world(Some(TrialCheat::Invented), 2, 0);
	world.give(Gives::ToNobody);
	let (_folder, verifier) = witness_of(&world).await;
	let mut own = dispute(&world, DisputePhase::Commit);
	own.cause = DisputeCause::NotEqual(CheckId {
		batch: world.id(),
		verifier: verifier.public(),
		check: 0,
	});
	own.id = H256([5; 32]);
	world.disputes.lock().unwrap().extend([own, dispute(&world, DisputePhase::Commit)]);
	verifier.turn().await.unwrap();
	assert!(world.said().is_empty(), "it may still be shown");
	world.hands.advance(Duration::from_millis(5_000_000));
	verifier.turn().await.unwrap();
	verifier.turn().await.unwrap();
	let said = world.said();
	let [Statement::Abstain(abstention, signature)] = said[..] else { panic!("{said:?}") };
	assert!(abstention.is_signed(&stand::GENESIS, &signature));
	let why = NoVote::NotShown(world.id());
	let juror = verifier.public();
	assert_eq!(abstention, Abstention { juror, dispute: H256([6; 32]), why });
	*world.disputes.lock().unwrap() = vec![dispute(&world, DisputePhase::Reveal)];
	verifier.turn().await.unwrap();
	assert_eq!(world.said().len(), 1, "there is no vote to reveal");
}

#[tokio::test]
async fn where_no_list_is_published_to_a_jury_it_was_shown_nothing() {
	let world = world(None, 2, 0);
	*world.publishes.lock().unwrap() = false;
	world.disputes.lock().unwrap().push(dispute(&world, DisputePhase::Commit));
	let (_folder, verifier) = witness_of(&world).await;
	world.hands.advance(Duration::from_millis(5_000_000));
	verifier.turn().await.unwrap();
	assert_eq!(abstained(&world), [NoVote::NotShown(world.id())]);
}

/// Why jurors said that they have no vote.
fn abstained(world: &World) -> Vec<NoVote> {
	let of = |one: &Statement| match one {
		Statement::Abstain(abstention, _) => Some(abstention.why),
		_ => None,
	};
	world.said().iter().filter_map(of).collect()
}

/// Votes that were revealed.
fn votes(world: &World) -> Vec<Verdict> {
	let of = |one: &Statement| match one {
		Statement::Reveal(Ballot { verdict, .. }, _) => Some(*verdict),
		_ => None,
	};
	world.said().iter().filter_map(of).collect()
}

#[tokio::test]
async fn of_class_exact_a_reporter_is_guilty_whose_commitment_is_to_other_bits() {
	for (is_invented, guilty) in [(false, false), (true, true)] {
		let first = tempfile::tempdir().unwrap();
		let world = world(None, 2, 1);
		// Nobody looks again, so that this one may judge.
		*world.reopen_one_in.lock().unwrap() = u32::MAX;
		let reporter = world.verifier(0xE1, first.path()).await;
		reporter.turn().await.unwrap();
		let mut report = world.reported(&world.said()[0]);
		if is_invented {
			report.commitment = H256::zero();
		}
		world.reports.lock().unwrap().push(report);
		let (_folder, juror) = witness_of(&world).await;
		for phase in [DisputePhase::Commit, DisputePhase::Reveal] {
			let mut dispute = dispute(&world, phase);
			dispute.cause = DisputeCause::Reopened(report.id);
			dispute.index = report.index;
			*world.disputes.lock().unwrap() = vec![dispute];
			juror.turn().await.unwrap();
		}
		assert_eq!(votes(&world), [Verdict { guilty, invented: None }]);
	}
}

#[tokio::test]
async fn who_says_equal_unseen_is_found_by_a_second_look_and_by_the_jury() {
	let world = world(Some(TrialCheat::Invented), 2, 0);
	let id = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
	world.reports.lock().unwrap().push(honest_report(&world, id));
	let (_folder, second) = witness_of(&world).await;
	second.turn().await.unwrap();
	world.to_show.lock().unwrap().push(id);
	second.turn().await.unwrap();
	let said = world.said();
	let [Statement::Reopen(..), Statement::Show(shown, _)] = &said[..] else { panic!("{said:?}") };
	assert_eq!(shown.figures[0], 0, "it is not equal");
	// Who looked again is a party; another judges.
	world.to_show.lock().unwrap().clear();
	*world.reopen_one_in.lock().unwrap() = u32::MAX;
	let folder = tempfile::tempdir().unwrap();
	let juror = world.verifier(0xE3, folder.path()).await;
	for phase in [DisputePhase::Commit, DisputePhase::Reveal] {
		let mut dispute = dispute(&world, phase);
		dispute.cause = DisputeCause::Reopened(id);
		*world.disputes.lock().unwrap() = vec![dispute];
		second.turn().await.unwrap();
		juror.turn().await.unwrap();
	}
	assert_eq!(votes(&world), [Verdict { guilty: true, invented: None }]);
}

/// A line of class `seeded` that honest answers of the same engine never reach.
const SEEDED: ModelLine = ModelLine {
	class: LineClass::Seeded,
	line: 100,
	limit: 8_000_000,
	clip: 8_000_000,
	agreement: 10,
	finds_within: 5,
};

/// A world of class `seeded` in which one verifier has reported a check of four receipts, with that report.
async fn reported_world(cheat: Option<TrialCheat>) -> (Arc<World>, CheckView) {
	let folder = tempfile::tempdir().unwrap();
	let mut world = world(cheat, 4, 1);
	Arc::get_mut(&mut world).unwrap().line = SEEDED;
	*world.reopen_one_in.lock().unwrap() = u32::MAX;
	let reporter = world.verifier(0xE1, folder.path()).await;
	reporter.turn().await.unwrap();
	let report = world.reported(&world.said()[0]);
	world.reports.lock().unwrap().push(report);
	(world, report)
}

/// A dispute about the number behind a report, with places at which its jury looks.
fn of_number(
	world: &World,
	report: &CheckView,
	phase: DisputePhase,
	places: &[u128],
) -> DisputeView {
	let (batch, miner) = (world.id(), report.miner);
	DisputeView {
		cause: DisputeCause::Number(report.id),
		index: report.index,
		reports: vec![report.id],
		others: places.iter().map(|place| OtherPlace { batch, miner, place: *place }).collect(),
		..dispute(world, phase)
	}
}

#[tokio::test]
async fn a_jury_of_a_number_looks_at_the_first_three_places_that_the_chain_has_drawn() {
	for (cheat, guilty) in [(None, false), (Some(TrialCheat::Invented), true)] {
		let (world, report) = reported_world(cheat).await;
		let (_folder, juror) = witness_of(&world).await;
		// At the first place there is no receipt at all.
		let places = [9_999, 3_000, 0, 2_500, 1_000, 1_500];
		for phase in [DisputePhase::Commit, DisputePhase::Reveal] {
			*world.disputes.lock().unwrap() = vec![of_number(&world, &report, phase, &places)];
			juror.turn().await.unwrap();
		}
		assert_eq!(votes(&world), [Verdict { guilty, invented: None }]);
		let duty = Duty::Juror(H256([6; 32]));
		let asked = world.asked.lock().unwrap().iter().filter(|one| **one == duty).count();
		assert_eq!(asked, 4, "the report, and three others");
	}
}

#[tokio::test]
async fn a_jury_names_the_reporter_whose_figures_it_does_not_find_again() {
	let (world, mut report) = reported_world(None).await;
	let Figures::Seeded(mut figures) = report.figures else { panic!("{report:?}") };
	figures.clipped += 1_000_000;
	report.figures = Figures::Seeded(figures);
	*world.reports.lock().unwrap() = vec![report];
	let (_folder, juror) = witness_of(&world).await;
	for phase in [DisputePhase::Commit, DisputePhase::Reveal] {
		*world.disputes.lock().unwrap() = vec![of_number(&world, &report, phase, &[0])];
		juror.turn().await.unwrap();
	}
	let invented = Some(report.id.verifier);
	assert_eq!(votes(&world), [Verdict { guilty: false, invented }]);
}

#[tokio::test]
async fn a_number_beside_which_nothing_can_be_checked_is_not_acquitted() {
	let (world, report) = reported_world(Some(TrialCheat::Invented)).await;
	let (_folder, juror) = witness_of(&world).await;
	let dispute = of_number(&world, &report, DisputePhase::Commit, &[9_999]);
	*world.disputes.lock().unwrap() = vec![dispute];
	juror.turn().await.unwrap();
	assert_eq!(abstained(&world), [NoVote::NothingElse]);
}

#[tokio::test]
async fn a_number_of_which_something_is_not_shown_is_not_acquitted() {
	let (world, report) = reported_world(None).await;
	world.give(Gives::ToNobody);
	let (_folder, juror) = witness_of(&world).await;
	*world.disputes.lock().unwrap() =
		vec![of_number(&world, &report, DisputePhase::Commit, &[0, 1_000])];
	juror.turn().await.unwrap();
	assert!(abstained(&world).is_empty(), "it may still be shown");
	world.hands.advance(Duration::from_millis(5_000_000));
	juror.turn().await.unwrap();
	assert_eq!(abstained(&world), [NoVote::NotShown(world.id())]);
}

#[tokio::test]
async fn what_a_client_wants_checked_is_reported_by_whose_turn_it_is() {
	let folder = tempfile::tempdir().unwrap();
	let world = world(None, 3, 0);
	let verifier = world.verifier(0xE1, folder.path()).await;
	let voucher = world.published.batch.receipts()[1].receipt.voucher().unwrap();
	let of = |verifier| CheckId { batch: world.id(), verifier, check: MAX_CHECKS_PER_DRAW };
	let asked = |verifier| AskedReceipt { id: of(verifier), index: 1, voucher };
	*world.wanted.lock().unwrap() = vec![asked([1; 32])];
	verifier.turn().await.unwrap();
	assert!(world.said().is_empty(), "another's turn");
	*world.wanted.lock().unwrap() = vec![asked(verifier.public())];
	verifier.turn().await.unwrap();
	verifier.turn().await.unwrap();
	let said = world.said();
	let [Statement::Report(report, _)] = &said[..] else { panic!("{said:?}") };
	assert_eq!((report.id(), report.receipt.index), (of(verifier.public()), 1));
	assert_eq!(report.figures, Figures::Exact { equal: true });
}

#[tokio::test]
async fn what_is_over_is_counted_once() {
	let folder = tempfile::tempdir().unwrap();
	let world = world(None, 2, 1);
	let verifier = world.verifier(0xE1, folder.path()).await;
	verifier.turn().await.unwrap();
	assert!(!world.closed().contains(&Closing::Checks(world.id())), "it waits");
	*world.is_over.lock().unwrap() = true;
	// After a crash it still knows what it was drawn for.
	drop(verifier);
	let verifier = world.verifier(0xE1, folder.path()).await;
	for _ in 0..3 {
		verifier.turn().await.unwrap();
	}
	assert_eq!(world.closed(), [Closing::Checks(world.id())]);
}

#[tokio::test]
async fn a_dispute_in_which_all_have_spoken_is_closed_at_once() {
	let world = world(None, 2, 0);
	let mut dispute = dispute(&world, DisputePhase::Reveal);
	let (_folder, verifier) = witness_of(&world).await;
	// Who has no vote has said so, and committed to none.
	for (votes, committed, is_closed) in [(1, 2, false), (2, 3, false), (2, 2, true)] {
		dispute.jurors = (3, committed);
		dispute.votes = Votes { guilty: votes, not_guilty: 0 };
		*world.disputes.lock().unwrap() = vec![dispute.clone()];
		verifier.turn().await.unwrap();
		assert_eq!(world.closed().contains(&Closing::Dispute(dispute.id)), is_closed);
	}
}
