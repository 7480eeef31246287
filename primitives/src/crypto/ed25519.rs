//! Ed25519 for statements: one signature, one encoding, no weak keys.
//!
//! The host function verifies by ZIP-215, which accepts points in non-canonical encoding and
//! cofactored equations. Alone it would let a small-order "key" sign everything, so keys and the
//! signature's point are checked here first. It refuses S ≥ L; that is checked here too, so that
//! the rule does not depend on one library.

use primitive_types::{U256, U512};
use sp_core::ed25519;

/// A public key, as encoded by RFC 8032.
pub type PublicKey = [u8; 32];
/// A signature R ‖ S, as encoded by RFC 8032.
pub type Signature = [u8; 64];

/// Order of the prime subgroup, L = 2^252 + 27742317777372353535851937790883648493,
/// little-endian.
pub const GROUP_ORDER: [u8; 32] = [
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The field's prime, p = 2^255 − 19, little-endian.
const FIELD_PRIME: [u8; 32] = [
	0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];

/// y-coordinates of the eight points of order 1, 2, 4 and 8, little-endian, without the sign bit.
/// Their non-canonical encodings p and p + 1 are refused as such.
pub const SMALL_ORDER_Y: [[u8; 32]; 5] = [
	[0; 32],
	[
		1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0,
	],
	[
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
		0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
		0xfc, 0x05,
	],
	[
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
		0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
		0x03, 0x7a,
	],
	[
		0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0x7f,
	],
];

/// Reason why a key or a signature is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureError {
	/// The key is a point of small order: it would verify signatures that nobody made.
	WeakKey,
	/// The key's y-coordinate is not below the field's prime.
	NonCanonicalKey,
	/// The signature's scalar S is not below the group order (such as S + L).
	NonCanonicalScalar,
	/// The signature's point R is of small order or not in canonical encoding.
	WeakPoint,
	/// The signature is not that of this key for this message.
	Invalid,
	/// The key is not a point of the curve: nobody can sign with it.
	NotOnCurve,
}

impl SignatureError {
	/// Returns the error's name in error codes, such as `bad_signature`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::WeakKey => "weak_key",
			Self::NonCanonicalKey => "non_canonical_key",
			Self::NonCanonicalScalar => "non_canonical_scalar",
			Self::WeakPoint => "weak_point",
			Self::Invalid => "bad_signature",
			Self::NotOnCurve => "not_on_curve",
		}
	}
}

/// Returns `true` if `left` is below `right`, both little-endian.
fn is_below(left: &[u8; 32], right: &[u8; 32]) -> bool {
	left.iter().rev().lt(right.iter().rev())
}

/// Returns the encoding without the bit that holds the sign of x.
fn y_of(point: &[u8; 32]) -> [u8; 32] {
	let mut y = *point;
	if let Some(last) = y.last_mut() {
		*last &= 0x7f;
	}
	y
}

/// Returns `true` if the scalar S of a signature is below the group order.
pub fn is_canonical_scalar(scalar: &[u8; 32]) -> bool {
	is_below(scalar, &GROUP_ORDER)
}

/// Returns `true` if the y-coordinate of an encoded point is below the field's prime.
pub fn is_canonical_point(point: &[u8; 32]) -> bool {
	is_below(&y_of(point), &FIELD_PRIME)
}

/// Returns `true` if this is, in any encoding, one of the eight points of order 1, 2, 4 or 8.
pub fn is_small_order(point: &[u8; 32]) -> bool {
	let y = y_of(point);
	let reduced = if is_below(&y, &FIELD_PRIME) {
		y
	} else {
		// y is in p … p + 18 = 2^255 − 1, so y − p is the low byte less 0xed.
		let mut reduced = [0; 32];
		if let (Some(low), Some(first)) = (reduced.first_mut(), y.first()) {
			*low = first.wrapping_sub(0xed);
		}
		reduced
	};
	SMALL_ORDER_Y.contains(&reduced)
}

/// The curve's constant d = −121665 / 121666, little-endian.
const CURVE_D: [u8; 32] = [
	0xa3, 0x78, 0x59, 0x13, 0xca, 0x4d, 0xeb, 0x75, 0xab, 0xd8, 0x41, 0x41, 0x4d, 0x0a, 0x70, 0x00,
	0x98, 0xe8, 0x79, 0x77, 0x79, 0x40, 0xc7, 0x8c, 0x73, 0xfe, 0x6f, 0x2b, 0xee, 0x6c, 0x03, 0x52,
];

/// Returns `a · b` in the field.
fn times(a: U256, b: U256, prime: U256) -> U256 {
	let product = a.full_mul(b).checked_rem(U512::from(prime)).unwrap_or_default();
	U256::try_from(product).unwrap_or_default()
}

