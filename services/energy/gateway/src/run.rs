//! A running gateway: the ways that readings come in, and the loops behind them.

use crate::{
	archiving::Archiver,
	batching::{Batcher, BatcherParts},
	board::Board,
	config::{Settings, SettingsError},
	credentials::{CredentialError, Credentials},
	deferral::Deferral,
	http::{Api, Census, Changes},
	ingest::Ingest,
	intake::{BoxError, Broker, BrokerError, Embedded, Gate, Http, Intake},
	ledger::Ledger,
	message::Source,
	metrics::Metrics,
	notices::{Notices, Outbox},
	pinning::{PinError, Pinner},
	recovery::Recovery,
	registry::Registry,
	signing::{Signer, SignerParts},
	stop::{finish, pause},
	storage::{Sqlite, Storage},
	submission::Submitter,
	succession::Succession,
};
use axum::Router;
use futures::future::{BoxFuture, LocalBoxFuture};
use gridproof_http::{AdminKey, MetricsError, Protected};
use gridproof_keys::SealedKey;
use gridproof_store::{Options, StoreError};
use gridproof_support::{Backoff, Stop, Stopper, supervision};
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};

/// The database's name in the data folder.
const DATABASE: &str = "gateway.db";
/// How often unsigned batches are looked at.
const SIGN_BEAT: Duration = Duration::from_secs(2);
/// How often signed batches are looked at that have to wait.
const SUBMIT_BEAT: Duration = Duration::from_secs(4);
/// How often files are looked for that are not pinned.
const PIN_BEAT: Duration = Duration::from_secs(5);
/// Pause between two pieces that are deleted: readings have the database in between.
const PIECE_PAUSE: Duration = Duration::from_millis(50);
/// Longest time of a round: what takes longer hangs, and `/health` says so.
const LONGEST_ROUND: Duration = Duration::from_secs(600);
/// The same for submissions, which wait for finality.
const LONGEST_SUBMISSION: Duration = Duration::from_secs(1_800);
/// Longest pause of a loop that fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Longest pause of a loop that found its node away: so long after the node is back, the status says so.
const AWAY_PAUSE: Duration = Duration::from_secs(5);
/// Pauses after failures on the way to the chain and to the pinning service.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), LONGEST_PAUSE);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
	/// The database cannot be used.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The settings are refused.
	#[error(transparent)]
	Settings(#[from] SettingsError),
	/// The credentials cannot be used.
	#[error(transparent)]
	Credentials(#[from] CredentialError),
	/// The external broker cannot be used.
	#[error(transparent)]
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
	#[error(transparent)]
	Pinning(#[from] PinError),
	/// The figures cannot be set up: a defect.
	#[error(transparent)]
	Metrics(#[from] MetricsError),
}

/// A part of a gateway that should run as long as it has ended: a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} has ended, which is a defect: start the gateway again")]
pub struct PartEnded(pub &'static str);

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
	/// A web page that is served where the API is, at every path that is none of the API's.
	pub page: Option<Router>,
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
	succession: Arc<Succession>,
	notices: Arc<Notices>,
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
	pub fn start(settings: Settings, parts: Parts) -> BoxFuture<'static, Result<Self, StartError>> {
		Box::pin(async move {
			settings.check()?;
			let Parts { ledger, chain, keys, intakes: others, page } = parts;
			let stopper = Stopper::new();
			let board = Arc::new(Board::new(chain));
			let shared =
				Shared::open(settings, ledger.clone(), board.clone(), stopper.signal()).await?;
			let mut intakes = intakes(&shared.settings)?;
			intakes.extend(others);
			let outboxes: Vec<_> = intakes.iter().filter_map(|intake| intake.outbox()).collect();
			shared.notices.open(outboxes.clone());
			let signer = ledger.as_ref().map(|ledger| shared.signer(ledger, outboxes, keys));
			let batcher = shared.batcher();
			// The API comes last: it shows the others.
			if let Some(address) = shared.settings.http {
				let api = shared.api(batcher.clone());
				intakes.push(boxed(Http::new(api, &shared.settings, address, page)));
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
			let (board, stop) = (gateway.board.clone(), gateway.stopper.signal());
			tokio::spawn(supervision::report(stop, move || board.stuck()));
			Ok(gateway)
		})
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

	/// Returns when a part of the gateway has ended that should not, with its name: the gateway cannot
	/// do its work any more, and has to be started again.
	pub async fn failed(&self) -> &'static str {
		self.board.ended().await
	}

	/// Runs until the program is to end, or a part of the gateway has ended that should not; then stops
	/// all of it.
	///
	/// # Errors
	/// [`PartEnded`].
	pub fn run_until(self, stop: &Stop) -> LocalBoxFuture<'_, Result<(), PartEnded>> {
		Box::pin(async move {
			let ended = tokio::select! {
				biased;
				() = stop.stopped() => Ok(()),
				part = self.failed() => Err(PartEnded(part)),
			};
			self.stop().await;
			ended
		})
	}

	/// Stops listening, finishes what is on its way, closes the database.
	pub async fn stop(mut self) {
		self.stopper.stop();
		for intake in &mut self.intakes {
			intake.stop().await;
		}
		// Side by side, so that one that takes its time holds up no other.
		futures::future::join_all(self.tasks.into_iter().map(finish)).await;
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
		let mut sqlite = Sqlite::open(&settings.data.join(DATABASE), &options)?;
		if let Some(archiving) = &settings.archiving {
			sqlite = sqlite.with_archive_bytes(archiving.max_file_bytes);
		}
		let found = sqlite.find_archives().await?;
		if found > 0 {
			tracing::warn!(files = found, "archive files that the database did not know are used");
		}
		let storage: Arc<dyn Storage> = Arc::new(sqlite);
		let registry = Registry::open(storage.clone(), ledger).await?;
		let credentials = Arc::new(Credentials::open(&settings.data)?);
		let metrics = Arc::new(Metrics::new()?);
		let succession = Arc::new(Succession::new(storage.clone()));
		let notices = Arc::new(Notices::default());
		let ingest = Arc::new(Ingest::new(
			storage.clone(),
			registry.clone(),
			metrics.clone(),
			succession.clone(),
			notices.clone(),
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
			succession,
			notices,
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
		Arc::new(Batcher::new(BatcherParts {
			storage: self.storage.clone(),
			registry: self.registry.clone(),
			settings: self.settings.batching,
			deferral: self.deferral.clone(),
			succession: self.succession.clone(),
			recovery: Recovery::new(self.storage.clone(), self.registry.clone()),
			notices: self.notices.clone(),
			unsigned: self.unsigned.clone(),
		}))
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
			succession: self.succession.clone(),
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
			census: Census::default(),
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
		let tick = self.settings.batching.tick;
		let mut tasks =
			vec![self.run("batching", LONGEST_ROUND, |seat| batch(batcher, tick, seat))];
		if let Some(signer) = signer {
			let unsigned = self.unsigned.clone();
			tasks.push(self.run("signing", LONGEST_ROUND, |seat| sign(signer, unsigned, seat)));
		}
		if let Some(ledger) = ledger {
			let submitter = Submitter::new(
				self.storage.clone(),
				self.registry.clone(),
				ledger,
				self.metrics.clone(),
			);
			let wakes = Wakes { signed: self.signed.clone(), answers: Arc::default() };
			let node = wakes.clone();
			tasks.push(
				self.run("submission", LONGEST_SUBMISSION, |seat| submit(submitter, wakes, seat)),
			);
			let (registry, age) = (self.registry.clone(), self.settings.refresh);
			tasks.push(
				self.run("meters", LONGEST_ROUND, |seat| {
					refresh(registry, age, node.answers, seat)
				}),
			);
		}
		if let Some(pinning) = &self.settings.pinning {
			let pinner = Pinner::new(self.storage.clone(), pinning.clone())?;
			tasks.push(self.run("pinning", LONGEST_ROUND, |seat| pin(pinner, seat)));
		}
		if let Some(archiving) = self.settings.archiving {
			let is_pinned = self.settings.pinning.is_some();
			let archiver = Archiver::new(self.storage.clone(), archiving, is_pinned);
			let work = |seat| archive(archiver, archiving.tick, seat);
			tasks.push(self.run("archiving", LONGEST_ROUND, work));
		}
		Ok(tasks)
	}

	/// Runs a loop, and notes it if it ends before the gateway does.
	fn run<F>(
		&self,
		name: &'static str,
		longest: Duration,
		work: impl FnOnce(Seat) -> F,
	) -> JoinHandle<()>
	where
		F: Future<Output = ()> + Send + 'static,
	{
		self.board.begins(name, longest);
		let seat = Seat { board: self.board.clone(), name, stop: self.stop.clone() };
		let ended = Ended(Seat { board: self.board.clone(), name, stop: self.stop.clone() });
		let work = work(seat);
		tokio::spawn(async move {
			let _ended = ended;
			work.await;
		})
	}
}

/// The place of a loop in the gateway.
struct Seat {
	board: Arc<Board>,
	name: &'static str,
	stop: Stop,
}

impl Seat {
	/// Notes that a round is over.
	fn done<E: fmt::Display>(&self, trouble: Option<&E>) {
		self.board.done(self.name, trouble.map(ToString::to_string));
	}
}

/// Dropped when a loop ends, however it does.
struct Ended(Seat);

impl Drop for Ended {
	fn drop(&mut self) {
		if !self.0.stop.is_stopped() {
			tracing::error!(part = self.0.name, "a part of the gateway has ended");
			self.0.board.ends(self.0.name);
		}
	}
}

async fn batch(batcher: Arc<Batcher>, tick: Duration, seat: Seat) {
	let mut beat = tick;
	while pause(&seat.stop, beat, None).await {
		let begin = std::time::Instant::now();
		match batcher.round(false).await {
			Ok(round) => {
				let away = batcher.trouble();
				beat = rest(tick, begin.elapsed(), away.is_some());
				let failed = round.failed.map(|error| error.to_string());
				seat.done(failed.or(away).as_ref());
			},
			Err(error) => {
				tracing::error!(%error, "no batch can be made");
				seat.done(Some(&error));
				beat = beat.saturating_mul(2).min(LONGEST_PAUSE);
			},
		}
	}
}

/// The pause after a round of batching: what takes long is not done all the time. When it was the node
/// that took long, waiting longer helps nobody.
fn rest(tick: Duration, took: Duration, is_node_away: bool) -> Duration {
	let longest = if is_node_away { AWAY_PAUSE } else { LONGEST_PAUSE };
	tick.max(took.saturating_mul(4).min(longest))
}

/// What ends a pause of submission early.
#[derive(Clone)]
struct Wakes {
	/// Notified when there is a signed batch.
	signed: Arc<Notify>,
	/// Notified when the node answers again that did not.
	answers: Arc<Notify>,
}

async fn sign(signer: Arc<Signer>, unsigned: Arc<Notify>, seat: Seat) {
	while pause(&seat.stop, SIGN_BEAT, Some(&unsigned)).await {
		let outcome = signer.round().await;
		if let Err(error) = &outcome {
			tracing::error!(%error, "signatures wait");
		}
		seat.done(outcome.err().as_ref());
	}
}

async fn submit(submitter: Submitter, wakes: Wakes, seat: Seat) {
	let mut pauses = PAUSES.pauses();
	let mut more = true;
	loop {
		if !more && !pause(&seat.stop, SUBMIT_BEAT, Some(&wakes.signed)).await {
			return;
		}
		if seat.stop.is_stopped() {
			return;
		}
		match submitter.round().await {
			Ok(again) => {
				more = again;
				pauses.reset();
				seat.done(None::<&String>);
			},
			Err(error) => {
				tracing::warn!(%error, "batches wait");
				seat.done(Some(&error));
				if !pause(&seat.stop, pauses.next_pause(), Some(&wakes.answers)).await {
					return;
				}
				more = true;
			},
		}
	}
}

async fn refresh(registry: Arc<Registry>, age: Duration, answers: Arc<Notify>, seat: Seat) {
	let mut beat = Duration::ZERO;
	let mut was_away = false;
	while seat.stop.pause(beat).await {
		beat = age;
		let outcome = registry.refresh_all().await;
		if let Err(error) = &outcome {
			beat = age.min(AWAY_PAUSE);
			tracing::warn!(%error, "the chain cannot be asked for meters");
		} else if was_away {
			answers.notify_waiters();
		}
		was_away = outcome.is_err();
		seat.done(outcome.err().as_ref());
	}
}

async fn pin(pinner: Pinner, seat: Seat) {
	let mut pauses = PAUSES.pauses();
	let mut beat = PAUSES.pause_after(1);
	while seat.stop.pause(beat).await {
		match pinner.round().await {
			Ok(pinned) => {
				pauses.reset();
				beat = if pinned == 0 { PIN_BEAT } else { Duration::ZERO };
				seat.done(None::<&String>);
			},
			Err(error) => {
				tracing::warn!(%error, "files wait to be pinned");
				seat.done(Some(&error));
				beat = pauses.next_pause();
			},
		}
	}
}

async fn archive(archiver: Archiver, tick: Duration, seat: Seat) {
	let mut beat = PIECE_PAUSE;
	while seat.stop.pause(beat).await {
		let outcome = archiver.round().await;
		if let Err(error) = &outcome {
			tracing::error!(%error, "what is settled stays in the database");
		}
		beat = if matches!(outcome, Ok(true)) { PIECE_PAUSE } else { tick };
		seat.done(outcome.err().as_ref());
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	async fn gateway(folder: &tempfile::TempDir) -> Gateway {
		let mut settings = Settings::new(folder.path().to_path_buf());
		(settings.mqtt, settings.mqtts, settings.http) = (None, None, None);
		Gateway::start(settings, Parts::default()).await.unwrap()
	}

	#[test]
	fn a_round_that_waited_for_the_node_is_not_waited_for_again() {
		let seconds = Duration::from_secs;
		assert_eq!(rest(seconds(1), seconds(0), false), seconds(1));
		assert_eq!(rest(seconds(1), seconds(3), false), seconds(12));
		assert_eq!(rest(seconds(1), seconds(10), false), LONGEST_PAUSE);
		assert_eq!(rest(seconds(1), seconds(10), true), AWAY_PAUSE);
	}

	#[tokio::test]
	async fn a_gateway_runs_until_it_is_to_end() {
		let folder = tempfile::tempdir().unwrap();
		let (gateway, stopper) = (gateway(&folder).await, Stopper::new());
		stopper.stop();
		assert_eq!(gateway.run_until(&stopper.signal()).await, Ok(()));
	}

	#[tokio::test]
	async fn a_part_that_has_ended_ends_the_gateway_with_its_name() {
		let folder = tempfile::tempdir().unwrap();
		let (gateway, stopper) = (gateway(&folder).await, Stopper::new());
		gateway.board.ends("batching");
		let ended = gateway.run_until(&stopper.signal()).await;
		assert_eq!(ended, Err(PartEnded("batching")));
	}
}
