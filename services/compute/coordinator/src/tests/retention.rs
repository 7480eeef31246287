//! What is deleted, and what never is.

use super::*;
use crate::settings::Retain;
use gridproof_store::rusqlite::Connection;
use serde_json::Value;

/// A day in seconds.
const DAY: u64 = 86_400;

/// Jobs at all the ends that there are.
struct Ends {
	settled: H256,
	unsettled: H256,
	queued: H256,
	released: H256,
	unreleased: H256,
}

async fn world(archive: bool) -> (World, TempDir) {
	let folder = tempfile::tempdir().unwrap();
	let archive = archive.then(|| folder.path().join("archive"));
	let retain = Retain { texts_days: 2, jobs_days: 5, archive };
	let long = Settings {
		retain,
		// So that what is open stays open.
		deadline_seconds: 100 * DAY,
		session_seconds: 100 * DAY,
		lease_seconds: 100 * DAY,
		confirm_seconds: 100 * DAY,
		..Settings::default()
	};
	(World::with(long, None).await, folder)
}

async fn done(world: &World, miner: &Miner, session: &Session) -> H256 {
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(world, session).await.unwrap();
	let result = miner.does(&assignment);
	world.coordinator.result(session, job.job, &result).await.unwrap();
	job.job
}

async fn ends(world: &World) -> Ends {
	let miner = world.miner(1);
	let session = miner.session(world).await;
	let settled = done(world, &miner, &session).await;
	world.settle().await;
	assert_eq!(world.settlement(settled).await, Settlement::Final);
	let unsettled = done(world, &miner, &session).await;
	let (first, released) = world.submitted().await;
	world.coordinator.cancel(released.job, &first.access).await.unwrap();
	world.coordinator.release_some().await.unwrap();
	let (second, unreleased) = world.submitted().await;
	world.coordinator.cancel(unreleased.job, &second.access).await.unwrap();
	let (_, queued) = world.submitted().await;
	Ends {
		settled,
		unsettled,
		queued: queued.job,
		released: released.job,
		unreleased: unreleased.job,
	}
}

async fn texts(world: &World, id: H256) -> (bool, bool) {
	let job = world.coordinator.job(id).await.unwrap().unwrap();
	(!job.spec.is_empty(), job.output.is_some())
}

#[tokio::test]
async fn texts_go_some_days_after_the_money_is_settled_and_not_before() {
	let (world, _folder) = world(false).await;
	let jobs = ends(&world).await;
	world.pass(2 * DAY - 1);
	assert!(!world.coordinator.prune_some().await.unwrap());
	assert_eq!(texts(&world, jobs.settled).await, (true, true));
	world.pass(1);
	world.coordinator.prune_some().await.unwrap();
	assert_eq!(texts(&world, jobs.settled).await, (false, false));
	assert_eq!(texts(&world, jobs.released).await, (false, false));
	for (open, output) in [(jobs.unsettled, true), (jobs.queued, false), (jobs.unreleased, false)] {
		assert_eq!(texts(&world, open).await, (true, output));
	}
	let job = world.coordinator.job(jobs.settled).await.unwrap().unwrap();
	assert_eq!(job.state, JobStage::Completed);
	assert!(job.reason.unwrap().contains("have been deleted"));
	assert_eq!(world.settlement(jobs.settled).await, Settlement::Final, "the receipt stays");
	assert_eq!(world.coordinator.metrics.pruned_texts.get(), 2);
}

#[tokio::test]
async fn what_is_deleted_is_in_the_archive_first_and_what_is_open_stays() {
	let (world, folder) = world(true).await;
	let jobs = ends(&world).await;
	let receipt = world.chain.job(jobs.settled).receipt.unwrap();
	world.pass(5 * DAY);
	world.coordinator.prune_some().await.unwrap();
	for gone in [jobs.settled, jobs.released] {
		assert_eq!(world.coordinator.job(gone).await.unwrap(), None);
	}
	for open in [jobs.unsettled, jobs.queued, jobs.unreleased] {
		assert!(world.coordinator.job(open).await.unwrap().is_some());
	}
	let files: Vec<_> = std::fs::read_dir(folder.path().join("archive")).unwrap().collect();
	assert_eq!(files.len(), 1);
	let path = files.into_iter().next().unwrap().unwrap().path();
	// 1,000,000,000 ms after the epoch, and five days.
	assert_eq!(path.file_name().unwrap(), "jobs-1970-01.jsonl");
	let text = std::fs::read_to_string(path).unwrap();
	let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
	assert_eq!(lines.len(), 2);
	let line = lines.iter().find(|line| line["state"] == "completed").unwrap();
	assert_eq!(line["job"], Hex32::from(jobs.settled).to_string());
	assert_eq!(line["receipt"]["receipt_id"], Hex32::from(receipt).to_string());
	let signed: HexBytes = serde_json::from_value(line["receipt"]["signed"].clone()).unwrap();
	let signed = SignedReceipt::decode_all(&mut &signed.0[..]).unwrap();
	assert_eq!(signed.receipt.id(&GENESIS), receipt);
	assert!(!text.contains("Once upon a time"), "no prompt is in the archive");
	// What is not over yet goes when it is.
	world.settle().await;
	world.coordinator.release_some().await.unwrap();
	world.pass(5 * DAY);
	world.coordinator.prune_some().await.unwrap();
	assert_eq!(world.coordinator.job(jobs.unsettled).await.unwrap(), None);
	assert_eq!(world.coordinator.job(jobs.unreleased).await.unwrap(), None);
	assert!(world.coordinator.job(jobs.queued).await.unwrap().is_some());
}

