//! The device: registers, logs that wait for a signature, and the rules of signing.

use crate::{
	reading::{LogWriter, Reading},
	refusal::SignRefusal,
	store::{Durability, Store},
};
use gridproof_keys::{KeyFault, SealedKey};
use gridproof_primitives::{
	H256,
	cid::Cid,
	ed25519::{PublicKey, Signature},
	emlog::{EnergyLog, LogRefusal, RunningRegisters, batch_file},
	merkle::{RootBuilder, leaf_hash},
	meter::{
		BatchHeader, Direction, MeterIndex, MeterName, Registers, Topic,
		message::{MessageFault, SignAnswer, SignRequest},
	},
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, io, path::Path};

/// How many signatures a device remembers: asked again for the same header, it gives the same one.
const SIGNATURES_KEPT: usize = 32;

/// Why a device cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DeviceFault {
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// Which file.
		path: String,
		/// Why.
		reason: io::Error,
	},
	/// The key is not usable.
	#[error(transparent)]
	Key(#[from] KeyFault),
	/// What is kept is not this device's, or unreadable.
	#[error("{path}: {reason}")]
	BadState {
		/// Which file.
		path: String,
		/// Why.
		reason: String,
	},
	/// Somebody else has the folder open: two devices with one key would sign two headers.
	#[error("{0} is in use by another device program; end that one first")]
	InUse(String),
	/// The reading begins before the last one's end.
	#[error("a reading cannot begin at {start_ms} ms UTC: the last one ends at {last_end_ms} ms")]
	Backwards {
		/// Begin of the reading.
		start_ms: u64,
		/// End of the one before.
		last_end_ms: u64,
	},
	/// The reading ends at or before its begin, or its length is not in whole seconds.
	#[error("a reading's interval has one second or more, and whole seconds only")]
	BadInterval,
	/// The meter does not measure that direction.
	#[error("this meter is certified for {0} only")]
	OtherDirection(Direction),
	/// A register cannot hold more.
	#[error("the register is full: the meter has to be exchanged")]
	RegisterFull,
	/// A log that no gateway would take.
	#[error("the log is not in order: {0}")]
	BadLog(LogRefusal),
	/// The device is bound already, and differently.
	#[error("the device is bound to meter {0}; a key serves one meter of one chain")]
	BoundElsewhere(MeterIndex),
}

/// For which chain a device signs, and as which meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
	/// The chain's genesis hash.
	pub genesis: H256,
	/// The meter's number there.
	pub meter: MeterIndex,
}

/// Where a device's first header follows on: what the chain has of its meter.
///
/// All zero for a new meter. Another one takes the place of an exchanged device, or goes on after
/// its state was lost; then no two programs may have run with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
	/// Sequence number of its next header.
	pub sequence: u64,
	/// Hash of the header before; zero before the first.
	pub previous: H256,
	/// What its registers show.
	pub registers: Registers,
	/// No reading may begin before, UTC milliseconds.
	pub end_ms: u64,
}

/// What is to be published: a log, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
	/// The topic.
	pub topic: String,
	/// The log, in canonical form.
	pub payload: String,
}

/// What a device keeps between two signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Base {
	/// Where it belongs.
	pub(crate) binding: Option<Binding>,
	/// Sequence number of the next header.
	pub(crate) sequence: u64,
	/// Hash of the last header; zero before the first.
	pub(crate) previous: H256,
	/// The registers after the last header's readings.
	pub(crate) registers: RunningRegisters,
	/// End of the last header's readings, UTC milliseconds.
	pub(crate) end_ms: u64,
	/// How many readings have been signed: the serial number of the oldest one that is not.
	pub(crate) readings: u64,
	/// The last signatures.
	pub(crate) signed: VecDeque<Signed>,
}

/// A header that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
	pub(crate) sequence: u64,
	pub(crate) header_hash: H256,
	/// 128 hexadecimal digits.
	pub(crate) signature: String,
}

