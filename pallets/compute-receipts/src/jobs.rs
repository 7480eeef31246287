//! Jobs: opening, cancelling, assigning, and returning money.

use crate::{escrow::Settlement, pallet::*, types::*, weights::WeightInfo};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get, Weight},
	traits::Time,
	weights::WeightMeter,
};
use gridproof_primitives::{
	H256,
	compute::{
		ASSIGNMENT_GAP_MS, ComputeParameters, FREE_ASSIGNMENTS, JobModel, JobState, JobTerms,
		Quote, SignedAssignment, Signer, may_replace, release_payload,
	},
	crypto::ed25519::{self, PublicKey, Signature},
	reserve::attestation::ServiceCredit,
};

impl<T: Config> Pallet<T> {
	/// [`Pallet::open_job`] without the origin.
	pub(crate) fn do_open_job(
		client: T::AccountId,
		quote: Quote,
		signature: &Signature,
	) -> DispatchResult {
		ensure!(BreakerLevel::<T>::get() < Breaker::AllStopped, Error::<T>::Stopped);
		ensure!(T::AccountId::from(quote.client) == client, Error::<T>::NotClient);
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		Self::check_quote(&quote, &parameters, now)?;
		let genesis = Self::genesis_hash();
		let job_id = quote.job_id(&genesis);
		ensure!(!Jobs::<T>::contains_key(job_id), Error::<T>::AlreadyExists);
		Self::check_quoted_parties(&quote, &parameters, now)?;
		quote.verify(&genesis, signature).map_err(|_| Error::<T>::BadSignature)?;
		let job = Job {
			client: client.clone(),
			coordinator: quote.coordinator,
			asset: quote.asset,
			terms: JobTerms::of(&quote, now),
			deposit: T::JobDeposit::get(),
			expiry_ms: quote.expiry_ms,
			cancelled_from: None,
			coordinator_bond: parameters.coordinator_bond,
			miner_bond: parameters.miner_bond,
			pinned: quote.miner.is_some(),
			attempt: 0,
			accepted_ms: None,
			assignments: 0,
			assigned_ms: 0,
			stopped_ms: Stops::<T>::get().at(now),
			state: JobState::Open,
			closed_ms: 0,
			receipt: None,
			model: JobModel::of(&quote),
		};
		Self::take_price(&job)?;
		Jobs::<T>::insert(job_id, job);
		Sums::<T>::try_mutate(|sums| {
			sums.opened = sums.opened.saturating_add(1);
			sums.open = sums.open.saturating_add(1);
			let escrow = sums.escrow_mut(quote.asset);
			*escrow = escrow.checked_add(quote.price).ok_or(Error::<T>::Overflow)?;
			Ok::<_, Error<T>>(())
		})?;
		Self::deposit_event(Event::JobOpened {
			job_id,
			client,
			coordinator: quote.coordinator,
			spec_hash: quote.spec_hash,
			asset: quote.asset,
			price: quote.price,
			deadline_ms: quote.deadline_ms,
		});
		Ok(())
	}

	fn check_quote(
		quote: &Quote,
		parameters: &ComputeParameters,
		now: u64,
	) -> Result<(), Error<T>> {
		quote.check().map_err(|_| Error::<T>::InvalidQuote)?;
		let furthest = now.saturating_add(parameters.max_job_ms);
		let within = quote.max_units <= parameters.max_units && quote.deadline_ms <= furthest;
		ensure!(within, Error::<T>::InvalidQuote);
		ensure!(now < quote.expiry_ms, Error::<T>::QuoteExpired);
		Ok(())
	}

	fn check_quoted_parties(
		quote: &Quote,
		parameters: &ComputeParameters,
		now: u64,
	) -> Result<(), Error<T>> {
		Self::ensure_coordinator(&quote.coordinator, parameters, now)?;
		match &quote.miner {
			Some(miner) => Self::ensure_miner(miner, parameters.miner_bond, now),
			None => Ok(()),
		}
	}

	/// Returns a coordinator that can take jobs and channels now.
	pub(crate) fn ensure_coordinator(
		key: &PublicKey,
		parameters: &ComputeParameters,
		now: u64,
	) -> Result<Party<T::AccountId>, Error<T>> {
		let fit = |party: &Party<_>| {
			party.class().is_none()
				&& party.leaving_ms.is_none()
				&& !party.is_banned(now)
				&& !party.is_underbonded(parameters)
		};
		let coordinator = Parties::<T>::get(key).filter(fit);
		ensure!(Admitted::<T>::contains_key(key) || coordinator.is_none(), Error::<T>::NotAdmitted);
		coordinator.ok_or(Error::<T>::CoordinatorUnfit)
	}

