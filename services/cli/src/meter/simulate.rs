//! `gridproof meter simulate`.

use super::moment;
use crate::{
	args::{MetricsArgs, PassphraseArgs, keys::ask},
	exit::usage,
	output::Output,
};
use clap::Args;
use gridproof_device::Broker;
use gridproof_fleet::{
	BenchReport, Course, End, Fleet, FleetMetrics, FleetSettings, MeterSpec, Registry,
	SimulationSummary, bench, invented, load_credentials,
};
use gridproof_keys::KeyError;
use gridproof_support::stop;
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Arguments of `meter simulate`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["meters", "registry"]))]
pub struct SimulateArgs {
	/// So many invented meters.
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
	meters: Option<u32>,
	/// The onboarded meters in the file that `meter onboard --out` wrote; with --meters, only the
	/// first N of them.
	#[arg(long, value_name = "FILE")]
	registry: Option<PathBuf>,
	/// The site of invented meters.
	#[arg(long, value_name = "SITE", default_value = "SIM-01")]
	site: String,
	/// How many invented meters share a device, and with it a connection.
	#[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
	per_device: u32,
	/// Profile of all meters that it fits: h0, g0, l0, pv, a CSV file, or two of them as h0+pv.
	/// May be given more than once; without it, each meter's own.
	#[arg(long = "profile", value_name = "FILE")]
	profiles: Vec<String>,
	/// How many times faster than real time, until it has caught up.
	#[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
	speed: f64,
	/// Where simulated time starts: now, a time such as 2026-11-01T00:00:00Z, or -24h, -7d.
	#[arg(long, value_name = "TIME", default_value = "-24h", value_parser = moment, allow_hyphen_values = true)]
	start: u64,
	/// Seconds of a reading's interval: 900, or a part of it.
	#[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = interval)]
	interval: u64,
	/// The broker.
	#[arg(long, value_name = "URL", default_value = "mqtt://127.0.0.1:1883")]
	broker: String,
	/// PEM file of the certificates to trust for mqtts://, instead of the system's.
	#[arg(long, value_name = "FILE")]
	ca: Option<PathBuf>,
	/// MQTT credentials of the meters: the CSV file that `meter onboard --credentials` wrote.
	#[arg(long, value_name = "FILE")]
	credentials: Option<PathBuf>,
	/// Folder of the device keys; missing ones are made. Those of a registry are where it says.
	#[arg(long, value_name = "DIR", default_value = "keys")]
	keys: PathBuf,
	/// Folder of the devices' states; without one, devices keep nothing when the program ends.
	#[arg(long, value_name = "DIR")]
	state: Option<PathBuf>,
	/// Sign for the chain and the meter that the gateway names first: for tests without a chain.
	#[arg(long)]
	trust_first_request: bool,
	/// End when simulated time has caught up (caught-up), or when all is signed as well (signed).
	#[arg(long, value_name = "WHEN", value_parser = ["caught-up", "signed"])]
	exit_when: Option<String>,
	/// End after so many seconds; the broker has to answer in that time, or in a minute.
	#[arg(long = "for", value_name = "SECONDS", conflicts_with = "exit_when")]
	seconds: Option<u64>,
	/// Instead of profiles in time: so many readings a second in all, for a bench; with --for.
	#[arg(long, value_name = "N", requires = "seconds", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
	rate: Option<u64>,
	#[command(flatten)]
	metrics: MetricsArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

fn speed(text: &str) -> Result<f64, String> {
	let speed: Option<f64> = text.parse().ok().filter(|speed| (0.001..=1e9).contains(speed));
	speed.ok_or_else(|| "write a number from 0.001 to 1000000000".to_string())
}

fn interval(text: &str) -> Result<u64, String> {
	let seconds: Option<u64> = text.parse().ok().filter(|s| *s > 0 && 900 % s == 0);
	seconds.ok_or_else(|| "900 seconds have to be a multiple of it".to_string())
}

impl SimulateArgs {
	/// The meters, with the profiles that were asked for.
	fn specs(&self, registry: Option<&Registry>) -> anyhow::Result<Vec<MeterSpec>> {
		let mut specs = match registry {
			Some(registry) => registry.meters.iter().map(|meter| meter.spec.clone()).collect(),
			None => invented(self.meters.unwrap_or(1), &self.site, self.per_device),
		};
		if let Some(count) = self.meters {
			specs.truncate(usize::try_from(count)?);
		}
		if specs.is_empty() {
			return Err(usage("the registry has no meters: onboard some first"));
		}
		Ok(specs)
	}

