//! A clock that is set while the coordinator works.

use super::*;
use gridproof_compute_api::protocol::Progress;

const YEAR_MS: u64 = 365 * 86_400_000;

#[tokio::test]
async fn a_clock_that_jumps_ends_no_lease_no_session_and_no_job() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let token = world.coordinator.hello(&miner.hello(&world)).await.unwrap().session;
	let (_, running) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let (_, queued) = world.submitted().await;
	let begun = Progress { attempt: 1, offset: 0, text: String::new() };
	world.coordinator.progress(&session, running.job, &begun).await.unwrap();
	let right = world.clock.now_ms();
	for wrong in [right + YEAR_MS, right / 2] {
		world.hands.set(wrong);
		// The chain's time is the right one.
		world.coordinator.check_clock().await.unwrap();
		world.coordinator.sweep().await.unwrap();
		assert_eq!(world.state(running.job).await, JobStage::Running);
		assert_eq!(world.state(queued.job).await, JobStage::Queued);
		assert!(world.coordinator.session(&token).is_ok());
		assert_eq!(world.coordinator.now(), right);
	}
	// A lease runs out in time all the same.
	world.hands.set(right + YEAR_MS);
	world.hands.advance(Duration::from_secs(60));
	world.coordinator.sweep().await.unwrap();
	assert_eq!(world.state(running.job).await, JobStage::Queued);
	let job = world.coordinator.job(running.job).await.unwrap().unwrap();
	assert_eq!((job.failures, H256::from(assignment.job)), (1, running.job));
}

#[tokio::test]
async fn a_jump_that_the_chain_confirms_is_followed() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let (_, job) = world.submitted().await;
	let later = world.clock.now_ms() + YEAR_MS;
	world.hands.set(later);
	world.chain.set_trouble(Trouble::Away);
	world.coordinator.check_clock().await.unwrap_err();
	world.coordinator.sweep().await.unwrap();
	assert_eq!(world.state(job.job).await, JobStage::Queued, "nobody knows which is right");
	world.chain.set_trouble(Trouble::None);
	world.chain.now.store(later, Ordering::SeqCst);
	world.coordinator.check_clock().await.unwrap();
	world.coordinator.sweep().await.unwrap();
	assert_eq!(world.coordinator.now(), later);
	assert_eq!(world.state(job.job).await, JobStage::Expired);
}
