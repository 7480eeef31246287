//! The chain, asked and written to through a node.

use crate::{
	channels::sight::{Facts, refusal},
	ledger::{
		ChannelChain, CheckChain, Claimed, Escrow, Ledger, Registered, Return, Seer, Submitted,
		Unnamed,
	},
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::{
	Call, ChainError, Included, Link, Patience,
	pallets::{
		compute_checks::{call as check_call, query as checks},
		compute_receipts::{
			call, due,
			event::{BatchRefused, BatchSettled, EmissionPaid, JobOpened, ReceiptSettled},
			query, waiting,
		},
		utility,
	},
};
use gridproof_keys::AccountKey;
use gridproof_primitives::{
	H256,
	compute::{
		JobState, JobView, ReceiptRefusal, SignedAssignment, SignedQuote, SignedReceipt,
		channels::{
			BatchKind, Channel, ChannelId, ChannelReceipt, DemandView, HeaderChain, MinerSums,
			Placed, SettlementBatch, SettlementHeader,
		},
		checks::{BatchId, CheckId, CheckView, Duty, MAX_CHECKS_PER_DRAW, MAX_HOLD_MS},
		registry::ModelView,
	},
	crypto::ed25519::{PublicKey, Signature},
	num::units::MILLIS_PER_DAY,
};
use gridproof_support::clock::now_ms;
use std::{collections::HashSet, time::Duration};

/// How long a transaction is followed, and how often it is sent.
const PATIENCE: Patience =
	Patience { per_attempt: Duration::from_secs(30), attempts: 3, pause: Duration::from_secs(1) };

/// How long a claim that is free of charge is followed if it could pay: well within the notice of a
/// cancellation, which is a minute.
const BRIEFLY: Patience =
	Patience { per_attempt: Duration::from_secs(15), attempts: 1, pause: Duration::from_secs(1) };

/// Tip of a claim that pays, in 10⁻¹⁸ AIT: any tip says that it pays.
const TIP: u128 = 1;

/// The chain behind a node.
pub struct ChainLedger {
	link: Link,
	genesis: H256,
	purse: Option<AccountKey>,
}

impl ChainLedger {
	/// Connects to the node at `url`. `purse` is the account that the front pays from. A node that is
	/// away holds nothing up if the genesis hash of the chain is `known`: it is connected to once it is
	/// there.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn connect(
		url: &str,
		purse: Option<AccountKey>,
		known: Option<H256>,
	) -> Result<Self, ChainError> {
		let link = match (Link::connect(url).await, known) {
			(Err(error), Some(known)) if error.is_temporary() => {
				tracing::warn!(%error, "the node is away; starting without it");
				Link::to_chain(url, known)
			},
			(connected, _) => connected?,
		};
		let genesis = link.genesis().await?;
		Ok(Self { link, genesis, purse })
	}

	/// Submits calls from the front's account.
	async fn pay(&self, calls: &[Call]) -> Result<Vec<Result<Included, ChainError>>, ChainError> {
		let lacking = || ChainError::Unsupported("an account that the front pays from".to_string());
		let purse = self.purse.as_ref().ok_or_else(lacking)?;
		self.link.submit(purse, calls, &PATIENCE).await
	}

	/// Has what waited of the coordinator for checks and is due paid, free of fees: what has been due for longest,
	/// and the rest the next time.
	async fn release_own(&self, coordinator: &PublicKey) -> Result<(), ChainError> {
		let chain = self.link.chain().await?;
		let waits = self.link.checked(&chain, waiting(&chain, coordinator).await).await?;
		let due = due(&waits, now_ms());
		if due.is_empty() {
			return Ok(());
		}
		match self.link.submit_authorized(&call::release_waiting(&due), &PATIENCE).await {
			// Somebody else may have released a part just now.
			Err(error) if !error.is_refusal() => Err(error),
			_ => Ok(()),
		}
	}

	/// Opens jobs in one transaction, which costs the node one signature instead of many; returns
	/// the jobs that are open then. Each of the others has failed for a reason of its own.
	async fn open_together(&self, quotes: &[SignedQuote]) -> Result<HashSet<H256>, ChainError> {
		let calls = quotes.iter().map(open_call).collect();
		let mut outcomes = self.pay(&[utility::call::force_batch(calls)]).await?;
		let lost = || ChainError::Unsupported("an outcome of opened jobs".to_string());
		let included = outcomes.pop().ok_or_else(lost)??;
		let opened = included.all::<JobOpened>()?;
		Ok(opened.into_iter().map(|opened| opened.job_id).collect())
	}
}

