//! A secret behind a passphrase: argon2id, then ChaCha20-Poly1305.

use crate::KeyError;
use argon2::{Algorithm, Argon2, Params};
use chacha20poly1305::{
	AeadInPlace, ChaCha20Poly1305, KeyInit, Tag,
	aead::{OsRng, rand_core::RngCore},
};
use serde::{Deserialize, Serialize};
use std::{io, path::Path};
use zeroize::{Zeroize, Zeroizing};

/// Memory that argon2id takes, in KiB.
const MEMORY_KIB: u32 = 64 * 1024;
/// Passes that argon2id makes.
const PASSES: u32 = 3;
/// Most memory and passes that a file may ask for: a file must not stop the machine.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 64;
/// Bytes of the authentication tag behind the encrypted secret.
const TAG: usize = 16;

/// An encrypted secret as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
	kdf: String,
	memory_kib: u32,
	passes: u32,
	salt: String,
	cipher: String,
	nonce: String,
	data: String,
}

impl Sealed {
	/// Encrypts `secret`. `known` is everything else in the file: it is authenticated too, so that
	/// nothing of it can be altered unnoticed.
	pub(crate) fn seal(
		secret: &[u8],
		passphrase: &[u8],
		known: &str,
		path: &Path,
	) -> Result<Self, KeyError> {
		let mut sealed = Self {
			kdf: "argon2id".to_string(),
			memory_kib: MEMORY_KIB,
			passes: PASSES,
			salt: hex::encode(&random()?[..16]),
			cipher: "chacha20poly1305".to_string(),
			nonce: hex::encode(&random()?[..12]),
			data: String::new(),
		};
		let cipher = sealed.cipher(passphrase, path)?;
		let mut data = Zeroizing::new(secret.to_vec());
		let (nonce, known) = (sealed.nonce(path)?, sealed.known(known));
		let tag = cipher
			.encrypt_in_place_detached(&nonce.into(), known.as_bytes(), &mut data)
			.map_err(|_| KeyError::bad_file(path, "cannot be encrypted"))?;
		sealed.data = hex::encode([&data[..], &tag[..]].concat());
		Ok(sealed)
	}

	/// Decrypts the secret, of `length` bytes.
	pub(crate) fn open(
		&self,
		passphrase: &[u8],
		known: &str,
		length: usize,
		path: &Path,
	) -> Result<Zeroizing<Vec<u8>>, KeyError> {
		let mut data = Zeroizing::new(vec![0; length + TAG]);
		hex::decode_to_slice(&self.data, &mut data)
			.map_err(|_| KeyError::bad_file(path, format!("data is not {} bytes", length + TAG)))?;
		let cipher = self.cipher(passphrase, path)?;
		let (nonce, known) = (self.nonce(path)?, self.known(known));
		let (secret, tag) = data.split_at_mut(length);
		let tag = Tag::clone_from_slice(tag);
		cipher
			.decrypt_in_place_detached(&nonce.into(), known.as_bytes(), secret, &tag)
			.map_err(|_| KeyError::WrongPassphrase(path.display().to_string()))?;
		data.truncate(length);
		Ok(data)
	}

	/// How many bytes the secret has.
	#[cfg(feature = "accounts")]
	pub(crate) fn length(&self) -> usize {
		(self.data.len() / 2).saturating_sub(TAG)
	}

	fn cipher(&self, passphrase: &[u8], path: &Path) -> Result<ChaCha20Poly1305, KeyError> {
		let bad = |reason: &str| KeyError::bad_file(path, reason);
		if self.kdf != "argon2id" || self.cipher != "chacha20poly1305" {
			return Err(bad("encrypted in an unknown way"));
		}
		if self.memory_kib > MAX_MEMORY_KIB || self.passes > MAX_PASSES {
			return Err(bad("asks for too much memory or time"));
		}
		let salt = hex::decode(&self.salt).map_err(|_| bad("salt is not in hexadecimal digits"))?;
		let mut key = Zeroizing::new([0; 32]);
		Params::new(self.memory_kib, self.passes, 1, Some(32))
			.and_then(|params| {
				Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params)
					.hash_password_into(passphrase, &salt, &mut *key)
			})
			.map_err(|error| bad(&error.to_string()))?;
		Ok(ChaCha20Poly1305::new((&*key).into()))
	}

	fn nonce(&self, path: &Path) -> Result<[u8; 12], KeyError> {
		let mut nonce = [0; 12];
		hex::decode_to_slice(&self.nonce, &mut nonce)
			.map_err(|_| KeyError::bad_file(path, "nonce is not 12 bytes"))?;
		Ok(nonce)
	}

	fn known(&self, file: &str) -> String {
		format!(
			"{file}|{}|{}|{}|{}|{}|{}",
			self.kdf, self.memory_kib, self.passes, self.salt, self.cipher, self.nonce
		)
	}
}

/// Returns 32 random bytes of the operating system.
///
/// # Errors
/// [`KeyError::NoRandom`].
pub fn random() -> Result<Zeroizing<[u8; 32]>, KeyError> {
	let mut bytes = Zeroizing::new([0; 32]);
	let filled = OsRng.try_fill_bytes(&mut *bytes);
	filled.map_err(|error| KeyError::NoRandom(io::Error::other(error)))?;
	Ok(bytes)
}

/// A secret in the clear, as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Plain(pub(crate) String);

impl Drop for Plain {
	fn drop(&mut self) {
		self.0.zeroize();
	}
}
