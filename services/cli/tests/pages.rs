//! What the documentation, the units and the development chain say, held against what there is.

use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
	path::{Path, PathBuf},
	process::{Command, Output},
};

fn root() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(name: &str) -> String {
	fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Files of a folder that end so, in all folders below it.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
	let mut found = Vec::new();
	for entry in fs::read_dir(folder).unwrap() {
		let path = entry.unwrap().path();
		if path.is_dir() {
			found.extend(files(&path, end));
		} else if path.to_string_lossy().ends_with(end) {
			found.push(path);
		}
	}
	found
}

/// What follows the program's name in the code of a page: in code blocks, and in code within lines.
fn commands_of(page: &str) -> Vec<String> {
	let mut found = Vec::new();
	let mut is_block = false;
	for line in page.lines() {
		if line.trim_start().starts_with("```") {
			is_block = !is_block;
			continue;
		}
		if is_block {
			let line = line.trim_start().trim_start_matches("$ ");
			found.extend(line.strip_prefix("gridproof ").map(str::to_string));
		} else {
			// Code stands between the first and the second, the third and the fourth backtick.
			let code = line.split('`').skip(1).step_by(2);
			found.extend(
				code.filter_map(|code| code.strip_prefix("gridproof ")).map(str::to_string),
			);
		}
	}
	found
}

#[test]
fn every_command_that_a_page_names_is_there() {
	/// What a page says is planned, and says so.
	const PLANNED: [(&str, &str); 0] = [];
	let reference = read("docs/reference/cli.md");
	let known: BTreeSet<&str> =
		reference.lines().filter_map(|line| line.strip_prefix("### ")).collect();
	assert!(known.contains("attest daemon") && known.contains("score"), "{known:?}");
	let begins = |path: &str| {
		known.iter().any(|command| {
			command.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
		})
	};
	let mut pages = files(&root().join("docs"), ".md");
	pages.push(root().join("README.md"));
	let (mut faults, mut count) = (Vec::new(), 0);
	for page in pages {
		let name = page.strip_prefix(root()).unwrap().display().to_string();
		// Findings and decisions name what was missing when they were written.
		if ["reference", "security", "decisions"]
			.iter()
			.any(|of| name.starts_with(&format!("docs/{of}")))
		{
			continue;
		}
		for command in commands_of(&fs::read_to_string(&page).unwrap()) {
			let is_word = |word: &&str| {
				!word.is_empty()
					&& word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
					&& !word.starts_with('-')
			};
			let words: Vec<&str> = command
				.split(' ')
				.skip_while(|word| *word == "--json")
				.take_while(is_word)
				.collect();
			let Some(first) = words.first().copied() else { continue };
			let is_planned = PLANNED.contains(&(name.as_str(), first));
			if is_planned || ["reference", "man", "completions", "help"].contains(&first) {
				continue;
			}
			count += 1;
			// A group takes the name of one of its commands; what follows a command is an argument.
			let is_there = match words.get(1) {
				Some(second) if begins(first) && !known.contains(first) => {
					begins(&format!("{first} {second}"))
				},
				_ => begins(first),
			};
			if !is_there {
				faults.push(format!("{name}: gridproof {command}"));
			}
		}
	}
	assert!(count > 100, "{count} commands were found");
	assert!(faults.is_empty(), "no such command:\n{}", faults.join("\n"));
}

#[test]
fn commands_are_found_in_blocks_and_in_lines() {
	let page = "Run `gridproof meter list` or gridproof nothing, `x`.\n```sh\n$ gridproof score --x\necho\n\
	            gridproof wallet new\n```\n`gridproof`";
	assert_eq!(commands_of(page), ["meter list", "score --x", "wallet new"]);
}

/// The lines of the scripts of the development chain, continued ones as one.
fn lines_of_the_development_chain() -> Vec<String> {
	let scripts = files(&root().join("scripts/devnet.d"), ".sh");
	let texts = scripts.iter().map(|path| fs::read_to_string(path).unwrap());
	texts
		.flat_map(|text| {
			let text = text.replace("\\\n", " ");
			text.lines().map(str::to_string).collect::<Vec<_>>()
		})
		.collect()
}

/// The programs that send calls which are free of fees.
const FREE: [&str; 4] = ["attest daemon", "gateway run", "coordinator run", "miner run"];