fn open_call(signed: &SignedQuote) -> Call {
	call::open_job(&signed.quote, &signed.signature)
}

impl Ledger for ChainLedger {
	fn genesis(&self) -> H256 {
		self.genesis
	}

	fn time(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async move { Ok(self.link.read(&query::overview()).await?.now_ms) }.boxed()
	}

	fn cancel_notice_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async move { Ok(self.link.read(&query::parameters()).await?.cancel_notice_ms) }.boxed()
	}

	fn escrow(&self, job: H256) -> BoxFuture<'_, Result<Option<Escrow>, ChainError>> {
		async move {
			let view = self.link.read(&query::job(job)).await?;
			Ok(view.map(|view| escrow_of(&view)))
		}
		.boxed()
	}

	fn miner(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<Registered>, ChainError>> {
		async move {
			let view = self.link.read(&query::miner(&key)).await?;
			Ok(view.map(|view| Registered {
				class: view.class,
				is_able: view.party.banned_until_ms.is_none() && view.party.leaving_ms.is_none(),
				score: view.effective_score,
			}))
		}
		.boxed()
	}

	fn models(&self) -> BoxFuture<'_, Result<Vec<ModelView>, ChainError>> {
		self.link.models().boxed()
	}

	fn preview(
		&self,
		receipts: Vec<SignedReceipt>,
	) -> BoxFuture<'_, Result<Vec<Result<(), ReceiptRefusal>>, ChainError>> {
		async move {
			let answers = self.link.read(&query::preview_receipts(&receipts)).await?;
			Ok(answers.into_iter().map(|answer| answer.map(|_| ())).collect())
		}
		.boxed()
	}

	fn claim(
		&self,
		receipts: Vec<SignedReceipt>,
		pays: bool,
	) -> BoxFuture<'_, Result<Claimed, ChainError>> {
		async move {
			let call = call::claim_receipts(&receipts);
			let included = match &self.purse {
				Some(purse) if pays => self.link.submit_paid(purse, &call, TIP, &PATIENCE).await?,
				// There is another way: what is free is not waited for as long.
				Some(_) => self.link.submit_authorized(&call, &BRIEFLY).await?,
				None => self.link.submit_authorized(&call, &PATIENCE).await?,
			};
			let settled = included.all::<ReceiptSettled>()?;
			let settled = settled.into_iter().map(|settled| (settled.job_id, settled.receipt_id));
			Ok(Claimed { block: included.block, settled: settled.collect() })
		}
		.boxed()
	}

	fn assign(&self, assignment: SignedAssignment) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let call = call::assign_job(&assignment);
			self.link.submit_authorized(&call, &PATIENCE).await.map(drop)
		}
		.boxed()
	}

	fn release(&self, job: H256, signature: Signature) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let call = call::release_job(job, &signature);
			self.link.submit_authorized(&call, &PATIENCE).await.map(drop)
		}
		.boxed()
	}

	fn collect(&self, coordinator: [u8; 32]) -> BoxFuture<'_, Result<u128, ChainError>> {
		async move {
			self.release_own(&coordinator).await?;
			let view = self.link.read(&query::coordinator(&coordinator)).await?;
			if view.is_none_or(|view| view.party.claimable == 0) {
				return Ok(0);
			}
			let call = call::claim_emission(&[coordinator]);
			let included = self.link.submit_authorized(&call, &PATIENCE).await?;
			Ok(included.first::<EmissionPaid>()?.amount)
		}
		.boxed()
	}

	fn purse(&self) -> Option<[u8; 32]> {
		self.purse.as_ref().map(AccountKey::account)
	}

	fn open(
		&self,
		quotes: Vec<SignedQuote>,
	) -> BoxFuture<'_, Result<Vec<Result<(), ChainError>>, ChainError>> {
		async move {
			let opened = match &quotes[..] {
				[] | [_] => HashSet::new(),
				many => match self.open_together(many).await {
					Err(error) if error.is_temporary() => return Err(error),
					opened => opened.unwrap_or_default(),
				},
			};
			let is_open = |quote: &SignedQuote| opened.contains(&quote.quote.job_id(&self.genesis));
			// One by one, each has its own reason for not being opened.
			let rest: Vec<Call> =
				quotes.iter().filter(|quote| !is_open(quote)).map(open_call).collect();
			let outcomes = if rest.is_empty() { Vec::new() } else { self.pay(&rest).await? };
			let mut outcomes = outcomes.into_iter();
			let mut outcome = |quote: &SignedQuote| {
				if is_open(quote) {
					return Ok(());
				}
				// Fewer outcomes than jobs: the rest was not sent.
				outcomes.next().map_or_else(unsent, |outcome| outcome.map(drop))
			};
			Ok(quotes.iter().map(&mut outcome).collect())
		}
		.boxed()
	}

	fn channels(&self) -> Option<&dyn ChannelChain> {
		// Batches are sent by a signed transaction.
		self.purse.is_some().then_some(self as &dyn ChannelChain)
	}

	fn checks(&self) -> Option<&dyn CheckChain> {
		Some(self)
	}
}

