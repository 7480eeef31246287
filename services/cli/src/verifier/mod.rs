//! `gridproof verifier`.

mod node;
mod watch;

use crate::{
	args::{
		engine::EngineArgs,
		keys::{PassphraseArgs, new_sealed_key},
	},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use gridproof_engine::{
	DEFAULT_MODEL, Engine, LocalEngine, OpenAiEngine, OpenAiOptions, TrialModel,
};
use gridproof_keys::{Kind, SealedKey};
use gridproof_primitives::compute::Class;
use gridproof_support::files::{self, PUBLIC};
use gridproof_verifier::calibrate::{Calibration, MIN_RUNS, Options, calibrate};
use node::{ListArgs, RegisterArgs, RunArgs, SetLineArgs, ShowArgs};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};
use watch::WatchArgs;

/// Millionths in one.
const MILLION: u64 = 1_000_000;

/// What `gridproof verifier` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Check what the chain draws: ask for openings, do the work again, report; be witness and juror.
	Run(Box<RunArgs>),
	/// Register the verifier's key on chain; the account's bond is held. Governance has to admit it.
	Register(RegisterArgs),
	/// List the verifiers of the chain.
	List(ListArgs),
	/// Show totals of checks, demands of openings, open disputes; of a miner and model its number.
	Show(ShowArgs),
	/// Show what becomes of checks, block by block: disputes, verdicts, slashes, refunds.
	Watch(WatchArgs),
	/// Set the line of a model, from a file of verifier calibrate. For governance.
	SetLine(SetLineArgs),
	/// Make the key with which a verifier draws and signs; it is apart from the account's.
	NewKey(NewKeyArgs),
	/// Measure the line of a model from honest answers, and write it as a file that governance can set.
	Calibrate(Box<CalibrateArgs>),
}

/// Arguments of `verifier new-key`.
#[derive(Args)]
pub struct NewKeyArgs {
	/// The key file to be made.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// That of a development account instead of a new one, such as //Alice//stash: a development chain
	/// knows some of them from its first block.
	#[arg(long, value_name = "//NAME", conflicts_with = "passphrase_file")]
	development: Option<String>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// How an honest answer differs from the verifier's own, where the built-in model is calibrated.
#[derive(Clone, Copy, ValueEnum)]
enum Noise {
	/// Sums in another order.
	OtherOrder,
	/// Numbers of 16 bits between two steps, as graphics processors keep them.
	HalfPrecision,
}

/// Arguments of `verifier calibrate`.
#[derive(Args)]
pub struct CalibrateArgs {
	/// The model, by the name that jobs have for it.
	#[arg(long, value_name = "NAME", default_value = DEFAULT_MODEL)]
	model: String,
	/// A second server with the same model, whose answers are judged; it should differ from the first as
	/// honest miners differ: another precision, another processor, another version.
	#[arg(long, value_name = "HTTP")]
	answers_from: Option<String>,
	/// The server's name for the model, where it is another one.
	#[arg(long, value_name = "NAME", requires = "answers_from")]
	answers_model: Option<String>,
	/// Of the built-in model: how honest answers differ.
	#[arg(long, default_value = "half-precision", conflicts_with = "answers_from")]
	noise: Noise,
	/// Honest answers that are judged. Fewer than a thousand show too little of what is rare.
	#[arg(long, value_name = "N", default_value_t = 4_000,
		value_parser = clap::value_parser!(u32).range(i64::from(MIN_RUNS)..=1_000_000))]
	runs: u32,
	/// Most tokens of an answer: each has this length, or half of it, or a quarter, down to one token.
	#[arg(long, value_name = "N", default_value_t = 32,
		value_parser = clap::value_parser!(u32).range(1..=4_096))]
	max_tokens: u32,
	/// Highest gap of a token that counts, in millionths; else as high as the limit, so that no one answer
	/// opens a dispute alone.
	#[arg(long, value_name = "MICRO", value_parser = clap::value_parser!(u32).range(1..=64_000_000))]
	clip: Option<u32>,
	/// Checks within which an honest miner has a false alarm with a chance of at most one in a hundred.
	#[arg(long, value_name = "N", default_value_t = 10_000,
		value_parser = clap::value_parser!(u32).range(100..=100_000_000))]
	checks: u32,
	/// File of texts to be continued, one a line; else beginnings of sentences that this program has.
	#[arg(long, value_name = "FILE")]
	prompts: Option<PathBuf>,
	/// File that is written, JSON.
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	// The verifier's own engine, which judges.
	#[command(flatten)]
	engine: EngineArgs,
}

