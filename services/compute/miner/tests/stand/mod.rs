//! A coordinator on a port of its own, with a chain that takes everything, and miners for it.

use axum::{
	Json,
	body::{Body, Bytes, to_bytes},
	extract::{Request, State},
	http::StatusCode,
	middleware::{self, Next},
	response::{IntoResponse, Response},
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::ChainError;
use gridproof_compute_api::{
	CoordinatorClient,
	protocol::{
		CoordinatorError, ErrorCode, Further, JobRequest, JobResult, JobSpec, Progress, Refusal,
		SPEC_VERSION, Sampling, Task,
	},
};
use gridproof_coordinator::{
	Coordinator, Job, Server, Settings as CoordinatorSettings, StartError,
	ledger::{Claimed, Escrow, Ledger, Registered},
};
use gridproof_engine::{
	Completion, DEFAULT_MODEL, Embeddings, Engine, EngineError, LocalEngine, ModelInfo,
	Request as EngineRequest,
};
use gridproof_keys::{Kind, SealedKey};
use gridproof_miner::{Counts, Miner, MinerError, Outbox, Settings};
use gridproof_primitives::{
	H256,
	compute::{
		Class, PriceAsset, ReceiptRefusal, SignedAssignment, SignedQuote, SignedReceipt,
		registry::ModelView,
	},
	crypto::ed25519::Signature,
};
use gridproof_store::StoreError;
use gridproof_support::{
	Clock,
	text::{Hex64, HexBytes},
};
use std::{
	collections::HashSet,
	net::SocketAddr,
	num::NonZeroU32,
	ops::ControlFlow,
	path::Path,
	sync::{
		Arc, Mutex,
		atomic::{AtomicBool, AtomicUsize, Ordering},
	},
	time::Duration,
};
use tempfile::TempDir;
use tokio::{
	net::TcpListener,
	runtime::{Builder, Runtime},
	sync::Notify,
	task::JoinHandle,
};

/// The key of a miner.
pub(crate) fn key(number: u8) -> SealedKey {
	SealedKey::from_seed([number; 32].into(), Some(Kind::Miner), None)
}

/// A completion of the embedded model.
pub(crate) fn spec(prompt: &str, max_tokens: u32) -> JobSpec {
	JobSpec {
		version: SPEC_VERSION,
		model: DEFAULT_MODEL.to_string(),
		task: Task::Completion { prompt: prompt.to_string() },
		max_tokens,
		sampling: Sampling::default(),
		further: Further::default(),
	}
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
	let waiting = async {
		while !is_so().await {
			tokio::time::sleep(Duration::from_millis(25)).await;
		}
	};
	tokio::time::timeout(Duration::from_secs(60), waiting).await.expect(what);
}

/// A chain that holds every escrow, settles every receipt and knows every miner.
#[derive(Default)]
pub(crate) struct OpenLedger {
	settled: Mutex<Vec<SignedReceipt>>,
	unknown: Mutex<HashSet<[u8; 32]>>,
	/// Does it give no answer about miners until [`OpenLedger::refuse`]?
	is_silent: AtomicBool,
	refused: Notify,
	asked: AtomicUsize,
}

const GENESIS: H256 = H256([7; 32]);

impl OpenLedger {
	/// The receipts that settled a job, in their order.
	pub(crate) fn settled(&self) -> Vec<SignedReceipt> {
		self.settled.lock().unwrap().clone()
	}

	/// The chain does not know a miner.
	pub(crate) fn forget(&self, key: [u8; 32]) {
		self.unknown.lock().unwrap().insert(key);
	}

	/// The chain gives no answer about miners until it refuses.
	pub(crate) fn be_silent(&self) {
		self.is_silent.store(true, Ordering::SeqCst);
	}

	/// All who asked about miners get a refusal.
	pub(crate) fn refuse(&self) {
		self.refused.notify_waiters();
	}

	/// The chain answers again, also who waits.
	pub(crate) fn answer(&self) {
		self.is_silent.store(false, Ordering::SeqCst);
		self.refused.notify_waiters();
	}

	/// How often it was asked about miners.
	pub(crate) fn asked(&self) -> usize {
		self.asked.load(Ordering::SeqCst)
	}

	/// The chain knows a miner.
	pub(crate) fn know(&self, key: [u8; 32]) {
		self.unknown.lock().unwrap().remove(&key);
	}
}

impl Ledger for OpenLedger {
	fn genesis(&self) -> H256 {
		GENESIS
	}

	fn time(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async move { Ok(gridproof_support::clock::now_ms()) }.boxed()
	}

	fn cancel_notice_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async { Ok(60_000) }.boxed()
	}

	fn escrow(&self, job: H256) -> BoxFuture<'_, Result<Option<Escrow>, ChainError>> {
		let settled = self.settled();
		let settled = settled.iter().find(|signed| signed.receipt.job_id == job);
		let escrow = match settled {
			Some(signed) => Escrow::Settled(signed.receipt.id(&GENESIS)),
			None => Escrow::Open { cancelling: false },
		};
		async move { Ok(Some(escrow)) }.boxed()
	}

	fn miner(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<Registered>, ChainError>> {
		let is_known = !self.unknown.lock().unwrap().contains(&key);
		let registered = Registered { class: Class::Cpu, is_able: true, score: 5_000 };
		self.asked.fetch_add(1, Ordering::SeqCst);
		async move {
			if self.is_silent.load(Ordering::SeqCst) {
				self.refused.notified().await;
				if self.is_silent.load(Ordering::SeqCst) {
					return Ok(None);
				}
			}
			Ok(is_known.then_some(registered))
		}
		.boxed()
	}

	fn models(&self) -> BoxFuture<'_, Result<Vec<ModelView>, ChainError>> {
		async { Ok(Vec::new()) }.boxed()
	}

	fn preview(
		&self,
		receipts: Vec<SignedReceipt>,
	) -> BoxFuture<'_, Result<Vec<Result<(), ReceiptRefusal>>, ChainError>> {
		let settled = self.settled();
		let is_new = |receipt: &SignedReceipt| {
			!settled.iter().any(|signed| signed.receipt.job_id == receipt.receipt.job_id)
		};
		let answer = |receipt| {
			if is_new(receipt) { Ok(()) } else { Err(ReceiptRefusal::AlreadySettled) }
		};
		let answers = receipts.iter().map(answer).collect();
		async move { Ok(answers) }.boxed()
	}

	fn claim(
		&self,
		receipts: Vec<SignedReceipt>,
		_: bool,
	) -> BoxFuture<'_, Result<Claimed, ChainError>> {
		let pair = |signed: &SignedReceipt| (signed.receipt.job_id, signed.receipt.id(&GENESIS));
		let settled = receipts.iter().map(pair).collect();
		self.settled.lock().unwrap().extend(receipts);
		async move { Ok(Claimed { block: H256([1; 32]), settled }) }.boxed()
	}

	fn assign(&self, _: SignedAssignment) -> BoxFuture<'_, Result<(), ChainError>> {
		async move { Ok(()) }.boxed()
	}

	fn release(&self, _: H256, _: Signature) -> BoxFuture<'_, Result<(), ChainError>> {
		async move { Ok(()) }.boxed()
	}

	fn collect(&self, _: [u8; 32]) -> BoxFuture<'_, Result<u128, ChainError>> {
		async move { Ok(0) }.boxed()
	}

	fn purse(&self) -> Option<[u8; 32]> {
		None
	}

	fn open(
		&self,
		quotes: Vec<SignedQuote>,
	) -> BoxFuture<'_, Result<Vec<Result<(), ChainError>>, ChainError>> {
		async move { Ok(quotes.iter().map(|_| Ok(())).collect()) }.boxed()
	}
}

