//! `gridproof anchor`.

mod chain;
mod check;
mod daily;
mod make;
mod sats;

use crate::{
	args::{AdminKeyArgs, keys::secret_line},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_anchor::{AnchorStatus, Credentials, Held, Record, Rpc, commitment, lock};
use gridproof_gateway_api::Client;
use serde::Serialize;
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
};
use zeroize::Zeroizing;

/// What `gridproof anchor` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Make the transaction that commits to a root: a PSBT for your wallet, or signed by one
	/// through its RPC.
	Create(Box<make::CreateArgs>),
	/// Anchor all batches that a gateway has settled, many in one transaction: once, or again and again
	/// until it is stopped.
	Daily(Box<daily::DailyArgs>),
	/// Send the signed transaction, after checking that it commits to the root.
	Broadcast(make::BroadcastArgs),
	/// Ask a node where the transaction is, and keep the answer in the record.
	Status(check::StatusArgs),
	/// Check root, transaction, block and six headers; succeeds only for a confirmed anchor.
	Verify(Box<check::VerifyArgs>),
	/// Write an OpenTimestamps file, which other tools verify.
	Ots(Box<check::OtsArgs>),
	/// Show energy and sats of a device's day, summed from the gateway's readings.
	Sats(sats::SatsArgs),
	/// Submit the state of an anchor to the chain, from an account that governance has appointed.
	Record(Box<chain::RecordArgs>),
}

/// Which Bitcoin node is asked.
#[derive(Args, Clone)]
pub struct RpcArgs {
	/// RPC of a Bitcoin node, such as http://127.0.0.1:8332.
	#[arg(long, value_name = "URL", env = "GRIDPROOF_BITCOIN_RPC")]
	rpc: Option<String>,
	/// File, mode 0600, whose first line is user:password, such as bitcoind's .cookie. Without it,
	/// the same is read from the variable GRIDPROOF_BITCOIN_RPC_CREDENTIALS.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_BITCOIN_RPC_AUTH")]
	rpc_auth: Option<PathBuf>,
	/// Send user and password to a node on another machine although its address is http://: everybody
	/// on the way reads them.
	#[arg(long)]
	rpc_in_the_clear: bool,
}

/// Runs one `gridproof anchor` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Create(args) => make::create(*args, out).await,
		Command::Daily(args) => daily::run(*args, out).await,
		Command::Broadcast(args) => make::broadcast(&args, out).await,
		Command::Status(args) => check::status(&args, out).await,
		Command::Verify(args) => check::verify(&args, out).await,
		Command::Ots(args) => check::write_ots(&args, out).await,
		Command::Sats(args) => sats::show(&args, out).await,
		Command::Record(args) => chain::record(&args, out).await,
	}
}

impl RpcArgs {
	fn open(&self) -> anyhow::Result<Rpc> {
		let url = self.rpc.as_deref();
		self.open_at(url.ok_or_else(|| usage("which node? Name its RPC with --rpc"))?)
	}

	fn open_at(&self, url: &str) -> anyhow::Result<Rpc> {
		const VARIABLE: &str = "GRIDPROOF_BITCOIN_RPC_CREDENTIALS";
		let secret = match (&self.rpc_auth, std::env::var(VARIABLE)) {
			(Some(path), _) => Some(secret_line(path)?),
			(None, Ok(text)) => Some(Zeroizing::new(text)),
			(None, Err(_)) => None,
		};
		let credentials = secret.map(|text| text.parse::<Credentials>()).transpose()?;
		let open = if self.rpc_in_the_clear { Rpc::in_the_clear } else { Rpc::new };
		Ok(open(url, credentials)?)
	}
}

/// A record that is there, for a change that nobody else makes meanwhile.
fn open_record(path: &Path) -> anyhow::Result<(Record, Held)> {
	// First, so that no lock is left beside what is not there.
	Record::load(path)?;
	let alone = lock(path)?;
	Ok((Record::load(path)?, alone))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
	std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn read_text(path: &Path) -> anyhow::Result<String> {
	std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// An anchor as it is printed.
#[derive(Serialize)]
struct ShownRecord {
	root: String,
	network: &'static str,
	state: AnchorStatus,
	confirmations: u32,
	txid: Option<String>,
	block_hash: Option<String>,
	block_height: Option<u32>,
	batch: Option<String>,
	#[serde(skip_serializing_if = "Option::is_none")]
	fee_sats: Option<u64>,
	#[serde(skip_serializing_if = "Option::is_none")]
	psbt: Option<String>,
}

impl ShownRecord {
	fn new(record: &Record) -> anyhow::Result<Self> {
		let block = record.block();
		Ok(Self {
			root: commitment::root_text(&record.root()?),
			network: record.network()?.as_str(),
			state: record.state(),
			confirmations: record.confirmations(),
			txid: record.txid().map(|txid| txid.to_string()),
			block_hash: block.map(|block| block.hash.clone()),
			block_height: block.map(|block| block.height),
			batch: record.batch.as_ref().map(|batch| batch.id.clone()),
			fee_sats: None,
			psbt: None,
		})
	}

	fn text(&self) -> String {
		let mut lines =
			vec![format!("root {} on {}: {}", self.root, self.network, self.state.as_str())];
		lines.extend(self.txid.as_ref().map(|txid| format!("transaction {txid}")));
		if let (Some(hash), Some(height)) = (&self.block_hash, self.block_height) {
			lines.push(format!("block {height} {hash}, {} confirmations", self.confirmations));
		}
		lines.extend(self.fee_sats.map(|fee| format!("fee {fee} sats")));
		if let Some(psbt) = &self.psbt {
			lines.push("sign and finalize this PSBT, then: gridproof anchor broadcast".to_owned());
			lines.push(psbt.clone());
		}
		lines.join("\n")
	}
}

/// Reports the anchor of a batch to its gateway; the record is on disk by then.
async fn report(record: &Record, key: &AdminKeyArgs) -> anyhow::Result<()> {
	let Some(batch) = &record.batch else { return Ok(()) };
	let gateway = Client::new(&batch.api, key.load()?)?;
	let reported = gateway.anchor(&batch.id, &record.update()).await;
	reported.map(drop).with_context(|| {
		format!("the record is saved, but the gateway at {} does not know of it", batch.api)
	})
}
