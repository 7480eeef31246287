//! # Governance
//!
//! Who may do what without root: origins of governance that are not root, and the two doors through
//! which an emergency goes.
//!
//! ## Pallet API
//!
//! - [`Pallet::stop`]: the committee stops something, for [`Config::StopLength`] at the most.
//! - [`Pallet::lift`]: a referendum of the emergency track makes one of the calls in
//!   [`Config::Lifts`], and no other.
//! - [`Pallet::keep`]: governance lets a stop of the committee stand until it lifts it itself.
//!
//! ## Terminology
//!
//! - **Stop**: what one call of the committee holds up, as [`Config::Stop`] distinguishes stops.
//! - **Rest**: the time after a stop in which the committee cannot raise it again, nor another one of the
//!   same thing. It is as long as the stop.
//!
//! ## Key Concepts
//!
//! - [`Origin::Standard`] is what an ordinary referendum dispatches as. Pallets accept it where they
//!   ask for governance. Root is only what a referendum of the root track dispatches as.
//! - [`Origin::Emergency`] is what the emergency track dispatches as. No pallet accepts it but this
//!   one, which looks at the call before it makes it as [`Origin::Standard`].
//! - [`Origin::Committee`] is what the committee's call is dispatched as once it is written down here,
//!   with the block in which it ends. Pallets accept it where something may be stopped and nothing be
//!   loosened.
//! - A stop ends automatically, as governance would have ended it. If governance ended it before, what
//!   governance stops afterwards is not touched.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks", feature = "try-runtime")),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]

extern crate alloc;

#[cfg(test)]
mod tests;
mod types;

pub use pallet::*;
pub use types::{EnsureCommittee, EnsureStandard, Raised, Stoppable};

// The pallet macros generate `expect` and items of their own here; the rules are elsewhere.
#[allow(clippy::expect_used, missing_docs)]
#[frame_support::pallet]
pub mod pallet {
	use super::{Raised, Stoppable};
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{
		dispatch::{GetDispatchInfo, PostDispatchInfo},
		pallet_prelude::*,
		traits::{Contains, IsType},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::traits::{Dispatchable, Saturating};

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Origin of the runtime, as which a call that went through a door is dispatched.
		type RuntimeOrigin: From<Origin>
			+ Into<Result<Origin, <Self as Config>::RuntimeOrigin>>
			+ IsType<<Self as frame_system::Config>::RuntimeOrigin>;
		/// Calls of the runtime.
		type RuntimeCall: Parameter
			+ Dispatchable<
				RuntimeOrigin = <Self as frame_system::Config>::RuntimeOrigin,
				PostInfo = PostDispatchInfo,
			> + GetDispatchInfo;
		/// Those who may stop, and loosen nothing.
		type CommitteeOrigin: EnsureOrigin<<Self as frame_system::Config>::RuntimeOrigin>;
		/// Lets a stop stand for longer.
		type GovernanceOrigin: EnsureOrigin<<Self as frame_system::Config>::RuntimeOrigin>;
		/// Calls that a referendum of the emergency track may make.
		type Lifts: Contains<<Self as Config>::RuntimeCall>;
		/// What the committee can stop.
		type Stop: Parameter + MaxEncodedLen + Stoppable<<Self as Config>::RuntimeCall>;
		/// Blocks after which a stop of the committee ends, and for which it rests then.
		type StopLength: Get<BlockNumberFor<Self>>;
		/// Number of stops that are remembered at once.
		#[pallet::constant]
		type MaxStops: Get<u32>;
	}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Origins of governance. The order is part of the encoding.
	#[pallet::origin]
	#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
	#[derive(Clone, Copy, PartialEq, Eq, Debug)]
	pub enum Origin {
		/// What a referendum of the standard track decided.
		#[codec(index = 0)]
		Standard,
		/// What a referendum of the emergency track decided.
		#[codec(index = 1)]
		Emergency,
		/// What the committee stops.
		#[codec(index = 2)]
		Committee,
	}

