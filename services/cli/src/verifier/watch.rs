//! `gridproof verifier watch`: what becomes of checks, block by block.

use crate::{
	args::{UrlArgs, amount::Unit},
	output::Output,
};
use clap::Args;
use gridproof_chain::{
	ChainError, Event,
	event::RawEvent,
	pallets::{
		compute_checks::event::{
			DemandEnded, DisputeClosed, DisputeOpened, JurorSilent, MinerGuilty, OpeningDemanded,
			ReceiptForfeited, VerifierPunished,
		},
		compute_receipts::event::{ReturnedToClient, Slashed, WaitingTaken},
	},
};
use gridproof_keys::account::address;
use gridproof_primitives::compute::checks::{DisputeCause, OpeningOutcome};
use gridproof_support::stop;
use gridproof_verifier::watch::follow;
use serde::Serialize;

/// Arguments of `verifier watch`.
#[derive(Args)]
pub struct WatchArgs {
	/// Begin with this block instead of the next final one; its events have to be kept by the node.
	#[arg(long, value_name = "NUMBER")]
	from: Option<u64>,
	#[command(flatten)]
	node: UrlArgs,
}

/// What happened in a block.
#[derive(Serialize)]
struct Seen {
	block: u64,
	what: &'static str,
	/// In one sentence.
	text: String,
}

/// Runs `verifier watch`, until it is stopped.
pub(super) async fn watch(args: &WatchArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let next = match args.from {
		Some(block) => block,
		None => chain.height().await?.saturating_add(1),
	};
	let seen = |block: u64, events: &[RawEvent]| -> anyhow::Result<()> {
		for event in events {
			if let Some((what, text)) = sentence(event)? {
				let seen = Seen { block, what, text };
				out.result(&seen, |seen| format!("block {}: {}", seen.block, seen.text))?;
			}
		}
		Ok(())
	};
	let away = |error: &ChainError, next: u64| {
		out.warning(&format!("{error}; it continues with block {next}"));
	};
	follow(&chain, next, &stop::on_signals()?, seen, away).await
}

fn read<E: Event>(event: &RawEvent) -> Result<Option<E>, ChainError> {
	event.read().transpose()
}

fn cause(cause: &DisputeCause) -> &'static str {
	match cause {
		DisputeCause::NotEqual(_) => "an output is not the model's",
		DisputeCause::Number(_) => "a miner's number is above its limit",
		DisputeCause::Client(_) => "a client says that an output is not the model's",
		DisputeCause::Reopened(_) => "two verifiers' figures do not agree",
	}
}

/// Says what an event of checks is; `None` of any other.
fn sentence(event: &RawEvent) -> Result<Option<(&'static str, String)>, ChainError> {
	if let Some(opened) = read::<DisputeOpened>(event)? {
		let (cause, sequence) = (cause(&opened.cause), opened.batch.sequence);
		return Ok(Some((
			"dispute",
			format!("a dispute: {cause} (batch {sequence}, receipt {})", opened.index),
		)));
	}
	if let Some(closed) = read::<DisputeClosed>(event)? {
		let (guilty, not) = (closed.votes.guilty, closed.votes.not_guilty);
		let verdict = match closed.guilty {
			Some(true) => "guilty",
			Some(false) => "not guilty",
			None => "undecided",
		};
		return Ok(Some((
			"verdict",
			format!("the jury's verdict: {verdict} ({guilty} for guilty, {not} against)"),
		)));
	}
	if let Some(found) = read::<MinerGuilty>(event)? {
		let miner = hex::encode(found.miner);
		return Ok(Some(("guilty", format!("caught: miner 0x{miner} cheated"))));
	}
	if let Some(slashed) = read::<Slashed>(event)? {
		let (key, amount) = (hex::encode(slashed.key), Unit::AIT.show(slashed.amount));
		return Ok(Some(("slashed", format!("slashed: 0x{key} lost {amount} of its bond"))));
	}
	if let Some(taken) = read::<WaitingTaken>(event)? {
		let (key, before) = (hex::encode(taken.key), taken.before);
		let text = format!("forfeited: all that waits of 0x{key} from batches before {before}");
		return Ok(Some(("taken", text)));
	}
	if let Some(lost) = read::<ReceiptForfeited>(event)? {
		let (to, pay) = (address(&lost.to), lost.pay);
		let text = format!("refunded: {pay} units of one receipt went back to {to}");
		return Ok(Some(("receipt_returned", text)));
	}
	if let Some(back) = read::<ReturnedToClient>(event)? {
		let (to, channel) = (address(&back.client), back.channel);
		let text =
			format!("refunded: {} units of channel {channel} went back to {to}", back.amount);
		return Ok(Some(("returned", text)));
	}
	if let Some(demanded) = read::<OpeningDemanded>(event)? {
		let sequence = demanded.check.batch.sequence;
		return Ok(Some(("demand", format!("an opening of batch {sequence} is demanded"))));
	}
	if let Some(ended) = read::<DemandEnded>(event)? {
		let text = match ended.outcome {
			OpeningOutcome::Opened => "the demanded opening was given",
			OpeningOutcome::Withheld => "the coordinator kept a demanded opening back: an offence",
			OpeningOutcome::Unclear => "witnesses do not agree about a demanded opening",
		};
		return Ok(Some(("demand_ended", text.to_string())));
	}
	if let Some(punished) = read::<VerifierPunished>(event)? {
		let (who, slash) = (address(&punished.account), Unit::AIT.show(punished.slash));
		return Ok(Some(("verifier_punished", format!("verifier {who} lost {slash}"))));
	}
	if let Some(silent) = read::<JurorSilent>(event)? {
		let (who, fee) = (address(&silent.account), Unit::AIT.show(silent.amount));
		return Ok(Some(("silent", format!("juror {who} was silent and lost {fee}"))));
	}
	Ok(None)
}
