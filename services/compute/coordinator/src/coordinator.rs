//! What all of the coordinator's work shares: database, chain, key, settings, and what lives in
//! memory.

use crate::{
	book::Book,
	check::Checker,
	demanded::Demanded,
	error::RequestError,
	ledger::Ledger,
	live::Live,
	metrics::Metrics,
	registry::Registry,
	rows,
	sessions::{HeldLease, Sessions},
	settings::Settings,
	sight::Sight,
	sold::Sold,
	timekeeper::Timekeeper,
	trees::Trees,
};
use codec::Encode;
use futures::future::BoxFuture;
use gridproof_http::{Loops, MetricsError};
use gridproof_keys::SealedKey;
use gridproof_primitives::H256;
use gridproof_store::{Database, Options, StoreError, rusqlite::Connection};
use gridproof_support::{Classified, Clock, Failure, Lock, Stopper};
use sp_crypto_hashing::sha2_256;
use std::{
	collections::HashSet,
	path::Path,
	sync::{Arc, Mutex, MutexGuard, OnceLock},
};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// What the coordinator signs to make access keys from.
const ACCESS: &str = "gridproof/job-access/v1";
/// The database's name in its folder.
const DATABASE: &str = "coordinator.db";

/// Why a coordinator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
	/// The database cannot be used.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The figures cannot be counted.
	#[error(transparent)]
	Metrics(#[from] MetricsError),
	/// There is no database of a coordinator in the folder.
	#[error("there is no coordinator's database in {folder}: name the folder of its --data")]
	NoDatabase {
		/// Path of the folder.
		folder: String,
	},
	/// The configuration says something else about a model than the chain's registry.
	#[error("{0}")]
	Models(String),
	/// The configuration does not fit the chain's notice of a cancellation.
	#[error("{0}")]
	Notice(String),
	/// The folder belongs to another chain.
	#[error(
		"the folder {folder} belongs to the chain {ours:?}, the node serves {theirs:?}: use the node of \
		 that chain, or another folder"
	)]
	OtherChain {
		/// Path of the folder.
		folder: String,
		/// Genesis hash of its chain.
		ours: H256,
		/// Genesis hash of the node's chain.
		theirs: H256,
	},
}

