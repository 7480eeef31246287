//! A chain with a coordinator, its front and miners, all of them real processes; and what money
//! did on that chain, read from its blocks.

use crate::{
	binary::command_binary,
	engine,
	node::{Node, NodeConfig},
	ports::free_ports,
	process::Process,
	reserve::gridproof,
	transfers, wait,
};
use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use gridproof_chain::{
	Chain, Event, Patience,
	event::RawEvent,
	governance::Power,
	pallets::{
		balances,
		compute_receipts::{
			call,
			event::{
				EmissionPaid, PaymentDiverted, ReceiptRefused, ReceiptSettled, Slashed, StepClosed,
				TreasuryPaid,
			},
			query,
		},
		transaction_payment::event::TransactionFeePaid,
		utility,
	},
};
use gridproof_engine::DEFAULT_MODEL;
use gridproof_keys::account::{AccountKey, development_signer};
use gridproof_primitives::{
	H256,
	compute::{JobView, MinerView, Overview, channels::ChannelParameters, settlement::Shares},
	crypto::ed25519::PublicKey,
	num::units::AIT,
};
use gridproof_support::Clock;
use serde_json::{Value, json};
use std::{
	collections::BTreeMap,
	fs,
	path::{Path, PathBuf},
	time::Duration,
};
use tempfile::TempDir;

/// Who puts up the coordinator's bond and gets its part.
pub const COORDINATOR: &str = "//Bob";
/// Who governs the chain, and admits the coordinator.
const ROOT: &str = "//Alice";
/// Who puts up the miners' bonds and gets their parts.
pub const MINERS: [&str; 2] = ["//Charlie", "//Dave"];
/// Who pays for the front's jobs.
pub const PURSE: &str = "//Ferdie";
/// Who pays for jobs of its own.
pub const CLIENT: &str = "//Eve";
const START: Duration = Duration::from_secs(60);
/// Questions to the node at a time.
const QUESTIONS: usize = 4;

/// Bond of a miner and what an account lives on, for miners beyond the first two.
const STARTING_MONEY: u128 = 500 * AIT;

/// What a chain with a coordinator is started with.
#[derive(Clone, Debug)]
pub struct Setup {
	/// Print the end of the node's log when it is over.
	pub show_log: bool,
	/// Number of miners; see [`miner_account`].
	pub miners: usize,
	/// Jobs that each miner takes at a time.
	pub slots: u32,
	/// Address of the engine that the miners ask; without one they have a model with them.
	pub engine: Option<String>,
}

impl Default for Setup {
	/// Two miners with the model that they have with them, one job at a time.
	fn default() -> Self {
		Self { show_log: true, miners: MINERS.len(), slots: 1, engine: None }
	}
}

/// The account of a miner, by its number from 0.
pub fn miner_account(number: usize) -> String {
	MINERS.get(number).map_or_else(|| format!("//Miner//{number}"), |uri| (*uri).to_owned())
}

/// A chain with a coordinator and miners.
pub struct Compute {
	/// Node of the chain.
	pub node: Node,
	/// The connection of the services.
	pub chain: Chain,
	/// The coordinator with its front.
	pub coordinator: Process,
	/// The miners.
	pub miners: Vec<Process>,
	/// Address of the coordinator.
	pub url: String,
	/// A customer's key for the front.
	pub api_key: String,
	/// Keys of the miners.
	pub miner_keys: Vec<PublicKey>,
	/// The coordinator's key.
	pub coordinator_key: PublicKey,
	/// Their folder.
	pub folder: TempDir,
	setup: Setup,
	http: reqwest::Client,
}

