//! `gridproof plan`, and the limits of `front run`, as people and scripts run them: with a coordinator that
//! only lists its plans, and without a node.

use serde_json::{Value, json};
use std::{
	io::{Read, Write},
	net::TcpListener,
	process::{Command, Output},
	thread,
};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn gridproof(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof")).args(arguments).output().unwrap()
}

/// Exit code, and standard output followed by standard error.
fn said(arguments: &[&str]) -> (Option<i32>, String) {
	let output = gridproof(arguments);
	let text = [output.stdout, output.stderr].concat();
	(output.status.code(), String::from_utf8(text).unwrap())
}

/// Starts a coordinator that answers every request with the list of its plans; returns its address.
fn coordinator() -> String {
	let plan = |name: &str, price: &str, tokens: u64| {
		json!({ "name": name, "asset": "ait", "price": price, "tokens_per_day": tokens, "days": 30,
			"unit_price": "1000000000000", "daily_limit": "1" })
	};
	let plans = [
		plan("basic", "1000000000000000000", 10_000),
		plan("standard", "5000000000000000000", 100_000),
	];
	let key = format!("0x{}", "01".repeat(32));
	let body =
		json!({ "coordinator": key, "genesis": key, "time_ms": 1, "plans": plans }).to_string();
	let listener = TcpListener::bind("127.0.0.1:0").unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	thread::spawn(move || {
		for stream in listener.incoming() {
			let mut stream = stream.unwrap();
			let mut asked = [0; 4_096];
			let _ = stream.read(&mut asked).unwrap();
			let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
			let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
			stream.write_all(answer.as_bytes()).unwrap();
		}
	});
	url
}

#[test]
fn plans_are_listed_in_tokens_of_the_chain_and_as_json() {
	let url = coordinator();
	let (code, text) = said(&["plan", "list", "--coordinator", &url]);
	assert_eq!(code, Some(0), "{text}");
	let lines: Vec<&str> = text.lines().collect();
	assert!(lines[0].starts_with("basic") && lines[0].contains("1 AIT for 30 days"), "{text}");
	assert!(lines[1].contains("100000 tokens a day") && lines[1].ends_with("for 1 AIT"), "{text}");
	let output = gridproof(&["--json", "plan", "list", "--coordinator", &url]);
	let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
	assert_eq!(shown["plans"][0]["price"], "1000000000000000000");
}

#[test]
fn a_plan_that_is_not_sold_is_refused_before_anything_is_asked_of_a_wallet() {
	let url = coordinator();
	let buy = ["plan", "buy", "gold", "--coordinator", &url, "--suri", "//Bob"];
	let (code, text) = said(&buy);
	assert_eq!(code, Some(2), "{text}");
	assert!(text.contains("it sells: basic, standard"), "{text}");
	let (code, text) = said(&["plan", "buy", "basic", "--coordinator", &url]);
	assert_eq!(code, Some(2), "{text}");
	assert!(text.contains("whose account signs?"), "{text}");
	let (code, text) = said(&["plan", "buy", "basic", "--key", "k", "--save", "s"]);
	assert_eq!(code, Some(2), "{text}");
	let (code, text) = said(&["plan", "show", "1", "--coordinator", NOWHERE]);
	assert_eq!(code, Some(4), "{text}");
}

#[test]
fn a_front_tops_up_only_with_a_limit_for_the_day_and_one_for_all() {
	let run = ["front", "run", "--channel", "1", "--key", "k", "--data", "d", "--suri", "//Bob"];
	let rule = [&run[..], &["--top-up-below", "1", "--top-up-by", "5"]].concat();
	let (code, text) = said(&rule);
	assert_eq!(code, Some(2), "{text}");
	assert!(text.contains("--top-up-per-day") && text.contains("--max-spend"), "{text}");
	let (code, text) = said(&[&rule[..], &["--top-up-per-day", "20"]].concat());
	assert_eq!(code, Some(2), "{text}");
	let missing = text.split("Usage").next().unwrap();
	assert!(missing.contains("--max-spend") && !missing.contains("--top-up-per-day"), "{text}");
}

#[test]
fn a_channel_is_opened_with_a_key_or_kept_by_the_coordinator_and_not_both() {
	let (code, text) = said(&["channel", "open", "--deposit", "1"]);
	assert_eq!(code, Some(2), "{text}");
	assert!(text.contains("--key <FILE>"), "{text}");
	let (code, text) = said(&["channel", "open", "--deposit", "1", "--kept", "--key", "k"]);
	assert_eq!(code, Some(2), "{text}");
	assert!(text.contains("cannot be used with"), "{text}");
}
