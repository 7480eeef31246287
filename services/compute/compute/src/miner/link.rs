//! A miner and one of its coordinators.
//!
//! Each slot waits for work, runs it and keeps the result; what was kept is delivered beside that,
//! until the coordinator has it. A session that ends is begun anew by whoever notices.

use super::{
	Backoff, Miner, Running, assignment,
	client::{Client, ClientFault},
	execute::{execute, refusal_for},
	outbox::Stored,
};
use crate::protocol::{
	Assignment, FaultCode, Heartbeat, HeldJob, Hello, Hex32, Hex64, Output, Progress, Refusal,
	RefusalReason, hello_payload,
};
use codec::Encode;
use futures::{StreamExt, stream};
use gridproof_engine::{EngineFault, Measured};
use gridproof_primitives::{
	H256,
	compute::{Quote, Signer},
};
use std::{
	ops::ControlFlow,
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
	time::Duration,
};
use tokio::sync::{Mutex, Notify, mpsc};

/// Results on their way at a time.
const DELIVERIES: usize = 8;
/// Text is collected for so long before it is sent on.
const PIECES: Duration = Duration::from_millis(40);
/// Deliveries that failed are tried again after so long at the latest.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A new session is begun so long before the old one ends, in milliseconds.
const RENEW_MS: u64 = 60_000;

/// A session with a coordinator.
#[derive(Clone)]
struct Session {
	token: String,
	coordinator: [u8; 32],
	heartbeat: Duration,
	renew_ms: u64,
}

/// The way to one coordinator.
pub(super) struct Link {
	miner: Arc<Miner>,
	client: Client,
	session: Mutex<Option<Session>>,
	/// There may be something to deliver.
	outgoing: Notify,
}

impl Link {
	pub(super) fn new(miner: Arc<Miner>, client: Client) -> Self {
		Self { miner, client, session: Mutex::new(None), outgoing: Notify::new() }
	}

	/// Works until the miner is told to stop, and has finished what it holds.
	pub(super) async fn run(&self) {
		let slots = (0..self.miner.settings.slots).map(|_| self.slot());
		let working = futures::future::join_all(slots);
		tokio::select! {
			_ = working => (),
			() = self.deliver_all() => (),
			() = self.beat() => (),
		}
		self.leave().await;
	}

	/// The session, begun if there is none; waits as long as it takes.
	async fn session(&self) -> Result<Session, ClientFault> {
		let mut held = self.session.lock().await;
		if let Some(session) = held.as_ref().filter(|s| s.renew_ms > self.miner.now()) {
			return Ok(session.clone());
		}
		let session = self.begin().await?;
		tracing::info!(coordinator = self.client.url(), "a session has begun");
		*held = Some(session.clone());
		// What was made before may wait for this.
		self.outgoing.notify_one();
		Ok(session)
	}

