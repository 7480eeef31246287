//! Jobs, quotes and receipts in the database. Every change of a job's stage goes through
//! [`change`], which asks [`JobStage::may_become`](gridproof_compute_api::protocol::JobStage).

mod changes;
mod columns;
mod jobs;
mod quotes;
mod receipts;
mod schema;
mod usage;

pub(crate) use changes::{Change, change};
pub use jobs::Job;
pub(crate) use jobs::{
	Filter, NewJob, add_job, assignable, counts, failed_at, held, job, jobs, overdue, postpone,
	queued, set_funded, set_released, unfunded, unreleased,
};
pub use quotes::QuoteRow;
pub(crate) use quotes::{add_quote, quote};
pub(crate) use receipts::{
	ReceiptRow, add_receipt, receipt, receipt_by_id, settle, settlements, try_later, unsettled,
};
pub(crate) use schema::MIGRATIONS;
pub(crate) use usage::{Usage, usage};
