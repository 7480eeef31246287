//! A database file, its writer and its readers.

use crate::{
	StoreError, probe,
	writer::{self, Task, Work},
};
use gridproof_support::{Lock, number::clamped};
use rusqlite::{Connection, InterruptHandle, OpenFlags};
use std::{
	fs::{self, File, TryLockError},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	sync::{
		Arc, Mutex,
		atomic::{AtomicBool, Ordering},
	},
	thread::JoinHandle,
	time::{Duration, Instant},
};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How a database behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
	/// Writes that may wait; more have to wait outside.
	pub queue: usize,
	/// Writes that share one commit at most.
	pub group: usize,
	/// Connections for reading.
	pub readers: usize,
	/// The file may grow to so many bytes; `None`: as far as the disk goes.
	pub max_bytes: Option<u64>,
}

impl Default for Options {
	fn default() -> Self {
		Self { queue: 8192, group: 4096, readers: 4, max_bytes: None }
	}
}

/// A database file that this program alone works with. Clones share it.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
	path: PathBuf,
	queue: Option<mpsc::Sender<Box<dyn Work>>>,
	writer: Option<JoinHandle<()>>,
	readers: Arc<Readers>,
	/// Something was not committed since the last probe.
	doubt: Arc<AtomicBool>,
	/// The last probe.
	probed: tokio::sync::Mutex<Option<Probed>>,
	/// Locked as long as this lives; the system releases it however the process ends.
	_lock: File,
}

/// When a probe was over, and what came of it.
type Probed = (Instant, Result<(), StoreError>);

struct Readers {
	path: PathBuf,
	idle: Mutex<Vec<Connection>>,
	permits: Arc<Semaphore>,
}

