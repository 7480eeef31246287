//! # Model registry pallet
//!
//! Which models count, for how much, and since when: governance decides it, and everybody sees it
//! before it holds.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the same queries as the
//! view functions, for clients that speak runtime APIs. Other pallets ask
//! [`ModelRegistry`](gridproof_primitives::compute::registry::ModelRegistry), which [`Pallet`]
//! implements.
//!
//! ## Terminology
//!
//! * **Model**: a name with the hashes of weights, tokenizer and chat template
//!   ([`ModelDescription`]). Receipts name it by the hash of all four, so other weights are another
//!   model.
//! * **Terms**: factor (compute units a token, in thousandths) and engine class (whether an answer
//!   can be repeated to the last bit) of a model.
//! * **Counted**, **stopped**, **retired**: tokens of the model count by its terms; they do not
//!   until governance resumes; they do not any more.
//! * **Announced**: decided by governance, with the time from which it holds.
//! * **Delay**: time between a decision and its effect.
//! * **Default model**: what programs use where nobody names a model.
//!
//! ## Overview
//!
//! Governance adds and retires models, changes their terms, and chooses the default model and the
//! delay; name, hashes and context of a model stay as they are. Each decision is announced and holds
//! after the delay that is in force when it is announced, also a shorter delay itself. Until it
//! holds it can be called off ([`Pallet::call_off`]). A model has at most one announced change at a
//! time, and so have the default and the delay.
//!
//! **Nothing happens when the time comes.** A row has what held, what holds and what will, with
//! times ([`Timeline`]), and a reader picks by the time: no hook can be late, and a coordinator
//! knows today by which factor a token of next week counts.
//!
//! **What was opened before a change counts by what held then**: see
//! [`Timeline::terms_at`]. Terms that no longer hold are remembered for [`FACTOR_MEMORY_MS`]. A
//! change for which that memory has no room is refused; a stop or a retirement never is.
//!
//! ### In an emergency
//!
//! [`Config::PauseOrigin`] can stop a model at once ([`Pallet::stop`]), and nothing else. A stop
//! also holds against a change that was announced before it: only [`Pallet::propose_resume`], which
//! takes the delay, ends it. What was opened before the stop counts as it did.
//!
//! ### Bounds
//!
//! Only governance creates rows, at most [`Config::MaxModels`], retired ones included. A retired
//! model's row can be removed once nothing that it remembers is needed ([`Pallet::forget`]); its
//! name is free then.
//!
//! ### Example
//!
//! ```ignore
//! let description = ModelDescription { name: ModelName::new("austen-1m")?, weights, tokenizer, template: None };
//! let terms = ModelTerms { factor: 5_000, engine: EngineClass::Exact };
//! let new = Box::new(NewModel { description, context: 512, terms });
//! ModelRegistry::propose_add(governance, new)?; // counts after the delay
//! ```

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
// The pallet macros pass call arguments by reference, boxed ones included.
#![allow(clippy::borrowed_box)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks")),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::panic,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects,
		clippy::as_conversions,
		clippy::float_arithmetic
	)
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
#[cfg(test)]
mod mock;
pub mod runtime_api;
#[cfg(test)]
mod tests;
mod try_state;
pub mod weights;

pub use gridproof_primitives::compute::registry::{FACTOR_MEMORY_MS, ModelDescription, Timeline};
pub use pallet::*;
pub use weights::WeightInfo;

