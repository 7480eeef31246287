//! Lists in the order of blocks, a page at a time.

use super::sql::{
	account, amount, hex, int, maybe, maybe_account, maybe_amount, maybe_hex, unsigned,
};
use crate::views::{
	BlockView, EarningView, EventView, HistoryEntry, MoveView, Page, ReadingsView,
	ReceiptBatchView, ReserveDayView, SlashView, StateView, StepView, TransactionView,
	TransferView,
};
use gridproof_chain::tokens::Token;
use gridproof_primitives::{energy::emlog::format_utc, time::day::Day};
use gridproof_store::{
	StoreError,
	rusqlite::{self, Connection, Row, types::Value},
};

/// What of a list is asked for: by default all of it, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
	/// Entries of a page.
	pub(crate) limit: u32,
	/// Where the page begins: after the entry of this height and place.
	pub(crate) after: Option<(u64, u64)>,
	/// The newest first.
	pub(crate) newest_first: bool,
	/// From this block on.
	pub(crate) from: u64,
	/// Up to this block.
	pub(crate) to: u64,
}

/// A list: what is read, what has to hold, and where an entry stands.
struct List<'a, T> {
	columns: &'a str,
	table: &'a str,
	/// Names of height and place.
	at: (&'a str, &'a str),
	filters: Vec<(&'a str, Value)>,
	read: fn(&Row<'_>) -> rusqlite::Result<T>,
	place: fn(&T) -> (u64, u64),
}

impl<T> List<'_, T> {
	fn page(self, db: &Connection, asked: &Asked) -> Result<Page<T>, StoreError> {
		let (height, place) = self.at;
		let mut sql =
			format!("SELECT {} FROM {} WHERE {height} BETWEEN ? AND ?", self.columns, self.table);
		// What lies before the cursor is not looked at again.
		let (mut from, mut to) = (asked.from, asked.to);
		match asked.after {
			Some((after, _)) if asked.newest_first => to = to.min(after),
			Some((after, _)) => from = from.max(after),
			None => (),
		}
		let mut values = vec![Value::from(int(from)), Value::from(int(to))];
		for (filter, value) in self.filters {
			sql.push_str(&format!(" AND {filter}"));
			values.push(value);
		}
		let (than, order) = if asked.newest_first { ("<", "DESC") } else { (">", "ASC") };
		if let Some((after, at)) = asked.after {
			sql.push_str(&format!(" AND ({height}, {place}) {than} (?, ?)"));
			values.extend([Value::from(int(after)), Value::from(int(at))]);
		}
		sql.push_str(&format!(" ORDER BY {height} {order}, {place} {order} LIMIT ?"));
		// One more shows whether there is a next page.
		let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
		values.push(Value::from(i64::from(asked.limit).saturating_add(1)));
		let mut statement = db.prepare_cached(&sql)?;
		let rows = statement.query_map(rusqlite::params_from_iter(values), self.read)?;
		let mut entries = rows.collect::<Result<Vec<_>, _>>()?;
		let has_more = entries.len() > limit;
		entries.truncate(limit);
		let next = entries.last().filter(|_| has_more).map(|last| {
			let (height, place) = (self.place)(last);
			format!("{height}-{place}")
		});
		Ok(Page { entries, next })
	}
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
	unsigned(row, column).map(format_utc)
}

const BLOCK: &str = "height, hash, parent, time_ms, author, version, transactions, events";

fn block(row: &Row<'_>) -> rusqlite::Result<BlockView> {
	Ok(BlockView {
		height: unsigned(row, 0)?,
		hash: hex(row, 1)?,
		parent: hex(row, 2)?,
		time: time(row, 3)?,
		author: maybe_hex(row, 4)?,
		runtime: unsigned(row, 5)?,
		transactions: unsigned(row, 6)?,
		events: unsigned(row, 7)?,
	})
}

pub(super) fn blocks(db: &Connection, asked: &Asked) -> Result<Page<BlockView>, StoreError> {
	// A block has no place in itself.
	let place = |view: &BlockView| (view.height, view.height);
	let at = ("height", "height");
	List { columns: BLOCK, table: "blocks", at, filters: vec![], read: block, place }
		.page(db, asked)
}

