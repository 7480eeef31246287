//! Demands on chain: receipts that somebody asks for there, and that have to be shown in time.
//!
//! The chain says which are open. What is not settled yet is settled at once, by the loop of batches;
//! what is settled is shown in its batch, with the headers that lead to it from one that the chain knows.
//! An answer that is not sent costs a part of the bond, so a failure is tried again for as long as the
//! demand is open. Only what the chain refuses finally, while its headers stay the same, is given up:
//! each such answer costs a fee.
//!
//! A verifier that was not shown the list of a batch demands an opening without a name. Unnamed it would cost
//! what one check stands for, or more, so the receipt is named on chain.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	ledger::{CheckChain, Unnamed},
	rows,
};
use gridproof_compute_api::protocol::{BatchStage, ErrorCode};
use gridproof_primitives::compute::channels::{
	ChannelReceipt, DemandView, Placed, ReceiptProof, headers_that_prove,
};
use gridproof_support::{Backoff, number::gauge};
use std::time::Duration;

/// Name of the loop.
pub(crate) const NAME: &str = "demands";
/// How often the chain is asked.
const LOOK: Duration = Duration::from_secs(12);
/// How often it is asked while a demand waits for its batch.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Pauses after a failure.
const RETRY: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));
/// Most demands at a time: as many as the chain lists.
const MOST: u32 = 1_000;

/// Answers demands until the future is dropped.
pub(crate) async fn answer(coordinator: &Coordinator) {
	let mut pauses = RETRY.pauses();
	loop {
		coordinator.loops.turn(NAME);
		let pause = if coordinator.ledger.channels().is_none() {
			LOOK
		} else {
			let named = coordinator.name_demanded().await;
			let answered = coordinator.answer_demands().await;
			match answered.and_then(|waiting| named.map(|()| waiting)) {
				Ok(waiting) => {
					pauses.reset();
					if waiting { LOOK_AGAIN } else { LOOK }
				},
				Err(error) => {
					let pause = pauses.next_pause();
					tracing::warn!(%error, ?pause, "demands on chain wait for their answer");
					pause
				},
			}
		};
		tokio::time::sleep(pause).await;
	}
}

/// What became of a demand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
	Answered,
	/// Its receipt is on its way to the chain.
	Waits,
	Hopeless(&'static str),
}

impl Coordinator {
	/// Answers all open demands whose receipts are settled, the most urgent first. Returns `true` if
	/// some wait for their batch. One that fails does not hold the others up.
	///
	/// # Errors
	/// The first reason why one has to wait for another try.
	pub(crate) async fn answer_demands(&self) -> Result<bool, RequestError> {
		let mut open = self.chain_of_channels()?.demands(self.public(), MOST).await?;
		open.sort_by_key(|demand| demand.due_ms);
		self.demanded.set(&open);
		let mut left = open.len();
		self.metrics.demands.set(gauge(left));
		let (mut is_waiting, mut failed) = (false, None);
		for demand in &open {
			if self.demanded.is_hopeless(&demand.id) {
				continue;
			}
			self.loops.turn(NAME);
			match self.answer_demand(demand).await {
				Ok(Fate::Answered) => {
					tracing::info!(id = ?demand.id, "a demand on chain is answered");
					self.metrics.answered.inc();
					left = left.saturating_sub(1);
					self.metrics.demands.set(gauge(left));
				},
				Ok(Fate::Waits) => is_waiting = true,
				Ok(Fate::Hopeless(reason)) => {
					if self.demanded.give_up(demand.id) {
						tracing::error!(id = ?demand.id, reason, "a demand on chain has no answer");
					}
				},
				Err(error) => failed = failed.or(Some(error)),
			}
		}
		failed.map_or(Ok(is_waiting), Err)
	}

