//! Sums over time, single things, and search.

use super::{
	spread::By,
	sql::{account, amount, hex, int, maybe, maybe_amount, maybe_hex, unsigned},
};
use crate::views::{
	ChannelView, EarningPoint, EnergyPoint, Found, JobView, MeterView, Page, SupplyPoint,
};
use gridproof_keys::account::{address, parse_account};
use gridproof_primitives::{energy::emlog::format_utc, time::day::Day};
use gridproof_store::{
	StoreError,
	rusqlite::{Connection, OptionalExtension, Row, params, types::ToSql},
};
use gridproof_support::text::{Amount, hexadecimal};
use std::collections::BTreeMap;

/// Whose energy is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
	/// A meter's.
	Meter(u32),
	/// That of an account's meters, as they are owned now.
	Owner([u8; 32]),
	/// That of a site's meters.
	Site(String),
}

/// What there was of the tokens at each moment, in UTC milliseconds; moments before the first block are left out.
pub(super) fn supplies(db: &Connection, moments: &[u64]) -> Result<Vec<SupplyPoint>, StoreError> {
	let mut select = db.prepare_cached(
		"SELECT height, ait, aicp, kwh FROM supplies WHERE time_ms <= ?1 ORDER BY time_ms DESC, height DESC LIMIT 1",
	)?;
	let mut points = Vec::with_capacity(moments.len());
	for moment in moments {
		let read = |row: &Row<'_>| {
			Ok(SupplyPoint {
				height: unsigned(row, 0)?,
				time: format_utc(*moment),
				ait: amount(row, 1)?,
				aicp: amount(row, 2)?,
				kwh: amount(row, 3)?,
			})
		};
		points.extend(select.query_row([int(*moment)], read).optional()?);
	}
	Ok(points)
}

/// Energy of spans of time that begin from one moment on and before another, in UTC milliseconds.
pub(super) fn energy(
	db: &Connection,
	whose: &Whose,
	by: By,
	(from, to): (u64, u64),
) -> Result<Vec<EnergyPoint>, StoreError> {
	let table = if by == By::Hour { "energy_hours" } else { "energy_days" };
	let (meters, key): (&str, Box<dyn ToSql>) = match whose {
		Whose::Meter(meter) => ("= ?1", Box::new(*meter)),
		Whose::Owner(owner) => {
			("IN (SELECT meter FROM meters WHERE owner = ?1)", Box::new(owner.to_vec()))
		},
		Whose::Site(site) => {
			("IN (SELECT meter FROM meters WHERE site = ?1)", Box::new(site.clone()))
		},
	};
	let sql = format!(
		"SELECT begin_ms, SUM(imported_wh), SUM(exported_wh), SUM(minted_wh) FROM {table} \
		 WHERE meter {meters} AND begin_ms >= ?2 AND begin_ms < ?3 GROUP BY begin_ms"
	);
	let mut statement = db.prepare_cached(&sql)?;
	let read = |row: &Row<'_>| {
		Ok((unsigned(row, 0)?, [unsigned(row, 1)?, unsigned(row, 2)?, unsigned(row, 3)?]))
	};
	let mut sums = BTreeMap::<u64, [u64; 3]>::new();
	for row in statement.query_map(params![key, int(from), int(to)], read)? {
		let (begin, parts) = row?;
		let sum = sums.entry(by.begin(begin)).or_default();
		for (sum, part) in sum.iter_mut().zip(parts) {
			*sum = sum.saturating_add(part);
		}
	}
	let point = |(begin, [imported_wh, exported_wh, minted_wh]): (u64, [u64; 3])| {
		let begin = format_utc(begin);
		EnergyPoint { begin, imported_wh, exported_wh, minted_wh }
	};
	Ok(sums.into_iter().map(point).collect())
}

fn meter_row(row: &Row<'_>) -> Result<MeterView, gridproof_store::rusqlite::Error> {
	Ok(MeterView {
		meter: unsigned(row, 0)?,
		site: row.get(1)?,
		device: row.get(2)?,
		name: row.get(3)?,
		owner: account(row, 4)?,
	})
}

