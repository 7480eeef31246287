//! Demands of openings, and what witnesses say.

use crate::{pallet::*, types::*};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Fortitude, Preservation},
	},
};
use gridproof_primitives::{
	compute::checks::{
		CheckId, CheckRefusal, MAX_CHECKS_PER_DRAW, MAX_VERIFIERS, OpeningDemand, OpeningOutcome,
		Part, VerifierSignature, Waiting, WitnessStatement, witnesses_say,
	},
	compute::emission::share_of,
};

impl<T: Config> Pallet<T> {
	/// Checks everything of a demand but signature and draw.
	fn check_demand_state(
		demand: &OpeningDemand,
	) -> Result<(T::AccountId, BatchRow, Option<Checked>), CheckRefusal> {
		let (account, batch, row) = Self::check_drawn(&demand.batch, &demand.verifier)?;
		let id = demand.id();
		// Once a draw: what was demanded is not demanded again.
		let is_new = !Demanded::<T>::contains_key(id.batch, (id.verifier, id.check));
		ensure!(is_new, CheckRefusal::AlreadyDone);
		let reported = Reports::<T>::contains_key(id.batch, (id.verifier, id.check));
		ensure!(!reported, CheckRefusal::AlreadyReported);
		ensure!(Demands::<T>::count() < T::MaxDemands::get(), CheckRefusal::Full);
		// Nobody takes the room of the others.
		let own = Verifiers::<T>::get(&account).map_or(0, |row| row.demands);
		let most = T::MaxDemands::get().div_ceil(MAX_VERIFIERS);
		ensure!(own < most, CheckRefusal::Full);
		let fee = Parameters::<T>::get().witness_fee;
		let has = Self::free_of(&account);
		ensure!(has >= fee, CheckRefusal::FeeUnpaid);
		let receipt = match &demand.receipt {
			Some(placed) => {
				let is_of = placed.item.receipt.miner == Some(demand.miner);
				ensure!(is_of, CheckRefusal::OtherPoint);
				Some(Self::check_placed(&demand.batch, &batch, placed)?)
			},
			None => None,
		};
		Ok((account, row, receipt))
	}

	/// Returns what an account can pay without being reaped, in 10⁻¹⁸ AIT.
	fn free_of(account: &T::AccountId) -> u128 {
		T::Currency::reducible_balance(account, Preservation::Preserve, Fortitude::Polite)
	}

	fn verify_demand(
		demand: &OpeningDemand,
		signature: &VerifierSignature,
		row: &BatchRow,
	) -> Result<(), CheckRefusal> {
		let is_signed = demand.is_signed(&Self::genesis_hash(), signature);
		ensure!(is_signed, CheckRefusal::BadSignature);
		if demand.check >= MAX_CHECKS_PER_DRAW {
			let placed = demand.receipt.as_ref().ok_or(CheckRefusal::NotDrawn)?;
			return Self::check_asked(&demand.id(), placed.index);
		}
		let point = Self::verify_draw(row, &demand.verifier, &demand.vrf, demand.check)?;
		match &demand.receipt {
			Some(placed) => Self::check_point(&demand.batch, &placed.item, point),
			None => Self::place_of(&demand.batch, &demand.miner, point).map(|_| ()),
		}
	}

	/// Checks a demand whole, for the pool.
	pub(crate) fn check_whole_demand(
		demand: &OpeningDemand,
		signature: &VerifierSignature,
	) -> Result<(), CheckRefusal> {
		let (_, row, _) = Self::check_demand_state(demand)?;
		Self::verify_demand(demand, signature, &row)
	}

	/// [`Pallet::demand_opening`] without the origin. `verified` if signature and draw are.
	pub(crate) fn do_demand(
		demand: &OpeningDemand,
		signature: &VerifierSignature,
		verified: bool,
	) -> DispatchResult {
		let (account, row, receipt) = Self::check_demand_state(demand).map_err(Self::refused)?;
		if !verified {
			Self::verify_demand(demand, signature, &row).map_err(Self::refused)?;
		}
		let parameters = Parameters::<T>::get();
		let (fee, id) = (parameters.witness_fee, demand.id());
		let keep = Preservation::Preserve;
		let escrow = T::Escrow::get();
		T::Currency::transfer(&account, &escrow, fee, keep)?;
		// A coordinator whose account is empty puts in what it has.
		let coordinator = T::Settlement::account_of(&demand.batch.coordinator);
		let from_coordinator = coordinator.map_or(0, |from| {
			let part = Self::free_of(&from).min(fee);
			let paid = T::Currency::transfer(&from, &escrow, part, keep);
			if paid.is_ok() { part } else { 0 }
		});
		let pot = fee.saturating_add(from_coordinator);
		Sums::<T>::mutate(|sums| sums.escrow = sums.escrow.saturating_add(pot));
		let others = Self::fit_verifiers().into_iter().filter(|one| *one != account);
		let witnesses: alloc::vec::Vec<_> = others.map(|one| (one, None)).collect();
		let until = Self::working_ms().saturating_add(parameters.witness_ms);
		let hold_ms = Self::now().saturating_add(parameters.witness_ms).saturating_add(DAY_MS);
		let holds = T::Waiting::hold(&Part::Miner(demand.batch, demand.miner), hold_ms).is_ok();
		let by = account.clone();
		let row = DemandRow {
			by: account,
			receipt,
			miner: demand.miner,
			pot,
			holds,
			witnesses: witnesses.try_into().map_err(|_| Error::<T>::MaxVerifiersExceeded)?,
			until,
		};
		Demands::<T>::insert(id, row);
		Demanded::<T>::insert(id.batch, (id.verifier, id.check), ());
		Self::count_open(&id.batch, true);
		Self::count_demand(&by, true);
		Self::deposit_event(Event::OpeningDemanded {
			check: id,
			index: receipt.map(|receipt| receipt.index),
			pot,
			until_ms: Self::in_utc(until),
		});
		Ok(())
	}

