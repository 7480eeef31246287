//! Why a device does not sign.

/// Why a device does not sign a header. Each has a name for machines, [`SignRefusal::code`]; the
/// sentence goes back to the gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignRefusal {
	/// The device was never told its chain and its meter's number.
	#[error("this device is not bound to a chain and a meter yet")]
	Unbound,
	/// The request is for another chain.
	#[error("the genesis hash is not that of this device's chain")]
	OtherChain,
	/// The header is of another meter.
	#[error("the header is of meter {0}, not of this one")]
	OtherMeter(u32),
	/// Another header with this number has been signed.
	#[error("another header with sequence number {0} has been signed; this one never will be")]
	SequenceUsed(u64),
	/// Headers before this one are missing.
	#[error("the next sequence number is {0}")]
	SequenceGap(u64),
	/// The header before is not the one that was signed.
	#[error("previous is not the hash of the header that was signed last")]
	OtherPrevious,
	/// No reading.
	#[error("a batch has at least one reading")]
	NoReadings,
	/// `leaves` and the header's count differ.
	#[error("the request counts {leaves} leaves, its header {readings} readings")]
	OtherCount {
		/// By the request.
		leaves: u32,
		/// By the header.
		readings: u32,
	},
	/// More than the device has published and not signed.
	#[error("{asked} readings, but {published} are published and not signed")]
	UnknownReadings {
		/// By the header.
		asked: u32,
		/// By the device.
		published: u64,
	},
	/// The interval begins elsewhere.
	#[error("the first reading begins at {0} ms UTC")]
	OtherStart(u64),
	/// The interval ends elsewhere.
	#[error("the last reading ends at {0} ms UTC")]
	OtherEnd(u64),
	/// The opening registers differ.
	#[error(
		"before these readings the registers showed import {import_wh} Wh, export {export_wh} Wh"
	)]
	OtherOpening {
		/// As the device has it.
		import_wh: u64,
		/// As the device has it.
		export_wh: u64,
	},
	/// The closing registers differ.
	#[error(
		"after these readings the registers showed import {import_wh} Wh, export {export_wh} Wh"
	)]
	OtherClosing {
		/// As the device has it.
		import_wh: u64,
		/// As the device has it.
		export_wh: u64,
	},
	/// The root differs.
	#[error("the root of these readings is another: not all of them are as they were published")]
	OtherRoot,
	/// The CID is of another file.
	#[error("the CID is not that of the file of these readings")]
	OtherCid,
	/// The header would split an interval that has readings of both directions.
	#[error("the next reading is of the same interval: put both into one batch")]
	SplitInterval,
	/// The device cannot read its own logs.
	#[error("the device cannot read its logs: {0}")]
	NotRead(String),
	/// The device cannot keep what it signs.
	#[error("the device cannot write its state: {0}")]
	NotKept(String),
}

impl SignRefusal {
	/// The refusal's name.
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

	/// May it help to publish the readings again that are not signed?
	pub const fn asks_for_readings(&self) -> bool {
		matches!(self, Self::OtherRoot | Self::OtherStart(_) | Self::OtherEnd(_))
	}
}
