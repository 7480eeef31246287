//! Amounts as people write and read them: in tokens, not in smallest units.

use gridproof_chain::tokens::Token;
use gridproof_primitives::compute::PriceAsset;

/// What an amount is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
	/// A token of the chain.
	Token(Token),
	/// Service credit, in EUR with as many decimals as AICP has.
	Credit,
}

impl From<PriceAsset> for Unit {
	fn from(asset: PriceAsset) -> Self {
		match asset {
			PriceAsset::Ait => Self::Token(Token::Ait),
			PriceAsset::Aicp => Self::Token(Token::Aicp),
			PriceAsset::ServiceCredit => Self::Credit,
		}
	}
}

impl Unit {
	/// AIT.
	pub const AIT: Self = Self::Token(Token::Ait);

	/// Returns its symbol.
	pub const fn symbol(self) -> &'static str {
		match self {
			Self::Token(token) => token.symbol(),
			Self::Credit => "EUR",
		}
	}

	const fn places(self) -> Token {
		match self {
			Self::Token(token) => token,
			// One EUR of credit has 10⁶ units, as one AICP.
			Self::Credit => Token::Aicp,
		}
	}

	/// Reads an amount such as `0.5` or `0.5 AIT`; returns it in the smallest unit.
	///
	/// # Errors
	/// What is wrong with it; decimals that do not fit are never cut.
	pub fn parse(self, text: &str) -> Result<u128, String> {
		let text = text.trim();
		let number = match text.split_once(char::is_whitespace) {
			None => text,
			Some((number, symbol)) if symbol.trim().eq_ignore_ascii_case(self.symbol()) => number,
			Some((_, symbol)) => {
				return Err(format!(
					"it is counted in {}, not in {}",
					self.symbol(),
					symbol.trim()
				));
			},
		};
		self.places().parse(number).map_err(|reason| match self {
			Self::Token(_) => reason,
			Self::Credit => reason.replace(Token::Aicp.symbol(), self.symbol()),
		})
	}

	/// Returns an amount of smallest units for people, such as `0.00067 AIT`.
	pub fn show(self, amount: u128) -> String {
		format!("{} {}", trimmed(&self.places().show(amount)), self.symbol())
	}
}

/// Reads an amount of AICP.
pub fn aicp(text: &str) -> Result<u128, String> {
	Unit::Token(Token::Aicp).parse(text)
}

/// Reads an amount of service credit, in EUR.
pub fn eur(text: &str) -> Result<u128, String> {
	Unit::Credit.parse(text)
}

/// Returns energy for people: in kWh, or in GWh from one GWh on, exactly.
pub fn energy(wh: u128) -> String {
	const KWH: u128 = 1_000;
	const GWH: u128 = 1_000_000_000;
	if wh >= GWH {
		format!("{} GWh", trimmed(&format!("{}.{:09}", wh / GWH, wh % GWH)))
	} else {
		format!("{} kWh", trimmed(&format!("{}.{:03}", wh / KWH, wh % KWH)))
	}
}

/// Returns a decimal without zeros at its end.
pub fn trimmed(decimal: &str) -> &str {
	if decimal.contains('.') {
		decimal.trim_end_matches('0').trim_end_matches('.')
	} else {
		decimal
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_are_read_and_shown_in_tokens() {
		assert_eq!(Unit::AIT.parse("0.00067"), Ok(670_000_000_000_000));
		assert_eq!(Unit::AIT.parse("0.00067 AIT"), Ok(670_000_000_000_000));
		assert_eq!(aicp(" 1.5  aicp "), Ok(1_500_000));
		assert_eq!(eur("0.5"), Ok(500_000));
		assert_eq!(Unit::AIT.show(670_000_000_000_000), "0.00067 AIT");
		assert_eq!(Unit::AIT.show(1_000_000_000_000_000_000_000), "1000 AIT");
		assert_eq!(Unit::AIT.show(0), "0 AIT");
		assert_eq!(Unit::from(PriceAsset::ServiceCredit).show(670), "0.00067 EUR");
		assert_eq!(Unit::from(PriceAsset::Aicp).show(1_500_000), "1.5 AICP");
	}

	#[test]
	fn amounts_of_another_token_or_with_too_many_decimals_are_refused() {
		assert!(Unit::AIT.parse("1 AICP").unwrap_err().contains("in AIT, not in AICP"));
		assert!(eur("0.0000001").unwrap_err().starts_with("EUR has 6 decimals"));
		for text in ["", "-1", "1,5", "1e3", "AIT", "1 AIT AIT"] {
			assert!(Unit::AIT.parse(text).is_err(), "{text:?}");
		}
	}

	#[test]
	fn energy_is_shown_in_kwh_and_gwh() {
		assert_eq!(energy(0), "0 kWh");
		assert_eq!(energy(1_500), "1.5 kWh");
		assert_eq!(energy(999_999_999), "999999.999 kWh");
		assert_eq!(energy(8_085_551_500_000), "8085.5515 GWh");
		assert_eq!(energy(1_000_000_000), "1 GWh");
	}
}
