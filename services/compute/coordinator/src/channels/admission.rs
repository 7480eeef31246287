//! From a voucher to a request that waits for a miner.

use crate::{
	book::{Entrance, Finished, Held, Request},
	coordinator::Coordinator,
	error::RequestError,
	ledger::ChannelChain,
	registry::Terms,
	rows::{self, ChannelReceiptRow},
};
use axum::body::Bytes;
use gridproof_compute_api::protocol::{ErrorCode, JobSpec, sampler_seed};
use gridproof_primitives::{
	H256,
	compute::{
		channels::{
			ChannelId, ChannelSums, Mode, Secret, SignedVoucher, Unsettled, Voucher, VoucherId,
			VoucherRefusal, spec_hash,
		},
		compute_units,
	},
};
use gridproof_support::number::clamped;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a voucher waits for those before it.
const TURN: Duration = Duration::from_secs(3);
/// How old a reading of a channel is at least before a refusal has it read again, in milliseconds.
const FRESH_MS: u64 = 1_000;
/// How long the chain is not asked again about a channel that it does not know, in milliseconds.
const UNKNOWN_MS: u64 = 3_000;

/// What pays for a request.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
	/// Permission to take the price, signed by the client.
	pub(crate) voucher: SignedVoucher,
	/// The request's secret.
	pub(crate) secret: Secret,
	/// The very bytes of the request's body.
	pub(crate) body: Bytes,
}

/// A request that was admitted, or had been before.
pub(crate) struct Admitted {
	/// Id of the work.
	pub(crate) id: H256,
	/// When it was admitted, UTC milliseconds.
	pub(crate) created_ms: u64,
	/// `true` if the same request had come before.
	pub(crate) is_repeated: bool,
}

/// What a request asks for.
pub(super) struct Asked {
	/// What is to be done.
	pub(super) spec: JobSpec,
	/// The very bytes of the request's body.
	pub(super) body: Bytes,
	/// The request's secret.
	pub(super) secret: Secret,
	/// `true` if somebody reads along.
	pub(super) stream: bool,
}

/// What a request costs.
#[derive(Clone, Debug)]
pub(super) struct Priced {
	/// What work on the model is reckoned by.
	pub(super) terms: Terms,
	/// Price of a compute unit, in the asset's smallest unit.
	unit_price: u128,
	/// The most that it costs.
	pub(super) highest: u128,
}

/// Returns the error of a voucher that is refused.
fn refused(refusal: VoucherRefusal) -> RequestError {
	let code = if refusal.is_temporary() { ErrorCode::ChannelDry } else { ErrorCode::BadVoucher };
	RequestError::new(code, refusal.to_string())
}

impl Coordinator {
	/// Returns the chain's channels.
	///
	/// # Errors
	/// [`ErrorCode::UnknownChannel`] if there are none.
	pub(super) fn chain_of_channels(&self) -> Result<&dyn ChannelChain, RequestError> {
		self.ledger.channels().ok_or_else(|| {
			RequestError::new(ErrorCode::UnknownChannel, "this coordinator takes no channels")
		})
	}

	/// Returns the length of a day of the daily limits, in milliseconds.
	pub(super) async fn day_ms(&self) -> Result<u64, RequestError> {
		if let Some(day_ms) = self.day_ms.get() {
			return Ok(*day_ms);
		}
		let day_ms = self.chain_of_channels()?.day_ms().await?;
		Ok(*self.day_ms.get_or_init(|| day_ms))
	}

	/// Returns what is held of a channel of this coordinator's; the chain is asked about one that is
	/// not known yet.
	///
	/// # Errors
	/// [`ErrorCode::UnknownChannel`], [`ErrorCode::ChainUnavailable`].
	pub(crate) async fn held(&self, channel: ChannelId) -> Result<Held, RequestError> {
		if let Some(held) = self.book.held(channel, self.time.steady()) {
			return Ok(held);
		}
		// One question at a time: strangers can name any number.
		let _asking = self.asking.lock().await;
		if let Some(held) = self.book.held(channel, self.time.steady()) {
			return Ok(held);
		}
		let unknown = || {
			let message = format!("the chain has no channel {channel} for this coordinator");
			RequestError::new(ErrorCode::UnknownChannel, message)
		};
		let since = self.book.unknown_since(channel);
		if since.is_some_and(|since| self.time.steady().saturating_sub(since) < UNKNOWN_MS) {
			return Err(unknown());
		}
		self.read_channel(channel).await?.ok_or_else(unknown)
	}

