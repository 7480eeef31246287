//! The device: registers, readings that wait for a signature, and the rules of signing.

use crate::{
	DeviceError, SignRefusal,
	reading::{Reading, ReadingWriter},
	state::{Base, Binding, Signed, Start},
	store::{Durability, Store},
};
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	crypto::{
		ed25519::{PublicKey, Signature},
		merkle::{RootBuilder, leaf_hash},
	},
	energy::{
		BatchHeader, Direction, MeterName, Registers, TOLERANCE_PPT, Topic,
		emlog::{Energy, EnergyLog, RunningRegisters, Status, batch_file},
		max_energy_wh,
		message::{MessageError, SignAnswer, SignRequest},
	},
};
use std::{collections::VecDeque, path::Path};

/// Signed headers that a device remembers: asked again for the same one, it returns the same signature,
/// and a gateway that has lost it gets a copy.
const SIGNATURES_KEPT: usize = 32;

/// A reading that is to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
	/// MQTT topic.
	pub topic: String,
	/// The reading in its wire format, emlog-1.1, in canonical form.
	pub payload: String,
}

/// A reading that is published and not signed.
struct Entry {
	/// Its number among all readings of the device.
	serial: u64,
	leaf: H256,
	start_ms: u64,
	end_ms: u64,
	/// The direction of its energy.
	flow: Direction,
	/// Its energy, as far as it counts.
	counted: Energy,
	/// Registers after it.
	after: RunningRegisters,
	/// Its canonical form; `None` if it is kept on disk only.
	text: Option<Box<str>>,
}

/// One meter's device.
///
/// It has no clock and no network: [`Device::record`] puts a reading into its wire format, which the
/// caller publishes; [`Device::answer`] answers a gateway's request. With a folder
/// ([`Device::open`]) readings and signatures survive a restart; a device in memory
/// ([`Device::in_memory`]) is for tests and benches.
///
/// ```
/// use gridproof_keys::{Kind, SealedKey};
/// use gridproof_device::{Device, Reading};
/// use gridproof_primitives::energy::{Direction, MeterName, emlog::Energy};
///
/// let name = MeterName::new("PLANT-01", "gw-1", "MTR-1").expect("a name");
/// let key = SealedKey::generate(Kind::Device, Some("PLANT-01/gw-1/MTR-1")).expect("a key");
/// let mut device = Device::in_memory(key, name, Direction::Export);
/// let reading = Reading::new(0, 900_000, Energy::from_wh(250), Direction::Export);
/// let published = device.record(&[reading]).expect("a reading");
/// assert_eq!(published[0].topic, "energy/PLANT-01/gw-1/MTR-1");
/// assert_eq!(device.registers().export_wh, 250);
/// ```
pub struct Device {
	key: SealedKey,
	name: MeterName,
	direction: Direction,
	writer: ReadingWriter,
	base: Base,
	unsigned: VecDeque<Entry>,
	/// The number of the next reading.
	next_serial: u64,
	/// The most power that the meter is certified for, in W, as far as the device knows it.
	rated_power_w: Option<u32>,
	store: Option<Store>,
	keep_texts: bool,
	binds_itself: bool,
}

impl Device {
	/// Returns a device that keeps nothing on disk.
	pub fn in_memory(key: SealedKey, name: MeterName, direction: Direction) -> Self {
		let base = Base::new(&Start::default());
		Self::with(key, name, direction, base)
	}

	fn with(key: SealedKey, name: MeterName, direction: Direction, base: Base) -> Self {
		let writer = ReadingWriter::new(&name);
		let next_serial = base.readings;
		Self {
			key,
			name,
			direction,
			writer,
			base,
			unsigned: VecDeque::new(),
			next_serial,
			rated_power_w: None,
			store: None,
			keep_texts: true,
			binds_itself: false,
		}
	}

	/// Opens the device whose state is in `folder`, which is created if there is none. A device
	/// without a state begins at `start`.
	///
	/// # Errors
	/// [`DeviceError`], among them [`DeviceError::InUse`].
	pub fn open(
		key: SealedKey,
		name: MeterName,
		direction: Direction,
		start: &Start,
		folder: &Path,
		durability: Durability,
	) -> Result<Self, DeviceError> {
		let (mut store, base) = Store::open(folder, &name, key.public(), durability)?;
		let is_new = base.is_none();
		let base = base.unwrap_or_else(|| Base::new(start));
		let texts = store.readings(base.readings)?;
		let mut device = Self::with(key, name, direction, base);
		for (serial, text) in texts {
			device.next_serial = serial.saturating_add(1);
			if device.base.void.contains(&serial) {
				continue;
			}
			let log = EnergyLog::parse(text.as_bytes()).map_err(DeviceError::BadReading)?;
			let entry = device.entry(serial, &log, text.into_boxed_str())?;
			device.unsigned.push_back(entry);
		}
		if is_new {
			store.save(&device.base)?;
		}
		device.store = Some(store);
		Ok(device)
	}

