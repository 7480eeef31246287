//! Gumbel noise that anybody can make again from a seed: `docs/protocols/sampling.md`.
//!
//! The bits are the key stream of ChaCha20 (RFC 8439): the key is the seed, the nonce says which
//! answer and which of its tokens, and every token of the vocabulary has eight bytes of its own. The
//! noise is −ln(−ln u), with a logarithm of additions, multiplications and divisions alone, so that
//! it has the same bits everywhere.

use crate::ops::ln;
use gridproof_primitives::H256;

/// Tokens whose bits come from one block.
const TOKENS_OF_A_BLOCK: u32 = 8;
/// "expand 32-byte k", as the standard has it.
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
/// 2⁵²: halves between whole numbers below it are exact.
const FINE: f64 = 4_503_599_627_370_496.0;

/// The noise of one answer.
#[derive(Clone, Debug)]
pub struct Noise {
	key: [u32; 8],
	choice: u32,
	/// Position and counter of the block that was made last.
	at: Option<(u64, u32)>,
	block: [u64; 8],
}

impl Noise {
	/// Returns the noise of a seed. `choice` is the number of the answer, from 0, where one request
	/// has several.
	pub fn new(seed: &H256, choice: u32) -> Self {
		let mut key = [0u32; 8];
		for (word, bytes) in key.iter_mut().zip(seed.0.as_chunks::<4>().0) {
			*word = u32::from_le_bytes(*bytes);
		}
		Self { key, choice, at: None, block: [0; 8] }
	}

	/// Returns the 64 bits of a token of the vocabulary, for the token of the answer at `position`,
	/// from 0.
	pub fn bits(&mut self, position: u64, token: u32) -> u64 {
		let counter = token / TOKENS_OF_A_BLOCK;
		if self.at != Some((position, counter)) {
			let [low, high] = halves(position);
			self.block = block(&self.key, counter, [self.choice, low, high]);
			self.at = Some((position, counter));
		}
		let place = usize::try_from(token % TOKENS_OF_A_BLOCK).unwrap_or_default();
		self.block.get(place).copied().unwrap_or_default()
	}

	/// Returns the noise that is added to a token's logit over temperature: −ln(−ln u) with
	/// u = (⌊bits / 2¹²⌋ + ½) / 2⁵². It lies between −3.61 and 36.74.
	pub fn gumbel(&mut self, position: u64, token: u32) -> f64 {
		let u = ((self.bits(position, token) >> 12) as f64 + 0.5) / FINE;
		-ln(-ln(u))
	}
}

/// The lower and the upper 32 bits.
fn halves(value: u64) -> [u32; 2] {
	let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
	[u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

/// A block of the key stream as eight numbers, each of eight bytes in little-endian order.
fn block(key: &[u32; 8], counter: u32, nonce: [u32; 3]) -> [u64; 8] {
	let [c0, c1, c2, c3] = CONSTANTS;
	let [k0, k1, k2, k3, k4, k5, k6, k7] = *key;
	let [n0, n1, n2] = nonce;
	let start = [c0, c1, c2, c3, k0, k1, k2, k3, k4, k5, k6, k7, counter, n0, n1, n2];
	let mut words = start;
	for _ in 0..10 {
		let [a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3, e0, e1, e2, e3] = words;
		let [a0, b0, d0, e0] = quarter(a0, b0, d0, e0);
		let [a1, b1, d1, e1] = quarter(a1, b1, d1, e1);
		let [a2, b2, d2, e2] = quarter(a2, b2, d2, e2);
		let [a3, b3, d3, e3] = quarter(a3, b3, d3, e3);
		let [a0, b1, d2, e3] = quarter(a0, b1, d2, e3);
		let [a1, b2, d3, e0] = quarter(a1, b2, d3, e0);
		let [a2, b3, d0, e1] = quarter(a2, b3, d0, e1);
		let [a3, b0, d1, e2] = quarter(a3, b0, d1, e2);
		words = [a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3, e0, e1, e2, e3];
	}
	for (word, start) in words.iter_mut().zip(start) {
		*word = word.wrapping_add(start);
	}
	let mut numbers = [0u64; 8];
	for (number, [low, high]) in numbers.iter_mut().zip(words.as_chunks::<2>().0) {
		*number = u64::from(*high) << 32 | u64::from(*low);
	}
	numbers
}

const fn quarter(a: u32, b: u32, c: u32, d: u32) -> [u32; 4] {
	let a = a.wrapping_add(b);
	let d = (d ^ a).rotate_left(16);
	let c = c.wrapping_add(d);
	let b = (b ^ c).rotate_left(12);
	let a = a.wrapping_add(b);
	let d = (d ^ a).rotate_left(8);
	let c = c.wrapping_add(d);
	let b = (b ^ c).rotate_left(7);
	[a, b, c, d]
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_key_stream_is_that_of_the_standard() {
		// RFC 8439, 2.3.2: key 00…1f, counter 1, nonce 000000090000004a00000000.
		let seed = H256(std::array::from_fn(|place| u8::try_from(place).unwrap()));
		let noise = Noise::new(&seed, 0);
		let made = block(&noise.key, 1, [0x0900_0000, 0x4a00_0000, 0]);
		let bytes: Vec<u8> = made.iter().flat_map(|number| number.to_le_bytes()).collect();
		let wanted = "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e\
		              d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e";
		assert_eq!(hex::encode(bytes), wanted);
	}

	#[test]
	fn every_seed_answer_position_and_token_has_bits_of_its_own() {
		let mut seen = std::collections::BTreeSet::new();
		for seed in [1u8, 2] {
			for choice in 0..3 {
				let mut noise = Noise::new(&H256::repeat_byte(seed), choice);
				for position in [0, 1, u64::from(u32::MAX) + 1] {
					for token in [0, 1, 7, 8, 2_047] {
						assert!(seen.insert(noise.bits(position, token)));
						assert!(!seen.insert(noise.bits(position, token)), "asked again");
					}
				}
			}
		}
	}

	#[test]
	fn the_noise_is_distributed_as_it_should_be() {
		let mut noise = Noise::new(&H256::repeat_byte(7), 0);
		let count = 20_000u32;
		let all: Vec<f64> = (0..count).map(|token| noise.gumbel(3, token)).collect();
		let mean = all.iter().sum::<f64>() / f64::from(count);
		// Euler's constant; the variance is π²/6.
		assert!((mean - 0.577).abs() < 0.03, "{mean}");
		let variance = all.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / f64::from(count);
		assert!((variance - 1.645).abs() < 0.08, "{variance}");
		assert!(all.iter().all(|g| (-3.62..36.75).contains(g)));
	}
}
