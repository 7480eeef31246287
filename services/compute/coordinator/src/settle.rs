//! From a receipt to final money: receipts are bundled, submitted and followed; what becomes of
//! each is asked of the chain, never taken from our own submission.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	ledger::{Claimed, Escrow},
	rows::{self, ReceiptRow},
};
use futures::{
	FutureExt, StreamExt, TryStreamExt,
	future::{BoxFuture, Fuse, FusedFuture},
	stream,
	stream::FuturesUnordered,
};
use gridproof_compute_api::protocol::{ErrorCode, Settlement};
use gridproof_primitives::{
	H256,
	compute::{MAX_RECEIPTS_PER_CALL, ReceiptRefusal, SignedReceipt},
};
use gridproof_store::rusqlite::{self, Connection};
use gridproof_support::{Backoff, clock::millis, number::clamped, text::Hex32};
use std::{collections::HashSet, time::Duration};

/// Name of the loop.
pub(crate) const NAME: &str = "settle";
/// Bundles that may be on their way at a time: a new one leaves about every [`GATHER`], and is on
/// its way for about two seconds.
const MAX_IN_FLIGHT: usize = 10;
/// How long receipts gather before a bundle leaves.
const GATHER: Duration = Duration::from_millis(200);
/// How often it is looked for receipts whose time to be tried again has come.
const LOOK: Duration = Duration::from_secs(1);
/// Pauses before a receipt is sent again.
const RETRY: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));
/// Questions to the chain at a time.
const MAX_QUESTIONS: usize = 4;

/// Settles receipts until the future is dropped.
pub(crate) async fn settle(coordinator: &Coordinator) {
	let mut bundles = FuturesUnordered::new();
	let mut in_flight: HashSet<H256> = HashSet::new();
	// Polled until it ends, as the bundles are: inside a branch it would wait for a place at the database
	// that one of them holds, and nobody would poll that.
	let mut looking: Fuse<BoxFuture<'_, _>> = Fuse::terminated();
	loop {
		coordinator.loops.turn(NAME);
		if looking.is_terminated() && bundles.len() < MAX_IN_FLIGHT {
			looking = look(coordinator, in_flight.clone()).boxed().fuse();
		}
		tokio::select! {
			Some(done) = bundles.next(), if !bundles.is_empty() => {
				let done: Vec<H256> = done;
				for job in done {
					in_flight.remove(&job);
				}
				// What is left may be the next bundle.
				coordinator.receipts.notify_one();
			},
			found = &mut looking => {
				match found {
					Ok(bundle) if bundle.is_empty() => (),
					Ok(bundle) => {
						in_flight.extend(bundle.iter().map(|row| row.job));
						bundles.push(coordinator.settle_bundle(bundle));
					},
					Err(error) => tracing::warn!(%error, "no receipts can be read"),
				}
			},
		}
	}
}

/// Returns the next receipts, beside those in flight, when there is news of them, and every now and then.
async fn look(
	coordinator: &Coordinator,
	in_flight: HashSet<H256>,
) -> Result<Vec<ReceiptRow>, RequestError> {
	let _ = tokio::time::timeout(LOOK, coordinator.receipts.notified()).await;
	tokio::time::sleep(GATHER).await;
	coordinator.next_bundle(&in_flight).await
}

impl Coordinator {
	async fn next_bundle(
		&self,
		in_flight: &HashSet<H256>,
	) -> Result<Vec<ReceiptRow>, RequestError> {
		let (now, most) = (self.now(), self.settings.bundle.min(MAX_RECEIPTS_PER_CALL));
		let limit = most.saturating_add(clamped(in_flight.len()));
		let mut rows = self.read(move |db| Ok(rows::unsettled(db, now, limit)?)).await?;
		rows.retain(|row| !in_flight.contains(&row.job));
		rows.truncate(clamped(most));
		Ok(rows)
	}

	/// Settles a bundle as far as possible now; returns the jobs that it was about.
	pub(crate) async fn settle_bundle(&self, bundle: Vec<ReceiptRow>) -> Vec<H256> {
		let jobs: Vec<H256> = bundle.iter().map(|row| row.job).collect();
		if let Err(error) = self.try_bundle(&bundle).await {
			tracing::warn!(%error, receipts = jobs.len(), "receipts wait for another try");
			let until: Vec<(H256, u64)> =
				bundle.iter().map(|row| (row.job, self.retry_at(row.tries))).collect();
			let noted = self
				.write(move |db| {
					for (job, until) in until {
						rows::try_later(db, job, until, &error.message)?;
					}
					Ok(())
				})
				.await;
			if let Err(error) = noted {
				tracing::error!(%error, "the next try of receipts could not be noted");
			}
		}
		jobs
	}

