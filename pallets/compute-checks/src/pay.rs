//! Pay of verifiers, day by day.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{ensure, pallet_prelude::DispatchResult};
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
}
