//! Vouchers and receipts on disk. A voucher gets its number and amount in the writer's transaction, so
//! that requests at the same time neither share a number nor pass a limit together.

use crate::{
	check::{self, ReceiptRefusal, Terms},
	error::FrontError,
};
use codec::{DecodeAll, Encode};
use gridproof_compute_api::protocol::IssuedReceipt;
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	H256,
	compute::channels::{
		BatchKind, ChannelId, ChannelSums, Secret, SignedVoucher, Voucher, voucher_amount,
	},
	crypto::ed25519::PublicKey,
};
use gridproof_store::{
	Database, Options, StoreError,
	rusqlite::{self, Connection, OptionalExtension, Row, params},
};
use gridproof_support::{Lock, number::clamped, text::Amount};
use serde::Serialize;
use std::{
	path::Path,
	sync::{Arc, Mutex},
};
use tokio::{sync::oneshot, task::JoinSet};
use utoipa::ToSchema;

/// Name of the database in its folder.
const FILE: &str = "front.db";

const MIGRATIONS: &[&str] = &[
	"
	CREATE TABLE known (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
	CREATE TABLE requests (
		number INTEGER PRIMARY KEY,
		customer TEXT NOT NULL,
		model TEXT NOT NULL,
		highest TEXT NOT NULL,
		factor INTEGER NOT NULL,
		unit_price TEXT NOT NULL,
		voucher BLOB NOT NULL,
		secret BLOB NOT NULL,
		made_ms INTEGER NOT NULL,
		-- The receipt with its signatures; none while the request is open.
		issued BLOB,
		count INTEGER UNIQUE,
		sum TEXT,
		price TEXT
	) STRICT;
	CREATE INDEX requests_open ON requests (number) WHERE issued IS NULL;
	-- What each customer, and all of them ('' ), have spent, and what their open requests may cost.
	CREATE TABLE totals (
		customer TEXT PRIMARY KEY,
		requests INTEGER NOT NULL,
		spent TEXT NOT NULL,
		open TEXT NOT NULL
	) STRICT;
	-- Receipts that do not hold, as they came.
	CREATE TABLE refused (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, issued BLOB NOT NULL,
		reason TEXT NOT NULL, UNIQUE (number, issued)) STRICT;
",
	"
	-- Receipts that were demanded on chain, by the number of their voucher.
	CREATE TABLE demands (
		number INTEGER PRIMARY KEY,
		state TEXT NOT NULL CHECK (state IN ('open', 'over', 'unanswered', 'refused'))
	) STRICT;
	-- What became of the report of a receipt that does not hold; none before it is looked at.
	ALTER TABLE refused ADD COLUMN reported TEXT;
",
	TOP_UPS,
];

/// The table of what was added to the deposit by rule.
pub(crate) const TOP_UPS: &str = "
	CREATE TABLE top_ups (
		id INTEGER PRIMARY KEY,
		-- Number of the day (UTC).
		day INTEGER NOT NULL,
		amount TEXT NOT NULL,
		-- What had been deposited before.
		deposited TEXT NOT NULL,
		made_ms INTEGER NOT NULL,
		-- 1 until it is known to be on chain.
		is_open INTEGER NOT NULL
	) STRICT;
	CREATE INDEX top_ups_by_day ON top_ups (day);
";

/// Sums of requests, in the smallest unit of the channel's asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
	/// Number of requests with a receipt.
	pub requests: u64,
	/// Sum of their prices.
	pub spent: u128,
	/// Sum of the highest prices of the requests that are open.
	pub open: u128,
}

/// What an API key has spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Spent {
	/// Name of the API key.
	pub customer: String,
	/// Number of its requests with a receipt.
	pub requests: u64,
	/// Sum of their prices, in the asset's smallest unit.
	pub spent: Amount,
	/// Sum of the highest prices of its open requests.
	pub open: Amount,
}

