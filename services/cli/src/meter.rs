//! `gridproof meter`.

use crate::{
	keys::{PassphraseArgs, ask, first_line},
	output::Output,
	payer::{NodeArgs, PayerArgs},
	shutdown::Shutdown,
	wallet,
};
use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use gridproof_chain::{Chain, Failure};
use gridproof_keys::{
	AccountKey, KeyFault,
	account::{AccountSignature, development_signer, load_signer, parse_account},
};
use gridproof_meter::{
	chain::{self, Info, Shown},
	credentials, load,
	mqtt::Broker,
	onboard::{
		self, MeterSpec, Onboarded, Order, Registered, Registry, device_key, read_list, seal,
	},
	simulate::{Course, End, Fleet, FleetSettings, Summary, invented, now_ms},
};
use gridproof_primitives::{
	emlog::{format_utc, parse_utc},
	meter::{
		Direction, MeterIndex, MeterName, NewDevice, Overview, Registers, Suspension, Totals, Trust,
	},
};
use serde::Serialize;
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
	time::Duration,
};

/// What `gridproof meter` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Register an organisation of electricians.
	Organise(OrganiseArgs),
	/// Make device keys, let the owner consent and the electrician certify; one meter, or many.
	Onboard(Box<OnboardArgs>),
	/// Suspend a meter: its batches are refused until it is reinstated.
	Suspend(SuspendArgs),
	/// Let a suspended meter count again, under a new seal.
	Reinstate(ReinstateArgs),
	/// Record that a meter, or its device's key, was exchanged.
	Exchange(ExchangeArgs),
	/// Show a meter.
	Show(WhichArgs),
	/// List the meters in service.
	List(ListArgs),
	/// Show a meter's energy over time, or how much there is of everything.
	Totals(TotalsArgs),
	/// Run meters that follow standard load and PV profiles, over MQTT.
	Simulate(Box<SimulateArgs>),
}

