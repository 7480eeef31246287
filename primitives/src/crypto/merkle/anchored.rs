//! The way from a batch's root to a root over many batches: one Bitcoin transaction for all of them.
//!
//! ```text
//! leaf = SHA-256(0x00 ‖ root of the batch)
//! node = SHA-256(0x01 ‖ left ‖ right)
//! ```
//!
//! It is the [tree](super) of RFC 6962 over the 32 bytes of each root, in the order that the set of
//! batches has. The transaction commits to the tree's root by
//! [`op_return_script`](crate::energy::op_return_script), as to that of a single batch.
//!
//! In a [proof document](super::document), as the member `anchor_path`:
//!
//! ```json
//! {"root": "…", "index": 4, "tree_size": 96, "proof": [{"position": "left", "hash": "…"}],
//!  "txid": "…"}
//! ```

use super::{Path, Position, ProofError, ProofStep, leaf_hash, node_hash, path};
use crate::H256;
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// The tree over the roots of batches, with all its levels: a path out of it costs no hashing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnchorTree {
	/// From the leaves to the root; the last hash of an odd level moves up as it is.
	levels: Vec<Vec<H256>>,
}

impl AnchorTree {
	/// Returns the tree over the roots of batches, in their order; `None` if there are none.
	pub fn of(roots: &[H256]) -> Option<Self> {
		let mut level: Vec<H256> = roots.iter().map(|root| leaf_hash(&root.0)).collect();
		let mut levels = Vec::new();
		while level.len() > 1 {
			let above = level.chunks(2).filter_map(|pair| match pair {
				[left, right] => Some(node_hash(left, right)),
				[alone] => Some(*alone),
				_ => None,
			});
			let above: Vec<H256> = above.collect();
			levels.push(level);
			level = above;
		}
		level.first()?;
		levels.push(level);
		Some(Self { levels })
	}

	/// Returns the root, which the transaction commits to.
	pub fn root(&self) -> H256 {
		let top = self.levels.last().and_then(|level| level.first());
		top.copied().unwrap_or_else(super::empty_root)
	}

	/// Returns the number of batches.
	pub fn len(&self) -> usize {
		self.levels.first().map_or(0, Vec::len)
	}

	/// Returns `true` if there are no batches: never for a tree that was made.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	/// Returns the way from the root of the batch `index` to the root; `None` if there is no such
	/// batch. It names no transaction yet.
	pub fn path(&self, index: usize) -> Option<AnchorPath> {
		self.levels.first()?.get(index)?;
		let (mut place, mut proof) = (index, Vec::new());
		for level in &self.levels {
			let (position, sibling) = match place & 1 {
				1 => (Position::Left, place.checked_sub(1)),
				_ => (Position::Right, place.checked_add(1)),
			};
			let sibling = sibling.and_then(|at| level.get(at));
			proof.extend(sibling.map(|hash| ProofStep { position, hash: *hash }));
			place >>= 1;
		}
		Some(AnchorPath {
			root: self.root(),
			index: u64::try_from(index).ok()?,
			tree_size: u64::try_from(self.len()).ok()?,
			proof,
			txid: None,
		})
	}
}

/// The way from a batch's root to the root that a Bitcoin transaction commits to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct AnchorPath {
	/// Root that the transaction commits to.
	pub root: H256,
	/// Position of the batch in the tree, from 0.
	pub index: u64,
	/// Number of batches in the tree.
	pub tree_size: u64,
	/// Siblings from the batch upwards, at most 64.
	pub proof: Vec<ProofStep>,
	/// Id of the transaction with its bytes as Bitcoin prints them; `None` if it is not known.
	pub txid: Option<H256>,
}

impl AnchorPath {
	/// Returns the path of siblings without their sides, which follow from index and size; `None` if
	/// there is no such batch.
	pub fn of_hashes(root: H256, index: u64, tree_size: u64, hashes: &[H256]) -> Option<Self> {
		let sides: Path = path(index, tree_size)?;
		if sides.clone().count() != hashes.len() {
			return None;
		}
		let steps = sides.zip(hashes).map(|(position, hash)| ProofStep { position, hash: *hash });
		Some(Self { root, index, tree_size, proof: steps.collect(), txid: None })
	}

	/// Checks that the root of a batch leads to [`AnchorPath::root`].
	///
	/// # Errors
	/// Those of [`verify_inclusion_steps`](super::verify_inclusion_steps).
	pub fn verify(&self, batch: &H256) -> Result<(), ProofError> {
		let leaf = leaf_hash(&batch.0);
		super::verify_inclusion_steps(&leaf, self.index, self.tree_size, &self.proof, &self.root)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::crypto::merkle;

	fn roots(count: u8) -> Vec<H256> {
		(0..count).map(|number| H256([number; 32])).collect()
	}

	#[test]
	fn the_tree_is_that_of_rfc_6962_over_the_bytes_of_the_roots() {
		for count in 1..=40 {
			let roots = roots(count);
			let leaves: Vec<H256> = roots.iter().map(|root| leaf_hash(&root.0)).collect();
			let tree = AnchorTree::of(&roots).unwrap();
			assert_eq!((tree.root(), tree.len()), (merkle::root(&leaves), roots.len()));
			for (index, root) in roots.iter().enumerate() {
				let path = tree.path(index).unwrap();
				assert_eq!(Some(path.proof.clone()), merkle::inclusion_steps(&leaves, index));
				assert_eq!(path.verify(root), Ok(()), "{index} of {count}");
				let hashes: Vec<H256> = path.proof.iter().map(|step| step.hash).collect();
				let bare = AnchorPath::of_hashes(path.root, path.index, path.tree_size, &hashes);
				assert_eq!(bare, Some(path));
			}
			assert_eq!(tree.path(roots.len()), None);
		}
		assert_eq!(AnchorTree::of(&[]), None);
	}

	#[test]
	fn a_path_of_another_batch_or_to_another_root_does_not_hold() {
		let roots = roots(5);
		let path = AnchorTree::of(&roots).unwrap().path(2).unwrap();
		assert_eq!(path.verify(&roots[3]), Err(ProofError::RootMismatch));
		let other = AnchorPath { root: H256([9; 32]), ..path.clone() };
		assert_eq!(other.verify(&roots[2]), Err(ProofError::RootMismatch));
		let elsewhere = AnchorPath { index: 3, ..path.clone() };
		assert_eq!(elsewhere.verify(&roots[2]), Err(ProofError::WrongPosition));
		let beyond = AnchorPath { index: 5, ..path.clone() };
		assert_eq!(beyond.verify(&roots[2]), Err(ProofError::IndexOutOfRange));
		assert_eq!(AnchorPath::of_hashes(path.root, 2, 5, &[]), None);
	}

	#[test]
	fn a_root_that_is_anchored_alone_has_a_path_of_no_steps_to_its_leaf_hash() {
		let root = H256([7; 32]);
		let path = AnchorTree::of(&[root]).unwrap().path(0).unwrap();
		assert_eq!((path.root, path.proof.len()), (leaf_hash(&root.0), 0));
	}
}
