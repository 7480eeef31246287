//! `gridproof wallet` without a node: files, phrases, refusals.

use serde_json::Value;
use std::{
	fs,
	io::Write,
	os::unix::fs::PermissionsExt,
	path::Path,
	process::{Command, Output, Stdio},
};
use tempfile::TempDir;

const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

struct Desk(TempDir);

impl Desk {
	fn new() -> Self {
		let desk = Self(tempfile::tempdir().unwrap());
		desk.write("pass", "correct horse\n");
		desk.write("phrase", &format!("{PHRASE}\n"));
		desk
	}

	fn path(&self, name: &str) -> String {
		self.0.path().join(name).display().to_string()
	}

	fn write(&self, name: &str, text: &str) {
		fs::write(self.path(name), text).unwrap();
		fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
	}

	fn run(&self, arguments: &[&str]) -> Output {
		Command::new(env!("CARGO_BIN_EXE_gridproof"))
			.args(["--json", "wallet"])
			.args(arguments)
			.stdin(Stdio::null())
			.output()
			.unwrap()
	}

	/// The document of a command that succeeds.
	fn document(&self, arguments: &[&str]) -> Value {
		let output = self.run(arguments);
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		serde_json::from_slice(&output.stdout).unwrap()
	}

	/// The words of a command that is refused for its arguments or inputs.
	fn error(&self, arguments: &[&str]) -> String {
		self.failure(arguments, 2, "usage")
	}

	/// The words of a command that fails with this exit code and kind.
	fn failure(&self, arguments: &[&str], code: i32, kind: &str) -> String {
		let output = self.run(arguments);
		let document: Value = serde_json::from_slice(&output.stderr).unwrap();
		assert_eq!(output.status.code(), Some(code), "{arguments:?}: {document}");
		assert_eq!(document["kind"], kind, "{document}");
		assert!(output.stdout.is_empty(), "errors are on standard error");
		document["error"].as_str().unwrap().to_string()
	}
}

#[test]
fn a_new_wallet_is_private_encrypted_and_comes_back_from_its_phrase() {
	let desk = Desk::new();
	let (file, pass) = (desk.path("my.wallet"), desk.path("pass"));
	for (scheme, path, words) in [
		("sr25519", "m", 24),
		("ed25519", "m/44'/354'/0'/0'/0'", 12),
		("secp256k1", "m/44'/354'/0'/0/0", 24),
	] {
		let file = format!("{file}.{scheme}");
		let made = desk.document(&[
			"new",
			&file,
			"--scheme",
			scheme,
			"--words",
			&words.to_string(),
			"--passphrase-file",
			&pass,
		]);
		assert_eq!((made["scheme"].as_str(), made["path"].as_str()), (Some(scheme), Some(path)));
		assert!(made.get("phrase").is_none());
		assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
		let shown = desk.document(&["show", &file]);
		assert_eq!(shown["address"], made["address"]);
		let phrase = desk.document(&["phrase", &file, "--passphrase-file", &pass]);
		let phrase = phrase["phrase"].as_str().unwrap();
		assert_eq!(phrase.split(' ').count(), words);
		let text = fs::read_to_string(&file).unwrap();
		assert!(
			phrase.split(' ').all(|word| word.len() < 4 || !text.contains(&format!(" {word} ")))
		);
		desk.write("again", phrase);
		let copy = format!("{file}.copy");
		let again = desk.document(&[
			"import",
			&copy,
			"--phrase-file",
			&desk.path("again"),
			"--scheme",
			scheme,
			"--passphrase-file",
			&pass,
		]);
		assert_eq!(again["address"], made["address"]);
	}
}

#[test]
fn a_phrase_shows_the_account_that_other_wallets_show() {
	let desk = Desk::new();
	let import = |name: &str, more: &[&str]| {
		let (file, phrase, pass) = (desk.path(name), desk.path("phrase"), desk.path("pass"));
		let base = ["import", &file, "--phrase-file", &phrase, "--passphrase-file", &pass];
		desk.document(&[&base[..], more].concat())
	};
	let plain = import("a", &[]);
	let known = "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a";
	assert_eq!(plain["account"].as_str(), Some(known));
	let derived = import("b", &["--path", "m/44'/354'/0'/0'/0'"]);
	assert_ne!(derived["account"], plain["account"]);
	assert_eq!(derived["path"].as_str(), Some("m/44'/354'/0'/0'/0'"));
}

#[test]
fn a_phrase_can_be_read_from_standard_input() {
	let desk = Desk::new();
	let mut child = Command::new(env!("CARGO_BIN_EXE_gridproof"))
		.args([
			"--json",
			"wallet",
			"import",
			&desk.path("w"),
			"--passphrase-file",
			&desk.path("pass"),
		])
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.spawn()
		.unwrap();
	child.stdin.take().unwrap().write_all(PHRASE.as_bytes()).unwrap();
	let output = child.wait_with_output().unwrap();
	assert!(output.status.success());
	assert!(Path::new(&desk.path("w")).exists());
}

