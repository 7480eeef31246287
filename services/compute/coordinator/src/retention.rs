//! What a coordinator keeps, and for how long.
//!
//! Prompts and answers are their customers', and are deleted some time after their money is settled;
//! jobs, receipts and batches are the operator's books, and are deleted much later, into an archive if
//! there is one. Receipts of channels are kept for as long as somebody can demand them on chain, whatever
//! the settings say. It is done in small pieces, so that no request waits for it, and nothing goes that is open,
//! unsettled, or whose money may still be held.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	rows::{self, BatchRow, ChannelReceiptRow, Job, ReceiptRow},
};
use codec::Encode;
use gridproof_compute_api::protocol::{BatchStage, ErrorCode, JobStage, Settlement};
use gridproof_primitives::energy::emlog::format_utc;
use gridproof_support::{
	number::clamped,
	text::{Amount, Hex32, Hex64, HexBytes},
};
use serde::Serialize;
use std::{
	fs::{self, OpenOptions},
	io::{self, Write},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	time::Duration,
};

/// Name of the loop.
pub(crate) const NAME: &str = "retention";
/// Rows that one piece of work changes at most.
const PIECE: u32 = 100;
/// Pause between two pieces, for those who wait to write.
const BREATH: Duration = Duration::from_millis(200);
/// Pause when there is nothing to delete.
const LOOK: Duration = Duration::from_secs(60);
const DAY_MS: u64 = 86_400_000;
/// Days for which a settled receipt of a channel is kept at least: for a week after its time it can be
/// demanded on chain, and for three weeks the chain knows the header that proves it.
const PROVABLE_DAYS: u32 = 28;

/// Deletes what is kept long enough, until the future is dropped.
pub(crate) async fn retain(coordinator: &Coordinator) {
	loop {
		let is_more = coordinator.prune_some().await.unwrap_or_else(|error| {
			tracing::warn!(%error, "nothing is deleted now");
			false
		});
		coordinator.loops.turn(NAME);
		tokio::time::sleep(if is_more { BREATH } else { LOOK }).await;
	}
}

impl Coordinator {
	/// Deletes a piece of what is kept long enough; returns `true` if there may be more.
	pub(crate) async fn prune_some(&self) -> Result<bool, RequestError> {
		let now = self.now();
		let keys = self.write(move |db| Ok(rows::forget(db, now, PIECE)?)).await?;
		let texts = self.prune_texts(now).await?;
		let jobs = self.prune_jobs(now).await?;
		let since = before(now, self.settings.retain.texts_days);
		// What can still be checked has to be shown: while nobody knows for how long, nothing goes.
		let decided = match self.ledger.checks() {
			None => now,
			Some(checks) => now.saturating_sub(checks.longest_ms().await?),
		};
		let requests = self
			.write(move |db| Ok(rows::delete_channel_texts(db, since, decided, PIECE)?))
			.await?;
		let receipts = self.prune_receipts(now).await?;
		let piece: usize = clamped(PIECE);
		Ok([keys, texts, jobs, requests, receipts].into_iter().any(|count| count >= piece))
	}

	async fn prune_texts(&self, now: u64) -> Result<usize, RequestError> {
		let since = before(now, self.settings.retain.texts_days);
		let ids = self.read(move |db| Ok(rows::with_texts(db, since, PIECE)?)).await?;
		let count = ids.len();
		if count > 0 {
			self.write(move |db| {
				for id in ids {
					rows::delete_texts(db, id)?;
				}
				Ok(())
			})
			.await?;
			self.metrics.pruned_texts.inc_by(clamped(count));
		}
		Ok(count)
	}

	async fn prune_jobs(&self, now: u64) -> Result<usize, RequestError> {
		let since = before(now, self.settings.retain.jobs_days);
		let jobs = self.read(move |db| Ok(rows::over(db, since, PIECE)?)).await?;
		let count = jobs.len();
		if count == 0 {
			return Ok(0);
		}
		let ids: Vec<_> = jobs.iter().map(|(job, _)| job.job).collect();
		let lines: Vec<Archived> =
			jobs.iter().map(|(job, receipt)| archived(job, receipt.as_ref())).collect();
		self.archive("jobs", now, lines).await?;
		self.write(move |db| {
			for id in ids {
				rows::delete_job(db, id)?;
			}
			Ok(())
		})
		.await?;
		self.metrics.pruned_jobs.inc_by(clamped(count));
		Ok(count)
	}

