//! Embeddings as text: base64 of 32-bit floats in little-endian order.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Returns a vector as text.
pub fn vector_to_text(vector: &[f32]) -> String {
	let bytes: Vec<u8> = vector.iter().flat_map(|float| float.to_le_bytes()).collect();
	STANDARD.encode(bytes)
}

/// Returns the vector that a text stands for; `None` if it is malformed or a float is not finite.
pub fn vector_from_text(text: &str) -> Option<Vec<f32>> {
	let bytes = STANDARD.decode(text).ok()?;
	let (chunks, rest) = bytes.as_chunks::<4>();
	let floats: Vec<f32> = chunks.iter().map(|four| f32::from_le_bytes(*four)).collect();
	(rest.is_empty() && floats.iter().all(|float| float.is_finite())).then_some(floats)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_vector_is_read_back_and_malformed_text_is_not_read() {
		assert_eq!(vector_to_text(&[1.0, 2.0]), "AACAPwAAAEA=");
		assert_eq!(vector_from_text("AACAPwAAAEA="), Some(vec![1.0, 2.0]));
		assert_eq!(vector_from_text(""), Some(Vec::new()));
		assert_eq!(vector_from_text("AACAPwA="), None, "a float and a byte");
		assert_eq!(vector_from_text("?"), None);
		assert_eq!(vector_from_text(&vector_to_text(&[f32::NAN])), None);
	}
}
