//! `gridproof anchor create` and `broadcast`.

use super::{RpcArgs, ShownRecord, open_record, read, read_text, report};
use crate::{
	args::{AdminKeyArgs, GatewayArgs},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::Args;
use gridproof_anchor::{
	AnchorError, AnchorStatus, BatchRef, H256, Network, Record, batch,
	commitment::{self, parse_root},
	lock, psbt, wallet, watch,
};
use std::{path::PathBuf, process::ExitCode};

/// Arguments of `anchor create`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["root", "from_batch"]))]
#[command(group = clap::ArgGroup::new("how").required(true).args(["utxos", "wallet", "simulate"]))]
pub struct CreateArgs {
	/// The root: 64 hexadecimal digits.
	#[arg(long, value_name = "HEX", value_parser = parse_root)]
	root: Option<H256>,
	/// The gateway's batch whose root it is; the root is recomputed from its readings.
	#[arg(long, value_name = "ID")]
	from_batch: Option<String>,
	#[command(flatten)]
	gateway: GatewayArgs,
	#[command(flatten)]
	admin: AdminKeyArgs,
	/// The Bitcoin network: mainnet, testnet, testnet4, signet or regtest.
	#[arg(long)]
	network: Network,
	/// File that keeps the anchor's state.
	#[arg(long, value_name = "FILE")]
	record: PathBuf,
	/// Unspent outputs that pay the fee, in the form of bitcoind's listunspent.
	#[arg(long, value_name = "FILE", requires = "change_address")]
	utxos: Option<PathBuf>,
	/// Where the change goes. A wallet is asked for an address if there is none.
	#[arg(long, value_name = "ADDRESS")]
	change_address: Option<String>,
	/// Pay and sign with the wallet of the node of --rpc.
	#[arg(long = "node-wallet", alias = "wallet", requires = "rpc")]
	wallet: bool,
	/// RPC of the wallet, if it is another than the node's: http://…/wallet/NAME.
	#[arg(long, value_name = "URL", requires = "wallet")]
	wallet_rpc: Option<String>,
	/// Rehearse: the anchor is and stays simulated, and no transaction is made.
	#[arg(long)]
	simulate: bool,
	/// Fee rate in sats per virtual byte.
	#[arg(long, value_name = "X", default_value = "2")]
	fee_rate: psbt::Rate,
	/// The most that is paid, in sats.
	#[arg(long, value_name = "SATS", default_value_t = psbt::DEFAULT_MAX_FEE)]
	max_fee: u64,
	/// File for the PSBT; without it, the PSBT is printed.
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	#[command(flatten)]
	rpc: RpcArgs,
}

/// Arguments of `anchor broadcast`.
#[derive(Args)]
pub struct BroadcastArgs {
	/// The anchor's record.
	#[arg(long, value_name = "FILE")]
	record: PathBuf,
	/// The final transaction: its hexadecimal digits, or a finalized PSBT. Without it, the one in
	/// the record.
	#[arg(long, value_name = "FILE")]
	tx: Option<PathBuf>,
	#[command(flatten)]
	admin: AdminKeyArgs,
	#[command(flatten)]
	rpc: RpcArgs,
}

/// Makes a record, and the transaction if there is to be one.
pub async fn create(args: CreateArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (root, batch) = match (&args.root, &args.from_batch) {
		(Some(root), _) => (*root, None),
		(None, Some(id)) => {
			let gateway = args.gateway.admin(&args.admin)?;
			let batch = BatchRef { id: id.clone(), api: gateway.url().to_owned() };
			(batch::root(&gateway, id).await?, Some(batch))
		},
		(None, None) => return Err(usage("which root? Name it with --root or --from-batch")),
	};
	let mut record = if args.simulate {
		Record::simulated(&root, args.network)
	} else {
		Record::new(&root, args.network)
	};
	record.batch = batch;
	let _alone = lock(&args.record)?;
	record.check_free(&args.record)?;
	let (mut fee, mut unsigned) = (None, None);
	if !args.simulate {
		let made = make(&args, &root).await?;
		fee = Some(made.planned.fee);
		match &made.signed {
			Some(signed) => record.set_transaction(signed)?,
			None => {
				record.set_psbt(&made.planned.psbt);
				unsigned = Some(made.planned.psbt);
			},
		}
	}
	record.save(&args.record)?;
	if let (Some(path), Some(psbt)) = (&args.out, &unsigned) {
		std::fs::write(path, psbt.serialize())
			.with_context(|| format!("cannot write {}", path.display()))?;
	}
	report(&record, &args.admin).await?;
	let mut shown = ShownRecord::new(&record)?;
	shown.fee_sats = fee;
	shown.psbt = unsigned.filter(|_| args.out.is_none()).map(|psbt| psbt.to_string());
	out.result(&shown, ShownRecord::text)?;
	Ok(ExitCode::SUCCESS)
}

async fn make(args: &CreateArgs, root: &H256) -> anyhow::Result<wallet::Made> {
	if let Some(path) = &args.utxos {
		let change = args.change_address.as_deref();
		let change = change.ok_or_else(|| usage("--utxos needs --change-address"))?;
		let payment = psbt::Payment {
			coins: psbt::read_coins(&read_text(path)?, args.network)
				.with_context(|| path.display().to_string())?,
			change: psbt::address_script(change, args.network)?,
			rate: args.fee_rate,
			max_fee: args.max_fee,
		};
		return Ok(wallet::Made { planned: psbt::plan(root, &payment)?, signed: None });
	}
	let node = args.rpc.open()?;
	let wallet = match &args.wallet_rpc {
		Some(url) => args.rpc.open_at(url)?,
		None => node.clone(),
	};
	let terms = wallet::Terms {
		network: args.network,
		rate: args.fee_rate,
		max_fee: args.max_fee,
		change: args.change_address.clone(),
	};
	Ok(wallet::make(&node, &wallet, root, &terms).await?)
}

/// Sends a signed transaction.
pub async fn broadcast(args: &BroadcastArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (mut record, _alone) = open_record(&args.record)?;
	if record.state() == AnchorStatus::Simulated {
		return Err(AnchorError::Simulated.into());
	}
	let transaction = match &args.tx {
		Some(path) => {
			commitment::read_final(&read(path)?).with_context(|| path.display().to_string())?
		},
		None => record.transaction().context(
			"the record holds no signed transaction: sign the PSBT and name the result with --tx",
		)?,
	};
	let node = args.rpc.open()?;
	// Kept before it is sent, so that it is never lost once somebody has it.
	record.set_transaction(&transaction)?;
	record.save(&args.record)?;
	wallet::broadcast(&node, &transaction, &record.root()?, record.network()?).await?;
	watch::refresh(&node, &mut record).await?;
	record.save(&args.record)?;
	report(&record, &args.admin).await?;
	out.result(&ShownRecord::new(&record)?, ShownRecord::text)?;
	Ok(ExitCode::SUCCESS)
}
