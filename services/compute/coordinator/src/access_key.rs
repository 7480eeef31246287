//! The secret of a job.

use gridproof_primitives::H256;
use sp_crypto_hashing::sha2_256;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The secret that submits a job and opens its output: made for the quote, or presented by a
/// client. The job in the database has its hash only.
#[derive(Clone)]
pub struct AccessKey(Zeroizing<String>);

impl AccessKey {
	/// Returns the key of a job: made from a secret of the coordinator's, so that nobody else can make
	/// it, and nobody has to keep it until the job is submitted.
	pub fn of(secret: &[u8; 32], job: &H256) -> Self {
		let mut bytes = Zeroizing::new(Vec::with_capacity(64));
		bytes.extend_from_slice(secret);
		bytes.extend_from_slice(&job.0);
		Self(Zeroizing::new(hex::encode(sha2_256(&bytes))))
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
		let of = |secret, job| AccessKey::of(&[secret; 32], &H256([job; 32]));
		let (one, other) = (of(1, 1), of(1, 2));
		assert_eq!(one.reveal(), of(1, 1).reveal());
		assert_ne!(one.reveal(), of(2, 1).reveal());
		assert_eq!(one.reveal().len(), 64);
		assert!(AccessKey::from(one.reveal()).opens(&one.hash()));
		assert!(!other.opens(&one.hash()) && !AccessKey::from("").opens(&one.hash()));
		assert!(!format!("{one:?}").contains(one.reveal()));
	}
}
