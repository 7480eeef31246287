//! From a result to a receipt that is on disk.

use crate::{
	book::{Fate, Finished, Request},
	coordinator::Coordinator,
	error::RequestError,
	results::{CLOCK_SLACK_MS, measurable, plausible},
	rows::{self, ChannelReceiptRow, Floor, NewReceipt},
	sessions::Session,
};
use axum::body::Bytes;
use codec::{DecodeAll, Encode};
use gridproof_compute_api::protocol::{
	Accepted, ErrorCode, IssuedReceipt, JobResult, TokenIds, is_empty_answer, output_root, price_of,
};
use gridproof_primitives::{
	H256,
	compute::{
		channels::{BatchKind, MinerSums, PaidBy, ReceiptV2, Sampler, SignedVoucher},
		compute_units,
	},
	crypto::ed25519::PublicKey,
};
use gridproof_support::text::HexBytes;

impl Coordinator {
	/// Takes a miner's result for a request that a channel pays for: checks it, counts and keeps the
	/// receipt, and only then is the client's answer complete.
	pub(crate) async fn request_result(
		&self,
		session: &Session,
		request: &Request,
		result: &JobResult,
	) -> Result<Accepted, RequestError> {
		let id = request.id;
		if let Some(Fate::Done(_) | Fate::Ended(_)) = self.book.fate(&id) {
			return self.repeated_request(session, result).await;
		}
		self.is_held(session, id, result.attempt)?;
		// Checking takes its time, which is not the miner's.
		let until = self.time.steady().saturating_add(self.lease_ms());
		self.sessions.prolong(id, session.miner(), result.attempt, until);
		if is_empty_answer(&result.output) {
			let reason = "the answer is empty";
			self.end_request(id, Some(result.attempt), reason.to_string()).await?;
			return RequestError::err(ErrorCode::Implausible, "an empty answer costs nothing");
		}
		let receipt = match self.check_request(session, request, result).await {
			Ok(receipt) => receipt,
			Err(error) => {
				tracing::warn!(%error, "a result is refused");
				self.metrics.refused.inc();
				self.sessions.strike(session.miner(), self.time.steady());
				self.return_request(id, result.attempt, &error.message, true).await?;
				return Err(error);
			},
		};
		self.complete_request(session, request, result, receipt).await
	}

	/// Answers a result for a request that is over, also before the last start.
	pub(crate) async fn repeated_request(
		&self,
		session: &Session,
		result: &JobResult,
	) -> Result<Accepted, RequestError> {
		let unknown = || RequestError::new(ErrorCode::UnknownJob, "no such job");
		let receipt = ReceiptV2::decode_all(&mut &result.receipt.0[..]).map_err(|_| unknown())?;
		let voucher = receipt.voucher().ok_or_else(unknown)?;
		let row = self
			.read(move |db| Ok(rows::channel_receipt(db, voucher.channel, voucher.number)?))
			.await?
			.ok_or_else(unknown)?;
		if row.receipt.receipt != receipt || receipt.miner != Some(*session.miner()) {
			return RequestError::err(ErrorCode::AlreadyCompleted, "the request is over already");
		}
		let issued = Some(HexBytes(self.issue(&row).encode()));
		Ok(Accepted { receipt_id: row.id.into(), repeated: true, issued })
	}

