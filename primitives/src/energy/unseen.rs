//! What a meter drew and no batch stated.

use super::{MeterIndex, possible_draw_wh};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What the chain saw last of the import register of a device.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastSeen {
	/// Index of the meter that the device was when that went out of service; `None` if another device
	/// replaced it there.
	pub meter: Option<MeterIndex>,
	/// What the register showed, in Wh.
	pub import_wh: u64,
	/// Time at which it showed that, in UTC milliseconds.
	pub at_ms: u64,
	/// Highest power that can be drawn through it, in W; 0 where an electrician certified that nothing can.
	pub draw_w: u32,
}

impl LastSeen {
	/// Returns the highest energy that can have been drawn through it unseen until `now_ms`, in Wh.
	pub fn possible_wh(&self, now_ms: u64, tolerance_ppt: u32) -> u64 {
		possible_draw_wh(self.draw_w, self.at_ms, now_ms, tolerance_ppt)
	}

	/// Returns the energy that was drawn through it unseen until its register shows `import_wh`, in Wh. A
	/// register that is lower than it was says nothing: then it is the highest that there can have been
	/// until `now_ms`.
	pub fn drawn_wh(&self, import_wh: u64, now_ms: u64, tolerance_ppt: u32) -> u64 {
		let risen = import_wh.checked_sub(self.import_wh);
		risen.unwrap_or_else(|| self.possible_wh(now_ms, tolerance_ppt))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const HOUR: u64 = 3_600_000;
	const SEEN: LastSeen = LastSeen { meter: Some(3), import_wh: 500, at_ms: HOUR, draw_w: 10_000 };

	#[test]
	fn a_register_that_rose_says_exactly_what_was_drawn() {
		assert_eq!(SEEN.drawn_wh(500, 100 * HOUR, 1_100), 0);
		assert_eq!(SEEN.drawn_wh(740, 100 * HOUR, 1_100), 240);
		assert_eq!(SEEN.drawn_wh(u64::MAX, HOUR, 1_100), u64::MAX - 500);
	}

	#[test]
	fn a_register_that_fell_counts_as_all_that_can_have_been_drawn() {
		// 10 kW for two hours, and a tenth more.
		assert_eq!(SEEN.drawn_wh(499, 3 * HOUR, 1_100), 22_000);
		assert_eq!(SEEN.drawn_wh(0, 0, 1_100), 0);
		// Nothing where nothing can be drawn.
		assert_eq!(LastSeen { draw_w: 0, ..SEEN }.drawn_wh(0, u64::MAX, 1_100), 0);
		let most = LastSeen { draw_w: u32::MAX, at_ms: 0, ..SEEN };
		assert_eq!(most.drawn_wh(0, u64::MAX, 10_000), u64::MAX);
	}
}
