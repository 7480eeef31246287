//! `gridproof channel`.

use crate::{
	args::{
		ChannelArgs, CoordinatorArgs, SubmitArgs, UrlArgs,
		amount::Unit,
		keys::{new_sealed_key, sealed_key},
	},
	channel_demands as demands,
	coordinator::asset,
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_chain::{
	Chain,
	pallets::compute_receipts::{
		call,
		event::{ChannelEnding, ChannelOpened, ChannelToppedUp},
		query,
	},
};
use gridproof_compute_api::CoordinatorClient;
use gridproof_keys::{Kind, account::address};
use gridproof_primitives::{
	compute::{
		PriceAsset,
		channels::{BatchKind, ChannelTerms, ChannelView, Mode},
	},
	energy::emlog::format_utc,
};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// What `gridproof channel` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Open a channel: a deposit for one coordinator, from which requests are paid.
	Open(Box<OpenArgs>),
	/// Show a channel as the chain has it.
	Show(ShowArgs),
	/// Add to a channel's deposit.
	TopUp(TopUpArgs),
	/// Begin the notice of a channel; what is left returns at its end.
	Close(CloseArgs),
	/// Show which receipts a coordinator has to settle or show, and until when.
	Demands(demands::ListArgs),
	/// Demand a receipt on chain: its coordinator has to settle it, or to show its batch.
	Demand(demands::DemandArgs),
	/// Report on chain a receipt that its coordinator should not have signed.
	Report(demands::ReportArgs),
}

/// Arguments of `channel open`.
#[derive(Args)]
pub struct OpenArgs {
	/// The key file of the channel, which signs its vouchers.
	#[arg(long, value_name = "FILE", required_unless_present = "kept")]
	key: Option<PathBuf>,
	/// Make the key file first.
	#[arg(long, requires = "key")]
	new_key: bool,
	/// Let the coordinator keep the key, and answer for the daily limit with its bond; `plan key` gets an
	/// API key.
	#[arg(long, conflicts_with = "key")]
	kept: bool,
	/// The deposit, in the asset.
	#[arg(long, value_name = "AMOUNT")]
	deposit: String,
	/// The most that is settled on one day; by default the deposit.
	#[arg(long, value_name = "AMOUNT")]
	daily_limit: Option<String>,
	/// What it is paid in: ait or aicp.
	#[arg(long, value_name = "ASSET", default_value = "ait", value_parser = asset)]
	asset: PriceAsset,
	/// Nothing of it is ever opened to a verifier, and nothing mints.
	#[arg(long)]
	private: bool,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	by: SubmitArgs,
}

