//! `gridproof front`.

use crate::{
	args::{CoordinatorArgs, NodeArgs, PassphraseArgs, PayerArgs, amount::Unit, keys::sealed_key},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_chain::pallets::compute_receipts::query;
use gridproof_coordinator::ApiKeys;
use gridproof_front::{Payer, Settings, TopUp, chain::NodeChain, limits, serve};
use gridproof_keys::Kind;
use gridproof_support::{Clock, stop};
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};
use tokio::net::TcpListener;

/// What `gridproof front` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Answer OpenAI's clients on this machine: each request is paid from the channel, and its receipt
	/// is checked.
	Run(Box<RunArgs>),
}

/// Arguments of `front run`.
#[derive(Args)]
pub struct RunArgs {
	/// Number of the channel, as `channel open` prints it.
	#[arg(long, value_name = "NUMBER")]
	channel: u64,
	/// The channel's key file.
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// Folder of its database: vouchers and receipts. The same one for as long as the channel lives.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
	/// Where to listen.
	#[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8091")]
	listen: SocketAddr,
	/// The API keys of those who may ask, as `coordinator api-key` makes them. Without it, everybody
	/// who reaches the address may.
	#[arg(long, value_name = "FILE")]
	api_keys: Option<PathBuf>,
	/// Origin of web pages that may ask, such as http://127.0.0.1:8070 of a dashboard, or * for all; may be
	/// repeated. Such a page spends the channel.
	#[arg(long = "origin", value_name = "URL")]
	origins: Vec<String>,
	/// Warn when less than this is left of the deposit, in the channel's asset.
	#[arg(long, value_name = "AMOUNT", default_value = "0.1")]
	warn_below: String,
	/// Raise the deposit when less than this is left; needs the account that opened the channel, and the
	/// three limits that follow.
	#[arg(long, value_name = "AMOUNT", requires_all = ["top_up_by", "top_up_per_day", "max_spend"])]
	top_up_below: Option<String>,
	/// By how much.
	#[arg(long, value_name = "AMOUNT", requires = "top_up_below")]
	top_up_by: Option<String>,
	/// The most that is added on one day (UTC).
	#[arg(long, value_name = "AMOUNT", requires = "top_up_below")]
	top_up_per_day: Option<String>,
	/// The most that all requests of the channel together may cost, and the most that its deposit is ever
	/// raised to.
	#[arg(long, value_name = "AMOUNT")]
	max_spend: Option<String>,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	payer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// What `front run --json` prints when it is ready.
#[derive(Serialize)]
struct Ready {
	listening: SocketAddr,
	channel: u64,
}

/// Runs one `gridproof front` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Run(args) => start(*args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

async fn start(args: RunArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.payer.load_if_named(&args.passphrase)?;
	let top_up = args.top_up_below.as_deref().zip(args.top_up_by.as_deref());
	let top_up = top_up.zip(args.top_up_per_day.as_deref());
	if top_up.is_some() && account.is_none() {
		let wanted =
			"the account that opened the channel tops it up: --wallet, --account-key or --suri";
		return Err(usage(wanted));
	}
	let key = sealed_key(&args.key, Kind::Channel, &args.passphrase)?;
	let view = args.node.connect().await?.read(&query::channel(args.channel)).await?;
	let view = view.with_context(|| format!("the chain has no channel {}", args.channel))?;
	let unit = Unit::from(view.channel.kind.asset);
	let amount = |text: &str| unit.parse(text).map_err(usage);
	let top_up = match top_up {
		Some(((below, by), per_day)) => {
			let (below, by, per_day) = (amount(below)?, amount(by)?, amount(per_day)?);
			Some(TopUp { below, by, per_day })
		},
		None => None,
	};
	let settings = Settings {
		folder: args.data,
		coordinator: args.coordinator.coordinator,
		channel: args.channel,
		warn_below: amount(&args.warn_below)?,
		top_up,
		max_spend: args.max_spend.as_deref().map(amount).transpose()?,
	};
	let keys = args.api_keys.as_deref().map(ApiKeys::open).transpose()?;
	let limits = limits(args.origins);
	limits.check_origins().map_err(|error| usage(error.to_string()))?;
	let listener = TcpListener::bind(args.listen)
		.await
		.with_context(|| format!("cannot listen on {}", args.listen))?;
	let chain = Arc::new(NodeChain::new(args.node.url(), account));
	let payer = Payer::open(settings, key, chain, Clock::system()).await?;
	let ready = Ready { listening: listener.local_addr()?, channel: args.channel };
	out.result(&ready, |ready| {
		format!("channel {}\nlistening on http://{}/v1", ready.channel, ready.listening)
	})?;
	Ok(serve(payer, keys, listener, &limits, stop::on_signals()?).await?)
}
