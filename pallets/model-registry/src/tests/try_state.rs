//! Each invariant, broken once.

use crate::{mock::*, *};
use frame_support::{
	assert_ok,
	storage::{storage_prefix, unhashed},
};
use gridproof_primitives::{
	H256,
	compute::registry::{Model, ModelName, ModelTerms, Next, Scheduled, TermsChange},
};

#[track_caller]
fn broken(number: &str, breaks: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		assert_ok!(govern(Call::propose_change { model: hash("first"), terms: OTHER }));
		assert_ok!(ModelRegistry::do_try_state());
		breaks();
		let error = ModelRegistry::do_try_state().expect_err("it is broken");
		let sp_runtime::TryRuntimeError::Other(text) = error else { panic!("{error:?}") };
		assert!(text.starts_with(number), "{text}");
	});
}

fn first(change: impl FnOnce(&mut Model)) {
	Models::<Test>::mutate(hash("first"), |model| change(model.as_mut().unwrap()));
}

#[test]
fn every_invariant_is_noticed_when_it_breaks() {
	broken("1: a model under", || first(|model| model.description.template = Some(H256::zero())));
	broken("1: a timeline", || {
		first(|model| {
			model.timeline = Timeline::new(START + 10, TERMS);
			let change = TermsChange::Terms(OTHER);
			model.timeline.announce(START + 20, START + 30, change).unwrap();
		});
	});
	broken("1: a timeline", || {
		first(|model| {
			model.timeline = Timeline::new(0, ModelTerms { factor: 0, ..OTHER });
		});
	});
	broken("1: a model out", || first(|model| model.context = 0));
	broken("2: models", || {
		let counter = storage_prefix(b"ModelRegistry", b"CounterForModels");
		unhashed::put(&counter, &3u32);
	});
	broken("2: too many", || {
		for name in ["third", "fourth", "fifth"] {
			let name_of = ModelName::new(name).unwrap();
			Models::<Test>::insert(hash(name), Model::starting(new(name), 0));
			Names::<Test>::insert(name_of, hash(name));
		}
	});
	broken("3: a model", || Names::<Test>::remove(ModelName::new("first").unwrap()));
	broken("3: a name", || Names::<Test>::insert(ModelName::new("x").unwrap(), hash("first")));
	broken("4", || ChosenDefault::<Test>::put(Scheduled::new(Some(hash("third")))));
	broken("4", || {
		let next = Some(Next { value: Some(hash("third")), since_ms: START + 1 });
		ChosenDefault::<Test>::put(Scheduled { value: None, next });
	});
	broken("5", || Delay::<Test>::put(Scheduled::new(59_999)));
	broken("5", || {
		let next = Some(Next { value: u64::MAX, since_ms: START + 1 });
		Delay::<Test>::put(Scheduled { value: DELAY, next });
	});
}
