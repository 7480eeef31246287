//! Migrations, from encoded rows of the version before.

use crate::{
	migrations::{OldMintDay, OldParameters, OldPrices, OldStatement, V2, V3},
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
	num::units::AICP,
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
	version_2_rows();
	StorageVersion::new(1).put::<Pallet<Test>>();
	hash
}

/// Writes the day's mints and payments as versions 1 and 2 did: nothing minted yet.
fn version_2_rows() {
	let minting = OldMintDay { day: day(1), opening: SUPPLY, minted: 0 };
	unhashed::put_raw(&Minting::<Test>::hashed_key(), &minting.encode());
	unhashed::put_raw(&HandedOut::<Test>::hashed_key(), &(day(1), 0u128).encode());
}

#[test]
fn version_3_backs_the_credit_of_old_chains_and_knows_what_waits() {
	build_and_execute(|| {
		// GIVEN 15 EUR that can be spent, and 3 EUR that wait
		let hash = state_day(0, eur(95));
		limit_capacity(15_000_000);
		assert_ok!(redeem(ALICE, 10 * AICP));
		assert_ok!(redeem(ALICE, 2 * AICP));
		transfer(BACKING, TREASURY, 10 * AICP);
		Waiting::<Test>::kill();
		version_2_rows();
		unhashed::put_raw(&HandedOut::<Test>::hashed_key(), &(day(1), 15_000_000u128).encode());
		StorageVersion::new(2).put::<Pallet<Test>>();
		// WHEN the chain is upgraded
		V3::<Test>::on_runtime_upgrade();
		// THEN nothing more is paid out today, and what can be spent is backed
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(3));
		let minting = MintDay { day: day(1), opening: SUPPLY, minted: 0, most: 0 };
		assert_eq!(Minting::<Test>::get(), Some(minting));
		let paid = PaidOut { day: day(1), credit: 15_000_000, claims: 0, capacity: 15_000_000 };
		assert_eq!(HandedOut::<Test>::get(), paid);
		assert_eq!(Waiting::<Test>::get(), 3_000_000);
		assert_eq!((aicp(TREASURY), aicp(BACKING)), (OF_TREASURY - 10 * AICP, 10 * AICP));
		assert_ok!(set_parameters(|new| new.policy.daily_cap = Ratio::percent(5)));
		assert_ok!(mint(1, hash));
	});
}

#[test]
fn version_3_takes_what_a_poor_treasury_has_and_the_rest_first() {
	build_and_execute(|| {
		assert_ok!(redeem(ALICE, 10 * AICP));
		transfer(BACKING, TREASURY, 10 * AICP);
		transfer(TREASURY, BOB, OF_TREASURY - 4 * AICP);
		version_2_rows();
		StorageVersion::new(2).put::<Pallet<Test>>();
		V3::<Test>::on_runtime_upgrade();
		assert_eq!((aicp(TREASURY), aicp(BACKING)), (0, 4 * AICP));
		// Nothing else is given out before the treasury has the rest.
		assert_eq!(CoveragePolicy::status().budget, 0);
		transfer(BOB, TREASURY, 7 * AICP);
		assert_eq!(CoveragePolicy::status().budget, 1_500_000);
		assert_ok!(redeem(ALICE, AICP));
		assert_eq!((aicp(TREASURY), aicp(BACKING)), (0, 11 * AICP));
	});
}

#[test]
fn version_2_gives_old_rows_their_bounds_and_begins_the_average() {
	build_and_execute(|| {
		let hash = version_1();
		V2::<Test>::on_runtime_upgrade();
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(2));
		V3::<Test>::on_runtime_upgrade();
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
		V3::<Test>::on_runtime_upgrade();
		assert_eq!(Latest::<Test>::get(), None);
	});
}
