//! Pay of verifiers, day by day.

use crate::weights::WeightInfo;
use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get, Weight},
};
use gridproof_primitives::compute::{
	checks::{CheckRefusal, Fund, divide_day},
	emission::share_of,
};

/// One, in parts per million.
const MILLION: u128 = 1_000_000;

impl<T: Config> Pallet<T> {
	/// Checks that a day's checks can be paid: it is over.
	pub(crate) fn check_pay(day: u64) -> Result<DayRow<T::AccountId>, CheckRefusal> {
		let row = Days::<T>::get(day);
		ensure!(!row.is_empty(), CheckRefusal::AlreadyDone);
		ensure!(day < Self::today(), CheckRefusal::NotYet);
		Ok(row)
	}

	/// [`Pallet::pay_checks`] without the origin.
	pub(crate) fn do_pay(day: u64) -> DispatchResult {
		let row = Self::check_pay(day).map_err(Self::refused)?;
		Days::<T>::remove(day);
		let today = Self::today();
		if day.saturating_add(1) < today {
			return Self::put_off(day, row, today);
		}
		let parameters = Parameters::<T>::get();
		let received = T::Fund::received(day);
		let budget = share_of(received, parameters.pay_share.into(), MILLION);
		let counts: Vec<_> = row.iter().map(|(_, count)| *count).collect();
		let parts = divide_day(&counts, parameters.pay_per_check, budget);
		for ((account, checks), amount) in row.into_iter().zip(parts) {
			let paid = amount > 0 && T::Fund::pay(day, &account, amount).is_ok();
			let amount = if paid { amount } else { 0 };
			Sums::<T>::mutate(|sums| sums.paid = sums.paid.saturating_add(amount));
			Self::deposit_event(Event::VerifierPaid { account, day, checks, amount });
		}
		Ok(())
	}

	/// Counts checks with those of today. Rows are full only if more verifiers have come and gone than there
	/// may be at a time: then the last ones are not paid.
	fn put_off(day: u64, row: DayRow<T::AccountId>, today: u64) -> DispatchResult {
		Days::<T>::mutate(today, |counts| {
			for (account, checks) in row {
				match counts.iter_mut().find(|(other, _)| *other == account) {
					Some((_, count)) => *count = count.saturating_add(checks),
					None => {
						let _ = counts.try_push((account, checks));
					},
				}
			}
		});
		Self::deposit_event(Event::PayPutOff { day, until: today });
		Ok(())
	}

	/// Pays a day that is over, if a block has room for it.
	pub(crate) fn pay_when_idle(remaining: Weight) -> Weight {
		// At most three days have rows: today, yesterday, and one on which no block was made. None is empty.
		let looked = T::DbWeight::get().reads(4);
		let needed = looked.saturating_add(T::WeightInfo::pay_checks());
		if needed.any_gt(remaining) {
			return Weight::zero();
		}
		let today = Self::today();
		match Days::<T>::iter_keys().find(|day| *day < today) {
			// What cannot be paid is not tried again.
			Some(day) if Self::do_pay(day).is_ok() => needed,
			_ => looked,
		}
	}
}
