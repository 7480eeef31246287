//! One role's signature under a file.

use crate::{
	keys::{RoleKey, RoleKeys},
	verify::{FileRefusal, Opened, Version, open},
};
use chrono::{SecondsFormat, Utc};
use gridproof_primitives::{
	H256,
	codec::json::Value,
	reserve::attestation::{FieldError, Role, chain_hint},
	time::day::Day,
};
use gridproof_support::files::{self, PUBLIC};
use serde::Serialize;
use std::{io, path::Path};

/// A signature that was added to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signed {
	/// Role that signed.
	pub role: Role,
	/// Its public key, 64 hexadecimal digits.
	pub public: String,
	/// Day of the statement.
	pub day: Day,
	/// Hint of the chain it is for.
	pub chain: String,
	/// Digest of the file.
	pub digest: String,
	/// Hash of the fields.
	pub fields: String,
	/// Number of roles that have signed now.
	pub signatures: usize,
	/// Reasons for which a chain will refuse this statement.
	pub warnings: Vec<String>,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
	/// The file system refuses an operation.
	#[error("{path}: {reason}")]
	Io {
		/// The file.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// Another program is changing the file.
	#[error("{0} is being changed by another program; try again")]
	Busy(String),
	/// The file is not in order.
	#[error(transparent)]
	Refused(#[from] FileRefusal),
	/// The file is of version 1, which is verified but never signed.
	#[error("this is a file of version 1; only files of version 2 are signed: plan it again")]
	OldVersion,
	/// The role has signed already.
	#[error("{0} has signed this file already")]
	AlreadySigned(Role),
	/// The key is not the one trusted for the role.
	#[error("this is not the key that is trusted for {0}")]
	OtherKey(Role),
	/// A signature in the file does not count.
	#[error("the file carries a signature that does not count; {0}")]
	BadCompany(String),
}

/// Signs the file at `path` as `role`. With `trusted` keys, the signatures that are there must be
/// good ones and `key` must be the one trusted for `role`.
///
/// # Errors
/// [`SignError`]; the file is then as it was.
pub fn sign_file(
	path: &Path,
	role: Role,
	key: &RoleKey,
	trusted: Option<&RoleKeys>,
) -> Result<Signed, SignError> {
	let io_error = |reason: io::Error| match reason.kind() {
		io::ErrorKind::WouldBlock => SignError::Busy(path.display().to_string()),
		_ => SignError::Io { path: path.display().to_string(), reason },
	};
	// Held to the end: two signers at the same time would lose one signature.
	let file = files::open_exclusively(path).map_err(io_error)?;
	let bytes = files::read_open(&file).map_err(io_error)?;
	let (signed, text) = sign(&bytes, role, key, trusted)?;
	files::replace(path, text.as_bytes(), PUBLIC).map_err(io_error)?;
	Ok(signed)
}

/// Signs a file's content and returns the new one.
///
/// # Errors
/// [`SignError`].
pub fn sign(
	bytes: &[u8],
	role: Role,
	key: &RoleKey,
	trusted: Option<&RoleKeys>,
) -> Result<(Signed, String), SignError> {
	let mut opened = open(bytes, None)?;
	let Version::Two(statement) = opened.version.clone() else {
		return Err(SignError::OldVersion);
	};
	if opened.named_signers().iter().any(|signer| signer == role.as_str()) {
		return Err(SignError::AlreadySigned(role));
	}
	if let Some(trusted) = trusted {
		if trusted.get(role) != Some(key.public()) {
			return Err(SignError::OtherKey(role));
		}
		let (_, reasons) = opened.count(trusted);
		if let Some(reason) = reasons.first() {
			return Err(SignError::BadCompany(reason.clone()));
		}
	}
	let digest = format!("{:#x}", opened.digest);
	add_signature(&mut opened, role, key)?;
	let signed = Signed {
		role,
		public: hex::encode(key.public()),
		day: statement.fields.day,
		chain: chain_hint(&statement.genesis),
		digest,
		fields: format!("{:#x}", statement.fields.hash()),
		signatures: opened.named_signers().len(),
		warnings: warnings(&statement.genesis, statement.fields.check().err()),
	};
	Ok((signed, opened.file.to_pretty()))
}

fn add_signature(opened: &mut Opened, role: Role, key: &RoleKey) -> Result<(), FileRefusal> {
	let bad = || FileRefusal::BadStructure("meta has no signers and signatures".to_string());
	let signature = hex::encode(key.sign(&opened.message(role)));
	let digest = format!("{:#x}", opened.digest);
	let meta = opened.file.get_mut("meta").ok_or_else(bad)?;
	let text = |text: &str| Value::from(text);
	let signer = [("role", text(role.as_str())), ("pubkey", text(&hex::encode(key.public())))];
	let time = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
	let entry = [("signer", text(role.as_str())), ("sig", text(&signature)), ("ts", text(&time))];
	push(meta, "signers", &signer).ok_or_else(bad)?;
	push(meta, "signatures", &entry).ok_or_else(bad)?;
	meta.set("digest_signed", digest.into());
	Ok(())
}

fn push(meta: &mut Value, list: &str, members: &[(&str, Value)]) -> Option<()> {
	let Value::Array(elements) = meta.get_mut(list)? else { return None };
	let members = members.iter().map(|(name, value)| (name.to_string(), value.clone()));
	elements.push(Value::Object(members.collect()));
	Some(())
}

/// Returns the reasons for which a chain will refuse a statement that is in order otherwise.
pub fn warnings(genesis: &H256, fault: Option<FieldError>) -> Vec<String> {
	let mut warnings = Vec::new();
	if genesis.is_zero() {
		warnings.push(
			"the file names no chain, so no chain will take it: plan it with --chain or \
			 --supply-from"
				.to_string(),
		);
	}
	if let Some(fault) = fault {
		let reason = match fault {
			FieldError::Revision => "its revision and what it replaces contradict each other",
			FieldError::Zones => "its zone counts contradict each other",
			FieldError::Alpha => "its alpha is above one",
			FieldError::Commitment => "it commits more than the floor of energy times alpha",
		};
		warnings.push(format!("the chain will refuse this statement: {reason}"));
	}
	warnings
}
