//! Reasons to refuse a reading.

use super::{Direction, EnergyError, MAX_LOG_BYTES, MAX_TAGS, MAX_TEXT_BYTES, SCHEMA, TimeError};
use crate::{codec::json::JsonError, energy::NameError};
use alloc::string::String;
use core::fmt;

/// Reason why a reading is refused. Each has a name for programs, [`LogRefusal::as_str`], and a
/// sentence for people that says what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogRefusal {
	/// The reading is larger than [`MAX_LOG_BYTES`], as sent or in canonical form; its size in
	/// bytes.
	TooLong(usize),
	/// The reading is not JSON.
	Malformed(JsonError),
	/// The reading is JSON, but not an object.
	NotAnObject,
	/// The schema does not have this field.
	UnknownField(String),
	/// This field, which every reading has, is missing.
	MissingField(&'static str),
	/// The field has another type: its name, and what it must be.
	WrongType(&'static str, &'static str),
	/// The text has more than [`MAX_TEXT_BYTES`] bytes, or there are more than [`MAX_TAGS`] tags.
	FieldTooLong(&'static str),
	/// The schema is not `emlog-1.1`.
	UnknownSchema(String),
	/// A site, device or meter id cannot be part of a topic.
	BadName(&'static str, NameError),
	/// A time is not exact or not in UTC.
	BadTime(&'static str, TimeError),
	/// The interval does not end after it begins.
	EmptyInterval,
	/// `interval_s` is not the time between `ts_start` and `ts_end`.
	IntervalMismatch {
		/// Length as stated, in seconds.
		stated_s: u64,
		/// Time from `ts_start` to `ts_end`, in milliseconds.
		actual_ms: u64,
	},
	/// The energy is negative, too fine or too large.
	BadEnergy(EnergyError),
	/// The status is neither `ok` nor `estimated` nor `error`.
	UnknownStatus(String),
	/// The reading is tagged both `import` and `export`.
	BothDirections,
	/// The reading has no direction tag, and the meter measures both directions.
	NoDirection,
	/// The meter is not certified for that direction.
	DirectionNotCertified {
		/// Direction of the tag.
		stated: Direction,
		/// Direction of the certificate.
		certified: Direction,
	},
	/// The topic is that of another meter; the right topic.
	WrongTopic(String),
	/// The interval ends later than now, by more than clocks may differ.
	FromTheFuture {
		/// Time by which it ends after now, in milliseconds.
		ahead_ms: u64,
		/// Time by which clocks may differ, in milliseconds.
		allowed_ms: u64,
	},
}

impl LogRefusal {
	/// Returns the refusal's name in JSON answers, dead letters and metrics.
	pub const fn as_str(&self) -> &'static str {
		match self {
			Self::TooLong(_) => "too_long",
			Self::Malformed(_) => "malformed_json",
			Self::NotAnObject => "not_an_object",
			Self::UnknownField(_) => "unknown_field",
			Self::MissingField(_) => "missing_field",
			Self::WrongType(..) => "wrong_type",
			Self::FieldTooLong(_) => "field_too_long",
			Self::UnknownSchema(_) => "unknown_schema",
			Self::BadName(..) => "bad_name",
			Self::BadTime(..) => "bad_time",
			Self::EmptyInterval => "empty_interval",
			Self::IntervalMismatch { .. } => "interval_mismatch",
			Self::BadEnergy(EnergyError::Negative) => "negative_energy",
			Self::BadEnergy(_) => "bad_energy",
			Self::UnknownStatus(_) => "unknown_status",
			Self::BothDirections => "both_directions",
			Self::NoDirection => "no_direction",
			Self::DirectionNotCertified { .. } => "direction_not_certified",
			Self::WrongTopic(_) => "wrong_topic",
			Self::FromTheFuture { .. } => "from_the_future",
		}
	}
}

impl fmt::Display for LogRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooLong(bytes) => {
				write!(f, "the reading has {bytes} bytes; at most {MAX_LOG_BYTES} are accepted")
			},
			Self::Malformed(error) => write!(f, "malformed JSON: {error}"),
			Self::NotAnObject => f.write_str("a reading must be a JSON object"),
			Self::UnknownField(name) => {
				write!(f, "unknown field {name:?}: {SCHEMA} does not have it")
			},
			Self::MissingField(name) => write!(f, "the field {name} is missing"),
			Self::WrongType(name, wanted) => write!(f, "{name} must be {wanted}"),
			Self::FieldTooLong(name) => write!(
				f,
				"{name} is too long: a text may have at most {MAX_TEXT_BYTES} bytes, a reading {MAX_TAGS} tags"
			),
			Self::UnknownSchema(name) => write!(f, "unknown schema {name:?}: send {SCHEMA}"),
			Self::BadName(name, fault) => write!(f, "{name}: {fault}"),
			Self::BadTime(name, fault) => write!(f, "{name}: {fault}"),
			Self::EmptyInterval => f.write_str("ts_end must be later than ts_start"),
			Self::IntervalMismatch { stated_s, actual_ms } => write!(
				f,
				"interval_s is {stated_s}, but from ts_start to ts_end it is {actual_ms} ms"
			),
			Self::BadEnergy(fault) => write!(f, "energy_kwh: {fault}"),
			Self::UnknownStatus(status) => {
				write!(f, "unknown status {status:?}: it is ok, estimated or error")
			},
			Self::BothDirections => {
				f.write_str("tagged both import and export: send one reading for each direction")
			},
			Self::NoDirection => {
				f.write_str("the meter measures both directions: tag the reading import or export")
			},
			Self::DirectionNotCertified { stated, certified } => {
				write!(f, "tagged {stated}, but the meter is certified for {certified} only")
			},
			Self::WrongTopic(wanted) => write!(f, "wrong topic: this reading belongs on {wanted}"),
			Self::FromTheFuture { ahead_ms, allowed_ms } => write!(
				f,
				"ts_end is {ahead_ms} ms in the future; clocks may differ by {allowed_ms} ms: \
				 set the device's clock"
			),
		}
	}
}

impl core::error::Error for LogRefusal {}
