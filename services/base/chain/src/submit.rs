//! Transactions, followed until their fate is certain.
//!
//! A pool may drop a transaction without a word, and a connection may break while one is on its
//! way. So whatever is sent here is watched until it is final, and sent again until then: always
//! the same bytes, which a chain can take once only. Before that the final blocks are looked
//! through: a node refuses what it has had, as stale or banned, and does not say what became of it.

use crate::{
	Chain, Failure,
	blocks::Contents,
	client::{AtBlock, Config, chain_of, error_name, rpc_failure},
};
use futures::{StreamExt, stream::FuturesOrdered};
use gridproof_keys::{AccountKey, account::AccountSignature};
use gridproof_primitives::H256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt::{
	client::OnlineClientAtBlockImpl,
	config::DefaultExtrinsicParamsBuilder,
	dynamic::{At, Value},
	error::DispatchError,
	ext::scale_value::{Composite, ValueDef},
	transactions::{DynamicPayload, Signer, SubmittableTransaction, TransactionStatus},
	utils::{AccountId32, MultiSignature},
};

type Transaction = SubmittableTransaction<Config, OnlineClientAtBlockImpl<Config>>;

/// How often final blocks are looked through for a transaction that nobody reports on.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

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
		let factor = 2u32.saturating_pow(attempt.saturating_sub(1).min(16));
		self.pause.saturating_mul(factor).min(Duration::from_secs(60))
	}
}

/// A transaction in a finalized block that did what it was meant to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
	/// Hash of the block.
	pub block: H256,
	/// Hash of the transaction.
	pub transaction: H256,
	/// Its events, each as `Pallet.Event` with its fields.
	pub events: Vec<(String, Composite<()>)>,
}

impl Included {
	/// A whole number in the first of its events of that name, such as the `amount` of
	/// `CoveragePolicy.Minted`. `Some(n)` and newtypes of numbers count as numbers.
	pub fn number(&self, event: &str, field: &str) -> Option<u128> {
		let (_, fields) = self.events.iter().find(|(name, _)| name == event)?;
		whole(fields.at(field)?)
	}

	/// The fields of all its events of that name, in order.
	pub fn all(&self, event: &str) -> impl Iterator<Item = &Composite<()>> {
		self.events.iter().filter(move |(name, _)| name == event).map(|(_, fields)| fields)
	}
}

/// A hash or key in a field of an event, however many newtypes are around it.
pub fn hash_in(fields: &Composite<()>, field: &str) -> Option<H256> {
	hash(fields.at(field)?)
}

fn hash(value: &Value) -> Option<H256> {
	let ValueDef::Composite(inner) = &value.value else { return None };
	if inner.len() == 1 {
		return hash(inner.values().next()?);
	}
	let byte = |value: &Value| u8::try_from(value.as_u128()?).ok();
	let bytes: Option<Vec<u8>> = inner.values().map(byte).collect();
	Some(H256(bytes?.try_into().ok()?))
}

fn whole(value: &Value) -> Option<u128> {
	let inner = match &value.value {
		ValueDef::Composite(inner) => inner,
		ValueDef::Variant(variant) if variant.name == "Some" => &variant.values,
		_ => return value.as_u128(),
	};
	let mut values = inner.values();
	match (values.next(), values.next()) {
		(Some(value), None) => whole(value),
		_ => None,
	}
}

/// What became of one attempt.
enum Attempt {
	Done(Box<Included>),
	/// It was decided against; sending it again is of no use.
	Failed(Failure),
	/// It may or may not be on its way.
	Lost(String),
}

