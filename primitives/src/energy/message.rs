//! Messages by which a gateway asks a device to sign, over MQTT, in JSON.
//!
//! ```json
//! {"header_hex": "<SCALE of the header>", "genesis": "0x…", "leaves": 96}
//! {"header_hash": "0x…", "signature": "0x…"}
//! {"header_hash": "0x…", "refused": "why", "last_header_hex": "…", "last_signature": "0x…", "last_closing_hex": "…"}
//! {"leaf_hash": "0x…", "reason": "too_much_energy", "detail": "…"}
//! ```
//!
//! The first is published on [`Topic::Sign`](super::Topic::Sign), the second and third are the answers
//! on [`Topic::Signed`](super::Topic::Signed); a refusal has the last three members if the device has signed a header of
//! that number, or the one before. The last one is published on
//! [`Topic::Refused`](super::Topic::Refused): gateway and device have to hold the same list of
//! readings, so a device strikes what its gateway does not keep. Members that are not listed here are
//! refused.

use super::{BatchHeader, emlog::RunningRegisters};
use crate::{
	H256,
	codec::hexadecimal,
	codec::json::{self, JsonError, Limits, Value},
	crypto::ed25519::Signature,
};
use alloc::{
	string::{String, ToString},
	vec::Vec,
};
use codec::{DecodeAll, Encode};
use core::fmt;

/// Highest number of bytes of a message.
pub const MAX_MESSAGE_BYTES: usize = 4_096;

/// Members of a device's copy.
const LAST_HEADER: &str = "last_header_hex";
const LAST_SIGNATURE: &str = "last_signature";
const LAST_CLOSING: &str = "last_closing_hex";
/// What the text of a header has to be.
const HEADER: &str = "a SCALE-encoded header in hexadecimal";

/// Error of a text that is not such a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MessageError {
	/// The text is not JSON.
	Malformed(JsonError),
	/// The text has a member that messages do not have.
	UnknownMember(String),
	/// A member is missing or has another form: its name, and what it must be.
	Member(&'static str, &'static str),
}

impl fmt::Display for MessageError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Malformed(error) => write!(f, "malformed JSON: {error}"),
			Self::UnknownMember(name) => write!(f, "unknown member {name:?}"),
			Self::Member(name, wanted) => write!(f, "{name} must be {wanted}"),
		}
	}
}

impl core::error::Error for MessageError {}

/// Request of a gateway to a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignRequest {
	/// Header that the device is asked to sign.
	pub header: BatchHeader,
	/// Genesis hash of the chain for which it signs.
	pub genesis: H256,
	/// Number of readings in the batch: the oldest of those that the device has published and not
	/// signed yet.
	pub leaves: u32,
}

/// Answer of a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignAnswer {
	/// [`BatchHeader::hash`] of the header that it was asked to sign.
	pub header_hash: H256,
	/// Signature, or the reason why the device refuses.
	pub outcome: Result<Signature, String>,
	/// With a refusal: the device's copy of what it has signed under the number it was asked for, or
	/// else under the one before. A gateway that has lost its own continues from it.
	pub last: Option<SignedCopy>,
}

/// Copy of what a device has signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCopy {
	/// Header.
	pub header: BatchHeader,
	/// Signature of [`BatchHeader::signing_payload`].
	pub signature: Signature,
	/// Exact registers at its end, of which the header has the floors.
	pub closing: RunningRegisters,
}

fn object(members: Vec<(&str, Value)>) -> String {
	let members = members.into_iter().map(|(name, value)| (name.to_string(), value));
	Value::Object(members.collect()).to_canonical()
}

fn read(bytes: &[u8], known: &[&str]) -> Result<Value, MessageError> {
	let limits = Limits { max_bytes: MAX_MESSAGE_BYTES, max_depth: 2 };
	let value = json::parse(bytes, limits).map_err(MessageError::Malformed)?;
	let members = value.as_object().ok_or(MessageError::Member("message", "a JSON object"))?;
	match members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
		Some((name, _)) => Err(MessageError::UnknownMember(name.chars().take(64).collect())),
		None => Ok(value),
	}
}

/// Reads a value in SCALE, in hexadecimal digits.
fn scale<T: DecodeAll>(
	value: &Value,
	name: &'static str,
	wanted: &'static str,
) -> Result<T, MessageError> {
	value
		.get(name)
		.and_then(Value::as_str)
		.and_then(hexadecimal::decode_any)
		.and_then(|bytes| T::decode_all(&mut bytes.as_slice()).ok())
		.ok_or(MessageError::Member(name, wanted))
}

fn signature(value: &Value, name: &'static str) -> Result<Signature, MessageError> {
	value
		.get(name)
		.and_then(Value::as_str)
		.and_then(hexadecimal::decode_any)
		.and_then(|bytes| Signature::try_from(bytes).ok())
		.ok_or(MessageError::Member(name, "128 hexadecimal digits after 0x"))
}

