//! Readings on their way to the disk, many at a time.
//!
//! Whatever has come by the time the writer is free goes into the database as one piece of work.
//! Nearly every reading begins where the meter's last one ended, or later: for those nothing has to
//! be looked up, and one statement adds many.

use super::{
	readings,
	rows::{MeterRow, NewReading, Stored},
};
use gridproof_store::{Database, StoreError, rusqlite::Connection};
use gridproof_support::Lock;
use std::{
	collections::HashMap,
	mem,
	sync::{Arc, Mutex, MutexGuard},
};
use tokio::{
	runtime::Handle,
	sync::{OwnedSemaphorePermit, Semaphore, oneshot},
};

/// Meters whose free time is kept in memory.
const KNOWN: usize = 1_000_000;

/// Takes readings to the database.
pub(super) struct Queue {
	database: Database,
	/// Waits for the disk, whatever thread the reading came on.
	runtime: Handle,
	room: Arc<Semaphore>,
	size: usize,
	waiting: Mutex<Vec<Entry>>,
	free: Free,
}

/// A reading that waits.
struct Entry {
	reading: NewReading,
	answer: oneshot::Sender<Result<Stored, StoreError>>,
	_room: OwnedSemaphorePermit,
}

/// The time from which on a meter's time is free. A moment too late costs a look into the database,
/// one too early would let readings overlap: whatever ends readings later, or seals them, forgets
/// the meter.
#[derive(Clone, Default)]
pub(super) struct Free(Arc<Mutex<HashMap<MeterRow, u64>>>);

impl Free {
	fn lock(&self) -> MutexGuard<'_, HashMap<MeterRow, u64>> {
		self.0.locked()
	}

	/// A batch of the meter is closed: called by the writer, before it is.
	pub(super) fn forget(&self, meter: MeterRow) {
		self.lock().remove(&meter);
	}
}

impl Queue {
	/// Lets `size` readings wait at most.
	pub(super) fn new(database: Database, size: usize) -> Self {
		let (room, free) = (Arc::new(Semaphore::new(size)), Free::default());
		let (runtime, waiting) = (Handle::current(), Mutex::default());
		Self { database, runtime, room, size, waiting, free }
	}

	/// The free time of meters.
	pub(super) const fn free(&self) -> &Free {
		&self.free
	}

	/// The number of readings that wait.
	pub(super) fn waiting(&self) -> usize {
		self.size.saturating_sub(self.room.available_permits())
	}

	fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
		self.waiting.locked()
	}

	/// Keeps a reading; returns when that, or what became of it instead, is on disk. Waits for room
	/// if `wait`.
	pub(super) async fn store(
		self: &Arc<Self>,
		reading: NewReading,
		wait: bool,
	) -> Result<Stored, StoreError> {
		let room = self.room.clone();
		let _room = if wait {
			room.acquire_owned().await.map_err(|_| StoreError::Closed)?
		} else {
			room.try_acquire_owned().map_err(|_| StoreError::Overloaded)?
		};
		let (answer, answered) = oneshot::channel();
		let is_first = {
			let mut entries = self.entries();
			entries.push(Entry { reading, answer, _room });
			entries.len() == 1
		};
		if is_first {
			self.runtime.spawn(self.clone().write());
		}
		answered.await.unwrap_or(Err(StoreError::Closed))
	}

	/// Writes what waits when its turn comes, and answers after the commit.
	async fn write(self: Arc<Self>) {
		let taken = Arc::<Mutex<Vec<Entry>>>::default();
		let (queue, keep) = (self.clone(), taken.clone());
		let job = move |db: &Connection| {
			let entries = mem::take(&mut *queue.entries());
			let outcomes = store_all(db, &entries, &queue.free);
			*keep.locked() = entries;
			outcomes
		};
		let done: Result<Vec<Stored>, StoreError> = self.database.write(job).await;
		let mut entries = mem::take(&mut *taken.locked());
		match done {
			Ok(outcomes) => {
				for (entry, outcome) in entries.into_iter().zip(outcomes) {
					let _ = entry.answer.send(Ok(outcome));
				}
			},
			Err(error) => {
				// The writer may not have come to it at all.
				entries.append(&mut self.entries());
				for entry in entries {
					let _ = entry.answer.send(Err(error.clone()));
				}
			},
		}
	}
}

/// What becomes of each reading, in order.
fn store_all(db: &Connection, entries: &[Entry], free: &Free) -> Result<Vec<Stored>, StoreError> {
	let mut outcomes = Vec::with_capacity(entries.len());
	let mut known = free.lock();
	if known.len() > KNOWN {
		known.clear();
	}
	// Readings whose time is free, not yet in the database.
	let mut ready: Vec<&NewReading> = Vec::with_capacity(entries.len());
	for Entry { reading, .. } in entries {
		let free_ms = match known.get(&reading.meter) {
			Some(free_ms) => *free_ms,
			None => readings::free_from(db, reading.meter)?,
		};
		if reading.start_ms < free_ms.max(reading.earliest_ms) {
			flush(db, &mut ready, &mut outcomes)?;
			if let Some(outcome) = readings::taken(db, reading)? {
				known.insert(reading.meter, free_ms);
				outcomes.push(outcome);
				continue;
			}
		}
		known.insert(reading.meter, free_ms.max(reading.end_ms));
		ready.push(reading);
	}
	flush(db, &mut ready, &mut outcomes)?;
	Ok(outcomes)
}

fn flush(
	db: &Connection,
	ready: &mut Vec<&NewReading>,
	outcomes: &mut Vec<Stored>,
) -> Result<(), StoreError> {
	outcomes.extend(readings::insert(db, ready)?.into_iter().map(Stored::New));
	ready.clear();
	Ok(())
}
