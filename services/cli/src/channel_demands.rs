//! `gridproof channel demands`, `demand` and `report`.

use crate::{
	args::{CoordinatorArgs, SubmitArgs, UrlArgs, amount::Unit},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::Args;
use gridproof_chain::{
	Chain,
	pallets::compute_receipts::{
		call,
		event::{ChannelOffenceProven, GivenBack, ReceiptDemanded},
		query,
	},
};
use gridproof_compute_api::{
	ChannelClient,
	demands::{contradiction, given_up, read_issued},
	protocol::IssuedReceipt,
};
use gridproof_keys::{AccountKey, account::address};
use gridproof_primitives::{
	compute::{
		PriceAsset,
		channels::{ChannelView, DemandView, Demanded},
	},
	energy::emlog::format_utc,
};
use gridproof_support::text::{Hex32, HexBytes};
use serde::Serialize;

/// Most demands that are shown: as many as the chain lists.
const MOST: u32 = 1_000;

/// Arguments of `channel demands`.
#[derive(Args)]
pub struct ListArgs {
	/// Key of the coordinator.
	#[arg(long = "coordinator-key", value_name = "0x…")]
	coordinator: Hex32,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `channel demand`.
#[derive(Args)]
pub struct DemandArgs {
	/// The receipt as it came with its answer, in the header Gridproof-Receipt.
	#[arg(long, value_name = "0x…")]
	receipt: HexBytes,
	#[command(flatten)]
	by: SubmitArgs,
}

/// Arguments of `channel report`.
#[derive(Args)]
pub struct ReportArgs {
	/// The receipt as it came with its answer, in the header Gridproof-Receipt.
	#[arg(long, value_name = "0x…")]
	receipt: HexBytes,
	/// Another receipt of the coordinator that it contradicts; may be repeated.
	#[arg(long, value_name = "0x…")]
	against: Vec<HexBytes>,
	/// A batch gave the receipt up, as its channel had ended before it was settled: its miner is given
	/// back what it lost, as far as the coordinator's slash reaches. The coordinator is asked for the batch.
	#[arg(long, conflicts_with = "against")]
	given_up: bool,
	#[command(flatten)]
	coordinator: CoordinatorArgs,
	#[command(flatten)]
	by: SubmitArgs,
}

/// A demand as `channel demands` prints it.
#[derive(Serialize)]
struct Shown {
	id: String,
	channel: Option<u64>,
	number: Option<u64>,
	who: String,
	demanded: &'static str,
	/// In units of 10⁻¹⁸ AIT.
	deposit: String,
	due_ms: u64,
}

impl From<DemandView> for Shown {
	fn from(view: DemandView) -> Self {
		let voucher = view.receipt.receipt.voucher();
		Self {
			id: format!("{:#x}", view.id),
			channel: voucher.map(|id| id.channel),
			number: voucher.map(|id| id.number),
			who: address(&view.who),
			demanded: named(view.demanded),
			deposit: view.deposit.to_string(),
			due_ms: view.due_ms,
		}
	}
}

const fn named(demanded: Demanded) -> &'static str {
	match demanded {
		Demanded::Unsettled => "to be settled",
		Demanded::Counted => "to be shown",
	}
}

/// Shows the open demands to a coordinator.
pub async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let mut open = chain.read(&query::demands(&args.coordinator.0, MOST)).await?;
	open.sort_by_key(|demand| demand.due_ms);
	let shown: Vec<Shown> = open.into_iter().map(Shown::from).collect();
	out.result(&shown, |shown| {
		if shown.is_empty() {
			return "no receipt is demanded of this coordinator".to_string();
		}
		let lines = shown.iter().map(|demand| {
			let number = |number: Option<u64>| number.map_or("?".to_string(), |n| n.to_string());
			format!(
				"{} receipt {} of channel {} {} until {}, by {}",
				demand.id,
				number(demand.number),
				number(demand.channel),
				demand.demanded,
				format_utc(demand.due_ms),
				demand.who
			)
		});
		lines.collect::<Vec<_>>().join("\n")
	})
}

/// Reads a receipt with its signatures.
fn issued(bytes: &HexBytes) -> anyhow::Result<IssuedReceipt> {
	let read = read_issued(&bytes.0);
	read.ok_or_else(|| usage("a receipt is wanted as it comes in the header Gridproof-Receipt"))
}

/// Returns the channel of a receipt as the chain has it.
async fn channel_of(chain: &Chain, issued: &IssuedReceipt) -> anyhow::Result<ChannelView> {
	let voucher = issued.receipt.receipt.voucher();
	let id = voucher.ok_or_else(|| usage("the receipt is of a job, not of a channel"))?.channel;
	let view = chain.read(&query::channel(id)).await?;
	view.with_context(|| format!("the chain has no channel {id}"))
}

