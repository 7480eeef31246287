//! Requests to a node, and what its errors mean. They are told apart by their number only: their
//! text is for people and may hold any figure.

use crate::ChainError;
use std::error::Error;
use subxt::{
	SubstrateConfig,
	client::{ClientAtBlock, OnlineClientAtBlockImpl},
	config::RpcConfigFor,
	rpcs::{self, LegacyRpcMethods, client::RpcClient},
};

/// How subxt sees the chain: nothing of ours needs configuration.
pub type Config = SubstrateConfig;
pub(crate) type AtBlock = ClientAtBlock<Config, OnlineClientAtBlockImpl<Config>>;
pub(crate) type Methods = LegacyRpcMethods<RpcConfigFor<Config>>;

/// The methods behind a connection.
pub(crate) fn methods(rpc: &RpcClient) -> Methods {
	LegacyRpcMethods::new(rpc.clone())
}

/// Why a node did not take a transaction, by the number of its JSON-RPC error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolCode {
	/// 1001: its bytes are not a transaction of this runtime.
	BadFormat,
	/// 1002: the runtime failed while it looked at it.
	VerificationFailed,
	/// 1010: the runtime says that it is invalid.
	Invalid,
	/// 1011: the runtime cannot say now whether it is valid.
	UnknownValidity,
	/// 1012: it was there before and is kept out for a while.
	Banned,
	/// 1013: it is there.
	AlreadyThere,
	/// 1014: another one that excludes it has a higher priority.
	LowPriority,
	/// 1015: it depends on what depends on it.
	Cycle,
	/// 1016: the pool is full.
	Full,
	/// 1018: it is not to be passed on, and this node makes no blocks.
	Unactionable,
	/// 1019: it provides nothing that it could be known by.
	NoTags,
	/// 1020: the block that it was checked at is gone.
	BadBlock,
	/// 1021: it can be valid later only, and the pool takes none of these.
	Future,
}

/// What to do about a transaction that a node did not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
	/// The runtime decided; it is asked why.
	AskWhy,
	/// It is on its way; look for it in blocks.
	Wait,
	/// The pool does not have it; send it again.
	NotTaken,
	/// The pool has another one in its place; send it again.
	AnotherThere,
	/// It may be on its way or not; look for it in blocks, and send it again.
	Unknown,
}

impl PoolCode {
	/// The meaning of a number; `None` if it is not about the pool.
	pub(crate) const fn of(code: i32) -> Option<Self> {
		Some(match code {
			1001 => Self::BadFormat,
			1002 => Self::VerificationFailed,
			1010 => Self::Invalid,
			1011 => Self::UnknownValidity,
			1012 => Self::Banned,
			1013 => Self::AlreadyThere,
			1014 => Self::LowPriority,
			1015 => Self::Cycle,
			1016 => Self::Full,
			1018 => Self::Unactionable,
			1019 => Self::NoTags,
			1020 => Self::BadBlock,
			1021 => Self::Future,
			_ => return None,
		})
	}

	/// What to do about it.
	pub(crate) const fn next(self) -> Next {
		match self {
			Self::Invalid | Self::UnknownValidity => Next::AskWhy,
			Self::AlreadyThere => Next::Wait,
			Self::Banned => Next::Unknown,
			Self::LowPriority => Next::AnotherThere,
			Self::BadFormat
			| Self::VerificationFailed
			| Self::Cycle
			| Self::Full
			| Self::Unactionable
			| Self::NoTags
			| Self::BadBlock
			| Self::Future => Next::NotTaken,
		}
	}
}

/// What to do after a request to take a transaction has failed.
pub(crate) fn next_after(error: &rpcs::Error) -> Next {
	match code_of(error).and_then(PoolCode::of) {
		Some(code) => code.next(),
		None => Next::Unknown,
	}
}

/// The number of a JSON-RPC error; `None` if the node did not send one.
pub(crate) const fn code_of(error: &rpcs::Error) -> Option<i32> {
	match error {
		rpcs::Error::User(error) => Some(error.code),
		_ => None,
	}
}

