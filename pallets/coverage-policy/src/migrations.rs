//! Migrations of the stored types.

use crate::pallet::*;
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration, pallet_prelude::Get, traits::UncheckedOnRuntimeUpgrade,
	weights::Weight,
};
use gridproof_primitives::{
	H256,
	num::decimal::Ratio,
	reserve::bounds::{EnergyBounds, PriceBounds, Reference},
	reserve::formula::Policy,
	reserve::parameters::{MAX_AGE, MAX_BOOTSTRAP, PolicyParameters, RedemptionLimits},
	reserve::state::Statement,
	time::day::Day,
};

/// From version 1 to 2: prices are averaged, energy and zones are bounded.
///
/// The parameters receive the bounds of European day-ahead prices and energy; the highest price
/// stays. The latest statement's price begins the average, and the energy of its zones is not
/// known, so that the next statement's is not compared with it.
pub type V2<T> =
	VersionedMigration<1, 2, ToV2<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The change of [`V2`], without the check of the version.
pub struct ToV2<T>(PhantomData<T>);

#[derive(Encode, Decode)]
pub(crate) struct OldPrices {
	pub min: Ratio,
	pub max: Ratio,
	pub max_daily_move: Ratio,
}

#[derive(Encode, Decode)]
pub(crate) struct OldParameters {
	pub policy: Policy,
	pub prices: OldPrices,
	pub alpha_base: Ratio,
	pub haircut: Ratio,
	pub zones_total: u16,
	pub utilisation: Ratio,
	pub compute_inventory: u128,
	pub max_age: u32,
	pub redemption: RedemptionLimits,
}

#[derive(Encode, Decode)]
pub(crate) struct OldStatement {
	pub hash: H256,
	pub day: Day,
	pub taken_on: Day,
	pub wh_committed: u128,
	pub eur_per_mwh: Ratio,
	pub compute_assets: u128,
	pub reference: Option<(Ratio, Day)>,
}

impl From<OldParameters> for PolicyParameters {
	fn from(old: OldParameters) -> Self {
		let bootstrap = old.policy.bootstrap.min(MAX_BOOTSTRAP);
		Self {
			policy: Policy { bootstrap, ..old.policy },
			prices: PriceBounds { max: old.prices.max, ..PriceBounds::DAY_AHEAD },
			energy: EnergyBounds::EUROPE,
			alpha_base: old.alpha_base,
			haircut: old.haircut,
			zones_total: old.zones_total,
			utilisation: old.utilisation,
			compute_inventory: old.compute_inventory,
			max_age: old.max_age.min(MAX_AGE),
			redemption: old.redemption,
		}
	}
}

impl From<OldStatement> for Statement {
	fn from(old: OldStatement) -> Self {
		let reference = |(average, day): (Ratio, Day)| Reference { day, average, wh_per_zone: 0 };
		Self {
			hash: old.hash,
			day: old.day,
			taken_on: old.taken_on,
			wh_committed: old.wh_committed,
			price: old.eur_per_mwh.into(),
			eur_per_mwh: old.eur_per_mwh,
			compute_assets: old.compute_assets,
			wh_per_zone: 0,
			reference: old.reference.map(reference),
		}
	}
}

impl<T: Config> UncheckedOnRuntimeUpgrade for ToV2<T> {
	fn on_runtime_upgrade() -> Weight {
		let parameters = Parameters::<T>::translate(|old: Option<OldParameters>| {
			old.map(PolicyParameters::from)
		});
		let latest = Latest::<T>::translate(|old: Option<OldStatement>| old.map(Statement::from));
		if parameters.is_err() || latest.is_err() {
			frame_support::defensive!("a stored value of version 1 does not decode");
		}
		T::DbWeight::get().reads_writes(2, 2)
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(_: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		Pallet::<T>::do_try_state()
	}
}
