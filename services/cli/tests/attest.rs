//! `gridproof attest` and `gridproof keys` as people and scripts run them: real processes, files,
//! exit codes, JSON.

use serde_json::{Value, json};
use std::{
	fs,
	io::{Read, Write},
	os::unix::fs::PermissionsExt,
	path::PathBuf,
	process::{Command, Output, Stdio},
};
use tempfile::TempDir;

const CHAIN: &str = "substrate:0xabababababababababababababababababababababababababababababababab";
const DAY: &str = "2026-01-15";

fn vector(name: &str) -> String {
	let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/");
	fs::read_to_string(format!("{folder}{name}")).unwrap()
}

fn gridproof(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args(arguments)
		.env_remove("GRIDPROOF_PASSPHRASE_FILE")
		.output()
		.unwrap()
}

fn stdout(output: &Output) -> String {
	String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
	String::from_utf8(output.stderr.clone()).unwrap()
}

fn good(arguments: &[&str]) -> String {
	let output = gridproof(arguments);
	assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
	stdout(&output)
}

/// Exit codes of the command: something broke, an argument or input is wrong, the rules say no, a
/// node does not answer.
const BROKEN: i32 = 1;
const USAGE: i32 = 2;
const REFUSED: i32 = 3;
const UNREACHABLE: i32 = 4;

/// What the command says on its way out with this exit code.
fn bad(code: i32, arguments: &[&str]) -> String {
	let output = gridproof(arguments);
	assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
	stderr(&output)
}

/// The one JSON document that the command prints.
fn document(output: &Output) -> Value {
	let text = stdout(output);
	assert_eq!(text.lines().count(), 1, "{text}");
	serde_json::from_str(&text).unwrap()
}

/// A folder with a summary and three keys.
struct Desk {
	folder: TempDir,
}

impl Desk {
	fn new() -> Self {
		let desk = Self { folder: tempfile::tempdir().unwrap() };
		let summary = json!({
			"day": DAY, "zones_ok": 30, "wh_dc_raw": 1_000_000_000_000u64,
			"wh_dc_commit": 180_000_000_000u64, "alpha_base": "0.18", "alpha_effective": "9/50",
			"zones": []
		});
		fs::write(desk.path("summary.json"), summary.to_string()).unwrap();
		for role in ["data", "risk", "ops"] {
			good(&["keys", "new", "--role", role, &desk.path(&format!("{role}.json"))]);
		}
		let files = ["data", "risk", "ops"].map(|role| desk.path(&format!("{role}.json")));
		let trusted = good(&["--json", "keys", "show", &files[0], &files[1], &files[2]]);
		fs::write(desk.path("trusted.json"), trusted).unwrap();
		desk
	}

	fn path(&self, name: &str) -> String {
		self.folder.path().join(name).display().to_string()
	}

	/// The arguments of a plan at `price`, written to `out`.
	fn plan(&self, price: &str, out: &str, more: &[&str]) -> Output {
		let (summary, out) = (self.path("summary.json"), self.path(out));
		let mut arguments = vec!["attest", "plan", "--summary", &summary, "--eur-per-mwh", price];
		arguments.extend(["--compute-assets-eur", "0", "--s-base", "10000000", "--u-hat", "1.0"]);
		arguments.extend(["--target-eur", "1.50", "--cr-min", "1.10", "--cap", "0.05"]);
		arguments.extend(["--out", &out]);
		arguments.extend(more);
		gridproof(&arguments)
	}

	fn planned(&self, price: &str, out: &str) -> Value {
		let output = self.plan(price, out, &["--chain", CHAIN]);
		assert!(output.status.success(), "{}", stderr(&output));
		self.read(out)
	}

	fn read(&self, name: &str) -> Value {
		serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
	}

	fn sign(&self, file: &str, role: &str) -> Output {
		let (file, key) = (self.path(file), self.path(&format!("{role}.json")));
		gridproof(&["attest", "sign", &file, "--role", role, "--key", &key])
	}

	fn verify(&self, file: &str, more: &[&str]) -> Output {
		let (file, keys) = (self.path(file), self.path("trusted.json"));
		let mut arguments = vec!["attest", "verify", &file, "--keys", &keys, "--day", DAY];
		arguments.extend(["--chain", CHAIN]);
		arguments.extend(more);
		gridproof(&arguments)
	}
}