/// Meters by their index, of a site or an owner if one is given.
pub(super) fn meters(
	db: &Connection,
	site: Option<&str>,
	owner: Option<[u8; 32]>,
	after: Option<u64>,
	limit: u32,
) -> Result<Page<MeterView>, StoreError> {
	let mut statement = db.prepare_cached(
		"SELECT meter, site, device, name, owner FROM meters WHERE meter > ?1 AND (?2 IS NULL OR site = ?2) \
		 AND (?3 IS NULL OR owner = ?3) ORDER BY meter LIMIT ?4",
	)?;
	// The index 0 is after nothing.
	let after = after.map_or(-1, int);
	let owner = owner.map(|owner| owner.to_vec());
	let more = i64::from(limit).saturating_add(1);
	let rows = statement.query_map(params![after, site, owner, more], meter_row)?;
	let mut entries = rows.collect::<Result<Vec<_>, _>>()?;
	let limit = usize::try_from(limit).unwrap_or(usize::MAX);
	let has_more = entries.len() > limit;
	entries.truncate(limit);
	let next = entries.last().filter(|_| has_more).map(|last| last.meter.to_string());
	Ok(Page { entries, next })
}

pub(super) fn job(db: &Connection, job: &[u8; 32]) -> Result<Option<JobView>, StoreError> {
	let select = "SELECT job, height, client, coordinator, asset, price, state, ended, receipt, miner, \
		units, paid, refund FROM jobs WHERE job = ?1";
	let read = |row: &Row<'_>| {
		Ok(JobView {
			job: hex(row, 0)?,
			height: unsigned(row, 1)?,
			client: account(row, 2)?,
			coordinator: hex(row, 3)?,
			asset: row.get(4)?,
			price: amount(row, 5)?,
			state: row.get(6)?,
			ended: maybe(row, 7)?,
			receipt: maybe_hex(row, 8)?,
			miner: maybe_hex(row, 9)?,
			units: maybe(row, 10)?,
			paid: maybe_amount(row, 11)?,
			refund: maybe_amount(row, 12)?,
		})
	};
	Ok(db.prepare_cached(select)?.query_row([job.as_slice()], read).optional()?)
}

pub(super) fn channel(db: &Connection, channel: u64) -> Result<Option<ChannelView>, StoreError> {
	let select = "SELECT channel, height, client, coordinator, asset, deposited, receipts, settled, ended, \
		rest FROM channels WHERE channel = ?1";
	let read = |row: &Row<'_>| {
		Ok(ChannelView {
			channel: unsigned(row, 0)?,
			height: unsigned(row, 1)?,
			client: account(row, 2)?,
			coordinator: hex(row, 3)?,
			asset: row.get(4)?,
			deposited: amount(row, 5)?,
			receipts: unsigned(row, 6)?,
			settled: amount(row, 7)?,
			ended: maybe(row, 8)?,
			rest: maybe_amount(row, 9)?,
		})
	};
	Ok(db.prepare_cached(select)?.query_row([int(channel)], read).optional()?)
}

/// What a key was paid in spans of time that begin from one moment on and before another, in UTC milliseconds.
pub(super) fn earned(
	db: &Connection,
	key: &[u8; 32],
	by: By,
	(from, to): (u64, u64),
) -> Result<Vec<EarningPoint>, StoreError> {
	let mut statement = db.prepare_cached(
		"SELECT day, what, asset, amount, claim FROM earning_days WHERE key = ?1 AND day BETWEEN ?2 AND ?3",
	)?;
	let (first, last) = (Day::from_unix_millis(from), Day::from_unix_millis(to.saturating_sub(1)));
	let read = |row: &Row<'_>| {
		let day = unsigned(row, 0)?;
		let text = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
		Ok((day, text, amount(row, 3)?, amount(row, 4)?))
	};
	let mut sums = BTreeMap::<(u64, (String, String)), (u128, u128)>::new();
	for row in statement.query_map(params![key.as_slice(), first.days(), last.days()], read)? {
		let (day, what, Amount(amount), Amount(claim)) = row?;
		let begin = by.begin(day.saturating_mul(super::spread::DAY));
		let sum = sums.entry((begin, what)).or_default();
		*sum = (sum.0.saturating_add(amount), sum.1.saturating_add(claim));
	}
	type Sum = ((u64, (String, String)), (u128, u128));
	let point = |((begin, (what, asset)), (amount, claim)): Sum| {
		let (begin, amount, claim) = (format_utc(begin), Amount(amount), Amount(claim));
		EarningPoint { begin, what, asset, amount, claim }
	};
	Ok(sums.into_iter().map(point).collect())
}

/// Things that a search gives of one kind.
const FOUND: u32 = 20;

