//! A block's rows.

use super::{
	spread::{DAY, HOUR, parts},
	sql::{int, text},
};
use crate::block::{Block, Event, Fact, Meter, Span};
use gridproof_chain::Sent;
use gridproof_primitives::{compute::PriceAsset, energy::MeterIndex, time::day::Day};
use gridproof_store::{
	StoreError,
	rusqlite::{Connection, OptionalExtension, params, types::ToSql},
};

type Done = Result<(), StoreError>;

fn run(db: &Connection, sql: &str, values: &[&dyn ToSql]) -> Done {
	db.prepare_cached(sql)?.execute(values)?;
	Ok(())
}

/// Writes all that a block did.
pub(super) fn block(db: &Connection, block: &Block) -> Done {
	let author = block.author.as_ref().map(|key| key.as_slice());
	let events = int(u64::try_from(block.events.len()).unwrap_or(u64::MAX));
	run(
		db,
		"INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		&[
			&int(block.height),
			&block.hash.0.as_slice(),
			&block.parent.0.as_slice(),
			&int(block.time_ms),
			&author,
			&block.version,
			&int(block.count),
			&events,
		],
	)?;
	supplies(db, block)?;
	for transaction in &block.transactions {
		self::transaction(db, block.height, transaction)?;
	}
	for meter in &block.meters {
		self::meter(db, meter)?;
	}
	for (place, event) in (0u32..).zip(&block.events) {
		self::event(db, block.height, place, event)?;
		if let Some(fact) = &event.fact {
			At { db, block, place }.fact(fact)?;
		}
	}
	Ok(())
}

fn supplies(db: &Connection, block: &Block) -> Done {
	let last = "SELECT ait, aicp, kwh FROM supplies ORDER BY height DESC LIMIT 1";
	let read = |row: &gridproof_store::rusqlite::Row<'_>| {
		Ok([row.get::<_, String>(0)?, row.get(1)?, row.get(2)?])
	};
	let last = db.prepare_cached(last)?.query_row([], read).optional()?;
	let now = block.supplies.map(text);
	if last.as_ref() == Some(&now) {
		return Ok(());
	}
	let [ait, aicp, kwh] = now;
	run(
		db,
		"INSERT INTO supplies VALUES (?1, ?2, ?3, ?4, ?5)",
		&[&int(block.height), &int(block.time_ms), &ait, &aicp, &kwh],
	)
}

fn transaction(db: &Connection, height: u64, sent: &Sent) -> Done {
	let signer = sent.signer.as_ref().map(|account| account.as_slice());
	run(
		db,
		"INSERT INTO transactions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		&[
			&int(height),
			&sent.place,
			&sent.hash.0.as_slice(),
			&signer,
			&sent.nonce.map(int),
			&sent.pallet,
			&sent.call,
			&int(sent.bytes),
			&sent.error,
			&sent.fee.map(text),
		],
	)?;
	let Some(signer) = signer else { return Ok(()) };
	name(db, signer, height, 1, sent.place)
}

fn event(db: &Connection, height: u64, place: u32, event: &Event) -> Done {
	run(
		db,
		"INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		&[
			&int(height),
			&place,
			&event.transaction,
			&event.pallet,
			&event.name,
			&event.fields.to_string(),
		],
	)?;
	for named in &event.named {
		name(db, named, height, 0, place)?;
	}
	Ok(())
}

fn name(db: &Connection, what: &[u8], height: u64, kind: u8, place: u32) -> Done {
	let insert = "INSERT OR IGNORE INTO named VALUES (?1, ?2, ?3, ?4)";
	run(db, insert, &[&what, &int(height), &kind, &place])
}

fn meter(db: &Connection, meter: &Meter) -> Done {
	let Meter { index, name, owner } = meter;
	run(
		db,
		"INSERT INTO meters VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (meter) DO UPDATE SET \
		 site = excluded.site, device = excluded.device, name = excluded.name, owner = excluded.owner",
		&[index, &name.site(), &name.device(), &name.meter(), &owner.as_slice()],
	)
}

/// Where a fact stands.
struct At<'a> {
	db: &'a Connection,
	block: &'a Block,
	place: u32,
}