#[test]
fn from_summary_to_a_verified_file() {
	let desk = Desk::new();
	let file = desk.planned("90.0", "attestation.json");
	assert_eq!((&file["CR"], &file["mint_suggested"]), (&json!("1.080000"), &json!("0.000000")));
	let before = desk.verify("attestation.json", &["--json"]);
	assert_eq!(before.status.code(), Some(REFUSED));
	let wanted = json!({"ok": false, "signatures_ok": 0, "required": 2, "error": "threshold"});
	assert_eq!(document(&before), wanted);
	assert!(desk.sign("attestation.json", "data").status.success());
	assert!(desk.sign("attestation.json", "risk").status.success());
	let after = desk.verify("attestation.json", &["--json"]);
	assert!(after.status.success());
	let wanted = json!({"ok": true, "signatures_ok": 2, "required": 2, "error": null});
	assert_eq!(document(&after), wanted);
	let text = stdout(&desk.verify("attestation.json", &[]));
	assert_eq!(text, "signatures_ok=2, required=2\n");
	let again = desk.sign("attestation.json", "risk");
	assert_eq!(again.status.code(), Some(REFUSED));
	assert!(stderr(&again).contains("risk has signed this file already"));
	assert_eq!(document(&desk.verify("attestation.json", &["--json"]))["signatures_ok"], 2);
}

#[test]
fn every_planner_vector_comes_out_of_the_command() {
	let vectors: Value = serde_json::from_str(&vector("planner.json")).unwrap();
	for case in vectors["cases"].as_array().unwrap() {
		let desk = Desk::new();
		let (given, wanted) = (&case["in"], &case["out"]);
		let summary = json!({
			"day": DAY, "zones_ok": 30, "wh_dc_raw": given["raw_wh"],
			"wh_dc_commit": wanted["commit_wh"], "alpha_effective": given["alpha"], "zones": []
		});
		fs::write(desk.path("summary.json"), summary.to_string()).unwrap();
		let value = |name: &str| given[name].as_str().unwrap();
		let (summary, out) = (desk.path("summary.json"), desk.path("out.json"));
		let printed = gridproof(&[
			"--json",
			"attest",
			"plan",
			"--summary",
			&summary,
			"--eur-per-mwh",
			value("eur_per_mwh"),
			"--compute-assets-eur",
			value("v_compute_eur"),
			"--s-base",
			value("S"),
			"--u-hat",
			"1",
			"--target-eur",
			value("P_T"),
			"--cr-min",
			value("CR_min"),
			"--cap",
			value("cap_frac"),
			"--out",
			&out,
		]);
		let (printed, file) = (document(&printed), desk.read("out.json"));
		let name = &case["name"];
		let micros = |name: &str| {
			let text = file[name].as_str().unwrap().replace('.', "");
			text.parse::<u128>().unwrap().to_string()
		};
		assert_eq!(micros("mint_suggested"), wanted["mint_utok_floor"].to_string(), "{name}");
		assert_eq!(micros("stock_value_eur"), wanted["v_reserve_ueur"].to_string(), "{name}");
		assert_eq!(
			micros("S_target_for_CR_min"),
			wanted["S_target_utok_floor"].to_string(),
			"{name}"
		);
		assert_eq!(file["CR"], wanted["CR_6dp"], "{name}");
		assert_eq!(printed["CR_exact"], wanted["CR_exact"], "{name}");
		assert_eq!(printed["binding"], wanted["binding"], "{name}");
		assert_eq!(printed["state"], wanted["state"], "{name}");
	}
}

#[test]
fn every_version_one_vector_has_its_result_and_exit_code() {
	let vectors: Value = serde_json::from_str(&vector("attestation_v1.json")).unwrap();
	let text = vector("attestation_v1.json");
	let folder = tempfile::tempdir().unwrap();
	let at = |name: &str| folder.path().join(name).display().to_string();
	fs::write(at("keys.json"), vectors["pubkeys_hex"].to_string()).unwrap();
	// The files are cut out of the text: another parser would rewrite their numbers.
	let files: Vec<&str> = text.split("\"file\": ").skip(1).collect();
	let cases = vectors["cases"].as_array().unwrap();
	assert_eq!(files.len(), cases.len());
	for (case, file) in cases.iter().zip(files) {
		let end = file.find("\"result\": ").unwrap();
		let file = file[..end].trim_end().trim_end_matches(',');
		fs::write(at("file.json"), file).unwrap();
		let day = case["expect_day"].as_str().unwrap();
		let chain = case["expect_chain"].as_str().unwrap();
		let output = gridproof(&[
			"attest",
			"verify",
			&at("file.json"),
			"--keys",
			&at("keys.json"),
			"--day",
			day,
			"--chain",
			chain,
			"--json",
		]);
		assert_eq!(document(&output), case["result"], "{}", case["name"]);
		assert_eq!(output.status.success(), case["result"]["ok"] == json!(true));
		let text = gridproof(&[
			"attest",
			"verify",
			&at("file.json"),
			"--keys",
			&at("keys.json"),
			"--day",
			day,
			"--chain",
			chain,
		]);
		let first = format!("signatures_ok={}, required=2", case["result"]["signatures_ok"]);
		assert_eq!(stdout(&text).lines().next(), Some(&*first));
	}
}

