//! Parameters and lines.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::checks::{CheckParameterError, ModelLine},
	num::units::AIT,
};
use sp_runtime::DispatchError;

#[test]
fn parameters_under_which_cheating_pays_are_refused() {
	build_and_execute(|| {
		let good = CheckParameters { silence_fee: 2 * AIT, ..Default::default() };
		let set = |new: CheckParameters| Call::set_parameters { new: Box::new(new) };
		assert_noop!(dispatch(set(good), account(1)), DispatchError::BadOrigin);
		assert_noop!(govern(set(Default::default())), Error::<Test>::Unchanged);
		let bad = CheckParameters { value_per_check: 2 * AIT, ..good };
		assert_noop!(govern(set(bad)), Error::<Test>::InvalidParameters);
		assert_eq!(ComputeChecks::check_parameters(bad), Err(CheckParameterError::CheatPays));
		let strict = CheckParameters { finds_within: 4, ..good };
		assert_noop!(govern(set(strict)), Error::<Test>::InvalidLine);
		assert_ok!(govern(set(good)));
		assert_eq!(ComputeChecks::parameters(), good);
	});
}

#[test]
fn lines_are_governances_and_bounded() {
	build_and_execute(|| {
		let model = H256::repeat_byte(40);
		let set = |model, line| Call::set_line { model, line };
		assert_noop!(dispatch(set(model, Some(LINE)), account(1)), DispatchError::BadOrigin);
		assert_noop!(govern(set(model, None)), Error::<Test>::Unchanged);
		let late = ModelLine { finds_within: 6, ..LINE };
		assert_noop!(govern(set(model, Some(late))), Error::<Test>::InvalidLine);
		assert_ok!(govern(set(model, Some(LINE))));
		let third = H256::repeat_byte(41);
		assert_noop!(govern(set(third, Some(LINE))), Error::<Test>::MaxLinesExceeded);
		assert_ok!(govern(set(model, None)));
		assert_ok!(govern(set(third, Some(LINE))));
		assert_eq!(ComputeChecks::line(third), Some(LINE));
		assert_eq!(ComputeChecks::line(EXACT), Some(ModelLine::EXACT));
		assert_eq!(ComputeChecks::line(UNLINED), None);
	});
}
