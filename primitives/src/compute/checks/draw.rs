//! The draw: how many checks of a batch fall to a verifier, and which points they are of.
//!
//! Let value be what a batch settles in AIT with what it claims of the mint, V what one check stands
//! for, and n the number of verifiers that may draw. Of each verifier's output, u is uniform in
//! 0 … 2¹²⁸ − 1. To it fall
//!
//! ⌊value / (V · n)⌋ checks, and one more if u · V · n < (value mod V · n) · 2¹²⁸.
//!
//! So the expected number is value / (V · n), and over all verifiers value / V: it is the same however
//! the value is cut into batches. At most [`MAX_CHECKS_PER_DRAW`] fall to one.
//!
//! The point of each check is ⌊h · total / 2²⁵⁶⌋ with h uniform in 0 … 2²⁵⁶ − 1 and the sum of the prices
//! that the batch pays as total. So of each unit of price the expected number of checks is the same.

use super::{VerifierKey, VerifierSignature};
use crate::{
	H256,
	compute::{ComputeParameters, channels::ChannelParameters},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use primitive_types::{U256, U512};
use scale_info::TypeInfo;
use sp_core::{
	crypto::VrfPublic,
	sr25519::{
		self,
		vrf::{VrfPreOutput, VrfSignature, VrfTranscript},
	},
};
use sp_io::hashing::blake2_256;

/// Most checks of one batch that fall to one verifier. Where more would fall to it, what is not checked
/// is of a batch that has several hundred checks.
pub const MAX_CHECKS_PER_DRAW: u32 = 128;

/// Number from which checks of openings that witnesses have are counted: each of those witnesses may report
/// it instead of the verifier to which the check fell. Below it and from [`MAX_CHECKS_PER_DRAW`] on are those
/// that clients asked for.
pub const OPENED_CHECKS: u32 = 1 << 31;

/// Context under which bytes are taken from a VRF's output.
const OUTPUT_CONTEXT: &[u8] = b"gridproof/check-output/v1";

/// What a VRF gives: 32 bytes that only the key's owner could know, and nobody can choose.
pub type VrfOutput = [u8; 32];

/// A VRF's output before it is hashed, with the proof that it is the key's.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vrf {
	/// The output before it is hashed, a ristretto point.
	pub output: [u8; 32],
	/// Proof of Chaum and Pedersen.
	pub proof: VerifierSignature,
}

impl Vrf {
	/// Verifies the proof and returns the output; `None` if it is not that of this key and input.
	pub fn verify(&self, key: &VerifierKey, input: &VrfTranscript) -> Option<VrfOutput> {
		let public = sr25519::Public::from_raw(*key);
		let signature = VrfSignature::decode(&mut self.encode().as_slice()).ok()?;
		let is_proven = public.vrf_verify(&input.clone().into_sign_data(), &signature);
		is_proven.then_some(())?;
		let pre_output: VrfPreOutput = signature.pre_output;
		public.make_bytes(OUTPUT_CONTEXT, input, &pre_output).ok()
	}

	/// Makes output and proof with a key pair.
	#[cfg(feature = "std")]
	pub fn sign(pair: &sr25519::Pair, input: &VrfTranscript) -> Self {
		use sp_core::crypto::VrfSecret;
		let signature = pair.vrf_sign(&input.clone().into_sign_data());
		let output = signature.pre_output.using_encoded(fixed);
		let proof = signature.proof.using_encoded(fixed);
		Self { output, proof }
	}
}

/// Returns bytes as an array; zeros if they are of another length, which never verify.
#[cfg(feature = "std")]
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
	bytes.try_into().unwrap_or([0; N])
}

