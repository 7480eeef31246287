//! Why an index does not run.

use gridproof_chain::ChainError;
use gridproof_http::{BadOrigin, Ended, MetricsError};
use gridproof_store::StoreError;
use gridproof_support::{Classified, Failure};

/// Why an index does not run, or does not continue.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
	/// The database cannot be used.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The node does not answer.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// A block cannot be read.
	#[error(
		"block {height}: {error}; an index needs the state after every block: ask a node that keeps all of \
		 them (--state-pruning archive), or begin later with --from and an empty folder"
	)]
	Block {
		/// Height of the block.
		height: u64,
		/// What the node said.
		error: ChainError,
	},
	/// The folder is of another chain.
	#[error(
		"the folder {folder} has the history of the chain {kept}, and the node serves {served}: name a node of \
		 that chain, or another folder"
	)]
	OtherChain {
		/// Folder of the database.
		folder: String,
		/// Genesis of the chain that is indexed.
		kept: String,
		/// Genesis of the node's chain.
		served: String,
	},
	/// The chain has another block than the one that is indexed.
	#[error(
		"block {height} is another one at the node than in the index, although both were final: the chain was \
		 begun again, or the node is not to be trusted. Name another node, or index into an empty folder"
	)]
	OtherBlock {
		/// Height of the block.
		height: u64,
	},
	/// `--from` does not fit.
	#[error(
		"the folder's first block is {first}, not {from}: leave --from out, or index into an empty folder"
	)]
	OtherBegin {
		/// The first block that is indexed.
		first: u64,
		/// The block that is asked for.
		from: u64,
	},
	/// The first block is not final yet.
	#[error("block {from} is not final yet, the last one is {last}: begin earlier")]
	NotFinal {
		/// The block that is asked for.
		from: u64,
		/// The last one that is final.
		last: u64,
	},
	/// An origin of web pages is none.
	#[error(transparent)]
	Origin(#[from] BadOrigin),
	/// A part has ended.
	#[error(transparent)]
	Ended(#[from] Ended),
	/// Figures cannot be made.
	#[error(transparent)]
	Metrics(#[from] MetricsError),
	/// The address cannot be listened on.
	#[error("cannot listen on {address}: {reason}")]
	Listen {
		/// Address that was asked for.
		address: String,
		/// The system's reason.
		reason: String,
	},
}

impl Classified for IndexError {
	fn failure(&self) -> Failure {
		match self {
			Self::Store(error) => error.failure(),
			Self::Chain(error) | Self::Block { error, .. } => error.failure(),
			Self::OtherChain { .. }
			| Self::OtherBegin { .. }
			| Self::NotFinal { .. }
			| Self::Origin(_) => Failure::USAGE,
			Self::OtherBlock { .. } | Self::Ended(_) | Self::Metrics(_) | Self::Listen { .. } => {
				Failure::BROKEN
			},
		}
	}
}
