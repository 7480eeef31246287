//! From a receipt to final money: receipts are bundled, submitted and followed; what becomes of
//! each is asked of the chain, never taken from our own submission. And the two other things that
//! are brought to the chain: jobs that the front opens, and jobs that are let go.

use super::{
	Coordinator, Refused,
	ledger::{Claimed, Escrow},
	rows::{self, Change, Job, ReceiptRow},
	state::Settlement,
};
use crate::protocol::Hex32;
use codec::DecodeAll;
use futures::{StreamExt, TryStreamExt, stream, stream::FuturesUnordered};
use gridproof_chain::Failure;
use gridproof_primitives::{
	H256,
	compute::{
		Assignment, MAX_RECEIPTS_PER_CALL, Quote, Receipt, SignedAssignment, SignedQuote,
		SignedReceipt, Signer, release_payload,
	},
};
use rusqlite::Connection;
use std::{collections::HashSet, time::Duration};

/// Bundles that may be on their way at a time: a new one leaves about every [`GATHER`], and is on
/// its way for about two seconds.
const MAX_IN_FLIGHT: usize = 10;
/// How long receipts gather before a bundle leaves.
const GATHER: Duration = Duration::from_millis(200);
/// How long jobs of the front gather before they are opened together.
const GATHER_JOBS: Duration = Duration::from_millis(50);
/// How often it is looked for receipts and jobs whose time to be tried again has come.
const LOOK: Duration = Duration::from_secs(1);
/// How often held jobs are looked up on chain, to answer cancellations.
const WATCH: Duration = Duration::from_secs(3);
/// First and longest pause before something is sent again, in milliseconds.
const PAUSE_MS: u64 = 2_000;
const LONGEST_PAUSE_MS: u64 = 60_000;
/// Questions to the chain at a time.
const MAX_QUESTIONS: usize = 4;
/// Jobs opened or let go at a time.
const BATCH: u32 = 128;

/// The pause after so many vain tries, in milliseconds.
fn pause_ms(tries: u32) -> u64 {
	PAUSE_MS.saturating_mul(2u64.saturating_pow(tries.min(16))).min(LONGEST_PAUSE_MS)
}

/// Brings receipts to the chain for as long as it is polled.
pub(super) async fn settle(coordinator: &Coordinator) {
	let mut bundles = FuturesUnordered::new();
	let mut in_flight: HashSet<H256> = HashSet::new();
	loop {
		let room = bundles.len() < MAX_IN_FLIGHT;
		tokio::select! {
			Some(done) = bundles.next(), if !bundles.is_empty() => {
				let done: Vec<H256> = done;
				for job in done {
					in_flight.remove(&job);
				}
				// Gathering was broken off; look again at once.
				coordinator.receipts.notify_one();
			},
			() = gather(coordinator), if room => {
				match coordinator.next_bundle(&in_flight).await {
					Ok(bundle) if bundle.is_empty() => (),
					Ok(bundle) => {
						in_flight.extend(bundle.iter().map(|row| row.job));
						bundles.push(coordinator.settle_bundle(bundle));
					},
					Err(refused) => tracing::warn!(%refused, "no receipts can be read"),
				}
			},
		}
	}
}

async fn gather(coordinator: &Coordinator) {
	let _ = tokio::time::timeout(LOOK, coordinator.receipts.notified()).await;
	tokio::time::sleep(GATHER).await;
}

impl Coordinator {
	async fn next_bundle(&self, in_flight: &HashSet<H256>) -> Result<Vec<ReceiptRow>, Refused> {
		let (now, most) = (self.now(), self.settings.bundle.min(MAX_RECEIPTS_PER_CALL));
		let flying = u32::try_from(in_flight.len()).unwrap_or(u32::MAX);
		let limit = most.saturating_add(flying);
		let mut rows = self.read(move |db| Ok(rows::unsettled(db, now, limit)?)).await?;
		rows.retain(|row| !in_flight.contains(&row.job));
		rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
		Ok(rows)
	}

