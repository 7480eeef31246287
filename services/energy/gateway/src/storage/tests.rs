//! Readings that come together, late, and without room.

use super::{
	contract::{ReadStorage, Storage},
	filter::Selection,
	rows::{Flow, NewBatch, NewReading, Stored},
	sqlite::Sqlite,
};
use futures::future::join_all;
use gridproof_primitives::{H256, codec::cid::Cid, energy::MeterName};
use gridproof_store::{Options, StoreError};

fn reading(meter: i64, start_ms: u64, flow: Flow, body: &str) -> NewReading {
	NewReading {
		meter,
		start_ms,
		end_ms: start_ms + 10,
		received_ms: 1,
		flow,
		trusted: true,
		leaf: H256::repeat_byte(body.len() as u8),
		body: body.to_string(),
	}
}

async fn desk() -> (tempfile::TempDir, Sqlite, [i64; 2]) {
	let folder = tempfile::tempdir().unwrap();
	let sqlite = Sqlite::open(&folder.path().join("g.db"), &Options::default()).unwrap();
	let mut rows = [0; 2];
	for (row, name) in rows.iter_mut().zip(["a", "b"]) {
		let name = MeterName::new("S", "d", name).unwrap();
		*row = sqlite.meter(&name).await.unwrap();
	}
	(folder, sqlite, rows)
}

#[tokio::test]
async fn readings_that_come_together_fare_as_if_they_came_one_by_one() {
	let (_folder, sqlite, [one, other]) = desk().await;
	// More than one statement adds at a time, of two meters in turn.
	let many: Vec<NewReading> = (0..100)
		.map(|n| reading([one, other][n % 2], 100 + n as u64 * 10, Flow::Export, "x"))
		.collect();
	let kept = join_all(many.iter().map(|new| sqlite.store(new.clone(), true))).await;
	let rows: Vec<i64> = (1..=100).collect();
	let expected: Vec<_> = rows.iter().map(|row| Ok(Stored::New(*row))).collect();
	assert_eq!(kept, expected);
	let last = reading(one, 5_000, Flow::Export, "xx");
	let group = [
		last.clone(),
		last.clone(),
		reading(one, 5_005, Flow::Export, "xxx"),
		reading(one, 5_000, Flow::Import, "xxxx"),
		reading(one, 5_000, Flow::Unknown, "xxxxx"),
		reading(one, 4_000, Flow::Export, "xxxxxx"),
		reading(other, 1_095, Flow::Export, "xx"),
		reading(one, 5_010, Flow::Export, "x"),
	];
	let fates = join_all(group.iter().map(|new| sqlite.store(new.clone(), true))).await;
	let expected = [
		Stored::New(101),
		Stored::Again(101),
		Stored::Overlap(101),
		Stored::New(102),
		Stored::Overlap(102),
		Stored::New(103),
		Stored::Overlap(100),
		Stored::New(104),
	];
	assert_eq!(fates, expected.map(Ok));
	let found = sqlite.unbatched(Selection::Certified(one), 1_000).await.unwrap();
	assert_eq!(found.len(), 54);
	assert!(found.iter().any(|kept| (kept.row, kept.start_ms, &*kept.body) == (104, 5_010, "x")));
}

#[tokio::test]
async fn a_batch_that_was_closed_meanwhile_makes_readings_late() {
	let (_folder, sqlite, [one, _]) = desk().await;
	let store = |start_ms| sqlite.store(reading(one, start_ms, Flow::Export, "x"), true);
	assert_eq!(store(100).await, Ok(Stored::New(1)));
	let batch = NewBatch {
		created_ms: 1,
		meter: Some(one),
		rows: vec![1],
		root: H256::zero(),
		cid: Cid::of(b""),
		start_ms: 100,
		end_ms: 1_000,
		on_chain: None,
	};
	assert_eq!(sqlite.seal(batch).await, Ok(Some(1)));
	assert_eq!(store(200).await, Ok(Stored::Late { sealed_ms: 1_000 }));
	assert_eq!(store(1_000).await, Ok(Stored::New(2)));
}

#[tokio::test]
async fn who_does_not_want_to_wait_is_told_when_there_is_no_room() {
	let folder = tempfile::tempdir().unwrap();
	let options = Options { queue: 1, ..Options::default() };
	let sqlite = Sqlite::open(&folder.path().join("g.db"), &options).unwrap();
	let meter = sqlite.meter(&MeterName::new("S", "d", "m").unwrap()).await.unwrap();
	let (first, second) = futures::join!(
		sqlite.store(reading(meter, 0, Flow::Export, "x"), true),
		sqlite.store(reading(meter, 10, Flow::Export, "x"), false)
	);
	assert_eq!((first, second), (Ok(Stored::New(1)), Err(StoreError::Overloaded)));
	assert_eq!(sqlite.waiting(), 0);
}