const TRANSACTION: &str = "t.height, t.place, b.time_ms, t.hash, t.signer, t.nonce, t.pallet, t.call, t.bytes, t.error, t.fee";
const TRANSACTIONS: &str = "transactions t JOIN blocks b USING (height)";
/// Those of an account: from its own list, so that a page costs what it shows and not what there is.
const SIGNED: &str = "named n CROSS JOIN transactions t ON t.height = n.height AND t.place = n.place \
	JOIN blocks b ON b.height = n.height";

fn transaction(row: &Row<'_>) -> rusqlite::Result<TransactionView> {
	let error: Option<String> = row.get(9)?;
	Ok(TransactionView {
		height: unsigned(row, 0)?,
		place: unsigned(row, 1)?,
		time: time(row, 2)?,
		hash: hex(row, 3)?,
		signer: maybe_account(row, 4)?,
		nonce: maybe(row, 5)?,
		pallet: row.get(6)?,
		call: row.get(7)?,
		bytes: unsigned(row, 8)?,
		ok: error.is_none(),
		error,
		fee: maybe_amount(row, 10)?,
	})
}

/// What transactions are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transactions {
	pub(crate) signer: Option<[u8; 32]>,
	pub(crate) pallet: Option<String>,
	pub(crate) call: Option<String>,
	pub(crate) hash: Option<[u8; 32]>,
	pub(crate) ok: Option<bool>,
}

pub(super) fn transactions(
	db: &Connection,
	chosen: &Transactions,
	asked: &Asked,
) -> Result<Page<TransactionView>, StoreError> {
	let (mut filters, mut table, mut at) = (Vec::new(), TRANSACTIONS, ("t.height", "t.place"));
	let bytes = |bytes: &[u8; 32]| Value::from(bytes.to_vec());
	if let Some(signer) = &chosen.signer {
		filters.push(("n.kind = 1 AND n.what = ?", bytes(signer)));
		(table, at) = (SIGNED, ("n.height", "n.place"));
	}
	filters.extend(chosen.hash.as_ref().map(|hash| ("t.hash = ?", bytes(hash))));
	filters.extend(chosen.pallet.clone().map(|name| ("t.pallet = ?", Value::from(name))));
	filters.extend(chosen.call.clone().map(|name| ("t.call = ?", Value::from(name))));
	filters.extend(chosen.ok.map(|ok| ("(t.error IS NULL) = ?", Value::from(ok))));
	let place = |view: &TransactionView| (view.height, view.place);
	let read = transaction;
	List { columns: TRANSACTION, table, at, filters, read, place }.page(db, asked)
}

const EVENT: &str = "e.height, e.place, b.time_ms, e.caused_by, e.pallet, e.name, e.fields";
const EVENTS: &str = "events e JOIN blocks b USING (height)";
/// Those that name something.
const NAMING: &str = "named n CROSS JOIN events e ON e.height = n.height AND e.place = n.place \
	JOIN blocks b ON b.height = n.height";

fn event(row: &Row<'_>) -> rusqlite::Result<EventView> {
	let fields: String = row.get(6)?;
	Ok(EventView {
		height: unsigned(row, 0)?,
		place: unsigned(row, 1)?,
		time: time(row, 2)?,
		transaction: maybe(row, 3)?,
		pallet: row.get(4)?,
		name: row.get(5)?,
		fields: serde_json::from_str(&fields).unwrap_or_default(),
	})
}

/// What events are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
	pub(crate) pallet: Option<String>,
	pub(crate) name: Option<String>,
	/// Whatever they name in 32 bytes: an account, a key, a hash.
	pub(crate) names: Option<[u8; 32]>,
}

