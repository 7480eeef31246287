//! A miner and one of its coordinators.
//!
//! Each slot waits for work, runs it and keeps the result; what was kept is delivered beside that,
//! until the coordinator has it. The first request that finds a session ended begins another one.

use crate::{
	assignment,
	miner::{Miner, RETRY, Running},
	outbox::Stored,
	voucher,
};
use codec::Encode;
use futures::{
	FutureExt, StreamExt,
	future::{BoxFuture, Fuse, FusedFuture, join_all},
	stream::{self, FuturesUnordered},
};
use gridproof_compute_api::{
	ClientError, MinerClient,
	protocol::{
		Assignment, ErrorCode, Heartbeat, HeldJob, Hello, JobSpec, Progress, Refusal,
		RefusalReason, TokenIds, VoucherWork, Work, hello_payload,
	},
};
use gridproof_engine::{EngineError, Executed, execute, execute_seeded};
use gridproof_http::Loops;
use gridproof_primitives::{
	H256,
	compute::{
		Quote, Signer,
		channels::{Sampler, SignedVoucher},
	},
};
use gridproof_store::StoreError;
use gridproof_support::{
	Lock,
	number::clamped,
	text::{Hex32, Hex64},
};
use std::{
	collections::HashSet,
	ops::ControlFlow,
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
	time::Duration,
};
use tokio::{
	sync::{Mutex, Notify, mpsc},
	time::Instant,
};

/// Results on their way to the coordinator at a time.
const DELIVERIES: usize = 8;
/// Least time from one piece of text to the next that is sent on; the first goes at once.
const PIECES: Duration = Duration::from_millis(40);
/// How often it is looked for results that wait.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long before its end a session is replaced by another one, in milliseconds.
const RENEW_MS: u64 = 60_000;

/// Names of the loops.
const DELIVERING: &str = "deliveries";
const BEATING: &str = "heartbeats";
/// The same of the loop that signs lines of batches.
pub(crate) const SIGNING: &str = "lines";
/// Longest time from one turn of a loop to the next: a request has its own limit, which is shorter.
const LONGEST: Duration = Duration::from_secs(600);

/// A session with a coordinator.
#[derive(Clone)]
pub(crate) struct Session {
	pub(crate) token: String,
	pub(crate) coordinator: [u8; 32],
	heartbeat: Duration,
	renew_ms: u64,
}

