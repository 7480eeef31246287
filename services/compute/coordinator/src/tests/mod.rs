//! The coordinator against a chain in memory that keeps the real rules for receipts.

mod cases;
mod channels;
mod clock;
mod crash;
mod front;
mod idempotency;
mod lifecycle;
mod models;
mod openings;
mod plans;
mod refusals;
mod retention;
mod supervision;

use crate::{
	access_key::AccessKey,
	check::Checker,
	coordinator::Coordinator,
	ledger::{ChannelChain, CheckChain, Claimed, Escrow, Ledger, Registered, Return},
	quotes::{Admission, Buyer, Quoted},
	rows::{self, Job},
	server::Server,
	sessions::Session,
	settings::Settings,
};
use codec::{DecodeAll, Encode};
use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::{
	ChainError, Refusal as ChainRefusal,
	refusal::{PoolRefusal, TokenRefusal},
};
use gridproof_compute_api::protocol::{
	Assignment, ClassName, Finish, Further, Hello, JobRequest, JobResult, JobSpec, JobStage,
	Output, SPEC_VERSION, Sampling, Settlement, Task, Work, hello_payload, price_of,
};
use gridproof_compute_api::{ApiKeys, Customer};
use gridproof_keys::{Kind, SealedKey};
use gridproof_primitives::{
	H256,
	compute::{
		Class, JobState as OnChain, JobTerms, PriceAsset, Quote, Receipt, ReceiptRefusal,
		SignedAssignment, SignedQuote, SignedReceipt, Signer, Telemetry, check_receipt,
		compute_units, model_factor,
		registry::{
			EngineClass, Model, ModelDescription, ModelName, ModelTerms, ModelView, NewModel,
			Timeline,
		},
		release_payload,
	},
	crypto::ed25519::{self, Signature},
};
use gridproof_support::{
	Clock,
	clock::Hands,
	text::{Hex32, Hex64, HexBytes},
};
use std::{
	collections::HashMap,
	sync::{
		Arc, Mutex,
		atomic::{AtomicU64, Ordering},
	},
	time::Duration,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

const GENESIS: H256 = H256([7; 32]);
/// Where claims end up.
const BLOCK: H256 = H256([9; 32]);
const CLIENT: [u8; 32] = [0xC1; 32];
const PURSE: [u8; 32] = [0xF0; 32];
/// Notice of a cancellation.
const NOTICE_MS: u64 = 60_000;
const MODEL: &str = "qwen2.5-0.5b";

/// A job on the chain in memory.
#[derive(Clone)]
struct OpenJob {
	quote: Quote,
	state: OnChain,
	receipt: Option<H256>,
	paid: u128,
	cancelling: bool,
}

/// What goes wrong next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Trouble {
	#[default]
	None,
	/// The node is away.
	Away,
	/// A submission takes effect, but nobody hears of it.
	Unheard,
	/// A submission takes effect, but its block does not say so.
	Speechless,
	/// The front's account has nothing left.
	Broke,
	/// What is free of charge finds no place in a block.
	Crowded,
}

/// The chain in memory. It lives on when a coordinator crashes.
#[derive(Default)]
struct MemoryChain {
	jobs: Mutex<HashMap<H256, OpenJob>>,
	miners: Mutex<HashMap<[u8; 32], Registered>>,
	trouble: Mutex<Trouble>,
	claims: AtomicU64,
	fees: AtomicU64,
	assignments: AtomicU64,
	/// Jobs that can be neither assigned nor released now.
	refused: Mutex<Vec<H256>>,
	/// What each coordinator can be paid of the emission.
	earned: Mutex<HashMap<[u8; 32], u128>>,
	questions: AtomicU64,
	now: AtomicU64,
	channels: channels::MemoryChannels,
	registry: Mutex<HashMap<H256, Model>>,
	checks: openings::MemoryChecks,
}

impl MemoryChain {
	fn trouble(&self) -> Trouble {
		*self.trouble.lock().unwrap()
	}

	fn set_trouble(&self, trouble: Trouble) {
		*self.trouble.lock().unwrap() = trouble;
	}

	/// Adds a model to the registry that counts from a time on, UTC milliseconds; returns its hash.
	fn add_model(&self, name: &str, factor: u32, since_ms: u64) -> H256 {
		let description = ModelDescription {
			name: ModelName::new(name).unwrap(),
			weights: H256([1; 32]),
			tokenizer: H256([2; 32]),
			template: None,
		};
		let terms = ModelTerms { factor, engine: EngineClass::Seeded };
		let hash = description.hash();
		let model = Model::starting(NewModel { description, context: 32_768, terms }, since_ms);
		self.registry.lock().unwrap().insert(hash, model);
		hash
	}

