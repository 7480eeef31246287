//! Rules of a batch.

use super::{
	BatchHeader, Direction, FREE_BATCHES_PER_HOUR, Flow, LastSeen, MAX_READINGS_PER_BATCH,
	MAX_SKEW_MS, MIN_FREE_INTERVAL_MS, MeterIndex, Netted, Registers, TOLERANCE_PPT, max_energy_wh,
	net,
};
use crate::{H256, crypto::ed25519::SignatureError, num::units::MILLIS_PER_DAY};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// State of a meter as the rules need it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeterState {
	/// Highest power that can flow through the meter, in W.
	pub rated_power_w: u32,
	/// Direction in which energy may flow.
	pub direction: Direction,
	/// Sequence number of its next batch.
	pub next_sequence: u64,
	/// [`BatchHeader::hash`] of its last batch; zero before the first.
	pub last_hash: H256,
	/// Time before which no batch may begin, in UTC milliseconds: the end of its last batch, or the
	/// begin of its certified service.
	pub last_end_ms: u64,
	/// Registers after the last batch, or at certification or exchange if that was later.
	pub registers: Registers,
	/// Time from which somebody vouches for the meter without a break, in UTC milliseconds: its
	/// certification, reinstatement or exchange, or the admission of its organisation. A batch that
	/// begins earlier is taken, and mints nothing.
	pub floor_ms: u64,
	/// After an exchange: the old registers, for a batch that was signed before it and arrives after
	/// it; `None` once a batch of the new registers has come.
	pub before: Option<OldRegisters>,
	/// Energy that the meter has to deliver before it mints again, in Wh: what it took and has not
	/// delivered since. See [`net`].
	pub owed_wh: u64,
}

/// Registers that were replaced by others.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OldRegisters {
	/// What they showed last, in Wh.
	pub last: Registers,
	/// Time of the exchange, in UTC milliseconds: a batch that begins earlier is of these.
	pub until_ms: u64,
}

impl MeterState {
	/// Returns the state of a meter whose certified service begins at `since_ms` with these
	/// registers.
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
			floor_ms: since_ms,
			before: None,
			owed_wh: 0,
		}
	}

	/// Returns the energy of a batch as it counts: what was delivered while nobody vouched counts for
	/// nothing; what was taken counts always, but what the registers from before an exchange state counted
	/// with that.
	pub fn flow(&self, header: &BatchHeader) -> Flow {
		let last = self.opening(header.start_ms);
		let is_old = self.before.is_some_and(|before| header.start_ms < before.until_ms);
		let imported_wh = header.closing.import_wh.saturating_sub(last.import_wh);
		let imported_wh = if is_old { 0 } else { imported_wh };
		let exported_wh = if header.start_ms < self.floor_ms {
			0
		} else {
			header.closing.export_wh.saturating_sub(header.opening.export_wh)
		};
		let (start_ms, end_ms, floor_ms) = (header.start_ms, header.end_ms, self.floor_ms);
		Flow { imported_wh, exported_wh, start_ms, end_ms, floor_ms }
	}

	/// Nets the energy of a batch.
	fn net(&self, header: &BatchHeader) -> Netted {
		let flow = self.flow(header);
		net(self.owed_wh, flow.imported_wh, flow.exported_wh)
	}

	/// Moves the time from which energy mints to `now_ms`: until then nobody vouched without a break.
	pub fn vouch_from(&mut self, now_ms: u64) {
		self.floor_ms = self.floor_ms.max(now_ms);
	}

	/// Returns what the chain saw last of the import register of this meter, whose index is `meter` if it
	/// goes out of service: in a batch, or as an electrician stated it since.
	pub fn seen(&self, meter: Option<MeterIndex>) -> LastSeen {
		let at_ms = self.before.map_or(self.last_end_ms, |before| before.until_ms);
		let draw_w = if self.direction.takes() { self.rated_power_w } else { 0 };
		LastSeen { meter, import_wh: self.registers.import_wh, at_ms, draw_w }
	}

	/// Lets the registers continue from other values, from `now_ms` on. A batch of the old ones may
	/// still be on its way; what was drawn by then counts now.
	///
	/// Returns that draw in Wh: what the registers show more if they are of the same meter, else the
	/// highest that there can have been since what was stated last.
	pub fn exchange(
		&mut self,
		registers: Registers,
		is_same: bool,
		now_ms: u64,
		tolerance_ppt: u32,
	) -> u64 {
		let seen = self.seen(None);
		let unseen_wh = if is_same {
			seen.drawn_wh(registers.import_wh, now_ms, tolerance_ppt)
		} else {
			seen.possible_wh(now_ms, tolerance_ppt)
		};
		let last = self.before.map_or(self.registers, |before| before.last);
		self.before = Some(OldRegisters { last, until_ms: now_ms });
		self.registers = registers;
		self.vouch_from(now_ms);
		unseen_wh
	}

	/// Returns the registers that a batch beginning at `start_ms` has to continue from.
	const fn opening(&self, start_ms: u64) -> Registers {
		match self.before {
			Some(before) if start_ms < before.until_ms => before.last,
			_ => self.registers,
		}
	}

	/// Returns `true` if this is the first batch since the floor was moved: what flowed in between was
	/// measured by nobody, and its registers may have risen.
	const fn reopens(&self, start_ms: u64) -> bool {
		start_ms >= self.floor_ms && self.last_end_ms < self.floor_ms
	}

	/// Applies a batch that [`check_batch`] has accepted.
	pub fn advance(&mut self, header: &BatchHeader) {
		self.next_sequence = self.next_sequence.saturating_add(1);
		self.last_hash = header.hash();
		self.last_end_ms = header.end_ms;
		self.owed_wh = self.net(header).owed_wh;
		match &mut self.before {
			Some(before) if header.start_ms < before.until_ms => before.last = header.closing,
			_ => (self.registers, self.before) = (header.closing, None),
		}
	}
}

