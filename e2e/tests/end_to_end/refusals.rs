//! What a node cannot start with, it refuses, and tells the user what to do.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig,
	failure::{Exit, run_to_exit},
};
use serde_json::Value;
use std::{
	collections::BTreeSet,
	fs::{self, OpenOptions},
	io::Write,
	net::TcpListener,
	path::{Path, PathBuf},
	time::Duration,
};

const LIMIT: Duration = Duration::from_secs(60);
/// A network key, so that nothing but the tested fault is wrong.
const NODE_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000009";

/// Runs a development node on free ports with these arguments on top, until it ends.
fn run_development(base_path: &Path, arguments: &[&str]) -> Result<Exit> {
	let base_path = base_path.display().to_string();
	let mut all = vec!["--base-path", &base_path, "--node-key", NODE_KEY, "--no-mdns"];
	all.extend(["--no-prometheus", "--no-telemetry"]);
	all.extend(arguments);
	run_to_exit(&all)
}

const ANY_PORTS: [&str; 4] = ["--rpc-port", "0", "--listen-addr", "/ip4/127.0.0.1/tcp/0"];

#[test]
fn a_chain_spec_that_does_not_exist_is_named() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let spec = folder.path().join("no-such-spec.json").display().to_string();
	let exit = run_development(folder.path(), &["--chain", &spec])?;
	exit.assert_refused(&["no-such-spec.json", "dev", "local", "staging"]);
	Ok(())
}

#[test]
fn a_chain_spec_that_is_no_json_is_named_with_the_place_of_the_fault() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let spec = folder.path().join("broken.json");
	fs::write(&spec, "{ \"name\": \"broken\", ")?;
	let exit = run_development(folder.path(), &["--chain", &spec.display().to_string()])?;
	exit.assert_refused(&["broken.json", "line 1"]);
	Ok(())
}

#[test]
fn a_disk_with_too_little_room_is_told_with_what_is_left_and_what_to_do() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let mut arguments = vec!["--chain", "dev", "--alice", "--db-storage-threshold", "999999999999"];
	arguments.extend(ANY_PORTS);
	let exit = run_development(folder.path(), &arguments)?;
	exit.assert_refused(&["MiB left", "999999999999 MiB", "--base-path", "--db-storage-threshold"]);
	Ok(())
}

#[tokio::test]
async fn data_of_another_genesis_is_refused_with_both_hashes() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let data = folder.path().join("data");
	let own = {
		let mut config = NodeConfig::development();
		config.base_path = Some(data.clone());
		let mut node = Node::start(config).await?;
		node.wait_for_finalized(1, LIMIT).await?;
		let genesis = node.rpc()?.hash_at(0).await?.context("no genesis")?;
		node.stop()?;
		genesis
	};
	let spec = folder.path().join("other.json");
	write_spec_with_another_genesis(&spec)?;

	let spec = spec.display().to_string();
	let mut arguments = vec!["--chain", &spec, "--alice"];
	arguments.extend(ANY_PORTS);
	let exit = run_development(&data, &arguments)?;

	exit.assert_refused(&["genesis", &own, "purge-chain --chain", "--base-path"]);
	let hashes: BTreeSet<&str> =
		exit.output.split_whitespace().filter(|word| is_hash(word)).collect();
	ensure!(hashes.len() == 2, "both genesis hashes should be there:\n{}", exit.output);
	Ok(())
}

fn is_hash(word: &str) -> bool {
	word.len() == 66 && word.starts_with("0x")
}

/// The development chain's raw spec, with one more storage item in its genesis.
fn write_spec_with_another_genesis(path: &Path) -> Result<()> {
	let exit = run_to_exit(&["export-chain-spec", "--chain", "dev", "--raw"])?;
	ensure!(exit.status.success(), "{}", exit.output);
	let start = exit.output.find('{').context("no JSON")?;
	let mut spec: Value = serde_json::Deserializer::from_str(&exit.output[start..])
		.into_iter::<Value>()
		.next()
		.context("no JSON")??;
	spec["genesis"]["raw"]["top"]["0x00"] = "0x01".into();
	Ok(fs::write(path, spec.to_string())?)
}

#[test]
fn a_taken_rpc_port_is_named() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let taken = TcpListener::bind(("127.0.0.1", 0))?;
	let port = taken.local_addr()?.port().to_string();
	let arguments = ["--dev", "--rpc-port", &port, "--listen-addr", "/ip4/127.0.0.1/tcp/0"];
	let exit = run_development(folder.path(), &arguments)?;
	exit.assert_refused(&["taken", &port, "--rpc-port"]);
	Ok(())
}

#[test]
fn a_taken_network_port_is_named() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let taken = TcpListener::bind(("127.0.0.1", 0))?;
	let port = taken.local_addr()?.port().to_string();
	let address = format!("/ip4/127.0.0.1/tcp/{port}");
	let arguments = ["--dev", "--rpc-port", "0", "--listen-addr", &address];
	let exit = run_development(folder.path(), &arguments)?;
	exit.assert_refused(&["taken", &port, "--port"]);
	Ok(())
}

#[tokio::test]
async fn a_corrupt_database_is_named_with_the_way_out() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let mut config = NodeConfig::development();
	config.base_path = Some(folder.path().to_owned());
	let mut node = Node::start(config).await?;
	node.wait_for_finalized(3, LIMIT).await?;
	node.stop()?;
	let metadata = find_file(folder.path(), "metadata").context("no database metadata")?;
	OpenOptions::new().write(true).truncate(true).open(&metadata)?.write_all(b"not a database")?;

	let mut arguments = vec!["--dev"];
	arguments.extend(ANY_PORTS);
	let exit = run_development(folder.path(), &arguments)?;

	exit.assert_refused(&["database", "purge-chain"]);
	Ok(())
}

/// The first file of this name in a folder or below it.
fn find_file(folder: &Path, name: &str) -> Option<PathBuf> {
	let entries = fs::read_dir(folder).ok()?;
	entries.flatten().map(|entry| entry.path()).find_map(|path| {
		if path.is_dir() {
			find_file(&path, name)
		} else {
			(path.file_name()? == name).then_some(path)
		}
	})
}

#[test]
fn a_validator_without_a_network_key_is_told_how_to_make_one() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let base_path = folder.path().display().to_string();
	let mut arguments = vec!["--chain", "local", "--validator", "--base-path", &base_path];
	arguments.extend(ANY_PORTS);
	let exit = run_to_exit(&arguments)?;
	exit.assert_refused(&["key generate-node-key", "--base-path"]);
	Ok(())
}
