//! Keys of roles: the public ones of all roles, which a verifier trusts, and one role's own, in a
//! file. How a key is kept in its file is the matter of [`gridproof_keys`].

use gridproof_keys::{KeyError, Kind, SealedKey};
use gridproof_primitives::{
	codec::json::{self, Limits, Value},
	crypto::ed25519::{self, PublicKey, Signature},
	reserve::attestation::Role,
};
use serde::Serialize;
use std::path::Path;
use zeroize::Zeroizing;

/// The public keys of the roles, as the verifier trusts them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RoleKeys([Option<PublicKey>; 3]);

/// Why the public keys of the roles are not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file of trusted keys is unusable: {0}")]
pub struct TrustedKeysError(pub String);

impl RoleKeys {
	/// Keys from `{"data":"<hex>","risk":"<hex>","ops":"<hex>"}`. A role may be missing: it then
	/// cannot count.
	///
	/// # Errors
	/// [`TrustedKeysError`]: other members, texts that are not keys, weak keys, and one key for two
	/// roles, with which one person could sign as two.
	pub fn parse(bytes: &[u8]) -> Result<Self, TrustedKeysError> {
		let json = json::parse(bytes, Limits::DEFAULT)
			.map_err(|error| TrustedKeysError(error.to_string()))?;
		let members =
			json.as_object().ok_or_else(|| TrustedKeysError("not a JSON object".to_string()))?;
		let mut keys = Vec::with_capacity(members.len());
		for (name, value) in members {
			let role: Role =
				name.parse().map_err(|_| TrustedKeysError(format!("unknown role {name:?}")))?;
			let text = value.as_str().unwrap_or_default();
			let mut key = [0; 32];
			hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut key).map_err(
				|_| TrustedKeysError(format!("{role}: not 32 bytes in hexadecimal digits")),
			)?;
			keys.push((role, key));
		}
		Self::of(keys)
	}

	/// Returns these keys, to be trusted from now on.
	///
	/// # Errors
	/// [`TrustedKeysError`]: weak keys, and one key for two roles.
	pub fn of(keys: impl IntoIterator<Item = (Role, PublicKey)>) -> Result<Self, TrustedKeysError> {
		let mut all = Self::default();
		for (role, key) in keys {
			ed25519::check_key(&key)
				.map_err(|_| TrustedKeysError(format!("{role}: a weak key")))?;
			if all.0.contains(&Some(key)) {
				return Err(TrustedKeysError(format!("{role}: the same key as another role")));
			}
			all.0[place(role)] = Some(key);
		}
		Ok(all)
	}

	/// Returns the key of a role; `None` if it has none and so does not count.
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

/// The public part of a key file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolePublic {
	/// Role it was made for; `None` if its file does not say.
	pub role: Option<Role>,
	/// Public key, 64 hexadecimal digits.
	pub public: String,
	/// Whether the secret is encrypted.
	pub encrypted: bool,
}

impl RoleKey {
	/// Makes a new key for `role`.
	///
	/// # Errors
	/// [`KeyError::NoRandom`].
	pub fn generate(role: Role) -> Result<Self, KeyError> {
		let key = SealedKey::generate(Kind::Role, Some(role.as_str()))?;
		Ok(Self { key, role: Some(role) })
	}

	/// Returns the key of a 32-byte seed, by RFC 8032.
	pub fn from_seed(seed: Zeroizing<[u8; 32]>, role: Option<Role>) -> Self {
		let kind = role.map(|_| Kind::Role);
		Self { key: SealedKey::from_seed(seed, kind, role.map(Role::as_str)), role }
	}

	/// Returns the public key.
	pub const fn public(&self) -> &PublicKey {
		self.key.public()
	}

	/// Returns the role it was made for, if its file says so.
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
	/// [`KeyError::Exists`], [`KeyError::Io`], [`KeyError::NoRandom`].
	pub fn save(&self, path: &Path, passphrase: Option<&[u8]>) -> Result<(), KeyError> {
		self.key.save(path, passphrase)
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
		let key = SealedKey::load_as(path, Kind::Role, passphrase)?;
		let role = role_of(path, key.label())?;
		Ok(Self { key, role })
	}

	/// Reads a key file as [`Self::load`] does, but refuses the key of another role.
	///
	/// # Errors
	/// [`KeyError`], among them [`KeyError::Other`].
	pub fn load_for(
		path: &Path,
		wanted: Role,
		passphrase: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyError>,
	) -> Result<Self, KeyError> {
		let key = Self::load(path, passphrase)?;
		match key.role {
			Some(is) if is != wanted => Err(KeyError::Other {
				path: path.display().to_string(),
				is: is.to_string(),
				wanted: wanted.to_string(),
			}),
			_ => Ok(key),
		}
	}
}

fn role_of(path: &Path, label: Option<&str>) -> Result<Option<Role>, KeyError> {
	let bad = |label: &str| KeyError::BadFile {
		path: path.display().to_string(),
		reason: format!("unknown role {label:?}"),
	};
	label.map(|label| label.parse().map_err(|_| bad(label))).transpose()
}

/// Reads the public part of a key file, without its passphrase.
///
/// # Errors
/// [`KeyError`].
pub fn show_role_key(path: &Path) -> Result<RolePublic, KeyError> {
	let part = gridproof_keys::show(path)?;
	if let Some(is) = part.kind.filter(|kind| *kind != Kind::Role) {
		let (is, wanted) = (format!("a {is}"), "a role".to_string());
		return Err(KeyError::Other { path: path.display().to_string(), is, wanted });
	}
	let role = role_of(path, part.label.as_deref())?;
	Ok(RolePublic { role, public: part.public, encrypted: part.encrypted })
}

/// Returns the public keys of the roles in the form of a verifier's file.
///
/// # Errors
/// [`TrustedKeysError`] if a role is missing or occurs twice.
pub fn trusted_file(parts: &[RolePublic]) -> Result<Value, TrustedKeysError> {
	let bad = |reason: &str| TrustedKeysError(reason.to_string());
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
