//! The miner: it takes jobs from coordinators, runs them, signs receipts, and is paid by the chain.
//!
//! | module | holds |
//! |---|---|
//! | [`execute`](mod@execute) | a specification run by an engine |
//! | [`assignment`] | what is checked before, and signed after |
//! | [`outbox`] | results that were signed, until they are delivered |
//! | [`client`] | requests to a coordinator |
//! | [`chain`] | registration, heartbeats, payouts |
//!
//! A result is on disk before its coordinator sees it. A job that comes again gets the receipt that
//! was signed for it before. Coordinator and node may be away for as long as they like: both are
//! tried again with growing pauses.

pub mod assignment;
pub mod chain;
pub mod client;
pub mod execute;
mod link;
pub mod outbox;

pub use chain::MinerChain;
pub use execute::execute;
pub use outbox::{Counts, Outbox};

use client::{Client, ClientFault};
use gridproof_chain::Failure;
use gridproof_engine::{Engine, EngineFault};
use gridproof_keys::SealedKey;
use gridproof_primitives::{H256, compute::Class};
use gridproof_store::StoreFault;
use link::Link;
use std::{
	collections::HashMap,
	path::PathBuf,
	sync::{
		Arc, Mutex, MutexGuard, PoisonError,
		atomic::{AtomicBool, Ordering},
	},
	time::Duration,
};
use tokio::sync::watch;

/// What the chain's genesis hash is kept as.
const GENESIS: &str = "genesis";

/// How a miner behaves.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Folder of its database.
	pub folder: PathBuf,
	/// Addresses of the coordinators to work for.
	pub coordinators: Vec<String>,
	/// The node, `ws://…`.
	pub node: String,
	/// What it computes with; as registered on chain.
	pub class: Class,
	/// Jobs at a time, of each coordinator.
	pub slots: u32,
	/// How long a stop waits for running jobs.
	pub grace: Duration,
}

