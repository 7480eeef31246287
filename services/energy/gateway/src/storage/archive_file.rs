//! The form of an archive file, as `docs/protocols/gateway-archive.md` describes it: lines of text, of which
//! the last has the checksum of all before it.

use super::rows::{Batch, BatchAnchor, OnChain, Reading, ReadingRow};
use crate::ids::{batch_id, batch_row, reading_id, reading_row};
use codec::{DecodeAll, Encode};
use gridproof_gateway_api::{AnchorStatus, BatchState};
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	energy::{BatchHeader, MeterName, emlog::RunningRegisters},
};
use gridproof_support::files;
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::sha2_256;
use std::{
	fs::File,
	io::{self, BufRead, BufReader, Seek, SeekFrom},
	os::unix::fs::FileExt,
	path::Path,
};

/// What the `format` of a file says.
const FORMAT: &str = "gridproof-gateway-archive";
/// The version that is written.
const VERSION: u32 = 1;
/// Digits of a place in the file.
const DIGITS: usize = 12;
/// Bytes of the last line at most.
const MAX_TAIL: u64 = 1_024;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
	format: String,
	version: u32,
	/// All in the file was made before, UTC milliseconds.
	before_ms: u64,
}

/// The line of a batch, which its readings follow, one a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
	batch: String,
	created_ms: u64,
	/// The one meter of a batch for the chain.
	meter: Option<MeterName>,
	log_count: u32,
	merkle_root: H256,
	cid: String,
	start_ms: u64,
	end_ms: u64,
	state: BatchState,
	reason: Option<String>,
	block: Option<H256>,
	header_hex: Option<String>,
	closing_hex: Option<String>,
	signature: Option<String>,
	device: Option<String>,
	anchor_status: AnchorStatus,
	anchor_txid: Option<String>,
	anchor_block_hash: Option<String>,
	anchor_block_height: Option<u64>,
	anchor_block_time: Option<String>,
	pin: Option<String>,
	log_ids: Vec<String>,
	received_ms: Vec<u64>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tail {
	batches: u64,
	logs: u64,
	/// Where the lists begin by which readings, batches and files are found.
	index: Index,
	/// SHA-256 of all bytes before this line.
	sha256: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
	logs: u64,
	batches: u64,
	cids: u64,
}

/// What is looked for in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
	/// The batch of a reading.
	Reading(ReadingRow),
	/// The batch of this row.
	Batch(i64),
	/// The batch whose file has this CID.
	Cid(Cid),
}

/// A batch as it is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
	/// The batch; its meter's row is not known here.
	pub(super) batch: Batch,
	/// The name of its meter.
	pub(super) meter: Option<MeterName>,
	/// Its readings in order: row, arrival in UTC milliseconds, canonical JSON.
	pub(super) readings: Vec<(ReadingRow, u64, String)>,
}

/// What a whole file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
	pub(super) sha256: [u8; 32],
	pub(super) before_ms: u64,
	pub(super) bytes: u64,
	pub(super) batches: u64,
	pub(super) readings: u64,
	/// The rows of the first and last batch.
	pub(super) batch_rows: (i64, i64),
	/// The rows of the first and last reading; zero if there is none.
	pub(super) reading_rows: (i64, i64),
}