	/// Reads a channel from the chain.
	pub(super) async fn read_channel(&self, id: ChannelId) -> Result<Option<Held>, RequestError> {
		let read = self.chain_of_channels()?.channel(id).await?;
		let Some(channel) = read.filter(|channel| channel.coordinator == self.public()) else {
			self.book.forget(id, self.time.steady());
			return Ok(None);
		};
		self.note_plan(id, &channel).await?;
		let account = self.read(move |db| Ok(rows::channel_account(db, id)?)).await?;
		let (sums, number) = account
			.map_or((ChannelSums::default(), 0), |row| (row.sums, row.voucher.voucher.number));
		// A database that is older than the chain continues from the chain.
		let sums = if sums.count < channel.settled.count { channel.settled } else { sums };
		let newest = number.max(channel.voucher_number);
		let unsettled = Unsettled { sums, open: 0, newest };
		self.book.hold(id, channel, unsettled, self.time.steady());
		Ok(self.book.peek(id))
	}

	/// Admits a request that a voucher pays for. It waits a moment for the vouchers before it.
	///
	/// # Errors
	/// [`ErrorCode::UnknownChannel`], [`ErrorCode::BadSignature`], [`ErrorCode::BadVoucher`],
	/// [`ErrorCode::ChannelDry`], [`ErrorCode::PrivateModel`], [`ErrorCode::RateLimited`], and those of a
	/// specification.
	pub(crate) async fn admit(
		&self,
		mut spec: JobSpec,
		payment: Payment,
		stream: bool,
	) -> Result<Admitted, RequestError> {
		let Payment { voucher: signed, secret, body } = payment;
		let voucher = signed.voucher;
		self.check_sight_of_channels().await?;
		let held = self.checked(&signed).await?;
		if spec_hash(&secret, &body) != voucher.spec_hash {
			let message = "the voucher is for another request: its spec_hash is not this body's";
			return RequestError::err(ErrorCode::BadVoucher, message);
		}
		spec.sampling.seed = sampler_seed(&voucher, &self.genesis);
		let priced = self.priced(&spec, voucher.channel, &held)?;
		let may_count = held.channel.kind.mode == Mode::Ordinary;
		if may_count && priced.terms.counted().is_none() && !self.is_known(&voucher).await? {
			priced.terms.check_counted()?;
		}
		let asked = Asked { spec, body, secret, stream };
		let request = self.request_of(asked, &signed, &held, priced);
		let (id, created_ms) = (request.id, request.created_ms);
		self.has_room()?;
		let is_repeated = match self.take_turn(&request).await? {
			Entrance::New => {
				self.metrics.jobs.inc();
				self.work.notify_one();
				false
			},
			Entrance::Known => true,
			Entrance::Past => {
				self.recalled(request).await?;
				true
			},
		};
		Ok(Admitted { id, created_ms, is_repeated })
	}

	/// Turns requests away while the queue is full.
	pub(super) fn has_room(&self) -> Result<(), RequestError> {
		if clamped::<u64, _>(self.book.waiting()) >= self.settings.max_queue {
			return RequestError::err(ErrorCode::RateLimited, "the queue is full; try again");
		}
		Ok(())
	}

	/// Checks whose voucher it is.
	pub(super) async fn checked(&self, signed: &SignedVoucher) -> Result<Held, RequestError> {
		let held = self.held(signed.voucher.channel).await?;
		held.channel
			.verify_voucher(&self.genesis, &signed.voucher, &signed.signature)
			.map_err(|error| RequestError::new(ErrorCode::BadSignature, error.as_str()))?;
		Ok(held)
	}

	/// Returns `true` if a voucher's request was admitted before: it keeps what held then.
	async fn is_known(&self, voucher: &Voucher) -> Result<bool, RequestError> {
		if self.book.fate(&voucher.seed(&self.genesis)).is_some() {
			return Ok(true);
		}
		let VoucherId { channel, number } = voucher.id();
		let receipt = self.read(move |db| Ok(rows::channel_receipt(db, channel, number)?));
		Ok(receipt.await?.is_some_and(|row| row.receipt.receipt.spec_hash == voucher.spec_hash))
	}

	/// Prices a request in the asset of its channel, at the price of the channel's plan if it has one.
	pub(super) fn priced(
		&self,
		spec: &JobSpec,
		channel: ChannelId,
		held: &Held,
	) -> Result<Priced, RequestError> {
		let terms = self.check_spec(spec)?;
		let asset = held.channel.kind.asset;
		let bad = |message: String| RequestError::new(ErrorCode::BadRequest, message);
		let unit_price = self
			.unit_price_of(channel, asset)
			.ok_or_else(|| bad(format!("{} is not taken here", asset.as_str())))?;
		let highest = unit_price
			.checked_mul(compute_units(spec.max_total_tokens(), terms.factor).into())
			.ok_or_else(|| bad("the request is too large to be priced".to_string()))?;
		Ok(Priced { terms, unit_price, highest })
	}

