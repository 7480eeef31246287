//! What of `gridproof verifier` needs a node.

use crate::{
	args::{
		GovernorArgs, NodeArgs, PayerArgs, UrlArgs,
		amount::Unit,
		engine::EngineArgs,
		governor::ShownDecision,
		keys::{PassphraseArgs, registered_key, sealed_key},
		node::DEFAULT_COORDINATOR,
		payer::development,
	},
	exit::usage,
	output::Output,
};
use anyhow::{Context, ensure};
use clap::Args;
use gridproof_chain::{
	governance::Power,
	pallets::{
		compute_checks::{call, query},
		compute_receipts::query::channel_parameters,
		model_registry,
	},
};
use gridproof_keys::{Kind, account::address};
use gridproof_primitives::{
	H256,
	compute::{
		channels::ChannelParameters,
		checks::{CheckParameters, DisputeCause, DisputePhase, ModelLine, VerifierView},
		registry::ModelName,
	},
	energy::emlog::format_utc,
};
use gridproof_support::{
	Clock, stop,
	text::{Amount, Hex32},
};
use gridproof_verifier::{
	NodeChain, Settings, Verifier, calibrate::Calibration, coordinators::HttpCoordinators, pages,
	register as register_key,
};
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, sync::Arc};

/// Arguments of `verifier run`.
#[derive(Args)]
pub struct RunArgs {
	/// The verifier's key file, apart from the account's.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Folder of its database.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
	/// Address of a coordinator; may be repeated. Who is not named here cannot be asked, and its openings are
	/// demanded on chain.
	#[arg(long, value_name = "HTTP", default_value = DEFAULT_COORDINATOR,
		env = "GRIDPROOF_COORDINATOR")]
	coordinator: Vec<String>,
	/// Seconds after which an opening that is not given is demanded on chain, for a fee.
	#[arg(long, value_name = "SECONDS", default_value_t = 600,
		value_parser = clap::value_parser!(u64).range(10..=86_400))]
	patience: u64,
	/// Leave it to others to touch batches.
	#[arg(long)]
	no_touch: bool,
	/// Serve /metrics and /health at this address, such as 127.0.0.1:9617: for the operator only.
	#[arg(long, value_name = "ADDRESS")]
	metrics: Option<SocketAddr>,
	#[command(flatten)]
	node: UrlArgs,
	#[command(flatten)]
	engine: EngineArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// Arguments of `verifier register`.
