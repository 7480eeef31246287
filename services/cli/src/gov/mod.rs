//! `gridproof gov`: holders of AIT propose and vote.

mod show;

use crate::{
	args::{SubmitArgs, TrackName, amount::Unit},
	exit::usage,
	govern::network::whole,
	output::Output,
};
use clap::{Args, Subcommand, ValueEnum};
use gridproof_chain::{
	Call, Included,
	pallets::{
		conviction_voting::call,
		referenda::{Referendum, Track, call as referenda},
		utility,
	},
	referenda::Proposed,
};
use gridproof_keys::account::{address, parse_account};
use serde::Serialize;
use show::{ListArgs, ShowArgs};
use std::process::ExitCode;

/// What `gridproof gov` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Propose a call, given in SCALE as wallets show it. Decisions that have a command of their own
	/// are proposed by that, such as govern compute-parameters FILE --referendum standard.
	Propose(ProposeArgs),
	/// Vote on a referendum with so much AIT, or take the vote back.
	Vote(VoteArgs),
	/// Let another account vote with one's AIT on a track, or end that.
	Delegate(DelegateArgs),
	/// List referenda, the newest first.
	List(ListArgs),
	/// Show a referendum: its votes, its call decoded, and what it would change, before and after.
	Show(ShowArgs),
	/// Pay the deposit of 1,000 AIT without which a referendum is not decided; it returns.
	Deposit(ReferendumArgs),
	/// Return the deposits of a referendum that is over; anybody may.
	Refund(ReferendumArgs),
	/// Release an account's AIT that has voted, as far as its time is over; anybody may.
	Unlock(UnlockArgs),
}

/// Arguments of `gov propose`.
#[derive(Args)]
pub struct ProposeArgs {
	/// The call: 0x and hexadecimal digits.
	#[arg(value_name = "0x…", value_parser = whole)]
	call: Call,
	/// The track, which says what the call may do.
	#[arg(long, value_name = "TRACK", default_value = "standard")]
	track: TrackName,
	/// Do not pay the deposit of 1,000 AIT for its decision: somebody else does, within 14 days.
	#[arg(long)]
	no_deposit: bool,
	#[command(flatten)]
	by: SubmitArgs,
}

/// What is voted.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
	/// For it.
	Aye,
	/// Against it.
	Nay,
	/// Nothing: the vote is taken back.
	Nothing,
}

/// Arguments of `gov vote`.
#[derive(Args)]
pub struct VoteArgs {
	/// Number of the referendum.
	#[arg(value_name = "N")]
	index: u32,
	/// What is voted.
	choice: Choice,
	/// So much AIT votes, such as 100 or 0.5: what is free and bonds, but keep some for fees. It stays
	/// where it is until the vote is taken back, or for three days if the vote has won.
	#[arg(long, value_name = "AIT", required_if_eq_any = [("choice", "aye"), ("choice", "nay")])]
	amount: Option<String>,
	/// Track of the referendum, to take a vote back once it is over.
	#[arg(long, value_name = "TRACK")]
	track: Option<TrackName>,
	#[command(flatten)]
	by: SubmitArgs,
}

/// Arguments of `gov delegate`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("to_whom").required(true).args(["to", "nobody"]))]
pub struct DelegateArgs {
	/// The account that votes.
	#[arg(value_name = "ADDRESS", value_parser = parse_account, requires = "amount")]
	to: Option<[u8; 32]>,
	/// End the delegation: nobody else votes with one's AIT.
	#[arg(long, conflicts_with = "amount")]
	nobody: bool,
	/// With so much AIT, such as 100 or 0.5.
	#[arg(long, value_name = "AIT")]
	amount: Option<String>,
	/// On this track.
	#[arg(long, value_name = "TRACK")]
	track: TrackName,
	#[command(flatten)]
	by: SubmitArgs,
}

