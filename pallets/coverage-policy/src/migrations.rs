//! Migrations of the stored types.

use crate::pallet::*;
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	pallet_prelude::Get,
	traits::{
		UncheckedOnRuntimeUpgrade,
		fungibles::{Inspect as _, Mutate as _},
		tokens::Preservation,
	},
	weights::Weight,
};
use gridproof_primitives::{
	H256,
	num::decimal::Ratio,
	reserve::bounds::{EnergyBounds, PriceBounds, Reference},
	reserve::formula::Policy,
	reserve::parameters::{MAX_AGE, MAX_BOOTSTRAP, PolicyParameters, RedemptionLimits},
	reserve::state::{MintDay, PaidOut, Statement},
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
}

/// From version 2 to 3: what a day may mint and pay out is recorded, and service credit is backed.
///
/// What was minted and paid out on the last day counts as allowed. The treasury puts AICP aside for
/// the credit that can be spent, as far as it has any; what is missing then is the first that later
/// redemptions put aside.
pub type V3<T> =
	VersionedMigration<2, 3, ToV3<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The change of [`V3`], without the check of the version.
pub struct ToV3<T>(PhantomData<T>);

/// Highest number of tickets that version 2 let wait.
const MAX_OLD_TICKETS: usize = 10_000;

#[derive(Encode, Decode)]
pub(crate) struct OldMintDay {
	pub day: Day,
	pub opening: u128,
	pub minted: u128,
}

impl From<OldMintDay> for MintDay {
	fn from(OldMintDay { day, opening, minted }: OldMintDay) -> Self {
		Self { day, opening, minted, most: minted }
	}
}

impl<T: Config> UncheckedOnRuntimeUpgrade for ToV3<T> {
	fn on_runtime_upgrade() -> Weight {
		let minting = Minting::<T>::translate(|old: Option<OldMintDay>| old.map(MintDay::from));
		let paid_out = HandedOut::<T>::translate(|old: Option<(Day, u128)>| {
			old.map(|(day, credit)| PaidOut { day, credit, claims: 0, capacity: credit })
		});
		if minting.is_err() || paid_out.is_err() {
			frame_support::defensive!("a stored value of version 2 does not decode");
		}
		let (mut waiting, mut tickets) = (0u128, 0u64);
		for ticket in Queue::<T>::iter_values().take(MAX_OLD_TICKETS) {
			waiting = waiting.saturating_add(ticket.credit);
			tickets = tickets.saturating_add(1);
		}
		Waiting::<T>::put(waiting);
		let present = T::Fungibles::balance(T::Aicp::get(), &T::Treasury::get());
		if Pallet::<T>::back(0).is_err() && present > 0 {
			let (aicp, from, to) = (T::Aicp::get(), T::Treasury::get(), T::Backing::get());
			let all = T::Fungibles::transfer(aicp, &from, &to, present, Preservation::Expendable);
			if all.is_err() {
				frame_support::defensive!("the treasury's AICP cannot be moved");
			}
		}
		T::DbWeight::get().reads_writes(tickets.saturating_add(10), 8)
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(_: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		Pallet::<T>::do_try_state()
	}
}
