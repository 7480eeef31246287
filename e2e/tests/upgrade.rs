//! The runtime of a running chain is replaced, as governance would do it.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig,
	transfers::{AIT, account, connect, free_balance, transfer},
};
use std::{env, fs, path::PathBuf, time::Duration};
use subxt::{
	dynamic::{self, Value},
	rpcs::client::rpc_params,
	transactions::DynamicPayload,
};
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(60);

/// The runtime of the built node, not compressed: the same rules in other bytes.
fn runtime() -> Result<Vec<u8>> {
	let own = env::current_exe()?;
	let name = "wbuild/gridproof-runtime/gridproof_runtime.compact.wasm";
	let path: Option<PathBuf> =
		own.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file());
	let path = path.with_context(|| format!("no {name} beside {}", own.display()))?;
	Ok(fs::read(path)?)
}

fn sudo(call: &str, code: &[u8]) -> DynamicPayload<Vec<Value>> {
	let call = Value::named_variant(call, [("code", Value::from_bytes(code))]);
	let call = Value::unnamed_variant("System", [call]);
	let weight =
		Value::named_composite([("ref_time", Value::u128(0)), ("proof_size", Value::u128(0))]);
	dynamic::transaction("Sudo", "sudo_unchecked_weight", vec![call, weight])
}

#[tokio::test]
async fn the_runtime_of_a_running_chain_is_replaced_and_the_chain_goes_on() -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let api = connect(&node).await?;
	let code = runtime()?;
	// The key is `:code`.
	let size = || async {
		let size = node.rpc()?.call("state_getStorageSize", rpc_params!["0x3a636f6465"]).await?;
		size.as_u64().context("no code in the state")
	};
	let length = u64::try_from(code.len())?;
	ensure!(size().await? < length, "the chain should start from the compressed runtime");

	let events = api
		.transactions()
		.await?
		.sign_and_submit_then_watch_default(&sudo("set_code_without_checks", &code), &dev::alice())
		.await?
		.wait_for_finalized_success()
		.await?;
	ensure!(
		events
			.iter()
			.flatten()
			.any(|event| event.pallet_name() == "System" && event.event_name() == "CodeUpdated"),
		"the code should be replaced"
	);
	ensure!(size().await? == length);

	// The chain goes on, with the same money.
	let receiver = account("//after the upgrade")?;
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

#[tokio::test]
async fn a_runtime_whose_version_has_not_moved_is_refused() -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let api = connect(&node).await?;
	let events = api
		.transactions()
		.await?
		.sign_and_submit_then_watch_default(&sudo("set_code", &runtime()?), &dev::alice())
		.await?
		.wait_for_finalized_success()
		.await?;
	let mut outcome = None;
	for event in events.iter() {
		let event = event?;
		ensure!(event.event_name() != "CodeUpdated", "the code must not change");
		if event.pallet_name() == "Sudo" && event.event_name() == "Sudid" {
			outcome = Some(format!("{:?}", event.decode_fields_unchecked_as::<Value>()?));
		}
	}
	let outcome = outcome.context("no outcome of the call")?;
	ensure!(outcome.contains("Err"), "{outcome}");
	Ok(())
}
