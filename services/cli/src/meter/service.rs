//! `gridproof meter admit`, `suspend`, `reinstate`, `exchange`, `correct`, `decommission`.

use super::{find, show::shown_text};
use crate::{
	args::{
		NodeArgs, PassphraseArgs, PayerArgs,
		keys::ask,
		payer::{development, key_file, open_wallet},
	},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::Args;
use gridproof_chain::{
	Call, Chain,
	pallets::meter_readings::{Meter, call, query},
};
use gridproof_fleet::{
	self as fleet, Exchanged, ShownMeter, device_key, record_exchange, seal, serial,
};
use gridproof_keys::{AccountKey, account::AccountSignature};
use gridproof_primitives::energy::{MeterIndex, NewDevice, Registers, Suspension};
use gridproof_support::clock::now_ms;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `meter admit`; an electrician signs.
#[derive(Args)]
pub struct AdmitArgs {
	/// The meter: its number, or SITE/DEVICE/METER.
	meter: String,
	#[command(flatten)]
	signer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `meter correct`; the admin of its organisation signs.
#[derive(Args)]
pub struct CorrectArgs {
	/// The meter: its number, or SITE/DEVICE/METER.
	meter: String,
	/// What it minted in error, in Wh.
	#[arg(long, value_name = "WH", value_parser = clap::value_parser!(u64).range(1..))]
	wh: u64,
	#[command(flatten)]
	signer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `meter decommission`.
#[derive(Args)]
pub struct DecommissionArgs {
	/// The meter: its number, or SITE/DEVICE/METER.
	meter: String,
	/// Decommission without asking again: its name, key, serial number and seal come back on no
	/// meter.
	#[arg(long, required = true)]
	for_ever: bool,
	#[command(flatten)]
	signer: PayerArgs,
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
	/// The reason: broken-seal or lost-key.
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
	/// Maker and serial number of the new meter; without it, the meter stays and only its device or
	/// its registers are others.
	#[arg(long, value_name = "NUMBER")]
	serial: Option<String>,
	/// The new seal's id.
	#[arg(long, value_name = "ID")]
	seal: String,
	/// Folder of the new device key, which is made if there is none; the owner has to consent to
	/// it. Without it the device's key stays.
	#[arg(long, value_name = "DIR", requires = "owner")]
	new_keys: Option<PathBuf>,
	/// The owner who consents, as FILE of a wallet or key, or //NAME of a development account.
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

/// What a call did.
#[derive(Serialize)]
struct Done {
	meter: ShownMeter,
	block: String,
}

fn suspension(text: &str) -> Result<Suspension, String> {
	match text {
		"broken-seal" => Ok(Suspension::BrokenSeal),
		"lost-key" => Ok(Suspension::LostKey),
		_ => Err("it is broken-seal or lost-key".to_string()),
	}
}

/// Submits a call about a meter and shows the meter afterwards.
async fn submit(
	chain: &Chain,
	meter: MeterIndex,
	call: Call,
	signer: &AccountKey,
	node: &NodeArgs,
	out: &Output,
) -> anyhow::Result<()> {
	let spinner = out.spinner("waiting for finality");
	let included = chain.submit(signer, &call, &node.patience()).await;
	spinner.finish_and_clear();
	let block = format!("{:#x}", included?.block);
	let shown = ShownMeter::from(&meter_after(chain, meter).await?);
	out.result(&Done { meter: shown, block }, |done| {
		format!("{}\nfinal in block {}", shown_text(&done.meter), done.block)
	})
}

/// Returns a meter that the chain had a moment ago.
async fn meter_after(chain: &Chain, meter: MeterIndex) -> anyhow::Result<Meter> {
	let found = chain.read(&query::meter(meter)).await?;
	found.with_context(|| format!("the chain does not know the meter {meter} any more"))
}

pub async fn admit(args: &AdmitArgs, out: &Output) -> anyhow::Result<()> {
	let signer = args.signer.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let meter = find(&chain, &args.meter).await?.index;
	submit(&chain, meter, call::admit_meter(meter), &signer, &args.node, out).await
}

pub async fn correct(args: &CorrectArgs, out: &Output) -> anyhow::Result<()> {
	let signer = args.signer.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let meter = find(&chain, &args.meter).await?.index;
	submit(&chain, meter, call::correct_meter(meter, args.wh), &signer, &args.node, out).await
}

pub async fn decommission(args: &DecommissionArgs, out: &Output) -> anyhow::Result<()> {
	let signer = args.signer.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let meter = ShownMeter::from(&find(&chain, &args.meter).await?);
	let spinner = out.spinner("waiting for finality");
	let call = call::decommission_meter(meter.index);
	let included = chain.submit(&signer, &call, &args.node.patience()).await;
	spinner.finish_and_clear();
	let block = format!("{:#x}", included?.block);
	out.result(&Done { meter, block }, |done| {
		format!("{}\nout of service, final in block {}", shown_text(&done.meter), done.block)
	})
}

pub async fn suspend(args: &SuspendArgs, out: &Output) -> anyhow::Result<()> {
	let signer = args.signer.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let meter = find(&chain, &args.meter).await?.index;
	let suspend = call::suspend_meter(meter, args.reason);
	submit(&chain, meter, suspend, &signer, &args.node, out).await
}

pub async fn reinstate(args: &ReinstateArgs, out: &Output) -> anyhow::Result<()> {
	let seal = seal(&args.seal).map_err(usage)?;
	let signer = args.signer.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let meter = find(&chain, &args.meter).await?.index;
	let reinstate = call::reinstate_meter(meter, &seal);
	submit(&chain, meter, reinstate, &signer, &args.node, out).await
}

pub async fn exchange(args: &ExchangeArgs, out: &Output) -> anyhow::Result<()> {
	let seal = seal(&args.seal).map_err(usage)?;
	let serial_given = args.serial.as_deref().map(serial).transpose().map_err(usage)?;
	let registers = Registers { import_wh: args.import_wh, export_wh: args.export_wh };
	let signer = args.signer.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let info = find(&chain, &args.meter).await?;
	let serial = serial_given.unwrap_or_else(|| info.certificate.serial.clone());
	let exchanged = Exchanged { registers, serial, seal };
	let new = match (&args.new_keys, &args.owner) {
		(Some(folder), Some(owner)) => {
			Some(new_device(&chain, &info, &exchanged, (folder, owner), &args.passphrase)?)
		},
		_ => None,
	};
	let numbers = (&exchanged.serial, &exchanged.seal);
	let exchange = call::exchange_meter(info.index, registers, numbers, new.as_ref());
	submit(&chain, info.index, exchange, &signer, &args.node, out).await?;
	if let Some(path) = &args.registry {
		let meter = meter_after(&chain, info.index).await?;
		record_exchange(path, &meter, args.new_keys.as_deref())?;
	}
	Ok(())
}

fn new_device(
	chain: &Chain,
	info: &Meter,
	exchanged: &Exchanged,
	(folder, owner): (&Path, &str),
	passphrase: &PassphraseArgs,
) -> anyhow::Result<NewDevice<AccountSignature>> {
	let owner = if owner.starts_with("//") {
		development(owner)?
	} else if gridproof_keys::wallet::show(Path::new(owner)).is_ok() {
		open_wallet(Path::new(owner), passphrase)?.key().clone()
	} else {
		key_file(Path::new(owner))?
	};
	let certificate = &info.certificate;
	if owner.account() != certificate.owner {
		return Err(usage("only the meter's owner can consent to a new key"));
	}
	let ask = |path: &Path| ask(path, passphrase);
	let (key, path) = device_key(folder, &certificate.name, None, &ask)?;
	if *key.public() == certificate.device {
		let path = path.display();
		return Err(usage(format!(
			"{path} is the key that the meter has already; name another folder"
		)));
	}
	Ok(fleet::new_device(&chain.genesis(), info, exchanged, &key, &owner, now_ms()))
}