/// What the coordinator is configured with: short leases, so that a test need not wait.
fn configuration() -> Value {
	json!({
		"confirm_seconds": 8,
		"lease_seconds": 12,
		"deadline_seconds": 240,
		"settle_seconds": 60,
		"quote_seconds": 100,
		"check_per_thousand": 100,
		"requests_per_minute": 1_000_000,
		"max_failures": 50,
		"channels": { "batch_seconds": 5, "line_seconds": 3, "settle_seconds": 600 },
		// A token for what it costs without a plan, and few of them.
		"plans": [{ "name": "tiny", "asset": "ait", "price": "6000000000000000", "tokens_per_day": 2_000,
			"days": 3 }],
		// Tests have it paid out themselves, to the last unit.
		"payout_seconds": 0,
	})
}

/// Has governance end the check window, so that batches pay and mint when they are settled; tests of checks
/// set one.
async fn pay_at_once(chain: &Chain) -> Result<()> {
	let governance = AccountKey::from(development_signer(ROOT)?);
	let parameters =
		ChannelParameters { check_window_ms: 0, ..chain.read(&query::channel_parameters()).await? };
	let set = call::set_channel_parameters(&parameters);
	chain.govern(&governance, None, Power::Root, &set, &Patience::default()).await?;
	Ok(())
}

/// What is offered where miners ask the tests' engine: its model stands for the one that the registry
/// counts, since work on another is private.
async fn models_of_engine(node: &str) -> Result<Value> {
	let shown = gridproof(&["model", "show", DEFAULT_MODEL, "--url", node]).await?.done()?;
	let registered = &shown["hash"];
	Ok(json!([{ "name": DEFAULT_MODEL }, { "name": engine::MODEL, "registered": registered }]))
}

fn key_of(registered: &Value, who: &str) -> Result<PublicKey> {
	let text = registered[who].as_str().context("no key in the answer")?;
	let mut key = [0; 32];
	hex::decode_to_slice(text.trim_start_matches("0x"), &mut key)?;
	Ok(key)
}

impl Compute {
	/// Starts all of it, and waits until both miners are there.
	///
	/// # Errors
	/// When any part does not start.
	pub async fn start() -> Result<Self> {
		Self::start_with(true).await
	}

	/// As [`Compute::start`]; `show_log` prints the end of the node's log when it is over.
	///
	/// # Errors
	/// When any part does not start.
	pub async fn start_with(show_log: bool) -> Result<Self> {
		Self::start_as(Setup { show_log, ..Setup::default() }).await
	}

	/// As [`Compute::start`], with what is said here.
	///
	/// # Errors
	/// When any part does not start.
	pub async fn start_as(setup: Setup) -> Result<Self> {
		let _ = rustls::crypto::ring::default_provider().install_default();
		let folder = tempfile::Builder::new().prefix("gridproof-e2e-compute-").tempdir()?;
		let mut config = NodeConfig::development();
		config.show_log = setup.show_log;
		// Tests read the events of all blocks in the end, however many there are then.
		config.arguments.extend(["--state-pruning".into(), "archive".into()]);
		// Each front, miner and coordinator asks it over a connection of its own, or several.
		config.arguments.extend(["--rpc-max-connections".into(), "1000".into()]);
		let node = Node::start(config).await?;
		node.wait_for_finalized(2, Duration::from_secs(30)).await?;
		let chain = Chain::connect(&node.rpc_url()).await?;
		pay_at_once(&chain).await?;
		let path = |name: &str| folder.path().join(name).display().to_string();
		let [port] = free_ports()?;
		let url = format!("http://127.0.0.1:{port}");

		let coordinator_key =
			register("coordinator", &path("coordinator.key"), COORDINATOR, &node).await?;
		fund(&chain, setup.miners).await?;
		let mut miner_keys = Vec::new();
		for number in 0..setup.miners {
			let file = path(&format!("miner-{number}.key"));
			miner_keys.push(register("miner", &file, &miner_account(number), &node).await?);
		}
		let customers = path("keys.json");
		let new_key = ["coordinator", "api-key", "--name", "e2e", "--file", &customers];
		let made = gridproof(&new_key).await?.done()?;
		let api_key = made["key"].as_str().context("no API key")?.to_owned();
		let mut settings = configuration();
		if setup.engine.is_some() {
			settings["models"] = models_of_engine(&node.rpc_url()).await?;
		}
		fs::write(folder.path().join("coordinator.json"), settings.to_string())?;

		let coordinator = start_coordinator(folder.path(), &node, port)?;
		let mut compute = Self {
			node,
			chain,
			coordinator,
			miners: Vec::new(),
			url,
			api_key,
			miner_keys,
			coordinator_key,
			folder,
			setup,
			http: reqwest::Client::builder().timeout(Duration::from_secs(240)).build()?,
		};
		compute.wait_for_coordinator().await?;
		for number in 0..compute.setup.miners {
			let miner = compute.miner(number, None)?;
			compute.miners.push(miner);
		}
		compute.wait_for_miners(compute.setup.miners).await?;
		Ok(compute)
	}

