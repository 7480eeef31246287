//! Keys: those of all roles, which a verifier trusts, and one role's own, in a file.
//!
//! A key file is readable by its owner only, is never overwritten, and holds the secret either
//! plain or encrypted (argon2id, then ChaCha20-Poly1305 with everything else in the file as
//! associated data).

use crate::files;
use argon2::{Algorithm, Argon2, Params};
use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Tag};
use gridproof_primitives::{
	attestation::Role,
	ed25519::{self, PublicKey, Signature},
	json::{self, Limits, Value},
};
use serde::{Deserialize, Serialize};
use sp_core::{Pair, ed25519::Pair as Ed25519Pair};
use std::{
	fs::File,
	io::{self, Read},
	os::unix::fs::PermissionsExt,
	path::Path,
};
use zeroize::{Zeroize, Zeroizing};

/// What the `format` of a key file says.
const FORMAT: &str = "gridproof-role-key";
/// The version of key files written here.
const VERSION: u32 = 1;
/// Memory that argon2id takes, in KiB.
const MEMORY_KIB: u32 = 64 * 1024;
/// Passes that argon2id makes.
const PASSES: u32 = 3;
/// Most memory and passes that a file may ask for: a file must not stop the machine.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 64;

/// The public keys of the roles, as the verifier trusts them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RoleKeys([Option<PublicKey>; 3]);

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// Which file.
		path: String,
		/// Why.
		reason: io::Error,
	},
	/// There is a file already.
	#[error("{0} exists already; keys are never overwritten, choose another name")]
	Exists(String),
	/// Others than the owner may read or write a key file.
	#[error("{path} has mode {mode:03o}: others may read the key; run: chmod 600 {path}")]
	Loose {
		/// Which file.
		path: String,
		/// Its permissions.
		mode: u32,
	},
	/// Not a file of this kind.
	#[error("{path} is no key file: {reason}")]
	BadFile {
		/// Which file.
		path: String,
		/// Why.
		reason: String,
	},
	/// The public keys of the roles are not usable.
	#[error("the file of trusted keys is unusable: {0}")]
	BadTrusted(String),
	/// The key is encrypted.
	#[error("{0} is encrypted; give its passphrase")]
	PassphraseNeeded(String),
	/// The passphrase is another, or the file was altered.
	#[error("{0}: wrong passphrase, or the file was altered")]
	WrongPassphrase(String),
	/// The key belongs to another role.
	#[error("{path} is the key of {is}, not of {wanted}")]
	OtherRole {
		/// Which file.
		path: String,
		/// Whose it is.
		is: Role,
		/// Whose was asked for.
		wanted: Role,
	},
	/// The operating system gives no random numbers.
	#[error("no random numbers: {0}")]
	NoRandom(io::Error),
}

impl RoleKeys {
	/// Keys from `{"data":"<hex>","risk":"<hex>","ops":"<hex>"}`. A role may be missing: it then
	/// cannot count.
	///
	/// # Errors
	/// [`KeyFault::BadTrusted`]: other members, keys that are no keys, weak keys, and one key for
	/// two roles, with which one person could sign as two.
	pub fn parse(bytes: &[u8]) -> Result<Self, KeyFault> {
		let bad = |reason: String| KeyFault::BadTrusted(reason);
		let json = json::parse(bytes, Limits::DEFAULT).map_err(|error| bad(error.to_string()))?;
		let members = json.as_object().ok_or_else(|| bad("not a JSON object".to_string()))?;
		let mut keys = Self::default();
		for (name, value) in members {
			let role: Role = name.parse().map_err(|_| bad(format!("unknown role {name:?}")))?;
			let text = value.as_str().unwrap_or_default();
			let mut key = [0; 32];
			hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut key)
				.map_err(|_| bad(format!("{role}: not 32 bytes in hexadecimal digits")))?;
			ed25519::check_key(&key).map_err(|_| bad(format!("{role}: a weak key")))?;
			if keys.0.contains(&Some(key)) {
				return Err(bad(format!("{role}: the same key as another role")));
			}
			keys.0[place(role)] = Some(key);
		}
		Ok(keys)
	}

	/// The key of a role.
	pub const fn get(&self, role: Role) -> Option<&PublicKey> {
		self.0[place(role)].as_ref()
	}
}

