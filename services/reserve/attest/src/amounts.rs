//! Amounts of six decimals: AICP and EUR.

use gridproof_primitives::num::{decimal::Ratio, units::AICP};

/// Writes an amount of millionths with its six decimals.
pub fn millionths(value: u128) -> String {
	Ratio::millionths(value).to_decimal_floor(6)
}

/// Reads an amount of at most six decimals as millionths.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_millionths(text: &str) -> Result<u128, String> {
	let amount = Ratio::parse(text).map_err(|error| error.to_string())?;
	let units = amount.checked_mul(&AICP.into()).filter(|units| units.denominator() == 1);
	Ok(units.ok_or("more than six decimals, or too large")?.numerator())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_are_exact_or_refused() {
		assert_eq!(parse_millionths("1"), Ok(1_000_000));
		assert_eq!(parse_millionths("0.000001"), Ok(1));
		assert_eq!(millionths(3_750_000_000_001), "3750000.000001");
		assert!(parse_millionths("0.0000001").is_err());
		assert!(parse_millionths("-1").is_err());
	}
}
