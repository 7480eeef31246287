//! Answers of the view functions.

use crate::{claims::MintTerms, pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::traits::Time;
use gridproof_primitives::{
	H256,
	compute::emission,
	compute::{
		Class, CoordinatorView, Earnings, JobState, JobView, MinerView, Overview, PartyRole,
		PartyView, PriceAsset, StepView,
	},
	crypto::ed25519::PublicKey,
};

/// Highest number of parties in one answer.
const MAX_LISTED: u32 = 1_000;

impl<T: Config> Pallet<T> {
	/// [`Pallet::job`].
	pub(crate) fn view_job(job_id: H256) -> Option<JobView> {
		let job = Self::job_now(job_id)?;
		let due = job.is_due(T::Time::now());
		Some(JobView {
			job_id,
			client: job.client.clone().into(),
			coordinator: job.coordinator,
			asset: job.asset,
			price: job.terms.price,
			max_units: job.terms.max_units,
			model_factor: job.terms.model_factor,
			model: job.model,
			counts: job.counts::<T::Models>(),
			opened_ms: job.terms.opened_ms,
			deadline_ms: job.terms.deadline_ms,
			cancelling: job.state == JobState::Open && job.cancelled_from.is_some(),
			miner: job.terms.miner,
			attempt: job.attempt,
			state: if due { job.state_when_due() } else { job.state },
			receipt: job.receipt,
		})
	}

	fn view_party(key: PublicKey, party: &Party<T::AccountId>) -> PartyView {
		let now = T::Time::now();
		let memory = Parameters::<T>::get().offence_memory_ms;
		let running = party.pending.step == Self::step_at(now);
		PartyView {
			key,
			role: party.role,
			account: party.account.clone().into(),
			bond: party.bond,
			since_ms: party.since_ms,
			leaving_ms: party.leaving_ms,
			banned_until_ms: Some(party.banned_until_ms).filter(|_| party.is_banned(now)),
			offences: party.offences_at(now, memory),
			pending_slash: party.pending_slash(),
			settled: party.settled,
			compute_units: party.compute_units,
			claimable: Self::claimable(party, now),
			pending: if running {
				(party.pending.step, party.pending.claim)
			} else {
				(Self::step_at(now), 0)
			},
			minted: party.minted,
			credit: party.credit,
		}
	}

	fn miner_row(key: &PublicKey) -> Option<(Party<T::AccountId>, Class, Activity)> {
		let party = Parties::<T>::get(key)?;
		let class = party.class()?;
		let mut activity = Activities::<T>::get(key);
		activity.advance(T::Time::now());
		Some((party, class, activity))
	}

	/// [`Pallet::miner`].
	pub(crate) fn view_miner(key: PublicKey) -> Option<MinerView> {
		let (party, class, activity) = Self::miner_row(&key)?;
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		let inputs = activity.score_inputs();
		let (successes, failures) = activity.outcomes();
		Some(MinerView {
			party: Self::view_party(key, &party),
			class,
			score: inputs.score(),
			effective_score: Self::effective_score(&party, &activity, &parameters, now),
			inputs,
			successes,
			failures,
			online_ms: activity.online_ms(),
			heartbeat_ms: activity.heartbeat_ms,
		})
	}

	/// [`Pallet::coordinator`].
	pub(crate) fn view_coordinator(key: PublicKey) -> Option<CoordinatorView> {
		let party = Parties::<T>::get(key).filter(|party| party.class().is_none())?;
		let admitted = Admitted::<T>::contains_key(key);
		Some(CoordinatorView { party: Self::view_party(key, &party), admitted })
	}

	/// [`Pallet::parties`].
	pub(crate) fn list_parties(
		after: Option<PublicKey>,
		limit: u32,
	) -> Vec<(PublicKey, PartyRole)> {
		let rows = match after {
			// It continues at the key's place, whether or not that party is still there.
			Some(key) => Parties::<T>::iter_from(Parties::<T>::hashed_key_for(key)),
			None => Parties::<T>::iter(),
		};
		rows.take(usize::try_from(limit.min(MAX_LISTED)).unwrap_or(usize::MAX))
			.map(|(key, party)| (key, party.role))
			.collect()
	}

	/// Returns the running step as of now, even if nothing has touched it since it began.
	fn running_now() -> RunningStep {
		let running = Running::<T>::get();
		let step = Self::step_at(T::Time::now());
		if running.step == step { running } else { RunningStep { step, ..Default::default() } }
	}

	/// [`Pallet::step`].
	pub(crate) fn view_step(step: u64) -> StepView {
		let Schedule { start_ms, step_ms } = EmissionSchedule::<T>::get();
		let (parameters, sums) = (Parameters::<T>::get(), Sums::<T>::get());
		let closed = Steps::<T>::get(step);
		let running = Running::<T>::get();
		let claims = match &closed {
			Some(closed) => closed.claims,
			None if running.step == step => running.claims,
			None => 0,
		};
		let pool = match &closed {
			Some(closed) => closed.pool,
			None => Self::pool_of(step, claims, &parameters, &sums).total(),
		};
		let start_ms = emission::step_start(step, start_ms, step_ms);
		StepView {
			step,
			start_ms,
			end_ms: start_ms.saturating_add(step_ms),
			budget: emission::step_budget(step),
			claims,
			pool,
			closed: closed.is_some() || step < running.step,
		}
	}

	/// [`Pallet::earnings`].
	pub(crate) fn preview_earnings(
		key: PublicKey,
		compute_units: u64,
		asset: PriceAsset,
		price: u128,
		counts: bool,
	) -> Option<Earnings> {
		let (party, class, activity) = Self::miner_row(&key)?;
		let (parameters, now) = (Parameters::<T>::get(), T::Time::now());
		let running = Self::running_now();
		let step = running.step;
		let score = if party.pending.step == step {
			party.pending.score
		} else {
			Self::effective_score(&party, &activity, &parameters, now)
		};
		let share = parameters.price_split.divide(price).treasury;
		let terms = MintTerms::now::<T>(&parameters, now);
		let received = if counts { terms.received(asset, share) } else { 0 };
		let claim = parameters.claim(compute_units, class, score, received);
		let whole = running.claims.saturating_add(claim);
		let pool = Self::pool_of(step, whole, &parameters, &Sums::<T>::get());
		Some(Earnings { step, claim, minted: pool.pro_rata(claim, whole) })
	}

	/// [`Pallet::overview`].
	pub(crate) fn view_overview() -> Overview {
		let sums = Sums::<T>::get();
		let now_ms = T::Time::now();
		Overview {
			now_ms,
			breaker: BreakerLevel::<T>::get(),
			step: Self::view_step(Self::step_at(now_ms)),
			coordinators: sums.coordinators,
			miners: sums.miners,
			jobs_opened: sums.opened,
			jobs_open: sums.open,
			jobs_settled: sums.settled,
			jobs_cancelled: sums.cancelled,
			jobs_expired: sums.expired,
			escrow_ait: sums.escrow_ait,
			escrow_aicp: sums.escrow_aicp,
			escrow_credit: sums.escrow_credit,
			compute_units: sums.compute_units,
			minted: sums.minted,
			promised: sums.promised,
			reserve: Self::reserve_left(&sums),
		}
	}
}
