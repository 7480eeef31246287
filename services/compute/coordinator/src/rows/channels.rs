//! Receipts of channels, counted where they are added: the writer is one thread, so the order of its
//! transactions is the order of the running sums.

use super::columns::{bytes, number, parsed, to_i64};
use axum::body::Bytes;
use codec::{DecodeAll, Encode};
use gridproof_primitives::{
	H256,
	compute::channels::{
		BatchKind, ChannelId, ChannelReceipt, ChannelSums, MinerSums, Mode, ReceiptV2, RunningSums,
		Secret, SignedVoucher,
	},
	crypto::ed25519::{PublicKey, Signature},
};
use gridproof_store::rusqlite::{
	self, Connection, Error, OptionalExtension, Row, named_params, params, types::Type,
};

/// A receipt that is about to be counted.
#[derive(Clone, Debug)]
pub(crate) struct NewReceipt {
	/// Id of the receipt.
	pub(crate) id: H256,
	/// Asset and mode of its channel.
	pub(crate) kind: BatchKind,
	/// What the miner signed, or what closes a voucher without an answer.
	pub(crate) receipt: ReceiptV2,
	/// The miner's signature.
	pub(crate) miner_signature: Option<Signature>,
	/// The voucher that pays.
	pub(crate) voucher: SignedVoucher,
	/// The request's secret.
	pub(crate) secret: Secret,
	/// The very bytes of the request's body; none without an answer.
	pub(crate) body: Bytes,
	/// Name of the model.
	pub(crate) model: String,
	/// Canonical JSON of the specification.
	pub(crate) spec: String,
	/// JSON of the token ids.
	pub(crate) tokens: Option<String>,
	/// JSON of the output.
	pub(crate) output: Option<String>,
}

/// Sums that the chain has settled up to: a database that is older than the chain continues there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Floor {
	/// Those of the channel.
	pub(crate) channel: ChannelSums,
	/// Those of the miner.
	pub(crate) miner: MinerSums,
}

/// A channel's sums and its newest voucher with a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountRow {
	/// Sums after its last receipt.
	pub(crate) sums: ChannelSums,
	/// The voucher of the highest number that has a receipt.
	pub(crate) voucher: SignedVoucher,
}

/// A receipt as the database has it. The coordinator's signature is not there: its key makes the same
/// one again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelReceiptRow {
	/// Its place in the order of all receipts.
	pub(crate) place: u64,
	/// Id of the receipt.
	pub(crate) id: H256,
	/// Receipt with its running sums.
	pub(crate) receipt: ChannelReceipt,
	/// The miner's signature.
	pub(crate) miner_signature: Option<Signature>,
	/// Name of the model.
	pub(crate) model: String,
	/// JSON of the output; none without an answer, and once its texts are deleted.
	pub(crate) output: Option<String>,
	/// When it was signed, UTC milliseconds.
	pub(crate) signed_ms: u64,
	/// Sequence number of its batch.
	pub(crate) batch: Option<u64>,
}

/// Returns the name of a mode in the database.
pub(super) const fn mode(mode: Mode) -> &'static str {
	match mode {
		Mode::Ordinary => "ordinary",
		Mode::Private => "private",
	}
}

/// Reads SCALE from a column.
pub(super) fn scale<T: DecodeAll>(row: &Row, column: &str) -> rusqlite::Result<T> {
	let data: Vec<u8> = row.get(column)?;
	T::decode_all(&mut &data[..]).map_err(|error| {
		let error = format!("column {column}: {error}");
		Error::FromSqlConversionFailure(0, Type::Blob, error.into())
	})
}

pub(super) fn receipt_of(row: &Row) -> rusqlite::Result<ChannelReceiptRow> {
	let batch: Option<i64> = row.get("batch")?;
	Ok(ChannelReceiptRow {
		place: number(row, "place")?,
		id: H256(bytes(row, "id")?),
		receipt: scale(row, "receipt")?,
		miner_signature: row.get::<_, Option<[u8; 64]>>("miner_signature")?,
		model: row.get("model")?,
		output: row.get("output")?,
		signed_ms: number(row, "signed_ms")?,
		batch: batch.and_then(|batch| u64::try_from(batch).ok()),
	})
}

