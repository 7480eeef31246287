//! Content identifiers: CIDv1, raw bytes, SHA-256.
//!
//! 36 bytes: version `01`, codec `55` (raw), hash `12` (SHA-256), its length `20`, the digest. As
//! text: `b` and the bytes in lower-case base32 (RFC 4648) without padding, 59 characters.

use alloc::string::String;
use codec::{Decode, DecodeWithMemTracking, Encode, Error as CodecError, Input, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sp_io::hashing::sha2_256;

use crate::H256;

/// Version, codec, hash function, digest length.
const PREFIX: [u8; 4] = [0x01, 0x55, 0x12, 0x20];
/// The multibase sign of lower-case base32.
const MULTIBASE: char = 'b';
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Characters of the text form.
const TEXT_LENGTH: usize = 59;

/// Error of a text or of bytes that are not a CIDv1 of raw bytes with SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotACid;

impl fmt::Display for NotACid {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("not a CIDv1 of raw bytes with SHA-256: 59 characters that begin with bafkrei")
	}
}

impl core::error::Error for NotACid {}

/// The content identifier of some bytes: CIDv1, raw codec, SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, MaxEncodedLen, TypeInfo)]
pub struct Cid([u8; 36]);

impl Cid {
	/// Returns the identifier of `content`.
	pub fn of(content: &[u8]) -> Self {
		Self::from_digest(H256(sha2_256(content)))
	}

	/// Returns the identifier of the content whose SHA-256 is `digest`.
	pub fn from_digest(digest: H256) -> Self {
		let mut bytes = [0; 36];
		for (byte, value) in bytes.iter_mut().zip(PREFIX.iter().chain(&digest.0)) {
			*byte = *value;
		}
		Self(bytes)
	}

	/// Returns the identifier with these 36 bytes.
	pub fn from_bytes(bytes: [u8; 36]) -> Result<Self, NotACid> {
		if bytes.starts_with(&PREFIX) { Ok(Self(bytes)) } else { Err(NotACid) }
	}

	/// Returns the 36 bytes of the identifier.
	pub const fn as_bytes(&self) -> &[u8; 36] {
		&self.0
	}

	/// Returns the SHA-256 of the content.
	pub fn digest(&self) -> H256 {
		let mut digest = [0; 32];
		for (byte, value) in digest.iter_mut().zip(self.0.iter().skip(PREFIX.len())) {
			*byte = *value;
		}
		H256(digest)
	}

	/// Reads the text form. Each identifier has exactly one text.
	pub fn parse(text: &str) -> Result<Self, NotACid> {
		let digits = text.strip_prefix(MULTIBASE).ok_or(NotACid)?;
		if text.len() != TEXT_LENGTH {
			return Err(NotACid);
		}
		let (mut bits, mut held) = (0u32, 0u32);
		let mut bytes = [0; 36];
		let mut free = bytes.iter_mut();
		for digit in digits.bytes() {
			let value = ALPHABET.iter().position(|letter| *letter == digit).ok_or(NotACid)?;
			bits = bits << 5 | u32::try_from(value).map_err(|_| NotACid)?;
			held = held.saturating_add(5);
			if held >= 8 {
				held = held.saturating_sub(8);
				*free.next().ok_or(NotACid)? = u8::try_from(bits >> held).map_err(|_| NotACid)?;
				bits &= !(u32::MAX << held);
			}
		}
		// The last digit has two bits too many; the text is accepted only if they are zero.
		if bits != 0 {
			return Err(NotACid);
		}
		Self::from_bytes(bytes)
	}
}

impl fmt::Display for Cid {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut text = String::with_capacity(TEXT_LENGTH);
		text.push(MULTIBASE);
		let (mut bits, mut held) = (0u32, 0u32);
		let mut digit = |value: u32| {
			let letter = usize::try_from(value & 0x1f).ok().and_then(|at| ALPHABET.get(at));
			text.extend(letter.copied().map(char::from));
		};
		for byte in self.0 {
			bits = bits << 8 & 0xffff | u32::from(byte);
			held = held.saturating_add(8);
			while held >= 5 {
				held = held.saturating_sub(5);
				digit(bits >> held);
			}
		}
		if held > 0 {
			digit(bits << 5u32.saturating_sub(held));
		}
		f.write_str(&text)
	}
}

impl fmt::Debug for Cid {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{self}")
	}
}

impl FromStr for Cid {
	type Err = NotACid;

	fn from_str(text: &str) -> Result<Self, NotACid> {
		Self::parse(text)
	}
}

impl Decode for Cid {
	fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
		Self::from_bytes(<[u8; 36]>::decode(input)?)
			.map_err(|_| "Cid: not CIDv1, raw, SHA-256".into())
	}
}

impl DecodeWithMemTracking for Cid {}

impl Serialize for Cid {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Cid {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
	}
}
