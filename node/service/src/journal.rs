//! What the pool holds, on disk: a transaction that was accepted outlives the process.
//!
//! Transactions are appended to a file as the pool takes them, and every few seconds the file is
//! replaced by what the pool holds then. A node that starts reads it and submits what is there to its
//! pool, which checks each transaction as if it came from outside: what was included
//! meanwhile, or is not valid any more, is refused.
//!
//! A process that is killed loses nothing that it accepted more than a quarter of a second before.
//! The file is not forced onto the disk, so a machine that loses its power may lose the last seconds.

use crate::{chain::Hash, client::FullClient, pool::Pool};
use codec::{Decode, Encode};
use futures::{FutureExt, StreamExt};
use sc_transaction_pool_api::{InPoolTransaction, TransactionPool, TransactionSource};
use sp_blockchain::HeaderBackend;
use sp_runtime::OpaqueExtrinsic;
use std::{
	collections::BTreeSet,
	fs::{self, File, OpenOptions},
	io::{self, Write},
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};

/// Name of the file, in the chain's folder.
pub const FILE_NAME: &str = "pool.transactions";
/// Time between two looks at the pool for transactions that are not in the file.
const SWEEP_AFTER: Duration = Duration::from_millis(250);
/// Number of looks after which the file is rewritten, if it has more than the pool.
const SWEEPS_TO_A_REWRITE: u32 = 20;
/// Largest file that is read, in bytes: more than two full pools.
const MAX_BYTES: u64 = 256 << 20;

/// File of transactions, each as the SCALE encoding of its bytes.
#[derive(Debug)]
pub struct Journal {
	path: PathBuf,
	file: File,
}

impl Journal {
	/// Opens the file of a chain's folder, and returns the transactions in it, in the order in which
	/// they were written. Whatever follows a record that was cut off is left out.
	///
	/// # Errors
	/// If the folder cannot be made, or the file neither read nor written.
	pub fn open(folder: &Path) -> io::Result<(Self, Vec<OpaqueExtrinsic>)> {
		fs::create_dir_all(folder)?;
		let path = folder.join(FILE_NAME);
		let found = match fs::metadata(&path) {
			Ok(found) if found.len() <= MAX_BYTES => read(&fs::read(&path)?),
			Ok(_) => Vec::new(),
			Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
			Err(error) => return Err(error),
		};
		let file = OpenOptions::new().create(true).append(true).open(&path)?;
		Ok((Self { path, file }, found))
	}

	/// Adds a transaction at the end.
	///
	/// # Errors
	/// If the disk is full or the file cannot be written.
	pub fn append(&mut self, transaction: &OpaqueExtrinsic) -> io::Result<()> {
		self.file.write_all(&transaction.encode())
	}

	/// Replaces the file by these transactions: at any moment the old file or the new one is
	/// there in full.
	///
	/// # Errors
	/// If the disk is full or the folder cannot be written.
	pub fn rewrite<'a>(
		&mut self,
		transactions: impl IntoIterator<Item = &'a OpaqueExtrinsic>,
	) -> io::Result<()> {
		let bytes: Vec<u8> = transactions.into_iter().flat_map(Encode::encode).collect();
		let next = self.path.with_extension("next");
		fs::write(&next, bytes)?;
		fs::rename(&next, &self.path)?;
		self.file = OpenOptions::new().append(true).open(&self.path)?;
		Ok(())
	}
}

/// Reads records until the first that is cut off; each is taken once.
fn read(mut bytes: &[u8]) -> Vec<OpaqueExtrinsic> {
	let (mut known, mut found) = (BTreeSet::new(), Vec::new());
	while let Ok(transaction) = OpaqueExtrinsic::decode(&mut bytes) {
		if known.insert(transaction.encode()) {
			found.push(transaction);
		}
	}
	found
}

