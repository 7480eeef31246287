//! A decision, and who makes it.

use crate::{args::GovernorArgs, exit::usage};
use anyhow::Context;
use clap::Args;
use gridproof_chain::{Call, governance::Power};
use gridproof_keys::account::parse_account;
use gridproof_support::files;
use serde::de::DeserializeOwned;
use std::path::PathBuf;

/// A decision, and who makes it.
#[derive(Args)]
pub struct Decide<T: Args> {
	#[command(flatten)]
	pub what: T,
	/// Make the call as the chain's emergency account, which can stop and loosen nothing.
	#[arg(long)]
	emergency: bool,
	#[command(flatten)]
	by: GovernorArgs,
}

/// A decision as the chain takes it.
pub struct Order<'a> {
	/// The call, before it is wrapped.
	pub call: Call,
	/// In which capacity it is made.
	pub power: Power,
	/// Who makes it.
	pub by: &'a GovernorArgs,
	/// What has happened once it is made, for people.
	pub done: String,
}

impl<T: Args> Decide<T> {
	/// Returns the decision that is this call; `done` says what has happened then.
	pub fn order(&self, call: Call, done: impl Into<String>) -> Order<'_> {
		let power = if self.emergency { Power::Emergency } else { Power::Root };
		Order { call, power, by: &self.by, done: done.into() }
	}
}

/// Account that it is about.
#[derive(Args)]
pub struct AccountArgs {
	/// The account that is meant.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	pub account: [u8; 32],
}

/// Account that it is about, or nobody.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("who").required(true).args(["account", "nobody"]))]
pub struct SomebodyArgs {
	/// The account that is meant.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	pub account: Option<[u8; 32]>,
	/// Nobody.
	#[arg(long)]
	nobody: bool,
}

/// Nothing further.
#[derive(Args)]
pub struct NothingArgs {}

/// Parameters of a pallet.
#[derive(Args)]
pub struct ParametersArgs {
	/// All of them as JSON, in the form of a chain's genesis.
	#[arg(value_name = "FILE")]
	file: PathBuf,
}

impl ParametersArgs {
	/// Returns what the file says.
	///
	/// # Errors
	/// It cannot be read, or is not in the form of these parameters.
	pub fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
		let path = self.file.display();
		let bytes = files::read(&self.file).with_context(|| format!("cannot read {path}"))?;
		serde_json::from_slice(&bytes).map_err(|error| usage(format!("{path}: {error}")))
	}
}
