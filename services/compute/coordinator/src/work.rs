//! From an accepted job to a miner, and back if the miner fails.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	rows::{self, Change, Job},
	sessions::{Chosen, HeldLease, Presence, Session},
};
use gridproof_compute_api::protocol::{
	Assignment, ErrorCode, HELLO_SKEW_MS, Heartbeat, HeartbeatAnswer, Hello, JobStage, Lease,
	Progress, Refusal, RefusalReason, Welcome, Work, hello_payload,
};
use gridproof_primitives::{H256, crypto::ed25519};
use gridproof_support::text::{Amount, Hex32, Hex64, HexBytes};
use std::time::{Duration, Instant};

/// Name of the loop.
pub(crate) const NAME: &str = "dispatch";
/// How often leases, deadlines and the queue are looked through without being asked.
const SWEEP: Duration = Duration::from_millis(500);
/// Most models that a miner may name, and most bytes of a name.
const MAX_MODELS: usize = 64;
const MAX_MODEL_BYTES: usize = 128;
/// Most jobs that a miner may have at a time.
const MAX_SLOTS: u32 = 256;
/// How long an assignment may be on its way before a heartbeat that does not list it means that
/// the miner does not know of it.
const DELIVERY_MS: u64 = 10_000;
/// How long a job waits for another miner before one that failed at it may try again.
const ANOTHER_CHANCE_MS: u64 = 3_000;
/// Jobs looked at in one go.
const BATCH: u32 = 256;

/// Gives out jobs whenever there may be something to give, and sweeps, until the future is dropped.
pub(crate) async fn dispatch(coordinator: &Coordinator) {
	let mut swept: Option<Instant> = None;
	loop {
		// An error is the database's; the next sweep tries again.
		let _ = tokio::time::timeout(SWEEP, coordinator.work.notified()).await;
		// First what is in memory, and waits for no disk.
		if let Err(error) = coordinator.give_out_requests().await {
			tracing::warn!(%error, "giving out requests failed");
		}
		if swept.is_none_or(|swept| swept.elapsed() >= SWEEP) {
			if let Err(error) = coordinator.sweep().await {
				tracing::warn!(%error, "sweeping failed");
			}
			swept = Some(Instant::now());
		}
		if let Err(error) = coordinator.give_out().await {
			tracing::warn!(%error, "giving out failed");
		}
		coordinator.loops.turn(NAME);
	}
}

impl Coordinator {
	/// Begins a miner's session.
	///
	/// # Errors
	/// [`ErrorCode::BadRequest`], [`ErrorCode::ClockSkew`], [`ErrorCode::BadSignature`],
	/// [`ErrorCode::NotRegistered`], [`ErrorCode::Banned`], [`ErrorCode::ChainUnavailable`].
	pub async fn hello(&self, hello: &Hello) -> Result<Welcome, RequestError> {
		let now = self.now();
		let good_name = |name: &String| (1..=MAX_MODEL_BYTES).contains(&name.len());
		if hello.models.is_empty()
			|| hello.models.len() > MAX_MODELS
			|| !hello.models.iter().all(good_name)
			|| !(1..=MAX_SLOTS).contains(&hello.slots)
		{
			let message = format!(
				"models or slots are out of bounds: name 1 to {MAX_MODELS} models of 1 to \
				 {MAX_MODEL_BYTES} bytes each, and 1 to {MAX_SLOTS} slots"
			);
			return RequestError::err(ErrorCode::BadRequest, message);
		}
		if hello.time_ms.abs_diff(now) > HELLO_SKEW_MS {
			let message =
				format!("the hello is of {}, it is {now} here: set the clock", hello.time_ms);
			return RequestError::err(ErrorCode::ClockSkew, message);
		}
		let payload = hello_payload(&self.genesis, &self.public(), hello);
		if let Err(error) = ed25519::verify(&hello.miner.0, &payload, &hello.signature.0) {
			return RequestError::err(ErrorCode::BadSignature, error.as_str());
		}
		let Some(registered) = self.ledger.miner(hello.miner.0).await? else {
			let message = "the chain does not know this miner: run gridproof miner register";
			return RequestError::err(ErrorCode::NotRegistered, message);
		};
		if registered.class != hello.class.into() {
			let message = format!("the miner is registered as {}", registered.class.as_str());
			return RequestError::err(ErrorCode::NotRegistered, message);
		}
		if !registered.is_able {
			return RequestError::err(
				ErrorCode::Banned,
				"the miner is banned or its bond is too small",
			);
		}
		let lasts_ms = self.settings.session_seconds.saturating_mul(1_000);
		let (steady, expires_ms) = (self.time.steady(), now.saturating_add(lasts_ms));
		let session = self.sessions.begin(Presence {
			miner: hello.miner.0,
			class: hello.class,
			models: hello.models.clone(),
			slots: hello.slots,
			score: registered.score,
			expires_ms: steady.saturating_add(lasts_ms),
			seen_ms: steady,
		});
		tracing::info!(miner = %hello.miner, models = ?hello.models, "a miner has a session");
		let lease_ms = self.lease_ms();
		Ok(Welcome { session, expires_ms, lease_ms, heartbeat_ms: (lease_ms / 4).max(250) })
	}