/// Which requests of miners do not get through.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fails {
	/// Results.
	pub result: bool,
	/// Results do, their answers do not.
	pub answer: bool,
	/// Heartbeats, and reports of progress.
	pub heartbeat: bool,
	/// Results of the job whose result comes first, for a long time.
	pub hangs: bool,
	/// Results: their session is not known any more.
	pub session: bool,
}

/// What miners sent.
#[derive(Default)]
pub(crate) struct Seen {
	fails: Mutex<Fails>,
	bodies: Mutex<Vec<(String, Bytes)>>,
	/// Path of the result that came first.
	first: Mutex<Option<String>>,
}

impl Seen {
	fn of<T: serde::de::DeserializeOwned>(&self, end: &str) -> Vec<T> {
		let bodies = self.bodies.lock().unwrap();
		let these = bodies.iter().filter(|(path, _)| path.ends_with(end));
		these.map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
	}

	/// All results.
	pub(crate) fn results(&self) -> Vec<JobResult> {
		self.of("/result")
	}

	/// All pieces of text.
	pub(crate) fn progress(&self) -> Vec<Progress> {
		self.of("/progress")
	}

	/// All jobs given back.
	pub(crate) fn refusals(&self) -> Vec<Refusal> {
		self.of("/refuse")
	}
}