// The pallet macros generate `expect` and `as` here; the rules themselves are elsewhere.
#[allow(clippy::as_conversions, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{pallet_prelude::*, traits::Time};
	use frame_system::pallet_prelude::*;
	use gridproof_primitives::{
		H256,
		compute::registry::{
			DEFAULT_DELAY_MS, Model, ModelName, ModelTerms, ModelView, NewModel, Pending,
			PendingChange, Scheduled, TermsChange,
		},
	};

	/// Types, limits and origins that the runtime sets.
	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// Source of the time in UTC milliseconds: the timestamp pallet.
		type Time: Time<Moment = u64>;

		/// Origin that decides about models, the default and the delay.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Origin that may stop a model in an emergency.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Highest number of models, announced and retired ones included.
		#[pallet::constant]
		type MaxModels: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The model registry pallet: which models count, and for how much.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Delay of a chain that never chose one.
	#[pallet::type_value]
	pub fn UsualDelay() -> Scheduled<u64> {
		Scheduled::new(DEFAULT_DELAY_MS)
	}

	/// Models by the hash of their descriptions.
	#[pallet::storage]
	pub type Models<T: Config> = CountedStorageMap<_, Identity, H256, Model, OptionQuery>;

	/// Hash of the model with a name, in lower case.
	#[pallet::storage]
	pub type Names<T: Config> = StorageMap<_, Blake2_128Concat, ModelName, H256, OptionQuery>;

	/// The default model that governance chose. It is the default only while it counts.
	#[pallet::storage]
	pub type ChosenDefault<T: Config> = StorageValue<_, Scheduled<Option<H256>>, ValueQuery>;

	/// Time between a decision and its effect, in milliseconds.
	#[pallet::storage]
	pub type Delay<T: Config> = StorageValue<_, Scheduled<u64>, ValueQuery, UsualDelay>;

	/// Models, default and delay of a new chain.
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// Models that count from the first block.
		pub models: Vec<NewModel>,
		/// Name of the default model.
		pub default: Option<ModelName>,
		/// Time between a decision and its effect, in milliseconds.
		pub delay_ms: u64,
		#[doc(hidden)]
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				models: Vec::new(),
				default: None,
				delay_ms: DEFAULT_DELAY_MS,
				_config: PhantomData,
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(Pallet::<T>::is_delay(self.delay_ms), "the delay of models is out of bounds");
			Delay::<T>::put(Scheduled::new(self.delay_ms));
			for new in &self.models {
				let inserted = Pallet::<T>::insert(new.clone(), 0);
				assert!(inserted.is_ok(), "{} cannot be added: {inserted:?}", new.description.name);
			}
			if let Some(name) = &self.default {
				let hash = Names::<T>::get(name.clone().folded());
				assert!(hash.is_some(), "the default model {name} is not among the models");
				ChosenDefault::<T>::put(Scheduled::new(hash));
			}
		}
	}

	/// Events of this pallet.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A model was announced.
		ModelAnnounced {
			/// Hash by which receipts name it.
			model: H256,
			/// What it is, and the terms by which it begins to count.
			new: Box<NewModel>,
			/// Time from which it counts, in UTC milliseconds.
			effective_ms: u64,
		},
		/// Other terms of a model were announced.
		TermsAnnounced {
			/// Hash of the model.
			model: H256,
			/// Terms from then on.
			terms: ModelTerms,
			/// Time from which they hold, in UTC milliseconds.
			effective_ms: u64,
		},
		/// The retirement of a model was announced.
		RetirementAnnounced {
			/// Hash of the model.
			model: H256,
			/// Time from which its tokens do not count any more, in UTC milliseconds.
			effective_ms: u64,
		},
		/// It was announced that a stopped model counts again.
		ResumptionAnnounced {
			/// Hash of the model.
			model: H256,
			/// Time from which its tokens count again, in UTC milliseconds.
			effective_ms: u64,
		},
		/// Another default model was announced.
		DefaultAnnounced {
			/// Hash of the model; `None` if there will be no default.
			model: Option<H256>,
			/// Time from which it is the default, in UTC milliseconds.
			effective_ms: u64,
		},
		/// Another delay was announced.
		DelayAnnounced {
			/// Time between a decision and its effect, in milliseconds.
			delay_ms: u64,
			/// Time from which decisions take that long, in UTC milliseconds.
			effective_ms: u64,
		},
		/// What was announced was called off.
		CalledOff {
			/// Which change it was.
			pending: Pending,
		},
		/// A model was stopped: what is opened from now on does not count.
		ModelStopped {
			/// Hash of the model.
			model: H256,
		},
		/// The row of a retired model was removed.
		ModelForgotten {
			/// Hash of the model.
			model: H256,
		},
	}

	/// Reasons to refuse a call. Variants are only ever added at the end.
	#[pallet::error]
	#[derive(PartialEq, Eq)]
	pub enum Error<T> {
		/// The name cannot be a model's.
		InvalidName,
		/// The factor is zero or above the highest one.
		InvalidFactor,
		/// The context length is zero or above the highest one.
		InvalidContext,
		/// The delay is below the shortest or above the longest one.
		InvalidDelay,
		/// The model is in the registry.
		AlreadyExists,
		/// Another model has this name, in upper or lower case.
		NameTaken,
		/// The registry has as many models as it can have.
		MaxModelsExceeded,
		/// The model is not in the registry.
		NotFound,
		/// A change is announced and has not taken effect: one at a time.
		ChangePending,
		/// It is already so.
		Unchanged,
		/// The model is not stopped.
		NotStopped,
		/// The model is retired.
		Retired,
		/// The model was changed so often that what held could not be remembered.
		TooManyChanges,
		/// No such change is announced, or it has taken effect.
		NothingPending,
		/// The model will not count when it would become the default.
		NotCounted,
		/// The model is not retired, or not for long enough.
		StillRemembered,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxModels::get() > 0, "MaxModels must not be zero");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Announces a model: after the delay its tokens count.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// Name, hashes and context stay as they are; the terms can be changed. Until then the model
		/// can be called off, and leaves nothing.
		///
		/// ## Parameters
		///
		/// - `new`: what the model is, and the terms by which it begins to count.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidName`], [`Error::InvalidFactor`] or [`Error::InvalidContext`] if a part
		///   is out of bounds.
		/// - [`Error::AlreadyExists`] if the registry has the model, also a retired one.
		/// - [`Error::NameTaken`] if another one has the name, in upper or lower case.
		/// - [`Error::MaxModelsExceeded`] if there are [`Config::MaxModels`].
		///
		/// ## Events
		///
		/// - [`Event::ModelAnnounced`] with the time from which it counts
		#[pallet::call_index(0)]
		pub fn propose_add(origin: OriginFor<T>, new: Box<NewModel>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let effective_ms = Self::effective();
			let model = Self::insert((*new).clone(), effective_ms)?;
			Self::deposit_event(Event::ModelAnnounced { model, new, effective_ms });
			Ok(())
		}

		/// Announces other terms of a model: factor and engine class after the delay.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// What was opened before counts by the terms that held then. Of a model that is stopped, or
		/// will be, the terms hold once it is resumed.
		///
		/// ## Parameters
		///
		/// - `model`: hash of the model.
		/// - `terms`: factor and engine class.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidFactor`] if the factor is out of bounds.
		/// - [`Error::NotFound`] if the registry does not have the model.
		/// - [`Error::ChangePending`] if a change of the model is announced.
		/// - [`Error::Retired`] if the model is retired.
		/// - [`Error::Unchanged`] if these are its terms.
		/// - [`Error::TooManyChanges`] if what held could not be remembered.
		///
		/// ## Events
		///
		/// - [`Event::TermsAnnounced`] with the time from which they hold
		#[pallet::call_index(1)]
		pub fn propose_change(
			origin: OriginFor<T>,
			model: H256,
			terms: ModelTerms,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(terms.is_valid(), Error::<T>::InvalidFactor);
			let effective_ms = Self::announce(model, TermsChange::Terms(terms))?;
			Self::deposit_event(Event::TermsAnnounced { model, terms, effective_ms });
			Ok(())
		}

		/// Announces that a model retires: after the delay its tokens do not count any more.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// What was opened before counts as it did. If it is the default model, there is no default
		/// from then on.
		///
		/// ## Parameters
		///
		/// - `model`: hash of the model.
		///
		/// ## Errors
		///
		/// - [`Error::NotFound`] if the registry does not have the model.
		/// - [`Error::ChangePending`] if a change of the model is announced.
		/// - [`Error::Retired`] if the model is retired.
		///
		/// ## Events
		///
		/// - [`Event::RetirementAnnounced`] with the time from which it does not count
		#[pallet::call_index(2)]
		pub fn propose_retire(origin: OriginFor<T>, model: H256) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let effective_ms = Self::announce(model, TermsChange::Retire)?;
			Self::deposit_event(Event::RetirementAnnounced { model, effective_ms });
			Ok(())
		}

		/// Announces that a stopped model counts again, after the delay.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `model`: hash of the model.
		///
		/// ## Errors
		///
		/// - [`Error::NotFound`] if the registry does not have the model.
		/// - [`Error::ChangePending`] if a change of the model is announced.
		/// - [`Error::Retired`] if the model is retired.
		/// - [`Error::NotStopped`] if the model is not stopped.
		/// - [`Error::TooManyChanges`] if what held could not be remembered.
		///
		/// ## Events
		///
		/// - [`Event::ResumptionAnnounced`] with the time from which it counts
		#[pallet::call_index(3)]
		pub fn propose_resume(origin: OriginFor<T>, model: H256) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let effective_ms = Self::announce(model, TermsChange::Resume)?;
			Self::deposit_event(Event::ResumptionAnnounced { model, effective_ms });
			Ok(())
		}

		/// Announces another default model, after the delay.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `model`: hash of a model that will count then; `None` for no default.
		///
		/// ## Errors
		///
		/// - [`Error::NotFound`] if the registry does not have the model.
		/// - [`Error::NotCounted`] if the model will not count then.
		/// - [`Error::ChangePending`] if another default is announced.
		/// - [`Error::Unchanged`] if it is the default.
		///
		/// ## Events
		///
		/// - [`Event::DefaultAnnounced`] with the time from which it is the default
		#[pallet::call_index(4)]
		pub fn propose_default(origin: OriginFor<T>, model: Option<H256>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let effective_ms = Self::effective();
			if let Some(model) = model {
				let row = Models::<T>::get(model).ok_or(Error::<T>::NotFound)?;
				let counts = row.timeline.terms_at(effective_ms).is_some();
				ensure!(counts, Error::<T>::NotCounted);
			}
			ChosenDefault::<T>::try_mutate(|chosen| Self::schedule(chosen, model, effective_ms))?;
			Self::deposit_event(Event::DefaultAnnounced { model, effective_ms });
			Ok(())
		}

		/// Announces another delay, after the delay that holds now: nobody is surprised by a shorter
		/// one.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `delay_ms`: time between a decision and its effect, in milliseconds.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidDelay`] if it is below
		///   [`MIN_DELAY_MS`](gridproof_primitives::compute::registry::MIN_DELAY_MS) or above
		///   [`MAX_DELAY_MS`](gridproof_primitives::compute::registry::MAX_DELAY_MS).
		/// - [`Error::ChangePending`] if another delay is announced.
		/// - [`Error::Unchanged`] if it is the delay.
		///
		/// ## Events
		///
		/// - [`Event::DelayAnnounced`] with the time from which it holds
		#[pallet::call_index(5)]
		pub fn propose_delay(origin: OriginFor<T>, delay_ms: u64) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(Self::is_delay(delay_ms), Error::<T>::InvalidDelay);
			let effective_ms = Self::effective();
			Delay::<T>::try_mutate(|delay| Self::schedule(delay, delay_ms, effective_ms))?;
			Self::deposit_event(Event::DelayAnnounced { delay_ms, effective_ms });
			Ok(())
		}

		/// Calls off a change that is announced and has not taken effect.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// Of a model that was itself announced, nothing is left: its name is free, and where it was
		/// to become the default there is none.
		///
		/// ## Parameters
		///
		/// - `pending`: which change is meant.
		///
		/// ## Errors
		///
		/// - [`Error::NotFound`] if the registry does not have the model.
		/// - [`Error::NothingPending`] if nothing is announced, or it has taken effect.
		///
		/// ## Events
		///
		/// - [`Event::CalledOff`] with the change
		#[pallet::call_index(6)]
		pub fn call_off(origin: OriginFor<T>, pending: Pending) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_call_off(pending)?;
			Self::deposit_event(Event::CalledOff { pending });
			Ok(())
		}

		/// Stops a model at once: what is opened from now on does not count.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::PauseOrigin`] or [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// A change that was announced does not resume it; a retirement stays announced. What was
		/// opened in earlier blocks counts as it did.
		///
		/// ## Parameters
		///
		/// - `model`: hash of the model, which may be one that is announced.
		///
		/// ## Errors
		///
		/// - [`Error::NotFound`] if the registry does not have the model.
		/// - [`Error::Unchanged`] if it is stopped.
		/// - [`Error::Retired`] if it is retired.
		///
		/// ## Events
		///
		/// - [`Event::ModelStopped`] with the model
		#[pallet::call_index(7)]
		pub fn stop(origin: OriginFor<T>, model: H256) -> DispatchResult {
			if let Err(origin) = T::PauseOrigin::try_origin(origin) {
				T::GovernanceOrigin::ensure_origin(origin)?;
			}
			let now = Self::now();
			Self::change(model, |timeline| timeline.stop(now))?;
			Self::deposit_event(Event::ModelStopped { model });
			Ok(())
		}

		/// Removes the row of a model that is retired for [`FACTOR_MEMORY_MS`]: nothing that was
		/// opened while it counted can still ask for it. Its name is free then.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `model`: hash of the model.
		///
		/// ## Errors
		///
		/// - [`Error::NotFound`] if the registry does not have the model.
		/// - [`Error::StillRemembered`] if it is not retired, or not for so long.
		///
		/// ## Events
		///
		/// - [`Event::ModelForgotten`] with the model
		#[pallet::call_index(8)]
		pub fn forget(origin: OriginFor<T>, model: H256) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let row = Models::<T>::get(model).ok_or(Error::<T>::NotFound)?;
			ensure!(row.timeline.is_over(Self::now()), Error::<T>::StillRemembered);
			Self::remove(model, row);
			Self::deposit_event(Event::ModelForgotten { model });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Returns the model with a hash.
		pub fn model(hash: H256) -> Option<ModelView> {
			Self::view(hash)
		}

		/// Returns the model with a name, in upper or lower case.
		pub fn model_by_name(name: ModelName) -> Option<ModelView> {
			Self::view(Names::<T>::get(name.folded())?)
		}

		/// Returns at most `limit` models, and no more than a hundred, in the order of their hashes:
		/// the first ones, or those after the hash `after`.
		pub fn models(after: Option<H256>, limit: u32) -> Vec<ModelView> {
			Self::views(after, limit)
		}

		/// Returns the hash of the default model, `None` if there is none that counts.
		pub fn default_model() -> Option<H256> {
			Self::default_at(Self::now())
		}

		/// Returns all changes that are announced and have not taken effect, earliest first.
		pub fn pending() -> Vec<PendingChange> {
			Self::pending_changes()
		}

		/// Returns the time between a decision and its effect, in milliseconds, and what is
		/// announced about it.
		pub fn delay() -> Scheduled<u64> {
			Delay::<T>::get()
		}

		/// Returns the factor in thousandths by which tokens of a model count at a time in UTC
		/// milliseconds, past or to come; `None` if they do not.
		pub fn factor_at(hash: H256, time_ms: u64) -> Option<u32> {
			Models::<T>::get(hash)?.timeline.factor_at(time_ms)
		}
	}
}
