//! The chain, asked and told through a node.

use super::ledger::{Claimed, Escrow, Ledger, Registered};
use codec::{Compact, Decode, Encode};
use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::{Chain, Failure, Included, Patience, Submitter, submit::hash_in};
use gridproof_keys::AccountKey;
use gridproof_primitives::{
	H256,
	compute::{
		JobState, JobView, MinerView, Preview, ReceiptRefusal, SignedAssignment, SignedQuote,
		SignedReceipt,
	},
	ed25519::Signature,
};
use std::{collections::HashSet, time::Duration};
use tokio::sync::RwLock;

/// Name of the pallet in the runtime.
pub(crate) const PALLET: &str = "ComputeReceipts";
const OPEN_JOB: &str = "open_job";
/// Name of the runtime API.
pub(crate) const API: &str = "ComputeReceiptsApi";

/// The chain behind a node.
pub struct ChainLedger {
	chain: RwLock<Chain>,
	genesis: H256,
	url: String,
	purse: Option<AccountKey>,
	patience: Patience,
}

impl ChainLedger {
	/// Connects to the node at `url`. `purse` is the account that the front pays from.
	///
	/// # Errors
	/// [`Failure`].
	pub async fn connect(url: &str, purse: Option<AccountKey>) -> Result<Self, Failure> {
		let chain = Chain::connect(url).await?;
		let pause = Duration::from_secs(1);
		let patience = Patience { per_attempt: Duration::from_secs(30), attempts: 3, pause };
		let genesis = chain.genesis();
		Ok(Self { chain: RwLock::new(chain), genesis, url: url.to_string(), purse, patience })
	}

	async fn chain(&self) -> Chain {
		self.chain.read().await.clone()
	}

	/// Asks, and asks again over a fresh connection if the first one is broken.
	async fn ask<R: Decode>(&self, method: &str, arguments: &[u8]) -> Result<R, Failure> {
		let function = format!("{API}_{method}");
		match self.chain().await.call(&function, arguments).await {
			Err(Failure::Rpc(reason)) => {
				tracing::debug!(reason, "asking over a fresh connection");
				let fresh = self.reconnect().await?;
				fresh.call(&function, arguments).await
			},
			answer => answer,
		}
	}

	async fn reconnect(&self) -> Result<Chain, Failure> {
		let fresh = Chain::connect(&self.url).await?;
		if fresh.genesis() != self.genesis {
			let reason = "it serves another chain than at the start".to_string();
			return Err(Failure::Unreachable { url: self.url.clone(), reason });
		}
		*self.chain.write().await = fresh.clone();
		Ok(fresh)
	}

	async fn submit(&self, call: &str, arguments: &[u8]) -> Result<Included, Failure> {
		let chain = self.chain().await;
		let done = chain.submit_authorized(PALLET, call, arguments, &self.patience).await;
		if done.as_ref().is_err_and(Failure::is_temporary) {
			// For the next time; what became of this one is asked of the chain.
			let _ = self.reconnect().await;
		}
		done
	}

	/// Submits calls from the front's account.
	async fn pay(
		&self,
		calls: &[(&str, &str, Vec<u8>)],
	) -> Result<Vec<Result<Included, Failure>>, Failure> {
		let Some(purse) = self.purse.clone() else {
			let lacking = "an account that the front pays from".to_string();
			return Err(Failure::Unsupported(lacking));
		};
		let submitter = Submitter::new(self.chain().await, purse, self.patience);
		let outcomes = submitter.submit(calls).await;
		if outcomes.as_ref().is_err_and(Failure::is_temporary) {
			let _ = self.reconnect().await;
		}
		outcomes
	}

	/// Opens jobs in one transaction, which costs the node one signature instead of many; the jobs
	/// that are open then. Each of the others has failed by itself.
	async fn open_together(&self, quotes: &[SignedQuote]) -> Result<HashSet<H256>, Failure> {
		let index = self.chain().await.call_bytes(PALLET, OPEN_JOB, &[]).await?;
		let count = u32::try_from(quotes.len()).unwrap_or(u32::MAX);
		let mut calls = Compact(count).encode();
		for quote in quotes {
			calls.extend(&index);
			calls.extend(open_arguments(quote));
		}
		let mut outcomes = self.pay(&[("Utility", "force_batch", calls)]).await?;
		let lost = || Failure::Unsupported("an outcome of opened jobs".to_string());
		let included = outcomes.pop().ok_or_else(lost)??;
		let opened = included.all("ComputeReceipts.JobOpened");
		Ok(opened.filter_map(|fields| hash_in(fields, "job_id")).collect())
	}
}

