//! Requests that a channel pays for, from a client's own front to the settlement batch: real processes,
//! with OpenAI's library as the client. Every receipt is proven, and money adds up to the last unit,
//! also when the coordinator and a miner are killed under load.

mod soak;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use gridproof_compute_api::{ChannelClient, protocol::IssuedReceipt};
use gridproof_e2e::{
	channels::{Client, ROWS, Settled, prove},
	clients::{python, python_script, run},
	compute::{CLIENT, Compute, account},
	wait,
};
use gridproof_primitives::{H256, compute::channels::ChannelView, num::units::AIT};
use serde_json::{Value, json};
use std::{collections::BTreeSet, process::Command, time::Duration};

const LIMIT: Duration = Duration::from_secs(120);
/// What the channel is opened with, in AIT.
const DEPOSIT: u128 = 20;

async fn start(compute: &Compute) -> Result<Client> {
	Client::start(compute, "front", CLIENT, DEPOSIT).await
}

/// Has a text continued; the receipt with its signatures. The model ends at its first token now and
/// then: such an answer costs nothing and is an error, so another one is asked for.
async fn ask(client: &Client, model: &str, number: usize) -> Result<IssuedReceipt> {
	let body = json!({
		"model": model,
		"prompt": format!("Question {number}"),
		"max_tokens": 6 + number % 9,
		"temperature": 0.8,
	});
	for _ in 0..5 {
		if let Some(issued) = client.asker().ask(&body).await? {
			return Ok(issued);
		}
	}
	anyhow::bail!("five answers without a text")
}

/// Waits until the chain has settled as many receipts as the coordinator has issued.
async fn wait_until_settled(client: &Client, compute: &Compute) -> Result<ChannelView> {
	wait::until("everything is settled", LIMIT, async || client.if_settled(compute).await).await
}

/// Proves that the coordinator has settled a receipt as it was issued.
async fn prove_issued(compute: &Compute, issued: &IssuedReceipt) -> Result<()> {
	let client = ChannelClient::new(&compute.url)?;
	let id = issued.receipt.receipt.id(&compute.chain.genesis());
	let proven = prove(compute, &client, id).await?;
	ensure!(proven == issued.receipt, "another receipt was settled");
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_own_front_pays_by_channel_and_every_receipt_is_proven() -> Result<()> {
	let compute = Compute::start().await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	let before = compute.wealth(&account(CLIENT)?).await?;
	let client = start(&compute).await?;
	let model = compute.model().await?;

	let asked = stream::iter(0..60).map(|number| ask(&client, &model, number)).buffer_unordered(16);
	let mut issued: Vec<IssuedReceipt> = Vec::new();
	for answer in asked.collect::<Vec<_>>().await {
		issued.push(answer?);
	}
	issued.extend(clients_of_openai(&client, &model).await?);
	let view = wait_until_settled(&client, &compute).await?;

	// Each voucher has one receipt, and together they are what the channel paid.
	let price: u128 = issued.iter().map(|one| one.receipt.receipt.price).sum();
	let counts: BTreeSet<u64> = issued.iter().map(|one| one.receipt.sums.channel.count).collect();
	assert_eq!((view.channel.settled.price, counts.len()), (price, issued.len()));
	let settled = Settled::since(&compute, first + 1).await?;
	assert_eq!((settled.receipts, settled.price), (view.channel.settled.count, price));
	assert_eq!(settled.shares.iter().sum::<u128>(), price, "nothing is lost between the lists");
	assert_eq!(settled.by_miner.values().sum::<u128>(), settled.shares[2]);
	assert_eq!(settled.refused, []);
	ensure!(settled.by_miner.len() == 2, "a miner did nothing");
	let after = compute.wealth(&account(CLIENT)?).await?;
	let fees = settled.fees_of(&account(CLIENT)?);
	assert_eq!(before - after, DEPOSIT * AIT + ROWS + fees, "the client paid the deposit");
	let escrow = compute.wealth(&Compute::escrow()).await?;
	assert_eq!(escrow, DEPOSIT * AIT - price + ROWS, "what is left lies in the pallet's account");
	println!("{} receipts in {} batches for {price}", settled.receipts, settled.batches);

	let status = client.status().await?;
	assert_eq!(status["spent"], price.to_string(), "{status}");
	for one in &issued {
		prove_issued(&compute, one).await?;
	}
	compute.node.assert_no_errors();
	Ok(())
}

/// OpenAI's own library, unchanged, at the client's front; the receipts of what it asked for.
async fn clients_of_openai(client: &Client, model: &str) -> Result<Vec<IssuedReceipt>> {
	let mut python = Command::new(python()?);
	python.arg(python_script("openai_client.py"));
	python.env("OPENAI_BASE_URL", format!("{}/v1", client.url));
	python.envs([("OPENAI_API_KEY", "none"), ("MODEL", model), ("PAID_BY", "channel")]);
	let printed = tokio::task::spawn_blocking(move || run(&mut python)).await??;
	let said: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
	["chat", "stream", "completion", "embedding"]
		.iter()
		.map(|kind| {
			let hex = said[kind].as_str().with_context(|| format!("no {kind} in {said}"))?;
			Ok(IssuedReceipt::from_header(hex)?)
		})
		.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_a_channel_pays_each_receipt_once_and_loses_no_request() -> Result<()> {
	let mut compute = Compute::start().await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	let client = start(&compute).await?;
	let model = compute.model().await?;
	let (mut answered, mut failed) = (Vec::new(), 0usize);
	for round in 0..4 {
		let numbers = round * 20..(round + 1) * 20;
		let asking = stream::iter(numbers)
			.map(|number| ask(&client, &model, number))
			.buffer_unordered(6)
			.collect::<Vec<_>>();
		let killing = async {
			tokio::time::sleep(Duration::from_millis(400 + 130 * round as u64)).await;
			match round % 2 {
				0 => {
					compute.coordinator.launch()?;
					compute.wait_for_coordinator().await
				},
				_ => compute.miners.get_mut(round / 2).context("a miner")?.launch(),
			}
		};
		let (answers, killed) = tokio::join!(asking, killing);
		killed?;
		for answer in answers {
			match answer {
				Ok(issued) => answered.push(issued),
				// A client that was cut off pays nothing unless it gets a receipt.
				Err(_) => failed += 1,
			}
		}
		compute.wait_for_miners(2).await?;
	}
	println!("{} answered, {failed} cut off", answered.len());
	ensure!(answered.len() >= 40, "more than half of all requests were cut off");
	// What was cut off is closed by the front: then nothing is open, and everything is settled.
	let view = wait_until_settled(&client, &compute).await?;
	let settled = Settled::since(&compute, first + 1).await?;
	assert_eq!(settled.receipts, view.channel.settled.count);
	assert_eq!(settled.price, view.channel.settled.price);
	assert_eq!(settled.shares.iter().sum::<u128>(), settled.price);
	assert_eq!(settled.refused, []);
	let ids: BTreeSet<H256> =
		answered.iter().map(|one| one.receipt.receipt.id(&compute.chain.genesis())).collect();
	assert_eq!(ids.len(), answered.len(), "each answer has a receipt of its own");
	let price: u128 = answered.iter().map(|one| one.receipt.receipt.price).sum();
	ensure!(price <= settled.price, "an answer's receipt was not settled");
	for one in &answered {
		prove_issued(&compute, one).await?;
	}
	let status = client.status().await?;
	assert_eq!(
		status["spent"],
		settled.price.to_string(),
		"the client knows what it paid: {status}"
	);
	assert_eq!((&status["open"], &status["distrust"]), (&json!("0"), &Value::Null));
	Ok(())
}