	/// Checks that a miner can take a job now that requires half of a bond.
	fn ensure_miner(key: &PublicKey, required: u128, now: u64) -> Result<(), Error<T>> {
		let miner = Parties::<T>::get(key).filter(|party| party.class().is_some());
		let miner = miner.ok_or(Error::<T>::UnknownMiner)?;
		let fit =
			miner.leaving_ms.is_none() && !miner.is_banned(now) && !miner.lacks_half_of(required);
		ensure!(fit, Error::<T>::MinerUnfit);
		Ok(())
	}

	/// Returns a job, its times moved by as long as settlement was stopped.
	pub(crate) fn job_now(job_id: H256) -> Option<Job<T::AccountId>> {
		let mut job = Jobs::<T>::get(job_id)?;
		job.stand_still(Stops::<T>::get().at(T::Time::now()));
		Some(job)
	}

	/// Counts the time for which settlement is stopped, by the breaker or from outside, and for which
	/// the window of the mint stands still besides.
	pub(crate) fn count_stops() {
		let stopped = BreakerLevel::<T>::get() == Breaker::AllStopped || T::Halted::get();
		let counted = |mut clock: StopClock, stands: bool| {
			let changes = stands || clock.counted_to.is_some();
			clock.tick(T::Time::now(), stands);
			changes.then_some(clock)
		};
		if let Some(clock) = counted(Stops::<T>::get(), stopped) {
			Stops::<T>::put(clock);
		}
		if let Some(clock) = counted(MintStops::<T>::get(), stopped || MintStill::<T>::get()) {
			MintStops::<T>::put(clock);
		}
	}

	/// Returns an open job before its deadline.
	fn open_job_at(job_id: H256, now: u64) -> Result<Job<T::AccountId>, Error<T>> {
		let job = Self::job_now(job_id).ok_or(Error::<T>::UnknownJob)?;
		ensure!(job.state == JobState::Open && !job.is_due(now), Error::<T>::NotOpen);
		Ok(job)
	}

	/// [`Pallet::cancel_job`] without the origin.
	pub(crate) fn do_cancel(client: T::AccountId, job_id: H256) -> DispatchResult {
		let mut job = Self::job_now(job_id).ok_or(Error::<T>::UnknownJob)?;
		ensure!(job.client == client, Error::<T>::NotClient);
		ensure!(job.state == JobState::Open, Error::<T>::NotOpen);
		let now = T::Time::now();
		if job.is_due(now) {
			let state = job.state_when_due();
			Self::close_now(job_id, job, state, now);
			return Ok(());
		}
		let started = job.attempt > 0;
		ensure!(!started && job.cancelled_from.is_none(), Error::<T>::CannotCancel);
		let notice = Parameters::<T>::get().cancel_notice_ms;
		let until_ms = now.saturating_add(notice).min(job.terms.deadline_ms);
		job.cancelled_from = Some(job.terms.deadline_ms);
		job.terms.deadline_ms = until_ms;
		Jobs::<T>::insert(job_id, job);
		Self::deposit_event(Event::JobCancelling { job_id, until_ms });
		Ok(())
	}

	/// Checks that this assignment can be recorded now. Returns the job.
	pub(crate) fn check_assign(signed: &SignedAssignment) -> Result<Job<T::AccountId>, Error<T>> {
		let assignment = &signed.assignment;
		let now = T::Time::now();
		let job = Self::open_job_at(assignment.job_id, now)?;
		let other = job.pinned && job.terms.miner != Some(assignment.miner);
		ensure!(assignment.attempt > job.attempt && !other, Error::<T>::StaleAssignment);
		Self::ensure_miner(&assignment.miner, job.miner_bond, now)?;
		let genesis = Self::genesis_hash();
		let good = |signer, key: &PublicKey, signature: &Signature| {
			assignment.verify(&genesis, signer, key, signature).is_ok()
		};
		let coordinator = &signed.coordinator_signature;
		let agreed = good(Signer::Coordinator, &job.coordinator, coordinator)
			&& signed
				.miner_signature
				.as_ref()
				.is_none_or(|signature| good(Signer::Miner, &assignment.miner, signature));
		ensure!(agreed, Error::<T>::BadSignature);
		// An accepted assignment binds the coordinator, until its miner agrees or is too late.
		if let (Some(former), Some(accepted_ms)) = (&job.terms.miner, job.accepted_ms)
			&& *former != assignment.miner
			&& !may_replace(accepted_ms, job.terms.deadline_ms, now)
		{
			let consent = signed.former_signature.as_ref();
			let agrees = consent.is_some_and(|consent| good(Signer::Miner, former, consent));
			ensure!(agrees, Error::<T>::Accepted);
		}
		Ok(job)
	}

