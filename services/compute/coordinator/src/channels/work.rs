//! From a request that waits to a miner, and back if the miner fails.

use crate::{
	book::{Fate, Queued},
	coordinator::Coordinator,
	error::RequestError,
	sessions::{Chosen, HeldLease},
};
use codec::Encode;
use gridproof_compute_api::protocol::{VoucherWork, Work};
use gridproof_primitives::H256;
use gridproof_support::text::{Amount, Hex32, HexBytes};

/// Requests looked at in one go.
const LOOK: usize = 256;
/// How long a request waits for another miner before one that failed at it may try again.
const ANOTHER_CHANCE_MS: u64 = 1_000;

impl Coordinator {
	/// Matches requests that channels pay for with waiting miners.
	///
	/// # Errors
	/// [`ErrorCode::Internal`](gridproof_compute_api::protocol::ErrorCode::Internal).
	pub(crate) async fn give_out_requests(&self) -> Result<(), RequestError> {
		for queued in self.book.queued(LOOK) {
			if !self.sessions.anybody_waits() {
				break;
			}
			self.give_request(&queued).await?;
		}
		Ok(())
	}

	async fn give_request(&self, queued: &Queued) -> Result<(), RequestError> {
		let (request, steady) = (&queued.request, self.time.steady());
		let last_resort = steady.saturating_sub(queued.since_steady) >= ANOTHER_CHANCE_MS;
		let model = &request.spec.model;
		let class = self.settings.model(model).and_then(|offer| offer.class);
		let chosen = self.sessions.choose(model, class, &queued.failed, last_resort, steady);
		let Some(Chosen { miner, answer }) = chosen else { return Ok(()) };
		let Some(attempt) = self.book.assign(&request.id, steady) else { return Ok(()) };
		let confirm_ms = self.settings.confirm_seconds.saturating_mul(1_000);
		let until_ms = steady.saturating_add(confirm_ms);
		let lease = HeldLease { miner, attempt, since_ms: steady, until_ms };
		self.sessions.lease(request.id, lease);
		self.metrics.assignments.inc();
		let work = VoucherWork {
			work: request.id.into(),
			attempt,
			spec: request.spec.clone(),
			voucher: HexBytes(request.voucher.encode()),
			signer: Hex32(request.signer),
			kind: request.kind,
			secret: Hex32(request.secret),
			model: request.model.into(),
			model_factor: request.factor,
			unit_price: Amount(request.unit_price),
			highest: Amount(request.highest),
			settle_by_ms: request.settle_by_ms,
			lease_until_ms: self.now().saturating_add(confirm_ms),
			stream: request.stream,
		};
		if answer.send(Work::Voucher(work)).is_err() {
			// The miner went away between asking and being answered.
			self.return_request(request.id, attempt, "the miner went away", false).await?;
		}
		Ok(())
	}

	/// Takes a request back from its miner; ends it if that was once too often.
	pub(crate) async fn return_request(
		&self,
		id: H256,
		attempt: u32,
		reason: &str,
		failure: bool,
	) -> Result<(), RequestError> {
		let miner = self.sessions.holder(&id).filter(|_| failure);
		let steady = self.time.steady();
		let Some(failures) = self.book.requeue(&id, attempt, miner, steady) else {
			return Ok(());
		};
		self.sessions.release(&id);
		self.metrics.returned.inc();
		tracing::info!(work = %Hex32(id.0), attempt, reason, "a request came back");
		if failures > self.settings.max_failures {
			self.end_request(id, None, reason.to_string()).await?;
		} else {
			self.work.notify_one();
		}
		Ok(())
	}

	/// Ends a request without an answer: with `attempt` while a miner has it in that one, else while it
	/// waits. It costs nothing, and the receipt says so.
	pub(crate) async fn end_request(
		&self,
		id: H256,
		attempt: Option<u32>,
		reason: String,
	) -> Result<(), RequestError> {
		let Some(request) = self.book.request(&id) else { return Ok(()) };
		if !self.book.close(&id, attempt) {
			return Ok(());
		}
		let closed = self.add_without_answer(&request.voucher, request.kind, request.highest).await;
		if let Err(error) = closed {
			// It stays with its miner, whose lease ends, and is tried again.
			self.book.reopen(&id, attempt.is_some());
			return Err(error);
		}
		self.sessions.release(&id);
		self.book.end(&id, Fate::Ended(reason), self.time.steady());
		self.live.end(id);
		Ok(())
	}

	/// Ends the requests that have waited too long for a miner.
	///
	/// # Errors
	/// [`ErrorCode::Internal`](gridproof_compute_api::protocol::ErrorCode::Internal).
	pub(crate) async fn sweep_requests(&self) -> Result<(), RequestError> {
		for id in self.book.sweep(self.time.steady()) {
			self.end_request(id, None, "no miner took it in time".to_string()).await?;
		}
		Ok(())
	}
}
