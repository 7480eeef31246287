//! Invariants that hold between any two blocks.

use crate::{pallet::*, types::*};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
	ensure,
	pallet_prelude::Get,
	traits::fungible::{Inspect as _, hold::Inspect as _},
};
use gridproof_primitives::compute::checks::{DisputeCause, MAX_VERIFIERS};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant:
	///
	/// 1. The parameters do not contradict each other or those of receipts and channels, and each line is
	///    sound.
	/// 2. No more verifiers are admitted, or have rows, than may be; what is held of an account is its
	///    bond.
	/// 3. Each key is that of one verifier, its newest or the one before, and there are no others.
	/// 4. The pallet's account has what the rows say: pots of demands and deposits of disputes. It may have
	///    more, because anybody can send it something.
	/// 5. As many demands, re-openings and disputes are open about a batch as are counted, and each is about
	///    a batch that was touched.
	/// 6. Each report is of a batch that was touched, and as many as are counted or fewer.
	/// 7. Of each accuser and accused one dispute is open, and it is known as theirs.
	/// 8. No party is of its own jury, and nobody has revealed a vote without a commitment.
	/// 9. What can be open about a verifier's reports, and those that it looks at again, is counted.
	/// 10. A check whose opening witnesses have is known by its number, and no other.
	/// 11. Every day that has a row has checks.
	/// 12. No mark of a verified statement outlives its transaction.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let (compute, channels) = T::Settlement::parameters();
		let parameters = Parameters::<T>::get();
		// Where nothing is checked, nothing has to deter.
		let is_checked = channels.check_window_ms > 0;
		let deters = parameters.check(&compute, &channels).is_ok();
		ensure!(!is_checked || deters, "1: a relation is broken");
		for line in Lines::<T>::iter_values() {
			ensure!(line.check(parameters.finds_within).is_ok(), "1: a line is unsound");
		}
		Self::try_verifiers()?;
		Self::try_money()?;
		Self::try_open()?;
		Self::try_disputes()?;
		ensure!(!Verified::<T>::exists(), "12: a mark is left");
		Ok(())
	}

	fn try_verifiers() -> Result<(), TryRuntimeError> {
		ensure!(Admitted::<T>::count() <= MAX_VERIFIERS, "2: too many are admitted");
		ensure!(Verifiers::<T>::count() <= MAX_ROWS, "2: too many rows");
		let mut keys = BTreeMap::new();
		for (account, row) in Verifiers::<T>::iter() {
			let held = T::Currency::balance_on_hold(&HoldReason::Bond.into(), &account);
			ensure!(held == row.bond, "2: a bond is not held");
			let demands = Demands::<T>::iter_values().filter(|demand| demand.by == account).count();
			ensure!(u32::try_from(demands) == Ok(row.demands), "5: demands are miscounted");
			let own = Reports::<T>::iter_values().filter(|report| report.by == account).count();
			let again = Reopenings::<T>::iter_values().filter(|one| one.other.by == account);
			let by = Accuser::Verifier(account.clone());
			let disputes = Disputes::<T>::iter_values().filter(|dispute| {
				matches!(dispute.cause, DisputeCause::Reopened(_)) && dispute.accuser == by
			});
			let pending = own.saturating_add(again.count()).saturating_add(disputes.count());
			ensure!(u32::try_from(pending) == Ok(row.pending), "9: reports are miscounted");
			for key in [Some(row.key), row.former].into_iter().flatten() {
				let other = keys.insert(key.key, account.clone());
				ensure!(other.is_none(), "3: a key of two verifiers");
			}
		}
		let known: BTreeMap<_, _> = Keys::<T>::iter().collect();
		ensure!(known == keys, "3: a key leads to somebody else");
		Ok(())
	}

	/// Returns what the pallet's account owes, in 10⁻¹⁸ AIT.
	pub(crate) fn owed() -> u128 {
		let pots = Demands::<T>::iter_values().map(|row| row.pot);
		let deposits = Disputes::<T>::iter_values().map(|row| match row.accuser {
			Accuser::Client(_, deposit) => deposit,
			Accuser::Verifier(_) | Accuser::Number => 0,
		});
		let asked = Asked::<T>::iter_values().map(|row| row.deposit);
		pots.chain(deposits).chain(asked).fold(0u128, |sum, one| sum.saturating_add(one))
	}

	fn try_money() -> Result<(), TryRuntimeError> {
		let owed = Self::owed();
		ensure!(Sums::<T>::get().escrow == owed, "4: the account is miscounted");
		let is_client = |row: &Dispute<T::AccountId>| matches!(row.accuser, Accuser::Client(..));
		let disputes = Disputes::<T>::iter_values().filter(is_client).count();
		let asked = Asked::<T>::iter_values().filter(|row| row.deposit > 0).count();
		let of_clients = u32::try_from(disputes.saturating_add(asked)).unwrap_or(u32::MAX);
		ensure!(Sums::<T>::get().of_clients == of_clients, "4: what clients opened is miscounted");
		let balance = T::Currency::balance(&T::Escrow::get());
		ensure!(balance >= owed, "4: AIT is missing from the account");
		Ok(())
	}

	fn try_open() -> Result<(), TryRuntimeError> {
		let mut open = BTreeMap::new();
		let demands = Demands::<T>::iter_keys().map(|id| id.batch);
		let reopenings = Reopenings::<T>::iter_keys().map(|id| id.batch);
		let disputes = Disputes::<T>::iter_values().map(|row| row.receipt.batch);
		for batch in demands.chain(reopenings).chain(disputes) {
			let count = open.entry(batch).or_insert(0u32);
			*count = count.saturating_add(1);
		}
		let mut reports = BTreeMap::new();
		for (batch, _, _) in Reports::<T>::iter() {
			let count = reports.entry(batch).or_insert(0u32);
			*count = count.saturating_add(1);
		}
		for (batch, row) in Batches::<T>::iter() {
			let found = open.remove(&batch).unwrap_or(0);
			ensure!(found == row.open, "5: what is open is miscounted");
			let found = reports.remove(&batch).unwrap_or(0);
			ensure!(found <= row.checks.reports, "6: reports miscounted");
		}
		for (batch, number, of) in Opened::<T>::iter() {
			let demand = Demands::<T>::get(of).filter(|_| of.batch == batch);
			let is_its = demand.is_some_and(|demand| demand.opened == Some(number));
			ensure!(is_its, "10: a number of no check");
		}
		let opened = Demands::<T>::iter_values().filter(|row| row.opened.is_some()).count();
		ensure!(Opened::<T>::iter().count() == opened, "10: a check without its number");
		ensure!(Days::<T>::iter_values().all(|day| !day.is_empty()), "11: a day without checks");
		ensure!(open.is_empty(), "5: something is open about a batch that is gone");
		ensure!(reports.is_empty(), "6: a report of a batch that is gone");
		Ok(())
	}

	fn try_disputes() -> Result<(), TryRuntimeError> {
		let mut pairs = BTreeSet::new();
		for (id, row) in Disputes::<T>::iter() {
			let pair = row.pair;
			ensure!(OpenPairs::<T>::get(pair) == Some(id), "7: a dispute of nobody");
			ensure!(pairs.insert(pair), "7: two disputes of one pair");
			for juror in &row.jurors {
				let accuses =
					matches!(&row.accuser, Accuser::Verifier(who) if *who == juror.account);
				let accused =
					matches!(&row.accused, Accused::Verifier(who) if *who == juror.account);
				ensure!(!accuses && !accused, "8: a party judges itself");
				let committed = juror.commitment.is_some() || juror.verdict.is_none();
				ensure!(committed, "8: a vote without a commitment");
			}
		}
		ensure!(OpenPairs::<T>::iter().count() == pairs.len(), "7: a pair without a dispute");
		Ok(())
	}
}