/// Arguments of `channel show`.
#[derive(Args)]
pub struct ShowArgs {
	#[command(flatten)]
	which: ChannelArgs,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `channel top-up`.
#[derive(Args)]
pub struct TopUpArgs {
	#[command(flatten)]
	which: ChannelArgs,
	/// What is added, in the channel's asset.
	#[arg(value_name = "AMOUNT")]
	amount: String,
	#[command(flatten)]
	by: SubmitArgs,
}

/// Arguments of `channel close`.
#[derive(Args)]
pub struct CloseArgs {
	#[command(flatten)]
	which: ChannelArgs,
	#[command(flatten)]
	by: SubmitArgs,
}

/// Runs one `gridproof channel` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Open(args) => open(&args, out).await,
		Command::Show(args) => show(&args, out).await,
		Command::TopUp(args) => top_up(&args, out).await,
		Command::Close(args) => close(&args, out).await,
		Command::Demands(args) => demands::list(&args, out).await,
		Command::Demand(args) => demands::demand(&args, out).await,
		Command::Report(args) => demands::report(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

/// What `channel open` did.
#[derive(Serialize)]
struct Opened {
	channel: u64,
	coordinator: String,
	/// The key that signs its vouchers; `None` if the coordinator keeps it.
	signer: Option<String>,
	deposit: u128,
	daily_limit: u128,
	block: String,
}

async fn open(args: &OpenArgs, out: &Output) -> anyhow::Result<()> {
	let unit = Unit::from(args.asset);
	let deposit = unit.parse(&args.deposit).map_err(usage)?;
	let daily_limit = match &args.daily_limit {
		Some(text) => unit.parse(text).map_err(usage)?,
		None => deposit,
	};
	let account = args.by.account()?;
	let info = CoordinatorClient::new(&args.coordinator.coordinator)?.info().await?;
	// Before a key is made, which is not to be made twice.
	let chain = args.by.connect().await?;
	let key = match &args.key {
		None => None,
		Some(path) if args.new_key => {
			Some(new_sealed_key(path, Kind::Channel, &args.by.passphrase)?)
		},
		Some(path) => Some(sealed_key(path, Kind::Channel, &args.by.passphrase)?),
	};
	let signer = key.map(|key| *key.public());
	let mode = if args.private { Mode::Private } else { Mode::Ordinary };
	let terms = ChannelTerms {
		coordinator: info.coordinator.0,
		kind: BatchKind { asset: args.asset, mode },
		signer,
		deposit,
		daily_limit,
		plan_ends_ms: None,
	};
	let included = args.by.submit(&chain, &account, &call::open_channel(&terms)).await?;
	let opened = Opened {
		channel: included.first::<ChannelOpened>()?.channel,
		coordinator: info.coordinator.to_string(),
		signer: signer.map(|signer| format!("0x{}", hex::encode(signer))),
		deposit,
		daily_limit,
		block: format!("{:#x}", included.block),
	};
	out.result(&opened, |opened| {
		format!("channel {}\ndeposit {}", opened.channel, unit.show(opened.deposit))
	})
}

/// A channel as `channel show` prints it.
#[derive(Serialize)]
struct Shown {
	channel: u64,
	client: String,
	coordinator: String,
	signer: Option<String>,
	#[serde(flatten)]
	kind: BatchKind,
	deposited: u128,
	settled: u128,
	left: u128,
	receipts: u64,
	daily_limit: u128,
	plan_ends_ms: Option<u64>,
	ends_ms: Option<u64>,
}

async fn view(chain: &Chain, channel: u64) -> anyhow::Result<ChannelView> {
	let view = chain.read(&query::channel(channel)).await?;
	view.with_context(|| format!("the chain has no channel {channel}"))
}

async fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<()> {
	let view = view(&args.node.connect().await?, args.which.channel).await?;
	let (channel, unit) = (view.channel, Unit::from(view.channel.kind.asset));
	let shown = Shown {
		channel: view.id,
		client: address(&view.client),
		coordinator: format!("0x{}", hex::encode(channel.coordinator)),
		signer: channel.signer.map(|signer| format!("0x{}", hex::encode(signer))),
		kind: channel.kind,
		deposited: channel.deposited,
		settled: channel.settled.price,
		left: view.left,
		receipts: channel.settled.count,
		daily_limit: channel.daily_limit,
		plan_ends_ms: channel.plan_ends_ms,
		ends_ms: channel.ends_ms,
	};
	out.result(&shown, |shown| {
		let signer = match &shown.signer {
			Some(signer) => format!("signed with {signer}"),
			None => "its key is kept by the coordinator".to_string(),
		};
		let end = match (shown.ends_ms, shown.plan_ends_ms) {
			(Some(ends), _) => format!("\nends {}", format_utc(ends)),
			(None, Some(ends)) => format!("\nits plan ends {}", format_utc(ends)),
			(None, None) => String::new(),
		};
		format!(
			"channel {} of {} at {}, {signer}\n{} of {} settled in {} receipts, {} left, {} a day{end}",
			shown.channel,
			shown.client,
			shown.coordinator,
			unit.show(shown.settled),
			unit.show(shown.deposited),
			shown.receipts,
			unit.show(shown.left),
			unit.show(shown.daily_limit),
		)
	})
}

/// What `channel top-up` did.
#[derive(Serialize)]
struct ToppedUp {
	channel: u64,
	amount: u128,
	deposited: u128,
	block: String,
}

async fn top_up(args: &TopUpArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.by.connect().await?;
	let unit = Unit::from(view(&chain, args.which.channel).await?.channel.kind.asset);
	let amount = unit.parse(&args.amount).map_err(usage)?;
	let account = args.by.account()?;
	let call = call::top_up(args.which.channel, amount);
	let included = args.by.submit(&chain, &account, &call).await?;
	let event = included.first::<ChannelToppedUp>()?;
	let done = ToppedUp {
		channel: event.channel,
		amount: event.amount,
		deposited: event.deposited,
		block: format!("{:#x}", included.block),
	};
	out.result(&done, |done| {
		format!("channel {} has {} in all", done.channel, unit.show(done.deposited))
	})
}

/// What `channel close` did.
#[derive(Serialize)]
struct Closing {
	channel: u64,
	until_ms: u64,
	block: String,
}

async fn close(args: &CloseArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.by.account()?;
	let (chain, call) = (args.by.connect().await?, call::close_channel(args.which.channel));
	let included = args.by.submit(&chain, &account, &call).await?;
	let event = included.first::<ChannelEnding>()?;
	let done = Closing {
		channel: event.channel,
		until_ms: event.until_ms,
		block: format!("{:#x}", included.block),
	};
	out.result(&done, |done| {
		let until = format_utc(done.until_ms);
		format!("channel {} ends {until}; then anyone can have its rest returned", done.channel)
	})
}
