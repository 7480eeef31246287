//! Proofs of offences, made of what parties have signed.

use codec::DecodeAll;
use gridproof_primitives::{
	compute::{Evidence, SignedBy, SignedReceipt, Signer},
	crypto::ed25519::PublicKey,
};

/// Returns the proof that a party has signed two receipts for one job, in its role and with its key;
/// `None` if one of the two is not a receipt with its signatures in SCALE, as a coordinator gives it.
/// Whether it proves anything, [`Evidence::check`] says.
pub fn two_receipts(
	signer: Signer,
	key: PublicKey,
	first: &[u8],
	second: &[u8],
) -> Option<Evidence> {
	let read = |mut bytes: &[u8]| -> Option<SignedBy> {
		let SignedReceipt { receipt, miner_signature, coordinator_signature } =
			SignedReceipt::decode_all(&mut bytes).ok()?;
		let signature = match signer {
			Signer::Miner => miner_signature,
			Signer::Coordinator => coordinator_signature,
		};
		Some(SignedBy { receipt, signature })
	};
	let (first, second) = (read(first)?, read(second)?);
	Some(match signer {
		Signer::Miner => Evidence::TwoReceipts { first, second },
		Signer::Coordinator => Evidence::TwoOutcomes { coordinator: key, first, second },
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::{Decode, Encode};
	use gridproof_primitives::{H256, compute::EvidenceError};
	use sp_runtime::traits::TrailingZeroInput;

	fn receipt(price: u128) -> Vec<u8> {
		let zeros = SignedReceipt::decode(&mut TrailingZeroInput::zeroes());
		let mut signed = zeros.expect("zeros make one");
		signed.receipt.price = price;
		(signed.miner_signature, signed.coordinator_signature) = ([1; 64], [2; 64]);
		signed.encode()
	}

	#[test]
	fn each_role_is_accused_by_its_own_signature_and_only_of_two_receipts() {
		let genesis = H256([7; 32]);
		let (one, other) = (receipt(1), receipt(2));
		let of_miner = two_receipts(Signer::Miner, [3; 32], &one, &other);
		let Some(Evidence::TwoReceipts { first, .. }) = &of_miner else { panic!("{of_miner:?}") };
		assert_eq!(first.signature, [1; 64]);
		let of_both = two_receipts(Signer::Coordinator, [3; 32], &one, &other);
		let Some(Evidence::TwoOutcomes { coordinator, second, .. }) = &of_both else {
			panic!("{of_both:?}")
		};
		assert_eq!((*coordinator, second.signature), ([3; 32], [2; 64]));
		let same = two_receipts(Signer::Miner, [3; 32], &one, &one);
		assert_eq!(same.unwrap().check(&genesis), Err(EvidenceError::SameReceipt));
		assert_eq!(two_receipts(Signer::Miner, [3; 32], &one[1..], &other), None);
	}
}
