//! Who decides for the chain: an account alone, or as one of several.

use super::{NodeArgs, PassphraseArgs, PayerArgs};
use crate::{exit::usage, output::Output};
use clap::{Args, ValueEnum};
use gridproof_chain::{
	Call,
	governance::{Council, Decision, Power, Step},
	pallets::{referenda::Track, treasury::event::AssetSpendApproved},
	referenda::Proposed,
};
use gridproof_keys::account::{address, parse_account};
use serde::Serialize;

/// A track of referenda.
#[derive(Clone, Copy, ValueEnum)]
pub enum TrackName {
	/// Whatever the chain's parts call governance; takes seven days.
	Standard,
	/// What only root may do, such as an upgrade; takes seven days, and three more.
	Root,
	/// The end of a stop, bans and suspensions; takes a day.
	Emergency,
}

impl From<TrackName> for Track {
	fn from(name: TrackName) -> Self {
		match name {
			TrackName::Standard => Self::Standard,
			TrackName::Root => Self::Root,
			TrackName::Emergency => Self::Emergency,
		}
	}
}

/// The account that decides, alone or as one of several, and the node that gets it.
#[derive(Args, Clone)]
pub struct GovernorArgs {
	#[command(flatten)]
	pub signer: PayerArgs,
	#[command(flatten)]
	pub passphrase: PassphraseArgs,
	/// Another signer, if an account of several decides; name all of them, once each.
	#[arg(long = "with", value_name = "ADDRESS", value_parser = parse_account, requires = "threshold")]
	others: Vec<[u8; 32]>,
	/// How many of the signers decide together.
	#[arg(long, value_name = "N", requires = "others")]
	threshold: Option<u16>,
	/// Propose it to the holders of AIT on this track, instead of deciding it with a key. It takes a
	/// deposit of 10 AIT, which returns if it is approved, and one of 1,000 AIT, which returns.
	#[arg(long, value_name = "TRACK", conflicts_with_all = ["others", "threshold"])]
	referendum: Option<TrackName>,
	#[command(flatten)]
	pub node: NodeArgs,
}

impl GovernorArgs {
	/// Returns the signers, if several decide.
	pub fn council(&self, own: [u8; 32]) -> anyhow::Result<Option<Council>> {
		let council = |threshold| Council::new(own, &self.others, threshold);
		Ok(self.threshold.map(council).transpose()?)
	}

	/// Brings a call a step further, and waits until that is final.
	pub async fn decide(
		&self,
		power: Power,
		call: &Call,
		out: &Output,
	) -> anyhow::Result<Decision> {
		let signer = self.signer.load(&self.passphrase)?;
		let council = self.council(signer.account())?;
		let chain = self.node.connect().await?;
		let patience = self.node.patience();
		if let Some(track) = self.referendum {
			if power == Power::Emergency {
				return Err(usage(
					"who stops does not propose: leave --emergency or --referendum out",
				));
			}
			let spinner = out.spinner("waiting for finality");
			let proposed = chain.propose(&signer, track.into(), call, false, &patience).await;
			spinner.finish_and_clear();
			let Proposed { index, hash, included } = proposed?;
			let (step, account) = (Step::Referendum(index), signer.account());
			return Ok(Decision { step, approvals: 0, threshold: 0, account, hash, included });
		}
		let spinner = out.spinner("waiting for finality");
		let decision = chain.govern(&signer, council.as_ref(), power, call, &patience).await;
		spinner.finish_and_clear();
		Ok(decision?)
	}
}

/// What became of a decision, as it is shown.
#[derive(Serialize)]
pub struct ShownDecision {
	/// `proposed`, `approved`, `executed` or `referendum`.
	pub step: &'static str,
	approvals: usize,
	threshold: u16,
	account: String,
	/// Hash by which the call waits, or waited.
	hash: String,
	block: String,
	/// Number of the spend, if one was approved.
	#[serde(skip_serializing_if = "Option::is_none")]
	spend: Option<u32>,
	/// Number of the referendum, if it was proposed to the holders of AIT.
	#[serde(skip_serializing_if = "Option::is_none")]
	referendum: Option<u32>,
}

impl From<&Decision> for ShownDecision {
	fn from(decision: &Decision) -> Self {
		Self {
			step: decision.step.as_str(),
			approvals: decision.approvals,
			threshold: decision.threshold,
			account: address(&decision.account),
			hash: format!("{:#x}", decision.hash),
			block: format!("{:#x}", decision.included.block),
			spend: decision.included.first::<AssetSpendApproved>().ok().map(|event| event.index),
			referendum: match decision.step {
				Step::Referendum(index) => Some(index),
				Step::Proposed | Step::Approved | Step::Executed => None,
			},
		}
	}
}

impl ShownDecision {
	/// Returns it for people; `done` is what has happened if it was executed.
	pub fn text(&self, done: &str) -> String {
		let Self { step, approvals, threshold, account, hash, block, spend, referendum } = self;
		if let Some(index) = referendum {
			return format!(
				"referendum {index}: nothing has changed yet, holders of AIT vote\n\
				 gridproof gov show {index} shows what it would change; the call is {hash}\n\
				 final in block {block}"
			);
		}
		if *step == "executed" {
			let number = spend.map(|number| format!(" as spend {number}")).unwrap_or_default();
			return format!("{done}{number}\nfinal in block {block}");
		}
		format!(
			"{step}, {approvals} of {threshold} approvals of {account}: nothing has changed yet\n\
			 the other signers give the same command; the call is {hash}\nfinal in block {block}"
		)
	}
}