#[test]
fn every_program_that_sends_what_is_free_signs_it_in_the_development_chain_and_in_its_unit() {
	let lines = lines_of_the_development_chain();
	let mut accounts: BTreeMap<String, usize> = BTreeMap::new();
	let mut count = |line: &str| {
		for word in line.split(|c: char| c.is_whitespace() || "=()".contains(c)) {
			if word.starts_with("//") && word.ends_with("//stash") {
				*accounts.entry(word.to_string()).or_default() += 1;
			}
		}
	};
	for program in FREE {
		let started: Vec<&String> = lines
			.iter()
			.filter(|line| {
				line.contains(&format!("\"$GRIDPROOF\" {program} ")) && line.contains("start ")
			})
			.collect();
		assert!(!started.is_empty(), "the development chain starts no {program}");
		for line in started {
			assert!(line.trim_start().starts_with("GRIDPROOF_SENDER_SURI="), "{line}");
			count(line);
		}
	}
	// Miners get theirs from a list.
	lines.iter().filter(|line| line.contains("SENDERS=(")).for_each(|line| count(line));
	// Who mints signs for himself.
	lines.iter().filter(|line| line.contains("policy issuer")).for_each(|line| count(line));
	assert!(accounts.len() >= 5, "{accounts:?}");
	assert!(
		accounts.values().all(|programs| *programs == 1),
		"one account for two programs: {accounts:?}"
	);
	for unit in ["attest", "attest-once", "coordinator", "gateway", "miner"] {
		let text = read(&format!("docs/operations/systemd/gridproof-{unit}.service"));
		for line in
			["LoadCredential=sender:/etc/gridproof/", "Environment=GRIDPROOF_SENDER_KEY=%d/sender"]
		{
			assert!(text.contains(line), "{unit} lacks {line}");
		}
	}
}

#[test]
fn every_unit_gives_up_what_its_program_does_not_need() {
	let given_up = [
		"NoNewPrivileges=yes",
		"ProtectSystem=strict",
		"ProtectHome=yes",
		"PrivateTmp=yes",
		"PrivateDevices=yes",
		"ProtectKernelTunables=yes",
		"ProtectControlGroups=yes",
		"RestrictNamespaces=yes",
		"LockPersonality=yes",
		"UMask=0077",
	];
	// The node compiles the runtime's code when it starts.
	let of_services = ["MemoryDenyWriteExecute=yes", "SystemCallFilter=@system-service"];
	let units = files(&root().join("docs/operations/systemd"), ".service");
	assert!(units.len() >= 7, "{units:?}");
	for unit in units {
		let text = fs::read_to_string(&unit).unwrap();
		let is_node = unit.ends_with("gridproof-node.service");
		let wanted = given_up.iter().chain(of_services.iter().filter(|_| !is_node));
		for line in wanted {
			assert!(text.lines().any(|own| own == *line), "{} lacks {line}", unit.display());
		}
	}
}