#[derive(Args)]
pub struct RegisterArgs {
	/// The verifier's key file.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Make the key file first.
	#[arg(long)]
	new_key: bool,
	/// The development account that governs a development chain, such as //Alice: it admits the account
	/// at once. Elsewhere governance decides.
	#[arg(long, value_name = "//NAME")]
	admit_with: Option<String>,
	#[command(flatten)]
	account: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `verifier list`.
#[derive(Args)]
pub struct ListArgs {
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `verifier show`.
#[derive(Args)]
pub struct ShowArgs {
	/// A miner's public key: also show its number of a model.
	#[arg(long, value_name = "0x…", requires = "model")]
	miner: Option<Hex32>,
	/// The model, by its name in the registry.
	#[arg(long, value_name = "NAME", requires = "miner")]
	model: Option<String>,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `verifier set-line`.
#[derive(Args)]
pub struct SetLineArgs {
	/// What verifier calibrate wrote.
	#[arg(long, value_name = "FILE")]
	file: PathBuf,
	/// The model's name in the registry, where it is another one than in the file.
	#[arg(long, value_name = "NAME")]
	model: Option<String>,
	#[command(flatten)]
	by: GovernorArgs,
}

/// What `verifier run --json` prints when it is ready.
#[derive(Serialize)]
struct Ready {
	verifier: Hex32,
	models: Vec<String>,
	coordinators: Vec<String>,
}

/// Runs `verifier run`.
pub(super) async fn work(args: RunArgs, out: &Output) -> anyhow::Result<()> {
	let key = sealed_key(&args.key, Kind::Verifier, &args.passphrase)?;
	let chain = Arc::new(NodeChain::connect(&args.node.url).await?);
	let genesis = gridproof_verifier::chain::CheckedChain::genesis(&*chain);
	let coordinators = Arc::new(HttpCoordinators::new(args.coordinator.clone(), genesis)?);
	let engines = args.engine.open()?;
	let settings = Settings {
		folder: args.data,
		patience_ms: args.patience.saturating_mul(1_000),
		touches: !args.no_touch,
	};
	let engine = engines.engine.clone();
	let clock = Clock::system();
	let verifier = Verifier::open(settings, key, engine, chain, coordinators, clock).await?;
	let ready = Ready {
		verifier: Hex32(verifier.public()),
		models: verifier.models().to_vec(),
		coordinators: args.coordinator,
	};
	out.result(&ready, |ready| {
		let (models, coordinators) = (ready.models.join(", "), ready.coordinators.join(", "));
		format!("verifier {}\nchecks {models} of {coordinators}", ready.verifier)
	})?;
	let stop = stop::on_signals()?;
	if let Some(address) = args.metrics {
		let serving = gridproof_http::serve(pages(verifier.clone()), address, stop.clone()).await;
		let serving = serving.with_context(|| format!("cannot listen on {address}"))?;
		out.note(&format!("figures at http://{}/metrics", serving.address()));
	}
	verifier.run(&stop).await;
	let counts = verifier.counts().await?;
	out.note(&format!(
		"stopped: {} statements on chain, {} wait for the next run",
		counts.taken, counts.signed
	));
	Ok(())
}

/// What `verifier register` did.
#[derive(Serialize)]
struct Registered {
	verifier: Hex32,
	account: String,
	/// `true` if it was registered already.
	was_there: bool,
}

/// Runs `verifier register`.
pub(super) async fn register(args: &RegisterArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.account.load(&args.passphrase)?;
	let governance = args.admit_with.as_deref().map(development).transpose()?;
	// Before a key is made: with one, the same command would not do a second time.
	let chain = args.node.connect().await?;
	let key = registered_key(&args.key, Kind::Verifier, &args.passphrase, args.new_key)?;
	let all = chain.read(&query::verifiers()).await?;
	let there = all.into_iter().find(|one| one.key == *key.public());
	if let Some(there) = &there {
		let by = address(&there.account);
		ensure!(there.account == account.account(), "the key is registered by {by}");
	}
	if there.is_none() {
		let patience = args.node.patience();
		if let Some(governance) = &governance {
			let call = call::admit_verifier(account.account());
			chain.govern(governance, None, Power::Root, &call, &patience).await?;
		}
		register_key(&chain, &account, &key, &patience).await?;
	}
	let done = Registered {
		verifier: Hex32(*key.public()),
		account: address(&account.account()),
		was_there: there.is_some(),
	};
	out.result(&done, |done| {
		if done.was_there {
			format!("verifier {} was registered already", done.verifier)
		} else {
			format!(
				"verifier {} is registered by {}; it draws once its key is known for an hour",
				done.verifier, done.account
			)
		}
	})
}

/// A verifier as it is listed.
#[derive(Serialize)]
struct Listed {
	verifier: Hex32,
	account: String,
	/// In units of 10⁻¹⁸ AIT.
	bond: Amount,
	draws: bool,
	reports: u64,
	/// UTC milliseconds; 0 before the first.
	last_report_ms: u64,
	offences: u32,
	/// From when its bond is free, if it leaves, UTC milliseconds.
	free_ms: Option<u64>,
}

impl From<VerifierView> for Listed {
	fn from(view: VerifierView) -> Self {
		Self {
			verifier: Hex32(view.key),
			account: address(&view.account),
			bond: Amount(view.bond),
			draws: view.draws,
			reports: view.reports,
			last_report_ms: view.last_report_ms,
			offences: view.offences,
			free_ms: view.free_ms,
		}
	}
}

impl Listed {
	fn text(&self) -> String {
		let draws = match (self.draws, self.free_ms) {
			(_, Some(free)) => format!("leaves, its bond is free from {} on", format_utc(free)),
			(true, None) => "draws".to_string(),
			(false, None) => "does not draw: new key, bond too small, or suspended".to_string(),
		};
		format!(
			"{}  {draws}; {} reports, {} offences, bond {}",
			self.verifier,
			self.reports,
			self.offences,
			Unit::AIT.show(self.bond.0)
		)
	}
}

/// Runs `verifier list`.
pub(super) async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let all = chain.read(&query::verifiers()).await?;
	let all: Vec<Listed> = all.into_iter().map(Listed::from).collect();
	out.result(&all, |all| {
		if all.is_empty() {
			return "no verifiers: nothing is checked".to_string();
		}
		all.iter().map(Listed::text).collect::<Vec<_>>().join("\n")
	})
}

/// What `verifier show` shows.
#[derive(Serialize)]
struct Shown {
	verifiers: u32,
	reported_lately: u32,
	reports: u64,
	disputes: u64,
	/// Of these, those that found somebody guilty.
	guilty: u64,
	/// Paid to verifiers, in units of 10⁻¹⁸ AIT.
	paid: Amount,
	/// Milliseconds for which the mint's window has stood still.
	still_ms: u64,
	/// Openings that are demanded.
	demands: usize,
	open: Vec<OpenDispute>,
	/// In millionths, of the named miner and model.
	#[serde(skip_serializing_if = "Option::is_none")]
	number: Option<u64>,
	#[serde(skip_serializing_if = "Option::is_none")]
	line: Option<ModelLine>,
	/// In the form that govern check-parameters takes.
	parameters: CheckParameters,
	/// In the form that govern channel-parameters takes.
	channel_parameters: ChannelParameters,
}

/// A dispute that is open.
#[derive(Serialize)]
struct OpenDispute {
	dispute: Hex32,
	cause: &'static str,
	accused: Hex32,
	coordinator: Hex32,
	batch: u64,
	index: u64,
	waits_for: &'static str,
	jurors: u32,
	committed: u32,
	without_vote: u32,
	guilty: u32,
	not_guilty: u32,
}

/// Runs `verifier show`.
pub(super) async fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let totals = chain.read(&query::overview()).await?;
	let demands = chain.read(&query::demands()).await?.len();
	let open = chain.read(&query::disputes()).await?.into_iter().map(|view| OpenDispute {
		dispute: view.id.into(),
		cause: match view.cause {
			DisputeCause::NotEqual(_) => "not_equal",
			DisputeCause::Number(_) => "number",
			DisputeCause::Client(_) => "client",
			DisputeCause::Reopened(_) => "reopened",
		},
		accused: Hex32(view.accused),
		coordinator: Hex32(view.batch.coordinator),
		batch: view.batch.sequence,
		index: view.index,
		waits_for: match view.phase {
			DisputePhase::Commit => "commitments",
			DisputePhase::Reveal => "votes",
			DisputePhase::Over => "anybody who closes it",
		},
		jurors: view.jurors.0,
		committed: view.jurors.1,
		without_vote: view.without_vote,
		guilty: view.votes.guilty,
		not_guilty: view.votes.not_guilty,
	});
	let (mut number, mut line) = (None, None);
	if let (Some(miner), Some(model)) = (args.miner, &args.model) {
		let model = hash_of(&chain, model).await?;
		number = Some(chain.read(&query::number(miner.0, model)).await?.0);
		line = chain.read(&query::line(model)).await?;
	}
	let shown = Shown {
		verifiers: totals.verifiers,
		reported_lately: totals.reported_lately,
		reports: totals.reports,
		disputes: totals.disputes.0,
		guilty: totals.disputes.1,
		paid: Amount(totals.paid),
		still_ms: totals.still_ms,
		demands,
		open: open.collect(),
		number,
		line,
		parameters: chain.read(&query::parameters()).await?,
		channel_parameters: chain.read(&channel_parameters()).await?,
	};
	out.result(&shown, Shown::text)
}

impl Shown {
	fn text(&self) -> String {
		let mut text = format!(
			"verifiers  {}, {} of which reported within a day\nchecks     one for each {} of value, within {} min \
			 of settlement\nreports    {}\ndisputes   {}, {} found \
			 somebody guilty, {} open\nopenings   {} demanded\npaid       {}",
			self.verifiers,
			self.reported_lately,
			Unit::AIT.show(self.parameters.value_per_check),
			self.channel_parameters.check_window_ms / 60_000,
			self.reports,
			self.disputes,
			self.guilty,
			self.open.len(),
			self.demands,
			Unit::AIT.show(self.paid.0)
		);
		for one in &self.open {
			text.push_str(&format!(
				"\ndispute    {}: {} against {}, batch {} receipt {}, waits for {}; {} of {} committed, {} \
				 without a vote, {} guilty, {} not",
				one.dispute,
				one.cause,
				one.accused,
				one.batch,
				one.index,
				one.waits_for,
				one.committed,
				one.jurors,
				one.without_vote,
				one.guilty,
				one.not_guilty
			));
		}
		if let Some(number) = self.number {
			let limit =
				self.line.map_or("no line".to_string(), |line| format!("limit {}", line.limit));
			text.push_str(&format!("\nnumber     {number} millionths, {limit}"));
		}
		text
	}
}

/// Runs `verifier set-line`.
pub(super) async fn set_line(args: &SetLineArgs, out: &Output) -> anyhow::Result<()> {
	let text = std::fs::read_to_string(&args.file);
	let text = text.with_context(|| format!("cannot read {}", args.file.display()))?;
	let found: Calibration = serde_json::from_str(&text).map_err(|error| {
		usage(format!("{} is not of verifier calibrate: {error}", args.file.display()))
	})?;
	let chain = args.by.node.connect().await?;
	let model = hash_of(&chain, args.model.as_deref().unwrap_or(&found.model)).await?;
	let call = call::set_line(model, Some(found.line));
	let decision = args.by.decide(Power::Root, &call, out).await?;
	out.result(&ShownDecision::from(&decision), |shown| shown.text("the line is set"))
}

/// Returns the hash of a model of the registry.
async fn hash_of(chain: &gridproof_chain::Chain, name: &str) -> anyhow::Result<H256> {
	let named = ModelName::new(name).map_err(|error| usage(format!("{name:?}: {error}")))?;
	let view = chain.read(&model_registry::query::model_by_name(&named)).await?;
	let view = view.ok_or_else(|| usage(format!("the registry has no model {name:?}")))?;
	Ok(view.hash)
}
