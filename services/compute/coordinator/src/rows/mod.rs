//! Jobs and receipts in the database, and what is remembered beside them. Every change of a job's
//! stage goes through [`change`], which asks
//! [`JobStage::may_become`](gridproof_compute_api::protocol::JobStage).

mod balances;
mod batches;
mod changes;
mod channels;
mod columns;
mod idempotency;
mod jobs;
mod pinned;
mod plans;
mod quotes;
mod receipts;
mod retention;
mod schema;

pub(crate) use balances::{Usage, begin_balances, owed, usage};
pub(crate) use batches::{
	BatchRow, add_batch, batch, batch_receipts, decide_batch, delete_batch, delete_receipts,
	headers, last_batch, newest_batches, note_batch, old_batch, open_batch, refused_batch,
	release_receipts, set_miners, settled_batch, some_receipts, unsettled_receipts,
};
pub(crate) use changes::{Change, change};
pub(crate) use channels::{
	ChannelReceiptRow, Floor, NewReceipt, OpeningRow, add_channel_receipt, channel_account,
	channel_receipt, channel_receipt_by_id, delete_channel_texts, miner_account, opening,
};
pub(crate) use idempotency::{Once, Remembered, forget, remember, remembered};
pub use jobs::Job;
pub(crate) use jobs::{
	Filter, NewJob, add_job, assignable, counts, failed_at, held, job, jobs, overdue, postpone,
	queued, set_funded, set_released, unfunded, unreleased,
};
pub(crate) use pinned::{GENESIS, pin, pinned};
pub(crate) use plans::{
	KeyRow, PlanRow, channel_keys, channel_plans, end_plan, set_key, set_plan, sums_before,
};
pub use quotes::QuoteRow;
pub(crate) use receipts::{
	ReceiptRow, add_receipt, receipt, receipt_by_id, settle, settlements, try_later, unsettled,
};
pub(crate) use retention::{delete_job, delete_texts, over, size, with_texts};
pub(crate) use schema::MIGRATIONS;