const fn place(role: Role) -> usize {
	match role {
		Role::Data => 0,
		Role::Risk => 1,
		Role::Ops => 2,
	}
}

/// A role's own key. Its secret is wiped from memory when dropped.
pub struct RoleKey {
	seed: Zeroizing<[u8; 32]>,
	public: PublicKey,
	role: Option<Role>,
}

/// What may be shown of a key file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicPart {
	/// The role it was made for.
	pub role: Option<Role>,
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
	role: Option<Role>,
	public: String,
	#[serde(skip_serializing_if = "Option::is_none")]
	secret: Option<String>,
	#[serde(skip_serializing_if = "Option::is_none")]
	encrypted: Option<Sealed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
	kdf: String,
	memory_kib: u32,
	passes: u32,
	salt: String,
	cipher: String,
	nonce: String,
	data: String,
}

impl Drop for KeyFile {
	fn drop(&mut self) {
		self.secret.zeroize();
	}
}

impl RoleKey {
	/// A new key for `role`.
	///
	/// # Errors
	/// [`KeyFault::NoRandom`].
	pub fn generate(role: Role) -> Result<Self, KeyFault> {
		Ok(Self::from_seed(random()?, Some(role)))
	}

	/// The key of a 32-byte seed, as RFC 8032 has it.
	pub fn from_seed(seed: Zeroizing<[u8; 32]>, role: Option<Role>) -> Self {
		let public = Ed25519Pair::from_seed(&seed).public().0;
		Self { seed, public, role }
	}

	/// The public key.
	pub const fn public(&self) -> &PublicKey {
		&self.public
	}

	/// The role it was made for, if its file says so.
	pub const fn role(&self) -> Option<Role> {
		self.role
	}

	/// Signs a message.
	pub fn sign(&self, message: &[u8]) -> Signature {
		Ed25519Pair::from_seed(&self.seed).sign(message).0
	}

	/// Writes a new key file with mode 0600, encrypted if there is a passphrase.
	///
	/// # Errors
	/// [`KeyFault::Exists`], [`KeyFault::Io`], [`KeyFault::NoRandom`].
	pub fn save(&self, path: &Path, passphrase: Option<&[u8]>) -> Result<(), KeyFault> {
		let mut file = KeyFile {
			format: FORMAT.to_string(),
			version: VERSION,
			role: self.role,
			public: hex::encode(self.public),
			secret: None,
			encrypted: None,
		};
		match passphrase {
			None => file.secret = Some(hex::encode(*self.seed)),
			Some(passphrase) => file.encrypted = Some(self.seal(passphrase, path)?),
		}
		let bad = |error: serde_json::Error| bad_file(path, error.to_string());
		let mut text = Zeroizing::new(serde_json::to_string_pretty(&file).map_err(bad)?);
		text.push('\n');
		files::create(path, text.as_bytes(), 0o600).map_err(|reason| match reason.kind() {
			io::ErrorKind::AlreadyExists => KeyFault::Exists(path.display().to_string()),
			_ => io_fault(path, reason),
		})
	}

	fn seal(&self, passphrase: &[u8], path: &Path) -> Result<Sealed, KeyFault> {
		let mut sealed = Sealed {
			kdf: "argon2id".to_string(),
			memory_kib: MEMORY_KIB,
			passes: PASSES,
			salt: hex::encode(&random()?[..16]),
			cipher: "chacha20poly1305".to_string(),
			nonce: hex::encode(&random()?[..12]),
			data: String::new(),
		};
		let cipher = sealed.cipher(passphrase, path)?;
		let mut data = self.seed.clone();
		let known = sealed.known(&hex::encode(self.public), self.role);
		let nonce = sealed.nonce(path)?;
		let tag = cipher
			.encrypt_in_place_detached(&nonce.into(), known.as_bytes(), &mut *data)
			.map_err(|_| bad_file(path, "cannot be encrypted".to_string()))?;
		sealed.data = hex::encode([&data[..], &tag[..]].concat());
		Ok(sealed)
	}

