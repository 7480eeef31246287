//! Transactions, followed until their fate is certain.
//!
//! A pool may drop a transaction without a word, and a connection may break while one is on its
//! way. So whatever is sent here is watched until it is final, and sent again until then: the same
//! bytes, which a chain can take once only. Before that the final blocks are looked through: a node
//! refuses what it has had, as stale or banned, and does not say what became of it.
//!
//! What an account signs can be included for some minutes only ([`LIFETIME`]), so that nothing that
//! was forgotten happens hours later. A transaction that can provably not be included any more, as
//! it is too old or another of the account has its number, is signed again.

mod follow;
mod funds;
mod replace;

pub use replace::{ReplaceError, Replaced};

use crate::{
	Call, Chain, ChainError, Refusal,
	event::{self, Event, RawEvent},
	refusal::{PoolRefusal, TransactionRefusal},
	rpc::{AtBlock, Config, chain_of, failed},
};
use follow::{Number, Sent, Start, follow};
use futures::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use gridproof_keys::{AccountKey, account::AccountSignature};
use gridproof_primitives::H256;
use gridproof_support::Backoff;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt::{
	client::OnlineClientAtBlockImpl,
	config::DefaultExtrinsicParamsBuilder,
	ext::scale_value::Composite,
	transactions::{DynamicPayload, Signer, SubmittableTransaction},
	utils::{AccountId32, MultiSignature},
};

type Transaction = SubmittableTransaction<Config, OnlineClientAtBlockImpl<Config>>;

/// How long to wait for a transaction, and how often to send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
	/// Time to finality before a transaction is sent again.
	pub per_attempt: Duration,
	/// How often it is sent at most; at least once.
	pub attempts: u32,
	/// Pause before the second attempt; it doubles with each further one, up to a minute.
	pub pause: Duration,
}

impl Default for Patience {
	fn default() -> Self {
		Self { per_attempt: Duration::from_secs(60), attempts: 5, pause: Duration::from_secs(1) }
	}
}

impl Patience {
	/// The pause after the `attempt`-th attempt, counted from one.
	pub fn pause_after(&self, attempt: u32) -> Duration {
		Backoff::new(self.pause, Duration::from_secs(60))
			.without_jitter()
			.pause_after(attempt.max(1))
	}
}

/// A transaction in a finalized block that did what it was meant to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
	/// Hash of the block.
	pub block: H256,
	/// Hash of the transaction.
	pub transaction: H256,
	events: Vec<RawEvent>,
}

impl Included {
	/// All of its events of a kind, in order.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if one lacks a field or has it in another form.
	pub fn all<E: Event>(&self) -> Result<Vec<E>, ChainError> {
		event::all(&self.events)
	}

	/// The first of its events of a kind.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if there is none, or it lacks a field.
	pub fn first<E: Event>(&self) -> Result<E, ChainError> {
		let missing = || ChainError::Unsupported(format!("the event {}.{}", E::PALLET, E::NAME));
		self.events.iter().find_map(RawEvent::read).ok_or_else(missing)?
	}

	/// Is there an event of a kind?
	pub fn has<E: Event>(&self) -> bool {
		self.events.iter().any(RawEvent::is::<E>)
	}
}

