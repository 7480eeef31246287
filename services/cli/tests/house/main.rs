//! The layout, kept: who may depend on whom, no circle between files, one convention for modules,
//! nothing of the chain named outside of the crate that talks to it, no decision in the command.
//!
//! `docs/architecture.md` shows the house; `docs/where.md` says where a new thing goes.

#![allow(unreachable_pub, reason = "in a test, pub means: for another module")]

mod source;

use serde_json::Value;
use source::{Modules, circles, code_and_strings, is_test, rust_files};
use std::{
	collections::BTreeMap,
	fs,
	path::{Path, PathBuf},
	process::Command,
};

/// The floors, from the ground up: a crate may depend on crates of lower floors only. So no server
/// imports another, no pallet another, and no arrow runs up.
const FLOORS: [&[&str]; 10] = [
	&["gridproof-logs", "gridproof-primitives", "pallet-authorities-api"],
	&[
		// The running node does not know pallets and formulas: a change of them compiles none of it again.
		"gridproof-node-service",
		"gridproof-support",
		"pallet-attestations",
		"pallet-authorities",
		"pallet-brakes",
		"pallet-compute-checks",
		"pallet-compute-receipts",
		"pallet-coverage-policy",
		"pallet-free-calls",
		"pallet-governance",
		"pallet-meter-readings",
		"pallet-model-registry",
	],
	&["gridproof-keys", "gridproof-store", "gridproof-runtime"],
	&["gridproof-chain", "gridproof-node", "gridproof-weights"],
	&["gridproof-http", "gridproof-gateway-api", "gridproof-compute-api"],
	// Libraries, and the pipelines that join them.
	&["gridproof-device", "gridproof-engine", "gridproof-grid"],
	&["gridproof-anchor", "gridproof-attest", "gridproof-audit", "gridproof-fleet"],
	// Servers.
	&[
		"gridproof-coordinator",
		"gridproof-dashboard",
		"gridproof-front",
		"gridproof-gateway",
		"gridproof-index",
		"gridproof-miner",
		"gridproof-verifier",
	],
	&["gridproof-cli"],
	&["gridproof-e2e"],
];

/// What a text would have to hold to name something of the chain.
const NAMES_OF_THE_CHAIN: [&str; 10] = [
	"Attestations",
	"ComputeReceipts",
	"CoveragePolicy",
	"MeterReadings",
	"ModelRegistry",
	"AttestationsApi",
	"ComputeReceiptsApi",
	"CoveragePolicyApi",
	"MeterReadingsApi",
	"ModelRegistryApi",
];

/// What decides when, how often or whether: it belongs into a library.
const DECISIONS: [&str; 6] =
	["loop {", "tokio::spawn", "time::sleep", "select!", ".is_temporary()", "Ledger for"];

fn root() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn shown(path: &Path) -> String {
	path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Every package of the workspace: its name, its folder, its dependencies outside of tests.
fn packages() -> Vec<(String, PathBuf, Vec<String>)> {
	let output = Command::new(env!("CARGO"))
		.args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
		.current_dir(root())
		.output()
		.unwrap();
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
	let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_string();
	metadata["packages"]
		.as_array()
		.unwrap()
		.iter()
		.map(|package| {
			let folder = PathBuf::from(text(package, "manifest_path"));
			let dependencies = package["dependencies"].as_array().unwrap().iter();
			let used = dependencies
				.filter(|dependency| dependency["kind"] != "dev")
				.map(|dependency| text(dependency, "name"))
				.collect();
			(text(package, "name"), folder.parent().unwrap().to_path_buf(), used)
		})
		.collect()
}

#[test]
fn every_crate_depends_only_on_crates_of_lower_floors() {
	let floor = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
	let mut faults = Vec::new();
	for (name, _, dependencies) in packages() {
		let Some(own) = floor(&name) else {
			faults.push(format!("{name} stands on no floor: give it one in FLOORS"));
			continue;
		};
		for used in dependencies {
			if floor(&used).is_some_and(|used| used >= own) {
				faults.push(format!("{name} depends on {used}, which is not below it"));
			}
		}
	}
	assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_files_depend_on_each_other_in_a_circle() {
	let mut faults = Vec::new();
	for (_, folder, _) in packages() {
		let arrows = Modules::read(&folder.join("src")).arrows();
		for circle in circles(&arrows) {
			let mut lines =
				vec!["a circle; move what they share into a file of its own:".to_string()];
			for file in &circle {
				let inside =
					arrows.get(file).into_iter().flatten().filter(|to| circle.contains(to));
				let names: Vec<String> = inside.map(|to| shown(to)).collect();
				lines.push(format!("  {} uses {}", shown(file), names.join(", ")));
			}
			faults.push(lines.join("\n"));
		}
	}
	assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_module_with_children_is_a_folder_with_a_mod_file() {
	let faults: Vec<String> = packages()
		.iter()
		.flat_map(|(_, folder, _)| rust_files(&folder.join("src")))
		.filter(|path| path.with_extension("").is_dir())
		.map(|path| format!("{} stands beside its folder: name it mod.rs, inside", shown(&path)))
		.collect();
	assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The sources of the services outside of tests, with their code and their string literals.
fn services() -> BTreeMap<String, (String, Vec<String>)> {
	rust_files(&root().join("services"))
		.into_iter()
		.filter(|path| !is_test(path))
		.map(|path| (shown(&path), code_and_strings(&fs::read_to_string(&path).unwrap())))
		.collect()
}

#[test]
fn only_the_chain_crate_names_pallets_and_runtime_functions() {
	let faults: Vec<String> = services()
		.into_iter()
		.filter(|(file, _)| !file.starts_with("services/base/chain/"))
		.flat_map(|(file, (_, strings))| {
			strings
				.into_iter()
				.filter(|text| {
					text.split(|c: char| !c.is_alphanumeric())
						.any(|word| NAMES_OF_THE_CHAIN.contains(&word))
				})
				.map(move |text| format!("{file} names {text:?}: use gridproof_chain::pallets"))
				.collect::<Vec<_>>()
		})
		.collect();
	assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_command_decides_nothing() {
	let faults: Vec<String> = services()
		.into_iter()
		.filter(|(file, _)| file.starts_with("services/cli/"))
		.flat_map(|(file, (code, _))| {
			DECISIONS
				.into_iter()
				.filter(|decision| code.contains(decision))
				.map(|decision| format!("{file} has `{decision}`: it belongs into a library"))
				.collect::<Vec<_>>()
		})
		.collect();
	assert!(faults.is_empty(), "{}", faults.join("\n"));
}
