//! A coordinator that is killed at every step, and a chain that is away or does not answer.

use super::*;
use gridproof_compute_api::protocol::{ErrorCode, Progress};

/// Where the coordinator is killed.
const STEPS: [&str; 7] =
	["quoted", "accepted", "assigned", "running", "completed", "sent", "settled"];

#[tokio::test]
async fn killed_at_any_step_nothing_is_lost_and_nothing_paid_twice() {
	for step in STEPS {
		let mut world = World::new().await;
		let miner = world.miner(1);
		let crash_at = async |world: &mut World, now: &str| {
			if step == now {
				world.crash().await;
			}
		};
		let mut session = miner.session(&world).await;
		let quoted = world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap();
		crash_at(&mut world, "quoted").await;
		world.chain.open_by_client(&quoted);
		let id = quoted.row.job;
		let request = submission(&quoted);
		world.coordinator.accept(&request, &quoted.access, false).await.unwrap();
		crash_at(&mut world, "accepted").await;
		if ["quoted", "accepted"].contains(&step) {
			session = miner.session(&world).await;
		}
		let assignment = miner.asks(&world, &session).await.unwrap();
		crash_at(&mut world, "assigned").await;
		if step == "assigned" {
			session = miner.session(&world).await;
		}
		let begun = Progress { attempt: 1, offset: 0, text: String::new() };
		world.coordinator.progress(&session, id, &begun).await.unwrap();
		crash_at(&mut world, "running").await;
		if step == "running" {
			session = miner.session(&world).await;
		}
		let result = miner.does(&assignment);
		let accepted = world.coordinator.result(&session, id, &result).await.unwrap();
		crash_at(&mut world, "completed").await;
		if step == "sent" {
			// It is on chain, but the coordinator died before it could note that.
			world.chain.set_trouble(Trouble::Unheard);
			let row = world.coordinator.read(move |db| Ok(rows::receipt(db, id)?));
			let row = row.await.unwrap().unwrap();
			let receipt = Receipt::decode_all(&mut &row.receipt[..]).unwrap();
			let (miner_signature, coordinator_signature) =
				(row.miner_signature, row.coordinator_signature);
			let signed = SignedReceipt { receipt, miner_signature, coordinator_signature };
			world.chain.claim(vec![signed], false).await.unwrap_err();
			world.chain.set_trouble(Trouble::None);
			world.crash().await;
			assert_eq!(world.settlement(id).await, Settlement::Pending);
		}
		world.settle().await;
		crash_at(&mut world, "settled").await;
		world.settle().await;

		assert_eq!(world.state(id).await, JobStage::Completed, "{step}");
		assert_eq!(world.settlement(id).await, Settlement::Final, "{step}");
		let settled = world.chain.job(id);
		assert_eq!(settled.receipt, Some(accepted.receipt_id.into()), "{step}");
		assert_eq!(settled.paid, 8 * quoted.row.unit_price, "{step}");
		assert_eq!(world.chain.claims.load(Ordering::SeqCst), 1, "{step}");
		let session = miner.session(&world).await;
		let again = world.coordinator.result(&session, id, &result).await.unwrap();
		assert!(again.repeated && again.receipt_id == accepted.receipt_id, "{step}");
	}
}

#[tokio::test]
async fn after_a_crash_a_miner_that_does_not_come_back_loses_its_job() {
	let mut world = World::new().await;
	let (gone, there) = (world.miner(1), world.miner(2));
	let session = gone.session(&world).await;
	let (_, job) = world.submitted().await;
	gone.asks(&world, &session).await.unwrap();
	world.crash().await;
	let session = there.session(&world).await;
	assert!(there.asks(&world, &session).await.is_none(), "it has its time to come back");
	world.pass(60);
	world.coordinator.sweep().await.unwrap();
	let assignment = there.asks(&world, &session).await.unwrap();
	assert_eq!((H256::from(assignment.job), assignment.attempt), (job.job, 2));
}

