//! `gridproof anchor`.

use crate::output::Output;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use gridproof_anchor::{
	Fault, H256,
	bitcoin::{Transaction, Txid},
	commitment::{self, parse_root},
	evidence::{Evidence, Shown, read_branch, read_headers},
	gateway::{Gateway, Report},
	network::Network,
	ots, psbt,
	record::{BatchRef, Record, State},
	rpc::{Credentials, Rpc},
	sats, wallet, watch,
};
use gridproof_primitives::day::Day;
use serde::Serialize;
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
	time::Duration,
};
use zeroize::Zeroizing;

/// What `gridproof anchor` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Make the transaction that commits to a root: a PSBT for your wallet, or signed by one
	/// through its RPC.
	Create(Box<CreateArgs>),
	/// Send the signed transaction, after checking that it commits to the root.
	Broadcast(BroadcastArgs),
	/// Look where the transaction is, and keep that in the record.
	Status(StatusArgs),
	/// Check root, transaction, block and six headers; succeeds only for a confirmed anchor.
	Verify(Box<VerifyArgs>),
	/// Write an OpenTimestamps file, which other tools verify.
	Ots(Box<OtsArgs>),
	/// Energy and sats of a device's day, summed from the gateway's logs.
	Sats(SatsArgs),
}

/// Whose RPC is used.
#[derive(Args, Clone)]
pub struct RpcArgs {
	/// RPC of a Bitcoin node, such as http://127.0.0.1:8332.
	#[arg(long, value_name = "URL", env = "GRIDPROOF_BITCOIN_RPC")]
	rpc: Option<String>,
	/// File whose first line is user:password, such as bitcoind's .cookie. Without it the same is
	/// read from the variable GRIDPROOF_BITCOIN_RPC_CREDENTIALS.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_BITCOIN_RPC_AUTH")]
	rpc_auth: Option<PathBuf>,
}

/// The gateway that a root comes from.
#[derive(Args, Clone)]
pub struct ApiArgs {
	/// The gateway.
	#[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
	api: String,
	/// File whose first line is the gateway's admin key.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_ADMIN_KEY_FILE")]
	admin_key_file: Option<PathBuf>,
}

/// Arguments of `anchor create`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["root", "from_batch"]))]
#[command(group = clap::ArgGroup::new("how").required(true).args(["utxos", "wallet", "simulate"]))]
pub struct CreateArgs {
	/// The root: 64 hexadecimal digits.
	#[arg(long, value_name = "HEX", value_parser = parse_root)]
	root: Option<H256>,
	/// The gateway's batch whose root it is; the root is recomputed from its logs.
	#[arg(long, value_name = "ID")]
	from_batch: Option<String>,
	#[command(flatten)]
	api: ApiArgs,
	/// mainnet, testnet, testnet4, signet or regtest.
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
	#[arg(long, requires = "rpc")]
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
	/// File for the PSBT; else it is printed.
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
	/// File whose first line is the gateway's admin key.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_ADMIN_KEY_FILE")]
	admin_key_file: Option<PathBuf>,
	#[command(flatten)]
	rpc: RpcArgs,
}

/// Arguments of `anchor status`.
#[derive(Args)]
pub struct StatusArgs {
	/// The anchor's record.
	#[arg(long, value_name = "FILE")]
	record: PathBuf,
	/// Look again every so many seconds, until the anchor is confirmed.
	#[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
	watch: Option<u64>,
	/// File whose first line is the gateway's admin key.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_ADMIN_KEY_FILE")]
	admin_key_file: Option<PathBuf>,
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
	/// The gateway's batch whose root it is; the root is recomputed from its logs.
	#[arg(long, value_name = "ID", requires = "network")]
	from_batch: Option<String>,
	#[command(flatten)]
	api: ApiArgs,
	/// mainnet, testnet, testnet4, signet or regtest.
	#[arg(long)]
	network: Option<Network>,
	/// The transaction, to be asked from the node.
	#[arg(long, value_name = "TXID", requires = "rpc")]
	txid: Option<Txid>,
	/// The transaction's hexadecimal digits, instead of a node.
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
	/// While it is not confirmed: write a file that names this calendar instead.
	#[arg(long, value_name = "URL")]
	calendar: Option<String>,
	/// The file to write.
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
}

