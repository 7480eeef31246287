//! What everybody may read: receipts and batches without a text, and how far a channel is.

use super::batches::standstill;
use crate::{
	coordinator::Coordinator,
	error::RequestError,
	rows::{self, BatchRow, ChannelReceiptRow},
};
use codec::{DecodeAll, Encode};
use gridproof_compute_api::protocol::{
	BatchAnswer, BatchStage, ChannelInfo, CheckInfo, ClosedVouchers, ErrorCode, MAX_VOUCHERS,
	OpenVouchers, ReceiptAnswer, RefusedBatch,
};
use gridproof_primitives::{
	H256,
	compute::{
		channels::{
			Batch, ChannelId, ChannelReceipt, GivenUp, Lists, Placed, ReceiptProof, SignedVoucher,
		},
		checks::BatchId,
	},
};
use gridproof_support::text::{Amount, Hex32, Hex64, HexBytes};
use std::sync::Arc;

impl BatchRow {
	pub(crate) fn lists(&self) -> Lists {
		Lists {
			channels: self.channels.iter().map(|signed| signed.line).collect(),
			miners: self.miners.iter().map(|signed| signed.line).collect(),
			given_up: self.given_up.clone(),
		}
	}
}

impl Coordinator {
	/// Returns what is held of a channel.
	///
	/// # Errors
	/// [`ErrorCode::UnknownChannel`], [`ErrorCode::ChainUnavailable`].
	pub(crate) async fn channel_info(&self, id: ChannelId) -> Result<ChannelInfo, RequestError> {
		let held = self.held(id).await?;
		let (channel, unsettled) = (held.channel, held.unsettled);
		Ok(ChannelInfo {
			channel: id,
			coordinator: Hex32(self.public()),
			genesis: self.genesis.into(),
			kind: channel.kind,
			deposited: Amount(channel.deposited),
			settled: Amount(channel.settled.price),
			daily_limit: Amount(channel.daily_limit),
			ends_ms: channel.ends_ms,
			plan_ends_ms: channel.plan_ends_ms,
			newest: unsettled.newest,
			receipts: unsettled.sums.count,
			spent: Amount(unsettled.sums.price),
			open: Amount(unsettled.open),
		})
	}

	/// Closes vouchers of a channel whose requests have no answer.
	///
	/// # Errors
	/// [`ErrorCode::BadRequest`], and those of a voucher.
	pub(crate) async fn close_vouchers(
		&self,
		id: ChannelId,
		open: &OpenVouchers,
	) -> Result<ClosedVouchers, RequestError> {
		let bad = |message: &str| RequestError::new(ErrorCode::BadRequest, message);
		if open.vouchers.len() > MAX_VOUCHERS {
			return Err(bad("at most 256 vouchers at a time"));
		}
		let mut receipts = Vec::new();
		for bytes in &open.vouchers {
			let signed = SignedVoucher::decode_all(&mut &bytes.0[..])
				.map_err(|_| bad("a voucher is not SCALE of a signed voucher"))?;
			if signed.voucher.channel != id {
				return Err(bad("a voucher is of another channel"));
			}
			let row = self.close_voucher(signed).await?;
			receipts.push(row.map(|row| HexBytes(self.issue(&row).encode())));
		}
		Ok(ClosedVouchers { receipts })
	}

	/// Returns the receipt of a voucher.
	///
	/// # Errors
	/// [`ErrorCode::UnknownJob`].
	pub(crate) async fn receipt_of_voucher(
		&self,
		channel: ChannelId,
		number: u64,
	) -> Result<ReceiptAnswer, RequestError> {
		let row = self.read(move |db| Ok(rows::channel_receipt(db, channel, number)?)).await?;
		self.shown_receipt(row).await
	}

	/// Returns the receipt of an id.
	///
	/// # Errors
	/// [`ErrorCode::UnknownJob`].
	pub(crate) async fn receipt_by_id(&self, id: H256) -> Result<ReceiptAnswer, RequestError> {
		let row = self.read(move |db| Ok(rows::channel_receipt_by_id(db, id)?)).await?;
		self.shown_receipt(row).await
	}

