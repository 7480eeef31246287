//! `gridproof meter request`, `consent`, `certify`: onboarding on three machines.

use super::{meter_name, moment};
use crate::{
	args::{
		NodeArgs, PassphraseArgs, PayerArgs, UrlArgs,
		amount::energy,
		keys::{ask, passphrase_of},
	},
	exit::usage,
	output::Output,
};
use clap::Args;
use gridproof_fleet::{MeterSpec, Onboarded, OnboardingRequest, Registry, RequestOrder, certify};
use gridproof_keys::account::{address, parse_account};
use gridproof_primitives::{
	H256,
	energy::{Direction, MeterName, Registers, Trust},
	reserve::attestation::{chain_hint, genesis_of_hint},
};
use gridproof_support::clock::now_ms;
use serde::Serialize;
use std::{
	io::IsTerminal,
	path::{Path, PathBuf},
};

/// Arguments of `meter request`.
#[derive(Args)]
pub struct RequestArgs {
	/// The meter: SITE/DEVICE/METER.
	#[arg(value_name = "NAME", value_parser = meter_name)]
	meter: MeterName,
	/// The direction of energy: import, export or both.
	#[arg(long, value_name = "DIRECTION")]
	direction: Direction,
	/// The most power that can go through, in W.
	#[arg(long, value_name = "W")]
	rated_power_w: u32,
	/// Maker and serial number, as on its plate.
	#[arg(long, value_name = "NUMBER")]
	serial: String,
	/// The seal's id.
	#[arg(long, value_name = "ID")]
	seal: String,
	/// The metering point with whose other meters it is netted, as the grid operator calls it; without
	/// one, nothing can be drawn, delivered or stored there but through this meter.
	#[arg(long, value_name = "ID")]
	point: Option<String>,
	/// Address of the owner.
	#[arg(long, value_name = "ADDRESS", value_parser = parse_account)]
	owner: [u8; 32],
	/// The organisation whose electrician will certify it.
	#[arg(long, value_name = "INDEX")]
	organisation: u32,
	/// Holder of the key: device, or gateway for meters that cannot sign.
	#[arg(long, value_name = "TRUST", default_value = "device")]
	trust: Trust,
	/// What the import register shows, in Wh.
	#[arg(long, value_name = "WH", default_value_t = 0)]
	import_wh: u64,
	/// What the export register shows, in Wh.
	#[arg(long, value_name = "WH", default_value_t = 0)]
	export_wh: u64,
	/// Folder of the device's key, which is made if there is none and stays here.
	#[arg(long, value_name = "DIR")]
	keys: PathBuf,
	/// File, mode 0600, whose first line is the passphrase of the device's key.
	#[arg(long, value_name = "FILE")]
	device_passphrase_file: Option<PathBuf>,
	/// The chain, substrate:0x and its genesis hash; without it, the node is asked.
	#[arg(long, value_name = "HINT", value_parser = genesis)]
	chain: Option<H256>,
	/// The request to write, which has no secret in it.
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `meter consent`.
#[derive(Args)]
pub struct ConsentArgs {
	/// The request; the owner's part is added to it.
	request: PathBuf,
	/// When certified service begins: now, a time such as 2026-11-01T00:00:00Z, or so long ago,
	/// such as -24h; a day ago at most. No reading may begin before.
	#[arg(long, value_name = "TIME", default_value = "now", value_parser = moment, allow_hyphen_values = true)]
	since: u64,
	/// Consent without asking; at a terminal, the figures are shown and confirmed otherwise.
	#[arg(long)]
	yes: bool,
	#[command(flatten)]
	owner: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// Arguments of `meter certify`.
#[derive(Args)]
pub struct CertifyArgs {
	/// The request, with the parts of device and owner.
	request: PathBuf,
	/// Write the meter into this file, or add it: the device's program reads it.
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Certify without asking; at a terminal, the figures are shown and confirmed otherwise.
	#[arg(long)]
	yes: bool,
	#[command(flatten)]
	electrician: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

fn genesis(text: &str) -> Result<H256, String> {
	genesis_of_hint(text)
		.ok_or_else(|| "write substrate:0x and the 64 digits of the genesis hash".to_string())
}

/// What `meter request` made.
#[derive(Serialize)]
struct Requested {
	request: String,
	key_file: String,
	device_key: String,
}

pub async fn request(args: &RequestArgs, out: &Output) -> anyhow::Result<()> {
	let genesis = match args.chain {
		Some(genesis) => genesis,
		None => args.node.connect().await?.genesis(),
	};
	let meter = MeterSpec {
		site: args.meter.site().to_string(),
		device: args.meter.device().to_string(),
		meter: args.meter.meter().to_string(),
		direction: args.direction,
		rated_power_w: args.rated_power_w,
		serial: args.serial.clone(),
		seal: args.seal.clone(),
		profile: None,
		point: args.point.clone(),
	};
	let order = RequestOrder {
		meter: &meter,
		genesis,
		owner: args.owner,
		organisation: args.organisation,
		trust: args.trust,
		registers: Registers { import_wh: args.import_wh, export_wh: args.export_wh },
	};
	let passphrase = args.device_passphrase_file.as_deref().map(passphrase_of).transpose()?;
	let source = PassphraseArgs { passphrase_file: args.device_passphrase_file.clone() };
	let ask = |path: &Path| ask(path, &source);
	let passphrase = passphrase.as_ref().map(|passphrase| passphrase.as_slice());
	let (request, key_file) = OnboardingRequest::make(&order, &args.keys, passphrase, &ask)?;
	request.save(&args.out)?;
	let made = Requested {
		request: args.out.display().to_string(),
		key_file: key_file.display().to_string(),
		device_key: request.device_key.to_string(),
	};
	out.result(&made, |made| {
		format!(
			"{}\nkey {} stays here, in {}\nnext, on the owner's machine: gridproof meter consent {}",
			text_of(&request),
			made.device_key,
			made.key_file,
			made.request
		)
	})
}

/// What is agreed on, for a person who signs it.
fn text_of(request: &OnboardingRequest) -> String {
	let MeterSpec { site, device, meter, direction, rated_power_w, serial, seal, point, .. } =
		&request.meter;
	let point = point.as_ref().map_or_else(
		|| "nothing at its point is drawn, delivered or stored but through it".into(),
		|point| format!("netted with the meters of the metering point {point}"),
	);
	format!(
		"meter {site}/{device}/{meter}, {direction}, {rated_power_w} W, serial number {serial}, seal \
		 {seal}\n{point}\nregisters: import {}, export {}; key held by {}\nowner {}, organisation {}, {}",
		energy(request.import_wh.into()),
		energy(request.export_wh.into()),
		request.trust,
		request.owner,
		request.organisation,
		chain_hint(&request.genesis)
	)
}

fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
	if yes || !std::io::stdin().is_terminal() {
		return Ok(());
	}
	eprint!("{question} [y/N] ");
	let mut answer = String::new();
	std::io::stdin().read_line(&mut answer)?;
	match answer.trim() {
		"y" | "Y" | "yes" => Ok(()),
		_ => Err(usage("nothing was signed")),
	}
}

pub fn consent(args: &ConsentArgs, out: &Output) -> anyhow::Result<()> {
	let mut request = OnboardingRequest::load(&args.request)?;
	out.review(&text_of(&request));
	confirm("Is this your meter, and do these figures hold?", args.yes)?;
	let owner = args.owner.load(&args.passphrase)?;
	request.consent(&owner, args.since, now_ms())?;
	request.save(&args.request)?;
	out.result(&request, |_| {
		format!(
			"{} consents, for an hour\nnext, on the electrician's machine: gridproof meter certify {}",
			address(&owner.account()),
			args.request.display()
		)
	})
}

pub async fn certify_request(args: &CertifyArgs, out: &Output) -> anyhow::Result<()> {
	let request = OnboardingRequest::load(&args.request)?;
	out.review(&text_of(&request));
	confirm("Did you see this meter, its plate and its seal?", args.yes)?;
	let electrician = args.electrician.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let spinner = out.spinner("waiting for finality");
	let patience = args.node.patience();
	let certified = certify(&chain, &request, &electrician, &patience, now_ms()).await;
	spinner.finish_and_clear();
	let certified = certified?;
	if let Some(path) = &args.out {
		Registry::add(path, chain.genesis(), std::slice::from_ref(&certified))?;
	}
	out.result(&certified, |meter: &Onboarded| {
		format!("meter {}: energy account {}", meter.index, meter.energy_account)
	})
}