	/// Deletes receipts of the oldest batch that nobody can demand any more, and with the last of them
	/// the batch. Returns a whole piece if a batch was finished: there may be another.
	async fn prune_receipts(&self, now: u64) -> Result<usize, RequestError> {
		let days = self.settings.retain.jobs_days.max(PROVABLE_DAYS);
		let settle_ms = self.settings.channels.settle_seconds.saturating_mul(1_000);
		let since = before(now, days).saturating_sub(settle_ms);
		let Some(batch) = self.read(move |db| Ok(rows::old_batch(db, since)?)).await? else {
			return Ok(0);
		};
		let sequence = batch.header.sequence;
		let found = self.read(move |db| Ok(rows::some_receipts(db, sequence, PIECE)?)).await?;
		let count = found.len();
		if count == 0 {
			self.archive("batches", now, vec![archived_batch(&batch)]).await?;
			self.write(move |db| Ok(rows::delete_batch(db, sequence)?)).await?;
			return Ok(clamped(PIECE));
		}
		self.archive("channel-receipts", now, found.iter().map(archived_receipt).collect()).await?;
		let places: Vec<u64> = found.iter().map(|row| row.place).collect();
		self.write(move |db| Ok(rows::delete_receipts(db, &places)?)).await?;
		self.metrics.pruned_receipts.inc_by(clamped(count));
		Ok(clamped(PIECE))
	}

	/// Adds lines to a file of the archive, if there is one. They are on disk before anything is
	/// deleted: stopped in between, a line is in the archive twice.
	async fn archive<T: Serialize + Send + 'static>(
		&self,
		what: &'static str,
		now: u64,
		lines: Vec<T>,
	) -> Result<(), RequestError> {
		let Some(folder) = self.settings.retain.archive.clone() else { return Ok(()) };
		let kept = tokio::task::spawn_blocking(move || append(&folder, what, now, &lines)).await;
		let kept = kept.unwrap_or_else(|_| Err(io::Error::other("it broke off")));
		kept.map_err(|error| {
			let message = format!("the archive cannot be written: {error}");
			RequestError::new(ErrorCode::Internal, message)
		})
	}
}

/// The time so many days ago, UTC milliseconds.
fn before(now: u64, days: u32) -> u64 {
	now.saturating_sub(DAY_MS.saturating_mul(days.into()))
}

/// A line of the archive: a job without its texts.
#[derive(Serialize)]
struct Archived {
	job: Hex32,
	number: u64,
	client: Hex32,
	#[serde(skip_serializing_if = "Option::is_none")]
	customer: Option<String>,
	model: String,
	asset: String,
	/// The most that it could cost, in the asset's smallest unit.
	price: Amount,
	state: JobStage,
	#[serde(skip_serializing_if = "Option::is_none")]
	reason: Option<String>,
	created_ms: u64,
	updated_ms: u64,
	/// SCALE.
	quote: HexBytes,
	quote_signature: Hex64,
	#[serde(skip_serializing_if = "Option::is_none")]
	receipt: Option<ArchivedReceipt>,
}

#[derive(Serialize)]
struct ArchivedReceipt {
	receipt_id: Hex32,
	compute_units: u64,
	/// What it cost, in the asset's smallest unit.
	price: Amount,
	settlement: Settlement,
	#[serde(skip_serializing_if = "Option::is_none")]
	reason: Option<String>,
	#[serde(skip_serializing_if = "Option::is_none")]
	block: Option<Hex32>,
	signed_ms: u64,
	#[serde(skip_serializing_if = "Option::is_none")]
	settled_ms: Option<u64>,
	/// SCALE of the receipt with both signatures.
	signed: HexBytes,
}

