//! Why a miner does not run.

use gridproof_chain::ChainError;
use gridproof_compute_api::ClientError;
use gridproof_engine::EngineError;
use gridproof_http::MetricsError;
use gridproof_store::StoreError;
use gridproof_support::{Classified, Failure};

/// Why a miner does not run.
#[derive(Debug, thiserror::Error)]
pub enum MinerError {
	/// The engine cannot be used.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The database cannot be used.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// A coordinator's address cannot be used.
	#[error(transparent)]
	Client(#[from] ClientError),
	/// The node's address cannot be used, or its runtime is of another version.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The figures cannot be counted.
	#[error(transparent)]
	Metrics(#[from] MetricsError),
	/// The data folder belongs to another chain.
	#[error("the folder {folder} is of the chain {ours}, the node's is {theirs}; use another one")]
	OtherChain {
		/// The data folder.
		folder: String,
		/// Genesis hash of the chain that the folder was used with.
		ours: String,
		/// Genesis hash of the node's chain.
		theirs: String,
	},
	/// The folder has never had a miner.
	#[error("there is no miner's database in {0}: name the folder of its --data")]
	NoFolder(String),
	/// There is nothing to work for, or with.
	#[error("a miner needs a coordinator, a slot and a model: one of them is missing")]
	Nothing,
}

impl Classified for MinerError {
	fn failure(&self) -> Failure {
		match self {
			Self::Engine(error) => error.failure(),
			Self::Store(error) => error.failure(),
			Self::Client(error) => error.failure(),
			Self::Chain(error) => error.failure(),
			Self::Metrics(_) => Failure::BROKEN,
			Self::OtherChain { .. } | Self::NoFolder(_) | Self::Nothing => Failure::USAGE,
		}
	}
}
