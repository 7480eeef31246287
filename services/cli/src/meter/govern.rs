//! `gridproof meter admit-organisation`, `electrician`: what comes after an organisation was registered.

use crate::{
	args::{NodeArgs, PassphraseArgs, PayerArgs},
	exit::usage,
	output::Output,
};
use clap::{Args, Subcommand};
use gridproof_chain::{
	Call, Chain,
	pallets::{
		meter_readings::{call, query},
		sudo,
	},
};
use gridproof_keys::{
	AccountKey,
	account::{address, parse_account},
};
use gridproof_primitives::energy::{OrganisationIndex, OrganisationStanding};
use serde::Serialize;

/// Arguments of `meter admit-organisation`.
#[derive(Args)]
pub struct AdmitArgs {
	/// The organisation: its number, as `meter organise` printed it.
	#[arg(value_name = "INDEX")]
	organisation: OrganisationIndex,
	/// Revoke it instead: its meters mint nothing until it is admitted again.
	#[arg(long)]
	revoke: bool,
	#[command(flatten)]
	governance: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// What `gridproof meter electrician` can do.
#[derive(Subcommand)]
pub enum ElectricianCommand {
	/// Let an electrician certify for an organisation.
	Add(ElectricianArgs),
	/// Let an electrician certify for it no more; what was certified stays.
	Remove(ElectricianArgs),
}

/// Arguments of `meter electrician add` and `remove`.
#[derive(Args)]
pub struct ElectricianArgs {
	/// The electrician's address.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	electrician: [u8; 32],
	/// The organisation, by its number.
	#[arg(long, value_name = "INDEX")]
	organisation: OrganisationIndex,
	#[command(flatten)]
	admin: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// What became of an organisation.
#[derive(Serialize)]
struct Standing {
	organisation: OrganisationIndex,
	standing: OrganisationStanding,
	block: String,
}

/// What became of a membership.
#[derive(Serialize)]
struct Membership {
	organisation: OrganisationIndex,
	electrician: String,
	member: bool,
	block: String,
}

/// Submits a call and returns the final block that has it.
async fn submit(
	chain: &Chain,
	signer: &AccountKey,
	call: &Call,
	node: &NodeArgs,
	out: &Output,
) -> anyhow::Result<String> {
	let spinner = out.spinner("waiting for finality");
	let included = chain.submit(signer, call, &node.patience()).await;
	spinner.finish_and_clear();
	Ok(format!("{:#x}", included?.block))
}

async fn standing(
	chain: &Chain,
	organisation: OrganisationIndex,
) -> anyhow::Result<OrganisationStanding> {
	let found = chain.read(&query::organisation(organisation)).await?;
	let unknown = || usage(format!("the chain does not have an organisation {organisation}"));
	Ok(found.ok_or_else(unknown)?.standing)
}

/// Admits an organisation that waits for it, or revokes one.
pub async fn admit(args: &AdmitArgs, out: &Output) -> anyhow::Result<()> {
	let governance = args.governance.load(&args.passphrase)?;
	let (wanted, word) = if args.revoke {
		(OrganisationStanding::Revoked, "revoked")
	} else {
		(OrganisationStanding::Admitted, "admitted")
	};
	let chain = args.node.connect().await?;
	if standing(&chain, args.organisation).await? == wanted {
		return Err(usage(format!("organisation {} is {word} already", args.organisation)));
	}
	let call = sudo::call::sudo(call::set_organisation_standing(args.organisation, wanted));
	let block = submit(&chain, &governance, &call, &args.node, out).await?;
	// What root wraps can fail without the transaction failing: the chain says what is.
	let standing = standing(&chain, args.organisation).await?;
	if standing != wanted {
		let who = address(&governance.account());
		return Err(usage(format!("nothing has changed: {who} does not govern this chain")));
	}
	let done = Standing { organisation: args.organisation, standing, block };
	out.result(&done, |done| {
		format!("organisation {} is {word}\nfinal in block {}", done.organisation, done.block)
	})
}

/// Changes who certifies for an organisation.
pub async fn electrician(command: &ElectricianCommand, out: &Output) -> anyhow::Result<()> {
	let (args, member) = match command {
		ElectricianCommand::Add(args) => (args, true),
		ElectricianCommand::Remove(args) => (args, false),
	};
	let admin = args.admin.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	standing(&chain, args.organisation).await?;
	let call = if member {
		call::add_member(args.organisation, args.electrician)
	} else {
		call::remove_member(args.organisation, args.electrician)
	};
	let block = submit(&chain, &admin, &call, &args.node, out).await?;
	let electrician = address(&args.electrician);
	let done = Membership { organisation: args.organisation, electrician, member, block };
	out.result(&done, |done| {
		let word = if done.member { "certifies" } else { "does not certify any more" };
		let Membership { organisation, electrician, block, .. } = done;
		format!("{electrician} {word} for organisation {organisation}\nfinal in block {block}")
	})
}
