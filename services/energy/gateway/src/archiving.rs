//! Moves what is settled and old out of the database, into archive files.

use crate::{config::Archiving, storage::Storage};
use gridproof_primitives::num::units::MILLIS_PER_DAY;
use gridproof_store::StoreError;
use gridproof_support::clock::now_ms;
use std::sync::Arc;

/// Moves what is settled.
pub(crate) struct Archiver {
	storage: Arc<dyn Storage>,
	settings: Archiving,
	/// Whether what a service has to pin stays until it is pinned.
	pinned: bool,
}

impl Archiver {
	/// An archiver of what `storage` has.
	pub(crate) fn new(storage: Arc<dyn Storage>, settings: Archiving, pinned: bool) -> Self {
		Self { storage, settings, pinned }
	}

	/// Deletes a piece of what is in a file; when nothing is left of that, writes the next file. Returns
	/// `true` if there is more to do.
	///
	/// # Errors
	/// [`StoreError`]; nothing is deleted that is not in a file.
	pub(crate) async fn round(&self) -> Result<bool, StoreError> {
		if self.storage.prune().await? > 0 {
			return Ok(true);
		}
		let keep_ms = u64::try_from(self.settings.keep.as_millis()).unwrap_or(u64::MAX);
		self.storage.archive(before_ms(now_ms(), keep_ms), self.pinned).await
	}
}

/// The begin of the UTC day of so long ago: what was made before is old enough.
const fn before_ms(now_ms: u64, keep_ms: u64) -> u64 {
	let since_ms = now_ms.saturating_sub(keep_ms);
	since_ms.saturating_sub(since_ms % MILLIS_PER_DAY)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn whole_days_are_old_enough() {
		let noon = 100 * MILLIS_PER_DAY + MILLIS_PER_DAY / 2;
		assert_eq!(before_ms(noon, 0), 100 * MILLIS_PER_DAY);
		assert_eq!(before_ms(noon, 30 * MILLIS_PER_DAY), 70 * MILLIS_PER_DAY);
		assert_eq!(before_ms(noon, MILLIS_PER_DAY / 2 + 1), 99 * MILLIS_PER_DAY);
		assert_eq!(before_ms(5, MILLIS_PER_DAY), 0);
	}
}
