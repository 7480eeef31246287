//! The trees of a few batches, kept for those who ask for proofs: most ask for receipts of one batch, and
//! to build its tree takes all of its receipts.

use gridproof_primitives::{H256, compute::channels::Batch};
use gridproof_support::Lock;
use std::{
	collections::VecDeque,
	sync::{Arc, Mutex},
};

/// Batches whose trees are kept; one of 20,000 receipts has some ten megabytes.
const MOST: usize = 4;

/// Trees by the hash of their header, the one that was used last at the end.
pub(crate) struct Trees<T = Batch>(Mutex<VecDeque<(H256, Arc<T>)>>);

impl<T> Default for Trees<T> {
	fn default() -> Self {
		Self(Mutex::default())
	}
}

impl<T> Trees<T> {
	/// Returns the tree of a header's batch, if it is kept.
	pub(crate) fn find(&self, header: &H256) -> Option<Arc<T>> {
		let mut kept = self.0.locked();
		let at = kept.iter().position(|(hash, _)| hash == header)?;
		let found = kept.remove(at)?;
		let tree = found.1.clone();
		kept.push_back(found);
		Some(tree)
	}

	/// Keeps the tree of a header's batch, in the place of the one that was not used for longest.
	pub(crate) fn keep(&self, header: H256, tree: Arc<T>) {
		let mut kept = self.0.locked();
		kept.retain(|(hash, _)| *hash != header);
		while kept.len() >= MOST {
			kept.pop_front();
		}
		kept.push_back((header, tree));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_trees_that_were_used_last_are_kept_and_no_more() {
		let trees = Trees::<u8>::default();
		let hash = |byte: u8| H256([byte; 32]);
		for byte in 0..4 {
			trees.keep(hash(byte), Arc::new(byte));
		}
		assert_eq!(trees.find(&hash(0)).as_deref(), Some(&0));
		trees.keep(hash(4), Arc::new(4));
		let kept = [0, 1, 2, 3, 4].map(|byte| trees.find(&hash(byte)).as_deref().copied());
		assert_eq!(kept, [Some(0), None, Some(2), Some(3), Some(4)]);
	}
}
