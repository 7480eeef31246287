//! What customers have used and owe. The sums are kept with each job and receipt, in the same
//! transaction: nobody adds up a history to know them, and they stay when its rows are deleted.

use super::columns::{number, parsed, to_i64};
use gridproof_compute_api::protocol::JobStage;
use gridproof_store::rusqlite::{self, Connection, OptionalExtension, Row, params};
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

/// A customer's sums in one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Balance {
	jobs: u64,
	units: u64,
	/// In the asset's smallest unit, as `held`.
	price: u128,
	open_jobs: u64,
	held: u128,
}

fn balance_of(row: &Row) -> rusqlite::Result<Balance> {
	Ok(Balance {
		jobs: number(row, "jobs")?,
		units: number(row, "units")?,
		price: parsed(row, "price")?,
		open_jobs: number(row, "open_jobs")?,
		held: parsed(row, "held")?,
	})
}

fn balance(db: &Connection, customer: &str, asset: &str) -> rusqlite::Result<Balance> {
	let mut known =
		db.prepare_cached("SELECT * FROM balances WHERE customer = ?1 AND asset = ?2")?;
	Ok(known.query_row([customer, asset], balance_of).optional()?.unwrap_or_default())
}

fn set_balance(
	db: &Connection,
	customer: &str,
	asset: &str,
	balance: &Balance,
) -> rusqlite::Result<()> {
	let Balance { jobs, units, price, open_jobs, held } = balance;
	let mut set = db.prepare_cached(
		"INSERT OR REPLACE INTO balances (customer, asset, jobs, units, price, open_jobs, held)
		 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	)?;
	set.execute(params![
		customer,
		asset,
		to_i64(*jobs),
		to_i64(*units),
		price.to_string(),
		to_i64(*open_jobs),
		held.to_string()
	])?;
	Ok(())
}

/// Returns what a customer owes and may come to owe by its open jobs, in an asset's smallest unit.
pub(crate) fn owed(db: &Connection, customer: &str, asset: &str) -> rusqlite::Result<u128> {
	let Balance { price, held, .. } = balance(db, customer, asset)?;
	Ok(price.saturating_add(held))
}

/// Notes that a job of this price was added, if it is a customer's: the price is held.
pub(super) fn hold(
	db: &Connection,
	customer: Option<&str>,
	asset: &str,
	price: u128,
) -> rusqlite::Result<()> {
	let Some(customer) = customer else { return Ok(()) };
	let mut balance = balance(db, customer, asset)?;
	balance.open_jobs = balance.open_jobs.saturating_add(1);
	balance.held = balance.held.saturating_add(price);
	set_balance(db, customer, asset, &balance)
}

/// Notes that a job of this price is over, if it is a customer's: nothing is held for it any more.
pub(super) fn release(
	db: &Connection,
	customer: Option<&str>,
	asset: &str,
	price: u128,
) -> rusqlite::Result<()> {
	let Some(customer) = customer else { return Ok(()) };
	let mut balance = balance(db, customer, asset)?;
	balance.open_jobs = balance.open_jobs.saturating_sub(1);
	balance.held = balance.held.saturating_sub(price);
	set_balance(db, customer, asset, &balance)
}

/// Notes what a job's receipt says, if it is a customer's.
pub(super) fn charge(
	db: &Connection,
	customer: Option<&str>,
	asset: &str,
	units: u64,
	price: u128,
) -> rusqlite::Result<()> {
	let Some(customer) = customer else { return Ok(()) };
	let mut balance = balance(db, customer, asset)?;
	balance.jobs = balance.jobs.saturating_add(1);
	balance.units = balance.units.saturating_add(units);
	balance.price = balance.price.saturating_add(price);
	set_balance(db, customer, asset, &balance)
}

/// Adds up the balances of a database that was written before there were any. Changes nothing in
/// others.
pub(crate) fn begin_balances(db: &Connection) -> rusqlite::Result<()> {
	let has = |sql: &str| db.query_row(sql, [], |row| row.get::<_, bool>(0));
	if has("SELECT EXISTS (SELECT 1 FROM balances)")?
		|| !has("SELECT EXISTS (SELECT 1 FROM jobs WHERE customer IS NOT NULL)")?
	{
		return Ok(());
	}
	let mut balances: BTreeMap<(String, String), Balance> = BTreeMap::new();
	let mut statement = db.prepare(
		"SELECT jobs.customer AS customer, jobs.asset AS asset, jobs.state AS state,
			jobs.price AS held, receipts.units AS units, receipts.price AS price
		 FROM jobs LEFT JOIN receipts USING (job) WHERE jobs.customer IS NOT NULL",
	)?;
	let mut rows = statement.query([])?;
	while let Some(row) = rows.next()? {
		let balance = balances.entry((row.get("customer")?, row.get("asset")?)).or_default();
		if !parsed::<JobStage>(row, "state")?.is_final() {
			balance.open_jobs = balance.open_jobs.saturating_add(1);
			balance.held = balance.held.saturating_add(parsed(row, "held")?);
		}
		if row.get::<_, Option<String>>("price")?.is_some() {
			balance.jobs = balance.jobs.saturating_add(1);
			balance.units = balance.units.saturating_add(number(row, "units")?);
			balance.price = balance.price.saturating_add(parsed(row, "price")?);
		}
	}
	for ((customer, asset), balance) in &balances {
		set_balance(db, customer, asset, balance)?;
	}
	Ok(())
}

/// Returns what a customer has used since a time, UTC milliseconds: since 0 all of it, else what the
/// receipts that are kept add up to.
pub(crate) fn usage(db: &Connection, customer: &str, since_ms: u64) -> rusqlite::Result<Usage> {
	let mut usage = Usage::default();
	let mut balances = db.prepare_cached("SELECT * FROM balances WHERE customer = ?1")?;
	let mut rows = balances.query([customer])?;
	while let Some(row) = rows.next()? {
		let (asset, balance): (String, Balance) = (row.get("asset")?, balance_of(row)?);
		usage.open_jobs = usage.open_jobs.saturating_add(balance.open_jobs);
		if balance.open_jobs > 0 {
			usage.held.insert(asset.clone(), balance.held);
		}
		if since_ms == 0 && balance.jobs > 0 {
			usage.jobs = usage.jobs.saturating_add(balance.jobs);
			usage.units = usage.units.saturating_add(balance.units);
			usage.prices.insert(asset, balance.price);
		}
	}
	if since_ms == 0 {
		return Ok(usage);
	}
	let mut done = db.prepare_cached(
		"SELECT jobs.asset AS asset, receipts.units AS units, receipts.price AS price
		 FROM jobs JOIN receipts USING (job)
		 WHERE jobs.customer = ?1 AND receipts.signed_ms >= ?2",
	)?;
	let mut rows = done.query(params![customer, to_i64(since_ms)])?;
	while let Some(row) = rows.next()? {
		usage.jobs = usage.jobs.saturating_add(1);
		usage.units = usage.units.saturating_add(number(row, "units")?);
		let (asset, price): (String, u128) = (row.get("asset")?, parsed(row, "price")?);
		let sum = usage.prices.entry(asset).or_default();
		*sum = sum.saturating_add(price);
	}
	Ok(usage)
}
