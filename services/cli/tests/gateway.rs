//! `gridproof gateway run` against brokers of `vectors/field`, whose programs need python3, and with
//! arguments that cannot be.

use std::{
	fs,
	io::{BufRead, BufReader, Read},
	net::{TcpListener, TcpStream},
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Child, Command, Output, Stdio},
	sync::mpsc::{Receiver, channel},
	time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(30);

fn field(name: &str) -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/field").join(name)
}

fn free_port() -> u16 {
	TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A child process that ends with the test.
struct Running(Child);

impl Drop for Running {
	fn drop(&mut self) {
		let _ = self.0.kill();
		let _ = self.0.wait();
	}
}

/// A broker that says what it sees, a line at a time.
struct Counterpart {
	_child: Running,
	said: Receiver<String>,
	port: u16,
}

impl Counterpart {
	fn start(case: &str) -> Self {
		let port = free_port();
		let mut child = Command::new("python3")
			.arg("-u")
			.arg(field("mqtt/mqtt_cases.py"))
			.args([case, &port.to_string()])
			.stdout(Stdio::piped())
			.spawn()
			.expect("python3 is installed");
		let (sender, said) = channel();
		let lines = BufReader::new(child.stdout.take().unwrap()).lines();
		std::thread::spawn(move || {
			for line in lines.map_while(Result::ok) {
				let _ = sender.send(line);
			}
		});
		let begin = Instant::now();
		while TcpStream::connect(("127.0.0.1", port)).is_err() {
			assert!(begin.elapsed() < LIMIT, "{case} does not listen");
			std::thread::sleep(Duration::from_millis(50));
		}
		Self { _child: Running(child), said, port }
	}

	/// The next line with this in it.
	fn says(&self, wanted: &str) -> String {
		let begin = Instant::now();
		loop {
			let left = LIMIT.saturating_sub(begin.elapsed());
			let line = self.said.recv_timeout(left).unwrap_or_else(|_| panic!("no {wanted:?}"));
			if line.contains(wanted) {
				return line;
			}
		}
	}
}

struct Desk(TempDir);

impl Desk {
	fn new() -> Self {
		Self(tempfile::tempdir().unwrap())
	}

	fn path(&self, name: &str) -> String {
		self.0.path().join(name).display().to_string()
	}

	/// A private file.
	fn secret(&self, text: &[u8]) -> String {
		let path = self.path("password");
		fs::write(&path, text).unwrap();
		fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
		path
	}

	fn command(&self, more: &[&str]) -> Command {
		let mut command = Command::new(env!("CARGO_BIN_EXE_gridproof"));
		command
			.args(["gateway", "run", "--no-chain", "--data", &self.path("data")])
			.args(more)
			.env("RUST_LOG", "info")
			.stdin(Stdio::null())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped());
		command
	}
}

/// Ends a gateway as its operator does, and returns all that it has said.
fn stop(mut gateway: Running) -> String {
	let id = gateway.0.id().to_string();
	assert!(Command::new("kill").arg(id).status().unwrap().success());
	let mut said = String::new();
	gateway.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
	gateway.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
	gateway.0.wait().unwrap();
	said
}

/// Waits until a program has ended, and returns its output.
fn ended(mut command: Command) -> Output {
	let mut child = Running(command.spawn().unwrap());
	let begin = Instant::now();
	while child.0.try_wait().unwrap().is_none() {
		assert!(begin.elapsed() < LIMIT, "it has started: {command:?}");
		std::thread::sleep(Duration::from_millis(20));
	}
	let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
	child.0.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
	child.0.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
	Output { status: child.0.wait().unwrap(), stdout, stderr }
}

/// Bytes as Python shows them, without its quotes.
fn shown(text: &str) -> String {
	let byte = |byte: u8| match byte {
		b'\\' => "\\\\".to_string(),
		b' '..=b'~' => char::from(byte).to_string(),
		_ => format!("\\x{byte:02x}"),
	};
	text.bytes().map(byte).collect()
}

#[test]
fn user_and_password_reach_a_broker_byte_for_byte_and_nobody_else() {
	let broker = Counterpart::start("broker-password");
	let mut passwords = Vec::new();
	for entry in fs::read_dir(field("files")).unwrap() {
		let path = entry.unwrap().path();
		if path.file_name().unwrap().to_str().unwrap().starts_with("broker-password-") {
			passwords.push(fs::read_to_string(path).unwrap());
		}
	}
	assert_eq!(passwords.len(), 6);
	// What is like them, with the line ends that editors leave.
	passwords.extend(
		[
			"%41%2F%40:@/@/@\n",
			"[::1]:8883/#secret?x=1\r\n",
			"gr\u{fc}n \u{20ac} sch\u{f6}n\n",
			"\u{feff}marked-by-an-editor",
			" spaces are kept \n",
			"back\\slash\\\\twice\n",
		]
		.map(str::to_string),
	);
	for (place, password) in passwords.iter().enumerate() {
		let desk = Desk::new();
		let file = desk.secret(password.as_bytes());
		let user = if place % 2 == 0 { "meters" } else { "me@mail.example" };
		let url = format!("mqtt://{user}@127.0.0.1:{}", broker.port);
		let run = ["--http", "127.0.0.1:0", "--broker", &url, "--broker-password-file", &file];
		let gateway = Running(desk.command(&run).spawn().unwrap());
		let password = password.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}');
		broker.says(&format!(" user b'{user}' password b'{}'", shown(password)));
		// The refusal is on its way to the gateway, which has to log it.
		std::thread::sleep(Duration::from_millis(500));
		let said = stop(gateway);
		assert!(said.contains("the broker is away"), "{said}");
		let letters: Vec<char> = password.chars().collect();
		for part in letters.windows(8).map(|part| part.iter().collect::<String>()) {
			assert!(!said.contains(&part), "{part} of the password is in {said}");
		}
	}
}

