//! From a phrase to a key.
//!
//! | scheme | seed | path |
//! |---|---|---|
//! | sr25519 | Substrate's: PBKDF2 over the phrase's entropy | Substrate's junctions; `m/44'/…` is read as `//44//…` |
//! | Ed25519 | BIP-39's | SLIP-0010, hardened steps only |
//! | secp256k1 | BIP-39's | BIP-32 |
//!
//! The first is what polkadot.js and other Substrate wallets do with a phrase, so the same phrase
//! shows the same account there. The second is what general wallets with many coins do for
//! Ed25519 chains, the third what they do for Bitcoin and Ethereum.

use crate::{AccountKey, KeyError, account::Keypair};
use bip39::{Language, Mnemonic};
use bitcoin::{
	NetworkKind,
	bip32::{ChildNumber, Xpriv},
	hashes::{Hash, HashEngine, Hmac, HmacEngine, sha512},
	secp256k1::Secp256k1,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use subxt_signer::SecretUri;
use zeroize::Zeroizing;

/// The first step that is hardened.
const HARDENED: u32 = 1 << 31;
/// Most steps in a path.
const MAX_STEPS: usize = 16;

/// How an account signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
	/// Schnorr over Ristretto, what Substrate wallets use.
	Sr25519,
	/// Ed25519.
	Ed25519,
	/// ECDSA over secp256k1.
	Secp256k1,
}

impl Scheme {
	/// All of them.
	pub const ALL: [Self; 3] = [Self::Sr25519, Self::Ed25519, Self::Secp256k1];

	/// Its name.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Sr25519 => "sr25519",
			Self::Ed25519 => "ed25519",
			Self::Secp256k1 => "secp256k1",
		}
	}

	/// The path if none is named: none for sr25519, as Substrate wallets have it; for the others
	/// the first account of BIP-44 with coin type 354, that of Substrate's relay chain, which
	/// wallets know.
	pub fn default_path(self) -> Path {
		let step = |index: u32| Step { index, hardened: true };
		let soft = |index: u32| Step { index, hardened: false };
		Path(match self {
			Self::Sr25519 => Vec::new(),
			Self::Ed25519 => vec![step(44), step(354), step(0), step(0), step(0)],
			Self::Secp256k1 => vec![step(44), step(354), step(0), soft(0), soft(0)],
		})
	}
}

impl fmt::Display for Scheme {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

impl FromStr for Scheme {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let scheme = Self::ALL.into_iter().find(|scheme| scheme.as_str() == text);
		scheme.ok_or_else(|| "it is sr25519, ed25519 or secp256k1".to_string())
	}
}

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
	/// Below 2^31.
	index: u32,
	hardened: bool,
}

/// A derivation path in BIP-32's notation, such as `m/44'/354'/0'/0'/0'`; `m` alone has no step.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path(Vec<Step>);

impl fmt::Display for Path {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str("m")?;
		let mark = |step: &Step| if step.hardened { "'" } else { "" };
		self.0.iter().try_for_each(|step| write!(f, "/{}{}", step.index, mark(step)))
	}
}

impl From<Path> for String {
	fn from(path: Path) -> Self {
		path.to_string()
	}
}

impl TryFrom<String> for Path {
	type Error = String;

	fn try_from(text: String) -> Result<Self, String> {
		text.parse()
	}
}

impl FromStr for Path {
	type Err = String;

	/// Reads `m/44'/354'/0'`; hardened steps are marked `'`, `h` or `H`.
	fn from_str(text: &str) -> Result<Self, String> {
		let mut parts = text.split('/');
		if parts.next() != Some("m") {
			return Err("a path begins with m, as in m/44'/354'/0'/0'/0'".to_string());
		}
		let steps = parts.map(step).collect::<Result<Vec<_>, _>>()?;
		if steps.len() > MAX_STEPS {
			return Err(format!("a path has {MAX_STEPS} steps at most"));
		}
		Ok(Self(steps))
	}
}

fn step(text: &str) -> Result<Step, String> {
	let digits = text.strip_suffix(['\'', 'h', 'H']);
	let number = digits.unwrap_or(text);
	// Not "+1", nor " 1", nor "".
	let plain = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
	let index = number.parse().ok().filter(|index| plain && *index < HARDENED);
	let index =
		index.ok_or_else(|| format!("{text:?} is not a step: write a number below 2^31"))?;
	Ok(Step { index, hardened: digits.is_some() })
}

