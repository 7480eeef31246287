//! What a front does on chain about a coordinator that is late, or contradicts itself.
//!
//! With the account of the channel's client, and without being asked:
//!
//! - **A receipt is demanded** that is not settled in its time: the one with the highest count, because
//!   all before it are settled with it. One at a time; its deposits come back, whether it is answered or not.
//! - **A demand that got no answer is closed.** After that the front demands nothing more of the channel:
//!   what is not settled costs nothing.
//! - **Contradictions are reported**: a receipt that does not hold, beside one that it cannot be with.
//!
//! A receipt that the chain says is settled is not demanded: if the coordinator shows it, the deposit is
//! its own. `gridproof channel demand` does it for who wants to.

use crate::{error::FrontError, ledger::scale, payer::Payer};
use codec::{DecodeAll, Encode};
use gridproof_compute_api::{
	demands::{DemandState, Step, contradiction, is_overdue, next_step},
	protocol::IssuedReceipt,
};
use gridproof_primitives::compute::channels::{ChannelReceipt, ChannelSums};
use gridproof_store::{
	StoreError,
	rusqlite::{self, Connection, OptionalExtension, params},
};
use gridproof_support::{Backoff, number::clamped};
use std::time::Duration;

/// How often it is looked for receipts whose time is over, and for what is to be reported.
const LOOK: Duration = Duration::from_secs(30);
/// Pauses after the node has failed.
const RETRY: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// Receipts that are looked at together, the oldest that are not settled.
const SOME: u32 = 1_024;

/// Demands and reports until the future is dropped. Without an account there is nothing to do.
pub(crate) async fn watch(payer: &Payer) {
	if !payer.chain.has_account() {
		return std::future::pending().await;
	}
	let mut pauses = RETRY.pauses();
	loop {
		match once(payer).await {
			Ok(()) => {
				pauses.reset();
				tokio::time::sleep(LOOK).await;
			},
			Err(error) => {
				let pause = pauses.next_pause();
				tracing::warn!(%error, ?pause, "demands and reports wait");
				tokio::time::sleep(pause).await;
			},
		}
	}
}

/// Does what is due now.
pub(crate) async fn once(payer: &Payer) -> Result<(), FrontError> {
	report(payer).await?;
	follow(payer).await?;
	demand(payer).await
}

/// Follows the demand that is open, if there is one.
async fn follow(payer: &Payer) -> Result<(), FrontError> {
	let found = payer.ledger.database().read(|db| Ok::<_, StoreError>(open(db)?)).await?;
	let Some((number, issued)) = found else { return Ok(()) };
	let (receipt, coordinator) = (issued.receipt, *payer.coordinator());
	let listed = payer.chain.demands(coordinator).await?;
	if !listed.iter().any(|demand| demand.receipt == receipt) {
		tracing::info!(number, "the demand of a receipt is over");
		return set(payer, number, DemandState::Over).await;
	}
	let step = next_step(&receipt, false, &listed, true, payer.clock.now_ms());
	let Step::Lapse(id) = step else { return Ok(()) };
	match payer.chain.lapse(coordinator, id).await {
		Ok(()) => {
			tracing::error!(number, "the coordinator did not answer a demand: close the channel");
			set(payer, number, DemandState::Unanswered).await
		},
		Err(error) => Err(error.into()),
	}
}

/// Demands the receipt with the highest count whose time is over, if none is demanded.
async fn demand(payer: &Payer) -> Result<(), FrontError> {
	let id = payer.settings.channel;
	let channel = payer.chain.channel(id).await?.ok_or(FrontError::UnknownChannel(id))?;
	let (settled, now) = (channel.settled, payer.clock.now_ms());
	let found =
		payer.ledger.database().read(move |db| Ok::<_, StoreError>(late(db, settled, now)?));
	let Some(issued) = found.await? else { return Ok(()) };
	let Some(number) = number_of(&issued.receipt) else { return Ok(()) };
	let listed = payer.chain.demands(*payer.coordinator()).await?;
	if listed.iter().any(|demand| demand.receipt == issued.receipt) {
		return set(payer, number, DemandState::Open).await;
	}
	if next_step(&issued.receipt, false, &listed, false, now) != Step::Demand {
		return Ok(());
	}
	let deposit = payer.chain.demand_deposit().await?;
	tracing::warn!(
		number,
		deposit,
		"a receipt is not settled in its time: it is demanded on chain; the deposit, in units of 10⁻¹⁸ AIT, \
		 returns"
	);
	match payer.chain.demand(issued.receipt, issued.coordinator_signature).await {
		Ok(()) => set(payer, number, DemandState::Open).await,
		Err(error) if error.refusal().is_some() && !error.is_temporary() => {
			tracing::warn!(number, %error, "the chain does not take the demand");
			set(payer, number, DemandState::Refused).await
		},
		Err(error) => Err(error.into()),
	}
}

