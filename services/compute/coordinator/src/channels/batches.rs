//! From receipts to a batch that is final.
//!
//! One batch at a time: its header names the one before. It is written before anybody sees it, is sent
//! until the header chain has it, and is never made a second time: two headers of one number are an offence. So
//! everything that the chain would refuse is looked for before.
//!
//! A batch that the chain refuses permanently is not changed either: its receipts go into another one, with
//! another number, and the chain passes over the first. That is done at once where only time can have
//! caused it, as a channel ended before the batch came; otherwise by the operator, who looks first
//! (see [`crate::repair`]).
//!
//! Receipts of channels that have ended are given up: nobody is paid for them any more, and those of
//! others continue.

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
			Batch, BatchKind, BatchRefusal, Channel, ChannelId, HeaderChain, MAX_LINES,
			MAX_PASSED_OVER, Mode, SettlementBatch, SignedChannelLine, SignedMinerLine,
			SignedVoucher,
		},
	},
	crypto::ed25519::PublicKey,
	energy::emlog::format_utc,
};
use gridproof_support::{Backoff, number::clamped, text::HexBytes};
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};

/// Name of the loop.
pub(crate) const NAME: &str = "batches";
/// Why a batch is refused whose number the chain has another header of.
pub(crate) const OTHER_HEADER: &str = "the chain has another header of this number";
/// How often it is looked for receipts to settle without being asked.
const LOOK: Duration = Duration::from_secs(1);
/// How far behind a receipt's time the chain may be, in milliseconds: one that has no channel any more
/// is a day ahead of it at least, as long as a notice takes.
const BEHIND_MS: u64 = 3_600_000;
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