	/// Reads a key file, or a file with nothing but the seed in hexadecimal digits. `passphrase`
	/// is asked only if the key is encrypted.
	///
	/// # Errors
	/// [`KeyFault`]; files that others may read or write are refused.
	pub fn load(
		path: &Path,
		passphrase: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyFault>,
	) -> Result<Self, KeyFault> {
		let text = read_guarded(path)?;
		if let Some(seed) = bare_seed(&text) {
			return Ok(Self::from_seed(seed, None));
		}
		let file = parse(path, &text)?;
		let seed = match (&file.secret, &file.encrypted) {
			(Some(secret), None) => {
				let mut seed = Zeroizing::new([0; 32]);
				hex::decode_to_slice(secret, &mut *seed)
					.map_err(|_| bad_file(path, "secret is not 32 bytes".to_string()))?;
				seed
			},
			(None, Some(sealed)) => sealed.open(path, &passphrase()?, &file.public, file.role)?,
			_ => return Err(bad_file(path, "one of secret and encrypted is needed".to_string())),
		};
		let key = Self::from_seed(seed, file.role);
		if hex::encode(key.public) != file.public {
			return Err(bad_file(path, "public is not the secret's public key".to_string()));
		}
		Ok(key)
	}

	/// As [`Self::load`], refusing the key of another role.
	///
	/// # Errors
	/// [`KeyFault`], among them [`KeyFault::OtherRole`].
	pub fn load_for(
		path: &Path,
		wanted: Role,
		passphrase: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyFault>,
	) -> Result<Self, KeyFault> {
		let key = Self::load(path, passphrase)?;
		match key.role {
			Some(is) if is != wanted => {
				Err(KeyFault::OtherRole { path: path.display().to_string(), is, wanted })
			},
			_ => Ok(key),
		}
	}
}

/// What may be shown of a key file, without its passphrase.
///
/// # Errors
/// [`KeyFault`].
pub fn show(path: &Path) -> Result<PublicPart, KeyFault> {
	let text = read_guarded(path)?;
	if let Some(seed) = bare_seed(&text) {
		let key = RoleKey::from_seed(seed, None);
		return Ok(PublicPart { role: None, public: hex::encode(key.public), encrypted: false });
	}
	let file = parse(path, &text)?;
	if file.secret.is_some() {
		// Also checks that the public key is the secret's.
		RoleKey::load(path, || Err(KeyFault::PassphraseNeeded(path.display().to_string())))?;
	}
	let encrypted = file.encrypted.is_some();
	Ok(PublicPart { role: file.role, public: file.public.clone(), encrypted })
}

impl Sealed {
	fn cipher(&self, passphrase: &[u8], path: &Path) -> Result<ChaCha20Poly1305, KeyFault> {
		if self.kdf != "argon2id" || self.cipher != "chacha20poly1305" {
			return Err(bad_file(path, "encrypted in an unknown way".to_string()));
		}
		if self.memory_kib > MAX_MEMORY_KIB || self.passes > MAX_PASSES {
			return Err(bad_file(path, "asks for too much memory or time".to_string()));
		}
		let salt = hex::decode(&self.salt)
			.map_err(|_| bad_file(path, "salt is not in hexadecimal digits".to_string()))?;
		let mut key = Zeroizing::new([0; 32]);
		Params::new(self.memory_kib, self.passes, 1, Some(32))
			.and_then(|params| {
				Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params)
					.hash_password_into(passphrase, &salt, &mut *key)
			})
			.map_err(|error| bad_file(path, error.to_string()))?;
		Ok(ChaCha20Poly1305::new((&*key).into()))
	}

	fn nonce(&self, path: &Path) -> Result<[u8; 12], KeyFault> {
		let mut nonce = [0; 12];
		hex::decode_to_slice(&self.nonce, &mut nonce)
			.map_err(|_| bad_file(path, "nonce is not 12 bytes".to_string()))?;
		Ok(nonce)
	}

	/// What is authenticated along with the secret: everything else in the file.
	fn known(&self, public: &str, role: Option<Role>) -> String {
		let role = role.map_or("none", Role::as_str);
		format!(
			"{FORMAT}|{VERSION}|{role}|{public}|{}|{}|{}|{}|{}|{}",
			self.kdf, self.memory_kib, self.passes, self.salt, self.cipher, self.nonce
		)
	}

	fn open(
		&self,
		path: &Path,
		passphrase: &[u8],
		public: &str,
		role: Option<Role>,
	) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
		let cipher = self.cipher(passphrase, path)?;
		let mut data = Zeroizing::new([0; 48]);
		hex::decode_to_slice(&self.data, &mut *data)
			.map_err(|_| bad_file(path, "data is not 48 bytes".to_string()))?;
		let (secret, tag) = data.split_at_mut(32);
		let (nonce, known) = (self.nonce(path)?, self.known(public, role));
		cipher
			.decrypt_in_place_detached(
				&nonce.into(),
				known.as_bytes(),
				secret,
				Tag::from_slice(tag),
			)
			.map_err(|_| KeyFault::WrongPassphrase(path.display().to_string()))?;
		let mut seed = Zeroizing::new([0; 32]);
		seed.copy_from_slice(secret);
		Ok(seed)
	}
}

