//! The runtime of a running chain is replaced, as governance would do it.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig,
	binary::runtime_code,
	governance::{Version, call, replace_runtime, sudo},
	transfers::{AIT, account, connect, free_balance, transfer},
};
use sp_maybe_compressed_blob::{CODE_BLOB_BOMB_LIMIT, compress_weakly, decompress};
use std::time::Duration;
use subxt::{dynamic::Value, rpcs::client::rpc_params};
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(60);

/// The runtime of the built node with a section more that nobody reads: the same rules and the same
/// version in other bytes, packed as an upgrade has to be to fit into a block.
pub(crate) fn runtime() -> Result<Vec<u8>> {
	let mut code = decompress(&runtime_code()?, CODE_BLOB_BOMB_LIMIT)?.into_owned();
	// A custom section: its id, the length of what follows, the length of its name, its name.
	let section = "upgrade";
	code.extend([0, u8::try_from(section.len())? + 1, u8::try_from(section.len())?]);
	code.extend(section.as_bytes());
	compress_weakly(&code, CODE_BLOB_BOMB_LIMIT).context("the runtime is too large to pack")
}

#[tokio::test]
async fn the_runtime_of_a_running_chain_is_replaced_and_the_chain_goes_on() -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let api = connect(&node).await?;
	let code = runtime()?;
	// The key is `:code`.
	let stored = || async {
		let stored = node.rpc()?.call("state_getStorage", rpc_params!["0x3a636f6465"]).await?;
		let stored = stored.as_str().and_then(|text| text.strip_prefix("0x"));
		Ok::<_, anyhow::Error>(hex::decode(stored.context("no code in the state")?)?)
	};
	ensure!(stored().await? != code, "the chain should start from the runtime as it was built");

	let events = replace_runtime(&api, &code, Version::Unchecked).await?;
	ensure!(
		events
			.iter()
			.flatten()
			.any(|event| event.pallet_name() == "System" && event.event_name() == "CodeUpdated"),
		"the code should be replaced"
	);
	ensure!(stored().await? == code, "the new code should stand in the state");

	// The chain continues, with the same money.
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
	let set_code = call("System", "set_code", ("code", Value::from_bytes(runtime()?)));
	let events = api
		.transactions()
		.await?
		.sign_and_submit_then_watch_default(&sudo(set_code), &dev::alice())
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
