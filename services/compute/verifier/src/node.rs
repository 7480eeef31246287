//! The chain behind a node.

use crate::{
	chain::{CheckedChain, Closing, WaitingBatch},
	statements::Statement,
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::{
	Call, Chain, ChainError, Included, Link, Patience, Refusal,
	pallets::{
		compute_checks::{self, call, query},
		compute_receipts::{call as receipt_calls, query as receipts},
	},
	refusal::PoolRefusal,
};
use gridproof_keys::{AccountKey, SealedKey};
use gridproof_primitives::{
	H256,
	compute::{
		MAX_EXPIRIES_PER_CALL, PartyRole,
		channels::{Channel, ChannelId, ChannelReceipt, Mode, Placed},
		checks::{
			AskedReceipt, BatchChecks, BatchId, CheckId, CheckParameters, CheckView,
			DemandOfOpening, DisputeView, MAX_RELEASES, ModelLine, Part, VerifierKey, VerifierView,
			key_payload,
		},
	},
	crypto::ed25519::PublicKey,
};
use std::{collections::BTreeSet, time::Duration};

/// How long a transaction is followed, and how often it is sent.
const PATIENCE: Patience =
	Patience { per_attempt: Duration::from_secs(30), attempts: 3, pause: Duration::from_secs(1) };
/// Rows in one answer.
const PAGE: u32 = 100;
/// Most batches of one coordinator that are looked at: more than a window has at one a minute.
const MAX_BATCHES: usize = 1_000;

/// The chain behind a node.
pub struct NodeChain {
	link: Link,
	genesis: H256,
}

/// Registers a key as a verifier's: `account` bonds, and is paid. Governance has to have admitted it.
///
/// # Errors
/// [`ChainError`]; [`ChainError::Refused`] with the pallet's reason.
pub fn register<'a>(
	chain: &'a Chain,
	account: &'a AccountKey,
	key: &'a SealedKey,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Included, ChainError>> {
	Box::pin(async move {
		let proof = key.sign(&key_payload(&chain.genesis(), &account.account()));
		chain.submit(account, &call::register_verifier(key.public(), &proof), patience).await
	})
}

