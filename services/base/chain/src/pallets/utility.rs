//! Several calls in one.

/// The pallet's name.
pub(crate) const PALLET: &str = "Utility";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::Call;

	/// Makes all calls or none.
	pub fn batch_all(calls: Vec<Call>) -> Call {
		Call::new(PALLET, "batch_all", &()).with_all(calls)
	}

	/// Makes every call, whether others fail or not.
	pub fn force_batch(calls: Vec<Call>) -> Call {
		Call::new(PALLET, "force_batch", &()).with_all(calls)
	}
}
