//! Plans of channels, and the API keys of those whose key the coordinator keeps.

use super::{
	channels::receipt_of,
	columns::{bytes, number, parsed, to_i64},
};
use gridproof_primitives::compute::{
	PriceAsset,
	channels::{ChannelId, ChannelSums, Tariff},
};
use gridproof_store::rusqlite::{
	self, Connection, Error, OptionalExtension, Row, params, types::Type,
};

/// A plan as it was sold to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanRow {
	/// Number of the channel.
	pub(crate) channel: ChannelId,
	/// Name of the plan.
	pub(crate) name: String,
	/// Price, tokens and days.
	pub(crate) tariff: Tariff,
	/// End of the last period that was bought while the plan was on offer, UTC milliseconds.
	pub(crate) until_ms: u64,
	/// `true` once the chain has the channel no more.
	pub(crate) gone: bool,
}

/// The API key of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRow {
	/// Number of the channel.
	pub(crate) channel: ChannelId,
	/// SHA-256 of the key.
	pub(crate) sha256: [u8; 32],
	/// The time that its client signed, UTC milliseconds.
	pub(crate) signed_ms: u64,
	/// When it was made, UTC milliseconds.
	pub(crate) made_ms: u64,
}

fn asset(row: &Row) -> rusqlite::Result<PriceAsset> {
	let text: String = row.get("asset")?;
	let all = [PriceAsset::Ait, PriceAsset::Aicp, PriceAsset::ServiceCredit];
	all.into_iter().find(|asset| asset.as_str() == text).ok_or_else(|| {
		let error = format!("column asset holds {text:?}");
		Error::FromSqlConversionFailure(0, Type::Text, error.into())
	})
}

fn plan_of(row: &Row) -> rusqlite::Result<PlanRow> {
	Ok(PlanRow {
		channel: number(row, "channel")?,
		name: row.get("name")?,
		tariff: Tariff {
			asset: asset(row)?,
			price: parsed(row, "price")?,
			tokens_per_day: number(row, "tokens_per_day")?,
			days: row.get("days")?,
		},
		until_ms: number(row, "until_ms")?,
		gone: row.get("gone")?,
	})
}

/// Returns all plans that were sold.
pub(crate) fn channel_plans(db: &Connection) -> rusqlite::Result<Vec<PlanRow>> {
	let mut statement = db.prepare_cached("SELECT * FROM channel_plans ORDER BY channel")?;
	statement.query_map([], plan_of)?.collect()
}

/// Keeps the plan of a channel; of one that is kept already, until when it was bought.
pub(crate) fn set_plan(db: &Connection, plan: &PlanRow) -> rusqlite::Result<()> {
	let Tariff { asset, price, tokens_per_day, days } = plan.tariff;
	db.prepare_cached(
		"INSERT INTO channel_plans (channel, name, asset, price, tokens_per_day, days, until_ms)
		 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		 ON CONFLICT (channel) DO UPDATE SET until_ms = excluded.until_ms",
	)?
	.execute(params![
		to_i64(plan.channel),
		plan.name,
		asset.as_str(),
		price.to_string(),
		to_i64(tokens_per_day),
		days,
		to_i64(plan.until_ms),
	])?;
	Ok(())
}

/// Notes that the chain has a channel no more.
pub(crate) fn end_plan(db: &Connection, channel: ChannelId) -> rusqlite::Result<()> {
	let sql = "UPDATE channel_plans SET gone = 1 WHERE channel = ?1";
	db.prepare_cached(sql)?.execute([to_i64(channel)])?;
	Ok(())
}

/// Returns the API keys of all channels.
pub(crate) fn channel_keys(db: &Connection) -> rusqlite::Result<Vec<KeyRow>> {
	let key = |row: &Row| {
		Ok(KeyRow {
			channel: number(row, "channel")?,
			sha256: bytes(row, "sha256")?,
			signed_ms: number(row, "signed_ms")?,
			made_ms: number(row, "made_ms")?,
		})
	};
	let mut statement = db.prepare_cached("SELECT * FROM channel_keys ORDER BY channel")?;
	statement.query_map([], key)?.collect()
}

/// Keeps the API key of a channel in place of the one before; `false`, and nothing changes, if that was
/// signed for at this time or later.
pub(crate) fn set_key(db: &Connection, key: &KeyRow) -> rusqlite::Result<bool> {
	let changed = db
		.prepare_cached(
			"INSERT INTO channel_keys (channel, sha256, signed_ms, made_ms) VALUES (?1, ?2, ?3, ?4)
			 ON CONFLICT (channel) DO UPDATE
			 SET sha256 = excluded.sha256, signed_ms = excluded.signed_ms, made_ms = excluded.made_ms
			 WHERE excluded.signed_ms > channel_keys.signed_ms",
		)?
		.execute(params![
			to_i64(key.channel),
			key.sha256,
			to_i64(key.signed_ms),
			to_i64(key.made_ms),
		])?;
	Ok(changed == 1)
}

/// Returns a channel's sums after its last receipt that was signed before a time, UTC milliseconds;
/// zeros if there is none.
pub(crate) fn sums_before(
	db: &Connection,
	channel: ChannelId,
	since_ms: u64,
) -> rusqlite::Result<ChannelSums> {
	let sql = "SELECT * FROM channel_receipts WHERE channel = ?1 AND signed_ms < ?2
		ORDER BY place DESC LIMIT 1";
	let values = params![to_i64(channel), to_i64(since_ms)];
	let last = db.prepare_cached(sql)?.query_row(values, receipt_of).optional()?;
	Ok(last.map_or_else(ChannelSums::default, |row| row.receipt.sums.channel))
}