impl Chain {
	/// Submits a call that the runtime authorizes by its content (`#[pallet::authorize]`): a
	/// general transaction without a signer, free of fees. `arguments` are SCALE.
	///
	/// # Errors
	/// [`Failure::Unsupported`] if the chain has no such call or its arguments have another form;
	/// [`Failure::Invalid`] and [`Failure::Refused`] if it was decided against;
	/// [`Failure::Undecided`] if patience ran out.
	pub async fn submit_authorized(
		&self,
		pallet: &str,
		call: &str,
		arguments: &[u8],
		patience: &Patience,
	) -> Result<Included, Failure> {
		let attempts = patience.attempts.max(1);
		let (mut chain, mut reason, salt) = (self.clone(), String::new(), salt());
		let mut sent_before = None;
		for attempt in 1..=attempts {
			if attempt > 1 {
				tokio::time::sleep(patience.pause_after(attempt - 1)).await;
				match self.fresh(patience.per_attempt).await {
					Ok(fresh) => chain = fresh,
					Err(failure) => {
						reason = failure.to_string();
						continue;
					},
				}
			}
			let sent = async {
				if let Some((from, transaction)) = sent_before
					&& let Some(fate) = fate(&chain, from, transaction).await
				{
					return fate;
				}
				let from = match chain.at().await {
					Ok(block) => block.block_number(),
					Err(failure) => return Attempt::Lost(failure.to_string()),
				};
				match chain.authorized(pallet, call, arguments, salt).await {
					Ok(transaction) => {
						sent_before.get_or_insert((from, H256(transaction.hash().0)));
						watch_from(&chain, &transaction, from).await
					},
					Err(Failure::Rpc(reason)) => Attempt::Lost(reason),
					Err(failure) => Attempt::Failed(failure),
				}
			};
			match within(patience.per_attempt, sent).await {
				Attempt::Done(included) => return Ok(*included),
				Attempt::Failed(failure) => return Err(failure),
				Attempt::Lost(why) => {
					tracing::warn!(attempt, reason = %why, "{pallet}.{call} is sent again");
					reason = why;
				},
			}
		}
		match sent_before {
			Some((from, transaction)) => decided(&chain, from, transaction, patience).await,
			None => None,
		}
		.unwrap_or(Err(Failure::Undecided { attempts, reason }))
	}

	/// Another connection to the same node, as soon as there is one: a connection that was cut can
	/// take long to notice that the node is back.
	async fn fresh(&self, patience: Duration) -> Result<Self, Failure> {
		let end = tokio::time::Instant::now() + patience;
		loop {
			match Self::connect(self.url()).await {
				Err(_) if tokio::time::Instant::now() < end => {
					tokio::time::sleep(Duration::from_secs(1)).await;
				},
				outcome => return outcome,
			}
		}
	}

	/// The bytes of a call, for calls that take another call as an argument. `arguments` are
	/// SCALE.
	///
	/// # Errors
	/// [`Failure::Unsupported`] if the chain has no such call.
	pub async fn call_bytes(
		&self,
		pallet: &str,
		call: &str,
		arguments: &[u8],
	) -> Result<Vec<u8>, Failure> {
		call_bytes(&self.at().await?, pallet, call, arguments)
	}

	async fn authorized(
		&self,
		pallet: &str,
		call: &str,
		arguments: &[u8],
		salt: u64,
	) -> Result<Transaction, Failure> {
		let block = self.at().await?;
		let payload = payload(&block, pallet, call, arguments)?;
		let parameters =
			DefaultExtrinsicParamsBuilder::<Config>::new().nonce(salt).immortal().build();
		// Nobody signs: the account and signature would go to an extension that verifies
		// signatures, which such a chain does not have.
		let nobody = (AccountId32([0; 32]), MultiSignature::Ed25519([0; 64]));
		block
			.transactions()
			.create_v5_signable_offline(&payload, parameters)
			.and_then(|mut draft| draft.sign_with_account_and_signature(&nobody.0, &nobody.1))
			.map_err(|error| Failure::Unsupported(chain_of(&error)))
	}
}

/// Makes a transaction that nobody signs another one than the last with the same arguments: a pool
/// refuses for half an hour what it has had. It goes where signed ones have their nonce, at which
/// the chain does not look here; there, numbers have 32 bits.
fn salt() -> u64 {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(now.as_millis()).unwrap_or_default() & u64::from(u32::MAX)
}