impl Chain {
	/// Submits a call that the runtime authorizes by its content (`#[pallet::authorize]`), free of
	/// fees. The connection's [sender](Chain::with_sender) signs it, in the form that every tool
	/// reads (version 4). Without a sender, or if its account does not exist, it goes as a general
	/// transaction (version 5) that nobody signs: the runtime keeps count of an account's transactions
	/// only while the account holds the existential deposit.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the chain has no such call or its arguments have another form;
	/// [`ChainError::Refused`] if it was decided against; [`ChainError::Undecided`] if patience ran
	/// out.
	pub fn submit_authorized<'a>(
		&'a self,
		call: &'a Call,
		patience: &'a Patience,
	) -> BoxFuture<'a, Result<Included, ChainError>> {
		Box::pin(async move {
			if let Some(account) = &self.sender {
				match follow(self, call, Start::By { account, tip: 0 }, patience).await {
					Err(error) if is_without_account(&error) => {
						let account = gridproof_keys::account::address(&account.account());
						tracing::warn!(
							event = "sender_without_account", %account,
							"the account that signs what is free does not exist: send it the existential \
							 deposit; {call} goes without a signature, which some tools cannot read"
						);
					},
					outcome => return outcome,
				}
			}
			follow(self, call, Start::Authorized { salt: salt() }, patience).await
		})
	}

	/// Submits one call from an account, if that can pay for it.
	///
	/// # Errors
	/// [`ChainError::Short`], before anything is sent; as [`Submitter::submit`], and the call's own.
	pub fn submit<'a>(
		&'a self,
		account: &'a AccountKey,
		call: &'a Call,
		patience: &'a Patience,
	) -> BoxFuture<'a, Result<Included, ChainError>> {
		self.submit_tipped(account, call, 0, patience)
	}

	/// The same with a tip, in units of 10⁻¹⁸ AIT.
	///
	/// # Errors
	/// As [`Chain::submit`].
	pub fn submit_tipped<'a>(
		&'a self,
		account: &'a AccountKey,
		call: &'a Call,
		tip: u128,
		patience: &'a Patience,
	) -> BoxFuture<'a, Result<Included, ChainError>> {
		Box::pin(async move {
			self.check_funds_and_tip(account, std::slice::from_ref(call), tip).await?;
			follow(self, call, Start::By { account, tip }, patience).await
		})
	}

	/// Returns `true` if the node says that its chain is one for development, on which nothing is at stake.
	///
	/// # Errors
	/// [`ChainError::Rpc`].
	pub async fn is_for_development(&self) -> Result<bool, ChainError> {
		Ok(is_game(&self.blocks.kind().await?))
	}

	/// Refuses to sign with a key that everybody knows, unless the chain is a game.
	async fn check_key(&self, account: &AccountKey) -> Result<(), ChainError> {
		if !account.is_development() {
			return Ok(());
		}
		let kind = self.blocks.kind().await?;
		if is_game(&kind) {
			return Ok(());
		}
		let address = gridproof_keys::account::address(&account.account());
		Err(ChainError::DevelopmentKey { address, kind })
	}

	/// Signs a call for the account's next number, counting what waits in the node's pool.
	async fn signed(
		&self,
		call: &Call,
		account: &AccountKey,
		tip: u128,
	) -> Result<Sent, ChainError> {
		self.check_key(account).await?;
		let block = self.at().await?;
		let payload = payload(&block, call)?;
		let signing = Signing(account.clone());
		let nonce = self.next_nonce(&block, &Signer::<Config>::account_id(&signing)).await?;
		sign(&block, &payload, &signing, nonce, tip)
	}

	async fn next_nonce(&self, block: &AtBlock, account: &AccountId32) -> Result<u64, ChainError> {
		let there = block.transactions().account_nonce(account).await.map_err(failed)?;
		// A node that does not offer this knows final blocks at least.
		let waiting = self.blocks.methods().system_account_next_index(account).await;
		Ok(waiting.unwrap_or(there).max(there))
	}

	/// The SCALE bytes of a call on this chain, such as multisig accounts agree on.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the chain has no such call.
	pub fn encode<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<u8>, ChainError>> {
		Box::pin(async move { call.encode_for(self.at().await?.metadata_ref()) })
	}

	async fn authorized(&self, call: &Call, salt: u64) -> Result<Sent, ChainError> {
		let block = self.at().await?;
		let payload = payload(&block, call)?;
		let parameters =
			DefaultExtrinsicParamsBuilder::<Config>::new().nonce(salt).immortal().build();
		// Nobody signs: the account and signature would go to an extension that verifies
		// signatures, which such a chain does not have.
		let nobody = (AccountId32([0; 32]), MultiSignature::Ed25519([0; 64]));
		let transaction = block
			.transactions()
			.create_v5_signable_offline(&payload, parameters)
			.and_then(|mut draft| draft.sign_with_account_and_signature(&nobody.0, &nobody.1))
			.map_err(|error| ChainError::Unsupported(chain_of(&error)))?;
		Ok(Sent::unsigned(&transaction, block.block_number()))
	}
}

/// Number of blocks for which a signed transaction can be included: some four minutes. A power of
/// two, as the chain counts it.
pub const LIFETIME: u64 = 256;

/// Signs a call with a number, to be included from this block on.
fn sign(
	block: &AtBlock,
	payload: &DynamicPayload<Composite<()>>,
	account: &Signing,
	nonce: u64,
	tip: u128,
) -> Result<Sent, ChainError> {
	let (height, hash) = (block.block_number(), block.block_hash());
	let parameters = DefaultExtrinsicParamsBuilder::<Config>::new()
		.nonce(nonce)
		.tip(tip)
		.mortal_from_unchecked(LIFETIME, height, hash)
		.build();
	let transaction: Transaction = block
		.transactions()
		// Version 4: what every wallet, explorer and library can read.
		.create_v4_signable_offline(payload, parameters)
		.and_then(|mut draft| draft.sign(account))
		.map_err(|error| ChainError::Unsupported(chain_of(&error)))?;
	let number = Number { account: account.0.account(), nonce };
	Ok(Sent::signed(&transaction, height, number))
}

/// Is a chain of this kind one on which nothing is at stake?
fn is_game(kind: &str) -> bool {
	matches!(kind, "Development" | "Local")
}

/// Does the account not exist for the runtime, or lack the money for a fee?
const fn is_without_account(error: &ChainError) -> bool {
	matches!(
		error,
		ChainError::Refused(Refusal::Pool(PoolRefusal::Transaction(TransactionRefusal::Payment)))
	)
}

/// A changing number that keeps two unsigned transactions with equal arguments apart. The pool bans
/// a hash it has seen for 30 minutes, so a retry would be dropped. It occupies the nonce field, which
/// this chain ignores for unsigned transactions; the field has 32 bits.
fn salt() -> u64 {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(now.as_millis()).unwrap_or_default() & u64::from(u32::MAX)
}