/// Gives the pool what the file of a chain's folder has, then keeps the file until the node stops.
/// Meant for a thread of its own: it writes to the disk.
pub(crate) async fn keep(folder: PathBuf, client: Arc<FullClient>, pool: Arc<Pool>) {
	// Whatever arrives from now on is in the stream or in the pool.
	let mut arrivals = pool.import_notification_stream();
	let (journal, found) = match Journal::open(&folder) {
		Ok(opened) => opened,
		Err(error) => {
			tracing::warn!(
				event = "pool_not_kept",
				%error,
				"Transactions in the pool will not outlive this process: {} cannot be used",
				folder.join(FILE_NAME).display(),
			);
			return;
		},
	};
	restore(&client, &pool, found).await;
	let mut keeper = Keeper { journal, pool, written: BTreeSet::new(), is_faulty: false };
	keeper.note(Keeper::rewrite);
	let mut ticks = tokio::time::interval(SWEEP_AFTER);
	ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
	let mut sweeps = 0u32;
	loop {
		futures::select! {
			hash = arrivals.next().fuse() => match hash {
				Some(hash) if !keeper.is_faulty => keeper.note(|keeper| keeper.arrived(hash)),
				Some(_) => {},
				None => return,
			},
			_ = ticks.tick().fuse() => {
				sweeps = sweeps.wrapping_add(1);
				let is_due = sweeps.is_multiple_of(SWEEPS_TO_A_REWRITE);
				if is_due {
					keeper.note(Keeper::rewrite);
				} else if !keeper.is_faulty {
					keeper.note(Keeper::sweep);
				}
			},
		}
	}
}

/// The file, and which transactions it has.
struct Keeper {
	journal: Journal,
	pool: Arc<Pool>,
	written: BTreeSet<Hash>,
	/// The last attempt to write failed: what is in the file is not known, and the next attempt
	/// writes all of it.
	is_faulty: bool,
}

impl Keeper {
	/// Does something to the file, and reports the first of several failures.
	fn note(&mut self, act: impl FnOnce(&mut Self) -> io::Result<()>) {
		let outcome = act(self);
		if let (Err(error), false) = (&outcome, self.is_faulty) {
			tracing::warn!(
				event = "pool_not_kept",
				%error,
				"What the pool holds could not be written; it is tried again every few seconds"
			);
		}
		self.is_faulty = outcome.is_err();
		if self.is_faulty {
			self.written.clear();
		}
	}

	/// A transaction can be included in the next block.
	fn arrived(&mut self, hash: Hash) -> io::Result<()> {
		match self.pool.ready_transaction(&hash) {
			Some(transaction) if self.written.insert(hash) => {
				self.journal.append(transaction.data())
			},
			_ => Ok(()),
		}
	}

	/// Adds what nobody reported: those that wait for an earlier one of their account, and those
	/// that waited for it.
	fn sweep(&mut self) -> io::Result<()> {
		let status = self.pool.status();
		if status.ready.saturating_add(status.future) == 0 {
			return Ok(());
		}
		for transaction in self.pool.ready() {
			if self.written.insert(*transaction.hash()) {
				self.journal.append(transaction.data())?;
			}
		}
		for transaction in self.pool.futures() {
			if self.written.insert(*transaction.hash()) {
				self.journal.append(transaction.data())?;
			}
		}
		Ok(())
	}

	/// Rewrites the file, unless it has exactly what the pool holds.
	fn rewrite(&mut self) -> io::Result<()> {
		let (ready, future) = (self.pool.ready().collect::<Vec<_>>(), self.pool.futures());
		let hashes = ready.iter().map(|one| *one.hash());
		let held: BTreeSet<Hash> = hashes.chain(future.iter().map(|one| *one.hash())).collect();
		if held == self.written && !self.is_faulty {
			return Ok(());
		}
		let transactions = ready.iter().map(|one| &**one.data());
		self.journal.rewrite(transactions.chain(future.iter().map(|one| &**one.data())))?;
		self.written = held;
		Ok(())
	}
}

/// Submits transactions of the last run.
async fn restore(client: &FullClient, pool: &Pool, found: Vec<OpaqueExtrinsic>) {
	if found.is_empty() {
		return;
	}
	let number = found.len();
	let best = client.info().best_hash;
	let taken = match pool.submit_at(best, TransactionSource::External, found).await {
		Ok(outcomes) => outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
		Err(error) => {
			tracing::warn!(event = "pool_not_restored", %error, "The pool took nothing back");
			0
		},
	};
	tracing::info!(
		event = "pool_restored",
		taken,
		refused = number.saturating_sub(taken),
		"Of {number} transactions that the last run left waiting {taken} are waiting again"
	);
}
