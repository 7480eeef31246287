//! `gridproof receipt` as people and scripts run it, without a node: a document, its check, exit codes, JSON.

use serde_json::{Value, json};
use std::{
	fs,
	process::{Command, Output},
};
use tempfile::TempDir;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/receipt_document.json");
/// Nobody listens there.
const NOWHERE: &str = "ws://127.0.0.1:9";

fn gridproof(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof")).args(arguments).output().unwrap()
}

/// Exit code, and standard output followed by standard error.
fn said(arguments: &[&str]) -> (Option<i32>, String) {
	let output = gridproof(arguments);
	let text = [output.stdout, output.stderr].concat();
	(output.status.code(), String::from_utf8(text).unwrap())
}

fn verify(file: &str) -> Value {
	let output = gridproof(&["--json", "receipt", "verify", "--file", file, "--offline"]);
	serde_json::from_slice(&output.stdout).unwrap()
}

fn document() -> Value {
	serde_json::from_str(&fs::read_to_string(DOCUMENT).unwrap()).unwrap()
}

#[test]
fn a_document_is_checked_offline_and_says_that_the_chain_was_not_asked() {
	let (code, text) = said(&["receipt", "verify", "--file", DOCUMENT, "--offline"]);
	assert_eq!(code, Some(0), "{text}");
	let id = document()["receipt_id"].as_str().unwrap().to_string();
	let first = format!("signed as it says, not compared with the chain: receipt {id}");
	assert_eq!(text.lines().next(), Some(first.as_str()));
	assert!(text.contains("\nsettled    receipt 4 of 4 in batch 0\nnot shown  "), "{text}");
	let report = verify(DOCUMENT);
	assert_eq!(report["ok"], true);
	assert_eq!(report["on_chain"], Value::Null);
	assert_eq!(report["settled"]["index"], 3);
	assert_eq!(report["coordinator"], document()["coordinator"]);
	let (code, shown) = said(&["receipt", "show", "--file", DOCUMENT]);
	assert_eq!((code, shown), (Some(0), text), "show asks nobody about a document");
}

#[test]
fn a_saved_document_is_the_same_again() {
	let folder = TempDir::new().unwrap();
	let saved = folder.path().join("saved.json").display().to_string();
	let arguments = ["receipt", "verify", "--file", DOCUMENT, "--offline", "--save", &saved];
	assert_eq!(said(&arguments).0, Some(0));
	let text = fs::read_to_string(&saved).unwrap();
	assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document());
}

#[test]
fn a_forged_document_is_refused_by_name_and_not_saved() {
	let folder = TempDir::new().unwrap();
	let path = |name: &str| folder.path().join(name).display().to_string();
	let (file, saved) = (path("forged.json"), path("saved.json"));
	let mut forged = document();
	forged["coordinator"] = json!(format!("0x{}", "09".repeat(32)));
	fs::write(&file, forged.to_string()).unwrap();
	let arguments = ["receipt", "verify", "--file", &file, "--offline", "--save", &saved];
	let (code, text) = said(&arguments);
	assert_eq!(code, Some(3), "{text}");
	let sentence = "not proven: the coordinator has not signed the receipt with these sums\n";
	assert_eq!(text, sentence);
	assert!(!folder.path().join("saved.json").exists());
	assert_eq!(verify(&file)["error"], "coordinator_signature");
}

#[test]
fn each_failure_has_its_exit_code() {
	let code = |arguments: &[&str]| said(&[&["receipt", "verify"], arguments].concat());
	let (usage, unreachable) = (Some(2), Some(4));
	assert_eq!(code(&[]).0, usage, "no receipt");
	assert_eq!(code(&["0x00", "--offline"]).0, usage, "offline without a file");
	let (found, text) = code(&["--file", "Cargo.toml", "--offline"]);
	assert_eq!(found, usage, "{text}");
	assert_eq!(code(&["--file", DOCUMENT, "--url", NOWHERE]).0, unreachable);
	assert_eq!(code(&["0x00", "--url", NOWHERE]).0, usage, "not a receipt");
	let id = document()["receipt_id"].as_str().unwrap().to_string();
	assert_eq!(code(&[&id, "--url", NOWHERE]).0, unreachable);
	let issued = document()["issued"].as_str().unwrap().to_string();
	assert_eq!(code(&[&issued, "--url", NOWHERE]).0, unreachable);
}