	/// Has a miner cheat from now on, in one of the ways of `miner run --trial-cheat`; waits until the
	/// coordinator has seen it again. What the killed program had begun is given up a minute later.
	///
	/// # Errors
	/// When there is no such miner, or it does not start.
	pub async fn have_cheat(&mut self, number: usize, how: &str) -> Result<()> {
		let key = self.miner_keys.get(number).context("no such miner")?;
		let key = format!("0x{}", hex::encode(key));
		self.miners.get_mut(number).context("no such miner")?.kill();
		let killed_ms = Clock::system().now_ms();
		let cheating = self.miner(number, Some(how))?;
		if let Some(miner) = self.miners.get_mut(number) {
			*miner = cheating;
		}
		self.wait_for_sessions("the miner that cheats", |there| {
			let is_seen = |one: &Value| one["seen_ms"].as_u64() > Some(killed_ms);
			there.iter().any(|one| one["miner"] == key.as_str() && is_seen(one))
		})
		.await
	}

	fn miner(&self, number: usize, cheat: Option<&str>) -> Result<Process> {
		let path = |name: &str| self.folder.path().join(name).display().to_string();
		let arguments = [
			"--json",
			"miner",
			"run",
			"--key",
			&path(&format!("miner-{number}.key")),
			"--data",
			&path(&format!("miner-{number}")),
			"--coordinator",
			&self.url,
			"--url",
			&self.node.rpc_url(),
			"--slots",
			&self.setup.slots.to_string(),
		];
		let mut arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
		if let Some(how) = cheat {
			arguments.extend(["--trial-cheat", how].map(str::to_owned));
		}
		if let Some(engine) = &self.setup.engine {
			let of_engine = ["--engine", engine, "--engine-memory-mb", "100", "--class", "cpu"];
			arguments.extend(of_engine.map(str::to_owned));
		}
		let log = self.folder.path().join(format!("miner-{number}.log"));
		Process::start(&format!("miner {number}"), &command_binary()?, arguments, log)
	}

	/// Waits until the coordinator answers.
	///
	/// # Errors
	/// When it ends, or takes too long.
	pub async fn wait_for_coordinator(&mut self) -> Result<()> {
		let (http, health) = (self.http.clone(), format!("{}/health", self.url));
		self.coordinator
			.wait("the coordinator answers", START, async || {
				let answer = http.get(&health).send().await;
				Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
			})
			.await
	}

	/// Waits until so many miners are there.
	///
	/// # Errors
	/// When that takes too long.
	pub async fn wait_for_miners(&mut self, count: usize) -> Result<()> {
		self.wait_for_sessions(&format!("{count} miners"), |there| there.len() >= count).await
	}

	async fn wait_for_sessions(
		&mut self,
		what: &str,
		is_right: impl Fn(&[Value]) -> bool,
	) -> Result<()> {
		let (http, info) = (self.http.clone(), format!("{}/api/v1/info", self.url));
		let mut there = Vec::new();
		let waited = self
			.coordinator
			.wait(what, START, async || {
				let Ok(answer) = http.get(&info).send().await else { return Ok(None) };
				let info: Value = answer.json().await?;
				there = info["miners"].as_array().cloned().unwrap_or_default();
				Ok(is_right(&there).then_some(()))
			})
			.await;
		waited.with_context(|| {
			let said: Vec<String> = self.miners.iter_mut().map(Process::last_words).collect();
			format!("only {there:?} are there\n{}", said.join("\n"))
		})
	}

