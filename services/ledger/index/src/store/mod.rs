//! What the index keeps, in one SQLite file.

mod figures;
mod lists;
mod schema;
mod spread;
mod sql;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use figures::Whose;
pub(crate) use lists::{Asked, Events, Transactions};
pub(crate) use spread::By;

use crate::{
	block::Block,
	views::{
		BlockDetail, BlockView, ChannelView, EarningPoint, EarningView, EnergyPoint, EventView,
		Found, HistoryEntry, JobView, MeterView, MoveView, Page, ReadingsView, ReceiptBatchView,
		ReserveDayView, SlashView, StateView, StepView, SupplyPoint, TransactionView, TransferView,
	},
};
use futures::future::BoxFuture;
use gridproof_chain::tokens::Token;
use gridproof_primitives::H256;
use gridproof_store::{
	Database, Options, StoreError,
	rusqlite::{Connection, OptionalExtension},
};
use schema::MIGRATIONS;
use sql::{int, maybe, unsigned};
use std::{path::Path, time::Duration};

/// Name of the file, in the folder.
const FILE: &str = "index.sqlite";
/// What was found out about the room on the disk is said for so long.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// Entries of a block's details.
const DETAILS: u32 = 1_000;

/// Where the index stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
	/// Height of the last block.
	pub(crate) height: u64,
	/// Hash of that block.
	pub(crate) hash: H256,
	/// Its time, in UTC milliseconds.
	pub(crate) time_ms: u64,
}

/// An answer of the store.
pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The database; clones share it.
#[derive(Clone)]
pub(crate) struct Store(Database);

impl Store {
	/// Opens the database of a folder.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
		// A block is a few hundred rows: few writes wait, each of many blocks.
		let options = Options { queue: 16, group: 16, ..Options::default() };
		Database::open(&folder.join(FILE), MIGRATIONS, &options).map(Self)
	}

	fn read<T, F>(&self, job: F) -> Answer<'_, T>
	where
		T: Send + 'static,
		F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
	{
		Box::pin(self.0.read(job))
	}

	/// Succeeds if what is written now is kept.
	pub(crate) fn alive(&self) -> Answer<'_, ()> {
		Box::pin(self.0.probe(PROBE_EVERY))
	}

	/// Bytes of the database.
	pub(crate) fn bytes(&self) -> u64 {
		std::fs::metadata(self.0.path()).map_or(0, |file| file.len())
	}

	/// The genesis of the chain that is indexed; none of a new database.
	pub(crate) fn genesis(&self) -> Answer<'_, Option<H256>> {
		self.read(|db| {
			let select = "SELECT value FROM meta WHERE name = 'genesis'";
			let read = |row: &gridproof_store::rusqlite::Row<'_>| row.get::<_, Vec<u8>>(0);
			let found = db.prepare_cached(select)?.query_row([], read).optional()?;
			Ok(found.and_then(|bytes| bytes.try_into().ok()).map(H256))
		})
	}

	/// Notes which chain is indexed.
	pub(crate) fn begin(&self, genesis: H256) -> Answer<'_, ()> {
		Box::pin(self.0.write(move |db| {
			db.prepare_cached("INSERT INTO meta VALUES ('genesis', ?1)")?
				.execute([genesis.0.as_slice()])?;
			Ok(())
		}))
	}

	/// The last block that is indexed.
	pub(crate) fn head(&self) -> Answer<'_, Option<Head>> {
		self.read(|db| {
			let select = "SELECT height, hash, time_ms FROM blocks ORDER BY height DESC LIMIT 1";
			let read = |row: &gridproof_store::rusqlite::Row<'_>| {
				let hash = row.get::<_, Vec<u8>>(1)?.try_into().unwrap_or_default();
				Ok(Head { height: unsigned(row, 0)?, hash: H256(hash), time_ms: unsigned(row, 2)? })
			};
			Ok(db.prepare_cached(select)?.query_row([], read).optional()?)
		})
	}

	/// The first block that is indexed.
	pub(crate) fn first(&self) -> Answer<'_, Option<u64>> {
		self.read(|db| {
			let select = "SELECT MIN(height) FROM blocks";
			Ok(db.prepare_cached(select)?.query_row([], |row| maybe(row, 0))?)
		})
	}

	/// Writes blocks, in order, all of them or none. That they follow each other is what makes them the place
	/// where the index stands.
	pub(crate) fn write(&self, blocks: Vec<Block>) -> Answer<'_, ()> {
		Box::pin(
			self.0.write(move |db| blocks.iter().try_for_each(|block| write::block(db, block))),
		)
	}

	/// Height of the first block of a moment or after it.
	pub(crate) fn height_from(&self, time_ms: u64) -> Answer<'_, Option<u64>> {
		self.read(move |db| {
			let select = "SELECT height FROM blocks WHERE time_ms >= ?1 ORDER BY time_ms LIMIT 1";
			let read = |row: &gridproof_store::rusqlite::Row<'_>| unsigned(row, 0);
			Ok(db.prepare_cached(select)?.query_row([int(time_ms)], read).optional()?)
		})
	}

	/// Time of the first block that has one, in UTC milliseconds.
	pub(crate) fn begin_ms(&self) -> Answer<'_, u64> {
		self.read(|db| {
			let select = "SELECT MIN(time_ms) FROM blocks WHERE time_ms > 0";
			Ok(db.prepare_cached(select)?.query_row([], |row| maybe(row, 0))?.unwrap_or_default())
		})
	}

	/// The height of a block by its hash.
	pub(crate) fn height_of(&self, hash: [u8; 32]) -> Answer<'_, Option<u64>> {
		self.read(move |db| {
			let select = "SELECT height FROM blocks WHERE hash = ?1";
			let read = |row: &gridproof_store::rusqlite::Row<'_>| unsigned(row, 0);
			Ok(db.prepare_cached(select)?.query_row([hash.as_slice()], read).optional()?)
		})
	}

	/// A block with what is in it.
	pub(crate) fn block(&self, height: u64) -> Answer<'_, Option<BlockDetail>> {
		self.read(move |db| {
			let asked = Asked {
				limit: DETAILS,
				after: None,
				newest_first: false,
				from: height,
				to: height,
			};
			let Some(block) = lists::blocks(db, &asked)?.entries.pop() else { return Ok(None) };
			let transactions = lists::transactions(db, &Transactions::default(), &asked)?.entries;
			let events = lists::events(db, &Events::default(), &asked)?.entries;
			Ok(Some(BlockDetail { block, transactions, events }))
		})
	}
}

