//! Decisions, parties and validators on the command line, without a node: arguments and refusals.

use gridproof_keys::{Kind, SealedKey};
use std::{
	fs,
	process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// The addresses of //Alice, //Bob and //Charlie, by their public keys.
const SIGNERS: [&str; 3] = [
	"0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
	"0x8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48",
	"0x90b5ab205c6974c9ea841be688864633dc9ca8a357843eeacf2314649965fe22",
];
/// Where no node is.
const NOWHERE: &str = "ws://127.0.0.1:1";

fn gridproof(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.arg("--json")
		.args(arguments)
		.stdin(Stdio::null())
		.env_remove("GRIDPROOF_URL")
		.output()
		.unwrap()
}

/// The exit code of a command that fails, and its words.
fn failure(arguments: &[&str]) -> (i32, String) {
	let output = gridproof(arguments);
	assert!(!output.status.success(), "{arguments:?}");
	let words = String::from_utf8_lossy(&output.stderr).to_string();
	(output.status.code().unwrap(), words)
}

fn account(signers: &[&str], threshold: &str) -> String {
	let mut arguments = vec!["govern", "account"];
	arguments.extend(signers);
	arguments.extend(["--threshold", threshold]);
	let output = gridproof(&arguments);
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).unwrap()
}

fn key_file(folder: &TempDir, kind: Kind) -> String {
	let path = folder.path().join(format!("{}.json", kind.as_str()));
	SealedKey::generate(kind, None).unwrap().save(&path, None).unwrap();
	path.display().to_string()
}

#[test]
fn an_account_of_several_signers_is_the_same_in_any_order() {
	let [alice, bob, charlie] = SIGNERS;
	let two = account(&[alice, bob, charlie], "2");
	assert_eq!(two, account(&[charlie, alice, bob], "2"));
	assert_ne!(two, account(&[alice, bob, charlie], "3"));
	assert!(two.starts_with("{\"account\":\"pH"), "{two}");
	let (code, words) = failure(&["govern", "account", alice, bob, "--threshold", "3"]);
	assert_eq!(code, 2);
	assert!(words.contains("3 of 2 signers cannot decide: name 1 to 2"), "{words}");
	let (code, words) = failure(&["govern", "account", alice, alice, "--threshold", "1"]);
	assert!(code == 2 && words.contains("is named twice"), "{words}");
}

#[test]
fn a_decision_is_checked_before_a_node_is_asked() {
	let by = ["--suri", "//Alice", "--url", NOWHERE];
	let refused = |arguments: &[&str]| {
		let (code, words) = failure(&[arguments, &by[..]].concat());
		assert_eq!(code, 2, "{arguments:?}: {words}");
		words
	};
	assert!(refused(&["govern", "call", "0xzz"]).contains("hexadecimal digits"));
	assert!(refused(&["govern", "hand-over", SIGNERS[1]]).contains("--for-good"));
	assert!(refused(&["govern", "issuer"]).contains("--nobody"));
	assert!(refused(&["govern", "reference-rate", "--ait", "3"]).contains("--aicp"));
	assert!(
		refused(&["govern", "spend", "--amount", "0", "--to", SIGNERS[1]]).contains("above zero")
	);
	assert!(refused(&["govern", "kind", "other"]).contains("reserve or rehearsal"));
	assert!(refused(&["model", "default"]).contains("--none"));
	assert!(refused(&["model", "retire", "a b"]).contains("a model's name"));
	assert!(refused(&["model", "delay", "59"]).contains("59 is not in 60..=2592000"));
	let add = |context, factor| {
		let hashes = ["--weights", SIGNERS[0], "--tokenizer", SIGNERS[1], "--engine", "exact"];
		let rest = ["--context", context, "--factor", factor];
		refused(&[&["model", "propose-add", "a"][..], &hashes, &rest].concat())
	};
	assert!(add("512", "130.001").contains("at most 130"));
	assert!(add("0", "1").contains("1 to 16777216 tokens"));
	let alone = ["govern", "admit-organisation", "0", "--with", SIGNERS[1]];
	assert!(refused(&alone).contains("--threshold"));
	let twice = ["govern", "admit-organisation", "0", "--with", SIGNERS[0], "--threshold", "2"];
	assert!(refused(&twice).contains("is named twice"));
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("parameters.json");
	fs::write(&file, "{\"minerBond\": 1}").unwrap();
	let file = file.display().to_string();
	assert!(refused(&["govern", "compute-parameters", &file]).contains("missing field"));
}

#[test]
fn every_decision_waits_for_a_node_that_is_there() {
	let by = ["--suri", "//Alice", "--url", NOWHERE];
	for arguments in [
		&["govern", "admit-organisation", "0"][..],
		&["govern", "role-key", "data", SIGNERS[0]],
		&["govern", "reserve-breaker", "minting", "--emergency"],
		&["govern", "let-in", SIGNERS[1]],
		&["govern", "authorize-upgrade", "--hash", SIGNERS[0]],
		&["govern", "call", "0x0000"],
		&["meter", "admit-organisation", "0", "--with", SIGNERS[1], "--threshold", "2"],
		&["coordinator", "admit", SIGNERS[0]],
		&["model", "propose-change", SIGNERS[0], "--factor", "2.5", "--engine", "seeded"],
		&["model", "retire", "austen-1m"],
		&["model", "default", "--none", "--with", SIGNERS[1], "--threshold", "2"],
		&["model", "call-off", "--delay"],
		&["model", "stop", SIGNERS[0], "--emergency"],
		&["coordinator", "leave", "--key", SIGNERS[0]],
		&["coordinator", "raise-bond", "--key", SIGNERS[0], "--amount", "12.5"],
		&["miner", "withdraw", "--key", SIGNERS[0], "--anyway"],
		&["validator", "rotate"],
		&["policy", "payout", "3"],
	] {
		let (code, words) = failure(&[arguments, &by[..]].concat());
		assert_eq!(code, 4, "{arguments:?}: {words}");
		assert!(words.contains("no node answers at ws://127.0.0.1:1"), "{words}");
	}
	let (code, _) = failure(&["miner", "claim", "--key", SIGNERS[0], "--url", NOWHERE]);
	assert_eq!(code, 4, "it needs no account");
}