	/// When a receipt is sent again after a try that failed, and `tries` others before it; UTC
	/// milliseconds.
	fn retry_at(&self, tries: u32) -> u64 {
		self.now().saturating_add(millis(RETRY.pause_after(tries.saturating_add(1))))
	}

	async fn try_bundle(&self, bundle: &[ReceiptRow]) -> Result<(), RequestError> {
		let mut waiting = Vec::new();
		let signed: Vec<SignedReceipt> = bundle.iter().filter_map(ReceiptRow::signed).collect();
		let answers = self.ledger.preview(signed.clone()).await?;
		for (receipt, answer) in signed.into_iter().zip(answers) {
			match answer {
				Ok(()) => waiting.push(receipt),
				Err(refusal) => self.refused_by_chain(receipt.receipt.job_id, refusal).await?,
			}
		}
		if waiting.is_empty() {
			return Ok(());
		}
		self.metrics.bundles.inc();
		let jobs: Vec<H256> = waiting.iter().map(|signed| signed.receipt.job_id).collect();
		// What free of charge found no place in time is worth a fee: after its deadline, or at the end
		// of a cancellation's notice, the client has both.
		let pays = self.ledger.purse().is_some() && bundle.iter().any(|row| row.tries > 0);
		let submitted = self.ledger.claim(waiting, pays).await;
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
			(Err(error), _) => Err(error.into()),
			(Ok(_), missing) => Err(RequestError::new(
				ErrorCode::ChainUnavailable,
				format!("{missing} receipts were not settled by their bundle"),
			)),
		}
	}

	/// The chain would not take a receipt now. That somebody else settled it is as good as our
	/// doing so; a refusal that time can change is tried again, until the chain forgets the job;
	/// any other is the end.
	async fn refused_by_chain(
		&self,
		job: H256,
		refusal: ReceiptRefusal,
	) -> Result<(), RequestError> {
		if self.ask_fate(job, None).await? {
			return Ok(());
		}
		let now = self.now();
		// The chain forgets jobs some time after their deadline.
		let deadline_ms = self.job(job).await?.map_or(0, |job| job.deadline_ms);
		let kept_back = self.settings.settle_seconds.saturating_mul(1_000);
		let is_open = now < deadline_ms.saturating_add(kept_back);
		let reason = refusal.as_str();
		if is_open && refusal.is_temporary() {
			let tries = self.read(move |db| Ok(rows::receipt(db, job)?)).await?;
			let until = self.retry_at(tries.map_or(0, |row| row.tries));
			return self.write(move |db| Ok(rows::try_later(db, job, until, reason)?)).await;
		}
		tracing::error!(job = %Hex32(job.0), reason, "the chain refuses a receipt");
		self.write(move |db| {
			Ok(rows::settle(db, job, Settlement::Refused, Some(reason), None, now)?)
		})
		.await
	}

	/// Asks the chain about a job, and notes its receipt's fate if that is decided.
	async fn ask_fate(&self, job: H256, block: Option<H256>) -> Result<bool, RequestError> {
		let escrow = self.ledger.escrow(job).await?;
		let now = self.now();
		let decided = self.write(move |db| Ok(note_fate(db, job, escrow, block, now)?)).await?;
		if decided {
			self.metrics.settled.inc();
		}
		Ok(decided)
	}

	/// Notes what a final block says is settled; returns the jobs.
	async fn note_settled(&self, claimed: &Claimed) -> Result<HashSet<H256>, RequestError> {
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
		self.metrics.settled.inc_by(clamped(known.len()));
		Ok(known)
	}
}

/// Notes what the chain says of a job's receipt; returns `true` if that is its last word.
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
		Some(Escrow::Settled(_)) => (Settlement::Refused, Some("another receipt settled the job")),
		Some(Escrow::Returned(how)) => (Settlement::Refused, Some(how.as_str())),
		Some(Escrow::Open { .. }) | None => return Ok(false),
	};
	rows::settle(db, job, settlement, reason, block, now)?;
	Ok(true)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn pauses_double_up_to_a_minute() {
		let exact = RETRY.without_jitter();
		let pauses: Vec<u64> = (1..8).map(|tries| millis(exact.pause_after(tries))).collect();
		assert_eq!(pauses, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
		assert_eq!(millis(exact.pause_after(u32::MAX)), 60_000);
	}
}