	/// Changes the timeline of a model of the registry.
	fn change_model(&self, hash: H256, change: impl FnOnce(&mut Timeline)) {
		change(&mut self.registry.lock().unwrap().get_mut(&hash).unwrap().timeline);
	}

	fn check(&self) -> Result<(), ChainError> {
		match self.trouble() {
			Trouble::Away => Err(outage("nobody answers")),
			_ => Ok(()),
		}
	}

	fn open_by_client(&self, quoted: &Quoted) {
		let quote = quoted.quote.clone();
		quote.verify(&GENESIS, &quoted.row.signature).unwrap();
		self.insert(quote);
	}

	fn insert(&self, quote: Quote) {
		let job =
			OpenJob { state: OnChain::Open, receipt: None, paid: 0, cancelling: false, quote };
		let id = job.quote.job_id(&GENESIS);
		assert!(self.jobs.lock().unwrap().insert(id, job).is_none(), "a quote opens one job");
	}

	fn job(&self, id: H256) -> OpenJob {
		self.jobs.lock().unwrap()[&id].clone()
	}

	fn refusal(&self, signed: &SignedReceipt) -> Result<(), ReceiptRefusal> {
		let jobs = self.jobs.lock().unwrap();
		let job = jobs.get(&signed.receipt.job_id).ok_or(ReceiptRefusal::UnknownJob)?;
		let now = self.now.load(Ordering::SeqCst);
		// Opened long ago, so that telemetry is not what a test is about.
		let terms = JobTerms::of(&job.quote, 0);
		check_receipt(job.state, &terms, &signed.receipt, now)?;
		let miners = self.miners.lock().unwrap();
		let miner = miners.get(&signed.receipt.miner).ok_or(ReceiptRefusal::UnknownMiner)?;
		if !miner.is_able {
			return Err(ReceiptRefusal::MinerBanned);
		}
		let verify = |signer, key: &[u8; 32], signature: &Signature| {
			signed.receipt.verify(&GENESIS, signer, key, signature)
		};
		verify(Signer::Miner, &signed.receipt.miner, &signed.miner_signature)
			.map_err(|_| ReceiptRefusal::BadMinerSignature)?;
		verify(Signer::Coordinator, &job.quote.coordinator, &signed.coordinator_signature)
			.map_err(|_| ReceiptRefusal::BadCoordinatorSignature)?;
		Ok(())
	}

	/// Settles receipts as the pallet does: each for itself, a job once.
	fn settle(&self, receipts: &[SignedReceipt]) {
		for signed in receipts {
			if self.refusal(signed).is_ok() {
				let mut jobs = self.jobs.lock().unwrap();
				let job = jobs.get_mut(&signed.receipt.job_id).unwrap();
				job.state = OnChain::Settled;
				job.receipt = Some(signed.receipt.id(&GENESIS));
				job.paid += signed.receipt.price;
			}
		}
	}
}

impl Ledger for MemoryChain {
	fn genesis(&self) -> H256 {
		GENESIS
	}

	fn time(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async move {
			self.check()?;
			// Time passes from block to block.
			Ok(self.now.fetch_add(1, Ordering::SeqCst))
		}
		.boxed()
	}