async fn between(State(seen): State<Arc<Seen>>, request: Request, next: Next) -> Response {
	let path = request.uri().path().to_string();
	let fails = *seen.fails.lock().unwrap();
	let (parts, body) = request.into_parts();
	let body = to_bytes(body, 1 << 24).await.unwrap();
	seen.bodies.lock().unwrap().push((path.clone(), body.clone()));
	let is_result = path.ends_with("/result");
	let is_sign_of_life = path.ends_with("/heartbeat") || path.ends_with("/progress");
	if (fails.result && is_result) || (fails.heartbeat && is_sign_of_life) {
		return StatusCode::BAD_GATEWAY.into_response();
	}
	if fails.session && is_result {
		let error = CoordinatorError {
			error: ErrorCode::UnknownSession,
			message: "no such session".to_string(),
		};
		return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
	}
	let is_first = is_result && *seen.first.lock().unwrap().get_or_insert(path.clone()) == path;
	if fails.hangs && is_first {
		tokio::time::sleep(Duration::from_secs(25)).await;
	}
	let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
	if fails.answer && is_result { StatusCode::BAD_GATEWAY.into_response() } else { answer }
}

/// A coordinator that listens.
pub(crate) struct Stand {
	/// The chain in memory.
	pub ledger: Arc<OpenLedger>,
	/// What went over the wire.
	pub seen: Arc<Seen>,
	/// The chain's first block.
	pub genesis: H256,
	address: SocketAddr,
	folder: TempDir,
	coordinator: Option<Arc<Coordinator>>,
	serving: Option<Runtime>,
}

impl Drop for Stand {
	fn drop(&mut self) {
		if let Some(runtime) = self.serving.take() {
			runtime.shutdown_background();
		}
	}
}

impl Stand {
	pub(crate) async fn new() -> Self {
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let mut stand = Self {
			ledger: Arc::default(),
			seen: Arc::default(),
			genesis: GENESIS,
			address: listener.local_addr().unwrap(),
			folder: tempfile::tempdir().unwrap(),
			coordinator: None,
			serving: None,
		};
		stand.serve(listener).await;
		stand
	}

	/// Serves with a runtime of its own: that can be shut down with everything in it.
	async fn serve(&mut self, listener: TcpListener) {
		let settings = CoordinatorSettings {
			lease_seconds: 1,
			confirm_seconds: 3,
			max_failures: 3,
			models: serde_json::from_str(&format!("[{{\"name\":\"{DEFAULT_MODEL}\"}}]")).unwrap(),
			requests_per_minute: NonZeroU32::new(100_000).unwrap(),
			..CoordinatorSettings::default()
		};
		let open = async || {
			let key = SealedKey::from_seed([99; 32].into(), Some(Kind::Coordinator), None);
			let (ledger, settings) = (self.ledger.clone(), settings.clone());
			let folder = self.folder.path();
			Coordinator::open(folder, ledger, key, settings, None, Clock::system()).await
		};
		let mut opened = open().await;
		for _ in 0..100 {
			// What the last run was about to do is dropped one by one.
			let Err(StartError::Store(StoreError::InUse(_))) = &opened else { break };
			tokio::time::sleep(Duration::from_millis(50)).await;
			opened = open().await;
		}
		let coordinator = opened.unwrap();
		let router = Server::new(coordinator.clone())
			.router()
			.layer(middleware::from_fn_with_state(self.seen.clone(), between));
		let service = router.into_make_service_with_connect_info::<SocketAddr>();
		let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
		let (running, listener) = (coordinator.clone(), listener.into_std().unwrap());
		runtime.spawn(async move {
			let listener = TcpListener::from_std(listener).unwrap();
			tokio::select! {
				served = axum::serve(listener, service) => served.unwrap(),
				ended = running.run() => panic!("{ended}"),
			}
		});
		self.coordinator = Some(coordinator);
		self.serving = Some(runtime);
	}

	/// The coordinator ends, as if killed: its connections break.
	pub(crate) async fn close(&mut self) {
		self.coordinator = None;
		if let Some(runtime) = self.serving.take() {
			runtime.shutdown_background();
		}
	}

