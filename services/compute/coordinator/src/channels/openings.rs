//! What a receipt was made of, for those who may see it: a verifier on which it falls or that re-opens a
//! report of it, witnesses and jurors while the chain says that they are needed, and its client. Nobody
//! sees that of a private channel.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	ledger::Seer,
	rows::{self, ChannelReceiptRow, OpeningRow},
};
use codec::{DecodeAll, Encode};
use gridproof_compute_api::protocol::{
	BatchStage, ErrorCode, OPENING_SKEW_MS, Opening, OpeningAsk, opening_payload,
};
use gridproof_keys::account::AccountSignature;
use gridproof_primitives::{
	H256,
	compute::{
		channels::Mode,
		checks::{BatchId, Duty, OpeningRequest, VerifierSignature},
	},
};
use gridproof_support::text::{Hex32, HexBytes};

/// Returns a refusal to show anything.
fn refused<T>(message: impl Into<String>) -> Result<T, RequestError> {
	RequestError::err(ErrorCode::NotShown, message)
}

/// Who asks, after its signature was checked.
enum Asker {
	Verifier(Box<OpeningRequest>),
	/// By its key.
	Client([u8; 32]),
}

/// Returns the name of a duty among the figures.
const fn named(duty: &Duty) -> &'static str {
	match duty {
		Duty::Drawn { .. } => "drawn",
		Duty::Reopens { .. } => "reopens",
		Duty::Witness(_) => "witness",
		Duty::Juror(_) => "juror",
	}
}

impl Coordinator {
	/// Returns what a receipt was made of.
	///
	/// # Errors
	/// [`ErrorCode::BadRequest`], [`ErrorCode::ClockSkew`], [`ErrorCode::BadSignature`],
	/// [`ErrorCode::UnknownJob`], [`ErrorCode::NotShown`], [`ErrorCode::Expired`],
	/// [`ErrorCode::ChainUnavailable`].
	pub(crate) async fn opening(
		&self,
		id: H256,
		ask: &OpeningAsk,
	) -> Result<Opening, RequestError> {
		// Strangers learn nothing, and cost nothing but the check of a signature.
		let asker = match ask {
			OpeningAsk::Verifier { request, signature } => {
				Asker::Verifier(Box::new(self.asking_verifier(&request.0, &signature.0)?))
			},
			OpeningAsk::Client { key, time_ms, signature } => {
				self.is_in_time(*time_ms)?;
				let (coordinator, genesis) = (self.public(), self.genesis);
				let payload = opening_payload(&genesis, &coordinator, &id, &key.0, *time_ms);
				let signature = AccountSignature::from_bytes(&signature.0);
				if !signature.is_some_and(|signature| signature.verifies(&payload, &key.0)) {
					let message = "the signature is not that of the stated key";
					return RequestError::err(ErrorCode::BadSignature, message);
				}
				Asker::Client(key.0)
			},
		};
		let found = self.read(move |db| Ok(rows::opening(db, id)?)).await?;
		let unknown = || RequestError::new(ErrorCode::UnknownJob, "no such receipt");
		let (row, opening) = found.ok_or_else(unknown)?;
		if row.receipt.sums.kind.mode == Mode::Private {
			return refused("a receipt of a private channel is never opened");
		}
		let whose = match asker {
			Asker::Client(key) => {
				self.is_its_client(&row, &key).await?;
				"client"
			},
			Asker::Verifier(request) => {
				self.may_see(&row, *request).await?;
				named(&request.duty)
			},
		};
		let gone = || {
			let message = "what the receipt was made of is not kept here (any more)";
			RequestError::new(ErrorCode::Expired, message)
		};
		let opening = self.shown_opening(opening.ok_or_else(gone)?)?;
		self.metrics.openings.with_label_values(&[whose]).inc();
		Ok(opening)
	}

	fn is_in_time(&self, time_ms: u64) -> Result<(), RequestError> {
		let now = self.now();
		if time_ms.abs_diff(now) > OPENING_SKEW_MS {
			let message = format!("signed for {time_ms}, and it is {now} here: sign again");
			return RequestError::err(ErrorCode::ClockSkew, message);
		}
		Ok(())
	}

	/// Reads a verifier's request, if it is signed by the key that it states, now.
	fn asking_verifier(
		&self,
		bytes: &[u8],
		signature: &VerifierSignature,
	) -> Result<OpeningRequest, RequestError> {
		let request = OpeningRequest::decode_all(&mut &bytes[..]).map_err(|_| {
			let message = "the request is not SCALE of a verifier's request for an opening";
			RequestError::new(ErrorCode::BadRequest, message)
		})?;
		self.is_in_time(request.time_ms)?;
		if request.is_signed(&self.genesis, signature) {
			return Ok(request);
		}
		RequestError::err(ErrorCode::BadSignature, "the signature is not that of the stated key")
	}

	/// Checks that a key is the one of the channel that pays, or that of the account that opened it.
	async fn is_its_client(
		&self,
		row: &ChannelReceiptRow,
		key: &[u8; 32],
	) -> Result<(), RequestError> {
		let unknown = || RequestError::new(ErrorCode::UnknownJob, "the receipt is of no channel");
		let channel = row.receipt.receipt.voucher().ok_or_else(unknown)?.channel;
		let held = self.held(channel).await?;
		if held.channel.signer == Some(*key) {
			return Ok(());
		}
		if self.chain_of_channels()?.client(channel).await? == Some(*key) {
			return Ok(());
		}
		refused(
			"only the client of the channel may see this: sign with the channel's key, or with that of \
			 the account that opened it",
		)
	}

	/// Checks that the chain lets a verifier see a receipt.
	async fn may_see(
		&self,
		row: &ChannelReceiptRow,
		request: OpeningRequest,
	) -> Result<(), RequestError> {
		let Some(checks) = self.ledger.checks() else {
			return refused("this chain has no checks, so no verifier may see this");
		};
		let batch = match row.batch {
			None => None,
			Some(sequence) => self.read(move |db| Ok(rows::batch(db, sequence)?)).await?,
		};
		let Some(batch) = batch.filter(|batch| batch.stage == BatchStage::Final) else {
			return refused("the receipt is not settled: only settled ones are checked");
		};
		let of = BatchId { coordinator: self.public(), sequence: batch.header.sequence };
		if of != request.batch {
			return refused("the receipt is settled by another batch");
		}
		let tree = self.tree_of(batch.clone()).await?;
		let index =
			tree.and_then(|tree| tree.receipts().iter().position(|one| *one == row.receipt));
		if index.and_then(|index| u64::try_from(index).ok()) != Some(request.index) {
			return refused("the receipt has another index in its batch");
		}
		let lists = batch.lists();
		let seer = Seer { request, receipt: row.receipt, header: batch.header, lists };
		match checks.refusal(seer).await? {
			None => Ok(()),
			Some(reason) => refused(reason),
		}
	}

	fn shown_opening(&self, row: OpeningRow) -> Result<Opening, RequestError> {
		let tokens = row.tokens.as_deref().map(serde_json::from_str).transpose()?;
		Ok(Opening {
			receipt_id: row.receipt.id.into(),
			issued: HexBytes(self.issue(&row.receipt).encode()),
			voucher: HexBytes(row.voucher.encode()),
			secret: Hex32(row.secret),
			request: HexBytes(row.body),
			spec: serde_json::from_str(&row.spec)?,
			tokens: tokens.unwrap_or_default(),
			batch: row.receipt.batch,
		})
	}
}
