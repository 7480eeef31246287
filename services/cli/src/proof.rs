//! `gridproof proof`.

use crate::{
	exit::{usage, verdict},
	output::Output,
};
use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use gridproof_chain::{Chain, pallets::meter_readings::query};
use gridproof_primitives::{
	H256,
	codec::hexadecimal,
	codec::json::{self, Limits, Value},
	crypto::merkle::{
		RootBuilder,
		document::{ProofDocument, ProofDocumentError, Scheme},
		leaf_hash,
	},
	energy::emlog::{EnergyLog, MAX_LOG_BYTES},
	energy::{BatchRecord, ReadingRefusal},
};
use serde::Serialize;
use std::{
	fs::File,
	io::{self, BufRead, BufReader, Read},
	path::{Path, PathBuf},
	process::ExitCode,
};

/// Bytes of a line that is no emlog.
const MAX_RAW_BYTES: usize = Limits::DEFAULT.max_bytes;
/// Bytes of a proof document.
const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

/// What `gridproof proof` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Compute the RFC 6962 root of a file of readings.
	Root(RootArgs),
	/// Prove that a reading is in the batch of all readings of a file.
	Create(CreateArgs),
	/// Check a proof: the document of the gateway's API, of the older gateway, or of create.
	Verify(VerifyArgs),
}

/// The readings.
#[derive(Args)]
pub struct LogsArgs {
	/// File with a reading in JSON on each line, in the batch's order; - is standard input. Blank
	/// lines do not count.
	#[arg(long, alias = "readings", value_name = "FILE")]
	logs: PathBuf,
	/// Accept any JSON object as a reading, not only valid emlog-1.1.
	#[arg(long)]
	raw: bool,
}

/// Arguments of `proof root`.
#[derive(Args)]
pub struct RootArgs {
	#[command(flatten)]
	logs: LogsArgs,
}

/// Arguments of `proof create`.
#[derive(Args)]
pub struct CreateArgs {
	#[command(flatten)]
	logs: LogsArgs,
	/// Place of the reading, from 0.
	#[arg(long, value_name = "N")]
	index: u64,
	/// Leave the reading itself out of the document.
	#[arg(long)]
	without_log: bool,
}

/// Arguments of `proof verify`.
#[derive(Args)]
pub struct VerifyArgs {
	/// The proof document; - is standard input.
	#[arg(value_name = "FILE")]
	file: PathBuf,
	/// rfc6962 or legacy. Without it, the scheme that the document states; one that states neither a
	/// scheme nor a tree_size is of the older gateway.
	#[arg(long, value_name = "SCHEME", value_parser = scheme)]
	scheme: Option<Scheme>,
	/// Number of readings of the batch, if the document does not say.
	#[arg(long, value_name = "N")]
	tree_size: Option<u64>,
	/// Root that the proof has to lead to: 64 hexadecimal digits. Without it, the root that the
	/// document states.
	#[arg(long, value_name = "HEX", value_parser = root_hash)]
	root: Option<H256>,
	/// Root in a Bitcoin transaction that the proof has to lead to, for a batch that is anchored
	/// together with others: 64 hexadecimal digits. That the transaction has it, anchor verify --root
	/// checks.
	#[arg(long, value_name = "HEX", value_parser = root_hash)]
	anchored_root: Option<H256>,
	/// RPC address of a node that is asked as well whether the batch is on chain and has this root;
	/// without it, no node is asked.
	#[arg(long, value_name = "WS")]
	url: Option<String>,
	/// The meter's index on chain, if the document does not say.
	#[arg(long, value_name = "N", requires = "url")]
	meter: Option<u32>,
	/// The batch's sequence number on chain, if the document does not say.
	#[arg(long, value_name = "N", requires = "url")]
	sequence: Option<u64>,
}

fn scheme(text: &str) -> Result<Scheme, String> {
	text.parse().map_err(
		|unknown: gridproof_primitives::crypto::merkle::document::UnknownScheme| {
			unknown.to_string()
		},
	)
}

fn root_hash(text: &str) -> Result<H256, String> {
	hexadecimal::decode_hash(text).ok_or_else(|| "write 64 hexadecimal digits".to_string())
}

/// Runs one `gridproof proof` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Root(args) => root(&args, out),
		Command::Create(args) => create(&args, out),
		Command::Verify(args) => verify(&args, out).await,
	}
}

/// A file, or standard input if it is called `-`.
fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
	if path == Path::new("-") {
		return Ok(Box::new(io::stdin()));
	}
	let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
	Ok(Box::new(file))
}

impl LogsArgs {
	/// Hands every reading to `take`: its leaf hash and its canonical form.
	fn each(&self, mut take: impl FnMut(H256, String)) -> anyhow::Result<()> {
		let name = self.logs.display();
		let mut reader = BufReader::new(open(&self.logs)?);
		let mut line = Vec::new();
		for number in 1u64.. {
			line.clear();
			// One byte more than a line may have, so that a longer one shows.
			let longest = u64::try_from(MAX_RAW_BYTES + 1)?;
			let read = reader.by_ref().take(longest).read_until(b'\n', &mut line);
			if read.with_context(|| format!("cannot read {name}"))? == 0 {
				break;
			}
			let text = line.trim_ascii();
			if !text.is_empty() {
				let log = self
					.log(text)
					.map_err(|error| usage(format!("{name}, line {number}: {error:#}")))?;
				take(leaf_hash(log.as_bytes()), log);
			}
		}
		Ok(())
	}