	/// Returns the session of a token.
	///
	/// # Errors
	/// [`ErrorCode::UnknownSession`].
	pub fn session(&self, token: &str) -> Result<Session, RequestError> {
		self.sessions.find(token, self.time.steady()).ok_or_else(|| {
			RequestError::new(
				ErrorCode::UnknownSession,
				"no such session, or it ended; say hello again",
			)
		})
	}

	/// Waits for a job for this miner, for at most `wait`.
	///
	/// # Errors
	/// [`ErrorCode::Internal`].
	pub async fn take(
		&self,
		session: &Session,
		wait: Duration,
	) -> Result<Option<Work>, RequestError> {
		let (number, mut answer) = self.sessions.wait(*session.miner());
		// A miner that stops waiting, by time or because its connection broke, gives its place up.
		let place = Place { coordinator: self, number };
		self.work.notify_one();
		let waited = tokio::select! {
			assigned = &mut answer => Some(assigned),
			() = tokio::time::sleep(wait) => None,
			() = self.closed() => None,
		};
		let assigned = match waited {
			Some(assigned) => assigned.ok(),
			None if self.sessions.leave(place.number) => None,
			// Chosen in this very moment: the assignment is on its way.
			None => answer.await.ok(),
		};
		Ok(assigned)
	}

	/// Matches queued jobs with waiting miners until one of the two has nothing left.
	///
	/// # Errors
	/// [`ErrorCode::Internal`].
	pub async fn give_out(&self) -> Result<(), RequestError> {
		if !self.sessions.anybody_waits() {
			return Ok(());
		}
		self.give_out_requests().await?;
		if self.check_sight().await.is_err() {
			return Ok(());
		}
		let now = self.now();
		let jobs = self.read(move |db| Ok(rows::assignable(db, now, BATCH)?)).await?;
		for job in jobs {
			if !self.sessions.anybody_waits() {
				break;
			}
			self.give_one(&job, now).await?;
			self.loops.turn(NAME);
		}
		Ok(())
	}

	async fn give_one(&self, job: &Job, now: u64) -> Result<(), RequestError> {
		let id = job.job;
		let avoid = if job.attempt == 0 {
			Vec::new()
		} else {
			self.read(move |db| Ok(rows::failed_at(db, id)?)).await?
		};
		let last_resort = now.saturating_sub(job.updated_ms) >= ANOTHER_CHANCE_MS;
		let class = self.settings.model(&job.model).and_then(|offer| offer.class);
		let steady = self.time.steady();
		let chosen = self.sessions.choose(&job.model, class, &avoid, last_resort, steady);
		let Some(Chosen { miner, answer }) = chosen else { return Ok(()) };
		let change = Change::Assign { miner };
		let given = self.write(move |db| Ok(rows::change(db, id, None, &change, now)?)).await?;
		let Some(given) = given else { return Ok(()) };
		let confirm_ms = self.settings.confirm_seconds.saturating_mul(1_000);
		let (steady, attempt) = (self.time.steady(), given.attempt);
		let until_ms = steady.saturating_add(confirm_ms);
		let lease = HeldLease { miner, attempt, since_ms: steady, until_ms };
		self.sessions.lease(id, lease);
		self.metrics.assignments.inc();
		let assignment = Assignment {
			job: id.into(),
			attempt: given.attempt,
			spec: given.spec()?,
			quote: HexBytes(given.quote.clone()),
			quote_signature: Hex64(given.quote_signature),
			unit_price: Amount(given.unit_price),
			nonce: given.nonce,
			lease_until_ms: now.saturating_add(confirm_ms),
			stream: given.stream,
		};
		if answer.send(Work::Job(assignment)).is_err() {
			// The miner went away between asking and being answered.
			self.give_back(id, given.attempt, "the miner went away", false).await?;
		}
		Ok(())
	}

