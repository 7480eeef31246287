//! Answers of the view functions.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{
	pallet_prelude::Get,
	traits::{Time, fungibles::Inspect as _},
};
use gridproof_primitives::energy::{
	BatchRecord, MeterIndex, MeterInfo, MeterPage, Overview, PointInfo, Registers, Totals,
};

/// Highest number of meters in one answer.
const MAX_LISTED: u32 = 1_000;
/// Highest number of indices that one answer looks at, of meters that are gone as of those in service.
const MAX_PASSED: u32 = 4_000;
/// An hour, in ms.
const HOUR_MS: u64 = 3_600_000;

impl<T: Config> Pallet<T> {
	/// [`Pallet::meter`].
	pub(crate) fn info(index: MeterIndex) -> Option<MeterInfo<T::AccountId>> {
		let row = Meters::<T>::get(index)?;
		let Certified { certificate, certified_ms, .. } = Certificates::<T>::get(index)?;
		let organisation = Organisations::<T>::get(row.organisation)?;
		let Meter { mut state, suspended, energy_account, mints, .. } = row;
		state.vouch_from(organisation.admitted_ms);
		let mints = mints && organisation.standing == OrganisationStanding::Admitted;
		let at = Self::point_of(index).map(|(_, point)| point.state);
		if let Some(at) = &at {
			state.owed_wh = at.owed_wh();
		}
		let point =
			MeterPoints::<T>::get(index).map(|id| PointInfo { id, state: at.unwrap_or_default() });
		Some(MeterInfo {
			index,
			certificate,
			state,
			suspended,
			mints,
			energy_account,
			certified_ms,
			point,
		})
	}

	/// [`Pallet::batch`].
	pub(crate) fn record(meter: MeterIndex, sequence: u64) -> Option<BatchRecord> {
		let record = Self::recent(meter, sequence)?;
		Some(BatchRecord { anchor: Self::kept_anchor(meter, sequence), ..record })
	}

	/// [`Pallet::meter_page`].
	pub(crate) fn page(from: MeterIndex, limit: u32) -> MeterPage<T::AccountId> {
		let limit = usize::try_from(limit.min(MAX_LISTED)).unwrap_or(0);
		let (mut next, end) = (from, NextMeter::<T>::get());
		let last = from.saturating_add(MAX_PASSED).min(end);
		let mut meters = Vec::new();
		while next < last && meters.len() < limit {
			meters.extend(Self::info(next));
			next = next.saturating_add(1);
		}
		MeterPage { meters, next: (next < end).then_some(next) }
	}

	/// [`Pallet::totals`].
	pub(crate) fn totals_now(index: MeterIndex) -> Option<Totals> {
		let row = Meters::<T>::get(index)?;
		let now = T::Time::now();
		let last_hour = Self::last_hour(index, row.state.next_sequence, now);
		Some(Totals { last_hour, ..row.totals.at(now) })
	}

	/// Returns the energy of the batches that ended within the hour before `now`, as far as they
	/// are kept.
	fn last_hour(meter: MeterIndex, next: u64, now: u64) -> Registers {
		let since = now.saturating_sub(HOUR_MS);
		let mut sum = Registers::default();
		for back in 1..=u64::from(T::MaxRecent::get()) {
			let row = next.checked_sub(back).and_then(|sequence| Self::recent(meter, sequence));
			let Some(row) = row.filter(|row| row.header.end_ms > since) else { break };
			let flow = row.header.closing.since(&row.header.opening).unwrap_or_default();
			crate::totals::add(&mut sum, &flow);
		}
		sum
	}

	/// [`Pallet::overview`].
	pub(crate) fn overview_now() -> Overview {
		let sums = SumsOfAll::<T>::get();
		Overview {
			organisations: sums.organisations,
			electricians: sums.electricians,
			meters: sums.meters,
			suspended: sums.suspended,
			batches: sums.batches,
			readings: sums.readings,
			imported_wh: sums.imported_wh,
			exported_wh: sums.minted_wh.saturating_add(sums.unminted_wh),
			minted_wh: sums.minted_wh,
			issuance: T::Fungibles::total_issuance(T::Kwh::get()),
		}
	}
}
