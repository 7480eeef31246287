//! Why a front does not run, or does not do a request.

use crate::check::ReceiptRefusal;
use gridproof_chain::ChainError;
use gridproof_compute_api::{ClientError, KeyFileError};
use gridproof_store::StoreError;
use gridproof_support::{Classified, Failure};
use std::io;

/// Why a front does not run, or does not do a request.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
	/// The database cannot be used.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The coordinator does not do it.
	#[error(transparent)]
	Client(#[from] ClientError),
	/// The chain cannot be asked, or says no.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The file of API keys cannot be used.
	#[error(transparent)]
	Keys(#[from] KeyFileError),
	/// The system does not say where it listens.
	#[error(transparent)]
	Listen(#[from] io::Error),
	/// The chain does not have the channel.
	#[error("the chain has no channel {0}: open one with gridproof channel open")]
	UnknownChannel(u64),
	/// The channel is signed with another key.
	#[error(
		"the channel {0} is signed with another key: name the key file that it was opened with"
	)]
	OtherKey(u64),
	/// The coordinator there is not the one that the channel pays.
	#[error("{0} is not the coordinator that the channel pays: name that one's address")]
	OtherCoordinator(String),
	/// The folder belongs to another channel, or to one of another chain.
	#[error("the folder {0} belongs to another channel or chain: use another one")]
	OtherFolder(String),
	/// The folder is older than the vouchers that it signed.
	#[error(
		"the folder {folder} has vouchers up to number {ours}, the coordinator up to {theirs}: use the \
		 folder that signed them"
	)]
	OlderFolder {
		/// Path of the folder.
		folder: String,
		/// Highest number in the folder.
		ours: u64,
		/// Highest number that the coordinator has.
		theirs: u64,
	},
	/// The deposit would be raised by rule without an end.
	#[error("topping up needs a cap: name the most that all requests may cost with --max-spend")]
	Uncapped,
	/// The coordinator offers no such model, or not in the channel's asset.
	#[error("the model {0:?} is not offered in the channel's asset; see /v1/models")]
	UnknownModel(String),
	/// The request is not a JSON object, or its number of tokens is not a number.
	#[error("the request cannot be priced: {0}")]
	BadRequest(&'static str),
	/// The most that may be spent is reached.
	#[error("with this request {0} might be spent, and the limit is {1}: raise --max-spend")]
	MaxSpend(u128, u128),
	/// The limit of the API key is used up.
	#[error("the limit of this API key is used up")]
	KeyLimit,
	/// The coordinator has signed what does not hold, before this request.
	#[error("an earlier receipt of the coordinator does not hold: open a channel at another one")]
	Distrusted,
	/// The coordinator has signed what does not hold.
	#[error("the coordinator's receipt does not hold, and it gets no further request: {0}")]
	Dishonest(#[from] ReceiptRefusal),
}

impl Classified for FrontError {
	fn failure(&self) -> Failure {
		match self {
			Self::Store(error) => error.failure(),
			Self::Client(error) => error.failure(),
			Self::Chain(error) => error.failure(),
			Self::Keys(error) => error.failure(),
			Self::Listen(_) => Failure::BROKEN,
			Self::UnknownChannel(_)
			| Self::OtherKey(_)
			| Self::OtherCoordinator(_)
			| Self::OtherFolder(_)
			| Self::Uncapped
			| Self::OlderFolder { .. } => Failure::USAGE,
			Self::UnknownModel(_)
			| Self::BadRequest(_)
			| Self::MaxSpend(..)
			| Self::KeyLimit
			| Self::Distrusted
			| Self::Dishonest(_) => Failure::refused(false),
		}
	}
}
