//! `gridproof grid` as people run it: the real binary, its output and its exit codes.

use serde_json::{Value, json};
use std::{
	fs,
	io::{Read, Write},
	net::TcpListener,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command, Output},
	thread,
};

const DE_LU: &str = "10Y1001A1001A82H";
const TOKEN: &str = "1d9cd4bd-f8aa-476c-8cc1-3442dc91506d";

fn root() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn vector(name: &str) -> String {
	root().join("vectors").join(name).display().to_string()
}

fn data(name: &str) -> String {
	root().join("data").join(name).display().to_string()
}

fn gridproof(arguments: &[&str]) -> Output {
	let mut command = Command::new(env!("CARGO_BIN_EXE_gridproof"));
	command.arg("grid").args(arguments);
	for name in ["ENTSOE_TOKEN", "ENTSOE_TOKEN_FILE", "ENTSOE_URL", "RUST_LOG"] {
		command.env_remove(name);
	}
	command.output().unwrap()
}

fn json_of(output: &Output) -> Value {
	let text = String::from_utf8_lossy(&output.stdout);
	serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{}", stderr(output)))
}

/// The error document: the last line on standard error, after what is logged.
fn error_of(output: &Output) -> String {
	let said = stderr(output);
	let last = said.lines().last().unwrap_or_default();
	let document: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{said}"));
	document["error"].as_str().unwrap().to_string()
}

fn stdout(output: &Output) -> String {
	String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
	String::from_utf8_lossy(&output.stderr).into_owned()
}

fn wh(file: &str, more: &[&str]) -> Output {
	let mut arguments =
		vec!["wh", "--xml", file, "--day", "2025-03-30", "--tz", "Europe/Berlin", "--json"];
	arguments.extend(more);
	gridproof(&arguments)
}

#[test]
fn wh_prints_the_energy_of_the_shared_vector() {
	let file = vector("gl_pt15m_a03_dst23_delu.xml");
	let output = wh(&file, &[]);
	assert!(output.status.success(), "{}", stderr(&output));
	assert_eq!(
		json_of(&output),
		json!({"wh": 996_608_312_500u64, "complete": true, "completeness_ppm": 1_000_000})
	);
	let output = wh(&file, &["--eic", DE_LU]);
	assert_eq!(json_of(&output)["wh"], 996_608_312_500u64);
	let text = gridproof(&["wh", "--xml", &file, "--day", "2025-03-30", "--tz", "Europe/Berlin"]);
	assert_eq!(stdout(&text), "996608312500 Wh, complete: 1380 of 1380 minutes (1000000 ppm)\n");
}

#[test]
fn wh_of_a_day_cut_elsewhere_is_incomplete_with_its_share() {
	let file = vector("gl_pt15m_a03_dst23_delu.xml");
	let output =
		gridproof(&["wh", "--json", "--xml", &file, "--day", "2025-03-30", "--tz", "Etc/UTC"]);
	assert!(output.status.success());
	let value = json_of(&output);
	// 22 of 24 hours, without the first four quarters.
	assert_eq!(value["completeness_ppm"], 916_666);
	assert_eq!(value["complete"], false);
}

#[test]
fn wh_fails_with_the_reason_for_no_data_other_areas_and_bad_files() {
	let good = vector("gl_pt15m_a03_dst23_delu.xml");
	let bad = tempfile::NamedTempFile::new().unwrap();
	fs::write(bad.path(), "<GL_MarketDocument><TimeSeries>").unwrap();
	for (output, reason) in [
		(wh(&vector("ack_999_no_data.xml"), &[]), "no data: 999: No matching data found"),
		(
			wh(&good, &["--eic", "10YFR-RTE------C"]),
			"the document is about 10Y1001A1001A82H, not about 10YFR-RTE------C",
		),
		(wh(&bad.path().display().to_string(), &[]), "document 1: the document breaks off"),
		(wh("/nowhere/x.xml", &[]), "/nowhere/x.xml does not exist"),
		(wh(&good, &["--eic", "10YFR-RTE------D"]), "wrong check character"),
		(
			gridproof(&["wh", "--xml", &good, "--day", "2025-03-30", "--tz", "Europe/Bonn"]),
			"Europe/Bonn",
		),
	] {
		assert!(!output.status.success());
		assert!(stderr(&output).contains(reason), "{reason}: {}", stderr(&output));
	}
	let error = error_of(&wh(&vector("ack_999_no_data.xml"), &[]));
	assert!(error.starts_with("no data: 999"), "{error}");
}