	/// Puts a job back into the queue, or ends it if it came back too often.
	pub(crate) async fn give_back(
		&self,
		id: H256,
		attempt: u32,
		reason: &str,
		failure: bool,
	) -> Result<Option<Job>, RequestError> {
		if self.book.request(&id).is_some() {
			self.return_request(id, attempt, reason, failure).await?;
			return Ok(None);
		}
		let (now, most, reason) = (self.now(), self.settings.max_failures, reason.to_string());
		let changed = self
			.write(move |db| {
				let Some(job) = rows::job(db, id)? else { return Ok(None) };
				let failures = job.failures.saturating_add(u32::from(failure));
				let change = if failures > most {
					Change::Fail { reason }
				} else {
					Change::Requeue { reason, failure, not_before_ms: now }
				};
				Ok(rows::change(db, id, Some(attempt), &change, now)?)
			})
			.await?;
		if let Some(job) = &changed {
			self.sessions.release(&id);
			self.metrics.returned.inc();
			tracing::info!(job = %Hex32(id.0), attempt, state = %job.state, "a job came back");
			self.after(job);
		}
		Ok(changed)
	}

	/// Wakes what waits for what a job has become.
	pub(crate) fn after(&self, job: &Job) {
		if job.state.is_final() {
			self.live.end(job.job);
			self.receipts.notify_one();
		} else {
			self.work.notify_one();
		}
	}

	/// A miner has begun, or has more text.
	///
	/// # Errors
	/// [`ErrorCode::NotAssigned`], [`ErrorCode::Internal`].
	pub async fn progress(
		&self,
		session: &Session,
		id: H256,
		progress: &Progress,
	) -> Result<Lease, RequestError> {
		let (attempt, lasts_ms) = (progress.attempt, self.lease_ms());
		let until = self.time.steady().saturating_add(lasts_ms);
		if !self.sessions.prolong(id, session.miner(), attempt, until) {
			return RequestError::err(
				ErrorCode::NotAssigned,
				"the job is not this miner's (any more)",
			);
		}
		if progress.offset == 0 {
			self.confirm(id, attempt).await?;
		}
		self.live.add(id, attempt, progress.offset, &progress.text);
		Ok(Lease { lease_until_ms: self.now().saturating_add(lasts_ms) })
	}

	/// Notes that a miner has begun.
	async fn confirm(&self, id: H256, attempt: u32) -> Result<(), RequestError> {
		if self.book.request(&id).is_some() {
			// Nothing of it is on disk before its receipt.
			return Ok(());
		}
		let now = self.now();
		self.write(move |db| {
			let is_new = rows::job(db, id)?.is_some_and(|job| job.state == JobStage::Assigned);
			if is_new {
				rows::change(db, id, Some(attempt), &Change::Start, now)?;
			}
			Ok(())
		})
		.await
	}

	/// A miner gives a job back.
	///
	/// # Errors
	/// [`ErrorCode::NotAssigned`], [`ErrorCode::Internal`].
	pub async fn refuse(
		&self,
		session: &Session,
		id: H256,
		refusal: &Refusal,
	) -> Result<(), RequestError> {
		self.is_held(session, id, refusal.attempt)?;
		let words = serde_json::to_value(refusal.reason)?;
		let words = words.as_str().unwrap_or_default().to_string();
		let reason = match refusal.detail.chars().take(200).collect::<String>() {
			detail if detail.is_empty() => words,
			detail => format!("{words}: {detail}"),
		};
		let failure = match refusal.reason {
			RefusalReason::Busy | RefusalReason::ShuttingDown => false,
			RefusalReason::ModelUnavailable
			| RefusalReason::BadQuote
			| RefusalReason::BadSpec
			| RefusalReason::ContextExceeded
			| RefusalReason::NotOffered
			| RefusalReason::EngineFailed => true,
		};
		let is_nobodys = refusal.reason == RefusalReason::NotOffered
			&& !self.is_left_to_another(session.miner(), id).await?;
		if refusal.reason.is_requests_own() || is_nobodys {
			// Another miner could not do it either, and its client waits for the answer.
			self.metrics.returned.inc();
			if self.book.request(&id).is_some() {
				return self.end_request(id, Some(refusal.attempt), reason).await;
			}
			return self.fail_at(id, Some(refusal.attempt), reason).await;
		}
		self.give_back(id, refusal.attempt, &reason, failure).await?;
		Ok(())
	}