/// Limits of single batches that governance sets.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchLimits {
	/// Time by which a batch may end after the chain's time, in milliseconds; at most a day.
	pub max_skew_ms: u64,
	/// Energy that a batch may contain, in thousandths of rated power × time; at least 1.
	pub tolerance_ppt: u32,
	/// Shortest interval of a batch that is free of fees, in milliseconds.
	pub min_free_ms: u64,
	/// Number of batches of one meter that are free of fees in an hour.
	pub free_per_hour: u32,
}

impl Default for BatchLimits {
	fn default() -> Self {
		Self {
			max_skew_ms: MAX_SKEW_MS,
			tolerance_ppt: TOLERANCE_PPT,
			min_free_ms: MIN_FREE_INTERVAL_MS,
			free_per_hour: FREE_BATCHES_PER_HOUR,
		}
	}
}

/// Energy of an accepted batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Accepted {
	/// Energy delivered to the grid, in Wh, with what was delivered while nobody vouched.
	pub exported_wh: u64,
	/// Energy taken from the grid, in Wh, with what was taken while nobody vouched.
	pub imported_wh: u64,
	/// Part of the export that mints, in Wh: what a batch that begins when somebody vouched delivers
	/// beyond all that the meter ever took; nothing of what was before.
	pub minted_wh: u64,
}

