//! `gridproof grid`.

use crate::{
	args::{amount::energy, keys::secret_line},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_grid::{
	BASE_URL, Client, Commitment, DayLoad, DayWindow, EUROPE, Eic, Parameter, SILENT_DAYS,
	Settings, Source, Summary, Token, Tz, Zone, ZoneReport, ZoneStatus, day_load, load_zones,
	parse_zones, price_from_files, price_from_source, read_bounded, silent_zones, summarise,
	write_day,
};
use gridproof_primitives::{num::decimal::Ratio, time::day::Day};
use serde::Serialize;
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
};
use zeroize::Zeroizing;

/// What `gridproof grid` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Load of all zones for a day: writes grid_load.csv, grid_by_zone_D.csv,
	/// grid_summary_D.json and zones.csv.
	Load(LoadArgs),
	/// Energy of one zone for a day, from saved documents.
	Wh(WhArgs),
	/// Day-ahead price of one zone for a day, from saved documents or a source.
	Price(PriceArgs),
	/// Print the shipped list of European bidding zones, or check another list.
	Zones(ZonesArgs),
}

/// How to reach a source.
#[derive(Args)]
pub struct SourceArgs {
	/// File, mode 0600, with the platform's token; by default, the token in ENTSOE_TOKEN or in the
	/// file that ENTSOE_TOKEN_FILE names.
	#[arg(long, value_name = "FILE")]
	token_file: Option<PathBuf>,
	/// Address of the platform.
	#[arg(long, env = "ENTSOE_URL", default_value = BASE_URL, value_name = "URL")]
	entsoe_url: String,
	/// How often a request is sent before the command gives up.
	#[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
	attempts: u32,
	/// Seconds that one request may take.
	#[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
	timeout: u64,
	/// What the platform is asked besides, or instead: NAME=VALUE, for one kind of question only as
	/// load:NAME=VALUE or price:NAME=VALUE.
	#[arg(long = "entsoe-parameter", value_name = "NAME=VALUE")]
	parameters: Vec<Parameter>,
}

/// Arguments of `grid load`.
#[derive(Args)]
pub struct LoadArgs {
	/// The local day, as 2025-03-30.
	#[arg(long)]
	day: Day,
	/// The zones: a CSV file `name,eic,timezone`.
	#[arg(long, value_name = "FILE")]
	zones: PathBuf,
	/// `entsoe`, or `dir:PATH` with PATH/2025-03-30/load_EIC.xml.
	#[arg(long)]
	source: String,
	/// Folder for the files.
	#[arg(long, value_name = "DIR")]
	out: PathBuf,
	/// Number of zones that must have a complete day; with fewer, nothing is written.
	#[arg(long, default_value_t = 1)]
	min_zones: u32,
	/// Share of the measured energy that is committed: a decimal or n/d.
	#[arg(long, default_value = "0.18", value_parser = ratio)]
	alpha: Ratio,
	/// Factor for what is not trusted: a decimal or n/d.
	#[arg(long, default_value = "1", value_parser = ratio)]
	haircut: Ratio,
	/// Keep the documents in this folder, so that `--source dir:` can read them again.
	#[arg(long, value_name = "DIR")]
	save: Option<PathBuf>,
	#[command(flatten)]
	access: SourceArgs,
}

/// Arguments of `grid wh`.
#[derive(Args)]
pub struct WhArgs {
	/// Load documents (A65/A16).
	#[arg(long, required = true, num_args = 1.., value_name = "FILE")]
	xml: Vec<PathBuf>,
	/// The local day, as 2025-03-30.
	#[arg(long)]
	day: Day,
	/// Time zone whose midnight cuts the day, as Europe/Berlin.
	#[arg(long, value_name = "ZONE")]
	tz: Tz,
	/// The area that the documents must be about.
	#[arg(long, value_parser = eic)]
	eic: Option<Eic>,
}

