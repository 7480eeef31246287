//! `gridproof proof`.

use crate::output::Output;
use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use gridproof_chain::Chain;
use gridproof_primitives::{
	H256,
	emlog::{EnergyLog, MAX_LOG_BYTES},
	hexadecimal,
	json::{self, Limits, Value},
	merkle::{
		RootBuilder,
		document::{DocumentFault, ProofDocument, Scheme},
		leaf_hash,
	},
	meter::{BatchRecord, ReadingQuery, ReadingRefusal},
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
	/// Compute the RFC 6962 root of a file of logs.
	Root(RootArgs),
	/// Prove that a log is in the batch of all logs of a file.
	Create(CreateArgs),
	/// Check a proof: the document of the gateway's API, of the older gateway, or of `create`.
	Verify(VerifyArgs),
}

/// The logs.
#[derive(Args)]
pub struct LogsArgs {
	/// One JSON log a line, in the batch's order; - is standard input. Blank lines do not count.
	#[arg(long, value_name = "FILE")]
	logs: PathBuf,
	/// Take any JSON object for a log, not only valid emlog-1.1.
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
	/// Which log, from 0.
	#[arg(long, value_name = "I")]
	index: u64,
	/// Leave the log itself out of the document.
	#[arg(long)]
	without_log: bool,
}

/// Arguments of `proof verify`.
#[derive(Args)]
pub struct VerifyArgs {
	/// The proof document; - is standard input.
	#[arg(value_name = "FILE")]
	file: PathBuf,
	/// rfc6962 or legacy. Without it, what the document states; one that states neither a scheme
	/// nor a tree_size is of the older gateway.
	#[arg(long, value_name = "SCHEME", value_parser = scheme)]
	scheme: Option<Scheme>,
	/// How many logs the batch has, if the document does not say.
	#[arg(long, value_name = "N")]
	tree_size: Option<u64>,
	/// The root that the proof has to lead to: 64 hexadecimal digits. Without it, the one that the
	/// document states.
	#[arg(long, value_name = "HEX", value_parser = root_hash)]
	root: Option<H256>,
	/// Ask this node, too, whether the batch is on chain and has this root.
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
	text.parse().map_err(|unknown: gridproof_primitives::merkle::document::UnknownScheme| {
		unknown.to_string()
	})
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
	/// Hands every log to `take`: its leaf hash and its canonical form.
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
				let log = self.log(text).with_context(|| format!("{name}, line {number}"))?;
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
		anyhow::anyhow!("{} has no log: write one JSON log a line", self.logs.display())
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
		bail!("{name} has {count} logs: the index is one of 0 to {}", count.saturating_sub(1));
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
	/// Was the log in the document, and is it the leaf?
	log_checked: bool,
	/// Does the chain have a batch with this root and size? Null if it was not asked.
	on_chain: Option<bool>,
	/// The fault's name.
	error: Option<&'static str>,
	/// The fault in words.
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
		let what = match self.log_checked {
			true => "the log in the document",
			false => "the leaf hash in the document, which carries no log,",
		};
		let mut text = format!("ok: {what} is leaf {index}{size} under {root} ({scheme})");
		if scheme == Scheme::Legacy {
			text.push_str("\nthe older scheme shows neither how many logs the batch has nor that");
			text.push_str(" the leaf is a log");
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
	let code = if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE };
	out.result(&report, Report::text)?;
	Ok(code)
}

async fn check(args: &VerifyArgs, mut proof: ProofDocument) -> anyhow::Result<Report> {
	if let (Some(stated), Some(given)) = (proof.tree_size, args.tree_size) {
		ensure!(stated == given, "the document states a tree_size of {stated}, not {given}");
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
	match &args.url {
		Some(url) if report.ok => ask_chain(url, args, &proof, &mut report).await?,
		_ => {},
	}
	Ok(report)
}

/// What the command line can do about a fault.
fn advice(fault: &DocumentFault) -> String {
	match fault {
		DocumentFault::NoTreeSize => format!("{fault}, with --tree-size"),
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
	ensure!(
		report.scheme == Some(Scheme::Rfc6962),
		"the chain has no batches of the older scheme: check this proof without --url"
	);
	let meter = args.meter.or(proof.meter);
	let sequence = args.sequence.or(proof.sequence);
	let (Some(meter), Some(sequence)) = (meter, sequence) else {
		bail!("which batch? Name it with --meter and --sequence");
	};
	let chain = Chain::connect(url).await?;
	let asked = ReadingQuery::batch(meter, sequence);
	let batch: Option<BatchRecord> = chain.call(ReadingQuery::BATCH, &asked).await?;
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

/// What the chain itself says about the log; `None` if the document has none.
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
	let query = ReadingQuery {
		meter,
		sequence,
		leaf: leaf.into_bytes(),
		index: u32::try_from(proof.index)?,
		proof: proof.hashes(),
	};
	Ok(Some(chain.call(ReadingQuery::VERIFY, &query.arguments()).await?))
}
