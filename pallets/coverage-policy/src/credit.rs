//! Redemption: service credit, its backing, the queue, and the deposits for their rows.

use crate::pallet::*;
use alloc::vec::Vec;
use frame_support::{
	defensive, ensure,
	pallet_prelude::{DispatchResult, Get, Weight},
	storage::with_storage_layer,
	traits::{
		fungible::hold::Mutate as _,
		fungibles::{Inspect as _, Mutate as _},
		tokens::{Fortitude, Precision, Preservation},
	},
};
use gridproof_primitives::reserve::state::*;
use gridproof_primitives::{
	reserve::attestation::ServiceCredit, reserve::formula, reserve::parameters::PolicyParameters,
	time::calendar::DayClock, time::day::Day,
};
use sp_runtime::{DispatchError, traits::Zero};

impl<T: Config> Pallet<T> {
	/// Returns what can be claimed, in micro-EUR: all AICP at P_T, and the credit that waits.
	fn claims(parameters: &PolicyParameters) -> u128 {
		let price = &parameters.policy.target_price;
		let issued = formula::redeem_value(Self::issuance(), price).unwrap_or(u128::MAX);
		issued.saturating_add(Waiting::<T>::get())
	}

	/// Returns the credit paid out today, and the day's capacity.
	pub(crate) fn paid_out(parameters: &PolicyParameters, today: Day) -> PaidOut {
		let PaidOut { day, credit, claims, .. } = HandedOut::<T>::get();
		let (credit, claims) =
			if day == today { (credit, claims) } else { (0, Self::claims(parameters)) };
		let least = parameters.redemption.daily_capacity;
		let capacity = formula::daily_capacity(claims, &parameters.policy.daily_cap, least);
		// Governance may have lowered the capacity below what had been paid out before.
		PaidOut { day: today, credit, claims, capacity: capacity.max(credit) }
	}

	/// Returns the credit that accounts can spend or hold, in micro-EUR: for which AICP is put
	/// aside.
	pub(crate) fn spendable() -> u128 {
		let Totals { credited, spent, .. } = Sums::<T>::get();
		credited.saturating_sub(spent).saturating_sub(Waiting::<T>::get())
	}

	/// Returns the further credit that the treasury's AICP backs, in micro-EUR.
	pub(crate) fn budget(parameters: &PolicyParameters) -> u128 {
		let held = |who: T::AccountId| T::Fungibles::balance(T::Aicp::get(), &who);
		let all = held(T::Treasury::get()).saturating_add(held(T::Backing::get()));
		let price = &parameters.policy.target_price;
		let backed = formula::redeem_value(all, price).unwrap_or(u128::MAX);
		backed.saturating_sub(Self::spendable())
	}

	/// Returns the credit that can still be paid out today, in micro-EUR.
	pub(crate) fn room(parameters: &PolicyParameters, paid_out: &PaidOut) -> u128 {
		let PaidOut { credit, capacity, .. } = *paid_out;
		capacity.saturating_sub(credit).min(Self::budget(parameters))
	}

	/// Moves AICP between treasury and backing, so that this backs all credit that can be spent and
	/// `more` micro-EUR, and is no more than that.
	pub(crate) fn back(more: u128) -> DispatchResult {
		let price = Parameters::<T>::get().policy.target_price;
		let credit = Self::sum(Self::spendable(), more)?;
		let needed = formula::backing(credit, &price).map_err(|_| Error::<T>::Overflow)?;
		let (aicp, treasury, backing) = (T::Aicp::get(), T::Treasury::get(), T::Backing::get());
		let present = T::Fungibles::balance(aicp.clone(), &backing);
		let (from, to, amount) = match needed.checked_sub(present) {
			Some(missing) => (treasury, backing, missing),
			None => (backing, treasury, present.saturating_sub(needed)),
		};
		if amount > 0 {
			T::Fungibles::transfer(aicp, &from, &to, amount, Preservation::Expendable)?;
		}
		Ok(())
	}

	/// [`Pallet::redeem_quote`].
	pub(crate) fn quote_redemption(amount: u128) -> Result<RedemptionQuote, DispatchError> {
		let credit = Self::credit_for(amount)?;
		let (parameters, today) = (Parameters::<T>::get(), T::Clock::today());
		let paid_out = Self::paid_out(&parameters, today);
		let (waiting, room) = (Waiting::<T>::get(), Self::room(&parameters, &paid_out));
		if waiting == 0 && credit <= room {
			return Ok(RedemptionQuote { credit, days: Some(0) });
		}
		let daily = paid_out.capacity;
		let (all, budget) = (waiting.saturating_add(credit), Self::budget(&parameters));
		let days = formula::days_of_waiting(all, room, daily, budget);
		Ok(RedemptionQuote { credit, days })
	}

