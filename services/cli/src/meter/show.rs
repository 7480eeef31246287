//! `gridproof meter show`, `list`, `totals`.

use super::find;
use crate::output::Output;
use anyhow::Context;
use clap::Args;
use gridproof_chain::Chain;
use gridproof_meter::chain::{self, Shown};
use gridproof_primitives::{
	emlog::format_utc,
	meter::{Overview, Registers, Suspension, Totals},
};

/// Arguments of `meter show`.
#[derive(Args)]
pub struct WhichArgs {
	/// The meter: its number, or SITE/DEVICE/METER.
	meter: String,
	/// The node.
	#[arg(long, value_name = "WS", default_value = "ws://127.0.0.1:9944")]
	url: String,
}

/// Arguments of `meter list`.
#[derive(Args)]
pub struct ListArgs {
	/// The node.
	#[arg(long, value_name = "WS", default_value = "ws://127.0.0.1:9944")]
	url: String,
}

/// Arguments of `meter totals`.
#[derive(Args)]
pub struct TotalsArgs {
	/// The meter: its number, or SITE/DEVICE/METER; without one, all of them together.
	meter: Option<String>,
	/// The node.
	#[arg(long, value_name = "WS", default_value = "ws://127.0.0.1:9944")]
	url: String,
}

pub async fn show(args: &WhichArgs, out: &Output) -> anyhow::Result<()> {
	let chain = Chain::connect(&args.url).await?;
	let info = find(&chain, &args.meter).await?;
	out.result(&Shown::from(&info), shown_text)
}

pub fn shown_text(meter: &Shown) -> String {
	let state = match meter.suspended {
		None => "active".to_string(),
		Some(Suspension::BrokenSeal) => "suspended: broken seal".to_string(),
		Some(Suspension::LostKey) => "suspended: lost key".to_string(),
	};
	format!(
		"meter     {} {}\nstate     {state}\ndirection {}, rated {} W, key held by {}\n\
		 owner     {}\nenergy to {}\ncertified by {} for organisation {}, seal {}\n\
		 device    {}\nbatches   {}, up to {}\nregisters import {} Wh, export {} Wh",
		meter.index,
		meter.name,
		meter.direction,
		meter.rated_power_w,
		meter.trust,
		meter.owner,
		meter.energy_account,
		meter.electrician,
		meter.organisation,
		meter.seal,
		meter.device_key,
		meter.next_sequence,
		format_utc(meter.last_end_ms),
		meter.registers.import_wh,
		meter.registers.export_wh
	)
}

pub async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<()> {
	let chain = Chain::connect(&args.url).await?;
	let meters: Vec<Shown> = chain::meters(&chain).await?.iter().map(Shown::from).collect();
	out.result(&meters, |meters| {
		let line = |meter: &Shown| {
			let state = if meter.suspended.is_some() { " suspended" } else { "" };
			format!(
				"{:>6} {} {}{state} batches {} import {} Wh export {} Wh",
				meter.index,
				meter.name,
				meter.direction,
				meter.next_sequence,
				meter.registers.import_wh,
				meter.registers.export_wh
			)
		};
		meters.iter().map(line).collect::<Vec<_>>().join("\n")
	})
}

pub async fn totals(args: &TotalsArgs, out: &Output) -> anyhow::Result<()> {
	let chain = Chain::connect(&args.url).await?;
	let Some(text) = &args.meter else {
		return out.result(&chain::overview(&chain).await?, overview_text);
	};
	let index = find(&chain, text).await?.index;
	let totals = chain::totals(&chain, index).await?;
	let totals = totals.with_context(|| format!("the chain has no totals of meter {index}"))?;
	out.result(&totals, |totals: &Totals| {
		let line = |name: &str, sum: &Registers| {
			format!("{name:<10}import {} Wh, export {} Wh", sum.import_wh, sum.export_wh)
		};
		[
			line("last hour", &totals.last_hour),
			line("today", &totals.today),
			line("yesterday", &totals.yesterday),
			line("week", &totals.week),
			line("month", &totals.month),
			line("year", &totals.year),
			line("all", &totals.all),
		]
		.join("\n")
	})
}

fn overview_text(overview: &Overview) -> String {
	format!(
		"meters    {}, {} suspended\norganisations {}, electricians {}\nbatches   {}\n\
		 readings  {}\nimported  {} Wh\nexported  {} Wh\nKWH       {} Wh in existence",
		overview.meters,
		overview.suspended,
		overview.organisations,
		overview.electricians,
		overview.batches,
		overview.readings,
		overview.imported_wh,
		overview.exported_wh,
		overview.issuance
	)
}
