//! A verifier between a chain and a coordinator in memory, with the real engine.

mod stand;

use gridproof_engine::{LocalEngine, TrialCheat, TrialMiner};
use gridproof_primitives::{
	H256,
	compute::checks::{
		CheckId, DemandOfOpening, DisputeCause, DisputePhase, DisputeView, Duty, Figures, Votes,
		Witness, figures_commitment,
	},
};
use gridproof_verifier::{Counts, Statement};
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
		"with the same proof and signature, which are drawn anew each time"
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

#[tokio::test]
async fn a_witness_says_what_it_got_and_waits_half_of_the_time_for_it() {
	let hour = 3_600_000;
	for (gives, wanted) in
		[(Gives::ToWitnesses, Witness::Has), (Gives::ToNobody, Witness::GotNothing)]
	{
		let world = world(None, 2, 0);
		world.give(gives);
		let id = CheckId { batch: world.id(), verifier: [1; 32], check: 0 };
		world.demands.lock().unwrap().push(DemandOfOpening {
			id,
			index: Some(1),
			miner: [2; 32],
			witnesses: (1, 0, 0),
			until_ms: world.clock.now_ms() + hour,
		});
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
	let first = tempfile::tempdir().unwrap();
	let world = world(None, 2, 1);
	let reporter = world.verifier(0xE1, first.path()).await;
	reporter.turn().await.unwrap();
	let reported = world.reported(&world.said()[0]);
	let id = reported.id;
	world.reports.lock().unwrap().push(reported.clone());
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
	assert_eq!(figures_commitment(&reopening.own_id(), &shown[1].figures), reopening.commitment);
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
		jurors: (3, 0),
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
async fn nobody_judges_its_own_cause_and_what_is_not_shown_makes_nobody_guilty() {
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
	let said = world.said();
	let [Statement::Commit(commitment, _)] = said[..] else { panic!("{said:?}") };
	assert_eq!(commitment.dispute, H256([6; 32]));
	*world.disputes.lock().unwrap() = vec![dispute(&world, DisputePhase::Reveal)];
	verifier.turn().await.unwrap();
	let Statement::Reveal(ballot, _) = world.said()[1].clone() else { panic!("no vote") };
	assert!(!ballot.verdict.guilty);
}
