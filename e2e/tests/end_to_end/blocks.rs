//! Blocks come every slot, and finality follows.

use anyhow::{Result, ensure};
use gridproof_e2e::{Network, Node, NodeConfig};
use std::time::Duration;

/// How many blocks are watched.
const BLOCKS: u64 = 60;
/// How far finality may be behind the best block, in blocks.
const LAG: u64 = 2;
/// Finality starts a moment after the first block; the watch starts with it.
const WARM_UP: u64 = 3;
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn one_authority_makes_a_block_every_slot_and_finality_is_at_most_two_blocks_behind()
-> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	watch(&node).await?;
	node.assert_no_errors();
	Ok(())
}

#[tokio::test]
async fn four_authorities_make_a_block_every_slot_and_finality_is_at_most_two_blocks_behind()
-> Result<()> {
	let network = Network::local(4, LIMIT).await?;
	watch(&network.nodes[1]).await?;
	for node in &network.nodes {
		node.assert_no_errors();
	}
	Ok(())
}

/// Looks at finality when each of 60 blocks becomes the best one, then at the slots of all 60.
async fn watch(node: &Node) -> Result<()> {
	node.wait_for_finalized(WARM_UP, LIMIT).await?;
	let rpc = node.rpc()?;
	let mut heads = rpc.new_heads().await?;
	let first = heads.next().await?.number;
	let last = first + BLOCKS;
	loop {
		let best = heads.next().await?.number;
		let (finalized, _) = rpc.finalized().await?;
		ensure!(best <= finalized + LAG, "block {best} is best, only {finalized} is finalized");
		if best >= last {
			break;
		}
	}
	let mut before = header_at(node, first).await?;
	for number in first + 1..=last {
		let header = header_at(node, number).await?;
		ensure!(
			header.slot == before.slot.map(|slot| slot + 1),
			"block {number} has slot {:?}, the one before {:?}",
			header.slot,
			before.slot
		);
		before = header;
	}
	Ok(())
}

async fn header_at(node: &Node, number: u64) -> Result<gridproof_e2e::rpc::Header> {
	let rpc = node.rpc()?;
	let hash = rpc.hash_at(number).await?;
	rpc.header(hash.as_deref()).await
}
