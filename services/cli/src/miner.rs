//! `gridproof miner`.

use crate::{
	args::{
		NodeArgs, PassphraseArgs, PayerArgs, UrlArgs,
		amount::Unit,
		engine::{ClassArg, EngineArgs, Engines},
		keys::{registered_key, sealed_key},
		node::DEFAULT_COORDINATOR,
	},
	exit::usage,
	miner_plan::{self, PlanArgs},
	output::Output,
	party::{self, PartyCommand, Trade},
};
use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use gridproof_chain::{Chain, pallets::compute_receipts::query};
use gridproof_compute_api::protocol::{Finish, Message, Sampling};
pub(crate) use gridproof_engine::served_as;
use gridproof_engine::{DEFAULT_MODEL, Input, Request, TrialCheat};
use gridproof_keys::{Kind, account::address, show};
use gridproof_miner::{Counts, Miner, Outbox, Settings, pages, register as register_key};
use gridproof_primitives::{
	H256,
	compute::score::POINT,
	compute::{Class, MinerView, channels::Sampler},
	energy::emlog::format_utc,
};
use gridproof_support::{Clock, stop, text::Hex32};
use serde::Serialize;
use std::{net::SocketAddr, ops::ControlFlow, path::PathBuf, process::ExitCode, time::Duration};

/// What `gridproof miner` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Take jobs from coordinators, run them, deliver results, be paid.
	Run(Box<RunArgs>),
	/// Register the miner's key on chain; the account's bond is held.
	Register(RegisterArgs),
	/// Show a miner: how the chain sees it, and what it has still to deliver.
	Status(StatusArgs),
	#[command(flatten)]
	Party(PartyCommand),
	/// Ask the engine something, without coordinator or chain: does it work, and how fast is it?
	Try(Box<TryArgs>),
	/// Calculate which graphics processors a model needs, how it is split among them, and how fast it
	/// will be about. Nothing is started.
	Plan(PlanArgs),
}

/// Arguments of `miner run`.
#[derive(Args)]
pub struct RunArgs {
	/// The miner's key file.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Folder of its database.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
	/// Address of a coordinator to work for; may be repeated.
	#[arg(long, value_name = "HTTP", default_value = DEFAULT_COORDINATOR,
		env = "GRIDPROOF_COORDINATOR")]
	coordinator: Vec<String>,
	/// Jobs at a time, of each coordinator.
	#[arg(long, value_name = "N", default_value_t = 1,
		value_parser = clap::value_parser!(u32).range(1..=256))]
	slots: u32,
	/// Seconds that running jobs have to end when the miner is stopped.
	#[arg(long, value_name = "SECONDS", default_value_t = 30)]
	grace: u64,
	/// Serve /metrics and /health at this address, such as 127.0.0.1:9616: for the operator only.
	#[arg(long, value_name = "ADDRESS")]
	metrics: Option<SocketAddr>,
	/// For trials of the checks, on a development chain only: cheat in this way (smaller-model, quantised,
	/// cut-tokens, ignored-seed, other-sampling, invented, old-output).
	#[arg(long, value_name = "CHEAT", hide = true)]
	trial_cheat: Option<TrialCheat>,
	// Demands receipts on chain that are not settled in time; without an account, none are.
	#[command(flatten)]
	account: PayerArgs,
	#[command(flatten)]
	node: UrlArgs,
	#[command(flatten)]
	engine: EngineArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// Arguments of `miner register`.