	/// Checks a result by all rules, and returns its receipt.
	async fn check_request(
		&self,
		session: &Session,
		request: &Request,
		result: &JobResult,
	) -> Result<ReceiptV2, RequestError> {
		let mismatch = |message: &str| RequestError::new(ErrorCode::Mismatch, message);
		let receipt = ReceiptV2::decode_all(&mut &result.receipt.0[..])
			.map_err(|_| mismatch("the receipt is not SCALE of a receipt of version 2"))?;
		let (spec, output, telemetry) = (&request.spec, &result.output, &receipt.telemetry);
		let tokens = result.tokens.clone().unwrap_or_default();
		let root = output_root(spec, &tokens, &request.secret)
			.map_err(|error| mismatch(&error.to_string()))?;
		let weight = compute_units(output.tokens(), request.factor);
		let same = |a: u32, b: u64| u64::from(a) == b;
		let greedy = spec.sampling.temperature_milli == 0 || spec.max_tokens == 0;
		let rules = [
			(
				receipt.paid_by == PaidBy::Voucher(request.voucher.voucher.id()),
				"the receipt is another voucher's",
			),
			(receipt.miner == Some(*session.miner()), "the receipt is another miner's"),
			(receipt.model == request.model, "the receipt is of another model"),
			(
				receipt.spec_hash == request.voucher.voucher.spec_hash,
				"the receipt is for another request",
			),
			(receipt.output_root == root, "the receipt's root is not the output's"),
			(counted(&tokens, output.prompt_tokens, output.completion_tokens), "token ids differ"),
			(same(telemetry.input_tokens, output.prompt_tokens), "input tokens differ"),
			(same(telemetry.output_tokens, output.completion_tokens), "output tokens differ"),
			(receipt.weight == weight, "the weight is not that of the tokens"),
			(
				receipt.price == price_of(weight, request.unit_price, request.highest),
				"the price is not the weight's price",
			),
			((receipt.sampler == Sampler::Greedy) == greedy, "the sampler is not the request's"),
			(receipt.settle_by_ms == request.settle_by_ms, "the receipt states another time"),
		];
		if let Some((_, reason)) = rules.into_iter().find(|(holds, _)| !holds) {
			return Err(mismatch(reason));
		}
		let since = self.sessions.held_since(&request.id).unwrap_or(0);
		let longest = self.time.steady().saturating_sub(since).saturating_add(CLOCK_SLACK_MS);
		plausible(spec, output, self.settings.text_bounds_tokens)
			.and(measurable(telemetry, longest))
			.map_err(|reason| RequestError::new(ErrorCode::Implausible, reason))?;
		receipt
			.verify_miner(&self.genesis, &result.signature.0)
			.map_err(|error| RequestError::new(ErrorCode::BadSignature, error.as_str()))?;
		if greedy {
			// What is drawn by the voucher's seed, only that seed draws again.
			self.check_again(spec.clone(), output).await?;
		}
		Ok(receipt)
	}

	/// Counts and keeps a receipt with its output, all or nothing, and answers.
	async fn complete_request(
		&self,
		session: &Session,
		request: &Request,
		result: &JobResult,
		receipt: ReceiptV2,
	) -> Result<Accepted, RequestError> {
		let id = request.id;
		if !self.book.close(&id, Some(result.attempt)) {
			// Somebody was faster: this very result, sent twice at once.
			return RequestError::err(ErrorCode::NotAssigned, "the request is being completed");
		}
		let new = NewReceipt {
			id: receipt.id(&self.genesis),
			kind: request.kind,
			receipt,
			miner_signature: Some(result.signature.0),
			voucher: request.voucher,
			secret: request.secret,
			body: request.body.clone(),
			model: request.spec.model.clone(),
			spec: request.spec.canonical(),
			tokens: result.tokens.as_ref().map(serde_json::to_string).transpose()?,
			output: Some(serde_json::to_string(&result.output)?),
		};
		let row = match self.add_receipt(new, request.highest).await {
			Ok(row) => row,
			Err(error) => {
				self.book.reopen(&id, true);
				return Err(error);
			},
		};
		self.sessions.release(&id);
		if row.receipt.receipt != receipt {
			// Its client closed the voucher meanwhile, which cannot be while it is worked for.
			self.book.end(
				&id,
				Fate::Ended("the voucher is closed".to_string()),
				self.time.steady(),
			);
			self.live.end(id);
			return self.repeated_request(session, result).await;
		}
		let issued = self.issue(&row);
		let finished = Finished {
			issued,
			id: row.id,
			model: row.model,
			created_ms: request.created_ms,
			output: result.output.clone(),
		};
		self.book.end(&id, Fate::Done(finished.into()), self.time.steady());
		self.live.end(id);
		self.metrics.completed.inc();
		self.metrics.tokens.inc_by(result.output.tokens());
		self.metrics.units.inc_by(receipt.weight);
		self.work.notify_one();
		let issued = Some(HexBytes(issued.encode()));
		Ok(Accepted { receipt_id: row.id.into(), repeated: false, issued })
	}

