//! `propose_delay`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::compute::registry::{MAX_DELAY_MS, MIN_DELAY_MS, Scheduled};

fn delay(delay_ms: u64) -> Result<(), sp_runtime::DispatchError> {
	govern(Call::propose_delay { delay_ms })
}

#[test]
fn a_shorter_delay_holds_after_the_longer_one() {
	build_and_execute(|| {
		assert_ok!(delay(MIN_DELAY_MS));
		let effective_ms = START + DELAY;
		assert_eq!(events(), vec![Event::DelayAnnounced { delay_ms: MIN_DELAY_MS, effective_ms }]);
		pass(DELAY - 1);
		assert_ok!(govern(Call::propose_change { model: hash("first"), terms: OTHER }));
		pass(1);
		assert_ok!(govern(Call::propose_change { model: hash("second"), terms: OTHER }));
		pass(MIN_DELAY_MS);
		assert_eq!((factor("first"), factor("second")), (Some(5_000), Some(12_000)));
		pass(DELAY);
		assert_eq!(factor("first"), Some(12_000));
	});
}

#[test]
fn a_delay_out_of_bounds_or_the_same_is_refused() {
	build_and_execute(|| {
		for wrong in [0, MIN_DELAY_MS - 1, MAX_DELAY_MS + 1, u64::MAX] {
			assert_noop!(delay(wrong), Error::<Test>::InvalidDelay);
		}
		assert_noop!(delay(DELAY), Error::<Test>::Unchanged);
		assert_ok!(delay(MAX_DELAY_MS));
		assert_noop!(delay(MIN_DELAY_MS), Error::<Test>::ChangePending);
		assert_eq!(ModelRegistry::delay().value, DELAY);
	});
}

#[test]
fn a_chain_that_never_chose_a_delay_has_three_days() {
	sp_io::TestExternalities::default().execute_with(|| {
		assert_eq!(ModelRegistry::delay(), Scheduled::new(3 * 86_400_000));
		assert_ok!(ModelRegistry::do_try_state());
	});
}