/// A request that is about to be paid for.
#[derive(Clone, Debug)]
pub(crate) struct NewRequest {
	pub(crate) customer: String,
	pub(crate) model: String,
	pub(crate) highest: u128,
	pub(crate) factor: u32,
	pub(crate) unit_price: u128,
	pub(crate) spec_hash: H256,
	pub(crate) secret: Secret,
	/// The most that all requests together may cost.
	pub(crate) max_spend: Option<u128>,
	/// The most that those of this customer may.
	pub(crate) limit: Option<u128>,
}

/// What the front knows of its channel, and signs with.
pub(crate) struct Ledger {
	db: Database,
	key: Arc<SealedKey>,
	genesis: H256,
	channel: ChannelId,
	coordinator: PublicKey,
	kind: BatchKind,
	/// Receipts on their way to the disk.
	tasks: Mutex<JoinSet<()>>,
}

/// A receipt on its way to the disk.
pub(crate) struct Taking {
	is_good: oneshot::Receiver<()>,
	kept: oneshot::Receiver<Result<(), FrontError>>,
}

impl Taking {
	/// Returns when the receipt is good, and goes to the disk meanwhile; when it is not, after that is
	/// kept.
	///
	/// # Errors
	/// [`FrontError::Dishonest`].
	pub(crate) async fn checked(self) -> Result<(), FrontError> {
		let Self { is_good, kept } = self;
		match is_good.await {
			Ok(()) => Ok(()),
			Err(_) => Self::ended(kept).await,
		}
	}

	/// Returns when the receipt is on disk.
	///
	/// # Errors
	/// [`FrontError::Dishonest`]; it is kept as it came, too.
	pub(crate) async fn kept(self) -> Result<(), FrontError> {
		Self::ended(self.kept).await
	}

	async fn ended(kept: oneshot::Receiver<Result<(), FrontError>>) -> Result<(), FrontError> {
		kept.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
	}
}

/// An error inside of a transaction.
struct Broken(FrontError);

impl From<StoreError> for Broken {
	fn from(error: StoreError) -> Self {
		Self(error.into())
	}
}

impl From<rusqlite::Error> for Broken {
	fn from(error: rusqlite::Error) -> Self {
		Self(StoreError::from(error).into())
	}
}

impl From<FrontError> for Broken {
	fn from(error: FrontError) -> Self {
		Self(error)
	}
}

impl Ledger {
	/// Opens the database in a folder, which belongs to one channel of one chain.
	pub(crate) async fn open(
		folder: &Path,
		key: SealedKey,
		genesis: H256,
		channel: ChannelId,
		coordinator: PublicKey,
		kind: BatchKind,
	) -> Result<Self, FrontError> {
		let db = Database::open(&folder.join(FILE), MIGRATIONS, &Options::default())?;
		let ours = (genesis, channel, coordinator).encode();
		let wanted = ours.clone();
		let known: Vec<u8> = db
			.write::<_, StoreError, _>(move |db| {
				let sql = "INSERT INTO known VALUES ('channel', ?1) ON CONFLICT DO NOTHING";
				db.execute(sql, [ours])?;
				let sql = "SELECT value FROM known WHERE name = 'channel'";
				Ok(db.query_row(sql, [], |row| row.get(0))?)
			})
			.await?;
		if known != wanted {
			return Err(FrontError::OtherFolder(folder.display().to_string()));
		}
		Ok(Self {
			db,
			key: Arc::new(key),
			genesis,
			channel,
			coordinator,
			kind,
			tasks: Mutex::default(),
		})
	}

	/// The database, for what else a front keeps.
	pub(crate) const fn database(&self) -> &Database {
		&self.db
	}

	/// Hash of the chain's first block.
	pub(crate) const fn genesis(&self) -> &H256 {
		&self.genesis
	}

	/// Signs the voucher of the next number for a request; it is on disk when this returns.
	pub(crate) async fn pay(&self, new: NewRequest, now: u64) -> Result<SignedVoucher, FrontError> {
		let (key, genesis, channel) = (self.key.clone(), self.genesis, self.channel);
		let signed = self.db.write(move |db| sign(db, &new, &key, &genesis, channel, now));
		signed.await.map_err(|Broken(error)| error)
	}

