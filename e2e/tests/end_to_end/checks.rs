//! Checks of settled work: five verifiers as real processes, whom the development chain knows, find a miner
//! that cheats, and a coordinator that keeps openings back; what they lose goes back to clients.

use anyhow::{Context, Result, ensure};
use gridproof_chain::pallets::compute_receipts::query;
use gridproof_compute_api::protocol::IssuedReceipt;
use gridproof_e2e::{
	channels::Client,
	checks::{Checked, Verifiers, Withholding, check_often},
	compute::{CLIENT, Compute},
	wait,
};
use gridproof_primitives::compute::checks::OpeningOutcome;
use serde_json::json;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
/// What the channel is opened with, in AIT.
const DEPOSIT: u128 = 20;
/// So many times the value of a check that is expected to find a cheat passes with a chance of e⁻¹².
const TIMES_EXPECTED: u128 = 12;

/// Has a text continued.
async fn ask(client: &Client, model: &str, number: usize) -> Result<IssuedReceipt> {
	let body = json!({
		"model": model,
		"prompt": format!("It is a truth, number {number},"),
		"max_tokens": 12,
		"temperature": 0.8,
	});
	for _ in 0..5 {
		if let Some(issued) = client.asker().ask(&body).await? {
			return Ok(issued);
		}
	}
	anyhow::bail!("five answers without a text")
}

/// A chain on which a check is expected for every three receipts or so; the price of these three.
async fn checked_chain() -> Result<(Compute, Client, String, u128)> {
	let compute = Compute::start().await?;
	let client = Client::start(&compute, "front", CLIENT, DEPOSIT).await?;
	let model = compute.model().await?;
	let value = ask(&client, &model, 0).await?.receipt.receipt.price * 3;
	check_often(&compute, value).await?;
	Ok((compute, client, model, value))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cheating_miner_is_caught_and_slashed_and_clients_get_back_what_they_paid() -> Result<()>
{
	let (mut compute, client, model, value) = checked_chain().await?;
	let mut verifiers = Verifiers::start(&compute, &compute.url).await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;

	// Honest work is checked, and nobody is accused.
	for number in 0..12 {
		ask(&client, &model, number).await?;
	}
	let honest = wait::until("honest work is checked", LIMIT, async || {
		let checked = Checked::since(&compute, first).await?;
		Ok((checked.reports.0 >= 2).then_some(checked))
	})
	.await?;
	ensure!(honest.reports.1 == 0 && honest.disputes.is_empty(), "{honest:?}");

	// From now on one of the two miners invents what it answers.
	compute.have_cheat(1, "invented").await?;
	// A verifier that is killed says nothing twice.
	verifiers.processes.first_mut().context("a verifier")?.launch()?;
	let (cheated, _) = compute.node.rpc()?.finalized().await?;
	let mut number = 100;
	let caught = wait::until("the miner is found guilty", LIMIT, async || {
		ask(&client, &model, number).await?;
		number += 1;
		let checked = Checked::since(&compute, cheated).await?;
		Ok((!checked.guilty.is_empty()).then_some(checked))
	})
	.await?;
	let [_, cheat] = compute.miner_keys[..] else { anyhow::bail!("two miners") };
	ensure!(caught.guilty.iter().all(|key| *key == cheat), "an honest miner is guilty: {caught:?}");
	ensure!(caught.disputes.iter().all(|guilty| *guilty == Some(true)), "{caught:?}");
	// Half of what is settled is the cheat's, so twice the value of a check is expected.
	let passed = caught.settled_until_found.context("no report")?;
	ensure!(passed <= 2 * value * TIMES_EXPECTED, "{passed} were settled before it was found");
	let offences = compute.on_chain_miner(&cheat).await?.party.offences;
	ensure!(offences > 0, "a guilty miner has no offence");

	let after = wait::until("clients get back what waited", LIMIT, async || {
		let checked = Checked::since(&compute, cheated).await?;
		Ok((checked.returned.1 > 0).then_some(checked))
	})
	.await?;
	ensure!(after.returned.0 > 0 && after.taken.contains(&cheat), "{after:?}");
	ensure!(after.punished == 0, "an honest verifier was punished: {after:?}");
	println!("found after {passed} of {value} a check; {after:?}");
	compute.node.assert_no_errors();
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_keeps_openings_back_loses_by_it() -> Result<()> {
	let (compute, client, model, _) = checked_chain().await?;
	let withholding = Withholding::start(&compute.url).await?;
	let _verifiers = Verifiers::start(&compute, &withholding.url).await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	for number in 0..12 {
		ask(&client, &model, number).await?;
	}
	let ended = wait::until("a demanded opening is not given", LIMIT, async || {
		let checked = Checked::since(&compute, first).await?;
		Ok((!checked.demands.is_empty()).then_some(checked))
	})
	.await?;
	ensure!(withholding.asked() > 0, "nobody asked for an opening");
	ensure!(ended.demands.iter().all(|outcome| *outcome == OpeningOutcome::Withheld), "{ended:?}");
	ensure!(ended.returned.0 > 0, "the receipt's price did not go back: {ended:?}");
	ensure!(ended.reports == (0, 0) && ended.punished == 0, "{ended:?}");
	let coordinator = compute.chain.read(&query::coordinator(&compute.coordinator_key)).await?;
	let offences = coordinator.context("no coordinator")?.party.offences;
	ensure!(offences > 0, "a guilty coordinator has no offence");
	// Miners are not to blame.
	for key in &compute.miner_keys {
		ensure!(compute.on_chain_miner(key).await?.party.offences == 0, "a miner was punished");
	}
	Ok(())
}
