//! A node that begins with an empty disk joins a network that has long been running.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Network, Node, NodeConfig,
	transfers::{AIT, account, connect, free_balance, transfer},
};
use std::time::Duration;
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(120);
/// Height that the network has before the new node joins: above what a node keeps in memory.
const LONG: u64 = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_an_empty_disk_warps_to_the_finalized_state_and_follows() -> Result<()> {
	// Three of the four authorities suffice for finality.
	let network = Network::local(3, LIMIT).await?;
	let first = network.nodes.first().context("a validator")?;
	let receiver = account("//before the new node")?.public_key();
	connect(first)
		.await?
		.transactions()
		.await?
		.sign_and_submit_then_watch_default(&transfer(&receiver, 7 * AIT), &dev::alice())
		.await?
		.wait_for_finalized_success()
		.await?;
	first.wait_for_finalized(LONG, LIMIT).await?;

	let mut config = NodeConfig::new("newcomer", "local", 9);
	config.arguments = vec!["--sync".into(), "warp".into()];
	for node in &network.nodes {
		config.bootnodes.push(node.address().await?);
	}
	let newcomer = Node::start(config).await?;

	let (height, _) = first.rpc()?.finalized().await?;
	newcomer.wait_for_finalized(height, LIMIT).await?;
	ensure!(
		newcomer.log().contains("Warp sync is complete"),
		"the node should not have executed every block:\n{}",
		newcomer.log()
	);
	let hash = first.rpc()?.hash_at(height).await?.context("a final block without hash")?;
	// The blocks before the state are fetched afterwards.
	let what = "the newcomer knows the block that was final when it came";
	let same = newcomer.wait(what, LIMIT, async |rpc| rpc.hash_at(height).await).await?;
	ensure!(same == hash, "another chain at {height}");
	// The state came with it, without the blocks that made it.
	let api = connect(&newcomer).await?;
	assert_eq!(free_balance(&api, &receiver).await?, 7 * AIT);
	newcomer.wait_for_finalized(height + 5, LIMIT).await?;
	newcomer.assert_no_errors();
	Ok(())
}
