//! From the bytes of a transaction to its fate.

use super::{Included, LIFETIME, Patience, Transaction};
use crate::{
	Call, Chain, ChainError, Refusal,
	blocks::{Contents, raw},
	event::RawEvent,
	pallets::system::event::ExtrinsicFailed,
	refusal::{Codes, PoolRefusal, TransactionRefusal},
	rpc::{Next, chain_of, failed_request, next_after},
};
use codec::{Decode, DecodeAll, Encode};
use futures::{Stream, StreamExt, future::BoxFuture};
use gridproof_keys::AccountKey;
use gridproof_primitives::H256;
use sp_runtime::transaction_validity::{TransactionSource, TransactionValidity};
use std::time::Duration;
use subxt::rpcs::{self, methods::legacy::TransactionStatus};

/// How often final blocks are looked through for a transaction that nobody reports on.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A transaction that is sent, with the same bytes each time.
#[derive(Clone, Debug)]
pub(super) struct Sent {
	bytes: Vec<u8>,
	hash: H256,
	/// No block before this height has it.
	pub(super) from: u64,
	/// First block that cannot have it; `None` if any can.
	end: Option<u64>,
	number: Option<Number>,
}

/// The place of a transaction among those of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
	/// Account that sends it.
	pub(super) account: [u8; 32],
	/// Number of transactions before it.
	pub(super) nonce: u64,
}

impl Sent {
	/// A transaction that nobody signs and that no block before the height `from` has.
	pub(super) fn unsigned(transaction: &Transaction, from: u64) -> Self {
		let (bytes, hash) = (transaction.encoded().to_vec(), H256(transaction.hash().0));
		Self { bytes, hash, from, end: None, number: None }
	}

	/// A transaction that was signed to be included from the height `from` on.
	pub(super) fn signed(transaction: &Transaction, from: u64, number: Number) -> Self {
		let end = Some(from.saturating_add(LIFETIME));
		Self { end, number: Some(number), ..Self::unsigned(transaction, from) }
	}

	/// Its bytes, as they are sent.
	pub(super) fn bytes(&self) -> &[u8] {
		&self.bytes
	}

	/// Can no block have it any more, if no final block up to `height` has it and its account has
	/// sent `nonce` transactions by then?
	fn is_over(&self, height: u64, nonce: Option<u64>) -> bool {
		let is_too_old = self.end.is_some_and(|end| height.saturating_add(1) >= end);
		let is_taken = self.number.zip(nonce).is_some_and(|(own, there)| there > own.nonce);
		is_too_old || is_taken
	}
}

/// What is to be followed.
pub(super) enum Start<'k> {
	/// A signed transaction, one of several that keep their order.
	Signed(Sent),
	/// One that an account signs when its turn comes, and again when it can provably not be included
	/// any more.
	By {
		/// Account that pays, or that signs what is free.
		account: &'k AccountKey,
		/// What it gives beyond the fee, in 10⁻¹⁸ AIT: with 0, a call that can be free is.
		tip: u128,
	},
	/// One that nobody signs, to be made of the call.
	Authorized {
		/// What makes it another one than the last.
		salt: u64,
	},
}

/// What became of one attempt.
#[derive(Debug)]
enum Attempt {
	Done(Box<Included>),
	/// It was decided against; sending it again is of no use.
	Failed(ChainError),
	/// The runtime finds it invalid. If it was sent before, it may be in a block by now, which makes
	/// it so.
	Refused(ChainError),
	/// The pool does not have it.
	NotTaken(String),
	/// The pool does not have it, but another one: with its number, or about the same.
	AnotherThere(String),
	/// It may or may not be on its way.
	Lost(String),
}

/// What follows from an attempt.
enum Step {
	/// Its fate is certain, or nobody can decide it.
	End(Result<Box<Included>, ChainError>),
	/// The same bytes again, for this reason.
	Same(String),
	/// The pool never had it: another one, which the account signs, for this reason.
	Resign(String),
}