	async fn shown_receipt(
		&self,
		row: Option<ChannelReceiptRow>,
	) -> Result<ReceiptAnswer, RequestError> {
		let unknown = || RequestError::new(ErrorCode::UnknownJob, "no such receipt");
		let row = row.ok_or_else(unknown)?;
		let issued = HexBytes(self.issue(&row).encode());
		let (receipt_id, batch) = (row.id.into(), row.batch);
		let (header, proof, given_up) = (None, None, None);
		let checks = Vec::new();
		let mut answer = ReceiptAnswer {
			receipt_id,
			issued,
			batch,
			stage: None,
			header,
			proof,
			given_up,
			checks,
		};
		let Some(sequence) = row.batch else { return Ok(answer) };
		let found = self.batch_row(sequence).await?;
		let stage = found.stage;
		answer.stage = Some(stage);
		answer.header = Some(HexBytes(found.header.encode()));
		let Some(batch) = self.tree_of(found).await? else { return Ok(answer) };
		(answer.proof, answer.given_up) = tokio::task::spawn_blocking(move || {
			let index = batch.receipts().iter().position(|one| *one == row.receipt)?;
			let proof = ReceiptProof::of(&batch, index).map(|proof| HexBytes(proof.encode()));
			let range = Placed::<GivenUp>::of(&batch, index);
			Some((proof, range.map(|range| HexBytes(range.encode()))))
		})
		.await
		.unwrap_or_default()
		.unwrap_or_default();
		if let (Some(checks), BatchStage::Final) = (self.ledger.checks(), stage) {
			let id = BatchId { coordinator: self.public(), sequence };
			// A node that is away keeps nobody from a receipt.
			let all = checks.reports(id, row.receipt).await.unwrap_or_default();
			answer.checks = all.iter().map(CheckInfo::from).collect();
		}
		Ok(answer)
	}

	/// Returns the tree of a batch; `None` if its receipts are no longer all there.
	pub(super) async fn tree_of(
		&self,
		found: BatchRow,
	) -> Result<Option<Arc<Batch>>, RequestError> {
		let (hash, sequence) = (found.header.hash(), found.header.sequence);
		if let Some(tree) = self.trees.find(&hash) {
			return Ok(Some(tree));
		}
		// One at a time: who asks for many receipts of one batch has it built once.
		let _building = self.building.lock().await;
		if let Some(tree) = self.trees.find(&hash) {
			return Ok(Some(tree));
		}
		let (_, receipts) = self.batch_with_receipts(sequence).await?;
		let built = tokio::task::spawn_blocking(move || {
			Batch::audit(&found.header, &found.lists(), receipts).ok().map(Arc::new)
		});
		let tree = built.await.unwrap_or_default();
		if let Some(tree) = &tree {
			self.trees.keep(hash, tree.clone());
		}
		Ok(tree)
	}

	pub(super) async fn batch_row(&self, sequence: u64) -> Result<BatchRow, RequestError> {
		let unknown = || RequestError::new(ErrorCode::UnknownBatch, "no such batch");
		self.read(move |db| Ok(rows::batch(db, sequence)?)).await?.ok_or_else(unknown)
	}

	pub(super) async fn batch_with_receipts(
		&self,
		sequence: u64,
	) -> Result<(BatchRow, Vec<ChannelReceipt>), RequestError> {
		let found = self
			.read(move |db| Ok((rows::batch(db, sequence)?, rows::batch_receipts(db, sequence)?)))
			.await?;
		let (batch, receipts) = found;
		let unknown = || RequestError::new(ErrorCode::UnknownBatch, "no such batch");
		let receipts = receipts.into_iter().map(|row| row.receipt).collect();
		Ok((batch.ok_or_else(unknown)?, receipts))
	}

	/// Returns the batch that the chain has refused permanently and whose receipts wait for the operator.
	///
	/// # Errors
	/// [`ErrorCode::Internal`].
	pub(crate) async fn refused_batch(&self) -> Result<Option<RefusedBatch>, RequestError> {
		let found = self.read(|db| Ok(rows::refused_batch(db)?)).await?;
		Ok(found.map(|batch| RefusedBatch {
			sequence: batch.header.sequence,
			since_ms: batch.decided_ms.unwrap_or(batch.made_ms),
			message: standstill(&batch),
			reason: batch.reason,
		}))
	}

	/// Returns a batch as it is published.
	///
	/// # Errors
	/// [`ErrorCode::UnknownBatch`].
	pub(crate) async fn batch_info(&self, sequence: u64) -> Result<BatchAnswer, RequestError> {
		let batch = self.batch_row(sequence).await?;
		let signature = self.key.sign(&batch.header.signing_payload(&self.genesis));
		Ok(BatchAnswer {
			sequence,
			stage: batch.stage,
			header: HexBytes(batch.header.encode()),
			signature: Hex64(signature),
			lists: HexBytes(batch.lists().encode()),
			cid: batch.header.cid.map(|cid| cid.to_string()),
			block: batch.block.map(Hex32::from),
			reason: batch.reason,
		})
	}

	/// Returns the file of receipts of a batch: SCALE of the receipts in the order of the tree. Its
	/// content identifier is in the header.
	///
	/// # Errors
	/// [`ErrorCode::UnknownBatch`].
	pub(crate) async fn batch_file(&self, sequence: u64) -> Result<Vec<u8>, RequestError> {
		let (_, mut receipts) = self.batch_with_receipts(sequence).await?;
		receipts.sort_by_key(ChannelReceipt::place);
		Ok(receipts.encode())
	}
}