	/// The coordinator is there again, at the same address with the same database.
	pub(crate) async fn open(&mut self) {
		let mut tries = 0;
		let listener = loop {
			match TcpListener::bind(self.address).await {
				Ok(listener) => break listener,
				Err(error) if tries > 100 => panic!("{error}"),
				Err(_) => tries += 1,
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		};
		self.serve(listener).await;
	}

	fn coordinator(&self) -> &Arc<Coordinator> {
		self.coordinator.as_ref().unwrap()
	}

	pub(crate) fn fail(&self, fails: Fails) {
		*self.seen.fails.lock().unwrap() = fails;
	}

	/// How many miners are there.
	pub(crate) async fn miners(&self) -> usize {
		let client = CoordinatorClient::new(&format!("http://{}", self.address)).unwrap();
		client.info().await.unwrap().miners.len()
	}

	pub(crate) async fn wait_for_miners(&self, count: usize) {
		until("miners are there", async || self.miners().await == count).await;
	}

	/// Has a job quoted and accepted.
	pub(crate) async fn submit(&self, spec: JobSpec, stream: bool) -> H256 {
		let coordinator = self.coordinator();
		let quoted = coordinator.quote(&spec, [5; 32], PriceAsset::Ait).unwrap();
		let request = JobRequest {
			job: quoted.row.job.into(),
			quote: HexBytes(quoted.row.quote),
			signature: Hex64(quoted.row.signature),
			spec,
		};
		coordinator.accept(&request, &quoted.access, stream).await.unwrap().job
	}

	pub(crate) async fn job(&self, job: H256) -> Job {
		self.coordinator().job(job).await.unwrap().unwrap()
	}

	fn settings(&self, folder: &Path, slots: u32, grace: Duration) -> Settings {
		Settings {
			folder: folder.to_path_buf(),
			coordinators: vec![format!("http://{}", self.address)],
			// Nobody is there.
			node: "ws://127.0.0.1:9".to_string(),
			class: Class::Cpu,
			slots,
			grace,
		}
	}

	/// A miner in a folder as it is.
	pub(crate) async fn open_miner(
		&self,
		folder: &Path,
		number: u8,
	) -> Result<Arc<Miner>, MinerError> {
		let settings = self.settings(folder, 1, Duration::from_secs(10));
		let engine = Arc::new(LocalEngine::embedded().unwrap());
		Miner::open(settings, key(number), engine, Clock::system()).await
	}

	pub(crate) async fn miner(&self, number: u8, slots: u32) -> RunningMiner {
		self.miner_in(tempfile::tempdir().unwrap(), number, slots, SlowEngine::none()).await
	}

	pub(crate) async fn miner_in(
		&self,
		folder: TempDir,
		number: u8,
		slots: u32,
		engine: SlowEngine,
	) -> RunningMiner {
		let settings = self.settings(folder.path(), slots, Duration::from_secs(10));
		start(settings, folder, number, engine).await
	}

	pub(crate) async fn miner_with_grace(
		&self,
		number: u8,
		engine: SlowEngine,
		grace: Duration,
	) -> RunningMiner {
		let folder = tempfile::tempdir().unwrap();
		start(self.settings(folder.path(), 1, grace), folder, number, engine).await
	}
}

async fn start(
	settings: Settings,
	folder: TempDir,
	number: u8,
	engine: SlowEngine,
) -> RunningMiner {
	// As a first run with a node would have left it.
	let outbox = Outbox::open(folder.path(), 0).await.unwrap();
	outbox.pin("genesis", GENESIS.0).await.unwrap();
	drop(outbox);
	let engine = Arc::new(engine);
	let miner = Miner::open(settings, key(number), engine, Clock::system()).await.unwrap();
	let working = miner.clone();
	let task = tokio::spawn(async move { working.run().await.unwrap() });
	RunningMiner { miner, task, folder }
}

/// A miner at work.
pub(crate) struct RunningMiner {
	miner: Arc<Miner>,
	task: JoinHandle<()>,
	folder: TempDir,
}

impl RunningMiner {
	/// The miner itself.
	pub(crate) fn miner(&self) -> Arc<Miner> {
		self.miner.clone()
	}

	pub(crate) async fn counts(&self) -> Counts {
		self.miner.counts().await.unwrap()
	}

	/// Stops it, and waits until it has stopped.
	pub(crate) async fn stop(self) -> Counts {
		self.miner.stop();
		self.task.await.unwrap();
		self.miner.counts().await.unwrap()
	}

	/// Drops everything it is about to do.
	pub(crate) async fn kill(self) -> TempDir {
		self.task.abort();
		let _ = self.task.await;
		drop(self.miner);
		self.folder
	}
}

/// The embedded model, with a pause after each piece of text.
pub(crate) struct SlowEngine {
	engine: LocalEngine,
	pause: Duration,
}

impl SlowEngine {
	pub(crate) fn none() -> Self {
		Self::of(Duration::ZERO)
	}

	pub(crate) fn of(pause: Duration) -> Self {
		Self { engine: LocalEngine::embedded().unwrap(), pause }
	}
}

impl Engine for SlowEngine {
	fn models(&self) -> Result<Vec<ModelInfo>, EngineError> {
		self.engine.models()
	}

	fn complete(
		&self,
		request: &EngineRequest,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Completion, EngineError> {
		self.engine.complete(request, &mut |text| {
			std::thread::sleep(self.pause);
			on_text(text)
		})
	}

	fn embed(&self, model: &str, input: &[String]) -> Result<Embeddings, EngineError> {
		self.engine.embed(model, input)
	}
}
