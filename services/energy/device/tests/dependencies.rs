//! A meter's maker takes this crate without a chain client.

use serde_json::Value;
use std::{
	collections::{BTreeMap, BTreeSet},
	process::Command,
};

/// What this repository and the packages of the registry depend on, as `cargo metadata` has it.
///
/// Cargo resolves the features of all members together, so that an optional dependency stands in
/// its graph if any member wants it. For members the graph is therefore narrowed to the features
/// that are asked for along the way; packages of the registry keep all that the graph gives them.
struct Graph(Value);

impl Graph {
	fn read() -> Self {
		let output = Command::new(env!("CARGO"))
			.args(["metadata", "--offline", "--locked", "--format-version", "1"])
			.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
			.output()
			.unwrap();
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		Self(serde_json::from_slice(&output.stdout).unwrap())
	}

	fn package(&self, key: &str, value: &str) -> &Value {
		let mut packages = list(&self.0["packages"]);
		packages.find(|package| package[key] == value).unwrap()
	}

	/// The names of all packages that are compiled into `name`.
	fn compiled_into(&self, name: &str) -> BTreeSet<String> {
		let nodes: BTreeMap<&str, &Value> =
			list(&self.0["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
		let root = text(&self.package("name", name)["id"]);
		let mut seen = BTreeSet::new();
		let mut waiting = vec![(root, BTreeSet::from(["default".to_string()]))];
		while let Some((id, features)) = waiting.pop() {
			if !seen.insert((id, features.clone())) {
				continue;
			}
			let package = self.package("id", id);
			for edge in list(&nodes[id]["deps"]).filter(|edge| is_normal(edge)) {
				let next = self.package("id", text(&edge["pkg"]));
				if package["source"].is_null() {
					if let Some(features) = asked_for(package, text(&next["name"]), &features) {
						waiting.push((text(&next["id"]), features));
					}
				} else {
					waiting.push((text(&next["id"]), BTreeSet::new()));
				}
			}
		}
		seen.into_iter().map(|(id, _)| text(&self.package("id", id)["name"]).to_string()).collect()
	}
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
	value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
	value.as_str().unwrap()
}

/// Is the dependency compiled into the package, not only into its tests or its build script?
fn is_normal(edge: &Value) -> bool {
	list(&edge["dep_kinds"]).any(|kind| kind["kind"].is_null())
}

/// The features that a member with `features` asks of a dependency; `None` if it does not want it.
fn asked_for(
	member: &Value,
	dependency: &str,
	features: &BTreeSet<String>,
) -> Option<BTreeSet<String>> {
	let all = switched_on(member, features);
	let mut declared = list(&member["dependencies"])
		.filter(|declared| declared["kind"].is_null() && declared["name"] == dependency);
	let declared = declared.find(|declared| {
		let name = declared["rename"].as_str().unwrap_or(dependency);
		let ways = [name.to_string(), format!("dep:{name}")];
		declared["optional"] == false
			|| all
				.iter()
				.any(|feature| ways.contains(feature) || feature.starts_with(&format!("{name}/")))
	})?;
	let name = declared["rename"].as_str().unwrap_or(dependency);
	let own = list(&declared["features"]).map(|feature| text(feature).to_string());
	let passed_on = all.iter().filter_map(|feature| {
		let (of, feature) = feature.split_once('/')?;
		(of.trim_end_matches('?') == name).then(|| feature.to_string())
	});
	let default = (declared["uses_default_features"] == true).then(|| "default".to_string());
	Some(own.chain(passed_on).chain(default).collect())
}

/// `features` of a package with all that they switch on.
fn switched_on(package: &Value, features: &BTreeSet<String>) -> BTreeSet<String> {
	let mut all = BTreeSet::new();
	let mut waiting: Vec<String> = features.iter().cloned().collect();
	while let Some(feature) = waiting.pop() {
		if let Some(more) = package["features"].get(&feature) {
			waiting.extend(list(more).map(|feature| text(feature).to_string()));
		}
		all.insert(feature);
	}
	all
}

/// The packages that connect to a chain, or that know how to speak to one.
fn chain_clients(compiled: &BTreeSet<String>) -> Vec<&String> {
	let is_client = |name: &&String| *name == "gridproof-chain" || name.contains("subxt");
	compiled.iter().filter(is_client).collect()
}

#[test]
fn a_device_is_built_without_a_chain_client() {
	let compiled = Graph::read().compiled_into("gridproof-device");
	assert!(compiled.contains("gridproof-keys") && compiled.contains("rumqttc"), "{compiled:?}");
	assert_eq!(chain_clients(&compiled), Vec::<&String>::new());
}

#[test]
fn a_fleet_is_built_with_one() {
	let compiled = Graph::read().compiled_into("gridproof-fleet");
	let clients = chain_clients(&compiled);
	for wanted in ["gridproof-chain", "subxt", "subxt-signer"] {
		assert!(clients.iter().any(|client| *client == wanted), "{wanted}: {clients:?}");
	}
}
