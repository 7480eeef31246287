//! Whose account signs and pays.

use super::{
	keys::{PassphraseArgs, ask, in_file},
	node::NodeArgs,
};
use crate::exit::usage;
use anyhow::Context;
use clap::Args;
use gridproof_chain::{Call, Chain, Included, Patience};
use gridproof_keys::{AccountKey, Wallet, account::load_signer};
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
			let wallet = open_wallet(path, passphrase);
			return Ok(Some(
				wallet.map_err(|error| in_file(error, "--passphrase-file"))?.key().clone(),
			));
		}
		if let Some(path) = &self.account_key {
			return Ok(Some(key_file(path)?));
		}
		self.suri.as_deref().map(development).transpose()
	}
}

/// Who sends a transaction, and through which node.
#[derive(Args, Clone)]
pub struct SubmitArgs {
	#[command(flatten)]
	payer: PayerArgs,
	// Opens the wallet, and other key files of the same command.
	#[command(flatten)]
	pub passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

impl SubmitArgs {
	/// Returns the account's key.
	pub fn account(&self) -> anyhow::Result<AccountKey> {
		self.payer.load(&self.passphrase)
	}

	/// Connects to the node.
	pub async fn connect(&self) -> anyhow::Result<Chain> {
		self.node.connect().await
	}

	/// Returns how long to wait, and how often to try.
	pub fn patience(&self) -> Patience {
		self.node.patience()
	}

	/// Sends a transaction and follows it until it is final.
	pub async fn submit(
		&self,
		chain: &Chain,
		account: &AccountKey,
		call: &Call,
	) -> anyhow::Result<Included> {
		Ok(chain.submit(account, call, &self.patience()).await?)
	}
}

/// Opens a wallet.
pub fn open_wallet(path: &Path, passphrase: &PassphraseArgs) -> anyhow::Result<Wallet> {
	Wallet::open(path, || ask(path, passphrase))
		.with_context(|| format!("cannot use the wallet {}", path.display()))
}

/// Returns the key of a file with an account's secret.
pub fn key_file(path: &Path) -> anyhow::Result<AccountKey> {
	load_signer(path).with_context(|| format!("cannot use the key {}", path.display()))
}

/// Returns the key of a development account.
pub fn development(uri: &str) -> anyhow::Result<AccountKey> {
	Ok(AccountKey::development(uri)?)
}

/// The account that signs what is free of fees.
#[derive(Args, Clone, Default)]
pub struct SenderArgs {
	/// File, mode 0600, with the secret of the account that signs what is free of fees (statements,
	/// batches, receipts, heartbeats), so that every wallet and explorer can read the blocks that
	/// hold it. It needs the existential deposit and pays nothing. Without one, it goes unsigned.
	#[arg(long, global = true, value_name = "FILE", env = "GRIDPROOF_SENDER_KEY")]
	sender_key: Option<PathBuf>,
	/// The same, as a development account, such as //Alice.
	#[arg(
		long,
		global = true,
		value_name = "//NAME",
		env = "GRIDPROOF_SENDER_SURI",
		conflicts_with = "sender_key"
	)]
	sender_suri: Option<String>,
}

impl SenderArgs {
	/// Returns the account's key, if one is named.
	pub fn load(&self) -> anyhow::Result<Option<AccountKey>> {
		match (&self.sender_key, &self.sender_suri) {
			(Some(path), _) => key_file(path).map(Some),
			(None, Some(uri)) => development(uri).map(Some),
			(None, None) => Ok(None),
		}
	}
}
