//! Which of a coordinator's headers the chain knows.

use super::{PALLET, query};
use crate::{Chain, ChainError};
use codec::Decode;
use gridproof_primitives::{H256, compute::channels::HEADERS_PER_MARK, crypto::ed25519::PublicKey};
use subxt::dynamic::Value;

/// The entry with each coordinator's last header of every group, by its key and the group's number.
const MARKS: &str = "Marks";
/// The entry with the number of a coordinator's earliest group in [`MARKS`].
const FIRST_MARK: &str = "FirstMark";

/// A header that the chain keeps the hash of. It proves every header before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownHeader {
	/// Sequence number of its batch, or that of the last one of its group: numbers between the two were
	/// passed over.
	pub sequence: u64,
	/// Hash of the header.
	pub hash: H256,
}

/// A row of [`MARKS`].
#[derive(Decode)]
struct Mark {
	hash: H256,
	#[allow(dead_code, reason = "part of the row")]
	taken_ms: u64,
}

/// Returns the group of a header.
fn group_of(sequence: u64) -> u64 {
	sequence / u64::from(HEADERS_PER_MARK)
}

/// Returns the highest sequence number of a group.
fn last_of(group: u64) -> u64 {
	let many = u64::from(HEADERS_PER_MARK);
	group.saturating_mul(many).saturating_add(many - 1)
}

impl Chain {
	/// Returns the nearest header from `sequence` on that the chain knows of a coordinator, at the last
	/// final block; `None` if it has not taken that batch yet. Within three weeks there are at most 31
	/// headers between the two, later all that came since.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn known_header(
		&self,
		coordinator: &PublicKey,
		sequence: u64,
	) -> Result<Option<KnownHeader>, ChainError> {
		let key = || vec![Value::from_bytes(coordinator)];
		let first: Option<u64> = self.row(PALLET, FIRST_MARK, key()).await?;
		let group = group_of(sequence).max(first.unwrap_or(0));
		let of_group = [key(), vec![Value::u128(group.into())]].concat();
		let mark: Option<Mark> = self.row(PALLET, MARKS, of_group).await?;
		if let Some(Mark { hash, .. }) = mark {
			return Ok(Some(KnownHeader { sequence: last_of(group), hash }));
		}
		let chain = self.read(&query::header_chain(coordinator)).await?;
		let last = chain.next_sequence.checked_sub(1).filter(|last| *last >= sequence);
		Ok(last.map(|last| KnownHeader { sequence: last, hash: chain.last_hash }))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_groups_last_header_is_kept_by_the_pallets_count() {
		assert_eq!([0, 31, 32, 63, 64].map(group_of), [0, 0, 1, 1, 2]);
		assert_eq!([0, 1, 2].map(last_of), [31, 63, 95]);
		assert_eq!(last_of(u64::MAX), u64::MAX);
	}
}
