//! What ZIP-215 alone would let through is refused.

use gridproof_primitives::crypto::ed25519::{
	GROUP_ORDER, SMALL_ORDER_Y, SignatureError, check_key, is_canonical_scalar, is_small_order,
	verify,
};
use proptest::prelude::*;
use sp_core::{Pair, ed25519};

/// S + L: another encoding of the same signature.
fn malleated(signature: [u8; 64]) -> [u8; 64] {
	let mut out = signature;
	let mut carry = 0u16;
	for (byte, order) in out[32..].iter_mut().zip(GROUP_ORDER) {
		let sum = u16::from(*byte) + u16::from(order) + carry;
		*byte = (sum & 0xff) as u8;
		carry = sum >> 8;
	}
	assert_eq!(carry, 0);
	out
}

/// All fourteen encodings of the eight points of small order.
fn small_order_encodings() -> Vec<[u8; 32]> {
	let mut all = SMALL_ORDER_Y.to_vec();
	for low in [0xed, 0xee] {
		let mut y = [0xff; 32];
		y[0] = low;
		y[31] = 0x7f;
		all.push(y);
	}
	let signed = all.iter().map(|y| {
		let mut y = *y;
		y[31] |= 0x80;
		y
	});
	let signed: Vec<_> = signed.collect();
	[all, signed].concat()
}

fn host_accepts(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
	let signature = ed25519::Signature::from_raw(*signature);
	sp_io::crypto::ed25519_verify(&signature, message, &ed25519::Public::from_raw(*key))
}

proptest! {
	#[test]
	fn a_signature_has_exactly_one_accepted_form(
		seed in any::<[u8; 32]>(), message in prop::collection::vec(any::<u8>(), 0..200),
		flip in 0usize..64, bit in 0u8..8
	) {
		let pair = ed25519::Pair::from_seed(&seed);
		let (key, signature) = (pair.public().0, pair.sign(&message).0);
		prop_assert_eq!(verify(&key, &message, &signature), Ok(()));
		let again = malleated(signature);
		prop_assert_eq!(verify(&key, &message, &again), Err(SignatureError::NonCanonicalScalar));
		let mut altered = signature;
		altered[flip] ^= 1 << bit;
		prop_assert!(verify(&key, &message, &altered).is_err());
		let mut longer = message.clone();
		longer.push(0);
		prop_assert_eq!(verify(&key, &longer, &signature), Err(SignatureError::Invalid));
	}
}

#[test]
fn the_largest_scalar_is_one_below_the_group_order() {
	let mut below = GROUP_ORDER;
	below[0] -= 1;
	assert!(is_canonical_scalar(&below));
	assert!(is_canonical_scalar(&[0; 32]));
	assert!(!is_canonical_scalar(&GROUP_ORDER));
	assert!(!is_canonical_scalar(&[0xff; 32]));
}

#[test]
fn keys_of_small_order_sign_anything_for_the_host_but_nothing_here() {
	let encodings = small_order_encodings();
	assert_eq!(encodings.len(), 14);
	let mut forged = 0;
	for key in &encodings {
		assert!(is_small_order(key), "{}", hex::encode(key));
		assert_eq!(check_key(key), Err(SignatureError::WeakKey));
		for point in &encodings {
			let mut signature = [0; 64];
			signature[..32].copy_from_slice(point);
			forged += u32::from(host_accepts(key, b"any message", &signature));
			assert_eq!(verify(key, b"any message", &signature), Err(SignatureError::WeakKey));
		}
	}
	assert!(forged > 0, "the host's rule takes such forgeries: that is why we check");
}

#[test]
fn a_point_of_small_order_in_the_signature_is_refused() {
	let key = ed25519::Pair::from_seed(&[1; 32]).public().0;
	for point in small_order_encodings() {
		let mut signature = [0; 64];
		signature[..32].copy_from_slice(&point);
		assert_eq!(verify(&key, b"m", &signature), Err(SignatureError::WeakPoint));
	}
}

#[test]
fn a_key_above_the_prime_is_refused() {
	// y = p + 3 … p + 18 encode points that have another, canonical encoding.
	for low in 0xf0..=0xff {
		let mut key = [0xff; 32];
		key[0] = low;
		key[31] = 0x7f;
		assert_eq!(check_key(&key), Err(SignatureError::NonCanonicalKey));
	}
	let mut last = [0xff; 32];
	last[0] = 0xeb;
	last[31] = 0x7f;
	assert_eq!(check_key(&last), Ok(()), "p − 2 is canonical");
}
