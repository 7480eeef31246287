//! Redemption: service credit, the queue, and the deposits for their rows.

use crate::pallet::*;
use alloc::vec::Vec;
use frame_support::{
	defensive, ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::{
		fungible::hold::Mutate as _,
		fungibles::{Inspect as _, Mutate as _},
		tokens::{Fortitude, Precision, Preservation},
	},
};
use gridproof_primitives::reserve::state::*;
use gridproof_primitives::{
	reserve::attestation::ServiceCredit, reserve::parameters::PolicyParameters,
	time::calendar::DayClock, time::day::Day,
};
use sp_runtime::{DispatchError, traits::Zero};

impl<T: Config> Pallet<T> {
	/// Returns the credit paid out today, in micro-EUR.
	fn handed_out(today: Day) -> u128 {
		let (day, credit) = HandedOut::<T>::get();
		if day == today { credit } else { 0 }
	}

	/// Returns the credit that can still be paid out today, in micro-EUR.
	pub(crate) fn capacity_left(parameters: &PolicyParameters, today: Day) -> u128 {
		parameters.redemption.daily_capacity.saturating_sub(Self::handed_out(today))
	}

	/// [`Pallet::redeem`] without the origin.
	pub(crate) fn do_redeem(who: T::AccountId, amount: u128, min_credit: u128) -> DispatchResult {
		ensure!(BreakerLevel::<T>::get() < Breaker::AllStopped, Error::<T>::RedeemStopped);
		let (parameters, today) = (Parameters::<T>::get(), T::Clock::today());
		ensure!(amount >= parameters.redemption.minimum, Error::<T>::BelowMinimum);
		let credit = Self::credit_for(amount)?;
		ensure!(credit >= min_credit, Error::<T>::CreditTooLow);
		let mut account = Self::count_redemption(&who, amount, &parameters, today)?;
		Self::burn(&who, amount)?;
		let is_room =
			Ends::<T>::get().length() == 0 && credit <= Self::capacity_left(&parameters, today);
		let ticket = if is_room {
			account.available = Self::sum(account.available, credit)?;
			HandedOut::<T>::put((today, Self::sum(Self::handed_out(today), credit)?));
			None
		} else {
			account.pending = Self::sum(account.pending, credit)?;
			account.tickets = account.tickets.saturating_add(1);
			Some(Self::enqueue(&who, credit, today)?)
		};
		Accounts::<T>::insert(&who, account);
		Sums::<T>::try_mutate(|sums| {
			sums.burned = Self::sum(sums.burned, amount)?;
			sums.credited = Self::sum(sums.credited, credit)?;
			Ok::<_, DispatchError>(())
		})?;
		Self::deposit_event(Event::Redeemed { who: who.clone(), amount, credit, ticket });
		if ticket.is_none() {
			Self::deposit_event(Event::CreditGiven { who, credit, waiting: 0 });
		}
		Self::announce();
		Ok(())
	}

	fn sum(a: u128, b: u128) -> Result<u128, DispatchError> {
		a.checked_add(b).ok_or_else(|| Error::<T>::Overflow.into())
	}

	/// Returns the account's row, new if there was none, with this redemption added to its day.
	fn count_redemption(
		who: &T::AccountId,
		amount: u128,
		parameters: &PolicyParameters,
		today: Day,
	) -> Result<CreditAccount<BalanceOf<T>>, DispatchError> {
		let existing = Accounts::<T>::get(who);
		let mut account = existing.unwrap_or_default();
		if account.redeemed_on != today {
			(account.redeemed_on, account.redeemed) = (today, 0);
		}
		account.redeemed = Self::sum(account.redeemed, amount)?;
		let limit = parameters.redemption.daily_limit;
		ensure!(account.redeemed <= limit, Error::<T>::AboveDailyLimit);
		if existing.is_none() {
			account.deposit = T::AccountDeposit::get();
			T::Currency::hold(&HoldReason::CreditAccount.into(), who, account.deposit)?;
		}
		Ok(account)
	}

	/// Burns exactly `amount` micro-tokens of `who`.
	fn burn(who: &T::AccountId, amount: u128) -> DispatchResult {
		let aicp = T::Aicp::get();
		// Burning would also destroy a remainder below the token's minimum, without credit for it.
		let rest = T::Fungibles::balance(aicp.clone(), who).saturating_sub(amount);
		let keeps = rest == 0 || rest >= T::Fungibles::minimum_balance(aicp.clone());
		ensure!(keeps, Error::<T>::WouldLeaveDust);
		let (exact, polite) = (Precision::Exact, Fortitude::Polite);
		let burned =
			T::Fungibles::burn_from(aicp, who, amount, Preservation::Expendable, exact, polite)?;
		ensure!(burned == amount, Error::<T>::WouldLeaveDust);
		Ok(())
	}

	/// Adds a ticket at the end of the queue and returns its number.
	fn enqueue(who: &T::AccountId, credit: u128, today: Day) -> Result<u64, DispatchError> {
		let mut ends = Ends::<T>::get();
		ensure!(ends.length() < u64::from(T::MaxQueue::get()), Error::<T>::QueueFull);
		let deposit = T::TicketDeposit::get();
		T::Currency::hold(&HoldReason::Ticket.into(), who, deposit)?;
		let number = ends.next;
		let ticket = Ticket { who: who.clone(), credit, redeemed_on: today, deposit };
		Queue::<T>::insert(number, ticket);
		ends.next = number.saturating_add(1);
		Ends::<T>::put(ends);
		Ok(number)
	}

