//! Requests that a channel pays for, from a client's own front to the settlement batch: real processes,
//! with OpenAI's library as the client. Every receipt is proven, and money adds up to the last unit,
//! also when the coordinator and a miner are killed under load.

use anyhow::{Context, Result, ensure};
use codec::DecodeAll;
use futures::{StreamExt, stream};
use gridproof_chain::{
	Chain, Event,
	event::RawEvent,
	pallets::{
		compute_receipts::{
			event::{BatchRefused, BatchSettled, MinerSettled},
			query,
		},
		transaction_payment::event::TransactionFeePaid,
	},
};
use gridproof_compute_api::protocol::IssuedReceipt;
use gridproof_e2e::{
	clients::{python, python_script, run},
	compute::{CLIENT, Compute, account},
	front::Front,
	wait,
};
use gridproof_primitives::{
	H256,
	compute::channels::{ChannelView, ReceiptProof, SettlementHeader},
	num::units::AIT,
};
use serde_json::{Value, json};
use std::{
	collections::{BTreeMap, BTreeSet},
	process::Command,
	time::Duration,
};

const LIMIT: Duration = Duration::from_secs(120);
/// What the channel is opened with, in AIT.
const DEPOSIT: u128 = 20;
/// Deposit for a channel's rows, in 10⁻¹⁸ AIT.
const ROWS: u128 = AIT / 100 * 65;

/// A client with a channel and a front of its own.
struct Client {
	front: Front,
	http: reqwest::Client,
}

impl Client {
	/// Opens a channel and starts the front.
	async fn start(compute: &Compute) -> Result<Self> {
		let front = Front::start(compute, DEPOSIT).await?;
		Ok(Self { front, http: reqwest::Client::builder().timeout(LIMIT).build()? })
	}

	/// Has a text continued; the receipt with its signatures. The model ends at its first token now and
	/// then: such an answer costs nothing and is an error, so another one is asked for.
	async fn ask(&self, model: &str, number: usize) -> Result<IssuedReceipt> {
		for _ in 0..5 {
			if let Some(issued) = self.ask_once(model, number).await? {
				return Ok(issued);
			}
		}
		anyhow::bail!("five answers without a text")
	}

	async fn ask_once(&self, model: &str, number: usize) -> Result<Option<IssuedReceipt>> {
		let body = json!({
			"model": model,
			"prompt": format!("Question {number}"),
			"max_tokens": 6 + number % 9,
			"temperature": 0.8,
		});
		let request = self.http.post(format!("{}/v1/completions", self.front.url)).json(&body);
		let answer = request.send().await?;
		let status = answer.status();
		let issued = answer.headers().get("gridproof-receipt").cloned();
		let body = answer.text().await?;
		if status == reqwest::StatusCode::BAD_GATEWAY {
			return Ok(None);
		}
		ensure!(status.is_success(), "{status}: {body}");
		issued_receipt(issued.context("no receipt")?.to_str()?).map(Some)
	}

	/// What the front says of the channel.
	async fn status(&self) -> Result<Value> {
		Ok(self.http.get(format!("{}/api/v1/front", self.front.url)).send().await?.json().await?)
	}

	/// The channel as the chain has it.
	async fn on_chain(&self, chain: &Chain) -> Result<ChannelView> {
		chain.read(&query::channel(self.front.channel)).await?.context("the channel is gone")
	}

	/// Waits until the chain has settled as many receipts as the coordinator has issued.
	async fn wait_until_settled(&self, compute: &Compute) -> Result<ChannelView> {
		let held = format!("/v1/channels/{}", self.front.channel);
		wait::until("everything is settled", LIMIT, async || {
			let held = compute.get(&held).await?;
			let view = self.on_chain(&compute.chain).await?;
			let issued = held["receipts"].as_u64().context("no number of receipts")?;
			let is_open = held["open"] != "0";
			Ok((!is_open && issued == view.channel.settled.count).then_some(view))
		})
		.await
	}
}

fn issued_receipt(hex: &str) -> Result<IssuedReceipt> {
	let bytes = hex::decode(hex.trim_start_matches("0x"))?;
	Ok(IssuedReceipt::decode_all(&mut &bytes[..])?)
}