pub(super) fn events(
	db: &Connection,
	chosen: &Events,
	asked: &Asked,
) -> Result<Page<EventView>, StoreError> {
	let (mut filters, mut table, mut at) = (Vec::new(), EVENTS, ("e.height", "e.place"));
	if let Some(what) = &chosen.names {
		filters.push(("n.kind = 0 AND n.what = ?", Value::from(what.to_vec())));
		(table, at) = (NAMING, ("n.height", "n.place"));
	}
	filters.extend(chosen.pallet.clone().map(|name| ("e.pallet = ?", Value::from(name))));
	filters.extend(chosen.name.clone().map(|name| ("e.name = ?", Value::from(name))));
	let place = |view: &EventView| (view.height, view.place);
	List { columns: EVENT, table, at, filters, read: event, place }.page(db, asked)
}

/// Where something is named: its height, its kind and its place.
struct Mention {
	height: u64,
	is_transaction: bool,
	place: u64,
}

pub(super) fn history(
	db: &Connection,
	account: &[u8; 32],
	asked: &Asked,
) -> Result<Page<HistoryEntry>, StoreError> {
	// One number for places of both kinds, so that a cursor names one entry.
	let order = "2 * place + 1 - kind";
	let read = |row: &Row<'_>| {
		let kind = unsigned(row, 1)?;
		Ok(Mention {
			height: unsigned(row, 0)?,
			is_transaction: kind == 1,
			place: unsigned(row, 2)?,
		})
	};
	let place = |mention: &Mention| {
		let kind = u64::from(!mention.is_transaction);
		(mention.height, mention.place.saturating_mul(2).saturating_add(kind))
	};
	let filters = vec![("what = ?", Value::from(account.to_vec()))];
	let columns = "height, kind, place";
	let list = List { columns, table: "named", at: ("height", order), filters, read, place };
	let Page { entries, next } = list.page(db, asked)?;
	let mut shown = Vec::with_capacity(entries.len());
	for Mention { height, is_transaction, place } in entries {
		let at = [int(height), int(place)];
		let mut entry =
			HistoryEntry { height, time: String::new(), transaction: None, event: None };
		if is_transaction {
			let sql = format!(
				"SELECT {TRANSACTION} FROM {TRANSACTIONS} WHERE t.height = ? AND t.place = ?"
			);
			let found = db.prepare_cached(&sql)?.query_row(at, transaction)?;
			entry.time.clone_from(&found.time);
			entry.transaction = Some(found);
		} else {
			let sql = format!("SELECT {EVENT} FROM {EVENTS} WHERE e.height = ? AND e.place = ?");
			let found = db.prepare_cached(&sql)?.query_row(at, event)?;
			entry.time.clone_from(&found.time);
			entry.event = Some(found);
		}
		shown.push(entry);
	}
	Ok(Page { entries: shown, next })
}

/// Transfers from and to an account.
const TRANSFERS_OF: &str = "transfers_of o CROSS JOIN transfers t ON t.height = o.height AND t.place = o.place \
	JOIN blocks b ON b.height = o.height";

fn transfer(row: &Row<'_>) -> rusqlite::Result<TransferView> {
	let token: String = row.get(3)?;
	let decimals = token.parse::<Token>().map_or(0, Token::decimals);
	Ok(TransferView {
		height: unsigned(row, 0)?,
		place: unsigned(row, 1)?,
		time: time(row, 2)?,
		token,
		decimals,
		from: account(row, 4)?,
		to: account(row, 5)?,
		amount: amount(row, 6)?,
	})
}

pub(super) fn transfers(
	db: &Connection,
	of: Option<[u8; 32]>,
	token: Option<Token>,
	asked: &Asked,
) -> Result<Page<TransferView>, StoreError> {
	let (mut filters, mut table, mut at) =
		(Vec::new(), "transfers t JOIN blocks b USING (height)", ("t.height", "t.place"));
	if let Some(of) = of {
		filters.push(("o.account = ?", Value::from(of.to_vec())));
		(table, at) = (TRANSFERS_OF, ("o.height", "o.place"));
	}
	filters.extend(token.map(|token| ("t.token = ?", Value::from(token.symbol().to_string()))));
	let columns = "t.height, t.place, b.time_ms, t.token, t.sender, t.receiver, t.amount";
	let place = |view: &TransferView| (view.height, view.place);
	List { columns, table, at, filters, read: transfer, place }.page(db, asked)
}