impl Base {
	const fn new(start: &Start) -> Self {
		Self {
			binding: None,
			sequence: start.sequence,
			previous: start.previous,
			registers: RunningRegisters::starting_at(start.registers),
			end_ms: start.end_ms,
			readings: 0,
			signed: VecDeque::new(),
		}
	}
}

/// A log that is published and not signed.
struct Entry {
	leaf: H256,
	start_ms: u64,
	end_ms: u64,
	/// The registers after it.
	after: RunningRegisters,
	/// Its text, unless there is too little memory for it.
	text: Option<Box<str>>,
}

/// One meter's device.
///
/// It has no clock and no network: [`Device::record`] makes the log of a reading, which the caller
/// publishes; [`Device::answer`] answers a gateway's request. With a folder
/// ([`Device::open`]) both survive a restart; a device in memory ([`Device::in_memory`]) forgets,
/// and is for tests and benches.
///
/// ```
/// use gridproof_keys::{Kind, SealedKey};
/// use gridproof_meter::{Device, Reading};
/// use gridproof_primitives::{emlog::Energy, meter::{Direction, MeterName}};
///
/// let name = MeterName::new("PLANT-01", "gw-1", "MTR-1").expect("a name");
/// let key = SealedKey::generate(Kind::Device, Some("PLANT-01/gw-1/MTR-1")).expect("a key");
/// let mut device = Device::in_memory(key, name, Direction::Export);
/// let reading = Reading::new(0, 900_000, Energy::from_wh(250), Direction::Export);
/// let published = device.record(&[reading]).expect("a log");
/// assert_eq!(published[0].topic, "energy/PLANT-01/gw-1/MTR-1");
/// assert_eq!(device.registers().export_wh, 250);
/// ```
pub struct Device {
	key: SealedKey,
	name: MeterName,
	direction: Direction,
	writer: LogWriter,
	base: Base,
	logs: VecDeque<Entry>,
	store: Option<Store>,
	keep_texts: bool,
	binds_itself: bool,
}

impl Device {
	/// A device that forgets everything when it ends.
	pub fn in_memory(key: SealedKey, name: MeterName, direction: Direction) -> Self {
		let base = Base::new(&Start::default());
		Self::with(key, name, direction, base)
	}

	fn with(key: SealedKey, name: MeterName, direction: Direction, base: Base) -> Self {
		let writer = LogWriter::new(&name);
		let (logs, store) = (VecDeque::new(), None);
		let (keep_texts, binds_itself) = (true, false);
		Self { key, name, direction, writer, base, logs, store, keep_texts, binds_itself }
	}

	/// The device whose state is kept in `folder`, which is made if there is none. A device without
	/// a state begins at `start`.
	///
	/// # Errors
	/// [`DeviceFault`], among them [`DeviceFault::InUse`].
	pub fn open(
		key: SealedKey,
		name: MeterName,
		direction: Direction,
		start: &Start,
		folder: &Path,
		durability: Durability,
	) -> Result<Self, DeviceFault> {
		let (mut store, base) = Store::open(folder, &name, key.public(), durability)?;
		let is_new = base.is_none();
		let base = base.unwrap_or_else(|| Base::new(start));
		let logs = store.logs(base.readings)?;
		let mut device = Self::with(key, name, direction, base);
		for text in logs {
			let log = EnergyLog::parse(text.as_bytes()).map_err(DeviceFault::BadLog)?;
			let entry = device.entry(&log, text.into_boxed_str())?;
			device.logs.push_back(entry);
		}
		if is_new {
			store.save(&device.base)?;
		}
		device.store = Some(store);
		Ok(device)
	}

	/// A device in memory that follows on what the chain has of its meter.
	#[must_use]
	pub fn starting_at(self, start: &Start) -> Self {
		Self { base: Base::new(start), ..self }
	}

	/// Without the texts of its logs, which take most of a device's memory: they are then read
	/// from the folder when they have to be published again, and lost if there is none.
	#[must_use]
	pub fn without_texts(mut self) -> Self {
		self.keep_texts = false;
		self.logs.iter_mut().for_each(|entry| entry.text = None);
		self
	}

