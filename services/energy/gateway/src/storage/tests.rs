//! Readings that come together, late, and without room.

use super::{
	contract::{ReadStorage, Storage},
	filter::{Page, Selection},
	rows::{Flow, NewBatch, NewDeadLetter, NewReading, Stored},
	sqlite::Sqlite,
};
use crate::message::Source;
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
		earliest_ms: 0,
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
		device: None,
		forced: false,
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

fn letter(reason: &str, number: u32) -> NewDeadLetter {
	NewDeadLetter {
		at_ms: 1,
		source: Source::MQTT,
		topic: "energy/S/d/a".to_string(),
		reason: reason.to_string(),
		detail: "a detail".to_string(),
		payload: [&number.to_le_bytes()[..], &[0; 8_000]].concat(),
	}
}

#[tokio::test]
async fn what_is_refused_has_a_bound_for_each_reason_and_is_counted_exactly() {
	let (_folder, sqlite, _) = desk().await;
	sqlite.bury(letter("too_much_energy", 0)).await.unwrap();
	for group in 0..12u32 {
		let letters =
			(0..500).map(|number| sqlite.bury(letter("malformed_json", group * 500 + number)));
		for outcome in join_all(letters).await {
			outcome.unwrap();
		}
	}
	// The same again adds no row.
	sqlite.bury(letter("malformed_json", 5_999)).await.unwrap();
	let kept = sqlite.counts().await.unwrap().dead_letters;
	assert!((5_000..5_200).contains(&kept), "{kept}");
	let all = Page { limit: 10, offset: 0, after: None, newest_first: false };
	let others = sqlite.dead_letters(Some("too_much_energy".to_string()), all).await.unwrap();
	assert_eq!(others.len(), 1, "one reason pushes out nothing of another");
	assert_eq!(others[0].payload.len(), 4_096);
	for offset in [1, u64::MAX] {
		let beyond = Page { offset, ..all };
		let reason = Some("too_much_energy".to_string());
		assert_eq!(sqlite.dead_letters(reason, beyond).await.unwrap(), [], "nothing is left");
	}
	let refusals = sqlite.refusals().await.unwrap();
	let wanted = [("malformed_json", 6_001), ("too_much_energy", 1)];
	let wanted = wanted.map(|(reason, count)| ("mqtt".to_string(), reason.to_string(), count));
	assert_eq!(refusals, wanted);
}

#[tokio::test]
async fn what_is_refused_never_takes_the_room_of_readings() {
	let folder = tempfile::tempdir().unwrap();
	let options = Options { max_bytes: Some(1 << 20), ..Options::default() };
	let sqlite = Sqlite::open(&folder.path().join("g.db"), &options).unwrap();
	let meter = sqlite.meter(&MeterName::new("S", "d", "a").unwrap()).await.unwrap();
	for number in 0..1_000 {
		sqlite.bury(letter(&format!("reason_{}", number % 7), number)).await.unwrap();
	}
	for start in 0..200 {
		let new = reading(meter, start * 10, Flow::Export, &"x".repeat(300));
		assert!(matches!(sqlite.store(new, true).await, Ok(Stored::New(_))), "{start}");
	}
	let counted: u64 = sqlite.refusals().await.unwrap().iter().map(|(_, _, count)| count).sum();
	assert_eq!(counted, 1_000);
	sqlite.alive().await.unwrap();
}

#[tokio::test]
async fn who_has_not_proved_to_be_the_device_takes_no_time_from_it() {
	let (_folder, sqlite, [meter, _]) = desk().await;
	let stranger = |start_ms: u64, body: &str| NewReading {
		trusted: false,
		flow: Flow::Unknown,
		..reading(meter, start_ms, Flow::Unknown, body)
	};
	let own = |start_ms: u64, body: &str| reading(meter, start_ms, Flow::Export, body);
	assert!(matches!(sqlite.store(stranger(100, "a"), true).await, Ok(Stored::New(1))));
	assert!(matches!(sqlite.store(own(95, "bb"), true).await, Ok(Stored::New(2))));
	assert!(matches!(sqlite.store(own(105, "ccc"), true).await, Ok(Stored::New(3))));
	// But it can vouch for what is its own, once, and nobody takes its time.
	assert!(matches!(sqlite.store(stranger(200, "dddd"), true).await, Ok(Stored::New(4))));
	assert!(matches!(sqlite.store(own(200, "dddd"), true).await, Ok(Stored::Again(4))));
	assert!(matches!(sqlite.store(stranger(205, "eeeee"), true).await, Ok(Stored::Overlap(4))));
	let selection = Selection::Certified(meter);
	let own: Vec<i64> =
		sqlite.unbatched(selection, 10).await.unwrap().iter().map(|reading| reading.row).collect();
	assert_eq!(own, [2, 3, 4]);
}

#[tokio::test]
async fn nothing_is_taken_of_before_the_time_that_the_chain_takes() {
	let (_folder, sqlite, [meter, _]) = desk().await;
	let new = NewReading { earliest_ms: 1_000, ..reading(meter, 990, Flow::Export, "a") };
	assert_eq!(sqlite.store(new, true).await, Ok(Stored::Late { sealed_ms: 1_000 }));
	let new = NewReading { earliest_ms: 1_000, ..reading(meter, 1_000, Flow::Export, "a") };
	assert!(matches!(sqlite.store(new, true).await, Ok(Stored::New(_))));
}
