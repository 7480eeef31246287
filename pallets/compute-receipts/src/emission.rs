//! Steps, what parties earn in them, and the only place where AIT is minted.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::collections::BTreeSet;
use frame_support::{
	defensive, ensure,
	pallet_prelude::{DispatchError, DispatchResult, EnsureOrigin, Get, Weight},
	traits::{
		Time,
		fungible::{Inspect as _, Mutate as _},
		tokens::Provenance,
	},
};
use frame_system::pallet_prelude::OriginFor;
use gridproof_primitives::{
	compute::emission::{self, MINING_RESERVE, share_of},
	compute::settlement::Shares,
	compute::{AitPerAicp, ComputeParameters, ReferenceRate},
	crypto::ed25519::PublicKey,
	num::units::AIT_CAP,
};

impl<T: Config> Pallet<T> {
	/// Fixes the begin of emission as soon as the chain knows the time. Returns the weight.
	pub(crate) fn begin_emission() -> Weight {
		let schedule = EmissionSchedule::<T>::get();
		if schedule.start_ms > 0 {
			// The second read is that of `on_finalize`, and its write.
			return T::DbWeight::get().reads_writes(2, 1);
		}
		// Time of the block before; the first block has none yet.
		let start_ms = T::Time::now();
		if start_ms > 0 {
			EmissionSchedule::<T>::put(Schedule { start_ms, ..schedule });
		}
		T::DbWeight::get().reads_writes(3, 2)
	}

	/// Returns the number of the emission step at `now`.
	pub(crate) fn step_at(now: u64) -> u64 {
		let Schedule { start_ms, step_ms } = EmissionSchedule::<T>::get();
		if start_ms == 0 { 0 } else { emission::step_at(now, start_ms, step_ms) }
	}

	/// Accepts the governance and the pause origin. Returns `true` if it is governance.
	pub(crate) fn ensure_governance_or_pause(origin: OriginFor<T>) -> Result<bool, DispatchError> {
		match T::GovernanceOrigin::try_origin(origin) {
			Ok(_) => Ok(true),
			Err(origin) => T::PauseOrigin::ensure_origin(origin).map(|_| false).map_err(Into::into),
		}
	}

	/// [`Pallet::set_reference_rate`] without the origin.
	pub(crate) fn do_set_rate(governance: bool, new: Option<AitPerAicp>) -> DispatchResult {
		ensure!(new.is_none_or(|rate| rate.is_valid()), Error::<T>::InvalidRate);
		let (old, now) = (Rate::<T>::get(), T::Time::now());
		ensure!(old.is_some() || new.is_some(), Error::<T>::Unchanged);
		let lowers = match (&old, &new) {
			(Some(old), Some(new)) => new.is_below(&old.rate),
			(_, None) => true,
			(None, Some(_)) => false,
		};
		ensure!(governance || lowers, Error::<T>::NotGovernance);
		// Who may only brake cannot prolong a rate.
		let stated_ms = match old {
			Some(old) if !governance => old.stated_ms,
			_ => now,
		};
		let new = new.map(|rate| ReferenceRate { rate, stated_ms });
		// Draws continue by what governance stated: what lowers or ends a mint does not thin its checks.
		if let Some(stated) = new.filter(|_| governance) {
			DrawnRate::<T>::put(stated.rate);
		}
		Rate::<T>::set(new);
		Self::deposit_event(Event::ReferenceRateSet { old, new });
		Ok(())
	}

	/// Returns the AIT that can still be promised, in 10⁻¹⁸ AIT.
	pub(crate) fn reserve_left(sums: &Counters) -> u128 {
		let by_cap = AIT_CAP.saturating_sub(T::Currency::total_issuance());
		let by_reserve = MINING_RESERVE.saturating_sub(sums.minted);
		by_cap.min(by_reserve).saturating_sub(sums.promised)
	}

	/// Returns the parts that a step with those claims would have if it were closed now.
	pub(crate) fn pool_of(
		step: u64,
		claims: u128,
		parameters: &ComputeParameters,
		sums: &Counters,
	) -> Shares {
		let pool = emission::pool(step, claims, Self::reserve_left(sums));
		parameters.mint_split.divide(pool)
	}

	/// Closes the running step if it has ended, and returns the step that runs now.
	pub(crate) fn roll(now: u64) -> RunningStep {
		let running = Running::<T>::get();
		let step = Self::step_at(now);
		if step <= running.step {
			return running;
		}
		if running.parties > 0 {
			Self::close(&running);
		}
		let next = RunningStep { step, ..Default::default() };
		Running::<T>::put(next);
		next
	}

	/// Fixes the pool of a step and sets it aside.
	pub(crate) fn close(running: &RunningStep) {
		let RunningStep { step, claims, parties } = *running;
		let shares = Sums::<T>::mutate(|sums| {
			let shares = Self::pool_of(step, claims, &Parameters::<T>::get(), sums);
			sums.promised = sums.promised.saturating_add(shares.total());
			sums.treasury = sums.treasury.saturating_add(shares.treasury);
			shares
		});
		let kept = Shares { treasury: 0, ..shares };
		Steps::<T>::insert(
			step,
			ClosedStep { shares: kept, pool: shares.total(), claims, parties, converted: 0 },
		);
		Self::deposit_event(Event::StepClosed { step, claims, shares });
	}

	/// Returns the part of a miner's or a coordinator's claim in a closed step, in 10⁻¹⁸ AIT.
	pub(crate) fn part_of(is_miner: bool, claim: u128, closed: &ClosedStep) -> u128 {
		let share = if is_miner { closed.shares.miner } else { closed.shares.coordinator };
		share_of(share, claim.min(closed.claims), closed.claims)
	}

