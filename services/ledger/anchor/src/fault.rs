//! What can go wrong with an anchor.

/// Why an anchor was not made, sent, watched or believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
	/// Not a Merkle root.
	#[error("{0:?} is no root; write its 64 hexadecimal digits")]
	BadRoot(String),
	/// Not a network.
	#[error("{0:?} is no Bitcoin network; say mainnet, testnet, testnet4, signet or regtest")]
	BadNetwork(String),
	/// Something that was given is not what it should be.
	#[error("{what}: {reason}")]
	Bad {
		/// What it should be.
		what: &'static str,
		/// What is wrong with it.
		reason: String,
	},
	/// An amount that cannot be paid.
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
	/// An input without signature.
	#[error("input {0} is not signed: sign and finalize the PSBT with your wallet first")]
	NotFinal(usize),
	/// No output commits to the root.
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
	/// A header that does not meet the target it states.
	#[error("header {0} shows less work than it states")]
	NoWork(String),
	/// A header whose target is far above what the network has.
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
	/// A header that does not follow the one before it.
	#[error("header {hash} does not follow {previous}")]
	BrokenChain {
		/// The block.
		hash: String,
		/// The one that should be its parent.
		previous: String,
	},
	/// Not one header.
	#[error("no block header")]
	NoHeader,
	/// The node knows nothing of the transaction.
	#[error("the node knows no transaction {0}; broadcast it again, or ask another node")]
	Unknown(String),
	/// The transaction has no block yet.
	#[error("transaction {0} is in no block yet")]
	Unconfirmed(String),
	/// The anchor is simulated, so there is nothing to do with it on a network.
	#[error("this anchor is simulated: no transaction of it exists or ever will")]
	Simulated,
	/// The node is of another network.
	#[error("the node at {url} is not of {network}: its first block is {genesis}")]
	WrongNetwork {
		/// The node.
		url: String,
		/// The network wanted.
		network: &'static str,
		/// The node's first block.
		genesis: String,
	},
	/// A server that does not answer.
	#[error("{url} does not answer: {reason}")]
	Unreachable {
		/// Where.
		url: String,
		/// What happened.
		reason: String,
	},
	/// A server that wants other credentials.
	#[error(
		"{0} refuses the credentials; name a file with user:password by --rpc-auth (bitcoind's own \
		 is the file .cookie in its data folder)"
	)]
	Unauthorized(String),
	/// A JSON-RPC error.
	#[error("{method}: {message} (code {code})")]
	Rpc {
		/// The method.
		method: String,
		/// The error's code.
		code: i64,
		/// The server's words.
		message: String,
	},
	/// An answer of another form.
	#[error("{what}: unexpected answer: {reason}")]
	BadAnswer {
		/// What was asked.
		what: String,
		/// What is wrong with it.
		reason: String,
	},
	/// The gateway refused.
	#[error("the gateway answered {status}: {message}")]
	Gateway {
		/// The HTTP status.
		status: u16,
		/// Its words.
		message: String,
	},
	/// A file that cannot be read or written.
	#[error("{path}: {reason}")]
	File {
		/// The file.
		path: String,
		/// What happened.
		reason: String,
	},
	/// A record that must not be lost.
	#[error("{path} holds the anchor of {root}, which is {state}; choose another --record")]
	RecordInUse {
		/// The file.
		path: String,
		/// The root in it.
		root: String,
		/// Its state.
		state: &'static str,
	},
}

impl Fault {
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