	/// Binds itself to chain and meter of the first request that is otherwise in order. For tests
	/// without a chain: whoever asks first decides what the device signs for.
	#[must_use]
	pub fn binding_itself(mut self) -> Self {
		self.binds_itself = true;
		self
	}

	/// Says for which chain and as which meter to sign.
	///
	/// # Errors
	/// [`DeviceFault::BoundElsewhere`], [`DeviceFault::Io`].
	pub fn bind(&mut self, binding: Binding) -> Result<(), DeviceFault> {
		match self.base.binding {
			Some(bound) if bound == binding => Ok(()),
			Some(bound) => Err(DeviceFault::BoundElsewhere(bound.meter)),
			None => {
				let base = Base { binding: Some(binding), ..self.base.clone() };
				self.save(base)
			},
		}
	}

	/// Its public key.
	pub const fn public(&self) -> &PublicKey {
		self.key.public()
	}

	/// Which meter it is.
	pub const fn name(&self) -> &MeterName {
		&self.name
	}

	/// For which chain it signs, and as which meter.
	pub const fn binding(&self) -> Option<Binding> {
		self.base.binding
	}

	/// What its registers show now.
	pub fn registers(&self) -> Registers {
		self.running().shown()
	}

	/// End of its last reading, UTC milliseconds; 0 before the first.
	pub fn last_end_ms(&self) -> u64 {
		self.logs.back().map_or(self.base.end_ms, |entry| entry.end_ms)
	}

	/// Sequence number of its next header: how many it has signed.
	pub const fn next_sequence(&self) -> u64 {
		self.base.sequence
	}

	/// How many of its readings are not signed.
	pub fn unsigned(&self) -> usize {
		self.logs.len()
	}

	fn running(&self) -> RunningRegisters {
		self.logs.back().map_or(self.base.registers, |entry| entry.after)
	}

	/// Adds readings to the registers, keeps their logs, and returns what is to be published, in
	/// order. Readings do not overlap, but two of one interval may follow each other, one for each
	/// direction. Either all are taken or none.
	///
	/// # Errors
	/// [`DeviceFault`].
	pub fn record(&mut self, readings: &[Reading]) -> Result<Vec<Published>, DeviceFault> {
		let before = self.logs.len();
		let recorded = self.record_all(readings);
		if recorded.is_err() {
			self.logs.truncate(before);
		}
		recorded
	}

	fn record_all(&mut self, readings: &[Reading]) -> Result<Vec<Published>, DeviceFault> {
		let first = self.base.readings.saturating_add(self.logs.len() as u64);
		let topic = Topic::Readings.of(&self.name);
		let mut published = Vec::with_capacity(readings.len());
		for reading in readings {
			self.check(reading)?;
			let payload = self.writer.canonical(reading);
			let entry = Entry {
				leaf: leaf_hash(payload.as_bytes()),
				start_ms: reading.start_ms,
				end_ms: reading.end_ms,
				after: self.after(reading)?,
				text: self.keep_texts.then(|| payload.as_str().into()),
			};
			self.logs.push_back(entry);
			published.push(Published { topic: topic.clone(), payload });
		}
		if let Some(store) = &mut self.store {
			store.append(first, published.iter().map(|published| published.payload.as_str()))?;
		}
		Ok(published)
	}

	fn check(&self, reading: &Reading) -> Result<(), DeviceFault> {
		let length_ms = reading.end_ms.checked_sub(reading.start_ms);
		if !length_ms.is_some_and(|length| length > 0 && length % 1_000 == 0) {
			return Err(DeviceFault::BadInterval);
		}
		if reading.flow == Direction::Both
			|| (self.direction != Direction::Both && self.direction != reading.flow)
		{
			return Err(DeviceFault::OtherDirection(self.direction));
		}
		let same_interval = self
			.logs
			.back()
			.is_some_and(|last| (last.start_ms, last.end_ms) == (reading.start_ms, reading.end_ms));
		let last_end_ms = self.last_end_ms();
		if reading.start_ms < last_end_ms && !same_interval {
			return Err(DeviceFault::Backwards { start_ms: reading.start_ms, last_end_ms });
		}
		Ok(())
	}