impl Attempt {
	/// What to do after the `number`-th attempt, at a transaction that was sent before it or not, and
	/// that its account can sign again or not.
	fn step(self, number: u32, was_sent_before: bool, can_be_signed_anew: bool) -> Step {
		match self {
			Self::Done(included) => Step::End(Ok(included)),
			// What was sent before may be in a block by now, which makes it invalid.
			Self::Refused(error) if was_sent_before => Step::Same(error.to_string()),
			// Another transaction of the account has come between, perhaps one that a stopped
			// program left behind: this one was never taken, the next has another number.
			Self::Refused(error) if is_stale(&error) && can_be_signed_anew => {
				Step::Resign(error.to_string())
			},
			Self::Refused(error) if is_stale(&error) => {
				let reason = error.to_string();
				Step::End(Err(ChainError::Undecided { attempts: number, reason }))
			},
			Self::Refused(error) | Self::Failed(error) => Step::End(Err(error)),
			Self::NotTaken(why) | Self::AnotherThere(why)
				if can_be_signed_anew && !was_sent_before =>
			{
				Step::Resign(why)
			},
			Self::NotTaken(why) | Self::AnotherThere(why) | Self::Lost(why) => Step::Same(why),
		}
	}

	/// Is nothing wrong, although it is sent again? What nobody signs has no number: then another has sent the
	/// same, and the next attempt finds it done.
	const fn is_done_by_another(&self, start: &Start<'_>) -> bool {
		matches!((self, start), (Self::AnotherThere(_), Start::Authorized { .. }))
	}
}

/// Sends a transaction until its fate is certain, or patience ends.
pub(super) fn follow<'a>(
	first: &'a Chain,
	call: &'a Call,
	start: Start<'a>,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Included, ChainError>> {
	Box::pin(async move {
		let attempts = patience.attempts.max(1);
		let (mut chain, mut reason) = (first.clone(), String::new());
		let mut known = match &start {
			Start::Signed(sent) => Some(sent.clone()),
			Start::By { .. } | Start::Authorized { .. } => None,
		};
		let can_be_signed_anew = matches!(start, Start::By { .. });
		let mut was_sent = false;
		for attempt in 1..=attempts {
			if attempt > 1 {
				tokio::time::sleep(patience.pause_after(attempt - 1)).await;
				match chain.fresh(patience.per_attempt).await {
					Ok(fresh) => chain = fresh,
					Err(error) => {
						reason = error.to_string();
						continue;
					},
				}
			}
			let mut was_sent_before = was_sent;
			let sending = async {
				if was_sent && let Some(sent) = &known {
					match look(&chain, sent).await {
						Look::Fate(fate) => return fate,
						Look::Over if can_be_signed_anew => {
							known = None;
							(was_sent, was_sent_before) = (false, false);
						},
						Look::Over | Look::Open => (),
					}
				}
				let entered = match &known {
					Some(sent) => {
						was_sent = true;
						enter(&chain, sent).await
					},
					None => make(&chain, call, &start, &mut known, &mut was_sent).await,
				};
				match (entered, &known) {
					(Ok(progress), Some(sent)) => watch(&chain, sent, call.codes(), progress).await,
					(Err(Entry::Next(next, why)), Some(sent)) => {
						after(&chain, sent, call.codes(), next, why).await
					},
					(Err(Entry::Attempt(attempt)), _) => attempt,
					(_, None) => Attempt::Lost("not made yet".to_string()),
				}
			};
			let done = within(patience.per_attempt, sending).await;
			if matches!(done, Attempt::NotTaken(_) | Attempt::AnotherThere(_)) {
				was_sent = was_sent_before;
			}
			let is_done_by_another = done.is_done_by_another(&start);
			match done.step(attempt, was_sent_before, can_be_signed_anew) {
				Step::End(outcome) => return outcome.map(|included| *included),
				Step::Same(why) => reason = why,
				Step::Resign(why) => (known, was_sent, reason) = (None, false, why),
			}
			if attempt < attempts && is_done_by_another {
				tracing::debug!(attempt, %reason, "another has sent {call}");
			} else if attempt < attempts {
				tracing::warn!(attempt, %reason, "{call} is sent again");
			}
		}
		let decided = match &known {
			Some(sent) => decided(&chain, sent, patience).await,
			None => None,
		};
		decided.unwrap_or(Err(ChainError::Undecided { attempts, reason }))
	})
}