/// A call's bytes: its pallet's and its own index before its SCALE-encoded arguments.
fn call_bytes(
	block: &AtBlock,
	pallet: &str,
	call: &str,
	arguments: &[u8],
) -> Result<Vec<u8>, Failure> {
	let name = || Failure::Unsupported(format!("the call {pallet}.{call}"));
	let metadata = block.metadata_ref();
	let found = metadata.pallet_by_name(pallet).ok_or_else(name)?;
	let variant = found.call_variant_by_name(call).ok_or_else(name)?;
	Ok([&[found.call_index(), variant.index], arguments].concat())
}

/// A call from its SCALE-encoded arguments, checked against the runtime's metadata.
fn payload(
	block: &AtBlock,
	pallet: &str,
	call: &str,
	arguments: &[u8],
) -> Result<DynamicPayload<Composite<()>>, Failure> {
	let bytes = call_bytes(block, pallet, call, arguments)?;
	block.transactions().from_call_data_bytes(&bytes).map_err(|error| {
		Failure::Unsupported(format!("the call {pallet}.{call} in this form: {}", chain_of(&error)))
	})
}

/// An attempt, unless it takes longer than that.
async fn within(patience: Duration, attempt: impl Future<Output = Attempt>) -> Attempt {
	match tokio::time::timeout(patience, attempt).await {
		Ok(attempt) => attempt,
		Err(_) => Attempt::Lost(format!("not final after {} s", patience.as_secs())),
	}
}

/// Sends a transaction and watches it. If the pool has it already, from an earlier try, it is looked
/// for in final blocks from the height `from` on: a pool reports to the first who sent it.
async fn watch_from(chain: &Chain, transaction: &Transaction, mut from: u64) -> Attempt {
	match watch(chain, transaction).await {
		Attempt::Failed(Failure::Invalid(why)) if is_there(&why) => (),
		attempt => return attempt,
	}
	loop {
		tokio::time::sleep(LOOK_AGAIN).await;
		let next = match chain.at().await {
			Ok(block) => block.block_number().saturating_add(1),
			Err(failure) => return Attempt::Lost(failure.to_string()),
		};
		if let Some(fate) = fate(chain, from, H256(transaction.hash().0)).await {
			return fate;
		}
		from = next;
	}
}

/// Does the pool have the transaction already?
fn is_there(reason: &str) -> bool {
	reason.contains("already imported") || reason.contains("Already Imported")
}

/// Sends a transaction and watches it.
async fn watch(chain: &Chain, transaction: &Transaction) -> Attempt {
	let mut progress = match transaction.submit_and_watch().await {
		Ok(progress) => progress,
		Err(error) => return refused_or_lost(chain_of(&error)),
	};
	while let Some(status) = progress.next().await {
		match status {
			Ok(TransactionStatus::InFinalizedBlock(block)) => {
				return match chain.blocks.contents(H256(block.block_hash().0)).await {
					Ok(contents) => outcome(&contents, H256(block.extrinsic_hash().0)),
					Err(failure) => Attempt::Lost(failure.to_string()),
				};
			},
			Ok(TransactionStatus::Invalid { message }) => {
				return Attempt::Failed(Failure::Invalid(message));
			},
			Ok(TransactionStatus::Error { message } | TransactionStatus::Dropped { message }) => {
				return Attempt::Lost(message);
			},
			Ok(_) => (),
			Err(error) => return Attempt::Lost(chain_of(&error)),
		}
	}
	Attempt::Lost("the node stopped reporting on the transaction".to_string())
}

/// Nodes name an invalid transaction 1010 and such; all else is a failure on the way.
fn refused_or_lost(reason: String) -> Attempt {
	let is_refusal = ["Invalid Transaction", "Transaction is invalid", "Custom error", "1010"]
		.iter()
		.any(|mark| reason.contains(mark));
	if is_refusal || is_there(&reason) {
		Attempt::Failed(Failure::Invalid(reason))
	} else {
		Attempt::Lost(reason)
	}
}