	/// Returns `true` if a miner with the job's model is there that has not failed at it, apart from this
	/// one.
	async fn is_left_to_another(&self, miner: &[u8; 32], id: H256) -> Result<bool, RequestError> {
		let (model, failed) = match self.book.request(&id) {
			Some(request) => (request.spec.model.clone(), self.book.failed_at(&id)),
			None => {
				let Some(job) = self.job(id).await? else { return Ok(false) };
				(job.model, self.read(move |db| Ok(rows::failed_at(db, id)?)).await?)
			},
		};
		let is_left = |other: &Presence| {
			other.miner != *miner && other.models.contains(&model) && !failed.contains(&other.miner)
		};
		Ok(self.sessions.all(self.time.steady()).iter().any(is_left))
	}

	/// Checks that the job is this miner's in this attempt.
	pub(crate) fn is_held(
		&self,
		session: &Session,
		id: H256,
		attempt: u32,
	) -> Result<(), RequestError> {
		if self.sessions.prolong(id, session.miner(), attempt, 0) {
			Ok(())
		} else {
			RequestError::err(ErrorCode::NotAssigned, "the job is not this miner's (any more)")
		}
	}

	/// A miner is alive. What it lists stays its; what it does not know of comes back.
	///
	/// # Errors
	/// [`ErrorCode::Internal`].
	pub async fn heartbeat(
		&self,
		session: &Session,
		heartbeat: &Heartbeat,
	) -> Result<HeartbeatAnswer, RequestError> {
		let now = self.time.steady();
		let until = now.saturating_add(self.lease_ms());
		let mut stop = Vec::new();
		for held in &heartbeat.jobs {
			let id = H256::from(held.job);
			if self.sessions.prolong(id, session.miner(), held.attempt, until) {
				self.confirm(id, held.attempt).await?;
			} else {
				stop.push(held.job);
			}
		}
		for (id, lease) in self.sessions.held_by(session.miner()) {
			let is_listed = heartbeat.jobs.iter().any(|held| H256::from(held.job) == id);
			if !is_listed && now.saturating_sub(lease.since_ms) > DELIVERY_MS {
				self.give_back(id, lease.attempt, "the miner does not know of it", false).await?;
			}
		}
		Ok(HeartbeatAnswer { stop })
	}

	/// A miner leaves; what it holds goes to others at once.
	///
	/// # Errors
	/// [`ErrorCode::Internal`].
	pub async fn goodbye(&self, session: &Session) -> Result<(), RequestError> {
		self.sessions.end(session.miner());
		for (id, lease) in self.sessions.held_by(session.miner()) {
			self.give_back(id, lease.attempt, "the miner left", false).await?;
		}
		Ok(())
	}

	/// Takes back what has run out: leases, and jobs past their deadline.
	///
	/// # Errors
	/// [`ErrorCode::Internal`].
	pub async fn sweep(&self) -> Result<(), RequestError> {
		let now = self.now();
		for (id, lease) in self.sessions.run_out(self.time.steady()) {
			let reason = "the miner was not heard of in time";
			if self.give_back(id, lease.attempt, reason, true).await?.is_none() {
				self.sessions.release(&id);
			}
		}
		self.sweep_requests().await?;
		for id in self.read(move |db| Ok(rows::overdue(db, now, BATCH)?)).await? {
			let expired =
				self.write(move |db| Ok(rows::change(db, id, None, &Change::Expire, now)?)).await?;
			if let Some(job) = expired {
				self.sessions.release(&id);
				self.after(&job);
			}
		}
		Ok(())
	}
}

/// A place among those who wait for work, given up when dropped.
struct Place<'a> {
	coordinator: &'a Coordinator,
	number: u64,
}

impl Drop for Place<'_> {
	fn drop(&mut self) {
		self.coordinator.sessions.leave(self.number);
	}
}
