//! Runtime API: jobs, receipts, miners, coordinators, steps. All types are in
//! [`gridproof_primitives::compute`].

use alloc::vec::Vec;
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

sp_api::decl_runtime_apis! {
	/// Queries of compute receipts.
	pub trait ComputeReceiptsApi {
		/// Returns a job, `None` if it is not in the state.
		fn job(job_id: H256) -> Option<JobView>;

		/// Returns the receipt that settled a job, `None` if there is none.
		fn receipt(job_id: H256) -> Option<ReceiptView>;

		/// Returns a miner with its score and the score's four parts, `None` if the key is not a
		/// miner's.
		fn miner(key: PublicKey) -> Option<MinerView>;

		/// Returns a coordinator, `None` if the key is not a coordinator's.
		fn coordinator(key: PublicKey) -> Option<CoordinatorView>;

		/// Returns keys and roles of at most `limit` parties, in no order: the first ones, or those
		/// that follow the party with the key `after`.
		fn parties(after: Option<PublicKey>, limit: u32) -> Vec<(PublicKey, PartyRole)>;

		/// Returns an emission step with its budget.
		fn step(step: u64) -> StepView;

		/// Returns what that many compute units of a miner for that price, in the asset's smallest
		/// unit, would earn now, `None` if it is not registered.
		fn earnings(
			miner: PublicKey,
			compute_units: u64,
			asset: PriceAsset,
			price: u128,
		) -> Option<Earnings>;

		/// Returns the rate at which prices in AICP count, `None` if governance has stated none or
		/// its time has passed.
		fn reference_rate() -> Option<ReferenceRate>;

		/// Returns what each receipt would pay and earn, or why it would be refused, if all of them
		/// were claimed now in one call.
		fn preview_receipts(
			receipts: Vec<SignedReceipt>,
		) -> Vec<Result<Preview, ReceiptRefusal>>;

		/// Returns the totals of the network: parties, jobs, escrow, emission.
		fn overview() -> Overview;

		/// Returns a channel, `None` if it is not in the state.
		fn channel(channel: ChannelId) -> Option<ChannelView>;

		/// Returns at most `limit` channels that an account opened, in no order: the first ones, or
		/// those that follow the channel `after`.
		fn channels_of(
			account: [u8; 32],
			after: Option<ChannelId>,
			limit: u32,
		) -> Vec<ChannelView>;

		/// Returns what is kept of a coordinator's batches: sequence number of the next one, hash and
		/// time of the last header.
		fn header_chain(coordinator: PublicKey) -> HeaderChain;

		/// Returns the running sums up to which a coordinator has settled a miner in an asset and mode;
		/// without a miner those of receipts that have none.
		fn miner_sums(
			coordinator: PublicKey,
			kind: BatchKind,
			miner: Option<PublicKey>,
		) -> MinerSums;

		/// Returns why a batch would be refused if it were submitted now.
		fn preview_batch(batch: SettlementBatch) -> Result<(), BatchRefusal>;

		/// Returns at most `limit` open demands to the coordinator that signs with a key, in no order.
		fn demands(coordinator: PublicKey, limit: u32) -> Vec<DemandView>;

		/// Returns a batch of which something waits, `None` if there is nothing.
		fn waiting_batch(batch: BatchId) -> Option<Checkable>;

		/// Returns the line of a batch that names a miner's key, `None` if nothing of it waits.
		fn waiting_line(batch: BatchId, miner: PublicKey) -> Option<CheckableLine>;

		/// Returns what waits of the miner or coordinator that lines or headers name by this key, in no
		/// order: at most `limit` parts, the first ones or those that follow that of the batch `after`.
		fn waiting_of(key: PublicKey, after: Option<BatchId>, limit: u32) -> Vec<WaitingView>;

		/// Returns what each channel paid in a batch that waits, and what of it went back.
		fn waiting_channels(batch: BatchId) -> Vec<PaidByChannel>;

		/// Returns the parameters of channels that governance has set.
		fn channel_parameters() -> ChannelParameters;

		/// Returns the parameters that governance has set.
		fn parameters() -> ComputeParameters;

		/// Returns the genesis hash, which is part of everything that is signed.
		fn genesis() -> H256;
	}
}
