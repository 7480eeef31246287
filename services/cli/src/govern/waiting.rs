//! Calls that wait for signers, and the accounts that decide.

use crate::{
	args::{GovernorArgs, UrlArgs},
	exit::usage,
	output::Output,
};
use clap::Args;
use gridproof_chain::governance::{Council, Power};
use gridproof_keys::account::{address, parse_account};
use gridproof_primitives::H256;
use gridproof_support::text::Hex32;
use serde::Serialize;

/// Arguments of `govern show`.
#[derive(Args)]
pub struct ShowArgs {
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `govern account`.
#[derive(Args)]
pub struct AccountArgs {
	/// The signers, all of them.
	#[arg(value_name = "ADDRESS", value_parser = parse_account, required = true)]
	signers: Vec<[u8; 32]>,
	/// How many of them decide together.
	#[arg(long, value_name = "N")]
	threshold: u16,
}

/// Arguments of `govern pending`.
#[derive(Args)]
pub struct PendingArgs {
	/// The account of several signers; without it, those that govern and may stop.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	account: Option<[u8; 32]>,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `govern cancel`.
#[derive(Args)]
pub struct CancelArgs {
	/// The call's hash, as `govern pending` lists it.
	#[arg(value_name = "HASH")]
	hash: Hex32,
	#[command(flatten)]
	by: GovernorArgs,
}

/// Who governs.
#[derive(Serialize)]
struct Governing {
	root: Option<String>,
	emergency: Option<String>,
}

/// A call that waits.
#[derive(Serialize)]
struct Pending {
	account: String,
	hash: String,
	proposed_by: String,
	approved_by: Vec<String>,
	/// Height of the block in which it was proposed.
	since_block: u32,
}

/// A call that was withdrawn.
#[derive(Serialize)]
struct Cancelled {
	hash: String,
	block: String,
}

/// Shows who has which power.
pub async fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let root = chain.holder(Power::Root).await?.map(|account| address(&account));
	let emergency = chain.holder(Power::Emergency).await?.map(|account| address(&account));
	out.result(&Governing { root, emergency }, |found| {
		let or_nobody = |account: &Option<String>| account.clone().unwrap_or("nobody".to_string());
		format!("governs   {}\nemergency {}", or_nobody(&found.root), or_nobody(&found.emergency))
	})
}

/// Prints the account of several signers.
pub fn account(args: &AccountArgs, out: &Output) -> anyhow::Result<()> {
	let (own, others) = args.signers.split_last().ok_or_else(|| usage("name the signers"))?;
	let account = Council::new(*own, others, args.threshold)?.account(*own);
	let answer = serde_json::json!({ "account": address(&account) });
	out.result(&answer, |_| address(&account))
}

/// Lists what waits.
pub async fn pending(args: &PendingArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let accounts: Vec<[u8; 32]> = match args.account {
		Some(account) => vec![account],
		None => [chain.holder(Power::Root).await?, chain.holder(Power::Emergency).await?]
			.into_iter()
			.flatten()
			.collect(),
	};
	let mut all = Vec::new();
	for account in accounts {
		for (hash, waiting) in chain.waiting_calls(account).await? {
			all.push(Pending {
				account: address(&account),
				hash: format!("{hash:#x}"),
				proposed_by: address(&waiting.depositor),
				approved_by: waiting.approvals.iter().map(address).collect(),
				since_block: waiting.when.height,
			});
		}
	}
	out.result(&all, |all| match &all[..] {
		[] => "nothing waits".to_string(),
		all => all.iter().map(pending_text).collect::<Vec<_>>().join("\n"),
	})
}

fn pending_text(pending: &Pending) -> String {
	let Pending { account, hash, approved_by, since_block, .. } = pending;
	format!(
		"{hash} of {account}, since block {since_block}, approved by {}",
		approved_by.join(", ")
	)
}

/// Withdraws a call.
pub async fn cancel(args: &CancelArgs, out: &Output) -> anyhow::Result<()> {
	let signer = args.by.signer.load(&args.by.passphrase)?;
	let council = args.by.council(signer.account())?;
	let council = council
		.ok_or_else(|| usage("whose call? Name the other signers --with and --threshold"))?;
	let chain = args.by.node.connect().await?;
	let spinner = out.spinner("waiting for finality");
	let (hash, patience) = (H256(args.hash.0), args.by.node.patience());
	let included = chain.withdraw_proposal(&signer, &council, hash, &patience).await;
	spinner.finish_and_clear();
	let block = format!("{:#x}", included?.block);
	out.result(&Cancelled { hash: args.hash.to_string(), block }, |done| {
		format!("{} is withdrawn\nfinal in block {}", done.hash, done.block)
	})
}
