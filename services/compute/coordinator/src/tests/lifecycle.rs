//! Good and less good ends of jobs.

use super::*;
use gridproof_compute_api::protocol::{
	ErrorCode, Heartbeat, HeldJob, Progress, Refusal, RefusalReason,
};

#[tokio::test]
async fn a_job_goes_from_quote_to_final_money() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (quoted, job) = world.submitted().await;
	assert_eq!((job.state, job.funded), (JobStage::Queued, true));
	assert_eq!(quoted.quote.price, quoted.row.unit_price * u128::from(quoted.quote.max_units));

	let assignment = miner.asks(&world, &session).await.unwrap();
	assert_eq!((H256::from(assignment.job), assignment.attempt), (job.job, 1));
	assert_eq!(assignment.spec.hash(), quoted.quote.spec_hash);
	assert_eq!(world.state(job.job).await, JobStage::Assigned);
	let progress = Progress { attempt: 1, offset: 0, text: "there".to_string() };
	world.coordinator.progress(&session, job.job, &progress).await.unwrap();
	assert_eq!(world.state(job.job).await, JobStage::Running);

	let result = miner.does(&assignment);
	let accepted = world.coordinator.result(&session, job.job, &result).await.unwrap();
	assert!(!accepted.repeated);
	assert_eq!(world.state(job.job).await, JobStage::Completed);
	assert_eq!(world.settlement(job.job).await, Settlement::Pending);
	world.settle().await;
	assert_eq!(world.settlement(job.job).await, Settlement::Final);
	let settled = world.chain.job(job.job);
	assert_eq!(settled.receipt, Some(accepted.receipt_id.into()));
	assert_eq!(settled.paid, 8 * quoted.row.unit_price, "five tokens read and three made");
}

#[tokio::test]
async fn what_a_coordinator_has_earned_is_paid_out_by_itself_and_once() {
	let world = World::new().await;
	let own = world.coordinator.public();
	let mine = 5_238_131_467_500_000_000;
	world.chain.earned.lock().unwrap().extend([(own, mine), ([9; 32], 7)]);
	assert_eq!(world.coordinator.collect_once().await, Ok(mine));
	assert_eq!(world.coordinator.collect_once().await, Ok(0), "nothing more is due");
	assert_eq!(world.chain.earned.lock().unwrap()[&[9; 32]], 7, "another's is another's");
	world.chain.set_trouble(Trouble::Away);
	assert!(world.coordinator.collect_once().await.unwrap_err().is_temporary());
	assert_eq!(world.coordinator.metrics.payouts.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_might_not_be_paid_any_more_is_neither_begun_nor_handed_out_until_the_chain_is_seen() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (quoted, done) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	world.coordinator.result(&session, done.job, &miner.does(&assignment)).await.unwrap();
	let (_, waiting) = world.submitted().await;
	let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
	let stopper = gridproof_support::Stopper::new();
	let router = world.server().router();
	let serving = gridproof_http::serve_on(router, listener, stopper.signal()).unwrap();
	let url = format!("http://{}/api/v1/jobs/{}", serving.address(), Hex32::from(done.job));
	let http = gridproof_support::http_client::builder().build().unwrap();
	let shown = async || {
		let answer = http.get(&url).bearer_auth(quoted.access.reveal()).send().await.unwrap();
		let retry = answer.headers().contains_key("retry-after");
		let (status, body) = (answer.status().as_u16(), answer.text().await.unwrap());
		(status, retry, body.contains("there was"))
	};

	// The node goes; for most of a notice nothing changes.
	world.chain.set_trouble(Trouble::Away);
	world.hands.advance(Duration::from_secs(44));
	assert_eq!(shown().await, (200, false, true));
	world.hands.advance(Duration::from_secs(6));
	assert_eq!(shown().await, (503, true, false), "a cancellation could be final unseen");
	let public = http.get(&url).send().await.unwrap();
	assert_eq!(public.status(), 200, "everyone may see its state, at no cost");
	assert!(miner.asks(&world, &session).await.is_none(), "no work is begun");
	let quoted = world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap();
	world.chain.open_by_client(&quoted);
	let accept = || async {
		let request = submission(&quoted);
		world.coordinator.accept(&request, &quoted.access, false).await.map(|job| job.state)
	};
	let refused = accept().await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::ChainUnavailable);
	assert!(refused.message.contains("try again"), "{refused}");

	// It is back, and everything continues without anybody's doing.
	world.chain.set_trouble(Trouble::None);
	world.pass(5);
	assert_eq!(shown().await, (200, false, true));
	assert_eq!(accept().await, Ok(JobStage::Queued));
	let next = miner.asks(&world, &session).await.unwrap();
	assert_eq!(H256::from(next.job), waiting.job);
	// What is settled is handed out whether or not the chain is seen.
	world.settle().await;
	world.chain.set_trouble(Trouble::Away);
	world.hands.advance(Duration::from_secs(600));
	assert_eq!(shown().await, (200, false, true));
}

