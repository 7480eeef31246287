//! What moves into archive files, what stays, and what a crash or a lost database leaves.

use super::{
	archive_file,
	contract::{ReadStorage, Storage},
	rows::{Batch, Flow, NewBatch, NewReading, OnChain, PinProgress, Reading, Settled, Stored},
	schema::MIGRATIONS,
	sqlite::Sqlite,
};
use gridproof_gateway_api::AnchorStatus;
use gridproof_primitives::{
	codec::cid::Cid,
	crypto::merkle,
	energy::{
		BatchHeader, MeterName,
		emlog::{EnergyLog, RunningRegisters, batch_file, format_utc},
	},
	num::units::MILLIS_PER_DAY,
};
use gridproof_store::{Database, Options, StoreError};
use std::{
	fs,
	path::{Path, PathBuf},
};
use tempfile::TempDir;

const QUARTER_MS: u64 = 900_000;
/// A time long ago, and one after which nothing in these tests was made.
const DAY: u64 = 20_000 * MILLIS_PER_DAY;
const LATER: u64 = DAY + MILLIS_PER_DAY;

struct Desk {
	folder: TempDir,
	sqlite: Sqlite,
	meter: i64,
}

fn open(folder: &Path) -> Sqlite {
	Sqlite::open(&folder.join("g.db"), &Options::default()).unwrap()
}

async fn desk() -> Desk {
	let folder = tempfile::tempdir().unwrap();
	let sqlite = open(folder.path());
	let meter = sqlite.meter(&MeterName::new("S", "d", "m").unwrap()).await.unwrap();
	Desk { folder, sqlite, meter }
}

fn log(slot: u64) -> EnergyLog {
	let (start, end) = (DAY + slot * QUARTER_MS, DAY + (slot + 1) * QUARTER_MS);
	let text = format!(
		"{{\"schema_version\":\"emlog-1.1\",\"site_id\":\"S\",\"iot_device_id\":\"d\",\
		\"meter_id\":\"m\",\"ts_start\":\"{}\",\"ts_end\":\"{}\",\"interval_s\":900,\
		\"energy_kwh\":1.25,\"power_kw_avg\":null,\"status\":\"ok\",\"tags\":[],\
		\"tx\":{{\"unit\":\"sats\",\"price_sats_per_kwh\":100,\"amount_sats\":0,\"channel\":\"ln\",\
		\"settlement_status\":\"pending\",\"ln_invoice_id\":null,\"bitcoin_txid\":null}}}}",
		format_utc(start),
		format_utc(end)
	);
	EnergyLog::parse(text.as_bytes()).unwrap()
}

impl Desk {
	fn new_reading(&self, slot: u64) -> NewReading {
		let log = log(slot);
		NewReading {
			meter: self.meter,
			start_ms: log.start_ms,
			end_ms: log.end_ms,
			received_ms: log.end_ms + 7,
			flow: Flow::Export,
			trusted: true,
			earliest_ms: 0,
			leaf: log.leaf_hash(),
			body: log.canonical().to_string(),
		}
	}

	/// Stores readings and puts them into a batch; with a number, it is for the chain.
	async fn batch(&self, slots: std::ops::Range<u64>, sequence: Option<u64>) -> i64 {
		let mut rows = Vec::new();
		for slot in slots.clone() {
			match self.sqlite.store(self.new_reading(slot), true).await.unwrap() {
				Stored::New(row) => rows.push(row),
				other => panic!("{other:?}"),
			}
		}
		let logs: Vec<EnergyLog> = slots.clone().map(log).collect();
		let leaves: Vec<_> = logs.iter().map(EnergyLog::leaf_hash).collect();
		let (root, start_ms) = (merkle::root(&leaves), logs[0].start_ms);
		let cid = Cid::of(&batch_file(logs.iter().map(|log| log.canonical())));
		let end_ms = logs[logs.len() - 1].end_ms;
		let on_chain = sequence.map(|sequence| OnChain {
			header: BatchHeader {
				meter: 3,
				sequence,
				previous: Default::default(),
				start_ms,
				end_ms,
				opening: Default::default(),
				closing: Default::default(),
				readings: rows.len() as u32,
				root,
				cid: Some(cid),
			},
			closing: RunningRegisters::default(),
			signature: None,
		});
		let batch = NewBatch {
			created_ms: DAY + slots.end,
			meter: sequence.map(|_| self.meter),
			rows,
			root,
			cid,
			start_ms,
			end_ms,
			device: on_chain.as_ref().map(|_| [5; 32]),
			on_chain,
			forced: false,
		};
		self.sqlite.seal(batch).await.unwrap().unwrap()
	}

