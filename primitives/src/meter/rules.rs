//! The rules of a batch.

use super::{
	BatchHeader, Direction, MAX_READINGS_PER_BATCH, MAX_SKEW_MS, MeterStatus, Registers,
	TOLERANCE_PERMILLE,
};
use crate::H256;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// W·ms in a Wh, times the thousand that the tolerance is counted in.
const PERMILLE_WATT_MILLIS_PER_WH: u128 = 3_600_000 * 1_000;

/// What the rules need to know about a meter.
#[derive(
	Clone,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct MeterState {
	/// Are its batches taken?
	pub status: MeterStatus,
	/// Which way energy may go.
	pub direction: Direction,
	/// The most power that can go through, in W.
	pub rated_power_w: u32,
	/// Sequence number of its next batch.
	pub next_sequence: u64,
	/// [`BatchHeader::hash`] of its last batch; zero before the first.
	pub last_header: H256,
	/// End of its last batch, UTC milliseconds; 0 before the first.
	pub last_end_ms: u64,
	/// What its registers showed then, or when it was certified or exchanged since.
	pub registers: Registers,
}

impl MeterState {
	/// Of a meter that has just been certified and shows `registers`.
	pub fn new(direction: Direction, rated_power_w: u32, registers: Registers) -> Self {
		Self {
			status: MeterStatus::Active,
			direction,
			rated_power_w,
			next_sequence: 0,
			last_header: H256::zero(),
			last_end_ms: 0,
			registers,
		}
	}

	/// The state after `header`, which [`check_batch`] has accepted.
	pub fn after(&self, header: &BatchHeader) -> Self {
		Self {
			next_sequence: self.next_sequence.saturating_add(1),
			last_header: header.hash(),
			last_end_ms: header.end_ms,
			registers: header.closing,
			..self.clone()
		}
	}
}

/// What governance decides about batches.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct Limits {
	/// Readings in one batch.
	pub max_readings: u32,
	/// By how many milliseconds a device's clock may be ahead.
	pub max_skew_ms: u64,
	/// How much of rated power × time a batch may hold, in thousandths.
	pub tolerance_permille: u32,
}

impl Default for Limits {
	fn default() -> Self {
		Self {
			max_readings: MAX_READINGS_PER_BATCH,
			max_skew_ms: MAX_SKEW_MS,
			tolerance_permille: TOLERANCE_PERMILLE,
		}
	}
}

/// What an accepted batch brings.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct Accepted {
	/// Given to the grid, in Wh: what is minted.
	pub exported_wh: u64,
	/// Taken from the grid, in Wh.
	pub imported_wh: u64,
}

/// Why a batch is refused: one reason for each rule.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum BatchRefusal {
	/// No meter with that index has been certified.
	#[codec(index = 0)]
	UnknownMeter,
	/// The meter is suspended.
	#[codec(index = 1)]
	Suspended,
	/// The signature is not the device's over this header for this chain.
	#[codec(index = 2)]
	BadSignature,
	/// A batch with this sequence number has been taken already.
	#[codec(index = 3)]
	SequenceUsed {
		/// The next one.
		expected: u64,
	},
	/// Batches before this one are missing.
	#[codec(index = 4)]
	SequenceGap {
		/// The next one.
		expected: u64,
	},
	/// `previous` is not the hash of the last batch.
	#[codec(index = 5)]
	WrongPrevious,
	/// No reading.
	#[codec(index = 6)]
	NoReadings,
	/// More readings than a batch may have.
	#[codec(index = 7)]
	TooManyReadings {
		/// The most.
		max: u32,
	},
	/// The interval ends before it begins, or at once.
	#[codec(index = 8)]
	EmptyInterval,
	/// The interval begins before the last batch's end.
	#[codec(index = 9)]
	Overlap {
		/// The last batch's end, UTC milliseconds.
		last_end_ms: u64,
	},
	/// The interval ends later than now, and than clocks may differ by.
	#[codec(index = 10)]
	FutureInterval {
		/// The latest end that can be taken now, UTC milliseconds.
		latest_ms: u64,
	},
	/// A register opens or closes lower than it was.
	#[codec(index = 11)]
	RegisterFell,
	/// A register opens higher than it closed.
	#[codec(index = 12)]
	RegisterJumped,
	/// Energy in a direction that the meter is not certified for.
	#[codec(index = 13)]
	DirectionNotCertified,
	/// More energy than rated power allows in that time.
	#[codec(index = 14)]
	TooMuchEnergy {
		/// The most, in Wh.
		max_wh: u64,
	},
	/// Metering is paused.
	#[codec(index = 15)]
	Paused,
	/// The energy could not be credited to its account.
	#[codec(index = 16)]
	NotCredited,
	/// This block, or this day, has minted as much as governance lets it.
	#[codec(index = 17)]
	LimitReached,
}

