//! A claimed answer, judged in one pass: the same bits as when it was made, and whatever was changed is
//! seen.

use gridproof_compute_api::protocol::{Finish, Further, JobSpec, SPEC_VERSION, Sampling, Task};
use gridproof_engine::{
	Claim, Completion, DEFAULT_MODEL, Engine, EngineError, Extras, Forced, Input, LocalEngine,
	Request, execute_seeded,
};
use gridproof_primitives::{H256, compute::channels::Sampler};
use std::ops::ControlFlow;

fn request(temperature_milli: u32, top_p_milli: u32, seed: u8) -> Request {
	let sampling = Sampling { temperature_milli, top_p_milli, seed: 0, stop: Vec::new() };
	let input = Input::Text("It is a truth universally".to_string());
	let seed = Some(H256::repeat_byte(seed));
	Request { seed, ..Request::new(DEFAULT_MODEL, input, 40, sampling) }
}

fn made(engine: &LocalEngine, request: &Request) -> Completion {
	engine.complete(request, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn claim(request: &Request, done: &Completion) -> Claim {
	Claim {
		model: request.model.clone(),
		prompt: done.prompt_ids.clone(),
		output: done.tokens.clone(),
		max_tokens: request.max_tokens,
		sampling: request.sampling.clone(),
		seed: request.seed,
		choice: request.extras.choice,
	}
}

fn judged(engine: &LocalEngine, claim: &Claim) -> Forced {
	engine.force(claim).unwrap()
}

#[test]
fn what_an_engine_made_has_no_gap_whatever_the_parameters() {
	let engine = LocalEngine::embedded().unwrap();
	let mut ends = Vec::new();
	for temperature in [0, 1, 300, 700, 1_000, 1_500, 2_000] {
		for top_p in [1, 500, 900, 999, 1_000] {
			for seed in 0..3u8 {
				let request = request(temperature, top_p, seed);
				let done = made(&engine, &request);
				let forced = judged(&engine, &claim(&request, &done));
				assert!(forced.is_equal(), "{temperature} {top_p} {seed}: {forced:?}");
				assert_eq!(forced.clipped_gap_micro(u64::MAX), 0);
				assert_eq!(forced.equal_tokens(), done.tokens.len());
				let count = u32::try_from(done.tokens.len()).unwrap();
				assert_eq!(forced.end, Some((count, done.finish)));
				ends.push(done.finish);
			}
		}
	}
	assert!(ends.contains(&Finish::Length));
}

#[test]
fn every_kind_of_end_is_found_again() {
	let engine = LocalEngine::embedded().unwrap();
	// By its own end.
	let own = (0..60u8).map(|seed| {
		let mut request = request(1_000, 950, seed);
		request.input = Input::Text("\"Yes,".to_string());
		request.max_tokens = 200;
		let done = made(&engine, &request);
		(request, done)
	});
	let ended = |done: &Completion| done.finish == Finish::Stop && done.text.len() > 30;
	let (request, done) = own.into_iter().find(|(_, done)| ended(done)).unwrap();
	assert!(judged(&engine, &claim(&request, &done)).is_equal());
	// By a stop text in its middle.
	let stop: String = done.text.chars().skip(12).take(4).collect();
	let mut stopped = request.clone();
	stopped.sampling.stop = vec![stop];
	let short = made(&engine, &stopped);
	assert!(short.tokens.len() < done.tokens.len() && short.finish == Finish::Stop);
	assert!(judged(&engine, &claim(&stopped, &short)).is_equal());
	// By the context.
	let mut long = request.clone();
	long.input = Input::Text("1".repeat(508));
	let full = made(&engine, &long);
	assert!(full.tokens.len() <= 3);
	assert!(judged(&engine, &claim(&long, &full)).is_equal());
	// By no tokens at all.
	let none = Request { max_tokens: 0, ..request };
	assert!(judged(&engine, &claim(&none, &made(&engine, &none))).is_equal());
}

#[test]
fn an_answer_that_is_cut_or_goes_on_is_not_equal() {
	let engine = LocalEngine::embedded().unwrap();
	let request = request(900, 950, 6);
	let whole = claim(&request, &made(&engine, &request));
	let mut cut = whole.clone();
	cut.output.truncate(20);
	let forced = judged(&engine, &cut);
	assert_eq!((forced.end, forced.equal_tokens()), (None, 20), "each token is right");
	assert!(!forced.is_equal());
	let none = Claim { output: Vec::new(), ..whole.clone() };
	assert!(!judged(&engine, &none).is_equal());
	let longer = Claim { max_tokens: 20, ..whole };
	let forced = judged(&engine, &longer);
	assert_eq!(forced.end, Some((20, Finish::Length)));
	assert!(!forced.is_equal(), "more than was asked for");
}

#[test]
fn a_changed_token_is_seen_where_it_stands() {
	let engine = LocalEngine::embedded().unwrap();
	let request = request(900, 950, 6);
	let whole = claim(&request, &made(&engine, &request));
	for place in [0, 7, 39] {
		let mut changed = whole.clone();
		changed.output[place] = (changed.output[place] + 1) % 2_048;
		let forced = judged(&engine, &changed);
		let first = forced.tokens.iter().position(|judged| !judged.is_equal());
		assert_eq!(first, Some(place));
		let judged = forced.tokens[place];
		assert_eq!(judged.drawn, whole.output[place]);
		assert!(judged.gap_micro > 0);
		assert!(!forced.is_equal());
	}
}

#[test]
fn other_parameters_another_seed_or_another_prompt_are_seen() {
	let engine = LocalEngine::embedded().unwrap();
	let request = request(900, 950, 6);
	let whole = claim(&request, &made(&engine, &request));
	let mut others = vec![whole.clone(); 6];
	others[0].seed = Some(H256::repeat_byte(7));
	others[1].seed = None;
	others[2].sampling.temperature_milli = 1_400;
	others[3].sampling.temperature_milli = 0;
	others[4].choice = 1;
	others[5].prompt[1] = (others[5].prompt[1] + 1) % 2_048;
	for (number, other) in others.iter().enumerate() {
		let forced = judged(&engine, other);
		assert!(!forced.is_equal(), "{number}");
		assert!(forced.clipped_gap_micro(1_000_000) > 0, "{number}");
	}
	// A nucleus that is narrower leaves out what the wider one let through, sooner or later.
	let hot = self::request(2_000, 1_000, 6);
	let mut narrow = claim(&hot, &made(&engine, &hot));
	narrow.sampling.top_p_milli = 500;
	let forced = judged(&engine, &narrow);
	assert!(forced.tokens.iter().any(|judged| judged.gap_micro == u64::MAX));
	// The likeliest tokens, claimed to be drawn: close, and yet not equal.
	let greedy = self::request(0, 1_000, 5);
	let mut claimed = claim(&greedy, &made(&engine, &greedy));
	claimed.sampling.temperature_milli = 900;
	assert!(!judged(&engine, &claimed).is_equal());
}

#[test]
fn several_answers_of_one_request_differ_and_each_is_judged_by_its_number() {
	let engine = LocalEngine::embedded().unwrap();
	let numbered = |choice| Request {
		extras: Extras { choice, ..Extras::default() },
		..request(1_000, 950, 3)
	};
	let answers: Vec<Completion> = (0..3).map(|choice| made(&engine, &numbered(choice))).collect();
	assert_ne!(answers[0].tokens, answers[1].tokens);
	assert_ne!(answers[1].tokens, answers[2].tokens);
	for (choice, answer) in (0..3).zip(&answers) {
		assert!(judged(&engine, &claim(&numbered(choice), answer)).is_equal());
	}
}

#[test]
fn what_nobody_can_have_made_is_refused() {
	let engine = LocalEngine::embedded().unwrap();
	let request = request(900, 950, 6);
	let whole = claim(&request, &made(&engine, &request));
	let unknown = Claim { prompt: vec![0, 2_048], ..whole.clone() };
	let long = Claim { output: vec![1; 600], max_tokens: 600, ..whole.clone() };
	let nothing = Claim { prompt: Vec::new(), ..whole.clone() };
	for bad in [unknown, long, nothing] {
		assert!(matches!(engine.force(&bad), Err(EngineError::BadRequest(_))));
	}
	let other = Claim { model: "gpt-5".to_string(), ..whole.clone() };
	assert!(matches!(engine.force(&other), Err(EngineError::UnknownModel { .. })));
	let mut last = whole;
	*last.output.last_mut().unwrap() = 9_999;
	assert!(!judged(&engine, &last).is_equal(), "a last token that does not exist");
}

#[test]
fn a_receipt_learns_ids_and_how_tokens_were_chosen() {
	let engine = LocalEngine::embedded().unwrap();
	let seed = H256::repeat_byte(9);
	let sampling = Sampling { temperature_milli: 900, ..Sampling::default() };
	let task = Task::Completion { prompt: "It is a truth".to_string() };
	let spec = JobSpec {
		version: SPEC_VERSION,
		model: DEFAULT_MODEL.to_string(),
		task,
		max_tokens: 12,
		sampling,
		further: Further::default(),
	};
	let run = |spec: &JobSpec| {
		execute_seeded(&engine, spec, seed, &mut |_| ControlFlow::Continue(())).unwrap()
	};
	let done = run(&spec);
	assert_eq!(done.sampler, Sampler::Gumbel);
	let ids = (done.prompt_ids.len() as u64, done.output_ids.len() as u64);
	assert_eq!(ids, (done.output.prompt_tokens, done.output.completion_tokens));
	let read = engine.tokenize(DEFAULT_MODEL, &Input::Text("It is a truth".to_string())).unwrap();
	assert_eq!(done.prompt_ids, read, "a verifier makes them again from the request");
	let claim = Claim {
		model: spec.model.clone(),
		prompt: done.prompt_ids,
		output: done.output_ids,
		max_tokens: spec.max_tokens,
		sampling: spec.sampling.clone(),
		seed: Some(seed),
		choice: 0,
	};
	assert!(judged(&engine, &claim).is_equal());
	let cold = JobSpec { sampling: Sampling::default(), ..spec.clone() };
	assert_eq!(run(&cold).sampler, Sampler::Greedy);
	let task = Task::Embedding { input: vec!["a".to_string(), "b c".to_string()] };
	let vectors = run(&JobSpec { task, max_tokens: 0, ..spec });
	assert_eq!(vectors.sampler, Sampler::Greedy);
	assert_eq!(vectors.prompt_ids.len() as u64, vectors.output.prompt_tokens);
	assert!(vectors.output_ids.is_empty());
}

#[test]
fn several_answers_are_counted_together_and_each_prompt_once() {
	let engine = LocalEngine::embedded().unwrap();
	let seed = H256::repeat_byte(7);
	let texts = ["It is a truth", "Emma"];
	let mut spec = JobSpec {
		version: SPEC_VERSION,
		model: DEFAULT_MODEL.to_string(),
		task: Task::Completions { prompts: texts.map(str::to_string).to_vec() },
		max_tokens: 8,
		sampling: Sampling { temperature_milli: 900, ..Sampling::default() },
		further: Further { n: 2, logprobs: Some(1), ..Further::default() },
	};
	let run = |spec: &JobSpec| {
		let mut read = String::new();
		let done = execute_seeded(&engine, spec, seed, &mut |text| {
			read.push_str(text);
			ControlFlow::Continue(())
		});
		(done.unwrap(), read)
	};
	let (done, read) = run(&spec);
	let output = &done.output;
	assert_eq!((output.answers.len(), read.as_str()), (4, ""), "nobody can tell them apart");
	assert_eq!((&output.answers[0].text, output.answers[0].finish), (&output.text, output.finish));
	assert_ne!(output.answers[0].text, output.answers[1].text, "other noise from one seed");
	assert!(output.answers.iter().all(|answer| answer.logprobs.is_some()));
	let ids = (done.prompt_ids.len() as u64, done.output_ids.len() as u64);
	assert_eq!(ids, (output.prompt_tokens, output.completion_tokens));
	let length = |text: &str| engine.tokenizer().encode(text).len() as u64 + 1;
	assert_eq!(output.prompt_tokens, length(texts[0]) + length(texts[1]));
	assert_eq!(done.measured.tokens, 2 * output.prompt_tokens + output.completion_tokens);
	// Given as token ids, they are the same texts.
	let tokens = texts.map(|text| engine.tokenizer().encode(text)).to_vec();
	spec.task = Task::CompletionTokens { prompts: tokens.clone() };
	assert_eq!(run(&spec).0.output, *output);
	spec.task = Task::EmbeddingTokens { input: tokens };
	(spec.max_tokens, spec.further) = (0, Further::default());
	let (vectors, _) = run(&spec);
	spec.task = Task::Embedding { input: texts.map(str::to_string).to_vec() };
	assert_eq!(run(&spec).0.output, vectors.output);
}

#[test]
fn one_text_alone_is_read_along_and_has_no_list_of_answers() {
	let engine = LocalEngine::embedded().unwrap();
	let spec = JobSpec {
		version: SPEC_VERSION,
		model: DEFAULT_MODEL.to_string(),
		task: Task::Completion { prompt: "It is a truth".to_string() },
		max_tokens: 8,
		sampling: Sampling::default(),
		further: Further::default(),
	};
	let mut read = String::new();
	let done = execute_seeded(&engine, &spec, H256::repeat_byte(7), &mut |text| {
		read.push_str(text);
		ControlFlow::Continue(())
	})
	.unwrap();
	assert_eq!((&read, done.output.answers.len()), (&done.output.text, 0));
	let asked = Further { tools: Some("[]".to_string()), ..Further::default() };
	let tools = JobSpec { further: asked, ..spec };
	let refused = execute_seeded(&engine, &tools, H256::zero(), &mut |_| ControlFlow::Continue(()));
	assert!(matches!(refused, Err(EngineError::NotOffered { what: "tools", .. })), "{refused:?}");
}

#[test]
fn an_answer_that_is_cut_short_has_a_gap_at_its_end_and_one_that_goes_on_too_long_as_well() {
	let engine = LocalEngine::embedded().unwrap();
	let request = request(1_000, 1_000, 3);
	let done = made(&engine, &request);
	let whole = claim(&request, &done);
	assert_eq!(judged(&engine, &whole).end_gap_micro, 0);
	let mut cut = whole.clone();
	cut.output.truncate(done.tokens.len() / 2);
	let forced = judged(&engine, &cut);
	assert_eq!((forced.clipped_gap_micro(u64::MAX), forced.end), (0, None));
	assert!(forced.end_gap_micro > 0 && forced.end_gap_micro < u64::MAX);
	let figures = forced.figures(8_000_000);
	assert_eq!(figures.matches, figures.tokens);
	assert!(figures.figure() > 0);
	// The model's own end in the middle: everything after it is nobody's.
	let mut long = whole.clone();
	let end = engine.model().config().paragraph_token;
	long.output[4] = end;
	assert_eq!(judged(&engine, &long).end_gap_micro, u64::MAX);
	// Nothing at all.
	let mut empty = whole;
	empty.output.clear();
	assert!(judged(&engine, &empty).end_gap_micro > 0);
}

#[test]
fn another_order_of_sums_is_the_same_model_and_a_half_of_it_is_another() {
	use gridproof_engine::TrialModel;
	let engine = LocalEngine::embedded().unwrap();
	let mean = |trial: TrialModel| {
		let miner = LocalEngine::for_trial(trial).unwrap();
		let figures = (0..6u8).map(|seed| {
			let request = request(1_000, 1_000, seed);
			let done = made(&miner, &request);
			judged(&engine, &claim(&request, &done)).figures(8_000_000).figure()
		});
		figures.sum::<u64>() / 6
	};
	let reordered = mean(TrialModel::OtherOrder);
	assert!(reordered < 1_000, "{reordered}");
	let [half, eight, four, fewer] =
		[TrialModel::HalfPrecision, TrialModel::Int8, TrialModel::Int4, TrialModel::FewerLayers]
			.map(mean);
	assert!(half < four && eight < four && four < fewer, "{half} {eight} {four} {fewer}");
}
