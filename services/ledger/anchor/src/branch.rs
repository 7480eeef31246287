//! Merkle branches of transactions in blocks: double SHA-256 over `left ‖ right`, the last node of
//! an odd level paired with itself.

use crate::AnchorError;
use bitcoin::{Block, MerkleBlock, Txid, hashes::Hash};
use sha2::{Digest, Sha256};

/// Length of a transaction that could pass for an inner node, and the other way round.
const NODE_LENGTH: usize = 64;
/// No block has more transactions than a tree of this height.
const MAX_HEIGHT: usize = 24;

/// On which side of its sibling a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
	/// The sibling comes first.
	Right,
	/// The sibling comes second.
	Left,
}

/// The way from a transaction up to its block's Merkle root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
	/// The transaction's place in the block, from 0.
	index: u32,
	/// The siblings from the bottom up, in internal byte order.
	siblings: Vec<[u8; 32]>,
}

impl Branch {
	/// The branch of a transaction in a whole block.
	///
	/// # Errors
	/// When the block is not consistent, has not this transaction, or has transactions that make
	/// its tree ambiguous.
	pub fn in_block(block: &Block, txid: &Txid) -> Result<Self, AnchorError> {
		if !block.check_merkle_root() {
			return Err(AnchorError::bad("block", "its transactions have another Merkle root"));
		}
		if block.txdata.iter().any(|transaction| transaction.base_size() == NODE_LENGTH) {
			return Err(AnchorError::bad(
				"block",
				"a transaction of 64 bytes makes its tree ambiguous",
			));
		}
		let txids: Vec<Txid> = block.txdata.iter().map(|entry| entry.compute_txid()).collect();
		Self::among(&txids, txid).ok_or_else(|| AnchorError::NotInBlock {
			txid: txid.to_string(),
			block: block.block_hash().to_string(),
		})
	}

	/// The branch of a transaction among all those of a block.
	pub fn among(txids: &[Txid], txid: &Txid) -> Option<Self> {
		let index = txids.iter().position(|other| other == txid)?;
		let mut level: Vec<[u8; 32]> = txids.iter().map(|txid| txid.to_byte_array()).collect();
		let (mut place, mut siblings) = (index, Vec::new());
		while level.len() > 1 {
			if level.len() % 2 == 1 {
				level.extend(level.last().copied());
			}
			siblings.push(*level.get(place ^ 1)?);
			level = level
				.chunks_exact(2)
				.filter_map(|pair| Some(parent(pair.first()?, pair.last()?)))
				.collect();
			place /= 2;
		}
		Some(Self { index: u32::try_from(index).ok()?, siblings })
	}

	/// The branch in what `gettxoutproof` gives for one transaction.
	///
	/// # Errors
	/// When the proof is not consistent, or of other transactions.
	pub fn in_proof(proof: &MerkleBlock, txid: &Txid) -> Result<Self, AnchorError> {
		let (mut matches, mut indexes) = (Vec::new(), Vec::new());
		proof
			.extract_matches(&mut matches, &mut indexes)
			.map_err(|error| AnchorError::bad("Merkle proof", error))?;
		if matches != [*txid] {
			return Err(AnchorError::NotInBlock {
				txid: txid.to_string(),
				block: proof.header.block_hash().to_string(),
			});
		}
		let index = indexes.first().copied().unwrap_or_default();
		let mut walk = Walk { proof, bits: 0, hashes: 0, siblings: Vec::new() };
		let mut height = 0;
		while walk.width(height) > 1 {
			height += 1;
		}
		if walk.down(height, 0).is_none() || walk.siblings.len() > MAX_HEIGHT {
			return Err(AnchorError::bad("Merkle proof", "it ends too early"));
		}
		Ok(Self { index, siblings: walk.siblings })
	}

	/// Where the branch of this transaction leads: a Merkle root, in internal byte order.
	pub fn root(&self, txid: &Txid) -> [u8; 32] {
		self.steps().fold(txid.to_byte_array(), |node, (side, sibling)| match side {
			Side::Left => parent(&node, &sibling),
			Side::Right => parent(&sibling, &node),
		})
	}