	/// Asks the coordinator; JSON of the answer.
	///
	/// # Errors
	/// When it does not answer with success.
	pub async fn get(&self, path: &str) -> Result<Value> {
		let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.api_key);
		let answer = request.send().await?;
		ensure!(answer.status().is_success(), "{path}: {}", answer.text().await?);
		Ok(answer.json().await?)
	}

	/// Asks the coordinator; the bytes of the answer.
	///
	/// # Errors
	/// When it does not answer with success.
	pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>> {
		let answer = self.http.get(format!("{}{path}", self.url)).send().await?;
		ensure!(answer.status().is_success(), "{path}: {}", answer.text().await?);
		Ok(answer.bytes().await?.to_vec())
	}

	/// Has the front complete a prompt; the job's id.
	///
	/// # Errors
	/// When it does not.
	pub async fn complete(&self, prompt: &str, max_tokens: u32) -> Result<Done> {
		let body = json!({
			"model": self.model().await?,
			"prompt": prompt,
			"max_tokens": max_tokens,
			"temperature": 0.8,
			"seed": 1,
		});
		let request = self.http.post(format!("{}/v1/completions", self.url));
		let answer = request.bearer_auth(&self.api_key).json(&body).send().await?;
		let status = answer.status();
		let header = |name: &str| {
			let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
			value.map(str::to_owned)
		};
		let (job, receipt) = (header("x-gridproof-job"), header("x-gridproof-receipt"));
		let body: Value = answer.json().await?;
		ensure!(status.is_success(), "{status}: {body}");
		let job = job.context("no x-gridproof-job")?;
		let receipt = receipt.context("no x-gridproof-receipt")?;
		Ok(Done { job, receipt, body })
	}

	/// The model on offer.
	///
	/// # Errors
	/// When there is none.
	pub async fn model(&self) -> Result<String> {
		let models = self.get("/v1/models").await?;
		Ok(models["data"][0]["id"].as_str().context("no model on offer")?.to_owned())
	}

	/// All jobs that the coordinator has, the youngest first.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn jobs(&self) -> Result<Vec<Value>> {
		let (mut all, mut before) = (Vec::new(), String::new());
		loop {
			let page = self.get(&format!("/api/v1/jobs?limit=500{before}")).await?;
			all.extend(page["jobs"].as_array().context("no jobs")?.iter().cloned());
			match page["next"].as_u64() {
				Some(next) => before = format!("&before={next}"),
				None => return Ok(all),
			}
		}
	}

	/// Waits until every job has ended, and every receipt's money is final or refused.
	///
	/// # Errors
	/// After `limit`.
	pub async fn wait_until_settled(&mut self, limit: Duration) -> Result<()> {
		let (http, info) = (self.http.clone(), format!("{}/api/v1/info", self.url));
		self.coordinator
			.wait("all jobs and receipts are final", limit, async || {
				let Ok(answer) = http.get(&info).send().await else { return Ok(None) };
				let info: Value = answer.json().await?;
				let count = |of: &str, name: &str| info[of][name].as_u64().unwrap_or(0);
				let open: u64 =
					["queued", "assigned", "running"].map(|s| count("jobs", s)).iter().sum();
				Ok((open + count("receipts", "pending") == 0).then_some(()))
			})
			.await
	}

	/// A receipt with both signatures, as SCALE.
	///
	/// # Errors
	/// When there is none.
	pub async fn signed_receipt(&self, job: &str) -> Result<Vec<u8>> {
		let shown = self.get(&format!("/attest/receipt?job={job}")).await?;
		let text = shown["signed"].as_str().context("no signed receipt")?;
		Ok(hex::decode(text.trim_start_matches("0x"))?)
	}

	/// A job as the chain has it.
	///
	/// # Errors
	/// When the chain does not know it.
	pub async fn on_chain(&self, job: &str) -> Result<JobView> {
		let mut id = H256::zero();
		hex::decode_to_slice(job.trim_start_matches("0x"), &mut id.0)?;
		self.chain
			.read(&query::job(id))
			.await?
			.with_context(|| format!("the chain does not know {job}"))
	}

	/// The settled jobs as the chain has them, by id.
	///
	/// # Errors
	/// When the chain does not know one.
	pub async fn settled_jobs(&self, money: &Money) -> Result<BTreeMap<H256, JobView>> {
		stream::iter(money.settled.keys())
			.map(async |job| {
				let view = self.on_chain(&hex::encode(job)).await?;
				anyhow::Ok((*job, view))
			})
			.buffer_unordered(QUESTIONS)
			.try_collect()
			.await
	}

	/// How compute stands on chain.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn overview(&self) -> Result<Overview> {
		Ok(self.chain.read(&query::overview()).await?)
	}

	/// A miner as the chain has it.
	///
	/// # Errors
	/// When the chain does not know it.
	pub async fn on_chain_miner(&self, key: &PublicKey) -> Result<MinerView> {
		let view = self.chain.read(&query::miner(key)).await?;
		view.with_context(|| format!("the chain does not know the miner {}", hex::encode(key)))
	}

	/// Waits until the running emission step is over.
	///
	/// # Errors
	/// After a minute.
	pub async fn wait_for_next_step(&self) -> Result<()> {
		let step = self.overview().await?.step.step;
		wait::until("the step's end", Duration::from_secs(60), async || {
			Ok((self.overview().await?.step.step > step).then_some(()))
		})
		.await
	}

	/// What an account has altogether, in AIT's smallest unit: free and held.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn wealth(&self, account: &[u8; 32]) -> Result<u128> {
		let (free, held) = self.chain.native_balance(account).await?;
		free.checked_add(held).context("a balance above all there can be")
	}

	/// The account in which prices of open jobs and deposits lie: `modl` and its name, padded with
	/// zeros.
	pub fn escrow() -> [u8; 32] {
		let mut account = [0; 32];
		account[..12].copy_from_slice(b"modlgp/escrw");
		account
	}

	/// Connects anew after the node was away.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn reconnect(&mut self) -> Result<()> {
		self.chain = Chain::connect(&self.node.rpc_url()).await?;
		Ok(())
	}
}

