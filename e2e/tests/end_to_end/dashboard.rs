//! The dashboard in a real browser, against a real node: every page in both themes and at a phone's width, its
//! figures compared with those of another client, a transfer, and the light client.
//!
//! What needs meters, a gateway, a coordinator or a front is left out here; `./scripts/dashboard browser` runs it on
//! `./scripts/devnet`.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig, Transport,
	binary::{node_binary, repository},
	clients::npm_in,
};
use std::{
	fs::{self, File},
	path::{Path, PathBuf},
	process::{Command, Stdio},
	time::Duration,
};

const LIMIT: Duration = Duration::from_secs(60);
/// Old states for the page's charts.
const HISTORY: u64 = 10;
/// How long the first figure may take beside other tests, in milliseconds; alone it is two seconds.
const FIRST_FIGURE_MS: &str = "10000";

#[tokio::test]
#[ignore = "its packages take minutes to fetch, and it needs Chromium: scripts/soak dashboard"]
async fn every_page_shows_what_the_node_says_in_a_browser_and_by_the_light_client() -> Result<()> {
	let browser = browser()?;
	let folder = tempfile::tempdir()?;
	let dashboard = npm_in(repository().join("dashboard"))?;
	run(Command::new(repository().join("scripts/dashboard")).arg("build"))?;

	let mut config = NodeConfig::development();
	config.transport = Transport::WebSocket;
	let node = Node::start(config).await?;
	node.wait_for_finalized(HISTORY, LIMIT).await?;
	let spec = light_spec(folder.path(), &node.address().await?.to_string())?;

	let tests = Command::new("npm")
		.args(["run", "--silent", "browser"])
		.current_dir(&dashboard)
		.env("GRIDPROOF_RPC", node.rpc_url())
		.env("GRIDPROOF_LIGHT_SPEC", &spec)
		.env("GRIDPROOF_CHROMIUM", &browser)
		.env("GRIDPROOF_FIRST_FIGURE_MS", FIRST_FIGURE_MS)
		.stdin(Stdio::null())
		.status()
		.context("cannot run npm")?;

	ensure!(tests.success(), "the dashboard's tests failed, see above");
	node.assert_no_errors();
	Ok(())
}

/// The browser that is named, or Debian's.
fn browser() -> Result<PathBuf> {
	let named = std::env::var_os("GRIDPROOF_CHROMIUM").map(PathBuf::from);
	let path = named.unwrap_or_else(|| PathBuf::from("/usr/bin/chromium"));
	ensure!(
		path.exists(),
		"there is no {}: apt-get install chromium, or name a browser in GRIDPROOF_CHROMIUM",
		path.display()
	);
	Ok(path)
}

/// The light spec of the development chain, with the address of a node.
fn light_spec(folder: &Path, address: &str) -> Result<PathBuf> {
	let (raw, light) = (folder.join("dev.raw.json"), folder.join("dev.light.json"));
	run(Command::new(node_binary()?)
		.args(["export-chain-spec", "--chain", "dev", "--raw"])
		.stdout(File::create(&raw)?))?;
	run(Command::new("node")
		.arg(repository().join("chain-specs/light-spec.mjs"))
		.stdin(File::open(&raw)?)
		.stdout(File::create(&light)?))?;
	let mut spec: serde_json::Value = serde_json::from_slice(&fs::read(&light)?)?;
	spec["bootNodes"] = serde_json::json!([address]);
	fs::write(&light, serde_json::to_vec(&spec)?)?;
	Ok(light)
}

fn run(command: &mut Command) -> Result<()> {
	let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
	ensure!(status.success(), "{command:?} failed: {status}");
	Ok(())
}
