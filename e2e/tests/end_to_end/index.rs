//! `gridproof index` of running chains, killed in the middle: what it says is what the node says.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig,
	binary::command_binary,
	compute::Compute,
	metering::{LIMIT as METERING, Metering, Signer, log, minutes_ago},
	ports::free_ports,
	process::Process,
	reserve::gridproof,
	rpc::Rpc,
	transfers::{AIT, Api, account, connect, nonce, sign_transfers},
};
use gridproof_keys::account::address;
use gridproof_support::text::hexadecimal;
use serde_json::Value as Json;
use std::{collections::BTreeMap, path::Path, time::Duration};
use subxt::dynamic::{self, At, Value};
use subxt_signer::sr25519::dev;

const LIMIT: Duration = Duration::from_secs(120);
const MINUTE: u64 = 60_000;

/// A running index.
pub(crate) struct Index {
	process: Process,
	/// Address of its API.
	pub(crate) url: String,
	http: reqwest::Client,
}

impl Index {
	/// Starts one of a node's chain, in `data` of a folder.
	pub(crate) async fn start(node: &str, folder: &Path, more: &[&str]) -> Result<Self> {
		let [port] = free_ports()?;
		let listen = format!("127.0.0.1:{port}");
		let data = folder.join("index").display().to_string();
		let mut arguments = vec!["index", "--url", node, "--data", &data, "--listen", &listen];
		arguments.extend(more);
		let arguments = arguments.into_iter().map(str::to_owned).collect();
		let program = command_binary()?;
		let process = Process::start("index", &program, arguments, folder.join("index.log"))?;
		let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
		let mut index = Self { process, url: format!("http://{listen}"), http };
		index.wait_until_it_answers().await?;
		Ok(index)
	}

	async fn wait_until_it_answers(&mut self) -> Result<()> {
		let (http, url) = (self.http.clone(), format!("{}/api/v1/status", self.url));
		let probe = async || Ok(http.get(&url).send().await.ok().map(drop));
		self.process.wait("the index answers", LIMIT, probe).await
	}

	/// Kills it at once, and starts it again.
	async fn kill(&mut self) -> Result<()> {
		self.process.kill();
		self.process.launch()?;
		self.wait_until_it_answers().await
	}

	async fn get(&self, path: &str) -> Result<Json> {
		let answer = self.http.get(format!("{}{path}", self.url)).send().await?;
		let (status, text) = (answer.status(), answer.text().await?);
		ensure!(status.is_success(), "{path}: {status} {text}");
		Ok(serde_json::from_str(&text)?)
	}

	/// All entries of a list, oldest first.
	async fn all(&self, path: &str) -> Result<Vec<Json>> {
		let (mut entries, mut cursor) = (Vec::new(), String::new());
		let sign = if path.contains('?') { '&' } else { '?' };
		loop {
			let page = self.get(&format!("{path}{sign}order=asc&limit=50{cursor}")).await?;
			entries.extend(page["entries"].as_array().context("no entries")?.iter().cloned());
			match page["next"].as_str() {
				Some(next) => cursor = format!("&cursor={next}"),
				None => return Ok(entries),
			}
		}
	}

	async fn height(&self) -> Result<Option<u64>> {
		Ok(self.get("/api/v1/status").await?["last"].as_u64())
	}

	pub(crate) async fn wait_for(&mut self, height: u64) -> Result<()> {
		let (http, url) = (self.http.clone(), format!("{}/api/v1/status", self.url));
		let probe = async || {
			let status: Json = http.get(&url).send().await?.json().await?;
			Ok(status["last"].as_u64().filter(|last| *last >= height).map(drop))
		};
		self.process.wait(&format!("block {height} is indexed"), LIMIT, probe).await
	}
}

fn number(json: &Json, member: &str) -> Result<u64> {
	json[member].as_u64().with_context(|| format!("no number {member}: {json}"))
}

fn amount(json: &Json, member: &str) -> Result<u128> {
	let text = json[member].as_str().with_context(|| format!("no amount {member}: {json}"))?;
	Ok(text.parse()?)
}

/// What there is of AIT, AICP and KWH after a block, as the node's state has it.
async fn supplies(api: &Api, height: u64) -> Result<[u128; 3]> {
	let block = api.at_block(height).await?;
	let storage = block.storage();
	let native = dynamic::storage::<Vec<Value>, Value>("Balances", "TotalIssuance");
	let native = storage.fetch(native, vec![]).await?.decode()?;
	let mut all = [native.as_u128().context("no issuance")?, 0, 0];
	for (place, asset) in [(1, 1u128), (2, 2)] {
		let address = dynamic::storage::<Vec<Value>, Value>("Assets", "Asset");
		let row = storage.try_fetch(address, vec![Value::u128(asset)]).await?;
		if let Some(row) = row {
			let row = row.decode()?;
			all[place] = row.at("supply").and_then(Value::as_u128).context("no supply")?;
		}
	}
	Ok(all)
}

