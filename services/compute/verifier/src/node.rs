//! The chain behind a node.

use crate::{
	chain::{CheckedChain, Closing, WaitingBatch},
	statements::Statement,
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::{
	Call, Chain, ChainError, Included, Link, Patience,
	pallets::{
		compute_checks::{self, call, query},
		compute_receipts::query as receipts,
	},
};
use gridproof_keys::{AccountKey, SealedKey};
use gridproof_primitives::{
	H256,
	compute::{
		PartyRole,
		channels::{Channel, ChannelId, Mode},
		checks::{
			BatchId, CheckId, CheckParameters, CheckView, DemandOfOpening, DisputeView, ModelLine,
			Part, VerifierKey, VerifierView, key_payload,
		},
	},
	crypto::ed25519::PublicKey,
};
use std::time::Duration;

/// How long a transaction is followed, and how often it is sent.
const PATIENCE: Patience =
	Patience { per_attempt: Duration::from_secs(30), attempts: 3, pause: Duration::from_secs(1) };
/// Rows in one answer.
const PAGE: u32 = 100;
/// Most batches of one coordinator that are looked at: more than a window has at one a minute.
const MAX_BATCHES: usize = 1_000;
/// Most reports of one batch: what 21 verifiers can report.
const MAX_REPORTS: u32 = 1_000;

/// The chain behind a node.
pub struct NodeChain {
	link: Link,
	genesis: H256,
}

/// Registers a key as a verifier's: `account` bonds, and is paid. Governance has to have admitted it.
///
/// # Errors
/// [`ChainError`]; [`ChainError::Refused`] with the pallet's reason.
pub async fn register(
	chain: &Chain,
	account: &AccountKey,
	key: &SealedKey,
	patience: &Patience,
) -> Result<Included, ChainError> {
	let proof = key.sign(&key_payload(&chain.genesis(), &account.account()));
	chain.submit(account, &call::register_verifier(key.public(), &proof), patience).await
}

impl NodeChain {
	/// Connects to the node at `url`.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn connect(url: &str) -> Result<Self, ChainError> {
		let link = Link::connect(url).await?;
		let genesis = link.genesis().await?;
		Ok(Self { link, genesis })
	}

	/// Keys of all coordinators.
	async fn coordinators(&self) -> Result<Vec<PublicKey>, ChainError> {
		let (mut all, mut after) = (Vec::new(), None);
		loop {
			let page = self.link.read(&receipts::parties(after, PAGE)).await?;
			after = page.last().map(|(key, _)| *key);
			let is_whole = u32::try_from(page.len()).is_ok_and(|length| length >= PAGE);
			let of = page.into_iter().filter(|(_, role)| *role == PartyRole::Coordinator);
			all.extend(of.map(|(key, _)| key));
			if !is_whole {
				return Ok(all);
			}
		}
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

	fn reports(&self) -> BoxFuture<'_, Result<Vec<CheckView>, ChainError>> {
		async {
			let mut all = Vec::new();
			for batch in self.waiting().await? {
				if batch.checks.is_some() {
					all.extend(self.link.read(&query::reports(batch.id(), MAX_REPORTS)).await?);
				}
			}
			Ok(all)
		}
		.boxed()
	}

	fn demands(&self) -> BoxFuture<'_, Result<Vec<DemandOfOpening>, ChainError>> {
		async { self.link.read(&query::demands()).await }.boxed()
	}

	fn disputes(&self) -> BoxFuture<'_, Result<Vec<DisputeView>, ChainError>> {
		async { self.link.read(&query::disputes()).await }.boxed()
	}

	fn reopenings(&self) -> BoxFuture<'_, Result<Vec<CheckId>, ChainError>> {
		async { self.link.read(&query::reopenings()).await }.boxed()
	}

	fn touch(&self, batch: BatchId) -> BoxFuture<'_, Result<(), ChainError>> {
		async move { self.send(&call::touch(batch)).await }.boxed()
	}

	fn close(&self, closing: Closing) -> BoxFuture<'_, Result<(), ChainError>> {
		let call = match closing {
			Closing::Demand(check) => call::close_demand(check),
			Closing::Reopening(check) => call::close_reopening(check),
			Closing::Dispute(dispute) => call::close_dispute(dispute),
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
		};
		async move {
			match self.send(&call).await {
				// It arrived before, though nobody heard of it.
				Err(error) if compute_checks::is_done(&error) => Ok(()),
				done => done,
			}
		}
		.boxed()
	}
}