#[tokio::test]
async fn a_job_waits_for_a_miner_with_its_model() {
	let world = World::new().await;
	let (serving, other) = (world.miner(1), world.miner(2));
	let first = serving.session(&world).await;
	let mut hello = other.hello(&world);
	hello.models = vec!["another".to_string()];
	let payload = hello_payload(&GENESIS, &world.coordinator.public(), &hello);
	hello.signature = Hex64(other.key.sign(&payload));
	let token = world.coordinator.hello(&hello).await.unwrap().session;
	let second = world.coordinator.session(&token).unwrap();
	world.submitted().await;
	assert!(other.asks(&world, &second).await.is_none());
	assert!(serving.asks(&world, &first).await.is_some());
	assert!(serving.asks(&world, &first).await.is_none(), "there was one job");
}

#[tokio::test]
async fn a_lease_that_runs_out_gives_the_job_to_another_miner() {
	let world = World::new().await;
	let (slow, quick) = (world.miner(1), world.miner(2));
	let first = slow.session(&world).await;
	let (_, job) = world.submitted().await;
	let late = slow.asks(&world, &first).await.unwrap();
	let progress = Progress { attempt: 1, offset: 0, text: String::new() };
	world.coordinator.progress(&first, job.job, &progress).await.unwrap();
	world.pass(59);
	world.coordinator.sweep().await.unwrap();
	assert_eq!(world.state(job.job).await, JobStage::Running);
	world.pass(1);
	world.coordinator.sweep().await.unwrap();
	assert_eq!(world.state(job.job).await, JobStage::Queued);

	let second = quick.session(&world).await;
	let assignment = quick.asks(&world, &second).await.unwrap();
	assert_eq!((assignment.attempt, assignment.nonce), (2, late.nonce));
	let refused = world.coordinator.result(&first, job.job, &slow.does(&late)).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::NotAssigned);
	let result = quick.does(&assignment);
	world.coordinator.result(&second, job.job, &result).await.unwrap();
	let refused = world.coordinator.result(&first, job.job, &slow.does(&late)).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::AlreadyCompleted);
}

#[tokio::test]
async fn an_assignment_that_is_not_confirmed_comes_back_sooner() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	miner.asks(&world, &session).await.unwrap();
	world.pass(20);
	world.coordinator.sweep().await.unwrap();
	assert_eq!(world.state(job.job).await, JobStage::Queued);
}

#[tokio::test]
async fn heartbeats_keep_what_is_listed_and_give_back_the_rest() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, kept) = world.submitted().await;
	let (_, lost) = world.submitted().await;
	let first = miner.asks(&world, &session).await.unwrap();
	let second = miner.asks(&world, &session).await.unwrap();
	assert_eq!((H256::from(first.job), H256::from(second.job)), (kept.job, lost.job));
	let held = HeldJob { job: first.job, attempt: first.attempt };
	let foreign = HeldJob { job: Hex32([9; 32]), attempt: 1 };
	let heartbeat = Heartbeat { jobs: vec![held, foreign] };
	let answer = world.coordinator.heartbeat(&session, &heartbeat).await.unwrap();
	assert_eq!(answer.stop, [Hex32([9; 32])]);
	assert_eq!(world.state(lost.job).await, JobStage::Assigned, "it may still be on its way");
	world.pass(11);
	world.coordinator.heartbeat(&session, &heartbeat).await.unwrap();
	assert_eq!(world.state(kept.job).await, JobStage::Running);
	assert_eq!(world.state(lost.job).await, JobStage::Queued);
}