/// A failed request.
pub(crate) fn failed_request(error: &rpcs::Error) -> ChainError {
	ChainError::Rpc { code: code_of(error), message: chain_of(error) }
}

/// A failed request, as subxt wraps it.
pub(crate) fn failed(error: impl Error + 'static) -> ChainError {
	let code = find::<rpcs::UserError>(&error).map(|error| error.code);
	ChainError::Rpc { code, message: chain_of(&error) }
}

/// An error among the causes of another.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
	let mut next = Some(error);
	while let Some(error) = next {
		if let Some(found) = error.downcast_ref() {
			return Some(found);
		}
		next = error.source();
	}
	None
}

/// An error with all its causes, in one line.
pub(crate) fn chain_of(error: &(dyn Error + 'static)) -> String {
	let mut text = error.to_string();
	let mut cause = error.source();
	while let Some(error) = cause {
		let next = error.to_string();
		if !text.contains(&next) {
			text = format!("{text}: {next}");
		}
		cause = error.source();
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;
	use subxt::rpcs::UserError;

	fn answered(code: i32, message: &str) -> rpcs::Error {
		rpcs::Error::User(UserError { code, message: message.to_string(), data: None })
	}

	#[test]
	fn a_pool_error_is_known_by_its_number() {
		let known = [
			(1001, PoolCode::BadFormat, Next::NotTaken),
			(1002, PoolCode::VerificationFailed, Next::NotTaken),
			(1010, PoolCode::Invalid, Next::AskWhy),
			(1011, PoolCode::UnknownValidity, Next::AskWhy),
			(1012, PoolCode::Banned, Next::Unknown),
			(1013, PoolCode::AlreadyThere, Next::Wait),
			(1014, PoolCode::LowPriority, Next::AnotherThere),
			(1015, PoolCode::Cycle, Next::NotTaken),
			(1016, PoolCode::Full, Next::NotTaken),
			(1018, PoolCode::Unactionable, Next::NotTaken),
			(1019, PoolCode::NoTags, Next::NotTaken),
			(1020, PoolCode::BadBlock, Next::NotTaken),
			(1021, PoolCode::Future, Next::NotTaken),
		];
		for (number, code, next) in known {
			assert_eq!(PoolCode::of(number), Some(code), "{number}");
			assert_eq!(next_after(&answered(number, "any text")), next, "{number}");
		}
		for number in [0, 1000, 1003, 1009, 1017, 1022, 1040, -32_601, -1010, 10_100] {
			assert_eq!(PoolCode::of(number), None, "{number}");
			assert_eq!(next_after(&answered(number, "any text")), Next::Unknown, "{number}");
		}
	}

	#[test]
	fn a_text_that_holds_a_code_decides_nothing() {
		let texts = [
			"connection to 10.0.0.1:1010 was closed",
			"block 1010 is not known",
			"Invalid Transaction",
			"Transaction is invalid",
			"Custom error: 7",
			"Transaction Already Imported (1013)",
			"Transaction is outdated",
			"Stale",
		];
		for text in texts {
			assert_eq!(next_after(&answered(-32_000, text)), Next::Unknown, "{text}");
			let cut = rpcs::Error::DisconnectedWillReconnect(text.to_string());
			assert_eq!(next_after(&cut), Next::Unknown, "{text}");
			let failure = failed_request(&cut);
			assert!(failure.is_temporary() && !failure.is_refusal(), "{text}");
			assert!(matches!(failure, ChainError::Rpc { code: None, .. }), "{text}");
		}
	}

	#[test]
	fn the_number_is_found_among_the_causes() {
		#[derive(Debug, thiserror::Error)]
		#[error("outer")]
		struct Outer(#[source] rpcs::Error);
		let failure = failed(Outer(answered(1011, "inner")));
		let message = "outer: User error: inner (1011)".to_string();
		let expected = ChainError::Rpc { code: Some(1011), message };
		assert_eq!(failure, expected);
	}
}
