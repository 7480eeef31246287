//! `gridproof meter show`, `list`, `totals`.

use super::find;
use crate::{args::UrlArgs, output::Output};
use anyhow::Context;
use clap::Args;
use gridproof_chain::pallets::meter_readings::query;
use gridproof_fleet::{ShownMeter, ShownPoint, Whose, all_meters, totals_of};
use gridproof_primitives::energy::{
	MeterIndex, OrganisationIndex, Overview, Registers, Suspension, Totals, emlog::format_utc,
};

/// Arguments of `meter show`.
#[derive(Args)]
pub struct WhichArgs {
	/// The meter: its number, or SITE/DEVICE/METER.
	meter: String,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `meter list`.
#[derive(Args)]
pub struct ListArgs {
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `meter totals`.
#[derive(Args)]
pub struct TotalsArgs {
	/// The meter: its number, or SITE/DEVICE/METER; without one, all of them together.
	meter: Option<String>,
	/// The meters in service that this organisation has certified, together.
	#[arg(long, value_name = "NUMBER", conflicts_with_all = ["meter", "owner"])]
	organisation: Option<OrganisationIndex>,
	/// The meters in service of this owner, together: an address, or 0x and 64 digits.
	#[arg(long, value_name = "ADDRESS", conflicts_with = "meter",
		value_parser = gridproof_keys::account::parse_account)]
	owner: Option<[u8; 32]>,
	#[command(flatten)]
	node: UrlArgs,
}

pub async fn show(args: &WhichArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let info = find(&chain, &args.meter).await?;
	out.result(&ShownMeter::from(&info), shown_text)
}

pub fn shown_text(meter: &ShownMeter) -> String {
	let state = match meter.suspended {
		None => "active".to_string(),
		Some(Suspension::BrokenSeal) => "suspended: broken seal".to_string(),
		Some(Suspension::LostKey) => "suspended: lost key".to_string(),
		Some(Suspension::Governance) => "suspended by governance".to_string(),
	};
	let mints = if meter.mints {
		let from = format_utc(meter.floor_ms);
		match meter.owed_wh {
			0 => format!("KWH for the next Wh that it delivers from {from} on"),
			owed => format!("KWH once it has delivered {owed} Wh, which it took, from {from} on"),
		}
	} else {
		"nothing: its organisation, or it, is not admitted".to_string()
	};
	let point = meter.point.as_ref().map(|point| format!("\n{}", point_text(point)));
	let point = point.unwrap_or_default();
	format!(
		"meter     {} {}\nstate     {state}\nmints     {mints}\ndirection {}, rated {} W, key held by {}{point}\n\
		 owner     {}\nenergy to {}\ncertified by {} for organisation {}, serial number {}, seal {}\n\
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
		meter.serial,
		meter.seal,
		meter.device_key,
		meter.next_sequence,
		format_utc(meter.last_end_ms),
		meter.registers.import_wh,
		meter.registers.export_wh
	)
}

fn point_text(point: &ShownPoint) -> String {
	let numbers = |meters: &[MeterIndex]| {
		meters.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
	};
	let ShownPoint { id, meters, waiting_wh, waits_for } = point;
	let waits = match (waits_for.as_slice(), waiting_wh) {
		([], _) => String::new(),
		(missing, 0) => format!("; nothing mints without meter {}", numbers(missing)),
		(missing, wh) => format!("; {wh} Wh wait for meter {}", numbers(missing)),
	};
	match meters.as_slice() {
		[] => format!("point     {id}, netted with it once it mints"),
		meters => format!("point     {id}, meters {} netted together{waits}", numbers(meters)),
	}
}

pub async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let meters: Vec<ShownMeter> = all_meters(&chain).await?.iter().map(ShownMeter::from).collect();
	out.result(&meters, |meters| {
		let line = |meter: &ShownMeter| {
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
	let chain = args.node.connect().await?;
	let whose = args.organisation.map(Whose::Organisation);
	if let Some(whose) = whose.or_else(|| args.owner.map(Whose::Owner)) {
		return out.result(&totals_of(&chain, &whose).await?, |summed| {
			format!("{:<10}{}\n{}", "meters", summed.meters, totals_text(&summed.totals))
		});
	}
	let Some(text) = &args.meter else {
		return out.result(&chain.read(&query::overview()).await?, overview_text);
	};
	let index = find(&chain, text).await?.index;
	let totals = chain.read(&query::totals(index)).await?;
	let totals = totals.with_context(|| format!("the chain has no totals of meter {index}"))?;
	out.result(&totals, totals_text)
}

fn totals_text(totals: &Totals) -> String {
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
}

fn overview_text(overview: &Overview) -> String {
	format!(
		"meters    {}, {} suspended\norganisations {}, electricians {}\nbatches   {}\n\
		 readings  {}\nimported  {} Wh\nexported  {} Wh, {} Wh of it minted\nKWH       {} Wh in existence",
		overview.meters,
		overview.suspended,
		overview.organisations,
		overview.electricians,
		overview.batches,
		overview.readings,
		overview.imported_wh,
		overview.exported_wh,
		overview.minted_wh,
		overview.issuance
	)
}