impl Database {
	/// Opens the file, making it if there is none, and brings it to the last migration.
	/// `migrations[n]` brings it from version n to n + 1; what has been released never changes.
	///
	/// # Errors
	/// [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::CannotOpen`].
	pub fn open(path: &Path, migrations: &[&str], options: &Options) -> Result<Self, StoreError> {
		let cannot =
			|reason: String| StoreError::CannotOpen { path: path.display().to_string(), reason };
		if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
			fs::create_dir_all(folder).map_err(|error| cannot(error.to_string()))?;
		}
		let lock = lock(path)?;
		// Made here, so that it and what SQLite puts beside it are its owner's only.
		fs::OpenOptions::new()
			.create(true)
			.append(true)
			.mode(0o600)
			.open(path)
			.map_err(|error| cannot(error.to_string()))?;
		let mut connection = Connection::open(path).map_err(|error| cannot(error.to_string()))?;
		configure(&connection, options).map_err(|error| cannot(error.to_string()))?;
		migrate(&mut connection, path, migrations)?;
		let (sender, receiver) = mpsc::channel(options.queue.max(1));
		let group = options.group.max(1);
		let doubt = Arc::<AtomicBool>::default();
		let doubted = doubt.clone();
		let writer = std::thread::Builder::new()
			.name("database".to_string())
			.spawn(move || writer::run(connection, receiver, group, &doubted))
			.map_err(|error| cannot(error.to_string()))?;
		let readers = Arc::new(Readers {
			path: path.to_path_buf(),
			idle: Mutex::new(Vec::new()),
			permits: Arc::new(Semaphore::new(options.readers.max(1))),
		});
		Ok(Self(Arc::new(Inner {
			path: path.to_path_buf(),
			queue: Some(sender),
			writer: Some(writer),
			readers,
			doubt,
			probed: tokio::sync::Mutex::default(),
			_lock: lock,
		})))
	}

	/// The file.
	pub fn path(&self) -> &Path {
		&self.0.path
	}

	/// How many more writes may wait right now.
	pub fn room(&self) -> usize {
		self.0.queue.as_ref().map_or(0, mpsc::Sender::capacity)
	}

	/// Runs `job` in the writer's transaction; returns after the commit is on disk. If `job` fails,
	/// nothing of it is kept. Waits while the queue is full.
	///
	/// # Errors
	/// What `job` returns; [`StoreError`] if it could not be committed.
	pub async fn write<R, E, F>(&self, job: F) -> Result<R, E>
	where
		F: FnOnce(&Connection) -> Result<R, E> + Send + 'static,
		R: Send + 'static,
		E: From<StoreError> + Send + 'static,
	{
		self.enqueue(job, false).await
	}

	async fn enqueue<R, E, F>(&self, job: F, is_alone: bool) -> Result<R, E>
	where
		F: FnOnce(&Connection) -> Result<R, E> + Send + 'static,
		R: Send + 'static,
		E: From<StoreError> + Send + 'static,
	{
		let (answer, wait) = oneshot::channel();
		let queue = self.0.queue.as_ref().ok_or(StoreError::Closed)?;
		let work: Box<dyn Work> = Box::new(Task { job, is_alone, answer });
		queue.send(work).await.map_err(|_| StoreError::Closed)?;
		wait.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
	}

	/// Succeeds if what is written now is kept: writes 16 KiB, and deletes them again. What was found in
	/// the last moments, `every`, is answered again, unless a write has failed since it was good. A probe
	/// shares its transaction with no other write: it takes none with it if there is no room.
	///
	/// # Errors
	/// [`StoreError::Full`] and [`StoreError::Disk`] above all.
	pub async fn probe(&self, every: Duration) -> Result<(), StoreError> {
		// Held while it runs: however many ask, there is one.
		let mut probed = self.0.probed.lock().await;
		if let Some((at, outcome)) = &*probed
			&& at.elapsed() < every
			&& (outcome.is_err() || !self.0.doubt.load(Ordering::Relaxed))
		{
			return outcome.clone();
		}
		self.0.doubt.store(false, Ordering::Relaxed);
		let outcome = match self.enqueue(probe::write, true).await {
			Ok(()) => self.enqueue(probe::delete, true).await,
			error => error,
		};
		*probed = Some((Instant::now(), outcome.clone()));
		outcome
	}

	/// As [`Database::write`], but fails at once when the queue is full.
	///
	/// # Errors
	/// [`StoreError::Overloaded`]; else as [`Database::write`].
	pub async fn try_write<R, E, F>(&self, job: F) -> Result<R, E>
	where
		F: FnOnce(&Connection) -> Result<R, E> + Send + 'static,
		R: Send + 'static,
		E: From<StoreError> + Send + 'static,
	{
		let (answer, wait) = oneshot::channel();
		let queue = self.0.queue.as_ref().ok_or(StoreError::Closed)?;
		queue.try_send(Box::new(Task { job, is_alone: false, answer })).map_err(
			|error| match error {
				mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
				mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
			},
		)?;
		wait.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
	}

	/// Runs `job` on a read-only connection, beside the writer. It sees what was committed when its
	/// first statement began. If the future is dropped, the statement that runs is interrupted.
	///
	/// # Errors
	/// What `job` returns; [`StoreError::CannotOpen`], [`StoreError::Panicked`].
	pub async fn read<R, E, F>(&self, job: F) -> Result<R, E>
	where
		F: FnOnce(&Connection) -> Result<R, E> + Send + 'static,
		R: Send + 'static,
		E: From<StoreError> + Send + 'static,
	{
		let readers = self.0.readers.clone();
		let permits = readers.permits.clone();
		let permit = permits.acquire_owned().await.map_err(|_| StoreError::Closed)?;
		let connection = readers.take()?;
		let asker = Asker(Arc::new(Mutex::new(Query::Runs(connection.get_interrupt_handle()))));
		let query = asker.0.clone();
		// The place is held as long as the query runs, also if nobody waits for its answer any more.
		let done = tokio::task::spawn_blocking(move || {
			if matches!(*query.locked(), Query::Unwanted) {
				readers.put_back(connection);
				drop(permit);
				return Err(StoreError::Interrupted.into());
			}
			let result = job(&connection);
			// From here on the connection is another query's, which must not be interrupted.
			*query.locked() = Query::Done;
			readers.put_back(connection);
			drop(permit);
			result
		});
		done.await.unwrap_or_else(|_| Err(StoreError::Panicked.into()))
	}
}