	/// Checks the receipt of a request and keeps it. The same again changes nothing. `held` is dropped when
	/// the receipt is on disk, or cannot be kept.
	pub(crate) fn take<H: Send + 'static>(
		&self,
		number: u64,
		issued: IssuedReceipt,
		held: H,
	) -> Taking {
		let (genesis, coordinator, kind) = (self.genesis, self.coordinator, self.kind);
		let (db, (checked, is_good)) = (self.db.clone(), oneshot::channel());
		let (answer, kept) = oneshot::channel();
		let mut tasks = self.tasks.locked();
		while tasks.try_join_next().is_some() {}
		tasks.spawn(async move {
			let keeping = db.write(move |db| {
				let Some(open) = request(db, number)? else { return Ok(Ok(())) };
				let good = good(db, &open, &issued, kind, &coordinator, &genesis)?;
				match good {
					Ok(true) => keep(db, &open, &issued)?,
					Ok(false) => (),
					Err(refusal) => note_refused(db, number, &issued, &refusal)?,
				}
				if good.is_ok() {
					// The one who asked may have gone.
					let _ = checked.send(());
				}
				Ok(good.map(|_| ()))
			});
			let taken = keeping.await.map_err(|Broken(error)| error);
			if let Err(error) = &taken {
				tracing::warn!(number, %error, "a receipt was not kept; it is asked for again");
			}
			drop(held);
			// Who has its answer already does not wait for this one.
			let _ = answer.send(taken.and_then(|good| good.map_err(FrontError::Dishonest)));
		});
		Taking { is_good, kept }
	}

	/// Returns when all receipts that were taken are on disk.
	pub(crate) async fn written(&self) {
		let mut tasks = std::mem::take(&mut *self.tasks.locked());
		while tasks.join_next().await.is_some() {}
	}

	/// Returns the vouchers whose requests have no receipt, by rising number.
	pub(crate) async fn open_vouchers(&self) -> Result<Vec<SignedVoucher>, FrontError> {
		let found = self.db.read(|db| {
			let sql = "SELECT voucher FROM requests WHERE issued IS NULL ORDER BY number";
			let mut statement = db.prepare_cached(sql)?;
			let rows = statement.query_map([], |row| scale(row, "voucher"))?;
			Ok::<_, StoreError>(rows.collect::<rusqlite::Result<Vec<SignedVoucher>>>()?)
		});
		Ok(found.await?)
	}

	/// Returns the highest number that was signed; 0 before the first.
	pub(crate) async fn newest(&self) -> Result<u64, FrontError> {
		Ok(self.db.read(|db| Ok::<_, StoreError>(newest(db)?)).await?)
	}

	/// Returns a receipt that does not hold, if there is one.
	pub(crate) async fn refused(&self) -> Result<Option<String>, FrontError> {
		let found = self.db.read(|db| {
			let sql = "SELECT reason FROM refused ORDER BY id LIMIT 1";
			Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0)).optional()?)
		});
		Ok(found.await?)
	}

	/// Returns the sums of all requests.
	pub(crate) async fn totals(&self) -> Result<Totals, FrontError> {
		// Where it is written, so that receipts on their way to the disk are counted.
		Ok(self.db.write(|db| Ok::<_, StoreError>(totals(db, "")?)).await?)
	}

	/// Returns what each API key has spent.
	pub(crate) async fn spent(&self) -> Result<Vec<Spent>, FrontError> {
		// As totals.
		let found = self.db.write(|db| {
			let sql = "SELECT * FROM totals WHERE customer <> '' ORDER BY customer";
			let mut statement = db.prepare_cached(sql)?;
			let rows = statement.query_map([], |row| {
				let Totals { requests, spent, open } = totals_of(row)?;
				let (spent, open) = (Amount(spent), Amount(open));
				Ok(Spent { customer: row.get("customer")?, requests, spent, open })
			})?;
			Ok::<_, StoreError>(rows.collect::<rusqlite::Result<Vec<Spent>>>()?)
		});
		Ok(found.await?)
	}
}

