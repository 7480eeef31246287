//! What can go wrong between a program and a chain.

use crate::{Refusal, shortage::Shortage};
use gridproof_support::{Classified, Failure};

/// Why something was not read from the chain, or not done on it.
///
/// Two questions are asked of it, and nothing else:
///
/// - [`ChainError::is_temporary`] for loops: is the very same worth another try later?
/// - [`ChainError::is_refusal`]: did the chain decide? If so, nothing has changed on it, and the
///   connection is fine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
	/// The address is not a node's.
	#[error("{0:?} is not a node address; it looks like ws://127.0.0.1:9944")]
	BadUrl(String),
	/// A key that everybody knows would sign for a chain on which something is at stake.
	#[error(
		"{address} is a development account, whose secret everybody knows, and this is not a development \
		 chain ({kind}): use an account of your own"
	)]
	DevelopmentKey {
		/// The account's address.
		address: String,
		/// What the node says of its chain.
		kind: String,
	},
	/// No node answers there.
	#[error("no node answers at {url}: {reason}; is it running, and is this its RPC port?")]
	Unreachable {
		/// The node's address.
		url: String,
		/// The operating system's reason, or how long was waited.
		reason: String,
	},
	/// The node answered a request with an error, or not at all.
	#[error("the node failed to answer: {message}")]
	Rpc {
		/// Number of the JSON-RPC error; `None` if the connection failed.
		code: Option<i32>,
		/// For people; never compared.
		message: String,
	},
	/// The chain's runtime lacks what is asked for, or has it in another form.
	#[error("the chain's runtime does not offer {0}; node and program are of different versions")]
	Unsupported(String),
	/// The chain's rules say no; nothing has changed.
	#[error("refused by the chain: {0}")]
	Refused(#[from] Refusal),
	/// The account cannot pay for it; nothing was sent.
	#[error("{0}")]
	Short(Box<Shortage>),
	/// The transaction's fate is unknown; look at the chain before sending another.
	#[error("no decision after {attempts} attempts, the last: {reason}")]
	Undecided {
		/// How often it was sent.
		attempts: u32,
		/// What happened last, for people.
		reason: String,
	},
}

impl ChainError {
	/// Can the very same succeed later, when nothing changes but time and the state of the chain?
	pub const fn is_temporary(&self) -> bool {
		match self {
			Self::Unreachable { .. } | Self::Rpc { .. } | Self::Undecided { .. } => true,
			Self::BadUrl(_)
			| Self::DevelopmentKey { .. }
			| Self::Unsupported(_)
			| Self::Short(_) => false,
			Self::Refused(refusal) => refusal.is_temporary(),
		}
	}

	/// Did the chain decide against it, or has the account too little for it? Then nothing has changed,
	/// and the connection works.
	pub const fn is_refusal(&self) -> bool {
		matches!(self, Self::Refused(_) | Self::Short(_))
	}

	/// The refusal, if the chain decided against it.
	pub const fn refusal(&self) -> Option<&Refusal> {
		match self {
			Self::Refused(refusal) => Some(refusal),
			_ => None,
		}
	}

	/// Did it fail on the way, so that another connection may help?
	pub(crate) const fn is_outage(&self) -> bool {
		match self {
			Self::Unreachable { .. } | Self::Rpc { .. } | Self::Undecided { .. } => true,
			Self::BadUrl(_)
			| Self::DevelopmentKey { .. }
			| Self::Unsupported(_)
			| Self::Short(_)
			| Self::Refused(_) => false,
		}
	}
}

impl Classified for ChainError {
	fn failure(&self) -> Failure {
		match self {
			Self::BadUrl(_) | Self::DevelopmentKey { .. } => Failure::USAGE,
			Self::Unreachable { .. } | Self::Rpc { .. } => Failure::UNREACHABLE,
			Self::Unsupported(_) => Failure::BROKEN,
			Self::Refused(refusal) => Failure::refused(refusal.is_temporary()),
			Self::Short(_) => Failure::refused(false),
			Self::Undecided { .. } => Failure::UNDECIDED,
		}
	}
}