#[test]
fn a_party_is_named_by_its_key_file_or_its_public_key() {
	let folder = tempfile::tempdir().unwrap();
	let file = key_file(&folder, Kind::Coordinator);
	let by = ["--suri", "//Alice", "--url", NOWHERE];
	let (code, _) = failure(&[&["coordinator", "stay", "--key", &file][..], &by[..]].concat());
	assert_eq!(code, 4, "its passphrase is not needed");
	let (code, words) =
		failure(&[&["coordinator", "stay", "--key", "nowhere"][..], &by[..]].concat());
	assert_eq!(code, 2);
	assert!(words.contains("name the key file, or write the public key"), "{words}");
	let raise = ["miner", "raise-bond", "--key", SIGNERS[0], "--amount", "0"];
	let (code, words) = failure(&[&raise[..], &by[..]].concat());
	assert!(code == 2 && words.contains("above zero"), "{words}");
	// A runtime is larger than other files.
	let code = folder.path().join("runtime.wasm");
	fs::write(&code, vec![7; 3 << 20]).unwrap();
	let code = code.display().to_string();
	for order in ["authorize-upgrade", "apply-upgrade"] {
		let (status, words) = failure(&[&["govern", order, "--code", &code][..], &by[..]].concat());
		assert_eq!(status, 4, "it is read, and a node is asked: {words}");
	}
	let withdraw = ["miner", "withdraw", "--key", SIGNERS[0]];
	let (code, words) = failure(&[&withdraw[..], &by[..]].concat());
	assert!(code == 2 && words.contains("--data"), "what waits would be lost: {words}");
	let miner = key_file(&folder, Kind::Miner);
	let other = ["coordinator", "exchange-key", "--key", &file, "--new", &miner];
	let (code, words) = failure(&[&other[..], &by[..]].concat());
	assert_eq!(code, 2, "a miner's key is not a coordinator's: {words}");
	let new = folder.path().join("new.json").display().to_string();
	let other = ["coordinator", "exchange-key", "--key", &file, "--new", &new];
	let (code, _) = failure(&[&other[..], &by[..]].concat());
	assert_eq!(code, 4, "a new key is made, but not before a node answers");
	assert!(fs::metadata(&new).is_err(), "no key is left behind");
	let (code, _) = failure(&[&["govern", "admit-coordinator", &file][..], &by[..]].concat());
	assert_eq!(code, 4, "governance names it by its file, too");
	let report =
		["miner", "report-offence", "--key", SIGNERS[0], "--first", "0x01", "--second", "0x"];
	let (code, words) = failure(&[&report[..], &by[..]].concat());
	assert!(code == 2 && words.contains("these are not two signed receipts"), "{words}");
}

#[test]
fn session_keys_are_written_in_hexadecimal_digits() {
	let announce = ["validator", "announce", "--keys", "0x", "--proof", "0x01"];
	let (code, words) = failure(&[&announce[..], &["--suri", "//Alice"][..]].concat());
	assert_eq!(code, 2);
	assert!(words.contains("write 0x and hexadecimal digits"), "{words}");
}

#[test]
fn nobody_gets_a_password_that_no_gateway_knows() {
	let folder = tempfile::tempdir().unwrap();
	let data = folder.path().join("gatway").display().to_string();
	let add = ["gateway", "device", "add", "PLANT-01/gw-1", "--data", &data];
	let (code, words) = failure(&add);
	assert_eq!(code, 2);
	assert!(words.contains("there is no folder") && words.contains("--new"), "{words}");
	assert!(fs::metadata(&data).is_err(), "nothing was made");
	let (code, _) = failure(&["gateway", "device", "list", "--data", &data]);
	assert_eq!(code, 2);
	assert!(gridproof(&[&add[..], &["--new"]].concat()).status.success());
	assert!(gridproof(&["gateway", "device", "list", "--data", &data]).status.success());
}

#[test]
fn a_simulation_without_a_broker_ends_in_its_time_and_says_so() {
	let folder = tempfile::tempdir().unwrap();
	let keys = folder.path().join("keys").display().to_string();
	let begin = std::time::Instant::now();
	let (code, words) = failure(&[
		"meter",
		"simulate",
		"--meters",
		"1",
		"--keys",
		&keys,
		"--broker",
		"mqtt://127.0.0.1:1",
		"--for",
		"1",
	]);
	assert_eq!(code, 4, "{words}");
	assert!(words.contains("no connection to the broker within 1 s"), "{words}");
	assert!(begin.elapsed().as_secs() < 20);
}
