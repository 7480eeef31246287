//! Bytes and amounts as text, the same in every interface that takes or returns JSON.

use gridproof_primitives::H256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// Bytes, written as `0x` and hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^0x([0-9a-fA-F]{2})*$", example = "0x00"))]
pub struct HexBytes(pub Vec<u8>);

/// 32 bytes (a key, a hash), written as `0x` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^0x[0-9a-fA-F]{64}$"))]
pub struct Hex32(pub [u8; 32]);

/// An Ed25519 signature, written as `0x` and 128 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^0x[0-9a-fA-F]{128}$"))]
pub struct Hex64(pub [u8; 64]);

/// An amount in a token's smallest unit: a decimal string, since JSON's numbers end at 2⁵³.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[0-9]{1,38}$", example = "1000000000000000000"))]
pub struct Amount(pub u128);

/// Returns bytes as every interface writes them: `0x` and hexadecimal digits.
///
/// ```
/// assert_eq!(gridproof_support::text::hexadecimal([0, 255]), "0x00ff");
/// ```
pub fn hexadecimal(bytes: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(bytes))
}

/// Returns an address as it may be shown: without user and password, whatever else is wrong with it.
///
/// ```
/// use gridproof_support::text::without_login;
/// assert_eq!(without_login("https://user:secret@host:1/path"), "https://host:1/path");
/// assert_eq!(without_login("user:secret@host"), "host");
/// assert_eq!(without_login("host:1/path"), "host:1/path");
/// ```
pub fn without_login(address: &str) -> String {
	// What follows the last of them: a password may hold any sign, an encoded one none of these.
	let Some((before, host)) = address.rsplit_once('@') else { return address.to_string() };
	let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
	match before.split_once("://") {
		Some((scheme, _)) if is_scheme(scheme) => format!("{scheme}://{host}"),
		_ => host.to_string(),
	}
}

macro_rules! hexadecimal {
	($type:ty, $decode:expr) => {
		impl fmt::Display for $type {
			fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str(&hexadecimal(&self.0))
			}
		}

		impl fmt::Debug for $type {
			fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				fmt::Display::fmt(self, f)
			}
		}

		impl Serialize for $type {
			fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
				serializer.collect_str(self)
			}
		}

		impl<'de> Deserialize<'de> for $type {
			fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
				let text = String::deserialize(deserializer)?;
				text.parse().map_err(D::Error::custom)
			}
		}

		impl std::str::FromStr for $type {
			type Err = String;

			fn from_str(text: &str) -> Result<Self, String> {
				let digits = text.strip_prefix("0x").ok_or("want 0x and hexadecimal digits")?;
				#[allow(clippy::redundant_closure_call)]
				($decode)(digits).map(Self)
			}
		}
	};
}

hexadecimal!(HexBytes, |digits: &str| hex::decode(digits).map_err(|e| e.to_string()));
hexadecimal!(Hex32, fixed::<32>);
hexadecimal!(Hex64, fixed::<64>);

fn fixed<const N: usize>(digits: &str) -> Result<[u8; N], String> {
	let mut bytes = [0; N];
	hex::decode_to_slice(digits, &mut bytes)
		.map_err(|_| format!("want 0x and {} hexadecimal digits", N.saturating_mul(2)))?;
	Ok(bytes)
}

impl From<H256> for Hex32 {
	fn from(hash: H256) -> Self {
		Self(hash.0)
	}
}

impl From<Hex32> for H256 {
	fn from(hash: Hex32) -> Self {
		Self(hash.0)
	}
}

impl fmt::Display for Amount {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		self.0.fmt(f)
	}
}

impl Serialize for Amount {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(&self.0)
	}
}

impl<'de> Deserialize<'de> for Amount {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
		let value = text.parse().ok().filter(|_| is_plain);
		value.map(Self).ok_or_else(|| D::Error::custom("want a whole number as a string"))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_address_is_shown_without_any_part_of_its_login() {
		for (address, shown) in [
			("mqtts://user:p@ss@host:8883", "mqtts://host:8883"),
			("mqtt://user@host", "mqtt://host"),
			("mqtt://user:a/b?c#d:e@host:1", "mqtt://host:1"),
			("user:pass@host", "host"),
			("us er:x://y@host", "host"),
			("http://host:1/path", "http://host:1/path"),
			("", ""),
		] {
			assert_eq!(without_login(address), shown);
		}
	}

	#[test]
	fn amounts_are_strings_of_digits() {
		let amount: Amount =
			serde_json::from_str("\"340282366920938463463374607431768211455\"").unwrap();
		assert_eq!(amount, Amount(u128::MAX));
		for bad in ["\"\"", "\"+1\"", "\"-1\"", "1", "\"1.0\"", "\" 1\""] {
			assert!(serde_json::from_str::<Amount>(bad).is_err(), "{bad}");
		}
	}
}
