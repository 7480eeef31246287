//! Wallets: an account from a BIP-39 phrase, in an encrypted file.
//!
//! The file holds the phrase's entropy, never a derived key, so that the phrase can be shown again
//! to its owner. Scheme, path and public key stand beside it in the clear and are authenticated.

use crate::{
	AccountKey, KeyError,
	account::address,
	derive::{self, Scheme},
	sealed::{Sealed, random},
};
use bip39::{Language, Mnemonic};
use gridproof_support::files::{self, SECRET};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

pub use crate::derive::Path as DerivationPath;

/// What the `format` of a wallet's file says.
const FORMAT: &str = "gridproof-wallet";
/// The version of wallets written here.
const VERSION: u32 = 1;

/// How many words a new phrase has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
	/// 128 bits of entropy.
	Twelve,
	/// 256 bits of entropy.
	TwentyFour,
}

/// An account and the phrase it comes from. The phrase is wiped from memory when dropped.
pub struct Wallet {
	entropy: Zeroizing<Vec<u8>>,
	scheme: Scheme,
	path: DerivationPath,
	key: AccountKey,
}

/// What may be shown of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
	/// The account's address on this chain.
	pub address: String,
	/// The account, 64 hexadecimal digits.
	pub account: String,
	/// The public key in hexadecimal digits.
	pub public: String,
	/// How it signs.
	pub scheme: Scheme,
	/// How it comes from the phrase.
	pub path: DerivationPath,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WalletFile {
	format: String,
	version: u32,
	scheme: Scheme,
	path: DerivationPath,
	address: String,
	account: String,
	public: String,
	encrypted: Sealed,
}

impl Wallet {
	/// An account from a new phrase.
	///
	/// # Errors
	/// [`KeyError::NoRandom`], [`KeyError::BadPath`].
	pub fn generate(
		words: Words,
		scheme: Scheme,
		path: Option<DerivationPath>,
	) -> Result<Self, KeyError> {
		let length = match words {
			Words::Twelve => 16,
			Words::TwentyFour => 32,
		};
		Self::from_entropy(Zeroizing::new(random()?[..length].to_vec()), scheme, path)
	}

	/// The account of a phrase; `path` by default is [`Scheme::default_path`].
	///
	/// # Errors
	/// [`KeyError::BadPhrase`], a wrong checksum among them; [`KeyError::BadPath`].
	pub fn import(
		phrase: &str,
		scheme: Scheme,
		path: Option<DerivationPath>,
	) -> Result<Self, KeyError> {
		let phrase = derive::parse_phrase(phrase)?;
		Self::from_entropy(Zeroizing::new(phrase.to_entropy()), scheme, path)
	}

	fn from_entropy(
		entropy: Zeroizing<Vec<u8>>,
		scheme: Scheme,
		path: Option<DerivationPath>,
	) -> Result<Self, KeyError> {
		let path = path.unwrap_or_else(|| scheme.default_path());
		let key = derive::account_key(&mnemonic(&entropy)?, scheme, &path)?;
		Ok(Self { entropy, scheme, path, key })
	}

	/// Returns the phrase, which is all that is needed to own the account.
	///
	/// # Errors
	/// None in practice; entropy that is none is refused before.
	pub fn phrase(&self) -> Result<Zeroizing<String>, KeyError> {
		Ok(Zeroizing::new(mnemonic(&self.entropy)?.to_string()))
	}

	/// The key that signs.
	pub const fn key(&self) -> &AccountKey {
		&self.key
	}

	/// What may be shown.
	pub fn shown(&self) -> Shown {
		let account = self.key.account();
		Shown {
			address: address(&account),
			account: hex::encode(account),
			public: hex::encode(self.key.public()),
			scheme: self.scheme,
			path: self.path.clone(),
		}
	}

	/// Writes a new file with mode 0600, encrypted with `passphrase`.
	///
	/// # Errors
	/// [`KeyError::PassphraseEmpty`], [`KeyError::Exists`], [`KeyError::Io`],
	/// [`KeyError::NoRandom`].
	pub fn save(&self, path: &Path, passphrase: &[u8]) -> Result<(), KeyError> {
		if passphrase.is_empty() {
			return Err(KeyError::PassphraseEmpty);
		}
		let shown = self.shown();
		let encrypted = Sealed::seal(&self.entropy, passphrase, &known(&shown), path)?;
		let file = WalletFile {
			format: FORMAT.to_string(),
			version: VERSION,
			scheme: shown.scheme,
			path: shown.path,
			address: shown.address,
			account: shown.account,
			public: shown.public,
			encrypted,
		};
		let text = serde_json::to_string_pretty(&file)
			.map_err(|error| KeyError::bad_file(path, error.to_string()))?;
		files::create(path, format!("{text}\n").as_bytes(), SECRET)
			.map_err(|reason| KeyError::io(path, reason))
	}

	/// Reads a wallet and decrypts its phrase.
	///
	/// # Errors
	/// [`KeyError`]; files that others may read or write are refused.
	pub fn open(
		path: &Path,
		passphrase: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyError>,
	) -> Result<Self, KeyError> {
		let file = parse(path)?;
		let shown = file.shown();
		let length = file.encrypted.length();
		if !(16..=32).contains(&length) || length % 4 != 0 {
			return Err(KeyError::bad_file(path, "data is not a phrase of 12 to 24 words"));
		}
		let entropy = file.encrypted.open(&passphrase()?, &known(&shown), length, path)?;
		let wallet = Self::from_entropy(entropy, file.scheme, Some(file.path))?;
		if wallet.shown() != shown {
			return Err(KeyError::bad_file(path, "the account is not the phrase's"));
		}
		Ok(wallet)
	}
}

/// What may be shown of a wallet's file, without its passphrase.
///
/// # Errors
/// [`KeyError`].
pub fn show(path: &Path) -> Result<Shown, KeyError> {
	Ok(parse(path)?.shown())
}

/// Is this file a wallet, by its format?
pub(crate) fn is_wallet(text: &str) -> bool {
	#[derive(Deserialize)]
	struct Any {
		format: String,
	}
	serde_json::from_str(text).is_ok_and(|any: Any| any.format == FORMAT)
}

fn parse(path: &Path) -> Result<WalletFile, KeyError> {
	let text = files::read_private(path)?;
	if !is_wallet(&text) {
		return Err(KeyError::bad_file(path, "not a wallet"));
	}
	let file: WalletFile = serde_json::from_str(&text)
		.map_err(|error| KeyError::bad_file(path, format!("line {}", error.line())))?;
	match file.version {
		VERSION => Ok(file),
		_ => Err(KeyError::bad_file(path, "a wallet of another version")),
	}
}

impl WalletFile {
	fn shown(&self) -> Shown {
		Shown {
			address: self.address.clone(),
			account: self.account.clone(),
			public: self.public.clone(),
			scheme: self.scheme,
			path: self.path.clone(),
		}
	}
}

/// What is authenticated along with the phrase.
fn known(shown: &Shown) -> String {
	let Shown { address, account, public, scheme, path } = shown;
	format!("{FORMAT}|{VERSION}|{scheme}|{path}|{address}|{account}|{public}")
}

fn mnemonic(entropy: &[u8]) -> Result<Mnemonic, KeyError> {
	Mnemonic::from_entropy_in(Language::English, entropy)
		.map_err(|_| KeyError::BadPhrase("not 12 to 24 words".to_string()))
}
