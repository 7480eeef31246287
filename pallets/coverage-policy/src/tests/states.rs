//! The states and what moves between them.

use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use gridproof_primitives::{
	num::units::AICP,
	reserve::attestation::AttestationFields,
	reserve::formula::State::{self, *},
};

fn states() -> Vec<(State, State)> {
	events()
		.into_iter()
		.filter_map(|event| match event {
			Event::StateChanged { from, to, .. } => Some((from, to)),
			_ => None,
		})
		.collect()
}

fn poll() {
	CoveragePolicy::on_poll(1, &mut WeightMeter::new());
}

#[test]
fn each_change_has_one_event() {
	build_and_execute(|| {
		for (offset, price, state) in [
			(0, 80, Defense),
			(1, 90, Frozen),
			(2, 95, InBand),
			(3, 110, AboveBand),
			(4, 80, Defense),
		] {
			state_day(offset, eur(price));
			assert_eq!(CoveragePolicy::status().state, state);
		}
		assert_eq!(
			states(),
			vec![
				(Frozen, Defense),
				(Defense, Frozen),
				(Frozen, InBand),
				(InBand, AboveBand),
				(AboveBand, Defense),
			]
		);
		// The same state again is not a change.
		state_day(5, eur(81));
		assert!(states().is_empty());
	});
}

#[test]
fn one_micro_euro_below_the_threshold_freezes() {
	build_and_execute(|| {
		// GIVEN 16.2 M EUR of energy: 0.3 M EUR short of 1.10
		let with = |compute_assets| AttestationFields { compute_assets, ..fields(0, eur(90)) };
		let short = with(299_999_999_999);
		// WHEN a micro-EUR is missing
		let hash = take(&short).unwrap();
		// THEN it is frozen, though six decimals print 1.100000
		let status = CoveragePolicy::status();
		assert_eq!(status.state, Frozen);
		assert_eq!(status.ratio_fixed, Some(1_099_999_999_999_933_333));
		assert_noop!(mint(1, hash), Error::<Test>::NotCovered);
		// AND with it, in band, with nothing to mint
		let exact =
			AttestationFields { compute_assets: 300_000_000_000, ..revision(&short, eur(90)) };
		let hash = take(&exact).unwrap();
		let status = CoveragePolicy::status();
		assert_eq!((status.state, status.allowance), (InBand, 0));
		assert_noop!(mint(1, hash), Error::<Test>::AboveAllowance);
	});
}

#[test]
fn the_bands_upper_edge_belongs_to_the_band() {
	build_and_execute(|| {
		// 180 GWh at 100 EUR/MWh are 18 M EUR: CR is 1.2 exactly.
		state_day(0, eur(100));
		assert_eq!(CoveragePolicy::status().state, InBand);
		state_day(1, price(100_000_001, 1_000_000));
		assert_eq!(CoveragePolicy::status().state, AboveBand);
	});
}

#[test]
fn minting_can_bring_it_back_into_the_band() {
	build_and_execute(|| {
		let hash = state_day(0, eur(101));
		assert_eq!(states(), vec![(Frozen, AboveBand)]);
		assert_ok!(mint(500_000 * AICP, hash));
		assert_eq!(states(), vec![(AboveBand, InBand)]);
	});
}

#[test]
fn redeeming_can_end_defense() {
	build_and_execute(|| {
		// GIVEN CR 0.9996
		state_day(0, price(833, 10));
		assert_eq!(states(), vec![(Frozen, Defense)]);
		// WHEN 10,000 AICP are burned: 14.994 M / (1.5 · 9.99 M) = 1.00060…
		assert_ok!(redeem(ALICE, 10_000 * AICP));
		// THEN it is frozen, no more in defense
		assert_eq!(states(), vec![(Defense, Frozen)]);
	});
}

#[test]
fn too_old_a_statement_freezes_with_the_first_block_of_the_day() {
	build_and_execute(|| {
		state_day(0, eur(100));
		assert_eq!(states(), vec![(Frozen, InBand)]);
		// Two days may pass after day 0.
		set_day(2);
		poll();
		assert_eq!(CoveragePolicy::status().state, InBand);
		set_day(3);
		// What counts does not wait for the block's poll …
		assert_eq!(CoveragePolicy::status().state, Frozen);
		assert!(CoveragePolicy::status().stale);
		// … which only announces it.
		poll();
		poll();
		assert_eq!(states(), vec![(InBand, Frozen)]);
		// A new statement recovers.
		state_day(2, eur(100));
		assert_eq!(states(), vec![(Frozen, InBand)]);
	});
}

#[test]
fn defense_ends_as_frozen_when_nothing_is_known_any_more() {
	build_and_execute(|| {
		state_day(0, eur(80));
		set_day(3);
		poll();
		assert_eq!(states(), vec![(Frozen, Defense), (Defense, Frozen)]);
	});
}

#[test]
fn without_a_statement_it_is_frozen() {
	build_and_execute(|| {
		let status = CoveragePolicy::status();
		assert_eq!((status.state, status.stale, status.allowance), (Frozen, true, 0));
		assert_eq!((status.ratio, status.v_reserve), (None, 0));
	});
}

#[test]
fn a_block_without_room_polls_later() {
	build_and_execute(|| {
		state_day(0, eur(100));
		events();
		set_day(3);
		let mut meter = WeightMeter::with_limit(Weight::from_parts(1, 0));
		CoveragePolicy::on_poll(1, &mut meter);
		assert!(states().is_empty());
		assert_eq!(meter.consumed(), Weight::zero());
		poll();
		assert_eq!(states(), vec![(InBand, Frozen)]);
	});
}

#[test]
fn new_parameters_count_at_once() {
	build_and_execute(|| {
		state_day(0, eur(95));
		events();
		assert_ok!(set_parameters(|new| new.policy.cr_max = new.policy.cr_min));
		assert_eq!(states(), vec![(InBand, AboveBand)]);
	});
}
