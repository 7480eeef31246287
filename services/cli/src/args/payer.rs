//! Whose account signs and pays.

use super::keys::{PassphraseArgs, ask};
use crate::exit::usage;
use anyhow::Context;
use clap::Args;
use gridproof_keys::{
	AccountKey, Wallet,
	account::{development_signer, load_signer},
};
use std::path::{Path, PathBuf};

/// The account that signs the transaction and pays its fee.
#[derive(Args, Clone)]
#[group(id = "payer", multiple = false)]
pub struct PayerArgs {
	/// Wallet of the account that signs and pays; its passphrase is asked for, or read from
	/// --passphrase-file.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_WALLET", group = "payer")]
	wallet: Option<PathBuf>,
	/// File, mode 0600, with the account's secret in its first line: a seed in hexadecimal digits
	/// or a secret phrase, either with a derivation path if it has one.
	#[arg(
		long,
		alias = "suri-file",
		value_name = "FILE",
		env = "GRIDPROOF_ACCOUNT_KEY",
		group = "payer"
	)]
	account_key: Option<PathBuf>,
	/// A development account, such as //Alice. Other secrets are not accepted here, since others
	/// can read a command line.
	#[arg(long, value_name = "//NAME", env = "GRIDPROOF_SURI", group = "payer")]
	suri: Option<String>,
}

impl PayerArgs {
	/// Returns the account's key.
	pub fn load(&self, passphrase: &PassphraseArgs) -> anyhow::Result<AccountKey> {
		self.load_if_named(passphrase)?.ok_or_else(|| {
			usage("whose account signs? Name it with --wallet, --account-key or --suri")
		})
	}

	/// Returns the account's key, if one is named.
	pub fn load_if_named(&self, passphrase: &PassphraseArgs) -> anyhow::Result<Option<AccountKey>> {
		if let Some(path) = &self.wallet {
			return Ok(Some(open_wallet(path, passphrase)?.key().clone()));
		}
		if let Some(path) = &self.account_key {
			return Ok(Some(key_file(path)?));
		}
		self.suri.as_deref().map(development).transpose()
	}
}

/// Opens a wallet.
pub fn open_wallet(path: &Path, passphrase: &PassphraseArgs) -> anyhow::Result<Wallet> {
	Wallet::open(path, || ask(path, passphrase))
		.with_context(|| format!("cannot use the wallet {}", path.display()))
}

/// Returns the key of a file with an account's secret.
pub fn key_file(path: &Path) -> anyhow::Result<AccountKey> {
	let key = load_signer(path);
	Ok(key.with_context(|| format!("cannot use the key {}", path.display()))?.into())
}

/// Returns the key of a development account.
pub fn development(uri: &str) -> anyhow::Result<AccountKey> {
	Ok(development_signer(uri)?.into())
}
