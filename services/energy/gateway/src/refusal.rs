//! Why a reading is refused, and why one is not taken.

use crate::{ids::reading_id, storage::ReadingRow, succession::PREDECESSOR};
use gridproof_primitives::energy::emlog::{self, LogRefusal};
use gridproof_store::StoreError;
use std::fmt;

const MILLIS_PER_HOUR: u64 = 3_600_000;

/// Why a reading is refused. It is kept as a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IngestRefusal {
	/// What it says is not valid, or does not fit its topic.
	Log(LogRefusal),
	/// It is of another device than its sender.
	WrongDevice,
	/// Its meter is certified, and its sender has not proved to be the device.
	Unproven,
	/// It was made by the device before an exchange of the meter's device.
	Predecessor,
	/// Its interval is longer than one reading may have.
	TooLong {
		/// The longest, in milliseconds.
		max_ms: u64,
	},
	/// It has more energy than rated power allows.
	TooMuchEnergy {
		/// The most, in Wh.
		max_wh: u64,
	},
	/// Another reading has some of its time.
	Overlap(ReadingRow),
	/// It begins before the end of the meter's last batch for the chain, or before its certified
	/// service.
	Late {
		/// The end of that batch, or the begin of that service, UTC milliseconds.
		sealed_ms: u64,
	},
}

impl IngestRefusal {
	/// The reason in one word, for machines.
	pub const fn code(&self) -> &'static str {
		match self {
			Self::Log(refusal) => refusal.as_str(),
			Self::WrongDevice => "wrong_device",
			Self::Unproven => "unproven",
			Self::Predecessor => PREDECESSOR,
			Self::TooLong { .. } => "interval_too_long",
			Self::TooMuchEnergy { .. } => "too_much_energy",
			Self::Overlap(_) => "overlap",
			Self::Late { .. } => "late",
		}
	}
}

impl fmt::Display for IngestRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Log(refusal) => write!(f, "{refusal}"),
			Self::WrongDevice => f.write_str("the reading is of another device than its sender"),
			Self::Unproven => f.write_str(
				"the meter is certified: send its readings with the credentials of its device",
			),
			Self::Predecessor => f.write_str(
				"the device before the exchange has made it: the meter's new device sends its own",
			),
			Self::TooLong { max_ms } => {
				write!(f, "a reading covers at most {} hours", max_ms / MILLIS_PER_HOUR)
			},
			Self::TooMuchEnergy { max_wh } => write!(
				f,
				"more energy than the certified rated power allows in that time, which is {max_wh} \
				 Wh: send what an outage has left over with the interval in which it was measured, \
				 and the status estimated"
			),
			Self::Overlap(row) => write!(
				f,
				"another reading of this meter, {}, has this time or a part of it",
				reading_id(*row)
			),
			Self::Late { sealed_ms } => write!(
				f,
				"begins before {}: up to then the meter's readings are in a batch for the chain or in the \
				 archive, or it was not certified; send readings in the order in which they are made",
				emlog::format_utc(*sealed_ms)
			),
		}
	}
}

/// Why a reading is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
	/// It is refused, and kept as a dead letter: it must not be sent again.
	#[error("{0}")]
	Refused(IngestRefusal),
	/// It could not be kept: it has to be sent again.
	#[error("{0}")]
	Store(#[from] StoreError),
}

impl From<IngestRefusal> for IngestError {
	fn from(refusal: IngestRefusal) -> Self {
		Self::Refused(refusal)
	}
}
