//! `propose_default`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::H256;

fn default(model: Option<H256>) -> Result<(), sp_runtime::DispatchError> {
	govern(Call::propose_default { model })
}

#[test]
fn another_default_holds_after_the_delay() {
	build_and_execute(|| {
		let (first, second) = (hash("first"), hash("second"));
		assert_ok!(default(Some(second)));
		let effective_ms = START + DELAY;
		assert_eq!(events(), vec![Event::DefaultAnnounced { model: Some(second), effective_ms }]);
		assert_noop!(default(None), Error::<Test>::ChangePending);
		pass(DELAY - 1);
		assert_eq!(ModelRegistry::default_model(), Some(first));
		pass(1);
		assert_eq!(ModelRegistry::default_model(), Some(second));
		assert_noop!(default(Some(second)), Error::<Test>::Unchanged);
		assert_ok!(default(None));
		pass(DELAY);
		assert_eq!(ModelRegistry::default_model(), None);
	});
}

#[test]
fn the_default_is_a_model_that_will_count_then() {
	build_and_execute(|| {
		assert_noop!(default(Some(hash("third"))), Error::<Test>::NotFound);
		assert_ok!(govern(Call::propose_retire { model: hash("second") }));
		assert_noop!(default(Some(hash("second"))), Error::<Test>::NotCounted);
		// One that is announced for the same time will.
		assert_ok!(govern(Call::propose_add { new: Box::new(new("third")) }));
		assert_ok!(default(Some(hash("third"))));
		pass(DELAY);
		assert_eq!(ModelRegistry::default_model(), Some(hash("third")));
	});
}
