//! Checking results by doing their jobs again, with the model that is part of the program.

use gridproof_compute_api::protocol::{Further, JobSpec, SPEC_VERSION, Sampling, Task};
use gridproof_coordinator::check::{Verdict, repeated};
use gridproof_engine::{DEFAULT_MODEL, LocalEngine, execute};
use std::{ops::ControlFlow, sync::Arc};

fn spec(prompt: &str, max_tokens: u32) -> JobSpec {
	JobSpec {
		version: SPEC_VERSION,
		model: DEFAULT_MODEL.to_string(),
		task: Task::Completion { prompt: prompt.to_string() },
		max_tokens,
		sampling: Sampling::default(),
		further: Further::default(),
	}
}

#[test]
fn a_checker_does_again_what_its_engine_serves() {
	let engine = Arc::new(LocalEngine::embedded().unwrap());
	let checker = repeated(engine.clone());
	let done = |spec: &JobSpec| execute(engine.as_ref(), spec, &mut |_| ControlFlow::Continue(()));
	let (first, _) = done(&spec("Emma", 9)).unwrap();
	assert_eq!(checker(&spec("Emma", 9), &first), Some(Ok(Verdict::Right)));
	let (other, _) = done(&spec("Emma", 8)).unwrap();
	let wrong = checker(&spec("Emma", 9), &other).unwrap().unwrap();
	assert_eq!(wrong, Verdict::Wrong("done again, the job gives another output"));
	let unknown = JobSpec { model: "qwen2.5-7b".to_string(), ..spec("Emma", 9) };
	assert_eq!(checker(&unknown, &first), None);
	assert!(checker(&spec(&"1".repeat(600), 9), &first).unwrap().is_err());
}
