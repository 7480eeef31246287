//! Signatures under attestation files of version 1 and 2.
//!
//! Which version a file is, its figures tell: numbers in version 1, decimal strings in version 2.
//! `meta.version` does not, since older files carry 2 there and sign `v=1`. A signature of one
//! version is none of the other, because the signed message names its version.
//!
//! Trusted keys come from the verifier. What a file says about keys is not even looked at.

use crate::{
	keys::{BadTrusted, RoleKeys},
	statement::{FILE_VERSION, Statement, StatementFault},
};
use gridproof_primitives::{
	H256,
	attestation::{DOMAIN, Role, THRESHOLD, file_digest, message_v1, message_v2},
	day::Day,
	ed25519::{self, Signature, SignatureFault},
	json::{self, Limits, Value},
};
use serde::Serialize;

/// Most entries of `meta.signatures` that are looked at.
const MAX_SIGNATURES: usize = 64;

/// What a verifier found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
	/// Do enough roles sign this file, for this day and chain?
	pub ok: bool,
	/// How many roles do; 0 if the file was refused before its signatures were looked at.
	pub signatures_ok: u32,
	/// How many have to.
	pub required: u32,
	/// Why not `ok`, as a code of [`Refusal::code`].
	pub error: Option<&'static str>,
	/// The same in words, and what is wrong with each signature that does not count.
	#[serde(skip)]
	pub reasons: Vec<String>,
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// Not JSON as RFC 8259 has it, or with a key twice.
	#[error("not JSON: {0}")]
	NotJson(json::JsonError),
	/// A member that every version has is missing or of another type.
	#[error("not an attestation file: {0}")]
	BadStructure(String),
	/// A version that is neither 1 nor 2.
	#[error("meta.version is {0}; known are 1 and 2")]
	UnknownVersion(String),
	/// Hashes, signatures or domain of another kind.
	#[error("meta.{0} is {1:?}, which is not supported")]
	UnsupportedAlgorithm(&'static str, String),
	/// About another day than asked for.
	#[error("the file is about {0:?}, asked for is {1}")]
	DayMismatch(String, Day),
	/// For another chain than asked for.
	#[error("the file is for chain {0:?}, asked for is {1:?}")]
	ChainMismatch(String, String),
	/// The file is not what was signed.
	#[error("the digest of the file is {computed}, it states {}: the file was altered", .stated.as_deref().unwrap_or("none"))]
	DigestMismatch {
		/// What the file gives.
		computed: String,
		/// What it says.
		stated: Option<String>,
	},
	/// Figures that do not follow from one another.
	#[error("the figures do not fit together: {0}")]
	FiguresMismatch(StatementFault),
	/// Too few roles sign.
	#[error("{0} of {THRESHOLD} signatures that are needed are good")]
	Threshold(u32),
}

impl Refusal {
	/// The refusal as a code for programs.
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

/// How a file is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
	/// Older files: one message for all roles.
	One {
		/// The day, as in the file.
		day: String,
		/// The chain, as in the file.
		chain: String,
	},
	/// Ours: the message names fields and role.
	Two(Box<Statement>),
}

/// A file whose form is understood and whose digest is that of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
	/// The whole file.
	pub file: Value,
	/// Its digest.
	pub digest: H256,
	/// How it is signed.
	pub version: Version,
}

/// Which part of a file's own day and chain is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
	/// The day it must be about.
	pub day: Day,
	/// The chain hint it must carry.
	pub chain: &'a str,
}

/// Verifies a file for a day and chain.
pub fn verify(bytes: &[u8], keys: &RoleKeys, expected: &Expected) -> Report {
	match open(bytes, Some(expected)) {
		Ok(opened) => opened.report(keys),
		Err(refusal) => Report::refused(&refusal, Vec::new(), 0),
	}
}

impl Report {
	/// What a verifier finds whose trusted keys are unusable: nothing.
	pub fn without_keys(fault: &BadTrusted) -> Self {
		let (error, reasons) = (Some("bad_keys"), vec![fault.to_string()]);
		Self { ok: false, signatures_ok: 0, required: THRESHOLD, error, reasons }
	}

	fn refused(refusal: &Refusal, mut reasons: Vec<String>, signatures_ok: u32) -> Self {
		reasons.insert(0, refusal.to_string());
		let error = Some(refusal.code());
		Self { ok: false, signatures_ok, required: THRESHOLD, error, reasons }
	}
}