	fn after(&self, reading: &Reading) -> Result<RunningRegisters, DeviceFault> {
		let mut registers = self.running();
		if reading.status != gridproof_primitives::emlog::Status::Error {
			registers.add(reading.flow, &reading.energy).ok_or(DeviceFault::RegisterFull)?;
		}
		Ok(registers)
	}

	/// The entry of a log that was kept.
	fn entry(&self, log: &EnergyLog, text: Box<str>) -> Result<Entry, DeviceFault> {
		let flow = log.direction(self.direction).map_err(DeviceFault::BadLog)?;
		let mut after = self.running();
		after.add(flow, &log.counted()).ok_or(DeviceFault::RegisterFull)?;
		let (start_ms, end_ms, leaf) = (log.start_ms, log.end_ms, log.leaf_hash());
		Ok(Entry { leaf, start_ms, end_ms, after, text: Some(text) })
	}

	/// The logs that are not signed, oldest first, to be published again: after a restart, and
	/// when the gateway misses some. A gateway takes each of them once.
	///
	/// # Errors
	/// [`DeviceFault::Io`].
	pub fn again(&mut self) -> Result<Vec<Published>, DeviceFault> {
		let topic = Topic::Readings.of(&self.name);
		let publish = |payload| Published { topic: topic.clone(), payload };
		Ok(self.texts()?.into_iter().map(publish).collect())
	}

	/// The logs that are not signed, in order; none if their texts are not kept.
	fn texts(&mut self) -> Result<Vec<String>, DeviceFault> {
		match (&mut self.store, self.keep_texts) {
			(Some(store), false) => store.logs(self.base.readings),
			_ => Ok(self
				.logs
				.iter()
				.filter_map(|entry| entry.text.as_deref())
				.map(String::from)
				.collect()),
		}
	}

	/// Answers a gateway's message: the signature, or why there is none.
	///
	/// # Errors
	/// [`MessageFault`] if the message is none; there is nothing to answer then.
	pub fn answer(
		&mut self,
		message: &[u8],
	) -> Result<(SignAnswer, Option<SignRefusal>), MessageFault> {
		let request = SignRequest::parse(message)?;
		let header_hash = request.header.hash();
		Ok(match self.sign(&request) {
			Ok(signature) => (SignAnswer { header_hash, outcome: Ok(signature) }, None),
			Err(refusal) => {
				let outcome = Err(refusal.to_string());
				(SignAnswer { header_hash, outcome }, Some(refusal))
			},
		})
	}

	/// Signs a header if every field of it follows from the device's own logs, and if no other
	/// header with its number was ever signed. What is signed is kept before it is given away.
	///
	/// # Errors
	/// [`SignRefusal`].
	pub fn sign(&mut self, request: &SignRequest) -> Result<Signature, SignRefusal> {
		let SignRequest { header, genesis, leaves } = request;
		let binding = Binding { genesis: *genesis, meter: header.meter };
		match self.base.binding {
			None if !self.binds_itself => return Err(SignRefusal::Unbound),
			Some(bound) if bound.genesis != *genesis => return Err(SignRefusal::OtherChain),
			Some(bound) if bound.meter != header.meter => {
				return Err(SignRefusal::OtherMeter(header.meter));
			},
			_ => (),
		}
		if let Some(signature) = self.signed_before(header)? {
			return Ok(signature);
		}
		let (count, registers) = self.check_header(header, *leaves)?;
		self.check_cid(header, count)?;
		let signature = self.key.sign(&header.signing_payload(genesis));
		let mut base = Base {
			binding: Some(binding),
			sequence: header.sequence.saturating_add(1),
			previous: header.hash(),
			registers,
			end_ms: header.end_ms,
			readings: self.base.readings.saturating_add(count as u64),
			signed: self.base.signed.clone(),
		};
		let signed = Signed {
			sequence: header.sequence,
			header_hash: header.hash(),
			signature: hex::encode(signature),
		};
		base.signed.push_back(signed);
		while base.signed.len() > SIGNATURES_KEPT {
			base.signed.pop_front();
		}
		self.save(base).map_err(|fault| SignRefusal::NotKept(fault.to_string()))?;
		self.logs.drain(..count);
		if let Some(store) = &mut self.store
			&& let Err(fault) = store.forget(self.base.readings, self.logs.len())
		{
			// The state is right without it; the file is only longer than it has to be.
			tracing::warn!(%fault, meter = %self.name, "signed logs stay in the journal");
		}
		Ok(signature)
	}

