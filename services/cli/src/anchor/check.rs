//! `gridproof anchor status`, `verify` and `ots`.

use super::{RpcArgs, ShownRecord, open_record, read, read_text, report};
use crate::{
	args::{AdminKeyArgs, GatewayArgs},
	exit::{self, usage},
	output::Output,
};
use anyhow::Context;
use clap::Args;
use gridproof_anchor::{
	AnchorError, AnchorStatus, H256, Network, Record, Sighting, batch,
	bitcoin::{Transaction, Txid},
	commitment::{self, parse_root},
	evidence::{Evidence, Shown, read_branch, read_headers},
	ots, watch,
};
use gridproof_support::{FailureKind, stop};
use serde::Serialize;
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
	time::Duration,
};

/// Arguments of `anchor status`.
#[derive(Args)]
pub struct StatusArgs {
	/// The anchor's record.
	#[arg(long, value_name = "FILE")]
	record: PathBuf,
	/// Seconds between two looks, until the anchor is confirmed; without it, look once.
	#[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
	watch: Option<u64>,
	#[command(flatten)]
	admin: AdminKeyArgs,
	#[command(flatten)]
	rpc: RpcArgs,
}

/// What an anchor is of, and what proves it.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["record", "root", "from_batch"]))]
pub struct VerifyArgs {
	/// The anchor's record.
	#[arg(long, value_name = "FILE", conflicts_with_all = ["network", "txid"])]
	record: Option<PathBuf>,
	/// The root: 64 hexadecimal digits.
	#[arg(long, value_name = "HEX", value_parser = parse_root, requires = "network")]
	root: Option<H256>,
	/// The gateway's batch whose root it is; the root is recomputed from its readings.
	#[arg(long, value_name = "ID", requires = "network")]
	from_batch: Option<String>,
	#[command(flatten)]
	gateway: GatewayArgs,
	/// The Bitcoin network: mainnet, testnet, testnet4, signet or regtest.
	#[arg(long)]
	network: Option<Network>,
	/// The transaction, which the node is asked for.
	#[arg(long, value_name = "TXID", requires = "rpc")]
	txid: Option<Txid>,
	/// The transaction's hexadecimal digits, in place of a node.
	#[arg(long, value_name = "FILE", requires = "proof", requires = "headers")]
	tx: Option<PathBuf>,
	/// What gettxoutproof gives for the transaction, or its whole block, in hexadecimal digits.
	#[arg(long, value_name = "FILE", requires = "tx")]
	proof: Option<PathBuf>,
	/// Headers from the transaction's block on, 160 hexadecimal digits each.
	#[arg(long, value_name = "FILE", requires = "tx")]
	headers: Option<PathBuf>,
	#[command(flatten)]
	rpc: RpcArgs,
}

/// Arguments of `anchor ots`.
#[derive(Args)]
pub struct OtsArgs {
	#[command(flatten)]
	anchor: VerifyArgs,
	/// The block's height, if no node is asked.
	#[arg(long, value_name = "N")]
	height: Option<u32>,
	/// While it is not confirmed: calendar that a pending file names.
	#[arg(long, value_name = "URL")]
	calendar: Option<String>,
	/// The file to write.
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
}

/// Looks where the transaction is.
pub async fn status(args: &StatusArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (mut record, _alone) = open_record(&args.record)?;
	if record.state() != AnchorStatus::Simulated {
		let node = args.rpc.open()?;
		let changed = async |record: &Record| {
			record.save(&args.record)?;
			report(record, &args.admin).await
		};
		let spinner = out.spinner("waiting for six confirmations");
		let done = match args.watch {
			None => {
				let before = record.clone();
				watch::refresh(&node, &mut record).await?;
				if record == before { Ok(()) } else { changed(&record).await }
			},
			Some(seconds) => {
				let (every, stop) = (Duration::from_secs(seconds), stop::on_signals()?);
				watch::follow(&node, &mut record, every, &stop, changed).await
			},
		};
		spinner.finish_and_clear();
		done?;
	}
	out.result(&ShownRecord::new(&record)?, ShownRecord::text)?;
	Ok(ExitCode::SUCCESS)
}

/// A root with what proves its anchor.
struct Case {
	root: H256,
	network: Network,
	evidence: Evidence,
}

async fn gather(args: &VerifyArgs) -> anyhow::Result<Case> {
	let record = args.record.as_deref().map(Record::load).transpose()?;
	if record.as_ref().is_some_and(|record| record.state() == AnchorStatus::Simulated) {
		return Err(AnchorError::Simulated.into());
	}
	let (root, network) = match (&record, args.root, &args.from_batch) {
		(Some(record), _, _) => (record.root()?, Some(record.network()?)),
		(None, Some(root), _) => (root, args.network),
		(None, None, Some(id)) => (batch::root(&args.gateway.client()?, id).await?, args.network),
		(None, None, None) => {
			return Err(usage("which root? Name it with --record, --root or --from-batch"));
		},
	};
	let network = network.ok_or_else(|| usage("which network? Name it with --network"))?;
	let evidence = match (&args.tx, &args.proof, &args.headers) {
		(Some(tx), Some(proof), Some(headers)) => from_files(tx, proof, headers)?,
		_ => from_node(args, record.as_ref(), network).await?,
	};
	Ok(Case { root, network, evidence })
}

