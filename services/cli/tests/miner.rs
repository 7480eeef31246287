//! `gridproof miner` as a program: what it prints, what it refuses, how it exits.

use serde_json::{Value, json};
use std::{
	fs,
	io::{Read, Write},
	net::TcpListener,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command, Output},
};
use tempfile::TempDir;

fn gridproof(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.arg("--json")
		.args(arguments)
		.env_remove("GRIDPROOF_PASSPHRASE_FILE")
		.env_remove("GRIDPROOF_ENGINE_URL")
		.output()
		.unwrap()
}

#[track_caller]
fn done(arguments: &[&str]) -> Value {
	let output = gridproof(arguments);
	let said = String::from_utf8_lossy(&output.stderr);
	assert!(output.status.success(), "{said}");
	serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn refused(arguments: &[&str], reason: &str) {
	let output = gridproof(arguments);
	assert!(!output.status.success());
	let said = String::from_utf8_lossy(&output.stderr);
	assert!(said.contains(reason), "it should say {reason:?}; it said {said:?}");
	assert!(!said.contains("panicked"), "{said}");
}

fn models() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/austen-1m")
}

/// A key file as `miner register --new-key` makes it.
fn key(folder: &TempDir) -> String {
	let path = folder.path().join("miner.json");
	fs::write(&path, "0b".repeat(32)).unwrap();
	fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
	path.display().to_string()
}

#[test]
fn the_engine_can_be_tried_and_gives_the_same_again() {
	let arguments = [
		"miner",
		"try",
		"--prompt",
		"It is a truth",
		"--max-tokens",
		"12",
		"--temperature-milli",
		"900",
		"--top-p-milli",
		"950",
		"--seed",
		"7",
	];
	let tried = done(&arguments);
	assert_eq!(tried["model"], "austen-1m");
	assert_eq!(tried["completion_tokens"], 12);
	assert_eq!(tried["finish"], "length");
	assert!(tried["tokens_per_second"].as_f64() > Some(0.0), "{tried}");
	let folder = models().display().to_string();
	let again = done(&[&arguments[..], &["--model-dir", &folder]].concat());
	assert_eq!((&again["tokens"], &again["text"]), (&tried["tokens"], &tried["text"]));
	// The committed fixture was made with these settings.
	let fixture: Value =
		serde_json::from_str(&fs::read_to_string(models().join("fixture.json")).unwrap()).unwrap();
	let first = fixture["sampled"].as_array().unwrap()[..8].to_vec();
	assert_eq!(tried["tokens"].as_array().unwrap()[..8], first);
}

#[test]
fn what_cannot_be_tried_is_said() {
	let long = "1".repeat(600);
	refused(&["miner", "try", "--prompt", &long], "601 tokens, the model reads 511 at most");
	refused(&["miner", "try", "--prompt", "x", "--model", "gpt-5"], "there is austen-1m");
	refused(&["miner", "try", "--prompt", "x", "--model-dir", "nowhere"], "config.json");
	let url = ["--engine", "http://127.0.0.1:9", "--engine-memory-mb", "1"];
	refused(&[&["miner", "try", "--prompt", "x"], &url[..]].concat(), "--class gpu or cpu");
	let class = ["--class", "gpu"];
	refused(&[&["miner", "try", "--prompt", "x"], &url[..], &class].concat(), "nobody answers");
}

#[test]
fn an_answer_by_a_receipts_seed_says_so_and_comes_again() {
	let seed = format!("0x{}", "5a".repeat(32));
	let tried = |more: &[&str]| {
		let first = ["miner", "try", "--prompt", "It is a truth", "--max-tokens", "12"];
		done(&[&first[..], &["--temperature-milli", "900"], more].concat())
	};
	let one = tried(&["--receipt-seed", &seed]);
	assert_eq!((&one["sampler"], &one["memory_from"]), (&json!("gumbel"), &json!("own process")));
	let read = one["prompt_ids"].as_array().unwrap().len() as u64;
	assert_eq!(one["prompt_tokens"], read);
	assert_eq!(tried(&["--receipt-seed", &seed])["tokens"], one["tokens"]);
	let other = tried(&["--receipt-seed", &format!("0x{}", "5b".repeat(32))]);
	assert_ne!(other["tokens"], one["tokens"]);
	assert_eq!(tried(&["--seed", "7"])["sampler"], "engine");
	let both = ["miner", "try", "--prompt", "x", "--seed", "7", "--receipt-seed", &seed];
	refused(&both, "cannot be used with");
}