#[tokio::test]
async fn receipts_wait_while_the_chain_is_away_and_are_sent_once() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let result = miner.does(&assignment);
	world.coordinator.result(&session, job.job, &result).await.unwrap();
	world.chain.set_trouble(Trouble::Away);
	for _ in 0..5 {
		world.settle().await;
		world.pass(1);
	}
	assert_eq!(world.settlement(job.job).await, Settlement::Pending);
	world.chain.set_trouble(Trouble::Unheard);
	world.pass(60);
	world.settle().await;
	assert_eq!(world.settlement(job.job).await, Settlement::Final, "the chain was asked");
	world.pass(60);
	world.settle().await;
	assert_eq!(world.chain.claims.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_a_final_block_says_is_settled_is_not_asked_for_and_the_rest_is() {
	for (trouble, questions) in [(Trouble::None, 0), (Trouble::Speechless, 1)] {
		let world = World::new().await;
		let miner = world.miner(1);
		let session = miner.session(&world).await;
		let (_, job) = world.submitted().await;
		let assignment = miner.asks(&world, &session).await.unwrap();
		let result = miner.does(&assignment);
		world.coordinator.result(&session, job.job, &result).await.unwrap();
		let before = world.chain.questions.load(Ordering::SeqCst);
		world.chain.set_trouble(trouble);
		world.settle().await;
		assert_eq!(world.settlement(job.job).await, Settlement::Final, "{trouble:?}");
		let asked = world.chain.questions.load(Ordering::SeqCst) - before;
		assert_eq!(asked, questions, "{trouble:?}");
		let id = job.job;
		let row = world.coordinator.read(move |db| Ok(rows::receipt(db, id)?));
		assert_eq!(row.await.unwrap().unwrap().block, Some(BLOCK));
	}
}

#[tokio::test]
async fn whether_a_job_is_open_is_asked_only_if_it_may_have_been_tried() {
	let mut world = World::new().await;
	let accept = async |world: &World| {
		let _session = world.miner(1).session(world).await;
		world.ordered_job().await;
		world.chain.questions.store(0, Ordering::SeqCst);
	};
	accept(&world).await;
	assert_eq!(world.coordinator.open_some().await.unwrap(), 1);
	assert_eq!(world.chain.questions.load(Ordering::SeqCst), 0, "a new one");
	accept(&world).await;
	world.chain.set_trouble(Trouble::Away);
	world.coordinator.open_some().await.unwrap_err();
	world.chain.set_trouble(Trouble::None);
	assert_eq!(world.coordinator.open_some().await.unwrap(), 1);
	assert_eq!(world.chain.questions.load(Ordering::SeqCst), 1, "tried before");
	accept(&world).await;
	world.crash().await;
	assert_eq!(world.coordinator.open_some().await.unwrap(), 1);
	assert_eq!(world.chain.questions.load(Ordering::SeqCst), 1, "perhaps tried by an earlier run");
}

#[tokio::test]
async fn a_ban_delays_a_receipt_and_a_passed_deadline_ends_it() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let result = miner.does(&assignment);
	world.coordinator.result(&session, job.job, &result).await.unwrap();
	let public = *miner.key.public();
	let able = |is_able| {
		world.chain.miners.lock().unwrap().get_mut(&public).unwrap().is_able = is_able;
	};
	able(false);
	world.settle().await;
	assert_eq!(world.settlement(job.job).await, Settlement::Pending);
	able(true);
	world.pass(900);
	world.settle().await;
	assert_eq!(world.settlement(job.job).await, Settlement::Refused);
	assert_eq!(world.chain.job(job.job).paid, 0);
}

#[tokio::test]
async fn a_job_of_the_front_is_opened_once_even_if_nobody_heard_of_it() {
	let mut world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let job = world.ordered_job().await;
	assert!(!job.funded);
	assert!(miner.asks(&world, &session).await.is_none(), "no work before there is money");
	world.chain.set_trouble(Trouble::Away);
	let away = world.coordinator.open_some().await.unwrap_err();
	assert_eq!(away.code, ErrorCode::ChainUnavailable);
	world.chain.set_trouble(Trouble::Unheard);
	world.coordinator.open_some().await.unwrap();
	world.chain.set_trouble(Trouble::None);
	world.crash().await;
	// The chain in memory would panic if the same quote were opened again.
	world.coordinator.open_some().await.unwrap();
	let session = miner.session(&world).await;
	assert!(miner.asks(&world, &session).await.is_some());
}

#[tokio::test]
async fn a_job_that_cannot_be_paid_fails() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let job = world.ordered_job().await;
	world.chain.set_trouble(Trouble::Broke);
	world.coordinator.open_some().await.unwrap();
	let failed = world.coordinator.job(job.job).await.unwrap().unwrap();
	assert_eq!(failed.state, JobStage::Failed);
	assert!(failed.reason.unwrap().contains("the account holds too little"));
	world.coordinator.release_some().await.unwrap();
	assert!(world.chain.jobs.lock().unwrap().is_empty());
}
