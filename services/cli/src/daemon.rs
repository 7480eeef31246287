//! `gridproof attest daemon`: grid data and attestations, put together.

use crate::{
	attest::{issuance, read_summary, write_plan},
	grid::{self, SourceArgs},
	keys::{self, PassphraseArgs},
	output::Output,
	shutdown::Shutdown,
};
use anyhow::{Context, bail, ensure};
use chrono::{NaiveDate, NaiveTime, Utc};
use clap::Args;
use gridproof_attest::{
	Chain,
	daemon::{Clock, Daemon, Pipeline, Settings, State, StepFailure},
	files,
	keys::RoleKey,
	sign::sign_file,
	statement::{PlanInputs, Statement},
	submit::{self, SubmitFault},
	verify::{Version, open},
};
use gridproof_chain::{Failure, Patience};
use gridproof_grid::{
	Tz,
	files::write_day,
	load::{Commitment, ZoneStatus, load_zones, summarise},
	price,
	source::Source,
	zones::Zone,
};
use gridproof_primitives::{
	attestation::{Kind, Role},
	calendar::Calendar,
	day::Day,
	decimal::{Ratio, SignedRatio},
	parameters::PolicyParameters,
};
use serde::Serialize;
use std::{
	collections::BTreeMap,
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
	/// Where data comes from: `entsoe`, or `dir:PATH`.
	#[arg(long)]
	source: String,
	/// Folder for grid files and attestations.
	#[arg(long, value_name = "DIR")]
	out: PathBuf,
	/// Folder for state, lock and logs.
	#[arg(long, value_name = "DIR")]
	state: PathBuf,
	/// The node.
	#[arg(long, value_name = "WS")]
	url: String,
	/// Key files to sign with, each as FILE or ROLE=FILE. With one key, the file waits for
	/// another role's signature.
	#[arg(long = "key", value_name = "FILE", required = true)]
	keys: Vec<String>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	figures: FigureArgs,
	#[command(flatten)]
	schedule: ScheduleArgs,
	#[command(flatten)]
	access: SourceArgs,
}

/// The figures of every day.
#[derive(Args, Clone)]
struct FigureArgs {
	/// A fixed price, EUR/MWh.
	#[arg(long, value_name = "X", required_unless_present = "price_zone")]
	eur_per_mwh: Option<SignedRatio>,
	/// Take the day-ahead price of this zone, by its name in the zones file.
	#[arg(long, value_name = "NAME", conflicts_with = "eur_per_mwh")]
	price_zone: Option<String>,
	/// With --price-zone: the moving average over so many days.
	#[arg(long, value_name = "N", requires = "price_zone")]
	ema_window: Option<u32>,
	/// Value of the compute assets, EUR.
	#[arg(long, value_name = "X", default_value = "0")]
	compute_assets_eur: Ratio,
	/// Share of the issuance that counts as supply; else what the chain's policy says.
	#[arg(long, value_name = "X")]
	u_hat: Option<Ratio>,
	/// Target price, EUR per AICP; else what the chain's policy says.
	#[arg(long, value_name = "X")]
	target_eur: Option<Ratio>,
	/// Coverage ratio below which nothing is minted; else what the chain's policy says.
	#[arg(long, value_name = "X")]
	cr_min: Option<Ratio>,
	/// Share of the supply that may be minted in a day; else what the chain's policy says.
	#[arg(long, value_name = "X")]
	cap: Option<Ratio>,
	/// Share of the measured energy that is committed; else what the chain's policy says.
	#[arg(long, value_name = "X")]
	alpha: Option<Ratio>,
	/// Factor for what is not trusted; else what the chain's policy says.
	#[arg(long, value_name = "X")]
	haircut: Option<Ratio>,
	/// Zones that must have a complete day.
	#[arg(long, default_value_t = 1)]
	min_zones: u32,
}