	fn cancel_notice_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async move {
			self.check()?;
			Ok(NOTICE_MS)
		}
		.boxed()
	}

	fn escrow(&self, job: H256) -> BoxFuture<'_, Result<Option<Escrow>, ChainError>> {
		async move {
			self.check()?;
			self.questions.fetch_add(1, Ordering::SeqCst);
			Ok(self.jobs.lock().unwrap().get(&job).map(|job| match job.state {
				OnChain::Open => Escrow::Open { cancelling: job.cancelling },
				OnChain::Settled => Escrow::Settled(job.receipt.unwrap()),
				OnChain::Cancelled => Escrow::Returned(Return::Cancelled),
				OnChain::Expired => Escrow::Returned(Return::Expired),
			}))
		}
		.boxed()
	}

	fn miner(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<Registered>, ChainError>> {
		async move {
			self.check()?;
			Ok(self.miners.lock().unwrap().get(&key).copied())
		}
		.boxed()
	}

	fn models(&self) -> BoxFuture<'_, Result<Vec<ModelView>, ChainError>> {
		async move {
			self.check()?;
			let (models, now) = (self.registry.lock().unwrap(), self.now.load(Ordering::SeqCst));
			let view =
				|(hash, model): (&H256, &Model)| ModelView::new(*hash, model.clone(), None, now);
			Ok(models.iter().map(view).collect())
		}
		.boxed()
	}

	fn preview(
		&self,
		receipts: Vec<SignedReceipt>,
	) -> BoxFuture<'_, Result<Vec<Result<(), ReceiptRefusal>>, ChainError>> {
		async move {
			self.check()?;
			Ok(receipts.iter().map(|receipt| self.refusal(receipt)).collect())
		}
		.boxed()
	}

	fn claim(
		&self,
		receipts: Vec<SignedReceipt>,
		pays: bool,
	) -> BoxFuture<'_, Result<Claimed, ChainError>> {
		async move {
			self.check()?;
			if self.trouble() == Trouble::Crowded && !pays {
				return Err(ChainError::Undecided { attempts: 1, reason: "no place".to_string() });
			}
			self.fees.fetch_add(u64::from(pays), Ordering::SeqCst);
			self.claims.fetch_add(1, Ordering::SeqCst);
			if let Some(refusal) = receipts.iter().find_map(|receipt| self.refusal(receipt).err()) {
				return Err(ChainRefusal::Pool(PoolRefusal::Receipt(refusal)).into());
			}
			self.settle(&receipts);
			match self.trouble() {
				Trouble::Unheard => Err(outage("the connection broke")),
				Trouble::Speechless => Ok(Claimed { block: BLOCK, settled: Vec::new() }),
				_ => {
					let settled = receipts.iter().map(|signed| &signed.receipt);
					let settled = settled.map(|receipt| (receipt.job_id, receipt.id(&GENESIS)));
					Ok(Claimed { block: BLOCK, settled: settled.collect() })
				},
			}
		}
		.boxed()
	}

	fn assign(&self, signed: SignedAssignment) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			if self.refused.lock().unwrap().contains(&signed.assignment.job_id) {
				return Err(outage("refused"));
			}
			let mut jobs = self.jobs.lock().unwrap();
			let job = jobs.get_mut(&signed.assignment.job_id).unwrap();
			let (key, signature) = (job.quote.coordinator, signed.coordinator_signature);
			signed.assignment.verify(&GENESIS, Signer::Coordinator, &key, &signature).unwrap();
			job.cancelling = false;
			self.assignments.fetch_add(1, Ordering::SeqCst);
			Ok(())
		}
		.boxed()
	}

	fn release(&self, id: H256, signature: Signature) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			self.check()?;
			if self.refused.lock().unwrap().contains(&id) {
				return Err(outage("refused"));
			}
			let mut jobs = self.jobs.lock().unwrap();
			let job = jobs.get_mut(&id).unwrap();
			ed25519::verify(&job.quote.coordinator, &release_payload(&GENESIS, &id), &signature)
				.unwrap();
			assert_eq!(job.state, OnChain::Open);
			job.state = OnChain::Cancelled;
			Ok(())
		}
		.boxed()
	}

	fn collect(&self, coordinator: [u8; 32]) -> BoxFuture<'_, Result<u128, ChainError>> {
		async move {
			self.check()?;
			let mut earned = self.earned.lock().unwrap();
			Ok(earned.remove(&coordinator).unwrap_or(0))
		}
		.boxed()
	}

	fn purse(&self) -> Option<[u8; 32]> {
		Some(PURSE)
	}

	fn open(
		&self,
		quotes: Vec<SignedQuote>,
	) -> BoxFuture<'_, Result<Vec<Result<(), ChainError>>, ChainError>> {
		async move {
			self.check()?;
			let open = |signed: SignedQuote| {
				signed.verify(&GENESIS).unwrap();
				assert_eq!(signed.quote.client, PURSE);
				match self.trouble() {
					Trouble::Broke => {
						Err(ChainRefusal::Token(TokenRefusal::FundsUnavailable).into())
					},
					trouble => {
						self.insert(signed.quote);
						match trouble {
							Trouble::Unheard => Err(outage("cut off")),
							_ => Ok(()),
						}
					},
				}
			};
			Ok(quotes.into_iter().map(open).collect())
		}
		.boxed()
	}

	fn channels(&self) -> Option<&dyn ChannelChain> {
		Some(self)
	}

	fn checks(&self) -> Option<&dyn CheckChain> {
		self.checks.is_there.load(Ordering::SeqCst).then_some(self as &dyn CheckChain)
	}
}

/// A connection that failed.
fn outage(message: &str) -> ChainError {
	ChainError::Rpc { code: None, message: message.to_string() }
}