fn odd(what: &str) -> io::Error {
	io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Puts a file together in memory.
pub(super) struct Writer {
	text: Vec<u8>,
	logs: Vec<(String, u64)>,
	batches: Vec<(String, u64)>,
	cids: Vec<(String, u64)>,
}

impl Writer {
	/// Begins a file of what was made before a time.
	pub(super) fn new(before_ms: u64) -> io::Result<Self> {
		let head = Head { format: FORMAT.to_string(), version: VERSION, before_ms };
		let (text, logs) = (Vec::new(), Vec::new());
		let mut writer = Self { text, logs, batches: Vec::new(), cids: Vec::new() };
		writer.line(&head)?;
		Ok(writer)
	}

	fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
		serde_json::to_writer(&mut self.text, line)?;
		self.text.push(b'\n');
		Ok(())
	}

	fn place(&self) -> u64 {
		u64::try_from(self.text.len()).unwrap_or(u64::MAX)
	}

	/// Bytes so far, without the lists at the end.
	pub(super) fn bytes(&self) -> u64 {
		self.place()
	}

	/// Whether no batch is in it.
	pub(super) fn is_empty(&self) -> bool {
		self.batches.is_empty()
	}

	/// Adds a batch with its readings, in order.
	pub(super) fn add(
		&mut self,
		batch: &Batch,
		meter: Option<MeterName>,
		readings: &[Reading],
	) -> io::Result<()> {
		let place = self.place();
		let part = batch.on_chain.as_ref();
		let ids: Vec<String> = readings.iter().map(|reading| reading_id(reading.row)).collect();
		self.logs.extend(ids.iter().map(|id| (id.clone(), place)));
		self.batches.push((batch_id(batch.row), place));
		self.cids.push((batch.cid.to_string(), place));
		let anchor = &batch.anchor;
		self.line(&Line {
			batch: batch_id(batch.row),
			created_ms: batch.created_ms,
			meter,
			log_count: batch.count,
			merkle_root: batch.root,
			cid: batch.cid.to_string(),
			start_ms: batch.start_ms,
			end_ms: batch.end_ms,
			state: batch.state,
			reason: batch.reason.clone(),
			block: batch.block,
			header_hex: part.map(|part| hex::encode(part.header.encode())),
			closing_hex: part.map(|part| hex::encode(part.closing.encode())),
			signature: part.and_then(|part| part.signature).map(hex::encode),
			device: batch.device.map(hex::encode),
			anchor_status: anchor.status,
			anchor_txid: anchor.txid.clone(),
			anchor_block_hash: anchor.block_hash.clone(),
			anchor_block_height: anchor.block_height,
			anchor_block_time: anchor.block_time.clone(),
			pin: batch.pin.clone(),
			log_ids: ids,
			received_ms: readings.iter().map(|reading| reading.received_ms).collect(),
		})?;
		for reading in readings {
			self.text.extend_from_slice(reading.body.as_bytes());
			self.text.push(b'\n');
		}
		Ok(())
	}

	/// The whole file.
	pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
		let lists = [&mut self.logs, &mut self.batches, &mut self.cids].map(std::mem::take);
		let count = |list: &[(String, u64)]| u64::try_from(list.len()).unwrap_or(u64::MAX);
		let [logs, batches, _] = &lists;
		let (logs, batches) = (count(logs), count(batches));
		let mut begins = [0; 3];
		for (mut list, begin) in lists.into_iter().zip(&mut begins) {
			*begin = self.place();
			list.sort();
			for (key, place) in list {
				self.text.extend_from_slice(format!("{key} {place:0DIGITS$}\n").as_bytes());
			}
		}
		let index = Index { logs: begins[0], batches: begins[1], cids: begins[2] };
		let sha256 = hex::encode(sha2_256(&self.text));
		self.line(&Tail { batches, logs, index, sha256 })?;
		Ok(self.text)
	}
}

/// A file that is there.
pub(super) struct ArchiveFile {
	file: File,
	tail: Tail,
	/// Where the last line begins.
	end: u64,
}

impl ArchiveFile {
	/// Opens a file. Its checksum is not checked: that is for [`check`].
	pub(super) fn open(path: &Path) -> io::Result<Self> {
		let file = File::open(path)?;
		let length = file.metadata()?.len();
		let begin = length.saturating_sub(MAX_TAIL);
		let mut bytes = vec![0; usize::try_from(length.saturating_sub(begin)).unwrap_or(0)];
		file.read_exact_at(&mut bytes, begin)?;
		let last = last_line(&bytes).ok_or_else(|| odd("it has no last line"))?;
		let tail: Tail = serde_json::from_slice(last)?;
		let bytes = u64::try_from(last.len()).unwrap_or(u64::MAX);
		Ok(Self { file, tail, end: length.saturating_sub(bytes) })
	}

	/// Begin, number of lines and end of the list for a key.
	const fn list(&self, key: &Key) -> (u64, u64, u64) {
		let Index { logs, batches, cids } = self.tail.index;
		match key {
			Key::Reading(_) => (logs, self.tail.logs, batches),
			Key::Batch(_) => (batches, self.tail.batches, cids),
			Key::Cid(_) => (cids, self.tail.batches, self.end),
		}
	}

	/// The line of this number in a list: its key and the place of the batch.
	fn entry(
		&self,
		(begin, count, end): (u64, u64, u64),
		number: u64,
	) -> io::Result<(String, u64)> {
		let width = end.saturating_sub(begin).checked_div(count).unwrap_or(0);
		let mut line = vec![0; usize::try_from(width.min(MAX_TAIL)).unwrap_or(0)];
		self.file.read_exact_at(&mut line, begin.saturating_add(number.saturating_mul(width)))?;
		let line = str::from_utf8(&line).map_err(|_| odd("a list is not text"))?;
		let (key, place) =
			line.trim_end().split_once(' ').ok_or_else(|| odd("a list is not in order"))?;
		let place = place.parse().map_err(|_| odd("a list is not in order"))?;
		Ok((key.to_string(), place))
	}

	/// Looks for a batch.
	pub(super) fn find(&self, key: &Key) -> io::Result<Option<Found>> {
		let wanted = match key {
			Key::Reading(row) => reading_id(*row),
			Key::Batch(row) => batch_id(*row),
			Key::Cid(cid) => cid.to_string(),
		};
		let list = self.list(key);
		let (mut low, mut high) = (0, list.1);
		while low < high {
			let middle = u64::midpoint(low, high);
			let (found, place) = self.entry(list, middle)?;
			match found.cmp(&wanted) {
				std::cmp::Ordering::Less => low = middle.saturating_add(1),
				std::cmp::Ordering::Greater => high = middle,
				std::cmp::Ordering::Equal => return self.read(place).map(Some),
			}
		}
		Ok(None)
	}

	/// The batches of these numbers in their list.
	pub(super) fn some(&self, from: u64, count: u64) -> io::Result<Vec<Found>> {
		let list = self.list(&Key::Batch(0));
		let to = from.saturating_add(count).min(list.1);
		(from..to).map(|number| self.read(self.entry(list, number)?.1)).collect()
	}