	/// [`Pallet::redeem`] without the origin.
	pub(crate) fn do_redeem(who: T::AccountId, amount: u128, min_credit: u128) -> DispatchResult {
		ensure!(BreakerLevel::<T>::get() < Breaker::AllStopped, Error::<T>::RedeemStopped);
		let (parameters, today) = (Parameters::<T>::get(), T::Clock::today());
		ensure!(amount >= parameters.redemption.minimum, Error::<T>::BelowMinimum);
		let credit = Self::credit_for(amount)?;
		ensure!(credit >= min_credit, Error::<T>::CreditTooLow);
		// Before the burn, which would lower what can be claimed, and so the day's capacity.
		let paid_out = Self::paid_out(&parameters, today);
		let mut account = Self::count_redemption(&who, amount, &parameters, today)?;
		Self::burn(&who, amount)?;
		let is_room =
			Ends::<T>::get().length() == 0 && credit <= Self::room(&parameters, &paid_out);
		let ticket = if is_room {
			Self::back(credit)?;
			account.available = Self::sum(account.available, credit)?;
			let credit = Self::sum(paid_out.credit, credit)?;
			HandedOut::<T>::put(PaidOut { credit, ..paid_out });
			None
		} else {
			account.pending = Self::sum(account.pending, credit)?;
			Some(Self::enqueue(&who, &mut account, credit, today)?)
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

	/// Adds credit to the ticket in which the account waits since today, or to a new one at the end
	/// of the queue; returns its number.
	///
	/// A ticket of an earlier day is left alone: credit added to it would pass everybody who has
	/// redeemed since.
	fn enqueue(
		who: &T::AccountId,
		account: &mut CreditAccount<BalanceOf<T>>,
		credit: u128,
		today: Day,
	) -> Result<u64, DispatchError> {
		Waiting::<T>::put(Self::sum(Waiting::<T>::get(), credit)?);
		let newest = NewestTicket::<T>::get(who)
			.and_then(|number| Some((number, Queue::<T>::get(number)?)))
			.filter(|(_, ticket)| ticket.redeemed_on == today);
		if let Some((number, mut ticket)) = newest {
			ticket.credit = Self::sum(ticket.credit, credit)?;
			Queue::<T>::insert(number, ticket);
			return Ok(number);
		}
		let deposit = T::TicketDeposit::get();
		T::Currency::hold(&HoldReason::Ticket.into(), who, deposit)?;
		let mut ends = Ends::<T>::get();
		let number = ends.next;
		let ticket = Ticket { who: who.clone(), credit, redeemed_on: today, deposit };
		Queue::<T>::insert(number, ticket);
		NewestTicket::<T>::insert(who, number);
		account.tickets = account.tickets.saturating_add(1);
		ends.next = number.saturating_add(1);
		Ends::<T>::put(ends);
		Ok(number)
	}

	/// Serves at most `most` tickets in order, while there is room and `go_on` returns `true`.
	/// Returns how many were served, in full or in part.
	pub(crate) fn serve_tickets(most: u32, go_on: impl FnMut() -> bool) -> u32 {
		// What is not backed is not given: all of it, or nothing.
		with_storage_layer(|| Self::try_serve_tickets(most, go_on)).unwrap_or_else(|_| {
			defensive!("there is room for what the treasury does not back");
			0
		})
	}

	fn try_serve_tickets(most: u32, mut go_on: impl FnMut() -> bool) -> Result<u32, DispatchError> {
		let (parameters, today) = (Parameters::<T>::get(), T::Clock::today());
		let paid_out = Self::paid_out(&parameters, today);
		let mut ends = Ends::<T>::get();
		let room = Self::room(&parameters, &paid_out);
		let mut left = room;
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
			let given = room.saturating_sub(left);
			Self::back(given)?;
			Ends::<T>::put(ends);
			Waiting::<T>::mutate(|waiting| *waiting = waiting.saturating_sub(given));
			let credit = paid_out.credit.saturating_add(given);
			HandedOut::<T>::put(PaidOut { credit, ..paid_out });
		}
		Ok(served)
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
			if NewestTicket::<T>::get(&who) == Some(number) {
				NewestTicket::<T>::remove(&who);
			}
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

	fn pay_held(who: &T::AccountId, to: &T::AccountId, amount: u128) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		with_storage_layer(|| {
			Self::change_credit(who, |account| {
				account.held = account.held.checked_sub(amount)?;
				Some(())
			})?;
			Sums::<T>::mutate(|sums| sums.spent = sums.spent.saturating_add(amount));
			let price = Parameters::<T>::get().policy.target_price;
			let paid = formula::service_pay(amount, &price).map_err(|_| Error::<T>::Overflow)?;
			if paid > 0 {
				let (aicp, backing) = (T::Aicp::get(), T::Backing::get());
				T::Fungibles::transfer(aicp, &backing, to, paid, Preservation::Expendable)?;
			}
			Self::deposit_event(Event::CreditSpent {
				who: who.clone(),
				credit: amount,
				to: to.clone(),
				paid,
			});
			Ok(())
		})
	}

	fn weight() -> Weight {
		// The account's row. What else a price in credit writes is less than one in AICP does, which is
		// in the weight of who asks: six rows against eleven, as `runtime/tests/all/computing.rs` counts.
		T::DbWeight::get().reads_writes(1, 1)
	}
}
