//! What programs ask.

use crate::{mock::*, *};
use frame_support::assert_ok;
use gridproof_primitives::compute::registry::{
	MIN_DELAY_MS, ModelName, PendingChange, Planned, Span, Standing,
};

#[test]
fn a_model_is_shown_with_what_holds_and_what_will() {
	build_and_execute(|| {
		assert_ok!(govern(Call::propose_change { model: hash("first"), terms: OTHER }));
		let shown = ModelRegistry::model(hash("first")).unwrap();
		assert_eq!(shown.model.description, new("first").description);
		assert_eq!(shown.standing, Some(Standing::Counted(TERMS)));
		let span = Span { since_ms: START + DELAY, standing: Standing::Counted(OTHER) };
		assert_eq!(shown.pending, Some(span));
		assert!(shown.is_default);
		let by_name = ModelRegistry::model_by_name(ModelName::new("FIRST").unwrap());
		assert_eq!(by_name, Some(shown));
		assert_eq!(ModelRegistry::model_by_name(ModelName::new("third").unwrap()), None);
		assert_ok!(govern(Call::propose_add { new: Box::new(new("third")) }));
		assert_eq!(ModelRegistry::model(hash("third")).unwrap().standing, None);
	});
}

#[test]
fn all_models_are_listed_page_by_page() {
	build_and_execute(|| {
		for name in ["third", "fourth"] {
			assert_ok!(govern(Call::propose_add { new: Box::new(new(name)) }));
		}
		let mut hashes = ["first", "second", "third", "fourth"].map(hash);
		hashes.sort();
		let of = |after, limit| {
			let listed = ModelRegistry::models(after, limit);
			listed.into_iter().map(|view| view.hash).collect::<Vec<_>>()
		};
		assert_eq!(of(None, 100), hashes);
		assert_eq!(of(None, 3), hashes[..3]);
		assert_eq!(of(Some(hashes[2]), u32::MAX), hashes[3..]);
		assert_eq!(of(Some(hashes[3]), 1), []);
		assert_eq!(of(None, 0), []);
	});
}

#[test]
fn what_is_announced_is_listed_with_its_time_until_it_holds() {
	build_and_execute(|| {
		assert_eq!(ModelRegistry::pending(), vec![]);
		assert_ok!(govern(Call::propose_delay { delay_ms: MIN_DELAY_MS }));
		pass(10);
		assert_ok!(govern(Call::propose_retire { model: hash("second") }));
		pass(10);
		assert_ok!(govern(Call::propose_default { model: None }));
		let change =
			|planned, passed| PendingChange { planned, effective_ms: START + passed + DELAY };
		let all = vec![
			change(Planned::Delay(MIN_DELAY_MS), 0),
			change(Planned::Model(hash("second"), Standing::Retired), 10),
			change(Planned::Default(None), 20),
		];
		assert_eq!(ModelRegistry::pending(), all);
		Now::set(START + DELAY + 10);
		assert_eq!(ModelRegistry::pending(), all[2..]);
	});
}