/// Reason why a batch is refused, one for each rule.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum BatchRefusal {
	/// No meter in service has this index.
	#[codec(index = 0)]
	UnknownMeter,
	/// The organisation that certified the meter is not admitted.
	#[codec(index = 1)]
	OrganisationNotAdmitted,
	/// The meter is suspended.
	#[codec(index = 2)]
	Suspended,
	/// The signature is not the device's of this header for this chain.
	#[codec(index = 3)]
	BadSignature,
	/// A batch with this sequence number was already accepted.
	#[codec(index = 4)]
	SequenceUsed {
		/// Next sequence number.
		expected: u64,
	},
	/// Batches before this one are missing.
	#[codec(index = 5)]
	SequenceGap {
		/// Next sequence number.
		expected: u64,
	},
	/// `previous` is not the hash of the meter's last batch.
	#[codec(index = 6)]
	WrongPrevious,
	/// The batch has no readings.
	#[codec(index = 7)]
	NoReadings,
	/// The batch has more readings than [`MAX_READINGS_PER_BATCH`].
	#[codec(index = 8)]
	TooManyReadings {
		/// Highest number of readings in a batch.
		max: u32,
	},
	/// The interval does not end after it begins.
	#[codec(index = 9)]
	EmptyInterval,
	/// The interval begins before the last batch ends, or before the meter's certified service.
	#[codec(index = 10)]
	Overlap {
		/// Earliest begin, in UTC milliseconds.
		last_end_ms: u64,
	},
	/// The interval ends later than now, by more than clocks may differ.
	#[codec(index = 11)]
	FutureInterval {
		/// Latest end that is accepted now, in UTC milliseconds.
		latest_ms: u64,
	},
	/// A register opens or closes at a lower value than before.
	#[codec(index = 12)]
	RegisterFell,
	/// A register opens at a higher value than it closed before.
	#[codec(index = 13)]
	RegisterJumped,
	/// Energy flowed in a direction for which the meter is not certified.
	#[codec(index = 14)]
	DirectionNotCertified,
	/// The batch contains more energy than rated power allows in that time.
	#[codec(index = 15)]
	TooMuchEnergy {
		/// Highest energy for that time, in Wh.
		max_wh: u64,
	},
	/// The block has minted as much as a block may.
	#[codec(index = 16)]
	BlockLimit,
	/// The day has minted as much as a day may.
	#[codec(index = 17)]
	DayLimit,
	/// The token did not accept the mint for the energy account.
	#[codec(index = 18)]
	MintFailed,
	/// The batch mints more than a block, or the meter, its organisation or all of them in a day, may
	/// ever mint: it can never be accepted.
	#[codec(index = 19)]
	AboveLimits {
		/// Highest energy of one batch of this meter, in Wh.
		max_wh: u64,
	},
	/// The meter has minted as much as its rated power gives in a day.
	#[codec(index = 20)]
	MeterDayLimit,
	/// The organisation's meters have minted as much as an organisation's may in a day.
	#[codec(index = 21)]
	OrganisationDayLimit,
	/// The interval is shorter than that of a batch that is free of fees: submit it in a signed
	/// transaction, which pays.
	#[codec(index = 22)]
	TooShort {
		/// Shortest interval that is free, in milliseconds.
		min_ms: u64,
	},
	/// The meter has had all its free batches of this hour: wait, or pay with a signed transaction.
	#[codec(index = 23)]
	FreeQuota,
}

impl BatchRefusal {
	/// Names of the refusals, in the order of [`BatchRefusal::code`].
	const NAMES: [&str; 24] = [
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
		"above_limits",
		"meter_day_limit",
		"organisation_day_limit",
		"too_short",
		"free_quota",
	];

	/// Returns its number, which is that of its SCALE encoding and which a refused transaction
	/// carries.
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
			Self::AboveLimits { .. } => 19,
			Self::MeterDayLimit => 20,
			Self::OrganisationDayLimit => 21,
			Self::TooShort { .. } => 22,
			Self::FreeQuota => 23,
		}
	}

	/// Returns the name of the refusal with that number.
	pub fn name_of(code: u8) -> Option<&'static str> {
		Self::NAMES.get(usize::from(code)).copied()
	}

	/// Returns its name in JSON answers and metrics.
	pub fn as_str(&self) -> &'static str {
		Self::name_of(self.code()).unwrap_or_default()
	}

	/// Returns the refusal with that number. The figures that some refusals contain are zero: a
	/// number does not carry them.
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
			19 => Self::AboveLimits { max_wh: 0 },
			20 => Self::MeterDayLimit,
			21 => Self::OrganisationDayLimit,
			22 => Self::TooShort { min_ms: 0 },
			23 => Self::FreeQuota,
			_ => return None,
		})
	}

	/// Returns `true` if the very same bytes can be accepted later, when only time and the chain's
	/// state change. Programs that submit batches ask this and nothing else.
	pub const fn is_temporary(&self) -> bool {
		match self {
			Self::UnknownMeter
			| Self::OrganisationNotAdmitted
			| Self::Suspended
			| Self::SequenceGap { .. }
			| Self::FutureInterval { .. }
			| Self::BlockLimit
			| Self::DayLimit
			| Self::MintFailed
			| Self::MeterDayLimit
			| Self::OrganisationDayLimit
			| Self::FreeQuota => true,
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
			| Self::TooMuchEnergy { .. }
			| Self::AboveLimits { .. }
			| Self::TooShort { .. } => false,
		}
	}
}

