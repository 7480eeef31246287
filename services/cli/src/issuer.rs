//! `gridproof policy issuer`.

use crate::{
	args::{MetricsArgs, NodeArgs, PassphraseArgs, PayerArgs, amount::aicp},
	output::Output,
};
use clap::Args;
use gridproof_attest::{ChainDesk, Issuer, IssuerMetrics, IssuerSettings};
use gridproof_chain::Link;
use gridproof_support::stop;
use std::time::Duration;

/// Arguments of `policy issuer`.
#[derive(Args)]
pub struct IssuerArgs {
	/// Seconds between two questions for the allowance. After a failure they grow up to five
	/// minutes.
	#[arg(long, value_name = "SECONDS", default_value_t = 5,
		value_parser = clap::value_parser!(u64).range(1..=3600))]
	every: u64,
	/// AICP of each day's allowance to leave to others who mint, such as a person with the same key.
	#[arg(long, value_name = "X", default_value = "0", value_parser = aicp)]
	leave: u128,
	#[command(flatten)]
	metrics: MetricsArgs,
	#[command(flatten)]
	issuer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Runs `gridproof policy issuer` until it is stopped.
pub async fn run(args: &IssuerArgs, out: &Output) -> anyhow::Result<()> {
	let key = args.issuer.load(&args.passphrase)?;
	let desk = ChainDesk::new(Link::new(args.node.url()), key, args.node.patience());
	let every = Duration::from_secs(args.every);
	let settings = IssuerSettings { every, leave: args.leave, ..IssuerSettings::default() };
	let metrics = IssuerMetrics::new()?;
	let stop = stop::on_signals()?;
	let figures = metrics.all();
	args.metrics.serve(move || figures.render(), &stop, out).await?;
	Issuer::new(desk, settings, metrics).run(&stop).await?;
	Ok(())
}
