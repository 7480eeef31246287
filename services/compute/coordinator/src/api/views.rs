//! Rows as clients see them.

use crate::{
	error::RequestError,
	rows::{Job, ReceiptRow},
};
use gridproof_compute_api::protocol::{JobInfo, ReceiptBrief};
use gridproof_support::text::{Amount, Hex32};

/// Returns a job as others may see it; `with_output` for those who may see that, too.
///
/// # Errors
/// If the database was altered.
pub(super) fn job(
	job: Job,
	receipt: Option<ReceiptRow>,
	with_output: bool,
) -> Result<JobInfo, RequestError> {
	let output = job.output.as_deref().filter(|_| with_output);
	Ok(JobInfo {
		job: job.job.into(),
		number: job.number,
		state: job.state,
		client: Hex32(job.client),
		model: job.model,
		asset: job.asset,
		price: Amount(job.price),
		max_units: job.max_units,
		funded: job.funded,
		attempt: job.attempt,
		miner: job.miner.map(Hex32),
		reason: job.reason,
		created_ms: job.created_ms,
		updated_ms: job.updated_ms,
		deadline_ms: job.deadline_ms,
		receipt: receipt.map(|row| ReceiptBrief {
			receipt_id: row.id.into(),
			compute_units: row.units,
			price: Amount(row.price),
			settlement: row.settlement,
			reason: row.reason,
			block: row.block.map(Hex32::from),
		}),
		output: output.map(serde_json::from_str).transpose()?,
	})
}
