//! A development chain with a gateway beside it, and meters that are certified on it.

use crate::{
	binary::command_binary,
	node::{Node, NodeConfig},
	ports::free_ports,
	process::Process,
	reserve::gridproof,
	wait,
};
use anyhow::{Context, Result, ensure};
use gridproof_chain::{
	Chain, ChainError, Patience, Refusal,
	pallets::{
		meter_readings::{self, Meter, call::submit_batches},
		sudo,
	},
	refusal::PoolRefusal,
};
use gridproof_fleet::device_key;
use gridproof_gateway_api::{self as gateway_api, BatchState, BatchView, ListBatches};
use gridproof_keys::{
	AccountKey, KeyError, SealedKey,
	account::{development_signer, parse_account},
};
use gridproof_primitives::{
	energy::emlog::format_utc,
	energy::{BatchRecord, BatchRefusal, MeterIndex, MeterName, SignedBatch},
	num::units::{KWH_ASSET_ID, MILLIS_PER_DAY},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::{
	path::Path,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

/// How long starts and transactions may take on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);
/// The account whose meters these are.
pub const OWNER: &str = "//Bob";
/// Who certifies: the development chain's electrician.
const ELECTRICIAN: &str = "//Alice";

/// Whether the pool refused a list for a batch that breaks this rule.
pub fn breaks(error: &ChainError, refusal: &BatchRefusal) -> bool {
	matches!(error, ChainError::Refused(Refusal::Pool(PoolRefusal::Batch(code))) if code.is(refusal))
}

/// A node, a gateway, and the files around them.
pub struct Metering {
	/// The node.
	pub node: Node,
	/// The connection of the services.
	pub chain: Chain,
	/// The gateway.
	pub gateway: Process,
	/// Its HTTP API.
	pub http: String,
	/// A client of it, for all but what is on the wire.
	pub api: gateway_api::Client,
	/// The port of its MQTT server.
	pub mqtt: u16,
	/// Where files go.
	pub folder: TempDir,
	client: Client,
	/// What the gateway is started with.
	arguments: Vec<String>,
}

/// A certified meter, and what its device needs.
#[derive(Clone, Debug)]
pub struct Certified {
	/// Its ids.
	pub name: MeterName,
	/// Its number on chain.
	pub index: MeterIndex,
	/// The 1-of-2 account that its energy goes to.
	pub energy_account: [u8; 32],
	/// Its device's public key.
	pub device_key: [u8; 32],
	/// Name to log in with over MQTT and HTTP.
	pub username: String,
	/// Password for the same.
	pub password: String,
}

/// Who signs for a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
	/// Its device, over MQTT.
	Device,
	/// The gateway.
	Gateway,
}

impl Metering {
	/// Starts a development chain and a gateway; certifies meters `SITE/DEVICE/METER` that export,
	/// of `rated_w` each, a day ago. Batches are closed after `batch_seconds`, and by
	/// [`Metering::flush`].
	///
	/// # Errors
	/// When one of them does not start, or the chain refuses.
	pub async fn start(
		names: &[(&str, Signer)],
		rated_w: u32,
		batch_seconds: u32,
	) -> Result<(Self, Vec<Certified>)> {
		let folder = tempfile::Builder::new().prefix("gridproof-e2e-metering-").tempdir()?;
		let node = Node::start(NodeConfig::development()).await?;
		node.wait_for_finalized(2, LIMIT).await?;
		let chain = Chain::connect(&node.rpc_url()).await?;
		let_short_batches_be_free(&chain).await?;
		let mut certified = Vec::new();
		for (name, signer) in names {
			certified.push(certify(folder.path(), &node.rpc_url(), name, *signer, rated_w).await?);
		}
		let [http, mqtt] = free_ports()?;
		let data = folder.path().join("gateway");
		std::fs::create_dir_all(&data)?;
		admit(folder.path()).await?;
		let arguments =
			gateway_arguments(folder.path(), &node.rpc_url(), http, mqtt, batch_seconds);
		let log = folder.path().join("gateway.log");
		let gateway = Process::start("gateway", &command_binary()?, arguments.clone(), log)?;
		// Everything is plain HTTP on loopback, but the client wants a TLS provider anyway.
		let _ = rustls::crypto::ring::default_provider().install_default();
		let client =
			Client::builder().timeout(Duration::from_secs(30)).pool_max_idle_per_host(0).build()?;
		let http = format!("http://127.0.0.1:{http}");
		let api = gateway_api::Client::new(&http, None)?;
		let mut metering =
			Self { node, chain, gateway, http, api, mqtt, folder, client, arguments };
		metering.wait_for_gateway().await?;
		Ok((metering, certified))
	}

	/// Ends the gateway at once and starts it with `more` arguments, in an environment with these
	/// variables, each as `NAME=value`.
	///
	/// # Errors
	/// When it cannot be started.
	pub fn restart_gateway(&mut self, variables: &[String], more: &[String]) -> Result<()> {
		self.gateway.kill();
		let log = self.folder.path().join("gateway.log");
		let arguments = [&self.arguments[..], more].concat();
		self.gateway = Process::start_in(variables, "gateway", &command_binary()?, arguments, log)?;
		Ok(())
	}

	/// Waits until the gateway answers.
	///
	/// # Errors
	/// When it has ended, or after a while.
	pub async fn wait_for_gateway(&mut self) -> Result<()> {
		let (client, url) = (&self.client, format!("{}/health", self.http));
		self.gateway
			.wait("the gateway", LIMIT, async || {
				let answered = client.get(&url).send().await;
				Ok(answered.is_ok_and(|answer| answer.status().is_success()).then_some(()))
			})
			.await
	}

	/// Path of a file in the folder.
	pub fn path(&self, name: &str) -> String {
		self.folder.path().join(name).display().to_string()
	}

	/// The text that the API answers, with its status.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn text(&self, method: Method, path: &str, body: &str) -> Result<(u16, String)> {
		let request = self.client.request(method, format!("{}{path}", self.http));
		let request = request.header("content-type", "application/json").body(body.to_owned());
		let answer = request.send().await?;
		Ok((answer.status().as_u16(), answer.text().await?))
	}

	/// What the API answers, with its status.
	///
	/// # Errors
	/// When it does not answer with JSON.
	pub async fn get(&self, path: &str) -> Result<(u16, Value)> {
		let (status, text) = self.text(Method::GET, path, "").await?;
		Ok((status, serde_json::from_str(&text).with_context(|| text.clone())?))
	}

	/// What the API answers when this is posted.
	///
	/// # Errors
	/// When it does not answer with JSON.
	pub async fn post(&self, path: &str, body: &str) -> Result<(u16, Value)> {
		let (status, text) = self.text(Method::POST, path, body).await?;
		Ok((status, serde_json::from_str(&text).with_context(|| text.clone())?))
	}

	/// Posts a log with a meter's credentials.
	///
	/// # Errors
	/// When the gateway does not answer with JSON.
	pub async fn post_log(&self, meter: &Certified, log: &str) -> Result<(u16, Value)> {
		let url = format!("{}/api/v1/logs", self.http);
		let post = self.client.post(url).basic_auth(&meter.username, Some(&meter.password));
		let answer = post.body(log.to_owned()).send().await?;
		let status = answer.status().as_u16();
		let text = answer.text().await?;
		Ok((status, serde_json::from_str(&text).with_context(|| text.clone())?))
	}

	/// All entries of a list of the API, such as `/api/v1/logs?device=d`.
	///
	/// # Errors
	/// When it does not answer with lists.
	pub async fn all(&self, path: &str) -> Result<Vec<Value>> {
		let (mut all, join) = (Vec::new(), if path.contains('?') { '&' } else { '?' });
		loop {
			let page = format!("{path}{join}limit=1000&offset={}", all.len());
			let (status, page) = self.get(&page).await?;
			ensure!(status == 200, "{path}: {status} {page}");
			let page = page.as_array().context("not a list")?.clone();
			let is_last = page.len() < 1_000;
			all.extend(page);
			if is_last {
				return Ok(all);
			}
		}
	}

	/// Sends batches free of fees, once: a refusal is not asked again.
	///
	/// # Errors
	/// The refusal of the pool, or a failure of the node.
	pub async fn submit_once(&self, batches: &[SignedBatch]) -> Result<(), ChainError> {
		let patience = Patience { attempts: 1, ..Patience::default() };
		self.chain.submit_authorized(&submit_batches(batches), &patience).await.map(|_| ())
	}

	/// Makes batches of all that wait, and gives all batches there are.
	///
	/// # Errors
	/// When the gateway refuses.
	pub async fn flush(&self) -> Result<Vec<BatchView>> {
		self.api.flush().await?;
		Ok(self.api.batches(&ListBatches::default()).await?)
	}

	/// Waits until all batches are accepted by the chain; gives them.
	///
	/// # Errors
	/// When one is parked, or after `limit`.
	pub async fn accepted(&self, limit: Duration) -> Result<Vec<BatchView>> {
		wait::until("all batches on chain", limit, async || {
			let batches = self.api.batches(&ListBatches::default()).await?;
			let parked = batches.iter().find(|batch| batch.on_chain == BatchState::Parked);
			ensure!(parked.is_none(), "parked: {parked:?}");
			let done = batches.iter().all(|batch| batch.on_chain == BatchState::Accepted);
			Ok(done.then_some(batches))
		})
		.await
	}

	/// A batch as the chain has it.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn on_chain(&self, meter: MeterIndex, sequence: u64) -> Result<Option<BatchRecord>> {
		Ok(self.chain.read(&meter_readings::query::batch(meter, sequence)).await?)
	}

	/// A meter as the chain has it.
	///
	/// # Errors
	/// When there is none.
	pub async fn meter(&self, index: MeterIndex) -> Result<Meter> {
		self.chain.read(&meter_readings::query::meter(index)).await?.context("no such meter")
	}

	/// The KWH of an account, in Wh.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn kwh(&self, account: &[u8; 32]) -> Result<u128> {
		Ok(self.chain.balance(KWH_ASSET_ID, account).await?)
	}

	/// All KWH there are, in Wh.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn kwh_issuance(&self) -> Result<u128> {
		Ok(self.chain.issuance(KWH_ASSET_ID).await?)
	}

	/// The key of a meter's device.
	///
	/// # Errors
	/// When it cannot be read.
	pub fn key(&self, meter: &Certified) -> Result<SealedKey> {
		let ask = |path: &Path| Err(KeyError::PassphraseNeeded(path.display().to_string()));
		Ok(device_key(&self.folder.path().join("keys"), &meter.name, None, &ask)?.0)
	}
}

