//! From the bytes of a transaction to its fate.

use super::{Included, Patience, Transaction};
use crate::{
	Call, Chain, ChainError, Refusal,
	blocks::{Contents, raw},
	event::RawEvent,
	pallets::system::event::ExtrinsicFailed,
	refusal::{Codes, PoolRefusal, TransactionRefusal},
	rpc::{Next, chain_of, failed_request, next_after},
};
use codec::{DecodeAll, Encode};
use gridproof_primitives::H256;
use sp_runtime::transaction_validity::{TransactionSource, TransactionValidity};
use std::time::Duration;
use subxt::rpcs::{self, methods::legacy::TransactionStatus};

/// How often final blocks are looked through for a transaction that nobody reports on.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A transaction that is sent, always with the same bytes.
#[derive(Clone)]
pub(super) struct Sent {
	bytes: Vec<u8>,
	hash: H256,
	/// No block before this height has it.
	from: u64,
}

impl Sent {
	/// A transaction that no block before the height `from` has.
	pub(super) fn new(transaction: &Transaction, from: u64) -> Self {
		let (bytes, hash) = (transaction.encoded().to_vec(), H256(transaction.hash().0));
		Self { bytes, hash, from }
	}
}

/// What is to be followed.
pub(super) enum Start {
	/// A signed transaction.
	Signed(Sent),
	/// One that nobody signs, to be made of the call.
	Authorized {
		/// What makes it another one than the last.
		salt: u64,
	},
}

/// What became of one attempt.
enum Attempt {
	Done(Box<Included>),
	/// It was decided against; sending it again is of no use.
	Failed(ChainError),
	/// The pool does not have it.
	NotTaken(String),
	/// It may or may not be on its way.
	Lost(String),
}

/// Sends a transaction until its fate is certain, or patience ends.
pub(super) async fn follow(
	first: &Chain,
	call: &Call,
	start: Start,
	patience: &Patience,
) -> Result<Included, ChainError> {
	let attempts = patience.attempts.max(1);
	let (mut chain, mut reason) = (first.clone(), String::new());
	let (mut known, salt) = match start {
		Start::Signed(sent) => (Some(sent), None),
		Start::Authorized { salt } => (None, Some(salt)),
	};
	let mut was_sent = false;
	for attempt in 1..=attempts {
		if attempt > 1 {
			tokio::time::sleep(patience.pause_after(attempt - 1)).await;
			match first.fresh(patience.per_attempt).await {
				Ok(fresh) => chain = fresh,
				Err(error) => {
					reason = error.to_string();
					continue;
				},
			}
		}
		let was_sent_before = was_sent;
		let sending = async {
			if was_sent_before
				&& let Some(sent) = &known
				&& let Some(fate) = fate(&chain, sent).await
			{
				return fate;
			}
			if known.is_none() {
				match chain.authorized(call, salt.unwrap_or_default()).await {
					Ok(sent) => known = Some(sent),
					Err(error) if error.is_outage() => return Attempt::Lost(error.to_string()),
					Err(error) => return Attempt::Failed(error),
				}
			}
			let Some(sent) = &known else { return Attempt::Lost("not made yet".to_string()) };
			was_sent = true;
			watch_from(&chain, sent, call.codes()).await
		};
		match within(patience.per_attempt, sending).await {
			Attempt::Done(included) => return Ok(*included),
			// What was sent before may be in a block by now, which makes it invalid.
			Attempt::Failed(error) if was_sent_before && is_pool(&error) => {
				reason = error.to_string();
			},
			// Another transaction of the account has come between, perhaps one that a stopped
			// program left behind: this one was never taken, the next has another nonce.
			Attempt::Failed(error) if is_stale(&error) => {
				return Err(ChainError::Undecided { attempts: attempt, reason: error.to_string() });
			},
			Attempt::Failed(error) => return Err(error),
			Attempt::NotTaken(why) => {
				was_sent = was_sent_before;
				reason = why;
			},
			Attempt::Lost(why) => reason = why,
		}
		if attempt < attempts {
			tracing::warn!(attempt, %reason, "{call} is sent again");
		}
	}
	let decided = match &known {
		Some(sent) => decided(&chain, sent, patience).await,
		None => None,
	};
	decided.unwrap_or(Err(ChainError::Undecided { attempts, reason }))
}

const fn is_pool(error: &ChainError) -> bool {
	matches!(error, ChainError::Refused(Refusal::Pool(_)))
}

/// Has the account used the transaction's nonce already?
const fn is_stale(error: &ChainError) -> bool {
	matches!(error, ChainError::Refused(Refusal::Pool(refusal)) if refusal.is_stale())
}

