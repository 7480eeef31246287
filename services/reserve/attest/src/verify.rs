//! Signatures under attestation files of version 1 and 2.
//!
//! The figures show which version a file is of: numbers in version 1, decimal strings in version 2.
//! `meta.version` does not, since older files carry 2 there and sign `v=1`. A signature of one
//! version does not count in the other, because the signed message names its version.
//!
//! Trusted keys come from the verifier. What a file says about keys is not even looked at.

use crate::{
	keys::{RoleKeys, TrustedKeysError},
	statement::{FILE_VERSION, Statement, StatementError},
};
use gridproof_primitives::{
	H256,
	codec::json::{self, Limits, Value},
	crypto::ed25519::{self, Signature, SignatureError},
	reserve::attestation::{DOMAIN, Role, THRESHOLD, file_digest, message_v1, message_v2},
	time::day::Day,
};
use serde::Serialize;

/// Most entries of `meta.signatures` that are looked at.
const MAX_SIGNATURES: usize = 64;

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
	/// Whether enough roles sign this file, for this day and chain.
	pub ok: bool,
	/// Number of roles that do; 0 if the file was refused before its signatures were looked at.
	pub signatures_ok: u32,
	/// Number of roles that have to.
	pub required: u32,
	/// Code of the refusal ([`FileRefusal::code`]) if not `ok`.
	pub error: Option<&'static str>,
	/// The refusal in words, and what is wrong with each signature that does not count.
	#[serde(skip)]
	pub reasons: Vec<String>,
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileRefusal {
	/// The file is not JSON by RFC 8259, or has a key twice.
	#[error("not JSON: {0}")]
	NotJson(json::JsonError),
	/// A member that every version has is missing or of another type.
	#[error("not an attestation file: {0}")]
	BadStructure(String),
	/// The version is neither 1 nor 2.
	#[error("meta.version is {0}; known are 1 and 2")]
	UnknownVersion(String),
	/// Hashes, signatures or domain are of another kind.
	#[error("meta.{0} is {1:?}, which is not supported")]
	UnsupportedAlgorithm(&'static str, String),
	/// The file is about another day than asked for.
	#[error("the file is about {0:?}, asked for is {1}")]
	DayMismatch(String, Day),
	/// The file is for another chain than asked for.
	#[error("the file is for chain {0:?}, asked for is {1:?}")]
	ChainMismatch(String, String),
	/// The file was altered after it was signed.
	#[error("the digest of the file is {computed}, it states {}: the file was altered", .stated.as_deref().unwrap_or("none"))]
	DigestMismatch {
		/// Digest of the file.
		computed: String,
		/// Digest that the file states.
		stated: Option<String>,
	},
	/// The figures do not follow from one another.
	#[error("the figures do not fit together: {0}")]
	FiguresMismatch(StatementError),
	/// Too few roles sign; the number of those that do.
	#[error("{0} of {THRESHOLD} signatures that are needed are good")]
	Threshold(u32),
}

impl FileRefusal {
	/// Returns its code for programs.
	pub const fn code(&self) -> &'static str {
		match self {
			Self::NotJson(_) => "not_json",
			Self::BadStructure(_) => "bad_structure",
			Self::UnknownVersion(_) => "unknown_version",
			Self::UnsupportedAlgorithm(..) => "unsupported_algorithm",
			Self::DayMismatch(..) => "day_mismatch",
			Self::ChainMismatch(..) => "chain_mismatch",
			Self::DigestMismatch { .. } => "digest_mismatch",
			Self::FiguresMismatch(_) => "figures_mismatch",
			Self::Threshold(_) => "threshold",
		}
	}
}

/// The version of a file, which decides about the signed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
	/// Older files: one message for all roles.
	One {
		/// Day, as in the file.
		day: String,
		/// Chain hint, as in the file.
		chain: String,
	},
	/// Ours: the message names fields and role.
	Two(Box<Statement>),
}

/// A file of a known form whose digest is that of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
	/// The file's JSON.
	pub file: Value,
	/// Digest of the file.
	pub digest: H256,
	/// Version of the file.
	pub version: Version,
}

/// The day and the chain that a file has to be about.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
	/// The day.
	pub day: Day,
	/// The chain hint.
	pub chain: &'a str,
}

/// Verifies a file for a day and chain.
pub fn verify(bytes: &[u8], keys: &RoleKeys, expected: &Expected) -> VerifyReport {
	match open(bytes, Some(expected)) {
		Ok(opened) => opened.report(keys),
		Err(refusal) => VerifyReport::refused(&refusal, Vec::new(), 0),
	}
}