/// Returns the input of the VRF by which a verifier draws: genesis hash, hash of the batch's header, hash
/// of the block before its first touch.
pub fn draw_input(genesis: &H256, batch: &H256, block: &H256) -> VrfTranscript {
	let data: [(&'static [u8], &[u8]); 3] = [
		(b"genesis", genesis.as_bytes()),
		(b"batch", batch.as_bytes()),
		(b"block", block.as_bytes()),
	];
	VrfTranscript::new(b"gridproof/check-draw/v1", &data)
}

/// Returns the input of the VRF by which a verifier draws whether a report is to be re-opened: genesis
/// hash, id of the report, hash of the block before the one that took it.
pub fn reopen_input(genesis: &H256, report: &H256, block: &H256) -> VrfTranscript {
	let data: [(&'static [u8], &[u8]); 3] = [
		(b"genesis", genesis.as_bytes()),
		(b"report", report.as_bytes()),
		(b"block", block.as_bytes()),
	];
	VrfTranscript::new(b"gridproof/check-reopen/v1", &data)
}

/// Returns u: the first 16 bytes, little-endian, of blake2-256 of SCALE (tag, output).
fn uniform(tag: &str, output: &VrfOutput) -> u128 {
	let mut low = [0u8; 16];
	let hash = (tag, output).using_encoded(blake2_256);
	low.iter_mut().zip(hash).for_each(|(byte, from)| *byte = from);
	u128::from_le_bytes(low)
}

/// Returns how many checks of a batch fall to the verifier with this output.
///
/// `value` is price and claim of the batch, `per_check` V, both in units of 10⁻¹⁸ AIT; `verifiers` is
/// the number of those that may draw. None if V or that number is zero.
pub fn checks_of(value: u128, per_check: u128, verifiers: u32, output: &VrfOutput) -> u32 {
	let divisor = U512::from(per_check).saturating_mul(verifiers.into());
	let Some(whole) = U512::from(value).checked_div(divisor) else { return 0 };
	let rest = U512::from(value).checked_rem(divisor).unwrap_or_default();
	let u = U512::from(uniform("gridproof/check-number/v1", output));
	let two_to_128 = U512::from(u128::MAX).saturating_add(1u8.into());
	// At most 2²⁸⁸: nothing saturates.
	let one_more = u.saturating_mul(divisor) < rest.saturating_mul(two_to_128);
	let number = whole.saturating_add(u8::from(one_more).into());
	u32::try_from(number).unwrap_or(u32::MAX).min(MAX_CHECKS_PER_DRAW)
}

/// Returns the point of a check, counted from 0, in 0 … `total` − 1; `None` if the total is zero.
pub fn point_of(output: &VrfOutput, check: u32, total: u128) -> Option<u128> {
	let hash = ("gridproof/check-point/v1", output, check).using_encoded(blake2_256);
	scaled(&hash, total)
}

/// Returns the price for which one check stands: V of the batch's value, in the smallest unit of its asset,
/// rounded up, and at most `total`.
pub fn price_of_check(value: u128, per_check: u128, total: u128) -> u128 {
	let product = U256::from(total).full_mul(per_check.into());
	let value = U512::from(value);
	let whole = product.checked_div(value);
	let rest = product.checked_rem(value).is_some_and(|rest| !rest.is_zero());
	let price = whole.map(|whole| whole.saturating_add(u8::from(rest).into()));
	price.and_then(|price| u128::try_from(price).ok()).unwrap_or(total).min(total)
}

/// Returns ⌊h · total / 2²⁵⁶⌋, h the little-endian number of a hash; `None` if the total is zero.
pub(super) fn scaled(hash: &[u8; 32], total: u128) -> Option<u128> {
	let product = U256::from_little_endian(hash).full_mul(total.into());
	let mut high = [0u8; 16];
	let bytes = product.to_little_endian();
	high.iter_mut().zip(bytes.get(32..)?).for_each(|(byte, from)| *byte = *from);
	(total > 0).then(|| u128::from_le_bytes(high))
}

/// Returns `true` if the verifier with this output re-opens a report: one of its `others` is expected to
/// in each `one_in` reports.
///
/// u · `one_in` · `others` < 2¹²⁸, with u as for the number of checks.
pub fn is_reopened(output: &VrfOutput, one_in: u32, others: u32) -> bool {
	let u = U512::from(uniform("gridproof/check-reopened/v1", output));
	let among = U512::from(one_in).saturating_mul(others.into());
	!among.is_zero() && u.saturating_mul(among) <= u128::MAX.into()
}

/// Knows which batches were touched: one that nobody touched does not mature, so that no coordinator
/// outlives its window unseen.
pub trait Touched {
	/// Returns `true` if a batch was touched, as long as something of it waits.
	fn is_touched(batch: &super::BatchId) -> bool;

	/// Returns `true` if known cheats lose under these parameters and those of checks, or nothing is
	/// checked under them.
	fn deters(_: &ComputeParameters, _: &ChannelParameters) -> bool {
		true
	}
}
