//! `gridproof plan`.

use crate::{
	args::{
		ChannelArgs, CoordinatorArgs, PassphraseArgs, PayerArgs, SubmitArgs,
		amount::Unit,
		keys::{new_sealed_key, sealed_key},
	},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_chain::pallets::compute_receipts::{
	call,
	event::{ChannelOpened, PlanRenewed},
	query,
};
use gridproof_compute_api::{
	PlanClient,
	protocol::{PlanInfo, PlanState, Plans},
};
use gridproof_keys::{AccountKey, Kind};
use gridproof_primitives::{energy::emlog::format_utc, num::units::MILLIS_PER_DAY};
use gridproof_support::files;
use serde::Serialize;
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
};

/// What `gridproof plan` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Show what a coordinator sells: price, tokens for each day, and what a token costs.
	List(ListArgs),
	/// Buy a plan: open a channel with its price, and get the API key, which is printed once.
	Buy(Box<BuyArgs>),
	/// Show what is left of a plan, of today and altogether, and until when.
	Show(ShowArgs),
	/// Begin another period of a plan, for what is missing for its price. The API key stays the same.
	Renew(RenewArgs),
	/// Get a new API key for a channel of yours whose key the coordinator keeps. The older one ends.
	Key(KeyArgs),
}

/// Arguments of `plan list`.
#[derive(Args)]
pub struct ListArgs {
	#[command(flatten)]
	coordinator: CoordinatorArgs,
}

/// Arguments of `plan buy`.
#[derive(Args)]
pub struct BuyArgs {
	/// Name of the plan, as `plan list` shows it.
	#[arg(value_name = "NAME")]
	plan: String,
	/// A key file of your own, which signs the vouchers: for `front run` on your own machine, without an
	/// API key. By default the coordinator keeps the key.
	#[arg(long, value_name = "FILE")]
	key: Option<PathBuf>,
	/// Make that key file first.
	#[arg(long, requires = "key")]
	new_key: bool,
	/// Write the API key into this file, which nobody else may read, instead of printing it.
	#[arg(long, value_name = "FILE", conflicts_with = "key")]
	save: Option<PathBuf>,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	by: SubmitArgs,
}

/// Arguments of `plan show`.
#[derive(Args)]
pub struct ShowArgs {
	#[command(flatten)]
	which: ChannelArgs,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
}

/// Arguments of `plan renew`.
#[derive(Args)]
pub struct RenewArgs {
	#[command(flatten)]
	which: ChannelArgs,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	by: SubmitArgs,
}

/// Arguments of `plan key`.
#[derive(Args)]
pub struct KeyArgs {
	#[command(flatten)]
	which: ChannelArgs,
	/// Write the API key into this file, which nobody else may read, instead of printing it.
	#[arg(long, value_name = "FILE")]
	save: Option<PathBuf>,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	payer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// Runs one `gridproof plan` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::List(args) => list(&args, out).await,
		Command::Buy(args) => buy(&args, out).await,
		Command::Show(args) => show(&args, out).await,
		Command::Renew(args) => renew(&args, out).await,
		Command::Key(args) => key(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

fn client(coordinator: &CoordinatorArgs) -> anyhow::Result<PlanClient> {
	Ok(PlanClient::new(&coordinator.coordinator)?)
}

/// A plan for people, on one line.
fn line(plan: &PlanInfo) -> String {
	let unit = Unit::from(plan.asset);
	format!(
		"{:<10} {:>10} for {} days, {} tokens a day; a million tokens of a model of factor 1 for {}",
		plan.name,
		unit.show(plan.price.0),
		plan.days,
		plan.tokens_per_day,
		unit.show(plan.unit_price.0.saturating_mul(1_000_000)),
	)
}

async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<()> {
	let plans = client(&args.coordinator)?.plans().await?;
	out.result(&plans, |plans: &Plans| {
		if plans.plans.is_empty() {
			return "this coordinator sells no plans".to_string();
		}
		plans.plans.iter().map(line).collect::<Vec<_>>().join("\n")
	})
}

/// Returns the plan of a name.
fn offered<'p>(plans: &'p Plans, name: &str) -> anyhow::Result<&'p PlanInfo> {
	plans.plans.iter().find(|plan| plan.name == name).ok_or_else(|| {
		let names: Vec<&str> = plans.plans.iter().map(|plan| plan.name.as_str()).collect();
		let names = if names.is_empty() { "none".to_string() } else { names.join(", ") };
		usage(format!("this coordinator sells no plan {name:?}; it sells: {names}"))
	})
}

/// What `plan buy` did.
#[derive(Serialize)]
struct Bought {
	channel: u64,
	plan: String,
	asset: &'static str,
	price: u128,
	plan_ends_ms: Option<u64>,
	/// The API key; `None` with a key of the client's own, or if it was saved.
	api_key: Option<String>,
	/// Where the API key is.
	saved: Option<String>,
	base_url: String,
	block: String,
}