/// Runs one `gridproof verifier` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Run(args) => node::work(*args, out).await,
		Command::Register(args) => node::register(&args, out).await,
		Command::List(args) => node::list(&args, out).await,
		Command::Show(args) => node::show(&args, out).await,
		Command::Watch(args) => watch::watch(&args, out).await,
		Command::SetLine(args) => node::set_line(&args, out).await,
		Command::NewKey(args) => new_key(&args, out),
		Command::Calibrate(args) => measure(*args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

/// What `verifier new-key` made.
#[derive(Serialize)]
struct Made {
	key: String,
	file: String,
}

fn new_key(args: &NewKeyArgs, out: &Output) -> anyhow::Result<()> {
	let key = match &args.development {
		None => new_sealed_key(&args.key, Kind::Verifier, &args.passphrase)?,
		Some(uri) => {
			let key = SealedKey::development_verifier(uri)
				.ok_or_else(|| usage("--development takes accounts such as //Alice//stash only"))?;
			key.save(&args.key, None)
				.with_context(|| format!("cannot make the key {}", args.key.display()))?;
			key
		},
	};
	let made = Made {
		key: format!("0x{}", hex::encode(key.public())),
		file: args.key.display().to_string(),
	};
	out.result(&made, |made| format!("verifier's key {} in {}", made.key, made.file))
}

async fn measure(args: CalibrateArgs, out: &Output) -> anyhow::Result<()> {
	let verifier = args.engine.open()?.engine;
	let mut options = Options::of(&args.model);
	options.runs = args.runs;
	options.max_tokens = args.max_tokens;
	options.clip = args.clip;
	options.checks = args.checks;
	if let Some(path) = &args.prompts {
		let text = std::fs::read_to_string(path);
		let text = text.with_context(|| format!("cannot read {}", path.display()))?;
		options.prompts =
			text.lines().filter(|line| !line.is_empty()).map(str::to_string).collect();
		if options.prompts.is_empty() {
			return Err(usage(format!("{} has no line: write a text on each", path.display())));
		}
	}
	let miner = answering(&args)?;
	let found = tokio::task::spawn_blocking(move || calibrate(&*miner, &*verifier, &options));
	let found = found.await.context("the engine broke off")??;
	if let Some(path) = &args.out {
		let mut text = serde_json::to_string_pretty(&found)?;
		text.push('\n');
		files::replace(path, text.as_bytes(), PUBLIC)
			.with_context(|| format!("cannot write {}", path.display()))?;
		out.note(&format!("written to {}", path.display()));
	}
	out.result(&found, text_of)
}

/// The engine of the honest miner.
fn answering(args: &CalibrateArgs) -> anyhow::Result<Arc<dyn Engine>> {
	let Some(url) = &args.answers_from else {
		if args.model != DEFAULT_MODEL {
			return Err(usage(format!(
				"honest answers of {} come from a second server: name it with --answers-from",
				args.model
			)));
		}
		let trial = match args.noise {
			Noise::OtherOrder => TrialModel::OtherOrder,
			Noise::HalfPrecision => TrialModel::HalfPrecision,
		};
		return Ok(Arc::new(LocalEngine::for_trial(trial)?));
	};
	let served = args.answers_model.clone().unwrap_or_else(|| args.model.clone());
	let options = OpenAiOptions {
		url: url.clone(),
		api_key: None,
		models: vec![(args.model.clone(), served)],
		// Nobody is paid for a calibration.
		class: Class::Cpu,
		memory: Default::default(),
		end_token: None,
		timeout: Duration::from_secs(120),
	};
	Ok(Arc::new(OpenAiEngine::new(options, tokio::runtime::Handle::current())?))
}

/// Millionths for people.
fn shown(micro: u64) -> String {
	format!("{}.{:06}", micro / MILLION, micro % MILLION)
}

fn text_of(found: &Calibration) -> String {
	let Calibration { line, .. } = found;
	format!(
		"{}: {} answers of {} tokens, {} of them the drawn ones, {} answers with a gap\
		 \nfigure     {} on average, at most {}\
		 \nline       {}, limit {}, clip {}, agreement {}\
		 \nhonest     no false alarm in {} checks, but for one miner in a hundred\
		 \nfinds      a figure of {} within {} checks",
		found.model,
		found.runs,
		found.tokens,
		found.matches,
		found.with_gap,
		shown(found.mean),
		shown(found.highest),
		shown(line.line),
		shown(line.limit),
		shown(line.clip.into()),
		shown(line.agreement.into()),
		found.checks,
		shown(found.finds_from),
		line.finds_within
	)
}