/// Reports receipts that do not hold, if another one proves it.
async fn report(payer: &Payer) -> Result<(), FrontError> {
	let unreported =
		payer.ledger.database().read(|db| Ok::<_, StoreError>(unreported(db)?)).await?;
	for (id, issued, others) in unreported {
		let (coordinator, genesis) = (*payer.coordinator(), payer.ledger.genesis());
		let evidence = contradiction(&issued, &others, payer.kind(), &coordinator, genesis);
		let outcome = match evidence {
			None => {
				tracing::warn!("a receipt does not hold, and nothing proves it to the chain");
				"unproven".to_string()
			},
			Some(evidence) => match payer.chain.report(coordinator, evidence).await {
				Ok(()) => {
					tracing::error!("the coordinator contradicts itself: it is reported");
					"proven".to_string()
				},
				Err(error) if error.refusal().is_some() && !error.is_temporary() => {
					tracing::warn!(%error, "the chain does not take the report");
					error.to_string()
				},
				Err(error) => return Err(error.into()),
			},
		};
		let sql = "UPDATE refused SET reported = ?2 WHERE id = ?1";
		let note = move |db: &Connection| {
			db.execute(sql, params![id, outcome])?;
			Ok::<_, StoreError>(())
		};
		payer.ledger.database().write(note).await?;
	}
	Ok(())
}

fn number_of(receipt: &ChannelReceipt) -> Option<u64> {
	receipt.receipt.voucher().map(|id| id.number)
}

/// Notes what became of the demand of a receipt, by its voucher's number.
async fn set(payer: &Payer, number: u64, state: DemandState) -> Result<(), FrontError> {
	let number: i64 = clamped(number);
	let note = move |db: &Connection| {
		let sql = "INSERT OR REPLACE INTO demands (number, state) VALUES (?1, ?2)";
		db.execute(sql, params![number, state.as_str()])?;
		Ok::<_, StoreError>(())
	};
	Ok(payer.ledger.database().write(note).await?)
}

/// Returns the receipt whose demand is open, with its voucher's number.
fn open(db: &Connection) -> rusqlite::Result<Option<(u64, IssuedReceipt)>> {
	let sql = "SELECT issued FROM requests JOIN demands USING (number)
		WHERE state = 'open' AND issued IS NOT NULL LIMIT 1";
	let found = db.prepare_cached(sql)?.query_row([], |row| scale::<IssuedReceipt>(row, "issued"));
	let issued = found.optional()?;
	Ok(issued.and_then(|issued| Some((number_of(&issued.receipt)?, issued))))
}

/// Returns the receipt with the highest count whose time is over, unless one is demanded now or had no
/// answer.
fn late(
	db: &Connection,
	settled: ChannelSums,
	now: u64,
) -> rusqlite::Result<Option<IssuedReceipt>> {
	let sql = "SELECT count(*) FROM demands WHERE state IN ('open', 'unanswered')";
	let held: i64 = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
	if held > 0 {
		return Ok(None);
	}
	let sql = "SELECT issued FROM requests WHERE count > ?1 ORDER BY count LIMIT ?2";
	let mut statement = db.prepare_cached(sql)?;
	let count: i64 = clamped(settled.count);
	let rows = statement.query_map(params![count, SOME], |row| scale(row, "issued"))?;
	let unsettled: Vec<IssuedReceipt> = rows.collect::<rusqlite::Result<_>>()?;
	let overdue = unsettled.iter().rfind(|one| is_overdue(&one.receipt, now));
	let Some(issued) = overdue else { return Ok(None) };
	let number: i64 = clamped(number_of(&issued.receipt).unwrap_or(0));
	let sql = "SELECT count(*) FROM demands WHERE number = ?1";
	let before: i64 = db.prepare_cached(sql)?.query_row([number], |row| row.get(0))?;
	Ok((before == 0).then_some(*issued))
}

/// A receipt that does not hold, by its row, and receipts that it may contradict.
type Suspect = (i64, IssuedReceipt, Vec<IssuedReceipt>);

/// Returns receipts that do not hold and that were not looked at yet.
fn unreported(db: &Connection) -> rusqlite::Result<Vec<Suspect>> {
	let sql = "SELECT id, number, issued FROM refused WHERE reported IS NULL ORDER BY id LIMIT 16";
	let mut statement = db.prepare_cached(sql)?;
	let rows = statement.query_map([], |row| {
		let number: i64 = row.get("number")?;
		Ok((row.get("id")?, number, scale::<IssuedReceipt>(row, "issued")?))
	})?;
	let mut suspects = Vec::new();
	for row in rows {
		let (id, number, issued): (i64, i64, IssuedReceipt) = row?;
		suspects.push((id, issued, near(db, number, &issued)?));
	}
	Ok(suspects)
}

/// Returns what the front holds that a receipt may contradict: the one of the same voucher, those with
/// the counts next to its own, and others that do not hold.
fn near(
	db: &Connection,
	number: i64,
	issued: &IssuedReceipt,
) -> rusqlite::Result<Vec<IssuedReceipt>> {
	let count: i64 = clamped(issued.receipt.sums.channel.count);
	let sql = "SELECT issued FROM requests WHERE number = ?1 AND issued IS NOT NULL
		UNION SELECT issued FROM (SELECT issued FROM requests WHERE count <= ?2
			ORDER BY count DESC LIMIT 1)
		UNION SELECT issued FROM (SELECT issued FROM requests WHERE count > ?2
			ORDER BY count LIMIT 1)
		UNION SELECT issued FROM refused WHERE number = ?1 AND issued <> ?3";
	let mut statement = db.prepare_cached(sql)?;
	let values = params![number, count, issued.encode()];
	let rows = statement.query_map(values, |row| row.get::<_, Vec<u8>>(0))?;
	let mut found = Vec::new();
	for row in rows {
		// What cannot be read proves nothing.
		found.extend(IssuedReceipt::decode_all(&mut &row?[..]));
	}
	Ok(found)
}