fn key(byte: u8, kind: Kind) -> SealedKey {
	SealedKey::from_seed(Zeroizing::new([byte; 32]), Some(kind), None)
}

/// A coordinator with its chain, a clock that the test moves, and three miners.
struct World {
	folder: TempDir,
	chain: Arc<MemoryChain>,
	clock: Clock,
	hands: Hands,
	settings: Settings,
	checker: Option<Checker>,
	coordinator: Arc<Coordinator>,
}

struct Miner {
	key: SealedKey,
}

impl World {
	async fn new() -> Self {
		let mut settings = Settings::default();
		// Where a test is about it, it says how long lines wait for their signatures.
		settings.channels.line_seconds = 0;
		Self::with(settings, None).await
	}

	async fn with(settings: Settings, checker: Option<Checker>) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let chain = Arc::new(MemoryChain::default());
		let (clock, hands) = Clock::manual(1_000_000_000);
		chain.now.store(1_000_000_000, Ordering::SeqCst);
		for byte in 1..=3 {
			let registered = Registered { class: Class::Cpu, is_able: true, score: 5_000 };
			let miner = *key(byte, Kind::Miner).public();
			chain.miners.lock().unwrap().insert(miner, registered);
		}
		chain.add_model(MODEL, model_factor(MODEL), 0);
		let coordinator = open(&folder, &chain, &clock, settings.clone(), checker.clone()).await;
		Self { folder, chain, clock, hands, settings, checker, coordinator }
	}

	fn miner(&self, byte: u8) -> Miner {
		Miner { key: key(byte, Kind::Miner) }
	}

	fn pass(&self, seconds: u64) {
		self.hands.advance(Duration::from_secs(seconds));
		self.chain.now.store(self.clock.now_ms(), Ordering::SeqCst);
	}

	/// Ends the coordinator as a crash does; another one without a folder of its own stands in for it.
	async fn stop(&mut self) {
		let World { chain, clock, settings, checker, .. } = &*self;
		let nowhere = tempfile::tempdir().unwrap();
		let stand_in = open(&nowhere, chain, clock, settings.clone(), checker.clone()).await;
		let old = std::mem::replace(&mut self.coordinator, stand_in);
		assert_eq!(Arc::strong_count(&old), 1, "somebody still holds the coordinator");
	}

	/// Starts it again with what is on disk.
	async fn start(&mut self) {
		let World { folder, chain, clock, settings, checker, .. } = &*self;
		let again = open(folder, chain, clock, settings.clone(), checker.clone()).await;
		self.coordinator = again;
	}

	/// Ends the coordinator as a crash does, and starts another with what is on disk.
	async fn crash(&mut self) {
		// The old one's lock has to go first, as it does when a process is killed.
		self.stop().await;
		self.start().await;
	}

	/// A client's job, quoted, opened on chain and submitted.
	async fn submitted(&self) -> (Quoted, Job) {
		let quoted = self.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap();
		self.chain.open_by_client(&quoted);
		let request = submission(&quoted);
		let job = self.coordinator.accept(&request, &quoted.access, false).await.unwrap();
		(quoted, job)
	}

	/// A client's job, of a model that a miner serves which asks for no work.
	async fn submitted_by(&self, miner: u8) -> (Quoted, Job) {
		let _session = self.miner(miner).session(self).await;
		self.submitted().await
	}

	/// A job of a customer of the front, without a key of its own.
	async fn ordered(&self, customer: &str, limit: Option<u128>) -> Admission {
		let quoted = self.coordinator.price(&spec(), PURSE, PriceAsset::Ait).unwrap();
		let buyer = Buyer { customer: customer.to_string(), limit, once: None };
		self.coordinator.accept_for(&quoted, buyer, false).await.unwrap()
	}

	/// The same, which nothing speaks against.
	async fn ordered_job(&self) -> Job {
		match self.ordered("acme", None).await {
			Admission::New(job) => *job,
			other => panic!("{other:?}"),
		}
	}

	async fn state(&self, id: H256) -> JobStage {
		self.coordinator.job(id).await.unwrap().unwrap().state
	}

	async fn settlement(&self, id: H256) -> Settlement {
		let row = self.coordinator.read(move |db| Ok(rows::receipt(db, id)?)).await;
		row.unwrap().unwrap().settlement
	}

	/// Sends what is to be sent now.
	async fn settle(&self) {
		let now = self.coordinator.now();
		let rows =
			self.coordinator.read(move |db| Ok(rows::unsettled(db, now, 100)?)).await.unwrap();
		if !rows.is_empty() {
			self.coordinator.settle_bundle(rows).await;
		}
	}

	fn server(&self) -> Server {
		let customer = Customer {
			name: "acme".to_string(),
			sha256: Hex32(sp_crypto_hashing::sha2_256(b"gpk_test")),
			requests_per_minute: None,
			limit: None,
		};
		let server = Server::new(self.coordinator.clone());
		server.with_front(ApiKeys::of(vec![customer]), PriceAsset::Ait, PURSE)
	}
}

