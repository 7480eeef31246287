//! The rules of a batch.

use super::{
	BatchHeader, Direction, MAX_READINGS_PER_BATCH, MAX_SKEW_MS, Registers, TOLERANCE_PPT,
};
use crate::{H256, crypto::ed25519::SignatureFault};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// W·ms in a Wh, times the thousand that the tolerance is counted in.
const THOUSANDTH_WATT_MILLIS_PER_WH: u128 = 3_600_000 * 1_000;

/// What the rules need to know about a meter.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeterState {
	/// The most power that can go through, in W.
	pub rated_power_w: u32,
	/// Which way energy may go.
	pub direction: Direction,
	/// Sequence number of its next batch.
	pub next_sequence: u64,
	/// [`BatchHeader::hash`] of its last batch; zero before the first.
	pub last_hash: H256,
	/// Before this no batch may begin, UTC milliseconds: the end of its last batch, or the begin
	/// of its certified service.
	pub last_end_ms: u64,
	/// What its registers showed after the last batch, or when it was certified or exchanged since.
	pub registers: Registers,
}

impl MeterState {
	/// Of a meter whose certified service begins at `since_ms` with these registers.
	pub const fn new(
		rated_power_w: u32,
		direction: Direction,
		registers: Registers,
		since_ms: u64,
	) -> Self {
		Self {
			rated_power_w,
			direction,
			next_sequence: 0,
			last_hash: H256::zero(),
			last_end_ms: since_ms,
			registers,
		}
	}

	/// Takes a batch into account that [`check_batch`] has accepted.
	pub fn advance(&mut self, header: &BatchHeader) {
		self.next_sequence = self.next_sequence.saturating_add(1);
		self.last_hash = header.hash();
		self.last_end_ms = header.end_ms;
		self.registers = header.closing;
	}
}

/// What governance decides about single batches.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchLimits {
	/// By how many milliseconds a batch may end after the chain's time.
	pub max_skew_ms: u64,
	/// How much of rated power × time a batch may hold, in parts per thousand.
	pub tolerance_ppt: u32,
}

impl Default for BatchLimits {
	fn default() -> Self {
		Self { max_skew_ms: MAX_SKEW_MS, tolerance_ppt: TOLERANCE_PPT }
	}
}

/// What an accepted batch brings.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Accepted {
	/// Given to the grid, in Wh: what is minted.
	pub exported_wh: u64,
	/// Taken from the grid, in Wh.
	pub imported_wh: u64,
}

/// Why a batch is refused: one reason for each rule.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum BatchRefusal {
	/// No meter with that index is certified.
	#[codec(index = 0)]
	UnknownMeter,
	/// The organisation that certified the meter may not act, or not any more.
	#[codec(index = 1)]
	OrganisationNotAdmitted,
	/// The meter is suspended.
	#[codec(index = 2)]
	Suspended,
	/// The signature is not the device's over this header for this chain.
	#[codec(index = 3)]
	BadSignature,
	/// A batch with this sequence number has been taken already.
	#[codec(index = 4)]
	SequenceUsed {
		/// The next one.
		expected: u64,
	},
	/// Batches before this one are missing.
	#[codec(index = 5)]
	SequenceGap {
		/// The next one.
		expected: u64,
	},
	/// `previous` is not the hash of the last batch.
	#[codec(index = 6)]
	WrongPrevious,
	/// No reading.
	#[codec(index = 7)]
	NoReadings,
	/// More readings than [`MAX_READINGS_PER_BATCH`].
	#[codec(index = 8)]
	TooManyReadings {
		/// The most.
		max: u32,
	},
	/// The interval ends before it begins, or at once.
	#[codec(index = 9)]
	EmptyInterval,
	/// The interval begins before the last batch's end, or before the meter's certified service.
	#[codec(index = 10)]
	Overlap {
		/// The earliest begin, UTC milliseconds.
		last_end_ms: u64,
	},
	/// The interval ends later than now, and than clocks may differ by.
	#[codec(index = 11)]
	FutureInterval {
		/// The latest end that can be taken now, UTC milliseconds.
		latest_ms: u64,
	},
	/// A register opens or closes lower than it was.
	#[codec(index = 12)]
	RegisterFell,
	/// A register opens higher than it closed.
	#[codec(index = 13)]
	RegisterJumped,
	/// Energy in a direction that the meter is not certified for.
	#[codec(index = 14)]
	DirectionNotCertified,
	/// More energy than rated power allows in that time.
	#[codec(index = 15)]
	TooMuchEnergy {
		/// The most, in Wh.
		max_wh: u64,
	},
	/// The block has minted as much as it may.
	#[codec(index = 16)]
	BlockLimit,
	/// The day has minted as much as it may.
	#[codec(index = 17)]
	DayLimit,
	/// The energy could not be credited to its account.
	#[codec(index = 18)]
	MintFailed,
}

