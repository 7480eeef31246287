//! Conversions between unsigned integers that stop at the largest value instead of failing.
//!
//! For counts, lengths and durations that are shown, compared or bounded. Money and energy are
//! never converted so: an amount that does not fit is an error there.

/// Returns `value`, or the largest `To` if it does not fit.
///
/// ```
/// use gridproof_support::number::clamped;
/// assert_eq!(clamped::<u32, _>(7usize), 7);
/// assert_eq!(clamped::<u32, _>(u64::MAX), u32::MAX);
/// ```
pub fn clamped<To: Largest + TryFrom<From>, From: Unsigned>(value: From) -> To {
	To::try_from(value).unwrap_or(To::LARGEST)
}

/// Returns a number of things as the signed integer that a gauge takes.
pub fn gauge<From: Unsigned>(value: From) -> i64
where
	i64: TryFrom<From>,
{
	clamped(value)
}

/// An integer with a largest value.
pub trait Largest {
	/// The largest value.
	const LARGEST: Self;
}

/// An integer that is never negative, so that it can only be too large to fit.
pub trait Unsigned {}

macro_rules! largest {
	($($type:ty),*) => { $(impl Largest for $type { const LARGEST: Self = Self::MAX; })* };
}
largest!(u8, u16, u32, u64, u128, usize, i32, i64, i128);

macro_rules! unsigned {
	($($type:ty),*) => { $(impl Unsigned for $type {})* };
}
unsigned!(u8, u16, u32, u64, u128, usize);

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_fits_is_kept_and_what_does_not_is_the_largest() {
		assert_eq!(clamped::<u64, _>(3usize), 3);
		assert_eq!(clamped::<u64, _>(u128::MAX), u64::MAX);
		assert_eq!(gauge(u64::MAX), i64::MAX);
		assert_eq!(gauge(9usize), 9);
	}
}
