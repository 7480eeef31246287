//! A proof as a JSON document: what the gateway's `GET /api/v1/logs/{id}/proof` answers, what
//! `gridproof proof` writes and checks, what the browser reads.
//!
//! ```json
//! {"log_id": "log_…", "batch_id": "batch_…", "leaf_hash": "…", "merkle_root": "…", "index": 1,
//!  "proof": [{"position": "left", "hash": "…"}], "tree_size": 3, "scheme": "rfc6962",
//!  "meter": 7, "sequence": 0, "anchor_path": {…}, "log": {…}}
//! ```
//!
//! Hashes are 64 hexadecimal digits; a leading `0x` is accepted and never written. `tree_size`,
//! `scheme` and what follows are missing in documents of the older gateway. `anchor_path` is there if the
//! batch is anchored together with others: its [way](super::anchored) to the root in the transaction.
//! Members that are not listed here are ignored.

use super::{
	Position, ProofError, ProofStep, anchored::AnchorPath, inclusion_steps, leaf_hash, legacy,
	root, verify_inclusion_steps,
};
use crate::{
	H256,
	codec::hexadecimal,
	codec::json::{self, JsonError, Limits, Value},
};
use alloc::{
	string::{String, ToString},
	vec,
	vec::Vec,
};
use core::{fmt, str::FromStr};
use serde::Serialize;

/// Kind of tree that a proof belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
	/// Tree of [RFC 6962](crate::crypto::merkle).
	Rfc6962,
	/// Tree of the [older gateway](legacy).
	Legacy,
}

impl Scheme {
	/// Returns `rfc6962` or `legacy`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Rfc6962 => "rfc6962",
			Self::Legacy => "legacy",
		}
	}

	/// Returns the hash of a leaf with this data.
	pub fn leaf_hash(self, data: &[u8]) -> H256 {
		match self {
			Self::Rfc6962 => leaf_hash(data),
			Self::Legacy => legacy::leaf_hash(data),
		}
	}
}

impl fmt::Display for Scheme {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

/// Error of a text that is neither `rfc6962` nor `legacy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownScheme;

impl fmt::Display for UnknownScheme {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("unknown scheme: write rfc6962 or legacy")
	}
}

impl core::error::Error for UnknownScheme {}

impl FromStr for Scheme {
	type Err = UnknownScheme;

	fn from_str(text: &str) -> Result<Self, UnknownScheme> {
		[Self::Rfc6962, Self::Legacy]
			.into_iter()
			.find(|scheme| scheme.as_str() == text)
			.ok_or(UnknownScheme)
	}
}

/// Reason why a document is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProofDocumentError {
	/// The document is not JSON that is accepted.
	Malformed(JsonError),
	/// A member is missing or has another form: its name, and what it must be.
	Member(&'static str, &'static str),
	/// The caller asked for another scheme than the document states.
	OtherScheme(Scheme),
	/// The document has a proof of RFC 6962, but no `tree_size`.
	NoTreeSize,
	/// The reading in the document does not have the leaf hash that the document states.
	OtherLog,
	/// The proof does not hold.
	Proof(ProofError),
	/// The proof holds, but not the way from the batch's root to the root that is anchored.
	AnchorPath(ProofError),
}

impl ProofDocumentError {
	/// Returns the error's name in JSON answers.
	pub const fn as_str(&self) -> &'static str {
		match self {
			Self::Malformed(_) => "not_json",
			Self::Member(..) => "bad_document",
			Self::OtherScheme(_) => "other_scheme",
			Self::NoTreeSize => "no_tree_size",
			Self::OtherLog => "other_log",
			Self::Proof(fault) => fault.as_str(),
			Self::AnchorPath(_) => "broken_anchor_path",
		}
	}
}

impl fmt::Display for ProofDocumentError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Malformed(error) => write!(f, "not a JSON document: {error}"),
			Self::Member(name, wanted) => write!(f, "{name}: {wanted}"),
			Self::OtherScheme(stated) => {
				write!(f, "the document states the scheme {stated}: check it with that")
			},
			Self::NoTreeSize => f.write_str(
				"the document states no tree_size, which a proof of RFC 6962 needs: \
				 give the number of readings in the batch",
			),
			Self::OtherLog => {
				f.write_str("the reading in the document does not have its leaf_hash")
			},
			Self::Proof(fault) => write!(f, "{fault}"),
			Self::AnchorPath(fault) => {
				write!(
					f,
					"the way from the batch's root to the anchored root does not hold: {fault}"
				)
			},
		}
	}
}