/// Reads a file and checks everything but its signatures: form, day, chain, digest, figures, in
/// this order. An unsigned file need not state its digest; a signed one must.
///
/// # Errors
/// The first [`Refusal`] met.
pub fn open(bytes: &[u8], expected: Option<&Expected>) -> Result<Opened, Refusal> {
	let file = json::parse(bytes, Limits::DEFAULT).map_err(Refusal::NotJson)?;
	let form = Form::of(&file)?;
	if let Some(expected) = expected {
		if form.day != expected.day.to_iso() {
			return Err(Refusal::DayMismatch(form.day, expected.day));
		}
		if form.chain != expected.chain {
			return Err(Refusal::ChainMismatch(form.chain, expected.chain.to_string()));
		}
	}
	let digest = file_digest(&file).ok_or_else(|| Refusal::BadStructure("no meta".into()))?;
	let computed = format!("{digest:#x}");
	if (form.signed || form.stated_digest.is_some())
		&& form.stated_digest.as_deref() != Some(&*computed)
	{
		return Err(Refusal::DigestMismatch { computed, stated: form.stated_digest });
	}
	let version = if form.decimal_strings {
		Version::Two(Box::new(Statement::from_file(&file).map_err(refusal_of)?))
	} else {
		Version::One { day: form.day, chain: form.chain }
	};
	Ok(Opened { file, digest, version })
}

fn refusal_of(fault: StatementFault) -> Refusal {
	match fault {
		StatementFault::Member { .. } => Refusal::BadStructure(fault.to_string()),
		fault => Refusal::FiguresMismatch(fault),
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
	fn of(file: &Value) -> Result<Self, Refusal> {
		let bad = |what: &str| Refusal::BadStructure(what.to_string());
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
fn supported(meta: &Value, member: &'static str, wanted: &str) -> Result<(), Refusal> {
	match meta.get(member) {
		None => Ok(()),
		Some(Value::String(text)) if text == wanted => Ok(()),
		Some(other) => Err(Refusal::UnsupportedAlgorithm(member, other.to_canonical())),
	}
}

fn check_version(version: Option<&Value>, decimal_strings: bool) -> Result<(), Refusal> {
	match version.map(|version| (version, version.as_u128())) {
		None if !decimal_strings => Ok(()),
		None => Err(Refusal::UnknownVersion("missing".to_string())),
		Some((_, Some(FILE_VERSION))) => Ok(()),
		Some((_, Some(1))) if !decimal_strings => Ok(()),
		Some((version, _)) => Err(Refusal::UnknownVersion(version.to_canonical())),
	}
}

/// A signature that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
	/// Whose.
	pub role: Role,
	/// The signature.
	pub signature: Signature,
}

impl Opened {
	/// The message that `role` signs under this file.
	pub fn message(&self, role: Role) -> Vec<u8> {
		match &self.version {
			Version::One { day, chain } => message_v1(day, &self.digest, chain),
			Version::Two(statement) => {
				let fields = &statement.fields;
				message_v2(fields.day, &self.digest, &fields.hash(), &statement.genesis, role)
			},
		}
	}

	/// The roles named in `meta.signatures`, good or not.
	pub fn named_signers(&self) -> Vec<String> {
		let signers = self.entries().iter().filter_map(|entry| entry.get("signer"));
		signers.filter_map(Value::as_str).map(str::to_string).collect()
	}

	fn entries(&self) -> &[Value] {
		let meta = self.file.get("meta");
		meta.and_then(|meta| meta.get("signatures")).and_then(Value::as_array).unwrap_or_default()
	}

	/// The signatures that count, sorted by role, each role once; and why others do not.
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

	fn report(&self, keys: &RoleKeys) -> Report {
		let (counted, reasons) = self.count(keys);
		let signatures_ok = u32::try_from(counted.len()).unwrap_or(0);
		if signatures_ok < THRESHOLD {
			return Report::refused(&Refusal::Threshold(signatures_ok), reasons, signatures_ok);
		}
		Report { ok: true, signatures_ok, required: THRESHOLD, error: None, reasons }
	}
}

const fn words(fault: SignatureFault) -> &'static str {
	match fault {
		SignatureFault::WeakKey => "the configured key is weak",
		SignatureFault::NonCanonicalKey => "the configured key is not in canonical form",
		SignatureFault::NonCanonicalScalar => "another form of a signature (S + L)",
		SignatureFault::WeakPoint => "a signature with a weak point",
		SignatureFault::Invalid => "not this role's signature of this file, day and chain",
	}
}
