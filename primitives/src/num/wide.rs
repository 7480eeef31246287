//! A 1024-bit integer for the coverage formulas.
//!
//! The longest product there, `V · P_T denominators · supply denominators`, takes 897 bits when
//! every input is a full `u128`, which is more than `primitive_types::U512` holds.

// The macro generates the `uint` crate's own code, which uses these on purpose.
#![allow(
	missing_docs,
	unsafe_code,
	clippy::all,
	clippy::cast_lossless,
	clippy::cast_possible_truncation,
	clippy::cast_possible_wrap,
	clippy::cast_sign_loss,
	clippy::indexing_slicing,
	clippy::arithmetic_side_effects,
	clippy::panic,
	clippy::unwrap_used,
	clippy::expect_used
)]

uint::construct_uint! {
	pub struct Wide(16);
}

impl Wide {
	/// Returns the product, `None` if it needs more than 1024 bits.
	pub fn times(self, other: impl Into<Self>) -> Option<Self> {
		self.checked_mul(other.into())
	}

	/// Returns the floor of the quotient, `None` if `divisor` is zero.
	pub fn over(self, divisor: Self) -> Option<Self> {
		self.checked_div(divisor)
	}

	/// Returns the value, or the largest `u128` if it does not fit.
	pub fn saturated(self) -> u128 {
		u128::try_from(self).unwrap_or(u128::MAX)
	}

	/// Returns `10^exponent`, `None` if it needs more than 1024 bits.
	pub fn power_of_ten(exponent: u32) -> Option<Self> {
		Self::from(10u8).checked_pow(exponent.into())
	}

	/// Returns numerator and denominator divided by their greatest common divisor.
	pub fn lowest_terms(numerator: Self, denominator: Self) -> (Self, Self) {
		let (mut divisor, mut rest) = (numerator, denominator);
		while let Some(next) = divisor.checked_rem(rest) {
			(divisor, rest) = (rest, next);
		}
		match (numerator.over(divisor), denominator.over(divisor)) {
			(Some(numerator), Some(denominator)) => (numerator, denominator),
			_ => (numerator, denominator),
		}
	}
}