fn hash(value: &Value, name: &'static str) -> Result<H256, MessageError> {
	value
		.get(name)
		.and_then(Value::as_str)
		.and_then(hexadecimal::decode_hash)
		.ok_or(MessageError::Member(name, "64 hexadecimal digits after 0x"))
}

impl SignRequest {
	/// Returns the message as JSON.
	pub fn to_json(&self) -> String {
		object(alloc::vec![
			("header_hex", hexadecimal::encode(&self.header.encode()).into()),
			("genesis", hexadecimal::encode_prefixed(&self.genesis.0).into()),
			("leaves", u128::from(self.leaves).into()),
		])
	}

	/// Reads a message.
	///
	/// # Errors
	/// The first reason of [`MessageError`] that applies.
	pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
		let value = read(bytes, &["header_hex", "genesis", "leaves"])?;
		let header = scale(&value, "header_hex", HEADER)?;
		let leaves = value
			.get("leaves")
			.and_then(Value::as_u128)
			.and_then(|leaves| u32::try_from(leaves).ok())
			.ok_or(MessageError::Member("leaves", "a whole number"))?;
		Ok(Self { header, genesis: hash(&value, "genesis")?, leaves })
	}
}

impl SignAnswer {
	/// Returns the answer that has this signature.
	pub const fn signed(header_hash: H256, signature: Signature) -> Self {
		Self { header_hash, outcome: Ok(signature), last: None }
	}

	/// Returns the answer that refuses for this reason.
	pub const fn refused(header_hash: H256, reason: String) -> Self {
		Self { header_hash, outcome: Err(reason), last: None }
	}

	/// Returns the message as JSON.
	pub fn to_json(&self) -> String {
		let hash = hexadecimal::encode_prefixed(&self.header_hash.0).into();
		let outcome = match &self.outcome {
			Ok(signature) => ("signature", hexadecimal::encode_prefixed(signature).into()),
			Err(reason) => ("refused", reason.clone().into()),
		};
		let mut members = alloc::vec![("header_hash", hash), outcome];
		if let Some(SignedCopy { header, signature, closing }) = &self.last {
			members.extend([
				(LAST_HEADER, hexadecimal::encode(&header.encode()).into()),
				(LAST_SIGNATURE, hexadecimal::encode_prefixed(signature).into()),
				(LAST_CLOSING, hexadecimal::encode(&closing.encode()).into()),
			]);
		}
		object(members)
	}

	/// Reads a message.
	///
	/// # Errors
	/// The first reason of [`MessageError`] that applies.
	pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
		let last = [LAST_HEADER, LAST_SIGNATURE, LAST_CLOSING];
		let known =
			["header_hash", "signature", "refused", LAST_HEADER, LAST_SIGNATURE, LAST_CLOSING];
		let value = read(bytes, &known)?;
		let header_hash = hash(&value, "header_hash")?;
		let has_last = last.iter().any(|name| value.get(name).is_some());
		let outcome = match (value.get("signature"), value.get("refused")) {
			(Some(_), None) if !has_last => Ok(signature(&value, "signature")?),
			(None, Some(reason)) => Err(reason
				.as_str()
				.map(str::to_string)
				.ok_or(MessageError::Member("refused", "a text"))?),
			_ => {
				return Err(MessageError::Member("message", "an answer: signature or refused"));
			},
		};
		let last = if has_last {
			Some(SignedCopy {
				header: scale(&value, LAST_HEADER, HEADER)?,
				signature: signature(&value, LAST_SIGNATURE)?,
				closing: scale(&value, LAST_CLOSING, "SCALE-encoded registers in hexadecimal")?,
			})
		} else {
			None
		};
		Ok(Self { header_hash, outcome, last })
	}
}

/// Notice of a gateway to a device: a reading of the device is in none of the gateway's batches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusalNotice {
	/// Leaf hash of the reading.
	pub leaf: H256,
	/// Reason in one word, such as `too_much_energy`, of at most 64 characters.
	pub reason: String,
	/// Reason in a sentence, of at most 512 characters.
	pub detail: String,
}

impl RefusalNotice {
	/// Returns the message as JSON; texts that are too long are cut.
	pub fn to_json(&self) -> String {
		let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
		object(alloc::vec![
			("leaf_hash", hexadecimal::encode_prefixed(&self.leaf.0).into()),
			("reason", cut(&self.reason, 64).into()),
			("detail", cut(&self.detail, 512).into()),
		])
	}

	/// Reads a message.
	///
	/// # Errors
	/// The first reason of [`MessageError`] that applies.
	pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
		let value = read(bytes, &["leaf_hash", "reason", "detail"])?;
		let text = |name: &'static str| {
			let text = value.get(name).and_then(Value::as_str).map(ToString::to_string);
			text.ok_or(MessageError::Member(name, "a text"))
		};
		Ok(Self {
			leaf: hash(&value, "leaf_hash")?,
			reason: text("reason")?,
			detail: text("detail")?,
		})
	}
}
