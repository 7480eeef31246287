//! What miner, coordinator and client say to each other: JSON over the coordinator's REST.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /api/v1/info` | none | [`CoordinatorInfo`] |
//! | `POST /api/v1/quotes` | [`QuoteRequest`] | [`QuoteAnswer`] |
//! | `POST /api/v1/jobs` | [`JobRequest`] | [`JobInfo`] |
//! | `GET /api/v1/jobs` | none | [`JobPage`] |
//! | `GET /api/v1/jobs/{job}` | none | [`JobInfo`] |
//! | `POST /api/v1/jobs/{job}/cancel` | none | [`CancelAnswer`] |
//! | `GET /attest/receipt?job=…` | none | [`ReceiptInfo`] |
//! | `GET /miner/v1/about` | none | [`About`] |
//! | `POST /miner/v1/hello` | [`Hello`] | [`Welcome`] |
//! | `POST /miner/v1/work?wait=SECONDS` | none | [`Work`], or 204 when there is no work |
//! | `POST /miner/v1/jobs/{job}/progress` | [`Progress`] | [`Lease`] |
//! | `POST /miner/v1/jobs/{job}/result` | [`JobResult`] | [`Accepted`] |
//! | `POST /miner/v1/jobs/{job}/refuse` | [`Refusal`] | 204 |
//! | `POST /miner/v1/heartbeat` | [`Heartbeat`] | [`HeartbeatAnswer`] |
//! | `POST /miner/v1/goodbye` | none | 204 |
//! | `GET /miner/v1/lines?wait=SECONDS` | none | [`LinesToSign`] |
//! | `POST /miner/v1/lines` | [`SignedLine`] | 204 |
//! | `GET /v1/channels/{channel}` | none | [`ChannelInfo`] |
//! | `POST /v1/channels/{channel}/vouchers` | [`OpenVouchers`] | [`ClosedVouchers`] |
//! | `GET /v1/channels/{channel}/receipts/{number}` | none | [`ReceiptAnswer`] |
//! | `GET /v1/plans` | none | [`Plans`] |
//! | `GET /v1/channels/{channel}/plan` | none | [`PlanState`] |
//! | `POST /v1/channels/{channel}/key` | [`KeyRequest`] | [`KeyAnswer`] |
//! | `GET /v1/receipts/{id}` | none | [`ReceiptAnswer`] |
//! | `POST /v1/receipts/{id}/opening` | [`OpeningAsk`] | [`Opening`] |
//! | `GET /v1/batches/{sequence}` | none | [`BatchAnswer`] |
//!
//! What a client submits, cancels or reads the output of carries `Authorization: Bearer <access>`,
//! with the access key of its quote; what a miner asks after its hello carries `Authorization:
//! Bearer <session>`. An answer of 4xx or 5xx has an [`CoordinatorError`] as its body. Every request may
//! be repeated: a result that was accepted is accepted again, unless it is another one.
//!
//! Hashes are SHA-256 of canonical JSON ([`gridproof_primitives::codec::json`]); there is no float
//! on the way to one. Bytes and amounts are written as [`gridproof_support::text`] has them.

mod channel;
mod checked;
mod error;
mod finish;
mod further;
mod job;
mod opening;
mod plan;
mod refusal;
mod stage;
mod vectors;
mod views;
mod work;

pub use channel::{
	BatchAnswer, BatchStage, ChannelInfo, ClosedVouchers, IssuedReceipt, LineToSign, LinesToSign,
	MAX_VOUCHERS, OpenVouchers, RECEIPT_HEADER, ReceiptAnswer, RequestKind, SECRET_HEADER,
	SignedLine, TokenIds, VOUCHER_HEADER, VoucherWork, is_empty_answer, output_root, sampler_seed,
	sampling_parameters,
};
pub use checked::{CheckInfo, FiguresInfo};
pub use error::{CoordinatorError, ErrorCode};
pub use finish::Finish;
pub use further::{Answer, Extent, Further, MAX_ANSWERS, MAX_LOGPROBS, MAX_N, is_document};
pub use job::{JobSpec, Message, Output, SPEC_VERSION, Sampling, Task, price_of};
pub use opening::{OPENING_SKEW_MS, Opening, OpeningAsk, opening_payload};
pub use plan::{
	KEY_SKEW_MS, KeyAnswer, KeyRequest, Plan, PlanInfo, PlanState, Plans, WARNING_HEADER,
	key_payload,
};
pub use refusal::{Refusal, RefusalReason};
pub use stage::{JobStage, Settlement};
pub use vectors::{vector_from_text, vector_to_text};
pub use views::{
	CancelAnswer, CoordinatorInfo, JobInfo, JobPage, JobRequest, MinerInfo, ModelStanding,
	NextStanding, OfferedModel, QuoteAnswer, QuoteRequest, ReceiptBrief, ReceiptInfo, RefusedBatch,
	RegistryEntry, TelemetryInfo,
};
pub use work::{
	About, Accepted, Assignment, ClassName, HELLO_DOMAIN, HELLO_SKEW_MS, Heartbeat,
	HeartbeatAnswer, HeldJob, Hello, JobResult, Lease, MAX_WAIT_SECONDS, Progress, Welcome, Work,
	hello_payload,
};
