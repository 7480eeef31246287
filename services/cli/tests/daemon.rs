//! `gridproof attest daemon` without a node: what it loads, logs, keeps and locks.

use serde_json::Value;
use std::{
	fs,
	process::{Child, Command, Output, Stdio},
	time::{Duration, Instant},
};
use tempfile::TempDir;

/// A folder with one zone, one day of its data, and a key.
struct Desk {
	folder: TempDir,
	url: String,
}

impl Desk {
	fn new() -> Self {
		let folder = tempfile::tempdir().unwrap();
		let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors");
		let day = folder.path().join("xml/2025-03-30");
		fs::create_dir_all(&day).unwrap();
		fs::copy(
			format!("{vectors}/gl_pt15m_a03_dst23_delu.xml"),
			day.join("load_10Y1001A1001A82H.xml"),
		)
		.unwrap();
		let zones = "name,eic,timezone\nDE-LU,10Y1001A1001A82H,Europe/Berlin\n";
		fs::write(folder.path().join("zones.csv"), zones).unwrap();
		let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		let desk = Self { url: format!("ws://{}", nobody.local_addr().unwrap()), folder };
		let made = desk.command(&["keys", "new", "--role", "data", &desk.path("data.json")]);
		assert!(made.status.success());
		desk
	}

	fn path(&self, name: &str) -> String {
		self.folder.path().join(name).display().to_string()
	}

	fn command(&self, arguments: &[&str]) -> Output {
		Command::new(env!("CARGO_BIN_EXE_gridproof")).args(arguments).output().unwrap()
	}

	fn arguments(&self, more: &[&str]) -> Vec<String> {
		let mut arguments: Vec<String> = [
			"--json",
			"attest",
			"daemon",
			"--zones",
			&self.path("zones.csv"),
			"--source",
			&format!("dir:{}", self.path("xml")),
			"--out",
			&self.path("days"),
			"--state",
			&self.path("state"),
			"--url",
			&self.url,
			"--key",
			&self.path("data.json"),
			"--eur-per-mwh",
			"90",
			"--alpha",
			"0.18",
			"--haircut",
			"1",
			"--from",
			"2025-03-30",
		]
		.map(str::to_string)
		.to_vec();
		arguments.extend(more.iter().map(|text| text.to_string()));
		arguments
	}

	fn once(&self, more: &[&str]) -> Output {
		let until = ["--until", "2025-03-30", "--retry-pause", "0", "--step-attempts", "2"];
		let more = [&until[..], &["--once", "--max-catch-up", "100000"], more].concat();
		let arguments = self.arguments(&more);
		self.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
	}

	fn start(&self, more: &[&str]) -> Child {
		Command::new(env!("CARGO_BIN_EXE_gridproof"))
			.args(self.arguments(more))
			.stdout(Stdio::piped())
			.stderr(Stdio::piped())
			.spawn()
			.unwrap()
	}

	fn state(&self) -> Value {
		serde_json::from_str(&fs::read_to_string(self.path("state/state.json")).unwrap()).unwrap()
	}
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
	let start = Instant::now();
	while !is_there() {
		assert!(start.elapsed() < Duration::from_secs(30), "no {what} after 30 s");
		std::thread::sleep(Duration::from_millis(50));
	}
}

#[test]
fn a_single_run_without_a_node_opens_no_day_and_says_so() {
	let desk = Desk::new();
	let output = desk.once(&[]);
	assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
	let said = String::from_utf8_lossy(&output.stderr);
	let error: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
	assert_eq!(
		error["error"],
		"the node did not say what time it is, so no day came due: is it running?"
	);
	assert_eq!((&error["kind"], &error["temporary"]), (&"unreachable".into(), &true.into()));
	assert!(output.stdout.is_empty());
	assert!(
		!fs::exists(desk.path("days")).unwrap(),
		"nothing was loaded for a day that is not due"
	);
}

#[test]
fn a_second_run_is_refused_and_a_killed_one_is_followed_by_another() {
	let desk = Desk::new();
	let beat = ["--every", "1", "--until", "2025-03-30", "--retry-pause", "3600"];
	let mut first = desk.start(&beat);
	let summary = desk.path("days/grid_summary_2025-03-30.json");
	wait_for("summary", || fs::exists(&summary).unwrap());
	wait_for("failed attempt", || desk.state()["open"]["2025-03-30"]["attempts"] == 1);
	let second = desk.start(&beat).wait_with_output().unwrap();
	assert_eq!(second.status.code(), Some(2));
	let said = String::from_utf8_lossy(&second.stderr).to_string();
	assert!(said.contains("another run is active"), "{said}");
	first.kill().unwrap();
	first.wait().unwrap();
	let before = desk.state();
	assert_eq!(before["open"]["2025-03-30"]["loaded"], true);
	let mut third = desk.start(&beat);
	std::thread::sleep(Duration::from_secs(2));
	assert!(third.try_wait().unwrap().is_none(), "the lock of a killed run is free");
	assert_eq!(desk.state()["started_at"], before["started_at"], "the beat continues");
	third.kill().unwrap();
	third.wait().unwrap();
	let log = fs::read_to_string(desk.path("state/load.log")).unwrap();
	assert_eq!(log.lines().count(), 1, "loaded once: {log}");
}

#[test]
fn a_machine_with_the_keys_of_two_roles_signs_nothing_unless_it_is_meant_so() {
	let desk = Desk::new();
	let risk = desk.path("risk.json");
	assert!(desk.command(&["keys", "new", "--role", "risk", &risk]).status.success());
	let output = desk.once(&["--key", &risk]);
	let said = String::from_utf8_lossy(&output.stderr).to_string();
	assert_eq!(output.status.code(), Some(2), "{said}");
	assert!(said.contains("--several-roles-on-purpose"), "{said}");
	assert!(!fs::exists(desk.path("state/state.json")).unwrap(), "nothing was begun");
	let output = desk.once(&["--key", &risk, "--several-roles-on-purpose"]);
	let said = String::from_utf8_lossy(&output.stderr).to_string();
	// It came as far as its node, which is away.
	assert_eq!(output.status.code(), Some(4), "{said}");
	assert!(said.contains("threshold_in_one_place"), "{said}");
}

#[test]
fn mistakes_in_the_arguments_are_reported_before_anything_is_done() {
	let desk = Desk::new();
	for (more, wanted) in [
		(vec!["--key", &*desk.path("data.json")], "two keys of data"),
		(vec!["--every", "60", "--follow-chain"], "cannot be used with"),
		(vec!["--load-at", "0:99"], "HH:MM"),
		(vec!["--price-zone", "FR"], "cannot be used with"),
	] {
		let output = desk.start(&more).wait_with_output().unwrap();
		assert!(!output.status.success());
		let said = String::from_utf8_lossy(&output.stderr).to_string();
		assert!(said.contains(wanted), "{said}");
		assert!(!fs::exists(desk.path("state/state.json")).unwrap());
	}
}