	async fn accept(&self, row: i64) {
		assert!(self.sqlite.sign(row, [9; 64]).await.unwrap());
		let block = Some(Default::default());
		self.sqlite.settle(vec![Settled::Accepted { row, block }]).await.unwrap();
	}

	/// Deletes all that is in files; returns how many batches were looked at.
	async fn prune(&self) -> u64 {
		let mut all = 0;
		loop {
			match self.sqlite.prune().await.unwrap() {
				0 => return all,
				some => all += some,
			}
		}
	}

	fn files(&self) -> Vec<PathBuf> {
		let Ok(entries) = fs::read_dir(self.folder.path().join("archive")) else {
			return Vec::new();
		};
		let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
		files.sort();
		files
	}

	/// Everything that the API shows of a batch.
	async fn shown(
		&self,
		row: i64,
	) -> (Option<Batch>, Vec<Reading>, Vec<gridproof_primitives::H256>) {
		let batch = self.sqlite.batch(row).await.unwrap();
		let readings = self.sqlite.batch_readings(row).await.unwrap();
		(batch, readings, self.sqlite.leaves(row).await.unwrap())
	}

	async fn rows(&self) -> (u64, u64) {
		let counts = self.sqlite.counts().await.unwrap();
		(counts.batches, counts.readings)
	}
}

#[tokio::test]
async fn what_is_archived_is_shown_as_before_to_the_last_byte() {
	let desk = desk().await;
	let local = desk.batch(0..3, None).await;
	let first = desk.batch(3..40, Some(0)).await;
	desk.accept(first).await;
	let last = desk.batch(40..41, Some(1)).await;
	desk.accept(last).await;
	let before = [desk.shown(local).await, desk.shown(first).await];
	assert!(desk.sqlite.archive(LATER, false).await.unwrap());
	assert_eq!(desk.rows().await, (3, 41), "rows stay until they are pruned");
	assert_eq!(desk.prune().await, 2);
	// On the last batch of a meter the next one follows.
	assert_eq!(desk.rows().await, (1, 1));
	let after = [desk.shown(local).await, desk.shown(first).await];
	assert_eq!(after, before);
	for (batch, readings, _) in &before {
		let batch = batch.as_ref().unwrap();
		assert_eq!(desk.sqlite.batch_by_cid(batch.cid).await.unwrap().as_ref(), Some(batch));
		for reading in readings {
			assert_eq!(desk.sqlite.reading(reading.row).await.unwrap().as_ref(), Some(reading));
		}
	}
	assert_eq!(desk.sqlite.reading(99).await.unwrap(), None);
	assert_eq!(desk.sqlite.batch(99).await.unwrap(), None);
	assert_eq!(desk.sqlite.batch_by_cid(Cid::of(b"?")).await.unwrap(), None);
	let counts = desk.sqlite.counts().await.unwrap();
	assert_eq!((counts.archived_batches, counts.archived_readings), (2, 40));
	// The file shows itself: the last line has the checksum of what is before it.
	let text = fs::read_to_string(&desk.files()[0]).unwrap();
	let (content, last) = text.trim_end().rsplit_once('\n').unwrap();
	let sha256 = hex::encode(sp_crypto_hashing::sha2_256(format!("{content}\n").as_bytes()));
	assert!(last.contains(&sha256), "{last}");
	assert!(text.contains(&format!("\n{}\n", log(0).canonical())));
}