async fn buy(args: &BuyArgs, out: &Output) -> anyhow::Result<()> {
	let coordinator = client(&args.coordinator)?;
	let plans = coordinator.plans().await?;
	let plan = offered(&plans, &args.plan)?;
	let account = args.by.account()?;
	if let Some(path) = args.save.as_deref().filter(|path| path.exists()) {
		return Err(usage(format!("{} exists already: choose another name", path.display())));
	}
	let chain = args.by.connect().await?;
	let signer = match &args.key {
		None => None,
		Some(path) if args.new_key => {
			Some(new_sealed_key(path, Kind::Channel, &args.by.passphrase)?)
		},
		Some(path) => Some(sealed_key(path, Kind::Channel, &args.by.passphrase)?),
	};
	let now = chain.read(&query::overview()).await?.now_ms;
	let signer = signer.map(|key| *key.public());
	let terms = plan.tariff().terms(plans.coordinator.0, signer, now, MILLIS_PER_DAY);
	let included = args.by.submit(&chain, &account, &call::open_channel(&terms)).await?;
	let channel = included.first::<ChannelOpened>()?.channel;
	let later = || format!("channel {channel} is open; its API key: gridproof plan key {channel}");
	// The coordinator's node may be a block behind.
	coordinator.state_once(channel, |_| true).await.with_context(later)?;
	let made = match signer {
		Some(_) => None,
		None => Some(new_key(&coordinator, channel, &account).await.with_context(later)?),
	};
	let (api_key, saved) = keep(made, args.save.as_deref())?;
	let bought = Bought {
		channel,
		plan: plan.name.clone(),
		asset: plan.asset.as_str(),
		price: plan.price.0,
		plan_ends_ms: terms.plan_ends_ms,
		api_key,
		saved,
		base_url: format!("{}/v1", coordinator.url()),
		block: format!("{:#x}", included.block),
	};
	out.result(&bought, |bought| {
		let price = Unit::from(plan.asset).show(bought.price);
		let until = bought.plan_ends_ms.map(format_utc).unwrap_or_default();
		let head = format!("channel {}\nplan {} for {price}, until {until}", channel, bought.plan);
		let Bought { base_url, .. } = bought;
		match (&bought.api_key, &bought.saved) {
			(Some(key), _) => format!(
				"{head}\nOPENAI_BASE_URL={base_url}\nOPENAI_API_KEY={key}\nthe API key is shown this \
				 once; a new one: gridproof plan key {channel}"
			),
			(None, Some(file)) => format!("{head}\nOPENAI_BASE_URL={base_url}\nAPI key in {file}"),
			(None, None) => format!(
				"{head}\ngridproof front run --channel {channel} --key KEY --data DIR answers with it"
			),
		}
	})
}

/// Has an API key made with the account that opened the channel.
async fn new_key(
	coordinator: &PlanClient,
	channel: u64,
	account: &AccountKey,
) -> anyhow::Result<String> {
	let answer = coordinator.key(channel, |payload| account.sign(payload).to_bytes()).await?;
	Ok(answer.key)
}

/// Writes an API key into a file, if one is named; returns what is to be printed, and where it is.
fn keep(
	key: Option<String>,
	save: Option<&Path>,
) -> anyhow::Result<(Option<String>, Option<String>)> {
	let Some((key, path)) = key.as_deref().zip(save) else { return Ok((key, None)) };
	files::replace(path, format!("{key}\n").as_bytes(), files::SECRET)
		.with_context(|| format!("cannot write {}", path.display()))?;
	Ok((None, Some(path.display().to_string())))
}

async fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<()> {
	let state = client(&args.coordinator)?.state(args.which.channel).await?;
	out.result(&state, shown)
}

/// What is left of a channel, for people.
fn shown(state: &PlanState) -> String {
	let unit = Unit::from(state.asset);
	let plan = match &state.plan {
		Some(plan) => format!("plan {}", plan.name),
		None => "no plan".to_string(),
	};
	let key = match (state.kept, state.key_made_ms) {
		(false, _) => "signed with a key of its client's".to_string(),
		(true, None) => "without an API key".to_string(),
		(true, Some(made)) => format!("API key of {}", format_utc(made)),
	};
	let mut lines = vec![
		format!("channel {}, {plan}, {key}", state.channel),
		format!(
			"left today  {} tokens, {}; the next day begins {}",
			state.tokens_left_today,
			unit.show(state.left_today.0),
			format_utc(state.day_ends_ms),
		),
		format!("left in all {} tokens, {}", state.tokens_left, unit.show(state.left.0)),
	];
	if let Some(ends) = state.plan_ends_ms {
		lines.push(format!("period ends {}", format_utc(ends)));
	}
	if let Some(ends) = state.ends_ms {
		lines.push(format!("closing     {}, then the rest returns", format_utc(ends)));
	}
	lines.extend(state.warning.iter().map(|warning| format!("warning     {warning}")));
	lines.join("\n")
}

/// What `plan renew` did.
#[derive(Serialize)]
struct Renewed {
	channel: u64,
	asset: &'static str,
	amount: u128,
	plan_ends_ms: u64,
	block: String,
}

