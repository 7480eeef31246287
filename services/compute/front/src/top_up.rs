//! Raising a channel's deposit by rule, at most so much a day and altogether.
//!
//! What is added is on disk before the transaction is sent, so a stop in between, or a transaction whose
//! fate is unknown, is never followed by another one that passes the limits.

use crate::{error::FrontError, payer::Payer, settings::TopUp};
use gridproof_primitives::num::units::MILLIS_PER_DAY;
use gridproof_store::{
	StoreError,
	rusqlite::{self, Connection, OptionalExtension, params},
};
use gridproof_support::number::clamped;

/// How long the fate of a transaction may be unknown, in milliseconds: no transaction is valid for
/// longer.
const UNDECIDED_MS: u64 = 3_600_000;

/// What is decided by.
#[derive(Clone, Copy, Debug)]
struct Facts {
	left: u128,
	deposited: u128,
	/// The most that may ever be deposited.
	most: u128,
	now: u64,
}

/// Raises the deposit if the rule says so; returns what was added, in the asset's smallest unit.
///
/// # Errors
/// [`FrontError::Chain`], [`FrontError::Store`].
pub(crate) async fn once(payer: &Payer, left: u128) -> Result<u128, FrontError> {
	let channel = payer.channel();
	let rule = payer.settings.top_up.filter(|_| channel.ends_ms.is_none());
	let Some((rule, most)) = rule.zip(payer.settings.max_spend) else { return Ok(0) };
	let facts = Facts { left, deposited: channel.deposited, most, now: payer.clock.now_ms() };
	let db = payer.ledger.database();
	let booked = db.write::<_, StoreError, _>(move |db| Ok(book(db, rule, facts)?)).await?;
	let Some((id, amount)) = booked else { return Ok(0) };
	match payer.chain.top_up(payer.settings.channel, amount).await {
		Ok(()) => {
			db.write::<_, StoreError, _>(move |db| Ok(close(db, id)?)).await?;
			Ok(amount)
		},
		Err(error) => {
			if !error.is_temporary() || error.is_refusal() {
				// Nothing was added.
				db.write::<_, StoreError, _>(move |db| Ok(forget(db, id)?)).await?;
			}
			Err(error.into())
		},
	}
}

fn amount_of(text: &str) -> u128 {
	// What cannot be read counts as all there is.
	text.parse().unwrap_or(u128::MAX)
}

/// Notes what is added now, if anything is; returns its number and the amount.
fn book(db: &Connection, rule: TopUp, facts: Facts) -> rusqlite::Result<Option<(i64, u128)>> {
	let Facts { left, deposited, most, now } = facts;
	let sql = "SELECT id, amount, deposited, made_ms FROM top_ups WHERE is_open = 1";
	let open = db
		.query_row(sql, [], |row| {
			let (amount, before): (String, String) = (row.get("amount")?, row.get("deposited")?);
			let made: i64 = row.get("made_ms")?;
			Ok((row.get::<_, i64>("id")?, amount_of(&amount), amount_of(&before), made))
		})
		.optional()?;
	if let Some((id, amount, before, made)) = open {
		let made = u64::try_from(made).unwrap_or(0);
		if deposited >= before.saturating_add(amount) {
			close(db, id)?;
		} else if now.saturating_sub(made) < UNDECIDED_MS {
			return Ok(None);
		} else {
			forget(db, id)?;
		}
	}
	let day: i64 = clamped(now.checked_div(MILLIS_PER_DAY).unwrap_or(0));
	let mut statement = db.prepare_cached("SELECT amount FROM top_ups WHERE day = ?1")?;
	let rows = statement.query_map([day], |row| row.get::<_, String>("amount"))?;
	let mut today = 0u128;
	for text in rows {
		today = today.saturating_add(amount_of(&text?));
	}
	let amount = rule.due(left, deposited, most, today);
	if amount == 0 {
		return Ok(None);
	}
	let sql = "INSERT INTO top_ups (day, amount, deposited, made_ms, is_open)
		VALUES (?1, ?2, ?3, ?4, 1)";
	let made: i64 = clamped(now);
	db.execute(sql, params![day, amount.to_string(), deposited.to_string(), made])?;
	Ok(Some((db.last_insert_rowid(), amount)))
}

fn close(db: &Connection, id: i64) -> rusqlite::Result<()> {
	db.execute("UPDATE top_ups SET is_open = 0 WHERE id = ?1", [id]).map(drop)
}

fn forget(db: &Connection, id: i64) -> rusqlite::Result<()> {
	db.execute("DELETE FROM top_ups WHERE id = ?1", [id]).map(drop)
}

#[cfg(test)]
mod tests {
	use super::*;

	const DAY: u64 = MILLIS_PER_DAY;

	fn database() -> Connection {
		let db = Connection::open_in_memory().unwrap();
		db.execute_batch(crate::ledger::TOP_UPS).unwrap();
		db
	}

	#[test]
	fn what_is_added_keeps_the_limit_of_a_day_and_that_of_all() {
		let rule = TopUp { below: 10, by: 7, per_day: 20 };
		assert_eq!(rule.due(10, 0, 100, 0), 0, "enough is left");
		assert_eq!(rule.due(9, 0, 100, 0), 7);
		assert_eq!(rule.due(9, 0, 100, 14), 6);
		assert_eq!(rule.due(9, 0, 100, 20), 0);
		assert_eq!(rule.due(9, 97, 100, 0), 3);
		assert_eq!(rule.due(9, 100, 100, 0), 0);
		assert_eq!(rule.due(0, u128::MAX, 0, u128::MAX), 0);
	}

	#[test]
	fn a_transaction_of_unknown_fate_counts_until_the_chain_shows_it_or_cannot_any_more() {
		let rule = TopUp { below: 10, by: 7, per_day: 20 };
		let facts = |deposited, now| Facts { left: 0, deposited, most: 1_000, now };
		let db = database();
		assert_eq!(book(&db, rule, facts(50, 5)).unwrap().unwrap().1, 7);
		assert_eq!(book(&db, rule, facts(50, 6)).unwrap(), None, "it may still come");
		assert_eq!(book(&db, rule, facts(50, 5 + UNDECIDED_MS - 1)).unwrap(), None);
		// It never came: it counts no more.
		let second = book(&db, rule, facts(50, 5 + UNDECIDED_MS)).unwrap().unwrap();
		assert_eq!(second.1, 7);
		// The chain has it: the next one may be sent, and the day has what is left of its limit.
		let third = book(&db, rule, facts(57, 6 + UNDECIDED_MS)).unwrap().unwrap();
		close(&db, third.0).unwrap();
		let fourth = book(&db, rule, facts(64, 7 + UNDECIDED_MS)).unwrap().unwrap();
		close(&db, fourth.0).unwrap();
		assert_eq!((third.1, fourth.1), (7, 6));
		assert_eq!(book(&db, rule, facts(70, 8 + UNDECIDED_MS)).unwrap(), None);
		assert_eq!(book(&db, rule, facts(70, DAY)).unwrap().map(|(_, amount)| amount), Some(7));
	}
}
