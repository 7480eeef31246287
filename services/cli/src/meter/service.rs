//! `gridproof meter suspend`, `reinstate`, `exchange`.

use super::{find, onboard::key_file, show::shown_text};
use crate::{
	keys::{PassphraseArgs, ask},
	output::Output,
	payer::{NodeArgs, PayerArgs},
	wallet,
};
use anyhow::{Context, ensure};
use clap::Args;
use gridproof_chain::{Chain, Failure};
use gridproof_keys::{
	AccountKey,
	account::{AccountSignature, development_signer},
};
use gridproof_meter::{
	chain::{self, Info, Shown},
	onboard::{self, device_key, seal},
	simulate::now_ms,
};
use gridproof_primitives::meter::{MeterIndex, NewDevice, Registers, Suspension};
use serde::Serialize;
use std::path::{Path, PathBuf};

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

/// What a call did.
#[derive(Serialize)]
struct Done {
	meter: Shown,
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

pub async fn suspend(args: &SuspendArgs, out: &Output) -> anyhow::Result<()> {
	let signer = args.signer.load(&args.passphrase)?;
	let chain = Chain::connect(&args.node.url).await?;
	let meter = find(&chain, &args.meter).await?.index;
	let suspend = chain::suspend(meter, args.reason);
	call(&chain, meter, suspend, &signer, &args.node, out).await
}

pub async fn reinstate(args: &ReinstateArgs, out: &Output) -> anyhow::Result<()> {
	let seal = seal(&args.seal).map_err(anyhow::Error::msg)?;
	let signer = args.signer.load(&args.passphrase)?;
	let chain = Chain::connect(&args.node.url).await?;
	let meter = find(&chain, &args.meter).await?.index;
	call(&chain, meter, chain::reinstate(meter, &seal), &signer, &args.node, out).await
}

pub async fn exchange(args: &ExchangeArgs, out: &Output) -> anyhow::Result<()> {
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