/// What `channel demand` did.
#[derive(Serialize)]
struct Done {
	id: String,
	demanded: &'static str,
	due_ms: u64,
	/// In units of 10⁻¹⁸ AIT.
	deposit: String,
	block: String,
}

/// Demands a receipt.
pub async fn demand(args: &DemandArgs, out: &Output) -> anyhow::Result<()> {
	let issued = issued(&args.receipt)?;
	let account = args.by.account()?;
	let chain = args.by.connect().await?;
	let deposit = chain.read(&query::channel_parameters()).await?.demand_deposit;
	let shown = Unit::from(PriceAsset::Ait).show(deposit);
	out.note(&format!(
		"the deposit for the answer is {shown}: the coordinator's, if it had settled the receipt and shows it"
	));
	let call = call::demand_receipt(&issued.receipt, &issued.coordinator_signature);
	let included = args.by.submit(&chain, &account, &call).await?;
	let event = included.first::<ReceiptDemanded>()?;
	let done = Done {
		id: format!("{:#x}", event.id),
		demanded: named(event.demanded),
		due_ms: event.due_ms,
		deposit: deposit.to_string(),
		block: format!("{:#x}", included.block),
	};
	out.result(&done, |done| {
		format!("demand {}\n{} until {}", done.id, done.demanded, format_utc(done.due_ms))
	})
}

/// What `channel report` did.
#[derive(Serialize)]
struct Reported {
	offence: String,
	offences: u32,
	/// In units of 10⁻¹⁸ AIT.
	slash: String,
	block: String,
}

/// Reports a receipt.
pub async fn report(args: &ReportArgs, out: &Output) -> anyhow::Result<()> {
	let first = issued(&args.receipt)?;
	let others = args.against.iter().map(issued).collect::<anyhow::Result<Vec<_>>>()?;
	let account = args.by.account()?;
	let chain = args.by.connect().await?;
	if args.given_up {
		return report_given_up(args, &first, &account, &chain, out).await;
	}
	let channel = channel_of(&chain, &first).await?.channel;
	let (coordinator, kind) = (channel.coordinator, channel.kind);
	let evidence = contradiction(&first, &others, kind, &coordinator, &chain.genesis());
	let evidence = evidence.with_context(
		|| "these receipts contradict neither each other nor their channel: nothing was sent",
	)?;
	let call = call::report_channel_offence(&coordinator, &evidence);
	let included = args.by.submit(&chain, &account, &call).await?;
	let event = included.first::<ChannelOffenceProven>()?;
	let done = Reported {
		offence: format!("{:?}", event.offence),
		offences: event.offences,
		slash: event.slash.to_string(),
		block: format!("{:#x}", included.block),
	};
	out.result(&done, |done| format!("proven: {}, {} count now", done.offence, done.offences))
}

/// What `channel report --given-up` did.
#[derive(Serialize)]
struct ReportedGivenUp {
	/// Null if it is part of an absence that counted before.
	offence: Option<String>,
	/// Given back to the miner, in units of 10⁻¹⁸ AIT.
	given_back: String,
	block: String,
}

/// Reports a receipt that a batch gave up.
async fn report_given_up(
	args: &ReportArgs,
	issued: &IssuedReceipt,
	account: &AccountKey,
	chain: &Chain,
	out: &Output,
) -> anyhow::Result<()> {
	let client = ChannelClient::new(&args.coordinator.coordinator)?;
	let answer = client.receipt(issued.receipt.receipt.id(&chain.genesis()).into()).await?;
	let sequence = answer.batch.with_context(|| "no batch has the receipt yet")?;
	let batch = client.batch(sequence).await?;
	let (coordinator, evidence) =
		given_up(issued, &batch, &chain.genesis()).with_context(|| {
			format!("batch {sequence} does not give the receipt up: nothing was sent")
		})?;
	let call = call::report_channel_offence(&coordinator, &evidence);
	let included = args.by.submit(chain, account, &call).await?;
	let offence = included.first::<ChannelOffenceProven>().ok();
	let given = included.first::<GivenBack>().map_or(0, |event| event.amount);
	let done = ReportedGivenUp {
		offence: offence.map(|event| format!("{:?}", event.offence)),
		given_back: given.to_string(),
		block: format!("{:#x}", included.block),
	};
	let shown = Unit::AIT.show(given);
	out.result(&done, |done| match &done.offence {
		Some(offence) => format!("proven: {offence}, the miner has {shown} back"),
		None => format!("part of an absence that counted before; the miner has {shown} back"),
	})
}
