//! Channels: a deposit for a stream of requests, vouchers, and batches that settle any number of
//! receipts with one line a channel and one line a miner.
//!
//! 1. The client signs a [`Voucher`] for each request: a cumulative amount, a number, and the salted
//!    hash of the request. Nothing of it is on chain.
//! 2. The answer has a receipt, [`ReceiptV2`]. The coordinator signs it together with the
//!    [`RunningSums`] after it, as a [`ChannelReceipt`].
//! 3. A [`SettlementBatch`] settles all receipts since the last one: [`Lists`] of lines, each the
//!    difference of two running sums, and a [`SettlementHeader`] over the tree of the receipts.
//! 4. A [`ReceiptProof`] shows one receipt in its batch, a [`ChannelEvidence`] what a coordinator
//!    must not have signed.
//!
//! | statement | payload | by |
//! |---|---|---|
//! | voucher | `("gridproof/voucher/v1", genesis, voucher)` | the channel's signer |
//! | receipt | `("gridproof/receipt/v2", genesis, 0, receipt)` | miner |
//! | receipt of a job | `("gridproof/receipt/v2", genesis, 1, receipt)` | coordinator |
//! | receipt of a channel | `("gridproof/receipt/v2", genesis, 1, receipt, sums)` | coordinator |
//! | header | `("gridproof/settlement/v1", genesis, header)` | coordinator |
//! | line | `("gridproof/line/v1", genesis, header hash, line)` | miner, for its mint |
//!
//! Why nothing settles twice: the receipts of a channel are counted in the order in which they were
//! completed, and so are those of a miner. A line begins exactly where the last one ended, in both
//! lists, and each count has one place in the tree. Whatever the order of batches, vouchers and
//! closings, a count is settled once or not at all. What a channel that has ended leaves unsettled is
//! [given up](GivenUp): the ranges of its miners continue behind it, and nobody is paid for it.

mod admission;
mod batch;
mod channel;
mod content;
mod daily;
mod demand;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod evidence;
mod given_up;
mod header;
mod kind;
mod line;
mod lists;
mod mint;
mod parameters;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod paid_by;
mod plan;
mod proof;
mod receipt;
mod refusal;
mod restitution;
mod room;
mod salt;
mod sums;
mod tariff;
mod view;
mod voucher;

pub use admission::{Unsettled, VoucherRefusal};
pub use batch::{Batch, BatchError, receipt_leaf};
pub use channel::{Channel, ChannelRefusal, ChannelTerms, MIN_CLOSE_NOTICE_MS, kept_limits_fit};
pub use content::{Content, ContentError, MAX_TOKENS, Opened, Opening, SamplingParameters};
pub use daily::DailyUse;
pub use demand::{DemandRefusal, DemandView, Demanded, check_answer, demand, headers_that_prove};
pub use evidence::{
	Attested, ChainFacts, ChannelEvidence, ChannelEvidenceError, ChannelOffence, ChannelProven,
	InBatch, PlacedLine, Wronged, channel_sums_agree, miner_sums_agree,
};
pub use given_up::GivenUp;
pub use header::{BatchSums, HEADERS_PER_MARK, HeaderChain, MAX_PASSED_OVER, SettlementHeader};
pub use kind::{BatchKind, Mode};
pub use line::{ChannelLine, MinerLine};
pub use lists::{
	Lists, MAX_LINES, MAX_RECEIPTS_PER_BATCH, SettlementBatch, SignedChannelLine, SignedMinerLine,
	batch_fee,
};
pub use mint::{line_claim, received};
pub use paid_by::PaidBy;
pub use parameters::{ChannelParameterError, ChannelParameters};
pub use proof::{
	MerklePath, Placed, ReceiptProof, ReceiptProofError, is_within_channel_line,
	is_within_miner_line,
};
pub use receipt::{ChannelReceipt, ReceiptV2, ReceiptV2Refusal, Sampler};
pub use refusal::BatchRefusal;
pub use restitution::{Restitution, give_back};
pub use room::{Room, RunsDry};
pub use salt::{Part, Secret, job_seed, salt, spec_hash};
pub use sums::{ChannelSums, MinerSums, RunningSums};
pub use tariff::{MAX_TARIFF_DAYS, TIERS, Tariff, TariffPeriod, TariffRefusal};
pub use view::ChannelView;
pub use voucher::{ChannelId, SignedVoucher, Voucher, VoucherId, voucher_amount};