impl Chain {
	/// Another connection to the same node, as soon as there is one: a connection that was cut can
	/// take long to notice that the node is back.
	async fn fresh(&self, patience: Duration) -> Result<Self, ChainError> {
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

	/// What the runtime says of a transaction at the best block.
	async fn validity(&self, transaction: &[u8]) -> Result<TransactionValidity, ChainError> {
		const FUNCTION: &str = "TaggedTransactionQueue_validate_transaction";
		let methods = self.blocks.methods();
		let failed = |error: rpcs::Error| failed_request(&error);
		let best = methods.chain_get_block_hash(None).await.map_err(failed)?;
		let missing = || ChainError::Unsupported("a best block".to_string());
		let best = best.ok_or_else(missing)?;
		let mut arguments = TransactionSource::External.encode();
		arguments.extend(transaction);
		arguments.extend(best.0);
		let answer = methods.state_call(FUNCTION, Some(&arguments), Some(best)).await;
		TransactionValidity::decode_all(&mut &answer.map_err(failed)?[..])
			.map_err(|_| ChainError::Unsupported(FUNCTION.to_string()))
	}
}

/// An attempt, unless it takes longer than that.
async fn within(patience: Duration, attempt: impl Future<Output = Attempt>) -> Attempt {
	match tokio::time::timeout(patience, attempt).await {
		Ok(attempt) => attempt,
		Err(_) => Attempt::Lost(format!("not final after {} s", patience.as_secs())),
	}
}

/// Sends a transaction and watches it. If the pool has it already, from an earlier try, it is looked
/// for in final blocks: a pool reports to the first who sent it.
async fn watch_from(chain: &Chain, sent: &Sent, codes: Codes) -> Attempt {
	match chain.blocks.methods().author_submit_and_watch_extrinsic(&sent.bytes).await {
		Ok(progress) => watch(chain, sent, codes, progress).await,
		Err(error) => match next_after(&error) {
			Next::AskWhy => why(chain, sent, codes).await,
			Next::Wait => wait(chain, sent).await,
			Next::NotTaken => Attempt::NotTaken(chain_of(&error)),
			Next::Unknown => Attempt::Lost(chain_of(&error)),
		},
	}
}

/// Watches a transaction that the pool has taken.
async fn watch(
	chain: &Chain,
	sent: &Sent,
	codes: Codes,
	mut progress: rpcs::client::RpcSubscription<TransactionStatus<subxt::utils::H256>>,
) -> Attempt {
	while let Some(status) = progress.next().await {
		match status {
			Ok(TransactionStatus::Finalized(block)) => {
				return match chain.blocks.contents(H256(block.0)).await {
					Ok(contents) => outcome(&contents, sent.hash),
					Err(error) => Attempt::Lost(error.to_string()),
				};
			},
			Ok(TransactionStatus::Invalid) => return why(chain, sent, codes).await,
			Ok(TransactionStatus::Usurped(_)) => {
				let usurped = PoolRefusal::Transaction(TransactionRefusal::Usurped);
				return Attempt::Failed(Refusal::Pool(usurped).into());
			},
			Ok(TransactionStatus::Dropped) => {
				return Attempt::Lost("the pool had no room for it any more".to_string());
			},
			Ok(TransactionStatus::FinalityTimeout(_)) => {
				return Attempt::Lost("its block did not become final in time".to_string());
			},
			Ok(
				TransactionStatus::Future
				| TransactionStatus::Ready
				| TransactionStatus::Broadcast(_)
				| TransactionStatus::InBlock(_)
				| TransactionStatus::Retracted(_),
			) => (),
			Err(error) => return Attempt::Lost(chain_of(&error)),
		}
	}
	Attempt::Lost("the node stopped reporting on the transaction".to_string())
}

/// Asks the runtime why it finds a transaction invalid: a node says so in words only.
async fn why(chain: &Chain, sent: &Sent, codes: Codes) -> Attempt {
	let refusal = match chain.validity(&sent.bytes).await {
		Ok(Err(error)) => codes.of(error),
		Ok(Ok(_)) => PoolRefusal::Transaction(TransactionRefusal::Momentary),
		Err(error) => return Attempt::Lost(error.to_string()),
	};
	Attempt::Failed(Refusal::Pool(refusal).into())
}

/// Looks for a transaction in final blocks until it is there.
async fn wait(chain: &Chain, sent: &Sent) -> Attempt {
	let mut sent = sent.clone();
	loop {
		tokio::time::sleep(LOOK_AGAIN).await;
		let next = match chain.at().await {
			Ok(block) => block.block_number().saturating_add(1),
			Err(error) => return Attempt::Lost(error.to_string()),
		};
		if let Some(fate) = fate(chain, &sent).await {
			return fate;
		}
		sent.from = next;
	}
}

/// What became of a transaction that may be in a final block; `None` if it is in none.
async fn fate(chain: &Chain, sent: &Sent) -> Option<Attempt> {
	let found = match chain.blocks.find(sent.from, sent.hash).await {
		Ok(Some(block)) => chain.blocks.contents(block).await,
		Ok(None) => return None,
		Err(error) => Err(error),
	};
	Some(match found {
		Ok(contents) => outcome(&contents, sent.hash),
		Err(error) => Attempt::Lost(error.to_string()),
	})
}

/// A last look before a transaction is given up.
async fn decided(
	chain: &Chain,
	sent: &Sent,
	patience: &Patience,
) -> Option<Result<Included, ChainError>> {
	match tokio::time::timeout(patience.per_attempt, fate(chain, sent)).await {
		Ok(Some(Attempt::Done(included))) => Some(Ok(*included)),
		Ok(Some(Attempt::Failed(error))) => Some(Err(error)),
		_ => None,
	}
}

/// What came of a transaction in a final block.
fn outcome(contents: &Contents, transaction: H256) -> Attempt {
	let (hash, metadata) = (H256(contents.at.block_hash().0), contents.at.metadata_ref());
	let Some(found) = contents.of(transaction) else {
		return Attempt::Lost(format!("block {hash} lacks the transaction"));
	};
	let mut events = Vec::new();
	for event in found {
		let event = match event {
			Ok(event) => event,
			Err(reason) => return Attempt::Lost(reason),
		};
		match raw(&contents.at, &event) {
			Ok(event) => events.push(event),
			Err(error) => return Attempt::Lost(error.to_string()),
		}
	}
	match events.iter().find_map(RawEvent::read::<ExtrinsicFailed>) {
		Some(Ok(failed)) => Attempt::Failed(Refusal::of(&failed.dispatch_error, metadata).into()),
		Some(Err(error)) => Attempt::Lost(error.to_string()),
		None => Attempt::Done(Box::new(Included { block: hash, transaction, events })),
	}
}
