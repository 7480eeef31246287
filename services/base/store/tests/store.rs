//! What the database promises: durability, order, isolation, room.

use gridproof_store::{Database, Options, StoreError};
use std::{
	path::PathBuf,
	time::{Duration, Instant},
};
use tempfile::TempDir;

const MIGRATIONS: &[&str] = &["CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)"];

struct Desk {
	folder: TempDir,
}

impl Desk {
	fn new() -> Self {
		Self { folder: tempfile::tempdir().unwrap() }
	}

	fn path(&self) -> PathBuf {
		self.folder.path().join("deep/data.db")
	}

	fn open(&self, options: &Options) -> Result<Database, StoreError> {
		Database::open(&self.path(), MIGRATIONS, options)
	}
}

async fn insert(database: &Database, body: Vec<u8>) -> Result<i64, StoreError> {
	database
		.write(move |db| {
			db.prepare_cached("INSERT INTO rows (body) VALUES (?1)")?.execute([body])?;
			Ok(db.last_insert_rowid())
		})
		.await
}

async fn count(database: &Database) -> i64 {
	database
		.read::<_, StoreError, _>(|db| {
			Ok(db.query_row("SELECT count(*) FROM rows", [], |row| row.get(0))?)
		})
		.await
		.unwrap()
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
	let desk = Desk::new();
	let database = desk.open(&Options::default()).unwrap();
	for byte in 0..10u8 {
		assert_eq!(insert(&database, vec![byte]).await, Ok(i64::from(byte) + 1));
	}
	assert_eq!(count(&database).await, 10);
	drop(database);
	assert_eq!(count(&desk.open(&Options::default()).unwrap()).await, 10);
}

#[tokio::test]
async fn a_second_program_is_kept_out() {
	let desk = Desk::new();
	let first = desk.open(&Options::default()).unwrap();
	assert!(matches!(desk.open(&Options::default()), Err(StoreError::InUse(_))));
	drop(first);
	desk.open(&Options::default()).unwrap();
}