macro_rules! answers {
	($(
		$(#[$doc:meta])*
		fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty = $read:expr;
	)*) => {
		impl Store {
			$(
				$(#[$doc])*
				pub(crate) fn $name(&self, $($argument: $type),*) -> Answer<'_, $answer> {
					self.read(move |db| $read(db, $(&$argument),*))
				}
			)*
		}
	};
}

answers! {
	/// Blocks.
	fn blocks(asked: Asked) -> Page<BlockView> = lists::blocks;
	/// Transactions.
	fn transactions(chosen: Transactions, asked: Asked) -> Page<TransactionView> = lists::transactions;
	/// Events.
	fn events(chosen: Events, asked: Asked) -> Page<EventView> = lists::events;
	/// What an account did, and what was done to it.
	fn history(account: [u8; 32], asked: Asked) -> Page<HistoryEntry> = lists::history;
	/// Statements about days.
	fn reserve_days(asked: Asked) -> Page<ReserveDayView> = lists::reserve_days;
	/// Changes of the state of coverage.
	fn states(asked: Asked) -> Page<StateView> = lists::states;
	/// Emission steps that ended.
	fn steps(asked: Asked) -> Page<StepView> = lists::steps;
	/// What a key was paid.
	fn earnings(key: [u8; 32], asked: Asked) -> Page<EarningView> = lists::earnings;
	/// A job by its id.
	fn job(job: [u8; 32]) -> Option<JobView> = figures::job;
	/// What there was of the tokens.
	fn supplies(moments: Vec<u64>) -> Vec<SupplyPoint> = |db, moments: &Vec<u64>| figures::supplies(db, moments);
	/// Whatever somebody types.
	fn search(text: String) -> Vec<Found> = |db, text: &String| figures::search(db, text);
	/// Transfers.
	fn transfers(of: Option<[u8; 32]>, token: Option<Token>, asked: Asked) -> Page<TransferView> =
		|db, of: &Option<[u8; 32]>, token: &Option<Token>, asked| lists::transfers(db, *of, *token, asked);
	/// Mints, redemptions, credit.
	fn moves(what: Option<String>, asked: Asked) -> Page<MoveView> =
		|db, what: &Option<String>, asked| lists::moves(db, what.clone(), asked);
	/// Batches of readings of a meter.
	fn readings(meter: u32, asked: Asked) -> Page<ReadingsView> =
		|db, meter: &u32, asked| lists::readings(db, *meter, asked);
	/// Batches of receipts.
	fn receipt_batches(coordinator: Option<[u8; 32]>, asked: Asked) -> Page<ReceiptBatchView> =
		|db, key: &Option<[u8; 32]>, asked| lists::receipt_batches(db, *key, asked);
	/// Slashes.
	fn slashes(key: Option<[u8; 32]>, asked: Asked) -> Page<SlashView> =
		|db, key: &Option<[u8; 32]>, asked| lists::slashes(db, *key, asked);
	/// A channel by its number.
	fn channel(channel: u64) -> Option<ChannelView> = |db, channel: &u64| figures::channel(db, *channel);
	/// Energy by spans of time.
	fn energy(whose: Whose, by: By, span: (u64, u64)) -> Vec<EnergyPoint> =
		|db, whose: &Whose, by: &By, span: &(u64, u64)| figures::energy(db, whose, *by, *span);
	/// Payments by spans of time.
	fn earned(key: [u8; 32], by: By, span: (u64, u64)) -> Vec<EarningPoint> =
		|db, key: &[u8; 32], by: &By, span: &(u64, u64)| figures::earned(db, key, *by, *span);
	/// Meters by their index.
	fn meters(site: Option<String>, owner: Option<[u8; 32]>, after: Option<u64>, limit: u32) -> Page<MeterView> =
		|db, site: &Option<String>, owner: &Option<[u8; 32]>, after: &Option<u64>, limit: &u32| {
			figures::meters(db, site.as_deref(), *owner, *after, *limit)
		};
}