#[test]
fn the_development_chain_says_where_its_front_and_its_programs_are() {
	let script = read("scripts/devnet");
	let shown =
		script.split("addresses() {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
	for wanted in [
		"OPENAI_BASE_URL=$COORDINATOR/v1 OPENAI_API_KEY=$(cat \"$HOME_DIR/api-key\")",
		"OPENAI_BASE_URL=$FRONT/v1",
		"$GRIDPROOF, $NODE",
		"funded accounts",
	] {
		assert!(shown.contains(wanted), "{wanted} is not in {shown}");
	}
	let up = script.split("\nup() {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
	assert!(up.trim_end().ends_with("addresses"), "{up}");
}

/// Runs a part of the development chain's scripts in a folder.
fn part(folder: &Path, part: &str, does: &str) -> Output {
	let script = format!(
		"set -euo pipefail; die() {{ echo \"$*\" >&2; exit 1; }}; . scripts/devnet.d/{part}.sh; {does}"
	);
	Command::new("bash")
		.args(["-c", &script])
		.current_dir(root())
		.env("HOME_DIR", folder)
		.output()
		.expect("bash is installed")
}

#[test]
fn every_development_chain_is_another_one_and_stays_the_one_it_is() {
	let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
	// In place of the node, which writes the specification to the last argument.
	let node = "NODE=node; node() { printf '{\"genesis\": {\"raw\": {\"top\": {\"0x00\": \"0x01\"}}}}' >\"${!#}\"; }";
	let made = |folder: &Path| {
		let output = part(folder, "node", &format!("{node}; make_spec"));
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		fs::read_to_string(folder.join("spec.json")).unwrap()
	};
	let [one, other] = [made(folders[0].path()), made(folders[1].path())];
	assert_ne!(one, other, "two chains of one genesis");
	for text in [&one, &other] {
		let spec: serde_json::Value = serde_json::from_str(text).unwrap();
		let top = spec["genesis"]["raw"]["top"].as_object().unwrap();
		assert_eq!(top["0x00"], "0x01", "what was there is there");
		let salt = top["0x3a6465766e65743a73616c74"].as_str().unwrap();
		assert_eq!(salt.len(), 2 + 32, "{salt}");
	}
	assert_eq!(made(folders[0].path()), one, "it began with this one");
}

/// Makes the demonstration's grid data through two days after `today`, and returns what it printed.
fn days(folder: &Path, today: &str, seed: &str) -> String {
	let output = Command::new("python3")
		.args(["scripts/devnet.d/days.py", "--today", today, "--seed", seed, "--out"])
		.arg(folder)
		.current_dir(root())
		.output()
		.expect("python3 is installed");
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).unwrap()
}

/// A file of a day in a folder of grid data.
fn of_day(folder: &Path, day: &str, name: &str) -> String {
	fs::read_to_string(folder.join(day).join(name)).unwrap()
}

#[test]
fn a_demonstration_has_a_day_for_every_day_that_its_chain_runs() {
	let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
	let [one, same, other] = [&folders[0], &folders[1], &folders[2]].map(|folder| folder.path());
	let file = "price_10Y1001A1001A82H.xml";
	days(one, "2025-03-24", "seed");
	assert_eq!(
		of_day(one, "2025-04-06", file),
		of_day(&root().join("data/grid"), "2025-04-06", file),
		"it begins with the fortnight of data/grid"
	);
	assert!(!one.join("2025-04-07").exists(), "no day is made long before it comes");
	// In several runs as in one.
	let printed = days(one, "2025-04-09", "seed") + &days(one, "2025-04-17", "seed");
	assert_eq!(days(same, "2025-04-17", "seed"), printed);
	assert_eq!(printed.lines().count(), 13, "{printed}");
	assert!(printed.contains(": freeze") && printed.trim_end().ends_with(": in_band"), "{printed}");
	for day in ["2025-04-07", "2025-04-12", "2025-04-19"] {
		assert_eq!(fs::read_dir(one.join(day)).unwrap().count(), 49, "{day}");
		assert_eq!(of_day(one, day, file), of_day(same, day, file), "{day}");
	}
	days(other, "2025-04-17", "another");
	assert_ne!(of_day(one, "2025-04-07", file), of_day(other, "2025-04-07", file));
}

#[test]
fn the_days_of_a_demonstration_keep_the_hours_of_their_clocks_also_after_a_long_stop() {
	let folder = tempfile::tempdir().unwrap();
	let printed = days(folder.path(), "2025-10-27", "");
	assert_eq!(printed.lines().count(), 34, "of the days before, the chain takes none any more");
	// Hours are points of a curve that states all of them.
	let points =
		|day| of_day(folder.path(), day, "load_10YPL-AREA-----S.xml").matches("<Point>").count();
	assert_eq!((points("2025-10-25"), points("2025-10-26")), (24, 25));
}

#[test]
fn a_seed_gives_the_same_keys_and_another_seed_others() {
	let made = |seed: &str| {
		let folder = tempfile::tempdir().unwrap();
		let status = Command::new("python3")
			.args(["scripts/devnet.d/keys.py", seed])
			.arg(folder.path())
			.arg("2")
			.current_dir(root())
			.status()
			.expect("python3 is installed");
		assert!(status.success());
		assert_eq!(fs::read_dir(folder.path().join("meter-keys")).unwrap().count(), 2);
		["coordinator", "miner-1", "miner-2", "channel"]
			.map(|name| fs::read_to_string(folder.path().join(format!("{name}-key.json"))).unwrap())
	};
	let keys = made("seed");
	assert_eq!(made("seed"), keys);
	for (one, other) in made("another").iter().zip(&keys) {
		assert_ne!(one, other);
	}
	// The first key of RFC 8032's test vectors.
	let python = "import sys; sys.path.insert(0, 'scripts/devnet.d'); import keys; print(keys.public(bytes.fromhex(\
		'9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')).hex())";
	let output = Command::new("python3").args(["-c", python]).current_dir(root()).output().unwrap();
	assert_eq!(
		String::from_utf8_lossy(&output.stdout).trim(),
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
	);
}