	/// Checks that this assignment can be recorded now, and that it costs nothing: the first few of
	/// a job, with time between them, and the one that answers a cancellation.
	pub(crate) fn check_free_assign(
		signed: &SignedAssignment,
	) -> Result<Job<T::AccountId>, Error<T>> {
		let job = Self::check_assign(signed)?;
		let soonest = job.assigned_ms.saturating_add(ASSIGNMENT_GAP_MS);
		let timely = job.assignments == 0 || T::Time::now() >= soonest;
		let free = job.cancelled_from.is_some() || (job.assignments < FREE_ASSIGNMENTS && timely);
		ensure!(free, Error::<T>::NotFree);
		Ok(job)
	}

	/// [`Pallet::assign_job`] without the origin.
	pub(crate) fn do_assign(signed: &SignedAssignment, pays: bool) -> DispatchResult {
		let check = if pays { Self::check_assign } else { Self::check_free_assign };
		let (mut job, now) = (check(signed)?, T::Time::now());
		let assignment = signed.assignment;
		// A miner that has accepted stays bound, and protected, in later attempts.
		let stays = job.terms.miner == Some(assignment.miner);
		let accepts = signed.miner_signature.is_some().then_some(now);
		job.accepted_ms = job.accepted_ms.filter(|_| stays).or(accepts);
		job.terms.miner = Some(assignment.miner);
		job.attempt = assignment.attempt;
		job.assignments = job.assignments.saturating_add(1);
		job.assigned_ms = now;
		if let Some(deadline) = job.cancelled_from.take() {
			job.terms.deadline_ms = deadline;
		}
		Self::deposit_event(Event::JobAssigned {
			job_id: assignment.job_id,
			miner: assignment.miner,
			attempt: assignment.attempt,
			accepted: job.accepted_ms.is_some(),
		});
		Jobs::<T>::insert(assignment.job_id, job);
		Ok(())
	}

	/// Checks that the coordinator's signature releases this job. Returns the job.
	pub(crate) fn check_release(
		job_id: H256,
		signature: &Signature,
	) -> Result<Job<T::AccountId>, Error<T>> {
		let job = Self::open_job_at(job_id, T::Time::now())?;
		let payload = release_payload(&Self::genesis_hash(), &job_id);
		ed25519::verify(&job.coordinator, &payload, signature)
			.map_err(|_| Error::<T>::BadSignature)?;
		Ok(job)
	}

	/// [`Pallet::release_job`] without the origin.
	pub(crate) fn do_release(job_id: H256, signature: &Signature) -> DispatchResult {
		let job = Self::check_release(job_id, signature)?;
		Self::close_now(job_id, job, JobState::Cancelled, T::Time::now());
		Ok(())
	}

	/// Closes a job without a receipt and returns the client's money.
	pub(crate) fn close_now(job_id: H256, job: Job<T::AccountId>, state: JobState, now: u64) {
		let mut settlement = Settlement::<T>::default();
		Self::close_and_count(job_id, job, state, now, &mut settlement);
		settlement.execute();
	}

	/// Closes a job without a receipt, and counts it against its miner if that had accepted it.
	fn close_and_count(
		job_id: H256,
		job: Job<T::AccountId>,
		state: JobState,
		now: u64,
		settlement: &mut Settlement<T>,
	) {
		if let Some(miner) = Self::close_job(job_id, job, state, now, settlement) {
			Self::count_failure(&miner, now);
		}
	}

	/// Closes a job without a receipt; the money moves when the settlement is executed. Returns the
	/// miner that had accepted the job and did not deliver it.
	pub(crate) fn close_job(
		job_id: H256,
		mut job: Job<T::AccountId>,
		state: JobState,
		now: u64,
		settlement: &mut Settlement<T>,
	) -> Option<PublicKey> {
		let refund = job.terms.price;
		settlement.refund(&job, refund);
		Sums::<T>::mutate(|sums| {
			sums.open = sums.open.saturating_sub(1);
			let counter = match state {
				JobState::Expired => &mut sums.expired,
				_ => &mut sums.cancelled,
			};
			*counter = counter.saturating_add(1);
			let escrow = sums.escrow_mut(job.asset);
			*escrow = escrow.saturating_sub(refund);
		});
		let accepted = job.accepted_ms.and(job.terms.miner);
		let accepted = accepted.map(|miner| Self::current_key(&miner, job.terms.opened_ms));
		job.state = state;
		job.closed_ms = now;
		Jobs::<T>::insert(job_id, job);
		Self::deposit_event(Event::JobRefunded { job_id, state, refund });
		accepted.filter(|_| state == JobState::Expired)
	}

	/// Counts a job that a miner accepted and did not deliver.
	pub(crate) fn count_failure(miner: &PublicKey, now: u64) {
		if Parties::<T>::contains_key(miner) {
			Activities::<T>::mutate(miner, |activity| {
				activity.advance(now);
				activity.add_failure();
			});
		}
	}