	/// Serves at most `most` tickets in order, while capacity lasts and `go_on` returns `true`.
	/// Returns how many were served, in full or in part.
	pub(crate) fn serve_tickets(most: u32, mut go_on: impl FnMut() -> bool) -> u32 {
		let (parameters, today) = (Parameters::<T>::get(), T::Clock::today());
		let mut ends = Ends::<T>::get();
		let mut left = Self::capacity_left(&parameters, today);
		let mut served = 0u32;
		while served < most && ends.length() > 0 && left > 0 && go_on() {
			served = served.saturating_add(1);
			let Some(ticket) = Queue::<T>::get(ends.first) else {
				defensive!("a number between the queue's ends has no ticket");
				ends.first = ends.first.saturating_add(1);
				continue;
			};
			let credit = ticket.credit.min(left);
			left = left.saturating_sub(credit);
			if Self::serve_ticket(ends.first, ticket, credit) {
				ends.first = ends.first.saturating_add(1);
			}
		}
		if served > 0 {
			Ends::<T>::put(ends);
			let capacity = parameters.redemption.daily_capacity;
			// Unchanged if governance lowered the capacity below what has been paid out already.
			let given = capacity.saturating_sub(left).max(Self::handed_out(today));
			HandedOut::<T>::put((today, given));
		}
		served
	}

	/// Pays out `credit` of a ticket; returns `true` if that was all of it and the ticket is gone.
	fn serve_ticket(number: u64, mut ticket: TicketOf<T>, credit: u128) -> bool {
		ticket.credit = ticket.credit.saturating_sub(credit);
		let waiting = ticket.credit;
		let done = waiting == 0;
		let who = ticket.who.clone();
		Accounts::<T>::mutate(&who, |account| match account {
			Some(account) => {
				account.available = account.available.saturating_add(credit);
				account.pending = account.pending.saturating_sub(credit);
				account.tickets = account.tickets.saturating_sub(done.into());
			},
			None => {
				defensive!("a ticket's owner has no credit account");
			},
		});
		if done {
			Queue::<T>::remove(number);
			Self::return_deposit(HoldReason::Ticket, &who, ticket.deposit);
		} else {
			Queue::<T>::insert(number, ticket);
		}
		Self::deposit_event(Event::CreditGiven { who, credit, waiting });
		done
	}

	fn return_deposit(reason: HoldReason, who: &T::AccountId, deposit: BalanceOf<T>) {
		if deposit.is_zero() {
			return;
		}
		let released = T::Currency::release(&reason.into(), who, deposit, Precision::BestEffort);
		if released != Ok(deposit) {
			defensive!("a deposit was not held in full");
		}
	}

	/// [`Pallet::close_account`] without the origin.
	pub(crate) fn do_close_account(who: T::AccountId) -> DispatchResult {
		let account = Accounts::<T>::get(&who).ok_or(Error::<T>::NoAccount)?;
		ensure!(account.is_idle(T::Clock::today()), Error::<T>::AccountInUse);
		Self::settle(&who, account);
		Ok(())
	}

	/// Stores an account's row, or closes the account if nothing is left in it.
	fn settle(who: &T::AccountId, account: CreditAccount<BalanceOf<T>>) {
		if account.is_idle(T::Clock::today()) {
			Accounts::<T>::remove(who);
			Self::return_deposit(HoldReason::CreditAccount, who, account.deposit);
			Self::deposit_event(Event::AccountClosed { who: who.clone() });
		} else {
			Accounts::<T>::insert(who, account);
		}
	}

	/// Changes an account's credit; nothing is written if `change` fails.
	fn change_credit(
		who: &T::AccountId,
		change: impl FnOnce(&mut CreditAccount<BalanceOf<T>>) -> Option<()>,
	) -> DispatchResult {
		let mut account = Accounts::<T>::get(who).ok_or(Error::<T>::InsufficientCredit)?;
		change(&mut account).ok_or(Error::<T>::InsufficientCredit)?;
		Self::settle(who, account);
		Ok(())
	}

	fn note_spent(who: &T::AccountId, credit: u128) {
		Sums::<T>::mutate(|sums| sums.spent = sums.spent.saturating_add(credit));
		Self::deposit_event(Event::CreditSpent { who: who.clone(), credit });
	}

	/// [`Pallet::queue`].
	pub(crate) fn waiting_tickets(skip: u32, limit: u32) -> Vec<(u64, TicketOf<T>)> {
		let ends = Ends::<T>::get();
		let start = ends.first.saturating_add(skip.into());
		let end = start.saturating_add(limit.into()).min(ends.next);
		(start..end).filter_map(|number| Some((number, Queue::<T>::get(number)?))).collect()
	}
}

impl<T: Config> ServiceCredit<T::AccountId> for Pallet<T> {
	fn available(who: &T::AccountId) -> u128 {
		Accounts::<T>::get(who).map_or(0, |account| account.available)
	}

	fn held(who: &T::AccountId) -> u128 {
		Accounts::<T>::get(who).map_or(0, |account| account.held)
	}

	fn spend(who: &T::AccountId, amount: u128) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		Self::change_credit(who, |account| {
			account.available = account.available.checked_sub(amount)?;
			Some(())
		})?;
		Self::note_spent(who, amount);
		Ok(())
	}

	fn hold(who: &T::AccountId, amount: u128) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		Self::change_credit(who, |account| {
			account.available = account.available.checked_sub(amount)?;
			account.held = account.held.checked_add(amount)?;
			Some(())
		})
	}

	fn release(who: &T::AccountId, amount: u128) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		Self::change_credit(who, |account| {
			account.held = account.held.checked_sub(amount)?;
			account.available = account.available.checked_add(amount)?;
			Some(())
		})
	}

	fn spend_held(who: &T::AccountId, amount: u128) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		Self::change_credit(who, |account| {
			account.held = account.held.checked_sub(amount)?;
			Some(())
		})?;
		Self::note_spent(who, amount);
		Ok(())
	}
}
