//! `gridproof anchor record`.

use super::{RpcArgs, ShownRecord};
use crate::{
	keys::PassphraseArgs,
	output::Output,
	payer::{NodeArgs, PayerArgs},
};
use anyhow::{Context, bail, ensure};
use clap::Args;
use gridproof_anchor::{
	H256,
	commitment::root_text,
	record::{Record, State},
	watch,
};
use gridproof_chain::{Chain, Failure};
use gridproof_meter::chain;
use gridproof_primitives::meter::MeterIndex;
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// Arguments of `anchor record`.
#[derive(Args)]
pub struct RecordArgs {
	/// The anchor's record.
	#[arg(long, value_name = "FILE")]
	record: PathBuf,
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

/// Brings how far an anchor is on chain, after looking once more where its transaction is.
pub async fn record(args: &RecordArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let mut record = Record::load(&args.record)?;
	if record.state() != State::Simulated {
		let bitcoin = args.rpc.open()?;
		watch::refresh(&bitcoin, &mut record).await?;
		record.save(&args.record)?;
	}
	ensure!(
		record.state() != State::Pending,
		"no transaction of this anchor is known to the network: there is nothing to record yet"
	);
	let (root, state) = (record.root()?, record.on_chain()?);
	let (meter, sequence) = place(args, &record).await?;
	let chain = Chain::connect(&args.node.url).await?;
	let known = chain::anchor(&chain, meter, sequence).await?;
	let included_in = if known.is_some_and(|known| known.root == root && known.state == state) {
		None
	} else {
		let account = args.payer.load(&args.passphrase)?;
		let call = chain::record_anchor(meter, sequence, root, &state);
		let sent = chain::submit(&chain, &account, call, &args.node.patience()).await;
		Some(sent.map_err(|failure| refused(failure, &root))?.block)
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

/// Meter and number of the batch that the anchor is of.
async fn place(args: &RecordArgs, record: &Record) -> anyhow::Result<(MeterIndex, u64)> {
	match (args.meter, args.sequence, &record.batch) {
		(Some(meter), Some(sequence), _) => Ok((meter, sequence)),
		(_, _, Some(batch)) => Ok(super::gateway(&batch.api, None)?
			.on_chain(&batch.id)
			.await
			.with_context(|| format!("cannot tell where batch {} is on chain", batch.id))?),
		_ => bail!("which batch? The record names none: give --meter and --sequence"),
	}
}

fn refused(failure: Failure, root: &H256) -> anyhow::Error {
	let advice = match &failure {
		Failure::Refused(name) if name.ends_with("NotRecorder") => {
			"governance has to appoint this account first".to_owned()
		},
		Failure::Refused(name) if name.ends_with("UnknownBatch") => {
			"the chain keeps no such batch, or no longer".to_owned()
		},
		Failure::Refused(name) if name.ends_with("OtherRoot") => {
			format!("the batch has another root than {}", root_text(root))
		},
		Failure::Refused(name) if name.ends_with("AnchorBackwards") => {
			"the chain knows it to be further already".to_owned()
		},
		_ => return failure.into(),
	};
	anyhow::Error::from(failure).context(advice)
}