/// Returns a channel's sums and newest voucher; `None` before its first receipt.
pub(crate) fn channel_account(
	db: &Connection,
	channel: ChannelId,
) -> rusqlite::Result<Option<AccountRow>> {
	let sql = "SELECT * FROM channel_accounts WHERE channel = ?1";
	let account = |row: &Row| {
		let sums = ChannelSums { count: number(row, "count")?, price: parsed(row, "price")? };
		Ok(AccountRow { sums, voucher: scale(row, "voucher")? })
	};
	db.prepare_cached(sql)?.query_row([to_i64(channel)], account).optional()
}

/// Returns a miner's sums in a kind; `None` before its first receipt.
pub(crate) fn miner_account(
	db: &Connection,
	kind: BatchKind,
	miner: Option<PublicKey>,
) -> rusqlite::Result<Option<MinerSums>> {
	let sql = "SELECT * FROM miner_accounts WHERE asset = ?1 AND mode = ?2 AND miner = ?3";
	let sums = |row: &Row| {
		Ok(MinerSums {
			count: number(row, "count")?,
			price: parsed(row, "price")?,
			weight: parsed(row, "weight")?,
		})
	};
	let key = miner.map_or(Vec::new(), |miner| miner.to_vec());
	let values = params![kind.asset.as_str(), mode(kind.mode), key];
	db.prepare_cached(sql)?.query_row(values, sums).optional()
}

/// Counts a receipt and keeps it. If its voucher has one, that one comes back and nothing changes.
///
/// # Errors
/// The database's; [`Error::IntegralValueOutOfRange`] if the sums do not fit.
pub(crate) fn add_channel_receipt(
	db: &Connection,
	new: &NewReceipt,
	floor: &Floor,
	now: u64,
) -> rusqlite::Result<(ChannelReceiptRow, bool)> {
	let voucher = new.voucher.voucher;
	if let Some(known) = channel_receipt(db, voucher.channel, voucher.number)? {
		return Ok((known, false));
	}
	let account = channel_account(db, voucher.channel)?;
	let channel = account.map_or(floor.channel, |account| {
		if account.sums.count < floor.channel.count { floor.channel } else { account.sums }
	});
	let miner = miner_account(db, new.kind, new.receipt.miner)?
		.filter(|sums| sums.count >= floor.miner.count)
		.unwrap_or(floor.miner);
	let too_large = || Error::IntegralValueOutOfRange(0, i64::MAX);
	let sums = RunningSums {
		kind: new.kind,
		channel: channel.after(new.receipt.price).ok_or_else(too_large)?,
		miner: miner.after(new.receipt.price, new.receipt.weight).ok_or_else(too_large)?,
	};
	let newest = account
		.filter(|account| account.voucher.voucher.number > voucher.number)
		.map_or(new.voucher, |account| account.voucher);
	set_accounts(db, new, &sums, &newest)?;
	let receipt = ChannelReceipt { receipt: new.receipt, sums };
	insert(db, new, &receipt, now)?;
	let added = channel_receipt(db, voucher.channel, voucher.number)?;
	Ok((added.ok_or(Error::QueryReturnedNoRows)?, true))
}

fn set_accounts(
	db: &Connection,
	new: &NewReceipt,
	sums: &RunningSums,
	newest: &SignedVoucher,
) -> rusqlite::Result<()> {
	db.prepare_cached(
		"INSERT OR REPLACE INTO channel_accounts (channel, count, price, number, voucher)
		 VALUES (?1, ?2, ?3, ?4, ?5)",
	)?
	.execute(params![
		to_i64(newest.voucher.channel),
		to_i64(sums.channel.count),
		sums.channel.price.to_string(),
		to_i64(newest.voucher.number),
		newest.encode(),
	])?;
	db.prepare_cached(
		"INSERT OR REPLACE INTO miner_accounts (asset, mode, miner, count, price, weight)
		 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	)?
	.execute(params![
		new.kind.asset.as_str(),
		mode(new.kind.mode),
		new.receipt.miner.map_or(Vec::new(), |miner| miner.to_vec()),
		to_i64(sums.miner.count),
		sums.miner.price.to_string(),
		sums.miner.weight.to_string(),
	])?;
	Ok(())
}