impl BatchRefusal {
	/// Names of the refusals, in the order of [`BatchRefusal::code`].
	const NAMES: [&str; 19] = [
		"unknown_meter",
		"organisation_not_admitted",
		"suspended",
		"bad_signature",
		"sequence_used",
		"sequence_gap",
		"wrong_previous",
		"no_readings",
		"too_many_readings",
		"empty_interval",
		"overlap",
		"future_interval",
		"register_fell",
		"register_jumped",
		"direction_not_certified",
		"too_much_energy",
		"block_limit",
		"day_limit",
		"mint_failed",
	];

	/// Its number, which is that of its SCALE encoding: what a transaction is refused with.
	pub const fn code(&self) -> u8 {
		match self {
			Self::UnknownMeter => 0,
			Self::OrganisationNotAdmitted => 1,
			Self::Suspended => 2,
			Self::BadSignature => 3,
			Self::SequenceUsed { .. } => 4,
			Self::SequenceGap { .. } => 5,
			Self::WrongPrevious => 6,
			Self::NoReadings => 7,
			Self::TooManyReadings { .. } => 8,
			Self::EmptyInterval => 9,
			Self::Overlap { .. } => 10,
			Self::FutureInterval { .. } => 11,
			Self::RegisterFell => 12,
			Self::RegisterJumped => 13,
			Self::DirectionNotCertified => 14,
			Self::TooMuchEnergy { .. } => 15,
			Self::BlockLimit => 16,
			Self::DayLimit => 17,
			Self::MintFailed => 18,
		}
	}

	/// The name of the refusal with that number.
	pub fn name_of(code: u8) -> Option<&'static str> {
		Self::NAMES.get(usize::from(code)).copied()
	}

	/// Its name in JSON answers and metrics.
	pub fn as_str(&self) -> &'static str {
		Self::name_of(self.code()).unwrap_or_default()
	}

	/// The refusal with that number. The figures that some refusals carry are zero: a number does
	/// not have them.
	pub const fn from_code(code: u8) -> Option<Self> {
		Some(match code {
			0 => Self::UnknownMeter,
			1 => Self::OrganisationNotAdmitted,
			2 => Self::Suspended,
			3 => Self::BadSignature,
			4 => Self::SequenceUsed { expected: 0 },
			5 => Self::SequenceGap { expected: 0 },
			6 => Self::WrongPrevious,
			7 => Self::NoReadings,
			8 => Self::TooManyReadings { max: 0 },
			9 => Self::EmptyInterval,
			10 => Self::Overlap { last_end_ms: 0 },
			11 => Self::FutureInterval { latest_ms: 0 },
			12 => Self::RegisterFell,
			13 => Self::RegisterJumped,
			14 => Self::DirectionNotCertified,
			15 => Self::TooMuchEnergy { max_wh: 0 },
			16 => Self::BlockLimit,
			17 => Self::DayLimit,
			18 => Self::MintFailed,
			_ => return None,
		})
	}

	/// Can the very same bytes be accepted later, when nothing changes but time and state of the
	/// chain? Programs that submit batches ask this, and nothing else.
	pub const fn is_temporary(&self) -> bool {
		match self {
			Self::UnknownMeter
			| Self::OrganisationNotAdmitted
			| Self::Suspended
			| Self::SequenceGap { .. }
			| Self::FutureInterval { .. }
			| Self::BlockLimit
			| Self::DayLimit
			| Self::MintFailed => true,
			Self::BadSignature
			| Self::SequenceUsed { .. }
			| Self::WrongPrevious
			| Self::NoReadings
			| Self::TooManyReadings { .. }
			| Self::EmptyInterval
			| Self::Overlap { .. }
			| Self::RegisterFell
			| Self::RegisterJumped
			| Self::DirectionNotCertified
			| Self::TooMuchEnergy { .. } => false,
		}
	}
}

impl fmt::Display for BatchRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::UnknownMeter => f.write_str("no such meter: have it certified first"),
			Self::OrganisationNotAdmitted => {
				f.write_str("the organisation that certified the meter is not admitted")
			},
			Self::Suspended => {
				f.write_str("the meter is suspended: an electrician has to reinstate it")
			},
			Self::BadSignature => f.write_str(
				"not signed by the certified device for this chain: check key and genesis hash",
			),
			Self::SequenceUsed { expected } => {
				write!(f, "this sequence number has been used; the next one is {expected}")
			},
			Self::SequenceGap { expected } => {
				write!(f, "batches are missing: send number {expected} first")
			},
			Self::WrongPrevious => {
				f.write_str("previous is not the hash of the meter's last batch on chain")
			},
			Self::NoReadings => f.write_str("a batch has at least one reading"),
			Self::TooManyReadings { max } => {
				write!(f, "too many readings: split the batch, at most {max} each")
			},
			Self::EmptyInterval => f.write_str("the end must be later than the start"),
			Self::Overlap { last_end_ms } => write!(
				f,
				"overlaps what came before: the start must not be before {last_end_ms} ms UTC"
			),
			Self::FutureInterval { latest_ms } => write!(
				f,
				"ends in the future, the latest end is now {latest_ms} ms UTC: wait, or set the device's clock"
			),
			Self::RegisterFell => f.write_str(
				"a register is lower than before: only a certified meter exchange resets it",
			),
			Self::RegisterJumped => {
				f.write_str("a register opens higher than it closed: readings are missing")
			},
			Self::DirectionNotCertified => {
				f.write_str("energy in a direction that the meter is not certified for")
			},
			Self::TooMuchEnergy { max_wh } => {
				write!(f, "more energy than rated power allows in that time: at most {max_wh} Wh")
			},
			Self::BlockLimit => {
				f.write_str("this block has minted what a block may mint: send it again")
			},
			Self::DayLimit => {
				f.write_str("today has minted what a day may mint: send it again tomorrow")
			},
			Self::MintFailed => {
				f.write_str("the energy could not be credited to its account: send it again later")
			},
		}
	}
}