/// When days are done.
#[derive(Args)]
struct ScheduleArgs {
	/// When data is loaded, the day after.
	#[arg(long, value_name = "HH:MM", default_value = "00:20", value_parser = time_of_day)]
	load_at: NaiveTime,
	/// When the attestation is made, the day after.
	#[arg(long, value_name = "HH:MM", default_value = "00:25", value_parser = time_of_day)]
	attest_at: NaiveTime,
	/// Whose clock these times are of. Every zone's day must be over by then.
	#[arg(long, value_name = "ZONE", default_value = "UTC")]
	timezone: Tz,
	/// Instead: one day after another, every so many seconds, from --from on.
	#[arg(long, value_name = "SECONDS", requires = "from", conflicts_with = "follow_chain",
		value_parser = clap::value_parser!(u64).range(1..))]
	every: Option<u64>,
	/// Instead: each day as soon as the chain's own calendar is past it.
	#[arg(long)]
	follow_chain: bool,
	/// The first day; else the last one due at the first run.
	#[arg(long, value_name = "DAY")]
	from: Option<Day>,
	/// The last day; the program ends when it is done.
	#[arg(long, value_name = "DAY")]
	until: Option<Day>,
	/// Do what is due, retries included, and end.
	#[arg(long)]
	once: bool,
	/// Most missed days that are caught up.
	#[arg(long, value_name = "DAYS", default_value_t = 30)]
	max_catch_up: u32,
	/// Seconds before a failed step is tried again; they double up to an hour.
	#[arg(long, value_name = "SECONDS", default_value_t = 30)]
	retry_pause: u64,
	/// Attempts at a step before its day is given up.
	#[arg(long, value_name = "N", default_value_t = 20)]
	step_attempts: u32,
}

fn time_of_day(text: &str) -> Result<NaiveTime, String> {
	NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| "write HH:MM, as 00:20".to_string())
}

/// What `attest daemon --json` prints at its end.
#[derive(Serialize)]
struct Ended {
	attested: u64,
	open: Vec<Day>,
	given_up: BTreeMap<Day, String>,
}