	/// The canonical form of one line.
	fn log(&self, line: &[u8]) -> anyhow::Result<String> {
		ensure!(line.len() <= MAX_RAW_BYTES, "longer than {MAX_RAW_BYTES} bytes");
		if !self.raw {
			return Ok(EnergyLog::parse(line)?.canonical().to_string());
		}
		let value = json::parse(line, Limits::DEFAULT).context("malformed JSON")?;
		ensure!(value.as_object().is_some(), "not a JSON object");
		Ok(value.to_canonical())
	}

	fn none(&self) -> anyhow::Error {
		let name = self.logs.display();
		usage(format!("{name} has no log: write one JSON log on each line"))
	}
}

#[derive(Serialize)]
struct Root {
	root: String,
	count: u64,
	scheme: Scheme,
}

fn root(args: &RootArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let mut tree = RootBuilder::new();
	args.logs.each(|leaf, _| tree.push_hash(leaf))?;
	if tree.is_empty() {
		return Err(args.logs.none());
	}
	let root = hexadecimal::encode(&tree.root().0);
	let root = Root { root, count: tree.len(), scheme: Scheme::Rfc6962 };
	out.result(&root, |Root { root, count, scheme }| {
		format!("root    {root}\ncount   {count}\nscheme  {scheme}")
	})?;
	Ok(ExitCode::SUCCESS)
}

fn create(args: &CreateArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (mut leaves, mut wanted) = (Vec::new(), None);
	args.logs.each(|leaf, log| {
		if u64::try_from(leaves.len()).is_ok_and(|at| at == args.index) {
			wanted = Some(log);
		}
		leaves.push(leaf);
	})?;
	if leaves.is_empty() {
		return Err(args.logs.none());
	}
	let proof = usize::try_from(args.index).ok().and_then(|at| ProofDocument::of(&leaves, at));
	let (Some(mut proof), Some(log)) = (proof, wanted) else {
		let (name, count) = (args.logs.logs.display(), leaves.len());
		let last = count.saturating_sub(1);
		return Err(usage(format!("{name} has {count} logs: the index is one of 0 to {last}")));
	};
	if !args.without_log {
		// As it was written, not as JSON libraries would write its numbers.
		proof.log = Some(json::parse(log.as_bytes(), Limits::DEFAULT)?);
	}
	out.document(&proof.to_value())?;
	Ok(ExitCode::SUCCESS)
}

/// What a check has shown.
#[derive(Serialize, Default)]
struct Report {
	ok: bool,
	scheme: Option<Scheme>,
	leaf_hash: Option<String>,
	merkle_root: Option<String>,
	index: Option<u64>,
	tree_size: Option<u64>,
	/// `true` if the log was in the document and is the leaf.
	log_checked: bool,
	/// Root in a Bitcoin transaction that the batch's root leads to; missing if the document has no way
	/// there.
	#[serde(skip_serializing_if = "Option::is_none")]
	anchored_root: Option<String>,
	/// The transaction that the document names for it; not looked at here.
	#[serde(skip_serializing_if = "Option::is_none")]
	anchor_txid: Option<String>,
	/// `true` if the chain has a batch with this root and size; null if it was not asked.
	on_chain: Option<bool>,
	/// The mistake's name.
	error: Option<&'static str>,
	/// The mistake in words.
	reason: Option<String>,
}

impl Report {
	fn of(proof: &ProofDocument) -> Self {
		Self {
			leaf_hash: Some(hexadecimal::encode(&proof.leaf_hash.0)),
			merkle_root: Some(hexadecimal::encode(&proof.merkle_root.0)),
			index: Some(proof.index),
			tree_size: proof.tree_size,
			..Self::default()
		}
	}

	fn refuse(&mut self, error: &'static str, reason: impl ToString) {
		self.ok = false;
		self.error = Some(error);
		self.reason = Some(reason.to_string());
	}

	fn text(&self) -> String {
		let (Some(root), Some(index), Some(scheme), true) =
			(&self.merkle_root, self.index, self.scheme, self.ok)
		else {
			return format!("not proven: {}", self.reason.as_deref().unwrap_or("no proof"));
		};
		let size = self.tree_size.map(|size| format!(" of {size}")).unwrap_or_default();
		let what = if self.log_checked {
			"the log in the document"
		} else {
			"the leaf hash in the document, which carries no log,"
		};
		let mut text = format!("ok: {what} is leaf {index}{size} under {root} ({scheme})");
		if scheme == Scheme::Legacy {
			text.push_str("\nthe older scheme shows neither how many logs the batch has nor that");
			text.push_str(" the leaf is a log");
		}
		if let Some(anchored) = &self.anchored_root {
			text.push_str(&format!("\nthe batch's root leads to the anchored root {anchored}"));
			let txid = self.anchor_txid.as_deref().unwrap_or("TXID");
			text.push_str(&format!(
				"\nnext: gridproof anchor verify --root {anchored} --txid {txid} --network NAME --rpc URL"
			));
		}
		if self.on_chain == Some(true) {
			text.push_str("\nthe chain has the batch, with this root and as many readings");
		}
		text
	}
}

