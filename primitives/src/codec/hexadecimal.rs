//! Bytes as hexadecimal digits, in both directions.

use alloc::{string::String, vec::Vec};

use crate::H256;

/// Returns lower-case digits, two per byte, without `0x`.
pub fn encode(bytes: &[u8]) -> String {
	let digit = |value: u8| char::from_digit(u32::from(value), 16);
	bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).flatten().collect()
}

/// Returns lower-case digits after `0x`.
pub fn encode_prefixed(bytes: &[u8]) -> String {
	["0x", encode(bytes).as_str()].concat()
}

/// Returns the bytes that `text` writes with two digits each, in either case and without `0x`;
/// `None` if it is anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
	let digits: Option<Vec<u8>> = text
		.chars()
		.map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
		.collect();
	let digits = digits?;
	let pairs = digits.chunks_exact(2);
	if !pairs.remainder().is_empty() {
		return None;
	}
	pairs.map(|pair| Some(pair.first()? << 4 | pair.last()?)).collect()
}

/// Same as [`decode`], with or without `0x`.
pub fn decode_any(text: &str) -> Option<Vec<u8>> {
	decode(text.strip_prefix("0x").unwrap_or(text))
}

/// Reads a hash of 64 digits, with or without `0x`.
pub fn decode_hash(text: &str) -> Option<H256> {
	<[u8; 32]>::try_from(decode_any(text)?).ok().map(H256)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn bytes_come_back() {
		let all: Vec<u8> = (0..=255).collect();
		assert_eq!(decode(&encode(&all)), Some(all.clone()));
		assert_eq!(decode_any(&encode_prefixed(&all)), Some(all));
		assert_eq!(encode(&[0x0a, 0xf0]), "0af0");
		assert_eq!(decode("0AF0"), Some(vec![0x0a, 0xf0]));
	}

	#[test]
	fn other_texts_are_refused() {
		for text in ["0", "0g", "0x", "ä0", " 00", "+1"] {
			assert_eq!(decode(text), None, "{text}");
		}
		assert_eq!(decode_any("0x"), Some(vec![]));
		assert_eq!(decode_hash(&"0".repeat(63)), None);
		assert_eq!(decode_hash(&"0".repeat(66)), None);
		assert_eq!(decode_hash(&"11".repeat(32)), Some(H256([0x11; 32])));
	}
}
