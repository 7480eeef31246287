//! Runtime API: jobs, receipts, miners, coordinators, steps. All types are in
//! [`gridproof_primitives::compute`].

use alloc::vec::Vec;
use gridproof_primitives::{
	H256,
	compute::{
		ComputeParameters, CoordinatorView, Earnings, JobView, MinerView, Overview, PartyRole,
		Preview, ReceiptRefusal, ReceiptView, SignedReceipt, StepView,
	},
	crypto::ed25519::PublicKey,
};

sp_api::decl_runtime_apis! {
	/// Queries of compute receipts.
	pub trait ComputeReceiptsApi {
		/// A job, as long as it is in the state.
		fn job(job_id: H256) -> Option<JobView>;

		/// The receipt that settled a job.
		fn receipt(job_id: H256) -> Option<ReceiptView>;

		/// A miner, with its score and the score's four parts.
		fn miner(key: PublicKey) -> Option<MinerView>;

		/// A coordinator.
		fn coordinator(key: PublicKey) -> Option<CoordinatorView>;

		/// Keys and roles of all parties: at most `limit`, from the `skip`-th on.
		fn parties(skip: u32, limit: u32) -> Vec<(PublicKey, PartyRole)>;

		/// An emission step and its budget.
		fn step(step: u64) -> StepView;

		/// What that many compute units of a miner would earn now.
		fn earnings(miner: PublicKey, compute_units: u64) -> Option<Earnings>;

		/// What each receipt would pay and earn, or why it would be refused, were all of them
		/// claimed now in one call.
		fn preview_receipts(
			receipts: Vec<SignedReceipt>,
		) -> Vec<Result<Preview, ReceiptRefusal>>;

		/// How things stand.
		fn overview() -> Overview;

		/// What governance decided.
		fn parameters() -> ComputeParameters;

		/// The hash of the chain's first block, which every statement names.
		fn genesis() -> H256;
	}
}
