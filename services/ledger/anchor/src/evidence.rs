//! All that proves an anchor, checked without a node.

use crate::{AnchorError, H256, branch::Branch, commitment, network::Network};
use bitcoin::{
	Block, MerkleBlock, Transaction, Txid, block::Header, consensus::encode::deserialize,
	hashes::Hash,
};
use gridproof_primitives::energy::MIN_CONFIRMATIONS;
use serde::Serialize;

/// Bytes of a block header.
const HEADER_LENGTH: usize = 80;

/// The transaction, its branch, and the headers from its block on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
	/// The transaction.
	pub transaction: Transaction,
	/// Its way to the Merkle root of the first header.
	pub branch: Branch,
	/// Its block's header, and those that follow.
	pub headers: Vec<Header>,
	/// Height of its block, as somebody says: headers do not show it.
	pub height: Option<u32>,
}

/// What evidence shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
	/// The transaction.
	pub txid: String,
	/// Its output that commits to the root.
	pub output: u32,
	/// Its block.
	pub block_hash: String,
	/// Height of its block, as the node said.
	pub block_height: Option<u32>,
	/// The block's own time, seconds since 1970.
	pub block_time: u32,
	/// Headers that were checked, the block's own included.
	pub confirmations: u32,
}

impl Shown {
	/// Is it buried deep enough?
	pub const fn is_confirmed(&self) -> bool {
		self.confirmations >= MIN_CONFIRMATIONS
	}
}

impl Evidence {
	/// Follows root → transaction → block, and the chain of headers.
	///
	/// # Errors
	/// [`AnchorError::NotCommitted`], [`AnchorError::NotInBlock`], [`AnchorError::NoWork`], [`AnchorError::TooEasy`],
	/// [`AnchorError::BrokenChain`], [`AnchorError::NoHeader`]: the first step that does not hold.
	pub fn check(&self, root: &H256, network: Network) -> Result<Shown, AnchorError> {
		let output = commitment::find(&self.transaction, root)?;
		let txid = self.transaction.compute_txid();
		let first = self.headers.first().ok_or(AnchorError::NoHeader)?;
		if self.branch.root(&txid) != first.merkle_root.to_byte_array() {
			return Err(AnchorError::NotInBlock {
				txid: txid.to_string(),
				block: first.block_hash().to_string(),
			});
		}
		check_chain(&self.headers, network)?;
		Ok(Shown {
			txid: txid.to_string(),
			output,
			block_hash: first.block_hash().to_string(),
			block_height: self.height,
			block_time: first.time,
			confirmations: u32::try_from(self.headers.len()).unwrap_or(u32::MAX),
		})
	}
}

/// Checks that each header shows its work and follows the one before it.
///
/// # Errors
/// [`AnchorError::NoWork`], [`AnchorError::TooEasy`], [`AnchorError::BrokenChain`].
pub fn check_chain(headers: &[Header], network: Network) -> Result<(), AnchorError> {
	let mut previous: Option<&Header> = None;
	for header in headers {
		let hash = header.block_hash().to_string();
		check_work(header, network)?;
		if let Some(previous) =
			previous.filter(|before| before.block_hash() != header.prev_blockhash)
		{
			return Err(AnchorError::BrokenChain {
				hash,
				previous: previous.block_hash().to_string(),
			});
		}
		previous = Some(header);
	}
	Ok(())
}

fn check_work(header: &Header, network: Network) -> Result<(), AnchorError> {
	let (hash, target) = (header.block_hash(), header.target());
	if target == bitcoin::Target::ZERO || !target.is_met_by(hash) {
		return Err(AnchorError::NoWork(hash.to_string()));
	}
	let (difficulty, least) = (header.difficulty(network.0), network.least_difficulty());
	if target > network.easiest_target() || difficulty < least {
		let (hash, network) = (hash.to_string(), network.as_str());
		return Err(AnchorError::TooEasy { hash, difficulty, least: least.max(1), network });
	}
	Ok(())
}

/// Reads headers: hexadecimal digits of 80 bytes each, with or without line breaks between them.
///
/// # Errors
/// [`AnchorError::Bad`].
pub fn read_headers(text: &str) -> Result<Vec<Header>, AnchorError> {
	let digits: String = text.split_whitespace().collect();
	let bytes = hex::decode(digits).map_err(|error| AnchorError::bad("headers", error))?;
	if bytes.len() % HEADER_LENGTH != 0 {
		return Err(AnchorError::bad("headers", "each is 80 bytes long, 160 digits"));
	}
	bytes
		.chunks_exact(HEADER_LENGTH)
		.map(|bytes| deserialize(bytes).map_err(|error| AnchorError::bad("headers", error)))
		.collect()
}

/// Reads a branch, and the header of its block, from hexadecimal digits: what `gettxoutproof`
/// gives, or a whole block.
///
/// # Errors
/// [`AnchorError::Bad`], [`AnchorError::NotInBlock`].
pub fn read_branch(text: &str, txid: &Txid) -> Result<(Branch, Header), AnchorError> {
	let bytes =
		hex::decode(text.trim()).map_err(|error| AnchorError::bad("Merkle proof", error))?;
	if let Ok(block) = deserialize::<Block>(&bytes) {
		return Ok((Branch::in_block(&block, txid)?, block.header));
	}
	let proof: MerkleBlock = deserialize(&bytes)
		.map_err(|_| AnchorError::bad("Merkle proof", "neither of gettxoutproof nor a block"))?;
	Ok((Branch::in_proof(&proof, txid)?, proof.header))
}
