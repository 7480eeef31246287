//! Questions.

use crate::{Query, pallets::AccountId};
use gridproof_primitives::{
	H256,
	compute::channels::{
		BatchKind, BatchRefusal, ChannelId, ChannelParameters, ChannelView, DemandView,
		HeaderChain, MinerSums, SettlementBatch,
	},
	compute::checks::{BatchId, Checkable, CheckableLine, PaidByChannel, WaitingView},
	compute::{
		ComputeParameters, CoordinatorView, Earnings, JobView, MinerView, Overview, PartyRole,
		Preview, PriceAsset, ReceiptRefusal, ReceiptView, ReferenceRate, SignedReceipt, StepView,
	},
	crypto::ed25519::PublicKey,
};

/// A job, as long as it is in the state.
pub fn job(job: H256) -> Query<Option<JobView>> {
	Query::new("ComputeReceiptsApi_job", &job)
}

/// The receipt that settled a job.
pub fn receipt(job: H256) -> Query<Option<ReceiptView>> {
	Query::new("ComputeReceiptsApi_receipt", &job)
}

/// A miner, with its score and the score's four parts.
pub fn miner(key: &PublicKey) -> Query<Option<MinerView>> {
	Query::new("ComputeReceiptsApi_miner", key)
}

/// A coordinator.
pub fn coordinator(key: &PublicKey) -> Query<Option<CoordinatorView>> {
	Query::new("ComputeReceiptsApi_coordinator", key)
}

/// Keys and roles of all parties, in no order: at most `limit`, the first ones or those that follow
/// the party with the key `after`.
pub fn parties(after: Option<PublicKey>, limit: u32) -> Query<Vec<(PublicKey, PartyRole)>> {
	Query::new("ComputeReceiptsApi_parties", &(after, limit))
}

/// An emission step and its budget.
pub fn step(step: u64) -> Query<StepView> {
	Query::new("ComputeReceiptsApi_step", &step)
}

/// What that many compute units of a miner for that price, in the asset's unit, would earn now.
pub fn earnings(
	miner: &PublicKey,
	compute_units: u64,
	asset: PriceAsset,
	price: u128,
) -> Query<Option<Earnings>> {
	Query::new("ComputeReceiptsApi_earnings", &(miner, compute_units, asset, price))
}

/// The rate at which prices in AICP count in the emission, as long as it does.
pub fn reference_rate() -> Query<Option<ReferenceRate>> {
	Query::new("ComputeReceiptsApi_reference_rate", &())
}

/// What each receipt would pay and earn, or why it would be refused, were all of them claimed
/// now in one call.
pub fn preview_receipts(receipts: &[SignedReceipt]) -> Query<Vec<Result<Preview, ReceiptRefusal>>> {
	Query::new("ComputeReceiptsApi_preview_receipts", &receipts)
}

/// How things stand.
pub fn overview() -> Query<Overview> {
	Query::new("ComputeReceiptsApi_overview", &())
}

/// What governance decided.
pub fn parameters() -> Query<ComputeParameters> {
	Query::new("ComputeReceiptsApi_parameters", &())
}

/// The hash of the chain's first block, which every statement names.
pub fn genesis() -> Query<H256> {
	Query::new("ComputeReceiptsApi_genesis", &())
}

/// A channel, as long as it is in the state.
pub fn channel(channel: ChannelId) -> Query<Option<ChannelView>> {
	Query::new("ComputeReceiptsApi_channel", &channel)
}

/// Channels that an account opened, in no order: at most `limit`, the first ones or those that follow
/// the channel `after`.
pub fn channels_of(
	account: &AccountId,
	after: Option<ChannelId>,
	limit: u32,
) -> Query<Vec<ChannelView>> {
	Query::new("ComputeReceiptsApi_channels_of", &(account, after, limit))
}

/// What the chain keeps of a coordinator's batches: the next sequence number, hash and time of the
/// last header.
pub fn header_chain(coordinator: &PublicKey) -> Query<HeaderChain> {
	Query::new("ComputeReceiptsApi_header_chain", coordinator)
}

/// The running sums up to which a coordinator has settled a miner in an asset and mode; without a
/// miner those of receipts that have none.
pub fn miner_sums(
	coordinator: &PublicKey,
	kind: BatchKind,
	miner: Option<PublicKey>,
) -> Query<MinerSums> {
	Query::new("ComputeReceiptsApi_miner_sums", &(coordinator, kind, miner))
}

/// Why a batch would be refused if it were submitted now.
pub fn preview_batch(batch: &SettlementBatch) -> Query<Result<(), BatchRefusal>> {
	Query::new("ComputeReceiptsApi_preview_batch", batch)
}

/// What governance decided about channels.
pub fn channel_parameters() -> Query<ChannelParameters> {
	Query::new("ComputeReceiptsApi_channel_parameters", &())
}

/// Open demands to the coordinator that signs with a key, at most `limit`, in no order.
pub fn demands(coordinator: &PublicKey, limit: u32) -> Query<Vec<DemandView>> {
	Query::new("ComputeReceiptsApi_demands", &(coordinator, limit))
}

/// A batch of which pay or mint waits for the check window.
pub fn waiting_batch(batch: &BatchId) -> Query<Option<Checkable>> {
	Query::new("ComputeReceiptsApi_waiting_batch", batch)
}

/// The line of a batch that names a miner's key, as long as something of it waits.
pub fn waiting_line(batch: &BatchId, miner: &PublicKey) -> Query<Option<CheckableLine>> {
	Query::new("ComputeReceiptsApi_waiting_line", &(batch, miner))
}

/// What waits of the miner or coordinator that lines or headers name by a key, until when and why, in no
/// order: at most `limit` parts, the first ones or those that follow that of the batch `after`.
pub fn waiting_of(key: &PublicKey, after: Option<BatchId>, limit: u32) -> Query<Vec<WaitingView>> {
	Query::new("ComputeReceiptsApi_waiting_of", &(key, after, limit))
}

/// What each channel paid in a batch that waits, and what of it went back.
pub fn waiting_channels(batch: &BatchId) -> Query<Vec<PaidByChannel>> {
	Query::new("ComputeReceiptsApi_waiting_channels", batch)
}
