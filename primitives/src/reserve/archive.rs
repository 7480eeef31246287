//! The hash chain that keeps old attestations provable after their rows have left the state.
//!
//! A record leaves the state when a revision replaces it or when it is pruned for its age. Each
//! time the head of the chain changes:
//!
//! ```text
//! head(0)   = 0x00…00
//! head(n+1) = blake2-256(SCALE("gridproof/attestation-archive/v1", kind, n, head(n), entry(n)))
//! entry     = blake2-256(SCALE("gridproof/attestation-record/v1", record))
//! ```
//!
//! Anyone who holds a record, the head before it and the entries after it can show that the chain
//! once held exactly that record: [`ArchiveProof::head`].

use crate::H256;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_crypto_hashing::blake2_256;

/// Domain tag of an entry.
const RECORD_DOMAIN: &str = "gridproof/attestation-record/v1";
/// Domain tag of a head.
const ARCHIVE_DOMAIN: &str = "gridproof/attestation-archive/v1";

/// Returns the entry that represents a record.
pub fn entry<Record: Encode>(record: &Record) -> H256 {
	H256((RECORD_DOMAIN, record).using_encoded(blake2_256))
}

/// Returns the head after `entry`, the `index`-th entry of `kind`, was added to a chain with
/// `head`.
pub fn next_head<Kind: Encode>(kind: &Kind, index: u64, head: H256, entry: H256) -> H256 {
	H256((ARCHIVE_DOMAIN, kind, index, head, entry).using_encoded(blake2_256))
}

/// Proof that a record is the `index`-th entry of an archive.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, PartialEq, Eq, Debug, Default)]
pub struct ArchiveProof {
	/// Number of entries before it.
	pub index: u64,
	/// Head before it was added.
	pub previous: H256,
	/// Entries added after it, oldest first.
	pub following: Vec<H256>,
}

impl ArchiveProof {
	/// Returns the number of entries of the archive to which this proof belongs; `None` above
	/// `u64::MAX`.
	pub fn length(&self) -> Option<u64> {
		let following = u64::try_from(self.following.len()).ok()?;
		self.index.checked_add(1)?.checked_add(following)
	}

	/// Returns the head that the archive must have if `entry` is where the proof says.
	pub fn head<Kind: Encode>(&self, kind: &Kind, entry: H256) -> H256 {
		let mut head = next_head(kind, self.index, self.previous, entry);
		let mut index = self.index;
		for later in &self.following {
			index = index.saturating_add(1);
			head = next_head(kind, index, head, *later);
		}
		head
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn chain(entries: &[H256]) -> Vec<H256> {
		let mut heads = alloc::vec![H256::zero()];
		for (index, entry) in entries.iter().enumerate() {
			heads.push(next_head(&0u16, index as u64, heads[index], *entry));
		}
		heads
	}

	#[test]
	fn every_entry_can_be_proven_and_no_other() {
		let entries: Vec<H256> = (0..9u8).map(|n| entry(&n)).collect();
		let heads = chain(&entries);
		for index in 0..entries.len() {
			let proof = ArchiveProof {
				index: index as u64,
				previous: heads[index],
				following: entries[index + 1..].to_vec(),
			};
			assert_eq!(proof.length(), Some(9));
			assert_eq!(proof.head(&0u16, entries[index]), heads[9]);
			assert_ne!(proof.head(&0u16, entry(&99u8)), heads[9]);
			assert_ne!(proof.head(&1u16, entries[index]), heads[9]);
			let moved = ArchiveProof { index: proof.index + 1, ..proof };
			assert_ne!(moved.head(&0u16, entries[index]), heads[9]);
		}
	}

	#[test]
	fn a_length_past_the_last_number_is_none() {
		let proof = ArchiveProof { index: u64::MAX, ..Default::default() };
		assert_eq!(proof.length(), None);
	}
}