fn insert(
	db: &Connection,
	new: &NewReceipt,
	receipt: &ChannelReceipt,
	now: u64,
) -> rusqlite::Result<()> {
	db.prepare_cached(
		"INSERT INTO channel_receipts (channel, number, asset, mode, id, receipt, miner_signature,
			secret, request, voucher, model, spec, tokens, output, signed_ms)
		 VALUES (:channel, :number, :asset, :mode, :id, :receipt, :miner_signature,
			:secret, :request, :voucher, :model, :spec, :tokens, :output, :now)",
	)?
	.execute(named_params! {
		":channel": to_i64(new.voucher.voucher.channel),
		":number": to_i64(new.voucher.voucher.number),
		":asset": new.kind.asset.as_str(),
		":mode": mode(new.kind.mode),
		":id": new.id.0,
		":receipt": receipt.encode(),
		":miner_signature": new.miner_signature,
		":secret": new.secret,
		":request": &new.body[..],
		":voucher": new.voucher.encode(),
		":model": new.model,
		":spec": new.spec,
		":tokens": new.tokens,
		":output": new.output,
		":now": to_i64(now),
	})?;
	Ok(())
}

/// Returns the receipt of a voucher.
pub(crate) fn channel_receipt(
	db: &Connection,
	channel: ChannelId,
	number: u64,
) -> rusqlite::Result<Option<ChannelReceiptRow>> {
	let sql = "SELECT * FROM channel_receipts WHERE channel = ?1 AND number = ?2";
	let values = params![to_i64(channel), to_i64(number)];
	db.prepare_cached(sql)?.query_row(values, receipt_of).optional()
}

/// Returns the receipt of an id.
pub(crate) fn channel_receipt_by_id(
	db: &Connection,
	id: H256,
) -> rusqlite::Result<Option<ChannelReceiptRow>> {
	let sql = "SELECT * FROM channel_receipts WHERE id = ?1";
	db.prepare_cached(sql)?.query_row([id.0], receipt_of).optional()
}

/// What a receipt was made of, as long as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpeningRow {
	/// The receipt, as a row.
	pub(crate) receipt: ChannelReceiptRow,
	/// The request's secret.
	pub(crate) secret: Secret,
	/// The very bytes of the request's body.
	pub(crate) body: Vec<u8>,
	/// The voucher that pays.
	pub(crate) voucher: SignedVoucher,
	/// Canonical JSON of the specification.
	pub(crate) spec: String,
	/// JSON of the token ids; none where the engine states none.
	pub(crate) tokens: Option<String>,
}

/// Returns what the receipt of an id was made of: `None` if there is no such receipt, and nothing within
/// if it has no answer, or what it was made of is deleted or was never kept.
pub(crate) fn opening(
	db: &Connection,
	id: H256,
) -> rusqlite::Result<Option<(ChannelReceiptRow, Option<OpeningRow>)>> {
	let sql = "SELECT * FROM channel_receipts WHERE id = ?1";
	let read = |row: &Row| {
		let receipt = receipt_of(row)?;
		let (secret, body): (Option<[u8; 32]>, Option<Vec<u8>>) =
			(row.get("secret")?, row.get("request")?);
		let (spec, tokens): (Option<String>, Option<String>) =
			(row.get("spec")?, row.get("tokens")?);
		let kept = secret.zip(body).zip(spec.filter(|spec| !spec.is_empty()));
		let kept = kept.filter(|_| receipt.receipt.receipt.miner.is_some());
		let Some(((secret, body), spec)) = kept else { return Ok((receipt, None)) };
		let voucher = scale(row, "voucher")?;
		let opening = OpeningRow { receipt: receipt.clone(), secret, body, voucher, spec, tokens };
		Ok((receipt, Some(opening)))
	};
	db.prepare_cached(sql)?.query_row([id.0], read).optional()
}

/// Deletes requests, answers, token ids and secrets of receipts that were signed before a time, UTC
/// milliseconds, and whose batch's fate has been known since another: at most `limit`; returns how many.
/// The receipts stay.
pub(crate) fn delete_channel_texts(
	db: &Connection,
	since: u64,
	decided: u64,
	limit: u32,
) -> rusqlite::Result<usize> {
	db.prepare_cached(
		"UPDATE channel_receipts SET spec = NULL, tokens = NULL, output = NULL, secret = NULL,
			request = NULL, voucher = NULL
		 WHERE place IN (SELECT place FROM channel_receipts
			JOIN batches ON batches.sequence = channel_receipts.batch
			WHERE spec IS NOT NULL AND signed_ms <= ?1
				AND stage <> 'made' AND COALESCE(decided_ms, batches.made_ms) <= ?2 LIMIT ?3)",
	)?
	.execute(params![to_i64(since), to_i64(decided), limit])
}
