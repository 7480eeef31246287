//! Invariants that hold between any two blocks.

use crate::{pallet::*, types::*};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	pallet_prelude::Get,
	traits::fungible::{Inspect as _, hold::Inspect as _},
};
use gridproof_primitives::{
	compute::emission::{self, MINING_RESERVE},
	compute::{JobState, PriceAsset},
	num::units::AIT_CAP,
	reserve::attestation::ServiceCredit,
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant:
	///
	/// 1. The parameters do not contradict each other.
	/// 2. For each account, what is held as bonds is the sum of its parties' bonds; there are as
	///    many parties as counted; no more of a party is to be slashed than its bond.
	/// 3. The escrow has what the rows say: the prices of open jobs, what is left of channels and what
	///    waits, in AIT and AICP, and the deposits of demands and for the rows of jobs, reports and channels. It may
	///    have more, because anybody can send it something. Nothing is on hold for jobs any more. For each client, service credit held is at
	///    least the sum of its open jobs' prices in it.
	/// 4. Each job that was opened is open or was closed once; the counters of open jobs and of
	///    escrow are those of the rows; exactly the settled jobs have a receipt, within its terms.
	/// 5. No more AIT exists than genesis and mints created; with what is promised the mints stay
	///    within the reserve, and the issuance within the cap.
	/// 6. What is promised is what parties accrued, what closed steps have not converted, and the
	///    treasury's part.
	/// 7. A step's row, and the running step, have as many parties as have a claim in them, each line that
	///    waits once for its miner and once for its coordinator, and at least their claims; no claim is in
	///    another step; the pool of a closed step is
	///    within its budget and its claims, and what is converted within the pool.
	/// 8. Offences were reported only about jobs in the state, and each once.
	/// 9. No mark of verified signatures outlives its transaction.
	/// 10. No more coordinators are admitted than there are seats, and the rate is a rate.
	/// 11. Only keys of parties are exchanged; an old key is nobody's, its successor is a party's, and
	///     each of the two leads to the other.
	/// 12. The parameters of channels do not contradict each other, and bonds outlast what waits.
	/// 13. There are as many channels as counted, each with a number that was given out, in the list of
	///     its client and settled within its deposit and vouchers; what is left of the deposits is what
	///     is counted, and the escrow has it (3).
	/// 14. For each coordinator the kept limits are the sum of those of its channels.
	/// 15. There are as many batches and receipts as coordinators' headers and miners' sums say, and
	///     nobody's work costs nothing.
	/// 16. Of each coordinator and of each account that asks as many demands are open as counted, and no
	///     more than there are places; the escrow has their deposits (3).
	/// 17. What was proven was proven of a channel that is known, each kind once and at least one; to a
	///     client no more was given back than was settled out of its channel.
	/// 18. What is forgotten one day is in the queue once, in the order of its time, and nothing else is.
	/// 19. Of each coordinator every header that is remembered is the last of its group, and none is
	///     missing between the first and the newest.
	/// 20. What waits is what is counted, and the escrow has it (3).
	/// 21. Each batch that waits has its list and as many lines as it says, with claims that are within
	///     what they can be and sum up to what it says of its coordinator; what goes back to its clients
	///     is at most what they paid, and what went back is at most that.
	/// 22. As many holds of each bond are counted as its party's parts have; nothing is taken of batches to
	///     come; no more was paid for checks of a day than the treasury received on it.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(Parameters::<T>::get().check().is_ok(), "1: parameters break a relation");
		Self::try_bonds()?;
		Self::try_jobs()?;
		Self::try_supply()?;
		Self::try_steps()?;
		for (job_id, _, reported) in Reports::<T>::iter() {
			ensure!(Jobs::<T>::contains_key(job_id), "8: offence about a job that is gone");
			let unique: alloc::collections::BTreeSet<_> = reported.kinds.iter().collect();
			ensure!(unique.len() == reported.kinds.len(), "8: offence reported twice");
		}
		ensure!(!Verified::<T>::exists(), "9: a mark is left");
		let seats = T::MaxCoordinators::get();
		ensure!(Admitted::<T>::count() <= seats, "10: more are admitted than there are seats");
		let rate = Rate::<T>::get().is_none_or(|rate| rate.rate.is_valid());
		ensure!(rate, "10: no rate");
		for key in Exchanges::<T>::iter_keys() {
			ensure!(Parties::<T>::contains_key(key), "11: exchange of nobody's key");
		}
		for (old, Exchange { key, .. }) in Successors::<T>::iter() {
			let known = Parties::<T>::contains_key(key) && !Parties::<T>::contains_key(old);
			ensure!(known && Former::<T>::get(key) == Some(old), "11: a key leads nowhere");
		}
		let (old, new) = (Successors::<T>::iter_keys().count(), Former::<T>::iter_keys().count());
		ensure!(old == new, "11: an old key without a successor");
		Self::try_channels()?;
		Self::try_waiting()?;
		Self::try_offences()
	}

	fn try_bonds() -> Result<(), TryRuntimeError> {
		let mut bonds = BTreeMap::<T::AccountId, u128>::new();
		let (mut miners, mut coordinators) = (0u32, 0u32);
		for (_, party) in Parties::<T>::iter() {
			ensure!(party.pending_slash() <= party.bond, "2: more to be slashed than there is");
			let bond = bonds.entry(party.account.clone()).or_default();
			*bond = bond.saturating_add(party.bond);
			let count = if party.class().is_some() { &mut miners } else { &mut coordinators };
			*count = count.saturating_add(1);
		}
		for (who, bond) in bonds {
			let held = T::Currency::balance_on_hold(&HoldReason::Bond.into(), &who);
			ensure!(held == bond, "2: a bond is not held");
		}
		let sums = Sums::<T>::get();
		ensure!(
			(miners, coordinators) == (sums.miners, sums.coordinators),
			"2: parties miscounted"
		);
		for key in Activities::<T>::iter_keys() {
			ensure!(Parties::<T>::contains_key(key), "2: activity without a miner");
		}
		Ok(())
	}

	/// Returns what the escrow owes to the owners of its rows, in AIT and AICP.
	pub(crate) fn owed() -> [u128; 2] {
		let [mut ait, mut aicp] = Self::owed_to_channels();
		let [waiting_ait, waiting_aicp] = Self::owed_to_waiting();
		ait = ait.saturating_add(Self::owed_to_demands()).saturating_add(waiting_ait);
		aicp = aicp.saturating_add(waiting_aicp);
		for (_, job) in Jobs::<T>::iter() {
			ait = ait.saturating_add(job.deposit);
			let price = if job.state == JobState::Open { job.terms.price } else { 0 };
			match job.asset {
				PriceAsset::Ait => ait = ait.saturating_add(price),
				PriceAsset::Aicp => aicp = aicp.saturating_add(price),
				PriceAsset::ServiceCredit => {},
			}
		}
		for (_, _, reported) in Reports::<T>::iter() {
			ait = ait.saturating_add(reported.deposit);
		}
		[ait, aicp]
	}

	fn try_jobs() -> Result<(), TryRuntimeError> {
		let mut credits = BTreeMap::<T::AccountId, u128>::new();
		let (mut open, mut prices) = (0u64, Counters::default());
		for (_, job) in Jobs::<T>::iter() {
			ensure!((job.state == JobState::Settled) == job.receipt.is_some(), "4: receipt");
			if let Some(receipt) = job.receipt {
				ensure!(receipt.price <= job.terms.price, "4: paid above escrow");
				let units = receipt.compute_units;
				ensure!(units > 0 && units <= job.terms.max_units, "4: units above quote");
			}
			if job.state != JobState::Open {
				continue;
			}
			open = open.saturating_add(1);
			let price = prices.escrow_mut(job.asset);
			*price = price.saturating_add(job.terms.price);
			let held = T::Currency::balance_on_hold(&HoldReason::Job.into(), &job.client);
			ensure!(held == 0, "3: AIT of a job is on its client's account");
			if job.asset == PriceAsset::ServiceCredit {
				let credit = credits.entry(job.client.clone()).or_default();
				*credit = credit.saturating_add(job.terms.price);
			}
		}
		let (escrow, [ait, aicp]) = (T::Escrow::get(), Self::owed());
		ensure!(T::Currency::balance(&escrow) >= ait, "3: AIT is missing from the escrow");
		ensure!(T::Aicp::balance(&escrow) >= aicp, "3: AICP is missing from the escrow");
		for (client, credit) in credits {
			ensure!(T::ServiceCredit::held(&client) >= credit, "3: credit not held");
		}
		let sums = Sums::<T>::get();
		let closed = [sums.settled, sums.cancelled, sums.expired]
			.into_iter()
			.fold(open, |sum, part| sum.saturating_add(part));
		ensure!(open == sums.open && closed == sums.opened, "4: jobs miscounted");
		let counted = [sums.escrow_ait, sums.escrow_aicp, sums.escrow_credit];
		let found = [prices.escrow_ait, prices.escrow_aicp, prices.escrow_credit];
		ensure!(counted == found, "4: escrow miscounted");
		Ok(())
	}

	fn try_supply() -> Result<(), TryRuntimeError> {
		let Counters { genesis, minted, promised, .. } = Sums::<T>::get();
		let issuance = T::Currency::total_issuance();
		ensure!(issuance <= genesis.saturating_add(minted), "5: AIT from nothing");
		ensure!(minted.saturating_add(promised) <= MINING_RESERVE, "5: above the reserve");
		let most = AIT_CAP.max(genesis);
		ensure!(issuance.saturating_add(promised) <= most, "5: above the cap");
		Ok(())
	}

	fn try_steps() -> Result<(), TryRuntimeError> {
		let running = Running::<T>::get();
		let sums = Sums::<T>::get();
		let mut promised = sums.treasury;
		// Miners' and coordinators' claims in a step, and their number.
		let mut found = BTreeMap::<u64, ([u128; 2], u32)>::new();
		for (_, party) in Parties::<T>::iter() {
			promised = promised.saturating_add(party.accrued);
			if party.pending.claim == 0 {
				continue;
			}
			let (claims, parties) = found.entry(party.pending.step).or_default();
			let [miners, coordinators] = claims;
			let claim = if party.class().is_some() { miners } else { coordinators };
			*claim = claim.saturating_add(party.pending.claim);
			*parties = parties.saturating_add(1);
		}
		for row in WaitingLines::<T>::iter_values() {
			let sides = [row.claim, row.coordinator_claim];
			if sides == [0, 0] {
				continue;
			}
			let (claims, parties) = found.entry(row.step).or_default();
			for (sum, claim) in claims.iter_mut().zip(sides) {
				*sum = sum.saturating_add(claim);
				*parties = parties.saturating_add((claim > 0).into());
			}
		}
		let (claims, parties) = found.remove(&running.step).unwrap_or_default();
		ensure!(claims == [running.claims; 2], "7: claims of the running step");
		ensure!(parties == running.parties, "7: parties of the running step");
		for (step, closed) in Steps::<T>::iter() {
			let left = closed.shares.total().checked_sub(closed.converted);
			promised = promised.saturating_add(left.ok_or("6: more converted than shared")?);
			let ([miners, coordinators], parties) = found.remove(&step).unwrap_or_default();
			ensure!(parties == closed.parties && parties > 0, "7: parties of a closed step");
			let within = miners <= closed.claims && coordinators <= closed.claims;
			ensure!(within && step < running.step, "7: claims of a closed step");
			let most = emission::step_budget(step).min(closed.claims);
			ensure!(closed.pool <= most, "7: a pool above its budget or its claims");
			ensure!(closed.shares.total() <= closed.pool, "7: shares above the pool");
		}
		ensure!(found.is_empty(), "7: a claim in a step that is gone");
		ensure!(promised == sums.promised, "6: promised");
		Ok(())
	}
}
