//! Accounts: their addresses, and the keys that sign for them.

use crate::KeyError;
use gridproof_support::{Classified, Failure, files::read_private};
use sp_core::{
	Pair,
	crypto::{AccountId32, DEV_PHRASE, Ss58AddressFormat, Ss58Codec},
	ed25519::{Pair as Ed25519Pair, Signature as Ed25519Signature},
	sr25519::{Pair as Sr25519Pair, Signature as Sr25519Signature},
};
use std::{fmt, path::Path, str::FromStr};
use subxt_signer::{SecretUri, ecdsa};
use zeroize::Zeroizing;

pub use subxt_signer::sr25519::Keypair;

pub use gridproof_primitives::num::units::SS58_PREFIX;
/// The number in addresses that are for any network.
const SS58_GENERIC: u16 = 42;

/// A signature of an account, as the chain's `MultiSignature` distinguishes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountSignature {
	/// Schnorr over Ristretto.
	Sr25519([u8; 64]),
	/// Ed25519.
	Ed25519([u8; 64]),
	/// ECDSA over secp256k1, with the recovery number.
	Ecdsa([u8; 65]),
}

impl AccountSignature {
	/// Returns its bytes as the chain's `MultiSignature` is encoded: a byte for the scheme (0 Ed25519, 1
	/// sr25519, 2 ECDSA), then the signature.
	pub fn to_bytes(&self) -> Vec<u8> {
		let (scheme, signature): (u8, &[u8]) = match self {
			Self::Ed25519(bytes) => (0, bytes),
			Self::Sr25519(bytes) => (1, bytes),
			Self::Ecdsa(bytes) => (2, bytes),
		};
		[&[scheme], signature].concat()
	}

	/// Reads what [`Self::to_bytes`] returns; `None` if it is something else.
	pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
		let (scheme, signature) = bytes.split_first()?;
		match scheme {
			0 => signature.try_into().ok().map(Self::Ed25519),
			1 => signature.try_into().ok().map(Self::Sr25519),
			2 => signature.try_into().ok().map(Self::Ecdsa),
			_ => None,
		}
	}

	/// Returns `true` if it is `account`'s signature of a message.
	pub fn verifies(&self, message: &[u8], account: &[u8; 32]) -> bool {
		match self {
			Self::Sr25519(bytes) => {
				let signature = Sr25519Signature::from(*bytes);
				Sr25519Pair::verify(&signature, message, &(*account).into())
			},
			Self::Ed25519(bytes) => {
				let signature = Ed25519Signature::from(*bytes);
				Ed25519Pair::verify(&signature, message, &(*account).into())
			},
			Self::Ecdsa(bytes) => {
				let key = sp_core::ecdsa::Signature::from(*bytes).recover(message);
				key.is_some_and(|key| ecdsa::PublicKey(key.0).to_account_id().0 == *account)
			},
		}
	}
}

/// A key that signs transactions for an account, of any scheme that the chain takes.
///
/// Takes an sr25519 [`Keypair`] by `into()`; wallets give theirs by [`crate::Wallet::open`].
#[derive(Clone)]
pub struct AccountKey {
	key: Key,
	is_development: bool,
}

#[derive(Clone)]
enum Key {
	Sr25519(Box<Keypair>),
	Ed25519(Zeroizing<[u8; 32]>, [u8; 32]),
	Secp256k1(Box<ecdsa::Keypair>),
}

impl From<Keypair> for AccountKey {
	fn from(key: Keypair) -> Self {
		Self::of(Key::Sr25519(Box::new(key)))
	}
}

impl fmt::Debug for AccountKey {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "AccountKey({})", address(&self.account()))
	}
}

impl AccountKey {
	const fn of(key: Key) -> Self {
		Self { key, is_development: false }
	}

	/// The key of a development account, whose secret everybody knows, such as `//Alice`.
	///
	/// # Errors
	/// As [`development_signer`].
	pub fn development(uri: &str) -> Result<Self, AccountError> {
		Ok(Self { is_development: true, ..development_signer(uri)?.into() })
	}

	/// Does everybody know its secret? Then it is of use on development chains only.
	pub const fn is_development(&self) -> bool {
		self.is_development
	}

	/// The Ed25519 key of a seed, as RFC 8032 has it.
	pub fn ed25519(seed: Zeroizing<[u8; 32]>) -> Self {
		let public = Ed25519Pair::from_seed(&seed).public().0;
		Self::of(Key::Ed25519(seed, public))
	}

