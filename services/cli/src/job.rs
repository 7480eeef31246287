//! `gridproof job`.

use crate::{
	args::{CoordinatorArgs, NodeArgs, PassphraseArgs, PayerArgs, amount::Unit},
	coordinator::asset,
	exit::usage,
	output::Output,
};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use gridproof_chain::pallets::compute_receipts::call;
use gridproof_compute_api::{
	ClientError, CoordinatorClient, JobBook, JobEntry,
	protocol::{
		Further, JobInfo, JobPage, JobSpec, JobStage, Message, SPEC_VERSION, Sampling, Settlement,
		Task,
	},
};
use gridproof_primitives::compute::PriceAsset;
use gridproof_support::{
	clock::now_ms,
	text::{Amount, Hex32},
};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// What `gridproof job` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Have a prompt answered: quote, escrow on chain, result, receipt.
	Submit(Box<SubmitArgs>),
	/// List a coordinator's jobs.
	List(ListArgs),
	/// Show a job; with its output if it was submitted from here.
	Show(ShowArgs),
	/// Take a job back that no miner has; the money returns at once.
	Cancel(CancelArgs),
}

/// Where the access keys of jobs are kept.
#[derive(Args, Clone)]
pub struct BookArgs {
	/// Folder that remembers the jobs submitted from here, with their access keys.
	#[arg(long, value_name = "DIR", env = "GRIDPROOF_JOBS")]
	jobs: Option<PathBuf>,
}

/// Arguments of `job submit`.
#[derive(Args)]
pub struct SubmitArgs {
	/// What is to be answered.
	#[arg(long, value_name = "TEXT")]
	prompt: String,
	/// Instructions that go before it.
	#[arg(long, value_name = "TEXT")]
	system: Option<String>,
	/// Continue the text instead of answering it.
	#[arg(long, conflicts_with = "system")]
	raw: bool,
	/// The model; needed if the coordinator offers several.
	#[arg(long, value_name = "NAME")]
	model: Option<String>,
	/// Most tokens of the answer.
	#[arg(long, default_value_t = 128)]
	max_tokens: u32,
	/// Temperature in thousandths. 0 takes the likeliest token each time: the answer that anybody gets
	/// again, in which a small model repeats itself; 800 is livelier.
	#[arg(long, default_value_t = 0)]
	temperature_milli: u32,
	/// Seed of the random choices.
	#[arg(long, default_value_t = 0)]
	seed: u64,
	/// What it is paid in: ait, aicp or service_credit.
	#[arg(long, value_name = "ASSET", default_value = "ait", value_parser = asset)]
	asset: PriceAsset,
	/// The most to be held for it, in the asset; a job that is quoted above it is not opened.
	#[arg(long, value_name = "AMOUNT", default_value = "0.1")]
	max_price: String,
	/// Seconds to wait for the result; 0 submits only.
	#[arg(long, value_name = "SECONDS", default_value_t = 300)]
	wait: u64,
	/// Wait until the money is final, too.
	#[arg(long)]
	until_final: bool,
	#[command(flatten)]
	payer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	book: BookArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `job list`.
#[derive(Args)]
pub struct ListArgs {
	/// Only jobs in this state: queued, assigned, running, completed, failed, cancelled, expired.
	#[arg(long)]
	state: Option<JobStage>,
	/// Only jobs that this account pays for: an address, or 0x and 64 digits.
	#[arg(long, value_name = "ADDRESS", value_parser = gridproof_keys::account::parse_account)]
	client: Option<[u8; 32]>,
	/// Most jobs to list.
	#[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
	limit: u32,
	/// Only numbers below this: the next page.
	#[arg(long, value_name = "NUMBER")]
	before: Option<u64>,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
}

/// Arguments of `job show`.
#[derive(Args)]
pub struct ShowArgs {
	/// The job's id.
	#[arg(value_name = "JOB")]
	job: Hex32,
	/// Print its signed receipt instead.
	#[arg(long)]
	receipt: bool,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	book: BookArgs,
}

/// Arguments of `job cancel`.
#[derive(Args)]
pub struct CancelArgs {
	/// The job's id.
	#[arg(value_name = "JOB")]
	job: Hex32,
	/// Ask the chain instead of the coordinator: needs the client's account; the money returns
	/// after the notice unless the work has begun.
	#[arg(long)]
	on_chain: bool,
	#[command(flatten)]
	payer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	book: BookArgs,
	#[command(flatten)]
	node: NodeArgs,
}

fn client(args: &CoordinatorArgs) -> anyhow::Result<CoordinatorClient> {
	Ok(CoordinatorClient::new(&args.coordinator)?)
}

impl BookArgs {
	fn book(&self) -> anyhow::Result<JobBook> {
		if let Some(folder) = &self.jobs {
			return Ok(JobBook::new(folder));
		}
		let variable = |name| std::env::var_os(name).map(PathBuf::from);
		let data = variable("XDG_DATA_HOME")
			.or_else(|| variable("HOME").map(|home| home.join(".local/share")))
			.context("where are jobs to be remembered? Name a folder with --jobs")?;
		Ok(JobBook::new(&data.join("gridproof/jobs")))
	}