#[tokio::test]
async fn what_is_not_settled_stays() {
	let desk = desk().await;
	let mut rows = Vec::new();
	for slot in 0..8u64 {
		rows.push(desk.batch(slot..slot + 1, Some(slot)).await);
	}
	for row in [0, 1, 3, 5, 6, 7] {
		desk.accept(rows[row]).await;
	}
	// The third is signed, the fifth parked: what is before one of these may go, what is behind may not.
	assert!(desk.sqlite.sign(rows[2], [9; 64]).await.unwrap());
	let parked = Settled::Parked { row: rows[4], reason: "refused".to_string() };
	desk.sqlite.settle(vec![parked]).await.unwrap();
	let (young, anchored, queued, local) = (
		desk.batch(8..9, None).await,
		desk.batch(9..10, None).await,
		desk.batch(10..11, None).await,
		desk.batch(11..12, None).await,
	);
	let mut anchor = desk.sqlite.batch(anchored).await.unwrap().unwrap().anchor;
	anchor.status = AnchorStatus::Broadcast;
	assert!(desk.sqlite.anchor(anchored, anchor.clone(), None).await.unwrap());
	let pinned = PinProgress { status: "pinned".to_string(), ..PinProgress::default() };
	for row in [rows[0], rows[1], anchored, local, young] {
		desk.sqlite.pinned(row, pinned.clone()).await.unwrap();
	}
	// One that was made at that very time is not older.
	assert!(desk.sqlite.archive(DAY + 9, true).await.unwrap());
	assert_eq!(desk.prune().await, 2);
	for row in [rows[0], rows[1]] {
		assert!(desk.sqlite.batch(row).await.unwrap().is_some());
	}
	assert_eq!(desk.rows().await.0, 10);
	// That time had its last file, even if more is settled since.
	assert!(!desk.sqlite.archive(DAY + 9, true).await.unwrap());
	assert!(desk.sqlite.archive(LATER, true).await.unwrap());
	assert_eq!(desk.prune().await, 2, "{young} and {local}; not {anchored}, not {queued}");
	assert_eq!(desk.rows().await.0, 8);
	// Once the anchor is confirmed, and where nothing is pinned, they go too.
	anchor.status = AnchorStatus::Confirmed;
	assert!(desk.sqlite.anchor(anchored, anchor.clone(), None).await.unwrap());
	assert!(desk.sqlite.archive(LATER + 1, false).await.unwrap());
	assert_eq!(desk.prune().await, 2);
	// What is in a file does not change any more.
	assert!(!desk.sqlite.anchor(anchored, anchor, None).await.unwrap());
}

#[tokio::test]
async fn what_changes_between_file_and_deletion_stays_and_goes_into_the_next_file() {
	let desk = desk().await;
	let row = desk.batch(0..2, None).await;
	assert!(desk.sqlite.archive(LATER, false).await.unwrap());
	let mut anchor = desk.sqlite.batch(row).await.unwrap().unwrap().anchor;
	(anchor.status, anchor.txid) = (AnchorStatus::Confirmed, Some("ab".repeat(32)));
	assert!(desk.sqlite.anchor(row, anchor.clone(), None).await.unwrap());
	assert_eq!(desk.prune().await, 1);
	assert_eq!(desk.rows().await, (1, 2));
	assert!(desk.sqlite.archive(LATER + 1, false).await.unwrap());
	assert_eq!(desk.prune().await, 1);
	assert_eq!(desk.rows().await, (0, 0));
	assert_eq!(desk.sqlite.batch(row).await.unwrap().unwrap().anchor, anchor);
}

