//! Demands of openings, and what witnesses say.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Fortitude, Preservation},
	},
};
use gridproof_primitives::{
	compute::{
		channels::{ChannelReceipt, Placed},
		checks::{
			BatchChecks, CheckId, CheckRefusal, MAX_CHECKS_PER_DRAW, MAX_VERIFIERS, OPENED_CHECKS,
			OpeningDemand, OpeningOutcome, Part, VerifierSignature, Waiting, Witness,
			WitnessStatement, price_of_check, witnesses_say,
		},
		emission::share_of,
	},
	crypto::ed25519::PublicKey,
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
				let checked = Self::check_placed(&demand.batch, &batch, placed)?;
				ensure!(!Self::parties_of(&checked).contains(&account), CheckRefusal::OwnCause);
				Some(checked)
			},
			None => None,
		};
		Ok((account, row, receipt))
	}

	/// Returns what an account can pay without being reaped, in 10⁻¹⁸ AIT.
	fn free_of(account: &T::AccountId) -> u128 {
		T::Currency::reducible_balance(account, Preservation::Preserve, Fortitude::Polite)
	}

	/// Verifies signature and draw of a demand. Returns the place of its point in the miner's running sum of
	/// prices, if it names no receipt.
	fn verify_demand(
		demand: &OpeningDemand,
		signature: &VerifierSignature,
		row: &BatchRow,
	) -> Result<u128, CheckRefusal> {
		let is_signed = demand.is_signed(&Self::genesis_hash(), signature);
		ensure!(is_signed, CheckRefusal::BadSignature);
		if demand.check >= MAX_CHECKS_PER_DRAW {
			let placed = demand.receipt.as_ref().ok_or(CheckRefusal::NotDrawn)?;
			let voucher = placed.item.receipt.voucher().ok_or(CheckRefusal::NotDrawn)?;
			return Self::check_asked(&demand.id(), &voucher).map(|()| 0);
		}
		let point = Self::verify_draw(row, &demand.verifier, &demand.vrf, demand.check)?;
		match &demand.receipt {
			Some(placed) => Self::check_point(&demand.batch, &placed.item, point).map(|()| 0),
			None => Self::place_of(&demand.batch, &demand.miner, point),
		}
	}

	/// Checks a demand whole, for the pool.
	pub(crate) fn check_whole_demand(
		demand: &OpeningDemand,
		signature: &VerifierSignature,
	) -> Result<(), CheckRefusal> {
		let (_, row, _) = Self::check_demand_state(demand)?;
		Self::verify_demand(demand, signature, &row).map(|_| ())
	}

	/// [`Pallet::demand_opening`] without the origin. `verified` if signature and draw are.
	pub(crate) fn do_demand(
		demand: &OpeningDemand,
		signature: &VerifierSignature,
		verified: bool,
	) -> DispatchResult {
		let (account, row, receipt) = Self::check_demand_state(demand).map_err(Self::refused)?;
		// Where it names no receipt, the draw says which one is meant.
		let place = if verified && receipt.is_some() {
			0
		} else {
			Self::verify_demand(demand, signature, &row).map_err(Self::refused)?
		};
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
		let mut parties = receipt.as_ref().map(Self::parties_of).unwrap_or_default();
		parties.extend(T::Settlement::account_of(&demand.batch.coordinator));
		let mut witnesses: Vec<_> = Self::fit_verifiers();
		let is_peer = witnesses.contains(&account);
		witnesses.retain(|one| *one != account && !parties.contains(one));
		let witnesses: Vec<_> = witnesses.into_iter().map(|one| (one, None)).collect();
		let until = Self::working_ms().saturating_add(parameters.witness_ms);
		// Once more from the naming of the receipt, and until somebody has reported it.
		let longest = [parameters.witness_ms, parameters.witness_ms, parameters.commit_ms, DAY_MS];
		let hold_ms = longest.iter().fold(Self::now(), |sum, time| sum.saturating_add(*time));
		let holds = T::Waiting::hold(&Part::Miner(demand.batch, demand.miner), hold_ms).is_ok();
		let by = account.clone();
		let row = DemandRow {
			by: account,
			is_peer,
			receipt,
			miner: demand.miner,
			place,
			is_paid: from_coordinator >= fee,
			pot,
			holds,
			witnesses: witnesses.try_into().map_err(|_| Error::<T>::MaxVerifiersExceeded)?,
			until,
			opened: None,
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

	/// Checks that a receipt is the one that a demand means without a name; returns demand and receipt.
	pub(crate) fn check_name(
		id: &CheckId,
		placed: &Placed<ChannelReceipt>,
	) -> Result<(DemandRow<T::AccountId>, Checked), CheckRefusal> {
		let row = Demands::<T>::get(id).ok_or(CheckRefusal::UnknownDemand)?;
		ensure!(row.receipt.is_none(), CheckRefusal::AlreadyDone);
		ensure!(Self::working_ms() < row.until, CheckRefusal::TooLate);
		let batch = T::Waiting::batch(&id.batch).ok_or(CheckRefusal::UnknownBatch)?;
		ensure!(placed.item.receipt.miner == Some(row.miner), CheckRefusal::OtherPoint);
		Self::check_place(&placed.item, row.place)?;
		let receipt = Self::check_placed(&id.batch, &batch, placed)?;
		Ok((row, receipt))
	}

	/// [`Pallet::name_receipt`] without the origin.
	pub(crate) fn do_name(id: CheckId, placed: &Placed<ChannelReceipt>) -> DispatchResult {
		let (mut row, receipt) = Self::check_name(&id, placed).map_err(Self::refused)?;
		row.receipt = Some(receipt);
		// What was said before was about a list, and not about an opening.
		let parties = Self::parties_of(&receipt);
		row.witnesses.retain(|(account, _)| !parties.contains(account));
		row.witnesses.iter_mut().for_each(|(_, said)| *said = None);
		row.until = Self::working_ms().saturating_add(Parameters::<T>::get().witness_ms);
		let until_ms = Self::in_utc(row.until);
		Demands::<T>::insert(id, row);
		Self::deposit_event(Event::ReceiptNamed { check: id, index: receipt.index, until_ms });
		Ok(())
	}

	/// Checks what a witness says, whole; returns the demand and the witness's place.
	pub(crate) fn check_witness(
		statement: &WitnessStatement,
		signature: &VerifierSignature,
	) -> Result<(DemandRow<T::AccountId>, usize), CheckRefusal> {
		let row = Demands::<T>::get(statement.of).ok_or(CheckRefusal::UnknownDemand)?;
		ensure!(row.opened.is_none(), CheckRefusal::AlreadyDone);
		ensure!(Self::working_ms() < row.until, CheckRefusal::TooLate);
		let named = row.receipt.as_ref().map(|receipt| receipt.index);
		let speaks_of_list = statement.index.is_none() && statement.says == Witness::GotNothing;
		ensure!(named.is_some() || speaks_of_list, CheckRefusal::NotNamed);
		ensure!(named == statement.index, CheckRefusal::OtherPoint);
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
		match Self::outcome_of(&row, false) {
			Some(outcome) => Self::end_demand(statement.of, row, outcome),
			None => {
				Demands::<T>::insert(statement.of, row);
				Ok(())
			},
		}
	}

	/// Returns how a demand ends, if that can be said. As long as no receipt is named, anybody may still name
	/// it, so nobody decides before its time is over.
	fn outcome_of(row: &DemandRow<T::AccountId>, is_over: bool) -> Option<OpeningOutcome> {
		if row.receipt.is_none() && !is_over {
			return None;
		}
		let (has, nothing, all) = row.count_all();
		let have_all_spoken = all > 0 && has.saturating_add(nothing) == all;
		witnesses_say(has, nothing, all, is_over || have_all_spoken)
	}

	/// Checks that a demand is over; returns how it ends.
	pub(crate) fn check_close_demand(
		id: &CheckId,
	) -> Result<(DemandRow<T::AccountId>, OpeningOutcome), CheckRefusal> {
		let row = Demands::<T>::get(id).ok_or(CheckRefusal::UnknownDemand)?;
		let is_over = Self::working_ms() >= row.until;
		if row.opened.is_some() {
			// Two thirds have it, and nobody has reported.
			ensure!(is_over, CheckRefusal::NotYet);
			return Ok((row, OpeningOutcome::Unclear));
		}
		let outcome = Self::outcome_of(&row, is_over).ok_or(CheckRefusal::NotYet)?;
		Ok((row, outcome))
	}

	/// [`Pallet::close_demand`] without the origin.
	pub(crate) fn do_close_demand(id: CheckId) -> DispatchResult {
		let (row, outcome) = Self::check_close_demand(&id).map_err(Self::refused)?;
		Self::end_demand(id, row, outcome)
	}

	/// Ends a demand: pays the witnesses, and takes what is forfeited. Where two thirds have the opening, it
	/// ends with a report: of the demander, or of any of them.
	fn end_demand(
		id: CheckId,
		row: DemandRow<T::AccountId>,
		outcome: OpeningOutcome,
	) -> DispatchResult {
		Self::pay_witnesses(&row)?;
		if outcome == OpeningOutcome::Opened && row.is_paid && Self::can_be_reported(&row) {
			Self::let_witnesses_report(id, row);
			Self::deposit_event(Event::DemandEnded { check: id, outcome });
			return Ok(());
		}
		Self::remove_demand(&id, &row);
		// A coordinator that has nothing for its fee has no witnesses either.
		let is_forfeited = outcome != OpeningOutcome::Opened || !row.is_paid;
		match &row.receipt {
			Some(receipt) if is_forfeited => Self::forfeit(receipt)?,
			None if outcome == OpeningOutcome::Unclear => Self::forfeit_check(&id, &row.miner),
			_ => {},
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

	/// Forfeits as much of a line as one check stands for: nobody knows which receipt its point is of.
	fn forfeit_check(id: &CheckId, miner: &PublicKey) {
		let Some(row) = Batches::<T>::get(id.batch) else { return };
		let BatchChecks { value, per_check, total, .. } = row.checks;
		// What is paid out already cannot be taken.
		let price = price_of_check(value, per_check, total);
		let _ = T::Waiting::forfeit_price(&id.batch, miner, price);
	}

	/// Returns `true` if figures of the demanded receipt are judged at all.
	fn can_be_reported(row: &DemandRow<T::AccountId>) -> bool {
		row.receipt.is_some_and(|receipt| {
			let batch = T::Waiting::batch(&receipt.batch);
			batch.is_some_and(|batch| Self::line_of(&receipt.model, batch.settled_ms).is_some())
		})
	}

	/// Two thirds have the opening: one of them reports the check, or who has demanded it.
	fn let_witnesses_report(id: CheckId, mut row: DemandRow<T::AccountId>) {
		let mut opened = 0u32;
		Batches::<T>::mutate(id.batch, |batch| {
			if let Some(batch) = batch {
				opened = OPENED_CHECKS.saturating_add(batch.opened);
				batch.opened = batch.opened.saturating_add(1);
			}
		});
		row.pot = 0;
		row.opened = Some(opened);
		row.until = Self::working_ms().saturating_add(Parameters::<T>::get().commit_ms);
		Opened::<T>::insert(id.batch, opened, id);
		let until_ms = Self::in_utc(row.until);
		Demands::<T>::insert(id, row);
		Self::deposit_event(Event::WitnessesReport { check: id, number: opened, until_ms });
	}

	/// A check whose opening witnesses had was reported.
	pub(crate) fn end_opened(id: CheckId) {
		let Some(row) = Demands::<T>::get(id) else { return };
		Self::remove_demand(&id, &row);
		if row.holds {
			let _ = T::Waiting::free(&Part::Miner(id.batch, row.miner));
		}
	}

	fn remove_demand(id: &CheckId, row: &DemandRow<T::AccountId>) {
		Demands::<T>::remove(id);
		if let Some(opened) = row.opened {
			Opened::<T>::remove(id.batch, opened);
		}
		Self::count_open(&id.batch, false);
		Self::count_demand(&row.by, false);
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
