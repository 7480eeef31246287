//! Decisions about the reserve: roles, statements, the issuer, coverage, the treasury.

use super::decide::{Decide, NothingArgs, Order, ParametersArgs, SomebodyArgs};
use crate::{
	args::{amount::Unit, keys::public_key},
	exit::usage,
};
use clap::{Args, Subcommand, ValueEnum};
use gridproof_chain::{
	Call,
	pallets::{attestations, coverage_policy, treasury},
	tokens::Token,
};
use gridproof_keys::account::{address, parse_account};
use gridproof_primitives::{
	crypto::ed25519::PublicKey,
	reserve::{
		attestation::{Kind, Role},
		parameters::PolicyParameters,
		state::Breaker,
	},
};

/// What can be decided about the reserve.
#[derive(Subcommand)]
pub enum Reserve {
	/// Pin the key of an attestation role, or take it away.
	RoleKey(Decide<RoleKeyArgs>),
	/// Open a kind of statement, or close it.
	Kind(Decide<KindArgs>),
	/// Stop statements.
	StopStatements(Decide<NothingArgs>),
	/// Accept statements again.
	ResumeStatements(Decide<NothingArgs>),
	/// End a role's stop of the mint.
	EndStop(Decide<StopArgs>),
	/// Prolong a role's stop of the mint, once.
	ProlongStop(Decide<StopArgs>),
	/// Appoint the issuer of AICP, or nobody.
	Issuer(Decide<SomebodyArgs>),
	/// Stop minting AICP, or redemption as well; or resume both.
	#[command(name = "reserve-breaker")]
	Breaker(Decide<BreakerArgs>),
	/// Set the parameters of the coverage policy, all of them.
	#[command(name = "reserve-parameters")]
	Parameters(Decide<ParametersArgs>),
	/// Approve a spend of the treasury, which anybody can have paid out within 30 days.
	Spend(Decide<SpendArgs>),
}

/// A role and its key.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which_key").required(true).args(["key", "none"]))]
pub struct RoleKeyArgs {
	/// The role: data, risk or ops.
	#[arg(value_name = "ROLE")]
	role: Role,
	/// Its public key, as `gridproof keys show` prints it.
	#[arg(value_name = "KEY", value_parser = public_key)]
	key: Option<PublicKey>,
	/// Take its key away.
	#[arg(long)]
	none: bool,
}

/// A kind of statement.
#[derive(Args)]
pub struct KindArgs {
	/// The kind: reserve or rehearsal.
	#[arg(value_name = "KIND", value_parser = kind)]
	kind: Kind,
	/// Close it instead of opening it.
	#[arg(long)]
	close: bool,
}

/// A role's stop.
#[derive(Args)]
pub struct StopArgs {
	/// The role that stopped: data, risk or ops.
	#[arg(value_name = "ROLE")]
	role: Role,
	/// The number of its stop, as `gridproof attest stops` shows it.
	#[arg(value_name = "NUMBER")]
	number: u32,
}

/// How much is stopped.
#[derive(Clone, Copy, ValueEnum)]
pub enum Level {
	/// Nothing.
	Nothing,
	/// Minting.
	Minting,
	/// Minting and redemption.
	Everything,
}

/// How much is to be stopped.
#[derive(Args)]
pub struct BreakerArgs {
	/// What is to be stopped.
	level: Level,
}

/// Amount and receiver of a spend.
#[derive(Args)]
pub struct SpendArgs {
	/// The amount in tokens, such as 12.5.
	#[arg(long, value_name = "X")]
	amount: String,
	/// The token: ait, aicp or kwh.
	#[arg(long, value_name = "TOKEN", default_value = "aicp")]
	token: Token,
	/// The account that receives it.
	#[arg(long, value_name = "ADDRESS", value_parser = parse_account)]
	to: [u8; 32],
}

fn kind(text: &str) -> Result<Kind, String> {
	let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
	known.ok_or_else(|| "it is reserve or rehearsal".to_string())
}

fn spend(args: &SpendArgs) -> anyhow::Result<(Call, String)> {
	let unit = Unit::Token(args.token);
	let amount = unit.parse(&args.amount).map_err(usage)?;
	if amount == 0 {
		return Err(usage("name an amount above zero"));
	}
	let call = match args.token.asset() {
		None => treasury::call::spend_native(amount, args.to),
		Some(asset) => treasury::call::spend(asset, amount, args.to),
	};
	let (amount, to) = (unit.show(amount), address(&args.to));
	Ok((call, format!("{amount} for {to} are approved: anybody can have them paid out")))
}

impl Reserve {
	/// Returns the call that it is, and who makes it.
	///
	/// # Errors
	/// What is wrong with an argument or a file.
	pub fn order(&self) -> anyhow::Result<Order<'_>> {
		use attestations::call as statements;
		Ok(match self {
			Self::RoleKey(of) => {
				let RoleKeyArgs { role, key, .. } = of.what;
				let word = if key.is_some() { "has the key" } else { "has no key" };
				of.order(statements::rotate_key(role, key), format!("the role {role} {word}"))
			},
			Self::Kind(of) => {
				let KindArgs { kind, close } = of.what;
				let word = if close { "closed" } else { "open" };
				let done = format!("statements of the kind {kind} are {word}");
				of.order(statements::set_kind_open(kind, !close), done)
			},
			Self::StopStatements(of) => of.order(statements::pause(), "statements are stopped"),
			Self::ResumeStatements(of) => {
				of.order(statements::resume(), "statements are accepted again")
			},
			Self::EndStop(of) => {
				let StopArgs { role, number } = of.what;
				of.order(
					statements::end_stop(role, number),
					format!("the stop of {role} has ended"),
				)
			},
			Self::ProlongStop(of) => {
				let StopArgs { role, number } = of.what;
				let done = format!("the stop of {role} holds longer");
				of.order(statements::prolong_stop(role, number), done)
			},
			Self::Issuer(of) => {
				let who = of.what.account.map_or("nobody".to_string(), |who| address(&who));
				let call = coverage_policy::call::set_issuer(of.what.account);
				of.order(call, format!("the issuer is {who}"))
			},
			Self::Breaker(of) => {
				let (level, done) = match of.what.level {
					Level::Nothing => (Breaker::Closed, "nothing of the reserve is stopped"),
					Level::Minting => (Breaker::MintStopped, "minting of AICP is stopped"),
					Level::Everything => {
						(Breaker::AllStopped, "minting and redemption of AICP are stopped")
					},
				};
				of.order(coverage_policy::call::set_breaker(level), done)
			},
			Self::Parameters(of) => {
				let new: PolicyParameters = of.what.read()?;
				new.check().map_err(|error| usage(error.to_string()))?;
				let call = coverage_policy::call::set_parameters(&new);
				of.order(call, "the coverage policy has new parameters")
			},
			Self::Spend(of) => {
				let (call, done) = spend(&of.what)?;
				of.order(call, done)
			},
		})
	}
}
