//! What a channel has spent today.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Prices of one day, in the smallest unit of the channel's asset.
///
/// The chain counts a receipt on the day on which it is settled. A coordinator that counts what it
/// has not settled yet as today's is never above the limit, whenever its batch arrives.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DailyUse {
	/// Number of the day: UTC milliseconds divided by the length of a day, rounded down.
	pub day: u64,
	/// Sum of that day's prices.
	pub price: u128,
}

impl DailyUse {
	/// Returns what was spent on the day at `now`, in UTC milliseconds. A day takes `day_ms`. Time that
	/// runs backwards begins no new day.
	pub fn on(&self, now: u64, day_ms: u64) -> Self {
		let day = now.checked_div(day_ms).unwrap_or(0).max(self.day);
		Self { day, price: if day == self.day { self.price } else { 0 } }
	}

	/// Returns the same with `price` added; `None` if that is above `limit`.
	pub fn add(&self, price: u128, limit: u128, now: u64, day_ms: u64) -> Option<Self> {
		let before = self.on(now, day_ms);
		let price = before.price.checked_add(price)?;
		(price <= limit).then_some(Self { price, ..before })
	}
}