impl core::error::Error for BatchRefusal {}

impl From<SignatureFault> for BatchRefusal {
	fn from(_: SignatureFault) -> Self {
		Self::BadSignature
	}
}

/// The most energy in Wh, both directions together, that a meter of `rated_power_w` may show over
/// `duration_ms`: the floor of rated power × time × tolerance.
///
/// A register shows floors, so a batch may show up to a Wh more for each direction than went
/// through; the tolerance takes that up if rated power × time is at least 20 Wh.
pub fn max_energy_wh(rated_power_w: u32, duration_ms: u64, tolerance_ppt: u32) -> u128 {
	// 32 + 64 + 32 bits: never saturates.
	u128::from(rated_power_w)
		.saturating_mul(duration_ms.into())
		.saturating_mul(tolerance_ppt.into())
		.checked_div(THOUSANDTH_WATT_MILLIS_PER_WH)
		.unwrap_or(0)
}

/// Would the batch be accepted now? Every rule but the signature, the cheapest first.
///
/// `meter` is the state of the meter that the header names. That it exists, is in service, and has
/// signed is for the caller to see.
///
/// # Errors
/// The first rule that is not kept.
pub fn check_batch(
	meter: &MeterState,
	header: &BatchHeader,
	now_ms: u64,
	limits: &BatchLimits,
) -> Result<Accepted, BatchRefusal> {
	check_place(meter, header)?;
	check_size_and_time(meter, header, now_ms, limits)?;
	check_energy(meter, header, limits)
}

/// Is it the next one?
fn check_place(meter: &MeterState, header: &BatchHeader) -> Result<(), BatchRefusal> {
	let expected = meter.next_sequence;
	if header.sequence < expected {
		return Err(BatchRefusal::SequenceUsed { expected });
	}
	if header.sequence > expected {
		return Err(BatchRefusal::SequenceGap { expected });
	}
	if header.previous != meter.last_hash {
		return Err(BatchRefusal::WrongPrevious);
	}
	Ok(())
}

fn check_size_and_time(
	meter: &MeterState,
	header: &BatchHeader,
	now_ms: u64,
	limits: &BatchLimits,
) -> Result<(), BatchRefusal> {
	if header.readings == 0 {
		return Err(BatchRefusal::NoReadings);
	}
	if header.readings > MAX_READINGS_PER_BATCH {
		return Err(BatchRefusal::TooManyReadings { max: MAX_READINGS_PER_BATCH });
	}
	if header.end_ms <= header.start_ms {
		return Err(BatchRefusal::EmptyInterval);
	}
	if header.start_ms < meter.last_end_ms {
		return Err(BatchRefusal::Overlap { last_end_ms: meter.last_end_ms });
	}
	let latest_ms = now_ms.saturating_add(limits.max_skew_ms);
	if header.end_ms > latest_ms {
		return Err(BatchRefusal::FutureInterval { latest_ms });
	}
	Ok(())
}

/// What goes through the registers.
fn check_energy(
	meter: &MeterState,
	header: &BatchHeader,
	limits: &BatchLimits,
) -> Result<Accepted, BatchRefusal> {
	if header.opening != meter.registers {
		let has_fallen = header.opening.since(&meter.registers).is_none();
		let refusal =
			if has_fallen { BatchRefusal::RegisterFell } else { BatchRefusal::RegisterJumped };
		return Err(refusal);
	}
	let flow = header.closing.since(&header.opening).ok_or(BatchRefusal::RegisterFell)?;
	let is_certified = match meter.direction {
		Direction::Import => flow.export_wh == 0,
		Direction::Export => flow.import_wh == 0,
		Direction::Both => true,
	};
	if !is_certified {
		return Err(BatchRefusal::DirectionNotCertified);
	}
	let duration_ms = header.end_ms.saturating_sub(header.start_ms);
	let max_wh = max_energy_wh(meter.rated_power_w, duration_ms, limits.tolerance_ppt);
	let energy_wh = u128::from(flow.import_wh).saturating_add(flow.export_wh.into());
	if energy_wh > max_wh {
		let max_wh = u64::try_from(max_wh).unwrap_or(u64::MAX);
		return Err(BatchRefusal::TooMuchEnergy { max_wh });
	}
	Ok(Accepted { exported_wh: flow.export_wh, imported_wh: flow.import_wh })
}