	const fn end(&self) -> End {
		match (&self.exit_when, self.seconds) {
			(_, Some(seconds)) => End::After(Duration::from_secs(seconds)),
			// The parser lets only two words through.
			(Some(when), None) if when.len() == "signed".len() => End::Signed,
			(Some(_), None) => End::CaughtUp,
			(None, None) => End::Never,
		}
	}
}

pub async fn simulate(args: &SimulateArgs, out: &Output) -> anyhow::Result<()> {
	let registry = match &args.registry {
		Some(path) => {
			let missing = || usage(format!("there is no file {}", path.display()));
			Some(Registry::load(path)?.ok_or_else(missing)?)
		},
		None => None,
	};
	let specs = args.specs(registry.as_ref())?;
	let credentials = args.credentials.as_deref().map(load_credentials).transpose()?;
	let broker = Broker::parse(&args.broker, args.ca.as_deref())?;
	let settings = FleetSettings {
		specs: &specs,
		profiles: &args.profiles,
		registry: registry.as_ref(),
		keys: &args.keys,
		state: args.state.as_deref(),
		broker: &broker,
		credentials: credentials.as_deref(),
		trust_first_request: args.trust_first_request,
		frugal: args.rate.is_some() || args.state.is_some(),
		within: args.seconds.map(Duration::from_secs),
	};
	let ask = |path: &Path| -> Result<_, KeyError> { ask(path, &args.passphrase) };
	let spinner = out.spinner("connecting to the broker");
	let fleet = Fleet::open(&settings, &ask).await;
	spinner.finish_and_clear();
	let fleet = fleet?;
	let (stop, metrics) = (stop::on_signals()?, FleetMetrics::of(&fleet)?);
	args.metrics.serve(move || metrics.render(), &stop, out).await?;
	if let (Some(rate), Some(seconds)) = (args.rate, args.seconds) {
		let running = bench(fleet, rate, Duration::from_secs(seconds));
		return match stop.unless_stopped(running).await {
			Some(report) => out.result(&report?, bench_text),
			None => Ok(()),
		};
	}
	let course = Course {
		start_ms: args.start,
		speed: args.speed,
		interval_ms: args.interval * 1_000,
		end: args.end(),
	};
	stop.unless_stopped(fleet.run(&course)).await.transpose()?;
	fleet.settle(Duration::from_secs(10)).await;
	out.result(&fleet.summary(), summary_text)
}

fn summary_text(summary: &SimulationSummary) -> String {
	format!(
		"{} meters on {} connections\npublished {}, confirmed {}\n\
		 batches signed {}, refused {}; readings not signed {}\n\
		 registers import {} Wh, export {} Wh",
		summary.meters,
		summary.connections,
		summary.published,
		summary.confirmed,
		summary.signed,
		summary.refused,
		summary.unsigned,
		summary.import_wh,
		summary.export_wh
	)
}

fn bench_text(report: &BenchReport) -> String {
	format!(
		"{} meters on {} connections, {} readings/s asked for\n\
		 published {} in {:.2} s\nconfirmed {} in {:.2} s: {:.0} readings/s\n\
		 batches signed {}, refused {}",
		report.meters,
		report.connections,
		report.rate,
		report.published,
		report.publish_seconds,
		report.confirmed,
		report.confirm_seconds,
		report.confirmed_per_second,
		report.signed,
		report.refused
	)
}