	/// Closes the job if it is due, removes it if it is old. Returns `true` if it did either.
	fn touch(
		job_id: H256,
		parameters: &ComputeParameters,
		now: u64,
		settlement: &mut Settlement<T>,
	) -> bool {
		let Some(job) = Self::job_now(job_id) else { return false };
		if job.is_due(now) {
			let state = job.state_when_due();
			Self::close_and_count(job_id, job, state, now, settlement);
			true
		} else if job.is_old(now, parameters.retention_ms) {
			if Self::clear_reports(job_id, settlement) {
				Jobs::<T>::remove(job_id);
				settlement.return_deposit(job.client, job.deposit);
			}
			true
		} else {
			false
		}
	}

	/// Removes some of what was reported about a job. Returns `true` if nothing is left: a job with
	/// many offenders goes in several touches.
	fn clear_reports(job_id: H256, settlement: &mut Settlement<T>) -> bool {
		let most = usize::try_from(REPORTS_CLEARED).unwrap_or(usize::MAX);
		let found: Vec<_> =
			Reports::<T>::iter_prefix(job_id).take(most.saturating_add(1)).collect();
		let all = found.len() <= most;
		for (offender, reported) in found.into_iter().take(most) {
			Reports::<T>::remove(job_id, offender);
			settlement.return_deposit(reported.reporter, reported.deposit);
		}
		all
	}

	/// Checks that every one of these jobs is due or old.
	pub(crate) fn check_expire(jobs: &[H256]) -> DispatchResult {
		let unique: BTreeSet<_> = jobs.iter().collect();
		let listed = !jobs.is_empty() && unique.len() == jobs.len();
		ensure!(listed, Error::<T>::InvalidList);
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		for job_id in jobs {
			let job = Self::job_now(*job_id).ok_or(Error::<T>::UnknownJob)?;
			let due = job.is_due(now) || job.is_old(now, parameters.retention_ms);
			ensure!(due, Error::<T>::NothingDue);
		}
		Ok(())
	}

	/// [`Pallet::expire_jobs`] without the origin.
	pub(crate) fn do_expire(jobs: &[H256]) -> DispatchResult {
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		let mut settlement = Settlement::default();
		let mut touched = false;
		for job_id in jobs {
			touched |= Self::touch(*job_id, &parameters, now, &mut settlement);
		}
		ensure!(touched, Error::<T>::NothingDue);
		settlement.execute();
		Ok(())
	}

	/// Looks at some jobs in a block with time to spare, as far as `remaining` suffices. Nothing
	/// depends on it.
	pub(crate) fn scan_when_idle(remaining: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(remaining);
		let (base, row) = (T::WeightInfo::scan(0), T::WeightInfo::scan(1));
		if meter.try_consume(base).is_err() {
			return meter.consumed();
		}
		// A row is closed or removed.
		let removed = T::WeightInfo::clear_jobs(2).saturating_sub(T::WeightInfo::clear_jobs(1));
		let closed = row.saturating_sub(base).saturating_add(T::ServiceCredit::weight());
		let row = closed.max(removed);
		let keys: Vec<H256> = {
			let rows = match ScanCursor::<T>::get() {
				Some(cursor) => Jobs::<T>::iter_keys_from(cursor.into_inner()),
				None => Jobs::<T>::iter_keys(),
			};
			let most = usize::try_from(T::MaxScanned::get()).unwrap_or(usize::MAX);
			rows.take_while(|_| meter.try_consume(row).is_ok()).take(most).collect()
		};
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		let mut settlement = Settlement::default();
		for job_id in &keys {
			Self::touch(*job_id, &parameters, now, &mut settlement);
		}
		settlement.execute();
		let cursor = keys.last().map(Jobs::<T>::hashed_key_for);
		ScanCursor::<T>::set(cursor.and_then(|key| key.try_into().ok()));
		meter.consumed()
	}

	/// Returns the weight of [`Pallet::expire_jobs`]: each job may be paid with service credit.
	pub(crate) fn weight_of_expire(jobs: usize) -> Weight {
		let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
		let credit = T::ServiceCredit::weight().saturating_mul(jobs.into());
		let removed = T::WeightInfo::clear_jobs(jobs);
		T::WeightInfo::expire_jobs(jobs).max(removed).saturating_add(credit)
	}

	/// Returns the weight of the check of [`Pallet::expire_jobs`], which reads less of each job than
	/// that of a receipt.
	pub(crate) fn weight_of_expire_check(jobs: usize) -> Weight {
		T::WeightInfo::check_receipts(u32::try_from(jobs).unwrap_or(u32::MAX))
	}

	/// Returns the weight of [`Pallet::heartbeats`], or of its check.
	pub(crate) fn weight_of_heartbeats(heartbeats: usize) -> Weight {
		T::WeightInfo::heartbeats(u32::try_from(heartbeats).unwrap_or(u32::MAX))
	}
}
