//! How a coordinator checks results with an engine of its own.
//!
//! An engine that always gives the same answer does the job again, and any difference is the
//! miner's. A server behind a URL promises no such thing: another processor, another batch, and the
//! last digits differ, and sooner or later a word. But how many tokens a text has does not depend
//! on that. So its tokens are counted again: what is billed has to be there.

use gridproof_compute_api::protocol::{Further, JobSpec, Output, Sampling, vector_from_text};
use gridproof_engine::{Engine, EngineError, Input, Request, execute};
use std::{ops::ControlFlow, sync::Arc};

/// What a check has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
	/// The check found nothing against the result.
	Right,
	/// The result is wrong, for this reason.
	Wrong(&'static str),
}

/// Checks a result. `None` if it cannot do this model; an error is the check's own failure, which
/// proves nothing against the miner.
pub type Checker = Arc<dyn Fn(&JobSpec, &Output) -> Option<Result<Verdict, String>> + Send + Sync>;

/// Tokens by which two counts of the same text may differ in any case: servers put different marks
/// around texts and conversations.
const SLACK: u64 = 16;
/// A model may have made its text of smaller tokens than its tokenizer reads it as: of eight
/// counted, nine may be billed.
const SMALLER: u64 = 8;
/// How alike, as the cosine of their angle, two vectors of the same text are at least.
const ALIKE: f32 = 0.99;
const READ: Verdict = Verdict::Wrong("counted again, the prompt has fewer tokens than billed");
const MADE: Verdict = Verdict::Wrong("counted again, the text has fewer tokens than billed");

/// What is checked with a server behind a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recount {
	/// `true` if the server and those of the miners always give the same at temperature 0, which its
	/// operator knows: such jobs are done again.
	pub exact: bool,
	/// `true` if models show all they make: the text's tokens are counted too.
	pub visible: bool,
}

/// Does jobs again, with an engine that always gives the same.
pub fn repeated(engine: Arc<dyn Engine>) -> Checker {
	Arc::new(move |spec, output| answer(again(engine.as_ref(), spec, output)))
}

/// Counts tokens again, with an engine that has the same models.
pub fn recounted(engine: Arc<dyn Engine>, how: Recount) -> Checker {
	Arc::new(move |spec, output| answer(recount(engine.as_ref(), how, spec, output)))
}

/// Asks one after the other until one can do the model.
pub fn first_of(checkers: Vec<Checker>) -> Checker {
	Arc::new(move |spec, output| checkers.iter().find_map(|checker| checker(spec, output)))
}

fn answer(found: Result<Verdict, EngineError>) -> Option<Result<Verdict, String>> {
	match found {
		Ok(verdict) => Some(Ok(verdict)),
		Err(EngineError::UnknownModel { .. }) => None,
		Err(error) => Some(Err(error.to_string())),
	}
}

fn again(engine: &dyn Engine, spec: &JobSpec, output: &Output) -> Result<Verdict, EngineError> {
	let (again, _) = execute(engine, spec, &mut |_| ControlFlow::Continue(()))?;
	Ok(if again.hash() == output.hash() {
		Verdict::Right
	} else {
		Verdict::Wrong("done again, the job gives another output")
	})
}