#[derive(Args)]
pub struct RegisterArgs {
	/// The miner's key file.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Make the key file first.
	#[arg(long)]
	new_key: bool,
	/// What it computes with.
	#[arg(long, default_value = "cpu")]
	class: ClassArg,
	#[command(flatten)]
	account: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `miner status`.
#[derive(Args)]
pub struct StatusArgs {
	/// The miner's key file; its passphrase is not needed.
	#[arg(long, value_name = "FILE", required_unless_present = "miner")]
	key: Option<PathBuf>,
	/// The miner's public key.
	#[arg(long, value_name = "0x…", conflicts_with = "key")]
	miner: Option<Hex32>,
	/// Also show what the miner with this data folder has to deliver; it may be running.
	#[arg(long, value_name = "DIR")]
	data: Option<PathBuf>,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `miner try`.
#[derive(Args)]
pub struct TryArgs {
	/// What the engine is given.
	#[arg(long)]
	prompt: String,
	/// As a conversation instead of a text to continue.
	#[arg(long)]
	chat: bool,
	/// The model; else the engine's first.
	#[arg(long, value_name = "NAME")]
	model: Option<String>,
	/// Most tokens of the answer.
	#[arg(long, value_name = "N", default_value_t = 64)]
	max_tokens: u32,
	/// Temperature in thousandths; with 0 the likeliest token is taken.
	#[arg(long, value_name = "N", default_value_t = 0)]
	temperature_milli: u32,
	/// Nucleus in thousandths.
	#[arg(long, value_name = "N", default_value_t = 1_000,
		value_parser = clap::value_parser!(u32).range(1..=1_000))]
	top_p_milli: u32,
	/// Where the random choices begin.
	#[arg(long, default_value_t = 0)]
	seed: u64,
	/// Seed of a receipt instead, 32 bytes: the answer can then be made again by anyone who has it.
	#[arg(long, value_name = "0x…", conflicts_with = "seed")]
	receipt_seed: Option<Hex32>,
	/// A text that ends the answer; may be repeated.
	#[arg(long, value_name = "TEXT")]
	stop: Vec<String>,
	#[command(flatten)]
	engine: EngineArgs,
}

