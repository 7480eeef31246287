//! `gridproof meter organise`, `set-admin`, `onboard`.

use super::{meter_name, moment};
use crate::{
	args::{
		NodeArgs, PassphraseArgs, PayerArgs,
		keys::{ask, in_file, passphrase_of},
		payer::{development, key_file, open_wallet},
	},
	exit::usage,
	output::Output,
};
use clap::Args;
use gridproof_chain::pallets::meter_readings::call;
use gridproof_fleet::{
	self as fleet, MeterSpec, Onboarded, Order, Registered, Registry, ensure_credentials, invented,
	read_list, register_organisation,
};
use gridproof_keys::{
	AccountKey,
	account::{address, parse_account},
};
use gridproof_primitives::energy::{Direction, MeterName, Registers, Trust};
use gridproof_support::clock::now_ms;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `meter organise`.
#[derive(Args)]
pub struct OrganiseArgs {
	/// Its name; at most 64 bytes.
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

/// Arguments of `meter set-admin`; the present admin signs.
#[derive(Args)]
pub struct SetAdminArgs {
	/// The organisation's number.
	#[arg(value_name = "INDEX")]
	organisation: u32,
	/// The account that is to be its admin.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	new: [u8; 32],
	#[command(flatten)]
	admin: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// What `meter set-admin` did.
#[derive(Serialize)]
struct AdminSet {
	organisation: u32,
	admin: String,
	block: String,
}

/// The owner of the meters.
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

/// Where device keys are, and how they are kept.
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
	/// site,device,meter,direction,rated_power_w,serial,seal, with or without ,profile or
	/// ,profile,point.
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
	/// With --meter: the direction of energy: import, export, both, or generation for what is made behind
	/// a metering point where nothing can be stored.
	#[arg(long, value_name = "DIRECTION", requires = "meter")]
	direction: Option<Direction>,
	/// With --meter: the most power that can go through, in W.
	#[arg(long, value_name = "W", requires = "meter")]
	rated_power_w: Option<u32>,
	/// With --meter: maker and serial number, as on its plate.
	#[arg(long, value_name = "NUMBER", requires = "meter")]
	serial: Option<String>,
	/// With --meter: the seal's id.
	#[arg(long, value_name = "ID", requires = "meter")]
	seal: Option<String>,
	/// With --meter: the metering point with whose other meters it is netted; without it the electrician
	/// says that nothing can be drawn, delivered or stored there but through this meter.
	#[arg(long, value_name = "ID", requires = "meter")]
	point: Option<String>,
	/// The organisation that the electrician acts for.
	#[arg(long, value_name = "INDEX", required_unless_present = "register")]
	organisation: Option<u32>,
	/// Register this organisation first, with the electrician as admin and member.
	#[arg(long, value_name = "NAME", conflicts_with = "organisation")]
	register: Option<String>,
	/// With --register: the development account that governs a development chain, such as //Alice.
	#[arg(long, value_name = "//NAME", requires = "register")]
	admit_with: Option<String>,
	/// Holder of the keys: device, or gateway for meters that cannot sign.
	#[arg(long, value_name = "TRUST", default_value = "device")]
	trust: Trust,
	/// What the import register shows, in Wh.
	#[arg(long, value_name = "WH", default_value_t = 0)]
	import_wh: u64,
	/// What the export register shows, in Wh.
	#[arg(long, value_name = "WH", default_value_t = 0)]
	export_wh: u64,
	/// When certified service begins: now, a time such as 2026-11-01T00:00:00Z, or so long ago,
	/// such as -24h; a day ago at most. No reading may begin before.
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

/// What `meter onboard` did.
#[derive(Serialize)]
struct Report {
	genesis: String,
	organisation: u32,
	#[serde(skip_serializing_if = "Option::is_none")]
	registered: Option<Registered>,
	meters: Vec<Onboarded>,
}

impl OwnerArgs {
	fn load(&self, passphrase_file: Option<&PathBuf>) -> anyhow::Result<AccountKey> {
		let passphrase = PassphraseArgs { passphrase_file: passphrase_file.cloned() };
		match (&self.owner_wallet, &self.owner_key, &self.owner_suri) {
			(Some(path), ..) => {
				let wallet = open_wallet(path, &passphrase);
				Ok(wallet.map_err(|error| in_file(error, "--owner-passphrase-file"))?.key().clone())
			},
			(_, Some(path), _) => key_file(path),
			(.., Some(uri)) => development(uri),
			_ => Err(usage("whose meter is it? Name --owner-wallet, --owner-key or --owner-suri")),
		}
	}
}

pub async fn organise(args: &OrganiseArgs, out: &Output) -> anyhow::Result<()> {
	let admin = args.admin.load(&args.passphrase)?;
	let governance = governance(args.admit_with.as_deref())?;
	let spinner = out.spinner("connecting");
	let chain = args.node.connect().await?;
	spinner.set_message("waiting for finality");
	let patience = args.node.patience();
	let registered = register_organisation(
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

pub async fn set_admin(args: &SetAdminArgs, out: &Output) -> anyhow::Result<()> {
	let admin = args.admin.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let spinner = out.spinner("waiting for finality");
	let call = call::set_organisation_admin(args.organisation, args.new);
	let included = chain.submit(&admin, &call, &args.node.patience()).await;
	spinner.finish_and_clear();
	let block = format!("{:#x}", included?.block);
	let set = AdminSet { organisation: args.organisation, admin: address(&args.new), block };
	out.result(&set, |AdminSet { organisation, admin, block }| {
		format!("organisation {organisation} has the admin {admin}, final in block {block}")
	})
}

fn governance(uri: Option<&str>) -> anyhow::Result<Option<AccountKey>> {
	uri.map(development).transpose()
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
		let name = self.meter.as_ref();
		let name = name.ok_or_else(|| usage("which meter? Name it with --meter"))?;
		let missing = |option: &str| usage(format!("--meter needs {option}"));
		Ok(vec![MeterSpec {
			site: name.site().to_string(),
			device: name.device().to_string(),
			meter: name.meter().to_string(),
			direction: self.direction.ok_or_else(|| missing("--direction"))?,
			rated_power_w: self.rated_power_w.ok_or_else(|| missing("--rated-power-w"))?,
			serial: self.serial.clone().ok_or_else(|| missing("--serial"))?,
			seal: self.seal.clone().ok_or_else(|| missing("--seal"))?,
			profile: None,
			point: self.point.clone(),
		}])
	}
}

pub async fn onboard(args: &OnboardArgs, out: &Output) -> anyhow::Result<()> {
	let specs = args.specs()?;
	let owner = args.owner.load(args.owner_passphrase_file.as_ref())?;
	let electrician = args.electrician.load(&args.passphrase)?;
	let governance = governance(args.admit_with.as_deref())?;
	let device_passphrase =
		args.device_keys.device_passphrase_file.as_deref().map(passphrase_of).transpose()?;
	let chain = args.node.connect().await?;
	let patience = args.node.patience();
	let mut registered = None;
	let organisation = match (args.organisation, &args.register) {
		(Some(index), _) => index,
		(None, Some(name)) => {
			let members = [electrician.account()];
			let done = register_organisation(
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
		(None, None) => {
			return Err(usage("for which organisation? Name it with --organisation"));
		},
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
	let meters = fleet::onboard(&chain, &order, &ask, &patience, |_| progress.inc(1)).await;
	progress.finish_and_clear();
	let meters = meters?;
	let genesis = chain.genesis();
	if let Some(path) = &args.out {
		Registry::add(path, genesis, &meters)?;
	}
	if let Some(path) = &args.credentials {
		let names = specs.iter().map(MeterSpec::name).collect::<Result<Vec<_>, _>>();
		ensure_credentials(path, &names.map_err(usage)?)?;
	}
	let report = Report { genesis: format!("{genesis:#x}"), organisation, registered, meters };
	out.result(&report, |report| {
		let mut lines: Vec<String> = report.registered.iter().map(registered_text).collect();
		lines.extend(report.meters.iter().map(onboarded_text));
		lines.join("\n")
	})
}

fn onboarded_text(meter: &Onboarded) -> String {
	let MeterSpec { site, device, meter: id, direction, point, .. } = &meter.spec;
	let point = point.as_ref().map(|id| format!(" at metering point {id}")).unwrap_or_default();
	let there = if meter.was_there { " (was there)" } else { "" };
	format!(
		"meter {} {site}/{device}/{id} {direction}{point}{there}: energy account {}",
		meter.index, meter.energy_account
	)
}