/// Where a query is.
enum Query {
	/// It runs, or is about to; it can be interrupted.
	Runs(InterruptHandle),
	/// It is over.
	Done,
	/// Nobody waits for its answer.
	Unwanted,
}

/// Waits for a query's answer. Dropped before there is one, it interrupts the query.
struct Asker(Arc<Mutex<Query>>);

impl Drop for Asker {
	fn drop(&mut self) {
		let mut query = self.0.locked();
		if let Query::Runs(running) = &*query {
			running.interrupt();
			*query = Query::Unwanted;
		}
	}
}

impl Drop for Inner {
	fn drop(&mut self) {
		drop(self.queue.take());
		if let Some(writer) = self.writer.take()
			&& writer.thread().id() != std::thread::current().id()
		{
			let _ = writer.join();
		}
	}
}

impl Readers {
	fn take(&self) -> Result<Connection, StoreError> {
		let idle = self.idle.locked().pop();
		match idle {
			Some(connection) => Ok(connection),
			None => open_reader(&self.path).map_err(|error| StoreError::CannotOpen {
				path: self.path.display().to_string(),
				reason: error.to_string(),
			}),
		}
	}

	fn put_back(&self, connection: Connection) {
		self.idle.locked().push(connection);
	}
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
	// Not read-only: such a connection cannot make the shared memory of the log if it is the first.
	let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
	let connection = Connection::open_with_flags(path, flags)?;
	connection.busy_timeout(Duration::from_secs(10))?;
	connection.pragma_update(None, "query_only", true)?;
	connection.set_prepared_statement_cache_capacity(64);
	Ok(connection)
}

/// Keeps other programs out, by a file beside the database.
fn lock(path: &Path) -> Result<File, StoreError> {
	let mut name = path.as_os_str().to_os_string();
	name.push(".lock");
	let cannot = |reason: std::io::Error| StoreError::CannotOpen {
		path: path.display().to_string(),
		reason: reason.to_string(),
	};
	let file = File::create(PathBuf::from(name)).map_err(cannot)?;
	match file.try_lock() {
		Ok(()) => Ok(file),
		Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
		Err(TryLockError::Error(reason)) => Err(cannot(reason)),
	}
}

fn configure(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
	connection.busy_timeout(Duration::from_secs(10))?;
	connection.pragma_update(None, "journal_mode", "WAL")?;
	connection.pragma_update(None, "synchronous", "FULL")?;
	connection.pragma_update(None, "foreign_keys", true)?;
	connection.pragma_update(None, "cache_size", -65_536)?;
	// Checkpoints copy the log's pages into the file: fewer and larger ones cost less.
	connection.pragma_update(None, "wal_autocheckpoint", 8_192)?;
	// The log does not keep its greatest size for ever.
	connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
	connection.set_prepared_statement_cache_capacity(128);
	if let Some(max_bytes) = options.max_bytes {
		let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
		let pages = clamped::<u32, _>(max_bytes / u64::from(page.max(1))).max(1);
		connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
	}
	Ok(())
}

fn migrate(
	connection: &mut Connection,
	path: &Path,
	migrations: &[&str],
) -> Result<(), StoreError> {
	let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
	let known: u32 = clamped(migrations.len());
	if found > known {
		return Err(StoreError::Newer { path: path.display().to_string(), found, known });
	}
	for (version, sql) in (1u32..).zip(migrations).filter(|(version, _)| *version > found) {
		let transaction = connection.transaction()?;
		transaction.execute_batch(sql)?;
		transaction.pragma_update(None, "user_version", version)?;
		transaction.commit()?;
	}
	Ok(())
}