	/// Lets a device in memory begin where the chain has its meter.
	#[must_use]
	pub fn starting_at(self, start: &Start) -> Self {
		Self { base: Base::new(start), ..self }
	}

	/// Sets the rated power that its meter is certified for: it then records no reading
	/// with more energy than that allows, which no gateway and no chain would take.
	#[must_use]
	pub fn rated(mut self, rated_power_w: u32) -> Self {
		self.rated_power_w = Some(rated_power_w);
		self
	}

	/// Drops the texts of its readings, which take most of a device's memory: they are read from
	/// the folder when they have to be published again, and are lost if there is none.
	#[must_use]
	pub fn without_texts(mut self) -> Self {
		self.keep_texts = false;
		self.unsigned.iter_mut().for_each(|entry| entry.text = None);
		self
	}

	/// Lets it bind itself to chain and meter of the first request that is otherwise in order. For
	/// tests without a chain only: the first one who asks decides what the device signs for.
	#[must_use]
	pub fn binding_itself(mut self) -> Self {
		self.binds_itself = true;
		self
	}

	/// Sets the chain and the meter that it signs for.
	///
	/// # Errors
	/// [`DeviceError::BoundElsewhere`], [`DeviceError::Io`].
	pub fn bind(&mut self, binding: Binding) -> Result<(), DeviceError> {
		match self.base.binding {
			Some(bound) if bound == binding => Ok(()),
			Some(bound) => Err(DeviceError::BoundElsewhere(bound.meter)),
			None => {
				let base = Base { binding: Some(binding), ..self.base.clone() };
				self.save(base)
			},
		}
	}

	/// Returns its public key.
	pub const fn public(&self) -> &PublicKey {
		self.key.public()
	}

	/// Returns the ids of its meter.
	pub const fn name(&self) -> &MeterName {
		&self.name
	}

	/// Returns the chain and the meter that it signs for; `None` until it is bound.
	pub const fn binding(&self) -> Option<Binding> {
		self.base.binding
	}

	/// Returns what its registers show, in Wh.
	pub fn registers(&self) -> Registers {
		self.running().shown()
	}

	/// Returns the end of its last reading, UTC milliseconds; 0 before the first.
	pub fn last_end_ms(&self) -> u64 {
		self.unsigned.back().map_or(self.base.end_ms, |entry| entry.end_ms)
	}

	/// Returns the sequence number of its next header, which is the number of headers it has signed.
	pub const fn next_sequence(&self) -> u64 {
		self.base.sequence
	}

	/// Returns the number of readings that are not signed.
	pub fn unsigned(&self) -> usize {
		self.unsigned.len()
	}

	fn running(&self) -> RunningRegisters {
		self.unsigned.back().map_or(self.base.registers, |entry| entry.after)
	}

	/// Adds readings to the registers, keeps them until they are signed, and returns what is to be
	/// published, in order. Readings do not overlap, but two of one interval may follow each other,
	/// one for each direction. Either all are taken or none.
	///
	/// # Errors
	/// [`DeviceError`].
	pub fn record(&mut self, readings: &[Reading]) -> Result<Vec<Published>, DeviceError> {
		let (before, serial) = (self.unsigned.len(), self.next_serial);
		let recorded = self.record_all(readings);
		if recorded.is_err() {
			self.unsigned.truncate(before);
			self.next_serial = serial;
		}
		recorded
	}

	fn record_all(&mut self, readings: &[Reading]) -> Result<Vec<Published>, DeviceError> {
		let first = self.next_serial;
		let topic = Topic::Readings.of(&self.name);
		let mut published = Vec::with_capacity(readings.len());
		for reading in readings {
			self.check(reading)?;
			let payload = self.writer.canonical(reading);
			let counted =
				if reading.status == Status::Error { Energy::ZERO } else { reading.energy };
			let mut after = self.running();
			after.add(reading.flow, &counted).ok_or(DeviceError::RegisterFull)?;
			let entry = Entry {
				serial: self.next_serial,
				leaf: leaf_hash(payload.as_bytes()),
				start_ms: reading.start_ms,
				end_ms: reading.end_ms,
				flow: reading.flow,
				counted,
				after,
				text: self.keep_texts.then(|| payload.as_str().into()),
			};
			self.next_serial = self.next_serial.saturating_add(1);
			self.unsigned.push_back(entry);
			published.push(Published { topic: topic.clone(), payload });
		}
		if let Some(store) = &mut self.store {
			store.append(first, published.iter().map(|published| published.payload.as_str()))?;
		}
		Ok(published)
	}