#[tokio::test]
async fn migrations_run_once_and_a_newer_file_is_refused() {
	let desk = Desk::new();
	drop(desk.open(&Options::default()).unwrap());
	let more = [MIGRATIONS[0], "ALTER TABLE rows ADD COLUMN note TEXT"];
	drop(Database::open(&desk.path(), &more, &Options::default()).unwrap());
	drop(Database::open(&desk.path(), &more, &Options::default()).unwrap());
	let error = desk.open(&Options::default()).err().unwrap();
	assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_failed_write_takes_nothing_of_the_others_with_it() {
	let desk = Desk::new();
	let database = desk.open(&Options::default()).unwrap();
	let mut tasks = Vec::new();
	for n in 0..100u8 {
		let database = database.clone();
		tasks.push(tokio::spawn(async move {
			database
				.write(move |db| {
					db.prepare_cached("INSERT INTO rows (body) VALUES (?1)")?.execute([vec![n]])?;
					match n % 3 {
						0 => Err(StoreError::Sql("changed my mind".to_string())),
						1 if n == 1 => panic!("a defect"),
						_ => Ok(n),
					}
				})
				.await
		}));
	}
	let mut kept = 0;
	for (n, task) in (0..100u8).zip(tasks) {
		let expected = match n % 3 {
			0 => Err(StoreError::Sql("changed my mind".to_string())),
			1 if n == 1 => Err(StoreError::Panicked),
			_ => Ok(n),
		};
		kept += i64::from(expected.is_ok());
		assert_eq!(task.await.unwrap(), expected);
	}
	assert_eq!(count(&database).await, kept);
}

#[tokio::test]
async fn a_full_database_refuses_and_goes_on_when_there_is_room() {
	let desk = Desk::new();
	let options = Options { max_bytes: Some(200_000), ..Options::default() };
	let database = desk.open(&options).unwrap();
	let mut kept = 0;
	loop {
		match insert(&database, vec![7; 2_000]).await {
			Ok(_) => kept += 1,
			Err(error) => {
				assert_eq!(error, StoreError::Full);
				assert!(error.is_temporary());
				break;
			},
		}
	}
	assert!(kept > 20);
	assert_eq!(count(&database).await, kept);
	assert_eq!(insert(&database, vec![7; 2_000]).await, Err(StoreError::Full));
	database
		.write::<_, StoreError, _>(|db| Ok(db.execute("DELETE FROM rows WHERE id <= 10", [])?))
		.await
		.unwrap();
	insert(&database, vec![8; 2_000]).await.unwrap();
	assert_eq!(count(&database).await, kept - 9);
}

#[tokio::test]
async fn a_full_queue_says_so_instead_of_growing() {
	let desk = Desk::new();
	let database = desk.open(&Options { queue: 2, ..Options::default() }).unwrap();
	let (hold, held) = std::sync::mpsc::channel::<()>();
	let blocked = tokio::spawn({
		let database = database.clone();
		async move {
			database
				.write::<_, StoreError, _>(move |_| {
					let _ = held.recv();
					Ok(())
				})
				.await
		}
	});
	while database.room() < 2 || !blocked.is_finished() {
		tokio::time::sleep(std::time::Duration::from_millis(20)).await;
		if database.room() == 2 {
			break;
		}
	}
	let waiting: Vec<_> = (0..2)
		.map(|_| {
			let database = database.clone();
			tokio::spawn(async move { insert(&database, vec![1]).await })
		})
		.collect();
	while database.room() > 0 {
		tokio::task::yield_now().await;
	}
	let refused = database.try_write::<_, StoreError, _>(|_| Ok(())).await;
	assert_eq!(refused, Err(StoreError::Overloaded));
	hold.send(()).unwrap();
	blocked.await.unwrap().unwrap();
	for task in waiting {
		task.await.unwrap().unwrap();
	}
	assert_eq!(count(&database).await, 2);
}

#[tokio::test]
async fn readers_cannot_write() {
	let desk = Desk::new();
	let database = desk.open(&Options::default()).unwrap();
	let error = database
		.read::<_, StoreError, _>(|db| Ok(db.execute("DELETE FROM rows", [])?))
		.await
		.unwrap_err();
	assert!(matches!(error, StoreError::Disk(_) | StoreError::Sql(_)), "{error}");
}

#[tokio::test]
async fn many_writers_share_commits() {
	let desk = Desk::new();
	let database = desk.open(&Options::default()).unwrap();
	let begin = Instant::now();
	let tasks: Vec<_> = (0..64)
		.map(|_| {
			let database = database.clone();
			tokio::spawn(async move {
				for _ in 0..50 {
					insert(&database, vec![5; 300]).await.unwrap();
				}
			})
		})
		.collect();
	for task in tasks {
		task.await.unwrap();
	}
	assert_eq!(count(&database).await, 3_200);
	// One commit each would take 3,200 times an fsync.
	println!("3200 durable writes in {:?}", begin.elapsed());
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_any_more_holds_its_place_until_it_is_over() {
	use std::{
		sync::{
			Arc,
			atomic::{AtomicUsize, Ordering},
		},
		time::Duration,
	};
	let desk = Desk::new();
	let database = desk.open(&Options { readers: 2, ..Options::default() }).unwrap();
	let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
	let slow = || {
		let (running, most) = (running.clone(), most.clone());
		database.read::<_, StoreError, _>(move |_| {
			most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
			std::thread::sleep(Duration::from_millis(100));
			running.fetch_sub(1, Ordering::SeqCst);
			Ok(())
		})
	};
	// Callers who give up and come back, as a browser does that is reloaded.
	for _ in 0..10 {
		let given_up = tokio::time::timeout(Duration::from_millis(10), slow()).await;
		assert!(given_up.is_err());
	}
	slow().await.unwrap();
	assert_eq!(most.load(Ordering::SeqCst), 2, "no more than there are places");
	assert_eq!(count(&database).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_nobody_waits_for_is_interrupted_and_its_place_is_free_again() {
	let desk = Desk::new();
	let one = Options { readers: 1, ..Options::default() };
	let database = desk.open(&one).unwrap();
	let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
		SELECT max(i) FROM n";
	let (heard, ended) = std::sync::mpsc::channel();
	let counting = database.read::<i64, StoreError, _>(move |db| {
		let outcome = db.query_row(endless, [], |row| row.get(0)).map_err(StoreError::from);
		heard.send(outcome.clone()).unwrap();
		outcome
	});
	let given_up = tokio::time::timeout(std::time::Duration::from_millis(100), counting).await;
	assert!(given_up.is_err());
	let long = std::time::Duration::from_secs(10);
	assert_eq!(ended.recv_timeout(long).unwrap(), Err(StoreError::Interrupted));
	// The one reader answers the next question, and is not interrupted in it.
	assert_eq!(tokio::time::timeout(long, count(&database)).await.unwrap(), 0);
}

/// Lets the file grow to so many pages more than it has.
async fn grow_by(database: &Database, pages: i64) {
	let set = database.write::<_, StoreError, _>(move |db| {
		let now: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
		Ok(db.pragma_update_and_check(None, "max_page_count", now + pages, |_| Ok(()))?)
	});
	set.await.unwrap();
}

#[tokio::test]
async fn a_probe_says_whether_there_is_room_without_any_other_write() {
	let desk = Desk::new();
	let database = desk.open(&Options::default()).unwrap();
	let now = Duration::ZERO;
	assert_eq!(database.probe(now).await, Ok(()));
	// What it has written and deleted is room for rows.
	while insert(&database, vec![7; 3_000]).await.is_ok() {
		grow_by(&database, 0).await;
	}
	assert_eq!(database.probe(now).await, Err(StoreError::Full));
	grow_by(&database, 100).await;
	assert_eq!(database.probe(now).await, Ok(()));
	grow_by(&database, 0).await;
	while insert(&database, vec![7; 3_000]).await.is_ok() {}
	// What failed since is reason enough to look again at once.
	assert_eq!(database.probe(Duration::from_secs(3_600)).await, Err(StoreError::Full));
	grow_by(&database, 100).await;
	let kept = database.probe(Duration::from_secs(3_600)).await;
	assert_eq!(kept, Err(StoreError::Full), "it is asked at most so often");
	assert_eq!(database.probe(now).await, Ok(()));
}

#[tokio::test]
async fn a_probe_that_finds_no_room_takes_no_other_write_with_it() {
	let desk = Desk::new();
	let database = desk.open(&Options::default()).unwrap();
	assert_eq!(database.probe(Duration::ZERO).await, Ok(()));
	// The file has room for these rows, and for nothing of the size of a probe.
	insert(&database, vec![7; 10]).await.unwrap();
	while insert(&database, vec![7; 3_000]).await.is_ok() {
		grow_by(&database, 0).await;
	}
	let rows = count(&database).await;
	for round in 1..=20 {
		let (probed, kept, too) = tokio::join!(
			database.probe(Duration::ZERO),
			insert(&database, Vec::new()),
			insert(&database, Vec::new())
		);
		assert_eq!((probed, kept.is_ok(), too.is_ok()), (Err(StoreError::Full), true, true));
		assert_eq!(count(&database).await, rows + 2 * round);
	}
}
