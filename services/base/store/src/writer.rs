//! The one thread that writes.
//!
//! It takes whatever waits, runs all of it in one transaction, commits once, and answers then.
//! Each piece of work has its own savepoint: one that fails takes nothing of the others with it.

use crate::StoreError;
use rusqlite::Connection;
use std::{
	panic::{AssertUnwindSafe, catch_unwind},
	sync::atomic::{AtomicBool, Ordering},
};
use tokio::sync::{mpsc, oneshot};

/// A piece of work on its way to the writer.
pub(crate) trait Work: Send {
	/// Returns `true` if it shares its transaction with nothing else.
	fn is_alone(&self) -> bool;
	/// Does it, inside a transaction that others may share.
	fn run(self: Box<Self>, connection: &Connection) -> Box<dyn Finished>;
	/// Answers without doing it.
	fn refuse(self: Box<Self>, error: StoreError);
}

/// Work that is done but not yet durable.
pub(crate) trait Finished {
	/// Is it to be kept?
	fn keep(&self) -> bool;
	/// Answers; `error` if the commit failed.
	fn answer(self: Box<Self>, error: Option<StoreError>);
}

/// Work made of a closure.
pub(crate) struct Task<F, R, E> {
	pub(crate) job: F,
	pub(crate) is_alone: bool,
	pub(crate) answer: oneshot::Sender<Result<R, E>>,
}

struct Outcome<R, E> {
	result: Result<R, E>,
	answer: oneshot::Sender<Result<R, E>>,
}

impl<F, R, E> Work for Task<F, R, E>
where
	F: FnOnce(&Connection) -> Result<R, E> + Send,
	R: Send + 'static,
	E: From<StoreError> + Send + 'static,
{
	fn is_alone(&self) -> bool {
		self.is_alone
	}

	fn run(self: Box<Self>, connection: &Connection) -> Box<dyn Finished> {
		let Self { job, answer, .. } = *self;
		let result = catch_unwind(AssertUnwindSafe(|| job(connection)))
			.unwrap_or_else(|_| Err(StoreError::Panicked.into()));
		Box::new(Outcome { result, answer })
	}

	fn refuse(self: Box<Self>, error: StoreError) {
		let _ = self.answer.send(Err(error.into()));
	}
}

impl<R, E: From<StoreError>> Finished for Outcome<R, E> {
	fn keep(&self) -> bool {
		self.result.is_ok()
	}

	fn answer(self: Box<Self>, error: Option<StoreError>) {
		let result = match error {
			// What failed on its own keeps its own reason.
			Some(error) => self.result.and(Err(error.into())),
			None => self.result,
		};
		let _ = self.answer.send(result);
	}
}

/// Writes until the queue is closed; `group` bounds how much shares one commit. `doubt` is set when
/// something was not committed.
pub(crate) fn run(
	connection: Connection,
	mut queue: mpsc::Receiver<Box<dyn Work>>,
	group: usize,
	doubt: &AtomicBool,
) {
	let mut held = None;
	while let Some(first) = held.take().or_else(|| queue.blocking_recv()) {
		if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
			doubt.store(true, Ordering::Relaxed);
			first.refuse(error.into());
			continue;
		}
		let group = if first.is_alone() { 1 } else { group };
		let mut done = Vec::new();
		let mut next = Some(first);
		let mut broken = None;
		while let Some(work) = next.take() {
			match step(&connection, work) {
				Ok(finished) => done.push(finished),
				Err((finished, error)) => {
					done.extend(finished);
					broken = Some(error);
					break;
				},
			}
			if done.len() < group {
				next = queue.try_recv().ok();
				held = next.take_if(|work| work.is_alone());
			}
		}
		let error = broken.or_else(|| connection.execute_batch("COMMIT").err().map(Into::into));
		if !connection.is_autocommit() {
			// Nothing to be done about a rollback that fails: the next transaction will say so.
			let _ = connection.execute_batch("ROLLBACK");
		}
		if let Some(error) = &error {
			doubt.store(true, Ordering::Relaxed);
			tracing::error!(%error, writes = done.len(), "nothing was committed");
		}
		for finished in done {
			finished.answer(error.clone());
		}
	}
	let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

type Broken = (Option<Box<dyn Finished>>, StoreError);

/// One piece of work in its savepoint. An error means that the whole transaction is lost.
fn step(connection: &Connection, work: Box<dyn Work>) -> Result<Box<dyn Finished>, Broken> {
	if let Err(error) = savepoint(connection, "SAVEPOINT work") {
		let error = StoreError::from(error);
		work.refuse(error.clone());
		return Err((None, error));
	}
	let finished = work.run(connection);
	// Some failures, a full disk for one, make SQLite roll everything back.
	if connection.is_autocommit() {
		return Err((Some(finished), StoreError::Full));
	}
	let end = if finished.keep() {
		savepoint(connection, "RELEASE work")
	} else {
		savepoint(connection, "ROLLBACK TO work")
			.and_then(|()| savepoint(connection, "RELEASE work"))
	};
	match end {
		Ok(()) => Ok(finished),
		Err(error) => Err((Some(finished), error.into())),
	}
}

fn savepoint(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
	connection.prepare_cached(sql)?.execute([]).map(drop)
}