	/// The secp256k1 key of a scalar; `None` if it is zero or not below the group's order.
	pub fn secp256k1(scalar: &Zeroizing<[u8; 32]>) -> Option<Self> {
		let key = ecdsa::Keypair::from_secret_key(**scalar).ok()?;
		Some(Self::of(Key::Secp256k1(Box::new(key))))
	}

	/// The account: the public key, or the BLAKE2b-256 hash of a secp256k1 key's compressed form.
	pub fn account(&self) -> [u8; 32] {
		match &self.key {
			Key::Sr25519(key) => key.public_key().0,
			Key::Ed25519(_, public) => *public,
			Key::Secp256k1(key) => key.public_key().to_account_id().0,
		}
	}

	/// The public key: 32 bytes, or 33 of a secp256k1 key.
	pub fn public(&self) -> Vec<u8> {
		match &self.key {
			Key::Secp256k1(key) => key.public_key().0.to_vec(),
			_ => self.account().to_vec(),
		}
	}

	/// Signs a transaction's payload, or any message.
	pub fn sign(&self, message: &[u8]) -> AccountSignature {
		match &self.key {
			Key::Sr25519(key) => AccountSignature::Sr25519(key.sign(message).0),
			Key::Ed25519(seed, _) => {
				AccountSignature::Ed25519(Ed25519Pair::from_seed(seed).sign(message).0)
			},
			Key::Secp256k1(key) => AccountSignature::Ecdsa(key.sign(message).0),
		}
	}
}

/// Why the key of an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
	/// The file is not usable.
	#[error(transparent)]
	Key(#[from] KeyError),
	/// The text is not the secret of an account.
	#[error("{0} is not an account key: write a seed (0x and 64 digits) or a secret phrase")]
	NoSecret(String),
	/// A secret other than a development account's stands on a command line, where others can read it.
	#[error(
		"--suri takes development accounts such as //Alice only: others can read a command line; \
		 put the secret into a file with mode 0600 and name it with --account-key"
	)]
	SecretInTheOpen,
}

impl Classified for AccountError {
	fn failure(&self) -> Failure {
		match self {
			Self::Key(error) => error.failure(),
			Self::NoSecret(_) | Self::SecretInTheOpen => Failure::USAGE,
		}
	}
}

/// The account of an address: in this chain's form, in the generic form, or 0x and 64 digits.
///
/// # Errors
/// What is wrong with it.
pub fn parse_account(text: &str) -> Result<[u8; 32], String> {
	if let Some(digits) = text.strip_prefix("0x") {
		let mut account = [0; 32];
		hex::decode_to_slice(digits, &mut account).map_err(|_| "not 32 bytes in hexadecimal")?;
		return Ok(account);
	}
	let (account, network) = AccountId32::from_ss58check_with_version(text)
		.map_err(|_| "not an address: its checksum or length is wrong")?;
	match network.prefix() {
		SS58_PREFIX | SS58_GENERIC => Ok(account.into()),
		other => Err(format!("an address of network {other}, not of this one ({SS58_PREFIX})")),
	}
}

/// The address of an account, in this chain's form.
pub fn address(account: &[u8; 32]) -> String {
	AccountId32::new(*account).to_ss58check_with_version(Ss58AddressFormat::custom(SS58_PREFIX))
}

/// The key whose secret stands in a file: a seed in hexadecimal digits or a secret phrase, either
/// with a derivation path if need be. What is derived from the development phrase is known as a
/// development account, wherever it is kept.
///
/// # Errors
/// [`AccountError::Key`] if others may read the file too; [`AccountError::NoSecret`].
pub fn load_signer(path: &Path) -> Result<AccountKey, AccountError> {
	let text = read_private(path).map_err(KeyError::from)?;
	let secret = text.lines().next().unwrap_or_default().trim();
	let bare_seed = secret.len() == 64 && secret.bytes().all(|digit| digit.is_ascii_hexdigit());
	let secret = Zeroizing::new(format!("{}{secret}", if bare_seed { "0x" } else { "" }));
	let key = signer(&secret).ok_or_else(|| AccountError::NoSecret(path.display().to_string()))?;
	// A path alone is one of the development phrase.
	let is_development = secret.starts_with('/') || secret.starts_with(DEV_PHRASE);
	Ok(AccountKey { is_development, ..key.into() })
}

