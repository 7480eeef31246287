//! `gridproof coordinator`.

use crate::{
	args::{
		CoordinatorArgs, GovernorArgs, NodeArgs, PassphraseArgs, PayerArgs,
		amount::Unit,
		governor::ShownDecision,
		keys::{file_or_public_key, registered_key, sealed_key, secret_line},
		payer::development,
	},
	exit::usage,
	miner::served_as,
	output::Output,
	party::{self, PartyCommand, Trade},
};
use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use gridproof_chain::{
	Chain,
	governance::Power,
	pallets::compute_receipts::{call, query},
};
use gridproof_compute_api::{
	CoordinatorClient,
	protocol::{ClassName, CoordinatorInfo, ModelStanding, OfferedModel},
};
use gridproof_coordinator::{
	ApiKeys, ChainLedger, Coordinator, Server, Settings,
	check::{Checker, Recount, first_of, recounted, repeated},
	ledger::Ledger,
	new_key, register as register_key,
	repair::{self, BatchReport},
};
use gridproof_engine::{LocalEngine, MemoryOptions, OpenAiEngine, OpenAiOptions};
use gridproof_keys::{Kind, account::address};
use gridproof_primitives::{
	compute::{Class, CoordinatorView, PriceAsset},
	crypto::ed25519::PublicKey,
	energy::emlog::format_utc,
};
use gridproof_support::{Clock, stop};
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// How long a server may be silent that results are checked with.
const CHECK_TIMEOUT: Duration = Duration::from_secs(60);

/// What `gridproof coordinator` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Quote jobs, give them to miners, check, sign and settle what comes back.
	Run(Box<RunArgs>),
	/// Register the coordinator's key on chain; the account's bond is held. Before it gets a job,
	/// governance has to admit it.
	Register(RegisterArgs),
	/// Admit a registered coordinator, as governance: on a development chain with --suri //Alice.
	Admit(AdmitArgs),
	#[command(flatten)]
	Party(PartyCommand),
	/// Show a coordinator: what it offers, its miners, jobs and receipts; given its key, also how
	/// the chain sees it.
	Status(StatusArgs),
	/// Make an API key for a customer of the front. It is printed once; the file has its hash.
	ApiKey(ApiKeyArgs),
	/// Settlement batches in a coordinator's folder, and what to do about one that the chain has refused
	/// permanently. The coordinator must not run meanwhile.
	#[command(subcommand)]
	Batches(BatchesCommand),
}