impl At<'_> {
	/// A row that begins with height and place.
	fn insert(&self, sql: &str, values: &[&dyn ToSql]) -> Done {
		let height = int(self.block.height);
		let mut all: Vec<&dyn ToSql> = vec![&height, &self.place];
		all.extend(values);
		run(self.db, sql, &all)
	}

	fn fact(&self, fact: &Fact) -> Done {
		match fact {
			Fact::Transfer { .. } => self.transfer(fact),
			Fact::Stated { .. } | Fact::State { .. } | Fact::Reserve { .. } => self.reserve(fact),
			Fact::Energy { meter, sequence, header, minted_wh, span } => {
				let span = span.as_ref();
				self.energy((*meter, *sequence), &header.0, *minted_wh, span)
			},
			Fact::JobOpened { .. } | Fact::JobReturned { .. } | Fact::JobSettled { .. } => {
				self.job(fact)
			},
			Fact::ChannelOpened { .. }
			| Fact::ChannelAdded(..)
			| Fact::ChannelSettled(..)
			| Fact::ChannelEnded(..) => self.channel(fact),
			Fact::Batch { .. }
			| Fact::MinerSettled { .. }
			| Fact::Emission { .. }
			| Fact::TreasuryEmission(_)
			| Fact::Step { .. }
			| Fact::Slashed { .. } => self.pay(fact),
		}
	}

	fn transfer(&self, fact: &Fact) -> Done {
		let Fact::Transfer { token, from, to, amount } = fact else { return Ok(()) };
		self.insert(
			"INSERT INTO transfers VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
			&[&token.symbol(), &from.as_slice(), &to.as_slice(), &text(*amount)],
		)?;
		for account in [from, to] {
			let insert = "INSERT OR IGNORE INTO transfers_of VALUES (?3, ?1, ?2)";
			self.insert(insert, &[&account.as_slice()])?;
		}
		Ok(())
	}

	fn reserve(&self, fact: &Fact) -> Done {
		match fact {
			Fact::Stated { day, statement, reserve, target, allowance } => self.insert(
				"INSERT INTO reserve_days VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
				&[
					&day.days(),
					&statement.0.as_slice(),
					&text(*reserve),
					&text(*target),
					&text(*allowance),
				],
			),
			Fact::State { from, to, ratio } => self.insert(
				"INSERT INTO reserve_states VALUES (?1, ?2, ?3, ?4, ?5)",
				&[&from.as_str(), &to.as_str(), &ratio.map(text)],
			),
			Fact::Reserve { what, who, amount, credit } => {
				let who = who.as_ref().map(|account| account.as_slice());
				self.insert(
					"INSERT INTO reserve_moves VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
					&[&what.as_str(), &who, &text(*amount), &text(*credit)],
				)
			},
			_ => Ok(()),
		}
	}

	fn energy(
		&self,
		(meter, sequence): (MeterIndex, u64),
		header: &[u8],
		minted_wh: u64,
		span: Option<&Span>,
	) -> Done {
		self.insert(
			"INSERT OR REPLACE INTO energy_batches VALUES (?3, ?4, ?1, ?2, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
			&[
				&meter,
				&int(sequence),
				&header,
				&int(minted_wh),
				&span.map(|span| int(span.start_ms)),
				&span.map(|span| int(span.end_ms)),
				&span.map(|span| int(span.imported_wh)),
				&span.map(|span| int(span.exported_wh)),
				&span.map(|span| span.readings),
				&span.map(|span| span.root.0.as_slice()),
			],
		)?;
		let Some(span) = span else { return Ok(()) };
		let time = (span.start_ms, span.end_ms);
		let energy = [span.imported_wh, span.exported_wh, minted_wh];
		for (table, step) in [("energy_hours", HOUR), ("energy_days", DAY)] {
			let add = format!(
				"INSERT INTO {table} VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
				 imported_wh = imported_wh + excluded.imported_wh, \
				 exported_wh = exported_wh + excluded.exported_wh, \
				 minted_wh = minted_wh + excluded.minted_wh"
			);
			for (begin, [imported, exported, minted]) in parts(time, step, energy) {
				let (begin, imported) = (int(begin), int(imported));
				run(self.db, &add, &[&meter, &begin, &imported, &int(exported), &int(minted)])?;
			}
		}
		Ok(())
	}

	fn job(&self, fact: &Fact) -> Done {
		let height = int(self.block.height);
		match fact {
			Fact::JobOpened { job, client, coordinator, asset, price } => run(
				self.db,
				"INSERT OR REPLACE INTO jobs (job, height, client, coordinator, asset, price, state) \
				 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open')",
				&[
					&job.0.as_slice(),
					&height,
					&client.as_slice(),
					&coordinator.as_slice(),
					&asset.as_str(),
					&text(*price),
				],
			),
			Fact::JobReturned { job, state, refund } => {
				let state = format!("{state:?}").to_lowercase();
				run(
					self.db,
					"UPDATE jobs SET state = ?2, ended = ?3, refund = ?4 WHERE job = ?1",
					&[&job.0.as_slice(), &state, &height, &text(*refund)],
				)
			},
			Fact::JobSettled { job, receipt, miner, units, shares, refund, claim } => {
				run(
					self.db,
					"UPDATE jobs SET state = 'settled', ended = ?2, receipt = ?3, miner = ?4, units = ?5, \
					 paid = ?6, refund = ?7 WHERE job = ?1",
					&[
						&job.0.as_slice(),
						&height,
						&receipt.0.as_slice(),
						&miner.as_slice(),
						&int(*units),
						&text(shares.total()),
						&text(*refund),
					],
				)?;
				let asset = self.asset_of_job(&job.0)?;
				self.earned(miner, "receipt", &asset, shares.miner, *claim)
			},
			_ => Ok(()),
		}
	}

	/// The asset that a job is paid in; `unknown` if it was opened before the first block of the index.
	fn asset_of_job(&self, job: &[u8]) -> Result<String, StoreError> {
		let select = "SELECT asset FROM jobs WHERE job = ?1";
		let found =
			self.db.prepare_cached(select)?.query_row([job], |row| row.get(0)).optional()?;
		Ok(found.unwrap_or_else(|| "unknown".to_string()))
	}

	fn channel(&self, fact: &Fact) -> Done {
		match fact {
			Fact::ChannelOpened { channel, client, coordinator, kind, deposit } => run(
				self.db,
				"INSERT OR REPLACE INTO channels \
				 (channel, height, client, coordinator, asset, deposited, receipts, settled) \
				 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, '0')",
				&[
					&int(*channel),
					&int(self.block.height),
					&client.as_slice(),
					&coordinator.as_slice(),
					&kind.asset.as_str(),
					&text(*deposit),
				],
			),
			Fact::ChannelAdded(channel, amount) => {
				let select = "SELECT deposited FROM channels WHERE channel = ?1";
				let found: Option<String> = self
					.db
					.prepare_cached(select)?
					.query_row([int(*channel)], |row| row.get(0))
					.optional()?;
				let Some(before) = found.and_then(|before| before.parse::<u128>().ok()) else {
					return Ok(());
				};
				let update = "UPDATE channels SET deposited = ?2 WHERE channel = ?1";
				let now = text(before.saturating_add(*amount));
				run(self.db, update, &[&int(*channel), &now])
			},
			Fact::ChannelSettled(channel, receipts, price) => run(
				self.db,
				"UPDATE channels SET receipts = ?2, settled = ?3 WHERE channel = ?1",
				&[&int(*channel), &int(*receipts), &text(*price)],
			),
			Fact::ChannelEnded(channel, rest) => run(
				self.db,
				"UPDATE channels SET ended = ?2, rest = ?3 WHERE channel = ?1",
				&[&int(*channel), &int(self.block.height), &text(*rest)],
			),
			_ => Ok(()),
		}
	}

	fn pay(&self, fact: &Fact) -> Done {
		match fact {
			Fact::Batch { coordinator, sequence, header, kind, receipts, price, units, fee } => {
				self.insert(
					"INSERT OR REPLACE INTO batches VALUES (?3, ?4, ?1, ?2, ?5, ?6, ?7, ?8, ?9, ?10)",
					&[
						&coordinator.as_slice(),
						&int(*sequence),
						&header.0.as_slice(),
						&kind.asset.as_str(),
						&int(*receipts),
						&text(*price),
						&text(*units),
						&text(*fee),
					],
				)
			},
			Fact::MinerSettled { miner, shares, claim, .. } => {
				let asset = self.asset_of_batch();
				self.earned(miner, "batch", asset, shares.miner, *claim)
			},
			Fact::Emission { key, amount } => {
				self.earned(key, "emission", PriceAsset::Ait.as_str(), *amount, 0)
			},
			Fact::Step { step, claims, shares } => run(
				self.db,
				"INSERT OR REPLACE INTO emission_steps VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
				&[
					&int(*step),
					&int(self.block.height),
					&int(self.block.time_ms),
					&text(*claims),
					&text(shares.miner),
					&text(shares.coordinator),
					&text(shares.treasury),
				],
			),
			Fact::Slashed { key, amount } => self.insert(
				"INSERT INTO slashes VALUES (?1, ?2, ?3, ?4)",
				&[&key.as_slice(), &text(*amount)],
			),
			_ => Ok(()),
		}
	}

	/// The asset of the batch whose line this is: the batch's own event follows those of its lines.
	fn asset_of_batch(&self) -> &'static str {
		let own = self.block.events.get(usize::try_from(self.place).unwrap_or(usize::MAX));
		let transaction = own.and_then(|event| event.transaction);
		let from = usize::try_from(self.place).unwrap_or(usize::MAX);
		let rest = self.block.events.iter().skip(from);
		let kinds = rest.filter(|event| event.transaction == transaction).filter_map(|event| {
			let Some(Fact::Batch { kind, .. }) = &event.fact else { return None };
			Some(kind.asset.as_str())
		});
		kinds.into_iter().next().unwrap_or("unknown")
	}

	fn earned(&self, key: &[u8], what: &str, asset: &str, amount: u128, claim: u128) -> Done {
		self.insert(
			"INSERT INTO earnings VALUES (?3, ?1, ?2, ?4, ?5, ?6, ?7)",
			&[&key, &what, &asset, &text(amount), &text(claim)],
		)?;
		let day = Day::from_unix_millis(self.block.time_ms).days();
		let select = "SELECT amount, claim FROM earning_days WHERE key = ?1 AND day = ?2 AND what = ?3 \
			AND asset = ?4";
		let read = |row: &gridproof_store::rusqlite::Row<'_>| {
			Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
		};
		let found = self
			.db
			.prepare_cached(select)?
			.query_row(params![key, day, what, asset], read)
			.optional()?
			.unwrap_or_default();
		let sum = |before: &str, more: u128| {
			text(before.parse::<u128>().unwrap_or_default().saturating_add(more))
		};
		let (amount, claim) = (sum(&found.0, amount), sum(&found.1, claim));
		run(
			self.db,
			"INSERT OR REPLACE INTO earning_days VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
			&[&key, &day, &what, &asset, &amount, &claim],
		)
	}
}
