//! The model that is part of the program: what it answers, where it ends, what it refuses.

use gridproof_compute_api::protocol::{Finish, Message, Sampling};
use gridproof_engine::{
	Completion, DEFAULT_MODEL, Engine, EngineError, Input, LocalEngine, Request,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fs, ops::ControlFlow, path::PathBuf, time::Duration};

fn folder() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../models").join(DEFAULT_MODEL)
}

fn engine() -> LocalEngine {
	LocalEngine::embedded().unwrap()
}

fn request(prompt: &str, max_tokens: u32) -> Request {
	let input = Input::Text(prompt.to_string());
	Request::new(DEFAULT_MODEL, input, max_tokens, Sampling::default())
}

fn warm(prompt: &str, max_tokens: u32, seed: u64) -> Request {
	let sampling = Sampling { temperature_milli: 900, top_p_milli: 950, seed, stop: Vec::new() };
	Request { sampling, ..request(prompt, max_tokens) }
}

fn answer(engine: &LocalEngine, request: &Request) -> Completion {
	engine.complete(request, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn the_same_request_gives_the_same_tokens() {
	let (one, other) = (engine(), LocalEngine::open(&folder()).unwrap());
	for request in [request("Elizabeth was", 60), warm("Elizabeth was", 60, 7)] {
		let first = answer(&one, &request);
		for engine in [&one, &other] {
			let again = answer(engine, &request);
			assert_eq!((&again.tokens, &again.text), (&first.tokens, &first.text));
		}
	}
}

#[test]
fn threads_that_share_an_engine_do_not_change_its_answers() {
	let engine = engine();
	let alone: Vec<_> = (0..4).map(|seed| answer(&engine, &warm("She", 40, seed)).tokens).collect();
	std::thread::scope(|scope| {
		let ask = |seed| {
			let engine = &engine;
			scope.spawn(move || answer(engine, &warm("She", 40, seed)).tokens)
		};
		let threads: Vec<_> = (0..4).map(ask).collect();
		for (thread, alone) in threads.into_iter().zip(&alone) {
			assert_eq!(&thread.join().unwrap(), alone);
		}
	});
}

#[test]
fn seeds_give_different_texts_and_no_temperature_needs_none() {
	let engine = engine();
	let with = |seed| answer(&engine, &warm("It is a truth", 40, seed)).tokens;
	assert_ne!(with(1), with(2));
	let cold = |seed| {
		let sampling = Sampling { seed, ..Sampling::default() };
		answer(&engine, &Request { sampling, ..request("It is a truth", 40) }).tokens
	};
	assert_eq!(cold(1), cold(2));
}

/// What the committed weights give: the figures of `fixture.json` beside them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Fixture {
	/// SHA-256 of all logits of a text's last token, as little-endian floats.
	logits: String,
	/// SHA-256 of an embedding, as little-endian floats.
	embedding: String,
	/// Tokens without temperature.
	likeliest: Vec<u32>,
	/// Tokens with a temperature of 0.9 and a nucleus of 0.95, from seed 7.
	sampled: Vec<u32>,
}

fn digest(floats: &[f32]) -> String {
	let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
	hex::encode(Sha256::digest(bytes))
}

/// On every machine, to the last bit. After a new training:
/// `GRIDPROOF_NEW_FIXTURE=1 cargo nextest run -p gridproof-engine fixture`.
#[test]
fn the_committed_weights_give_the_tokens_and_floats_of_the_fixture() {
	let engine = engine();
	let tokens = engine.tokenizer().encode("It is a truth universally acknowledged");
	let embedding = engine.embed(DEFAULT_MODEL, &["a good fortune".to_string()]).unwrap();
	let found = Fixture {
		logits: digest(&engine.model().session().logits(&tokens).unwrap()),
		embedding: digest(&embedding.vectors[0]),
		likeliest: answer(&engine, &request("It is a truth", 48)).tokens,
		sampled: answer(&engine, &warm("It is a truth", 48, 7)).tokens,
	};
	let path = folder().join("fixture.json");
	if std::env::var_os("GRIDPROOF_NEW_FIXTURE").is_some() {
		fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
	}
	let wanted: Fixture = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
	assert_eq!(found, wanted);
}

/// Answers and encodings that the training program computed, with other code.
#[test]
fn the_training_programs_own_arithmetic_agrees() {
	#[derive(Deserialize)]
	struct Encoding {
		text: String,
		tokens: Vec<u32>,
	}
	#[derive(Deserialize)]
	struct Answer {
		prompt: String,
		tokens: Vec<u32>,
	}
	let engine = engine();
	let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
	let encodings: Vec<Encoding> = serde_json::from_str(&read("encodings.json")).unwrap();
	for Encoding { text, tokens } in encodings {
		assert_eq!(engine.tokenizer().encode(&text), tokens, "{text:?}");
	}
	let answers: Vec<Answer> = serde_json::from_str(&read("answers.json")).unwrap();
	let mut compared = 0;
	for Answer { prompt, tokens } in answers {
		let most = u32::try_from(tokens.len()).unwrap();
		assert_eq!(answer(&engine, &request(&prompt, most)).tokens, tokens, "{prompt:?}");
		compared += tokens.len();
	}
	assert!(compared > 50, "{compared}");
}

#[test]
fn reading_token_by_token_gives_what_reading_at_once_gives() {
	let engine = engine();
	let tokens = engine.tokenizer().encode("Mr. Darcy soon drew the attention of the room.");
	let at_once = engine.model().session().logits(&tokens).unwrap();
	for step in [1, 2, 5] {
		let mut session = engine.model().session();
		let mut last = Vec::new();
		for part in tokens.chunks(step) {
			last = session.logits(part).unwrap();
		}
		assert_eq!(session.read(), tokens.len());
		let bits = |floats: &[f32]| floats.iter().map(|f| f.to_bits()).collect::<Vec<_>>();
		assert_eq!(bits(&last), bits(&at_once), "{step} at a time");
	}
}

#[test]
fn an_answer_has_at_most_the_tokens_asked_for() {
	let engine = engine();
	for most in [0, 1, 5, 20] {
		let answer = answer(&engine, &request("She", most));
		assert_eq!(answer.tokens.len(), most as usize);
		assert_eq!((answer.completion_tokens, answer.finish), (most.into(), Finish::Length));
	}
	assert_eq!(answer(&engine, &request("She", 0)).text, "");
}

#[test]
fn the_prompt_counts_with_the_token_that_begins_it() {
	let engine = engine();
	let tokens = engine.tokenizer().encode("It is a truth").len() as u64;
	assert_eq!(answer(&engine, &request("It is a truth", 3)).prompt_tokens, tokens + 1);
	let empty = answer(&engine, &request("", 12));
	assert_eq!((empty.prompt_tokens, empty.tokens.len()), (1, 12));
	assert!(!empty.text.is_empty());
}

#[test]
fn a_stop_text_ends_the_answer_and_is_no_part_of_it() {
	let engine = engine();
	let free = answer(&engine, &request("It is a truth", 30));
	// A text in the middle, over the border of two tokens.
	let (_, after) = free.text.split_at_checked(free.text.len() / 2).unwrap();
	let stop: String = after.chars().take(5).collect();
	let wanted = free.text.split(&stop).next().unwrap();
	let sampling = Sampling { stop: vec![stop], ..Sampling::default() };
	let mut pieces = String::new();
	let stopped = engine
		.complete(&Request { sampling, ..request("It is a truth", 30) }, &mut |text| {
			pieces.push_str(text);
			ControlFlow::Continue(())
		})
		.unwrap();
	assert_eq!((stopped.text.as_str(), stopped.finish), (wanted, Finish::Stop));
	assert_eq!(pieces, wanted, "no part of the stop text was shown");
	assert!(stopped.tokens.len() < free.tokens.len());
}

#[test]
fn a_paragraphs_end_ends_the_answer() {
	let engine = engine();
	let ended = (0..40).map(|seed| answer(&engine, &warm("\"Yes,", 200, seed)));
	let ended = ended.into_iter().find(|answer| answer.finish == Finish::Stop).unwrap();
	assert!(!ended.text.contains("\n\n"));
	assert_eq!(ended.tokens.last(), Some(&engine.model().config().paragraph_token));
}

#[test]
fn the_pieces_make_up_the_text() {
	let engine = engine();
	let mut pieces = Vec::new();
	let whole = engine
		.complete(&warm("£5 — \u{4e16}\u{754c} caf\u{e9}", 120, 0), &mut |text| {
			pieces.push(text.to_string());
			ControlFlow::Continue(())
		})
		.unwrap();
	assert_eq!(pieces.concat(), whole.text);
	assert!(pieces.len() > 20);
}

#[test]
fn an_answer_that_nobody_wants_is_given_up() {
	let mut seen = 0;
	let refused = engine().complete(&request("She", 400), &mut |_| {
		seen += 1;
		if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
	});
	assert_eq!((refused.unwrap_err(), seen), (EngineError::Cancelled, 3));
}

#[test]
fn a_prompt_is_refused_when_it_leaves_no_room_and_never_cut() {
	let engine = engine();
	let context = engine.model().config().context as u64;
	// Each mark of these is a token of its own.
	let prompt = |tokens: u64| "1".repeat(usize::try_from(tokens).unwrap() - 1);
	let fits = answer(&engine, &request(&prompt(context - 1), 50));
	assert_eq!((fits.prompt_tokens, fits.completion_tokens), (context - 1, 1));
	assert_eq!(fits.finish, Finish::Length);
	let refused = engine.complete(&request(&prompt(context), 50), &mut |_| unreachable!());
	let fault = EngineError::PromptTooLong { tokens: context, most: context - 1 };
	assert_eq!(refused.unwrap_err(), fault);
	assert!(fault.is_requests_own() && !fault.is_temporary());
	assert_eq!(engine.embed(DEFAULT_MODEL, &[prompt(context)]).unwrap_err(), fault);
}

#[test]
fn another_model_is_refused_by_name() {
	let refused = engine()
		.complete(&Request { model: "gpt-5".to_string(), ..request("", 1) }, &mut |_| {
			ControlFlow::Continue(())
		})
		.unwrap_err();
	assert_eq!(refused.to_string(), "no model \"gpt-5\" here; there is austen-1m");
}

#[test]
fn a_conversation_is_read_as_paragraphs() {
	let engine = engine();
	let message = |role: &str, content: &str| Message {
		role: role.to_string(),
		content: content.to_string(),
	};
	let chat = |messages: Vec<Message>| Request { input: Input::Chat(messages), ..request("", 20) };
	let talk = chat(vec![message("system", " Be kind. "), message("user", "Who is Emma?\n")]);
	let text = request("Be kind.\n\nWho is Emma?\n\n", 20);
	assert_eq!(answer(&engine, &talk).tokens, answer(&engine, &text).tokens);
	let refused = engine.complete(&chat(Vec::new()), &mut |_| ControlFlow::Continue(()));
	assert!(matches!(refused, Err(EngineError::BadRequest(_))));
}

#[test]
fn embeddings_have_length_one_and_tell_texts_apart() {
	let engine = engine();
	let texts = ["a ball at Netherfield", "a dance at Netherfield", "8 9 7 6 1"];
	let found = engine.embed(DEFAULT_MODEL, &texts.map(str::to_string)).unwrap();
	let product = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
	for vector in &found.vectors {
		assert_eq!(vector.len(), engine.model().config().width);
		assert!((product(vector, vector) - 1.0).abs() < 1e-5);
	}
	let [ball, dance, digits] = &found.vectors[..] else { panic!("three wanted") };
	assert!(product(ball, dance) > product(ball, digits));
	let alone = engine.embed(DEFAULT_MODEL, &[texts[1].to_string()]).unwrap();
	assert_eq!(&alone.vectors[0], dance, "a text's vector does not depend on the others");
	assert_eq!(engine.embed(DEFAULT_MODEL, &[String::new()]).unwrap().prompt_tokens, 1);
}

#[test]
fn what_is_measured_is_sane() {
	let engine = engine();
	let begun = std::time::Instant::now();
	let answer = answer(&engine, &request("It is a truth", 64));
	let measured = answer.measured;
	assert_eq!(measured.tokens, answer.prompt_tokens + answer.completion_tokens);
	assert!(measured.wall > Duration::from_micros(100) && measured.wall <= begun.elapsed());
	assert!(measured.tokens_per_second_milli() > 1_000, "more than a token a second");
	// The weights alone take four megabytes; the whole process no gigabyte.
	assert!((4_000_000..1_000_000_000).contains(&measured.memory_bytes), "{measured:?}");
}

#[test]
fn models_that_do_not_fit_together_are_refused() {
	let copy = || {
		let copy = tempfile::tempdir().unwrap();
		for name in ["config.json", "vocabulary.json", "model.safetensors"] {
			fs::copy(folder().join(name), copy.path().join(name)).unwrap();
		}
		copy
	};
	let fault = |folder: &std::path::Path| LocalEngine::open(folder).err().unwrap().to_string();
	assert!(LocalEngine::open(copy().path()).is_ok());

	let altered = copy();
	let weights = altered.path().join("model.safetensors");
	let mut bytes = fs::read(&weights).unwrap();
	*bytes.last_mut().unwrap() ^= 1;
	fs::write(&weights, &bytes).unwrap();
	assert!(fault(altered.path()).contains("checksum"));

	bytes.resize((8 << 20) + 1, 0);
	fs::write(&weights, &bytes).unwrap();
	assert!(fault(altered.path()).contains("8388608 bytes at most"));
	fs::remove_file(&weights).unwrap();
	assert!(fault(altered.path()).contains("model.safetensors"));

	let other = copy();
	fs::write(other.path().join("vocabulary.json"), "{\"merges\":[[97,98]]}").unwrap();
	assert!(fault(other.path()).contains("different models"));

	let narrow = copy();
	let config = fs::read_to_string(narrow.path().join("config.json")).unwrap();
	let config = config.replace("\"inner\": 352", "\"inner\": 351");
	fs::write(narrow.path().join("config.json"), config).unwrap();
	assert!(fault(narrow.path()).contains("mlp.gate_proj.weight is [352, 128], not [351, 128]"));
}
