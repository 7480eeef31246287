//! # Free calls
//!
//! Some calls are free of fees because what they bring is wanted and proves itself: statements,
//! batches, receipts. The pallet that has such a call says so with `#[pallet::authorize]`, which
//! also bounds how often. This pallet says what all of them have in common, with two transaction
//! extensions around standard ones. Both look to wallets like the one that they wrap.
//!
//! - [`RefuseFiltered`]: a transaction whose call is stopped (safe mode, a pause, the runtime's
//!   filter) is refused before it is authorised and before anybody is charged.
//! - [`FreeOrPaid`]: a call that can be authorised is free for who signs it as it is for nobody in
//!   particular. Without a tip it is free or refused: if somebody else brought the same thing
//!   first, the sender pays nothing. With a tip it pays like any other.
//!
//! Who pays comes first: free calls have at most [`MAX_FREE_PRIORITY`], others at least
//! [`MIN_PAYING_PRIORITY`]. And free calls take at most [`Config::MaxWeight`] and
//! [`Config::MaxLength`] of a block; a single one whose worst case is larger goes in alone.

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

mod filtered;
mod payment;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use filtered::RefuseFiltered;
pub use pallet::*;
pub use payment::{FreeOrPaid, Pre, Val};

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::weights::Weight;
use scale_info::TypeInfo;
use sp_runtime::transaction_validity::TransactionPriority;

/// Highest priority of a call that is free of fees. Below it, pallets order theirs.
pub const MAX_FREE_PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;

/// Lowest priority of a transaction that pays.
pub const MIN_PAYING_PRIORITY: TransactionPriority = MAX_FREE_PRIORITY + 1;

/// What the free calls of a block have used of it.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
	/// Weight of these transactions, without what they gave back.
	pub weight: Weight,
	/// Length of these transactions, in bytes.
	pub length: u32,
}

// The pallet macros generate `expect` and items of their own here; the rules are elsewhere.
#[allow(clippy::expect_used, missing_docs)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	#[pallet::config]
	pub trait Config: frame_system::Config + pallet_transaction_payment::Config {
		/// Highest weight that free calls may use of a block.
		type MaxWeight: Get<Weight>;
		/// Highest length that free calls may use of a block, in bytes.
		type MaxLength: Get<u32>;
		/// Smallest tip that moves a transaction forward, in the token's smallest unit. Times a block's
		/// transactions, tips up to 2⁶³ of it are told apart.
		type PriorityUnit: Get<crate::payment::Balance<Self>>;
	}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the free calls of this block have used so far. Gone at the end of the block.
	#[pallet::storage]
	pub type UsedInBlock<T: Config> = StorageValue<_, Usage, ValueQuery>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			// For `on_finalize`.
			T::DbWeight::get().writes(1)
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			UsedInBlock::<T>::kill();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}
}

impl<T: Config> Pallet<T> {
	/// 1. Between two blocks nothing is counted.
	#[cfg(any(test, feature = "try-runtime"))]
	pub(crate) fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		frame_support::ensure!(!UsedInBlock::<T>::exists(), "1: a block's use is left");
		Ok(())
	}
}
