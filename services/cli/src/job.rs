//! `gridproof job`.

use crate::{
	coordinator::asset,
	keys::PassphraseArgs,
	output::Output,
	payer::{NodeArgs, PayerArgs},
};
use anyhow::{Context, bail};
use chrono::Utc;
use clap::{Args, Subcommand};
use gridproof_chain::Chain;
use gridproof_compute::{
	client::{self, ClientFault, CoordinatorClient},
	coordinator::{
		api::{JobPage, JobShown},
		state::{JobState, Settlement},
	},
	job_book::{Entry, JobBook},
	protocol::{Amount, Hex32, JobSpec, Message, SPEC_VERSION, Sampling, Task},
};
use gridproof_primitives::compute::PriceAsset;
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

/// Which coordinator.
#[derive(Args, Clone)]
pub struct CoordinatorArgs {
	/// The coordinator.
	#[arg(
		long,
		value_name = "HTTP",
		default_value = "http://127.0.0.1:8090",
		env = "GRIDPROOF_COORDINATOR"
	)]
	coordinator: String,
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
	/// Go on with the text instead of answering it.
	#[arg(long, conflicts_with = "system")]
	raw: bool,
	/// The model; needed if the coordinator offers several.
	#[arg(long, value_name = "NAME")]
	model: Option<String>,
	/// Most tokens of the answer.
	#[arg(long, default_value_t = 128)]
	max_tokens: u32,
	/// Temperature in thousandths; 0 takes the likeliest token.
	#[arg(long, default_value_t = 0)]
	temperature_milli: u32,
	/// Seed of the random choices.
	#[arg(long, default_value_t = 0)]
	seed: u64,
	/// What it is paid in: ait, aicp or service_credit.
	#[arg(long, value_name = "ASSET", default_value = "ait", value_parser = asset)]
	asset: PriceAsset,
	/// The most to be held for it, in the asset's smallest unit; else whatever is quoted.
	#[arg(long, value_name = "AMOUNT")]
	max_price: Option<u128>,
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
	/// Only in this state: queued, assigned, running, completed, failed, cancelled, expired.
	#[arg(long)]
	state: Option<JobState>,
	/// Only of this account: an address, or 0x and 64 digits.
	#[arg(long, value_name = "ADDRESS", value_parser = gridproof_keys::account::parse_account)]
	client: Option<[u8; 32]>,
	/// At most so many.
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

impl CoordinatorArgs {
	fn client(&self) -> anyhow::Result<CoordinatorClient> {
		Ok(CoordinatorClient::new(&self.coordinator)?)
	}
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
		let task = match self.raw {
			true => Task::Completion { prompt: self.prompt.clone() },
			false => {
				let system = self.system.iter().map(|text| message("system", text));
				let messages = system.chain([message("user", &self.prompt)]).collect();
				Task::Chat { messages }
			},
		};
		let sampling = Sampling {
			temperature_milli: self.temperature_milli,
			seed: self.seed,
			..Sampling::default()
		};
		JobSpec { version: SPEC_VERSION, model, task, max_tokens: self.max_tokens, sampling }
	}

	async fn model(&self, coordinator: &CoordinatorClient) -> anyhow::Result<String> {
		if let Some(model) = &self.model {
			return Ok(model.clone());
		}
		let mut models = coordinator.info().await?.models;
		match (models.pop(), models.is_empty()) {
			(Some(model), true) => Ok(model.name),
			(None, _) => bail!("the coordinator offers no model now"),
			_ => bail!("the coordinator offers several models; choose one with --model"),
		}
	}
}

async fn submit(args: SubmitArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let account = args.payer.load(&args.passphrase)?;
	let coordinator = args.coordinator.client()?;
	let chain = Chain::connect(&args.node.url).await?;
	let spec = args.spec(args.model(&coordinator).await?);
	let genesis = chain.genesis();
	let (answer, quote) = coordinator.quote(&spec, account.account(), args.asset, &genesis).await?;
	if let Some(most) = args.max_price.filter(|most| quote.price > *most) {
		return Err(ClientFault::TooDear { price: quote.price, most }.into());
	}
	// Before any money moves: without the access key nobody could fetch what it pays for.
	let entry = Entry {
		job: answer.job,
		coordinator: args.coordinator.coordinator.clone(),
		client: Hex32(account.account()),
		price: Amount(quote.price),
		access: answer.access.clone(),
		created_ms: u64::try_from(Utc::now().timestamp_millis()).unwrap_or(0),
	};
	args.book.book()?.add(&entry).context("cannot remember the job; nothing was opened")?;
	let waiting = out.spinner("waiting for escrow and result");
	let patience = args.node.patience();
	client::open_job(&chain, &account, &quote, answer.signature.0, patience).await?;
	let submitted = coordinator.submit(answer.job, &answer.access).await?;
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
	let is_good = shown.state == JobState::Completed && !is_refused;
	Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn job_text(job: &JobShown) -> String {
	let mut text = String::new();
	if let Some(output) = &job.output {
		text.push_str(&format!("{}\n\n", output.text));
	}
	text.push_str(&format!("job       {}\nstate     {}", job.job, job.state));
	if let Some(reason) = &job.reason {
		text.push_str(&format!(" ({reason})"));
	}
	text.push_str(&format!("\nmodel     {}\nat most   {} {}", job.model, job.price, job.asset));
	if let Some(output) = &job.output {
		let (read, made) = (output.prompt_tokens, output.completion_tokens);
		text.push_str(&format!("\ntokens    {read} read, {made} made"));
	}
	if let Some(receipt) = &job.receipt {
		text.push_str(&format!(
			"\nreceipt   {}\nprice     {} {} for {} units, {}",
			receipt.receipt_id,
			receipt.price,
			job.asset,
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
	let page = args.coordinator.client()?.jobs(&query).await?;
	out.result(&page, page_text)?;
	Ok(ExitCode::SUCCESS)
}

fn page_text(page: &JobPage) -> String {
	let line = |job: &JobShown| {
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
	let coordinator = args.coordinator.client()?;
	if args.receipt {
		let receipt = coordinator.receipt(args.job).await?;
		out.result(&receipt, |receipt| {
			format!(
				"receipt   {}\njob       {}\nminer     {}\nunits     {}\nprice     {} {}\nmoney     {}",
				receipt.receipt_id,
				receipt.job,
				receipt.miner,
				receipt.compute_units,
				receipt.price,
				receipt.asset,
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
		let chain = Chain::connect(&args.node.url).await?;
		let patience = args.node.patience();
		let included = client::cancel_on_chain(&chain, &account, args.job.into(), patience).await?;
		let block = Some(format!("{:#x}", included.block));
		Cancelled { job: args.job, state: "cancelling", block }
	} else {
		let access = args.book.access(args.job)?;
		if access.is_empty() {
			bail!(
				"the job was not submitted from here: name its folder with --jobs, or --on-chain"
			);
		}
		args.coordinator.client()?.cancel(args.job, &access).await?;
		Cancelled { job: args.job, state: "cancelled", block: None }
	};
	out.result(&done, |done| format!("job {} is {}", done.job, done.state))?;
	Ok(ExitCode::SUCCESS)
}
