//! Invariants that hold between any two blocks.

use crate::pallet::*;
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	pallet_prelude::Get,
	traits::{fungible::hold::Inspect as _, fungibles::Inspect as _},
};
use gridproof_primitives::reserve::{formula, state::*};
use sp_runtime::{TryRuntimeError, traits::Saturating};

impl<T: Config> Pallet<T> {
	/// Checks every invariant:
	///
	/// 1. The parameters do not contradict each other.
	/// 2. No more AICP exists than genesis and mints created less what redemptions burned; exactly
	///    as much if the token cannot lose dust.
	/// 3. Credit promised less credit spent is what accounts have available, held or pending.
	/// 4. The queue has one ticket for each number between its ends and no other; each has credit
	///    left to pay out, together what waits; an account's pending credit and number of tickets
	///    are those of its tickets in the queue, and its newest ticket is one of them.
	/// 5. For each account, the deposits held are those that its row and its tickets record.
	/// 6. The history has the bounded number of days with consecutive numbers, in the order of
	///    days; the last one is the latest statement's; no day minted more than the highest
	///    allowance that the formulas gave before each of its mints.
	/// 7. Since the last minting day opened, the supply grew by no more than that day's mints, and
	///    these are no more than the formulas have allowed for its opening.
	/// 8. No more credit was paid out on the last day than its capacity.
	/// 9. The backing is enough AICP, at P_T, for all credit that can be spent.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(Parameters::<T>::get().check().is_ok(), "1: parameters break a relation");
		Self::try_supply()?;
		Self::try_credit()?;
		Self::try_history()
	}

	fn try_supply() -> Result<(), TryRuntimeError> {
		let Totals { genesis, minted, burned, .. } = Sums::<T>::get();
		let most = genesis.checked_add(minted).and_then(|sum| sum.checked_sub(burned));
		let most = most.ok_or("2: more burned than made")?;
		let issuance = Self::issuance();
		ensure!(issuance <= most, "2: AICP from nothing");
		if T::Fungibles::minimum_balance(T::Aicp::get()) <= 1 {
			ensure!(issuance == most, "2: AICP lost");
		}
		let grew = |minting: MintDay| issuance > minting.opening.saturating_add(minting.minted);
		ensure!(!Minting::<T>::get().is_some_and(grew), "7: supply grew otherwise than by a mint");
		let above = |minting: MintDay| minting.minted > minting.most;
		ensure!(!Minting::<T>::get().is_some_and(above), "7: the day minted above its cap");
		let PaidOut { credit, capacity, .. } = HandedOut::<T>::get();
		ensure!(credit <= capacity, "8: more credit paid out than the day's capacity");
		Ok(())
	}

	fn try_credit() -> Result<(), TryRuntimeError> {
		let ends = Ends::<T>::get();
		ensure!(ends.first <= ends.next, "4: the queue's ends crossed");
		let mut tickets = BTreeMap::<T::AccountId, (u128, u32, BalanceOf<T>)>::new();
		let mut count = 0u64;
		for (number, ticket) in Queue::<T>::iter() {
			ensure!(number >= ends.first && number < ends.next, "4: ticket outside the queue");
			ensure!(ticket.credit > 0, "4: ticket without credit");
			let sums = tickets.entry(ticket.who).or_default();
			sums.0 = sums.0.saturating_add(ticket.credit);
			sums.1 = sums.1.saturating_add(1);
			sums.2 = sums.2.saturating_add(ticket.deposit);
			count = count.saturating_add(1);
		}
		ensure!(count == ends.length(), "4: a ticket is missing");
		let waiting = tickets.values().fold(0u128, |sum, (credit, ..)| sum.saturating_add(*credit));
		ensure!(waiting == Waiting::<T>::get(), "4: what waits is not in the queue");
		for (who, number) in NewestTicket::<T>::iter() {
			let is_its = Queue::<T>::get(number).is_some_and(|ticket| ticket.who == who);
			ensure!(is_its, "4: the newest ticket is not in the queue");
		}
		let mut credit = 0u128;
		for (who, account) in Accounts::<T>::iter() {
			let (pending, number, deposits) = tickets.remove(&who).unwrap_or_default();
			ensure!(account.pending == pending, "4: pending credit is not in the queue");
			ensure!(account.tickets == number, "4: tickets are not in the queue");
			let held = |reason: HoldReason| T::Currency::balance_on_hold(&reason.into(), &who);
			ensure!(held(HoldReason::CreditAccount) == account.deposit, "5: account deposit");
			ensure!(held(HoldReason::Ticket) == deposits, "5: ticket deposits");
			for part in [account.available, account.held, account.pending] {
				credit = credit.saturating_add(part);
			}
		}
		ensure!(tickets.is_empty(), "4: ticket without an account");
		let Totals { credited, spent, .. } = Sums::<T>::get();
		ensure!(credited.checked_sub(spent) == Some(credit), "3: credit from or to nothing");
		let price = Parameters::<T>::get().policy.target_price;
		let needed = formula::backing(credit.saturating_sub(waiting), &price);
		let backing = T::Fungibles::balance(T::Aicp::get(), &T::Backing::get());
		ensure!(needed.is_ok_and(|needed| backing >= needed), "9: credit is not backed");
		Ok(())
	}

	fn try_history() -> Result<(), TryRuntimeError> {
		let next = NextRecord::<T>::get();
		let length = next.min(T::MaxHistory::get());
		let records = Self::latest_records(length);
		ensure!(records.len() == History::<T>::iter().count(), "6: days outside the history");
		ensure!(u32::try_from(records.len()) == Ok(length), "6: a day is missing");
		ensure!(records.is_sorted_by(|a, b| a.day > b.day), "6: days out of order");
		ensure!(records.iter().all(|day| day.minted <= day.allowance), "6: above the allowance");
		let (latest, last) = (Latest::<T>::get(), records.first());
		ensure!(
			latest.map(|latest| (latest.hash, latest.day, latest.taken_on))
				== last.map(|last| (last.statement, last.day, last.taken_on)),
			"6: the last day is not the latest statement's"
		);
		Ok(())
	}
}