fn recount(
	engine: &dyn Engine,
	how: Recount,
	spec: &JobSpec,
	output: &Output,
) -> Result<Verdict, EngineError> {
	if spec.task.is_embedding() {
		let (again, _) = execute(engine, spec, &mut |_| ControlFlow::Continue(()))?;
		return Ok(if too_many(output.prompt_tokens, again.prompt_tokens) {
			READ
		} else if !alike(output, &again) {
			Verdict::Wrong("the vectors point elsewhere")
		} else {
			Verdict::Right
		});
	}
	if how.exact && spec.sampling.temperature_milli == 0 {
		let (again, _) = execute(engine, spec, &mut |_| ControlFlow::Continue(()))?;
		return Ok(if again.text != output.text || again.answers != output.answers {
			Verdict::Wrong("done again, the job gives another text")
		} else if too_many(output.prompt_tokens, again.prompt_tokens) {
			READ
		} else if too_many(output.completion_tokens, again.completion_tokens) {
			MADE
		} else {
			Verdict::Right
		});
	}
	let further = Further { n: 1, logprobs: None, ..spec.further.clone() };
	let only_read =
		JobSpec { max_tokens: 1, sampling: Sampling::default(), further, ..spec.clone() };
	let (read, _) = execute(engine, &only_read, &mut |_| ControlFlow::Continue(()))?;
	if too_many(output.prompt_tokens, read.prompt_tokens) {
		return Ok(READ);
	}
	// Calls of tools are not counted again: each model writes them in a way of its own.
	if !how.visible || output.completion_tokens <= SLACK || !output.answers.is_empty() {
		return Ok(Verdict::Right);
	}
	let input = Input::Text(output.text.clone());
	let text = Request::new(&spec.model, input, 1, Sampling::default());
	let made = engine.complete(&text, &mut |_| ControlFlow::Continue(()))?.prompt_tokens;
	let most = made.saturating_add(made.div_ceil(SMALLER));
	Ok(if too_many(output.completion_tokens, most) { MADE } else { Verdict::Right })
}

const fn too_many(billed: u64, counted: u64) -> bool {
	billed > counted.saturating_add(SLACK)
}

