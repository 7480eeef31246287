//! `stop` and `propose_resume`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};

fn stop(name: &str) -> Result<(), sp_runtime::DispatchError> {
	signed(Call::stop { model: hash(name) }, GUARD)
}

fn resume(name: &str) -> Result<(), sp_runtime::DispatchError> {
	govern(Call::propose_resume { model: hash(name) })
}

#[test]
fn a_stop_holds_at_once_and_what_was_opened_before_counts() {
	build_and_execute(|| {
		assert_ok!(stop("first"));
		let model = hash("first");
		assert_eq!(events(), vec![Event::ModelStopped { model }]);
		assert_eq!(factor("first"), None);
		assert_eq!(ModelRegistry::factor_at(model, START - 1), Some(5_000));
		assert_eq!(ModelRegistry::default_model(), None);
		assert_noop!(stop("first"), Error::<Test>::Unchanged);
		assert_noop!(stop("third"), Error::<Test>::NotFound);
	});
}

#[test]
fn a_stopped_model_counts_again_after_the_delay() {
	build_and_execute(|| {
		assert_noop!(resume("first"), Error::<Test>::NotStopped);
		assert_ok!(stop("first"));
		pass(1_000);
		events();
		assert_ok!(resume("first"));
		let effective_ms = START + 1_000 + DELAY;
		let model = hash("first");
		assert_eq!(events(), vec![Event::ResumptionAnnounced { model, effective_ms }]);
		pass(DELAY - 1);
		assert_eq!(factor("first"), None);
		pass(1);
		assert_eq!(factor("first"), Some(5_000));
		assert_eq!(ModelRegistry::factor_at(model, effective_ms - 1), None, "it was stopped then");
		assert_eq!(ModelRegistry::default_model(), Some(model));
	});
}

#[test]
fn a_change_that_was_announced_does_not_end_a_stop() {
	build_and_execute(|| {
		assert_ok!(govern(Call::propose_change { model: hash("first"), terms: OTHER }));
		pass(1);
		assert_ok!(stop("first"));
		pass(DELAY);
		assert_eq!(factor("first"), None);
		assert_ok!(resume("first"));
		pass(DELAY);
		assert_eq!(factor("first"), Some(12_000));
	});
}

#[test]
fn a_model_that_is_announced_can_be_stopped_before_it_counts() {
	build_and_execute(|| {
		assert_ok!(govern(Call::propose_add { new: Box::new(new("third")) }));
		assert_ok!(stop("third"));
		pass(2 * DELAY);
		assert_eq!(factor("third"), None);
	});
}

#[test]
fn governance_stops_too() {
	build_and_execute(|| {
		assert_ok!(govern(Call::stop { model: hash("second") }));
		assert_eq!(factor("second"), None);
	});
}