/// A pool's reports on a transaction.
type Progress = rpcs::client::RpcSubscription<TransactionStatus<subxt::utils::H256>>;

/// Why there are no reports of a pool.
enum Entry {
	/// The pool did not take it; what to do, and its words.
	Next(Next, String),
	/// It was not made.
	Attempt(Attempt),
}

/// Makes a transaction and hands it to the pool. Of one account, one at a time: the next one is
/// numbered when this one has its place, so that none waits for one that was refused.
async fn make(
	chain: &Chain,
	call: &Call,
	start: &Start<'_>,
	known: &mut Option<Sent>,
	was_sent: &mut bool,
) -> Result<Progress, Entry> {
	let turn = match start {
		Start::By { account, .. } => Some(chain.line.turn(account.account()).lock_owned().await),
		Start::Signed(_) | Start::Authorized { .. } => None,
	};
	let made = match start {
		Start::By { account, tip } => chain.signed(call, account, *tip).await,
		Start::Authorized { salt } => chain.authorized(call, *salt).await,
		Start::Signed(sent) => Ok(sent.clone()),
	};
	let sent = made.map_err(|error| {
		Entry::Attempt(if error.is_outage() {
			Attempt::Lost(error.to_string())
		} else {
			Attempt::Failed(error)
		})
	})?;
	*was_sent = true;
	let sent = known.insert(sent);
	let entered = enter(chain, sent).await;
	drop(turn);
	entered
}

/// Hands a transaction to the pool.
async fn enter(chain: &Chain, sent: &Sent) -> Result<Progress, Entry> {
	let entered = chain.blocks.methods().author_submit_and_watch_extrinsic(&sent.bytes).await;
	entered.map_err(|error| Entry::Next(next_after(&error), chain_of(&error)))
}

/// What became of a transaction that the pool did not take. If the pool has it already, from an
/// earlier try, it is looked for in final blocks: a pool reports to the first who sent it.
async fn after(chain: &Chain, sent: &Sent, codes: Codes, next: Next, words: String) -> Attempt {
	match next {
		Next::AskWhy => why(chain, sent, codes).await,
		Next::Wait => wait(chain, sent).await,
		Next::NotTaken => Attempt::NotTaken(words),
		Next::AnotherThere => Attempt::AnotherThere(words),
		Next::Unknown => Attempt::Lost(words),
	}
}

/// What final blocks say of a transaction.
enum Look {
	/// One has it.
	Fate(Attempt),
	/// None has it, and none can have it any more.
	Over,
	/// None has it so far.
	Open,
}

async fn look(chain: &Chain, sent: &Sent) -> Look {
	let Ok(block) = chain.at().await else { return Look::Open };
	let nonce = match sent.number {
		Some(number) => {
			let account = subxt::utils::AccountId32(number.account);
			block.transactions().account_nonce(&account).await.ok()
		},
		None => None,
	};
	// Looked through after that block was known, so at least up to it.
	match fate(chain, sent).await {
		Some(fate) => Look::Fate(fate),
		None if sent.is_over(block.block_number(), nonce) => Look::Over,
		None => Look::Open,
	}
}

/// Has the account used the transaction's nonce already?
const fn is_stale(error: &ChainError) -> bool {
	matches!(error, ChainError::Refused(Refusal::Pool(refusal)) if refusal.is_stale())
}

impl Chain {
	/// What the runtime says of a transaction at the best block.
	async fn validity(&self, transaction: &[u8]) -> Result<TransactionValidity, ChainError> {
		const FUNCTION: &str = "TaggedTransactionQueue_validate_transaction";
		let best = self.best().await?;
		let mut arguments = TransactionSource::External.encode();
		arguments.extend(transaction);
		arguments.extend(best.0);
		self.answer_at(best, FUNCTION, &arguments).await
	}