/// Arguments of `anchor sats`.
#[derive(Args)]
pub struct SatsArgs {
	/// The UTC day.
	#[arg(long)]
	day: Day,
	/// The device.
	#[arg(long, value_name = "ID")]
	device: String,
	/// The gateway.
	#[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
	api: String,
}

/// Runs one `gridproof anchor` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Create(args) => create(*args, out).await,
		Command::Broadcast(args) => broadcast(&args, out).await,
		Command::Status(args) => status(&args, out).await,
		Command::Verify(args) => verify(&args, out).await,
		Command::Ots(args) => write_ots(&args, out).await,
		Command::Sats(args) => show_sats(&args, out).await,
	}
}

impl RpcArgs {
	fn open(&self) -> anyhow::Result<Rpc> {
		self.open_at(self.rpc.as_deref().context("which node? Name its RPC with --rpc")?)
	}

	fn open_at(&self, url: &str) -> anyhow::Result<Rpc> {
		const VARIABLE: &str = "GRIDPROOF_BITCOIN_RPC_CREDENTIALS";
		let secret = match (&self.rpc_auth, std::env::var(VARIABLE)) {
			(Some(path), _) => Some(secret_of(path)?),
			(None, Ok(text)) => Some(Zeroizing::new(text)),
			(None, Err(_)) => None,
		};
		let credentials = secret.map(|text| text.parse::<Credentials>()).transpose()?;
		Ok(Rpc::new(url, credentials)?)
	}
}

fn secret_of(path: &Path) -> anyhow::Result<Zeroizing<String>> {
	let text = std::fs::read_to_string(path).map(Zeroizing::new);
	text.with_context(|| format!("cannot read {}", path.display()))
}