	/// Converts what a party earned in a closed step into AIT that it can claim.
	pub(crate) fn convert(party: &mut Party<T::AccountId>) {
		let Pending { step, claim, .. } = party.pending;
		if claim == 0 {
			return;
		}
		let forfeited = party.forfeits == Some(step);
		let is_miner = party.class().is_some();
		let Some(part) = Self::leave_step(step, is_miner, claim, !forfeited) else { return };
		party.forfeits = None;
		party.accrued = party.accrued.saturating_add(part);
		party.pending.claim = 0;
	}

	/// Takes a claim of a miner or a coordinator out of a closed step. Returns its part, in 10⁻¹⁸ AIT:
	/// nothing if it is not converted for anybody, and `None` if the step is not closed.
	pub(crate) fn leave_step(
		step: u64,
		is_miner: bool,
		claim: u128,
		converts: bool,
	) -> Option<u128> {
		let mut closed = Steps::<T>::get(step)?;
		let part = if converts { Self::part_of(is_miner, claim, &closed) } else { 0 };
		closed.converted = closed.converted.saturating_add(part);
		closed.parties = closed.parties.saturating_sub(1);
		if closed.parties > 0 {
			Steps::<T>::insert(step, closed);
			return Some(part);
		}
		// What rounding left over goes back to the reserve.
		let left = closed.shares.total().saturating_sub(closed.converted);
		Sums::<T>::mutate(|sums| sums.promised = sums.promised.saturating_sub(left));
		Steps::<T>::remove(step);
		Some(part)
	}

	/// Returns what a party could claim now, in 10⁻¹⁸ AIT: what is converted, and its part of a
	/// step that has ended.
	pub(crate) fn claimable(party: &Party<T::AccountId>, now: u64) -> u128 {
		let Pending { step, claim, .. } = party.pending;
		if claim == 0 || party.forfeits == Some(step) || step >= Self::step_at(now) {
			return party.accrued;
		}
		let closed = Steps::<T>::get(step).unwrap_or_else(|| {
			let running = Running::<T>::get();
			let shares =
				Self::pool_of(step, running.claims, &Parameters::<T>::get(), &Sums::<T>::get());
			ClosedStep { shares, claims: running.claims, ..Default::default() }
		});
		let is_miner = party.class().is_some();
		party.accrued.saturating_add(Self::part_of(is_miner, claim, &closed))
	}

	/// Mints promised AIT. The only mint of AIT on this chain.
	fn mint(who: &T::AccountId, amount: u128) -> DispatchResult {
		let after = T::Currency::total_issuance().checked_add(amount);
		ensure!(after.is_some_and(|after| after <= AIT_CAP), Error::<T>::CapReached);
		T::Currency::mint_into(who, amount)?;
		Sums::<T>::mutate(|sums| {
			sums.minted = sums.minted.saturating_add(amount);
			sums.promised = sums.promised.saturating_sub(amount);
		});
		Ok(())
	}

	/// Mints what a party can claim and records it in its row.
	pub(crate) fn pay_party(key: &PublicKey, party: &mut Party<T::AccountId>) -> DispatchResult {
		let amount = party.accrued;
		Self::mint(&party.account, amount)?;
		party.accrued = 0;
		party.minted = party.minted.saturating_add(amount);
		let account = party.account.clone();
		Self::deposit_event(Event::EmissionPaid { key: *key, account, amount });
		Ok(())
	}

	/// Mints the treasury's part of the emission.
	fn pay_treasury() {
		let amount = Sums::<T>::get().treasury;
		if amount == 0 {
			return;
		}
		// Below the existential deposit it waits for more, unless the account exists.
		if Self::mint(&T::Treasury::get(), amount).is_ok() {
			Sums::<T>::mutate(|sums| sums.treasury = sums.treasury.saturating_sub(amount));
			Self::deposit_event(Event::TreasuryPaid { amount });
		}
	}

	/// Checks that every party in this list has something to claim, and that it can be paid: a
	/// payout that would fail is not free.
	pub(crate) fn check_payout(parties: &[PublicKey]) -> DispatchResult {
		Self::ensure_minting()?;
		ensure!(!parties.is_empty(), Error::<T>::InvalidList);
		let unique: BTreeSet<_> = parties.iter().collect();
		ensure!(unique.len() == parties.len(), Error::<T>::InvalidList);
		let now = T::Time::now();
		let mut after = T::Currency::total_issuance();
		for key in parties {
			let party = Parties::<T>::get(key).ok_or(Error::<T>::UnknownParty)?;
			let amount = Self::claimable(&party, now);
			ensure!(amount > 0, Error::<T>::NothingDue);
			after = after.saturating_add(amount);
			T::Currency::can_deposit(&party.account, amount, Provenance::Minted).into_result()?;
		}
		ensure!(after <= AIT_CAP, Error::<T>::CapReached);
		Ok(())
	}

	/// [`Pallet::claim_emission`] without the origin.
	pub(crate) fn do_claim_emission(parties: &[PublicKey]) -> DispatchResult {
		Self::check_payout(parties)?;
		Self::roll(T::Time::now());
		for key in parties {
			let Some(mut party) = Parties::<T>::get(key) else {
				defensive!("the party was there when it was checked");
				continue;
			};
			Self::convert(&mut party);
			Self::pay_party(key, &mut party)?;
			Parties::<T>::insert(key, party);
		}
		Self::pay_treasury();
		Ok(())
	}

	/// Returns the weight of [`Pallet::claim_emission`], or of its check.
	pub(crate) fn weight_of_payout(parties: usize) -> Weight {
		T::WeightInfo::claim_emission(u32::try_from(parties).unwrap_or(u32::MAX))
	}
}
