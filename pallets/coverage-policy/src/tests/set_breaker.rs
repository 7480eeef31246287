//! `set_breaker`.

use crate::{Breaker::*, mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn set(new: Breaker, origin: RuntimeOrigin) -> Result<(), DispatchError> {
	dispatch_as(Call::set_breaker { new }, origin)
}

#[test]
fn the_guard_stops_more_and_governance_allows_again() {
	build_and_execute(|| {
		let guard = || RuntimeOrigin::signed(GUARD);
		assert_ok!(set(MintStopped, guard()));
		assert_ok!(set(AllStopped, guard()));
		assert_noop!(set(MintStopped, guard()), Error::<Test>::NotGovernance);
		assert_noop!(set(Closed, guard()), Error::<Test>::NotGovernance);
		assert_ok!(set(Closed, RuntimeOrigin::root()));
		assert_eq!(
			events(),
			vec![
				Event::BreakerSet { old: Closed, new: MintStopped },
				Event::BreakerSet { old: MintStopped, new: AllStopped },
				Event::BreakerSet { old: AllStopped, new: Closed },
			]
		);
	});
}

#[test]
fn nobody_else_touches_it() {
	build_and_execute(|| {
		for origin in [RuntimeOrigin::signed(ALICE), RuntimeOrigin::signed(ISSUER)] {
			assert_noop!(set(AllStopped, origin), DispatchError::BadOrigin);
		}
		assert_noop!(set(Closed, RuntimeOrigin::root()), Error::<Test>::Unchanged);
	});
}
