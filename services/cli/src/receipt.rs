//! `gridproof receipt`.

use crate::{
	args::{CoordinatorArgs, UrlArgs, amount::Unit},
	exit::{code, usage},
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_chain::{
	Chain, ChainError, H256,
	pallets::{
		compute_checks::query::{MAX_REPORTS, reports},
		compute_receipts::query,
		model_registry,
	},
};
use gridproof_compute_api::{
	ChainView, ChannelClient, NotProven, Proven, ReceiptDocument,
	protocol::{CheckInfo, FiguresInfo, IssuedReceipt},
};
use gridproof_primitives::compute::{
	channels::{Mode, ReceiptV2, VoucherId},
	checks::{BatchId, CheckView},
};
use gridproof_support::{
	Classified,
	text::{Amount, Hex32},
};
use serde::Serialize;
use std::{fs, path::PathBuf, process::ExitCode};

/// What `gridproof receipt` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Show what a receipt of a channel says, and by whose signatures. The batch that settles it is
	/// checked, the chain is not asked for it.
	Show(ReceiptArgs),
	/// Prove a receipt of a channel against the chain: who signed it, and that it is settled.
	Verify(ReceiptArgs),
}

/// Which receipt, and where from.
#[derive(Args)]
pub struct ReceiptArgs {
	/// The receipt as an answer has it in Gridproof-Receipt, or its id from X-Gridproof-Receipt: 0x and
	/// hexadecimal digits.
	#[arg(value_name = "RECEIPT", required_unless_present = "file", value_parser = asked)]
	receipt: Option<Asked>,
	/// A document that --save wrote; the coordinator is asked only for headers that have come since.
	#[arg(long, value_name = "FILE", conflicts_with = "receipt")]
	file: Option<PathBuf>,
	/// Write the receipt with all that proves it into a file, once it is checked.
	#[arg(long, value_name = "FILE")]
	save: Option<PathBuf>,
	/// Ask nobody: check signatures and proof of the document, and leave out the chain.
	#[arg(long, requires = "file")]
	offline: bool,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	node: UrlArgs,
}

/// How a receipt is named.
#[derive(Clone)]
enum Asked {
	/// By its id.
	Id(Hex32),
	/// Alone, with its signatures.
	Issued(Box<IssuedReceipt>),
}

fn asked(text: &str) -> Result<Asked, String> {
	match text.parse() {
		Ok(id) => Ok(Asked::Id(id)),
		Err(_) => IssuedReceipt::from_header(text)
			.map(|issued| Asked::Issued(Box::new(issued)))
			.map_err(|error| error.to_string()),
	}
}

/// Runs one `gridproof receipt` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Show(args) => check(&args, false, out).await,
		Command::Verify(args) => check(&args, true, out).await,
	}
}

/// What is known of a receipt, as it is printed.
#[derive(Serialize)]
struct Report {
	/// `true` if everything holds that was looked at.
	ok: bool,
	receipt_id: Hex32,
	/// `true` if the chain has taken the batch; null if it was not asked.
	on_chain: Option<bool>,
	#[serde(flatten)]
	stated: Option<Stated>,
	/// Name of what does not hold.
	error: Option<&'static str>,
	/// The same in words.
	reason: Option<String>,
}

/// What a receipt says that was checked. Amounts are in the asset's smallest unit.
#[derive(Serialize)]
struct Stated {
	coordinator: Hex32,
	/// Null if there was no answer, which only the coordinator signs.
	miner: Option<Hex32>,
	model: Hex32,
	/// Its name in the registry; null if it is not there, or the chain was not asked.
	model_name: Option<String>,
	input_tokens: u32,
	output_tokens: u32,
	compute_units: u64,
	price: Amount,
	asset: &'static str,
	channel: u64,
	voucher: u64,
	/// Sums of the channel after this receipt.
	channel_receipts: u64,
	channel_price: Amount,
	/// Sums of the miner after it, at this coordinator and in this asset and mode.
	miner_receipts: u64,
	miner_price: Amount,
	/// `true` if the chain still has the channel, with this coordinator, asset and mode.
	channel_known: bool,
	settled: Option<Settled>,
	/// Its checks, as the chain has them while the batch waits; null if the chain was not asked, or checks
	/// nothing.
	checks: Option<Vec<CheckInfo>>,
	/// `true` if its channel is private: then it is never checked.
	private: bool,
	#[serde(skip)]
	unit: Unit,
}

/// The batch that settles a receipt.
#[derive(Serialize)]
struct Settled {
	batch: u64,
	/// Place of the receipt, from 0.
	index: u64,
	receipts: u64,
	header_hash: Hex32,
	/// The block that took the batch, as the coordinator says; null if it was not asked.
	block: Option<Hex32>,
}

