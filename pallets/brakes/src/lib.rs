//! # Brakes
//!
//! Two things that no single pallet can do:
//!
//! - **The emergency account** is whom governance names, best a multisig account. It can only
//!   stop: [`EnsureEmergency`] is what safe mode, pauses and the pallets' brakes ask. Loosening
//!   what it stopped is governance's.
//! - **Supply compared every block**: at the end of each block, what each token's supply must be,
//!   from the books of the pallet that mints it, is compared with what it is. A difference that is
//!   new stops that token's mint and says so. Governance may lift the stop; the same difference
//!   does not stop again, another one does.

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

#[cfg(test)]
mod tests;

pub use pallet::*;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{traits::EnsureOrigin, weights::Weight};
use frame_system::RawOrigin;
use scale_info::TypeInfo;

/// A token that one pallet mints.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token {
	/// The native token, minted by compute-receipts.
	#[codec(index = 0)]
	Ait,
	/// The stable token, minted by coverage-policy.
	#[codec(index = 1)]
	Aicp,
	/// Metered energy, minted by meter-readings.
	#[codec(index = 2)]
	Kwh,
}

impl Token {
	/// All tokens.
	pub const ALL: [Self; 3] = [Self::Ait, Self::Aicp, Self::Kwh];
}

/// Supply of a token, in its smallest unit.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Supply {
	/// What the books of its pallet say.
	pub expected: u128,
	/// The token's total issuance.
	pub actual: u128,
}

/// What the runtime knows of the tokens.
pub trait Tokens {
	/// Returns what a token's supply must be and what it is.
	fn supply(token: Token) -> Supply;

	/// Stops the mint of a token, if it is not stopped already.
	fn stop_mint(token: Token);

	/// Returns the weight of [`Self::supply`] for all tokens.
	fn weight() -> Weight;
}

// The pallet macros generate `expect` and items of their own here; the rules are elsewhere.
#[allow(clippy::expect_used, missing_docs)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Names the emergency account.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
		/// Tokens whose supplies are compared with their books.
		type Tokens: Tokens;
	}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Account that can stop things, and loosen nothing. `None`: only governance stops.
	#[pallet::storage]
	pub type EmergencyAccount<T: Config> = StorageValue<_, T::AccountId, OptionQuery>;

	/// Difference of a token's supply that an event has shown, in two's complement: what there is
	/// less what must be, in the token's smallest unit. No row: none.
	#[pallet::storage]
	pub type KnownDifference<T: Config> = StorageMap<_, Identity, Token, u128, OptionQuery>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Account that can stop and loosen nothing; `None`: governance alone stops.
		pub emergency: Option<T::AccountId>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			EmergencyAccount::<T>::set(self.emergency.clone());
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Governance named another emergency account.
		EmergencyAccountSet {
			/// The account before.
			old: Option<T::AccountId>,
			/// The account from now on.
			new: Option<T::AccountId>,
		},
		/// A token's supply is not what it must be: its mint is stopped.
		SupplyDiffers {
			/// Which token it is.
			token: Token,
			/// What its supply must be and what it is.
			supply: Supply,
		},
		/// A token's supply is again what it must be. Its mint stays stopped until governance
		/// lifts the stop.
		SupplyAgrees {
			/// Which of the three.
			token: Token,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is the emergency account already.
		Unchanged,
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Names the account that can stop things in an emergency.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `new`: the account, best of several keys; `None` leaves stopping to governance.
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if that is the account already.
		///
		/// ## Events
		///
		/// - [`Event::EmergencyAccountSet`] with the old and the new account
		#[pallet::call_index(0)]
		// Derived by hand: one row is read and written.
		#[pallet::weight(Weight::from_parts(20_000_000, 0)
			.saturating_add(T::DbWeight::get().reads_writes(1, 1)))]
		pub fn set_emergency_account(
			origin: OriginFor<T>,
			new: Option<T::AccountId>,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let old = EmergencyAccount::<T>::get();
			ensure!(old != new, Error::<T>::Unchanged);
			EmergencyAccount::<T>::set(new.clone());
			Self::deposit_event(Event::EmergencyAccountSet { old, new });
			Ok(())
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			// For `on_finalize`: a comparison of each token. That a mint is stopped happens once,
			// within what a block keeps free.
			T::Tokens::weight().saturating_add(T::DbWeight::get().reads(3))
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			Token::ALL.into_iter().for_each(Self::compare);
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Compares a token's supply with what it must be.
	fn compare(token: Token) {
		let supply = T::Tokens::supply(token);
		let difference = match supply.actual.wrapping_sub(supply.expected) {
			0 => None,
			difference => Some(difference),
		};
		if KnownDifference::<T>::get(token) == difference {
			return;
		}
		KnownDifference::<T>::set(token, difference);
		if difference.is_some() {
			T::Tokens::stop_mint(token);
			Self::deposit_event(Event::SupplyDiffers { token, supply });
		} else {
			Self::deposit_event(Event::SupplyAgrees { token });
		}
	}
}

/// Origin of the account that governance named to stop things in an emergency.
pub struct EnsureEmergency<T>(PhantomData<T>);

impl<T: Config> EnsureOrigin<T::RuntimeOrigin> for EnsureEmergency<T> {
	type Success = T::AccountId;

	fn try_origin(origin: T::RuntimeOrigin) -> Result<T::AccountId, T::RuntimeOrigin> {
		match origin.clone().into() {
			Ok(RawOrigin::Signed(who)) if EmergencyAccount::<T>::get().as_ref() == Some(&who) => {
				Ok(who)
			},
			_ => Err(origin),
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<T::RuntimeOrigin, ()> {
		let who: T::AccountId =
			Decode::decode(&mut sp_runtime::traits::TrailingZeroInput::zeroes()).map_err(|_| ())?;
		EmergencyAccount::<T>::put(&who);
		Ok(RawOrigin::Signed(who).into())
	}
}
