//! `gridproof attest daemon`.

use crate::{
	args::{MetricsArgs, PassphraseArgs, UrlArgs},
	exit::{self, usage},
	grid::{self, SourceArgs},
	keys,
	output::Output,
};
use chrono::NaiveTime;
use clap::Args;
use gridproof_attest::{
	Daemon, DaemonSettings, DailyMetrics, DailyReport, DayPipeline, Figures, PipelineSettings,
	PriceSource, RoleKey, Schedule, run_daily,
};
use gridproof_grid::Tz;
use gridproof_primitives::{
	num::decimal::{Ratio, SignedRatio},
	reserve::attestation::Role,
	time::day::Day,
};
use gridproof_support::{Clock, FailureKind, stop};
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
	time::Duration,
};

/// Arguments of `attest daemon`.
#[derive(Args)]
pub struct DaemonArgs {
	/// The zones: a CSV file `name,eic,timezone`.
	#[arg(long, value_name = "FILE")]
	zones: PathBuf,
	/// Source of grid data: `entsoe`, or `dir:PATH`.
	#[arg(long)]
	source: String,
	/// Folder for grid files and attestations.
	#[arg(long, value_name = "DIR")]
	out: PathBuf,
	/// Folder for state, lock and logs.
	#[arg(long, value_name = "DIR")]
	state: PathBuf,
	/// Key files to sign with, each as FILE or ROLE=FILE. With one key, the file waits for
	/// another role's signature.
	#[arg(long = "key", value_name = "FILE", required = true)]
	keys: Vec<String>,
	/// Sign with the keys of as many roles as a statement needs, for a chain on which nothing is at
	/// stake: who has this machine states any reserve.
	#[arg(long)]
	several_roles_on_purpose: bool,
	#[command(flatten)]
	node: UrlArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	figures: FigureArgs,
	#[command(flatten)]
	schedule: ScheduleArgs,
	#[command(flatten)]
	metrics: MetricsArgs,
	#[command(flatten)]
	access: SourceArgs,
}

/// The figures of every day.
#[derive(Args)]
struct FigureArgs {
	/// A fixed price, EUR/MWh.
	#[arg(long, value_name = "X", required_unless_present = "price_zone")]
	eur_per_mwh: Option<SignedRatio>,
	/// Take the day-ahead price of this zone, by its name in the zones file.
	#[arg(long, value_name = "NAME", conflicts_with = "eur_per_mwh")]
	price_zone: Option<String>,
	/// With --price-zone: the moving average over so many days, 1 for none; by default 14 where the
	/// chain averages no prices itself, as a development chain, and else none.
	#[arg(long, value_name = "N", requires = "price_zone")]
	ema_window: Option<u32>,
	/// Value of the compute assets, EUR.
	#[arg(long, value_name = "X", default_value = "0")]
	compute_assets_eur: Ratio,
	/// Share of the issuance that counts as supply; by default, that of the chain's policy.
	#[arg(long, value_name = "X")]
	u_hat: Option<Ratio>,
	/// Target price, EUR per AICP; by default, that of the chain's policy.
	#[arg(long, value_name = "X")]
	target_eur: Option<Ratio>,
	/// Coverage ratio below which nothing is minted; by default, that of the chain's policy.
	#[arg(long, value_name = "X")]
	cr_min: Option<Ratio>,
	/// Share of the supply that may be minted in a day; by default, that of the chain's policy.
	#[arg(long, value_name = "X")]
	cap: Option<Ratio>,
	/// Share of the measured energy that is committed; by default, that of the chain's policy.
	#[arg(long, value_name = "X")]
	alpha: Option<Ratio>,
	/// Factor for what is not trusted; by default, that of the chain's policy.
	#[arg(long, value_name = "X")]
	haircut: Option<Ratio>,
	/// Number of zones that must have a complete day once late ones are not waited for any more; by
	/// default, the least share that the chain takes.
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
	min_zones: Option<u32>,
}

impl FigureArgs {
	fn figures(&self) -> Figures {
		Figures {
			compute_assets_eur: self.compute_assets_eur,
			u_hat: self.u_hat,
			target_eur: self.target_eur,
			cr_min: self.cr_min,
			cap: self.cap,
			alpha: self.alpha,
			haircut: self.haircut,
			min_zones: self.min_zones,
		}
	}

	fn price(&self) -> anyhow::Result<PriceSource> {
		match (self.eur_per_mwh, &self.price_zone) {
			(Some(price), _) => Ok(PriceSource::Fixed(price)),
			(None, Some(name)) => {
				let ema_window = self.ema_window;
				Ok(PriceSource::Zone { name: name.clone(), ema_window })
			},
			(None, None) => Err(usage("--eur-per-mwh or --price-zone is needed")),
		}
	}
}

