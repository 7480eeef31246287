//! What can go wrong between a program and a chain.

/// Why something was not read from, or not done on, the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
	/// The address is none of a node.
	#[error("{0:?} is no node's address; it looks like ws://127.0.0.1:9944")]
	BadUrl(String),
	/// No node answers there.
	#[error("no node answers at {url}: {reason}; is it running, and is this its RPC port?")]
	Unreachable {
		/// Where.
		url: String,
		/// What happened.
		reason: String,
	},
	/// The node answered a request with an error, or not at all.
	#[error("the node failed to answer: {0}")]
	Rpc(String),
	/// The chain's runtime lacks what is asked for, or has it in another form.
	#[error("the chain's runtime does not offer {0}; node and program are of different versions")]
	Unsupported(String),
	/// The runtime refused a call, named `Pallet.Error`; nothing has changed.
	#[error("refused by the chain: {0}")]
	Refused(String),
	/// The pool did not take a transaction; nothing has changed.
	#[error("not accepted into the pool: {0}")]
	Invalid(String),
	/// The transaction's fate is unknown; look at the chain before sending another.
	#[error("no decision after {attempts} attempts, the last: {reason}")]
	Undecided {
		/// How often it was sent.
		attempts: u32,
		/// What happened last.
		reason: String,
	},
}

impl Failure {
	/// May the same succeed later without anything being changed?
	pub const fn is_temporary(&self) -> bool {
		matches!(self, Self::Unreachable { .. } | Self::Rpc(_) | Self::Undecided { .. })
	}
}
