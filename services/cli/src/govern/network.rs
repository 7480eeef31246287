//! Decisions about the network: authorities, stops, the runtime, governance itself.

use super::decide::{AccountArgs, Decide, NothingArgs, Order, SomebodyArgs};
use crate::args::keys::public_key;
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_chain::{
	Call,
	pallets::{authorities, brakes, multisig, safe_mode, sudo, system, tx_pause},
};
use gridproof_keys::account::{address, parse_account};
use gridproof_primitives::H256;
use gridproof_support::files;
use std::path::{Path, PathBuf};

/// What can be decided about the network.
#[derive(Subcommand)]
pub enum Network {
	/// Let an authority in again that voted twice or made two blocks for one slot.
	LetIn(Decide<AccountArgs>),
	/// Name the account that may stop and loosen nothing, or nobody.
	EmergencyAccount(Decide<SomebodyArgs>),
	/// Stop everything but the ways out, for a day.
	EnterSafeMode(Decide<NothingArgs>),
	/// Leave safe mode.
	LeaveSafeMode(Decide<NothingArgs>),
	/// Pause one call of the chain.
	PauseCall(Decide<CallNameArgs>),
	/// Let a paused call be made again.
	UnpauseCall(Decide<CallNameArgs>),
	/// Authorize the next runtime by its code's hash; anybody brings the code then.
	AuthorizeUpgrade(Decide<UpgradeArgs>),
	/// Hand governance over to another account, such as one of several signers.
	HandOver(Decide<HandOverArgs>),
	/// Make any other call, given in SCALE as wallets show it.
	Call(Decide<CallArgs>),
}

/// A call by its names.
#[derive(Args)]
pub struct CallNameArgs {
	/// The name of its pallet, as wallets show it, with a capital.
	#[arg(value_name = "PALLET")]
	pallet: String,
	/// Its name, with underscores.
	#[arg(value_name = "CALL")]
	call: String,
}

/// The next runtime.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which_code").required(true).args(["code", "hash"]))]
pub struct UpgradeArgs {
	/// The code, as it will be brought: its hash is made here.
	#[arg(long, value_name = "FILE")]
	code: Option<PathBuf>,
	/// The code's blake2-256 hash.
	#[arg(long, value_name = "0x…", value_parser = public_key)]
	hash: Option<[u8; 32]>,
}

/// The account that governs from then on.
#[derive(Args)]
pub struct HandOverArgs {
	/// The account that governs from then on.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	account: [u8; 32],
	/// Do it without asking again: the present account decides nothing any more.
	#[arg(long, required = true)]
	for_good: bool,
}

/// A call in SCALE.
#[derive(Args)]
pub struct CallArgs {
	/// The call: 0x and hexadecimal digits.
	#[arg(value_name = "0x…", value_parser = whole)]
	call: Call,
}

/// Reads a call in SCALE.
pub(crate) fn whole(text: &str) -> Result<Call, String> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let bytes = hex::decode(digits).ok().filter(|bytes| bytes.len() > 1);
	bytes.map(Call::whole).ok_or_else(|| "write 0x and the call's hexadecimal digits".to_string())
}

/// Largest code that is read, in bytes: above what fits into a block.
const MAX_CODE: u64 = 8 << 20;

/// Reads a runtime's code.
pub(super) fn code_of(path: &Path) -> anyhow::Result<Vec<u8>> {
	files::read_up_to(path, MAX_CODE).with_context(|| format!("cannot read {}", path.display()))
}

impl UpgradeArgs {
	fn hash(&self) -> anyhow::Result<H256> {
		let Some(path) = &self.code else { return Ok(H256(self.hash.unwrap_or_default())) };
		Ok(H256(multisig::hash(&code_of(path)?)))
	}
}

impl Network {
	/// Returns the call that it is, and who makes it.
	///
	/// # Errors
	/// What is wrong with a file.
	pub fn order(&self) -> anyhow::Result<Order<'_>> {
		Ok(match self {
			Self::LetIn(of) => {
				let account = of.what.account;
				let done = format!("{} is in again from the second session on", address(&account));
				of.order(authorities::call::let_in(account), done)
			},
			Self::EmergencyAccount(of) => {
				let who = of.what.account.map_or("nobody".to_string(), |who| address(&who));
				let call = brakes::call::set_emergency_account(of.what.account);
				of.order(call, format!("the emergency account is {who}"))
			},
			Self::EnterSafeMode(of) => {
				of.order(safe_mode::call::force_enter(), "the chain is in safe mode")
			},
			Self::LeaveSafeMode(of) => {
				of.order(safe_mode::call::force_exit(), "the chain has left safe mode")
			},
			Self::PauseCall(of) => {
				let CallNameArgs { pallet, call } = &of.what;
				of.order(tx_pause::call::pause(pallet, call), format!("{pallet}.{call} is paused"))
			},
			Self::UnpauseCall(of) => {
				let CallNameArgs { pallet, call } = &of.what;
				of.order(
					tx_pause::call::unpause(pallet, call),
					format!("{pallet}.{call} can be made again"),
				)
			},
			Self::AuthorizeUpgrade(of) => {
				let hash = of.what.hash()?;
				let done = format!("the code {hash:#x} is authorized: anybody can bring it");
				of.order(system::call::authorize_upgrade(hash), done)
			},
			Self::HandOver(of) => {
				let account = of.what.account;
				let done = format!("{} governs the chain", address(&account));
				of.order(sudo::call::set_key(account), done)
			},
			Self::Call(of) => of.order(of.what.call.clone(), "the call is made"),
		})
	}
}
