//! `gridproof proof` as people and scripts run it: real processes, files, exit codes, JSON.

use serde_json::{Value, json};
use std::{
	fs,
	io::Write,
	process::{Command, Output, Stdio},
};
use tempfile::TempDir;

fn vectors() -> Value {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/emlog.json");
	serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The canonical forms of the vectors' logs: as text, since numbers keep their literals.
fn logs() -> Vec<String> {
	let vectors = vectors();
	let logs = vectors["logs"].as_array().unwrap();
	logs.iter().map(|log| log["canonical_utf8"].as_str().unwrap().to_string()).collect()
}

fn gridproof(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof")).arg("proof").args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
	String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
	String::from_utf8(output.stderr.clone()).unwrap()
}

fn good(arguments: &[&str]) -> String {
	let output = gridproof(arguments);
	assert!(output.status.success(), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
	stdout(&output)
}

/// What the command says on its way out with exit code 2: a mistake in arguments or inputs.
fn bad(arguments: &[&str]) -> String {
	failed(2, arguments)
}

/// What the command says on its way out with this exit code.
fn failed(code: i32, arguments: &[&str]) -> String {
	let output = gridproof(arguments);
	assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stdout(&output));
	stderr(&output)
}

/// A document that the command prints, a result or an error, whatever its exit code.
fn answer(arguments: &[&str]) -> (Option<i32>, Value) {
	let output = gridproof(&[&["--json"], arguments].concat());
	let text = if output.stdout.is_empty() { stderr(&output) } else { stdout(&output) };
	assert_eq!(text.lines().count(), 1, "{text}");
	(output.status.code(), serde_json::from_str(&text).unwrap())
}

struct Desk {
	folder: TempDir,
}

impl Desk {
	fn new() -> Self {
		Self { folder: tempfile::tempdir().unwrap() }
	}

	fn write(&self, name: &str, text: &str) -> String {
		let path = self.folder.path().join(name).display().to_string();
		fs::write(&path, text).unwrap();
		path
	}
}

#[test]
fn root_prints_the_roots_of_the_vectors() {
	let (desk, logs) = (Desk::new(), logs());
	for tree in vectors()["trees"].as_array().unwrap() {
		let count = tree["n"].as_u64().unwrap();
		let file = desk.write("logs", &logs[..count as usize].join("\n"));
		let expected = json!({"root": tree["rfc6962_root"], "count": count, "scheme": "rfc6962"});
		assert_eq!(answer(&["root", "--logs", &file]), (Some(0), expected));
		let root = tree["rfc6962_root"].as_str().unwrap();
		let text = good(&["root", "--logs", &file]);
		assert_eq!(text, format!("root    {root}\ncount   {count}\nscheme  rfc6962\n"));
	}
}

#[test]
fn how_a_log_is_laid_out_does_not_matter() {
	let (desk, logs) = (Desk::new(), logs());
	let plain = desk.write("plain", &logs.join("\n"));
	// Windows line ends, a blank line, blanks, another order, characters that are not escaped.
	let (head, tail) = logs[2][1..logs[2].len() - 1].split_once(",\"status\"").unwrap();
	let turned = format!("{{ \"status\"{tail}, {head} }}").replace("gr\\u00fcn", "grün");
	let text = format!("\r\n{}\r\n {}\t\r\n{turned}\n\n{}\n", logs[0], logs[1], logs[3]);
	let other = desk.write("other", &text);
	assert_eq!(answer(&["root", "--logs", &plain]), answer(&["root", "--logs", &other]));
	// Another literal is another log.
	let literal = desk.write("literal", &logs.join("\n").replace("5.0,", "5,"));
	assert_ne!(answer(&["root", "--logs", &plain]), answer(&["root", "--logs", &literal]));
}

#[test]
fn logs_are_read_from_standard_input() {
	let mut child = Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args(["proof", "root", "--logs", "-", "--json"])
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.spawn()
		.unwrap();
	child.stdin.take().unwrap().write_all(logs()[0].as_bytes()).unwrap();
	let output = child.wait_with_output().unwrap();
	let root: Value = serde_json::from_slice(&output.stdout).unwrap();
	assert_eq!(root["root"], vectors()["trees"][0]["rfc6962_root"]);
}

#[test]
fn files_that_cannot_be_used_are_refused_with_the_line() {
	let (desk, logs) = (Desk::new(), logs());
	let root = |text: &str| bad(&["root", "--logs", &desk.write("logs", text)]);
	assert!(root("").contains("has no log: write one JSON log on each line"));
	assert!(root("\n \n").contains("has no log"));
	let lines = |last: &str| format!("{}\n\n{last}\n{}", logs[0], logs[1]);
	let line = root(&lines("{\"a\":1"));
	assert!(line.contains("logs, line 3: malformed JSON: unexpected end"), "{line}");
	let line = root(&lines(&logs[2].replace("\"ok\"", "\"fine\"")));
	assert!(
		line.contains("line 3: unknown status \"fine\": it is ok, estimated or error"),
		"{line}"
	);
	let line = root(&lines(&logs[2].replace("7.25", "-7.25")));
	assert!(line.contains("line 3: energy_kwh: energy is never negative"), "{line}");
	let line = root(&lines(&"x".repeat(1 << 21)));
	assert!(line.contains("line 3"), "{}", &line[..200]);
	let missing = failed(1, &["root", "--logs", "/nowhere/logs"]);
	assert!(missing.contains("cannot read /nowhere/logs"), "{missing}");
	let (code, error) = answer(&["root", "--logs", &desk.write("logs", "")]);
	assert_eq!((code, &error["kind"]), (Some(2), &json!("usage")));
	assert!(error["error"].as_str().unwrap().contains("has no log"));
}

#[test]
fn raw_takes_any_object() {
	let desk = Desk::new();
	let file = desk.write("logs", "{\"b\":1.0,\"a\":\"ä\"}\n{}\n");
	assert!(bad(&["root", "--logs", &file]).contains("line 1: unknown field \"b\""));
	let (code, root) = answer(&["root", "--raw", "--logs", &file]);
	assert_eq!((code, &root["count"]), (Some(0), &json!(2)));
	let other = desk.write("other", "{\"a\":\"\\u00e4\", \"b\":1.0}\n{ }");
	assert_eq!(answer(&["root", "--raw", "--logs", &other]).1, root);
	let numbers = desk.write("numbers", "1\n");
	assert!(bad(&["root", "--raw", "--logs", &numbers]).contains("line 1: not a JSON object"));
}

#[test]
fn what_create_makes_verify_takes() {
	let (desk, logs) = (Desk::new(), logs());
	let file = desk.write("logs", &logs.join("\n"));
	let root = answer(&["root", "--logs", &file]).1["root"].clone();
	for index in 0..logs.len() {
		let text = good(&["create", "--logs", &file, "--index", &index.to_string()]);
		let document: Value = serde_json::from_str(&text).unwrap();
		assert_eq!(document["merkle_root"], root);
		assert_eq!((&document["index"], &document["tree_size"]), (&json!(index), &json!(4)));
		assert_eq!(document["scheme"], "rfc6962");
		assert_eq!((&document["log_id"], &document["batch_id"]), (&Value::Null, &Value::Null));
		assert_eq!(document["proof"].as_array().unwrap().len(), 2);
		let proof = desk.write("proof", &text);
		let (code, report) = answer(&["verify", &proof]);
		let leaf_hash = &document["leaf_hash"];
		let expected = json!({
			"ok": true, "scheme": "rfc6962", "leaf_hash": leaf_hash, "merkle_root": root,
			"index": index, "tree_size": 4, "log_checked": true, "on_chain": null,
			"error": null, "reason": null
		});
		assert_eq!((code, report), (Some(0), expected));
		let root = root.as_str().unwrap();
		assert_eq!(
			good(&["verify", &proof, "--scheme", "rfc6962", "--root", root]),
			format!("ok: the log in the document is leaf {index} of 4 under {root} (rfc6962)\n")
		);
	}
	let bare = good(&["--json", "create", "--without-log", "--logs", &file, "--index", "3"]);
	assert_eq!(bare.lines().count(), 1);
	let proof = desk.write("proof", &bare);
	assert_eq!(answer(&["verify", &proof]).1["log_checked"], false);
	assert!(good(&["verify", &proof]).contains("which carries no log"));
}

#[test]
fn an_index_that_is_not_there_is_refused() {
	let (desk, logs) = (Desk::new(), logs());
	let file = desk.write("logs", &logs[..3].join("\n"));
	let refused = bad(&["create", "--logs", &file, "--index", "3"]);
	assert!(refused.contains("has 3 logs: the index is one of 0 to 2"), "{refused}");
	let negative = gridproof(&["create", "--logs", &file, "--index=-1"]);
	assert_eq!(negative.status.code(), Some(2));
	let empty = desk.write("empty", "");
	assert!(bad(&["create", "--logs", &empty, "--index", "0"]).contains("has no log"));
}

#[test]
fn every_shared_document_is_answered_as_expected() {
	let desk = Desk::new();
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/proofs.json");
	let cases: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
	for case in cases["cases"].as_array().unwrap() {
		let file = desk.write("proof", case["document"].as_str().unwrap());
		let asked = case["asked"].as_str().map(|asked| ["--scheme", asked]);
		let mut arguments = vec!["verify", &file];
		arguments.extend(asked.iter().flatten());
		let (code, report) = answer(&arguments);
		let name = &case["name"];
		let exit = if case["ok"] == json!(true) { 0 } else { 3 };
		assert_eq!(code, Some(exit), "{name}");
		for member in ["ok", "scheme", "log_checked", "error", "anchored_root"] {
			assert_eq!(report[member], case[member], "{name}: {member}");
		}
		assert_eq!(report["reason"].is_null(), exit == 0, "{name}");
	}
}

#[test]
fn a_proof_leads_to_the_root_that_is_anchored_for_many_batches_and_to_no_other() {
	let desk = Desk::new();
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/proofs.json");
	let cases: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
	let named = |name: &str| {
		let cases = cases["cases"].as_array().unwrap();
		cases.iter().find(|case| case["name"] == name).unwrap().clone()
	};
	let case = named("anchored, with the transaction");
	let file = desk.write("proof", case["document"].as_str().unwrap());
	let root = case["anchored_root"].as_str().unwrap();
	let (code, report) = answer(&["verify", &file, "--anchored-root", root]);
	assert_eq!((code, &report["anchor_txid"]), (Some(0), &json!("ab".repeat(32))));
	let text = good(&["verify", &file]);
	assert!(text.contains(&format!("leads to the anchored root {root}")), "{text}");
	assert!(text.contains(&format!("--txid {}", "ab".repeat(32))), "{text}");
	let alone = named("rfc6962, leaf 1 of 3");
	let alone = desk.write("alone", alone["document"].as_str().unwrap());
	for (file, root) in [(&file, "00".repeat(32)), (&alone, root.to_string())] {
		let (code, report) = answer(&["verify", file, "--anchored-root", &root]);
		assert_eq!((code, &report["error"]), (Some(3), &json!("other_anchored_root")));
	}
	assert!(!good(&["verify", &alone]).contains("anchored"));
}

/// As the older gateway exports the proof of the third of three logs.
fn older_document() -> Value {
	let (vectors, index) = (vectors(), 2);
	let tree = &vectors["trees"][2];
	json!({
		"log_id": "log_0123456789ab", "batch_id": "batch_2025-12-01T10-30-00",
		"leaf_hash": vectors["logs"][index]["legacy_leaf_hash"],
		"merkle_root": tree["legacy_root"], "index": index, "proof": tree["legacy_proofs"][index]
	})
}

#[test]
fn proofs_of_the_older_gateway_verify_and_are_named_as_such() {
	let (desk, document) = (Desk::new(), older_document());
	let file = desk.write("proof", &document.to_string());
	for arguments in [&["verify", &file][..], &["verify", &file, "--scheme", "legacy"]] {
		let (code, report) = answer(arguments);
		assert_eq!((code, &report["scheme"]), (Some(0), &json!("legacy")));
	}
	assert!(good(&["verify", &file]).contains("shows neither how many logs the batch has"));
	let refused = gridproof(&["verify", &file, "--scheme", "rfc6962"]);
	assert_eq!(refused.status.code(), Some(3));
	assert!(stdout(&refused).contains("with --tree-size"), "{}", stdout(&refused));
	let (code, report) = answer(&["verify", &file, "--scheme", "rfc6962", "--tree-size", "3"]);
	assert_eq!((code, &report["error"]), (Some(3), &json!("wrong_length")));
	let mut forged = document;
	forged["merkle_root"] = json!("00".repeat(32));
	let file = desk.write("forged", &forged.to_string());
	let (code, report) = answer(&["verify", &file]);
	assert_eq!((code, &report["error"]), (Some(3), &json!("root_mismatch")));
}

#[test]
fn arguments_that_contradict_the_document_are_refused() {
	let (desk, logs) = (Desk::new(), logs());
	let file = desk.write("logs", &logs.join("\n"));
	let proof = desk.write("proof", &good(&["create", "--logs", &file, "--index", "0"]));
	let (code, report) = answer(&["verify", &proof, "--root", &"00".repeat(32)]);
	assert_eq!((code, &report["error"]), (Some(3), &json!("other_root")));
	let refused = bad(&["verify", &proof, "--tree-size", "5"]);
	assert!(refused.contains("states a tree_size of 4, not 5"), "{refused}");
	for arguments in
		[&["--scheme", "sha256"][..], &["--root", "00"], &["--tree-size", "x"], &["--meter", "1"]]
	{
		let output = gridproof(&[&["verify", &proof], arguments].concat());
		assert_eq!(output.status.code(), Some(2), "{arguments:?}");
	}
	let without_size = good(&["--json", "create", "--logs", &file, "--index", "0"])
		.replace("\"scheme\":\"rfc6962\",", "")
		.replace("\"tree_size\":4", "\"x\":4");
	let proof = desk.write("proof", &without_size);
	assert_eq!(answer(&["verify", &proof]).0, Some(3));
	let (code, report) = answer(&["verify", &proof, "--tree-size", "4"]);
	assert_eq!((code, &report["scheme"]), (Some(0), &json!("rfc6962")));
}

#[test]
fn the_chain_is_asked_only_what_it_can_answer() {
	let (desk, logs) = (Desk::new(), logs());
	let file = desk.write("logs", &logs.join("\n"));
	let text = good(&["create", "--logs", &file, "--index", "0"]);
	let proof = desk.write("proof", &text);
	let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
	let url = format!("ws://{nobody}");
	let refused = bad(&["verify", &proof, "--url", &url]);
	assert!(refused.contains("Name it with --meter and --sequence"), "{refused}");
	let batch = ["--meter", "0", "--sequence", "0"];
	let refused = failed(4, &[&["verify", &proof, "--url", &url][..], &batch].concat());
	assert!(refused.contains("no node answers"), "{refused}");
	let older = desk.write("older", &older_document().to_string());
	let refused = bad(&[&["verify", &older, "--url", &url][..], &batch].concat());
	assert!(refused.contains("no batches of the older scheme"), "{refused}");
	// What does not hold offline is not asked at all.
	let forged = desk.write("forged", &text.replace("12.34,", "12.35,"));
	let (code, report) = answer(&["verify", &forged, "--url", &url]);
	assert_eq!((code, &report["error"]), (Some(3), &json!("other_log")));
}