	/// The signature of this very header, if it was signed; an error if another one was.
	fn signed_before(&self, header: &BatchHeader) -> Result<Option<Signature>, SignRefusal> {
		if header.sequence >= self.base.sequence {
			return Ok(None);
		}
		let hash = header.hash();
		let mut kept = self.base.signed.iter();
		let same =
			kept.find(|signed| (signed.sequence, signed.header_hash) == (header.sequence, hash));
		let mut signature = [0; 64];
		match same.map(|signed| hex::decode_to_slice(&signed.signature, &mut signature)) {
			Some(Ok(())) => Ok(Some(signature)),
			_ => Err(SignRefusal::SequenceUsed(header.sequence)),
		}
	}

	/// How many logs the header takes, and the registers after them.
	fn check_header(
		&self,
		header: &BatchHeader,
		leaves: u32,
	) -> Result<(usize, RunningRegisters), SignRefusal> {
		if header.sequence != self.base.sequence {
			return Err(SignRefusal::SequenceGap(self.base.sequence));
		}
		if header.previous != self.base.previous {
			return Err(SignRefusal::OtherPrevious);
		}
		let readings = header.readings;
		if leaves != readings {
			return Err(SignRefusal::OtherCount { leaves, readings });
		}
		let published = self.logs.len() as u64;
		let unknown = SignRefusal::UnknownReadings { asked: readings, published };
		let count = usize::try_from(readings).map_err(|_| unknown.clone())?;
		let last = count.checked_sub(1).ok_or(SignRefusal::NoReadings)?;
		let (Some(first), Some(last)) = (self.logs.front(), self.logs.get(last)) else {
			return Err(unknown);
		};
		if header.start_ms != first.start_ms {
			return Err(SignRefusal::OtherStart(first.start_ms));
		}
		if header.end_ms != last.end_ms {
			return Err(SignRefusal::OtherEnd(last.end_ms));
		}
		if self.logs.get(count).is_some_and(|next| next.start_ms < header.end_ms) {
			return Err(SignRefusal::SplitInterval);
		}
		let Registers { import_wh, export_wh } = self.base.registers.shown();
		if header.opening != (Registers { import_wh, export_wh }) {
			return Err(SignRefusal::OtherOpening { import_wh, export_wh });
		}
		let Registers { import_wh, export_wh } = last.after.shown();
		if header.closing != (Registers { import_wh, export_wh }) {
			return Err(SignRefusal::OtherClosing { import_wh, export_wh });
		}
		let mut root = RootBuilder::new();
		root.extend(self.logs.iter().take(count).map(|entry| entry.leaf));
		if header.root != root.root() {
			return Err(SignRefusal::OtherRoot);
		}
		Ok((count, last.after))
	}

	/// Is the CID that of the logs' file? A device that keeps no texts, in a simulation, cannot tell.
	fn check_cid(&mut self, header: &BatchHeader, count: usize) -> Result<(), SignRefusal> {
		let Some(cid) = header.cid else { return Ok(()) };
		let texts = self.texts().map_err(|fault| SignRefusal::NotRead(fault.to_string()))?;
		let Some(texts) = texts.get(..count) else { return Ok(()) };
		if cid == Cid::of(&batch_file(texts.iter().map(String::as_str))) {
			Ok(())
		} else {
			Err(SignRefusal::OtherCid)
		}
	}

	/// Keeps `base`, on disk first.
	fn save(&mut self, base: Base) -> Result<(), DeviceFault> {
		if let Some(store) = &mut self.store {
			store.save(&base)?;
		}
		self.base = base;
		Ok(())
	}
}
