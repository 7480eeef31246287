//! What can go wrong with an anchor.

use gridproof_gateway_api::{AnchorStatus, ClientError};
use gridproof_support::{Classified, Failure};

/// Why an anchor was not made, sent, watched or believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
	/// A text is not a Merkle root.
	#[error("{0:?} is not a root; write its 64 hexadecimal digits")]
	BadRoot(String),
	/// A text is not the name of a network.
	#[error("{0:?} is not a Bitcoin network; write mainnet, testnet, testnet4, signet or regtest")]
	BadNetwork(String),
	/// An input is not what it should be.
	#[error("{what}: {reason}")]
	Bad {
		/// What it should be.
		what: &'static str,
		/// What is wrong with it.
		reason: String,
	},
	/// The coins do not suffice, or cannot be used.
	#[error("{0}")]
	Funds(String),
	/// The fee is above the limit.
	#[error("the fee would be {fee} sats, above the limit of {limit}; raise it with --max-fee")]
	FeeTooHigh {
		/// The fee in sats.
		fee: u64,
		/// The limit in sats.
		limit: u64,
	},
	/// An input of the transaction has no signature.
	#[error("input {0} is not signed: sign and finalize the PSBT with your wallet first")]
	NotFinal(usize),
	/// No output of the transaction commits to the root.
	#[error("transaction {txid} has no output OP_RETURN {root}")]
	NotCommitted {
		/// The transaction.
		txid: String,
		/// The root.
		root: String,
	},
	/// The branch does not lead to the block's Merkle root.
	#[error("transaction {txid} is not in block {block}: its branch leads to another Merkle root")]
	NotInBlock {
		/// The transaction.
		txid: String,
		/// The block.
		block: String,
	},
	/// A header does not meet the target that it states.
	#[error("header {0} shows less work than it states")]
	NoWork(String),
	/// A header's target is far above what the network has.
	#[error("header {hash} has difficulty {difficulty}, below the least of {least} on {network}")]
	TooEasy {
		/// The block.
		hash: String,
		/// Its difficulty.
		difficulty: u128,
		/// The least that is believed.
		least: u128,
		/// The network.
		network: &'static str,
	},
	/// A header does not follow the one before it.
	#[error("header {hash} does not follow {previous}")]
	BrokenChain {
		/// The block.
		hash: String,
		/// The one that should be its parent.
		previous: String,
	},
	/// There is not one header.
	#[error("no block header")]
	NoHeader,
	/// The node knows nothing of the transaction.
	#[error("the node does not know transaction {0}; broadcast it again, or ask another node")]
	Unknown(String),
	/// The transaction has no block yet.
	#[error("transaction {0} is in no block yet")]
	Unconfirmed(String),
	/// The anchor is simulated, so there is nothing to do with it on a network.
	#[error("this anchor is simulated: no transaction of it exists or ever will")]
	Simulated,
	/// The node is of another Bitcoin network.
	#[error("the node at {url} is not of {network}: its first block is {genesis}")]
	WrongNetwork {
		/// The node.
		url: String,
		/// The network wanted.
		network: &'static str,
		/// The node's first block.
		genesis: String,
	},
	/// A server does not answer.
	#[error("{url} does not answer: {reason}")]
	Unreachable {
		/// The server's address.
		url: String,
		/// What happened.
		reason: String,
	},
	/// A server refuses the credentials.
	#[error(
		"{0} refuses the credentials; name a file with user:password by --rpc-auth (bitcoind's own \
		 is the file .cookie in its data folder)"
	)]
	Unauthorized(String),
	/// Credentials are not of their form; what was given is not repeated.
	#[error("the first line of RPC credentials is user:password, and this one has no colon")]
	BadCredentials,
	/// Credentials would leave this machine without TLS.
	#[error(
		"{0} would get user and password in the clear: take https, or a tunnel to this machine (ssh -L \
		 8332:127.0.0.1:8332), or say --rpc-in-the-clear if nobody else is on that network"
	)]
	InTheClear(String),
	/// A server answers with a JSON-RPC error.
	#[error("{method}: {message} (code {code})")]
	Rpc {
		/// The method.
		method: String,
		/// The error's code.
		code: i64,
		/// The server's words.
		message: String,
	},
	/// An answer has another form.
	#[error("{what}: unexpected answer: {reason}")]
	BadAnswer {
		/// What was asked.
		what: String,
		/// What is wrong with it.
		reason: String,
	},
	/// The gateway refuses, or cannot be asked.
	#[error(transparent)]
	Gateway(#[from] ClientError),
	/// A file cannot be read or written.
	#[error("{path}: {reason}")]
	File {
		/// The file.
		path: String,
		/// What happened.
		reason: String,
	},
	/// Another program works on the same record, or in the same folder.
	#[error("another gridproof anchor works on {0}: wait until it is done, or stop it")]
	Busy(String),
	/// The wallet signs nothing.
	#[error("the wallet at {0} does not sign; name one that does with --wallet-rpc")]
	NoSigner(String),
	/// The file holds a record that must not be lost.
	#[error("{path} holds the anchor of {root}, which is {state}; choose another --record")]
	RecordInUse {
		/// The file.
		path: String,
		/// The root in it.
		root: String,
		/// Its state.
		state: AnchorStatus,
	},
}

impl AnchorError {
	/// Something given that is not what it should be.
	pub(crate) fn bad(what: &'static str, reason: impl ToString) -> Self {
		Self::Bad { what, reason: reason.to_string() }
	}

	/// An answer of another form.
	pub(crate) fn answer(what: &str, reason: impl ToString) -> Self {
		Self::BadAnswer { what: what.to_owned(), reason: reason.to_string() }
	}

	/// A file that cannot be used.
	pub(crate) fn file(path: &std::path::Path, reason: impl ToString) -> Self {
		Self::File { path: path.display().to_string(), reason: reason.to_string() }
	}
}

impl Classified for AnchorError {
	fn failure(&self) -> Failure {
		match self {
			Self::Gateway(error) => error.failure(),
			Self::BadRoot(_)
			| Self::BadNetwork(_)
			| Self::NotFinal(_)
			| Self::Unauthorized(_)
			| Self::BadCredentials
			| Self::InTheClear(_)
			| Self::WrongNetwork { .. }
			| Self::NoSigner(_)
			| Self::RecordInUse { .. } => Failure::USAGE,
			Self::Funds(_)
			| Self::FeeTooHigh { .. }
			| Self::NotCommitted { .. }
			| Self::NotInBlock { .. }
			| Self::NoWork(_)
			| Self::TooEasy { .. }
			| Self::BrokenChain { .. }
			| Self::NoHeader
			| Self::Simulated
			| Self::Rpc { .. } => Failure::refused(false),
			Self::Busy(_) => Failure::refused(true),
			// Time brings a transaction into a block.
			Self::Unknown(_) | Self::Unconfirmed(_) | Self::Unreachable { .. } => {
				Failure::UNREACHABLE
			},
			Self::Bad { .. } | Self::BadAnswer { .. } | Self::File { .. } => Failure::BROKEN,
		}
	}
}
