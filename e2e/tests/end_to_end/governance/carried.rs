//! What enough holders want is done, when its time has come and not before: a parameter, a model, a spend
//! and a new runtime, on one chain.

use crate::upgrade::runtime;
use anyhow::{Context, Result, ensure};
use gridproof_chain::pallets::meter_readings::{Limits, call::set_limits, query::limits};
use gridproof_e2e::{
	governance::{block_with, call},
	holders::{DAY_BLOCKS, Holders},
	reserve::gridproof,
	transfers::{AIT, Api, account, free_balance},
	wait,
};
use gridproof_keys::account::address;
use serde_json::{Value as Json, json};
use sp_core::{Blake2Hasher, Hasher};
use std::{fs, time::Duration};
use subxt::{
	dynamic::{self, Value},
	rpcs::client::rpc_params,
	transactions::DynamicPayload,
};

const LIMIT: Duration = Duration::from_secs(120);
/// Between two questions that the command is asked.
const PAUSE: Duration = Duration::from_secs(2);

/// Key of the version of the runtime that migrated last, `System.LastRuntimeUpgrade`.
const LAST_UPGRADE: &str = "26aa394eea5630e07c48ae0c9558cef7f9cce9c888469bb1a0dceaa129672ef8";
/// Key of the version of what the pallet of meters stores.
const METERS_VERSION: &str = "514061475e885ff9e7aee7feab5654e34e7b9012096b41c4eb3aaf947f6ea429";
/// That version, and the one before.
const METERS: (u16, u16) = (3, 2);

/// The model that is added. Its name is so long that its proposal does not fit into a transaction that
/// proposes: its bytes are a preimage.
const MODEL: &str = "holders-of-ait-have-adopted-this-model-of-seven-billion";

/// What only root may do: the state is said to be of an older version, which the next block migrates, and
/// this code may be brought.
fn upgrade(code: &[u8]) -> Result<DynamicPayload<Vec<Value>>> {
	let (last, version) = (hex::decode(LAST_UPGRADE)?, hex::decode(METERS_VERSION)?);
	let keys = Value::unnamed_composite([Value::from_bytes(last)]);
	let row = [Value::from_bytes(version), Value::from_bytes(METERS.1.to_le_bytes())];
	let rows = Value::unnamed_composite([Value::unnamed_composite(row)]);
	let hash = Value::from_bytes(Blake2Hasher::hash(code));
	let calls = Value::unnamed_composite([
		call("System", "kill_storage", ("keys", keys)),
		call("System", "set_storage", ("items", rows)),
		call("System", "authorize_upgrade_without_checks", ("code_hash", hash)),
	]);
	Ok(dynamic::transaction("Utility", "batch_all", vec![calls]))
}

/// Whether a new runtime may be brought after a block.
async fn is_authorized(api: &Api, block: u64) -> Result<bool> {
	let block = api.at_block(block).await?;
	let address = dynamic::storage::<(), Value>("System", "AuthorizedUpgrade");
	Ok(block.storage().try_fetch(address, ()).await?.is_some())
}

/// The version of what the pallet of meters stores after a block.
async fn meters_version(api: &Api, block: u64) -> Result<u16> {
	let block = api.at_block(block).await?;
	Ok(block.storage().storage_version("MeterReadings").await?)
}

/// The limits of meters that hold now.
async fn limits_now(holders: &Holders) -> Result<Limits> {
	Ok(holders.reserve.chain.read(&limits()).await?.0)
}

/// What the registry says of the model that is added.
async fn model(holders: &Holders) -> Result<Json> {
	gridproof(&["model", "show", MODEL, "--url", &holders.reserve.url()]).await?.done()
}

