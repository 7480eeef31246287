//! # Authorities
//!
//! The authorities of genesis keep their seats, with two exceptions that the session pallet does
//! not know:
//!
//! - **Who is banned stays out.** The session pallet pardons everybody as soon as any key changes.
//!   Here a ban outlives every change of keys: the banned authority is disabled at once, again at
//!   the start of each session, and left out of the next set that can still be planned, until
//!   governance lets it in. The last authority stays, since a chain without one is lost.
//! - **A change of keys is a new set**, although its members are the same. So the root by which an
//!   offence is proven in later sessions follows the keys that were in use.
//!
//! The set is otherwise kept as it is: GRANDPA's set changes with members and keys only, and a
//! proof for a warp sync does not grow with each session.

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

pub use pallet::*;

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::weights::Weight;
use scale_info::TypeInfo;
use sp_runtime::Perbill;
use sp_staking::offence::OffenceSeverity;

/// What is known of an authority that is not simply one.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
	/// It committed an offence, and is out.
	#[codec(index = 0)]
	Banned,
	/// Governance lets it in: it is of the next set that is planned, once it has keys.
	#[codec(index = 1)]
	Returning,
}

// The pallet macros generate `expect` and items of their own here; the rules are elsewhere.
#[allow(clippy::expect_used, missing_docs)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_session::Config<ValidatorId = <Self as frame_system::Config>::AccountId>
	{
		/// Lets the banned in again.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
	}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Authorities that are banned or on their way back. At most one row for each authority that
	/// there was.
	#[pallet::storage]
	pub type Standings<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Standing, OptionQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An authority committed an offence and is out until governance lets it in.
		Banned {
			/// Account of the authority.
			who: T::AccountId,
		},
		/// Governance lets an authority in again.
		LetIn {
			/// Account of the authority.
			who: T::AccountId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is not that of a banned authority.
		NotBanned,
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Lets a banned authority in again. It takes part from the second session on, with the
		/// keys that it has set by then.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `who`: the account of the authority.
		///
		/// ## Errors
		///
		/// - [`Error::NotBanned`] if it is not banned.
		///
		/// ## Events
		///
		/// - [`Event::LetIn`] once its ban is lifted
		#[pallet::call_index(0)]
		// Derived by hand: one row is read and written.
		#[pallet::weight(Weight::from_parts(20_000_000, 0)
			.saturating_add(T::DbWeight::get().reads_writes(1, 1)))]
		pub fn let_in(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(Self::is_banned(&who), Error::<T>::NotBanned);
			Standings::<T>::insert(&who, Standing::Returning);
			Self::deposit_event(Event::LetIn { who });
			Ok(())
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Returns `true` if the account is that of a banned authority.
	pub fn is_banned(who: &T::AccountId) -> bool {
		Standings::<T>::get(who) == Some(Standing::Banned)
	}

	/// Bans an authority: from this block on as far as it can be disabled, from the next set that
	/// is planned as a member. Returns the weight.
	pub fn ban(who: T::AccountId, severity: OffenceSeverity) -> Weight {
		pallet_session::Pallet::<T>::report_offence(who.clone(), severity);
		if !Self::is_banned(&who) {
			Standings::<T>::insert(&who, Standing::Banned);
			Self::deposit_event(Event::Banned { who });
		}
		use frame_support::traits::Get;
		T::DbWeight::get().reads_writes(3, 2)
	}

	/// Disables the banned members of the session that starts: a change of keys has pardoned them.
	pub fn start_session() {
		for who in pallet_session::Validators::<T>::get() {
			if Self::is_banned(&who) {
				pallet_session::Pallet::<T>::report_offence(who, OffenceSeverity(Perbill::one()));
			}
		}
	}

	/// Plans the set after the session that starts: `None` if neither members nor keys change.
	pub fn plan() -> Option<Vec<T::AccountId>> {
		let present = pallet_session::Validators::<T>::get();
		let mut next: Vec<_> =
			present.iter().filter(|who| !Self::is_banned(who)).cloned().collect();
		let returning: Vec<_> = Standings::<T>::iter()
			.filter(|(_, standing)| *standing == Standing::Returning)
			.map(|(who, _)| who)
			.collect();
		for who in returning {
			if pallet_session::NextKeys::<T>::contains_key(&who) {
				Standings::<T>::remove(&who);
				if !next.contains(&who) {
					next.push(who);
				}
			}
		}
		if next.is_empty() {
			next.clone_from(&present);
		}
		let keys_changed = pallet_session::QueuedKeys::<T>::get().into_iter().any(|(who, keys)| {
			pallet_session::NextKeys::<T>::get(&who).is_none_or(|next| next != keys)
		});
		(keys_changed || next != present).then_some(next)
	}
}