#[tokio::test]
async fn nobody_takes_the_time_of_an_archived_reading_again() {
	let desk = desk().await;
	desk.batch(0..2, None).await;
	assert!(desk.sqlite.archive(LATER, false).await.unwrap());
	desk.prune().await;
	let sealed_ms = DAY + 2 * QUARTER_MS;
	// The same again, and another one; also after the next start.
	for slot in [0, 1] {
		let again = desk.sqlite.store(desk.new_reading(slot), true).await.unwrap();
		assert_eq!(again, Stored::Late { sealed_ms });
	}
	let Desk { folder, sqlite, meter } = desk;
	drop(sqlite);
	let desk = Desk { sqlite: open(folder.path()), folder, meter };
	let again = desk.sqlite.store(desk.new_reading(1), true).await.unwrap();
	assert_eq!(again, Stored::Late { sealed_ms });
	// A stranger's archived readings take no time from the device.
	let stranger = |slot| NewReading { trusted: false, ..desk.new_reading(slot) };
	let Stored::New(row) = desk.sqlite.store(stranger(2), true).await.unwrap() else { panic!() };
	let (log, leaf) = (log(2), log(2).leaf_hash());
	let batch = NewBatch {
		created_ms: DAY,
		meter: None,
		rows: vec![row],
		root: merkle::root(&[leaf]),
		cid: Cid::of(log.canonical().as_bytes()),
		start_ms: log.start_ms,
		end_ms: log.end_ms,
		on_chain: None,
		device: None,
		forced: false,
	};
	desk.sqlite.seal(batch).await.unwrap().unwrap();
	assert!(desk.sqlite.archive(LATER + 1, false).await.unwrap());
	desk.prune().await;
	assert!(matches!(desk.sqlite.store(stranger(2), true).await, Ok(Stored::Late { .. })));
	assert!(matches!(desk.sqlite.store(desk.new_reading(2), true).await, Ok(Stored::New(_))));
}

#[tokio::test]
async fn a_day_with_much_has_several_files_and_each_is_deleted_in_pieces() {
	let desk = desk().await;
	let sqlite = desk.sqlite.clone().with_archive_bytes(20_000);
	let desk = Desk { sqlite, ..desk };
	for slot in 0..90 {
		desk.batch(slot..slot + 1, None).await;
	}
	let mut files = 0;
	while desk.sqlite.archive(LATER, false).await.unwrap() {
		files += 1;
		let first = desk.sqlite.prune().await.unwrap();
		assert!((1..=16).contains(&first), "{first}");
		desk.prune().await;
	}
	assert_eq!((desk.rows().await, desk.files().len()), ((0, 0), files));
	assert!(files > 2, "{files}");
	assert!(desk.files().iter().all(|file| fs::metadata(file).unwrap().len() < 40_000));
	let last = desk.sqlite.reading(90).await.unwrap().unwrap();
	assert_eq!(last.body, log(89).canonical());
}

#[tokio::test]
async fn a_database_that_is_lost_finds_its_archive_and_gives_no_name_twice() {
	let desk = desk().await;
	let row = desk.batch(0..3, None).await;
	let before = desk.shown(row).await;
	assert!(desk.sqlite.archive(LATER, false).await.unwrap());
	desk.prune().await;
	let Desk { folder, sqlite, .. } = desk;
	drop(sqlite);
	for end in ["", "-wal", "-shm"] {
		let _ = fs::remove_file(folder.path().join(format!("g.db{end}")));
	}
	// One that was altered is not used.
	let archive = folder.path().join("archive");
	let file = fs::read_dir(&archive).unwrap().next().unwrap().unwrap().path();
	let mut altered = fs::read(&file).unwrap();
	altered[300] ^= 1;
	fs::write(archive.join("altered.jsonl"), altered).unwrap();
	let sqlite = open(folder.path());
	let meter = sqlite.meter(&MeterName::new("S", "d", "m").unwrap()).await.unwrap();
	let desk = Desk { folder, sqlite, meter };
	assert_eq!(desk.sqlite.find_archives().await.unwrap(), 1);
	assert_eq!(desk.sqlite.find_archives().await.unwrap(), 0);
	assert_eq!(desk.shown(row).await, before);
	let next = desk.batch(5..6, None).await;
	assert_eq!(next, row + 1);
	let readings = desk.sqlite.batch_readings(next).await.unwrap();
	assert_eq!(readings[0].row, 4);
}

#[tokio::test]
async fn a_file_that_is_gone_is_said_and_nothing_is_deleted_for_it() {
	let desk = desk().await;
	let row = desk.batch(0..3, None).await;
	assert!(desk.sqlite.archive(LATER, false).await.unwrap());
	let file = desk.files().remove(0);
	let text = fs::read(&file).unwrap();
	fs::remove_file(&file).unwrap();
	let Err(StoreError::Disk(reason)) = desk.sqlite.prune().await else { panic!() };
	assert!(reason.contains(&file.display().to_string()), "{reason}");
	assert_eq!(desk.rows().await, (1, 3));
	fs::write(&file, text).unwrap();
	assert_eq!(desk.prune().await, 1);
	fs::remove_file(&file).unwrap();
	assert!(matches!(desk.sqlite.batch(row).await, Err(StoreError::Disk(_))));
}