	/// Closes a voucher with a receipt that says that there is no answer.
	pub(super) async fn add_without_answer(
		&self,
		voucher: &SignedVoucher,
		kind: BatchKind,
		highest: u128,
	) -> Result<ChannelReceiptRow, RequestError> {
		let settle_ms = self.settings.channels.settle_seconds.saturating_mul(1_000);
		let settle_by_ms = self.now().saturating_add(settle_ms);
		let receipt = ReceiptV2::without_answer(&voucher.voucher, settle_by_ms);
		let new = NewReceipt {
			id: receipt.id(&self.genesis),
			kind,
			receipt,
			miner_signature: None,
			voucher: *voucher,
			secret: [0; 32],
			body: Bytes::new(),
			model: String::new(),
			spec: String::new(),
			tokens: None,
			output: None,
		};
		self.add_receipt(new, highest).await
	}

	/// Counts and keeps a receipt of a request that cost at most `highest`.
	async fn add_receipt(
		&self,
		new: NewReceipt,
		highest: u128,
	) -> Result<ChannelReceiptRow, RequestError> {
		let channel = new.voucher.voucher.channel;
		let miner = self.miner_floor(new.kind, new.receipt.miner).await?;
		let floor = Floor { channel: self.held(channel).await?.channel.settled, miner };
		let (now, price) = (self.now(), new.receipt.price);
		let (row, is_new) =
			self.write(move |db| Ok(rows::add_channel_receipt(db, &new, &floor, now)?)).await?;
		if is_new {
			self.book.count(channel, highest, price);
			self.counted.notify_one();
		}
		Ok(row)
	}

	/// Returns what the chain has settled of a miner, asked once in a run: a database that is older than
	/// the chain must not count from below.
	async fn miner_floor(
		&self,
		kind: BatchKind,
		miner: Option<PublicKey>,
	) -> Result<MinerSums, RequestError> {
		if let Some(known) = self.book.floor(kind, miner) {
			return Ok(known);
		}
		let chain = self.chain_of_channels()?;
		let sums = match chain.miner_sums(self.public(), kind, miner).await {
			Ok(sums) => sums,
			Err(error) => {
				// What the database has is no less, unless it was exchanged for an older one.
				let ours = self.read(move |db| Ok(rows::miner_account(db, kind, miner)?)).await?;
				return ours.ok_or_else(|| error.into());
			},
		};
		self.book.set_floor(kind, miner, sums);
		Ok(sums)
	}

	/// Returns a receipt with its signatures. The coordinator's is made again from its key: it is the
	/// same each time.
	pub(crate) fn issue(&self, row: &ChannelReceiptRow) -> IssuedReceipt {
		let payload = row.receipt.coordinator_payload(&self.genesis);
		IssuedReceipt {
			receipt: row.receipt,
			coordinator_signature: self.key.sign(&payload),
			miner_signature: row.miner_signature,
		}
	}

	/// Takes a request back whose client has left, if no miner has it: it costs nothing.
	///
	/// # Errors
	/// [`ErrorCode::Internal`], [`ErrorCode::ChainUnavailable`].
	pub(crate) async fn abandon(&self, id: H256) -> Result<(), RequestError> {
		self.end_request(id, None, "its client left".to_string()).await
	}
}

/// Returns `true` if token ids are as many as are billed, or are not reported at all.
fn counted(tokens: &TokenIds, read: u64, made: u64) -> bool {
	let is = |tokens: &[u32], billed: u64| {
		tokens.is_empty() || u64::try_from(tokens.len()) == Ok(billed)
	};
	is(&tokens.prompt, read) && is(&tokens.output, made)
}