/// Compares blocks with those of the node: hash, number of transactions, number of events.
async fn compare_blocks(index: &Index, rpc: &Rpc, api: &Api, to: u64) -> Result<()> {
	let blocks = index.all(&format!("/api/v1/blocks?to={to}")).await?;
	ensure!(u64::try_from(blocks.len())? == to + 1, "{} of {to} blocks", blocks.len());
	for (height, block) in (0..).zip(&blocks) {
		ensure!(number(block, "height")? == height, "a gap before {block}");
		let hash = rpc.hash_at(height).await?.context("no such block")?;
		ensure!(block["hash"] == hash.as_str(), "{hash}: {block}");
		let count = rpc.extrinsics(&hash).await?.len();
		ensure!(number(block, "transactions")? == u64::try_from(count)?, "{count}: {block}");
		let events = api.at_block(height).await?.events().fetch().await?.len();
		ensure!(number(block, "events")? == u64::from(events), "{events}: {block}");
	}
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_blocks_and_supplies_are_the_nodes_although_the_index_was_killed() -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	let folder = tempfile::tempdir()?;
	let (api, rpc) = (connect(&node).await?, node.rpc()?);
	let (sender, receiver) = (dev::ferdie(), account("//indexed")?.public_key());
	let mut index = Index::start(&node.rpc_url(), folder.path(), &["--at-once", "4"]).await?;

	let mut sent = 0;
	for round in 0..4u64 {
		let first = nonce(&api, &sender.public_key()).await?;
		let signed = sign_transfers(&api, &sender, &receiver, AIT + u128::from(round), first, 40);
		for transaction in signed.await? {
			rpc.submit(&transaction).await?;
			sent += 1;
		}
		// In the middle of it, wherever it is.
		index.kill().await?;
		let height = rpc.finalized().await?.0;
		node.wait_for_finalized(height + 4, LIMIT).await?;
	}
	let (height, _) = rpc.finalized().await?;
	index.wait_for(height).await?;
	compare_blocks(&index, rpc, &api, height).await?;

	let who = address(&receiver.0);
	let transfers = index.all(&format!("/api/v1/transfers?account={who}&token=AIT")).await?;
	ensure!(transfers.len() == sent, "{} of {sent} transfers", transfers.len());
	let mut sum = 0;
	for transfer in &transfers {
		ensure!(transfer["to"] == who.as_str() && transfer["decimals"] == 18, "{transfer}");
		sum += amount(transfer, "amount")?;
	}
	ensure!(sum == gridproof_e2e::transfers::free_balance(&api, &receiver).await?, "{sum}");

	// Each was signed once, and cost what the sender no longer has.
	let ferdie = address(&sender.public_key().0);
	let signed = index.all(&format!("/api/v1/transactions?signer={ferdie}")).await?;
	ensure!(signed.len() == sent, "{} of {sent} transactions", signed.len());
	ensure!(signed.iter().all(|one| one["ok"] == true && one["fee"].is_string()), "{signed:?}");
	let nonces: Vec<u64> = signed.iter().map(|one| number(one, "nonce")).collect::<Result<_>>()?;
	ensure!(nonces.windows(2).all(|two| two[0] + 1 == two[1]), "{nonces:?}");
	let history = index.all(&format!("/api/v1/accounts/{ferdie}/history")).await?;
	ensure!(history.len() > 2 * sent, "{}", history.len());

	let last = index.get("/api/v1/supplies").await?;
	let last = last.as_array().and_then(|points| points.last()).context("no supplies")?.clone();
	let indexed = [amount(&last, "ait")?, amount(&last, "aicp")?, amount(&last, "kwh")?];
	assert_eq!(indexed, supplies(&api, height).await?);

	let hash = rpc.hash_at(3).await?.context("no block 3")?;
	let found = index.get(&format!("/api/v1/search?q={hash}")).await?;
	ensure!(found[0]["kind"] == "block" && found[0]["height"] == 3, "{found}");
	let found = index.get(&format!("/api/v1/search?q={who}")).await?;
	ensure!(found[0]["kind"] == "account", "{found}");
	let health = index.get("/health").await?;
	ensure!(health["status"] == "ok", "{health}");

	// Another chain's node is refused, and the folder stays as it is.
	index.process.kill();
	let other = Node::start(NodeConfig::new("other", "local", 9)).await?;
	let data = folder.path().join("index").display().to_string();
	let run = gridproof(&["index", "--url", &other.rpc_url(), "--data", &data]).await?;
	run.assert_refused("name a node of that chain, or another folder");
	index.process.launch()?;
	index.wait_until_it_answers().await?;
	ensure!(index.height().await? >= Some(height));
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_what_they_paid_are_what_the_chain_says() -> Result<()> {
	let mut compute = Compute::start().await?;
	let folder = tempfile::tempdir()?;
	let mut index = Index::start(&compute.node.rpc_url(), folder.path(), &[]).await?;
	let mut jobs = Vec::new();
	for prompt in ["The light", "The dark"] {
		jobs.push(compute.complete(prompt, 8).await?.job);
		index.kill().await?;
	}
	compute.wait_until_settled(LIMIT).await?;
	compute.wait_for_next_step().await?;
	let (height, _) = compute.node.rpc()?.finalized().await?;
	index.wait_for(height).await?;

	let mut paid = BTreeMap::<String, u128>::new();
	for job in &jobs {
		let indexed = index.get(&format!("/api/v1/compute/jobs/{job}")).await?;
		let on_chain = compute.on_chain(job).await?;
		ensure!(indexed["state"] == "settled" && indexed["asset"] == "ait", "{indexed}");
		assert_eq!(amount(&indexed, "price")?, on_chain.price);
		let miner = indexed["miner"].as_str().context("no miner")?.to_owned();
		*paid.entry(miner).or_default() += amount(&indexed, "paid")?;
		let found = index.get(&format!("/api/v1/search?q={job}")).await?;
		ensure!(found[0]["kind"] == "job", "{found}");
	}
	// A miner's own share is part of what was paid, and emission came on top.
	for (miner, most) in paid {
		let payments = index.all(&format!("/api/v1/compute/miners/{miner}/payments")).await?;
		let of = |what: &str| -> Result<u128> {
			let own = payments.iter().filter(|payment| payment["what"] == what);
			own.map(|payment| amount(payment, "amount")).sum()
		};
		let (receipts, emission) = (of("receipt")?, of("emission")?);
		ensure!(receipts > 0 && receipts < most, "{receipts} of {most}");
		let bytes = hex::decode(miner.trim_start_matches("0x"))?;
		let key = bytes.try_into().ok().context("a key has 32 bytes")?;
		let view = compute.on_chain_miner(&key).await?;
		assert_eq!(emission, view.party.minted, "{miner}");
	}
	let events = index.get("/api/v1/events?pallet=ComputeReceipts&name=ReceiptSettled").await?;
	ensure!(events["entries"].as_array().is_some_and(|all| all.len() == jobs.len()), "{events}");
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn energy_of_meters_adds_up_to_the_chains_own_totals() -> Result<()> {
	let (metering, meters) =
		Metering::start(&[("SITE-9/gw-1/m-1", Signer::Gateway)], 1_000, 3_600).await?;
	let folder = tempfile::tempdir()?;
	let mut index = Index::start(&metering.node.rpc_url(), folder.path(), &[]).await?;
	let meter = meters.first().context("a meter")?;
	let begin = minutes_ago(90);
	for minute in 0..3 {
		let start = begin + minute * MINUTE;
		let reading = log(&meter.name, start, start + MINUTE, "0.001");
		let (status, answer) = metering.post_log(meter, &reading).await?;
		ensure!(status == 200, "{answer}");
	}
	metering.flush().await?;
	index.kill().await?;
	metering.accepted(METERING).await?;
	let (height, _) = metering.node.rpc()?.finalized().await?;
	index.wait_for(height).await?;

	let state = metering.meter(meter.index).await?.state;
	let span = "from=2020-01-01T00:00:00Z&by=month";
	for path in [format!("meters/{}", meter.index), "sites/SITE-9".to_owned()] {
		let points = index.get(&format!("/api/v1/energy/{path}?{span}")).await?;
		let mut sums = [0; 3];
		for point in points.as_array().context("no points")? {
			for (sum, member) in sums.iter_mut().zip(["imported_wh", "exported_wh", "minted_wh"]) {
				*sum += number(point, member)?;
			}
		}
		ensure!(sums[0] + sums[1] > 0, "{points}");
		ensure!(u128::from(sums[2]) == metering.kwh_issuance().await?, "{points}");
	}
	let batches = index.all(&format!("/api/v1/energy/meters/{}/batches", meter.index)).await?;
	for batch in &batches {
		let sequence = number(batch, "sequence")?;
		let record = metering.on_chain(meter.index, sequence).await?.context("a batch")?;
		assert_eq!(batch["root"].as_str(), Some(hexadecimal(record.header.root.0).as_str()));
		assert_eq!(number(batch, "minted_wh")?, record.minted_wh);
	}
	ensure!(u64::try_from(batches.len())? == state.next_sequence, "{batches:?}");
	let found = index.get("/api/v1/search?q=SITE-9%2Fgw-1%2Fm-1").await?;
	ensure!(found[0]["kind"] == "meter", "{found}");
	Ok(())
}