pub(super) fn reserve_days(
	db: &Connection,
	asked: &Asked,
) -> Result<Page<ReserveDayView>, StoreError> {
	let read = |row: &Row<'_>| {
		let days = u32::try_from(unsigned(row, 3)?).unwrap_or(u32::MAX);
		Ok(ReserveDayView {
			height: unsigned(row, 0)?,
			place: unsigned(row, 1)?,
			time: time(row, 2)?,
			day: Day::from_days(days).unwrap_or(Day::LAST).to_string(),
			statement: hex(row, 4)?,
			reserve: amount(row, 5)?,
			target: amount(row, 6)?,
			allowance: amount(row, 7)?,
		})
	};
	let columns =
		"d.height, d.place, b.time_ms, d.day, d.statement, d.reserve, d.target, d.allowance";
	let table = "reserve_days d JOIN blocks b USING (height)";
	let place = |view: &ReserveDayView| (view.height, view.place);
	let filters = vec![];
	List { columns, table, at: ("d.height", "d.place"), filters, read, place }.page(db, asked)
}

pub(super) fn states(db: &Connection, asked: &Asked) -> Result<Page<StateView>, StoreError> {
	let read = |row: &Row<'_>| {
		Ok(StateView {
			height: unsigned(row, 0)?,
			place: unsigned(row, 1)?,
			time: time(row, 2)?,
			from: row.get(3)?,
			to: row.get(4)?,
			ratio: maybe_amount(row, 5)?,
		})
	};
	let columns = "s.height, s.place, b.time_ms, s.before, s.after, s.ratio";
	let table = "reserve_states s JOIN blocks b USING (height)";
	let place = |view: &StateView| (view.height, view.place);
	let filters = vec![];
	List { columns, table, at: ("s.height", "s.place"), filters, read, place }.page(db, asked)
}

pub(super) fn moves(
	db: &Connection,
	what: Option<String>,
	asked: &Asked,
) -> Result<Page<MoveView>, StoreError> {
	let read = |row: &Row<'_>| {
		Ok(MoveView {
			height: unsigned(row, 0)?,
			place: unsigned(row, 1)?,
			time: time(row, 2)?,
			what: row.get(3)?,
			who: maybe_account(row, 4)?,
			amount: amount(row, 5)?,
			credit: amount(row, 6)?,
		})
	};
	let columns = "m.height, m.place, b.time_ms, m.what, m.who, m.amount, m.credit";
	let table = "reserve_moves m JOIN blocks b USING (height)";
	let filters = what.map(|what| ("m.what = ?", Value::from(what))).into_iter().collect();
	let place = |view: &MoveView| (view.height, view.place);
	List { columns, table, at: ("m.height", "m.place"), filters, read, place }.page(db, asked)
}

pub(super) fn readings(
	db: &Connection,
	meter: u32,
	asked: &Asked,
) -> Result<Page<ReadingsView>, StoreError> {
	let read = |row: &Row<'_>| {
		Ok(ReadingsView {
			meter: unsigned(row, 0)?,
			sequence: unsigned(row, 1)?,
			height: unsigned(row, 2)?,
			time: time(row, 3)?,
			header: hex(row, 4)?,
			start: maybe(row, 5)?.map(format_utc),
			end: maybe(row, 6)?.map(format_utc),
			imported_wh: maybe(row, 7)?,
			exported_wh: maybe(row, 8)?,
			minted_wh: unsigned(row, 9)?,
			readings: maybe(row, 10)?,
			root: maybe_hex(row, 11)?,
		})
	};
	let columns = "r.meter, r.sequence, r.height, b.time_ms, r.header, r.start_ms, r.end_ms, \
		r.imported_wh, r.exported_wh, r.minted_wh, r.readings, r.root";
	let table = "energy_batches r JOIN blocks b USING (height)";
	let filters = vec![("r.meter = ?", Value::from(i64::from(meter)))];
	let place = |view: &ReadingsView| (view.height, view.sequence);
	List { columns, table, at: ("r.height", "r.sequence"), filters, read, place }.page(db, asked)
}

