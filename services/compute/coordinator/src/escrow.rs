//! The money of jobs, before and without a receipt: the front's jobs are opened on chain, jobs that
//! will have no receipt are let go, and cancellations of jobs that a miner holds are answered.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	ledger::Escrow,
	rows::{self, Change, Job},
};
use futures::{StreamExt, TryStreamExt, stream};
use gridproof_chain::ChainError;
use gridproof_compute_api::protocol::JobStage;
use gridproof_primitives::{
	H256,
	compute::{Assignment, Quote, SignedAssignment, SignedQuote, Signer, release_payload},
};
use gridproof_support::text::Hex32;
use std::time::Duration;

/// Names of the loops.
pub(crate) const OPENING: &str = "opening";
pub(crate) const RELEASE: &str = "release";
/// How long jobs of the front gather before they are opened together.
const GATHER: Duration = Duration::from_millis(50);
/// How often it is looked for jobs whose time to be tried again has come.
const LOOK: Duration = Duration::from_secs(1);
/// How often held jobs are looked up on chain, to answer cancellations.
const WATCH: Duration = Duration::from_secs(3);
/// Pause before a job is looked at again, in milliseconds.
const PAUSE_MS: u64 = 2_000;
/// Questions to the chain at a time.
const MAX_QUESTIONS: usize = 4;
/// Jobs opened or let go at a time.
const BATCH: u32 = 128;

/// Opens the front's jobs on chain until the future is dropped.
pub(crate) async fn open_jobs(coordinator: &Coordinator) {
	loop {
		coordinator.loops.turn(OPENING);
		match coordinator.open_some().await {
			Ok(0) => {
				if tokio::time::timeout(LOOK, coordinator.openings.notified()).await.is_ok() {
					tokio::time::sleep(GATHER).await;
				}
			},
			Ok(_) => (),
			Err(error) => {
				tracing::warn!(%error, "jobs of the front wait for their escrow");
				tokio::time::sleep(LOOK).await;
			},
		}
	}
}

/// Lets jobs go that will have no receipt, and answers cancellations, until the future is dropped.
pub(crate) async fn release(coordinator: &Coordinator) {
	loop {
		coordinator.loops.turn(RELEASE);
		tokio::time::sleep(WATCH).await;
		for outcome in [coordinator.release_some().await, coordinator.watch_held().await] {
			if let Err(error) = outcome {
				tracing::warn!(%error, "the chain is asked again later");
			}
		}
	}
}

impl Coordinator {
	/// Opens what waits to be opened, up to a batch; returns how many jobs that was.
	pub(crate) async fn open_some(&self) -> Result<usize, RequestError> {
		let now = self.now();
		let jobs = self.read(move |db| Ok(rows::unfunded(db, now, BATCH)?)).await?;
		if jobs.is_empty() {
			self.untried().clear();
			return Ok(0);
		}
		let count = jobs.len();
		// After a crash, or a try of which nothing was heard, some may be open already.
		let asked = stream::iter(jobs).map(|job| async move {
			let is_new = self.untried().remove(&job.job);
			let escrow = if is_new { None } else { self.ledger.escrow(job.job).await? };
			Ok::<_, RequestError>((job, escrow))
		});
		let asked: Vec<_> = asked.buffered(MAX_QUESTIONS).try_collect().await?;
		let mut fresh = Vec::new();
		for (job, escrow) in asked {
			match escrow {
				None => fresh.push(job),
				Some(escrow) => self.opened(&job, escrow).await?,
			}
		}
		let quotes = fresh.iter().filter_map(signed_quote).collect();
		let outcomes = self.ledger.open(quotes).await?;
		for (place, job) in fresh.iter().enumerate() {
			// Fewer outcomes than jobs: the rest was not sent.
			let Some(outcome) = outcomes.get(place) else { continue };
			self.open_outcome(job, outcome).await?;
		}
		Ok(count)
	}

	async fn open_outcome(
		&self,
		job: &Job,
		outcome: &Result<(), ChainError>,
	) -> Result<(), RequestError> {
		let id = job.job;
		let Err(error) = outcome else {
			return self.opened(job, Escrow::Open { cancelling: false }).await;
		};
		match self.ledger.escrow(id).await? {
			Some(escrow) => self.opened(job, escrow).await,
			None if error.is_temporary() => {
				let until = self.now().saturating_add(PAUSE_MS);
				self.write(move |db| Ok(rows::postpone(db, id, until)?)).await
			},
			None => self.fail(id, format!("its escrow: {error}")).await,
		}
	}