/// Whatever somebody types.
pub(super) fn search(db: &Connection, text: &str) -> Result<Vec<Found>, StoreError> {
	let text = text.trim();
	let mut found = Vec::new();
	if let Ok(number) = text.parse::<u64>() {
		numbered(db, number, &mut found)?;
	}
	if let Ok(account) = parse_account(text) {
		named(db, &account, text.starts_with("0x"), &mut found)?;
	}
	if let Ok(day) = Day::parse(text) {
		let select = "SELECT height FROM reserve_days WHERE day = ?1 ORDER BY height DESC, place DESC LIMIT 1";
		let height = db
			.prepare_cached(select)?
			.query_row([day.days()], |row| unsigned(row, 0))
			.optional()?;
		found.extend(height.map(|height| of("day", day.to_string(), Some(height))));
	}
	if let Some((pallet, name)) = text.split_once('.') {
		let select = "SELECT MAX(height) FROM events WHERE pallet = ?1 AND name = ?2";
		let height = db.prepare_cached(select)?.query_row([pallet, name], |row| maybe(row, 0))?;
		found.extend(height.map(|height| of("event", text.to_string(), Some(height))));
	}
	meters_named(db, text, &mut found)?;
	Ok(found)
}

fn of(kind: &str, name: impl Into<String>, height: Option<u64>) -> Found {
	Found { kind: kind.to_string(), name: name.into(), height }
}

fn numbered(db: &Connection, number: u64, found: &mut Vec<Found>) -> Result<(), StoreError> {
	for (kind, select) in [
		("block", "SELECT height FROM blocks WHERE height = ?1"),
		("meter", "SELECT NULL FROM meters WHERE meter = ?1"),
		("channel", "SELECT height FROM channels WHERE channel = ?1"),
	] {
		let height =
			db.prepare_cached(select)?.query_row([int(number)], |row| maybe(row, 0)).optional()?;
		found.extend(height.map(|height| of(kind, number.to_string(), height)));
	}
	Ok(())
}

/// What 32 bytes are: the name of something, or an account.
fn named(
	db: &Connection,
	bytes: &[u8; 32],
	is_hex: bool,
	found: &mut Vec<Found>,
) -> Result<(), StoreError> {
	let before = found.len();
	for (kind, select) in [
		("block", "SELECT height FROM blocks WHERE hash = ?1"),
		(
			"transaction",
			"SELECT height FROM transactions WHERE hash = ?1 ORDER BY height DESC LIMIT 1",
		),
		("job", "SELECT height FROM jobs WHERE job = ?1"),
		("party", "SELECT MAX(height) FROM earnings WHERE key = ?1 HAVING COUNT(*) > 0"),
	] {
		if !is_hex {
			break;
		}
		let height = db
			.prepare_cached(select)?
			.query_row([bytes.as_slice()], |row| maybe(row, 0))
			.optional()?;
		found.extend(height.map(|height| of(kind, hexadecimal(bytes), height)));
	}
	let select = "SELECT MAX(height), EXISTS (SELECT 1 FROM named WHERE what = ?1 AND kind = 1), \
		EXISTS (SELECT 1 FROM transfers_of WHERE account = ?1) FROM named WHERE what = ?1";
	let read = |row: &Row<'_>| Ok((maybe(row, 0)?, row.get::<_, bool>(1)? || row.get(2)?));
	let (height, is_account) = db.prepare_cached(select)?.query_row([bytes.as_slice()], read)?;
	let Some(height) = height else { return Ok(()) };
	if is_account || !is_hex {
		found.push(of("account", address(bytes), Some(height)));
	} else if found.len() == before {
		// A key, a root, a header: what names it is in the events.
		found.push(of("named", hexadecimal(bytes), Some(height)));
	}
	Ok(())
}

/// Meters by `site/device/meter`, or by one of the three.
fn meters_named(db: &Connection, text: &str, found: &mut Vec<Found>) -> Result<(), StoreError> {
	let parts: Vec<&str> = text.split('/').map(str::trim).collect();
	let (filter, values): (&str, Vec<&str>) = match parts.as_slice() {
		[site, device, meter] => {
			("site = ?1 AND device = ?2 AND name = ?3", vec![site, device, meter])
		},
		[one] if !one.is_empty() => ("site = ?1 OR device = ?1 OR name = ?1", vec![one]),
		_ => return Ok(()),
	};
	let select = format!("SELECT meter FROM meters WHERE {filter} ORDER BY meter LIMIT {FOUND}");
	let mut statement = db.prepare_cached(&select)?;
	let values = gridproof_store::rusqlite::params_from_iter(values);
	for meter in statement.query_map(values, |row| unsigned(row, 0))? {
		found.push(of("meter", meter?.to_string(), None));
	}
	Ok(())
}
