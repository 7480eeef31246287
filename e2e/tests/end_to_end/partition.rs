//! A network falls apart, works on in two halves, and heals.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig,
	network::LOCAL_AUTHORITIES,
	transfers::{AIT, account, connect, count_in_blocks, free_balance, sign_transfers},
};
use std::{path::Path, time::Duration};
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(90);

/// A validator of the local test network that keeps its data in `base`; alone, it connects to nobody
/// and makes blocks all the same.
fn validator(number: u8, base: &Path, friends: Option<&[String]>) -> Result<NodeConfig> {
	let name = LOCAL_AUTHORITIES.get(usize::from(number)).context("one of four")?;
	let mut config = NodeConfig::new(name, "local", number + 1);
	config.base_path = Some(base.join(name));
	config.arguments = vec![format!("--{name}"), "--force-authoring".to_owned()];
	match friends {
		Some(friends) => config.bootnodes = friends.to_vec(),
		None => config.arguments.push("--reserved-only".to_owned()),
	}
	Ok(config)
}

#[tokio::test]
async fn halves_that_were_apart_agree_again_and_money_is_spent_once() -> Result<()> {
	let folder = tempfile::tempdir()?;
	// Three of the four authorities, which suffice for finality: dave stays away, and so each half has too few votes.
	let alice = Node::start(validator(0, folder.path(), Some(&[]))?).await?;
	let bob = Node::start(validator(1, folder.path(), Some(&[alice.address().await?]))?).await?;
	let friends = [alice.address().await?, bob.address().await?];
	let mut charlie = Node::start(validator(2, folder.path(), Some(&friends))?).await?;
	for node in [&alice, &bob, &charlie] {
		node.wait_for_peers(2, LIMIT).await?;
		node.wait_for_finalized(3, LIMIT).await?;
	}

	// WHEN charlie is cut off, both sides make blocks, and neither can make one final.
	charlie.stop()?;
	let charlie = Node::start(validator(2, folder.path(), None)?).await?;
	let (final_before, _) = alice.rpc()?.finalized().await?;
	// One sender, one nonce, another receiver on each side: on each side it is in a block.
	let (sender, here, there) = (dev::dave(), account("//here")?, account("//there")?);
	for (node, receiver) in [(&alice, &here), (&charlie, &there)] {
		let api = connect(node).await?;
		let receiver = receiver.public_key();
		let signed = sign_transfers(&api, &sender, &receiver, AIT, 0, 1).await?;
		let signed = signed.first().context("a transfer")?;
		node.rpc()?.submit(signed).await?;
		node.wait("the transfer is in a block", LIMIT, async |rpc| {
			let best = rpc.best().await?;
			let counts = count_in_blocks(rpc, final_before, best).await?;
			Ok(counts.contains_key(signed).then_some(()))
		})
		.await?;
	}
	let common = charlie.rpc()?.best().await?;
	alice.wait_for_height(common + 4, LIMIT).await?;
	ensure!(
		alice.rpc()?.hash_at(common).await? != charlie.rpc()?.hash_at(common).await?,
		"the halves should have blocks of their own at {common}"
	);
	for node in [&alice, &bob, &charlie] {
		let (height, _) = node.rpc()?.finalized().await?;
		ensure!(height <= final_before + 2, "{height} is final without two thirds of the votes");
	}

	// THEN, together again, all have one chain, and the money went one way only.
	let mut charlie = charlie;
	charlie.stop()?;
	let charlie = Node::start(validator(2, folder.path(), Some(&friends))?).await?;
	let nodes = [&alice, &bob, &charlie];
	let target = alice.rpc()?.best().await? + 8;
	let mut hashes = Vec::new();
	for node in nodes {
		node.wait_for_finalized(target, LIMIT).await?;
		hashes.push(node.rpc()?.hash_at(target).await?.context("a final block without hash")?);
	}
	ensure!(hashes.iter().all(|hash| *hash == hashes[0]), "they disagree: {hashes:?}");
	let mut paid = Vec::new();
	for node in nodes {
		let api = connect(node).await?;
		paid.push((
			free_balance(&api, &here.public_key()).await?,
			free_balance(&api, &there.public_key()).await?,
		));
	}
	ensure!(paid.iter().all(|each| *each == (AIT, 0) || *each == (0, AIT)), "{paid:?}");
	ensure!(paid.iter().all(|each| *each == paid[0]), "{paid:?}");
	for node in nodes {
		node.assert_no_errors();
	}
	Ok(())
}