/// Lets governance make batches of a second free of fees, as many as come: tests have no minutes to
/// wait for.
///
/// # Errors
/// When the chain refuses.
pub async fn let_short_batches_be_free(chain: &Chain) -> Result<()> {
	let (mut limits, _) = chain.read(&meter_readings::query::limits()).await?;
	(limits.batch.min_free_ms, limits.batch.free_per_hour) = (1_000, u32::MAX);
	let governance = AccountKey::from(development_signer("//Alice")?);
	let call = sudo::call::sudo(meter_readings::call::set_limits(&limits));
	chain.submit(&governance, &call, &Patience::default()).await?;
	let (now, _) = chain.read(&meter_readings::query::limits()).await?;
	ensure!(now == limits, "governance could not set the limits");
	Ok(())
}

/// Onboards one meter with the command.
async fn certify(
	folder: &Path,
	url: &str,
	name: &str,
	signer: Signer,
	rated_w: u32,
) -> Result<Certified> {
	let path = |name: &str| folder.join(name).display().to_string();
	// The gateway gets the folder with the keys of those that cannot sign, and no other.
	let (trust, keys) = match signer {
		Signer::Device => ("device", path("keys")),
		Signer::Gateway => ("gateway", path("gateway-keys")),
	};
	let (rated, credentials) = (rated_w.to_string(), path("credentials.csv"));
	let seal = format!("seal-{name}").replace('/', "-");
	let serial = format!("ACME-{name}").replace('/', "-");
	let report = gridproof(&[
		"meter",
		"onboard",
		"--meter",
		name,
		"--direction",
		"export",
		"--rated-power-w",
		&rated,
		"--serial",
		&serial,
		"--seal",
		&seal,
		"--organisation",
		"0",
		"--trust",
		trust,
		"--since=-24h",
		"--keys",
		&keys,
		"--credentials",
		&credentials,
		"--owner-suri",
		OWNER,
		"--suri",
		ELECTRICIAN,
		"--url",
		url,
	])
	.await?
	.done()?;
	let meter = &report["meters"][0];
	let text = |member: &str| meter[member].as_str().with_context(|| format!("no {member}"));
	let account = |member: &str| -> Result<[u8; 32]> {
		parse_account(text(member)?).map_err(|error| anyhow::anyhow!("{member}: {error}"))
	};
	let key = text("device_key")?.trim_start_matches("0x").to_owned();
	let parts: Vec<&str> = name.split('/').collect();
	let name = MeterName::new(parts[0], parts[1], parts[2])
		.map_err(|fault| anyhow::anyhow!("{name}: {fault}"))?;
	let known = gridproof_fleet::load_credentials(&folder.join("credentials.csv"))?;
	let own = known.into_iter().find(|known| known.name == name).context("no credentials")?;
	let mut device_key = [0; 32];
	hex::decode_to_slice(key, &mut device_key)?;
	Ok(Certified {
		name,
		index: u32::try_from(meter["index"].as_u64().context("no index")?)?,
		energy_account: account("energy_account")?,
		device_key,
		username: own.username,
		password: own.password.to_string(),
	})
}

