//! Keys of roles: those of all of them, which a verifier trusts, and one role's own, in a file.
//!
//! How a key is kept in its file is [`gridproof_keys`]'s; here is what is about roles.

use gridproof_keys::{Kind, SealedKey};
use gridproof_primitives::{
	attestation::Role,
	ed25519::{self, PublicKey, Signature},
	json::{self, Limits, Value},
};
use serde::Serialize;
use std::path::Path;
use zeroize::Zeroizing;

pub use gridproof_keys::KeyFault;

/// The public keys of the roles, as the verifier trusts them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RoleKeys([Option<PublicKey>; 3]);

/// The public keys of the roles are not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file of trusted keys is unusable: {0}")]
pub struct BadTrusted(pub String);

impl RoleKeys {
	/// Keys from `{"data":"<hex>","risk":"<hex>","ops":"<hex>"}`. A role may be missing: it then
	/// cannot count.
	///
	/// # Errors
	/// [`BadTrusted`]: other members, keys that are no keys, weak keys, and one key for two roles,
	/// with which one person could sign as two.
	pub fn parse(bytes: &[u8]) -> Result<Self, BadTrusted> {
		let json =
			json::parse(bytes, Limits::DEFAULT).map_err(|error| BadTrusted(error.to_string()))?;
		let members =
			json.as_object().ok_or_else(|| BadTrusted("not a JSON object".to_string()))?;
		let mut keys = Self::default();
		for (name, value) in members {
			let role: Role =
				name.parse().map_err(|_| BadTrusted(format!("unknown role {name:?}")))?;
			let text = value.as_str().unwrap_or_default();
			let mut key = [0; 32];
			hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut key)
				.map_err(|_| BadTrusted(format!("{role}: not 32 bytes in hexadecimal digits")))?;
			ed25519::check_key(&key).map_err(|_| BadTrusted(format!("{role}: a weak key")))?;
			if keys.0.contains(&Some(key)) {
				return Err(BadTrusted(format!("{role}: the same key as another role")));
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
	key: SealedKey,
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

impl RoleKey {
	/// A new key for `role`.
	///
	/// # Errors
	/// [`KeyFault::NoRandom`].
	pub fn generate(role: Role) -> Result<Self, KeyFault> {
		let key = SealedKey::generate(Kind::Role, Some(role.as_str()))?;
		Ok(Self { key, role: Some(role) })
	}

	/// The key of a 32-byte seed, as RFC 8032 has it.
	pub fn from_seed(seed: Zeroizing<[u8; 32]>, role: Option<Role>) -> Self {
		let kind = role.map(|_| Kind::Role);
		Self { key: SealedKey::from_seed(seed, kind, role.map(Role::as_str)), role }
	}

	/// The public key.
	pub const fn public(&self) -> &PublicKey {
		self.key.public()
	}

	/// The role it was made for, if its file says so.
	pub const fn role(&self) -> Option<Role> {
		self.role
	}

	/// Signs a message.
	pub fn sign(&self, message: &[u8]) -> Signature {
		self.key.sign(message)
	}

	/// Writes a new key file with mode 0600, encrypted if there is a passphrase.
	///
	/// # Errors
	/// [`KeyFault::Exists`], [`KeyFault::Io`], [`KeyFault::NoRandom`].
	pub fn save(&self, path: &Path, passphrase: Option<&[u8]>) -> Result<(), KeyFault> {
		self.key.save(path, passphrase)
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
		let key = SealedKey::load_as(path, Kind::Role, passphrase)?;
		let role = role_of(path, key.label())?;
		Ok(Self { key, role })
	}

	/// As [`Self::load`], refusing the key of another role.
	///
	/// # Errors
	/// [`KeyFault`], among them [`KeyFault::Other`].
	pub fn load_for(
		path: &Path,
		wanted: Role,
		passphrase: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyFault>,
	) -> Result<Self, KeyFault> {
		let key = Self::load(path, passphrase)?;
		match key.role {
			Some(is) if is != wanted => Err(KeyFault::Other {
				path: path.display().to_string(),
				is: is.to_string(),
				wanted: wanted.to_string(),
			}),
			_ => Ok(key),
		}
	}
}

fn role_of(path: &Path, label: Option<&str>) -> Result<Option<Role>, KeyFault> {
	let bad = |label: &str| KeyFault::BadFile {
		path: path.display().to_string(),
		reason: format!("unknown role {label:?}"),
	};
	label.map(|label| label.parse().map_err(|_| bad(label))).transpose()
}

/// What may be shown of a key file, without its passphrase.
///
/// # Errors
/// [`KeyFault`].
pub fn show(path: &Path) -> Result<PublicPart, KeyFault> {
	let part = gridproof_keys::show(path)?;
	if let Some(is) = part.kind.filter(|kind| *kind != Kind::Role) {
		let (is, wanted) = (format!("a {is}"), "a role".to_string());
		return Err(KeyFault::Other { path: path.display().to_string(), is, wanted });
	}
	let role = role_of(path, part.label.as_deref())?;
	Ok(PublicPart { role, public: part.public, encrypted: part.encrypted })
}

/// The public keys of the roles as a verifier's file has them.
///
/// # Errors
/// [`BadTrusted`] if a role is missing or occurs twice.
pub fn trusted_file(parts: &[PublicPart]) -> Result<Value, BadTrusted> {
	let bad = |reason: &str| BadTrusted(reason.to_string());
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