/// What the front answered.
#[derive(Clone, Debug)]
pub struct Done {
	/// The job's id.
	pub job: String,
	/// The receipt's id.
	pub receipt: String,
	/// The body.
	pub body: Value,
}

/// Gives miners after the first two something to bond.
async fn fund(chain: &Chain, miners: usize) -> Result<()> {
	let mut transfers = Vec::new();
	for number in MINERS.len()..miners {
		let account = account(&miner_account(number))?;
		transfers.push(balances::call::transfer_keep_alive(account, STARTING_MONEY));
	}
	if !transfers.is_empty() {
		let root = AccountKey::from(development_signer(ROOT)?);
		let all = utility::call::batch_all(transfers);
		chain.submit(&root, &all, &Patience::default()).await?;
	}
	Ok(())
}

async fn register(role: &str, file: &str, account: &str, node: &Node) -> Result<PublicKey> {
	let url = node.rpc_url();
	let mut arguments =
		vec![role, "register", "--key", file, "--new-key", "--suri", account, "--url", &url];
	if role == "coordinator" {
		arguments.extend(["--admit-with", ROOT]);
	}
	let registered = gridproof(&arguments).await?.done()?;
	key_of(&registered, role)
}

fn start_coordinator(folder: &Path, node: &Node, port: u16) -> Result<Process> {
	let path = |name: &str| folder.join(name).display().to_string();
	let arguments = [
		"--json",
		"coordinator",
		"run",
		"--key",
		&path("coordinator.key"),
		"--data",
		&path("coordinator"),
		"--config",
		&path("coordinator.json"),
		"--listen",
		&format!("127.0.0.1:{port}"),
		"--api-keys",
		&path("keys.json"),
		"--suri",
		PURSE,
		"--url",
		&node.rpc_url(),
	];
	let arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
	let program: PathBuf = command_binary()?;
	Process::start("coordinator", &program, arguments, path("coordinator.log").into())
}