	/// The best block.
	pub(super) async fn best(&self) -> Result<H256, ChainError> {
		let best = self.blocks.methods().chain_get_block_hash(None).await;
		let best = best.map_err(|error| failed_request(&error))?;
		let missing = || ChainError::Unsupported("a best block".to_string());
		best.map(|hash| H256(hash.0)).ok_or_else(missing)
	}

	/// What a function of the runtime answers after a block that need not be final.
	pub(super) async fn answer_at<R: Decode>(
		&self,
		block: H256,
		function: &str,
		arguments: &[u8],
	) -> Result<R, ChainError> {
		let at = Some(subxt::utils::H256(block.0));
		let answer = self.blocks.methods().state_call(function, Some(arguments), at).await;
		R::decode_all(&mut &answer.map_err(|error| failed_request(&error))?[..])
			.map_err(|_| ChainError::Unsupported(function.to_string()))
	}
}

/// An attempt, unless it takes longer than that.
async fn within(patience: Duration, attempt: impl Future<Output = Attempt>) -> Attempt {
	match tokio::time::timeout(patience, attempt).await {
		Ok(attempt) => attempt,
		Err(_) => Attempt::Lost(format!("not final after {} s", patience.as_secs())),
	}
}

/// What a node says of a transaction, beside its pool's reports.
trait Witness {
	/// What came of it in a final block.
	async fn outcome(&self, block: H256, sent: &Sent) -> Attempt;

	/// What became of it; `None` if it is in no final block.
	async fn fate(&self, sent: &Sent) -> Option<Attempt>;

	/// Why the runtime finds it invalid.
	async fn why(&self, sent: &Sent, codes: Codes) -> Attempt;
}

impl Witness for Chain {
	async fn outcome(&self, block: H256, sent: &Sent) -> Attempt {
		match self.blocks.contents(block).await {
			Ok(contents) => outcome(&contents, sent.hash),
			Err(error) => Attempt::Lost(error.to_string()),
		}
	}

	async fn fate(&self, sent: &Sent) -> Option<Attempt> {
		fate(self, sent).await
	}

	async fn why(&self, sent: &Sent, codes: Codes) -> Attempt {
		why(self, sent, codes).await
	}
}

/// A pool's report on a transaction.
type Report = Result<TransactionStatus<subxt::utils::H256>, rpcs::Error>;

/// Watches a transaction that the pool has taken.
async fn watch(
	witness: &impl Witness,
	sent: &Sent,
	codes: Codes,
	mut reports: impl Stream<Item = Report> + Unpin,
) -> Attempt {
	let mut was_in_block = false;
	while let Some(status) = reports.next().await {
		match status {
			Ok(TransactionStatus::Finalized(block)) => {
				return witness.outcome(H256(block.0), sent).await;
			},
			Ok(TransactionStatus::Invalid) => {
				return invalid(witness, sent, codes, was_in_block).await;
			},
			Ok(TransactionStatus::Usurped(_)) if sent.number.is_some() => {
				return Attempt::Lost("another transaction took its number".to_string());
			},
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
			Ok(TransactionStatus::InBlock(_)) => was_in_block = true,
			Ok(
				TransactionStatus::Future
				| TransactionStatus::Ready
				| TransactionStatus::Broadcast(_)
				| TransactionStatus::Retracted(_),
			) => (),
			Err(error) => return Attempt::Lost(chain_of(&error)),
		}
	}
	Attempt::Lost("the node stopped reporting on the transaction".to_string())
}