/// Arguments of `meter organise`.
#[derive(Args)]
pub struct OrganiseArgs {
	/// What it calls itself; at most 64 bytes.
	#[arg(value_name = "NAME")]
	name: String,
	/// An electrician to add; may be given more than once.
	#[arg(long = "electrician", value_name = "ADDRESS", value_parser = parse_account)]
	electricians: Vec<[u8; 32]>,
	/// The development account that governs a development chain, such as //Alice: it admits the
	/// organisation at once. Elsewhere governance decides.
	#[arg(long, value_name = "//NAME")]
	admit_with: Option<String>,
	#[command(flatten)]
	admin: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Whose meters they are.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct OwnerArgs {
	/// The owner's wallet.
	#[arg(long, value_name = "FILE")]
	owner_wallet: Option<PathBuf>,
	/// File, mode 0600, with the owner's secret in its first line.
	#[arg(long, value_name = "FILE")]
	owner_key: Option<PathBuf>,
	/// A development account, such as //Bob.
	#[arg(long, value_name = "//NAME")]
	owner_suri: Option<String>,
}

/// Where device keys are, and who may read them.
#[derive(Args)]
pub struct DeviceKeyArgs {
	/// Folder of the device keys; missing ones are made.
	#[arg(long, value_name = "DIR")]
	keys: PathBuf,
	/// File whose first line is the passphrase that new device keys are encrypted with.
	#[arg(long, value_name = "FILE")]
	device_passphrase_file: Option<PathBuf>,
}

/// Arguments of `meter onboard`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["meter", "from", "generate"]))]
pub struct OnboardArgs {
	/// The meter: SITE/DEVICE/METER.
	#[arg(long, value_name = "NAME", value_parser = meter_name)]
	meter: Option<MeterName>,
	/// Many meters: a JSON array, or a CSV file with the first line
	/// site,device,meter,direction,rated_power_w,seal, with or without ,profile.
	#[arg(long, value_name = "FILE")]
	from: Option<PathBuf>,
	/// So many invented ones, for a simulation: consumers, producers and prosumers.
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
	generate: Option<u32>,
	/// With --generate: their site.
	#[arg(long, value_name = "SITE", default_value = "SIM-01")]
	site: String,
	/// With --generate: how many of them share a device.
	#[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
	per_device: u32,
	/// With --meter: which way energy may go: import, export or both.
	#[arg(long, value_name = "DIRECTION", requires = "meter")]
	direction: Option<Direction>,
	/// With --meter: the most power that can go through, in W.
	#[arg(long, value_name = "W", requires = "meter")]
	rated_power_w: Option<u32>,
	/// With --meter: the seal's id.
	#[arg(long, value_name = "ID", requires = "meter")]
	seal: Option<String>,
	/// The organisation that the electrician acts for.
	#[arg(long, value_name = "INDEX", required_unless_present = "register")]
	organisation: Option<u32>,
	/// Register this organisation first, with the electrician as admin and member.
	#[arg(long, value_name = "NAME", conflicts_with = "organisation")]
	register: Option<String>,
	/// With --register: the development account that governs a development chain, such as //Alice.
	#[arg(long, value_name = "//NAME", requires = "register")]
	admit_with: Option<String>,
	/// Who holds the keys: device, or gateway for meters that cannot sign.
	#[arg(long, value_name = "TRUST", default_value = "device")]
	trust: Trust,
	/// What the import register shows, in Wh.
	#[arg(long, value_name = "WH", default_value_t = 0)]
	import_wh: u64,
	/// What the export register shows, in Wh.
	#[arg(long, value_name = "WH", default_value_t = 0)]
	export_wh: u64,
	/// When certified service begins: now, a time such as 2026-11-01T00:00:00Z, or so long ago,
	/// such as -24h or -7d. No reading may begin before.
	#[arg(long, value_name = "TIME", default_value = "now", value_parser = moment, allow_hyphen_values = true)]
	since: u64,
	/// Write the meters into this file, or add them to it: `meter simulate` reads it.
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Make MQTT credentials for their devices in this file: `gateway device add` takes it in.
	#[arg(long, value_name = "FILE")]
	credentials: Option<PathBuf>,
	#[command(flatten)]
	device_keys: DeviceKeyArgs,
	#[command(flatten)]
	owner: OwnerArgs,
	/// File whose first line is the passphrase of the owner's wallet.
	#[arg(long, value_name = "FILE")]
	owner_passphrase_file: Option<PathBuf>,
	#[command(flatten)]
	electrician: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `meter suspend`.
#[derive(Args)]
pub struct SuspendArgs {
	/// The meter: its number, or SITE/DEVICE/METER.
	meter: String,
	/// Why: broken-seal or lost-key.
	#[arg(long, value_name = "REASON", value_parser = suspension)]
	reason: Suspension,
	#[command(flatten)]
	signer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `meter reinstate`.
#[derive(Args)]
pub struct ReinstateArgs {
	/// The meter: its number, or SITE/DEVICE/METER.
	meter: String,
	/// The new seal's id.
	#[arg(long, value_name = "ID")]
	seal: String,
	#[command(flatten)]
	signer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `meter exchange`.
#[derive(Args)]
pub struct ExchangeArgs {
	/// The meter: its number, or SITE/DEVICE/METER.
	meter: String,
	/// What the new meter's import register shows, in Wh.
	#[arg(long, value_name = "WH")]
	import_wh: u64,
	/// What the new meter's export register shows, in Wh.
	#[arg(long, value_name = "WH")]
	export_wh: u64,
	/// The new seal's id.
	#[arg(long, value_name = "ID")]
	seal: String,
	/// Folder of the new device key, which is made if there is none; the owner has to consent to
	/// it. Without it the device's key stays.
	#[arg(long, value_name = "DIR", requires = "owner")]
	new_keys: Option<PathBuf>,
	/// Who consents, as FILE of a wallet or key, or //NAME of a development account.
	#[arg(long, value_name = "OWNER")]
	owner: Option<String>,
	/// The file that `meter onboard --out` wrote: the meter is changed there, too.
	#[arg(long, value_name = "FILE")]
	registry: Option<PathBuf>,
	#[command(flatten)]
	signer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

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
	/// Who may publish where: the CSV file that `meter onboard --credentials` wrote.
	#[arg(long, value_name = "FILE")]
	credentials: Option<PathBuf>,
	/// Folder of the device keys; missing ones are made. Those of a registry are where it says.
	#[arg(long, value_name = "DIR", default_value = "keys")]
	keys: PathBuf,
	/// Folder of the devices' states; without one they forget everything when the program ends.
	#[arg(long, value_name = "DIR")]
	state: Option<PathBuf>,
	/// Sign for whatever chain and meter the gateway names first: for tests without a chain.
	#[arg(long)]
	trust_first_request: bool,
	/// End when simulated time has caught up (caught-up), or when besides all is signed (signed).
	#[arg(long, value_name = "WHEN", value_parser = ["caught-up", "signed"])]
	exit_when: Option<String>,
	/// End after so many seconds.
	#[arg(long = "for", value_name = "SECONDS", conflicts_with = "exit_when")]
	seconds: Option<u64>,
	/// Instead of profiles in time: so many readings a second in all, for a bench; with --for.
	#[arg(long, value_name = "N", requires = "seconds", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
	rate: Option<u64>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// What `meter onboard` did.
#[derive(Serialize)]
struct Report {
	genesis: String,
	organisation: u32,
	#[serde(skip_serializing_if = "Option::is_none")]
	registered: Option<Registered>,
	meters: Vec<Onboarded>,
}

/// What a call did.
#[derive(Serialize)]
struct Done {
	meter: Shown,
	block: String,
}

/// Runs one `gridproof meter` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Organise(args) => organise(&args, out).await,
		Command::Onboard(args) => onboard(&args, out).await,
		Command::Suspend(args) => suspend(&args, out).await,
		Command::Reinstate(args) => reinstate(&args, out).await,
		Command::Exchange(args) => exchange(&args, out).await,
		Command::Show(args) => show(&args, out).await,
		Command::List(args) => list(&args, out).await,
		Command::Totals(args) => totals(&args, out).await,
		Command::Simulate(args) => simulate(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

fn meter_name(text: &str) -> Result<MeterName, String> {
	let parts: Vec<&str> = text.split('/').collect();
	let [site, device, meter] = parts[..] else {
		return Err("write SITE/DEVICE/METER".to_string());
	};
	MeterName::new(site, device, meter).map_err(|fault| fault.to_string())
}

fn suspension(text: &str) -> Result<Suspension, String> {
	match text {
		"broken-seal" => Ok(Suspension::BrokenSeal),
		"lost-key" => Ok(Suspension::LostKey),
		_ => Err("it is broken-seal or lost-key".to_string()),
	}
}

fn speed(text: &str) -> Result<f64, String> {
	let speed: Option<f64> = text.parse().ok().filter(|speed| (0.001..=1e9).contains(speed));
	speed.ok_or_else(|| "write a number from 0.001 to 1000000000".to_string())
}

fn interval(text: &str) -> Result<u64, String> {
	let seconds: Option<u64> = text.parse().ok().filter(|s| *s > 0 && 900 % s == 0);
	seconds.ok_or_else(|| "900 seconds have to be a multiple of it".to_string())
}

/// `now`, RFC 3339, or `-24h`: UTC milliseconds.
fn moment(text: &str) -> Result<u64, String> {
	let wrong = || "write now, a time such as 2026-11-01T00:00:00Z, or -24h, -7d".to_string();
	if text == "now" {
		return Ok(now_ms());
	}
	let Some(ago) = text.strip_prefix('-') else {
		return parse_utc(text).map_err(|fault| fault.to_string());
	};
	let unit = |suffix: char, seconds: u64| {
		ago.strip_suffix(suffix)?.parse::<u64>().ok()?.checked_mul(seconds * 1_000)
	};
	let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
	let ago = units.into_iter().find_map(|(suffix, seconds)| unit(suffix, seconds));
	Ok(now_ms().saturating_sub(ago.ok_or_else(wrong)?))
}

impl OwnerArgs {
	fn load(&self, passphrase_file: Option<&PathBuf>) -> anyhow::Result<AccountKey> {
		let passphrase = PassphraseArgs { passphrase_file: passphrase_file.cloned() };
		match (&self.owner_wallet, &self.owner_key, &self.owner_suri) {
			(Some(path), ..) => wallet::open_key(path, &passphrase),
			(_, Some(path), _) => key_file(path),
			(.., Some(uri)) => Ok(development_signer(uri)?.into()),
			_ => bail!("whose meter is it? Name --owner-wallet, --owner-key or --owner-suri"),
		}
	}
}

fn key_file(path: &Path) -> anyhow::Result<AccountKey> {
	let key = load_signer(path).with_context(|| format!("cannot use the key {}", path.display()));
	Ok(key?.into())
}

async fn organise(args: &OrganiseArgs, out: &Output) -> anyhow::Result<()> {
	let admin = args.admin.load(&args.passphrase)?;
	let governance = governance(args.admit_with.as_deref())?;
	let spinner = out.spinner("connecting");
	let chain = Chain::connect(&args.node.url).await?;
	spinner.set_message("waiting for finality");
	let patience = args.node.patience();
	let registered = onboard::register(
		&chain,
		&args.name,
		&admin,
		&args.electricians,
		governance.as_ref(),
		&patience,
	)
	.await;
	spinner.finish_and_clear();
	out.result(&registered?, registered_text)
}

fn governance(uri: Option<&str>) -> anyhow::Result<Option<AccountKey>> {
	Ok(uri.map(development_signer).transpose()?.map(AccountKey::from))
}

fn registered_text(registered: &Registered) -> String {
	let Registered { organisation, name, admitted, electricians } = registered;
	let state = if *admitted { "admitted" } else { "waits for governance to admit it" };
	let count = electricians.len();
	format!("organisation {organisation}, {name}: {state}; electricians: {count}")
}

impl OnboardArgs {
	fn specs(&self) -> anyhow::Result<Vec<MeterSpec>> {
		if let Some(path) = &self.from {
			return Ok(read_list(path)?);
		}
		if let Some(count) = self.generate {
			return Ok(invented(count, &self.site, self.per_device));
		}
		let name = self.meter.as_ref().context("which meter? Name it with --meter")?;
		let missing = |option: &str| format!("--meter needs {option}");
		Ok(vec![MeterSpec {
			site: name.site().to_string(),
			device: name.device().to_string(),
			meter: name.meter().to_string(),
			direction: self.direction.with_context(|| missing("--direction"))?,
			rated_power_w: self.rated_power_w.with_context(|| missing("--rated-power-w"))?,
			seal: self.seal.clone().with_context(|| missing("--seal"))?,
			profile: None,
		}])
	}
}

async fn onboard(args: &OnboardArgs, out: &Output) -> anyhow::Result<()> {
	let specs = args.specs()?;
	let owner = args.owner.load(args.owner_passphrase_file.as_ref())?;
	let electrician = args.electrician.load(&args.passphrase)?;
	let governance = governance(args.admit_with.as_deref())?;
	let device_passphrase =
		args.device_keys.device_passphrase_file.as_deref().map(first_line).transpose()?;
	let chain = Chain::connect(&args.node.url).await?;
	let patience = args.node.patience();
	let mut registered = None;
	let organisation = match (args.organisation, &args.register) {
		(Some(index), _) => index,
		(None, Some(name)) => {
			let members = [electrician.account()];
			let done = onboard::register(
				&chain,
				name,
				&electrician,
				&members,
				governance.as_ref(),
				&patience,
			)
			.await?;
			registered.insert(done).organisation
		},
		(None, None) => bail!("for which organisation? Name it with --organisation"),
	};
	let order = Order {
		meters: &specs,
		keys: &args.device_keys.keys,
		passphrase: device_passphrase.as_ref().map(|passphrase| passphrase.as_slice()),
		owner: &owner,
		electrician: &electrician,
		organisation,
		trust: args.trust,
		registers: Registers { import_wh: args.import_wh, export_wh: args.export_wh },
		since_ms: args.since,
		now_ms: now_ms(),
	};
	let progress = out.progress(specs.len() as u64);
	let ask = |path: &Path| ask(path, &args.passphrase);
	let meters = onboard::onboard(&chain, &order, &ask, &patience, |_| progress.inc(1)).await;
	progress.finish_and_clear();
	let meters = meters?;
	let genesis = chain.genesis();
	if let Some(path) = &args.out {
		Registry::add(path, genesis, &meters)?;
	}
	if let Some(path) = &args.credentials {
		let names = specs.iter().map(MeterSpec::name).collect::<Result<Vec<_>, _>>();
		credentials::ensure(path, &names.map_err(anyhow::Error::msg)?)?;
	}
	let report = Report { genesis: format!("{genesis:#x}"), organisation, registered, meters };
	out.result(&report, |report| {
		let mut lines: Vec<String> = report.registered.iter().map(registered_text).collect();
		lines.extend(report.meters.iter().map(onboarded_text));
		lines.join("\n")
	})
}

fn onboarded_text(meter: &Onboarded) -> String {
	let MeterSpec { site, device, meter: id, direction, .. } = &meter.spec;
	let there = if meter.was_there { " (was there)" } else { "" };
	format!(
		"meter {} {site}/{device}/{id} {direction}{there}: energy account {}",
		meter.index, meter.energy_account
	)
}

async fn find(chain: &Chain, text: &str) -> anyhow::Result<Info> {
	let found = match text.parse::<MeterIndex>() {
		Ok(index) => chain::meter(chain, index).await?,
		Err(_) => {
			let name = meter_name(text).map_err(anyhow::Error::msg)?;
			chain::meter_by_name(chain, &name).await?
		},
	};
	found.with_context(|| format!("the chain knows no meter {text}"))
}

/// Submits a call about a meter and shows the meter afterwards.
async fn call(
	chain: &Chain,
	meter: MeterIndex,
	call: chain::Call,
	signer: &AccountKey,
	node: &NodeArgs,
	out: &Output,
) -> anyhow::Result<()> {
	let spinner = out.spinner("waiting for finality");
	let included = chain::submit(chain, signer, call, &node.patience()).await;
	spinner.finish_and_clear();
	let block = format!("{:#x}", included?.block);
	let missing = || Failure::Unsupported(format!("the meter {meter} any more"));
	let info = chain::meter(chain, meter).await?.ok_or_else(missing)?;
	out.result(&Done { meter: Shown::from(&info), block }, |done| {
		format!("{}\nfinal in block {}", shown_text(&done.meter), done.block)
	})
}

async fn suspend(args: &SuspendArgs, out: &Output) -> anyhow::Result<()> {
	let signer = args.signer.load(&args.passphrase)?;
	let chain = Chain::connect(&args.node.url).await?;
	let meter = find(&chain, &args.meter).await?.index;
	let suspend = chain::suspend(meter, args.reason);
	call(&chain, meter, suspend, &signer, &args.node, out).await
}

async fn reinstate(args: &ReinstateArgs, out: &Output) -> anyhow::Result<()> {
	let seal = seal(&args.seal).map_err(anyhow::Error::msg)?;
	let signer = args.signer.load(&args.passphrase)?;
	let chain = Chain::connect(&args.node.url).await?;
	let meter = find(&chain, &args.meter).await?.index;
	call(&chain, meter, chain::reinstate(meter, &seal), &signer, &args.node, out).await
}

async fn exchange(args: &ExchangeArgs, out: &Output) -> anyhow::Result<()> {
	let seal = seal(&args.seal).map_err(anyhow::Error::msg)?;
	let registers = Registers { import_wh: args.import_wh, export_wh: args.export_wh };
	let signer = args.signer.load(&args.passphrase)?;
	let chain = Chain::connect(&args.node.url).await?;
	let info = find(&chain, &args.meter).await?;
	let new = match (&args.new_keys, &args.owner) {
		(Some(folder), Some(owner)) => {
			Some(new_device(&chain, &info, folder, owner, &args.passphrase)?)
		},
		_ => None,
	};
	let exchange = chain::exchange(info.index, registers, &seal, new.as_ref());
	call(&chain, info.index, exchange, &signer, &args.node, out).await?;
	if let Some(path) = &args.registry {
		let info = chain::meter(&chain, info.index).await?;
		let info = info.context("the chain does not know the meter any more")?;
		onboard::exchanged(path, &info, args.new_keys.as_deref())?;
	}
	Ok(())
}

fn new_device(
	chain: &Chain,
	info: &Info,
	folder: &Path,
	owner: &str,
	passphrase: &PassphraseArgs,
) -> anyhow::Result<NewDevice<AccountSignature>> {
	let owner = match owner.starts_with("//") {
		true => AccountKey::from(development_signer(owner)?),
		false if gridproof_keys::wallet::show(Path::new(owner)).is_ok() => {
			wallet::open_key(Path::new(owner), passphrase)?
		},
		false => key_file(Path::new(owner))?,
	};
	let certificate = &info.certificate;
	ensure!(
		owner.account() == certificate.owner,
		"only the meter's owner can consent to a new key"
	);
	let ask = |path: &Path| ask(path, passphrase);
	let (key, path) = device_key(folder, &certificate.name, None, &ask)?;
	ensure!(
		*key.public() != certificate.device,
		"{} is the key that the meter has already; name another folder",
		path.display()
	);
	Ok(chain::new_device(chain, info, *key.public(), &owner, now_ms()))
}

async fn show(args: &WhichArgs, out: &Output) -> anyhow::Result<()> {
	let chain = Chain::connect(&args.url).await?;
	let info = find(&chain, &args.meter).await?;
	out.result(&Shown::from(&info), shown_text)
}

fn shown_text(meter: &Shown) -> String {
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

async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<()> {
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

async fn totals(args: &TotalsArgs, out: &Output) -> anyhow::Result<()> {
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
		ensure!(!specs.is_empty(), "the registry has no meters: onboard some first");
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

async fn simulate(args: &SimulateArgs, out: &Output) -> anyhow::Result<()> {
	let registry = match &args.registry {
		Some(path) => {
			let registry = Registry::load(path)?;
			Some(registry.with_context(|| format!("there is no file {}", path.display()))?)
		},
		None => None,
	};
	let specs = args.specs(registry.as_ref())?;
	let credentials = args.credentials.as_deref().map(credentials::load).transpose()?;
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
	};
	let ask = |path: &Path| -> Result<_, KeyFault> { ask(path, &args.passphrase) };
	let fleet = Fleet::open(&settings, &ask).await?;
	if let (Some(rate), Some(seconds)) = (args.rate, args.seconds) {
		let report = load::run(fleet, rate, Duration::from_secs(seconds)).await?;
		return out.result(&report, load_text);
	}
	let course = Course {
		start_ms: args.start,
		speed: args.speed,
		interval_ms: args.interval * 1_000,
		end: args.end(),
	};
	let shutdown = Shutdown::listen()?;
	tokio::select! {
		ended = fleet.run(&course) => ended?,
		() = shutdown.asked() => (),
	}
	fleet.settle(Duration::from_secs(10)).await;
	out.result(&fleet.summary(), summary_text)
}

fn summary_text(summary: &Summary) -> String {
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

fn load_text(report: &load::Report) -> String {
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