/// Arguments of `grid price`.
#[derive(Args)]
pub struct PriceArgs {
	/// Price documents (A44); for an average, of several days.
	#[arg(long, num_args = 1.., value_name = "FILE", required_unless_present = "source")]
	xml: Vec<PathBuf>,
	/// Instead of files: `entsoe`, or `dir:PATH` with PATH/2025-03-30/price_EIC.xml.
	#[arg(long, conflicts_with = "xml", requires = "eic")]
	source: Option<String>,
	/// The local day, as 2025-03-30.
	#[arg(long)]
	day: Day,
	/// Time zone whose midnight cuts the day, as Europe/Berlin.
	#[arg(long, value_name = "ZONE")]
	tz: Tz,
	/// The area that the documents must be about.
	#[arg(long, value_parser = eic)]
	eic: Option<Eic>,
	/// Also print the moving average over so many days; the newest weighs 2/(N+1).
	#[arg(long, value_name = "N")]
	ema_window: Option<u32>,
	#[command(flatten)]
	access: SourceArgs,
}

/// Arguments of `grid zones`.
#[derive(Args)]
pub struct ZonesArgs {
	/// Check this list instead of printing the shipped one.
	#[arg(long, value_name = "FILE")]
	check: Option<PathBuf>,
}

/// Runs one `gridproof grid` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Load(args) => load(args, out).await,
		Command::Wh(args) => wh(&args, out),
		Command::Price(args) => price(args, out).await,
		Command::Zones(args) => list_zones(&args, out),
	}
}

async fn load(args: LoadArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (zones, zones_file) = read_zones(&args.zones)?;
	let source = source(&args.source, &args.access)?;
	let commitment = Commitment { alpha: args.alpha, haircut: args.haircut };
	let bar = out.progress(zones.len() as u64);
	let reports = load_zones(&source, &zones, args.day, args.save.as_deref(), |report| {
		bar.set_message(report.name.clone());
		bar.inc(1);
	})
	.await;
	bar.finish_and_clear();
	let reports = reports?;
	let missing = reports.iter().filter(|report| report.status != ZoneStatus::Ok);
	for report in missing {
		out.note(&zone_line(report));
	}
	let summary = summarise(args.day, reports, &commitment, args.min_zones)?;
	let written = write_day(&args.out, &summary, &zones_file)?;
	for zone in silent_zones(&args.out, &summary) {
		out.warning(&format!(
			"{zone}: nothing in the last {SILENT_DAYS} days that were loaded; is the list of zones out of \
			 date?"
		));
	}
	out.result(&summary, |summary| {
		format!("{}\nwritten: {}", summary_text(summary), written.summary.display())
	})?;
	Ok(ExitCode::SUCCESS)
}

fn zone_line(report: &ZoneReport) -> String {
	let share = match report.status {
		ZoneStatus::Incomplete => format!(" {} ppm", report.completeness_ppm),
		_ => String::new(),
	};
	let (name, status, reason) = (&report.name, report.status.as_str(), &report.reason);
	format!("{name:<9} {status}{share}: {reason}")
}

fn summary_text(summary: &Summary) -> String {
	let Summary { day, zones_ok, zones_total, wh_dc_raw, wh_dc_commit, .. } = summary;
	let (raw, committed) = (energy(*wh_dc_raw), energy(*wh_dc_commit));
	let alpha = &summary.alpha_effective;
	format!(
		"{day}: {zones_ok} of {zones_total} zones complete\nmeasured  {raw}\n\
		 committed {committed} (alpha_effective {alpha})"
	)
}

/// What `grid wh --json` prints.
#[derive(Serialize)]
struct Energy {
	wh: u128,
	complete: bool,
	completeness_ppm: u32,
}

impl From<DayLoad> for Energy {
	fn from(load: DayLoad) -> Self {
		let DayLoad { wh, complete, completeness_ppm, .. } = load;
		Self { wh, complete, completeness_ppm }
	}
}

fn wh(args: &WhArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let window = DayWindow::local(args.day, args.tz)?;
	let load = day_load(&read_files(&args.xml)?, args.eic.as_ref(), &window)?;
	let (covered, expected) = (load.minutes_covered, load.minutes_expected);
	out.result(&Energy::from(load), |energy| {
		let word = if energy.complete { "complete" } else { "incomplete" };
		let ppm = energy.completeness_ppm;
		format!("{} Wh, {word}: {covered} of {expected} minutes ({ppm} ppm)", energy.wh)
	})?;
	Ok(ExitCode::SUCCESS)
}

