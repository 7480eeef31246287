//! `gridproof govern`.

mod compute;
mod decide;
mod energy;
pub(crate) mod network;
mod reserve;
mod upgrade;
mod waiting;

use crate::{args::governor::ShownDecision, output::Output};
use clap::Subcommand;
use decide::Order;
use std::process::ExitCode;

/// What `gridproof govern` can do.
#[derive(Subcommand)]
pub enum Command {
	#[command(flatten)]
	Energy(energy::Energy),
	#[command(flatten)]
	Reserve(reserve::Reserve),
	#[command(flatten)]
	Compute(compute::Compute),
	#[command(flatten)]
	Network(network::Network),
	/// Bring the code of an upgrade that was authorized; anybody may, and the fee is returned.
	ApplyUpgrade(upgrade::ApplyArgs),
	/// Show who governs the chain and who may stop it.
	Show(waiting::ShowArgs),
	/// Print the address of an account of several signers.
	Account(waiting::AccountArgs),
	/// List the calls that wait for signers of an account.
	Pending(waiting::PendingArgs),
	/// Withdraw a call that the signer has proposed; the deposit returns.
	Cancel(waiting::CancelArgs),
}

/// Runs one `gridproof govern` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Energy(what) => decide(what.order(), out).await,
		Command::Reserve(what) => decide(what.order()?, out).await,
		Command::Compute(what) => decide(what.order()?, out).await,
		Command::Network(what) => decide(what.order()?, out).await,
		Command::ApplyUpgrade(args) => upgrade::apply(&args, out).await,
		Command::Show(args) => waiting::show(&args, out).await,
		Command::Account(args) => waiting::account(&args, out),
		Command::Pending(args) => waiting::pending(&args, out).await,
		Command::Cancel(args) => waiting::cancel(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

async fn decide(order: Order<'_>, out: &Output) -> anyhow::Result<()> {
	let Order { call, power, by, done } = order;
	let decision = by.decide(power, &call, out).await?;
	out.result(&ShownDecision::from(&decision), |shown| shown.text(&done))
}