	/// Stops that the committee raised and that have not ended, or that it cannot raise again yet.
	#[pallet::storage]
	pub type Stops<T: Config> =
		StorageValue<_, BoundedVec<Raised<T::Stop, BlockNumberFor<T>>, T::MaxStops>, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// The committee stopped something.
		Stopped {
			/// What it is.
			stop: T::Stop,
			/// Block in which it ends; `None` if it ends by rules of its own.
			ends: Option<BlockNumberFor<T>>,
			/// First block in which the committee can raise it again.
			again: BlockNumberFor<T>,
		},
		/// The time of a stop of the committee is over.
		Ended {
			/// What was stopped.
			stop: T::Stop,
			/// Whether it could be ended. If not, it stands until governance ends it.
			result: DispatchResult,
		},
		/// A stop of the committee stands until governance ends it.
		Kept {
			/// What is stopped.
			stop: T::Stop,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The call is none by which the committee may stop something.
		NotAStop,
		/// The committee raised this stop before, and cannot raise it again yet.
		TooSoon,
		/// The committee has raised as many stops as are remembered.
		MaxStopsExceeded,
		/// The call is none that the emergency track may make.
		NotALift,
		/// The committee has raised no such stop, or it does not end automatically any more.
		NotFound,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			Self::end_what_is_over(now)
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Makes a call that stops something, as the committee.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::CommitteeOrigin`].
		///
		/// ## Details
		///
		/// The stop ends after [`Config::StopLength`], unless governance keeps it, and rests as long. A
		/// stricter stop of what the committee has stopped may be raised while that holds, and ends with
		/// it.
		///
		/// ## Parameters
		///
		/// - `call`: the call that stops.
		///
		/// ## Errors
		///
		/// - [`Error::NotAStop`] if the call is none of those that stop.
		/// - [`Error::TooSoon`] if the committee raised this stop before and it rests, or one of the same
		///   thing that holds no more.
		/// - [`Error::MaxStopsExceeded`] if too many are remembered.
		/// - Those of the call itself.
		///
		/// ## Events
		///
		/// - [`Event::Stopped`] beside those of the call
		#[pallet::call_index(0)]
		// Derived by hand: one row is read and written, and what is to be stopped is looked at.
		#[pallet::weight((
			call.get_dispatch_info().call_weight
				.saturating_add(Weight::from_parts(30_000_000, 0))
				.saturating_add(T::DbWeight::get().reads_writes(5, 1)),
			DispatchClass::Operational,
		))]
		pub fn stop(origin: OriginFor<T>, call: Box<<T as Config>::RuntimeCall>) -> DispatchResult {
			T::CommitteeOrigin::ensure_origin(origin)?;
			let stop = T::Stop::of(&call).ok_or(Error::<T>::NotAStop)?;
			Self::raise(stop)?;
			Self::dispatch_as(Origin::Committee, *call)
		}

		/// Makes a call as an ordinary referendum does, if it is one that an emergency needs.
		///
		/// ## Dispatch Origin
		///
		/// [`Origin::Emergency`]: a referendum of the emergency track.
		///
		/// ## Parameters
		///
		/// - `call`: the call, one of [`Config::Lifts`].
		///
		/// ## Errors
		///
		/// - [`Error::NotALift`] if the call is none of these.
		/// - Those of the call itself.
		#[pallet::call_index(1)]
		#[pallet::weight(call.get_dispatch_info().call_weight.saturating_add(Weight::from_parts(10_000_000, 0)))]
		pub fn lift(origin: OriginFor<T>, call: Box<<T as Config>::RuntimeCall>) -> DispatchResult {
			let origin = <T as Config>::RuntimeOrigin::from(origin);
			let decided: Result<Origin, <T as Config>::RuntimeOrigin> = origin.into();
			ensure!(matches!(decided, Ok(Origin::Emergency)), DispatchError::BadOrigin);
			ensure!(T::Lifts::contains(&call), Error::<T>::NotALift);
			Self::dispatch_as(Origin::Standard, *call)
		}

		/// Lets a stop of the committee stand until governance ends it.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `stop`: what the committee stopped, as its event named it.
		///
		/// ## Errors
		///
		/// - [`Error::NotFound`] if the committee raised no such stop, or it does not end automatically.
		///
		/// ## Events
		///
		/// - [`Event::Kept`]
		#[pallet::call_index(2)]
		#[pallet::weight(Weight::from_parts(20_000_000, 0)
			.saturating_add(T::DbWeight::get().reads_writes(1, 1)))]
		pub fn keep(origin: OriginFor<T>, stop: T::Stop) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Stops::<T>::try_mutate(|rows| {
				let row = rows.iter_mut().find(|row| row.ends.is_some() && row.stop.is_same(&stop));
				row.ok_or(Error::<T>::NotFound)?.ends = None;
				Ok::<_, Error<T>>(())
			})?;
			Self::deposit_event(Event::Kept { stop });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Returns the stops that the committee raised and that have not ended, or that it cannot raise
		/// again yet.
		pub fn stops() -> Vec<Raised<T::Stop, BlockNumberFor<T>>> {
			Stops::<T>::get().into_inner()
		}
	}

	impl<T: Config> Pallet<T> {
		/// Writes a stop down before it is made.
		fn raise(stop: T::Stop) -> Result<(), Error<T>> {
			let now = frame_system::Pallet::<T>::block_number();
			let over = now.saturating_add(T::StopLength::get());
			// Else it would be raised in the block in which it ends, or two of one thing in turn.
			let again = over.saturating_add(T::StopLength::get());
			let mut rows = Stops::<T>::get();
			let of_it = |row: &Raised<T::Stop, _>| row.stop.is_of_same_thing(&stop);
			let holds = rows.iter().any(|row| of_it(row) && row.stop.holds());
			let bars = |row: &Raised<T::Stop, _>| row.stop.is_same(&stop) || (!holds && of_it(row));
			ensure!(!rows.iter().any(|row| row.again > now && bars(row)), Error::<T>::TooSoon);
			rows.retain(|row| row.again > now || row.ends.is_some());
			let (mut stop, mut ends) = (stop, None);
			if !stop.ends_by_itself() {
				ends = Some(over);
			}
			// What was stopped less strictly: both end together, where the first began.
			for row in rows.iter_mut().filter(|row| row.ends.is_some()) {
				if let Some(both) = stop.stricter_than(&row.stop) {
					stop = both;
					ends = row.ends.take();
				}
			}
			let row = Raised { stop: stop.clone(), ends, again };
			rows.try_push(row).map_err(|_| Error::<T>::MaxStopsExceeded)?;
			Stops::<T>::put(rows);
			Self::deposit_event(Event::Stopped { stop, ends, again });
			Ok(())
		}

		/// Dispatches a call as an origin of governance.
		fn dispatch_as(origin: Origin, call: <T as Config>::RuntimeCall) -> DispatchResult {
			let origin = <T as Config>::RuntimeOrigin::from(origin);
			call.dispatch(origin.into()).map(|_| ()).map_err(|answer| answer.error)
		}

		/// Ends the stops whose time is over, and forgets those that can be raised again.
		fn end_what_is_over(now: BlockNumberFor<T>) -> Weight {
			let mut weight = T::DbWeight::get().reads(1);
			let mut rows = Stops::<T>::get();
			if rows.is_empty() {
				return weight;
			}
			let before = rows.clone();
			for row in rows.iter_mut() {
				let Some(ends) = row.ends else { continue };
				weight = weight.saturating_add(T::DbWeight::get().reads(2));
				if !row.stop.holds() {
					// Governance ended it; what it stops from now on is its own.
					row.ends = None;
				} else if now >= ends {
					row.ends = None;
					weight = weight.saturating_add(T::Stop::weight_to_end());
					let stop = row.stop.clone();
					let result = frame_support::storage::with_storage_layer(|| stop.end());
					Self::deposit_event(Event::Ended { stop: row.stop.clone(), result });
				}
			}
			rows.retain(|row| row.again > now || row.ends.is_some());
			if rows != before {
				weight = weight.saturating_add(T::DbWeight::get().writes(1));
				Stops::<T>::put(rows);
			}
			weight
		}

		/// Checks the invariants:
		///
		/// 1. No two rows are the same stop.
		/// 2. A stop ends no later than the committee can raise it again.
		#[cfg(any(feature = "std", feature = "try-runtime"))]
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			let rows = Stops::<T>::get();
			for (place, row) in rows.iter().enumerate() {
				let others = rows.iter().skip(place.saturating_add(1));
				ensure!(
					!others.into_iter().any(|other| other.stop.is_same(&row.stop)),
					"1: a stop is there twice"
				);
				ensure!(
					row.ends.is_none_or(|ends| ends <= row.again),
					"2: a stop ends later than it can be raised again"
				);
			}
			Ok(())
		}
	}
}