async fn price(args: PriceArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let report = match (&args.source, &args.eic) {
		(Some(source_text), Some(eic)) => {
			let source = source(source_text, &args.access)?;
			let bar = out.spinner("asking for prices");
			let report = price_from_source(&source, eic, args.day, args.tz, args.ema_window).await;
			bar.finish_and_clear();
			report?
		},
		_ => {
			let files = read_files(&args.xml)?;
			price_from_files(&files, args.eic.as_ref(), args.day, args.tz, args.ema_window)?
		},
	};
	out.result(&report, |report| {
		let mut text = format!(
			"{} EUR/MWh, mean of {} slots, {} of them negative",
			report.mean_eur_per_mwh, report.slots, report.negative_slots
		);
		for passed_over in &report.passed_over {
			text.push_str(&format!("\nnot used: {passed_over}"));
		}
		if let Some(average) = &report.average {
			text.push_str(&format!(
				"\n{} EUR/MWh, average with a window of {} days, resting on {}",
				average.ema_eur_per_mwh, average.ema_window, average.ema_days
			));
		}
		text
	})?;
	Ok(ExitCode::SUCCESS)
}

/// One row of `grid zones --json`.
#[derive(Serialize)]
struct ZoneRow {
	name: String,
	eic: String,
	timezone: String,
}

fn list_zones(args: &ZonesArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (zones, file) = match &args.check {
		Some(path) => read_zones(path)?,
		None => (parse_zones(EUROPE)?, EUROPE.as_bytes().to_vec()),
	};
	let rows: Vec<ZoneRow> = zones
		.iter()
		.map(|zone| ZoneRow {
			name: zone.name.clone(),
			eic: zone.eic.to_string(),
			timezone: zone.timezone.to_string(),
		})
		.collect();
	out.result(&rows, |rows| match &args.check {
		Some(path) => format!("{}: {} zones, none overlaps another", path.display(), rows.len()),
		None => String::from_utf8_lossy(&file).trim_end().to_string(),
	})?;
	Ok(ExitCode::SUCCESS)
}

pub(crate) fn read_zones(path: &Path) -> anyhow::Result<(Vec<Zone>, Vec<u8>)> {
	let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
	let text = std::str::from_utf8(&bytes)
		.with_context(|| format!("{} is not UTF-8 text", path.display()))?;
	let zones = parse_zones(text).with_context(|| path.display().to_string())?;
	Ok((zones, bytes))
}

fn read_files(paths: &[PathBuf]) -> anyhow::Result<Vec<Vec<u8>>> {
	paths
		.iter()
		.map(|path| {
			read_bounded(path)?.with_context(|| format!("{} does not exist", path.display()))
		})
		.collect()
}

pub(crate) fn source(text: &str, access: &SourceArgs) -> anyhow::Result<Source> {
	if let Some(folder) = text.strip_prefix("dir:") {
		let folder = PathBuf::from(folder);
		if !folder.is_dir() {
			return Err(usage(format!("{} is not a folder", folder.display())));
		}
		return Ok(Source::Folder(folder));
	}
	if text != "entsoe" {
		return Err(usage(format!("--source must be `entsoe` or `dir:PATH`, not {text:?}")));
	}
	let settings = Settings {
		base_url: access.entsoe_url.clone(),
		attempts: access.attempts,
		timeout: std::time::Duration::from_secs(access.timeout),
		parameters: access.parameters.clone(),
		..Settings::default()
	};
	Ok(Source::Entsoe(Box::new(Client::new(token(access)?, settings)?)))
}

/// The platform's token: from `--token-file`, `ENTSOE_TOKEN`, or the file `ENTSOE_TOKEN_FILE`
/// names. Never from an argument, which other users of the machine could read.
fn token(access: &SourceArgs) -> anyhow::Result<Token> {
	let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
	let file = match (&access.token_file, variable("ENTSOE_TOKEN")) {
		(Some(path), _) => path.clone(),
		(None, Some(token)) => {
			let token = Zeroizing::new(token.into_string().unwrap_or_default());
			return Ok(Token::new(&token)?);
		},
		(None, None) => match variable("ENTSOE_TOKEN_FILE") {
			Some(path) => path.into(),
			None => {
				return Err(usage(
					"no token for the platform: set ENTSOE_TOKEN or ENTSOE_TOKEN_FILE, or pass \
					 --token-file",
				));
			},
		},
	};
	Ok(Token::new(&secret_line(&file)?)?)
}

fn ratio(text: &str) -> Result<Ratio, String> {
	Ratio::parse(text).map_err(|error| error.to_string())
}

fn eic(text: &str) -> Result<Eic, String> {
	Eic::parse(text).map_err(|error| error.to_string())
}