impl CheckChain for ChainLedger {
	fn refusal(&self, seer: Seer) -> BoxFuture<'_, Result<Option<String>, ChainError>> {
		async move {
			let batch = seer.request.batch;
			let mut facts = Facts { genesis: self.genesis, ..Facts::default() };
			let read = async {
				facts.verifiers = self.link.read(&checks::verifiers()).await?;
				facts.checks = self.link.read(&checks::batch(batch)).await?;
				// Only what the duty is about is asked for.
				match seer.request.duty {
					Duty::Drawn { check, .. } if check >= MAX_CHECKS_PER_DRAW => {
						facts.asked = self.link.read(&checks::asked(batch)).await?;
					},
					Duty::Drawn { .. } => (),
					Duty::Reopens { .. } => {
						facts.reports =
							self.link.read(&checks::reports(batch, checks::MAX_REPORTS)).await?;
						let parameters = self.link.read(&checks::parameters()).await?;
						facts.reopen_one_in = parameters.reopen_one_in;
					},
					Duty::Witness(_) => facts.demands = self.link.read(&checks::demands()).await?,
					Duty::Juror(_) => {
						facts.disputes = self.link.read(&checks::disputes()).await?;
						facts.reports =
							self.link.read(&checks::reports(batch, checks::MAX_REPORTS)).await?;
					},
				}
				Ok(())
			};
			match read.await {
				Ok(()) => Ok(refusal(&seer, &facts).map(str::to_string)),
				Err(ChainError::Unsupported(_)) => Ok(Some("this chain has no checks".to_string())),
				Err(error) => Err(error),
			}
		}
		.boxed()
	}

	fn reports(
		&self,
		batch: BatchId,
		receipt: ChannelReceipt,
	) -> BoxFuture<'_, Result<Vec<CheckView>, ChainError>> {
		async move {
			let voucher = receipt.receipt.voucher();
			let all = self.link.read(&checks::reports(batch, checks::MAX_REPORTS)).await?;
			Ok(all.into_iter().filter(|one| Some(one.voucher) == voucher).collect())
		}
		.boxed()
	}

	fn unnamed(&self, coordinator: PublicKey) -> BoxFuture<'_, Result<Vec<Unnamed>, ChainError>> {
		async move {
			let open = match self.link.read(&checks::demands()).await {
				Err(ChainError::Unsupported(_)) => Vec::new(),
				open => open?,
			};
			let mut unnamed = Vec::new();
			for demand in open {
				let (check, miner) = (demand.id, demand.miner);
				if demand.index.is_some() || check.batch.coordinator != coordinator {
					continue;
				}
				// Another may have named it just now.
				let place = self.link.read(&checks::place_of_demand(check)).await?;
				unnamed.extend(place.map(|place| Unnamed { check, miner, place }));
			}
			Ok(unnamed)
		}
		.boxed()
	}

	fn name(
		&self,
		check: CheckId,
		receipt: Placed<ChannelReceipt>,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let call = check_call::name_receipt(check, &receipt);
			self.link.submit_authorized(&call, &PATIENCE).await.map(drop)
		}
		.boxed()
	}

	fn longest_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async move {
			let window = self.link.read(&query::channel_parameters()).await?.check_window_ms;
			// A dispute holds a part beyond the window, for a bounded time.
			Ok(if window == 0 { 0 } else { window.saturating_add(MAX_HOLD_MS) })
		}
		.boxed()
	}
}

