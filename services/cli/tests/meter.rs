//! `gridproof meter` without a node: lists, arguments, refusals.

use std::{
	fs,
	process::{Command, Output, Stdio},
};
use tempfile::TempDir;

struct Desk(TempDir);

impl Desk {
	fn new() -> Self {
		Self(tempfile::tempdir().unwrap())
	}

	fn path(&self, name: &str) -> String {
		self.0.path().join(name).display().to_string()
	}

	fn run(&self, arguments: &[&str]) -> Output {
		Command::new(env!("CARGO_BIN_EXE_gridproof"))
			.args(["--json", "meter"])
			.args(arguments)
			.stdin(Stdio::null())
			.output()
			.unwrap()
	}

	/// The words of a command that fails.
	fn error(&self, arguments: &[&str]) -> String {
		let output = self.run(arguments);
		assert!(!output.status.success(), "{arguments:?}");
		String::from_utf8_lossy(&output.stderr).to_string()
	}

	fn onboard(&self, more: &[&str]) -> String {
		let keys = self.path("keys");
		let base = [
			"onboard",
			"--organisation",
			"0",
			"--suri",
			"//Alice",
			"--owner-suri",
			"//Bob",
			"--keys",
			&keys,
		];
		self.error(&[&base[..], more].concat())
	}
}

#[test]
fn a_list_of_meters_is_checked_before_anything_is_sent() {
	let desk = Desk::new();
	let list = desk.path("meters.csv");
	fs::write(
		&list,
		"site,device,meter,direction,rated_power_w,serial,seal\nA,gw,1,import,0.5,M,S\n",
	)
	.unwrap();
	let error = desk.onboard(&["--from", &list]);
	let line = r#"line 2: rated_power_w \"0.5\" is not a whole number of W"#;
	assert!(error.contains(line), "{error}");
	fs::write(&list, "site,meter\n").unwrap();
	assert!(desk.onboard(&["--from", &list]).contains("line 1: the first line is site,device"));
	assert!(!fs::exists(desk.path("keys")).unwrap());
}

#[test]
fn one_meter_needs_all_that_is_certified_about_it() {
	let desk = Desk::new();
	let meter = ["--meter", "A/gw/1"];
	assert!(desk.onboard(&meter).contains("--meter needs --direction"));
	let meter = [&meter[..], &["--direction", "import"]].concat();
	assert!(desk.onboard(&meter).contains("--meter needs --rated-power-w"));
	let meter = [&meter[..], &["--rated-power-w", "9000"]].concat();
	assert!(desk.onboard(&meter).contains("--meter needs --serial"));
	let meter = [&meter[..], &["--serial", "ACME-1"]].concat();
	assert!(desk.onboard(&meter).contains("--meter needs --seal"));
	assert!(desk.onboard(&["--meter", "A/1"]).contains("write SITE/DEVICE/METER"));
	assert!(desk.onboard(&["--meter", "A/g+w/1"]).contains("none of / + #"));
	assert!(desk.onboard(&[]).contains("required"));
}

#[test]
fn times_are_now_a_moment_or_so_long_ago() {
	let desk = Desk::new();
	for time in ["yesterday", "-24", "-24x", "2026-11-01", "2026-11-01T00:00:00"] {
		let error = desk.onboard(&["--generate", "1", "--since", time]);
		assert!(error.contains("invalid value"), "{time}: {error}");
	}
	for time in ["now", "-24h", "-7d", "2026-11-01T00:00:00Z"] {
		let url = "ws://127.0.0.1:1";
		let error = desk.onboard(&["--generate", "1", "--since", time, "--url", url]);
		assert!(error.contains("no node answers"), "{time}: {error}");
	}
}

#[test]
fn a_simulation_that_cannot_run_says_why() {
	let desk = Desk::new();
	let keys = desk.path("keys");
	let simulate = |more: &[&str]| desk.error(&[&["simulate", "--keys", &keys][..], more].concat());
	assert!(simulate(&[]).contains("required"));
	assert!(simulate(&["--registry", &desk.path("none")]).contains("there is no file"));
	let one = ["--meters", "1"];
	let with = |more: &[&str]| simulate(&[&one[..], more].concat());
	assert!(with(&["--broker", "127.0.0.1"]).contains("not a broker address"));
	assert!(with(&["--interval", "700"]).contains("900 seconds have to be a multiple"));
	assert!(with(&["--speed", "0"]).contains("write a number"));
	assert!(with(&["--profile", &desk.path("none.csv")]).contains("one of h0, g0, l0 and pv"));
	assert!(with(&["--rate", "10"]).contains("--for"));
	fs::write(desk.path("mqtt.csv"), "").unwrap();
	assert!(with(&["--credentials", &desk.path("mqtt.csv")]).contains("chmod 600"));
}

#[test]
fn a_device_shows_its_key_nobody_and_its_owner_consents_on_another_machine() {
	let desk = Desk::new();
	let (keys, request) = (desk.path("keys"), desk.path("request.json"));
	let chain = format!("substrate:0x{}", "07".repeat(32));
	let make = |owner: &str, more: &[&str]| {
		let base = ["request", "A/gw/1", "--direction", "both", "--rated-power-w", "25000"];
		let more_of = ["--serial", "M-1", "--seal", "S-1", "--organisation", "3", "--keys", &keys];
		let rest = ["--out", &request, "--chain", &chain, "--owner", owner];
		desk.run(&[&base[..], &more_of[..], &rest[..], more].concat())
	};
	let bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
	let made = make(bob, &[]);
	assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
	let key = fs::read_to_string(format!("{keys}/A+gw+1.json")).unwrap();
	let key: serde_json::Value = serde_json::from_str(&key).unwrap();
	let secret = key["secret"].as_str().unwrap().to_string();
	let travels = fs::read_to_string(&request).unwrap();
	assert!(!travels.contains(&secret) && !String::from_utf8_lossy(&made.stdout).contains(&secret));
	// The same key the next time.
	make(bob, &[]);
	assert_eq!(fs::read_to_string(&request).unwrap(), travels);
	fs::remove_dir_all(&keys).unwrap();
	let stranger = desk.error(&["consent", &request, "--suri", "//Eve"]);
	assert!(stranger.contains("as the owner"), "{stranger}");
	let early =
		desk.error(&["certify", &request, "--suri", "//Alice", "--url", "ws://127.0.0.1:1"]);
	assert!(early.contains("no node answers"), "{early}");
	let consent = desk.run(&["consent", &request, "--suri", "//Bob"]);
	assert!(consent.status.success(), "{}", String::from_utf8_lossy(&consent.stderr));
	let signed: serde_json::Value =
		serde_json::from_str(&fs::read_to_string(&request).unwrap()).unwrap();
	assert_eq!(signed["consent"]["scheme"], "sr25519");
	let altered = fs::read_to_string(&request).unwrap().replace("A\"", "B\"");
	fs::write(&request, altered).unwrap();
	let refused = desk.error(&["consent", &request, "--suri", "//Bob"]);
	assert!(refused.contains("proof"), "{refused}");
}