	/// The access key of a job submitted from here; empty for others.
	fn access(&self, job: Hex32) -> anyhow::Result<String> {
		let entry = self.book()?.get(job).context("cannot read what is remembered of the job")?;
		Ok(entry.map(|entry| entry.access).unwrap_or_default())
	}
}

/// Runs one `gridproof job` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Submit(args) => submit(*args, out).await,
		Command::List(args) => list(&args, out).await,
		Command::Show(args) => show(&args, out).await,
		Command::Cancel(args) => cancel(&args, out).await,
	}
}

impl SubmitArgs {
	fn spec(&self, model: String) -> JobSpec {
		let message = |role: &str, content: &str| Message {
			role: role.to_string(),
			content: content.to_string(),
		};
		let task = if self.raw {
			Task::Completion { prompt: self.prompt.clone() }
		} else {
			let system = self.system.iter().map(|text| message("system", text));
			let messages = system.chain([message("user", &self.prompt)]).collect();
			Task::Chat { messages }
		};
		let sampling = Sampling {
			temperature_milli: self.temperature_milli,
			seed: self.seed,
			..Sampling::default()
		};
		JobSpec {
			version: SPEC_VERSION,
			model,
			task,
			max_tokens: self.max_tokens,
			sampling,
			further: Further::default(),
		}
	}

	async fn model(&self, coordinator: &CoordinatorClient) -> anyhow::Result<String> {
		if let Some(model) = &self.model {
			return Ok(model.clone());
		}
		let mut models = coordinator.info().await?.models;
		match (models.pop(), models.is_empty()) {
			(Some(model), true) => Ok(model.name),
			(None, _) => bail!("the coordinator offers no model now"),
			_ => Err(usage("the coordinator offers several models; choose one with --model")),
		}
	}
}

async fn submit(args: SubmitArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let unit = Unit::from(args.asset);
	let most = unit.parse(&args.max_price);
	let most = most.map_err(|reason| usage(format!("--max-price: {reason}")))?;
	let account = args.payer.load(&args.passphrase)?;
	let coordinator = client(&args.coordinator)?;
	let chain = args.node.connect().await?;
	let spec = args.spec(args.model(&coordinator).await?);
	let genesis = chain.genesis();
	let (answer, quote) = coordinator.quote(&spec, account.account(), args.asset, &genesis).await?;
	affordable(quote.price, most, unit)?;
	// Before any money moves: without the access key nobody could fetch what it pays for.
	let entry = JobEntry {
		job: answer.job,
		coordinator: args.coordinator.coordinator.clone(),
		client: Hex32(account.account()),
		price: Amount(quote.price),
		access: answer.access.clone(),
		created_ms: now_ms(),
	};
	args.book.book()?.add(&entry).context("cannot remember the job; nothing was opened")?;
	let waiting = out.spinner("waiting for escrow and result");
	let open = call::open_job(&quote, &answer.signature.0);
	chain.submit(&account, &open, &args.node.patience()).await?;
	let submitted = coordinator.submit(&answer, &spec).await?;
	if args.wait == 0 {
		out.result(&submitted, job_text)?;
		return Ok(ExitCode::SUCCESS);
	}
	let result = coordinator.wait(answer.job, &answer.access, args.until_final);
	let Ok(shown) = tokio::time::timeout(Duration::from_secs(args.wait), result).await else {
		bail!("job {} is not done yet; look again with: gridproof job show {0}", answer.job);
	};
	waiting.finish_and_clear();
	let shown = shown?;
	out.result(&shown, job_text)?;
	let is_refused = shown.receipt.as_ref().is_some_and(|r| r.settlement == Settlement::Refused);
	let is_good = shown.state == JobStage::Completed && !is_refused;
	Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks a quote before any money moves.
fn affordable(price: u128, most: u128, unit: Unit) -> anyhow::Result<()> {
	if price <= most {
		return Ok(());
	}
	let (quoted, limit) = (unit.show(price), unit.show(most));
	let said = format!("up to {quoted} would be held, --max-price is {limit}; nothing was opened");
	Err(anyhow::Error::from(ClientError::TooExpensive { price, most }).context(said))
}

/// An amount of an asset for people.
fn shown(amount: Amount, asset_name: &str) -> String {
	let unit = asset(asset_name).map(Unit::from);
	unit.map_or_else(|_| format!("{amount} {asset_name}"), |unit| unit.show(amount.0))
}

fn job_text(job: &JobInfo) -> String {
	let mut text = String::new();
	if let Some(output) = &job.output {
		text.push_str(&format!("{}\n\n", output.text));
	}
	text.push_str(&format!("job       {}\nstate     {}", job.job, job.state));
	if let Some(reason) = &job.reason {
		text.push_str(&format!(" ({reason})"));
	}
	text.push_str(&format!(
		"\nmodel     {}\nat most   {}",
		job.model,
		shown(job.price, &job.asset)
	));
	if let Some(output) = &job.output {
		let (read, made) = (output.prompt_tokens, output.completion_tokens);
		text.push_str(&format!("\ntokens    {read} read, {made} made"));
	}
	if let Some(receipt) = &job.receipt {
		text.push_str(&format!(
			"\nreceipt   {}\nprice     {} for {} units, {}",
			receipt.receipt_id,
			shown(receipt.price, &job.asset),
			receipt.compute_units,
			receipt.settlement.as_str()
		));
	}
	text
}

async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let mut query = format!("limit={}", args.limit);
	if let Some(state) = args.state {
		query.push_str(&format!("&state={state}"));
	}
	if let Some(client) = args.client {
		query.push_str(&format!("&client={}", Hex32(client)));
	}
	if let Some(before) = args.before {
		query.push_str(&format!("&before={before}"));
	}
	let page = client(&args.coordinator)?.jobs(&query).await?;
	out.result(&page, page_text)?;
	Ok(ExitCode::SUCCESS)
}