/// When days are done.
#[derive(Args)]
struct ScheduleArgs {
	/// Time at which data is loaded, the day after.
	#[arg(long, value_name = "HH:MM", default_value = "00:20", value_parser = time_of_day)]
	load_at: NaiveTime,
	/// Time at which the attestation is made, the day after.
	#[arg(long, value_name = "HH:MM", default_value = "00:25", value_parser = time_of_day)]
	attest_at: NaiveTime,
	/// Time zone of these times. Every zone's day must be over by then.
	#[arg(long, value_name = "ZONE", default_value = "UTC")]
	timezone: Tz,
	/// Instead: one day after another, every so many seconds, from --from on.
	#[arg(long, value_name = "SECONDS", requires = "from", conflicts_with = "follow_chain",
		value_parser = clap::value_parser!(u64).range(1..))]
	every: Option<u64>,
	/// Instead: each day as soon as the chain's own calendar is past it.
	#[arg(long)]
	follow_chain: bool,
	/// The first day; by default, the last one due at the first run.
	#[arg(long, value_name = "DAY")]
	from: Option<Day>,
	/// The last day; the program ends when it is done.
	#[arg(long, value_name = "DAY")]
	until: Option<Day>,
	/// Do what is due, retries included, and end.
	#[arg(long)]
	once: bool,
	/// Number of days for which a day is tried, and of missed days that are caught up; the chain
	/// takes none that is older than 30.
	#[arg(long, value_name = "DAYS", default_value_t = 30,
		value_parser = clap::value_parser!(u32).range(1..))]
	max_catch_up: u32,
	/// Seconds before a failed step is tried again; they double up to an hour.
	#[arg(long, value_name = "SECONDS", default_value_t = 30)]
	retry_pause: u64,
	/// With --once: number of attempts at a step before the run ends and leaves its day open.
	#[arg(long, value_name = "N", default_value_t = 20)]
	step_attempts: u32,
	/// Seconds for which zones that have no complete day are waited for; then the day is made of
	/// what there is.
	#[arg(long, value_name = "SECONDS", default_value_t = 43_200)]
	wait_for_zones: u64,
	/// Seconds for which a day that was made without some zones is revised when they come; 0 for
	/// never.
	#[arg(long, value_name = "SECONDS", default_value_t = 172_800)]
	revise_for: u64,
	/// Take up a day again that was given up.
	#[arg(long, value_name = "DAY")]
	take_up: Vec<Day>,
	/// Continue although more days have come due at once than are caught up, or although the state is
	/// ahead of the time: the machine was off, or its clock was wrong.
	#[arg(long)]
	accept_clock: bool,
}

impl ScheduleArgs {
	fn schedule(&self) -> Schedule {
		match (self.every, self.from) {
			(Some(seconds), Some(first_day)) => {
				Schedule::Every { first_day, day_length: seconds.saturating_mul(1_000) }
			},
			_ if self.follow_chain => Schedule::Chain,
			_ => {
				let Self { timezone: zone, load_at, attest_at, .. } = *self;
				Schedule::Daily { zone, load_at, attest_at }
			},
		}
	}
}

fn time_of_day(text: &str) -> Result<NaiveTime, String> {
	NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| "write HH:MM, as 00:20".to_string())
}

/// Runs `gridproof attest daemon`.
pub async fn run(args: DaemonArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (zones, zones_file) = grid::read_zones(&args.zones)?;
	let keys = args.keys.iter().map(|text| key_of(text, &args.passphrase));
	let mut pipeline = DayPipeline::new(PipelineSettings {
		zones,
		zones_file,
		source: grid::source(&args.source, &args.access)?,
		folder: args.out.clone(),
		url: args.node.url.clone(),
		keys: keys.collect::<Result<_, _>>()?,
		several_roles: args.several_roles_on_purpose,
		price: args.figures.price()?,
		figures: args.figures.figures(),
	})?;
	let settings = DaemonSettings {
		folder: args.state,
		from: args.schedule.from,
		until: args.schedule.until,
		max_catch_up: args.schedule.max_catch_up,
		pause: Duration::from_secs(args.schedule.retry_pause),
		attempts: args.schedule.step_attempts,
		wait: Duration::from_secs(args.schedule.wait_for_zones),
		revise_for: Duration::from_secs(args.schedule.revise_for),
		accept_clock: args.schedule.accept_clock,
		take_up: args.schedule.take_up.clone(),
	};
	let (clock, stop, metrics) = (Clock::system(), stop::on_signals()?, DailyMetrics::new()?);
	let mut daemon = Daemon::open(settings, metrics.clone(), clock.now_ms())?;
	let figures = metrics.all();
	args.metrics.serve(move || figures.render(), &stop, out).await?;
	let schedule = args.schedule.schedule();
	let once = args.schedule.once;
	let report = run_daily(&mut daemon, &mut pipeline, &schedule, once, &clock, &stop).await?;
	out.result(&report, report_text)?;
	Ok(if report.is_complete() { ExitCode::SUCCESS } else { exit::code(FailureKind::Broken) })
}

fn report_text(report: &DailyReport) -> String {
	let mut text = format!("attested {} days", report.attested);
	for day in &report.open {
		text.push_str(&format!("\n{day}: not done yet"));
	}
	for day in &report.partial {
		text.push_str(&format!("\n{day}: attested without some zones"));
	}
	for (day, reason) in &report.given_up {
		text.push_str(&format!("\n{day}: given up: {reason}"));
	}
	text
}

/// Returns the key of `FILE`, whose role the file says, or of `ROLE=FILE`.
fn key_of(text: &str, passphrase: &PassphraseArgs) -> anyhow::Result<(Role, RoleKey)> {
	if let Some((role, path)) = text.split_once('=')
		&& let Ok(role) = role.parse::<Role>()
	{
		return Ok((role, keys::load(Path::new(path), role, passphrase)?));
	}
	let key = keys::load_any(Path::new(text), passphrase)?;
	let unknown = || usage(format!("write data={text}, risk={text} or ops={text}"));
	Ok((key.role().ok_or_else(unknown)?, key))
}
