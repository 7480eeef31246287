//! Logs on their way to the disk, many at a time.
//!
//! Whatever has come by the time the writer is free goes into the database as one piece of work.
//! Nearly every log begins where the meter's last one ended, or later: for those nothing has to be
//! looked up, and one statement adds many.

use super::{MeterRow, NewReading, StoreFault, Stored, readings};
use gridproof_store::{Database, rusqlite::Connection};
use std::{
	collections::HashMap,
	mem,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
	runtime::Handle,
	sync::{OwnedSemaphorePermit, Semaphore, oneshot},
};

/// Meters of which is kept in memory from when on their time is free.
const KNOWN: usize = 1_000_000;

/// Takes logs to the database.
pub(super) struct Intake {
	database: Database,
	/// Who waits for the disk does so here, whatever thread the log came on.
	runtime: Handle,
	room: Arc<Semaphore>,
	size: usize,
	waiting: Mutex<Vec<Entry>>,
	free: Free,
}

/// A log that waits.
struct Entry {
	log: NewReading,
	answer: oneshot::Sender<Result<Stored, StoreFault>>,
	_room: OwnedSemaphorePermit,
}

/// From when on the time of meters is free. A moment too late costs a look into the database, one
/// too early would let logs overlap: whatever ends logs later, or seals them, forgets the meter.
#[derive(Clone, Default)]
pub(super) struct Free(Arc<Mutex<HashMap<MeterRow, u64>>>);

impl Free {
	fn lock(&self) -> MutexGuard<'_, HashMap<MeterRow, u64>> {
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// A batch of the meter is closed: called by the writer, before it is.
	pub(super) fn forget(&self, meter: MeterRow) {
		self.lock().remove(&meter);
	}
}

impl Intake {
	/// Lets `size` logs wait at most.
	pub(super) fn new(database: Database, size: usize) -> Self {
		let (room, free) = (Arc::new(Semaphore::new(size)), Free::default());
		let (runtime, waiting) = (Handle::current(), Mutex::default());
		Self { database, runtime, room, size, waiting, free }
	}

	/// From when on meters' time is free.
	pub(super) const fn free(&self) -> &Free {
		&self.free
	}

	/// How many logs wait.
	pub(super) fn waiting(&self) -> usize {
		self.size.saturating_sub(self.room.available_permits())
	}

	fn queue(&self) -> MutexGuard<'_, Vec<Entry>> {
		self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Keeps a log; returns when that, or what became of it instead, is on disk. Waits for room if
	/// `wait`.
	pub(super) async fn store(
		self: &Arc<Self>,
		log: NewReading,
		wait: bool,
	) -> Result<Stored, StoreFault> {
		let room = self.room.clone();
		let _room = if wait {
			room.acquire_owned().await.map_err(|_| StoreFault::Closed)?
		} else {
			room.try_acquire_owned().map_err(|_| StoreFault::Overloaded)?
		};
		let (answer, answered) = oneshot::channel();
		let is_first = {
			let mut queue = self.queue();
			queue.push(Entry { log, answer, _room });
			queue.len() == 1
		};
		if is_first {
			self.runtime.spawn(self.clone().write());
		}
		answered.await.unwrap_or(Err(StoreFault::Closed))
	}

	/// Writes what waits when its turn comes, and answers after the commit.
	async fn write(self: Arc<Self>) {
		let taken = Arc::<Mutex<Vec<Entry>>>::default();
		let (intake, keep) = (self.clone(), taken.clone());
		let job = move |db: &Connection| {
			let entries = mem::take(&mut *intake.queue());
			let outcomes = store_all(db, &entries, &intake.free);
			*keep.lock().unwrap_or_else(PoisonError::into_inner) = entries;
			outcomes
		};
		let done: Result<Vec<Stored>, StoreFault> = self.database.write(job).await;
		let mut entries = mem::take(&mut *taken.lock().unwrap_or_else(PoisonError::into_inner));
		match done {
			Ok(outcomes) => {
				for (entry, outcome) in entries.into_iter().zip(outcomes) {
					let _ = entry.answer.send(Ok(outcome));
				}
			},
			Err(fault) => {
				// The writer may not have come to it at all.
				entries.append(&mut self.queue());
				for entry in entries {
					let _ = entry.answer.send(Err(fault.clone()));
				}
			},
		}
	}
}