/// Lets the devices of the certified meters speak to the gateway.
async fn admit(folder: &Path) -> Result<()> {
	let path = |name: &str| folder.join(name).display().to_string();
	let (file, data) = (path("credentials.csv"), path("gateway"));
	if !Path::new(&file).exists() {
		return Ok(());
	}
	gridproof(&["gateway", "device", "import", &file, "--data", &data, "--new"]).await?.done()?;
	Ok(())
}

fn gateway_arguments(
	folder: &Path,
	url: &str,
	http: u16,
	mqtt: u16,
	batch_seconds: u32,
) -> Vec<String> {
	let path = |name: &str| folder.join(name).display().to_string();
	let mut arguments: Vec<String> = [
		("--data", path("gateway")),
		("--url", url.to_owned()),
		("--http", format!("127.0.0.1:{http}")),
		("--mqtt", format!("127.0.0.1:{mqtt}")),
		("--batch-seconds", batch_seconds.to_string()),
		// What it sends is signed, so that the tools of others can read the blocks.
		("--sender-suri", "//Bob//stash".to_owned()),
	]
	.into_iter()
	.flat_map(|(flag, value)| [flag.to_owned(), value])
	.collect();
	arguments.splice(0..0, ["gateway".to_owned(), "run".to_owned()]);
	if folder.join("gateway-keys").is_dir() {
		arguments.extend(["--key".to_owned(), path("gateway-keys")]);
	}
	arguments
}