/// What the chain says of the channels of a batch.
#[derive(Default)]
struct Channels {
	/// Those that can be settled.
	living: BTreeMap<ChannelId, Channel>,
	/// Those that have ended: nothing of them is settled any more.
	ended: BTreeSet<ChannelId>,
	/// The chain's time, UTC milliseconds.
	now: u64,
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
		let channels = self.channels_of(&rows).await?;
		let rows = within_lines(rows, &channels.ended);
		let batch = self.batch_of(kind, &rows, &channels).await?;
		let places: Vec<u64> = rows.iter().map(|row| row.place).collect();
		let kept = batch.clone();
		self.write(move |db| Ok(rows::add_batch(db, &kept, &places)?)).await?;
		for one in &batch.given_up {
			let (channel, receipts) = (one.channel, one.line.receipts());
			let (sequence, price) = (batch.header.sequence, one.line.price());
			tracing::error!(
				channel,
				receipts,
				price,
				sequence,
				"a channel ended before it was settled: nobody is paid for its receipts"
			);
			self.metrics.given_up.inc_by(receipts.unwrap_or(0));
		}
		Ok(Some(batch))
	}

	/// Asks the chain about the channels of these receipts.
	async fn channels_of(&self, rows: &[ChannelReceiptRow]) -> Result<Channels, RequestError> {
		let mut newest = BTreeMap::<ChannelId, u64>::new();
		for row in rows {
			let Some(id) = row.receipt.receipt.voucher() else { continue };
			let signed_ms = newest.entry(id.channel).or_default();
			*signed_ms = (*signed_ms).max(row.signed_ms);
		}
		let (chain, now) = (self.chain_of_channels()?, chain_time(self).await?);
		let mut channels = Channels { now, ..Channels::default() };
		for (id, signed_ms) in newest {
			match chain.channel(id).await? {
				Some(channel) if !channel.has_ended(now) => {
					channels.living.insert(id, channel);
				},
				// It was there when its voucher was taken: a node that has come as far knows that it is
				// gone.
				None if now < signed_ms.saturating_add(BEHIND_MS) => {
					return Err(wait(format!("the node does not have channel {id} yet")));
				},
				_ => {
					channels.ended.insert(id);
				},
			}
			self.loops.turn(NAME);
		}
		Ok(channels)
	}

	/// Returns the batch of these receipts, if the chain would settle it now.
	async fn batch_of(
		&self,
		kind: BatchKind,
		rows: &[ChannelReceiptRow],
		on_chain: &Channels,
	) -> Result<BatchRow, RequestError> {
		let vouchers = self.newest_vouchers(rows).await?;
		let plain = vouchers.iter().map(|(id, signed)| (*id, signed.voucher)).collect();
		let receipts = rows.iter().map(|row| row.receipt).collect();
		let broken = |error: &dyn std::fmt::Display| {
			RequestError::new(ErrorCode::Internal, format!("receipts make no batch: {error}"))
		};
		let batch = Batch::giving_up(kind, receipts, &plain, &on_chain.ended);
		let batch = batch.map_err(|error| broken(&error))?;
		let before = self.preview(kind, &batch, on_chain).await?;
		let HeaderChain { last_hash, last_time_ms, .. } = before;
		let sequence = self.next_number(&before).await?;
		let time_ms = self.now().max(last_time_ms);
		let mut header = batch.header(self.public(), sequence, last_hash, time_ms);
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
			given_up: batch.lists().given_up.clone(),
			stage: BatchStage::Made,
			block: None,
			reason: None,
			made_ms: self.now(),
			decided_ms: None,
		})
	}

	/// Returns the number of the next batch: one that was never signed.
	async fn next_number(&self, before: &HeaderChain) -> Result<u64, RequestError> {
		let last = self.read(|db| Ok(rows::last_batch(db)?)).await?;
		let signed = last.map_or(0, |last| last.header.sequence.saturating_add(1));
		let number = signed.max(before.next_sequence);
		if number.saturating_sub(before.next_sequence) > MAX_PASSED_OVER.into() {
			let message = format!(
				"the chain has refused {MAX_PASSED_OVER} batches in a row, and passes over no more: \
				 settle with another key, see docs/operations/coordinator.md"
			);
			return RequestError::err(ErrorCode::Internal, message);
		}
		Ok(number)
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
	async fn preview(
		&self,
		kind: BatchKind,
		batch: &Batch,
		on_chain: &Channels,
	) -> Result<HeaderChain, RequestError> {
		let (chain, me) = (self.chain_of_channels()?, self.public());
		let before = chain.header_chain(me).await?;
		let found =
			self.read(|db| Ok((rows::settled_batch(db)?, rows::refused_batch(db)?))).await?;
		let (settled, refused) = found;
		if settled.is_some_and(|last| last.header.sequence >= before.next_sequence) {
			return Err(wait("the node has not seen the last batch yet"));
		}
		if let Some(refused) = refused {
			return RequestError::err(ErrorCode::Internal, standstill(&refused));
		}
		let day_ms = self.day_ms().await?;
		for line in &batch.lists().channels {
			let id = line.channel();
			let channel = on_chain.living.get(&id);
			let channel =
				channel.ok_or_else(|| wait(format!("the chain has no channel {id} any more")))?;
			let settled = channel.settle(&me, kind, line, on_chain.now, day_ms);
			settled.map_err(|refusal| wait(format!("channel {id}: {refusal}")))?;
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
			Ok(Submitted::Refused(refusal)) if self.is_for_good(&batch, refusal).await? => {
				return self.refuse_batch(&batch, refusal).await;
			},
			Ok(Submitted::Refused(refusal)) => refusal.to_string(),
			Ok(Submitted::Settled(_)) => "the node has not seen it yet".to_string(),
			Err(error) => error.to_string(),
		};
		let noted = reason.clone();
		self.write(move |db| Ok(rows::note_batch(db, sequence, &noted)?)).await?;
		Err(wait(format!("batch {sequence}: {reason}")))
	}

	/// Returns `true` if a batch can never settle that is refused for this reason.
	async fn is_for_good(
		&self,
		batch: &BatchRow,
		refusal: BatchRefusal,
	) -> Result<bool, RequestError> {
		if refusal != BatchRefusal::UnknownChannel {
			return Ok(!refusal.is_temporary());
		}
		// It was there when its line was made. What is gone does not come back.
		let chain = self.chain_of_channels()?;
		let is_later = chain_time(self).await? >= batch.made_ms.saturating_add(BEHIND_MS);
		for signed in batch.channels.iter().filter(|_| is_later) {
			if chain.channel(signed.line.channel()).await?.is_none() {
				return Ok(true);
			}
		}
		Ok(false)
	}

	/// Notes that a batch was refused permanently. Where a channel ended before it came, its receipts go
	/// into the next one at once; for anything else its operator has to look.
	async fn refuse_batch(
		&self,
		batch: &BatchRow,
		refusal: BatchRefusal,
	) -> Result<(), RequestError> {
		let (sequence, reason, now) = (batch.header.sequence, refusal.as_str(), self.now());
		let is_plain = matches!(refusal, BatchRefusal::ChannelEnded | BatchRefusal::UnknownChannel);
		if is_plain {
			tracing::warn!(sequence, reason, "a batch is refused permanently, and rebuilt");
		} else {
			tracing::error!(sequence, reason, "the chain refuses a batch permanently: look at it");
		}
		let stage = BatchStage::Refused;
		self.write(move |db| {
			rows::decide_batch(db, sequence, stage, None, Some(reason), now)?;
			if is_plain {
				rows::release_receipts(db, sequence)?;
			}
			Ok(())
		})
		.await
	}

	/// Returns a batch as the chain takes it.
	fn submission(&self, batch: &BatchRow) -> Result<SettlementBatch, RequestError> {
		let long = || RequestError::new(ErrorCode::Internal, "a batch has too many lines");
		Ok(SettlementBatch {
			header: batch.header,
			signature: self.key.sign(&batch.header.signing_payload(&self.genesis)),
			channels: batch.channels.clone().try_into().map_err(|_| long())?,
			miners: batch.miners.clone().try_into().map_err(|_| long())?,
			given_up: batch.given_up.clone().try_into().map_err(|_| long())?,
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
			(BatchStage::Refused, Some(OTHER_HEADER))
		} else {
			self.metrics.settled.inc_by(batch.header.sums.receipts);
			(BatchStage::Final, None)
		};
		let now = self.now();
		let decide = move |db: &_| Ok(rows::decide_batch(db, sequence, stage, block, reason, now)?);
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

/// What is said of a batch that the chain has refused and whose receipts wait.
pub(crate) fn standstill(refused: &BatchRow) -> String {
	let BatchRow { header, reason, made_ms, decided_ms, .. } = refused;
	let since = format_utc(decided_ms.unwrap_or(*made_ms));
	let reason = reason.as_deref().unwrap_or("for no reason that is known");
	format!(
		"no receipt of a channel is settled since {since}: the chain refused batch {} permanently \
		 ({reason}); stop the coordinator, and look with gridproof coordinator batches",
		header.sequence
	)
}

/// Returns the first receipts, in the order in which they were counted, that a batch has lines for: so
/// the ranges of all channels and miners join on. Those of the channels in `ended` are given up.
fn within_lines(
	rows: Vec<ChannelReceiptRow>,
	ended: &BTreeSet<ChannelId>,
) -> Vec<ChannelReceiptRow> {
	let most: usize = clamped(MAX_LINES);
	let (mut channels, mut miners, mut ranges) = (BTreeSet::new(), BTreeMap::new(), 0usize);
	rows.into_iter()
		.take_while(|row| {
			let receipt = &row.receipt.receipt;
			let channel = receipt.voucher().map(|id| id.channel);
			let given_up = channel.filter(|id| ended.contains(id));
			if given_up.is_none() {
				channels.insert(channel);
			}
			// A range ends where its miner has a receipt of another channel.
			let before = miners.insert(receipt.miner, given_up).flatten();
			if given_up.is_some() && before != given_up {
				ranges = ranges.saturating_add(1);
			}
			channels.len() <= most && miners.len() <= most && ranges <= most
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