	/// Checks what a witness says, whole; returns the demand and the witness's place.
	pub(crate) fn check_witness(
		statement: &WitnessStatement,
		signature: &VerifierSignature,
	) -> Result<(DemandRow<T::AccountId>, usize), CheckRefusal> {
		let row = Demands::<T>::get(statement.of).ok_or(CheckRefusal::UnknownDemand)?;
		ensure!(Self::working_ms() < row.until, CheckRefusal::TooLate);
		let (account, _) = Self::verifier_of(&statement.witness)?;
		ensure!(account != row.by, CheckRefusal::OwnCause);
		let place = row.witnesses.iter().position(|(one, _)| *one == account);
		let place = place.ok_or(CheckRefusal::NotDrawn)?;
		let said = row.witnesses.get(place).and_then(|(_, said)| *said);
		ensure!(said.is_none(), CheckRefusal::AlreadyDone);
		let is_signed = statement.is_signed(&Self::genesis_hash(), signature);
		ensure!(is_signed, CheckRefusal::BadSignature);
		Ok((row, place))
	}

	/// [`Pallet::witness`] without the origin.
	pub(crate) fn do_witness(
		statement: &WitnessStatement,
		signature: &VerifierSignature,
	) -> DispatchResult {
		let (mut row, place) = Self::check_witness(statement, signature).map_err(Self::refused)?;
		if let Some((_, said)) = row.witnesses.get_mut(place) {
			*said = Some(statement.says);
		}
		Self::deposit_event(Event::Witnessed {
			check: statement.of,
			witness: statement.witness,
			says: statement.says,
		});
		let (has, nothing, all) = row.count();
		let has_all_spoken = has.saturating_add(nothing) == all;
		match witnesses_say(has, nothing, all, has_all_spoken) {
			Some(outcome) => Self::end_demand(statement.of, row, outcome),
			None => {
				Demands::<T>::insert(statement.of, row);
				Ok(())
			},
		}
	}

	/// Checks that a demand is over; returns how it ends.
	pub(crate) fn check_close_demand(
		id: &CheckId,
	) -> Result<(DemandRow<T::AccountId>, OpeningOutcome), CheckRefusal> {
		let row = Demands::<T>::get(id).ok_or(CheckRefusal::UnknownDemand)?;
		let is_over = Self::working_ms() >= row.until;
		let (has, nothing, all) = row.count();
		let outcome = witnesses_say(has, nothing, all, is_over).ok_or(CheckRefusal::NotYet)?;
		Ok((row, outcome))
	}

	/// [`Pallet::close_demand`] without the origin.
	pub(crate) fn do_close_demand(id: CheckId) -> DispatchResult {
		let (row, outcome) = Self::check_close_demand(&id).map_err(Self::refused)?;
		Self::end_demand(id, row, outcome)
	}

	/// Ends a demand: pays the witnesses, and takes what is forfeited.
	fn end_demand(
		id: CheckId,
		row: DemandRow<T::AccountId>,
		outcome: OpeningOutcome,
	) -> DispatchResult {
		Demands::<T>::remove(id);
		Self::count_open(&id.batch, false);
		Self::count_demand(&row.by, false);
		Self::pay_witnesses(&row)?;
		if let (Some(receipt), true) = (&row.receipt, outcome != OpeningOutcome::Opened) {
			Self::forfeit(receipt)?;
		}
		if row.holds {
			let _ = T::Waiting::free(&Part::Miner(id.batch, row.miner));
		}
		if outcome == OpeningOutcome::Withheld {
			// Who is not registered any more has nothing that could be slashed.
			let _ = T::Waiting::punish(&id.batch.coordinator);
			if row.receipt.is_none() {
				// It has not even published which receipt the point is of: nobody can say which of its
				// work was honest.
				let _ = T::Waiting::forfeit_all(&id.batch.coordinator);
			}
		}
		Self::deposit_event(Event::DemandEnded { check: id, outcome });
		Ok(())
	}

	/// Counts what a verifier demands.
	fn count_demand(by: &T::AccountId, opens: bool) {
		Verifiers::<T>::mutate(by, |row| {
			if let Some(row) = row {
				row.demands = if opens {
					row.demands.saturating_add(1)
				} else {
					row.demands.saturating_sub(1)
				};
			}
		});
	}

	/// Divides a pot evenly among the witnesses that have spoken; what is left is the treasury's.
	fn pay_witnesses(row: &DemandRow<T::AccountId>) -> DispatchResult {
		let spoke = row.witnesses.iter().filter(|(_, said)| said.is_some());
		let number = u128::try_from(spoke.clone().count()).unwrap_or(u128::MAX);
		let part = share_of(row.pot, 1, number);
		// What rounding leaves goes first: alone in the account it would be below the existential deposit.
		let rest = row.pot.saturating_sub(part.saturating_mul(number));
		Self::pay_out(&T::Treasury::get(), rest)?;
		let mut left = row.pot.saturating_sub(rest);
		for (account, _) in spoke {
			if Self::pay_out(account, part).is_ok() {
				left = left.saturating_sub(part);
			}
		}
		Self::pay_out(&T::Treasury::get(), left)
	}

	/// Pays out of the pallet's account.
	pub(crate) fn pay_out(to: &T::AccountId, amount: u128) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		T::Currency::transfer(&T::Escrow::get(), to, amount, Preservation::Expendable)?;
		Sums::<T>::mutate(|sums| sums.escrow = sums.escrow.saturating_sub(amount));
		Ok(())
	}
}
