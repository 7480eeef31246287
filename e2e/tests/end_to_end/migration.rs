//! A chain of runtime 100 continues with the runtime of today: its state is the one that a
//! development chain of that version had after four minutes, with 50 meters, 150 batches, jobs in
//! work, credit, and days of the reserve.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig,
	binary::{repository, runtime_code},
	governance::{Version, replace_runtime},
	transfers::{AIT, Api, account, connect, free_balance, transfer},
};
use gridproof_primitives::num::units::{AICP_ASSET_ID, KWH_ASSET_ID};
use serde_json::{Value as Json, json};
use std::{
	fs,
	path::{Path, PathBuf},
	time::Duration,
};
use subxt::{
	dynamic::{self, At, Value},
	rpcs::client::rpc_params,
};
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(60);

/// Key of the runtime's code, `:code`.
const CODE: &str = "0x3a636f6465";

/// Key of `System::Number`: a chain that starts from the state counts its blocks from 0 again.
const NUMBER: &str = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";

/// What the chain holds, to the last unit: supply of AIT, AICP and KWH.
async fn supplies(api: &Api) -> Result<[u128; 3]> {
	let block = api.at_current_block().await?;
	let storage = block.storage();
	let ait = dynamic::storage::<(), Value>("Balances", "TotalIssuance");
	let ait = storage.fetch(ait, ()).await?.decode()?.as_u128().context("no supply of AIT")?;
	let mut all = [ait, 0, 0];
	for (supply, asset) in all.iter_mut().skip(1).zip([AICP_ASSET_ID, KWH_ASSET_ID]) {
		let address = dynamic::storage::<(Value,), Value>("Assets", "Asset");
		let details = storage.fetch(address, (Value::u128(asset.into()),)).await?.decode()?;
		*supply = details.at("supply").and_then(Value::as_u128).context("no supply")?;
	}
	Ok(all)
}

/// Writes the specification of a chain that starts from the old state under the old runtime.
fn old_chain(folder: &Path) -> Result<PathBuf> {
	let state = repository().join("runtime/tests/data/state-100.json");
	let mut top: Json = serde_json::from_slice(&fs::read(state)?)?;
	let code = fs::read(repository().join("e2e/data/runtime-100.compact.compressed.wasm"))?;
	ensure!(top[NUMBER] == json!("0x06010000"), "the state is of block 262");
	top[NUMBER] = json!("0x00000000");
	top[CODE] = json!(format!("0x{}", hex::encode(code)));
	let spec = json!({
		"name": "Gridproof Development",
		"id": "gridproof_dev",
		"chainType": "Development",
		"bootNodes": [],
		"telemetryEndpoints": null,
		"protocolId": "gridproof",
		"properties": { "ss58Format": 7341, "tokenDecimals": 18, "tokenSymbol": "AIT" },
		"codeSubstitutes": {},
		"genesis": { "raw": { "top": top, "childrenDefault": {} } },
	});
	let path = folder.join("spec.json");
	fs::write(&path, serde_json::to_vec(&spec)?)?;
	Ok(path)
}

#[tokio::test]
async fn a_chain_of_version_100_goes_on_with_todays_runtime_to_the_unit() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let spec = old_chain(folder.path())?;
	let mut config = NodeConfig::development();
	config.chain = spec.display().to_string();
	let node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let api = connect(&node).await?;
	let version = || async { node.rpc()?.call("state_getRuntimeVersion", rpc_params![]).await };
	ensure!(version().await?["specVersion"] == json!(100), "the chain starts with the old runtime");
	let before = supplies(&api).await?;
	ensure!(before.iter().all(|supply| *supply > 0), "{before:?}");

	let code = runtime_code()?;
	replace_runtime(&api, &code, Version::Checked).await?;
	let upgraded = node.rpc()?.best().await? + 3;
	node.wait_for_finalized(upgraded, LIMIT).await?;
	let now = version().await?;
	ensure!(now["specVersion"].as_u64() > Some(100), "{now}");

	// Nothing was made or lost, and money moves as before.
	let api = connect(&node).await?;
	ensure!(supplies(&api).await? == before, "{:?} instead of {before:?}", supplies(&api).await?);
	let receiver = account("//after the migration")?;
	api.transactions()
		.await?
		.sign_and_submit_then_watch_default(&transfer(&receiver.public_key(), AIT), &dev::bob())
		.await?
		.wait_for_finalized_success()
		.await?;
	ensure!(free_balance(&api, &receiver.public_key()).await? == AIT);
	node.assert_no_errors();
	Ok(())
}
