//! `gridproof audit` of chains on which money moved in every way, nodes killed among it: nothing differs,
//! however often it is asked and wherever it begins.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	compute::{CLIENT, Compute},
	reserve::{ISSUER, Reserve, gridproof, load},
	transfers::account,
};
use gridproof_keys::account::address;
use gridproof_primitives::time::day::Day;
use serde_json::Value;
use std::{fs, time::Duration};

const LIMIT: Duration = Duration::from_secs(120);
const DAY: Duration = Duration::from_secs(12);

/// Audits a chain that has to be right; gives what the command says.
async fn right(url: &str, more: &[&str]) -> Result<Value> {
	let outcome = gridproof(&[&["audit", "--url", url][..], more].concat()).await?.done()?;
	ensure!(outcome["difference"].is_null(), "{outcome}");
	Ok(outcome)
}

fn number(outcome: &Value, member: &str) -> Result<u64> {
	outcome[member].as_u64().with_context(|| format!("no {member}: {outcome}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_channels_and_emission_come_out_of_the_blocks_although_the_node_was_killed()
-> Result<()> {
	let mut compute = Compute::start().await?;
	let url = compute.node.rpc_url();
	let mut buy = vec!["plan", "buy", "tiny", "--coordinator", &compute.url];
	buy.extend(["--suri", CLIENT, "--url", &url]);
	gridproof(&buy).await?.done()?;
	for _ in 0..3 {
		compute.complete("The light", 12).await?;
	}
	compute.wait_until_settled(LIMIT).await?;
	compute.wait_for_next_step().await?;
	compute.node.kill();
	compute.node.restart().await?;
	compute.reconnect().await?;
	compute.complete("The dark", 8).await?;
	compute.wait_until_settled(LIMIT).await?;

	let folder = tempfile::tempdir()?;
	let path = |name: &str| folder.path().join(name).display().to_string();
	let (state, report, key) = (path("state.json"), path("report.json"), path("key.json"));
	gridproof(&["keys", "new", "--role", "data", &key]).await?.done()?;
	let whole = right(&url, &["--state", &state, "--every", "16"]).await?;
	// A channel, and four jobs that were opened and settled.
	ensure!(number(&whole, "from")? == 1 && number(&whole, "deeds")? >= 9, "{whole}");

	// It continues where it stopped, and says in a signed file what it saw.
	compute.complete("The dusk", 8).await?;
	compute.wait_until_settled(LIMIT).await?;
	let more = ["--state", &state, "--report", &report, "--key", &key];
	let next = right(&url, &more).await?;
	ensure!(number(&next, "from")? == 1 && number(&next, "to")? > number(&whole, "to")?, "{next}");
	let signed: Value = serde_json::from_slice(&fs::read(&report)?)?;
	let signed_report: Value = serde_json::from_str(signed["report"].as_str().context("none")?)?;
	assert_eq!(signed_report["outcome"], next);

	// From the middle on it is the same chain.
	let from = (number(&whole, "to")? / 2).to_string();
	let to = number(&whole, "to")?.to_string();
	right(&url, &["--from", &from, "--to", &to, "--every", "1"]).await?;

	// Books that say something else than the chain are named, with exit code 1.
	let kept: Value = serde_json::from_slice(&fs::read(&state)?)?;
	let mut altered = kept.clone();
	altered["books"]["supplies"][2] = Value::from("7");
	fs::write(&state, serde_json::to_vec(&altered)?)?;
	compute.node.wait_for_finalized(number(&next, "to")? + 2, LIMIT).await?;
	let run = gridproof(&["audit", "--url", &url, "--state", &state]).await?;
	ensure!(!run.success, "{:?}", run.json);
	assert_eq!(run.json["difference"]["item"], "supply of KWH");
	assert_eq!(run.json["difference"]["derived"], "7");
	Ok(())
}

#[tokio::test]
async fn statements_mints_and_redemptions_come_out_of_the_blocks() -> Result<()> {
	let folder = tempfile::Builder::new().prefix("gridproof-e2e-audit-").tempdir()?;
	let stated = Day::parse("2025-03-24").map_err(|error| anyhow::anyhow!("{error}"))?;
	load(folder.path(), stated).await?;
	let reserve = Reserve::start(folder, DAY).await?;
	let file = reserve.path("good.json");
	reserve.plan(stated, &file, "92.37", None).await?;
	reserve.sign(&file, &[(1, "data"), (3, "ops")]).await?;
	reserve.wait_for_day(stated.next().context("a next day")?).await?;
	reserve.submit(&file).await?;
	let url = reserve.url();
	let bob = address(&account("//Bob")?.public_key().0);
	for order in [
		&["policy", "mint", "--amount", "1000", "--suri", ISSUER][..],
		&["policy", "spend", "--amount", "500", "--to", &bob, "--suri", "//Alice"],
		&["policy", "redeem", "--amount", "100", "--suri", "//Bob"],
		&["policy", "mint", "--amount", "7", "--suri", ISSUER],
	] {
		// The last one may come a day late: what is refused changes nothing either.
		let run = gridproof(&[order, &["--url", &url]].concat()).await?;
		ensure!(run.success || order[3] == "7", "{order:?}: {}", run.said);
	}
	let today = reserve.today().await?;
	reserve.wait_for_day(today.next().context("a next day")?).await?;
	let outcome = right(&url, &["--every", "8"]).await?;
	ensure!(number(&outcome, "deeds")? > 3, "{outcome}");
	Ok(())
}