fn page_text(page: &JobPage) -> String {
	let line = |job: &JobInfo| {
		let settled = job.receipt.as_ref().map_or("", |receipt| receipt.settlement.as_str());
		format!("{:>8}  {}  {:<9}  {:<8}  {}", job.number, job.job, job.state, settled, job.model)
	};
	let mut lines: Vec<String> = page.jobs.iter().map(line).collect();
	if lines.is_empty() {
		lines.push("no jobs".to_string());
	}
	lines.extend(page.next.map(|next| format!("more: --before {next}")));
	lines.join("\n")
}

async fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let coordinator = client(&args.coordinator)?;
	if args.receipt {
		let receipt = coordinator.receipt(args.job).await?;
		out.result(&receipt, |receipt| {
			format!(
				"receipt   {}\njob       {}\nminer     {}\nunits     {}\nprice     {}\nmoney     {}",
				receipt.receipt_id,
				receipt.job,
				receipt.miner,
				receipt.compute_units,
				shown(receipt.price, &receipt.asset),
				receipt.settlement.as_str()
			)
		})?;
		return Ok(ExitCode::SUCCESS);
	}
	let job = coordinator.job(args.job, &args.book.access(args.job)?).await?;
	out.result(&job, job_text)?;
	Ok(ExitCode::SUCCESS)
}

/// What `job cancel` did.
#[derive(Serialize)]
struct Cancelled {
	job: Hex32,
	/// `cancelled` by the coordinator, or `cancelling` on chain.
	state: &'static str,
	/// Hash of the final block, if the chain was asked.
	block: Option<String>,
}

async fn cancel(args: &CancelArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let done = if args.on_chain {
		let account = args.payer.load(&args.passphrase)?;
		let chain = args.node.connect().await?;
		let cancel = call::cancel_job(args.job.into());
		let included = chain.submit(&account, &cancel, &args.node.patience()).await?;
		let block = Some(format!("{:#x}", included.block));
		Cancelled { job: args.job, state: "cancelling", block }
	} else {
		let access = args.book.access(args.job)?;
		if access.is_empty() {
			return Err(usage(
				"the job was not submitted from here: name its folder with --jobs, or --on-chain",
			));
		}
		client(&args.coordinator)?.cancel(args.job, &access).await?;
		Cancelled { job: args.job, state: "cancelled", block: None }
	};
	out.result(&done, |done| format!("job {} is {}", done.job, done.state))?;
	Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		args: SubmitArgs,
	}

	#[test]
	fn a_client_that_names_no_limit_pays_a_tenth_of_a_token_at_most() {
		let line = Line::parse_from(["submit", "--prompt", "Hi", "--suri", "//Dave"]);
		let unit = Unit::from(line.args.asset);
		let most = unit.parse(&line.args.max_price).unwrap();
		assert_eq!(most, 100_000_000_000_000_000);
		assert!(affordable(most, most, unit).is_ok());
		let refused = affordable(most + 1, most, unit).unwrap_err();
		assert!(refused.to_string().contains("--max-price is 0.1 AIT"), "{refused}");
		let cause = refused.downcast_ref::<ClientError>();
		assert!(matches!(cause, Some(ClientError::TooExpensive { .. })));
	}
}