/// Arguments of `coordinator run`.
#[derive(Args)]
pub struct RunArgs {
	/// The coordinator's key file.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Folder of its database.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
	/// Configuration: prices, models, times; see docs/operations/coordinator.md.
	#[arg(long, value_name = "FILE")]
	config: Option<PathBuf>,
	/// Where to listen. To be reached from other machines, name another address, and put TLS in
	/// front.
	#[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
	listen: SocketAddr,
	/// The API keys of the front's customers. With it there is a front, which needs an account to
	/// pay from.
	#[arg(long, value_name = "FILE", requires = "payer")]
	api_keys: Option<PathBuf>,
	/// What the front pays in: ait, aicp or service_credit.
	#[arg(long, value_name = "ASSET", default_value = "ait", value_parser = asset)]
	front_asset: PriceAsset,
	#[command(flatten)]
	check: CheckArgs,
	#[command(flatten)]
	front_account: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// What a sample of the results is checked with.
#[derive(Args)]
struct CheckArgs {
	/// Check no results.
	#[arg(long, conflicts_with = "check_engine")]
	no_check: bool,
	/// A server that speaks OpenAI's protocol, as http://127.0.0.1:8000, and has models that miners
	/// serve: the tokens of their results are counted again there. Results of the small model of
	/// this program are always checked by doing their jobs again here.
	#[arg(long, value_name = "HTTP", requires = "check_engine_model")]
	check_engine: Option<String>,
	/// File, mode 0600, whose first line is that server's API key.
	#[arg(long, value_name = "FILE", requires = "check_engine")]
	check_engine_key_file: Option<PathBuf>,
	/// A model of that server, by the name that jobs have for it: NAME or NAME=SERVER'S NAME. May
	/// be repeated.
	#[arg(long, value_name = "NAME", requires = "check_engine")]
	check_engine_model: Vec<String>,
	/// That server and those of the miners always give the same at temperature 0, to the letter:
	/// such jobs are done again there.
	#[arg(long, requires = "check_engine")]
	check_exact: bool,
}

impl CheckArgs {
	/// How results are checked; `visible` if models show all they make.
	fn checker(&self, visible: bool) -> anyhow::Result<Option<Checker>> {
		if self.no_check {
			return Ok(None);
		}
		let mut checkers = vec![repeated(Arc::new(LocalEngine::embedded()?))];
		if let Some(url) = &self.check_engine {
			let options = OpenAiOptions {
				url: url.clone(),
				api_key: self.check_engine_key_file.as_deref().map(secret_line).transpose()?,
				models: self.check_engine_model.iter().map(|text| served_as(text)).collect(),
				// Nobody is paid for checking.
				class: Class::Cpu,
				memory: MemoryOptions::default(),
				end_token: None,
				timeout: CHECK_TIMEOUT,
			};
			let engine = OpenAiEngine::new(options, tokio::runtime::Handle::current())?;
			let how = Recount { exact: self.check_exact, visible };
			checkers.push(recounted(Arc::new(engine), how));
		}
		Ok(Some(first_of(checkers)))
	}
}

/// Arguments of `coordinator register`.
#[derive(Args)]
pub struct RegisterArgs {
	/// The coordinator's key file.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Make the key file first.
	#[arg(long)]
	new_key: bool,
	/// The development account that governs a development chain, such as //Alice: it admits the
	/// coordinator at once. Elsewhere governance decides.
	#[arg(long, value_name = "//NAME")]
	admit_with: Option<String>,
	#[command(flatten)]
	account: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `coordinator admit`.
#[derive(Args)]
pub struct AdmitArgs {
	/// The coordinator's public key, as `coordinator register` prints it.
	#[arg(value_name = "KEY", value_parser = file_or_public_key)]
	key: PublicKey,
	#[command(flatten)]
	by: GovernorArgs,
}

/// Arguments of `coordinator status`.
#[derive(Args)]
pub struct StatusArgs {
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	/// Also ask the node at this RPC address how the chain sees it; without it, no node is asked.
	#[arg(long, value_name = "WS", env = "GRIDPROOF_URL")]
	url: Option<String>,
}

/// Arguments of `coordinator api-key`.
#[derive(Args)]
pub struct ApiKeyArgs {
	/// The customer's name, as bills have it.
	#[arg(long)]
	name: String,
	/// The file of API keys; made if there is none.
	#[arg(long, value_name = "FILE")]
	file: PathBuf,
	/// Requests a minute; by default the coordinator's requests_per_minute.
	#[arg(long, value_name = "N")]
	requests_per_minute: Option<u32>,
	/// The most that the customer may owe altogether, in the asset that the front pays in: what a key
	/// that is lost can cost.
	#[arg(long, value_name = "AMOUNT", default_value = "10")]
	limit: String,
	/// What the front pays in: ait, aicp or service_credit.
	#[arg(long, value_name = "ASSET", default_value = "ait", value_parser = asset)]
	asset: PriceAsset,
}

/// What `coordinator batches` can do.
#[derive(Subcommand)]
pub enum BatchesCommand {
	/// List the newest batches, and say what can be done about one that was refused.
	List(BatchesArgs),
	/// Put the receipts of a batch that was refused permanently into the next one. Its own number is given
	/// up: the same number is never signed twice.
	Rebuild(RebuildArgs),
}

/// Arguments of `coordinator batches list`.
#[derive(Args)]
pub struct BatchesArgs {
	/// Folder of the coordinator's database.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
	/// How many at most.
	#[arg(long, value_name = "N", default_value_t = 20)]
	limit: u32,
}

/// Arguments of `coordinator batches rebuild`.
#[derive(Args)]
pub struct RebuildArgs {
	/// Sequence number of the batch.
	#[arg(value_name = "BATCH")]
	sequence: u64,
	/// Folder of the coordinator's database.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
}

/// An asset by its name.
pub fn asset(text: &str) -> Result<PriceAsset, String> {
	[PriceAsset::Ait, PriceAsset::Aicp, PriceAsset::ServiceCredit]
		.into_iter()
		.find(|asset| asset.as_str() == text)
		.ok_or_else(|| "write ait, aicp or service_credit".to_string())
}

/// Runs one `gridproof coordinator` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Run(args) => serve(*args, out).await,
		Command::Register(args) => register(&args, out).await,
		Command::Admit(args) => admit(&args, out).await,
		Command::Party(command) => party::run(&command, Trade::Coordinator, out).await,
		Command::Status(args) => status(&args, out).await,
		Command::ApiKey(args) => api_key(&args, out),
		Command::Batches(BatchesCommand::List(args)) => list_batches(&args, out).await,
		Command::Batches(BatchesCommand::Rebuild(args)) => rebuild_batch(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

/// What `coordinator run --json` prints when it is ready.
#[derive(Serialize)]
struct Ready {
	listening: SocketAddr,
	coordinator: String,
	genesis: String,
	front: bool,
}

async fn serve(args: RunArgs, out: &Output) -> anyhow::Result<()> {
	let settings = match &args.config {
		None => Settings::default(),
		Some(path) => {
			let bytes =
				std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
			Settings::parse(&bytes)
				.map_err(|reason| usage(format!("{}: {reason}", path.display())))?
		},
	};
	let key = sealed_key(&args.key, Kind::Coordinator, &args.passphrase)?;
	let purse = args.front_account.load_if_named(&args.passphrase)?;
	let listener = TcpListener::bind(args.listen)
		.await
		.with_context(|| format!("cannot listen on {}", args.listen))?;
	let known = Coordinator::known_chain(&args.data).await?;
	let ledger = ChainLedger::connect(args.node.url(), purse, known).await?;
	let front = match (&args.api_keys, ledger.purse()) {
		(Some(path), Some(purse)) => Some((ApiKeys::open(path)?, purse)),
		(Some(_), None) => {
			let wanted =
				"the front needs an account to pay from: --wallet, --account-key or --suri";
			return Err(usage(wanted));
		},
		(None, _) => None,
	};
	let public = format!("0x{}", hex::encode(key.public()));
	let ledger = Arc::new(ledger);
	let checker = args.check.checker(settings.text_bounds_tokens)?;
	let coordinator =
		Coordinator::open(&args.data, ledger, key, settings, checker, Clock::system()).await?;
	let ready = Ready {
		listening: listener.local_addr()?,
		coordinator: public,
		genesis: format!("{:#x}", coordinator.genesis()),
		front: front.is_some(),
	};
	out.result(&ready, |ready| {
		format!("coordinator {}\nlistening on http://{}", ready.coordinator, ready.listening)
	})?;
	let server = Server::new(coordinator);
	let server = match front {
		Some((keys, purse)) => server.with_front(keys, args.front_asset, purse),
		None => server,
	};
	Ok(server.serve(listener, stop::on_signals()?).await?)
}

/// What `coordinator register` did.
#[derive(Serialize)]
struct Registered {
	coordinator: String,
	account: String,
	/// Hash of the final block.
	block: Option<String>,
	/// Was it registered already?
	was_there: bool,
	/// Has governance admitted it?
	admitted: bool,
}

async fn register(args: &RegisterArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.account.load(&args.passphrase)?;
	let governance = args.admit_with.as_deref().map(development).transpose()?;
	// Before a key is made, which is not to be made twice.
	let chain = args.node.connect().await?;
	let key = registered_key(&args.key, Kind::Coordinator, &args.passphrase, args.new_key)?;
	let there = chain.read(&query::coordinator(key.public())).await?;
	if let Some(there) = &there {
		let by = address(&there.party.account);
		ensure!(there.party.account == account.account(), "the key is registered by {by}");
	}
	let block = match &there {
		Some(_) => None,
		None => {
			let patience = args.node.patience();
			let done = register_key(&chain, &account, &key, &patience).await?;
			Some(format!("{:#x}", done.block))
		},
	};
	let admitted = match (&there, &governance) {
		(Some(there), _) if there.admitted => true,
		(_, Some(governance)) => {
			let (call, patience) = (call::admit_coordinator(key.public()), args.node.patience());
			chain.govern(governance, None, Power::Root, &call, &patience).await?;
			true
		},
		_ => false,
	};
	let registered = Registered {
		coordinator: format!("0x{}", hex::encode(key.public())),
		account: address(&account.account()),
		was_there: block.is_none(),
		block,
		admitted,
	};
	out.result(&registered, |done| {
		let state = if done.admitted { "admitted" } else { "waits for governance to admit it" };
		if done.was_there {
			format!("coordinator {} was registered already: {state}", done.coordinator)
		} else {
			format!("coordinator {} is registered by {}: {state}", done.coordinator, done.account)
		}
	})
}

async fn admit(args: &AdmitArgs, out: &Output) -> anyhow::Result<()> {
	let decision = args.by.decide(Power::Root, &call::admit_coordinator(&args.key), out).await?;
	out.result(&ShownDecision::from(&decision), |shown| {
		shown.text(&format!("coordinator 0x{} is admitted", hex::encode(args.key)))
	})
}

/// What `coordinator status` shows.
#[derive(Serialize)]
struct Status {
	#[serde(flatten)]
	info: CoordinatorInfo,
	/// How the chain sees it; only if a node was named.
	#[serde(skip_serializing_if = "Option::is_none")]
	on_chain: Option<OnChain>,
}

#[derive(Serialize)]
struct OnChain {
	registered: bool,
	/// Has governance admitted it?
	admitted: bool,
	account: Option<String>,
	/// In units of 10⁻¹⁸ AIT.
	bond: Option<String>,
	settled: Option<u64>,
	compute_units: Option<u64>,
	/// AIT that can be paid out now, in units of 10⁻¹⁸ AIT.
	claimable: Option<String>,
	/// AIT minted to it so far, in units of 10⁻¹⁸ AIT.
	minted: Option<String>,
	banned_until_ms: Option<u64>,
	offences: Option<u32>,
	/// When its bond is free, UTC milliseconds; only if it is leaving.
	leaving_ms: Option<u64>,
}

impl From<Option<CoordinatorView>> for OnChain {
	fn from(view: Option<CoordinatorView>) -> Self {
		let admitted = view.as_ref().is_some_and(|view| view.admitted);
		let party = view.map(|view| view.party);
		let party = party.as_ref();
		Self {
			registered: party.is_some(),
			admitted,
			account: party.map(|party| address(&party.account)),
			bond: party.map(|party| party.bond.to_string()),
			settled: party.map(|party| party.settled),
			compute_units: party.map(|party| party.compute_units),
			claimable: party.map(|party| party.claimable.to_string()),
			minted: party.map(|party| party.minted.to_string()),
			banned_until_ms: party.and_then(|party| party.banned_until_ms),
			offences: party.map(|party| party.offences),
			leaving_ms: party.and_then(|party| party.leaving_ms),
		}
	}
}

async fn status(args: &StatusArgs, out: &Output) -> anyhow::Result<()> {
	let info = CoordinatorClient::new(&args.coordinator.coordinator)?.info().await?;
	let on_chain = match &args.url {
		None => None,
		Some(url) => {
			let chain = Chain::connect(url).await?;
			let view = chain.read(&query::coordinator(&info.coordinator.0)).await?;
			Some(OnChain::from(view))
		},
	};
	out.result(&Status { info, on_chain }, status_text)
}

/// A model, with how the chain's registry has it, if it is not simply counted.
fn model_text(model: &OfferedModel) -> String {
	let Some(entry) = model.registry else { return format!("{} (private)", model.name) };
	let retires = match (entry.standing, entry.retired_ms) {
		(ModelStanding::Counted, None) => return model.name.clone(),
		(ModelStanding::Counted, Some(retired_ms)) => format!("retires {}", format_utc(retired_ms)),
		(standing, _) => format!("{} {}, private", standing.as_str(), format_utc(entry.since_ms)),
	};
	format!("{} ({retires})", model.name)
}

fn status_text(status: &Status) -> String {
	let Status { info, on_chain } = status;
	let counts = |counts: &std::collections::BTreeMap<String, u64>| {
		let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
		if parts.is_empty() { "none".to_string() } else { parts.join(", ") }
	};
	let models: Vec<String> = info.models.iter().map(model_text).collect();
	let mut text = format!(
		"coordinator {}\nmodels      {}\njobs        {}\nreceipts    {}\nfront       {}",
		info.coordinator,
		if models.is_empty() { "none".to_string() } else { models.join(", ") },
		counts(&info.jobs),
		counts(&info.receipts),
		if info.front { "yes" } else { "no" },
	);
	for (asset, price) in &info.unit_price {
		let unit = self::asset(asset).map(Unit::from);
		let price = unit.map_or_else(|_| price.to_string(), |unit| unit.show(price.0));
		text.push_str(&format!("\nunit price  {price}"));
	}
	if let Some(refused) = &info.refused_batch {
		text.push_str(&format!("\nstands      {}", refused.message));
	}
	for miner in &info.miners {
		let class = if miner.class == ClassName::Gpu { "GPU" } else { "CPU" };
		text.push_str(&format!(
			"\nminer       {} {class}, score {}, {} of {} jobs, {}",
			miner.miner,
			miner.score,
			miner.busy,
			miner.slots,
			miner.models.join(", ")
		));
	}
	if let Some(chain) = on_chain {
		let or_none = |amount: &Option<String>| {
			let amount = amount.as_ref().and_then(|amount| amount.parse().ok());
			amount.map_or("none".to_string(), |amount| Unit::AIT.show(amount))
		};
		text.push_str(&format!(
			"\non chain    {}, bond {}, settled {}, minted {}, claimable {}",
			match (chain.registered, chain.admitted) {
				(true, true) => "registered and admitted",
				(true, false) => "registered, waits for governance to admit it",
				(false, _) => "not registered",
			},
			or_none(&chain.bond),
			chain.settled.unwrap_or(0),
			or_none(&chain.minted),
			or_none(&chain.claimable)
		));
		if let Some(until) = chain.leaving_ms {
			text.push_str(&format!("\nleaving     its bond is free from {} on", format_utc(until)));
		}
	}
	text
}

async fn list_batches(args: &BatchesArgs, out: &Output) -> anyhow::Result<()> {
	let batches = repair::batches(&args.data, args.limit).await?;
	out.result(&batches, |batches| {
		let lines: Vec<String> = batches.iter().map(batch_text).collect();
		if lines.is_empty() { "no batches".to_string() } else { lines.join("\n") }
	})
}

fn batch_text(batch: &BatchReport) -> String {
	let unit = Unit::from(batch.kind.asset);
	let mut text = format!(
		"batch {} of {}: {}, {} receipts for {}",
		batch.sequence,
		format_utc(batch.made_ms),
		batch.stage,
		batch.receipts,
		unit.show(batch.price.0)
	);
	if batch.given_up > 0 {
		text.push_str(&format!(", {} of them given up", batch.given_up));
	}
	if let Some(reason) = &batch.reason {
		text.push_str(&format!("\n  {reason}"));
	}
	if let Some(advice) = batch.advice {
		text.push_str(&format!("\n  its receipts wait: {advice}"));
	}
	text
}

async fn rebuild_batch(args: &RebuildArgs, out: &Output) -> anyhow::Result<()> {
	let batch = repair::rebuild(&args.data, args.sequence).await?;
	out.result(&batch, |batch| {
		format!(
			"the receipts of batch {} are free: start the coordinator, and it makes another batch of \
			 them, with another number",
			batch.sequence
		)
	})
}

/// What `coordinator api-key` made.
#[derive(Serialize)]
struct ApiKey {
	name: String,
	key: String,
	file: String,
}

fn api_key(args: &ApiKeyArgs, out: &Output) -> anyhow::Result<()> {
	let unit = Unit::from(args.asset);
	let limit = unit.parse(&args.limit);
	let limit = limit.map_err(|reason| usage(format!("--limit: {reason}")))?;
	let key = new_key(&args.file, &args.name, args.requests_per_minute, Some(limit))?;
	let file = args.file.display().to_string();
	let made = ApiKey { name: args.name.clone(), key, file };
	out.result(&made, |made| {
		format!("{}\nIt is not kept anywhere: hand it to {} now.", made.key, made.name)
	})
}