#[tokio::test]
async fn a_refused_job_continues_until_it_failed_too_often() {
	let settings = Settings { max_failures: 2, ..Settings::default() };
	let world = World::with(settings, None).await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	let give_back = |attempt, reason| Refusal { attempt, reason, detail: "why".to_string() };
	let reasons = [RefusalReason::EngineFailed, RefusalReason::Busy, RefusalReason::EngineFailed];
	for (attempt, reason) in (1..).zip(reasons) {
		world.pass(5);
		let assignment = miner.asks(&world, &session).await.unwrap();
		assert_eq!(assignment.attempt, attempt);
		let refusal = give_back(attempt, reason);
		world.coordinator.refuse(&session, job.job, &refusal).await.unwrap();
		assert_eq!(world.state(job.job).await, JobStage::Queued);
	}
	world.pass(5);
	miner.asks(&world, &session).await.unwrap();
	let refusal = give_back(4, RefusalReason::EngineFailed);
	world.coordinator.refuse(&session, job.job, &refusal).await.unwrap();
	assert_eq!(world.state(job.job).await, JobStage::Failed);
	world.coordinator.release_some().await.unwrap();
	assert_eq!(world.chain.job(job.job).state, OnChain::Cancelled, "the client has its money");
}

#[tokio::test]
async fn only_queued_jobs_are_taken_back_and_their_money_returns() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (quoted, job) = world.submitted().await;
	let refused = world.coordinator.cancel(job.job, &AccessKey::from("wrong")).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::Unauthorized);
	let (other, held) = world.submitted().await;
	world.coordinator.cancel(job.job, &quoted.access).await.unwrap();
	let again = world.coordinator.cancel(job.job, &quoted.access).await.unwrap();
	assert_eq!(again.state, JobStage::Cancelled);
	let assignment = miner.asks(&world, &session).await.unwrap();
	assert_eq!(H256::from(assignment.job), held.job, "the cancelled one is not given out");
	let refused = world.coordinator.cancel(held.job, &other.access).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::WrongState);
	world.coordinator.release_some().await.unwrap();
	assert_eq!(world.chain.job(job.job).state, OnChain::Cancelled);
	assert_eq!(world.chain.job(held.job).state, OnChain::Open);
}

#[tokio::test]
async fn a_deadline_that_passes_ends_a_job_in_any_open_state() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, running) = world.submitted().await;
	let (_, queued) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	world.pass(840);
	world.coordinator.sweep().await.unwrap();
	world.coordinator.sweep().await.unwrap();
	assert_eq!(world.state(running.job).await, JobStage::Expired);
	assert_eq!(world.state(queued.job).await, JobStage::Expired);
	let result = miner.does(&assignment);
	let refused = world.coordinator.result(&session, running.job, &result).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::NotAssigned);
}

#[tokio::test]
async fn a_cancellation_on_chain_is_answered_while_a_miner_works() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	miner.asks(&world, &session).await.unwrap();
	world.coordinator.watch_held().await.unwrap();
	assert_eq!(world.chain.assignments.load(Ordering::SeqCst), 0);
	world.chain.jobs.lock().unwrap().get_mut(&job.job).unwrap().cancelling = true;
	world.coordinator.watch_held().await.unwrap();
	assert_eq!(world.chain.assignments.load(Ordering::SeqCst), 1);
	assert!(!world.chain.job(job.job).cancelling);
	world.chain.jobs.lock().unwrap().get_mut(&job.job).unwrap().state = OnChain::Cancelled;
	world.coordinator.watch_held().await.unwrap();
	assert_eq!(world.state(job.job).await, JobStage::Failed, "work on it would be for nothing");
}

#[tokio::test]
async fn a_cancellation_on_chain_is_answered_while_a_receipt_is_on_its_way() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let result = miner.does(&assignment);
	world.coordinator.result(&session, job.job, &result).await.unwrap();
	// The client has its answer, and the claim is not in a block yet.
	world.chain.jobs.lock().unwrap().get_mut(&job.job).unwrap().cancelling = true;
	world.coordinator.watch_held().await.unwrap();
	assert_eq!(world.chain.assignments.load(Ordering::SeqCst), 1);
	assert!(!world.chain.job(job.job).cancelling);
	world.settle().await;
	assert_eq!(world.settlement(job.job).await, Settlement::Final);
	// Settled, it is watched no more.
	world.chain.jobs.lock().unwrap().get_mut(&job.job).unwrap().cancelling = true;
	world.coordinator.watch_held().await.unwrap();
	assert_eq!(world.chain.assignments.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_claim_that_found_no_place_free_of_charge_pays_for_one() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let result = miner.does(&assignment);
	world.coordinator.result(&session, job.job, &result).await.unwrap();
	world.chain.set_trouble(Trouble::Crowded);
	world.settle().await;
	let fees = || world.chain.fees.load(Ordering::SeqCst);
	assert_eq!((fees(), world.settlement(job.job).await), (0, Settlement::Pending));
	world.pass(5);
	world.settle().await;
	assert_eq!((fees(), world.settlement(job.job).await), (1, Settlement::Final));
	// The next one is tried free of charge again.
	world.chain.set_trouble(Trouble::None);
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let result = miner.does(&assignment);
	world.coordinator.result(&session, job.job, &result).await.unwrap();
	world.settle().await;
	assert_eq!((fees(), world.settlement(job.job).await), (1, Settlement::Final));
}