impl core::error::Error for ProofDocumentError {}

impl From<ProofError> for ProofDocumentError {
	fn from(fault: ProofError) -> Self {
		Self::Proof(fault)
	}
}

/// Result of checking a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Checked {
	/// Scheme by which it was checked.
	pub scheme: Scheme,
	/// `true` if the document contains the reading and it is the leaf; otherwise only the leaf hash
	/// is proven.
	pub log_checked: bool,
}

/// Proof that a reading is in a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProofDocument {
	/// The gateway's id of the reading; `None` if no gateway made the document.
	pub log_id: Option<String>,
	/// The gateway's id of the batch; `None` if no gateway made the document.
	pub batch_id: Option<String>,
	/// Leaf hash of the reading.
	pub leaf_hash: H256,
	/// Merkle root of the batch.
	pub merkle_root: H256,
	/// Position of the leaf in the batch, from 0.
	pub index: u64,
	/// Siblings from the leaf upwards.
	pub proof: Vec<ProofStep>,
	/// Number of leaves in the batch; `None` in documents of the older gateway.
	pub tree_size: Option<u64>,
	/// Kind of tree; `None` in documents of the older gateway.
	pub scheme: Option<Scheme>,
	/// Index of the meter on chain; `None` if the batch was not submitted.
	pub meter: Option<u32>,
	/// Sequence number of the batch on chain; `None` if the batch was not submitted.
	pub sequence: Option<u64>,
	/// Way from the batch's root to the root in a Bitcoin transaction; `None` if the batch is not
	/// anchored, or alone.
	pub anchor_path: Option<AnchorPath>,
	/// The reading itself, if the document contains it.
	pub log: Option<Value>,
}

impl ProofDocument {
	/// Returns the proof that the reading with the leaf hash `leaves[index]` is in the batch of
	/// `leaves`, by RFC 6962; `None` if there is no such leaf. The caller adds ids, meter, sequence
	/// and, if wanted, the reading.
	pub fn of(leaves: &[H256], index: usize) -> Option<Self> {
		Some(Self {
			log_id: None,
			batch_id: None,
			leaf_hash: *leaves.get(index)?,
			merkle_root: root(leaves),
			index: u64::try_from(index).ok()?,
			proof: inclusion_steps(leaves, index)?,
			tree_size: u64::try_from(leaves.len()).ok(),
			scheme: Some(Scheme::Rfc6962),
			meter: None,
			sequence: None,
			anchor_path: None,
			log: None,
		})
	}

	/// Reads a document.
	///
	/// # Errors
	/// [`ProofDocumentError::Malformed`] if the bytes are not JSON, [`ProofDocumentError::Member`] if a
	/// member is missing or has another form.
	pub fn parse(bytes: &[u8]) -> Result<Self, ProofDocumentError> {
		let value = json::parse(bytes, Limits::DEFAULT).map_err(ProofDocumentError::Malformed)?;
		Self::from_value(&value)
	}

	/// Reads a document that is JSON already.
	///
	/// # Errors
	/// [`ProofDocumentError::Member`] if a member is missing or has another form.
	pub fn from_value(value: &Value) -> Result<Self, ProofDocumentError> {
		if value.as_object().is_none() {
			return Err(ProofDocumentError::Member("document", "must be a JSON object"));
		}
		let steps = steps(value, "proof")?;
		let log = value.get("log").filter(|log| **log != Value::Null);
		if log.is_some_and(|log| log.as_object().is_none()) {
			return Err(ProofDocumentError::Member("log", "must be an object"));
		}
		Ok(Self {
			log_id: text(value, "log_id")?,
			batch_id: text(value, "batch_id")?,
			leaf_hash: hash(value, "leaf_hash")?,
			merkle_root: hash(value, "merkle_root")?,
			index: number(value, "index")?
				.ok_or(ProofDocumentError::Member("index", "must be a whole number"))?,
			proof: steps,
			tree_size: number(value, "tree_size")?,
			scheme: text(value, "scheme")?
				.map(|scheme| scheme.parse())
				.transpose()
				.map_err(|_| ProofDocumentError::Member("scheme", "must be rfc6962 or legacy"))?,
			meter: number(value, "meter")?
				.map(u32::try_from)
				.transpose()
				.map_err(|_| ProofDocumentError::Member("meter", "must be below 2^32"))?,
			sequence: number(value, "sequence")?,
			anchor_path: optional(value, "anchor_path").map(anchor_path).transpose()?,
			log: log.cloned(),
		})
	}