#[tokio::test]
async fn an_archive_that_cannot_be_written_keeps_everything() {
	let (world, folder) = world(true).await;
	let jobs = ends(&world).await;
	std::fs::write(folder.path().join("archive"), "a file where the folder should be").unwrap();
	world.pass(5 * DAY);
	let failed = world.coordinator.prune_some().await.unwrap_err();
	assert!(failed.message.starts_with("the archive cannot be written"), "{failed}");
	assert!(world.coordinator.job(jobs.settled).await.unwrap().is_some());
}

#[tokio::test]
async fn counts_follow_every_change_and_a_bill_outlives_its_jobs() {
	let (world, _folder) = world(false).await;
	let counts = async || {
		let read = world.coordinator.read(|db| Ok((rows::counts(db)?, rows::settlements(db)?)));
		read.await.unwrap()
	};
	ends(&world).await;
	let expected = vec![(JobStage::Cancelled, 2), (JobStage::Completed, 2), (JobStage::Queued, 1)];
	assert_eq!(counts().await, (expected, vec![(Settlement::Final, 1), (Settlement::Pending, 1)]));
	// A customer's job, from its order to its end.
	let usage =
		async || world.coordinator.read(|db| Ok(rows::usage(db, "acme", 0)?)).await.unwrap();
	let ordered = world.ordered_job().await;
	let held = usage().await;
	assert_eq!((held.open_jobs, held.held.get("ait")), (1, Some(&ordered.price)));
	world.coordinator.open_some().await.unwrap();
	let miner = world.miner(2);
	let session = miner.session(&world).await;
	let first = miner.asks(&world, &session).await.unwrap();
	let second = miner.asks(&world, &session).await.unwrap();
	for assignment in [first, second] {
		let result = miner.does(&assignment);
		world.coordinator.result(&session, assignment.job.into(), &result).await.unwrap();
	}
	world.settle().await;
	let owed = usage().await;
	assert_eq!((owed.jobs, owed.units, owed.open_jobs), (1, 8, 0));
	assert_eq!(owed.prices.get("ait"), Some(&(8 * ordered.unit_price)));
	world.pass(5 * DAY);
	world.coordinator.prune_some().await.unwrap();
	assert_eq!(world.coordinator.job(ordered.job).await.unwrap(), None);
	assert_eq!(usage().await, owed, "the bill is not deleted with its jobs");
	let (jobs, receipts) = counts().await;
	assert_eq!(jobs, [(JobStage::Cancelled, 1)], "the one whose money may still be held");
	assert!(receipts.is_empty(), "{receipts:?}");
}

#[tokio::test]
async fn balances_of_an_older_database_are_added_up_once() {
	let (mut world, _folder) = world(false).await;
	let usage =
		async |world: &World| world.coordinator.read(|db| Ok(rows::usage(db, "acme", 0)?)).await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	world.ordered_job().await;
	world.coordinator.open_some().await.unwrap();
	let assignment = miner.asks(&world, &session).await.unwrap();
	let result = miner.does(&assignment);
	world.coordinator.result(&session, assignment.job.into(), &result).await.unwrap();
	world.ordered_job().await;
	let kept = usage(&world).await.unwrap();
	assert_eq!((kept.jobs, kept.open_jobs), (1, 1));
	let forget = |db: &Connection| Ok(db.execute("DELETE FROM balances", [])?);
	world.coordinator.write(forget).await.unwrap();
	for _ in 0..2 {
		world.crash().await;
		assert_eq!(usage(&world).await.unwrap(), kept);
	}
	let since = world.coordinator.read(|db| Ok(rows::usage(db, "acme", 1)?)).await.unwrap();
	assert_eq!(since, kept, "and the same by the receipts that are kept");
}

#[tokio::test]
async fn what_is_deleted_goes_in_small_pieces_until_nothing_is_left() {
	let (world, _folder) = world(false).await;
	let _session = world.miner(1).session(&world).await;
	for _ in 0..150 {
		let (quoted, job) = world.submitted().await;
		world.coordinator.cancel(job.job, &quoted.access).await.unwrap();
	}
	for _ in 0..2 {
		world.coordinator.release_some().await.unwrap();
	}
	world.pass(5 * DAY);
	assert!(world.coordinator.prune_some().await.unwrap(), "there is more");
	assert_eq!(world.coordinator.metrics.pruned_jobs.get(), 100);
	assert!(!world.coordinator.prune_some().await.unwrap());
	assert_eq!(world.coordinator.metrics.pruned_jobs.get(), 150);
}
