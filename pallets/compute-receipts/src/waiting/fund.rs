//! What the treasury received of prices, and what it pays for checks.

use crate::{pallet::*, types::DAY_MS, waiting::types::FundDay};
use frame_support::{
	pallet_prelude::Get,
	traits::{
		Time,
		fungible::{Inspect as _, Mutate as _},
		tokens::{Fortitude, Preservation, Provenance},
	},
};
use gridproof_primitives::compute::checks::{Fund, FundError};

impl<T: Config> Pallet<T> {
	/// Returns the days of which something is known, the earlier one first, up to today.
	fn fund_days() -> [FundDay; 2] {
		let today = T::Time::now().checked_div(DAY_MS).unwrap_or(0);
		let known = FundDays::<T>::get();
		let of = |day: u64| {
			let row = known.into_iter().find(|row| row.day == day);
			row.unwrap_or(FundDay { day, ..Default::default() })
		};
		[of(today.saturating_sub(1)), of(today)]
	}

	/// Counts what the treasury received of prices, in 10⁻¹⁸ AIT.
	pub(crate) fn note_received(amount: u128) {
		if amount == 0 {
			return;
		}
		let [before, mut today] = Self::fund_days();
		today.received = today.received.saturating_add(amount);
		FundDays::<T>::put([before, today]);
	}
}

impl<T: Config> Fund<T::AccountId> for Pallet<T> {
	fn received(day: u64) -> u128 {
		let known = Self::fund_days().into_iter().find(|row| row.day == day);
		known.map_or(0, |row| row.received)
	}

	fn pay(day: u64, to: &T::AccountId, amount: u128) -> Result<(), FundError> {
		let mut days = Self::fund_days();
		let known = days.iter_mut().find(|row| row.day == day).ok_or(FundError::OverBudget)?;
		let paid = known.paid.checked_add(amount).filter(|paid| *paid <= known.received);
		known.paid = paid.ok_or(FundError::OverBudget)?;
		let (treasury, keep) = (T::Treasury::get(), Preservation::Preserve);
		let has = T::Currency::reducible_balance(&treasury, keep, Fortitude::Polite);
		if has < amount {
			return Err(FundError::Poor);
		}
		let can = T::Currency::can_deposit(to, amount, Provenance::Extant).into_result();
		can.map_err(|_| FundError::Unpayable)?;
		let moved = T::Currency::transfer(&treasury, to, amount, keep);
		moved.map_err(|_| FundError::Unpayable)?;
		FundDays::<T>::put(days);
		Self::deposit_event(Event::CheckPaid { to: to.clone(), day, amount });
		Ok(())
	}
}