impl NodeChain {
	/// Connects to the node at `url`.
	///
	/// # Errors
	/// [`ChainError`].
	pub fn connect(url: &str) -> BoxFuture<'_, Result<Self, ChainError>> {
		Box::pin(async move {
			let link = Link::connect(url).await?;
			let genesis = link.genesis().await?;
			Ok(Self { link, genesis })
		})
	}

	/// Keys of all miners and coordinators.
	async fn parties(&self) -> Result<Vec<(PublicKey, PartyRole)>, ChainError> {
		let (mut all, mut after) = (Vec::new(), None);
		loop {
			let page = self.link.read(&receipts::parties(after, PAGE)).await?;
			after = page.last().map(|(key, _)| *key);
			let is_whole = u32::try_from(page.len()).is_ok_and(|length| length >= PAGE);
			all.extend(page);
			if !is_whole {
				return Ok(all);
			}
		}
	}

	/// Keys of all coordinators.
	async fn coordinators(&self) -> Result<Vec<PublicKey>, ChainError> {
		let all = self.parties().await?.into_iter();
		Ok(all.filter(|(_, role)| *role == PartyRole::Coordinator).map(|(key, _)| key).collect())
	}

	/// Parts that were taken from a party and have not been moved.
	async fn taken(&self, party: &PublicKey) -> Result<Vec<Part>, ChainError> {
		let (mut all, mut after, mut seen) = (Vec::new(), None, 0usize);
		while seen < MAX_BATCHES {
			let page = self.link.read(&receipts::waiting_of(party, after, PAGE)).await?;
			let Some(last) = page.last() else { break };
			after = Some(*last.part.batch());
			seen = seen.saturating_add(page.len());
			all.extend(page.into_iter().filter(|view| view.is_taken).map(|view| view.part));
		}
		Ok(all)
	}

	/// Submits what another may have submitted just now: then it is refused, and done. Returns `true` if it
	/// was this one.
	async fn send_if_due(&self, call: &Call) -> Result<bool, ChainError> {
		match self.send(call).await {
			Ok(()) => Ok(true),
			Err(error) if error.is_refusal() => {
				tracing::debug!(%error, "it was not due any more");
				Ok(false)
			},
			Err(error) => Err(error),
		}
	}

	/// Pays to the clients of a batch what goes back to them.
	async fn return_of(&self, batch: &BatchId) -> Result<(), ChainError> {
		let paid = self.link.read(&receipts::waiting_channels(batch)).await?;
		let channels: Vec<ChannelId> =
			paid.iter().filter(|one| one.price > 0).map(|one| one.channel).collect();
		let most = usize::try_from(MAX_EXPIRIES_PER_CALL).unwrap_or(usize::MAX);
		for some in channels.chunks(most) {
			// Together; where one of them has nothing to come, one by one.
			if some.len() > 1
				&& self.send_if_due(&receipt_calls::return_to_clients(batch, some)).await?
			{
				continue;
			}
			for one in some {
				self.send_if_due(&receipt_calls::return_to_clients(batch, &[*one])).await?;
			}
		}
		Ok(())
	}

	/// Names of the batches of a coordinator of which something waits.
	async fn batches(&self, coordinator: &PublicKey) -> Result<Vec<BatchId>, ChainError> {
		let (mut all, mut after) = (Vec::new(), None);
		while all.len() < MAX_BATCHES {
			let page = self.link.read(&receipts::waiting_of(coordinator, after, PAGE)).await?;
			after = page.last().map(|view| *view.part.batch());
			let is_whole = u32::try_from(page.len()).is_ok_and(|length| length >= PAGE);
			all.extend(page.into_iter().filter_map(|view| match view.part {
				Part::Coordinator(batch) => Some(batch),
				Part::Miner(..) => None,
			}));
			if !is_whole {
				break;
			}
		}
		Ok(all)
	}

	/// A batch that waits; `None` if nothing of it does, or it is private.
	async fn batch(&self, id: BatchId) -> Result<Option<WaitingBatch>, ChainError> {
		let Some(waits) = self.link.read(&receipts::waiting_batch(&id)).await? else {
			return Ok(None);
		};
		if waits.kind.mode == Mode::Private {
			return Ok(None);
		}
		let checks = self.link.read(&query::batch(id)).await?;
		Ok(Some(WaitingBatch {
			hash: waits.header_hash,
			coordinator: id.coordinator,
			sequence: id.sequence,
			due_ms: waits.pay_due_ms,
			checks,
			// Whether it is, the chain says when it is touched: until then the refusal is temporary.
			is_ripe: true,
		}))
	}

	async fn send(&self, call: &Call) -> Result<(), ChainError> {
		self.link.submit_authorized(call, &PATIENCE).await.map(drop)
	}
}

impl CheckedChain for NodeChain {
	fn genesis(&self) -> H256 {
		self.genesis
	}

