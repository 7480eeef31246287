//! Statements, coverage, minting, and the answers of the view functions.

use crate::{pallet::*, weights::WeightInfo};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get, Weight},
	traits::fungibles::{Inspect as _, Mutate as _},
	weights::WeightMeter,
};
use gridproof_primitives::reserve::state::*;
use gridproof_primitives::{
	H256,
	num::decimal::{Ratio, SignedRatio},
	reserve::attestation::{AttestationFields, AttestationHandler, Kind},
	reserve::bounds::{
		EnergyRefusal, PriceRefusal, Reference, check_energy, first_day_accepted, next_average,
	},
	reserve::formula::{self, Coverage, State, day_of_use, evaluate, is_stale},
	reserve::parameters::PolicyParameters,
	reserve::stop::MintStops,
	time::calendar::DayClock,
	time::day::Day,
};

impl<T: Config> From<PriceRefusal> for Error<T> {
	fn from(fault: PriceRefusal) -> Self {
		match fault {
			PriceRefusal::TooLow => Self::PriceTooLow,
			PriceRefusal::TooHigh => Self::PriceTooHigh,
			PriceRefusal::MovedTooFar => Self::PriceMovedTooFar,
		}
	}
}

impl<T: Config> From<EnergyRefusal> for Error<T> {
	fn from(fault: EnergyRefusal) -> Self {
		match fault {
			EnergyRefusal::TooFewZones => Self::TooFewZones,
			EnergyRefusal::TooHigh => Self::EnergyTooHigh,
			EnergyRefusal::MovedTooFar => Self::EnergyMovedTooFar,
		}
	}
}

/// Figures of a statement that are believed.
#[derive(Clone, Copy)]
struct Believed {
	/// Moving average of the price, in EUR/MWh.
	average: Ratio,
	/// Mean energy of a complete zone, in Wh.
	wh_per_zone: u128,
}

/// Returns the coverage with `issuance` micro-tokens, `made` of which were made since genesis;
/// `None` if it cannot be computed.
fn coverage_of(
	parameters: &PolicyParameters,
	statement: &Statement,
	issuance: u128,
	made: u128,
) -> Option<Coverage> {
	let Statement { wh_committed, eur_per_mwh, compute_assets, .. } = *statement;
	let inputs = parameters.inputs(wh_committed, eur_per_mwh, compute_assets, issuance);
	evaluate(&inputs, &parameters.policy_at(issuance, made)).ok()
}

fn ratio_fixed(coverage: &Coverage) -> Option<u128> {
	coverage.ratio.map(|ratio| ratio.fixed_floor())
}

fn ratio_exact(coverage: &Coverage) -> Option<Ratio> {
	coverage.ratio.and_then(|ratio| ratio.to_ratio())
}

impl<T: Config> Pallet<T> {
	/// Returns the total issuance of AICP, in micro-tokens.
	pub(crate) fn issuance() -> u128 {
		T::Fungibles::total_issuance(T::Aicp::get())
	}

	/// Returns the AICP that genesis and mints have made, in micro-tokens, burned or not.
	fn made() -> u128 {
		let sums = Sums::<T>::get();
		sums.genesis.saturating_add(sums.minted)
	}

	/// Returns the latest statement, unless it is too old.
	fn fresh(parameters: &PolicyParameters, today: Day) -> Option<Statement> {
		let fresh = |latest: &Statement| !is_stale(Some(latest.day), today, parameters.max_age);
		Latest::<T>::get().filter(fresh)
	}

	/// Returns the present state, and CR in parts of 10¹⁸.
	pub(crate) fn current_state() -> (State, Option<u128>) {
		let parameters = Parameters::<T>::get();
		let coverage = Self::fresh(&parameters, T::Clock::today())
			.and_then(|latest| coverage_of(&parameters, &latest, Self::issuance(), Self::made()));
		match coverage {
			Some(coverage) => (coverage.state, ratio_fixed(&coverage)),
			None => (State::Frozen, None),
		}
	}

	/// Announces the state if it is not the one announced last.
	pub(crate) fn announce() {
		let (to, ratio) = Self::current_state();
		let from = Announced::<T>::get();
		if from != to {
			Announced::<T>::put(to);
			Self::deposit_event(Event::StateChanged { from, to, ratio });
		}
	}

