//! How a front behaves.

use gridproof_primitives::compute::channels::ChannelId;
use std::path::PathBuf;

/// When a channel's deposit is raised, and by how much; all in the asset's smallest unit. Altogether it
/// is raised to [`Settings::max_spend`] at most, without which no front tops up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopUp {
	/// It is raised when less than this is left.
	pub below: u128,
	/// What is added each time.
	pub by: u128,
	/// The most that is added on one day (UTC).
	pub per_day: u128,
}

impl TopUp {
	/// Returns what is added if `left` is left of a channel into which `deposited` was ever deposited and
	/// at most `most` may be, and `today` was added today.
	pub fn due(&self, left: u128, deposited: u128, most: u128, today: u128) -> u128 {
		if left >= self.below {
			return 0;
		}
		let room = most.saturating_sub(deposited);
		self.by.min(room).min(self.per_day.saturating_sub(today))
	}
}

/// How a front behaves. Amounts are in the smallest unit of the channel's asset.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Folder of its database.
	pub folder: PathBuf,
	/// Address of the coordinator, `http://…`.
	pub coordinator: String,
	/// Number of the channel that pays.
	pub channel: ChannelId,
	/// Warn when less than this is left of the deposit.
	pub warn_below: u128,
	/// When the deposit is raised automatically, if it is.
	pub top_up: Option<TopUp>,
	/// The most that all requests together may cost, from the channel's first one.
	pub max_spend: Option<u128>,
}
