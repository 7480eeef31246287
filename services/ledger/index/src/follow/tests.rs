//! Chains that are made up, and a real database.

use super::*;
use crate::{
	fake::{Fake, block},
	store::{Asked, Events},
};
use gridproof_support::{Classified, Clock, Failure, Lock};
use std::sync::atomic::Ordering;
use tempfile::TempDir;

const ALL: Asked =
	Asked { limit: 1_000, after: None, newest_first: false, from: 0, to: u64::MAX >> 1 };

fn shown() -> (Arc<Board>, Arc<Metrics>) {
	(Arc::new(Board::new(Clock::system())), Arc::new(Metrics::new().unwrap()))
}

async fn open(
	fake: &Arc<Fake>,
	folder: &TempDir,
	from: Option<u64>,
) -> Result<Follower, IndexError> {
	let store = Store::open(folder.path()).unwrap();
	Follower::open(fake.clone(), store, folder.path(), from, shown(), 8).await
}

async fn heights(store: &Store) -> Vec<u64> {
	let blocks = store.blocks(ALL).await.unwrap().entries;
	blocks.into_iter().map(|block| block.height).collect()
}

#[tokio::test]
async fn blocks_are_asked_for_side_by_side_and_written_in_their_order() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(300)));
	let mut follower = open(&fake, &folder, None).await.unwrap();
	follower.catch_up(&Loops::default()).await.unwrap();
	assert_eq!(heights(&follower.store).await, (0..300).collect::<Vec<_>>());
	let most = fake.most.load(Ordering::SeqCst);
	assert!((2..=8).contains(&most), "{most} at a time");
}

#[tokio::test]
async fn what_is_not_final_is_not_asked_for() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(50)));
	fake.finalized.store(20, Ordering::SeqCst);
	let mut follower = open(&fake, &folder, None).await.unwrap();
	follower.catch_up(&Loops::default()).await.unwrap();
	assert_eq!(heights(&follower.store).await.last(), Some(&20));
	fake.finalized.store(49, Ordering::SeqCst);
	follower.catch_up(&Loops::default()).await.unwrap();
	assert_eq!(heights(&follower.store).await.last(), Some(&49));
}

#[tokio::test]
async fn an_index_that_breaks_off_continues_with_the_block_after_the_last_whole_one() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(200)));
	fake.broken_from.store(101, Ordering::SeqCst);
	let mut follower = open(&fake, &folder, None).await.unwrap();
	let error = follower.catch_up(&Loops::default()).await.unwrap_err();
	assert!(matches!(error, IndexError::Block { height: 101, .. }), "{error}");
	assert!(error.to_string().contains("--state-pruning archive"), "{error}");
	assert_eq!(heights(&follower.store).await, (0..=100).collect::<Vec<_>>());
	drop(follower);
	fake.broken_from.store(u64::MAX, Ordering::SeqCst);
	let mut follower = open(&fake, &folder, None).await.unwrap();
	follower.catch_up(&Loops::default()).await.unwrap();
	assert_eq!(heights(&follower.store).await, (0..200).collect::<Vec<_>>());
	let events = follower.store.events(Events::default(), ALL).await.unwrap().entries;
	assert_eq!(events.len(), 66, "none is there twice");
}

#[tokio::test]
async fn a_block_that_cannot_be_written_whole_leaves_nothing_of_its_commit() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(30)));
	// A hash is there once: the second block that has it is refused, after rows of the first were written.
	let twice = fake.blocks.locked()[10].hash;
	fake.blocks.locked()[12].hash = twice;
	fake.blocks.locked()[13].parent = twice;
	let mut follower = open(&fake, &folder, None).await.unwrap();
	assert!(follower.catch_up(&Loops::default()).await.is_err());
	let kept = heights(&follower.store).await;
	assert!(kept.len() <= 12, "{kept:?}");
	fake.blocks.locked()[12] = block(12);
	fake.blocks.locked()[13] = block(13);
	follower.catch_up(&Loops::default()).await.unwrap();
	assert_eq!(heights(&follower.store).await, (0..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_folder_of_another_chain_is_refused_with_what_to_do() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(5)));
	let mut follower = open(&fake, &folder, None).await.unwrap();
	follower.catch_up(&Loops::default()).await.unwrap();
	drop(follower);
	let mut other = Fake::new(5);
	other.genesis = H256([44; 32]);
	let error = open(&Arc::new(other), &folder, None).await.err().unwrap();
	assert!(matches!(error, IndexError::OtherChain { .. }), "{error}");
	assert!(error.to_string().contains("another folder"), "{error}");
	assert_eq!(error.failure(), Failure::USAGE);
}

#[tokio::test]
async fn a_chain_that_was_begun_anew_is_not_mixed_with_the_one_before() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(10)));
	let mut follower = open(&fake, &folder, None).await.unwrap();
	follower.catch_up(&Loops::default()).await.unwrap();
	// It continues with a block that does not follow.
	let mut next = block(10);
	next.parent = H256([45; 32]);
	fake.blocks.locked().push(next);
	fake.finalized.store(10, Ordering::SeqCst);
	let error = follower.run(&Loops::default()).await;
	assert!(matches!(error, IndexError::OtherBlock { height: 9 }), "{error}");
	// The last block is another one.
	fake.blocks.locked()[9].hash = H256([46; 32]);
	let error = open(&fake, &folder, None).await.err().unwrap();
	assert!(matches!(error, IndexError::OtherBlock { height: 9 }), "{error}");
}

#[tokio::test]
async fn an_index_can_begin_later_and_stays_with_its_begin() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(10)));
	let error = open(&fake, &folder, Some(10)).await.err().unwrap();
	assert!(matches!(error, IndexError::NotFinal { from: 10, last: 9 }), "{error}");
	let mut follower = open(&fake, &folder, Some(6)).await.unwrap();
	follower.catch_up(&Loops::default()).await.unwrap();
	assert_eq!(heights(&follower.store).await, [6, 7, 8, 9]);
	drop(follower);
	let error = open(&fake, &folder, Some(2)).await.err().unwrap();
	assert!(matches!(error, IndexError::OtherBegin { first: 6, from: 2 }), "{error}");
	assert!(open(&fake, &folder, Some(6)).await.is_ok() && error.failure() == Failure::USAGE);
}

#[tokio::test]
async fn a_node_without_the_states_is_refused_at_the_start() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(10)));
	fake.broken_from.store(0, Ordering::SeqCst);
	let error = open(&fake, &folder, None).await.err().unwrap();
	assert!(matches!(error, IndexError::Block { height: 0, .. }), "{error}");
}

#[tokio::test]
async fn a_loop_that_fails_says_why_and_goes_on_when_it_can() {
	let (folder, fake) = (tempfile::tempdir().unwrap(), Arc::new(Fake::new(10)));
	let store = Store::open(folder.path()).unwrap();
	let (board, metrics) = shown();
	let shown = (board.clone(), metrics);
	let follower = Follower::open(fake.clone(), store.clone(), folder.path(), None, shown, 2);
	let follower = follower.await.unwrap();
	fake.broken_from.store(5, Ordering::SeqCst);
	let running = tokio::spawn(async move { follower.run(&Loops::default()).await });
	while board.trouble().is_none() {
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
	assert!(board.trouble().unwrap().starts_with("block 5: "), "{:?}", board.trouble());
	fake.broken_from.store(u64::MAX, Ordering::SeqCst);
	while heights(&store).await.len() < 10 {
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	running.abort();
}