/// The key of a development account, whose secret everybody knows, such as `//Alice`.
///
/// # Errors
/// [`AccountError::SecretInTheOpen`] for every other secret.
pub fn development_signer(uri: &str) -> Result<Keypair, AccountError> {
	let known = uri.starts_with("//").then(|| signer(uri)).flatten();
	known.ok_or(AccountError::SecretInTheOpen)
}

fn signer(secret: &str) -> Option<Keypair> {
	// An empty text would be the well-known development phrase.
	let secret = Some(secret).filter(|secret| !secret.is_empty())?;
	Keypair::from_uri(&SecretUri::from_str(secret).ok()?).ok()
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{fs, os::unix::fs::PermissionsExt};

	const ALICE: &str = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

	fn alice() -> [u8; 32] {
		parse_account(&format!("0x{ALICE}")).unwrap()
	}

	#[test]
	fn addresses_of_this_chain_and_generic_ones_are_read() {
		let generic = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		assert_eq!(parse_account(generic), Ok(alice()));
		assert_eq!(parse_account(&address(&alice())), Ok(alice()));
		let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
		let refusal = parse_account(polkadot).unwrap_err();
		assert_eq!(refusal, "an address of network 0, not of this one (7341)");
		let mistyped = generic.replace("5Grw", "5Grv");
		assert!(parse_account(&mistyped).unwrap_err().contains("checksum"));
		assert!(parse_account("0x00").is_err());
	}

	#[test]
	fn only_public_secrets_may_stand_on_a_command_line() {
		let key = development_signer("//Alice").unwrap();
		assert_eq!(key.public_key().0, alice());
		let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
		let hidden = [phrase.to_string(), format!("{phrase}//Alice"), format!("0x{ALICE}")];
		for secret in hidden.iter().map(String::as_str).chain(["", "Alice"]) {
			let error = development_signer(secret).err().unwrap();
			assert!(matches!(error, AccountError::SecretInTheOpen));
			assert!(!error.to_string().contains("bottom") && !error.to_string().contains(ALICE));
		}
	}

	#[test]
	fn a_development_account_is_known_as_one() {
		assert!(AccountKey::development("//Alice").unwrap().is_development());
		assert!(AccountKey::development("//Ferdie//stash").unwrap().is_development());
		assert!(!AccountKey::ed25519(Zeroizing::new([7; 32])).is_development());
	}

	#[test]
	fn a_signature_of_each_scheme_is_its_accounts_and_survives_being_sent() {
		let keys = [
			AccountKey::development("//Alice").unwrap(),
			AccountKey::ed25519(Zeroizing::new([7; 32])),
			AccountKey::secp256k1(&Zeroizing::new([7; 32])).unwrap(),
		];
		for key in &keys {
			let bytes = key.sign(b"this").to_bytes();
			let signature = AccountSignature::from_bytes(&bytes).unwrap();
			assert!(signature.verifies(b"this", &key.account()), "{key:?}");
			assert!(!signature.verifies(b"that", &key.account()), "{key:?}");
			for other in keys.iter().filter(|other| other.account() != key.account()) {
				assert!(!signature.verifies(b"this", &other.account()), "{key:?} {other:?}");
			}
			assert_eq!(AccountSignature::from_bytes(&bytes[..bytes.len() - 1]), None);
			assert_eq!(AccountSignature::from_bytes(&[&[3], &bytes[1..]].concat()), None);
		}
		assert_eq!(AccountSignature::from_bytes(&[]), None);
	}

	#[test]
	fn a_key_file_is_a_seed_or_a_phrase_and_private() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		let load = |text: &str, mode| {
			fs::write(&path, text).unwrap();
			fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
			load_signer(&path).map(|key| (key.account(), key.is_development()))
		};
		// The seed of //Alice.
		let seed = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
		assert_eq!(load(seed, 0o600).unwrap(), (alice(), false));
		assert_eq!(load(&format!("0x{seed}\n"), 0o600).unwrap(), (alice(), false));
		let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk//Alice";
		assert_eq!(load(phrase, 0o400).unwrap(), (alice(), true));
		assert_eq!(load("//Alice\n", 0o400).unwrap(), (alice(), true));
		assert!(matches!(load(seed, 0o640), Err(AccountError::Key(KeyError::Loose { .. }))));
		for text in ["", "{\"secret\":\"00\"}", &seed[1..]] {
			let error = load(text, 0o600).unwrap_err();
			assert!(matches!(error, AccountError::NoSecret(_)), "{error}");
		}
	}
}
