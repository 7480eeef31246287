//! Checks of settled work: verifiers, draws, reports, demands, disputes.

pub mod call;
pub mod event;
pub mod query;
mod refusal;

pub use refusal::Refusal;

use crate::{ChainError, refusal::PoolRefusal};

/// Returns `true` of a refusal that says that the same was done already, no matter who brought it.
pub fn is_done(error: &ChainError) -> bool {
	let no = match error.refusal() {
		Some(
			crate::Refusal::ComputeChecks(no)
			| crate::Refusal::Pool(PoolRefusal::ComputeChecks(no)),
		) => no,
		_ => return false,
	};
	matches!(no, Refusal::AlreadyTouched | Refusal::AlreadyReported | Refusal::AlreadyDone)
}

/// The pallet's name.
pub(crate) const PALLET: &str = "ComputeChecks";
