//! What all of the coordinator's work shares: database, chain, key, settings, and what lives in
//! memory.

use crate::{
	check::Checker,
	error::RequestError,
	ledger::Ledger,
	live::Live,
	metrics::Metrics,
	rows,
	sessions::{HeldLease, Sessions},
	settings::Settings,
};
use gridproof_http::MetricsError;
use gridproof_keys::SealedKey;
use gridproof_primitives::H256;
use gridproof_store::{Database, Options, StoreError, rusqlite::Connection};
use gridproof_support::{Classified, Clock, Failure, Lock};
use std::{
	collections::HashSet,
	path::Path,
	sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::Notify;

/// Why a coordinator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
	/// The database cannot be used.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The figures cannot be counted.
	#[error(transparent)]
	Metrics(#[from] MetricsError),
}

impl Classified for StartError {
	fn failure(&self) -> Failure {
		match self {
			Self::Store(error) => error.failure(),
			Self::Metrics(_) => Failure::BROKEN,
		}
	}
}

/// A coordinator at work. Clones of its [`Arc`] are the same one.
pub struct Coordinator {
	pub(crate) db: Database,
	pub(crate) ledger: Arc<dyn Ledger>,
	pub(crate) key: SealedKey,
	pub(crate) settings: Settings,
	pub(crate) sessions: Sessions,
	pub(crate) live: Live,
	pub(crate) metrics: Metrics,
	pub(crate) checker: Option<Checker>,
	pub(crate) clock: Clock,
	pub(crate) genesis: H256,
	/// There may be work to give out.
	pub(crate) work: Notify,
	/// There may be receipts to send.
	pub(crate) receipts: Notify,
	/// There may be jobs of the front to open.
	pub(crate) openings: Notify,
	/// Jobs of the front that this run has accepted and never tried to open: of these nobody need
	/// ask whether they are open.
	untried: Mutex<HashSet<H256>>,
}

impl Coordinator {
	/// Opens the database in a folder and continues where the last run stopped.
	///
	/// # Errors
	/// [`StartError`]; among it another coordinator with the same folder.
	pub async fn open(
		folder: &Path,
		ledger: Arc<dyn Ledger>,
		key: SealedKey,
		settings: Settings,
		checker: Option<Checker>,
		clock: Clock,
	) -> Result<Arc<Self>, StartError> {
		let path = folder.join("coordinator.db");
		let db = Database::open(&path, rows::MIGRATIONS, &Options::default())?;
		let genesis = ledger.genesis();
		let coordinator = Self {
			db,
			ledger,
			key,
			settings,
			sessions: Sessions::default(),
			live: Live::default(),
			metrics: Metrics::new()?,
			checker,
			clock,
			genesis,
			work: Notify::new(),
			receipts: Notify::new(),
			openings: Notify::new(),
			untried: Mutex::default(),
		};
		coordinator.restore_leases().await?;
		Ok(Arc::new(coordinator))
	}

	/// Gives miners of the last run time to come back for what they hold.
	async fn restore_leases(&self) -> Result<(), StoreError> {
		let held = self.db.read::<_, StoreError, _>(|db| Ok(rows::held(db)?)).await?;
		let now = self.now();
		for job in held {
			let Some(miner) = job.miner else { continue };
			let until_ms = now.saturating_add(self.lease_ms());
			let lease = HeldLease { miner, attempt: job.attempt, since_ms: now, until_ms };
			self.sessions.lease(job.job, lease);
		}
		Ok(())
	}

	/// The coordinator's key.
	pub fn public(&self) -> [u8; 32] {
		*self.key.public()
	}

	/// Hash of the chain's first block.
	pub const fn genesis(&self) -> H256 {
		self.genesis
	}

	/// The time, UTC milliseconds.
	pub(crate) fn now(&self) -> u64 {
		self.clock.now_ms()
	}

	pub(crate) const fn lease_ms(&self) -> u64 {
		self.settings.lease_seconds.saturating_mul(1_000)
	}

	pub(crate) fn untried(&self) -> MutexGuard<'_, HashSet<H256>> {
		self.untried.locked()
	}

	pub(crate) async fn read<R: Send + 'static>(
		&self,
		work: impl FnOnce(&Connection) -> Result<R, RequestError> + Send + 'static,
	) -> Result<R, RequestError> {
		self.db.read(work).await
	}

	pub(crate) async fn write<R: Send + 'static>(
		&self,
		work: impl FnOnce(&Connection) -> Result<R, RequestError> + Send + 'static,
	) -> Result<R, RequestError> {
		self.db.write(work).await
	}
}