/// Why a miner does not run.
#[derive(Debug, thiserror::Error)]
pub enum MinerFault {
	/// The engine is not usable.
	#[error(transparent)]
	Engine(#[from] EngineFault),
	/// The database is not usable.
	#[error(transparent)]
	Store(#[from] StoreFault),
	/// A coordinator's address is none.
	#[error(transparent)]
	Client(#[from] ClientFault),
	/// The node's address is none, or its runtime another one.
	#[error(transparent)]
	Chain(#[from] Failure),
	/// The data folder is of another chain.
	#[error("the folder {folder} is of the chain {ours}, the node's is {theirs}; use another one")]
	OtherChain {
		/// The data folder.
		folder: String,
		/// The chain that it was used with.
		ours: String,
		/// The node's chain.
		theirs: String,
	},
	/// Nothing to work for.
	#[error("no coordinator, slot or model to work with")]
	Nothing,
}

/// A job that is being run.
struct Running {
	coordinator: [u8; 32],
	attempt: u32,
	cancel: Arc<AtomicBool>,
}

/// A miner.
pub struct Miner {
	settings: Settings,
	key: SealedKey,
	engine: Arc<dyn Engine>,
	models: Vec<String>,
	outbox: Outbox,
	genesis: H256,
	running: Mutex<HashMap<H256, Running>>,
	stop: watch::Sender<bool>,
	clock: crate::coordinator::Clock,
}

impl Miner {
	/// Opens the database, asks the engine for its models, and learns which chain it works for: at
	/// its first run from the node, which has to be there then.
	///
	/// # Errors
	/// [`MinerFault`].
	pub async fn open(
		settings: Settings,
		key: SealedKey,
		engine: Arc<dyn Engine>,
		clock: crate::coordinator::Clock,
	) -> Result<Arc<Self>, MinerFault> {
		let asked = engine.clone();
		let models = tokio::task::spawn_blocking(move || asked.models()).await;
		let broken = |_| EngineFault::Failed("the engine broke off".to_string());
		let models: Vec<String> =
			models.map_err(broken)??.into_iter().map(|model| model.name).collect();
		if models.is_empty() || settings.coordinators.is_empty() || settings.slots == 0 {
			return Err(MinerFault::Nothing);
		}
		let outbox = Outbox::open(&settings.folder, clock()).await?;
		let genesis = learn_genesis(&settings, &outbox).await?;
		let (stop, _) = watch::channel(false);
		let running = Mutex::new(HashMap::new());
		Ok(Arc::new(Self { settings, key, engine, models, outbox, genesis, running, stop, clock }))
	}

	/// Works until [`Miner::stop`], and then until what it holds is done, or the grace is over.
	///
	/// # Errors
	/// [`MinerFault::Client`] if a coordinator's address is none.
	pub async fn run(self: &Arc<Self>) -> Result<(), MinerFault> {
		let links = self.settings.coordinators.iter().map(|url| Client::new(url));
		let links: Vec<Link> = links
			.map(|client| client.map(|client| Link::new(self.clone(), client)))
			.collect::<Result<_, _>>()?;
		let working = futures::future::join_all(links.iter().map(Link::run));
		tokio::select! {
			_ = working => (),
			() = self.on_chain() => (),
			() = self.end() => (),
		}
		Ok(())
	}

	/// Takes no more work. Running jobs have the grace to end; then they are given back.
	pub fn stop(&self) {
		self.stop.send_replace(true);
	}

	/// How many results stand where.
	///
	/// # Errors
	/// [`StoreFault`].
	pub async fn counts(&self) -> Result<Counts, StoreFault> {
		self.outbox.counts().await
	}

	/// The models that it serves.
	pub fn models(&self) -> &[String] {
		&self.models
	}

	/// Comes back when the grace is over and everything had a moment more to give back its jobs.
	async fn end(&self) {
		self.stopping().await;
		tokio::time::sleep(self.settings.grace).await;
		for running in self.running().values() {
			running.cancel.store(true, Ordering::Relaxed);
		}
		tokio::time::sleep(Duration::from_secs(15)).await;
	}

	/// Heartbeats and payouts, as long as the miner lives.
	async fn on_chain(&self) {
		let (mut backoff, mut chain) = (Backoff::default(), None);
		loop {
			let done = match &chain {
				None => self.connect().await.map(|connected| {
					chain = Some(connected);
					Duration::ZERO
				}),
				Some(chain) => self.account_for(chain).await,
			};
			let pause = match done {
				Ok(pause) => {
					backoff.reset();
					pause
				},
				Err(failure) => {
					let pause = backoff.pause();
					tracing::warn!(%failure, ?pause, "the chain has to wait");
					if failure.is_temporary() {
						chain = None;
					}
					pause
				},
			};
			tokio::time::sleep(pause).await;
		}
	}

	async fn connect(&self) -> Result<MinerChain, Failure> {
		let chain = MinerChain::connect(&self.settings.node).await?;
		if chain.genesis() == self.genesis {
			return Ok(chain);
		}
		let reason = "it serves another chain than this miner's".to_string();
		Err(Failure::Unreachable { url: self.settings.node.clone(), reason })
	}

	/// One heartbeat, and what is due is claimed. The time until the next.
	async fn account_for(&self, chain: &MinerChain) -> Result<Duration, Failure> {
		let (parameters, me) = (chain.parameters().await?, self.key.public());
		let Some(view) = chain.miner(me).await? else {
			tracing::warn!("the chain knows no such miner: run gridproof miner register");
			return Ok(Duration::from_secs(30));
		};
		if view.party.claimable > 0 {
			match chain.claim_emission(me).await {
				Ok(paid) => tracing::info!(block = %paid.block, "what was earned is paid"),
				Err(failure) if failure.is_temporary() => return Err(failure),
				// Somebody else may have had it paid just now.
				Err(failure) => tracing::warn!(%failure, "what was earned is not paid yet"),
			}
		}
		// Often enough to count as online, with room for one that gets lost.
		let every = (parameters.heartbeat_max_ms / 3).max(parameters.heartbeat_min_ms);
		let since = self.now().saturating_sub(view.heartbeat_ms);
		if since >= every {
			match chain.heartbeat(&self.key, self.now()).await {
				Ok(_) => tracing::debug!("heartbeat"),
				Err(failure) if failure.is_temporary() => return Err(failure),
				Err(failure) => tracing::warn!(%failure, "a heartbeat was refused"),
			}
		}
		// Soon enough for a step that ends meanwhile.
		Ok(Duration::from_millis(every.clamp(1_000, 30_000)))
	}

	fn now(&self) -> u64 {
		(self.clock)()
	}

	fn is_stopping(&self) -> bool {
		*self.stop.borrow()
	}

	async fn stopping(&self) {
		// The sender lives as long as the miner.
		let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
	}

	fn running(&self) -> MutexGuard<'_, HashMap<H256, Running>> {
		self.running.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// The chain that the folder is of. The first time only a node can tell; later a node that is away
/// holds nothing up.
async fn learn_genesis(settings: &Settings, outbox: &Outbox) -> Result<H256, MinerFault> {
	let known = outbox.pinned(GENESIS).await?;
	let theirs = match (MinerChain::connect(&settings.node).await, known) {
		(Ok(chain), _) => chain.genesis(),
		(Err(failure), Some(known)) if failure.is_temporary() => {
			tracing::warn!(%failure, "the node is away");
			H256(known)
		},
		(Err(failure), _) => return Err(failure.into()),
	};
	let ours = H256(outbox.pin(GENESIS, theirs.0).await?);
	if ours == theirs {
		return Ok(ours);
	}
	let folder = settings.folder.display().to_string();
	let text = |hash: H256| format!("0x{}", hex::encode(hash.0));
	Err(MinerFault::OtherChain { folder, ours: text(ours), theirs: text(theirs) })
}

/// Pauses that double from a quarter of a second up to half a minute.
#[derive(Default)]
struct Backoff(u32);

impl Backoff {
	fn pause(&mut self) -> Duration {
		let factor = 2u32.saturating_pow(self.0.min(16));
		self.0 = self.0.saturating_add(1);
		Duration::from_millis(250).saturating_mul(factor).min(Duration::from_secs(30))
	}

	const fn reset(&mut self) {
		self.0 = 0;
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn pauses_double_up_to_half_a_minute_and_begin_anew() {
		let mut backoff = Backoff::default();
		let pauses: Vec<u128> = (0..9).map(|_| backoff.pause().as_millis()).collect();
		assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
		backoff.reset();
		assert_eq!(backoff.pause().as_millis(), 250);
	}
}
