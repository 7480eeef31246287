//! One Ed25519 key in a file.
//!
//! A key file is readable by its owner only, is never overwritten, and holds the secret either
//! plain or encrypted, with everything else in the file as associated data.

use crate::{
	KeyError,
	sealed::{Plain, Sealed, random},
};
use gridproof_primitives::crypto::ed25519::{PublicKey, Signature};
use gridproof_support::files::{self, SECRET};
use serde::{Deserialize, Serialize};
use sp_core::{Pair, ed25519::Pair as Ed25519Pair, sr25519::Pair as Sr25519Pair};
use std::{fmt, path::Path};
use zeroize::Zeroizing;

/// What the `format` of a key file says.
const FORMAT: &str = "gridproof-key";
/// The `format` of the files of attestation roles, which have a `role` instead of kind and label.
const ROLE_FORMAT: &str = "gridproof-role-key";
/// The version of key files written here.
const VERSION: u32 = 1;
/// Most characters in a label.
const MAX_LABEL: usize = 200;

/// What a key is for. A key of one kind is refused where another is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
	/// An attestation role; the label is the role's name.
	Role,
	/// A meter's device; the label is `site/device/meter`.
	Device,
	/// A gateway that signs for meters that cannot.
	Gateway,
	/// A coordinator of compute jobs.
	Coordinator,
	/// A miner.
	Miner,
	/// A client's channel: it signs vouchers.
	Channel,
	/// A verifier: an sr25519 key, which draws checks and signs reports.
	Verifier,
}

impl Kind {
	/// Its name in files.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Role => "role",
			Self::Device => "device",
			Self::Gateway => "gateway",
			Self::Coordinator => "coordinator",
			Self::Miner => "miner",
			Self::Channel => "channel",
			Self::Verifier => "verifier",
		}
	}
}

impl fmt::Display for Kind {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// A key that lives in a file: Ed25519, or, of a verifier, sr25519. Its secret is wiped from memory when
/// dropped.
///
/// ```
/// # fn main() -> Result<(), gridproof_keys::KeyError> {
/// use gridproof_keys::{KeyError, Kind, SealedKey};
/// let folder = tempfile::tempdir().expect("a folder");
/// let path = folder.path().join("meter.json");
/// let key = SealedKey::generate(Kind::Device, Some("PLANT-01/gw-1/MTR-1"))?;
/// key.save(&path, None)?;
/// let needed = || Err(KeyError::PassphraseNeeded("meter.json".to_string()));
/// let again = SealedKey::load_as(&path, Kind::Device, needed)?;
/// assert_eq!(again.sign(b"message"), key.sign(b"message"));
/// # Ok(()) }
/// ```
pub struct SealedKey {
	seed: Zeroizing<[u8; 32]>,
	public: PublicKey,
	kind: Option<Kind>,
	label: Option<String>,
}

/// What may be shown of a key file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicPart {
	/// What it was made for; `None` for a bare seed.
	pub kind: Option<Kind>,
	/// For whom.
	pub label: Option<String>,
	/// The public key, 64 hexadecimal digits.
	pub public: String,
	/// Is the secret encrypted?
	pub encrypted: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
	format: String,
	version: u32,
	#[serde(skip_serializing_if = "Option::is_none")]
	role: Option<String>,
	#[serde(skip_serializing_if = "Option::is_none")]
	kind: Option<Kind>,
	#[serde(skip_serializing_if = "Option::is_none")]
	label: Option<String>,
	public: String,
	#[serde(skip_serializing_if = "Option::is_none")]
	secret: Option<Plain>,
	#[serde(skip_serializing_if = "Option::is_none")]
	encrypted: Option<Sealed>,
}

impl KeyFile {
	fn of(key: &SealedKey) -> Self {
		let is_role = matches!(key.kind, None | Some(Kind::Role));
		let label = key.label.clone();
		let (role, label) = if is_role { (label, None) } else { (None, label) };
		Self {
			format: if is_role { ROLE_FORMAT } else { FORMAT }.to_string(),
			version: VERSION,
			role,
			kind: key.kind.filter(|_| !is_role),
			label,
			public: hex::encode(key.public),
			secret: None,
			encrypted: None,
		}
	}