/// What becomes of each log, in order.
fn store_all(db: &Connection, entries: &[Entry], free: &Free) -> Result<Vec<Stored>, StoreFault> {
	let mut outcomes = Vec::with_capacity(entries.len());
	let mut known = free.lock();
	if known.len() > KNOWN {
		known.clear();
	}
	// Logs whose time is free, not yet in the database.
	let mut ready: Vec<&NewReading> = Vec::with_capacity(entries.len());
	for Entry { log, .. } in entries {
		let free_ms = match known.get(&log.meter) {
			Some(free_ms) => *free_ms,
			None => readings::free_from(db, log.meter)?,
		};
		if log.start_ms < free_ms {
			flush(db, &mut ready, &mut outcomes)?;
			if let Some(outcome) = readings::taken(db, log)? {
				known.insert(log.meter, free_ms);
				outcomes.push(outcome);
				continue;
			}
		}
		known.insert(log.meter, free_ms.max(log.end_ms));
		ready.push(log);
	}
	flush(db, &mut ready, &mut outcomes)?;
	Ok(outcomes)
}

fn flush(
	db: &Connection,
	ready: &mut Vec<&NewReading>,
	outcomes: &mut Vec<Stored>,
) -> Result<(), StoreFault> {
	outcomes.extend(readings::insert(db, ready)?.into_iter().map(Stored::New));
	ready.clear();
	Ok(())
}

#[cfg(test)]
mod tests {
	use crate::storage::{
		Flow, NewBatch, NewReading, Selection, Sqlite, Storage, StoreFault, Stored,
	};
	use futures::future::join_all;
	use gridproof_primitives::{H256, cid::Cid, meter::MeterName};
	use gridproof_store::Options;

	fn log(meter: i64, start_ms: u64, flow: Flow, body: &str) -> NewReading {
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
	async fn logs_that_come_together_fare_as_if_they_came_one_by_one() {
		let (_folder, sqlite, [one, other]) = desk().await;
		// More than one statement adds at a time, of two meters in turn.
		let many: Vec<NewReading> = (0..100)
			.map(|n| log([one, other][n % 2], 100 + n as u64 * 10, Flow::Export, "x"))
			.collect();
		let kept = join_all(many.iter().map(|log| sqlite.store(log.clone(), true))).await;
		let rows: Vec<i64> = (1..=100).collect();
		let expected: Vec<_> = rows.iter().map(|row| Ok(Stored::New(*row))).collect();
		assert_eq!(kept, expected);
		let last = log(one, 5_000, Flow::Export, "xx");
		let group = [
			last.clone(),
			last.clone(),
			log(one, 5_005, Flow::Export, "xxx"),
			log(one, 5_000, Flow::Import, "xxxx"),
			log(one, 5_000, Flow::Unknown, "xxxxx"),
			log(one, 4_000, Flow::Export, "xxxxxx"),
			log(other, 1_095, Flow::Export, "xx"),
			log(one, 5_010, Flow::Export, "x"),
		];
		let fates = join_all(group.iter().map(|log| sqlite.store(log.clone(), true))).await;
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
		assert!(
			found.iter().any(|kept| (kept.row, kept.start_ms, &*kept.body) == (104, 5_010, "x"))
		);
	}

	#[tokio::test]
	async fn a_batch_that_was_closed_meanwhile_makes_logs_late() {
		let (_folder, sqlite, [one, _]) = desk().await;
		let store = |start_ms| sqlite.store(log(one, start_ms, Flow::Export, "x"), true);
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
			sqlite.store(log(meter, 0, Flow::Export, "x"), true),
			sqlite.store(log(meter, 10, Flow::Export, "x"), false)
		);
		assert_eq!((first, second), (Ok(Stored::New(1)), Err(StoreFault::Overloaded)));
		assert_eq!(sqlite.waiting(), 0);
	}
}
