//! Referenda as they are shown.

use crate::{
	args::{UrlArgs, amount::Unit},
	exit::usage,
	output::Output,
};
use clap::Args;
use gridproof_chain::{
	Chain,
	pallets::referenda::{Ongoing, Referendum, Track},
	referenda::{Change, Content},
};
use gridproof_keys::account::address;
use gridproof_support::text::Amount;
use serde::Serialize;
use serde_json::Value as Json;

/// Arguments of `gov list`.
#[derive(Args)]
pub struct ListArgs {
	/// How many are shown.
	#[arg(long, value_name = "N", default_value_t = 20,
		value_parser = clap::value_parser!(u32).range(1..=1_000))]
	limit: u32,
	/// Leave out those that are over.
	#[arg(long)]
	open: bool,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `gov show`.
#[derive(Args)]
pub struct ShowArgs {
	/// Number of the referendum.
	#[arg(value_name = "N")]
	index: u32,
	#[command(flatten)]
	node: UrlArgs,
}

/// A referendum, as it is shown.
#[derive(Serialize)]
struct Shown {
	referendum: u32,
	/// `ongoing`, `approved`, `rejected`, `cancelled`, `timed_out` or `killed`.
	state: &'static str,
	/// Block in which it ended.
	#[serde(skip_serializing_if = "Option::is_none")]
	ended: Option<u32>,
	/// What is known while it is not over.
	#[serde(skip_serializing_if = "Option::is_none")]
	ongoing: Option<ShownOngoing>,
}

/// A referendum that is not over.
#[derive(Serialize)]
struct ShownOngoing {
	track: &'static str,
	proposed_by: String,
	/// Block in which it was proposed.
	submitted: u32,
	/// Whether the deposit for its decision is paid.
	deposit: bool,
	/// Block in which its decision began.
	deciding_since: Option<u32>,
	/// Block in which it is approved, if it passes until then.
	approved_in: Option<u32>,
	/// In units of 10⁻¹⁸ AIT.
	ayes: Amount,
	/// In units of 10⁻¹⁸ AIT.
	nays: Amount,
	/// In units of 10⁻¹⁸ AIT: a tenth of all that can vote is needed.
	support: Amount,
	/// Blake2-256 of its call.
	hash: String,
	/// The call; none if nobody has shown it.
	call: Option<Json>,
	changes: Vec<ShownChange>,
}

/// A value that it would change.
#[derive(Serialize)]
struct ShownChange {
	name: String,
	before: Json,
	after: Json,
}

impl From<Change> for ShownChange {
	fn from(change: Change) -> Self {
		let Change { name, before, after } = change;
		Self { name, before, after }
	}
}

impl ShownOngoing {
	fn new(ongoing: &Ongoing, content: Content) -> Self {
		let Content { hash, call, changes } = content;
		Self {
			track: Track::numbered(ongoing.track).map_or("unknown", Track::as_str),
			proposed_by: address(&ongoing.submission_deposit.who),
			submitted: ongoing.submitted,
			deposit: ongoing.decision_deposit.is_some(),
			deciding_since: ongoing.deciding.map(|deciding| deciding.since),
			approved_in: ongoing.deciding.and_then(|deciding| deciding.confirming),
			ayes: Amount(ongoing.tally.ayes),
			nays: Amount(ongoing.tally.nays),
			support: Amount(ongoing.tally.support),
			hash: format!("{hash:#x}"),
			call,
			changes: changes.into_iter().map(ShownChange::from).collect(),
		}
	}

	/// How far it is, for people.
	fn phase(&self) -> String {
		match (self.deposit, self.deciding_since, self.approved_in) {
			(_, _, Some(block)) => {
				format!("passes, and is approved in block {block} if it still does")
			},
			(_, Some(since), None) => {
				format!("voted on since block {since}, and does not pass now")
			},
			(true, None, None) => "waits until others of its track are decided".to_string(),
			(false, None, None) => "waits for its deposit: gridproof gov deposit".to_string(),
		}
	}