fn archived(job: &Job, receipt: Option<&ReceiptRow>) -> Archived {
	Archived {
		job: job.job.into(),
		number: job.number,
		client: Hex32(job.client),
		customer: job.customer.clone(),
		model: job.model.clone(),
		asset: job.asset.clone(),
		price: Amount(job.price),
		state: job.state,
		reason: job.reason.clone(),
		created_ms: job.created_ms,
		updated_ms: job.updated_ms,
		quote: HexBytes(job.quote.clone()),
		quote_signature: Hex64(job.quote_signature),
		receipt: receipt.map(|row| ArchivedReceipt {
			receipt_id: row.id.into(),
			compute_units: row.units,
			price: Amount(row.price),
			settlement: row.settlement,
			reason: row.reason.clone(),
			block: row.block.map(Hex32::from),
			signed_ms: row.signed_ms,
			settled_ms: row.settled_ms,
			signed: HexBytes(row.signed().map(|signed| signed.encode()).unwrap_or_default()),
		}),
	}
}

/// A line of the archive: a receipt of a channel, without texts.
#[derive(Serialize)]
struct ArchivedChannelReceipt {
	receipt_id: Hex32,
	#[serde(skip_serializing_if = "Option::is_none")]
	channel: Option<u64>,
	#[serde(skip_serializing_if = "Option::is_none")]
	voucher: Option<u64>,
	model: String,
	/// What it cost, in the asset's smallest unit.
	price: Amount,
	#[serde(skip_serializing_if = "Option::is_none")]
	batch: Option<u64>,
	signed_ms: u64,
	/// SCALE of the receipt with its running sums.
	receipt: HexBytes,
	#[serde(skip_serializing_if = "Option::is_none")]
	miner_signature: Option<Hex64>,
}

fn archived_receipt(row: &ChannelReceiptRow) -> ArchivedChannelReceipt {
	let voucher = row.receipt.receipt.voucher();
	ArchivedChannelReceipt {
		receipt_id: row.id.into(),
		channel: voucher.map(|id| id.channel),
		voucher: voucher.map(|id| id.number),
		model: row.model.clone(),
		price: Amount(row.receipt.receipt.price),
		batch: row.batch,
		signed_ms: row.signed_ms,
		receipt: HexBytes(row.receipt.encode()),
		miner_signature: row.miner_signature.map(Hex64),
	}
}

/// A line of the archive: a batch, whose receipts went before it.
#[derive(Serialize)]
struct ArchivedBatch {
	batch: u64,
	stage: BatchStage,
	#[serde(skip_serializing_if = "Option::is_none")]
	reason: Option<String>,
	#[serde(skip_serializing_if = "Option::is_none")]
	block: Option<Hex32>,
	made_ms: u64,
	/// SCALE of the header, and of the lists of lines.
	header: HexBytes,
	lists: HexBytes,
}

fn archived_batch(batch: &BatchRow) -> ArchivedBatch {
	ArchivedBatch {
		batch: batch.header.sequence,
		stage: batch.stage,
		reason: batch.reason.clone(),
		block: batch.block.map(Hex32::from),
		made_ms: batch.made_ms,
		header: HexBytes(batch.header.encode()),
		lists: HexBytes(batch.lists().encode()),
	}
}

/// Returns the file of the archive that what is deleted at a time, UTC milliseconds, goes to: one for
/// each month.
fn file_at(folder: &Path, what: &str, now: u64) -> PathBuf {
	let month: String = format_utc(now).chars().take(7).collect();
	folder.join(format!("{what}-{month}.jsonl"))
}

/// Adds lines to the archive; they are on disk when this returns.
fn append<T: Serialize>(folder: &Path, what: &str, now: u64, rows: &[T]) -> io::Result<()> {
	let mut lines = Vec::new();
	for row in rows {
		serde_json::to_writer(&mut lines, row)?;
		lines.push(b'\n');
	}
	fs::create_dir_all(folder)?;
	let path = file_at(folder, what, now);
	let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
	file.write_all(&lines)?;
	file.sync_all()?;
	// The file's name, too.
	fs::File::open(folder)?.sync_all()
}