	/// Settles a bundle as far as it goes now; gives back which jobs it was about.
	pub(super) async fn settle_bundle(&self, bundle: Vec<ReceiptRow>) -> Vec<H256> {
		let jobs: Vec<H256> = bundle.iter().map(|row| row.job).collect();
		if let Err(refused) = self.try_bundle(&bundle).await {
			tracing::warn!(%refused, receipts = jobs.len(), "receipts wait for another try");
			let until: Vec<(H256, u64)> = bundle
				.iter()
				.map(|row| (row.job, self.now().saturating_add(pause_ms(row.tries))))
				.collect();
			let noted = self
				.write(move |db| {
					for (job, until) in until {
						rows::try_later(db, job, until, &refused.message)?;
					}
					Ok(())
				})
				.await;
			if let Err(refused) = noted {
				tracing::error!(%refused, "the database does not take notes");
			}
		}
		jobs
	}

	async fn try_bundle(&self, bundle: &[ReceiptRow]) -> Result<(), Refused> {
		let mut waiting = Vec::new();
		let signed: Vec<SignedReceipt> = bundle.iter().filter_map(signed_receipt).collect();
		let answers = self.ledger.preview(signed.clone()).await?;
		for (receipt, answer) in signed.into_iter().zip(answers) {
			match answer {
				Ok(()) => waiting.push(receipt),
				Err(reason) => self.refused_by_chain(receipt.receipt.job_id, &reason).await?,
			}
		}
		if waiting.is_empty() {
			return Ok(());
		}
		self.metrics.bundles.inc();
		let jobs: Vec<H256> = waiting.iter().map(|signed| signed.receipt.job_id).collect();
		let submitted = self.ledger.claim(waiting).await;
		let (block, known) = match &submitted {
			Ok(claimed) => (Some(claimed.block), self.note_settled(claimed).await?),
			Err(_) => (None, HashSet::new()),
		};
		// Whatever became of the submission: the chain knows what is settled.
		let unknown = jobs.into_iter().filter(|job| !known.contains(job));
		let asked = stream::iter(unknown).map(|job| self.ask_fate(job, block));
		let decided: Vec<bool> = asked.buffer_unordered(MAX_QUESTIONS).try_collect().await?;
		let missing = decided.iter().filter(|is_decided| !**is_decided).count();
		match (submitted, missing) {
			(_, 0) => Ok(()),
			(Err(failure), _) => Err(failure.into()),
			(Ok(_), missing) => Err(Refused::new(
				crate::protocol::FaultCode::ChainUnavailable,
				format!("{missing} receipts were not settled by their bundle"),
			)),
		}
	}

	/// The chain would not take a receipt now. Settled by itself is as good as by us; what can
	/// change with time is tried again; else that was it.
	async fn refused_by_chain(&self, job: H256, reason: &str) -> Result<(), Refused> {
		if self.ask_fate(job, None).await? {
			return Ok(());
		}
		let (now, reason) = (self.now(), reason.to_string());
		// What governance, a bond or a ban's end can change, and what another look at a young
		// block can.
		let may_change = [
			"stopped",
			"unknown_job",
			"miner_banned",
			"miner_underbonded",
			"coordinator_banned",
			"coordinator_underbonded",
		];
		// The chain forgets jobs some time after their deadline.
		let deadline_ms = self.job(job).await?.map_or(0, |job| job.deadline_ms);
		let kept_back = self.settings.settle_seconds.saturating_mul(1_000);
		let is_open = now < deadline_ms.saturating_add(kept_back);
		let is_temporary = is_open && may_change.contains(&reason.as_str());
		if !is_temporary {
			tracing::error!(job = %Hex32(job.0), reason, "the chain refuses a receipt");
		}
		self.write(move |db| {
			match is_temporary {
				true => {
					let tries = rows::receipt(db, job)?.map_or(0, |row| row.tries);
					let until = now.saturating_add(pause_ms(tries));
					rows::try_later(db, job, until, &reason)?;
				},
				false => {
					rows::settle(db, job, Settlement::Refused, Some(&reason), None, now)?;
				},
			}
			Ok(())
		})
		.await
	}

