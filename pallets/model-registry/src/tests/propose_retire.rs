//! `propose_retire`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};

fn retire(name: &str) -> Result<(), sp_runtime::DispatchError> {
	govern(Call::propose_retire { model: hash(name) })
}

#[test]
fn a_retired_model_does_not_count_and_what_was_opened_before_does() {
	build_and_execute(|| {
		assert_ok!(retire("first"));
		let (model, effective_ms) = (hash("first"), START + DELAY);
		assert_eq!(events(), vec![Event::RetirementAnnounced { model, effective_ms }]);
		assert_eq!(ModelRegistry::default_model(), Some(model));
		pass(DELAY);
		assert_eq!(factor("first"), None);
		assert_eq!(ModelRegistry::factor_at(model, effective_ms - 1), Some(5_000));
		assert_eq!(ModelRegistry::default_model(), None, "what does not count is not the default");
	});
}

#[test]
fn a_retired_model_does_not_change_and_keeps_its_name() {
	build_and_execute(|| {
		assert_ok!(retire("first"));
		pass(DELAY);
		let model = hash("first");
		assert_noop!(retire("first"), Error::<Test>::Retired);
		let change = Call::propose_change { model, terms: OTHER };
		assert_noop!(govern(change), Error::<Test>::Retired);
		assert_noop!(govern(Call::propose_resume { model }), Error::<Test>::Retired);
		assert_noop!(govern(Call::stop { model }), Error::<Test>::Retired);
		let again = Call::propose_add { new: Box::new(new("first")) };
		assert_noop!(govern(again), Error::<Test>::AlreadyExists);
		assert_noop!(retire("third"), Error::<Test>::NotFound);
	});
}