fn from_files(tx: &Path, proof: &Path, headers: &Path) -> anyhow::Result<Evidence> {
	let transaction: Transaction =
		commitment::read_transaction(&read(tx)?).with_context(|| tx.display().to_string())?;
	let (branch, header) = read_branch(&read_text(proof)?, &transaction.compute_txid())
		.with_context(|| proof.display().to_string())?;
	let headers =
		read_headers(&read_text(headers)?).with_context(|| headers.display().to_string())?;
	// The proof brings its own header: it has to be the first of the others.
	let headers = match headers.first() {
		Some(first) if *first == header => headers,
		_ => [vec![header], headers].concat(),
	};
	Ok(Evidence { transaction, branch, headers, height: None })
}

async fn from_node(
	args: &VerifyArgs,
	record: Option<&Record>,
	network: Network,
) -> anyhow::Result<Evidence> {
	let node = args.rpc.open()?;
	let txid = args.txid.or_else(|| record.and_then(Record::txid));
	let txid = txid.ok_or_else(|| usage("which transaction? Name it with --txid"))?;
	node.require(network).await?;
	let last = record.and_then(Record::block_hash);
	let known = record.and_then(Record::transaction);
	match watch::look(&node, &txid, last).await? {
		Sighting::Unknown => Err(AnchorError::Unknown(txid.to_string()).into()),
		Sighting::Waiting => Err(AnchorError::Unconfirmed(txid.to_string()).into()),
		Sighting::InBlock { hash, .. } => {
			Ok(watch::evidence(&node, &txid, &hash, known.as_ref()).await?)
		},
	}
}

/// What `anchor verify --json` prints.
#[derive(Serialize)]
struct Verified {
	confirmed: bool,
	root: String,
	network: &'static str,
	#[serde(flatten)]
	shown: Shown,
}

/// Checks an anchor; succeeds for a confirmed one.
pub async fn verify(args: &VerifyArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let Case { root, network, evidence } = gather(args).await?;
	let shown = evidence.check(&root, network)?;
	let (root, confirmed) = (commitment::root_text(&root), shown.is_confirmed());
	let verified = Verified { confirmed, root, network: network.as_str(), shown };
	out.result(&verified, |verified| {
		let Verified { root, network, shown, .. } = verified;
		let height = shown.block_height.map(|height| format!("{height} ")).unwrap_or_default();
		let verdict = match (confirmed, shown.confirmations) {
			(true, _) => "confirmed: six headers or more".to_owned(),
			(false, 1) => "not confirmed: 1 header of 6".to_owned(),
			(false, count) => format!("not confirmed: {count} headers of 6"),
		};
		format!(
			"root {root}\nin output {} of transaction {}\nin block {height}{} on {network}\n{verdict}",
			shown.output, shown.txid, shown.block_hash
		)
	})?;
	// More headers may come: the answer is not final.
	Ok(if confirmed { ExitCode::SUCCESS } else { exit::code(FailureKind::Unreachable) })
}

/// What `anchor ots --json` prints.
#[derive(Serialize)]
struct Exported {
	out: String,
	digest: String,
	attested_by: String,
}

/// Writes an OpenTimestamps file.
pub async fn write_ots(args: &OtsArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let case = match (gather(&args.anchor).await, &args.calendar) {
		(Ok(case), _) => Some(case),
		(Err(error), Some(_)) if is_unconfirmed(&error) => None,
		(Err(error), _) => return Err(error),
	};
	let (root, bytes, attested_by) = match (case, &args.calendar) {
		(Some(Case { root, network, evidence }), calendar) => {
			let shown = evidence.check(&root, network)?;
			let height = shown.block_height.or(args.height);
			match calendar {
				Some(calendar) if !shown.is_confirmed() => {
					(root, ots::pending(&root, calendar)?, calendar.clone())
				},
				_ if !shown.is_confirmed() => {
					let so_far = shown.confirmations;
					let advice = "wait, or name a --calendar for a pending file";
					return Err(usage(format!("{so_far} of 6 confirmations: {advice}")));
				},
				_ => {
					let height = height
						.ok_or_else(|| usage("at which height is the block? Say --height"))?;
					let Evidence { transaction, branch, .. } = &evidence;
					let bytes = ots::confirmed(&root, transaction, branch, height)?;
					(root, bytes, format!("block {height} of {network}"))
				},
			}
		},
		(None, calendar) => {
			let calendar = calendar.clone().unwrap_or_default();
			let root = match (&args.anchor.record, args.anchor.root) {
				(Some(path), _) => Record::load(path)?.root()?,
				(None, root) => {
					root.ok_or_else(|| usage("a pending file needs --record or --root"))?
				},
			};
			(root, ots::pending(&root, &calendar)?, calendar)
		},
	};
	std::fs::write(&args.out, bytes)
		.with_context(|| format!("cannot write {}", args.out.display()))?;
	let digest = commitment::root_text(&root);
	let exported = Exported { out: args.out.display().to_string(), digest, attested_by };
	out.result(&exported, |exported| {
		let Exported { out, digest, attested_by } = exported;
		format!("{out}: digest {digest}, attested by {attested_by}")
	})?;
	Ok(ExitCode::SUCCESS)
}

fn is_unconfirmed(error: &anyhow::Error) -> bool {
	matches!(error.downcast_ref(), Some(AnchorError::Unconfirmed(_) | AnchorError::Unknown(_)))
}
