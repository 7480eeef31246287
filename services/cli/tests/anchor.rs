//! `gridproof anchor` and the credentials of a Bitcoin node: from a file or the environment, byte for
//! byte, and in nothing that is shown.

use std::{
	fs,
	io::{BufRead, BufReader, Read, Write},
	net::TcpListener,
	os::unix::fs::PermissionsExt,
	process::{Command, Output},
	sync::mpsc::{Receiver, channel},
	time::Duration,
};

/// `bitcoin: p@ss word `, with a blank at both ends, as HTTP has it.
const LOGIN: &str = "bitcoin: p@ss word ";
const LOGIN_AS_SENT: &str = "Basic Yml0Y29pbjogcEBzcyB3b3JkIA==";
const ROOT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A node that refuses everybody and reports what it was shown.
fn node() -> (String, Receiver<String>) {
	let listener = TcpListener::bind("127.0.0.1:0").unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	let (sender, seen) = channel();
	std::thread::spawn(move || {
		for stream in listener.incoming().map_while(Result::ok) {
			let mut reader = BufReader::new(stream.try_clone().unwrap());
			let (mut shown, mut length, mut line) = (String::new(), 0, String::new());
			while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
				if let Some((name, value)) = line.trim_end().split_once(": ") {
					match name.to_ascii_lowercase().as_str() {
						"authorization" => shown = value.to_string(),
						"content-length" => length = value.parse().unwrap(),
						_ => (),
					}
				}
				line.clear();
			}
			reader.read_exact(&mut vec![0; length]).unwrap();
			let _ = sender.send(shown);
			let answer =
				"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
			let mut stream = stream;
			let _ = stream.write_all(answer.as_bytes());
		}
	});
	(url, seen)
}

fn verify(url: &str, more: &[&str], environment: &[(&str, &str)]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args(["anchor", "verify", "--root", ROOT, "--txid", ROOT, "--network", "regtest"])
		.args(["--rpc", url])
		.args(more)
		.env_remove("GRIDPROOF_BITCOIN_RPC_AUTH")
		.env_remove("GRIDPROOF_BITCOIN_RPC_CREDENTIALS")
		.env("RUST_LOG", "trace")
		.env("NO_PROXY", "*")
		.envs(environment.iter().copied())
		.output()
		.unwrap()
}

fn said(output: &Output) -> String {
	let (out, error) = (&output.stdout, &output.stderr);
	format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}

#[test]
fn a_bitcoin_nodes_password_reaches_it_byte_for_byte_and_nobody_else() {
	let (url, seen) = node();
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("cookie");
	fs::write(&file, format!("{LOGIN}\r\n")).unwrap();
	fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
	let path = file.display().to_string();
	let outputs = [
		verify(&url, &["--rpc-auth", &path], &[]),
		verify(&url, &[], &[("GRIDPROOF_BITCOIN_RPC_AUTH", &path)]),
		verify(&url, &[], &[("GRIDPROOF_BITCOIN_RPC_CREDENTIALS", LOGIN)]),
	];
	for output in outputs {
		let shown = seen.recv_timeout(Duration::from_secs(30)).expect("the node was asked");
		assert_eq!(shown, LOGIN_AS_SENT);
		let said = said(&output);
		assert_eq!(output.status.code(), Some(2), "{said}");
		assert!(said.contains("refuses the credentials"), "{said}");
		for secret in ["p@ss word", "Yml0Y29pbjog"] {
			assert!(!said.contains(secret), "{secret} is in {said}");
		}
	}
	fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
	let output = verify(&url, &["--rpc-auth", &path], &[]);
	assert_eq!(output.status.code(), Some(2), "{}", said(&output));
	assert!(said(&output).contains("chmod 600"), "{}", said(&output));
	assert!(seen.try_recv().is_err(), "the node was asked");
}

#[test]
fn a_bitcoin_nodes_password_is_sent_to_another_machine_only_on_purpose() {
	let login = [("GRIDPROOF_BITCOIN_RPC_CREDENTIALS", LOGIN)];
	let output = verify("http://node.invalid:8332", &[], &login);
	assert_eq!(output.status.code(), Some(2), "{}", said(&output));
	assert!(said(&output).contains("--rpc-in-the-clear"), "{}", said(&output));
	let output = verify("http://node.invalid:8332", &["--rpc-in-the-clear"], &login);
	assert_eq!(output.status.code(), Some(4), "{}", said(&output));
	assert!(!said(&output).contains("p@ss"), "{}", said(&output));
}