impl VerifyReport {
	/// Returns the result of a verifier whose trusted keys are unusable.
	pub fn without_keys(fault: &TrustedKeysError) -> Self {
		let (error, reasons) = (Some("bad_keys"), vec![fault.to_string()]);
		Self { ok: false, signatures_ok: 0, required: THRESHOLD, error, reasons }
	}

	fn refused(refusal: &FileRefusal, mut reasons: Vec<String>, signatures_ok: u32) -> Self {
		reasons.insert(0, refusal.to_string());
		let error = Some(refusal.code());
		Self { ok: false, signatures_ok, required: THRESHOLD, error, reasons }
	}
}

/// Reads a file and checks everything but its signatures: form, day, chain, digest, figures, in
/// this order. An unsigned file need not state its digest; a signed one must.
///
/// # Errors
/// The first [`FileRefusal`] met.
pub fn open(bytes: &[u8], expected: Option<&Expected>) -> Result<Opened, FileRefusal> {
	let file = json::parse(bytes, Limits::DEFAULT).map_err(FileRefusal::NotJson)?;
	let form = Form::of(&file)?;
	if let Some(expected) = expected {
		if form.day != expected.day.to_iso() {
			return Err(FileRefusal::DayMismatch(form.day, expected.day));
		}
		if form.chain != expected.chain {
			return Err(FileRefusal::ChainMismatch(form.chain, expected.chain.to_string()));
		}
	}
	let digest = file_digest(&file).ok_or_else(|| FileRefusal::BadStructure("no meta".into()))?;
	let computed = format!("{digest:#x}");
	if (form.signed || form.stated_digest.is_some())
		&& form.stated_digest.as_deref() != Some(&*computed)
	{
		return Err(FileRefusal::DigestMismatch { computed, stated: form.stated_digest });
	}
	let version = if form.decimal_strings {
		Version::Two(Box::new(Statement::from_file(&file).map_err(refusal_of)?))
	} else {
		Version::One { day: form.day, chain: form.chain }
	};
	Ok(Opened { file, digest, version })
}

fn refusal_of(fault: StatementError) -> FileRefusal {
	match fault {
		StatementError::Member { .. } => FileRefusal::BadStructure(fault.to_string()),
		fault => FileRefusal::FiguresMismatch(fault),
	}
}

/// What both versions have in common.
struct Form {
	day: String,
	chain: String,
	decimal_strings: bool,
	signed: bool,
	stated_digest: Option<String>,
}

impl Form {
	fn of(file: &Value) -> Result<Self, FileRefusal> {
		let bad = |what: &str| FileRefusal::BadStructure(what.to_string());
		file.as_object().ok_or_else(|| bad("not an object"))?;
		let meta = file.get("meta").ok_or_else(|| bad("meta is missing"))?;
		meta.as_object().ok_or_else(|| bad("meta is not an object"))?;
		let text = |value: Option<&Value>, what: &str| {
			let text = value.and_then(Value::as_str).map(str::to_string);
			text.ok_or_else(|| bad(&format!("{what} is not a string")))
		};
		let day = text(file.get("day"), "day")?;
		let chain = text(meta.get("chain_hint"), "meta.chain_hint")?;
		if chain.contains('|') || Day::parse(&day).is_err() {
			return Err(bad("day or meta.chain_hint is not what its name says"));
		}
		for (member, wanted) in [("hash_algo", "sha256"), ("sig_algo", "ed25519")] {
			supported(meta, member, wanted)?;
		}
		supported(meta, "domain", DOMAIN)?;
		let decimal_strings = match file.get("eur_per_mwh") {
			Some(Value::String(_)) => true,
			Some(Value::Number(_)) => false,
			_ => return Err(bad("eur_per_mwh is neither a number nor a decimal string")),
		};
		check_version(meta.get("version"), decimal_strings)?;
		let signatures = meta.get("signatures").and_then(Value::as_array);
		let signatures = signatures.ok_or_else(|| bad("meta.signatures is not an array"))?;
		if signatures.len() > MAX_SIGNATURES {
			return Err(bad("meta.signatures has more than 64 entries"));
		}
		let stated_digest = match meta.get("digest_signed") {
			None | Some(Value::Null) => None,
			Some(value) => Some(text(Some(value), "meta.digest_signed")?),
		};
		Ok(Self { day, chain, decimal_strings, signed: !signatures.is_empty(), stated_digest })
	}
}

