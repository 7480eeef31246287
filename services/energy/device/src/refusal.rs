//! Why a device does not sign a header.

/// Why a device does not sign a header. [`SignRefusal::code`] is a name for programs; the sentence
/// goes back to the gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignRefusal {
	/// The device is not bound to a chain and a meter.
	#[error("this device is not bound to a chain and a meter yet")]
	Unbound,
	/// The request is for another chain.
	#[error("the genesis hash is not that of this device's chain")]
	OtherChain,
	/// The header is of another meter; the number is that of the header.
	#[error("the header is of meter {0}, not of this one")]
	OtherMeter(u32),
	/// Another header with this sequence number has been signed.
	#[error("another header with sequence number {0} has been signed; this one never will be")]
	SequenceUsed(u64),
	/// Headers before this one are missing; the number is the next one to be signed.
	#[error("the next sequence number is {0}")]
	SequenceGap(u64),
	/// `previous` is not the hash of the last signed header.
	#[error("previous is not the hash of the header that was signed last")]
	OtherPrevious,
	/// The header covers no reading.
	#[error("a batch has at least one reading")]
	NoReadings,
	/// The request's `leaves` and the header's count differ.
	#[error("the request counts {leaves} leaves, its header {readings} readings")]
	OtherCount {
		/// Count in the request.
		leaves: u32,
		/// Count in the header.
		readings: u32,
	},
	/// The header covers more readings than the device has published and not signed.
	#[error("{asked} readings, but {published} are published and not signed")]
	UnknownReadings {
		/// Count in the header.
		asked: u32,
		/// Count in the device.
		published: u64,
	},
	/// The header begins at another time than its first reading, which is given, UTC milliseconds.
	#[error("the first reading begins at {0} ms UTC")]
	OtherStart(u64),
	/// The header ends at another time than its last reading, which is given, UTC milliseconds.
	#[error("the last reading ends at {0} ms UTC")]
	OtherEnd(u64),
	/// The header's opening registers are not those before its first reading.
	#[error(
		"before these readings the registers showed import {import_wh} Wh, export {export_wh} Wh"
	)]
	OtherOpening {
		/// Import register of the device, in Wh.
		import_wh: u64,
		/// Export register of the device, in Wh.
		export_wh: u64,
	},
	/// The header's closing registers are not those after its last reading.
	#[error(
		"after these readings the registers showed import {import_wh} Wh, export {export_wh} Wh"
	)]
	OtherClosing {
		/// Import register of the device, in Wh.
		import_wh: u64,
		/// Export register of the device, in Wh.
		export_wh: u64,
	},
	/// The root is not that of the device's readings.
	#[error("the root of these readings is another: not all of them are as they were published")]
	OtherRoot,
	/// The CID is not that of the file of the device's readings.
	#[error("the CID is not that of the file of these readings")]
	OtherCid,
	/// The header would split an interval that has readings of both directions.
	#[error("the next reading is of the same interval: put both into one batch")]
	SplitInterval,
	/// The device cannot read its readings from disk.
	#[error("the device cannot read its readings from disk: {0}")]
	NotRead(String),
	/// The device cannot write its state, and so gives no signature away.
	#[error("the device cannot write its state: {0}")]
	NotKept(String),
}

impl SignRefusal {
	/// Returns its name for programs.
	pub const fn code(&self) -> &'static str {
		match self {
			Self::Unbound => "unbound",
			Self::OtherChain => "other_chain",
			Self::OtherMeter(_) => "other_meter",
			Self::SequenceUsed(_) => "sequence_used",
			Self::SequenceGap(_) => "sequence_gap",
			Self::OtherPrevious => "other_previous",
			Self::NoReadings => "no_readings",
			Self::OtherCount { .. } => "other_count",
			Self::UnknownReadings { .. } => "unknown_readings",
			Self::OtherStart(_) => "other_start",
			Self::OtherEnd(_) => "other_end",
			Self::OtherOpening { .. } => "other_opening",
			Self::OtherClosing { .. } => "other_closing",
			Self::OtherRoot => "other_root",
			Self::OtherCid => "other_cid",
			Self::SplitInterval => "split_interval",
			Self::NotRead(_) => "not_read",
			Self::NotKept(_) => "not_kept",
		}
	}

	/// Returns `true` if publishing the unsigned readings again may help.
	pub const fn asks_for_readings(&self) -> bool {
		matches!(self, Self::OtherRoot | Self::OtherStart(_) | Self::OtherEnd(_))
	}
}