	/// Returns what is left on `today` of the allowance of `latest`, in micro-tokens, whatever the
	/// breaker stops.
	fn left_of(
		parameters: &PolicyParameters,
		latest: &Statement,
		today: Day,
	) -> Result<u128, Error<T>> {
		ensure!(!is_stale(Some(latest.day), today, parameters.max_age), Error::<T>::Stale);
		ensure!(latest.taken_on <= today, Error::<T>::AllowanceNotOpen);
		let open = |minting: &MintDay| latest.taken_on == today && minting.day == today;
		let minting = Minting::<T>::get().filter(open).ok_or(Error::<T>::AllowanceLapsed)?;
		ensure!(!latest.price.is_negative(), Error::<T>::NegativePrice);
		ensure!(latest.price != SignedRatio::default(), Error::<T>::ZeroPrice);
		let made = Self::made();
		let now =
			coverage_of(parameters, latest, Self::issuance(), made).ok_or(Error::<T>::Overflow)?;
		ensure!(now.state.allows_mint(), Error::<T>::NotCovered);
		let before = made.saturating_sub(minting.minted);
		let opening =
			coverage_of(parameters, latest, minting.opening, before).ok_or(Error::<T>::Overflow)?;
		Ok(opening.mint.saturating_sub(minting.minted))
	}

	/// [`Pallet::allowance`].
	pub(crate) fn current_allowance() -> u128 {
		if BreakerLevel::<T>::get() != Breaker::Closed || T::Stops::is_stopped() {
			return 0;
		}
		let (parameters, today) = (Parameters::<T>::get(), T::Clock::today());
		let left = |latest| Self::left_of(&parameters, &latest, today).ok();
		Latest::<T>::get().and_then(left).unwrap_or(0)
	}

	/// [`Pallet::mint`] without the origin.
	pub(crate) fn do_mint(amount: u128, statement: H256) -> DispatchResult {
		ensure!(BreakerLevel::<T>::get() == Breaker::Closed, Error::<T>::MintStopped);
		ensure!(!T::Stops::is_stopped(), Error::<T>::StoppedByRole);
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		let (parameters, today) = (Parameters::<T>::get(), T::Clock::today());
		let latest = Latest::<T>::get().ok_or(Error::<T>::Stale)?;
		ensure!(latest.hash == statement, Error::<T>::OtherStatement);
		let left = Self::left_of(&parameters, &latest, today)?;
		let allowance = left.checked_sub(amount).ok_or(Error::<T>::AboveAllowance)?;
		T::Fungibles::mint_into(T::Aicp::get(), &T::Treasury::get(), amount)?;
		Minting::<T>::mutate(|minting| {
			if let Some(minting) = minting {
				minting.most = minting.most.max(minting.minted.saturating_add(left));
				minting.minted = minting.minted.saturating_add(amount);
			}
		});
		Sums::<T>::mutate(|sums| sums.minted = sums.minted.saturating_add(amount));
		Self::update_last_record(|record| {
			// Parameters may have raised the allowance since the record was written.
			record.allowance = record.allowance.max(record.minted.saturating_add(left));
			record.minted = record.minted.saturating_add(amount);
		});
		Self::deposit_event(Event::Minted { amount, day: latest.day, allowance });
		Self::announce();
		Ok(())
	}

	/// Returns what a statement about `day` is compared with; `None` for a day before the latest,
	/// because a statement about it has no effect.
	fn reference_for(day: Day, latest: Option<Statement>) -> Option<Reference> {
		let latest = latest?;
		match day.cmp(&latest.day) {
			core::cmp::Ordering::Greater => Some(latest.as_reference()),
			core::cmp::Ordering::Equal => latest.reference,
			core::cmp::Ordering::Less => None,
		}
	}

	/// Checks that the parameters support this statement.
	fn check_statement(
		fields: &AttestationFields,
		reference: Option<Reference>,
	) -> Result<Believed, Error<T>> {
		let parameters = Parameters::<T>::get();
		ensure!(fields.zones_total == parameters.zones_total, Error::<T>::WrongZones);
		let alpha =
			parameters.effective_alpha(fields.zones_ok).map_err(|_| Error::<T>::WrongZones)?;
		ensure!(fields.alpha <= alpha, Error::<T>::AlphaTooHigh);
		let inventory = parameters.compute_inventory;
		ensure!(fields.compute_assets <= inventory, Error::<T>::AboveInventory);
		let AttestationFields { wh_raw, zones_ok, zones_total, day, .. } = *fields;
		let (bounds, reference) = (&parameters.energy, reference.as_ref());
		let wh_per_zone = check_energy(wh_raw, zones_ok, zones_total, bounds, reference, day)
			.map_err(Error::<T>::from)?;
		let average = next_average(&fields.eur_per_mwh, &parameters.prices, reference, day)
			.map_err(Error::<T>::from)?;
		Ok(Believed { average, wh_per_zone })
	}