async fn verify(args: &VerifyArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let mut bytes = Vec::new();
	let reader = open(&args.file)?;
	let read = reader.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes);
	read.with_context(|| format!("cannot read {}", args.file.display()))?;
	let report = match ProofDocument::parse(&bytes) {
		Ok(proof) => check(args, proof).await?,
		Err(fault) => {
			let mut report = Report::default();
			report.refuse(fault.as_str(), fault);
			report
		},
	};
	out.result(&report, Report::text)?;
	Ok(verdict(report.ok))
}

async fn check(args: &VerifyArgs, mut proof: ProofDocument) -> anyhow::Result<Report> {
	if let (Some(stated), Some(given)) = (proof.tree_size, args.tree_size)
		&& stated != given
	{
		return Err(usage(format!("the document states a tree_size of {stated}, not {given}")));
	}
	proof.tree_size = proof.tree_size.or(args.tree_size);
	let mut report = Report::of(&proof);
	report.scheme = proof.scheme(args.scheme).ok();
	match proof.verify(args.scheme) {
		Ok(checked) => (report.ok, report.log_checked) = (true, checked.log_checked),
		Err(fault) => report.refuse(fault.as_str(), advice(&fault)),
	}
	if report.ok && args.root.is_some_and(|root| root != proof.merkle_root) {
		report.refuse("other_root", "the document proves another root than the one asked for");
	}
	if report.ok {
		let path = proof.anchor_path.as_ref();
		report.anchored_root = path.map(|path| hexadecimal::encode(&path.root.0));
		let txid = path.and_then(|path| path.txid);
		report.anchor_txid = txid.map(|txid| hexadecimal::encode(&txid.0));
		if args.anchored_root.is_some_and(|root| path.is_none_or(|path| path.root != root)) {
			let reason = "the document does not lead to the anchored root asked for";
			report.refuse("other_anchored_root", reason);
		}
	}
	match &args.url {
		Some(url) if report.ok => ask_chain(url, args, &proof, &mut report).await?,
		_ => {},
	}
	Ok(report)
}

/// Returns a mistake with what the command line can do about it.
fn advice(fault: &ProofDocumentError) -> String {
	match fault {
		ProofDocumentError::NoTreeSize => format!("{fault}, with --tree-size"),
		fault => fault.to_string(),
	}
}

/// Compares with what the chain has, and lets it check the log if there is one.
async fn ask_chain(
	url: &str,
	args: &VerifyArgs,
	proof: &ProofDocument,
	report: &mut Report,
) -> anyhow::Result<()> {
	if report.scheme != Some(Scheme::Rfc6962) {
		let none = "the chain has no batches of the older scheme";
		return Err(usage(format!("{none}: check this proof without --url")));
	}
	let meter = args.meter.or(proof.meter);
	let sequence = args.sequence.or(proof.sequence);
	let (Some(meter), Some(sequence)) = (meter, sequence) else {
		return Err(usage("which batch? Name it with --meter and --sequence"));
	};
	let chain = Chain::connect(url).await?;
	let batch = chain.read(&query::batch(meter, sequence)).await?;
	report.on_chain = Some(false);
	let Some(BatchRecord { header, .. }) = batch else {
		let refusal = ReadingRefusal::UnknownBatch;
		report.refuse(refusal.as_str(), refusal);
		return Ok(());
	};
	if header.root != proof.merkle_root || proof.tree_size != Some(header.readings.into()) {
		report.refuse("other_batch", "the batch on chain has another root or number of readings");
		return Ok(());
	}
	if let Some(Err(refusal)) = verify_on_chain(&chain, meter, sequence, proof).await? {
		report.refuse(refusal.as_str(), refusal);
		return Ok(());
	}
	report.on_chain = Some(true);
	Ok(())
}

/// Returns the chain's own answer about the log; `None` if the document has none.
async fn verify_on_chain(
	chain: &Chain,
	meter: u32,
	sequence: u64,
	proof: &ProofDocument,
) -> anyhow::Result<Option<Result<(), ReadingRefusal>>> {
	let Some(leaf) = proof.log.as_ref().map(Value::to_canonical) else { return Ok(None) };
	if leaf.len() > MAX_LOG_BYTES {
		return Ok(None);
	}
	let (index, hashes) = (u32::try_from(proof.index)?, proof.hashes());
	let query = query::verify_reading((meter, sequence), leaf.as_bytes(), index, &hashes);
	Ok(Some(chain.read(&query).await?))
}