	fn parse(path: &Path, text: &str) -> Result<Self, KeyError> {
		// The parser's own words could quote the secret.
		let file: Self = serde_json::from_str(text)
			.map_err(|error| KeyError::bad_file(path, format!("line {}", error.line())))?;
		let complete = match file.format.as_str() {
			ROLE_FORMAT => file.kind.is_none() && file.label.is_none(),
			FORMAT => file.role.is_none() && file.kind.is_some_and(|kind| kind != Kind::Role),
			_ => false,
		};
		if !complete || file.version != VERSION {
			return Err(KeyError::bad_file(path, "of another format or version"));
		}
		Ok(file)
	}

	fn kind(&self) -> Option<Kind> {
		self.kind.or(self.role.as_ref().map(|_| Kind::Role))
	}

	fn label(&self) -> Option<String> {
		self.role.clone().or_else(|| self.label.clone())
	}

	/// What is authenticated along with the secret: everything else in the file.
	fn known(&self) -> String {
		let whose = match self.kind {
			None => self.role.as_deref().unwrap_or("none").to_string(),
			Some(kind) => format!("{kind}|{}", self.label.as_deref().unwrap_or_default()),
		};
		format!("{}|{}|{whose}|{}", self.format, self.version, self.public)
	}
}

impl SealedKey {
	/// A new key of that kind. The label says whose it is.
	///
	/// # Errors
	/// [`KeyError::NoRandom`].
	pub fn generate(kind: Kind, label: Option<&str>) -> Result<Self, KeyError> {
		Ok(Self::from_seed(random()?, Some(kind), label))
	}

	/// The key of a 32-byte seed: as RFC 8032 has it, of a verifier as Substrate's sr25519 has it. Without a kind there is no label.
	pub fn from_seed(seed: Zeroizing<[u8; 32]>, kind: Option<Kind>, label: Option<&str>) -> Self {
		let public = match kind {
			Some(Kind::Verifier) => Sr25519Pair::from_seed(&seed).public().0,
			_ => Ed25519Pair::from_seed(&seed).public().0,
		};
		let label = label.filter(|_| kind.is_some()).map(str::to_string);
		Self { seed, public, kind, label }
	}

	/// Returns a verifier's key whose secret everybody knows: that of a development account, such as
	/// `//Alice//stash`. `None` of any other text.
	pub fn development_verifier(uri: &str) -> Option<Self> {
		let is_development = uri.starts_with("//") && !uri.contains("///");
		let (_, seed) =
			Sr25519Pair::from_string_with_seed(uri, None).ok().filter(|_| is_development)?;
		Some(Self::from_seed(Zeroizing::new(seed?), Some(Kind::Verifier), None))
	}

	/// The public key.
	pub const fn public(&self) -> &PublicKey {
		&self.public
	}

	/// What it was made for; `None` for a bare seed.
	pub const fn kind(&self) -> Option<Kind> {
		self.kind
	}

	/// Whose it is.
	pub fn label(&self) -> Option<&str> {
		self.label.as_deref()
	}

	/// Signs a message: with Ed25519, a verifier's key with sr25519.
	pub fn sign(&self, message: &[u8]) -> Signature {
		match self.pair() {
			Some(pair) => pair.sign(message).0,
			None => Ed25519Pair::from_seed(&self.seed).sign(message).0,
		}
	}

	/// Returns the pair with which a verifier draws; `None` of a key of another kind.
	pub fn pair(&self) -> Option<Sr25519Pair> {
		(self.kind == Some(Kind::Verifier)).then(|| Sr25519Pair::from_seed(&self.seed))
	}