	fn verifier(
		&self,
		key: VerifierKey,
	) -> BoxFuture<'_, Result<Option<VerifierView>, ChainError>> {
		async move {
			let all = self.link.read(&query::verifiers()).await?;
			Ok(all.into_iter().find(|one| one.key == key))
		}
		.boxed()
	}

	fn parameters(&self) -> BoxFuture<'_, Result<CheckParameters, ChainError>> {
		async { self.link.read(&query::parameters()).await }.boxed()
	}

	fn line(&self, model: H256) -> BoxFuture<'_, Result<Option<ModelLine>, ChainError>> {
		async move { self.link.read(&query::line(model)).await }.boxed()
	}

	fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>> {
		async move {
			let view = self.link.read(&receipts::channel(channel)).await?;
			Ok(view.map(|view| view.channel))
		}
		.boxed()
	}

	fn waiting(&self) -> BoxFuture<'_, Result<Vec<WaitingBatch>, ChainError>> {
		async {
			let mut all = Vec::new();
			for coordinator in self.coordinators().await? {
				for id in self.batches(&coordinator).await? {
					all.extend(self.batch(id).await?);
				}
			}
			Ok(all)
		}
		.boxed()
	}

	fn reports(&self, batch: BatchId) -> BoxFuture<'_, Result<Vec<CheckView>, ChainError>> {
		async move { self.link.read(&query::reports(batch, query::MAX_REPORTS)).await }.boxed()
	}

	fn demands(&self) -> BoxFuture<'_, Result<Vec<DemandOfOpening>, ChainError>> {
		async { self.link.read(&query::demands()).await }.boxed()
	}

	fn place(&self, check: CheckId) -> BoxFuture<'_, Result<Option<u128>, ChainError>> {
		async move { self.link.read(&query::place_of_demand(check)).await }.boxed()
	}

	fn disputes(&self) -> BoxFuture<'_, Result<Vec<DisputeView>, ChainError>> {
		async { self.link.read(&query::disputes()).await }.boxed()
	}

	fn reopenings(&self) -> BoxFuture<'_, Result<Vec<CheckId>, ChainError>> {
		async { self.link.read(&query::reopenings()).await }.boxed()
	}

	fn drawn(&self, batch: BatchId) -> BoxFuture<'_, Result<Option<BatchChecks>, ChainError>> {
		async move { self.link.read(&query::batch(batch)).await }.boxed()
	}

	fn asked(&self, batch: BatchId) -> BoxFuture<'_, Result<Vec<AskedReceipt>, ChainError>> {
		async move { self.link.read(&query::asked(batch)).await }.boxed()
	}

	fn give_back(&self) -> BoxFuture<'_, Result<(), ChainError>> {
		async {
			let most = usize::try_from(MAX_RELEASES).unwrap_or(usize::MAX);
			let mut batches = BTreeSet::new();
			for (party, _) in self.parties().await? {
				let taken = self.taken(&party).await?;
				batches.extend(taken.iter().map(|part| *part.batch()));
				for some in taken.chunks(most) {
					self.send_if_due(&receipt_calls::release_waiting(some)).await?;
				}
			}
			for batch in &batches {
				self.return_of(batch).await?;
			}
			Ok(())
		}
		.boxed()
	}

	fn touch(&self, batch: BatchId) -> BoxFuture<'_, Result<(), ChainError>> {
		async move { self.send(&call::touch(batch)).await }.boxed()
	}

	fn name(
		&self,
		check: CheckId,
		receipt: Placed<ChannelReceipt>,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		async move { self.send(&call::name_receipt(check, &receipt)).await }.boxed()
	}

	fn close(&self, closing: Closing) -> BoxFuture<'_, Result<(), ChainError>> {
		let call = match closing {
			Closing::Demand(check) => call::close_demand(check),
			Closing::Reopening(check) => call::close_reopening(check),
			Closing::Dispute(dispute) => call::close_dispute(dispute),
			Closing::Checks(batch) => call::settle_checks(batch),
		};
		async move { self.send(&call).await }.boxed()
	}

	fn submit(&self, statement: Statement) -> BoxFuture<'_, Result<(), ChainError>> {
		let call = match &statement {
			Statement::Report(report, signature) => call::report_check(report, signature),
			Statement::Demand(demand, signature) => call::demand_opening(demand, signature),
			Statement::Witness(witness, signature) => call::witness(witness, signature),
			Statement::Reopen(reopening, signature) => call::reopen(reopening, signature),
			Statement::Show(shown, signature) => call::show_figures(shown, signature),
			Statement::Commit(commitment, signature) => call::commit_vote(commitment, signature),
			Statement::Reveal(ballot, signature) => call::reveal_vote(ballot, signature),
			Statement::Abstain(abstention, signature) => call::abstain(abstention, signature),
		};
		async move {
			match self.send(&call).await {
				// It arrived before, though nobody heard of it.
				Err(error) if is_done(&error) => Ok(()),
				done => done,
			}
		}
		.boxed()
	}
}

/// Returns `true` of a refusal that says that the same was done already, no matter who brought it.
fn is_done(error: &ChainError) -> bool {
	use compute_checks::Refusal::{AlreadyDone, AlreadyReported, AlreadyTouched};
	let no = match error.refusal() {
		Some(Refusal::ComputeChecks(no) | Refusal::Pool(PoolRefusal::ComputeChecks(no))) => no,
		_ => return false,
	};
	matches!(no, AlreadyTouched | AlreadyReported | AlreadyDone)
}
