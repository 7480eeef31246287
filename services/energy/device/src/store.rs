//! What a device keeps on disk: its state, whole or as before, and a journal of unsigned readings.

use crate::{DeviceError, state::Base};
use gridproof_primitives::{crypto::ed25519::PublicKey, energy::MeterName};
use gridproof_support::files::{self, SECRET};
use serde::{Deserialize, Serialize};
use std::{
	fs::{self, File, OpenOptions, TryLockError},
	io::{self, BufRead, BufReader, Write},
	os::unix::fs::{DirBuilderExt, OpenOptionsExt},
	path::{Path, PathBuf},
};

/// What the `format` of a state file says.
const FORMAT: &str = "gridproof-device-state";
/// The version of state files written here.
const VERSION: u32 = 1;
/// The journal is rewritten when it has this many signed readings, and more of them than others.
const SIGNED_LINES: u64 = 1_000;

/// What a reading survives once [`crate::Device::record`] has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
	/// A power cut: every record waits for the disk.
	PowerCut,
	/// The end of the program, however it ends. Signatures survive a power cut even so.
	Crash,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
	format: String,
	version: u32,
	name: MeterName,
	public: String,
	state: Base,
}

/// A device's folder.
pub(crate) struct Store {
	folder: PathBuf,
	name: MeterName,
	public: String,
	durability: Durability,
	/// Held while the device runs.
	_lock: File,
	journal: File,
	/// Serial number of the journal's first line, if it has any.
	first_line: Option<u64>,
}

