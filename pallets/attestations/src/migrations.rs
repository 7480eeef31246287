//! Migrations of the stored types.

use crate::pallet::*;
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration, pallet_prelude::Get, traits::UncheckedOnRuntimeUpgrade,
	weights::Weight,
};

/// From version 1 to 2: every retired key that is still remembered is remembered for ever.
pub type V2<T> =
	VersionedMigration<1, 2, ToV2<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The change of [`V2`], without the check of the version.
pub struct ToV2<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for ToV2<T> {
	fn on_runtime_upgrade() -> Weight {
		// Three roles, each with a bounded list.
		let mut keys = 0u64;
		for retired in RetiredKeys::<T>::iter_values().flatten() {
			PastKeys::<T>::insert(retired.key, ());
			keys = keys.saturating_add(1);
		}
		T::DbWeight::get().reads_writes(3, keys)
	}
}