#[test]
fn a_phrase_that_is_none_is_refused_and_makes_no_file() {
	let desk = Desk::new();
	for (text, wanted) in [
		(PHRASE.replace("bottom drive", "drive bottom"), "checksum is wrong"),
		(PHRASE.replace("obey", "obay"), "word 3 is not in the English"),
		(PHRASE.replace(" walk", ""), "it has 11 words"),
		(String::new(), "it has 0 words"),
	] {
		desk.write("phrase", &text);
		let (file, phrase, pass) = (desk.path("w"), desk.path("phrase"), desk.path("pass"));
		let error =
			desk.error(&["import", &file, "--phrase-file", &phrase, "--passphrase-file", &pass]);
		assert!(error.contains(wanted), "{error}");
		assert!(!error.contains("lonely"), "{error}");
		assert!(!Path::new(&file).exists());
	}
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
	let desk = Desk::new();
	let (file, phrase, pass) = (desk.path("w"), desk.path("phrase"), desk.path("pass"));
	let import = ["import", &file, "--phrase-file", &phrase, "--passphrase-file", &pass];
	let soft = [&import[..], &["--scheme", "ed25519", "--path", "m/44'/354'/0'/0/0"]].concat();
	assert!(desk.error(&soft).contains("hardened steps only"));
	assert!(desk.error(&["new", &file]).contains("--passphrase-file"));
	assert!(!Path::new(&file).exists());
	desk.document(&import);
	assert!(desk.error(&import).contains("exists already"));
	assert!(desk.error(&["phrase", &file]).contains("is encrypted; give its passphrase"));
	desk.write("wrong", "battery staple");
	let wrong = desk.error(&["phrase", &file, "--passphrase-file", &desk.path("wrong")]);
	assert!(wrong.contains("wrong passphrase"), "{wrong}");
	fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
	assert!(desk.error(&["show", &file]).contains("chmod 600"));
	fs::set_permissions(&phrase, fs::Permissions::from_mode(0o644)).unwrap();
	let loose = ["import", &desk.path("x"), "--phrase-file", &phrase, "--passphrase-file", &pass];
	assert!(desk.error(&loose).contains("chmod 600"));
	assert!(desk.failure(&["show", &pass], 1, "broken").contains("not a wallet"));
	fs::set_permissions(&pass, fs::Permissions::from_mode(0o644)).unwrap();
	let loose = ["phrase", &file, "--passphrase-file", &pass];
	fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
	assert!(desk.error(&loose).contains("chmod 600"));
}

#[test]
fn amounts_are_read_before_anybody_is_asked() {
	let desk = Desk::new();
	let to = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
	let transfer = |amount: &str, token: &str| {
		desk.error(&[
			"transfer", "--suri", "//Alice", "--to", to, "--amount", amount, "--token", token,
		])
	};
	assert!(transfer("0.0001", "kwh").contains("KWH has 3 decimals"));
	assert!(transfer("1e3", "ait").contains("is not an amount"));
	assert!(transfer("0", "aicp").contains("above zero"));
	let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
	let url = format!("ws://{}", nobody.local_addr().unwrap());
	drop(nobody);
	let order = ["transfer", "--suri", "//Alice", "--to", to, "--amount", "1", "--url", &url];
	let error = desk.failure(&order, 4, "unreachable");
	assert!(error.contains("no node answers"), "{error}");
	let error = desk.failure(&["balance", to, "--url", &url], 4, "unreachable");
	assert!(error.contains("no node answers"), "{error}");
}

#[test]
fn a_passphrase_with_a_byte_order_mark_opens_what_the_same_without_it_made() {
	let desk = Desk::new();
	let field = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/field/files");
	for name in ["passphrase-bom.txt", "passphrase-plain.txt"] {
		desk.write(name, &fs::read_to_string(format!("{field}/{name}")).unwrap());
	}
	let (bom, plain) = (desk.path("passphrase-bom.txt"), desk.path("passphrase-plain.txt"));
	for (made_with, opened_with) in [(&bom, &plain), (&plain, &bom)] {
		let file = format!("{made_with}.wallet");
		desk.document(&["new", &file, "--passphrase-file", made_with]);
		desk.document(&["phrase", &file, "--passphrase-file", opened_with]);
	}
}

#[test]
fn a_passphrase_is_taken_byte_for_byte() {
	let desk = Desk::new();
	for (place, passphrase) in
		[" leading", "trailing ", "\ttab\t", "ünïcode €", "  "].iter().enumerate()
	{
		desk.write("own", &format!("{passphrase}\r\nnot read\n"));
		let (file, own) = (desk.path(&format!("{place}.wallet")), desk.path("own"));
		desk.document(&["new", &file, "--passphrase-file", &own]);
		desk.document(&["phrase", &file, "--passphrase-file", &own]);
		desk.write("own", passphrase.trim());
		if passphrase.trim() != *passphrase && !passphrase.trim().is_empty() {
			let words = desk.error(&["phrase", &file, "--passphrase-file", &own]);
			assert!(words.contains("wrong passphrase"), "{words}");
		}
	}
}

#[test]
fn files_of_secrets_that_others_can_read_are_refused() {
	let desk = Desk::new();
	let (file, pass) = (desk.path("my.wallet"), desk.path("pass"));
	for mode in [0o644, 0o640, 0o604, 0o622] {
		fs::set_permissions(&pass, fs::Permissions::from_mode(mode)).unwrap();
		let words = desk.error(&["new", &file, "--passphrase-file", &pass]);
		assert!(words.contains("chmod 600"), "{words}");
		assert!(!Path::new(&file).exists());
	}
}