/// A request as the database has it.
struct Kept {
	number: u64,
	customer: String,
	terms: Terms,
	issued: Option<IssuedReceipt>,
}

fn to_i64(value: u64) -> i64 {
	clamped(value)
}

fn amount(row: &Row, column: &str) -> rusqlite::Result<u128> {
	let text: String = row.get(column)?;
	text.parse().map_err(|_| unreadable(column))
}

fn unreadable(column: &str) -> rusqlite::Error {
	let kind = rusqlite::types::Type::Blob;
	rusqlite::Error::FromSqlConversionFailure(0, kind, format!("column {column}").into())
}

pub(crate) fn scale<T: DecodeAll>(row: &Row, column: &str) -> rusqlite::Result<T> {
	let data: Vec<u8> = row.get(column)?;
	T::decode_all(&mut &data[..]).map_err(|_| unreadable(column))
}

fn totals_of(row: &Row) -> rusqlite::Result<Totals> {
	let requests: i64 = row.get("requests")?;
	Ok(Totals {
		requests: u64::try_from(requests).unwrap_or(0),
		spent: amount(row, "spent")?,
		open: amount(row, "open")?,
	})
}

fn totals(db: &Connection, customer: &str) -> rusqlite::Result<Totals> {
	let sql = "SELECT * FROM totals WHERE customer = ?1";
	let found = db.prepare_cached(sql)?.query_row([customer], totals_of).optional()?;
	Ok(found.unwrap_or_default())
}

fn set_totals(db: &Connection, customer: &str, totals: &Totals) -> rusqlite::Result<()> {
	let sql = "INSERT OR REPLACE INTO totals (customer, requests, spent, open)
		VALUES (?1, ?2, ?3, ?4)";
	let Totals { requests, spent, open } = totals;
	let values = params![customer, to_i64(*requests), spent.to_string(), open.to_string()];
	db.prepare_cached(sql)?.execute(values)?;
	Ok(())
}

fn newest(db: &Connection) -> rusqlite::Result<u64> {
	let sql = "SELECT coalesce(max(number), 0) FROM requests";
	let newest: i64 = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
	Ok(u64::try_from(newest).unwrap_or(0))
}

fn request(db: &Connection, number: u64) -> rusqlite::Result<Option<Kept>> {
	let sql = "SELECT * FROM requests WHERE number = ?1";
	let kept = |row: &Row| {
		let signed: SignedVoucher = scale(row, "voucher")?;
		let issued: Option<Vec<u8>> = row.get("issued")?;
		let issued = issued.map(|bytes| IssuedReceipt::decode_all(&mut &bytes[..]));
		Ok(Kept {
			number,
			customer: row.get("customer")?,
			terms: Terms {
				voucher: signed.voucher,
				highest: amount(row, "highest")?,
				factor: row.get("factor")?,
				unit_price: amount(row, "unit_price")?,
			},
			issued: issued.transpose().map_err(|_| unreadable("issued"))?,
		})
	};
	db.prepare_cached(sql)?.query_row([to_i64(number)], kept).optional()
}

