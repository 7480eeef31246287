//! `vectors/models.json`: names of models, their hashes, and terms over time.
//!
//! `GRIDPROOF_NEW_VECTORS=1` writes the file again. `vectors/models.py` checks it with Python's
//! standard library, and shares no code with this one.

use gridproof_primitives::{
	H256,
	compute::registry::{
		EngineClass, ModelDescription, ModelName, ModelTerms, Standing, TermsChange, Timeline,
		hash_of_files,
	},
};
use serde_json::{Value, json};
use std::path::Path;

/// Environment variable that has the file written.
const VARIABLE: &str = "GRIDPROOF_NEW_VECTORS";

fn hash(byte: u8) -> H256 {
	H256([byte; 32])
}

fn digits(hash: &H256) -> String {
	format!("{hash:x}")
}

fn descriptions() -> Value {
	let embedded = ["3847a876b16ae2b69aec7ee6e820ad7a9af4d2258259666f46a8d79577bfcf14", TOKENIZER]
		.map(|text| H256::from_slice(&hex::decode(text).unwrap()));
	let cases = [
		("austen-1m", embedded[0], embedded[1], None),
		("Qwen/Qwen2.5-0.5B-Instruct", hash(1), hash(2), Some(hash(3))),
		("qwen/qwen2.5-0.5b-instruct", hash(1), hash(2), Some(hash(3))),
		("Qwen/Qwen2.5-0.5B-Instruct", hash(1), hash(2), None),
		("m", H256::zero(), H256::zero(), Some(H256::zero())),
		(&"x".repeat(64), hash(0xff), hash(0xfe), None),
	];
	let of = |(name, weights, tokenizer, template): (&str, H256, H256, Option<H256>)| {
		let name = ModelName::new(name).unwrap();
		let described = ModelDescription { name, weights, tokenizer, template };
		json!({
			"name": described.name.as_str(),
			"weights": digits(&weights),
			"tokenizer": digits(&tokenizer),
			"template": template.as_ref().map(digits),
			"payload": hex::encode(described.payload()),
			"hash": digits(&described.hash()),
		})
	};
	cases.into_iter().map(of).collect()
}

/// SHA-256 of `models/austen-1m/vocabulary.json`.
const TOKENIZER: &str = "be2ada4bc6c3a7098e1efa38dd2c87cf1af450bfd308e49e21725c99a4796ebb";

fn files() -> Value {
	let cases: [&[(&str, H256)]; 3] = [
		&[("model.safetensors", hash(5))],
		&[
			("model-00002-of-00002.safetensors", hash(6)),
			("model-00001-of-00002.safetensors", hash(7)),
		],
		// By bytes: capitals come first.
		&[("merges.txt", hash(8)), ("vocab.json", hash(9)), ("ADDED.json", hash(10))],
	];
	let of = |files: &[(&str, H256)]| {
		let listed: Vec<_> = files
			.iter()
			.map(|(name, hash)| json!({ "name": name, "sha256": digits(hash) }))
			.collect();
		json!({ "files": listed, "hash": digits(&hash_of_files(files)) })
	};
	cases.into_iter().map(of).collect()
}

fn span(since_ms: u64, standing: Standing) -> Value {
	let terms = match standing {
		Standing::Counted(terms) | Standing::Stopped(terms) => Some(terms),
		Standing::Retired => None,
	};
	json!({
		"since_ms": since_ms,
		"standing": standing.as_str(),
		"factor": terms.map(|terms| terms.factor),
		"engine": terms.map(|terms| terms.engine.as_str()),
	})
}

/// A model that is added, changed, stopped while a change is announced, resumed, and retired.
fn timeline() -> Value {
	let terms = |factor, engine| ModelTerms { factor, engine };
	let (old, new) = (terms(5_000, EngineClass::Exact), terms(12_000, EngineClass::Seeded));
	let mut timeline = Timeline::new(1_000, old);
	let announce = |timeline: &mut Timeline, now: u64, change| {
		timeline.announce(now, now + 500, change).unwrap();
	};
	announce(&mut timeline, 1_200, TermsChange::Terms(new));
	announce(&mut timeline, 2_000, TermsChange::Terms(old));
	timeline.stop(2_300).unwrap();
	announce(&mut timeline, 3_000, TermsChange::Resume);
	announce(&mut timeline, 4_000, TermsChange::Retire);
	let times =
		[0, 999, 1_000, 1_699, 1_700, 2_299, 2_300, 2_500, 3_499, 3_500, 4_499, 4_500, 9_999];
	let factors: Vec<Value> = times
		.into_iter()
		.map(|time| json!({ "time_ms": time, "factor": timeline.factor_at(time) }))
		.collect();
	let windows =
		[(0, 999), (0, 1_000), (1_699, 1_700), (2_300, 3_499), (2_000, 3_500), (0, 9_999)];
	let between: Vec<Value> = windows
		.into_iter()
		.map(|(from, to)| {
			let factors: Vec<u32> = timeline.factors_between(from, to).collect();
			json!({ "from_ms": from, "to_ms": to, "factors": factors })
		})
		.collect();
	let spans: Vec<Value> =
		timeline.spans().iter().map(|at| span(at.since_ms, at.standing)).collect();
	json!({ "spans": spans, "factors": factors, "between": between })
}

#[test]
fn the_vectors_of_models_are_what_this_implementation_makes() {
	let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/models.json");
	let made = json!({ "models": descriptions(), "files": files(), "timeline": timeline() });
	if std::env::var_os(VARIABLE).is_some() {
		let text = serde_json::to_string_pretty(&made).unwrap();
		std::fs::write(&path, text + "\n").unwrap();
	}
	let written: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
	for (name, value) in made.as_object().unwrap() {
		assert_eq!(&written[name], value, "{name}: {VARIABLE}=1 writes the file again");
	}
	assert_eq!(written.as_object().unwrap().len(), made.as_object().unwrap().len());
}
