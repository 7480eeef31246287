//! The clients people use from Node.js, against one real node: @polkadot/api, polkadot-api and the
//! light client smoldot, without any knowledge of our types or extensions.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig, Transport,
	binary::{node_binary, repository},
	clients::npm,
};
use std::{
	fs::File,
	path::Path,
	process::{Command, Stdio},
	time::Duration,
};

const LIMIT: Duration = Duration::from_secs(60);
/// The chain has some history for the light client to skip.
const HISTORY: u64 = 5;

#[tokio::test]
async fn javascript_clients_connect_transfer_and_follow_finality_without_configuration()
-> Result<()> {
	let folder = tempfile::tempdir()?;
	let light_spec = folder.path().join("dev.light.json");
	make_light_spec(&folder.path().join("dev.raw.json"), &light_spec)?;
	let clients = npm("")?;

	let mut config = NodeConfig::development();
	config.transport = Transport::WebSocket;
	let node = Node::start(config).await?;
	node.wait_for_finalized(HISTORY, LIMIT).await?;

	let status = Command::new("npm")
		.args(["test", "--silent"])
		.current_dir(&clients)
		.env("GRIDPROOF_RPC", node.rpc_url())
		.env("GRIDPROOF_BOOTNODE", node.address().await?)
		.env("GRIDPROOF_LIGHT_SPEC", &light_spec)
		.stdin(Stdio::null())
		.status()
		.context("cannot run npm")?;

	ensure!(status.success(), "the clients' tests failed, see above");
	node.assert_no_errors();
	Ok(())
}

/// Exports the raw spec of the development chain and makes a light one of it.
fn make_light_spec(raw: &Path, light: &Path) -> Result<()> {
	let status = Command::new(node_binary()?)
		.args(["export-chain-spec", "--chain", "dev", "--raw"])
		.stdout(File::create(raw)?)
		.status()?;
	ensure!(status.success(), "export-chain-spec failed: {status}");
	let status = Command::new("node")
		.arg(repository().join("chain-specs/light-spec.mjs"))
		.stdin(File::open(raw)?)
		.stdout(File::create(light)?)
		.status()
		.context("cannot run Node.js: ./scripts/setup.sh installs it")?;
	ensure!(status.success(), "light-spec.mjs failed: {status}");
	Ok(())
}