impl BatchRefusal {
	/// The refusal's name in JSON answers, events shown to people and metrics.
	pub const fn code(&self) -> &'static str {
		match self {
			Self::UnknownMeter => "unknown_meter",
			Self::Suspended => "suspended",
			Self::BadSignature => "bad_signature",
			Self::SequenceUsed { .. } => "sequence_used",
			Self::SequenceGap { .. } => "sequence_gap",
			Self::WrongPrevious => "wrong_previous",
			Self::NoReadings => "no_readings",
			Self::TooManyReadings { .. } => "too_many_readings",
			Self::EmptyInterval => "empty_interval",
			Self::Overlap { .. } => "overlap",
			Self::FutureInterval { .. } => "future_interval",
			Self::RegisterFell => "register_fell",
			Self::RegisterJumped => "register_jumped",
			Self::DirectionNotCertified => "direction_not_certified",
			Self::TooMuchEnergy { .. } => "too_much_energy",
			Self::Paused => "paused",
			Self::NotCredited => "not_credited",
			Self::LimitReached => "limit_reached",
		}
	}

	/// Can the very same bytes be accepted later, with nothing changed but the chain's time or
	/// state?
	pub const fn is_temporary(&self) -> bool {
		matches!(
			self,
			Self::UnknownMeter
				| Self::Suspended
				| Self::SequenceGap { .. }
				| Self::FutureInterval { .. }
				| Self::Paused
				| Self::NotCredited
				| Self::LimitReached
		)
	}
}

impl fmt::Display for BatchRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::UnknownMeter => f.write_str("no such meter: have it certified first"),
			Self::Suspended => {
				f.write_str("the meter is suspended: an electrician has to certify it again")
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
				"overlaps the last batch: the start must not be before {last_end_ms} ms UTC"
			),
			Self::FutureInterval { latest_ms } => write!(
				f,
				"ends in the future, at the latest now is {latest_ms} ms UTC: \
				 wait, or set the device's clock"
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
				write!(f, "more energy than rated power allows in that time: {max_wh} Wh")
			},
			Self::Paused => f.write_str("metering is paused: send it again later"),
			Self::NotCredited => {
				f.write_str("the energy could not be credited to its account: send it again later")
			},
			Self::LimitReached => f.write_str(
				"this block or day has minted as much energy as it may: send it again later",
			),
		}
	}
}

impl core::error::Error for BatchRefusal {}

/// The most energy in Wh, both directions together, that a meter of `rated_power_w` may show over
/// `duration_ms`: the floor of rated power × time × tolerance.
///
/// A register shows floors, so a batch may show up to a Wh more for each direction than went
/// through; the tolerance takes that up if rated power × time is at least 20 Wh.
pub fn max_energy_wh(rated_power_w: u32, duration_ms: u64, tolerance_permille: u32) -> u128 {
	// 32 + 64 + 32 bits: never saturates.
	u128::from(rated_power_w)
		.saturating_mul(duration_ms.into())
		.saturating_mul(tolerance_permille.into())
		.checked_div(PERMILLE_WATT_MILLIS_PER_WH)
		.unwrap_or(0)
}

/// Would the batch be accepted now? Every rule but the signature, the cheapest first.
///
/// `meter` is the state of the meter that the header names. What comes before, that the meter
/// exists and who signed, is for the caller: [`BatchRefusal::UnknownMeter`],
/// [`BatchRefusal::BadSignature`].
///
/// # Errors
/// The first rule that is not kept.
pub fn check_batch(
	meter: &MeterState,
	header: &BatchHeader,
	now_ms: u64,
	limits: &Limits,
) -> Result<Accepted, BatchRefusal> {
	if meter.status != MeterStatus::Active {
		return Err(BatchRefusal::Suspended);
	}
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
	if header.previous != meter.last_header {
		return Err(BatchRefusal::WrongPrevious);
	}
	Ok(())
}

fn check_size_and_time(
	meter: &MeterState,
	header: &BatchHeader,
	now_ms: u64,
	limits: &Limits,
) -> Result<(), BatchRefusal> {
	if header.readings == 0 {
		return Err(BatchRefusal::NoReadings);
	}
	if header.readings > limits.max_readings {
		return Err(BatchRefusal::TooManyReadings { max: limits.max_readings });
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
	limits: &Limits,
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
	let max_wh = max_energy_wh(meter.rated_power_w, duration_ms, limits.tolerance_permille);
	let energy_wh = u128::from(flow.import_wh).saturating_add(flow.export_wh.into());
	if energy_wh > max_wh {
		let max_wh = u64::try_from(max_wh).unwrap_or(u64::MAX);
		return Err(BatchRefusal::TooMuchEnergy { max_wh });
	}
	Ok(Accepted { exported_wh: flow.export_wh, imported_wh: flow.import_wh })
}