/// What a referendum of the standard track is shown as, while it is voted on.
fn assert_shown(shown: &Json, before: &Limits, after: &Limits) {
	assert_eq!(shown["state"], "ongoing");
	let ongoing = &shown["ongoing"];
	assert_eq!((&ongoing["track"], &ongoing["deposit"]), (&json!("standard"), &json!(true)));
	assert!(ongoing["deciding_since"].is_u64(), "{ongoing}");
	let proposed = &ongoing["call"]["MeterReadings"]["set_limits"]["limits"];
	assert_eq!(proposed["batch"]["free_per_hour"], after.batch.free_per_hour);
	assert_eq!(proposed["block_wh"], after.block_wh);
	let changes = json!([{
		"name": "MeterReadings.LimitsInUse.batch.free_per_hour",
		"before": before.batch.free_per_hour,
		"after": after.batch.free_per_hour,
	}]);
	assert_eq!(ongoing["changes"], changes, "what stays as it is is not shown");
}

/// Brings the new runtime, which anybody may once it is authorized; gives the code of the state then.
async fn apply(holders: &Holders, code: &[u8]) -> Result<Vec<u8>> {
	let path = holders.reserve.path("next.wasm");
	fs::write(&path, code)?;
	holders.run(&["govern", "apply-upgrade", "--code", &path], "//Charlie").await?.done()?;
	// The key is `:code`.
	let rpc = holders.reserve.node.rpc()?;
	let stored = rpc.call("state_getStorage", rpc_params!["0x3a636f6465"]).await?;
	let stored = stored.as_str().and_then(|text| text.strip_prefix("0x"));
	Ok(hex::decode(stored.context("no code in the state")?)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn referenda_set_a_parameter_add_a_model_spend_and_replace_the_runtime() -> Result<()> {
	let holders = Holders::start().await?;
	let (node, chain, api) = (&holders.reserve.node, &holders.reserve.chain, &holders.api);
	let before = limits_now(&holders).await?;
	let mut after = before;
	after.batch.free_per_hour += 7;
	let parameter = hex::encode(holders.encoded(&set_limits(&after)).await?);
	let code = runtime()?;
	let root = {
		let block = api.at_current_block().await?;
		hex::encode(block.transactions().call_data(&upgrade(&code)?)?)
	};
	let receiver = account("//receiver of a spend")?.public_key();
	let to = address(&receiver.0);

	// Proposed: calls by their bytes, and decisions by the commands that make them.
	let by_charlie = ["gov", "propose", &root, "--track", "root"];
	let by_dave = ["gov", "propose", &parameter];
	let mut by_eve = vec!["govern", "spend", "--token", "ait", "--amount", "1234.5", "--to", &to];
	by_eve.extend(["--referendum", "standard"]);
	let digests = ["01", "02", "03"].map(|byte| byte.repeat(32));
	let mut by_ferdie = vec!["model", "propose-add", MODEL, "--weights", &digests[0]];
	by_ferdie.extend(["--tokenizer", &digests[1], "--template", &digests[2]]);
	by_ferdie.extend(["--context", "4096", "--factor", "2.5", "--engine", "seeded"]);
	by_ferdie.extend(["--referendum", "standard"]);
	let (root, parameter, spend, added) = tokio::try_join!(
		holders.propose(&by_charlie, "//Charlie"),
		holders.propose(&by_dave, "//Dave"),
		holders.propose(&by_eve, "//Eve"),
		holders.propose(&by_ferdie, "//Ferdie"),
	)?;
	assert_shown(&holders.show(parameter).await?, &before, &after);
	assert_shown(&holders.listed(parameter).await?, &before, &after);
	let shown = holders.show(root).await?["ongoing"].take();
	assert_eq!(shown["track"], "root");
	let calls = &shown["call"]["Utility"]["batch_all"]["calls"];
	let (removed, written) = (format!("0x{LAST_UPGRADE}"), format!("0x{METERS_VERSION}"));
	assert_eq!(calls[0]["System"]["kill_storage"]["keys"], json!([removed]));
	assert_eq!(calls[1]["System"]["set_storage"]["items"], json!([[written, "0x0200"]]));
	let shown = holders.show(added).await?;
	let proposed = &shown["ongoing"]["call"]["ModelRegistry"];
	ensure!(proposed.is_object(), "a call in a preimage is shown as well: {shown}");

	// Voted: by Alice with her own AIT and, on the standard track, with Bob's.
	let alice = address(&account("//Alice")?.public_key().0);
	let alices = async {
		for index in [root, parameter, spend, added] {
			holders.aye(index, "600000", "//Alice").await?;
		}
		anyhow::Ok(())
	};
	let bobs = async {
		let lend = ["gov", "delegate", &alice, "--track", "standard", "--amount", "600000"];
		holders.run(&lend, "//Bob").await?.done()?;
		holders.aye(root, "600000", "//Bob").await?;
		anyhow::Ok(())
	};
	tokio::try_join!(alices, bobs)?;
	for index in [root, parameter, spend, added] {
		let tally = holders.ongoing(index).await?.tally;
		assert_eq!((tally.ayes, tally.nays), (1_200_000 * AIT, 0), "referendum {index}");
	}
	let ayes = (1_200_000 * AIT).to_string();
	assert_eq!(holders.show(parameter).await?["ongoing"]["ayes"], ayes);
	assert_eq!(limits_now(&holders).await?, before, "nothing is decided yet");
	gridproof(&["model", "show", MODEL, "--url", &holders.reserve.url()])
		.await?
		.assert_refused("the registry has no such model");
	assert_eq!(free_balance(api, &receiver).await?, 0);

	// Decided after seven days, and done in the next block.
	let mut last = 0;
	for index in [parameter, spend, added] {
		last = holders.wait_until_approved(index).await?.max(last);
	}
	node.wait_for_finalized(last + 2, LIMIT).await?;
	assert_eq!(limits_now(&holders).await?, after);
	let shown = holders.listed(parameter).await?;
	assert_eq!((&shown["state"], &shown["ongoing"]), (&json!("approved"), &Json::Null));
	let announced = model(&holders).await?;
	assert_eq!((&announced["now"], &announced["pending"]["factor"]), (&Json::Null, &json!(2_500)));
	holders.run(&["policy", "payout", "0"], "//Bob").await?.done()?;
	assert_eq!(free_balance(api, &receiver).await?, 12_345 * AIT / 10);
	// Both deposits return to who paid them.
	let dave = account("//Dave")?.public_key().0;
	assert_eq!(chain.native_balance(&dave).await?.1, 1_010 * AIT);
	let number = parameter.to_string();
	let refund = ["gov", "refund", &number];
	holders.run(&refund, "//Dave").await?.done()?;
	assert_eq!(chain.native_balance(&dave).await?.1, 0);
	holders.run(&refund, "//Dave").await?.assert_refused("has no deposit that returns");

	// What root decided waits for three days more.
	let approved = holders.wait_until_approved(root).await?;
	let enacted = approved + 3 * DAY_BLOCKS;
	node.wait_for_finalized(enacted + 1, LIMIT).await?;
	assert!(!is_authorized(api, enacted - 1).await?, "it is done before its delay is over");
	assert!(is_authorized(api, enacted).await?, "it is not done");
	let event = ("System", "UpgradeAuthorized");
	assert_eq!(block_with(api, event, approved, enacted + 1).await?, Some(enacted));
	// The next block found the older version, and migrated.
	let versions = [enacted - 1, enacted, enacted + 1];
	let mut found = Vec::new();
	for block in versions {
		found.push(meters_version(api, block).await?);
	}
	assert_eq!(found, [METERS.0, METERS.1, METERS.0]);
	ensure!(apply(&holders, &code).await? == code, "the new code should be the chain's");

	// The chain continues with what was decided, and the model counts when it was announced to.
	let best = node.rpc()?.best().await?;
	node.wait_for_finalized(best + 2, LIMIT).await?;
	assert_eq!(limits_now(&holders).await?, after);
	wait::until("the model counts", LIMIT, async || {
		tokio::time::sleep(PAUSE).await;
		Ok((model(&holders).await?["now"]["standing"] == "counted").then_some(()))
	})
	.await?;
	node.assert_no_errors();
	Ok(())
}