/// Has the account used the transaction's nonce already?
fn is_stale(reason: &str) -> bool {
	["outdated", "Stale"].iter().any(|mark| reason.contains(mark))
}

/// What became of a transaction that may be in a final block from the height `from` on; `None` if it
/// is in none.
async fn fate(chain: &Chain, from: u64, transaction: H256) -> Option<Attempt> {
	let found = match chain.blocks.find(from, transaction).await {
		Ok(Some(block)) => chain.blocks.contents(block).await,
		Ok(None) => return None,
		Err(failure) => Err(failure),
	};
	Some(match found {
		Ok(contents) => outcome(&contents, transaction),
		Err(failure) => Attempt::Lost(failure.to_string()),
	})
}

/// A last look before a transaction is given up.
async fn decided(
	chain: &Chain,
	from: u64,
	transaction: H256,
	patience: &Patience,
) -> Option<Result<Included, Failure>> {
	let look = fate(chain, from, transaction);
	match tokio::time::timeout(patience.per_attempt, look).await {
		Ok(Some(Attempt::Done(included))) => Some(Ok(*included)),
		Ok(Some(Attempt::Failed(failure))) => Some(Err(failure)),
		_ => None,
	}
}

/// What came of a transaction in a final block.
fn outcome(contents: &Contents, transaction: H256) -> Attempt {
	let hash = H256(contents.at.block_hash().0);
	let Some(found) = contents.of(transaction) else {
		return Attempt::Lost(format!("block {hash} lacks the transaction"));
	};
	let mut events = Vec::new();
	for event in found {
		let event = match event {
			Ok(event) => event,
			Err(reason) => return Attempt::Lost(reason),
		};
		let name = format!("{}.{}", event.pallet_name(), event.event_name());
		if name == "System.ExtrinsicFailed" {
			let error = DispatchError::decode_from(event.field_bytes(), contents.at.metadata());
			return match error {
				Ok(error) => Attempt::Failed(Failure::Refused(error_name(&error))),
				Err(error) => Attempt::Lost(chain_of(&error)),
			};
		}
		let fields = event.decode_fields_unchecked_as::<Composite<()>>();
		events.push((name, fields.unwrap_or_else(|_| Composite::unnamed(Vec::<Value>::new()))));
	}
	Attempt::Done(Box::new(Included { block: hash, transaction, events }))
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
/// Several submitters of one account take each other's nonces: have one.
pub struct Submitter {
	chain: Chain,
	account: Signing,
	patience: Patience,
	window: usize,
}

impl Submitter {
	/// Sends for `account`, with at most 64 transactions in the pool at a time. An sr25519 key pair
	/// is an account key too.
	pub fn new(chain: Chain, account: impl Into<AccountKey>, patience: Patience) -> Self {
		Self { chain, account: Signing(account.into()), patience, window: 64 }
	}

	/// Submits calls, given as pallet, call and SCALE-encoded arguments. They take effect in the
	/// order given; the outcomes are returned in it. A call that fails on chain does not stop the
	/// next ones; one whose fate stays unknown does.
	///
	/// # Errors
	/// What keeps a call from being signed at all, before anything of its batch is sent.
	pub async fn submit(
		&self,
		calls: &[(&str, &str, Vec<u8>)],
	) -> Result<Vec<Result<Included, Failure>>, Failure> {
		let mut outcomes = Vec::with_capacity(calls.len());
		for batch in calls.chunks(self.window) {
			let from = self.chain.at().await?.block_number();
			let transactions = self.sign(batch).await?;
			let sent = self.send(&transactions, from).await;
			let undecided = sent.iter().any(|o| matches!(o, Err(Failure::Undecided { .. })));
			outcomes.extend(sent);
			if undecided {
				break;
			}
		}
		Ok(outcomes)
	}

	async fn sign(&self, calls: &[(&str, &str, Vec<u8>)]) -> Result<Vec<Transaction>, Failure> {
		let block = self.chain.at().await?;
		let account = Signer::<Config>::account_id(&self.account);
		let first = block.transactions().account_nonce(&account).await.map_err(rpc_failure)?;
		let sign = |(nonce, (pallet, call, arguments)): (u64, &(&str, &str, Vec<u8>))| {
			let payload = payload(&block, pallet, call, arguments)?;
			// Immortal: the same bytes can be sent for as long as it takes.
			let parameters =
				DefaultExtrinsicParamsBuilder::<Config>::new().nonce(nonce).immortal().build();
			block
				.transactions()
				.create_signable_offline(&payload, parameters)
				.and_then(|mut draft| draft.sign(&self.account))
				.map_err(|error| Failure::Unsupported(chain_of(&error)))
		};
		(first..).zip(calls).map(sign).collect()
	}

	async fn send(
		&self,
		transactions: &[Transaction],
		from: u64,
	) -> Vec<Result<Included, Failure>> {
		let follow_one = |transaction| self.follow_to_the_end(transaction, from);
		// In this order the requests leave on the one connection, and so arrive.
		transactions.iter().map(follow_one).collect::<FuturesOrdered<_>>().collect().await
	}

	/// Follows a transaction that no block before the height `from` has.
	async fn follow_to_the_end(
		&self,
		transaction: &Transaction,
		from: u64,
	) -> Result<Included, Failure> {
		let attempts = self.patience.attempts.max(1);
		let (mut chain, mut reason) = (self.chain.clone(), String::new());
		for attempt in 1..=attempts {
			if attempt > 1 {
				tokio::time::sleep(self.patience.pause_after(attempt - 1)).await;
				match self.chain.fresh(self.patience.per_attempt).await {
					Ok(fresh) => chain = fresh,
					Err(failure) => {
						reason = failure.to_string();
						continue;
					},
				}
			}
			let sent = async {
				if attempt == 1 {
					return watch_from(&chain, transaction, from).await;
				}
				if let Some(fate) = fate(&chain, from, H256(transaction.hash().0)).await {
					return fate;
				}
				match chain.at().await {
					Ok(block) => {
						let again = block.transactions().from_bytes(transaction.encoded().to_vec());
						watch_from(&chain, &again, from).await
					},
					Err(failure) => Attempt::Lost(failure.to_string()),
				}
			};
			match within(self.patience.per_attempt, sent).await {
				Attempt::Done(included) => return Ok(*included),
				// What was sent before may be in a block by now, which makes its nonce stale.
				Attempt::Failed(Failure::Invalid(why)) if attempt > 1 => reason = why,
				// Another transaction of the account has come between, perhaps one that a stopped
				// program left behind: this one was never taken, the next has another nonce.
				Attempt::Failed(Failure::Invalid(why)) if is_stale(&why) => {
					return Err(Failure::Undecided { attempts: attempt, reason: why });
				},
				Attempt::Failed(failure) => return Err(failure),
				Attempt::Lost(why) => reason = why,
			}
		}
		let transaction = H256(transaction.hash().0);
		decided(&chain, from, transaction, &self.patience)
			.await
			.unwrap_or(Err(Failure::Undecided { attempts, reason }))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn pauses_double_up_to_a_minute() {
		let patience = Patience { pause: Duration::from_secs(2), ..Patience::default() };
		let pauses: Vec<u64> = (1..=8).map(|n| patience.pause_after(n).as_secs()).collect();
		assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
		assert_eq!(patience.pause_after(u32::MAX), Duration::from_secs(60));
	}

	#[tokio::test]
	async fn an_address_of_another_kind_is_refused() {
		let failure = Chain::connect("http://127.0.0.1:9944").await.err();
		assert_eq!(failure, Some(Failure::BadUrl("http://127.0.0.1:9944".to_string())));
	}

	#[tokio::test]
	async fn a_silent_port_is_reported_at_once() {
		let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		let url = format!("ws://{}", listener.local_addr().unwrap());
		drop(listener);
		let failure = Chain::connect(&url).await.err().unwrap();
		assert!(matches!(failure, Failure::Unreachable { .. }), "{failure}");
		assert!(failure.is_temporary());
	}
}