fn price_file(day: &str) -> String {
	data(&format!("grid/{day}/price_{DE_LU}.xml"))
}

#[test]
fn price_prints_mean_slots_and_average() {
	let days = ["2025-03-28", "2025-03-29", "2025-03-30"].map(price_file);
	let files = [days[0].as_str(), &days[1], &days[2]];
	let base = ["--day", "2025-03-30", "--tz", "Europe/Berlin", "--json"];
	let mut arguments = vec!["price", "--xml", files[2]];
	arguments.extend(base);
	let output = gridproof(&arguments);
	assert!(output.status.success(), "{}", stderr(&output));
	let value = json_of(&output);
	assert_eq!(value["mean_eur_per_mwh"], "117.54");
	assert_eq!((&value["slots"], &value["negative_slots"]), (&json!(23), &json!(3)));
	assert_eq!(value["passed_over"], json!(["a series of sequence 2"]));
	assert_eq!(value.as_object().unwrap().len(), 4);

	let mut arguments = vec!["price", "--ema-window", "3", "--xml"];
	arguments.extend(files);
	arguments.extend(base);
	let value = json_of(&gridproof(&arguments));
	// ((98.20 + 89.95) / 2 + 117.54) / 2 = 105.8075
	assert_eq!(value["ema_eur_per_mwh"], "105.8075");
	assert_eq!((&value["ema_window"], &value["ema_days"]), (&json!(3), &json!(3)));

	let source = format!("dir:{}", data("grid"));
	let mut arguments = vec!["price", "--ema-window", "3", "--source", &source, "--eic", DE_LU];
	arguments.extend(base);
	assert_eq!(json_of(&gridproof(&arguments)), value);
}

#[test]
fn load_writes_the_four_files_and_says_who_is_missing() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().display().to_string();
	let (zones, source) = (data("zones.csv"), format!("dir:{}", data("grid")));
	let run = |day: &str, more: &[&str]| {
		let mut arguments =
			vec!["load", "--day", day, "--zones", &zones, "--source", &source, "--out", &out];
		arguments.extend(more);
		gridproof(&arguments)
	};
	let output = run("2025-03-27", &["--json", "--alpha", "9/50", "--min-zones", "46"]);
	assert!(output.status.success(), "{}", stderr(&output));
	assert!(stderr(&output).contains("MK        no data: 999: No matching data found"));
	let summary = json_of(&output);
	assert_eq!(summary["zones_ok"], 46);
	assert_eq!(summary["wh_dc_raw"], 8_109_211_500_000u64);
	assert_eq!(summary["wh_dc_commit"], 1_428_601_515_319u64);
	assert_eq!(summary["alpha_base"], "0.18");
	assert_eq!(summary["alpha_effective"], "207/1175");
	let path = folder.path().join("grid_summary_2025-03-27.json");
	let saved: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
	assert_eq!(saved, summary);
	assert_eq!(fs::read(folder.path().join("zones.csv")).unwrap(), fs::read(&zones).unwrap());
	let by_zone = fs::read_to_string(folder.path().join("grid_by_zone_2025-03-27.csv")).unwrap();
	assert_eq!(by_zone.lines().count(), 47);
	let sum: u64 = by_zone
		.lines()
		.skip(1)
		.map(|row| row.split(',').next_back().unwrap().parse::<u64>().unwrap())
		.sum();
	assert_eq!(sum, 8_109_211_500_000);

	let output = run("2025-03-24", &["--haircut", "2/15"]);
	assert!(stdout(&output).contains("2025-03-24: 47 of 47 zones complete"));
	assert_eq!(
		fs::read_to_string(folder.path().join("grid_load.csv")).unwrap(),
		"date,grid_wh_dc,grid_wh_dc_commit\n2025-03-24,8085551500000,194053236000\n\
		 2025-03-27,8109211500000,1428601515319\n"
	);

	let before = fs::read(folder.path().join("grid_load.csv")).unwrap();
	let output = run("2025-04-01", &["--min-zones", "47"]);
	assert!(!output.status.success());
	assert!(stderr(&output).contains("GR        incomplete 875000 ppm: 1260 of 1440 minutes"));
	assert!(stderr(&output).contains("only 46 of 47 zones have a complete day, 47 are needed"));
	assert!(!folder.path().join("grid_summary_2025-04-01.json").exists());
	assert_eq!(fs::read(folder.path().join("grid_load.csv")).unwrap(), before);
}