/// A call as subxt sends it, checked against the runtime's metadata.
fn payload(block: &AtBlock, call: &Call) -> Result<DynamicPayload<Composite<()>>, ChainError> {
	let bytes = call.encode_for(block.metadata_ref())?;
	block.transactions().from_call_data_bytes(&bytes).map_err(|error| {
		ChainError::Unsupported(format!("the call {call} in this form: {}", chain_of(&error)))
	})
}

/// An account key as subxt wants its signers.
struct Signing(AccountKey);

impl Signer<Config> for Signing {
	fn account_id(&self) -> AccountId32 {
		AccountId32(self.0.account())
	}

	fn sign(&self, payload: &[u8]) -> MultiSignature {
		match self.0.sign(payload) {
			AccountSignature::Sr25519(signature) => MultiSignature::Sr25519(signature),
			AccountSignature::Ed25519(signature) => MultiSignature::Ed25519(signature),
			AccountSignature::Ecdsa(signature) => MultiSignature::Ecdsa(signature),
		}
	}
}

/// Sends one account's transactions in order, many at a time.
///
/// One call alone is signed again if another sender of the account takes its number. Of several,
/// which keep their order, none is: have one such sender of an account.
pub struct Submitter {
	chain: Chain,
	account: Signing,
	patience: Patience,
	window: usize,
	tip: u128,
}

impl Submitter {
	/// Sends for `account`, with at most 64 transactions in the pool at a time. An sr25519 key pair
	/// is an account key too.
	pub fn new(chain: Chain, account: impl Into<AccountKey>, patience: Patience) -> Self {
		Self { chain, account: Signing(account.into()), patience, window: 64, tip: 0 }
	}

	/// The same with a tip for each transaction, in 10⁻¹⁸ AIT. A call that is free of fees without one
	/// pays with any tip, and comes before whatever is free.
	#[must_use]
	pub const fn with_tip(mut self, tip: u128) -> Self {
		self.tip = tip;
		self
	}

	/// Submits one call.
	///
	/// # Errors
	/// As [`Submitter::submit`], and the call's own.
	pub async fn submit_one(&self, call: &Call) -> Result<Included, ChainError> {
		let start = Start::By { account: &self.account.0, tip: self.tip };
		follow(&self.chain, call, start, &self.patience).await
	}

	/// Submits calls. They take effect in the order given; the outcomes are returned in it. A call
	/// that fails on chain does not stop the next ones; one whose fate stays unknown does: there are
	/// fewer outcomes than calls then, and the rest was not sent.
	///
	/// # Errors
	/// What keeps a call from being signed at all, before anything of its batch is sent.
	pub fn submit<'a>(
		&'a self,
		calls: &'a [Call],
	) -> BoxFuture<'a, Result<Vec<Result<Included, ChainError>>, ChainError>> {
		Box::pin(async move {
			let mut outcomes = Vec::with_capacity(calls.len());
			if let [call] = calls {
				return Ok(vec![self.submit_one(call).await]);
			}
			for batch in calls.chunks(self.window) {
				// Nothing that is sent from here on is in this block or an earlier one.
				let from = self.chain.at().await?.block_number();
				let transactions = self.sign(batch, from).await?;
				let sent = self.send(batch, transactions).await;
				let undecided = sent.iter().any(|o| matches!(o, Err(ChainError::Undecided { .. })));
				outcomes.extend(sent);
				if undecided {
					break;
				}
			}
			Ok(outcomes)
		})
	}

	async fn sign(&self, calls: &[Call], from: u64) -> Result<Vec<Sent>, ChainError> {
		self.chain.check_key(&self.account.0).await?;
		let block = self.chain.at().await?;
		let account = Signer::<Config>::account_id(&self.account);
		let first = self.chain.next_nonce(&block, &account).await?;
		let sign = |(nonce, call): (u64, &Call)| {
			let mut sent = sign(&block, &payload(&block, call)?, &self.account, nonce, self.tip)?;
			sent.from = from;
			Ok(sent)
		};
		(first..).zip(calls).map(sign).collect()
	}

	async fn send(&self, calls: &[Call], signed: Vec<Sent>) -> Vec<Result<Included, ChainError>> {
		let follow_one =
			|(call, sent)| follow(&self.chain, call, Start::Signed(sent), &self.patience);
		// In this order the requests leave on the one connection, and so arrive.
		calls.iter().zip(signed).map(follow_one).collect::<FuturesOrdered<_>>().collect().await
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_key_that_everybody_knows_signs_for_development_chains_only() {
		assert!(is_game("Development") && is_game("Local"));
		for kind in ["Live", "Custom", "development", ""] {
			assert!(!is_game(kind), "{kind}");
		}
	}

	#[test]
	fn pauses_double_up_to_a_minute() {
		let patience = Patience { pause: Duration::from_secs(2), ..Patience::default() };
		let pauses: Vec<u64> = (1..=8).map(|n| patience.pause_after(n).as_secs()).collect();
		assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
		assert_eq!(patience.pause_after(u32::MAX), Duration::from_secs(60));
	}
}
