//! Questions.

use crate::Query;
use gridproof_primitives::{
	H256,
	compute::checks::{
		AskedReceipt, BatchChecks, BatchId, CheckId, CheckOverview, CheckParameterError,
		CheckParameters, CheckView, DemandOfOpening, DisputeView, ModelLine, Number, VerifierView,
		WideNumber,
	},
	crypto::ed25519::PublicKey,
};

/// The parameters of checks.
pub fn parameters() -> Query<CheckParameters> {
	Query::new("ComputeChecksApi_parameters", &())
}

/// An error that names the relation which these parameters break, if they break one.
pub fn check_parameters(new: CheckParameters) -> Query<Result<(), CheckParameterError>> {
	Query::new("ComputeChecksApi_check_parameters", &new)
}

/// The line by which figures of a model are judged now; `None` if there is none.
pub fn line(model: H256) -> Query<Option<ModelLine>> {
	Query::new("ComputeChecksApi_line", &model)
}

/// All verifiers, in no order, with those that leave.
pub fn verifiers() -> Query<Vec<VerifierView>> {
	Query::new("ComputeChecksApi_verifiers", &())
}

/// What is drawn of a batch; `None` if it was not touched, or is over.
pub fn batch(batch: BatchId) -> Query<Option<BatchChecks>> {
	Query::new("ComputeChecksApi_batch", &batch)
}

/// Most reports of a batch that the chain lists.
pub const MAX_REPORTS: u32 = 1_000;

/// At most `limit` reports of a batch, and no more than [`MAX_REPORTS`], in no order.
pub fn reports(batch: BatchId, limit: u32) -> Query<Vec<CheckView>> {
	Query::new("ComputeChecksApi_reports", &(batch, limit))
}

/// The receipts of a batch that clients want checked, in no order.
pub fn asked(batch: BatchId) -> Query<Vec<AskedReceipt>> {
	Query::new("ComputeChecksApi_asked", &batch)
}

/// The number of a miner, by the key under which it is registered, and a model.
pub fn number(miner: PublicKey, model: H256) -> Query<Number> {
	Query::new("ComputeChecksApi_number", &(miner, model))
}

/// The openings that are demanded.
pub fn demands() -> Query<Vec<DemandOfOpening>> {
	Query::new("ComputeChecksApi_demands", &())
}

/// The place in the miner's running sum of prices that a demand without a receipt means: the receipt whose price
/// encloses it can be named. `None` if it is named, or nothing is demanded.
pub fn place_of_demand(check: CheckId) -> Query<Option<u128>> {
	Query::new("ComputeChecksApi_place_of_demand", &check)
}

/// The number of a miner over all of its models, by the key under which it is registered.
pub fn wide_number(miner: PublicKey) -> Query<WideNumber> {
	Query::new("ComputeChecksApi_wide_number", &miner)
}

/// The checks whose reports are re-opened and wait for figures.
pub fn reopenings() -> Query<Vec<CheckId>> {
	Query::new("ComputeChecksApi_reopenings", &())
}

/// The open disputes.
pub fn disputes() -> Query<Vec<DisputeView>> {
	Query::new("ComputeChecksApi_disputes", &())
}

/// Totals of checks, verifiers and disputes.
pub fn overview() -> Query<CheckOverview> {
	Query::new("ComputeChecksApi_overview", &())
}
