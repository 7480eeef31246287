//! `propose_change`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::compute::registry::{MAX_SPANS, ModelRegistry as _, ModelTerms};

fn change(name: &str, terms: ModelTerms) -> Result<(), sp_runtime::DispatchError> {
	govern(Call::propose_change { model: hash(name), terms })
}

#[test]
fn what_was_opened_before_counts_by_the_old_factor() {
	build_and_execute(|| {
		assert_ok!(change("first", OTHER));
		let (model, effective_ms) = (hash("first"), START + DELAY);
		assert_eq!(events(), vec![Event::TermsAnnounced { model, terms: OTHER, effective_ms }]);
		pass(10 * DELAY);
		assert_eq!(factor("first"), Some(12_000));
		assert_eq!(ModelRegistry::factor_at(model, effective_ms - 1), Some(5_000));
		assert_eq!(ModelRegistry::terms_at(&model, effective_ms), Some(OTHER));
		assert_eq!(factor("second"), Some(5_000), "it has terms of its own");
	});
}

#[test]
fn one_change_is_announced_at_a_time() {
	build_and_execute(|| {
		assert_ok!(change("first", OTHER));
		pass(DELAY - 1);
		assert_noop!(change("first", TERMS), Error::<Test>::ChangePending);
		assert_noop!(
			govern(Call::propose_retire { model: hash("first") }),
			Error::<Test>::ChangePending
		);
		pass(1);
		assert_ok!(change("first", TERMS));
	});
}

#[test]
fn terms_that_are_none_or_the_same_are_refused() {
	build_and_execute(|| {
		assert_noop!(change("first", TERMS), Error::<Test>::Unchanged);
		assert_noop!(change("third", OTHER), Error::<Test>::NotFound);
		let wrong = ModelTerms { factor: 130_001, ..OTHER };
		assert_noop!(change("first", wrong), Error::<Test>::InvalidFactor);
	});
}

#[test]
fn a_model_is_not_changed_so_often_that_what_held_is_forgotten() {
	build_and_execute(|| {
		let mut terms = TERMS;
		for _ in 0..MAX_SPANS - 3 {
			terms.factor += 1;
			assert_ok!(change("first", terms));
			pass(DELAY);
		}
		assert_noop!(change("first", OTHER), Error::<Test>::TooManyChanges);
		assert_eq!(ModelRegistry::factor_at(hash("first"), START), Some(5_000));
		// A stop and a retirement have room.
		assert_ok!(signed(Call::stop { model: hash("first") }, GUARD));
		assert_ok!(govern(Call::propose_retire { model: hash("first") }));
		assert_ok!(change("second", OTHER));
	});
}