fn open_arguments(signed: &SignedQuote) -> Vec<u8> {
	(&signed.quote, signed.signature).encode()
}

impl Ledger for ChainLedger {
	fn genesis(&self) -> H256 {
		self.genesis
	}

	fn escrow(&self, job: H256) -> BoxFuture<'_, Result<Option<Escrow>, Failure>> {
		async move {
			let view: Option<JobView> = self.ask("job", &job.encode()).await?;
			Ok(view.map(|view| escrow_of(&view)))
		}
		.boxed()
	}

	fn miner(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<Registered>, Failure>> {
		async move {
			let view: Option<MinerView> = self.ask("miner", &key.encode()).await?;
			Ok(view.map(|view| Registered {
				class: view.class,
				is_able: view.party.banned_until_ms.is_none() && view.party.leaving_ms.is_none(),
				score: view.effective_score,
			}))
		}
		.boxed()
	}

	fn preview(
		&self,
		receipts: Vec<SignedReceipt>,
	) -> BoxFuture<'_, Result<Vec<Result<(), String>>, Failure>> {
		async move {
			let arguments = receipts.encode();
			let answers: Vec<Result<Preview, ReceiptRefusal>> =
				self.ask("preview_receipts", &arguments).await?;
			let plain = |answer: Result<Preview, ReceiptRefusal>| match answer {
				Ok(_) => Ok(()),
				Err(refusal) => Err(refusal.as_str().to_string()),
			};
			Ok(answers.into_iter().map(plain).collect())
		}
		.boxed()
	}

	fn claim(&self, receipts: Vec<SignedReceipt>) -> BoxFuture<'_, Result<Claimed, Failure>> {
		async move {
			let included = self.submit("claim_receipts", &receipts.encode()).await?;
			let pair = |fields| Some((hash_in(fields, "job_id")?, hash_in(fields, "receipt_id")?));
			let settled = included.all("ComputeReceipts.ReceiptSettled").filter_map(pair).collect();
			Ok(Claimed { block: included.block, settled })
		}
		.boxed()
	}

	fn assign(&self, assignment: SignedAssignment) -> BoxFuture<'_, Result<(), Failure>> {
		async move { self.submit("assign_job", &assignment.encode()).await.map(|_| ()) }.boxed()
	}

	fn release(&self, job: H256, signature: Signature) -> BoxFuture<'_, Result<(), Failure>> {
		async move { self.submit("release_job", &(job, signature).encode()).await.map(|_| ()) }
			.boxed()
	}

	fn purse(&self) -> Option<[u8; 32]> {
		self.purse.as_ref().map(AccountKey::account)
	}

	fn open(
		&self,
		quotes: Vec<SignedQuote>,
	) -> BoxFuture<'_, Result<Vec<Result<(), Failure>>, Failure>> {
		async move {
			let opened = match &quotes[..] {
				[] | [_] => HashSet::new(),
				many => match self.open_together(many).await {
					Err(failure) if failure.is_temporary() => return Err(failure),
					opened => opened.unwrap_or_default(),
				},
			};
			let is_open = |quote: &SignedQuote| opened.contains(&quote.quote.job_id(&self.genesis));
			// One by one, each has its own reason for not being opened.
			let rest = quotes.iter().filter(|quote| !is_open(quote));
			let rest: Vec<_> =
				rest.map(|quote| (PALLET, OPEN_JOB, open_arguments(quote))).collect();
			let mut outcomes = match rest.is_empty() {
				true => Vec::new(),
				false => self.pay(&rest).await?,
			}
			.into_iter();
			let mut all = Vec::with_capacity(quotes.len());
			for quote in &quotes {
				match is_open(quote) {
					true => all.push(Ok(())),
					// Fewer outcomes than jobs: the rest was not sent.
					false => all.push(outcomes.next().map_or_else(unsent, |o| o.map(|_| ()))),
				}
			}
			Ok(all)
		}
		.boxed()
	}
}

fn unsent() -> Result<(), Failure> {
	let reason = "those before it are undecided".to_string();
	Err(Failure::Undecided { attempts: 0, reason })
}

fn escrow_of(view: &JobView) -> Escrow {
	match (view.state, &view.receipt) {
		(JobState::Open, _) => Escrow::Open { cancelling: view.cancelling },
		(JobState::Settled, Some(receipt)) => Escrow::Settled(receipt.receipt_id),
		(JobState::Settled, None) => Escrow::Settled(H256::zero()),
		(JobState::Cancelled, _) => Escrow::Returned("cancelled".to_string()),
		(JobState::Expired, _) => Escrow::Returned("expired".to_string()),
	}
}
