//! The older gateway's scheme, kept only so that proofs it has exported can still be checked.
//!
//! ```text
//! leaf = SHA-256("LOG::" ‖ canonical JSON)
//! node = SHA-256(left ‖ right)
//! ```
//!
//! A level with an odd number of hashes repeats its last one. So two lists can have one root (`[a,
//! b, c]` and `[a, b, c, c]`), and since leaves and nodes are hashed alike, a node can be passed
//! off as a leaf. A proof that holds therefore proves less than one of RFC 6962: neither the number
//! of readings in the batch nor that the index occurs only once. Nothing new is built this way.

use super::{Position, ProofError, ProofStep};
use crate::H256;
use alloc::vec::Vec;
use sp_io::hashing::sha2_256;

/// Prefix of the bytes that are hashed for a leaf.
const LEAF_TAG: &[u8] = b"LOG::";

/// Returns the hash of a leaf: SHA-256("LOG::" ‖ data).
pub fn leaf_hash(data: &[u8]) -> H256 {
	H256(sha2_256(&[LEAF_TAG, data].concat()))
}

/// Returns the hash of a node: SHA-256(left ‖ right).
pub fn node_hash(left: &H256, right: &H256) -> H256 {
	H256(sha2_256(&[left.0, right.0].concat()))
}

/// Returns the level above `level`.
fn parents(level: &[H256]) -> Vec<H256> {
	let pairs = level.chunks(2).filter_map(|pair| Some((pair.first()?, pair.last()?)));
	pairs.map(|(left, right)| node_hash(left, right)).collect()
}

/// Returns the root of a list of leaf hashes; zero for an empty list.
pub fn root(leaves: &[H256]) -> H256 {
	let mut level = leaves.to_vec();
	while level.len() > 1 {
		level = parents(&level);
	}
	level.first().copied().unwrap_or_default()
}

/// Returns the proof of the leaf `index`, as the older gateway builds it; `None` if there is no
/// such leaf.
pub fn proof(leaves: &[H256], index: usize) -> Option<Vec<ProofStep>> {
	let mut own = *leaves.get(index)?;
	let (mut level, mut index) = (leaves.to_vec(), index);
	let mut steps = Vec::new();
	while level.len() > 1 {
		let is_right = index & 1 == 1;
		let step = if is_right {
			ProofStep { position: Position::Left, hash: *level.get(index.checked_sub(1)?)? }
		} else {
			let sibling = level.get(index.checked_add(1)?).copied().unwrap_or(own);
			ProofStep { position: Position::Right, hash: sibling }
		};
		steps.push(step);
		level = parents(&level);
		index >>= 1;
		own = *level.get(index)?;
	}
	Some(steps)
}

/// Checks that the proof leads from the leaf hash to the root, with sides that fit `index`.
///
/// # Errors
/// [`ProofError::IndexOutOfRange`] if the proof is too short for the index,
/// [`ProofError::WrongPosition`] if a side does not fit the index, [`ProofError::RootMismatch`] if
/// the proof leads to another root.
pub fn verify(leaf: &H256, index: u64, steps: &[ProofStep], root: &H256) -> Result<(), ProofError> {
	let (mut hash, mut rest) = (*leaf, index);
	for step in steps {
		let position = if rest & 1 == 1 { Position::Left } else { Position::Right };
		if step.position != position {
			return Err(ProofError::WrongPosition);
		}
		hash = match position {
			Position::Left => node_hash(&step.hash, &hash),
			Position::Right => node_hash(&hash, &step.hash),
		};
		rest >>= 1;
	}
	if rest != 0 {
		return Err(ProofError::IndexOutOfRange);
	}
	if hash == *root { Ok(()) } else { Err(ProofError::RootMismatch) }
}
