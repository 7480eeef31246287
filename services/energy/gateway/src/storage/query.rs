//! Parts of statements that several tables need.

use super::{
	filter::Page,
	rows::{Device, MeterRow},
};
use gridproof_primitives::energy::MeterName;
use gridproof_store::{
	StoreError,
	rusqlite::{self, Connection, OptionalExtension, Row, params, types::ToSql},
};

/// A whole number as SQLite has them; times and counts stay far below its bound.
pub(super) fn int(value: u64) -> i64 {
	i64::try_from(value).unwrap_or(i64::MAX)
}

/// A whole number that is never negative.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
	row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0))
}

/// The row of the meter with these ids; a new one if it has none.
pub(super) fn meter(
	db: &Connection,
	[site, device, meter]: [String; 3],
) -> Result<MeterRow, StoreError> {
	let find = "SELECT id FROM meters WHERE site = ?1 AND device = ?2 AND meter = ?3";
	let found = db
		.prepare_cached(find)?
		.query_row(params![site, device, meter], |row| row.get(0))
		.optional()?;
	if let Some(row) = found {
		return Ok(row);
	}
	db.prepare_cached("INSERT INTO meters (site, device, meter) VALUES (?1, ?2, ?3)")?
		.execute(params![site, device, meter])?;
	Ok(db.last_insert_rowid())
}

/// The row of the meter of this name, if it has one.
pub(super) fn known_meter(
	db: &Connection,
	name: &MeterName,
) -> Result<Option<MeterRow>, StoreError> {
	let find = "SELECT id FROM meters WHERE site = ?1 AND device = ?2 AND meter = ?3";
	Ok(db
		.prepare_cached(find)?
		.query_row(params![name.site(), name.device(), name.meter()], |row| row.get(0))
		.optional()?)
}

/// The device of a meter, if one was ever seen.
pub(super) fn device(db: &Connection, meter: MeterRow) -> Result<Option<Device>, StoreError> {
	let select =
		"SELECT device_key, exchanged_ms FROM meters WHERE id = ?1 AND device_key IS NOT NULL";
	let read = |row: &Row<'_>| Ok(Device { key: row.get(0)?, since_ms: unsigned(row, 1)? });
	Ok(db.prepare_cached(select)?.query_row([meter], read).optional()?)
}

/// Notes the device of a meter.
pub(super) fn set_device(
	db: &Connection,
	meter: MeterRow,
	device: Device,
) -> Result<(), StoreError> {
	db.prepare_cached("UPDATE meters SET device_key = ?2, exchanged_ms = ?3 WHERE id = ?1")?
		.execute(params![meter, device.key, int(device.since_ms)])?;
	Ok(())
}

/// All meters, in order of their rows.
pub(super) fn meters(db: &Connection) -> Result<Vec<(MeterRow, MeterName)>, StoreError> {
	let mut statement =
		db.prepare_cached("SELECT id, site, device, meter FROM meters ORDER BY id")?;
	let rows = statement.query_map([], |row| {
		let parts: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
		Ok((row.get(0)?, parts))
	})?;
	let mut meters = Vec::new();
	for row in rows {
		let (row, [site, device, meter]) = row?;
		let name = MeterName::new(&site, &device, &meter);
		let name = name.map_err(|_| StoreError::Sql("a meter without a name".to_string()))?;
		meters.push((row, name));
	}
	Ok(meters)
}

/// Conditions of a query with their values.
#[derive(Default)]
pub(super) struct Conditions {
	sql: String,
	values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
	/// Adds a condition; its `?` stands for `value`.
	pub(super) fn add<T: ToSql + 'static>(&mut self, condition: &str, value: Option<T>) {
		if let Some(value) = value {
			self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
			self.sql.push_str(condition);
			self.values.push(Box::new(value));
		}
	}

	/// Rows of `select`, of one page.
	pub(super) fn page<T>(
		mut self,
		db: &Connection,
		select: &str,
		id: &str,
		page: Page,
		read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
	) -> Result<Vec<T>, StoreError> {
		let (beyond, order) = if page.newest_first { ("<", "DESC") } else { (">", "ASC") };
		self.add(&format!("{id} {beyond} ?"), page.after);
		self.values.push(Box::new(page.limit));
		self.values.push(Box::new(int(page.offset)));
		let sql = format!("{select}{} ORDER BY {id} {order} LIMIT ? OFFSET ?", self.sql);
		let mut statement = db.prepare_cached(&sql)?;
		let values: Vec<&dyn ToSql> = self.values.iter().map(AsRef::as_ref).collect();
		let rows = statement.query_map(&values[..], read)?;
		Ok(rows.collect::<Result<_, _>>()?)
	}

	/// The number that `select` answers.
	pub(super) fn count(self, db: &Connection, select: &str) -> Result<u64, StoreError> {
		let mut statement = db.prepare_cached(&format!("{select}{}", self.sql))?;
		let values: Vec<&dyn ToSql> = self.values.iter().map(AsRef::as_ref).collect();
		Ok(statement.query_row(&values[..], |row| unsigned(row, 0))?)
	}
}