	/// Writes a new key file with mode 0600, encrypted if there is a passphrase.
	///
	/// # Errors
	/// [`KeyError::Exists`], [`KeyError::BadLabel`], [`KeyError::Io`], [`KeyError::NoRandom`].
	pub fn save(&self, path: &Path, passphrase: Option<&[u8]>) -> Result<(), KeyError> {
		let good = |label: &str| {
			(1..=MAX_LABEL).contains(&label.chars().count()) && !label.chars().any(char::is_control)
		};
		if !self.label().is_none_or(good) {
			return Err(KeyError::BadLabel);
		}
		let mut file = KeyFile::of(self);
		match passphrase {
			None => file.secret = Some(Plain(hex::encode(*self.seed))),
			Some(passphrase) => {
				file.encrypted = Some(Sealed::seal(&*self.seed, passphrase, &file.known(), path)?);
			},
		}
		let bad = |error: serde_json::Error| KeyError::bad_file(path, error.to_string());
		let mut text = Zeroizing::new(serde_json::to_string_pretty(&file).map_err(bad)?);
		text.push('\n');
		files::create(path, text.as_bytes(), SECRET).map_err(|reason| KeyError::io(path, reason))
	}

	/// Reads a key file, or a file with nothing but the seed in hexadecimal digits. `passphrase`
	/// is asked only if the key is encrypted.
	///
	/// # Errors
	/// [`KeyError`]; files that others may read or write are refused.
	pub fn load(
		path: &Path,
		passphrase: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyError>,
	) -> Result<Self, KeyError> {
		let text = files::read_private(path)?;
		if let Some(seed) = bare_seed(&text) {
			return Ok(Self::from_seed(seed, None, None));
		}
		let file = KeyFile::parse(path, &text)?;
		let mut seed = Zeroizing::new([0; 32]);
		match (&file.secret, &file.encrypted) {
			(Some(secret), None) => hex::decode_to_slice(&secret.0, &mut *seed)
				.map_err(|_| KeyError::bad_file(path, "secret is not 32 bytes"))?,
			(None, Some(sealed)) => {
				seed.copy_from_slice(&sealed.open(&passphrase()?, &file.known(), 32, path)?);
			},
			_ => return Err(KeyError::bad_file(path, "one of secret and encrypted is needed")),
		}
		let key = Self::from_seed(seed, file.kind(), file.label().as_deref());
		if hex::encode(key.public) != file.public {
			return Err(KeyError::bad_file(path, "public is not the secret's public key"));
		}
		Ok(key)
	}

	/// As [`Self::load`], refusing a key that was made for something else.
	///
	/// # Errors
	/// [`KeyError`], among them [`KeyError::Other`].
	pub fn load_as(
		path: &Path,
		wanted: Kind,
		passphrase: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyError>,
	) -> Result<Self, KeyError> {
		let key = Self::load(path, passphrase)?;
		match key.kind {
			Some(is) if is != wanted => Err(KeyError::Other {
				path: path.display().to_string(),
				is: format!("a {is}"),
				wanted: format!("a {wanted}"),
			}),
			_ => Ok(key),
		}
	}
}

/// What may be shown of a key file, without its passphrase.
///
/// # Errors
/// [`KeyError`].
pub fn show(path: &Path) -> Result<PublicPart, KeyError> {
	let text = files::read_private(path)?;
	let is_plain = bare_seed(&text).is_some() || KeyFile::parse(path, &text)?.secret.is_some();
	if is_plain {
		// Also checks that the public key is the secret's.
		let needed = || Err(KeyError::PassphraseNeeded(path.display().to_string()));
		let key = SealedKey::load(path, needed)?;
		let public = hex::encode(key.public);
		return Ok(PublicPart { kind: key.kind, label: key.label, public, encrypted: false });
	}
	let file = KeyFile::parse(path, &text)?;
	let encrypted = file.encrypted.is_some();
	let (kind, label) = (file.kind(), file.label());
	Ok(PublicPart { kind, label, public: file.public, encrypted })
}

/// The seed in a file that holds nothing else.
fn bare_seed(text: &str) -> Option<Zeroizing<[u8; 32]>> {
	let digits = text.trim();
	let mut seed = Zeroizing::new([0; 32]);
	hex::decode_to_slice(digits.strip_prefix("0x").unwrap_or(digits), &mut *seed).ok()?;
	Some(seed)
}
