//! A running gateway: its servers, and the loops between them.

use crate::{
	batching::Batcher,
	broker::{self, BrokerFault},
	config::{Broker, Settings},
	credentials::{CredentialFault, Credentials},
	deferral::Deferral,
	http::{self, Api, RunState},
	ingest::Ingest,
	ledger::Ledger,
	metrics::Metrics,
	mqtt::{self, Core, Hub, MqttFault},
	pinning::{PinFault, Pinner},
	registry::Registry,
	signing::{Outbox, Parts, Signer},
	storage::{Sqlite, Storage, StoreFault},
	submission::Submitter,
	tls::{self, TlsFault},
};
use gridproof_keys::SealedKey;
use gridproof_store::Options;
use std::{
	net::SocketAddr,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use tokio::{
	sync::{Notify, watch},
	task::JoinHandle,
};

/// The database's name in the data folder.
const DATABASE: &str = "gateway.db";
/// How often unsigned batches are looked at.
const SIGN_BEAT: Duration = Duration::from_secs(2);
/// How often signed batches are looked at that have to wait.
const SUBMIT_BEAT: Duration = Duration::from_secs(4);
/// Pause after a failure on the way to the chain; it doubles up to half a minute.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
	/// The database.
	#[error("{0}")]
	Store(#[from] StoreFault),
	/// The credentials.
	#[error("{0}")]
	Credentials(#[from] CredentialFault),
	/// Certificates.
	#[error("{0}")]
	Tls(#[from] TlsFault),
	/// The MQTT server.
	#[error("{0}")]
	Mqtt(#[from] MqttFault),
	/// The external broker.
	#[error("{0}")]
	Broker(#[from] BrokerFault),
	/// The pinning service.
	#[error("{0}")]
	Pinning(#[from] PinFault),
	/// The HTTP server.
	#[error("cannot listen on {address}: {reason}")]
	Http {
		/// Where.
		address: SocketAddr,
		/// Why.
		reason: std::io::Error,
	},
	/// The figures.
	#[error("{0}")]
	Metrics(#[from] prometheus::Error),
}

/// Where a gateway listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
	/// MQTT.
	pub mqtt: Option<SocketAddr>,
	/// MQTT over TLS.
	pub mqtts: Option<SocketAddr>,
	/// HTTP.
	pub http: Option<SocketAddr>,
}

/// A running gateway.
pub struct Gateway {
	addresses: Addresses,
	stop: watch::Sender<bool>,
	mqtt: Option<mqtt::Server>,
	tasks: Vec<JoinHandle<()>>,
	storage: Arc<dyn Storage>,
}

/// What the parts of a gateway share.
struct Shared {
	settings: Settings,
	sqlite: Sqlite,
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	metrics: Arc<Metrics>,
	ingest: Arc<Ingest>,
	hub: Arc<Hub>,
	deferral: Arc<Deferral>,
	unsigned: Arc<Notify>,
	signed: Arc<Notify>,
	state: Arc<Mutex<RunState>>,
	stopped: watch::Receiver<bool>,
}

impl Gateway {
	/// Starts a gateway. `ledger` is the chain it follows, if any; `keys` are those it signs with
	/// for meters that cannot.
	///
	/// # Errors
	/// [`StartFault`].
	pub async fn start(
		settings: Settings,
		ledger: Option<Arc<dyn Ledger>>,
		keys: Vec<SealedKey>,
		state: RunState,
	) -> Result<Self, StartFault> {
		let (stop, stopped) = watch::channel(false);
		let shared = Shared::open(settings, ledger.clone(), state, stopped).await?;
		let link = shared.settings.broker.as_ref().map(broker::link).transpose()?;
		let outbox: Arc<dyn Outbox> = match &link {
			Some((link, _)) => link.clone(),
			None => shared.hub.clone(),
		};
		let signer = ledger.as_ref().map(|ledger| shared.signer(ledger, outbox, keys));
		let batcher = shared.batcher();
		let mut tasks = Vec::new();
		if let Some((link, events)) = link {
			let (ingest, signer) = (shared.ingest.clone(), signer.clone());
			let stopped = shared.stopped.clone();
			tasks.push(tokio::spawn(broker::drive(link, events, ingest, signer, stopped)));
		}
		let mqtt = shared.mqtt(signer.clone()).await?;
		let mut addresses = Addresses {
			mqtt: mqtt.as_ref().and_then(|server| server.address),
			mqtts: mqtt.as_ref().and_then(|server| server.tls_address),
			http: None,
		};
		shared.note(|state| {
			state.broker = shared.settings.broker.as_ref().map(shown);
			state.mqtt = addresses.mqtt.map(|address| address.to_string());
			state.mqtts = addresses.mqtts.map(|address| address.to_string());
		});
		if let Some(address) = shared.settings.http {
			let api = shared.api(batcher.clone())?;
			let served = http::serve(api, &shared.settings, address, shared.stopped.clone());
			let (bound, task) =
				served.await.map_err(|reason| StartFault::Http { address, reason })?;
			addresses.http = Some(bound);
			tasks.push(task);
		}
		tasks.extend(shared.loops(batcher, signer, ledger)?);
		Ok(Self { addresses, stop, mqtt, tasks, storage: shared.storage.clone() })
	}

	/// Where it listens.
	pub const fn addresses(&self) -> Addresses {
		self.addresses
	}

	/// What it keeps.
	pub fn storage(&self) -> &Arc<dyn Storage> {
		&self.storage
	}

	/// Stops listening, ends what is on its way, closes the database.
	pub async fn stop(self) {
		let _ = self.stop.send(true);
		if let Some(mqtt) = self.mqtt {
			mqtt.stop().await;
		}
		for task in self.tasks {
			let abort = task.abort_handle();
			if tokio::time::timeout(Duration::from_secs(10), task).await.is_err() {
				abort.abort();
			}
		}
	}
}

impl Shared {
	async fn open(
		settings: Settings,
		ledger: Option<Arc<dyn Ledger>>,
		state: RunState,
		stopped: watch::Receiver<bool>,
	) -> Result<Self, StartFault> {
		let options = Options { max_bytes: settings.max_bytes, ..Options::default() };
		let sqlite = Sqlite::open(&settings.data.join(DATABASE), &options)?;
		let storage: Arc<dyn Storage> = Arc::new(sqlite.clone());
		let registry = Registry::open(storage.clone(), ledger).await?;
		let metrics = Arc::new(Metrics::new()?);
		let ingest = Arc::new(Ingest::new(
			storage.clone(),
			registry.clone(),
			metrics.clone(),
			settings.max_ahead_ms,
		));
		Ok(Self {
			settings,
			sqlite,
			storage,
			registry,
			metrics,
			ingest,
			hub: Arc::default(),
			deferral: Arc::default(),
			unsigned: Arc::default(),
			signed: Arc::default(),
			state: Arc::new(Mutex::new(state)),
			stopped,
		})
	}

	fn note(&self, change: impl FnOnce(&mut RunState)) {
		change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
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
		outbox: Arc<dyn Outbox>,
		keys: Vec<SealedKey>,
	) -> Arc<Signer> {
		Arc::new(Signer::new(Parts {
			storage: self.storage.clone(),
			registry: self.registry.clone(),
			ledger: ledger.clone(),
			ingest: self.ingest.clone(),
			metrics: self.metrics.clone(),
			deferral: self.deferral.clone(),
			outbox,
			keys,
			timeout: self.settings.sign_timeout,
			unsigned: self.unsigned.clone(),
			signed: self.signed.clone(),
		}))
	}

	async fn mqtt(&self, signer: Option<Arc<Signer>>) -> Result<Option<mqtt::Server>, StartFault> {
		if self.settings.mqtt.is_none() && self.settings.mqtts.is_none() {
			return Ok(None);
		}
		let tls = match &self.settings.mqtts {
			Some(tls) => Some((tls.listen, tls::server(tls)?)),
			None => None,
		};
		let core = Core {
			ingest: self.ingest.clone(),
			signer,
			hub: self.hub.clone(),
			credentials: Credentials::open(&self.settings.data)?,
			metrics: self.metrics.clone(),
			anonymous: self.settings.anonymous,
		};
		Ok(Some(mqtt::start(Arc::new(core), self.settings.mqtt, tls).await?))
	}

	fn api(&self, batcher: Arc<Batcher>) -> Result<Arc<Api>, StartFault> {
		Ok(Arc::new(Api {
			storage: self.storage.clone(),
			sqlite: self.sqlite.clone(),
			registry: self.registry.clone(),
			ingest: self.ingest.clone(),
			batcher,
			metrics: self.metrics.clone(),
			hub: self.hub.clone(),
			credentials: Credentials::open(&self.settings.data)?,
			anonymous: self.settings.anonymous,
			admin_key: self.settings.admin_key.clone(),
			wake: vec![self.unsigned.clone(), self.signed.clone()],
			state: self.state.clone(),
		}))
	}

	fn loops(
		&self,
		batcher: Arc<Batcher>,
		signer: Option<Arc<Signer>>,
		ledger: Option<Arc<dyn Ledger>>,
	) -> Result<Vec<JoinHandle<()>>, StartFault> {
		let mut tasks = vec![tokio::spawn(batch(
			batcher,
			self.settings.batching.tick,
			self.state.clone(),
			self.stopped.clone(),
		))];
		if let Some(signer) = signer {
			let (unsigned, stopped) = (self.unsigned.clone(), self.stopped.clone());
			tasks.push(tokio::spawn(sign(signer, unsigned, stopped)));
		}
		if let Some(ledger) = ledger {
			let submitter = Submitter::new(
				self.storage.clone(),
				self.registry.clone(),
				ledger,
				self.metrics.clone(),
			);
			tasks.push(tokio::spawn(submit(
				submitter,
				self.signed.clone(),
				self.state.clone(),
				self.stopped.clone(),
			)));
			let (registry, age) = (self.registry.clone(), self.settings.refresh);
			tasks.push(tokio::spawn(refresh(registry, age, self.stopped.clone())));
		}
		if let Some(pinning) = &self.settings.pinning {
			let pinner = Pinner::new(self.storage.clone(), pinning.clone())?;
			tasks.push(tokio::spawn(pin(pinner, self.stopped.clone())));
		}
		Ok(tasks)
	}
}

/// Waits until the gateway stops.
pub(crate) async fn stopped(stopped: &mut watch::Receiver<bool>) {
	let _ = stopped.wait_for(|stop| *stop).await;
}

/// Waits; true if the gateway stops.
async fn stops(
	stopped: &mut watch::Receiver<bool>,
	pause: Duration,
	woken: Option<&Notify>,
) -> bool {
	let woken = async {
		match woken {
			Some(notify) => notify.notified().await,
			None => std::future::pending().await,
		}
	};
	tokio::select! {
		() = self::stopped(stopped) => true,
		() = woken => false,
		() = tokio::time::sleep(pause) => false,
	}
}

fn trouble(state: &Mutex<RunState>, text: Option<String>) {
	state.lock().unwrap_or_else(PoisonError::into_inner).trouble = text;
}

async fn batch(
	batcher: Arc<Batcher>,
	tick: Duration,
	state: Arc<Mutex<RunState>>,
	mut stopped: watch::Receiver<bool>,
) {
	let mut pause = tick;
	while !stops(&mut stopped, pause, None).await {
		let begin = std::time::Instant::now();
		match batcher.round(false).await {
			// What takes long is not done all the time.
			Ok(_) => pause = tick.max(begin.elapsed().saturating_mul(4)),
			Err(fault) => {
				tracing::error!(%fault, "no batch can be made");
				trouble(&state, Some(fault.to_string()));
				pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
			},
		}
	}
}

async fn sign(signer: Arc<Signer>, unsigned: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
	while !stops(&mut stopped, SIGN_BEAT, Some(&unsigned)).await {
		if let Err(fault) = signer.round().await {
			tracing::error!(%fault, "signatures wait");
		}
	}
}

async fn submit(
	submitter: Submitter,
	signed: Arc<Notify>,
	state: Arc<Mutex<RunState>>,
	mut stopped: watch::Receiver<bool>,
) {
	let mut pause = FIRST_PAUSE;
	let mut more = true;
	loop {
		if !more && stops(&mut stopped, SUBMIT_BEAT, Some(&signed)).await {
			return;
		}
		if *stopped.borrow() {
			return;
		}
		match submitter.round().await {
			Ok(again) => {
				more = again;
				pause = FIRST_PAUSE;
				trouble(&state, None);
			},
			Err(setback) => {
				tracing::warn!(%setback, "batches wait");
				trouble(&state, Some(setback.to_string()));
				if stops(&mut stopped, pause, None).await {
					return;
				}
				more = true;
				pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
			},
		}
	}
}

async fn refresh(registry: Arc<Registry>, age: Duration, mut stopped: watch::Receiver<bool>) {
	let mut pause = Duration::ZERO;
	while !stops(&mut stopped, pause, None).await {
		pause = age;
		if let Err(failure) = registry.refresh_all().await {
			pause = age.min(Duration::from_secs(5));
			tracing::warn!(%failure, "the chain cannot be asked for meters");
		}
	}
}

async fn pin(pinner: Pinner, mut stopped: watch::Receiver<bool>) {
	let mut pause = FIRST_PAUSE;
	while !stops(&mut stopped, pause, None).await {
		match pinner.round().await {
			Ok(0) => pause = Duration::from_secs(5),
			Ok(_) => pause = Duration::ZERO,
			Err(fault) => {
				tracing::warn!(%fault, "files wait to be pinned");
				pause = pause.max(FIRST_PAUSE).saturating_mul(2).min(LONGEST_PAUSE);
			},
		}
	}
}

/// A broker's address without its password.
fn shown(broker: &Broker) -> String {
	let url = broker.url.as_str();
	match (url.find("://"), url.rfind('@')) {
		(Some(scheme), Some(at)) => {
			let scheme_end = scheme.saturating_add(3);
			let host = at.saturating_add(1);
			format!(
				"{}{}",
				url.get(..scheme_end).unwrap_or_default(),
				url.get(host..).unwrap_or_default()
			)
		},
		_ => url.to_string(),
	}
}
