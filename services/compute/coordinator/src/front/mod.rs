//! OpenAI's interface: a request becomes a job, a receipt and a bill.
//!
//! The front pays the job's escrow from its own account, on behalf of the customer whose API key
//! came with the request; what the customer owes for that is between the two, and
//! `GET /v1/billing/usage` adds it up from the receipts. The escrow is real: no job is given to a
//! miner before the chain holds its price in a final block.
//!
//! Every answer names its job in `x-gridproof-job`. Answers that come in one piece also have
//! `x-gridproof-receipt`, `x-gridproof-price` and `x-gridproof-asset`, whether a job pays or a
//! channel; a channel's also has the receipt itself, in `gridproof-receipt`. A receipt's id is a hash
//! of the receipt, which exists only when the last token does; a streamed answer therefore has it in
//! its last chunk, as `gridproof.receipt`.
//!
//! A request with an `Idempotency-Key` may come again for a day: it is the same job and has the same
//! answer. A job whose client leaves is taken back if no miner has begun it, unless it has such a key:
//! then its client may come back.
//!
//! A request with a voucher needs no API key, and no escrow: its channel pays, and its receipt comes
//! with the answer; see [`gridproof_compute_api::protocol::VOUCHER_HEADER`].
//!
//! A request with the API key of a channel needs neither: the coordinator signs the voucher, and the
//! answer says what is left of the channel's plan. So it does of one with a voucher.
//!
//! Of the coordinator the front knows [`Desk`] and nothing else.

mod answers;
mod asked;
mod attended;
mod callers;
mod desk;
mod error;
mod handlers;
mod requests;
mod sampling;
mod stream;
mod values;

pub(crate) use callers::Front;
pub(crate) use desk::{
	Accepted, Desk, Done, Dry, JobHead, KeyDesks, LeftAfter, Offer, Once, Order, OrderError,
	Outcome, Paid, Used,
};
pub(crate) use error::in_openai_form;
pub(crate) use handlers::routes;