#[test]
fn load_refuses_overlapping_zones_bad_sources_and_shares_above_one() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("out").display().to_string();
	let list = folder.path().join("zones.csv");
	let write = |rows: &str| fs::write(&list, format!("name,eic,timezone\n{rows}")).unwrap();
	write("DE-LU,10Y1001A1001A82H,Europe/Berlin\nDE,10Y1001A1001A83F,Europe/Berlin\n");
	let list = list.display().to_string();
	let run = |source: &str, more: &[&str]| {
		let mut arguments = vec![
			"load",
			"--day",
			"2025-03-24",
			"--zones",
			&list,
			"--source",
			source,
			"--out",
			&out,
		];
		arguments.extend(more);
		let output = gridproof(&arguments);
		assert!(!output.status.success());
		stderr(&output)
	};
	let source = format!("dir:{}", data("grid"));
	assert!(run(&source, &[]).contains("DE-LU and DE overlap"));
	write("DE-LU,10Y1001A1001A82H,Europe/Berlin\n");
	assert!(run("dir:/nowhere", &[]).contains("/nowhere is not a folder"));
	assert!(run("web", &[]).contains("--source must be `entsoe` or `dir:PATH`"));
	assert!(run(&source, &["--alpha", "1.01"]).contains("alpha must be between 0 and 1"));
	assert!(run(&source, &["--alpha", "x"]).contains("not a number"));
	assert!(run("entsoe", &[]).contains("no token for the platform"));
	assert!(!Path::new(&out).exists());
}

#[test]
fn zones_prints_a_list_that_load_takes() {
	let output = gridproof(&["zones"]);
	assert_eq!(stdout(&output), fs::read_to_string(data("zones.csv")).unwrap());
	let output = gridproof(&["zones", "--check", &data("zones.csv")]);
	assert!(stdout(&output).ends_with("47 zones, none overlaps another\n"));
	assert_eq!(json_of(&gridproof(&["zones", "--json"]))[8]["eic"], DE_LU);
}

/// Serves `body` with `status` to every request; returns the address.
fn serve(status: &'static str, body: String) -> String {
	let listener = TcpListener::bind("127.0.0.1:0").unwrap();
	let url = format!("http://{}/api", listener.local_addr().unwrap());
	thread::spawn(move || {
		for stream in listener.incoming() {
			let Ok(mut stream) = stream else { return };
			let mut request = [0; 4096];
			let _ = stream.read(&mut request);
			let _ = write!(
				stream,
				"HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
				body.len()
			);
		}
	});
	url
}