/// Reads an English BIP-39 phrase of 12, 15, 18, 21 or 24 words and checks its checksum. Case, line
/// ends and spaces between words do not matter, nor does a byte order mark before them.
///
/// # Errors
/// [`KeyError::BadPhrase`], which names the place of a word that is none, but quotes no word.
pub fn parse_phrase(text: &str) -> Result<Mnemonic, KeyError> {
	let text = text.strip_prefix('\u{feff}').unwrap_or(text);
	let words = Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" "));
	let words = Zeroizing::new(words.to_lowercase());
	let bad = |reason: String| KeyError::BadPhrase(reason);
	let is_word = |word: &str| word.chars().all(char::is_alphabetic);
	if let Some(place) = words.split(' ').position(|word| !is_word(word)) {
		return Err(bad(format!(
			"write the words only, with spaces or line ends between them: at place {} stands \
			 something with a number or a sign",
			place + 1
		)));
	}
	Mnemonic::parse_in_normalized(Language::English, &words).map_err(|error| match error {
		bip39::Error::BadWordCount(count) => {
			bad(format!("it has {count} words; a phrase has 12, 15, 18, 21 or 24"))
		},
		bip39::Error::UnknownWord(index) => bad(format!(
			"word {} is not in the English BIP-39 word list; look for a typing mistake",
			index + 1
		)),
		bip39::Error::InvalidChecksum => {
			bad("its checksum is wrong: a word is mistyped, missing or in another place"
				.to_string())
		},
		_ => bad("it is not an English BIP-39 phrase".to_string()),
	})
}

/// The key of a phrase, by scheme and path. There is no additional BIP-39 password.
///
/// # Errors
/// [`KeyError::BadPath`] if the scheme cannot follow the path.
pub fn account_key(phrase: &Mnemonic, scheme: Scheme, path: &Path) -> Result<AccountKey, KeyError> {
	match scheme {
		Scheme::Sr25519 => sr25519(phrase, path),
		Scheme::Ed25519 => {
			let seed = Zeroizing::new(phrase.to_seed_normalized(""));
			Ok(AccountKey::ed25519(slip10_ed25519(&*seed, path)?.0))
		},
		Scheme::Secp256k1 => {
			let seed = Zeroizing::new(phrase.to_seed_normalized(""));
			let scalar = bip32_secp256k1(&*seed, path)?;
			AccountKey::secp256k1(&scalar)
				.ok_or_else(|| KeyError::BadPath("its key does not exist".to_string()))
		},
	}
}

/// `phrase//44//354//0//0//0`, as Substrate wallets derive; soft steps are `/0`.
fn sr25519(phrase: &Mnemonic, path: &Path) -> Result<AccountKey, KeyError> {
	let mut uri = Zeroizing::new(phrase.to_string());
	for step in &path.0 {
		uri.push_str(if step.hardened { "//" } else { "/" });
		uri.push_str(&step.index.to_string());
	}
	SecretUri::from_str(&uri)
		.ok()
		.and_then(|uri| Keypair::from_uri(&uri).ok())
		.map(AccountKey::from)
		.ok_or_else(|| KeyError::BadPhrase("no sr25519 key comes of it".to_string()))
}

/// A key and its chain code.
type Node = (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>);

/// SLIP-0010 for Ed25519: seed of a private key, and its chain code, from a BIP-39 seed.
///
/// # Errors
/// [`KeyError::BadPath`] if a step is not hardened: there is none such on this curve.
pub fn slip10_ed25519(seed: &[u8], path: &Path) -> Result<Node, KeyError> {
	let mut node = hmac_halves(b"ed25519 seed", &[seed]);
	for step in &path.0 {
		if !step.hardened {
			return Err(KeyError::BadPath(format!(
				"{path}: Ed25519 has hardened steps only; write {}' for {}",
				step.index, step.index
			)));
		}
		let index = (step.index | HARDENED).to_be_bytes();
		node = hmac_halves(&*node.1, &[&[0], &*node.0, &index]);
	}
	Ok(node)
}

fn hmac_halves(key: &[u8], parts: &[&[u8]]) -> Node {
	let mut engine = HmacEngine::<sha512::Hash>::new(key);
	parts.iter().for_each(|part| engine.input(part));
	let whole = Zeroizing::new(Hmac::from_engine(engine).to_byte_array());
	let (mut left, mut right) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
	left.copy_from_slice(&whole[..32]);
	right.copy_from_slice(&whole[32..]);
	(left, right)
}

/// BIP-32 for secp256k1: the private key from a BIP-39 seed.
///
/// # Errors
/// [`KeyError::BadPath`] in the one case of 2^127 in which there is no such key.
pub fn bip32_secp256k1(seed: &[u8], path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyError> {
	let bad = |error: bitcoin::bip32::Error| KeyError::BadPath(format!("{path}: {error}"));
	let child = |step: &Step| {
		let index = step.index;
		if step.hardened { ChildNumber::Hardened { index } } else { ChildNumber::Normal { index } }
	};
	let steps: Vec<ChildNumber> = path.0.iter().map(child).collect();
	let mut master = Xpriv::new_master(NetworkKind::Main, seed).map_err(bad)?;
	let mut key = master.derive_priv(&Secp256k1::new(), &steps).map_err(bad)?;
	let scalar = Zeroizing::new(key.private_key.secret_bytes());
	key.private_key.non_secure_erase();
	master.private_key.non_secure_erase();
	Ok(scalar)
}