	async fn begin(&self) -> Result<Session, ClientFault> {
		let about = self.client.about().await?;
		if H256::from(about.genesis) != self.miner.genesis {
			let reason = format!("the coordinator {} serves another chain", self.client.url());
			return Err(ClientFault::NotUnderstood(reason));
		}
		let settings = &self.miner.settings;
		let mut hello = Hello {
			miner: Hex32(*self.miner.key.public()),
			class: settings.class.into(),
			models: self.miner.models.clone(),
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

	/// Makes a request with the session; once more with a new one if it has ended.
	async fn with<R, F>(&self, request: impl Fn(Session) -> F) -> Result<R, ClientFault>
	where
		F: Future<Output = Result<R, ClientFault>>,
	{
		let session = self.session().await?;
		match request(session.clone()).await {
			Err(fault) if fault.code() == Some(FaultCode::UnknownSession) => {
				let mut held = self.session.lock().await;
				// Another slot may have begun a new one already.
				if held.as_ref().is_some_and(|held| held.token == session.token) {
					*held = None;
				}
				drop(held);
				request(self.session().await?).await
			},
			answer => answer,
		}
	}

	/// One slot: takes a job, does it, takes the next.
	async fn slot(&self) {
		let mut backoff = Backoff::default();
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
					backoff.reset();
					self.work_on(&session, assignment).await;
				},
				Ok((_, None)) => backoff.reset(),
				Err(fault) => {
					let pause = backoff.pause();
					tracing::warn!(%fault, ?pause, "no work");
					tokio::select! {
						() = tokio::time::sleep(pause) => (),
						() = self.miner.stopping() => return,
					}
				},
			}
		}
	}

	async fn work_on(&self, session: &Session, assignment: Assignment) {
		let job = H256::from(assignment.job);
		let attempt = assignment.attempt;
		match self.miner.outbox.reassigned(job, attempt).await {
			Ok(None) => (),
			// Signed before: this very receipt is sent again, and no other.
			Ok(Some(_)) => return self.outgoing.notify_one(),
			Err(fault) => {
				tracing::error!(%fault, "a job is given back");
				let reason = "the miner's database fails".to_string();
				return self.give_back(job, attempt, RefusalReason::EngineFailed, reason).await;
			},
		}
		let me = self.miner.key.public();
		let (genesis, now) = (&self.miner.genesis, self.miner.now());
		match assignment::check(&assignment, genesis, &session.coordinator, me, now) {
			Err((reason, detail)) => {
				tracing::warn!(job = %assignment.job, detail, "a job is given back");
				self.give_back(job, attempt, reason, detail).await;
			},
			Ok(quote) => {
				let cancel = Arc::new(AtomicBool::new(false));
				let coordinator = session.coordinator;
				let running = Running { coordinator, attempt, cancel: cancel.clone() };
				self.miner.running().insert(job, running);
				self.run_job(session, &assignment, &quote, cancel).await;
				self.miner.running().remove(&job);
			},
		}
	}

	async fn run_job(
		&self,
		session: &Session,
		assignment: &Assignment,
		quote: &Quote,
		cancel: Arc<AtomicBool>,
	) {
		let job = H256::from(assignment.job);
		let (pieces, arriving) = mpsc::unbounded_channel();
		let engine = self.miner.engine.clone();
		let (spec, stream, cancelled) =
			(assignment.spec.clone(), assignment.stream, cancel.clone());
		let work = tokio::task::spawn_blocking(move || {
			execute(engine.as_ref(), &spec, &mut |text| {
				if cancelled.load(Ordering::Relaxed) {
					return ControlFlow::Break(());
				}
				if stream && !text.is_empty() {
					// Nobody listens any more when the job was taken away.
					let _ = pieces.send(text.to_string());
				}
				ControlFlow::Continue(())
			})
		});
		let (done, ()) = tokio::join!(work, self.tell(job, assignment.attempt, arriving, &cancel));
		let outcome =
			done.unwrap_or_else(|_| Err(EngineFault::Failed("the engine broke off".to_string())));
		match outcome {
			Ok((output, measured)) => {
				self.keep(session, assignment, quote, output, &measured).await;
			},
			Err(EngineFault::Cancelled) if !self.miner.is_stopping() => {
				tracing::info!(job = %assignment.job, "a job was taken away");
			},
			Err(fault) => {
				tracing::warn!(job = %assignment.job, %fault, "a job is given back");
				let reason = refusal_for(&fault);
				self.give_back(job, assignment.attempt, reason, fault.to_string()).await;
			},
		}
	}

	/// Tells the coordinator that work has begun, and passes the text on as it comes.
	async fn tell(
		&self,
		job: H256,
		attempt: u32,
		mut pieces: mpsc::UnboundedReceiver<String>,
		cancel: &AtomicBool,
	) {
		let (mut offset, mut text) = (0u64, String::new());
		loop {
			let progress = Progress { attempt, offset, text: std::mem::take(&mut text) };
			let told = self.with(|session| {
				let progress = &progress;
				async move { self.client.progress(&session.token, job, progress).await }
			});
			match told.await {
				Ok(_) => {
					let length = u64::try_from(progress.text.len()).unwrap_or(u64::MAX);
					offset = offset.saturating_add(length);
				},
				Err(fault) if fault.code() == Some(FaultCode::NotAssigned) => {
					cancel.store(true, Ordering::Relaxed);
					return;
				},
				// The text is in the result, whatever becomes of its pieces.
				Err(fault) => {
					tracing::debug!(%fault, "text is kept back");
					text = progress.text;
				},
			}
			let Some(piece) = pieces.recv().await else { break };
			text.push_str(&piece);
			tokio::time::sleep(PIECES).await;
			while let Ok(piece) = pieces.try_recv() {
				text.push_str(&piece);
			}
		}
	}

	/// Signs a result and keeps it, before anybody hears of it.
	async fn keep(
		&self,
		session: &Session,
		assignment: &Assignment,
		quote: &Quote,
		output: Output,
		measured: &Measured,
	) {
		let miner = &self.miner;
		let me = *miner.key.public();
		let receipt = assignment::receipt(assignment, quote, me, &output, measured);
		let signature = miner.key.sign(&receipt.signing_payload(&miner.genesis, Signer::Miner));
		let stored = Stored {
			job: assignment.job.into(),
			coordinator: session.coordinator,
			attempt: assignment.attempt,
			output,
			units: receipt.compute_units,
			receipt: receipt.encode(),
			signature,
			deadline_ms: quote.deadline_ms,
			made_ms: miner.now(),
		};
		match miner.outbox.keep(stored).await {
			Ok(_) => self.outgoing.notify_one(),
			Err(fault) => {
				tracing::error!(%fault, job = %assignment.job, "a result could not be kept");
				let (job, attempt) = (assignment.job.into(), assignment.attempt);
				let reason = "the miner's database fails".to_string();
				self.give_back(job, attempt, RefusalReason::EngineFailed, reason).await;
			},
		}
	}

	async fn give_back(&self, job: H256, attempt: u32, reason: RefusalReason, detail: String) {
		let detail: String = detail.chars().take(200).collect();
		let refusal = Refusal { attempt, reason, detail };
		let told = self.with(|session| {
			let refusal = &refusal;
			async move { self.client.refuse(&session.token, job, refusal).await }
		});
		// If it does not hear of it, the next heartbeat tells: the job is not listed there.
		if let Err(fault) = told.await {
			tracing::debug!(%fault, "giving a job back");
		}
	}

	/// Delivers results as they come, and again what could not be delivered.
	async fn deliver_all(&self) {
		let mut backoff = Backoff::default();
		loop {
			let _ = tokio::time::timeout(LOOK_AGAIN, self.outgoing.notified()).await;
			while let Err(fault) = self.deliver().await {
				let pause = backoff.pause();
				tracing::warn!(%fault, ?pause, "results wait");
				tokio::time::sleep(pause).await;
			}
			backoff.reset();
		}
	}

	/// Delivers all that is there now.
	async fn deliver(&self) -> Result<(), ClientFault> {
		// Before the first session it is not known whose results these are.
		let coordinator = match self.session.lock().await.as_ref() {
			Some(session) => session.coordinator,
			None => return Ok(()),
		};
		let database = |fault| ClientFault::Away(format!("{fault}"));
		loop {
			let pending = self.miner.outbox.pending(coordinator).await.map_err(database)?;
			if pending.is_empty() {
				return Ok(());
			}
			let mut deliveries = stream::iter(pending)
				.map(|stored| self.deliver_one(stored))
				.buffer_unordered(DELIVERIES);
			while let Some(delivered) = deliveries.next().await {
				delivered?;
			}
		}
	}

	async fn deliver_one(&self, stored: Stored) -> Result<(), ClientFault> {
		let (job, result, outbox) = (stored.job, stored.result(), &self.miner.outbox);
		let answer = self.with(|session| {
			let result = &result;
			async move { self.client.result(&session.token, job, result).await }
		});
		let kept = match answer.await {
			Ok(accepted) => {
				tracing::info!(job = %Hex32(job.0), receipt = %accepted.receipt_id, "delivered");
				outbox.delivered(job).await
			},
			Err(fault) if fault.code() == Some(FaultCode::NotAssigned) => {
				outbox.withheld(job, &fault.to_string()).await
			},
			Err(ClientFault::Refused { code, message }) => {
				tracing::warn!(job = %Hex32(job.0), ?code, message, "a result was refused");
				outbox.refused(job, &format!("{code:?}: {message}")).await
			},
			Err(fault) => return Err(fault),
		};
		kept.map_err(|fault| ClientFault::Away(fault.to_string()))
	}

	/// Tells the coordinator what the miner holds, and hears what it should drop.
	async fn beat(&self) {
		let mut interval = Duration::from_secs(5);
		loop {
			tokio::time::sleep(interval).await;
			let beat = self.with(|session| async move {
				let heartbeat = Heartbeat { jobs: self.held(session.coordinator).await };
				let answer = self.client.heartbeat(&session.token, &heartbeat).await?;
				Ok((session, answer))
			});
			match beat.await {
				Ok((Session { coordinator, heartbeat, .. }, answer)) => {
					interval = heartbeat;
					let running = self.miner.running();
					let stopped = answer.stop.iter().filter_map(|job| running.get(&H256(job.0)));
					for job in stopped.filter(|job| job.coordinator == coordinator) {
						job.cancel.store(true, Ordering::Relaxed);
					}
				},
				Err(fault) => tracing::debug!(%fault, "no heartbeat"),
			}
		}
	}

	/// What is running or waits to be delivered.
	async fn held(&self, coordinator: [u8; 32]) -> Vec<HeldJob> {
		let mut held: Vec<HeldJob> = self
			.miner
			.running()
			.iter()
			.filter(|(_, running)| running.coordinator == coordinator)
			.map(|(job, running)| HeldJob { job: Hex32(job.0), attempt: running.attempt })
			.collect();
		// A database that fails now is told of where results are delivered.
		let pending = self.miner.outbox.pending(coordinator).await.unwrap_or_default();
		held.extend(pending.iter().map(Stored::held));
		held
	}

	/// Delivers what is left, for a moment, and says goodbye.
	async fn leave(&self) {
		let last = tokio::time::timeout(Duration::from_secs(5), self.deliver()).await;
		if !matches!(last, Ok(Ok(()))) {
			tracing::warn!("results wait for the next run");
		}
		let session = self.session.lock().await.take();
		if let Some(session) = session
			&& let Err(fault) = self.client.goodbye(&session.token).await
		{
			tracing::debug!(%fault, "goodbye");
		}
	}
}