#[test]
fn the_platform_is_asked_with_the_token_from_environment_or_file_and_never_shows_it() {
	let folder = tempfile::tempdir().unwrap();
	let list = folder.path().join("list.csv");
	fs::write(&list, format!("name,eic,timezone\nDE-LU,{DE_LU},Europe/Berlin\n")).unwrap();
	let token_file = folder.path().join("token");
	fs::write(&token_file, format!("{TOKEN}\n")).unwrap();
	fs::set_permissions(&token_file, fs::Permissions::from_mode(0o600)).unwrap();
	let document = fs::read_to_string(vector("gl_pt15m_a03_dst23_delu.xml")).unwrap();
	let good = serve("200 OK", document);
	let refused = serve("401 Unauthorized", format!("<html>bad securityToken={TOKEN}</html>"));
	let run = |url: &str, environment: Option<(&str, &str)>, more: &[&str]| {
		let mut command = Command::new(env!("CARGO_BIN_EXE_gridproof"));
		command.args(["grid", "load", "--json", "--day", "2025-03-30", "--source", "entsoe"]);
		command.arg("--zones").arg(&list).arg("--out").arg(folder.path().join("out"));
		command.args(["--entsoe-url", url]).args(more);
		command.env_remove("ENTSOE_TOKEN").env_remove("ENTSOE_TOKEN_FILE");
		command.env("RUST_LOG", "trace").env("NO_PROXY", "127.0.0.1");
		command.envs(environment);
		let output = command.output().unwrap();
		let shown = format!("{}{}", stdout(&output), stderr(&output));
		assert!(!shown.contains(TOKEN), "the token shows in: {shown}");
		output
	};
	let file = token_file.display().to_string();
	for (environment, more) in [
		(Some(("ENTSOE_TOKEN", TOKEN)), &[][..]),
		(Some(("ENTSOE_TOKEN_FILE", file.as_str())), &[]),
		(None, &["--token-file", file.as_str()]),
	] {
		let output = run(&good, environment, more);
		assert!(output.status.success(), "{}", stderr(&output));
		assert_eq!(json_of(&output)["wh_dc_raw"], 996_608_312_500u64);
	}
	let output = run(&refused, Some(("ENTSOE_TOKEN", TOKEN)), &[]);
	assert!(!output.status.success());
	assert_eq!(
		error_of(&output),
		"the platform does not accept the token (HTTP 401): bad securityToken=***"
	);
	let output = run("http://192.0.2.1/api", Some(("ENTSOE_TOKEN", TOKEN)), &[]);
	assert!(stderr(&output).contains("must be an https URL"));
}

#[test]
fn a_zone_that_had_nothing_for_two_weeks_is_named_as_out_of_date() {
	let folder = tempfile::tempdir().unwrap();
	let list = folder.path().join("list.csv");
	let zones = format!(
		"name,eic,timezone\nDE-LU,{DE_LU},Europe/Berlin\nGB,10YGB----------A,Europe/London\n"
	);
	fs::write(&list, zones).unwrap();
	let (list, out) = (list.display().to_string(), folder.path().join("out").display().to_string());
	let source = format!("dir:{}", data("grid"));
	let days = (24..=31).map(|day| format!("2025-03-{day}"));
	let days = days.chain((1..=6).map(|day| format!("2025-04-0{day}")));
	let said: Vec<String> = days
		.map(|day| {
			let files =
				["--zones", &*list, "--source", &*source, "--out", &*out, "--min-zones", "1"];
			let output = gridproof(&[&["load", "--day", &*day][..], &files].concat());
			assert!(output.status.success(), "{}", stderr(&output));
			stderr(&output)
		})
		.collect();
	assert_eq!(said.len(), 14);
	let warning = "GB: nothing in the last 14 days that were loaded";
	assert!(said[13].contains(warning), "{}", said[13]);
	assert!(!said[..13].iter().any(|text| text.contains(warning)), "{said:?}");
	assert!(!said[13].contains("DE-LU: nothing"), "{}", said[13]);
}