	/// Asks the chain about a job, and notes its receipt's fate if that is decided.
	async fn ask_fate(&self, job: H256, block: Option<H256>) -> Result<bool, Refused> {
		let escrow = self.ledger.escrow(job).await?;
		let now = self.now();
		let decided = self.write(move |db| Ok(note_fate(db, job, escrow, block, now)?)).await?;
		if decided {
			self.metrics.settled.inc();
		}
		Ok(decided)
	}

	/// Notes what a final block says is settled; gives back the jobs.
	async fn note_settled(&self, claimed: &Claimed) -> Result<HashSet<H256>, Refused> {
		let (now, block, settled) = (self.now(), claimed.block, claimed.settled.clone());
		let known: HashSet<H256> = self
			.write(move |db| {
				let mut known = HashSet::new();
				for (job, receipt) in settled {
					let escrow = Some(Escrow::Settled(receipt));
					if note_fate(db, job, escrow, Some(block), now)? {
						known.insert(job);
					}
				}
				Ok(known)
			})
			.await?;
		self.metrics.settled.inc_by(u64::try_from(known.len()).unwrap_or(0));
		Ok(known)
	}
}

/// Notes what the chain says of a job's receipt. Is that its last word?
fn note_fate(
	db: &Connection,
	job: H256,
	escrow: Option<Escrow>,
	block: Option<H256>,
	now: u64,
) -> rusqlite::Result<bool> {
	let Some(row) = rows::receipt(db, job)? else { return Ok(false) };
	let (settlement, reason) = match escrow {
		Some(Escrow::Settled(id)) if id == row.id => (Settlement::Final, None),
		Some(Escrow::Settled(_)) => {
			(Settlement::Refused, Some("another receipt settled the job".to_string()))
		},
		Some(Escrow::Returned(how)) => (Settlement::Refused, Some(how)),
		Some(Escrow::Open { .. }) | None => return Ok(false),
	};
	rows::settle(db, job, settlement, reason.as_deref(), block, now)?;
	Ok(true)
}

fn signed_receipt(row: &ReceiptRow) -> Option<SignedReceipt> {
	let receipt = Receipt::decode_all(&mut &row.receipt[..]).ok()?;
	let ReceiptRow { miner_signature, coordinator_signature, .. } = *row;
	Some(SignedReceipt { receipt, miner_signature, coordinator_signature })
}

/// Opens the front's jobs on chain for as long as it is polled.
pub(super) async fn open_jobs(coordinator: &Coordinator) {
	loop {
		match coordinator.open_some().await {
			Ok(0) => {
				if tokio::time::timeout(LOOK, coordinator.openings.notified()).await.is_ok() {
					tokio::time::sleep(GATHER_JOBS).await;
				}
			},
			Ok(_) => (),
			Err(refused) => {
				tracing::warn!(%refused, "jobs of the front wait for their escrow");
				tokio::time::sleep(LOOK).await;
			},
		}
	}
}