#[tokio::test]
async fn receipts_of_many_jobs_settle_together_and_none_blocks_another() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let mut jobs = Vec::new();
	for _ in 0..6 {
		let (_, job) = world.submitted().await;
		let assignment = miner.asks(&world, &session).await.unwrap();
		let result = miner.does(&assignment);
		world.coordinator.result(&session, job.job, &result).await.unwrap();
		jobs.push(job.job);
	}
	// One is claimed by somebody else, one has gone back to its client.
	let row = {
		let id = jobs[1];
		world.coordinator.read(move |db| Ok(rows::receipt(db, id)?)).await
	};
	let row = row.unwrap().unwrap();
	world.chain.settle(&[SignedReceipt {
		receipt: Receipt::decode_all(&mut &row.receipt[..]).unwrap(),
		miner_signature: row.miner_signature,
		coordinator_signature: row.coordinator_signature,
	}]);
	world.chain.jobs.lock().unwrap().get_mut(&jobs[2]).unwrap().state = OnChain::Expired;
	world.settle().await;
	for (place, job) in jobs.iter().enumerate() {
		let wanted = if place == 2 { Settlement::Refused } else { Settlement::Final };
		assert_eq!(world.settlement(*job).await, wanted, "job {place}");
	}
	assert_eq!(world.chain.claims.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_job_that_no_miner_can_do_ends_at_its_first_refusal() {
	let world = World::new().await;
	for (byte, reason) in (1u8..).zip([RefusalReason::ContextExceeded, RefusalReason::BadSpec]) {
		let miner = world.miner(byte);
		let session = miner.session(&world).await;
		let (_, job) = world.submitted().await;
		miner.asks(&world, &session).await.unwrap();
		let refusal = Refusal { attempt: 1, reason, detail: "12003 tokens".to_string() };
		world.coordinator.refuse(&session, job.job, &refusal).await.unwrap();
		assert_eq!(world.state(job.job).await, JobStage::Failed);
		world.coordinator.goodbye(&session).await.unwrap();
		world.coordinator.release_some().await.unwrap();
		assert_eq!(world.chain.job(job.job).state, OnChain::Cancelled, "the client has its money");
	}
}

#[tokio::test]
async fn a_job_whose_assignment_the_chain_refuses_stops_no_other() {
	let world = World::new().await;
	let (first, second) = (world.miner(1), world.miner(2));
	let sessions = [first.session(&world).await, second.session(&world).await];
	let (_, one) = world.submitted().await;
	first.asks(&world, &sessions[0]).await.unwrap();
	let (_, other) = world.submitted().await;
	second.asks(&world, &sessions[1]).await.unwrap();
	for id in [one.job, other.job] {
		world.chain.jobs.lock().unwrap().get_mut(&id).unwrap().cancelling = true;
	}
	world.chain.refused.lock().unwrap().push(one.job);
	world.coordinator.watch_held().await.unwrap();
	assert_eq!(world.chain.assignments.load(Ordering::SeqCst), 1, "the other is shown");
}

#[tokio::test]
async fn a_job_that_cannot_be_let_go_stops_no_other() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let mut jobs = Vec::new();
	for _ in 0..2 {
		let (quoted, job) = world.submitted().await;
		world.coordinator.cancel(job.job, &quoted.access).await.unwrap();
		jobs.push(job.job);
	}
	world.chain.refused.lock().unwrap().push(jobs[0]);
	world.coordinator.release_some().await.unwrap();
	assert_eq!(world.chain.job(jobs[1]).state, OnChain::Cancelled);
	world.chain.refused.lock().unwrap().clear();
	world.pass(5);
	world.coordinator.release_some().await.unwrap();
	assert_eq!(world.chain.job(jobs[0]).state, OnChain::Cancelled, "it was not forgotten");
}