#[test]
fn a_verifier_is_told_what_is_wrong() {
	let desk = Desk::new();
	desk.planned("90.0", "attestation.json");
	desk.sign("attestation.json", "data");
	desk.sign("attestation.json", "ops");
	let code = |output: &Output| document(output)["error"].as_str().unwrap().to_string();
	let text = fs::read_to_string(desk.path("attestation.json")).unwrap();
	let altered = text.replace("180000000000", "190000000000");
	fs::write(desk.path("altered.json"), &altered).unwrap();
	assert_eq!(code(&desk.verify("altered.json", &["--json"])), "digest_mismatch");
	fs::write(desk.path("short.json"), &text[..text.len() / 2]).unwrap();
	assert_eq!(code(&desk.verify("short.json", &["--json"])), "not_json");
	let (file, keys) = (desk.path("attestation.json"), desk.path("trusted.json"));
	let verify = |day: &str, chain: &str| {
		gridproof(&[
			"attest", "verify", &file, "--keys", &keys, "--day", day, "--chain", chain, "--json",
		])
	};
	assert_eq!(code(&verify("2026-01-16", CHAIN)), "day_mismatch");
	assert_eq!(code(&verify(DAY, "EVM:1")), "chain_mismatch");
	assert!(verify(DAY, CHAIN).status.success());
	// One key for two roles: nobody knows what two signatures would mean.
	let trusted = desk.read("trusted.json");
	let same = json!({"data": trusted["data"], "ops": trusted["data"]});
	fs::write(desk.path("same.json"), same.to_string()).unwrap();
	let same = desk.path("same.json");
	let output = gridproof(&[
		"attest", "verify", &file, "--keys", &same, "--day", DAY, "--chain", CHAIN, "--json",
	]);
	assert_eq!((output.status.code(), code(&output)), (Some(REFUSED), "bad_keys".to_string()));
	let none = desk.path("none.json");
	let verifying = ["attest", "verify", &file, "--keys", &none, "--day", DAY, "--chain", CHAIN];
	let said = bad(BROKEN, &verifying);
	assert!(said.contains("cannot read"), "{said}");
}

#[test]
fn a_price_that_is_not_above_zero_is_stated_and_mints_nothing() {
	let desk = Desk::new();
	for price in ["-5.0", "0", "-0.000001"] {
		let file = desk.planned(price, "out.json");
		assert_eq!(file["mint_suggested"], "0.000000", "{price}");
	}
	for price in ["ninety", "1e2", "", "90,0", "9/0"] {
		let output = desk.plan(price, "out.json", &["--chain", CHAIN]);
		assert_eq!(output.status.code(), Some(2), "{price:?} is a mistake in the arguments");
	}
}

#[test]
fn a_signed_file_is_not_planned_over_and_a_foreign_one_is_left_alone() {
	let desk = Desk::new();
	desk.planned("90.0", "attestation.json");
	desk.planned("91.0", "attestation.json");
	desk.sign("attestation.json", "data");
	let signed = fs::read(desk.path("attestation.json")).unwrap();
	let output = desk.plan("92.0", "attestation.json", &["--chain", CHAIN]);
	assert_eq!(output.status.code(), Some(USAGE));
	assert!(stderr(&output).contains("signed already"));
	assert_eq!(fs::read(desk.path("attestation.json")).unwrap(), signed);
	let output = desk.plan("92.0", "summary.json", &["--chain", CHAIN]);
	assert!(stderr(&output).contains("is not a planned file"), "{}", stderr(&output));
}