/// Why results were not delivered; they wait.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
	/// The coordinator does not take them now.
	#[error(transparent)]
	Client(#[from] ClientError),
	/// The database fails.
	#[error(transparent)]
	Store(#[from] StoreError),
}

/// Why a request with a session was not answered.
pub(crate) enum Failed {
	/// There is no session: this says nothing about the request.
	Session(ClientError),
	/// The request itself.
	Request(ClientError),
}

impl From<Failed> for ClientError {
	fn from(failed: Failed) -> Self {
		match failed {
			Failed::Session(error) | Failed::Request(error) => error,
		}
	}
}

/// Work that was checked.
enum Accepted<'a> {
	/// A job, with its quote.
	Job(&'a Assignment, Quote),
	/// A request that a channel pays for, with its voucher.
	Voucher(&'a VoucherWork, SignedVoucher),
}

impl Accepted<'_> {
	fn id(&self) -> H256 {
		match self {
			Self::Job(assignment, _) => assignment.job.into(),
			Self::Voucher(work, _) => work.work.into(),
		}
	}

	const fn attempt(&self) -> u32 {
		match self {
			Self::Job(assignment, _) => assignment.attempt,
			Self::Voucher(work, _) => work.attempt,
		}
	}

	/// Seed of the receipt; that of a job is in its specification.
	fn seed(&self, genesis: &H256) -> Option<H256> {
		match self {
			Self::Job(..) => None,
			Self::Voucher(_, signed) => Some(signed.voucher.seed(genesis)),
		}
	}

	/// What is to be done, and whether somebody reads along.
	const fn spec(&self) -> (&JobSpec, bool) {
		match self {
			Self::Job(assignment, _) => (&assignment.spec, assignment.stream),
			Self::Voucher(work, _) => (&work.spec, work.stream),
		}
	}
}

/// The session, and the last try to begin one.
#[derive(Default)]
struct Beginning {
	held: Option<Session>,
	/// When it failed, and why.
	failed: Option<(Instant, ClientError)>,
}

/// The way to one coordinator.
pub(crate) struct Link {
	pub(crate) miner: Arc<Miner>,
	pub(crate) client: MinerClient,
	session: Mutex<Beginning>,
	/// Whose results these are; known once a session has begun. Deliveries wait for sessions, so who
	/// looks for what to deliver must not.
	coordinator: std::sync::Mutex<Option<[u8; 32]>>,
	/// There may be something to deliver.
	outgoing: Notify,
	/// The loops of this link.
	pub(crate) loops: Arc<Loops>,
}

impl Link {
	pub(crate) fn new(miner: Arc<Miner>, client: MinerClient) -> Self {
		let (outgoing, loops) = (Notify::new(), Arc::default());
		let (session, coordinator) = (Mutex::default(), std::sync::Mutex::default());
		Self { miner, client, session, coordinator, outgoing, loops }
	}

	/// Works until the miner is to stop and has finished what it holds.
	pub(crate) async fn run(&self) {
		for name in [DELIVERING, BEATING, SIGNING] {
			self.loops.begins(name, LONGEST);
		}
		let slots = (0..self.miner.settings.slots).map(|_| self.slot());
		let working = join_all(slots);
		tokio::select! {
			_ = working => (),
			() = self.deliver_all() => (),
			() = self.beat() => (),
			() = self.sign_lines() => (),
		}
		self.leave().await;
	}

	/// Returns the session, begun if there is none. Who waited while it could not be begun learns it,
	/// and does not try at once again, one after the other.
	async fn session(&self) -> Result<Session, ClientError> {
		let came = Instant::now();
		let mut beginning = self.session.lock().await;
		let now = self.miner.now();
		if let Some(session) = beginning.held.as_ref().filter(|held| held.renew_ms > now) {
			return Ok(session.clone());
		}
		if let Some((_, error)) = beginning.failed.as_ref().filter(|(at, _)| *at >= came) {
			return Err(error.clone());
		}
		let session = match self.begin().await {
			Ok(session) => session,
			Err(error) => {
				beginning.failed = Some((Instant::now(), error.clone()));
				return Err(error);
			},
		};
		self.miner.metrics.sessions.inc();
		tracing::info!(coordinator = self.client.url(), "a session has begun");
		*beginning = Beginning { held: Some(session.clone()), failed: None };
		*self.coordinator.locked() = Some(session.coordinator);
		// What was made before may wait for this.
		self.outgoing.notify_one();
		Ok(session)
	}

	async fn begin(&self) -> Result<Session, ClientError> {
		let about = self.client.about().await?;
		if H256::from(about.genesis) != self.miner.genesis {
			let (url, reason) =
				(self.client.url().to_string(), "it serves another chain".to_string());
			return Err(ClientError::NotUnderstood { url, reason });
		}
		let settings = &self.miner.settings;
		let mut hello = Hello {
			miner: Hex32(*self.miner.key.public()),
			class: settings.class.into(),
			models: self.miner.models().to_vec(),
			slots: settings.slots,
			time_ms: self.miner.now(),
			signature: Hex64([0; 64]),
		};
		let payload = hello_payload(&self.miner.genesis, &about.coordinator.0, &hello);
		hello.signature = Hex64(self.miner.key.sign(&payload));
		let welcome = self.client.hello(&hello).await?;
		Ok(Session {
			token: welcome.session,
			coordinator: about.coordinator.0,
			heartbeat: Duration::from_millis(welcome.heartbeat_ms.clamp(100, 60_000)),
			renew_ms: welcome.expires_ms.saturating_sub(RENEW_MS),
		})
	}

	/// Makes a request with the session; once more with another one if it has ended.
	pub(crate) async fn with<R, F>(&self, request: impl Fn(Session) -> F) -> Result<R, Failed>
	where
		F: Future<Output = Result<R, ClientError>>,
	{
		let session = self.session().await.map_err(Failed::Session)?;
		match request(session.clone()).await {
			Err(error) if error.code() == Some(ErrorCode::UnknownSession) => {
				let mut beginning = self.session.lock().await;
				// Another slot may have begun another one already.
				beginning.held.take_if(|held| held.token == session.token);
				drop(beginning);
				let session = self.session().await.map_err(Failed::Session)?;
				request(session).await.map_err(Failed::Request)
			},
			answer => answer.map_err(Failed::Request),
		}
	}

	/// One slot: takes a job, does it, takes the next.
	async fn slot(&self) {
		let mut pauses = RETRY.pauses();
		while !self.miner.is_stopping() {
			let work = self.with(|session| async move {
				let work = self.client.work(&session.token).await?;
				Ok((session, work))
			});
			let taken = tokio::select! {
				taken = work => taken,
				() = self.miner.stopping() => return,
			};
			match taken {
				Ok((session, Some(assignment))) => {
					pauses.reset();
					self.work_on(&session, assignment).await;
				},
				Ok((_, None)) => pauses.reset(),
				Err(failed) => {
					let (error, pause) = (ClientError::from(failed), pauses.next_pause());
					tracing::warn!(%error, ?pause, "no work");
					tokio::select! {
						() = tokio::time::sleep(pause) => (),
						() = self.miner.stopping() => return,
					}
				},
			}
		}
	}

	async fn work_on(&self, session: &Session, work: Work) {
		let (job, attempt) = match &work {
			Work::Job(assignment) => (assignment.job.into(), assignment.attempt),
			Work::Voucher(work) => (work.work.into(), work.attempt),
		};
		match self.miner.outbox.reassigned(job, attempt).await {
			Ok(None) => (),
			// Signed before: this very receipt is sent again, and no other.
			Ok(Some(_)) => return self.outgoing.notify_one(),
			Err(error) => {
				tracing::error!(%error, "a job is given back");
				let reason = "the miner's database fails".to_string();
				return self.give_back(job, attempt, RefusalReason::EngineFailed, reason).await;
			},
		}
		match self.accept(session, &work) {
			Err((reason, detail)) => {
				tracing::warn!(job = %Hex32(job.0), detail, "a job is given back");
				self.give_back(job, attempt, reason, detail).await;
			},
			Ok(accepted) => {
				self.miner.metrics.jobs.inc();
				let cancel = Arc::new(AtomicBool::new(false));
				let coordinator = session.coordinator;
				let running = Running { coordinator, attempt, cancel: cancel.clone() };
				self.miner.running().insert(job, running);
				self.run_job(session, &accepted, cancel).await;
				self.miner.running().remove(&job);
			},
		}
	}

	/// Checks work before it is begun.
	fn accept<'a>(
		&self,
		session: &Session,
		work: &'a Work,
	) -> Result<Accepted<'a>, (RefusalReason, String)> {
		let (genesis, now) = (&self.miner.genesis, self.miner.now());
		match work {
			Work::Job(assignment) => {
				let me = self.miner.key.public();
				let quote = assignment::check(assignment, genesis, &session.coordinator, me, now)?;
				Ok(Accepted::Job(assignment, quote))
			},
			Work::Voucher(work) => Ok(Accepted::Voucher(work, voucher::check(work, genesis, now)?)),
		}
	}

	async fn run_job(&self, session: &Session, accepted: &Accepted<'_>, cancel: Arc<AtomicBool>) {
		let (job, attempt) = (accepted.id(), accepted.attempt());
		let (pieces, arriving) = mpsc::unbounded_channel();
		let engine = self.miner.engine.clone();
		let (spec, stream) = accepted.spec();
		let (spec, cancelled) = (spec.clone(), cancel.clone());
		let seed = accepted.seed(&self.miner.genesis);
		let work = tokio::task::spawn_blocking(move || {
			let mut on_text = |text: &str| {
				if cancelled.load(Ordering::Relaxed) {
					return ControlFlow::Break(());
				}
				if stream && !text.is_empty() {
					// Nobody listens any more when the job was taken away.
					let _ = pieces.send(text.to_string());
				}
				ControlFlow::Continue(())
			};
			let engine = engine.as_ref();
			match seed {
				Some(seed) => execute_seeded(engine, &spec, seed, &mut on_text),
				// A job's receipt states neither sampler nor token ids.
				None => execute(engine, &spec, &mut on_text).map(|(output, measured)| Executed {
					output,
					measured,
					sampler: Sampler::Engine,
					prompt_ids: Vec::new(),
					output_ids: Vec::new(),
				}),
			}
		});
		// The result comes after the word that work has begun, and does not wait for the last piece of
		// text: it has all of it.
		let begun = Notify::new();
		let ending = async {
			let (done, ()) = tokio::join!(work, begun.notified());
			let broke_off = |_| Err(EngineError::Failed("the engine broke off".to_string()));
			self.conclude(session, accepted, done.unwrap_or_else(broke_off)).await;
		};
		tokio::join!(ending, self.report(job, attempt, arriving, &cancel, &begun));
	}

	/// Keeps what has come of work, or gives the work back.
	async fn conclude(
		&self,
		session: &Session,
		accepted: &Accepted<'_>,
		outcome: Result<Executed, EngineError>,
	) {
		let (job, attempt) = (accepted.id(), accepted.attempt());
		match outcome {
			Ok(done) => self.keep(session, accepted, done).await,
			Err(EngineError::Cancelled) if !self.miner.is_stopping() => {
				tracing::info!(job = %Hex32(job.0), "a job was taken away");
			},
			Err(error) => {
				tracing::warn!(job = %Hex32(job.0), %error, "a job is given back");
				let reason = assignment::refusal_for(&error);
				self.give_back(job, attempt, reason, error.to_string()).await;
			},
		}
	}

	/// Reports to the coordinator that work has begun, and passes the text on as it comes.
	async fn report(
		&self,
		job: H256,
		attempt: u32,
		mut pieces: mpsc::UnboundedReceiver<String>,
		cancel: &AtomicBool,
		begun: &Notify,
	) {
		let (mut offset, mut text, mut sent) = (0u64, String::new(), None);
		loop {
			let progress = Progress { attempt, offset, text: std::mem::take(&mut text) };
			let reported = self.with(|session| {
				let progress = &progress;
				async move { self.client.progress(&session.token, job, progress).await }
			});
			let reported = reported.await.map_err(ClientError::from);
			begun.notify_one();
			match reported {
				Ok(_) => offset = offset.saturating_add(clamped(progress.text.len())),
				Err(error) if error.code() == Some(ErrorCode::NotAssigned) => {
					cancel.store(true, Ordering::Relaxed);
					return;
				},
				// The text is in the result, whatever becomes of its pieces.
				Err(error) => {
					tracing::debug!(%error, "text is kept back");
					text = progress.text;
				},
			}
			let Some(piece) = pieces.recv().await else { return };
			text.push_str(&piece);
			// The first piece goes at once, those after it together. What is left at the end is in the
			// result.
			let until = sent.map_or_else(Instant::now, |sent: Instant| sent + PIECES);
			loop {
				match tokio::time::timeout_at(until, pieces.recv()).await {
					Ok(Some(piece)) => text.push_str(&piece),
					Ok(None) => return,
					Err(_) => break,
				}
			}
			sent = Some(Instant::now());
		}
	}

	/// Signs a result and keeps it, before anybody hears of it.
	async fn keep(&self, session: &Session, accepted: &Accepted<'_>, done: Executed) {
		let (miner, job, attempt) = (&self.miner, accepted.id(), accepted.attempt());
		let tokens = done.output.tokens();
		let Some(stored) = self.signed(session, accepted, done) else {
			let reason = "prompt or answer are too long for a receipt".to_string();
			return self.give_back(job, attempt, RefusalReason::BadSpec, reason).await;
		};
		miner.metrics.signed.inc();
		miner.metrics.tokens.inc_by(tokens);
		miner.metrics.units.inc_by(stored.units);
		match miner.outbox.keep(stored).await {
			Ok(_) => self.outgoing.notify_one(),
			Err(error) => {
				tracing::error!(%error, job = %Hex32(job.0), "a result could not be kept");
				let reason = "the miner's database fails".to_string();
				self.give_back(job, attempt, RefusalReason::EngineFailed, reason).await;
			},
		}
	}

	/// Returns a result with its signed receipt; `None` if there can be none.
	fn signed(&self, session: &Session, accepted: &Accepted<'_>, done: Executed) -> Option<Stored> {
		let miner = &self.miner;
		let Executed { output, measured, sampler, prompt_ids, output_ids } = done;
		let (me, genesis) = (*miner.key.public(), &miner.genesis);
		let (receipt, payload, units, deadline_ms, voucher) = match accepted {
			Accepted::Job(assignment, quote) => {
				let receipt = assignment::receipt(assignment, quote, me, &output, &measured);
				let payload = receipt.signing_payload(genesis, Signer::Miner);
				(receipt.encode(), payload, receipt.compute_units, quote.deadline_ms, None)
			},
			Accepted::Voucher(work, signed) => {
				// None where the engine does not report them: the root is over none then.
				let tokens = TokenIds { prompt: prompt_ids, output: output_ids };
				let made = voucher::Made { output: &output, tokens: &tokens, sampler };
				let receipt = voucher::receipt(work, signed, me, &made, &measured)?;
				let payload = receipt.signing_payload(genesis, Signer::Miner);
				let voucher = Some((work.kind, tokens));
				(receipt.encode(), payload, receipt.weight, work.settle_by_ms, voucher)
			},
		};
		Some(Stored {
			job: accepted.id(),
			coordinator: session.coordinator,
			attempt: accepted.attempt(),
			output,
			units,
			receipt,
			signature: miner.key.sign(&payload),
			deadline_ms,
			made_ms: miner.now(),
			voucher,
		})
	}

	async fn give_back(&self, job: H256, attempt: u32, reason: RefusalReason, detail: String) {
		self.miner.metrics.returned.inc();
		let detail: String = detail.chars().take(200).collect();
		let refusal = Refusal { attempt, reason, detail };
		let given = self.with(|session| {
			let refusal = &refusal;
			async move { self.client.refuse(&session.token, job, refusal).await }
		});
		// If it does not hear of it, the next heartbeat shows it: the job is not listed there.
		if let Err(error) = given.await.map_err(ClientError::from) {
			tracing::debug!(%error, "a job could not be given back");
		}
	}

	/// Delivers results as they come, and again what could not be delivered. None waits for another.
	async fn deliver_all(&self) {
		let (mut pauses, mut not_before) = (RETRY.pauses(), Instant::now());
		let (mut under_way, mut ids) = (FuturesUnordered::new(), HashSet::new());
		// Both are polled until they end, the look too: one that waits inside a branch would wait for what
		// the other holds, a session or a place at the database, and nobody would poll that.
		let mut looking: Fuse<BoxFuture<'_, _>> = Fuse::terminated();
		let mut ended = HashSet::new();
		loop {
			self.loops.turn(DELIVERING);
			if looking.is_terminated() && ids.len() < DELIVERIES {
				ended.clear();
				looking = self.look(not_before).boxed().fuse();
			}
			let delivered: Option<Result<(), DeliveryError>> = tokio::select! {
				Some((job, delivered)) = under_way.next() => {
					if ids.len() == DELIVERIES {
						// There is room again for what was due.
						self.outgoing.notify_one();
					}
					ids.remove(&job);
					ended.insert(job);
					Some(delivered)
				},
				due = &mut looking => match due {
					Ok(due) => {
						for stored in due {
							let job = stored.job;
							// What ended since the look began may not be due any more.
							let is_new = !ended.contains(&job);
							if is_new && ids.len() < DELIVERIES && ids.insert(job) {
								let delivery = self.deliver_one(stored);
								under_way.push(async move { (job, delivery.await) });
							}
						}
						None
					},
					Err(error) => Some(Err(error.into())),
				},
			};
			match delivered {
				None => (),
				Some(Ok(())) => pauses.reset(),
				Some(Err(error)) => {
					let pause = pauses.next_pause();
					tracing::warn!(%error, ?pause, "results wait");
					not_before = Instant::now() + pause;
					looking = Fuse::terminated();
					self.outgoing.notify_one();
				},
			}
		}
	}

	/// Returns what can be delivered when there is news of it, and every now and then.
	async fn look(&self, not_before: Instant) -> Result<Vec<Stored>, StoreError> {
		tokio::time::sleep_until(not_before).await;
		let _ = tokio::time::timeout(LOOK_AGAIN, self.outgoing.notified()).await;
		self.due().await
	}

	/// Returns what can be delivered now.
	async fn due(&self) -> Result<Vec<Stored>, StoreError> {
		// Before the first session it is not known whose results these are.
		let known = *self.coordinator.locked();
		let Some(coordinator) = known else { return Ok(Vec::new()) };
		self.miner.outbox.due(coordinator, self.miner.now()).await
	}

	/// Delivers all that is there now.
	async fn deliver(&self) -> Result<(), DeliveryError> {
		loop {
			let pending = self.due().await?;
			if pending.is_empty() {
				return Ok(());
			}
			let mut deliveries = stream::iter(pending)
				.map(|stored| self.deliver_one(stored))
				.buffer_unordered(DELIVERIES);
			while let Some(delivered) = deliveries.next().await {
				self.loops.turn(DELIVERING);
				delivered?;
			}
		}
	}

	async fn deliver_one(&self, stored: Stored) -> Result<(), DeliveryError> {
		let (job, attempt, outbox) = (stored.job, stored.attempt, &self.miner.outbox);
		let result = stored.result();
		let answer = self.with(|session| {
			let result = &result;
			async move { self.client.result(&session.token, job, result).await }
		});
		let error = match answer.await {
			Ok(accepted) => {
				tracing::info!(job = %Hex32(job.0), receipt = %accepted.receipt_id, "delivered");
				if let Some((kind, _)) = &stored.voucher {
					self.account_for(&stored, *kind, accepted.issued.as_ref()).await?;
				}
				return Ok(outbox.delivered(job).await?);
			},
			// Without a session nothing is delivered, whatever it is.
			Err(Failed::Session(error)) => return Err(error.into()),
			Err(Failed::Request(error)) => error,
		};
		let code = error.code();
		let reason = match &error {
			ClientError::Refused(body) => format!("{}: {}", body.error.as_str(), body.message),
			other => other.to_string(),
		};
		match code.and_then(end_of) {
			Some(End::Withheld) => outbox.withheld(job, attempt, &reason).await?,
			Some(End::Refused) => {
				tracing::warn!(job = %Hex32(job.0), reason, "a result was refused");
				outbox.refused(job, &reason).await?;
			},
			// What stands between miner and coordinator may refuse this one and no other.
			None => {
				tracing::warn!(job = %Hex32(job.0), reason, "a result waits");
				outbox.later(job, self.miner.now(), &reason).await?;
			},
		}
		Ok(())
	}

	/// Reports to the coordinator what the miner holds, and drops what it should not hold.
	async fn beat(&self) {
		let mut interval = Duration::from_secs(5);
		loop {
			self.loops.turn(BEATING);
			tokio::time::sleep(interval).await;
			let beat = self.with(|session| async move {
				let heartbeat = Heartbeat { jobs: self.held(session.coordinator).await };
				let answer = self.client.heartbeat(&session.token, &heartbeat).await?;
				Ok((session, answer))
			});
			match beat.await.map_err(ClientError::from) {
				Ok((Session { coordinator, heartbeat, .. }, answer)) => {
					interval = heartbeat;
					let running = self.miner.running();
					let stopped = answer.stop.iter().filter_map(|job| running.get(&H256(job.0)));
					for job in stopped.filter(|job| job.coordinator == coordinator) {
						job.cancel.store(true, Ordering::Relaxed);
					}
				},
				Err(error) => tracing::debug!(%error, "a heartbeat was not answered"),
			}
		}
	}

	/// Returns what is running or waits to be delivered.
	async fn held(&self, coordinator: [u8; 32]) -> Vec<HeldJob> {
		let mut held: Vec<HeldJob> = self
			.miner
			.running()
			.iter()
			.filter(|(_, running)| running.coordinator == coordinator)
			.map(|(job, running)| HeldJob { job: Hex32(job.0), attempt: running.attempt })
			.collect();
		// A database that fails now is reported where results are delivered.
		let pending = self.miner.outbox.pending(coordinator).await.unwrap_or_default();
		held.extend(pending.iter().map(Stored::held));
		held
	}

	/// Delivers what is left, for a moment, and says goodbye.
	async fn leave(&self) {
		let last = tokio::time::timeout(Duration::from_secs(5), self.deliver()).await;
		let is_empty = self.miner.outbox.counts().await.is_ok_and(|counts| counts.pending == 0);
		if !matches!(last, Ok(Ok(()))) || !is_empty {
			tracing::warn!("results wait for the next run");
		}
		let session = self.session.lock().await.held.take();
		if let Some(session) = session
			&& let Err(error) = self.client.goodbye(&session.token).await
		{
			tracing::debug!(%error, "a goodbye was not answered");
		}
	}
}