	/// The siblings from the bottom up, with the side on which the node stands.
	pub fn steps(&self) -> impl Iterator<Item = (Side, [u8; 32])> {
		(0u32..).zip(&self.siblings).map(|(level, sibling)| {
			let right = self.index.checked_shr(level).unwrap_or_default() & 1 == 1;
			(if right { Side::Right } else { Side::Left }, *sibling)
		})
	}

	/// The transaction's place in the block, from 0.
	pub fn index(&self) -> u32 {
		self.index
	}
}

/// Walks down a partial tree to its only marked leaf.
struct Walk<'a> {
	proof: &'a MerkleBlock,
	bits: usize,
	hashes: usize,
	siblings: Vec<[u8; 32]>,
}

/// A node on the way: its hash, and whether the marked leaf is under it.
type Node = ([u8; 32], bool);

impl Walk<'_> {
	fn width(&self, height: u32) -> u64 {
		let leaves = u64::from(self.proof.txn.num_transactions());
		leaves.div_ceil(1u64.checked_shl(height).unwrap_or(u64::MAX))
	}

	fn down(&mut self, height: u32, place: u64) -> Option<Node> {
		let marked = *self.proof.txn.bits().get(self.bits)?;
		self.bits += 1;
		let Some(below) = height.checked_sub(1).filter(|_| marked) else {
			let hash = self.proof.txn.hashes().get(self.hashes)?.to_byte_array();
			self.hashes += 1;
			return Some((hash, marked));
		};
		let left = self.down(below, place * 2)?;
		let right =
			if place * 2 + 1 < self.width(below) { self.down(below, place * 2 + 1)? } else { left };
		// The right one may be the left one again, which is where the leaf is then.
		self.siblings.push(if left.1 { right.0 } else { left.0 });
		Some((parent(&left.0, &right.0), true))
	}
}

fn parent(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
	Sha256::digest(Sha256::digest([&left[..], right].concat())).into()
}

#[cfg(test)]
mod tests {
	use super::*;
	use bitcoin::merkle_tree::{self, PartialMerkleTree};
	use bitcoin::{Target, TxMerkleNode, block};

	fn txids(count: u32) -> Vec<Txid> {
		(0..count).map(|number| Txid::hash(&number.to_le_bytes())).collect()
	}

	fn proof(txids: &[Txid], index: usize) -> MerkleBlock {
		let matches: Vec<bool> = (0..txids.len()).map(|place| place == index).collect();
		let root = merkle_tree::calculate_root(txids.iter().copied()).expect("not empty");
		MerkleBlock {
			header: block::Header {
				version: block::Version::TWO,
				prev_blockhash: bitcoin::BlockHash::all_zeros(),
				merkle_root: TxMerkleNode::from_byte_array(root.to_byte_array()),
				time: 0,
				bits: Target::MAX_ATTAINABLE_REGTEST.to_compact_lossy(),
				nonce: 0,
			},
			txn: PartialMerkleTree::from_txids(txids, &matches),
		}
	}

	#[test]
	fn branches_of_blocks_and_of_proofs_are_the_same_and_lead_to_the_root() {
		for count in 1..=33 {
			let txids = txids(count);
			let root = merkle_tree::calculate_root(txids.iter().copied()).expect("not empty");
			for (index, txid) in txids.iter().enumerate() {
				let branch = Branch::among(&txids, txid).expect("it is there");
				assert_eq!(branch.root(txid), root.to_byte_array(), "{index} of {count}");
				let proof = proof(&txids, index);
				assert_eq!(Branch::in_proof(&proof, txid), Ok(branch), "{index} of {count}");
			}
		}
	}

	#[test]
	fn a_proof_of_another_transaction_is_refused() {
		let txids = txids(5);
		let proof = proof(&txids, 3);
		let fault = Branch::in_proof(&proof, &txids[2]).expect_err("it is of the fourth");
		let block = proof.header.block_hash().to_string();
		assert_eq!(fault, AnchorError::NotInBlock { txid: txids[2].to_string(), block });
	}

	#[test]
	fn an_altered_proof_is_refused() {
		let txids = txids(6);
		let mut proof = proof(&txids, 1);
		proof.header.merkle_root = TxMerkleNode::all_zeros();
		assert!(matches!(Branch::in_proof(&proof, &txids[1]), Err(AnchorError::Bad { .. })));
	}
}
