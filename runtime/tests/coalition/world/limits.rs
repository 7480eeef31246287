//! What meters, organisations, a block and a day may mint at most.

use super::{Source, World};
use crate::{build::energy::WATT_MILLIS_PER_WH, chain::DAY};
use gridproof_primitives::energy::MeterIndex;
use gridproof_runtime::{Runtime, System};
use pallet_meter_readings::{Call, Limits, MeterPoints, Meters};
use std::collections::BTreeMap;

/// What was minted.
#[derive(Default)]
pub(super) struct Minted {
	/// The day of a meter's last mint, and the Wh that it minted in it.
	of_meters: BTreeMap<MeterIndex, (u64, u64)>,
	/// What was minted under limits that governance set.
	limited: Option<Limited>,
}

/// Wh that were minted since the limits were set, in the present block and day.
struct Limited {
	limits: Limits,
	block: u32,
	day: u64,
	in_block: u64,
	in_day: u64,
	of_organisations: BTreeMap<u32, u64>,
}

impl World {
	/// Governance sets limits that are near: what is minted from now on is compared with them.
	pub(crate) fn set_limits(&mut self, limits: Limits) {
		let outcome = self.governance(Call::set_limits { limits }.into());
		if outcome.is_done() {
			self.energy.minted.limited = Some(Limited {
				limits,
				block: 0,
				day: 0,
				in_block: 0,
				in_day: 0,
				of_organisations: BTreeMap::new(),
			});
		}
	}

	/// Compares what was minted with what a meter may mint in a day, and with limits that governance set.
	/// Meters at a metering point mint for one another, and are left out where it matters whose it is.
	pub(super) fn note_limits(&mut self, meter: MeterIndex, minted: u64) {
		let Some(row) = Meters::<Runtime>::get(meter) else { return };
		let (today, block) = (self.now / DAY, System::block_number());
		let alone = !MeterPoints::<Runtime>::contains_key(meter);
		let mut above = 0;
		if alone {
			let (day, sum) = self.energy.minted.of_meters.entry(meter).or_default();
			let before = if *day == today { *sum } else { 0 };
			(*day, *sum) = (today, before + minted);
			let millis = u128::from(row.state.rated_power_w) * u128::from(DAY) * 11 / 10;
			let most = u64::try_from(millis / u128::from(WATT_MILLIS_PER_WH)).expect("a day");
			above = sum.saturating_sub(most).min(minted);
		}
		if let Some(limited) = &mut self.energy.minted.limited {
			if limited.block != block {
				(limited.block, limited.in_block) = (block, 0);
			}
			if limited.day != today {
				(limited.day, limited.in_day) = (today, 0);
				limited.of_organisations.clear();
			}
			limited.in_block += minted;
			limited.in_day += minted;
			let Limits { block_wh, day_wh, organisation_day_wh, .. } = limited.limits;
			above = above
				.max(limited.in_block.saturating_sub(block_wh))
				.max(limited.in_day.saturating_sub(day_wh));
			if alone {
				let sum = limited.of_organisations.entry(row.organisation).or_default();
				*sum += minted;
				above = above.max(sum.saturating_sub(organisation_day_wh));
			}
		}
		self.blame(Source::AboveLimit, above.into());
	}

	/// The limits are those of before again.
	pub(crate) fn end_limits(&mut self) {
		if self.energy.minted.limited.take().is_some() {
			let outcome = self.governance(Call::set_limits { limits: Limits::default() }.into());
			assert!(outcome.is_done(), "{outcome:?}");
		}
	}
}