/// Returns `true` if the encoding is that of a point of the curve: −x² + y² = 1 + d·x²·y² has a
/// solution x, which is so exactly if (y² − 1) · (d·y² + 1) is a square of the field.
///
/// It takes some 500 multiplications, so it is for keys that are pinned, not for each signature.
pub fn is_on_curve(point: &[u8; 32]) -> bool {
	let [prime, d, y] = [FIELD_PRIME, CURVE_D, y_of(point)].map(|n| U256::from_little_endian(&n));
	if y >= prime {
		return false;
	}
	let square = times(y, y, prime);
	let less = square.checked_sub(U256::one()).or_else(|| prime.checked_sub(U256::one()));
	let more = times(d, square, prime).checked_add(U256::one());
	let (Some(less), Some(more)) = (less, more) else { return false };
	let value = times(less, more, prime);
	// Euler's criterion: a square's power of (p − 1) / 2 is 1, and that of 0 is 0.
	let Some(exponent) = prime.checked_div(U256::from(2u8)) else { return false };
	let mut power = U256::one();
	for bit in (0..255usize).rev() {
		power = times(power, power, prime);
		if exponent.bit(bit) {
			power = times(power, value, prime);
		}
	}
	power <= U256::one()
}

/// Checks a key that is about to be pinned: that it is sound, and a point of the curve.
///
/// # Errors
/// Those of [`check_key`], and [`SignatureError::NotOnCurve`].
pub fn check_new_key(key: &PublicKey) -> Result<(), SignatureError> {
	check_key(key)?;
	if is_on_curve(key) { Ok(()) } else { Err(SignatureError::NotOnCurve) }
}

/// Checks that a key is sound at all, cheaply.
///
/// Whether its point is on the curve shows only when a signature is verified; for a key that is to
/// be pinned there is [`check_new_key`].
///
/// # Errors
/// [`SignatureError::WeakKey`] or [`SignatureError::NonCanonicalKey`].
pub fn check_key(key: &PublicKey) -> Result<(), SignatureError> {
	if is_small_order(key) {
		Err(SignatureError::WeakKey)
	} else if !is_canonical_point(key) {
		Err(SignatureError::NonCanonicalKey)
	} else {
		Ok(())
	}
}

/// Verifies one signature: the cheap checks first, then the verification by the host.
///
/// # Errors
/// The first reason of [`SignatureError`] that applies.
pub fn verify(
	key: &PublicKey,
	message: &[u8],
	signature: &Signature,
) -> Result<(), SignatureError> {
	check_key(key)?;
	let (point, scalar) = halves(signature);
	if !is_canonical_scalar(&scalar) {
		return Err(SignatureError::NonCanonicalScalar);
	}
	if is_small_order(&point) || !is_canonical_point(&point) {
		return Err(SignatureError::WeakPoint);
	}
	let (signature, key) =
		(ed25519::Signature::from_raw(*signature), ed25519::Public::from_raw(*key));
	if sp_io::crypto::ed25519_verify(&signature, message, &key) {
		Ok(())
	} else {
		Err(SignatureError::Invalid)
	}
}

/// Returns R and S.
fn halves(signature: &Signature) -> ([u8; 32], [u8; 32]) {
	let (mut point, mut scalar) = ([0; 32], [0; 32]);
	let (left, right) = signature.split_at(32);
	point.copy_from_slice(left);
	scalar.copy_from_slice(right);
	(point, scalar)
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_core::Pair;

	#[test]
	fn every_public_key_is_on_the_curve() {
		for seed in 0..32u8 {
			let key = ed25519::Pair::from_seed(&[seed; 32]).public().0;
			assert_eq!(check_new_key(&key), Ok(()));
		}
	}

	#[test]
	fn half_of_all_encodings_are_on_the_curve() {
		// y of the first points by trial with Python's integers; 2 is none.
		let on_curve: [u8; 10] = [3, 4, 5, 6, 9, 10, 14, 15, 16, 18];
		let found = (3..=u8::MAX).filter(|y| is_on_curve(&small(*y))).take(10).collect::<Vec<_>>();
		assert_eq!(found, on_curve);
		assert_eq!(check_new_key(&small(2)), Err(SignatureError::NotOnCurve));
		// The sign of x does not matter, and small order is refused first.
		let mut signed = small(on_curve[0]);
		signed[31] |= 0x80;
		assert!(is_on_curve(&signed));
		assert_eq!(check_new_key(&small(1)), Err(SignatureError::WeakKey));
		assert!(is_on_curve(&small(0)) && is_on_curve(&small(1)));
		let number = (0..=u8::MAX).filter(|y| is_on_curve(&small(*y))).count();
		assert_eq!(number, 128);
	}

	fn small(y: u8) -> PublicKey {
		let mut key = [0; 32];
		key[0] = y;
		key
	}
}