pub(super) fn receipt_batches(
	db: &Connection,
	coordinator: Option<[u8; 32]>,
	asked: &Asked,
) -> Result<Page<ReceiptBatchView>, StoreError> {
	let read = |row: &Row<'_>| {
		let batch = ReceiptBatchView {
			coordinator: hex(row, 0)?,
			sequence: unsigned(row, 1)?,
			height: unsigned(row, 2)?,
			time: time(row, 3)?,
			header: hex(row, 4)?,
			asset: row.get(5)?,
			receipts: unsigned(row, 6)?,
			price: amount(row, 7)?,
			units: amount(row, 8)?,
			fee: amount(row, 9)?,
		};
		Ok((batch, unsigned(row, 10)?))
	};
	let columns = "c.coordinator, c.sequence, c.height, b.time_ms, c.header, c.asset, c.receipts, \
		c.price, c.units, c.fee, c.place";
	let table = "batches c JOIN blocks b USING (height)";
	let own = coordinator.map(|key| ("c.coordinator = ?", Value::from(key.to_vec())));
	let filters = own.into_iter().collect();
	let place = |(view, place): &(ReceiptBatchView, u64)| (view.height, *place);
	let list = List { columns, table, at: ("c.height", "c.place"), filters, read, place };
	let Page { entries, next } = list.page(db, asked)?;
	Ok(Page { entries: entries.into_iter().map(|(view, _)| view).collect(), next })
}

pub(super) fn earnings(
	db: &Connection,
	key: &[u8; 32],
	asked: &Asked,
) -> Result<Page<EarningView>, StoreError> {
	let read = |row: &Row<'_>| {
		Ok(EarningView {
			height: unsigned(row, 0)?,
			place: unsigned(row, 1)?,
			time: time(row, 2)?,
			what: row.get(3)?,
			asset: row.get(4)?,
			amount: amount(row, 5)?,
			claim: amount(row, 6)?,
		})
	};
	let columns = "e.height, e.place, b.time_ms, e.what, e.asset, e.amount, e.claim";
	let table = "earnings e JOIN blocks b USING (height)";
	let filters = vec![("e.key = ?", Value::from(key.to_vec()))];
	let place = |view: &EarningView| (view.height, view.place);
	List { columns, table, at: ("e.height", "e.place"), filters, read, place }.page(db, asked)
}

pub(super) fn steps(db: &Connection, asked: &Asked) -> Result<Page<StepView>, StoreError> {
	let read = |row: &Row<'_>| {
		Ok(StepView {
			step: unsigned(row, 0)?,
			height: unsigned(row, 1)?,
			time: time(row, 2)?,
			claims: amount(row, 3)?,
			miners: amount(row, 4)?,
			coordinators: amount(row, 5)?,
			treasury: amount(row, 6)?,
		})
	};
	let columns = "step, height, time_ms, claims, miners, coordinators, treasury";
	let place = |view: &StepView| (view.height, view.step);
	let (table, at, filters) = ("emission_steps", ("height", "step"), vec![]);
	List { columns, table, at, filters, read, place }.page(db, asked)
}

pub(super) fn slashes(
	db: &Connection,
	key: Option<[u8; 32]>,
	asked: &Asked,
) -> Result<Page<SlashView>, StoreError> {
	let read = |row: &Row<'_>| {
		Ok(SlashView {
			height: unsigned(row, 0)?,
			place: unsigned(row, 1)?,
			time: time(row, 2)?,
			key: hex(row, 3)?,
			amount: amount(row, 4)?,
		})
	};
	let columns = "s.height, s.place, b.time_ms, s.key, s.amount";
	let table = "slashes s JOIN blocks b USING (height)";
	let own = key.map(|key| ("s.key = ?", Value::from(key.to_vec())));
	let filters = own.into_iter().collect();
	let place = |view: &SlashView| (view.height, view.place);
	List { columns, table, at: ("s.height", "s.place"), filters, read, place }.page(db, asked)
}