fn random() -> Result<Zeroizing<[u8; 32]>, KeyFault> {
	let mut bytes = Zeroizing::new([0; 32]);
	let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut *bytes));
	read.map_err(KeyFault::NoRandom)?;
	Ok(bytes)
}

pub(crate) fn read_guarded(path: &Path) -> Result<Zeroizing<String>, KeyFault> {
	let file = File::open(path).map_err(|reason| io_fault(path, reason))?;
	let mode = file.metadata().map_err(|reason| io_fault(path, reason))?.permissions().mode();
	if mode & 0o077 != 0 {
		return Err(KeyFault::Loose { path: path.display().to_string(), mode: mode & 0o777 });
	}
	let bytes = files::read_open(&file).map_err(|reason| io_fault(path, reason))?;
	match String::from_utf8(bytes) {
		Ok(text) => Ok(Zeroizing::new(text)),
		Err(error) => {
			error.into_bytes().zeroize();
			Err(bad_file(path, "not text".to_string()))
		},
	}
}

/// The seed in a file that holds nothing else.
fn bare_seed(text: &str) -> Option<Zeroizing<[u8; 32]>> {
	let digits = text.trim();
	let mut seed = Zeroizing::new([0; 32]);
	hex::decode_to_slice(digits.strip_prefix("0x").unwrap_or(digits), &mut *seed).ok()?;
	Some(seed)
}

fn parse(path: &Path, text: &str) -> Result<KeyFile, KeyFault> {
	// The parser's own words could quote the secret.
	let file: KeyFile = serde_json::from_str(text)
		.map_err(|error| bad_file(path, format!("line {}", error.line())))?;
	if file.format != FORMAT || file.version != VERSION {
		return Err(bad_file(path, "of another format or version".to_string()));
	}
	Ok(file)
}

fn bad_file(path: &Path, reason: String) -> KeyFault {
	KeyFault::BadFile { path: path.display().to_string(), reason }
}

fn io_fault(path: &Path, reason: io::Error) -> KeyFault {
	KeyFault::Io { path: path.display().to_string(), reason }
}

/// The public keys of the roles as a verifier's file has them.
///
/// # Errors
/// [`KeyFault::BadTrusted`] if a role is missing or occurs twice.
pub fn trusted_file(parts: &[PublicPart]) -> Result<Value, KeyFault> {
	let bad = |reason: &str| KeyFault::BadTrusted(reason.to_string());
	let mut members: Vec<(String, Value)> = Vec::new();
	for part in parts {
		let role = part.role.ok_or_else(|| bad("a key without a role"))?;
		if members.iter().any(|(name, _)| name == role.as_str()) {
			return Err(bad("two keys of one role"));
		}
		members.push((role.as_str().to_string(), part.public.as_str().into()));
	}
	Ok(Value::Object(members))
}