	/// Returns the document with its members in the order of the module's example; `tree_size` and
	/// what follows only if known.
	pub fn to_value(&self) -> Value {
		let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::from);
		let mut members = vec![
			("log_id", text(&self.log_id)),
			("batch_id", text(&self.batch_id)),
			("leaf_hash", hexadecimal::encode(&self.leaf_hash.0).into()),
			("merkle_root", hexadecimal::encode(&self.merkle_root.0).into()),
			("index", u128::from(self.index).into()),
			("proof", steps_value(&self.proof)),
		];
		members.extend(self.tree_size.map(|size| ("tree_size", u128::from(size).into())));
		members.extend(self.scheme.map(|scheme| ("scheme", scheme.as_str().into())));
		members.extend(self.meter.map(|meter| ("meter", u128::from(meter).into())));
		members.extend(self.sequence.map(|sequence| ("sequence", u128::from(sequence).into())));
		members.extend(self.anchor_path.as_ref().map(|path| ("anchor_path", path_value(path))));
		members.extend(self.log.clone().map(|log| ("log", log)));
		object(members)
	}

	/// Returns the hashes of the proof without their sides, as the chain expects them.
	pub fn hashes(&self) -> Vec<H256> {
		self.proof.iter().map(|step| step.hash).collect()
	}

	/// Returns the scheme by which it is checked: the one asked for, else the one it states. A
	/// document without scheme and tree size is one of the older gateway.
	///
	/// # Errors
	/// [`ProofDocumentError::OtherScheme`] if one is asked for and another is stated.
	pub fn scheme(&self, asked: Option<Scheme>) -> Result<Scheme, ProofDocumentError> {
		match (asked, self.scheme) {
			(Some(asked), Some(stated)) if asked != stated => {
				Err(ProofDocumentError::OtherScheme(stated))
			},
			(Some(scheme), _) | (None, Some(scheme)) => Ok(scheme),
			(None, None) if self.tree_size.is_some() => Ok(Scheme::Rfc6962),
			(None, None) => Ok(Scheme::Legacy),
		}
	}

	/// Checks the document against the root that it states itself, and its way to the anchored root if
	/// it has one. The caller must check that these roots are what they claim: the batch's on chain or
	/// in a signed header, the anchored one in its transaction.
	///
	/// # Errors
	/// [`ProofDocumentError::OtherScheme`] if `asked` is not what the document states,
	/// [`ProofDocumentError::OtherLog`] if the reading does not have the leaf hash,
	/// [`ProofDocumentError::NoTreeSize`] if a proof of RFC 6962 has no tree size,
	/// [`ProofDocumentError::Proof`] if the proof does not hold, [`ProofDocumentError::AnchorPath`] if
	/// the way to the anchored root does not.
	pub fn verify(&self, asked: Option<Scheme>) -> Result<Checked, ProofDocumentError> {
		let scheme = self.scheme(asked)?;
		if let Some(log) = &self.log {
			let leaf = scheme.leaf_hash(log.to_canonical().as_bytes());
			if leaf != self.leaf_hash {
				return Err(ProofDocumentError::OtherLog);
			}
		}
		match scheme {
			Scheme::Rfc6962 => {
				let size = self.tree_size.ok_or(ProofDocumentError::NoTreeSize)?;
				let (leaf, root) = (&self.leaf_hash, &self.merkle_root);
				verify_inclusion_steps(leaf, self.index, size, &self.proof, root)?;
			},
			Scheme::Legacy => {
				if self.tree_size.is_some_and(|size| self.index >= size) {
					return Err(ProofError::IndexOutOfRange.into());
				}
				legacy::verify(&self.leaf_hash, self.index, &self.proof, &self.merkle_root)?;
			},
		}
		if let Some(path) = &self.anchor_path {
			path.verify(&self.merkle_root).map_err(ProofDocumentError::AnchorPath)?;
		}
		Ok(Checked { scheme, log_checked: self.log.is_some() })
	}
}