async fn renew(args: &RenewArgs, out: &Output) -> anyhow::Result<()> {
	let coordinator = client(&args.coordinator)?;
	let state = coordinator.state(args.which.channel).await?;
	let Some((plan, ends_ms)) = state.plan.as_ref().zip(state.plan_ends_ms) else {
		return Err(usage(format!(
			"channel {} has no plan; buy one: plan buy",
			args.which.channel
		)));
	};
	let offered = coordinator.plans().await?.plans;
	if !offered.iter().any(|offered| offered.tariff() == plan.tariff()) {
		return Err(usage(format!(
			"this coordinator no longer sells the plan {}: it ends {}, and what is left returns; see plan list",
			plan.name,
			format_utc(ends_ms),
		)));
	}
	let account = args.by.account()?;
	let chain = args.by.connect().await?;
	let now = chain.read(&query::overview()).await?.now_ms;
	let renewal = plan.tariff().renewal(ends_ms, state.left.0, now, MILLIS_PER_DAY);
	let call = call::renew_plan(args.which.channel, plan.asset, renewal.amount, renewal.ends_ms);
	let included = args.by.submit(&chain, &account, &call).await?;
	let event = included.first::<PlanRenewed>()?;
	let seen = |state: &PlanState| state.plan_ends_ms == Some(event.plan_ends_ms);
	coordinator.state_once(args.which.channel, seen).await?;
	let renewed = Renewed {
		channel: event.channel,
		asset: plan.asset.as_str(),
		amount: event.amount,
		plan_ends_ms: event.plan_ends_ms,
		block: format!("{:#x}", included.block),
	};
	out.result(&renewed, |renewed| {
		let amount = Unit::from(plan.asset).show(renewed.amount);
		let until = format_utc(renewed.plan_ends_ms);
		format!("channel {} is renewed for {amount}, until {until}", renewed.channel)
	})
}

/// What `plan key` did.
#[derive(Serialize)]
struct NewKey {
	channel: u64,
	api_key: Option<String>,
	saved: Option<String>,
}

async fn key(args: &KeyArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.payer.load(&args.passphrase)?;
	let made = new_key(&client(&args.coordinator)?, args.which.channel, &account).await?;
	let (api_key, saved) = keep(Some(made), args.save.as_deref())?;
	let made = NewKey { channel: args.which.channel, api_key, saved };
	out.result(&made, |made| match (&made.api_key, &made.saved) {
		(Some(key), _) => format!("{key}\nshown this once; an older key of the channel has ended"),
		(None, file) => format!("API key in {}", file.as_deref().unwrap_or_default()),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_compute_api::protocol::Plan;
	use gridproof_primitives::compute::PriceAsset;
	use gridproof_support::text::{Amount, Hex32};

	fn basic() -> PlanInfo {
		PlanInfo::from(&Plan {
			name: "basic".to_string(),
			asset: PriceAsset::Ait,
			price: Amount(1_000_000_000_000_000_000),
			tokens_per_day: 10_000,
			days: 30,
		})
	}

	#[test]
	fn a_plan_is_shown_in_tokens_and_one_that_is_not_sold_is_named() {
		let text = line(&basic());
		assert!(
			text.starts_with("basic           1 AIT for 30 days, 10000 tokens a day"),
			"{text}"
		);
		assert!(text.ends_with("for 3.333333333333 AIT"), "{text}");
		let plans = Plans {
			coordinator: Hex32([1; 32]),
			genesis: Hex32([2; 32]),
			time_ms: 0,
			plans: vec![basic()],
		};
		assert_eq!(offered(&plans, "basic").unwrap(), &basic());
		let unknown = offered(&plans, "gold").unwrap_err().to_string();
		assert!(unknown.contains("it sells: basic"), "{unknown}");
	}

	#[test]
	fn what_is_left_is_shown_with_its_warning() {
		let mut state = PlanState {
			channel: 7,
			plan: Some(basic()),
			kept: true,
			key_made_ms: None,
			asset: PriceAsset::Ait,
			unit_price: basic().unit_price,
			left: Amount(500_000_000_000_000_000),
			left_today: Amount(0),
			tokens_left: 150_000,
			tokens_left_today: 0,
			day_ends_ms: 86_400_000,
			plan_ends_ms: Some(86_400_000),
			ends_ms: None,
			warning: Some("renew it".to_string()),
		};
		let text = shown(&state);
		assert!(text.contains("channel 7, plan basic, without an API key"), "{text}");
		assert!(text.contains("left in all 150000 tokens, 0.5 AIT"), "{text}");
		assert!(text.ends_with("warning     renew it"), "{text}");
		(state.kept, state.plan, state.warning) = (false, None, None);
		assert!(shown(&state).starts_with("channel 7, no plan, signed with a key of its client's"));
	}

	#[test]
	fn an_api_key_that_is_saved_is_not_printed_and_nobody_else_can_read_it() {
		use std::os::unix::fs::PermissionsExt;
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		let (printed, saved) = keep(Some("gpk_1".to_string()), Some(&path)).unwrap();
		assert_eq!((printed, saved), (None, Some(path.display().to_string())));
		assert_eq!(std::fs::read_to_string(&path).unwrap(), "gpk_1\n");
		assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(keep(Some("gpk_1".to_string()), None).unwrap(), (Some("gpk_1".into()), None));
	}
}