impl Store {
	/// Opens a folder, or makes it; `None` if it holds no state yet.
	pub(crate) fn open(
		folder: &Path,
		name: &MeterName,
		public: &PublicKey,
		durability: Durability,
	) -> Result<(Self, Option<Base>), DeviceError> {
		let io = |path: &Path| {
			let path = path.display().to_string();
			move |reason| DeviceError::Io { path, reason }
		};
		fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io(folder))?;
		let lock_path = folder.join("lock");
		let mut options = OpenOptions::new();
		let options = options.create(true).truncate(false).read(true).write(true).mode(0o600);
		let lock = options.open(&lock_path).map_err(io(&lock_path))?;
		match lock.try_lock() {
			Ok(()) => (),
			Err(TryLockError::WouldBlock) => {
				return Err(DeviceError::InUse(folder.display().to_string()));
			},
			Err(TryLockError::Error(reason)) => return Err(io(&lock_path)(reason)),
		}
		let journal_path = folder.join("logs");
		let mut options = OpenOptions::new();
		let journal = options.create(true).append(true).read(true).mode(0o600).open(&journal_path);
		let store = Self {
			folder: folder.to_path_buf(),
			name: name.clone(),
			public: hex::encode(public),
			durability,
			_lock: lock,
			journal: journal.map_err(io(&journal_path))?,
			first_line: None,
		};
		let base = store.load()?;
		Ok((store, base))
	}

	fn path(&self, file: &str) -> PathBuf {
		self.folder.join(file)
	}

	fn io(&self, file: &str) -> impl FnOnce(io::Error) -> DeviceError + use<> {
		let path = self.path(file).display().to_string();
		move |reason| DeviceError::Io { path, reason }
	}

	fn bad(&self, file: &str, reason: &str) -> DeviceError {
		let path = self.path(file).display().to_string();
		DeviceError::BadState { path, reason: reason.to_string() }
	}

	fn load(&self) -> Result<Option<Base>, DeviceError> {
		let bytes = match files::read(&self.path("state.json")) {
			Ok(bytes) => bytes,
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
			Err(error) => return Err(self.io("state.json")(error)),
		};
		let file: StateFile = serde_json::from_slice(&bytes)
			.map_err(|error| self.bad("state.json", &error.to_string()))?;
		if file.format != FORMAT || file.version != VERSION {
			return Err(self.bad("state.json", "of another format or version"));
		}
		if file.name != self.name || file.public != self.public {
			return Err(self.bad("state.json", "the state of another device or key"));
		}
		Ok(Some(file.state))
	}

	/// Writes the state; it is on disk afterwards.
	pub(crate) fn save(&mut self, base: &Base) -> Result<(), DeviceError> {
		let file = StateFile {
			format: FORMAT.to_string(),
			version: VERSION,
			name: self.name.clone(),
			public: self.public.clone(),
			state: base.clone(),
		};
		let text = serde_json::to_string_pretty(&file)
			.map_err(|error| self.bad("state.json", &error.to_string()))?;
		files::replace(&self.path("state.json"), text.as_bytes(), SECRET)
			.map_err(self.io("state.json"))
	}

	/// The readings from the serial number `from` on, with their numbers. A last line that was cut off by a crash was
	/// never published, and is dropped.
	pub(crate) fn readings(&mut self, from: u64) -> Result<Vec<(u64, String)>, DeviceError> {
		let path = self.path("logs");
		let mut reader = BufReader::new(File::open(path).map_err(self.io("logs"))?);
		let (mut readings, mut whole, mut line) = (Vec::new(), 0u64, Vec::new());
		let mut expected = None;
		loop {
			line.clear();
			let read = reader.read_until(b'\n', &mut line).map_err(self.io("logs"))?;
			if line.last() != Some(&b'\n') {
				break;
			}
			whole = whole.saturating_add(read as u64);
			let text = str::from_utf8(&line).ok().map(str::trim_end);
			let (serial, reading) = text
				.and_then(|text| text.split_once(' '))
				.and_then(|(serial, reading)| Some((serial.parse::<u64>().ok()?, reading)))
				.ok_or_else(|| self.bad("logs", "a line that is not a reading"))?;
			if expected.is_some_and(|expected| expected != serial) {
				return Err(self.bad("logs", "a reading is missing"));
			}
			self.first_line.get_or_insert(serial);
			expected = serial.checked_add(1);
			if serial >= from {
				readings.push((serial, reading.to_string()));
			}
		}
		let is_cut = self.journal.metadata().map_err(self.io("logs"))?.len() > whole;
		if is_cut {
			self.journal.set_len(whole).map_err(self.io("logs"))?;
		}
		Ok(readings)
	}

	/// Appends readings, the first with the serial number `first`.
	pub(crate) fn append<'a>(
		&mut self,
		first: u64,
		readings: impl Iterator<Item = &'a str>,
	) -> Result<(), DeviceError> {
		let mut text = String::new();
		for (serial, reading) in (first..).zip(readings) {
			text.push_str(&format!("{serial} {reading}\n"));
		}
		let length = self.journal.metadata().map_err(self.io("logs"))?.len();
		let written =
			self.journal.write_all(text.as_bytes()).and_then(|()| match self.durability {
				Durability::PowerCut => self.journal.sync_data(),
				Durability::Crash => Ok(()),
			});
		if let Err(reason) = written {
			// Half a line must not stand before the next one.
			let _ = self.journal.set_len(length);
			return Err(self.io("logs")(reason));
		}
		self.first_line.get_or_insert(first);
		Ok(())
	}

	/// Drops the readings before `from`, after which `kept` follow, when that is worth it.
	pub(crate) fn forget(&mut self, from: u64, kept: usize) -> Result<(), DeviceError> {
		let Some(first) = self.first_line else { return Ok(()) };
		let signed = from.saturating_sub(first);
		if kept == 0 {
			self.journal.set_len(0).map_err(self.io("logs"))?;
			self.first_line = None;
			return Ok(());
		}
		if signed < SIGNED_LINES || signed < kept as u64 {
			return Ok(());
		}
		let mut text = String::new();
		for (serial, reading) in self.readings(from)? {
			text.push_str(&format!("{serial} {reading}\n"));
		}
		files::replace(&self.path("logs"), text.as_bytes(), SECRET).map_err(self.io("logs"))?;
		let mut options = OpenOptions::new();
		let journal = options.append(true).read(true).open(self.path("logs"));
		self.journal = journal.map_err(self.io("logs"))?;
		self.first_line = Some(from);
		Ok(())
	}
}

/// A file's name for a meter: its three ids with `+` between, which no id has; what is no letter,
/// digit, `-`, `_` or `.` is written as `%` and two hexadecimal digits.
pub fn file_name(name: &MeterName) -> String {
	let plain = |text: &str| {
		let mut plain = String::with_capacity(text.len());
		for byte in text.bytes() {
			match byte {
				b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
					plain.push(char::from(byte));
				},
				_ => plain.push_str(&format!("%{byte:02x}")),
			}
		}
		plain
	};
	[name.site(), name.device(), name.meter()].map(plain).join("+")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn names_of_files_are_plain_and_differ_as_the_meters_do() {
		let name = |site: &str, device: &str, meter: &str| {
			file_name(&MeterName::new(site, device, meter).unwrap())
		};
		assert_eq!(name("PLANT-01", "gw_1", "MTR.1"), "PLANT-01+gw_1+MTR.1");
		assert_eq!(name("KÖLN 02", "..", "%"), "K%c3%96LN%2002+..+%25");
	}
}
