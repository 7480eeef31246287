//! `forget`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};

#[test]
fn a_retired_model_is_forgotten_when_nothing_can_ask_for_it() {
	build_and_execute(|| {
		let model = hash("first");
		let forget = || govern(Call::forget { model });
		assert_noop!(forget(), Error::<Test>::StillRemembered);
		assert_ok!(govern(Call::propose_retire { model }));
		assert_noop!(forget(), Error::<Test>::StillRemembered);
		pass(DELAY + FACTOR_MEMORY_MS - 1);
		assert_noop!(forget(), Error::<Test>::StillRemembered);
		assert_eq!(ModelRegistry::factor_at(model, START), Some(5_000));
		pass(1);
		events();
		assert_ok!(forget());
		assert_eq!(events(), vec![Event::ModelForgotten { model }]);
		assert_eq!(ModelRegistry::model(model), None);
		assert_noop!(forget(), Error::<Test>::NotFound);
		// Its name is free, and it was the default.
		assert_eq!(ChosenDefault::<Test>::get().value, None);
		assert_ok!(govern(Call::propose_add { new: Box::new(new("FIRST")) }));
	});
}

#[test]
fn a_stopped_model_is_not_forgotten() {
	build_and_execute(|| {
		let model = hash("first");
		assert_ok!(govern(Call::stop { model }));
		pass(2 * FACTOR_MEMORY_MS);
		assert_noop!(govern(Call::forget { model }), Error::<Test>::StillRemembered);
	});
}