	/// Accepts a statement about the latest day, or a later one.
	fn take(fields: &AttestationFields, hash: H256, believed: Believed, latest: Option<Statement>) {
		let today = T::Clock::today();
		let revised = latest.filter(|latest| latest.day == fields.day);
		let issuance = Self::issuance();
		let taken_on = match revised {
			Some(revised) => revised.taken_on,
			None => day_of_use(fields.day, today),
		};
		let opened = Minting::<T>::get().is_some_and(|minting| minting.day == taken_on);
		if revised.is_none() && !opened {
			Minting::<T>::put(MintDay { day: taken_on, opening: issuance, minted: 0, most: 0 });
		}
		let statement = Statement {
			hash,
			day: fields.day,
			taken_on,
			wh_committed: fields.wh_committed,
			price: fields.eur_per_mwh,
			eur_per_mwh: believed.average,
			compute_assets: fields.compute_assets,
			wh_per_zone: believed.wh_per_zone,
			reference: Self::reference_for(fields.day, latest),
		};
		Latest::<T>::put(statement);
		let parameters = Parameters::<T>::get();
		let left = Self::left_of(&parameters, &statement, today.max(taken_on)).unwrap_or(0);
		Minting::<T>::mutate(|minting| {
			if let Some(minting) = minting.as_mut().filter(|minting| minting.day == taken_on) {
				minting.most = minting.most.max(minting.minted.saturating_add(left));
			}
		});
		let coverage = coverage_of(&parameters, &statement, issuance, Self::made());
		Self::write_record(&statement, coverage.as_ref(), issuance, left, revised.is_some());
		let (v_reserve, supply_target) =
			coverage.map_or((0, 0), |coverage| (coverage.v_reserve, coverage.supply_target));
		let (statement, day, allowance) = (hash, fields.day, Self::current_allowance());
		Self::deposit_event(Event::StatementTaken {
			statement,
			day,
			v_reserve,
			supply_target,
			allowance,
		});
		Self::announce();
	}

	/// Adds a stated day to the history, or corrects the last one.
	fn write_record(
		statement: &Statement,
		coverage: Option<&Coverage>,
		issuance: u128,
		left: u128,
		correct: bool,
	) {
		let record = DayRecord {
			statement: statement.hash,
			day: statement.day,
			taken_on: statement.taken_on,
			v_reserve: coverage.map_or(0, |coverage| coverage.v_reserve),
			issuance,
			ratio: coverage.and_then(ratio_exact),
			state: coverage.map_or(State::Frozen, |coverage| coverage.state),
			allowance: left,
			minted: 0,
		};
		if correct {
			Self::update_last_record(|last| {
				let minted = last.minted;
				*last = DayRecord { allowance: left.saturating_add(minted), minted, ..record };
			});
			return;
		}
		let number = NextRecord::<T>::get();
		History::<T>::insert(number, record);
		if let Some(old) = number.checked_sub(T::MaxHistory::get()) {
			History::<T>::remove(old);
		}
		NextRecord::<T>::put(number.saturating_add(1));
	}

	fn update_last_record(change: impl FnOnce(&mut DayRecord)) {
		let Some(last) = NextRecord::<T>::get().checked_sub(1) else { return };
		History::<T>::mutate(last, |record| {
			if let Some(record) = record {
				change(record);
			}
		});
	}

	/// [`Pallet::history`].
	pub(crate) fn latest_records(limit: u32) -> Vec<DayRecord> {
		let next = NextRecord::<T>::get();
		(1..=limit.min(T::MaxHistory::get()))
			.map_while(|back| History::<T>::get(next.checked_sub(back)?))
			.collect()
	}

	/// [`Pallet::status`].
	pub(crate) fn current_status() -> Status {
		let (parameters, today) = (Parameters::<T>::get(), T::Clock::today());
		let statement = Latest::<T>::get();
		let issuance = Self::issuance();
		let coverage =
			statement.and_then(|latest| coverage_of(&parameters, &latest, issuance, Self::made()));
		let minting = Minting::<T>::get().filter(|minting| minting.day == today);
		let paid_out = Self::paid_out(&parameters, today);
		Status {
			today,
			state: Self::current_state().0,
			breaker: BreakerLevel::<T>::get(),
			stale: Self::fresh(&parameters, today).is_none(),
			statement,
			issuance,
			supply: coverage.map_or(0, |coverage| coverage.supply),
			supply_target: coverage.map_or(0, |coverage| coverage.supply_target),
			v_reserve: coverage.map_or(0, |coverage| coverage.v_reserve),
			ratio: coverage.as_ref().and_then(ratio_exact),
			ratio_fixed: coverage.as_ref().and_then(ratio_fixed),
			allowance: Self::current_allowance(),
			minted: minting.map_or(0, |minting| minting.minted),
			queue: Ends::<T>::get().length(),
			capacity: Self::room(&parameters, &paid_out),
			daily_capacity: paid_out.capacity,
			waiting: Waiting::<T>::get(),
			budget: Self::budget(&parameters),
			totals: Sums::<T>::get(),
			stopped_by_role: T::Stops::is_stopped(),
		}
	}

