//! Names of models.

use alloc::string::{String, ToString};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str};
use scale_info::TypeInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sp_core::{ConstU32, bounded::BoundedVec};

/// Highest number of bytes of a model's name.
pub const MAX_MODEL_NAME_BYTES: u32 = 64;

/// Characters of a name besides ASCII letters and digits.
const OTHERS: &[u8] = b"._-/:+@";

/// Reason why a text cannot be a model's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModelNameError {
	/// The text is empty.
	Empty,
	/// The text has more than [`MAX_MODEL_NAME_BYTES`] bytes.
	TooLong,
	/// The text has a character that no name has, or does not begin with a letter or digit.
	BadCharacter,
}

impl fmt::Display for ModelNameError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Empty => "a model's name must not be empty",
			Self::TooLong => "a model's name may have at most 64 bytes",
			Self::BadCharacter => {
				"a model's name begins with a letter or digit and consists of ASCII letters, digits and . _ - / : + @"
			},
		})
	}
}

impl core::error::Error for ModelNameError {}

/// Name of a model, as clients ask for it, such as `austen-1m`.
///
/// It has 1 to 64 ASCII letters, digits and `. _ - / : + @`, the first of them a letter or digit, so
/// that no two names look alike except by upper and lower case, which [`ModelName::folded`] does
/// away with. Decoding does not check that: call [`ModelName::check`] on a name from outside.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq)]
pub struct ModelName(BoundedVec<u8, ConstU32<MAX_MODEL_NAME_BYTES>>);

impl ModelName {
	/// Returns the name with this text.
	///
	/// # Errors
	/// The first reason of [`ModelNameError`] that applies.
	pub fn new(text: &str) -> Result<Self, ModelNameError> {
		let bytes = text.as_bytes().to_vec();
		let name = Self(BoundedVec::try_from(bytes).map_err(|_| ModelNameError::TooLong)?);
		name.check()?;
		Ok(name)
	}

	/// Checks what decoding does not.
	///
	/// # Errors
	/// The first reason of [`ModelNameError`] that applies.
	pub fn check(&self) -> Result<(), ModelNameError> {
		let first = self.0.first().ok_or(ModelNameError::Empty)?;
		let fits = |byte: &u8| byte.is_ascii_alphanumeric() || OTHERS.contains(byte);
		if first.is_ascii_alphanumeric() && self.0.iter().all(fits) {
			Ok(())
		} else {
			Err(ModelNameError::BadCharacter)
		}
	}

	/// Returns the name in lower case: names that differ in case only are one model's.
	#[must_use]
	pub fn folded(mut self) -> Self {
		self.0.iter_mut().for_each(|byte| byte.make_ascii_lowercase());
		self
	}

	/// Returns the text; empty if it is not UTF-8.
	pub fn as_str(&self) -> &str {
		str::from_utf8(&self.0).unwrap_or_default()
	}
}

impl fmt::Display for ModelName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

impl fmt::Debug for ModelName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Debug::fmt(self.as_str(), f)
	}
}

impl Serialize for ModelName {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		self.as_str().to_string().serialize(serializer)
	}
}

impl<'de> Deserialize<'de> for ModelName {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
	}
}
