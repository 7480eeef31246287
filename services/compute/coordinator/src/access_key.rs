//! The secret of a job.

use rand::{RngCore, rngs::OsRng};
use sp_crypto_hashing::sha2_256;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The secret that submits a job and opens its output: made with the quote, or presented by a
/// client. The database has its hash only.
#[derive(Clone)]
pub struct AccessKey(Zeroizing<String>);

impl AccessKey {
	/// Makes a new one, of 32 random bytes.
	pub fn random() -> Self {
		let mut bytes = Zeroizing::new([0; 32]);
		OsRng.fill_bytes(&mut *bytes);
		Self(Zeroizing::new(hex::encode(*bytes)))
	}

	/// Returns its text, for the client.
	pub fn reveal(&self) -> &str {
		&self.0
	}

	/// Returns its SHA-256, for the database.
	pub fn hash(&self) -> [u8; 32] {
		sha2_256(self.0.as_bytes())
	}

	/// Returns `true` if it is the one with this SHA-256. How long that takes says nothing of either.
	pub fn opens(&self, hash: &[u8; 32]) -> bool {
		self.hash().ct_eq(hash).into()
	}
}

impl From<&str> for AccessKey {
	fn from(presented: &str) -> Self {
		Self(Zeroizing::new(presented.to_string()))
	}
}

impl fmt::Debug for AccessKey {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("AccessKey(…)")
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_key_opens_its_own_hash_and_is_never_shown_by_accident() {
		let (one, other) = (AccessKey::random(), AccessKey::random());
		assert_eq!(one.reveal().len(), 64);
		assert!(AccessKey::from(one.reveal()).opens(&one.hash()));
		assert!(!other.opens(&one.hash()) && !AccessKey::from("").opens(&one.hash()));
		assert!(!format!("{one:?}").contains(one.reveal()));
	}
}