	fn check(&self, reading: &Reading) -> Result<(), DeviceError> {
		let length_ms = reading.end_ms.checked_sub(reading.start_ms);
		if !length_ms.is_some_and(|length| length > 0 && length % 1_000 == 0) {
			return Err(DeviceError::BadInterval);
		}
		let certified = self.direction.of_readings();
		if !matches!(reading.flow, Direction::Import | Direction::Export)
			|| (certified != Direction::Both && certified != reading.flow)
		{
			return Err(DeviceError::OtherDirection(self.direction));
		}
		let max_wh = self.rated_power_w.map(|rated_power_w| {
			max_energy_wh(rated_power_w, length_ms.unwrap_or_default(), TOLERANCE_PPT)
		});
		if let Some(max_wh) = max_wh
			&& reading.status != Status::Error
			&& u128::from(reading.energy.floor_wh()) > max_wh
		{
			let max_wh = u64::try_from(max_wh).unwrap_or(u64::MAX);
			return Err(DeviceError::TooMuchEnergy { max_wh });
		}
		let same_interval = self
			.unsigned
			.back()
			.is_some_and(|last| (last.start_ms, last.end_ms) == (reading.start_ms, reading.end_ms));
		let last_end_ms = self.last_end_ms();
		if reading.start_ms < last_end_ms && !same_interval {
			return Err(DeviceError::Backwards { start_ms: reading.start_ms, last_end_ms });
		}
		Ok(())
	}

	/// The entry of a reading that was on disk.
	fn entry(&self, serial: u64, log: &EnergyLog, text: Box<str>) -> Result<Entry, DeviceError> {
		let flow = log.direction(self.direction).map_err(DeviceError::BadReading)?;
		let (mut after, counted) = (self.running(), log.counted());
		after.add(flow, &counted).ok_or(DeviceError::RegisterFull)?;
		let (start_ms, end_ms, leaf) = (log.start_ms, log.end_ms, log.leaf_hash());
		Ok(Entry { serial, leaf, start_ms, end_ms, flow, counted, after, text: Some(text) })
	}

	/// Strikes an unsigned reading that the gateway does not keep: it is in no batch, and its energy
	/// in no register. Gateway and device then hold the same list. Returns `false` if the device has
	/// no such reading. It is struck on disk when this returns.
	///
	/// # Errors
	/// [`DeviceError::Io`]; nothing has changed then.
	pub fn strike(&mut self, leaf: &H256) -> Result<bool, DeviceError> {
		let Some(place) = self.unsigned.iter().position(|entry| entry.leaf == *leaf) else {
			return Ok(false);
		};
		let mut base = self.base.clone();
		let others = self.unsigned.iter().enumerate().filter(|(other, _)| *other != place);
		let mut running = base.registers;
		let mut afters = Vec::with_capacity(self.unsigned.len());
		for (_, entry) in others {
			running.add(entry.flow, &entry.counted).ok_or(DeviceError::RegisterFull)?;
			afters.push(running);
		}
		base.void.extend(self.unsigned.get(place).map(|entry| entry.serial));
		let kept = self.unsigned.iter().map(|entry| entry.serial);
		let first = kept.enumerate().find(|(other, _)| *other != place).map(|(_, serial)| serial);
		settle(&mut base, first.unwrap_or(self.next_serial));
		self.save(base)?;
		self.unsigned.remove(place);
		for (entry, after) in self.unsigned.iter_mut().zip(afters) {
			entry.after = after;
		}
		self.shorten();
		Ok(true)
	}

	/// Drops from the journal what is signed or struck.
	fn shorten(&mut self) {
		if let Some(store) = &mut self.store
			&& let Err(error) = store.forget(self.base.readings, self.unsigned.len())
		{
			// The state is right without it; the file is only longer than it has to be.
			tracing::warn!(%error, meter = %self.name, "signed readings stay in the journal");
		}
	}

	/// Returns the readings that are not signed, oldest first, to be published again: after a
	/// restart, and when the gateway misses some. A gateway takes each of them once.
	///
	/// # Errors
	/// [`DeviceError::Io`].
	pub fn again(&mut self) -> Result<Vec<Published>, DeviceError> {
		let topic = Topic::Readings.of(&self.name);
		let publish = |payload| Published { topic: topic.clone(), payload };
		Ok(self.texts()?.into_iter().map(publish).collect())
	}