/// What it means that a pool finds a transaction invalid that it had taken. One that was in a block
/// may be in another branch, which is what makes it invalid in this one: only final blocks tell.
async fn invalid(witness: &impl Witness, sent: &Sent, codes: Codes, was_in_block: bool) -> Attempt {
	if was_in_block {
		return Attempt::Lost("it was in a block, and the pool finds it invalid now".to_string());
	}
	if let Some(fate) = witness.fate(sent).await {
		return fate;
	}
	match witness.why(sent, codes).await {
		Attempt::Refused(error) if is_stale(&error) => Attempt::Lost(error.to_string()),
		attempt => attempt,
	}
}

/// Asks the runtime why it finds a transaction invalid: a node says so in words only.
async fn why(chain: &Chain, sent: &Sent, codes: Codes) -> Attempt {
	let refusal = match chain.validity(&sent.bytes).await {
		Ok(Err(error)) => codes.of(error),
		Ok(Ok(_)) => PoolRefusal::Transaction(TransactionRefusal::Momentary),
		Err(error) => return Attempt::Lost(error.to_string()),
	};
	Attempt::Refused(Refusal::Pool(refusal).into())
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

#[cfg(test)]
mod tests {
	use super::*;

	fn sent(nonce: u64) -> Sent {
		let number = Some(Number { account: [1; 32], nonce });
		let (bytes, hash) = (vec![1], H256([2; 32]));
		Sent { bytes, hash, from: 1_000, end: Some(1_000 + LIFETIME), number }
	}

	#[test]
	fn a_transaction_is_over_when_it_is_too_old_or_its_number_is_taken_and_not_before() {
		let sent = sent(7);
		assert!(!sent.is_over(1_000, Some(7)));
		// The block after the last final one is the first that could still have it.
		assert!(!sent.is_over(998 + LIFETIME, Some(7)));
		assert!(sent.is_over(999 + LIFETIME, Some(7)), "nothing happens hours later");
		assert!(sent.is_over(1_001, Some(8)), "another sender of the account came first");
		assert!(!sent.is_over(1_001, None), "what is not known decides nothing");
		let unsigned = Sent { end: None, number: None, ..sent };
		assert!(!unsigned.is_over(u64::MAX, None));
	}

	#[test]
	fn a_lifetime_is_a_power_of_two_as_the_chain_counts_it() {
		assert!(LIFETIME.is_power_of_two() && (64..=256).contains(&LIFETIME));
	}

	fn refused(reason: TransactionRefusal) -> ChainError {
		Refusal::Pool(PoolRefusal::Transaction(reason)).into()
	}

	fn included() -> Box<Included> {
		Box::new(Included { block: H256([3; 32]), transaction: H256([2; 32]), events: Vec::new() })
	}

	/// What a node says: whether a final block has the transaction, and what its runtime thinks of it.
	struct Says {
		is_final: bool,
		reason: TransactionRefusal,
	}

	impl Witness for Says {
		async fn outcome(&self, _: H256, _: &Sent) -> Attempt {
			Attempt::Done(included())
		}

		async fn fate(&self, _: &Sent) -> Option<Attempt> {
			self.is_final.then(|| Attempt::Done(included()))
		}

		async fn why(&self, _: &Sent, _: Codes) -> Attempt {
			Attempt::Refused(refused(self.reason))
		}
	}

	/// What is made of a pool's reports.
	async fn made_of(
		says: Says,
		sent: &Sent,
		reports: Vec<TransactionStatus<subxt::utils::H256>>,
	) -> Attempt {
		let reports = futures::stream::iter(reports.into_iter().map(Ok));
		watch(&says, sent, Codes::None, reports).await
	}

	const BLOCK: subxt::utils::H256 = subxt::utils::H256([9; 32]);

	#[tokio::test]
	async fn what_was_in_a_block_of_a_lost_branch_is_not_believed_to_be_invalid() {
		let says = |is_final, reason| Says { is_final, reason };
		let (stale, payment) = (TransactionRefusal::Stale, TransactionRefusal::Payment);
		for reason in [stale, payment] {
			let reports = vec![
				TransactionStatus::Ready,
				TransactionStatus::InBlock(BLOCK),
				TransactionStatus::Retracted(BLOCK),
				TransactionStatus::Invalid,
			];
			let lost = made_of(says(false, reason), &sent(7), reports).await;
			assert!(matches!(lost, Attempt::Lost(_)), "{lost:?}");
		}
		let invalid = || vec![TransactionStatus::Ready, TransactionStatus::Invalid];
		let done = made_of(says(true, payment), &sent(7), invalid()).await;
		assert!(matches!(done, Attempt::Done(_)), "final blocks come first: {done:?}");
		let lost = made_of(says(false, stale), &sent(7), invalid()).await;
		assert!(matches!(lost, Attempt::Lost(_)), "its number is taken, by it or not: {lost:?}");
		let no = made_of(says(false, payment), &sent(7), invalid()).await;
		assert!(matches!(no, Attempt::Refused(_)), "{no:?}");
		let again = vec![
			TransactionStatus::InBlock(BLOCK),
			TransactionStatus::Retracted(BLOCK),
			TransactionStatus::Finalized(BLOCK),
		];
		let done = made_of(says(false, stale), &sent(7), again).await;
		assert!(matches!(done, Attempt::Done(_)), "{done:?}");
	}

	#[tokio::test]
	async fn a_transaction_whose_number_another_sender_took_in_the_pool_is_not_given_up() {
		let says = || Says { is_final: false, reason: TransactionRefusal::Stale };
		let usurped = || vec![TransactionStatus::Ready, TransactionStatus::Usurped(BLOCK)];
		let lost = made_of(says(), &sent(7), usurped()).await;
		assert!(matches!(lost, Attempt::Lost(_)), "{lost:?}");
		let unsigned = Sent { end: None, number: None, ..sent(7) };
		let failed = made_of(says(), &unsigned, usurped()).await;
		assert!(matches!(failed, Attempt::Failed(_)), "{failed:?}");
	}

	#[test]
	fn of_two_senders_of_an_account_the_later_signs_again_and_nobody_pays_twice() {
		let stale = || Attempt::Refused(refused(TransactionRefusal::Stale));
		let step = |attempt: Attempt, was_sent_before, can_be_signed_anew| {
			attempt.step(3, was_sent_before, can_be_signed_anew)
		};
		// Never taken, so another number cannot make it happen twice.
		assert!(matches!(step(stale(), false, true), Step::Resign(_)));
		let low_priority = || Attempt::AnotherThere("priority is too low".to_string());
		assert!(matches!(step(low_priority(), false, true), Step::Resign(_)));
		let full = || Attempt::NotTaken("the pool is full".to_string());
		assert!(matches!(step(full(), false, true), Step::Resign(_)));
		// Sent before: it may be in a block under this very number.
		for attempt in [stale(), low_priority(), full(), Attempt::Lost("cut".to_string())] {
			assert!(matches!(step(attempt, true, true), Step::Same(_)));
		}
		assert!(matches!(step(Attempt::Lost("cut".to_string()), false, true), Step::Same(_)));
		// One of several, whose order a new number would change.
		let Step::End(Err(ChainError::Undecided { attempts, .. })) = step(stale(), false, false)
		else {
			panic!("nobody knows whose number it is")
		};
		assert_eq!(attempts, 3);
		let payment = || Attempt::Refused(refused(TransactionRefusal::Payment));
		assert!(matches!(step(payment(), false, true), Step::End(Err(ChainError::Refused(_)))));
		assert!(matches!(step(payment(), true, true), Step::Same(_)));
	}

	#[test]
	fn of_what_nobody_signs_the_same_in_the_pool_is_no_reason_to_warn() {
		let there = Attempt::AnotherThere("priority is too low".to_string());
		assert!(there.is_done_by_another(&Start::Authorized { salt: 1 }));
		// An account's number is another matter.
		assert!(!there.is_done_by_another(&Start::Signed(sent(7))));
		let full = Attempt::NotTaken("the pool is full".to_string());
		assert!(!full.is_done_by_another(&Start::Authorized { salt: 1 }));
	}
}