async fn open(
	folder: &TempDir,
	chain: &Arc<MemoryChain>,
	clock: &Clock,
	settings: Settings,
	checker: Option<Checker>,
) -> Arc<Coordinator> {
	Coordinator::open(
		folder.path(),
		chain.clone(),
		key(0xC0, Kind::Coordinator),
		settings,
		checker,
		clock.clone(),
	)
	.await
	.unwrap()
}

/// The job that a miner was given.
fn job_of(work: Work) -> Assignment {
	match work {
		Work::Job(assignment) => assignment,
		Work::Voucher(_) => panic!("a request that a channel pays for"),
	}
}

fn spec() -> JobSpec {
	JobSpec {
		version: SPEC_VERSION,
		model: MODEL.to_string(),
		task: Task::Completion { prompt: "Once upon a time".to_string() },
		max_tokens: 20,
		sampling: Sampling::default(),
		further: Further::default(),
	}
}

/// What a client submits that has opened a quoted job of [`spec`].
fn submission(quoted: &Quoted) -> JobRequest {
	JobRequest {
		job: quoted.row.job.into(),
		quote: HexBytes(quoted.row.quote.clone()),
		signature: Hex64(quoted.row.signature),
		spec: spec(),
	}
}

fn output(text: &str) -> Output {
	Output {
		text: text.to_string(),
		embeddings: Vec::new(),
		finish: Finish::Stop,
		prompt_tokens: 5,
		completion_tokens: 3,
		answers: Vec::new(),
	}
}

impl Miner {
	fn hello(&self, world: &World) -> Hello {
		let mut hello = Hello {
			miner: Hex32(*self.key.public()),
			class: ClassName::Cpu,
			models: vec![MODEL.to_string()],
			slots: 2,
			time_ms: world.coordinator.now(),
			signature: Hex64([0; 64]),
		};
		let payload = hello_payload(&GENESIS, &world.coordinator.public(), &hello);
		hello.signature = Hex64(self.key.sign(&payload));
		hello
	}

	async fn session(&self, world: &World) -> Session {
		let welcome = world.coordinator.hello(&self.hello(world)).await.unwrap();
		world.coordinator.session(&welcome.session).unwrap()
	}

	/// Asks for work and gets some, or nothing.
	async fn asks(&self, world: &World, session: &Session) -> Option<Assignment> {
		self.asks_any(world, session).await.map(job_of)
	}

	/// The same, of a job or a voucher.
	async fn asks_any(&self, world: &World, session: &Session) -> Option<Work> {
		let coordinator = &world.coordinator;
		let (taken, given) = tokio::join!(
			coordinator.take(session, Duration::from_millis(50)),
			coordinator.give_out()
		);
		given.unwrap();
		taken.unwrap()
	}

	fn receipt(&self, assignment: &Assignment, output: &Output) -> Receipt {
		let quote = Quote::read(&assignment.quote.0).unwrap();
		let units = compute_units(output.tokens(), quote.model_factor);
		Receipt {
			job_id: assignment.job.into(),
			miner: *self.key.public(),
			output_hash: output.hash(),
			compute_units: units,
			price: price_of(units, assignment.unit_price.0, quote.price),
			nonce: assignment.nonce,
			telemetry: Telemetry {
				input_tokens: u32::try_from(output.prompt_tokens).unwrap(),
				output_tokens: u32::try_from(output.completion_tokens).unwrap(),
				duration_ms: 1_000,
				memory_mb: 10,
			},
		}
	}

	fn signed(&self, attempt: u32, output: Output, receipt: &Receipt) -> JobResult {
		let payload = receipt.signing_payload(&GENESIS, Signer::Miner);
		JobResult {
			attempt,
			output,
			receipt: HexBytes(receipt.encode()),
			signature: Hex64(self.key.sign(&payload)),
			tokens: None,
		}
	}

	fn does(&self, assignment: &Assignment) -> JobResult {
		let output = output("there was");
		let receipt = self.receipt(assignment, &output);
		self.signed(assignment.attempt, output, &receipt)
	}
}
