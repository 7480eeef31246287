//! Signed batches on their way into finalized blocks.
//!
//! Whatever happened before, a crash, a lost answer, another gateway, is settled by asking the
//! chain first: what it has is accepted, what it would refuse permanently is parked with its reason,
//! the rest is sent. So every round is safe to repeat.

use crate::{
	ids::batch_id,
	ledger::{ChainError, Ledger},
	metrics::Metrics,
	registry::Registry,
	storage::{Batch, BatchFilter, BatchRow, Page, Settled, Storage},
};
use gridproof_gateway_api::BatchState;
use gridproof_primitives::energy::{BatchRefusal, MAX_BATCHES_PER_CALL, SignedBatch};
use gridproof_store::StoreError;
use gridproof_support::Lock;
use std::{
	collections::{BTreeSet, HashMap},
	sync::{
		Arc, Mutex,
		atomic::{AtomicUsize, Ordering},
	},
	time::{Duration, Instant},
};

/// Batches of a meter that are read at a time.
const PAGE: u32 = 256;
/// The time for which a batch is left out that the pool refuses on its own.
const SKIP: Duration = Duration::from_secs(60);

/// Why a round ended early.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum SubmitError {
	/// The chain could not be asked, or did not decide.
	#[error("{0}")]
	Chain(#[from] ChainError),
	/// The outcome could not be kept.
	#[error("{0}")]
	Store(#[from] StoreError),
}

/// Submits batches to the chain.
pub(crate) struct Submitter {
	storage: Arc<dyn Storage>,
	registry: Arc<Registry>,
	ledger: Arc<dyn Ledger>,
	metrics: Arc<Metrics>,
	/// The most batches of one transaction.
	limit: AtomicUsize,
	/// Batches that are left out for a while.
	skipped: Mutex<HashMap<BatchRow, Instant>>,
}

impl Submitter {
	/// A submitter of what `storage` has.
	pub(crate) fn new(
		storage: Arc<dyn Storage>,
		registry: Arc<Registry>,
		ledger: Arc<dyn Ledger>,
		metrics: Arc<Metrics>,
	) -> Self {
		let limit = AtomicUsize::new(usize::MAX);
		Self { storage, registry, ledger, metrics, limit, skipped: Mutex::default() }
	}

	/// Submits signed batches to the chain, the oldest first. Returns `true` if there may be more to
	/// do at once.
	///
	/// # Errors
	/// [`SubmitError`]; what was settled before it stays so.
	pub(crate) async fn round(&self) -> Result<bool, SubmitError> {
		let (mut after, mut is_progress) = (0, false);
		loop {
			let signed =
				self.storage.in_state(BatchState::Signed, after, MAX_BATCHES_PER_CALL).await?;
			let Some(last) = signed.last() else { return Ok(is_progress) };
			after = last.row;
			is_progress |= self.page(signed).await?;
		}
	}

	async fn page(&self, mut signed: Vec<Batch>) -> Result<bool, SubmitError> {
		self.skipped(|skipped| {
			skipped.retain(|_, since| since.elapsed() < SKIP);
			signed.retain(|batch| !skipped.contains_key(&batch.row));
		});
		if signed.is_empty() {
			return Ok(false);
		}
		let (mut ready, settled) = self.preview(signed).await?;
		if ready.is_empty() {
			return Ok(settled > 0);
		}
		ready.truncate(self.limit.load(Ordering::Relaxed).max(1));
		let batches: Vec<SignedBatch> = ready.iter().map(|(_, batch)| batch.clone()).collect();
		let outcome = self.ledger.submit(&batches).await;
		let inclusion = match outcome {
			Ok(inclusion) => inclusion,
			Err(error) => {
				self.metrics.submitted("failed", batches.len());
				// Not what failed on the way: that says nothing about the batches.
				if error.is_refusal() || !error.is_temporary() {
					self.narrow(&ready);
				}
				return Err(error.into());
			},
		};
		self.limit.store(batches.len().saturating_mul(2), Ordering::Relaxed);
		let accepted: BTreeSet<(u32, u64)> = inclusion.accepted.iter().copied().collect();
		let is_accepted =
			|batch: &SignedBatch| accepted.contains(&(batch.header.meter, batch.header.sequence));
		let settled: Vec<Settled> = ready
			.iter()
			.filter(|(_, batch)| is_accepted(batch))
			.map(|(batch, _)| Settled::Accepted { row: batch.row, block: Some(inclusion.block) })
			.collect();
		self.metrics.submitted("accepted", settled.len());
		self.metrics.submitted("not_accepted", ready.len().saturating_sub(settled.len()));
		// What was not accepted is asked for again in the next round, which names the reason.
		let is_progress = !settled.is_empty();
		self.storage.settle(settled).await?;
		for (batch, signed) in ready.iter().filter(|(_, signed)| is_accepted(signed)) {
			if let Some(meter) = batch.meter {
				self.registry.advanced(meter, &signed.header);
			}
		}
		Ok(is_progress)
	}

	/// The pool takes all batches of a transaction or none. One that it refuses and the preview did
	/// not must not hold up the others for ever: fewer are sent the next time, and a single one is
	/// left out for a while.
	fn narrow(&self, refused: &[Ready]) {
		self.limit.store(refused.len() / 2, Ordering::Relaxed);
		if let [(batch, _)] = refused {
			self.skipped(|skipped| skipped.insert(batch.row, Instant::now()));
		}
	}

	fn skipped<T>(&self, change: impl FnOnce(&mut HashMap<BatchRow, Instant>) -> T) -> T {
		change(&mut self.skipped.locked())
	}

	/// Parts what would be accepted now from what the chain has already or refuses; returns also how
	/// many batches were settled.
	async fn preview(&self, signed: Vec<Batch>) -> Result<(Vec<Ready>, usize), SubmitError> {
		let candidates: Vec<Ready> = signed
			.into_iter()
			.filter_map(|batch| {
				let part = batch.on_chain.as_ref()?;
				let (header, signature) = (part.header.clone(), part.signature?);
				Some((batch, SignedBatch { header, signature }))
			})
			.collect();
		let batches: Vec<SignedBatch> = candidates.iter().map(|(_, batch)| batch.clone()).collect();
		let verdicts = self.ledger.preview(&batches).await?;
		let (mut ready, mut settled) = (Vec::new(), Vec::new());
		for ((batch, signed), verdict) in candidates.into_iter().zip(verdicts) {
			match verdict {
				Ok(_) => ready.push((batch, signed)),
				Err(refusal @ BatchRefusal::SequenceUsed { .. }) => {
					settled.push(self.look(&batch, &signed, &refusal).await?);
				},
				Err(refusal) if refusal.is_temporary() => {
					tracing::info!(meter = signed.header.meter, %refusal, "a batch waits");
				},
				Err(refusal) => settled.push(parked(&batch, &refusal)),
			}
		}
		let count = settled.len();
		let is_parked = |settled: &&Settled| matches!(settled, Settled::Parked { .. });
		self.metrics.submitted("parked", settled.iter().filter(is_parked).count());
		self.storage.settle(settled).await?;
		Ok((ready, count))
	}

	/// The chain has a batch with this number: is it this one?
	async fn look(
		&self,
		batch: &Batch,
		signed: &SignedBatch,
		refusal: &BatchRefusal,
	) -> Result<Settled, SubmitError> {
		let (meter, sequence) = (signed.header.meter, signed.header.sequence);
		let record = self.ledger.batch(meter, sequence).await?;
		let is_there = match record {
			Some(record) => record.header == signed.header,
			None => self.is_behind_the_last(batch, signed).await?,
		};
		if !is_there {
			return Ok(parked(batch, refusal));
		}
		if let Some(known) = batch.meter.and_then(|row| self.registry.by_row(row)) {
			self.registry.refresh(&known).await?;
		}
		Ok(Settled::Accepted { row: batch.row, block: None })
	}

	/// The chain drops old batches, but not the hash of the last one: from there back, each header
	/// that is kept here names the one before it.
	async fn is_behind_the_last(
		&self,
		batch: &Batch,
		signed: &SignedBatch,
	) -> Result<bool, SubmitError> {
		let Some(known) = batch.meter.and_then(|row| self.registry.by_row(row)) else {
			return Ok(false);
		};
		let fresh = self.registry.refresh(&known).await?;
		let Some(info) = fresh.info() else { return Ok(false) };
		let filter = BatchFilter {
			site: Some(known.name.site().to_string()),
			device: Some(known.name.device().to_string()),
			meter: Some(known.name.meter().to_string()),
			..BatchFilter::default()
		};
		let (mut hash, mut after) = (info.state.last_hash, None);
		let mut headers = HashMap::new();
		loop {
			let page = Page { limit: PAGE, offset: 0, after, newest_first: true };
			let batches = self.storage.batches(filter.clone(), page).await?;
			let Some(oldest) = batches.last() else { return Ok(false) };
			after = Some(oldest.row);
			let kept = batches.into_iter().filter_map(|batch| batch.on_chain);
			headers.extend(kept.map(|part| (part.header.hash(), part.header)));
			while let Some(header) = headers.get(&hash) {
				if header.sequence <= signed.header.sequence {
					return Ok(*header == signed.header);
				}
				hash = header.previous;
			}
		}
	}
}

fn parked(batch: &Batch, refusal: &BatchRefusal) -> Settled {
	tracing::warn!(batch = %batch_id(batch.row), %refusal, "a batch is parked");
	Settled::Parked { row: batch.row, reason: format!("{}: {refusal}", refusal.as_str()) }
}

/// A batch with what is sent of it.
type Ready = (Batch, SignedBatch);
