//! Signed batches on their way into finalized blocks.
//!
//! Whatever happened before, a crash, a lost answer, another gateway, is settled by asking the
//! chain first: what it has is accepted, what it would refuse for good is parked with its reason,
//! the rest is sent. So every round is safe to repeat.

use crate::{
	ledger::{Failure, Ledger},
	metrics::Metrics,
	registry::Registry,
	storage::{Batch, BatchRow, BatchState, Settled, Storage, StoreFault},
};
use futures::{StreamExt, stream};
use gridproof_primitives::meter::{MAX_BATCHES_PER_CALL, SignedBatch};
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::Arc,
};

/// Questions to the chain at a time.
const QUESTIONS: usize = 16;

/// Why a round ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setback {
	/// The chain could not be asked, or did not decide.
	Chain(Failure),
	/// The outcome could not be kept.
	Store(StoreFault),
}

impl From<Failure> for Setback {
	fn from(failure: Failure) -> Self {
		Self::Chain(failure)
	}
}

impl From<StoreFault> for Setback {
	fn from(fault: StoreFault) -> Self {
		Self::Store(fault)
	}
}

impl std::fmt::Display for Setback {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Self::Chain(failure) => write!(f, "{failure}"),
			Self::Store(fault) => write!(f, "{fault}"),
		}
	}
}

/// Brings batches to the chain.
pub struct Submitter {
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	ledger: Arc<dyn Ledger>,
	metrics: Arc<Metrics>,
}

impl Submitter {
	/// A submitter.
	pub fn new(
		storage: Arc<dyn Storage>,
		registry: Arc<Registry>,
		ledger: Arc<dyn Ledger>,
		metrics: Arc<Metrics>,
	) -> Self {
		Self { storage, registry, ledger, metrics }
	}

	/// Brings the oldest signed batches to the chain. Answers whether there may be more to do at
	/// once.
	///
	/// # Errors
	/// [`Setback`]; what was settled before it stays so.
	pub async fn round(&self) -> Result<bool, Setback> {
		let signed = self.storage.in_state(BatchState::Signed, 0, MAX_BATCHES_PER_CALL).await?;
		if signed.is_empty() {
			return Ok(false);
		}
		let total = signed.len();
		let open = self.settle_known(signed).await?;
		let (ready, waits) = self.preview(open).await?;
		if ready.is_empty() {
			return Ok(waits == 0 && total > 0);
		}
		let batches: Vec<SignedBatch> = ready.iter().map(|(_, batch)| batch.clone()).collect();
		let outcome = self.ledger.submit(&batches).await;
		let inclusion = match outcome {
			Ok(inclusion) => inclusion,
			Err(failure) => {
				self.metrics.submitted("failed", batches.len());
				return Err(failure.into());
			},
		};
		let accepted: BTreeSet<(u32, u64)> = inclusion.accepted.iter().copied().collect();
		let settled: Vec<Settled> = ready
			.iter()
			.filter(|(_, batch)| accepted.contains(&(batch.header.meter, batch.header.sequence)))
			.map(|(row, _)| Settled::Accepted { row: *row, block: Some(inclusion.block) })
			.collect();
		self.metrics.submitted("accepted", settled.len());
		self.metrics.submitted("not_accepted", ready.len().saturating_sub(settled.len()));
		// What was not accepted is asked for again in the next round, which names the reason.
		let is_progress = !settled.is_empty();
		self.storage.settle(settled).await?;
		Ok(is_progress)
	}

	/// Takes out what the chain has already, or has something else in the place of.
	async fn settle_known(&self, signed: Vec<Batch>) -> Result<Vec<Batch>, Setback> {
		let mut firsts: BTreeMap<i64, Vec<Batch>> = BTreeMap::new();
		for batch in signed {
			if let Some(meter) = batch.meter {
				firsts.entry(meter).or_default().push(batch);
			}
		}
		let mut looks = stream::iter(firsts)
			.map(|(meter, batches)| self.look(meter, batches))
			.buffer_unordered(QUESTIONS);
		let (mut open, mut settled) = (Vec::new(), Vec::new());
		while let Some(look) = looks.next().await {
			let (rest, outcomes) = look?;
			open.extend(rest);
			settled.extend(outcomes);
		}
		self.storage.settle(settled).await?;
		open.sort_by_key(|batch: &Batch| batch.row);
		Ok(open)
	}

	async fn look(
		&self,
		meter: i64,
		batches: Vec<Batch>,
	) -> Result<(Vec<Batch>, Vec<Settled>), Setback> {
		let Some(known) = self.registry.by_row(meter) else { return Ok((Vec::new(), Vec::new())) };
		let fresh = self.registry.refresh(&known).await?;
		let state = fresh.info().map(|info| info.state);
		let next = state.map(|state| state.next_sequence).unwrap_or_default();
		let (mut open, mut settled) = (Vec::new(), Vec::new());
		for batch in batches {
			let Some(part) = &batch.on_chain else { continue };
			if part.header.sequence >= next {
				open.push(batch);
				continue;
			}
			// The chain drops old batches, but never forgets the last one.
			let is_last = state.is_some_and(|state| state.last_hash == part.header.hash());
			let is_there = is_last || {
				let record = self.ledger.batch(part.header.meter, part.header.sequence).await?;
				record.is_some_and(|record| record.header == part.header)
			};
			settled.push(if is_there {
				Settled::Accepted { row: batch.row, block: None }
			} else {
				let sequence = part.header.sequence;
				let reason =
					format!("sequence_used: the chain has another batch number {sequence}");
				Settled::Parked { row: batch.row, reason }
			});
		}
		Ok((open, settled))
	}

	/// Parts what would be accepted now from what is refused, and from what has to wait; answers
	/// how many wait.
	async fn preview(
		&self,
		open: Vec<Batch>,
	) -> Result<(Vec<(BatchRow, SignedBatch)>, usize), Setback> {
		let candidates: Vec<(BatchRow, SignedBatch)> = open
			.into_iter()
			.filter_map(|batch| {
				let part = batch.on_chain?;
				Some((batch.row, SignedBatch { header: part.header, signature: part.signature? }))
			})
			.collect();
		if candidates.is_empty() {
			return Ok((candidates, 0));
		}
		let batches: Vec<SignedBatch> = candidates.iter().map(|(_, batch)| batch.clone()).collect();
		let verdicts = self.ledger.preview(&batches).await?;
		let (mut ready, mut parked, mut waits) = (Vec::new(), Vec::new(), 0usize);
		for ((row, batch), verdict) in candidates.into_iter().zip(verdicts) {
			match verdict {
				Ok(_) => ready.push((row, batch)),
				Err(refusal) if refusal.is_temporary() => {
					tracing::info!(meter = batch.header.meter, %refusal, "a batch waits");
					waits = waits.saturating_add(1);
				},
				Err(refusal) => {
					tracing::warn!(meter = batch.header.meter, %refusal, "a batch is parked");
					let reason = format!("{}: {refusal}", refusal.as_str());
					parked.push(Settled::Parked { row, reason });
				},
			}
		}
		self.metrics.submitted("parked", parked.len());
		self.storage.settle(parked).await?;
		Ok((ready, waits))
	}
}