	/// The batch whose line begins at a place.
	fn read(&self, place: u64) -> io::Result<Found> {
		let mut file = &self.file;
		file.seek(SeekFrom::Start(place))?;
		let mut lines = BufReader::new(file).lines();
		let mut next = || lines.next().unwrap_or_else(|| Err(odd("it ends too early")));
		let line: Line = serde_json::from_str(&next()?)?;
		let mut readings = Vec::with_capacity(line.log_ids.len());
		for (id, received_ms) in line.log_ids.iter().zip(&line.received_ms) {
			let row = reading_row(id).ok_or_else(|| odd("a log has no id"))?;
			readings.push((row, *received_ms, next()?));
		}
		let meter = line.meter.clone();
		let batch = batch_of(line).ok_or_else(|| odd("a batch is not in order"))?;
		Ok(Found { batch, meter, readings })
	}
}

/// The last line of some text, with its end.
fn last_line(text: &[u8]) -> Option<&[u8]> {
	let body = text.strip_suffix(b"\n")?;
	let begin = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
	text.get(begin..)
}

fn batch_of(line: Line) -> Option<Batch> {
	fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
		hex::decode(text).ok()?.try_into().ok()
	}
	let on_chain = match (&line.header_hex, &line.closing_hex) {
		(Some(header), Some(closing)) => Some(OnChain {
			header: BatchHeader::decode_all(&mut &hex::decode(header).ok()?[..]).ok()?,
			closing: RunningRegisters::decode_all(&mut &hex::decode(closing).ok()?[..]).ok()?,
			signature: match &line.signature {
				Some(signature) => Some(bytes(signature)?),
				None => None,
			},
		}),
		_ => None,
	};
	Some(Batch {
		row: batch_row(&line.batch)?,
		created_ms: line.created_ms,
		meter: None,
		count: line.log_count,
		root: line.merkle_root,
		cid: Cid::parse(&line.cid).ok()?,
		start_ms: line.start_ms,
		end_ms: line.end_ms,
		on_chain,
		device: match &line.device {
			Some(device) => Some(bytes(device)?),
			None => None,
		},
		state: line.state,
		reason: line.reason,
		block: line.block,
		anchor: BatchAnchor {
			status: line.anchor_status,
			txid: line.anchor_txid,
			block_hash: line.anchor_block_hash,
			block_height: line.anchor_block_height,
			block_time: line.anchor_block_time,
		},
		pin: line.pin,
	})
}

/// Writes a file, on disk when it returns, in place of none.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
	if let Some(folder) = path.parent() {
		std::fs::create_dir_all(folder)?;
	}
	files::create(path, bytes, files::SECRET)
}

/// Reads a whole file and checks it: every byte is as it was written.
pub(super) fn check(path: &Path) -> io::Result<Summary> {
	let bytes = std::fs::read(path)?;
	let last = last_line(&bytes).ok_or_else(|| odd("it has no last line"))?;
	let end = bytes.len().saturating_sub(last.len());
	let tail: Tail = serde_json::from_slice(last)?;
	let content = bytes.get(..end).unwrap_or_default();
	let sha256 = sha2_256(content);
	if hex::encode(sha256) != tail.sha256 {
		return Err(odd("its checksum is not that of its content"));
	}
	let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
	let head: Head = serde_json::from_slice(first)?;
	if head.format != FORMAT || head.version != VERSION {
		return Err(odd("it is of another format or version"));
	}
	let Tail { batches, logs, index, .. } = tail;
	let reading_rows = rows(content, (index.logs, index.batches), logs, reading_row)?;
	let batch_rows = rows(content, (index.batches, index.cids), batches, batch_row)?;
	let end = u64::try_from(end).unwrap_or(u64::MAX);
	let is_cid = |text: &str| Cid::parse(text).ok().map(|_| 0);
	rows(content, (index.cids, end), batches, is_cid)?;
	Ok(Summary {
		sha256,
		before_ms: head.before_ms,
		bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
		batches,
		readings: logs,
		batch_rows,
		reading_rows,
	})
}

/// The first and the last row of a list; it has as many lines as it should have.
fn rows(
	content: &[u8],
	(begin, end): (u64, u64),
	count: u64,
	row: impl Fn(&str) -> Option<i64>,
) -> io::Result<(i64, i64)> {
	let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
	let list = content.get(place(begin)..place(end)).ok_or_else(|| odd("a list is missing"))?;
	let list = str::from_utf8(list).map_err(|_| odd("a list is not text"))?;
	let mut rows = Vec::new();
	for line in list.lines() {
		let id = line.split(' ').next().unwrap_or_default();
		rows.push(row(id).ok_or_else(|| odd("a list is not in order"))?);
	}
	if u64::try_from(rows.len()) != Ok(count) {
		return Err(odd("a list has another length"));
	}
	let (first, last) = (rows.iter().min(), rows.iter().max());
	Ok((first.copied().unwrap_or(0), last.copied().unwrap_or(0)))
}
