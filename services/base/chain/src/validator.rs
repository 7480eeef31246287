//! Session keys of an authority: made by its node, announced by its account.

use crate::{
	Chain, ChainError, Included, Patience,
	pallets::{AccountId, session},
	rpc::{code_of, failed_request},
};
use futures::future::BoxFuture;
use gridproof_keys::{AccountKey, account::address};
use gridproof_support::{Classified, Failure, text::hexadecimal};
use std::collections::BTreeMap;
use subxt::{dynamic::Value, rpcs::rpc_params};

/// Number of the JSON-RPC error of a node that does not serve a method to this caller.
const NOT_SERVED: i32 = -32_601;

/// Session keys that a node has made and keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKeys {
	/// Public keys, one after the other, as the chain stores them.
	pub keys: Vec<u8>,
	/// Proof that the account for which they were made may announce them.
	pub proof: Vec<u8>,
}

/// Why keys were not made or not announced.
#[derive(Debug, thiserror::Error)]
pub enum ValidatorError {
	/// The chain says no, or the node is not reached.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The node makes no keys for this caller.
	#[error(
		"{url} makes no keys for us: ask the validator's own node, on its machine, while it runs with \
		 --rpc-methods unsafe"
	)]
	NotServed {
		/// The node's address.
		url: String,
	},
	/// The account is not an authority: keys of its would be of no use, and their deposit held.
	#[error(
		"{account} is not an authority of this chain: sign with the account of the validator, or say \
		 --not-yet if it will become one"
	)]
	NoAuthority {
		/// The account's address.
		account: String,
	},
}

impl Classified for ValidatorError {
	fn failure(&self) -> Failure {
		match self {
			Self::Chain(error) => error.failure(),
			Self::NotServed { .. } => Failure::USAGE,
			Self::NoAuthority { .. } => Failure::refused(false),
		}
	}
}

impl Chain {
	/// Has the node make new session keys, which it keeps, for an account that is to announce them.
	///
	/// # Errors
	/// [`ValidatorError::NotServed`], [`ValidatorError::Chain`].
	pub fn make_session_keys<'a>(
		&'a self,
		owner: &'a AccountId,
	) -> BoxFuture<'a, Result<SessionKeys, ValidatorError>> {
		Box::pin(async move {
			let parameters = rpc_params![hexadecimal(owner)];
			let made = self.blocks.members("author_rotateKeysWithOwner", parameters).await;
			let made = made.map_err(|error| match code_of(&error) {
				Some(NOT_SERVED) => ValidatorError::NotServed { url: self.url().to_string() },
				_ => failed_request(&error).into(),
			})?;
			Ok(session_keys(&made)?)
		})
	}

	/// Announces session keys with the account for which they were made, and waits until that is
	/// final. They take effect in the session after the next one. `may_wait`: also for an account that
	/// is not an authority yet.
	///
	/// # Errors
	/// [`ValidatorError`].
	pub fn announce_session_keys<'a>(
		&'a self,
		owner: &'a AccountKey,
		keys: &'a SessionKeys,
		may_wait: bool,
		patience: &'a Patience,
	) -> BoxFuture<'a, Result<Included, ValidatorError>> {
		Box::pin(async move {
			let account = owner.account();
			self.check_authority(&account, may_wait).await?;
			let is_first = self.next_session_keys(&account).await?.is_none();
			let call = session::call::set_keys(&keys.keys, &keys.proof, is_first);
			Ok(self.submit(owner, &call, patience).await?)
		})
	}

	/// Is an account an authority, or may it wait to become one?
	///
	/// # Errors
	/// [`ValidatorError::NoAuthority`], [`ValidatorError::Chain`].
	pub async fn check_authority(
		&self,
		account: &AccountId,
		may_wait: bool,
	) -> Result<(), ValidatorError> {
		if may_wait || self.authorities().await?.contains(account) {
			return Ok(());
		}
		Err(ValidatorError::NoAuthority { account: address(account) })
	}

	/// The accounts of the authorities of the present session.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn authorities(&self) -> Result<Vec<AccountId>, ChainError> {
		let found = self.row(session::PALLET, session::VALIDATORS, Vec::new()).await?;
		Ok(found.unwrap_or_default())
	}

	/// The session keys that an account has announced last, one after the other; `None` if it has
	/// none.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn next_session_keys(
		&self,
		account: &AccountId,
	) -> Result<Option<Vec<u8>>, ChainError> {
		let key = vec![Value::from_bytes(account)];
		self.row_bytes(session::PALLET, session::NEXT_KEYS, key).await
	}
}

/// The keys in a node's answer.
fn session_keys(answer: &BTreeMap<String, String>) -> Result<SessionKeys, ChainError> {
	let part = |name: &str| {
		let text = answer.get(name).map(String::as_str).unwrap_or_default();
		let bytes = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
		let unsupported = || ChainError::Unsupported(format!("session keys with their {name}"));
		bytes.filter(|bytes| !bytes.is_empty()).ok_or_else(unsupported)
	};
	Ok(SessionKeys { keys: part("keys")?, proof: part("proof")? })
}

#[cfg(test)]
mod tests {
	use super::*;

	fn answer(parts: &[(&str, &str)]) -> BTreeMap<String, String> {
		parts.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
	}

	#[test]
	fn keys_come_with_the_proof_that_the_chain_wants() {
		let keys = session_keys(&answer(&[("keys", "0x0102"), ("proof", "0x03")]));
		assert_eq!(keys, Ok(SessionKeys { keys: vec![1, 2], proof: vec![3] }));
		let without = session_keys(&answer(&[("keys", "0x0102")]));
		let expected = ChainError::Unsupported("session keys with their proof".to_string());
		assert_eq!(without, Err(expected));
		assert!(session_keys(&answer(&[("keys", "0x"), ("proof", "0x03")])).is_err());
	}
}