/// A referendum, and who signs.
#[derive(Args)]
pub struct ReferendumArgs {
	/// Number of the referendum.
	#[arg(value_name = "N")]
	index: u32,
	#[command(flatten)]
	by: SubmitArgs,
}

/// Arguments of `gov unlock`.
#[derive(Args)]
pub struct UnlockArgs {
	/// The account; else the one that signs.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	account: Option<[u8; 32]>,
	/// The track on which it has voted.
	#[arg(long, value_name = "TRACK")]
	track: TrackName,
	#[command(flatten)]
	by: SubmitArgs,
}

/// What was done.
#[derive(Serialize)]
struct Done {
	account: String,
	/// Number of the referendum, if it is about one.
	#[serde(skip_serializing_if = "Option::is_none")]
	referendum: Option<u32>,
	/// Hash of the call that was proposed.
	#[serde(skip_serializing_if = "Option::is_none")]
	hash: Option<String>,
	block: String,
	transaction: String,
}

impl Done {
	fn new(account: &[u8; 32], referendum: Option<u32>, included: &Included) -> Self {
		let (block, transaction) = (included.block, included.transaction);
		Self {
			account: address(account),
			referendum,
			hash: None,
			block: format!("{block:#x}"),
			transaction: format!("{transaction:#x}"),
		}
	}
}