/// Runs one `gridproof miner` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Run(args) => work(*args, out).await,
		Command::Register(args) => register(&args, out).await,
		Command::Status(args) => status(&args, out).await,
		Command::Party(command) => party::run(&command, Trade::Miner, out).await,
		Command::Try(args) => attempt(*args, out).await,
		Command::Plan(args) => miner_plan::run(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

/// What `miner run --json` prints when it is ready.
#[derive(Serialize)]
struct Ready {
	miner: String,
	class: &'static str,
	models: Vec<String>,
	coordinators: Vec<String>,
	slots: u32,
}

async fn work(args: RunArgs, out: &Output) -> anyhow::Result<()> {
	let key = sealed_key(&args.key, Kind::Miner, &args.passphrase)?;
	let account = args.account.load_if_named(&args.passphrase)?;
	let class = args.engine.class()?;
	let settings = Settings {
		folder: args.data,
		coordinators: args.coordinator,
		node: args.node.url,
		class,
		slots: args.slots,
		grace: Duration::from_secs(args.grace),
	};
	let mut ready = Ready {
		miner: format!("0x{}", hex::encode(key.public())),
		class: class.as_str(),
		models: Vec::new(),
		coordinators: settings.coordinators.clone(),
		slots: settings.slots,
	};
	let engines = match args.trial_cheat {
		None => args.engine.open()?,
		Some(cheat) => {
			let is_trial = Chain::connect(&settings.node).await?.is_for_development().await?;
			ensure!(is_trial, "--trial-cheat is for development chains: this chain is none");
			out.note(&format!("a trial: this miner cheats ({})", cheat.as_str()));
			args.engine.open_cheating(cheat)?
		},
	};
	let miner = Miner::open(settings, key, engines.engine.clone(), Clock::system()).await?;
	if let Some(account) = account {
		miner.demand_from(account);
	}
	ready.models = miner.models().to_vec();
	out.result(&ready, |ready| {
		let (models, coordinators) = (ready.models.join(", "), ready.coordinators.join(", "));
		format!("miner {}\nserves {models} ({}) for {coordinators}", ready.miner, ready.class)
	})?;
	let stop = stop::on_signals()?;
	if let Some(address) = args.metrics {
		let serving = gridproof_http::serve(pages(miner.clone()), address, stop.clone()).await;
		let serving = serving.with_context(|| format!("cannot listen on {address}"))?;
		out.note(&format!("figures at http://{}/metrics", serving.address()));
	}
	miner.run_until(&stop).await?;
	let Counts { pending, delivered, .. } = miner.counts().await?;
	out.note(&format!("stopped: {delivered} results delivered, {pending} wait for the next run"));
	Ok(())
}

/// What `miner register` did.
#[derive(Serialize)]
struct Registered {
	miner: String,
	account: String,
	class: &'static str,
	/// Hash of the final block.
	block: Option<String>,
	/// Was it registered already?
	was_there: bool,
}

async fn register(args: &RegisterArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.account.load(&args.passphrase)?;
	// Before a key is made: with one, the same command would not do a second time.
	let chain = args.node.connect().await?;
	let key = registered_key(&args.key, Kind::Miner, &args.passphrase, args.new_key)?;
	let class = Class::from(args.class);
	let there = chain.read(&query::miner(key.public())).await?;
	if let Some(there) = &there {
		let by = address(&there.party.account);
		ensure!(there.party.account == account.account(), "the key is registered by {by}");
		ensure!(there.class == class, "the key is registered as {}", there.class.as_str());
	}
	let payer = address(&account.account());
	let block = match there {
		Some(_) => None,
		None => {
			let patience = args.node.patience();
			let done = register_key(&chain, &account, &key, class, &patience).await?;
			Some(format!("{:#x}", done.block))
		},
	};
	let registered = Registered {
		miner: format!("0x{}", hex::encode(key.public())),
		account: payer,
		class: class.as_str(),
		was_there: block.is_none(),
		block,
	};
	out.result(&registered, |done| {
		if done.was_there {
			format!("miner {} was registered already", done.miner)
		} else {
			format!("miner {} ({}) is registered by {}", done.miner, done.class, done.account)
		}
	})
}

/// What `miner status` shows.
#[derive(Serialize)]
struct Status {
	miner: String,
	registered: bool,
	#[serde(flatten, skip_serializing_if = "Option::is_none")]
	on_chain: Option<OnChain>,
	/// How many results stand where; only if its folder was named.
	#[serde(skip_serializing_if = "Option::is_none")]
	results: Option<Counts>,
}

#[derive(Serialize)]
struct OnChain {
	account: String,
	class: &'static str,
	/// In units of 10⁻¹⁸ AIT.
	bond: String,
	/// After offences, 0 to 10,000.
	score: u32,
	/// The score's parts, in points.
	g: f64,
	t: f64,
	u: f64,
	c: f64,
	settled: u64,
	compute_units: u64,
	successes_24h: u32,
	failures_24h: u32,
	online_seconds_30d: u64,
	/// UTC milliseconds; 0 if there was none.
	heartbeat_ms: u64,
	/// AIT that can be paid out now, in units of 10⁻¹⁸ AIT.
	claimable: String,
	/// AIT minted to it so far, in units of 10⁻¹⁸ AIT.
	minted: String,
	offences: u32,
	/// What is slashed of the bond once it can be called off no more, in units of 10⁻¹⁸ AIT.
	pending_slash: String,
	banned_until_ms: Option<u64>,
	leaving_ms: Option<u64>,
}

impl From<MinerView> for OnChain {
	fn from(view: MinerView) -> Self {
		// Shown to people only.
		let points = |part: u64| part as f64 / POINT as f64;
		let (party, score) = (view.party, view.score);
		Self {
			account: address(&party.account),
			class: view.class.as_str(),
			bond: party.bond.to_string(),
			score: view.effective_score,
			g: points(score.g),
			t: points(score.t),
			u: points(score.u),
			c: points(score.c),
			settled: party.settled,
			compute_units: party.compute_units,
			successes_24h: view.successes,
			failures_24h: view.failures,
			online_seconds_30d: view.online_ms / 1_000,
			heartbeat_ms: view.heartbeat_ms,
			claimable: party.claimable.to_string(),
			minted: party.minted.to_string(),
			offences: party.offences,
			pending_slash: party.pending_slash.to_string(),
			banned_until_ms: party.banned_until_ms,
			leaving_ms: party.leaving_ms,
		}
	}
}

async fn status(args: &StatusArgs, out: &Output) -> anyhow::Result<()> {
	let key = match (&args.key, args.miner) {
		(Some(path), _) => {
			let text = format!("0x{}", show(path)?.public);
			text.parse::<Hex32>().map_err(anyhow::Error::msg)?
		},
		(None, Some(key)) => key,
		(None, None) => return Err(usage("which miner? Name it with --key or --miner")),
	};
	let results = match &args.data {
		None => None,
		Some(folder) => Some(Outbox::peek(folder)?.unwrap_or_default()),
	};
	let view = args.node.connect().await?.read(&query::miner(&key.0)).await?;
	let registered = view.is_some();
	let on_chain = view.map(OnChain::from);
	out.result(&Status { miner: key.to_string(), registered, on_chain, results }, status_text)
}

fn status_text(status: &Status) -> String {
	let mut text = format!("miner     {}", status.miner);
	match &status.on_chain {
		None => text.push_str("\nnot registered: run gridproof miner register"),
		Some(chain) => text.push_str(&format!(
			"\naccount   {}\nclass     {}\nbond      {}\nscore     {} (G {:.2}, T {:.2}, U {:.2}, C {:.2})\
			 \nsettled   {} jobs, {} units; in 24 h {} good, {} failed\nonline    {} s of 30 days\
			 \nAIT       {} minted, {} to be paid\noffences  {}; {} will be slashed",
			chain.account,
			chain.class,
			shown(&chain.bond),
			chain.score,
			chain.g,
			chain.t,
			chain.u,
			chain.c,
			chain.settled,
			chain.compute_units,
			chain.successes_24h,
			chain.failures_24h,
			chain.online_seconds_30d,
			shown(&chain.minted),
			shown(&chain.claimable),
			chain.offences,
			shown(&chain.pending_slash)
		)),
	}
	if let Some(until) = status.on_chain.as_ref().and_then(|chain| chain.leaving_ms) {
		text.push_str(&format!("\nleaving   its bond is free from {} on", format_utc(until)));
	}
	if let Some(counts) = &status.results {
		text.push_str(&format!(
			"\nresults   {} to deliver, {} delivered ({} units), {} withheld, {} refused",
			counts.pending, counts.delivered, counts.units, counts.withheld, counts.refused
		));
	}
	text
}

/// An amount of smallest units for people.
fn shown(amount: &str) -> String {
	amount.parse().map_or_else(|_| amount.to_string(), |amount| Unit::AIT.show(amount))
}

/// What `miner try` found.
#[derive(Serialize)]
struct Tried {
	model: String,
	text: String,
	tokens: Vec<u32>,
	prompt_tokens: u64,
	completion_tokens: u64,
	/// `stop` or `length`.
	finish: &'static str,
	/// `greedy`, `gumbel` (noise from a receipt's seed) or `engine`.
	sampler: &'static str,
	/// Token ids of the prompt; none if the engine does not state them.
	prompt_ids: Vec<u32>,
	seconds: f64,
	tokens_per_second: f64,
	memory_mb: u64,
	/// Where the figure of the memory comes from.
	memory_from: &'static str,
}

async fn attempt(args: TryArgs, out: &Output) -> anyhow::Result<()> {
	let engines = args.engine.open()?;
	let input = if args.chat {
		Input::Chat(vec![Message { role: "user".to_string(), content: args.prompt }])
	} else {
		Input::Text(args.prompt)
	};
	let sampling = Sampling {
		temperature_milli: args.temperature_milli,
		top_p_milli: args.top_p_milli,
		seed: args.seed,
		stop: args.stop,
	};
	let model = args.model.unwrap_or_default();
	let mut request = Request::new(&model, input, args.max_tokens, sampling);
	request.seed = args.receipt_seed.map(|seed| H256(seed.0));
	request.extras.ids = true;
	let tried = tokio::task::spawn_blocking(move || run_once(&engines, request))
		.await
		.context("the engine broke off")??;
	out.result(&tried, |tried| {
		format!(
			"{}\n[{}: {} tokens read, {} made, {} in {:.3} s, {:.0} tokens/s, {} MB ({})]",
			tried.text,
			tried.model,
			tried.prompt_tokens,
			tried.completion_tokens,
			tried.finish,
			tried.seconds,
			tried.tokens_per_second,
			tried.memory_mb,
			tried.memory_from
		)
	})
}

fn run_once(engines: &Engines, mut request: Request) -> anyhow::Result<Tried> {
	let engine = &engines.engine;
	if request.model.is_empty() {
		let first = engine.models()?.into_iter().next();
		request.model = first.map_or(DEFAULT_MODEL.to_string(), |model| model.name);
	}
	let done = engine.complete(&request, &mut |_| ControlFlow::Continue(()))?;
	let measured = done.measured;
	Ok(Tried {
		model: request.model.clone(),
		text: done.text,
		tokens: done.tokens,
		prompt_tokens: done.prompt_tokens,
		completion_tokens: done.completion_tokens,
		finish: match done.finish {
			Finish::Stop => "stop",
			Finish::Length => "length",
		},
		sampler: match done.sampler {
			Sampler::Greedy => "greedy",
			Sampler::Gumbel => "gumbel",
			Sampler::Engine => "engine",
		},
		prompt_ids: done.prompt_ids,
		seconds: measured.wall.as_secs_f64(),
		tokens_per_second: measured.tokens_per_second_milli() as f64 / 1_000.0,
		memory_mb: measured.memory_bytes.div_ceil(1_000_000),
		memory_from: engines.memory_from(&request.model),
	})
}
