//! The memory of a server behind a URL.

use super::{gpus, processes::Processes};
use gridproof_support::Lock;
use std::{
	sync::Mutex,
	time::{Duration, Instant},
};

/// How long a reading is good for: programs that are asked for it take a while themselves.
const FRESH: Duration = Duration::from_secs(10);

/// Where a figure of memory comes from, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemorySource {
	/// This process runs the model.
	OwnProcess,
	/// The server's processes on this machine, and what they hold on graphics processors.
	Processes,
	/// The graphics processors of this machine, used by anyone: the server's processes cannot be
	/// seen there.
	Gpus,
	/// The size of its model's weights, as the server states it.
	Server,
	/// What the operator states.
	Operator,
	/// Nothing is known.
	Unknown,
}

impl MemorySource {
	/// Returns its name for people and programs.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::OwnProcess => "own process",
			Self::Processes => "server's processes",
			Self::Gpus => "graphics processors",
			Self::Server => "stated by the server",
			Self::Operator => "stated by the operator",
			Self::Unknown => "unknown",
		}
	}
}

/// A figure of memory and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryReading {
	/// Bytes in use.
	pub bytes: u64,
	/// Where the figure comes from.
	pub source: MemorySource,
}

/// What an operator says about a server's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryOptions {
	/// `true` to look for the server's processes and graphics processors on this machine.
	pub is_measured: bool,
	/// Memory in bytes that counts where nothing can be seen.
	pub stated: Option<u64>,
	/// Numbers of the graphics processors that the server uses; if empty, all of this machine.
	pub gpus: Vec<u32>,
}

/// The memory of a server, looked at now and then.
#[derive(Debug)]
pub struct ServerMemory {
	options: MemoryOptions,
	/// Port on this machine; `None` if the server is elsewhere.
	port: Option<u16>,
	uses_gpus: bool,
	last: Mutex<Option<(Instant, MemoryReading)>>,
}

impl ServerMemory {
	/// Returns the memory of a server that listens at `port` of this machine, or elsewhere.
	/// `uses_gpus` says what the model runs on.
	pub fn new(options: MemoryOptions, port: Option<u16>, uses_gpus: bool) -> Self {
		Self { options, port, uses_gpus, last: Mutex::default() }
	}

	/// Returns what is in use, at most ten seconds ago. `model_bytes` is what the server itself states
	/// of its model.
	pub fn read(&self, model_bytes: Option<u64>) -> MemoryReading {
		let mut last = self.last.locked();
		if let Some((at, reading)) = *last
			&& at.elapsed() < FRESH
		{
			return reading;
		}
		let reading = self.look(model_bytes);
		*last = Some((Instant::now(), reading));
		reading
	}

	fn look(&self, model_bytes: Option<u64>) -> MemoryReading {
		let of = |source, bytes: Option<u64>| {
			bytes.filter(|bytes| *bytes > 0).map(|bytes| MemoryReading { bytes, source })
		};
		let seen =
			if self.options.is_measured { self.port.and_then(|port| self.see(port)) } else { None };
		seen.or_else(|| of(MemorySource::Server, model_bytes))
			.or_else(|| of(MemorySource::Operator, self.options.stated))
			.unwrap_or(MemoryReading { bytes: 0, source: MemorySource::Unknown })
	}

	fn see(&self, port: u16) -> Option<MemoryReading> {
		let processes = Processes::of_this_machine();
		let server = processes.of_server(port);
		if !self.uses_gpus {
			let bytes = processes.bytes(&server)?;
			return Some(MemoryReading { bytes, source: MemorySource::Processes });
		}
		if let Some(bytes) = gpus::held_by(&server) {
			return Some(MemoryReading { bytes, source: MemorySource::Processes });
		}
		let bytes = gpus::in_use(&self.options.gpus)?;
		Some(MemoryReading { bytes, source: MemorySource::Gpus })
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::net::TcpListener;

	#[test]
	fn a_server_on_this_machine_is_measured_whatever_is_stated() {
		let listener = TcpListener::bind("127.0.0.1:0").unwrap();
		let port = listener.local_addr().unwrap().port();
		let options =
			MemoryOptions { is_measured: true, stated: Some(900_000_000_000), gpus: Vec::new() };
		let reading = ServerMemory::new(options.clone(), Some(port), false).read(Some(1));
		assert_eq!(reading.source, MemorySource::Processes);
		assert!((1_000_000..2_000_000_000).contains(&reading.bytes), "{reading:?}");
		let unseen = MemoryOptions { is_measured: false, ..options };
		let reading = ServerMemory::new(unseen, Some(port), false).read(None);
		let stated = MemoryReading { bytes: 900_000_000_000, source: MemorySource::Operator };
		assert_eq!(reading, stated);
	}

	#[test]
	fn of_a_server_elsewhere_its_own_figure_counts_before_the_operators() {
		let options = MemoryOptions { is_measured: true, stated: Some(7), gpus: Vec::new() };
		let read = |options, bytes| ServerMemory::new(options, None, true).read(bytes);
		let reading = |bytes, source| MemoryReading { bytes, source };
		assert_eq!(read(options.clone(), Some(5)), reading(5, MemorySource::Server));
		assert_eq!(read(options, None), reading(7, MemorySource::Operator));
		assert_eq!(read(MemoryOptions::default(), None), reading(0, MemorySource::Unknown));
	}

	#[test]
	fn a_reading_is_kept_for_a_while() {
		let memory = ServerMemory::new(MemoryOptions::default(), None, true);
		assert_eq!(memory.read(Some(5)).bytes, 5);
		assert_eq!(memory.read(Some(6)).bytes, 5);
	}
}