	/// [`Pallet::quote`].
	pub(crate) fn current_quote(what_if: WhatIf) -> Result<Quote, DispatchError> {
		let parameters = Parameters::<T>::get();
		let latest = Latest::<T>::get();
		let issuance = what_if.issuance.unwrap_or_else(Self::issuance);
		let inputs = parameters.inputs(
			what_if.wh_committed.or(latest.map(|latest| latest.wh_committed)).unwrap_or(0),
			what_if.eur_per_mwh.or(latest.map(|latest| latest.eur_per_mwh)).unwrap_or(Ratio::ZERO),
			what_if.compute_assets.or(latest.map(|latest| latest.compute_assets)).unwrap_or(0),
			issuance,
		);
		let policy = parameters.policy_at(issuance, Self::made());
		let coverage = evaluate(&inputs, &policy).map_err(|_| Error::<T>::Overflow)?;
		Ok(Quote {
			state: coverage.state,
			supply: coverage.supply,
			supply_target: coverage.supply_target,
			v_reserve: coverage.v_reserve,
			ratio: ratio_exact(&coverage),
			ratio_fixed: ratio_fixed(&coverage),
			mint: coverage.mint,
			binding: coverage.binding,
		})
	}

	/// [`Pallet::outlook`].
	pub(crate) fn price_outlook(day: Day, price: &SignedRatio) -> Outlook {
		let parameters = Parameters::<T>::get();
		let (bounds, latest) = (&parameters.prices, Latest::<T>::get());
		let reference = Self::reference_for(day, latest);
		Outlook {
			average: next_average(price, bounds, reference.as_ref(), day).ok(),
			first_day: first_day_accepted(price, bounds, reference.as_ref(), day),
			bootstrap: parameters.policy_at(Self::issuance(), Self::made()).bootstrap,
		}
	}

	/// Returns the credit for `amount` micro-tokens now, in micro-EUR.
	pub(crate) fn credit_for(amount: u128) -> Result<u128, DispatchError> {
		let price = Parameters::<T>::get().policy.target_price;
		Ok(formula::redeem_value(amount, &price).map_err(|_| Error::<T>::Overflow)?)
	}

	/// What each block does automatically, within its weight. Nothing depends on it: states are
	/// computed when they matter, and anyone can serve the queue.
	pub(crate) fn poll(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::poll()).is_err() {
			return;
		}
		let today = T::Clock::today();
		if LastPolled::<T>::get() != today {
			LastPolled::<T>::put(today);
			Self::announce();
		}
		if BreakerLevel::<T>::get() < Breaker::AllStopped && Ends::<T>::get().length() > 0 {
			Self::serve_tickets(T::MaxServed::get(), || {
				meter.try_consume(T::WeightInfo::serve(1)).is_ok()
			});
		}
	}
}

impl<T: Config> AttestationHandler for Pallet<T> {
	fn check(fields: &AttestationFields) -> DispatchResult {
		if fields.kind == Kind::Reserve {
			let reference = Self::reference_for(fields.day, Latest::<T>::get());
			Self::check_statement(fields, reference)?;
		}
		Ok(())
	}

	fn on_accepted(fields: &AttestationFields, statement: H256) -> DispatchResult {
		if fields.kind != Kind::Reserve {
			return Ok(());
		}
		let latest = Latest::<T>::get();
		let believed = Self::check_statement(fields, Self::reference_for(fields.day, latest))?;
		if latest.is_some_and(|latest| fields.day < latest.day) {
			Self::deposit_event(Event::StatementNoted { statement, day: fields.day });
		} else {
			Self::take(fields, statement, believed, latest);
		}
		Ok(())
	}

	fn check_weight() -> Weight {
		T::WeightInfo::check_statement()
	}

	fn accept_weight() -> Weight {
		T::WeightInfo::accept_statement()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn prepare_worst_case(day: Day) -> AttestationFields {
		crate::benchmarking::prepare_statement::<T>(day)
	}
}