	/// The readings that are not signed, in order; none if their texts are not kept.
	fn texts(&mut self) -> Result<Vec<String>, DeviceError> {
		match (&mut self.store, self.keep_texts) {
			(Some(store), false) => {
				let readings = store.readings(self.base.readings)?;
				let void = &self.base.void;
				let kept = readings.into_iter().filter(|(serial, _)| !void.contains(serial));
				Ok(kept.map(|(_, text)| text).collect())
			},
			_ => Ok(self
				.unsigned
				.iter()
				.filter_map(|entry| entry.text.as_deref())
				.map(String::from)
				.collect()),
		}
	}

	/// Answers a gateway's request with a signature or a refusal.
	///
	/// # Errors
	/// [`MessageError`] if the message is not a request; there is nothing to answer then.
	pub fn answer(
		&mut self,
		message: &[u8],
	) -> Result<(SignAnswer, Option<SignRefusal>), MessageError> {
		let request = SignRequest::parse(message)?;
		let header_hash = request.header.hash();
		Ok(match self.sign(&request) {
			Ok(signature) => (SignAnswer::signed(header_hash, signature), None),
			Err(refusal) => {
				// A gateway that lost what it had of this meter continues from the device's own copy.
				let asked = Binding { genesis: request.genesis, meter: request.header.meter };
				let is_own = self.base.binding == Some(asked);
				let last = is_own.then(|| self.base.last(request.header.sequence)).flatten();
				let answer = SignAnswer::refused(header_hash, refusal.to_string());
				(SignAnswer { last, ..answer }, Some(refusal))
			},
		})
	}

	/// Signs a header if every field of it follows from the device's own readings, and if no other
	/// header with its number was ever signed. A signature is on disk before it is returned.
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
			readings: self.base.readings,
			signed: self.base.signed.clone(),
			void: self.base.void.clone(),
		};
		let first = self.unsigned.get(count).map_or(self.next_serial, |entry| entry.serial);
		settle(&mut base, first);
		let signed = Signed {
			sequence: header.sequence,
			header_hash: header.hash(),
			signature: hex::encode(signature),
			header: Some(header.clone()),
			closing: Some(registers),
		};
		base.signed.push_back(signed);
		while base.signed.len() > SIGNATURES_KEPT {
			base.signed.pop_front();
		}
		self.save(base).map_err(|error| SignRefusal::NotKept(error.to_string()))?;
		self.unsigned.drain(..count);
		self.shorten();
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

	/// The number of readings that the header covers, and the registers after them.
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
		let published = self.unsigned.len() as u64;
		let unknown = SignRefusal::UnknownReadings { asked: readings, published };
		let count = usize::try_from(readings).map_err(|_| unknown.clone())?;
		let last = count.checked_sub(1).ok_or(SignRefusal::NoReadings)?;
		let (Some(first), Some(last)) = (self.unsigned.front(), self.unsigned.get(last)) else {
			return Err(unknown);
		};
		if header.start_ms != first.start_ms {
			return Err(SignRefusal::OtherStart(first.start_ms));
		}
		if header.end_ms != last.end_ms {
			return Err(SignRefusal::OtherEnd(last.end_ms));
		}
		if self.unsigned.get(count).is_some_and(|next| next.start_ms < header.end_ms) {
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
		root.extend(self.unsigned.iter().take(count).map(|entry| entry.leaf));
		if header.root != root.root() {
			return Err(SignRefusal::OtherRoot);
		}
		Ok((count, last.after))
	}

	/// Checks that the CID is that of the readings' file. A device that keeps no texts, in a
	/// simulation, cannot check it.
	fn check_cid(&mut self, header: &BatchHeader, count: usize) -> Result<(), SignRefusal> {
		let Some(cid) = header.cid else { return Ok(()) };
		let texts = self.texts().map_err(|error| SignRefusal::NotRead(error.to_string()))?;
		let Some(texts) = texts.get(..count) else { return Ok(()) };
		if cid == Cid::of(&batch_file(texts.iter().map(String::as_str))) {
			Ok(())
		} else {
			Err(SignRefusal::OtherCid)
		}
	}

	/// Keeps `base`, on disk first.
	fn save(&mut self, base: Base) -> Result<(), DeviceError> {
		if let Some(store) = &mut self.store {
			store.save(&base)?;
		}
		self.base = base;
		Ok(())
	}
}

/// Lets the state begin with the unsigned reading of this number; what comes before it is signed or
/// struck.
fn settle(base: &mut Base, first: u64) {
	base.readings = first;
	base.void = base.void.split_off(&first);
}
