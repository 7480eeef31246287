//! What was audited and found, signed by who vouches for it.

use crate::run::Outcome;
use gridproof_keys::SealedKey;
use gridproof_primitives::crypto::ed25519::{self, SignatureError};
use gridproof_support::text::{Hex32, Hex64};
use serde::{Deserialize, Serialize};

/// What the bytes begin with that are signed.
const DOMAIN: &str = "gridproof/audit/v1\n";

/// What was audited, when and by which version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
	/// When it was made, UTC milliseconds.
	pub made_ms: u64,
	/// Version of the program.
	pub version: String,
	/// What it came to.
	pub outcome: Outcome,
}

/// A report with a signature: the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedReport {
	/// The report, as the JSON that is signed.
	pub report: String,
	/// Public key of who vouches for it.
	pub key: Hex32,
	/// Ed25519 signature of `gridproof/audit/v1`, a line feed, and the bytes of `report`.
	pub signature: Hex64,
}

impl SignedReport {
	/// Signs a report.
	///
	/// # Errors
	/// If it cannot be written as JSON, which does not happen.
	pub fn new(report: &Report, key: &SealedKey) -> Result<Self, serde_json::Error> {
		let report = serde_json::to_string(report)?;
		let signature = Hex64(key.sign(&payload(&report)));
		Ok(Self { report, key: Hex32(*key.public()), signature })
	}

	/// Checks the signature. Whose key it is, the reader has to know.
	///
	/// # Errors
	/// [`SignatureError`].
	pub fn verify(&self) -> Result<(), SignatureError> {
		ed25519::verify(&self.key.0, &payload(&self.report), &self.signature.0)
	}

	/// Reads what was signed.
	///
	/// # Errors
	/// If it is not a report.
	pub fn read(&self) -> Result<Report, serde_json::Error> {
		serde_json::from_str(&self.report)
	}
}

fn payload(report: &str) -> Vec<u8> {
	[DOMAIN, report].concat().into_bytes()
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_keys::Kind;

	fn report() -> Report {
		let outcome = Outcome {
			genesis: Hex32([1; 32]),
			from: 1,
			to: 900,
			hash: Hex32([2; 32]),
			deeds: 77,
			difference: None,
		};
		Report { made_ms: 5, version: "0.1.0".to_string(), outcome }
	}

	#[test]
	fn a_report_is_read_back_as_it_was_signed_and_an_altered_one_is_not_vouched_for() {
		let key = SealedKey::from_seed([7; 32].into(), Some(Kind::Role), None);
		let signed = SignedReport::new(&report(), &key).unwrap();
		assert_eq!((signed.verify(), signed.read().unwrap()), (Ok(()), report()));
		let altered =
			SignedReport { report: signed.report.replace("900", "901"), ..signed.clone() };
		assert!(altered.verify().is_err());
		assert!(SignedReport { key: Hex32([9; 32]), ..signed }.verify().is_err());
	}
}
