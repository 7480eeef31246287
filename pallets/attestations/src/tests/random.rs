//! Random sequences of everything, against a model that knows only days and revisions.

use crate::mock::*;
use frame_support::assert_ok;
use gridproof_primitives::reserve::attestation::{Kind, Role};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
	NextDay,
	State { back: i32, roles: u8, forged: bool },
	Revise { back: i32, wrong: bool },
	Pause(bool),
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		3 => Just(Step::NextDay),
		5 => (-1..9i32, 0..8u8, any::<bool>())
			.prop_map(|(back, roles, forged)| Step::State { back, roles, forged }),
		3 => (0..9i32, any::<bool>()).prop_map(|(back, wrong)| Step::Revise { back, wrong }),
		1 => any::<bool>().prop_map(Step::Pause),
	]
}

/// The expected state, from days and counts alone.
#[derive(Default)]
struct Model {
	today: i32,
	paused: bool,
	standing: BTreeMap<i32, u32>,
	pruned: Option<i32>,
	archived: u64,
}

impl Model {
	fn in_window(&self, day: i32) -> bool {
		day < self.today && self.today - day <= 8 && self.pruned.is_none_or(|pruned| day > pruned)
	}

	fn state(&mut self, day: i32, good: bool) -> bool {
		if self.paused || !good || !self.in_window(day) || self.standing.contains_key(&day) {
			return false;
		}
		if self.standing.len() == 10 {
			let oldest = *self.standing.keys().next().unwrap();
			if day < oldest {
				return false;
			}
			self.standing.remove(&oldest);
			self.pruned = Some(oldest);
			self.archived += 1;
		}
		self.standing.insert(day, 0);
		true
	}

	fn revise(&mut self, day: i32, good: bool) -> bool {
		if self.paused || !good || !self.in_window(day) {
			return false;
		}
		match self.standing.get_mut(&day) {
			Some(revision) if *revision < 3 => *revision += 1,
			_ => return false,
		}
		self.archived += 1;
		true
	}
}

fn run(steps: Vec<Step>) {
	build_and_execute(|| {
		let mut model = Model { today: 1, ..Default::default() };
		for step in steps {
			match step {
				Step::NextDay => {
					model.today += 1;
					set_time(day(model.today), 25);
				},
				Step::State { back, roles, forged } => {
					let stated = fields(day(model.today - back));
					let roles: Vec<_> =
						Role::ALL.into_iter().filter(|r| roles & (1 << (*r as u8)) != 0).collect();
					let mut signatures = sign(&stated, &roles);
					if forged && let Some(first) = signatures.iter_mut().next() {
						first.signature[0] ^= 1;
					}
					let good = roles.len() >= 2 && !forged;
					let accepted = model.state(model.today - back, good);
					assert_eq!(submit_with(&stated, signatures).is_ok(), accepted);
				},
				Step::Revise { back, wrong } => {
					let target = day(model.today - back);
					let standing = Attestations::attestation(Kind::Reserve, target);
					let old = standing.map_or(fields(target), |standing| standing.fields);
					let mut new = revision(&old);
					if wrong {
						new.replaces = Some(DIGEST);
					}
					let accepted = model.revise(model.today - back, !wrong);
					assert_eq!(submit(&new).is_ok(), accepted);
				},
				Step::Pause(pause) if pause != model.paused => {
					model.paused = pause;
					let root = RuntimeOrigin::root();
					assert_ok!(if pause {
						Attestations::pause(root)
					} else {
						Attestations::resume(root)
					});
				},
				Step::Pause(_) => {},
			}
			Attestations::do_try_state().unwrap();
			let standing: Vec<_> = model.standing.keys().map(|offset| day(*offset)).collect();
			assert_eq!(Attestations::days(Kind::Reserve), standing);
			let archive = Attestations::archive(Kind::Reserve);
			assert_eq!(archive.length, model.archived);
			assert_eq!(archive.pruned_through, model.pruned.map(day));
			for (offset, revision) in &model.standing {
				let row = Attestations::attestation(Kind::Reserve, day(*offset)).unwrap();
				assert_eq!(row.fields.revision, *revision);
			}
		}
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

	#[test]
	fn any_sequence_of_calls_leaves_what_the_model_says(
		steps in prop::collection::vec(step(), 1..60),
	) {
		run(steps);
	}
}