impl Classified for StartError {
	fn failure(&self) -> Failure {
		match self {
			Self::Store(error) => error.failure(),
			Self::Metrics(_) => Failure::BROKEN,
			Self::OtherChain { .. }
			| Self::NoDatabase { .. }
			| Self::Models(_)
			| Self::Notice(_) => Failure::USAGE,
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
	pub(crate) time: Timekeeper,
	pub(crate) genesis: H256,
	/// The chain's registry of models, as it was read last.
	pub(crate) registry: Registry,
	/// When the chain was seen last.
	pub(crate) sight: Sight,
	/// Trees of batches, for proofs.
	pub(crate) trees: Trees,
	/// Held while the tree of a batch is built.
	pub(crate) building: tokio::sync::Mutex<()>,
	/// The secret that access keys of quotes are made from.
	pub(crate) access: Zeroizing<[u8; 32]>,
	/// The loops of [`Coordinator::run`].
	pub(crate) loops: Loops,
	/// Stops what waits for work.
	closing: Stopper,
	/// There may be work to give out.
	pub(crate) work: Notify,
	/// There may be receipts to send.
	pub(crate) receipts: Notify,
	/// There may be jobs of the front to open.
	pub(crate) openings: Notify,
	/// Channels in use and the requests that they pay for.
	pub(crate) book: Book,
	/// Held while the chain is asked about a channel that is not known.
	pub(crate) asking: tokio::sync::Mutex<()>,
	/// Length of a day of the channels' daily limits, in milliseconds, once it is known.
	pub(crate) day_ms: OnceLock<u64>,
	/// There may be receipts of channels to settle.
	pub(crate) counted: Notify,
	/// Receipts that somebody demands on chain.
	pub(crate) demanded: Demanded,
	/// Plans of channels, and API keys of those whose key the coordinator keeps.
	pub(crate) sold: Sold,
	/// Jobs of the front that this run has accepted and never tried to open: of these nobody need
	/// ask whether they are open.
	untried: Mutex<HashSet<H256>>,
}

impl Coordinator {
	/// Opens the database in a folder and continues where the last run stopped.
	///
	/// # Errors
	/// [`StartError`]; among it another coordinator with the same folder.
	pub fn open(
		folder: &Path,
		ledger: Arc<dyn Ledger>,
		key: SealedKey,
		settings: Settings,
		checker: Option<Checker>,
		clock: Clock,
	) -> BoxFuture<'_, Result<Arc<Self>, StartError>> {
		Box::pin(async move {
			let db = database(folder)?;
			let genesis = ledger.genesis();
			let ours = db
				.write::<_, StoreError, _>(move |db| {
					rows::begin_balances(db)?;
					Ok(H256(rows::pin(db, rows::GENESIS, genesis.0)?))
				})
				.await?;
			if ours != genesis {
				let folder = folder.display().to_string();
				return Err(StartError::OtherChain { folder, ours, theirs: genesis });
			}
			let sold = db.read::<_, StoreError, _>(|db| Ok(Sold::of(db)?)).await?;
			// A signature that nobody ever sees, and that this key makes again after every start.
			let unseen = Zeroizing::new(key.sign(&(ACCESS, genesis).encode()));
			let coordinator = Self {
				db,
				ledger,
				key,
				settings,
				sessions: Sessions::default(),
				live: Live::default(),
				metrics: Metrics::new()?,
				checker,
				time: Timekeeper::new(clock),
				genesis,
				registry: Registry::default(),
				sight: Sight::default(),
				trees: Trees::default(),
				building: tokio::sync::Mutex::default(),
				access: Zeroizing::new(sha2_256(&*unseen)),
				loops: Loops::default(),
				closing: Stopper::new(),
				work: Notify::new(),
				receipts: Notify::new(),
				openings: Notify::new(),
				book: Book::default(),
				asking: tokio::sync::Mutex::default(),
				day_ms: OnceLock::new(),
				counted: Notify::new(),
				demanded: Demanded::default(),
				sold,
				untried: Mutex::default(),
			};
			coordinator.begin_sight().await.map_err(StartError::Notice)?;
			coordinator.begin_models().await.map_err(StartError::Models)?;
			coordinator.restore_leases().await?;
			Ok(Arc::new(coordinator))
		})
	}

	/// Returns the genesis hash of the chain that a folder belongs to, if it has been used: with it, a
	/// coordinator also starts while its node is away.
	///
	/// # Errors
	/// [`StartError::Store`].
	pub async fn known_chain(folder: &Path) -> Result<Option<H256>, StartError> {
		if !folder.join(DATABASE).exists() {
			return Ok(None);
		}
		let db = database(folder)?;
		let known = db.read::<_, StoreError, _>(|db| Ok(rows::pinned(db, rows::GENESIS)?)).await?;
		Ok(known.map(H256))
	}

	/// Gives miners of the last run time to come back for what they hold.
	async fn restore_leases(&self) -> Result<(), StoreError> {
		let held = self.db.read::<_, StoreError, _>(|db| Ok(rows::held(db)?)).await?;
		let now = self.time.steady();
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

	/// The time, UTC milliseconds; see [`Timekeeper::now`].
	pub(crate) fn now(&self) -> u64 {
		self.time.now()
	}

	/// Answers all who wait for work that there is none, now and from now on.
	pub fn close(&self) {
		self.closing.stop();
	}

	/// Waits until the coordinator is closed.
	pub(crate) async fn closed(&self) {
		self.closing.signal().stopped().await;
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

/// Opens the database of a coordinator that has run with this folder and does not run now.
pub(crate) fn existing_database(folder: &Path) -> Result<Database, StartError> {
	if !folder.join(DATABASE).exists() {
		return Err(StartError::NoDatabase { folder: folder.display().to_string() });
	}
	Ok(database(folder)?)
}

fn database(folder: &Path) -> Result<Database, StoreError> {
	Database::open(&folder.join(DATABASE), rows::MIGRATIONS, &Options::default())
}
