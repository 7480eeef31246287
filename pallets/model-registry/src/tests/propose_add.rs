//! `propose_add`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::compute::{
	MAX_MODEL_FACTOR,
	registry::{MAX_CONTEXT_TOKENS, ModelRegistry as _, NewModel},
};

fn add(new: NewModel) -> Result<(), sp_runtime::DispatchError> {
	govern(Call::propose_add { new: Box::new(new) })
}

#[test]
fn a_model_counts_after_the_delay_and_everybody_sees_it_before() {
	build_and_execute(|| {
		assert_ok!(add(new("third")));
		let (model, effective_ms) = (hash("third"), START + DELAY);
		let announced = Event::ModelAnnounced { model, new: Box::new(new("third")), effective_ms };
		assert_eq!(events(), vec![announced]);
		assert_eq!(factor("third"), None);
		assert_eq!(ModelRegistry::factor_at(model, effective_ms), Some(5_000));
		pass(DELAY - 1);
		assert!(!ModelRegistry::is_counted(&model, Now::get()));
		pass(1);
		assert_eq!(factor("third"), Some(5_000));
		assert!(ModelRegistry::counts_by(&model, 5_000, Now::get()));
		assert!(!ModelRegistry::counts_by(&model, 5_001, Now::get()));
	});
}

#[test]
fn a_model_out_of_bounds_is_refused() {
	build_and_execute(|| {
		for factor in [0, MAX_MODEL_FACTOR + 1] {
			let mut wrong = new("third");
			wrong.terms.factor = factor;
			assert_noop!(add(wrong), Error::<Test>::InvalidFactor);
		}
		for context in [0, MAX_CONTEXT_TOKENS + 1] {
			let wrong = NewModel { context, ..new("third") };
			assert_noop!(add(wrong), Error::<Test>::InvalidContext);
		}
		let mut wrong = new("third");
		let bytes = codec::Encode::encode(&b"a b".to_vec());
		wrong.description.name = codec::Decode::decode(&mut &bytes[..]).unwrap();
		assert_noop!(add(wrong), Error::<Test>::InvalidName);
	});
}

#[test]
fn a_model_is_added_once_and_a_name_belongs_to_one() {
	build_and_execute(|| {
		assert_noop!(add(new("first")), Error::<Test>::AlreadyExists);
		assert_noop!(add(new("FIRST")), Error::<Test>::NameTaken);
		let mut other_weights = new("first");
		other_weights.description.weights = hash("anything");
		assert_noop!(add(other_weights), Error::<Test>::NameTaken);
		// Announced is as good as there.
		assert_ok!(add(new("third")));
		assert_noop!(add(new("third")), Error::<Test>::AlreadyExists);
	});
}

#[test]
fn no_more_models_are_added_than_there_may_be() {
	build_and_execute(|| {
		assert_ok!(add(new("third")));
		assert_ok!(add(new("fourth")));
		assert_noop!(add(new("fifth")), Error::<Test>::MaxModelsExceeded);
	});
}
