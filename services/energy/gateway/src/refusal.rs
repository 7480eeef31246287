//! Why a reading is refused, and why one is not taken.

use crate::{ids::reading_id, storage::ReadingRow};
use gridproof_primitives::energy::emlog::{self, LogRefusal};
use gridproof_store::StoreError;
use std::fmt;

/// Why a reading is refused. It is kept as a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IngestRefusal {
	/// What it says is not valid, or does not fit its topic.
	Log(LogRefusal),
	/// It is of another device than its sender.
	WrongDevice,
	/// Its meter is certified, and its sender has not proved to be the device.
	Unproven,
	/// Its meter is suspended.
	Suspended,
	/// It has more energy than rated power allows.
	TooMuchEnergy {
		/// The most, in Wh.
		max_wh: u64,
	},
	/// Another reading has some of its time.
	Overlap(ReadingRow),
	/// It begins before the end of the meter's last batch for the chain.
	Late {
		/// The end of that batch, UTC milliseconds.
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
			Self::Suspended => "suspended",
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
			Self::Suspended => {
				f.write_str("the meter is suspended: an electrician has to certify it again")
			},
			Self::TooMuchEnergy { max_wh } => write!(
				f,
				"more energy than the certified rated power allows in that time: {max_wh} Wh"
			),
			Self::Overlap(row) => write!(
				f,
				"another reading of this meter, {}, has this time or a part of it",
				reading_id(*row)
			),
			Self::Late { sealed_ms } => write!(
				f,
				"begins before {}, up to which the meter's readings are in a batch for the chain",
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