/// Runs `gridproof attest daemon`.
pub async fn run(args: DaemonArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let mut days = Days::new(&args)?;
	let settings = Settings {
		folder: args.state.clone(),
		from: args.schedule.from,
		until: args.schedule.until,
		max_catch_up: args.schedule.max_catch_up.max(1),
		pause: Duration::from_secs(args.schedule.retry_pause),
		attempts: args.schedule.step_attempts,
	};
	let mut daemon = Daemon::open(settings, now())?;
	let before = daemon.state().clone();
	let shutdown = Shutdown::listen()?;
	let stopped = tokio::select! {
		done = work(&mut daemon, &mut days, &args.schedule) => { done?; false },
		() = shutdown.asked() => true,
	};
	let state = daemon.state();
	let news = state.given_up.iter().filter(|given| !before.given_up.contains(given));
	let ended = Ended {
		attested: state.attested.saturating_sub(before.attested),
		open: state.open.keys().copied().collect(),
		given_up: news.map(|given| (given.day, given.reason.clone())).collect(),
	};
	let is_good = stopped || (ended.open.is_empty() && ended.given_up.is_empty());
	out.result(&ended, ended_text)?;
	Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ended_text(ended: &Ended) -> String {
	let mut text = format!("attested {} days", ended.attested);
	for day in &ended.open {
		text.push_str(&format!("\n{day}: not done yet"));
	}
	for (day, reason) in &ended.given_up {
		text.push_str(&format!("\n{day}: given up: {reason}"));
	}
	text
}

/// UTC milliseconds.
fn now() -> u64 {
	u64::try_from(Utc::now().timestamp_millis()).unwrap_or(0)
}

async fn work(daemon: &mut Daemon, days: &mut Days, schedule: &ScheduleArgs) -> anyhow::Result<()> {
	let started_at = daemon.state().started_at;
	loop {
		// Asked anew each time: the node may have been set up again meanwhile.
		let clock = clock(days, schedule, started_at).await;
		daemon.tick(days, &clock, now).await?;
		let State { open, through, .. } = daemon.state();
		let over = schedule.until.is_some_and(|until| through.is_some_and(|day| day >= until));
		if (schedule.once || over) && open.is_empty() {
			return Ok(());
		}
		let retry = open.values().map(|open| open.not_before.saturating_sub(now())).min();
		let retry = Duration::from_millis(retry.unwrap_or(u64::MAX));
		let least = Duration::from_millis(200);
		tokio::time::sleep(clock.beat().min(retry).max(least)).await;
	}
}

async fn clock(days: &mut Days, schedule: &ScheduleArgs, started_at: u64) -> Clock {
	if let (Some(seconds), Some(first_day)) = (schedule.every, schedule.from) {
		let day_length = seconds.saturating_mul(1_000);
		return Clock::Every(Calendar { first_day, starts_at: started_at, day_length });
	}
	if !schedule.follow_chain {
		let ScheduleArgs { timezone: zone, load_at, attest_at, .. } = *schedule;
		return Clock::Daily { zone, load_at, attest_at };
	}
	let mut pause = Duration::from_secs(1);
	loop {
		match days.calendar().await {
			// A calendar of a chain's own begins with its first block.
			Ok(calendar) if calendar.starts_at == 0 && calendar != Calendar::UTC => {
				tracing::warn!("the chain has no final block yet, asking again");
			},
			Ok(calendar) => return Clock::Chain(calendar),
			Err(failure) => tracing::warn!(%failure, "no calendar yet, asking again"),
		}
		tokio::time::sleep(pause).await;
		pause = (pause * 2).min(Duration::from_secs(60));
	}
}

/// How a day is done.
struct Days {
	zones: Vec<Zone>,
	zones_file: Vec<u8>,
	source: Source,
	folder: PathBuf,
	url: String,
	chain: Option<Chain>,
	keys: Vec<(Role, RoleKey)>,
	price: Price,
	figures: FigureArgs,
}

/// Where the price comes from.
enum Price {
	Fixed(SignedRatio),
	Zone { zone: Box<Zone>, ema_window: Option<u32> },
}

impl Days {
	fn new(args: &DaemonArgs) -> anyhow::Result<Self> {
		let (zones, zones_file) = grid::read_zones(&args.zones)?;
		let figures = &args.figures;
		let price = match (&figures.eur_per_mwh, &figures.price_zone) {
			(Some(price), _) => Price::Fixed(*price),
			(None, Some(name)) => {
				let zone = zones.iter().find(|zone| zone.name == *name);
				let zone = zone.with_context(|| format!("the zones file has no {name}"))?;
				let ema_window = figures.ema_window;
				Price::Zone { zone: Box::new(zone.clone()), ema_window }
			},
			(None, None) => bail!("--eur-per-mwh or --price-zone is needed"),
		};
		let mut keys: Vec<(Role, RoleKey)> = Vec::new();
		for text in &args.keys {
			let (role, key) = key_of(text, &args.passphrase)?;
			ensure!(keys.iter().all(|(other, _)| *other != role), "two keys of {role} are given");
			keys.push((role, key));
		}
		Ok(Self {
			zones,
			zones_file,
			source: grid::source(&args.source, &args.access)?,
			folder: args.out.clone(),
			url: args.url.clone(),
			chain: None,
			keys,
			price,
			figures: figures.clone(),
		})
	}

	async fn chain(&mut self) -> Result<&Chain, Failure> {
		if self.chain.is_none() {
			self.chain = Some(Chain::connect(&self.url).await?);
		}
		let missing = || Failure::Rpc("no connection".to_string());
		self.chain.as_ref().ok_or_else(missing)
	}

	async fn calendar(&mut self) -> Result<Calendar, Failure> {
		let asked = match self.chain().await {
			Ok(chain) => submit::calendar(chain).await,
			Err(failure) => Err(failure),
		};
		if asked.is_err() {
			self.chain = None;
		}
		asked.map(|(calendar, _)| calendar)
	}

	async fn parameters(&mut self) -> Result<PolicyParameters, StepFailure> {
		let chain = self.chain().await.map_err(of_chain)?;
		submit::parameters(chain).await.map_err(of_chain)
	}

	/// α_base and haircut. What a chain refuses is of no use, so its own count unless told.
	async fn commitment(&mut self) -> Result<Commitment, StepFailure> {
		match (self.figures.alpha, self.figures.haircut) {
			(Some(alpha), Some(haircut)) => Ok(Commitment { alpha, haircut }),
			(alpha, haircut) => {
				let chain = self.parameters().await?;
				Ok(Commitment {
					alpha: alpha.unwrap_or(chain.alpha_base),
					haircut: haircut.unwrap_or(chain.haircut),
				})
			},
		}
	}

	async fn price(&self, day: NaiveDate) -> Result<SignedRatio, StepFailure> {
		match &self.price {
			Price::Fixed(price) => Ok(*price),
			Price::Zone { zone, ema_window } => {
				let report =
					price::from_source(&self.source, &zone.eic, day, zone.timezone, *ema_window)
						.await
						.map_err(StepFailure::temporary)?;
				let text = match &report.average {
					Some(average) => &average.ema_eur_per_mwh,
					None => &report.mean_eur_per_mwh,
				};
				SignedRatio::parse(text).map_err(StepFailure::permanent)
			},
		}
	}

	/// Plans the day unless there is a plan or a signed file for this chain already: a run that
	/// was stopped in between must not make a second statement.
	async fn ensure_planned(&mut self, day: Day, path: &Path) -> Result<(), StepFailure> {
		let chain = self.chain().await.map_err(of_chain)?.clone();
		if let Ok(bytes) = files::read(path)
			&& let Ok(opened) = open(&bytes, None)
			&& let Version::Two(statement) = &opened.version
			&& !opened.named_signers().is_empty()
		{
			if statement.fields.day != day || statement.genesis != chain.genesis() {
				let reason = "is signed for another day or chain; move it away";
				return Err(StepFailure::permanent(format!("{} {reason}", path.display())));
			}
			return Ok(());
		}
		let summary = self.folder.join(format!("grid_summary_{day}.json"));
		let summary = read_summary(&summary).map_err(of_any)?;
		let parameters = self.parameters().await?;
		let (figures, policy) = (&self.figures, parameters.policy);
		let inputs = PlanInputs {
			eur_per_mwh: self.price(naive(day)?).await?,
			compute_assets_eur: figures.compute_assets_eur,
			s_base: issuance(&chain).await.map_err(of_chain)?,
			u_hat: figures.u_hat.unwrap_or(parameters.utilisation),
			target_eur: figures.target_eur.unwrap_or(policy.target_price),
			cr_min: figures.cr_min.unwrap_or(policy.cr_min),
			cap: figures.cap.unwrap_or(policy.daily_cap),
			genesis: chain.genesis(),
			kind: Kind::Reserve,
			revises: None,
		};
		let statement = Statement::plan(&summary, &inputs).map_err(StepFailure::permanent)?;
		let file = statement.to_file().map_err(StepFailure::permanent)?;
		write_plan(path, &file).map_err(of_any)
	}

	fn sign(&self, path: &Path) -> Result<(), StepFailure> {
		let bytes = files::read(path).map_err(StepFailure::temporary)?;
		let there = open(&bytes, None).map_err(StepFailure::permanent)?.named_signers();
		for (role, key) in &self.keys {
			if !there.iter().any(|signer| signer == role.as_str()) {
				sign_file(path, *role, key, None).map_err(StepFailure::temporary)?;
			}
		}
		Ok(())
	}

	async fn submit(&mut self, day: Day, path: &Path) -> Result<String, StepFailure> {
		let bytes = files::read(path).map_err(StepFailure::temporary)?;
		let chain = self.chain().await.map_err(of_chain)?;
		match submit::submit(chain, &bytes, &Patience::default()).await {
			Ok(done) => Ok(match done.block {
				Some(block) => format!("{} in block {block}", done.statement),
				None => format!("{} was there already", done.statement),
			}),
			Err(SubmitFault::Chain(Failure::Refused(name)))
				if name == "Attestations.AlreadyAttested" =>
			{
				let standing = submit::standing(chain, Kind::Reserve, day).await;
				let statement = standing.map_err(of_chain)?.map(|there| there.fields.hash());
				Ok(format!("the chain holds another statement of this day, {statement:?}"))
			},
			// Another role's operator may sign later.
			Err(fault @ SubmitFault::Threshold { .. }) => {
				Err(StepFailure::temporary(format!("{}: {fault}", path.display())))
			},
			Err(fault) if fault.is_temporary() => Err(StepFailure::temporary(fault)),
			Err(SubmitFault::Chain(Failure::Refused(name))) if may_pass(&name) => {
				Err(StepFailure::temporary(format!("refused by the chain: {name}")))
			},
			Err(fault) => Err(StepFailure::permanent(fault)),
		}
	}
}

/// Refusals of the chain that time or governance can end.
fn may_pass(name: &str) -> bool {
	["Paused", "FutureDay", "KindClosed", "NoKey"]
		.iter()
		.any(|error| name == format!("Attestations.{error}"))
}

fn of_chain(failure: Failure) -> StepFailure {
	StepFailure { permanent: false, reason: failure.to_string() }
}

fn of_any(error: anyhow::Error) -> StepFailure {
	StepFailure::temporary(format!("{error:#}"))
}

fn naive(day: Day) -> Result<NaiveDate, StepFailure> {
	day.to_iso().parse().map_err(StepFailure::permanent)
}

/// `FILE`, whose role the file says, or `ROLE=FILE`.
fn key_of(text: &str, passphrase: &PassphraseArgs) -> anyhow::Result<(Role, RoleKey)> {
	if let Some((role, path)) = text.split_once('=')
		&& let Ok(role) = role.parse::<Role>()
	{
		return Ok((role, keys::load(Path::new(path), role, passphrase)?));
	}
	let key = keys::load_any(Path::new(text), passphrase)?;
	let role =
		key.role().with_context(|| format!("write data={text}, risk={text} or ops={text}"))?;
	Ok((role, key))
}

impl Pipeline for Days {
	async fn load(&mut self, day: Day) -> Result<String, StepFailure> {
		let date = naive(day)?;
		let commitment = self.commitment().await?;
		let reports = load_zones(&self.source, &self.zones, date, None, |_| ())
			.await
			.map_err(StepFailure::temporary)?;
		let missing: Vec<String> = reports
			.iter()
			.filter(|report| report.status != ZoneStatus::Ok)
			.map(|report| format!("{} {}", report.name, report.status.as_str()))
			.collect();
		let summary = summarise(date, reports, &commitment, self.figures.min_zones)
			.map_err(|e| StepFailure::temporary(format!("{e} ({})", missing.join(", "))))?;
		write_day(&self.folder, &summary, &self.zones_file).map_err(StepFailure::temporary)?;
		let mut text = format!(
			"{} of {} zones, {} Wh, committed {} Wh",
			summary.zones_ok, summary.zones_total, summary.wh_dc_raw, summary.wh_dc_commit
		);
		if !missing.is_empty() {
			text.push_str(&format!("; without {}", missing.join(", ")));
		}
		Ok(text)
	}

	async fn attest(&mut self, day: Day) -> Result<String, StepFailure> {
		let path = self.folder.join(format!("attestation_{day}.json"));
		self.ensure_planned(day, &path).await?;
		self.sign(&path)?;
		let outcome = self.submit(day, &path).await;
		if outcome.as_ref().is_err_and(|failure| !failure.permanent) {
			// A connection that stays broken is replaced by the next attempt.
			self.chain = None;
		}
		outcome
	}
}
