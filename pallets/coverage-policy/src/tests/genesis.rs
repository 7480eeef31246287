//! Genesis.

use crate::{mock::*, *};
use frame_support::traits::Hooks;
use gridproof_primitives::{num::decimal::Ratio, num::units::AICP, reserve::formula::State};

#[test]
fn the_first_supply_is_minted_and_known() {
	build_and_execute(|| {
		assert_eq!((aicp(ALICE), aicp(TREASURY), issuance()), (OF_ALICE, OF_TREASURY, SUPPLY));
		assert_eq!(Sums::<Test>::get().genesis, SUPPLY);
		assert_eq!(Parameters::<Test>::get(), parameters());
		assert_eq!(Announced::<Test>::get(), State::Frozen);
		CoveragePolicy::integrity_test();
	});
}

#[test]
#[should_panic(expected = "the parameters break a relation: Some(Band)")]
fn parameters_that_break_a_relation_do_not_get_into_genesis() {
	let mut broken = parameters();
	broken.policy.cr_min = Ratio::percent(125);
	new_test_ext_with(SUPPLY, broken);
}

#[test]
fn parameters_are_written_as_people_read_them() {
	let json = r#"{
		"parameters": {
			"policy": {
				"target_price": "1.5", "cr_min": "1.1", "cr_max": "6/5",
				"daily_cap": "0.05", "bootstrap": 1000000000000
			},
			"prices": {"min": "-500", "max": "1000", "window": 1, "max_daily_ratio": "3/2"},
			"energy": {
				"max_wh_per_zone": 500000000000, "max_daily_ratio": "1.5", "min_zones_share": "4/5"
			},
			"alpha_base": "0.18", "haircut": "1", "zones_total": 30, "utilisation": "1",
			"compute_inventory": 5000000000000, "max_age": 2,
			"redemption": {
				"minimum": 1000000, "daily_limit": 10000000000, "daily_capacity": 100000000000
			}
		},
		"issuer": 50,
		"supply": [[1, 10000000000000]]
	}"#;
	let config: GenesisConfig<Test> = serde_json::from_str(json).unwrap();
	let mut expected = parameters();
	expected.policy.bootstrap = 1_000_000 * AICP;
	assert_eq!(config.parameters, expected);
	assert_eq!((config.issuer, config.supply), (Some(ISSUER), vec![(ALICE, SUPPLY)]));
}