	async fn answer_demand(&self, demand: &DemandView) -> Result<Fate, RequestError> {
		let (chain, me, wanted) = (self.chain_of_channels()?, self.public(), demand.receipt);
		let Some(voucher) = wanted.receipt.voucher() else {
			return Ok(Fate::Hopeless("its receipt is of a job"));
		};
		let (channel, number) = (voucher.channel, voucher.number);
		let row = self.read(move |db| Ok(rows::channel_receipt(db, channel, number)?)).await?;
		let Some(row) = row.filter(|row| row.receipt == wanted) else {
			return Ok(Fate::Hopeless("the database has no such receipt; is it an older one?"));
		};
		let Some(sequence) = row.batch else { return Ok(Fate::Waits) };
		let before = chain.header_chain(me).await?;
		let Some(numbers) = headers_that_prove(sequence, before.next_sequence) else {
			return Ok(Fate::Waits);
		};
		let headers = self.read(move |db| Ok(rows::headers(db, &numbers)?)).await?;
		let Some(answer) = self.placed(sequence, wanted).await? else {
			return Ok(Fate::Hopeless("the receipt's batch was refused"));
		};
		let Err(error) = chain.answer_demand(me, answer, headers).await else {
			return Ok(Fate::Answered);
		};
		let is_final = error.refusal().is_some() && !error.is_temporary();
		// A batch that was settled meanwhile changes the headers.
		if is_final && chain.header_chain(me).await? == before {
			tracing::error!(%error, id = ?demand.id, "the chain refuses an answer");
			return Ok(Fate::Hopeless("the chain refuses it"));
		}
		Err(error.into())
	}

	/// Names the receipts of which openings are demanded without a name. One that fails does not hold the others
	/// up.
	///
	/// # Errors
	/// The first reason why one has to wait for another try.
	pub(crate) async fn name_demanded(&self) -> Result<(), RequestError> {
		let Some(checks) = self.ledger.checks() else { return Ok(()) };
		let mut failed = None;
		for unnamed in checks.unnamed(self.public()).await? {
			self.loops.turn(NAME);
			if let Err(error) = self.name(checks, &unnamed).await {
				failed = failed.or(Some(error));
			}
		}
		failed.map_or(Ok(()), Err)
	}

	async fn name(&self, checks: &dyn CheckChain, unnamed: &Unnamed) -> Result<(), RequestError> {
		let Unnamed { check, miner, place } = *unnamed;
		let sequence = check.batch.sequence;
		let batch = match self.batch_row(sequence).await {
			Err(error) if error.code == ErrorCode::UnknownBatch => None,
			found => self.tree_of(found?).await?,
		};
		let is_meant =
			|one: &&ChannelReceipt| one.receipt.miner == Some(miner) && one.pays_at(place);
		let meant = batch.and_then(|batch| batch.receipts().iter().find(is_meant).copied());
		let placed = match meant {
			Some(receipt) => self.placed(sequence, receipt).await?,
			None => None,
		};
		let Some(placed) = placed else {
			tracing::error!(
				sequence,
				place,
				"a receipt that is demanded on chain is not kept here"
			);
			return Ok(());
		};
		match checks.name(check, placed).await {
			// Another was faster, or its time is over.
			Err(error) if !error.is_refusal() => Err(error.into()),
			_ => Ok(()),
		}
	}

	/// Returns a receipt with its place in its batch; `None` if that was refused.
	async fn placed(
		&self,
		sequence: u64,
		receipt: ChannelReceipt,
	) -> Result<Option<Placed<ChannelReceipt>>, RequestError> {
		let found = self.batch_row(sequence).await?;
		if found.stage == BatchStage::Refused {
			return Ok(None);
		}
		let broken = || RequestError::new(ErrorCode::Internal, "a batch cannot be made again");
		let batch = self.tree_of(found).await?.ok_or_else(broken)?;
		let made = tokio::task::spawn_blocking(move || {
			let index = batch.receipts().iter().position(|one| *one == receipt)?;
			ReceiptProof::of(&batch, index).map(|proof| proof.receipt)
		});
		made.await.ok().flatten().map(Some).ok_or_else(broken)
	}
}
