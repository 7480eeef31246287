//! What a coordinator keeps, and for how long.
//!
//! Prompts and answers are their customers', and are deleted some time after their money is settled;
//! jobs and receipts are the operator's books, and are deleted much later, into an archive if there is
//! one. It is done in small pieces, so that no request waits for it, and nothing goes that is open,
//! unsettled, or whose money may still be held.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	rows::{self, Job, ReceiptRow},
};
use codec::Encode;
use gridproof_compute_api::protocol::{ErrorCode, JobStage, Settlement};
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
		let requests =
			self.write(move |db| Ok(rows::delete_channel_texts(db, since, PIECE)?)).await?;
		let piece: usize = clamped(PIECE);
		Ok([keys, texts, jobs, requests].into_iter().any(|count| count >= piece))
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
		if let Some(folder) = self.settings.retain.archive.clone() {
			// On disk before anything is deleted: stopped in between, a job is in the archive twice.
			let kept = tokio::task::spawn_blocking(move || append(&folder, now, &jobs)).await;
			let kept = kept.unwrap_or_else(|_| Err(io::Error::other("it broke off")));
			kept.map_err(|error| {
				let message = format!("the archive cannot be written: {error}");
				RequestError::new(ErrorCode::Internal, message)
			})?;
		}
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

/// Returns the file of the archive that what is deleted at a time, UTC milliseconds, goes to: one for
/// each month.
fn file_at(folder: &Path, now: u64) -> PathBuf {
	let month: String = format_utc(now).chars().take(7).collect();
	folder.join(format!("jobs-{month}.jsonl"))
}

/// Adds jobs to the archive; they are on disk when this returns.
fn append(folder: &Path, now: u64, jobs: &[(Job, Option<ReceiptRow>)]) -> io::Result<()> {
	let mut lines = Vec::new();
	for (job, receipt) in jobs {
		serde_json::to_writer(&mut lines, &archived(job, receipt.as_ref()))?;
		lines.push(b'\n');
	}
	fs::create_dir_all(folder)?;
	let mut file =
		OpenOptions::new().create(true).append(true).mode(0o600).open(file_at(folder, now))?;
	file.write_all(&lines)?;
	file.sync_all()?;
	// The file's name, too.
	fs::File::open(folder)?.sync_all()
}