#[test]
fn an_operator_sees_that_a_broker_refuses_and_that_it_is_not_connected() {
	let broker = Counterpart::start("broker-refuses");
	let (desk, port) = (Desk::new(), free_port());
	let http = format!("127.0.0.1:{port}");
	let url = format!("mqtt://127.0.0.1:{}", broker.port);
	let gateway = desk.command(&["--http", &http, "--broker", &url]).spawn().unwrap();
	let gateway = Running(gateway);
	broker.says("SUBSCRIBE answered with 0x80");
	let begin = Instant::now();
	let status = loop {
		let status = Command::new(env!("CARGO_BIN_EXE_gridproof"))
			.args(["gateway", "status", "--api", &format!("http://{http}")])
			.output()
			.unwrap();
		let said = String::from_utf8(status.stdout).unwrap();
		if said.contains("refuses the subscription") {
			break said;
		}
		assert!(begin.elapsed() < LIMIT, "{said}");
		std::thread::sleep(Duration::from_millis(100));
	};
	assert!(status.contains("energy/+/+/+"), "{status}");
	assert!(status.contains(&format!("broker {url}: not connected")), "{status}");
	let said = stop(gateway);
	assert!(said.contains("the broker refuses the subscription"), "{said}");
}

#[test]
fn an_argument_that_cannot_be_is_refused_with_what_to_write_and_nothing_panics() {
	let origin = "is not an origin that a browser sends";
	let cases = [
		("--origin", "https://notes.example/", origin),
		("--origin", "https://notes.example/app", origin),
		("--origin", "notes.example", origin),
		("--origin", "https://", origin),
		("--origin", "https://a b", origin),
		("--origin", "https://HOST.example", origin),
		("--origin", "https://notes.example:port", origin),
		("--origin", "https://me@notes.example", origin),
		("--origin", "https://n\u{f6}tes.example\u{7}", origin),
		("--origin", "", origin),
		("--broker", "mqtt://", "unusable"),
		("--broker", "mqtt://host:port", "unusable"),
		("--broker", "ftp://host", "unusable"),
		("--broker", "host", "unusable"),
		("--broker", "mqtt://user%ff@host", "unusable"),
	];
	for (name, value, reason) in cases {
		let desk = Desk::new();
		let mut arguments = vec!["--http", "127.0.0.1:0", name, value];
		if name != "--broker" {
			arguments.extend(["--mqtt", "127.0.0.1:0"]);
		}
		let output = ended(desk.command(&arguments));
		let said = String::from_utf8_lossy(&output.stderr).to_string();
		assert_eq!(output.status.code(), Some(2), "{name} {value:?}: {said}");
		// Said once, not once more as its own cause.
		assert_eq!(said.matches(reason).count(), 1, "{name} {value:?}: {said}");
		assert!(!said.contains("panicked"), "{name} {value:?}: {said}");
	}
	let broker = ["--http", "127.0.0.1:0", "--broker", "mqtt://127.0.0.1:1"];
	for filter in ["energy/#", "energy/a/+", "", "+/+/+/+"] {
		let output =
			ended(Desk::new().command(&[&broker[..], &["--broker-filter", filter]].concat()));
		let said = String::from_utf8_lossy(&output.stderr).to_string();
		assert_eq!(output.status.code(), Some(2), "{filter:?}: {said}");
		assert!(said.contains("is not a filter of readings"), "{filter:?}: {said}");
	}
}

#[test]
fn every_origin_of_a_gateway_may_be_all_of_them() {
	let (desk, port) = (Desk::new(), free_port());
	let http = format!("127.0.0.1:{port}");
	let run = ["--http", &http, "--mqtt", "127.0.0.1:0", "--origin", "*"];
	let gateway = Running(desk.command(&run).spawn().unwrap());
	let begin = Instant::now();
	while TcpStream::connect(&http).is_err() {
		assert!(begin.elapsed() < LIMIT, "it does not start");
		std::thread::sleep(Duration::from_millis(50));
	}
	assert!(!stop(gateway).contains("panicked"));
}