	async fn opened(&self, job: &Job, escrow: Escrow) -> Result<(), RequestError> {
		let (id, now) = (job.job, self.now());
		match escrow {
			Escrow::Open { .. } => {
				self.write(move |db| Ok(rows::set_funded(db, id, now)?)).await?;
				self.work.notify_one();
				Ok(())
			},
			Escrow::Settled(_) => self.fail(id, "settled by others".to_string()).await,
			Escrow::Returned(how) => self.fail(id, how.as_str().to_string()).await,
		}
	}

	async fn fail(&self, id: H256, reason: String) -> Result<(), RequestError> {
		self.fail_at(id, None, reason).await
	}

	/// Ends a job that nobody can do; given an attempt, if that is the present one.
	pub(crate) async fn fail_at(
		&self,
		id: H256,
		attempt: Option<u32>,
		reason: String,
	) -> Result<(), RequestError> {
		let now = self.now();
		let change = Change::Fail { reason };
		let failed = self.write(move |db| Ok(rows::change(db, id, attempt, &change, now)?)).await?;
		if let Some(job) = failed {
			tracing::warn!(job = %Hex32(id.0), reason = ?job.reason, "a job failed");
			self.sessions.release(&id);
			self.after(&job);
		}
		Ok(())
	}

	/// Gives clients their money back for jobs that were cancelled or failed.
	pub(crate) async fn release_some(&self) -> Result<(), RequestError> {
		let now = self.now();
		let jobs = self.read(move |db| Ok(rows::unreleased(db, now, BATCH)?)).await?;
		let released = stream::iter(jobs).map(|id| async move {
			let released = self.release_one(id, now).await;
			self.loops.turn(RELEASE);
			let Err(error) = released else { return Ok(()) };
			tracing::warn!(job = %Hex32(id.0), %error, "a job is let go later");
			// Behind the others, so that one that cannot be let go stops none of them.
			let until = self.now().saturating_add(PAUSE_MS);
			self.write(move |db| Ok(rows::postpone(db, id, until)?)).await
		});
		released.buffer_unordered(MAX_QUESTIONS).try_collect().await
	}

	async fn release_one(&self, id: H256, now: u64) -> Result<(), RequestError> {
		let is_back = match self.ledger.escrow(id).await? {
			Some(Escrow::Open { .. }) => {
				let signature = self.key.sign(&release_payload(&self.genesis, &id));
				self.ledger.release(id, signature).await?;
				matches!(self.ledger.escrow(id).await?, Some(Escrow::Returned(_)))
			},
			Some(Escrow::Settled(_) | Escrow::Returned(_)) => true,
			// Its opening may still be on the way: look again until it can no longer come.
			None => {
				let job = self.job(id).await?;
				let quote = job.and_then(|job| signed_quote(&job)).map(|signed| signed.quote);
				quote.is_none_or(|quote| quote.expiry_ms.saturating_add(PAUSE_MS) < now)
			},
		};
		let until = now.saturating_add(PAUSE_MS);
		self.write(move |db| {
			if is_back {
				rows::set_released(db, id)?;
			} else {
				rows::postpone(db, id, until)?;
			}
			Ok(())
		})
		.await
	}

	/// Shows the chain who works on a job whose client wants to cancel it, or has done it while the
	/// receipt is on its way, and stops work on jobs that are over there.
	pub(crate) async fn watch_held(&self) -> Result<(), RequestError> {
		let held = self.read(|db| Ok(rows::held(db)?)).await?;
		// The front does not cancel its own jobs on chain.
		let watched = held.into_iter().filter(|job| job.customer.is_none());
		let looked = stream::iter(watched).map(|job| async move {
			if let Err(error) = self.watch_one(&job).await {
				tracing::warn!(job = %Hex32(job.job.0), %error, "a job is looked at later");
			}
			self.loops.turn(RELEASE);
		});
		looked.buffer_unordered(MAX_QUESTIONS).collect::<()>().await;
		Ok(())
	}

	async fn watch_one(&self, job: &Job) -> Result<(), RequestError> {
		match (self.ledger.escrow(job.job).await?, job.miner) {
			(Some(Escrow::Open { cancelling: true }), Some(miner)) => {
				let assignment = Assignment { job_id: job.job, miner, attempt: job.attempt };
				let payload = assignment.signing_payload(&self.genesis, Signer::Coordinator);
				let coordinator_signature = self.key.sign(&payload);
				let signed = SignedAssignment {
					assignment,
					coordinator_signature,
					miner_signature: None,
					former_signature: None,
				};
				self.ledger.assign(signed).await?;
			},
			// What becomes of a delivered job its receipt decides.
			(Some(Escrow::Returned(how)), _) if job.state != JobStage::Completed => {
				self.fail(job.job, how.as_str().to_string()).await?;
			},
			_ => (),
		}
		Ok(())
	}
}

fn signed_quote(job: &Job) -> Option<SignedQuote> {
	let quote = Quote::read(&job.quote).ok()?;
	Some(SignedQuote { quote, signature: job.quote_signature })
}
