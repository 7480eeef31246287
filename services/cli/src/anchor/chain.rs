//! `gridproof anchor record`.

use super::{RpcArgs, ShownRecord, open_record};
use crate::{
	args::{NodeArgs, PassphraseArgs, PayerArgs},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::Args;
use gridproof_anchor::{
	AnchorStatus, H256, Record, batch,
	batch_set::{BatchSet, set_of_record},
	watch,
};
use gridproof_chain::pallets::meter_readings::{call, query};
use gridproof_gateway_api::Client;
use gridproof_primitives::energy::MeterIndex;
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// Arguments of `anchor record`.
#[derive(Args)]
pub struct RecordArgs {
	/// The anchor's record.
	#[arg(long, value_name = "FILE")]
	record: PathBuf,
	/// The batch, by the gateway's id, if the record is of a whole set of them.
	#[arg(long, value_name = "ID", conflicts_with = "meter")]
	batch: Option<String>,
	/// Number of the meter on chain. Without it the gateway of the record's batch is asked.
	#[arg(long, value_name = "N", requires = "sequence")]
	meter: Option<MeterIndex>,
	/// Number of the meter's batch on chain.
	#[arg(long, value_name = "N", requires = "meter")]
	sequence: Option<u64>,
	#[command(flatten)]
	rpc: RpcArgs,
	#[command(flatten)]
	node: NodeArgs,
	#[command(flatten)]
	payer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// What `anchor record --json` prints.
#[derive(Serialize)]
struct Recorded {
	meter: MeterIndex,
	sequence: u64,
	#[serde(flatten)]
	anchor: ShownRecord,
	/// The finalized block that has it; absent if the chain knew it already.
	#[serde(skip_serializing_if = "Option::is_none")]
	included_in: Option<H256>,
}

/// Submits the state of an anchor to the chain, after asking once more where its transaction is.
pub async fn record(args: &RecordArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let (mut record, _alone) = open_record(&args.record)?;
	if record.state() != AnchorStatus::Simulated {
		let bitcoin = args.rpc.open()?;
		watch::refresh(&bitcoin, &mut record).await?;
		record.save(&args.record)?;
	}
	if record.state() == AnchorStatus::Pending {
		let nothing = "no transaction of this anchor is known to the network";
		return Err(usage(format!("{nothing}: there is nothing to record yet")));
	}
	let state = record.on_chain()?;
	let Place { meter, sequence, root } = place(args, &record).await?;
	let chain = args.node.connect().await?;
	let known = chain.read(&query::anchor(meter, sequence)).await?;
	let included_in = if known.is_some_and(|known| known.root == root && known.state == state) {
		None
	} else {
		let account = args.payer.load(&args.passphrase)?;
		let call = call::record_anchor(meter, sequence, root, &state);
		Some(chain.submit(&account, &call, &args.node.patience()).await?.block)
	};
	let anchor = ShownRecord::new(&record)?;
	let recorded = Recorded { meter, sequence, anchor, included_in };
	out.result(&recorded, |recorded| {
		let what = match &recorded.included_in {
			Some(block) => format!("recorded in block {block:?}"),
			None => "the chain has it already".to_owned(),
		};
		format!("{}\nbatch {sequence} of meter {meter}: {what}", recorded.anchor.text())
	})?;
	Ok(ExitCode::SUCCESS)
}

/// A batch on chain, with its root there.
struct Place {
	meter: MeterIndex,
	sequence: u64,
	root: H256,
}

/// The batch that the anchor is of, or one of those.
async fn place(args: &RecordArgs, record: &Record) -> anyhow::Result<Place> {
	if record.progress.is_some() {
		// The chain keeps the batch's own root; the transaction commits to one over many.
		let set = BatchSet::load(&set_of_record(&args.record))?;
		let id = args.batch.as_deref();
		let id = id.ok_or_else(|| usage("which batch of the set? Name it with --batch"))?;
		let member = set.member(id).ok_or_else(|| usage(format!("{id} is not in this set")))?;
		let (meter, sequence, root) = (member.meter, member.sequence, member.root()?);
		return Ok(Place { meter, sequence, root });
	}
	if args.batch.is_some() {
		return Err(usage("--batch chooses one of a set, and this record is of one root"));
	}
	let root = record.root()?;
	match (args.meter, args.sequence, &record.batch) {
		(Some(meter), Some(sequence), _) => Ok(Place { meter, sequence, root }),
		(_, _, Some(batch)) => {
			let found = batch::on_chain(&Client::new(&batch.api, None)?, &batch.id).await;
			let (meter, sequence) = found
				.with_context(|| format!("it is not known where batch {} is on chain", batch.id))?;
			Ok(Place { meter, sequence, root })
		},
		_ => Err(usage("which batch? The record names none: give --meter and --sequence")),
	}
}
