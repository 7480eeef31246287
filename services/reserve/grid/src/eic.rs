//! Energy Identification Codes: 16 characters, the last one a check character.
//!
//! Source of the rule: ENTSO-E, *The Energy Identification Coding Scheme (EIC) Reference Manual*,
//! section on the check character.

use core::fmt;

/// The characters of a code, in the order of their values 0 … 36.
const ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-";

/// The code of an area (type `Y`): a bidding zone, a control area, a country.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eic([u8; 16]);

/// Why a text is not the code of an area.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EicError {
	/// Not 16 characters out of `0-9`, `A-Z` and `-`.
	#[error("{0:?} is not an EIC: 16 characters of 0-9, A-Z and '-' are needed")]
	Malformed(String),
	/// The third character is not `Y`.
	#[error("{0} is not the EIC of an area: its third character must be Y")]
	NotAnArea(String),
	/// The last character is not the one that follows from the others.
	#[error("{found} has a wrong check character: {expected} follows from its first 15 characters")]
	WrongCheckCharacter {
		/// The code as given.
		found: String,
		/// The check character that its first 15 characters have.
		expected: char,
	},
}

impl Eic {
	/// The code that `text` states, if its check character is right.
	pub fn parse(text: &str) -> Result<Self, EicError> {
		let malformed = || EicError::Malformed(text.chars().take(32).collect());
		let code: [u8; 16] = text.as_bytes().try_into().map_err(|_| malformed())?;
		let expected = check_character(&code).ok_or_else(malformed)?;
		if value(code[15]).is_none() {
			return Err(malformed());
		}
		if code[15] != expected {
			return Err(EicError::WrongCheckCharacter {
				found: text.into(),
				expected: char::from(expected),
			});
		}
		if code[2] != b'Y' {
			return Err(EicError::NotAnArea(text.into()));
		}
		Ok(Self(code))
	}

	/// The code as text.
	pub fn as_str(&self) -> &str {
		// Only ASCII gets past `parse`.
		core::str::from_utf8(&self.0).unwrap_or_default()
	}
}

impl fmt::Display for Eic {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

impl fmt::Debug for Eic {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

fn value(character: u8) -> Option<u32> {
	(0u32..).zip(ALPHABET).find(|(_, known)| **known == character).map(|(value, _)| value)
}

/// The check character of a code's first 15 characters: they weigh 16, 15, … 2; of the sum,
/// `36 − (sum − 1) mod 37` is the check character's value. `None` if one is not of the alphabet.
fn check_character(code: &[u8; 16]) -> Option<u8> {
	let mut sum = 0u32;
	for (character, weight) in code.iter().zip((2..=16).rev()) {
		sum += value(*character)? * weight;
	}
	// (sum − 1) mod 37 without going below zero.
	let index = 36 - (sum + 36) % 37;
	ALPHABET.get(index as usize).copied()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn known_codes_pass_their_check_character() {
		for code in [
			"10Y1001A1001A82H",
			"10YFR-RTE------C",
			"10YNO-1--------2",
			"10YCA-BULGARIA-R",
			"10Y1001C--00096J",
			"46Y000000000007M",
			"50Y0JVU59B4JWQCU",
		] {
			assert_eq!(Eic::parse(code).unwrap().as_str(), code);
		}
	}

	#[test]
	fn any_single_changed_character_is_noticed() {
		let code = b"10Y1001A1001A82H";
		for index in 0..16 {
			for other in ALPHABET {
				let mut changed = *code;
				changed[index] = *other;
				let text = core::str::from_utf8(&changed).unwrap();
				assert_eq!(Eic::parse(text).is_ok(), changed == *code, "{text}");
			}
		}
	}

	#[test]
	fn neighbours_swapped_are_noticed() {
		assert!(Eic::parse("10YFR-RTE------C").is_ok());
		assert_eq!(
			Eic::parse("10YRF-RTE------C"),
			Err(EicError::WrongCheckCharacter { found: "10YRF-RTE------C".into(), expected: '0' })
		);
	}

	#[test]
	fn a_participant_is_not_an_area() {
		let code = "10X1001A1001A450";
		assert_eq!(Eic::parse(code), Err(EicError::NotAnArea(code.into())));
	}

	#[test]
	fn wrong_lengths_and_characters_are_refused() {
		for text in ["", "10Y1001A1001A82", "10Y1001A1001A82HH", "10y1001a1001a82h", "ÄÄÄÄÄÄÄÄ"]
		{
			assert_eq!(Eic::parse(text), Err(EicError::Malformed(text.into())));
		}
	}
}