fn alike(one: &Output, other: &Output) -> bool {
	let same = |(one, other): (&String, &String)| {
		let (Some(one), Some(other)) = (vector_from_text(one), vector_from_text(other)) else {
			return false;
		};
		let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
		let lengths = dot(&one, &one).sqrt() * dot(&other, &other).sqrt();
		one.len() == other.len() && lengths > 0.0 && dot(&one, &other) >= ALIKE * lengths
	};
	one.embeddings.len() == other.embeddings.len()
		&& one.embeddings.iter().zip(&other.embeddings).all(same)
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_compute_api::protocol::{Finish, SPEC_VERSION, Task};
	use gridproof_engine::{Completion, Embeddings, Measured, ModelInfo};
	use gridproof_primitives::compute::channels::Sampler;

	/// An engine whose tokens are words, and that answers with what it is given.
	struct Words {
		answer: &'static str,
		vector: [f32; 2],
	}

	fn words(text: &str) -> u64 {
		u64::try_from(text.split_whitespace().count()).unwrap()
	}

	impl Engine for Words {
		fn models(&self) -> Result<Vec<ModelInfo>, EngineError> {
			Ok(Vec::new())
		}

		fn complete(
			&self,
			request: &Request,
			_: &mut dyn FnMut(&str) -> ControlFlow<()>,
		) -> Result<Completion, EngineError> {
			if request.model != "m" {
				let (wanted, served) = (request.model.clone(), Vec::new());
				return Err(EngineError::UnknownModel { wanted, served });
			}
			let Input::Text(prompt) = &request.input else { panic!("only texts here") };
			Ok(Completion {
				text: self.answer.to_string(),
				tokens: Vec::new(),
				prompt_ids: Vec::new(),
				prompt_tokens: words(prompt),
				completion_tokens: words(self.answer),
				finish: Finish::Stop,
				sampler: Sampler::Greedy,
				logprobs: Vec::new(),
				tool_calls: Vec::new(),
				measured: Measured::default(),
			})
		}

		fn embed(&self, _: &str, input: &[String]) -> Result<Embeddings, EngineError> {
			Ok(Embeddings {
				vectors: vec![self.vector.to_vec(); input.len()],
				ids: Vec::new(),
				prompt_tokens: 3,
				measured: Measured::default(),
			})
		}
	}

	fn spec(temperature_milli: u32) -> JobSpec {
		let prompt = "one two three".to_string();
		JobSpec {
			version: SPEC_VERSION,
			model: "m".to_string(),
			task: Task::Completion { prompt },
			max_tokens: 1_000,
			sampling: Sampling { temperature_milli, ..Sampling::default() },
			further: Further::default(),
		}
	}

	fn output(text: &str, prompt_tokens: u64, completion_tokens: u64) -> Output {
		Output {
			text: text.to_string(),
			embeddings: Vec::new(),
			finish: Finish::Stop,
			prompt_tokens,
			completion_tokens,
			answers: Vec::new(),
		}
	}

	fn check(how: Recount, spec: &JobSpec, output: &Output) -> Verdict {
		let engine = Words { answer: "it is so", vector: [0.6, 0.8] };
		recounted(Arc::new(engine), how)(spec, output).unwrap().unwrap()
	}

	const COUNT: Recount = Recount { exact: false, visible: true };

	#[test]
	fn tokens_that_are_not_there_are_found_whatever_the_text_says() {
		let text = "word ".repeat(80);
		let good = |read, made| check(COUNT, &spec(800), &output(&text, read, made));
		assert_eq!(good(3, 80), Verdict::Right);
		// Eighty, an eighth more, and the slack.
		assert_eq!(good(3, 80 + 10 + 16), Verdict::Right);
		assert_eq!(good(3, 80 + 10 + 17), MADE);
		assert_eq!(good(3 + 16, 80), Verdict::Right);
		assert_eq!(good(3 + 17, 80), READ);
		let unseen = Recount { visible: false, ..COUNT };
		assert_eq!(check(unseen, &spec(800), &output(&text, 3, 999)), Verdict::Right);
	}

	#[test]
	fn an_exact_server_does_greedy_jobs_again_and_no_others() {
		let exact = Recount { exact: true, visible: true };
		assert_eq!(check(exact, &spec(0), &output("it is so", 3, 3)), Verdict::Right);
		let other = output("it is not", 3, 3);
		let differs = Verdict::Wrong("done again, the job gives another text");
		assert_eq!(check(exact, &spec(0), &other), differs);
		assert_eq!(check(exact, &spec(0), &output("it is so", 3, 20)), MADE);
		assert_eq!(check(exact, &spec(0), &output("it is so", 20, 3)), READ);
		assert_eq!(check(exact, &spec(1), &other), Verdict::Right, "chance is not a lie");
		assert_eq!(check(COUNT, &spec(0), &other), Verdict::Right, "nobody said it is exact");
	}

	#[test]
	fn vectors_have_to_point_the_same_way() {
		let task = Task::Embedding { input: vec!["one two three".to_string()] };
		let spec = JobSpec { task, max_tokens: 0, ..spec(0) };
		let made = |vector| {
			let engine = Words { answer: "", vector };
			execute(&engine, &spec, &mut |_| ControlFlow::Continue(())).unwrap().0
		};
		assert_eq!(check(COUNT, &spec, &made([0.6, 0.8])), Verdict::Right);
		assert_eq!(check(COUNT, &spec, &made([0.601, 0.799])), Verdict::Right);
		let elsewhere = Verdict::Wrong("the vectors point elsewhere");
		assert_eq!(check(COUNT, &spec, &made([0.8, 0.6])), elsewhere);
		assert_eq!(check(COUNT, &spec, &made([0.0, 0.0])), elsewhere);
		let billed = Output { prompt_tokens: 20, ..made([0.6, 0.8]) };
		assert_eq!(check(COUNT, &spec, &billed), READ);
	}

	#[test]
	fn the_first_that_knows_the_model_checks() {
		let engine = || Arc::new(Words { answer: "it is so", vector: [1.0, 0.0] });
		let nobody: Checker = Arc::new(|_, _| None);
		let all = first_of(vec![nobody, recounted(engine(), COUNT), repeated(engine())]);
		assert_eq!(all(&spec(0), &output("it is not", 3, 3)), Some(Ok(Verdict::Right)));
		let unknown = JobSpec { model: "n".to_string(), ..spec(0) };
		assert_eq!(all(&unknown, &output("it is so", 3, 3)), None);
		let again = repeated(engine());
		assert_eq!(again(&spec(0), &output("it is so", 3, 3)), Some(Ok(Verdict::Right)));
		let wrong = again(&spec(0), &output("it is so", 3, 4)).unwrap().unwrap();
		assert_eq!(wrong, Verdict::Wrong("done again, the job gives another output"));
	}
}
