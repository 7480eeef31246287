//! A transaction that takes the place of one that waits.

use super::{
	Patience, Signing,
	follow::{Start, follow},
	payload, sign,
};
use crate::{
	Call, Chain, ChainError, Included,
	rpc::{PoolCode, code_of, failed_request},
};
use futures::future::BoxFuture;
use gridproof_keys::{AccountKey, account::address};
use gridproof_support::{Classified, Failure};
use subxt::utils::AccountId32;

/// A transaction that took another one's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
	/// The account's number that both had.
	pub number: u64,
	/// What became of the new one.
	pub included: Included,
}

/// Why nothing was replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
	/// The node's pool has no transaction of the account.
	#[error(
		"no transaction of {account} waits at {url}: it is in a block already, was never taken, or waits \
		 at another node"
	)]
	NothingWaits {
		/// The account's address.
		account: String,
		/// The node's address.
		url: String,
	},
	/// What waits comes first, or gives as much.
	#[error("the transaction that waits has the same tip or a higher one: raise --tip")]
	TipTooLow,
	/// The chain says no, or the node is not reached.
	#[error(transparent)]
	Chain(#[from] ChainError),
}

impl Classified for ReplaceError {
	fn failure(&self) -> Failure {
		match self {
			Self::NothingWaits { .. } | Self::TipTooLow => Failure::refused(false),
			Self::Chain(error) => error.failure(),
		}
	}
}

impl Chain {
	/// Submits a call in place of the first transaction of an account that waits in the node's pool,
	/// with its number and a higher tip, in units of 10⁻¹⁸ AIT; the other one can never be included
	/// then. If that one gets into a block first, the call is not: [`ChainError::Undecided`], as of any
	/// transaction whose number another one took.
	///
	/// A program that follows the other transaction may sign it again, with the next number.
	///
	/// # Errors
	/// [`ReplaceError`]; nothing has been replaced then.
	pub fn replace_waiting<'a>(
		&'a self,
		account: &'a AccountKey,
		call: &'a Call,
		tip: u128,
		patience: &'a Patience,
	) -> BoxFuture<'a, Result<Replaced, ReplaceError>> {
		Box::pin(async move {
			self.check_key(account).await?;
			let number = self.first_waiting(account).await?;
			let block = self.at().await?;
			let signing = Signing(account.clone());
			let sent = sign(&block, &payload(&block, call)?, &signing, number, tip)?;
			let entered = self.blocks.methods().author_submit_extrinsic(sent.bytes()).await;
			if let Err(error) = entered {
				return Err(match code_of(&error).and_then(PoolCode::of) {
					Some(PoolCode::LowPriority) => ReplaceError::TipTooLow,
					_ => failed_request(&error).into(),
				});
			}
			let included = follow(self, call, Start::Signed(sent), patience).await?;
			Ok(Replaced { number, included })
		})
	}

	/// The number of the first transaction of an account that waits in the node's pool.
	async fn first_waiting(&self, account: &AccountKey) -> Result<u64, ReplaceError> {
		const FUNCTION: &str = "AccountNonceApi_account_nonce";
		let id = account.account();
		let first: u32 = self.answer_at(self.best().await?, FUNCTION, &id).await?;
		let next = self.blocks.methods().system_account_next_index(&AccountId32(id)).await;
		let next = next.map_err(|error| failed_request(&error))?;
		if next <= u64::from(first) {
			let (account, url) = (address(&id), self.url().to_string());
			return Err(ReplaceError::NothingWaits { account, url });
		}
		Ok(first.into())
	}
}
