//! What the chain's registry of models decides: what a coordinator offers, what mints, and what its operator
//! learns.

use anyhow::{Context, Result};
use gridproof_e2e::{compute::Compute, reserve::gridproof, wait};
use gridproof_primitives::compute::JobModel;
use serde_json::{Value, json};
use std::{fs, time::Duration};

/// The model that every development chain counts.
const MODEL: &str = "austen-1m";

/// Shows the model with what the coordinator takes for it.
async fn shown(compute: &Compute) -> Result<Value> {
	let node = compute.node.rpc_url();
	let show = ["model", "show", MODEL, "--offers-of", &compute.url, "--url", &node];
	gridproof(&show).await?.done()
}

/// Waits until the coordinator says so of the model.
async fn wait_for_standing(compute: &Compute, standing: &str) -> Result<()> {
	wait::until(&format!("{MODEL} is {standing}"), Duration::from_secs(60), async || {
		let models = compute.get("/v1/models").await?;
		let registry = &models["data"][0]["gridproof"]["registry"];
		Ok((registry["standing"] == standing).then_some(()))
	})
	.await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_work_on_a_model_that_counts_mints() -> Result<()> {
	let mut compute = Compute::start().await?;
	let before = shown(&compute).await?;
	let hash = before["hash"].as_str().context("no hash")?.to_owned();
	assert_eq!(before["now"]["standing"], "counted");
	// A million tokens of factor 5, a unit for 10¹² of AIT's smallest unit.
	assert_eq!(before["offers"][0]["million_tokens"]["ait"], "5000000000000000000");
	assert_eq!(before["offers"][0]["counted"], true);
	let counted = compute.complete("Once upon a time", 9).await?.job;

	let node = compute.node.rpc_url();
	let stop = ["model", "stop", MODEL, "--emergency", "--suri", "//Ferdie", "--url", &node];
	gridproof(&stop).await?.done()?;
	wait_for_standing(&compute, "stopped").await?;
	assert_eq!(shown(&compute).await?["offers"][0]["counted"], false);
	let private = compute.complete("It was a dark night", 9).await?.job;
	compute.wait_until_settled(Duration::from_secs(60)).await?;

	let (counted, private) = (compute.on_chain(&counted).await?, compute.on_chain(&private).await?);
	let JobModel::Registered(model) = counted.model else { panic!("{:?}", counted.model) };
	assert_eq!((format!("{model:#x}"), counted.counts), (hash, true));
	assert_eq!((private.model, private.counts), (JobModel::Private, false));
	let receipts = [counted, private].map(|job| job.receipt.expect("it is settled"));
	assert!(receipts.iter().all(|receipt| receipt.price > 0), "both were paid");
	assert!(receipts[0].claim > 0);
	assert_eq!(receipts[1].claim, 0, "work on a model that is stopped mints nothing");
	compute.node.assert_no_errors();
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_contradicts_the_registry_does_not_start() -> Result<()> {
	let compute = Compute::start().await?;
	let path = |name: &str| compute.folder.path().join(name).display().to_string();
	let (key, data, config) =
		(path("coordinator.key"), path("another"), path("contradiction.json"));
	let offer = json!({ "models": [{ "name": MODEL, "model_factor": 1_000 }] });
	fs::write(&config, offer.to_string())?;
	let node = compute.node.rpc_url();
	let mut run = vec!["coordinator", "run", "--key", &key, "--data", &data, "--config", &config];
	run.extend(["--listen", "127.0.0.1:0", "--url", &node]);
	gridproof(&run).await?.assert_refused("leave it out, the registry's is taken");
	Ok(())
}
