//! Energy that a rated power allows.

/// W·ms in a Wh, times the thousand in which the tolerance is counted.
const THOUSANDTH_WATT_MILLIS_PER_WH: u128 = 3_600_000 * 1_000;

/// Returns the highest energy in Wh, both directions together, that a meter of `rated_power_w` may
/// show over `duration_ms`: the floor of rated power × time × tolerance.
///
/// A register shows floors, so a batch may show up to one Wh more for each direction than flowed
/// through; the tolerance covers that if rated power × time is at least 20 Wh.
pub fn max_energy_wh(rated_power_w: u32, duration_ms: u64, tolerance_ppt: u32) -> u128 {
	// 32 + 64 + 32 bits never saturate.
	u128::from(rated_power_w)
		.saturating_mul(duration_ms.into())
		.saturating_mul(tolerance_ppt.into())
		.checked_div(THOUSANDTH_WATT_MILLIS_PER_WH)
		.unwrap_or(0)
}

/// Returns the highest energy in Wh that can have been drawn unseen from `since_ms` to `now_ms` through a
/// meter of `rated_power_w`: [`max_energy_wh`], in what a register holds.
pub fn possible_draw_wh(rated_power_w: u32, since_ms: u64, now_ms: u64, tolerance_ppt: u32) -> u64 {
	let wh = max_energy_wh(rated_power_w, now_ms.saturating_sub(since_ms), tolerance_ppt);
	u64::try_from(wh).unwrap_or(u64::MAX)
}