#[tokio::test]
async fn a_file_in_which_one_byte_is_other_is_noticed() {
	let desk = desk().await;
	desk.batch(0..2, None).await;
	assert!(desk.sqlite.archive(LATER, false).await.unwrap());
	let file = desk.files().remove(0);
	let whole = fs::read(&file).unwrap();
	archive_file::check(&file).unwrap();
	for place in (0..whole.len()).step_by(97) {
		let mut altered = whole.clone();
		altered[place] ^= 1;
		fs::write(&file, &altered).unwrap();
		assert!(archive_file::check(&file).is_err(), "{place}");
	}
	fs::write(&file, &whole[..whole.len() - 1]).unwrap();
	assert!(archive_file::check(&file).is_err());
}

#[tokio::test]
async fn batches_that_were_given_up_go_without_a_trace() {
	let desk = desk().await;
	let row = desk.batch(0..2, Some(0)).await;
	assert_eq!(desk.sqlite.dissolve(row).await.unwrap(), 1);
	assert!(!desk.sqlite.archive(DAY, false).await.unwrap());
	assert_eq!(desk.rows().await, (1, 2), "it is too young");
	assert!(!desk.sqlite.archive(LATER, false).await.unwrap());
	assert_eq!(desk.rows().await, (0, 2));
}

#[tokio::test]
async fn a_database_of_the_version_before_keeps_all_it_has() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("g.db");
	let old = Database::open(&path, &MIGRATIONS[..2], &Options::default()).unwrap();
	let (body, leaf) = (log(0).canonical().to_string(), log(0).leaf_hash().0);
	old.write::<_, StoreError, _>(move |db| {
		db.execute_batch(
			"INSERT INTO meters (site, device, meter, sealed_ms) VALUES ('S', 'd', 'm', 7);
			INSERT INTO dead_letters (first_ms, last_ms, count, source, topic, reason, detail,
				payload, hash) VALUES (1, 1, 1, 'mqtt', 'abc', 'late', '', x'0102', x'01'),
				(1, 1, 1, 'mqtt', 'abc', 'late', '', x'010203', x'02'),
				(1, 1, 1, 'mqtt', 'a', 'overlap', '', x'', x'03');",
		)?;
		let root = merkle::root(&[leaf.into()]).0;
		db.execute(
			"INSERT INTO batches (created_ms, count, root, cid, start_ms, end_ms, state) \
			VALUES (1, 1, ?1, ?2, 1, 2, 'not_certified')",
			(root, Cid::of(body.as_bytes()).as_bytes()),
		)?;
		db.execute(
			"INSERT INTO readings (meter, start_ms, end_ms, received_ms, flow, trusted, leaf, body, \
			batch, place) VALUES (1, ?1, ?2, 5, 1, 1, ?3, ?4, 1, 0)",
			(DAY as i64, (DAY + QUARTER_MS) as i64, leaf, body),
		)?;
		Ok(())
	})
	.await
	.unwrap();
	drop(old);
	let sqlite = open(folder.path());
	let desk = Desk { folder, sqlite, meter: 1 };
	let before = desk.shown(1).await;
	assert_eq!((before.0.as_ref().unwrap().device, before.1.len()), (None, 1));
	let path = desk.folder.path().join("g.db");
	// The room of dead letters is counted from what is there.
	let room = gridproof_store::rusqlite::Connection::open(path).unwrap();
	let mut room = room.prepare("SELECT reason, bytes FROM letter_room ORDER BY reason").unwrap();
	let room = room.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
	let room: Vec<(String, i64)> = room.map(Result::unwrap).collect();
	assert_eq!(room, [("late".to_string(), 2 * 1_027 + 5), ("overlap".to_string(), 1_025)]);
	assert!(desk.sqlite.archive(LATER, false).await.unwrap());
	assert_eq!(desk.prune().await, 1);
	assert_eq!((desk.rows().await, desk.shown(1).await), ((0, 0), before));
}