/// A member of `meta` that may be missing in older files, but may not be another.
fn supported(meta: &Value, member: &'static str, wanted: &str) -> Result<(), FileRefusal> {
	match meta.get(member) {
		None => Ok(()),
		Some(Value::String(text)) if text == wanted => Ok(()),
		Some(other) => Err(FileRefusal::UnsupportedAlgorithm(member, other.to_canonical())),
	}
}

fn check_version(version: Option<&Value>, decimal_strings: bool) -> Result<(), FileRefusal> {
	match version.map(|version| (version, version.as_u128())) {
		None if !decimal_strings => Ok(()),
		None => Err(FileRefusal::UnknownVersion("missing".to_string())),
		Some((_, Some(FILE_VERSION))) => Ok(()),
		Some((_, Some(1))) if !decimal_strings => Ok(()),
		Some((version, _)) => Err(FileRefusal::UnknownVersion(version.to_canonical())),
	}
}

/// A signature that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
	/// Role that signed.
	pub role: Role,
	/// The signature.
	pub signature: Signature,
}

impl Opened {
	/// Returns the message that `role` signs under this file.
	pub fn message(&self, role: Role) -> Vec<u8> {
		match &self.version {
			Version::One { day, chain } => message_v1(day, &self.digest, chain),
			Version::Two(statement) => {
				let fields = &statement.fields;
				message_v2(fields.day, &self.digest, &fields.hash(), &statement.genesis, role)
			},
		}
	}

	/// Returns the roles named in `meta.signatures`, good or not.
	pub fn named_signers(&self) -> Vec<String> {
		let signers = self.entries().iter().filter_map(|entry| entry.get("signer"));
		signers.filter_map(Value::as_str).map(str::to_string).collect()
	}

	fn entries(&self) -> &[Value] {
		let meta = self.file.get("meta");
		meta.and_then(|meta| meta.get("signatures")).and_then(Value::as_array).unwrap_or_default()
	}

	/// Returns the signatures that count, sorted by role, each role once; and why others do not.
	pub fn count(&self, keys: &RoleKeys) -> (Vec<Counted>, Vec<String>) {
		let (mut counted, mut reasons) = (Vec::<Counted>::new(), Vec::new());
		for (index, entry) in self.entries().iter().enumerate() {
			match self.check(entry, keys, &counted) {
				Ok(signature) => counted.push(signature),
				Err(reason) => reasons.push(format!("signature {}: {reason}", index + 1)),
			}
		}
		counted.sort_by_key(|signature| signature.role);
		(counted, reasons)
	}

	fn check(
		&self,
		entry: &Value,
		keys: &RoleKeys,
		counted: &[Counted],
	) -> Result<Counted, String> {
		let signer = entry.get("signer").and_then(Value::as_str).ok_or("names no signer")?;
		let role: Role = signer.parse().map_err(|_| format!("unknown role {signer:?}"))?;
		let key = keys.get(role).ok_or_else(|| format!("no key of {role} is configured"))?;
		if counted.iter().any(|counted| counted.role == role) {
			return Err(format!("{role} has signed already; a role counts once"));
		}
		let text = entry.get("sig").and_then(Value::as_str).ok_or("has no sig")?;
		let mut signature = [0; 64];
		hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut signature)
			.map_err(|_| format!("{role}: sig is not 64 bytes in hexadecimal digits"))?;
		ed25519::verify(key, &self.message(role), &signature)
			.map_err(|fault| format!("{role}: {}", words(fault)))?;
		Ok(Counted { role, signature })
	}

	fn report(&self, keys: &RoleKeys) -> VerifyReport {
		let (counted, reasons) = self.count(keys);
		let signatures_ok = u32::try_from(counted.len()).unwrap_or(0);
		if signatures_ok < THRESHOLD {
			return VerifyReport::refused(
				&FileRefusal::Threshold(signatures_ok),
				reasons,
				signatures_ok,
			);
		}
		VerifyReport { ok: true, signatures_ok, required: THRESHOLD, error: None, reasons }
	}
}

const fn words(fault: SignatureError) -> &'static str {
	match fault {
		SignatureError::WeakKey => "the configured key is weak",
		SignatureError::NonCanonicalKey => "the configured key is not in canonical form",
		SignatureError::NonCanonicalScalar => "another form of a signature (S + L)",
		SignatureError::WeakPoint => "a signature with a weak point",
		SignatureError::NotOnCurve => "the configured key is not a point of the curve",
		SignatureError::Invalid => "not this role's signature of this file, day and chain",
	}
}
