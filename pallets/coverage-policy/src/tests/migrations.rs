//! Migrations, from encoded rows of the version before.

use crate::{
	migrations::{OldParameters, OldPrices, OldStatement, V2},
	mock::*,
	*,
};
use codec::Encode;
use frame_support::{
	assert_ok,
	storage::unhashed,
	traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion},
};
use gridproof_primitives::{
	H256,
	num::decimal::Ratio,
	reserve::bounds::{EnergyBounds, PriceBounds, Reference},
};

/// Writes the rows of a chain of version 1 that has stated a day at 95 EUR/MWh.
fn version_1() -> H256 {
	let hash = state_day(0, eur(95));
	let now = parameters();
	let mut policy = now.policy;
	policy.bootstrap = u128::MAX;
	let old = OldParameters {
		policy,
		prices: OldPrices {
			min: Ratio::ONE,
			max: Ratio::from_integer(1_000),
			max_daily_move: Ratio::percent(50),
		},
		alpha_base: now.alpha_base,
		haircut: now.haircut,
		zones_total: now.zones_total,
		utilisation: now.utilisation,
		compute_inventory: now.compute_inventory,
		max_age: u32::MAX,
		redemption: now.redemption,
	};
	unhashed::put_raw(&Parameters::<Test>::hashed_key(), &old.encode());
	let latest = OldStatement {
		hash,
		day: day(0),
		taken_on: day(1),
		wh_committed: 180_000_000_000,
		eur_per_mwh: Ratio::from_integer(95),
		compute_assets: 0,
		reference: Some((Ratio::from_integer(90), day(0).previous().unwrap())),
	};
	unhashed::put_raw(&Latest::<Test>::hashed_key(), &latest.encode());
	StorageVersion::new(1).put::<Pallet<Test>>();
	hash
}

#[test]
fn version_2_gives_old_rows_their_bounds_and_begins_the_average() {
	build_and_execute(|| {
		let hash = version_1();
		V2::<Test>::on_runtime_upgrade();
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(2));
		let mut expected = parameters();
		expected.policy.bootstrap = 1_000_000_000_000_000;
		expected.max_age = 30;
		expected.prices = PriceBounds::DAY_AHEAD;
		expected.energy = EnergyBounds::EUROPE;
		assert_eq!(Parameters::<Test>::get(), expected);
		let before = day(0).previous().unwrap();
		let reference = Reference { day: before, average: 90.into(), wh_per_zone: 0 };
		let latest = Statement {
			hash,
			day: day(0),
			taken_on: day(1),
			wh_committed: 180_000_000_000,
			price: eur(95),
			eur_per_mwh: 95.into(),
			compute_assets: 0,
			wh_per_zone: 0,
			reference: Some(reference),
		};
		assert_eq!(Latest::<Test>::get(), Some(latest));
		// The day is used as before, and the next one is averaged with it.
		assert_ok!(mint(363_636_363_636, hash));
		state_day(1, eur(123));
		assert_eq!(Latest::<Test>::get().map(|l| l.eur_per_mwh), Some(96.into()));
		// A second run changes nothing.
		let (latest, parameters) = (Latest::<Test>::get(), Parameters::<Test>::get());
		V2::<Test>::on_runtime_upgrade();
		assert_eq!((Latest::<Test>::get(), Parameters::<Test>::get()), (latest, parameters));
	});
}

#[test]
fn version_2_of_a_chain_without_a_statement() {
	build_and_execute(|| {
		version_1();
		Latest::<Test>::kill();
		History::<Test>::remove(0);
		NextRecord::<Test>::kill();
		V2::<Test>::on_runtime_upgrade();
		assert_eq!(Latest::<Test>::get(), None);
	});
}
