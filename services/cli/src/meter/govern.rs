//! `gridproof meter admit-organisation`, `electrician`: what comes after an organisation was registered.

use crate::{
	args::{GovernorArgs, NodeArgs, PassphraseArgs, PayerArgs, governor::ShownDecision},
	output::Output,
};
use clap::{Args, Subcommand};
use gridproof_chain::{Call, Chain, governance::Power, pallets::meter_readings::call};
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
	by: GovernorArgs,
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

/// Admits an organisation that waits for it, or revokes one.
pub async fn admit(args: &AdmitArgs, out: &Output) -> anyhow::Result<()> {
	let (wanted, word) = if args.revoke {
		(OrganisationStanding::Revoked, "revoked")
	} else {
		(OrganisationStanding::Admitted, "admitted")
	};
	let call = call::set_organisation_standing(args.organisation, wanted);
	let decision = args.by.decide(Power::Root, &call, out).await?;
	out.result(&ShownDecision::from(&decision), |shown| {
		shown.text(&format!("organisation {} is {word}", args.organisation))
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