impl fmt::Display for BatchRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::UnknownMeter => {
				f.write_str("no meter with this index is in service: have it certified first")
			},
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
				write!(f, "batches are missing: submit number {expected} first")
			},
			Self::WrongPrevious => {
				f.write_str("previous is not the hash of the meter's last batch on chain")
			},
			Self::NoReadings => f.write_str("a batch must have at least one reading"),
			Self::TooManyReadings { max } => {
				write!(f, "too many readings: split it into batches of at most {max}")
			},
			Self::EmptyInterval => f.write_str("the end must be later than the start"),
			Self::Overlap { last_end_ms } => write!(
				f,
				"overlaps the previous batch: the start must not be before {last_end_ms} ms UTC"
			),
			Self::FutureInterval { latest_ms } => write!(
				f,
				"ends in the future; at present the latest end is {latest_ms} ms UTC: wait, or set the device's clock"
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
				f.write_str("this block has minted as much as a block may: submit the batch again")
			},
			Self::DayLimit => f.write_str(
				"today has minted as much as a day may: submit the batch again tomorrow",
			),
			Self::MintFailed => f.write_str(
				"the energy could not be credited to its account: submit the batch again later",
			),
			Self::AboveLimits { max_wh } => {
				write!(f, "more energy than may ever be minted at once: at most {max_wh} Wh in a batch")
			},
			Self::MeterDayLimit => f.write_str(
				"today the meter has minted as much as its rated power gives: submit the batch again tomorrow",
			),
			Self::OrganisationDayLimit => f.write_str(
				"today the organisation's meters have minted as much as they may: submit the batch again tomorrow",
			),
			Self::TooShort { min_ms } => write!(
				f,
				"free batches cover at least {min_ms} ms: make longer ones, or submit it signed, for a fee"
			),
			Self::FreeQuota => f.write_str(
				"the meter has had its free batches of this hour: wait, or submit it signed, for a fee",
			),
		}
	}
}

impl core::error::Error for BatchRefusal {}

impl From<SignatureError> for BatchRefusal {
	fn from(_: SignatureError) -> Self {
		Self::BadSignature
	}
}

/// Returns the highest energy in Wh that a meter of `rated_power_w` may mint in a day.
pub fn meter_day_wh(rated_power_w: u32, tolerance_ppt: u32) -> u64 {
	let wh = max_energy_wh(rated_power_w, MILLIS_PER_DAY, tolerance_ppt);
	u64::try_from(wh).unwrap_or(u64::MAX)
}

/// Checks whether a batch is free of fees; `used` is the number of free batches that its meter has had
/// in this hour.
///
/// # Errors
/// [`BatchRefusal::TooShort`] or [`BatchRefusal::FreeQuota`].
pub fn check_free(
	header: &BatchHeader,
	used: u32,
	limits: &BatchLimits,
) -> Result<(), BatchRefusal> {
	let min_ms = limits.min_free_ms;
	if header.end_ms.saturating_sub(header.start_ms) < min_ms {
		return Err(BatchRefusal::TooShort { min_ms });
	}
	if used >= limits.free_per_hour {
		return Err(BatchRefusal::FreeQuota);
	}
	Ok(())
}

/// Checks whether the batch would be accepted now by every rule except the signature, the cheapest
/// first.
///
/// `meter` is the state of the meter that the header names. The caller must check that the meter
/// exists, is in service, and has signed.
///
/// # Errors
/// The refusal of the first rule that the batch breaks.
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

/// Checks that the batch is the next one of its meter.
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

/// Checks the energy between the registers.
fn check_energy(
	meter: &MeterState,
	header: &BatchHeader,
	limits: &BatchLimits,
) -> Result<Accepted, BatchRefusal> {
	let last = meter.opening(header.start_ms);
	let gap = header.opening.since(&last).ok_or(BatchRefusal::RegisterFell)?;
	if gap != Registers::default() && !meter.reopens(header.start_ms) {
		return Err(BatchRefusal::RegisterJumped);
	}
	let flow = header.closing.since(&header.opening).ok_or(BatchRefusal::RegisterFell)?;
	let all = header.closing.since(&last).ok_or(BatchRefusal::RegisterFell)?;
	let is_certified = match meter.direction {
		Direction::Import => all.export_wh == 0,
		Direction::Export | Direction::Generation => all.import_wh == 0,
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
	let minted_wh = meter.net(header).minted_wh;
	Ok(Accepted { exported_wh: all.export_wh, imported_wh: all.import_wh, minted_wh })
}
