//! A running gateway: the ways that readings come in, and the loops behind them.

use crate::{
	batching::Batcher,
	board::Board,
	config::Settings,
	credentials::{CredentialError, Credentials},
	deferral::Deferral,
	http::{Api, Changes},
	ingest::Ingest,
	intake::{BoxError, Broker, BrokerError, Embedded, Gate, Http, Intake},
	ledger::Ledger,
	message::Source,
	metrics::Metrics,
	pinning::{PinError, Pinner},
	registry::Registry,
	signing::{Outbox, Signer, SignerParts},
	stop::{finish, pause},
	storage::{Sqlite, Storage},
	submission::Submitter,
};
use gridproof_http::{AdminKey, MetricsError, Protected};
use gridproof_keys::SealedKey;
use gridproof_store::{Options, StoreError};
use gridproof_support::{Backoff, Stop, Stopper};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};

/// The database's name in the data folder.
const DATABASE: &str = "gateway.db";
/// How often unsigned batches are looked at.
const SIGN_BEAT: Duration = Duration::from_secs(2);
/// How often signed batches are looked at that have to wait.
const SUBMIT_BEAT: Duration = Duration::from_secs(4);
/// How often files are looked for that are not pinned.
const PIN_BEAT: Duration = Duration::from_secs(5);
/// Longest pause of a loop that fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Pauses after failures on the way to the chain and to the pinning service.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), LONGEST_PAUSE);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
	/// The database cannot be used.
	#[error("{0}")]
	Store(#[from] StoreError),
	/// The credentials cannot be used.
	#[error("{0}")]
	Credentials(#[from] CredentialError),
	/// The external broker cannot be used.
	#[error("{0}")]
	Broker(#[from] BrokerError),
	/// A way that readings come in does not start.
	#[error("{name}: {error}")]
	Intake {
		/// The name of the way.
		name: Source,
		/// What happened.
		error: BoxError,
	},
	/// The pinning service cannot be used.
	#[error("{0}")]
	Pinning(#[from] PinError),
	/// The figures cannot be set up: a defect.
	#[error("{0}")]
	Metrics(#[from] MetricsError),
}

/// What a gateway is given besides its settings.
#[derive(Default)]
pub struct Parts {
	/// The chain that it follows, if any.
	pub ledger: Option<Arc<dyn Ledger>>,
	/// URL of that chain's node, for the status.
	pub chain: Option<String>,
	/// The keys that it signs with for meters that cannot.
	pub keys: Vec<SealedKey>,
	/// Ways that readings come in, besides those of the settings.
	pub intakes: Vec<Box<dyn Intake>>,
}

/// A running gateway.
pub struct Gateway {
	board: Arc<Board>,
	stopper: Stopper,
	intakes: Vec<Box<dyn Intake>>,
	tasks: Vec<JoinHandle<()>>,
	storage: Arc<dyn Storage>,
}

/// What the parts of a gateway share.
struct Shared {
	settings: Settings,
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	credentials: Arc<Credentials>,
	metrics: Arc<Metrics>,
	ingest: Arc<Ingest>,
	deferral: Arc<Deferral>,
	unsigned: Arc<Notify>,
	signed: Arc<Notify>,
	board: Arc<Board>,
	stop: Stop,
}

/// The ways that readings come in that the settings name. A new one gets its line here.
fn intakes(settings: &Settings) -> Result<Vec<Box<dyn Intake>>, StartError> {
	let mut intakes: Vec<Box<dyn Intake>> = Vec::new();
	intakes.extend(Broker::of(settings)?.map(boxed));
	intakes.extend(Embedded::of(settings).map(boxed));
	Ok(intakes)
}

fn boxed(intake: impl Intake) -> Box<dyn Intake> {
	Box::new(intake)
}

impl Gateway {
	/// Starts a gateway.
	///
	/// # Errors
	/// [`StartError`]; nothing runs then.
	pub async fn start(settings: Settings, parts: Parts) -> Result<Self, StartError> {
		let Parts { ledger, chain, keys, intakes: others } = parts;
		let stopper = Stopper::new();
		let board = Arc::new(Board::new(chain));
		let shared =
			Shared::open(settings, ledger.clone(), board.clone(), stopper.signal()).await?;
		let mut intakes = intakes(&shared.settings)?;
		intakes.extend(others);
		let outboxes = intakes.iter().filter_map(|intake| intake.outbox()).collect();
		let signer = ledger.as_ref().map(|ledger| shared.signer(ledger, outboxes, keys));
		let batcher = shared.batcher();
		// The API comes last: it shows the others.
		if let Some(address) = shared.settings.http {
			let api = shared.api(batcher.clone());
			intakes.push(boxed(Http::new(api, &shared.settings, address)));
		}
		let storage = shared.storage.clone();
		let mut gateway = Self { board, stopper, intakes, tasks: Vec::new(), storage };
		let started = gateway.start_intakes(&shared.gate(signer.clone())).await;
		match started.and_then(|()| shared.loops(batcher, signer, ledger)) {
			Ok(tasks) => gateway.tasks = tasks,
			Err(error) => {
				gateway.stop().await;
				return Err(error);
			},
		}
		Ok(gateway)
	}

	async fn start_intakes(&mut self, gate: &Gate) -> Result<(), StartError> {
		for intake in &mut self.intakes {
			let name = intake.source();
			let started = intake.start(gate.clone()).await;
			started.map_err(|error| StartError::Intake { name, error })?;
			self.board.started(name, intake.addresses(), intake.health());
		}
		Ok(())
	}

	/// Where something of this name is served: `mqtt`, `mqtts`, `http`, or the name of an
	/// [`Address`](crate::health::Address) of an intake of your own.
	pub fn address(&self, name: &str) -> Option<SocketAddr> {
		self.board.address(name)?.parse().ok()
	}

	/// The readings, batches and dead letters that it keeps.
	pub fn storage(&self) -> &Arc<dyn Storage> {
		&self.storage
	}

	/// Stops listening, finishes what is on its way, closes the database.
	pub async fn stop(mut self) {
		self.stopper.stop();
		for intake in &mut self.intakes {
			intake.stop().await;
		}
		for task in self.tasks {
			finish(task).await;
		}
	}
}

impl Shared {
	async fn open(
		settings: Settings,
		ledger: Option<Arc<dyn Ledger>>,
		board: Arc<Board>,
		stop: Stop,
	) -> Result<Self, StartError> {
		let options = Options { max_bytes: settings.max_bytes, ..Options::default() };
		let sqlite = Sqlite::open(&settings.data.join(DATABASE), &options)?;
		let storage: Arc<dyn Storage> = Arc::new(sqlite);
		let registry = Registry::open(storage.clone(), ledger).await?;
		let credentials = Arc::new(Credentials::open(&settings.data)?);
		let metrics = Arc::new(Metrics::new()?);
		let ingest = Arc::new(Ingest::new(
			storage.clone(),
			registry.clone(),
			metrics.clone(),
			settings.max_ahead_ms,
		));
		Ok(Self {
			settings,
			storage,
			registry,
			credentials,
			metrics,
			ingest,
			deferral: Arc::default(),
			unsigned: Arc::default(),
			signed: Arc::default(),
			board,
			stop,
		})
	}

	fn gate(&self, signer: Option<Arc<Signer>>) -> Gate {
		Gate {
			ingest: self.ingest.clone(),
			signer,
			credentials: self.credentials.clone(),
			anonymous: self.settings.anonymous,
			metrics: self.metrics.clone(),
		}
	}

	fn batcher(&self) -> Arc<Batcher> {
		Arc::new(Batcher::new(
			self.storage.clone(),
			self.registry.clone(),
			self.settings.batching,
			self.deferral.clone(),
			self.unsigned.clone(),
		))
	}

	fn signer(
		&self,
		ledger: &Arc<dyn Ledger>,
		outboxes: Vec<Arc<dyn Outbox>>,
		keys: Vec<SealedKey>,
	) -> Arc<Signer> {
		Arc::new(Signer::new(SignerParts {
			storage: self.storage.clone(),
			registry: self.registry.clone(),
			ledger: ledger.clone(),
			ingest: self.ingest.clone(),
			metrics: self.metrics.clone(),
			deferral: self.deferral.clone(),
			outboxes,
			keys,
			timeout: self.settings.sign_timeout,
			unsigned: self.unsigned.clone(),
			signed: self.signed.clone(),
		}))
	}

	fn api(&self, batcher: Arc<Batcher>) -> Arc<Api> {
		let changes = Changes {
			storage: self.storage.clone(),
			batcher,
			wake: vec![self.unsigned.clone(), self.signed.clone()],
		};
		Arc::new(Api {
			storage: self.storage.clone(),
			registry: self.registry.clone(),
			board: self.board.clone(),
			metrics: self.metrics.clone(),
			admin: AdminKey::new(self.settings.admin_key.clone()),
			changes: Protected::new(Arc::new(changes)),
		})
	}

	fn loops(
		&self,
		batcher: Arc<Batcher>,
		signer: Option<Arc<Signer>>,
		ledger: Option<Arc<dyn Ledger>>,
	) -> Result<Vec<JoinHandle<()>>, StartError> {
		let (board, tick) = (self.board.clone(), self.settings.batching.tick);
		let mut tasks = vec![tokio::spawn(batch(batcher, tick, board, self.stop.clone()))];
		if let Some(signer) = signer {
			tasks.push(tokio::spawn(sign(signer, self.unsigned.clone(), self.stop.clone())));
		}
		if let Some(ledger) = ledger {
			let submitter = Submitter::new(
				self.storage.clone(),
				self.registry.clone(),
				ledger,
				self.metrics.clone(),
			);
			let (signed, board) = (self.signed.clone(), self.board.clone());
			tasks.push(tokio::spawn(submit(submitter, signed, board, self.stop.clone())));
			let (registry, age) = (self.registry.clone(), self.settings.refresh);
			tasks.push(tokio::spawn(refresh(registry, age, self.stop.clone())));
		}
		if let Some(pinning) = &self.settings.pinning {
			let pinner = Pinner::new(self.storage.clone(), pinning.clone())?;
			tasks.push(tokio::spawn(pin(pinner, self.stop.clone())));
		}
		Ok(tasks)
	}
}

async fn batch(batcher: Arc<Batcher>, tick: Duration, board: Arc<Board>, stop: Stop) {
	let mut beat = tick;
	while pause(&stop, beat, None).await {
		let begin = std::time::Instant::now();
		match batcher.round(false).await {
			// What takes long is not done all the time.
			Ok(_) => beat = tick.max(begin.elapsed().saturating_mul(4)),
			Err(error) => {
				tracing::error!(%error, "no batch can be made");
				board.trouble(Some(error.to_string()));
				beat = beat.saturating_mul(2).min(LONGEST_PAUSE);
			},
		}
	}
}

async fn sign(signer: Arc<Signer>, unsigned: Arc<Notify>, stop: Stop) {
	while pause(&stop, SIGN_BEAT, Some(&unsigned)).await {
		if let Err(error) = signer.round().await {
			tracing::error!(%error, "signatures wait");
		}
	}
}

async fn submit(submitter: Submitter, signed: Arc<Notify>, board: Arc<Board>, stop: Stop) {
	let mut pauses = PAUSES.pauses();
	let mut more = true;
	loop {
		if !more && !pause(&stop, SUBMIT_BEAT, Some(&signed)).await {
			return;
		}
		if stop.is_stopped() {
			return;
		}
		match submitter.round().await {
			Ok(again) => {
				more = again;
				pauses.reset();
				board.trouble(None);
			},
			Err(error) => {
				tracing::warn!(%error, "batches wait");
				board.trouble(Some(error.to_string()));
				if !stop.pause(pauses.next_pause()).await {
					return;
				}
				more = true;
			},
		}
	}
}

async fn refresh(registry: Arc<Registry>, age: Duration, stop: Stop) {
	let mut beat = Duration::ZERO;
	while stop.pause(beat).await {
		beat = age;
		if let Err(error) = registry.refresh_all().await {
			beat = age.min(Duration::from_secs(5));
			tracing::warn!(%error, "the chain cannot be asked for meters");
		}
	}
}

async fn pin(pinner: Pinner, stop: Stop) {
	let mut pauses = PAUSES.pauses();
	let mut beat = PAUSES.pause_after(1);
	while stop.pause(beat).await {
		match pinner.round().await {
			Ok(pinned) => {
				pauses.reset();
				beat = if pinned == 0 { PIN_BEAT } else { Duration::ZERO };
			},
			Err(error) => {
				tracing::warn!(%error, "files wait to be pinned");
				beat = pauses.next_pause();
			},
		}
	}
}
