//! From receipts to a batch that is final.
//!
//! One batch at a time: its header names the one before. It is written before anybody sees it, is sent
//! until the header chain has it, and is never made a second time: two headers of one number are an offence. So
//! everything that the chain would refuse is looked for before.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	ledger::Submitted,
	rows::{self, BatchRow, ChannelReceiptRow},
};
use codec::Encode;
use gridproof_compute_api::protocol::{BatchStage, ErrorCode, LineToSign, LinesToSign, SignedLine};
use gridproof_primitives::{
	codec::cid::Cid,
	compute::{
		PriceAsset,
		channels::{
			Batch, BatchKind, ChannelId, HeaderChain, MAX_LINES, Mode, SettlementBatch,
			SignedChannelLine, SignedMinerLine, SignedVoucher,
		},
	},
	crypto::ed25519::PublicKey,
};
use gridproof_support::{Backoff, number::clamped, text::HexBytes};
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};

/// Name of the loop.
pub(crate) const NAME: &str = "batches";
/// How often it is looked for receipts to settle without being asked.
const LOOK: Duration = Duration::from_secs(1);
/// Pauses before a batch is sent again.
const RETRY: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));

/// Settles receipts of channels until the future is dropped.
pub(crate) async fn settle(coordinator: &Coordinator) {
	let mut pauses = RETRY.pauses();
	loop {
		coordinator.loops.turn(NAME);
		let pause = if coordinator.ledger.channels().is_none() {
			LOOK
		} else {
			match coordinator.settle_channels().await {
				Ok(()) => {
					pauses.reset();
					LOOK
				},
				Err(error) => {
					let pause = pauses.next_pause();
					tracing::warn!(%error, ?pause, "receipts of channels wait");
					pause
				},
			}
		};
		tokio::time::sleep(pause).await;
	}
}

/// All kinds of batches.
fn kinds() -> impl Iterator<Item = BatchKind> {
	[PriceAsset::Ait, PriceAsset::Aicp, PriceAsset::ServiceCredit].into_iter().flat_map(|asset| {
		[Mode::Ordinary, Mode::Private].into_iter().map(move |mode| BatchKind { asset, mode })
	})
}

fn wait(message: impl Into<String>) -> RequestError {
	RequestError::new(ErrorCode::ChainUnavailable, message)
}

impl Coordinator {
	/// Sends the batch that is open; without one, makes one of what is due and sends it.
	///
	/// # Errors
	/// Why receipts have to wait.
	pub(crate) async fn settle_channels(&self) -> Result<(), RequestError> {
		let open = self.read(|db| Ok(rows::open_batch(db)?)).await?;
		if let Some(batch) = open {
			return self.send_batch(batch).await;
		}
		for kind in kinds() {
			if let Some(batch) = self.make_batch(kind).await? {
				self.collect_signatures(&batch).await?;
				self.send_batch(batch).await?;
				self.loops.turn(NAME);
			}
		}
		Ok(())
	}

	/// Makes a batch of the receipts of a kind, if it is time.
	pub(crate) async fn make_batch(
		&self,
		kind: BatchKind,
	) -> Result<Option<BatchRow>, RequestError> {
		let settings = &self.settings.channels;
		let most = settings.batch_receipts;
		let rows = self.read(move |db| Ok(rows::unsettled_receipts(db, kind, most)?)).await?;
		let Some(first) = rows.first() else { return Ok(None) };
		let age = self.now().saturating_sub(first.signed_ms);
		let is_full = clamped::<u32, _>(rows.len()) >= most;
		// What is demanded on chain does not wait for others.
		let is_demanded = rows.iter().any(|row| self.demanded.is_urgent(&row.receipt));
		if !is_full && !is_demanded && age < settings.batch_seconds.saturating_mul(1_000) {
			return Ok(None);
		}
		let rows = within_lines(rows);
		let batch = self.batch_of(kind, &rows).await?;
		let places: Vec<u64> = rows.iter().map(|row| row.place).collect();
		let kept = batch.clone();
		self.write(move |db| Ok(rows::add_batch(db, &kept, &places)?)).await?;
		Ok(Some(batch))
	}

	/// Returns the batch of these receipts, if the chain would settle it now.
	async fn batch_of(
		&self,
		kind: BatchKind,
		rows: &[ChannelReceiptRow],
	) -> Result<BatchRow, RequestError> {
		let vouchers = self.newest_vouchers(rows).await?;
		let plain = vouchers.iter().map(|(id, signed)| (*id, signed.voucher)).collect();
		let receipts = rows.iter().map(|row| row.receipt).collect();
		let broken = |error: &dyn std::fmt::Display| {
			RequestError::new(ErrorCode::Internal, format!("receipts make no batch: {error}"))
		};
		let batch = Batch::of(kind, receipts, &plain).map_err(|error| broken(&error))?;
		let before = self.preview(kind, &batch).await?;
		let HeaderChain { next_sequence, last_hash, last_time_ms, .. } = before;
		let time_ms = self.now().max(last_time_ms);
		let mut header = batch.header(self.public(), next_sequence, last_hash, time_ms);
		header.cid = Some(Cid::of(&batch.receipts().encode()));
		let channels = batch.lists().channels.iter().map(|line| {
			let signed = vouchers.get(&line.channel());
			signed.map(|signed| SignedChannelLine { line: *line, signature: signed.signature })
		});
		let channels = channels.collect::<Option<Vec<_>>>();
		let miners = batch.lists().miners.iter();
		Ok(BatchRow {
			header,
			channels: channels.ok_or_else(|| broken(&"a voucher is missing"))?,
			miners: miners.map(|line| SignedMinerLine { line: *line, signature: None }).collect(),
			stage: BatchStage::Made,
			block: None,
			reason: None,
			made_ms: self.now(),
		})
	}