/// The public key of a development account.
///
/// # Errors
/// When it is none.
pub fn account(uri: &str) -> Result<[u8; 32]> {
	Ok(transfers::account(uri)?.public_key().0)
}

/// What happened to money in some blocks, by the chain's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Money {
	/// Jobs settled: by job, how often and how.
	pub settled: BTreeMap<H256, Vec<Settled>>,
	/// Receipts refused.
	pub refused: u64,
	/// Steps closed: number, claims, shares of treasury, coordinator and miner.
	pub steps: BTreeMap<u64, (u128, [u128; 3])>,
	/// AIT minted, by key.
	pub minted: BTreeMap<PublicKey, u128>,
	/// How often AIT was minted to a key.
	pub payouts: BTreeMap<PublicKey, usize>,
	/// AIT minted to the treasury.
	pub treasury: u128,
	/// Fees, by account.
	pub fees: BTreeMap<[u8; 32], u128>,
}

/// A job's settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
	/// The miner's key.
	pub miner: PublicKey,
	/// Compute units.
	pub units: u64,
	/// Parts of treasury, coordinator and miner.
	pub shares: [u128; 3],
	/// What the client got back.
	pub refund: u128,
	/// Claim on the step, in units of 10⁻¹⁸ AIT.
	pub claim: u128,
}

impl Money {
	/// Reads the finalized blocks from `first` on.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn since(node: &Node, first: u64) -> Result<Self> {
		let (last, _) = node.rpc()?.finalized().await?;
		let chain = Chain::connect(&node.rpc_url()).await?;
		let mut money = Self::default();
		for number in first..=last {
			for event in chain.events(number).await? {
				money.note(&event)?;
			}
		}
		Ok(money)
	}

	fn note(&mut self, event: &RawEvent) -> Result<()> {
		if let Some(settled) = read::<ReceiptSettled>(event)? {
			self.settled.entry(settled.job_id).or_default().push(Settled {
				miner: settled.miner,
				units: settled.compute_units,
				shares: parts(&settled.shares),
				refund: settled.refund,
				claim: settled.claim,
			});
		}
		self.refused += u64::from(read::<ReceiptRefused>(event)?.is_some());
		if let Some(closed) = read::<StepClosed>(event)? {
			let known = self.steps.insert(closed.step, (closed.claims, parts(&closed.shares)));
			ensure!(known.is_none(), "a step was closed twice");
		}
		if let Some(paid) = read::<EmissionPaid>(event)? {
			*self.minted.entry(paid.key).or_default() += paid.amount;
			*self.payouts.entry(paid.key).or_default() += 1;
		}
		if let Some(paid) = read::<TreasuryPaid>(event)? {
			self.treasury += paid.amount;
		}
		if let Some(fee) = read::<TransactionFeePaid>(event)? {
			*self.fees.entry(fee.who).or_default() += fee.actual_fee;
		}
		ensure!(!event.is::<PaymentDiverted>() && !event.is::<Slashed>(), "{event:?}");
		Ok(())
	}

	/// All AIT minted.
	pub fn minted(&self) -> u128 {
		self.minted.values().sum::<u128>() + self.treasury
	}
}

/// Reads an event, if it is one of this kind.
pub(crate) fn read<E: Event>(event: &RawEvent) -> Result<Option<E>> {
	Ok(event.read().transpose()?)
}

const fn parts(shares: &Shares) -> [u128; 3] {
	[shares.treasury, shares.coordinator, shares.miner]
}