fn gateway(api: &str, key: Option<&Path>) -> anyhow::Result<Gateway> {
	let key = key.map(secret_of).transpose()?;
	let line = key.map(|text| text.lines().next().unwrap_or_default().trim().to_owned());
	Ok(Gateway::new(api, line)?)
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
	state: State,
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

async fn create(args: CreateArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (root, batch) = match (&args.root, &args.from_batch) {
		(Some(root), _) => (*root, None),
		(None, Some(id)) => {
			let gateway = gateway(&args.api.api, args.api.admin_key_file.as_deref())?;
			let batch = BatchRef { id: id.clone(), api: gateway.url().to_owned() };
			(gateway.root(id).await?, Some(batch))
		},
		(None, None) => bail!("which root? Name it with --root or --from-batch"),
	};
	let mut record = match args.simulate {
		true => Record::simulated(&root, args.network),
		false => Record::new(&root, args.network),
	};
	record.batch = batch;
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
	tell_gateway(&record, args.api.admin_key_file.as_deref()).await?;
	let mut shown = ShownRecord::new(&record)?;
	shown.fee_sats = fee;
	shown.psbt = unsigned.map(|psbt| psbt.to_string());
	out.result(&shown, ShownRecord::text)?;
	Ok(ExitCode::SUCCESS)
}

async fn make(args: &CreateArgs, root: &H256) -> anyhow::Result<wallet::Made> {
	if let Some(path) = &args.utxos {
		let change = args.change_address.as_deref().context("--change-address is needed")?;
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

/// Tells the gateway how the anchor of its batch stands; the record is on disk by then.
async fn tell_gateway(record: &Record, key: Option<&Path>) -> anyhow::Result<()> {
	let Some(batch) = &record.batch else { return Ok(()) };
	let told = gateway(&batch.api, key)?.report(&batch.id, &Report::from(record)).await;
	told.with_context(|| {
		format!("the record is saved, but the gateway at {} does not know of it", batch.api)
	})
}

async fn broadcast(args: &BroadcastArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let mut record = Record::load(&args.record)?;
	if record.state() == State::Simulated {
		return Err(Fault::Simulated.into());
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
	tell_gateway(&record, args.admin_key_file.as_deref()).await?;
	out.result(&ShownRecord::new(&record)?, ShownRecord::text)?;
	Ok(ExitCode::SUCCESS)
}

async fn status(args: &StatusArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let mut record = Record::load(&args.record)?;
	if record.state() != State::Simulated {
		let node = args.rpc.open()?;
		let spinner = out.spinner("waiting for six confirmations");
		loop {
			let before = record.clone();
			let looked = watch::refresh(&node, &mut record).await;
			match (looked, args.watch) {
				(Err(Fault::Unreachable { url, reason }), Some(_)) => {
					eprintln!("warning: {url} does not answer: {reason}; trying again");
				},
				(Err(fault), _) => return Err(fault.into()),
				(Ok(_), _) => (),
			}
			if record != before {
				record.save(&args.record)?;
				tell_gateway(&record, args.admin_key_file.as_deref()).await?;
			}
			match args.watch.filter(|_| record.state() != State::Confirmed) {
				Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
				None => break,
			}
		}
		spinner.finish_and_clear();
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
	if record.as_ref().is_some_and(|record| record.state() == State::Simulated) {
		return Err(Fault::Simulated.into());
	}
	let (root, network) = match (&record, args.root, &args.from_batch) {
		(Some(record), _, _) => (record.root()?, Some(record.network()?)),
		(None, Some(root), _) => (root, args.network),
		(None, None, Some(id)) => (
			gateway(&args.api.api, args.api.admin_key_file.as_deref())?.root(id).await?,
			args.network,
		),
		(None, None, None) => bail!("which root? Name it with --record, --root or --from-batch"),
	};
	let network = network.context("which network? Name it with --network")?;
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
	let txid = txid.context("which transaction? Name it with --txid")?;
	node.require(network).await?;
	let last = record.and_then(Record::block_hash);
	let known = record.and_then(Record::transaction);
	match watch::look(&node, &txid, last).await? {
		watch::Sighting::Unknown => Err(Fault::Unknown(txid.to_string()).into()),
		watch::Sighting::Waiting => Err(Fault::Unconfirmed(txid.to_string()).into()),
		watch::Sighting::InBlock { hash, .. } => {
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

async fn verify(args: &VerifyArgs, out: &Output) -> anyhow::Result<ExitCode> {
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
	Ok(if confirmed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What `anchor ots --json` prints.
#[derive(Serialize)]
struct Exported {
	out: String,
	digest: String,
	attested_by: String,
}

async fn write_ots(args: &OtsArgs, out: &Output) -> anyhow::Result<ExitCode> {
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
				_ if !shown.is_confirmed() => bail!(
					"{} of 6 confirmations: wait, or name a --calendar for a pending file",
					shown.confirmations
				),
				_ => {
					let height = height.context("at which height is the block? Say --height")?;
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
				(None, root) => root.context("a pending file needs --record or --root")?,
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
	matches!(error.downcast_ref(), Some(Fault::Unconfirmed(_) | Fault::Unknown(_)))
}

async fn show_sats(args: &SatsArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let gateway = Gateway::new(&args.api, None)?;
	let shown = sats::device_day(
		&gateway.device_logs(&args.device, args.day).await?,
		&args.device,
		args.day,
	)?;
	out.result(&shown, |shown| {
		let line = |name: &str, sum: &sats::Sum| {
			let rate = sum.sats_per_kwh.as_deref().unwrap_or("-");
			format!(
				"{name}: {} kWh, {} sats, {rate} sats/kWh, {} logs",
				sum.energy_kwh, sum.amount_sats, sum.logs
			)
		};
		let mut lines = vec![line(&format!("{} on {}", shown.device, shown.day), &shown.total)];
		lines.extend(shown.meters.iter().map(|(name, sum)| line(&format!("  {name}"), sum)));
		lines.join("\n")
	})?;
	Ok(ExitCode::SUCCESS)
}
