//! `set_parameters`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{num::decimal::Ratio, reserve::parameters::ParameterError};
use sp_runtime::DispatchError;

#[test]
fn governance_sets_all_at_once_and_the_event_has_both() {
	build_and_execute(|| {
		let old = parameters();
		let mut new = old;
		new.policy.cr_min = Ratio::percent(115);
		new.policy.cr_max = Ratio::percent(130);
		assert_ok!(dispatch_as(Call::set_parameters { new: Box::new(new) }, RuntimeOrigin::root()));
		assert_eq!(Parameters::<Test>::get(), new);
		assert_eq!(events(), vec![Event::ParametersSet { old: Box::new(old), new: Box::new(new) }]);
	});
}

#[test]
fn a_broken_relation_changes_nothing() {
	build_and_execute(|| {
		assert_noop!(
			set_parameters(|new| new.policy.cr_max = Ratio::percent(109)),
			Error::<Test>::InvalidParameters
		);
		let mut broken = parameters();
		broken.policy.cr_max = Ratio::percent(109);
		assert_eq!(CoveragePolicy::check_parameters(broken), Err(ParameterError::Band));
		assert_noop!(
			set_parameters(|new| new.policy.cr_min = Ratio::percent(99)),
			Error::<Test>::InvalidParameters
		);
		assert_noop!(set_parameters(|_| ()), Error::<Test>::Unchanged);
	});
}

#[test]
fn only_governance_does() {
	build_and_execute(|| {
		for who in [ISSUER, GUARD, ALICE] {
			let new = Box::new(PolicyParameters::default());
			assert_noop!(dispatch(Call::set_parameters { new }, who), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn a_lower_threshold_raises_what_the_standing_statement_allows() {
	build_and_execute(|| {
		// Frozen at CR 1.08 …
		let hash = state_day(0, eur(90));
		assert_noop!(mint(1, hash), Error::<Test>::NotCovered);
		// … and covered by a threshold of 1.05: 16.2 M / 1.575 - 10 M
		assert_ok!(set_parameters(|new| new.policy.cr_min = Ratio::percent(105)));
		assert_eq!(CoveragePolicy::allowance(), 285_714_285_714);
		assert_ok!(mint(285_714_285_714, hash));
		assert_noop!(mint(1, hash), Error::<Test>::AboveAllowance);
	});
}
