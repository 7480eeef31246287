//! What is the same for every command: exit codes, errors as JSON, help, completions, manual pages,
//! log lines, the reference.

use serde_json::Value;
use std::{
	collections::BTreeSet,
	fs,
	process::{Command, Output, Stdio},
};

fn run(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args(arguments)
		.env_remove("GRIDPROOF_URL")
		.stdin(Stdio::null())
		.output()
		.unwrap()
}

fn text(bytes: &[u8]) -> String {
	String::from_utf8(bytes.to_vec()).unwrap()
}

/// The error that a command ends with, by its exit code.
fn error(arguments: &[&str], code: i32) -> Value {
	let output = run(arguments);
	let said = text(&output.stderr);
	assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
	assert!(output.stdout.is_empty(), "errors are on standard error");
	assert_eq!(said.lines().count(), 1, "one document: {said}");
	serde_json::from_str(&said).unwrap()
}

/// A port that nobody listens on.
fn nobody() -> String {
	let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
	listener.local_addr().unwrap().to_string()
}

#[test]
fn a_mistake_in_arguments_is_json_if_json_was_asked_for() {
	for arguments in [
		&["--json", "wallet", "transfer"][..],
		&["wallet", "balance", "--json"],
		&["--json", "no-such-command"],
		&["--json", "emission", "--step", "x"],
		&["--json"],
	] {
		let error = error(arguments, 2);
		assert_eq!((&error["kind"], &error["temporary"]), (&"usage".into(), &false.into()));
		assert!(!error["error"].as_str().unwrap().starts_with("error:"), "{error}");
	}
	let output = run(&["wallet", "transfer"]);
	assert_eq!(output.status.code(), Some(2));
	assert!(text(&output.stderr).starts_with("error: "));
}

#[test]
fn a_server_that_does_not_answer_is_another_exit_code_than_a_mistake() {
	let address = nobody();
	let (node, http) = (format!("ws://{address}"), format!("http://{address}"));
	for arguments in [
		&["--json", "meter", "list", "--url", &node][..],
		&["--json", "policy", "status", "--url", &node],
		&["--json", "gateway", "status", "--api", &http],
		&["--json", "job", "list", "--coordinator", &http],
	] {
		let error = error(arguments, 4);
		assert_eq!((&error["kind"], &error["temporary"]), (&"unreachable".into(), &true.into()));
	}
	let error = error(&["--json", "meter", "list", "--url", "http://127.0.0.1"], 2);
	assert_eq!(error["kind"], "usage");
}

#[test]
fn the_node_can_be_named_once_for_all_commands() {
	let node = format!("ws://{}", nobody());
	let output = Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args(["meter", "list"])
		.env("GRIDPROOF_URL", &node)
		.output()
		.unwrap();
	assert!(text(&output.stderr).contains(&node), "{}", text(&output.stderr));
}

#[test]
fn help_and_version_succeed_on_every_level() {
	for arguments in [
		&["--help"][..],
		&["wallet", "--help"],
		&["wallet", "transfer", "--help"],
		&["--version"],
		&["meter", "onboard", "--version"],
		&["--json", "--help"],
	] {
		let output = run(arguments);
		assert!(output.status.success(), "{arguments:?}");
		assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}");
	}
	let help = text(&run(&["--help"]).stdout);
	for code in ["0  done", "2  usage", "3  refused", "4  unreachable", "5  undecided"] {
		assert!(help.contains(code), "{help}");
	}
}

#[test]
fn a_reader_that_has_seen_enough_is_not_an_error() {
	let mut child = Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args(["grid", "zones"])
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()
		.unwrap();
	drop(child.stdout.take());
	let output = child.wait_with_output().unwrap();
	assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn every_shell_has_completions() {
	for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
		let output = run(&["completions", shell]);
		assert!(output.status.success(), "{shell}");
		let script = text(&output.stdout);
		assert!(script.contains("transfer") && script.contains("account-key"), "{shell}");
	}
}

#[test]
fn every_command_has_a_manual_page() {
	let folder = tempfile::tempdir().unwrap();
	let pages = folder.path().join("man").display().to_string();
	assert!(run(&["man", &pages]).status.success());
	let names: BTreeSet<String> = fs::read_dir(&pages)
		.unwrap()
		.map(|entry| entry.unwrap().file_name().into_string().unwrap())
		.collect();
	for name in ["gridproof.1", "gridproof-wallet.1", "gridproof-wallet-transfer.1"] {
		assert!(names.contains(name), "{names:?}");
	}
}

#[test]
fn log_lines_are_json_on_request() {
	for arguments in [&["--log-format", "yaml", "grid", "zones"][..], &["--log-format"]] {
		assert_eq!(run(arguments).status.code(), Some(2));
	}
	for form in ["text", "json"] {
		assert!(run(&["--log-format", form, "grid", "zones"]).status.success());
	}
}

#[test]
fn the_reference_has_every_command_request_figure_and_refusal() {
	let folder = tempfile::tempdir().unwrap();
	let pages = folder.path().display().to_string();
	assert!(run(&["reference", &pages]).status.success());
	let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
	let cli = page("cli.md");
	for command in ["### wallet transfer", "### meter onboard", "### gateway run", "`--url WS`"] {
		assert!(cli.contains(command), "{command}");
	}
	assert!(!cli.contains("reference DIR"), "hidden commands stay hidden");
	let rest = page("rest.md");
	for request in
		["GET /health", "POST /api/v1/logs", "POST /api/v1/quotes", "POST /v1/chat/completions"]
	{
		assert!(rest.contains(request), "{request}");
	}
	assert!(page("metrics.md").contains("`gridproof_gateway_readings_total`"));
	let errors = page("errors.md");
	for refusal in ["`AlreadyAttested`", "`sequence_gap`", "`units_above_quote`", "`not_funded`"] {
		assert!(errors.contains(refusal), "{refusal}");
	}
	// The same again, byte for byte.
	let again = tempfile::tempdir().unwrap();
	assert!(run(&["reference", &again.path().display().to_string()]).status.success());
	for name in ["cli.md", "rest.md", "metrics.md", "errors.md"] {
		assert_eq!(
			fs::read(again.path().join(name)).unwrap(),
			fs::read(folder.path().join(name)).unwrap()
		);
	}
}

#[test]
fn a_gateway_tells_systemd_that_it_is_ready_works_and_stops() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("notify");
	let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
	socket.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
	let mut gateway = Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args(["gateway", "run", "--no-chain", "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0"])
		.arg("--data")
		.arg(folder.path().join("gateway"))
		.env("NOTIFY_SOCKET", &path)
		.env("WATCHDOG_USEC", "400000")
		.stdin(Stdio::null())
		.stdout(Stdio::null())
		.stderr(Stdio::null())
		.spawn()
		.unwrap();
	let said = || {
		let mut bytes = [0; 512];
		let length = socket.recv(&mut bytes).expect("nothing was said in time");
		text(&bytes[..length])
	};
	assert_eq!(said(), "READY=1\nSTATUS=works\n");
	assert_eq!(said(), "WATCHDOG=1\nSTATUS=works\n");
	let signalled = Command::new("kill").arg(gateway.id().to_string()).status().unwrap();
	assert!(signalled.success());
	while said() != "STOPPING=1\n" {}
	assert!(gateway.wait().unwrap().success());
}
