//! The coordinator: it quotes jobs, gives them to miners, checks what comes back, signs receipts
//! and brings them to the chain.
//!
//! What must not be lost is in the database before anybody is told of it: a job before it counts
//! as accepted, a result with both signatures before its miner hears so. Leases, sessions and the
//! text that is being read along live in memory: after a restart miners say hello again, and every
//! lease begins anew. The chain decides about money; whether a receipt is settled is always asked
//! there, so that sending it twice or being stopped in between does no harm.
//!
//! | module | holds |
//! |---|---|
//! | [`state`] | the states of a job |
//! | [`settings`] | prices, times, limits |
//! | [`rows`] | the database |
//! | [`ledger`] | what is needed of the chain |
//! | [`sessions`] | miners that are there |
//! | [`live`] | text that is being read along |
//! | [`quotes`] | from a specification to an accepted job |
//! | [`work`] | from an accepted job to a miner and back |
//! | [`results`] | what makes a result good |
//! | [`settle`] | from a receipt to final money |
//! | [`api`] | all of it as REST |

pub mod api;
pub mod chain;
pub mod ledger;
pub mod live;
pub mod metrics;
pub mod quotes;
pub mod refused;
pub mod results;
pub mod rows;
pub mod sessions;
pub mod settings;
pub mod settle;
pub mod state;
pub mod work;

#[cfg(test)]
mod tests;

pub use chain::ChainLedger;
pub use refused::Refused;
pub use settings::Settings;

use crate::check::Checker;
use gridproof_keys::SealedKey;
use gridproof_primitives::H256;
use gridproof_store::{Database, Options, StoreFault};
use ledger::Ledger;
use live::Live;
use metrics::Metrics;
use sessions::{HeldLease, Sessions};
use std::{
	collections::HashSet,
	path::Path,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::sync::Notify;

/// Tells the time, in UTC milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How often leases, deadlines and the queue are looked through without being asked.
const SWEEP: Duration = Duration::from_millis(500);

/// A coordinator.
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
	/// Opens the database in a folder and goes on where the last run stopped.
	///
	/// # Errors
	/// [`StoreFault`]; among it another coordinator with the same folder.
	pub async fn open(
		folder: &Path,
		ledger: Arc<dyn Ledger>,
		key: SealedKey,
		settings: Settings,
		checker: Option<Checker>,
		clock: Clock,
	) -> Result<Arc<Self>, StoreFault> {
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
			metrics: Metrics::new(),
			checker,
			clock,
			genesis,
			work: Notify::new(),
			receipts: Notify::new(),
			openings: Notify::new(),
			untried: Mutex::default(),
		};
		coordinator.take_up_leases().await?;
		Ok(Arc::new(coordinator))
	}

	/// Gives miners of the last run time to come back for what they hold.
	async fn take_up_leases(&self) -> Result<(), StoreFault> {
		let held = self.db.read::<_, StoreFault, _>(|db| Ok(rows::held(db)?)).await?;
		let now = self.now();
		for job in held {
			let Some(miner) = job.miner else { continue };
			let until_ms = now.saturating_add(self.lease_ms());
			let lease = HeldLease { miner, attempt: job.attempt, since_ms: now, until_ms };
			self.sessions.lease(job.job, lease);
		}
		Ok(())
	}

	/// Works until the future is dropped: gives out jobs, watches leases and deadlines, opens the
	/// front's jobs, brings receipts to the chain.
	pub async fn run(self: &Arc<Self>) {
		tokio::join!(
			self.dispatch(),
			settle::open_jobs(self),
			settle::settle(self),
			settle::release(self)
		);
	}

	/// The coordinator's key.
	pub fn public(&self) -> [u8; 32] {
		*self.key.public()
	}

	/// Hash of the chain's first block.
	pub const fn genesis(&self) -> H256 {
		self.genesis
	}

	pub(crate) fn now(&self) -> u64 {
		(self.clock)()
	}

	pub(crate) const fn lease_ms(&self) -> u64 {
		self.settings.lease_seconds.saturating_mul(1_000)
	}

	pub(crate) fn untried(&self) -> MutexGuard<'_, HashSet<H256>> {
		self.untried.lock().unwrap_or_else(PoisonError::into_inner)
	}

	pub(crate) async fn read<R: Send + 'static>(
		&self,
		job: impl FnOnce(&gridproof_store::rusqlite::Connection) -> Result<R, Refused> + Send + 'static,
	) -> Result<R, Refused> {
		self.db.read(job).await
	}

	pub(crate) async fn write<R: Send + 'static>(
		&self,
		job: impl FnOnce(&gridproof_store::rusqlite::Connection) -> Result<R, Refused> + Send + 'static,
	) -> Result<R, Refused> {
		self.db.write(job).await
	}
}

/// UTC milliseconds by the system's clock.
pub fn system_clock() -> Clock {
	Arc::new(|| u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap_or(0))
}
