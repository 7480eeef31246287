//! Models by hash: how a model is named, what its tokens count for, since when and until when.
//!
//! Receipts name a model by [`ModelDescription::hash`]. What a token of it counts for is in
//! [`ModelTerms`], and a [`Timeline`] keeps which terms held at which time: governance announces a
//! change, which takes effect after a delay, and what was opened before counts by the terms that
//! held then. Everything here is a pure function of a timeline and a time, so that a pallet, a
//! coordinator and a client read the same answer, also for a time that is still to come.
//!
//! The bytes are in `docs/protocols/models.md`, and cases in `vectors/models.json`.

mod description;
mod name;
mod new;
mod scheduled;
mod terms;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod timeline;
// The same.
#[allow(clippy::cast_possible_truncation)]
mod views;

pub use description::{ModelDescription, hash_of_files};
pub use name::{MAX_MODEL_NAME_BYTES, ModelName, ModelNameError};
pub use new::{MAX_CONTEXT_TOKENS, NewModel, NewModelError};
pub use scheduled::{Next, Scheduled, ScheduledRefusal};
pub use terms::{EngineClass, ModelTerms};
pub use timeline::{
	FACTOR_MEMORY_MS, MAX_SPANS, Span, Standing, TermsChange, Timeline, TimelineRefusal,
};
pub use views::{Model, ModelView, Pending, PendingChange, Planned};

use crate::H256;

/// Shortest delay of a change, in milliseconds: a minute, for chains that are watched in minutes.
pub const MIN_DELAY_MS: u64 = 60_000;
/// Longest delay of a change, in milliseconds: 30 days.
pub const MAX_DELAY_MS: u64 = 30 * 86_400_000;
/// Delay of a change if genesis does not state another, in milliseconds: three days, of which the
/// notice of closing a channel is one.
pub const DEFAULT_DELAY_MS: u64 = 3 * 86_400_000;

/// Answers which models count, and for how much.
pub trait ModelRegistry {
	/// Returns the terms of a model that held at a time in UTC milliseconds; `None` if its tokens
	/// did not count then, or if that is no longer remembered.
	fn terms_at(model: &H256, time_ms: u64) -> Option<ModelTerms>;

	/// Returns the factor of a model at a time, in thousandths; `None` if its tokens did not count
	/// then.
	fn factor_at(model: &H256, time_ms: u64) -> Option<u32> {
		Self::terms_at(model, time_ms).map(|terms| terms.factor)
	}

	/// Returns `true` if tokens of the model counted at a time.
	fn is_counted(model: &H256, time_ms: u64) -> bool {
		Self::terms_at(model, time_ms).is_some()
	}

	/// Returns `true` if tokens of the model counted at a time by exactly this factor, in
	/// thousandths: whether a quote of that time may mint.
	fn counts_by(model: &H256, model_factor: u32, time_ms: u64) -> bool {
		Self::factor_at(model, time_ms) == Some(model_factor)
	}
}

/// A registry without models: nothing counts.
impl ModelRegistry for () {
	fn terms_at(_: &H256, _: u64) -> Option<ModelTerms> {
		None
	}
}

#[cfg(test)]
mod tests;