	/// Returns a request with the voucher that pays for it.
	pub(super) fn request_of(
		&self,
		asked: Asked,
		signed: &SignedVoucher,
		held: &Held,
		priced: Priced,
	) -> Request {
		let Asked { spec, body, secret, stream } = asked;
		let Priced { terms: Terms { model, factor, .. }, unit_price, highest } = priced;
		let (now, second) = (self.now(), 1_000);
		let settle_ms = self.settings.channels.settle_seconds.saturating_mul(second);
		let wait_ms = self.settings.channels.wait_seconds.saturating_mul(second);
		Request {
			id: signed.voucher.seed(&self.genesis),
			kind: held.channel.kind,
			signer: held.channel.voucher_key(),
			voucher: *signed,
			secret,
			body,
			model,
			spec,
			factor,
			unit_price,
			highest,
			created_ms: now,
			settle_by_ms: now.saturating_add(settle_ms),
			until_steady: self.time.steady().saturating_add(wait_ms),
			stream,
		}
	}

	/// Waits for the vouchers before it, and admits a request.
	async fn take_turn(&self, request: &Request) -> Result<Entrance, RequestError> {
		let channel = request.voucher.voucher.channel;
		let (end, day_ms) = (Instant::now() + TURN, self.day_ms().await?);
		let turn = self.book.turn(channel);
		let mut is_fresh = false;
		loop {
			let mut passed = std::pin::pin!(turn.notified());
			// From here on no admission is missed.
			passed.as_mut().enable();
			let now_steady = self.time.steady();
			let refusal = match self.book.admit(request.clone(), self.now(), now_steady, day_ms) {
				Ok(entrance) => return Ok(entrance),
				Err(refusal) => refusal,
			};
			match refusal {
				VoucherRefusal::OtherNumber => {
					if timeout_at(end, passed).await.is_err() {
						return Err(refused(refusal));
					}
				},
				// The client may have topped it up a moment ago.
				VoucherRefusal::AboveDeposit
				| VoucherRefusal::AboveDailyLimit
				| VoucherRefusal::Ending
					if !is_fresh && self.is_stale(channel) =>
				{
					is_fresh = true;
					self.read_channel(channel).await?;
				},
				_ => return Err(refused(refusal)),
			}
		}
	}

	/// Returns `true` if a refusal of the channel has it read again.
	pub(super) fn is_stale(&self, channel: ChannelId) -> bool {
		let now = self.time.steady();
		let held = self.book.held(channel, now);
		held.is_none_or(|held| now.saturating_sub(held.read_steady) >= FRESH_MS)
	}

	/// Finds the answer of a request that was answered before, also before the last start.
	async fn recalled(&self, request: Request) -> Result<(), RequestError> {
		let voucher = request.voucher.voucher;
		let found = self
			.read(move |db| Ok(rows::channel_receipt(db, voucher.channel, voucher.number)?))
			.await?;
		let is_same = |row: &ChannelReceiptRow| {
			row.receipt.receipt.spec_hash == voucher.spec_hash
				&& row.receipt.receipt.miner.is_some()
		};
		let row = found.filter(is_same).ok_or_else(|| refused(VoucherRefusal::OtherNumber))?;
		let Some(output) = row.output.as_deref() else {
			let message = "the answer has been deleted, as this coordinator does after a while";
			return RequestError::err(ErrorCode::Expired, message);
		};
		let finished = Finished {
			issued: self.issue(&row),
			id: row.id,
			model: row.model.clone(),
			created_ms: row.signed_ms,
			output: serde_json::from_str(output)?,
		};
		self.book.recall(request, finished, self.time.steady());
		Ok(())
	}

	/// Closes a voucher whose request has no answer, with a receipt of price 0; `None` if it is being
	/// worked for, or is not the next one. A voucher that has a receipt gets that one.
	///
	/// # Errors
	/// [`ErrorCode::UnknownChannel`], [`ErrorCode::BadSignature`], [`ErrorCode::BadVoucher`],
	/// [`ErrorCode::ChannelDry`].
	pub(super) async fn close_voucher(
		&self,
		signed: SignedVoucher,
	) -> Result<Option<ChannelReceiptRow>, RequestError> {
		let held = self.checked(&signed).await?;
		let (voucher, day_ms) = (signed.voucher, self.day_ms().await?);
		let known = self
			.read(move |db| Ok(rows::channel_receipt(db, voucher.channel, voucher.number)?))
			.await?;
		if known.is_some() {
			return Ok(known);
		}
		match self.book.pass(&voucher, self.now(), day_ms) {
			Ok(()) => self.add_without_answer(&signed, held.channel.kind, 0).await.map(Some),
			Err(VoucherRefusal::OtherNumber) => Ok(None),
			Err(refusal) => Err(refused(refusal)),
		}
	}
}