impl ChannelChain for ChainLedger {
	fn day_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async { Ok(MILLIS_PER_DAY) }.boxed()
	}

	fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>> {
		async move {
			let view = self.link.read(&query::channel(channel)).await?;
			Ok(view.map(|view| view.channel))
		}
		.boxed()
	}

	fn client(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<[u8; 32]>, ChainError>> {
		async move { Ok(self.link.read(&query::channel(channel)).await?.map(|view| view.client)) }
			.boxed()
	}

	fn close_channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let lacking = || ChainError::Unsupported("an account that closes channels".to_string());
			let purse = self.purse.as_ref().ok_or_else(lacking)?;
			self.link.submit_one(purse, &call::close_channel(channel), &PATIENCE).await.map(drop)
		}
		.boxed()
	}

	fn return_rests(&self, channels: Vec<ChannelId>) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let call = call::return_rests(&channels);
			self.link.submit_authorized(&call, &PATIENCE).await.map(drop)
		}
		.boxed()
	}

	fn header_chain(
		&self,
		coordinator: PublicKey,
	) -> BoxFuture<'_, Result<HeaderChain, ChainError>> {
		async move { self.link.read(&query::header_chain(&coordinator)).await }.boxed()
	}

	fn miner_sums(
		&self,
		coordinator: PublicKey,
		kind: BatchKind,
		miner: Option<PublicKey>,
	) -> BoxFuture<'_, Result<MinerSums, ChainError>> {
		async move { self.link.read(&query::miner_sums(&coordinator, kind, miner)).await }.boxed()
	}

	fn settle_batch(&self, batch: SettlementBatch) -> BoxFuture<'_, Result<Submitted, ChainError>> {
		async move {
			// A batch that is refused in a block costs its sender a fee.
			if let Err(refusal) = self.link.read(&query::preview_batch(&batch)).await? {
				return Ok(Submitted::Refused(refusal));
			}
			let lacking =
				|| ChainError::Unsupported("an account that batches are sent from".to_string());
			let purse = self.purse.as_ref().ok_or_else(lacking)?;
			let call = call::settle_batch(&batch);
			let included = self.link.submit_one(purse, &call, &PATIENCE).await?;
			if included.has::<BatchSettled>() {
				return Ok(Submitted::Settled(included.block));
			}
			Ok(Submitted::Refused(included.first::<BatchRefused>()?.reason))
		}
		.boxed()
	}

	fn demands(
		&self,
		coordinator: PublicKey,
		limit: u32,
	) -> BoxFuture<'_, Result<Vec<DemandView>, ChainError>> {
		async move { self.link.read(&query::demands(&coordinator, limit)).await }.boxed()
	}

	fn answer_demand(
		&self,
		coordinator: PublicKey,
		answer: Placed<ChannelReceipt>,
		headers: Vec<SettlementHeader>,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let lacking =
				|| ChainError::Unsupported("an account that answers are sent from".to_string());
			let purse = self.purse.as_ref().ok_or_else(lacking)?;
			let call = call::answer_demand(&coordinator, &answer, &headers);
			self.link.submit_one(purse, &call, &PATIENCE).await.map(drop)
		}
		.boxed()
	}
}

fn unsent() -> Result<(), ChainError> {
	let reason = "those before it are undecided".to_string();
	Err(ChainError::Undecided { attempts: 0, reason })
}

fn escrow_of(view: &JobView) -> Escrow {
	match (view.state, &view.receipt) {
		(JobState::Open, _) => Escrow::Open { cancelling: view.cancelling },
		(JobState::Settled, Some(receipt)) => Escrow::Settled(receipt.receipt_id),
		(JobState::Settled, None) => Escrow::Settled(H256::zero()),
		(JobState::Cancelled, _) => Escrow::Returned(Return::Cancelled),
		(JobState::Expired, _) => Escrow::Returned(Return::Expired),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn a_coordinator_that_knows_its_chain_starts_without_its_node() {
		let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		let url = format!("ws://{}", listener.local_addr().unwrap());
		drop(listener);
		let unknown = ChainLedger::connect(&url, None, None).await;
		assert!(matches!(unknown, Err(ChainError::Unreachable { .. })));
		let known = ChainLedger::connect(&url, None, Some(H256([7; 32]))).await.unwrap();
		assert_eq!(known.genesis(), H256([7; 32]));
		assert!(known.time().await.unwrap_err().is_temporary());
	}
}