#[test]
fn a_plan_without_a_chain_is_marked_so() {
	let desk = Desk::new();
	let output = desk.plan("90.0", "out.json", &[]);
	assert!(output.status.success());
	assert!(stderr(&output).contains("names no chain"), "{}", stderr(&output));
	let file = desk.read("out.json");
	assert_eq!(file["meta"]["chain_hint"], format!("substrate:0x{}", "0".repeat(64)));
	assert!(desk.sign("out.json", "data").status.success());
	let output = desk.plan("90.0", "other.json", &["--chain", "EVM:1"]);
	assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_correction_names_what_it_corrects() {
	let desk = Desk::new();
	desk.planned("90.0", "first.json");
	let first = desk.path("first.json");
	let more = ["--chain", CHAIN, "--revises", &first];
	let output = desk.plan("91.0", "second.json", &more);
	assert!(output.status.success(), "{}", stderr(&output));
	let second = desk.read("second.json");
	assert_eq!(second["revision"], 1);
	assert_eq!(second["replaces"].as_str().unwrap().len(), 66);
}

#[test]
fn keys_are_made_shown_and_guarded() {
	let folder = tempfile::tempdir().unwrap();
	let at = |name: &str| folder.path().join(name).display().to_string();
	let made = gridproof(&["keys", "new", "--role", "data", "--out", &at("data.json"), "--json"]);
	let made = document(&made);
	assert_eq!((&made["role"], &made["encrypted"]), (&json!("data"), &json!(false)));
	let shown = document(&gridproof(&["--json", "keys", "show", &at("data.json")]));
	assert_eq!(shown["public"], made["public"]);
	let file: Value = serde_json::from_str(&fs::read_to_string(at("data.json")).unwrap()).unwrap();
	let secret = file["secret"].as_str().unwrap();
	assert!(!shown.to_string().contains(secret) && !made.to_string().contains(secret));
	let mode = fs::metadata(at("data.json")).unwrap().permissions().mode();
	assert_eq!(mode & 0o777, 0o600);
	let said = bad(USAGE, &["keys", "new", "--role", "risk", &at("data.json")]);
	assert!(said.contains("exists already"), "{said}");
	fs::set_permissions(at("data.json"), fs::Permissions::from_mode(0o644)).unwrap();
	assert!(bad(USAGE, &["keys", "show", &at("data.json")]).contains("chmod 600"));
}

#[test]
fn an_encrypted_key_signs_with_its_passphrase_only() {
	let desk = Desk::new();
	desk.planned("90.0", "attestation.json");
	let at = |name: &str| desk.path(name);
	let (right, wrong) = (at("pass"), at("wrong"));
	for (path, text) in [(&right, "correct horse\nsecond line\n"), (&wrong, "battery staple\n")] {
		fs::write(path, text).unwrap();
		fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
	}
	let locked = at("locked.json");
	good(&["keys", "new", "--role", "data", &locked, "--passphrase-file", &right]);
	assert_eq!(document(&gridproof(&["--json", "keys", "show", &locked]))["encrypted"], true);
	let file = at("attestation.json");
	let sign = ["attest", "sign", &file, "--role", "data", "--key", &locked];
	assert!(bad(USAGE, &sign).contains("passphrase"));
	let wrong = [&sign[..], &["--passphrase-file", &wrong]].concat();
	assert!(bad(USAGE, &wrong).contains("wrong passphrase"));
	let right = [&sign[..], &["--passphrase-file", &right]].concat();
	good(&right);
}

#[test]
fn keys_and_roles_are_not_mixed_up() {
	let desk = Desk::new();
	desk.planned("90.0", "attestation.json");
	let (file, risk) = (desk.path("attestation.json"), desk.path("risk.json"));
	let said = bad(USAGE, &["attest", "sign", &file, "--role", "data", "--key", &risk]);
	assert!(said.contains("is the key of risk"), "{said}");
	good(&["keys", "new", "--role", "data", &desk.path("other.json")]);
	let (other, trusted) = (desk.path("other.json"), desk.path("trusted.json"));
	let signing = ["attest", "sign", &file, "--role", "data", "--key", &other, "--keys", &trusted];
	let said = bad(USAGE, &signing);
	assert!(said.contains("not the key that is trusted"), "{said}");
	assert_eq!(desk.read("attestation.json")["meta"]["signatures"], json!([]));
}

/// Runs the command at a terminal of its own, types `answer` when it asks, and returns its exit code and
/// what the terminal shows.
fn at_a_terminal(arguments: &[&str], answer: &str) -> (Option<i32>, String) {
	let words = [env!("CARGO_BIN_EXE_gridproof")].into_iter().chain(arguments.iter().copied());
	let line: Vec<String> = words.map(|word| format!("'{word}'")).collect();
	// Of the package bsdutils, which every Debian has.
	let mut terminal = Command::new("script")
		.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"])
		.env_remove("GRIDPROOF_PASSPHRASE_FILE")
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.spawn()
		.expect("script of util-linux is installed");
	let (mut typed, mut screen) = (terminal.stdin.take(), terminal.stdout.take().unwrap());
	let mut shown = Vec::new();
	let mut piece = [0; 1024];
	while let Ok(count @ 1..) = screen.read(&mut piece) {
		shown.extend(&piece[..count]);
		if shown.windows(5).any(|end| end == b"[y/N]")
			&& let Some(mut typed) = typed.take()
		{
			typed.write_all(answer.as_bytes()).unwrap();
		}
	}
	let code = terminal.wait().unwrap().code();
	(code, String::from_utf8_lossy(&shown).to_string())
}

#[test]
fn at_a_terminal_nothing_is_signed_that_was_not_shown_and_confirmed() {
	let desk = Desk::new();
	desk.planned("90.0", "attestation.json");
	let (file, key) = (desk.path("attestation.json"), desk.path("data.json"));
	let signing = ["attest", "sign", &*file, "--role", "data", "--key", &*key];
	for answer in ["n\n", "\n", "yes please\n", "\u{4}"] {
		let (code, shown) = at_a_terminal(&signing, answer);
		assert_eq!(code, Some(USAGE), "{answer:?}: {shown}");
		for figure in [DAY, "1000 GWh", "180 GWh", "30 of", "90.0 EUR/MWh", "as data? [y/N]"] {
			assert!(shown.contains(figure), "{figure} is not in {shown}");
		}
		assert_eq!(desk.read("attestation.json")["meta"]["signatures"], json!([]), "{answer:?}");
	}
	let own = desk.path("summary.json");
	let other = fs::read_to_string(&own).unwrap().replace("1000000000000", "1000000000001");
	let others = desk.path("others.json");
	fs::write(&others, other).unwrap();
	let compared = [&signing[..], &["--summary", &*others]].concat();
	let (code, shown) = at_a_terminal(&compared, "y\n");
	assert_eq!(code, Some(USAGE), "{shown}");
	assert!(shown.contains("the file is not what") && !shown.contains("[y/N]"), "{shown}");
	assert_eq!(desk.read("attestation.json")["meta"]["signatures"], json!([]));

	let (code, shown) = at_a_terminal(&[&signing[..], &["--summary", &*own]].concat(), "y\n");
	assert_eq!(code, Some(0), "{shown}");
	let signatures = desk.read("attestation.json")["meta"]["signatures"].clone();
	assert_eq!(signatures.as_array().map(Vec::len), Some(1), "{shown}");
	let risk = desk.path("risk.json");
	let unasked = ["attest", "sign", &*file, "--role", "risk", "--key", &*risk, "--yes"];
	let (code, shown) = at_a_terminal(&unasked, "n\n");
	assert_eq!(code, Some(0), "{shown}");
	assert!(!shown.contains("[y/N]"), "{shown}");
}

#[test]
fn a_node_that_is_not_there_is_named() {
	let desk = Desk::new();
	desk.planned("90.0", "attestation.json");
	desk.sign("attestation.json", "data");
	let file: PathBuf = desk.path("attestation.json").into();
	let file = file.display().to_string();
	let nobody = {
		let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		format!("ws://{}", listener.local_addr().unwrap())
	};
	for arguments in [
		vec!["attest", "submit", &file, "--url", &nobody],
		vec!["attest", "show", "--day", DAY, "--url", &nobody],
	] {
		let said = bad(UNREACHABLE, &arguments);
		assert!(said.contains("no node answers at"), "{said}");
	}
	let output = gridproof(&["--json", "attest", "show", "--day", DAY, "--url", "http://x"]);
	assert_eq!(output.status.code(), Some(USAGE));
	let error: Value = serde_json::from_str(&stderr(&output)).unwrap();
	assert!(error["error"].as_str().unwrap().contains("not a node address"), "{error}");
	assert_eq!((&error["kind"], stdout(&output).as_str()), (&json!("usage"), ""));
}