/// How a result ends without having been accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
	/// The job was given to another miner; if it comes back, so does the result.
	Withheld,
	/// The coordinator will never take it.
	Refused,
}

/// Returns how a result ends with this answer to it; `None` if it is to be delivered again.
const fn end_of(code: ErrorCode) -> Option<End> {
	match code {
		ErrorCode::NotAssigned => Some(End::Withheld),
		ErrorCode::BadRequest
		| ErrorCode::BadSignature
		| ErrorCode::UnknownJob
		| ErrorCode::AlreadyCompleted
		| ErrorCode::WrongState
		| ErrorCode::Mismatch
		| ErrorCode::Implausible
		| ErrorCode::NotReproduced
		| ErrorCode::Expired
		| ErrorCode::BadQuote => Some(End::Refused),
		// About the session, the moment, or what is between miner and coordinator.
		ErrorCode::ClockSkew
		| ErrorCode::NotRegistered
		| ErrorCode::Banned
		| ErrorCode::UnknownSession
		| ErrorCode::UnknownModel
		| ErrorCode::PrivateModel
		| ErrorCode::NotFunded
		| ErrorCode::Unauthorized
		| ErrorCode::UnknownChannel
		| ErrorCode::BadVoucher
		| ErrorCode::ChannelDry
		| ErrorCode::UnknownBatch
		| ErrorCode::NotShown
		| ErrorCode::RateLimited
		| ErrorCode::ChainUnavailable
		| ErrorCode::Overloaded
		| ErrorCode::PayloadTooLarge
		| ErrorCode::NotFound
		| ErrorCode::Internal
		| ErrorCode::ContextExceeded
		| ErrorCode::Other => None,
	}
}
