//! What is left of a channel, and when its client is warned.

use super::{Channel, Unsettled};
use core::fmt;

/// What a channel can still pay, in the smallest unit of its asset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Room {
	/// Left of the deposit after all receipts and open requests.
	pub deposit: u128,
	/// Of that, what the daily limit leaves for today: the highest price of a request that is admitted
	/// now.
	pub today: u128,
}

/// Why a channel will soon pay no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunsDry {
	/// Its plan ends within a day.
	Period,
	/// Less is left of the deposit than a day of a plan costs, or than a tenth of the daily limit.
	Deposit,
	/// Less than a tenth is left of today's limit.
	Today,
}

impl fmt::Display for RunsDry {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Period => "the plan ends within a day: renew it",
			Self::Deposit => "little is left of the deposit: renew the plan, or top the channel up",
			Self::Today => "less than a tenth of today's limit is left",
		})
	}
}

impl Channel {
	/// Returns what the channel can still pay. `now` is in UTC milliseconds, a day takes `day_ms`.
	///
	/// What is not settled counts as today's, as in [`Self::admit`].
	pub fn room(&self, unsettled: &Unsettled, now: u64, day_ms: u64) -> Room {
		let used = unsettled.sums.price.saturating_add(unsettled.open);
		let deposit = self.deposited.saturating_sub(used);
		let waiting = used.saturating_sub(self.settled.price);
		let spent = self.today.on(now, day_ms).price.saturating_add(waiting);
		Room { deposit, today: self.daily_limit.saturating_sub(spent).min(deposit) }
	}

	/// Returns why its client is to be warned now, if it is. `now` is in UTC milliseconds, a day takes
	/// `day_ms`.
	pub fn runs_dry(&self, room: &Room, now: u64, day_ms: u64) -> Option<RunsDry> {
		let tenth = self.daily_limit.checked_div(10).unwrap_or(0);
		let is_plan = self.plan_ends_ms.is_some();
		let enough = if is_plan { self.daily_limit } else { tenth };
		if self.plan_ends_ms.is_some_and(|ends| ends.saturating_sub(now) <= day_ms) {
			Some(RunsDry::Period)
		} else if room.deposit < enough {
			Some(RunsDry::Deposit)
		} else if room.today < tenth {
			Some(RunsDry::Today)
		} else {
			None
		}
	}
}