fn sign(
	db: &Connection,
	new: &NewRequest,
	key: &SealedKey,
	genesis: &H256,
	channel: ChannelId,
	now: u64,
) -> Result<SignedVoucher, Broken> {
	let (all, own) = (totals(db, "")?, totals(db, &new.customer)?);
	let most = |sums: &Totals| voucher_amount(sums.spent, sums.open, new.highest);
	let amount = most(&all).ok_or(FrontError::BadRequest("it is too large"))?;
	if let Some(limit) = new.max_spend.filter(|limit| amount > *limit) {
		return Err(FrontError::MaxSpend(amount, limit).into());
	}
	if new.limit.is_some_and(|limit| most(&own).is_none_or(|most| most > limit)) {
		return Err(FrontError::KeyLimit.into());
	}
	let number = newest(db)?.saturating_add(1);
	let voucher = Voucher { channel, number, amount, spec_hash: new.spec_hash };
	let signature = key.sign(&voucher.signing_payload(genesis));
	let signed = SignedVoucher { voucher, signature };
	db.prepare_cached(
		"INSERT INTO requests (number, customer, model, highest, factor, unit_price, voucher, secret,
			made_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	)?
	.execute(params![
		to_i64(number),
		new.customer,
		new.model,
		new.highest.to_string(),
		new.factor,
		new.unit_price.to_string(),
		signed.encode(),
		new.secret,
		to_i64(now),
	])?;
	for (customer, sums) in [("", all), (new.customer.as_str(), own)] {
		let open = sums.open.saturating_add(new.highest);
		set_totals(db, customer, &Totals { open, ..sums })?;
	}
	Ok(signed)
}

/// Returns whether a receipt is new, or why it does not hold.
fn good(
	db: &Connection,
	open: &Kept,
	issued: &IssuedReceipt,
	kind: BatchKind,
	coordinator: &PublicKey,
	genesis: &H256,
) -> rusqlite::Result<Result<bool, ReceiptRefusal>> {
	if let Err(refusal) = check::alone(issued, &open.terms, kind, coordinator, genesis) {
		return Ok(Err(refusal));
	}
	if let Some(known) = &open.issued {
		let is_same = known.receipt == issued.receipt;
		return Ok(if is_same { Ok(false) } else { Err(ReceiptRefusal::TwoReceipts) });
	}
	let count = to_i64(issued.receipt.sums.channel.count);
	let sums = |row: &Row| {
		let count: i64 = row.get("count")?;
		let sums =
			ChannelSums { count: u64::try_from(count).unwrap_or(0), price: amount(row, "sum")? };
		Ok((sums, amount(row, "price")?))
	};
	let sql =
		"SELECT count, sum, price FROM requests WHERE count <= ?1 ORDER BY count DESC LIMIT 1";
	let below = db.prepare_cached(sql)?.query_row([count], sums).optional()?;
	if below.is_some_and(|(below, _)| below.count == issued.receipt.sums.channel.count) {
		// One count, two vouchers.
		return Ok(Err(ReceiptRefusal::SumsDoNotJoin));
	}
	let sql = "SELECT count, sum, price FROM requests WHERE count > ?1 ORDER BY count LIMIT 1";
	let above = db.prepare_cached(sql)?.query_row([count], sums).optional()?;
	Ok(check::joins(issued, below.map(|(sums, _)| sums), above).map(|()| true))
}

fn keep(db: &Connection, open: &Kept, issued: &IssuedReceipt) -> rusqlite::Result<()> {
	let (sums, price) = (issued.receipt.sums.channel, issued.receipt.receipt.price);
	db.prepare_cached(
		"UPDATE requests SET issued = ?2, count = ?3, sum = ?4, price = ?5 WHERE number = ?1",
	)?
	.execute(params![
		to_i64(open.number),
		issued.encode(),
		to_i64(sums.count),
		sums.price.to_string(),
		price.to_string(),
	])?;
	for customer in ["", open.customer.as_str()] {
		let before = totals(db, customer)?;
		let after = Totals {
			requests: before.requests.saturating_add(1),
			spent: before.spent.saturating_add(price),
			open: before.open.saturating_sub(open.terms.highest),
		};
		set_totals(db, customer, &after)?;
	}
	Ok(())
}

fn note_refused(
	db: &Connection,
	number: u64,
	issued: &IssuedReceipt,
	refusal: &ReceiptRefusal,
) -> rusqlite::Result<()> {
	let sql = "INSERT INTO refused (number, issued, reason) VALUES (?1, ?2, ?3)
		ON CONFLICT DO NOTHING";
	db.execute(sql, params![to_i64(number), issued.encode(), refusal.to_string()])?;
	Ok(())
}
