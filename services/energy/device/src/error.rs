//! What can break in a device.

use gridproof_keys::KeyError;
use gridproof_primitives::energy::{Direction, MeterIndex, emlog::LogRefusal};
use std::io;

/// Why a device cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
	/// The file system refuses an operation.
	#[error("{path}: {reason}")]
	Io {
		/// File or folder.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// The key is not usable.
	#[error(transparent)]
	Key(#[from] KeyError),
	/// The state on disk belongs to another device or key, or is unreadable.
	#[error("{path}: {reason}")]
	BadState {
		/// File.
		path: String,
		/// What is wrong with it.
		reason: String,
	},
	/// Another program has the folder open: two devices with one key would sign two headers.
	#[error("{0} is in use by another device program; end that one first")]
	InUse(String),
	/// The reading begins before the end of the last one.
	#[error("a reading cannot begin at {start_ms} ms UTC: the last one ends at {last_end_ms} ms")]
	Backwards {
		/// Begin of the reading, UTC milliseconds.
		start_ms: u64,
		/// End of the reading before it, UTC milliseconds.
		last_end_ms: u64,
	},
	/// The reading ends at or before its begin, or its length is not a whole number of seconds.
	#[error("a reading's interval has one second or more, and whole seconds only")]
	BadInterval,
	/// The meter is not certified for the reading's direction.
	#[error("this meter is certified for {0} only")]
	OtherDirection(Direction),
	/// The reading has more energy than the meter's rated power allows in its time, tolerance
	/// included: no gateway and no chain would take it.
	#[error("more energy than the rated power allows in that time, which is {max_wh} Wh")]
	TooMuchEnergy {
		/// The most, in Wh.
		max_wh: u64,
	},
	/// The register is full.
	#[error("the register is full: the meter has to be exchanged")]
	RegisterFull,
	/// A stored reading breaks a rule of the format, so that no gateway would take it.
	#[error("the reading is not in order: {0}")]
	BadReading(LogRefusal),
	/// The device is bound already, to another chain or meter.
	#[error("the device is bound to meter {0}; a key serves one meter of one chain")]
	BoundElsewhere(MeterIndex),
}
