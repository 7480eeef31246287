//! Runtime API: the same queries as the view functions, for clients that speak runtime APIs. All types are in
//! [`gridproof_primitives::compute::checks`].

use alloc::vec::Vec;
use gridproof_primitives::{
	H256,
	compute::checks::{
		AskedReceipt, BatchChecks, BatchId, CheckId, CheckOverview, CheckParameterError,
		CheckParameters, CheckView, DemandOfOpening, DisputeView, ModelLine, Number, VerifierView,
		WideNumber,
	},
	crypto::ed25519::PublicKey,
};

sp_api::decl_runtime_apis! {
	/// Queries of the checks.
	pub trait ComputeChecksApi {
		/// Returns the parameters of checks.
		fn parameters() -> CheckParameters;

		/// Returns an error that names the relation which these parameters break, if they break one.
		fn check_parameters(new: CheckParameters) -> Result<(), CheckParameterError>;

		/// Returns the line by which figures of a model are judged now; `None` if there is none.
		fn line(model: H256) -> Option<ModelLine>;

		/// Returns all verifiers, in no order, with those that leave.
		fn verifiers() -> Vec<VerifierView>;

		/// Returns what is drawn of a batch; `None` if it was not touched, or is over.
		fn batch(batch: BatchId) -> Option<BatchChecks>;

		/// Returns at most `limit` reports of a batch, and no more than a thousand, in no order.
		fn reports(batch: BatchId, limit: u32) -> Vec<CheckView>;

		/// Returns the receipts of a batch that clients want checked, in no order.
		fn asked(batch: BatchId) -> Vec<AskedReceipt>;

		/// Returns the number of a miner, by the key under which it is registered, and a model.
		fn number(miner: PublicKey, model: H256) -> Number;

		/// Returns the openings that are demanded.
		fn demands() -> Vec<DemandOfOpening>;

		/// Returns the place in the miner's running sum of prices that a demand without a receipt means: the
		/// receipt whose price encloses it can be named. `None` if it is named, or nothing is demanded.
		fn place_of_demand(check: CheckId) -> Option<u128>;

		/// Returns the number of a miner over all of its models, by the key under which it is registered.
		fn wide_number(miner: PublicKey) -> WideNumber;

		/// Returns the checks whose reports are re-opened and wait for figures.
		fn reopenings() -> Vec<CheckId>;

		/// Returns the open disputes.
		fn disputes() -> Vec<DisputeView>;

		/// Returns the totals.
		fn overview() -> CheckOverview;
	}
}
