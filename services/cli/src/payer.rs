//! Whose account pays, and whose key signs, for compute.

use crate::keys::{PassphraseArgs, ask, first_line};
use anyhow::{Context, bail};
use clap::Args;
use gridproof_chain::Patience;
use gridproof_keys::{
	AccountKey, Kind, SealedKey, Wallet,
	account::{development_signer, load_signer},
};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// The account that pays.
#[derive(Args, Clone)]
#[group(id = "payer", multiple = false)]
pub struct PayerArgs {
	/// The wallet of the account that pays; its passphrase is asked for, or read from
	/// --passphrase-file.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_WALLET", group = "payer")]
	wallet: Option<PathBuf>,
	/// File, mode 0600, with the account's secret in its first line: a seed in hexadecimal digits
	/// or a secret phrase.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_ACCOUNT_KEY", group = "payer")]
	account_key: Option<PathBuf>,
	/// A development account, such as //Alice. No other secret is taken here, since others can
	/// read a command line.
	#[arg(long, value_name = "//NAME", group = "payer")]
	suri: Option<String>,
}

/// Where to send, and how long to wait.
#[derive(Args, Clone)]
pub struct NodeArgs {
	/// The node.
	#[arg(long, value_name = "WS", default_value = "ws://127.0.0.1:9944")]
	pub url: String,
	/// Seconds to wait for finality before it is sent again.
	#[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
	timeout: u64,
	/// How often it is sent before that is given up.
	#[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
	attempts: u32,
}

impl NodeArgs {
	/// How long to wait.
	pub fn patience(&self) -> Patience {
		let per_attempt = Duration::from_secs(self.timeout);
		Patience { per_attempt, attempts: self.attempts, ..Patience::default() }
	}
}

impl PayerArgs {
	/// The account's key.
	pub fn load(&self, passphrase: &PassphraseArgs) -> anyhow::Result<AccountKey> {
		match self.load_if_named(passphrase)? {
			Some(key) => Ok(key),
			None => bail!("whose account pays? Name it with --wallet, --account-key or --suri"),
		}
	}

	/// The account's key, if one is named.
	pub fn load_if_named(&self, passphrase: &PassphraseArgs) -> anyhow::Result<Option<AccountKey>> {
		if let Some(path) = &self.wallet {
			let wallet = Wallet::open(path, || ask(path, passphrase))
				.with_context(|| format!("cannot use the wallet {}", path.display()))?;
			return Ok(Some(wallet.key().clone()));
		}
		if let Some(path) = &self.account_key {
			let key = load_signer(path)
				.with_context(|| format!("cannot use the key {}", path.display()))?;
			return Ok(Some(key.into()));
		}
		match &self.suri {
			Some(uri) => Ok(Some(development_signer(uri)?.into())),
			None => Ok(None),
		}
	}
}

/// The key in a file that was made for `kind`.
pub fn sealed_key(
	path: &Path,
	kind: Kind,
	passphrase: &PassphraseArgs,
) -> anyhow::Result<SealedKey> {
	SealedKey::load_as(path, kind, || ask(path, passphrase))
		.with_context(|| format!("cannot use the key {}", path.display()))
}

/// Makes a key file, encrypted if there is a passphrase file.
pub fn new_sealed_key(
	path: &Path,
	kind: Kind,
	passphrase: &PassphraseArgs,
) -> anyhow::Result<SealedKey> {
	let key = SealedKey::generate(kind, None)?;
	let secret = passphrase.passphrase_file.as_deref().map(first_line).transpose()?;
	key.save(path, secret.as_ref().map(|secret| secret.as_slice()))
		.with_context(|| format!("cannot make the key {}", path.display()))?;
	Ok(key)
}