impl Coordinator {
	/// Opens what waits to be opened, up to a batch; how many jobs that was.
	pub(super) async fn open_some(&self) -> Result<usize, Refused> {
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
			Ok::<_, Refused>((job, escrow))
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

	async fn open_outcome(&self, job: &Job, outcome: &Result<(), Failure>) -> Result<(), Refused> {
		let id = job.job;
		let Err(failure) = outcome else {
			return self.opened(job, Escrow::Open { cancelling: false }).await;
		};
		match self.ledger.escrow(id).await? {
			Some(escrow) => self.opened(job, escrow).await,
			None if failure.is_temporary() => {
				let until = self.now().saturating_add(PAUSE_MS);
				self.write(move |db| Ok(rows::postpone(db, id, until)?)).await
			},
			None => self.fail(id, format!("its escrow: {failure}")).await,
		}
	}

	async fn opened(&self, job: &Job, escrow: Escrow) -> Result<(), Refused> {
		let (id, now) = (job.job, self.now());
		match escrow {
			Escrow::Open { .. } => {
				self.write(move |db| Ok(rows::set_funded(db, id, now)?)).await?;
				self.work.notify_one();
				Ok(())
			},
			Escrow::Settled(_) => self.fail(id, "settled by others".to_string()).await,
			Escrow::Returned(how) => self.fail(id, how).await,
		}
	}

	async fn fail(&self, id: H256, reason: String) -> Result<(), Refused> {
		let now = self.now();
		let change = Change::Fail { reason };
		let failed = self.write(move |db| Ok(rows::change(db, id, None, &change, now)?)).await?;
		if let Some(job) = failed {
			tracing::warn!(job = %Hex32(id.0), reason = ?job.reason, "a job failed");
			self.sessions.release(&id);
			self.after(&job);
		}
		Ok(())
	}
}

fn signed_quote(job: &Job) -> Option<SignedQuote> {
	let quote = Quote::decode_all(&mut &job.quote[..]).ok()?;
	Some(SignedQuote { quote, signature: job.quote_signature })
}

/// Lets jobs go that will have no receipt, and answers cancellations, as long as it is polled.
pub(super) async fn release(coordinator: &Coordinator) {
	loop {
		tokio::time::sleep(WATCH).await;
		for outcome in [coordinator.release_some().await, coordinator.watch_held().await] {
			if let Err(refused) = outcome {
				tracing::warn!(%refused, "the chain is asked again later");
			}
		}
	}
}

impl Coordinator {
	/// Gives clients their money back for jobs that were cancelled or failed.
	pub(super) async fn release_some(&self) -> Result<(), Refused> {
		let now = self.now();
		let jobs = self.read(move |db| Ok(rows::unreleased(db, now, BATCH)?)).await?;
		let released = stream::iter(jobs).map(|id| self.release_one(id, now));
		released.buffer_unordered(MAX_QUESTIONS).try_collect().await
	}

	async fn release_one(&self, id: H256, now: u64) -> Result<(), Refused> {
		let is_back = match self.ledger.escrow(id).await? {
			Some(Escrow::Open { .. }) => {
				let signature = self.key.sign(&release_payload(&self.genesis, &id));
				self.ledger.release(id, signature).await?;
				matches!(self.ledger.escrow(id).await?, Some(Escrow::Returned(_)))
			},
			Some(Escrow::Settled(_) | Escrow::Returned(_)) => true,
			// Its opening may still be on the way: look again until it cannot come any more.
			None => {
				let job = self.job(id).await?;
				let quote = job.and_then(|job| signed_quote(&job)).map(|signed| signed.quote);
				quote.is_none_or(|quote| quote.expiry_ms.saturating_add(PAUSE_MS) < now)
			},
		};
		let until = now.saturating_add(PAUSE_MS);
		self.write(move |db| {
			match is_back {
				true => rows::set_released(db, id)?,
				false => rows::postpone(db, id, until)?,
			}
			Ok(())
		})
		.await
	}

	/// Shows the chain who works on a job whose client wants to cancel it, and stops work on jobs
	/// that are over there.
	pub(super) async fn watch_held(&self) -> Result<(), Refused> {
		for job in self.read(|db| Ok(rows::held(db)?)).await? {
			// The front does not cancel its own jobs on chain.
			if job.customer.is_some() {
				continue;
			}
			match (self.ledger.escrow(job.job).await?, job.miner) {
				(Some(Escrow::Open { cancelling: true }), Some(miner)) => {
					let assignment = Assignment { job_id: job.job, miner, attempt: job.attempt };
					let payload = assignment.signing_payload(&self.genesis, Signer::Coordinator);
					let coordinator_signature = self.key.sign(&payload);
					let signed = SignedAssignment {
						assignment,
						coordinator_signature,
						miner_signature: None,
					};
					self.ledger.assign(signed).await?;
				},
				(Some(Escrow::Returned(how)), _) => self.fail(job.job, how).await?,
				_ => (),
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn pauses_double_up_to_a_minute() {
		let pauses: Vec<u64> = (0..7).map(pause_ms).collect();
		assert_eq!(pauses, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
		assert_eq!(pause_ms(u32::MAX), 60_000);
	}
}
