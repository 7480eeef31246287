//! An authority's session keys, as `docs/operations/node.md` has them made and announced.

use anyhow::{Context, Result};
use gridproof_e2e::{Node, NodeConfig, reserve::gridproof};
use serde_json::Value;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// The keys that the only authority has announced last.
async fn announced(url: &str) -> Result<String> {
	let listed = gridproof(&["validator", "list", "--url", url]).await?.done()?;
	let authorities = listed.as_array().context("a list")?;
	assert_eq!(authorities.len(), 1, "{listed}");
	Ok(authorities[0]["keys"].as_str().context("it has keys")?.to_owned())
}

fn text<'a>(document: &'a Value, member: &str) -> Result<&'a str> {
	document[member].as_str().with_context(|| format!("no {member} in {document}"))
}

#[tokio::test]
async fn session_keys_are_rotated_in_one_step_or_in_two_and_only_by_an_authority() -> Result<()> {
	let mut config = NodeConfig::development();
	config.arguments.extend(["--rpc-methods", "unsafe"].map(str::to_owned));
	let node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let url = node.rpc_url();
	let first = announced(&url).await?;
	let rotated = gridproof(&["validator", "rotate", "--suri", "//Alice", "--url", &url]).await?;
	let rotated = rotated.done()?;
	let second = announced(&url).await?;
	assert_ne!(second, first);
	assert_eq!(text(&rotated, "keys")?, second);

	// Where the account is not on the validator's machine.
	let owner = text(&rotated, "account")?;
	let made = gridproof(&["validator", "keys", "--owner", owner, "--url", &url]).await?.done()?;
	assert_eq!(announced(&url).await?, second, "made, and not announced");
	let (keys, proof) = (text(&made, "keys")?, text(&made, "proof")?);
	let announce = ["validator", "announce", "--keys", keys, "--proof", proof, "--url", &url];
	// The proof is for its owner: nobody else announces these keys.
	let foreign = [&announce[..], &["--suri", "//Bob"]].concat();
	gridproof(&foreign).await?.assert_refused("is not an authority of this chain");
	let foreign = [&foreign[..], &["--not-yet"]].concat();
	gridproof(&foreign).await?.assert_refused("InvalidProof");
	gridproof(&[&announce[..], &["--suri", "//Alice"]].concat()).await?.done()?;
	assert_eq!(announced(&url).await?, keys);
	Ok(())
}
