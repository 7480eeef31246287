//! What all of a miner's work shares: key, engine, results, and what is running.

use crate::{
	error::MinerError,
	metrics::Metrics,
	outbox::{Counts, Outbox},
	settings::Settings,
};
use futures::future::BoxFuture;
use gridproof_chain::{Chain, Link};
use gridproof_engine::{Engine, EngineError};
use gridproof_http::Loops;
use gridproof_keys::{AccountKey, SealedKey};
use gridproof_primitives::H256;
use gridproof_store::StoreError;
use gridproof_support::{Backoff, Clock, Lock, text::hexadecimal};
use std::{
	collections::{BTreeMap, HashMap},
	sync::{Arc, Mutex, MutexGuard, OnceLock, atomic::AtomicBool},
	time::Duration,
};
use tokio::sync::watch;

/// Name of the chain's genesis hash in the database.
const GENESIS: &str = "genesis";
/// Pauses after a coordinator or the node has failed.
pub(crate) const RETRY: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));

/// A job that is being run.
pub(crate) struct Running {
	/// Key of the coordinator that gave it.
	pub(crate) coordinator: [u8; 32],
	pub(crate) attempt: u32,
	/// `true` to give it up.
	pub(crate) cancel: Arc<AtomicBool>,
}

/// A miner at work. Clones of its [`Arc`] are the same one.
pub struct Miner {
	pub(crate) settings: Settings,
	pub(crate) key: SealedKey,
	pub(crate) engine: Arc<dyn Engine>,
	models: Vec<String>,
	pub(crate) outbox: Outbox,
	pub(crate) genesis: H256,
	pub(crate) node: Link,
	pub(crate) metrics: Metrics,
	pub(crate) clock: Clock,
	/// The loops that ask the chain.
	pub(crate) loops: Arc<Loops>,
	/// Those of each coordinator beside them.
	watched: Mutex<Vec<Arc<Loops>>>,
	running: Mutex<HashMap<H256, Running>>,
	stop: watch::Sender<bool>,
	/// The account that demands are sent from.
	account: OnceLock<AccountKey>,
}

impl Miner {
	/// Opens the database, asks the engine for its models, and learns which chain it works for: at
	/// its first run from the node, which has to be there then.
	///
	/// # Errors
	/// [`MinerError`].
	pub fn open(
		settings: Settings,
		key: SealedKey,
		engine: Arc<dyn Engine>,
		clock: Clock,
	) -> BoxFuture<'static, Result<Arc<Self>, MinerError>> {
		Box::pin(async move {
			let asked = engine.clone();
			let models = tokio::task::spawn_blocking(move || asked.models()).await;
			let broken = |_| EngineError::Failed("the engine broke off".to_string());
			let models: Vec<String> =
				models.map_err(broken)??.into_iter().map(|model| model.name).collect();
			if models.is_empty() || settings.coordinators.is_empty() || settings.slots == 0 {
				return Err(MinerError::Nothing);
			}
			let outbox = Outbox::open(&settings.folder, clock.now_ms()).await?;
			let genesis = learn_genesis(&settings, &outbox).await?;
			Ok(Arc::new(Self {
				node: Link::to_chain(settings.node.clone(), genesis),
				settings,
				key,
				engine,
				models,
				outbox,
				genesis,
				metrics: Metrics::new()?,
				clock,
				loops: Arc::default(),
				watched: Mutex::default(),
				running: Mutex::default(),
				stop: watch::channel(false).0,
				account: OnceLock::new(),
			}))
		})
	}

	/// Demands receipts on chain from this account, if their coordinator does not settle them in time.
	/// Before [`Miner::run`]; the first account stays.
	pub fn demand_from(&self, account: AccountKey) {
		let _ = self.account.set(account);
	}

	/// The account that demands are sent from, if there is one.
	pub(crate) fn account(&self) -> Option<&AccountKey> {
		self.account.get()
	}

	/// Takes no more work. Running jobs have the grace to end; then they are given back.
	pub fn stop(&self) {
		self.stop.send_replace(true);
	}

	/// Returns the number of results by what has become of them.
	///
	/// # Errors
	/// [`StoreError`].
	pub async fn counts(&self) -> Result<Counts, StoreError> {
		self.outbox.counts().await
	}

	/// Names of the models that it serves.
	pub fn models(&self) -> &[String] {
		&self.models
	}

	/// Watches more loops: those of a coordinator.
	pub fn watch(&self, loops: Arc<Loops>) {
		self.watched.locked().push(loops);
	}

	/// Returns which loop stands still, and since when; `None` if all of them run, or if the miner is
	/// stopping.
	pub fn standstill(&self) -> Option<String> {
		if self.is_stopping() {
			return None;
		}
		let of_coordinators = self.watched.locked().iter().find_map(|loops| loops.standstill());
		self.loops.standstill().or(of_coordinators)
	}

	/// Returns the seconds since the last turn of each loop; of loops of several coordinators, the most.
	pub fn idle(&self) -> BTreeMap<String, u64> {
		let mut all = self.loops.idle();
		for loops in self.watched.locked().iter() {
			for (name, seconds) in loops.idle() {
				let most = all.entry(name).or_default();
				*most = seconds.max(*most);
			}
		}
		all
	}

	/// The time, UTC milliseconds.
	pub(crate) fn now(&self) -> u64 {
		self.clock.now_ms()
	}

	pub(crate) fn is_stopping(&self) -> bool {
		*self.stop.borrow()
	}

	/// Returns when the miner is to stop.
	pub(crate) async fn stopping(&self) {
		// The sender lives as long as the miner.
		let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
	}

	pub(crate) fn running(&self) -> MutexGuard<'_, HashMap<H256, Running>> {
		self.running.locked()
	}
}

/// Returns the genesis hash of the chain that the folder belongs to. The first time only a node
/// knows; later a node that is away holds nothing up.
async fn learn_genesis(settings: &Settings, outbox: &Outbox) -> Result<H256, MinerError> {
	let known = outbox.pinned(GENESIS).await?;
	let theirs = match (Chain::connect(&settings.node).await, known) {
		(Ok(chain), _) => chain.genesis(),
		(Err(error), Some(known)) if error.is_temporary() => {
			tracing::warn!(%error, "the node is away");
			H256(known)
		},
		(Err(error), _) => return Err(error.into()),
	};
	let ours = H256(outbox.pin(GENESIS, theirs.0).await?);
	if ours == theirs {
		return Ok(ours);
	}
	let folder = settings.folder.display().to_string();
	let text = |hash: H256| hexadecimal(hash.0);
	Err(MinerError::OtherChain { folder, ours: text(ours), theirs: text(theirs) })
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn pauses_double_up_to_half_a_minute_and_start_over() {
		let mut pauses = RETRY.without_jitter().pauses();
		let first: Vec<u128> = pauses.by_ref().take(9).map(|pause| pause.as_millis()).collect();
		assert_eq!(first, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
		pauses.reset();
		assert_eq!(pauses.next_pause().as_millis(), 250);
	}
}
