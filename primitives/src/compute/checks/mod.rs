//! Checks of what was claimed: what can be checked, and what becomes of it.

// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod waiting;

pub use waiting::{
	BatchId, Checkable, CheckableLine, Fund, FundError, MAX_HOLD_MS, MAX_RELEASES, MAX_WINDOW_MS,
	PaidByChannel, Part, Punished, Returned, Waiting, WaitingError, WaitingView,
};