	/// Returns the newest voucher of each channel of these receipts.
	async fn newest_vouchers(
		&self,
		rows: &[ChannelReceiptRow],
	) -> Result<BTreeMap<ChannelId, SignedVoucher>, RequestError> {
		let ids = rows.iter().filter_map(|row| Some(row.receipt.receipt.voucher()?.channel));
		let ids: BTreeSet<ChannelId> = ids.collect();
		self.read(move |db| {
			let mut vouchers = BTreeMap::new();
			for id in ids {
				if let Some(account) = rows::channel_account(db, id)? {
					vouchers.insert(id, account.voucher);
				}
			}
			Ok(vouchers)
		})
		.await
	}

	/// Checks by the chain's own rules that it would settle a batch now; returns what the batch follows
	/// on. Nothing is signed that it would refuse.
	async fn preview(&self, kind: BatchKind, batch: &Batch) -> Result<HeaderChain, RequestError> {
		let (chain, me) = (self.chain_of_channels()?, self.public());
		let before = chain.header_chain(me).await?;
		let last = self.read(|db| Ok(rows::last_batch(db)?)).await?;
		if last.is_some_and(|last| last.header.sequence >= before.next_sequence) {
			return Err(wait("the node has not seen the last batch yet"));
		}
		let (now, day_ms) = (chain_time(self).await?, self.day_ms().await?);
		for line in &batch.lists().channels {
			let id = line.channel();
			let channel = chain.channel(id).await?;
			let channel =
				channel.ok_or_else(|| wait(format!("the chain has no channel {id} any more")))?;
			let settled = channel.settle(&me, kind, line, now, day_ms);
			settled.map_err(|refusal| wait(format!("channel {id}: {refusal}")))?;
			self.loops.turn(NAME);
		}
		for line in &batch.lists().miners {
			let settled = chain.miner_sums(me, kind, line.miner).await?;
			let joins = line.check_joins(&settled);
			joins.map_err(|refusal| wait(format!("a miner's line: {refusal}")))?;
			self.loops.turn(NAME);
		}
		Ok(before)
	}

	/// Asks miners for the signatures of their lines, and waits for them a moment: without its
	/// signature a line is paid and mints nothing.
	pub(crate) async fn collect_signatures(&self, batch: &BatchRow) -> Result<(), RequestError> {
		let lines: Vec<_> = batch.miners.iter().map(|signed| signed.line).collect();
		self.book.ask_lines(&batch.header, &lines);
		let end = Instant::now() + Duration::from_secs(self.settings.channels.line_seconds);
		while !self.book.all_signed() {
			let mut signed = std::pin::pin!(self.book.lines.notified());
			signed.as_mut().enable();
			if !self.book.all_signed() && timeout_at(end, signed).await.is_err() {
				break;
			}
		}
		let signatures = self.book.take_signatures();
		if signatures.is_empty() {
			return Ok(());
		}
		let mut miners = batch.miners.clone();
		for signed in &mut miners {
			signed.signature = signed.line.miner.and_then(|miner| signatures.get(&miner).copied());
		}
		let sequence = batch.header.sequence;
		self.write(move |db| Ok(rows::set_miners(db, sequence, &miners)?)).await
	}

	/// Sends a batch, and asks the chain what has become of it: that alone counts.
	pub(crate) async fn send_batch(&self, batch: BatchRow) -> Result<(), RequestError> {
		let sequence = batch.header.sequence;
		if self.is_decided(&batch, None).await? {
			return Ok(());
		}
		// With the signatures that have come.
		let kept = self.read(move |db| Ok(rows::batch(db, sequence)?)).await?;
		let batch = kept.unwrap_or(batch);
		self.metrics.bundles.inc();
		let submitted = self.chain_of_channels()?.settle_batch(self.submission(&batch)?).await;
		let block = match &submitted {
			Ok(Submitted::Settled(block)) => Some(*block),
			_ => None,
		};
		if self.is_decided(&batch, block).await? {
			return Ok(());
		}
		let reason = match submitted {
			Ok(Submitted::Refused(refusal)) if !refusal.is_temporary() => {
				let reason = refusal.as_str();
				tracing::error!(sequence, reason, "the chain refuses a batch permanently");
				let (stage, reason) = (BatchStage::Refused, Some(reason));
				let decide =
					move |db: &_| Ok(rows::decide_batch(db, sequence, stage, None, reason)?);
				return self.write(decide).await;
			},
			Ok(Submitted::Refused(refusal)) => refusal.to_string(),
			Ok(Submitted::Settled(_)) => "the node has not seen it yet".to_string(),
			Err(error) => error.to_string(),
		};
		let noted = reason.clone();
		self.write(move |db| Ok(rows::note_batch(db, sequence, &noted)?)).await?;
		Err(wait(format!("batch {sequence}: {reason}")))
	}