#[test]
fn several_engines_are_named_in_a_file() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("engines.json");
	let path = file.display().to_string();
	let trial = ["miner", "try", "--prompt", "She", "--max-tokens", "2", "--engines", &path];
	fs::write(&file, "[{}]").unwrap();
	assert_eq!(done(&trial)["model"], "austen-1m");
	fs::write(&file, "[{}, {}]").unwrap();
	refused(&trial, "two engines serve it");
	fs::write(&file, r#"[{}, {"url": "http://127.0.0.1:9"}]"#).unwrap();
	refused(&trial, "--class gpu or cpu");
	refused(&[&trial[..], &["--class", "gpu"]].concat(), "nobody answers");
	fs::write(&file, r#"[{"port": 9}]"#).unwrap();
	refused(&trial, "port");
	refused(&[&trial[..], &["--engine", "http://127.0.0.1:9"]].concat(), "cannot be used with");
	refused(&["miner", "try", "--prompt", "x", "--engines", "nowhere"], "cannot read nowhere");
}

#[test]
fn a_plan_says_what_fits_and_how_it_is_started() {
	let plan = [
		"miner",
		"plan",
		"--model",
		"meta-llama/Llama-3.1-405B-Instruct",
		"--gpus",
		"2*8xh100-sxm",
	];
	let found = done(&plan);
	assert_eq!(found["model"], "llama-3.1-405b-instruct");
	let split =
		|row: &Value| (row["tensor"].as_u64(), row["pipeline"].as_u64(), row["machines"].as_u64());
	let splits = found["splits"].as_array().unwrap();
	assert!(splits.iter().any(|row| split(row) == (Some(8), Some(2), Some(2))), "{found}");
	let commands = found["commands"].as_array().unwrap();
	assert!(
		commands.iter().any(|line| line.as_str().unwrap().starts_with("vllm serve meta-llama/"))
	);
	let one = [
		"miner",
		"plan",
		"--model",
		"qwen2.5-7b-instruct",
		"--gpus",
		"1x80:2000:300",
		"--dtype",
		"fp8",
	];
	assert_eq!(done(&one)["splits"].as_array().unwrap().len(), 1);
	for (arguments, reason) in [
		(vec!["--model", "gpt-5", "--gpus", "1xh200"], "--model-config"),
		(vec!["--model", "qwen2.5-72b-instruct", "--gpus", "1xt4"], "--dtype"),
		(vec!["--model", "qwen2.5-7b-instruct", "--gpus", "1xh300"], "name one of h200"),
		(vec!["--model", "qwen2.5-7b-instruct"], "--gpus"),
		(
			vec!["--model", "qwen2.5-7b-instruct", "--gpus", "1xh200", "--url", "ws://127.0.0.1:9"],
			"no node answers",
		),
	] {
		refused(&[&["miner", "plan"][..], &arguments[..]].concat(), reason);
	}
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("config.json");
	let text = r#"{"num_hidden_layers":2,"hidden_size":64,"intermediate_size":128,"num_attention_heads":4,
		"vocab_size":1000,"max_position_embeddings":8192}"#;
	fs::write(&file, text).unwrap();
	let path = file.display().to_string();
	let own = ["miner", "plan", "--model", "mine", "--gpus", "1xt4", "--model-config", &path];
	assert_eq!(done(&own)["model"], "mine");
}

#[test]
fn a_miner_without_node_or_with_a_loose_key_does_not_start() {
	let folder = tempfile::tempdir().unwrap();
	let (key, data) = (key(&folder), folder.path().join("data").display().to_string());
	let run = ["miner", "run", "--key", &key, "--data", &data];
	refused(&[&run[..], &["--url", "ws://127.0.0.1:9"]].concat(), "no node answers");
	refused(&[&run[..], &["--url", "http://127.0.0.1:9"]].concat(), "it looks like ws://");
	let status = ["miner", "status", "--key", &key, "--url", "ws://127.0.0.1:9"];
	refused(&status, "no node answers");
	refused(&["miner", "status", "--url", "ws://127.0.0.1:9"], "--key");
	fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
	refused(&run, "chmod 600");
}

#[test]
fn an_api_key_is_read_from_a_private_file_and_sent() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("api-key");
	fs::write(&path, "sk-secret\n").unwrap();
	let listener = TcpListener::bind("127.0.0.1:0").unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	let file = path.display().to_string();
	let arguments = [
		"miner",
		"try",
		"--prompt",
		"x",
		"--model",
		"m",
		"--class",
		"gpu",
		"--engine",
		&url,
		"--engine-memory-mb",
		"1",
		"--engine-key-file",
		&file,
	];
	fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
	refused(&arguments, "chmod 600");
	fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
	let (sender, questions) = std::sync::mpsc::channel();
	std::thread::spawn(move || {
		for stream in listener.incoming() {
			let (mut stream, mut asked) = (stream.unwrap(), [0; 4096]);
			let length = stream.read(&mut asked).unwrap();
			let answer =
				"HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno";
			stream.write_all(answer.as_bytes()).unwrap();
			sender.send(String::from_utf8_lossy(&asked[..length]).to_lowercase()).unwrap();
		}
	});
	let output = gridproof(&arguments);
	let questions: Vec<String> = questions.try_iter().collect();
	assert!(!questions.is_empty(), "the engine was not asked");
	assert!(questions.iter().all(|asked| asked.contains("authorization: bearer sk-secret")));
	let said = String::from_utf8_lossy(&output.stderr);
	assert!(said.contains("is the API key right?") && !said.contains("sk-secret"), "{said}");
}