/// Returns a member, `None` if it is missing or null.
fn optional<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
	value.get(name).filter(|member| **member != Value::Null)
}

fn text(value: &Value, name: &'static str) -> Result<Option<String>, ProofDocumentError> {
	optional(value, name)
		.map(|member| member.as_str().map(str::to_string))
		.map(|text| text.ok_or(ProofDocumentError::Member(name, "must be a text")))
		.transpose()
}

fn number(value: &Value, name: &'static str) -> Result<Option<u64>, ProofDocumentError> {
	optional(value, name)
		.map(|member| member.as_u128().and_then(|number| u64::try_from(number).ok()))
		.map(|number| number.ok_or(ProofDocumentError::Member(name, "must be a whole number")))
		.transpose()
}

fn hash(value: &Value, name: &'static str) -> Result<H256, ProofDocumentError> {
	optional(value, name)
		.and_then(Value::as_str)
		.and_then(hexadecimal::decode_hash)
		.ok_or(ProofDocumentError::Member(name, "must be 64 hexadecimal digits"))
}

/// Reads the steps of a path, with the name that errors give it.
fn steps(value: &Value, name: &'static str) -> Result<Vec<ProofStep>, ProofDocumentError> {
	let steps = value.get("proof").and_then(Value::as_array);
	let steps = steps.ok_or(ProofDocumentError::Member(name, "must be an array"))?;
	if steps.len() > 64 {
		return Err(ProofDocumentError::Member(name, "must have at most 64 steps"));
	}
	steps.iter().map(step).collect()
}

fn object(members: Vec<(&str, Value)>) -> Value {
	Value::Object(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

fn steps_value(steps: &[ProofStep]) -> Value {
	let steps = steps.iter().map(|step| {
		object(vec![
			("position", step.position.as_str().into()),
			("hash", hexadecimal::encode(&step.hash.0).into()),
		])
	});
	Value::Array(steps.collect())
}

/// Reads the way to an anchored root. All of it but the transaction must be there.
fn anchor_path(value: &Value) -> Result<AnchorPath, ProofDocumentError> {
	const NAME: &str = "anchor_path";
	let wrong = |wanted| ProofDocumentError::Member(NAME, wanted);
	if value.as_object().is_none() {
		return Err(wrong("must be an object"));
	}
	let whole = |name| {
		let found = number(value, name).ok().flatten();
		found.ok_or(wrong("index and tree_size must be whole numbers"))
	};
	let txid = optional(value, "txid").map(|_| hash(value, "txid")).transpose();
	Ok(AnchorPath {
		root: hash(value, "root").map_err(|_| wrong("root must be 64 hexadecimal digits"))?,
		index: whole("index")?,
		tree_size: whole("tree_size")?,
		proof: steps(value, "anchor_path.proof")?,
		txid: txid.map_err(|_| wrong("txid must be 64 hexadecimal digits"))?,
	})
}

fn path_value(path: &AnchorPath) -> Value {
	let mut members = vec![
		("root", hexadecimal::encode(&path.root.0).into()),
		("index", u128::from(path.index).into()),
		("tree_size", u128::from(path.tree_size).into()),
		("proof", steps_value(&path.proof)),
	];
	members.extend(path.txid.map(|txid| ("txid", hexadecimal::encode(&txid.0).into())));
	object(members)
}

fn step(value: &Value) -> Result<ProofStep, ProofDocumentError> {
	let position = match optional(value, "position").and_then(Value::as_str) {
		Some("left") => Position::Left,
		Some("right") => Position::Right,
		_ => return Err(ProofDocumentError::Member("proof[].position", "must be left or right")),
	};
	let hash = hash(value, "hash")
		.map_err(|_| ProofDocumentError::Member("proof[].hash", "must be 64 hexadecimal digits"))?;
	Ok(ProofStep { position, hash })
}