/// What batches did, by the chain's events.
#[derive(Default)]
struct Settled {
	batches: usize,
	receipts: u64,
	price: u128,
	line_fees: u128,
	/// Treasury, coordinator, miners.
	shares: [u128; 3],
	by_miner: BTreeMap<[u8; 32], u128>,
	fees: BTreeMap<[u8; 32], u128>,
}

impl Settled {
	async fn since(compute: &Compute, first: u64) -> Result<Self> {
		let (last, _) = compute.node.rpc()?.finalized().await?;
		let chain = Chain::connect(&compute.node.rpc_url()).await?;
		let mut settled = Self::default();
		for number in first..=last {
			for event in chain.events(number).await? {
				settled.note(&event)?;
			}
		}
		Ok(settled)
	}

	fn note(&mut self, event: &RawEvent) -> Result<()> {
		if let Some(batch) = read::<BatchSettled>(event)? {
			self.batches += 1;
			self.receipts += batch.sums.receipts;
			self.price += batch.sums.price;
			self.line_fees += batch.fee;
		}
		if let Some(line) = read::<MinerSettled>(event)? {
			let of = [line.shares.treasury, line.shares.coordinator, line.shares.miner];
			for (sum, share) in self.shares.iter_mut().zip(of) {
				*sum += share;
			}
			*self.by_miner.entry(line.miner).or_default() += line.shares.miner;
		}
		if let Some(fee) = read::<TransactionFeePaid>(event)? {
			*self.fees.entry(fee.who).or_default() += fee.actual_fee;
		}
		ensure!(!event.is::<BatchRefused>(), "a batch was refused: {event:?}");
		Ok(())
	}
}