/// What a document has no room for: said by a node or the coordinator, and proven by nobody.
#[derive(Default)]
struct Around {
	model_name: Option<String>,
	block: Option<Hex32>,
	checks: Option<Vec<CheckInfo>>,
}

async fn check(args: &ReceiptArgs, by_chain: bool, out: &Output) -> anyhow::Result<ExitCode> {
	let (document, chain, around) = gather(args, by_chain).await?;
	let checked = document.check(chain.as_ref());
	let report = Report {
		ok: checked.is_ok(),
		receipt_id: document.receipt_id,
		on_chain: chain.map(|_| checked.is_ok_and(|proven| proven.is_on_chain)),
		stated: checked.ok().and_then(|proven| stated(&proven, around)),
		error: checked.err().map(|error| error.as_str()),
		reason: checked.err().map(|error| error.to_string()),
	};
	if let (Some(path), true) = (&args.save, report.ok) {
		let json = serde_json::to_vec(&document)?;
		fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
	}
	out.result(&report, Report::text)?;
	Ok(checked.err().map_or(ExitCode::SUCCESS, |error| code(error.failure().kind)))
}

/// Puts together the document and, if it is to be compared with the chain, what a node says.
async fn gather(
	args: &ReceiptArgs,
	by_chain: bool,
) -> anyhow::Result<(ReceiptDocument, Option<ChainView>, Around)> {
	let client = ChannelClient::new(&args.coordinator.coordinator)?;
	let mut around = Around::default();
	if let (Some(path), true) = (&args.file, args.offline || !by_chain) {
		return Ok((saved(path)?, None, around));
	}
	let chain = args.node.connect().await?;
	let mut document = match (&args.file, &args.receipt) {
		(Some(path), _) => saved(path)?,
		(None, Some(receipt)) => fetched(&client, chain.genesis(), receipt).await?,
		(None, None) => return Err(usage("which receipt? Name it, or a document with --file")),
	};
	let receipt = document.issued()?.receipt.receipt;
	let model = chain.read(&model_registry::query::model(receipt.model)).await?;
	around.model_name = model.map(|view| view.model.description.name.to_string());
	let headers = document.headers()?;
	let Some(own) = headers.last() else {
		let view = view(&chain, &receipt, None).await?;
		return Ok((document, by_chain.then_some(view), around));
	};
	let known = chain.known_header(&own.coordinator, own.sequence).await?;
	let newest = headers.first().map(|header| header.sequence);
	if let Some(known) = known.filter(|known| newest.is_some_and(|newest| newest < known.sequence))
	{
		document.set_headers(&client.headers(own.sequence, known.sequence).await?);
	}
	if args.file.is_none() {
		around.block = client.batch(own.sequence).await?.block;
	}
	let id = BatchId { coordinator: own.coordinator, sequence: own.sequence };
	around.checks = checks_of(&chain, id, &receipt).await?;
	let known = known.map(|known| (known.sequence, known.hash));
	let view = view(&chain, &receipt, known).await?;
	Ok((document, by_chain.then_some(view), around))
}

/// Returns the checks of a receipt; `None` if the chain checks nothing.
async fn checks_of(
	chain: &Chain,
	batch: BatchId,
	receipt: &ReceiptV2,
) -> anyhow::Result<Option<Vec<CheckInfo>>> {
	let all = match chain.read(&reports(batch, MAX_REPORTS)).await {
		Err(ChainError::Unsupported(_)) => return Ok(None),
		all => all?,
	};
	let is_its = |one: &&CheckView| {
		Some(one.voucher) == receipt.voucher()
			&& Some(one.miner) == receipt.miner
			&& one.model == receipt.model
	};
	Ok(Some(all.iter().filter(is_its).map(CheckInfo::from).collect()))
}

fn saved(path: &PathBuf) -> anyhow::Result<ReceiptDocument> {
	let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
	Ok(ReceiptDocument::parse(&bytes)?)
}

/// Returns what the coordinator has of a receipt, given with its signatures or by its id.
async fn fetched(
	client: &ChannelClient,
	genesis: H256,
	asked: &Asked,
) -> anyhow::Result<ReceiptDocument> {
	let (id, held) = match asked {
		Asked::Id(id) => (*id, None),
		Asked::Issued(issued) => (issued.receipt.receipt.id(&genesis).into(), Some(issued)),
	};
	let answer = client.receipt(id).await?;
	let issued = IssuedReceipt::from_header(&answer.issued.to_string())?;
	if held.is_some_and(|held| held.receipt != issued.receipt) {
		return Err(NotProven::OtherReceipt.into());
	}
	let mut document = ReceiptDocument::new(genesis, answer)?;
	if document.headers.is_empty() {
		let channel = issued.receipt.receipt.voucher().map(|id| id.channel);
		let channel = channel.context("the receipt is not of a channel: see gridproof job show")?;
		document.coordinator = client.channel(channel).await?.coordinator;
	}
	Ok(document)
}

