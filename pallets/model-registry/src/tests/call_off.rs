//! `call_off`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::compute::registry::{MAX_DELAY_MS, Pending};

fn call_off(pending: Pending) -> Result<(), sp_runtime::DispatchError> {
	govern(Call::call_off { pending })
}

#[test]
fn what_is_announced_is_called_off_until_it_holds() {
	build_and_execute(|| {
		let first = hash("first");
		let announce = || {
			assert_ok!(govern(Call::propose_change { model: first, terms: OTHER }));
			assert_ok!(govern(Call::propose_default { model: Some(hash("second")) }));
			assert_ok!(govern(Call::propose_delay { delay_ms: MAX_DELAY_MS }));
		};
		let all = [Pending::Model(first), Pending::Default, Pending::Delay];
		announce();
		pass(DELAY - 1);
		events();
		for pending in all {
			assert_ok!(call_off(pending));
			assert_eq!(events(), vec![Event::CalledOff { pending }]);
			assert_noop!(call_off(pending), Error::<Test>::NothingPending);
		}
		pass(DELAY);
		assert_eq!(factor("first"), Some(5_000));
		assert_eq!(ModelRegistry::default_model(), Some(first));
		announce();
		pass(DELAY);
		for pending in all {
			assert_noop!(call_off(pending), Error::<Test>::NothingPending);
		}
		assert_eq!(factor("first"), Some(12_000));
		assert_noop!(call_off(Pending::Model(hash("third"))), Error::<Test>::NotFound);
	});
}

#[test]
fn nothing_is_left_of_a_model_that_was_called_off() {
	build_and_execute(|| {
		assert_ok!(govern(Call::propose_add { new: Box::new(new("third")) }));
		assert_ok!(govern(Call::propose_default { model: Some(hash("third")) }));
		assert_ok!(call_off(Pending::Model(hash("third"))));
		assert_eq!(ModelRegistry::model(hash("third")), None);
		assert_eq!(Models::<Test>::count(), 2);
		pass(DELAY);
		assert_eq!(ModelRegistry::default_model(), None);
		assert_ok!(govern(Call::propose_add { new: Box::new(new("third")) }));
	});
}