/// Runs one `gridproof gov` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Propose(args) => propose(&args, out).await,
		Command::Vote(args) => vote(&args, out).await,
		Command::Delegate(args) => delegate(&args, out).await,
		Command::List(args) => show::list(&args, out).await,
		Command::Show(args) => show::show(&args, out).await,
		Command::Deposit(args) => {
			let (index, deposit) = (args.index, referenda::place_decision_deposit(args.index));
			sent(&args.by, &deposit, Some(index), "its decision begins", out).await
		},
		Command::Refund(args) => refund(&args, out).await,
		Command::Unlock(args) => unlock(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

/// Sends a call, and says what is done then.
async fn sent(
	by: &SubmitArgs,
	call: &Call,
	referendum: Option<u32>,
	done: &str,
	out: &Output,
) -> anyhow::Result<()> {
	let account = by.account()?;
	let chain = by.connect().await?;
	let spinner = out.spinner("waiting for finality");
	let included = by.submit(&chain, &account, call).await;
	spinner.finish_and_clear();
	let shown = Done::new(&account.account(), referendum, &included?);
	out.result(&shown, |shown| format!("{done}\nfinal in block {}", shown.block))
}

async fn propose(args: &ProposeArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.by.account()?;
	let chain = args.by.connect().await?;
	let (track, patience) = (Track::from(args.track), args.by.patience());
	let spinner = out.spinner("waiting for finality");
	let proposed = chain.propose(&account, track, &args.call, args.no_deposit, &patience).await;
	spinner.finish_and_clear();
	let Proposed { index, hash, included } = proposed?;
	let mut shown = Done::new(&account.account(), Some(index), &included);
	shown.hash = Some(format!("{hash:#x}"));
	let next = if args.no_deposit {
		format!("it is not decided before gridproof gov deposit {index}")
	} else {
		format!("gridproof gov show {index} shows what it would change")
	};
	out.result(&shown, |shown| {
		let track = track.as_str();
		format!("referendum {index} on the track {track}\n{next}\nfinal in block {}", shown.block)
	})
}

/// Reads an amount of AIT above zero.
fn ait(amount: Option<&str>) -> anyhow::Result<u128> {
	let amount = amount.ok_or_else(|| usage("how much AIT votes? Name it with --amount"))?;
	match Unit::AIT.parse(amount).map_err(usage)? {
		0 => Err(usage("name an amount above zero")),
		amount => Ok(amount),
	}
}

async fn vote(args: &VoteArgs, out: &Output) -> anyhow::Result<()> {
	let index = args.index;
	if args.choice == Choice::Nothing {
		let track = match args.track {
			Some(track) => Track::from(track),
			None => track_of(&args.by, index).await?,
		};
		let call = call::remove_vote(Some(track), index);
		let done = format!(
			"the vote on referendum {index} is taken back: gridproof gov unlock --track {} releases what voted",
			track.as_str()
		);
		return sent(&args.by, &call, Some(index), &done, out).await;
	}
	let (is_aye, amount) = (args.choice == Choice::Aye, ait(args.amount.as_deref())?);
	let choice = if is_aye { "for" } else { "against" };
	let done = format!("{} {choice} referendum {index}", Unit::AIT.show(amount));
	sent(&args.by, &call::vote(index, is_aye, amount), Some(index), &done, out).await
}

/// Returns the track of a referendum, which the chain knows as long as it is not over.
async fn track_of(by: &SubmitArgs, index: u32) -> anyhow::Result<Track> {
	match by.connect().await?.referendum(index).await? {
		Some(Referendum::Ongoing(ongoing)) => Track::numbered(ongoing.track)
			.ok_or_else(|| usage("this program does not know its track: use a newer one")),
		Some(_) => Err(usage("it is over: name its track with --track")),
		None => Err(usage(format!("there is no referendum {index}: see gridproof gov list"))),
	}
}

async fn delegate(args: &DelegateArgs, out: &Output) -> anyhow::Result<()> {
	let track = Track::from(args.track);
	let on = track.as_str();
	let Some(to) = args.to else {
		let done = format!("nobody else votes on the track {on} with this account's AIT");
		return sent(&args.by, &call::undelegate(track), None, &done, out).await;
	};
	let amount = ait(args.amount.as_deref())?;
	let done = format!("{} votes on the track {on} with {}", address(&to), Unit::AIT.show(amount));
	sent(&args.by, &call::delegate(track, to, amount), None, &done, out).await
}

async fn unlock(args: &UnlockArgs, out: &Output) -> anyhow::Result<()> {
	let account = match args.account {
		Some(account) => account,
		None => args.by.account()?.account(),
	};
	let call = call::unlock(args.track.into(), account);
	let done =
		format!("what {} has voted with is free as far as its time is over", address(&account));
	sent(&args.by, &call, None, &done, out).await
}

/// Returns whatever deposits of a referendum there are to be returned.
async fn refund(args: &ReferendumArgs, out: &Output) -> anyhow::Result<()> {
	let index = args.index;
	let referendum = args.by.connect().await?.referendum(index).await?;
	let (submission, decision) = match referendum {
		None => {
			return Err(usage(format!("there is no referendum {index}: see gridproof gov list")));
		},
		Some(Referendum::Ongoing(_)) => {
			return Err(usage(format!("referendum {index} is not over: wait for its end")));
		},
		Some(
			Referendum::Approved(_, submission, decision)
			| Referendum::Cancelled(_, submission, decision),
		) => (submission.is_some(), decision.is_some()),
		// Who proposes what is rejected does not get that deposit back.
		Some(Referendum::Rejected(_, _, decision) | Referendum::TimedOut(_, _, decision)) => {
			(false, decision.is_some())
		},
		Some(Referendum::Killed(_)) => (false, false),
	};
	let mut calls = Vec::new();
	if decision {
		calls.push(referenda::refund_decision_deposit(index));
	}
	if submission {
		calls.push(referenda::refund_submission_deposit(index));
	}
	let both =
		"both deposits are returned: the one for its decision, and the one of who proposed it";
	let (call, done) = match (calls.pop(), calls.pop()) {
		(None, _) => {
			return Err(usage(format!("referendum {index} has no deposit that returns")));
		},
		(Some(one), None) if decision => (one, "the deposit for its decision is returned"),
		(Some(one), None) => (one, "the deposit of who proposed it is returned"),
		(Some(second), Some(first)) => (utility::call::batch_all(vec![first, second]), both),
	};
	sent(&args.by, &call, Some(index), done, out).await
}