async fn view(
	chain: &Chain,
	receipt: &ReceiptV2,
	known: Option<(u64, H256)>,
) -> anyhow::Result<ChainView> {
	let channel = match receipt.voucher() {
		Some(VoucherId { channel, .. }) => chain.read(&query::channel(channel)).await?,
		None => None,
	};
	Ok(ChainView { genesis: chain.genesis(), channel, known })
}

fn stated(proven: &Proven, around: Around) -> Option<Stated> {
	let (receipt, sums) = (&proven.receipt.receipt, &proven.receipt.sums);
	let VoucherId { channel, number } = receipt.voucher()?;
	let settled = proven.batch.map(|(header, index)| Settled {
		batch: header.sequence,
		index,
		receipts: header.sums.receipts,
		header_hash: header.hash().into(),
		block: around.block,
	});
	Some(Stated {
		coordinator: Hex32(proven.coordinator),
		miner: receipt.miner.map(Hex32),
		model: receipt.model.into(),
		model_name: around.model_name,
		input_tokens: receipt.telemetry.input_tokens,
		output_tokens: receipt.telemetry.output_tokens,
		compute_units: receipt.weight,
		price: Amount(receipt.price),
		asset: sums.kind.asset.as_str(),
		channel,
		voucher: number,
		channel_receipts: sums.channel.count,
		channel_price: Amount(sums.channel.price),
		miner_receipts: sums.miner.count,
		miner_price: Amount(sums.miner.price),
		channel_known: proven.is_channel_known,
		settled,
		checks: around.checks,
		private: sums.kind.mode == Mode::Private,
		unit: Unit::from(sums.kind.asset),
	})
}

impl Report {
	fn text(&self) -> String {
		let Some(stated) = &self.stated else {
			let reason = self.reason.as_deref().unwrap_or("it is not of a channel");
			return format!("not proven: {reason}");
		};
		let title = match self.on_chain {
			Some(_) => "proven",
			None => "signed as it says, not compared with the chain",
		};
		format!(
			"{title}: receipt {}\n{}",
			self.receipt_id,
			stated.text(self.on_chain == Some(true))
		)
	}
}

impl Stated {
	fn text(&self, on_chain: bool) -> String {
		let name = match &self.model_name {
			Some(name) => format!("{name} ({})", self.model),
			None => format!("{}, by no name that is known here", self.model),
		};
		let signers = match &self.miner {
			Some(miner) => format!("miner {miner} and coordinator {}", self.coordinator),
			None => format!("coordinator {}: there was no answer", self.coordinator),
		};
		let show = |amount: &Amount| self.unit.show(amount.0);
		let channel = if self.channel_known { ", which the chain has" } else { "" };
		let settled = match &self.settled {
			None => "no batch has it yet".to_string(),
			Some(Settled { batch, index, receipts, block, .. }) => {
				let place = index.saturating_add(1);
				let known = if on_chain { ", whose header the chain knows" } else { "" };
				let block =
					block.map(|block| format!("\nblock      {block}, says the coordinator"));
				let block = block.unwrap_or_default();
				format!("receipt {place} of {receipts} in batch {batch}{known}{block}")
			},
		};
		format!(
			"model      {name}\n\
			 tokens     {} in, {} out: {} units\n\
			 price      {}\n\
			 signed by  {signers}\n\
			 channel    {}, voucher {}{channel}\n\
			 sums       {} receipts and {} of the channel, {} receipts and {} of the miner\n\
			 settled    {settled}\n\
			 {}",
			self.input_tokens,
			self.output_tokens,
			self.compute_units,
			show(&self.price),
			self.channel,
			self.voucher,
			self.channel_receipts,
			show(&self.channel_price),
			self.miner_receipts,
			show(&self.miner_price),
			self.checked(),
		)
	}

	/// Whether it was checked, by whom, with what figures.
	fn checked(&self) -> String {
		if self.private {
			return "checked    never: its channel is private".to_string();
		}
		let Some(checks) = &self.checks else {
			return "not shown  that the work was done: nothing is done again here".to_string();
		};
		if checks.is_empty() {
			return "checked    not so far: most are not drawn".to_string();
		}
		let one = |check: &CheckInfo| {
			let figures = match check.figures {
				FiguresInfo::Exact { equal: true } => "the same to the last token".to_string(),
				FiguresInfo::Exact { equal: false } => "NOT what the model answers".to_string(),
				FiguresInfo::Seeded { tokens, matches, mean_gap, end_gap } => format!(
					"{matches} of {tokens} tokens are the drawn ones, mean gap {mean_gap} and end \
					 {end_gap} millionths"
				),
				FiguresInfo::Embedding { cosine } => format!("cosine {cosine} millionths"),
			};
			format!("checked    by verifier {}: {figures}", check.verifier)
		};
		checks.iter().map(one).collect::<Vec<_>>().join("\n")
	}
}
