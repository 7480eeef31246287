//! How calls change rows, and how rows are shown.

use crate::pallet::*;
use alloc::vec::Vec;
use frame_support::{ensure, pallet_prelude::Get, traits::Time};
use gridproof_primitives::{
	H256,
	compute::registry::{
		MAX_DELAY_MS, MIN_DELAY_MS, Model, ModelRegistry, ModelTerms, ModelView, NewModel,
		NewModelError, Next, Pending, PendingChange, Planned, Scheduled, ScheduledRefusal,
		TermsChange, Timeline, TimelineRefusal,
	},
};
use sp_runtime::DispatchError;

/// Highest number of models that one question is answered with.
const MAX_LISTED: u32 = 100;

impl<T: Config> From<TimelineRefusal> for Error<T> {
	fn from(refusal: TimelineRefusal) -> Self {
		match refusal {
			TimelineRefusal::Pending => Self::ChangePending,
			TimelineRefusal::Retired => Self::Retired,
			TimelineRefusal::Unchanged => Self::Unchanged,
			TimelineRefusal::NotStopped => Self::NotStopped,
			TimelineRefusal::TooManyChanges => Self::TooManyChanges,
		}
	}
}

impl<T: Config> From<NewModelError> for Error<T> {
	fn from(error: NewModelError) -> Self {
		match error {
			NewModelError::Name(_) => Self::InvalidName,
			NewModelError::Factor => Self::InvalidFactor,
			NewModelError::Context => Self::InvalidContext,
		}
	}
}

impl<T: Config> From<ScheduledRefusal> for Error<T> {
	fn from(refusal: ScheduledRefusal) -> Self {
		match refusal {
			ScheduledRefusal::Pending => Self::ChangePending,
			ScheduledRefusal::Unchanged => Self::Unchanged,
		}
	}
}

impl<T: Config> ModelRegistry for Pallet<T> {
	fn terms_at(model: &H256, time_ms: u64) -> Option<ModelTerms> {
		Models::<T>::get(model)?.timeline.terms_at(time_ms)
	}
}

impl<T: Config> Pallet<T> {
	/// Returns the chain's time in UTC milliseconds.
	pub(crate) fn now() -> u64 {
		T::Time::now()
	}

	/// Returns the time at which what is decided now takes effect, in UTC milliseconds.
	pub(crate) fn effective() -> u64 {
		let now = Self::now();
		now.saturating_add(*Delay::<T>::get().at(now))
	}

	/// Returns `true` if a delay is within its bounds.
	pub(crate) fn is_delay(delay_ms: u64) -> bool {
		(MIN_DELAY_MS..=MAX_DELAY_MS).contains(&delay_ms)
	}

	/// Adds a model that counts from a time on; returns its hash.
	pub(crate) fn insert(new: NewModel, since_ms: u64) -> Result<H256, Error<T>> {
		new.check()?;
		let (hash, name) = (new.description.hash(), new.description.name.clone().folded());
		ensure!(!Models::<T>::contains_key(hash), Error::AlreadyExists);
		ensure!(!Names::<T>::contains_key(&name), Error::NameTaken);
		ensure!(Models::<T>::count() < T::MaxModels::get(), Error::MaxModelsExceeded);
		Models::<T>::insert(hash, Model::starting(new, since_ms));
		Names::<T>::insert(name, hash);
		Ok(hash)
	}

	/// Removes a model, and the default wherever it is that.
	pub(crate) fn remove(hash: H256, model: Model) {
		Models::<T>::remove(hash);
		Names::<T>::remove(model.description.name.folded());
		ChosenDefault::<T>::mutate(|chosen| chosen.replace(&Some(hash), &None));
	}

	/// Changes the timeline of a model.
	pub(crate) fn change<R>(
		hash: H256,
		change: impl FnOnce(&mut Timeline) -> Result<R, TimelineRefusal>,
	) -> Result<R, DispatchError> {
		let mut model = Models::<T>::get(hash).ok_or(Error::<T>::NotFound)?;
		let changed = change(&mut model.timeline).map_err(Error::<T>::from)?;
		Models::<T>::insert(hash, model);
		Ok(changed)
	}

	/// Announces a change of a model; returns the time from which it holds.
	pub(crate) fn announce(hash: H256, change: TermsChange) -> Result<u64, DispatchError> {
		let (now, effective) = (Self::now(), Self::effective());
		Self::change(hash, |timeline| timeline.announce(now, effective, change))?;
		Ok(effective)
	}

	/// Announces the successor of a value.
	pub(crate) fn schedule<V: Clone + PartialEq>(
		scheduled: &mut Scheduled<V>,
		value: V,
		since_ms: u64,
	) -> Result<(), Error<T>> {
		Ok(scheduled.schedule(Self::now(), Next { value, since_ms })?)
	}

	/// Calls off what is announced.
	pub(crate) fn do_call_off(pending: Pending) -> Result<(), DispatchError> {
		let now = Self::now();
		let called_off = match pending {
			Pending::Model(hash) => {
				let mut model = Models::<T>::get(hash).ok_or(Error::<T>::NotFound)?;
				let called_off = model.timeline.call_off(now).is_some();
				if model.timeline.is_empty() {
					Self::remove(hash, model);
				} else {
					Models::<T>::insert(hash, model);
				}
				called_off
			},
			Pending::Default => ChosenDefault::<T>::mutate(|chosen| chosen.call_off(now)).is_some(),
			Pending::Delay => Delay::<T>::mutate(|delay| delay.call_off(now)).is_some(),
		};
		ensure!(called_off, Error::<T>::NothingPending);
		Ok(())
	}

	/// Returns the default model at a time, if it counts then.
	pub(crate) fn default_at(time_ms: u64) -> Option<H256> {
		let chosen = (*ChosenDefault::<T>::get().at(time_ms))?;
		<Self as ModelRegistry>::is_counted(&chosen, time_ms).then_some(chosen)
	}

	/// Returns a model as it is now.
	pub(crate) fn view(hash: H256) -> Option<ModelView> {
		let (model, now) = (Models::<T>::get(hash)?, Self::now());
		Some(ModelView::new(hash, model, Self::default_at(now), now))
	}

	/// Returns models in the order of their hashes.
	pub(crate) fn views(after: Option<H256>, limit: u32) -> Vec<ModelView> {
		let (now, limit) = (Self::now(), limit.min(MAX_LISTED));
		let default = Self::default_at(now);
		let rows = match after {
			None => Models::<T>::iter(),
			Some(after) => Models::<T>::iter_from(Models::<T>::hashed_key_for(after)),
		};
		let limit = usize::try_from(limit).unwrap_or(usize::MAX);
		rows.take(limit).map(|(hash, model)| ModelView::new(hash, model, default, now)).collect()
	}

	/// Returns everything that is announced, earliest first.
	pub(crate) fn pending_changes() -> Vec<PendingChange> {
		let now = Self::now();
		let of_models = Models::<T>::iter().filter_map(|(hash, model)| {
			let span = model.timeline.pending(now)?;
			Some(PendingChange {
				planned: Planned::Model(hash, span.standing),
				effective_ms: span.since_ms,
			})
		});
		let of_default = ChosenDefault::<T>::get().pending(now).map(|next| PendingChange {
			planned: Planned::Default(next.value),
			effective_ms: next.since_ms,
		});
		let of_delay = Delay::<T>::get().pending(now).map(|next| PendingChange {
			planned: Planned::Delay(next.value),
			effective_ms: next.since_ms,
		});
		let mut all: Vec<_> = of_models.chain(of_default).chain(of_delay).collect();
		all.sort_by_key(|change| change.effective_ms);
		all
	}
}