	/// Returns a batch as the chain takes it.
	fn submission(&self, batch: &BatchRow) -> Result<SettlementBatch, RequestError> {
		let long = || RequestError::new(ErrorCode::Internal, "a batch has too many lines");
		Ok(SettlementBatch {
			header: batch.header,
			signature: self.key.sign(&batch.header.signing_payload(&self.genesis)),
			channels: batch.channels.clone().try_into().map_err(|_| long())?,
			miners: batch.miners.clone().try_into().map_err(|_| long())?,
		})
	}

	/// Asks the chain about a batch, and notes its fate if that is decided.
	async fn is_decided(
		&self,
		batch: &BatchRow,
		block: Option<gridproof_primitives::H256>,
	) -> Result<bool, RequestError> {
		let chain = self.chain_of_channels()?.header_chain(self.public()).await?;
		let sequence = batch.header.sequence;
		if chain.next_sequence <= sequence {
			return Ok(false);
		}
		let is_last = chain.next_sequence == sequence.saturating_add(1);
		let other = is_last && chain.last_hash != batch.header.hash();
		let (stage, reason) = if other {
			tracing::error!(sequence, "the chain has another header of this number");
			(BatchStage::Refused, Some("the chain has another header of this number"))
		} else {
			self.metrics.settled.inc_by(batch.header.sums.receipts);
			(BatchStage::Final, None)
		};
		let decide = move |db: &_| Ok(rows::decide_batch(db, sequence, stage, block, reason)?);
		self.write(decide).await?;
		Ok(true)
	}

	/// Waits for a line that this miner is to sign, for at most `longest`.
	pub(crate) async fn lines(&self, miner: &PublicKey, longest: Duration) -> LinesToSign {
		let line = || self.book.line(miner);
		let waiting = async {
			loop {
				let mut asked = std::pin::pin!(self.book.lines.notified());
				asked.as_mut().enable();
				if let Some(unsigned) = line() {
					return unsigned;
				}
				asked.await;
			}
		};
		let unsigned = tokio::select! {
			found = timeout(longest, waiting) => found.ok(),
			() = self.closed() => None,
		};
		let lines = unsigned.map(|unsigned| LineToSign {
			header: HexBytes(unsigned.header.encode()),
			line: HexBytes(unsigned.line.encode()),
		});
		LinesToSign { lines: lines.into_iter().collect() }
	}

	/// Takes a miner's signature of its line.
	///
	/// # Errors
	/// [`ErrorCode::UnknownBatch`] if it is not asked for (any more), [`ErrorCode::BadSignature`].
	pub(crate) fn sign_line(
		&self,
		miner: &PublicKey,
		signed: &SignedLine,
	) -> Result<(), RequestError> {
		let asked = self.book.line(miner);
		let asked = asked.filter(|asked| asked.header.sequence == signed.sequence);
		let Some(asked) = asked else {
			let message = "no signature of this miner is asked for that batch";
			return RequestError::err(ErrorCode::UnknownBatch, message);
		};
		let hash = asked.header.hash();
		asked
			.line
			.verify(&self.genesis, &hash, &signed.signature.0)
			.map_err(|error| RequestError::new(ErrorCode::BadSignature, error.as_str()))?;
		self.book.sign_line(*miner, signed.signature.0);
		Ok(())
	}
}

async fn chain_time(coordinator: &Coordinator) -> Result<u64, RequestError> {
	Ok(coordinator.ledger.time().await?)
}

/// Returns the first receipts, in the order in which they were counted, that a batch has lines for: so
/// the ranges of all channels and miners join on.
fn within_lines(rows: Vec<ChannelReceiptRow>) -> Vec<ChannelReceiptRow> {
	let most: usize = clamped(MAX_LINES);
	let (mut channels, mut miners) = (BTreeSet::new(), BTreeSet::new());
	rows.into_iter()
		.take_while(|row| {
			let receipt = &row.receipt.receipt;
			channels.insert(receipt.voucher().map(|id| id.channel));
			miners.insert(receipt.miner);
			channels.len() <= most && miners.len() <= most
		})
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_support::clock::millis;

	#[test]
	fn pauses_double_up_to_a_minute() {
		let exact = RETRY.without_jitter();
		let pauses: Vec<u64> = (1..8).map(|tries| millis(exact.pause_after(tries))).collect();
		assert_eq!(pauses, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
		assert_eq!(kinds().count(), 6);
	}
}
