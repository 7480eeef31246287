//! `gridproof govern apply-upgrade`: what anybody does once an upgrade is authorized.

use super::network::code_of;
use crate::{args::SubmitArgs, exit::usage, output::Output};
use clap::Args;
use gridproof_chain::pallets::{
	multisig,
	system::{
		call,
		event::{CodeUpdated, RejectedInvalidAuthorizedUpgrade},
	},
};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `govern apply-upgrade`.
#[derive(Args)]
pub struct ApplyArgs {
	/// The code that was authorized.
	#[arg(long, value_name = "FILE")]
	code: PathBuf,
	#[command(flatten)]
	by: SubmitArgs,
}

/// What it did.
#[derive(Serialize)]
struct Applied {
	/// Blake2-256 of the code.
	code_hash: String,
	block: String,
}

/// Brings the code.
pub async fn apply(args: &ApplyArgs, out: &Output) -> anyhow::Result<()> {
	let code = code_of(&args.code)?;
	let account = args.by.account()?;
	let chain = args.by.connect().await?;
	let spinner = out.spinner("waiting for finality");
	let included = args.by.submit(&chain, &account, &call::apply_authorized_upgrade(&code)).await;
	spinner.finish_and_clear();
	let included = included?;
	if included.first::<RejectedInvalidAuthorizedUpgrade>().is_ok() {
		return Err(usage(
			"the code cannot replace the runtime: raise its spec_version, or build the runtime of this chain; \
			 then authorize it again",
		));
	}
	included.first::<CodeUpdated>()?;
	let code_hash = format!("0x{}", hex::encode(multisig::hash(&code)));
	let applied = Applied { code_hash, block: format!("{:#x}", included.block) };
	out.result(&applied, |applied| {
		format!(
			"the next block runs on the code {}\nfinal in block {}",
			applied.code_hash, applied.block
		)
	})
}