/// Now, in UTC milliseconds.
pub fn now_ms() -> u64 {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The last full minute so many minutes ago, in UTC milliseconds.
pub fn minutes_ago(minutes: u64) -> u64 {
	(now_ms() / 60_000).saturating_sub(minutes) * 60_000
}

/// The begin of a time of this length, in UTC milliseconds, that is over and within one UTC day:
/// gateways close their batches at midnight.
pub fn within_a_day(length_ms: u64) -> u64 {
	let now = minutes_ago(0);
	let midnight = now - now % MILLIS_PER_DAY;
	let end = if now - midnight >= length_ms { now } else { midnight };
	end - length_ms
}

/// A log of a meter: its interval in UTC milliseconds and its energy as it stands in JSON.
pub fn log(name: &MeterName, start_ms: u64, end_ms: u64, energy_kwh: &str) -> String {
	let text = json!({
		"schema_version": "emlog-1.1",
		"site_id": name.site(),
		"iot_device_id": name.device(),
		"meter_id": name.meter(),
		"ts_start": format_utc(start_ms),
		"ts_end": format_utc(end_ms),
		"interval_s": (end_ms - start_ms) / 1_000,
		"energy_kwh": 0,
		"power_kw_avg": null,
		"status": "ok",
		"tags": ["export"],
		"tx": {
			"unit": "sats", "price_sats_per_kwh": 100, "amount_sats": 1, "channel": "ln",
			"settlement_status": "pending", "ln_invoice_id": null, "bitcoin_txid": null,
		},
	})
	.to_string();
	// As text: a JSON library would write the number in its own way.
	text.replace("\"energy_kwh\":0", &format!("\"energy_kwh\":{energy_kwh}"))
}
