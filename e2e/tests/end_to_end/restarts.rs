//! Nodes that are killed and started again.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Network, Node, NodeConfig,
	transfers::{AIT, account, connect, count_in_blocks, free_balance, nonce, sign_transfers},
};
use std::time::Duration;
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(60);
/// Transactions in the pool when a node is killed.
const WAITING: u64 = 60;

#[tokio::test]
async fn after_kill_9_a_node_has_its_finalized_chain_and_every_balance() -> Result<()> {
	let mut node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let receiver = account("//kept")?.public_key();
	let sender = dev::alice();
	{
		let api = connect(&node).await?;
		let signed = sign_transfers(&api, &sender, &receiver, 5 * AIT, 0, 1).await?;
		node.rpc()?.submit(&signed[0]).await?;
		node.wait("the transfer is final", LIMIT, async |_| {
			Ok((free_balance(&api, &receiver).await? == 5 * AIT).then_some(()))
		})
		.await?;
	}
	let (height, hash) = node.rpc()?.finalized().await?;

	node.kill();
	node.restart().await?;

	assert_eq!(node.rpc()?.hash_at(height).await?.as_ref(), Some(&hash));
	let (finalized, _) = node.rpc()?.finalized().await?;
	ensure!(finalized >= height, "finality fell from {height} to {finalized}");
	let api = connect(&node).await?;
	assert_eq!(free_balance(&api, &receiver).await?, 5 * AIT);
	assert_eq!(nonce(&api, &sender.public_key()).await?, 1);
	node.wait_for_finalized(finalized + 5, LIMIT).await?;
	assert_eq!(node.rpc()?.hash_at(height).await?, Some(hash));
	node.assert_no_errors();
	Ok(())
}

#[tokio::test]
async fn transactions_waiting_at_kill_9_end_in_blocks_once_when_they_are_sent_again() -> Result<()>
{
	let mut node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let (sender, receiver) = (dev::alice(), account("//sixty")?.public_key());
	let signed = {
		let api = connect(&node).await?;
		sign_transfers(&api, &sender, &receiver, AIT, 0, WAITING).await?
	};
	for extrinsic in &signed {
		node.rpc()?.submit(extrinsic).await?;
	}

	node.kill();
	node.restart().await?;
	// A sender that has not seen its transaction final sends the same bytes again. The node may
	// say that it knows it or has it in a block: both are as good as accepting it.
	for extrinsic in &signed {
		if let Err(answer) = node.rpc()?.submit(extrinsic).await {
			let answer = format!("{answer:#}");
			let known = ["already imported", "Already Imported", "outdated", "temporarily banned"];
			ensure!(known.iter().any(|text| answer.contains(text)), "{answer}");
		}
	}

	let api = connect(&node).await?;
	node.wait("all are final", LIMIT, async |_| {
		Ok((nonce(&api, &sender.public_key()).await? == WAITING).then_some(()))
	})
	.await?;
	let (last, _) = node.rpc()?.finalized().await?;
	let counts = count_in_blocks(node.rpc()?, 1, last).await?;
	ensure!(signed.iter().all(|extrinsic| counts.get(extrinsic) == Some(&1)));
	assert_eq!(free_balance(&api, &receiver).await?, u128::from(WAITING) * AIT);
	Ok(())
}

#[tokio::test]
async fn transactions_waiting_at_kill_9_end_in_blocks_once_and_nobody_sends_them_again()
-> Result<()> {
	let mut node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let (sender, receiver) = (dev::alice(), account("//kept-in-the-pool")?.public_key());
	let signed = {
		let api = connect(&node).await?;
		sign_transfers(&api, &sender, &receiver, AIT, 0, WAITING).await?
	};
	// All wait: the first comes last.
	for extrinsic in signed[1..].iter().chain(&signed[..1]) {
		node.rpc()?.submit(extrinsic).await?;
	}
	// Those that waited for the first are in the pool's file a quarter of a second later.
	tokio::time::sleep(Duration::from_millis(400)).await;

	node.kill();
	node.restart().await?;

	let api = connect(&node).await?;
	node.wait("all are final", LIMIT, async |_| {
		Ok((nonce(&api, &sender.public_key()).await? == WAITING).then_some(()))
	})
	.await?;
	let (last, _) = node.rpc()?.finalized().await?;
	let counts = count_in_blocks(node.rpc()?, 1, last).await?;
	ensure!(signed.iter().all(|extrinsic| counts.get(extrinsic) == Some(&1)));
	assert_eq!(free_balance(&api, &receiver).await?, u128::from(WAITING) * AIT);
	Ok(())
}

#[tokio::test]
async fn four_validators_finalize_on_without_one_stop_without_two_and_resume_with_one_back()
-> Result<()> {
	let mut network = Network::local(4, LIMIT).await?;
	network.nodes[0].wait_for_finalized(5, LIMIT).await?;

	// WHEN one of four is away, its slots are empty, and blocks become final with three votes of four.
	network.nodes[3].kill();
	let best = network.nodes[0].rpc()?.best().await?;
	network.nodes[0].wait_for_finalized(best + 8, LIMIT).await?;

	// WHEN a second one is away, blocks are made in the others' slots. GRANDPA needs more than two thirds of
	// the votes, of four authorities three: nothing new may become final.
	network.nodes[2].kill();
	let best = network.nodes[0].rpc()?.best().await?;
	network.nodes[0].wait_for_height(best + 8, LIMIT).await?;
	let (stopped, _) = network.nodes[0].rpc()?.finalized().await?;
	ensure!(stopped <= best + 1, "{stopped} is final with two of four votes; best was {best}");

	// THEN, when one of them is back, finality catches up and follows again; with both, it is the same on every node.
	network.nodes[2].restart().await?;
	network.nodes[0].wait_for_finalized(best + 8, LIMIT).await?;
	network.nodes[3].restart().await?;
	for node in &network.nodes[..2] {
		node.wait_for_peers(3, LIMIT).await?;
	}
	let height = network.nodes[0].rpc()?.best().await? + 10;
	let mut hashes = Vec::new();
	for node in &network.nodes {
		node.wait_for_finalized(height, LIMIT).await?;
		let hash = node.rpc()?.hash_at(height).await?;
		hashes.push(hash.context("a finalized block without hash")?);
	}
	ensure!(hashes.iter().all(|hash| *hash == hashes[0]), "they disagree: {hashes:?}");
	let (finalized, _) = network.nodes[0].rpc()?.finalized().await?;
	let best = network.nodes[0].rpc()?.best().await?;
	ensure!(best <= finalized + 2, "best {best}, finalized {finalized}");
	Ok(())
}