	fn text(&self) -> String {
		let call = match &self.call {
			Some(call) => format!("{call:#}"),
			None => "nobody has shown its call: do not vote for what cannot be read".to_string(),
		};
		let changes = self.changes.iter().map(|change| {
			let ShownChange { name, before, after } = change;
			format!("\n  {name}: {} → {}", value(before), value(after))
		});
		let changes: String = changes.collect();
		let changes = if changes.is_empty() { changes } else { format!("\nchanges{changes}") };
		format!(
			"track     {}\nby        {}, in block {}\nstate     {}\nayes      {}\nnays      {}\n\
			 support   {}\ncall      {}\n{call}{changes}",
			self.track,
			self.proposed_by,
			self.submitted,
			self.phase(),
			Unit::AIT.show(self.ayes.0),
			Unit::AIT.show(self.nays.0),
			Unit::AIT.show(self.support.0),
			self.hash
		)
	}
}

/// A value for people.
fn value(value: &Json) -> String {
	match value {
		Json::Null => "nothing".to_string(),
		Json::String(text) => text.clone(),
		value => value.to_string(),
	}
}

impl Shown {
	async fn read(chain: &Chain, index: u32) -> anyhow::Result<Option<Self>> {
		let Some(referendum) = chain.referendum(index).await? else { return Ok(None) };
		let (state, ended) = (referendum.as_str(), referendum.ended());
		let ongoing = match &referendum {
			Referendum::Ongoing(ongoing) => {
				let content = chain.content(&ongoing.proposal).await?;
				Some(ShownOngoing::new(ongoing, content))
			},
			_ => None,
		};
		Ok(Some(Self { referendum: index, state, ended, ongoing }))
	}

	fn text(&self) -> String {
		let Self { referendum, state, ended, ongoing } = self;
		match (ongoing, ended) {
			(Some(ongoing), _) => format!("referendum {referendum}\n{}", ongoing.text()),
			(None, Some(block)) => format!(
				"referendum {referendum}: {state} in block {block}; its call is in the event \
				 Referenda.Submitted"
			),
			(None, None) => format!("referendum {referendum}: {state}"),
		}
	}

	/// One line of it.
	fn line(&self) -> String {
		let Self { referendum, state, ended, ongoing } = self;
		match (ongoing, ended) {
			(Some(ongoing), _) => {
				let call = ongoing.call.as_ref().map_or("call not shown".to_string(), name);
				let (ayes, nays) = (Unit::AIT.show(ongoing.ayes.0), Unit::AIT.show(ongoing.nays.0));
				let (track, phase) = (ongoing.track, ongoing.phase());
				format!("{referendum} {track} {call}: {ayes} for it, {nays} against; {phase}")
			},
			(None, Some(block)) => format!("{referendum} {state} in block {block}"),
			(None, None) => format!("{referendum} {state}"),
		}
	}
}

/// Pallet and name of a call.
fn name(call: &Json) -> String {
	let first = |json: &Json| match json {
		Json::String(name) => Some((name.clone(), Json::Null)),
		Json::Object(members) => {
			members.iter().next().map(|(name, inner)| (name.clone(), inner.clone()))
		},
		_ => None,
	};
	match first(call) {
		Some((pallet, inner)) => match first(&inner) {
			Some((name, _)) => format!("{pallet}.{name}"),
			None => pallet,
		},
		None => "call".to_string(),
	}
}

/// Lists referenda.
pub async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let count = chain.referendum_count().await?;
	let mut all = Vec::new();
	for index in (0..count).rev() {
		if u32::try_from(all.len()).is_ok_and(|shown| shown >= args.limit) {
			break;
		}
		let Some(shown) = Shown::read(&chain, index).await? else { continue };
		if !args.open || shown.ongoing.is_some() {
			all.push(shown);
		}
	}
	out.result(&all, |all| match &all[..] {
		[] => "no referenda: gridproof gov propose begins one".to_string(),
		all => all.iter().map(Shown::line).collect::<Vec<_>>().join("\n"),
	})
}

/// Shows a referendum.
pub async fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let shown = Shown::read(&chain, args.index).await?;
	let shown = shown.ok_or_else(|| {
		usage(format!("there is no referendum {}: see gridproof gov list", args.index))
	})?;
	out.result(&shown, Shown::text)
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	#[test]
	fn a_call_is_named_by_its_pallet_and_its_own_name() {
		assert_eq!(name(&json!({ "SafeMode": "force_exit" })), "SafeMode.force_exit");
		assert_eq!(name(&json!({ "Treasury": { "payout": { "index": 1 } } })), "Treasury.payout");
		assert_eq!(name(&Json::Null), "call");
	}

	#[test]
	fn values_are_shown_without_quotation_marks() {
		assert_eq!(value(&json!("7")), "7");
		assert_eq!(value(&json!(7)), "7");
		assert_eq!(value(&Json::Null), "nothing");
	}
}
