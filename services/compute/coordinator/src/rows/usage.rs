//! What customers have used.

use super::columns::{number, parsed, to_i64};
use gridproof_store::rusqlite::{self, Connection, Row, params};
use std::collections::BTreeMap;

/// What a customer has used, and what its open jobs may still cost. Amounts are by asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
	/// Jobs with a receipt.
	pub(crate) jobs: u64,
	/// Their compute units.
	pub(crate) units: u64,
	/// Their prices, in the assets' smallest units.
	pub(crate) prices: BTreeMap<String, u128>,
	/// Jobs that are not over yet.
	pub(crate) open_jobs: u64,
	/// The most that these cost, in the assets' smallest units.
	pub(crate) held: BTreeMap<String, u128>,
}

impl Usage {
	/// Returns what has been used and may still be, in an asset's smallest unit.
	pub(crate) fn owed(&self, asset: &str) -> u128 {
		let of = |sums: &BTreeMap<String, u128>| sums.get(asset).copied().unwrap_or(0);
		of(&self.prices).saturating_add(of(&self.held))
	}
}

/// Returns what a customer has used since a time, UTC milliseconds.
pub(crate) fn usage(db: &Connection, customer: &str, since_ms: u64) -> rusqlite::Result<Usage> {
	let mut usage = Usage::default();
	let mut done = db.prepare_cached(
		"SELECT jobs.asset AS asset, receipts.units AS units, receipts.price AS price
		 FROM jobs JOIN receipts USING (job)
		 WHERE jobs.customer = ?1 AND receipts.signed_ms >= ?2",
	)?;
	let mut rows = done.query(params![customer, to_i64(since_ms)])?;
	while let Some(row) = rows.next()? {
		usage.jobs = usage.jobs.saturating_add(1);
		usage.units = usage.units.saturating_add(number(row, "units")?);
		add_to(&mut usage.prices, row)?;
	}
	let mut open = db.prepare_cached(
		"SELECT asset, price FROM jobs
		 WHERE customer = ?1 AND state IN ('queued', 'assigned', 'running')",
	)?;
	let mut rows = open.query([customer])?;
	while let Some(row) = rows.next()? {
		usage.open_jobs = usage.open_jobs.saturating_add(1);
		add_to(&mut usage.held, row)?;
	}
	Ok(usage)
}

fn add_to(sums: &mut BTreeMap<String, u128>, row: &Row) -> rusqlite::Result<()> {
	let (asset, price): (String, u128) = (row.get("asset")?, parsed(row, "price")?);
	let sum = sums.entry(asset).or_default();
	*sum = sum.saturating_add(price);
	Ok(())
}