fn read<E: Event>(event: &RawEvent) -> Result<Option<E>> {
	Ok(event.read().transpose()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_own_front_pays_by_channel_and_every_receipt_is_proven() -> Result<()> {
	let compute = Compute::start().await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	let before = compute.wealth(&account(CLIENT)?).await?;
	let client = Client::start(&compute).await?;
	let model = compute.model().await?;

	let asked = stream::iter(0..60).map(|number| client.ask(&model, number)).buffer_unordered(16);
	let mut issued: Vec<IssuedReceipt> = Vec::new();
	for answer in asked.collect::<Vec<_>>().await {
		issued.push(answer?);
	}
	issued.extend(clients_of_openai(&client, &model).await?);
	let view = client.wait_until_settled(&compute).await?;

	// Each voucher has one receipt, and together they are what the channel paid.
	let price: u128 = issued.iter().map(|one| one.receipt.receipt.price).sum();
	let counts: BTreeSet<u64> = issued.iter().map(|one| one.receipt.sums.channel.count).collect();
	assert_eq!((view.channel.settled.price, counts.len()), (price, issued.len()));
	let settled = Settled::since(&compute, first + 1).await?;
	assert_eq!((settled.receipts, settled.price), (view.channel.settled.count, price));
	assert_eq!(settled.shares.iter().sum::<u128>(), price, "nothing is lost between the lists");
	assert_eq!(settled.by_miner.values().sum::<u128>(), settled.shares[2]);
	ensure!(settled.by_miner.len() == 2, "a miner did nothing");
	let after = compute.wealth(&account(CLIENT)?).await?;
	let fees = settled.fees.get(&account(CLIENT)?).copied().unwrap_or(0);
	assert_eq!(before - after, DEPOSIT * AIT + ROWS + fees, "the client paid the deposit");
	let escrow = compute.wealth(&Compute::escrow()).await?;
	assert_eq!(escrow, DEPOSIT * AIT - price + ROWS, "what is left lies in the pallet's account");
	println!("{} receipts in {} batches for {price}", settled.receipts, settled.batches);

	let status = client.status().await?;
	assert_eq!(status["spent"], price.to_string(), "{status}");
	for one in &issued {
		prove(&compute, one).await?;
	}
	compute.node.assert_no_errors();
	Ok(())
}

/// Proves a receipt against the header that the coordinator published and the chain has.
async fn prove(compute: &Compute, issued: &IssuedReceipt) -> Result<()> {
	let genesis = compute.chain.genesis();
	let receipt = &issued.receipt;
	receipt
		.verify_coordinator(&genesis, &compute.coordinator_key, &issued.coordinator_signature)
		.map_err(|error| anyhow::anyhow!("the coordinator's signature: {error:?}"))?;
	let id = receipt.receipt.id(&genesis);
	let shown = compute.get(&format!("/v1/receipts/{id:#x}")).await?;
	let bytes = |name: &str| -> Result<Vec<u8>> {
		let text = shown[name].as_str().with_context(|| format!("no {name} in {shown}"))?;
		Ok(hex::decode(text.trim_start_matches("0x"))?)
	};
	let header = SettlementHeader::decode_all(&mut &bytes("header")?[..])?;
	let proof = ReceiptProof::decode_all(&mut &bytes("proof")?[..])?;
	proof.verify(&header).map_err(|error| anyhow::anyhow!("{error}"))?;
	assert_eq!((shown["stage"].as_str(), &proof.receipt.item), (Some("final"), receipt));
	let headers = headers_down_to(compute, &header).await?;
	let on_chain = compute.chain.read(&query::header_chain(&compute.coordinator_key)).await?;
	ensure!(on_chain.ends_with(&headers), "the chain has no such header");
	Ok(())
}

/// The coordinator's headers, from the last to this one.
async fn headers_down_to(
	compute: &Compute,
	header: &SettlementHeader,
) -> Result<Vec<SettlementHeader>> {
	let on_chain = compute.chain.read(&query::header_chain(&compute.coordinator_key)).await?;
	let mut headers = Vec::new();
	for sequence in (header.sequence..on_chain.next_sequence).rev() {
		let batch = compute.get(&format!("/v1/batches/{sequence}")).await?;
		let text = batch["header"].as_str().context("no header")?;
		let bytes = hex::decode(text.trim_start_matches("0x"))?;
		headers.push(SettlementHeader::decode_all(&mut &bytes[..])?);
	}
	ensure!(headers.last() == Some(header), "the coordinator publishes another header");
	Ok(headers)
}

/// OpenAI's own library, unchanged, at the client's front; the receipts of what it asked for.
async fn clients_of_openai(client: &Client, model: &str) -> Result<Vec<IssuedReceipt>> {
	let mut python = Command::new(python()?);
	python.arg(python_script("openai_client.py"));
	python.env("OPENAI_BASE_URL", format!("{}/v1", client.front.url));
	python.envs([("OPENAI_API_KEY", "none"), ("MODEL", model), ("PAID_BY", "channel")]);
	let printed = tokio::task::spawn_blocking(move || run(&mut python)).await??;
	let said: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
	["chat", "stream", "completion", "embedding"]
		.iter()
		.map(|kind| {
			let hex = said[kind].as_str().with_context(|| format!("no {kind} in {said}"))?;
			issued_receipt(hex)
		})
		.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_a_channel_pays_each_receipt_once_and_loses_no_request() -> Result<()> {
	let mut compute = Compute::start().await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	let client = Client::start(&compute).await?;
	let model = compute.model().await?;
	let (mut answered, mut failed) = (Vec::new(), 0usize);
	for round in 0..4 {
		let numbers = round * 20..(round + 1) * 20;
		let asking = stream::iter(numbers)
			.map(|number| client.ask(&model, number))
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
	let view = client.wait_until_settled(&compute).await?;
	let settled = Settled::since(&compute, first + 1).await?;
	assert_eq!(settled.receipts, view.channel.settled.count);
	assert_eq!(settled.price, view.channel.settled.price);
	assert_eq!(settled.shares.iter().sum::<u128>(), settled.price);
	let ids: BTreeSet<H256> =
		answered.iter().map(|one| one.receipt.receipt.id(&compute.chain.genesis())).collect();
	assert_eq!(ids.len(), answered.len(), "each answer has a receipt of its own");
	let price: u128 = answered.iter().map(|one| one.receipt.receipt.price).sum();
	ensure!(price <= settled.price, "an answer's receipt was not settled");
	for one in &answered {
		prove(&compute, one).await?;
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
