//! Decisions about compute: coordinators, miners, the emission.

use super::decide::{AccountArgs, Decide, Order, ParametersArgs};
use crate::{args::keys::file_or_public_key, exit::usage};
use clap::{Args, Subcommand, ValueEnum};
use gridproof_chain::pallets::{compute_checks::call as checks, compute_receipts::call};
use gridproof_keys::account::address;
use gridproof_primitives::{
	compute::{
		AitPerAicp, Breaker, ComputeParameters, channels::ChannelParameters,
		checks::CheckParameters,
	},
	crypto::ed25519::PublicKey,
	energy::emlog::parse_utc,
};

/// What can be decided about compute.
#[derive(Subcommand)]
pub enum Compute {
	/// Admit a registered coordinator: jobs can be opened with its quotes.
	AdmitCoordinator(Decide<PartyArgs>),
	/// Exclude a coordinator: its open jobs are settled, no more can be opened.
	ExcludeCoordinator(Decide<PartyArgs>),
	/// State what AICP counts for in the emission, for thirty days, or that it counts for nothing.
	ReferenceRate(Decide<RateArgs>),
	/// Call off what is to be slashed of a party's bond.
	CallOffSlashes(Decide<PartyArgs>),
	/// Ban a miner or coordinator.
	Ban(Decide<BanArgs>),
	/// Return to the reserve what a party has earned and not been paid.
	Forfeit(Decide<PartyArgs>),
	/// Stop the emission of AIT, or jobs as well; or resume both.
	#[command(name = "compute-breaker")]
	Breaker(Decide<BreakerArgs>),
	/// Set the parameters of compute, all of them.
	#[command(name = "compute-parameters")]
	Parameters(Decide<ParametersArgs>),
	/// Set the parameters of channels and of the check window, all of them.
	ChannelParameters(Decide<ParametersArgs>),
	/// Set the parameters of checks, all of them; verifier show --json has the present ones.
	CheckParameters(Decide<ParametersArgs>),
	/// Admit an account as a verifier: it may register a key.
	AdmitVerifier(Decide<AccountArgs>),
	/// Dismiss a verifier: it draws no more.
	DismissVerifier(Decide<AccountArgs>),
	/// Suspend a verifier for fourteen days, as the emergency account.
	SuspendVerifier(Decide<AccountArgs>),
}

/// A miner or coordinator.
#[derive(Args)]
pub struct PartyArgs {
	/// Its public key, as `register` and `status` show it, or its key file.
	#[arg(value_name = "KEY", value_parser = file_or_public_key)]
	key: PublicKey,
}

/// Rate of AIT to AICP.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which_rate").required(true).args(["ait", "none"]))]
pub struct RateArgs {
	/// So many AIT, a whole number, are worth …
	#[arg(long, value_name = "N", requires = "aicp")]
	ait: Option<u64>,
	/// … so many AICP, a whole number.
	#[arg(long, value_name = "N", requires = "ait")]
	aicp: Option<u64>,
	/// AICP counts for nothing.
	#[arg(long)]
	none: bool,
}

/// Party and time of a ban.
#[derive(Args)]
pub struct BanArgs {
	/// The party's public key.
	#[arg(value_name = "KEY", value_parser = file_or_public_key)]
	key: PublicKey,
	/// Until when, such as 2026-12-31T00:00:00Z; a time in the past ends a ban.
	#[arg(long, value_name = "TIME", value_parser = time)]
	until: u64,
}

/// How much is stopped.
#[derive(Clone, Copy, ValueEnum)]
pub enum Level {
	/// Nothing.
	Nothing,
	/// The emission of AIT.
	Minting,
	/// The emission, and opening and settling of jobs.
	Everything,
}

/// How much is to be stopped.
#[derive(Args)]
pub struct BreakerArgs {
	/// What is to be stopped.
	level: Level,
}

fn time(text: &str) -> Result<u64, String> {
	parse_utc(text).map_err(|error| error.to_string())
}

fn shown(key: &PublicKey) -> String {
	format!("0x{}", hex::encode(key))
}

impl Compute {
	/// Returns the call that it is, and who makes it.
	///
	/// # Errors
	/// What is wrong with an argument or a file.
	pub fn order(&self) -> anyhow::Result<Order<'_>> {
		Ok(match self {
			Self::AdmitCoordinator(of) => {
				let key = &of.what.key;
				let done = format!("coordinator {} is admitted", shown(key));
				of.order(call::admit_coordinator(key), done)
			},
			Self::ExcludeCoordinator(of) => {
				let key = &of.what.key;
				let done = format!("coordinator {} is excluded", shown(key));
				of.order(call::exclude_coordinator(key), done)
			},
			Self::ReferenceRate(of) => {
				let RateArgs { ait, aicp, .. } = of.what;
				let rate = ait.zip(aicp).map(|(ait, aicp)| AitPerAicp { ait, aicp });
				let done = rate.map_or("AICP counts for nothing".to_string(), |rate| {
					format!("{} AIT count as much as {} AICP, for thirty days", rate.ait, rate.aicp)
				});
				of.order(call::set_reference_rate(rate), done)
			},
			Self::CallOffSlashes(of) => {
				let key = &of.what.key;
				let done = format!("nothing of the bond of {} is slashed", shown(key));
				of.order(call::call_off_slashes(key), done)
			},
			Self::Ban(of) => {
				let BanArgs { key, until } = &of.what;
				of.order(call::ban(key, *until), format!("{} is banned until then", shown(key)))
			},
			Self::Forfeit(of) => {
				let key = &of.what.key;
				let done = format!("what {} had earned is returned", shown(key));
				of.order(call::forfeit(key), done)
			},
			Self::Breaker(of) => {
				let (level, done) = match of.what.level {
					Level::Nothing => (Breaker::Closed, "nothing of compute is stopped"),
					Level::Minting => (Breaker::MintStopped, "the emission is stopped"),
					Level::Everything => (Breaker::AllStopped, "the emission and jobs are stopped"),
				};
				of.order(call::set_breaker(level), done)
			},
			Self::Parameters(of) => {
				let new: ComputeParameters = of.what.read()?;
				new.check().map_err(|error| usage(error.to_string()))?;
				of.order(call::set_parameters(&new), "compute has new parameters")
			},
			Self::ChannelParameters(of) => {
				let new: ChannelParameters = of.what.read()?;
				new.check().map_err(|error| usage(error.to_string()))?;
				of.order(call::set_channel_parameters(&new), "channels have new parameters")
			},
			Self::CheckParameters(of) => {
				// The chain checks them: they have to fit those of compute and of channels.
				let new: CheckParameters = of.what.read()?;
				of.order(checks::set_parameters(&new), "checks have new parameters")
			},
			Self::AdmitVerifier(of) => {
				let account = of.what.account;
				let done = format!("{} may register as a verifier", address(&account));
				of.order(checks::admit_verifier(account), done)
			},
			Self::DismissVerifier(of) => {
				let account = of.what.account;
				let done = format!("{} is dismissed as a verifier", address(&account));
				of.order(checks::dismiss_verifier(account), done)
			},
			Self::SuspendVerifier(of) => {
				let account = of.what.account;
				let done = format!("{} is suspended for fourteen days", address(&account));
				of.order(checks::suspend_verifier(account), done)
			},
		})
	}
}
