//! `gridproof anchor daily`.

use super::RpcArgs;
use crate::{
	args::{AdminKeyArgs, GatewayArgs},
	exit::usage,
	output::Output,
};
use clap::Args;
use gridproof_anchor::{
	Network,
	daily::{Daily, DailySettings, Payer, Standing},
	fees::FeePolicy,
	psbt::{DEFAULT_MAX_FEE, Rate},
};
use gridproof_support::{Clock, stop};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Arguments of `anchor daily`.
#[derive(Args)]
pub struct DailyArgs {
	/// Folder for sets of batches and the records of their anchors. It is what knows which batches are
	/// under way: keep it.
	#[arg(long, value_name = "DIR")]
	folder: PathBuf,
	/// Keep running: a new set every so many seconds, 86400 for once a day. Without it: one set of what
	/// is there, a look at those under way, and the end.
	#[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
	every: Option<u64>,
	/// With --every: seconds between two looks at what is under way.
	#[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "every",
		value_parser = clap::value_parser!(u64).range(1..=3600))]
	look: u64,
	#[command(flatten)]
	gateway: GatewayArgs,
	#[command(flatten)]
	admin: AdminKeyArgs,
	/// The Bitcoin network: mainnet, testnet, testnet4, signet or regtest.
	#[arg(long)]
	network: Network,
	/// RPC of the wallet that pays and signs, if it is another than the node's: http://…/wallet/NAME.
	#[arg(long, value_name = "URL")]
	wallet_rpc: Option<String>,
	/// Where the change goes; without it, the wallet is asked for an address.
	#[arg(long, value_name = "ADDRESS")]
	change_address: Option<String>,
	/// Rehearse: the anchors are and stay simulated, and no transaction is made.
	#[arg(long, conflicts_with_all = ["wallet_rpc", "change_address"])]
	simulate: bool,
	#[command(flatten)]
	fees: FeeArgs,
	#[command(flatten)]
	rpc: RpcArgs,
}

/// What may be paid.
#[derive(Args)]
struct FeeArgs {
	/// Blocks within which a transaction should be in one, for the node's estimate of the fee rate.
	#[arg(long, value_name = "BLOCKS", default_value_t = 6,
		value_parser = clap::value_parser!(u16).range(1..=1008))]
	fee_target: u16,
	/// Fee rate in sats per virtual byte if the node has no estimate.
	#[arg(long, value_name = "X", default_value = "2")]
	fallback_fee_rate: Rate,
	/// The highest fee rate that is paid, in sats per virtual byte.
	#[arg(long, value_name = "X", default_value = "50")]
	max_fee_rate: Rate,
	/// The most that one transaction pays, in sats.
	#[arg(long, value_name = "SATS", default_value_t = DEFAULT_MAX_FEE)]
	max_fee: u64,
	/// Blocks that a transaction waits before it is replaced by one that pays more.
	#[arg(long, value_name = "BLOCKS", default_value_t = 12,
		value_parser = clap::value_parser!(u32).range(1..))]
	raise_after: u32,
}

/// What `anchor daily --json` prints.
#[derive(Serialize)]
struct Shown {
	sets: Vec<Standing>,
}

/// Anchors the batches that a gateway has settled, many in one transaction.
pub async fn run(args: DailyArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (fees, rpc) = (&args.fees, &args.rpc);
	let payer = if args.simulate {
		None
	} else {
		let node = rpc.open()?;
		let wallet = match &args.wallet_rpc {
			Some(url) => rpc.open_at(url)?,
			None => node.clone(),
		};
		Some(Payer { node, wallet })
	};
	if fees.fallback_fee_rate.0 > fees.max_fee_rate.0 {
		return Err(usage("--fallback-fee-rate is above --max-fee-rate"));
	}
	let settings = DailySettings {
		folder: args.folder,
		network: args.network,
		fees: FeePolicy {
			target: fees.fee_target,
			fallback: fees.fallback_fee_rate,
			limit: fees.max_fee_rate,
		},
		max_fee: fees.max_fee,
		change: args.change_address,
		raise_after: fees.raise_after,
	};
	let gateway = args.gateway.admin(&args.admin)?;
	let (daily, stop) =
		(Daily::open(settings, payer, gateway, Clock::system())?, stop::on_signals()?);
	match args.every {
		Some(seconds) => {
			let (every, look) = (Duration::from_secs(seconds), Duration::from_secs(args.look));
			daily.run(every, look, &stop).await?;
		},
		None => {
			let sets = daily.pass(Duration::ZERO, &stop).await?;
			out.result(&Shown { sets }, Shown::text)?;
		},
	}
	Ok(ExitCode::SUCCESS)
}

impl Shown {
	fn text(&self) -> String {
		let line = |set: &Standing| {
			let txid = set.txid.as_deref().map(|txid| format!(" in transaction {txid}"));
			let (number, batches, root) = (set.number, set.batches, &set.root);
			let (state, txid) = (set.state.as_str(), txid.unwrap_or_default());
			format!("set {number}, {batches} batches, root {root}: {state}{txid}\n  {}", set.record)
		};
		if self.sets.is_empty() {
			return "every settled batch is anchored".to_owned();
		}
		self.sets.iter().map(line).collect::<Vec<_>>().join("\n")
	}
}
