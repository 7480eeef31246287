//! Where a Bitcoin node sees a transaction.

use bitcoin::BlockHash;

/// Where a node sees a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
	/// Nowhere.
	Unknown,
	/// Waiting for a block.
	Waiting,
	/// In a block of the best chain.
	InBlock {
		/// The block.
		hash: BlockHash,
		/// Its height.
		height: u32,
		/// Blocks on it, its own included.
		confirmations: u32,
	},
}
